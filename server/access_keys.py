"""The keys that sign requests to wallets, found in the region lists by the settings. Signs nothing."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from keys.x509 import parse_certificate
from server.observation import log
from trust_registry.core import status_at
from trust_registry.model import EntryStatus, KeyEntry, KeyUse, RelyingPartyId, TrustView
from verifier.openid4vp.access import AccessKey

if TYPE_CHECKING:
    from server.wiring import Opened


def load_access_keys(opened: Opened) -> dict[RelyingPartyId, AccessKey]:
    """Each relying party's key of `access_keys` with the certificate that its region lists for it (use ACCESS).

    Of several certificates of one key, the granted one that lasts longest. A key without a certificate that is granted
    now is left out, and said so: wallets would refuse what it signs. Raises what opening a key raises.
    """
    found: dict[RelyingPartyId, AccessKey] = {}
    now, view = opened.now(), opened.keeper.view
    for name, uri in opened.settings.access_keys.items():
        signer, party = opened.signers(uri), RelyingPartyId(name)
        listed = (parse_certificate(entry.certificate) for entry in _listed(view, party, now))
        fitting = [each for each in listed if each.public_key == signer.public_key]
        if fitting:
            found[party] = AccessKey(signer, max(fitting, key=lambda each: each.not_after))
        else:
            log.warning("access key not listed", relying_party=name)
    return found


def _listed(view: TrustView | None, party: RelyingPartyId, now: datetime) -> list[KeyEntry]:
    lists = () if view is None else view.lists.values()
    keys = (key for each in lists for p in each.relying_parties if p.id == party for key in p.keys)
    return [key for key in keys if key.use is KeyUse.ACCESS and status_at(key.history, now) is EntryStatus.GRANTED]
