"""When it was sealed: what is claimed, what a time-stamp proves, and what that means for keys and methods lost since.

Spec: EN 319 102-1 clauses 5.4 (time-stamps), 5.5 (signatures with time) and 5.2.8 (cryptographic constraints). A
claimed time is the signer's word: against the signer it counts at once, for the signer while the key is in good hands.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from keys.timestamps import TimestampToken
from keys.x509 import PathOutcome, validate_path
from trust_registry.instants import later
from trust_registry.model import EntryStatus, KeyEntry, TrustView
from verifier.core.findings import CLOCK_SKEW, failed, passed, unknown
from verifier.core.listed import ListedSeal, change_at, compromised_since, listed
from verifier.core.origin import signer_name
from verifier.core.signature import Signature
from verifier.model import Check, Finding, Outcome, Policy, SubIndication

_TIME: Final = Check.SIGNING_TIME
_PASSED: Final = Outcome.PASSED
_TIMESTAMPING: Final = "1.3.6.1.5.5.7.3.8"  # id-kp-timeStamping, RFC 3161 section 2.3


@dataclass(slots=True)  # not frozen: made for every verification, and never leaves this package
class SealingTime:
    """`claimed_at` is the signer's word (`stated`) or the best substitute; `proven_by`: it existed by then."""

    claimed_at: datetime
    proven_by: datetime | None = None
    stated: bool = True
    proof_refused: bool = False

    @property
    def plain(self) -> bool:
        """Stated, and nothing else to it."""
        return self.stated and self.proven_by is None and not self.proof_refused

    @property
    def best(self) -> datetime:
        return self.proven_by or self.claimed_at


def sealing_time(signature: Signature, trust: TrustView | None, policy: Policy, at: datetime) -> SealingTime:
    """What is known about the time of sealing. Spec: EN 319 102-1 clause 5.4.4."""
    stamp = signature.timestamp
    if stamp is None and not signature.timestamp_broken and signature.claimed_at is not None:
        return SealingTime(signature.claimed_at)
    proven_by = None
    if (
        stamp is not None
        and stamp.generated_at <= later(at, CLOCK_SKEW)
        and _trusted(stamp, signature.seal, trust, policy)
    ):
        proven_by = stamp.generated_at
    claimed_at = signature.claimed_at
    refused = proven_by is None and (stamp is not None or signature.timestamp_broken)
    return SealingTime(claimed_at or proven_by or at, proven_by, claimed_at is not None, refused)


def _trusted(stamp: TimestampToken, seal: ListedSeal | None, trust: TrustView | None, policy: Policy) -> bool:
    """Whether a region lists the time-stamper as granted then and never as compromised, or an anchor vouches.

    What the seal's own region says of it outweighs what others say; else all who list it must agree.
    """
    certificate, at = stamp.certificate, stamp.generated_at
    if _TIMESTAMPING not in certificate.extended_key_usage:
        return False
    entries = () if trust is None else listed(trust).timestampers.get(certificate.thumbprint, ())
    own = [entry for code, entry in entries if seal is not None and code == seal.location.region]
    if entries:
        good = all(_good(entry, at) for entry in own or [entry for _, entry in entries])
        return good and certificate.not_before <= at <= certificate.not_after
    return validate_path(certificate, stamp.intermediates, policy.anchors, at).outcome is PathOutcome.OK


def _good(entry: KeyEntry, at: datetime) -> bool:
    change = change_at(entry.history, at)
    return change is not None and change.status is EntryStatus.GRANTED and compromised_since(entry.history) is None


def check_signing_time(signature: Signature, time: SealingTime, at: datetime) -> Finding:
    """Whether the time of sealing is possible, and proven where it must be."""
    if _without_doubt(signature, time, at):
        return Finding(_TIME, _PASSED, "time_claimed", None, {"at": time.claimed_at})
    if time.claimed_at > later(at, CLOCK_SKEW):
        return failed(_TIME, "sealed_in_future", SubIndication.NOT_YET_VALID, at=time.claimed_at)
    if time.proven_by is not None and time.claimed_at > later(time.proven_by, CLOCK_SKEW):
        return unknown(_TIME, "time_order_wrong", SubIndication.TIMESTAMP_ORDER_FAILURE, issuer=_signer(signature))
    return (
        _compromised(signature, time)
        or _out_of_bounds(signature, time, at)
        or _algorithm_retired(signature, time, at)
        or _stated(time)
    )


