"""The keys that sign requests to wallets, found in the region lists by the settings. Signs nothing."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from keys.errors import KeysError
from keys.x509 import parse_certificate
from server.observation import log
from trust_registry.core import status_at
from trust_registry.model import EntryStatus, KeyEntry, KeyUse, RegionCode, RelyingPartyId, TrustView
from verifier.openid4vp.access import AccessKey
from verifier.openid4vp.registration import RegistrarKey, Registrars

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


def registrars(opened: Opened) -> Registrars:
    """The keys of `registry_list_keys`, each opened when it is first needed, with the certificate that its region lists
    for it then (use LIST). Requests go without what can't be opened."""
    opening = lru_cache(opened.signers)

    def registrar(region: RegionCode, at: datetime) -> RegistrarKey | None:
        view, uri = opened.keeper.view, opened.settings.registry_list_keys.get(region)
        listed = None if view is None else view.lists.get(region)
        if listed is None or uri is None:
            return None
        try:
            signer = opening(uri)
        except (KeysError, OSError) as err:
            log.warning("requests go without a registration", list=region, reason=str(err))
            return None
        found = (parse_certificate(key.certificate) for key in listed.authorities if _granted(key, KeyUse.LIST, at))
        fitting = [each for each in found if each.public_key == signer.public_key and each.not_after > at]
        return RegistrarKey(signer, max(fitting, key=lambda each: each.not_after)) if fitting else None

    return registrar


def _granted(key: KeyEntry, use: KeyUse, at: datetime) -> bool:
    return key.use is use and status_at(key.history, at) is EntryStatus.GRANTED


def _listed(view: TrustView | None, party: RelyingPartyId, now: datetime) -> list[KeyEntry]:
    lists = () if view is None else view.lists.values()
    keys = (key for each in lists for p in each.relying_parties if p.id == party for key in p.keys)
    return [key for key in keys if _granted(key, KeyUse.ACCESS, now)]
