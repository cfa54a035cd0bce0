"""The hosted wallet answers this house's own counter, in both formats, modes and prefixes; the verdict stands."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from starlette.testclient import TestClient

from keys.algorithms import ES256
from keys.envelopes.base64url import b64url_decode, b64url_encode
from keys.signer import EphemeralSigner
from tests.server.real_house import RealHouse, built
from trust_registry.edges import AccountId, Principal, Role
from trust_registry.model import RelyingPartyId, ScenarioId
from verifier.openid4vp.model import ClientIdPrefix, Progress, RequestState, ResponseMode, TransactionData
from wallet_api.openid.outgoing import Answer
from wallet_api.openid.transactions import CONFIRMATION

pytestmark = pytest.mark.xdist_group("real-house")
FAMILY = ScenarioId("990200/marriage-benefit")
CLERK = Principal(
    AccountId("clerk"),
    "clerk",
    frozenset({Role.COUNTER_CLERK}),
    relying_party_id=RelyingPartyId("990200/government-hall"),
)


class Loop:
    """`Outgoing` to this house itself."""

    def __init__(self, client: TestClient) -> None:
        self.client = client

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        most: int = 0,
    ) -> Answer:
        answer = self.client.request(method, urlsplit(url).path, headers=dict(headers or {}), content=body)
        return Answer(answer.status_code, {k.lower(): v for k, v in answer.headers.items()}, answer.content)


class Spoiling:
    """A wire that puts another signature into the key bindings on their way."""

    def __init__(self, inner: Loop) -> None:
        self.inner = inner

    def send(self, method: str, url: str, *, body: bytes | None = None, **sent: Any) -> Answer:
        form = dict(parse_qsl((body or b"").decode()))
        if "vp_token" in form:
            token = json.loads(form["vp_token"])
            bad = {id: [f"{text.rpartition('.')[0]}.{'A' * 86}" for text in texts] for id, texts in token.items()}
            body = urlencode({**form, "vp_token": json.dumps(bad)}).encode()
        return self.inner.send(method, url, body=body, **sent)


class Phone:
    """A citizen's browser: device keys, and the wallet's JSON."""

    def __init__(self, house: RealHouse, account: str = "lin.xiao") -> None:
        self.client = house.signed_in(account)
        self.keys: dict[str, EphemeralSigner] = {}

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        answer = self.client.post(f"/api/wallet/openid4vp{path}", json=dict(body))
        assert answer.is_success, answer.text
        told: dict[str, Any] = answer.json()
        return told

    def choose(self, preview: Mapping[str, Any], format: str) -> dict[str, Any]:
        """The first certificate in this format, and the least of it."""
        queries = {id: q for id, q in preview["queries"].items() if q["format"] == format and q["options"]}
        first = {id: query["options"][0] for id, query in queries.items()}
        return {
            id: {"option": option["id"], "claims": option["claim_sets"][0]["number"]} for id, option in first.items()
        }

    def show(self, uri: str, format: str) -> dict[str, Any]:
        preview = self.post("", {"uri": uri})
        assert preview["requester"]["standing"] == "registered"
        choices = {"choices": self.choose(preview, format), "thumbprints": list(self.keys)}
        needed = self.post(f"/{preview['id']}/prepare", choices)
        if "keys_needed" in needed:
            made = [EphemeralSigner.generate(ES256) for _ in range(needed["keys_needed"])]
            self.keys |= {each.public_key.thumbprint(): each for each in made}
            keys = [each.public_key.jwk() for each in made]
            needed = self.post(f"/{preview['id']}/prepare", {**choices, "keys": keys})
        signatures = [
            self.keys[each["thumbprint"]].sign(b64url_decode(each["data"].encode())) for each in needed["to_sign"]
        ]
        return self.post(f"/{preview['id']}/answer", {"signatures": [b64url_encode(s).decode() for s in signatures]})


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> RealHouse:
    made = built(tmp_path_factory)
    made.house.protocols["wallet_api.openid"].presenting._outgoing = Loop(made.client())
    return made


@pytest.mark.parametrize("prefix", list(ClientIdPrefix))
@pytest.mark.parametrize("mode", [ResponseMode.DIRECT_POST, ResponseMode.DIRECT_POST_JWT])
@pytest.mark.parametrize("format", ["dc+sd-jwt", "mso_mdoc"])
def test_what_the_wallet_shows_passes_at_the_counter(
    house: RealHouse, prefix: ClientIdPrefix, mode: ResponseMode, format: str
) -> None:
    requests = house.house.protocols["verifier.openid4vp"]
    begun = requests.begin(CLERK, FAMILY, browser="b", prefix=prefix, mode=mode)
    Phone(house).show(begun.uri, format)
    progress: Progress = requests.look(begun.id, "b")
    assert progress.state is RequestState.ANSWERED
    assert [each.report.indication.name for each in progress.verdicts] == ["PASSED"]


def newest_use(house: RealHouse) -> str:
    """Who looked last and with what verdict, as Lin's page of uses has it."""
    page = house.signed_in("lin.xiao").get("/wallet/log", headers={"Accept": "text/html"}).text
    first = page[page.index('<li class="use">') :]
    return first[: first.index("</li>")]


