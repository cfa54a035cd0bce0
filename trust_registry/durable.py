"""Files that are there whole or not at all: written beside, flushed, renamed. No locks: one writer per folder."""

from __future__ import annotations

import ctypes
import os
import secrets
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

_FEW: Final = 16  # files up to which flushing each is quicker than flushing the file system
_AT_FDCWD: Final = -100
_RENAME_EXCHANGE: Final = 2


def write_durably(path: Path, data: bytes) -> None:
    """Make or replace `path`; after a crash it holds the old content or the new one. Raises: OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_path(path.parent)


def write_all_durably(files: Mapping[Path, bytes]) -> None:
    """Make or replace many files, durable when it returns, but neither together nor each at once.

    After a crash some may be missing or cut short: for files that nothing refers to yet. Raises: OSError.
    """
    if len(files) > _FEW and (flush_all := _syncfs()) is not None:
        folders = {path.parent for path in files}
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
        for path, data in files.items():
            path.write_bytes(data)
        flush_all(min(folders, key=lambda folder: len(folder.parts)))
        return
    for path, data in files.items():
        write_durably(path, data)


def sync_path(path: Path) -> None:
    """Make a file's content, or the names in a folder, durable. Raises: OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def exchange_folders(one: Path, other: Path) -> bool:
    """Let two folders of one file system change places in a single step; False where the system can't. Raises: OSError.

    Spec: renameat2(2), RENAME_EXCHANGE.
    """
    rename = getattr(_libc(), "renameat2", None)
    if rename is None:
        return False
    result = rename(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE)
    if result != 0:
        return False
    sync_path(one.parent)
    return True


@lru_cache(maxsize=1)
def _libc() -> Any:
    return ctypes.CDLL(None, use_errno=True)


def _syncfs() -> Any:
    """Flush the whole file system that holds a path; None where the system can't."""
    call = getattr(_libc(), "syncfs", None)
    if call is None:
        return None

    def flush(path: Path) -> None:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            if call(descriptor) != 0:
                raise OSError(ctypes.get_errno(), "the file system could not be flushed", str(path))
        finally:
            os.close(descriptor)

    return flush
