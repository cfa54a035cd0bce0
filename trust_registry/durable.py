"""Files that are there whole or not at all: written beside, flushed, renamed. No locks: one writer per folder."""

from __future__ import annotations

import ctypes
import os
import secrets
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

_FEW: Final = 16  # files up to which flushing each is quicker than flushing the file system
_AT_FDCWD: Final = -100
_RENAME_EXCHANGE: Final = 2


def write_durably(path: Path, data: bytes, mode: int = 0o666) -> None:
    """Make or replace `path`; after a crash it holds the old content or the new one. `mode`: who may read it, less the
    umask. Raises: OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_path(path.parent)


class BulkWriter:
    """Makes or replaces many files, durable when `finish` returns, but neither together nor each at once.

    After a crash some may be missing or cut short: for files that nothing refers to yet. Many are written by threads
    of their own while the caller goes on, and flushed together.
    """

    def __init__(self) -> None:
        self._waiting: list[tuple[Path, bytes]] = []
        self._folders: set[Path] = set()
        self._pool: ThreadPoolExecutor | None = None
        self._writing: list[Future[None]] = []

    def add(self, path: Path, data: bytes) -> None:
        self._waiting.append((path, data))
        if len(self._waiting) > _FEW and _syncfs() is not None:
            self._hand_over()

    def finish(self) -> None:
        """Raises: OSError."""
        if self._pool is None:
            for path, data in self._waiting:
                write_durably(path, data)
            return
        self._hand_over()
        self._pool.shutdown()
        for each in self._writing:
            each.result()
        _syncfs()(min(self._folders, key=lambda folder: len(folder.parts)))

    def _hand_over(self) -> None:
        """Give what waits to a thread; creating files is slow, and most of it is waiting for the system."""
        if self._pool is None:
            self._pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="log-files")
        for folder in {path.parent for path, _ in self._waiting} - self._folders:
            folder.mkdir(parents=True, exist_ok=True)
            self._folders.add(folder)
        self._writing.append(self._pool.submit(_write_each, self._waiting))
        self._waiting = []


def _write_each(files: Sequence[tuple[Path, bytes]]) -> None:
    for path, data in files:
        _write(path, data)


def _write(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        left = memoryview(data)
        while left:
            left = left[os.write(descriptor, left) :]
    finally:
        os.close(descriptor)


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
