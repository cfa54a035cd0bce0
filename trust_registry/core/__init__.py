"""The registry's decisions: pure functions of lists and times. No clock, no store, no network, no signature over
lists."""

from trust_registry.core.contradictions import Contradiction, contradictions
from trust_registry.core.departures import closed_at
from trust_registry.core.equivalence import as_ours, as_theirs
from trust_registry.core.histories import check_history
from trust_registry.core.invariants import check_list
from trust_registry.core.recognition import in_force, judge_recognition, status_at, validity_end

__all__ = [
    "Contradiction",
    "as_ours",
    "as_theirs",
    "check_history",
    "check_list",
    "closed_at",
    "contradictions",
    "in_force",
    "judge_recognition",
    "status_at",
    "validity_end",
]
