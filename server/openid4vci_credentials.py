"""Builds the credential endpoint's part of the OpenID4VCI issuer. Serves and decides nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from issuer.copies import WalletCopies
from issuer.openid4vci.challenges import Challenges, Once
from issuer.openid4vci.credentials import BATCH_SIZE, CredentialIssuer
from issuer.openid4vci.deferred import Deferrals
from issuer.openid4vci.encryption import RequestKeys
from issuer.openid4vci.metadata import IssuerMetadata
from issuer.openid4vci.notifications import Notifications
from issuer.service import IssuerService
from keys.data_keys import DeploymentKey
from keys.x509 import Certificate, parse_pem_certificates

if TYPE_CHECKING:
    from server.settings import Settings
    from server.wiring import Opened


def build_credentials(opened: Opened, issuer: IssuerService, key: DeploymentKey, once: Once) -> CredentialIssuer:
    """The credential endpoints of the offices whose seals are here. `once`: that of `OpenidStore`."""
    now = opened.now
    anchors = wallet_provider_anchors(opened.settings)
    required = opened.settings.wallet_key_attestation_required

    def secret(label: str) -> bytes:
        return key.lookup("openid4vci-request-key", label)

    request_keys = RequestKeys(secret, now)
    return CredentialIssuer(
        issuer=issuer,
        copies=WalletCopies(issuer),
        challenges=Challenges(key, now, once),
        request_keys=request_keys,
        deferrals=Deferrals(opened.engine, now),
        notifications=Notifications(opened.engine, key.lookup("openid4vci-notification", ""), now),
        metadata=IssuerMetadata(
            issuer,
            opened.signers,
            request_keys,
            now,
            batch_size=BATCH_SIZE,
            attested=bool(anchors),
            attestation_required=required,
        ),
        anchors=anchors,
        now=now,
        attested=required,
    )


def wallet_provider_anchors(settings: Settings) -> tuple[Certificate, ...]:
    """The CAs of wallet providers whose attestations count. Raises: MalformedCertificate."""
    file = settings.path(settings.wallet_provider_anchors)
    return parse_pem_certificates(file.read_bytes()) if file.is_file() else ()
