"""An issuer's offers as what a citizen's wallet offers, in one house: `wallet_api.ports.Offering`. Translates nouns."""

from __future__ import annotations

from issuer.errors import CertificateNotFound, HolderErased
from issuer.openid4vci.service import Openid4vci
from trust_registry.attestations import CertificateId
from trust_registry.edges import AccountId, HolderId
from trust_registry.model import CertificateStatus
from wallet_api.errors import CertificateNotHeld
from wallet_api.ports import Offered


class IssuerOffering:
    """Over the OpenID4VCI issuer of this process. What a citizen offers, no clerk has approved."""

    def __init__(self, issuing: Openid4vci) -> None:
        self._issuing = issuing

    def make(self, holder: HolderId, certificate_id: CertificateId, by: AccountId, *, with_code: bool) -> Offered:
        try:
            held = {each.attestation.certificate_id: each for each in self._issuing.issuer.held(holder)}
        except HolderErased as err:
            raise CertificateNotHeld from err
        found = held.get(certificate_id)
        if found is None or found.status is not CertificateStatus.VALID:
            raise CertificateNotHeld
        tenant = self._issuing.tenants.find(found.attestation.issuer_id)
        if tenant is None:
            raise CertificateNotHeld
        try:
            made = self._issuing.offers.make(
                tenant=tenant,
                holder_id=holder,
                certificate_id=certificate_id,
                made_by=by,
                with_pin=with_code,
                approved=False,
            )
        except CertificateNotFound as err:
            raise CertificateNotHeld from err
        return Offered(made.id, made.by_reference, made.tx_code, made.expires_at)

    def state(self, holder: HolderId, offer_id: str) -> str:
        return self._issuing.offers.state(offer_id).value if self._is_of(holder, offer_id) else "expired"

    def cancel(self, holder: HolderId, offer_id: str) -> None:
        if self._is_of(holder, offer_id):
            self._issuing.offers.cancel(offer_id)

    def _is_of(self, holder: HolderId, offer_id: str) -> bool:
        """An offer that a clerk made for the holder is the clerk's."""
        row = self._issuing.store.offer(offer_id)
        return row is not None and row["holder_id"] == holder and not row["approved"]
