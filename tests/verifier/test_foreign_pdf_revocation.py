"""Revocation of signers outside the regions' lists: what must be known, what is known, what a proof of time saves.

Spec: EN 319 102-1 clauses 5.2.5, 5.2.6 and 5.5.4; RFC 5280; RFC 6960; RFC 3161 section 4.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from keys.certificate_profiles import RevocationUrls
from keys.envelopes.pades import ValidationData
from keys.revocation import CertificateState, Reason, Revoked, make_crl, make_ocsp_response
from keys.revocation.making import Answer, make_cert_id
from keys.x509 import Certificate, Profile, make_certificate, parse_certificate
from tests.verifier.asking import ask, assert_failed, assert_indeterminate, assert_passed
from tests.verifier.small_world import (
    DAY,
    DAY_0,
    EAST,
    NOW,
    SEALED,
    SmallWorld,
    authority,
    certificate,
    sd_jwt,
    signer,
    withdrawn,
)
from tests.verifier.test_foreign_pdf import ANCHORED, STRANGER, TSA, foreign, reading
from tests.verifier.test_pdf import sealed, signature, stamped
from trust_registry.model import EntryReason
from verifier.model import Policy, ProofOfExistence, ProofSource, RevocationRule, SubIndication


@cache
def publishing(name: str, since: datetime = DAY_0, until: datetime = DAY_0 + 1000 * DAY) -> Certificate:
    """A stranger's certificate that says where its revocation is told."""
    return make_certificate(
        Profile.SEAL,
        ca_signer=signer("ca elsewhere"),
        ca=authority("elsewhere"),
        subject_key=signer(name).public_key,
        common_name=name,
        organisation=f"Organisation {name}",
        uscc=None,
        uri=None,
        not_before=since,
        not_after=until,
        revocation=RevocationUrls(crl="http://elsewhere.example/crl", ocsp="http://elsewhere.example/ocsp"),
    )


def crl(*revoked: Revoked, at: datetime = NOW, until: datetime = NOW + DAY, ca: str = "elsewhere") -> bytes:
    return make_crl(signer(f"ca {ca}"), authority(ca), revoked, number=1, this_update=at, next_update=until)


def revoked(at: datetime, reason: Reason = Reason.KEY_COMPROMISE, whose: Certificate = STRANGER) -> Revoked:
    return Revoked(whose.serial, at, reason)


# --- by an anchor: what must be known of revocation


def test_nothing_is_missed_where_nothing_is_published(world: SmallWorld) -> None:
    assert_passed(ask(world, foreign(), trust=None, policy=ANCHORED))


@pytest.mark.parametrize(
    ("certificate", "rule", "missed"),
    [
        (STRANGER, RevocationRule.REQUIRED, True),
        (STRANGER, RevocationRule.WHERE_PUBLISHED, False),
        (STRANGER, RevocationRule.IF_AT_HAND, False),
        (publishing("stranger"), RevocationRule.REQUIRED, True),
        (publishing("stranger"), RevocationRule.WHERE_PUBLISHED, True),
        (publishing("stranger"), RevocationRule.IF_AT_HAND, False),
    ],
)
def test_what_is_missed(world: SmallWorld, certificate: Certificate, rule: RevocationRule, missed: bool) -> None:
    report = ask(world, foreign(certificate), trust=None, policy=replace(ANCHORED, revocation_rule=rule))
    if missed:
        assert_indeterminate(report, "revocation_not_checked", SubIndication.TRY_LATER)
    else:
        assert_passed(report)


@pytest.mark.parametrize("where", ["policy", "document"])
def test_a_fresh_list_says_that_it_stands(world: SmallWorld, where: str) -> None:
    file, policy = foreign(publishing("stranger")), ANCHORED
    if where == "policy":
        policy = replace(policy, revocation=(b"rubbish", crl()))
    else:
        file = replace(file, pdf=replace(file.pdf, validation_data=ValidationData(crls=(crl(),))))
    assert_passed(ask(world, file, trust=None, policy=policy))


def test_a_forged_list_says_nothing(world: SmallWorld) -> None:
    policy = replace(ANCHORED, revocation=(crl(ca="nowhere"),))
    report = ask(world, foreign(publishing("stranger")), trust=None, policy=policy)
    assert_indeterminate(report, "revocation_not_checked", SubIndication.TRY_LATER)


def test_an_old_list_does_not_say_that_it_still_stands(world: SmallWorld) -> None:
    policy = replace(ANCHORED, revocation=(crl(at=SEALED, until=SEALED + DAY),))
    report = ask(world, foreign(publishing("stranger")), trust=None, policy=policy)
    assert_indeterminate(report, "revocation_too_old", SubIndication.TRY_LATER)


