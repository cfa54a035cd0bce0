"""What keeps a network running without changing who belongs to it: the host's keys, the log, renewal before expiry.

Each is a proposal for those who hold the role to sign. What the host renews by itself is `publication.renew`.
Spec: TUF 1.0.33 sections 5.3.11 and 6.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from datetime import datetime
from typing import Any

from tuf.api.metadata import Metadata, Root, Targets

from trust_registry.errors import NothingProposed
from trust_registry.membership import hold_online
from trust_registry.model import Names, RegionCode
from trust_registry.proposals import Proposal, ProposalKind
from trust_registry.proposing import next_list, next_root, next_targets, propose_draft
from trust_registry.publication import OnlineKeys
from trust_registry.repository import Repository
from trust_registry.tuf_keys import LOG_FIELD


def change_online_keys(repository: Repository, online: OnlineKeys, now: datetime) -> Proposal:
    """Propose other keys for snapshot and timestamp, for instance after the old ones were stolen.

    Publish with the new keys: snapshot and timestamp are signed anew at once, and clients forget what the old keys
    signed, however high its version. Raises: NothingProposed, NotFounded, RuleBroken.
    """
    published = repository.current()
    root = next_root(published, now)
    hold_online(root, online)
    if root.roles == published.root.signed.roles:
        raise NothingProposed("these are the host's keys already")
    title = Names("更换主机的在线密钥", "Other online keys for the host")
    return propose_draft(repository, ProposalKind.ONLINE_KEYS, title, {Root.type: Metadata(root)}, {}, now)


def change_log(repository: Repository, log: Mapping[str, Any] | None, now: datetime) -> Proposal:
    """Propose another transparency log, log key, witnesses or quorum; None: no log any more.

    `log` is stored in root as it is: {"origin", "key", "witnesses", "quorum"}. Raises: NothingProposed, NotFounded.
    """
    published = repository.current()
    root = next_root(published, now)
    if root.unrecognized_fields.get(LOG_FIELD) == log:
        raise NothingProposed("this is the network's log already")
    root.unrecognized_fields.pop(LOG_FIELD, None)
    if log is not None:
        root.unrecognized_fields[LOG_FIELD] = deepcopy(dict(log))
    title = Names("更改透明日志的约定", "Another agreement on the transparency log")
    return propose_draft(repository, ProposalKind.LOG, title, {Root.type: Metadata(root)}, {}, now)


def renew_network(repository: Repository, now: datetime) -> Proposal:
    """Propose root and targets as they stand, with their full life before them; the seats sign. Raises: NotFounded."""
    published = repository.current()
    targets, _ = next_targets(published, now)
    roles: dict[str, Metadata[Any]] = {
        Root.type: Metadata(next_root(published, now)),
        Targets.type: Metadata(targets),
    }
    title = Names("延续互认网络", "Renewal of the network")
    return propose_draft(repository, ProposalKind.RENEWAL, title, roles, {}, now)


def renew_list(repository: Repository, code: RegionCode, now: datetime) -> Proposal:
    """Propose a list as it stands, with its full life before it; its officers sign.

    Raises: UnknownList, NothingProposed before its first version, NotFounded.
    """
    published = repository.current()
    roles = next_list(published, published.role_of(code).name, now)
    if not roles:
        raise NothingProposed(f"{code} has not published a list yet")
    title = Names(f"延续 {code} 的名录", f"Renewal of the list of {code}")
    return propose_draft(repository, ProposalKind.RENEWAL, title, roles, {}, now)
