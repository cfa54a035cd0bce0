"""Software custody: one file per private key, encrypted at rest under a passphrase.

A key file is three lines of ASCII: a JSON header, the base64 of the encrypted PKCS#8 key, and the hex SHA-256 of the
two lines before it. The header is authenticated as associated data of AES-256-GCM; the key-encryption key is derived
with argon2id (RFC 9106). The checksum tells a damaged file from a wrong passphrase before the passphrase is tried; the
check value in the header tells a wrong passphrase from a forged ciphertext. Passphrases come from the caller.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from keys.algorithms import by_jose
from keys.custody.files import read_secret, write_new_secret
from keys.envelopes.strict_json import load_json
from keys.errors import AlgorithmNotSupported, DamagedKeyFile, MalformedEnvelope, PassphraseMissing, WrongPassphrase
from keys.model import Algorithm
from keys.public_key import PublicKey
from keys.signer import EphemeralSigner, PrivateKeySigner, Signer

__all__ = ["EphemeralSigner", "KeyFileHeader", "create_key_file", "open_key_file", "read_key_file_header"]

_FORMAT: Final = "yinxin-key/1"
_MAX_SIZE: Final = 65536


@dataclass(frozen=True, slots=True)
class _Cost:
    passes: int
    memory_kib: int
    lanes: int


_COST: Final = _Cost(passes=3, memory_kib=65536, lanes=4)  # RFC 9106 section 4, second recommended option
_DEMO_COST: Final = _Cost(passes=1, memory_kib=8192, lanes=1)  # a demo's passphrase is no secret
_MAX_COST: Final = _Cost(passes=64, memory_kib=2 << 20, lanes=64)  # a forged header must not exhaust the machine


@dataclass(frozen=True, slots=True)
class KeyFileHeader:
    """What a key file says in the clear. Authenticated only once the file is opened."""

    algorithm: Algorithm
    public_key: PublicKey
    demo: bool


def create_key_file(path: Path, algorithm: Algorithm, passphrase: bytes, *, demo: bool = False) -> Signer:
    """Generate a key, write it encrypted to `path` (0600, atomic, durable) and open it.

    `demo` marks the file as a demonstration key, cheap to open, which a production server may refuse.
    Raises KeyAlreadyExists, PassphraseMissing (empty), OSError (folder missing, disk full).
    """
    if not passphrase:
        raise PassphraseMissing("a key file needs a passphrase")
    private_key = algorithm.primitive.generate()
    cost = _DEMO_COST if demo else _COST
    salt, nonce = os.urandom(16), os.urandom(12)
    key, check = _derive(passphrase, salt, cost)
    header = {
        "format": _FORMAT,
        "alg": algorithm.jose,
        "spki": _base64(private_key.spki),
        "demo": demo,
        "kdf": {
            "name": "argon2id",
            "passes": cost.passes,
            "memory_kib": cost.memory_kib,
            "lanes": cost.lanes,
            "salt": _base64(salt),
        },
        "check": _base64(check),
        "nonce": _base64(nonce),
    }
    header_line = json.dumps(header, separators=(",", ":")).encode("ascii")
    sealed = AESGCM(key).encrypt(nonce, private_key.pkcs8(), header_line)
    body = header_line + b"\n" + binascii.b2a_base64(sealed, newline=False) + b"\n"
    write_new_secret(path, body + hashlib.sha256(body).hexdigest().encode("ascii") + b"\n")
    return PrivateKeySigner(f"file:{path.absolute()}", algorithm, private_key, demo=demo)


def open_key_file(path: Path, passphrase: bytes) -> Signer:
    """Open a key file. Raises KeyNotFound, DamagedKeyFile, WrongPassphrase, PassphraseMissing (empty)."""
    if not passphrase:
        raise PassphraseMissing("a key file needs a passphrase")
    header_line, sealed = _read_lines(path)
    try:
        header = load_json(header_line)
        facts = _facts(header)
        kdf = header["kdf"]
        cost = _Cost(kdf["passes"], kdf["memory_kib"], kdf["lanes"])
        _check_cost(kdf["name"], cost)
        expected_key, check = _derive(passphrase, _unbase64(kdf["salt"]), cost)
        expected_check, nonce = _unbase64(header["check"]), _unbase64(header["nonce"])
    except (MalformedEnvelope, AlgorithmNotSupported, KeyError, TypeError, ValueError) as err:
        raise DamagedKeyFile(f"the header of {path.name} is not that of a key file") from err
    if not hmac.compare_digest(check, expected_check):
        raise WrongPassphrase(f"this passphrase does not open {path.name}")
    try:
        private_key = facts.algorithm.primitive.load(AESGCM(expected_key).decrypt(nonce, sealed, header_line))
    except (InvalidTag, ValueError) as err:
        raise DamagedKeyFile(f"{path.name} was altered") from err
    return PrivateKeySigner(f"file:{path.absolute()}", facts.algorithm, private_key, demo=facts.demo)


def read_key_file_header(path: Path) -> KeyFileHeader:
    """What the file says of itself, without its passphrase. Raises KeyNotFound, DamagedKeyFile."""
    header_line, _ = _read_lines(path)
    try:
        return _facts(load_json(header_line))
    except (MalformedEnvelope, AlgorithmNotSupported, KeyError, TypeError, ValueError) as err:
        raise DamagedKeyFile(f"the header of {path.name} is not that of a key file") from err


def _read_lines(path: Path) -> tuple[bytes, bytes]:
    content = read_secret(path, max_size=_MAX_SIZE)
    lines = content.split(b"\n")
    if len(lines) != 4 or lines[3]:
        raise DamagedKeyFile(f"{path.name} is cut short, or is no key file")
    body = lines[0] + b"\n" + lines[1] + b"\n"
    if hashlib.sha256(body).hexdigest().encode("ascii") != lines[2]:
        raise DamagedKeyFile(f"{path.name} is damaged: its checksum does not match")
    try:
        return lines[0], binascii.a2b_base64(lines[1], strict_mode=True)
    except ValueError as err:
        raise DamagedKeyFile(f"{path.name} is damaged: its key is not base64") from err


def _facts(header: Any) -> KeyFileHeader:
    if header["format"] != _FORMAT or type(header["demo"]) is not bool:
        raise ValueError("not a key file of this format")
    algorithm = by_jose(header["alg"])
    return KeyFileHeader(algorithm, PublicKey.from_spki(_unbase64(header["spki"])), header["demo"])


def _check_cost(name: object, cost: _Cost) -> None:
    for value, bound in (
        (cost.passes, _MAX_COST.passes),
        (cost.memory_kib, _MAX_COST.memory_kib),
        (cost.lanes, _MAX_COST.lanes),
    ):
        if type(value) is not int or not 1 <= value <= bound:
            raise ValueError("cost out of range")
    if name != "argon2id" or cost.memory_kib < 8 * cost.lanes:
        raise ValueError("not a key derivation of this format")


def _derive(passphrase: bytes, salt: bytes, cost: _Cost) -> tuple[bytes, bytes]:
    if len(salt) < 16:
        raise ValueError("salt too short")
    output = hash_secret_raw(
        passphrase,
        salt,
        time_cost=cost.passes,
        memory_cost=cost.memory_kib,
        parallelism=cost.lanes,
        hash_len=64,
        type=Type.ID,
    )
    return output[:32], hashlib.sha256(b"yinxin key check" + output[32:]).digest()[:16]


def _base64(data: bytes) -> str:
    return binascii.b2a_base64(data, newline=False).decode("ascii")


def _unbase64(text: str) -> bytes:
    return binascii.a2b_base64(text, strict_mode=True)
