"""Vector ornament of certificates: a guilloche frame and a rosette, as SVG. Pure geometry: one hue, one result."""

from __future__ import annotations

from functools import lru_cache
from math import cos, pi, sin

WIDTH, HEIGHT = 210.0, 297.0  # A4, millimetres
_INSET = 15.5  # page edge to the middle of the band
_CORNER = 5.5
_PERIOD = 9.0
_WAVES = ((2.3, 1.0), (1.25, 1.0), (2.3, 0.5))  # amplitude in millimetres, fraction of the period
_SMOOTH = 0.3642  # control point of the cubic that best fits half a cosine


@lru_cache(maxsize=32)
def frame_svg(hue: str) -> bytes:
    """The frame of one A4 page in `hue` ("#rrggbb"): two lines, woven waves between them, a rosette in each corner."""
    left, top, right, bottom = _INSET, _INSET, WIDTH - _INSET, HEIGHT - _INSET
    waves = "".join(
        _wave(start, length, across, amplitude * sign, _PERIOD * fraction)
        for start, length, across in (
            ((left + _CORNER, top), right - left - 2 * _CORNER, False),
            ((left + _CORNER, bottom), right - left - 2 * _CORNER, False),
            ((left, top + _CORNER), bottom - top - 2 * _CORNER, True),
            ((right, top + _CORNER), bottom - top - 2 * _CORNER, True),
        )
        for amplitude, fraction in _WAVES
        for sign in (1, -1)
    )
    corners = "".join(_circles(x, y, radius=1.7, offset=1.5, count=12) for x in (left, right) for y in (top, bottom))
    blocks = "".join(
        f'<rect x="{x - 3.6:g}" y="{y - 3.6:g}" width="7.2" height="7.2"/>'
        for x in (left, right)
        for y in (top, bottom)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" '
        f'fill="none" stroke="{hue}" stroke-linejoin="round">'
        f'<path stroke="{tint(hue, 0.55)}" stroke-width=".14" d="{waves}"/>'
        f"{_outline(_INSET - 3.6, 0.55)}{_outline(_INSET + 3.6, 0.2)}{_outline(_INSET + 4.7, 0.5)}"
        f'<g fill="#ffffff" stroke-width=".3">{blocks}</g>'
        f'<g stroke-width=".16">{corners}</g></svg>'
    ).encode()


@lru_cache(maxsize=32)
def rosette_svg(hue: str) -> bytes:
    """A pale rosette for the middle of the page, under the text."""
    rings = (
        _circles(60, 60, radius=30, offset=28, count=48)
        + _circles(60, 60, radius=13, offset=13, count=30)
        + _circles(60, 60, radius=5, offset=46, count=60)
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 120" fill="none" '
        f'stroke="{tint(hue, 0.13)}" stroke-width=".22">{rings}</svg>'
    ).encode()


def tint(hue: str, strength: float) -> str:
    """`hue` mixed with white: opaque, so that no PDF viewer or printer has to blend it."""
    channels = (int(hue[place : place + 2], 16) for place in (1, 3, 5))
    return "#" + "".join(f"{round(255 - (255 - channel) * strength):02x}" for channel in channels)


def _outline(inset: float, weight: float) -> str:
    return (
        f'<rect x="{inset:g}" y="{inset:g}" width="{WIDTH - 2 * inset:g}" height="{HEIGHT - 2 * inset:g}" '
        f'stroke-width="{weight:g}"/>'
    )


def _wave(start: tuple[float, float], length: float, down: bool, amplitude: float, period: float) -> str:
    """Half-cosine cubics from `start` over `length`, whole periods only, relative coordinates."""
    halves = 2 * round(length / period)
    step = length / halves
    reach = step * _SMOOTH
    along, aside = (0.0, amplitude) if not down else (amplitude, 0.0)
    parts = [f"M{start[0] + along:.3f} {start[1] + aside:.3f}"]
    for half in range(halves):
        drop = 2 * amplitude * (1 if half % 2 else -1)
        points = ((reach, 0.0), (step - reach, drop), (step, drop))
        parts.append("c" + " ".join(f"{b:.3f} {a:.3f}" if down else f"{a:.3f} {b:.3f}" for a, b in points))
    return "".join(parts)


def _circles(x: float, y: float, *, radius: float, offset: float, count: int) -> str:
    angles = [2 * pi * turn / count for turn in range(count)]
    return "".join(
        f'<circle cx="{x + offset * cos(angle):.3f}" cy="{y + offset * sin(angle):.3f}" r="{radius:g}"/>'
        for angle in angles
    )
