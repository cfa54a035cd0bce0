"""A checked credential as the wallet keeps it: what to call it, its colour, who issued it. Pure; checks nothing.

A listed type lends its name and colour only to an issuer that is known: nobody else's card looks like an office's.
"""

from __future__ import annotations

from datetime import datetime

from trust_registry.attestations import TYPE_URN
from trust_registry.edges import HolderId
from trust_registry.mdoc_attestations import doc_type_of
from trust_registry.model import CertificateType, TrustView
from wallet_api.openid.collecting_offer import Looked
from wallet_api.openid.credentials import CredentialFormat, WalletCredential, new_id
from wallet_api.openid.issuer_metadata import Configuration
from wallet_api.openid.received import Received


def kept_credential(
    received: Received,
    configuration: Configuration,
    looked: Looked,
    view: TrustView | None,
    *,
    holder: HolderId,
    batch: str,
    at: datetime,
) -> WalletCredential:
    """The credential to keep, for one key."""
    type_ = listed_type(view, configuration.format, configuration.type) if looked.party.known else None
    return WalletCredential(
        id=new_id(),
        holder_id=holder,
        format=configuration.format,
        key_thumbprint=received.key_thumbprint,
        type=configuration.type,
        names=configuration.names if type_ is None else type_.names,
        hue=configuration.hue if type_ is None else type_.hue,
        issuer=looked.party.names,
        source=looked.party.identifier,
        own=False,
        batch=batch,
        collected_at=at,
        used=0,
        content=received.content,
        labels=tuple(("/".join(str(part) for part in each.path), each.names) for each in configuration.labels),
    )


def listed_type(view: TrustView | None, format: CredentialFormat, type: str) -> CertificateType | None:
    """The certificate type of the lists that a vct or doctype stands for."""
    if view is None:
        return None
    if format is CredentialFormat.MDOC:
        return next((each for each in view.types.values() if doc_type_of(each.id) == type), None)
    return next((each for each in view.types.values() if TYPE_URN + each.id == type), None)
