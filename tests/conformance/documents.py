"""pyHanko's unusual and attacked PDFs: what their signatures are worth, each signer trusted as an anchor by itself."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tests.conformance.table import VECTORS, Row
from trust_registry.model import StatusView
from verifier.core import judge
from verifier.errors import MalformedEvidence
from verifier.evidence import parse
from verifier.model import Check, Outcome, Policy, Report, SealedPdf

FOLDER: Final = VECTORS / "pdf"
AT: Final = datetime(2026, 11, 1, tzinfo=UTC)
_WHOLE, _DOUBTED, _BROKEN = "whole", "doubted", "broken"
# What the files are made for (their names, and pyHanko's own tests of them).
EXPECTED: Final = {
    "form-update-ap-indirect-sneaky-trailer": _BROKEN,  # an appearance replaced by way of the trailer
    "form-update-override-appearance-stream-sneaky": _BROKEN,  # an appearance that others use, too, replaced
    "form-update-override-appearance-stream": _WHOLE,  # a second signature, with an appearance of its own
    "minimal-two-fields-signed-twice": _WHOLE,
    "minimal": "not signed",
    "pades-lta-dss-indirect-arrs-test": _WHOLE,
    "pades-with-old-style-signing-cert-attr": _WHOLE,
    "pdf-sig-with-econtent": _BROKEN,
    "sig-no-signed-attrs": _WHOLE,
    "sig-with-ski-sid": _WHOLE,
    "coverage-anomalies/base": _BROKEN,  # a place for a signature, and zeros in it
    "coverage-anomalies/one-byterange": _BROKEN,
    "coverage-anomalies/signature-gap-too-big": _BROKEN,
    "coverage-anomalies/tail-uncovered": _BROKEN,
    "coverage-anomalies/weird-byterange": _BROKEN,
}
_WORDS: Final = {Outcome.PASSED: _WHOLE, Outcome.UNKNOWN: _DOUBTED, Outcome.FAILED: _BROKEN}
_WORST_FIRST: Final = (_BROKEN, _DOUBTED, _WHOLE)


def rows() -> list[Row]:
    return [_row(path) for path in sorted(FOLDER.rglob("*.pdf"))]


def _row(path: Path) -> Row:
    name = path.relative_to(FOLDER).with_suffix("").as_posix()
    report = _report(path.read_bytes())
    if report is None:
        return Row(name, EXPECTED.get(name, "?"), _BROKEN, "FAILED")
    ours = "not signed" if not report.signatures else _integrity(report)
    return Row(name, EXPECTED.get(name, "?"), ours, report.indication.value)


def _report(data: bytes) -> Report | None:
    try:
        evidence = parse(data)
    except MalformedEvidence:
        return None
    assert isinstance(evidence, SealedPdf)
    anchors = tuple(signature.certificate for signature in evidence.pdf.signatures if signature.certificate)
    return judge(evidence, None, StatusView({}), Policy(anchors=anchors), AT)


def _integrity(report: Report) -> str:
    """The worst of what is said of the signatures' own integrity, and of what was done after them."""
    words = [
        _WORDS[finding.outcome]
        for signature in report.signatures
        for finding in signature.findings
        if finding.check in (Check.FORMAT, Check.INTEGRITY) and finding.outcome in _WORDS
    ]
    return min(words, key=_WORST_FIRST.index)
