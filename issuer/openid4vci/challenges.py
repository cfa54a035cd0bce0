"""Challenges for key proofs (c_nonce): one issuer's mean nothing to another, and each is used up by one request.

Keeps nothing itself: what was used is the store's to remember, for as long as a challenge lives.
Spec: OpenID4VCI 1.0 sections 7 and 13.5.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final, Protocol

from issuer.openid4vci.errors import ProtocolRefusal
from issuer.openid4vci.nonces import Nonces
from keys.data_keys import DeploymentKey

LIFE: Final = timedelta(minutes=5)
_MARGIN: Final = timedelta(seconds=2)  # a challenge is remembered a little longer than it lives


class Once(Protocol):
    """`OpenidStore.once`: True the first time it is asked; in the transaction of `cursor`, if there is one."""

    def __call__(self, digest: bytes, until: datetime, cursor: Any = None) -> bool: ...


class Challenges:
    """Safe for threads."""

    def __init__(self, key: DeploymentKey, now: Callable[[], datetime], once: Once) -> None:
        self._now = now
        self._once = once
        self._nonces = lru_cache(maxsize=1024)(lambda audience: Nonces(key, f"c_nonce {audience}", LIFE))

    def make(self, audience: str) -> str:
        """A challenge that nobody can foresee, for proofs to the credential issuer `audience`."""
        return self._nonces(audience).make(self._now())

    def spend(self, audience: str, nonces: Iterable[str], cursor: Any = None) -> None:
        """Use each challenge up; proofs of one request may share one. `cursor`: of the transaction that does so.

        Raises: ProtocolRefusal (invalid_nonce): invented, another issuer's, too old, or used before.
        """
        now, known = self._now(), self._nonces(audience)
        spent = tuple(dict.fromkeys(nonces))
        if not all(known.fresh(nonce, now) for nonce in spent):
            raise ProtocolRefusal("invalid_nonce", "a nonce is too old, or not of this issuer: ask for another")
        for nonce in spent:
            digest = hashlib.sha256(b"c_nonce:" + nonce.encode("ascii")).digest()
            if not self._once(digest, now + LIFE + _MARGIN, cursor):
                raise ProtocolRefusal("invalid_nonce", "a nonce was used before: ask for another")
