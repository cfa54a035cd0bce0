"""Edits of what a list says about its own side: types, authorities, issuers, their grants, seals and status keys.

Who may ask for them is the ceremony's affair; whether a certificate fits is `listed_certificates`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from trust_registry.editing.drafting import begun, checked, find, issuer_of, listed, moment, replaced
from trust_registry.errors import InvalidList
from trust_registry.model import (
    Assurance,
    CertificateType,
    IssuerEntry,
    IssuerId,
    KeyUse,
    Names,
    RegionList,
    SealCeremony,
    SealEntry,
    SealId,
    TypeGrant,
    TypeId,
)


def add_type(region_list: RegionList, type_: CertificateType, *, now: datetime) -> RegionList:
    """Define a certificate type, as its version 1. Raises: InvalidList."""
    moment(region_list, now)
    return checked(replace(region_list, defines=(*region_list.defines, replace(type_, version=1))))


def replace_type(region_list: RegionList, type_: CertificateType, *, now: datetime) -> RegionList:
    """Say anew what a type holds, as its next version; its code stays. Raises: EntryUnknown, InvalidList."""
    moment(region_list, now)
    old = find(region_list.defines, f"defines/{type_.id}", lambda each: each.id == type_.id)
    if type_.code != old.code:
        raise InvalidList("code", "a type keeps its code: define another type")
    new = replace(type_, version=old.version + 1)
    return checked(replace(region_list, defines=replaced(region_list.defines, old, new)))


def add_authority(
    region_list: RegionList, use: KeyUse, certificate: bytes, *, now: datetime, since: datetime | None = None
) -> RegionList:
    """List a CA (own or external), a time-stamping or a list-signing certificate (DER). Raises: InvalidList."""
    key = listed(use, certificate, begun(region_list, now, since))
    return checked(replace(region_list, authorities=(*region_list.authorities, key)))


def add_issuer(
    region_list: RegionList,
    *,
    issuer_id: IssuerId,
    names: Names,
    uscc: str,
    status_list_base: str,
    contact: Names,
    now: datetime,
    since: datetime | None = None,
) -> RegionList:
    """List an organisation, with no grant, seal or key yet. `issuer_id`: "<the list's code>/<short name>".

    Raises: InvalidList.
    """
    history = begun(region_list, now, since)
    issuer = IssuerEntry(issuer_id, names, uscc, (), (), (), status_list_base, contact, history)
    return checked(replace(region_list, attests=(*region_list.attests, issuer)))


def add_grant(
    region_list: RegionList,
    issuer_id: IssuerId,
    type_id: TypeId,
    *,
    now: datetime,
    assurance: Assurance = Assurance.SUBSTANTIAL,
    since: datetime | None = None,
) -> RegionList:
    """Entitle an issuer to issue a type at this assurance. Raises: EntryUnknown, InvalidList (granted already)."""
    issuer = issuer_of(region_list, issuer_id)
    grant = TypeGrant(type_id, begun(region_list, now, since), assurance)
    if any((each.type_id, each.assurance) == (type_id, assurance) for each in issuer.grants):
        raise InvalidList("type_id", "the issuer has this grant already: change its status")
    return _with_issuer(region_list, issuer, replace(issuer, grants=(*issuer.grants, grant)))


def add_status_key(
    region_list: RegionList,
    issuer_id: IssuerId,
    certificate: bytes,
    *,
    now: datetime,
    since: datetime | None = None,
) -> RegionList:
    """List a certificate (DER) that may sign the issuer's status lists. Raises: EntryUnknown, InvalidList."""
    issuer = issuer_of(region_list, issuer_id)
    key = listed(KeyUse.STATUS, certificate, begun(region_list, now, since))
    return _with_issuer(region_list, issuer, replace(issuer, status_keys=(*issuer.status_keys, key)))


def add_seal(
    region_list: RegionList,
    issuer_id: IssuerId,
    *,
    names: Names,
    image_digest: str,
    scope: Sequence[TypeId],
    valid_from: datetime,
    valid_until: datetime,
    certificate: bytes,
    now: datetime,
    custodian: Names | None = None,
    ceremony: SealCeremony | None = None,
    since: datetime | None = None,
) -> RegionList:
    """List a seal under the next free number. `certificate` is DER, `image_digest` "sha256:<hex>" of the SVG.

    Raises: EntryUnknown, InvalidList.
    """
    issuer = issuer_of(region_list, issuer_id)
    history = begun(region_list, now, since)
    seal = SealEntry(
        id=next_seal_id(region_list, issuer_id),
        names=names,
        image_digest=image_digest,
        scope=tuple(scope),
        valid_from=valid_from,
        valid_until=valid_until,
        key=listed(KeyUse.SEAL, certificate, history),
        history=history,
        custodian=custodian,
        ceremony=ceremony,
    )
    return _with_issuer(region_list, issuer, replace(issuer, seals=(*issuer.seals, seal)))


def next_seal_id(region_list: RegionList, issuer_id: IssuerId) -> SealId:
    """The id of the region's next seal: 14 digits, the region's own six (zeros if it has none) and a running number.

    Raises: InvalidList when the numbers are used up.
    """
    code = region_list.code
    prefix = code if len(code) == 6 and code.isascii() and code.isdigit() else "000000"
    taken = (int(seal.id[-14:]) for issuer in region_list.attests for seal in issuer.seals)
    number = max((int(prefix) * 10**8, *taken)) + 1
    if number >= 10**14:
        raise InvalidList("seals", "all seal numbers are used up")
    return SealId(f"{issuer_id}/{number:014d}")


def _with_issuer(region_list: RegionList, old: IssuerEntry, new: IssuerEntry) -> RegionList:
    return checked(replace(region_list, attests=replaced(region_list.attests, old, new)))
