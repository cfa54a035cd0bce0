"""What lies between counters and hosts in the simulated world. Lines can be cut, answers replaced."""

from __future__ import annotations

from pathlib import Path

from tests.trust_registry.network import URL
from tests.world.founding import CODES, status_url
from trust_registry.errors import FetchFailed
from trust_registry.fetching import folder_fetch


class Wire:
    """Fetches what hosts publish, as long as a story lets it."""

    def __init__(self, folder: Path) -> None:
        own = {URL: folder / "repository" / "public"}
        own |= {status_url(code): folder / code / "status" / "lists" for code in CODES.values()}
        self._read = folder_fetch(own)
        self._forged: dict[str, bytes] = {}
        self._cut: set[str] = set()

    def __call__(self, url: str) -> bytes:
        if any(url.startswith(prefix) for prefix in self._cut):
            raise FetchFailed(url, "timed out")
        return self._forged[url] if url in self._forged else self._read(url)

    def cut(self, prefix: str = "") -> None:
        """Nothing below `prefix` can be reached from now on; without a prefix, nothing at all."""
        self._cut.add(prefix)

    def mend(self) -> None:
        self._cut.clear()
        self._forged.clear()

    def answer(self, url: str, data: bytes) -> None:
        """Whoever asks for `url` from now on is told this."""
        self._forged[url] = data
