"""Signing in and out: who gets in, what a wrong try costs, when a session ends, what a thief of cookies can't do."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from server.accounts import MAX_PASSWORD, token_digest
from server.errors import AccountExists, SignInRefused
from server.model import Affiliation
from server.sign_in import local_path
from tests.server.conftest import PASSWORD, Browser, Place, make_place
from trust_registry.edges import Role


def test_right_password_opens_a_session_and_leads_home(place: Place) -> None:
    browser = place.browser()
    answer = browser.sign_in("li")
    assert (answer.status_code, answer.headers["location"]) == (303, "/desk")
    assert browser.client.get("/api/clerk").status_code == 200
    assert "李签发" in browser.client.get("/account", headers=browser.headers).text


def test_next_leads_where_one_wanted_to_go(place: Place) -> None:
    assert place.browser().sign_in("li", next="/desk/seals").headers["location"] == "/desk/seals"


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example/",
        "https://evil.example/",
        "/\\evil.example",
        "evil",
        "",
        "/a\r\nSet-Cookie: x",
        "/" + "a" * 2000,
    ],
)
def test_open_redirect_is_refused(path: str) -> None:
    assert local_path(path) == "/"


def test_session_cookie_is_out_of_reach_of_scripts_and_strangers(place: Place) -> None:
    cookie = next(c for c in place.browser().sign_in().headers.get_list("set-cookie") if c.startswith("yinxin="))
    for part in ("HttpOnly", "SameSite=lax", "Path=/"):
        assert part in cookie
    assert "Secure" not in cookie  # plain HTTP on this machine


def test_over_tls_cookies_are_secure_and_host_bound() -> None:
    place = make_place(secure=True)
    browser = Browser(TestClient(place.app, base_url="https://testserver"))
    cookies = browser.sign_in().headers.get_list("set-cookie")
    session = next(c for c in cookies if c.startswith("__Host-yinxin="))
    assert "Secure" in session
    assert browser.client.get("/api/clerk").headers["strict-transport-security"].startswith("max-age=")


@pytest.mark.parametrize(("name", "password"), [("li", "wrong password"), ("nobody", PASSWORD), ("", ""), ("li", "")])
def test_wrong_name_and_wrong_password_read_the_same(place: Place, name: str, password: str) -> None:
    answer = place.browser().sign_in(name, password)
    assert answer.status_code == 401
    assert "用户名或密码不正确" in answer.text
    assert "yinxin=" not in ",".join(answer.headers.get_list("set-cookie"))


def test_too_long_password_is_refused_without_hashing_it(place: Place) -> None:
    with pytest.raises(SignInRefused):
        place.accounts.sign_in("li", "x" * (MAX_PASSWORD + 1), "here")


def test_disabled_account_stays_out_and_loses_its_sessions(place: Place) -> None:
    browser = place.browser()
    browser.sign_in("li")
    account = place.accounts.store.by_name("li")
    assert account is not None
    place.accounts.disable(account)
    assert browser.client.get("/api/clerk").status_code == 401
    assert place.browser().sign_in("li").status_code == 401


def test_wrong_password_rate_limit_locks_the_account_for_a_while(place: Place) -> None:
    for _ in range(5):
        assert place.browser().sign_in("li", "wrong password").status_code == 401
    answer = place.browser().sign_in("li", PASSWORD)
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= 60
    assert "尝试次数过多" in answer.text
    assert place.browser().sign_in("lin", PASSWORD).status_code == 303  # others are not locked out


def test_unknown_names_are_locked_like_known_ones(place: Place) -> None:
    """Otherwise the lock would tell which names exist."""
    answers = [place.browser().sign_in("nobody", "wrong password").status_code for _ in range(6)]
    assert answers == [401] * 5 + [429]


def test_success_forgets_the_failures_before_it(place: Place) -> None:
    for _ in range(3):
        for _ in range(4):
            place.browser().sign_in("li", "wrong password")
        assert place.browser().sign_in("li").status_code == 303


def test_rate_limit_per_address_stops_trying_many_names() -> None:
    place = make_place(sign_in_rate="3/minute")
    answers = [place.browser().sign_in(f"name{n}", "wrong password").status_code for n in range(4)]
    assert answers == [401, 401, 401, 429]


def test_session_fixation_a_planted_cookie_is_not_adopted(place: Place) -> None:
    browser = place.browser()
    browser.client.cookies.set("yinxin", "planted-by-an-attacker")
    cookies = browser.sign_in("li").headers.get_list("set-cookie")
    assert any(cookie.startswith("yinxin=") for cookie in cookies)
    assert not any("planted-by-an-attacker" in cookie for cookie in cookies)
    assert place.accounts.session("planted-by-an-attacker") is None


def test_session_fixation_an_attackers_own_session_is_not_raised(place: Place) -> None:
    attacker, victim = place.browser(), place.browser()
    attacker.sign_in("lin")
    planted = attacker.client.cookies["yinxin"]
    victim.client.cookies.set("yinxin", planted)
    victim.post("/sign-in", token_from="/account", name="li", password=PASSWORD)
    assert place.accounts.session(planted) is None
    assert attacker.client.get("/api/clerk").status_code == 401


def test_signing_in_again_ends_the_session_before(place: Place) -> None:
    browser = place.browser()
    browser.sign_in("li")
    first = browser.client.cookies["yinxin"]
    browser.post("/sign-in", token_from="/account", name="lin", password=PASSWORD)
    second = browser.client.cookies["yinxin"]
    assert first != second
    assert place.accounts.session(first) is None
    assert place.accounts.session(second) is not None


def test_session_ends_when_idle(place: Place) -> None:
    browser = place.browser()
    browser.sign_in("li")
    place.clock.forward(minutes=29)
    assert browser.client.get("/api/clerk").status_code == 200
    place.clock.forward(minutes=29)
    assert browser.client.get("/api/clerk").status_code == 200  # the request before kept it alive
    place.clock.forward(minutes=31)
    assert browser.client.get("/api/clerk").status_code == 401


def test_session_ends_at_last_however_busy(place: Place) -> None:
    browser = place.browser()
    browser.sign_in("li")
    for _ in range(29):
        place.clock.forward(minutes=20)
        assert browser.client.get("/api/clerk").status_code == 200
    place.clock.forward(minutes=20)
    assert browser.client.get("/api/clerk").status_code == 401


def test_sign_out_ends_the_session_on_the_server(place: Place) -> None:
    browser = place.browser()
    browser.sign_in("li")
    token = browser.client.cookies["yinxin"]
    assert browser.post("/sign-out", token_from="/account").status_code == 303
    assert place.accounts.session(token) is None
    assert browser.client.get("/api/clerk").status_code == 401


def test_database_holds_no_token(place: Place) -> None:
    browser = place.browser()
    browser.sign_in("li")
    token = browser.client.cookies["yinxin"]
    connection = place.accounts.store.engine.raw_connection()
    dump = "\n".join(connection.iterdump())  # type: ignore[attr-defined]
    connection.close()
    assert token not in dump
    assert token_digest(token).hex().upper() in dump.upper()


def test_page_without_session_leads_to_sign_in_and_back(place: Place) -> None:
    answer = place.browser().client.get("/clerk?a=1", headers={"accept": "text/html"}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=%2Fclerk%3Fa%3D1")


def test_json_without_session_is_401_with_a_problem(place: Place) -> None:
    answer = place.browser().client.get("/api/clerk")
    assert answer.status_code == 401
    assert answer.json()["type"] == "urn:yinxin:problem:not-signed-in"
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_unknown_role_is_403(place: Place) -> None:
    browser = place.browser()
    browser.sign_in("lin")
    assert browser.client.get("/api/clerk").json()["type"] == "urn:yinxin:problem:not-permitted"
    page = browser.client.get("/clerk", headers=browser.headers)
    assert page.status_code == 403
    assert "没有此项权限" in page.text


def test_changing_the_password_ends_every_other_session(place: Place) -> None:
    here, elsewhere = place.browser(), place.browser()
    here.sign_in("li")
    elsewhere.sign_in("li")
    answer = here.post("/account/password", token_from="/account", current=PASSWORD, new="another good password")
    assert answer.status_code == 303
    assert here.client.get("/api/clerk").status_code == 200
    assert elsewhere.client.get("/api/clerk").status_code == 401
    assert "密码已更改" in here.client.get("/account?changed=yes", headers=here.headers).text
    assert place.browser().sign_in("li", PASSWORD).status_code == 401
    assert place.browser().sign_in("li", "another good password").status_code == 303


@pytest.mark.parametrize(
    ("current", "new", "status"), [("wrong one", "long enough now", 401), (PASSWORD, "short", 422)]
)
def test_password_change_refused(place: Place, current: str, new: str, status: int) -> None:
    browser = place.browser()
    browser.sign_in("li")
    answer = browser.post("/account/password", token_from="/account", current=current, new=new)
    assert answer.status_code == status
    assert place.browser().sign_in("li", PASSWORD).status_code == 303


def test_wrong_current_password_is_limited_too(place: Place) -> None:
    browser = place.browser()
    browser.sign_in("li")
    fields = {"current": "wrong one", "new": "long enough now"}
    answers = [browser.post("/account/password", token_from="/account", **fields).status_code for _ in range(6)]
    assert answers == [401] * 5 + [429]


def test_account_names_are_taken_once(place: Place) -> None:
    with pytest.raises(AccountExists):
        place.accounts.create("li", "另一个", Affiliation(frozenset({Role.AUDITOR})), PASSWORD)


def test_short_passwords_are_refused(place: Place) -> None:
    with pytest.raises(ValueError, match="8 to 1024"):
        place.accounts.create("new", "新", Affiliation(frozenset()), "1234567")


def test_cleaning_forgets_what_is_over(place: Place) -> None:
    browser = place.browser()
    browser.sign_in("li")
    assert place.accounts.clean() == 0
    place.clock.forward(hours=1)
    assert place.accounts.clean() == 1


def test_passwords_are_hashed_with_argon2id(place: Place) -> None:
    account = place.accounts.store.by_name("li")
    assert account is not None
    assert account.password_hash is not None
    assert account.password_hash.startswith("$argon2id$")


def test_language_is_kept_in_a_cookie_and_leads_back(place: Place) -> None:
    browser = place.browser()
    answer = browser.client.get("/language/en?next=/sign-in", follow_redirects=False)
    assert answer.headers["location"] == "/sign-in"
    assert "Sign in" in browser.client.get("/sign-in", headers=browser.headers).text
    assert browser.client.get("/language/en?next=//evil.example", follow_redirects=False).headers["location"] == "/"


@pytest.mark.parametrize(
    ("accepted", "lang"),
    [
        ("en-GB,en;q=0.9", "en"),
        ("zh-CN", "zh-CN"),
        ("fr, en;q=0.5, zh;q=0.7", "zh-CN"),
        ("", "zh-CN"),
        ("en;q=nonsense", "zh-CN"),
    ],
)
def test_language_of_the_browser_counts(place: Place, accepted: str, lang: str) -> None:
    page = place.browser().client.get("/sign-in", headers={"accept": "text/html", "accept-language": accepted})
    assert f'<html lang="{lang}">' in page.text
