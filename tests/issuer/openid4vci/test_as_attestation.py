"""OpenID4VCI 1.0 annex E, HAIP 1.0 "Wallet Attestation": which wallet asks, and how a forger fails."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from issuer.openid4vci.attestation import WalletAttestations
from issuer.openid4vci.errors import ProtocolRefusal
from issuer.openid4vci.metadata_as import as_metadata
from tests.issuer.openid4vci.as_world import CLIENT, PAR, Wallet, b64u
from tests.issuer.openid4vci.credential_world import ISSUER, OTHER_ISSUER, Issuing, WalletProvider, error_of, new_key

CHALLENGE = "oauth-client-attestation-challenge"


@pytest.fixture
def wallet(issuing: Issuing) -> Wallet:
    return Wallet(issuing)


def refused(wallet: Wallet, attestation: str | None = None, pop: str | None = None) -> bool:
    """Whether both endpoints that authenticate clients answer invalid_client, with 401 (RFC 6749 section 5.2)."""
    offer = wallet.offer()
    headers = wallet.attesting(attestation, pop)
    codes = {error_of(wallet.redeem(offer, headers=headers), 401)}
    codes.add(error_of(wallet.post(PAR, wallet.request(), **headers), 401))
    assert wallet.redeem(offer).status_code == 200, "nothing was used up"
    return codes == {"invalid_client"}


def test_an_attested_wallet_is_known_by_name(wallet: Wallet) -> None:
    """E: wallet_name; the sub is its client_id, which need not be repeated."""
    pushed = wallet.push(headers=wallet.attesting(), client_id=None)
    assert pushed.status_code == 201, pushed.text
    service = wallet.issuing.service.authorization
    page = service.open(wallet.tenant, CLIENT, pushed.json()["request_uri"])
    assert page is not None
    waiting = service.waiting(wallet.tenant, page)
    assert waiting is not None
    assert (waiting.client_id, waiting.request.client_name) == (CLIENT, "Example Wallet")


def test_an_attested_wallet_collects(wallet: Wallet) -> None:
    answer = wallet.redeem(wallet.offer(), headers={**wallet.attesting(), "DPoP": wallet.dpop()})
    assert answer.status_code == 200
    assert answer.headers[CHALLENGE], "a challenge for the next request"


def test_a_code_and_its_refresh_tokens_are_bound_to_the_attested_instance(wallet: Wallet) -> None:
    """The attestation's key at the token endpoint must be that of the pushed request."""
    code = wallet.authorised(headers=wallet.attesting())["code"]
    assert error_of(wallet.exchange(code), 401) == "invalid_client"
    other = Wallet(wallet.issuing)
    assert error_of(wallet.exchange(code, headers=other.attesting()), 401) == "invalid_client"
    told = wallet.exchange(code, headers=wallet.attesting(), client_id=None).json()
    assert error_of(wallet.refresh(told["refresh_token"]), 401) == "invalid_client"
    assert error_of(wallet.refresh(told["refresh_token"], headers=other.attesting()), 401) == "invalid_client"
    assert wallet.refresh(told["refresh_token"], headers=wallet.attesting()).status_code == 200


def test_client_id_must_be_the_attestations_sub(wallet: Wallet) -> None:
    """HAIP 1.0."""
    assert error_of(wallet.push(headers=wallet.attesting(), client_id="another"), 401) == "invalid_client"
    answer = wallet.redeem(wallet.offer(), headers=wallet.attesting(), client_id="another")
    assert error_of(answer, 401) == "invalid_client"


@pytest.mark.parametrize("missing", ["OAuth-Client-Attestation", "OAuth-Client-Attestation-PoP"])
def test_one_header_without_the_other_is_invalid_client(wallet: Wallet, missing: str) -> None:
    headers = wallet.attesting()
    del headers[missing]
    assert error_of(wallet.redeem(wallet.offer(), headers=headers), 401) == "invalid_client"


def test_a_header_twice_is_invalid_request(wallet: Wallet) -> None:
    twice = [*wallet.attesting().items(), ("OAuth-Client-Attestation", wallet.attestation())]
    answer = wallet.issuing.client.post(PAR, data=wallet.request(), headers=twice)
    assert error_of(answer) == "invalid_request"


