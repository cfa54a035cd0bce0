"""Deferred issuance as the demonstration offers it: a residence permit, a wallet that waits, a clerk who decides.

Through the real routes: the desk's pages, the wallet's JSON, the protocol's endpoints. Spec: OpenID4VCI 1.0 section 9.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from starlette.testclient import TestClient

from issuer.model import CertificateSummary, RenderingKind
from issuer.openid4vci.offers import PRE_AUTHORIZED
from keys.algorithms import ES256
from keys.envelopes.base64url import b64url_encode
from keys.envelopes.jws import sign_jws
from keys.signer import EphemeralSigner
from server.demo.people import CHEN, RESIDENCE_CLERKS
from server.demo.world import RESIDENCE_PERMIT
from tests.server.real_house import ORIGIN, RealHouse, built
from tests.wallet_api.openid.collecting_world import Browser, IntoTheHouse
from trust_registry.edges import AccountId
from trust_registry.model import IssuerId
from wallet_api.openid.collecting_steps import ToSign
from wallet_api.openid.collecting_store import CollectionState

OFFICE = IssuerId("990200/public-security")
ISSUER = f"{ORIGIN}/issuers/{OFFICE}"
SD_JWT, MDOC = "990200.residence-permit.sd_jwt_vc", "990200.residence-permit.mdoc"
CALLBACK = "http://127.0.0.1:9/callback"
VERIFIER = "v" * 43
CLERK, SECOND = RESIDENCE_CLERKS
API = "/api/wallet/openid4vci"
PAGE = {"accept": "text/html"}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealHouse]:
    """The hosted wallet's one way out leads back into the house."""
    made = built(tmp_path_factory)
    client = made.house.protocols["wallet_api.openid"].collecting._client
    before, client._outgoing = client._outgoing, IntoTheHouse(made.client())
    yield made
    client._outgoing = before


@pytest.fixture(scope="module")
def permit(house: RealHouse) -> CertificateSummary:
    issuer = house.house.services["issuer"]
    holder = issuer.find_holder(CHEN.kind, CHEN.number)
    (found,) = [each for each in issuer.held(holder) if each.attestation.type_id == RESIDENCE_PERMIT]
    summary: CertificateSummary = issuer.certificate(found.attestation.certificate_id)
    return summary


def offered(house: RealHouse, permit: CertificateSummary, **how: Any) -> str:
    """The link of an offer that no clerk has approved."""
    service = house.house.protocols["issuer.openid4vci"]
    holder = service.issuer.find_holder(CHEN.kind, CHEN.number)
    made = service.offers.make(
        tenant=service.tenants.find(OFFICE),
        holder_id=holder,
        certificate_id=permit.certificate_id,
        made_by=AccountId("demo"),
        with_pin=False,
        **{"approved": False, "kinds": (RenderingKind.SD_JWT_VC,), **how},
    )
    return str(made.by_value)


def decide(house: RealHouse, clerk: str, **form: str) -> None:
    """Decide the newest request at the desk."""
    desk = house.signed_in(clerk)
    found = re.search(r'"(/desk/wallet-requests/[0-9a-f]+)"', desk.get("/desk/wallet-requests").text)
    assert found, "nothing waits"
    assert desk.post(found[1], data=form, headers=PAGE).status_code == 200


