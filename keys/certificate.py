"""What a parsed X.509 certificate says. Parsed once, cached by DER, immutable. Judges nothing: paths are `keys.path`.

`cryptography` reads the structure; public keys go through our own registry, so that a certificate over a key which the
registry does not name can still be read, listed and refused.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509.oid import NameOID

from keys import der as asn1
from keys.errors import MalformedCertificate
from keys.foreign_algorithms import foreign_key
from keys.model import Algorithm
from keys.public_key import PublicKey

# Anybody may hand in certificates, and all are remembered for a while: both bounds together keep that under 100 MB.
_MAX_SIZE: Final = 16384
_REMEMBERED: Final = 2048
_USCC_PREFIX: Final = "NTRCN-"  # ETSI EN 319 412-1 clause 5.1.4: national trade register, China
_PEM: Final = re.compile(rb"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]*)-----END CERTIFICATE-----")
_KEY_USAGES: Final = (
    ("digital_signature", "digitalSignature"),
    ("content_commitment", "nonRepudiation"),
    ("key_encipherment", "keyEncipherment"),
    ("data_encipherment", "dataEncipherment"),
    ("key_agreement", "keyAgreement"),
    ("key_cert_sign", "keyCertSign"),
    ("crl_sign", "cRLSign"),
)


@dataclass(frozen=True, slots=True, eq=False)
class Certificate:
    """A parsed certificate; equal if the DER is. Times are UTC, OIDs dotted, `thumbprint` hex SHA-256 of the DER.

    `key_usage` uses the names of RFC 5280 section 4.2.1.3; it and `extended_key_usage` are empty where the extension is
    absent (neither extension may be empty).
    `unknown_critical` holds critical extensions that path validation does not process.
    """

    der: bytes
    thumbprint: str
    subject: str  # RFC 4514
    common_name: str | None
    organisation: str | None
    organisation_identifier: str | None
    serial: int
    issuer_name_der: bytes
    subject_name_der: bytes
    not_before: datetime
    not_after: datetime
    spki: bytes
    signature_oid: str
    signature: bytes
    tbs: bytes
    is_ca: bool
    path_length: int | None
    key_usage: frozenset[str]
    extended_key_usage: frozenset[str]
    extended_key_usage_critical: bool
    policies: frozenset[str]
    ski: bytes | None
    aki: bytes | None
    san_uris: tuple[str, ...]
    unknown_critical: frozenset[str]
    version: int  # 3; of foreign certificates also 1 and 2, which have no extensions
    signature_algorithm: bytes  # AlgorithmIdentifier, DER

    @property
    def public_key(self) -> PublicKey:
        """The subject's key. Raises AlgorithmNotSupported for a kind of key that this network does not sign with; what
        others sign with is verified by `keys.foreign_algorithms.foreign_key`."""
        return PublicKey.from_spki(self.spki)

    @property
    def uscc(self) -> str | None:
        """The Unified Social Credit Code in organizationIdentifier, if there is one."""
        identifier = self.organisation_identifier or ""
        return identifier.removeprefix(_USCC_PREFIX) if identifier.startswith(_USCC_PREFIX) else None

    def pem(self) -> bytes:
        """PEM text (RFC 7468), ending in a newline."""
        text = base64.b64encode(self.der)
        lines = b"\n".join(text[i : i + 64] for i in range(0, len(text), 64))
        return b"-----BEGIN CERTIFICATE-----\n" + lines + b"\n-----END CERTIFICATE-----\n"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Certificate) and self.der == other.der

    def __hash__(self) -> int:
        return hash(self.der)

    def __repr__(self) -> str:
        return f"<Certificate {self.thumbprint[:16]} {self.subject}>"


def parse_certificate(der: bytes) -> Certificate:
    """The certificate in `der`; cached. Raises MalformedCertificate."""
    if len(der) > _MAX_SIZE:
        raise MalformedCertificate(f"a certificate of more than {_MAX_SIZE} bytes")
    return _parse(bytes(der))


def end_of_validity(der: bytes) -> datetime:
    """`not_after` (UTC) alone, without keeping the certificate: for a calendar of thousands. Raises
    MalformedCertificate."""
    try:
        return x509.load_der_x509_certificate(der).not_valid_after_utc
    except _NOT_A_CERTIFICATE as err:
        raise MalformedCertificate("not a DER X.509 certificate") from err


def parse_pem_certificates(text: bytes) -> tuple[Certificate, ...]:
    """All certificates in PEM text, in order. Raises MalformedCertificate if one is broken or there is none."""
    blocks = _PEM.findall(text)
    if not blocks or len(blocks) != text.count(b"-----BEGIN CERTIFICATE-----"):
        raise MalformedCertificate("no PEM certificate, or a broken one")
    try:
        ders = [base64.b64decode(b"".join(block.split()), validate=True) for block in blocks]
    except ValueError as err:
        raise MalformedCertificate("a PEM certificate that is not base64") from err
    return tuple(parse_certificate(der) for der in ders)


_NOT_A_CERTIFICATE: Final = (
    *(ValueError, TypeError, KeyError, OverflowError, UnsupportedAlgorithm, Warning),
    *(x509.InvalidVersion, x509.DuplicateExtension, x509.UnsupportedGeneralNameType),  # not ValueErrors
)


@lru_cache(maxsize=_REMEMBERED)
def _parse(der: bytes) -> Certificate:
    try:
        parsed = x509.load_der_x509_certificate(der)
        extensions = {e.oid.dotted_string: e for e in parsed.extensions}
        return _read(der, parsed, extensions)
    except _NOT_A_CERTIFICATE as err:
        # Warnings are raised where they are errors: deprecated encodings are no certificates of ours.
        raise MalformedCertificate("not a DER X.509 certificate") from err


def _read(der: bytes, parsed: x509.Certificate, extensions: dict[str, Any]) -> Certificate:
    if parsed.serial_number <= 0:
        raise ValueError("not a certificate with a positive serial number")
    tbs = parsed.tbs_certificate_bytes
    issuer_name, subject_name, spki = _original_bytes(tbs)
    version, signature_algorithm = _outside(der, tbs)
    constraints = _value(extensions, "2.5.29.19")
    usage = _value(extensions, "2.5.29.15")
    extended = extensions.get("2.5.29.37")
    ski = _value(extensions, "2.5.29.14")
    aki = _value(extensions, "2.5.29.35")
    names = _value(extensions, "2.5.29.17")
    policies = _value(extensions, "2.5.29.32")
    return Certificate(
        der=der,
        thumbprint=hashlib.sha256(der).hexdigest(),
        subject=parsed.subject.rfc4514_string(),
        common_name=_attribute(parsed.subject, NameOID.COMMON_NAME),
        organisation=_attribute(parsed.subject, NameOID.ORGANIZATION_NAME),
        organisation_identifier=_attribute(parsed.subject, NameOID.ORGANIZATION_IDENTIFIER),
        serial=parsed.serial_number,
        issuer_name_der=issuer_name,
        subject_name_der=subject_name,
        not_before=parsed.not_valid_before_utc,
        not_after=parsed.not_valid_after_utc,
        spki=spki,
        signature_oid=parsed.signature_algorithm_oid.dotted_string,
        signature=parsed.signature,
        tbs=tbs,
        is_ca=constraints is not None and constraints.ca,
        path_length=None if constraints is None else constraints.path_length,
        key_usage=frozenset(name for attribute, name in _KEY_USAGES if usage is not None and getattr(usage, attribute)),
        extended_key_usage=frozenset(() if extended is None else (o.dotted_string for o in extended.value)),
        extended_key_usage_critical=extended is not None and extended.critical,
        policies=frozenset(p.policy_identifier.dotted_string for p in policies or ()),
        ski=None if ski is None else ski.digest,
        aki=None if aki is None else aki.key_identifier,
        san_uris=() if names is None else tuple(names.get_values_for_type(x509.UniformResourceIdentifier)),
        unknown_critical=frozenset(o for o, e in extensions.items() if e.critical and o not in _PROCESSED),
        version=version,
        signature_algorithm=signature_algorithm,
    )


_PROCESSED: Final = frozenset(
    {"2.5.29.14", "2.5.29.15", "2.5.29.17", "2.5.29.19", "2.5.29.32", "2.5.29.35", "2.5.29.37"}
)


def _value(extensions: dict[str, Any], oid: str) -> Any:
    extension = extensions.get(oid)
    return None if extension is None else extension.value


def _attribute(name: x509.Name, oid: x509.ObjectIdentifier) -> str | None:
    found = name.get_attributes_for_oid(oid)
    return str(found[0].value) if found else None


def _original_bytes(tbs: bytes) -> tuple[bytes, bytes, bytes]:
    """Issuer, subject and SubjectPublicKeyInfo as they stand: names are chained by these bytes, never re-encoded."""
    ((_, _, start, end),) = asn1.elements(tbs)
    # version [0] (absent: 1), serialNumber, signature, issuer, validity, subject, subjectPublicKeyInfo
    elements = asn1.elements(tbs, start, end)
    fields = [tbs[first:past] for _, first, _, past in elements[elements[0][0] == _VERSION :]]
    return fields[2], fields[4], fields[5]


_VERSION: Final = 0xA0


def _outside(der: bytes, tbs: bytes) -> tuple[int, bytes]:
    """The version, and the AlgorithmIdentifier, which must stand the same inside (RFC 5280 section 4.1.1.2)."""
    ((_, _, start, end),) = asn1.elements(der)
    _, (_, first, _, past), _ = asn1.elements(der, start, end)
    ((_, _, start, end),) = asn1.elements(tbs)
    fields = asn1.elements(tbs, start, end)
    stated = fields[0][0] == _VERSION
    inside = fields[2 if stated else 1]
    if tbs[inside[1] : inside[3]] != der[first:past]:
        raise ValueError("the certificate names two signature algorithms")
    return tbs[fields[0][3] - 1] + 1 if stated else 1, der[first:past]


@lru_cache(maxsize=8192)
def _signature_holds(subject_der: bytes, issuer_der: bytes) -> bool:
    subject, issuer = parse_certificate(subject_der), parse_certificate(issuer_der)
    return foreign_key(subject.signature_algorithm, issuer.spki).verify_der(subject.signature, subject.tbs)


def signed_by(subject: Certificate, issuer: Certificate) -> bool:
    """Whether `issuer`'s key made `subject`'s signature; cached by DER. Names are not compared here, nor whether the
    algorithm still counts (`signing_algorithm`).

    Raises AlgorithmNotSupported for algorithms that are not known, and for keys that do not fit them.
    """
    return _signature_holds(subject.der, issuer.der)


def signing_algorithm(subject: Certificate, issuer: Certificate) -> Algorithm:
    """What `issuer`'s key signed `subject` with. Raises AlgorithmNotSupported."""
    return foreign_key(subject.signature_algorithm, issuer.spki).algorithm
