"""Region lists as JSON: strict reading, canonical writing. Invariants across entries are `core.check_list`.

Field names are those of the model. Times are RFC 3339 in UTC, durations ISO 8601 (`P7D`, `PT24H`), certificates
base64 DER; neighbouring grants that share a history are one group. Reading refuses unknown and missing fields and
wrong kinds of values, always naming the field.
"""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import lru_cache
from typing import Any, Final, NewType, TypeVar

from keys.envelopes.strict_json import load_json
from keys.errors import MalformedEnvelope
from trust_registry.canonical_lists import (
    FORMAT,
    GrantGroup,
    group_grants,
    read_canonical,
    ungroup_grants,
    write_canonical,
)
from trust_registry.errors import InvalidList
from trust_registry.model import IssuerEntry, RegionList

MAX_LIST_SIZE: Final = 64 * 1024 * 1024

T = TypeVar("T")
Reader = Callable[[Any], Any]
Writer = Callable[[Any], Any]

_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z", re.ASCII)
_DURATION: Final = re.compile(
    r"P(?=.)(?:(\d{1,6})D)?(?:T(?=.)(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,9})S)?)?", re.ASCII
)


def list_to_json(region_list: RegionList) -> bytes:
    """The canonical JSON of a list: UTF-8, sorted members, no spaces, every field written."""
    return write_canonical(region_list)


def list_from_json(data: bytes) -> RegionList:
    """The list in `data`. Raises: InvalidList naming the field."""
    if len(data) > MAX_LIST_SIZE:
        raise InvalidList("", f"larger than {MAX_LIST_SIZE} bytes")
    canonical = read_canonical(data)
    if canonical is not None:
        return canonical
    try:
        document = load_json(data, max_size=MAX_LIST_SIZE)
    except MalformedEnvelope as err:
        raise InvalidList("", "not JSON") from err
    if not isinstance(document, dict):
        raise InvalidList("", "an object is needed")
    if document.pop("format", None) != FORMAT:
        raise InvalidList("format", f"{FORMAT} is needed")
    read: RegionList = _codec(RegionList)[0](document)
    return read


def to_wire(value: Any) -> Any:
    """Any noun of the model as JSON-ready data, in the form it has inside a list."""
    kind: Any = type(value)
    return _codec(kind)[1](value)


def from_json(kind: type[T], data: bytes) -> T:
    """A noun of the model from JSON in the form it has inside a list. Raises: InvalidList naming the field."""
    try:
        document = load_json(data, max_size=MAX_LIST_SIZE)
    except MalformedEnvelope as err:
        raise InvalidList("", "not JSON") from err
    noun: Any = kind
    found: T = _codec(noun)[0](document)
    return found


@lru_cache(maxsize=256)
def _codec(kind: Any) -> tuple[Reader, Writer]:
    """How values of a type of the model are read and written; made once per type."""
    if isinstance(kind, NewType):
        return _codec(kind.__supertype__)
    if kind in _SCALARS:
        return _SCALARS[kind]
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _enumeration(kind)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return _record(kind)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is tuple:
        return _sequence(arguments[0])
    if origin in (types.UnionType, typing.Union):
        return _optional(next(argument for argument in arguments if argument is not type(None)))
    if origin is Mapping:
        return _read_mapping, dict
    raise TypeError(f"the model has a field of {kind}, which has no JSON form")


