"""Status lists as static files: signed, written whole or not at all, one publisher at a time.

Knows files and tokens. What a list says and when it is due is the store's; who may ask for it is the edge's.

Layout of the folder: `lists/<path below /status/>` is what any web server may serve, `cbor/<the same>` what it may
serve to whoever asks for CBOR, `archive/` what was published before (`status_archive`); `new/` holds files being made
(they are renamed, so it must be on the same file system); `lock` is held by whoever publishes.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from issuer.core import standing_at
from issuer.errors import StatusListMisplaced, StatusListNotFound
from issuer.model import StatusRecord
from issuer.status_archive import SignedList, StatusArchive, TokenForm
from keys.signer import Signer
from keys.x509 import Certificate
from trust_registry.model import CertificateStatus, StatusNote
from trust_registry.status_cache import AGGREGATION_NAME
from trust_registry.status_list import make_status_cwt, make_status_token, new_status_list
from trust_registry.status_notes import pack_notes

PREFIX = "/status/"  # in the path of every status list URI; what follows is the path of the file
_SEGMENT = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}")


class StatusPublication:
    """The folder of published status lists.

    `ttl`: how long a copy may be kept before asking again. `resign_after`: the age at which an unchanged list is signed
    anew, so that a fresh copy never looks stale. `lifetime`: until when a token may be used at all; several times that.
    `keep`: for how long originals are kept, for whoever asks how it stood then.
    """

    def __init__(
        self,
        directory: Path,
        *,
        ttl: timedelta = timedelta(minutes=10),
        resign_after: timedelta = timedelta(hours=1),
        lifetime: timedelta = timedelta(hours=24),
        keep: timedelta = timedelta(days=3653),
    ) -> None:
        if not timedelta(0) < resign_after < lifetime or not timedelta(0) < ttl <= lifetime:
            raise ValueError("resign_after and ttl must be positive and within the lifetime")
        self.ttl = ttl
        self._resign_after = resign_after
        self._lifetime = lifetime
        self._lists = directory / "lists"
        self._cbor = directory / "cbor"
        self._new = directory / "new"
        self._lock = directory / "lock"
        self._archive = StatusArchive(directory / "archive", keep)
        for folder in (self._lists, self._cbor, self._new):
            folder.mkdir(parents=True, exist_ok=True)

    def path_of(self, uri: str) -> Path:
        """The file behind a status list URI. Raises: StatusListMisplaced."""
        return self._lists / _inner(uri)

    def read(self, inner: str, form: TokenForm = TokenForm.JWT) -> tuple[bytes, str]:
        """The published token at `inner`, the path below `/status/`, and its entity tag. Raises: StatusListNotFound."""
        if not _plain(inner):
            raise StatusListNotFound
        try:
            token = ((self._lists if form is TokenForm.JWT else self._cbor) / inner).read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as err:
            raise StatusListNotFound from err
        return token, _tag(token)

    def read_then(self, inner: str, at: datetime, form: TokenForm = TokenForm.JWT) -> tuple[bytes, str]:
        """The token in force at `at`, as it was signed then, and its entity tag. Raises: StatusListNotFound."""
        if not _plain(inner):
            raise StatusListNotFound
        token = self._archive.read(inner, at, form)
        return token, _tag(token)

    def digest(self, uri: str) -> str | None:
        """ "sha256:<hex>" of what is published at `uri`; None if nothing is. Raises: StatusListMisplaced."""
        try:
            return "sha256:" + sha256(self.path_of(uri).read_bytes()).hexdigest()
        except FileNotFoundError:
            return None

    def complete(self, uri: str, digest: str | None) -> bool:
        """Whether the token with this digest is published at `uri`, and in CBOR too. Raises: StatusListMisplaced."""
        return self.digest(uri) == digest and (self._cbor / _inner(uri)).is_file()

    @contextmanager
    def publishing(self) -> Iterator[None]:
        """Wait until nobody else publishes, in this process or another on this file system."""
        descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)  # releases the lock, as does the end of the process

    def sign(
        self,
        uri: str,
        size: int,
        histories: Mapping[int, Sequence[StatusRecord]],
        *,
        signer: Signer,
        certificate: Certificate,
        at: datetime,
    ) -> SignedList:
        """The list as its histories say at `at`, signed. Raises: whatever the signer raises."""
        statuses = new_status_list(size)
        notes: dict[int, StatusNote] = {}
        for index, history in histories.items():
            standing = standing_at(history, at)
            if standing.status is not CertificateStatus.VALID and standing.since is not None:
                statuses.set(index, standing.status)
                notes[index] = StatusNote(standing.reason, standing.since)
        frozen, packed = statuses.freeze(), pack_notes(notes)
        expires_at = at + self._lifetime
        facts: dict[str, Any] = {
            "notes": packed,
            "uri": uri,
            "signer": signer,
            "issued_at": at,
            "expires_at": expires_at,
            "ttl": self.ttl,
            "certificate": certificate,
            "aggregation_uri": _aggregation(uri),
        }
        later = (record.effective_at for history in histories.values() for record in history)
        due_at = min((effective_at for effective_at in later if effective_at > at), default=at + self._resign_after)
        return SignedList(
            make_status_token(frozen, **facts),
            make_status_cwt(frozen, **facts),
            sha256(frozen.data + repr(packed.reasons).encode() + packed.columns).hexdigest(),
            at,
            expires_at,
            min(due_at, at + self._resign_after),
        )

    def publish(self, uri: str, signed: SignedList) -> None:
        """Keep the originals, then publish them at `uri`; the JSON form last. Raises: StatusListMisplaced, OSError."""
        inner = _inner(uri)
        self._archive.keep(inner, signed)
        self._write(self._cbor / inner, signed.cbor)
        self.write(uri, signed.token)

    def write(self, uri: str, content: str) -> None:
        """Publish `content` at `uri`: whoever reads sees the old file or the new one, also after a crash.

        Durable when this returns. Raises: StatusListMisplaced, OSError.
        """
        self._write(self.path_of(uri), content.encode())

    def _write(self, path: Path, content: bytes) -> None:
        self._make_folder(path.parent)
        new = self._new / f"{secrets.token_hex(8)}.new"
        try:
            descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(new, path)
        except BaseException:
            new.unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)

    def announce(self, uris: Sequence[str]) -> None:
        """Publish which lists an issuer has, beside them, for those who copy all for use without a network.

        `uris`: all below one base. Raises: StatusListMisplaced, OSError. Spec: Token Status List section 9.
        """
        document = json.dumps({"status_lists": list(uris)}, separators=(",", ":"))
        uri = _aggregation(uris[0])
        if self.digest(uri) != "sha256:" + sha256(document.encode()).hexdigest():
            self.write(uri, document)

    def sweep(self) -> None:
        """Remove what a crash left half written. Only while `publishing`."""
        for leftover in self._new.iterdir():
            leftover.unlink(missing_ok=True)

    def _make_folder(self, folder: Path) -> None:
        if not folder.is_dir():
            self._make_folder(folder.parent)
            folder.mkdir(exist_ok=True)
            _sync_folder(folder.parent)


def _inner(uri: str) -> str:
    """The path of the file behind a status list URI. Raises: StatusListMisplaced."""
    _, found, inner = urlsplit(uri).path.partition(PREFIX)
    if not found or not _plain(inner):
        raise StatusListMisplaced(uri)
    return inner


def _aggregation(uri: str) -> str:
    """Where the lists beside this one are announced. Spec: Token Status List section 9.2."""
    return f"{uri.rpartition('/')[0]}/{AGGREGATION_NAME}"


def _tag(token: bytes) -> str:
    return f'"{sha256(token).hexdigest()[:32]}"'


def _plain(inner: str) -> bool:
    return all(_SEGMENT.fullmatch(segment) for segment in inner.split("/"))


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
