"""Which time-stamping authority this server uses: one reached by URL, or an embedded one that a region lists."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import httpx

from keys.errors import TimestampUnavailable
from keys.signer import Signer
from keys.timestamps import EmbeddedTimestamper, HttpTimestamper, Timestamper
from keys.x509 import parse_certificate
from server.settings import Settings
from trust_registry.model import KeyUse, TrustView

TIMEOUT_SECONDS = 10.0


def make_timestamper(
    settings: Settings,
    signers: Callable[[str], Signer],
    view: Callable[[], TrustView | None],
    now: Callable[[], datetime],
) -> Timestamper | None:
    """The authority that the settings name, or None: seals then carry only the time they claim."""
    if settings.timestamp_url:
        return HttpTimestamper(settings.timestamp_url, _post)
    if settings.timestamp_key:
        return ListedTimestamper(settings.timestamp_key, signers, view, now)
    return None


class ListedTimestamper:
    """The embedded authority, once a region's list names a certificate of its key."""

    def __init__(
        self,
        uri: str,
        signers: Callable[[str], Signer],
        view: Callable[[], TrustView | None],
        now: Callable[[], datetime],
    ) -> None:
        self._uri = uri
        self._signers = signers
        self._view = view
        self._now = now
        self._embedded: EmbeddedTimestamper | None = None

    def timestamp(self, digest: bytes) -> bytes:
        """Raises TimestampUnavailable when no list names the key; what opening the key raises."""
        return self._open().timestamp(digest)

    def _open(self) -> EmbeddedTimestamper:
        if self._embedded is None:
            signer = self._signers(self._uri)
            view = self._view()
            entries = [] if view is None else [key for each in view.lists.values() for key in each.authorities]
            for entry in entries:
                certificate = parse_certificate(entry.certificate)
                if entry.use is KeyUse.TIMESTAMP and certificate.public_key == signer.public_key:
                    self._embedded = EmbeddedTimestamper(signer, certificate, (), self._now)
                    break
            else:
                raise TimestampUnavailable("no region lists a time-stamping certificate of this key")
        return self._embedded


def _post(url: str, body: bytes, content_type: str) -> bytes:
    try:
        answer = httpx.post(
            url, content=body, headers={"Content-Type": content_type}, timeout=TIMEOUT_SECONDS, trust_env=False
        )
        answer.raise_for_status()
    except httpx.HTTPError as err:
        raise TimestampUnavailable("the time-stamping authority could not be reached") from err
    return answer.content
