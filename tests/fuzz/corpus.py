"""What the search kept: for each parser a file of lines, each a zlib-compressed input in base64."""

from __future__ import annotations

import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterable
from pathlib import Path

FOLDER = Path(__file__).parent / "corpus"


def read_corpus(name: str) -> list[bytes]:
    path = FOLDER / f"{name}.txt"
    return [zlib.decompress(b64decode(line)) for line in path.read_text("ascii").splitlines()] if path.is_file() else []


def add_to_corpus(name: str, inputs: Iterable[bytes]) -> None:
    FOLDER.mkdir(exist_ok=True)
    known = dict.fromkeys([*read_corpus(name), *inputs])
    lines = sorted((b64encode(zlib.compress(data, 9)).decode("ascii") for data in known), key=len)
    (FOLDER / f"{name}.txt").write_text("".join(f"{line}\n" for line in lines), "ascii")
