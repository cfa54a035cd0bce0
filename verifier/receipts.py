"""Receipts: a relying party's signed word on what it judged, by which data, with which result. No claims.

Making one, and what one proves. Reading one back is `evidence.parse`; judging one is `core`.
"""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime

from keys.envelopes.jws import sign_jws
from keys.signer import Signer
from keys.x509 import Certificate
from trust_registry.model import RegionCode, RelyingPartyId, StatusSnapshot, StatusView, TrustView
from verifier.core import judge
from verifier.core.listed import listed
from verifier.core.timestampers import recognises
from verifier.evidence import RECEIPT_TYPE
from verifier.model import Check, Outcome, Policy, ProofOfExistence, ProofSource, Receipt, ReceiptFile, Report
from verifier.wire import filed_report


@dataclass(frozen=True, slots=True)
class ReceiptKey:
    """A relying party's key for receipts, with its certificate and the chain up to and without the anchor."""

    signer: Signer
    certificate: Certificate
    chain: tuple[Certificate, ...] = ()


def make_receipt(
    report: Report,
    *,
    receipt_id: str,
    relying_party: RelyingPartyId,
    issued_at: datetime,
    trust: TrustView | None,
    statuses: StatusView,
) -> Receipt:
    """What is to be signed. Names the trust metadata's versions and the digest of the status token that was used."""
    entry = None if report.attestation is None else statuses.get(report.attestation.status.uri)
    return Receipt(
        id=receipt_id,
        relying_party=relying_party,
        issued_at=issued_at,
        evidence=report.evidence_digest,
        trust={} if trust is None else dict(trust.metadata_versions),
        status=entry.digest if isinstance(entry, StatusSnapshot) else None,
        report=filed_report(report),
    )


def sign_receipt(receipt: Receipt, key: ReceiptKey) -> str:
    """The receipt as a compact JWS of type `yinxin-receipt+jwt`. Raises: whatever the signer raises."""
    payload = {
        "iss": receipt.relying_party,
        "jti": receipt.id,
        "iat": int(receipt.issued_at.timestamp()),
        "evidence": receipt.evidence,
        "trust": dict(receipt.trust),
        "status": receipt.status,
        "report": receipt.report,
    }
    chain = [b64encode(certificate.der).decode("ascii") for certificate in (key.certificate, *key.chain)]
    header = {"typ": RECEIPT_TYPE, "x5c": chain}
    return sign_jws(header, json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode(), key.signer)


def proofs_from_receipt(
    file: ReceiptFile, trust: TrustView | None, policy: Policy, at: datetime
) -> tuple[ProofOfExistence, ...]:
    """What a receipt proves as of `at` (UTC), if its key was good: that the evidence existed when it was issued.

    Empty when the receipt is not genuine, or its signer not known or not good then. How old the trust data are does not
    matter: what they say of back then, they say for good. Whoever handed in the receipt has proven nothing else by it.
    Only a relying party's key on a list counts, of the accepting region or of one that it recognises: under an anchor,
    or in a region of one's own, anybody could date receipts at will. `policy` names the accepting region, and gives
    proofs for the receipt itself. Spec: EN 319 102-1 clause 5.6.2.3.
    """
    findings = judge(file, trust, StatusView({}), policy, at).findings
    if any(each.outcome is not Outcome.PASSED for each in findings if each.check is not Check.FRESHNESS):
        return ()
    entitled = any(each.check is Check.ENTITLEMENT for each in findings)
    if trust is None or not entitled or not _counts(file, trust, policy.accepting):
        return ()
    return (ProofOfExistence(file.receipt.evidence, file.receipt.issued_at, ProofSource.RECEIPT),)


def _counts(file: ReceiptFile, trust: TrustView, accepting: RegionCode | None) -> bool:
    parties = listed(trust).parties.get(file.certificate.thumbprint, ())
    codes = {each.region.code for each in parties if each.party.id == file.receipt.relying_party}
    return accepting is None or accepting in codes or any(recognises(trust, accepting, code) for code in codes)
