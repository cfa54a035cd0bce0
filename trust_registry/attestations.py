"""What every rendering of a certificate carries, and where: the one table that issuers write by and verifiers read by.

An `Attestation` is the content of a certificate, free of any envelope. This module maps it to and from the SD-JWT VC
claims, the CWT claims of the printed QR, and the JSON attached to the PDF. It signs nothing and checks no signature.

Instants are carried in whole seconds (NumericDate), so a caller who compares renderings issues with whole seconds.
"""

from __future__ import annotations

import json
from base64 import b64decode
from binascii import b2a_base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from typing import Any, Final

from keys.envelopes import cbor
from keys.envelopes.strict_json import load_json
from keys.errors import MalformedEnvelope
from keys.frozen import made_often
from trust_registry.errors import MalformedAttestation
from trust_registry.identifiers import CERTIFICATE_ID_ROOT, CertificateId, mask
from trust_registry.model import CertificateType, IssuerId, SealId, TypeId

__all__ = [
    "Attestation",
    "CertificateId",
    "StatusReference",
    "from_cwt",
    "from_json",
    "from_sd_jwt_claims",
    "to_copy_claims",
    "to_cwt",
    "to_json",
    "to_sd_jwt_claims",
]

ISSUER_URN: Final = "urn:yinxin:issuer:"
TYPE_URN: Final = "urn:yinxin:type:"
FILE_FORMAT: Final = "yinxin-certificate/1"

# Numbers for the printed QR, where every byte is ink. Append only: a number printed once keeps its meaning for ever.
TYPE_NUMBERS: Final[Mapping[str, int]] = {
    "common/household-register": 1,
    "common/marriage-certificate": 2,
    "common/business-licence": 3,
    "common/degree-certificate": 4,
    "common/driving-licence": 5,
}
CLAIM_NUMBERS: Final[Mapping[str, int]] = {
    "holder_name": 1,
    "identity_number": 2,
    "relation_to_head": 3,
    "spouse_name": 4,
    "spouse_identity_number": 5,
    "registered_on": 6,
    "organisation_name": 7,
    "uscc": 8,
    "legal_representative": 9,
    "institution": 10,
    "degree": 11,
    "major": 12,
    "conferred_on": 13,
    "vehicle_class": 14,
    "valid_until": 15,
    "file_number": 16,
    "certificate_number": 17,
    "household_number": 18,
    "operating_until": 19,
}
_TYPES: Final = {number: TypeId(name) for name, number in TYPE_NUMBERS.items()}
_CLAIMS: Final = {number: name for name, number in CLAIM_NUMBERS.items()}

# CWT claim keys: RFC 8392 section 3.1.1; the private one carries what has no registered key.
_ISS, _AUD, _EXP, _NBF, _IAT, _YINXIN = 1, 3, 4, 5, 6, -70001
_USUAL_CLAIMS: Final = 3  # `iss`, `iat` and ours, which every code has
_MAX_INSTANT: Final = 253402300799  # the last second of year 9999
_PADDING: Final = b"+"  # not in the alphabet of certificate identifiers
_ISSUER_LENGTH, _TYPE_LENGTH, _SHORTEST = 18, 21, 50


@made_often
@dataclass(frozen=True, slots=True)
class StatusReference:
    """Where the status stands (Token Status List section 6): list URI and index."""

    uri: str
    index: int


@made_often
@dataclass(frozen=True, slots=True)
class Attestation:
    """One certificate's content. `claims` holds those disclosed by this rendering, by claim name."""

    certificate_id: CertificateId
    type_id: TypeId
    issuer_id: IssuerId
    seal_id: SealId
    issued_at: datetime
    valid_from: datetime
    valid_until: datetime | None
    status: StatusReference
    claims: Mapping[str, Any]
    holder_key: Mapping[str, Any] | None = None  # JWK of RFC 7800 `cnf`


