"""The report as a document to sign and to file: one or two pages, PDF/A-3b, tagged, with the data attached.

Made from the report's JSON as a receipt keeps it (`verifier.wire.filed_report`), so that a receipt of years ago can be
printed, too. Decides nothing; prints no claims unless somebody asked for them (`claims`). The same report gives the
same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from trust_registry.model import IssuerId, Names, RegionCode, ScenarioId, TrustView, TypeId
from trust_registry.typesetting import settable, typeset
from verifier import messages
from verifier.model import Check, EvidenceKind, Indication, Outcome
from verifier.reports import paper_words as words

MEDIA_TYPE: Final = "application/pdf"
MAX_SIGNATURES: Final = 12
MAX_CHANGES: Final = 6
_LONGEST: Final = 400  # characters of anything that a stranger wrote
_TEMPLATE: Final = Path(__file__).parent / "templates" / "report.typ"
_COLOURS: Final = {"PASSED": "#14703f", "FAILED": "#9f1239", "INDETERMINATE": "#8a5300"}
_SYMBOLS: Final = {**messages.OUTCOME_SYMBOLS, Outcome.FAILED: "×"}  # the fonts have no heavier cross
_OUTCOME_COLOURS: Final = {
    "passed": "#14703f",
    "failed": "#9f1239",
    "unknown": "#8a5300",
    "not_applicable": "#5c636d",
}


@dataclass(frozen=True, slots=True)
class Paper:
    """What is printed: `document` is `filed_report`'s JSON, with a receipt's `number`, `versions` and `status` if it is
    one. `party`: who judged. `attached`: files by name, with media type and description in either language.
    """

    document: Mapping[str, Any]
    party: Names | None = None
    number: str | None = None
    versions: Mapping[str, int] = field(default_factory=dict)
    status: str | None = None
    attached: Mapping[str, tuple[bytes, str, Names]] = field(default_factory=dict)
    claims: Mapping[Names, str] = field(default_factory=dict)


def render_report(paper: Paper, trust: TrustView | None, language: str) -> bytes:
    """The document as PDF/A-3b in `language` ("zh" or "en"). `trust` finds the names of issuers, types and scenarios.

    Characters that the fonts lack are printed as 〓; the attached data have them.
    Spec: ISO 19005-3 (PDF/A-3b), ISO 32000-2 clause 14.13.
    """
    english = language.startswith("en")
    data = _Words(paper, trust, "en" if english else "zh").data()
    files = {
        "main.typ": _template(),
        "data.json": json.dumps(_settable(data), ensure_ascii=False).encode(),
        **{name: content for name, (content, _, _) in paper.attached.items()},
    }
    return typeset(files, int(_moment(paper.document["time"]["judged_at"]).timestamp()), "a-3b")


def _settable(value: Any) -> Any:
    """The same values with every text as the fonts can set it."""
    if isinstance(value, str):
        return settable(value)
    if isinstance(value, dict):
        return {name: _settable(each) for name, each in value.items()}
    return [_settable(each) for each in value] if isinstance(value, list) else value


@lru_cache(maxsize=1)
def _template() -> bytes:
    return _TEMPLATE.read_bytes()


class _Words:
    """What one document says, in one language."""

    def __init__(self, paper: Paper, trust: TrustView | None, language: str) -> None:
        self._paper = paper
        self._document = paper.document
        self._trust = trust
        self._language = language

    def data(self) -> dict[str, Any]:
        document, fixed = self._document, words.FIXED
        told = document["words"][self._language]
        terms = " / ".join(filter(None, (document["indication"], document["sub_indication"])))
        return {
            "lang": self._language,
            **{name: text.in_language(self._language) for name, text in fixed.items()},
            "author": self._named(self._paper.party) or "Yinxin",
            "subtitle": self._named(self._paper.party),
            "number": self._paper.number or document["evidence"]["digest"][:23],
            "judged": self._time(document["time"]["judged_at"]),
            "verdict": {
                "colour": _COLOURS[document["indication"]],
                "word": told["headline"],
                "terms": terms,
                "sentence": _short(told["summary"]),
                "next": _short(told["next_step"]),
            },
            "subject": self._subject(),
            "findings-head": [name.in_language(self._language) for name in words.FINDINGS_HEAD],
            "findings": [self._finding(each) for each in document["findings"]],
            "signatures": self._signatures(),
            "basis": self._basis(),
            "notes": [note.in_language(self._language) for note in words.NOTES],
            "sign": [label.in_language(self._language) for label in words.SIGN],
            "attachments": [
                {"name": name, "type": media_type, "description": self._named(description)}
                for name, (_, media_type, description) in self._paper.attached.items()
            ],
        }

    def _subject(self) -> list[dict[str, Any]]:
        """What was handed in. Of the certificate only what identifies it."""
        document, certificate = self._document, self._document["certificate"]
        rows = [self._row("form", self._form(), code=False)]
        if certificate is not None:
            trust = self._trust
            type_ = None if trust is None else trust.types.get(TypeId(certificate["type"]))
            issuer = None if trust is None else trust.issuers.get(IssuerId(certificate["issuer"]))
            until = certificate["valid_until"]
            rows += [
                self._row("type", self._named(type_.names) if type_ else certificate["type"]),
                self._row("issuer", self._named(issuer.names) if issuer else certificate["issuer"]),
                self._row("certificate", certificate["id"], code=True),
                self._row("validity", self._span(certificate["valid_from"], until)),
            ]
        rows += [self._row_of(names, value) for names, value in self._paper.claims.items()]
        signed_at = document["time"]["signed_at"]
        if signed_at is not None:
            proof = words.PROVEN if document["time"]["proven"] else words.CLAIMED
            rows.append(self._row("signed_at", self._time(signed_at) + proof.in_language(self._language)))
        rows.append(self._row("digest", document["evidence"]["digest"], code=True))
        return rows

    def _form(self) -> str:
        kind = self._document["evidence"]["kind"]
        if kind == EvidenceKind.PDF.value and self._document["certificate"] is None:
            return self._named(words.ANY_PDF)
        return self._named(words.FORMS.get(kind, words.UNKNOWN_FORM))

    def _span(self, since: str, until: str | None) -> str:
        end = self._named(words.NO_END) if until is None else self._time(until)
        return f"{self._time(since)} – {end}"

    def _finding(self, finding: Mapping[str, Any]) -> dict[str, str]:
        outcome = Outcome(finding["outcome"])
        check = next((each for each in Check if each.value == finding["check"]), None)
        return {
            "check": self._named(messages.CHECK_NAMES[check]) if check else finding["check"],
            "outcome": f"{_SYMBOLS[outcome]} {self._named(words.OUTCOMES[outcome])}",
            "colour": _OUTCOME_COLOURS[outcome.value],
            "text": _short(self._text(finding)),
            "detail": finding["sub_indication"] or "",
        }

    def _text(self, worded: Mapping[str, Any]) -> str:
        """The sentence; a receipt from before sentences were kept has only a code."""
        text = worded.get("text")
        return str(text[self._language]) if isinstance(text, Mapping) else str(text or worded.get("code", ""))

    def _signatures(self) -> list[dict[str, Any]]:
        """Each of several; a single one that nothing was done after says no more than the checks do."""
        listed: Sequence[Mapping[str, Any]] = self._document.get("signatures", ())
        if len(listed) == 1 and not listed[0]["changes"]:
            return []
        return [self._signature(number, each) for number, each in enumerate(listed[:MAX_SIGNATURES], 1)]

    def _signature(self, number: int, signature: Mapping[str, Any]) -> dict[str, Any]:
        findings = signature["findings"]
        telling = [each for each in findings if each["code"] == signature["decisive"]]
        telling += [each for each in findings if each["check"] == Check.INTEGRITY.value] or list(findings)
        signer = signature["signer"]
        line = [
            signature["level"],
            self._time(signature["signed_at"]) if signature["signed_at"] else "",
            self._named(words.DECIDING) if signature["deciding"] else "",
            f"SHA-256 {signer['thumbprint'][:16]}…" if signer else "",
        ]
        changes = list(dict.fromkeys(self._text(each) for each in signature["changes"]))
        more = [f"… +{len(changes) - MAX_CHANGES}"] if len(changes) > MAX_CHANGES else []
        return {
            "title": f"{number}. " + _short(self._signer(signer) if signer else signature["name"], 90),
            "outcome": messages.HEADLINES_OF_SIGNATURES[Indication(signature["indication"])].in_language(
                self._language
            ),
            "colour": _COLOURS[signature["indication"]],
            "sentence": _short(self._text(telling[0])) if telling else "",
            "line": " · ".join(filter(None, line)),
            "changes": [_short(each, 160) for each in changes[:MAX_CHANGES]] + more,
        }

    def _signer(self, signer: Mapping[str, Any]) -> str:
        """The listed seal's name in the report's language, else what the certificate calls itself."""
        for issuer in () if self._trust is None else self._trust.issuers.values():
            for seal in issuer.seals:
                if seal.key.thumbprint == signer["thumbprint"]:
                    return self._named(seal.names)
        name: str = signer["name"]
        return name

    def _basis(self) -> list[dict[str, Any]]:
        """By which rules, lists and data."""
        document, policy = self._document, self._document["policy"]
        rows = []
        if policy["accepting"]:
            rows.append(self._row("accepting", self._region(policy["accepting"])))
        if policy["scenario"]:
            scenario = None if self._trust is None else self._trust.scenarios.get(ScenarioId(policy["scenario"]))
            rows.append(self._row("scenario", self._named(scenario.names) if scenario else policy["scenario"]))
        rows += [self._row("list", line) for line in self._lists()]
        versions = ", ".join(f"{name} {number}" for name, number in sorted(self._paper.versions.items()))
        if versions:
            rows.append(self._row("versions", _short(versions), code=True))
        if self._paper.status is not None:
            rows.append(self._row("status", self._paper.status, code=True))
        ages = document["freshness"]
        if ages["trust_age"] is not None or ages["status_age"] is not None:
            rows.append(self._row("ages", self._ages(ages)))
        rows.append(self._row("standards", self._named(words.STANDARDS)))
        return rows

    def _lists(self) -> list[str]:
        """The signed lists that were read: the issuing region's and the accepting one's."""
        certificate, accepting = self._document["certificate"], self._document["policy"]["accepting"]
        codes = [certificate["issuer"].partition("/")[0]] if certificate else []
        codes += [accepting] if accepting and accepting not in codes else []
        lines = []
        for code in codes:
            listed = None if self._trust is None else self._trust.lists.get(RegionCode(code))
            if listed is not None and self._trust is not None:
                signed = self._trust.signatures.get(RegionCode(code))
                count = "" if signed is None else str(len(signed.signed_by))
                template = words.LIST.in_language(self._language)
                lines.append(template.format(region=self._named(listed.names), version=listed.version, count=count))
        return lines

    def _ages(self, ages: Mapping[str, int | None]) -> str:
        parts = [
            self._named(names) + messages.age(timedelta(seconds=seconds), self._language)
            for names, seconds in ((words.TRUST_AGE, ages["trust_age"]), (words.STATUS_AGE, ages["status_age"]))
            if seconds is not None
        ]
        return ("; " if self._language == "en" else "；").join(parts)

    def _region(self, code: str) -> str:
        listed = None if self._trust is None else self._trust.lists.get(RegionCode(code))
        return f"{self._named(listed.names)} ({code})" if listed else code

    def _row(self, name: str, value: str, *, code: bool = False) -> dict[str, Any]:
        return {"label": self._named(words.LABELS[name]), "value": _short(value), "code": code}

    def _row_of(self, names: Names, value: str) -> dict[str, Any]:
        return {"label": self._named(names), "value": _short(value), "code": False}

    def _named(self, names: Names | None) -> str:
        return "" if names is None else names.in_language(self._language)

    def _time(self, text: str) -> str:
        return messages.moment(_moment(text), self._language)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _short(text: str, longest: int = _LONGEST) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
