"""Collecting over HTTP: JSON for programs and the browser's script, pages for people; an issuer of somebody else's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from tests.server.real_house import RealHouse, built
from tests.wallet_api.openid.collecting_world import Browser
from tests.wallet_api.openid.foreign_issuer import ForeignIssuer, json_of
from wallet_api.openid.collecting_steps import ToSign

API = "/api/wallet/openid4vci"
PAGE = {"accept": "text/html"}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> RealHouse:
    return built(tmp_path_factory)


@pytest.fixture
def issuer(house: RealHouse) -> Iterator[ForeignIssuer]:
    client = house.house.protocols["wallet_api.openid"].collecting._client
    before, client._outgoing = client._outgoing, ForeignIssuer()
    yield client._outgoing
    client._outgoing = before


@pytest.fixture
def lin(house: RealHouse) -> TestClient:
    return house.signed_in("lin.xiao")


def signed(browser: Browser, step: dict) -> dict[str, str]:
    class _Step:
        to_sign = tuple(ToSign(each["key"], each["data"]) for each in step["to_sign"])

    return browser.sign(_Step())


def collected(lin: TestClient, issuer: ForeignIssuer) -> dict:
    browser = Browser()
    preview = lin.post(API, json={"offer": issuer.text}).json()
    started = lin.post(f"{API}/{preview['id']}/start", json={"keys": browser.keys(preview["keys"])})
    assert started.status_code == 200, started.text
    finished = lin.post(f"{API}/{preview['id']}/finish", json={"signatures": signed(browser, started.json())})
    assert finished.status_code == 200, finished.text
    return finished.json()


def test_a_program_collects_over_json(lin: TestClient, issuer: ForeignIssuer) -> None:
    answer = lin.post(API, json={"offer": issuer.text})
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    preview = answer.json()
    assert preview["state"] == "offered"
    assert preview["issuer"]["names"] == {"zh": "Example University", "en": "Example University"}
    assert preview["issuer"]["registered"] is False
    assert preview["credentials"][0]["names"]["en"] == "Student card"
    assert preview["tx_code"] is None
    assert "code-1" not in answer.text, "the pre-authorized code is nobody's business here"
    done = collected(lin, issuer)
    assert done["state"] == "done"
    assert len(done["kept"]) == 1
    assert lin.get(f"{API}/{done['id']}").json()["kept"] == done["kept"]


def test_what_the_issuer_refuses_is_a_problem_document_in_words(lin: TestClient, issuer: ForeignIssuer) -> None:
    issuer.answers["/token"] = json_of({"error": "invalid_grant"}, 400)
    preview = lin.post(API, json={"offer": issuer.text}).json()
    answer = lin.post(f"{API}/{preview['id']}/start", json={"keys": Browser().keys(1)})
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert answer.json()["errors"][0]["field"] == "invalid_grant"
    assert lin.get(f"{API}/{preview['id']}").json()["failure"]["code"] == "invalid_grant"


@pytest.mark.parametrize("body", [{}, {"offer": ""}, {"offer": 1}, {"offer": "a", "b": 1}])
def test_what_is_no_request(lin: TestClient, body: dict) -> None:
    assert lin.post(API, json=body).status_code == 422


def test_another_citizen_finds_nothing(house: RealHouse, lin: TestClient, issuer: ForeignIssuer) -> None:
    preview = lin.post(API, json={"offer": issuer.text}).json()
    other = house.signed_in("zhou.yuan")
    for method, path in (("GET", ""), ("POST", "/start"), ("POST", "/check")):
        answer = other.request(method, f"{API}/{preview['id']}{path}", json={} if method == "POST" else None)
        assert answer.json()["errors"][0]["field"] == "collection_unknown"
    assert other.delete(f"{API}/{preview['id']}").status_code == 204
    assert lin.get(f"{API}/{preview['id']}").status_code == 200
    assert other.get(f"/wallet/collect/{preview['id']}", headers=PAGE).status_code == 422


class TestPages:
    def test_an_offer_is_looked_at_and_its_issuer_warned_of(self, lin: TestClient, issuer: ForeignIssuer) -> None:
        page = lin.post("/wallet/collect", data=self.form(lin, offer=issuer.text), headers=PAGE)
        assert page.status_code == 200, page.text
        assert "Example University" in page.text
        assert "未登记" in page.text
        assert "code-1" not in page.text
        assert page.headers["cache-control"] == "no-store"

    def test_a_link_fetches_nothing_before_the_citizen_says_so(self, lin: TestClient, issuer: ForeignIssuer) -> None:
        page = lin.get("/wallet/collect?credential_offer_uri=https%3A%2F%2Fissuer.example%2Foffer", headers=PAGE)
        assert "credential_offer_uri=https" in page.text
        assert issuer.asked == []

    def test_what_is_no_offer_is_told_on_the_page(self, lin: TestClient, issuer: ForeignIssuer) -> None:
        page = lin.post("/wallet/collect", data=self.form(lin, offer="hello"), headers=PAGE)
        assert page.status_code == 422
        assert "不是领取证照的二维码或链接" in page.text

    def test_markup_in_an_issuers_words_stays_words(self, lin: TestClient, issuer: ForeignIssuer) -> None:
        issuer.metadata["display"] = [{"name": "<script>alert(1)</script>"}]
        page = lin.post("/wallet/collect", data=self.form(lin, offer=issuer.text), headers=PAGE)
        assert "<script>alert" not in page.text
        assert "&lt;script&gt;alert" in page.text

    def test_a_card_is_shown_opened_and_removed(self, lin: TestClient, issuer: ForeignIssuer) -> None:
        issuer.claims = {"given_name": "<b>Erika</b>"}
        done = collected(lin, issuer)
        assert f"/wallet/collect/{done['id']}" not in lin.get("/wallet", headers=PAGE).text
        assert "Student card" in lin.get("/wallet", headers=PAGE).text
        (held,) = done["kept"]
        page = lin.get(f"/wallet/held/{held}", headers=PAGE)
        assert "&lt;b&gt;Erika" in page.text
        assert "机构未登记" in page.text
        gone = lin.post(f"/wallet/held/{held}/forget", data=self.form(lin), headers=PAGE, follow_redirects=False)
        assert gone.status_code == 303
        assert lin.get(f"/wallet/held/{held}", headers=PAGE).status_code == 404

    def test_waiting_is_said_on_the_list_of_cards(self, lin: TestClient, issuer: ForeignIssuer) -> None:
        issuer.waiting = 3
        waiting = collected(lin, issuer)
        assert waiting["state"] == "waiting"
        assert f"/wallet/collect/{waiting['id']}" in lin.get("/wallet", headers=PAGE).text
        assert "等待机构核准" in lin.get(f"/wallet/collect/{waiting['id']}", headers=PAGE).text
        lin.delete(f"{API}/{waiting['id']}")

    def test_an_authorization_response_with_a_parameter_twice(self, lin: TestClient) -> None:
        """RFC 6749 section 3.1."""
        path = "/wallet/openid4vci/callback?state=a&state=b&code=c"
        assert lin.get(path, headers=PAGE, follow_redirects=False).status_code == 400

    def test_an_authorization_response_that_nobody_waits_for(self, lin: TestClient) -> None:
        path = "/wallet/openid4vci/callback?state=a&code=c"
        assert lin.get(path, headers=PAGE, follow_redirects=False).status_code == 422

    def test_another_citizens_card_is_not_there(self, house: RealHouse, lin: TestClient, issuer: ForeignIssuer) -> None:
        (held,) = collected(lin, issuer)["kept"]
        assert house.signed_in("zhou.yuan").get(f"/wallet/held/{held}", headers=PAGE).status_code == 404

    @staticmethod
    def form(client: TestClient, **fields: str) -> dict[str, str]:
        return {"csrf_token": client.headers["X-CSRF-Token"], **fields}
