"""Publishing what officers have signed, and renewing what the host signs: old state or new, whatever happens between.

The order: files that nothing refers to yet; `publishing/publication.json`, with which the publication is decided; the
log's next entry; the witnesses' cosignatures; and last, in one step, timestamp.json (with the new root, if there is
one). What was decided is carried out: by the same call, or, after a crash or with too few witnesses, by whichever of
`publish`, `renew` and `resume` comes next. Signs only with the host's online keys, which can delay, not forge.
Spec: TUF 1.0.33 section 6.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, Targets, Timestamp

from keys.errors import MalformedEnvelope
from keys.signer import Signer
from trust_registry.catalogue import check_schema
from trust_registry.core import check_history, check_list
from trust_registry.departures import departures
from trust_registry.durable import write_durably
from trust_registry.errors import (
    CeremonyError,
    InvalidList,
    ProposalOutdated,
    ThresholdNotReached,
    UnknownProposal,
    WitnessesMissing,
)
from trust_registry.listed_certificates import check_certificates
from trust_registry.log.cosigning import Submit
from trust_registry.log.declaration import LogDeclaration, declared_log
from trust_registry.log.entries import SNAPSHOT_FIELD, LogEntry, LoggedFile, read_snapshot_field, snapshot_field
from trust_registry.log.host import Cosigning, NetworkLog
from trust_registry.model import RegionList
from trust_registry.proposals import Draft, ProposalKind, check_rules, progress_of, read_draft, retire
from trust_registry.repository import Published, Repository
from trust_registry.roles import ListRole
from trust_registry.staging import Staged, discard_staged, read_staged, stage, switch
from trust_registry.tuf_keys import OfficerSigner, key_id
from trust_registry.wire import list_from_json

SNAPSHOT_LIFE: Final = timedelta(days=30)
TIMESTAMP_LIFE: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class OnlineKeys:
    """The host's keys: they can delay what is published, not forge it.

    `log` signs the log's checkpoints; `witnesses` says, by name, how to ask each witness that is reachable from here.
    """

    snapshot: Signer
    timestamp: Signer
    log: Signer | None = None
    witnesses: Mapping[str, Submit] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Publication:
    """How far a publication has come: in force, or decided and waiting for witnesses.

    `proposal`: None for a renewal. `cosigning`: None in a network without a log.
    """

    proposal: str | None
    snapshot_version: int
    in_force: bool
    cosigning: Cosigning | None


def publish(repository: Repository, proposal_id: str, online: OnlineKeys, now: datetime) -> Publication:
    """Carry out a proposal that has its signatures. What comes back says whether witnesses are still missing: then it
    is decided, and finished by the next `publish`, `renew` or `resume`.

    Raises: UnknownProposal, ProposalOutdated, ThresholdNotReached, InvalidList, HistoryRewritten, WitnessesMissing (for
    the publication before this one), LogDamaged, CeremonyError.
    """
    with repository.exclusive():
        before = _resume(repository, online, now)
        if before is not None and before.proposal == proposal_id:
            return before
        if before is not None and not before.in_force:
            raise _waiting(before)
        draft = read_draft(repository, proposal_id)
        published = published_or_none(repository)
        if outdated(draft, published):
            raise ProposalOutdated("something else was published after this was proposed: propose it again")
        for progress in progress_of(draft, published):
            if not progress.reached:
                raise ThresholdNotReached(progress.role, progress.threshold, progress.signed, progress.missing)
        check_rules(draft, published)
        if Root.type in draft.roles:
            _check_online(draft.roles[Root.type].signed, online)
        for role_name, data in draft.lists.items():
            _publish_target(repository, published, draft, role_name, data)
        changed: dict[str, bytes] = {}
        for role_name, metadata in draft.roles.items():
            if role_name != Root.type:
                changed[role_name] = metadata.to_bytes()
                repository.write_metadata(role_name, metadata.signed.version, changed[role_name])
        versions = {role_name: draft.roles[role_name].signed.version for role_name in changed}
        root: Metadata[Root] | None = draft.roles.get(Root.type)
        _stage(repository, published, changed, versions, online, now, root=root, proposal=proposal_id)
        return _carry_on(repository, online, now)


def renew(repository: Repository, online: OnlineKeys, now: datetime) -> bool:
    """Finish what waits, and re-sign what the host signs when more than a third of its life is over; whether anything
    was written.

    Nothing that officers sign changes. Raises: NotFounded, LogDamaged, CeremonyError.
    """
    with repository.exclusive():
        before = _resume(repository, online, now)
        if before is not None and not before.in_force:
            return False
        published = repository.current()
        _check_online(published.root.signed, online)
        if published.snapshot.signed.expires - now <= SNAPSHOT_LIFE * 2 / 3:
            return _publish_snapshot(repository, published, {}, {}, online, now).in_force
        _gather(repository, published, online, now)
        if published.timestamp.signed.expires - now <= TIMESTAMP_LIFE * 2 / 3:
            switch(repository, _timestamp(repository, published.snapshot.signed.version, online, now), None)
            return True
    return before is not None


def resume(repository: Repository, online: OnlineKeys, now: datetime) -> Publication | None:
    """Finish a publication that a crash or missing witnesses left; None when there is none.

    Raises: LogDamaged, CeremonyError.
    """
    with repository.exclusive():
        return _resume(repository, online, now)


def unfinished(repository: Repository) -> Publication | None:
    """The publication that waits, as far as it had come. Asks nobody. Raises: LogDamaged."""
    staged = read_staged(repository)
    if staged is None:
        return None
    log = _log_of(_governing(repository, staged))
    network_log = None if log is None else NetworkLog(repository, log)
    head = None if network_log is None else network_log.head()
    cosigning = None if network_log is None or head is None else network_log.state(head)
    return Publication(staged.proposal, staged.snapshot_version, False, cosigning)


def outdated(draft: Draft, published: Published | None) -> bool:
    """Whether something else was published after this was proposed."""
    if published is None:
        return draft.kind is not ProposalKind.FOUNDING
    versions = {name.removesuffix(".json"): meta.version for name, meta in published.snapshot.signed.meta.items()}
    versions[Root.type] = published.root.signed.version
    delegator = draft.roles.get(Targets.type) or published.targets
    delegations = delegator.signed.delegations
    named = {Root.type, Targets.type, *((delegations and delegations.roles) or {})}
    delegated = named - departures(delegator.signed).keys()
    if not delegated.issuperset(draft.roles):  # its authority was expelled meanwhile
        return True
    return any(metadata.signed.version != versions.get(role, 0) + 1 for role, metadata in draft.roles.items())


def published_or_none(repository: Repository) -> Published | None:
    """The published state, or None before the founding."""
    return repository.current() if repository.founded else None


def check_version(old: RegionList | None, new: RegionList) -> None:
    """Whether `new` may be published after `old`. Raises: InvalidList, HistoryRewritten."""
    check_list(new)
    for index, type_ in enumerate(new.defines):
        try:
            check_schema(type_)
        except InvalidList as err:
            raise err.within(f"defines[{index}]") from err
    check_certificates(new)
    if old is not None:
        check_history(old, new)


def _publish_target(
    repository: Repository, published: Published | None, draft: Draft, role_name: str, data: bytes
) -> None:
    role = ListRole.parse(role_name)
    if role is None or published is None:
        raise ProposalOutdated("the proposal's list has no role")
    signed: Targets = draft.roles[role_name].signed
    target = signed.targets[role.target]
    target.verify_length_and_hashes(data)
    check_version(repository.published_list(published, role), list_from_json(data))
    write_durably(repository.target_path(role.target, target.hashes["sha256"]), data)


def _publish_snapshot(  # noqa: PLR0917
    repository: Repository,
    published: Published | None,
    changed: Mapping[str, bytes],
    versions: Mapping[str, int],
    online: OnlineKeys,
    now: datetime,
) -> Publication:
    _stage(repository, published, changed, versions, online, now, root=None, proposal=None)
    return _carry_on(repository, online, now)


def _stage(  # noqa: PLR0917
    repository: Repository,
    published: Published | None,
    changed: Mapping[str, bytes],
    versions: Mapping[str, int],
    online: OnlineKeys,
    now: datetime,
    *,
    root: Metadata[Root] | None,
    proposal: str | None,
) -> None:
    """Decide a publication: after this it will be carried out, whatever happens."""
    meta = {} if published is None else dict(published.snapshot.signed.meta)
    for role_name, data in changed.items():
        meta[f"{role_name}.json"] = MetaFile.from_data(versions[role_name], data, ["sha256"])
    version = 1 if published is None else published.snapshot.signed.version + 1
    snapshot: Metadata[Snapshot] = Metadata(Snapshot(version=version, expires=_expiry(now, SNAPSHOT_LIFE), meta=meta))
    new_root = None if root is None else root.to_bytes()
    governing = root if root is not None else None if published is None else published.root
    if governing is None:
        raise UnknownProposal(proposal or "")
    log = _log_of(governing.signed)
    index, published_at = 0, now.replace(microsecond=0)
    if log is not None:
        _log_key(log, online)
        index = NetworkLog(repository, log).size
        published_at = max(published_at, _last_published_at(published) or published_at)
        snapshot.signed.unrecognized_fields[SNAPSHOT_FIELD] = snapshot_field(index, published_at)
    snapshot.sign(OfficerSigner(online.snapshot))
    data = snapshot.to_bytes()
    leaf = None
    if log is not None:
        root_version = governing.signed.version
        root_data = new_root or (repository.metadata / f"{root_version}.root.json").read_bytes()
        files = LoggedFile.of(root_version, root_data), LoggedFile.of(version, data)
        leaf = LogEntry(index, published_at, *files).to_bytes()
    repository.write_metadata(Snapshot.type, version, data)
    stage(repository, Staged(proposal, version, leaf, None if root is None else root.signed.version), new_root)


def _carry_on(repository: Repository, online: OnlineKeys, now: datetime) -> Publication:
    found = _resume(repository, online, now)
    if found is None:
        raise CeremonyError("nothing is being published")
    return found


def _resume(repository: Repository, online: OnlineKeys, now: datetime) -> Publication | None:
    """Carry out what was decided; every step may have been done before."""
    staged = read_staged(repository)
    if staged is None:
        return None
    root = _governing(repository, staged)
    _check_online(root, online)
    log, cosigning = _log_of(root), None
    if log is not None and staged.leaf is not None:
        network_log = NetworkLog(repository, log)
        network_log.append(staged.leaf, _log_key(log, online))
        cosigning = network_log.cosign(online.witnesses, now)
        if not cosigning.reached:
            return Publication(staged.proposal, staged.snapshot_version, False, cosigning)
    if not repository.founded or _current_snapshot(repository) != staged.snapshot_version:
        switch(repository, _timestamp(repository, staged.snapshot_version, online, now), staged)
    if staged.proposal is not None and (repository.proposals / staged.proposal).is_dir():
        retire(repository, staged.proposal)
    discard_staged(repository)
    return Publication(staged.proposal, staged.snapshot_version, True, cosigning)


def _gather(repository: Repository, published: Published, online: OnlineKeys, now: datetime) -> None:
    """Ask the witnesses that were silent when the quorum was reached."""
    log = _log_of(published.root.signed)
    if log is not None:
        network_log = NetworkLog(repository, log)
        head = network_log.head()
        if head is not None and any(name in online.witnesses for name in network_log.state(head).missing):
            network_log.cosign(online.witnesses, now)


def _governing(repository: Repository, staged: Staged) -> Root:
    """The root under which what is staged will be in force."""
    if staged.root_version is not None:
        path = repository.publishing / f"{staged.root_version}.root.json"
        if path.is_file():  # else it was moved already, by the step that put it in force
            return Metadata[Root].from_bytes(path.read_bytes()).signed
    return repository.latest_root().signed


def _check_online(root: Root, online: OnlineKeys) -> None:
    """Nothing is signed with keys that clients would not accept. Raises: CeremonyError."""
    for name, signer in ((Snapshot.type, online.snapshot), (Timestamp.type, online.timestamp)):
        if key_id(signer.public_key) not in root.roles[name].keyids:
            raise CeremonyError(f"the host's {name} key here is not the one that root names")


def _log_key(log: LogDeclaration, online: OnlineKeys) -> Signer:
    if online.log is None or online.log.public_key != log.key.public_key:
        raise CeremonyError("the log's key that root announces is not here")
    return online.log


def _log_of(root: Root) -> LogDeclaration | None:
    try:
        return declared_log(root)
    except MalformedEnvelope as err:
        raise CeremonyError(f"root announces a log that can't be: {err}") from err


def _last_published_at(published: Published | None) -> datetime | None:
    value = None if published is None else published.snapshot.signed.unrecognized_fields.get(SNAPSHOT_FIELD)
    return None if value is None else read_snapshot_field(value)[1]


def _current_snapshot(repository: Repository) -> int:
    timestamp: Metadata[Timestamp] = Metadata.from_file(str(repository.metadata / "timestamp.json"))
    version: int = timestamp.signed.snapshot_meta.version
    return version


def _timestamp(repository: Repository, snapshot_version: int, online: OnlineKeys, now: datetime) -> bytes:
    data = (repository.metadata / f"{snapshot_version}.snapshot.json").read_bytes()
    version = 1
    if repository.founded:
        before: Metadata[Timestamp] = Metadata.from_file(str(repository.metadata / "timestamp.json"))
        version = before.signed.version + 1
    timestamp: Metadata[Timestamp] = Metadata(
        Timestamp(
            version=version,
            expires=_expiry(now, TIMESTAMP_LIFE),
            snapshot_meta=MetaFile.from_data(snapshot_version, data, ["sha256"]),
        )
    )
    timestamp.sign(OfficerSigner(online.timestamp))
    return timestamp.to_bytes()


def _waiting(found: Publication) -> WitnessesMissing:
    cosigning = found.cosigning
    if cosigning is None:  # without a log nothing waits
        raise CeremonyError("the publication before this one is not in force")
    return WitnessesMissing(cosigning.wanted, [f"{name} ({why})" for name, why in cosigning.missing.items()])


def _expiry(now: datetime, life: timedelta) -> datetime:
    return now.replace(microsecond=0) + life
