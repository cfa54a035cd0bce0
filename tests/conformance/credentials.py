"""The SD-JWT cases of another library: the same concealment and choice give the same claims, under an anchor."""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from keys.envelopes.jws import sign_jws
from keys.envelopes.sd_jwt import bind_key
from keys.x509 import Profile
from tests.conformance.table import VECTORS, Row
from tests.keys.sd_jwt_forge import conceal
from tests.verifier.small_world import NOW, authority, certificate, signer
from trust_registry.model import StatusView
from verifier.core import judge
from verifier.evidence import parse
from verifier.model import Credential, ExpectedBinding, Policy, Report

FOLDER: Final = VECTORS / "sd-jwt"
_NONCE, _AUDIENCE = "n-0S6_WzA2Mj", "https://verifier.example"


def rows() -> list[Row]:
    return [_row(path) for path in sorted(FOLDER.glob("*.json"))]


def exists(claims: Any, path: str) -> bool:
    """Whether the claims have a value at a dotted path; the cases name some that are not there."""
    for step in path.split("."):
        if isinstance(claims, list):
            claims = {str(number): value for number, value in enumerate(claims)}
        if not isinstance(claims, dict) or step not in claims:
            return False
        claims = claims[step]
    return True


def _row(path: Path) -> Row:
    vector = json.loads(path.read_text("utf-8"))
    paths = [name for name in vector["disclosureFrame"] if exists(vector["claims"], name)]
    payload, disclosures = conceal({**vector["claims"], "vct": "https://issuer.example/case"}, paths)
    payload["cnf"] = {"jwk": signer("holder").public_key.jwk()}
    chosen = [disclosures[name] for name in vector["holder_disclosed_claims"] if name in disclosures]
    text = _presented(path.stem, payload, chosen)
    evidence = parse(text)
    assert isinstance(evidence, Credential)
    claims = {name: value for name, value in evidence.sd_jwt.claims.items() if name not in ("vct", "cnf")}
    expected = vector["expect_verified_user_claims"]
    found = _judged(evidence)
    return Row(path.stem, f"{_shown(expected)}", f"{_shown(claims)}", found.indication.value)


def _presented(case: str, payload: dict[str, Any], chosen: list[str]) -> str:
    chain = [b64encode(certificate("stranger", Profile.SEAL, "elsewhere").der).decode()]
    header: dict[str, Any] = {"typ": "dc+sd-jwt", "x5c": chain}
    if case == "header_mod":
        header["kid"] = "another-parameter"
    text = "~".join((sign_jws(header, json.dumps(payload).encode(), signer("stranger")), *chosen, ""))
    text = bind_key(text, signer=signer("holder"), nonce=_NONCE, audience=_AUDIENCE, issued_at=NOW)
    if case != "json_serialization":
        return text
    token, *disclosures, binding = text.split("~")
    protected, body, signature = token.split(".")
    unprotected = {"disclosures": disclosures, "kb_jwt": binding}
    return json.dumps({"payload": body, "protected": protected, "signature": signature, "header": unprotected})


def _judged(evidence: Credential) -> Report:
    policy = Policy(anchors=(authority("elsewhere"),), binding=ExpectedBinding(_NONCE, _AUDIENCE))
    return judge(evidence, None, StatusView({}), policy, max(NOW, datetime(2020, 1, 1, tzinfo=UTC)))


def _shown(claims: Any) -> str:
    return f"`{json.dumps(claims, ensure_ascii=False, separators=(',', ':'), sort_keys=True)}`"
