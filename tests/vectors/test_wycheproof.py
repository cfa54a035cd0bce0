"""Project Wycheproof: signatures that must, and must not, verify, by our keys and through our envelopes."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest

from keys.algorithms import by_spki
from keys.envelopes import cose
from keys.envelopes.base64url import b64url_encode
from keys.envelopes.jws import parse_jws
from keys.errors import MalformedEnvelope
from keys.public_key import PublicKey
from tests.conformance.signatures import FILES, FOLDER, Case, cases, envelopes_hold

with_vectors = pytest.mark.skipif(
    not FOLDER.is_dir(), reason=f"no vectors in {FOLDER.parent.name}/{FOLDER.name} beside the repository"
)


@with_vectors
@pytest.mark.parametrize("file", FILES)
def test_wycheproof_verdicts_are_ours(file: str) -> None:
    seen = set()
    for case in cases(file):
        holds = PublicKey.from_spki(case.spki).verify(case.signature, case.message)
        assert {holds, *envelopes_hold(case).values()} == {case.valid}, f"case {case.number}: {case.comment}"
        seen.add(holds)
    assert seen == {True, False}


@with_vectors
@pytest.mark.parametrize("file", FILES)
def test_wycheproof_verdicts_are_those_of_a_cose_message(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parsed and verified as printed codes are, but for what is signed: that is the case's message alone."""
    monkeypatch.setattr(cose, "_to_be_signed", lambda _, payload: payload)
    for case in cases(file):
        assert cose_holds(case) is case.valid, f"case {case.number}: {case.comment}"


def cose_holds(case: Case) -> bool:
    protected = cose.cbor.encode({1: by_spki(case.spki).cose})
    message = b"\xd2" + cose.cbor.encode([protected, {}, case.message, case.signature])
    try:
        return cose.parse_cose_sign1(message).verified_by(PublicKey.from_spki(case.spki))
    except MalformedEnvelope:
        return False


@with_vectors
@pytest.mark.parametrize("file", FILES)
def test_no_signature_of_another_size_gets_past_a_jws(file: str) -> None:
    for case in cases(file):
        algorithm = by_spki(case.spki)
        parts = (json.dumps({"alg": algorithm.jose}).encode(), b"{}", case.signature)
        with suppress(MalformedEnvelope):
            assert len(parse_jws(b".".join(map(b64url_encode, parts))).signature) == algorithm.signature_size


@with_vectors
@pytest.mark.parametrize("file", FILES)
def test_wycheproof_keys_read_alike_as_spki_and_jwk(file: str) -> None:
    for group in json.loads((FOLDER / file).read_text("utf-8"))["testGroups"]:
        if "publicKeyJwk" in group:
            assert PublicKey.from_jwk(group["publicKeyJwk"]).spki == bytes.fromhex(group["publicKeyDer"])
