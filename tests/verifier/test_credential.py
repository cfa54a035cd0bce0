"""SD-JWT VCs: the same facts give the same verdicts as on paper; the signer is in x5c; holders bind presentations."""

from __future__ import annotations

from base64 import b64encode
from datetime import timedelta

import pytest

from keys.envelopes.base64url import b64url_encode
from keys.envelopes.sd_jwt import bind_key, select_disclosures
from keys.x509 import Profile, make_certificate, make_region_ca, parse_certificate
from tests.verifier.asking import ask, assert_failed, assert_indeterminate, assert_passed, found
from tests.verifier.small_world import (
    DAY,
    DAY_0,
    EAST,
    NOW,
    SEALED,
    WEST,
    SmallWorld,
    attestation,
    authority,
    certificate,
    rsa_certificate,
    sd_jwt,
    signer,
    withdrawn,
)
from trust_registry.model import EntryReason
from verifier import messages
from verifier.errors import MalformedEvidence
from verifier.evidence import parse
from verifier.model import Check, Credential, ExpectedBinding, Outcome, Policy, SubIndication

HALL = "https://hall.example"


def presented(nonce: str = "n1", audience: str = HALL, by: str = "holder", at: object = NOW) -> str:
    made = attestation(holder_key=signer("holder").public_key.jwk())
    chosen = select_disclosures(sd_jwt(made), frozenset({"holder_name"}))
    return bind_key(chosen, signer=signer(by), nonce=nonce, audience=audience, issued_at=at)  # type: ignore[arg-type]


def bound_to(nonce: str = "n1") -> Policy:
    return Policy(binding=ExpectedBinding(nonce, HALL))


def test_accepted(world: SmallWorld) -> None:
    report = ask(world, sd_jwt())
    assert_passed(report)
    assert report.attestation is not None
    assert report.attestation.claims["holder_name"] == "林晓"


def test_only_what_was_disclosed_is_read(world: SmallWorld) -> None:
    report = ask(world, presented(), policy=bound_to())
    assert_passed(report)
    assert report.attestation is not None
    assert "spouse_name" not in report.attestation.claims


def test_signed_with_another_key_than_x5c_shows(world: SmallWorld) -> None:
    assert_failed(ask(world, sd_jwt(by="somebody else")), "signature_wrong", SubIndication.SIG_CRYPTO_FAILURE)


def test_without_x5c_nobody_is_named(world: SmallWorld) -> None:
    report = ask(world, sd_jwt(x5c=[]))
    assert_indeterminate(report, "signer_unknown", SubIndication.NO_SIGNING_CERTIFICATE_FOUND)


def test_rsa_where_elliptic_curves_are_agreed(world: SmallWorld) -> None:
    report = ask(world, sd_jwt(shown=rsa_certificate()))
    assert_indeterminate(report, "signer_unknown", SubIndication.NO_SIGNING_CERTIFICATE_FOUND)


def test_unknown_issuer(world: SmallWorld) -> None:
    stranger = certificate("stranger", Profile.SEAL, "elsewhere")
    report = ask(world, sd_jwt(by="stranger", shown=stranger), policy=Policy())
    assert_indeterminate(report, "signer_not_listed", SubIndication.NO_CERTIFICATE_CHAIN_FOUND)
    assert found(report, Check.ENTITLEMENT).code == "entitlement_unknown"


def test_without_trust_data_the_signature_alone_holds(world: SmallWorld) -> None:
    report = ask(world, sd_jwt(), trust=None)
    assert found(report, Check.INTEGRITY).outcome is Outcome.PASSED
    assert_indeterminate(report, "no_trust_data", SubIndication.TRY_LATER)


def test_anchor_for_a_foreign_issuer_says_nothing_of_status(world: SmallWorld) -> None:
    stranger = certificate("stranger", Profile.SEAL, "elsewhere")
    policy = Policy(anchors=(authority("elsewhere"),))
    report = ask(world, sd_jwt(by="stranger", shown=stranger), policy=policy)
    assert found(report, Check.CERTIFICATE_PATH).facts["anchor"] == "Authority of elsewhere"
    assert found(report, Check.ENTITLEMENT).code == "entitlement_not_listed"


