"""OpenID4VCI 1.0 chapter 5, RFC 6749 section 4.1, RFC 9126, 7636, 9207 and 9449 section 10: the code flow."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi import FastAPI
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from issuer.openid4vci.as_routes import as_router
from issuer.openid4vci.authorization import URN, Waiting
from issuer.openid4vci.offers import OfferState
from issuer.openid4vci.pushed import AuthorizationRequest, origin_of, redirect_allowed, redirected
from server.limits import RateLimit
from server.openid4vci import admitting
from tests.issuer.office import OTHER_OFFICE
from tests.issuer.openid4vci.as_world import CLIENT, PAR, REDIRECT, Wallet, details, document_of
from tests.issuer.openid4vci.credential_world import ISSUER, MDOC, OTHER_ISSUER, SD_JWT, Issuing, error_of


@pytest.fixture
def wallet(issuing: Issuing) -> Wallet:
    return Wallet(issuing)


def opened(wallet: Wallet, **changes: str | None) -> Waiting:
    """A request that waits for its holder's answer."""
    pushed = wallet.push(headers=None, **changes)
    assert pushed.status_code == 201, pushed.text
    service = wallet.issuing.service.authorization
    page = service.open(wallet.tenant, changes.get("client_id") or CLIENT, pushed.json()["request_uri"])
    assert page is not None
    found = service.waiting(wallet.tenant, page)
    assert found is not None
    return found


def returned(where: str | None) -> dict[str, str]:
    assert where is not None
    return {name: values[0] for name, values in parse_qs(urlsplit(where).query).items()}


# Pushed authorization requests


def test_a_pushed_request_gets_a_request_uri(wallet: Wallet) -> None:
    """RFC 9126 section 2.2: 201, request_uri, expires_in; nobody keeps it."""
    answer = wallet.push()
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["access-control-allow-origin"] == "*"
    told = answer.json()
    assert set(told) == {"request_uri", "expires_in"}
    assert told["request_uri"].startswith(URN)
    assert len(told["request_uri"].removeprefix(URN)) >= 43
    assert 60 <= told["expires_in"] <= 90


def test_a_request_uri_opens_once(wallet: Wallet) -> None:
    service, uri = wallet.issuing.service.authorization, wallet.push().json()["request_uri"]
    with ThreadPoolExecutor(4) as pool:
        pages = list(pool.map(lambda _: service.open(wallet.tenant, CLIENT, uri), range(8)))
    assert sum(page is not None for page in pages) == 1


def test_a_request_uri_that_is_anothers_invented_or_expired_opens_nothing(wallet: Wallet) -> None:
    service, uri = wallet.issuing.service.authorization, wallet.push().json()["request_uri"]
    other = wallet.issuing.service.tenants.find(OTHER_OFFICE)
    assert other is not None
    assert service.open(wallet.tenant, "another-client", uri) is None
    assert service.open(other, CLIENT, uri) is None
    for invented in ("", URN, URN + "x", "https://evil.example/request", uri.removeprefix(URN)):
        assert service.open(wallet.tenant, CLIENT, invented) is None
    wallet.later(seconds=90)
    assert service.open(wallet.tenant, CLIENT, uri) is None


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"client_id": None}, "invalid_request"),
        ({"client_id": "x" * 600}, "invalid_request"),
        ({"client_id": "wallet\u202eelpmaxe"}, "invalid_request"),  # RFC 6749 appendix A.1; reads backwards
        ({"client_id": "wallet\r\nx"}, "invalid_request"),
        ({"redirect_uri": None}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge": "=" * 43}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"request_uri": URN + "x"}, "invalid_request"),
        ({"request": "e30.e30.e30"}, "invalid_request"),
        ({"state": "x" * 3000}, "invalid_request"),
        ({"scope": None}, "invalid_scope"),
        ({"scope": "unknown"}, "invalid_scope"),
        ({"scope": "openid profile"}, "invalid_scope"),
        ({"scope": '"'}, "invalid_scope"),
        ({"authorization_details": "[]"}, "invalid_authorization_details"),
        ({"authorization_details": details("unknown")}, "invalid_authorization_details"),
        ({"resource": "https://elsewhere.example"}, "invalid_target"),
        ({"issuer_state": "invented"}, "invalid_request"),
        ({"dpop_jkt": "short"}, "invalid_request"),
    ],
)
def test_a_pushed_request_that_is_wrong(wallet: Wallet, changes: dict[str, str | None], error: str) -> None:
    """RFC 9126 section 2.3, RFC 6749 section 4.1.2.1, RFC 7636 section 4.4.1."""
    assert error_of(wallet.post(PAR, wallet.request(**changes))) == error


