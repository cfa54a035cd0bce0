"""Acceptance rules in words, zh and en: what a condition asks for and what a rule is about. Decides nothing.

Written for clerks and officers; the values are the rule's own, never a certificate's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Final

from trust_registry.model import AcceptanceRule, Assurance, ConditionKind, Names, RuleCondition, RuleScope
from trust_registry.wording import ASSURANCE_NAMES

Label = Callable[[str], Names]
FORM_NAMES: Final = {
    "pdf": Names("盖章 PDF 文件", "sealed PDF"),
    "sd_jwt_vc": Names("电子凭证", "electronic credential"),
    "qr": Names("打印二维码", "printed code"),
    "mdoc": Names("移动证件", "mobile document"),
    "health_certificate": Names("欧盟格式健康证明", "European health certificate"),
}
CHANGE_NAMES: Final = {
    "signature": Names("增加签名", "further signatures"),
    "form_value": Names("填写表单", "forms filled in"),
    "annotation": Names("批注", "notes on a page"),
}
_TEXTS: Final = {
    ConditionKind.ASSURANCE_AT_LEAST: Names("颁证的保证级别须不低于“{values}”", "assurance must be {values} or higher"),
    ConditionKind.TAKEN_AS: Names("须为或视同{values}", "it must be, or be taken as, {values}"),
    ConditionKind.FORMS: Names("须以{values}的形式提交", "it must be handed in as {values}"),
    ConditionKind.PDF_LEVEL_AT_LEAST: Names(
        "PDF 的签名级别须达到 {values}", "a PDF must be signed at level {values} or higher"
    ),
    ConditionKind.TIME_PROVEN: Names(
        "盖章时间须有可信时间戳证明", "a trusted time-stamp must prove when it was sealed"
    ),
    ConditionKind.ISSUED_WITHIN: Names("颁发距今不得超过{span}", "it must have been issued within {span}"),
    ConditionKind.ALGORITHMS_UNTIL: Names(
        "以 {values} 签名的，须在 {at} 之前盖章", "if signed with {values}, it must have been sealed before {at}"
    ),
    ConditionKind.CHANGES_TOLERATED: Names("盖章后只允许{values}", "since sealing, only these may be added: {values}"),
    ConditionKind.HOLDER_BOUND: Names("须由持证人的密钥当场出示", "the holder's own key must show it, here and now"),
    ConditionKind.CLAIMS_PRESENT: Names("须完整出示{values}", "it must show in full: {values}"),
    ConditionKind.CLAIM_ONE_OF: Names("“{claim}”须为 {values}", "“{claim}” must be {values}"),
    ConditionKind.CLAIM_AT_LEAST: Names("“{claim}”须不小于 {values}", "“{claim}” must be {values} or more"),
    ConditionKind.CLAIM_AT_MOST: Names("“{claim}”须不大于 {values}", "“{claim}” must be {values} or less"),
    ConditionKind.CLAIM_PAST_AT_MOST: Names(
        "“{claim}”距今不得超过{span}", "“{claim}” must be a day no more than {span} ago"
    ),
    ConditionKind.CLAIM_PAST_AT_LEAST: Names("“{claim}”距今须满{span}", "“{claim}” must be a day at least {span} ago"),
    ConditionKind.CLAIM_AHEAD_AT_LEAST: Names(
        "“{claim}”须在{span}之后", "“{claim}” must be a day at least {span} ahead"
    ),
    ConditionKind.CLAIM_AHEAD_AT_MOST: Names(
        "“{claim}”须在{span}之内", "“{claim}” must be a day no more than {span} ahead"
    ),
    ConditionKind.TRUST_AGE_AT_MOST: Names(
        "信任数据可旧至{span}", "trust data may be {span} old, whatever the service allows"
    ),
    ConditionKind.STATUS_AGE_AT_MOST: Names(
        "状态数据可旧至{span}", "status data may be {span} old, whatever the service allows"
    ),
    ConditionKind.STATUS_GRACE: Names(
        "取不到新的状态数据时，可再沿用{span}", "where no newer status data can be had, {span} more are allowed"
    ),
}
_NO_CHANGE: Final = Names("盖章后不得有任何改动", "nothing may be added since sealing")
_NOTHING: Final = Names("", "")


def plain(text: str) -> Names:
    """What has no other name."""
    return Names(text, text)


def condition_words(condition: RuleCondition, label: Label = plain, type_name: Label = plain) -> Names:
    """What the condition asks for. `label` names a claim, `type_name` a certificate type."""
    kind = condition.known
    if kind is None:
        return Names(
            f"本版软件不认识的条件 {condition.kind}", f"a condition that this version does not know: {condition.kind}"
        )
    if kind is ConditionKind.CHANGES_TOLERATED and not condition.values:
        return _NO_CHANGE
    values = _values(kind, condition.values, label, type_name)
    claim = _NOTHING if condition.claim is None else label(condition.claim)
    span = _NOTHING if condition.span is None else span_words(condition.span)
    at = "" if condition.at is None else f"{condition.at:%Y-%m-%dT%H:%MZ}"
    text = _TEXTS[kind]
    return Names(
        text.zh.format(values=values.zh, claim=claim.zh, span=span.zh, at=at),
        text.en.format(values=values.en, claim=claim.en, span=span.en, at=at),
    )


def kind_words(kind: ConditionKind) -> Names:
    """What a kind asks for, with an ellipsis where its values stand."""
    text, gap = _TEXTS[kind], {"values": "…", "claim": "…", "span": "…", "at": "…"}
    return Names(text.zh.format(**gap), text.en.format(**gap))


def scope_words(scope: RuleScope, scenario: Label = plain, type_name: Label = plain, region: Label = plain) -> Names:
    """What a rule is about, in brackets' worth of words."""
    parts = [
        _part(scope.scenarios, scenario, Names("全部事项", "all services")),
        _part(scope.types, type_name, Names("全部证照", "all types")),
        _part(scope.issuing, region, Names("任何地区颁发", "from anywhere"), Names("{}颁发", "from {}")),
    ]
    if scope.forms:
        parts.append(_part(scope.forms, form_name, _NOTHING))
    return Names("；".join(part.zh for part in parts), "; ".join(part.en for part in parts))