_SD_JWT_RESERVED: Final = frozenset(
    {
        "iss",
        "vct",
        "iat",
        "nbf",
        "exp",
        "status",
        "cnf",
        "certificate_id",
        "seal_id",
        "_sd",
        "_sd_alg",
        "...",
        "vct#integrity",
        "aka_vcts",
        "aud",
    }
)


def to_sd_jwt_claims(a: Attestation, type: CertificateType) -> tuple[dict[str, Any], frozenset[str]]:
    """The payload of the SD-JWT VC and the names of the claims to make disclosable.

    Raises: ValueError when a claim has the name of a protocol claim (a type that should never have been listed).
    Spec: SD-JWT VC section 2.2.2.
    """
    return _sd_jwt_claims(a), frozenset(c.name for c in type.claims if c.selective and c.name in a.claims)


def _sd_jwt_claims(a: Attestation) -> dict[str, Any]:
    if clash := _SD_JWT_RESERVED & a.claims.keys():
        raise ValueError(f"reserved claim names: {sorted(clash)}")
    claims: dict[str, Any] = {
        "iss": ISSUER_URN + a.issuer_id,
        "vct": TYPE_URN + a.type_id,
        "iat": int(a.issued_at.timestamp()),
        "nbf": int(a.valid_from.timestamp()),
        "status": {"status_list": {"idx": a.status.index, "uri": a.status.uri}},
        "certificate_id": a.certificate_id,
        "seal_id": a.seal_id,
    }
    if a.valid_until is not None:
        claims["exp"] = int(a.valid_until.timestamp())
    if a.holder_key is not None:
        claims["cnf"] = {"jwk": dict(a.holder_key)}
    claims.update(a.claims)
    return claims


def to_copy_claims(a: Attestation) -> tuple[dict[str, Any], frozenset[str]]:
    """The payload of a wallet's copy and the names of the claims to make disclosable: all that only this certificate
    says. Two copies that show none of it can't be told to be of one certificate, nor from another's of that hour.

    It has no `iss`: the certificate in `x5c` says who signed, and wallets want an `iss` to be a web address that the
    certificate names, which no office's identifier is. The seal's identifier begins with its issuer's.
    Raises: ValueError, as `to_sd_jwt_claims`. Spec: SD-JWT VC section 2.2.2.2 (`iss`); privacy considerations,
    "Unlinkability".
    """
    claims = _sd_jwt_claims(a)
    del claims["iss"]
    return claims, frozenset({"certificate_id", *a.claims})


def from_sd_jwt_claims(claims: Mapping[str, Any]) -> Attestation:
    """The attestation in a processed SD-JWT VC payload (RFC 9901 section 7.1). Raises: MalformedAttestation."""
    try:
        reference = claims["status"]["status_list"]
        confirmation = claims.get("cnf")
        return Attestation(
            certificate_id=CertificateId(_text(claims["certificate_id"])),
            type_id=TypeId(_after(TYPE_URN, claims["vct"])),
            issuer_id=_issuer(claims),
            seal_id=SealId(_text(claims["seal_id"])),
            issued_at=_instant(claims["iat"]),
            valid_from=_instant(claims["nbf"]),
            valid_until=_instant(claims["exp"]) if "exp" in claims else None,
            status=StatusReference(_text(reference["uri"]), _natural(reference["idx"])),
            claims={name: value for name, value in claims.items() if name not in _SD_JWT_RESERVED},
            holder_key=None if confirmation is None else _mapping(confirmation["jwk"]),
        )
    except (LookupError, TypeError, ValueError, AttributeError) as err:
        raise MalformedAttestation("not the payload of a certificate's SD-JWT VC") from err


def _issuer(claims: Mapping[str, Any]) -> IssuerId:
    """Who says so: `iss`, or in a copy the owner of the seal."""
    if "iss" in claims:
        return IssuerId(_after(ISSUER_URN, claims["iss"]))
    owner, slash, _ = _text(claims["seal_id"]).rpartition("/")
    if not (owner and slash):
        raise ValueError("a seal's identifier begins with its issuer's")
    return IssuerId(owner)