def _without_doubt(signature: Signature, time: SealingTime, at: datetime) -> bool:
    """A short cut, never another answer: a stated time in the past, a key that nothing has happened to."""
    seal = signature.seal
    return (
        seal is not None
        and time.plain
        and time.claimed_at <= at
        and seal.untroubled_until is not None
        and at < seal.untroubled_until
    )


def _compromised(signature: Signature, time: SealingTime) -> Finding | None:
    """A stolen key can write any time: only proof from before counts (clause 5.5.4, REVOKED_NO_POE)."""
    seal = signature.seal
    if seal is None:
        return None
    since = seal.compromised_since
    if since is not None and not _proven_before(time, since):
        return unknown(_TIME, "key_compromised", SubIndication.REVOKED_NO_POE, since=since)
    chain = seal.path(signature.intermediates, time.claimed_at).chain
    since = seal.authority_compromised_since(chain)
    if since is not None and not _proven_before(time, since):
        return unknown(_TIME, "authority_withdrawn", SubIndication.REVOKED_CA_NO_POE, since=since)
    return None


def _proven_before(time: SealingTime, moment: datetime) -> bool:
    return time.proven_by is not None and time.proven_by < moment


def _out_of_bounds(signature: Signature, time: SealingTime, at: datetime) -> Finding | None:
    """After expiry nobody watches the key any more: only proof from before counts (clause 5.2.6.4, OUT_OF_BOUNDS)."""
    seal, until = signature.seal, signature.signer.not_after
    if seal is not None:
        until = min(until, seal.location.seal.valid_until)
    if (time.proven_by or at) <= until or time.claimed_at > until:
        return None  # sealed after expiry is the path's finding
    if seal is not None and _granted(seal, at):
        return unknown(_TIME, "seal_expired_since", SubIndication.OUT_OF_BOUNDS_NOT_REVOKED, until=until)
    if seal is None:
        return unknown(_TIME, "seal_expired_since", SubIndication.OUT_OF_BOUNDS_NO_POE, until=until)
    return unknown(_TIME, "seal_expired_and_withdrawn", SubIndication.OUT_OF_BOUNDS_NO_POE, until=until)


def _granted(seal: ListedSeal, at: datetime) -> bool:
    entry = seal.location.seal
    changes = (change_at(entry.history, at), change_at(entry.key.history, at))
    return all(change is not None and change.status is EntryStatus.GRANTED for change in changes)


def _algorithm_retired(signature: Signature, time: SealingTime, at: datetime) -> Finding | None:
    """The sunset of the method, at the time of sealing (clause 5.2.8.4.2)."""
    algorithm = signature.algorithm
    if algorithm is None or algorithm.usable_at(time.proven_by or at):
        return None
    if algorithm.usable_at(time.claimed_at):
        return unknown(
            _TIME,
            "algorithm_retired_no_proof",
            SubIndication.CRYPTO_CONSTRAINTS_FAILURE_NO_POE,
            algorithm=algorithm.jose,
        )
    return unknown(
        _TIME,
        "algorithm_retired",
        SubIndication.CRYPTO_CONSTRAINTS_FAILURE,
        algorithm=algorithm.jose,
        issuer=_signer(signature),
    )


def _stated(time: SealingTime) -> Finding:
    if time.proven_by is not None:
        return passed(_TIME, "time_proven", at=time.proven_by)
    if time.proof_refused:
        return passed(_TIME, "time_proof_not_trusted", at=time.claimed_at)
    if not time.stated:
        return passed(_TIME, "time_not_stated")
    return passed(_TIME, "time_claimed", at=time.claimed_at)


def _signer(signature: Signature) -> object:
    if signature.seal is not None:
        return signature.seal.location.issuer.names
    return signer_name(signature.signer)
