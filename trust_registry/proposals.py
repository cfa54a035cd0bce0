"""Proposals: metadata that waits for signatures, in a folder that can be carried to an officer's own machine.

Keeps files and counts signatures; what may be proposed is decided in `ceremony`, `membership` and `upkeep`.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any

from securesystemslib.signer import Key, Signature
from tuf.api.metadata import Metadata, Root, Targets, VerificationResult

from trust_registry.differences import Change
from trust_registry.durable import sync_path, write_durably
from trust_registry.errors import UnknownProposal
from trust_registry.model import Names
from trust_registry.repository import Published, Repository
from trust_registry.rules import check_delegations, check_root
from trust_registry.tuf_keys import key_name


class ProposalKind(Enum):
    FOUNDING = "founding"
    ADMISSION = "admission"
    EXPULSION = "expulsion"
    SEAT = "seat"
    OFFICERS = "officers"
    ONLINE_KEYS = "online_keys"
    LOG = "log"
    RENEWAL = "renewal"
    LIST = "list"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one role's signatures have come: names of those who signed and of those who still can."""

    role: str
    threshold: int
    signed: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def reached(self) -> bool:
        return len(self.signed) >= self.threshold

    @property
    def needed(self) -> int:
        """How many signatures are still needed."""
        return max(0, self.threshold - len(self.signed))


@dataclass(frozen=True, slots=True)
class Proposal:
    """Something that waits for signatures, with what it would change."""

    id: str
    kind: ProposalKind
    title: Names
    proposed_at: datetime
    changes: tuple[Change, ...]
    progress: tuple[Progress, ...]

    @property
    def ready(self) -> bool:
        """Whether every role has its threshold of signatures."""
        return all(each.reached for each in self.progress)


@dataclass(frozen=True, slots=True)
class Draft:
    """The files of a proposal: metadata by role (signatures so far included), lists by role."""

    id: str
    kind: ProposalKind
    title: Names
    proposed_at: datetime
    roles: Mapping[str, Metadata[Any]]
    lists: Mapping[str, bytes]


def store_draft(repository: Repository, draft: Draft) -> None:
    """Write a draft's files; `proposal.json` last, since it is what makes it one."""
    folder = repository.proposals / draft.id
    for role, metadata in draft.roles.items():
        write_durably(folder / "roles" / f"{role}.json", metadata.to_bytes())
    for role, data in draft.lists.items():
        write_durably(folder / "lists" / f"{role}.json", data)
    document = {
        "id": draft.id,
        "kind": draft.kind.value,
        "title": _names(draft.title),
        "proposed_at": draft.proposed_at.isoformat(),
        "roles": sorted(draft.roles),
        "lists": sorted(draft.lists),
    }
    write_durably(folder / "proposal.json", json.dumps(document, ensure_ascii=False, indent=1).encode())


def read_draft(repository: Repository, proposal_id: str) -> Draft:
    """Raises: UnknownProposal."""
    folder = repository.proposals / proposal_id
    if folder.parent != repository.proposals or not (folder / "proposal.json").is_file():
        raise UnknownProposal(proposal_id)
    document = json.loads((folder / "proposal.json").read_bytes())
    roles: dict[str, Metadata[Any]] = {}
    for role in document["roles"]:
        metadata: Metadata[Any] = Metadata.from_file(str(folder / "roles" / f"{role}.json"))
        for path in sorted((folder / "signatures").glob(f"{role}.*.json")):
            signature = Signature.from_dict(json.loads(path.read_bytes()))
            metadata.signatures[signature.keyid] = signature
        roles[role] = metadata
    return Draft(
        document["id"],
        ProposalKind(document["kind"]),
        Names(**document["title"]),
        datetime.fromisoformat(document["proposed_at"]),
        roles,
        {role: (folder / "lists" / f"{role}.json").read_bytes() for role in document["lists"]},
    )


def store_signature(repository: Repository, proposal_id: str, role: str, signature: Signature) -> None:
    """Add one signature; files never collide, so officers can sign at the same time."""
    path = repository.proposals / proposal_id / "signatures" / f"{role}.{signature.keyid}.json"
    write_durably(path, json.dumps(signature.to_dict()).encode())


