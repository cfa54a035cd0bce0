"""Strict CBOR and COSE_Sign1: one value, plain data, algorithm protected, nothing critical ignored."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.algorithms import ALGORITHMS, ES256
from keys.envelopes import cbor
from keys.envelopes.cose import parse_cose_sign1, sign_cose_sign1
from keys.errors import MalformedEnvelope
from keys.model import Algorithm
from keys.signer import EphemeralSigner

SIGNER = EphemeralSigner.generate(ES256)
KID = bytes(range(8))

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**64), 2**64 - 1) | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.integers(-1000, 1000) | st.text(max_size=6), inner, max_size=4)
    ),
    max_leaves=10,
)


@given(PLAIN)
def test_plain_data_reads_back(value: Any) -> None:
    assert cbor.decode(cbor.encode(value)) == value


def test_rfc8949_4_2_1_encoding_is_deterministic() -> None:
    assert cbor.encode({"b": 1, "a": 2, 10: 3, -1: 4, 100: 5}) == cbor.encode({100: 5, -1: 4, 10: 3, "a": 2, "b": 1})
    assert cbor.encode((1, [2])) == cbor.encode([1, (2,)])
    with pytest.raises(TypeError, match="datetime"):
        cbor.encode([__import__("datetime").datetime(2026, 1, 1)])
    with pytest.raises(TypeError, match="set"):
        cbor.encode({"a": {1}})


@pytest.mark.parametrize(
    "data",
    [
        pytest.param("", id="nothing"),
        pytest.param("0102", id="rfc8949 5.3.1: a second value"),
        pytest.param("a10102ff", id="rfc8949 5.3.1: a stray break after the value"),
        pytest.param("a201020103", id="rfc8949 5.6: duplicate key"),
        pytest.param("a101a2616101616102", id="rfc8949 5.6: duplicate key inside"),
        pytest.param("a20102f503", id="keys that are equal here: 1 and true"),
        pytest.param("a101", id="map cut short"),
        pytest.param("4401", id="byte string cut short"),
        pytest.param("5b7fffffffffffffff", id="a string of 2^63 bytes"),
        pytest.param("9b7fffffffffffffff", id="an array of 2^63 items"),
        pytest.param("bb00ffffffffffffff", id="a map of 2^56 entries"),
        pytest.param("9f01ff", id="indefinite array"),
        pytest.param("bf0102ff", id="indefinite map"),
        pytest.param("5f4101ff", id="indefinite bytes"),
        pytest.param("61ff", id="text that is not utf-8"),
        pytest.param("63eda080", id="text with a surrogate"),
        pytest.param("ff", id="break alone"),
        pytest.param("1c", id="reserved additional information"),
        pytest.param("81" * 17 + "00", id="17 levels"),
        pytest.param("a100" * 40, id="deep maps"),
        pytest.param("d9d9f701", id="self-described"),
    ],
)
def test_cbor_that_must_be_refused(data: str) -> None:
    with pytest.raises(MalformedEnvelope):
        cbor.decode(bytes.fromhex(data))


@pytest.mark.parametrize("content", [0, "2026-01-01", b"\x01", b"\xc0\xa8\x00\x01", [], [1, 2], {}])
def test_no_tag_is_turned_into_something_else(content: Any) -> None:
    for tag in (*range(600), 1004, 1040, 18, 43000, 43001, 55799, 65535, 2**32, 2**64 - 1):
        data = cbor2.dumps(cbor2.CBORTag(tag, content)) if tag > 5 else bytes((0xC0 | tag,)) + cbor2.dumps(content)
        with pytest.raises(MalformedEnvelope):
            cbor.decode(data)


def test_cbor_bounds_are_bounds_not_more() -> None:
    assert cbor.decode(bytes.fromhex("81" * 16 + "00"))
    assert cbor.decode(b"\x01", max_size=1) == 1
    assert math.isnan(cbor.decode(bytes.fromhex("f97e00")))
    with pytest.raises(MalformedEnvelope, match="more than 65536"):
        cbor.decode(b"\x5a\x00\x01\x00\x00" + bytes(65536))


@given(st.binary(max_size=100))
def test_any_bytes_are_cbor_or_malformed(data: bytes) -> None:
    try:
        cbor.decode(data)
    except MalformedEnvelope:
        pass


@pytest.mark.parametrize("size", [0, 1, 23, 24, 255, 256, 300, 65000])
@pytest.mark.parametrize("algorithm", ALGORITHMS, ids=repr)
def test_what_is_signed_parses_and_verifies(
    algorithm: Algorithm, size: int, signers: Mapping[str, EphemeralSigner]
) -> None:
    signer, payload = signers[algorithm.jose], bytes(size)
    data = sign_cose_sign1(payload, signer=signer, kid=KID)
    message = parse_cose_sign1(data)
    assert (message.payload, message.kid, message.algorithm) == (payload, KID, algorithm)
    assert message.protected == {1: algorithm.cose, 4: KID}
    assert message.verified_by(signer.public_key)
    untagged = parse_cose_sign1(data[1:])
    assert (untagged.payload, untagged.signature, untagged.kid) == (payload, message.signature, KID)
    assert untagged.verified_by(signer.public_key)


def test_rfc9052_4_4_the_signature_is_over_the_sig_structure() -> None:
    for payload in (b"p", bytes(30), bytes(300), bytes(70000)):
        message = parse_cose_sign1(sign_cose_sign1(payload, signer=SIGNER, kid=KID), max_size=1 << 20)
        structure = cbor2.dumps(["Signature1", message.protected_bytes, b"", payload])
        assert SIGNER.public_key.verify(message.signature, structure)


def test_a_signature_holds_for_its_key_algorithm_and_payload_only(signers: Mapping[str, EphemeralSigner]) -> None:
    data = sign_cose_sign1(b"payload" * 20, signer=SIGNER, kid=KID)
    assert not parse_cose_sign1(data).verified_by(EphemeralSigner.generate(ES256).public_key)
    assert not parse_cose_sign1(data).verified_by(signers["EdDSA"].public_key)
    assert not parse_cose_sign1(data.replace(b"payload", b"PAYLOAD")).verified_by(SIGNER.public_key)


def test_the_header_cannot_choose_another_algorithm_than_the_key_s() -> None:
    header = cbor2.dumps({1: -8})
    signature = SIGNER.sign(cbor2.dumps(["Signature1", header, b"", b"payload"]))
    assert not parse_cose_sign1(_message(header, payload=b"payload", signature=signature)).verified_by(
        SIGNER.public_key
    )


def _message(protected: Any, unprotected: Any = None, payload: Any = b"", signature: Any = bytes(64)) -> bytes:
    header = protected if isinstance(protected, bytes) else cbor2.dumps(protected)
    return b"\xd2" + cbor2.dumps([header, {} if unprotected is None else unprotected, payload, signature])


def test_the_key_identifier_may_be_unprotected_as_in_health_certificates() -> None:
    assert parse_cose_sign1(_message({1: -7}, {4: KID})).kid == KID
    assert parse_cose_sign1(_message({1: -7})).kid is None
    assert parse_cose_sign1(sign_cose_sign1(b"", signer=SIGNER, kid=KID, unprotected={33: b"x"})).unprotected == {
        33: b"x"
    }


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(_message({4: KID}), id="rfc9052 3.1: no algorithm"),
        pytest.param(_message(b""), id="empty protected header"),
        pytest.param(_message({4: KID}, {1: -7}), id="the algorithm is not protected"),
        pytest.param(_message({1: -7}, {1: -7}), id="rfc9052 3: a label in both headers"),
        pytest.param(_message({1: -7, 4: KID}, {4: b"other"}), id="rfc9052 3: two key identifiers"),
        pytest.param(_message({1: -257}), id="rsa as ec"),
        pytest.param(_message({1: 5}), id="a mac algorithm"),
        pytest.param(_message({1: "ES256"}), id="the algorithm by name"),
        pytest.param(_message({1: -7, 2: [99], 99: 1}), id="rfc9052 3.1: unknown critical header"),
        pytest.param(_message({1: -7}, {2: [4]}), id="rfc9052 3.1: crit is not protected"),
        pytest.param(_message(b"\xa2\x01\x26\xf5\x01"), id="duplicate label by another name"),
        pytest.param(_message({1.0: -7}), id="a label that is a real"),
        pytest.param(_message({1: -7, b"x": 1}), id="a label of bytes"),
        pytest.param(_message(b"\xa2\x01\x26\x01\x26"), id="duplicate label"),
        pytest.param(_message(b"\xa1\x01\x26\x00"), id="bytes after the protected header"),
        pytest.param(_message(b"\x81\x01"), id="the protected header is an array"),
        pytest.param(_message({1: -7, 9: bytes(5000)}), id="huge protected header"),
        pytest.param(_message({1: -7}, [], b""), id="the unprotected header is an array"),
        pytest.param(_message({1: -7}, payload=None), id="rfc9052 4.1: detached payload"),
        pytest.param(_message({1: -7}, payload="text"), id="the payload is text"),
        pytest.param(_message({1: -7}, signature=bytes(63)), id="short signature"),
        pytest.param(_message({1: -7}, signature=bytes(96)), id="a signature of another size"),
        pytest.param(_message({1: -7}, signature="text"), id="the signature is text"),
        pytest.param(_message({1: -7, 4: "kid"}), id="the key identifier is text"),
        pytest.param(b"\xd2" + cbor2.dumps([b"", {}, b""]), id="an array of three"),
        pytest.param(b"\xd2" + cbor2.dumps({}), id="a map"),
        pytest.param(b"\xd2" + _message({1: -7}), id="tagged twice"),
        pytest.param(b"\xd1" + _message({1: -7})[1:], id="another tag: COSE_Mac0"),
        pytest.param(_message({1: -7}, payload=bytes(300)) + b"\0", id="bytes after the message"),
        pytest.param(_message({1: -7}, payload=bytes(300))[:-1], id="cut short"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_messages_that_must_be_refused(data: bytes) -> None:
    with pytest.raises(MalformedEnvelope):
        parse_cose_sign1(data)


def test_a_message_too_long_is_refused() -> None:
    with pytest.raises(MalformedEnvelope, match="more than 100"):
        parse_cose_sign1(_message({1: -7}, payload=bytes(100)), max_size=100)


@given(st.data())
def test_any_bytes_are_a_message_or_malformed_and_never_verify(data: st.DataObject) -> None:
    message = bytearray(sign_cose_sign1(bytes(data.draw(st.integers(0, 300))), signer=SIGNER, kid=KID))
    position = data.draw(st.integers(1, len(message) - 1))
    message[position] ^= data.draw(st.integers(1, 255))
    for candidate in (
        bytes(message),
        bytes(message[: data.draw(st.integers(0, 400))]),
        data.draw(st.binary(max_size=99)),
    ):
        try:
            parsed = parse_cose_sign1(candidate)
        except MalformedEnvelope:
            continue
        assert not parsed.verified_by(SIGNER.public_key)


@given(st.binary(max_size=40), st.binary(max_size=400), st.integers(0, 300))
def test_the_quick_way_and_the_long_way_agree(protected: bytes, payload: bytes, signature_size: int) -> None:
    data = b"\xd2" + cbor2.dumps([protected, {}, payload, bytes(signature_size)])
    outcomes = []
    for form in (data, data[1:]):  # only the tagged form can go the quick way
        try:
            message = parse_cose_sign1(form)
            outcomes.append((message.protected_bytes, message.payload, message.signature, dict(message.unprotected)))
        except MalformedEnvelope as err:
            outcomes.append(str(err))
    assert outcomes[0] == outcomes[1]
