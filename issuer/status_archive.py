"""Every status list token that said something new, kept as it was signed: answers for `?time=`. Signs nothing, ever.

    <folder>/<path of the list>/<year and month of issue>/<issued>-<expires>-<digest of what it says>.jwt and .cwt

A token that says what the last one said is kept only when that one is about to end, so an idle list costs two files a
day. Kept for `keep`, then removed by the month. Spec: Token Status List section 8.4 (historical resolution).
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from hashlib import sha256
from pathlib import Path
from typing import Final

from issuer.errors import StatusListNotFound

_NAME: Final = re.compile(r"(\d{1,12})-(\d{1,12})-([0-9a-f]{32})\.jwt")
_MONTH: Final = re.compile(r"\d{6}")
_LONGEST_LIFETIME: Final = timedelta(days=62)


class TokenForm(Enum):
    """The two forms of a status list token; the value is the media type."""

    JWT = "application/statuslist+jwt"
    CWT = "application/statuslist+cwt"

    @property
    def suffix(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class SignedList:
    """A token ready to be written, in both forms. `due_at`: when it must be replaced, even if nobody changes anything.
    `says`: hex digest of the list itself, whenever it was signed.
    """

    token: str
    cbor: bytes
    says: str
    issued_at: datetime
    expires_at: datetime
    due_at: datetime

    @property
    def digest(self) -> str:
        return "sha256:" + sha256(self.token.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class _Kept:
    path: Path
    issued: int
    expires: int
    says: str


class StatusArchive:
    """The archive below `folder`."""

    def __init__(self, folder: Path, keep: timedelta) -> None:
        self._folder = folder
        self._keep = keep

    def keep(self, inner: str, signed: SignedList) -> None:
        """Keep the originals, durably, unless what is kept says the same for long enough. Raises: OSError."""
        last = max(self._between(inner, signed.issued_at), key=_order, default=None)
        enough = signed.due_at + (signed.expires_at - signed.due_at) / 2
        if last is not None and last.says == signed.says[:32] and last.expires >= enough.timestamp():
            return
        folder = self._folder / inner / f"{signed.issued_at.astimezone(UTC):%Y%m}"
        new = not folder.is_dir()
        folder.mkdir(parents=True, exist_ok=True)
        issued, expires = int(signed.issued_at.timestamp()), int(signed.expires_at.timestamp())
        stem = folder / f"{issued}-{expires}-{signed.says[:32]}"
        _write(stem.with_suffix(".cwt"), signed.cbor)
        _write(stem.with_suffix(".jwt"), signed.token.encode())  # last: what has it, has both
        if new:
            self._forget(inner, signed.issued_at)

    def read(self, inner: str, at: datetime, form: TokenForm) -> bytes:
        """The token that was in force at `at`, as it was signed then. Raises: StatusListNotFound."""
        seconds = int(at.timestamp())
        then = (kept for kept in self._between(inner, at) if kept.issued <= seconds < kept.expires)
        found = max(then, key=_order, default=None)
        if found is None:
            raise StatusListNotFound
        try:
            return found.path.with_suffix(f".{form.suffix}").read_bytes()
        except FileNotFoundError as err:
            raise StatusListNotFound from err

    def _between(self, inner: str, at: datetime) -> Iterator[_Kept]:
        """All that was issued in the month of `at`, and so lately before that it may still be in force."""
        try:
            months = {f"{(at - _LONGEST_LIFETIME / 2 * step).astimezone(UTC):%Y%m}" for step in range(3)}
        except OverflowError:
            return
        for month in months:
            try:
                with os.scandir(self._folder / inner / month) as entries:
                    names = [entry.name for entry in entries]
            except (FileNotFoundError, NotADirectoryError):
                continue
            for name in names:
                if found := _NAME.fullmatch(name):
                    path = self._folder / inner / month / name
                    yield _Kept(path, int(found[1]), int(found[2]), found[3])

    def _forget(self, inner: str, now: datetime) -> None:
        """Remove the months that lie wholly before what is kept."""
        oldest = f"{(now - self._keep).astimezone(UTC):%Y%m}"
        for folder in (self._folder / inner).iterdir():
            if _MONTH.fullmatch(folder.name) and folder.name < oldest:
                shutil.rmtree(folder, ignore_errors=True)


def _order(kept: _Kept) -> tuple[int, int]:
    """The later one of two from one second is the one that was written later."""
    return kept.issued, kept.path.stat().st_mtime_ns


def _write(path: Path, data: bytes) -> None:
    new = path.with_suffix(path.suffix + ".new")
    with new.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(new, path)
