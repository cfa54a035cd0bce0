"""How refusals are put into words, zh and en: a sentence, the facts it is about, and the reason that was given.

Reasons are written in English where they are raised; a `Phrasebook` holds them in both languages. Decides nothing,
and knows no value of a claim: refusals carry none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from enum import Enum
from typing import Any, Final

from trust_registry.model import Assurance, Names

ASSURANCE_NAMES: Final = {
    Assurance.LOW: Names("低", "low"),
    Assurance.SUBSTANTIAL: Names("中", "substantial"),
    Assurance.HIGH: Names("高", "high"),
}
_HOLE: Final = "{}"
_ATTRIBUTE: Final = re.compile(r"\{([a-z_]+)\}")
_LONGEST: Final = 400  # characters of a reason or a fact that are worth repeating
_LABELS: Final = {
    "again_at": Names("可再制作", "more from"),
    "allowed": Names("可以签署的有", "those who may:"),
    "claim": Names("项目", "claim"),
    "claims": Names("项目", "claims"),
    "code": Names("代码", "code"),
    "effective_at": Names("生效时间", "effective"),
    "entry": Names("条目", "entry"),
    "expired_at": Names("过期时间", "expired"),
    "field": Names("字段", "field"),
    "issuer_id": Names("机构", "issuer"),
    "limit": Names("上限", "at most"),
    "line": Names("行", "line"),
    "now": Names("现在", "now"),
    "pointer": Names("字段", "field"),
    "pointers": Names("字段", "fields"),
    "proposal_id": Names("提案", "proposal"),
    "read_at": Names("查看时间", "read"),
    "reason": Names("原因", "reason"),
    "scenario_id": Names("事项", "scenario"),
    "seal_id": Names("印章", "seal"),
    "shown_for": Names("出示给", "shown for"),
    "since": Names("自", "since"),
    "status": Names("状态", "status"),
    "supported": Names("支持", "supported:"),
    "type_id": Names("证照类型", "type"),
    "valid_from": Names("自", "from"),
    "valid_until": Names("至", "until"),
}
_VALUES: Final = {
    None: Names("未授予", "not granted"),
    "bytes": Names("字节", "bytes"),
    "items": Names("项", "items"),
    "granted": Names("已授予", "granted"),
    "suspended": Names("已暂停", "suspended"),
    "withdrawn": Names("已撤回", "withdrawn"),
    "valid": Names("有效", "valid"),
    "invalid": Names("已撤销", "revoked"),
}


class Phrasebook:
    """What is said in English, in both languages.

    Each phrase is (as raised, zh, en): en may be left out where what is raised reads well. `{}` stands for data, in
    the same order in all three; data that is itself a phrase is worded, too. Earlier phrases go first.
    """

    def __init__(self, *phrases: tuple[str, str] | tuple[str, str, str]) -> None:
        self._whole: dict[str, Names] = {}
        self._forms: list[tuple[re.Pattern[str], Names]] = []
        for said, zh, *en in phrases:
            names = Names(zh, en[0] if en else said)
            if _HOLE in said:
                form = "(.+?)".join(re.escape(part) for part in said.split(_HOLE))
                self._forms.append((re.compile(form, re.DOTALL), names))
            else:
                self._whole[said] = names

    def words(self, said: str) -> Names | None:
        """Both languages of `said`; None for what the book does not hold."""
        if len(said) > _LONGEST:
            return None
        if (whole := self._whole.get(said)) is not None:
            return whole
        for form, names in self._forms:
            if (match := form.fullmatch(said)) is not None:
                inner = [self.words(part) or Names(part, part) for part in match.groups()]
                return Names(_filled(names.zh, [n.zh for n in inner]), _filled(names.en, [n.en for n in inner]))
        return None


def _filled(template: str, parts: Sequence[str]) -> str:
    first, *rest = template.split(_HOLE)
    return first + "".join(part + piece for part, piece in zip(parts, rest, strict=True))


def worded(value: Any) -> Names:
    """A fact as it is read: instants in ISO 8601, statuses in words, several with commas, everything else as it is."""
    if isinstance(value, Enum):
        value = value.value
    if value is None or (isinstance(value, str) and value in _VALUES):
        return _VALUES[value]
    if isinstance(value, datetime):
        value = value.isoformat()
    if isinstance(value, (tuple, list)):
        several = [worded(each) for each in value]
        return Names("、".join(n.zh for n in several), ", ".join(n.en for n in several))
    text = str(value)
    text = text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
    return Names(text, text)


def facts_of(error: BaseException, attributes: Iterable[str]) -> Iterator[Names]:
    """The attributes of a refusal, each with its label; empty ones are passed over, a status None is "not granted"."""
    for attribute in attributes:
        value = getattr(error, attribute)
        if value is None and attribute != "status":
            continue
        if value in ("", ()):
            continue
        label, fact = _LABELS[attribute], worded(value)
        yield Names(f"{label.zh} {fact.zh}", f"{label.en} {fact.en}")


def filled(sentence: Names, error: BaseException) -> Names:
    """A sentence whose `{attribute}` holes are filled with the refusal's own."""
    parts = {name: worded(getattr(error, name)) for name in _ATTRIBUTE.findall(sentence.en)}
    return Names(
        _ATTRIBUTE.sub(lambda hole: parts[hole[1]].zh, sentence.zh),
        _ATTRIBUTE.sub(lambda hole: parts[hole[1]].en, sentence.en),
    )


