"""The key with which a relying party signs its requests to wallets. Signs nothing itself; `request_objects` does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from keys.signer import Signer
from keys.x509 import Certificate
from trust_registry.core import status_at
from trust_registry.model import EntryStatus, KeyUse, RegionCode, RelyingPartyId, TrustView


@dataclass(frozen=True, slots=True)
class AccessKey:
    """A key that the region's list names for the relying party's requests (use ACCESS), with that certificate."""

    signer: Signer
    certificate: Certificate


def may_ask(view: TrustView, party: RelyingPartyId, access: AccessKey, at: datetime) -> bool:
    """Whether the list of the party's region grants the party and this key at `at` (UTC), and its certificate lasts.

    Wallets that read no lists can't tell: who was withdrawn asks nobody. Spec: OpenID4VP 1.0 section 15.3.
    """
    listed, certificate = view.lists.get(RegionCode(party.partition("/")[0])), access.certificate
    if listed is None or not certificate.not_before <= at <= certificate.not_after:
        return False
    granted = EntryStatus.GRANTED
    return any(
        key.use is KeyUse.ACCESS and key.thumbprint == certificate.thumbprint and status_at(key.history, at) is granted
        for entry in listed.relying_parties
        if entry.id == party and status_at(entry.history, at) is granted
        for key in entry.keys
    )
