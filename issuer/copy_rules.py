"""Whether a wallet may get copies of a certificate, and what they say: pure decisions, the time an argument.

A copy says what its certificate says, about the same instants rounded to the hour, under a status index of its own.
Allocates nothing and signs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import InitVar, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from issuer.core import check_entitled, standing_at
from issuer.errors import (
    CertificateOver,
    CertificateRevoked,
    CertificateSuspended,
    CopyKeysInvalid,
    TooManyCopies,
)
from issuer.model import RenderingKind, Seal, StatusRecord
from keys.errors import AlgorithmNotSupported
from keys.public_key import PublicKey
from keys.x509 import parse_certificate
from trust_registry.attestations import Attestation
from trust_registry.core import status_at
from trust_registry.model import CertificateStatus, CertificateType, EntryStatus, IssuerEntry, StatusChange

COPIES: Final = 200  # of one certificate, in both forms together, within
COPIES_WITHIN: Final = timedelta(days=30)
KINDS: Final = frozenset({RenderingKind.SD_JWT_VC, RenderingKind.MDOC})
_CURVES: Final = frozenset({"P-256", "P-384", "Ed25519"})
_HOUR: Final = timedelta(hours=1)
_GRANTED: Final = EntryStatus.GRANTED


@dataclass(frozen=True, slots=True)
class Original:
    """A published certificate with all that decides whether it may be copied.

    `again_at`: when so many copies may be made as are asked for, if more than `COPIES` would be `COPIES_WITHIN` now.
    """

    attestation: Attestation
    seal: Seal
    history: tuple[StatusRecord, ...]
    again_at: datetime | None = None


class _Clearance:
    """What this module shows to construct a `ClearedCopies`."""


_CLEARANCE = _Clearance()


@dataclass(frozen=True, slots=True)
class ClearedCopies:
    """Proof that copies may be made now, for these keys. Only `clear_copies` makes one.

    `attestation` is what each says, but for its status reference and key. Raises: TypeError for anybody else.
    """

    attestation: Attestation
    keys: tuple[Mapping[str, str], ...]  # public members only
    type: CertificateType
    seal: Seal
    issuer: IssuerEntry
    clearance: InitVar[object]

    def __post_init__(self, clearance: object) -> None:
        if clearance is not _CLEARANCE:
            raise TypeError("only clear_copies makes a ClearedCopies")


def clear_copies(
    original: Original,
    keys: Sequence[Mapping[str, str]],
    type: CertificateType,
    issuer: IssuerEntry,
    now: datetime,
) -> ClearedCopies:
    """Decide that copies of `original` may be made at `now`, one for each of `keys` (as `public_keys` gives them).

    Raises: CertificateRevoked, CertificateSuspended, CertificateOver, TooManyCopies, and what `core.check_entitled`
    raises: a copy is a use of the seal.
    """
    attestation, seal = original.attestation, original.seal
    _check_status(attestation, original.history, now)
    check_entitled(type, seal, issuer, now)
    if original.again_at is not None:
        raise TooManyCopies(COPIES, original.again_at)
    rounded = replace(
        attestation,
        issued_at=_sealed_at(attestation, type, seal, issuer, now),
        valid_from=_begin(attestation.valid_from, now),
        valid_until=_end(attestation, now),
    )
    return ClearedCopies(rounded, tuple(keys), type, seal, issuer, _CLEARANCE)


def public_keys(keys: Sequence[Mapping[str, Any]]) -> tuple[dict[str, str], ...]:
    """The public JWKs, with nothing in them but the key: whatever else a wallet wrote there would be signed, and told.

    P-256, P-384 and Ed25519, each key once. Raises: CopyKeysInvalid.
    """
    if not keys:
        raise CopyKeysInvalid("there is none")
    found = []
    for key in keys:
        try:
            jwk = PublicKey.from_jwk(key).jwk()
        except (AlgorithmNotSupported, TypeError) as err:
            raise CopyKeysInvalid("not a public JWK") from err
        if jwk["crv"] not in _CURVES:
            raise CopyKeysInvalid("not a key on P-256, P-384 or Ed25519")
        if jwk in found:
            raise CopyKeysInvalid("the same key is there twice")
        found.append(jwk)
    return tuple(found)


def _check_status(attestation: Attestation, history: Sequence[StatusRecord], now: datetime) -> None:
    standing = standing_at(history, now)
    since = standing.since or now
    if standing.status is CertificateStatus.INVALID:
        raise CertificateRevoked(attestation.certificate_id, since)
    if standing.status is CertificateStatus.SUSPENDED:
        raise CertificateSuspended(attestation.certificate_id, since)


def _begin(valid_from: datetime, now: datetime) -> datetime:
    """Rounded down once it has begun; up before, for a copy must not count before its certificate does."""
    down = _hour(valid_from)
    return down if valid_from <= now or valid_from == down else down + _HOUR


def _end(attestation: Attestation, now: datetime) -> datetime | None:
    until = attestation.valid_until
    if until is None:
        return None
    rounded = _hour(until)
    if rounded <= max(now, _begin(attestation.valid_from, now)):
        raise CertificateOver(attestation.certificate_id, until)
    return rounded


def _sealed_at(
    attestation: Attestation, type: CertificateType, seal: Seal, issuer: IssuerEntry, now: datetime
) -> datetime:
    """When the certificate was sealed, rounded down, but not to before its seal could be used for it.

    A seal whose key was renewed since then could not: then the instant from which this key could. Who judges a copy
    asks about that instant; all copies under one key and grant share it.
    """
    listed = next(entry for entry in issuer.seals if entry.id == seal.id)
    histories: tuple[Sequence[StatusChange], ...] = (issuer.history, listed.history, listed.key.history)
    grants = [grant.history for grant in issuer.grants if grant.type_id == type.id]
    certificate = parse_certificate(seal.certificate)
    at = max(_hour(attestation.issued_at), seal.valid_from, listed.valid_from, certificate.not_before)
    while (later := _entitled_from(histories, grants, at, now)) > at:
        at = later
    return at.replace(microsecond=0)


def _entitled_from(
    histories: Sequence[Sequence[StatusChange]], grants: Sequence[Sequence[StatusChange]], at: datetime, now: datetime
) -> datetime:
    """`at`, or the first instant after it from which on something that did not stand then has stood until `now`."""
    since = [at, *(_stands_since(history, now) for history in histories if status_at(history, at) is not _GRANTED)]
    if not any(status_at(history, at) is _GRANTED for history in grants):
        since.append(min(_stands_since(grant, now) for grant in grants if status_at(grant, now) is _GRANTED))
    return max(since)


def _stands_since(history: Sequence[StatusChange], now: datetime) -> datetime:
    """Since when it is granted without a break, for what is granted at `now`."""
    since = now
    for change in reversed(history):
        if change.at <= now:
            if change.status is not _GRANTED:
                break
            since = change.at
    return since


def _hour(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
