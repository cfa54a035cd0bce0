"""The PyPI package `sd-jwt` reads what we issue and bind, and we read what it issues and binds."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from keys.algorithms import ES256
from keys.envelopes.sd_jwt import (
    KeyBindingOutcome,
    bind_key,
    check_key_binding,
    issue_sd_jwt,
    parse_sd_jwt,
    select_disclosures,
)
from keys.envelopes.strict_json import load_json
from keys.signer import EphemeralSigner
from tests.keys.conftest import NOW

jwk = pytest.importorskip("jwcrypto.jwk", reason="jwcrypto is not installed: pip install sd-jwt")
pytest.importorskip("sd_jwt", reason="sd-jwt is not installed: pip install sd-jwt")

from sd_jwt.common import SDObj  # noqa: E402
from sd_jwt.holder import SDJWTHolder  # noqa: E402
from sd_jwt.issuer import SDJWTIssuer  # noqa: E402
from sd_jwt.verifier import SDJWTVerifier  # noqa: E402

pytestmark = pytest.mark.interop

ISSUER = EphemeralSigner.generate(ES256)
HOLDER = EphemeralSigner.generate(ES256)
CLAIMS: dict[str, Any] = {
    "iss": "urn:yinxin:issuer:990100/civil-affairs",
    "name": "张三",
    "address": {"city": "东岭", "lines": ["一", "二"]},
    "children": 2,
}


def test_the_package_verifies_what_we_issue_and_bind() -> None:
    text = issue_sd_jwt(
        CLAIMS,
        {"name", "address", "children"},
        signer=ISSUER,
        header={"typ": "dc+sd-jwt"},
        holder_key=HOLDER.public_key.jwk(),
        decoys=2,
    )
    shown = select_disclosures(text, {"name", "address"})
    presented = bind_key(shown, signer=HOLDER, nonce="n-1", audience="counter-7", issued_at=NOW)
    key = jwk.JWK.from_json(json.dumps(ISSUER.public_key.jwk()))
    payload = SDJWTVerifier(presented, lambda *_: key, "counter-7", "n-1").get_verified_payload()
    assert payload == parse_sd_jwt(presented).claims
    assert (payload["name"], payload["address"]) == (CLAIMS["name"], CLAIMS["address"])
    assert "children" not in payload


def test_the_package_refuses_our_presentation_elsewhere() -> None:
    text = issue_sd_jwt(CLAIMS, {"name"}, signer=ISSUER, header={}, holder_key=HOLDER.public_key.jwk())
    presented = bind_key(text, signer=HOLDER, nonce="n-1", audience="counter-7", issued_at=NOW)
    key = jwk.JWK.from_json(json.dumps(ISSUER.public_key.jwk()))
    with pytest.raises(ValueError, match="nonce"):
        SDJWTVerifier(presented, lambda *_: key, "counter-7", "n-2")


def test_we_verify_what_the_package_issues_and_binds() -> None:
    issuer_key, holder_key = jwk.JWK.generate(kty="EC", crv="P-256"), jwk.JWK.generate(kty="EC", crv="P-256")
    marked = {
        "iss": "x",
        SDObj("name"): "张三",
        SDObj("address"): {SDObj("city"): "东岭", "lines": [SDObj("一"), "二"]},
    }
    issued = SDJWTIssuer(marked, issuer_key, holder_key, add_decoy_claims=True).sd_jwt_issuance
    holder = SDJWTHolder(issued)
    holder.create_presentation({"address": {"city": True, "lines": [True]}}, "n-1", "counter-7", holder_key)
    sd_jwt = parse_sd_jwt(holder.sd_jwt_presentation)
    assert sd_jwt.claims["address"] == {"city": "东岭", "lines": ["一", "二"]}
    assert "name" not in sd_jwt.claims
    assert sd_jwt.key_binding is not None
    at = NOW.fromtimestamp(load_json(sd_jwt.key_binding.payload)["iat"], NOW.tzinfo)
    outcome = check_key_binding(sd_jwt, nonce="n-1", audience="counter-7", at=at, max_age=timedelta(minutes=5))
    assert outcome is KeyBindingOutcome.OK
