"""The relying party's side of OpenID4VP, built from the settings. Serves nothing and decides nothing."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from keys.data_keys import load_or_create_deployment_key
from server.access_keys import load_access_keys, registrars
from trust_registry.model import RegionCode
from verifier.openid4vp.service import Requests
from verifier.openid4vp.store import RequestStore
from verifier.service import VerifierService

if TYPE_CHECKING:
    from server.wiring import Opened


def build_openid4vp(opened: Opened, verifier: VerifierService) -> Requests:
    """Requests to wallets for the relying parties of `access_keys`."""
    settings = opened.settings
    key = load_or_create_deployment_key(settings.path(settings.deployment_key_file))
    return Requests(
        verifier=verifier,
        store=RequestStore(opened.engine, key),
        keys=load_access_keys(opened),
        origin=settings.wallet_origin,
        public_url=settings.origin,
        list_uri=partial(_list_uri, settings.origin),
        now=opened.now,
        registrars=registrars(opened),
    )


def _list_uri(origin: str, region: RegionCode) -> str:
    """Where anybody can read what the region's signed list says, with who signed it."""
    return f"{origin}/api/registry/regions/{region}"
