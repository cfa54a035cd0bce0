""" "What breaks if": what changed lists would do to certificates, recognitions, scenarios and relying parties.

Pure: two views, a moment and a port that counts. Proposes nothing, refuses nothing: whether a list may be published is
`core.check_history`, and officers decide.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from tuf.api.metadata import Targets

from trust_registry.consequences.comparison import Comparison
from trust_registry.consequences.keys import key_consequences
from trust_registry.consequences.model import Consequence, ConsequenceKind
from trust_registry.consequences.recognition import recognition_consequences
from trust_registry.consequences.rules import rule_consequences
from trust_registry.departures import departures
from trust_registry.model import ListSignatures, RegionCode, RegionList, TrustView
from trust_registry.ports import CertificateCounts
from trust_registry.proposals import Draft, read_draft
from trust_registry.repository import Published, Repository
from trust_registry.roles import ListRole
from trust_registry.wire import list_from_json

__all__ = [
    "Consequence",
    "ConsequenceKind",
    "consequences",
    "consequences_of_proposal",
    "published_view",
    "view_with",
    "view_without",
]


def consequences(
    before: TrustView, after: TrustView, at: datetime, counts: CertificateCounts | None = None
) -> tuple[Consequence, ...]:
    """Everything that would be different from `at` (UTC) on, the gravest first, gains last.

    Nothing differs, nothing is said. A recognition is said to be lost or gained exactly where `judge_recognition`
    answers differently at some moment from `at` on. Never raises on content.
    """
    found = Comparison(before, after, at, counts)
    every = (*key_consequences(found), *recognition_consequences(found), *rule_consequences(found))
    return tuple(sorted(every, key=lambda c: (c.kind.rank, -(c.certificates or 0), c.when or at, c.region, c.entry)))


def view_with(view: TrustView, *lists: RegionList) -> TrustView:
    """The view as it would be with these lists in the place of those of the same authorities."""
    return replace(view, lists={**view.lists, **{each.code: each for each in lists}})


def view_without(view: TrustView, *codes: RegionCode) -> TrustView:
    """The view as it would be after these authorities were expelled."""
    return replace(view, lists={code: each for code, each in view.lists.items() if code not in codes})


def published_view(repository: Repository, at: datetime) -> TrustView:
    """The host's own published lists as a view, for looking ahead only: verifiers verify, this does not.

    Raises: NotFounded, InvalidList.
    """
    published = repository.current()
    lists: dict[RegionCode, RegionList] = {}
    for role in published.list_roles():
        found = repository.published_list(published, role)
        if found is not None:
            lists[role.code] = found
    signatures: dict[RegionCode, ListSignatures] = {}
    expiries = {name: metadata.signed.expires for name, metadata in published.roles.items()}
    expiries |= {"root": published.root.signed.expires, "targets": published.targets.signed.expires}
    return TrustView(lists, signatures, {}, at, min(expiries.values()), expiries)


def consequences_of_proposal(
    repository: Repository,
    proposal_id: str,
    at: datetime,
    counts: CertificateCounts | None = None,
    *,
    view: TrustView | None = None,
) -> tuple[Consequence, ...]:
    """What a waiting proposal would change: its lists put in place, whoever it expels left out.

    `view`: the verified view to start from, with its foreign lists; without one, what the host has published. Before
    the founding there is nothing that could break. Raises: UnknownProposal, NotFounded, InvalidList.
    """
    draft = read_draft(repository, proposal_id)
    if not repository.founded:
        return ()
    before = published_view(repository, at) if view is None else view
    expelled = _expelled(draft, repository.current())
    proposed = [list_from_json(data) for data in draft.lists.values()]
    return consequences(before, view_without(view_with(before, *proposed), *expelled), at, counts)


def _expelled(draft: Draft, published: Published) -> tuple[RegionCode, ...]:
    metadata: Any = draft.roles.get(Targets.type)
    if metadata is None:
        return ()
    delegations = metadata.signed.delegations
    roles = {} if delegations is None or delegations.roles is None else delegations.roles
    names = roles.keys() - departures(metadata.signed).keys()
    codes = {role.code for role in map(ListRole.parse, names) if role is not None}
    return tuple(role.code for role in published.list_roles() if role.code not in codes)
