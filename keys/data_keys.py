"""Keys for personal data at rest: a data key per holder, wrapped by the deployment key; look-ups by keyed hash.

Knows nothing of holders or tables. Erasing is the caller's: without its wrapped data key, sealed data stays closed.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from keys.custody.files import read_secret, write_new_secret
from keys.errors import DamagedKeyFile, DecryptionFailed, KeyAlreadyExists

_SIZE: Final = 32
_TAG: Final = 16
_NONCE: Final = 12
_SALT: Final = 16
_WRAPPED: Final = b"\x01"  # format of a wrapped key
_SEALED: Final = b"\x02"  # format of sealed data
_FILE_FORMAT: Final = b"yinxin-deployment-key/1"


class DeploymentKey:
    """The one key of a deployment that wraps data keys and keys the look-ups. Never printed, never logged."""

    __slots__ = ("_look_up", "_wrap")

    def __init__(self, key: bytes) -> None:
        """`key`: 32 bytes of full entropy. Raises ValueError for another length."""
        if len(key) != _SIZE:
            raise ValueError("a deployment key has 32 bytes")
        self._wrap = hmac.digest(key, b"yinxin wrap data keys", "sha256")
        self._look_up = hmac.digest(key, b"yinxin look-up hashes", "sha256")

    def wrap(self, data_key: bytes, context: bytes) -> bytes:
        """`data_key` encrypted for storage, bound to `context` (whose key it is, for what)."""
        salt = os.urandom(_SALT)
        # A fresh key for each wrapping: no bound on how many data keys one deployment may have.
        key = hmac.digest(self._wrap, salt, "sha256")
        return _WRAPPED + salt + AESGCM(key).encrypt(bytes(_NONCE), data_key, context)

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """The data key. Raises DecryptionFailed: altered, of another deployment, or of another context."""
        if len(wrapped) < 1 + _SALT + _TAG or wrapped[:1] != _WRAPPED:
            raise DecryptionFailed("not a wrapped data key")
        key = hmac.digest(self._wrap, wrapped[1 : 1 + _SALT], "sha256")
        try:
            return AESGCM(key).decrypt(bytes(_NONCE), wrapped[1 + _SALT :], context)
        except InvalidTag as err:
            raise DecryptionFailed("the data key was altered, or belongs elsewhere") from err

    def lookup(self, label: str, value: str) -> bytes:
        """32 bytes that stand for `value` in an index of kind `label`: equal for equal values, telling nothing else."""
        name = label.encode("utf-8")
        return hmac.digest(self._look_up, len(name).to_bytes(4, "big") + name + value.encode("utf-8"), "sha256")

    def __repr__(self) -> str:
        return "<DeploymentKey>"


def new_data_key() -> bytes:
    """32 random bytes: the key of one holder's data."""
    return os.urandom(_SIZE)


def seal_data(data_key: bytes, plaintext: bytes, context: bytes) -> bytes:
    """`plaintext` encrypted and authenticated (AES-256-GCM), bound to `context` (table, row, column)."""
    nonce = os.urandom(_NONCE)
    return _SEALED + nonce + AESGCM(data_key).encrypt(nonce, plaintext, context)


def open_data(data_key: bytes, sealed: bytes, context: bytes) -> bytes:
    """The plaintext. Raises DecryptionFailed: altered, sealed for another context, or with another key."""
    if len(sealed) < 1 + _NONCE + _TAG or sealed[:1] != _SEALED:
        raise DecryptionFailed("not sealed data")
    try:
        return AESGCM(data_key).decrypt(sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :], context)
    except InvalidTag as err:
        raise DecryptionFailed("the data was altered, or belongs elsewhere") from err


def load_or_create_deployment_key(path: Path) -> DeploymentKey:
    """The deployment key in `path` (0600); created, durably, where there is none.

    Raises DamagedKeyFile, KeyNotFound (there, but unreadable), OSError (folder missing, disk full).
    """
    if not path.exists():
        key = os.urandom(_SIZE).hex().encode("ascii")
        try:
            write_new_secret(path, b" ".join((_FILE_FORMAT, key, _checksum(key))) + b"\n")
        except KeyAlreadyExists:
            pass  # another process was first: its key is the deployment's
    return _load(path)


def _load(path: Path) -> DeploymentKey:
    parts = read_secret(path, max_size=4096).split()
    if len(parts) != 3 or parts[0] != _FILE_FORMAT or not hmac.compare_digest(parts[2], _checksum(parts[1])):
        raise DamagedKeyFile(f"{path.name} is cut short or altered, or is no deployment key")
    try:
        return DeploymentKey(bytes.fromhex(parts[1].decode("ascii")))
    except ValueError as err:
        raise DamagedKeyFile(f"{path.name} is no deployment key") from err


def _checksum(key: bytes) -> bytes:
    return hashlib.sha256(_FILE_FORMAT + b" " + key).hexdigest()[:16].encode("ascii")
