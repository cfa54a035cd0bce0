"""Lists of other networks kept beside the trust copy, as fetched, and believed again as far as the view in hand says.

    foreign/<naming>+<code>.json   which documents hold, from where, when they were fetched
    foreign/<sha256>.list          the documents: a list, or a pivot that leads to it

What can't be fetched or must not be believed leaves the older good list in place, and is a problem with a name. A list
past its `next_update` is no problem: its age is a fact of the list.
"""

from __future__ import annotations

import copy
import hashlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from trust_registry.core.foreign import expected_territory, is_list_of_lists
from trust_registry.durable import write_durably
from trust_registry.errors import FetchFailed, InvalidForeignList
from trust_registry.interchange.dcc import read_dcc
from trust_registry.interchange.lote_reading import read_lote
from trust_registry.interchange.lotl import national_lists, open_lotl
from trust_registry.interchange.tsl_reading import read_tsl
from trust_registry.model import (
    EntryStatus,
    ForeignFormat,
    ForeignList,
    ForeignListEntry,
    RegionCode,
    RegionList,
    TrustView,
)
from trust_registry.ports import Fetch

FORMAT: Final = "yinxin-foreign/1"
_Name = tuple[RegionCode, RegionCode]
_MAX_REMEMBERED: Final = 512


@dataclass(frozen=True, slots=True)
class ForeignProblem:
    """Why the list `code` that `naming` names is not there, or not as new as it could be."""

    naming: RegionCode
    code: RegionCode
    reason: str


@dataclass(frozen=True, slots=True)
class ForeignLists:
    """What is believed, by who names it and as what, and what is wrong with the rest."""

    lists: Mapping[_Name, ForeignList]
    problems: tuple[ForeignProblem, ...]


@dataclass(frozen=True, slots=True)
class _Source:
    """A list that a region reads: its own entry, or what the list of lists in its entry points to."""

    naming: RegionCode
    code: RegionCode
    format: ForeignFormat
    location: str
    signers: tuple[bytes, ...]
    reads: bool = True  # not any more when the entry is withdrawn: the copy stays for questions about the past

    @property
    def name(self) -> _Name:
        return self.naming, self.code


@dataclass(frozen=True, slots=True)
class _Kept:
    """`documents`: URL -> hex SHA-256, the list's own under its location."""

    documents: Mapping[str, str]
    fetched_at: datetime


def with_foreign(view: TrustView, lists: Mapping[_Name, ForeignList]) -> TrustView:
    """The same view with other foreign lists; its indexes do not depend on them and are not made again."""
    other = copy.copy(view)
    object.__setattr__(other, "foreign", lists)
    return other


class ForeignCopy:
    """The foreign lists of one verifier, below `folder`. One process writes it at a time; many may load it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._remembered: dict[tuple[_Source, tuple[tuple[str, str], ...]], ForeignList] = {}

    def load(self, view: TrustView, now: datetime) -> ForeignLists:
        """Everything kept that `view` still names, verified again, without a network. Never raises on what is kept."""

        return _gather(view, lambda source: self._open_kept(source, now))

    def refresh(self, view: TrustView, fetch: Fetch, now: datetime) -> ForeignLists:
        """Fetch every list that a region of `view` names and reads now. Never raises on what the other side answers."""
        problems: list[ForeignProblem] = []

        def get(source: _Source) -> ForeignList:
            try:
                older = self._open_kept(source, now)
            except InvalidForeignList:
                older = None
            if not source.reads and older is not None:
                return older
            try:
                return self._fetch(source, older, fetch, now)
            except (FetchFailed, InvalidForeignList) as err:
                if older is None:
                    raise
                problems.append(ForeignProblem(source.naming, source.code, str(err)))
                return older

        with self._lock:
            before = self._referenced()
            found = _gather(view, get)
            self._forget(before | self._referenced())
        return ForeignLists(found.lists, (*problems, *found.problems))

    def _fetch(self, source: _Source, older: ForeignList | None, fetch: Fetch, now: datetime) -> ForeignList:
        documents: dict[str, bytes] = {}

        def read(url: str) -> bytes:
            documents[url] = fetch(url)
            return documents[url]

        found = replace(_open(source, read(source.location), read), code=source.code, fetched_at=now)
        _check_successor(source, older, found)
        kept = {}
        for url, data in documents.items():
            digest = hashlib.sha256(data).hexdigest()
            kept[url] = digest
            path = self._folder / f"{digest}.list"
            if not path.exists():
                write_durably(path, data)
        facts = {"format": FORMAT, "documents": kept, "fetched_at": now.isoformat()}
        write_durably(self._facts(source), json.dumps(facts, indent=1).encode())
        return found

    def _open_kept(self, source: _Source, now: datetime) -> ForeignList:
        """What is kept, as far as the source's present signers have signed it. Raises: InvalidForeignList."""
        kept = _read_facts(self._facts(source))
        if kept is None:
            raise InvalidForeignList("list", "not fetched yet")
        identity = (source, tuple(sorted(kept.documents.items())))
        found = self._remembered.get(identity)
        if found is None:

            def read(url: str) -> bytes:
                digest = kept.documents.get(url)
                if digest is None:
                    raise InvalidForeignList("list", "the entry names another place now: not fetched yet")
                return self._document(digest)

            found = replace(_open(source, read(source.location), read), code=source.code)
            if len(self._remembered) >= _MAX_REMEMBERED:
                self._remembered.clear()
            self._remembered[identity] = found
        return replace(found, fetched_at=min(kept.fetched_at, now))

    def _document(self, digest: str) -> bytes:
        try:
            data = (self._folder / f"{digest}.list").read_bytes()
        except OSError as err:
            raise InvalidForeignList("list", "the kept document is gone") from err
        if hashlib.sha256(data).hexdigest() != digest:
            raise InvalidForeignList("list", "the kept document was altered")
        return data

    def _referenced(self) -> set[str]:
        found: set[str] = set()
        for path in self._folder.glob("*.json"):
            kept = _read_facts(path)
            found.update(() if kept is None else kept.documents.values())
        return found

    def _forget(self, needed: set[str]) -> None:
        """Drop old documents; those of the state before stay for those who are reading it."""
        for path in self._folder.glob("*.list"):
            if path.stem not in needed:
                path.unlink(missing_ok=True)

    def _facts(self, source: _Source) -> Path:
        return self._folder / f"{source.naming}+{source.code}.json"


