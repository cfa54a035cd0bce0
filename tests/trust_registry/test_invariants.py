"""What every list must hold by itself; each breach is refused naming its field."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from tests.trust_registry.network import (
    DAY,
    DAY_0,
    EAST,
    WEST,
    common_list,
    east_list,
    issuer_entry,
    key_entry,
    office,
    recognition,
    west_list,
    withdrawn,
)
from trust_registry.catalogue import MARRIAGE_CERTIFICATE
from trust_registry.core import check_list
from trust_registry.errors import InvalidList
from trust_registry.listed_certificates import check_certificates
from trust_registry.model import (
    Assurance,
    ClaimEquivalence,
    EntryReason,
    EntryStatus,
    ForeignFormat,
    ForeignListEntry,
    History,
    IssuerId,
    KeyUse,
    Names,
    RegionCode,
    RegionList,
    SealCeremony,
    ServiceEquivalence,
    StatusChange,
    TypeGrant,
    TypeId,
    TypeRequirement,
    ValidityKind,
    ValidityRule,
)

COMPROMISED = EntryReason.KEY_COMPROMISE
ISSUER = issuer_entry()
SEAL = ISSUER.seals[0]
TYPE = common_list().defines[0]
PARTY = west_list().relying_parties[0]


def east(**changes: object) -> RegionList:
    return replace(east_list(), attests=(replace(ISSUER, **changes),))  # type: ignore[arg-type]


def seal(**changes: object) -> RegionList:
    return east(seals=(replace(SEAL, **changes),))  # type: ignore[arg-type]


def west(**changes: object) -> RegionList:
    return replace(west_list(), recognises=(replace(recognition(), **changes),))  # type: ignore[arg-type]


def common(**changes: object) -> RegionList:
    return replace(common_list(), defines=(replace(TYPE, **changes),))  # type: ignore[arg-type]


def foreign(**changes: object) -> RegionList:
    names = Names("外", "Foreign")
    equivalence = ServiceEquivalence("urn:ca", MARRIAGE_CERTIFICATE, Assurance.HIGH)
    made = ForeignListEntry(
        RegionCode("EU-EE"),
        names,
        ForeignFormat.TS_119_612,
        "https://ee.test/list.xml",
        (office(WEST).ca.der,),
        (equivalence,),
        ISSUER.history,
    )
    return replace(west_list(), foreign=(replace(made, **changes),))  # type: ignore[arg-type]


def lost(reason: EntryReason = COMPROMISED, *, since: datetime = DAY_0, status: EntryStatus | None = None) -> History:
    """A history that ends with a key lost on day 2 and distrusted from `since`."""
    change = StatusChange(status or EntryStatus.WITHDRAWN, DAY_0 + 2 * DAY, reason, since)
    return (*ISSUER.history, change)


OWN = replace(TYPE, id=TypeId("990200/permit"))


def own_type(**changes: object) -> RegionList:
    """West defines a type, and recognises East's marriage certificates."""
    return replace(west(**changes), defines=(OWN,))


def scenario(*requires: TypeRequirement, **changes: object) -> RegionList:
    item = replace(west_list().scenarios[0], requires=requires, **changes)  # type: ignore[arg-type]
    return replace(west_list(), defines=(OWN,), scenarios=(item,))


@pytest.mark.parametrize("whole", [common_list(), east_list(), west_list()], ids=["common", "east", "west"])
def test_a_sound_list_passes(whole: RegionList) -> None:
    check_list(whole)
    check_certificates(whole)


def test_a_history_may_have_several_entries() -> None:
    check_list(east(history=withdrawn(ISSUER.history, DAY_0 + DAY)))


def test_a_time_stamping_certificate_is_no_ca() -> None:
    stamping = key_entry(KeyUse.TIMESTAMP, office(WEST).receipt)
    check_certificates(replace(east_list(), authorities=(*east_list().authorities, stamping)))


FIRST = "attests[0]"