class Outside:
    """A wallet of somebody else's."""

    def __init__(self, house: RealHouse, token: dict[str, Any]) -> None:
        self.client, self.clock = house.client(), house.clock
        assert "access_token" in token, token
        self.bearer = {"authorization": f"Bearer {token['access_token']}"}

    @classmethod
    def by_offer(cls, house: RealHouse, link: str) -> Outside:
        document = json.loads(parse_qs(urlsplit(link).query)["credential_offer"][0])
        code = document["grants"][PRE_AUTHORIZED]["pre-authorized_code"]
        form = {"grant_type": PRE_AUTHORIZED, "pre-authorized_code": code}
        return cls(house, house.client().post(f"{ISSUER}/token", data=form).json())

    @classmethod
    def by_consent(cls, house: RealHouse) -> Outside:
        """The authorization code flow, begun by the wallet: the citizen agrees in their browser."""
        challenge = b64url_encode(hashlib.sha256(VERIFIER.encode()).digest()).decode()
        asked = {
            "response_type": "code",
            "client_id": "someone's wallet",
            "redirect_uri": CALLBACK,
            "state": "s",
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            "scope": SD_JWT,
        }
        client = house.client()
        pushed = client.post(f"{ISSUER}/par", data=asked).json()
        query = urlencode({"client_id": asked["client_id"], "request_uri": pushed["request_uri"]})
        code = agreed(house, f"/issuers/{OFFICE}/authorize?{query}")["code"]
        form = {"grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER, "redirect_uri": CALLBACK}
        return cls(house, client.post(f"{ISSUER}/token", data={**form, "client_id": asked["client_id"]}).json())

    def request(self, configuration: str) -> dict[str, Any]:
        key = EphemeralSigner.generate(ES256)
        nonce = self.client.post(f"{ISSUER}/nonce").json()["c_nonce"]
        claims = {"aud": ISSUER, "iat": int(self.clock().timestamp()), "nonce": nonce}
        header = {"typ": "openid4vci-proof+jwt", "jwk": key.public_key.jwk()}
        proof = sign_jws(header, json.dumps(claims).encode(), key)
        return {"credential_configuration_id": configuration, "proofs": {"jwt": [proof]}}

    def ask(self, configuration: str = SD_JWT) -> Any:
        return self.client.post(f"{ISSUER}/credential", json=self.request(configuration), headers=self.bearer)

    def come_back(self, transaction: str) -> Any:
        body = {"transaction_id": transaction}
        return self.client.post(f"{ISSUER}/deferred_credential", json=body, headers=self.bearer)


def agreed(house: RealHouse, path: str) -> dict[str, str]:
    """The citizen agrees to everything; the parameters that the wallet gets back."""
    chen = house.signed_in(CHEN.account)
    page = chen.get(path, headers=PAGE)
    assert page.status_code == 200, page.text[-2000:]
    action = re.search(r'<form[^>]*action="([^"]*/authorize/[^"]+)"', page.text)
    fields = re.findall(r'<input[^>]*name="([^"]+)"[^>]*value="([^"]*)"', page.text)
    target = html.unescape(action[1]) if action else str(page.url.raw_path, "ascii")
    data = {name: html.unescape(value) for name, value in fields}
    answer = chen.post(target, data={**data, "answer": "allow"}, headers=PAGE, follow_redirects=False)
    assert answer.status_code in (302, 303), answer.text[-2000:]
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}


def test_the_demonstrations_permit_was_sealed_by_two_clerks(house: RealHouse, permit: CertificateSummary) -> None:
    store = house.house.services["issuer"].store
    (waiting,) = [each for each in store.all_waiting(OFFICE) if each.certificate_id == permit.certificate_id]
    assert waiting.requested_by != waiting.decided_by
    assert "已办结" in house.signed_in(SECOND).get("/desk/waiting").text


@pytest.mark.parametrize("configuration", [SD_JWT, MDOC])
def test_an_outside_wallet_waits_and_collects_once_approved(
    house: RealHouse, permit: CertificateSummary, configuration: str
) -> None:
    """Sections 8.3 (202, transaction_id, interval), 9.1 and 9.2."""
    kind = RenderingKind.SD_JWT_VC if configuration == SD_JWT else RenderingKind.MDOC
    wallet = Outside.by_offer(house, offered(house, permit, kinds=(kind,)))
    answer = wallet.ask(configuration)
    assert answer.status_code == 202, answer.text
    assert set(answer.json()) == {"transaction_id", "interval"}
    transaction = answer.json()["transaction_id"]
    assert wallet.come_back(transaction).status_code == 202
    decide(house, CLERK, step="approve")
    collected = wallet.come_back(transaction)
    assert collected.status_code == 200, collected.text
    assert len(collected.json()["credentials"]) == 1
    again = wallet.come_back(transaction)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_transaction_id")


def test_an_outside_wallet_is_told_of_the_refusal(house: RealHouse, permit: CertificateSummary) -> None:
    """Section 9.3: credential_request_denied."""
    wallet = Outside.by_offer(house, offered(house, permit))
    transaction = wallet.ask().json()["transaction_id"]
    decide(house, SECOND, step="refuse", reason="wallet_not_accepted")
    denied = wallet.come_back(transaction)
    assert (denied.status_code, denied.json()["error"]) == (400, "credential_request_denied")


def test_what_a_clerk_hands_out_does_not_wait(house: RealHouse, permit: CertificateSummary) -> None:
    answer = Outside.by_offer(house, offered(house, permit, approved=True)).ask()
    assert answer.status_code == 200, answer.text


