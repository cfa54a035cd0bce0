"""The authorization endpoint as a citizen's browser meets it: sign in, read who asks, allow or deny."""

from __future__ import annotations

import re
import secrets
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from issuer.openid4vci.model import Tenant
from issuer.openid4vci.service import Openid4vci
from tests.issuer.openid4vci.as_world import b64u
from tests.server.real_house import CIVIL_AFFAIRS, ORIGIN, RealHouse, built
from tests.server.test_roles import OF_WALLETS

CLIENT = "https://wallet.example"
REDIRECT = "https://wallet.example/cb"
CITIZEN, CLERK = "lin.xiao", "clerk.minzheng"
SCOPE = "common.marriage-certificate.sd_jwt_vc"
PAGE = {"accept": "text/html"}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> RealHouse:
    return built(tmp_path_factory)


@pytest.fixture(scope="module")
def issuer(house: RealHouse) -> str:
    service: Openid4vci = house.house.protocols["issuer.openid4vci"]
    tenant: Tenant | None = service.tenants.find(CIVIL_AFFAIRS)
    assert tenant is not None
    return tenant.identifier


class Asking:
    """A pushed request and the wallet that waits for its answer."""

    def __init__(self, house: RealHouse, issuer: str, **changes: str) -> None:
        self.house, self.issuer = house, issuer
        self.verifier = secrets.token_urlsafe(48)
        form = {
            "response_type": "code",
            "client_id": CLIENT,
            "redirect_uri": REDIRECT,
            "scope": SCOPE,
            "state": "xyz",
            "code_challenge": b64u(sha256(self.verifier.encode()).digest()),
            "code_challenge_method": "S256",
            **changes,
        }
        pushed = house.client().post(f"{issuer}/par", data=form)
        assert pushed.status_code == 201, pushed.text
        query = urlencode({"client_id": form["client_id"], "request_uri": pushed.json()["request_uri"]})
        self.url = f"{issuer}/authorize?{query}"

    def open(self, account: str | None = CITIZEN) -> Any:
        client = self.house.client() if account is None else self.house.signed_in(account)
        return client.get(self.url, headers=PAGE, follow_redirects=False)

    def page(self, account: str = CITIZEN) -> tuple[str, Any]:
        """The consent page's address and the page."""
        where = self.open(account).headers["location"]
        return where, self.house.signed_in(account).get(where, headers=PAGE, follow_redirects=False)

    def answer(self, where: str, page: Any, answer: str, account: str = CITIZEN, **more: str) -> Any:
        token = re.search(r'name="csrf_token" value="([0-9a-f]{64})"', page.text)
        assert token
        form = {"csrf_token": token[1], "answer": answer, **more}
        client = self.house.signed_in(account)
        return client.post(where, data=form, headers={**PAGE, "x-csrf-token": token[1]}, follow_redirects=False)


def chosen(page: Any) -> dict[str, str]:
    """What is ticked on the page."""
    found = re.findall(r'name="(certificate\.[^"]+)" value="([^"]+)" checked', page.text)
    return dict(found)


def test_a_citizen_allows_and_the_wallet_collects(house: RealHouse, issuer: str) -> None:
    asking = Asking(house, issuer)
    where, page = asking.page()
    assert page.status_code == 200
    assert page.headers["cache-control"] == "no-store"
    for told in (CLIENT, "结婚证", "东岭区民政局", "未经认证的钱包"):
        assert told in page.text, told
    assert len(chosen(page)) == 1
    answered = asking.answer(where, page, "allow", **chosen(page))
    assert answered.status_code == 303
    back = urlsplit(answered.headers["location"])
    assert f"{back.scheme}://{back.netloc}{back.path}" == REDIRECT
    came = {name: values[0] for name, values in parse_qs(back.query).items()}
    assert set(came) == {"code", "state", "iss"}
    assert (came["state"], came["iss"]) == ("xyz", issuer)
    form = {
        "grant_type": "authorization_code",
        "code": came["code"],
        "code_verifier": asking.verifier,
        "redirect_uri": REDIRECT,
        "client_id": CLIENT,
    }
    tokens = house.client().post(f"{issuer}/token", data=form)
    assert tokens.status_code == 200, tokens.text
    assert tokens.json()["scope"] == SCOPE


def test_a_citizen_denies(house: RealHouse, issuer: str) -> None:
    asking = Asking(house, issuer)
    where, page = asking.page()
    told = parse_qs(urlsplit(asking.answer(where, page, "deny").headers["location"]).query)
    assert (told["error"], told["state"], told["iss"]) == (["access_denied"], ["xyz"], [issuer])


def test_an_answer_that_is_not_allow_hands_out_nothing(house: RealHouse, issuer: str) -> None:
    asking = Asking(house, issuer)
    where, page = asking.page()
    assert "error=access_denied" in asking.answer(where, page, "ALLOW", **chosen(page)).headers["location"]


def test_allowing_nothing_asks_again(house: RealHouse, issuer: str) -> None:
    asking = Asking(house, issuer)
    where, page = asking.page()
    again = asking.answer(where, page, "allow")
    assert again.status_code == 422
    assert "至少选择一份" in again.text
    assert asking.answer(where, again, "allow", **chosen(again)).status_code == 303


