"""What a case file consists of. Nothing here is judged.

README.txt                what this is, for whoever opens it decades later
case.json                 which member is what, when it was judged, and under which rules was asked
evidence/...              as it was handed in
report/report.json .pdf   the verdict, for programs and for people
receipt/receipt.txt       the same, signed by who judged
trust/...                 the trust and status data that it rests on (`trust_registry.bundle`)
anchors/ revocation/      what the asker trusted besides, and what was known of revocation (DER)
renewals/NNN/trust/...    the trust data of later renewals
META-INF/                 manifests and time-stamps (`keys.envelopes.asic`)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from keys.envelopes.asic import Container
from keys.x509 import Certificate
from verifier.model import ExpectedBinding, RevocationRule

FORMAT: Final = "yinxin-case/1"
INDEX: Final = "case.json"
README: Final = "README.txt"
EVIDENCE: Final = "evidence/"
REPORT: Final = "report/report.json"
REPORT_PDF: Final = "report/report.pdf"
RECEIPT: Final = "receipt/receipt.txt"
TRUST: Final = "trust/"
ANCHORS: Final = "anchors/"
REVOCATION: Final = "revocation/"
RENEWALS: Final = "renewals/"


@dataclass(frozen=True, slots=True)
class Asked:
    """Under which rules the verdict was asked for; the scenario by its id, to be looked up in the trust data kept."""

    judged_at: datetime
    accepting: str | None
    scenario: str | None
    binding: ExpectedBinding | None
    trust_staleness: timedelta
    status_staleness: timedelta
    revocation_rule: RevocationRule


@dataclass(frozen=True, slots=True)
class CaseFile:
    """A case file as read. `trust` is None where it holds no trust data; `later` are those of renewals, by folder.

    `digest` is "sha256:<hex>" of the whole file; `evidence_name` the member that holds the evidence.
    """

    digest: str
    container: Container
    asked: Asked
    evidence_name: str
    evidence: bytes
    report: Mapping[str, Any]
    receipt: bytes | None
    trust: Mapping[str, bytes] | None
    later: Mapping[str, Mapping[str, bytes]]
    anchors: tuple[Certificate, ...]
    revocation: tuple[bytes, ...]
