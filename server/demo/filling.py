"""Filling the demonstration: seals taken into custody, accounts opened, first certificates issued for real."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from issuer.dual_control import DualControl
from issuer.model import (
    HolderIdentity,
    IssueRequest,
    RenderingKind,
    Seal,
    StatusChangeRequest,
    StatusSigner,
)
from issuer.service import IssuerService
from server.accounts import Accounts
from server.demo.lists import RegionInCustody
from server.demo.people import ISSUES, LIN, PEOPLE, RESIDENCE_CLERKS, STAFF, Issue, Person
from server.errors import NotInTheDemo
from server.model import Affiliation
from trust_registry.attestations import CertificateId
from trust_registry.catalogue import MARRIAGE_CERTIFICATE
from trust_registry.edges import AccountId, Role
from trust_registry.model import CertificateStatus, IssuerId, SealId, StatusReason

PASSWORD = "yinxin-demo"  # noqa: S105 - fixed, printed and shown on the sign-in page: it protects nothing
FOUNDER = AccountId("demo-founding")


@dataclass(frozen=True, slots=True)
class Filling:
    """What filling works on."""

    issuer: IssuerService
    accounts: Accounts
    now: Callable[[], datetime]

    def seal(self, request: IssueRequest, office: IssuerId) -> CertificateId:
        """Seal it; under dual control one clerk of the office prepares it and the other approves what was prepared.

        Raises: what `DualControl.approve` raises; NotInTheDemo in a folder of an earlier version.
        """
        control = DualControl(self.issuer, self.now)
        if not control.governs(request.type_id):
            return self.issuer.issue(request).summary.certificate_id
        first, second = (self._clerk(name) for name in RESIDENCE_CLERKS)
        waiting = control.submit(replace(request, requested_by=first))
        return control.approve(waiting.id, office, second, waiting.digest).summary.certificate_id

    def _clerk(self, name: str) -> AccountId:
        found = self.accounts.store.by_name(name)
        if found is None:
            raise NotInTheDemo(f"nobody here seals under dual control: {name} has no account")
        return found.id


def take_into_custody(issuer: IssuerService, regions: Sequence[RegionInCustody]) -> dict[str, SealId]:
    """Register seals and status keys; each office's seal by issuer id."""
    seals: dict[str, SealId] = {}
    for region in regions:
        for seal in region.seals:
            issuer.register_seal(
                Seal(
                    id=seal.entry.id,
                    issuer_id=seal.office.id,
                    names=seal.entry.names,
                    image_svg=seal.image_svg,
                    scope=frozenset(seal.entry.scope),
                    valid_from=seal.entry.valid_from,
                    valid_until=seal.entry.valid_until,
                    certificate=seal.certified.certificate.der,
                    chain=(),
                    key_uri=seal.certified.signer.uri,
                )
            )
            seals[seal.office.id] = seal.entry.id
        for issuer_id, status in region.status.items():
            issuer.register_status_signer(StatusSigner(issuer_id, status.signer.uri, status.certificate.der, ()))
    return seals


def open_accounts(filling: Filling) -> None:
    """An account for everybody, all with the demonstration's password."""
    hashed = filling.accounts.hash_password(PASSWORD)
    for person in PEOPLE:
        holder = filling.issuer.holder(HolderIdentity(person.kind, person.number, person.name))
        affiliation = Affiliation(frozenset({Role.CITIZEN}), holder_id=holder)
        filling.accounts.create_hashed(person.account, person.name, affiliation, hashed)
    for staff in STAFF:
        affiliation = Affiliation(frozenset({staff.role}), staff.region, staff.issuer, staff.party)
        filling.accounts.create_hashed(staff.account, staff.names.zh, affiliation, hashed)


def issue_first(filling: Filling, seals: Mapping[str, SealId], samples: Path) -> None:
    """Issue what people hold from the start, and put one certificate's renderings into `samples`."""
    people = {person.account: person for person in PEOPLE}
    samples.mkdir(parents=True, exist_ok=True)
    for number, issue in enumerate(ISSUES):
        certificate_id = _issue(filling, issue, people[issue.holder], seals[issue.office], number)
        if issue.type_id == MARRIAGE_CERTIFICATE and issue.holder == LIN.account:
            for kind, name in (
                (RenderingKind.PDF, "marriage.pdf"),
                (RenderingKind.SD_JWT_VC, "marriage.sd-jwt"),
                (RenderingKind.QR, "marriage.qr.txt"),
                (RenderingKind.MDOC, "marriage.mdoc"),
            ):
                (samples / name).write_bytes(filling.issuer.rendering(certificate_id, kind))


def _issue(filling: Filling, issue: Issue, person: Person, seal: SealId, number: int) -> CertificateId:
    request = IssueRequest(
        type_id=issue.type_id,
        holder=HolderIdentity(person.kind, person.number, person.name),
        claims=issue.claims,
        seal_id=seal,
        requested_by=FOUNDER,
        idempotency_key=f"demo-{number}",
    )
    certificate_id = filling.seal(request, issue.office)
    if issue.suspended:
        filling.issuer.change_status(
            StatusChangeRequest(
                certificate_id=certificate_id,
                status=CertificateStatus.SUSPENDED,
                reason=StatusReason.UNDER_REVIEW,
                effective_at=filling.now(),
                requested_by=FOUNDER,
            )
        )
    return certificate_id


def account_cards() -> list[Mapping[str, str]]:
    """The rows that the sign-in page offers, the people of the five-minute story first."""
    cards = [_card(each.account, each.names.zh, each.names.en, each.note.zh, each.note.en, each.next) for each in STAFF]
    for person in PEOPLE:
        zh, en = ("持证人", "Holds certificates") if person.born else ("法人账户", "An organisation's account")
        cards.append(_card(person.account, person.names.zh, person.names.en, zh, en, "/wallet"))
    story = ("clerk.minzheng", LIN.account, "counter.xichuan")
    return sorted(cards, key=lambda card: story.index(card["name"]) if card["name"] in story else len(story))


def _card(account: str, zh: str, en: str, note_zh: str, note_en: str, path: str) -> Mapping[str, str]:  # noqa: PLR0917
    return {
        "name": account,
        "password": PASSWORD,
        "zh": zh,
        "en": en,
        "note_zh": note_zh,
        "note_en": note_en,
        "next": path,
    }
