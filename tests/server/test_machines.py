"""Machine clients: private_key_jwt for a short-lived token, and each assertion that must not pass (RFC 7523)."""

from __future__ import annotations

import hmac
import warnings
from typing import Any

import pytest
from joserfc import jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, OKPKey

from keys.envelopes.base64url import b64url_encode
from server.machines import ASSERTION_TYPE
from server.model import Affiliation, MachineClient
from tests.server.conftest import ORIGIN, Place
from trust_registry.edges import AccountId, Role
from trust_registry.model import IssuerId

KEY = ECKey.generate_key("P-256", {"kid": "k1"})
STRANGER = ECKey.generate_key("P-256", {"kid": "k1"})


@pytest.fixture(autouse=True)
def client(place: Place) -> MachineClient:
    affiliation = Affiliation(frozenset({Role.ISSUING_CLERK}), issuer_id=IssuerId("990100/civil-affairs"))
    made = MachineClient(AccountId("batch"), "批量签发", affiliation, {"keys": [KEY.as_dict(private=False)]})
    place.accounts.store.put_client(made)
    return made


def assertion(place: Place, *, key: Any = KEY, alg: str = "ES256", without: str | None = None, **claims: Any) -> str:
    now = int(place.clock().timestamp())
    body = {"iss": "batch", "sub": "batch", "aud": f"{ORIGIN}/oauth/token", "exp": now + 60, "iat": now, "jti": "a1"}
    body |= claims
    if without:
        del body[without]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)  # RFC 9864 renames EdDSA
        return jwt.encode({"alg": alg, "kid": "k1"}, body, key, algorithms=[alg])


def ask(place: Place, token: str, **fields: str) -> Any:
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": token,
        **fields,
    }
    return place.browser().client.post("/oauth/token", data=form)


def test_a_client_gets_a_token_and_acts_with_it(place: Place) -> None:
    answer = ask(place, assertion(place))
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 600)
    client = place.browser().client
    seen = client.get("/api/clerk", headers={"authorization": f"Bearer {body['access_token']}"}).json()
    assert seen == {"account": "batch", "machine": True, "issuer": "990100/civil-affairs"}
    changed = client.post("/api/change", headers={"authorization": f"Bearer {body['access_token']}"})
    assert changed.json() == {"changed": "batch"}  # no cookie, so no CSRF token


def test_eddsa_keys_are_welcome(place: Place, client: MachineClient) -> None:
    key = OKPKey.generate_key("Ed25519", {"kid": "k1"})
    jwks = {"keys": [key.as_dict(private=False)]}
    place.accounts.store.put_client(MachineClient(client.id, client.display_name, client.affiliation, jwks))
    assert ask(place, assertion(place, key=key, alg="EdDSA")).status_code == 200


def test_token_is_short_lived(place: Place) -> None:
    token = ask(place, assertion(place)).json()["access_token"]
    place.clock.forward(minutes=11)
    headers = {"authorization": f"Bearer {token}"}
    assert place.browser().client.get("/api/clerk", headers=headers).status_code == 401


def test_token_is_no_cookie_and_a_cookie_no_token(place: Place) -> None:
    token = ask(place, assertion(place)).json()["access_token"]
    browser = place.browser()
    browser.client.cookies.set("yinxin", token)
    assert browser.client.get("/api/clerk").status_code == 401
    person = place.browser()
    person.sign_in("li")
    stolen = {"authorization": f"Bearer {person.client.cookies['yinxin']}"}
    assert place.browser().client.get("/api/clerk", headers=stolen).status_code == 401


def test_machine_has_no_account_page(place: Place) -> None:
    token = ask(place, assertion(place)).json()["access_token"]
    assert place.browser().client.get("/account", headers={"authorization": f"Bearer {token}"}).status_code == 401


def test_replayed_assertion_is_refused(place: Place) -> None:
    token = assertion(place)
    assert ask(place, token).status_code == 200
    answer = ask(place, token)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize(
    "change",
    [
        {"key": STRANGER},
        {"iss": "other"},
        {"sub": "other"},
        {"sub": ["batch"]},
        {"aud": "https://elsewhere.example/token"},
        {"aud": ["https://elsewhere.example/token"]},
        {"aud": {"a": 1}},
        {"aud": None},
        {"exp": 0},
        {"exp": "soon"},
        {"exp": 1e300},
        {"exp": True},
        {"without": "exp"},
        {"without": "jti"},
        {"without": "sub"},
        {"jti": 7},
        {"nbf": 4102444800},
        {"nbf": "later"},
    ],
    ids=lambda change: "key" if "key" in change else str(change),
)
def test_assertion_that_must_not_pass(place: Place, change: dict[str, Any]) -> None:
    answer = ask(place, assertion(place, **change))
    assert answer.status_code == 401
    assert answer.json()["error"] == "invalid_client"


def test_assertion_that_lives_too_long_is_refused(place: Place) -> None:
    exp = int(place.clock().timestamp()) + 3600
    assert ask(place, assertion(place, exp=exp)).status_code == 401


def test_symmetric_signature_over_the_public_key_is_refused(place: Place) -> None:
    """Algorithm confusion: HS256 with the public key as its secret."""
    header = b64url_encode(b'{"alg":"HS256"}')
    body = assertion(place).split(".")[1].encode()
    mac = hmac.new(KEY.as_pem(private=False), header + b"." + body, "sha256").digest()
    assert ask(place, b".".join((header, body, b64url_encode(mac))).decode()).status_code == 401


@pytest.mark.parametrize("token", ["", "a.b.c", "x" * 9000, "e30.e30.", "[" * 5000, "\x00", "印信"])
def test_malformed_assertion_is_401_and_never_500(place: Place, token: str) -> None:
    assert ask(place, token).status_code == 401


def test_unsigned_assertion_is_refused(place: Place) -> None:
    body = assertion(place).split(".")[1]
    assert ask(place, f"eyJhbGciOiJub25lIn0.{body}.").status_code == 401


def test_client_id_must_be_the_subject(place: Place) -> None:
    assert ask(place, assertion(place), client_id="batch").status_code == 200
    assert ask(place, assertion(place, jti="a2"), client_id="other").status_code == 401


def test_unknown_and_disabled_clients_are_refused(place: Place, client: MachineClient) -> None:
    assert ask(place, assertion(place, iss="nobody", sub="nobody")).status_code == 401
    jwks = client.jwks
    token = ask(place, assertion(place)).json()["access_token"]
    closed = MachineClient(client.id, client.display_name, client.affiliation, jwks, disabled=True)
    place.accounts.store.put_client(closed)
    assert ask(place, assertion(place, jti="a2")).status_code == 401
    headers = {"authorization": f"Bearer {token}"}
    assert place.browser().client.get("/api/clerk", headers=headers).status_code == 401


def test_other_grants_and_authentications_are_refused(place: Place) -> None:
    assert ask(place, assertion(place), grant_type="password").json()["error"] == "unsupported_grant_type"
    assert ask(place, assertion(place), client_assertion_type="secret").json()["error"] == "invalid_client"
    assert place.browser().client.post("/oauth/token").json()["error"] == "unsupported_grant_type"


def test_metadata_tells_where_and_how(place: Place) -> None:
    body = place.browser().client.get("/.well-known/oauth-authorization-server").json()
    assert body["issuer"] == ORIGIN
    assert body["token_endpoint"] == f"{ORIGIN}/oauth/token"
    assert body["token_endpoint_auth_methods_supported"] == ["private_key_jwt"]
