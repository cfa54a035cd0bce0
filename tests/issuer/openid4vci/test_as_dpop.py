"""RFC 9449: tokens bound to a key, and every way a proof can be wrong."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from issuer.openid4vci.dpop import ALGORITHM_NAMES, Proofs, target
from issuer.openid4vci.errors import ProtocolRefusal
from issuer.openid4vci.nonces import Nonces
from keys.algorithms import ALGORITHMS, ES256
from keys.data_keys import DeploymentKey
from keys.envelopes.jws import parse_jws
from tests.issuer.office import DAY_0
from tests.issuer.openid4vci.as_world import CREDENTIAL, TOKEN, Wallet, b64u, sign
from tests.issuer.openid4vci.credential_world import ISSUER, OTHER_ISSUER, Issuing, error_of, new_key


@pytest.fixture
def wallet(issuing: Issuing) -> Wallet:
    return Wallet(issuing)


def bound(wallet: Wallet) -> str:
    """An access token bound to the wallet's key."""
    answer = wallet.redeem(wallet.offer(), headers={"DPoP": wallet.dpop()})
    assert answer.json()["token_type"] == "DPoP"
    found: str = answer.json()["access_token"]
    return found


def use(wallet: Wallet, token: str, proof: str | None, scheme: str = "DPoP") -> Any:
    headers = {"authorization": f"{scheme} {token}"} | ({} if proof is None else {"dpop": proof})
    return wallet.issuing.ask(None, wallet.issuing.request(), **headers)


def refused(answer: Any, status: int = 401) -> str:
    """The error code, which stands in WWW-Authenticate, too (RFC 9449 section 7.1)."""
    code = error_of(answer, status)
    challenge = answer.headers["www-authenticate"]
    assert challenge.startswith("DPoP "), challenge
    assert f'error="{code}"' in challenge
    assert 'algs="' in challenge
    return code


def test_a_proof_at_the_token_endpoint_binds_the_tokens(wallet: Wallet) -> None:
    """Section 5: token_type DPoP; every supported algorithm."""
    for algorithm in ALGORITHMS:
        key = new_key(algorithm)
        answer = wallet.redeem(wallet.offer(), headers={"DPoP": wallet.dpop(key=key)})
        assert answer.status_code == 200, answer.text
        token = answer.json()["access_token"]
        assert use(wallet, token, wallet.dpop(CREDENTIAL, token=token, key=key)).status_code == 200


def test_the_scheme_is_read_in_any_case(wallet: Wallet) -> None:
    token = bound(wallet)
    assert use(wallet, token, wallet.dpop(CREDENTIAL, token=token), "dpop").status_code == 200


def test_a_bound_token_is_no_bearer_token(wallet: Wallet) -> None:
    """Section 7.2: not as a bearer token, and not without a proof."""
    token = bound(wallet)
    assert error_of(use(wallet, token, None, "Bearer"), 401) == "invalid_token"
    assert error_of(use(wallet, token, wallet.dpop(CREDENTIAL, token=token), "Bearer"), 401) == "invalid_token"
    assert refused(use(wallet, token, None)) == "invalid_dpop_proof"


def test_a_bearer_token_is_no_bound_token(wallet: Wallet) -> None:
    token = wallet.redeem(wallet.offer()).json()["access_token"]
    assert refused(use(wallet, token, wallet.dpop(CREDENTIAL, token=token))) == "invalid_token"


def test_a_proof_by_another_key_does_not_use_the_token(wallet: Wallet) -> None:
    token = bound(wallet)
    assert refused(use(wallet, token, wallet.dpop(CREDENTIAL, token=token, key=new_key()))) == "invalid_token"


def test_a_request_without_credentials_is_told_the_schemes(wallet: Wallet) -> None:
    """RFC 6750 section 3.1: no error code when nothing was presented."""
    for authorization in (None, "Basic eDp5", "Bearer", "DPoP ", "Bearer " + "x" * 600):
        headers = {} if authorization is None else {"authorization": authorization}
        answer = wallet.issuing.ask(None, wallet.issuing.request(), **headers)
        assert error_of(answer, 401) == "invalid_token"
        challenge = answer.headers["www-authenticate"]
        assert "DPoP" in challenge
        assert "Bearer" in challenge
        assert "error=" not in challenge


