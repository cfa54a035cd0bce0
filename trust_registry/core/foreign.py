"""What a list of another network says here: only through the region that names it, only what that region maps.

Judges no certificate and no signature over a list; whether recognition follows is `core.recognition`'s.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from trust_registry.model import (
    Assurance,
    ChainLink,
    EntryStatus,
    ForeignFormat,
    ForeignList,
    ForeignListEntry,
    ForeignService,
    RegionCode,
    ServiceEquivalence,
    ServicePeriod,
    TrustView,
    TypeId,
)

LIST_OF_LISTS: Final = re.compile(r"(?:/TSLType/\w*listofthelists|/ListOfLists|:list-of-trusted-lists)$", re.IGNORECASE)
_COUNTRY: Final = re.compile(r"[A-Z]{2}", re.ASCII)
_Key = tuple[tuple[bytes, ...], tuple[str, ...], str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class ForeignAttestation:
    """A service that attests a type, as the naming region reads it: `chain` is that region's entry, then the foreign
    list's service (its list's sequence number stands for the version)."""

    service: ForeignService
    period: ServicePeriod
    assurance: Assurance
    chain: tuple[ChainLink, ...]


def period_at(service: ForeignService, at: datetime) -> ServicePeriod | None:
    """The line of the service's history in force at `at` (UTC), or None before the first."""
    return next((period for period in reversed(service.history) if period.since <= at), None)


def service_status_at(service: ForeignService, at: datetime) -> EntryStatus | None:
    """The service's status at `at` (UTC); None before its history and where the status is not understood."""
    period = period_at(service, at)
    return None if period is None else period.status


def expected_territory(code: RegionCode) -> str | None:
    """The country that a list named `code` must be of: the code's last part where that is two letters ("EU-EE": EE).

    None for codes that end otherwise: then the first list that was believed sets the territory.
    """
    last = code.rpartition("-")[2]
    return last if _COUNTRY.fullmatch(last) else None


def is_list_of_lists(found: ForeignList) -> bool:
    """Whether the list points to those of a whole network. Spec: TS 119 612 clause 5.3.3, annex D.3."""
    return found.list_type is not None and LIST_OF_LISTS.search(found.list_type) is not None


def foreign_entry(view: TrustView, naming: RegionCode, code: RegionCode) -> ForeignListEntry | None:
    """The entry under which `naming` reads the list `code`: its own, else that of the list of lists it was found by."""
    region = view.lists.get(naming)
    if region is None:
        return None
    entries = {entry.code: entry for entry in region.foreign}
    if code in entries:
        return entries[code]
    parent = RegionCode(code.rpartition("-")[0])
    over = view.foreign.get((naming, parent))
    return entries.get(parent) if over is not None and is_list_of_lists(over) else None


def attestations_of_foreign(
    view: TrustView,
    naming: RegionCode,
    code: RegionCode,
    type_id: TypeId,
    at: datetime,
    *,
    services: Sequence[ForeignService] | None = None,
    read_at: datetime | None = None,
) -> Iterator[ForeignAttestation]:
    """Every service of the list `code` that attested `type_id` at `at` (UTC), by the equivalences that `naming` signed.

    `read_at`: when `naming` must read the list, if not at `at`: what was signed before a region began to read a list
    counts from then on, as with recognitions.
    `services`: only these, say those whose key made a signature. A service that is listed twice over one key counts
    only where both entries grant.
    """
    entry, found = foreign_entry(view, naming, code), view.foreign.get((naming, code))
    if entry is None or found is None:
        return
    reads = next((change.status for change in reversed(entry.history) if change.at <= (read_at or at)), None)
    if reads is not EntryStatus.GRANTED:
        return
    equivalences = [each for each in entry.equivalences if each.type_id == type_id]
    among = found.services if services is None else services
    refused = _refused(among, at) if equivalences else frozenset()
    country = expected_territory(code) if found.format is ForeignFormat.DCC else None
    version = view.lists[naming].version
    for service in among:
        period = period_at(service, at)
        if period is None or period.status is not EntryStatus.GRANTED or _key(service, period) in refused:
            continue
        if country is not None and service.territory != country:
            continue
        level = _assurance(period, equivalences)
        if level is not None:
            named = ChainLink(naming, version, f"foreign/{entry.code}/{type_id}", entry.history[0].at)
            listed = ChainLink(code, found.sequence_number, f"services/{service.names.en}", period.since)
            yield ForeignAttestation(service, period, level, (named, listed))


def attestation_of_foreign(  # noqa: PLR0917
    view: TrustView,
    naming: RegionCode,
    foreign_code: RegionCode,
    type_id: TypeId,
    at: datetime,
    minimum_assurance: Assurance = Assurance.LOW,
    *,
    read_at: datetime | None = None,
) -> ForeignAttestation | None:
    """The first service that attested the type at the assurance wanted, else the first at all."""
    first = None
    for found in attestations_of_foreign(view, naming, foreign_code, type_id, at, read_at=read_at):
        if found.assurance.rank >= minimum_assurance.rank:
            return found
        first = first or found
    return first


def _assurance(period: ServicePeriod, equivalences: Sequence[ServiceEquivalence]) -> Assurance | None:
    """The highest assurance that an equivalence gives to a service of this form."""
    levels = [
        each.assurance
        for each in equivalences
        if each.service_type == period.service_type and set(each.additional) <= set(period.additional)
    ]
    return max(levels, key=lambda level: level.rank, default=None)


def _refused(services: Sequence[ForeignService], at: datetime) -> frozenset[_Key]:
    """What is listed with a status other than granted at `at`: what a second entry says cannot undo it."""
    found = set()
    for service in services:
        period = period_at(service, at)
        if period is not None and period.status is not EntryStatus.GRANTED:
            found.add(_key(service, period))
    return frozenset(found)


def _key(service: ForeignService, period: ServicePeriod) -> _Key:
    identity = service.identity
    names = () if identity.certificates else identity.subject_names
    return identity.certificates, names, period.service_type, period.additional
