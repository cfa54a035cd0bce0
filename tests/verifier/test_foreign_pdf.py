"""Documents of other networks: signers under a service of their trusted list, or under an anchor, and revocation.

Spec: ETSI TS 119 612 clause 5.5.4; TS 119 615; EN 319 102-1 clauses 5.2.5, 5.2.6 and 5.5.4.
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
from keys.envelopes.pades import PdfSignature, ValidationData
from keys.revocation import CertificateState, Reason, Revoked, make_crl, make_ocsp_response
from keys.revocation.making import Answer, make_cert_id
from keys.x509 import Certificate, Profile, make_certificate, make_region_ca, parse_certificate
from tests.verifier.asking import ask, assert_failed, assert_indeterminate, assert_passed, found
from tests.verifier.small_world import (
    DAY,
    DAY_0,
    EAST,
    MARRIAGE,
    NOW,
    SEALED,
    WEST,
    SmallWorld,
    authority,
    certificate,
    granted,
    rsa_certificate,
    sd_jwt,
    signer,
    withdrawn,
)
from tests.verifier.test_pdf import sealed, signature, stamped
from trust_registry.foreign_copy import with_foreign
from trust_registry.model import (
    Assurance,
    EntryReason,
    ForeignFormat,
    ForeignList,
    ForeignListEntry,
    ForeignService,
    Names,
    RegionCode,
    ServiceEquivalence,
    ServiceIdentity,
    ServicePeriod,
    TrustView,
)
from verifier.model import Check, Policy, ProofOfExistence, ProofSource, RevocationRule, SealedPdf, SubIndication

CODE = RegionCode("EU-EE")
NAMES = Names("爱沙尼亚信任名录", "Estonian trusted list")
SERVICE = Names("甲服务", "Service A")
CA_QC = "http://uri.etsi.org/TrstSvc/Svctype/CA/QC"
QTST = "http://uri.etsi.org/TrstSvc/Svctype/TSA/QTST"
GRANTED = "http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/granted"
WITHDRAWN = "http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/withdrawn"
STRANGER = certificate("stranger", Profile.SEAL, "elsewhere")
TSA = certificate("tsa", Profile.TIMESTAMP, "elsewhere")
ANCHORED = Policy(anchors=(authority("elsewhere"),))


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


def foreign(certificate: Certificate = STRANGER, **changes: object) -> SealedPdf:
    """A document without certificate data of this network."""
    made: dict[str, object] = {"certificate": certificate, "timestamp": None, "timestamp_ok": False, **changes}
    return sealed(signature(**made), content=None)


def service(
    *history: tuple[datetime, str], form: str = CA_QC, certificate: Certificate | None = None
) -> ForeignService:
    periods = tuple(ServicePeriod(since, status, form) for since, status in history or ((DAY_0, GRANTED),))
    made = certificate or authority("elsewhere")
    return ForeignService(NAMES, SERVICE, ServiceIdentity(certificates=(b"no certificate", made.der)), periods)


def reading(
    world: SmallWorld,
    *services: ForeignService,
    equivalences: tuple[ServiceEquivalence, ...] = (),
    recognises: bool = False,
    history: object = None,
    **changes: object,
) -> TrustView:
    """The west reads the list of another network."""
    listed_entry = ForeignListEntry(
        CODE,
        NAMES,
        ForeignFormat.TS_119_612,
        "https://elsewhere.example/list.xml",
        (b"",),
        equivalences,
        history or granted(),  # type: ignore[arg-type]
    )
    view = world.view()
    west = view.lists[WEST]
    entries = west.recognises
    if recognises:
        entries = (*entries, replace(entries[0], id="R9", issuing=CODE))
    lists = {**view.lists, WEST: replace(west, foreign=(listed_entry,), recognises=entries)}
    made = TrustView(lists, view.signatures, view.metadata_versions, view.refreshed_at, view.expires_at)
    facts: dict[str, object] = {"next_update": NOW + DAY, **changes}
    listed = ForeignList(
        CODE,
        ForeignFormat.TS_119_612,
        "EE",
        None,
        NAMES,
        42,
        DAY_0,
        services=services or (service(),),
        pointers=(),
        information_uris=(),
        digest="00",
        signed_by="00",
        fetched_at=NOW,
        **facts,  # type: ignore[arg-type]
    )
    return with_foreign(made, {(WEST, CODE): listed})


# --- by a trusted list of another network


def test_a_signer_under_a_granted_service(world: SmallWorld) -> None:
    report = ask(world, foreign(), trust=reading(world), policy=Policy())
    assert_passed(report)
    path = found(report, Check.CERTIFICATE_PATH)
    assert (path.code, path.facts["list"], path.facts["version"]) == ("path_foreign", CODE, 42)
    assert found(report, Check.ENTITLEMENT).code == "entitlement_not_listed"


def test_an_sd_jwt_vc_by_a_signer_under_a_granted_service(world: SmallWorld) -> None:
    """Its data is of this network, its signer is not: what the list grants is not ours."""
    text = sd_jwt(by="stranger", shown=STRANGER)
    report = ask(world, text, trust=reading(world))
    assert found(report, Check.CERTIFICATE_PATH).code == "path_foreign"
    assert found(report, Check.ENTITLEMENT).code == "entitlement_unknown"


def test_what_only_others_read_does_not_count_here(world: SmallWorld) -> None:
    """MUST: a list of another network counts only through the region that names it."""
    report = ask(world, foreign(), trust=reading(world), policy=Policy(EAST))
    assert_indeterminate(report, "signer_not_listed", SubIndication.NO_CERTIFICATE_CHAIN_FOUND)


def test_a_list_that_is_not_read_any_more(world: SmallWorld) -> None:
    trust = reading(world, history=withdrawn(NOW - DAY))
    report = ask(world, foreign(), trust=trust, policy=Policy())
    assert_indeterminate(report, "signer_not_listed", SubIndication.NO_CERTIFICATE_CHAIN_FOUND)


def test_a_list_that_no_entry_names(world: SmallWorld) -> None:
    trust = reading(world)
    other = with_foreign(trust, {(EAST, CODE): trust.foreign[WEST, CODE]})
    report = ask(world, foreign(), trust=other, policy=Policy())
    assert_indeterminate(report, "signer_not_listed", SubIndication.NO_CERTIFICATE_CHAIN_FOUND)


def test_a_list_of_health_signers_vouches_for_no_document(world: SmallWorld) -> None:
    trust = reading(world)
    health = with_foreign(trust, {(WEST, CODE): replace(trust.foreign[WEST, CODE], format=ForeignFormat.DCC)})
    report = ask(world, foreign(), trust=health, policy=Policy())
    assert_indeterminate(report, "signer_not_listed", SubIndication.NO_CERTIFICATE_CHAIN_FOUND)


@pytest.mark.parametrize(
    "services",
    [
        (service((DAY_0, GRANTED), (SEALED - DAY, WITHDRAWN)),),
        (service((SEALED + DAY, GRANTED)),),
        (service(), service((DAY_0, WITHDRAWN))),
    ],
    ids=["withdrawn before", "granted later", "listed twice"],
)
def test_a_service_that_was_not_granted_at_signing_time(
    world: SmallWorld, services: tuple[ForeignService, ...]
) -> None:
    report = ask(world, foreign(), trust=reading(world, *services), policy=Policy())
    assert_failed(report, "foreign_service_not_granted", SubIndication.CHAIN_CONSTRAINTS_FAILURE)


def test_a_service_withdrawn_since_leaves_what_it_vouched_for(world: SmallWorld) -> None:
    trust = reading(world, service((DAY_0, GRANTED), (SEALED + DAY, WITHDRAWN)))
    assert_passed(ask(world, foreign(), trust=trust, policy=Policy()))


def test_a_time_stamping_service_vouches_for_no_signer(world: SmallWorld) -> None:
    report = ask(world, foreign(), trust=reading(world, service(form=QTST)), policy=Policy())
    assert_indeterminate(report, "signer_not_listed", SubIndication.NO_CERTIFICATE_CHAIN_FOUND)


def test_a_signer_that_is_listed_itself(world: SmallWorld) -> None:
    own = reading(world, service(certificate=STRANGER, form="http://uri.etsi.org/19602/SvcType/PID/Issuance"))
    assert_passed(ask(world, foreign(), trust=own, policy=Policy()))


def test_a_self_signed_signer_that_nobody_lists_is_never_trusted(world: SmallWorld) -> None:
    """MUST: who vouches for themselves vouches for nothing."""
    report = ask(world, foreign(rsa_certificate()), trust=reading(world), policy=ANCHORED)
    assert_indeterminate(report, "signer_not_listed", SubIndication.NO_CERTIFICATE_CHAIN_FOUND)


def test_an_authority_may_not_sign_documents(world: SmallWorld) -> None:
    report = ask(world, foreign(authority("elsewhere")), trust=reading(world), policy=Policy())
    assert_indeterminate(report, "path_not_allowed", SubIndication.CHAIN_CONSTRAINTS_FAILURE)


def test_signed_after_the_certificate_had_ended(world: SmallWorld) -> None:
    ended = certificate("stranger", Profile.SEAL, "elsewhere", until=SEALED - DAY)
    report = ask(world, foreign(ended), trust=reading(world), policy=Policy())
    assert_failed(report, "sealed_after_expiry", SubIndication.EXPIRED)
    anchor_wins = ask(world, foreign(ended), trust=None, policy=ANCHORED)
    assert_failed(anchor_wins, "sealed_after_expiry", SubIndication.EXPIRED)
    report = ask(world, foreign(ended), trust=world.view(), policy=ANCHORED)
    assert_failed(report, "sealed_after_expiry", SubIndication.EXPIRED)


def test_a_foreign_list_past_its_date(world: SmallWorld) -> None:
    trust = reading(world, next_update=NOW - 8 * DAY)
    assert_indeterminate(
        ask(world, foreign(), trust=trust, policy=Policy()), "foreign_list_too_old", SubIndication.TRY_LATER
    )


def test_what_a_service_is_mapped_to_is_recognised(world: SmallWorld) -> None:
    mapped = (ServiceEquivalence(CA_QC, MARRIAGE, Assurance.HIGH, ()),)
    report = ask(world, foreign(), trust=reading(world, equivalences=mapped, recognises=True))
    assert_passed(report)
    assert found(report, Check.RECOGNITION).facts["entry"] == "R9"
    report = ask(world, foreign(), trust=reading(world, equivalences=mapped))
    assert_failed(report, "not_recognised", SubIndication.SIG_CONSTRAINTS_FAILURE)


def test_what_a_service_is_not_mapped_to_cannot_be_told(world: SmallWorld) -> None:
    elsewhere = (ServiceEquivalence(QTST, MARRIAGE, Assurance.HIGH, ()),)
    for equivalences in ((), elsewhere):
        report = ask(world, foreign(), trust=reading(world, equivalences=equivalences, recognises=True))
        assert_indeterminate(report, "recognition_unknown", SubIndication.TRY_LATER)


def test_certificates_between_come_from_the_store_of_the_document(world: SmallWorld) -> None:
    file = foreign()
    file = replace(file, pdf=replace(file.pdf, validation_data=ValidationData((authority("elsewhere"),))))
    assert_passed(ask(world, file, trust=reading(world), policy=Policy()))


# --- their time-stampers


def stamped_by_them() -> PdfSignature:
    return signature(certificate=STRANGER, timestamp=stamped(shown=TSA))


def test_a_time_stamping_service_of_a_foreign_list_counts(world: SmallWorld) -> None:
    services = (service(), service(form=QTST, certificate=TSA))
    file = sealed(stamped_by_them(), content=None)
    assert ask(world, file, trust=reading(world, *services)).signed_at_proven
    assert not ask(world, file, trust=reading(world), policy=Policy()).signed_at_proven
    refused = (service(), service((DAY_0, WITHDRAWN), form=QTST, certificate=TSA))
    assert not ask(world, file, trust=reading(world, *refused)).signed_at_proven


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


def test_an_authority_of_the_same_name_is_another(world: SmallWorld) -> None:
    namesake = make_region_ca(
        signer("ca namesake"),
        common_name="CA elsewhere",
        organisation="Authority of elsewhere",
        region="elsewhere",
        not_before=DAY_0,
        not_after=DAY_0 + 1000 * DAY,
    )
    report = ask(world, foreign(), trust=reading(world, service(certificate=namesake)), policy=Policy())
    assert_indeterminate(report, "signer_not_listed", SubIndication.NO_CERTIFICATE_CHAIN_FOUND)
