"""RFC 6749 section 6, RFC 9449 section 5, OpenID4VCI 1.0 section 13.5 (refresh of a certificate)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from issuer.openid4vci.tokens import GRANT_LIFE
from tests.issuer.openid4vci.as_world import CLIENT, CREDENTIAL, Wallet, details
from tests.issuer.openid4vci.credential_world import ISSUER, MDOC, OTHER_ISSUER, SD_JWT, Issuing, error_of, new_key
from trust_registry.attestations import CertificateId


@pytest.fixture
def wallet(issuing: Issuing) -> Wallet:
    return Wallet(issuing)


def collected(wallet: Wallet, token: str) -> set[CertificateId]:
    """The certificates that the token is for."""
    grant = wallet.issuing.service.tokens.authorise(wallet.tenant, f"Bearer {token}", None, "POST", CREDENTIAL)
    return {each.certificate_id for each in grant.datasets}


def test_a_wallet_comes_back_for_the_same_certificate(wallet: Wallet) -> None:
    """A year after: the same certificate, a fresh copy, no interaction."""
    made = wallet.issuing.certificate()
    told = wallet.redeem(wallet.offer(made)).json()
    for _ in range(2):
        wallet.later(days=100)
        assert wallet.collects(told["access_token"]) == 401
        answer = wallet.refresh(told["refresh_token"])
        assert answer.headers["cache-control"] == "no-store"
        told = answer.json()
        assert set(told) == {"access_token", "token_type", "expires_in", "refresh_token"}
        assert collected(wallet, told["access_token"]) == {made[0]}
        assert wallet.collects(told["access_token"]) == 200


def test_refreshing_ends_with_the_grant(wallet: Wallet) -> None:
    told = wallet.redeem(wallet.offer()).json()
    wallet.later(days=GRANT_LIFE.days, minutes=-2)
    told = wallet.refresh(told["refresh_token"]).json()
    assert told["expires_in"] == 120, "the access token does not outlive the grant"
    wallet.later(minutes=2)
    assert error_of(wallet.refresh(told["refresh_token"])) == "invalid_grant"
    assert wallet.collects(told["access_token"]) == 401


def test_each_refresh_token_of_a_bearer_works_once(wallet: Wallet) -> None:
    """Whoever comes with it again ends the grant: one of the two is a thief (RFC 9700 section 4.14.2)."""
    first = wallet.redeem(wallet.offer()).json()
    second = wallet.refresh(first["refresh_token"]).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert wallet.collects(second["access_token"]) == 200
    assert error_of(wallet.refresh(first["refresh_token"])) == "invalid_grant"
    assert wallet.collects(second["access_token"]) == 401
    assert error_of(wallet.refresh(second["refresh_token"])) == "invalid_grant"


def test_of_many_who_refresh_at_once_one_at_most_gets_tokens(wallet: Wallet) -> None:
    told = wallet.redeem(wallet.offer()).json()
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: wallet.refresh(told["refresh_token"]).status_code, range(6)))
    assert sorted(answers) == [200] + [400] * 5


def test_an_unknown_token_or_one_of_another_kind_is_invalid_grant(wallet: Wallet) -> None:
    told = wallet.redeem(wallet.offer()).json()
    for token in ("invented", told["access_token"]):
        assert error_of(wallet.refresh(token)) == "invalid_grant"
    form = {"grant_type": "refresh_token", "refresh_token": told["refresh_token"]}
    assert error_of(wallet.post(f"{OTHER_ISSUER}/token", form)) == "invalid_grant"
    assert error_of(wallet.post(f"{ISSUER}/token", {"grant_type": "refresh_token"})) == "invalid_request"
    assert wallet.collects(told["refresh_token"]) == 401, "no access token"


def test_a_refresh_token_of_another_client_is_invalid_grant(wallet: Wallet) -> None:
    told = wallet.exchange(wallet.authorised()["code"]).json()
    assert error_of(wallet.refresh(told["refresh_token"], client_id="another")) == "invalid_grant"
    assert wallet.refresh(told["refresh_token"], client_id=CLIENT).status_code == 200


def test_a_bound_refresh_token_needs_a_proof_by_its_key(wallet: Wallet) -> None:
    """RFC 9449 section 5: refresh tokens of public clients are bound."""
    told = wallet.redeem(wallet.offer(), headers={"DPoP": wallet.dpop()}).json()
    token = told["refresh_token"]
    assert error_of(wallet.refresh(token)) == "invalid_dpop_proof"
    assert error_of(wallet.refresh(token, headers={"DPoP": wallet.dpop(key=new_key())})) == "invalid_grant"
    again = wallet.refresh(token, headers={"DPoP": wallet.dpop()})
    assert again.json()["token_type"] == "DPoP"
    assert again.headers["dpop-nonce"]
    assert error_of(wallet.refresh(again.json()["refresh_token"])) == "invalid_dpop_proof", "and stays so"


def test_a_bound_refresh_token_does_not_rotate(wallet: Wallet) -> None:
    """FAPI 2.0 section 5.3.2.1: an answer that got lost must not cost the wallet its grant."""
    told = wallet.redeem(wallet.offer(), headers={"DPoP": wallet.dpop()}).json()
    token = told["refresh_token"]
    for _ in range(3):
        wallet.later(days=100)
        again = wallet.refresh(token, headers={"DPoP": wallet.dpop()}).json()
        assert (again["refresh_token"], again["token_type"]) == (token, "DPoP")
        proof = wallet.dpop(CREDENTIAL, token=again["access_token"])
        assert wallet.collects(again["access_token"], authorization=f"DPoP {again['access_token']}", DPoP=proof) == 200
    wallet.later(days=GRANT_LIFE.days - 300)
    assert error_of(wallet.refresh(token, headers={"DPoP": wallet.dpop()})) == "invalid_grant", "the grant ended"


def test_a_refresh_that_brings_a_key_for_the_first_time_is_bound_from_then_on(wallet: Wallet) -> None:
    first = wallet.redeem(wallet.offer()).json()["refresh_token"]
    second = wallet.refresh(first, headers={"DPoP": wallet.dpop()}).json()["refresh_token"]
    assert second != first, "the one that anybody could use is used up"
    assert error_of(wallet.refresh(second)) == "invalid_dpop_proof"
    assert wallet.refresh(second, headers={"DPoP": wallet.dpop()}).json()["refresh_token"] == second


def test_a_stolen_bound_refresh_token_does_not_end_the_grant(wallet: Wallet) -> None:
    """A thief without the key can't take the grant from its holder."""
    token = wallet.redeem(wallet.offer(), headers={"DPoP": wallet.dpop()}).json()["refresh_token"]
    thief = {"DPoP": wallet.dpop(key=new_key())}
    assert error_of(wallet.refresh(token, headers=thief)) == "invalid_grant"
    assert wallet.refresh(token, headers={"DPoP": wallet.dpop()}).status_code == 200