def test_an_unknown_expired_or_foreign_token_is_invalid_token(wallet: Wallet) -> None:
    token = wallet.redeem(wallet.offer()).json()["access_token"]
    assert error_of(use(wallet, "invented", None, "Bearer"), 401) == "invalid_token"
    tokens, other = wallet.issuing.service.tokens, wallet.issuing.service.tenants
    foreign = next(each for each in (other.find(wallet.tenant.issuer_id),) if each is not None)
    assert tokens.authorise(foreign, f"Bearer {token}", None, "POST", CREDENTIAL).approved
    elsewhere = wallet.issuing.client.post(
        f"{OTHER_ISSUER}/credential", json=wallet.issuing.request(), headers={"authorization": f"Bearer {token}"}
    )
    assert error_of(elsewhere, 401) == "invalid_token"
    assert 'Bearer error="invalid_token"' in elsewhere.headers["www-authenticate"]
    wallet.later(hours=1)
    assert error_of(use(wallet, token, None, "Bearer"), 401) == "invalid_token"


def test_a_token_without_a_key_lives_five_minutes_and_a_bound_one_an_hour(wallet: Wallet) -> None:
    """OpenID4VCI 1.0 section 13.10: long-lived access tokens MUST NOT be issued unless sender-constrained."""
    plain = wallet.redeem(wallet.offer()).json()
    held = wallet.redeem(wallet.offer(), headers={"DPoP": wallet.dpop()}).json()
    assert (plain["expires_in"], held["expires_in"]) == (300, 3600)
    again = wallet.refresh(plain["refresh_token"]).json()
    assert again["expires_in"] == 300
    wallet.later(minutes=5)
    assert error_of(use(wallet, again["access_token"], None, "Bearer"), 401) == "invalid_token"
    proof = wallet.dpop(CREDENTIAL, token=held["access_token"])
    assert use(wallet, held["access_token"], proof).status_code == 200


# The checks of section 4.3, at the token endpoint


def at_token(wallet: Wallet, proof: str) -> str:
    offer = wallet.offer()
    code = error_of(wallet.redeem(offer, headers={"DPoP": proof}))
    assert wallet.redeem(offer).status_code == 200, "a wrong proof costs no code"
    return code


def test_check_1_two_proofs_are_refused(wallet: Wallet) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": "x"}
    headers = [("DPoP", wallet.dpop()), ("DPoP", wallet.dpop())]
    assert error_of(wallet.issuing.client.post(TOKEN, data=form, headers=headers)) == "invalid_dpop_proof"
    assert at_token(wallet, f"{wallet.dpop()}, {wallet.dpop()}") == "invalid_dpop_proof"
    token = bound(wallet)
    proofs = [("DPoP", wallet.dpop(CREDENTIAL, token=token)) for _ in range(2)]
    given = [("Authorization", f"DPoP {token}"), *proofs]
    assert refused(wallet.issuing.client.post(CREDENTIAL, json={}, headers=given)) == "invalid_dpop_proof"


@pytest.mark.parametrize("junk", ["", "x", "a.b.c", "e30.e30.e30", "x" * 9000])
def test_check_2_a_proof_that_is_no_jwt(wallet: Wallet, junk: str) -> None:
    assert at_token(wallet, junk) == "invalid_dpop_proof"


@pytest.mark.parametrize("claim", ["htm", "htu", "iat", "jti"])
def test_check_3_a_claim_that_is_missing(wallet: Wallet, claim: str) -> None:
    missing: dict[str, Any] = {claim: None}
    assert at_token(wallet, wallet.dpop(**missing)) == "invalid_dpop_proof"


@pytest.mark.parametrize(
    "claims", [{"htm": 1}, {"htu": ["x"]}, {"iat": "now"}, {"iat": True}, {"jti": ""}, {"jti": 7}, {"jti": "x" * 600}]
)
def test_check_3_a_claim_of_another_kind(wallet: Wallet, claims: dict[str, Any]) -> None:
    assert at_token(wallet, wallet.dpop(**claims)) == "invalid_dpop_proof"


@pytest.mark.parametrize("typ", [None, "jwt", "openid4vci-proof+jwt", "DPoP"])
def test_check_4_another_typ(wallet: Wallet, typ: str | None) -> None:
    assert at_token(wallet, wallet.dpop(header={"typ": typ})) == "invalid_dpop_proof"


