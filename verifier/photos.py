"""Finding the QR code in an uploaded photo, when the browser could not. Judges and keeps nothing."""

from __future__ import annotations

import io
import warnings
from threading import BoundedSemaphore
from typing import Final

import zxingcpp
from PIL import Image, ImageOps

MAX_PHOTO: Final = 16 * 1024 * 1024
MAX_PIXELS: Final = 40_000_000  # a telephone's largest photo
_LONGEST_SIDE: Final = 2400
_OURS: Final = ("YX1:", "YXP:", "HC1:")
_FORMATS: Final = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
_QR: Final = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
_UNPACKING: Final = BoundedSemaphore(2)  # a photo of 200 KB may take 200 MB: everybody may send one, in any number
_MARKS: Final = (b"\x89PNG", b"\xff\xd8\xff", b"RIFF", b"GIF8", b"BM")


def is_photo(data: bytes) -> bool:
    """Whether the bytes begin like an image."""
    return data.startswith(_MARKS)


def read_code(photo: bytes) -> str | None:
    """The text of the QR code in a PNG, JPEG, WebP, GIF or BMP, ours before others'; None when none can be read.

    Never raises on content: a damaged, huge or foreign image is one without a code.
    """
    if len(photo) > MAX_PHOTO:
        return None
    with _UNPACKING:
        upright = _unpacked(photo)
    if upright is None:
        return None
    texts = [found.text.strip() for found in zxingcpp.read_barcodes(upright, formats=_QR)]
    return next((text for text in texts if text.startswith(_OURS)), next(iter(texts), None))


def _unpacked(photo: bytes) -> Image.Image | None:
    """The picture in grey, upright, no larger than needed; None for what is no picture, or too large a one."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # Pillow warns before it would unpack a bomb
            with Image.open(io.BytesIO(photo), formats=_FORMATS) as image:
                if image.width * image.height > MAX_PIXELS:
                    return None
                upright = _on_paper(ImageOps.exif_transpose(image))
    except (OSError, ValueError, SyntaxError, Warning, Image.DecompressionBombError, MemoryError):
        return None
    upright.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
    return upright


def _on_paper(image: Image.Image) -> Image.Image:
    """The picture in grey. What shines through is white: many codes are saved black on nothing."""
    if not image.has_transparency_data:
        return image.convert("L")
    full = image.convert("RGBA")
    paper = Image.new("L", full.size, 255)
    paper.paste(full.convert("L"), mask=full.getchannel("A"))
    return paper
