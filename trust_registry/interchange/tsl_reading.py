"""Reading trusted lists of other networks: ETSI TS 119 612 in XML, signed with XAdES. Writes none, fetches none.

Strict on structure: what must be there once is there once. Tolerant of what others may add: unknown extensions are
passed over, unless critical; then the service's status is not understood and grants nothing (clause 5.5.9).
Qualifications of single certificates (5.5.9.2) are not read: a whole service is mapped or it is not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from typing import Final

from lxml import etree

from keys.algorithms import ALGORITHMS
from keys.envelopes.xades import open_signed_xml, read_signer_certificates
from keys.errors import MalformedEnvelope
from trust_registry.errors import InvalidForeignList
from trust_registry.interchange.foreign_parts import (
    MAX_SEQUENCE,
    MAX_SERVICES,
    history_of,
    instant,
    octets,
    rsa_key,
)
from trust_registry.interchange.mra import MRA, read_agreement
from trust_registry.interchange.tsl_elements import TSL, maybe, maybe_text, names, one, own_text, raw_text, text
from trust_registry.model import (
    ForeignFormat,
    ForeignList,
    ForeignPointer,
    ForeignService,
    Names,
    RegionCode,
    ServiceIdentity,
    ServicePeriod,
)

MAX_SIZE: Final = 32 << 20
_ADDITIONAL: Final = "{http://uri.etsi.org/02231/v2/additionaltypes#}"
_QUALIFIERS: Final = "{http://uri.etsi.org/TrstSvc/SvcInfoExt/eSigDir-1999-93-EC-TrustedList/#}"
_DS: Final = "{http://www.w3.org/2000/09/xmldsig#}"
_DS11: Final = "{http://www.w3.org/2009/xmldsig11#}"
_VERSIONS: Final = ("5", "6")
_UNDERSTOOD: Final = frozenset(
    {
        f"{TSL}AdditionalServiceInformation",
        f"{TSL}ExpiredCertsRevocationInfo",
        f"{_ADDITIONAL}TakenOverBy",
        f"{_QUALIFIERS}Qualifications",
    }
)
_CURVES: Final = {
    "urn:oid:1.2.840.10045.3.1.7": "EC_P256",
    "urn:oid:1.3.132.0.34": "EC_P384",
}


def read_tsl(data: bytes, signers: Collection[bytes]) -> ForeignList:
    """The trusted list in `data`, signed by one of `signers` (DER certificates); its `code` is still to be given.

    Raises: InvalidForeignList. Spec: ETSI TS 119 612 V2.4.1 clause 5.
    """
    if len(data) > MAX_SIZE:
        raise InvalidForeignList("size", f"more than {MAX_SIZE} bytes")
    try:
        signed = open_signed_xml(data, signers=signers, max_size=MAX_SIZE)
    except MalformedEnvelope as err:
        raise InvalidForeignList("signature", str(err)) from err
    signed_by = hashlib.sha256(signed.certificate).hexdigest()
    return _list(signed.root, hashlib.sha256(data).hexdigest(), signed_by)


def unsafe_read_tsl(data: bytes) -> ForeignList:
    """As `read_tsl`, by whatever signer the list brings along: for showing to a person, never for a verdict.

    Raises: InvalidForeignList.
    """
    try:
        brought = read_signer_certificates(data, max_size=MAX_SIZE)
    except MalformedEnvelope as err:
        raise InvalidForeignList("signature", str(err)) from err
    return read_tsl(data, brought)


def _list(root: etree._Element, digest: str, signed_by: str) -> ForeignList:
    if root.tag != f"{TSL}TrustServiceStatusList":
        raise InvalidForeignList("TrustServiceStatusList", "this is no trusted list")
    scheme = one(root, "SchemeInformation")
    if text(scheme, "TSLVersionIdentifier") not in _VERSIONS:
        raise InvalidForeignList("TSLVersionIdentifier", f"versions {' and '.join(_VERSIONS)} are read")
    next_update = maybe(one(scheme, "NextUpdate"), "dateTime")
    return ForeignList(
        code=RegionCode(""),
        format=ForeignFormat.TS_119_612,
        territory=maybe_text(scheme, "SchemeTerritory"),
        list_type=text(scheme, "TSLType"),
        scheme_operator=names(one(scheme, "SchemeOperatorName")),
        sequence_number=_sequence_number(scheme),
        issued_at=instant(text(scheme, "ListIssueDateTime"), "ListIssueDateTime"),
        next_update=None if next_update is None else instant(own_text(next_update), "NextUpdate"),
        services=tuple(_services(root)),
        pointers=tuple(_pointers(scheme)),
        information_uris=tuple(own_text(uri) for uri in one(scheme, "SchemeInformationURI").iterfind(f"{TSL}URI")),
        digest=digest,
        signed_by=signed_by,
    )


def _sequence_number(scheme: etree._Element) -> int:
    number = text(scheme, "TSLSequenceNumber")
    if not (number.isascii() and number.isdecimal() and len(number) < 17) or not 0 < int(number) <= MAX_SEQUENCE:
        raise InvalidForeignList("TSLSequenceNumber", "a positive whole number is needed")
    return int(number)


def _services(root: etree._Element) -> Iterator[ForeignService]:
    providers = maybe(root, "TrustServiceProviderList")
    if providers is None:
        return
    count = 0
    for number, provider in enumerate(providers.iterfind(f"{TSL}TrustServiceProvider")):
        name = names(one(one(provider, "TSPInformation"), "TSPName"))
        for index, service in enumerate(one(provider, "TSPServices").iterfind(f"{TSL}TSPService")):
            count += 1
            if count > MAX_SERVICES:
                raise InvalidForeignList("TSPService", f"more than {MAX_SERVICES} services")
            try:
                yield _service(service, name)
            except InvalidForeignList as err:
                place = f"TrustServiceProvider[{number}].TSPService[{index}].{err.field}"
                raise InvalidForeignList(place, err.message) from err


def _service(service: etree._Element, provider: Names) -> ForeignService:
    current = one(service, "ServiceInformation")
    earlier = maybe(service, "ServiceHistory")
    instances = [] if earlier is None else list(earlier.iterfind(f"{TSL}ServiceHistoryInstance"))
    return ForeignService(
        provider=provider,
        names=names(one(current, "ServiceName")),
        identity=_identity(one(current, "ServiceDigitalIdentity")),
        history=history_of(_period(current), [_period(instance) for instance in instances], "ServiceHistory"),
    )


def _period(information: etree._Element) -> ServicePeriod:
    additional, understood = [], True
    extensions = maybe(information, "ServiceInformationExtensions")
    for extension in () if extensions is None else extensions.iterfind(f"{TSL}Extension"):
        critical = extension.get("Critical") in ("true", "1")
        for content in extension.iterchildren(tag=etree.Element):
            if content.tag == f"{TSL}AdditionalServiceInformation":
                additional.append(text(content, "URI"))
            elif critical and content.tag not in _UNDERSTOOD:
                understood = False
    return ServicePeriod(
        since=instant(text(information, "StatusStartingTime"), "StatusStartingTime"),
        status_uri=text(information, "ServiceStatus"),
        service_type=text(information, "ServiceTypeIdentifier"),
        additional=tuple(dict.fromkeys(additional)),
        understood=understood,
    )


def _identity(element: etree._Element) -> ServiceIdentity:
    """Spec: clause 5.5.3. Identifiers of other kinds are passed over."""
    certificates, subjects, key_ids, keys = [], [], [], []
    for digital_id in element.iterfind(f"{TSL}DigitalId"):
        for content in digital_id.iterchildren(tag=etree.Element):
            if content.tag == f"{TSL}X509Certificate":
                certificates.append(octets(raw_text(content), "X509Certificate"))
            elif content.tag == f"{TSL}X509SubjectName":
                subjects.append(own_text(content))
            elif content.tag == f"{TSL}X509SKI":
                key_ids.append(octets(raw_text(content), "X509SKI", longest=128))
            elif content.tag == f"{_DS}KeyValue":
                keys.append(_public_key(content))
    return ServiceIdentity(
        certificates=tuple(dict.fromkeys(certificates)),
        subject_names=tuple(dict.fromkeys(subjects)),
        key_ids=tuple(dict.fromkeys(key_ids)),
        public_keys=tuple(dict.fromkeys(keys)),
    )


def _public_key(value: etree._Element) -> bytes:
    """SubjectPublicKeyInfo of a KeyValue. Spec: W3C XML Signature 1.1 section 4.5.2."""
    rsa = value.find(f"{_DS}RSAKeyValue")
    if rsa is not None:
        parts = [rsa.find(f"{_DS}{name}") for name in ("Modulus", "Exponent")]
        if None in parts:
            raise InvalidForeignList("KeyValue", "an RSA key has a modulus and an exponent")
        modulus, exponent = (octets(raw_text(part), "KeyValue", longest=2048) for part in parts)
        return rsa_key(modulus, exponent)
    curve = value.find(f"{_DS11}ECKeyValue/{_DS11}NamedCurve")
    point = value.find(f"{_DS11}ECKeyValue/{_DS11}PublicKey")
    name = None if curve is None else _CURVES.get(curve.get("URI") or "")
    for algorithm in ALGORITHMS:
        kind = algorithm.key_type
        if kind.name == name and point is not None:
            coordinates = octets(raw_text(point), "KeyValue")
            if coordinates[:1] == b"\x04" and len(coordinates) == 1 + 2 * kind.coordinate_size:
                return kind.spki_prefix + coordinates[1:]
    raise InvalidForeignList("KeyValue", "an RSA key or a point on P-256 or P-384 is needed")


def _pointers(scheme: etree._Element) -> Iterator[ForeignPointer]:
    """Spec: clause 5.3.13."""
    pointers = maybe(scheme, "PointersToOtherTSL")
    for pointer in () if pointers is None else pointers.iterfind(f"{TSL}OtherTSLPointer"):
        facts: dict[str, str] = {}
        agreement = None
        for content in pointer.iterfind(f"{TSL}AdditionalInformation/{TSL}OtherInformation/*"):
            if content.tag in (f"{TSL}TSLType", f"{TSL}SchemeTerritory", f"{_ADDITIONAL}MimeType"):
                name = etree.QName(content).localname
                if facts.setdefault(name, own_text(content)) != own_text(content):
                    raise InvalidForeignList(f"OtherTSLPointer.{name}", "given twice, and not the same")
            elif content.tag == f"{MRA}MutualRecognitionAgreementInformation":
                agreement = content
        signers: list[bytes] = []
        for identity in pointer.iterfind(f"{TSL}ServiceDigitalIdentities/{TSL}ServiceDigitalIdentity"):
            signers.extend(_identity(identity).certificates)
        yield ForeignPointer(
            location=text(pointer, "TSLLocation"),
            territory=facts.get("SchemeTerritory"),
            mime_type=facts.get("MimeType"),
            list_type=facts.get("TSLType"),
            signers=tuple(dict.fromkeys(signers)),
            agreement=() if agreement is None else read_agreement(agreement),
        )