def test_anchor_that_the_signer_does_not_come_from(world: SmallWorld) -> None:
    stranger = certificate("stranger", Profile.SEAL, "elsewhere")
    report = ask(world, sd_jwt(by="stranger", shown=stranger), policy=Policy(anchors=(authority("third"),)))
    assert_indeterminate(report, "signer_not_listed", SubIndication.NO_CERTIFICATE_CHAIN_FOUND)


def test_anchored_certificate_expired_when_it_signed(world: SmallWorld) -> None:
    stranger = certificate("stranger", Profile.SEAL, "elsewhere", until=SEALED - DAY)
    policy = Policy(anchors=(authority("elsewhere"),))
    report = ask(world, sd_jwt(by="stranger", shown=stranger), policy=policy)
    assert_failed(report, "sealed_after_expiry", SubIndication.EXPIRED)


def test_anchored_certificate_expired_since(world: SmallWorld) -> None:
    stranger = certificate("stranger", Profile.SEAL, "elsewhere", until=SEALED + DAY)
    policy = Policy(anchors=(authority("elsewhere"),))
    report = ask(world, sd_jwt(by="stranger", shown=stranger), policy=policy)
    assert found(report, Check.SIGNING_TIME).sub_indication is SubIndication.OUT_OF_BOUNDS_NO_POE


def test_anchored_authority_signing_certificates_itself(world: SmallWorld) -> None:
    policy = Policy(anchors=(authority("elsewhere"),))
    report = ask(world, sd_jwt(by="ca elsewhere", shown=authority("elsewhere")), policy=policy)
    assert_failed(report, "chain_improper", SubIndication.SIG_CONSTRAINTS_FAILURE)


def test_haip_6_1_1_the_anchor_is_not_brought_along(world: SmallWorld) -> None:
    """HAIP 1.0 section 6.1.1: the anchor MUST NOT be in x5c, and the signing certificate MUST NOT be self-signed."""
    stranger, anchor = certificate("stranger", Profile.SEAL, "elsewhere"), authority("elsewhere")
    brought = [b64encode(each.der).decode() for each in (stranger, anchor)]
    for policy in (Policy(anchors=(anchor,)), Policy(anchors=(authority("third"),)), Policy()):
        report = ask(world, sd_jwt(by="stranger", x5c=brought), policy=policy)
        assert_failed(report, "chain_improper", SubIndication.SIG_CONSTRAINTS_FAILURE)
    own = certificate("seal", Profile.SEAL, EAST)
    doubled = [b64encode(each.der).decode() for each in (stranger, own)]
    report = ask(world, sd_jwt(by="stranger", x5c=doubled), policy=Policy(anchors=(own,)))
    assert_failed(report, "chain_improper", SubIndication.SIG_CONSTRAINTS_FAILURE)


@pytest.mark.parametrize("parameter", ["jwk", "jku", "x5u", "kid", "x5t#S256"])
def test_rfc8725_3_10_what_a_header_claims_is_neither_fetched_nor_believed(world: SmallWorld, parameter: str) -> None:
    """Only x5c names the signer, and only a list or an anchor makes it somebody."""
    value = {"jwk": signer("stranger").public_key.jwk()}.get(parameter, "https://evil.example/keys")
    report = ask(world, sd_jwt(by="stranger", x5c=[], **{parameter: value}))
    assert_indeterminate(report, "signer_unknown", SubIndication.NO_SIGNING_CERTIFICATE_FOUND)


def test_rfc7515_4_1_8_a_thumbprint_is_that_of_the_signer() -> None:
    thumbprint = b64url_encode(bytes.fromhex(certificate("seal", Profile.SEAL, EAST).thumbprint)).decode()
    assert isinstance(parse(sd_jwt(**{"x5t#S256": thumbprint})), Credential)
    with pytest.raises(MalformedEvidence):
        parse(sd_jwt(**{"x5t#S256": thumbprint[::-1]}))