def test_an_old_list_suffices_for_what_is_proven_to_be_as_old(world: SmallWorld) -> None:
    """B-LT: the data of then, for the time that the time-stamp proves (EN 319 102-1 clause 5.6)."""
    file = foreign(publishing("stranger"), timestamp=stamped(shown=TSA), timestamp_ok=True)
    data = ValidationData((authority("elsewhere"),), crls=(crl(at=SEALED, until=SEALED + DAY),))
    file = replace(file, pdf=replace(file.pdf, validation_data=data))
    assert_passed(ask(world, file, trust=None, policy=ANCHORED))


def test_who_says_that_it_stands_has_ended(world: SmallWorld) -> None:
    """MUST: a list by an authority that has expired since proves nothing new (REVOCATION_OUT_OF_BOUNDS_NO_POE)."""
    short = authority("shortlived", SEALED + 2 * DAY)
    leaf = make_certificate(
        Profile.SEAL,
        ca_signer=signer("ca shortlived"),
        ca=short,
        subject_key=signer("stranger").public_key,
        common_name="stranger",
        organisation="Organisation",
        uscc=None,
        uri=None,
        not_before=DAY_0,
        not_after=DAY_0 + 1000 * DAY,
        revocation=RevocationUrls(crl="http://elsewhere.example/crl", ocsp=None),
    )
    said = make_crl(signer("ca shortlived"), short, (), number=1, this_update=SEALED, next_update=NOW + DAY)
    policy = Policy(anchors=(short,), revocation=(said,))
    report = ask(world, foreign(leaf), trust=None, policy=policy)
    assert_indeterminate(report, "revocation_source_expired", SubIndication.REVOCATION_OUT_OF_BOUNDS_NO_POE)
    proof = ProofOfExistence("sha256:" + "0" * 64, SEALED + DAY, ProofSource.LOG)
    assert_passed(ask(world, foreign(leaf), trust=None, policy=replace(policy, proofs=(proof,))))


# --- revoked


def test_revoked_before_it_signed(world: SmallWorld) -> None:
    policy = replace(ANCHORED, revocation=(crl(revoked(SEALED - DAY)),))
    report = ask(world, foreign(), trust=None, policy=policy)
    assert_failed(report, "certificate_revoked", SubIndication.REVOKED)


def test_revoked_since_and_nothing_proves_when_it_signed(world: SmallWorld) -> None:
    policy = replace(ANCHORED, revocation=(crl(revoked(SEALED + DAY)),))
    report = ask(world, foreign(), trust=None, policy=policy)
    assert_indeterminate(report, "certificate_revoked_no_proof", SubIndication.REVOKED_NO_POE)
    report = ask(world, foreign(claimed_at=None), trust=None, policy=policy)
    assert_indeterminate(report, "certificate_revoked_no_proof", SubIndication.REVOKED_NO_POE)


def test_revoked_since_and_proven_to_be_older(world: SmallWorld) -> None:
    policy = replace(ANCHORED, revocation=(crl(revoked(SEALED + DAY)),))
    file = foreign(timestamp=stamped(shown=TSA), timestamp_ok=True)
    assert_passed(ask(world, file, trust=None, policy=policy))


def test_on_hold(world: SmallWorld) -> None:
    policy = replace(ANCHORED, revocation=(crl(revoked(SEALED + DAY, Reason.CERTIFICATE_HOLD)),))
    report = ask(world, foreign(), trust=None, policy=policy)
    assert_indeterminate(report, "certificate_on_hold", SubIndication.TRY_LATER)
    file = foreign(timestamp=stamped(shown=TSA), timestamp_ok=True)
    assert_passed(ask(world, file, trust=None, policy=policy))


def test_a_regions_own_authority_revokes_a_listed_seal(world: SmallWorld) -> None:
    """The list is the authority; a genuine revocation by the region's own CA counts against the seal beside it."""
    seal = certificate("seal", Profile.SEAL, EAST)
    policy = Policy(revocation=(crl(revoked(SEALED - DAY, whose=seal), ca=EAST),))
    report = ask(world, sealed(signature()), policy=policy)
    assert_failed(report, "certificate_revoked", SubIndication.REVOKED)
    assert_passed(ask(world, sealed(signature()), policy=Policy(revocation=(crl(ca=EAST),))))
    assert_passed(ask(world, sealed(signature()), policy=Policy(revocation=(crl(at=SEALED, until=SEALED, ca=EAST),))))


@pytest.mark.parametrize(
    ("reason", "since", "proven"),
    [
        (Reason.KEY_COMPROMISE, SEALED + DAY, False),
        (Reason.SUPERSEDED, SEALED + DAY, True),
        (Reason.CESSATION_OF_OPERATION, SEALED - DAY, False),
    ],
)
def test_a_revoked_time_stamper(world: SmallWorld, reason: Reason, since: datetime, proven: bool) -> None:
    """RFC 3161 section 4 (1): superseded is not stolen; what was stamped before is still good."""
    policy = replace(ANCHORED, revocation=(crl(revoked(since, reason, TSA)),))
    file = foreign(timestamp=stamped(shown=TSA), timestamp_ok=True)
    assert ask(world, file, trust=None, policy=policy).signed_at_proven is proven
    proof = ProofOfExistence(file.digest, SEALED + DAY / 2, ProofSource.LOG)
    report = ask(world, file, trust=None, policy=replace(policy, proofs=(proof,)))
    assert report.signed_at == (SEALED if since > SEALED else SEALED + DAY / 2)


