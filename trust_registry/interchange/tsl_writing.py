"""Writing trusted lists: ETSI TS 119 612 V2.4.1 in XML, signed with XAdES B-B. Reads none."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from lxml import etree

from keys.envelopes.xades import sign_xml
from keys.signer import Signer
from trust_registry.interchange import uris
from trust_registry.interchange.lote_writing import NOTICE
from trust_registry.interchange.mra import write_agreement
from trust_registry.interchange.rendering import Content, Entity, Pointer, Service
from trust_registry.model import Names, StatusChange

_TSL: Final = "http://uri.etsi.org/02231/v2#"
_ADDITIONAL: Final = "http://uri.etsi.org/02231/v2/additionaltypes#"
_OURS: Final = "urn:yinxin:interchange"
_LANGUAGE: Final = "{http://www.w3.org/XML/1998/namespace}lang"


def write_tsl(
    content: Content, *, signer: Signer, certificate: bytes, signing_time: datetime, chain: Sequence[bytes] = ()
) -> bytes:
    """The signed list. Spec: ETSI TS 119 612 V2.4.1 clause 5.7 and annex B."""
    return sign_xml(tsl_xml(content), signer=signer, certificate=certificate, signing_time=signing_time, chain=chain)


def tsl_xml(content: Content) -> etree._Element:
    """The list to be signed: the same document for the same content. Spec: ETSI TS 119 612 V2.4.1 clause 5."""
    names = {None: _TSL, "tslx": _ADDITIONAL}
    root = etree.Element(f"{{{_TSL}}}TrustServiceStatusList", {"TSLTag": uris.TSL_TAG}, nsmap=names)
    _scheme(root, content)
    if content.entities:
        providers = _child(root, "TrustServiceProviderList")
        for entity in content.entities:
            _provider(_child(providers, "TrustServiceProvider"), entity, content)
    return root


def _scheme(root: etree._Element, content: Content) -> None:
    own_url = content.url(content.slug, "xml")
    scheme = _child(root, "SchemeInformation")
    _child(scheme, "TSLVersionIdentifier", str(uris.TSL_VERSION))
    _child(scheme, "TSLSequenceNumber", str(content.sequence_number))
    _child(scheme, "TSLType", content.list_type)
    _names(scheme, "SchemeOperatorName", content.operator)
    _address(_child(scheme, "SchemeOperatorAddress"), content.operator, own_url, content.territory)
    prefix = "" if content.territory is None else f"{content.territory}:"
    _names(scheme, "SchemeName", Names(prefix + content.scheme.zh, prefix + content.scheme.en))
    _uris(scheme, "SchemeInformationURI", own_url)
    _child(scheme, "StatusDeterminationApproach", uris.DETERMINATION)
    _uris(scheme, "SchemeTypeCommunityRules", uris.SCHEME_RULES, content.community)
    if content.territory is not None:
        _child(scheme, "SchemeTerritory", content.territory)
    notice = _child(scheme, "PolicyOrLegalNotice")
    for language, text in (("en", NOTICE.en), ("zh", NOTICE.zh)):
        _child(notice, "TSLLegalNotice", text).set(_LANGUAGE, language)
    _child(scheme, "HistoricalInformationPeriod", str(uris.NEVER_REMOVED))
    if content.pointers:
        pointers = _child(scheme, "PointersToOtherTSL")
        for pointer in content.pointers:
            _pointer(_child(pointers, "OtherTSLPointer"), pointer, content)
    _child(scheme, "ListIssueDateTime", _time(content.issued_at))
    _child(_child(scheme, "NextUpdate"), "dateTime", _time(content.next_update))
    _child(_child(scheme, "DistributionPoints"), "URI", own_url)


def _pointer(element: etree._Element, pointer: Pointer, content: Content) -> None:
    if pointer.signers:
        identities = _child(element, "ServiceDigitalIdentities")
        for der in pointer.signers:
            _certificate(_child(identities, "ServiceDigitalIdentity"), der)
    ours = pointer.slug is not None
    location = content.url(pointer.slug or "", "xml") if ours else pointer.location
    _child(element, "TSLLocation", location)
    additional = _child(element, "AdditionalInformation")

    def information() -> etree._Element:
        return _child(additional, "OtherInformation")

    _child(information(), "TSLType", pointer.list_type)
    _names(information(), "SchemeOperatorName", pointer.operator)
    if pointer.rules is not None:
        _uris(information(), "SchemeTypeCommunityRules", pointer.rules)
    if pointer.territory is not None:
        _child(information(), "SchemeTerritory", pointer.territory)
    media_type = uris.JSON_MEDIA_TYPE if pointer.list_type.endswith("ts_119_602") else uris.XML_MEDIA_TYPE
    etree.SubElement(information(), f"{{{_ADDITIONAL}}}MimeType").text = media_type
    if pointer.agreement:
        theirs = pointer.rules or pointer.list_type
        agreed = write_agreement(pointer.agreement, pointing_legislation=content.community, pointed_legislation=theirs)
        information().append(agreed)


def _provider(element: etree._Element, entity: Entity, content: Content) -> None:
    information = _child(element, "TSPInformation")
    _names(information, "TSPName", entity.names)
    if entity.identifiers:
        trade = _child(information, "TSPTradeName")
        for identifier in entity.identifiers:
            _child(trade, "Name", identifier).set(_LANGUAGE, "en")
    _address(_child(information, "TSPAddress"), entity.address, entity.information_uri, content.territory)
    _uris(information, "TSPInformationURI", entity.information_uri)
    services = _child(element, "TSPServices")
    for service in entity.services:
        _service(_child(services, "TSPService"), service)


def _service(element: etree._Element, service: Service) -> None:
    information = _child(element, "ServiceInformation")
    current = service.history[-1]
    _state(information, service, current)
    if service.supply_points:
        points = _child(information, "ServiceSupplyPoints")
        for uri in service.supply_points:
            _child(points, "ServiceSupplyPoint", uri)
    _extensions(information, service, current)
    if len(service.history) > 1:  # newest first: clause 5.5.10
        history = _child(element, "ServiceHistory")
        for change in reversed(service.history[:-1]):
            instance = _child(history, "ServiceHistoryInstance")
            _state(instance, service, change)
            _extensions(instance, service, change)


def _state(parent: etree._Element, service: Service, change: StatusChange) -> None:
    _child(parent, "ServiceTypeIdentifier", service.type_uri)
    _names(parent, "ServiceName", service.names)
    identity = _child(parent, "ServiceDigitalIdentity")
    for der in service.certificates:
        _certificate(identity, der)
    for urn in service.other_ids:
        other = _child(_child(identity, "DigitalId"), "Other")
        etree.SubElement(other, f"{{{_OURS}}}Identifier", nsmap={"yx": _OURS}).text = urn
    _child(parent, "ServiceStatus", uris.STATUS_URIS[change.status])
    _child(parent, "StatusStartingTime", _time(change.at))


def _extensions(parent: etree._Element, service: Service, change: StatusChange) -> None:
    extensions = _child(parent, "ServiceInformationExtensions")
    for uri in (*service.additional, uris.REASON_URN + change.reason.value):
        extension = _child(extensions, "Extension")
        extension.set("Critical", "false")
        _child(_child(extension, "AdditionalServiceInformation"), "URI", uri).set(_LANGUAGE, "en")
    if change.invalidity_date is not None:
        extension = _child(extensions, "Extension")
        extension.set("Critical", "false")
        date = etree.SubElement(extension, f"{{{_OURS}}}InvalidityDate", nsmap={"yx": _OURS})
        date.text = _time(change.invalidity_date)


def _certificate(parent: etree._Element, der: bytes) -> None:
    _child(_child(parent, "DigitalId"), "X509Certificate", b64encode(der).decode("ascii"))


def _address(parent: etree._Element, text: Names, uri: str, territory: str | None) -> None:
    places = _child(parent, "PostalAddresses")
    for language, value in (("en", text.en), ("zh", text.zh)):
        place = _child(places, "PostalAddress")
        place.set(_LANGUAGE, language)
        _child(place, "StreetAddress", value)
        _child(place, "Locality", value)
        _child(place, "CountryName", territory or "ZZ")
    _child(_child(parent, "ElectronicAddress"), "URI", uri).set(_LANGUAGE, "en")


def _names(parent: etree._Element, name: str, names: Names) -> None:
    element = _child(parent, name)
    for language, value in (("en", names.en), ("zh", names.zh)):
        _child(element, "Name", " ".join(value.split())).set(_LANGUAGE, language)


def _uris(parent: etree._Element, name: str, *values: str) -> None:
    element = _child(parent, name)
    for value in values:
        _child(element, "URI", value).set(_LANGUAGE, "en")


def _child(parent: etree._Element, name: str, text: str | None = None) -> etree._Element:
    element = etree.SubElement(parent, f"{{{_TSL}}}{name}")
    element.text = text
    return element


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
