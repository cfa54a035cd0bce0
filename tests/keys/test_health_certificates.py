"""HCERT: what health authorities put into QR codes is read leniently where their specification says so, and bounded."""

from __future__ import annotations

import zlib
from datetime import UTC, datetime
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from keys.algorithms import ALGORITHMS, ES256, ES384, PS256, VERIFIED_ONLY, by_cose, by_jose, by_spki
from keys.envelopes import base45, cbor
from keys.envelopes.hcert import PREFIX, parse_health_certificate
from keys.errors import AlgorithmNotSupported, MalformedEnvelope
from keys.public_key import PublicKey
from keys.signer import EphemeralSigner

SIGNER = EphemeralSigner.generate(ES256)
SPKI = SIGNER.public_key.spki
RSA_KEY = rsa.generate_private_key(65537, 2048)
RSA_SPKI = RSA_KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
CLAIMS: dict[Any, Any] = {1: "AT", 4: 1900000000, 6: 1600000000, -260: {1: {"v": [{"ci": "x"}], "ver": "1.3.0"}}}
KID = b"12345678"


def text(message: bytes) -> str:
    return PREFIX + base45.encode(zlib.compress(message))


def code(
    claims: Any = CLAIMS,
    protected: Any = None,
    unprotected: Any = None,
    *,
    payload: bytes | None = None,
    rsa_key: rsa.RSAPrivateKey | None = None,
    tag: int | None = 18,
) -> str:
    """A signed code. `protected` None: algorithm and key identifier."""
    algorithm = -7 if rsa_key is None else -37
    header = cbor2.dumps({1: algorithm, 4: KID} if protected is None else protected)
    body = cbor2.dumps(claims) if payload is None else payload
    signed = cbor2.dumps(["Signature1", header, b"", body])
    if rsa_key is None:
        signature = SIGNER.sign(signed)
    else:
        signature = rsa_key.sign(signed, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
    message: Any = [header, unprotected or {}, body, signature]
    return text(cbor2.dumps(message if tag is None else cbor2.CBORTag(tag, message)))


def test_code_is_read_and_verified() -> None:
    health = parse_health_certificate(code())
    assert (health.algorithm, health.kid, health.issuer, health.kind) == (ES256, KID, "AT", "v")
    assert health.issued_at == datetime.fromtimestamp(1600000000, UTC)
    assert health.expires_at == datetime.fromtimestamp(1900000000, UTC)
    assert health.verified_by(SPKI)
    assert not health.verified_by(EphemeralSigner.generate(ES256).public_key.spki)


def test_hcert_3_3_2_the_second_algorithm_is_verified() -> None:
    health = parse_health_certificate(code(rsa_key=RSA_KEY))
    assert health.algorithm is PS256
    assert health.verified_by(RSA_SPKI)
    other = rsa.generate_private_key(65537, 2048)
    assert not parse_health_certificate(code(rsa_key=other)).verified_by(RSA_SPKI)


def test_key_and_algorithm_must_agree() -> None:
    """The attack: an RSA key used as another, or a code that says PS256 for an elliptic-curve key."""
    assert not parse_health_certificate(code()).verified_by(RSA_SPKI)
    assert not parse_health_certificate(code(rsa_key=RSA_KEY)).verified_by(SPKI)
    assert not parse_health_certificate(code()).verified_by(EphemeralSigner.generate(ES384).public_key.spki)


@pytest.mark.parametrize("size", [1024, 4608])
def test_rsa_keys_too_small_to_prove_and_too_large_to_check_are_not_verified(size: int) -> None:
    key = rsa.generate_private_key(65537, size)
    spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert not parse_health_certificate(code(rsa_key=key)).verified_by(spki)


def test_this_network_does_not_know_what_it_only_verifies() -> None:
    assert VERIFIED_ONLY == (PS256,)
    assert PS256 not in ALGORITHMS
    for ask in (lambda: by_cose(-37), lambda: by_jose("PS256"), lambda: by_spki(RSA_SPKI)):
        with pytest.raises(AlgorithmNotSupported):
            ask()
    with pytest.raises(AlgorithmNotSupported):
        PublicKey.from_spki(RSA_SPKI)
    for attempt in (PS256.primitive.generate, lambda: PS256.primitive.load(b"")):
        with pytest.raises(ValueError, match="verified here"):
            attempt()
    assert repr(PublicKey.of_foreign(RSA_SPKI, PS256)).startswith("<PublicKey PS256 ")


def test_hcert_3_3_3_the_protected_key_identifier_counts() -> None:
    assert parse_health_certificate(code(protected={1: -7}, unprotected={4: b"other"})).kid == b"other"
    assert parse_health_certificate(code(unprotected={4: b"other"})).kid == KID
    assert parse_health_certificate(code(protected={1: -7})).kid is None


@pytest.mark.parametrize("tag", [None, 18, 61])
def test_tags_around_the_message_are_dropped(tag: int | None) -> None:
    assert parse_health_certificate(code(tag=tag)).verified_by(SPKI)


def test_tags_and_open_lengths_inside_are_read() -> None:
    tagged = {**CLAIMS, -260: {1: {"t": [{"sc": cbor2.CBORTag(0, "2021-05-03T10:27:15Z")}]}}}
    health = parse_health_certificate(code(tagged))
    assert (health.kind, health.content["t"][0]["sc"]) == ("t", "2021-05-03T10:27:15Z")
    entry = b"\xa1\x61r\x9f\xa0\xff"  # {"r": [_ {}]}
    payload = b"\xbf\x06\x00\x39\x01\x03\xa1\x01" + entry + b"\xff"
    assert parse_health_certificate(code(payload=payload)).kind == "r"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ({"v": [{}]}, "v"),
        ({"v": [{}], "t": []}, "v"),
        ({"v": [{}], "t": [{}]}, None),
        ({"v": [{}, {}]}, "v"),
        ({"v": {"a": 1}}, None),
        ({"nam": {}}, None),
    ],
)
def test_exactly_one_kind_of_thing_is_certified(content: dict[str, Any], kind: str | None) -> None:
    assert parse_health_certificate(code({-260: {1: content}})).kind == kind