def to_cwt(a: Attestation, type: CertificateType) -> bytes:
    """The CWT claims set of the printed QR: only the claims marked public, masked where the type says so.

    Spec: RFC 8392 section 3. The private claim is an array [certificate id, type, seal, status list URI, index,
    claims]; what can be derived is left out, well-known names are numbers.
    """
    shown: dict[int | str, Any] = {}
    for definition in type.claims:
        if definition.on_printed_qr and definition.name in a.claims:
            value = a.claims[definition.name]
            key = CLAIM_NUMBERS.get(definition.name, definition.name)
            shown[key] = mask(value) if definition.masked and isinstance(value, str) else value
    payload: dict[int, Any] = {_ISS: a.issuer_id, _IAT: int(a.issued_at.timestamp())}
    if a.valid_from != a.issued_at:
        payload[_NBF] = int(a.valid_from.timestamp())
    if a.valid_until is not None:
        payload[_EXP] = int(a.valid_until.timestamp())
    payload[_YINXIN] = [
        _pack_certificate_id(a.certificate_id),
        TYPE_NUMBERS.get(a.type_id, a.type_id),
        _pack_seal_id(a.seal_id, a.issuer_id),
        _pack_uri(a.status.uri, a.issuer_id),
        a.status.index,
        shown,
    ]
    return cbor.encode(payload)


def from_cwt(payload: bytes) -> Attestation:
    """The attestation in the claims set of a printed QR. Raises: MalformedAttestation."""
    try:
        claims = cbor.decode(payload)
        # Any, because calling the NewTypes costs as much as the checks do.
        issuer: Any = _text(claims[_ISS])
        certificate, type_, seal, uri, index, shown = claims[_YINXIN]
        id_: Any = _unpack_certificate_id(certificate) if certificate.__class__ is bytes else _text(certificate)
        seal_id: Any = f"{issuer}/{seal:014d}" if seal.__class__ is int else _text(seal)
        issued_at = valid_from = _instant(claims[_IAT])
        until = None
        if len(claims) != _USUAL_CLAIMS:
            if _AUD in claims:  # RFC 7519 section 4.1.3: whoever is not named MUST reject; paper is for any reader
                raise ValueError("the code is for somebody else")
            nbf, exp = claims.get(_NBF), claims.get(_EXP)
            valid_from = issued_at if nbf is None else _instant(nbf)
            until = None if exp is None else _instant(exp)
        return Attestation(
            id_,
            _TYPES[type_] if type_.__class__ is int else TypeId(_text(type_)),
            issuer,
            seal_id,
            issued_at,
            valid_from,
            until,
            StatusReference(issuer.join(uri) if uri.__class__ is list else _text(uri), _natural(index)),
            {
                _CLAIMS[key] if key.__class__ is int else _text(key): value if value.__class__ is str else _plain(value)
                for key, value in shown.items()
            },
        )
    except (MalformedEnvelope, LookupError, TypeError, ValueError, AttributeError) as err:
        raise MalformedAttestation("not the claims of a printed QR code") from err


def to_json(a: Attestation) -> bytes:
    """The JSON attached to the PDF: everything, readable without us."""
    document: dict[str, Any] = {
        "format": FILE_FORMAT,
        "certificate_id": a.certificate_id,
        "type": a.type_id,
        "issuer": a.issuer_id,
        "seal": a.seal_id,
        "issued_at": _rfc3339(a.issued_at),
        "valid_from": _rfc3339(a.valid_from),
        "valid_until": None if a.valid_until is None else _rfc3339(a.valid_until),
        "status": {"uri": a.status.uri, "index": a.status.index},
        "claims": dict(a.claims),
    }
    if a.holder_key is not None:
        document["holder_key"] = dict(a.holder_key)
    return json.dumps(document, ensure_ascii=False, indent=1).encode()


