"""Requests that a wallet must not take, each named after the MUST or the attack; nothing of them is ever answered."""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import timedelta
from typing import Any

import pytest

from keys.algorithms import ES256
from keys.custody.software import EphemeralSigner
from keys.envelopes.base64url import b64url_encode
from keys.x509 import Profile, make_certificate
from tests.wallet_api.openid.party import HOST, REQUEST_URI, RESPONSE_URI, SD_QUERY, Party, Sent, Wallet
from tests.wallet_api.town import NOON
from wallet_api.openid.outgoing import Answer, NotReached, Unreached
from wallet_api.openid.refusals import Flaw, RequestRefused

LONG_AGO = int((NOON - timedelta(minutes=30)).timestamp())
LATER = int((NOON + timedelta(minutes=30)).timestamp())


def refused(wallet: Wallet, **link: str) -> Flaw:
    with pytest.raises(RequestRefused) as caught:
        wallet.open(**link)
    return caught.value.flaw


def serve(wallet: Wallet, body: str, media: str = "application/oauth-authz-req+jwt", status: int = 200) -> None:
    wallet.wires.answers[REQUEST_URI] = lambda sent: Answer(status, {"content-type": media}, body.encode())


def told(wallet: Wallet) -> list[str]:
    """The error codes that were sent to whoever asked."""
    return [each.form["error"] for each in wallet.wires.sent if each.url == RESPONSE_URI]


def test_an_altered_request(wallet: Wallet) -> None:
    head, payload, signature = wallet.party.request().split(".")
    altered = json.dumps({**wallet.party.parameters, "response_uri": "https://thief.example/"})
    serve(wallet, ".".join((head, b64url_encode(altered.encode()).decode(), signature)))
    assert refused(wallet) is Flaw.SIGNATURE
    serve(wallet, ".".join((head, payload, "A" * 86)))
    assert refused(wallet) is Flaw.SIGNATURE
    assert told(wallet) == []  # nobody is told: the address may be the attacker's


def test_a_request_signed_by_another_key_than_its_certificates(wallet: Wallet) -> None:
    serve(wallet, wallet.party.request(signer=EphemeralSigner.generate(ES256)))
    assert refused(wallet) is Flaw.SIGNATURE


def test_alg_none(wallet: Wallet) -> None:
    header = b64url_encode(json.dumps({"alg": "none", "typ": "oauth-authz-req+jwt"}).encode()).decode()
    payload = b64url_encode(json.dumps(wallet.party.parameters).encode()).decode()
    serve(wallet, f"{header}.{payload}.")
    assert refused(wallet) is Flaw.NOT_A_REQUEST_OBJECT


@pytest.mark.parametrize("typ", ["JWT", "jwt", None, "OAUTH-AUTHZ-REQ+JWT"])
def test_wallets_must_not_process_request_objects_of_another_typ(wallet: Wallet, typ: Any) -> None:
    serve(wallet, wallet.party.request(header={"typ": typ}))
    assert refused(wallet) is Flaw.NOT_A_REQUEST_OBJECT


def test_the_trust_anchor_must_not_be_in_x5c(wallet: Wallet) -> None:
    """Spec: HAIP 1.0 section 5."""
    party = wallet.party
    serve(wallet, party.request(header={"x5c": [*party.x5c, b64encode(party.ca.der).decode()]}))
    assert refused(wallet) is Flaw.CHAIN


def test_the_certificate_must_not_be_self_signed(wallet: Wallet) -> None:
    """Spec: HAIP 1.0 section 5."""
    party = wallet.party
    token = party.request(header={"x5c": [b64encode(party.ca.der).decode()]}, signer=party.ca_signer)
    serve(wallet, token)
    assert refused(wallet) is Flaw.SELF_SIGNED


@pytest.mark.parametrize("x5c", [[], "MIIB", [7], ["%%%"], ["AAAA"], ["AAAA"] * 9, {}])
def test_an_x5c_that_is_none(wallet: Wallet, x5c: Any) -> None:
    serve(wallet, wallet.party.request(header={"x5c": x5c}))
    assert refused(wallet) is Flaw.CERTIFICATE


