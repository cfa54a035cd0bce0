"""Signing a proposal from afar: what an officer's own machine is handed, and signatures made there, checked and kept.

Makes no signature: that is `ceremony.signatures_by`, on the officer's machine, or the officer's browser. Believes
nothing of what it is handed: the difference is computed anew from the bytes (`proposal_changes.describe_draft`).
"""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, TypeGuard

from securesystemslib.exceptions import UnverifiedSignatureError, VerificationError
from securesystemslib.signer import Key, Signature
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, Root, Targets

from trust_registry.ceremony import check_whole, signers_of
from trust_registry.errors import CeremonyError, NotAnOfficer, SignatureRefused
from trust_registry.model import Names
from trust_registry.proposals import Draft, ProposalKind, store_signature
from trust_registry.proposing import live_draft
from trust_registry.repository import Repository
from trust_registry.roles import ListRole
from trust_registry.tuf_keys import key_name

LONGEST_SIGNATURE: Final = 2048  # hexadecimal digits
MOST_ROLES: Final = 8


def draft_document(repository: Repository, proposal_id: str) -> dict[str, Any]:
    """What an officer needs to sign elsewhere.

    `metadata` and `lists`: the draft's files, base64 by role, from which `read_document` makes the draft again.
    `signed`: the very bytes to sign, base64 by role; `roles`: their SHA-256, version, and who may sign and who has.
    Raises: UnknownProposal, ProposalOutdated, CeremonyError.
    """
    draft, published = live_draft(repository, proposal_id)
    check_whole(repository, draft, published)
    roles = {}
    for role, metadata in draft.roles.items():
        signers = signers_of(draft, published, role)
        roles[role] = {
            "sha256": hashlib.sha256(metadata.signed_bytes).hexdigest(),
            "version": metadata.signed.version,
            "signers": [{"keyid": keyid, "name": key_name(key)} for keyid, key in sorted(signers.items())],
            "signed_by": sorted(keyid for keyid in metadata.signatures if keyid in signers),
        }
    return {
        "id": draft.id,
        "kind": draft.kind.value,
        "title": {"zh": draft.title.zh, "en": draft.title.en},
        "proposed_at": draft.proposed_at.isoformat(),
        "roles": roles,
        "signed": {role: _base64(metadata.signed_bytes) for role, metadata in draft.roles.items()},
        "metadata": {role: _base64(metadata.to_bytes()) for role, metadata in draft.roles.items()},
        "lists": {role: _base64(data) for role, data in draft.lists.items()},
    }


def read_document(document: object) -> Draft:
    """The draft in what `draft_document` made, however hostile the host. Raises: CeremonyError."""
    try:
        if not isinstance(document, Mapping):
            raise ValueError("no object")
        metadata, lists = document["metadata"], document["lists"]
        if not (_is_texts(metadata) and _is_texts(lists)) or not 1 <= len(metadata) <= MOST_ROLES:
            raise ValueError("no roles")
        roles = {name: _metadata(name, b64decode(text, validate=True)) for name, text in metadata.items()}
        title = document["title"]
        return Draft(
            str(document["id"]),
            ProposalKind(document["kind"]),
            Names(str(title["zh"]), str(title["en"])),
            datetime.fromisoformat(document["proposed_at"]),
            roles,
            {name: b64decode(text, validate=True) for name, text in lists.items() if name in roles},
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, RepositoryError) as err:
        raise CeremonyError("what the host sent is no proposal") from err


def add_signature(repository: Repository, proposal_id: str, role: str | None, keyid: str, signature: str) -> str:
    """Keep a signature (hexadecimal, as TUF metadata carries it) that verifies; returns the role that it is for.

    `role` None: the one whose bytes it signs. Adding it again changes nothing.
    Raises: UnknownProposal, ProposalOutdated, NotAnOfficer, SignatureRefused, CeremonyError.
    """
    draft, published = live_draft(repository, proposal_id)
    check_whole(repository, draft, published)
    wanted = [name for name in draft.roles if role in (None, name)]
    allowed: dict[str, Key] = {}
    for name in wanted:
        signers = signers_of(draft, published, name)
        allowed |= signers
        if keyid in signers and _verifies(signers[keyid], signature, draft.roles[name].signed_bytes):
            store_signature(repository, proposal_id, name, Signature(keyid, signature))
            return name
    named = role or ", ".join(draft.roles)
    if keyid not in allowed:
        raise NotAnOfficer(named, sorted(key_name(key) for key in allowed.values()))
    raise SignatureRefused(named)


def _verifies(key: Key, signature: str, data: bytes) -> bool:
    if len(signature) > LONGEST_SIGNATURE:
        return False
    try:
        bytes.fromhex(signature)
        key.verify_signature(Signature(key.keyid, signature), data)
    except (UnverifiedSignatureError, VerificationError, ValueError):
        return False
    return True


def _metadata(name: str, data: bytes) -> Metadata[Any]:
    metadata: Metadata[Any] = Metadata.from_bytes(data)
    wanted = Root if name == Root.type else Targets
    if not isinstance(metadata.signed, wanted) or (name not in ("root", "targets") and ListRole.parse(name) is None):
        raise ValueError("metadata of another kind")
    return metadata


def _is_texts(value: object) -> TypeGuard[Mapping[str, str]]:
    return isinstance(value, Mapping) and all(isinstance(text, str) for pair in value.items() for text in pair)


def _base64(data: bytes) -> str:
    return b64encode(data).decode("ascii")