@pytest.mark.parametrize("format", ["dc+sd-jwt", "mso_mdoc"])
def test_the_citizen_reads_what_this_houses_counter_found(house: RealHouse, format: str) -> None:
    begun = house.house.protocols["verifier.openid4vp"].begin(CLERK, FAMILY, browser="b")
    Phone(house).show(begun.uri, format)
    use = newest_use(house)
    assert "可以受理" in use
    assert "结论未回报" not in use


def test_a_presentation_that_the_counter_refuses_is_noted_as_such(house: RealHouse) -> None:
    """What was refused was seen all the same; its verdict is the counter's."""
    requests = house.house.protocols["verifier.openid4vp"]
    begun = requests.begin(CLERK, FAMILY, browser="b", mode=ResponseMode.DIRECT_POST)
    presenting = house.house.protocols["wallet_api.openid"].presenting
    honest = presenting._outgoing
    presenting._outgoing = Spoiling(honest)
    try:
        with pytest.raises(AssertionError, match="answer-refused"):
            Phone(house).show(begun.uri, "dc+sd-jwt")
    finally:
        presenting._outgoing = honest
    assert requests.look(begun.id, "b").verdicts[0].report.indication.name == "FAILED"
    assert "未被受理" in newest_use(house)


def test_on_the_same_device_the_browser_is_sent_back_to_the_counter(house: RealHouse) -> None:
    """Spec: HAIP 1.0 section 5.1: Wallets MUST follow the redirect."""
    requests = house.house.protocols["verifier.openid4vp"]
    begun = requests.begin(CLERK, FAMILY, browser="b", same_device=True)
    told = Phone(house).show(begun.uri, "dc+sd-jwt")
    assert "/counter/requests/" in told["redirect_uri"]


def test_a_transaction_is_confirmed_with_the_presentation(house: RealHouse) -> None:
    requests = house.house.protocols["verifier.openid4vp"]
    confirmed = TransactionData(CONFIRMATION, {"zh": "同意办理", "en": "I agree"}, ("sha-512", "sha-256"))
    begun = requests.begin(CLERK, FAMILY, browser="b", transaction_data=[confirmed])
    Phone(house).show(begun.uri, "dc+sd-jwt")
    (verdict,) = requests.look(begun.id, "b").verdicts
    assert verdict.report.indication.name == "PASSED"


def test_declining_reaches_the_counter(house: RealHouse) -> None:
    requests = house.house.protocols["verifier.openid4vp"]
    begun = requests.begin(CLERK, FAMILY, browser="b")
    phone = Phone(house)
    request = phone.post("", {"uri": begun.uri})["id"]
    phone.post(f"/{request}/decline", {})
    assert requests.look(begun.id, "b").state is RequestState.DECLINED
    assert phone.client.get(f"/api/wallet/openid4vp/{request}").json()["state"] == "declined"


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("", {}, 422),
        ("", {"uri": "hello"}, 422),
        ("", {"uri": "openid4vp://?client_id=x", "more": 1}, 422),
        ("/none/prepare", {"choices": {}}, 404),
        ("/none/prepare", {"choices": {"a": {"option": "b", "claims": -1}}}, 422),
        ("/none/answer", {"signatures": ["%%%"]}, 422),
        ("/none/answer", {"signatures": ["AAAA"]}, 404),
        ("/none/decline", {}, 404),
    ],
)
def test_json_that_is_no_answer(house: RealHouse, path: str, body: dict[str, Any], status: int) -> None:
    answer = house.signed_in("lin.xiao").post(f"/api/wallet/openid4vp{path}", json=body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["", "/x/prepare", "/x/answer", "/x/decline"])
@pytest.mark.parametrize("headers", [{"X-CSRF-Token": "0" * 64}, {"Origin": "https://thief.example"}])
def test_another_sites_page_answers_nothing_for_the_citizen(
    house: RealHouse, path: str, headers: dict[str, str]
) -> None:
    """Attack: cross-site request forgery, against the pages and the JSON alike."""
    client = house.signed_in("lin.xiao")
    for where in (f"/api/wallet/openid4vp{path}", f"/wallet/openid4vp{path}"):
        answer = client.post(where, json={"uri": "openid4vp://?client_id=a"}, headers=headers)
        assert answer.status_code == 403