def test_a_request_without_x5c_is_of_nobody(wallet: Wallet) -> None:
    party = wallet.party
    from keys.envelopes.jws import sign_jws

    serve(wallet, sign_jws({"typ": "oauth-authz-req+jwt"}, json.dumps(party.parameters).encode(), party.signer))
    assert refused(wallet) is Flaw.UNSIGNED


def test_certificates_that_do_not_belong_together(wallet: Wallet) -> None:
    other = Party()
    serve(wallet, wallet.party.request(header={"x5c": [*wallet.party.x5c, *other.x5c]}))
    assert refused(wallet) is Flaw.CHAIN


def test_a_certificate_out_of_date(wallet: Wallet) -> None:
    wallet.party.parameters |= {"exp": LATER + 10**8, "iat": LONG_AGO}
    wallet.clock.forward(days=91)
    assert refused(wallet) is Flaw.CERTIFICATE


def test_a_hash_of_another_certificate(wallet: Wallet) -> None:
    """The Client Identifier MUST match the hash of the leaf certificate (section 5.9.3)."""
    other = Party().client_id
    wallet.party.parameters["client_id"] = other
    assert refused(wallet) is Flaw.ANOTHER_CLIENT


def test_another_client_id_in_the_link_than_in_the_request(wallet: Wallet) -> None:
    """client_id in the Authorization Request and in the Request Object MUST be identical (section 5.10.1)."""
    link = wallet.party.link(client_id=f"x509_san_dns:{HOST}")
    with pytest.raises(RequestRefused) as caught:
        wallet.service.open(wallet.lin, link)
    assert caught.value.flaw is Flaw.ANOTHER_CLIENT


def test_a_san_dns_client_that_its_certificate_does_not_name(wallet: Wallet) -> None:
    wallet.party.parameters["client_id"] = "x509_san_dns:other.example"
    assert refused(wallet) is Flaw.ANOTHER_CLIENT


def test_a_san_dns_client_that_is_answered_at_another_host(wallet: Wallet) -> None:
    """The FQDN of the response URI MUST match the Client Identifier (section 5.9.3)."""
    wallet.party.parameters |= {"client_id": f"x509_san_dns:{HOST}", "response_uri": "https://thief.example/r"}
    assert refused(wallet) is Flaw.ANOTHER_HOST
    assert told(wallet) == []


def test_a_san_dns_client_that_is_in_order(wallet: Wallet) -> None:
    wallet.party.parameters["client_id"] = f"x509_san_dns:{HOST}"
    wallet.consent(wallet.open())
    assert "vp_token" in wallet.answered


@pytest.mark.parametrize(
    "client_id",
    [
        "https://hall.example",
        "decentralized_identifier:did:example:123",
        "openid_federation:https://hall.example",
        "verifier_attestation:hall.example",
        "origin:https://hall.example",
        "pre-registered",
        f"redirect_uri:{RESPONSE_URI}",
    ],
)
def test_clients_that_this_wallet_cannot_authenticate_are_not_even_fetched(wallet: Wallet, client_id: str) -> None:
    wallet.party.parameters["client_id"] = client_id
    assert refused(wallet) is Flaw.CLIENT_KIND
    assert wallet.wires.sent == []


@pytest.mark.parametrize("audience", [REQUEST_URI, [REQUEST_URI], ["https://self-issued.me/v2", "x"]])
def test_an_audience_that_may_be_this_wallet(wallet: Wallet, audience: Any) -> None:
    """Section 5.8 has one value under static discovery; others' verifiers name the address of the request instead."""
    wallet.party.parameters["aud"] = audience
    wallet.consent(wallet.open())
    assert "vp_token" in wallet.answered


@pytest.mark.parametrize(
    ("changes", "flaw"),
    [
        ({"exp": LONG_AGO}, Flaw.EXPIRED),
        ({"iat": LATER}, Flaw.NOT_YET),
        ({"nbf": LATER}, Flaw.NOT_YET),
        ({"exp": "soon"}, Flaw.UNREADABLE),
        ({"aud": "https://other.wallet"}, Flaw.AUDIENCE),
        ({"aud": 7}, Flaw.AUDIENCE),
        ({"request_uri": REQUEST_URI}, Flaw.NOT_A_REQUEST_OBJECT),
        ({"response_uri": "javascript:alert(1)"}, Flaw.ADDRESS),
        ({"response_uri": "file:///etc/passwd"}, Flaw.ADDRESS),
        ({"response_uri": f"https://user@{HOST}/"}, Flaw.ADDRESS),
        ({"response_uri": f"https://{HOST}/#x"}, Flaw.ADDRESS),
        ({"response_uri": f"https://{HOST}:x/"}, Flaw.ADDRESS),
        ({"response_uri": f"https://{HOST}/\n"}, Flaw.ADDRESS),
        ({"response_uri": None}, Flaw.RESPONSE_MODE),
        ({"state": "not url safe"}, Flaw.NONCE),
    ],
)
def test_what_nobody_is_told(wallet: Wallet, changes: dict[str, Any], flaw: Flaw) -> None:
    wallet.party.parameters |= changes
    assert refused(wallet) is flaw
    assert told(wallet) == []


