"""An offer with what its issuer publishes: fetched once, kept with the collection, read again at every step.

Says who an issuer is only where a list, or this house, vouches for it. Decides nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from keys.certificate import Certificate
from trust_registry.core import status_at
from trust_registry.model import EntryStatus, IssuerEntry, IssuerId, Names, RegionCode, StatusChange, TrustView
from wallet_api.openid.collecting_errors import Collecting, CollectingRefused
from wallet_api.openid.collecting_steps import choose_grant, choose_server
from wallet_api.openid.issuer_client import IssuerClient
from wallet_api.openid.issuer_metadata import (
    Configuration,
    IssuerMetadata,
    ServerMetadata,
    parse_issuer,
    parse_server,
    trimmed,
)
from wallet_api.openid.offers import Offer, TransactionCode, parse_offer

_OWN: Final = "/issuers/"
_SPARE_KEYS: Final = 3  # for datasets that only the token response names


@dataclass(frozen=True, slots=True)
class Party:
    """A credential issuer. `names`: a listed office's where `known`, else what it calls itself, or its host."""

    identifier: str
    names: Names
    host: str
    known: bool


@dataclass(frozen=True, slots=True)
class Looked:
    """What is offered and by whom. `configurations`: those that this wallet can keep; `left_out`: how many it can't."""

    offer: Offer
    party: Party
    metadata: IssuerMetadata
    server: ServerMetadata
    grant: str
    configurations: tuple[Configuration, ...]
    left_out: int

    @property
    def transaction_code(self) -> TransactionCode | None:
        """What the holder must type, if anything."""
        return None if self.offer.pre_authorized is None else self.offer.pre_authorized.transaction_code

    @property
    def keys(self) -> int:
        """How many keys the browser should bring."""
        return min(len(self.configurations) * max(self.metadata.batch, _SPARE_KEYS), 20)

    def by_id(self, id: str) -> Configuration:
        return next(each for each in self.configurations if each.id == id)


def looked_at(
    client: IssuerClient, offer: Offer, raw: Any, view: TrustView | None, *, origin: str, at: datetime
) -> dict[str, Any]:
    """The JSON of a new collection. Raises CollectingRefused, NotReached."""

    def known(signer: Certificate) -> bool:
        return view is not None and office_of(offer.issuer, signer, view, at) is not None

    published, signer = client.issuer(offer.issuer, known)
    metadata = parse_issuer(published, offer.issuer, offer.configuration_ids)
    kept = [id for id, each in metadata.configurations.items() if each and (client.attester or not each.attested)]
    if not kept:
        raise CollectingRefused(Collecting.NOTHING_TO_KEEP)
    server, grant = _server(client, offer, metadata)
    party = party_of(offer.issuer, metadata.names, signer, view, origin=origin, at=at)
    return {
        "offer": raw,
        "metadata": trimmed(published, kept),
        "server": server,
        "grant": grant,
        "party": [party.names.zh, party.names.en, party.known],
    }


def _server(client: IssuerClient, offer: Offer, metadata: IssuerMetadata) -> tuple[dict[str, Any], str]:
    """The first authorization server that is prepared for a grant of the offer."""
    for identifier in choose_server(offer, metadata):
        published = client.server(identifier)
        grant = choose_grant(offer, parse_server(published, identifier))
        if grant is not None:
            return published, grant
    raise CollectingRefused(Collecting.GRANT_UNKNOWN)


def read_told(told: Mapping[str, Any]) -> Looked:
    """What a collection carries, read as it was when it began."""
    offer = parse_offer(told["offer"])
    metadata = parse_issuer(told["metadata"], offer.issuer, offer.configuration_ids)
    configurations = tuple(each for each in metadata.configurations.values() if each is not None)
    zh, en, known = told["party"]
    return Looked(
        offer,
        Party(offer.issuer, Names(zh, en), _host(offer.issuer), known),
        metadata,
        parse_server(told["server"], told["server"]["issuer"]),
        told["grant"],
        configurations,
        len(offer.configuration_ids) - len(configurations),
    )


def party_of(
    identifier: str,
    own_names: Names | None,
    signer: Certificate | None,
    view: TrustView | None,
    *,
    origin: str,
    at: datetime,
) -> Party:
    """Who an issuer is: by its signed metadata, or as an office of this house; else what it calls itself."""
    entry = None
    if view is not None and signer is not None:
        entry = office_of(identifier, signer, view, at)
    elif view is not None and identifier.startswith(origin + _OWN):
        entry = view.issuers.get(IssuerId(identifier.removeprefix(origin + _OWN)))
    host = _host(identifier)
    if entry is not None and _granted(entry.history, at):
        return Party(identifier, entry.names, host, True)
    return Party(identifier, own_names or Names(host, host), host, False)


def office_of(identifier: str, signer: Certificate, view: TrustView, at: datetime) -> IssuerEntry | None:
    """The listed office whose seal or status key this is; the latter of the office that the identifier ends with.

    None for a key that is withdrawn or out of date at `at`, and for an office of a region that has left.
    """
    if not signer.not_before <= at <= signer.not_after:
        return None
    if (found := view.seals_by_thumbprint.get(signer.thumbprint)) is not None:
        stands = _granted(found.seal.history, at) and _granted(found.seal.key.history, at)
        return found.issuer if stands and found.region not in view.left else None
    named = view.issuers.get(IssuerId("/".join(urlsplit(identifier).path.split("/")[-2:])))
    if named is None or RegionCode(named.id.partition("/")[0]) in view.left:
        return None
    keys = (key for key in named.status_keys if key.thumbprint == signer.thumbprint)
    return named if any(_granted(key.history, at) for key in keys) else None


def _granted(history: Sequence[StatusChange], at: datetime) -> bool:
    return status_at(history, at) is EntryStatus.GRANTED


def _host(identifier: str) -> str:
    return urlsplit(identifier).netloc
