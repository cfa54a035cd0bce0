"""RFC 6749 section 4.1.3, RFC 7636, RFC 9449 section 10: authorization codes, and what they are exchanged for."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from issuer.openid4vci.token_endpoint import challenge_met
from tests.issuer.openid4vci.as_world import CLIENT, PAR, REDIRECT, TOKEN, Wallet, details
from tests.issuer.openid4vci.credential_world import MDOC, OTHER_ISSUER, SD_JWT, Issuing, error_of, new_key


@pytest.fixture
def wallet(issuing: Issuing) -> Wallet:
    return Wallet(issuing)


def test_a_code_is_exchanged_for_tokens(wallet: Wallet) -> None:
    answer = wallet.exchange(wallet.authorised()["code"])
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert set(told) == {"access_token", "token_type", "expires_in", "refresh_token", "scope"}
    assert (told["token_type"], told["scope"]) == ("Bearer", SD_JWT)
    assert wallet.collects(told["access_token"]) == 200


def test_details_in_the_authorization_request_are_answered_with_identifiers(wallet: Wallet) -> None:
    """6.2: REQUIRED when used in either request; a subset may be asked for in the second."""
    code = wallet.authorised(scope=None, authorization_details=details(SD_JWT, MDOC))["code"]
    found = {each["credential_configuration_id"] for each in wallet.exchange(code).json()["authorization_details"]}
    assert found == {SD_JWT, MDOC}
    code = wallet.authorised(scope=None, authorization_details=details(SD_JWT, MDOC))["code"]
    told = wallet.exchange(code, authorization_details=details(MDOC)).json()["authorization_details"]
    assert [each["credential_configuration_id"] for each in told] == [MDOC]
    code = wallet.authorised(scope=None, authorization_details=details(SD_JWT))["code"]
    more = wallet.exchange(code, authorization_details=details(MDOC))
    assert error_of(more) == "invalid_authorization_details"


def test_a_code_twice_is_invalid_grant_and_revokes_its_tokens(wallet: Wallet) -> None:
    """RFC 6749 section 4.1.2."""
    code = wallet.authorised()["code"]
    told = wallet.exchange(code).json()
    assert error_of(wallet.exchange(code)) == "invalid_grant"
    assert wallet.collects(told["access_token"]) == 401
    assert error_of(wallet.refresh(told["refresh_token"], client_id=CLIENT)) == "invalid_grant"


def test_a_code_that_leaked_after_its_use_ends_nothing_without_its_secrets(wallet: Wallet) -> None:
    """The attack: whoever reads a used code in a browser's history cuts the wallet off."""
    code = wallet.authorised(dpop_jkt=wallet.key.public_key.thumbprint())["code"]
    token = wallet.exchange(code, headers={"DPoP": wallet.dpop()}).json()["refresh_token"]
    assert error_of(wallet.exchange(code, headers={"DPoP": wallet.dpop()}, code_verifier="x" * 43)) == "invalid_grant"
    assert error_of(wallet.exchange(code, headers={"DPoP": wallet.dpop(key=new_key())})) == "invalid_grant"
    assert error_of(wallet.exchange(code)) == "invalid_dpop_proof"
    assert wallet.refresh(token, headers={"DPoP": wallet.dpop()}).status_code == 200
    wallet.later(minutes=2)
    assert error_of(wallet.exchange(code, headers={"DPoP": wallet.dpop()})) == "invalid_grant"
    again = wallet.refresh(token, headers={"DPoP": wallet.dpop()})
    assert error_of(again) == "invalid_grant", "with all of them, it was a second use, however late"


def test_of_many_who_exchange_one_code_at_once_one_at_most_gets_tokens(wallet: Wallet) -> None:
    code = wallet.authorised()["code"]
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: wallet.exchange(code).status_code, range(6)))
    assert sorted(answers) == [200] + [400] * 5


