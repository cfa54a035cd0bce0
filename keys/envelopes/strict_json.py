"""JSON from strangers: UTF-8, no duplicate members, bounded depth and numbers (RFC 8259, RFC 7493); and compact JSON.

Canonicalises nothing: what is signed is signed as it was written.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any, Final

from keys.errors import MalformedEnvelope

MAX_DEPTH: Final = 32
_MAX_DIGITS: Final = 20  # enough for any 64-bit number; I-JSON asks for 53 bits


def load_json(data: bytes | str, *, max_size: int = 1 << 20, max_depth: int = MAX_DEPTH) -> Any:
    """The value of a JSON text.

    Refuses duplicate members, NaN and infinities, numbers beyond 20 digits, nesting beyond `max_depth`, lone
    surrogates, and texts of more than `max_size` bytes. Raises MalformedEnvelope.
    """
    if len(data) > max_size:
        raise MalformedEnvelope(f"JSON of more than {max_size} bytes")
    try:
        text = data if isinstance(data, str) else data.decode("utf-8")
        try:
            value, end = _SCAN(text, 0)
        except StopIteration:  # white space before the value, or no value
            value, end = _DECODER.decode(text), len(text)
        if end != len(text) and text[end:].strip(" \t\r\n"):
            raise ValueError("text after the value")
    except RecursionError:
        raise MalformedEnvelope("JSON nested too deep") from None
    except ValueError as err:
        raise MalformedEnvelope("not well-formed JSON") from err
    # Fewer brackets than the bound cannot nest beyond it: the walk is for the rare rest.
    if text.count("{") + text.count("[") > max_depth or "\\u" in text or isinstance(data, str):
        _check(value, max_depth)
    return value


def encode_json(value: Any) -> str:
    """Compact JSON text of plain data, members in their order, characters as they are.

    Raises TypeError for other than plain data, ValueError for NaN and infinities, RecursionError for what holds itself.
    """
    return "".join(_ENCODE(value, 0))


def _check(value: Any, depth: int) -> None:
    if isinstance(value, str):
        if not value.isascii():
            _check_text(value)
    elif isinstance(value, dict | list):
        if depth == 0:
            raise MalformedEnvelope("JSON nested too deep")
        if isinstance(value, dict):
            for name in value:
                _check_text(name)
            value = list(value.values())
        for item in value:
            _check(item, depth - 1)


def _check_text(text: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise MalformedEnvelope("JSON text with a lone surrogate") from None


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("duplicate member")
    return members


def _integer(text: str) -> int:
    if len(text) > _MAX_DIGITS:
        raise ValueError("number out of range")
    return int(text)


def _real(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("number out of range")
    return number


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_members, parse_int=_integer, parse_float=_real, parse_constant=_constant
)
# The decoder without its two searches for white space, which signed JSON has none of.
_SCAN: Final[Callable[[str, int], tuple[Any, int]]] = vars(_DECODER)["scan_once"]


def _refuse(value: object) -> Any:
    raise TypeError(f"{type(value).__name__} is not plain JSON data")


# `JSONEncoder.encode` makes one of these for every call, which for a token's claims is half of the work: markers,
# default, string encoder, indent, separators, sort_keys, skipkeys, allow_nan.
_ENCODE: Final[Callable[[Any, int], tuple[str, ...]]] = vars(json.encoder)["c_make_encoder"](
    *(None, _refuse, json.encoder.encode_basestring, None, ":", ",", False, False, False)
)
