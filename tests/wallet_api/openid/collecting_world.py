"""A wallet that collects from the offices of a real house, in process: the one way out leads into the application."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from starlette.testclient import TestClient

from issuer.model import HolderKind, RenderingKind
from keys.algorithms import ES256
from keys.envelopes.base64url import b64url_decode, b64url_encode
from keys.signer import EphemeralSigner
from server.demo.people import LIN
from tests.server.real_house import CIVIL_AFFAIRS, ORIGIN, RealHouse
from trust_registry.catalogue import MARRIAGE_CERTIFICATE
from trust_registry.edges import AccountId
from wallet_api.openid.collecting import Collector
from wallet_api.openid.collecting_settling import Step
from wallet_api.openid.collecting_store import CollectingStore, Collection
from wallet_api.openid.credentials import WalletCredentials
from wallet_api.openid.outgoing import Answer, NotReached, Unreached

Alter = Callable[[str, str, Answer], Answer]  # (method, path, what came) -> what the wallet gets


class IntoTheHouse:
    """`Outgoing` by way of the application itself; `alter` stands in the middle."""

    def __init__(self, client: TestClient) -> None:
        self.client = client
        self.asked: list[tuple[str, str, Mapping[str, str], bytes | None]] = []
        self.alter: Alter = lambda method, path, answer: answer

    def send(self, method, url, *, headers=None, body=None, most=1 << 20):
        parts = urlsplit(url)
        if f"{parts.scheme}://{parts.netloc}" != ORIGIN:
            raise NotReached(Unreached.UNKNOWN_HOST, parts.netloc)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        self.asked.append((method, parts.path, dict(headers or {}), body))
        answered = self.client.request(method, path, headers=dict(headers or {}), content=body, follow_redirects=False)
        answer = Answer(answered.status_code, {k.lower(): v for k, v in answered.headers.items()}, answered.content)
        return self.alter(method, parts.path, answer)

    def paths(self) -> list[str]:
        return [path.rpartition("/")[2] for _, path, _, _ in self.asked]


def json_answer(value: Any, status: int = 200, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, {"content-type": "application/json", **named}, json.dumps(value).encode())


class Browser:
    """The citizen's: keys that never leave it."""

    def __init__(self) -> None:
        self.signers: dict[str, EphemeralSigner] = {}

    def keys(self, count: int) -> list[dict[str, str]]:
        made = [EphemeralSigner.generate(ES256) for _ in range(count)]
        self.signers |= {each.public_key.thumbprint(): each for each in made}
        return [each.public_key.jwk() for each in made]

    def sign(self, step: Step) -> dict[str, str]:
        return {
            each.key_thumbprint: b64url_encode(
                self.signers[each.key_thumbprint].sign(b64url_decode(each.data.encode()))
            ).decode()
            for each in step.to_sign
        }


class Wallet:
    """A citizen's hosted wallet of its own, and the offices' offers."""

    def __init__(self, house: RealHouse, person: Any = LIN) -> None:
        self.house = house
        self.issuing = house.house.protocols["issuer.openid4vci"]
        self.outgoing = IntoTheHouse(house.client())
        engine = house.house.services["issuer"].store.engine
        key = house.house.services["issuer"].store._key
        self.credentials = WalletCredentials(engine, key)
        self.store = CollectingStore(engine, key)
        self.collector = Collector(
            self.outgoing,
            self.store,
            self.credentials,
            house.clock,
            view=lambda: house.view,
            origin=ORIGIN,
        )
        self.browser = Browser()
        issuer = house.house.services["issuer"]
        found = issuer.find_holder(HolderKind.CITIZEN, person.number)
        assert found is not None
        self.holder = found
        held = issuer.held(found)
        self.marriage = next(
            e.attestation.certificate_id for e in held if e.attestation.type_id == MARRIAGE_CERTIFICATE
        )

    def offer(self, **how: Any) -> Any:
        """An offer of the marriage certificate, in both formats and approved unless `how` says otherwise."""
        tenant = self.issuing.tenants.find(how.pop("office", CIVIL_AFFAIRS))
        how = {"with_pin": False, "approved": True, "kinds": (RenderingKind.SD_JWT_VC, RenderingKind.MDOC)} | how
        return self.issuing.offers.make(
            tenant=tenant, holder_id=self.holder, certificate_id=self.marriage, made_by=AccountId("clerk"), **how
        )

    def begin(self, text: str) -> Collection:
        return self.collector.begin(self.holder, text)

    def start(self, begun: Collection, tx_code: str | None = None) -> Step:
        keys = self.browser.keys(self.collector.look(begun).keys)
        return self.collector.start(self.holder, begun.id, keys, tx_code)

    def finish(self, step: Step) -> Step:
        return self.collector.finish(self.holder, step.collection.id, self.browser.sign(step))

    def collect(self, text: str, tx_code: str | None = None) -> Step:
        return self.finish(self.start(self.begin(text), tx_code))
