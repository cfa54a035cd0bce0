"""Acceptance rules as the console's pages show them: with the names of scenarios, types, regions and claims."""

from __future__ import annotations

from trust_registry.model import AcceptanceRule, Names, RegionCode, ScenarioId, TrustView, TypeId
from trust_registry.pages.frame import list_names, type_name
from trust_registry.rule_words import plain, rule_words, scope_words


def asked_by(rule: AcceptanceRule, view: TrustView) -> Names:
    """What the rule asks for."""

    def label(name: str) -> Names:
        about = [view.types[type_id] for type_id in rule.applies_to.types if type_id in view.types]
        for kind in about or view.types.values():
            for claim in kind.claims:
                if claim.name == name:
                    return claim.names
        return plain(name)

    return rule_words(rule, label, lambda type_id: type_name(view, TypeId(type_id)))


def about(rule: AcceptanceRule, view: TrustView) -> Names:
    """What the rule is about."""

    def scenario(scenario_id: str) -> Names:
        found = view.scenarios.get(ScenarioId(scenario_id))
        return plain(scenario_id) if found is None else found.names

    def region(code: str) -> Names:
        return list_names(view, RegionCode(code)) or plain(code)

    return scope_words(rule.applies_to, scenario, lambda type_id: type_name(view, TypeId(type_id)), region)
