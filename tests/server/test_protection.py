"""CSRF, security headers, body limits: what every request passes. Each refusal is an attack by name."""

from __future__ import annotations

import re
from typing import Any

import pytest

from server.protection import content_security_policy
from tests.server.conftest import ORIGIN, PASSWORD, Browser, Place


def signed_in(place: Place) -> Browser:
    browser = place.browser()
    browser.sign_in("li")
    return browser


def test_csrf_missing_token_is_refused(place: Place) -> None:
    answer = signed_in(place).client.post("/api/change")
    assert answer.status_code == 403
    assert answer.json()["type"] == "urn:yinxin:problem:csrf"


def test_csrf_wrong_token_is_refused(place: Place) -> None:
    browser = signed_in(place)
    assert browser.client.post("/api/change", headers={"x-csrf-token": "0" * 64}).status_code == 403
    assert browser.client.post("/form", data={"csrf_token": "0" * 64, "word": "a"}).status_code == 403
    assert browser.client.post("/api/change", headers={"x-csrf-token": "令牌".encode()}).status_code == 403


def test_csrf_token_of_another_session_is_refused(place: Place) -> None:
    mine, other = signed_in(place), signed_in(place)
    assert mine.client.post("/api/change", headers={"x-csrf-token": other.token("/account")}).status_code == 403


def test_csrf_token_in_the_header_is_accepted(place: Place) -> None:
    browser = signed_in(place)
    answer = browser.client.post("/api/change", headers={"x-csrf-token": browser.token("/account"), "origin": ORIGIN})
    assert answer.status_code == 200


def test_csrf_token_in_a_form_is_accepted_and_the_form_still_read(place: Place) -> None:
    browser = signed_in(place)
    answer = browser.client.post("/form", data={"word": "a=b&c", "csrf_token": browser.token("/account")})
    assert answer.json() == {"word": "a=b&c"}


def test_csrf_token_in_a_multipart_form_is_accepted(place: Place) -> None:
    browser = signed_in(place)
    parts: dict[str, Any] = {
        "csrf_token": (None, browser.token("/account")),
        "word": (None, "印信"),
        "file": ("a.bin", b"\x00" * 5000),
    }
    assert browser.client.post("/form", files=parts).json() == {"word": "印信"}


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_csrf_from_another_origin_is_refused_even_with_the_token(place: Place, headers: dict[str, str]) -> None:
    browser = signed_in(place)
    answer = browser.client.post("/api/change", headers={"x-csrf-token": browser.token("/account"), **headers})
    assert answer.status_code == 403


def test_login_csrf_sign_in_without_any_cookie_is_refused(place: Place) -> None:
    """A stranger's page must not sign a visitor in as the stranger."""
    answer = place.browser().client.post("/sign-in", data={"name": "li", "password": PASSWORD})
    assert answer.status_code == 403


def test_a_request_without_cookies_needs_no_token(place: Place) -> None:
    assert place.browser().client.post("/form", data={"word": "a"}).json() == {"word": "a"}


def test_visitors_token_belongs_to_the_visitors_cookie(place: Place) -> None:
    browser = place.browser()
    token = browser.token()
    assert browser.client.post("/form", data={"word": "a"}).status_code == 403
    assert browser.client.post("/form", data={"word": "a", "csrf_token": token}).status_code == 200


def test_a_bearer_token_makes_cookies_count_for_nothing(place: Place) -> None:
    """A request with both is judged by the bearer token alone; else its cookies would pass without a CSRF token."""
    browser = signed_in(place)
    assert browser.client.post("/api/change", headers={"authorization": "Bearer made-up"}).status_code == 401


def test_security_headers_are_on_everything(place: Place) -> None:
    client = place.browser().client
    for path in ("/", "/sign-in", "/static/app.css", "/nothing-here", "/api/clerk", "/healthz"):
        headers = client.get(path, headers={"accept": "text/html"}).headers
        assert headers["x-content-type-options"] == "nosniff", path
        assert headers["x-frame-options"] == "DENY", path
        assert headers["referrer-policy"] == "same-origin", path
        assert "default-src 'none'" in headers["content-security-policy"], path
        assert "frame-ancestors 'none'" in headers["content-security-policy"], path
        assert headers["permissions-policy"].startswith("camera=()"), path


def test_pages_are_not_kept_in_caches(place: Place) -> None:
    browser = signed_in(place)
    assert browser.client.get("/account", headers=browser.headers).headers["cache-control"] == "no-store"
    assert browser.client.get("/static/app.css").headers["cache-control"] == "no-cache"


def test_policy_allows_no_inline_script_or_style() -> None:
    policy = content_security_policy("n0nce", camera=False)
    assert "unsafe" not in policy
    assert "script-src 'self' 'nonce-n0nce';" in policy
    assert "wasm-unsafe-eval" in content_security_policy("n0nce", camera=True)


def test_only_camera_pages_get_camera_and_wasm(place: Place) -> None:
    client = place.browser().client
    scan, start = client.get("/scan"), client.get("/")
    assert "'wasm-unsafe-eval'" in scan.headers["content-security-policy"]
    assert scan.headers["permissions-policy"].startswith("camera=(self)")
    assert "'wasm-unsafe-eval'" not in start.headers["content-security-policy"]


def test_nonce_is_new_each_time_and_the_pages_own(place: Place) -> None:
    client = place.browser().client
    nonces = []
    for _ in range(2):
        answer = client.get("/")
        found = re.search(r"'nonce-([^']+)'", answer.headers["content-security-policy"])
        assert found is not None
        assert f'nonce="{found[1]}"' in answer.text
        nonces.append(found[1])
    assert nonces[0] != nonces[1]


def test_pages_hold_no_inline_handlers_or_styles(place: Place) -> None:
    client = place.browser().client
    for path in ("/", "/sign-in", "/nothing-here"):
        page = client.get(path, headers={"accept": "text/html"}).text
        assert not re.search(r"<[^>]+\son[a-z]+=", page), path
        assert not re.search(r"<[^>]+\sstyle=", page), path


def test_body_over_the_limit_is_413(place: Place) -> None:
    answer = place.browser().client.post("/api/orders", content=b"x" * 100_001)
    assert answer.status_code == 413
    assert answer.json()["type"] == "urn:yinxin:problem:too-large"


def test_body_over_the_limit_without_a_length_is_413(place: Place) -> None:
    def endless() -> Any:
        for _ in range(30):
            yield b"x" * 5000

    answer = place.browser().client.post("/api/orders", content=endless(), headers={"content-type": "application/json"})
    assert answer.status_code == 413


def test_form_over_the_limit_is_413_before_it_is_kept(place: Place) -> None:
    def endless() -> Any:
        for _ in range(30):
            yield b"a=" + b"x" * 5000

    headers = {"content-type": "application/x-www-form-urlencoded"}
    assert signed_in(place).client.post("/form", content=endless(), headers=headers).status_code == 413


def test_nonsense_length_is_400(place: Place) -> None:
    assert place.browser().client.post("/api/orders", headers={"content-length": "many"}).status_code == 400
