"""Rules of a region for tests, and what is decided under them. Holds no test."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.verifier.asking import ask
from tests.verifier.small_world import (
    DAY,
    DAY_0,
    WEST,
    SmallWorld,
    granted,
    qr,
)
from trust_registry.core.rule_conditions import check_conditions
from trust_registry.model import (
    AcceptanceRule,
    Names,
    RuleCondition,
    RuleScope,
    TrustView,
)

WHY = Names("打印码信息不足", "a printed code shows too little")
BASIS = Names("《管理办法》第八条", "Measures, article 8")


def rule(*requires: RuleCondition, id: str = "A1", scope: RuleScope | None = None, **changes: Any) -> AcceptanceRule:
    made = AcceptanceRule(id, WHY, BASIS, scope or RuleScope(), requires, DAY_0, None, DAY_0 - 30 * DAY, granted())
    made = replace(made, **changes)
    check_conditions(made)
    return made


def ruled(world: SmallWorld, *rules: AcceptanceRule) -> TrustView:
    view = world.view()
    return replace(view, lists={**view.lists, WEST: replace(view.lists[WEST], rules=rules)})


def judged(
    world: SmallWorld, *requires: RuleCondition, evidence: Any = None, scope: RuleScope | None = None, **how: Any
) -> Any:
    """What is decided on a printed code (or that evidence) under one rule."""
    return ask(world, evidence or qr(), trust=ruled(world, rule(*requires, scope=scope)), **how)