def test_forged_signature_in_the_listed_path(world: SmallWorld) -> None:
    """A certificate whose issuer's name is the region's CA, signed by another key of that name."""
    false_ca = make_region_ca(
        signer("false ca"),
        common_name=f"CA {EAST}",
        organisation=f"Authority of {EAST}",
        region=EAST,
        not_before=DAY_0 - DAY,
        not_after=DAY_0 + 7300 * DAY,
    )
    world.seal_certificate = make_certificate(
        Profile.SEAL,
        ca_signer=signer("false ca"),
        ca=false_ca,
        subject_key=signer("seal").public_key,
        common_name="seal",
        organisation="seal",
        uscc=None,
        uri=None,
        not_before=DAY_0,
        not_after=DAY_0 + 1000 * DAY,
    )
    report = ask(world, sd_jwt(shown=world.seal_certificate))
    assert report.decisive is not None
    assert report.decisive.check is Check.CERTIFICATE_PATH
    assert report.decisive.code in ("path_missing", "path_broken")


def test_a_listed_certificate_whose_signature_was_tampered_with(world: SmallWorld) -> None:
    der = certificate("seal", Profile.SEAL, EAST).der
    world.seal_certificate = parse_certificate(der[:-1] + bytes([der[-1] ^ 1]))
    report = ask(world, sd_jwt(shown=world.seal_certificate))
    assert_indeterminate(report, "path_broken", SubIndication.CERTIFICATE_CHAIN_GENERAL_FAILURE)


def test_a_seal_certified_by_another_seal(world: SmallWorld) -> None:
    """MUST: a certificate that is no CA's certifies nobody (RFC 5280 section 6.1.4 (k))."""
    office = certificate("office", Profile.SEAL, EAST)
    world.anchors_of_east = (office,)
    world.seal_certificate = make_certificate(
        Profile.SEAL,
        ca_signer=signer("office"),
        ca=office,
        subject_key=signer("seal").public_key,
        common_name="seal",
        organisation="seal",
        uscc=None,
        uri=None,
        not_before=DAY_0,
        not_after=DAY_0 + 1000 * DAY,
    )
    report = ask(world, sd_jwt(shown=world.seal_certificate))
    assert_indeterminate(report, "path_not_allowed", SubIndication.CHAIN_CONSTRAINTS_FAILURE)


def test_a_listed_certificate_that_cannot_be_read_makes_its_signer_unknown(world: SmallWorld) -> None:
    from dataclasses import replace

    world.seal_certificate = replace(world.seal_certificate, der=b"not a certificate")
    report = ask(world, sd_jwt(), policy=Policy())
    assert_indeterminate(report, "signer_not_listed", SubIndication.NO_CERTIFICATE_CHAIN_FOUND)


def test_key_compromise(world: SmallWorld) -> None:
    world.seal_history = withdrawn(SEALED + DAY, EntryReason.KEY_COMPROMISE)
    assert_indeterminate(ask(world, sd_jwt()), "key_compromised", SubIndication.REVOKED_NO_POE)


def test_foreign_credential_of_another_type_is_judged_as_far_as_an_anchor_goes(world: SmallWorld) -> None:
    from base64 import b64encode

    from keys.envelopes.sd_jwt import issue_sd_jwt

    shown = certificate("stranger", Profile.SEAL, "elsewhere")
    header = {"typ": "dc+sd-jwt", "x5c": [b64encode(shown.der).decode()]}
    text = issue_sd_jwt({"vct": "https://elsewhere.example/id"}, frozenset(), signer=signer("stranger"), header=header)
    report = ask(world, text, policy=Policy(anchors=(authority("elsewhere"),)))
    assert_passed(report)
    assert report.attestation is None
    codes = {finding.code for finding in report.findings}
    assert {"format_foreign", "status_not_referenced", "validity_not_stated", "time_not_stated"} <= codes
    nowhere = ask(world, text, policy=Policy(), trust=None)
    assert found(nowhere, Check.FRESHNESS).code == "freshness_not_needed"


