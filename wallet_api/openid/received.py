"""What an issuer handed over: is it what was offered, for the key that was proven, whole, and in force?

Says nothing about whether the issuer may issue it: a verifier judges that. Pure.
Spec: SD-JWT VC section 2.4, RFC 9901 section 7.1, ISO/IEC 18013-5 clause 9.3.1, OpenID4VCI 1.0 sections 8.3 and 14.1.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from keys.certificate import Certificate, parse_certificate
from keys.envelopes.base64url import b64url_decode, b64url_encode
from keys.envelopes.mdoc.model import ItemOutcome
from keys.envelopes.mdoc.parsing import parse_mdoc
from keys.envelopes.sd_jwt import parse_sd_jwt
from keys.errors import AlgorithmNotSupported, KeysError
from keys.public_key import PublicKey
from wallet_api.openid.collecting_errors import Collecting, CollectingRefused
from wallet_api.openid.credentials import CredentialFormat
from wallet_api.openid.issuer_metadata import Configuration
from wallet_api.openid.x5c import chain_of

_TYPES: Final = ("dc+sd-jwt", "vc+sd-jwt")  # section 2.2.1: the second one until November 2024
_NOT_SHOWN: Final = frozenset(
    {"iss", "iat", "nbf", "exp", "cnf", "vct", "vct#integrity", "status", "sub", "jti", "_sd_alg", "aud"}
)


@dataclass(frozen=True, slots=True)
class Received:
    """A credential that may be kept. `content`: compact SD-JWT, or IssuerSigned in base64url.

    `signer`: whose key made the issuer's signature; None where it names no certificate, and nothing was verified.
    """

    content: str
    key_thumbprint: str
    signer: Certificate | None


@dataclass(frozen=True, slots=True)
class Shown:
    """A kept credential for its holder's eyes: claims by path, in order, and until when it is valid."""

    claims: tuple[tuple[tuple[str, ...], Any], ...]
    valid_from: datetime | None
    valid_until: datetime | None
    verified_signer: Certificate | None


def check_received(credential: Any, configuration: Configuration, keys: Collection[str], *, at: datetime) -> Received:
    """The credential for one of the keys with these thumbprints. Raises CollectingRefused."""
    if not isinstance(credential, str) or not credential:
        raise CollectingRefused(Collecting.CREDENTIAL_UNREADABLE)
    try:
        if configuration.format is CredentialFormat.MDOC:
            found = _mdoc(credential, configuration, at)
        else:
            found = _sd_jwt(credential, configuration, at)
    except (KeysError, ValueError) as err:
        raise CollectingRefused(Collecting.CREDENTIAL_UNREADABLE) from err
    if found.key_thumbprint not in keys:
        raise CollectingRefused(Collecting.CREDENTIAL_FOR_ANOTHER_KEY)
    return found


def _sd_jwt(text: str, configuration: Configuration, at: datetime) -> Received:
    sd_jwt = parse_sd_jwt(text)
    if sd_jwt.key_binding is not None or sd_jwt.jws.header.get("typ") not in _TYPES:
        raise ValueError("not an SD-JWT VC as an issuer hands it out")
    if sd_jwt.claims.get("vct") != configuration.type:
        raise CollectingRefused(Collecting.CREDENTIAL_OF_ANOTHER_TYPE)
    chain = chain_of(sd_jwt.jws.header)
    signer = parse_certificate(chain[0]) if chain else None
    if signer is not None and not sd_jwt.jws.verified_by(signer.public_key):
        raise CollectingRefused(Collecting.CREDENTIAL_ALTERED)
    expires = sd_jwt.claims.get("exp")
    if expires is not None and (type(expires) not in (int, float) or expires <= at.timestamp()):
        raise CollectingRefused(Collecting.CREDENTIAL_EXPIRED)
    return Received(text, _thumbprint(sd_jwt.holder_key), signer)


def _mdoc(text: str, configuration: Configuration, at: datetime) -> Received:
    data = b64url_decode(text.rstrip("=").encode("ascii"))
    mdoc = parse_mdoc(data)
    if mdoc.device_signed is not None or mdoc.doc_type is not None:
        raise ValueError("not IssuerSigned alone")
    signed = mdoc.issuer_signed
    if mdoc.mso.doc_type != configuration.type:
        raise CollectingRefused(Collecting.CREDENTIAL_OF_ANOTHER_TYPE)
    if any(signed.compare(item) is not ItemOutcome.OK for item in signed.items):
        raise CollectingRefused(Collecting.CREDENTIAL_ALTERED)
    chain = signed.issuer_auth.chain()
    signer = parse_certificate(chain[0]) if chain else None
    if signer is not None and not signed.issuer_auth.verified_by(signer.public_key):
        raise CollectingRefused(Collecting.CREDENTIAL_ALTERED)
    if mdoc.mso.validity.valid_until <= at:
        raise CollectingRefused(Collecting.CREDENTIAL_EXPIRED)
    return Received(b64url_encode(data).decode("ascii"), _thumbprint(mdoc.mso.device_key), signer)


def _thumbprint(jwk: Mapping[str, Any] | None) -> str:
    try:
        return PublicKey.from_jwk({k: v for k, v in (jwk or {}).items() if k not in ("use", "alg")}).thumbprint()
    except AlgorithmNotSupported as err:
        raise CollectingRefused(Collecting.CREDENTIAL_FOR_ANOTHER_KEY) from err


def shown(content: str, format: CredentialFormat) -> Shown:
    """What a kept credential says. Raises MalformedEnvelope for one that was altered since."""
    if format is CredentialFormat.MDOC:
        mdoc = parse_mdoc(b64url_decode(content.encode("ascii")))
        chain = mdoc.issuer_signed.issuer_auth.chain()
        elements = mdoc.issuer_signed.elements()
        told = tuple(((space, name), value) for space, items in elements.items() for name, value in items.items())
        validity = mdoc.mso.validity
        return Shown(told, validity.valid_from, validity.valid_until, parse_certificate(chain[0]) if chain else None)
    sd_jwt = parse_sd_jwt(content)
    certificates = chain_of(sd_jwt.jws.header)
    claims = tuple(((name,), value) for name, value in sd_jwt.claims.items() if name not in _NOT_SHOWN)
    signer = parse_certificate(certificates[0]) if certificates else None
    return Shown(claims, _time(sd_jwt.claims.get("nbf")), _time(sd_jwt.claims.get("exp")), signer)


def _time(seconds: Any) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC) if type(seconds) in (int, float) else None
    except (ValueError, OverflowError, OSError):
        return None


def value_text(value: Any) -> str:
    """A claim's value as a line of text: nested values in brackets, bytes by their size."""
    if isinstance(value, bytes):
        return f"{len(value)} B"
    if isinstance(value, bool):
        return "✓" if value else "✕"
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {value_text(each)}" for key, each in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(value_text(each) for each in value)
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    return "" if value is None else str(value)
