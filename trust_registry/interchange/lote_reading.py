"""Reading lists of trusted entities of other networks: ETSI TS 119 602 in JSON, signed with compact JAdES. Writes none.

Strict on what it needs, tolerant of what others may add. An entry without a status is on the list, and that is its
status since the list was issued: the format leaves statuses to its profiles (clause 6.6.4).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from keys.envelopes.base64url import b64url_decode
from keys.envelopes.jades import open_jades, read_jades_certificates
from keys.envelopes.strict_json import load_json
from keys.errors import AlgorithmNotSupported, MalformedEnvelope
from keys.public_key import PublicKey
from trust_registry.errors import InvalidForeignList
from trust_registry.interchange.foreign_parts import (
    MAX_SEQUENCE,
    MAX_SERVICES,
    MAX_TEXT,
    history_of,
    instant,
    names_of,
    octets,
    rsa_key,
)
from trust_registry.model import (
    LISTED,
    ForeignFormat,
    ForeignList,
    ForeignPointer,
    ForeignService,
    Names,
    RegionCode,
    ServiceIdentity,
    ServicePeriod,
)

MAX_SIZE: Final = 48 << 20  # of the token; its payload is three quarters of that
_VERSION: Final = 1
_Object = Mapping[str, Any]


def read_lote(data: bytes, signers: Collection[bytes]) -> ForeignList:
    """The list in `data`, a compact JWS by one of `signers` (DER certificates); its `code` is still to be given.

    Raises: InvalidForeignList. Spec: ETSI TS 119 602 V1.1.1 clause 6 and annex B.
    """
    if len(data) > MAX_SIZE:
        raise InvalidForeignList("size", f"more than {MAX_SIZE} bytes")
    try:
        signed = open_jades(data, signers=signers, max_size=MAX_SIZE)
    except MalformedEnvelope as err:
        raise InvalidForeignList("signature", str(err)) from err
    try:
        document = load_json(signed.payload, max_size=MAX_SIZE)
    except MalformedEnvelope as err:
        raise InvalidForeignList("LoTE", str(err)) from err
    signed_by = hashlib.sha256(signed.certificate).hexdigest()
    return _list(_object(document, "LoTE"), hashlib.sha256(data).hexdigest(), signed_by)


def unsafe_read_lote(data: bytes) -> ForeignList:
    """As `read_lote`, by whatever signer the list brings along: for showing to a person, never for a verdict.

    Raises: InvalidForeignList.
    """
    try:
        brought = read_jades_certificates(data, max_size=MAX_SIZE)
    except MalformedEnvelope as err:
        raise InvalidForeignList("signature", str(err)) from err
    return read_lote(data, brought)


def _list(document: _Object, digest: str, signed_by: str) -> ForeignList:
    lote = _member(document, "LoTE")
    scheme = _member(lote, "ListAndSchemeInformation")
    if _number(scheme, "LoTEVersionIdentifier") != _VERSION:
        raise InvalidForeignList("LoTEVersionIdentifier", f"version {_VERSION} is read")
    sequence_number = _number(scheme, "LoTESequenceNumber")
    if not 0 < sequence_number <= MAX_SEQUENCE:
        raise InvalidForeignList("LoTESequenceNumber", "a positive whole number is needed")
    issued_at = instant(scheme.get("ListIssueDateTime"), "ListIssueDateTime")
    return ForeignList(
        code=RegionCode(""),
        format=ForeignFormat.TS_119_602,
        territory=_maybe_text(scheme, "SchemeTerritory"),
        list_type=_maybe_text(scheme, "LoTEType"),
        scheme_operator=_names(scheme, "SchemeOperatorName"),
        sequence_number=sequence_number,
        issued_at=issued_at,
        next_update=instant(scheme.get("NextUpdate"), "NextUpdate"),
        services=tuple(_services(lote, _Listed(issued_at))),
        pointers=tuple(_pointers(scheme)),
        information_uris=tuple(_text(uri, "uriValue") for uri in _objects(scheme, "SchemeInformationURI")),
        digest=digest,
        signed_by=signed_by,
    )


class _Listed:
    """Reads the lines of a service's history: what is said, else that it is on the list."""

    def __init__(self, issued_at: datetime) -> None:
        self._issued_at = issued_at

    def period(self, information: _Object) -> ServicePeriod:
        status = _maybe_text(information, "ServiceStatus")
        additional = tuple(
            _uri(content)
            for extension in _list_of(information, "ServiceInformationExtensions")
            if isinstance(extension, dict)
            for content in [extension.get("AdditionalServiceInformation")]
            if content is not None
        )
        since = information.get("StatusStartingTime")
        return ServicePeriod(
            since=self._issued_at if status is None and since is None else instant(since, "StatusStartingTime"),
            status_uri=LISTED if status is None else status,
            service_type=_maybe_text(information, "ServiceTypeIdentifier") or "",
            additional=tuple(dict.fromkeys(additional)),
        )


