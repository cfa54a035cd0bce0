"""What a verifier holds: verified lists at one moment with their indexes, and the answer about a recognition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from trust_registry.model.entries import Assurance, IssuerId, RegionCode, ScenarioId, TypeId
from trust_registry.model.foreign import ForeignList
from trust_registry.model.lists import (
    CertificateType,
    IssuerEntry,
    RecognitionEntry,
    RegionList,
    Scenario,
    SealEntry,
    TypeGrant,
)


@dataclass(frozen=True, slots=True)
class ListSignatures:
    """Who signed the role that carries a list: key ids that verified, and how many were needed."""

    threshold: int
    signed_by: tuple[str, ...]
    role_version: int


@dataclass(frozen=True, slots=True)
class HeldBack:
    """An authority has signed what can't be followed: why, which entry is to blame, since when (UTC) its last list that
    could be followed stands in, if there is one.
    """

    reason: str
    entry: str | None
    since: datetime


@dataclass(frozen=True, slots=True)
class SealLocation:
    """Where a seal's certificate stands in the view."""

    region: RegionCode
    issuer: IssuerEntry
    seal: SealEntry


@dataclass(frozen=True, slots=True)
class Attesters:
    """The issuers of a region with a grant for one type, each with that grant: parallel, since there may be millions.

    Iterates over pairs.
    """

    issuers: tuple[IssuerEntry, ...]
    grants: tuple[TypeGrant, ...]

    def __iter__(self) -> Iterator[tuple[IssuerEntry, TypeGrant]]:
        return zip(self.issuers, self.grants, strict=True)


@dataclass(frozen=True)
class TrustView:
    """Verified trust data at one moment: immutable, swapped whole.

    `refreshed_at` is when the local copy was last confirmed against the repository; `expires_at` the earliest expiry
    of the metadata it rests on, and `expiries` that of each role by name. `metadata_versions` names the TUF roles and
    versions used (for receipts). Indexes are derived once.
    """

    lists: Mapping[RegionCode, RegionList]  # of who has left, the last one, ended at that instant: see `left`
    signatures: Mapping[RegionCode, ListSignatures]
    metadata_versions: Mapping[str, int]
    refreshed_at: datetime
    expires_at: datetime
    expiries: Mapping[str, datetime] = field(default_factory=dict)
    foreign: Mapping[tuple[RegionCode, RegionCode], ForeignList] = field(
        default_factory=dict
    )  # (who names it, its code)
    left: Mapping[RegionCode, datetime] = field(default_factory=dict)  # who belonged to the network, and until when
    held: Mapping[RegionCode, HeldBack] = field(default_factory=dict)  # whose newest list is not the one that counts
    types: Mapping[TypeId, CertificateType] = field(init=False)
    issuers: Mapping[IssuerId, IssuerEntry] = field(init=False)
    scenarios: Mapping[ScenarioId, Scenario] = field(init=False)
    seals_by_thumbprint: Mapping[str, SealLocation] = field(init=False)
    seals_by_kid: Mapping[bytes, tuple[SealLocation, ...]] = field(init=False)  # first 8 bytes of the SHA-256
    recognitions: Mapping[tuple[RegionCode, TypeId, RegionCode], tuple[RecognitionEntry, ...]] = field(init=False)
    attesters: Mapping[tuple[RegionCode, TypeId], Attesters] = field(init=False)

    def __post_init__(self) -> None:
        types: dict[TypeId, CertificateType] = {}
        issuers: dict[IssuerId, IssuerEntry] = {}
        scenarios: dict[ScenarioId, Scenario] = {}
        by_thumbprint: dict[str, SealLocation] = {}
        by_kid: dict[bytes, tuple[SealLocation, ...]] = {}
        recognitions: dict[tuple[RegionCode, TypeId, RegionCode], tuple[RecognitionEntry, ...]] = {}
        attesters: dict[tuple[RegionCode, TypeId], Attesters] = {}
        for code, region_list in self.lists.items():
            types.update((t.id, t) for t in region_list.defines)
            scenarios.update((s.id, s) for s in region_list.scenarios)
            for issuer in region_list.attests:
                issuers[issuer.id] = issuer
                for seal in issuer.seals:
                    location = SealLocation(code, issuer, seal)
                    by_thumbprint[seal.key.thumbprint] = location
                    kid = bytes.fromhex(seal.key.thumbprint[:16])
                    by_kid[kid] = (*by_kid.get(kid, ()), location)
            attesters.update(((code, type_id), found) for type_id, found in _attesters(region_list).items())
            for entry in region_list.recognises:
                key = (entry.issuing, entry.type_id, code)
                recognitions[key] = (*recognitions.get(key, ()), entry)
        for name, value in (
            ("types", types),
            ("issuers", issuers),
            ("scenarios", scenarios),
            ("seals_by_thumbprint", by_thumbprint),
            ("seals_by_kid", by_kid),
            ("recognitions", recognitions),
            ("attesters", attesters),
        ):
            object.__setattr__(self, name, value)

    def members(self, at: datetime) -> tuple[RegionList, ...]:
        """The lists of the authorities that belong to the network at `at` (UTC), as far as this view knows."""
        return tuple(each for code, each in self.lists.items() if code not in self.left or at < self.left[code])

    def confirmed_at(self, code: RegionCode) -> datetime:
        """When what an authority says was last confirmed (UTC): with the copy, unless its list has run out since, or
        its newest one is held back.
        """
        ends_at, held = self.expiries.get(f"region-{code}") or self.expiries.get(f"body-{code}"), self.held.get(code)
        found = self.refreshed_at if ends_at is None else min(self.refreshed_at, ends_at)
        return found if held is None else min(found, held.since)


def _attesters(region_list: RegionList) -> dict[TypeId, Attesters]:
    issuers: dict[TypeId, list[IssuerEntry]] = {}
    grants: dict[TypeId, list[TypeGrant]] = {}
    for issuer in region_list.attests:
        for grant in issuer.grants:
            known = grants.get(grant.type_id)
            if known is None:
                grants[grant.type_id], issuers[grant.type_id] = [grant], [issuer]
            else:
                known.append(grant)
                issuers[grant.type_id].append(issuer)
    return {type_id: Attesters(tuple(issuers[type_id]), tuple(found)) for type_id, found in grants.items()}


class RecognitionOutcome(Enum):
    RECOGNISED = "recognised"
    OWN = "own"  # the accepting region's own certificate
    NOT_RECOGNISED = "not_recognised"
    NOT_YET = "not_yet"  # announced, not in force at that time
    ENDED = "ended"
    SCENARIO_NOT_COVERED = "scenario_not_covered"
    ASSURANCE_TOO_LOW = "assurance_too_low"  # the entry in force wants more than the issuer's grant gives
    NOT_ATTESTED = "not_attested"  # the issuing region does not say that it issues this type
    REGION_UNKNOWN = "region_unknown"


@dataclass(frozen=True, slots=True)
class ChainLink:
    """One entry that led to the answer: whose list, which version, which entry, since when."""

    list_code: RegionCode
    list_version: int
    entry: str  # "recognises/R7", "attests/990100/civil-affairs/common/marriage-certificate"
    since: datetime | None


@dataclass(frozen=True, slots=True)
class RecognitionAnswer:
    """`assurance` is that of the attestation the answer rests on; None where nothing is attested."""

    outcome: RecognitionOutcome
    chain: tuple[ChainLink, ...]
    entry: RecognitionEntry | None = None
    assurance: Assurance | None = None

    @property
    def accepted(self) -> bool:
        return self.outcome in (RecognitionOutcome.RECOGNISED, RecognitionOutcome.OWN)
