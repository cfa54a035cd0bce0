"""Key attestations, as a proof type and in a proof's header: OpenID4VCI 1.0 annexes D and F.3; HAIP 1.0."""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import timedelta
from typing import Any

import pytest

from issuer.openid4vci.credentials import BATCH_SIZE
from issuer.openid4vci.errors import ProtocolRefusal
from issuer.openid4vci.proofs import Expected, read_proofs
from keys.envelopes.sd_jwt import parse_sd_jwt
from tests.issuer.office import DAY_0
from tests.issuer.openid4vci.credential_world import ISSUER, Issuing, WalletProvider, error_of, new_key


@pytest.fixture(scope="module")
def bearer(shared_issuing: Issuing) -> str:
    found: str = shared_issuing.token()["access_token"]
    return found


def bound_keys(answer: Any) -> list[Any]:
    assert answer.status_code == 200, answer.text
    made = [each["credential"] for each in answer.json()["credentials"]]
    return [json.loads(parse_sd_jwt(each).jws.payload)["cnf"]["jwk"] for each in made]


def attested(issuing: Issuing, token: str, attestation: Any) -> Any:
    return issuing.ask(token, issuing.request(proofs={"attestation": [attestation]}))


def test_one_attestation_proves_all_its_keys_in_their_order(issuing: Issuing, bearer: str) -> None:
    keys = [new_key() for _ in range(3)]
    answer = attested(issuing, bearer, issuing.provider.attest(keys, nonce=issuing.nonce()))
    assert bound_keys(answer) == [key.public_key.jwk() for key in keys]


def test_an_attestation_alone_needs_no_end(issuing: Issuing, bearer: str) -> None:
    """Annex D.1: exp is OPTIONAL there."""
    answer = attested(issuing, bearer, issuing.provider.attest([new_key()], nonce=issuing.nonce(), exp=None))
    assert answer.status_code == 200


def test_an_attestation_must_carry_a_nonce_of_the_issuer(issuing: Issuing, bearer: str) -> None:
    assert error_of(attested(issuing, bearer, issuing.provider.attest([new_key()]))) == "invalid_proof"
    attestation = issuing.provider.attest([new_key()], nonce="invented")
    assert error_of(attested(issuing, bearer, attestation)) == "invalid_nonce"


def test_a_replayed_attestation_is_refused(issuing: Issuing, bearer: str) -> None:
    attestation = issuing.provider.attest([new_key()], nonce=issuing.nonce())
    assert attested(issuing, bearer, attestation).status_code == 200
    assert error_of(attested(issuing, bearer, attestation)) == "invalid_nonce"


def test_an_attestation_of_an_unknown_provider_is_refused(issuing: Issuing, bearer: str) -> None:
    attestation = WalletProvider().attest([new_key()], nonce=issuing.nonce())
    assert error_of(attested(issuing, bearer, attestation)) == "invalid_proof"


def test_a_self_signed_attestation_certificate_is_refused(issuing: Issuing, bearer: str) -> None:
    rogue = WalletProvider()
    rogue.signer = rogue.ca_signer
    header = {"x5c": [b64encode(rogue.ca.der).decode()]}
    attestation = rogue.attest([new_key()], nonce=issuing.nonce(), header=header)
    assert error_of(attested(issuing, bearer, attestation)) == "invalid_proof"


def test_the_trust_anchor_must_not_be_in_x5c(issuing: Issuing, bearer: str) -> None:
    provider = issuing.provider
    header = {"x5c": [b64encode(each.der).decode() for each in (provider.certificate, provider.ca)]}
    attestation = provider.attest([new_key()], nonce=issuing.nonce(), header=header)
    assert error_of(attested(issuing, bearer, attestation)) == "invalid_proof"


def test_an_attestation_signed_by_another_key_than_its_certificates_is_refused(issuing: Issuing, bearer: str) -> None:
    rogue = WalletProvider()
    rogue.certificate = issuing.provider.certificate
    assert error_of(attested(issuing, bearer, rogue.attest([new_key()], nonce=issuing.nonce()))) == "invalid_proof"


@pytest.mark.parametrize("x5c", [None, [], "MII", ["AAAA"]])
def test_an_attestation_must_bring_its_certificate(issuing: Issuing, bearer: str, x5c: Any) -> None:
    attestation = issuing.provider.attest([new_key()], nonce=issuing.nonce(), header={"x5c": x5c})
    assert error_of(attested(issuing, bearer, attestation)) == "invalid_proof"


@pytest.mark.parametrize("typ", ["JWT", "keyattestation+jwt", "openid4vci-proof+jwt", 7])
def test_an_attestation_must_be_typed(issuing: Issuing, bearer: str, typ: Any) -> None:
    attestation = issuing.provider.attest([new_key()], nonce=issuing.nonce(), header={"typ": typ})
    assert error_of(attested(issuing, bearer, attestation)) == "invalid_proof"


