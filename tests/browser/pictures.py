"""QR codes as pictures and as a camera would show them (YUV4MPEG2, for Chromium's fake camera)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import zxingcpp
from PIL import Image
from qrcode.constants import ERROR_CORRECT_M
from qrcode.main import QRCode

WIDTH, HEIGHT = 1280, 720


def qr_picture(text: str, size: int = 640) -> Image.Image:
    """Black on white with its quiet zone, `size` pixels square."""
    code = QRCode(error_correction=ERROR_CORRECT_M, border=4)
    code.add_data(text)
    code.make(fit=True)
    modules = np.array(code.get_matrix(), dtype=np.uint8)
    picture = Image.fromarray(np.where(modules, 0, 255).astype(np.uint8))
    return picture.resize((size, size), Image.Resampling.NEAREST)


def camera_film(text: str, path: Path, frames: int = 20) -> Path:
    """A film in which somebody holds the code, slightly tilted, before a grey wall."""
    scene = Image.new("L", (WIDTH, HEIGHT), 128)
    held = qr_picture(text).rotate(4, expand=True, fillcolor=128, resample=Image.Resampling.BICUBIC)
    scene.paste(held, ((WIDTH - held.width) // 2, (HEIGHT - held.height) // 2))
    luma = np.asarray(scene, dtype=np.uint8)
    noise = np.random.default_rng(7)
    grey = np.full(WIDTH * HEIGHT // 2, 128, dtype=np.uint8).tobytes()
    with path.open("wb") as film:
        film.write(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F20:1 Ip A1:1 C420jpeg\n".encode())
        for _ in range(frames):
            shown = np.clip(luma.astype(np.int16) + noise.integers(-12, 12, luma.shape), 0, 255).astype(np.uint8)
            film.write(b"FRAME\n" + shown.tobytes() + grey)
    return path


def read_picture(picture: Image.Image) -> str:
    """The text of the QR code in a screenshot."""
    (found,) = zxingcpp.read_barcodes(picture.convert("L"), formats=zxingcpp.BarcodeFormat.QRCode)
    text: str = found.text
    return text
