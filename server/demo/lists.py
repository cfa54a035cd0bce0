"""What each authority of the demonstration says: its list, made from the world and the certificates in custody."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from issuer.seal_image import seal_svg
from server.demo.custody import Certified, Custody
from server.demo.rules import rules_of
from server.demo.world import (
    ASSURANCE,
    DEFINES,
    NOTICE,
    OFFICES,
    PARTIES,
    RECOGNITIONS,
    SCENARIOS,
    Office,
    Party,
    Region,
)
from trust_registry.catalogue import COMMON, COMMON_AUTHORITY, COMMON_NAMES, COMMON_TYPES
from trust_registry.model import (
    EntryReason,
    EntryStatus,
    History,
    IssuerEntry,
    IssuerId,
    KeyEntry,
    KeyUse,
    ListKind,
    Names,
    RecognitionEntry,
    RegionList,
    RelyingPartyEntry,
    RelyingPartyId,
    SealCeremony,
    SealEntry,
    SealId,
    StatusChange,
    TypeGrant,
)

LEGAL_BASIS = Names(
    "《两区证照互认协议》（演示）第三条", "Agreement on mutual recognition of the two districts (demo), article 3"
)
CUSTODIAN = Names("印章管理岗（演示）", "Seal officer (demo)")
CEREMONY_ROOM = Names("数据局机房（演示）", "Data bureau's machine room (demo)")


@dataclass(frozen=True, slots=True)
class SealInCustody:
    """A seal with everything that using it takes."""

    office: Office
    entry: SealEntry
    image_svg: str
    certified: Certified


@dataclass(frozen=True, slots=True)
class RegionInCustody:
    """A region's list with the keys behind it."""

    list: RegionList
    ca: Certified
    timestamper: Certified
    list_signer: Certified
    responder: Certified
    seals: tuple[SealInCustody, ...]
    status: Mapping[IssuerId, Certified]
    receipts: Mapping[RelyingPartyId, Certified]
    access: Mapping[RelyingPartyId, Certified]


def granted(at: datetime) -> History:
    return (StatusChange(EntryStatus.GRANTED, at, EntryReason.INITIAL),)


def listed(use: KeyUse, certified: Certified, at: datetime) -> KeyEntry:
    certificate = certified.certificate
    return KeyEntry(use, certificate.der, certificate.thumbprint, granted(at))


def common_list(founded_at: datetime) -> RegionList:
    """The common body's: the five types."""
    return RegionList(COMMON, ListKind.BODY, COMMON_NAMES, COMMON_AUTHORITY, 1, founded_at, defines=COMMON_TYPES)


def region_list(
    region: Region, custody: Custody, founded_at: datetime, public_url: str, add_image: Callable[[bytes], str]
) -> RegionInCustody:
    """The list of `region`, its keys made on the way. `add_image` keeps a seal image and gives its digest."""
    began_at = custody.began_at
    ca = custody.region_ca(region)
    timestamper = custody.timestamper(region, ca)
    list_signer = custody.list_signer(region, ca)
    responder = custody.responder(region, ca)
    offices = [office for office in OFFICES if office.region == region.code]
    seals = tuple(
        _seal(office, number, custody.seal(office, ca), began_at, add_image) for number, office in enumerate(offices, 1)
    )
    status = {office.id: custody.status(office, ca) for office in offices}
    parties = [party for party in PARTIES if party.region == region.code]
    receipts = {party.id: custody.receipt(party, ca) for party in parties}
    access = {party.id: custody.access(party, ca) for party in parties}
    made = RegionList(
        code=region.code,
        kind=ListKind.REGION,
        names=region.names,
        authority=region.authority,
        version=1,
        issued_at=founded_at,
        defines=DEFINES[region.code],
        authorities=(
            listed(KeyUse.CA, ca, began_at),
            listed(KeyUse.TIMESTAMP, timestamper, began_at),
            listed(KeyUse.LIST, list_signer, began_at),
        ),
        attests=tuple(_issuer(seal.office, seal.entry, status[seal.office.id], began_at, public_url) for seal in seals),
        recognises=_recognitions(region, founded_at),
        scenarios=SCENARIOS[region.code],
        notice_period=NOTICE,
        relying_parties=tuple(_party(p, receipts[p.id], access[p.id], began_at) for p in parties),
        rules=rules_of(region.code, founded_at),
    )
    return RegionInCustody(made, ca, timestamper, list_signer, responder, seals, status, receipts, access)


def _seal(
    office: Office, number: int, certified: Certified, began_at: datetime, add_image: Callable[[bytes], str]
) -> SealInCustody:
    code = f"{office.region}{number:08d}"
    image = seal_svg(office.names.zh, code)
    entry = SealEntry(
        id=SealId(f"{office.id}/{code}"),
        names=Names(f"{office.names.zh}电子印章", f"Seal of {office.names.en}"),
        image_digest=add_image(image.encode()),
        scope=office.types,
        valid_from=began_at,
        valid_until=certified.certificate.not_after,
        key=listed(KeyUse.SEAL, certified, began_at),
        history=granted(began_at),
        custodian=CUSTODIAN,
        ceremony=SealCeremony(began_at, CEREMONY_ROOM, _minutes(office, code)),
    )
    return SealInCustody(office, entry, image, certified)


def _minutes(office: Office, code: str) -> str:
    """The digest of what would be the signed minutes of the seal's making."""
    minutes = f"{office.names.zh}电子印章 {code} 制章记录（演示）"
    return "sha256:" + sha256(minutes.encode()).hexdigest()


def _issuer(office: Office, seal: SealEntry, status: Certified, began_at: datetime, public_url: str) -> IssuerEntry:
    return IssuerEntry(
        id=office.id,
        names=office.names,
        uscc=office.uscc,
        grants=tuple(TypeGrant(type_id, granted(began_at), ASSURANCE[type_id]) for type_id in office.types),
        seals=(seal,),
        status_keys=(listed(KeyUse.STATUS, status, began_at),),
        status_list_base=f"{public_url}/status/{office.id}/",
        contact=office.contact,
        history=granted(began_at),
    )


def _recognitions(region: Region, founded_at: datetime) -> tuple[RecognitionEntry, ...]:
    made = []
    for each in RECOGNITIONS:
        if each.accepting != region.code:
            continue
        since = founded_at.replace(microsecond=0) + each.starts_in
        announced_at = since - NOTICE
        made.append(
            RecognitionEntry(
                id=each.id,
                issuing=each.issuing,
                type_id=each.type_id,
                as_type=each.as_type or each.type_id,
                scenarios=each.scenarios,
                since=since,
                until=None,
                announced_at=announced_at,
                legal_basis=LEGAL_BASIS,
                history=granted(announced_at),
                minimum_assurance=each.minimum_assurance,
                claims=each.claims,
            )
        )
    return tuple(made)


def _party(party: Party, receipt: Certified, access: Certified, began_at: datetime) -> RelyingPartyEntry:
    return RelyingPartyEntry(
        id=party.id,
        names=party.names,
        scenarios=party.scenarios,
        keys=(listed(KeyUse.RECEIPT, receipt, began_at), listed(KeyUse.ACCESS, access, began_at)),
        history=granted(began_at),
    )
