"""Erasing a person from every room of this house: one order of things, for whoever may give it. Asks nobody."""

from __future__ import annotations

from issuer.openid4vci.store import OpenidStore
from issuer.service import IssuerService
from server.database import scrub
from trust_registry.edges import HolderId
from wallet_api.openid.sealing import forget_holder
from wallet_api.store import WalletStore


def erase_holder(issuer: IssuerService, holder: HolderId) -> None:
    """Destroy the key of the holder's data and what the wallet keeps of them; nothing is left in the database's log.

    Certificate numbers and statuses stay, and so does an account that signs in as the holder: close it as well.
    The key goes after the rest: as long as the holder is found, what was cut short can be asked for again. Raises:
    HolderNotFound.
    """
    engine = issuer.store.engine
    WalletStore(engine).forget_holder(holder)
    forget_holder(engine, holder)
    OpenidStore(engine).forget_holder(holder)
    issuer.erase_holder(holder)
    scrub(engine)
