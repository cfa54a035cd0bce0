"""What may be sealed and what may change: pure decisions, the time an argument.

`clear` is the only constructor of `Cleared`. Nothing here allocates numbers, reads a store or signs.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from hashlib import sha256
from typing import Any

from issuer.errors import (
    ApprovalNeeded,
    ClaimsInvalid,
    ContentChanged,
    EffectiveTimeInPast,
    HolderKeyInvalid,
    HolderNotNamed,
    IdempotencyKeyInvalid,
    InvalidIdentityNumber,
    IssuerNotEntitled,
    OwnRequest,
    ReasonDoesNotFit,
    SealNotEntitled,
    SealNotInForce,
    SealNotListed,
    SealOutOfTime,
    StatusFinal,
    StatusUnchanged,
    ValidityImpossible,
    WaitingClosed,
)
from issuer.model import (
    CLEARANCE,
    Cleared,
    HolderIdentity,
    HolderKind,
    IssueRequest,
    Seal,
    StatusChangeRequest,
    StatusRecord,
    Waiting,
    WaitingState,
)
from keys.errors import KeysError
from keys.public_key import PublicKey
from trust_registry import errors as registry_errors
from trust_registry.catalogue import validate_claims
from trust_registry.core import status_at
from trust_registry.edges import AccountId
from trust_registry.identifiers import check_citizen_number, check_uscc, mask
from trust_registry.model import (
    CertificateStatus,
    CertificateType,
    EntryStatus,
    IssuerEntry,
    SealEntry,
    StatusReason,
    ValidityKind,
)

CIVIL_TIME = timezone(timedelta(hours=8))  # dates on certificates are civil dates of UTC+8 (GB/T 7408)
CLOCK_TOLERANCE = timedelta(minutes=5)  # how far a caller's clock may run behind ours
UNLIMITED_WORDS = frozenset({"长期", "9999-12-31"})  # how claims say that there is no end

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_VALID = CertificateStatus.VALID
_SUSPENSION_ENDS = frozenset(
    {StatusReason.REVIEW_ENDED, StatusReason.HOLDER_REQUEST, StatusReason.CORRECTION, StatusReason.ISSUED_IN_ERROR}
)


def clear(
    request: IssueRequest, type: CertificateType, seal: Seal, issuer_entry: IssuerEntry, now: datetime
) -> Cleared:
    """Decide that `request` may be sealed with `seal` at `now`.

    `issuer_entry` is the issuer as its region lists it at this moment; `type` and `seal` are those the request names.
    Raises: IdempotencyKeyInvalid, SealNotListed, SealNotInForce, SealOutOfTime, SealNotEntitled, IssuerNotEntitled,
    InvalidIdentityNumber, ClaimsInvalid, HolderNotNamed, HolderKeyInvalid, ValidityImpossible; ApprovalNeeded when the
    type is under dual control and nobody but who asked has approved.
    """
    if type.id != request.type_id or seal.id != request.seal_id:
        raise ValueError("the type and the seal must be those that the request names")
    if not _KEY.fullmatch(request.idempotency_key):
        raise IdempotencyKeyInvalid
    check_entitled(type, seal, issuer_entry, now)
    _check_claims(request, type)
    if request.holder_key is not None:
        try:
            PublicKey.from_jwk(request.holder_key)
        except KeysError as err:
            raise HolderKeyInvalid(str(err)) from err
    issued_at = now.replace(microsecond=0)  # NumericDate in every rendering: the same second everywhere
    valid_from = (request.valid_from or issued_at).replace(microsecond=0)
    valid_until = _valid_until(request, type, valid_from)
    if valid_until is not None and valid_until <= max(now, valid_from):
        pointer = f"/claims/{type.validity.claim}" if type.validity.kind is ValidityKind.CLAIM else "/valid_from"
        raise ValidityImpossible(pointer, "the certificate would be over already, or before it begins")
    if type.dual_control and request.approved_by in (None, request.requested_by):
        raise ApprovalNeeded(type.id)
    return Cleared(request, type, seal, issuer_entry, valid_from, valid_until, issued_at, CLEARANCE)


def check_approval(waiting: Waiting, by: AccountId, digest: str, now: datetime) -> None:
    """Whether `by` may approve now what they were shown (`digest`). Approving again, by the same clerk, may pass.

    Raises: OwnRequest, WaitingClosed, ContentChanged.
    """
    if by == waiting.requested_by:
        raise OwnRequest
    again = waiting.state in (WaitingState.APPROVED, WaitingState.SEALED) and waiting.decided_by == by
    if not again:
        check_open(waiting, now)
    if not hmac.compare_digest(digest.encode(), waiting.digest.encode()):
        raise ContentChanged


def check_open(waiting: Waiting, now: datetime) -> None:
    """Whether it still waits. Raises: WaitingClosed."""
    if waiting.state is not WaitingState.WAITING:
        raise WaitingClosed(waiting.state.value)
    if now >= waiting.expires_at:
        raise WaitingClosed(WaitingState.EXPIRED.value)


def check_entitled(type: CertificateType, seal: Seal, issuer_entry: IssuerEntry, now: datetime) -> None:
    """Whether `seal` may still be put under certificates of `type` at `now`; asked again when a crash came in between.

    Raises: SealNotListed, SealNotInForce, SealOutOfTime, SealNotEntitled, IssuerNotEntitled.
    """
    _check_seal(seal, type, issuer_entry, now)
    _check_entitlement(issuer_entry, type, now)


def _check_seal(seal: Seal, type: CertificateType, issuer_entry: IssuerEntry, now: datetime) -> None:
    listed = next((entry for entry in issuer_entry.seals if entry.id == seal.id), None)
    if listed is None or issuer_entry.id != seal.issuer_id:
        raise SealNotListed(seal.id)
    if sha256(seal.certificate).hexdigest() != listed.key.thumbprint:
        raise SealNotListed(seal.id)
    for history in (listed.history, listed.key.history):
        status = status_at(history, now)
        if status is not EntryStatus.GRANTED:
            raise SealNotInForce(seal.id, status.value if status else None)
    _check_seal_time(seal, listed, now)
    if type.id not in seal.scope or type.id not in listed.scope:
        raise SealNotEntitled(seal_id=seal.id, type_id=type.id)


def _check_seal_time(seal: Seal, listed: SealEntry, now: datetime) -> None:
    """A seal may be used from `valid_from` on and before `valid_until`, in custody and on the list."""
    valid_from, valid_until = max(seal.valid_from, listed.valid_from), min(seal.valid_until, listed.valid_until)
    if not valid_from <= now < valid_until:
        raise SealOutOfTime(seal.id, valid_from, valid_until)


def _check_entitlement(issuer_entry: IssuerEntry, type: CertificateType, now: datetime) -> None:
    """The issuer stands, and so does one of its grants of the type, at whichever assurance."""
    grants = [status_at(grant.history, now) for grant in issuer_entry.grants if grant.type_id == type.id]
    granted = EntryStatus.GRANTED
    for status in (status_at(issuer_entry.history, now), granted if granted in grants else next(iter(grants), None)):
        if status is not granted:
            raise IssuerNotEntitled(issuer_entry.id, type.id, status.value if status else None)


def _check_number(pointer: str, number: str, kind: HolderKind) -> None:
    try:
        check_citizen_number(number) if kind is HolderKind.CITIZEN else check_uscc(number)
    except registry_errors.InvalidIdentifier as err:
        raise InvalidIdentityNumber(pointer, str(err)) from None  # the cause may hold the number


def _check_claims(request: IssueRequest, type: CertificateType) -> None:
    try:
        validate_claims(type, request.claims)
    except registry_errors.ClaimsInvalid as err:
        raise ClaimsInvalid(_pointer(err.path), err.message) from None  # the cause may hold values
    identifiers = [c.name for c in type.claims if c.holder_identifier and c.name in request.claims]
    for name in identifiers:
        number = str(request.claims[name])
        _check_number(f"/claims/{name}", number, holder_kind(number))
    _check_number("/holder/number", request.holder.number, request.holder.kind)
    _check_named(request, identifiers, request.holder.number)
    _check_named(
        request, [c.name for c in type.claims if c.holder_name and c.name in request.claims], request.holder.name
    )


def _check_named(request: IssueRequest, names: Sequence[str], value: str) -> None:
    """Whoever will hold the certificate must be someone whom it is about."""
    if names and all(request.claims[name] != value for name in names):
        raise HolderNotNamed(tuple(f"/claims/{name}" for name in names))


def _pointer(path: str) -> str:
    """The catalogue's dotted path as an RFC 6901 pointer into the request."""
    parts = (part.replace("~", "~0").replace("/", "~1") for part in path.split(".") if part)
    return "/claims" + "".join(f"/{part}" for part in parts)


