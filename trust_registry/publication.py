"""Publishing what officers have signed, and renewing what the host signs: new files first, timestamp.json last.

Proposes nothing and signs only with the host's online keys (snapshot, timestamp): they can delay, not forge.
Spec: TUF 1.0.33 section 6.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, Targets, Timestamp

from keys.signer import Signer
from trust_registry.catalogue import check_schema
from trust_registry.core import check_history, check_list
from trust_registry.durable import write_durably
from trust_registry.errors import InvalidList, ProposalOutdated, ThresholdNotReached
from trust_registry.listed_certificates import check_certificates
from trust_registry.model import RegionList
from trust_registry.proposals import Draft, ProposalKind, progress_of, read_draft, retire
from trust_registry.repository import Published, Repository
from trust_registry.roles import ListRole
from trust_registry.tuf_keys import OfficerSigner
from trust_registry.wire import list_from_json

SNAPSHOT_LIFE: Final = timedelta(days=30)
TIMESTAMP_LIFE: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class OnlineKeys:
    """The host's keys: they can delay what is published, not forge it."""

    snapshot: Signer
    timestamp: Signer


def publish(repository: Repository, proposal_id: str, online: OnlineKeys, now: datetime) -> None:
    """Carry out a proposal that has its signatures: new files first, timestamp.json last.

    Raises: UnknownProposal, ProposalOutdated, ThresholdNotReached, InvalidList, HistoryRewritten.
    """
    with repository.exclusive():
        draft = read_draft(repository, proposal_id)
        published = published_or_none(repository)
        if outdated(draft, published):
            raise ProposalOutdated("something else was published after this was proposed: propose it again")
        for progress in progress_of(draft, published):
            if not progress.reached:
                raise ThresholdNotReached(progress.role, progress.threshold, progress.signed, progress.missing)
        for role_name, data in draft.lists.items():
            _publish_target(repository, published, draft, role_name, data)
        changed: dict[str, bytes] = {}
        for role_name, metadata in draft.roles.items():
            encoded = metadata.to_bytes()
            repository.write_metadata(role_name, metadata.signed.version, encoded)
            if role_name != Root.type:
                changed[role_name] = encoded
        versions = {role_name: draft.roles[role_name].signed.version for role_name in changed}
        _publish_snapshot(repository, published, changed, versions, online, now)
        retire(repository, proposal_id)


def renew(repository: Repository, online: OnlineKeys, now: datetime) -> bool:
    """Re-sign what the host signs when more than a third of its life is over; returns whether anything was written.

    Nothing that officers sign changes. Raises: NotFounded.
    """
    with repository.exclusive():
        published = repository.current()
        if published.snapshot.signed.expires - now <= SNAPSHOT_LIFE * 2 / 3:
            _publish_snapshot(repository, published, {}, {}, online, now)
            return True
        if published.timestamp.signed.expires - now <= TIMESTAMP_LIFE * 2 / 3:
            _publish_timestamp(repository, published, published.snapshot, online, now)
            return True
    return False


def outdated(draft: Draft, published: Published | None) -> bool:
    """Whether something else was published after this was proposed."""
    if published is None:
        return draft.kind is not ProposalKind.FOUNDING
    versions = {name: metadata.signed.version for name, metadata in published.roles.items()}
    versions |= {Root.type: published.root.signed.version, Targets.type: published.targets.signed.version}
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
) -> None:
    meta = {} if published is None else dict(published.snapshot.signed.meta)
    for role_name, data in changed.items():
        meta[f"{role_name}.json"] = MetaFile.from_data(versions[role_name], data, ["sha256"])
    version = 1 if published is None else published.snapshot.signed.version + 1
    snapshot: Metadata[Snapshot] = Metadata(Snapshot(version=version, expires=_expiry(now, SNAPSHOT_LIFE), meta=meta))
    snapshot.sign(OfficerSigner(online.snapshot))
    repository.write_metadata(Snapshot.type, version, snapshot.to_bytes())
    _publish_timestamp(repository, published, snapshot, online, now)


def _publish_timestamp(
    repository: Repository,
    published: Published | None,
    snapshot: Metadata[Snapshot],
    online: OnlineKeys,
    now: datetime,
) -> None:
    data = (repository.metadata / f"{snapshot.signed.version}.snapshot.json").read_bytes()
    timestamp: Metadata[Timestamp] = Metadata(
        Timestamp(
            version=1 if published is None else published.timestamp.signed.version + 1,
            expires=_expiry(now, TIMESTAMP_LIFE),
            snapshot_meta=MetaFile.from_data(snapshot.signed.version, data, ["sha256"]),
        )
    )
    timestamp.sign(OfficerSigner(online.timestamp))
    repository.write_metadata(Timestamp.type, None, timestamp.to_bytes())


def _expiry(now: datetime, life: timedelta) -> datetime:
    return now.replace(microsecond=0) + life
