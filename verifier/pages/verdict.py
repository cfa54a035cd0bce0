"""A report as a page shows it: one word, one sentence, what was shown, why, how old, what next. Words, no decisions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from trust_registry.attestations import Attestation
from trust_registry.core import as_ours
from trust_registry.model import CertificateType, Names, Scenario, TrustView
from verifier import messages
from verifier.model import Equivalence, EvidenceKind, Indication, Report, recognised_as
from verifier.pages.signatures import Signed, signatures_of
from verifier.pages.small_print import SmallPrint
from verifier.reports.paper_words import ANY_PDF, FORMS
from verifier.wire import report_to_json

CLEAR_AFTER = 180  # seconds that claims stay on a screen
_KINDS = {Indication.PASSED: "passed", Indication.FAILED: "failed", Indication.INDETERMINATE: "indeterminate"}
_NOT_RELIED_ON = Names("不可采信", "Do not rely on it")
_COMPARE = Names(
    "如果有人拿着它来办事，请再核对其身份证件。",
    "If somebody presents it to you, compare it with their identity document too.",
)


@dataclass(frozen=True, slots=True)
class Claim:
    names: Names
    value: str


@dataclass(frozen=True, slots=True)
class Reason:
    """One finding: how it went, what it means, and small print for who wants it."""

    check: str
    outcome: str
    text: str
    detail: str
    decisive: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """Everything the verdict page shows. `asked` are the claims that the scenario needs, `others` the rest, both under
    the accepting region's names; `accepted_as` is its own type that the certificate is taken as, if it is another."""

    kind: str
    headline: str
    sentence: str
    next_step: str
    certificate: Names | None
    accepted_as: Names | None
    issuer: Names | None
    form: Names | None
    asked: tuple[Claim, ...]
    others: tuple[Claim, ...]
    missing: tuple[Names, ...]
    reasons: tuple[Reason, ...]
    age: str
    terms: str
    report: str
    signatures: tuple[Signed, ...] = ()
    clear_after: int = CLEAR_AFTER


def make_verdict(report: Report, view: TrustView | None, language: str, *, public: bool = False) -> Verdict:
    """`language` is "zh" or "en". `public`: for a reader who accepts nothing, and only asks whether it stands."""
    attestation = report.attestation
    type_ = None if attestation is None or view is None else view.types.get(attestation.type_id)
    issuer = None if attestation is None or view is None else view.issuers.get(attestation.issuer_id)
    small_print = SmallPrint(report, view, language)
    equivalence = recognised_as(report)
    own = None if equivalence is None or view is None else view.types.get(equivalence.as_type)
    asked, others, missing = _claims(attestation, type_, own, equivalence, report.policy.scenario)
    return Verdict(
        kind=_KINDS[report.indication],
        headline=_headline(report, language, public=public),
        sentence=_sentence(report, view, language),
        next_step=_next_step(report, language, public=public),
        certificate=type_.names if type_ else None,
        accepted_as=own.names if own and own is not type_ else None,
        issuer=issuer.names if issuer else None,
        form=_form(report),
        asked=asked,
        others=others,
        missing=missing,
        reasons=tuple(
            Reason(
                messages.CHECK_NAMES[finding.check].in_language(language),
                finding.outcome.value,
                messages.sentence(finding, language),
                small_print.of(finding),
                finding == report.decisive,
            )
            for finding in report.findings
        ),
        age=messages.data_age(report, language),
        terms=" / ".join(each.value for each in (report.indication, report.sub_indication) if each is not None),
        report=json.dumps(report_to_json(report, language), ensure_ascii=False, indent=2),
        signatures=signatures_of(report, view, language),
    )


def _headline(report: Report, language: str, *, public: bool) -> str:
    """Who accepts nothing has nothing to reject either."""
    if public and report.policy.accepting is None and report.indication is Indication.FAILED:
        return _NOT_RELIED_ON.in_language(language)
    return messages.headline(report, language)


def _form(report: Report) -> Names | None:
    """What was handed in. A PDF without certificate data is no certificate by its looks alone."""
    if report.kind is EvidenceKind.PDF and report.attestation is None:
        return ANY_PDF
    return FORMS.get(report.kind.value) if report.kind else None


