"""Read a CRL into facts. Its signature, and whether its issuer may speak for a certificate, is `standing`'s to ask."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any, Final

from asn1crypto import core
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from keys import der as asn1
from keys.errors import MalformedRevocation
from keys.revocation.model import Crl, CrlEntry, CrlScope, Reason, Signed

MAX_CRL: Final = 32 << 20
_NUMBER, _DELTA, _SCOPE, _EXPIRED = "2.5.29.20", "2.5.29.27", "2.5.29.28", "2.5.29.60"
_PROCESSED: Final = frozenset({_NUMBER, _SCOPE, "2.5.29.35"})
_ENTRY_REASON, _ENTRY_INVALIDITY = "2.5.29.21", "2.5.29.24"
REASONS: Final = {
    x509.ReasonFlags.unspecified: Reason.UNSPECIFIED,
    x509.ReasonFlags.key_compromise: Reason.KEY_COMPROMISE,
    x509.ReasonFlags.ca_compromise: Reason.CA_COMPROMISE,
    x509.ReasonFlags.affiliation_changed: Reason.AFFILIATION_CHANGED,
    x509.ReasonFlags.superseded: Reason.SUPERSEDED,
    x509.ReasonFlags.cessation_of_operation: Reason.CESSATION_OF_OPERATION,
    x509.ReasonFlags.certificate_hold: Reason.CERTIFICATE_HOLD,
    x509.ReasonFlags.remove_from_crl: Reason.REMOVE_FROM_CRL,
    x509.ReasonFlags.privilege_withdrawn: Reason.PRIVILEGE_WITHDRAWN,
    x509.ReasonFlags.aa_compromise: Reason.AA_COMPROMISE,
}
NOT_READABLE: Final = (
    *(ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError, Warning),
    *(UnsupportedAlgorithm, x509.InvalidVersion, x509.DuplicateExtension, x509.UnsupportedGeneralNameType),
)


def parse_crl(der: bytes) -> Crl:
    """The CRL in `der`, of at most 32 MiB. Nothing is verified. Raises MalformedRevocation.

    Entries are read when they are looked up; one that can't be read makes the look-up say "not usable".
    Spec: RFC 5280 section 5.
    """
    if len(der) > MAX_CRL:
        raise MalformedRevocation(f"a CRL of more than {MAX_CRL} bytes")
    try:
        return _read(bytes(der))
    except NOT_READABLE as err:
        raise MalformedRevocation("not a DER certificate revocation list") from err


def _read(der: bytes) -> Crl:
    parsed = x509.load_der_x509_crl(der)
    signed = split_signed(der)
    ((_, _, start, end),) = asn1.elements(signed.tbs)
    fields = [signed.tbs[first:past] for _, first, _, past in asn1.elements(signed.tbs, start, end)]
    algorithm, name = (fields[1], fields[2]) if fields[0][0] == 0x02 else (fields[0], fields[1])
    if algorithm != signed.algorithm:
        raise ValueError("two different signature algorithms (RFC 5280 section 5.1.2.2)")
    extensions = {e.oid.dotted_string: e for e in parsed.extensions}
    unknown = {oid for oid, e in extensions.items() if e.critical and oid not in _PROCESSED}
    number = extensions.get(_NUMBER)
    expired = extensions.get(_EXPIRED)
    return Crl(
        der=der,
        issuer_name_der=name,
        this_update=parsed.last_update_utc,
        next_update=parsed.next_update_utc,
        number=None if number is None else int(number.value.crl_number),
        scope=_scope(extensions.get(_SCOPE), doubtful=bool(unknown) or _DELTA in extensions),
        expired_since=None if expired is None else generalized_time(expired.value.public_bytes()),
        signed=signed,
        look_up=partial(_look_up, parsed),
    )


def split_signed(der: bytes) -> Signed:
    """The three parts of a SIGNED structure, as they stand. Raises ValueError."""
    ((tag, _, start, end),) = asn1.elements(der)
    tbs, algorithm, signature = asn1.elements(der, start, end)[:3]
    if tag != asn1.SEQUENCE or signature[0] != 0x03 or der[signature[2] : signature[2] + 1] != b"\0":
        raise ValueError("not a signed structure")
    return Signed(der[tbs[1] : tbs[3]], der[algorithm[1] : algorithm[3]], der[signature[2] + 1 : signature[3]])


def generalized_time(der: bytes) -> datetime:
    """A GeneralizedTime in UTC. Raises ValueError, TypeError."""
    moment = core.GeneralizedTime.load(der, strict=True).native  # type: ignore[no-untyped-call]
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        raise ValueError("not a time in UTC")
    return moment


def _scope(extension: Any, *, doubtful: bool) -> CrlScope:
    if extension is None:
        return CrlScope(partial=doubtful)
    point: x509.IssuingDistributionPoint = extension.value
    names = None if point.full_name is None else uris(point.full_name)
    doubtful = doubtful or bool(
        point.indirect_crl
        or point.only_contains_attribute_certs
        or point.only_some_reasons
        or point.relative_name is not None
    )
    return CrlScope(names, point.only_contains_user_certs, point.only_contains_ca_certs, doubtful)


def uris(names: list[x509.GeneralName]) -> frozenset[str]:
    return frozenset(name.value for name in names if isinstance(name, x509.UniformResourceIdentifier))


def _look_up(parsed: x509.CertificateRevocationList, serial: int) -> CrlEntry | None:
    try:
        entry = parsed.get_revoked_certificate_by_serial_number(serial)
        return None if entry is None else _entry(entry)
    except NOT_READABLE:
        return CrlEntry(parsed.last_update_utc, None, None, usable=False)


def _entry(entry: x509.RevokedCertificate) -> CrlEntry:
    extensions: dict[str, Any] = {e.oid.dotted_string: e for e in entry.extensions}
    reason, doubted = extensions.get(_ENTRY_REASON), extensions.get(_ENTRY_INVALIDITY)
    unknown = {o for o, e in extensions.items() if e.critical and o not in (_ENTRY_REASON, _ENTRY_INVALIDITY)}
    return CrlEntry(
        revoked_at=entry.revocation_date_utc,
        reason=None if reason is None else REASONS[reason.value.reason],
        invalidity_date=None if doubted is None else doubted.value.invalidity_date_utc,
        usable=not unknown,
    )
