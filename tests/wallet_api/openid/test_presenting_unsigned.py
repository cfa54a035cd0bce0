"""Requests in the link itself, that nobody signed: told for what they are, confirmed, or refused."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.wallet_api.openid.party import HOST, RESPONSE_URI, SD_QUERY, Wallet
from wallet_api.openid.refusals import Flaw, RequestRefused
from wallet_api.openid.requester import Standing
from wallet_api.openid.requests import parse_link


def unsigned(**changes: Any) -> str:
    parameters = {
        "client_id": f"redirect_uri:{RESPONSE_URI}",
        "response_type": "vp_token",
        "response_mode": "direct_post",
        "response_uri": RESPONSE_URI,
        "nonce": "n-0S6_WzA2Mj",
        "dcql_query": json.dumps({"credentials": [SD_QUERY]}),
    }
    return "openid4vp://?" + urlencode({k: v for k, v in (parameters | changes).items() if v is not None})


def test_an_unsigned_request_is_answered_only_when_confirmed(wallet: Wallet) -> None:
    request = wallet.service.open(wallet.lin, unsigned())
    requester = wallet.look(request).requester
    assert requester is not None
    assert requester.standing is Standing.UNSIGNED
    assert requester.names.en == HOST
    wallet.consent(request, confirmed=True)
    assert set(wallet.answered) == {"vp_token"}


@pytest.mark.parametrize(
    ("changes", "flaw"),
    [
        ({"response_uri": "https://thief.example/"}, Flaw.ANOTHER_HOST),
        ({"client_id": f"x509_san_dns:{HOST}"}, Flaw.UNSIGNED),
        ({"client_id": "x509_hash:abc"}, Flaw.UNSIGNED),
        ({"client_id": HOST}, Flaw.CLIENT_KIND),
        ({"dcql_query": "{"}, Flaw.UNREADABLE),
        ({"dcql_query": "[" * 5000}, Flaw.UNREADABLE),
        ({"nonce": None}, Flaw.NONCE),
        ({"client_id": "redirect_uri:javascript:alert(1)", "response_uri": None}, Flaw.ADDRESS),
    ],
)
def test_unsigned_requests_that_are_refused(wallet: Wallet, changes: dict[str, Any], flaw: Flaw) -> None:
    with pytest.raises(RequestRefused) as caught:
        wallet.service.open(wallet.lin, unsigned(**changes))
    assert caught.value.flaw is flaw
    assert wallet.wires.sent == []  # nobody unauthenticated makes this wallet post anything


def test_a_request_by_value(wallet: Wallet) -> None:
    link = "haip-vp://?" + urlencode({"client_id": wallet.party.client_id, "request": wallet.party.request()})
    assert wallet.look(wallet.service.open(wallet.lin, link)).requester is not None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "YXP:ABCDEFGH",
        "javascript:alert(1)?client_id=a",
        "file:///etc/passwd?client_id=a",
        "openid4vp://?request_uri=https%3A%2F%2Fa.example",
        "openid4vp://?client_id=",
        "http://[::1?client_id=a",
        "openid4vp://?client_id=x509_hash:a&request=a&request_uri=b",
        "openid4vp://?client_id",
    ],
)
def test_texts_that_are_no_request(text: str) -> None:
    with pytest.raises(RequestRefused) as caught:
        parse_link(text)
    assert caught.value.flaw is Flaw.NOT_A_REQUEST


def test_a_parameter_that_occurs_twice() -> None:
    """Request parameters MUST NOT be included more than once (RFC 6749 section 3.1)."""
    with pytest.raises(RequestRefused) as caught:
        parse_link("openid4vp://?client_id=x509_hash:a&client_id=x509_hash:b&request_uri=https://a.example")
    assert caught.value.flaw is Flaw.TWICE
