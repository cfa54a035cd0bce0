"""Whether a time-stamp is to be believed: who lists its maker, and whether key and method were good then and since.

Who counts: what the seal's own region says of a time-stamper, else the accepting region, else those whose certificates
the accepting region recognises; without an accepting region every member. Of those who count together, all must agree.
Then the time-stamping services of foreign lists that these regions read, then anchors.
Spec: RFC 3161 section 4; EN 319 102-1 clauses 5.4 and 5.6; docs/verdicts.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from itertools import pairwise
from typing import Final

from keys.revocation import CertificateState, Reason, certificate_standing
from keys.timestamps import TIME_STAMPING, TimestampToken
from keys.x509 import Certificate, PathOutcome, validate_path
from trust_registry.instants import later
from trust_registry.model import EntryStatus, KeyEntry, RegionCode, TrustView
from verifier.core.asked import When
from verifier.core.findings import CLOCK_SKEW
from verifier.core.foreign import timestamper_path
from verifier.core.listed import change_at, compromised_since, listed
from verifier.core.revocation import Piece, revoked_since
from verifier.model import Policy, RevocationRule

# RFC 3161 section 4 (1): after a revocation for another reason, what was stamped before is still good.
_KEY_KEPT: Final = frozenset({Reason.AFFILIATION_CHANGED, Reason.SUPERSEDED, Reason.CESSATION_OF_OPERATION})


class Standing(Enum):
    """`UNPROVEN`: good when it was made, and its key or method was lost since; proof from before would save it."""

    GOOD = "good"
    UNPROVEN = "unproven"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a time-stamp is judged by: `issuing` is the region of the seal, if it is a listed one."""

    issuing: RegionCode | None
    trust: TrustView | None
    policy: Policy
    certificates: tuple[Certificate, ...]
    evidence: Sequence[Piece]
    at: datetime


def standing_of(stamp: TimestampToken, existed_at: datetime | None, around: Surroundings) -> Standing:
    """Whether `stamp`, itself proven to exist at `existed_at` (None: not proven), proves the time in it."""
    certificate, made_at = stamp.certificate, stamp.generated_at
    if not stamp.signature_ok or TIME_STAMPING not in certificate.extended_key_usage:
        return Standing.REFUSED
    if made_at > later(around.at, CLOCK_SKEW) or not certificate.not_before <= made_at <= certificate.not_after:
        return Standing.REFUSED
    if stamp.algorithm is None or not stamp.algorithm.usable_at(existed_at or around.at):
        return Standing.UNPROVEN
    entries = _entries(certificate, around)
    if entries:
        return max((_listed_standing(entry, made_at, existed_at) for entry in entries), key=_WORSE.index)
    return _chained_standing(stamp, existed_at, around)


_WORSE: Final = (Standing.GOOD, Standing.UNPROVEN, Standing.REFUSED)


def _entries(certificate: Certificate, around: Surroundings) -> list[KeyEntry]:
    """The list entries that count for this time-stamper."""
    trust, accepting = around.trust, around.policy.accepting
    entries = () if trust is None else listed(trust).timestampers.get(certificate.thumbprint, ())
    if trust is None or not entries:
        return []
    for region in (around.issuing, accepting):
        own = [entry for code, entry in entries if code == region]
        if own:
            return own
    return [entry for code, entry in entries if accepting is None or recognises(trust, accepting, code)]


def recognises(trust: TrustView, accepting: RegionCode, issuing: RegionCode) -> bool:
    """Whether the accepting region takes anything of the other one."""
    region = trust.lists.get(accepting)
    return region is not None and any(entry.issuing == issuing for entry in region.recognises)


def _listed_standing(entry: KeyEntry, made_at: datetime, existed_at: datetime | None) -> Standing:
    """A list goes on telling what became of a key after its certificate has ended: expiry since does not matter."""
    change = change_at(entry.history, made_at)
    if change is None or change.status is not EntryStatus.GRANTED:
        return Standing.REFUSED
    since = compromised_since(entry.history)
    if since is None or (existed_at is not None and existed_at < since):
        return Standing.GOOD
    return Standing.UNPROVEN if made_at < since else Standing.REFUSED


def _chained_standing(stamp: TimestampToken, existed_at: datetime | None, around: Surroundings) -> Standing:
    """Through a foreign list or an anchor: somebody has to watch the key until there is newer proof."""
    chain = _chain(stamp, existed_at, around)
    if not chain:
        return Standing.REFUSED
    if any((existed_at or around.at) > certificate.not_after for certificate in chain):
        return Standing.UNPROVEN
    judged = [_unrevoked(*pair, stamp.generated_at, existed_at, around) for pair in pairwise(chain)]
    return max(judged, key=_WORSE.index, default=Standing.GOOD)


def _chain(stamp: TimestampToken, existed_at: datetime | None, around: Surroundings) -> tuple[Certificate, ...]:
    others, made_at = (*stamp.intermediates, *around.certificates), stamp.generated_at
    if around.trust is not None and around.trust.foreign:
        accepting = around.policy.accepting
        readers = None if accepting is None else frozenset({accepting, around.issuing or accepting})
        when = When(made_at, existed_at, around.at)
        path = timestamper_path(stamp.certificate, others, around.trust, readers, when)
        if path is not None and path.granted:
            return path.chain
    anchored = validate_path(stamp.certificate, others, around.policy.anchors, made_at, proven_by=existed_at)
    return anchored.chain if anchored.outcome is PathOutcome.OK else ()


def _unrevoked(
    certificate: Certificate,
    issuer: Certificate,
    made_at: datetime,
    existed_at: datetime | None,
    around: Surroundings,
) -> Standing:
    """What is known of revocation counts; what is missing only where the policy requires it."""
    known = certificate_standing(certificate, issuer, around.evidence, existed_at or around.at)
    if known is None or known.state is CertificateState.UNKNOWN:
        required = around.policy.revocation_rule is RevocationRule.REQUIRED
        return Standing.REFUSED if required else Standing.GOOD
    if known.state is CertificateState.GOOD or (existed_at is not None and not known.revoked_by(existed_at)):
        return Standing.GOOD
    if made_at >= revoked_since(known):
        return Standing.REFUSED
    return Standing.GOOD if known.reason in _KEY_KEPT else Standing.UNPROVEN
