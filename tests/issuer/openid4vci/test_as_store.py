"""The authorization server's rows, on SQLite and PostgreSQL: once means once, whoever asks, and after a crash."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from issuer.openid4vci.model import Dataset
from issuer.openid4vci.store import (
    ACCESS,
    CODES,
    GRANTS,
    OFFERS,
    OPEN,
    REFRESH,
    REQUESTS,
    TOKENS,
    USED,
    OpenidStore,
    pack_datasets,
    unpack_datasets,
)
from server.database import migrate, open_database
from tests.issuer.office import DAY, DAY_0
from trust_registry.attestations import CertificateId
from trust_registry.edges import HolderId

ALL = (OFFERS, REQUESTS, CODES, GRANTS, TOKENS, USED)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    opened = open_database(database_url)
    migrate(opened)
    yield opened
    opened.dispose()


@pytest.fixture
def stores(engine: Engine) -> list[OpenidStore]:
    """What several processes would have."""
    return [OpenidStore(engine) for _ in range(4)]


def offer(name: str, **changes: Any) -> dict[str, Any]:
    return {
        "id": name,
        "issuer_id": "990100/civil-affairs",
        "holder_id": "holder",
        "certificate_id": "1.2.3",
        "configurations": "a b",
        "grant_type": "x",
        "made_by": "clerk",
        "approved": True,
        "code": name.encode(),
        "pin": None,
        "attempts": 0,
        "state": OPEN,
        "expires_at": DAY_0 + MINUTE,
        "grant_id": None,
        **changes,
    }


def grant(name: str, **changes: Any) -> dict[str, Any]:
    return {
        "id": name,
        "issuer_id": "990100/civil-affairs",
        "holder_id": "holder",
        "client_id": None,
        "client_key": None,
        "datasets": "[]",
        "approved": True,
        "by_identifier": False,
        "revoked": False,
        "expires_at": DAY_0 + DAY,
        **changes,
    }


def token(name: str, of: str, kind: str = ACCESS) -> dict[str, Any]:
    return {
        "digest": name.encode(),
        "grant_id": of,
        "kind": kind,
        "key_thumbprint": None,
        "datasets": None,
        "by_identifier": False,
        "used": False,
        "expires_at": DAY_0 + MINUTE,
    }


def code(name: str, of: str) -> dict[str, Any]:
    return {
        "code": name.encode(),
        "grant_id": of,
        "redirect_uri": "https://wallet.example",
        "challenge": "c",
        "key_thumbprint": None,
        "scope": None,
        "used": False,
        "expires_at": DAY_0 + MINUTE,
    }


def request(name: str) -> dict[str, Any]:
    return {
        "request_uri": name.encode(),
        "page": None,
        "issuer_id": "990100/civil-affairs",
        "client_id": "c",
        "content": "{}",
        "expires_at": DAY_0 + MINUTE,
    }


def counts(engine: Engine) -> dict[str, int]:
    with engine.connect() as connection:
        return {t.name: connection.execute(select(func.count()).select_from(t)).scalar_one() for t in ALL}


def raced(stores: list[OpenidStore], attempt: Any) -> int:
    """How many of many at once succeed."""
    with ThreadPoolExecutor(8) as pool:
        return sum(pool.map(lambda n: bool(attempt(stores[n % len(stores)], n)), range(16)))


def test_of_many_at_once_one_succeeds(stores: list[OpenidStore]) -> None:
    store = stores[0]
    store.add_offer(offer("o"))
    store.add_offer(offer("p"))
    store.add_request(request("r"))
    assert raced(stores, lambda s, _: s.once(b"nonce", DAY_0)) == 1
    assert raced(stores, lambda s, n: s.take_offer("o", grant(f"g{n}"), [token(f"t{n}", f"g{n}")])) == 1
    assert raced(stores, lambda s, _: s.cancel_offer("p")) == 1
    opening = {"client_id": "c", "issuer_id": "990100/civil-affairs", "now": DAY_0, "until": DAY_0 + MINUTE}
    assert raced(stores, lambda s, n: s.open_request(b"r", f"page{n}".encode(), **opening)) == 1
    with store.engine.connect() as connection:
        page = connection.execute(select(REQUESTS.c.page)).scalar_one()
        taken = connection.execute(select(GRANTS.c.id)).scalars().all()
    assert len(taken) == 1, "the losers left no grant behind"
    assert raced(stores, lambda s, n: s.answer_request(page, grant(f"h{n}"), code(f"c{n}", f"h{n}"), None)) == 1
    with store.engine.connect() as connection:
        issued = connection.execute(select(CODES.c.code)).scalar_one()
    used_by = issued.decode().replace("c", "h")
    assert raced(stores, lambda s, n: s.use_code(issued, [token(f"u{n}", used_by, REFRESH)])) == 1
    with store.engine.connect() as connection:
        refreshing = connection.execute(select(TOKENS.c.digest).where(TOKENS.c.kind == REFRESH)).scalar_one()
    assert raced(stores, lambda s, n: s.rotate(refreshing, [token(f"v{n}", used_by)])) == 1


def test_no_more_tries_than_there_are(stores: list[OpenidStore]) -> None:
    stores[0].add_offer(offer("o"))
    assert raced(stores, lambda s, _: s.count_attempt("o", 5)) == 5
    stores[0].lock_offer("o")
    row = stores[0].offer("o")
    assert row is not None
    assert (row["state"], row["attempts"]) == ("locked", 5)
    assert stores[0].count_attempt("unknown", 5) is None


def test_an_offer_taken_by_another_answers_no_request(stores: list[OpenidStore], engine: Engine) -> None:
    store = stores[0]
    store.add_offer(offer("o"))
    store.add_request(request("r") | {"page": b"p"})
    assert store.take_offer("o", grant("g"), [])
    assert not store.answer_request(b"p", grant("h"), code("c", "h"), "o")
    assert counts(engine)["issuer_openid_codes"] == 0
    assert store.code(b"c") is None


def test_tokens_are_found_by_kind_with_their_grant(stores: list[OpenidStore]) -> None:
    store = stores[0]
    store.add_offer(offer("o"))
    assert store.take_offer("o", grant("g"), [token("a", "g"), token("r", "g", REFRESH)])
    found = store.token(b"a", ACCESS)
    assert found is not None
    assert (found["holder_id"], found["revoked"], found["expires_at"]) == ("holder", False, DAY_0 + MINUTE)
    assert store.token(b"a", REFRESH) is None
    assert store.token(b"r", ACCESS) is None
    store.revoke("g")
    again = store.token(b"a", ACCESS)
    assert again is not None
    assert again["revoked"]


def test_what_has_expired_is_swept_and_nothing_else(stores: list[OpenidStore], engine: Engine) -> None:
    store = stores[0]
    store.add_offer(offer("o"))
    store.add_request(request("r"))
    store.once(b"n", DAY_0 + MINUTE)
    store.take_offer("o", grant("g", expires_at=DAY_0 + MINUTE), [token("t", "g")])
    store.add_request(request("q") | {"page": b"p"})
    store.answer_request(b"p", grant("h", expires_at=DAY_0 + MINUTE), code("c", "h"), None)
    before = counts(engine)
    assert store.sweep(DAY_0) == 0
    assert counts(engine) == before
    assert not store.once(b"n", DAY_0)
    store.sweep(DAY_0 + MINUTE)
    kept = {name.removeprefix("issuer_openid_"): number for name, number in counts(engine).items()}
    assert kept == {"offers": 1, "requests": 0, "codes": 1, "grants": 2, "tokens": 0, "used": 0}
    store.sweep(DAY_0 + MINUTE + DAY)
    assert not any(counts(engine).values())


def test_a_holder_can_be_forgotten(stores: list[OpenidStore], engine: Engine) -> None:
    store = stores[0]
    for name, holder in (("a", "me"), ("b", "you")):
        store.add_offer(offer(name, holder_id=holder))
        store.take_offer(name, grant(f"g{name}", holder_id=holder), [token(f"t{name}", f"g{name}")])
        store.add_request(request(name) | {"page": name.encode()})
        store.answer_request(name.encode(), grant(f"h{name}", holder_id=holder), code(f"c{name}", f"h{name}"), None)
    store.forget_holder(HolderId("me"))
    kept = {name.removeprefix("issuer_openid_"): number for name, number in counts(engine).items()}
    assert kept == {"offers": 1, "requests": 0, "codes": 1, "grants": 2, "tokens": 1, "used": 0}


def test_datasets_survive_their_column() -> None:
    datasets = (Dataset("x", CertificateId("1.2.3"), ("a",)), Dataset("y", CertificateId("1.2.3"), ("a", "b")))
    assert unpack_datasets(pack_datasets(datasets)) == datasets


_KILLED = """
    import sys
    sys.path.insert(0, {root!r})
    from issuer.openid4vci.store import OpenidStore
    from server.database import open_database
    from tests.issuer.openid4vci.test_as_store import grant, token
    store = OpenidStore(open_database({url!r}))
    for n in range(1000):
        if store.take_offer(f"o{{n}}", grant(f"g{{n}}"), [token(f"t{{n}}", f"g{{n}}")]):
            print(n, flush=True)
"""


def test_what_was_redeemed_is_redeemed_after_kill_9(tmp_path: Path) -> None:
    """The answer may be lost; the code is spent, with its grant and its tokens, or it is not spent at all."""
    url = f"sqlite:///{tmp_path}/killed.db"
    engine = open_database(url)
    migrate(engine)
    store = OpenidStore(engine)
    for n in range(200):
        store.add_offer(offer(f"o{n}"))
    script = textwrap.dedent(_KILLED).format(root=os.getcwd(), url=url)
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        told = [int(child.stdout.readline()) for _ in range(20)]
        child.send_signal(signal.SIGKILL)
        told += [int(line) for line in child.stdout if line.strip().isdigit()]
    for n in range(200):
        row = store.offer(f"o{n}")
        assert row is not None
        assert (row["state"] == "taken") == (store.token(f"t{n}".encode(), ACCESS) is not None)
        if n in told:
            assert not store.take_offer(f"o{n}", grant(f"again{n}"), [])
    engine.dispose()