@pytest.mark.parametrize(
    ("changes", "flaw", "code"),
    [
        ({"nonce": None}, Flaw.NONCE, "invalid_request"),
        ({"nonce": "with space"}, Flaw.NONCE, "invalid_request"),
        ({"nonce": ""}, Flaw.NONCE, "invalid_request"),
        ({"response_type": "vp_token id_token"}, Flaw.RESPONSE_TYPE, "unsupported_response_type"),
        ({"response_mode": "fragment"}, Flaw.RESPONSE_MODE, "invalid_request"),
        ({"response_mode": None}, Flaw.RESPONSE_MODE, "invalid_request"),
        ({"redirect_uri": RESPONSE_URI}, Flaw.REDIRECT, "invalid_request"),
        ({"scope": "openid"}, Flaw.QUERY, "invalid_request"),
        ({"dcql_query": {}}, Flaw.QUERY, "invalid_request"),
        ({"dcql_query": "{}"}, Flaw.QUERY, "invalid_request"),
        ({"client_metadata": []}, Flaw.METADATA, "invalid_request"),
        ({"client_metadata": {}}, Flaw.ENCRYPTION, "invalid_request"),
        (
            {"dcql_query": {"credentials": [{"id": "x", "format": "ldp_vc", "meta": {}}]}},
            Flaw.FORMATS,
            "vp_formats_not_supported",
        ),
        ({"transaction_data": []}, Flaw.TRANSACTION, "invalid_transaction_data"),
        ({"transaction_data": ["e30"]}, Flaw.TRANSACTION, "invalid_transaction_data"),
        ({"transaction_data": "e30"}, Flaw.TRANSACTION, "invalid_transaction_data"),
    ],
)
def test_what_an_authentic_sender_is_told(wallet: Wallet, changes: dict[str, Any], flaw: Flaw, code: str) -> None:
    wallet.party.parameters |= changes
    assert refused(wallet) is flaw
    assert told(wallet) == [code]


def test_a_scope_in_place_of_a_query(wallet: Wallet) -> None:
    del wallet.party.parameters["dcql_query"]
    wallet.party.parameters["scope"] = "com.example.healthCardCredential_presentation"
    assert refused(wallet) is Flaw.SCOPE
    assert told(wallet) == ["invalid_scope"]


def test_without_holder_binding_state_is_required(wallet: Wallet) -> None:
    """Spec: section 5.3."""
    query = {**SD_QUERY, "require_cryptographic_holder_binding": False}
    wallet.party.parameters["dcql_query"] = {"credentials": [query]}
    wallet.open()
    del wallet.party.parameters["state"]
    assert refused(wallet) is Flaw.NONCE


@pytest.mark.parametrize(
    "jwk",
    [
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "alg": "ECDH-ES"},
        {"use": "sig"},
        {"alg": "ECDH-ES+A128KW"},
        {"alg": None},
        {"d": "AA"},
        {"crv": "P-384"},
    ],
)
def test_keys_that_an_answer_cannot_be_encrypted_to(wallet: Wallet, jwk: dict[str, Any]) -> None:
    """`alg` MUST be present, and another `use` SHOULD NOT be selected (section 8.3)."""
    keys = wallet.party.parameters["client_metadata"]["jwks"]["keys"]
    keys[0] = {**keys[0], **jwk}
    assert refused(wallet) is Flaw.ENCRYPTION


