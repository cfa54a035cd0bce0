"""Certification path validation at a given time: the part of RFC 5280 section 6 that regions' hierarchies need.

Names are chained byte by byte; policies, name constraints and revocation are not processed: a critical extension that
asks for them fails the path. Which certificates are anchors is the caller's to say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from itertools import pairwise
from typing import Final

from keys.certificate import Certificate, signed_by, signing_algorithm
from keys.errors import AlgorithmNotSupported

_MAX_LENGTH: Final = 6
_MAX_TRIED: Final = 64
_RETIRED_BY: Final = datetime(2026, 1, 1, tzinfo=UTC)  # no claimed time brings back what was retired before it


class PathOutcome(Enum):
    """Best first: of several candidate paths the best outcome is reported."""

    OK = "ok"
    NOT_YET_VALID = "not_yet_valid"
    EXPIRED = "expired"
    CONSTRAINTS = "constraints"
    ALGORITHM = "algorithm"  # a signature or key algorithm that is not known, or past its sunset
    BAD_SIGNATURE = "bad_signature"
    NO_CHAIN = "no_chain"


_RANK: Final = {outcome: rank for rank, outcome in enumerate(PathOutcome)}


@dataclass(frozen=True, slots=True)
class PathResult:
    """`chain` runs from the leaf to its anchor; empty if none was found."""

    outcome: PathOutcome
    chain: tuple[Certificate, ...]


def validate_path(
    leaf: Certificate,
    intermediates: Sequence[Certificate],
    anchors: Iterable[Certificate],
    at: datetime,
    *,
    proven_by: datetime | None = None,
) -> PathResult:
    """Whether a path from `leaf` to one of `anchors` is valid at `at` (UTC). Never raises on content.

    `proven_by`: by when the certificates are proven to have existed. Without it, `at` is somebody's claim, and what was
    retired years ago (SHA-1, short RSA keys) does not count, whatever that claim.

    A leaf that is itself an anchor is its own path. Every certificate of the path, the anchor included, must be inside
    its validity at `at`. At most 64 candidate links are tried. Spec: RFC 5280 section 6.1.
    """
    trusted = frozenset(anchors)
    if leaf in trusted:
        return PathResult(_validity(leaf, at) or PathOutcome.OK, (leaf,))
    best = PathResult(PathOutcome.NO_CHAIN, ())
    for chain in _candidates(leaf, [*trusted, *(c for c in intermediates if c not in trusted)], trusted):
        outcome = _judge(chain, at, proven_by or max(at, _RETIRED_BY))
        if _RANK[outcome] < _RANK[best.outcome]:
            best = PathResult(outcome, chain)
        if outcome is PathOutcome.OK:
            break
    return best


def _candidates(
    leaf: Certificate, pool: Sequence[Certificate], trusted: frozenset[Certificate]
) -> Iterator[tuple[Certificate, ...]]:
    open_chains: list[tuple[Certificate, ...]] = [(leaf,)]
    tried = 0
    while open_chains:
        chain = open_chains.pop()
        last = chain[-1]
        for issuer in pool:
            if issuer.subject_name_der != last.issuer_name_der or issuer in chain:
                continue
            if last.aki is not None and issuer.ski is not None and last.aki != issuer.ski:
                continue
            tried += 1
            if tried > _MAX_TRIED:
                return
            if issuer in trusted:
                yield (*chain, issuer)
            elif len(chain) < _MAX_LENGTH:
                open_chains.append((*chain, issuer))


def _judge(chain: tuple[Certificate, ...], at: datetime, existed_by: datetime) -> PathOutcome:
    try:
        if not all(signed_by(subject, issuer) for subject, issuer in pairwise(chain)):
            return PathOutcome.BAD_SIGNATURE
    except AlgorithmNotSupported:
        return PathOutcome.ALGORITHM
    if not all(signing_algorithm(subject, issuer).usable_at(existed_by) for subject, issuer in pairwise(chain)):
        return PathOutcome.ALGORITHM
    if not _constraints_hold(chain):
        return PathOutcome.CONSTRAINTS
    for certificate in reversed(chain):
        if outcome := _validity(certificate, at):
            return outcome
    return PathOutcome.OK


def _constraints_hold(chain: tuple[Certificate, ...]) -> bool:
    below = 0  # intermediates between this certificate and the leaf that are not self-issued
    for position, certificate in enumerate(chain):
        if certificate.unknown_critical:
            return False
        if position == 0:
            continue
        # RFC 5280 section 6.1.4 (k): who names a version 1 certificate as an anchor vouches for its being a CA.
        is_ca = certificate.is_ca or (certificate.version < 3 and position == len(chain) - 1)
        if not is_ca or (certificate.path_length is not None and below > certificate.path_length):
            return False
        if certificate.key_usage and "keyCertSign" not in certificate.key_usage:
            return False
        if certificate.issuer_name_der != certificate.subject_name_der:
            below += 1
    return True


def _validity(certificate: Certificate, at: datetime) -> PathOutcome | None:
    if at < certificate.not_before:
        return PathOutcome.NOT_YET_VALID
    return PathOutcome.EXPIRED if at > certificate.not_after else None
