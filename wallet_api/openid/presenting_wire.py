"""Presenting over JSON: what a citizen's own devices send and read. Refuses what it does not know; decides nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from keys.envelopes.base64url import b64url_encode
from trust_registry.model import Names
from wallet_api.openid.answers import ToSign
from wallet_api.openid.copying import MAX_KEYS
from wallet_api.openid.matching import Line, Option, QueryOffer
from wallet_api.openid.presenting_service import Answered, Preview
from wallet_api.openid.requester import Requester
from wallet_api.openid.requests import MAX_LINK
from wallet_api.wire import instant

_Thumbprint = Annotated[str, Field(max_length=43)]
_Coordinate = Annotated[str, Field(max_length=128)]
_STRICT = ConfigDict(extra="forbid", strict=True)


class OpenRequest(BaseModel):
    """The text of a scanned code, or a link."""

    model_config = _STRICT

    uri: str = Field(max_length=MAX_LINK)


class ChoiceWire(BaseModel):
    """For one credential query: an option's id, and the number of a combination of claims."""

    model_config = _STRICT

    option: str = Field(max_length=64)
    claims: int = Field(ge=0, le=1024)


class PrepareRequest(BaseModel):
    """What is consented to. `confirmed`: said a second time, where who asks is not registered or asks too much."""

    model_config = _STRICT

    choices: dict[Annotated[str, Field(max_length=256)], ChoiceWire] = Field(max_length=64)
    keys: list[dict[Annotated[str, Field(max_length=16)], _Coordinate]] = Field(default=[], max_length=MAX_KEYS)
    thumbprints: list[_Thumbprint] = Field(default=[], max_length=4096)
    confirmed: bool = False


class AnswerRequest(BaseModel):
    """The raw signatures (r || s, base64url) over what was to be signed, in that order."""

    model_config = _STRICT

    signatures: list[Annotated[str, Field(max_length=86)]] = Field(max_length=64)


def preview_to_json(preview: Preview) -> dict[str, Any]:
    """The request as its citizen's devices read it; without what is asked, once it was answered."""
    body: dict[str, Any] = {
        "id": preview.id,
        "state": preview.state.value,
        "expires_at": instant(preview.expires_at),
    }
    if preview.asked is None or preview.requester is None or preview.offer is None:
        return body
    offer = preview.offer
    return body | {
        "requester": _requester(preview.requester),
        "answerable": offer.answerable,
        "needs_confirmation": preview.requester.standing.needs_confirmation,
        "sets": [{"required": each.required, "options": [list(ids) for ids in each.options]} for each in offer.sets],
        "queries": {id: _query(each) for id, each in offer.queries.items()},
        "transactions": [_names(each.words) for each in preview.asked.transactions],
    }


def to_sign_to_json(needed: Sequence[ToSign]) -> dict[str, Any]:
    """What each key has to sign."""
    return {"to_sign": [{"thumbprint": e.thumbprint, "data": b64url_encode(e.data).decode("ascii")} for e in needed]}


def answered_to_json(answered: Answered) -> dict[str, Any]:
    """Where the browser goes on."""
    return {"redirect_uri": answered.redirect_uri}


def _names(names: Names) -> Mapping[str, str]:
    return {"zh": names.zh, "en": names.en}


def _requester(requester: Requester) -> Mapping[str, Any]:
    scenario = requester.scenario
    return {
        "standing": requester.standing.value,
        "names": _names(requester.names),
        "host": requester.host,
        "region": _names(requester.region) if requester.region else None,
        "relying_party_id": requester.party.id if requester.party else None,
        "scenario": None
        if scenario is None
        else {"id": scenario.id, "names": _names(scenario.names), "purpose": _names(scenario.purpose)},
        "extras": [{"query": each.query_id, "path": list(each.path)} for each in requester.extras],
    }


def _query(offer: QueryOffer) -> Mapping[str, Any]:
    return {
        "format": offer.query.format,
        "asked": _names(offer.asked),
        "options": [_option(each) for each in offer.options],
        "where": [_names(each) for each in offer.where],
    }


def _option(option: Option) -> Mapping[str, Any]:
    return {
        "id": option.id,
        "names": _names(option.names),
        "issuer": _names(option.issuer),
        "certificate_id": option.detail.holding.certificate_id if option.detail else None,
        "thumbprints": [each.key_thumbprint for each in option.batch],
        "claim_sets": [
            {"number": each.number, "claims": [_line(line) for line in each.lines]} for each in option.claim_sets
        ],
        "always": [_line(line) for line in option.always],
    }


def _line(line: Line) -> Mapping[str, Any]:
    return {"path": list(line.path), "names": _names(line.names), "value": line.value}
