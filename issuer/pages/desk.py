"""What the desk's pages share: who is asking, for which office, and how a page of the desk is rendered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import HTTPException, Request, Response

from issuer import wording
from issuer.dual_control import DualControl
from issuer.model import CertificateFilter, CertificateSummary, Seal
from issuer.openid4vci.deferred import Deferrals
from issuer.service import IssuerService
from trust_registry.attestations import CertificateId
from trust_registry.core import status_at
from trust_registry.edges import Edge, Principal, Role
from trust_registry.model import CertificateType, EntryStatus, IssuerEntry, IssuerId, Names, TrustView, TypeId

LONGEST_FORM_VALUE = 4_000
PAGE_READ = 200
PAGES_SEARCHED = 25  # a search over 5,000 certificates stays under a second


class Desk:
    """The desk over one issuer service. `clerk` is the dependency that lets only issuing clerks in."""

    def __init__(self, service: IssuerService, edge: Edge) -> None:
        self.service = service
        self.edge = edge
        self.dual = DualControl(service, edge.now)
        self.deferrals = Deferrals(service.store.engine, edge.now)
        self.clerk: Callable[..., Principal] = edge.require(Role.ISSUING_CLERK)

    def page(
        self, request: Request, clerk: Principal, name: str, tab: str, *, status: int = 200, **context: Any
    ) -> Response:
        view = self.view()
        common: Mapping[str, Any] = {
            "tab": tab,
            "wallet_requests": self.deferrals.waiting(self.issuer_id(clerk)),
            "two_clerks": any(each.dual_control for each in self.service.types_of(self.issuer_id(clerk))),
            "office": self.office(clerk).names,
            "type_names": {type_.id: type_.names for type_ in view.types.values()},
            "statuses": wording.STATUSES,
            "states": wording.STATES,
            "reasons": wording.REASONS,
        }
        return self.edge.render(request, f"issuer/{name}.html", {**common, **context}, status=status)

    def view(self) -> TrustView:
        return self.service.trust()

    def issuer_id(self, clerk: Principal) -> IssuerId:
        """Raises HTTP 403 for a clerk who acts for no office."""
        if clerk.issuer_id is None:
            raise HTTPException(403)
        return clerk.issuer_id

    def office(self, clerk: Principal) -> IssuerEntry:
        """The clerk's office as its region lists it. Raises HTTP 403 when no list names it."""
        found = self.view().issuers.get(self.issuer_id(clerk))
        if found is None:
            raise HTTPException(403)
        return found

    def certificate(self, clerk: Principal, certificate_id: str) -> CertificateSummary:
        """Raises: CertificateNotFound, also for another office's certificate."""
        return self.service.certificate(CertificateId(certificate_id), issuer_id=self.issuer_id(clerk))

    def find(self, clerk: Principal, wanted: Mapping[str, str], most: int) -> list[CertificateSummary]:
        """The newest that fit the filter. Status is computed, not stored, so it is filtered as the list is read."""
        found: list[CertificateSummary] = []
        before = CertificateId(wanted["before"]) if wanted["before"] else None
        for _ in range(PAGES_SEARCHED):
            page = self.service.certificates(
                CertificateFilter(
                    issuer_id=self.issuer_id(clerk),
                    type_id=TypeId(wanted["type"]) if wanted["type"] else None,
                    before=before,
                    limit=PAGE_READ,
                    number=wanted["q"] or None,
                )
            )
            found += [each for each in page if wanted["status"] in ("", each.status.name.lower())]
            if len(found) >= most or len(page) < PAGE_READ:
                break
            before = page[-1].certificate_id
        return found[:most]

    def seals(self, clerk: Principal) -> tuple[Seal, ...]:
        return self.service.seals(self.issuer_id(clerk))

    def usable_seals(self, clerk: Principal, type_id: TypeId) -> list[Seal]:
        """Those in custody that may be chosen for the type now; whether one may be used is decided when it is."""
        at = self.edge.now()
        return [
            seal for seal in self.seals(clerk) if type_id in seal.scope and seal.valid_from <= at < seal.valid_until
        ]

    def issuable_types(self, clerk: Principal) -> list[CertificateType]:
        """The types granted to the office for which it has a seal."""
        at, view = self.edge.now(), self.view()
        granted = dict.fromkeys(
            grant.type_id
            for grant in self.office(clerk).grants
            if status_at(grant.history, at) is EntryStatus.GRANTED and grant.type_id in view.types
        )
        return [view.types[type_id] for type_id in granted if self.usable_seals(clerk, type_id)]

    def type_name(self, type_id: TypeId) -> Names:
        found = self.view().types.get(type_id)
        return found.names if found else Names(type_id, type_id)


async def typed(request: Request) -> dict[str, str]:
    """The form's text fields; the last of several of one name."""
    form = await request.form()
    return {name: value[:LONGEST_FORM_VALUE] for name, value in form.items() if isinstance(value, str)}