@pytest.mark.parametrize(
    ("broken", "field"),
    [
        (replace(east_list(), code="no slash/here"), "code"),
        (replace(east_list(), version=0), "version"),
        (replace(common_list(), attests=(ISSUER,)), "attests"),
        (replace(common_list(), recognises=(recognition(),)), "recognises"),
        (replace(common_list(), scenarios=west_list().scenarios), "scenarios"),
        (replace(common_list(), relying_parties=(PARTY,)), "relying_parties"),
        # types
        (replace(common_list(), defines=(TYPE, TYPE)), "defines[1]"),
        (common(id=TypeId("elsewhere/household-register")), "defines[0].id"),
        (common(id=TypeId("common/Not A Slug")), "defines[0].id"),
        (common(code="short"), "defines[0].code"),
        (common(claims=(TYPE.claims[0], TYPE.claims[0])), "defines[0].claims[1]"),
        (common(validity=ValidityRule(ValidityKind.CLAIM, claim="absent")), "defines[0].validity.claim"),
        (common(validity=ValidityRule(ValidityKind.FIXED, days=0)), "defines[0].validity.days"),
        (common(validity=ValidityRule(ValidityKind.FIXED)), "defines[0].validity.days"),
        # authorities
        (replace(east_list(), authorities=east_list().authorities * 2), "authorities[1]"),
        (replace(east_list(), authorities=(key_entry(KeyUse.STATUS, office(EAST).ca),)), "authorities[0].use"),
        (
            replace(east_list(), authorities=(replace(east_list().authorities[0], thumbprint="00" * 32),)),
            "authorities[0].thumbprint",
        ),
        (
            replace(east_list(), authorities=(replace(east_list().authorities[0], history=()),)),
            "authorities[0].history",
        ),
        # issuers
        (replace(east_list(), attests=(ISSUER, ISSUER)), "attests[1]"),
        (east(id="990200/civil-affairs"), f"{FIRST}.id"),
        (east(uscc="11990100MB00000020"), f"{FIRST}.uscc"),
        (east(status_list_base="http://east.test/status"), f"{FIRST}.status_list_base"),
        (east(status_list_base="ftp://east.test/status/"), f"{FIRST}.status_list_base"),
        (east(history=ISSUER.history * 2), f"{FIRST}.history[1].at"),
        (east(grants=(*ISSUER.grants, ISSUER.grants[0])), f"{FIRST}.grants[2]"),
        (east(grants=(*ISSUER.grants, TypeGrant(TypeId("990100/own"), ISSUER.history))), f"{FIRST}.grants[2].type_id"),
        (east(grants=(*ISSUER.grants, TypeGrant(TypeId("common/x"), ()))), f"{FIRST}.grants[2].history"),
        (east(status_keys=ISSUER.status_keys * 2), f"{FIRST}.status_keys[1]"),
        (east(status_keys=(SEAL.key,)), f"{FIRST}.status_keys[0].use"),
        # seals
        (east(seals=(SEAL, SEAL)), f"{FIRST}.seals[1]"),
        (east(seals=(SEAL, replace(SEAL, id=f"{ISSUER.id}/99010000000002"))), f"{FIRST}.seals[1].key"),
        (seal(id=f"{ISSUER.id}/1"), f"{FIRST}.seals[0].id"),
        (seal(image_digest="md5:0"), f"{FIRST}.seals[0].image_digest"),
        (seal(scope=(TypeId("common/business-licence"),)), f"{FIRST}.seals[0].scope[0]"),
        (seal(valid_until=DAY_0), f"{FIRST}.seals[0].valid_until"),
        (seal(history=()), f"{FIRST}.seals[0].history"),
        (seal(key=replace(SEAL.key, use=KeyUse.CA)), f"{FIRST}.seals[0].key.use"),
        (seal(key=replace(SEAL.key, certificate=b"other")), f"{FIRST}.seals[0].key.thumbprint"),
        # scenarios, recognitions, relying parties
        (replace(west_list(), scenarios=west_list().scenarios * 2), "scenarios[1]"),
        (
            replace(west_list(), scenarios=(replace(west_list().scenarios[0], requires=(TypeRequirement((), ()),)),)),
            "scenarios[0].requires[0].any_of",
        ),
        (scenario(TypeRequirement((TypeId("990200/x"),), ())), "scenarios[0].requires[0].any_of[0]"),
        (scenario(TypeRequirement((TypeId("marriage"),), ())), "scenarios[0].requires[0].any_of[0]"),
        (scenario(TypeRequirement((OWN.id,), ("holder_name", "salary"))), "scenarios[0].requires[0].claims[1]"),
        (scenario(TypeRequirement((OWN.id,), (), ("salary",))), "scenarios[0].requires[0].optional_claims[0]"),
        (scenario(retention_days=-1), "scenarios[0].retention_days"),
        (replace(west_list(), recognises=(recognition(), recognition())), "recognises[1]"),
        (west(id="R 1"), "recognises[0].id"),
        (west(since=DAY_0 + 29 * DAY), "recognises[0].since"),  # notice
        (replace(west_list(), notice_period=31 * DAY), "recognises[0].since"),
        (west(type_id=TypeId("990200/absent")), "recognises[0].type_id"),
        (west(as_type=TypeId("990200/absent")), "recognises[0].as_type"),
        (west(type_id=TypeId("990100/permit"), as_type=TypeId("990100/permit")), "recognises[0].as_type"),
        (west(as_type=TypeId("Marriage")), "recognises[0].as_type"),
        (west(claims=(ClaimEquivalence("a", "x"), ClaimEquivalence("a", "y"))), "recognises[0].claims[1].theirs"),
        (west(claims=(ClaimEquivalence("a", "x"), ClaimEquivalence("b", "x"))), "recognises[0].claims[1].ours"),
        (west(claims=(ClaimEquivalence("A b", "x"),)), "recognises[0].claims[0].theirs"),
        (west(claims=(ClaimEquivalence("a", "status"),)), "recognises[0].claims[0].ours"),
        (own_type(as_type=OWN.id, claims=(ClaimEquivalence("a", "salary"),)), "recognises[0].claims[0].ours"),
        (own_type(type_id=OWN.id, claims=(ClaimEquivalence("salary", "a"),)), "recognises[0].claims[0].theirs"),
        # compromise: since when a key is distrusted
        (seal(history=lost(since=DAY_0 + 3 * DAY)), f"{FIRST}.seals[0].history[1].invalidity_date"),
        (seal(history=lost(EntryReason.CESSATION)), f"{FIRST}.seals[0].history[1].invalidity_date"),
        (seal(history=lost(status=EntryStatus.GRANTED)), f"{FIRST}.seals[0].history[1].invalidity_date"),
        (east(grants=(replace(ISSUER.grants[0], history=lost()),)), f"{FIRST}.grants[0].history[1].invalidity_date"),
        (west(history=lost()), "recognises[0].history[1].invalidity_date"),
        (
            seal(ceremony=SealCeremony(DAY_0, Names("会议室", "Room"), "sha256:short")),
            f"{FIRST}.seals[0].ceremony.record_digest",
        ),
        (replace(common_list(), defines=(TYPE, replace(TYPE, id=TypeId("common/twin")))), "defines[1]"),
        # lists of other networks
        (replace(common_list(), foreign=foreign().foreign), "foreign"),
        (replace(foreign(), foreign=foreign().foreign * 2), "foreign[1]"),
        (foreign(code="E E"), "foreign[0].code"),
        (foreign(code=WEST), "foreign[0].code"),
        (foreign(location="http://ee.test/list.xml"), "foreign[0].location"),
        (foreign(signers=()), "foreign[0].signers"),
        (foreign(signers=(b"a", b"a")), "foreign[0].signers"),
        (foreign(equivalences=()), "foreign[0].equivalences"),
        (
            foreign(equivalences=(ServiceEquivalence("", MARRIAGE_CERTIFICATE, Assurance.LOW),)),
            "foreign[0].equivalences[0].service_type",
        ),
        (
            foreign(equivalences=foreign().foreign[0].equivalences * 2),
            "foreign[0].equivalences[1].service_type",
        ),
        (
            foreign(equivalences=(ServiceEquivalence("urn:ca", TypeId("990200/absent"), Assurance.LOW),)),
            "foreign[0].equivalences[0].type_id",
        ),
        (foreign(history=()), "foreign[0].history"),
        (
            replace(foreign(), recognises=(replace(recognition(), issuing="EU-EE", type_id=TypeId("common/degree")),)),
            "recognises[0].type_id",
        ),
        (west(issuing=WEST), "recognises[0].issuing"),
        (west(until=DAY_0 + 30 * DAY), "recognises[0].until"),
        (west(since=DAY_0 - DAY), "recognises[0].since"),
        (west(scenarios=("990200/unknown",)), "recognises[0].scenarios[0]"),
        (west(history=()), "recognises[0].history"),
        (
            replace(west_list(), relying_parties=(replace(PARTY, scenarios=("990200/unknown",)),)),
            "relying_parties[0].scenarios[0]",
        ),
        (
            replace(west_list(), relying_parties=(replace(PARTY, keys=(SEAL.key,)),)),
            "relying_parties[0].keys[0].use",
        ),
        (replace(west_list(), relying_parties=(replace(PARTY, id="990100/x"),)), "relying_parties[0].id"),
    ],
)
def test_a_breach_is_refused_naming_the_field(broken: RegionList, field: str) -> None:
    with pytest.raises(InvalidList) as refusal:
        check_list(broken)
    assert refusal.value.field == field
    assert str(refusal.value).startswith(f"{field}: ")


