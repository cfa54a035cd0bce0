"""The certificates that a region makes: its CA, and what the CA signs (seals, status, time-stamps, receipts, lists,
requests to wallets, attestations of wallets).

The profiles are fixed here; who may have one is decided by the region's ceremony. Signing goes through the Signer port,
so that a CA key in an HSM, or an algorithm that no X.509 library knows, works alike.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final

from keys import der
from keys.certificate import Certificate, parse_certificate
from keys.model import Algorithm
from keys.public_key import PublicKey
from keys.signature_form import x509_signature
from keys.signer import Signer

# An arc under 2.25 (ITU-T X.667: UUID-based, no registration needed) for our certificate policies.
_POLICY_ARC: Final = "2.25.90402468744051286381614880139286675593"
_COUNTRY: Final = "2.5.4.6"
_PRINTABLE_STRING: Final = 0x13
_TIME_STAMPING: Final = "1.3.6.1.5.5.7.3.8"
_TSL_SIGNING: Final = "0.4.0.2231.3.0"
_MDOC_SIGNING: Final = "1.0.18013.5.1.2"  # id-mdl-kp-mdlDS
_MDOC_READING: Final = "1.0.18013.5.1.6"  # id-mdl-kp-mdlReaderAuth
_DOCUMENT_SIGNING: Final = "1.3.6.1.5.5.7.3.36"  # RFC 9336
_OCSP_SIGNING: Final = "1.3.6.1.5.5.7.3.9"
_OCSP_NO_CHECK: Final = "1.3.6.1.5.5.7.48.1.5"
_OCSP_ACCESS: Final = "1.3.6.1.5.5.7.48.1"
_DIGITAL_SIGNATURE, _NON_REPUDIATION, _KEY_CERT_SIGN, _CRL_SIGN = 0, 1, 5, 6
_DNS, _URI = 0x82, 0x86  # of GeneralName (RFC 5280 section 4.2.1.6)


class Profile(Enum):
    """What a signer certificate is for; the value is its certificate policy OID."""

    SEAL = f"{_POLICY_ARC}.1"
    STATUS = f"{_POLICY_ARC}.2"
    TIMESTAMP = f"{_POLICY_ARC}.3"
    RECEIPT = f"{_POLICY_ARC}.4"
    LIST = f"{_POLICY_ARC}.5"
    OCSP = f"{_POLICY_ARC}.6"
    DOCUMENT_SIGNER = f"{_POLICY_ARC}.7"
    ACCESS = f"{_POLICY_ARC}.8"
    WALLET_PROVIDER = f"{_POLICY_ARC}.9"

    @property
    def policy(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class RevocationUrls:
    """Where a CA's OCSP responder answers and where its CRL lies (http or https); None: nowhere."""

    ocsp: str | None = None
    crl: str | None = None


_KEY_USAGE: Final = {
    Profile.SEAL: frozenset({_DIGITAL_SIGNATURE, _NON_REPUDIATION}),
    Profile.STATUS: frozenset({_DIGITAL_SIGNATURE}),
    Profile.TIMESTAMP: frozenset({_DIGITAL_SIGNATURE, _NON_REPUDIATION}),
    Profile.RECEIPT: frozenset({_DIGITAL_SIGNATURE, _NON_REPUDIATION}),
    Profile.LIST: frozenset({_DIGITAL_SIGNATURE}),
    Profile.OCSP: frozenset({_DIGITAL_SIGNATURE}),
    Profile.DOCUMENT_SIGNER: frozenset({_DIGITAL_SIGNATURE}),
    Profile.ACCESS: frozenset({_DIGITAL_SIGNATURE}),
    Profile.WALLET_PROVIDER: frozenset({_DIGITAL_SIGNATURE}),
}
# Extended key usages, and whether they are critical: RFC 3161 section 2.3 and ISO/IEC 18013-5 annex B say that theirs
# are. A seal is put under documents and mdocs alike, so it names both usages and forbids no other; nor does who asks
# wallets for either.
_EXTENDED: Final = {
    Profile.SEAL: ((_DOCUMENT_SIGNING, _MDOC_SIGNING), False),
    Profile.TIMESTAMP: ((_TIME_STAMPING,), True),
    Profile.LIST: ((_TSL_SIGNING,), False),
    Profile.OCSP: ((_OCSP_SIGNING,), False),
    Profile.DOCUMENT_SIGNER: ((_MDOC_SIGNING,), True),
    Profile.ACCESS: ((_MDOC_READING,), False),
}


