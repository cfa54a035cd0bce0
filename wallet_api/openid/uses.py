"""What was shown by OpenID4VP, as a line of the citizen's own log: who, for what, which claims. Never a value."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Final

from trust_registry.attestations import CertificateId
from trust_registry.edges import HolderId
from trust_registry.mdoc_attestations import CORE
from trust_registry.model import RelyingPartyId, TypeId
from wallet_api.model import AccessRecord, PresentationId
from wallet_api.openid.answers import Shown
from wallet_api.openid.requester import ALWAYS, Requester
from wallet_api.store import WalletStore

_LONGEST: Final = 128  # what the log's columns hold
_NOBODY: Final[Mapping[str, str]] = MappingProxyType({})


class Uses:
    """Writes into the wallet's log."""

    def __init__(self, store: WalletStore) -> None:
        self._store = store

    def note(  # noqa: PLR0917
        self,
        holder: HolderId,
        request_id: str,
        requester: Requester,
        shown: Sequence[Shown],
        at: datetime,
        verdicts: Mapping[str, str] = _NOBODY,
    ) -> None:
        """One line for each certificate that was shown. Who is not registered is named by the host it answers at.

        `verdicts`: by query id, where they are known.
        """
        party = requester.party.id if requester.party is not None else RelyingPartyId(requester.host[:_LONGEST])
        for number, each in enumerate(shown):
            own = each.credential.own
            record = AccessRecord(
                holder_id=holder,
                certificate_id=CertificateId(each.credential.source if own else each.credential.batch),
                type_id=TypeId(each.credential.type[:_LONGEST]),
                relying_party_id=party,
                scenario_id=requester.scenario.id if requester.scenario is not None else None,
                claims=_claims(each),
                at=at,
                verdict=verdicts.get(each.query_id, ""),
                # of this request and this try: one that failed on its way may be followed by another
                presentation_id=PresentationId(f"{request_id}.{number}.{secrets.token_urlsafe(6)}"[:32]),
            )
            self._store.log(record)


def _claims(shown: Shown) -> tuple[str, ...]:
    names = [
        str(path[-1] if len(path) == 2 and shown.credential.format.value == "mso_mdoc" else path[0])
        for path in shown.paths
        if path[0] != CORE
    ]
    return tuple(dict.fromkeys(name for name in names if name not in ALWAYS))
