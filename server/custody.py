"""Keys by URI for this process: opened once, kept in memory; the passphrase comes from settings, never from argv."""

from __future__ import annotations

from pathlib import Path
from threading import Lock

from keys.errors import PassphraseMissing
from keys.signer import Signer, open_signer
from server.settings import Settings


class Signers:
    """Opens the key behind a URI at its first use, and gives the same signer afterwards. Safe for threads."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._opened: dict[str, Signer] = {}
        self._lock = Lock()

    def __call__(self, uri: str) -> Signer:
        """Raises what `keys.signer.open_signer` raises."""
        found = self._opened.get(uri)
        if found is None:
            with self._lock:
                found = self._opened.get(uri) or open_signer(uri, self.passphrase)
                self._opened[uri] = found
        return found

    def passphrase(self, uri: str) -> bytes:
        """The passphrase for the key of that URI. Raises PassphraseMissing."""
        if self._settings.passphrase is not None:
            return self._settings.passphrase.get_secret_value().encode()
        if self._settings.passphrase_file is not None:
            return read_passphrase(self._settings.path(self._settings.passphrase_file))
        raise PassphraseMissing(f"{uri} is encrypted: set YINXIN_PASSPHRASE_FILE or YINXIN_PASSPHRASE")


def read_passphrase(path: Path) -> bytes:
    """The first line of a passphrase file. Raises PassphraseMissing."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError as err:
        raise PassphraseMissing(f"the passphrase file can't be read: {path.name}") from err
    if not lines or not lines[0]:
        raise PassphraseMissing(f"the passphrase file is empty: {path.name}")
    return lines[0]
