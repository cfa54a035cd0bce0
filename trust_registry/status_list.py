"""Token Status Lists: packing statuses, writing and opening the signed token. Fetches nothing and keeps nothing.

Spec: Token Status List (draft-ietf-oauth-status-list), in JWT and in CWT form; written with 2 bits per entry.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from keys.envelopes.base64url import b64url_decode, b64url_encode
from keys.envelopes.cose import CoseSign1
from keys.envelopes.jws import Jws, parse_jws, sign_jws
from keys.envelopes.strict_json import load_json
from keys.errors import AlgorithmNotSupported, MalformedCertificate, MalformedEnvelope
from keys.signer import Signer
from keys.x509 import Certificate, PathOutcome, parse_certificate, validate_path
from trust_registry.core import status_at
from trust_registry.errors import MalformedStatusToken, StatusIndexOutOfRange
from trust_registry.instants import later
from trust_registry.model import (
    CertificateStatus,
    EntryReason,
    EntryStatus,
    History,
    IssuerEntry,
    KeyUse,
    RegionCode,
    StatusList,
    StatusNotes,
    StatusProblem,
    StatusProblemKind,
    StatusSnapshot,
    TrustView,
)
from trust_registry.status_cwt import TAG, read_status_cwt, write_status_cwt

BITS: Final = 2
TYP: Final = "statuslist+jwt"
NOTES_CLAIM: Final = "status_notes"  # ours; docs/adr/0006
MEDIA_TYPE: Final = "application/statuslist+jwt"
MAX_TOKEN_SIZE: Final = 8 * 1024 * 1024
MAX_LIST_SIZE: Final = 16 * 1024 * 1024  # bytes inflated: 2^26 entries of 2 bits
CLOCK_SKEW: Final = timedelta(minutes=10)
_ALLOWED_BITS: Final = (1, 2, 4, 8)
_MAX_INSTANT: Final = 253402300799


class StatusListBuilder:
    """A list being written: 2 bits per entry, all VALID at first. Not safe for threads."""

    __slots__ = ("_data",)

    def __init__(self, data: bytes | bytearray) -> None:
        self._data = bytearray(data)

    def __len__(self) -> int:
        return len(self._data) * 4

    def set(self, index: int, status: CertificateStatus) -> None:
        """Raises: StatusIndexOutOfRange."""
        if not 0 <= index < len(self):
            raise StatusIndexOutOfRange(index, len(self))
        shift = (index & 3) * BITS
        position = index >> 2
        self._data[position] = self._data[position] & ~(3 << shift) & 0xFF | status.value << shift

    def get(self, index: int) -> CertificateStatus:
        """Raises: StatusIndexOutOfRange."""
        return status_at_index(self.freeze(), index) or CertificateStatus.INVALID

    def freeze(self) -> StatusList:
        """The list as it is now, immutable."""
        return StatusList(BITS, bytes(self._data))


def new_status_list(size: int) -> StatusListBuilder:
    """A builder of `size` entries (rounded up to whole bytes), all VALID."""
    return StatusListBuilder(bytes((size + 3) // 4))


def status_at_index(statuses: StatusList, index: int) -> CertificateStatus | None:
    """The status at `index`; None for a value that only its issuer, or a later registry, has a meaning for.

    Raises: StatusIndexOutOfRange. Spec: section 4.1 (least significant bits first), 7.1 (0x03 and 0x0C to 0x0F are
    application specific, the others reserved), section 8.3 step 6.
    """
    bits, data = statuses.bits, statuses.data
    position = index * bits  # widths divide eight, so that no entry lies across bytes, nor partly after the last
    if index < 0 or position >> 3 >= len(data):
        raise StatusIndexOutOfRange(index, len(statuses))
    return _STATUSES.get(data[position >> 3] >> (position & 7) & ((1 << bits) - 1))


_STATUSES: Final = {status.value: status for status in CertificateStatus}


def compress(data: bytes) -> bytes:
    """ZLIB of a byte array. Z_RLE: as small as level 9 on sparse lists, and many times faster."""
    deflate = zlib.compressobj(9, strategy=zlib.Z_RLE)
    return deflate.compress(data) + deflate.flush()


def inflate(data: bytes, *, max_size: int = MAX_LIST_SIZE) -> bytes:
    """The byte array in ZLIB `data`, never more than `max_size` bytes. Raises: MalformedStatusToken."""
    stream = zlib.decompressobj()
    try:
        inflated = stream.decompress(data, max_size)
    except zlib.error as err:
        raise MalformedStatusToken("lst is not ZLIB data") from err
    if not stream.eof:
        raise MalformedStatusToken(f"lst is cut short, or more than {max_size} bytes when inflated")
    if stream.unused_data:
        raise MalformedStatusToken("lst has trailing bytes")
    return inflated


@dataclass(frozen=True, slots=True)
class StatusToken:
    """A status list token as read, nothing verified. `digest` is "sha256:<hex>" of its bytes.

    `aggregation_uri`: where its issuer says which lists it has; a stranger's word, followed only below a listed base.
    """

    signed: Jws | CoseSign1
    uri: str  # `sub`
    issued_at: datetime
    expires_at: datetime | None
    ttl: timedelta | None
    statuses: StatusList
    digest: str
    notes: StatusNotes | None = None
    not_before: datetime | None = None
    aggregation_uri: str | None = None


def make_status_token(
    statuses: StatusList,
    *,
    notes: StatusNotes | None = None,
    uri: str,
    signer: Signer,
    issued_at: datetime,
    expires_at: datetime,
    ttl: timedelta,
    certificate: Certificate | None = None,
    aggregation_uri: str | None = None,
) -> str:
    """A signed token for `statuses` at `uri`; `certificate` is the signer's, in the header as `x5c` and `x5t#S256`.

    Raises: whatever the signer raises. Spec: section 5.1; OpenID4VC HAIP section 6.1 (`x5c`, without the anchor).
    """
    header: dict[str, Any] = {"typ": TYP}
    if certificate is not None:
        header["x5t#S256"] = b64url_encode(bytes.fromhex(certificate.thumbprint)).decode()
        header["x5c"] = [b64encode(certificate.der).decode()]
    payload = _claims(statuses, notes, uri, issued_at, expires_at, ttl, aggregation_uri)
    for member in (payload["status_list"], payload.get(NOTES_CLAIM)):
        if member is not None:
            member["lst"] = b64url_encode(member["lst"]).decode()
    return sign_jws(header, json.dumps(payload, separators=(",", ":")).encode(), signer)


def make_status_cwt(
    statuses: StatusList,
    *,
    notes: StatusNotes | None = None,
    uri: str,
    signer: Signer,
    issued_at: datetime,
    expires_at: datetime,
    ttl: timedelta,
    certificate: Certificate,
    aggregation_uri: str | None = None,
) -> bytes:
    """As `make_status_token`, in CBOR, with `x5chain`; `kid` is the first eight bytes of the certificate's SHA-256.

    Spec: section 5.2.
    """
    payload = _claims(statuses, notes, uri, issued_at, expires_at, ttl, aggregation_uri)
    return write_status_cwt(payload, signer, bytes.fromhex(certificate.thumbprint[:16]), certificate.der)


def _claims(  # noqa: PLR0917
    statuses: StatusList,
    notes: StatusNotes | None,
    uri: str,
    issued_at: datetime,
    expires_at: datetime,
    ttl: timedelta,
    aggregation_uri: str | None,
) -> dict[str, Any]:
    """What both forms say; lists as ZLIB bytes."""
    status_list: dict[str, Any] = {"bits": statuses.bits, "lst": compress(statuses.data)}
    if aggregation_uri is not None:
        status_list["aggregation_uri"] = aggregation_uri
    claims: dict[str, Any] = {
        "sub": uri,
        "iat": int(issued_at.timestamp()),
        "exp": int(expires_at.timestamp()),
        "ttl": int(ttl.total_seconds()),
        "status_list": status_list,
    }
    if notes is not None and notes.columns:
        claims[NOTES_CLAIM] = {"reasons": list(notes.reasons), "lst": compress(notes.columns)}
    return claims


def parse_status_token(token: str | bytes) -> StatusToken:
    """Read a token, in either form, without believing it. Raises: MalformedStatusToken. Spec: sections 4 and 5."""
    signed, claims = _envelope(token)
    if not isinstance(claims, dict) or not isinstance(claims.get("sub"), str):
        raise MalformedStatusToken("sub is missing")
    if "aud" in claims:  # RFC 7519 section 4.1.3: whoever is not named MUST reject; nobody here has a name for it
        raise MalformedStatusToken("aud: the token is for somebody else")
    ttl = _number(claims, "ttl") if "ttl" in claims else None
    if ttl == 0:
        raise MalformedStatusToken("ttl must be positive")
    text = token.encode() if isinstance(token, str) else token
    statuses, aggregation_uri = _read_list(claims.get("status_list"), signed)
    return StatusToken(
        signed,
        claims["sub"],
        _instant(claims, "iat"),
        _instant(claims, "exp") if "exp" in claims else None,
        None if ttl is None else timedelta(seconds=ttl),
        statuses,
        "sha256:" + hashlib.sha256(text).hexdigest(),
        _read_notes(claims.get(NOTES_CLAIM), signed),
        _instant(claims, "nbf") if "nbf" in claims else None,
        aggregation_uri,
    )


def _envelope(token: str | bytes) -> tuple[Jws | CoseSign1, Any]:
    try:
        if isinstance(token, bytes) and token[:1] == TAG:
            return read_status_cwt(token, max_size=MAX_TOKEN_SIZE)
        jws = parse_jws(token, max_size=MAX_TOKEN_SIZE)
        claims = load_json(jws.payload, max_size=MAX_TOKEN_SIZE)
    except MalformedEnvelope as err:
        raise MalformedStatusToken("neither a JWT nor a CWT") from err
    if jws.header.get("typ") != TYP:
        raise MalformedStatusToken(f"typ must be {TYP}")
    return jws, claims


def _packed(value: object, signed: Jws | CoseSign1) -> bytes:
    """The ZLIB bytes of `lst`: base64url text in JSON, a byte string in CBOR. Raises: ValueError."""
    if isinstance(signed, CoseSign1):
        if not isinstance(value, bytes):
            raise ValueError("not a byte string")
        return value
    if not isinstance(value, str):
        raise ValueError("not text")
    return b64url_decode(value.encode("ascii"))


def _read_notes(value: object, signed: Jws | CoseSign1) -> StatusNotes | None:
    """The notes, if they can be read; what is no use to us is no reason to disbelieve the statuses."""
    if not isinstance(value, dict):
        return None
    reasons = value.get("reasons")
    if not isinstance(reasons, list) or not all(isinstance(each, str) for each in reasons):
        return None
    try:
        return StatusNotes(tuple(reasons), inflate(_packed(value.get("lst"), signed)))
    except (ValueError, MalformedStatusToken):
        return None


def _read_list(value: object, signed: Jws | CoseSign1) -> tuple[StatusList, str | None]:
    """Spec: sections 4.2 and 4.3."""
    if not isinstance(value, dict) or "lst" not in value:
        raise MalformedStatusToken("status_list.lst is missing")
    bits = value.get("bits")
    if bits.__class__ is not int or bits not in _ALLOWED_BITS:
        raise MalformedStatusToken("status_list.bits must be 1, 2, 4 or 8")
    try:
        packed = _packed(value["lst"], signed)
    except ValueError as err:
        raise MalformedStatusToken("status_list.lst is not what this form needs") from err
    aggregation_uri = value.get("aggregation_uri")
    if aggregation_uri is not None and not isinstance(aggregation_uri, str):
        raise MalformedStatusToken("status_list.aggregation_uri must be text")
    return StatusList(bits, inflate(packed)), aggregation_uri


def _number(claims: Mapping[str, Any], name: str) -> int | float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _MAX_INSTANT:
        raise MalformedStatusToken(f"{name} must be a number of seconds")
    return value


def _instant(claims: Mapping[str, Any], name: str) -> datetime:
    return datetime.fromtimestamp(_number(claims, name), UTC)


def find_status_issuer(view: TrustView, uri: str) -> tuple[RegionCode, IssuerEntry] | None:
    """An issuer under whose base `uri` stands."""
    return next(_status_issuers(view, uri), None)


def _status_issuers(view: TrustView, uri: str) -> Iterator[tuple[RegionCode, IssuerEntry]]:
    """All of them: any region can write another's base into its own list, so the base alone proves nothing."""
    for code, region_list in view.lists.items():
        for issuer in region_list.attests:
            if uri.startswith(issuer.status_list_base):
                yield code, issuer