def retire(repository: Repository, proposal_id: str) -> None:
    """Move a proposal that was carried out, with its signatures, to the record of what was published."""
    repository.published.mkdir(parents=True, exist_ok=True)
    goal = repository.published / proposal_id
    if goal.exists():
        shutil.rmtree(goal)
    (repository.proposals / proposal_id).replace(goal)
    sync_path(repository.published)
    sync_path(repository.proposals)


def set_aside(repository: Repository, proposal_id: str, by: str, at: datetime) -> None:
    """Move a proposal that nobody wants any more, with its signatures, to the record of what was withdrawn."""
    document = {"by": by, "at": at.isoformat()}
    write_durably(repository.proposals / proposal_id / "withdrawn.json", json.dumps(document).encode())
    repository.withdrawn.mkdir(parents=True, exist_ok=True)
    goal = repository.withdrawn / f"{proposal_id}-{at:%Y%m%dT%H%M%SZ}"
    if goal.exists():
        shutil.rmtree(goal)
    (repository.proposals / proposal_id).replace(goal)
    sync_path(repository.withdrawn)
    sync_path(repository.proposals)


def drafts(repository: Repository) -> tuple[Draft, ...]:
    """All drafts in the folder, oldest first."""
    folders: Sequence[Path] = sorted(repository.proposals.glob("*/proposal.json"))
    found = []
    for path in folders:
        with suppress(UnknownProposal, FileNotFoundError):  # carried out or withdrawn meanwhile
            found.append(read_draft(repository, path.parent.name))
    return tuple(sorted(found, key=lambda draft: draft.proposed_at))


def results_for(draft: Draft, published: Published | None, role: str) -> tuple[VerificationResult, ...]:
    """The thresholds that a role of the draft must meet, each with who signed and who did not.

    A new root needs those of the old root and, where its seats differ, its own; the rest is judged by who will delegate
    to it: targets by the new root, an authority's list by the new targets.
    """
    metadata = draft.roles[role]
    payload, signatures = metadata.signed_bytes, metadata.signatures
    proposed_root = draft.roles.get(Root.type)
    root: Root | None = proposed_root.signed if proposed_root else published.root.signed if published else None
    if root is None:
        raise UnknownProposal(draft.id)
    if role == Root.type:
        previous = None if published is None else published.root.signed
        both = root.get_root_verification_result(previous, payload, signatures)
        same = previous is None or previous.roles[role] == root.roles[role]
        return (both.first,) if same else (both.first, both.second)
    if role == Targets.type:
        return (root.get_verification_result(role, payload, signatures),)
    proposed_targets = draft.roles.get(Targets.type)
    delegator = proposed_targets if proposed_targets is not None else None if published is None else published.targets
    if delegator is None:
        raise UnknownProposal(draft.id)
    return (delegator.signed.get_verification_result(role, payload, signatures),)


def check_rules(draft: Draft, published: Published | None) -> None:
    """Whether the network that a draft makes obeys the rules that clients demand. Raises: RuleBroken."""
    if Root.type not in draft.roles and Targets.type not in draft.roles:
        return
    root = draft.roles.get(Root.type) or (None if published is None else published.root)
    targets = draft.roles.get(Targets.type) or (None if published is None else published.targets)
    if root is None or targets is None:
        raise UnknownProposal(draft.id)
    check_root(root.signed)
    check_delegations(root.signed, targets.signed)


def progress_of(draft: Draft, published: Published | None) -> tuple[Progress, ...]:
    """How far each role of the draft has come."""
    return tuple(
        Progress(role, result.threshold, _sorted_names(result.signed), _sorted_names(result.unsigned))
        for role in draft.roles
        for result in results_for(draft, published, role)
    )


def _sorted_names(keys: Mapping[str, Key]) -> tuple[str, ...]:
    return tuple(sorted(key_name(key) for key in keys.values()))


def _names(names: Names) -> dict[str, str]:
    return {"zh": names.zh, "en": names.en}
