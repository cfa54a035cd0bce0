"""Another region's certificate under the accepting region's own names, and at the assurance that it asks for."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.verifier.asking import ask, assert_failed, assert_passed
from tests.verifier.small_world import (
    DAY,
    DAY_0,
    MARRIAGE,
    SEALED,
    TRANSFER,
    TYPES,
    WEST,
    SmallWorld,
    granted,
    qr,
    sd_jwt,
    suspended,
    then,
    withdrawn,
)
from trust_registry.core import as_ours, as_theirs
from trust_registry.model import (
    Assurance,
    ClaimEquivalence,
    EntryReason,
    EntryStatus,
    Names,
    StatusChange,
    TypeGrant,
    TypeId,
    TypeRequirement,
)
from verifier import messages
from verifier.model import Policy, SubIndication, recognised_as
from verifier.pages.verdict import make_verdict
from verifier.wire import report_to_bytes, report_to_json

OWN = TypeId("990200/marriage")
CLAIMS = (ClaimEquivalence("holder_name", "spouse_a"), ClaimEquivalence("spouse_name", "spouse_b"))


@pytest.fixture
def mapped(world: SmallWorld) -> SmallWorld:
    """West takes East's marriage certificates as its own type, whose claims have other names."""
    known = next(type_ for type_ in TYPES if type_.id == MARRIAGE)
    claim = known.claims[0]
    own = replace(
        known,
        id=OWN,
        names=Names("婚姻证明", "Marriage proof"),
        claims=(
            replace(claim, name="spouse_a", names=Names("甲方", "Spouse A")),
            replace(claim, name="spouse_b", names=Names("乙方", "Spouse B")),
        ),
    )
    world.west_defines, world.recognition_as, world.recognition_claims = (own,), OWN, CLAIMS
    world.scenario_requires = (TypeRequirement((OWN,), ("spouse_a", "spouse_b")),)
    return world


def for_transfer(world: SmallWorld) -> Policy:
    return Policy(WEST, world.view().scenarios[TRANSFER])


def test_a_report_gives_claims_under_both_names(mapped: SmallWorld) -> None:
    report = ask(mapped, sd_jwt(), policy=for_transfer(mapped))
    assert_passed(report)
    told = report_to_json(report, "en", claims=True)["certificate"]
    assert told["type"] == MARRIAGE
    assert told["claims"]["holder_name"] == "林晓"
    assert told["accepted_as"]["type"] == OWN
    assert told["accepted_as"]["fields"] == {"holder_name": "spouse_a", "spouse_name": "spouse_b"}
    assert told["accepted_as"]["claims"] == {"spouse_a": "林晓", "spouse_b": "周远", "registered_on": "2019-05-20"}
    assert "claims" not in report_to_json(report)["certificate"]["accepted_as"]
    assert b'"as":{"type":"990200/marriage"' in report_to_bytes(report, "zh")


def test_a_clerk_reads_the_local_names(mapped: SmallWorld) -> None:
    report = ask(mapped, sd_jwt(), policy=for_transfer(mapped))
    verdict = make_verdict(report, mapped.view(), "zh")
    assert verdict.accepted_as == Names("婚姻证明", "Marriage proof")
    assert [(claim.names.zh, claim.value) for claim in verdict.asked] == [("甲方", "林晓"), ("乙方", "周远")]
    assert [claim.names.zh for claim in verdict.others] == ["登记日期"]
    assert verdict.missing == ()
    assert any("holder_name → spouse_a" in reason.detail for reason in verdict.reasons)


def test_what_is_taken_as_it_is_has_no_second_name(world: SmallWorld) -> None:
    report = ask(world, sd_jwt())
    assert recognised_as(report) is None
    assert "accepted_as" not in report_to_json(report)["certificate"]
    assert make_verdict(report, world.view(), "en").accepted_as is None
    assert recognised_as(replace(report, findings=())) is None


def test_an_equivalence_to_a_type_that_no_list_defines_shows_their_names(mapped: SmallWorld) -> None:
    mapped.west_defines = ()
    verdict = make_verdict(ask(mapped, sd_jwt(), policy=for_transfer(mapped)), mapped.view(), "en")
    assert verdict.accepted_as is None
    assert [claim.names.en for claim in verdict.asked] == ["Holder's name", "Spouse's name"]