def from_json(data: bytes) -> Attestation:
    """The attestation in a PDF's attachment. Raises: MalformedAttestation."""
    try:
        document = load_json(data)
        if document["format"] != FILE_FORMAT:
            raise ValueError("another format")
        status, until = document["status"], document["valid_until"]
        return Attestation(
            certificate_id=CertificateId(_text(document["certificate_id"])),
            type_id=TypeId(_text(document["type"])),
            issuer_id=IssuerId(_text(document["issuer"])),
            seal_id=SealId(_text(document["seal"])),
            issued_at=_from_rfc3339(document["issued_at"]),
            valid_from=_from_rfc3339(document["valid_from"]),
            valid_until=None if until is None else _from_rfc3339(until),
            status=StatusReference(_text(status["uri"]), _natural(status["index"])),
            claims=_mapping(document["claims"]),
            holder_key=_mapping(document["holder_key"]) if "holder_key" in document else None,
        )
    except (MalformedEnvelope, LookupError, TypeError, ValueError, AttributeError) as err:
        raise MalformedAttestation("not a certificate's attached data") from err


def _pack_certificate_id(certificate_id: str) -> bytes | str:
    """Identifiers use characters of base64's alphabet only, so decoding *as* base64 packs four into three bytes."""
    parts = certificate_id.removeprefix(CERTIFICATE_ID_ROOT).split(".")
    joined = "".join(parts)
    lengths = [len(part) for part in parts]
    fits = len(parts) == 5 and (lengths[0], lengths[1], lengths[3], lengths[4]) == (_TYPE_LENGTH, _ISSUER_LENGTH, 3, 1)
    if not (fits and certificate_id.startswith(CERTIFICATE_ID_ROOT) and joined.isascii() and joined.isalnum()):
        return certificate_id
    return b64decode(joined.encode() + _PADDING * (-len(joined) % 4))


def _unpack_certificate_id(packed: bytes) -> str:
    joined = b2a_base64(packed, newline=False).rstrip(_PADDING).decode()
    if len(joined) < _SHORTEST or not joined.isalnum():
        raise ValueError("not a packed certificate identifier")
    serial_at = _TYPE_LENGTH + _ISSUER_LENGTH
    return (
        f"{CERTIFICATE_ID_ROOT}{joined[:_TYPE_LENGTH]}.{joined[_TYPE_LENGTH:serial_at]}.{joined[serial_at:-4]}"
        f".{joined[-4:-1]}.{joined[-1]}"
    )


def _pack_seal_id(seal_id: str, issuer_id: str) -> int | str:
    number = seal_id.removeprefix(issuer_id + "/")
    return int(number) if seal_id.startswith(issuer_id + "/") and len(number) == 14 and number.isdecimal() else seal_id


def _pack_uri(uri: str, issuer_id: str) -> list[str] | str:
    pieces = uri.split(issuer_id)
    return pieces if len(pieces) == 2 else uri


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("text expected")
    return value


def _natural(value: Any) -> int:
    if value.__class__ is not int or value < 0:  # so that True is no number
        raise TypeError("a natural number expected")
    return value


def _mapping(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError("an object expected")
    return value


def _plain(value: object) -> object:
    """A value that JSON has, too: whatever reads a claim may write it down."""
    if isinstance(value, dict):
        for name, item in value.items():
            _text(name)
            _plain(item)
    elif isinstance(value, list):
        for item in value:
            _plain(item)
    elif not (value is None or isinstance(value, str | int) or (isinstance(value, float) and isfinite(value))):
        raise TypeError("no claim's value")
    return value


def _after(prefix: str, value: object) -> str:
    text = _text(value)
    if not text.startswith(prefix):
        raise ValueError(f"{prefix} expected")
    return text[len(prefix) :]


def _instant(value: Any) -> datetime:
    if value.__class__ is not int or not 0 <= value <= _MAX_INSTANT:
        raise ValueError("a NumericDate in whole seconds expected")
    return datetime.fromtimestamp(value, UTC)


def _rfc3339(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _from_rfc3339(value: object) -> datetime:
    return datetime.strptime(_text(value), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
