"""What a clerk reads: for every finding code one sentence and one next step, in Chinese and English; words, no jargon.

Decides nothing and knows no claims. The sentences themselves are data, in `verifier.phrases`; pages and the command
line take headline, sentence and next step from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo

from keys.envelopes.pades import Change, ChangeKind
from trust_registry.instants import in_zone
from trust_registry.model import Assurance, Names
from trust_registry.wording import ASSURANCE_NAMES
from verifier.model import Check, EvidenceKind, Finding, Indication, Outcome, Report
from verifier.phrases import PHRASES, Phrase
from verifier.phrases.changes import CHANGES, NOT_PERMITTED, PERMITTED

DEFAULT_ZONE: Final = ZoneInfo("Asia/Shanghai")

HEADLINES: Final[Mapping[Indication, Names]] = {
    Indication.PASSED: Names("可以受理", "Accept"),
    Indication.FAILED: Names("不能受理", "Reject"),
    Indication.INDETERMINATE: Names("暂时无法判断", "Cannot tell"),
}
_GENUINE: Final = Names("真实有效", "Genuine and in force")  # by whom it is to be accepted, nobody said
_KEPT: Final[Mapping[EvidenceKind | None, Names]] = {  # what is good as a record of then, and no certificate
    EvidenceKind.RECEIPT: Names("回执属实", "Genuine receipt"),
    EvidenceKind.ARCHIVE: Names("卷宗可信", "Genuine case file"),
}
HEADLINES_OF_SIGNATURES: Final[Mapping[Indication, Names]] = {
    Indication.PASSED: Names("有效", "Good"),
    Indication.FAILED: Names("无效", "Bad"),
    Indication.INDETERMINATE: Names("无法判断", "Cannot tell"),
}
SYMBOLS: Final[Mapping[Indication, str]] = {
    Indication.PASSED: "✓",
    Indication.FAILED: "✕",
    Indication.INDETERMINATE: "?",
}
OUTCOME_SYMBOLS: Final[Mapping[Outcome, str]] = {
    Outcome.PASSED: "✓",
    Outcome.FAILED: "✕",
    Outcome.UNKNOWN: "?",
    Outcome.NOT_APPLICABLE: "–",
}
CHECK_NAMES: Final[Mapping[Check, Names]] = {
    Check.FORMAT: Names("格式", "Format"),
    Check.INTEGRITY: Names("内容未被改动", "Unaltered"),
    Check.CERTIFICATE_PATH: Names("印章来源", "Origin of the seal"),
    Check.ENTITLEMENT: Names("颁证权限", "Right to issue"),
    Check.SIGNING_TIME: Names("盖章时间", "Time of sealing"),
    Check.STATUS: Names("证照状态", "Status"),
    Check.VALIDITY: Names("有效期", "Validity"),
    Check.RECOGNITION: Names("本地是否认可", "Recognised here"),
    Check.ACCEPTANCE: Names("受理规则", "Rules here"),
    Check.HOLDER_BINDING: Names("持证人", "Holder"),
    Check.FRESHNESS: Names("数据是否够新", "Freshness of data"),
}
QUIET_CHANGES: Final = frozenset({ChangeKind.VALIDATION_DATA, ChangeKind.DOCUMENT_TIMESTAMP, ChangeKind.METADATA})
_PASSED_NEXT: Final = Names("可以办理。", "Go ahead.")
_PROVEN: Final = frozenset({"archive_proven", "archive_proven_late"})
_UNBOUND: Final = frozenset({"not_bound", "binding_not_shown"})
_COMPARE: Final = Names(
    "请核对持证人的身份证件，然后办理。", "Compare with the holder's identity document, then go ahead."
)
_UNASKED_NEXT: Final = Names(
    "能否用来办事，由受理单位决定。", "Whether it may be used is for the agency to say to which it is handed in."
)
_RECEIPT_NEXT: Final = Names(
    "可作为办件依据归档。要知道证照现在是否有效，请核验证照本身。",
    "It may be filed with the case. To know whether the certificate stands today, check the certificate itself.",
)
_ARCHIVE_NEXT: Final = Names(
    "这是当时的结论。要知道证照现在是否有效，请核验证照本身。",
    "That was the verdict then. To know whether the certificate stands today, check the certificate itself.",
)


def headline(report: Report, language: str) -> str:
    """Accept, Reject or Cannot tell. Nothing is accepted where no region was named, nor a record in its certificate's
    place: it says how that stood, not how it stands."""
    words = HEADLINES[report.indication]
    if report.indication is Indication.PASSED:
        words = _KEPT.get(report.kind, _GENUINE if report.policy.accepting is None else words)
    return words.in_language(language)


def sentence(finding: Finding, language: str, zone: tzinfo = DEFAULT_ZONE) -> str:
    """What was found, in one sentence. `language` is "zh" or "en"; times are shown in `zone`."""
    phrase = PHRASES[finding.code]
    return _fill(phrase.en if language.startswith("en") else phrase.zh, finding.facts, language, zone)


def finding_next_step(finding: Finding, language: str, zone: tzinfo = DEFAULT_ZONE) -> str:
    """What to do about this one finding; empty when nothing."""
    phrase = PHRASES[finding.code]
    return _fill(phrase.next_en if language.startswith("en") else phrase.next_zh, finding.facts, language, zone)


def summary(report: Report, language: str, zone: tzinfo = DEFAULT_ZONE) -> str:
    """Why, in one sentence: the decisive finding's, or for a pass what stands."""
    return sentence(telling(report), language, zone)