@pytest.mark.parametrize(
    "claims",
    [
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "a\0b"},
        {"exp": None},
        {"exp": 0},
        {"exp": "soon"},
        {"nbf": 4_000_000_000},
        {"nbf": "x"},
        {"iat": 4_000_000_000},
        {"cnf": None},
        {"cnf": {}},
        {"cnf": {"jwk": "x"}},
        {"cnf": {"jwk": {"kty": "oct", "k": "AAAA"}}},
        {"cnf": {"jwk": {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}}},
    ],
)
def test_an_attestation_whose_claims_are_wrong(wallet: Wallet, claims: dict[str, Any]) -> None:
    assert refused(wallet, wallet.attestation(**claims))


def test_an_attested_private_key_is_refused(wallet: Wallet) -> None:
    jwk = {**wallet.attested.public_key.jwk(), "d": b64u(b"d" * 32)}
    assert refused(wallet, wallet.attestation(cnf={"jwk": jwk}))


@pytest.mark.parametrize("typ", [None, "jwt", "oauth-client-attestation-pop+jwt", "key-attestation+jwt"])
def test_an_attestation_of_another_typ(wallet: Wallet, typ: str | None) -> None:
    assert refused(wallet, wallet.attestation(header={"typ": typ}))


def test_an_attestation_by_a_rogue_provider_or_key(wallet: Wallet) -> None:
    """The attack: all as it should be, by somebody whom nobody trusts."""
    rogue = WalletProvider()
    chain = [b64encode(rogue.certificate.der).decode()]
    assert refused(wallet, wallet.attestation(header={"x5c": chain}, by=rogue.signer))
    assert refused(wallet, wallet.attestation(by=rogue.signer)), "another key than the certificate's"


def test_an_attestation_without_certificate_or_with_the_anchor_in_it(wallet: Wallet) -> None:
    """HAIP 1.0: x5c, without the trust anchor; the signer's certificate is not self-signed."""
    provider = wallet.issuing.provider
    leaf, anchor = (b64encode(each.der).decode() for each in (provider.certificate, provider.ca))
    for chain in (None, [], "x", ["x"], [7], [leaf, anchor], [leaf] * 9):
        assert refused(wallet, wallet.attestation(header={"x5c": chain}))
    assert refused(wallet, wallet.attestation(header={"x5c": [anchor]}, by=provider.ca_signer))


def test_alg_none_and_junk(wallet: Wallet) -> None:
    _, payload, signature = wallet.attestation().split(".")
    for algorithm in ("none", "HS256"):
        header = b64u(json.dumps({"typ": "oauth-client-attestation+jwt", "alg": algorithm}).encode())
        assert refused(wallet, f"{header}.{payload}.{signature}")
    for junk in ("x", "a.b.c", "e30.e30.e30"):
        assert refused(wallet, junk)
        assert refused(wallet, None, junk)


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": None},
        {"aud": OTHER_ISSUER},
        {"aud": f"{ISSUER}/token"},
        {"aud": []},
        {"iss": "another"},
        {"jti": None},
        {"jti": ""},
        {"jti": "x" * 600},
        {"iat": None},
        {"iat": 0},
        {"iat": 4_000_000_000},
        {"exp": 0},
        {"exp": 4_000_000_000},
        {"exp": "x"},
    ],
)
def test_a_proof_of_possession_whose_claims_are_wrong(wallet: Wallet, claims: dict[str, Any]) -> None:
    assert refused(wallet, None, wallet.pop(**claims))


def test_a_proof_of_possession_of_older_drafts(wallet: Wallet) -> None:
    """iss, exp instead of iat, an array of audiences."""
    for claims in ({"iss": CLIENT}, {"iat": None, "exp": wallet.now + 300}, {"aud": [ISSUER, "https://x.example"]}):
        headers = wallet.attesting(None, wallet.pop(**claims))
        assert wallet.redeem(wallet.offer(), headers=headers).status_code == 200


def test_a_proof_of_possession_by_another_key_or_of_another_typ(wallet: Wallet) -> None:
    assert refused(wallet, None, wallet.pop(by=new_key()))
    assert refused(wallet, None, wallet.pop(header={"typ": "oauth-client-attestation+jwt"}))
    assert refused(wallet, None, wallet.dpop(key=wallet.attested))


def test_a_proof_of_possession_twice(wallet: Wallet) -> None:
    pop = wallet.pop()
    assert wallet.redeem(wallet.offer(), headers=wallet.attesting(None, pop)).status_code == 200
    assert error_of(wallet.redeem(wallet.offer(), headers=wallet.attesting(None, pop)), 401) == "invalid_client"


