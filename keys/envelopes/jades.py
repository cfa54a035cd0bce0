"""Compact JAdES B-B signatures: a JWS whose header names the signer's certificate and a signing time.

Whether a signer is to be believed is the caller's: it names the certificates; no certification path, no revocation and
no time-stamp is looked at here. No detached payloads (`sigD`), no JSON serialisation, no unsigned header (`etsiU`).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from keys.certificate import Certificate, parse_certificate
from keys.envelopes.base64url import b64url_decode, b64url_encode
from keys.envelopes.jws import Jws, parse_jws, sign_jws
from keys.errors import AlgorithmNotSupported, MalformedCertificate, MalformedEnvelope
from keys.signer import Signer

MAX_SIZE: Final = 48 << 20  # in base64url; room for the same lists as `xades`
_MAX_CERTIFICATES: Final = 10
_CLAIMED_TIME: Final = "sigT"  # of V1.1.1, always critical; V1.2.1 has `iat` instead
_FIRST_SECOND: Final = 0
_LAST_SECOND: Final = 253402300799  # 9999-12-31


@dataclass(frozen=True, slots=True)
class SignedJson:
    """A verified payload. `certificate` is the signer's (DER), one of those that the caller named; `signing_time` is
    what the signer claims, within that certificate's validity; `algorithm` is the JOSE name."""

    payload: bytes
    certificate: bytes
    signing_time: datetime
    algorithm: str


def sign_jades(
    payload: bytes,
    *,
    signer: Signer,
    certificate: bytes,
    signing_time: datetime,
    chain: Sequence[bytes] = (),
    content_type: str = "json",
) -> str:
    """`payload` as a compact JAdES B-B signature.

    `certificate` (DER) is over the signer's key, `chain` (DER) goes along with it, `signing_time` is UTC and counts in
    whole seconds. Raises ValueError for another key's certificate.

    Spec: ETSI TS 119 182-1 V1.2.1 clauses 5.1 and 6.3, ETSI TS 119 602 V1.1.1 clause 6.8.
    """
    if parse_certificate(certificate).spki != signer.public_key.spki:
        raise ValueError("the certificate is over another key than the signer's")
    header = {
        "cty": content_type,
        "iat": int(signing_time.timestamp()),
        "x5t#S256": b64url_encode(hashlib.sha256(certificate).digest()).decode("ascii"),
        "x5c": [base64.b64encode(brought).decode("ascii") for brought in (certificate, *chain)],
    }
    return sign_jws(header, payload, signer)


def open_jades(token: bytes, *, signers: Collection[bytes], max_size: int = MAX_SIZE) -> SignedJson:
    """The payload in `token` (a compact JWS of at most `max_size` bytes), signed by one of `signers` (DER).

    The header must name the signer's certificate (`x5c`, `x5t#S256`, or both saying the same) and a signing time
    (`iat`, or `sigT` as a critical parameter) within its validity. Raises MalformedEnvelope for everything else, be it
    not a JWS, not this profile, signed by somebody else, or altered.

    Spec: ETSI TS 119 182-1 V1.2.1 clauses 5.1 and 6.3.
    """
    jws = parse_jws(token.strip(), max_size=max_size, understood=frozenset({_CLAIMED_TIME}))
    certificate = _signer(jws.header, signers)
    signing_time = _signing_time(jws.header)
    _check_certificate(jws, certificate, signing_time)
    return SignedJson(jws.payload, certificate.der, signing_time, jws.algorithm.jose)


def read_jades_certificates(token: bytes, *, max_size: int = MAX_SIZE) -> tuple[bytes, ...]:
    """The DER certificates that a signature brings along, unverified: for showing to a person, not for trust.

    Raises MalformedEnvelope.
    """
    return _brought(parse_jws(token.strip(), max_size=max_size, understood=frozenset({_CLAIMED_TIME})).header)


def _signer(header: Mapping[str, Any], signers: Collection[bytes]) -> Certificate:
    digest = _digest(header)
    brought = _brought(header) if "x5c" in header else ()
    if digest is None and not brought:
        raise MalformedEnvelope("the JAdES signature does not name its certificate")
    for der in signers:
        if digest is not None and hashlib.sha256(der).digest() != digest:
            continue
        if brought and brought[0] != der:
            continue
        try:
            return parse_certificate(der)
        except MalformedCertificate as err:
            raise MalformedEnvelope("the JAdES signer's certificate can't be read") from err
    raise MalformedEnvelope("the JAdES signature is by none of the signers who may sign this document")


def _digest(header: Mapping[str, Any]) -> bytes | None:
    text = header.get("x5t#S256")
    if text is None:
        return None
    try:
        return b64url_decode(text.encode("ascii"))
    except (AttributeError, ValueError) as err:
        raise MalformedEnvelope("the JAdES signature's certificate digest is not base64url") from err


def _brought(header: Mapping[str, Any]) -> tuple[bytes, ...]:
    texts = header.get("x5c")
    if not isinstance(texts, list) or not 0 < len(texts) <= _MAX_CERTIFICATES:
        raise MalformedEnvelope("the JAdES signature brings no certificate, or too many")
    try:
        return tuple(base64.b64decode(text, validate=True) for text in texts)
    except (TypeError, ValueError) as err:
        raise MalformedEnvelope("the JAdES signature brings a certificate that is not base64") from err


def _signing_time(header: Mapping[str, Any]) -> datetime:
    if ("iat" in header) == (_CLAIMED_TIME in header):
        raise MalformedEnvelope("the JAdES signature does not claim a signing time, once")
    claimed = header.get("iat")
    if claimed is not None:
        if type(claimed) is not int or not _FIRST_SECOND <= claimed <= _LAST_SECOND:
            raise MalformedEnvelope("the JAdES signature's signing time is not a number of seconds")
        return datetime.fromtimestamp(claimed, UTC)
    if _CLAIMED_TIME not in header.get("crit", ()):
        raise MalformedEnvelope("the JAdES signature's signing time is not critical")
    try:
        return datetime.strptime(header[_CLAIMED_TIME], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except (TypeError, ValueError) as err:
        raise MalformedEnvelope("the JAdES signature's signing time is not a date and time") from err


def _check_certificate(jws: Jws, certificate: Certificate, signing_time: datetime) -> None:
    if not certificate.not_before <= signing_time <= certificate.not_after:
        raise MalformedEnvelope("the JAdES signature was made outside its certificate's validity")
    try:
        key = certificate.public_key
    except AlgorithmNotSupported as err:
        raise MalformedEnvelope("the JAdES signer's key is of a kind that is not supported") from err
    if not jws.verified_by(key):
        raise MalformedEnvelope("the JAdES signature does not hold")