def test_a_pushed_request_has_the_form_of_a_form(wallet: Wallet) -> None:
    whole = wallet.request()
    assert error_of(wallet.issuing.client.post(PAR, json=whole)) == "invalid_request"
    twice = [*whole.items(), ("state", "another")]
    body = "&".join(f"{name}={value}" for name, value in twice)
    assert error_of(wallet.post(PAR, body)) == "invalid_request"


@pytest.mark.parametrize(
    "uri",
    [
        "https://wallet.example/cb",
        "https://wallet.example",
        "https://wallet.example:8443/cb?a=b",
        "http://127.0.0.1:51004/cb",
        "http://[::1]:61023/cb",
        "http://localhost/cb",
        "com.example.wallet:/oauth/cb",
        "haip://authorize",
        "eu.europa.ec.euidi://authorization",
    ],
)
def test_a_redirect_uri_of_a_wallet_is_taken(wallet: Wallet, uri: str) -> None:
    """RFC 8252 section 7: claimed https, loopback, private-use schemes."""
    assert wallet.push(redirect_uri=uri).status_code == 201


@pytest.mark.parametrize(
    "uri",
    [
        "javascript:alert(1)",
        "javascript://wallet.example/%0aalert(1)",
        "JavaScript:/alert(1)",
        "data:text/html,x",
        "data:/x",
        "vbscript:/x",
        "blob:https://wallet.example/x",
        "file:///etc/passwd",
        "view-source:/x",
        "intent://x",
        "ms-msdt:/id",
        "Search-MS:/x",
        "http://wallet.example/cb",
        "http://127.0.0.1.evil.example/cb",
        "http://localhost@evil.example/cb",
        "https://user@wallet.example/cb",
        "https:///cb",
        "https://wallet.example/cb#fragment",
        "https://wallet.example/c b",
        "https://wallet.example/c\nb",
        "https://wallet.example/證",
        "https://[/cb",
        "https://wallet.example:x/cb",
        "/cb",
        "//wallet.example/cb",
        "wallet",
        "1x:/cb",
        "haip:cb",
        "https://wallet.example/" + "x" * 2000,
    ],
)
def test_a_redirect_uri_that_leads_anywhere_else_is_refused(wallet: Wallet, uri: str) -> None:
    assert error_of(wallet.push(redirect_uri=uri)) == "invalid_request"


@given(st.text(max_size=60) | st.builds("{}:/{}".format, st.text(max_size=10), st.text(max_size=20)))
@settings(deadline=None, max_examples=300)
def test_any_redirect_uri_is_refused_or_can_stand_in_a_header(uri: str) -> None:
    if redirect_allowed(uri):
        where = redirected(uri, {"code": "x", "state": 'a b\r\n"', "iss": None})
        assert where.isascii()
        assert where.isprintable()
        assert " " not in where
        assert where.startswith(uri)
        assert origin_of(uri).isascii()


def test_a_request_survives_its_column() -> None:
    request = AuthorizationRequest("haip://x", "c", ("a", "b"), True, "a", None, "o", "k", None, "名")
    assert AuthorizationRequest.from_text(request.to_text()) == request


# The holder's answer


def test_the_code_comes_back_with_state_and_iss(wallet: Wallet) -> None:
    """RFC 6749 section 4.1.2, RFC 9207 section 2; the redirect URI keeps its own query."""
    certificate_id, holder_id = wallet.issuing.certificate()
    where = wallet.issuing.service.authorization.allow(opened(wallet), holder_id, [certificate_id])
    assert where is not None
    assert where.startswith(f"{REDIRECT}&")
    told = returned(where)
    assert set(told) == {"tenant", "code", "state", "iss"}
    assert (told["state"], told["iss"]) == ("af0ifjsldkj", ISSUER)
    assert len(told["code"]) >= 43


