"""Certificates that a printed code brings along (RFC 9360): strangers' words until a path leads to an anchor."""

from __future__ import annotations

import pytest

from keys.envelopes.cose import parse_cose_sign1, sign_cose_sign1
from keys.envelopes.qr_text import encode_qr_text
from keys.errors import MalformedEnvelope
from keys.x509 import Profile
from tests.verifier.asking import ask, assert_failed, assert_indeterminate, assert_passed, found
from tests.verifier.small_world import TYPES, SmallWorld, attestation, authority, certificate, rsa_certificate, signer
from trust_registry.attestations import to_cwt
from verifier.model import Check, Policy, SubIndication


def bringing(*chain: bytes | str, by: str = "foreign", only: bool = False) -> str:
    """A code that brings certificates along (RFC 9360)."""
    type_ = next(known for known in TYPES if known.id == attestation().type_id)
    brought = {33: chain[0] if only else list(chain)}
    cose = sign_cose_sign1(to_cwt(attestation(), type_), signer=signer(by), kid=b"any", unprotected=brought)
    return encode_qr_text("YX1:", cose)


def test_rfc9360_a_signer_brought_along_needs_a_path_to_an_anchor(world: SmallWorld) -> None:
    shown, anchors = certificate("foreign", Profile.SEAL, "elsewhere"), (authority("elsewhere"),)
    for text in (bringing(shown.der, only=True), bringing(shown.der, shown.der)):
        report = ask(world, text, policy=Policy(anchors=anchors))
        assert_passed(report)
        assert found(report, Check.CERTIFICATE_PATH).code == "path_anchor"
    text = bringing(shown.der)
    third = ask(world, text, policy=Policy(anchors=(authority("third"),)))
    assert_indeterminate(third, "signer_not_listed", SubIndication.NO_CERTIFICATE_CHAIN_FOUND)
    assert_indeterminate(
        ask(world, text, policy=Policy()), "signer_unknown", SubIndication.NO_SIGNING_CERTIFICATE_FOUND
    )
    forged = ask(world, bringing(shown.der, by="somebody else"), policy=Policy(anchors=anchors))
    assert_failed(forged, "signature_wrong", SubIndication.SIG_CRYPTO_FAILURE)
    for unreadable in (b"no certificate", rsa_certificate().der):
        report = ask(world, bringing(unreadable), policy=Policy(anchors=anchors))
        assert_indeterminate(report, "signer_unknown", SubIndication.NO_SIGNING_CERTIFICATE_FOUND)
    brought = ask(world, bringing(shown.der, anchors[0].der), policy=Policy(anchors=anchors))
    assert_failed(brought, "chain_improper", SubIndication.SIG_CONSTRAINTS_FAILURE)


@pytest.mark.parametrize("chain", [[], ["text"], [b"x"] * 7, "text", {}])
def test_rfc9360_x5chain_is_one_certificate_or_several(chain: object) -> None:
    cose = sign_cose_sign1(b"", signer=signer("foreign"), kid=b"any", unprotected={33: chain})
    with pytest.raises(MalformedEnvelope):
        parse_cose_sign1(cose)
