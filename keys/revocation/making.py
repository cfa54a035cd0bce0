"""Write CRLs and OCSP responses through the Signer port: a CA key in an HSM works alike. Decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from keys import der
from keys.certificate import Certificate
from keys.revocation.model import CertificateState, Reason
from keys.revocation.standing import issuer_hashes
from keys.signature_form import x509_signature
from keys.signer import Signer

_BASIC: Final = "1.3.6.1.5.5.7.48.1.1"
_NONCE: Final = "1.3.6.1.5.5.7.48.1.2"
_ARCHIVE_CUTOFF: Final = "1.3.6.1.5.5.7.48.1.6"
_ENUMERATED: Final = 0x0A
_REASON, _INVALIDITY = "2.5.29.21", "2.5.29.24"
_KEY_IDENTIFIER, _NUMBER, _EXPIRED = "2.5.29.35", "2.5.29.20", "2.5.29.60"
MALFORMED_REQUEST, INTERNAL_ERROR, TRY_LATER, UNAUTHORIZED = 1, 2, 3, 6


@dataclass(frozen=True, slots=True)
class Revoked:
    """A certificate that its issuer revoked, or suspended (CERTIFICATE_HOLD). Times are UTC, whole seconds count."""

    serial: int
    revoked_at: datetime
    reason: Reason
    invalidity_date: datetime | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a responder says of one certificate; `cert_id` is the DER of the CertID that was asked for."""

    cert_id: bytes
    state: CertificateState
    revoked: Revoked | None = None


def make_crl(
    signer: Signer,
    issuer: Certificate,
    revoked: Iterable[Revoked],
    *,
    number: int,
    this_update: datetime,
    next_update: datetime,
    keeps_expired_since: datetime | None = None,
) -> bytes:
    """DER of a complete CRL (v2) by `issuer`, whose key `signer` holds. Times are UTC, whole seconds count.

    `keeps_expired_since` (expiredCertsOnCRL): certificates that expired since then stay on it.
    Spec: RFC 5280 section 5; X.509 clause 9.5.2.8.
    """
    if signer.public_key != issuer.public_key:
        raise ValueError("the signer and the issuer's certificate are of different keys")
    algorithm = der.sequence(der.oid(signer.algorithm.signature_oid))
    entries = [_crl_entry(one) for one in sorted(revoked, key=lambda one: one.serial)]
    extensions = [
        _extension(_KEY_IDENTIFIER, der.sequence(der.tlv(0x80, issuer.ski or issuer_hashes(issuer, "sha1")[1]))),
        _extension(_NUMBER, der.integer(number)),
    ]
    if keeps_expired_since is not None:
        extensions.append(_extension(_EXPIRED, _generalized(keeps_expired_since)))
    tbs = der.sequence(
        der.integer(1),
        algorithm,
        issuer.subject_name_der,
        der.time(this_update),
        der.time(next_update),
        der.sequence(*entries) if entries else b"",
        der.tlv(0xA0, der.sequence(*extensions)),
    )
    return der.sequence(tbs, algorithm, der.bits(x509_signature(signer.algorithm, signer.sign(tbs))))


def _crl_entry(one: Revoked) -> bytes:
    extensions = _entry_extensions(one)
    return der.sequence(
        der.integer(one.serial), der.time(one.revoked_at), der.sequence(*extensions) if extensions else b""
    )


def _entry_extensions(one: Revoked) -> list[bytes]:
    # RFC 5280 section 5.3.1: "unspecified" is said by saying nothing.
    extensions = []
    if one.reason is not Reason.UNSPECIFIED:
        extensions.append(_extension(_REASON, der.tlv(_ENUMERATED, bytes((one.reason.value,)))))
    if one.invalidity_date is not None:
        extensions.append(_extension(_INVALIDITY, _generalized(one.invalidity_date)))
    return extensions