def test_a_grant_of_a_type_that_the_region_defines_itself_is_no_dangling_reference() -> None:
    own = replace(TYPE, id=TypeId("990100/residence-permit"))
    granted = (*ISSUER.grants, TypeGrant(own.id, ISSUER.history))
    check_list(replace(east_list(), defines=(own,), attests=(replace(ISSUER, grants=granted),)))


@pytest.mark.parametrize(
    "sound",
    [
        foreign(),
        replace(foreign(), recognises=(replace(recognition(), issuing=RegionCode("EU-EE")),)),
        own_type(as_type=OWN.id, claims=(ClaimEquivalence("name", "holder_name"),)),
        scenario(TypeRequirement((MARRIAGE_CERTIFICATE, OWN.id), ("holder_name",), ("sex", "salary"))),
        replace(west_list(), notice_period=31 * DAY, notice_since=DAY_0, issued_at=DAY_0, recognises=()),
        replace(west_list(), notice_period=31 * DAY, notice_since=DAY_0 + DAY, issued_at=DAY_0 + 2 * DAY),
        seal(history=lost()),
        seal(history=lost(since=DAY_0 + 2 * DAY, status=EntryStatus.SUSPENDED)),
        east(history=lost(since=DAY_0 - 9 * DAY)),
        seal(
            custodian=Names("印章管理岗", "Seal officer"),
            ceremony=SealCeremony(DAY_0, Names("会议室", "Room"), "sha256:" + "0" * 64),
        ),
        east(grants=(*ISSUER.grants, replace(ISSUER.grants[0], assurance=Assurance.HIGH))),
        replace(east_list(), authorities=(*east_list().authorities, key_entry(KeyUse.LIST, office(EAST).status))),
    ],
)
def test_what_the_rules_allow_passes(sound: RegionList) -> None:
    check_list(sound)
    check_certificates(sound)


