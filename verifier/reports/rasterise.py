"""Run as a process of its own, never imported: draws pages of two revisions of a PDF and marks where they differ.

Standard input: 8 bytes with the length of the first revision, big-endian, then both. Argument: page numbers, comma
between. Standard output: JSON with WebP pictures in base64. Bounds its own time, memory and files first; trusts
nothing that it reads; whatever fails ends it with a code. Knows nothing of Yinxin.
"""

from __future__ import annotations

import json
import resource
import sys
from base64 import b64encode
from io import BytesIO
from typing import Any

import pypdfium2 as untyped_pdfium
from PIL import Image, ImageChops, ImageDraw

PDFIUM: Any = untyped_pdfium
WIDTH, HEIGHT = 900, 1400  # pixels at most
LOOKED_AT, SHOWN = 12, 3  # pages
MEMORY, SECONDS, FILES = 1024 * 1024 * 1024, 10, 48
CELL = 6  # pixels: differences nearer to each other than that are one
TOLERANCE = 40  # of 255: less is how the same thing is drawn twice
MAX_MARKS = 12
THEN, NOW = (31, 58, 95), (159, 18, 57)


def main() -> None:
    for limit, value in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (value, value))
    size = int.from_bytes(sys.stdin.buffer.read(8), "big")
    then, now = _open(sys.stdin.buffer.read(size)), _open(sys.stdin.buffer.read())
    wanted = [int(number) for number in sys.argv[1].split(",") if number]
    last = max(len(then), len(now))
    numbers = [n for n in dict.fromkeys([*wanted, *range(1, last + 1)]) if 1 <= n <= last][:LOOKED_AT]
    pairs = [(number, _draw(then, number), _draw(now, number)) for number in numbers]
    found = [(number, before, after, _marks(before, after)) for number, before, after in pairs]
    different = [each for each in found if each[3] is None or each[3]] or found[:1]
    pages = [_page(*each) for each in different[:SHOWN]]
    answer = {"pages": pages, "then": len(then), "now": len(now), "different": len(different) if _any(found) else 0}
    sys.stdout.write(json.dumps(answer))


def _any(found: list[Any]) -> bool:
    return any(each[3] is None or each[3] for each in found)


def _open(data: bytes) -> Any:
    document = PDFIUM.PdfDocument(data)
    document.init_forms()
    return document


def _draw(document: Any, number: int) -> Image.Image | None:
    if number > len(document):
        return None
    page = document[number - 1]
    width, height = page.get_size()
    scale = min(WIDTH / max(width, 1), HEIGHT / max(height, 1))
    picture: Image.Image = page.render(scale=scale, may_draw_forms=True).to_pil().convert("RGB")
    return picture


def _marks(then: Image.Image | None, now: Image.Image | None) -> list[tuple[int, int, int, int]] | None:
    """Where the two differ, as boxes; None when there is only one of them, or their sizes differ."""
    if then is None or now is None or then.size != now.size:
        return None
    changed = ImageChops.difference(then, now).convert("L").point(lambda value: 255 if value > TOLERANCE else 0)
    cell = (max(1, now.width // CELL), max(1, now.height // CELL))
    grid = changed.resize(cell, Image.Resampling.BOX)  # a mean: above nothing wherever a single pixel differs
    columns, cells = grid.width, grid.tobytes()
    left = {index for index, value in enumerate(cells) if value}
    boxes = []
    while left:
        group, edge = [], [left.pop()]
        while edge:
            index = edge.pop()
            group.append(divmod(index, columns))
            near = [index + down * columns + right for down in (-2, -1, 0, 1, 2) for right in (-2, -1, 0, 1, 2)]
            reached = [each for each in near if each in left]
            left.difference_update(reached)
            edge += reached
        rows, places = [row for row, _ in group], [place for _, place in group]
        boxes.append((min(places) * CELL, min(rows) * CELL, (max(places) + 1) * CELL, (max(rows) + 1) * CELL))
    if len(boxes) <= MAX_MARKS:
        return boxes
    return [(min(b[0] for b in boxes), min(b[1] for b in boxes), max(b[2] for b in boxes), max(b[3] for b in boxes))]


def _page(number: int, then: Image.Image | None, now: Image.Image | None, marks: Any) -> dict[str, Any]:
    return {
        "number": number,
        "then": _picture(then, marks or (), THEN),
        "now": _picture(now, marks or (), NOW),
        "marks": None if marks is None else len(marks),
    }


def _picture(drawn: Image.Image | None, marks: Any, colour: tuple[int, int, int]) -> dict[str, Any] | None:
    if drawn is None:
        return None
    brush = ImageDraw.Draw(drawn)
    for left, top, right, bottom in marks:
        brush.rectangle((left - 5, top - 5, right + 5, bottom + 5), outline=colour, width=3)
    written = BytesIO()
    drawn.save(written, "WEBP", quality=80, method=3)
    return {"webp": b64encode(written.getvalue()).decode(), "width": drawn.width, "height": drawn.height}


if __name__ == "__main__":
    main()
