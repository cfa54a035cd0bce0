"""The form of an acceptance rule: what it is about, what it asks for, why, and from when on.

Holds no rule of its own: what may be asked for is `core.rule_conditions`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Final

from trust_registry import editing
from trust_registry.errors import InvalidList
from trust_registry.matrix import regions_of
from trust_registry.model import (
    ConditionKind,
    EntryReason,
    Names,
    RegionCode,
    RegionList,
    RuleCondition,
    RuleScope,
    ScenarioId,
    TypeId,
)
from trust_registry.model.rules import EVIDENCE_FORMS, PDF_LEVELS
from trust_registry.pages.editing.accepting import scenario_options, type_options
from trust_registry.pages.editing.forms import Answers, Field, Form, Option, Workplace, days, either
from trust_registry.pages.editing.scenarios import claim_glossary
from trust_registry.pages.frame import list_names
from trust_registry.rule_texts import parse_condition
from trust_registry.rule_words import form_name

CLAIMS: Final = 2  # comparisons that one form holds; the command line takes any number
_FORMS: Final[tuple[Option, ...]] = tuple((form, form_name(form)) for form in EVIDENCE_FORMS)
_LEVELS: Final = either(("substantial", "实质及以上", "substantial or better"), ("high", "高", "high"))
_LEVEL_WORDS: Final = {
    "B-T": Names("带时间戳（B-T）", "with a time-stamp (B-T)"),
    "B-LT": Names("另带核验资料（B-LT）", "and data for later checks (B-LT)"),
    "B-LTA": Names("另带存档时间戳（B-LTA）", "and archive time-stamps (B-LTA)"),
}
_PDF: Final[tuple[Option, ...]] = tuple((level, _LEVEL_WORDS[level]) for level in PDF_LEVELS[1:])
_ALSO: Final = either(
    ("time_proven", "盖章时间须有可信时间戳证明", "a trusted time-stamp proves when it was sealed"),
    ("holder_bound", "须由持证人的密钥当场出示", "the holder's own key shows it, here and now"),
    ("changes_tolerated", "盖章后不得有任何改动", "nothing was added since sealing"),
)
_TESTS: Final = either(
    ("claim_one_of", "为以下之一（逗号隔开）", "is one of (with commas)"),
    ("claim_at_least", "不小于（数字）", "is at least (a number)"),
    ("claim_at_most", "不大于（数字）", "is at most (a number)"),
    ("claim_past_at_most", "距今不超过（如 90d）", "is no longer ago than (such as 90d)"),
    ("claim_past_at_least", "距今至少（如 90d）", "is at least this long ago (such as 90d)"),
    ("claim_ahead_at_least", "至少在多久之后（如 30d）", "is at least this far ahead (such as 30d)"),
    ("claim_ahead_at_most", "最多在多久之后（如 30d）", "is at most this far ahead (such as 30d)"),
)
_HURRY: Final = either(
    ("key_compromise", "密钥泄露", "key compromise"), ("breach_of_duty", "违反职责", "breach of duty")
)
_LIMITS: Final = (
    (
        "trust_days",
        ConditionKind.TRUST_AGE_AT_MOST,
        timedelta(days=1),
        "信任数据最旧（天）",
        "Trust data at most (days)",
    ),
    (
        *("status_hours", ConditionKind.STATUS_AGE_AT_MOST, timedelta(hours=1)),
        *("状态数据最旧（小时）", "Status data at most (hours)"),
    ),
    (
        *("grace_hours", ConditionKind.STATUS_GRACE, timedelta(hours=1)),
        *("取不到新状态时可再沿用（小时）", "Where no newer status can be had, hours more"),
    ),
)
_ALL: Final = Names("一个都不选表示全部。", "None ticked means all.")


class AddRule(Form):
    """Ask something of certificates beyond recognising them."""

    name = "rule"
    title = Names("增加受理规则", "Add an acceptance rule")
    text = Names(
        "除了认可之外还要求什么，为什么。可能拒收证照的规则，公示期满才生效；只限制数据新旧的立即生效。",
        "What is asked beyond recognition, and why. What can refuse somebody begins after the notice; limits on the "
        "age of data begin at once.",
    )
    destructive = True

    def fields(self, place: Workplace, query: Mapping[str, str]) -> Sequence[Field]:
        return (*self._about(place, query), *self._asked(place), *self._claims(place), *self._when(place))

    def _about(self, place: Workplace, query: Mapping[str, str]) -> Iterator[Field]:
        hint = Names("办事员会读到：说明为什么。", "The clerk reads it: say what for.")
        yield Field("names", "names", Names("理由", "The reason"), hint, required=True)
        yield Field("basis", "names", Names("依据", "Legal basis"), required=True)
        chosen = (query["scenario"],) if "scenario" in query else ()
        options = scenario_options(place.region_list)
        heading = Names("适用于", "What it is about")
        yield Field("scenarios", "several", Names("事项", "Scenarios"), _ALL, options, default=chosen, group=heading)
        yield Field("types", "several", Names("证照", "Certificates"), _ALL, type_options(place))
        yield Field("issuing", "several", Names("颁发地区", "Issued in"), _ALL, _regions(place))
        yield Field("about_forms", "several", Names("提交形式", "Handed in as"), _ALL, _FORMS)

    def _asked(self, place: Workplace) -> Iterator[Field]:
        heading = Names("要求（至少一项）", "What it asks for (at least one thing)")
        any_form = Names("不勾表示不限。", "None ticked: any.")
        yield Field(
            "forms", "several", Names("须以下列形式提交", "It must be handed in as"), any_form, _FORMS, group=heading
        )
        yield Field("assurance", "choice", Names("最低保证级别", "Least assurance"), None, _LEVELS)
        yield Field("issued_days", "number", Names("颁发距今不超过（天）", "Issued within (days)"))
        yield Field("pdf_level", "choice", Names("PDF 签名级别至少", "A PDF is signed at least at"), None, _PDF)
        yield Field("also", "several", Names("此外", "And"), None, _ALSO)
        names = Names("信息的代码，用空格隔开", "Names of claims, with spaces between")
        glossary = claim_glossary(place)
        yield Field("present", "text", Names("须完整出示的信息", "Shown in full"), names, glossary=glossary)

    def _claims(self, _place: Workplace) -> Iterator[Field]:
        for number in range(CLAIMS):
            heading = Names(f"对信息内容的要求 {number + 1}", f"What a claim must say {number + 1}")
            yield Field(f"claim.{number}", "text", Names("信息的代码", "Name of the claim"), group=heading)
            yield Field(f"test.{number}", "choice", Names("要求", "Test"), None, _TESTS)
            yield Field(f"value.{number}", "text", Names("值", "Value"))

    def _when(self, place: Workplace) -> Iterator[Field]:
        limits = Names("数据时效（代替事项自己的期限）", "Age of data (instead of the scenario's own)")
        for number, (name, _, _, zh, en) in enumerate(_LIMITS):
            yield Field(name, "number", Names(zh, en), group=limits if number == 0 else None)
        notice = days(place.region_list.notice_period)
        hint = Names(
            f"公示期 {notice} 天，填得更早会自动顺延。", f"The notice is {notice} days; it is kept in any case."
        )
        yield Field(
            "since", "day", Names("自哪天起（可不填）", "From (may stay empty)"), hint, group=Names("何时", "When")
        )
        yield Field("until", "day", Names("到哪天止（可不填）", "Until (may stay empty)"))
        urgent = Names("只用于紧急情况：公布后立即生效。", "In an emergency only: it begins once published.")
        yield Field("emergency", "choice", Names("紧急原因", "Emergency"), urgent, _HURRY)

    def apply(self, place: Workplace, answers: Answers) -> RegionList:
        names, basis = answers.names("names"), answers.names("basis")
        scope = RuleScope(
            tuple(map(ScenarioId, answers.several("scenarios", scenario_options(place.region_list)))),
            tuple(map(TypeId, answers.several("types", type_options(place)))),
            tuple(map(RegionCode, answers.several("issuing", _regions(place)))),
            answers.several("about_forms", _FORMS),
        )
        requires = tuple(self._conditions(answers))
        hurry = answers.choice("emergency", _HURRY, required=False)
        since, until = answers.day("since"), answers.day("until")
        if not requires and not answers.errors:
            answers.errors["forms"] = Names("请至少提一项要求", "Ask for at least one thing")
        answers.check()
        return editing.add_rule(
            place.region_list,
            names=names,
            legal_basis=basis,
            requires=requires,
            applies_to=scope,
            since=since,
            until=until,
            emergency=EntryReason(hurry) if hurry else None,
            now=place.now,
        )

    def _conditions(self, answers: Answers) -> Iterator[RuleCondition]:
        if forms := answers.several("forms", _FORMS):
            yield RuleCondition(ConditionKind.FORMS.value, forms)
        if level := answers.choice("assurance", _LEVELS, required=False):
            yield RuleCondition(ConditionKind.ASSURANCE_AT_LEAST.value, (level,))
        if issued := answers.number("issued_days"):
            yield RuleCondition(ConditionKind.ISSUED_WITHIN.value, span=timedelta(days=issued))
        if level := answers.choice("pdf_level", _PDF, required=False):
            yield RuleCondition(ConditionKind.PDF_LEVEL_AT_LEAST.value, (level,))
        yield from map(RuleCondition, answers.several("also", _ALSO))
        if present := tuple(answers.text("present", required=False).replace(",", " ").split()):
            yield RuleCondition(ConditionKind.CLAIMS_PRESENT.value, present)
        yield from self._tests(answers)
        for name, kind, unit, _, _ in _LIMITS:
            if number := answers.number(name):
                yield RuleCondition(kind.value, span=number * unit)

    def _tests(self, answers: Answers) -> Iterator[RuleCondition]:
        for number in range(CLAIMS):
            claim = answers.text(f"claim.{number}", required=False)
            if not claim:
                continue
            test, value = answers.choice(f"test.{number}", _TESTS), answers.text(f"value.{number}")
            if not test or not value:
                continue
            try:
                yield parse_condition(f"{test}:{claim}={value}")
            except InvalidList:
                answers.errors[f"value.{number}"] = Names(
                    "填写有误：日期间隔如 90d", "Not understood; spans are like 90d"
                )


def _regions(place: Workplace) -> tuple[Option, ...]:
    """The own region, the members, and what the list reads of other networks."""
    members = [(region.code, region.names) for region in regions_of(place.view)]
    foreign = [(entry.code, list_names(place.view, entry.code) or entry.names) for entry in place.region_list.foreign]
    return (*members, *foreign)
