"""An issuer's certificates as a wallet's holdings, in one house. Translates nouns; decides nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from issuer.copies import WalletCopies
from issuer.errors import CertificateNotFound, HolderErased, IssuerError
from issuer.model import HeldCertificate, RenderingKind
from issuer.service import IssuerService
from keys.envelopes.base64url import b64url_encode
from trust_registry.attestations import CertificateId
from trust_registry.edges import HolderId
from wallet_api.errors import CertificateNotHeld
from wallet_api.model import Holding


class IssuerHoldings:
    """`wallet_api.ports.Holdings` over an issuer's service."""

    def __init__(self, issuer: IssuerService) -> None:
        self._issuer = issuer
        self._copies = WalletCopies(issuer)

    def of(self, holder: HolderId) -> Sequence[Holding]:
        try:
            return [_holding(held) for held in self._issuer.held(holder)]
        except HolderErased:
            return []

    def one(self, holder: HolderId, certificate_id: CertificateId) -> Holding | None:
        return next((each for each in self.of(holder) if each.certificate_id == certificate_id), None)

    def pdf(self, holder: HolderId, certificate_id: CertificateId) -> bytes | None:
        if self.one(holder, certificate_id) is None:
            return None
        try:
            return self._issuer.rendering(certificate_id, RenderingKind.PDF)
        except IssuerError:
            return None

    def copies(
        self, holder: HolderId, certificate_id: CertificateId, kind: str, keys: Sequence[Mapping[str, Any]]
    ) -> Sequence[str]:
        try:
            made = self._copies.make(certificate_id, holder, RenderingKind(kind), keys)
        except (CertificateNotFound, HolderErased) as err:
            raise CertificateNotHeld from err
        return [each if isinstance(each, str) else b64url_encode(each).decode("ascii") for each in made]


def _holding(held: HeldCertificate) -> Holding:
    attestation = held.attestation
    return Holding(
        certificate_id=attestation.certificate_id,
        type_id=attestation.type_id,
        issuer_id=attestation.issuer_id,
        claims=attestation.claims,
        issued_at=attestation.issued_at,
        valid_from=attestation.valid_from,
        valid_until=attestation.valid_until,
        status=held.status,
        status_reason=None if held.status_reason is None else held.status_reason.value,
        status_since=held.status_since,
        seal_svg=held.seal_svg,
        sd_jwt_vc=held.sd_jwt_vc,
    )