def test_a_time_stamper_whose_revocation_must_be_known(world: SmallWorld) -> None:
    policy = replace(ANCHORED, revocation_rule=RevocationRule.REQUIRED)
    file = foreign(timestamp=stamped(shown=TSA), timestamp_ok=True)
    assert not ask(world, file, trust=None, policy=policy).signed_at_proven
    assert ask(world, file, trust=None, policy=replace(policy, revocation=(crl(),))).signed_at_proven


def test_expired_says_more_than_that_revocation_is_not_known(world: SmallWorld) -> None:
    ended = publishing("stranger", until=SEALED + DAY)
    report = ask(world, foreign(ended), trust=None, policy=ANCHORED)
    assert_indeterminate(report, "seal_expired_since", SubIndication.OUT_OF_BOUNDS_NO_POE)


def test_an_sd_jwt_vc_by_a_revoked_signer(world: SmallWorld) -> None:
    policy = replace(ANCHORED, revocation=(crl(revoked(SEALED - DAY)),))
    report = ask(world, sd_jwt(by="stranger", shown=STRANGER), policy=policy)
    assert_failed(report, "certificate_revoked", SubIndication.REVOKED)


def test_stolen_keys_of_listed_seals_are_not_excused_by_lists_of_others(world: SmallWorld) -> None:
    world.seal_history = withdrawn(SEALED + DAY, EntryReason.KEY_COMPROMISE)
    report = ask(world, sealed(signature(timestamp=None, timestamp_ok=False)), trust=reading(world))
    assert_indeterminate(report, "key_compromised", SubIndication.REVOKED_NO_POE)


# --- an authority between


@cache
def chained(until: datetime = DAY_0 + 1000 * DAY) -> tuple[Certificate, Certificate, Certificate, bytes]:
    """A root, an authority under it until `until`, a signer under that; and a list that revokes the authority."""
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in ("root", "between", "below")]
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in names]
    made = []
    for place, issuer, end in ((0, 0, DAY_0 + 2000 * DAY), (1, 0, until), (2, 1, DAY_0 + 1000 * DAY)):
        constraints = x509.BasicConstraints(ca=place < 2, path_length=None)
        builder = x509.CertificateBuilder(
            names[issuer], names[place], keys[place].public_key(), place + 1, DAY_0 - DAY, end
        ).add_extension(constraints, critical=True)
        made.append(parse_certificate(builder.sign(keys[issuer], hashes.SHA256()).public_bytes(Encoding.DER)))
    entry = x509.RevokedCertificateBuilder(2, SEALED - DAY).build()
    told = x509.CertificateRevocationListBuilder(names[0], NOW, NOW + DAY, [], [entry]).sign(keys[0], hashes.SHA256())
    root, middle, leaf = made
    return root, middle, leaf, told.public_bytes(Encoding.DER)


def test_an_authority_between_that_was_revoked(world: SmallWorld) -> None:
    root, middle, leaf, told = chained()
    file, policy = foreign(leaf, intermediates=(middle,)), Policy(anchors=(root,))
    assert_passed(ask(world, file, trust=None, policy=policy))
    policy = replace(policy, revocation=(told,))
    report = ask(world, file, trust=None, policy=policy)
    assert_indeterminate(report, "issuer_certificate_revoked", SubIndication.REVOKED_CA_NO_POE)


def test_an_authority_between_that_has_ended_since(world: SmallWorld) -> None:
    root, middle, leaf, _ = chained(until=SEALED + DAY)
    report = ask(world, foreign(leaf, intermediates=(middle,)), trust=None, policy=Policy(anchors=(root,)))
    assert_indeterminate(report, "seal_expired_since", SubIndication.OUT_OF_BOUNDS_NO_POE)


def test_the_authority_does_not_know_the_certificate(world: SmallWorld) -> None:
    answer = make_ocsp_response(
        signer("ca elsewhere"),
        authority("elsewhere"),
        [Answer(make_cert_id(STRANGER, authority("elsewhere")), CertificateState.UNKNOWN)],
        produced_at=NOW,
        next_update=NOW + DAY,
    )
    policy = replace(ANCHORED, revocation=(answer,), revocation_rule=RevocationRule.REQUIRED)
    report = ask(world, foreign(), trust=None, policy=policy)
    assert_indeterminate(report, "revocation_not_known", SubIndication.TRY_LATER)
