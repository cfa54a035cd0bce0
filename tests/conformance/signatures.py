"""Project Wycheproof through our own envelopes: a JWS, a COSE_Sign1 and a health certificate over each message."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from keys.algorithms import by_spki
from keys.envelopes.hcert import HealthCertificate
from keys.envelopes.jws import Jws
from keys.public_key import PublicKey
from tests.conformance.table import VECTORS, Row

FOLDER: Final = VECTORS / "wycheproof"
FILES: Final = ("ecdsa_secp256r1_sha256_p1363_test.json", "ecdsa_secp384r1_sha384_p1363_test.json", "ed25519_test.json")


@dataclass(frozen=True, slots=True)
class Case:
    """One signature: of which file and number, over which message, by which key, and whether it is one."""

    file: str
    number: int
    comment: str
    spki: bytes
    message: bytes
    signature: bytes
    valid: bool


def cases(file: str) -> Iterator[Case]:
    """Every case of a file: `acceptable` counts as not valid, where there are such."""
    for group in json.loads((FOLDER / file).read_text("utf-8"))["testGroups"]:
        spki = bytes.fromhex(group["publicKeyDer"])
        for case in group["tests"]:
            message, signature = bytes.fromhex(case["msg"]), bytes.fromhex(case["sig"])
            valid = case["result"] == "valid"
            yield Case(file, case["tcId"], case["comment"], spki, message, signature, valid)


def envelopes_hold(case: Case) -> dict[str, bool]:
    """Whether each envelope takes the signature, over exactly the message."""
    algorithm, key = by_spki(case.spki), PublicKey.from_spki(case.spki)
    jws = Jws({"alg": algorithm.jose}, b"", case.message, case.signature, algorithm)
    code = HealthCertificate(algorithm, None, None, None, None, {}, case.message, case.signature)
    return {"jws": jws.verified_by(key), "hcert": code.verified_by(case.spki)}


def rows() -> list[Row]:
    made = []
    for file in FILES:
        name = file.removesuffix("_test.json")
        for case in cases(file):
            held: Any = set(envelopes_hold(case).values())
            ours = {frozenset({True}): "valid", frozenset({False}): "invalid"}.get(frozenset(held), "unclear")
            made.append(Row(f"{name}/{case.number}: {case.comment}", "valid" if case.valid else "invalid", ours))
    return made
