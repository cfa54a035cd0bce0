"""A view is asked often: remembered answers must never differ from those of a fresh view."""

from __future__ import annotations

import gc
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.verifier.asking import ask, assert_failed, assert_passed
from tests.verifier.small_world import (
    DAY,
    DAY_0,
    EAST,
    NOW,
    SEALED,
    TRANSFER,
    WEST,
    SmallWorld,
    attestation,
    qr,
    withdrawn,
)
from trust_registry.model import EntryReason, EntryStatus, StatusChange
from verifier.core import acceptance, judge, listed
from verifier.evidence import parse
from verifier.model import Check, Finding, Outcome, Policy, Report

MOMENTS = st.integers(0, 60).map(lambda hours: DAY_0 + timedelta(hours=12 * hours))
STATUSES = st.sampled_from(EntryStatus)


def histories() -> st.SearchStrategy[tuple[StatusChange, ...]]:
    def ordered(changes: list[tuple[datetime, EntryStatus, EntryReason]]) -> tuple[StatusChange, ...]:
        return tuple(StatusChange(status, at, reason) for at, status, reason in sorted(changes, key=lambda c: c[0]))

    change = st.tuples(MOMENTS, STATUSES, st.sampled_from([EntryReason.CESSATION, EntryReason.KEY_COMPROMISE]))
    return st.lists(change, min_size=1, max_size=3, unique_by=lambda c: c[0]).map(ordered)


@settings(max_examples=150, deadline=None)
@given(
    st.fixed_dictionaries(
        {name: histories() for name in ("issuer_history", "grant_history", "seal_history", "key_history")}
    ),
    MOMENTS,
    st.lists(st.tuples(MOMENTS, MOMENTS), min_size=2, max_size=5),
)
def test_asking_one_view_often_is_asking_fresh_views(
    knobs: dict[str, Any], since: datetime, questions: list[tuple[datetime, datetime]]
) -> None:
    """Short cuts and memory (steady entitlement, untroubled keys, paths, recognition) change no finding."""
    world = SmallWorld(**knobs, recognition_since=since, refreshed_at=DAY_0, list_issued_at=DAY_0)
    view, statuses, policy = world.view(), world.statuses(), Policy(WEST)
    for signed_at, at in questions:
        evidence = parse(qr(attestation(issued_at=signed_at, valid_from=signed_at)))
        again = judge(evidence, view, statuses, policy, at)
        assert again.findings == judge(evidence, world.view(), statuses, policy, at).findings


@settings(max_examples=150, deadline=None)
@given(histories(), histories(), MOMENTS, MOMENTS)
def test_what_was_sealed_out_of_grant_never_passes(
    seal_history: Any, grant_history: Any, signed_at: datetime, at: datetime
) -> None:
    """MUST: an unknown or a refusal is never PASSED (an independent, naive reading of the histories)."""
    world = SmallWorld(seal_history=seal_history, grant_history=grant_history, refreshed_at=at, list_issued_at=at)
    world.list_expires_at = at + DAY
    report = judge(
        parse(qr(attestation(issued_at=signed_at, valid_from=signed_at))), world.view(), world.statuses(), Policy(), at
    )

    def granted_then(history: tuple[StatusChange, ...]) -> bool:
        status = None
        for change in history:
            if change.at <= signed_at:
                status = change.status
        return status is EntryStatus.GRANTED

    stolen = any(
        change.reason is EntryReason.KEY_COMPROMISE and change.status is not EntryStatus.GRANTED
        for change in seal_history
    )
    should_pass = granted_then(seal_history) and granted_then(grant_history) and not stolen and signed_at <= at
    assert (report.indication.value == "PASSED") is should_pass


def test_a_remembered_recognition_ends_when_its_entry_ends(world: SmallWorld) -> None:
    world.recognition_until = NOW + DAY
    view = world.view()
    for _ in range(2):
        assert_passed(ask(world, qr(), trust=view))
    world.list_issued_at = world.refreshed_at = NOW + DAY
    later = ask(world, qr(), trust=view, at=NOW + DAY)
    assert_failed(later, "recognition_ended", later.sub_indication)  # type: ignore[arg-type]
    assert_passed(ask(world, qr(), trust=view))


def test_memory_is_bounded(world: SmallWorld, monkeypatch: Any) -> None:
    monkeypatch.setattr(acceptance, "_REMEMBERED", 1)
    view = world.view()
    assert_passed(ask(world, qr(), trust=view, policy=Policy(WEST)))
    assert_passed(ask(world, qr(), trust=view, policy=Policy(EAST, view.scenarios[TRANSFER])))


def test_what_is_remembered_of_a_view_goes_with_it(world: SmallWorld) -> None:
    view = world.view()
    ask(world, qr(), trust=view)
    known = len(listed.listed._known)
    del view
    gc.collect()
    assert len(listed.listed._known) < known


def test_a_later_withdrawal_is_seen_through_the_short_cut(world: SmallWorld) -> None:
    world.seal_history = withdrawn(SEALED - DAY)
    report = ask(world, qr())
    assert [finding.code for finding in report.findings if finding.outcome is Outcome.FAILED] == ["seal_withdrawn"]


def test_one_finding_per_check(world: SmallWorld) -> None:
    report: Report = ask(world, qr())
    checks: list[Check] = [finding.check for finding in report.findings]
    assert len(checks) == len(set(checks)) == len(Check)
    assert all(isinstance(finding, Finding) for finding in report.findings)