def test_check_5_alg_none_and_symmetric_algorithms(wallet: Wallet) -> None:
    _, payload, signature = wallet.dpop().split(".")
    jwks = (wallet.key.public_key.jwk(), {"kty": "oct", "k": b64u(b"k" * 32)})
    for algorithm in ("none", "HS256", "RS1", "ES256K"):
        for jwk in jwks:
            header = b64u(json.dumps({"typ": "dpop+jwt", "alg": algorithm, "jwk": jwk}).encode())
            assert at_token(wallet, f"{header}.{payload}.{signature}") == "invalid_dpop_proof"
            assert at_token(wallet, f"{header}.{payload}.") == "invalid_dpop_proof"


def test_check_6_a_signature_by_another_key(wallet: Wallet) -> None:
    header = {"jwk": new_key().public_key.jwk()}
    assert at_token(wallet, wallet.dpop(header=header)) == "invalid_dpop_proof"
    head, payload, signature = wallet.dpop().split(".")
    claims = json.loads(parse_jws(f"{head}.{payload}.{signature}").payload) | {"jti": "another"}
    assert at_token(wallet, f"{head}.{b64u(json.dumps(claims).encode())}.{signature}") == "invalid_dpop_proof"


def test_check_7_a_private_key_in_the_header(wallet: Wallet) -> None:
    jwk = {**wallet.key.public_key.jwk(), "d": b64u(b"d" * 32)}
    assert at_token(wallet, wallet.dpop(header={"jwk": jwk})) == "invalid_dpop_proof"
    for wrong in (None, "x", {}, {"kty": "EC"}):
        assert at_token(wallet, wallet.dpop(header={"jwk": wrong})) == "invalid_dpop_proof"


def test_check_8_another_method(wallet: Wallet) -> None:
    for method in ("GET", "post"):
        assert at_token(wallet, wallet.dpop(method=method)) == "invalid_dpop_proof"


@pytest.mark.parametrize("url", [CREDENTIAL, ISSUER, TOKEN + "/", "https://evil.example/token", "token", "", "http:"])
def test_check_9_another_url(wallet: Wallet, url: str) -> None:
    assert at_token(wallet, wallet.dpop(url)) == "invalid_dpop_proof"


def test_check_9_the_same_url_written_otherwise(wallet: Wallet) -> None:
    """Ignoring query and fragment, after normalisation (RFC 3986 sections 6.2.2 and 6.2.3)."""
    same = (
        TOKEN + "?x=y",
        TOKEN + "#z",
        TOKEN.replace("https://east.example", "HTTPS://East.Example:443"),
        TOKEN.replace("civil", "%63ivil"),
    )
    for url in same:
        assert wallet.redeem(wallet.offer(), headers={"DPoP": wallet.dpop(url)}).status_code == 200, url


def test_check_10_a_nonce_of_ours_is_taken_and_renewed(wallet: Wallet) -> None:
    """Section 8.2: an answer brings a nonce for the next request."""
    answer = wallet.redeem(wallet.offer(), headers={"DPoP": wallet.dpop()})
    nonce = answer.headers["dpop-nonce"]
    again = wallet.redeem(wallet.offer(), headers={"DPoP": wallet.dpop(nonce=nonce)})
    assert again.status_code == 200
    assert again.headers["dpop-nonce"] != nonce


def test_check_10_an_invented_or_old_nonce_is_use_dpop_nonce(wallet: Wallet) -> None:
    nonce = wallet.redeem(wallet.offer(), headers={"DPoP": wallet.dpop()}).headers["dpop-nonce"]
    token = bound(wallet)
    wallet.later(minutes=11)
    for wrong in (nonce, "invented", "", 7, nonce[:-1] + ("A" if nonce[-1] != "A" else "B")):
        offer = wallet.offer()
        answer = wallet.redeem(offer, headers={"DPoP": wallet.dpop(nonce=wrong)})
        assert error_of(answer) == "use_dpop_nonce"
        fresh = answer.headers["dpop-nonce"]
        assert "DPoP-Nonce" in answer.headers["access-control-expose-headers"]
        assert wallet.redeem(offer, headers={"DPoP": wallet.dpop(nonce=fresh)}).status_code == 200
    answer = use(wallet, token, wallet.dpop(CREDENTIAL, token=token, nonce="invented"))
    assert refused(answer) == "use_dpop_nonce"
    fresh = answer.headers["dpop-nonce"]
    assert use(wallet, token, wallet.dpop(CREDENTIAL, token=token, nonce=fresh)).status_code == 200