def _read_facts(path: Path) -> _Kept | None:
    try:
        facts = json.loads(path.read_bytes())
        if facts["format"] != FORMAT:
            return None
        fetched_at = datetime.fromisoformat(facts["fetched_at"]).astimezone(UTC)
        return _Kept({str(url): str(digest) for url, digest in facts["documents"].items()}, fetched_at)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None  # a half-made copy says nothing; the list is fetched again


def _gather(view: TrustView, get: Callable[[_Source], ForeignList]) -> ForeignLists:
    """Every list that the regions of the view name, by `get`; lists of lists are followed to what is recognised."""
    lists: dict[_Name, ForeignList] = {}
    problems: list[ForeignProblem] = []

    def take(source: _Source) -> ForeignList | None:
        try:
            found = get(source)
        except (FetchFailed, InvalidForeignList) as err:
            problems.append(ForeignProblem(source.naming, source.code, str(err)))
            return None
        lists[source.name] = found
        return found

    for naming, region in view.lists.items():
        for entry in region.foreign:
            reads = entry.history[-1].status is not EntryStatus.WITHDRAWN
            found = take(_Source(naming, entry.code, entry.format, entry.location, entry.signers, reads))
            if found is not None and is_list_of_lists(found):
                for source in _pointed(region, entry, found):
                    take(replace(source, reads=reads))
    return ForeignLists(lists, tuple(problems))


def _pointed(region: RegionList, entry: ForeignListEntry, found: ForeignList) -> Iterator[_Source]:
    wanted = {recognition.issuing for recognition in region.recognises} - {each.code for each in region.foreign}
    for pointer in national_lists(found):
        code = RegionCode(f"{entry.code}-{pointer.territory}")
        if code in wanted:
            yield _Source(region.code, code, ForeignFormat.TS_119_612, pointer.location, pointer.signers)


def _open(source: _Source, data: bytes, fetch: Fetch) -> ForeignList:
    if source.format is ForeignFormat.TS_119_602:
        found = read_lote(data, source.signers)
    elif source.format is ForeignFormat.DCC:
        return read_dcc(data, signers=source.signers)
    else:
        found = _open_tsl(source, data, fetch)
    country = expected_territory(source.code)
    if country is not None and found.territory != country:
        raise InvalidForeignList("territory", f"{source.code} is named, and this is the list of {found.territory}")
    return found


def _open_tsl(source: _Source, data: bytes, fetch: Fetch) -> ForeignList:
    try:
        return read_tsl(data, source.signers)
    except InvalidForeignList as err:
        if err.field != "signature":
            raise
    # A list of lists may have pivots from the pinned signers to its own.
    return open_lotl(data, source.signers, location=source.location, fetch=fetch).found


def _check_successor(source: _Source, older: ForeignList | None, newer: ForeignList) -> None:
    """Whether `newer` may take the place of `older`. Raises: InvalidForeignList."""
    if older is None:
        return
    if newer.sequence_number < older.sequence_number:
        message = f"number {newer.sequence_number} is offered where {older.sequence_number} was believed"
        raise InvalidForeignList("sequence_number", message)
    if newer.sequence_number == older.sequence_number and _said(newer) != _said(older):
        raise InvalidForeignList("sequence_number", f"two lists under number {newer.sequence_number}")
    if newer.territory != older.territory:
        raise InvalidForeignList("territory", f"{source.code} was the list of {older.territory}")


def _said(found: ForeignList) -> ForeignList:
    """What the list says, however it was signed and whenever it was fetched."""
    return replace(found, digest="", signed_by="", fetched_at=None)
