"""What a trust view says of the certificates it lists, worked out once per view. Judges no evidence.

A view is immutable and swapped whole, so everything here is a function of the view alone; it is remembered as long as
the view lives.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

from keys.errors import AlgorithmNotSupported, MalformedCertificate
from keys.public_key import PublicKey
from keys.x509 import Certificate, PathOutcome, parse_certificate, validate_path
from trust_registry.attestations import Attestation
from trust_registry.model import (
    EntryReason,
    EntryStatus,
    History,
    KeyEntry,
    KeyUse,
    RegionCode,
    RegionList,
    RelyingPartyEntry,
    Scenario,
    ScenarioId,
    SealLocation,
    StatusChange,
    StatusSnapshot,
    TrustView,
    TypeGrant,
    TypeId,
)
from verifier.core.findings import passed
from verifier.core.per_view import PerView
from verifier.model import Check, Finding, Policy

K = TypeVar("K")
V = TypeVar("V")

_EVER: Final = datetime.min.replace(tzinfo=UTC)
_NEVER: Final = datetime.max.replace(tzinfo=UTC)


def compromised_since(*histories: History) -> datetime | None:
    """Since when a key may have been in wrong hands: the earliest invalidity date of a withdrawal for KEY_COMPROMISE in
    any history, or where none is given, of the withdrawal itself. Spec: RFC 5280 section 5.3.2."""
    moments = [
        change.invalidity_date or change.at
        for history in histories
        for change in history
        if change.reason is EntryReason.KEY_COMPROMISE and change.status is not EntryStatus.GRANTED
    ]
    return min(moments, default=None)


def change_at(history: History, at: datetime) -> StatusChange | None:
    """The line of the history in force at `at`, or None before the first."""
    for change in reversed(history):
        if change.at <= at:
            return change
    return None


@dataclass(frozen=True, slots=True)
class Path:
    """The way from a certificate to an anchor at one time, and until when that answer holds for other times."""

    outcome: PathOutcome
    chain: tuple[Certificate, ...]
    holds_from: datetime
    holds_until: datetime


class ListedKey:
    """A certificate that a region lists, with the region's CAs. Paths are remembered while their answer holds."""

    __slots__ = ("_anchors", "_path", "certificate", "entry", "key", "region")

    def __init__(self, region: RegionList, entry: KeyEntry, certificate: Certificate) -> None:
        self.region = region
        self.entry = entry
        self.certificate = certificate
        self.key: PublicKey = certificate.public_key
        self._anchors = tuple(_readable(key for key in region.authorities if key.use is KeyUse.CA))
        self._path: Path | None = None

    def path(self, intermediates: tuple[Certificate, ...], at: datetime) -> Path:
        """The certificate's path to its region's CA at `at`. Spec: EN 319 102-1 clause 5.2.6."""
        known = self._path
        if known is not None and known.holds_from <= at <= known.holds_until:
            return known
        result = validate_path(self.certificate, intermediates, [anchor for _, anchor in self._anchors], at)
        if result.outcome is not PathOutcome.OK:
            return Path(result.outcome, result.chain, at, at)
        self._path = Path(
            result.outcome,
            result.chain,
            max(certificate.not_before for certificate in result.chain),
            _usable_until(result.chain),
        )
        return self._path

    def authority_compromised_since(self, chain: tuple[Certificate, ...]) -> datetime | None:
        """Since when a CA of `chain` is known to be compromised."""
        return compromised_since(*(entry.history for entry, anchor in self._anchors if anchor in chain))


@dataclass(frozen=True, slots=True)
class Remembered:
    """A finding on recognition and the times for which no list entry changes it (from inclusive, until exclusive)."""

    finding: Finding
    scenario: Scenario | None
    at: tuple[datetime, datetime]
    signed_at: tuple[datetime, datetime]

    def holds(self, at: datetime, signed_at: datetime) -> bool:
        return self.at[0] <= at < self.at[1] and self.signed_at[0] <= signed_at < self.signed_at[1]


@dataclass(slots=True)  # not frozen: never leaves this package
class Usual:
    """What all checks came to on evidence that nothing is the matter with, and for which times of sealing and of asking
    (from inclusive, before exclusive) that holds."""

    limits: Scenario | Policy
    snapshot: StatusSnapshot
    signed_from: datetime
    signed_before: datetime
    at_from: datetime
    at_before: datetime
    confirmed_at: datetime
    first: tuple[Finding, ...]  # up to the signing time
    status: Finding
    recognition: Finding


