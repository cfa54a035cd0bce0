"""What a CMS SignedData says, and whether it holds by itself: its signature, its attributes, its algorithms.

Judged by the bytes as they stand. Which content a signature covers, and whether a certificate is trusted, is the
caller's to say. Read by `keys.cms_parsing`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from keys import der
from keys.asn1_parts import Element, digest_name, octets, time_of
from keys.certificate import Certificate
from keys.errors import AlgorithmNotSupported
from keys.foreign_algorithms import digest_broken, digest_of, foreign_key
from keys.model import Algorithm
from keys.signature_problems import SignatureProblem as Problem

DATA: Final = "1.2.840.113549.1.7.1"
SIGNED_DATA: Final = "1.2.840.113549.1.7.2"
CONTENT_TYPE: Final = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST: Final = "1.2.840.113549.1.9.4"
SIGNING_TIME: Final = "1.2.840.113549.1.9.5"
SIGNING_CERTIFICATE: Final = "1.2.840.113549.1.9.16.2.12"  # SHA-1, RFC 2634: never accepted
SIGNING_CERTIFICATE_V2: Final = "1.2.840.113549.1.9.16.2.47"
TIME_STAMP_ATTRIBUTE: Final = "1.2.840.113549.1.9.16.2.14"
ALGORITHM_PROTECTION: Final = "1.2.840.113549.1.9.52"
_NOT_ASN1: Final = (ValueError, IndexError, RecursionError)


@dataclass(frozen=True, slots=True)
class SignedData:
    """A parsed SignedData, not verified. `digest` and `algorithm` are None where they are not known.

    `attributes` and `unsigned` map an OID to the DER of its values; `signed_bytes` is what the signature covers, empty
    where it covers the content itself. `signers`: how many there are; the rest describes the first. `certificate` is
    the signer's; `unreadable`: certificates that are none that can be read. `crls` and `ocsp_responses`: DER, brought
    along unsigned.
    """

    content_type: str
    content: bytes | None
    digest: str | None
    algorithm: Algorithm | None
    certificate: Certificate | None
    intermediates: tuple[Certificate, ...]
    attributes: Mapping[str, tuple[bytes, ...]]
    unsigned: Mapping[str, tuple[bytes, ...]]
    signed_bytes: bytes
    signature: bytes
    signers: int = 1
    unreadable: int = 0
    digest_algorithm: bytes = b""
    signature_algorithm: bytes = b""
    crls: tuple[bytes, ...] = ()
    ocsp_responses: tuple[bytes, ...] = ()

    @property
    def message_digest(self) -> bytes | None:
        """The digest of the content that the signature vouches for."""
        value = single(self.attributes, MESSAGE_DIGEST)
        return None if value is None else octets(value)

    @property
    def signing_time(self) -> datetime | None:
        """When the signer says that it signed (UTC). Spec: RFC 5652 section 11.3."""
        value = single(self.attributes, SIGNING_TIME)
        try:
            return None if value is None else time_of(value)
        except _NOT_ASN1:
            return None

    def signature_holds(self) -> bool:
        """Whether the signer's certificate's key made the signature over the signed attributes. Never raises."""
        return bool(self.attributes) and sound(self.problems())

    def signature_holds_over(self, content: bytes) -> bool:
        """The same where there are no signed attributes: over the content itself. Never raises."""
        if self.attributes or self.signed_bytes or self.certificate is None or self.algorithm is None:
            return False
        return self._compatible() and self._verified(content)

    def names_its_certificate(self) -> bool:
        """Whether the signed attributes pin the signer's certificate by a digest that is not broken.

        Spec: RFC 5035 section 3; ETSI EN 319 122-1 clause 5.2.2.3.
        """
        return self.certificate is not None and self._pinning() is None

    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with it by itself, whatever its content is; in the order in which it is looked at."""
        found = []
        if self.signers != 1:
            found.append(Problem.SEVERAL_SIGNERS)
        if self.certificate is None:
            found.append(Problem.CERTIFICATE_UNREADABLE if self.unreadable else Problem.CERTIFICATE_MISSING)
        if self.digest is None:
            found.append(Problem.DIGEST_ALGORITHM)
        if self.certificate is not None and self.algorithm is None:
            found.append(Problem.ALGORITHM)
        elif self.algorithm is not None and not self._compatible():
            found.append(Problem.ALGORITHM_MISMATCH)
        if self.algorithm is not None and not self.algorithm.usable_at(_LATELY):
            found.append(Problem.WEAK_ALGORITHM)
        if not self.attributes:
            return (*found, Problem.NO_SIGNED_ATTRIBUTES)
        found += self._attribute_problems()
        if Problem.ALGORITHM_MISMATCH not in found and self.algorithm is not None and not self._verified():
            found.append(Problem.SIGNATURE)
        pinning = self._pinning()
        return (*found,) if pinning is None else (*found, pinning)

    def _attribute_problems(self) -> list[Problem]:
        found = []
        if single(self.attributes, CONTENT_TYPE) != der.oid(self.content_type):
            found.append(Problem.CONTENT_TYPE_ATTRIBUTE)
        if self.message_digest is None:
            found.append(Problem.MESSAGE_DIGEST_ATTRIBUTE)
        if any(len(self.attributes.get(oid, ())) > 1 for oid in _ONCE):
            found.append(Problem.DUPLICATE_ATTRIBUTES)
        if ALGORITHM_PROTECTION in self.attributes and not self._algorithms_protected():
            found.append(Problem.ALGORITHM_PROTECTION)
        return found

    def _compatible(self) -> bool:
        return self.algorithm is not None and self.digest == self.algorithm.digest

    def _verified(self, content: bytes | None = None) -> bool:
        if self.certificate is None:
            return False
        try:
            key = foreign_key(self.signature_algorithm, self.certificate.spki, self.digest)
        except AlgorithmNotSupported:
            return False
        return key.verify_der(self.signature, self.signed_bytes if content is None else content)

    def _algorithms_protected(self) -> bool:
        """Spec: RFC 6211 section 3."""
        value = single(self.attributes, ALGORITHM_PROTECTION) or b""
        try:
            ((_, _, start, end),) = der.elements(value)
            digest, signature = der.elements(value, start, end)
            named = der.sequence(value[signature[2] : signature[3]])  # [1] IMPLICIT
            stated = (_same(value[digest[1] : digest[3]]), _same(named))
        except _NOT_ASN1:
            return False
        return signature[0] == 0xA1 and stated == (_same(self.digest_algorithm), _same(self.signature_algorithm))

    def _pinning(self) -> Problem | None:
        """What is wrong with the attribute that pins the signer's certificate; None: nothing."""
        second = SIGNING_CERTIFICATE_V2 in self.attributes
        if not second and SIGNING_CERTIFICATE not in self.attributes:
            return Problem.SIGNING_CERTIFICATE_MISSING
        value = single(self.attributes, SIGNING_CERTIFICATE_V2 if second else SIGNING_CERTIFICATE)
        try:
            first = None if value is None else _first_ess_certificate(value, "sha256" if second else "sha1")
        except _NOT_ASN1:
            first = None
        if first is None or self.certificate is None:
            return Problem.SIGNING_CERTIFICATE
        name, digest = first
        if digest_of(name, self.certificate.der) != digest:
            return Problem.SIGNING_CERTIFICATE_DIFFERS
        return Problem.SIGNING_CERTIFICATE_SHA1 if digest_broken(name) else None


