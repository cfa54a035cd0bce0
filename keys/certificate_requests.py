"""Certificate requests: a key's holder asks for a certificate and proves that the key is in its hands.

Makes and reads PKCS#10; certifies nothing and knows no list: whether the key may be listed is the registry's affair.
Spec: RFC 2986; RFC 2985 section 5.4.2 (extensionRequest).
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509.oid import NameOID

from keys import der
from keys.algorithms import by_signature_oid
from keys.certificate_profiles import Profile, organisation_name
from keys.errors import AlgorithmNotSupported, MalformedRequest
from keys.public_key import PublicKey
from keys.signature_form import x509_signature
from keys.signer import Signer

_MAX_SIZE: Final = 64 * 1024
_EXTENSION_REQUEST: Final = "1.2.840.113549.1.9.14"
_POLICIES: Final = "2.5.29.32"
_USCC_PREFIX: Final = "NTRCN-"
_PEM: Final = re.compile(
    rb"-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----([A-Za-z0-9+/=\s]+)-----END (?:NEW )?CERTIFICATE REQUEST-----"
)
_NOT_A_REQUEST: Final = (ValueError, TypeError, KeyError, UnsupportedAlgorithm, x509.InvalidVersion, Warning)


@dataclass(frozen=True, slots=True)
class CertificateRequest:
    """A request whose signature was verified: whoever made it held the private key. `profile`: what it is to be for,
    None when it does not say. Names are wishes: who certifies decides them."""

    common_name: str | None
    organisation: str | None
    uscc: str | None
    public_key: PublicKey
    profile: Profile | None
    der: bytes


def make_request(
    signer: Signer, *, profile: Profile, common_name: str, organisation: str, uscc: str | None = None
) -> CertificateRequest:
    """A request for a certificate of this profile, signed with the key that it asks for."""
    policy = der.sequence(der.sequence(der.oid(profile.policy)))
    extensions = der.sequence(der.sequence(der.oid(_POLICIES), der.octets(policy)))
    wish = der.sequence(der.oid(_EXTENSION_REQUEST), der.tlv(der.SET, extensions))
    body = der.sequence(
        der.integer(0),
        organisation_name(common_name, organisation, uscc),
        signer.public_key.spki,
        der.tlv(0xA0, wish),
    )
    signature = x509_signature(signer.algorithm, signer.sign(body))
    algorithm = der.sequence(der.oid(signer.algorithm.signature_oid))
    return parse_request(der.sequence(body, algorithm, der.bits(signature)))


def parse_request(data: bytes) -> CertificateRequest:
    """The request in `data`, DER or PEM (one of them).

    Raises MalformedRequest (not a request, or its signature does not hold), AlgorithmNotSupported (a kind of key that
    nothing may be signed with here, such as RSA or a weak curve).
    """
    if len(data) > _MAX_SIZE:
        raise MalformedRequest(f"a certificate request of more than {_MAX_SIZE} bytes")
    content = _from_pem(data) if b"-----BEGIN" in data else data
    try:
        parsed = x509.load_der_x509_csr(content)
        signed, signature = parsed.tbs_certrequest_bytes, parsed.signature
        oid = parsed.signature_algorithm_oid.dotted_string
        names = {name: _attribute(parsed.subject, name) for name in _NAMES}
        spki = _spki(signed)
        profile = _profile(parsed)
    except _NOT_A_REQUEST as err:
        raise MalformedRequest("not a PKCS#10 certificate request") from err
    public_key = PublicKey.from_spki(spki)
    if by_signature_oid(oid) is not public_key.algorithm:
        raise AlgorithmNotSupported("the request is not signed with the algorithm of its key")
    if not public_key.verify_der(signature, signed):
        raise MalformedRequest("the signature does not prove that its maker holds the key")
    identifier = names[NameOID.ORGANIZATION_IDENTIFIER]
    return CertificateRequest(
        names[NameOID.COMMON_NAME],
        names[NameOID.ORGANIZATION_NAME],
        identifier.removeprefix(_USCC_PREFIX) if identifier and identifier.startswith(_USCC_PREFIX) else None,
        public_key,
        profile,
        content,
    )


def request_pem(request: CertificateRequest) -> bytes:
    """The request as PEM. Spec: RFC 7468 section 7."""
    text = base64.b64encode(request.der)
    lines = (text[start : start + 64] for start in range(0, len(text), 64))
    marks = (b"-----BEGIN CERTIFICATE REQUEST-----", b"-----END CERTIFICATE REQUEST-----")
    return b"\n".join((marks[0], *lines, marks[1], b""))


_NAMES: Final = (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME, NameOID.ORGANIZATION_IDENTIFIER)


def _from_pem(data: bytes) -> bytes:
    found = _PEM.findall(data)
    if len(found) != 1 or data.count(b"-----BEGIN") != 1:
        raise MalformedRequest("one certificate request in PEM is needed")
    try:
        return base64.b64decode(b"".join(found[0].split()), validate=True)
    except ValueError as err:
        raise MalformedRequest("the PEM is not base64") from err


def _attribute(name: x509.Name, oid: x509.ObjectIdentifier) -> str | None:
    found = name.get_attributes_for_oid(oid)
    if len(found) > 1:
        raise ValueError("a name attribute is given twice")
    return str(found[0].value) if found else None


def _spki(body: bytes) -> bytes:
    """The SubjectPublicKeyInfo as it stands: version, subject, subjectPKInfo, attributes."""
    ((_, _, start, end),) = der.elements(body)
    _, first, _, past = der.elements(body, start, end)[2]
    return body[first:past]


def _profile(parsed: x509.CertificateSigningRequest) -> Profile | None:
    for extension in parsed.extensions:
        if isinstance(extension.value, x509.CertificatePolicies):
            asked = {policy.policy_identifier.dotted_string for policy in extension.value}
            found = [profile for profile in Profile if profile.policy in asked]
            return found[0] if len(found) == 1 else None
    return None