class ListedSeal(ListedKey):
    """A listed seal: whose it is, what it may seal, and its certificate.

    `remembered` is `acceptance`'s: what the view says of recognising this seal's region, by type, region and scenario.
    `known` is `usual`'s, by type, status list, region, scenario and form.
    """

    __slots__ = (
        "compromised_since",
        "entitled_finding",
        "grants",
        "known",
        "location",
        "path_finding",
        "remembered",
        "steady_since",
        "untroubled_until",
    )

    def __init__(self, region: RegionList, location: SealLocation, certificate: Certificate) -> None:
        super().__init__(region, location.seal.key, certificate)
        self.location = location
        self.grants: dict[TypeId, tuple[TypeGrant, ...]] = {}
        for grant in location.issuer.grants:
            _add(self.grants, grant.type_id, grant)
        self.compromised_since = compromised_since(
            location.issuer.history, location.seal.history, location.seal.key.history
        )
        self.remembered: dict[tuple[TypeId, RegionCode, ScenarioId | None], Remembered] = {}
        self.known: dict[tuple[TypeId, str, RegionCode | None, ScenarioId | None, type], Usual] = {}
        self.untroubled_until = self._untroubled_until()
        self.steady_since = {type_id: since for type_id in self.grants if (since := self._steady(type_id)) is not None}
        self.path_finding = passed(Check.CERTIFICATE_PATH, "path_ok", region=region.names)
        self.entitled_finding = passed(
            Check.ENTITLEMENT,
            "entitled",
            issuer=location.issuer.names,
            seal=location.seal.id,
            list=region.code,
            version=region.version,
        )

    def _untroubled_until(self) -> datetime | None:
        """Until when the claimed time is all there is to ask for; None if this key or a CA was ever compromised."""
        authorities = compromised_since(*(entry.history for entry, _ in self._anchors))
        if self.compromised_since is not None or authorities is not None:
            return None
        keys = (self.key, *(anchor.public_key for _, anchor in self._anchors))
        sunsets = (key.algorithm.sunset or _NEVER for key in keys)
        return min(self.certificate.not_after, self.location.seal.valid_until, *sunsets)

    def _steady(self, type_id: TypeId) -> datetime | None:
        """Since when all that entitles this seal to the type has been granted without a change; None if it is not."""
        seal, issuer = self.location.seal, self.location.issuer
        if type_id not in seal.scope:
            return None
        # Of several grants of the type, at different assurances, the latest may do; any other answer is looked up.
        grant = max(self.grants[type_id], key=lambda each: each.history[-1].at if each.history else _EVER)
        histories = (issuer.history, seal.history, seal.key.history, grant.history)
        if not all(history and history[-1].status is EntryStatus.GRANTED for history in histories):
            return None
        return max(seal.valid_from, *(history[-1].at for history in histories))


class ListedParty(ListedKey):
    """A relying party's receipt key."""

    __slots__ = ("party",)

    def __init__(self, region: RegionList, party: RelyingPartyEntry, entry: KeyEntry, certificate: Certificate) -> None:
        super().__init__(region, entry, certificate)
        self.party = party


class Listed:
    """The index of one view: seals, receipt keys and time-stampers by thumbprint, seals by `kid`.

    A certificate is public, so any region can list one that is another's. Whose listing counts is for evidence to say:
    each index holds them all.
    """

    __slots__ = ("__weakref__", "parties", "seals", "seals_by_kid", "timestampers")

    def __init__(self, view: TrustView) -> None:
        self.seals: dict[str, tuple[ListedSeal, ...]] = {}
        self.seals_by_kid: dict[bytes, tuple[ListedSeal, ...]] = {}
        self.parties: dict[str, tuple[ListedParty, ...]] = {}
        self.timestampers: dict[str, tuple[tuple[RegionCode, KeyEntry], ...]] = {}
        for code, region in view.lists.items():
            for entry, certificate in _readable(key for key in region.authorities if key.use is KeyUse.TIMESTAMP):
                _add(self.timestampers, certificate.thumbprint, (code, entry))
            for issuer in region.attests:
                locations = {seal.key.thumbprint: SealLocation(code, issuer, seal) for seal in issuer.seals}
                for entry, certificate in _readable(seal.key for seal in issuer.seals):
                    self._add_seal(ListedSeal(region, locations[entry.thumbprint], certificate))
            for party in region.relying_parties:
                for entry, certificate in _readable(key for key in party.keys if key.use is KeyUse.RECEIPT):
                    _add(self.parties, certificate.thumbprint, ListedParty(region, party, entry, certificate))

    def seal(self, thumbprint: str, attestation: Attestation | None) -> ListedSeal | None:
        """The seal with this certificate, of the issuer that the attestation names if it lists one."""
        return next(iter(named_first(self.seals.get(thumbprint, ()), attestation)), None)

    def _add_seal(self, seal: ListedSeal) -> None:
        _add(self.seals, seal.certificate.thumbprint, seal)
        _add(self.seals_by_kid, bytes.fromhex(seal.certificate.thumbprint[:16]), seal)


def named_first(seals: tuple[ListedSeal, ...], attestation: Attestation | None) -> Sequence[ListedSeal]:
    """Seals of the issuer that the attestation names before those of others."""
    if len(seals) < 2 or attestation is None:
        return seals
    return sorted(seals, key=lambda seal: seal.location.issuer.id != attestation.issuer_id)


def _add(index: dict[K, tuple[V, ...]], key: K, value: V) -> None:
    index[key] = (*index.get(key, ()), value)


listed: Final = PerView(Listed)  # the index of a view, made at its first use


def _readable(keys: Iterable[KeyEntry]) -> list[tuple[KeyEntry, Certificate]]:
    """Lists are checked when published; a certificate that this library can't read makes its key unknown, no more."""
    found = []
    for key in keys:
        try:
            certificate = parse_certificate(key.certificate)
            certificate.public_key  # noqa: B018 - a key of a kind that is not registered counts as unreadable
        except (MalformedCertificate, AlgorithmNotSupported):
            continue
        found.append((key, certificate))
    return found


def _usable_until(chain: tuple[Certificate, ...]) -> datetime:
    """Until when an OK path stays OK: the first expiry, or the sunset of an algorithm used in it."""
    ends = [certificate.not_after for certificate in chain]
    sunsets = (certificate.public_key.algorithm.sunset or _NEVER for certificate in chain)
    ends += [sunset - timedelta(microseconds=1) for sunset in sunsets]
    return min(ends)
