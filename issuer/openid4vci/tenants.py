"""Which offices are credential issuers here, at which address, for what. From the region's list and the seals at hand.

Spec: OpenID4VCI 1.0 sections 12.2.1 (identifier) and 12.2.2 (where the metadata lies).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from issuer.model import RenderingKind
from issuer.openid4vci.model import CredentialConfiguration, Tenant
from issuer.service import IssuerService
from trust_registry.core import status_at
from trust_registry.model import EntryStatus, IssuerEntry, IssuerId, TrustView

PREFIX = "/issuers/"
_NEVER = datetime.max.replace(tzinfo=UTC)
_KINDS = (RenderingKind.SD_JWT_VC, RenderingKind.MDOC)


class Tenants:
    """`public_url`: this deployment's origin. An office is a tenant while its region grants it and its seal is here."""

    def __init__(self, service: IssuerService, public_url: str, now: Callable[[], datetime]) -> None:
        self._service = service
        self._public_url = public_url.rstrip("/")
        self._now = now
        self._sealed: set[IssuerId] = set()  # offices whose seal has been seen here: seals are never taken away
        self._found: dict[IssuerId, _Found] = {}

    def find(self, issuer_id: IssuerId) -> Tenant | None:
        """The tenant, with what it may issue at this moment; None when it is none. Raises: TrustViewMissing."""
        view, now = self._service.trust(), self._now()
        found = self._found.get(issuer_id)
        if found is not None and found.view is view and found.since <= now < found.until:
            return found.tenant
        tenant = self._find(view, issuer_id, now)
        if tenant is not None:
            self._found[issuer_id] = _Found(view, now, _next_change(tenant.entry, now), tenant)
        return tenant

    def forget(self) -> None:
        """Look everything up anew."""
        self._found.clear()
        self._sealed.clear()

    def _find(self, view: TrustView, issuer_id: IssuerId, now: datetime) -> Tenant | None:
        entry = view.issuers.get(issuer_id)
        if entry is None or status_at(entry.history, now) is not EntryStatus.GRANTED:
            return None
        if issuer_id not in self._sealed:
            if not self._service.store.seals(issuer_id):
                return None
            self._sealed.add(issuer_id)
        return Tenant(entry, self.identifier(issuer_id), _configurations(view, entry, now))

    def identifier(self, issuer_id: IssuerId) -> str:
        """The credential issuer identifier: ".../issuers/<region>/<office>"."""
        return f"{self._public_url}{PREFIX}{issuer_id}"


@dataclass(frozen=True, slots=True)
class _Found:
    """A tenant as the view says it is from `since` until `until`: four requests in a row ask for the same."""

    view: TrustView
    since: datetime
    until: datetime
    tenant: Tenant


def _configurations(view: TrustView, entry: IssuerEntry, now: datetime) -> tuple[CredentialConfiguration, ...]:
    granted = {g.type_id for g in entry.grants if status_at(g.history, now) is EntryStatus.GRANTED}
    types = (view.types.get(type_id) for type_id in sorted(granted))
    return tuple(CredentialConfiguration(type_, kind) for type_ in types if type_ is not None for kind in _KINDS)


def _next_change(entry: IssuerEntry, now: datetime) -> datetime:
    """When something that the list announces for the office takes effect."""
    histories = (entry.history, *(grant.history for grant in entry.grants))
    return min((change.at for history in histories for change in history if change.at > now), default=_NEVER)
