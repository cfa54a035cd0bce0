"""From a verdict just given to its case file: which trust data it rested on, and who stamps. Decides nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from keys.timestamps import Timestamper, parse_timestamp_token
from trust_registry.bundle import open_bundle
from trust_registry.errors import TrustDamaged
from trust_registry.model import KeyUse, ListKind, RegionCode, TrustView
from verifier.archives.making import make_case_file
from verifier.archives.renewing import renew_case_file
from verifier.core import judge
from verifier.errors import MalformedEvidence
from verifier.evidence import parse
from verifier.model import Evidence, Finding, ReceiptFile, Report, SealedPdf

Bundle = Callable[[Collection[RegionCode] | None, Collection[str] | None], Mapping[str, bytes]]
"""(authorities or None for all, status list URIs) -> the files of the copy that verdicts rest on."""


@dataclass(frozen=True, slots=True)
class CaseMaker:
    """What case files are made with. `now` is UTC."""

    bundle: Bundle
    timestamper: Timestamper
    now: Callable[[], datetime]

    def make(
        self,
        evidence: bytes | str,
        report: Report,
        trust: TrustView | None,
        *,
        receipt: str | None = None,
        report_pdf: bytes | None = None,
    ) -> bytes:
        """The case file of a verdict just given by `trust`: with the lists that it rested on, and no others.

        Raises: TimestampUnavailable, TrustMissing, TrustDamaged.
        """
        files = None if trust is None else self._trust_data(evidence, report, trust, receipt)
        return make_case_file(
            evidence,
            report,
            timestamper=self.timestamper,
            made_at=self.now(),
            trust=files,
            receipt=receipt,
            report_pdf=report_pdf,
        )

    def renew(self, case: bytes, trust: TrustView | None) -> bytes:
        """The same case file, stamped once more; with the lists that name the time-stamper today, if any do.

        Raises: MalformedEnvelope for one that is not whole; TimestampUnavailable, TrustMissing, TrustDamaged.
        """
        at = self.now()
        listing = frozenset[RegionCode]() if trust is None else _listing(trust, {self._stamper()})
        return renew_case_file(case, self.timestamper, at, self.bundle(listing, ()) if listing else None)

    def _stamper(self) -> str:
        """Who will stamp: known only by a stamp."""
        token = self.timestamper.timestamp(hashlib.sha256(b"").digest())
        return parse_timestamp_token(token).certificate.thumbprint

    def _trust_data(
        self, evidence: bytes | str, report: Report, trust: TrustView, receipt: str | None
    ) -> Mapping[str, bytes]:
        uris = () if report.attestation is None else (report.attestation.status.uri,)
        try:
            parsed = parse(evidence)
        except MalformedEvidence:
            return self.bundle((), ())  # what could not be read rested on nothing
        if report.attestation is None:
            return self.bundle(None, uris)
        selected = self.bundle(self._authorities(parsed, report, trust, receipt), uris)
        return selected if self._suffices(selected, parsed, report) else self.bundle(None, uris)

    def _authorities(
        self, evidence: Evidence, report: Report, trust: TrustView, receipt: str | None
    ) -> frozenset[RegionCode]:
        """Who issued, who accepts, who lists the time-stampers and the receipt's key, and the common bodies."""
        named = {code for code, each in trust.lists.items() if each.kind is ListKind.BODY}
        if report.policy.accepting is not None:
            named.add(report.policy.accepting)
        assert report.attestation is not None
        named.add(RegionCode(report.attestation.issuer_id.partition("/")[0]))
        return frozenset(named) | _listing(trust, {self._stamper(), *_stampers(evidence), *_signers(receipt)})

    def _suffices(self, files: Mapping[str, bytes], evidence: Evidence, report: Report) -> bool:
        """Whether the evidence gives the same verdict by what was selected: told by trying, not by guessing."""
        try:
            opened = open_bundle(files, first_root=None, at=report.judged_at)
        except TrustDamaged:
            return False
        again = judge(evidence, opened.trust, opened.statuses, report.policy, report.judged_at)
        return _said(again.findings) == _said(report.findings)


def _listing(trust: TrustView, thumbprints: Collection[str]) -> frozenset[RegionCode]:
    """Who lists a time-stamper or a receipt key with one of these certificates."""
    found = set()
    for code, each in trust.lists.items():
        stamping = (key for key in each.authorities if key.use is KeyUse.TIMESTAMP)
        parties = (key for party in each.relying_parties for key in party.keys)
        if any(key.thumbprint in thumbprints for keys in (stamping, parties) for key in keys):
            found.add(code)
    return frozenset(found)


def _said(findings: Collection[Finding]) -> list[tuple[str, str]]:
    return [(finding.code, finding.outcome.value) for finding in findings]


def _stampers(evidence: Evidence) -> Iterator[str]:
    if isinstance(evidence, SealedPdf):
        own = (signature.timestamp for signature in evidence.pdf.signatures)
        for token in (*own, *(stamp.token for stamp in evidence.pdf.timestamps)):
            if token is not None:
                yield token.certificate.thumbprint


def _signers(receipt: str | None) -> Iterator[str]:
    if receipt is not None:
        found = parse(receipt)
        if isinstance(found, ReceiptFile):
            yield found.certificate.thumbprint
