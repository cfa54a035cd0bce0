"""Health certificates of other networks: every way in which one is not accepted, and what the clerk is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from keys.x509 import make_region_ca
from tests.keys.test_health_certificates import CLAIMS, KID, SIGNER, code
from tests.trust_registry.network import view_of, west_list
from trust_registry.core import judge_recognition
from trust_registry.core.foreign import foreign_entry
from trust_registry.foreign_copy import with_foreign
from trust_registry.interchange.dcc import KIND_URN
from trust_registry.model import (
    DCC_SIGNER,
    LISTED,
    Assurance,
    EntryReason,
    EntryStatus,
    ForeignFormat,
    ForeignList,
    ForeignListEntry,
    ForeignService,
    Names,
    RecognitionEntry,
    RegionCode,
    Scenario,
    ScenarioId,
    ServiceEquivalence,
    ServiceIdentity,
    ServicePeriod,
    StatusChange,
    StatusView,
    TrustView,
    TypeId,
    TypeRequirement,
)
from verifier import messages
from verifier.core import judge
from verifier.evidence import parse
from verifier.model import Check, EvidenceKind, Indication, Policy, Report, SubIndication
from verifier.wire import report_to_json

WEST = RegionCode("990200")
CODE = RegionCode("EU-DCC")
VACCINATION = TypeId("990200/vaccination")
ISSUED = datetime.fromtimestamp(CLAIMS[6], UTC)
NOW = ISSUED + timedelta(days=1)
NAMES = Names("名", "Name")
HISTORY = (StatusChange(EntryStatus.GRANTED, ISSUED - timedelta(days=900), EntryReason.INITIAL),)
CERTIFICATE = make_region_ca(
    SIGNER,
    common_name="DSC",
    organisation="Health",
    region="AT",
    not_before=ISSUED - timedelta(days=100),
    not_after=ISSUED + timedelta(days=100),
)
SERVICE = ForeignService(
    NAMES,
    Names("奥地利 DSC", "AT DSC"),
    ServiceIdentity(certificates=(CERTIFICATE.der,), key_ids=(KID,)),
    (ServicePeriod(CERTIFICATE.not_before, LISTED, DCC_SIGNER, tuple(KIND_URN + kind for kind in "vtr")),),
    "AT",
)
ENTRY = ForeignListEntry(
    CODE,
    NAMES,
    ForeignFormat.DCC,
    "https://gateway.example/list",
    (b"",),
    (ServiceEquivalence(DCC_SIGNER, VACCINATION, Assurance.SUBSTANTIAL, (KIND_URN + "v",)),),
    HISTORY,
)
RECOGNITION = RecognitionEntry(
    "R1", CODE, VACCINATION, VACCINATION, (), HISTORY[0].at, None, HISTORY[0].at, NAMES, HISTORY
)
LIST = ForeignList(CODE, ForeignFormat.DCC, None, None, NAMES, 7, ISSUED, None, (SERVICE,), (), (), "00", "00", NOW)


def world(*services: ForeignService, recognition: RecognitionEntry = RECOGNITION, **changes: Any) -> TrustView:
    west = replace(west_list(), foreign=(ENTRY,), recognises=(recognition,))
    listed = replace(LIST, services=services or (SERVICE,), **changes)
    return with_foreign(view_of(west, refreshed_at=NOW), {(WEST, CODE): listed})


def ask(text: str | None = None, trust: TrustView | None = None, at: datetime = NOW, **policy: Any) -> Report:
    rules = Policy(**{"accepting": WEST, **policy})
    return judge(parse(text or code()), trust or world(), StatusView({}), rules, at)


def told(report: Report) -> tuple[Indication, str]:
    """The indication and the decisive code; every finding can be worded."""
    for finding in report.findings:
        for language in ("zh", "en"):
            assert "{" not in messages.sentence(finding, language)
            assert "{" not in messages.finding_next_step(finding, language)
    return report.indication, report.decisive.code if report.decisive else ""


FAILED, CANNOT_TELL, PASSED = Indication.FAILED, Indication.INDETERMINATE, Indication.PASSED


def test_listed_mapped_and_recognised_passes() -> None:
    report = ask()
    assert told(report) == (PASSED, "")
    assert (report.kind, report.signed_at, report.attestation) == (EvidenceKind.HEALTH, ISSUED, None)
    assert messages.summary(report, "en").startswith("Xichuan recognises this type from Name (R1")
    (recognised,) = (finding for finding in report.findings if finding.check is Check.RECOGNITION)
    assert [link.entry for link in recognised.facts["chain"]] == [
        "foreign/EU-DCC/990200/vaccination",
        "services/AT DSC",
        "recognises/R1",
    ]
    assert report_to_json(report)["evidence"]["kind"] == "health_certificate"


def test_without_a_key_identifier_nobody_is_known() -> None:
    assert told(ask(code(protected={1: -7}))) == (CANNOT_TELL, "signer_unknown")


def test_key_identifier_of_another_key_is_a_false_signature() -> None:
    broken = replace(SERVICE, identity=replace(SERVICE.identity, certificates=(b"no certificate",)))
    other = make_region_ca(
        type(SIGNER).generate(SIGNER.algorithm),
        common_name="other",
        organisation="other",
        region="AT",
        not_before=CERTIFICATE.not_before,
        not_after=CERTIFICATE.not_after,
    )
    stranger = replace(SERVICE, identity=replace(SERVICE.identity, certificates=(other.der,)))
    report = ask(trust=world(stranger))
    assert (*told(report), report.sub_indication) == (FAILED, "signature_wrong", SubIndication.SIG_CRYPTO_FAILURE)
    assert told(ask(trust=world(broken))) == (CANNOT_TELL, "signer_unknown")
    assert told(ask(trust=world(stranger, broken, SERVICE))) == (PASSED, "")  # HCERT 3.3.3: all are tried


def test_of_two_entries_over_the_key_the_one_that_serves_counts() -> None:
    elsewhere = replace(SERVICE, territory="DE", names=Names("德国", "DE"))
    for services in ((elsewhere, SERVICE), (SERVICE, elsewhere)):
        assert told(ask(trust=world(*services))) == (PASSED, "")


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({6: CLAIMS[6] + 101 * 86400}, (FAILED, "sealed_after_expiry")),
        ({6: CLAIMS[6] - 101 * 86400}, (FAILED, "sealed_before_start")),
        ({6: CLAIMS[6] + 2 * 86400}, (FAILED, "sealed_in_future")),
        ({4: CLAIMS[6]}, (FAILED, "expired")),
        ({4: None}, (CANNOT_TELL, "health_validity_missing")),
        ({1: "DE"}, (CANNOT_TELL, "health_country_differs")),
        ({1: "at"}, (PASSED, "")),
        ({1: "DSC (HSE) f554b99c"}, (PASSED, "")),  # no country: whose key it is, the list says
        ({1: None, 6: None}, (PASSED, "")),
        ({-260: {1: {"t": [{}]}}}, (CANNOT_TELL, "health_not_mapped")),
        ({-260: {1: {"t": [{}], "v": [{}]}}}, (FAILED, "health_ambiguous")),
    ],
)
def test_what_the_code_says_of_itself(claims: dict[Any, Any], expected: tuple[Indication, str]) -> None:
    stated = {name: value for name, value in {**CLAIMS, **claims}.items() if value is not None}
    assert told(ask(code(stated))) == expected


def test_greece_may_be_named_as_the_union_abbreviates_it() -> None:
    greece = replace(SERVICE, territory="EL")
    for named in ("GR", "EL"):
        assert told(ask(code({**CLAIMS, 1: named}), trust=world(greece))) == (PASSED, "")


def test_signer_that_is_not_granted_or_not_for_this_kind() -> None:
    period = SERVICE.history[0]
    withdrawn = replace(SERVICE, history=(replace(period, status_uri="urn:unknown"),))
    assert told(ask(trust=world(withdrawn))) == (FAILED, "health_not_granted")
    tests_only = replace(SERVICE, history=(replace(period, additional=(KIND_URN + "t",)),))
    assert told(ask(trust=world(tests_only))) == (FAILED, "health_kind_not_allowed")


def test_recognition_that_wants_more_assurance_or_has_ended() -> None:
    higher = replace(RECOGNITION, minimum_assurance=Assurance.HIGH)
    assert told(ask(trust=world(recognition=higher))) == (FAILED, "assurance_too_low")
    ended = replace(RECOGNITION, until=ISSUED)
    assert told(ask(trust=world(recognition=ended))) == (FAILED, "recognition_ended")
    elsewhere = replace(RECOGNITION, issuing=RegionCode("990100"))
    assert told(ask(trust=world(recognition=elsewhere))) == (FAILED, "not_recognised")


def test_assurance_is_that_of_who_signed_not_of_the_best_on_the_list() -> None:
    """The attack: a list with one signer at a high assurance, for the sake of all others."""
    high = replace(
        SERVICE,
        identity=ServiceIdentity(key_ids=(b"87654321",)),
        history=(replace(SERVICE.history[0], service_type="urn:high"),),
    )
    equivalences = (*ENTRY.equivalences, ServiceEquivalence("urn:high", VACCINATION, Assurance.HIGH))
    trust = world(SERVICE, high, recognition=replace(RECOGNITION, minimum_assurance=Assurance.HIGH))
    west = replace(trust.lists[WEST], foreign=(replace(ENTRY, equivalences=equivalences),))
    trust = with_foreign(view_of(west, refreshed_at=NOW), trust.foreign)
    assert judge_recognition(trust, CODE, VACCINATION, WEST, None, NOW).accepted
    assert told(ask(trust=trust)) == (FAILED, "assurance_too_low")


def test_scenario_that_needs_something_else() -> None:
    needs = (TypeRequirement((TypeId("990200/other"),), ()),)
    scenario = Scenario(ScenarioId("990200/entry"), NAMES, NAMES, needs)
    assert told(ask(scenario=scenario)) == (FAILED, "scenario_needs_another_type")


def test_no_accepting_region_is_no_acceptance() -> None:
    assert told(ask(accepting=None)) == (CANNOT_TELL, "health_not_asked")


def test_list_past_its_date_or_not_confirmed_for_long_is_too_old() -> None:
    week, second = timedelta(days=7), timedelta(seconds=1)
    for changes in ({"next_update": NOW - week - second}, {"fetched_at": NOW - week - second}):
        assert told(ask(trust=world(**changes))) == (CANNOT_TELL, "foreign_list_too_old")
    for changes in ({"next_update": NOW - week}, {"fetched_at": None}):
        assert told(ask(trust=world(**changes))) == (PASSED, "")


def test_only_lists_of_health_signers_and_only_the_accepting_regions_count() -> None:
    trust = world()
    for key, changes in (((RegionCode("990100"), CODE), {}), ((WEST, CODE), {"format": ForeignFormat.TS_119_602})):
        other = with_foreign(trust, {key: replace(trust.foreign[WEST, CODE], **changes)})
        assert told(ask(trust=other)) == (CANNOT_TELL, "signer_unknown")


def test_region_that_nobody_knows_reads_no_list() -> None:
    assert foreign_entry(world(), RegionCode("990900"), CODE) is None


def test_without_trust_data_it_cannot_tell() -> None:
    report = judge(parse(code()), None, StatusView({}), Policy(accepting=WEST), NOW)
    assert told(report) == (CANNOT_TELL, "no_trust_data")
