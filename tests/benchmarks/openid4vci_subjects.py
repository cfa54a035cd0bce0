"""Servers for `bench_openid4vci`: the real application over a demonstration folder, and a trivial FastAPI handler."""

from __future__ import annotations

import json
import tempfile
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from issuer.model import HolderIdentity, IssueRequest, RenderingKind
from server.demo.people import ISSUES, PEOPLE
from server.observation import configure_logs
from server.running import settle
from tests.server.real_house import RealHouse
from trust_registry.edges import AccountId

FLOWS_PER_CERTIFICATE = 100  # a certificate may be copied 200 times in a month


def trivial() -> FastAPI:
    """What FastAPI costs by itself."""
    app = FastAPI()

    @app.get("/example")
    async def example() -> dict[str, bool]:
        return {"ok": True}

    return app


class Offering:
    """The application, with `GET /bench/offers` in front of it: a hundred fresh offers of one certificate."""

    def __init__(self, app: ASGIApp, house: Any) -> None:
        self._app = app
        self._house = house
        self._numbers = count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] not in ("/bench/offers", "/example"):
            await self._app(scope, receive, send)
            return
        found: Any = {"at": int(self._house.clock().timestamp())}
        if scope["path"] == "/bench/offers":
            found["offers"] = self._offers()
        body = json.dumps(found).encode()
        headers = [(b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _offers(self) -> list[str]:
        """Of a marriage certificate that is issued for them, in the SD-JWT VC form."""
        service = self._house.house.protocols["issuer.openid4vci"]
        issue = ISSUES[0]
        person = next(each for each in PEOPLE if each.account == issue.holder)
        holder = HolderIdentity(person.kind, person.number, person.name)
        seal = next(each for each in service.issuer.seals(issue.office) if issue.type_id in each.scope)
        key = f"bench-{next(self._numbers)}"
        made = service.issuer.issue(IssueRequest(issue.type_id, holder, issue.claims, seal.id, AccountId("bench"), key))
        offers = (
            service.offers.make(
                tenant=service.tenants.find(issue.office),
                holder_id=service.issuer.holder(holder),
                certificate_id=made.summary.certificate_id,
                made_by=AccountId("bench"),
                kinds=(RenderingKind.SD_JWT_VC,),
                with_pin=False,
                approved=True,
            )
            for _ in range(FLOWS_PER_CERTIFICATE)
        )
        return [parse_qs(urlsplit(offer.by_reference).query)["credential_offer_uri"][0] for offer in offers]


def issuing() -> ASGIApp:
    """The whole application, as `yinxin serve` runs it."""
    configure_logs("json", "info")  # as is the default
    house = RealHouse(Path(tempfile.mkdtemp(prefix="yinxin-bench-")) / "demo")
    settle()
    return Offering(house.app, house)