def holder_kind(number: str) -> HolderKind:
    """Which rule a number is meant to follow: GB 32100 if it has letters among its first 17, or checks only there."""
    looks_like_citizen = number[:17].isdigit()
    if looks_like_citizen and (_checks(check_citizen_number, number) or not _checks(check_uscc, number)):
        return HolderKind.CITIZEN
    return HolderKind.ORGANISATION


def _checks(check: Callable[[str], str], number: str) -> bool:
    try:
        check(number)
    except registry_errors.InvalidIdentifier:
        return False
    return True


def _valid_until(request: IssueRequest, type: CertificateType, valid_from: datetime) -> datetime | None:
    """The end of the last day on which the certificate counts, by the type's rule; None: no end."""
    rule = type.validity
    if rule.kind is ValidityKind.UNLIMITED:
        return None
    if rule.kind is ValidityKind.FIXED:
        first_day = valid_from.astimezone(CIVIL_TIME).date()
        return _end_of(first_day + timedelta(days=(rule.days or 1) - 1))
    value: Any = request.claims.get(rule.claim or "")
    if value is None or value in UNLIMITED_WORDS:
        return None
    try:
        return _end_of(date.fromisoformat(str(value)))
    except ValueError:
        raise ValidityImpossible(f"/claims/{rule.claim}", "a date (YYYY-MM-DD) is needed") from None


