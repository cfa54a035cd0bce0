"""The form of a service item: which certificates it needs and what it may read of them (用证清单)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from trust_registry import editing
from trust_registry.model import Names, RegionList, Scenario, ScenarioId, TypeId, TypeRequirement
from trust_registry.pages.editing.accepting import type_options
from trust_registry.pages.editing.forms import Answers, Field, Form, Workplace, days

REQUIREMENTS: Final = 3


class EditScenario(Form):
    """A service item: which certificates it needs and what it may read of them (用证清单)."""

    name = "scenario"
    title = Names("编辑用证清单", "Edit a scenario")
    text = Names(
        "一个事项需要哪些证照（可以几选一）、能看哪些信息、为什么、保存多久。",
        "Which certificates a service needs (or alternatives), which claims it may read, why, and what it keeps.",
    )

    def fields(self, place: Workplace, query: Mapping[str, str]) -> Sequence[Field]:
        old = next((s for s in place.region_list.scenarios if s.id == query.get("entry")), None)
        found = [
            Field(
                "slug",
                "text",
                Names("短名（英文）", "Short name"),
                Names("例如 household-transfer；登记后不变。", "For example household-transfer; it stays."),
                required=True,
                default="" if old is None else old.id.partition("/")[2],
            ),
            *_names_field("names", Names("事项名称", "Name"), None if old is None else old.names),
            *_names_field("purpose", Names("用途", "Purpose"), None if old is None else old.purpose),
        ]
        for number in range(REQUIREMENTS):
            need = old.requires[number] if old is not None and number < len(old.requires) else None
            found += self._requirement(place, number, need)
        found += [
            Field(
                "retention",
                "number",
                Names("保存天数（0 表示不保存内容）", "Kept for days (0: no claims are kept)"),
                default=str(0 if old is None else old.retention_days),
                group=Names("保存和时效", "Keeping and age of data"),
            ),
            Field(
                "trust_days",
                "number",
                Names("信任数据最旧（天）", "Trust data at most (days)"),
                default=str(7 if old is None else days(old.trust_staleness)),
            ),
            Field(
                "status_hours",
                "number",
                Names("状态数据最旧（小时）", "Status data at most (hours)"),
                default=str(24 if old is None else old.status_staleness // timedelta(hours=1)),
            ),
        ]
        return found

    def apply(self, place: Workplace, answers: Answers) -> RegionList:
        slug, names, purpose = answers.text("slug"), answers.names("names"), answers.names("purpose")
        needs = [need for n in range(REQUIREMENTS) if (need := self._read(place, answers, n)) is not None]
        if not needs:
            answers.errors.setdefault("any_of.0", Names("至少需要一种证照", "At least one certificate is needed"))
        scenario = Scenario(
            ScenarioId(f"{place.region_list.code}/{slug}"),
            names,
            purpose,
            tuple(needs),
            timedelta(days=answers.number("trust_days", 7)),
            timedelta(hours=answers.number("status_hours", 24)),
            answers.number("retention"),
        )
        answers.check()
        known = {each.id for each in place.region_list.scenarios}
        change = editing.replace_scenario if scenario.id in known else editing.add_scenario
        return change(place.region_list, scenario, now=place.now)

    def _requirement(self, place: Workplace, number: int, need: TypeRequirement | None) -> list[Field]:
        heading = Names(f"需要的证照 {number + 1}", f"Certificate {number + 1}")
        hint = Names("勾选几种表示任选其一；不勾表示没有这一项。", "Several ticked: any one of them. None: not needed.")
        claims = Names("信息的代码，用空格隔开", "Names of claims, with spaces between")
        return [
            Field(
                f"any_of.{number}",
                "several",
                Names("证照（任选其一）", "Any one of"),
                hint if number == 0 else None,
                type_options(place),
                default=() if need is None else need.any_of,
                group=heading,
            ),
            Field(
                f"claims.{number}",
                "text",
                Names("必须看的信息", "Claims it must read"),
                claims,
                default="" if need is None else " ".join(need.claims),
                glossary=claim_glossary(place) if number == 0 else (),
            ),
            Field(
                f"optional.{number}",
                "text",
                Names("可以看的信息", "Claims it may read"),
                claims,
                default="" if need is None else " ".join(need.optional_claims),
            ),
        ]

    def _read(self, place: Workplace, answers: Answers, number: int) -> TypeRequirement | None:
        any_of = answers.several(f"any_of.{number}", type_options(place))
        claims = tuple(answers.text(f"claims.{number}", required=False).replace(",", " ").split())
        optional = tuple(answers.text(f"optional.{number}", required=False).replace(",", " ").split())
        if not any_of:
            return None
        kinds = [place.view.types[TypeId(t)] for t in any_of if TypeId(t) in place.view.types]
        known = {claim.name for kind in kinds for claim in kind.claims}
        for field_name, given in ((f"claims.{number}", claims), (f"optional.{number}", optional)):
            unknown = " ".join(sorted(set(given) - known))
            if unknown:
                answers.errors[field_name] = Names(f"这些证照没有：{unknown}", f"These certificates have no {unknown}")
        return TypeRequirement(tuple(map(TypeId, any_of)), claims, optional)


def claim_glossary(place: Workplace) -> list[tuple[Names, list[tuple[str, Names]]]]:
    """Every claim by the type that has it: what may be typed."""
    kinds = (place.view.types[TypeId(type_id)] for type_id, _ in type_options(place))
    return [(kind.names, [(claim.name, claim.names) for claim in kind.claims]) for kind in kinds]


def _names_field(name: str, label: Names, old: Names | None) -> tuple[Field]:
    return (Field(name, "names", label, required=True, default=() if old is None else (old.zh, old.en)),)