def test_a_wallet_that_began_by_itself_waits_too(house: RealHouse) -> None:
    """The citizen's consent is not the office's: authorization code flow without an offer."""
    wallet = Outside.by_consent(house)
    answer = wallet.ask()
    assert answer.status_code == 202, answer.text
    decide(house, CLERK, step="approve")
    assert wallet.come_back(answer.json()["transaction_id"]).status_code == 200


class Hosted:
    """The citizen's wallet here, through its JSON routes."""

    def __init__(self, house: RealHouse) -> None:
        self.house, self.client, self.browser = house, house.signed_in(CHEN.account), Browser()

    def collect(self, link: str) -> dict[str, Any]:
        looked = self._post("", {"offer": link}, 201)
        self.id = looked["id"]
        step = self._post(f"/{self.id}/start", {"keys": self.browser.keys(looked["keys"])})
        if step["redirect"] is not None:
            query = urlsplit(step["redirect"])
            answer = agreed(self.house, f"{query.path}?{query.query}")
            back = self.client.get("/wallet/openid4vci/callback", params=answer, headers=PAGE)
            assert back.status_code == 200, back.text[-2000:]
            step = self._post(f"/{self.id}/start", {"keys": []})
        return self._post(f"/{self.id}/finish", {"signatures": self._signed(step)})

    def check(self) -> Any:
        return self.client.post(f"{API}/{self.id}/check")

    def _signed(self, step: dict[str, Any]) -> dict[str, str]:
        class Signing:
            to_sign = tuple(ToSign(each["key"], each["data"]) for each in step["to_sign"])

        return self.browser.sign(Signing())  # type: ignore[arg-type]

    def _post(self, path: str, body: Any, status: int = 200) -> dict[str, Any]:
        answer = self.client.post(f"{API}{path}", json=body)
        assert answer.status_code == status, answer.text
        found: dict[str, Any] = answer.json()
        return found


@pytest.mark.parametrize("grant", ["pre-authorized_code", "authorization_code"])
def test_the_hosted_wallet_waits_and_collects_once_approved(
    house: RealHouse, permit: CertificateSummary, grant: str
) -> None:
    hosted = Hosted(house)
    step = hosted.collect(offered(house, permit, grant=grant))
    assert (step["state"], step["waiting"], step["kept"]) == ("waiting", True, [])
    decide(house, CLERK, step="approve")
    assert hosted.check().json()["state"] == "waiting", "asked before the interval was over"
    with house.clock.later(timedelta(seconds=61)):
        done = hosted.check()
        assert done.status_code == 200, done.text
        assert done.json()["state"] == "done"
        assert done.json()["kept"]


def test_the_hosted_wallet_tells_the_citizen_of_a_refusal(house: RealHouse, permit: CertificateSummary) -> None:
    hosted = Hosted(house)
    assert hosted.collect(offered(house, permit))["waiting"]
    decide(house, CLERK, step="refuse", reason="not_the_holder")
    with house.clock.later(timedelta(seconds=61)):
        denied = hosted.check()
        assert (denied.status_code, denied.json()["errors"][0]["field"]) == (422, "credential_request_denied")
        left: TestClient = hosted.client
        told = left.get(f"{API}/{hosted.id}").json()
        assert (told["state"], told["failure"]["code"]) == ("failed", "credential_request_denied")


def test_a_wallet_that_waited_longer_than_its_token_comes_back(house: RealHouse, permit: CertificateSummary) -> None:
    """RFC 6749 section 6; HAIP 1.0: the refresh token is the attested instance's, which attests itself again."""
    hosted = Hosted(house)
    assert hosted.collect(offered(house, permit))["waiting"]
    decide(house, CLERK, step="approve")
    collector = house.house.protocols["wallet_api.openid"].collecting
    holder = house.house.services["issuer"].find_holder(CHEN.kind, CHEN.number)
    asked = collector._client._outgoing.asked
    with house.clock.later(timedelta(days=2)):
        assert collector.check(holder, hosted.id).collection.state is CollectionState.WAITING, "a new token first"
        (_, path, headers, body) = asked[-1]
        assert path.endswith("/token")
        assert b"grant_type=refresh_token" in body
        assert "OAuth-Client-Attestation" in headers
    with house.clock.later(timedelta(days=2, seconds=61)):
        assert collector.check(holder, hosted.id).collection.state is CollectionState.DONE
