"""A verifier's own copy as the base of a proposal: what an officer compares a draft with, whatever the host shows.

Reads what `client` verified; fetches nothing and judges no draft.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tuf.api.metadata import Metadata, Root, Snapshot, Targets, Timestamp

from trust_registry.ceremony import signatures_by
from trust_registry.client import TrustStore
from trust_registry.differences import Change
from trust_registry.errors import ProposalOutdated
from trust_registry.proposal_changes import PublishedLists, describe_draft
from trust_registry.proposals import Draft, Progress, check_rules, progress_of
from trust_registry.publication import outdated
from trust_registry.repository import Published

__all__ = ["Base", "base_of", "judge_draft", "signatures_by"]


@dataclass(frozen=True, slots=True)
class Base:
    """What a draft builds on; nothing before the founding."""

    published: Published | None
    lists: PublishedLists


def base_of(store: TrustStore, now: datetime) -> Base:
    """What this copy says is published. Raises: TrustMissing, TrustDamaged."""
    view, folder = store.load(now), store.metadata_folder

    def read(role: str) -> Metadata[Any]:
        return Metadata.from_file(str(folder / f"{role}.json"))

    snapshot: Metadata[Snapshot] = read(Snapshot.type)
    root: Metadata[Root] = read(Root.type)
    timestamp: Metadata[Timestamp] = read(Timestamp.type)
    targets: Metadata[Targets] = read(Targets.type)
    named = [name.removesuffix(".json") for name in snapshot.signed.meta if name != "targets.json"]
    roles = {name: read(name) for name in named if (folder / f"{name}.json").is_file()}
    return Base(Published(root, timestamp, snapshot, targets, roles), lambda role: view.lists.get(role.code))


def judge_draft(draft: Draft, base: Base) -> tuple[tuple[Change, ...], tuple[Progress, ...]]:
    """What a draft from elsewhere would change, told from its own bytes, and how far its signatures have come.

    Raises: ProposalOutdated when it does not build on `base`, RuleBroken, CeremonyError, InvalidList.
    """
    if outdated(draft, base.published):
        raise ProposalOutdated("the proposal does not build on what this copy says is published: refresh the copy")
    check_rules(draft, base.published)
    return describe_draft(draft, base.published, base.lists), progress_of(draft, base.published)
