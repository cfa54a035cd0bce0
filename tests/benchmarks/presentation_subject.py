"""The server of `bench_openid4vp`: the protocol's routes over a database file, the trivial request beside them.

It makes the wallet's answers, too, outside of what is timed: `GET /prepare?count=40` gives paths and bodies to post.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any
from unittest.mock import Mock
from urllib.parse import urlencode, urlsplit

from fastapi import FastAPI

from server.database import migrate, open_database
from tests.verifier.openid4vp.conftest import BROWSER, CLERK, Counter, credential
from tests.verifier.openid4vp.wallet import Wallet, read_link, read_request
from tests.verifier.small_world import TRANSFER
from verifier.openid4vp import routes

_folder = tempfile.TemporaryDirectory()
_engine = open_database(f"sqlite:///{Path(_folder.name) / 'bench.db'}")
migrate(_engine)
_counter = Counter(_engine)
_counter.trust, _statuses = _counter.view(), _counter.world.statuses()
_counter.verifier._statuses = lambda: _statuses
_credential = credential()

app = FastAPI()
app.include_router(routes.router(_counter.requests, Mock()))


@app.get("/example")
async def trivial() -> dict[str, bool]:
    """The least that a FastAPI request can be."""
    return {"ok": True}


@app.get("/prepare")
def prepare(count: int) -> list[list[str]]:
    """Requests that wait, and for each the encrypted answer: path and body."""
    return [_prepared() for _ in range(count)]


def _prepared() -> list[str]:
    requests = _counter.requests
    begun = requests.begin(CLERK, TRANSFER, browser=BROWSER)
    asked = read_request(requests.fetch(urlsplit(read_link(begun.uri).request_uri).path.rpartition("/")[2]))
    query = asked.query("sd-jwt")
    text = _counter.wallet.show_sd_jwt(_credential, query, asked)
    form: dict[str, Any] = Wallet.form(asked, {query["id"]: [text]})
    return [urlsplit(asked.claims["response_uri"]).path, urlencode(form)]