def _end_of(day: date) -> datetime:
    """The last second of a civil day, so that the day is still read from it."""
    return datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=CIVIL_TIME).astimezone(UTC)


def mask_name(holder: HolderIdentity) -> str:
    """A citizen's name with its middle covered; an organisation's name is public."""
    return mask(holder.name) if holder.kind is HolderKind.CITIZEN else holder.name


@dataclass(frozen=True, slots=True)
class Standing:
    """A certificate's status at an instant. `reason` and `since` are None for one that never changed."""

    status: CertificateStatus
    reason: StatusReason | None
    since: datetime | None


def standing_at(history: Sequence[StatusRecord], at: datetime) -> Standing:
    """What the history, in the order recorded, says at `at`. Once a revocation takes effect, nothing undoes it."""
    current = Standing(CertificateStatus.VALID, None, None)
    for record in _in_effect(history, at):
        if current.status is not CertificateStatus.INVALID:
            current = Standing(record.status, record.reason, record.effective_at)
    return current


def _in_effect(history: Iterable[StatusRecord], at: datetime) -> list[StatusRecord]:
    """By effective time; of those with the same one, as recorded (the sort is stable)."""
    return sorted((r for r in history if r.effective_at <= at), key=lambda r: r.effective_at)


def plan_status_change(
    history: Sequence[StatusRecord], request: StatusChangeRequest, now: datetime
) -> StatusRecord | None:
    """The line to append, or None when it stands there already (a retry).

    Raises: EffectiveTimeInPast, ReasonDoesNotFit, StatusFinal, StatusUnchanged.
    """
    if request.effective_at < now - CLOCK_TOLERANCE:
        raise EffectiveTimeInPast(request.effective_at, now)
    _check_reason(request.status, request.reason)
    effective_at = max(request.effective_at, now)
    standing = standing_at(history, effective_at)
    if standing.status is request.status and (standing.reason is request.reason or request.status is _VALID):
        return None
    if standing.status is CertificateStatus.INVALID and standing.since is not None:
        raise StatusFinal(request.certificate_id, standing.since)
    if standing.status is request.status:
        raise StatusUnchanged(request.certificate_id, request.status.name.lower())
    return StatusRecord(request.status, request.reason, effective_at, now, request.requested_by)


def _check_reason(status: CertificateStatus, reason: StatusReason) -> None:
    fits = (reason in _SUSPENSION_ENDS) if status is _VALID else reason is not StatusReason.REVIEW_ENDED
    if not fits:
        raise ReasonDoesNotFit(reason.value, status.name.lower())