def _record(kind: type[Any]) -> tuple[Reader, Writer]:
    hints = typing.get_type_hints(kind)
    codecs = {f.name: _codec(hints[f.name]) for f in dataclasses.fields(kind)}
    if kind is IssuerEntry:
        codecs["grants"] = _grants()
    readers = {name: codec[0] for name, codec in codecs.items()}
    writers = [(name, codec[1]) for name, codec in codecs.items()]
    required = [
        f.name
        for f in dataclasses.fields(kind)
        if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
    ]

    def read(value: Any) -> Any:
        if value.__class__ is not dict:
            raise InvalidList("", "an object is needed")
        found = {}
        name = ""
        try:
            for name, inner in value.items():  # the failing field is named
                found[name] = readers[name](inner)
        except InvalidList as err:
            raise err.within(name) from err
        except KeyError as err:
            raise InvalidList(name[:64], "there is no such field") from err
        for name in required:
            if name not in found:
                raise InvalidList(name, "is required")
        return kind(**found)

    def write(value: Any) -> dict[str, Any]:
        return {name: writer(getattr(value, name)) for name, writer in writers}

    return read, write


def _sequence(kind: Any) -> tuple[Reader, Writer]:
    reader, writer = _codec(kind)

    def read(value: Any) -> tuple[Any, ...]:
        if value.__class__ is not list:
            raise InvalidList("", "an array is needed")
        items = []
        try:
            for item in value:
                items.append(reader(item))  # noqa: PERF401, the failing index is named
        except InvalidList as err:
            raise err.within(f"[{len(items)}]") from err
        return tuple(items)

    def write(value: tuple[Any, ...]) -> list[Any]:
        return [writer(item) for item in value]

    return read, write


def _grants() -> tuple[Reader, Writer]:
    """An issuer's grants, those that share a history together."""
    reader, writer = _codec(tuple[GrantGroup, ...])
    return (lambda value: ungroup_grants(reader(value))), (lambda value: writer(group_grants(value)))


def _optional(kind: Any) -> tuple[Reader, Writer]:
    reader, writer = _codec(kind)
    return (lambda value: None if value is None else reader(value)), (
        lambda value: None if value is None else writer(value)
    )


def _enumeration(kind: type[Enum]) -> tuple[Reader, Writer]:
    members = {member.value: member for member in kind}

    def read(value: Any) -> Enum:
        member = members.get(value) if value.__class__ is str else None
        if member is None:
            raise InvalidList("", f"one of {', '.join(members)} is needed")
        return member

    return read, lambda member: member.value


def _read_text(value: Any) -> str:
    if value.__class__ is not str:
        raise InvalidList("", "text is needed")
    return value


def _read_number(value: Any) -> int:
    if value.__class__ is not int:
        raise InvalidList("", "a whole number is needed")
    return value


def _read_truth(value: Any) -> bool:
    if value.__class__ is not bool:
        raise InvalidList("", "true or false is needed")
    return value


def _read_mapping(value: Any) -> dict[str, Any]:
    if value.__class__ is not dict:
        raise InvalidList("", "an object is needed")
    return value


def _read_bytes(value: Any) -> bytes:
    try:
        return b64decode(_read_text(value), validate=True)
    except ValueError as err:
        raise InvalidList("", "base64 is needed") from err


@lru_cache(maxsize=65536)
def _parse_time(value: str) -> datetime:
    if not _TIME.fullmatch(value):
        raise InvalidList("", "a time like 2026-01-31T00:00:00Z is needed")
    try:
        return datetime.fromisoformat(value).astimezone(UTC)
    except ValueError as err:
        raise InvalidList("", "there is no such time") from err


def _write_time(value: datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _read_duration(value: Any) -> timedelta:
    found = _DURATION.fullmatch(_read_text(value))
    if found is None:
        raise InvalidList("", "a duration like P7D or PT24H is needed")
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def _write_duration(value: timedelta) -> str:
    return f"P{value.days}D" + (f"T{value.seconds}S" if value.seconds else "")


def _same(value: Any) -> Any:
    return value


_SCALARS: Final[dict[Any, tuple[Reader, Writer]]] = {
    str: (_read_text, _same),
    int: (_read_number, _same),
    bool: (_read_truth, _same),
    bytes: (_read_bytes, lambda value: b64encode(value).decode()),
    datetime: (lambda value: _parse_time(_read_text(value)), _write_time),
    timedelta: (_read_duration, _write_duration),
    Any: (_same, _same),
}