def telling(report: Report) -> Finding:
    """The finding that says most: the decisive one, or for a pass what stands."""
    return report.decisive or _most_telling(report.findings)


def next_step(report: Report, language: str, zone: tzinfo = DEFAULT_ZONE) -> str:
    """What the clerk does now."""
    if report.decisive is not None:
        return finding_next_step(report.decisive, language, zone)
    if report.kind in _KEPT:
        return (_RECEIPT_NEXT if report.kind is EvidenceKind.RECEIPT else _ARCHIVE_NEXT).in_language(language)
    if not _UNBOUND.isdisjoint(finding.code for finding in report.findings):
        return _COMPARE.in_language(language)
    return (_UNASKED_NEXT if report.policy.accepting is None else _PASSED_NEXT).in_language(language)


def change(made: Change, language: str) -> str:
    """What was done to a document after a signature, in one sentence with its pages."""
    english = language.startswith("en")
    words = CHANGES[made.kind].in_language(language)
    if made.pages:
        numbers = _numbers(made.pages, ", " if english else "、")
        where = f"Page {numbers}: " if len(made.pages) == 1 else f"Pages {numbers}: "
        words = where + words[:1].lower() + words[1:] if english else f"第 {numbers} 页：{words}"
    if made.kind in QUIET_CHANGES:
        return words
    return words + (" " if english else "") + (PERMITTED if made.permitted else NOT_PERMITTED).in_language(language)


def _numbers(pages: tuple[int, ...], comma: str) -> str:
    """Page numbers, the first few by name."""
    shown = comma.join(str(page) for page in pages[:8])
    return shown if len(pages) <= 8 else f"{shown}…"


def age(duration: timedelta, language: str) -> str:
    """How old, rounded down to the largest unit: "3 小时前", "3 hours ago"."""
    seconds = int(duration.total_seconds())
    for size, zh, en in ((86400, "天", "day"), (3600, "小时", "hour"), (60, "分钟", "minute")):
        if seconds >= size:
            number = seconds // size
            return f"{number} {en}{'s' if number > 1 else ''} ago" if language.startswith("en") else f"{number} {zh}前"
    return "just now" if language.startswith("en") else "刚刚"


def data_age(report: Report, language: str) -> str:
    """How old the data are that the verdict rests on, as one line; empty when it rests on none."""
    english = language.startswith("en")
    parts = []
    if report.freshness.trust_age is not None:
        parts.append(("Trust data: " if english else "信任数据：") + age(report.freshness.trust_age, language))
    if report.freshness.status_age is not None:
        parts.append(("status data: " if english else "状态数据：") + age(report.freshness.status_age, language))
    return ("; " if english else "；").join(parts)


def moment(at: datetime, language: str, zone: tzinfo = DEFAULT_ZONE) -> str:
    """A time as people read it, to the minute."""
    local = in_zone(at, zone)
    if language.startswith("en"):
        return f"{local.day} {local:%b} {local.year}, {local:%H:%M}"
    return f"{local.year}年{local.month}月{local.day}日 {local:%H:%M}"


def _most_telling(findings: tuple[Finding, ...]) -> Finding:
    proven = next((each for each in findings if each.code in _PROVEN), None)
    if proven is not None:
        return proven
    for check in (Check.RECOGNITION, Check.ENTITLEMENT, Check.CERTIFICATE_PATH):
        for finding in findings:
            if finding.check is check and finding.outcome is Outcome.PASSED:
                return finding
    return findings[0]


def _fill(template: str, facts: Mapping[str, Any], language: str, zone: tzinfo) -> str:
    if "{" not in template:
        return template
    return template.format_map({name: _shown(value, language, zone) for name, value in facts.items()})


def _shown(value: Any, language: str, zone: tzinfo) -> str:
    if isinstance(value, Names):
        return value.in_language(language)
    if isinstance(value, datetime):
        return moment(value, language, zone)
    if isinstance(value, timedelta):
        return _span(value, language)
    if isinstance(value, Assurance):
        return ASSURANCE_NAMES[value].in_language(language)
    if isinstance(value, Indication):
        return HEADLINES[value].in_language(language)
    return str(value)


def _span(duration: timedelta, language: str) -> str:
    hours = int(duration.total_seconds()) // 3600
    english = language.startswith("en")
    if hours >= 48:
        return f"{hours // 24} days" if english else f"{hours // 24} 天"
    if hours >= 1:
        return f"{hours} hour{'s' if hours > 1 else ''}" if english else f"{hours} 小时"
    minutes = max(1, int(duration.total_seconds()) // 60)
    return f"{minutes} minute{'s' if minutes > 1 else ''}" if english else f"{minutes} 分钟"


__all__ = [
    "CHECK_NAMES",
    "HEADLINES",
    "HEADLINES_OF_SIGNATURES",
    "OUTCOME_SYMBOLS",
    "PHRASES",
    "QUIET_CHANGES",
    "SYMBOLS",
    "Phrase",
    "age",
    "change",
    "data_age",
    "finding_next_step",
    "headline",
    "moment",
    "next_step",
    "sentence",
    "summary",
    "telling",
]