@pytest.mark.parametrize(
    ("broken", "field"),
    [
        (foreign(signers=(b"not DER",)), "foreign[0].signers"),
        (replace(east_list(), authorities=()), "attests[0].seals[0].key.certificate"),
        (replace(east_list(), authorities=west_list().authorities), "attests[0].seals[0].key.certificate"),
        (
            replace(east_list(), authorities=(key_entry(KeyUse.CA, office(EAST).seal),)),
            "authorities[0].certificate",
        ),
        (seal(key=replace(SEAL.key, certificate=b"not DER")), "attests[0].seals[0].key.certificate"),
        (
            east(status_keys=(key_entry(KeyUse.STATUS, office(WEST).status),)),
            "attests[0].status_keys[0].certificate",
        ),
        (
            replace(
                west_list(), relying_parties=(replace(PARTY, keys=(key_entry(KeyUse.RECEIPT, office(EAST).receipt),)),)
            ),
            "relying_parties[0].keys[0].certificate",
        ),
    ],
)
def test_certificates_must_be_issued_under_a_listed_ca(broken: RegionList, field: str) -> None:
    with pytest.raises(InvalidList) as refusal:
        check_certificates(broken)
    assert refusal.value.field == field


def test_what_one_grant_said_well_excuses_no_other() -> None:
    """What neighbours share is checked once: the same types of a second office pass, a flaw behind them does not."""
    first, second = TypeId("common/a"), TypeId("common/b")
    good = (StatusChange(EntryStatus.GRANTED, DAY_0, EntryReason.INITIAL),)
    other = replace(ISSUER, id=IssuerId("990100/another"), seals=())
    plain = (TypeGrant(first, good), TypeGrant(second, good))

    def listed(*grants: TypeGrant) -> RegionList:
        return replace(
            east_list(), attests=(replace(ISSUER, grants=plain, seals=()), replace(other, grants=(*plain, *grants)))
        )

    check_list(listed())
    for flaw in (TypeGrant(TypeId("common/c"), ()), TypeGrant(TypeId("not a type"), good)):
        with pytest.raises(InvalidList, match=r"attests\[1\]\.grants\[2\]"):
            check_list(listed(flaw))
    with pytest.raises(InvalidList, match=r"attests\[1\]\.grants\[2\].*twice"):
        check_list(listed(plain[0]))