# --- holder binding


def test_bound_to_this_counter(world: SmallWorld) -> None:
    report = ask(world, presented(), policy=bound_to())
    assert_passed(report)
    assert found(report, Check.HOLDER_BINDING).code == "bound"


@pytest.mark.parametrize(
    ("text", "code", "sub_indication"),
    [
        (lambda: presented(nonce="old"), "binding_replayed", SubIndication.SIG_CONSTRAINTS_FAILURE),
        (lambda: presented(audience="https://x"), "binding_replayed", SubIndication.SIG_CONSTRAINTS_FAILURE),
        (lambda: presented(by="thief"), "binding_false", SubIndication.SIG_CRYPTO_FAILURE),
        (lambda: presented(at=NOW - DAY), "binding_old", SubIndication.EXPIRED),
        (sd_jwt, "binding_missing", SubIndication.SIG_CONSTRAINTS_FAILURE),
    ],
    ids=["replayed nonce", "other audience", "thief's key", "too old", "stripped"],
)
def test_presentations_that_are_not_for_here(
    world: SmallWorld, text: object, code: str, sub_indication: SubIndication
) -> None:
    assert_failed(ask(world, text(), policy=bound_to()), code, sub_indication)  # type: ignore[operator]


def test_binding_moved_to_another_selection_of_claims(world: SmallWorld) -> None:
    made = attestation(holder_key=signer("holder").public_key.jwk())
    binding = presented().rpartition("~")[2]
    report = ask(world, sd_jwt(made) + binding, policy=bound_to())
    assert_failed(report, "binding_false", SubIndication.HASH_FAILURE)


def test_a_binding_nobody_asked_for_is_told_apart(world: SmallWorld) -> None:
    report = ask(world, presented(), policy=Policy())
    assert_passed(report)
    assert found(report, Check.HOLDER_BINDING).code == "bound_elsewhere"


def test_a_holders_credential_without_the_holders_signature_is_not_a_presentation(world: SmallWorld) -> None:
    """RFC 7800: `cnf` says whose it is; a copy of it is in anybody's hands."""
    with_key = ask(world, sd_jwt(attestation(holder_key=signer("holder").public_key.jwk())), policy=Policy())
    assert_passed(with_key)
    finding = found(with_key, Check.HOLDER_BINDING)
    assert (finding.code, finding.outcome) == ("binding_not_shown", Outcome.NOT_APPLICABLE)
    assert "identity document" in messages.next_step(with_key, "en")
    assert found(ask(world, sd_jwt(attestation()), policy=Policy()), Check.HOLDER_BINDING).code == "not_bound"


def test_a_false_binding_fails_even_if_nobody_asked(world: SmallWorld) -> None:
    report = ask(world, presented(by="thief"), policy=Policy())
    assert_failed(report, "binding_false", SubIndication.SIG_CRYPTO_FAILURE)


@pytest.mark.parametrize("payload", [b"not json", b"[]"])
def test_a_binding_that_says_nothing(world: SmallWorld, payload: bytes) -> None:
    from dataclasses import replace

    evidence = parse(presented())
    assert isinstance(evidence, Credential)
    assert evidence.sd_jwt.key_binding is not None
    broken = replace(evidence.sd_jwt, key_binding=replace(evidence.sd_jwt.key_binding, payload=payload))
    report = ask(world, replace(evidence, sd_jwt=broken), policy=Policy())
    assert_failed(report, "binding_false", SubIndication.FORMAT_FAILURE)


def test_the_same_facts_give_the_same_findings_on_paper_and_on_line(world: SmallWorld) -> None:
    from tests.verifier.small_world import qr

    for changes in ({}, {"valid_until": NOW}, {"valid_from": NOW + timedelta(days=1)}):
        on_paper = ask(world, qr(attestation(**changes)), policy=Policy(WEST))
        on_line = ask(world, sd_jwt(attestation(**changes)), policy=Policy(WEST))
        assert on_paper.findings == on_line.findings
