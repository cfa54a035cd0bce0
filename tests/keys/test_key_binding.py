"""Key binding (RFC 9901 sections 4.3 and 7.3): a presentation is for one audience, nonce, moment and choice."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from keys.algorithms import EDDSA, ES256, ES384
from keys.envelopes.jws import sign_jws
from keys.envelopes.sd_jwt import (
    KeyBindingOutcome,
    bind_key,
    check_key_binding,
    issue_sd_jwt,
    parse_sd_jwt,
    select_disclosures,
)
from keys.errors import MalformedEnvelope
from keys.signer import EphemeralSigner
from tests.keys.conftest import NOW
from tests.keys.sd_jwt_forge import ISSUER, sign

HOLDER = EphemeralSigner.generate(ES256)
ISSUED = issue_sd_jwt(
    {"iss": "x", "name": "张三", "birth": "1990"},
    {"name", "birth"},
    signer=ISSUER,
    header={"typ": "dc+sd-jwt"},
    holder_key=HOLDER.public_key.jwk(),
)
SHOWN = select_disclosures(ISSUED, {"name"})
PRESENTED = bind_key(SHOWN, signer=HOLDER, nonce="n-1", audience="counter-7", issued_at=NOW)


def _check(text: str, **changes: Any) -> KeyBindingOutcome:
    expected: dict[str, Any] = {"nonce": "n-1", "audience": "counter-7", "at": NOW, "max_age": timedelta(minutes=5)}
    return check_key_binding(parse_sd_jwt(text), **{**expected, **changes})


def _bind(header: Any = None, signer: EphemeralSigner = HOLDER, text: str = SHOWN, **changes: Any) -> str:
    payload = {
        "iat": int(NOW.timestamp()),
        "aud": "counter-7",
        "nonce": "n-1",
        "sd_hash": parse_sd_jwt(text).presented_digest(),
        **changes,
    }
    kept = {name: value for name, value in payload.items() if value is not ...}
    return text + sign_jws({"typ": "kb+jwt"} if header is None else header, json.dumps(kept).encode(), signer)


def test_a_presentation_for_this_counter_and_this_moment_is_bound() -> None:
    sd_jwt = parse_sd_jwt(PRESENTED)
    assert sd_jwt.key_binding is not None
    assert sd_jwt.key_binding.header["typ"] == "kb+jwt"
    assert _check(PRESENTED) is KeyBindingOutcome.OK
    assert _check(_bind()) is KeyBindingOutcome.OK


@pytest.mark.parametrize("algorithm", [ES256, ES384, EDDSA], ids=repr)
@pytest.mark.parametrize("digest_algorithm", ["sha-256", "sha-384", "sha-512"])
def test_4_3_1_the_hash_is_that_of_the_disclosures(algorithm: Any, digest_algorithm: str) -> None:
    holder = EphemeralSigner.generate(algorithm)
    text = issue_sd_jwt(
        {"name": "x"},
        {"name"},
        signer=ISSUER,
        header={},
        holder_key=holder.public_key.jwk(),
        digest_algorithm=digest_algorithm,
    )
    assert (
        _check(bind_key(text, signer=holder, nonce="n-1", audience="counter-7", issued_at=NOW)) is KeyBindingOutcome.OK
    )


def test_7_3_2_no_binding_is_said_to_be_absent() -> None:
    assert _check(SHOWN) is KeyBindingOutcome.ABSENT


def test_7_3_6_a_replay_elsewhere_is_found() -> None:
    assert _check(PRESENTED, nonce="n-2") is KeyBindingOutcome.WRONG_NONCE
    assert _check(PRESENTED, audience="counter-8") is KeyBindingOutcome.WRONG_AUDIENCE


@pytest.mark.parametrize(
    ("later", "outcome"),
    [
        (timedelta(minutes=5), KeyBindingOutcome.OK),
        (timedelta(minutes=6), KeyBindingOutcome.OK),  # within the clock skew
        (timedelta(minutes=6, seconds=1), KeyBindingOutcome.STALE),
        (timedelta(seconds=-60), KeyBindingOutcome.OK),
        (timedelta(seconds=-61), KeyBindingOutcome.STALE),
    ],
)
def test_7_3_5_a_binding_is_fresh_for_a_while(later: timedelta, outcome: KeyBindingOutcome) -> None:
    assert _check(PRESENTED, at=NOW + later) is outcome


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": int(NOW.timestamp()) - 61},
        {"nbf": int(NOW.timestamp()) + 61},
        {"iat": 10**19},
        {"iat": -1},
        {"iat": 1e300},
    ],
    ids=str,
)
def test_7_3_8_the_binding_s_own_validity_counts(changes: dict[str, Any]) -> None:
    assert _check(_bind(**changes)) is KeyBindingOutcome.STALE


def test_7_3_8_a_binding_inside_its_own_validity_is_fine() -> None:
    moment = int(NOW.timestamp())
    assert _check(_bind(exp=moment + 1, nbf=moment)) is KeyBindingOutcome.OK


def test_7_3_3_another_key_did_not_bind() -> None:
    thief = EphemeralSigner.generate(ES256)
    assert _check(_bind(signer=thief)) is KeyBindingOutcome.BAD_SIGNATURE
    assert _check(_bind(signer=EphemeralSigner.generate(EDDSA))) is KeyBindingOutcome.BAD_SIGNATURE


def test_7_3_1_a_certificate_that_names_no_key_cannot_be_bound() -> None:
    for confirmation in (
        {},
        {"cnf": {"jwk": {"kty": "oct", "k": "AA"}}},
        {"cnf": {"jwk": {"kty": "EC", "crv": "P-256"}}},
    ):
        assert _check(_bind(text=sign(confirmation))) is KeyBindingOutcome.BAD_SIGNATURE


def test_7_3_2_an_algorithm_past_its_sunset_does_not_bind() -> None:
    late = datetime(2036, 1, 1, tzinfo=UTC)
    assert _check(_bind(iat=int(late.timestamp())), at=late) is KeyBindingOutcome.BAD_SIGNATURE


def test_7_3_7_adding_or_dropping_a_disclosure_breaks_the_binding() -> None:
    binding = PRESENTED.rpartition("~")[2]
    assert _check(ISSUED + binding) is KeyBindingOutcome.WRONG_SD_HASH
    assert _check(select_disclosures(ISSUED, frozenset()) + binding) is KeyBindingOutcome.WRONG_SD_HASH
    assert _check(_bind(sd_hash="")) is KeyBindingOutcome.WRONG_SD_HASH


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(_bind(header={}), id="7.3 4: no typ"),
        pytest.param(_bind(header={"typ": "JWT"}), id="7.3 4: another typ"),
        pytest.param(_bind(nonce=...), id="4.3: no nonce"),
        pytest.param(_bind(nonce=5), id="4.3: the nonce is a number"),
        pytest.param(_bind(aud=...), id="4.3: no audience"),
        pytest.param(_bind(aud=["counter-7"]), id="4.3: the audience is an array"),
        pytest.param(_bind(sd_hash=...), id="4.3: no hash"),
        pytest.param(_bind(iat=...), id="4.3: no time"),
        pytest.param(_bind(iat="now"), id="4.3: the time is text"),
        pytest.param(_bind(iat=True), id="4.3: the time is true"),
        pytest.param(_bind(exp=None), id="the expiry is null"),
        pytest.param(SHOWN + sign_jws({"typ": "kb+jwt"}, b"[]", HOLDER), id="the payload is an array"),
        pytest.param(SHOWN + sign_jws({"typ": "kb+jwt"}, b"{", HOLDER), id="the payload is not json"),
    ],
)
def test_4_3_bindings_without_what_they_must_have(text: str) -> None:
    assert _check(text) is KeyBindingOutcome.MALFORMED


def test_what_is_bound_already_is_not_bound_again() -> None:
    with pytest.raises(MalformedEnvelope, match="already"):
        bind_key(PRESENTED, signer=HOLDER, nonce="n", audience="a", issued_at=NOW)


def test_choosing_again_drops_the_binding() -> None:
    assert select_disclosures(PRESENTED, {"name"}) == SHOWN