def make_region_ca(
    signer: Signer,
    *,
    common_name: str,
    organisation: str,
    region: str,
    not_before: datetime,
    not_after: datetime,
    country: str | None = None,
) -> Certificate:
    """A region's self-signed CA certificate: signs end-entity certificates only (pathLenConstraint 0).

    `region` is the region's code; times are UTC, whole seconds count. `country` (ISO 3166-1 alpha-2) is what ISO/IEC
    18013-5 annex B.1.2 asks of an issuing authority's CA. Spec: RFC 5280 sections 4.2.1.3 and 4.2.1.9.
    """
    place = () if country is None else ((_COUNTRY, country),)
    name = _name(*place, ("2.5.4.8", region), ("2.5.4.10", organisation), ("2.5.4.3", common_name))
    key_identifier = _key_identifier(signer.public_key)
    extensions = (
        _extension("2.5.29.19", der.sequence(der.BOOLEAN_TRUE, der.integer(0)), critical=True),
        _extension("2.5.29.15", der.named_bits(frozenset({_KEY_CERT_SIGN, _CRL_SIGN})), critical=True),
        _extension("2.5.29.14", der.octets(key_identifier)),
    )
    return _sign(
        signer,
        issuer=name,
        subject=name,
        key=signer.public_key,
        not_before=not_before,
        not_after=not_after,
        extensions=extensions,
    )


def make_certificate(
    profile: Profile,
    *,
    ca_signer: Signer,
    ca: Certificate,
    subject_key: PublicKey,
    common_name: str,
    organisation: str,
    uscc: str | None,
    uri: str | None,
    not_before: datetime,
    not_after: datetime,
    country: str | None = None,
    revocation: RevocationUrls | None = None,
    dns: str | None = None,
) -> Certificate:
    """A signer certificate under the region's CA. `revocation`: where to ask how it stands.

    `uscc` becomes organizationIdentifier `NTRCN-<uscc>` (ETSI EN 319 412-1 clause 5.1.4), `uri` and `dns` (a host name,
    ASCII) subjectAltNames. A time-stamping certificate has timeStamping as its only extended key usage, critical (RFC
    3161 section 2.3), one that signs mdocs only id-mdl-kp-mdlDS (ISO/IEC 18013-5 annex B.1.4), a seal both that and
    document signing; one for lists has id-tsl-kp-tslSigning, and its `country` (ISO 3166-1 alpha-2) and `organisation`
    are the list's territory and operator (ETSI TS 119 612 clause 5.7.1). One for OCSP has OCSPSigning and
    id-pkix-ocsp-nocheck (RFC 6960 section 4.2.2.2): nobody asks it about itself, so let it live shortly. One for access
    signs requests to wallets: it has id-mdl-kp-mdlReaderAuth, and its `dns` is the host that wallets answer to
    (OpenID4VP section 5.9.3). Raises ValueError for an access certificate without `dns`.
    """
    if profile is Profile.ACCESS and dns is None:
        raise ValueError("an access certificate needs a host name")
    if ca_signer.public_key != ca.public_key:
        raise ValueError("the CA's signer and its certificate are of different keys")
    extensions = [
        _extension("2.5.29.19", der.sequence(), critical=True),
        _extension("2.5.29.15", der.named_bits(_KEY_USAGE[profile]), critical=True),
        _extension("2.5.29.14", der.octets(_key_identifier(subject_key))),
        _extension("2.5.29.35", der.sequence(der.tlv(0x80, ca.ski or _key_identifier(ca.public_key)))),
        _extension("2.5.29.32", der.sequence(der.sequence(der.oid(profile.policy)))),
    ]
    called = [der.tlv(tag, text.encode("ascii")) for tag, text in ((_DNS, dns), (_URI, uri)) if text is not None]
    if called:
        extensions.append(_extension("2.5.29.17", der.sequence(*called)))
    usages, critical = _EXTENDED.get(profile, ((), False))
    if usages:
        extensions.append(_extension("2.5.29.37", der.sequence(*map(der.oid, usages)), critical=critical))
    if profile is Profile.OCSP:
        extensions.append(_extension(_OCSP_NO_CHECK, der.NULL))
    if revocation is not None:
        extensions.extend(_revocation(revocation))
    return _sign(
        ca_signer,
        issuer=ca.subject_name_der,
        subject=organisation_name(common_name, organisation, uscc, country),
        key=subject_key,
        not_before=not_before,
        not_after=not_after,
        extensions=tuple(extensions),
    )