def open_status_token(
    token: str | bytes, *, uri: str, view: TrustView, at: datetime, fetched_at: datetime
) -> StatusSnapshot | StatusProblem:
    """The verified statuses at `uri`, or why they can't be believed. Never raises on content.

    Believed is a token whose `sub` is `uri`, signed by a STATUS key that the issuer's region lists for the issuer
    under whose base the URI stands, granted and in its certificate's validity when the token was issued, and not
    revoked for compromise since. Of a key whose compromise is known, whenever that is asked for, only what was
    fetched before (`fetched_at`: this machine has had it since) is believed. `exp` is not judged here: how old a list
    may be is the verifier's policy. Spec: section 8.3 steps 3 and 4.
    """

    def problem(kind: StatusProblemKind, detail: str) -> StatusProblem:
        return StatusProblem(uri, kind, detail)

    try:
        parsed = parse_status_token(token)
    except MalformedStatusToken as err:
        return problem(StatusProblemKind.MALFORMED, str(err))
    if parsed.uri != uri:
        return problem(StatusProblemKind.MISPLACED, "the token is for another URI")
    issuers = list(_status_issuers(view, uri))
    if not issuers:
        return problem(StatusProblemKind.MISPLACED, "no listed issuer publishes status lists here")
    if parsed.issued_at > later(at, CLOCK_SKEW):
        return problem(StatusProblemKind.FORGED, "issued in the future")
    if parsed.not_before is not None and parsed.not_before > later(at, CLOCK_SKEW):
        return problem(StatusProblemKind.MALFORMED, "not to be used yet")
    signers = (issuer for code, issuer in issuers if _signed_by_issuer(parsed, view, code, issuer, at, fetched_at))
    issuer = next(signers, None)
    if issuer is None:
        return problem(StatusProblemKind.FORGED, "not signed by a status key that the region lists for this issuer")
    return StatusSnapshot(
        uri,
        issuer.id,
        parsed.statuses,
        parsed.issued_at,
        parsed.expires_at,
        parsed.ttl,
        fetched_at,
        parsed.digest,
        parsed.notes,
    )