# RFC 5652 section 11, RFC 5035 section 3, RFC 6211 section 2: one instance with one value
_ONCE: Final = (
    *(CONTENT_TYPE, MESSAGE_DIGEST, SIGNING_TIME),
    *(SIGNING_CERTIFICATE, SIGNING_CERTIFICATE_V2, ALGORITHM_PROTECTION),
)
_LATELY: Final = datetime(2026, 1, 1, tzinfo=UTC)  # what was retired before is called so; the rest is for `usable_at`
_FATAL: Final = frozenset(
    {
        *(Problem.SEVERAL_SIGNERS, Problem.CERTIFICATE_MISSING, Problem.CERTIFICATE_UNREADABLE),
        *(Problem.DIGEST_ALGORITHM, Problem.ALGORITHM, Problem.ALGORITHM_MISMATCH, Problem.ALGORITHM_PROTECTION),
        *(Problem.CONTENT_TYPE_ATTRIBUTE, Problem.MESSAGE_DIGEST_ATTRIBUTE, Problem.SIGNATURE),
        Problem.DUPLICATE_ATTRIBUTES,
    }
)


def sound(problems: Iterable[Problem]) -> bool:
    """Whether none of these problems keeps a signature with signed attributes from holding."""
    return _FATAL.isdisjoint(problems)


def single(attributes: Mapping[str, tuple[bytes, ...]], oid: str) -> bytes | None:
    """The one value of an attribute; None if there is none or more than one."""
    values = attributes.get(oid, ())
    return values[0] if len(values) == 1 else None


def _first_ess_certificate(value: bytes, default: str) -> tuple[str, bytes] | None:
    """Digest name and digest of the first ESSCertID (RFC 2634) or ESSCertIDv2. Raises ValueError, IndexError."""
    (attribute,) = [Element(value, each) for each in der.elements(value)]
    first, *more = attribute.children(der.SEQUENCE)[0].children(der.SEQUENCE)[0].children(der.SEQUENCE)
    name: str | None = default
    if first.tag == der.SEQUENCE:
        name, first = digest_name(first), more[0]
    return (name, first.content) if name is not None and first.tag == 0x04 else None


def _same(identifier: bytes) -> tuple[bytes, bytes]:
    """An AlgorithmIdentifier to compare: absent parameters and NULL are the same (RFC 5754 section 2)."""
    name, *parameters = Element(identifier, der.elements(identifier)[0]).children()
    return name.content, b"".join(each.whole for each in parameters if each.whole != der.NULL)