def test_scope_and_details_may_ask_for_less_and_never_for_more(wallet: Wallet) -> None:
    told = wallet.redeem(wallet.offer(), authorization_details=details(SD_JWT, MDOC)).json()
    less = wallet.refresh(told["refresh_token"], authorization_details=details(MDOC)).json()
    assert [each["credential_configuration_id"] for each in less["authorization_details"]] == [MDOC]
    whole = wallet.refresh(less["refresh_token"]).json()
    names = {each["credential_configuration_id"] for each in whole["authorization_details"]}
    assert names == {SD_JWT, MDOC}, "what is left out is what was granted (RFC 6749 section 6)"
    other = next(each.id for each in wallet.tenant.configurations if each.id not in (SD_JWT, MDOC))
    more = wallet.refresh(whole["refresh_token"], authorization_details=details(other))
    assert error_of(more) == "invalid_authorization_details"
    assert error_of(wallet.refresh(whole["refresh_token"], scope=other)) == "invalid_scope"
    assert wallet.refresh(whole["refresh_token"]).status_code == 200, "nothing was used up"


def test_identifiers_stay_the_same(wallet: Wallet) -> None:
    """6.2: the credential_identifiers of a dataset name it as long as the grant lasts."""
    told = wallet.redeem(wallet.offer(), authorization_details=details(SD_JWT)).json()
    assert wallet.refresh(told["refresh_token"]).json()["authorization_details"] == told["authorization_details"]