def _uri(content: Any) -> str:
    """The URI of an additional service information, be it text or the object that TS 119 612 makes of it."""
    while isinstance(content, dict):
        content = content.get("URI", content.get("uriValue"))
    return _checked_text(content, "AdditionalServiceInformation")


def _services(lote: _Object, listed: _Listed) -> Iterator[ForeignService]:
    count = 0
    for number, entity in enumerate(_objects(lote, "TrustedEntitiesList")):
        name = _names(_member(entity, "TrustedEntityInformation"), "TEName")
        for index, service in enumerate(_objects(entity, "TrustedEntityServices")):
            count += 1
            if count > MAX_SERVICES:
                raise InvalidForeignList("TrustedEntityServices", f"more than {MAX_SERVICES} services")
            try:
                yield _service(service, name, listed)
            except InvalidForeignList as err:
                place = f"TrustedEntitiesList[{number}].TrustedEntityServices[{index}].{err.field}"
                raise InvalidForeignList(place, err.message) from err


def _service(service: _Object, provider: Names, listed: _Listed) -> ForeignService:
    current = _member(service, "ServiceInformation")
    earlier = []
    for instance in _objects(service, "ServiceHistory"):
        for name in ("ServiceStatus", "StatusStartingTime"):
            _text(instance, name)
        # The type may be left out of a line: it is still the same service.
        kind = current.get("ServiceTypeIdentifier")
        earlier.append(listed.period({"ServiceTypeIdentifier": kind, **instance}))
    return ForeignService(
        provider=provider,
        names=_names(current, "ServiceName"),
        identity=_identity(_member(current, "ServiceDigitalIdentity")),
        history=history_of(listed.period(current), earlier, "ServiceHistory"),
    )


def _identity(identity: _Object) -> ServiceIdentity:
    certificates = [octets(entry.get("val"), "X509Certificates") for entry in _objects(identity, "X509Certificates")]
    subjects = [_checked_text(name, "X509SubjectNames") for name in _list_of(identity, "X509SubjectNames")]
    key_ids = [octets(text, "X509SKIs", longest=128) for text in _list_of(identity, "X509SKIs")]
    keys = [_public_key(jwk) for jwk in _objects(identity, "PublicKeyValues")]
    return ServiceIdentity(
        certificates=tuple(dict.fromkeys(certificates)),
        subject_names=tuple(dict.fromkeys(subjects)),
        key_ids=tuple(dict.fromkeys(key_ids)),
        public_keys=tuple(dict.fromkeys(keys)),
    )


def _public_key(jwk: _Object) -> bytes:
    try:
        if jwk.get("kty") == "RSA":
            modulus, exponent = (b64url_decode(str(jwk.get(name, "")).encode("ascii")) for name in ("n", "e"))
            return rsa_key(modulus, exponent)
        return PublicKey.from_jwk(jwk).spki
    except (ValueError, AlgorithmNotSupported) as err:
        raise InvalidForeignList("PublicKeyValues", "a public key of a kind that is known is needed") from err


def _pointers(scheme: _Object) -> Iterator[ForeignPointer]:
    for pointer in _objects(scheme, "PointersToOtherLoTE"):
        qualifiers = _objects(pointer, "LoTEQualifiers")
        if not qualifiers:
            raise InvalidForeignList("LoTEQualifiers", "missing")
        signers: list[bytes] = []
        for identity in _objects(pointer, "ServiceDigitalIdentities"):
            signers.extend(_identity(identity).certificates)
        for qualifier in qualifiers:
            yield ForeignPointer(
                location=_text(pointer, "LoTELocation"),
                territory=_maybe_text(qualifier, "SchemeTerritory"),
                mime_type=_maybe_text(qualifier, "MimeType"),
                list_type=_maybe_text(qualifier, "LoTEType"),
                signers=tuple(dict.fromkeys(signers)),
            )


def _names(parent: _Object, name: str) -> Names:
    texts = [(_text(entry, "lang"), _text(entry, "value")) for entry in _objects(parent, name)]
    return names_of(texts, name)


def _object(value: Any, name: str) -> _Object:
    if not isinstance(value, dict):
        raise InvalidForeignList(name, "an object is needed")
    return value


def _member(parent: _Object, name: str) -> _Object:
    return _object(parent.get(name), name)


def _list_of(parent: _Object, name: str) -> list[Any]:
    value = parent.get(name, [])
    if not isinstance(value, list):
        raise InvalidForeignList(name, "an array is needed")
    return value


def _objects(parent: _Object, name: str) -> list[_Object]:
    return [_object(value, name) for value in _list_of(parent, name)]


def _number(parent: _Object, name: str) -> int:
    value = parent.get(name)
    if type(value) is not int:
        raise InvalidForeignList(name, "a whole number is needed")
    return value


def _maybe_text(parent: _Object, name: str) -> str | None:
    return None if parent.get(name) is None else _text(parent, name)


def _text(parent: _Object, name: str) -> str:
    return _checked_text(parent.get(name), name)


def _checked_text(value: Any, name: str) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > MAX_TEXT:
        raise InvalidForeignList(name, f"1 to {MAX_TEXT} characters are needed")
    return value