def rule_words(rule: AcceptanceRule, label: Label = plain, type_name: Label = plain) -> Names:
    """All that a rule asks for, in one sentence."""
    found = [condition_words(condition, label, type_name) for condition in rule.requires]
    return Names("；".join(each.zh for each in found), "; ".join(each.en for each in found))


def form_name(form: str) -> Names:
    """A form of evidence; one that is not known, by its identifier."""
    return FORM_NAMES.get(form, plain(form))


def span_words(span: timedelta) -> Names:
    """Days where it is whole days, else hours or minutes."""
    minutes = int(span.total_seconds()) // 60
    if not minutes % 1440:
        return _counted(minutes // 1440, " 天", "day")
    return _counted(minutes // 60, " 小时", "hour") if not minutes % 60 else _counted(minutes, " 分钟", "minute")


def _counted(number: int, zh: str, en: str) -> Names:
    return Names(f" {number}{zh}", f"{number} {en}{'' if number == 1 else 's'}")


def _values(kind: ConditionKind, values: Iterable[str], label: Label, type_name: Label) -> Names:
    name: Label = {
        ConditionKind.ASSURANCE_AT_LEAST: lambda value: ASSURANCE_NAMES[Assurance(value)],
        ConditionKind.TAKEN_AS: type_name,
        ConditionKind.FORMS: form_name,
        ConditionKind.CHANGES_TOLERATED: lambda value: CHANGE_NAMES.get(value, plain(value)),
        ConditionKind.CLAIMS_PRESENT: label,
    }.get(kind, plain)
    either = kind in (ConditionKind.FORMS, ConditionKind.TAKEN_AS, ConditionKind.CLAIM_ONE_OF)
    return _joined([name(value) for value in values], Names("或", " or ") if either else Names("、", ", "))


def _part(values: Iterable[str], name: Label, everything: Names, frame: Names | None = None) -> Names:
    found = [name(value) for value in values]
    if not found:
        return everything
    joined = _joined(found, Names("、", ", "))
    return joined if frame is None else Names(frame.zh.format(joined.zh), frame.en.format(joined.en))


def _joined(names: list[Names], between: Names) -> Names:
    return Names(between.zh.join(each.zh for each in names), between.en.join(each.en for each in names))
