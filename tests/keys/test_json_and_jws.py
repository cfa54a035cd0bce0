"""Strict JSON and compact JWS: what is signed reads back; what is ambiguous, deep, huge or unsigned is refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.algorithms import ALGORITHMS, ES256
from keys.envelopes.base64url import b64url_decode, b64url_encode
from keys.envelopes.jws import Jws, parse_jws, sign_jws
from keys.envelopes.strict_json import load_json
from keys.errors import MalformedEnvelope
from keys.model import Algorithm
from keys.signer import EphemeralSigner

Signers = Mapping[str, EphemeralSigner]
SIGNER = EphemeralSigner.generate(ES256)

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**18), 10**18)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(JSON, st.booleans())
def test_json_reads_back_however_it_is_written(value: Any, pretty: bool) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=2 if pretty else None)
    assert load_json(text.encode()) == value
    assert load_json(" \t\r\n" + text + " \t\r\n") == value


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b'{"a":1,"a":1}', id="duplicate member"),
        pytest.param(b'{"x":{"a":1,"\\u0061":2}}', id="duplicate member, one escaped"),
        pytest.param(b"[NaN]", id="not a number"),
        pytest.param(b"-Infinity", id="infinity"),
        pytest.param(b"[1e999]", id="a real beyond range"),
        pytest.param(b"[" + b"9" * 21 + b"]", id="an integer of 21 digits"),
        pytest.param(b"[" + b"9" * 5000 + b"]", id="an integer of 5000 digits"),
        pytest.param(b"[" * 33 + b"]" * 33, id="33 levels"),
        pytest.param(b'{"a":' * 33 + b"1" + b"}" * 33, id="33 levels of objects"),
        pytest.param(b"[" * 100000, id="100000 levels"),
        pytest.param(b'["\\ud800"]', id="lone surrogate"),
        pytest.param(b'{"\\udfff":1}', id="lone surrogate as a name"),
        pytest.param(b'"\xff"', id="not utf-8"),
        pytest.param(b"\xef\xbb\xbf{}", id="byte order mark"),
        pytest.param(b"{} {}", id="two values"),
        pytest.param(b"{}\x0b", id="other white space"),
        pytest.param(b"{'a':1}", id="single quotes"),
        pytest.param(b'{"a":1,}', id="trailing comma"),
        pytest.param(b'"\n"', id="control character"),
        pytest.param(b"", id="nothing"),
        pytest.param(b"   ", id="only white space"),
    ],
)
def test_json_that_could_mean_two_things_or_too_much_is_refused(text: bytes) -> None:
    with pytest.raises(MalformedEnvelope):
        load_json(text)


def test_json_bounds_are_bounds_not_more() -> None:
    assert load_json(b"[" * 32 + b"]" * 32)
    assert load_json(b"[" + b"[]," * 50 + b"[]]")
    assert load_json(b"[" + b"9" * 20 + b"]") == [10**20 - 1]
    assert load_json(b'["\\ud83d\\ude00"]') == ["\U0001f600"]
    with pytest.raises(MalformedEnvelope, match="more than 4"):
        load_json(b"[1,2]", max_size=4)


def test_a_lone_surrogate_in_text_already_decoded_is_refused() -> None:
    with pytest.raises(MalformedEnvelope, match="surrogate"):
        load_json('["\ud800"]')


@given(st.binary(max_size=200) | JSON.map(lambda v: json.dumps(v).encode()[:-1]))
def test_any_bytes_are_json_or_malformed(data: bytes) -> None:
    try:
        load_json(data)
    except MalformedEnvelope:
        pass


@given(st.binary(max_size=100))
def test_base64url_reads_back(data: bytes) -> None:
    assert b64url_decode(b64url_encode(data)) == data


@given(st.binary(max_size=30) | st.text("AQgwABx-_+/= \n", max_size=30).map(str.encode))
def test_base64url_has_one_text_for_one_value(text: bytes) -> None:
    try:
        data = b64url_decode(text)
    except ValueError:
        return
    assert b64url_encode(data) == text


@pytest.mark.parametrize("text", [b"QQ==", b"QQ=", b"A", b"QR", b"QUJ", b"Q Q", b"QQ\n", b"+_-A", b"//8", b"QQ==QQ=="])
def test_base64url_variants_are_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"base64|padding|Only|Discontinuous|Excess"):
        b64url_decode(text)


@pytest.mark.parametrize("algorithm", ALGORITHMS, ids=repr)
def test_what_is_signed_parses_and_verifies(algorithm: Algorithm, signers: Signers) -> None:
    signer = signers[algorithm.jose]
    token = sign_jws({"typ": "example+jwt", "kid": "印"}, b'{"a":1}', signer)
    for form in (token, token.encode()):
        jws = parse_jws(form)
        assert jws.header == {"alg": algorithm.jose, "typ": "example+jwt", "kid": "印"}
        assert jws.payload == b'{"a":1}'
        assert jws.algorithm is algorithm
        assert jws.verified_by(signer.public_key)


def test_a_signature_holds_for_its_key_algorithm_header_and_payload_only(signers: Signers) -> None:
    token = sign_jws({}, b"payload", SIGNER)
    jws = parse_jws(token)
    assert not jws.verified_by(EphemeralSigner.generate(ES256).public_key)
    assert not jws.verified_by(signers["EdDSA"].public_key)
    header, _, signature = token.split(".")
    assert not parse_jws(f"{header}.{b64url_encode(b'other').decode()}.{signature}").verified_by(SIGNER.public_key)


def _token(header: Any, payload: bytes = b"{}", signature: bytes = bytes(64)) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return b".".join(map(b64url_encode, (text, payload, signature)))


@pytest.mark.parametrize(
    "header",
    [
        pytest.param({"alg": "none"}, id="rfc8725 3.2: alg none"),
        pytest.param({"alg": "HS256"}, id="rfc8725 2.1: symmetric key confusion"),
        pytest.param({"alg": "RS256"}, id="rsa as ec"),
        pytest.param({}, id="no alg"),
        pytest.param({"alg": ["ES256"]}, id="alg is an array"),
        pytest.param({"alg": "ES256", "crit": ["exp"], "exp": 1}, id="rfc7515 4.1.11: unknown critical header"),
        pytest.param({"alg": "ES256", "crit": []}, id="rfc7515 4.1.11: empty crit"),
        pytest.param({"alg": "ES256", "b64": False}, id="rfc7797: unencoded payload"),
        pytest.param({"alg": "ES256", "b64": False, "crit": ["b64"]}, id="rfc7797: unencoded payload, critical"),
        pytest.param(b'{"alg":"none","alg":"ES256"}', id="rfc7515 4: duplicate header names"),
        pytest.param(b"[]", id="header is an array"),
        pytest.param(b"\xff", id="header is not utf-8"),
        pytest.param(b'{"alg":"ES256","x":' + b"[" * 40 + b"]" * 40 + b"}", id="deep header"),
        pytest.param(b'{"alg":"ES256","x":"' + b"a" * 40000 + b'"}', id="huge header"),
    ],
)
def test_headers_that_must_be_refused(header: Any) -> None:
    with pytest.raises(MalformedEnvelope):
        parse_jws(_token(header))


@pytest.mark.parametrize(
    "token",
    [
        b"",
        b".",
        b"..",
        b"e30.e30",
        _token({"alg": "ES256"}) + b".e30",
        _token({"alg": "ES256"}) + b"=",
        b" " + _token({"alg": "ES256"}),
        _token({"alg": "ES256"}).replace(b".", b"~"),
        _token({"alg": "ES256"}, signature=bytes(63)),
        _token({"alg": "ES256"}, signature=b""),
        _token({"alg": "ES384"}, signature=bytes(64)),
    ],
)
def test_tokens_that_are_no_compact_jws(token: bytes) -> None:
    with pytest.raises(MalformedEnvelope):
        parse_jws(token)


def test_text_that_is_not_ascii_and_tokens_too_long_are_refused() -> None:
    with pytest.raises(MalformedEnvelope):
        parse_jws("印.印.印")
    with pytest.raises(MalformedEnvelope, match="more than 10"):
        parse_jws(_token({"alg": "ES256"}), max_size=10)


def test_rfc8725_3_1_the_header_cannot_choose_another_algorithm_than_the_key_s() -> None:
    header = b64url_encode(b'{"alg":"EdDSA"}')
    signing_input = header + b"." + b64url_encode(b"payload")
    jws = parse_jws(signing_input + b"." + b64url_encode(SIGNER.sign(signing_input)))
    assert SIGNER.public_key.verify(jws.signature, jws.signing_input)
    assert not jws.verified_by(SIGNER.public_key)


def test_a_header_that_contradicts_its_signer_is_a_bug() -> None:
    assert parse_jws(sign_jws({"alg": "ES256"}, b"", SIGNER)).payload == b""
    with pytest.raises(ValueError, match="alg"):
        sign_jws({"alg": "EdDSA"}, b"", SIGNER)


@given(st.data())
def test_any_text_is_a_jws_or_malformed_and_never_verifies(data: st.DataObject) -> None:
    token = bytearray(sign_jws({}, b"payload", SIGNER).encode())
    position = data.draw(st.integers(0, len(token) - 1))
    token[position] = data.draw(st.integers(0, 255).filter(lambda byte: byte != token[position]))
    for candidate in (bytes(token), data.draw(st.binary(max_size=100)), data.draw(st.text(max_size=100))):
        try:
            jws: Jws = parse_jws(candidate)
        except MalformedEnvelope:
            continue
        assert not jws.verified_by(SIGNER.public_key)
