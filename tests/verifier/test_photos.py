"""Reading a code from an uploaded photo: found when it is there, never an error when it is not."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.browser.pictures import qr_picture
from verifier.photos import MAX_PHOTO, is_photo, read_code

CODE = "YX1:" + "ABC123" * 60


def photo(picture: Image.Image, form: str = "PNG") -> bytes:
    file = io.BytesIO()
    picture.save(file, form)
    return file.getvalue()


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "BMP", "GIF"])
def test_a_tilted_code_is_read_from_every_common_form(form: str) -> None:
    data = photo(qr_picture(CODE).rotate(13, expand=True, fillcolor=190), form)
    assert is_photo(data)
    assert read_code(data) == CODE


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_black_on_nothing_is_read_as_on_paper(mode: str) -> None:
    code = qr_picture(CODE).convert("L")
    drawn = Image.new("LA", code.size)
    drawn.putalpha(code.point(lambda grey: 0 if grey > 128 else 255))
    assert read_code(photo(drawn.convert("RGBA").convert(mode) if mode != "LA" else drawn)) == CODE


def test_our_code_is_preferred_to_another_in_the_picture() -> None:
    page = Image.new("L", (1400, 700), 255)
    page.paste(qr_picture("https://example.org/", 500), (50, 50))
    page.paste(qr_picture(CODE, 640), (700, 30))
    assert read_code(photo(page)) == CODE


def test_another_code_is_given_to_be_judged_when_it_is_the_only_one() -> None:
    assert read_code(photo(qr_picture("https://example.org/"))) == "https://example.org/"


def test_a_wall_has_no_code() -> None:
    assert read_code(photo(Image.new("L", (300, 300), 128))) is None


def test_a_photo_beyond_the_bound_is_not_opened() -> None:
    assert read_code(b"\xff\xd8\xff" + bytes(MAX_PHOTO)) is None


def test_a_picture_that_claims_to_be_enormous_is_not_unpacked() -> None:
    """A decompression bomb: 60,000 by 60,000 pixels in a few bytes."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    bomb = (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )
    assert read_code(bomb) is None


@given(
    st.binary(max_size=400),
    st.sampled_from([b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"GIF89a", b"BM", b"RIFF", b""]),
)
@settings(max_examples=150, deadline=None)
def test_any_bytes_are_a_code_or_none(data: bytes, mark: bytes) -> None:
    found = read_code(mark + data)
    assert found is None or isinstance(found, str)
