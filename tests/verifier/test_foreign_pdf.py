"""Documents of other networks: signers under a service of their trusted list, or under an anchor, and revocation.

Spec: ETSI TS 119 612 clause 5.5.4; TS 119 615; EN 319 102-1 clauses 5.2.5, 5.2.6 and 5.5.4.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from keys.envelopes.pades import PdfSignature, ValidationData
from keys.x509 import Certificate, Profile, make_region_ca
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
from verifier import messages
from verifier.model import Check, Policy, SealedPdf, SubIndication
from verifier.pages.signatures import who_signed

CODE = RegionCode("EU-EE")
NAMES = Names("爱沙尼亚信任名录", "Estonian trusted list")
SERVICE = Names("甲服务", "Service A")
CA_QC = "http://uri.etsi.org/TrstSvc/Svctype/CA/QC"
OTHER = "http://uri.etsi.org/TrstSvc/Svctype/CA/PKC"
QTST = "http://uri.etsi.org/TrstSvc/Svctype/TSA/QTST"
GRANTED = "http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/granted"
WITHDRAWN = "http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/withdrawn"
HIGH = Assurance.HIGH
STRANGER = certificate("stranger", Profile.SEAL, "elsewhere")
TSA = certificate("tsa", Profile.TIMESTAMP, "elsewhere")
ANCHORED = Policy(anchors=(authority("elsewhere"),))


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
    minimum: Assurance = Assurance.LOW,
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
        entries = (*entries, replace(entries[0], id="R9", issuing=CODE, minimum_assurance=minimum))
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
    mapped = (ServiceEquivalence(CA_QC, MARRIAGE, HIGH, ()),)
    report = ask(world, foreign(), trust=reading(world, equivalences=mapped, recognises=True))
    assert_passed(report)
    assert found(report, Check.RECOGNITION).facts["entry"] == "R9"
    report = ask(world, foreign(), trust=reading(world, equivalences=mapped))
    assert_failed(report, "not_recognised", SubIndication.SIG_CONSTRAINTS_FAILURE)


def test_a_better_service_on_the_list_lends_its_assurance_to_nobody(world: SmallWorld) -> None:
    """MUST: the service that vouches for this signer has to reach the assurance that is asked for."""
    mapped = (ServiceEquivalence(CA_QC, MARRIAGE, Assurance.LOW, ()), ServiceEquivalence(OTHER, MARRIAGE, HIGH, ()))
    better = service(form=OTHER, certificate=authority("beyond"))
    trust = reading(world, service(), better, equivalences=mapped, recognises=True, minimum=HIGH)
    assert_failed(ask(world, foreign(), trust=trust), "assurance_too_low", SubIndication.SIG_CONSTRAINTS_FAILURE)


def test_what_a_service_is_not_mapped_to_cannot_be_told(world: SmallWorld) -> None:
    elsewhere = (ServiceEquivalence(QTST, MARRIAGE, HIGH, ()),)
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


@pytest.mark.parametrize("purposes", [(1,), (1, 2), (8,), (9,)])
def test_a_server_a_responder_or_a_time_stamper_signs_no_documents(
    world: SmallWorld, purposes: tuple[int, ...]
) -> None:
    """The attack: an authority also certifies web servers, and one of them signs a document."""
    other = frozenset(f"1.3.6.1.5.5.7.3.{number}" for number in purposes)
    report = ask(world, foreign(replace(STRANGER, extended_key_usage=other)), policy=ANCHORED)
    assert_indeterminate(report, "path_not_allowed", SubIndication.CHAIN_CONSTRAINTS_FAILURE)
    mixed = replace(STRANGER, extended_key_usage=other | {"1.3.6.1.5.5.7.3.36"})
    assert_passed(ask(world, foreign(mixed), policy=ANCHORED))


def test_a_strangers_name_moves_no_cursor_and_turns_no_line(world: SmallWorld) -> None:
    """The attack: a certificate made out to an escape sequence that writes another verdict onto the terminal."""
    spoof = replace(STRANGER, organisation="x\x1b[2K\r\n\u2714 ACCEPT \u202e" + "y" * 500)
    report = ask(world, foreign(spoof))
    (finding,) = (each for each in report.findings if each.code == "signer_not_listed")
    told = messages.sentence(finding, "en") + messages.sentence(finding, "zh")
    assert not {"\x1b", "\r", "\n", "\u202e"} & set(told)
    assert len(told) < 600
    assert who_signed(spoof, None, "en").isprintable()
