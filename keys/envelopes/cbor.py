"""CBOR from strangers and for us (RFC 8949): plain data only, one text for one value on the way out. No tags.

Plain data: integers of 64 bits, byte and text strings, arrays, maps, booleans, null and floats.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, Final, NoReturn

import cbor2

from keys.errors import MalformedEnvelope

MAX_SIZE: Final = 65536
MAX_DEPTH: Final = 16

# cbor2 ignores what follows a value. An array of the value and these bytes, which nobody outside can know, shows that
# nothing did; reading from a stream and asking for its position costs twice as much.
_END: Final = b"\x50" + os.urandom(16)

# What cbor2 would otherwise turn into dates, bignums, shared references, regular expressions, addresses, sets...
_BUILT_IN_TAGS: Final = (*range(6), 25, *range(28, 31), 35, 36, 37, 52, 54, 100, 256, 258, 260, 261, 1004, 43000, 55799)


def decode(data: bytes, *, max_size: int = MAX_SIZE, max_depth: int = MAX_DEPTH) -> Any:
    """The one value that `data` encodes, as int, bytes, str, list, dict, bool, None or float.

    Refuses tags, indefinite lengths, duplicate map keys, bytes after the value, nesting beyond `max_depth`, and more
    than `max_size` bytes. Raises MalformedEnvelope. Spec: RFC 8949 sections 5.3 and 5.6.
    """
    if len(data) > max_size:
        raise MalformedEnvelope(f"CBOR of more than {max_size} bytes")
    try:
        value, end = cbor2.loads(
            b"\x82" + data + _END,
            max_depth=max_depth + 1,
            allow_indefinite=False,
            allow_duplicate_keys=False,
            tag_hook=_refuse_tag,
            semantic_decoders=_REFUSED,
        )
    except (cbor2.CBORError, ValueError, TypeError, OverflowError, RecursionError, MemoryError) as err:
        raise MalformedEnvelope("not well-formed CBOR") from err
    if end != _END[1:]:
        raise MalformedEnvelope("bytes after the CBOR value")
    return value


def decode_tagged(
    data: bytes, tags: Mapping[int, Callable[[Any], Any]], *, max_size: int = MAX_SIZE, max_depth: int = MAX_DEPTH
) -> Any:
    """As `decode`, and values under one of `tags` become what its function makes of them; other tags are refused.

    The functions may raise ValueError. What stands under a tag comes frozen. Raises MalformedEnvelope.
    """
    if len(data) > max_size:
        raise MalformedEnvelope(f"CBOR of more than {max_size} bytes")

    def of(make: Callable[[Any], Any]) -> Callable[[Any, bool], Any]:
        return lambda value, _immutable: make(value)

    decoders = _REFUSED | {tag: of(make) for tag, make in tags.items()}
    try:
        value, end = cbor2.loads(
            b"\x82" + data + _END,
            max_depth=max_depth + 1,
            allow_indefinite=False,
            allow_duplicate_keys=False,
            tag_hook=_refuse_tag,
            semantic_decoders=decoders,
        )
    except (cbor2.CBORError, ValueError, TypeError, OverflowError, RecursionError, MemoryError) as err:
        raise MalformedEnvelope("not well-formed CBOR") from err
    if end != _END[1:]:
        raise MalformedEnvelope("bytes after the CBOR value")
    return value


def decode_untagged(data: bytes, *, max_size: int = MAX_SIZE, max_depth: int = MAX_DEPTH) -> Any:
    """As `decode`, for messages of networks that tag values and leave lengths open: tags are dropped, values stay.

    Raises MalformedEnvelope.
    """
    if len(data) > max_size:
        raise MalformedEnvelope(f"CBOR of more than {max_size} bytes")
    try:
        value, end = cbor2.loads(
            b"\x82" + data + _END,
            max_depth=max_depth + 1,
            allow_duplicate_keys=False,
            tag_hook=_drop_tag,
            semantic_decoders=_DROPPED,
        )
    except (cbor2.CBORError, ValueError, TypeError, OverflowError, RecursionError, MemoryError) as err:
        raise MalformedEnvelope("not well-formed CBOR") from err
    if end != _END[1:]:
        raise MalformedEnvelope("bytes after the CBOR value")
    return _thawed(value)


def encode(value: Any) -> bytes:
    """Core deterministic encoding: shortest lengths, keys sorted. Raises TypeError for other than plain data.

    Spec: RFC 8949 section 4.2.1.
    """
    _check_plain(value)
    return cbor2.dumps(value, canonical=True)


def _check_plain(value: Any) -> None:
    kind = type(value)
    if kind is dict:
        for name, item in value.items():
            _check_plain(name)
            _check_plain(item)
    elif kind is list or kind is tuple:
        for item in value:
            _check_plain(item)
    elif kind not in _PLAIN and value is not None:
        raise TypeError(f"{kind.__name__} is not plain CBOR data")


def _refuse_tag(*_: Any) -> NoReturn:
    raise cbor2.CBORDecodeError("tags are not plain data")


def _drop_tag(tag: cbor2.CBORTag, _: bool) -> Any:
    return tag.value


def _untagged(value: Any, _: bool) -> Any:
    return value


def _thawed(value: Any) -> Any:
    """What stood under a tag comes frozen: lists and dicts again."""
    if isinstance(value, Mapping):
        return {name: _thawed(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_thawed(item) for item in value]
    return value


_DROPPED: Final = dict.fromkeys(_BUILT_IN_TAGS, _untagged)
_REFUSED: Final = dict.fromkeys(_BUILT_IN_TAGS, _refuse_tag)
_PLAIN: Final = frozenset({int, bytes, str, bool, float})
