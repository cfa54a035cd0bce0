"""How any proposal comes into being: its draft is checked against the rules, named, stored, and shown.

Knows nothing of what is proposed (`membership`, `upkeep`, `ceremony`), and signs nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from copy import deepcopy
from datetime import datetime, timedelta
from typing import Any, Final

from tuf.api.metadata import Delegations, Metadata, Root, Targets

from trust_registry.errors import ProposalOutdated
from trust_registry.legible import legible
from trust_registry.model import Names
from trust_registry.proposal_changes import changes_of
from trust_registry.proposals import (
    Draft,
    Proposal,
    ProposalKind,
    check_rules,
    progress_of,
    read_draft,
    store_draft,
)
from trust_registry.publication import outdated, published_or_none
from trust_registry.repository import Published, Repository

ROOT_LIFE: Final = timedelta(days=2 * 365)
LIST_LIFE: Final = timedelta(days=365)


def propose_draft(  # noqa: PLR0917
    repository: Repository,
    kind: ProposalKind,
    title: Names,
    roles: Mapping[str, Metadata[Any]],
    lists: Mapping[str, bytes],
    now: datetime,
) -> Proposal:
    """Store what is proposed, in folders named after its bytes. Raises: RuleBroken, CeremonyError, InvalidList."""
    digest = hashlib.sha256(b"".join(metadata.signed_bytes for metadata in roles.values())).hexdigest()[:8]
    last, metadata = list(roles.items())[-1]
    name = kind.value if kind is ProposalKind.FOUNDING else f"{last}-v{metadata.signed.version}"
    draft = Draft(f"{name}-{digest}", kind, title, now, roles, lists)
    published = published_or_none(repository)
    check_rules(draft, published)
    proposal = summary(repository, draft, published)
    with repository.exclusive():
        store_draft(repository, draft)
    return proposal


def summary(repository: Repository, draft: Draft, published: Published | None) -> Proposal:
    """A draft as people see it. Raises: CeremonyError, InvalidList when its parts don't belong together."""
    changes, title = changes_of(repository, draft, published), Names(legible(draft.title.zh), legible(draft.title.en))
    return Proposal(draft.id, draft.kind, title, draft.proposed_at, changes, progress_of(draft, published))


def live_draft(repository: Repository, proposal_id: str) -> tuple[Draft, Published | None]:
    """A draft that nothing has overtaken, and what it builds on. Raises: UnknownProposal, ProposalOutdated."""
    draft, published = read_draft(repository, proposal_id), published_or_none(repository)
    if outdated(draft, published):
        raise ProposalOutdated("something else was published after this was proposed: propose it again")
    return draft, published


def next_root(published: Published, now: datetime) -> Root:
    """The published root, one version on and with its full life."""
    root: Root = deepcopy(published.root.signed)
    root.version += 1
    root.expires = expiry(now, ROOT_LIFE)
    return root


def next_targets(published: Published, now: datetime) -> tuple[Targets, Delegations]:
    """The published top-level targets, one version on and with its full life, and the delegations in it."""
    targets: Targets = deepcopy(published.targets.signed)
    targets.version += 1
    targets.expires = expiry(now, ROOT_LIFE)
    delegations = targets.delegations or Delegations({}, {})
    targets.delegations = delegations
    if delegations.roles is None:
        delegations.roles = {}
    return targets, delegations


def next_list(published: Published, role_name: str, now: datetime) -> dict[str, Metadata[Any]]:
    """The metadata of a list that stays as it is, one version on, for officers to sign anew; empty before its first."""
    metadata = published.roles.get(role_name)
    if metadata is None:
        return {}
    signed: Targets = deepcopy(metadata.signed)
    signed.version += 1
    signed.expires = expiry(now, LIST_LIFE)
    return {role_name: Metadata(signed)}


def expiry(now: datetime, life: timedelta) -> datetime:
    """When metadata made now ends, to the second as TUF wants it."""
    return now.replace(microsecond=0) + life
