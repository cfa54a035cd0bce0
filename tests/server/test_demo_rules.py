"""The demonstration's acceptance rules: well formed, in force from the start, about what its counters ask for."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from server.demo.rules import rules_of
from server.demo.world import DONGLING, SCENARIOS, XICHUAN
from trust_registry.core import in_force
from trust_registry.core.rule_conditions import check_conditions
from trust_registry.model import RegionCode

FOUNDED = datetime(2026, 1, 1, 8, 30, 15, 250000, UTC)


@pytest.mark.parametrize("code", [XICHUAN, DONGLING])
def test_a_rule_counts_when_the_network_is_founded(code: RegionCode) -> None:
    (rule,) = rules_of(code, FOUNDED)
    check_conditions(rule)
    assert in_force(rule, FOUNDED)
    asked = {scenario.id: {t for need in scenario.requires for t in need.any_of} for scenario in SCENARIOS[code]}
    (scenario,) = rule.applies_to.scenarios
    assert set(rule.applies_to.types) <= asked[scenario]
