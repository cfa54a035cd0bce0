"""Nonces that need no memory: time and chance, under a key that every process of the deployment has.

Whether one was used before is not known here (`OpenidStore.once` knows). Spec: RFC 9449 section 8, OpenID4VCI 1.0
section 7.
"""

from __future__ import annotations

import hmac
import os
from datetime import datetime, timedelta
from typing import Final

from keys.data_keys import DeploymentKey
from keys.envelopes.base64url import b64url_decode, b64url_encode

_TIME: Final = 5
_CHANCE: Final = 16
_MAC: Final = 16
_SIZE: Final = _TIME + _CHANCE + _MAC
_TEXT: Final = len(b64url_encode(bytes(_SIZE)))


class Nonces:
    """Nonces of one kind (`label`), good for `life`. `make` and `fresh` are safe for threads."""

    def __init__(self, key: DeploymentKey, label: str, life: timedelta) -> None:
        self._key = key.lookup("openid-nonce", label)
        self._life = life

    @property
    def life(self) -> timedelta:
        return self._life

    def make(self, now: datetime) -> str:
        """A new nonce: base64url, 50 characters, not to be guessed."""
        told = int(now.timestamp()).to_bytes(_TIME, "big") + os.urandom(_CHANCE)
        return b64url_encode(told + self._mac(told)).decode("ascii")

    def fresh(self, nonce: str, now: datetime) -> bool:
        """Whether `nonce` was made here, of this kind, at most `life` ago. Never raises on content."""
        try:
            if len(nonce) != _TEXT:
                return False
            decoded = b64url_decode(nonce.encode("ascii"))
        except ValueError:
            return False
        told, mac = decoded[:-_MAC], decoded[-_MAC:]
        if not hmac.compare_digest(mac, self._mac(told)):
            return False
        age = now.timestamp() - int.from_bytes(told[:_TIME], "big")
        return -1 <= age <= self._life.total_seconds()

    def _mac(self, told: bytes) -> bytes:
        return hmac.digest(self._key, told, "sha256")[:_MAC]
