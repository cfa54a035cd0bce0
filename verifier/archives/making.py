"""Putting a case file together: pure, given its parts and somebody who stamps. Judges nothing, fetches nothing.

A case file holds personal data by nature: the evidence, as it was handed in.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from keys.digests import imprint_name
from keys.envelopes.asic import make_container
from keys.timestamps import Timestamper
from verifier.archives.model import (
    ANCHORS,
    EVIDENCE,
    FORMAT,
    INDEX,
    README,
    RECEIPT,
    REPORT,
    REPORT_PDF,
    REVOCATION,
    TRUST,
)
from verifier.archives.readme import README_TEXT
from verifier.model import EvidenceKind, Policy, Report
from verifier.wire import report_to_json

_PDF: Final = "certificate.pdf"
_TEXT: Final = "evidence.txt"
_MDOC: Final = "evidence.mdoc"
_NAMES: Final = {EvidenceKind.PDF: _PDF, EvidenceKind.MDOC: _MDOC}


def make_case_file(
    evidence: bytes | str,
    report: Report,
    *,
    timestamper: Timestamper,
    made_at: datetime,
    trust: Mapping[str, bytes] | None,
    receipt: str | None = None,
    report_pdf: bytes | None = None,
) -> bytes:
    """An ASiC-E container of the evidence, the verdict on it and all that the verdict rests on, time-stamped.

    `trust`: the files of `trust_registry.bundle.make_bundle` that `report` was judged by; None where it was judged by
    anchors alone. `made_at` is UTC. Raises: TimestampUnavailable.
    Spec: EN 319 162-1 clause 4.4.4 (ASiC-E with time assertion).
    """
    name = EVIDENCE + (_TEXT if report.kind is None else _NAMES.get(report.kind, _TEXT))
    policy = report.policy
    members = {
        README: README_TEXT.encode(),
        INDEX: _dumps(_index(name, report, made_at)),
        name: evidence if isinstance(evidence, bytes) else evidence.encode("utf-8", "surrogatepass"),
        REPORT: _dumps(report_to_json(report)),
    }
    if report_pdf is not None:
        members[REPORT_PDF] = report_pdf
    if receipt is not None:
        members[RECEIPT] = receipt.encode("ascii")
    for number, anchor in enumerate(policy.anchors, 1):
        members[f"{ANCHORS}{number:03}.der"] = anchor.der
    for number, piece in enumerate(policy.revocation, 1):
        members[f"{REVOCATION}{number:03}.der"] = piece
    members |= {TRUST + inner: content for inner, content in (trust or {}).items()}
    return make_container(members, timestamper, imprint=imprint_name(made_at))


def _index(name: str, report: Report, made_at: datetime) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "made_at": made_at.isoformat(),
        "evidence": name,
        "judged_at": report.judged_at.isoformat(),
        "policy": _policy(report.policy),
    }


def _policy(policy: Policy) -> dict[str, Any]:
    bound = policy.binding
    return {
        "accepting": policy.accepting,
        "scenario": None if policy.scenario is None else policy.scenario.id,
        "binding": None
        if bound is None
        else {
            "nonce": bound.nonce,
            "audience": bound.audience,
            "max_age": bound.max_age.total_seconds(),
            "transcript": None if bound.transcript is None else bound.transcript.hex(),
        },
        "trust_staleness": policy.trust_staleness.total_seconds(),
        "status_staleness": policy.status_staleness.total_seconds(),
        "revocation_rule": policy.revocation_rule.value,
    }


def _dumps(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, indent=1).encode()
