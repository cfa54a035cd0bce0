"""The authorization server's rows: each change is one transaction, each thing that may happen once happens once.

What was redeemed is so after a crash, too; two processes that redeem the same can't both succeed (the database decides
by a conditional UPDATE). Decides nothing else, and reads no clock.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Engine, Table, bindparam, delete, insert, select, text, update
from sqlmodel import SQLModel

from issuer.openid4vci import tables
from issuer.openid4vci.model import Dataset
from trust_registry.attestations import CertificateId
from trust_registry.columns import UtcDateTime
from trust_registry.edges import HolderId
from trust_registry.prepared import Prepared, reading, writing

OPEN: Final = "open"
ACCESS: Final = "access"
REFRESH: Final = "refresh"
KEPT: Final = timedelta(days=1)  # what was used is known for so long, to recognise a second use


def _table(row: type[SQLModel]) -> Table:
    return SQLModel.metadata.tables[str(row.__tablename__)]


OFFERS = _table(tables.OfferRow)
REQUESTS = _table(tables.AuthorizationRequestRow)
CODES = _table(tables.CodeRow)
GRANTS = _table(tables.GrantRow)
TOKENS = _table(tables.TokenRow)
USED = _table(tables.UsedRow)

# Built once: SQLAlchemy finds what it compiled by the statement, and these are asked for in every flow.
_OFFER = select(OFFERS).where(OFFERS.c.id == bindparam("offer"))
_OFFER_OF_CODE = select(OFFERS).where(OFFERS.c.code == bindparam("code"))
_TAKE_OFFER = (
    update(OFFERS)
    .where(OFFERS.c.id == bindparam("offer"), OFFERS.c.state == OPEN)
    .values(state=bindparam("to"), grant_id=bindparam("grant"))
)
_CODE = (
    select(CODES, GRANTS.c.issuer_id, GRANTS.c.client_id, GRANTS.c.client_key, GRANTS.c.datasets)
    .add_columns(GRANTS.c.by_identifier, GRANTS.c.expires_at.label("grant_ends"))
    .join(GRANTS, GRANTS.c.id == CODES.c.grant_id)
    .where(CODES.c.code == bindparam("code_digest"))
)
_USE_CODE = update(CODES).where(CODES.c.code == bindparam("code_digest"), CODES.c.used.is_(False)).values(used=True)
_TOKEN = (
    select(TOKENS, GRANTS.c.issuer_id, GRANTS.c.holder_id, GRANTS.c.client_id, GRANTS.c.client_key)
    .add_columns(GRANTS.c.datasets.label("all_datasets"), GRANTS.c.approved, GRANTS.c.revoked)
    .add_columns(GRANTS.c.expires_at.label("grant_ends"))
    .join(GRANTS, GRANTS.c.id == TOKENS.c.grant_id)
    .where(TOKENS.c.digest == bindparam("token"), TOKENS.c.kind == bindparam("wanted"))
)
_USE_TOKEN = update(TOKENS).where(TOKENS.c.digest == bindparam("token"), TOKENS.c.used.is_(False)).values(used=True)
_USE_ONCE = text(
    "INSERT INTO issuer_openid_used (digest, until) VALUES (:digest, :until) ON CONFLICT DO NOTHING"
).bindparams(bindparam("until", type_=UtcDateTime()))
_ADD_GRANT = insert(GRANTS)
_ADD_TOKENS = insert(TOKENS)

Row = Mapping[Any, Any]


class OpenidStore:
    """Rows in, rows out; digests of secrets only."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._use_once = Prepared(_USE_ONCE, engine)
        self._offer, self._offer_of_code = Prepared(_OFFER, engine), Prepared(_OFFER_OF_CODE, engine)
        self._token, self._take_offer = Prepared(_TOKEN, engine), Prepared(_TAKE_OFFER, engine)
        self._add_grant, self._add_token = Prepared(_ADD_GRANT, engine), Prepared(_ADD_TOKENS, engine)

    @property
    def engine(self) -> Engine:
        """Where the rows are, for those who keep theirs beside them."""
        return self._engine

    @property
    def embedded(self) -> bool:
        """Whether to look something up is to read a file, which waits for nobody."""
        return self._engine.dialect.name == "sqlite"

    def once(self, digest: bytes, until: datetime, cursor: Any = None) -> bool:
        """Whether this is the first use of what `digest` (SHA-256) stands for; remembered until `until` at least.

        `cursor`: of the driver, for a transaction with which this holds or not; else it holds at once.
        """
        if cursor is not None:
            return bool(self._use_once.run(cursor, digest=digest, until=until).rowcount == 1)
        with writing(self._engine, lasting=False) as own:
            return self.once(digest, until, own)

    # Offers

    def add_offer(self, row: Row) -> None:
        """A new offer; `row` is that of `tables.OfferRow`."""
        with self._engine.begin() as connection:
            connection.execute(insert(OFFERS), dict(row))

    def offer(self, offer_id: str) -> Row | None:
        """The offer of this id."""
        with reading(self._engine) as cursor:
            return self._offer.one(cursor, offer=offer_id)

    def offer_of_code(self, code: bytes) -> Row | None:
        """The offer whose pre-authorized code or issuer_state has this digest."""
        with reading(self._engine) as cursor:
            return self._offer_of_code.one(cursor, code=code)

    def count_attempt(self, offer_id: str, most: int) -> int | None:
        """Count a try of the transaction code before it is judged, durably; the number so far, or None when `most`
        tries were had or the offer is not open. Counting first leaves nothing to those who try many at once.
        """
        c = OFFERS.c
        counted = (
            update(OFFERS)
            .where(c.id == offer_id, c.state == OPEN, c.attempts < most)
            .values(attempts=c.attempts + 1)
            .returning(c.attempts)
        )
        with self._engine.begin() as connection:
            return connection.execute(counted).scalar_one_or_none()

    def lock_offer(self, offer_id: str) -> None:
        """No further try: the offer is locked."""
        with self._engine.begin() as connection:
            connection.execute(_TAKE_OFFER, {"offer": offer_id, "to": "locked", "grant": None})

    def cancel_offer(self, offer_id: str) -> bool:
        """Whether the offer was open; it is cancelled now."""
        with self._engine.begin() as connection:
            values = {"offer": offer_id, "to": "cancelled", "grant": None}
            return connection.execute(_TAKE_OFFER, values).rowcount == 1

    def take_offer(self, offer_id: str, grant: Row, tokens: Sequence[Row]) -> bool:
        """Redeem an open offer for a grant and its tokens, all or nothing; False when somebody was faster."""
        with writing(self._engine) as cursor:
            if self._take_offer.run(cursor, offer=offer_id, to="taken", grant=grant["id"]).rowcount != 1:
                return False
            self._add_grant.run(cursor, **grant)
            for each in tokens:
                self._add_token.run(cursor, **each)
        return True

    # Authorization requests and codes

    def add_request(self, row: Row) -> None:
        """A pushed authorization request; `row` is that of `tables.AuthorizationRequestRow`."""
        with self._engine.begin() as connection:
            connection.execute(insert(REQUESTS), dict(row))

    def open_request(
        self, request_uri: bytes, page: bytes, *, client_id: str, issuer_id: str, now: datetime, until: datetime
    ) -> bool:
        """Whether the request was opened by this: from now on, and until `until`, `page` finds it. False: unknown,
        another's, opened before, expired.
        """
        c = REQUESTS.c
        mine = (c.request_uri == request_uri) & (c.client_id == client_id) & (c.issuer_id == issuer_id)
        opened = update(REQUESTS).where(mine, c.page.is_(None), c.expires_at > now)
        with self._engine.begin() as connection:
            return connection.execute(opened.values(page=page, expires_at=until)).rowcount == 1

    def opened_request(self, page: bytes, now: datetime) -> Row | None:
        """The request behind a page, while it waits for an answer."""
        with self._engine.connect() as connection:
            query = select(REQUESTS).where(REQUESTS.c.page == page, REQUESTS.c.expires_at > now)
            return connection.execute(query).mappings().one_or_none()

    def answer_request(self, page: bytes, grant: Row | None, code: Row | None, offer_id: str | None) -> bool:
        """Answer a request: with a code for a grant, or (None) with a refusal. False when it was answered before, or
        when its offer was taken by somebody else.
        """
        with self._engine.begin() as connection:
            if connection.execute(delete(REQUESTS).where(REQUESTS.c.page == page)).rowcount != 1:
                return False
            if grant is None or code is None:
                return True
            if offer_id is not None:
                values = {"offer": offer_id, "to": "taken", "grant": grant["id"]}
                if connection.execute(_TAKE_OFFER, values).rowcount != 1:
                    return False
            _add(connection, grant, ())
            connection.execute(insert(CODES), dict(code))
        return True

    def code(self, digest: bytes) -> Row | None:
        """The authorization code with its grant's columns."""
        with self._engine.connect() as connection:
            return connection.execute(_CODE, {"code_digest": digest}).mappings().one_or_none()

    def use_code(self, digest: bytes, tokens: Sequence[Row]) -> bool:
        """Redeem a code for tokens; False when it was used before."""
        with self._engine.begin() as connection:
            if connection.execute(_USE_CODE, {"code_digest": digest}).rowcount != 1:
                return False
            connection.execute(_ADD_TOKENS, [dict(each) for each in tokens])
        return True

    # Tokens

    def token(self, digest: bytes, kind: str) -> Row | None:
        """The token with its grant's columns."""
        with reading(self._engine) as cursor:
            return self._token.one(cursor, token=digest, wanted=kind)

    def add_tokens(self, tokens: Sequence[Row]) -> None:
        """More tokens of a grant that goes on."""
        with self._engine.begin() as connection:
            connection.execute(_ADD_TOKENS, [dict(each) for each in tokens])

    def rotate(self, digest: bytes, tokens: Sequence[Row]) -> bool:
        """Use a refresh token for new tokens; False when it was used before."""
        with self._engine.begin() as connection:
            if connection.execute(_USE_TOKEN, {"token": digest}).rowcount != 1:
                return False
            connection.execute(_ADD_TOKENS, [dict(each) for each in tokens])
        return True

    def revoke(self, grant_id: str) -> None:
        """End a grant: none of its tokens works from now on."""
        with self._engine.begin() as connection:
            connection.execute(update(GRANTS).where(GRANTS.c.id == grant_id).values(revoked=True))

    # Housekeeping

    def forget_holder(self, holder_id: HolderId) -> None:
        """Delete the holder's offers and grants, with what came of them."""
        with self._engine.begin() as connection:
            granted = select(GRANTS.c.id).where(GRANTS.c.holder_id == holder_id)
            connection.execute(delete(TOKENS).where(TOKENS.c.grant_id.in_(granted)))
            connection.execute(delete(CODES).where(CODES.c.grant_id.in_(granted)))
            connection.execute(delete(GRANTS).where(GRANTS.c.holder_id == holder_id))
            connection.execute(delete(OFFERS).where(OFFERS.c.holder_id == holder_id))

    def sweep(self, now: datetime) -> int:
        """Delete what has expired; the number of rows. Used codes and taken offers stay a day longer."""
        expired = [
            delete(USED).where(USED.c.until <= now),
            delete(REQUESTS).where(REQUESTS.c.expires_at <= now),
            delete(OFFERS).where(OFFERS.c.expires_at <= now - KEPT),
            delete(CODES).where(CODES.c.expires_at <= now - KEPT),
            delete(TOKENS).where(TOKENS.c.expires_at <= now),
            delete(GRANTS).where(GRANTS.c.expires_at <= now - KEPT),
        ]
        with self._engine.begin() as connection:
            return sum(connection.execute(each).rowcount for each in expired)


def _add(connection: Connection, grant: Row, tokens: Sequence[Row]) -> None:
    connection.execute(_ADD_GRANT, dict(grant))
    if tokens:
        connection.execute(_ADD_TOKENS, [dict(each) for each in tokens])


def pack_datasets(datasets: Sequence[Dataset]) -> str:
    """Datasets as a column's text."""
    return json.dumps([[each.identifier, each.certificate_id, *each.configurations] for each in datasets])


def unpack_datasets(packed: str) -> tuple[Dataset, ...]:
    """What `pack_datasets` packed."""
    rows = json.loads(packed)
    return tuple(Dataset(row[0], CertificateId(row[1]), tuple(row[2:])) for row in rows)
