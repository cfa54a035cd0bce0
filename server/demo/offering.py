"""A credential offer of the demonstration, for whoever tries a wallet of their own: of a certificate that a fictional
citizen holds, issued anew where none stands any more.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import Path

from issuer.model import HolderIdentity, IssueRequest, RenderingKind
from issuer.openid4vci.offers import GrantType, Offer
from issuer.service import IssuerService
from server.demo.filling import FOUNDER, Filling
from server.demo.opening import open_demo
from server.demo.people import ISSUES, PEOPLE, Issue, Person
from server.errors import DemoFolderRefused, NotInTheDemo
from server.openid4vci import build_openid4vci
from server.wiring import build_accounts, build_issuer
from trust_registry.attestations import CertificateId
from trust_registry.edges import HolderId
from trust_registry.model import CertificateStatus, TypeId


def offer(
    data: Path,
    type_name: str,
    kinds: Sequence[RenderingKind],
    *,
    grant: GrantType,
    with_pin: bool,
    approved: bool = True,
) -> Offer:
    """A fresh offer. `type_name`: "common/marriage-certificate", or the part after the slash. Not `approved`: the
    wallet waits until a clerk lets it collect.

    Raises: DemoFolderRefused; NotInTheDemo for a type of which nobody here holds a certificate, or for which nobody
    ever waits.
    """
    type_id = find_type(type_name)
    opened = open_demo(data)
    try:
        issuer = build_issuer(opened)
        openid = build_openid4vci(opened, issuer)
        governed = {each.id for each in issuer.trust().types.values() if each.dual_control}
        if not approved and type_id not in governed:
            waiting = ", ".join(sorted(governed)) or "none"
            raise NotInTheDemo(f"{type_id} is not under dual control: no wallet waits for it; for these: {waiting}")
        filling = Filling(issuer, build_accounts(opened), opened.now)
        issue, holder, certificate_id = _held(issuer, type_id) or _issued(filling, type_id)
        tenant = openid.tenants.find(issue.office)
        if tenant is None:
            raise DemoFolderRefused(f"{issue.office} no longer issues anything in {data}")
        return openid.offers.make(
            tenant=tenant,
            holder_id=holder,
            certificate_id=certificate_id,
            made_by=FOUNDER,
            kinds=tuple(kinds),
            with_pin=with_pin,
            approved=approved,
            grant=grant,
        )
    finally:
        opened.engine.dispose()


def find_type(name: str) -> TypeId:
    """The type of that name of which somebody holds a certificate. Raises: NotInTheDemo."""
    known = dict.fromkeys(issue.type_id for issue in ISSUES)
    fitting = [each for each in known if name in (each, each.partition("/")[2])]
    if len(fitting) != 1:
        raise NotInTheDemo(f"nobody in the demonstration holds a {name!r}; there are: {', '.join(known)}")
    return fitting[0]


def _held(issuer: IssuerService, type_id: TypeId) -> tuple[Issue, HolderId, CertificateId] | None:
    """The first certificate of the type that stands, in the order in which the people are introduced."""
    for issue, holder in _holders(issuer, type_id):
        for held in issuer.held(holder):
            attestation = held.attestation
            of_this_office = attestation.type_id == type_id and attestation.issuer_id == issue.office
            if of_this_office and held.status is CertificateStatus.VALID:
                return issue, holder, attestation.certificate_id
    return None


def _holders(issuer: IssuerService, type_id: TypeId) -> list[tuple[Issue, HolderId]]:
    wanted = [issue for issue in ISSUES if issue.type_id == type_id and not issue.suspended]
    found = ((issue, issuer.find_holder(_person(issue).kind, _person(issue).number)) for issue in wanted)
    return [(issue, holder) for issue, holder in found if holder is not None]


def _issued(filling: Filling, type_id: TypeId) -> tuple[Issue, HolderId, CertificateId]:
    """The first of these certificates, issued once more."""
    issuer = filling.issuer
    issue = next(each for each in ISSUES if each.type_id == type_id and not each.suspended)
    person = _person(issue)
    identity = HolderIdentity(person.kind, person.number, person.name)
    seal = next((seal for seal in issuer.seals(issue.office) if type_id in seal.scope), None)
    if seal is None:
        raise DemoFolderRefused(f"{issue.office} has no seal for {type_id} any more")
    request = IssueRequest(
        type_id=type_id,
        holder=identity,
        claims=issue.claims,
        seal_id=seal.id,
        requested_by=FOUNDER,
        idempotency_key=f"demo-offer-{secrets.token_hex(8)}",
    )
    certificate_id = filling.seal(request, issue.office)
    return issue, issuer.holder(identity), certificate_id


def _person(issue: Issue) -> Person:
    return next(person for person in PEOPLE if person.account == issue.holder)
