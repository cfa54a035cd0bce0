"""OpenID4VCI 1.0 chapter 6 and RFC 6749 section 5: the token endpoint, for pre-authorized codes."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from issuer.openid4vci import exchange
from issuer.openid4vci.errors import ProtocolRefusal
from issuer.openid4vci.exchange import MAX_FORM, parse_form
from issuer.openid4vci.offers import MOST_ATTEMPTS, Offer, OfferState
from issuer.openid4vci.requested import read_asked
from tests.issuer.openid4vci.as_world import TOKEN, Wallet, code_of, details
from tests.issuer.openid4vci.credential_world import (
    ISSUER,
    MDOC,
    OTHER_ISSUER,
    PRE_AUTHORIZED,
    SD_JWT,
    Issuing,
    error_of,
)

FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def wallet(issuing: Issuing) -> Wallet:
    return Wallet(issuing)


def wrong(pin: str | None) -> str:
    assert pin is not None
    return f"{(int(pin) + 1) % 1_000_000:06}"


def test_a_code_is_redeemed_for_tokens(wallet: Wallet) -> None:
    """RFC 6749 section 5.1: the parameters, no-store; without a DPoP proof a bearer token."""
    answer = wallet.redeem(wallet.offer())
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["pragma"] == "no-cache"
    assert answer.headers["access-control-allow-origin"] == "*"
    told = answer.json()
    assert set(told) == {"access_token", "token_type", "expires_in", "refresh_token"}
    assert (told["token_type"], type(told["expires_in"])) == ("Bearer", int)
    assert min(len(told["access_token"]), len(told["refresh_token"])) >= 43
    assert wallet.collects(told["access_token"]) == 200


def test_anonymous_access_and_any_client_id_are_taken(wallet: Wallet) -> None:
    """6.1: authentication is optional for this grant."""
    assert wallet.redeem(wallet.offer()).status_code == 200
    assert wallet.redeem(wallet.offer(), client_id="some-wallet").status_code == 200


def test_a_client_id_that_none_can_have_is_invalid_request(wallet: Wallet) -> None:
    """RFC 6749 appendix A.1."""
    offer = wallet.offer()
    for client_id in ("x" * 600, "wallet\u202eelpmaxe", "a\nb"):
        assert error_of(wallet.redeem(offer, client_id=client_id)) == "invalid_request"
    assert wallet.redeem(offer).status_code == 200


def test_parameters_that_nobody_knows_are_ignored(wallet: Wallet) -> None:
    assert wallet.redeem(wallet.offer(), user_pin_required="x", wallet_issuer="y").status_code == 200


def test_a_parameter_without_value_counts_as_left_out(wallet: Wallet) -> None:
    """RFC 6749 section 3.2."""
    assert wallet.redeem(wallet.offer(), tx_code="", scope="", authorization_details="").status_code == 200
    assert error_of(wallet.redeem("")) == "invalid_request"


def test_a_replayed_code_is_invalid_grant_and_takes_nothing_from_who_came_first(wallet: Wallet) -> None:
    """The attack: whoever photographed the QR code redeems it, too, to cut the citizen off."""
    offer = wallet.offer()
    told = wallet.redeem(offer).json()
    assert error_of(wallet.redeem(offer)) == "invalid_grant"
    assert wallet.collects(told["access_token"]) == 200
    assert wallet.refresh(told["refresh_token"]).status_code == 200


def test_of_many_who_redeem_one_code_at_once_one_at_most_gets_tokens(wallet: Wallet) -> None:
    offer = wallet.offer()
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: wallet.redeem(offer), range(6)))
    codes = sorted(each.status_code for each in answers)
    assert codes == [200] + [400] * 5
    assert {error_of(each) for each in answers if each.status_code == 400} == {"invalid_grant"}
    (told,) = (each.json() for each in answers if each.status_code == 200)
    assert wallet.collects(told["access_token"]) == 200, "those who came late took nothing from it"


def test_an_unknown_expired_or_withdrawn_code_is_invalid_grant(wallet: Wallet) -> None:
    cancelled, expired = wallet.offer(), wallet.offer()
    wallet.issuing.service.offers.cancel(cancelled.id)
    assert error_of(wallet.redeem("invented")) == "invalid_grant"
    assert error_of(wallet.redeem(cancelled)) == "invalid_grant"
    wallet.later(minutes=10)
    assert error_of(wallet.redeem(expired)) == "invalid_grant"


def test_a_code_of_another_issuer_is_invalid_grant(wallet: Wallet) -> None:
    offer = wallet.offer()
    form = {"grant_type": PRE_AUTHORIZED, "pre-authorized_code": code_of(offer)}
    assert error_of(wallet.post(f"{OTHER_ISSUER}/token", form)) == "invalid_grant"
    assert wallet.redeem(offer).status_code == 200


def test_a_missing_code_is_invalid_request(wallet: Wallet) -> None:
    assert error_of(wallet.post(TOKEN, {"grant_type": PRE_AUTHORIZED})) == "invalid_request"


def test_a_grant_type_that_is_missing_or_unknown(wallet: Wallet) -> None:
    code = code_of(wallet.offer())
    assert error_of(wallet.post(TOKEN, {"pre-authorized_code": code})) == "invalid_request"
    for grant in ("client_credentials", "password", "pre-authorized_code"):
        form = {"grant_type": grant, "pre-authorized_code": code}
        assert error_of(wallet.post(TOKEN, form)) == "unsupported_grant_type"


# Transaction codes


def test_the_right_transaction_code_is_taken_once(wallet: Wallet) -> None:
    offer = wallet.offer(with_pin=True)
    assert wallet.redeem(offer, tx_code=offer.tx_code).status_code == 200
    assert error_of(wallet.redeem(offer, tx_code=offer.tx_code)) == "invalid_grant"


def test_a_missing_transaction_code_is_invalid_request(wallet: Wallet) -> None:
    offer = wallet.offer(with_pin=True)
    assert error_of(wallet.redeem(offer)) == "invalid_request"
    assert wallet.redeem(offer, tx_code=offer.tx_code).status_code == 200, "nothing was lost"


def test_a_transaction_code_that_nobody_expects_is_invalid_request(wallet: Wallet) -> None:
    offer = wallet.offer()
    assert error_of(wallet.redeem(offer, tx_code="123456")) == "invalid_request"
    assert wallet.redeem(offer).status_code == 200


def test_a_wrong_transaction_code_is_invalid_grant(wallet: Wallet) -> None:
    offer = wallet.offer(with_pin=True)
    for attempt in (wrong(offer.tx_code), f" {offer.tx_code}", "１２３４５６", "x" * 5000):
        assert error_of(wallet.redeem(offer, tx_code=attempt)) == "invalid_grant"
    assert wallet.redeem(offer, tx_code=offer.tx_code).status_code == 200, "the fifth try, and the right one"


def test_five_wrong_transaction_codes_lock_the_offer_for_good(wallet: Wallet) -> None:
    """13.6.3; the count is in the database: a restart gives no new tries."""
    offer = wallet.offer(with_pin=True)
    for attempt in range(MOST_ATTEMPTS):
        again = Wallet(Issuing(wallet.issuing.office, wallet.issuing.folder, wallet.issuing.provider))
        assert error_of(again.redeem(offer, tx_code=wrong(offer.tx_code))) == "invalid_grant", attempt
    assert error_of(wallet.redeem(offer, tx_code=offer.tx_code)) == "invalid_grant", "the right one comes too late"
    assert wallet.issuing.service.offers.state(offer.id) is OfferState.LOCKED


def test_trying_transaction_codes_all_at_once_gives_no_more_tries(wallet: Wallet) -> None:
    offer = wallet.offer(with_pin=True)
    tried: list[Any] = [wrong(offer.tx_code)] * 12
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda pin: wallet.redeem(offer, tx_code=pin), tried))
    assert wallet.issuing.service.store.count_attempt(offer.id, MOST_ATTEMPTS) is None
    assert error_of(wallet.redeem(offer, tx_code=offer.tx_code)) == "invalid_grant"


# What is asked for


def told_details(answer: Any) -> dict[str, list[str]]:
    assert answer.status_code == 200, answer.text
    found = answer.json()["authorization_details"]
    assert {each["type"] for each in found} == {"openid_credential"}
    return {each["credential_configuration_id"]: each["credential_identifiers"] for each in found}


def test_authorization_details_are_answered_with_credential_identifiers(wallet: Wallet) -> None:
    """6.2: REQUIRED when they were used; each identifier is one dataset."""
    found = told_details(wallet.redeem(wallet.offer(), authorization_details=details(SD_JWT, MDOC)))
    assert set(found) == {SD_JWT, MDOC}
    assert len({identifier for each in found.values() for identifier in each}) == 2


def test_a_token_for_fewer_configurations_is_for_those_only(wallet: Wallet) -> None:
    """6.1.1: a subset is granted."""
    answer = wallet.redeem(wallet.offer(), authorization_details=details(MDOC))
    assert set(told_details(answer)) == {MDOC}
    tokens = wallet.issuing.service.tokens
    header = f"Bearer {answer.json()['access_token']}"
    grant = tokens.authorise(wallet.tenant, header, None, "POST", f"{ISSUER}/credential")
    assert [each.configurations for each in grant.datasets] == [(MDOC,)]
    assert grant.by_identifier


def test_details_with_our_location_and_unknown_members_are_taken(wallet: Wallet) -> None:
    """5.1.1: locations names the issuer; never invalid due to unknown fields."""
    asked = details(SD_JWT, locations=[ISSUER], claims=[{"path": ["holder_name"]}], more={"x": 1})
    assert set(told_details(wallet.redeem(wallet.offer(), authorization_details=asked))) == {SD_JWT}


@pytest.mark.parametrize(
    "asked",
    [
        "junk",
        "{}",
        "[]",
        "[1]",
        "[" * 100,
        '[{"type": "openid_credential"}]',
        '[{"type": "payment", "credential_configuration_id": "' + SD_JWT + '"}]',
        '[{"credential_configuration_id": "' + SD_JWT + '"}]',
        details("common.unknown.sd_jwt_vc"),
        details(SD_JWT, locations=["https://elsewhere.example"]),
        details(SD_JWT, locations=ISSUER),
        details(SD_JWT, claims=[]),
        details(SD_JWT, claims=[{"path": []}]),
        details(*[SD_JWT] * 33),
    ],
)
def test_details_that_do_not_conform_are_invalid_authorization_details(wallet: Wallet, asked: str) -> None:
    """RFC 9396 section 5; nothing is redeemed."""
    offer = wallet.offer()
    assert error_of(wallet.redeem(offer, authorization_details=asked)) == "invalid_authorization_details"
    assert wallet.redeem(offer).status_code == 200


def test_details_beyond_the_offer_are_invalid_authorization_details(wallet: Wallet) -> None:
    other = next(each.id for each in wallet.tenant.configurations if each.id not in (SD_JWT, MDOC))
    assert error_of(wallet.redeem(wallet.offer(), authorization_details=details(other))) == (
        "invalid_authorization_details"
    )


def test_scope_narrows_and_is_told(wallet: Wallet) -> None:
    """5.1.2: unknown values are ignored; RFC 6749 section 5.1: what was granted is told."""
    answer = wallet.redeem(wallet.offer(), scope=f"openid {MDOC} unknown")
    assert answer.json()["scope"] == MDOC
    assert "authorization_details" not in answer.json()


def test_scope_that_is_unknown_malformed_or_not_offered_is_invalid_scope(wallet: Wallet) -> None:
    other = next(each.id for each in wallet.tenant.configurations if each.id not in (SD_JWT, MDOC))
    for scope in ("unknown", f"{SD_JWT}  {MDOC}", '"', "证照", other):
        assert error_of(wallet.redeem(wallet.offer(), scope=scope)) == "invalid_scope", scope


def test_a_resource_that_is_not_ours_is_invalid_target(wallet: Wallet) -> None:
    """RFC 8707 section 2; it may be there several times."""
    offer = wallet.offer()
    for resource in ("https://elsewhere.example", OTHER_ISSUER, ISSUER + "x"):
        assert error_of(wallet.redeem(offer, resource=resource)) == "invalid_target"
    body = f"grant_type={PRE_AUTHORIZED}&pre-authorized_code={code_of(offer)}&resource={ISSUER}&resource={ISSUER}/x"
    assert wallet.post(TOKEN, body).status_code == 200


# Form


def test_a_parameter_twice_is_invalid_request(wallet: Wallet) -> None:
    """RFC 6749 section 3.2."""
    body = f"grant_type={PRE_AUTHORIZED}&pre-authorized_code={code_of(wallet.offer())}"
    for more in ("grant_type=x", "pre-authorized_code=x", "a=1&a=1"):
        assert error_of(wallet.post(TOKEN, f"{body}&{more}")) == "invalid_request"
    assert wallet.post(TOKEN, body).status_code == 200


def test_another_content_type_is_invalid_request(wallet: Wallet) -> None:
    body = f"grant_type={PRE_AUTHORIZED}&pre-authorized_code={code_of(wallet.offer())}"
    for wrong_type in ("application/json", "text/plain", "multipart/form-data; boundary=x", ""):
        assert error_of(wallet.post(TOKEN, body, content_type=wrong_type)) == "invalid_request"
    assert wallet.post(TOKEN, body, content_type=f"{FORM}; charset=UTF-8").status_code == 200


def test_parameters_in_the_url_do_not_count(wallet: Wallet) -> None:
    """RFC 6749 section 2.3.1: never in the request URI."""
    query = f"?grant_type={PRE_AUTHORIZED}&pre-authorized_code={code_of(wallet.offer())}"
    assert error_of(wallet.post(TOKEN + query, "x=y")) == "invalid_request"


def test_an_oversized_or_unreadable_body_is_invalid_request(wallet: Wallet) -> None:
    assert error_of(wallet.post(TOKEN, "a=" + "b" * MAX_FORM), 413) == "invalid_request"
    for body in ("a=%ff%fe", "a=%00", "&".join(f"a{n}=1" for n in range(100)), b"a=\xff"):
        assert error_of(wallet.post(TOKEN, body)) == "invalid_request"


def test_only_post_is_answered(wallet: Wallet) -> None:
    assert wallet.issuing.client.get(TOKEN).status_code == 405


def test_no_refusal_repeats_what_was_sent(wallet: Wallet) -> None:
    """And none of them holds a code, a token or a transaction code."""
    offer: Offer = wallet.offer(with_pin=True)
    sent: dict[str, Any] = {"tx_code": wrong(offer.tx_code), "scope": "secretscope", "client_id": "secretclient"}
    answer = wallet.redeem(offer, **sent)
    assert answer.status_code == 400
    assert not any(value in answer.text for value in (*sent.values(), code_of(offer)))


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
@settings(deadline=None, max_examples=200)
def test_any_body_is_a_form_or_refused(body: bytes) -> None:
    with suppress(ProtocolRefusal):
        assert all(parse_form(body).values())


@given(st.fixed_dictionaries({}, optional={n: st.text(max_size=80) for n in ("scope", "authorization_details")}))
@settings(deadline=None, max_examples=200)
def test_anything_asked_for_is_known_or_refused(form: dict[str, str]) -> None:
    tenant = _TENANT[0]
    with suppress(ProtocolRefusal):
        assert all(tenant.configuration(each) for each in read_asked(form, tenant).configurations)


_TENANT: list[Any] = []


@pytest.fixture(scope="module", autouse=True)
def _known_tenant(shared_issuing: Issuing) -> None:
    _TENANT[:] = [shared_issuing.tenant]


@pytest.mark.parametrize("leaving", [True, False])
@pytest.mark.parametrize("endpoint", ["token", "credential"])
def test_a_body_that_stays_away(wallet: Wallet, monkeypatch: pytest.MonkeyPatch, endpoint: str, leaving: bool) -> None:
    """Neither a place that is held for ever, nor a bug when the connection ends."""
    monkeypatch.setattr(exchange, "BODY_SECONDS", 0.01)
    first = {"type": "http.request", "body": b"grant_type=", "more_body": True}
    sent: list[Any] = []

    async def receive() -> Any:
        if not first:
            return {"type": "http.disconnect"} if leaving else await asyncio.Event().wait()
        message = dict(first)
        first.clear()
        return message

    async def send(message: Any) -> None:
        sent.append(message)

    path = f"{urlsplit(ISSUER).path}/{endpoint}"
    kind = b"application/x-www-form-urlencoded" if endpoint == "token" else b"application/json"
    headers = [(b"content-type", kind), (b"authorization", b"Bearer x")]
    scope = {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": headers}
    asyncio.run(wallet.issuing.client.app(scope, receive, send))
    assert sent[0]["status"] == 408