def test_challenges_are_given_and_checked(wallet: Wallet) -> None:
    """Draft 07 section 8: the challenge endpoint, and use_attestation_challenge with a fresh one."""
    answer = wallet.issuing.client.post(f"{ISSUER}/challenge")
    assert answer.headers["cache-control"] == "no-store"
    challenge = answer.json()["attestation_challenge"]
    for name in ("challenge", "nonce"):
        headers = wallet.attesting(None, wallet.pop(**{name: challenge}))
        assert wallet.redeem(wallet.offer(), headers=headers).status_code == 200
    for wrong in ("invented", 7, ""):
        offer = wallet.offer()
        told = wallet.redeem(offer, headers=wallet.attesting(None, wallet.pop(challenge=wrong)))
        assert error_of(told) == "use_attestation_challenge"
        headers = wallet.attesting(None, wallet.pop(challenge=told.headers[CHALLENGE]))
        assert wallet.redeem(offer, headers=headers).status_code == 200
    wallet.later(minutes=11)
    old = wallet.redeem(wallet.offer(), headers=wallet.attesting(None, wallet.pop(challenge=challenge)))
    assert error_of(old) == "use_attestation_challenge"


# What a deployment asks for


def authenticate(attestations: WalletAttestations, *headers: str | None) -> Any:
    attestation, pop = headers if headers else (None, None)
    return attestations.authenticate(ISSUER, attestation, pop, "some-wallet")


def test_where_no_provider_is_trusted_attestations_are_not_looked_at(wallet: Wallet) -> None:
    plain = replace(wallet.issuing.service.attestations, anchors=())
    found = authenticate(plain, "junk", "junk")
    assert (found.client_id, found.key_thumbprint, found.name) == ("some-wallet", None, None)
    told = as_metadata(wallet.tenant, plain)
    assert told["token_endpoint_auth_methods_supported"] == ["none"]
    assert not any("attestation" in name for name in told)


def test_where_attestations_are_required_nobody_else_gets_tokens(wallet: Wallet) -> None:
    """6.3: invalid_client, for an anonymous request too."""
    strict = replace(wallet.issuing.service.attestations, required=True)
    for missing in ((), (wallet.attestation(), None), (None, wallet.pop())):
        with pytest.raises(ProtocolRefusal) as refusal:
            authenticate(strict, *missing)
        assert (refusal.value.error, refusal.value.status) == ("invalid_client", 401)
    client = strict.authenticate(ISSUER, wallet.attestation(), wallet.pop(), None)
    assert (client.client_id, client.name) == (CLIENT, "Example Wallet")
    told = as_metadata(wallet.tenant, strict)
    assert told["token_endpoint_auth_methods_supported"] == ["attest_jwt_client_auth"]
    assert told["pre-authorized_grant_anonymous_access_supported"] is False
    nobody = replace(strict, anchors=())
    with pytest.raises(ProtocolRefusal):
        nobody.authenticate(ISSUER, wallet.attestation(), wallet.pop(), None)


_ISSUING: list[Issuing] = []


@pytest.fixture(scope="module", autouse=True)
def _known(shared_issuing: Issuing) -> None:
    _ISSUING[:] = [shared_issuing]


_ANY = st.none() | st.text(max_size=20) | st.integers() | st.dictionaries(st.text(max_size=5), st.text(max_size=5))


@given(
    header=st.dictionaries(st.sampled_from(["typ", "x5c", "kid"]), _ANY, max_size=3),
    claims=st.dictionaries(st.sampled_from(["sub", "exp", "nbf", "iat", "cnf"]), _ANY, min_size=1, max_size=5),
    pop=st.dictionaries(st.sampled_from(["aud", "jti", "iat", "exp", "iss", "challenge"]), _ANY, max_size=6),
)
@settings(deadline=None, max_examples=100)
def test_any_attestation_is_refused_in_one_way(
    header: dict[str, Any], claims: dict[str, Any], pop: dict[str, Any]
) -> None:
    """Signed by the provider and the instance, of any content: a client or a refusal, never anything else."""
    wallet = Wallet(_ISSUING[0])
    try:
        client = authenticate_as(wallet, wallet.attestation(header=header, **claims), wallet.pop(**pop))
    except ProtocolRefusal as err:
        code = err.error
    else:
        code = "" if client.client_id else "nobody"
    assert code in ("", "invalid_client", "use_attestation_challenge")


def authenticate_as(wallet: Wallet, attestation: str, pop: str) -> Any:
    return wallet.issuing.service.attestations.authenticate(ISSUER, attestation, pop, None)
