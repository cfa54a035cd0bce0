"""Making COSE_Sign1 messages, honest ones and ones spoiled in a named way, all signed with one key where they are."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from keys.algorithms import ES256
from keys.envelopes import cbor
from keys.signer import EphemeralSigner

SIGNER = EphemeralSigner.generate(ES256)
KID = b"12345678"
TAG = b"\xd2"


def payload(random: Random) -> bytes:
    claims: dict[Any, Any] = {1: "990100/civil-affairs", 6: random.randrange(1_700_000_000, 1_800_000_000)}
    for number in range(random.randint(0, 6)):
        claims[-70000 - number] = random.choice(("张三", "", 7, -1, b"\0\1", [1, "x"], {"a": None}, True))
    return cbor.encode(claims)


def to_be_signed(protected: bytes, content: bytes, context: str = "Signature1") -> bytes:
    return cbor.encode([context, protected, b"", content])


def message(
    random: Random,
    *,
    protected: dict[Any, Any] | None = None,
    unprotected: dict[Any, Any] | None = None,
    context: str = "Signature1",
    raw_protected: bytes | None = None,
    content: bytes | None = None,
    tag: bytes = TAG,
) -> bytes:
    header = (
        cbor.encode(protected if protected is not None else {1: -7, 4: KID}) if raw_protected is None else raw_protected
    )
    body = payload(random) if content is None else content
    signature = SIGNER.sign(to_be_signed(header, body, context))
    return tag + cbor.encode([header, unprotected or {}, body, signature])


Making = Callable[[Random], bytes]


def _flip(random: Random) -> bytes:
    data = message(random)
    at = random.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << random.randrange(8)]) + data[at + 1 :]


def _part(number: int) -> Making:
    """Another byte in the payload (2) or the signature (3)."""

    def make(random: Random) -> bytes:
        parts = cbor.decode(message(random)[1:])
        part = parts[number]
        at = random.randrange(len(part))
        parts[number] = part[:at] + bytes([part[at] ^ 1 << random.randrange(8)]) + part[at + 1 :]
        return TAG + cbor.encode(parts)

    return make


def _reshaped(change: Callable[[list[Any]], Any]) -> Making:
    return lambda random: TAG + cbor.encode(change(cbor.decode(message(random)[1:])))


def _cut(random: Random) -> bytes:
    data = message(random)
    return data[: random.randrange(len(data))]


def _open_array(random: Random) -> bytes:
    """The four parts in an array whose length is left open."""
    data = message(random)
    return TAG + b"\x9f" + data[2:] + b"\xff"


def _long_head(random: Random) -> bytes:
    """The array's length in a longer form than is needed."""
    data = message(random)
    return TAG + b"\x98\x04" + data[2:]


KINDS: dict[str, Making] = {
    "honest": message,
    "a bit": _flip,
    "a bit of the payload": _part(2),
    "a bit of the signature": _part(3),
    "cut short": _cut,
    "bytes after the end": lambda r: message(r) + b"\0",
    "no tag": lambda r: message(r, tag=b""),
    "the tag of a CWT around it": lambda r: b"\xd8\x3d" + message(r),
    "the tag of COSE_Mac0": lambda r: message(r, tag=b"\xd1"),
    "the tag of COSE_Sign": lambda r: message(r, tag=b"\xd8\x62"),
    "kid unprotected": lambda r: message(r, protected={1: -7}, unprotected={4: KID}),
    "no kid": lambda r: message(r, protected={1: -7}),
    "kid of another key": lambda r: message(r, protected={1: -7, 4: b"another!"}),
    "kid that is text": lambda r: message(r, protected={1: -7, 4: "12345678"}),
    "alg unprotected": lambda r: message(r, protected={4: KID}, unprotected={1: -7}),
    "alg in both headers": lambda r: message(r, unprotected={1: -7}),
    "alg in both headers, different": lambda r: message(r, unprotected={1: -35}),
    "no alg": lambda r: message(r, protected={4: KID}),
    "alg ES384": lambda r: message(r, protected={1: -35, 4: KID}),
    "alg HS256": lambda r: message(r, protected={1: 5, 4: KID}),
    "alg as text": lambda r: message(r, protected={1: "ES256", 4: KID}),
    "crit with an unknown label": lambda r: message(r, protected={1: -7, 2: [99], 4: KID, 99: 1}),
    "crit unprotected": lambda r: message(r, unprotected={2: [99], 99: 1}),
    "crit empty": lambda r: message(r, protected={1: -7, 2: [], 4: KID}),
    "another context": lambda r: message(r, context="Signature"),
    "an empty protected header": lambda r: message(r, raw_protected=b"", unprotected={1: -7, 4: KID}),
    "a protected header that is no map": lambda r: message(r, raw_protected=cbor.encode([1, -7])),
    "a label twice": lambda r: message(r, raw_protected=b"\xa3\x01\x26\x01\x26\x04\x48" + KID),
    "bytes after the protected map": lambda r: message(r, raw_protected=cbor.encode({1: -7, 4: KID}) + b"\0"),
    "five parts": _reshaped(lambda parts: [*parts, b""]),
    "three parts": _reshaped(lambda parts: parts[:3]),
    "a map instead of an array": _reshaped(lambda parts: dict(enumerate(parts))),
    "no payload": _reshaped(lambda parts: [parts[0], parts[1], None, parts[3]]),
    "a signature of no length": _reshaped(lambda parts: [*parts[:3], b""]),
    "zeros as the signature": _reshaped(lambda parts: [*parts[:3], bytes(64)]),
    "a longer signature": _reshaped(lambda parts: [*parts[:3], parts[3] + b"\0"]),
    "an array of open length": _open_array,
    "a longer head than needed": _long_head,
    "an empty payload": lambda r: message(r, content=b""),
}
