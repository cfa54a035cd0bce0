"""Making findings: the three outcomes as functions, and which finding decides. Knows no check's content."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from verifier.model import Check, Finding, Indication, Outcome, SubIndication

RESOLUTION: Final = timedelta(seconds=1)  # certificates state whole seconds: the seal was used within this one
# Looked up once: asking an enumeration for a member costs as much as a call.
_PASSED, _FAILED, _UNKNOWN = Outcome.PASSED, Outcome.FAILED, Outcome.UNKNOWN
_NOT_APPLICABLE: Final = Outcome.NOT_APPLICABLE
_ALL_PASSED: Final = (Indication.PASSED, None)
_BEST_FIRST: Final = (Indication.PASSED, Indication.INDETERMINATE, Indication.FAILED)
CLOCK_SKEW: Final = timedelta(minutes=5)  # between the clocks of issuers, time-stampers and verifiers


def passed(check: Check, code: str, **facts: Any) -> Finding:
    return Finding(check, _PASSED, code, None, facts)


def failed(check: Check, code: str, sub_indication: SubIndication, **facts: Any) -> Finding:
    return Finding(check, _FAILED, code, sub_indication, facts)


def unknown(check: Check, code: str, sub_indication: SubIndication, **facts: Any) -> Finding:
    return Finding(check, _UNKNOWN, code, sub_indication, facts)


def not_applicable(check: Check, code: str, **facts: Any) -> Finding:
    return Finding(check, _NOT_APPLICABLE, code, None, facts)


def decide(findings: Sequence[Finding]) -> tuple[Indication, Finding | None]:
    """The overall indication and the finding that decided it: the first FAILED, else the first UNKNOWN, else none.

    Spec: EN 319 102-1 clause 5.1.3. What is proven wrong outweighs what could not be found out.
    """
    decisive: Finding | None = None
    for finding in findings:
        outcome = finding.outcome
        if outcome is _PASSED:
            continue
        if outcome is _FAILED:
            return Indication.FAILED, finding
        if decisive is None and outcome is _UNKNOWN:
            decisive = finding
    return _ALL_PASSED if decisive is None else (Indication.INDETERMINATE, decisive)


def best_first(findings: Sequence[Finding]) -> int:
    """The order in which several answers to one question serve the bearer: passed, not known, failed."""
    return _BEST_FIRST.index(decide(findings)[0])