def test_the_request_waits_while_the_citizen_signs_in(house: RealHouse, issuer: str) -> None:
    """The visitor's browser goes to sign-in and comes back to the same request."""
    asking = Asking(house, issuer)
    opened = asking.open(None)
    assert opened.status_code == 303
    where = opened.headers["location"]
    assert where.startswith(f"{urlsplit(issuer).path}/authorize/")
    to_sign_in = house.client().get(where, headers=PAGE, follow_redirects=False)
    assert to_sign_in.status_code == 303
    assert parse_qs(urlsplit(to_sign_in.headers["location"]).query)["next"] == [where]
    assert house.signed_in(CITIZEN).get(where, headers=PAGE).status_code == 200


def test_only_citizens_are_asked(house: RealHouse, issuer: str) -> None:
    where = Asking(house, issuer).open().headers["location"]
    assert house.signed_in(CLERK).get(where, headers=PAGE).status_code == 403


def test_another_citizen_has_nothing_of_it_to_give(house: RealHouse, issuer: str) -> None:
    """Who answers gives what is their own; what another holds is not on the page."""
    asking = Asking(house, issuer)
    mine = chosen(asking.page()[1])
    theirs = chosen(Asking(house, issuer).page("zhou.yuan")[1])
    assert set(mine.values()).isdisjoint(theirs.values()) or not theirs


def test_a_request_opens_once_in_one_browser(house: RealHouse, issuer: str) -> None:
    """RFC 9126 section 7.3; a page says so, and nobody is redirected anywhere."""
    asking = Asking(house, issuer)
    assert asking.open().status_code == 303
    again = asking.open()
    assert again.status_code == 400
    assert "location" not in again.headers
    assert "已经失效" in again.text


def test_an_answered_page_is_gone(house: RealHouse, issuer: str) -> None:
    asking = Asking(house, issuer)
    where, page = asking.page()
    assert asking.answer(where, page, "deny").status_code == 303
    again = asking.answer(where, page, "allow", **chosen(page))
    assert again.status_code == 400
    assert "location" not in again.headers


@pytest.mark.parametrize(
    "query",
    [
        "",
        "client_id=x",
        "request_uri=urn:ietf:params:oauth:request_uri:x",
        f"response_type=code&client_id=x&redirect_uri={REDIRECT}&scope={SCOPE}",
        "client_id=x&request_uri=https%3A%2F%2Fevil.example%2Frequest",
        "client_id=x&request_uri=urn:ietf:params:oauth:request_uri:x",
        "client_id=x&client_id=y&request_uri=a&request_uri=b",
    ],
)
def test_what_was_not_pushed_is_never_redirected(house: RealHouse, issuer: str, query: str) -> None:
    """RFC 9126 section 5, RFC 6749 section 3.1.2.4: no open redirector."""
    answer = house.client().get(f"{issuer}/authorize?{query}", headers=PAGE, follow_redirects=False)
    assert answer.status_code == 400
    assert "location" not in answer.headers
    assert 'href="https://evil' not in answer.text


def test_an_office_that_is_none_asks_nobody(house: RealHouse) -> None:
    query = "client_id=x&request_uri=urn:ietf:params:oauth:request_uri:x"
    answer = house.client().get(f"{ORIGIN}/issuers/990100/nobody/authorize?{query}", headers=PAGE)
    assert answer.status_code == 404


def test_the_page_may_redirect_to_the_wallet_and_nowhere_else(house: RealHouse, issuer: str) -> None:
    """Browsers hold redirects after a form to the page's form-action."""
    for redirect, told in ((REDIRECT, "https://wallet.example"), ("haip://cb", "haip:")):
        _, page = Asking(house, issuer, redirect_uri=redirect).page()
        policy = page.headers["content-security-policy"]
        assert f"form-action 'self' {told};" in policy
    gone = house.client().get(f"{issuer}/authorize", headers=PAGE)
    assert "form-action 'self';" in gone.headers["content-security-policy"]


def test_an_answer_needs_the_token_of_its_session(house: RealHouse, issuer: str) -> None:
    """CSRF: another site can't make a citizen allow."""
    asking = Asking(house, issuer)
    where, page = asking.page()
    client = house.client()
    client.cookies.update(dict(house.signed_in(CITIZEN).cookies))
    form = {"answer": "allow", **chosen(page)}
    assert client.post(where, data=form, follow_redirects=False).status_code == 403
    assert asking.answer(where, page, "allow", **chosen(page)).status_code == 303


@pytest.mark.parametrize("end", [each for each, method in OF_WALLETS.items() if method == "POST"])
def test_a_wallet_that_keeps_cookies_is_answered_as_any_other(house: RealHouse, issuer: str, end: str) -> None:
    """One cookie jar for the consent page and the endpoints: no token of a page is asked for there."""
    client = house.client()
    client.cookies.update(dict(house.signed_in(CITIZEN).cookies))
    answer = client.post(f"{issuer}/{end}", data={"grant_type": "x"}, headers={"authorization": "DPoP x"})
    assert answer.status_code != 403
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["access-control-allow-origin"] == "*"


def test_names_of_a_wallet_can_do_nothing_on_the_page(house: RealHouse, issuer: str) -> None:
    """The attack: markup in client_id."""
    asking = Asking(house, issuer, client_id="<script>alert(1)</script>")
    _, page = asking.page()
    assert page.status_code == 200
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;alert" in page.text
    _, page = Asking(house, issuer, client_id="W" * 500).page()
    assert 0 < page.text.count("W") < 100, "nor push the warning out of sight"


def test_the_page_in_english(house: RealHouse, issuer: str) -> None:
    where = Asking(house, issuer).open().headers["location"]
    page = house.signed_in(CITIZEN).get(where, headers={**PAGE, "accept-language": "en"})
    assert "Put this into your wallet?" in page.text
    assert "Allow" in page.text
