"""What runs out, when, and who depends on it: seals, listed certificates, recognitions, signed metadata, algorithms.

Pure: a view and a moment in, a calendar out. Warns nobody (the server does) and renews nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from functools import partial
from typing import Final

from keys.algorithms import ALGORITHMS, by_spki
from keys.errors import AlgorithmNotSupported, MalformedCertificate
from keys.x509 import end_of_validity, parse_certificate
from trust_registry.core import status_at
from trust_registry.dependence import Dependence, Dependents, granted_types
from trust_registry.expiry_words import KIND_NAMES, METADATA_NAMES, expiry_text, next_step
from trust_registry.instants import later
from trust_registry.model import (
    EntryStatus,
    IssuerEntry,
    KeyEntry,
    KeyUse,
    Names,
    RecognitionEntry,
    RegionCode,
    RegionList,
    SealEntry,
    TrustView,
    TypeId,
)
from trust_registry.roles import ListRole

DAY: Final = timedelta(days=1)
DEFAULT_HORIZON: Final = 90 * DAY
KEPT: Final = 30 * DAY  # an ended recognition is news for so long
NETWORK: Final = Names("互认网络", "the network")


class ExpiryKind(Enum):
    """What runs out."""

    SEAL = "seal"
    SEAL_CERTIFICATE = "seal_certificate"
    STATUS_CERTIFICATE = "status_certificate"
    TIMESTAMP_CERTIFICATE = "timestamp_certificate"
    RECEIPT_CERTIFICATE = "receipt_certificate"
    ACCESS_CERTIFICATE = "access_certificate"
    CA_CERTIFICATE = "ca_certificate"
    LIST_CERTIFICATE = "list_certificate"
    RECOGNITION = "recognition"
    METADATA = "metadata"
    ALGORITHM = "algorithm"

    @property
    def names(self) -> Names:
        return KIND_NAMES[self.value]


class Severity(Enum):
    """How pressing it is, least first."""

    PLANNED = "planned"
    NOTICE = "notice"
    WARNING = "warning"
    URGENT = "urgent"
    EXPIRED = "expired"

    @property
    def rank(self) -> int:
        return list(Severity).index(self)


# (notice, warning, urgent). What the host renews by itself lives shorter than the general steps: only what its
# renewal has missed is worth a warning (`publication.renew` re-signs when a third of the life is over).
_STEPS: Final = (90 * DAY, 30 * DAY, 7 * DAY)
_ONLINE_STEPS: Final = {"snapshot": (19 * DAY, 15 * DAY, 7 * DAY), "timestamp": (4 * DAY, 3 * DAY, DAY)}
_KINDS: Final = {
    KeyUse.SEAL: ExpiryKind.SEAL_CERTIFICATE,
    KeyUse.STATUS: ExpiryKind.STATUS_CERTIFICATE,
    KeyUse.TIMESTAMP: ExpiryKind.TIMESTAMP_CERTIFICATE,
    KeyUse.RECEIPT: ExpiryKind.RECEIPT_CERTIFICATE,
    KeyUse.ACCESS: ExpiryKind.ACCESS_CERTIFICATE,
    KeyUse.CA: ExpiryKind.CA_CERTIFICATE,
    KeyUse.LIST: ExpiryKind.LIST_CERTIFICATE,
}


@dataclass(frozen=True, slots=True)
class Expiry:
    """One thing that runs out at `ends_at` (UTC).

    `entry` is its path in the list of `region` ("attests/.../seals/..."), or a role's name; `region` is None for what
    the network holds in common. `replaced`: another one that lasts longer
    stands beside it, so nothing stops."""

    kind: ExpiryKind
    region: RegionCode | None
    entry: str
    what: Names
    owner: Names
    ends_at: datetime
    severity: Severity
    replaced: bool
    dependents: Dependents

    @property
    def id(self) -> str:
        """The same for the same end of the same thing, at whatever severity."""
        return f"{self.region or '-'}:{self.entry}:{self.kind.value}:{self.ends_at:%Y%m%dT%H%M%SZ}"

    def text(self, at: datetime) -> Names:
        """One sentence, as read at `at`: what, whose, when, and what to do."""
        expired = self.severity is Severity.EXPIRED
        return expiry_text(self.what, self.owner, self.ends_at, self.ends_at - at, expired=expired)

    @property
    def advice(self) -> Names:
        """What whoever is responsible does about it."""
        return next_step(self.kind.value, self.entry, replaced=self.replaced)


def expiring(view: TrustView, at: datetime, horizon: timedelta = DEFAULT_HORIZON) -> tuple[Expiry, ...]:
    """Everything in force at `at` (UTC) that ends within `horizon`, and what has run out without being withdrawn.

    The most pressing first, replaced ones last. What was replaced and has run out is not named any more. Never raises
    on content: a certificate that can't be read has no end that could be told.
    """
    search = _Search(view, at, later(at, horizon))
    found = (each for each in search.everything() if not (each.replaced and each.severity is Severity.EXPIRED))
    return tuple(sorted(found, key=lambda e: (e.replaced, -e.severity.rank, e.ends_at, e.id)))


def severity_of(remaining: timedelta, role: str = "") -> Severity:
    """How pressing an end in `remaining` is; `role` names TUF metadata that the host renews by itself."""
    notice, warning, urgent = _ONLINE_STEPS.get(role, _STEPS)
    if remaining <= timedelta(0):
        return Severity.EXPIRED
    if remaining <= urgent:
        return Severity.URGENT
    if remaining <= warning:
        return Severity.WARNING
    return Severity.NOTICE if remaining <= notice else Severity.PLANNED


class _Search:
    def __init__(self, view: TrustView, at: datetime, until: datetime) -> None:
        self._view = view
        self._at = at
        self._until = until
        self._dependence = Dependence(view, at)

    def everything(self) -> Iterator[Expiry]:
        for region_list in self._view.members(self._at):
            yield from self._authorities(region_list)
            for issuer in region_list.attests:
                if self._granted(issuer):
                    yield from self._seals(region_list, issuer)
                    yield from self._status_keys(region_list, issuer)
            yield from self._recognitions(region_list)
            yield from self._party_keys(region_list)
            yield from self._algorithms(region_list)
        yield from self._metadata()

    def _granted(self, entry: SealEntry | KeyEntry | IssuerEntry) -> bool:
        return status_at(entry.history, self._at) is EntryStatus.GRANTED

    def _expiry(  # noqa: PLR0917
        self,
        kind: ExpiryKind,
        owner: tuple[RegionCode | None, Names],
        entry: str,
        what: Names,
        ends_at: datetime,
        dependents: Dependents,
        *,
        replaced: bool = False,
    ) -> Expiry:
        severity = severity_of(ends_at - self._at, entry if kind is ExpiryKind.METADATA else "")
        return Expiry(kind, owner[0], entry, what, owner[1], ends_at, severity, replaced, dependents)

    def _seals(self, region: RegionList, issuer: IssuerEntry) -> Iterator[Expiry]:
        standing = [seal for seal in issuer.seals if self._granted(seal) and self._granted(seal.key)]
        for seal in standing:
            certified_until = _end(seal.key)
            ends_at = min(seal.valid_until, certified_until or seal.valid_until)
            if ends_at > self._until:
                continue
            kind = ExpiryKind.SEAL if ends_at == seal.valid_until else ExpiryKind.SEAL_CERTIFICATE
            entitled = set(granted_types(issuer, self._at))
            replaced = any(_replaces(other, seal, ends_at) for other in standing)
            yield self._expiry(
                kind,
                (region.code, issuer.names),
                f"attests/{issuer.id}/seals/{seal.id}",
                seal.names if kind is ExpiryKind.SEAL else _of(seal.names, kind),
                ends_at,
                self._dependence.of([(region.code, issuer, [t for t in seal.scope if t in entitled])]),
                replaced=replaced,
            )

    def _keys(
        self, region: RegionList, owner: Names, place: str, keys: Iterable[KeyEntry]
    ) -> Iterator[tuple[KeyEntry, partial[Expiry]]]:
        """Granted keys that end in time, each with an expiry that lacks only its dependents."""
        standing = [(key, _end(key)) for key in keys if self._granted(key)]
        for key, ends_at in standing:
            if ends_at is None or ends_at > self._until:
                continue
            kind = _KINDS[key.use]
            later_ones = (end for other, end in standing if other is not key and other.use is key.use)
            yield (
                key,
                partial(
                    self._expiry,
                    kind,
                    (region.code, owner),
                    f"{place}/{key.use.value}:{key.thumbprint[:16]}",
                    kind.names,
                    ends_at,
                    replaced=any(end is not None and end > ends_at for end in later_ones),
                ),
            )

    def _authorities(self, region: RegionList) -> Iterator[Expiry]:
        for key, expiry in self._keys(region, region.authority, "authorities", region.authorities):
            if key.use is KeyUse.CA:
                certified = [issuer for issuer in region.attests if self._certified_by(issuer, key)]
                # A younger CA stands in only once nothing rests on this one any more.
                dependents = self._dependence.of(self._entitled(region, certified))
                yield expiry(dependents=dependents, replaced=False) if certified else expiry(dependents=dependents)
            else:
                yield expiry(dependents=self._dependence.of_region(region))

    def _entitled(
        self, region: RegionList, issuers: Iterable[IssuerEntry]
    ) -> Iterator[tuple[RegionCode, IssuerEntry, tuple[TypeId, ...]]]:
        return ((region.code, issuer, granted_types(issuer, self._at)) for issuer in issuers)

    def _certified_by(self, issuer: IssuerEntry, authority: KeyEntry) -> bool:
        """Whether a standing key of the issuer was certified by this CA; paths are not validated again."""
        keys = [*(seal.key for seal in issuer.seals if self._granted(seal)), *issuer.status_keys]
        try:
            ca = parse_certificate(authority.certificate)
            leaves = [parse_certificate(key.certificate) for key in keys if self._granted(key)]
        except MalformedCertificate:
            return True  # what can't be told apart is concerned
        return any(
            leaf.issuer_name_der == ca.subject_name_der and leaf.not_after > self._at and leaf.aki in (None, ca.ski)
            for leaf in leaves
        )

    def _status_keys(self, region: RegionList, issuer: IssuerEntry) -> Iterator[Expiry]:
        for _, expiry in self._keys(region, issuer.names, f"attests/{issuer.id}/status_keys", issuer.status_keys):
            yield expiry(dependents=self._dependence.of(self._entitled(region, [issuer])))

    def _party_keys(self, region: RegionList) -> Iterator[Expiry]:
        for party in region.relying_parties:
            if status_at(party.history, self._at) is EntryStatus.GRANTED:
                place = f"relying_parties/{party.id}/keys"
                for _, expiry in self._keys(region, party.names, place, party.keys):
                    concerned = self._dependence.parties(party.scenarios)
                    own = tuple(each for each in concerned if each.id == party.id)
                    yield expiry(dependents=Dependents(accepting=(region.code,), relying_parties=own))

    def _recognitions(self, region: RegionList) -> Iterator[Expiry]:
        for entry in region.recognises:
            ends_at, status = entry.until, status_at(entry.history, self._at)
            if ends_at is None or ends_at > self._until or status is not EntryStatus.GRANTED:
                continue
            if later(ends_at, KEPT) <= self._at:
                continue
            siblings = self._view.recognitions[entry.issuing, entry.type_id, region.code]
            yield self._expiry(
                ExpiryKind.RECOGNITION,
                (region.code, region.names),
                f"recognises/{entry.id}",
                _recognition_names(self._view, entry),
                ends_at,
                self._recognised(region, entry),
                replaced=any(_succeeds(other, entry, ends_at) for other in siblings),
            )

    def _recognised(self, region: RegionList, entry: RecognitionEntry) -> Dependents:
        issuers = [
            issuer.id
            for issuer, _ in self._view.attesters.get((entry.issuing, entry.type_id), ())
            if entry.type_id in granted_types(issuer, self._at)
        ]
        asked = [s.id for s in region.scenarios if not entry.scenarios or s.id in entry.scenarios]
        parties = self._dependence.parties(asked)
        return Dependents(tuple(sorted(issuers)), (entry.type_id,), (region.code,), parties)

    def _metadata(self) -> Iterator[Expiry]:
        for name, ends_at in self._view.expiries.items():
            if ends_at > self._until:
                continue
            role = ListRole.parse(name)
            region = None if role is None else self._view.lists.get(role.code)
            if region is None:
                everybody = Dependents(accepting=tuple(sorted(self._view.lists)))
                what = METADATA_NAMES.get(name, Names(name, name))
                yield self._expiry(ExpiryKind.METADATA, (None, NETWORK), name, what, ends_at, everybody)
            else:
                what, owner = METADATA_NAMES["list"], (region.code, region.names)
                dependents = self._dependence.of_region(region)
                yield self._expiry(ExpiryKind.METADATA, owner, name, what, ends_at, dependents)

    def _algorithms(self, region: RegionList) -> Iterator[Expiry]:
        if not any(each.sunset is not None and each.sunset <= self._until for each in ALGORITHMS):
            return
        users: dict[str, list[tuple[RegionCode, IssuerEntry, tuple[TypeId, ...]]]] = {}
        for issuer in region.attests:
            types = granted_types(issuer, self._at)
            for seal in issuer.seals:
                name = _algorithm(seal.key) if self._granted(seal) and seal.valid_until > self._at else None
                if name is not None:
                    users.setdefault(name, []).append((region.code, issuer, types))
        for each in ALGORITHMS:
            if each.jose in users and each.sunset is not None and each.sunset <= self._until:
                what = Names(f"签名算法 {each.jose}", f"signature algorithm {each.jose}")
                entry, owner = f"algorithms/{each.jose}", (region.code, region.names)
                dependents = self._dependence.of(users[each.jose])
                yield self._expiry(ExpiryKind.ALGORITHM, owner, entry, what, each.sunset, dependents)


def _end(key: KeyEntry) -> datetime | None:
    try:
        return end_of_validity(key.certificate)
    except MalformedCertificate:
        return None


def _algorithm(key: KeyEntry) -> str | None:
    try:
        return by_spki(parse_certificate(key.certificate).spki).jose
    except (MalformedCertificate, AlgorithmNotSupported):
        return None


def _replaces(other: SealEntry, seal: SealEntry, ends_at: datetime) -> bool:
    """Whether another standing seal of the issuer takes over without a gap."""
    lasting = min(other.valid_until, _end(other.key) or other.valid_until)
    return other is not seal and other.valid_from <= ends_at < lasting and set(seal.scope) <= set(other.scope)


def _succeeds(other: RecognitionEntry, entry: RecognitionEntry, ends_at: datetime) -> bool:
    """Whether another recognition of the same type takes over without a gap, for at least the same scenarios."""
    if other is entry or other.history[-1].status is not EntryStatus.GRANTED or other.as_type != entry.as_type:
        return False
    wide_enough = not other.scenarios or (entry.scenarios and set(entry.scenarios) <= set(other.scenarios))
    return bool(wide_enough) and other.since <= ends_at and (other.until is None or other.until > ends_at)


def _of(names: Names, kind: ExpiryKind) -> Names:
    return Names(f"{names.zh}的{kind.names.zh}", f"{kind.names.en} of {names.en}")


def _recognition_names(view: TrustView, entry: RecognitionEntry) -> Names:
    kind, region = view.types.get(entry.type_id), view.lists.get(entry.issuing)
    what = Names(entry.type_id, entry.type_id) if kind is None else kind.names
    whom = Names(entry.issuing, entry.issuing) if region is None else region.names
    return Names(f"对{whom.zh}“{what.zh}”的互认", f"recognition of {what.en} from {whom.en}")
