"""Whether a field's appearance can be that of its value: a light look at the text it shows, no rendering."""

from __future__ import annotations

import re
from typing import Any, Final

from pyhanko.pdf_utils import generic

from keys.envelopes.pades.changes.document import Field, Widget
from keys.envelopes.pades.changes.view import View

_PASSWORD: Final = 1 << 13
_MAX_CONTENT: Final = 64 << 10
_STRINGS: Final = re.compile(rb"\(((?:\\.|[^\\()])*)\)|<([0-9A-Fa-f\s]*)>", re.S)
_DRAWS: Final = re.compile(rb"(?:^|\s)(?:Do|BI|sh)(?:\s|$)")
_ESCAPE: Final = re.compile(rb"\\([0-7]{1,3}|.)", re.S)


def agrees(view: View, field: Field, widget: Widget) -> bool:
    """Whether the widget's appearance may show the field's value: a form that draws text, and, where both can be read
    as plain text, the same. A picture is no text; what is written in fonts of its own can't be read and may agree.
    """
    look = view.get(widget.node, "/AP")
    if look is None:
        return True
    form = view.get(look, "/N") if isinstance(look, generic.DictionaryObject) else None
    if not isinstance(form, generic.StreamObject):
        return False
    content = form.data
    if len(content) > _MAX_CONTENT or _DRAWS.search(content):
        return False
    value = _plain(field.inherited(view, "/V"))
    shown = _letters(b"".join(_shown(content)).decode("latin-1"))
    if not value or not shown or _speaks_otherwise(view, field) or not _plain_fonts(view, form):
        return True
    return value in shown or shown in value


def _plain(value: Any) -> str:
    return _letters(str(value)) if isinstance(value, generic.TextStringObject) and str(value).isascii() else ""


def _letters(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum() and character.isascii())


def _shown(content: bytes) -> list[bytes]:
    return [_unescaped(match) for match in _STRINGS.finditer(content)]


def _unescaped(match: re.Match[bytes]) -> bytes:
    if match[2] is not None:
        digits = b"".join(match[2].split())
        return bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode("ascii"))
    return _ESCAPE.sub(lambda escape: bytes([int(escape[1], 8) & 255]) if escape[1].isdigit() else escape[1], match[1])


def _speaks_otherwise(view: View, field: Field) -> bool:
    """Whether a field shows something else than its value by its nature: a choice's label, a password, a format."""
    flags = field.inherited(view, "/Ff")
    secret = isinstance(flags, generic.NumberObject) and int(flags) & _PASSWORD
    return bool(secret) or field.inherited(view, "/FT") == "/Ch" or view.get(field.node, "/AA") is not None


def _plain_fonts(view: View, form: generic.StreamObject) -> bool:
    """Whether the text's codes are letters: simple fonts without an encoding of their own."""
    fonts = view.dictionary(view.dictionary(form, "/Resources"), "/Font")
    for name in fonts:
        font = view.get(fonts, name)
        if not isinstance(font, generic.DictionaryObject) or view.get(font, "/Subtype") == "/Type0":
            return False
        if isinstance(view.get(font, "/Encoding"), generic.DictionaryObject):
            return False
    return True
