"""The nonce endpoint, and challenges in proofs: OpenID4VCI 1.0 sections 7, 8.3.1.2 and 13.5; HAIP 1.0."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from issuer.openid4vci.challenges import LIFE
from issuer.openid4vci.errors import ProtocolRefusal
from tests.issuer.openid4vci.credential_world import ISSUER, OTHER_ISSUER, Issuing, error_of, new_key


@pytest.fixture(scope="module")
def bearer(shared_issuing: Issuing) -> str:
    found: str = shared_issuing.token()["access_token"]
    return found


def ask_with(issuing: Issuing, bearer: str, nonce: str) -> object:
    return issuing.ask(bearer, issuing.request(proofs={"jwt": [issuing.proof(nonce=nonce)]}))


def test_a_nonce_needs_no_token_and_is_never_cached(issuing: Issuing) -> None:
    answer = issuing.client.post(f"{ISSUER}/nonce")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert "no-store" in answer.headers["cache-control"]
    assert list(answer.json()) == ["c_nonce"]


def test_the_nonce_endpoint_gives_a_dpop_nonce_too(issuing: Issuing) -> None:
    """HAIP 1.0, section 4: wallets must be prepared for it; RFC 9449 section 8.2."""
    assert issuing.client.post(f"{ISSUER}/nonce").headers["dpop-nonce"]


def test_new_nonces_are_unpredictable(issuing: Issuing) -> None:
    assert len({issuing.nonce() for _ in range(50)}) == 50


def test_a_nonce_proves_freshness_once(issuing: Issuing, bearer: str) -> None:
    nonce = issuing.nonce()
    assert ask_with(issuing, bearer, nonce).status_code == 200  # type: ignore[attr-defined]
    assert error_of(ask_with(issuing, bearer, nonce)) == "invalid_nonce"


def test_a_reused_nonce_is_refused_for_another_wallet_too(issuing: Issuing, bearer: str) -> None:
    nonce = issuing.nonce()
    assert ask_with(issuing, bearer, nonce).status_code == 200  # type: ignore[attr-defined]
    assert error_of(ask_with(issuing, issuing.token()["access_token"], nonce)) == "invalid_nonce"


@pytest.mark.parametrize("nonce", ["", "invented", "x" * 50, "A" * 44, "é" * 50, "wKI4LT17ac15ES9bw8ac4"])
def test_an_invented_nonce_is_refused(issuing: Issuing, bearer: str, nonce: str) -> None:
    assert error_of(ask_with(issuing, bearer, nonce)) == "invalid_nonce"


def test_an_altered_nonce_is_refused(issuing: Issuing, bearer: str) -> None:
    nonce = issuing.nonce()
    for place in (0, len(nonce) // 2, len(nonce) - 2):
        altered = nonce[:place] + ("A" if nonce[place] != "A" else "B") + nonce[place + 1 :]
        assert error_of(ask_with(issuing, bearer, altered)) == "invalid_nonce"


def test_an_expired_nonce_is_refused(issuing: Issuing) -> None:
    nonce = issuing.nonce()
    issuing.later(seconds=LIFE.total_seconds() + 1)
    assert error_of(ask_with(issuing, issuing.token()["access_token"], nonce)) == "invalid_nonce"


def test_another_issuers_nonce_is_refused(issuing: Issuing, bearer: str) -> None:
    assert error_of(ask_with(issuing, bearer, issuing.nonce(OTHER_ISSUER))) == "invalid_nonce"


def test_a_dpop_nonce_is_no_c_nonce(issuing: Issuing, bearer: str) -> None:
    dpop_nonce = issuing.client.post(f"{ISSUER}/nonce").headers["dpop-nonce"]
    assert error_of(ask_with(issuing, bearer, dpop_nonce)) == "invalid_nonce"


def test_a_proof_without_a_nonce_is_an_invalid_proof(issuing: Issuing, bearer: str) -> None:
    """Section 8.3.1.2, invalid_proof (3): it does not contain a c_nonce value."""
    for nonce in (None, 7, ["x"]):
        request = issuing.request(proofs={"jwt": [issuing.proof(nonce=nonce)]})
        assert error_of(issuing.ask(bearer, request)) == "invalid_proof"


def test_one_bad_nonce_among_several_proofs_is_enough(issuing: Issuing, bearer: str) -> None:
    good = issuing.nonce()
    proofs = [issuing.proof(nonce=good), issuing.proof(nonce="invented")]
    assert error_of(issuing.ask(bearer, issuing.request(proofs={"jwt": proofs}))) == "invalid_nonce"
    assert ask_with(issuing, bearer, good).status_code == 200  # type: ignore[attr-defined]


def test_a_refused_proof_does_not_use_the_nonce_up(issuing: Issuing, bearer: str) -> None:
    """Nobody spends a wallet's nonce with a proof that does not hold."""
    nonce = issuing.nonce()
    forged = issuing.proof(nonce=nonce, header={"jwk": new_key().public_key.jwk()})
    assert error_of(issuing.ask(bearer, issuing.request(proofs={"jwt": [forged]}))) == "invalid_proof"
    assert ask_with(issuing, bearer, nonce).status_code == 200  # type: ignore[attr-defined]


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(nonce=st.text(max_size=80))
def test_any_text_is_a_nonce_of_ours_or_refused(issuing: Issuing, nonce: str) -> None:
    with pytest.raises(ProtocolRefusal) as refused:
        issuing.service.credentials.challenges.spend(ISSUER, [nonce])
    assert refused.value.error == "invalid_nonce"
