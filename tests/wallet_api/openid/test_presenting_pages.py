"""The consent page as it is served: what is said about who asks, what is marked, where texts lead that ask nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from server.app import create_app
from server.house import House
from tests.wallet_api.openid.party import MDOC_QUERY, RESPONSE_URI, SD_QUERY, Party, Wallet, Wires
from tests.wallet_api.openid.test_presenting import transaction
from tests.wallet_api.openid.test_presenting_collected import collected, degree
from tests.wallet_api.test_web import Visitor
from wallet_api.openid import presenting_pages, presenting_routes
from wallet_api.openid.credentials import CredentialFormat
from wallet_api.openid.held import held_words
from wallet_api.openid.outgoing import Answer


class Web:
    """Lin's browser, in Chinese unless a test says otherwise."""

    def __init__(self, wallet: Wallet) -> None:
        self.wallet = wallet
        town = wallet.town
        app = create_app(House(services={"wallet_api": town.service}, access=Visitor(town.citizen), now=wallet.clock))
        app.include_router(presenting_pages.router(wallet.service, town.service, app.state.edge))
        app.include_router(presenting_routes.router(wallet.service, app.state.edge))
        self.client = TestClient(app, headers={"Accept": "text/html", "Accept-Language": "zh-CN"})

    def scan(self, text: str, **headers: str) -> str:
        answer = self.client.post("/wallet/openid4vp", data={"uri": text}, headers=headers)
        assert answer.headers["cache-control"] == "no-store"
        return answer.text

    def asked(self, **parameters: Any) -> str:
        self.wallet.party.parameters |= parameters
        return self.scan(self.wallet.party.link())


@pytest.fixture
def web(wallet: Wallet) -> Iterator[Web]:
    made = Web(wallet)
    with made.client:
        yield made


def test_a_registered_counter_is_named_with_its_scenario(web: Web) -> None:
    page = web.asked()
    for words in ("西川区政务大厅", "已登记", "户口迁移（夫妻投靠）", "核实婚姻关系", "只出示必需的 2 项", "另加"):
        assert words in page
    assert 'id="confirmed"' not in page
    assert "超出事项" not in page


def test_what_goes_beyond_the_scenario_is_marked_and_asked_about_twice(web: Web) -> None:
    query = {**SD_QUERY, "claims": [{"path": ["holder_name"]}, {"path": ["identity_number"]}], "claim_sets": None}
    del query["claim_sets"]
    page = web.asked(dcql_query={"credentials": [query]})
    assert "要得太多" in page
    assert page.count("超出事项") == 1
    assert re.search(r'shown-line beyond"><span>持证人身份证件号|beyond"><span>[^<]*身份', page)
    assert 'id="confirmed"' in page
    assert "990100199003070024" in page  # behind a veil, for its holder


def test_a_stranger_is_a_stranger_and_its_name_is_only_text(web: Web) -> None:
    party = web.wallet.party = Party(name="<b>好运来</b>")
    web.wallet.wires.answers.update(Wires(party).answers)
    page = web.scan(party.link())
    assert "来历不明" in page
    assert "自称「&lt;b&gt;好运来" in page
    assert "<b>好运来" not in page


def test_english_and_transactions(web: Web) -> None:
    web.wallet.party.parameters["transaction_data"] = [transaction()]
    page = web.scan(web.wallet.party.link(), **{"Accept-Language": "en"})
    for words in ("Xichuan Government Hall", "I agree to the transfer", "Agree and show", "You also confirm"):
        assert words in page
    assert "同意迁移户口" in page  # both sentences are confirmed: whoever reads one sees that there is the other


def test_alternatives_are_offered_once(web: Web) -> None:
    both = {
        "credentials": [SD_QUERY, {**MDOC_QUERY, "id": "m"}],
        "credential_sets": [{"options": [["marriage"], ["m"]]}],
    }
    page = web.asked(dcql_query=both)
    assert page.count("data-option=") == 1


def test_a_link_on_the_same_device_is_opened_by_a_form(web: Web) -> None:
    page = web.client.get(
        "/wallet/openid4vp", params={"client_id": "x509_hash:a", "request_uri": "https://a.example"}
    ).text
    assert "data-opening" in page
    assert "openid4vp://?client_id=x509_hash%3Aa&amp;request_uri=https%3A%2F%2Fa.example" in page
    assert web.wallet.wires.sent == []
    assert 'value="web+openid4vp://x"' in web.client.get("/wallet/openid4vp", params={"uri": "web+openid4vp://x"}).text


def test_an_offer_goes_to_where_offers_are_collected(web: Web) -> None:
    offer = "openid-credential-offer://?credential_offer_uri=https%3A%2F%2Fa.example%2Fo"
    answer = web.client.post("/wallet/openid4vp", data={"uri": offer}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (307, "/wallet/collect")  # nothing of it in a URL


@pytest.mark.parametrize(
    ("text", "words"),
    [("YXP:ABC", "由窗口来扫"), ("你好", "这不是出示请求"), ("openid4vp://?client_id=did:x", "不支持")],
)
def test_other_texts_are_told_what_they_are(web: Web, text: str, words: str) -> None:
    link = text if "client_id" not in text else f"{text}&request_uri=https://a.example"
    page = web.scan(link)
    assert words in page
    assert "对方没有得到您的任何信息" in page


def test_after_the_answer_the_page_says_who_has_it(web: Web) -> None:
    request = web.wallet.open()
    web.wallet.consent(request)
    page = web.client.get(f"/wallet/openid4vp/{request}").text
    assert "已出示" in page
    assert "西川区政务大厅" in page


def test_the_list_of_uses_names_what_was_collected_elsewhere(web: Web) -> None:
    wallet = web.wallet
    collected(wallet, CredentialFormat.SD_JWT_VC)
    wallet.town.service.collected_words = lambda holder: held_words(wallet.credentials.of(holder), wallet.view)
    wallet.consent(degree(wallet), confirmed=True)
    pages = [web.client.get(path, headers={"Accept-Language": "en"}).text for path in ("/wallet/log", "/wallet")]
    assert all("looked at Degree" in page for page in pages)
    assert "Family name" in pages[0]
    wallet.credentials.forget(wallet.lin, [each.id for each in wallet.credentials.of(wallet.lin)])
    assert "looked at a certificate" in web.client.get("/wallet/log", headers={"Accept-Language": "en"}).text


def test_saying_no_leads_back_to_who_asked(web: Web) -> None:
    go_on = b'{"redirect_uri": "https://hall.xichuan.example/done"}'
    web.wallet.wires.answers[RESPONSE_URI] = lambda sent: Answer(200, {"content-type": "application/json"}, go_on)
    request = web.wallet.open()
    page = web.client.post(f"/wallet/openid4vp/{request}/decline").text
    assert "已拒绝" in page
    assert 'href="https://hall.xichuan.example/done"' in page
    again = web.client.post(f"/wallet/openid4vp/{request}/decline")
    assert again.status_code == 409


def test_the_scan_page_takes_pasted_links_without_a_camera(web: Web) -> None:
    page = web.client.get("/wallet/scan").text
    assert 'name="uri"' in page
    assert "data-scanner" in page
