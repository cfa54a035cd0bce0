"""Collecting over JSON, for a holder's browser or another program of theirs: look, start, finish. No decision.

POST /api/wallet/openid4vci {offer}; /{id}/start {keys, tx_code?} -> to_sign or redirect; /{id}/finish {signatures}.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, ConfigDict, Field

from trust_registry.edges import Edge, Principal, Role
from trust_registry.model import Names
from wallet_api.openid.collecting import Collector
from wallet_api.openid.collecting_offer import Looked
from wallet_api.openid.collecting_settling import Step
from wallet_api.openid.collecting_steps import MAX_KEYS
from wallet_api.openid.collecting_store import Collection, CollectionState
from wallet_api.openid.offers import MAX_OFFER
from wallet_api.service import holder_of

BASE = "/api/wallet/openid4vci"
_PRIVATE = {"Cache-Control": "no-store"}
Thumbprint = Annotated[str, Field(min_length=43, max_length=43)]
Signature = Annotated[str, Field(min_length=1, max_length=200)]


class OfferRequest(BaseModel):
    """The text of a QR code or link."""

    model_config = ConfigDict(extra="forbid")
    offer: str = Field(min_length=1, max_length=3 * MAX_OFFER)


class StartRequest(BaseModel):
    """Public keys of the browser, once; and the transaction code, where one is asked for."""

    model_config = ConfigDict(extra="forbid")
    keys: list[dict[str, Annotated[str, Field(max_length=128)]]] = Field(default_factory=list, max_length=MAX_KEYS)
    tx_code: str | None = Field(default=None, max_length=64)


class FinishRequest(BaseModel):
    """Raw ECDSA signatures in base64url, by the thumbprint of their keys."""

    model_config = ConfigDict(extra="forbid")
    signatures: dict[Thumbprint, Signature] = Field(max_length=MAX_KEYS)


def collecting_routes(collector: Collector, edge: Edge) -> APIRouter:
    """`/api/wallet/openid4vci...`, for citizens."""
    routes = APIRouter(tags=["wallet"])
    citizens = Depends(edge.require(Role.CITIZEN))

    @routes.post(BASE, status_code=201)
    def look(wanted: OfferRequest, response: Response, citizen: Principal = citizens) -> dict[str, Any]:
        response.headers.update(_PRIVATE)
        return collection_to_json(collector, collector.begin(holder_of(citizen), wanted.offer))

    @routes.get(BASE + "/{collection_id}")
    def state(collection_id: str, response: Response, citizen: Principal = citizens) -> dict[str, Any]:
        response.headers.update(_PRIVATE)
        return collection_to_json(collector, collector.get(holder_of(citizen), collection_id))

    @routes.post(BASE + "/{collection_id}/start")
    def start(
        collection_id: str, wanted: StartRequest, response: Response, citizen: Principal = citizens
    ) -> dict[str, Any]:
        response.headers.update(_PRIVATE)
        return step_to_json(collector.start(holder_of(citizen), collection_id, wanted.keys, wanted.tx_code))

    @routes.post(BASE + "/{collection_id}/finish")
    def finish(
        collection_id: str, wanted: FinishRequest, response: Response, citizen: Principal = citizens
    ) -> dict[str, Any]:
        response.headers.update(_PRIVATE)
        return step_to_json(collector.finish(holder_of(citizen), collection_id, wanted.signatures))

    @routes.post(BASE + "/{collection_id}/check")
    def check(collection_id: str, response: Response, citizen: Principal = citizens) -> dict[str, Any]:
        response.headers.update(_PRIVATE)
        return step_to_json(collector.check(holder_of(citizen), collection_id))

    @routes.delete(BASE + "/{collection_id}", status_code=204)
    def forget(collection_id: str, citizen: Principal = citizens) -> None:
        collector.store.forget(holder_of(citizen), collection_id)

    return routes


def collection_to_json(collector: Collector, collection: Collection) -> dict[str, Any]:
    """What was offered, by whom, and how far it is."""
    looked = collector.look(collection)
    failure = collection.told.get("failure")
    return {
        "id": collection.id,
        "state": collection.state.value,
        "expires_at": collection.expires_at.isoformat(),
        "issuer": {
            "identifier": looked.party.identifier,
            "host": looked.party.host,
            "names": _names(looked.party.names),
            "registered": looked.party.known,
        },
        "credentials": [
            {
                "configuration_id": each.id,
                "format": each.format.value,
                "type": each.type,
                "names": _names(each.names),
                "hue": each.hue,
            }
            for each in looked.configurations
        ],
        "left_out": looked.left_out,
        "grant": looked.grant,
        "tx_code": _tx_code(looked),
        "keys": looked.keys,
        "failure": None if failure is None else {"code": failure[0], "names": {"zh": failure[1], "en": failure[2]}},
        "kept": list(collection.told.get("kept", ())),
    }


def step_to_json(step: Step) -> dict[str, Any]:
    """What the browser does next."""
    return {
        "id": step.collection.id,
        "state": step.collection.state.value,
        "to_sign": [{"key": each.key_thumbprint, "data": each.data} for each in step.to_sign],
        "redirect": step.redirect,
        "kept": list(step.kept),
        "unused": list(step.unused),
        "waiting": step.collection.state is CollectionState.WAITING,
    }


def _tx_code(looked: Looked) -> dict[str, Any] | None:
    described = looked.transaction_code
    if described is None:
        return None
    return {
        "input_mode": "numeric" if described.numeric else "text",
        "length": described.length,
        "description": described.description,
    }


def _names(names: Names) -> Mapping[str, str]:
    return {"zh": names.zh, "en": names.en}
