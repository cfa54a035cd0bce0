"""Spoiling seeds: bytes flipped, cut, repeated and spliced, and the same inside of base64url and JSON."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from random import Random
from typing import Any

_INTERESTING = (
    *(b"", b"\0", b"\xff", b"\xff\xff\xff\xff", b"\x80", b"\x7f\xff\xff\xff", b"{", b"[", b'"', b"}", b"]", b"~", b"."),
    *(
        b"\x1b\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\xbf",
        b"\x9f",
        b"\xf9\x7e\x00",
        b"\xd8\x40",
        b"\x30\x80",
        b"\x30\x84",
    ),
    *(b"<", b">", b"&", b"<!DOCTYPE", b"<<", b">>", b"endobj", b"stream", b"startxref", b"%%EOF", b"/Prev", b"0 R"),
    *(
        b"1e999",
        b"-1",
        b"NaN",
        b"18446744073709551616",
        b"null",
        b"true",
        b"\\ud800",
        b"\xef\xbb\xbf",
        b"\r\n",
        b"\n\n",
    ),
)
_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2**53, 2**64, -(2**63), 1e308, 0.5, "", "\0", "a" * 300, "\u202e", "…"),
    *([], {}, [[]], {"": None}, ["a"] * 5, "none", "_sd", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "urn:x"),
)


def mutated(random: Random, seeds: Sequence[bytes]) -> bytes:
    """One of the seeds, spoiled a little or a lot."""
    data = random.choice(seeds)
    for _ in range(random.choice((1, 1, 1, 2, 3, 8))):
        data = random.choice(_WAYS)(random, data, seeds)
    return data


def _flip(random: Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    if not data:
        return b"\0"
    place = random.randrange(len(data))
    return data[:place] + bytes([data[place] ^ 1 << random.randrange(8)]) + data[place + 1 :]


def _replace(random: Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    start, end = _stretch(random, data)
    return data[:start] + random.choice(_INTERESTING) + data[end:]


def _insert(random: Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    place = random.randint(0, len(data))
    return data[:place] + random.choice((random.choice(_INTERESTING), random.randbytes(4))) + data[place:]


def _cut(random: Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    start, end = _stretch(random, data)
    return data[:start] + data[end:]


def _end(random: Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    return data[: random.randint(0, len(data))]


def _repeat(random: Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    start, end = _stretch(random, data)
    return data[:end] + data[start:end] * random.choice((1, 2, 40)) + data[end:]


def _splice(random: Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    other = random.choice(seeds)
    return data[: random.randint(0, len(data))] + other[random.randint(0, len(other)) :]


def _number(random: Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    """A decimal number in the text replaced by another."""
    places = [place for place, byte in enumerate(data[:65536]) if 48 <= byte <= 57]
    if not places:
        return data
    start = random.choice(places)
    end = start
    while end < len(data) and 48 <= data[end] <= 57:
        end += 1
    return data[:start] + random.choice((b"0", b"1", b"-1", b"99999999999", b"2147483648", b"0.1", b"7")) + data[end:]


def _inside(random: Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    """One base64url part of a token, spoiled as JSON if it is JSON, else as bytes."""
    parts = data.replace(b"~", b".~.").split(b".")
    place = random.randrange(len(parts))
    try:
        inner = urlsafe_b64decode(parts[place] + b"=" * (-len(parts[place]) % 4))
    except ValueError:
        return _flip(random, data, seeds)
    parts[place] = urlsafe_b64encode(_structured(random, inner, seeds)).rstrip(b"=")
    return b".".join(parts).replace(b".~.", b"~")


def _structured(random: Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    """JSON with one value changed, dropped, doubled or moved; other bytes flipped."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return _flip(random, data, seeds)
    holders: list[Any] = []
    waiting = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict | list) and value:
            holders.append(value)
            waiting.extend(value.values() if isinstance(value, dict) else value)
    if not holders:
        return json.dumps(random.choice(_VALUES)).encode("utf-8", "surrogatepass")
    holder = random.choice(holders)
    key: Any = random.choice(list(holder)) if isinstance(holder, dict) else random.randrange(len(holder))
    action = random.randrange(4)
    if action == 0:
        del holder[key]
    elif action == 1 and isinstance(holder, dict):
        holder[random.choice((f"{key}x", "_sd", "...", "crit", "exp", "alg"))] = holder[key]
    elif action == 2:
        holder[key] = [holder[key]]
    else:
        holder[key] = random.choice(_VALUES)
    return json.dumps(document, ensure_ascii=random.random() < 0.5).encode("utf-8", "surrogatepass")


def _stretch(random: Random, data: bytes) -> tuple[int, int]:
    start = random.randint(0, len(data))
    return start, min(len(data), start + random.choice((1, 1, 2, 4, 16, 256)))


_WAYS = (_flip, _replace, _insert, _cut, _end, _repeat, _splice, _number, _inside, _structured)
