"""Who depends on what an issuer may seal: accepting regions, their scenarios, the relying parties registered for them.

Reads a view at a moment; judges no certificate and says nothing about what would change (see `consequences`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from trust_registry.core import in_force, status_at
from trust_registry.model import (
    EntryStatus,
    IssuerEntry,
    IssuerId,
    RecognitionEntry,
    RegionCode,
    RegionList,
    RelyingPartyId,
    Scenario,
    ScenarioId,
    TrustView,
    TypeId,
)


@dataclass(frozen=True, slots=True)
class DependentParty:
    """A relying party and those of its scenarios that are concerned."""

    id: RelyingPartyId
    scenarios: tuple[ScenarioId, ...]


@dataclass(frozen=True, slots=True)
class Dependents:
    """Whom it concerns, each sorted: the issuers and types themselves, the regions that accept them (the own one
    among them), and the relying parties registered there for scenarios that ask for these types."""

    issuers: tuple[IssuerId, ...] = ()
    types: tuple[TypeId, ...] = ()
    accepting: tuple[RegionCode, ...] = ()
    relying_parties: tuple[DependentParty, ...] = ()


class Dependence:
    """The view at one moment, asked again and again: what was found once is kept."""

    def __init__(self, view: TrustView, at: datetime) -> None:
        self._view = view
        self._at = at
        self._takers: dict[tuple[RegionCode, TypeId], dict[RegionCode, frozenset[ScenarioId]]] = {}
        self._parties: dict[ScenarioId, list[RelyingPartyId]] = {}
        for region_list in view.lists.values():
            for party in region_list.relying_parties:
                if status_at(party.history, at) is EntryStatus.GRANTED:
                    for scenario in party.scenarios:
                        self._parties.setdefault(scenario, []).append(party.id)

    def takers(self, issuing: RegionCode, type_id: TypeId) -> dict[RegionCode, frozenset[ScenarioId]]:
        """Every region that accepts the type of `issuing`, now or as announced, and its scenarios that ask for it."""
        question = (issuing, type_id)
        if question not in self._takers:
            found: dict[RegionCode, set[ScenarioId]] = {}
            for code, scenarios in self._find_takers(issuing, type_id):
                found.setdefault(code, set()).update(scenarios)
            self._takers[question] = {code: frozenset(scenarios) for code, scenarios in found.items()}
        return self._takers[question]

    def _find_takers(self, issuing: RegionCode, type_id: TypeId) -> Iterator[tuple[RegionCode, list[ScenarioId]]]:
        for code, region_list in self._view.lists.items():
            if code == issuing:
                yield code, [s.id for s in region_list.scenarios if asks_for(s, {type_id})]
                continue
            for entry in self._view.recognitions.get((issuing, type_id, code), ()):
                if stands(entry, self._at):
                    yield code, covered(entry, region_list)

    def parties(self, scenarios: Iterable[ScenarioId]) -> tuple[DependentParty, ...]:
        """The relying parties in good standing that are registered for any of these scenarios."""
        found: dict[RelyingPartyId, list[ScenarioId]] = {}
        for scenario in sorted(set(scenarios)):
            for party in self._parties.get(scenario, ()):
                found.setdefault(party, []).append(scenario)
        return tuple(DependentParty(party, tuple(ids)) for party, ids in sorted(found.items()))

    def of(self, issuers: Iterable[tuple[RegionCode, IssuerEntry, Iterable[TypeId]]]) -> Dependents:
        """Who depends on these issuers for these types."""
        ids: set[IssuerId] = set()
        types: set[TypeId] = set()
        accepting: set[RegionCode] = set()
        scenarios: set[ScenarioId] = set()
        for region, issuer, type_ids in issuers:
            ids.add(issuer.id)
            for type_id in type_ids:
                types.add(type_id)
                for code, asked in self.takers(region, type_id).items():
                    accepting.add(code)
                    scenarios |= asked
        return Dependents(tuple(sorted(ids)), tuple(sorted(types)), tuple(sorted(accepting)), self.parties(scenarios))

    def of_region(self, region_list: RegionList) -> Dependents:
        """Who depends on a region: on all its issuers for all types that they are entitled to."""
        return self.of((region_list.code, issuer, granted_types(issuer, self._at)) for issuer in region_list.attests)


def granted_types(issuer: IssuerEntry, at: datetime) -> tuple[TypeId, ...]:
    """What the issuer is entitled to issue at `at`, sorted; nothing while it is not granted itself."""
    if status_at(issuer.history, at) is not EntryStatus.GRANTED:
        return ()
    return tuple(sorted({g.type_id for g in issuer.grants if status_at(g.history, at) is EntryStatus.GRANTED}))


def stands(entry: RecognitionEntry, at: datetime) -> bool:
    """Whether a recognition is in force at `at`, or was announced and will be."""
    if in_force(entry, at):
        return True
    called_off = entry.history[-1].status is EntryStatus.WITHDRAWN
    return entry.announced_at <= at < entry.since and not called_off


def asks_for(scenario: Scenario, types: set[TypeId]) -> bool:
    """Whether the scenario needs one of these types; a scenario that names none takes any."""
    return not scenario.requires or any(not types.isdisjoint(needed.any_of) for needed in scenario.requires)


def covered(entry: RecognitionEntry, accepting: RegionList) -> list[ScenarioId]:
    """The scenarios of the accepting region that a recognition serves: within its limits, asking for its type."""
    types = {entry.type_id, entry.as_type}
    within = (s for s in accepting.scenarios if not entry.scenarios or s.id in entry.scenarios)
    return [scenario.id for scenario in within if asks_for(scenario, types)]