def compose(sentence: Names, facts: Iterable[Names] = (), reason: Names | None = None) -> Names:
    """One sentence: "这枚印章不在有效期内（印章 …；至 …）。" A reason that lacks a language is left out of it."""
    told = list(facts)
    zh, en = sentence.zh.rstrip("。"), sentence.en.rstrip(".")
    if told:
        zh, en = f"{zh}（{'；'.join(n.zh for n in told)}）", f"{en} ({'; '.join(n.en for n in told)})"
    if reason is not None:
        zh = f"{zh}：{reason.zh.rstrip('。')}" if reason.zh else zh
        en = f"{en}: {reason.en.rstrip('.')}" if reason.en else en
    return Names(zh + "。", en + ".")


# What `catalogue.validate_claims` and `identifiers` say.
CLAIM_PHRASES: Final = (
    ("is required", "必须填写", "this is required"),
    ("is not a claim of this type", "这种证照没有这一项", "this type has no such claim"),
    ("does not satisfy enum {}", "须为 {} 之一", "must be one of {}"),
    ("does not satisfy pattern {}", "须符合格式 {}", "must have the form {}"),
    ("does not satisfy format 'date'", "须为存在的日期（YYYY-MM-DD）", "must be a date that exists (YYYY-MM-DD)"),
    ("does not satisfy format {}", "须符合格式 {}", "must have the format {}"),
    ("does not satisfy type 'string'", "须为文字", "must be text"),
    ("does not satisfy type {}", "类型须为 {}", "must be of type {}"),
    ("does not satisfy minLength 1", "不能为空", "must not be empty"),
    ("does not satisfy minLength {}", "至少 {} 个字符", "must have at least {} characters"),
    ("does not satisfy maxLength {}", "最多 {} 个字符", "must have at most {} characters"),
    ("does not satisfy minimum {}", "不得小于 {}", "must be at least {}"),
    ("does not satisfy maximum {}", "不得大于 {}", "must be at most {}"),
    ("does not satisfy {}", "不符合规则 {}", "breaks the rule {}"),
    ("the type's own schema can't be applied", "证照类型自身的规则无法执行"),
)
IDENTIFIER_PHRASES: Final = (
    ("18 characters are needed: 17 digits, then a digit or X", "须为 18 位：17 位数字，末位为数字或 X"),
    ("characters 7 to 14 are not a date", "第 7 至 14 位不是日期"),
    ("the check character does not fit", "校验不符"),
    ("18 digits and upper-case letters are needed", "须为 18 位数字或大写字母"),
    ("the form is not right", "格式不正确"),
    ("the form is {}", "格式应为 {}"),
    ("the type must be 18 characters and 3 digits", "类型段须为 18 个字符加 3 位数字"),
    ("the issuer must be a unified social credit code", "颁证机构段须为统一社会信用代码"),
    ("the serial must be 7 to 32 digits and upper-case letters", "流水号须为 7 至 32 位数字或大写字母"),
    ("the version must be 3 digits", "版本号须为 3 位数字"),
)
