"""What strangers send: a model or the one refusal; and disclosures at any depth, never more than asked."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keys.algorithms import ES256
from keys.custody.software import EphemeralSigner
from keys.envelopes.base64url import b64url_encode
from keys.envelopes.jws import sign_jws
from keys.envelopes.sd_jwt import parse_sd_jwt
from tests.keys import sd_jwt_forge
from tests.wallet_api.openid.party import HOST, RESPONSE_URI
from verifier.dcql import parse_dcql
from wallet_api.openid.answers import redirect_in
from wallet_api.openid.asked import read_asked, read_return_path
from wallet_api.openid.disclosing import disclose
from wallet_api.openid.refusals import RequestRefused
from wallet_api.openid.requests import Link, Verified, parse_link
from wallet_api.openid.transactions import read_transactions

QUERY = parse_dcql({"credentials": [{"id": "a", "format": "dc+sd-jwt", "meta": {}}]})
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
NAMES = st.sampled_from(
    [
        *("response_type", "response_mode", "nonce", "state", "response_uri", "redirect_uri", "scope"),
        *("dcql_query", "client_metadata", "transaction_data", "verifier_info"),
    ]
)
GOOD = {
    "response_type": "vp_token",
    "response_mode": "direct_post",
    "nonce": "n",
    "response_uri": RESPONSE_URI,
    "dcql_query": {"credentials": [{"id": "a", "format": "dc+sd-jwt", "meta": {}}]},
}


@settings(deadline=None)
@given(st.text() | st.text().map(lambda t: f"openid4vp://?{t}") | st.text().map(lambda t: f"haip-vp:?client_id={t}"))
def test_any_text_is_a_link_or_refused(text: str) -> None:
    try:
        assert isinstance(parse_link(text), Link)
    except RequestRefused:
        pass


@settings(deadline=None)
@given(st.dictionaries(NAMES, JSON, max_size=4))
def test_any_parameters_are_a_request_or_refused(changes: dict[str, Any]) -> None:
    request = Verified(f"x509_san_dns:{HOST}", GOOD | changes, None, ())
    try:
        assert read_asked(request, read_return_path(request)).nonce
    except RequestRefused:
        pass


@settings(deadline=None)
@given(JSON | st.lists(JSON.map(lambda v: b64url_encode(json.dumps(v).encode()).decode()), min_size=1, max_size=3))
def test_any_transaction_data_is_understood_or_refused(value: Any) -> None:
    try:
        assert read_transactions(value, QUERY) is not None
    except RequestRefused:
        pass


@settings(deadline=None)
@given(st.binary() | JSON.map(lambda v: json.dumps({"redirect_uri": v}).encode()))
def test_any_reply_sends_the_browser_to_the_web_or_nowhere(body: bytes) -> None:
    uri = redirect_in(body)
    assert uri is None or uri.lower().startswith(("https://", "http://"))


def nested() -> str:
    """An SD-JWT with a concealed address of concealed parts, and a list of concealed items."""
    parts = {"street": "Seal Rd", "city": "Dongling"}
    hidden = [sd_jwt_forge.disclose(f"salt-{name}", name, value) for name, value in parts.items()]
    address = sd_jwt_forge.disclose("salt-a", "address", {"_sd": [sd_jwt_forge.digest(each) for each in hidden]})
    items = [sd_jwt_forge.disclose(f"salt-{value}", value) for value in ("A", "B")]
    payload = {
        "vct": "x",
        "_sd_alg": "sha-256",
        "_sd": [sd_jwt_forge.digest(address)],
        "classes": [{"...": sd_jwt_forge.digest(each)} for each in items],
    }
    token = sign_jws({"typ": "dc+sd-jwt"}, json.dumps(payload).encode(), EphemeralSigner.generate(ES256))
    return "~".join((token, address, *hidden, *items, ""))


@pytest.mark.parametrize(
    ("path", "claims"),
    [
        (("address", "city"), {"address": {"city": "Dongling"}, "classes": []}),
        (("address",), {"address": {"street": "Seal Rd", "city": "Dongling"}, "classes": []}),
        (("classes", 1), {"classes": ["B"]}),
        (("classes", None), {"classes": ["A", "B"]}),
        (("vct",), {"classes": []}),
        (("nothing", "here"), {"classes": []}),
    ],
)
def test_only_what_a_path_needs_is_disclosed(path: tuple[str | int | None, ...], claims: dict[str, Any]) -> None:
    shown = parse_sd_jwt(disclose(nested(), [path])).claims
    assert {name: value for name, value in shown.items() if name != "vct"} == claims
