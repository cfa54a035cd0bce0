"""Writing lists of trusted entities: ETSI TS 119 602 in JSON, signed with compact JAdES B-B. Reads none."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from keys.envelopes.jades import sign_jades
from keys.envelopes.strict_json import encode_json
from keys.signer import Signer
from trust_registry.interchange import uris
from trust_registry.interchange.rendering import Content, Entity, Pointer, Service
from trust_registry.model import AcceptanceRule, Names, RecognitionEntry, StatusChange
from trust_registry.wire import to_wire

_Json = dict[str, Any]


def write_lote(
    content: Content, *, signer: Signer, certificate: bytes, signing_time: datetime, chain: Sequence[bytes] = ()
) -> bytes:
    """The signed list. Spec: ETSI TS 119 602 V1.1.1 clause 6.8."""
    payload = lote_json(content)
    return sign_jades(payload, signer=signer, certificate=certificate, signing_time=signing_time, chain=chain).encode(
        "ascii"
    )


def lote_json(content: Content) -> bytes:
    """The list to be signed: the same bytes for the same content. Spec: ETSI TS 119 602 V1.1.1 clause 6."""
    lote: _Json = {"ListAndSchemeInformation": _scheme(content)}
    if content.entities:
        lote["TrustedEntitiesList"] = [_entity(entity, content) for entity in content.entities]
    return encode_json({"LoTE": lote}).encode("utf-8")


def _scheme(content: Content) -> _Json:
    own_url = content.url(content.slug, "json")
    scheme: _Json = {
        "LoTEVersionIdentifier": uris.LOTE_VERSION,
        "LoTESequenceNumber": content.sequence_number,
        "LoTEType": content.list_type,
        "SchemeOperatorName": _names(content.operator),
        "SchemeOperatorAddress": _address("SchemeOperator", content.operator, own_url, content.territory),
        "SchemeName": _names(content.scheme, _prefix(content.territory)),
        "SchemeInformationURI": _uris(own_url),
        "StatusDeterminationApproach": uris.DETERMINATION,
        "SchemeTypeCommunityRules": _uris(uris.SCHEME_RULES, content.community),
        "SchemeTerritory": content.territory,
        "PolicyOrLegalNotice": [{"LoTELegalNotice": notice.en} for notice in (NOTICE,)],
        "HistoricalInformationPeriod": uris.NEVER_REMOVED,
        "PointersToOtherLoTE": [_pointer(p, content) for p in content.pointers if p.signers],
        "ListIssueDateTime": _time(content.issued_at),
        "NextUpdate": _time(content.next_update),
        "DistributionPoints": [own_url],
        "SchemeExtensions": [
            *({"Recognition": _own(entry)} for entry in content.recognitions),
            *({"AcceptanceRule": _own(rule)} for rule in content.rules),
        ],
    }
    return {name: value for name, value in scheme.items() if value not in (None, [])}


def _pointer(pointer: Pointer, content: Content) -> _Json:
    ours = pointer.slug is not None
    qualifier: _Json = {"LoTEType": pointer.list_type, "SchemeOperatorName": _names(pointer.operator)}
    if pointer.rules is not None:
        qualifier["SchemeTypeCommunityRules"] = _uris(pointer.rules)
    if pointer.territory is not None:
        qualifier["SchemeTerritory"] = pointer.territory
    media_type = uris.XML_MEDIA_TYPE if pointer.list_type.endswith("ts_119_612") else uris.JSON_MEDIA_TYPE
    return {
        "LoTELocation": content.url(pointer.slug or "", "json") if ours else pointer.location,
        "ServiceDigitalIdentities": [{"X509Certificates": _certificates((der,))} for der in pointer.signers],
        "LoTEQualifiers": [{**qualifier, "MimeType": media_type}],
    }


def _entity(entity: Entity, content: Content) -> _Json:
    information: _Json = {"TEName": _names(entity.names)}
    if entity.identifiers:
        information["TETradeName"] = [{"lang": "en", "value": identifier} for identifier in entity.identifiers]
    information["TEAddress"] = _address("TE", entity.address, entity.information_uri, content.territory)
    information["TEInformationURI"] = _uris(entity.information_uri)
    return {
        "TrustedEntityInformation": information,
        "TrustedEntityServices": [_service(service) for service in entity.services],
    }


def _service(service: Service) -> _Json:
    current = service.history[-1]
    information: _Json = {
        "ServiceName": _names(service.names),
        "ServiceDigitalIdentity": _identity(service),
        "ServiceTypeIdentifier": service.type_uri,
        "ServiceStatus": uris.STATUS_URIS[current.status],
        "StatusStartingTime": _time(current.at),
    }
    if service.supply_points:
        information["ServiceSupplyPoints"] = [{"uriValue": uri} for uri in service.supply_points]
    information["ServiceInformationExtensions"] = _extensions(service, current)
    whole: _Json = {"ServiceInformation": information}
    if len(service.history) > 1:  # newest first: TS 119 602 clause 6.7
        whole["ServiceHistory"] = [_instance(service, change) for change in reversed(service.history[:-1])]
    return whole


def _instance(service: Service, change: StatusChange) -> _Json:
    return {
        "ServiceName": _names(service.names),
        "ServiceDigitalIdentity": _identity(service),
        "ServiceStatus": uris.STATUS_URIS[change.status],
        "StatusStartingTime": _time(change.at),
        "ServiceTypeIdentifier": service.type_uri,
        "ServiceInformationExtensions": _extensions(service, change),
    }


def _identity(service: Service) -> _Json:
    identity: _Json = {}
    if service.certificates:
        identity["X509Certificates"] = _certificates(service.certificates)
    if service.other_ids:
        identity["OtherIds"] = list(service.other_ids)
    return identity


def _extensions(service: Service, change: StatusChange) -> list[_Json]:
    extensions: list[_Json] = [{"AdditionalServiceInformation": _uris(uri)[0]} for uri in service.additional]
    extensions.append({"AdditionalServiceInformation": _uris(uris.REASON_URN + change.reason.value)[0]})
    if change.invalidity_date is not None:
        extensions.append({"InvalidityDate": _time(change.invalidity_date)})
    return extensions


def _own(entry: RecognitionEntry | AcceptanceRule) -> _Json:
    """As it stands in our own list: there is no other form."""
    wire: _Json = to_wire(entry)
    return wire


def _address(prefix: str, text: Names, uri: str, territory: str | None) -> _Json:
    places = [{"lang": lang, "StreetAddress": value, "Country": territory or "ZZ"} for lang, value in _pairs(text)]
    return {f"{prefix}PostalAddress": places, f"{prefix}ElectronicAddress": _uris(uri)}


def _certificates(certificates: Sequence[bytes]) -> list[_Json]:
    return [{"val": b64encode(der).decode("ascii")} for der in certificates]


def _names(names: Names, prefix: str = "") -> list[_Json]:
    return [{"lang": lang, "value": prefix + value} for lang, value in _pairs(names)]


def _pairs(names: Names) -> tuple[tuple[str, str], tuple[str, str]]:
    return ("en", names.en), ("zh", names.zh)


def _uris(*values: str) -> list[_Json]:
    return [{"lang": "en", "uriValue": value} for value in values]


def _prefix(territory: str | None) -> str:
    return "" if territory is None else f"{territory}:"


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


NOTICE = Names(
    "本清单由主管机关的权威清单生成，供其他网络读取；以经主管人员共同签名的权威清单为准。",
    "This list is rendered from the authority's own list for readers in other networks; that list, signed by a "
    "threshold of its officers, prevails.",
)