def test_check_10_where_nonces_are_required_a_proof_without_one_is_use_dpop_nonce(wallet: Wallet) -> None:
    plain = wallet.issuing.service.proofs
    proofs = Proofs(plain.store, plain.nonces, plain.now, nonce_required=True)
    with pytest.raises(ProtocolRefusal) as refusal:
        proofs.check(wallet.dpop(), "POST", TOKEN)
    assert refusal.value.error == "use_dpop_nonce"
    nonce = refusal.value.headers["DPoP-Nonce"]
    assert proofs.check(wallet.dpop(nonce=nonce), "POST", TOKEN) == wallet.key.public_key.thumbprint()


def test_check_11_a_proof_that_is_too_old_or_ahead(wallet: Wallet) -> None:
    now = wallet.now
    for iat in (now - 301, now + 61, now * 1000, 0, -1, 1e300):
        assert at_token(wallet, wallet.dpop(iat=iat)) == "invalid_dpop_proof"
    for iat in (now - 299, now + 59, now + 0.5):
        assert wallet.redeem(wallet.offer(), headers={"DPoP": wallet.dpop(iat=iat)}).status_code == 200


def test_check_11_a_proof_twice(wallet: Wallet) -> None:
    """Section 11.1: each jti once, for as long as the proof would be taken."""
    proof = wallet.dpop()
    assert wallet.redeem(wallet.offer(), headers={"DPoP": proof}).status_code == 200
    assert at_token(wallet, proof) == "invalid_dpop_proof"
    wallet.later(minutes=4)
    wallet.issuing.service.sweep()
    assert at_token(wallet, proof) == "invalid_dpop_proof"
    token = bound(wallet)
    used = wallet.dpop(CREDENTIAL, token=token)
    assert use(wallet, token, used).status_code == 200
    assert refused(use(wallet, token, used)) == "invalid_dpop_proof"


def test_two_wallets_may_draw_the_same_jti(wallet: Wallet) -> None:
    for key in (new_key(), new_key()):
        proof = wallet.dpop(key=key, jti="1")
        assert wallet.redeem(wallet.offer(), headers={"DPoP": proof}).status_code == 200


def test_check_12_ath_that_is_missing_or_another_tokens(wallet: Wallet) -> None:
    token = bound(wallet)
    for proof in (
        wallet.dpop(CREDENTIAL),
        wallet.dpop(CREDENTIAL, token="another"),
        wallet.dpop(CREDENTIAL, ath=7),
        wallet.dpop(CREDENTIAL, ath="证"),
    ):
        assert refused(use(wallet, token, proof)) == "invalid_dpop_proof"


def test_the_algorithms_are_those_announced() -> None:
    assert ES256.jose in ALGORITHM_NAMES
    assert not any(name.startswith(("HS", "none", "RS")) for name in ALGORITHM_NAMES)


# Properties


@given(st.text(max_size=200) | st.builds("https://{}/{}".format, st.text(max_size=20), st.text(max_size=20)))
@settings(deadline=None, max_examples=200)
def test_any_text_is_a_url_or_none(text: str) -> None:
    found = target(text)
    assert found is None or target(found) == found, "normalising twice changes nothing"


@given(st.text(max_size=80))
@settings(deadline=None, max_examples=100)
def test_no_invented_nonce_is_fresh(text: str) -> None:
    nonces = Nonces(DeploymentKey(b"k" * 32), "dpop", timedelta(minutes=5))
    assert not nonces.fresh(text, DAY_0)


@given(header=st.dictionaries(st.sampled_from(["typ", "jwk", "kid", "crit", "b64"]), st.text() | st.none(), max_size=4))
@settings(deadline=None, max_examples=60)
def test_any_header_is_refused_in_one_way(header: dict[str, Any]) -> None:
    key = new_key()
    proof = sign(header, {"htm": "POST"}, key)
    nonces = Nonces(DeploymentKey(b"k" * 32), "dpop", DAY_0 - DAY_0)
    with pytest.raises(ProtocolRefusal) as refusal:
        Proofs(None, nonces, lambda: DAY_0).check(proof, "POST", TOKEN)  # type: ignore[arg-type]
    assert refusal.value.error == "invalid_dpop_proof"
