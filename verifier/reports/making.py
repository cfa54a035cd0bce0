"""From a verdict, or from a receipt, to the files that people take away. Decides nothing, writes nothing to disk."""

from __future__ import annotations

import json
from typing import Any, Final

from keys.certificate import Certificate
from trust_registry.core import as_ours
from trust_registry.model import Names, StatusSnapshot, StatusView, TrustView
from verifier.model import Receipt, Report, recognised_as
from verifier.reports import etsi
from verifier.reports.pdf import Paper, render_report
from verifier.wire import filed_report

REPORT_NAME: Final = "validation-report.json"
_ETSI: Final = Names("核验报告数据（ETSI TS 119 102-2）", "Validation report (ETSI TS 119 102-2)")
_FILED: Final = Names("回执中的报告", "The report in the receipt")
_RECEIPT: Final = Names("签名回执", "The signed receipt")


def report_pdf(
    report: Report,
    trust: TrustView | None,
    statuses: StatusView | None,
    language: str,
    *,
    party: Names | None = None,
    validator: Certificate | None = None,
    claims: bool = False,
) -> bytes:
    """The printed report of a verdict just given. `claims`: with what the certificate says, for who asks for it."""
    entry = None if report.attestation is None or statuses is None else statuses.get(report.attestation.status.uri)
    paper = Paper(
        filed_report(report),
        party,
        versions={} if trust is None else dict(trust.metadata_versions),
        status=entry.digest if isinstance(entry, StatusSnapshot) else None,
        attached={REPORT_NAME: (etsi.to_bytes(report, trust, validator), "application/json", _ETSI)},
        claims=_claims(report, trust) if claims else {},
    )
    return render_report(paper, trust, language)


def receipt_pdf(receipt: Receipt, token: str, trust: TrustView | None, language: str, party: Names | None) -> bytes:
    """The printed report of a receipt, by the words that it was filed with; the signed receipt is attached."""
    filed = json.dumps(receipt.report, ensure_ascii=False, indent=1).encode()
    paper = Paper(
        receipt.report,
        party,
        receipt.id,
        receipt.trust,
        receipt.status,
        {
            "receipt.jwt": (token.encode(), "application/jwt", _RECEIPT),
            "report.json": (filed, "application/json", _FILED),
        },
    )
    return render_report(paper, trust, language)


def _claims(report: Report, trust: TrustView | None) -> dict[Names, str]:
    """Under the names of the accepting region's type, where it takes the certificate as one of its own."""
    attestation, equivalence = report.attestation, recognised_as(report)
    if attestation is None:
        return {}
    called: dict[str, Names] = {}
    for type_id in (attestation.type_id, *(() if equivalence is None else (equivalence.as_type,))):
        type_ = None if trust is None else trust.types.get(type_id)
        called |= {claim.name: claim.names for claim in type_.claims} if type_ else {}
    values = as_ours(attestation.claims, () if equivalence is None else equivalence.claims)
    return {called.get(name, Names(name, name)): _value(value) for name, value in values.items() if value is not None}


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
