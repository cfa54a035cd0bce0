"""Lists of the signers of health certificates: country, key id, certificate. Reading and re-signing them.

A flat list, as gateways publish it in JSON or CSV, carries no signature of its own. It is believed where its SHA-256
was pinned, or inside a compact JWS by a pinned signer; then it also has a sequence number and times. A signer is
trusted because the newest list has it (no history is told), for all that it signed since its certificate began.
Spec: Electronic Health Certificate Specification 1.0.8 section 5.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from base64 import b64encode
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from keys.envelopes.jades import open_jades, read_jades_certificates, sign_jades
from keys.envelopes.strict_json import encode_json, load_json
from keys.errors import MalformedCertificate, MalformedEnvelope
from keys.signer import Signer
from keys.x509 import Certificate, parse_certificate
from trust_registry.errors import InvalidForeignList
from trust_registry.interchange.foreign_parts import MAX_SEQUENCE, MAX_SERVICES, instant, octets
from trust_registry.model import (
    DCC_SIGNER,
    LISTED,
    ForeignFormat,
    ForeignList,
    ForeignService,
    Names,
    RegionCode,
    ServiceIdentity,
    ServicePeriod,
)

MAX_SIZE: Final = 32 << 20
PINNED: Final = "sha256"
KIND_URN: Final = "urn:yinxin:foreign-list:dcc:"  # with "t", "v" or "r": what the signer may certify
_COUNTRY: Final = re.compile(r"[A-Z]{2}", re.ASCII)
_SHA256: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
# eHealth Network, "Public Key Certificate Governance": extended key usages of signers; the second form is in use, too.
_USAGES: Final[Mapping[str, str]] = {
    f"1.3.6.1.4.1.{arc}1847.2021.1.{number}": kind
    for number, kind in ((1, "t"), (2, "v"), (3, "r"))
    for arc in ("", "0.")
}
_KINDS: Final = ("t", "v", "r")
_MEMBERS: Final = {
    "country": ("country",),
    "kid": ("kid", "keyId", "key_id"),
    "certificate": ("certificate", "rawData", "raw_data"),
}
_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)


def read_dcc(data: bytes, *, signers: Collection[bytes] = (), pin: str | None = None) -> ForeignList:
    """The list of signers in `data`: a flat list whose SHA-256 (hex) is `pin`, or a JWS by one of `signers` (DER).

    Its `code` is still to be given. Raises: InvalidForeignList.
    """
    if len(data) > MAX_SIZE:
        raise InvalidForeignList("size", f"more than {MAX_SIZE} bytes")
    digest = hashlib.sha256(data).hexdigest()
    if pin is not None:
        if not _SHA256.fullmatch(pin.lower()) or pin.lower() != digest:
            raise InvalidForeignList("signature", "the file is not the one that was pinned")
        return _list(_flat(data), {}, digest, PINNED)
    try:
        signed = open_jades(data, signers=signers, max_size=MAX_SIZE)
    except MalformedEnvelope as err:
        raise InvalidForeignList("signature", str(err)) from err
    document = _json(signed.payload)
    if not isinstance(document, dict):
        raise InvalidForeignList("certificates", "an object with certificates is needed")
    entries = document.get("certificates")
    return _list(entries, document, digest, hashlib.sha256(signed.certificate).hexdigest())


def unsafe_read_dcc(data: bytes) -> ForeignList:
    """As `read_dcc`, whoever made the list: for showing to a person, never a verdict. Raises: InvalidForeignList."""
    try:
        brought = read_jades_certificates(data, max_size=MAX_SIZE)
    except MalformedEnvelope:  # no JWS
        return read_dcc(data, pin=hashlib.sha256(data).hexdigest())
    return read_dcc(data, signers=brought)


def write_dcc(  # noqa: PLR0917
    services: Iterable[ForeignService],
    sequence_number: int,
    issued_at: datetime,
    next_update: datetime,
    signer: Signer,
    certificate: bytes,
) -> bytes:
    """The list as a compact JWS, so that a region can vouch for what it imported. Times are UTC, whole seconds."""
    entries = [
        {"country": service.territory, "kid": b64encode(kid).decode(), "certificate": b64encode(der).decode()}
        for service in services
        for kid in service.identity.key_ids
        for der in service.identity.certificates
    ]
    document = {
        "sequence_number": sequence_number,
        "issued_at": _time(issued_at),
        "next_update": _time(next_update),
        "certificates": entries,
    }
    payload = encode_json(document).encode("utf-8")
    return sign_jades(payload, signer=signer, certificate=certificate, signing_time=issued_at).encode("ascii")


def _flat(data: bytes) -> Any:
    """The entries of a JSON array, of a JSON object that holds one as `certificates`, or of CSV with a heading."""
    if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"[", b"{"):
        document = _json(data.removeprefix(b"\xef\xbb\xbf"))
        return document.get("certificates") if isinstance(document, dict) else document
    try:
        text = data.decode("utf-8-sig")
        if text.count("\n") + text.count("\r") > 3 * MAX_SERVICES:  # a heading, and two characters to end each line
            raise InvalidForeignList("certificates", f"a list of 1 to {MAX_SERVICES} entries is needed")
        delimiter = ";" if ";" in text.partition("\n")[0] else ","
        heading, *rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    except (ValueError, csv.Error) as err:
        raise InvalidForeignList("certificates", "neither JSON nor CSV") from err
    names = [name.strip() for name in heading]
    return [dict(zip(names, row, strict=False)) for row in rows if row]


def _json(data: bytes) -> Any:
    try:
        return load_json(data, max_size=MAX_SIZE)
    except MalformedEnvelope as err:
        raise InvalidForeignList("certificates", str(err)) from err


def _list(entries: Any, document: Mapping[str, Any], digest: str, signed_by: str) -> ForeignList:
    if not isinstance(entries, list) or not 0 < len(entries) <= MAX_SERVICES:
        raise InvalidForeignList("certificates", f"a list of 1 to {MAX_SERVICES} entries is needed")
    services: dict[tuple[str, bytes, bytes], ForeignService] = {}
    for number, entry in enumerate(entries):
        try:
            service = _service(entry)
        except InvalidForeignList as err:
            raise InvalidForeignList(f"certificates[{number}].{err.field}", err.message) from err
        identity = service.identity
        services[service.territory or "", identity.key_ids[0], identity.certificates[0]] = service
    sequence_number = document.get("sequence_number", 1)
    if type(sequence_number) is not int or not 0 < sequence_number <= MAX_SEQUENCE:
        raise InvalidForeignList("sequence_number", "a positive whole number is needed")
    next_update = document.get("next_update")
    return ForeignList(
        code=RegionCode(""),
        format=ForeignFormat.DCC,
        territory=None,
        list_type=None,
        scheme_operator=Names("健康证明签发者名录", "Signers of health certificates"),
        sequence_number=sequence_number,
        issued_at=instant(document["issued_at"], "issued_at") if "issued_at" in document else _BEGINNING,
        next_update=None if next_update is None else instant(next_update, "next_update"),
        services=tuple(services.values()),
        pointers=(),
        information_uris=(),
        digest=digest,
        signed_by=signed_by,
    )


def _service(entry: Any) -> ForeignService:
    if not isinstance(entry, dict):
        raise InvalidForeignList("", "an object is needed")
    country = _member(entry, "country").upper()
    if not _COUNTRY.fullmatch(country):
        raise InvalidForeignList("country", "two letters are needed (ISO 3166-1)")
    kid = octets(_member(entry, "kid"), "kid", longest=64)
    der = octets(_member(entry, "certificate"), "certificate")
    try:
        certificate = parse_certificate(der)
    except MalformedCertificate as err:
        raise InvalidForeignList("certificate", str(err)) from err
    name = certificate.common_name or certificate.organisation or certificate.thumbprint[:16]
    return ForeignService(
        provider=Names(country, country),
        names=Names(f"{country} {name}", f"{country} {name}"),
        identity=ServiceIdentity(certificates=(der,), key_ids=(kid,)),
        history=(
            ServicePeriod(
                since=certificate.not_before,
                status_uri=LISTED,
                service_type=DCC_SIGNER,
                additional=tuple(KIND_URN + kind for kind in certified_kinds(certificate)),
            ),
        ),
        territory=country,
    )


def certified_kinds(certificate: Certificate) -> tuple[str, ...]:
    """What a signer's certificate lets it certify, of "t", "v" and "r": all of them, where it does not say.

    Spec: Electronic Health Certificate Specification 1.0.8 section 3.3.4.
    """
    usages = [kind for usage, kind in _USAGES.items() if usage in certificate.extended_key_usage]
    return tuple(kind for kind in _KINDS if kind in usages or not usages)


def _member(entry: Mapping[str, Any], name: str) -> str:
    found = [value for known in _MEMBERS[name] if (value := entry.get(known)) is not None]
    if len(found) != 1 or not isinstance(found[0], str) or not found[0].strip():
        raise InvalidForeignList(name, "text is needed, once")
    return found[0].strip()


def _time(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
