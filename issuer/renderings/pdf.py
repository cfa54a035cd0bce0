"""The PDF rendering of a certificate, unsigned: an official document on A4 with its data attached (PDF/A-3b).

The same record and QR text always give the same bytes. Data reach the template as data: no claim can become markup.
Nothing is signed here: the foot of the last page is left free (`LAYOUT`) for the seal of `keys.envelopes.pades`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from pathlib import Path
from typing import Any

from qrcode.constants import ERROR_CORRECT_M
from qrcode.main import QRCode

from issuer.errors import GlyphMissing
from issuer.model import Recorded
from issuer.renderings.ornament import frame_svg, rosette_svg
from issuer.renderings.values import field_of, rows_of
from trust_registry.attestations import to_json
from trust_registry.model import Names
from trust_registry.typesetting import can_set, typeset

ATTACHMENT = "yinxin-certificate.json"
CHINA_TIME = timezone(timedelta(hours=8))  # dates on paper are those of the issuing office's wall
_TEMPLATES = Path(__file__).parent / "templates"
_POINTS_PER_MM = 72 / 25.4
_QR_MASK = 3  # any mask is valid; trying all eight costs four fifths of the time, and compressed data is noise already
_DIGITS = "〇一二三四五六七八九"
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


@dataclass(frozen=True, slots=True)
class PdfLayout:
    """Where the seal goes: page (-1: the last) and box (x1, y1, x2, y2) in points from the lower left corner."""

    page: int
    seal_box: tuple[float, float, float, float]


def _box(left: float, bottom: float, side: float) -> tuple[float, float, float, float]:
    """A square in millimetres, in points."""
    return (
        left * _POINTS_PER_MM,
        bottom * _POINTS_PER_MM,
        (left + side) * _POINTS_PER_MM,
        (bottom + side) * _POINTS_PER_MM,
    )


LAYOUT = PdfLayout(page=-1, seal_box=_box(127, 28, 42))


def render_pdf(recorded: Recorded, qr_text: str, *, authority: Names | None = None) -> bytes:
    """Set a recorded certificate as a PDF/A-3b document with `qr_text` printed as a QR code (level M).

    `authority` is the name printed above the date; without it, the seal's name is. Returns the PDF's bytes,
    with the certificate's JSON attached as `yinxin-certificate.json` (AFRelationship Data). Raises GlyphMissing naming
    the claim.

    Spec: ISO 19005-3 (PDF/A-3b), ISO 32000-2 clause 14.13 (associated files).
    """
    data = _document_data(recorded, authority or recorded.seal.names)
    hue = recorded.type.hue
    files = {
        "main.typ": _template("certificate.typ"),
        "data.json": json.dumps(data, ensure_ascii=False).encode(),
        ATTACHMENT: to_json(recorded.attestation),
        "qr.svg": qr_svg(qr_text).encode(),
        "frame.svg": frame_svg(hue),
        "rosette.svg": rosette_svg(hue),
    }
    return typeset(files, int(recorded.attestation.issued_at.timestamp()), "a-3b")


@lru_cache(maxsize=64)
def seal_appearance(svg: str) -> bytes:
    """A seal image as a one-page vector PDF of 42 mm, transparent around it: an `Appearance` for signing."""
    return typeset({"main.typ": _template("seal.typ"), "seal.svg": svg.encode()}, 0, "a-2b")


def qr_svg(text: str) -> str:
    """A QR code at error level M with its quiet zone, as one SVG path (black on white, one unit per module)."""
    matrix = _qr_matrix(text)
    side = len(matrix)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}">'
        f'<path fill="#ffffff" d="M0 0h{side}v{side}h-{side}z"/>'
        f'<path d="{"".join(_runs(matrix))}"/></svg>'
    )


def _qr_matrix(text: str) -> list[list[bool]]:
    code: Any = QRCode(error_correction=ERROR_CORRECT_M, mask_pattern=_QR_MASK, border=4)
    code.add_data(text, optimize=0)  # one segment, in the densest mode that can carry all of it
    code.make(fit=True)
    matrix: list[list[bool]] = code.get_matrix()
    return matrix


def _runs(matrix: list[list[bool]]) -> Iterator[str]:
    """Dark modules, merged along each row."""
    for y, row in enumerate(matrix):
        x = 0
        while x < len(row):
            start = x
            while x < len(row) and row[x]:
                x += 1
            if x > start:
                yield f"M{start} {y}h{x - start}v1h-{x - start}z"
            x += 1


def _document_data(recorded: Recorded, authority: Names) -> dict[str, Any]:
    """What the template prints. Every text from outside is checked for glyphs under the name of its claim."""
    attestation, type_ = recorded.attestation, recorded.type
    _check("title", type_.names)
    _check("issuing authority", authority)
    properties: Mapping[str, Any] = type_.schema.get("properties", {})
    fields = []
    for claim in type_.claims:
        if claim.name not in attestation.claims:
            continue
        field = field_of(claim.names, attestation.claims[claim.name], properties.get(claim.name, {}))
        _check(claim.name, field)
        fields.append(field)
    fields.append({"label": _pair("有效期限", "Validity"), **_validity(recorded)})
    return {
        "title": _pair(type_.names.zh, type_.names.en),
        "hue": type_.hue,
        "certificate_id": attestation.certificate_id,
        "identifier_label": _pair("证照标识", "Certificate identifier"),
        "statement": _pair(
            "兹证明下列事项已经本机关依法登记。",
            "This is to certify that the following particulars have been entered in the register of this authority.",
        ),
        "rows": rows_of(fields),
        "caption": _pair("扫码核验", "Scan to verify"),
        "authority_label": _pair("颁证机构", "Issuing authority"),
        "authority": _pair(authority.zh, authority.en),
        "authority_size": 14 if len(authority.zh) <= 14 else 11,
        "date": _pair(_formal_date(attestation.issued_at), _english_date(attestation.issued_at)),
        "notice": _pair(
            "本证照已加盖电子印章；打印件以扫码核验结果为准。",
            "Electronically sealed; a printout is as good as its code verifies.",
        ),
    }


def _pair(zh: str, en: str) -> dict[str, str]:
    return {"zh": zh, "en": en}


def _check(claim: str, value: Any) -> None:
    if isinstance(value, Names):
        value = (value.zh, value.en)
    if isinstance(value, str):
        if not can_set(value):
            raise GlyphMissing(claim)
        return
    for part in value.values() if isinstance(value, Mapping) else value:
        _check(claim, part)


def _validity(recorded: Recorded) -> dict[str, Any]:
    since, until = recorded.attestation.valid_from, recorded.attestation.valid_until
    if until is None:
        line, note = f"自{_plain_date(since)}起，长期有效", f"From {_english_date(since)}, without expiry"
    else:
        line = f"{_plain_date(since)}至{_plain_date(until)}"
        note = f"{_english_date(since)} to {_english_date(until)}"
    return {"lines": [line], "note": note}


def _plain_date(at: datetime) -> str:
    day = at.astimezone(CHINA_TIME)
    return f"{day.year}年{day.month}月{day.day}日"


def _english_date(at: datetime) -> str:
    day = at.astimezone(CHINA_TIME)
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def _formal_date(at: datetime) -> str:
    """The date in Chinese numerals, as seals are dated: 二〇二六年十一月二十一日."""
    day = at.astimezone(CHINA_TIME)
    year = "".join(_DIGITS[int(digit)] for digit in str(day.year))
    return f"{year}年{_numeral(day.month)}月{_numeral(day.day)}日"


def _numeral(number: int) -> str:
    tens, ones = divmod(number, 10)
    head = "" if tens == 0 else "十" if tens == 1 else f"{_DIGITS[tens]}十"
    return head + (_DIGITS[ones] if ones else "")


@lru_cache(maxsize=4)
def _template(name: str) -> bytes:
    return (_TEMPLATES / name).read_bytes()
