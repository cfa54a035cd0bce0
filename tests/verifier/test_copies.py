"""Copies in wallets: with their number they are judged as any other form; without it, all that can be is judged."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from typing import Any

import pytest

from keys.envelopes.mdoc import make_device_response, parse_mdoc, select_elements, sign_as_device
from keys.envelopes.sd_jwt import bind_key, issue_sd_jwt, select_disclosures
from keys.x509 import Profile
from tests.verifier.asking import ask, assert_failed, assert_indeterminate, assert_passed, found
from tests.verifier.small_world import (
    DAY,
    EAST,
    NOW,
    SEALED,
    SmallWorld,
    attestation,
    certificate,
    signer,
    withdrawn,
)
from tests.verifier.test_mobile_document import DOC_TYPE, signed, transcript
from tests.verifier.test_mobile_document import bound_to as bound_to_session
from trust_registry.attestations import StatusReference, to_copy_claims
from trust_registry.mdoc_attestations import CORE
from trust_registry.model import CertificateStatus, EntryReason
from verifier.errors import MalformedEvidence, Unreadable
from verifier.evidence import parse
from verifier.model import Check, Credential, ExpectedBinding, Outcome, Policy, SubIndication

HALL = "x509_san_dns:hall.example"
BOUND = Policy(binding=ExpectedBinding("n1", HALL))
_CORE_WITHHELD = ("core_withheld", SubIndication.SIGNED_DATA_NOT_FOUND)


def copy(by: str = "seal", shown: Any = None, **changes: Any) -> str:
    claims, disclosable = to_copy_claims(attestation(holder_key=signer("holder").public_key.jwk(), **changes))
    chain = [b64encode((shown or certificate("seal", Profile.SEAL, EAST)).der).decode()]
    return issue_sd_jwt(claims, disclosable, signer=signer(by), header={"typ": "dc+sd-jwt", "x5c": chain})


def presented(made: str, *names: str, by: str = "holder", nonce: str = "n1") -> str:
    chosen = select_disclosures(made, frozenset(names))
    return bind_key(chosen, signer=signer(by), nonce=nonce, audience=HALL, issued_at=NOW)


def test_with_its_number_it_is_judged_as_any_other(world: SmallWorld) -> None:
    report = ask(world, presented(copy(), "certificate_id", "holder_name"), policy=BOUND)
    assert_passed(report)
    assert report.attestation is not None
    assert report.attestation.certificate_id == attestation().certificate_id
    assert report.attestation.claims == {"holder_name": "林晓"}
    assert_passed(ask(world, copy()))


def test_without_its_number_nobody_can_say_which_it_is(world: SmallWorld) -> None:
    report = ask(world, presented(copy(), "holder_name"), policy=BOUND)
    assert_indeterminate(report, *_CORE_WITHHELD)
    assert report.attestation is None
    assert report.foreign is not None
    passed = [Check.INTEGRITY, Check.CERTIFICATE_PATH, Check.ENTITLEMENT, Check.STATUS, Check.VALIDITY]
    assert all(found(report, check).outcome is Outcome.PASSED for check in [*passed, Check.HOLDER_BINDING])


def test_withholding_does_not_hide_a_signature_of_somebody_else(world: SmallWorld) -> None:
    report = ask(world, presented(copy(by="somebody else"), "holder_name"), policy=BOUND)
    assert_failed(report, "signature_wrong", SubIndication.SIG_CRYPTO_FAILURE)


def test_withholding_does_not_hide_an_altered_disclosure() -> None:
    made = copy()
    disclosure = made.split("~")[1]
    with pytest.raises(MalformedEvidence) as caught:
        parse(made.replace(disclosure, disclosure[:-2] + "AA"))
    assert caught.value.reason is Unreadable.DAMAGED


def test_withholding_does_not_hide_a_stranger(world: SmallWorld) -> None:
    stranger = certificate("stranger", Profile.SEAL, "elsewhere")
    report = ask(world, presented(copy(by="stranger", shown=stranger), "holder_name"), policy=BOUND)
    assert_indeterminate(report, *_CORE_WITHHELD)
    assert found(report, Check.CERTIFICATE_PATH).code == "signer_not_listed"
    assert found(report, Check.ENTITLEMENT).code == "entitlement_unknown"


def test_withholding_does_not_hide_another_ones_key(world: SmallWorld) -> None:
    for changes in ({"by": "thief"}, {"nonce": "n2"}):
        report = ask(world, presented(copy(), "holder_name", **changes), policy=BOUND)
        assert report.decisive is not None
        assert report.decisive.check is Check.HOLDER_BINDING
        assert report.decisive.outcome is Outcome.FAILED


def test_withholding_does_not_hide_a_revocation(world: SmallWorld) -> None:
    statuses = world.statuses(CertificateStatus.INVALID)
    report = ask(world, presented(copy(), "holder_name"), policy=BOUND, statuses=statuses)
    assert_failed(report, "status_revoked", SubIndication.REVOKED)


def test_withholding_does_not_hide_the_end(world: SmallWorld) -> None:
    made = copy(valid_until=NOW - DAY)
    assert_failed(ask(world, presented(made, "holder_name"), policy=BOUND), "expired", SubIndication.EXPIRED)


def test_withholding_does_not_hide_a_withdrawn_seal(world: SmallWorld) -> None:
    world.seal_history = withdrawn(SEALED - DAY, EntryReason.KEY_COMPROMISE)
    report = ask(world, presented(copy(), "holder_name"), policy=BOUND)
    assert report.decisive is not None
    assert report.decisive.code == "seal_withdrawn"


def test_withholding_does_not_hide_a_status_elsewhere(world: SmallWorld) -> None:
    made = copy(status=StatusReference("https://evil.example/status/1", 7))
    report = ask(world, presented(made, "holder_name"), policy=BOUND)
    assert_indeterminate(report, *_CORE_WITHHELD)
    assert found(report, Check.STATUS).code == "status_elsewhere"


def test_an_mdoc_without_its_core_is_judged_as_far_as_it_goes(world: SmallWorld) -> None:
    shown = select_elements(parse_mdoc(signed()), {DOC_TYPE: {"holder_name"}, CORE: {"certificate_id"}})

    def device(by: str) -> bytes:
        return make_device_response(DOC_TYPE, shown, sign_as_device(DOC_TYPE, transcript(), signer(by)))

    report = ask(world, device("holder"), policy=bound_to_session())
    assert_indeterminate(report, *_CORE_WITHHELD)
    assert found(report, Check.CERTIFICATE_PATH).outcome is Outcome.PASSED
    assert_failed(
        ask(world, device("thief"), policy=bound_to_session()), "device_binding_false", SubIndication.SIG_CRYPTO_FAILURE
    )


@pytest.mark.parametrize("damage", ["iat", "status", "seal_id", "nbf"])
def test_what_a_certificate_must_say_beside_its_number(damage: str) -> None:
    """A certificate of this network is not taken for another's because something else is missing, too."""
    claims, _ = to_copy_claims(attestation())
    del claims["certificate_id"], claims[damage]
    chain = [b64encode(certificate("seal", Profile.SEAL, EAST).der).decode()]
    text = issue_sd_jwt(claims, frozenset(), signer=signer("seal"), header={"typ": "dc+sd-jwt", "x5c": chain})
    with pytest.raises(MalformedEvidence):
        parse(text)


def test_what_is_withheld_is_not_taken_for_an_empty_number() -> None:
    evidence = parse(select_disclosures(copy(), frozenset({"holder_name"})))
    assert isinstance(evidence, Credential)
    assert (evidence.attestation, evidence.withheld) == (
        None,
        replace(
            attestation(holder_key=signer("holder").public_key.jwk()),
            certificate_id="",  # type: ignore[arg-type]
            claims={"holder_name": "林晓"},
        ),
    )
