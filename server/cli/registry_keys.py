"""The keys that `yinxin registry` signs with; passphrases come from a file or the environment, never from argv."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from keys.signer import Signer
    from trust_registry.publication import OnlineKeys


def host_keys_of(repo: Path, passphrase_file: Path | None, host_keys: Path | None) -> OnlineKeys:
    """The host's keys, which sign snapshot and timestamp: in `host_keys`, else in the network's folder."""
    from trust_registry.publication import OnlineKeys

    keys = (host_keys or repo / "keys").absolute()
    if not (keys / "snapshot.key").is_file():
        raise typer.BadParameter(f"there is no snapshot.key in {keys}: name the folder", param_hint="--host-keys")
    passphrase = read_passphrase(passphrase_file)
    return OnlineKeys(open_key(keys / "snapshot.key", passphrase), open_key(keys / "timestamp.key", passphrase))


def open_key(path: Path, passphrase: bytes) -> Signer:
    """Raises: keys.errors.KeysError."""
    from keys.custody.software import open_key_file

    return open_key_file(path, passphrase)


def read_passphrase(file: Path | None) -> bytes:
    """From the file, else from YINXIN_PASSPHRASE. Raises: PassphraseMissing."""
    from keys.errors import PassphraseMissing

    if file is not None:
        return file.read_bytes().rstrip(b"\r\n")
    value = os.environ.get("YINXIN_PASSPHRASE")
    if not value:
        raise PassphraseMissing("the key is encrypted: give --passphrase-file FILE or set YINXIN_PASSPHRASE")
    return value.encode()