def test_the_key_that_fits_is_found_among_others(wallet: Wallet) -> None:
    metadata = wallet.party.parameters["client_metadata"]
    metadata["jwks"]["keys"].insert(0, {"kty": "OKP", "crv": "X25519", "x": "AA", "alg": "ECDH-ES", "kid": "z"})
    del metadata["encrypted_response_enc_values_supported"]
    wallet.consent(wallet.open())
    assert wallet.answered["enc"] == "A128GCM"  # the default (section 8.3)


@pytest.mark.parametrize("mode", ["get", "post"])
def test_requests_are_fetched_as_they_say(wallet: Wallet, mode: str) -> None:
    def answer(sent: Sent) -> Answer:
        if sent.method == "POST":
            wallet.party.parameters["wallet_nonce"] = sent.form["wallet_nonce"]
            assert sent.headers["Content-Type"] == "application/x-www-form-urlencoded"
            assert "dc+sd-jwt" in json.loads(sent.form["wallet_metadata"])["vp_formats_supported"]
        assert sent.headers["Accept"] == "application/oauth-authz-req+jwt"
        media = {"content-type": "application/oauth-authz-req+jwt; charset=utf-8"}
        return Answer(200, media, wallet.party.request().encode())

    wallet.wires.answers[REQUEST_URI] = answer
    wallet.open(request_uri_method=mode)
    assert [each.method for each in wallet.wires.sent] == [mode.upper()]


@pytest.mark.parametrize("nonce", [None, "of-another-wallet"])
def test_the_wallet_nonce_must_come_back(wallet: Wallet, nonce: str | None) -> None:
    """Attack: a request replayed from another wallet's session (section 5.10.1)."""
    wallet.party.parameters["wallet_nonce"] = nonce
    assert refused(wallet, request_uri_method="post") is Flaw.REPLAYED


@pytest.mark.parametrize("method", ["GET", "put", ""])
def test_the_request_uri_method_is_get_or_post(wallet: Wallet, method: str) -> None:
    assert refused(wallet, request_uri_method=method) is Flaw.URI_METHOD


@pytest.mark.parametrize("status", [400, 404, 410, 500, 204])
def test_an_error_response_ends_the_request(wallet: Wallet, status: int) -> None:
    """If the Verifier responds with any HTTP error response, the Wallet MUST terminate (section 5.10.2)."""
    serve(wallet, wallet.party.request(), status=status)
    assert refused(wallet) is Flaw.NOT_FOUND


def test_a_request_of_another_content_type(wallet: Wallet) -> None:
    serve(wallet, wallet.party.request(), media="text/html")
    assert refused(wallet) is Flaw.NOT_A_REQUEST_OBJECT


def test_a_request_of_many_megabytes(wallet: Wallet) -> None:
    """Attack: oversize."""
    serve(wallet, "A" * (1 << 18))
    assert refused(wallet) is Flaw.TOO_LARGE
    with pytest.raises(RequestRefused) as caught:
        wallet.service.open(wallet.lin, wallet.party.link(x="A" * (1 << 17)))
    assert caught.value.flaw is Flaw.TOO_LARGE


def test_an_address_in_a_private_network(wallet: Wallet) -> None:
    """Attack: server-side request forgery. `server.outgoing` refuses; the refusal has words and nothing is kept."""

    def private(_sent: Sent) -> Answer:
        raise NotReached(Unreached.PRIVATE)

    wallet.wires.answers[REQUEST_URI] = private
    with pytest.raises(NotReached) as caught:
        wallet.open()
    assert "private network" in caught.value.words.en


def test_a_certificate_that_may_not_sign(wallet: Wallet) -> None:
    """A CA's certificate signs certificates, not requests."""
    party = wallet.party
    signer = EphemeralSigner.generate(ES256)
    sealing = make_certificate(
        Profile.SEAL,
        ca_signer=party.ca_signer,
        ca=party.ca,
        subject_key=signer.public_key,
        common_name="a seal",
        organisation="x",
        uscc=None,
        uri=None,
        not_before=NOON - timedelta(days=1),
        not_after=NOON + timedelta(days=1),
    )
    serve(wallet, party.request(header={"x5c": [b64encode(sealing.der).decode()]}, signer=signer))
    assert refused(wallet) is Flaw.ANOTHER_CLIENT


def test_every_flaw_has_words_in_both_languages() -> None:
    for flaw in Flaw:
        assert flaw.words.zh.endswith(("。", "！"))
        assert flaw.words.en.endswith(".")
