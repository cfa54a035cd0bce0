"""Handing a certificate to a wallet: who may, what is shown once, what becomes of it, and what is nobody else's."""

from __future__ import annotations

import html
import logging
import re
from urllib.parse import unquote, urlsplit

import pytest
from starlette.testclient import TestClient

from server.demo.people import LIN
from tests.server.real_house import CIVIL_AFFAIRS, ORIGIN, RealHouse, built
from tests.wallet_api.openid.collecting_world import Wallet

PAGE = {"accept": "text/html"}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> RealHouse:
    return built(tmp_path_factory)


@pytest.fixture(scope="module")
def wallet(house: RealHouse) -> Wallet:
    return Wallet(house, LIN)


def form(client: TestClient, **fields: str) -> dict[str, str]:
    return {"csrf_token": client.headers["X-CSRF-Token"], **fields}


def shown(text: str) -> tuple[str, str, str | None]:
    """The offer's id, its link, its transaction code."""
    link = html.unescape(re.search(r'<code id="offer-link">([^<]+)</code>', text)[1])
    code = re.search(r'id="tx-code"[^>]*>([^<]+)<', text)
    id = re.search(r'data-state-url="/(?:desk|wallet)/hand-outs/([0-9a-f]{64})"', text)[1]
    return id, link, None if code is None else code[1].replace(" ", "")


def at_the_desk(house: RealHouse, wallet: Wallet, **fields: str) -> tuple[str, str, str | None]:
    clerk = house.signed_in("clerk.minzheng")
    fields = {"sd_jwt_vc": "1", "mdoc": "1", **fields}
    page = clerk.post(f"/desk/hand-out/{wallet.marriage}", data=form(clerk, **fields), headers=PAGE)
    assert page.status_code == 200, page.text
    assert page.headers["cache-control"] == "no-store"
    return shown(page.text)


def test_the_desk_makes_an_approved_offer_in_the_clerks_name(house: RealHouse, wallet: Wallet, caplog) -> None:
    with caplog.at_level(logging.INFO):
        id, link, code = at_the_desk(house, wallet, with_code="1")
    row = wallet.issuing.store.offer(id)
    assert row["approved"]
    assert row["made_by"]
    assert row["issuer_id"] == CIVIL_AFFAIRS
    assert re.fullmatch(r"\d{6}", code)
    assert link.startswith("openid-credential-offer://?credential_offer_uri=")
    address = urlsplit(unquote(link.partition("=")[2])).path.rpartition("/")[2]
    logged = "\n".join(each.getMessage() for each in caplog.records)
    assert f"offered to a wallet: offer {id[:16]} by {row['made_by']}" in logged
    assert address not in logged
    assert code not in logged


def test_what_becomes_of_it_is_told(house: RealHouse, wallet: Wallet) -> None:
    clerk = house.signed_in("clerk.minzheng")
    id, link, code = at_the_desk(house, wallet)
    assert code is None
    assert clerk.get(f"/desk/hand-outs/{id}").json() == {"state": "open"}
    wallet.collect(link)
    assert clerk.get(f"/desk/hand-outs/{id}").json() == {"state": "taken"}


def test_it_can_be_taken_back(house: RealHouse, wallet: Wallet) -> None:
    clerk = house.signed_in("clerk.minzheng")
    id, link, _ = at_the_desk(house, wallet)
    answer = clerk.post(f"/desk/hand-outs/{id}/cancel", data=form(clerk), headers=PAGE, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/desk/certificates/{wallet.marriage}")
    assert clerk.get(f"/desk/hand-outs/{id}").json() == {"state": "cancelled"}
    with pytest.raises(Exception, match="offer_gone"):
        wallet.begin(link)


def test_one_format_and_none(house: RealHouse, wallet: Wallet) -> None:
    clerk = house.signed_in("clerk.minzheng")
    path = f"/desk/hand-out/{wallet.marriage}"
    assert clerk.get(path, headers=PAGE).text.count(" checked") == 2, "both formats unless somebody says otherwise"
    page = clerk.post(path, data=form(clerk, mdoc="1"), headers=PAGE)
    assert wallet.issuing.store.offer(shown(page.text)[0])["configurations"].endswith(".mdoc")
    none = clerk.post(path, data=form(clerk), headers=PAGE)
    assert none.status_code == 422
    assert "请至少选择一种格式" in none.text


def test_another_office_neither_hands_it_out_nor_sees_it(house: RealHouse, wallet: Wallet) -> None:
    other = house.signed_in("clerk.gongan")
    id, _, _ = at_the_desk(house, wallet)
    assert other.get(f"/desk/hand-out/{wallet.marriage}", headers=PAGE).status_code == 404
    denied = other.post(f"/desk/hand-out/{wallet.marriage}", data=form(other, mdoc="1"), headers=PAGE)
    assert denied.status_code == 404
    assert other.get(f"/desk/hand-outs/{id}").status_code == 404
    assert other.post(f"/desk/hand-outs/{id}/cancel", data=form(other)).status_code == 404
    assert wallet.issuing.offers.state(id).value == "open"


class TestCitizens:
    def made(self, house: RealHouse, **fields: str) -> tuple[str, str, str | None]:
        lin = house.signed_in("lin.xiao")
        page = lin.post(self.path(lin), data=form(lin, **fields), headers=PAGE)
        assert page.status_code == 200, page.text
        return shown(page.text)

    @staticmethod
    def path(client: TestClient) -> str:
        refs = re.findall(r'<a href="(/wallet/c/[^/"]+)">结婚证', client.get("/wallet", headers=PAGE).text)
        return f"{refs[0]}/another-wallet"

    def test_their_own_is_offered_with_a_code_and_not_as_approved(self, house: RealHouse, wallet: Wallet) -> None:
        lin = house.signed_in("lin.xiao")
        assert 'name="with_code" value="1" checked' in lin.get(self.path(lin), headers=PAGE).text
        id, link, code = self.made(house, with_code="1")
        row = wallet.issuing.store.offer(id)
        assert not row["approved"]
        assert row["holder_id"] == wallet.holder
        assert ORIGIN in unquote(link)
        assert wallet.collect(link, code).kept
        assert lin.get(f"/wallet/hand-outs/{id}").json() == {"state": "taken"}

    def test_anothers_is_neither_seen_nor_cancelled(self, house: RealHouse, wallet: Wallet) -> None:
        id, _, _ = self.made(house)
        zhou = house.signed_in("zhou.yuan")
        assert zhou.get(f"/wallet/hand-outs/{id}").json() == {"state": "expired"}
        zhou.post(f"/wallet/hand-outs/{id}/cancel", data=form(zhou))
        assert wallet.issuing.offers.state(id).value == "open"
        lin = house.signed_in("lin.xiao")
        assert zhou.get(self.path(lin), headers=PAGE).status_code == 404

    def test_a_clerks_offer_is_the_clerks(self, house: RealHouse, wallet: Wallet) -> None:
        id, _, _ = at_the_desk(house, wallet)
        lin = house.signed_in("lin.xiao")
        lin.post(f"/wallet/hand-outs/{id}/cancel", data=form(lin))
        assert wallet.issuing.offers.state(id).value == "open"