def _revocation(urls: RevocationUrls) -> Iterator[bytes]:
    """authorityInfoAccess and cRLDistributionPoints. Spec: RFC 5280 sections 4.2.2.1 and 4.2.1.13."""
    if urls.ocsp is not None:
        access = der.sequence(der.oid(_OCSP_ACCESS), der.tlv(0x86, urls.ocsp.encode("ascii")))
        yield _extension("1.3.6.1.5.5.7.1.1", der.sequence(access))
    if urls.crl is not None:
        full_name = der.tlv(0xA0, der.tlv(0x86, urls.crl.encode("ascii")))
        yield _extension("2.5.29.31", der.sequence(der.sequence(der.tlv(0xA0, full_name))))


def organisation_name(common_name: str, organisation: str, uscc: str | None, country: str | None = None) -> bytes:
    """The Name (DER) of an organisation's signer, in certificates and requests."""
    identifier = () if uscc is None else (("2.5.4.97", f"NTRCN-{uscc}"),)
    place = () if country is None else ((_COUNTRY, country),)
    return _name(*place, ("2.5.4.10", organisation), *identifier, ("2.5.4.3", common_name))


def _sign(
    signer: Signer,
    *,
    issuer: bytes,
    subject: bytes,
    key: PublicKey,
    not_before: datetime,
    not_after: datetime,
    extensions: tuple[bytes, ...],
) -> Certificate:
    if not_after <= not_before:
        raise ValueError("a certificate must end after it begins")
    algorithm = _algorithm_identifier(signer.algorithm)
    tbs = der.sequence(
        der.tlv(0xA0, der.integer(2)),
        der.integer(_serial()),
        algorithm,
        issuer,
        der.sequence(der.time(not_before), der.time(not_after)),
        subject,
        key.spki,
        der.tlv(0xA3, der.sequence(*extensions)),
    )
    signature = x509_signature(signer.algorithm, signer.sign(tbs))
    return parse_certificate(der.sequence(tbs, algorithm, der.bits(signature)))


def _algorithm_identifier(algorithm: Algorithm) -> bytes:
    # ECDSA with SHA-2 and Ed25519 both omit parameters (RFC 5758 section 3.2, RFC 8410 section 3).
    return der.sequence(der.oid(algorithm.signature_oid))


def _serial() -> int:
    # 158 random bits, positive and always 20 octets (RFC 5280 section 4.1.2.2).
    return secrets.randbits(158) | 1 << 158


def _key_identifier(key: PublicKey) -> bytes:
    """Leftmost 160 bits of the SHA-256 of the SubjectPublicKeyInfo. Spec: RFC 7093 section 2, method 4."""
    return hashlib.sha256(key.spki).digest()[:20]


def _name(*attributes: tuple[str, str]) -> bytes:
    return der.sequence(*(der.tlv(der.SET, der.sequence(der.oid(oid), _text(oid, value))) for oid, value in attributes))


def _text(oid: str, value: str) -> bytes:
    # RFC 5280 appendix A.1: a country is a PrintableString, everything else may be UTF-8.
    return der.tlv(_PRINTABLE_STRING, value.encode("ascii")) if oid == _COUNTRY else der.utf8(value)


def _extension(oid: str, value: bytes, *, critical: bool = False) -> bytes:
    return der.sequence(der.oid(oid), der.BOOLEAN_TRUE if critical else b"", der.octets(value))
