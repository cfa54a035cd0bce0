"""RFC 8414, OpenID4VCI 1.0 section 12.3: what an authorization server says of itself."""

from __future__ import annotations

import pytest

from tests.issuer.office import OFFICE, OTHER_OFFICE
from tests.issuer.openid4vci.as_world import PRE_AUTHORIZED_GRANT, Wallet
from tests.issuer.openid4vci.credential_world import ISSUER, MDOC, ORIGIN, OTHER_ISSUER, SD_JWT, Issuing

WELL_KNOWN = f"{ORIGIN}/.well-known/oauth-authorization-server/issuers/"


@pytest.fixture
def wallet(issuing: Issuing) -> Wallet:
    return Wallet(issuing)


def test_metadata_lies_where_rfc_8414_puts_it(wallet: Wallet) -> None:
    """Section 3.1: the well-known part is inserted between host and path."""
    client = wallet.issuing.client
    answer = client.get(f"{WELL_KNOWN}{OFFICE}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.json()["issuer"] == ISSUER, "section 3.3: identical to what the well-known part was inserted into"
    assert client.get(f"{WELL_KNOWN}{OTHER_OFFICE}").json()["issuer"] == OTHER_ISSUER
    assert client.get(f"{WELL_KNOWN}990100/nobody").status_code == 404
    for elsewhere in (f"{ISSUER}/.well-known/oauth-authorization-server", f"{ISSUER}/.well-known/openid-configuration"):
        assert client.get(elsewhere).status_code == 404


def test_metadata_says_what_is_true(wallet: Wallet) -> None:
    told = wallet.issuing.client.get(f"{WELL_KNOWN}{OFFICE}").json()
    assert told["authorization_endpoint"] == f"{ISSUER}/authorize"
    assert told["pushed_authorization_request_endpoint"] == f"{ISSUER}/par"
    assert told["token_endpoint"] == f"{ISSUER}/token"
    assert told["challenge_endpoint"] == f"{ISSUER}/challenge"
    assert told["require_pushed_authorization_requests"] is True
    assert told["response_types_supported"] == ["code"]
    assert set(told["grant_types_supported"]) == {"authorization_code", PRE_AUTHORIZED_GRANT, "refresh_token"}
    assert told["code_challenge_methods_supported"] == ["S256"]
    assert told["authorization_response_iss_parameter_supported"] is True
    assert told["pre-authorized_grant_anonymous_access_supported"] is True
    assert "ES256" in told["dpop_signing_alg_values_supported"]
    assert told["token_endpoint_auth_methods_supported"] == ["attest_jwt_client_auth", "none"]
    for name in (
        "client_attestation_signing_alg_values_supported",
        "client_attestation_pop_signing_alg_values_supported",
    ):
        assert "ES256" in told[name]
        assert "none" not in told[name]
    assert {SD_JWT, MDOC} <= set(told["scopes_supported"])
    assert told["authorization_details_types_supported"] == ["openid_credential"]
    assert not any(value is None or value == [] for value in told.values())
