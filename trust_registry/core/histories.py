"""What a newer list may not change: whatever decides how something signed in the past is judged, and what it may not
begin or end without notice. Compares, fetches nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final, TypeVar

from trust_registry.errors import HistoryRewritten
from trust_registry.model import (
    AcceptanceRule,
    CertificateType,
    EntryReason,
    EntryStatus,
    ForeignListEntry,
    History,
    IssuerEntry,
    KeyEntry,
    RecognitionEntry,
    RegionList,
    RelyingPartyEntry,
    SealEntry,
    StatusChange,
    TypeGrant,
)

T = TypeVar("T")

IMMEDIATE: Final = frozenset({EntryReason.KEY_COMPROMISE, EntryReason.BREACH_OF_DUTY})  # no notice before withdrawing


def check_history(old: RegionList, new: RegionList) -> None:
    """Refuse a newer list that contradicts an older one of the same authority.

    Histories only grow at their end; entries never vanish; what identifies or scopes an entry never changes; a type's
    content changes only with its version. Nothing begins or changes its status before `old.issued_at`. A recognition
    begins, is withdrawn or is cut short only after the notice period, counted from `new.issued_at`, of old and new list
    the longer; at once it is only suspended, or withdrawn for compromise or breach of duty, or called off before it
    began. A set `until` moves, never once it has passed. An acceptance rule that can refuse somebody begins, comes back
    or stays longer only after that notice, unless adopted in an emergency; it goes at once.
    Raises: HistoryRewritten naming the first offending entry.
    """
    if new.code != old.code or new.kind is not old.kind:
        raise HistoryRewritten("code", "a list can't become another authority's")
    if new.version < old.version or new.issued_at < old.issued_at:
        raise HistoryRewritten("version", f"version {new.version} is older than version {old.version}")
    if new.version == old.version:
        if new != old:
            raise HistoryRewritten("version", f"there are two different versions {old.version}")
        return
    _check_notice_period(old, new)
    comparison = _Comparison(old, new)
    compare = comparison.entries
    compare("defines", old.defines, new.defines, lambda t: t.id, _check_type)
    compare("authorities", old.authorities, new.authorities, _key_name, comparison.key)
    compare("attests", old.attests, new.attests, lambda i: i.id, comparison.issuer)
    compare("relying_parties", old.relying_parties, new.relying_parties, lambda r: r.id, comparison.relying_party)
    compare("foreign", old.foreign, new.foreign, lambda f: f.code, comparison.foreign)
    compare("recognises", old.recognises, new.recognises, lambda r: r.id, comparison.recognition)
    compare("rules", old.rules, new.rules, lambda r: r.id, comparison.rule)


def _check_notice_period(old: RegionList, new: RegionList) -> None:
    """What was announced keeps the notice it had: another period counts from a moment between the two versions."""
    if (old.notice_period, old.notice_since) == (new.notice_period, new.notice_since):
        return
    if new.notice_since is None or not old.issued_at <= new.notice_since <= new.issued_at:
        raise HistoryRewritten("notice_period", "notice_since must say from when on, between the two versions")


class _Comparison:
    """Of one version with the next. The checks take an entry's name, what it was (None: it is new), what it is."""

    def __init__(self, old: RegionList, new: RegionList) -> None:
        self._earliest = old.issued_at
        self._issued_at = new.issued_at
        self._after_notice = new.issued_at + max(old.notice_period, new.notice_period)

    def entries(
        self,
        place: str,
        old: Iterable[T],
        new: Iterable[T],
        identify: Callable[[T], str],
        check: Callable[[str, T | None, T], None],
    ) -> None:
        """Nothing vanishes; what differs or is new is checked."""
        before: Mapping[str, T] = {identify(entry): entry for entry in old}
        present: Mapping[str, T] = {identify(entry): entry for entry in new}
        for identity in before:
            if identity not in present:
                raise HistoryRewritten(f"{place}/{identity}", "the entry has vanished")
        for identity, now in present.items():
            was = before.get(identity)
            if now is not was and now != was:
                check(f"{place}/{identity}", was, now)

    def grown(self, name: str, was: History, now: History) -> tuple[StatusChange, ...]:
        """What was appended, if no more was done than that, and nothing is dated back."""
        if now[: len(was)] != was:
            raise HistoryRewritten(name, "its history was rewritten")
        if any(change.at < self._earliest for change in now[len(was) :]):
            raise HistoryRewritten(name, "its history grew in the past, before the last version was issued")
        return now[len(was) :]

    def key(self, name: str, was: KeyEntry | None, now: KeyEntry) -> None:
        _same(name, was, now, ("use", "certificate", "thumbprint"))
        self.grown(name, () if was is None else was.history, now.history)

    def issuer(self, name: str, was: IssuerEntry | None, now: IssuerEntry) -> None:
        _same(name, was, now, ("uscc", "status_list_base"))
        self.grown(name, () if was is None else was.history, now.history)
        grants, seals, keys = ((), (), ()) if was is None else (was.grants, was.seals, was.status_keys)
        self.entries(f"{name}/grants", grants, now.grants, grant_name, self.grant)
        self.entries(f"{name}/seals", seals, now.seals, lambda s: s.id, self.seal)
        self.entries(f"{name}/status_keys", keys, now.status_keys, _key_name, self.key)

    def grant(self, name: str, was: TypeGrant | None, now: TypeGrant) -> None:
        self.grown(name, () if was is None else was.history, now.history)

    def seal(self, name: str, was: SealEntry | None, now: SealEntry) -> None:
        _same(name, was, now, ("scope", "valid_from", "valid_until", "image_digest"))
        if was is not None and was.ceremony is not None and now.ceremony != was.ceremony:
            raise HistoryRewritten(name, "ceremony has changed")
        self.key(f"{name}/key", None if was is None else was.key, now.key)
        self.grown(name, () if was is None else was.history, now.history)

    def relying_party(self, name: str, was: RelyingPartyEntry | None, now: RelyingPartyEntry) -> None:
        self.entries(f"{name}/keys", () if was is None else was.keys, now.keys, _key_name, self.key)
        self.grown(name, () if was is None else was.history, now.history)

    def foreign(self, name: str, was: ForeignListEntry | None, now: ForeignListEntry) -> None:
        """Signers and equivalences may be added; to drop one, withdraw the entry and name the list anew."""
        _same(name, was, now, ("format",))
        for field in ("signers", "equivalences"):
            if was is not None and not set(getattr(was, field)) <= set(getattr(now, field)):
                raise HistoryRewritten(name, f"one of its {field} has vanished")
        self.grown(name, () if was is None else was.history, now.history)

    def recognition(self, name: str, was: RecognitionEntry | None, now: RecognitionEntry) -> None:
        if was is None:
            if now.announced_at < self._earliest:
                raise HistoryRewritten(name, "announced_at is in the past, before the last version was issued")
            self._noticed(name, "since", now.since)
            self.grown(name, (), now.history)
            return
        _same(name, was, now, _RECOGNITION)
        self._until(name, was.until, now.until)
        status = was.history[-1].status
        for change in self.grown(name, was.history, now.history):
            if change.status is EntryStatus.WITHDRAWN and change.reason not in IMMEDIATE and change.at > was.since:
                self._noticed(name, "the withdrawal", change.at)
            if change.status is EntryStatus.GRANTED and status is EntryStatus.WITHDRAWN:
                self._noticed(name, "granting it again", change.at)
            status = change.status

    def rule(self, name: str, was: AcceptanceRule | None, now: AcceptanceRule) -> None:
        """What makes it stricter needs notice: beginning, coming back, staying longer."""
        appended = self.grown(name, () if was is None else was.history, now.history)
        if was is None:
            if now.announced_at < self._earliest:
                raise HistoryRewritten(name, "announced_at is in the past, before the last version was issued")
            if now.needs_notice:
                self._noticed(name, "since", now.since)
            return
        _same(name, was, now, _RULE)
        if was.until != now.until:
            if any(until is not None and until < self._issued_at for until in (was.until, now.until)):
                raise HistoryRewritten(name, "until was moved across the past")
            longer = was.until is not None and (now.until is None or now.until > was.until)
            if longer and was.until is not None and now.needs_notice:
                self._noticed(name, "staying in force", was.until)
        for change in appended if now.needs_notice else ():
            if change.status is EntryStatus.GRANTED:
                self._noticed(name, "granting it again", change.at)

    def _until(self, name: str, was: datetime | None, now: datetime | None) -> None:
        if was == now:
            return
        if any(until is not None and until < self._issued_at for until in (was, now)):
            raise HistoryRewritten(name, "until was moved across the past")
        if now is not None and (was is None or now < was):
            self._noticed(name, "until", now)

    def _noticed(self, name: str, what: str, at: datetime) -> None:
        if at < self._after_notice:
            earliest = self._after_notice.isoformat().replace("+00:00", "Z")
            raise HistoryRewritten(name, f"{what} needs the announced notice: {earliest} at the earliest")


_RECOGNITION: Final = (
    "issuing",
    "type_id",
    "as_type",
    "scenarios",
    "since",
    "announced_at",
    "minimum_assurance",
    "claims",
)
_RULE: Final = ("applies_to", "requires", "since", "announced_at")


def grant_name(grant: TypeGrant) -> str:
    """What identifies a grant within its issuer: the type and the assurance."""
    return f"{grant.type_id}@{grant.assurance.value}"


def _key_name(key: KeyEntry) -> str:
    return f"{key.use.value}:{key.thumbprint[:16]}"


def _same(name: str, was: object, now: object, fields: Iterable[str]) -> None:
    for field in fields if was is not None else ():
        before: Any = getattr(was, field)
        if before != getattr(now, field):
            raise HistoryRewritten(name, f"{field} has changed")


def _check_type(name: str, was: CertificateType | None, now: CertificateType) -> None:
    _same(name, was, now, ("code",))
    if was is not None and now.version <= was.version:
        raise HistoryRewritten(name, "its content has changed without a new version")