def _signed_by_issuer(  # noqa: PLR0917
    token: StatusToken, view: TrustView, code: RegionCode, issuer: IssuerEntry, at: datetime, fetched_at: datetime
) -> bool:
    anchors = [parse_certificate(key.certificate) for key in view.lists[code].authorities if key.use is KeyUse.CA]
    for key in issuer.status_keys:
        if not _stands(key.history, token.issued_at, at, fetched_at):
            continue
        try:
            certificate = parse_certificate(key.certificate)
            public_key = certificate.public_key
        except (MalformedCertificate, AlgorithmNotSupported):
            continue
        if (
            token.signed.verified_by(public_key)
            and validate_path(certificate, (), anchors, token.issued_at).outcome is PathOutcome.OK
        ):
            return True
    return False


def _stands(history: History, issued_at: datetime, at: datetime, fetched_at: datetime) -> bool:
    """Whether a key may have signed then, and is not distrusted now, for whatever time is asked: a leaked key can write
    any `iat`. Spec: RFC 5280 section 5.3.2 for the invalidity date."""
    granted = EntryStatus.GRANTED
    if status_at(history, issued_at) is not granted or status_at(history, at) is not granted:
        return False
    stolen = (change for change in history if change.reason is EntryReason.KEY_COMPROMISE)
    return all(fetched_at < (change.invalidity_date or change.at) for change in stolen)
