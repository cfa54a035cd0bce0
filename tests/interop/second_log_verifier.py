"""A second verifier of logs, written from the texts of C2SP and RFC 6962 alone: imports nothing of ours.

Only what an auditor with a copy of the files needs: notes, checkpoints, cosignatures, proofs, tiles, whole trees.
"""

from __future__ import annotations

import base64
import hashlib
import struct
from collections.abc import Callable

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class Refused(Exception):
    pass


def H(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def mth(leaves: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, on entries."""
    n = len(leaves)
    if n == 0:
        return H(b"")
    if n == 1:
        return H(b"\x00" + leaves[0])
    k = 1
    while k * 2 < n:
        k *= 2
    return H(b"\x01" + mth(leaves[:k]) + mth(leaves[k:]))


def open_note(note: str, vkey: str) -> int | None:
    """Verify the signature by `vkey`; the cosignature's time, or None for a plain signature."""
    name, key_id, material = vkey.split("+", 2)
    raw = base64.b64decode(material)
    algorithm, public = raw[0], raw[1:]
    if hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4].hex() != key_id:
        raise Refused("key id")
    cut = note.rindex("\n\n")
    text, lines = note[: cut + 1], note[cut + 2 :].splitlines()
    for line in lines:
        dash, signer, encoded = line.split(" ")
        value = base64.b64decode(encoded)
        if dash != "—" or signer != name or value[:4].hex() != key_id:
            continue
        message, signature, at = text.encode(), value[4:], None
        if algorithm == 4:
            (at,) = struct.unpack(">Q", signature[:8])
            message, signature = f"cosignature/v1\ntime {at}\n".encode() + message, signature[8:]
        elif algorithm != 1:
            raise Refused("signature type")
        try:
            Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
        except InvalidSignature as err:
            raise Refused("signature") from err
        return at
    raise Refused(f"no signature by {name}")


def read_checkpoint(note: str) -> tuple[str, int, bytes]:
    origin, size, root, *_ = note.split("\n")
    return origin, int(size), base64.b64decode(root)


def verify_inclusion(leaf: bytes, index: int, size: int, path: list[bytes], root: bytes) -> bool:
    """By following the recursion of PATH() in RFC 6962 2.1.1 from the root down."""

    def up(m: int, n: int, rest: list[bytes]) -> bytes:
        if n == 1:
            if rest:
                raise Refused("path too long")
            return leaf
        k = 1
        while k * 2 < n:
            k *= 2
        if not rest:
            raise Refused("path too short")
        *inner, last = rest
        if m < k:
            return H(b"\x01" + up(m, k, inner) + last)
        return H(b"\x01" + last + up(m - k, n - k, inner))

    return index < size and up(index, size, path) == root


def verify_consistency(m: int, n: int, path: list[bytes], old_root: bytes, root: bytes) -> bool:
    """By following the recursion of SUBPROOF() in RFC 6962 2.1.2: rebuilds both roots."""

    def rebuild(m: int, n: int, rest: list[bytes], whole: bool) -> tuple[bytes, bytes]:
        if m == n:
            if whole:
                if rest:
                    raise Refused("path too long")
                return old_root, old_root
            (only,) = rest
            return only, only
        k = 1
        while k * 2 < n:
            k *= 2
        *inner, last = rest
        if m <= k:
            old, new = rebuild(m, k, inner, whole)
            return old, H(b"\x01" + new + last)
        old, new = rebuild(m - k, n - k, inner, False)
        return H(b"\x01" + last + old), H(b"\x01" + last + new)

    if m == 0:
        return not path
    return rebuild(m, n, path, True) == (old_root, root)


def tile_path(level: str, index: int, width: int) -> str:
    digits = f"{index:03}" if index < 1000 else f"{index:0{-(-len(str(index)) // 3) * 3}}"
    parts = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    path = "/".join([f"x{part}" for part in parts[:-1]] + parts[-1:])
    return f"tile/{level}/{path}" + (f".p/{width}" if width < 256 else "")


def read_entries(get: Callable[[str], bytes], size: int) -> list[bytes]:
    """Every entry, and that each hashes to its place in the level 0 tile."""
    found: list[bytes] = []
    for index in range(-(-size // 256)):
        width = min(256, size - index * 256)
        bundle, tile = get(tile_path("entries", index, width)), get(tile_path("0", index, width))
        for number in range(width):
            (length,) = struct.unpack(">H", bundle[:2])
            entry, bundle = bundle[2 : 2 + length], bundle[2 + length :]
            if H(b"\x00" + entry) != tile[number * 32 : number * 32 + 32]:
                raise Refused("an entry is not the one in its tile")
            found.append(entry)
        if bundle:
            raise Refused("more entries than the tile has")
    return found


def read_tlog_proof(text: str) -> tuple[int, list[bytes], str]:
    head, _, note = text.partition("\n\n")
    header, *lines = head.split("\n")
    if header != "c2sp.org/tlog-proof@v1":
        raise Refused("header")
    if lines[0].startswith("extra "):
        lines.pop(0)
    index = int(lines.pop(0).removeprefix("index "))
    return index, [base64.b64decode(line) for line in lines], note
