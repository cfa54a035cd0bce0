"""Proposing and signing: what an authority's officers do with its lists, and how any proposal collects signatures.

Nothing here can change the network alone: officers sign, each with their own key; publishing checks that enough did.
Who belongs to the network is `membership`, what keeps it running `upkeep`; both are at hand here too.
Spec: TUF 1.0.33 section 6.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from securesystemslib.signer import Signature
from tuf.api.metadata import Key, Metadata, TargetFile, Targets

from keys.signer import Signer
from trust_registry.errors import InvalidList, NotAnOfficer, NothingProposed, ProposalDecided
from trust_registry.membership import admit, change_officers, change_seat, expel, found_network
from trust_registry.model import Names, RegionCode, RegionList
from trust_registry.proposal_changes import changes_of
from trust_registry.proposals import (
    Draft,
    Proposal,
    ProposalKind,
    check_rules,
    drafts,
    read_draft,
    results_for,
    set_aside,
    store_signature,
)
from trust_registry.proposing import LIST_LIFE, expiry, live_draft, propose_draft, summary
from trust_registry.publication import check_version, outdated, published_or_none
from trust_registry.repository import Published, Repository
from trust_registry.roles import ListRole
from trust_registry.staging import read_staged
from trust_registry.tuf_keys import OfficerSigner, key_id, key_name
from trust_registry.upkeep import change_log, change_online_keys, renew_list, renew_network
from trust_registry.wire import list_to_json

__all__ = [
    "admit",
    "change_log",
    "change_officers",
    "change_online_keys",
    "change_seat",
    "check_whole",
    "expel",
    "found_network",
    "is_about",
    "pending",
    "proposal",
    "propose",
    "renew_list",
    "renew_network",
    "sign",
    "signatures_by",
    "signers_of",
    "withdraw",
]


def propose(repository: Repository, region_list: RegionList, now: datetime) -> Proposal:
    """Propose the next version of an authority's list; its version and `issued_at` are set here.

    Raises: InvalidList, HistoryRewritten, UnknownList, NothingProposed, NotFounded.
    """
    published = repository.current()
    role = published.role_of(region_list.code)
    old = repository.published_list(published, role)
    if role.kind is not region_list.kind:
        raise InvalidList("kind", f"{role.code} was admitted as a {role.kind.value}")
    if old is not None and replace(region_list, version=old.version, issued_at=old.issued_at) == old:
        raise NothingProposed(f"this is what the list of {role.code} says already")
    new = replace(region_list, version=1 if old is None else old.version + 1, issued_at=now.replace(microsecond=0))
    check_version(old, new)
    data = list_to_json(new)
    metadata = published.roles.get(role.name)
    signed = Targets(
        version=1 if metadata is None else metadata.signed.version + 1,
        expires=expiry(now, LIST_LIFE),
        targets={role.target: TargetFile.from_data(role.target, data, ["sha256"])},
    )
    return propose_draft(
        repository,
        ProposalKind.LIST,
        Names(f"{new.names.zh}名录第 {new.version} 版", f"Version {new.version} of the list of {new.names.en}"),
        {role.name: Metadata(signed)},
        {role.name: data},
        now,
    )


def sign(repository: Repository, proposal_id: str, signer: Signer) -> tuple[str, ...]:
    """Sign every role of a proposal that this key may sign; returns their names. Signing again changes nothing.

    Raises: UnknownProposal, ProposalOutdated, NotAnOfficer naming those who may, CeremonyError.
    """
    draft, published = live_draft(repository, proposal_id)
    check_whole(repository, draft, published)
    made = signatures_by(draft, published, signer)
    for role, signature in made.items():
        store_signature(repository, proposal_id, role, signature)
    return tuple(made)


def signatures_by(draft: Draft, published: Published | None, signer: Signer) -> dict[str, Signature]:
    """This key's signatures over the very bytes of a draft, by role; nothing is stored.

    Raises: NotAnOfficer naming those who may sign.
    """
    keyid, made = key_id(signer.public_key), {}
    for role, metadata in draft.roles.items():
        if keyid in signers_of(draft, published, role):
            made[role] = OfficerSigner(signer).sign(metadata.signed_bytes)
    if not made:
        allowed = {key_name(key) for role in draft.roles for key in signers_of(draft, published, role).values()}
        raise NotAnOfficer(", ".join(draft.roles), sorted(allowed))
    return made


def withdraw(repository: Repository, proposal_id: str, code: RegionCode, now: datetime) -> None:
    """Take back an open proposal that is about the list of `code` alone; it stays in the record of what was withdrawn.

    Binds nobody: whoever kept its files and signatures can bring them back, so it is no revocation of a signature.
    Raises: UnknownProposal, NotAnOfficer for what others have to sign too, ProposalDecided.
    """
    with repository.exclusive():
        draft = read_draft(repository, proposal_id)
        if not is_about(draft.roles, code):
            raise NotAnOfficer(", ".join(draft.roles), [])
        staged = read_staged(repository)
        if staged is not None and staged.proposal == proposal_id:
            raise ProposalDecided(proposal_id)
        set_aside(repository, proposal_id, code, now)


def is_about(roles: Iterable[str], code: RegionCode) -> bool:
    """Whether roles are those of the list of `code` alone."""
    found = [ListRole.parse(name) for name in roles]
    return bool(found) and all(role is not None and role.code == code for role in found)


def pending(repository: Repository) -> tuple[Proposal, ...]:
    """Proposals that can still be signed or published, oldest first."""
    published = published_or_none(repository)
    waiting = (draft for draft in drafts(repository) if not outdated(draft, published))
    return tuple(summary(repository, draft, published) for draft in waiting)


def proposal(repository: Repository, proposal_id: str) -> Proposal:
    """Raises: UnknownProposal, ProposalOutdated."""
    draft, published = live_draft(repository, proposal_id)
    return summary(repository, draft, published)


def check_whole(repository: Repository, draft: Draft, published: Published | None) -> None:
    """Nobody signs for a list that is not the one shown, nor for what clients would refuse.

    Raises: CeremonyError, RuleBroken, InvalidList.
    """
    check_rules(draft, published)
    changes_of(repository, draft, published)


def signers_of(draft: Draft, published: Published | None, role: str) -> dict[str, Key]:
    """Who may sign a role of a draft, by key id."""
    known: dict[str, Key] = {}
    for result in results_for(draft, published, role):
        known |= {**result.signed, **result.unsigned}
    return known
