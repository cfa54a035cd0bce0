"""Keeping presentation requests: the only code that sees their rows. Judges nothing and makes no token.

What would name a person or lend a key (nonce, state, ephemeral key, what came back) is sealed with the deployment key
and bound to its row; tokens are kept as SHA-256. A row is erased `KEPT` after it began.
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import (
    Engine,
    Executable,
    Select,
    bindparam,
    delete,
    insert,
    select,
    update,
)

from keys.data_keys import DeploymentKey
from trust_registry.model import RelyingPartyId, ScenarioId, TypeId
from verifier.dcql.model import DcqlQuery
from verifier.dcql.parsing import parse_dcql, query_to_json
from verifier.openid4vp.model import (
    KEPT,
    Answer,
    ClientIdPrefix,
    PresentationRequest,
    RequestState,
    ResponseMode,
    Terms,
)
from verifier.openid4vp.tables import PresentationRequestRow

_TABLE: Final = PresentationRequestRow.__table__  # type: ignore[attr-defined]
# Built once: building a statement costs as much as running it.
_ADD: Final = insert(_TABLE)
_ERASE: Final = delete(_TABLE).where(_TABLE.c.begun_at <= bindparam("until"))
_BY_ID: Final = select(_TABLE).where(_TABLE.c.id == bindparam("value"))
_BY_REQUEST: Final = select(_TABLE).where(_TABLE.c.request_digest == bindparam("value"))
_BY_RESPONSE: Final = select(_TABLE).where(_TABLE.c.response_digest == bindparam("value"))
_WAITING, _FETCHED = RequestState.WAITING.value, RequestState.FETCHED.value
_FETCH: Final = (
    update(_TABLE).where((_TABLE.c.id == bindparam("key")) & (_TABLE.c.state == _WAITING)).values(state=_FETCHED)
)
_ANSWER: Final = (
    update(_TABLE)
    .where((_TABLE.c.id == bindparam("key")) & ((_TABLE.c.state == _WAITING) | (_TABLE.c.state == _FETCHED)))
    .values(state=bindparam("outcome"), answer=bindparam("sealed"), response_code=bindparam("code"))
)


def digest_of_token(token: str) -> bytes:
    """What is stored of a token: its SHA-256. 256 random bits need no salt."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


class _Prepared:
    """A statement in the driver's own words, for the hot path: what SQLAlchemy does to each costs more than to run it.

    One statement is a transaction by itself. What comes back is as the driver has it.
    """

    def __init__(self, statement: Executable, engine: Engine) -> None:
        compiled: Any = statement.compile(dialect=engine.dialect)  # type: ignore[attr-defined]
        self._engine = engine
        self._text = str(compiled)
        self._constants: dict[str, Any] = compiled.params
        self._order: list[str] | None = compiled.positiontup

    def row(self, **values: Any) -> dict[str, Any] | None:
        """The one row that a query finds, by column."""
        with closing(self._engine.raw_connection()) as connection:
            cursor = connection.cursor()
            cursor.execute(self._text, self._given(values))
            found = cursor.fetchone()
            names = [each[0] for each in cursor.description]
            cursor.close()
        return None if found is None else dict(zip(names, found, strict=True))

    def change(self, **values: Any) -> int:
        """How many rows were changed; durable when this returns."""
        with closing(self._engine.raw_connection()) as connection:
            cursor = connection.cursor()
            cursor.execute(self._text, self._given(values))
            changed: int = cursor.rowcount
            cursor.close()
            connection.commit()
        return changed

    def _given(self, values: dict[str, Any]) -> Any:
        given = {**self._constants, **values}
        return given if self._order is None else tuple(given[name] for name in self._order)