def test_a_request_without_state_is_answered_without(wallet: Wallet) -> None:
    assert "state" not in wallet.authorised(state=None)


def test_the_scope_told_is_what_the_holder_allowed(wallet: Wallet) -> None:
    """RFC 6749 section 5.1: REQUIRED where it is less than what was asked for."""
    other = next(each.id for each in wallet.tenant.configurations if each.id not in (SD_JWT, MDOC))
    told = wallet.exchange(wallet.authorised(scope=f"{other} {SD_JWT}")["code"]).json()
    assert told["scope"] == SD_JWT


def test_a_denial_is_access_denied(wallet: Wallet) -> None:
    """RFC 6749 section 4.1.2.1."""
    waiting = opened(wallet)
    told = returned(wallet.issuing.service.authorization.deny(waiting))
    assert set(told) == {"tenant", "error", "error_description", "state", "iss"}
    assert (told["error"], told["iss"]) == ("access_denied", ISSUER)


def test_pushing_without_end_is_429(wallet: Wallet) -> None:
    """RFC 9126 section 2.3: what is kept for strangers is bounded, for each address by itself."""
    service = replace(wallet.issuing.service, admit=admitting(RateLimit("2/minute")))
    app = FastAPI()
    app.include_router(as_router(service, edge=None))  # type: ignore[arg-type]  # no page is rendered
    mine, other = (TestClient(app, base_url="https://east.example", client=(a, 1)) for a in ("192.0.2.1", "192.0.2.2"))
    form = wallet.request()
    assert [mine.post(PAR, data=form).status_code for _ in range(2)] == [201, 201]
    answer = mine.post(PAR, data=form)
    assert error_of(answer, 429) == "temporarily_unavailable"
    assert 0 < int(answer.headers["retry-after"]) <= 60
    assert other.post(PAR, data=form).status_code == 201


def test_a_client_id_that_none_can_have_is_not_even_looked_up(wallet: Wallet) -> None:
    """The attack: NUL in the query of the authorization endpoint, which PostgreSQL takes in no text."""
    nowhere = replace(wallet.issuing.service.authorization, store=None)  # type: ignore[arg-type]  # nobody to ask
    assert nowhere.open(wallet.tenant, "a\0", "urn:ietf:params:oauth:request_uri:x") is None


def test_a_request_is_answered_once(wallet: Wallet) -> None:
    service, (certificate_id, holder_id) = wallet.issuing.service.authorization, wallet.issuing.certificate()
    waiting = opened(wallet)
    assert service.allow(waiting, holder_id, [certificate_id])
    assert service.allow(waiting, holder_id, [certificate_id]) is None
    assert service.deny(waiting) is None
    assert service.waiting(wallet.tenant, waiting.page) is None


def test_a_page_waits_a_quarter_of_an_hour(wallet: Wallet) -> None:
    """The holder may have to sign in first."""
    service, waiting = wallet.issuing.service.authorization, opened(wallet)
    wallet.later(minutes=14)
    assert service.waiting(wallet.tenant, waiting.page) == waiting
    wallet.later(minutes=1)
    assert service.waiting(wallet.tenant, waiting.page) is None


def test_nobody_hands_out_what_another_holds(wallet: Wallet) -> None:
    """A certificate id in the form that is not the holder's own changes nothing."""
    service = wallet.issuing.service.authorization
    (mine, me), (theirs, _) = wallet.issuing.certificate(), wallet.issuing.certificate()
    waiting = opened(wallet)
    (choice,) = service.choices(waiting, me)
    assert [each.attestation.certificate_id for each in choice.certificates] == [mine]
    assert service.allow(waiting, me, [theirs]) is None
    assert service.allow(waiting, me, [theirs, mine]) is not None


def test_what_was_revoked_is_not_to_be_chosen(wallet: Wallet) -> None:
    service, (certificate_id, holder_id) = wallet.issuing.service.authorization, wallet.issuing.certificate()
    waiting = opened(wallet)
    wallet.issuing.office.revoke(certificate_id, wallet.issuing.office.clock())
    assert service.choices(waiting, holder_id)[0].certificates == ()
    assert service.allow(waiting, holder_id, [certificate_id]) is None


