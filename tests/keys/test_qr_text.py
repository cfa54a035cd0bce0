"""Base45 and the text of a printed QR code: exact, bounded, and no zip bombs."""

from __future__ import annotations

import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.envelopes import base45
from keys.envelopes.qr_text import MAX_SIZE, decode_qr_text, encode_qr_text
from keys.errors import MalformedEnvelope


@pytest.mark.parametrize(
    ("data", "text"),
    [(b"AB", "BB8"), (b"Hello!!", "%69 VD92EX0"), (b"base-45", "UJCLQE7W581"), (b"ietf!", "QED8WEX0"), (b"", "")],
)
def test_rfc9285_4_published_examples(data: bytes, text: str) -> None:
    assert base45.encode(data) == text
    assert base45.decode(text) == data


@given(st.binary(max_size=600))
def test_base45_reads_back(data: bytes) -> None:
    assert base45.decode(base45.encode(data)) == data


@given(st.text(max_size=60) | st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:", max_size=60))
def test_base45_has_one_text_for_one_value(text: str) -> None:
    try:
        data = base45.decode(text)
    except MalformedEnvelope:
        return
    assert base45.encode(data) == text


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("A", id="one character"),
        pytest.param("BB8A", id="four characters"),
        pytest.param("GGW", id="rfc9285 6: 65536"),
        pytest.param(":::", id="rfc9285 6: 91124"),
        pytest.param("BB8GGWBB8", id="65536 in the middle"),
        pytest.param("V5", id="rfc9285 6: 256 in one byte"),
        pytest.param("::", id="2024 in one byte"),
        pytest.param("bb8", id="lower case"),
        pytest.param("BB\n", id="line feed"),
        pytest.param("BB\0", id="nul"),
        pytest.param("BBé", id="not ascii"),
        pytest.param("BB\N{FULLWIDTH DIGIT EIGHT}", id="a digit of another script"),
    ],
)
def test_rfc9285_6_other_texts_are_refused(text: str) -> None:
    with pytest.raises(MalformedEnvelope):
        base45.decode(text)


def test_rfc9285_4_2_the_largest_values_pass() -> None:
    assert base45.decode("FGW") == b"\xff\xff"
    assert base45.decode("U5") == b"\xff"


@given(st.binary(min_size=1, max_size=500))
def test_qr_text_reads_back(data: bytes) -> None:
    assert decode_qr_text(encode_qr_text("YX1:", data), "YX1:") == data


def test_data_is_compressed_only_where_that_is_shorter() -> None:
    dense = bytes(range(200))
    assert encode_qr_text("", dense) == base45.encode(dense)
    assert len(encode_qr_text("", bytes(200))) < 50
    like_zlib = b"\x78" + dense
    assert decode_qr_text(encode_qr_text("", like_zlib), "") == like_zlib


def _text(data: bytes) -> str:
    return "YX1:" + base45.encode(data)


BOMB = zlib.compress(bytes(10_000_000), 9)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("YX1:", id="only a prefix"),
        pytest.param("HC1:" + base45.encode(b"x"), id="another prefix"),
        pytest.param("yx1:" + base45.encode(b"x"), id="prefix in lower case"),
        pytest.param(_text(BOMB), id="zip bomb"),
        pytest.param(_text(zlib.compress(bytes(MAX_SIZE + 1))), id="one byte too many, inflated"),
        pytest.param(_text(bytes(MAX_SIZE + 1)), id="one byte too many"),
        pytest.param("YX1:" + "0" * 100_000, id="a text far too long"),
        pytest.param(_text(zlib.compress(b"data" * 50)[:-1]), id="zlib cut short"),
        pytest.param(_text(zlib.compress(b"data" * 50)[:-4] + b"\0\0\0\0"), id="zlib checksum wrong"),
        pytest.param(_text(zlib.compress(b"data" * 50) + b"x"), id="bytes after the zlib stream"),
        pytest.param(_text(zlib.compress(b"data") * 2), id="two zlib streams"),
        pytest.param(_text(b"\x78\x9c"), id="a zlib header alone"),
        pytest.param(_text(b"\x78\xff\xff\xff"), id="no zlib stream"),
        pytest.param(_text(zlib.compress(b"")), id="an empty zlib stream"),
    ],
)
def test_qr_texts_that_must_be_refused(text: str) -> None:
    with pytest.raises(MalformedEnvelope):
        decode_qr_text(text, "YX1:")


def test_a_zip_bomb_costs_no_more_memory_than_honest_data() -> None:
    text = _text(BOMB)
    tracemalloc.start()
    try:
        with pytest.raises(MalformedEnvelope):
            decode_qr_text(text, "YX1:")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 500_000  # the bomb holds 10 million bytes


def test_qr_bounds_are_bounds_not_more() -> None:
    assert len(decode_qr_text(_text(zlib.compress(bytes(MAX_SIZE))), "YX1:")) == MAX_SIZE
    assert len(decode_qr_text(_text(bytes(MAX_SIZE)), "YX1:")) == MAX_SIZE


@given(st.text(max_size=80).map("YX1:".__add__) | st.binary(max_size=60).map(lambda b: _text(b"\x78" + b)))
def test_any_text_is_data_or_malformed(text: str) -> None:
    try:
        assert decode_qr_text(text, "YX1:")
    except MalformedEnvelope:
        pass
