"""What a change does to what was sealed, and to who may seal: seals, CAs, status keys, receipt and time-stamp keys."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from functools import partial

from keys.errors import MalformedCertificate
from keys.x509 import end_of_validity, parse_certificate
from trust_registry.consequences import words
from trust_registry.consequences.comparison import Comparison, after_end, first_loss, issuer_of
from trust_registry.consequences.model import Consequence, ConsequenceKind
from trust_registry.core import status_at
from trust_registry.dependence import DependentParty
from trust_registry.model import (
    EntryReason,
    EntryStatus,
    History,
    IssuerEntry,
    KeyEntry,
    KeyUse,
    Names,
    RegionCode,
    RegionList,
    RelyingPartyEntry,
    ScenarioId,
    SealEntry,
    TypeId,
)


def key_consequences(found: Comparison) -> Iterator[Consequence]:
    """Everything about keys, for every list that differs."""
    for code, was, now in found.changed_lists():
        yield from _authorities(found, code, was, now)
        yield from _parties(found, code, was, now)
        ids = dict.fromkeys(issuer.id for each in (was, now) if each is not None for issuer in each.attests)
        for issuer_id in ids:
            before, after = issuer_of(was, issuer_id), issuer_of(now, issuer_id)
            if before != after or (was is not None and now is not None and was.authorities != now.authorities):
                yield from _Issuer(found, (code, was, now), before, after).consequences()


def compromised_since(*histories: History) -> datetime | None:
    """The earliest moment since which any of these says that a key was in other hands."""
    moments = [
        change.invalidity_date or change.at
        for history in histories
        for change in history
        if change.reason is EntryReason.KEY_COMPROMISE and change.status is not EntryStatus.GRANTED
    ]
    return min(moments, default=None)


def _worse(before: datetime | None, after: datetime | None) -> bool:
    """Whether more is doubted than was."""
    return after is not None and (before is None or after < before)


def _granted(history: History, at: datetime) -> bool:
    return status_at(history, at) is EntryStatus.GRANTED


class _Issuer:
    """One issuer before and after, either of them perhaps not there."""

    def __init__(
        self,
        found: Comparison,
        lists: tuple[RegionCode, RegionList | None, RegionList | None],
        before: IssuerEntry | None,
        after: IssuerEntry | None,
    ) -> None:
        self._found = found
        self._code, self._was, self._now = lists
        self._before = before
        self._after = after

    def consequences(self) -> Iterator[Consequence]:
        before = self._before
        if before is not None:
            for seal in before.seals:
                yield from self._seal(before, seal)
            yield from self._statuses(before)
        yield from self._issuing()

    def _seal(self, issuer: IssuerEntry, seal: SealEntry) -> Iterator[Consequence]:
        after = self._after
        successor = None if after is None else next((s for s in after.seals if s.id == seal.id), None)
        doubt = self._doubt(issuer, seal, successor)
        if doubt is not None:
            why, types = doubt
            certificates, known = self._found.count([issuer.id], types, seal.id)
            text = words.doubted(seal, issuer, why, words.counted(certificates, known=known))
            yield self._about(
                ConsequenceKind.CERTIFICATES_DOUBTED,
                f"attests/{issuer.id}/seals/{seal.id}",
                None,
                text,
                types=tuple(sorted(types)),
                certificates=certificates,
                certificates_known=known,
            )
        elif successor is not None and after is not None:
            moments = self._moments(issuer, after)
            moment = first_loss(moments, lambda t: _usable(issuer, seal, t), lambda t: _usable(after, successor, t))
            if moment is not None:
                when = self._found.begins(moment)
                entry = f"attests/{issuer.id}/seals/{seal.id}"
                text = words.sealing_ends(seal, issuer, when)
                yield self._about(ConsequenceKind.SEALING_ENDS, entry, when, text, types=seal.scope)

    def _doubt(
        self, issuer: IssuerEntry, seal: SealEntry, successor: SealEntry | None
    ) -> tuple[Names, tuple[TypeId, ...]] | None:
        """Why what this seal sealed would no longer verify, and which types that concerns."""
        granted = {grant.type_id for grant in issuer.grants}
        types = tuple(type_id for type_id in seal.scope if type_id in granted)
        after = self._after
        if after is None or successor is None or successor.key.thumbprint != seal.key.thumbprint:
            return words.GONE, types
        was = compromised_since(issuer.history, seal.history, seal.key.history)
        if _worse(was, compromised_since(after.history, successor.history, successor.key.history)):
            return words.COMPROMISED, types
        authority = self._authority_doubt(seal.key)
        if authority is not None:
            return authority, types
        still = {grant.type_id for grant in after.grants} & set(successor.scope)
        lost = tuple(type_id for type_id in types if type_id not in still)
        return (words.OUT_OF_SCOPE, lost) if lost else None

    def _authority_doubt(self, key: KeyEntry) -> Names | None:
        """What happens to the CAs that certified this key."""
        if self._was is None or self._now is None or self._was.authorities == self._now.authorities:
            return None
        following = {each.thumbprint: each for each in self._now.authorities if each.use is KeyUse.CA}
        certifiers = [ca for ca in self._was.authorities if ca.use is KeyUse.CA and certified(key, ca)]
        remaining = [following[ca.thumbprint] for ca in certifiers if ca.thumbprint in following]
        if certifiers and not remaining:
            return words.CA_GONE
        was = compromised_since(*(ca.history for ca in certifiers))
        return words.CA_COMPROMISED if _worse(was, compromised_since(*(ca.history for ca in remaining))) else None

    def _statuses(self, issuer: IssuerEntry) -> Iterator[Consequence]:
        after = self._after
        following = {} if after is None else {key.thumbprint: key for key in after.status_keys}
        moments = self._moments(issuer, *(() if after is None else (after,)))
        # Lists verify by key alone: an issuer that was suspended still says what became of its certificates.
        moment = first_loss(
            moments,
            lambda t: any(_sound(key, t) for key in issuer.status_keys) and _anchored(self._was),
            lambda t: any(_sound(key, t) for key in following.values()) and _anchored(self._now),
        )
        place = f"attests/{issuer.id}/status_keys"
        if moment is not None:
            certificates, known = self._found.count([issuer.id], [None])
            when = self._found.begins(moment)
            yield self._about(
                ConsequenceKind.STATUS_UNVERIFIABLE,
                place,
                when,
                words.status_lost(issuer, when, words.counted(certificates, known=known)),
                certificates=certificates,
                certificates_known=known,
            )
            return
        for key in issuer.status_keys:
            successor = following.get(key.thumbprint)
            moment = first_loss(moments, partial(_sound, key), partial(_sound, successor))
            if moment is not None:
                when = self._found.begins(moment)
                text = words.status_key_ends(issuer, when)
                entry = f"{place}/status:{key.thumbprint[:16]}"
                yield self._about(ConsequenceKind.STATUS_KEY_ENDS, entry, when, text)

    def _issuing(self) -> Iterator[Consequence]:
        """Which types the issuer can no longer, or newly, issue."""
        before, after = self._before, self._after
        entries = [each for each in (before, after) if each is not None]
        moments = self._moments(*entries)
        types = sorted({grant.type_id for each in entries for grant in each.grants})
        for ends in (True, False):
            first, second = (before, after) if ends else (after, before)
            changed: dict[datetime, list[TypeId]] = defaultdict(list)
            for type_id in types:
                moment = first_loss(
                    moments,
                    partial(_can_issue, first, type_id),
                    partial(_can_issue, second, type_id),
                )
                if moment is not None:
                    changed[moment].append(type_id)
            kind = ConsequenceKind.ISSUING_ENDS if ends else ConsequenceKind.ISSUING_BEGINS
            for moment, concerned in changed.items():
                when = self._found.begins(moment)
                view = self._found.before if ends else self._found.after
                issuer = entries[0]
                text = words.issuing_changes(issuer, words.type_names(view, concerned), when, ends=ends)
                yield self._about(kind, f"attests/{issuer.id}", when, text, types=tuple(concerned))

    def _moments(self, *issuers: IssuerEntry) -> list[datetime]:
        histories: list[History] = []
        others: list[datetime] = []
        for issuer in issuers:
            histories += [issuer.history, *(grant.history for grant in issuer.grants)]
            histories += [key.history for key in issuer.status_keys]
            others += [after_end(end) for key in issuer.status_keys if (end := _end(key)) is not None]
            for seal in issuer.seals:
                histories += [seal.history, seal.key.history]
                others += [seal.valid_from, after_end(seal.valid_until)]
                others += [after_end(end)] if (end := _end(seal.key)) is not None else []
        return self._found.moments(histories, others)

    def _about(
        self, kind: ConsequenceKind, entry: str, when: datetime | None, text: Names, **facts: object
    ) -> Consequence:
        issuer = self._before or self._after
        issuers = () if issuer is None else (issuer.id,)
        return Consequence(kind, self._code, entry, when, text, issuers=issuers, issuing=(self._code,), **facts)  # type: ignore[arg-type]


def _usable(issuer: IssuerEntry, seal: SealEntry, at: datetime) -> bool:
    """Whether the seal may be used at `at`, for anything."""
    return (
        _granted(issuer.history, at)
        and _granted(seal.history, at)
        and _sound(seal.key, at)
        and seal.valid_from <= at <= seal.valid_until
    )


def _can_issue(issuer: IssuerEntry | None, type_id: TypeId, at: datetime) -> bool:
    if issuer is None or not any(g.type_id == type_id and _granted(g.history, at) for g in issuer.grants):
        return False
    return any(type_id in seal.scope and _usable(issuer, seal, at) for seal in issuer.seals)


def _sound(key: KeyEntry | None, at: datetime) -> bool:
    """There, granted, and not expired."""
    if key is None:
        return False
    end = _end(key)
    return _granted(key.history, at) and (end is None or at <= end)


def _standing(key: KeyEntry | None, at: datetime) -> bool:
    return key is not None and _granted(key.history, at)


def _registered(party: RelyingPartyEntry | None, scenario: ScenarioId, at: datetime) -> bool:
    return party is not None and scenario in party.scenarios and _granted(party.history, at)


def _end(key: KeyEntry) -> datetime | None:
    try:
        return end_of_validity(key.certificate)
    except MalformedCertificate:
        return None


def _anchored(region: RegionList | None) -> bool:
    return region is not None and any(key.use is KeyUse.CA for key in region.authorities)


def certified(key: KeyEntry, authority: KeyEntry) -> bool:
    """Whether a CA's name and key are those that certified `key`; False where either can't be read."""
    try:
        leaf, ca = parse_certificate(key.certificate), parse_certificate(authority.certificate)
    except MalformedCertificate:
        return False
    return leaf.issuer_name_der == ca.subject_name_der and leaf.aki in (None, ca.ski)


def _authorities(
    found: Comparison, code: RegionCode, was: RegionList | None, now: RegionList | None
) -> Iterator[Consequence]:
    """CAs and time-stamping certificates that end."""
    following = {} if now is None else {(key.use, key.thumbprint): key for key in now.authorities}
    for key in () if was is None else was.authorities:
        successor = following.get((key.use, key.thumbprint))
        histories = (key.history, *(() if successor is None else (successor.history,)))
        moment = first_loss(
            found.moments(histories),
            partial(_standing, key),
            partial(_standing, successor),
        )
        if moment is None or was is None:
            continue
        when = found.begins(moment)
        entry = f"authorities/{key.use.value}:{key.thumbprint[:16]}"
        if key.use is KeyUse.CA:
            seals = [s for i in was.attests for s in i.seals if _usable(i, s, found.at) and certified(s.key, key)]
            text = words.ca_ends(was.names, len(seals), when)
            yield Consequence(ConsequenceKind.CA_ENDS, code, entry, when, text, issuing=(code,))
        elif key.use is KeyUse.TIMESTAMP:
            text = words.timestamps_end(was.names, when)
            yield Consequence(ConsequenceKind.TIMESTAMPS_END, code, entry, when, text, issuing=(code,))


def _parties(
    found: Comparison, code: RegionCode, was: RegionList | None, now: RegionList | None
) -> Iterator[Consequence]:
    following = {} if now is None else {party.id: party for party in now.relying_parties}
    for party in () if was is None else was.relying_parties:
        successor = following.get(party.id)
        if successor != party:
            yield from _party(found, code, party, successor)


def _party(
    found: Comparison, code: RegionCode, party: RelyingPartyEntry, successor: RelyingPartyEntry | None
) -> Iterator[Consequence]:
    histories = (party.history, *(() if successor is None else (successor.history,)))
    lost: dict[datetime, list[ScenarioId]] = defaultdict(list)
    for scenario in party.scenarios:
        moment = first_loss(
            found.moments(histories),
            partial(_registered, party, scenario),
            partial(_registered, successor, scenario),
        )
        if moment is not None:
            lost[moment].append(scenario)
    for moment, scenarios in lost.items():
        when, ended = found.begins(moment), tuple(s for s in party.scenarios if s in scenarios)
        yield Consequence(
            ConsequenceKind.RELYING_PARTY_ENDS,
            code,
            f"relying_parties/{party.id}",
            when,
            words.party_ends(party.names, when, len(ended)),
            accepting=code,
            scenarios=ended,
            relying_parties=(DependentParty(party.id, ended),),
        )
    yield from _party_keys(found, code, party, successor)


def _party_keys(
    found: Comparison, code: RegionCode, party: RelyingPartyEntry, successor: RelyingPartyEntry | None
) -> Iterator[Consequence]:
    """What a receipt key signed is doubted; what an access key signs is no longer answered."""
    following = {} if successor is None else {(key.use, key.thumbprint): key for key in successor.keys}
    parties = (DependentParty(party.id, party.scenarios),)
    for key in party.keys:
        replaced = following.get((key.use, key.thumbprint))
        entry = f"relying_parties/{party.id}/keys/{key.use.value}:{key.thumbprint[:16]}"
        if key.use is KeyUse.ACCESS:
            histories = (key.history, *(() if replaced is None else (replaced.history,)))
            moment = first_loss(found.moments(histories), partial(_standing, key), partial(_standing, replaced))
            if moment is None:
                continue
            kind, when = ConsequenceKind.REQUESTS_REFUSED, found.begins(moment)
            text = words.requests_refused(party.names, when)
        elif replaced is None or _worse(compromised_since(key.history), compromised_since(replaced.history)):
            kind, when, text = ConsequenceKind.RECEIPTS_DOUBTED, None, words.receipts_doubted(party.names)
        else:
            continue
        yield Consequence(kind, code, entry, when, text, accepting=code, relying_parties=parties)