def test_two_claims_never_meet_under_one_name() -> None:
    """The attack: a claim of theirs that already bears the name to which another of theirs is mapped."""
    assert as_ours({"b": 1, "a": 2, "c": 3}, (ClaimEquivalence("a", "b"),)) == {"b": 2, "c": 3}
    swapped = (ClaimEquivalence("a", "b"), ClaimEquivalence("b", "a"))
    assert as_ours({"a": 1, "b": 2}, swapped) == {"b": 1, "a": 2}
    assert as_ours({"b": 1}, (ClaimEquivalence("a", "b"),)) == {"b": 1}
    asked = as_theirs(TypeRequirement((OWN,), ("spouse_a", "x"), ("spouse_b",)), CLAIMS)
    assert (asked.claims, asked.optional_claims) == (("holder_name", "x"), ("spouse_name",))


@pytest.mark.parametrize(("zh", "language"), [("要求保证级别不低于“高”", "zh"), ("at assurance high or higher", "en")])
def test_an_assurance_below_what_is_asked_is_refused_with_a_next_step(
    world: SmallWorld, zh: str, language: str
) -> None:
    world.minimum_assurance = Assurance.HIGH
    report = ask(world, qr())
    assert_failed(report, "assurance_too_low", SubIndication.SIG_CONSTRAINTS_FAILURE)
    assert zh in messages.summary(report, language)
    assert messages.next_step(report, language)
    assert report_to_json(report)["findings"][7]["facts"]["wanted"] == "high"
    world.assurance = Assurance.HIGH
    assert_passed(ask(world, qr()))


def test_the_assurance_is_that_of_the_day_of_sealing(world: SmallWorld) -> None:
    """Raised since: what was sealed at the lower assurance stays at the lower."""
    world.minimum_assurance = Assurance.HIGH
    world.grant_history = withdrawn(SEALED + DAY)
    world.more_grants = (TypeGrant(MARRIAGE, granted(SEALED + DAY), Assurance.HIGH),)
    assert_failed(ask(world, qr()), "assurance_too_low", SubIndication.SIG_CONSTRAINTS_FAILURE)
    world.more_grants = (TypeGrant(MARRIAGE, granted(SEALED), Assurance.HIGH),)
    world.grant_history = withdrawn(SEALED)
    assert_passed(ask(world, qr()))


@pytest.mark.parametrize("history", [withdrawn(SEALED - DAY), suspended(SEALED - DAY), granted(SEALED + DAY), ()])
def test_one_grant_that_stands_suffices_and_the_mildest_objection_is_told(
    world: SmallWorld, history: tuple[StatusChange, ...]
) -> None:
    world.grant_history = history
    world.more_grants = (TypeGrant(MARRIAGE, granted(), Assurance.LOW),)
    assert_passed(ask(world, qr()))
    world.more_grants = (TypeGrant(MARRIAGE, suspended(DAY_0 + DAY), Assurance.LOW),)
    report = ask(world, qr())
    assert "grant_suspended" in {finding.code for finding in report.findings}


def test_distrusted_from_an_earlier_time_than_the_withdrawal(world: SmallWorld) -> None:
    """RFC 5280 section 5.3.2: the leak was found later; what was sealed since the suspicion needs proof."""
    world.seal_history = (
        *granted(),
        StatusChange(EntryStatus.WITHDRAWN, SEALED + 5 * DAY, EntryReason.KEY_COMPROMISE, SEALED - timedelta(hours=1)),
    )
    report = ask(world, qr())
    assert [f.facts["since"] for f in report.findings if f.code == "key_compromised"] == [SEALED - timedelta(hours=1)]
    assert report.sub_indication is SubIndication.REVOKED_NO_POE


def test_an_office_whose_keys_were_lost_is_doubted_like_its_seal(world: SmallWorld) -> None:
    world.issuer_history = then(granted(), EntryStatus.WITHDRAWN, SEALED + DAY, EntryReason.KEY_COMPROMISE)
    assert ask(world, qr()).sub_indication is SubIndication.REVOKED_NO_POE
