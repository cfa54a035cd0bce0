"""An office with a certificate in somebody's hands, whose wallet asks for copies."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import text

from issuer.copies import WalletCopies
from issuer.model import HolderKind, RenderingKind
from keys.algorithms import ES256
from keys.envelopes.mdoc import parse_mdoc
from keys.envelopes.sd_jwt import parse_sd_jwt
from keys.signer import EphemeralSigner
from tests.issuer.office import NUMBER, Office
from trust_registry.model import CertificateStatus, StatusReason, StatusView
from trust_registry.status_list import status_at_index
from verifier.core import judge
from verifier.evidence import parse
from verifier.model import Policy, Report

SD_JWT, MDOC = RenderingKind.SD_JWT_VC, RenderingKind.MDOC
VALID, INVALID, SUSPENDED = CertificateStatus.VALID, CertificateStatus.INVALID, CertificateStatus.SUSPENDED
KEYS = [EphemeralSigner.generate(ES256) for _ in range(12)]
ALL_PLACES = (
    "SELECT status_list, status_index FROM issuer_certificates "
    "UNION ALL SELECT status_list, status_index FROM issuer_copies"
)


def jwks(count: int, start: int = 0) -> list[dict[str, str]]:
    while len(KEYS) < start + count:
        KEYS.append(EphemeralSigner.generate(ES256))
    return [key.public_key.jwk() for key in KEYS[start : start + count]]


class Desk:
    """An office with one certificate in somebody's hands."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.certificate_id = office.service.issue(office.request()).summary.certificate_id
        holder = office.service.find_holder(HolderKind.CITIZEN, NUMBER)
        assert holder is not None
        self.holder = holder

    @property
    def copies(self) -> WalletCopies:
        return WalletCopies(self.office.service)

    def make(self, kind: RenderingKind = SD_JWT, count: int = 1, **changes: Any) -> tuple[str | bytes, ...]:
        asked = {"certificate_id": self.certificate_id, "holder_id": self.holder, "kind": kind, "keys": jwks(count)}
        return self.copies.make(**(asked | changes))

    def one(self, kind: RenderingKind = SD_JWT) -> Any:
        return self.make(kind)[0]

    def statuses(self) -> StatusView:
        """Every list that there is, as verifiers read it."""
        lists = self.office.service.store.status_lists()
        return StatusView({one.uri: self.office.published(one.uri) for one in lists})

    def status(self, made: str | bytes) -> CertificateStatus | None:
        uri, index = place_of(made)
        return status_at_index(self.office.published(uri).statuses, index)

    def judged(self, made: str | bytes, policy: Policy | None = None) -> Report:
        policy = policy or Policy(accepting=None)
        return judge(parse(made), self.office.view, self.statuses(), policy, self.office.clock())

    def change(self, status: CertificateStatus, reason: StatusReason, at: datetime | None = None) -> None:
        self.office.service.change_status(self.office.change(self.certificate_id, status, reason, at))


def place_of(made: str | bytes) -> tuple[str, int]:
    said = parse_sd_jwt(made).claims["status"] if isinstance(made, str) else parse_mdoc(made).mso.status
    assert said is not None
    return said["status_list"]["uri"], said["status_list"]["idx"]


def rows(office: Office, query: str) -> list[Any]:
    with office.engine.connect() as connection:
        return list(connection.execute(text(query)).all())
