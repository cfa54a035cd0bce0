"""When it was sealed: what is claimed, what a time-stamp proves, and what that means for keys and methods lost since.

Spec: EN 319 102-1 clauses 5.4 (time-stamps), 5.5 (signatures with time), 5.6 (past signatures) and 5.2.8
(cryptographic constraints). A claimed time is the signer's word: against the signer it counts at once, for the signer
while the key is in good hands.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Final

from keys.certificate import signing_algorithm
from keys.model import Algorithm
from keys.x509 import Certificate
from trust_registry.instants import later
from trust_registry.model import EntryStatus
from verifier.core.asked import Asked
from verifier.core.findings import CLOCK_SKEW, failed, passed, unknown
from verifier.core.listed import ListedSeal, change_at
from verifier.core.material import Material
from verifier.core.origin import signer_name
from verifier.core.proofs import NOTHING, Proofs, Proven
from verifier.core.signature import Signature
from verifier.core.timestampers import Surroundings
from verifier.model import Check, Evidence, Finding, Outcome, SubIndication

_TIME: Final = Check.SIGNING_TIME
_PASSED: Final = Outcome.PASSED


@dataclass(slots=True)  # not frozen: made for every verification, and never leaves this package
class SealingTime:
    """`claimed_at` is the signer's word (`stated`) or the best substitute; `proven_by`: it existed by then.

    `proof` says what else the time-stamps came to, where there are any.
    """

    claimed_at: datetime
    proven_by: datetime | None = None
    stated: bool = True
    proof: Proven = NOTHING
    broken: str | None = None  # the code of what is wrong with the signature's own time-stamp

    @property
    def plain(self) -> bool:
        """Stated, and nothing else to it."""
        return self.stated and self.proven_by is None and self.proof is NOTHING and self.broken is None

    @property
    def best(self) -> datetime:
        return self.proven_by or self.claimed_at


def sealing_time(signature: Signature, evidence: Evidence, asked: Asked, material: Material) -> SealingTime:
    """What is known about the time of sealing. Spec: EN 319 102-1 clauses 5.4.4 and 5.6.2.3."""
    policy, at = asked.policy, asked.at
    claimed_at, stamp, stamps = signature.claimed_at, signature.timestamp, signature.document_timestamps
    if stamp is None and not stamps and not policy.proofs:
        return SealingTime(claimed_at or at, None, claimed_at is not None, NOTHING, signature.timestamp_broken)
    issuing = None if signature.seal is None else signature.seal.location.region
    around = Surroundings(issuing, asked.trust, policy, material.certificates, material.evidence, at)
    proof = Proofs(evidence.digest, stamps, around).of(stamp, signature.signed_size)
    return SealingTime(
        claimed_at or proof.at or at, proof.at, claimed_at is not None, proof, signature.timestamp_broken
    )


def check_signing_time(
    signature: Signature, time: SealingTime, at: datetime, chain: Sequence[Certificate] = ()
) -> Finding:
    """Whether the time of sealing is possible, and proven where it must be. `chain`: a good path to the anchor."""
    if _without_doubt(signature, time, at):
        return Finding(_TIME, _PASSED, "time_claimed", None, {"at": time.claimed_at})
    if time.claimed_at > later(at, CLOCK_SKEW):
        return failed(_TIME, "sealed_in_future", SubIndication.NOT_YET_VALID, at=time.claimed_at)
    if time.proof.disordered:
        return unknown(_TIME, "time_stamps_disordered", SubIndication.TIMESTAMP_ORDER_FAILURE)
    if time.proven_by is not None and time.claimed_at > later(time.proven_by, CLOCK_SKEW):
        return unknown(_TIME, "time_order_wrong", SubIndication.TIMESTAMP_ORDER_FAILURE, issuer=_signer(signature))
    return (
        _compromised(signature, time)
        or _out_of_bounds(signature, chain, time, at)
        or _algorithm_retired(signature, chain, time, at)
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
        return _lost_before(time, since) or unknown(_TIME, "key_compromised", SubIndication.REVOKED_NO_POE, since=since)
    chain = seal.path(signature.intermediates, time.claimed_at).chain
    since = seal.authority_compromised_since(chain)
    if since is not None and not _proven_before(time, since):
        return _lost_before(time, since) or unknown(
            _TIME, "authority_withdrawn", SubIndication.REVOKED_CA_NO_POE, since=since
        )
    return None


def _proven_before(time: SealingTime, moment: datetime) -> bool:
    return time.proven_by is not None and time.proven_by < moment


def _lost_before(time: SealingTime, moment: datetime) -> Finding | None:
    """A time-stamp from before `moment` whose own key or method was lost since, with nothing over it."""
    return None if time.proof.lost is None or time.proof.lost >= moment else _lost(time)


def _lost(time: SealingTime) -> Finding:
    return unknown(_TIME, "proof_lost", SubIndication.NO_POE, at=time.proof.lost)


def _out_of_bounds(
    signature: Signature, chain: Sequence[Certificate], time: SealingTime, at: datetime
) -> Finding | None:
    """After expiry nobody watches the key any more: only proof from before counts (clause 5.2.6.4, OUT_OF_BOUNDS).

    `chain`: of a signer that no region lists, up to its anchor, which is trusted as it is.
    """
    seal, until = signature.seal, signature.signer.not_after
    if seal is not None:
        until = min(until, seal.location.seal.valid_until)
    until = min([until, *(certificate.not_after for certificate in chain[:-1])])
    if (time.proven_by or at) <= until or time.claimed_at > until:
        return None  # sealed after expiry is the path's finding
    lost = _lost_before(time, until)
    if lost is not None:
        return lost
    if seal is not None and _granted(seal, at):
        return unknown(_TIME, "seal_expired_since", SubIndication.OUT_OF_BOUNDS_NOT_REVOKED, until=until)
    if seal is None:
        return unknown(_TIME, "seal_expired_since", SubIndication.OUT_OF_BOUNDS_NO_POE, until=until)
    return unknown(_TIME, "seal_expired_and_withdrawn", SubIndication.OUT_OF_BOUNDS_NO_POE, until=until)


def _granted(seal: ListedSeal, at: datetime) -> bool:
    entry = seal.location.seal
    changes = (change_at(entry.history, at), change_at(entry.key.history, at))
    return all(change is not None and change.status is EntryStatus.GRANTED for change in changes)


def _algorithm_retired(
    signature: Signature, chain: Sequence[Certificate], time: SealingTime, at: datetime
) -> Finding | None:
    """The sunsets of the methods of signature and path, at the time of sealing (clause 5.2.8.4.2)."""
    for algorithm in _algorithms(signature, chain):
        if algorithm.usable_at(time.proven_by or at):
            continue
        if time.proof.lost is not None and algorithm.usable_at(time.proof.lost):
            return _lost(time)
        if algorithm.usable_at(time.claimed_at):
            sub_indication = SubIndication.CRYPTO_CONSTRAINTS_FAILURE_NO_POE
            return unknown(_TIME, "algorithm_retired_no_proof", sub_indication, algorithm=algorithm.jose)
        return unknown(
            _TIME,
            "algorithm_retired",
            SubIndication.CRYPTO_CONSTRAINTS_FAILURE,
            algorithm=algorithm.jose,
            issuer=_signer(signature),
        )
    return None


def _algorithms(signature: Signature, chain: Sequence[Certificate]) -> Iterator[Algorithm]:
    """Of the signature, and of what signed the certificates of a good path up to the anchor."""
    assert signature.algorithm is not None  # of a sound signature
    yield signature.algorithm
    for subject, issuer in pairwise(chain):
        yield signing_algorithm(subject, issuer)


def _stated(time: SealingTime) -> Finding:
    if time.proven_by is not None:
        return passed(_TIME, "time_proven", at=time.proven_by)
    if time.broken == "time_proof_moved":
        return passed(_TIME, "time_proof_moved", at=time.claimed_at)
    if time.broken == "time_proof_doubled":
        return passed(_TIME, "time_proof_doubled", at=time.claimed_at)
    if time.proof.lost is not None:
        return passed(_TIME, "time_proof_lost", at=time.claimed_at)
    if time.proof.refused or time.broken is not None:
        return passed(_TIME, "time_proof_not_trusted", at=time.claimed_at)
    if not time.stated:
        return passed(_TIME, "time_not_stated")
    return passed(_TIME, "time_claimed", at=time.claimed_at)


def _signer(signature: Signature) -> object:
    if signature.seal is not None:
        return signature.seal.location.issuer.names
    return signer_name(signature.signer)
