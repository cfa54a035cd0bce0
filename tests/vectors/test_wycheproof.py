"""Project Wycheproof: signatures in raw form that must, and must not, verify."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from keys.public_key import PublicKey

FOLDER = Path(__file__).parents[3] / "shared" / "vectors" / "wycheproof"
FILES = ("ecdsa_secp256r1_sha256_p1363_test.json", "ecdsa_secp384r1_sha384_p1363_test.json", "ed25519_test.json")


def _groups(name: str) -> list[dict[str, Any]]:
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"no {name} in {FOLDER.parent.name}/{FOLDER.name} beside the repository")
    return list(json.loads(path.read_text("utf-8"))["testGroups"])


@pytest.mark.parametrize("name", FILES)
def test_wycheproof_verdicts_are_ours(name: str) -> None:
    seen = set()
    for group in _groups(name):
        spki = bytes.fromhex(group["publicKeyDer"])
        key = PublicKey.from_spki(spki)
        for case in group["tests"]:
            holds = key.verify(bytes.fromhex(case["sig"]), bytes.fromhex(case["msg"]))
            assert holds is (case["result"] == "valid"), f"case {case['tcId']}: {case['comment']} {case['flags']}"
            seen.add(holds)
    assert seen == {True, False}


@pytest.mark.parametrize("name", FILES)
def test_wycheproof_keys_read_alike_as_spki_and_jwk(name: str) -> None:
    for group in _groups(name):
        if "publicKeyJwk" in group:
            assert PublicKey.from_jwk(group["publicKeyJwk"]).spki == bytes.fromhex(group["publicKeyDer"])
