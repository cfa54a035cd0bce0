"""Reading URLs: over HTTP with bounds, or from folders that stand for URLs. Believes nothing of what it reads.

The HTTP client is made by `server`, which knows timeouts, proxies and authorities; nothing here connects by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import unquote

import httpx

from trust_registry.errors import FetchFailed
from trust_registry.ports import Fetch

MAX_SIZE: Final = 64 * 1024 * 1024
_MISSING: Final = frozenset({403, 404, 410})


def http_fetch(client: httpx.Client, *, max_size: int = MAX_SIZE) -> Fetch:
    """Fetch over `client` (whose timeouts count), reading at most `max_size` bytes."""

    def fetch(url: str) -> bytes:
        try:
            with client.stream("GET", url) as response:
                if response.status_code in _MISSING:
                    raise FetchFailed(url, f"answered {response.status_code}", missing=True)
                if response.status_code != httpx.codes.OK:
                    raise FetchFailed(url, f"answered {response.status_code}")
                parts, size = [], 0
                for part in response.iter_bytes():
                    size += len(part)
                    if size > max_size:
                        raise FetchFailed(url, f"larger than {max_size} bytes")
                    parts.append(part)
                return b"".join(parts)
        except (httpx.HTTPError, httpx.InvalidURL) as err:
            raise FetchFailed(url, type(err).__name__) from err

    return fetch


def folder_fetch(folders: Mapping[str, Path], otherwise: Fetch | None = None) -> Fetch:
    """Fetch from files: URLs that begin with a key of `folders` are read below its folder, the rest by `otherwise`.

    For a server that reads what it publishes itself, for copies carried on a disk, and for tests.
    """

    def fetch(url: str) -> bytes:
        for prefix, folder in folders.items():
            if url.startswith(prefix):
                return _read(url, folder, unquote(url[len(prefix) :]))
        if otherwise is None:
            raise FetchFailed(url, "not in any of the folders")
        return otherwise(url)

    return fetch


def _read(url: str, folder: Path, relative: str) -> bytes:
    root = folder.resolve()
    path = (root / relative.lstrip("/")).resolve()
    if not path.is_relative_to(root):
        raise FetchFailed(url, "outside its folder")
    try:
        return path.read_bytes()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as err:
        raise FetchFailed(url, "no such file", missing=True) from err
    except OSError as err:
        raise FetchFailed(url, type(err).__name__) from err
