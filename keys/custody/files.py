"""Secret files: written whole or not at all, readable by their owner only, never overwritten. Encrypts nothing."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from keys.errors import DamagedKeyFile, KeyAlreadyExists, KeyNotFound


def write_new_secret(path: Path, content: bytes) -> None:
    """Create `path` with mode 0600 and `content`, durable when this returns. Raises KeyAlreadyExists, OSError."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(temporary, path)  # like rename, but refuses to replace: two creators cannot both win
    except FileExistsError as err:
        raise KeyAlreadyExists(f"{path.name} exists already") from err
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(path.parent)


def read_secret(path: Path, *, max_size: int) -> bytes:
    """All of a secret file. Raises KeyNotFound if there is none to read, DamagedKeyFile beyond `max_size` bytes."""
    try:
        with path.open("rb") as file:
            content = file.read(max_size + 1)
    except OSError as err:
        raise KeyNotFound(f"no readable key file {path.name}") from err
    if len(content) > max_size:
        raise DamagedKeyFile(f"{path.name} is larger than any key file")
    return content


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
