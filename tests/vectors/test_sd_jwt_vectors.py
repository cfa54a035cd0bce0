"""The test cases of other SD-JWT libraries: the same concealment and choice must give the same claims."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from keys.envelopes.sd_jwt import parse_sd_jwt
from tests.keys.sd_jwt_forge import conceal, sign

FOLDER = Path(__file__).parents[3] / "shared" / "vectors" / "sd-jwt"
CASES = sorted(FOLDER.glob("*.json"))

# RFC 9901 section 7.1 step 3.5: an object that has lost all its members "should be represented as an empty object {}".
# This vector drops the object instead (its own library compares only the members that it names).
STRICTER = {"array_none_disclosed": {"is_over": {}}}


def _exists(claims: Any, path: str) -> bool:
    for step in path.split("."):
        if isinstance(claims, list):
            claims = dict(enumerate(claims))
            step = int(step) if step.isdigit() else step  # noqa: PLW2901
        if not isinstance(claims, dict) or step not in claims:
            return False
        claims = claims[step]
    return True


@pytest.mark.skipif(not CASES, reason=f"no vectors in {FOLDER.parent.name}/{FOLDER.name} beside the repository")
@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_sd_jwt_vector(case: Path) -> None:
    vector = json.loads(case.read_text("utf-8"))
    paths = [path for path in vector["disclosureFrame"] if _exists(vector["claims"], path)]
    payload, disclosures = conceal(vector["claims"], paths)
    assert parse_sd_jwt(sign(payload, disclosures.values())).claims == vector["claims"]
    chosen = [disclosures[path] for path in vector["holder_disclosed_claims"] if path in disclosures]
    assert parse_sd_jwt(sign(payload, chosen)).claims == {
        **vector["expect_verified_user_claims"],
        **STRICTER.get(case.stem, {}),
    }
