"""The image of an official round seal: ring, star, organisation's name on the arc, 14-digit code below.

Pure vector SVG with outlined characters, so that a browser, a PDF and a printer show the same seal. The same name and
code always give the same bytes (a region lists the image's digest). A seal is not its image: nothing here signs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html import escape
from math import cos, pi, sin

from fontTools.pens.svgPathPen import SVGPathPen
from fontTools.ttLib import TTFont

from issuer.errors import GlyphMissing, SealImageUnfit
from trust_registry.typesetting import SERIF, code_points

VERMILION = "#c02c2c"  # the `--seal` design token
SIZE = 420  # tenths of a millimetre: 42 mm, the size of a municipal seal
MAX_NAME = 32

_CENTRE = SIZE / 2
_RING_RADIUS, _RING_WIDTH = 202.0, 12.0
_STAR_RADIUS = 66.0
_NAME_OUTER = 186.0  # radius that the tops of the name's characters touch
_NAME_SPAN, _NAME_STEP = 268.0, 31.0  # degrees: the whole arc, and the widest gap between two characters
_CODE_RADIUS, _CODE_STEP, _CODE_SCALE = 186.0, 3.75, 0.021
_EM, _DESCENT = 1000, 120
_CODE = re.compile(r"[0-9]{14}")
_NAME_CLAIM = "seal name"


def seal_svg(name: str, code: str) -> str:
    """Draw a seal: `name` is the organisation's, 2 to 32 characters; `code` the seal's number, 14 digits.

    Returns a self-contained `<svg>`, under 30 KB for names of up to 24 characters: no scripts, fonts or references.
    Raises SealImageUnfit (length, code) or GlyphMissing (a character the bundled font lacks).
    """
    if not 2 <= len(name) <= MAX_NAME:
        raise SealImageUnfit(f"a seal's name has 2 to {MAX_NAME} characters")
    if not _CODE.fullmatch(code):
        raise SealImageUnfit("a seal's code has 14 digits")
    outlines = _outlines(set(name) | set(code))
    label = escape(f"{name} {code}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE} {SIZE}" role="img" fill="{VERMILION}">'
        f"<title>{label}</title>"
        f'<circle cx="{_CENTRE:g}" cy="{_CENTRE:g}" r="{_RING_RADIUS:g}" fill="none" '
        f'stroke="{VERMILION}" stroke-width="{_RING_WIDTH:g}"/>'
        f'<path d="{_star()}"/>'
        f'<g stroke="{VERMILION}" stroke-width="26" stroke-linejoin="round">'
        f"{''.join(_name_on_arc(name, outlines))}{''.join(_code_on_arc(code, outlines))}</g></svg>"
    )


def _outlines(characters: Iterable[str]) -> dict[str, tuple[str, int]]:
    """SVG path data and advance width of each character, in font units with y up."""
    outlines = {}
    with TTFont(SERIF, lazy=True) as font:
        by_code_point, glyphs = code_points(font), font.getGlyphSet()
        for char in characters:
            if ord(char) not in by_code_point or char.isspace():
                raise GlyphMissing(_NAME_CLAIM)
            glyph = glyphs[by_code_point[ord(char)]]
            pen = SVGPathPen(glyphs, ntos=lambda value: str(round(value)))
            glyph.draw(pen)
            outlines[char] = (pen.getCommands(), glyph.width)  # type: ignore[no-untyped-call]
    return outlines


def _star() -> str:
    ratio = sin(pi / 10) / sin(3 * pi / 10)  # inner to outer radius of a regular five-pointed star
    corners = []
    for corner in range(10):
        radius = _STAR_RADIUS * (ratio if corner % 2 else 1.0)
        angle = corner * pi / 5
        corners.append(f"{_CENTRE + radius * sin(angle):.2f} {_CENTRE - radius * cos(angle):.2f}")
    return f"M{'L'.join(corners)}Z"


def _name_on_arc(name: str, outlines: dict[str, tuple[str, int]]) -> Iterator[str]:
    """Characters around the top, feet to the centre; the more there are, the narrower, as seal cutters do."""
    count = len(name)
    step = min(_NAME_STEP, _NAME_SPAN / (count - 1))
    height = 58.0 if count <= 8 else 54.0 if count <= 16 else 49.0
    baseline = _NAME_OUTER - height
    room = (baseline + 0.25 * height) * step * pi / 180 * 0.97
    scale_y = height / _EM
    scale_x = min(scale_y * 0.88, room / _EM)
    for place, char in enumerate(name):
        path, width = outlines[char]
        angle = (place - (count - 1) / 2) * step
        yield _placed(path, angle, (-width * scale_x / 2, -(baseline + _DESCENT * scale_y)), (scale_x, scale_y))


def _code_on_arc(code: str, outlines: dict[str, tuple[str, int]]) -> Iterator[str]:
    """Digits along the bottom, heads to the centre, read from left to right."""
    for place, char in enumerate(code):
        path, width = outlines[char]
        angle = ((len(code) - 1) / 2 - place) * _CODE_STEP
        yield _placed(path, angle, (-width * _CODE_SCALE / 2, _CODE_RADIUS), (_CODE_SCALE, _CODE_SCALE))


def _placed(path: str, degrees: float, offset: tuple[float, float], scale: tuple[float, float]) -> str:
    """A glyph scaled (and flipped: fonts have y up), moved by `offset` from the centre, turned about the centre."""
    turn = degrees * pi / 180
    (x, y), (scale_x, scale_y) = offset, scale
    c, s = cos(turn), sin(turn)
    matrix = (c * scale_x, s * scale_x, s * scale_y, -c * scale_y, _CENTRE + c * x - s * y, _CENTRE + s * x + c * y)
    return f'<path transform="matrix({" ".join(f"{value:.5g}" for value in matrix)})" d="{path}"/>'
