"""Requests and responses encrypted on top of TLS: OpenID4VCI 1.0 sections 8.2, 8.3, 9.1 and 10."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from issuer.openid4vci.encryption import PERIOD
from keys.algorithms import ES384
from keys.data_keys import load_or_create_deployment_key
from keys.envelopes.jwe import AgreementKey, decrypt_jwe, encrypt_jwe
from tests.issuer.openid4vci.credential_world import ISSUER, OTHER_ISSUER, Issuing, error_of, new_key

WELL_KNOWN = "https://east.example/.well-known/openid-credential-issuer/issuers/"


@pytest.fixture(scope="module")
def bearer(shared_issuing: Issuing) -> str:
    found: str = shared_issuing.token()["access_token"]
    return found


def issuer_key(issuing: Issuing, issuer: str = ISSUER) -> dict[str, Any]:
    metadata = issuing.client.get(WELL_KNOWN + issuer.partition("/issuers/")[2]).json()
    (found,) = metadata["credential_request_encryption"]["jwks"]["keys"]
    return dict(found)


def sealed(issuing: Issuing, request: dict[str, Any], *, enc: str = "A256GCM", jwk: Any = None) -> bytes:
    return encrypt_jwe(json.dumps(request).encode(), jwk or issuer_key(issuing), enc=enc).encode()


def ask(issuing: Issuing, bearer: str, request: dict[str, Any], path: str = "credential", **how: Any) -> Any:
    return issuing.ask(bearer, sealed(issuing, request, **how), path, content_type="application/jwt")


def wanted(key: AgreementKey, enc: str = "A128GCM", **changes: Any) -> dict[str, Any]:
    whole = {"jwk": key.encryption_jwk("wallet-1"), "enc": enc, **changes}
    return {name: value for name, value in whole.items() if value is not None}


def test_every_key_for_requests_says_what_it_is_for(issuing: Issuing) -> None:
    """Sections 10 and 12.2.4: kid and alg are REQUIRED."""
    key = issuer_key(issuing)
    assert {"kty": "EC", "crv": "P-256", "alg": "ECDH-ES", "use": "enc"}.items() <= key.items()
    assert key["kid"]
    assert "d" not in key
    assert key != issuer_key(issuing, OTHER_ISSUER)


@pytest.mark.parametrize("enc", ["A128GCM", "A256GCM"])
def test_an_encrypted_request_is_answered_in_the_clear_unless_asked(issuing: Issuing, bearer: str, enc: str) -> None:
    answer = ask(issuing, bearer, issuing.request(), enc=enc)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")


@pytest.mark.parametrize("enc", ["A128GCM", "A256GCM"])
def test_an_encrypted_response_is_a_jwt_to_the_wallets_key(issuing: Issuing, bearer: str, enc: str) -> None:
    key = AgreementKey.generate()
    answer = ask(issuing, bearer, issuing.request(credential_response_encryption=wanted(key, enc)))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/jwt")
    header, plaintext = decrypt_jwe(answer.text, key)
    assert (header["alg"], header["enc"], header["kid"]) == ("ECDH-ES", enc, "wallet-1")
    assert "credential" in json.loads(plaintext)["credentials"][0]


def test_a_key_without_a_kid_is_answered_without_one(issuing: Issuing, bearer: str) -> None:
    key = AgreementKey.generate()
    jwk = {name: value for name, value in key.encryption_jwk("x").items() if name != "kid"}
    answer = ask(issuing, bearer, issuing.request(credential_response_encryption=wanted(key, jwk=jwk)))
    assert "kid" not in decrypt_jwe(answer.text, key)[0]


def test_a_response_is_only_encrypted_for_an_encrypted_request(issuing: Issuing, bearer: str) -> None:
    """Section 8.2: request encryption MUST be used, or somebody could put their own key in."""
    request = issuing.request(credential_response_encryption=wanted(AgreementKey.generate()))
    assert error_of(issuing.ask(bearer, request)) == "invalid_encryption_parameters"


def test_errors_are_never_encrypted(issuing: Issuing, bearer: str) -> None:
    request = issuing.request("unknown", credential_response_encryption=wanted(AgreementKey.generate()))
    assert error_of(ask(issuing, bearer, request)) == "unknown_credential_configuration"


@pytest.mark.parametrize(
    "changes",
    [
        *({"enc": None}, {"jwk": None}, {"enc": "A128CBC-HS256"}, {"enc": 7}, {"enc": ["A128GCM"]}, {"jwk": "key"}),
        *({"jwk": {}}, {"jwk": {"kty": "oct", "k": "AAAA", "alg": "ECDH-ES"}}, {"zip": "DEF"}, {"zip": "LZW"}),
        {"jwk": {**AgreementKey.generate().encryption_jwk("1"), "alg": "ECDH-ES+A256KW"}},
        {"jwk": AgreementKey.generate().public_key.jwk()},  # no alg
        {"jwk": {**AgreementKey.generate().encryption_jwk("1"), "use": "sig"}},
        {"jwk": {**AgreementKey.generate().encryption_jwk("1"), "d": "AAAA"}},
        {"jwk": {**AgreementKey.generate().encryption_jwk("1"), "kid": 7}},
        {"jwk": {**new_key(ES384).public_key.jwk(), "alg": "ECDH-ES"}},
        {"jwk": {**AgreementKey.generate().encryption_jwk("1"), "x": "AAAA"}},
    ],
)
def test_wrong_or_unsupported_encryption_parameters_are_refused(
    issuing: Issuing, bearer: str, changes: dict[str, Any]
) -> None:
    request = issuing.request(credential_response_encryption=wanted(AgreementKey.generate(), **changes))
    assert error_of(ask(issuing, bearer, request)) == "invalid_encryption_parameters"


@pytest.mark.parametrize("parameters", ["x", 7, [], True])
def test_encryption_parameters_are_an_object(issuing: Issuing, bearer: str, parameters: Any) -> None:
    request = issuing.request(credential_response_encryption=parameters)
    assert error_of(ask(issuing, bearer, request)) == "invalid_encryption_parameters"


def test_nothing_is_used_up_by_wrong_encryption_parameters(issuing: Issuing, bearer: str) -> None:
    request = issuing.request()
    bad = {**request, "credential_response_encryption": wanted(AgreementKey.generate(), enc="XYZ")}
    assert error_of(ask(issuing, bearer, bad)) == "invalid_encryption_parameters"
    assert issuing.ask(bearer, request).status_code == 200


def test_a_request_encrypted_to_another_key_is_refused(issuing: Issuing, bearer: str) -> None:
    kid = issuer_key(issuing)["kid"]
    for jwk in (AgreementKey.generate().encryption_jwk("x"), AgreementKey.generate().encryption_jwk(kid)):
        assert error_of(ask(issuing, bearer, issuing.request(), jwk=jwk)) == "invalid_encryption_parameters"
    without_kid = {name: value for name, value in issuer_key(issuing).items() if name != "kid"}
    assert error_of(ask(issuing, bearer, issuing.request(), jwk=without_kid)) == "invalid_encryption_parameters"


def test_a_request_encrypted_to_another_issuer_here_is_refused(issuing: Issuing, bearer: str) -> None:
    jwk = issuer_key(issuing, OTHER_ISSUER)
    assert error_of(ask(issuing, bearer, issuing.request(), jwk=jwk)) == "invalid_encryption_parameters"


def test_an_altered_request_is_refused(issuing: Issuing, bearer: str) -> None:
    token = sealed(issuing, issuing.request()).decode()
    head, body, tag = token.rpartition(".")[0].rpartition(".")[0], token.split(".")[3], token.split(".")[4]
    altered = f"{head}.{'A' if body[0] != 'A' else 'B'}{body[1:]}.{tag}"
    answer = issuing.ask(bearer, altered.encode(), content_type="application/jwt")
    assert error_of(answer) == "invalid_encryption_parameters"


@pytest.mark.parametrize("body", [b"", b"{}", b"a.b.c", b"a.b.c.d.e", b"\xff", b"." * 4])
def test_what_is_no_jwe_is_refused(issuing: Issuing, bearer: str, body: bytes) -> None:
    for path in ("credential", "deferred_credential"):
        answer = issuing.ask(bearer, body, path, content_type="application/jwt")
        assert error_of(answer) == "invalid_encryption_parameters"


def test_an_encrypted_request_that_is_no_json_object_is_refused(issuing: Issuing, bearer: str) -> None:
    for plaintext in (b"[]", b"{", b'{"a":1,"a":2}'):
        token = encrypt_jwe(plaintext, issuer_key(issuing), enc="A128GCM").encode()
        answer = issuing.ask(bearer, token, content_type="application/jwt")
        assert error_of(answer) == "invalid_credential_request"


def test_an_encrypted_request_sent_as_json_is_refused(issuing: Issuing, bearer: str) -> None:
    assert error_of(issuing.ask(bearer, sealed(issuing, issuing.request()))) == "invalid_credential_request"


def test_last_months_key_still_opens_requests_and_older_ones_do_not(issuing: Issuing) -> None:
    old = issuer_key(issuing)
    issuing.office.clock.turn(PERIOD)
    token = issuing.token()["access_token"]
    assert issuer_key(issuing)["kid"] != old["kid"]
    assert ask(issuing, token, issuing.request(), jwk=old).status_code == 200
    issuing.office.clock.turn(PERIOD + timedelta(seconds=1))
    token = issuing.token()["access_token"]
    assert error_of(ask(issuing, token, issuing.request(), jwk=old)) == "invalid_encryption_parameters"


def test_another_process_of_the_deployment_opens_the_same_requests(issuing: Issuing) -> None:
    keys = issuing.service.credentials.request_keys
    again = type(keys)(lambda label: keys_secret(issuing, label), issuing.office.clock)
    assert again.jwk(ISSUER) == keys.jwk(ISSUER)


def keys_secret(issuing: Issuing, label: str) -> bytes:
    settings = issuing.settings
    key = load_or_create_deployment_key(settings.path(settings.deployment_key_file))
    return key.lookup("openid4vci-request-key", label)
