"""Reading URLs: over HTTP with bounds, or from folders that stand for URLs. Believes nothing of what it reads.

The HTTP client is made by `server`, which knows timeouts, proxies and authorities; nothing here connects by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import unquote

import httpx

from trust_registry.errors import FetchFailed
from trust_registry.ports import Fetch

MAX_SIZE: Final = 64 * 1024 * 1024
LONGEST: Final = 60.0  # seconds for one answer
_MISSING: Final = frozenset({403, 404, 410})


class _Bounded:
    """A fetch that can be told, for one answer, to read less than it would."""

    def __init__(self, read: Callable[[str, int], bytes], max_size: int) -> None:
        self._read = read
        self._max_size = max_size

    def __call__(self, url: str, /) -> bytes:
        return self._read(url, self._max_size)

    def limited(self, max_size: int) -> Fetch:
        return _Bounded(self._read, min(max_size, self._max_size))


def at_most(fetch: Fetch, max_size: int) -> Fetch:
    """The same fetch, refusing answers of more than `max_size` bytes; those made here stop reading there."""
    limited = getattr(fetch, "limited", None)
    if limited is not None:
        found: Fetch = limited(max_size)
        return found

    def read(url: str, /) -> bytes:
        data = fetch(url)
        if len(data) > max_size:
            raise FetchFailed(url, f"larger than {max_size} bytes", too_large=True)
        return data

    return read


def http_fetch(
    client: httpx.Client,
    *,
    max_size: int = MAX_SIZE,
    timer: Callable[[], float] | None = None,
    longest: float = LONGEST,
) -> Fetch:
    """Fetch over `client`, reading at most `max_size` bytes, and for `longest` seconds by `timer` (monotonic).

    The client's timeouts count for each read: who sends a byte before each runs out would keep us reading for ever.
    Spec: TUF 1.0.33 section 1.5.2, slow retrieval attacks.
    """

    def fetch(url: str, max_size: int) -> bytes:
        began = 0.0 if timer is None else timer()
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
                        raise FetchFailed(url, f"larger than {max_size} bytes", too_large=True)
                    if timer is not None and timer() - began > longest:
                        raise FetchFailed(url, f"not read within {longest:g} s")
                    parts.append(part)
                return b"".join(parts)
        except (httpx.HTTPError, httpx.InvalidURL) as err:
            raise FetchFailed(url, type(err).__name__) from err

    return _Bounded(fetch, max_size)


def folder_fetch(folders: Mapping[str, Path], otherwise: Fetch | None = None) -> Fetch:
    """Fetch from files: URLs that begin with a key of `folders` are read below its folder, the rest by `otherwise`.

    For a server that reads what it publishes itself, for copies carried on a disk, and for tests.
    """

    def fetch(url: str, max_size: int) -> bytes:
        for prefix, folder in folders.items():
            if url.startswith(prefix):
                return _read(url, folder, unquote(url[len(prefix) :]), max_size)
        if otherwise is None:
            raise FetchFailed(url, "not in any of the folders")
        return otherwise(url) if max_size == MAX_SIZE else at_most(otherwise, max_size)(url)

    return _Bounded(fetch, MAX_SIZE)


def _read(url: str, folder: Path, relative: str, max_size: int) -> bytes:
    root = folder.resolve()
    path = (root / relative.lstrip("/")).resolve()
    if not path.is_relative_to(root):
        raise FetchFailed(url, "outside its folder")
    try:
        with path.open("rb") as file:
            data = file.read(max_size + 1)
        if len(data) > max_size:
            raise FetchFailed(url, f"larger than {max_size} bytes", too_large=True)
        return data
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as err:
        raise FetchFailed(url, "no such file", missing=True) from err
    except OSError as err:
        raise FetchFailed(url, type(err).__name__) from err