class RequestStore:
    """Presentation requests by id and by their two tokens."""

    def __init__(self, engine: Engine, key: DeploymentKey) -> None:
        self._engine = engine
        self._key = key
        self._find_answered = _Prepared(_BY_RESPONSE, engine)
        self._keep_answer = _Prepared(_ANSWER, engine)

    def add(self, request: PresentationRequest, request_token: str) -> None:
        """Keep a new request; durable when this returns. Erases those whose time is over."""
        with self._engine.begin() as connection:
            connection.execute(_ERASE, {"until": request.begun_at - KEPT})
            connection.execute(
                _ADD,
                {
                    "id": request.id,
                    "request_digest": digest_of_token(request_token),
                    "response_digest": digest_of_token(request.terms.response_token),
                    "browser": request.browser,
                    "relying_party": request.relying_party,
                    "scenario": request.scenario,
                    "state": request.state.value,
                    "begun_at": request.begun_at,
                    "terms": self._seal(request.id, "terms", _terms_to_json(request.terms)),
                },
            )

    def erase(self, now: datetime) -> None:
        """Erase every request that began `KEPT` ago or earlier."""
        with self._engine.begin() as connection:
            connection.execute(_ERASE, {"until": now - KEPT})

    def by_id(self, id: str) -> PresentationRequest | None:
        return self._one(_BY_ID, id)

    def by_request_token(self, token: str) -> PresentationRequest | None:
        return self._one(_BY_REQUEST, digest_of_token(token))

    def by_response_token(self, token: str) -> PresentationRequest | None:
        row = self._find_answered.row(value=digest_of_token(token))
        return None if row is None else self._read(row)

    def fetched(self, id: str) -> None:
        """A wallet has fetched it, for the first time or again."""
        with self._engine.begin() as connection:
            connection.execute(_FETCH, {"key": id})

    def answered(self, id: str, answer: Answer, response_code: str | None) -> bool:
        """Keep the one answer; False when there is one already. Durable when this returns."""
        state = RequestState.ANSWERED if answer.error is None else RequestState.DECLINED
        sealed = self._seal(id, "answer", _answer_to_json(answer))
        code = None if response_code is None else digest_of_token(response_code)
        return bool(self._keep_answer.change(key=id, outcome=state.value, sealed=sealed, code=code))

    def _one(self, query: Select[Any], value: str | bytes) -> PresentationRequest | None:
        with self._engine.connect() as connection:
            row = connection.execute(query, {"value": value}).mappings().one_or_none()
        return None if row is None else self._read(row)

    def _read(self, row: Mapping[Any, Any]) -> PresentationRequest:
        id, answer = row["id"], row["answer"]
        return PresentationRequest(
            id,
            RelyingPartyId(row["relying_party"]),
            ScenarioId(row["scenario"]),
            RequestState(row["state"]),
            _instant(row["begun_at"]),
            _terms_from_json(self._open(id, "terms", row["terms"])),
            None if answer is None else _answer_from_json(self._open(id, "answer", answer)),
            row["browser"],
            row["response_code"],
        )

    def _seal(self, id: str, column: str, content: Mapping[str, Any]) -> bytes:
        return self._key.wrap(json.dumps(content, ensure_ascii=False).encode("utf-8"), _context(id, column))

    def _open(self, id: str, column: str, sealed: bytes) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._key.unwrap(sealed, _context(id, column)))
        return found


def _instant(value: datetime | str) -> datetime:
    """SQLite's driver gives text, in UTC."""
    if isinstance(value, str):
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _context(id: str, column: str) -> bytes:
    return f"presentation request {id} {column}".encode()


def _terms_to_json(terms: Terms) -> dict[str, Any]:
    return {
        "client_id": terms.client_id,
        "prefix": terms.prefix.value,
        "mode": terms.mode.value,
        "nonce": terms.nonce,
        "state": terms.state,
        "response_token": terms.response_token,
        "secret": None if terms.secret is None else b64encode(terms.secret).decode("ascii"),
        "query": json.dumps(query_to_json(terms.query), ensure_ascii=False),
        "types": dict(terms.types),
        "transaction_data": list(terms.transaction_data),
        "origins": list(terms.origins),
        "same_device": terms.same_device,
    }


def _terms_from_json(found: Mapping[str, Any]) -> Terms:
    return Terms(
        found["client_id"],
        ClientIdPrefix(found["prefix"]),
        ResponseMode(found["mode"]),
        found["nonce"],
        found["state"],
        found["response_token"],
        None if found["secret"] is None else b64decode(found["secret"]),
        _query(found["query"]),
        {id: TypeId(type_id) for id, type_id in found["types"].items()},
        tuple(found["transaction_data"]),
        tuple(found["origins"]),
        found["same_device"],
    )


@lru_cache(maxsize=64)  # one for each scenario: it names nobody, and costs more to read than all the rest
def _query(text: str) -> DcqlQuery:
    return parse_dcql(json.loads(text))


def _answer_to_json(answer: Answer) -> dict[str, Any]:
    return {
        "received_at": answer.received_at.isoformat(),
        "presentations": {id: list(texts) for id, texts in answer.presentations.items()},
        "error": answer.error,
        "origin": answer.origin,
    }


def _answer_from_json(found: Mapping[str, Any]) -> Answer:
    return Answer(
        datetime.fromisoformat(found["received_at"]),
        {id: tuple(texts) for id, texts in found["presentations"].items()},
        found["error"],
        found["origin"],
    )
