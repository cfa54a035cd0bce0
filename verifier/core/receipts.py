"""Judging a receipt that is handed in: whose it is, and whether that agency's key was good when it was issued.

Whether the verdict in it was right is not judged again: for that, hand in the evidence that it names.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from keys.errors import AlgorithmNotSupported
from keys.x509 import PathOutcome, validate_path
from trust_registry.instants import later
from trust_registry.model import EntryStatus, TrustView
from verifier.core.findings import CLOCK_SKEW, failed, passed, unknown
from verifier.core.listed import ListedParty, change_at, compromised_since, listed
from verifier.core.origin import signer_name
from verifier.core.proofs import given
from verifier.core.signature import FORMAT_OK, INTEGRITY_OK
from verifier.model import Check, Finding, Indication, Policy, ReceiptFile, SubIndication

_ENTITLEMENT: Final = Check.ENTITLEMENT


def receipt_findings(file: ReceiptFile, trust: TrustView | None, policy: Policy, at: datetime) -> list[Finding]:
    """Integrity, path, and the agency's standing when the receipt was issued; the other checks do not apply."""
    findings = [FORMAT_OK, _integrity(file)]
    if findings[-1] is not INTEGRITY_OK:
        return findings
    if file.receipt.issued_at > later(at, CLOCK_SKEW):
        findings.append(
            failed(Check.SIGNING_TIME, "sealed_in_future", SubIndication.NOT_YET_VALID, at=file.receipt.issued_at)
        )
    retired = _retired(file, policy, at)
    if retired is not None:
        findings.append(retired)
    parties = () if trust is None else listed(trust).parties.get(file.certificate.thumbprint, ())
    named = (each for each in parties if each.party.id == file.receipt.relying_party)
    party = next(named, next(iter(parties), None))
    if party is None:
        findings.append(_unlisted(file, trust, policy))
        return findings
    findings.append(_path(file, party))
    findings.append(_standing(file, party, policy, at))
    return findings


def _integrity(file: ReceiptFile) -> Finding:
    try:
        sound = file.jws.verified_by(file.certificate.public_key)
    except AlgorithmNotSupported:
        sound = False
    return INTEGRITY_OK if sound else failed(Check.INTEGRITY, "signature_wrong", SubIndication.SIG_CRYPTO_FAILURE)


def _retired(file: ReceiptFile, policy: Policy, at: datetime) -> Finding | None:
    """After its method's sunset a receipt needs proof from before, as any signature (clause 5.2.8.4.2)."""
    algorithm = file.certificate.public_key.algorithm
    if algorithm.usable_at(_existed_at(file, policy, at) or at):
        return None
    sub_indication = SubIndication.CRYPTO_CONSTRAINTS_FAILURE_NO_POE
    return unknown(Check.SIGNING_TIME, "algorithm_retired_no_proof", sub_indication, algorithm=algorithm.jose)


def _existed_at(file: ReceiptFile, policy: Policy, at: datetime) -> datetime | None:
    return min(given(file.digest, policy, at), default=None)


def _unlisted(file: ReceiptFile, trust: TrustView | None, policy: Policy) -> Finding:
    path = validate_path(file.certificate, file.intermediates, policy.anchors, file.receipt.issued_at)
    if path.outcome is PathOutcome.OK:
        return passed(Check.CERTIFICATE_PATH, "path_anchor", anchor=signer_name(path.chain[-1]))
    if trust is None:
        return unknown(Check.CERTIFICATE_PATH, "no_trust_data", SubIndication.TRY_LATER)
    return unknown(Check.CERTIFICATE_PATH, "receipt_signer_not_listed", SubIndication.NO_CERTIFICATE_CHAIN_FOUND)


def _path(file: ReceiptFile, party: ListedParty) -> Finding:
    if party.path(file.intermediates, file.receipt.issued_at).outcome is PathOutcome.OK:
        return passed(Check.CERTIFICATE_PATH, "path_ok", region=party.region.names)
    return unknown(Check.CERTIFICATE_PATH, "path_broken", SubIndication.CERTIFICATE_CHAIN_GENERAL_FAILURE)


def _standing(file: ReceiptFile, party: ListedParty, policy: Policy, at: datetime) -> Finding:
    receipt = file.receipt
    if receipt.relying_party != party.party.id:
        return failed(_ENTITLEMENT, "receipt_signer_differs", SubIndication.SIG_CONSTRAINTS_FAILURE)
    stolen = compromised_since(party.entry.history, party.party.history)
    existed_at = _existed_at(file, policy, at)
    if stolen is not None and (existed_at is None or existed_at >= stolen):
        return unknown(_ENTITLEMENT, "receipt_key_compromised", SubIndication.REVOKED_NO_POE, since=stolen)
    for history in (party.party.history, party.entry.history):
        change = change_at(history, receipt.issued_at)
        if change is None:
            return failed(_ENTITLEMENT, "receipt_key_not_yet_listed", SubIndication.NOT_YET_VALID)
        if change.status is EntryStatus.WITHDRAWN:
            return failed(_ENTITLEMENT, "receipt_key_withdrawn", SubIndication.REVOKED, since=change.at)
        if change.status is EntryStatus.SUSPENDED:
            return unknown(_ENTITLEMENT, "receipt_key_suspended", SubIndication.TRY_LATER)
    return passed(
        _ENTITLEMENT,
        "receipt_ok",
        relying_party=party.party.names,
        at=receipt.issued_at,
        verdict=Indication(receipt.report["indication"]),
    )