def test_times_beyond_the_calendar_are_its_ends() -> None:
    health = parse_health_certificate(code({**CLAIMS, 4: 2**63, 6: -5.5}))
    assert (health.issued_at, health.expires_at) == (
        datetime.fromtimestamp(0, UTC),
        datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    "made",
    [
        "HC2:" + code()[4:],
        PREFIX,
        PREFIX + base45.encode(cbor2.dumps([b"", {}, b"", b""])),  # not compressed
        text(cbor2.dumps([b"", {}, b""])),
        text(cbor2.dumps([b"", [], b"", b""])),
        text(cbor2.dumps(["", {}, b"", b""])),
        text(cbor2.dumps({})),
        text(b"\xd2" + cbor2.dumps([1]) + b"x"),
        code([]),
        code({}),
        code({-260: {}}),
        code({-260: {1: b"x"}}),
        code({**CLAIMS, 1: 7}),
        code({**CLAIMS, 4: "tomorrow"}),
        code({**CLAIMS, 4: True}),
        code({**CLAIMS, 6: float("nan")}),
        code(protected={1: -257}),
        code(protected={}),
        code(protected={1: -7, 2: [9], 9: 1}),
        code(unprotected={2: [9]}),
        code(protected={1: -7, 4: "text"}),
        code(protected=[]),
        code(payload=b"\xa2\x01\x01\x01\x02"),  # one key twice
        code(payload=b"\x81" * 40 + b"\x00"),
        text(cbor2.dumps([cbor2.dumps({1: -7}), {}, cbor2.dumps(CLAIMS), bytes(2000)])),
    ],
)
def test_other_texts_are_malformed(made: str) -> None:
    with pytest.raises(MalformedEnvelope):
        parse_health_certificate(made)


def test_untagged_reading_is_bounded_like_the_other() -> None:
    with pytest.raises(MalformedEnvelope, match="more than"):
        cbor.decode_untagged(bytes(70000))
    assert cbor.decode_untagged(cbor2.dumps({"a": [cbor2.CBORTag(1, 5), (1, 2)]})) == {"a": [5, [1, 2]]}


@settings(deadline=None, max_examples=150)
@given(st.binary(max_size=300), st.booleans())
def test_any_text_is_a_certificate_or_the_one_error(data: bytes, compressed: bool) -> None:
    try:
        parse_health_certificate(text(data) if compressed else PREFIX + data.decode("latin-1"))
    except MalformedEnvelope:
        return


LEAVES = st.none() | st.integers() | st.floats() | st.text(max_size=4) | st.binary(max_size=4)
NAMES = st.sampled_from([1, 4, 6, -260, "v"])
ANYTHING = st.recursive(
    LEAVES, lambda x: st.lists(x, max_size=3) | st.dictionaries(NAMES, x, max_size=4), max_leaves=12
)


@settings(deadline=None, max_examples=100)
@given(ANYTHING)
def test_any_claims_are_a_certificate_or_the_one_error(claims: Any) -> None:
    try:
        health = parse_health_certificate(code(claims))
    except MalformedEnvelope:
        return
    assert health.kind in (None, "v", "t", "r")
