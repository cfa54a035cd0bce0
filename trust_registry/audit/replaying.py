"""The replay itself: a state that each root and each snapshot moves on. Fetches by path, words by `words`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from typing import Any, Final

from securesystemslib.exceptions import Error as SigningError
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, Targets, Timestamp

from keys.errors import KeysError
from trust_registry.audit import words
from trust_registry.audit.lists import examine
from trust_registry.audit.logbook import Logbook, Read, read_logbook
from trust_registry.audit.model import Anomaly, AuditEvent, EventKind
from trust_registry.audit.reading import BAD, Bad, Reading, names_of, published_at, told
from trust_registry.departures import check_last_word, departures
from trust_registry.differences import Change
from trust_registry.errors import FetchFailed, RuleBroken, TrustDamaged
from trust_registry.instants import FIRST
from trust_registry.log.declaration import declared_log
from trust_registry.log.entries import SNAPSHOT_FIELD, LogEntry, LoggedFile, read_snapshot_field
from trust_registry.model import RegionCode, RegionList
from trust_registry.proposal_changes import describe_draft
from trust_registry.proposals import Draft, ProposalKind
from trust_registry.repository import Published
from trust_registry.roles import ListRole
from trust_registry.rules import check_delegations, check_root
from trust_registry.trusted_copy import admitted_roles
from trust_registry.tuf_keys import LOG_FIELD
from trust_registry.wire import list_from_json

_MOST_MISSING: Final = 20  # gaps in a row after which nothing more is looked for
_OF_ROOT: Final = (Snapshot.type, Timestamp.type, Targets.type)


class Replay(Reading):
    """Where a replay stands: what held last. `run` goes on to what is published now."""

    def __init__(self, read: Read) -> None:
        super().__init__(read)
        self._root: Metadata[Root] | None = None
        self._targets: Metadata[Targets] | None = None
        self._snapshot: Metadata[Snapshot] | None = None
        self._meta: dict[str, tuple[int, Mapping[str, str]]] = {}
        self._roles: dict[str, Metadata[Targets]] = {}
        self._lists: dict[RegionCode, RegionList] = {}
        self._book = Logbook()
        self._told: set[tuple[Anomaly, str]] = set()
        self._logged = False
        self._latest_root = 1

    def run(self) -> Iterator[AuditEvent]:
        """The events since the last run. Raises: FetchFailed when not even the first root can be fetched."""
        if self._root is None:
            first = self._read("metadata/1.root.json")
            yield from self._take_root(1, first)
            if self._root is None:
                return
        while self._there(f"metadata/{self._latest_root + 1}.root.json"):
            self._latest_root += 1
        yield from self._read_log()
        yield from self._snapshots()
        yield from self._roots_while(lambda _: True)
        yield from self._timestamp()

    # Roots

    @property
    def _next_root(self) -> int:
        return 1 if self._root is None else self._root.signed.version + 1

    def _advance_root(self) -> Iterator[AuditEvent]:
        version = self._next_root
        try:
            data = self._fetch(f"metadata/{version}.root.json")
        except Bad as bad:
            yield self._anomaly(bad, "root", version)
            return
        yield from self._take_root(version, data)

    def _take_root(self, version: int, data: bytes) -> Iterator[AuditEvent]:
        old = self._root
        try:
            new = self._parse(Root, data, "root", version)
            try:
                for judge in (new,) if old is None else (old, new):
                    judge.signed.verify_delegate(Root.type, new.signed_bytes, new.signatures)
            except (RepositoryError, SigningError) as err:
                raise Bad(Anomaly.NOT_SIGNED, f"root {version}", str(err)) from err
        except Bad as bad:
            yield self._anomaly(bad, "root", version)
            return
        held = new.signed.roles[Root.type]
        signed = names_of(new.signed.get_verification_result(Root.type, new.signed_bytes, new.signatures).signed)
        self._root = new
        changes = self._changes({Root.type: new}, {}, old)
        yield self._event(EventKind.ROOT, "root", version, changes, signed, held.threshold)
        try:
            check_root(new.signed)
        except RuleBroken as err:
            yield self._anomaly(Bad(Anomaly.RULE_BROKEN, f"root {version}", str(err)), "root", version)

    # The log

    def _read_log(self) -> Iterator[AuditEvent]:
        """The log of the newest root that declares one: what is published now is signed for by it."""
        declaration = self._root
        for version in range(self._next_root, self._latest_root + 1):
            try:
                newer = self._parse(Root, self._fetch(f"metadata/{version}.root.json"), "root", version)
            except Bad:
                break
            declaration = newer if LOG_FIELD in newer.signed.unrecognized_fields else declaration
        if declaration is None or LOG_FIELD not in declaration.signed.unrecognized_fields:
            return
        self._logged = True
        try:
            declared = declared_log(declaration.signed)
        except KeysError as err:
            yield self._anomaly(Bad(Anomaly.LOG_UNREADABLE, "root", str(err)), "log", 0)
            return
        if declared is not None:
            self._book = read_logbook(self._read, declared)
            for finding in self._book.findings:
                if finding not in self._told:
                    self._told.add(finding)
                    yield self._anomaly(Bad(finding[0], "log", finding[1]), "log", 0)

    # Snapshots

    def _snapshots(self) -> Iterator[AuditEvent]:
        last = max(self._announced(), *self._book.entries, 0)
        missing = 0
        # Where there is a log, what it does not hold and timestamp does not name is not published yet.
        while self._version < last or (not self._logged and self._there(f"metadata/{self._version + 1}.snapshot.json")):
            self._version += 1
            path = f"metadata/{self._version}.snapshot.json"
            try:
                data = self._fetch(path)
            except Bad as bad:
                missing += 1
                yield self._anomaly(bad, "snapshot", self._version)
                if missing >= _MOST_MISSING:
                    return
                continue
            missing = 0
            yield from self._take_snapshot(self._version, data)

    def _announced(self) -> int:
        try:
            timestamp: Metadata[Timestamp] = Metadata.from_bytes(self._read("metadata/timestamp.json"))
            return min(int(timestamp.signed.snapshot_meta.version), self._version + 1_000_000)
        except (FetchFailed, *BAD):
            return 0

    def _take_snapshot(self, version: int, data: bytes) -> Iterator[AuditEvent]:
        entry = self._book.entries.get(version)
        if entry is None:
            yield from self._roots_while(lambda _: not self._fits(data))
        else:
            logged = entry.root.version
            yield from self._roots_while(lambda root: root.signed.version < logged)
        try:
            snapshot = self._parse(Snapshot, data, "snapshot", version)
            self._at = published_at(snapshot.signed, entry)
            yield from self._check_logged(version, data, snapshot.signed, entry)
            signed = self._verified(snapshot, Snapshot.type, f"snapshot {version}")
        except Bad as bad:
            yield self._anomaly(bad, "snapshot", version)
            return
        if self._at is not None and snapshot.signed.expires < self._at:
            yield self._anomaly(Bad(Anomaly.EXPIRED, f"snapshot {version}"), "snapshot", version)
        events = list(self._contents(snapshot.signed))
        self._snapshot = snapshot
        yield from events
        if not events:
            text = words.renewed(version)
            yield AuditEvent(
                EventKind.RENEWAL, version, self._at, "snapshot", version, text, signed_by=signed, threshold=1
            )

    def _roots_while(self, needed: Callable[[Metadata[Root]], bool]) -> Iterator[AuditEvent]:
        """Go on to the next root as long as the present one will not do."""
        while self._root is not None and self._root.signed.version < self._latest_root and needed(self._root):
            before = self._next_root
            yield from self._advance_root()
            if self._next_root == before:
                return

    def _fits(self, data: bytes) -> bool:
        """Whether a snapshot and the targets that it names are signed as the present root wants."""
        try:
            snapshot: Metadata[Snapshot] = Metadata.from_bytes(data)
            self._verified(snapshot, Snapshot.type, "")
            version = snapshot.signed.meta["targets.json"].version
            if self._targets is None or version != self._targets.signed.version:
                targets: Metadata[Targets] = Metadata.from_bytes(self._read(f"metadata/{version}.targets.json"))
                self._verified(targets, Targets.type, "")
        except (Bad, *BAD):
            return False
        return True

    def _timestamp(self) -> Iterator[AuditEvent]:
        """What is published now: signed by the newest root's key, pointing at the last snapshot."""
        try:
            metadata: Metadata[Timestamp] = Metadata.from_bytes(self._fetch("metadata/timestamp.json"))
            self._verified(metadata, Timestamp.type, "timestamp")
            meta = metadata.signed.snapshot_meta
            if meta.version != self._version:
                raise Bad(Anomaly.ROLLED_BACK, "timestamp", f"snapshot {meta.version} of {self._version}")
            meta.verify_length_and_hashes(self._fetch(f"metadata/{meta.version}.snapshot.json"))
        except Bad as bad:
            problem = bad
        except RepositoryError as err:
            problem = Bad(Anomaly.ALTERED, "timestamp", str(err))
        except BAD as err:
            problem = Bad(Anomaly.UNREADABLE, "timestamp", type(err).__name__)
        else:
            return
        if (problem.anomaly, problem.detail) not in self._told:
            self._told.add((problem.anomaly, problem.detail))
            yield self._anomaly(problem, "timestamp", 0)

    def _check_logged(
        self, version: int, data: bytes, snapshot: Snapshot, entry: LogEntry | None
    ) -> Iterator[AuditEvent]:
        problems: list[tuple[Anomaly, str]] = []
        if entry is None:
            if self._logged:
                problems.append((Anomaly.NOT_LOGGED, ""))
        else:
            if entry.snapshot != LoggedFile(version, sha256(data).hexdigest()):
                problems.append((Anomaly.LOG_INCONSISTENT, "the log names other bytes"))
            try:
                said = read_snapshot_field(snapshot.unrecognized_fields.get(SNAPSHOT_FIELD))
                if said != (entry.index, entry.published_at):
                    problems.append((Anomaly.LOG_INCONSISTENT, "the snapshot says that it is another entry"))
            except KeysError as err:
                problems.append((Anomaly.LOG_INCONSISTENT, str(err)))
        for anomaly, detail in problems:
            yield self._anomaly(Bad(anomaly, f"snapshot {version}", detail), "snapshot", version)

    # What a snapshot holds

    def _contents(self, snapshot: Snapshot) -> Iterator[AuditEvent]:
        now = {name.removesuffix(".json"): told(meta) for name, meta in snapshot.meta.items()}
        order = sorted(now, key=lambda name: (name != Targets.type, name))
        for name in order:
            was = self._meta.get(name)
            if now[name] == was:
                continue
            yield from self._moved(name, was, now[name])
            yield from self._take_role(name, snapshot.meta[f"{name}.json"])
        for name in sorted(self._meta.keys() - now.keys()):
            yield from self._left(name)
        self._meta = now

    def _moved(
        self, name: str, was: tuple[int, Mapping[str, str]] | None, now: tuple[int, Mapping[str, str]]
    ) -> Iterator[AuditEvent]:
        version = now[0]
        if was is None:
            return
        if version < was[0]:
            detail = f"version {version} follows version {was[0]}"
            yield self._anomaly(Bad(Anomaly.ROLLED_BACK, name, detail), name, version)
        elif version == was[0]:
            bad = Bad(Anomaly.HISTORY_REWRITTEN, name, f"there are two different versions {version}")
            yield self._anomaly(bad, name, version)
        elif version > was[0] + 1:
            bad = Bad(Anomaly.SKIPPED, name, f"version {version} follows version {was[0]}")
            yield self._anomaly(bad, name, version)

    def _left(self, name: str) -> Iterator[AuditEvent]:
        role = ListRole.parse(name)
        if role is not None and self._targets is not None:
            delegations = self._targets.signed.delegations
            if delegations is None or name not in (delegations.roles or {}):
                self._roles.pop(name, None)
                self._lists.pop(role.code, None)
                return  # expelled, as targets say
        yield self._anomaly(Bad(Anomaly.MISSING, name, "the snapshot no longer names it"), name, 0)

    def _take_role(self, name: str, meta: MetaFile) -> Iterator[AuditEvent]:
        version = meta.version
        try:
            data = self._fetch(f"metadata/{version}.{name}.json")
            try:
                meta.verify_length_and_hashes(data)
            except RepositoryError as err:
                raise Bad(Anomaly.ALTERED, f"{name} {version}", str(err)) from err
            metadata = self._parse(Targets, data, name, version)
            if name == Targets.type:
                yield from self._take_targets(metadata)
            else:
                yield from self._take_list(name, metadata)
        except Bad as bad:
            yield self._anomaly(bad, name, version)
            return
        if self._at is not None and metadata.signed.expires < self._at:
            yield self._anomaly(Bad(Anomaly.EXPIRED, f"{name} {version}"), name, version)

    def _take_targets(self, new: Metadata[Targets]) -> Iterator[AuditEvent]:
        version = new.signed.version
        signed = self._verified(new, Targets.type, f"targets {version}")
        changes = self._changes({Targets.type: new}, {}, self._root)
        self._targets = new
        threshold = 0 if self._root is None else self._root.signed.roles[Targets.type].threshold
        yield self._event(EventKind.MEMBERSHIP, Targets.type, version, changes, signed, threshold)
        try:
            tuple(admitted_roles(new.signed))
            if self._root is not None:
                check_delegations(self._root.signed, new.signed)
        except (RuleBroken, TrustDamaged) as err:
            yield self._anomaly(Bad(Anomaly.RULE_BROKEN, f"targets {version}", str(err)), Targets.type, version)

    def _take_list(self, name: str, new: Metadata[Targets]) -> Iterator[AuditEvent]:
        version, role = new.signed.version, ListRole.parse(name)
        if role is None or self._targets is None:
            raise Bad(Anomaly.RULE_BROKEN, name, "no authority has this role")
        self._check_last_word(name, version)
        signed = self._verified(new, name, f"{name} {version}")
        target = new.signed.targets.get(role.target)
        if target is None or set(new.signed.targets) != {role.target}:
            raise Bad(Anomaly.RULE_BROKEN, f"{name} {version}", f"it must name {role.target} and nothing else")
        digest = target.hashes.get("sha256", "")
        folder, _, last = role.target.rpartition("/")
        data = self._fetch(f"targets/{folder}/{digest}.{last}")
        try:
            target.verify_length_and_hashes(data)
        except RepositoryError as err:
            raise Bad(Anomaly.ALTERED, f"{name} {version}", str(err)) from err
        try:
            found = list_from_json(data)
        except BAD as err:
            raise Bad(Anomaly.INVALID_LIST, f"{name} {version}", str(err)) from err
        if found.code != role.code or found.kind is not role.kind:
            raise Bad(Anomaly.RULE_BROKEN, f"{name} {version}", "this is the list of another authority")
        changes = self._changes({name: new}, {name: data}, self._root)
        old = self._lists.get(role.code)
        self._roles[name], self._lists[role.code] = new, found
        threshold = self._targets.signed.get_delegated_role(name).threshold
        yield self._event(EventKind.LIST, name, version, changes, signed, threshold, role.code)
        if old is None or old != found:
            for anomaly, entry, detail in examine(old, found, self._at):
                bad = Bad(anomaly, f"{name} {version}", f"{entry}: {detail}" if entry else detail)
                yield self._anomaly(bad, name, version, entry)

    def _check_last_word(self, name: str, version: int) -> None:
        """Raises: Bad when an authority speaks that has left."""
        try:
            departure = None if self._targets is None else departures(self._targets.signed).get(name)
            if departure is not None:
                check_last_word(name, departure, version)
        except RuleBroken as err:
            raise Bad(Anomaly.RULE_BROKEN, f"{name} {version}", str(err)) from err

    def _verified(self, metadata: Metadata[Any], role: str, what: str) -> tuple[str, ...]:
        """The names of those who signed. Raises: Bad below the threshold."""
        delegator: Any = self._root if role in _OF_ROOT else self._targets
        try:
            result = delegator.signed.get_verification_result(role, metadata.signed_bytes, metadata.signatures)
        except BAD as err:
            raise Bad(Anomaly.NOT_SIGNED, what, "nobody may sign for it") from err
        if not result:
            raise Bad(Anomaly.NOT_SIGNED, what, f"{len(result.signed)} of {result.threshold} signatures")
        return names_of(result.signed)

    def _changes(
        self, roles: Mapping[str, Metadata[Any]], lists: Mapping[str, bytes], root: Metadata[Root] | None
    ) -> tuple[Change, ...]:
        kind = ProposalKind.FOUNDING if self._targets is None else ProposalKind.LIST
        draft = Draft("audit", kind, words.published("", 0), FIRST, roles, lists)
        published: Any = None
        if root is not None and self._targets is not None:
            published = Published(root, None, None, self._targets, self._roles)  # type: ignore[arg-type]
        try:
            return describe_draft(draft, published, lambda role: self._lists.get(role.code))
        except BAD:
            return ()

    def _event(  # noqa: PLR0917
        self,
        kind: EventKind,
        role: str,
        version: int,
        changes: tuple[Change, ...],
        signed: tuple[str, ...],
        threshold: int,
        region: RegionCode | None = None,
    ) -> AuditEvent:
        text = words.published(role, version)
        return AuditEvent(kind, self._version, self._at, role, version, text, region, changes, signed, threshold)
