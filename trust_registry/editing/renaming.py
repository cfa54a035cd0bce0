"""New names for what keeps its identity: the list and its authority, an issuer, an agency, another network's list.

Codes, ids and what they are entitled to stay: nothing here changes how anything is judged.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from trust_registry.editing.drafting import checked, find, moment, replaced
from trust_registry.errors import EntryUnknown
from trust_registry.model import Names, RegionList


def rename(
    region_list: RegionList, *, now: datetime, names: Names | None = None, authority: Names | None = None
) -> RegionList:
    """Other names for the list's region or body, or for its authority. None: as before. Raises: InvalidList."""
    moment(region_list, now)
    return checked(replace(region_list, names=names or region_list.names, authority=authority or region_list.authority))


def rename_entry(
    region_list: RegionList, entry: str, *, now: datetime, names: Names | None = None, contact: Names | None = None
) -> RegionList:
    """Other names for "attests/<issuer>", "relying_parties/<agency>" or "foreign/<code>"; `contact` is an issuer's.

    Raises: EntryUnknown, InvalidList.
    """
    moment(region_list, now)
    part, _, identity = entry.partition("/")
    if part == "attests":
        issuer = find(region_list.attests, entry, lambda each: each.id == identity)
        new = replace(issuer, names=names or issuer.names, contact=contact or issuer.contact)
        return checked(replace(region_list, attests=replaced(region_list.attests, issuer, new)))
    if contact is None and names is not None and part == "relying_parties":
        party = find(region_list.relying_parties, entry, lambda each: each.id == identity)
        parties = replaced(region_list.relying_parties, party, replace(party, names=names))
        return checked(replace(region_list, relying_parties=parties))
    if contact is None and names is not None and part == "foreign":
        foreign = find(region_list.foreign, entry, lambda each: each.code == identity)
        lists = replaced(region_list.foreign, foreign, replace(foreign, names=names))
        return checked(replace(region_list, foreign=lists))
    raise EntryUnknown(entry)
