"""The server's nouns: accounts, sessions, machine clients. Who may do what in a room is the room's business."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from trust_registry.edges import AccountId, HolderId, Principal, Role
from trust_registry.model import IssuerId, RegionCode, RelyingPartyId


@dataclass(frozen=True, slots=True)
class Affiliation:
    """For whom an account or client may act."""

    roles: frozenset[Role]
    region: RegionCode | None = None
    issuer_id: IssuerId | None = None
    relying_party_id: RelyingPartyId | None = None
    holder_id: HolderId | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """A person who may sign in: locally by `name` and password, or by `subject` at an OpenID Connect provider."""

    id: AccountId
    name: str
    display_name: str
    affiliation: Affiliation
    password_hash: str | None = None  # argon2id, PHC string
    subject: str | None = None  # "<issuer URL>#<sub>"
    disabled: bool = False

    @property
    def principal(self) -> Principal:
        a = self.affiliation
        return Principal(
            self.id, self.display_name, a.roles, a.region, a.issuer_id, a.relying_party_id, a.holder_id, machine=False
        )


@dataclass(frozen=True, slots=True)
class MachineClient:
    """A program with its own key (RFC 7523). `jwks` holds public keys only."""

    id: AccountId  # also the OAuth client id
    display_name: str
    affiliation: Affiliation
    jwks: Mapping[str, Any]
    disabled: bool = False

    @property
    def principal(self) -> Principal:
        a = self.affiliation
        return Principal(
            self.id, self.display_name, a.roles, a.region, a.issuer_id, a.relying_party_id, a.holder_id, machine=True
        )


@dataclass(frozen=True, slots=True)
class Session:
    """A browser's session or a machine's access token. Only the token's SHA-256 is kept."""

    digest: bytes
    principal: Principal
    created_at: datetime
    seen_at: datetime
    expires_at: datetime  # absolute


@dataclass(frozen=True, slots=True)
class PendingSignIn:
    """An OpenID Connect sign-in under way, bound to the browser that began it."""

    state_digest: bytes
    browser_digest: bytes
    nonce: str
    code_verifier: str
    next_path: str
    expires_at: datetime