def make_ocsp_response(
    signer: Signer,
    responder: Certificate,
    answers: Sequence[Answer],
    *,
    produced_at: datetime,
    next_update: datetime | None,
    nonce: bytes | None = None,
    remembers_since: datetime | None = None,
) -> bytes:
    """DER of a successful response by `responder`, whose key `signer` holds: the issuer, or one it certified for OCSP.

    `responder` goes with it. `nonce` is what the request's extension held, byte by byte. `remembers_since`
    (archiveCutoff): certificates that expired since then are still known. Times are UTC, whole seconds count.
    Spec: RFC 6960 section 4.2.1.
    """
    if signer.public_key != responder.public_key:
        raise ValueError("the signer and the responder's certificate are of different keys")
    produced = _generalized(produced_at)
    until = b"" if next_update is None else der.tlv(0xA0, _generalized(next_update))
    cutoff = [] if remembers_since is None else [_extension(_ARCHIVE_CUTOFF, _generalized(remembers_since))]
    singles = [_single(answer, produced, until, cutoff) for answer in answers]
    extensions = b"" if nonce is None else der.tlv(0xA1, der.sequence(_extension(_NONCE, nonce)))
    data = der.sequence(der.tlv(0xA1, responder.subject_name_der), produced, der.sequence(*singles), extensions)
    signature = x509_signature(signer.algorithm, signer.sign(data))
    basic = der.sequence(
        data,
        der.sequence(der.oid(signer.algorithm.signature_oid)),
        der.bits(signature),
        der.tlv(0xA0, der.sequence(responder.der)),
    )
    response = der.sequence(der.oid(_BASIC), der.octets(basic))
    return der.sequence(der.tlv(_ENUMERATED, b"\0"), der.tlv(0xA0, response))


def make_ocsp_refusal(status: int) -> bytes:
    """DER of a response without an answer: MALFORMED_REQUEST, INTERNAL_ERROR, TRY_LATER or UNAUTHORIZED."""
    return der.sequence(der.tlv(_ENUMERATED, bytes((status,))))


def make_cert_id(certificate: Certificate, issuer: Certificate, digest: str = "sha256") -> bytes:
    """DER CertID, by "sha1" or "sha256". Spec: RFC 6960 section 4.1.1."""
    name, key = issuer_hashes(issuer, digest)
    algorithm = der.sequence(der.oid(_DIGEST_OIDS[digest]), der.NULL)
    return der.sequence(algorithm, der.octets(name), der.octets(key), der.integer(certificate.serial))


def make_ocsp_request(certificate: Certificate, issuer: Certificate, digest: str = "sha1") -> bytes:
    """DER of an unsigned request without a nonce, so that a cached answer will do (RFC 5019 section 2.1)."""
    return der.sequence(der.sequence(der.sequence(der.sequence(make_cert_id(certificate, issuer, digest)))))


_DIGEST_OIDS: Final = {"sha1": "1.3.14.3.2.26", "sha256": "2.16.840.1.101.3.4.2.1"}


def _single(answer: Answer, produced: bytes, until: bytes, extensions: Sequence[bytes]) -> bytes:
    if answer.revoked is not None and answer.revoked.invalidity_date is not None:
        # RFC 6960 section 4.4.5: what a CRL's entry may carry, an answer may.
        extensions = [*extensions, _extension(_INVALIDITY, _generalized(answer.revoked.invalidity_date))]
    said = der.tlv(0xA1, der.sequence(*extensions)) if extensions else b""
    return der.sequence(answer.cert_id, _status(answer), produced, until, said)


def _status(answer: Answer) -> bytes:
    if answer.revoked is None:
        return der.tlv(0x80 if answer.state is CertificateState.GOOD else 0x82)
    reason = answer.revoked.reason
    said = b"" if reason is Reason.UNSPECIFIED else der.tlv(0xA0, der.tlv(_ENUMERATED, bytes((reason.value,))))
    return der.tlv(0xA1, _generalized(answer.revoked.revoked_at), said)


def _generalized(moment: datetime) -> bytes:
    return der.tlv(0x18, moment.astimezone(UTC).strftime("%Y%m%d%H%M%SZ").encode("ascii"))


def _extension(oid: str, value: bytes) -> bytes:
    return der.sequence(der.oid(oid), der.octets(value))