def _next_step(report: Report, language: str, *, public: bool) -> str:
    """Who only asks whether it stands has nothing to go ahead with: compare, no more."""
    now = report.attestation is not None and report.kind is not EvidenceKind.ARCHIVE
    if public and report.policy.accepting is None and now and report.decisive is None:
        return _COMPARE.in_language(language)
    return messages.next_step(report, language)


def _sentence(report: Report, view: TrustView | None, language: str) -> str:
    """For a pass, what stands in one breath: whose, what, accepted by whom for what; else the decisive finding."""
    attestation, scenario = report.attestation, report.policy.scenario
    if report.indication is not Indication.PASSED or attestation is None or view is None:
        return messages.summary(report, language)
    if report.kind is EvidenceKind.ARCHIVE:
        return _then(report, attestation, view, language)
    issuer, type_ = view.issuers.get(attestation.issuer_id), view.types.get(attestation.type_id)
    if issuer is None or type_ is None:
        return messages.summary(report, language)
    zh = f"{issuer.names.zh}颁发的{type_.names.zh}，真实、现行有效"
    en = f"{type_.names.en} of {issuer.names.en}: genuine and in force"
    accepting = view.lists.get(report.policy.accepting) if report.policy.accepting else None
    if accepting is not None and scenario is not None:
        zh += f"，{accepting.names.zh}认可用于{scenario.names.zh}"
        en += f"; {accepting.names.en} accepts it for {scenario.names.en.lower()}"
    elif accepting is not None:
        zh, en = zh + f"，{accepting.names.zh}认可", en + f"; {accepting.names.en} accepts it"
    return f"{en}." if language == "en" else f"{zh}。"


def _then(report: Report, attestation: Attestation, view: TrustView, language: str) -> str:
    """What a case file proves: that it stood then, never that it stands."""
    issuer, type_ = view.issuers.get(attestation.issuer_id), view.types.get(attestation.type_id)
    told = messages.telling(report).facts.get("at")
    if issuer is None or type_ is None or not isinstance(told, datetime):
        return messages.summary(report, language)
    when = messages.moment(told, language)
    if language == "en":
        return f"{type_.names.en} of {issuer.names.en}: on {when} it was genuine and in force, and this proves it."
    return f"{issuer.names.zh}颁发的{type_.names.zh}，在{when}时真实有效，卷宗可以证明。"


def _claims(
    attestation: Attestation | None,
    type_: CertificateType | None,
    own: CertificateType | None,
    equivalence: Equivalence | None,
    scenario: Scenario | None,
) -> tuple[tuple[Claim, ...], tuple[Claim, ...], tuple[Names, ...]]:
    """What the scenario asks for, the rest, and what is missing. `own`: the accepting region's type, if it has one."""
    if attestation is None:
        return (), (), ()
    equivalences = () if equivalence is None else equivalence.claims
    values = as_ours(attestation.claims, equivalences)
    theirs = {claim.name: claim.names for claim in type_.claims} if type_ else {}
    names: dict[str, Names] = {claim.name: claim.names for claim in own.claims} if own else {}
    names |= {name: called for name, called in as_ours(theirs, equivalences).items() if name not in names}
    fitting = {attestation.type_id} if equivalence is None else {attestation.type_id, equivalence.as_type}
    need = next((n for n in scenario.requires if not fitting.isdisjoint(n.any_of)), None) if scenario else None
    order = [*names, *(name for name in values if name not in names)]
    shown = [name for name in order if values.get(name) is not None]
    wanted = {*need.claims, *need.optional_claims} if need else set() if scenario else set(shown)

    def claims(chosen: list[str]) -> tuple[Claim, ...]:
        return tuple(Claim(names.get(n, Names(n, n)), _value(values[n])) for n in chosen)

    missing = tuple(names.get(n, Names(n, n)) for n in (need.claims if need else ()) if n not in shown)
    return claims([n for n in shown if n in wanted]), claims([n for n in shown if n not in wanted]), missing


def _value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "、".join(_value(item) for item in value)
    if isinstance(value, Mapping):
        return "；".join(_value(item) for item in value.values())
    return str(value)
