"""SD-JWT with 10 claims, 3 presented with key binding, against the PyPI package `sd-jwt` on the same data."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from jwcrypto.jwk import JWK
from sd_jwt.common import SDObj
from sd_jwt.holder import SDJWTHolder
from sd_jwt.issuer import SDJWTIssuer
from sd_jwt.verifier import SDJWTVerifier

from keys import public_key
from keys.algorithms import ES256
from keys.envelopes.sd_jwt import (
    KeyBindingOutcome,
    bind_key,
    check_key_binding,
    issue_sd_jwt,
    parse_sd_jwt,
    select_disclosures,
)
from keys.signer import EphemeralSigner
from tests.benchmarks.interleaved import times_as_fast

NOW = datetime(2026, 6, 1, tzinfo=UTC)
PLAIN: dict[str, Any] = {
    "iss": "urn:yinxin:issuer:990100/civil-affairs",
    "vct": "urn:yinxin:type:common/marriage-certificate",
    "iat": int(NOW.timestamp()),
    "status": {"status_list": {"idx": 77, "uri": "https://status.example/990100/civil-affairs/1"}},
}
CONCEALED = {f"claim_{number}": f"声明 {number}" for number in range(10)}
SHOWN = {"claim_1", "claim_4", "claim_7"}


def run() -> list[tuple[str, float, str]]:
    """(name, ratio of their time to ours, goal) for issuing and verifying."""
    ours_issues, theirs_issues = _issuing()
    ours_verifies, theirs_verifies = _verifying()
    return [
        ("SD-JWT issue, 10 claims, times the rate of sd-jwt", times_as_fast(ours_issues, theirs_issues), ">= 3"),
        (
            "SD-JWT verify, 3 of 10 with key binding, times the rate of sd-jwt",
            times_as_fast(ours_verifies, theirs_verifies),
            ">= 2",
        ),
    ]


def _issuing() -> tuple[Any, Any]:
    issuer, holder = EphemeralSigner.generate(ES256), EphemeralSigner.generate(ES256)
    holder_jwk = holder.public_key.jwk()
    claims = {**PLAIN, **CONCEALED}
    their_key, their_holder = JWK.generate(kty="EC", crv="P-256"), JWK.from_json(json.dumps(holder_jwk))

    def ours() -> str:
        return issue_sd_jwt(claims, CONCEALED.keys(), signer=issuer, header={"typ": "dc+sd-jwt"}, holder_key=holder_jwk)

    def theirs() -> str:
        marked = {**PLAIN, **{SDObj(name): value for name, value in CONCEALED.items()}}
        return SDJWTIssuer(
            marked, their_key, their_holder, extra_header_parameters={"typ": "dc+sd-jwt"}
        ).sd_jwt_issuance

    return ours, theirs


def _verifying() -> tuple[Any, Any]:
    issuer, holder = EphemeralSigner.generate(ES256), EphemeralSigner.generate(ES256)
    issued = issue_sd_jwt(
        {**PLAIN, **CONCEALED},
        CONCEALED.keys(),
        signer=issuer,
        header={"typ": "dc+sd-jwt"},
        holder_key=holder.public_key.jwk(),
    )
    shown = select_disclosures(issued, SHOWN)
    presentation = bind_key(shown, signer=holder, nonce="n-1", audience="counter-7", issued_at=NOW)
    their_key = JWK.from_json(json.dumps(issuer.public_key.jwk()))

    def ours() -> object:
        public_key._from_spki.cache_clear()  # every holder is a new one: only the issuer's key is at hand
        sd_jwt = parse_sd_jwt(presentation)
        outcome = check_key_binding(sd_jwt, nonce="n-1", audience="counter-7", at=NOW, max_age=timedelta(minutes=5))
        if not sd_jwt.jws.verified_by(issuer.public_key) or outcome is not KeyBindingOutcome.OK:
            raise AssertionError("the benchmark's own presentation does not verify")
        return sd_jwt.claims

    def theirs() -> object:
        return SDJWTVerifier(presentation, lambda *_: their_key, "counter-7", "n-1").get_verified_payload()

    _check_same(ours(), theirs())
    SDJWTHolder(issued).create_presentation(dict.fromkeys(SHOWN, True))
    return ours, theirs


def _check_same(ours: Any, theirs: Any) -> None:
    if ours != theirs:
        raise AssertionError("the two libraries disagree on the claims")


if __name__ == "__main__":
    for name, ratio, goal in run():
        print(f"{name}: {ratio:.2f} ({goal})")
