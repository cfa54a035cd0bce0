"""What every room's HTTP edge is handed by the server: who is asking, how a page is rendered, what time it is.

Rooms declare routes against `Edge` and never import the server. Roles are the network's actors (DESIGN.md section 4).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, NewType, Protocol

from trust_registry.model import IssuerId, RegionCode, RelyingPartyId

if TYPE_CHECKING:  # models name principals, and models know no web framework
    from fastapi import Request, Response

AccountId = NewType("AccountId", str)
HolderId = NewType("HolderId", str)  # opaque; never an identity number


class Role(Enum):
    REGISTRY_OFFICER = "registry_officer"
    ISSUING_CLERK = "issuing_clerk"
    COUNTER_CLERK = "counter_clerk"
    CITIZEN = "citizen"
    AUDITOR = "auditor"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is signed in: a person's account or a machine client, and whom it may act for."""

    account_id: AccountId
    display_name: str
    roles: frozenset[Role]
    region: RegionCode | None = None
    issuer_id: IssuerId | None = None
    relying_party_id: RelyingPartyId | None = None
    holder_id: HolderId | None = None
    machine: bool = False


class Render(Protocol):
    """Render a template of any room inside the common page frame, in the visitor's language.

    Templates get `t(zh, en)`, `lang`, `principal` (or None), `csrf_token`, `csp_nonce`, and `context`.
    """

    def __call__(
        self, request: Request, template: str, context: Mapping[str, Any], *, status: int = 200
    ) -> Response: ...


@dataclass(frozen=True, slots=True)
class Edge:
    """Handed to every `routes.router(service, edge)` and `pages.router(service, edge)`.

    `require(*roles)` gives a FastAPI dependency returning the `Principal` (pages: redirects to sign-in; JSON: 401/403
    problem). `visitor` gives one returning `Principal | None`. CSRF is checked for every unsafe method of a cookie
    session by middleware.
    """

    render: Render
    require: Callable[..., Callable[..., Principal]]
    visitor: Callable[..., Principal | None]
    now: Callable[[], datetime]
    language: Callable[[Request], str]  # "zh" or "en"
