"""The small line under each reason: what it rests on, for who wants to look it up. One line, no sentences."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from keys.errors import MalformedCertificate
from keys.x509 import parse_certificate
from trust_registry.model import KeyEntry, RegionCode, TrustView
from verifier.messages import moment
from verifier.model import Check, EvidenceKind, Finding, Report, recognised_as

_FORMS = {
    EvidenceKind.PDF: "PAdES",
    EvidenceKind.SD_JWT_VC: "SD-JWT VC",
    EvidenceKind.MDOC: "ISO/IEC 18013-5",
    EvidenceKind.QR: "CWT, COSE_Sign1",
    EvidenceKind.RECEIPT: "JWS",
    EvidenceKind.HEALTH: "HCERT, CWT, COSE_Sign1",
    EvidenceKind.ARCHIVE: "ASiC-E",
}


class SmallPrint:
    """The small print of one report."""

    def __init__(self, report: Report, view: TrustView | None, language: str) -> None:
        self._report = report
        self._view = view
        self._language = language
        self._makers: Mapping[Check, Callable[[Finding], str]] = {
            Check.FORMAT: lambda _finding: _FORMS[report.kind] if report.kind else "",
            Check.INTEGRITY: lambda _finding: self._signature(),
            Check.CERTIFICATE_PATH: lambda _finding: self._seal(),
            Check.ENTITLEMENT: lambda _finding: self._listed(),
            Check.SIGNING_TIME: lambda _finding: "RFC 3161" if report.signed_at_proven else "",
            Check.STATUS: lambda _finding: self._status(),
            Check.RECOGNITION: self._recognition,
            Check.FRESHNESS: lambda _finding: self._budgets(),
        }

    def of(self, finding: Finding) -> str:
        """The line of one finding, its sub-indication first when it has one."""
        parts = [finding.sub_indication.value if finding.sub_indication else ""]
        parts.append(self._makers[finding.check](finding) if finding.check in self._makers else "")
        parts += [str(finding.facts[name]) for name in ("algorithm", "signer", "anchor") if name in finding.facts]
        return " · ".join(part for part in parts if part)

    def _t(self, zh: str, en: str) -> str:
        return en if self._language == "en" else zh

    def _key(self) -> KeyEntry | None:
        attestation = self._report.attestation
        if attestation is None or self._view is None:
            return None
        issuer = self._view.issuers.get(attestation.issuer_id)
        seals = issuer.seals if issuer else ()
        return next((seal.key for seal in seals if seal.id == attestation.seal_id), None)

    def _signature(self) -> str:
        key = self._key()
        try:
            return parse_certificate(key.certificate).public_key.algorithm.jose if key else ""
        except MalformedCertificate:
            return ""

    def _seal(self) -> str:
        key, attestation = self._key(), self._report.attestation
        if key is None or attestation is None:
            return ""
        return f"{attestation.seal_id.rpartition('/')[2]} · SHA-256 {key.thumbprint[:16]}…"

    def _listed(self) -> str:
        attestation = self._report.attestation
        issuer = self._view.issuers.get(attestation.issuer_id) if attestation and self._view else None
        if attestation is None or issuer is None:
            return ""
        grants = (each for each in issuer.grants if each.type_id == attestation.type_id and each.history)
        since = min((each.history[0].at for each in grants), default=None)
        return " · ".join(filter(None, (self._since(since), self._signed(attestation.issuer_id.partition("/")[0]))))

    def _since(self, at: datetime | None) -> str:
        if at is None:
            return ""
        day = moment(at, self._language).rpartition(" ")[0].rstrip(",")
        return self._t(f"{day}起列入", f"listed since {day}")

    def _signed(self, code: str) -> str:
        """Which version of whose list, and how many officers signed it."""
        region = RegionCode(code)
        if self._view is None or region not in self._view.lists:
            return ""
        listed, signatures = self._view.lists[region], self._view.signatures.get(region)
        words = self._t(
            f"{listed.names.zh}名录第 {listed.version} 版", f"list of {listed.names.en}, version {listed.version}"
        )
        if signatures is None:
            return words
        count = len(signatures.signed_by)
        return words + self._t(f"，{count} 名登记官签名", f", signed by {count} officers")

    def _status(self) -> str:
        attestation = self._report.attestation
        if attestation is None:
            return ""
        return f"Token Status List · {self._t('第', 'index')} {attestation.status.index}{self._t(' 位', '')}"

    def _recognition(self, finding: Finding) -> str:
        accepting = self._report.policy.accepting
        entry: Any = finding.facts.get("entry")
        words = self._t(f"条目 {entry}", f"entry {entry}") if entry else ""
        equivalence = recognised_as(self._report)
        mapped = ", ".join(f"{each.theirs} → {each.ours}" for each in equivalence.claims) if equivalence else ""
        return " · ".join(filter(None, (words, mapped, self._signed(accepting) if accepting else "")))

    def _budgets(self) -> str:
        rules = self._report.policy.scenario or self._report.policy
        return self._t(
            f"上限：信任数据 {_days(rules.trust_staleness, 'zh')}，状态 {_days(rules.status_staleness, 'zh')}",
            f"limits: trust data {_days(rules.trust_staleness, 'en')}, status {_days(rules.status_staleness, 'en')}",
        )


def _days(duration: timedelta, language: str) -> str:
    hours = int(duration.total_seconds()) // 3600
    if hours % 24 == 0 and hours > 24:
        return f"{hours // 24} days" if language == "en" else f"{hours // 24} 天"
    return f"{hours} h" if language == "en" else f"{hours} 小时"
