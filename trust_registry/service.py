"""What the console and the JSON routes ask of the registry: the verified view, proposals, signatures, publication.

Signs for nobody: lists change only by ceremony, with officers' own keys. Who may ask for what is decided at the edges.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from securesystemslib.signer import Key

from trust_registry import ceremony, countersigning
from trust_registry.audit import AuditEvent, Auditor, EventKind
from trust_registry.ceremony import pending
from trust_registry.consequences import Consequence, consequences_of_proposal
from trust_registry.core import judge_recognition
from trust_registry.differences import Change, describe_changes
from trust_registry.editing import taken_up
from trust_registry.errors import CeremonyError, FetchFailed, NotFounded, TrustMissing, UnknownList, UnknownProposal
from trust_registry.expiries import DEFAULT_HORIZON, Expiry, expiring
from trust_registry.foreign_copy import ForeignProblem
from trust_registry.keeper import KeeperHealth, TrustKeeper
from trust_registry.log.declaration import LogDeclaration, declared_log
from trust_registry.log.entries import LogEntry, read_entries
from trust_registry.log.host import Cosigning, NetworkLog
from trust_registry.log.proofs import folder_tiles
from trust_registry.matrix import Matrix, make_matrix
from trust_registry.model import RecognitionAnswer, RegionCode, RegionList, ScenarioId, TrustView, TypeId
from trust_registry.ports import CertificateCounts, Clock
from trust_registry.proposals import Draft, Proposal, read_draft
from trust_registry.publication import OnlineKeys, Publication, check_version, publish, renew, unfinished
from trust_registry.repository import Repository
from trust_registry.tuf_keys import key_name
from trust_registry.wire import list_from_json

__all__ = ["AuditState", "KeeperHealth", "RegistryService", "TrustKeeper"]
_PATIENCE: Final = timedelta(seconds=1)  # how long a page waits for the audit
_MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class OfficerGroup:
    """Who signs for one list (or, for "root", for the network): key ids with names, and how many are needed."""

    threshold: int
    officers: tuple[tuple[str, str], ...]  # (key id, name)


@dataclass(frozen=True, slots=True)
class LogState:
    """The public log as its host sees it: `entries` are the latest, newest first; `checkpoint` is the signed note."""

    declared: LogDeclaration
    size: int
    root_hash: str
    checkpoint: str
    cosigning: Cosigning | None
    entries: tuple[LogEntry, ...]


@dataclass(frozen=True, slots=True)
class AuditState:
    """The audit as far as it has come. `complete`: up to what was published last, as this process knows it."""

    events: tuple[AuditEvent, ...]
    complete: bool

    @property
    def anomalies(self) -> int:
        return sum(event.kind is EventKind.ANOMALY for event in self.events)


class RegistryService:
    """One network as this process knows it: the verified view, and, where this process hosts it, its folder."""

    def __init__(
        self,
        view: Callable[[], TrustView | None],
        now: Clock,
        repository: Repository | None = None,
        online: Callable[[], OnlineKeys] | None = None,
        *,
        refresh: Callable[[], object] | None = None,
        counts: CertificateCounts | None = None,
        health: Callable[[], KeeperHealth] | None = None,
    ) -> None:
        self._view = view
        self._now = now
        self._repository = repository
        self._online = online
        self._refresh = refresh
        self.counts = counts
        self._health = health
        self._expiries: tuple[TrustView, timedelta, datetime, tuple[Expiry, ...]] | None = None
        self._auditor = None if repository is None else Auditor(_reader(repository.folder / "public"))

    def view(self) -> TrustView:
        """The verified view. Raises: TrustMissing."""
        view = self._view()
        if view is None:
            raise TrustMissing("no trust data yet")
        return view

    def matrix(self, at: datetime | None = None) -> Matrix:
        """Who accepts what from whom at `at` (default: now). Raises: TrustMissing."""
        return make_matrix(self.view(), self._now() if at is None else at)

    def region(self, code: RegionCode) -> RegionList:
        """Raises: UnknownList, TrustMissing."""
        found = self.view().lists.get(code)
        if found is None:
            raise UnknownList(code)
        return found

    def recognition(
        self,
        issuing: RegionCode,
        type_id: TypeId,
        accepting: RegionCode,
        *,
        scenario: ScenarioId | None = None,
        at: datetime | None = None,
    ) -> RecognitionAnswer:
        """The answer, with its chain, for `at` (default: now). Raises: TrustMissing."""
        return judge_recognition(self.view(), issuing, type_id, accepting, scenario, self._now() if at is None else at)

    def proposals(self) -> tuple[Proposal, ...]:
        """What waits for signatures, oldest first; nothing where this process does not host the network."""
        if self._repository is None:
            return ()
        try:
            return pending(self._repository)
        except NotFounded:
            return ()

    def editable(self, code: RegionCode, proposal_id: str | None = None) -> RegionList:
        """An authority's list to edit: as published, or as an open proposal says it (`editing.taken_up`).

        Raises: UnknownList, UnknownProposal, ProposalOutdated, NotFounded.
        """
        repository = self._hosted()
        published = repository.list_of(code)
        if published is None:
            raise UnknownList(code)
        if proposal_id is None:
            return published
        ceremony.proposal(repository, proposal_id)
        for data in read_draft(repository, proposal_id).lists.values():
            drafted = list_from_json(data)
            if drafted.code == code:
                return taken_up(published, drafted, self._now())
        raise UnknownProposal(proposal_id)

    def propose(self, region_list: RegionList, at: datetime | None = None) -> Proposal:
        """Propose the next version of a list. `at`: the instant (UTC) by which it was edited, so that a notice counted
        from then is whole; None: now. Raises: InvalidList, HistoryRewritten, NothingProposed, NotFounded.
        """
        return ceremony.propose(self._hosted(), region_list, at or self._now())

    def differences(self, region_list: RegionList, at: datetime | None = None) -> tuple[Change, ...]:
        """What proposing this list would change; `at` as in `propose`. Raises: as `propose`."""
        old = self._hosted().list_of(region_list.code)
        base = 0 if old is None else old.version
        new = replace(region_list, version=base + 1, issued_at=(at or self._now()).replace(microsecond=0))
        check_version(old, new)
        return describe_changes(old, new)

    def draft_document(self, proposal_id: str) -> dict[str, Any]:
        """The bytes to sign. Raises: as `countersigning.draft_document`."""
        return countersigning.draft_document(self._hosted(), proposal_id)

    def add_signature(self, proposal_id: str, role: str | None, keyid: str, signature: str) -> str:
        """Keep a signature made elsewhere. Raises: as `countersigning.add_signature`."""
        return countersigning.add_signature(self._hosted(), proposal_id, role, keyid, signature)

    @property
    def can_publish(self) -> bool:
        """Whether this process holds the host's online keys."""
        return self._repository is not None and self._online is not None

    def publish(self, proposal_id: str) -> Publication | None:
        """Publish what has its signatures; None for what was published already. It may still wait for witnesses.

        Raises: UnknownProposal, ProposalOutdated, ThresholdNotReached, InvalidList, HistoryRewritten, NotFounded.
        """
        if self._online is None:
            raise CeremonyError("the host's online keys are not here")
        repository, done = self._hosted(), None
        if self.published(proposal_id) is None:
            done = publish(repository, proposal_id, self._online(), self._now())
        if self._refresh is not None:
            self._refresh()
        return done

    def published(self, proposal_id: str) -> Draft | None:
        """A proposal that was carried out, with its signatures; None where there is none of this id."""
        if self._repository is None:
            return None
        carried_out = Repository(self._repository.folder)
        carried_out.proposals = carried_out.published
        try:
            return read_draft(carried_out, proposal_id)
        except UnknownProposal:
            return None

    def consequences(self, proposal_id: str, at: datetime, view: TrustView) -> tuple[Consequence, ...]:
        """What a waiting proposal would change, the gravest first. Raises: UnknownProposal, NotFounded, InvalidList."""
        return consequences_of_proposal(self._hosted(), proposal_id, at, self.counts, view=view)

    def log(self, newest: int = 50) -> LogState | None:
        """The public log; None where the network keeps none, or this process does not host it. Raises: LogDamaged."""
        repository = self._repository
        declared = (
            None if repository is None or not repository.founded else declared_log(repository.current().root.signed)
        )
        if repository is None or declared is None:
            return None
        head = NetworkLog(repository, declared).head()
        if head is None:
            return LogState(declared, 0, "", "", None, ())
        size = head.checkpoint.size
        entries = read_entries(folder_tiles(repository.log), size, max(0, size - newest))
        return LogState(
            declared,
            size,
            head.checkpoint.root_hash.hex(),
            head.note.to_bytes().decode(errors="replace"),
            NetworkLog(repository, declared).state(head),
            tuple(entries)[::-1],
        )

    def audit(self) -> AuditState:
        """The published history, replayed and checked; only what is new is read. Empty where it is not hosted.

        Never takes long: what a long history leaves undone, `replay` and the next call go on with. Raises: FetchFailed.
        """
        if self._auditor is None or self._repository is None or not self._repository.founded:
            return AuditState((), complete=True)
        end = self._now() + _PATIENCE
        complete = self._auditor.go_on(lambda: self._now() < end, _PATIENCE.total_seconds())
        return AuditState(self._auditor.so_far, complete)

    def replay(self) -> None:
        """Replay all of the history; called in the background, at the start and after publications."""
        with suppress(FetchFailed):  # the next call sees
            while not self.audit().complete:
                pass

    def unfinished(self) -> Publication | None:
        """A publication that is decided and waits for witnesses. Raises: LogDamaged."""
        return None if self._repository is None else unfinished(self._repository)

    def carried_out(self, newest: int = 5) -> tuple[Draft, ...]:
        """The proposals that were carried out last, newest first."""
        if self._repository is None:
            return ()
        found = sorted(self._repository.published.glob("*/proposal.json"), key=lambda path: path.stat().st_mtime)
        drafts = (self.published(path.parent.name) for path in reversed(found[-newest:]))
        return tuple(draft for draft in drafts if draft is not None)

    def expiries(self, horizon: timedelta = DEFAULT_HORIZON, at: datetime | None = None) -> tuple[Expiry, ...]:
        """What runs out within `horizon` of `at`, the most pressing first; for now, as of at most a minute ago.

        Raises: TrustMissing.
        """
        view, now = self.view(), self._now()
        if at is not None:
            return expiring(view, at, horizon)
        known = self._expiries
        if known is None or known[0] is not view or known[1] != horizon or not now - _MINUTE < known[2] <= now:
            known = self._expiries = (view, horizon, now, expiring(view, now, horizon))
        return known[3]

    def foreign_problems(self) -> tuple[ForeignProblem, ...]:
        """Which lists of other networks are not there, or not as new as they could be."""
        return () if self._health is None else self._health().foreign

    def withdraw(self, proposal_id: str, code: RegionCode) -> None:
        """Take back an open proposal about the list of `code` alone. Raises: as `ceremony.withdraw`, NotFounded."""
        ceremony.withdraw(self._hosted(), proposal_id, code, self._now())

    def add_image(self, svg: bytes) -> str:
        """Keep a seal image; its digest as lists name it. Raises: ValueError when too large, NotFounded."""
        return self._hosted().add_image(svg)

    def _hosted(self) -> Repository:
        if self._repository is None:
            raise NotFounded("this process does not host the network")
        return self._repository

    def officers(self) -> Mapping[str, OfficerGroup]:
        """Who signs: by region or body code, and "root" for the network's seats. Empty where it is not hosted."""
        if self._repository is None or not self._repository.founded:
            return {}
        published = self._repository.current()
        root = published.root.signed
        seats = root.roles["root"]
        groups = {"root": OfficerGroup(seats.threshold, _named(seats.keyids, root.keys))}
        delegations = published.targets.signed.delegations
        for role in published.list_roles():
            delegated = published.targets.signed.get_delegated_role(role.name)
            keys = {} if delegations is None else delegations.keys
            groups[role.code] = OfficerGroup(delegated.threshold, _named(delegated.keyids, keys))
        return groups

    def seal_image(self, digest: str) -> bytes | None:
        """The SVG whose digest ("sha256:<hex>") a list names, if this process has it."""
        return None if self._repository is None else self._repository.image(digest)

    @property
    def public_folder(self) -> Path | None:
        """The static files to serve, where this process hosts the network."""
        return None if self._repository is None else self._repository.folder / "public"

    def renew(self) -> bool:
        """Re-sign snapshot and timestamp when due (hosts only); called in the background. Returns whether it wrote."""
        if self._repository is None or self._online is None or not self._repository.founded:
            return False
        return renew(self._repository, self._online(), self._now())


def _reader(folder: Path) -> Callable[[str], bytes]:
    """The public files by path, as an auditor elsewhere would fetch them."""

    def read(path: str) -> bytes:
        try:
            return (folder / path).read_bytes()
        except OSError as err:
            raise FetchFailed(path, "not there", missing=isinstance(err, FileNotFoundError)) from err

    return read


def _named(keyids: Iterable[str], keys: Mapping[str, Key]) -> tuple[tuple[str, str], ...]:
    return tuple((keyid, key_name(keys[keyid])) for keyid in keyids if keyid in keys)
