"""A QR code as SVG for a page: black on white in every theme, with its quiet zone. Doesn't know what the text means."""

from __future__ import annotations

from html import escape
from typing import Any

from qrcode.constants import ERROR_CORRECT_Q
from qrcode.main import QRCode

QUIET_ZONE = 4  # modules, ISO/IEC 18004 clause 9.1


def qr_svg(text: str, label: str, correction: int = ERROR_CORRECT_Q) -> str:
    """`text` as an `<svg>` without styles (a strict CSP blocks them); `label` is what is read aloud.

    `correction`: the library's ERROR_CORRECT_...; a long text on a clean screen is easier to read with less of it.
    """
    code: Any = QRCode(error_correction=correction, border=QUIET_ZONE)  # the library is untyped
    code.add_data(text, optimize=0)
    modules: list[list[bool]] = code.get_matrix()
    size = len(modules)
    runs = "".join(f"M{x} {y}h{length}v1h-{length}z" for y, row in enumerate(modules) for x, length in _runs(row))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}" shape-rendering="crispEdges" role="img" '
        f'aria-label="{escape(label, quote=True)}"><rect width="{size}" height="{size}" fill="#fff"/>'
        f'<path fill="#000" d="{runs}"/></svg>'
    )


def _runs(row: list[bool]) -> list[tuple[int, int]]:
    """The dark runs of a row, as (first module, length)."""
    runs: list[tuple[int, int]] = []
    start = None
    for x, dark in enumerate((*row, False)):
        if dark and start is None:
            start = x
        elif not dark and start is not None:
            runs.append((start, x - start))
            start = None
    return runs