def test_scope_and_details_are_read_each_by_itself(wallet: Wallet) -> None:
    """5.1.2: both may be there; the details are followed for what both name."""
    waiting = opened(wallet, scope=f"{SD_JWT} openid", authorization_details=details(MDOC, SD_JWT))
    assert set(waiting.request.configurations) == {SD_JWT, MDOC}
    assert waiting.request.by_details
    (choice,) = wallet.issuing.service.authorization.choices(waiting, wallet.issuing.certificate()[1])
    assert {each.id for each in choice.configurations} == {SD_JWT, MDOC}


# Offers for this flow


def state_of(offer: Any) -> str:
    found: str = document_of(offer)["grants"]["authorization_code"]["issuer_state"]
    return found


def test_issuer_state_binds_the_request_to_the_offers_certificate(wallet: Wallet) -> None:
    service, made = wallet.issuing.service.authorization, wallet.issuing.certificate()
    offer = wallet.offer(made, grant="authorization_code")
    waiting = opened(wallet, issuer_state=state_of(offer))
    (choice,) = service.choices(waiting, made[1])
    assert [each.attestation.certificate_id for each in choice.certificates] == [made[0]]
    assert service.choices(waiting, wallet.issuing.certificate()[1])[0].certificates == (), "another holder"
    code = returned(service.allow(waiting, made[1], [made[0]]))["code"]
    assert wallet.issuing.service.offers.state(offer.id) is OfferState.TAKEN
    told = wallet.exchange(code).json()
    grant = wallet.issuing.service.tokens.authorise(wallet.tenant, f"Bearer {told['access_token']}", None, "POST", "")
    assert grant.approved, "a clerk made the offer"


def test_issuer_state_alone_asks_for_what_is_offered(wallet: Wallet) -> None:
    offer = wallet.offer(grant="authorization_code")
    assert set(opened(wallet, scope=None, issuer_state=state_of(offer)).request.configurations) == {SD_JWT, MDOC}


def test_issuer_state_does_not_widen_the_offer(wallet: Wallet) -> None:
    other = next(each.id for each in wallet.tenant.configurations if each.id not in (SD_JWT, MDOC))
    state = state_of(wallet.offer(grant="authorization_code"))
    assert opened(wallet, scope=f"{MDOC} {other}", issuer_state=state).request.configurations == (MDOC,)
    assert error_of(wallet.push(scope=other, issuer_state=state)) == "invalid_scope"


def test_issuer_state_of_a_taken_cancelled_or_expired_offer_is_invalid_request(wallet: Wallet) -> None:
    """It may have been injected: section 5.1.3."""
    service, made = wallet.issuing.service.authorization, wallet.issuing.certificate()
    taken, cancelled = (wallet.offer(made, grant="authorization_code") for _ in range(2))
    late, first = (opened(wallet, issuer_state=state_of(taken)) for _ in range(2))
    assert service.allow(first, made[1], [made[0]])
    assert service.allow(late, made[1], [made[0]]) is None, "two wallets, one offer"
    wallet.issuing.service.offers.cancel(cancelled.id)
    for gone in (taken, cancelled):
        assert error_of(wallet.push(issuer_state=state_of(gone))) == "invalid_request"
    foreign = wallet.request(issuer_state=state_of(wallet.offer(grant="authorization_code")))
    assert error_of(wallet.post(f"{OTHER_ISSUER}/par", foreign)) == "invalid_request"


def test_without_an_offer_nothing_is_approved(wallet: Wallet) -> None:
    """A citizen's own request waits for a clerk where the type is under dual control."""
    token = wallet.exchange(wallet.authorised()["code"]).json()["access_token"]
    assert not wallet.issuing.service.tokens.authorise(wallet.tenant, f"Bearer {token}", None, "POST", "").approved


def test_the_request_column_holds_no_secret(wallet: Wallet) -> None:
    waiting = opened(wallet)
    text = waiting.request.to_text()
    assert waiting.page not in text
    assert wallet.verifier not in text
    assert json.loads(text)["redirect_uri"] == REDIRECT
