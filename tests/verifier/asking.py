"""Short questions for stories: hand in evidence, get a report; look a finding up."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tests.verifier.small_world import NOW, TRANSFER, WEST, SmallWorld
from trust_registry.model import StatusView
from verifier import messages
from verifier.core import judge
from verifier.evidence import parse
from verifier.model import Check, Evidence, Finding, Indication, Outcome, Policy, Report, SubIndication

AT_THE_COUNTER = object()


def ask(
    world: SmallWorld,
    evidence: Evidence | bytes | str,
    *,
    at: datetime = NOW,
    statuses: StatusView | None = None,
    policy: Any = AT_THE_COUNTER,
    trust: Any = AT_THE_COUNTER,
) -> Report:
    """What a counter in the west reads."""
    view = world.view() if trust is AT_THE_COUNTER else trust
    if policy is AT_THE_COUNTER:
        policy = Policy(WEST, world.view().scenarios[TRANSFER])
    handed_in = parse(evidence) if isinstance(evidence, bytes | str) else evidence
    report = judge(handed_in, view, world.statuses() if statuses is None else statuses, policy, at)
    for finding in report.findings:
        for language in ("zh", "en"):  # whatever is found can be said
            messages.sentence(finding, language)
            messages.finding_next_step(finding, language)
    return report


def found(report: Report, check: Check) -> Finding:
    (finding,) = [finding for finding in report.findings if finding.check is check]
    return finding


def assert_passed(report: Report) -> None:
    assert (report.indication, report.sub_indication, report.decisive) == (Indication.PASSED, None, None), report


def assert_failed(report: Report, code: str, sub_indication: SubIndication) -> None:
    assert report.decisive is not None
    assert (report.decisive.code, report.indication) == (code, Indication.FAILED)
    assert report.sub_indication is report.decisive.sub_indication is sub_indication
    assert report.decisive.outcome is Outcome.FAILED


def assert_indeterminate(report: Report, code: str, sub_indication: SubIndication) -> None:
    assert report.decisive is not None
    assert (report.decisive.code, report.indication) == (code, Indication.INDETERMINATE)
    assert report.sub_indication is report.decisive.sub_indication is sub_indication
    assert report.decisive.outcome is Outcome.UNKNOWN