def test_a_code_lives_a_minute(wallet: Wallet) -> None:
    code = wallet.authorised()["code"]
    wallet.later(seconds=60)
    assert error_of(wallet.exchange(code)) == "invalid_grant"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code": "invented"}, "invalid_grant"),
        ({"code": None}, "invalid_request"),
        ({"client_id": "another"}, "invalid_grant"),
        ({"client_id": None}, "invalid_request"),
        ({"redirect_uri": "https://wallet.example/callback"}, "invalid_grant"),
        ({"redirect_uri": None}, "invalid_request"),
        ({"code_verifier": "x" * 43}, "invalid_grant"),
        ({"code_verifier": "short"}, "invalid_grant"),
        ({"code_verifier": None}, "invalid_request"),
        ({"scope": "unknown"}, "invalid_scope"),
        ({"scope": MDOC}, "invalid_scope"),
    ],
)
def test_a_token_request_that_does_not_fit_its_code(wallet: Wallet, changes: dict[str, str | None], error: str) -> None:
    """RFC 6749 section 4.1.3, RFC 7636 section 4.6; whoever has stolen a code can't use it up."""
    code = wallet.authorised()["code"]
    assert error_of(wallet.exchange(**{"code": code, **changes})) == error  # type: ignore[arg-type]
    assert wallet.exchange(code).status_code == 200


def test_a_code_of_another_issuer_is_invalid_grant(wallet: Wallet) -> None:
    form = {"grant_type": "authorization_code", "code": wallet.authorised()["code"], "code_verifier": wallet.verifier}
    form |= {"client_id": CLIENT, "redirect_uri": REDIRECT}
    assert error_of(wallet.post(f"{OTHER_ISSUER}/token", form)) == "invalid_grant"
    assert wallet.post(TOKEN, form).status_code == 200


def test_the_challenge_of_rfc_7636_is_met() -> None:
    """Appendix B's values."""
    verifier, challenge = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    assert challenge_met(challenge, verifier)
    assert not challenge_met(verifier, verifier), "plain"
    assert not challenge_met(challenge, verifier + "x")
    assert not challenge_met(challenge, "证" * 43)


# DPoP


def test_a_code_is_bound_to_dpop_jkt(wallet: Wallet) -> None:
    """RFC 9449 section 10."""
    jkt = wallet.key.public_key.thumbprint()
    code = wallet.authorised(dpop_jkt=jkt)["code"]
    assert error_of(wallet.exchange(code)) == "invalid_dpop_proof"
    assert error_of(wallet.exchange(code, headers={"DPoP": wallet.dpop(key=new_key())})) == "invalid_grant"
    assert wallet.exchange(code, headers={"DPoP": wallet.dpop()}).json()["token_type"] == "DPoP"


def test_a_code_is_bound_to_the_proof_of_its_pushed_request(wallet: Wallet) -> None:
    """RFC 9449 section 10.1; the answer brings a nonce."""
    proof = {"DPoP": wallet.dpop(PAR)}
    assert wallet.push(headers=proof).headers["dpop-nonce"]
    code = wallet.authorised(headers={"DPoP": wallet.dpop(PAR)})["code"]
    assert error_of(wallet.exchange(code, headers={"DPoP": wallet.dpop(key=new_key())})) == "invalid_grant"
    assert wallet.exchange(code, headers={"DPoP": wallet.dpop()}).status_code == 200


def test_dpop_jkt_must_be_the_key_of_the_proof(wallet: Wallet) -> None:
    other = new_key().public_key.thumbprint()
    answer = wallet.push(dpop_jkt=other, headers={"DPoP": wallet.dpop(PAR)})
    assert error_of(answer) == "invalid_dpop_proof"
    assert error_of(wallet.push(headers={"DPoP": wallet.dpop(TOKEN)})) == "invalid_dpop_proof", "of another URL"
    nonce = wallet.push(headers={"DPoP": wallet.dpop(PAR, nonce="invented")})
    assert error_of(nonce) == "use_dpop_nonce"
    assert nonce.headers["dpop-nonce"]