@pytest.mark.parametrize(
    "claims",
    [
        *({"iat": None}, {"iat": "now"}, {"iat": int((DAY_0 + timedelta(days=2)).timestamp())}),
        *({"exp": int((DAY_0 - timedelta(seconds=1)).timestamp())}, {"exp": "never"}, {"exp": True}),
        *({"nbf": int((DAY_0 + timedelta(hours=1)).timestamp())}, {"nbf": "x"}),
        *({"attested_keys": None}, {"attested_keys": []}, {"attested_keys": {}}, {"attested_keys": ["x"]}),
        {"attested_keys": [{"kty": "oct", "k": "AAAA"}]},
        {"attested_keys": [{**new_key().public_key.jwk(), "d": "AAAA"}]},
    ],
)
def test_an_attestation_that_does_not_hold_is_refused(issuing: Issuing, bearer: str, claims: dict[str, Any]) -> None:
    attestation = issuing.provider.attest([new_key()], **{"nonce": issuing.nonce(), **claims})
    assert error_of(attested(issuing, bearer, attestation)) == "invalid_proof"


def test_an_attestation_of_the_same_key_twice_or_of_too_many_is_refused(issuing: Issuing, bearer: str) -> None:
    key = new_key()
    attestation = issuing.provider.attest([key, key], nonce=issuing.nonce())
    assert error_of(attested(issuing, bearer, attestation)) == "invalid_proof"
    many = issuing.provider.attest([new_key() for _ in range(BATCH_SIZE + 1)], nonce=issuing.nonce())
    assert error_of(attested(issuing, bearer, many)) == "invalid_proof"


# In the header of a jwt proof


def test_a_proof_with_an_attestation_gets_a_credential_for_each_attested_key(issuing: Issuing, bearer: str) -> None:
    keys, nonce = [new_key() for _ in range(3)], issuing.nonce()
    attestation = issuing.provider.attest(keys, nonce=nonce)
    proof = issuing.proof(keys[1], nonce=nonce, header={"key_attestation": attestation})
    answer = issuing.ask(bearer, issuing.request(proofs={"jwt": [proof]}))
    assert bound_keys(answer) == [key.public_key.jwk() for key in keys]


@pytest.mark.parametrize("kid", ["1", "second"])
def test_a_kid_may_name_an_attested_key(issuing: Issuing, bearer: str, kid: str) -> None:
    """Annex F.1, the last example: `kid` beside `key_attestation`."""
    keys, nonce = [new_key(), new_key()], issuing.nonce()
    jwks = [{**key.public_key.jwk(), "kid": name} for key, name in zip(keys, ("first", "second"), strict=True)]
    attestation = issuing.provider.attest(keys, nonce=nonce, attested_keys=jwks)
    header = {"jwk": None, "kid": kid, "key_attestation": attestation}
    proof = issuing.proof(keys[1], nonce=nonce, header=header)
    assert len(bound_keys(issuing.ask(bearer, issuing.request(proofs={"jwt": [proof]})))) == 2
    header["kid"] = "2"
    proof = issuing.proof(keys[1], header=header)
    assert error_of(issuing.ask(bearer, issuing.request(proofs={"jwt": [proof]}))) == "invalid_proof"


def test_several_proofs_may_share_one_attestation(issuing: Issuing, bearer: str) -> None:
    """HAIP 1.0: all keys of a batch SHOULD be attested within one key attestation."""
    keys, nonce = [new_key() for _ in range(3)], issuing.nonce()
    attestation = issuing.provider.attest(keys, nonce=nonce)
    order = [keys[2], keys[0]]
    proofs = [issuing.proof(key, nonce=nonce, header={"key_attestation": attestation}) for key in order]
    answer = issuing.ask(bearer, issuing.request(proofs={"jwt": proofs}))
    assert bound_keys(answer) == [key.public_key.jwk() for key in (*order, keys[1])]


def test_the_proof_must_be_signed_by_an_attested_key(issuing: Issuing, bearer: str) -> None:
    nonce = issuing.nonce()
    attestation = issuing.provider.attest([new_key()], nonce=nonce)
    proof = issuing.proof(nonce=nonce, header={"key_attestation": attestation})
    assert error_of(issuing.ask(bearer, issuing.request(proofs={"jwt": [proof]}))) == "invalid_proof"


def test_an_attestation_in_a_proof_must_have_an_end(issuing: Issuing, bearer: str) -> None:
    key, nonce = new_key(), issuing.nonce()
    attestation = issuing.provider.attest([key], nonce=nonce, exp=None)
    proof = issuing.proof(key, nonce=nonce, header={"key_attestation": attestation})
    assert error_of(issuing.ask(bearer, issuing.request(proofs={"jwt": [proof]}))) == "invalid_proof"


def test_the_attestations_nonce_in_a_proof_must_be_the_issuers(issuing: Issuing, bearer: str) -> None:
    key = new_key()
    for nonce, error in ((None, "invalid_proof"), ("invented", "invalid_nonce")):
        attestation = issuing.provider.attest([key], nonce=nonce)
        proof = issuing.proof(key, header={"key_attestation": attestation})
        assert error_of(issuing.ask(bearer, issuing.request(proofs={"jwt": [proof]}))) == error


def test_where_no_provider_is_known_attestations_prove_nothing_and_disturb_nothing(issuing: Issuing) -> None:
    """An issuer that evaluates none still takes the proof by its own key (annex D: SHOULD evaluate)."""
    key, expected = new_key(), Expected(ISSUER, None, DAY_0, 20)
    proof = issuing.proof(key, nonce="n", header={"key_attestation": WalletProvider().attest([key, new_key()])})
    assert read_proofs({"jwt": [proof]}, expected).keys == (key.public_key,)
    with pytest.raises(ProtocolRefusal) as found:
        read_proofs({"attestation": [issuing.provider.attest([key], nonce="n")]}, expected)
    assert found.value.error == "invalid_proof"
