"""The issuer's store: the only code of this room that sees rows. Decides nothing and signs nothing."""

from __future__ import annotations

from issuer.store.certificates import Certificates
from issuer.store.copies import Copies
from issuer.store.custody import Custody
from issuer.store.holders import Holders
from issuer.store.recording import Recording
from issuer.store.statuses import Statuses, StoredList
from issuer.store.waiting import WaitingRequests

__all__ = ["IssuerStore", "StoredList"]


class IssuerStore(WaitingRequests, Recording, Copies, Certificates, Statuses, Holders, Custody):
    """All of the issuer's tables over one engine (SQLite or PostgreSQL) and one deployment key.

    Every method is one transaction, durable when it returns. Safe for threads and for several processes.
    """
