"""Requests to servers that strangers name: `wallet_api.openid.outgoing.Outgoing` over httpcore.

Guarded where the connection is made: a name is looked up once, the address that was looked at is the one that is
connected to, and one clock runs from the look-up to the last byte, so that a server that drips is cut off too.
Follows no redirect, keeps no cookie, asks no proxy, retries nothing and reads nothing of what it fetches.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as ResolvingTimeout
from threading import BoundedSemaphore
from time import monotonic
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlsplit

import httpcore

from server.addresses import Resolve, is_public, resolve
from server.settings import Settings
from wallet_api.openid.outgoing import MAX_ANSWER, Answer, NotReached, Unreached

LONGEST: Final = 10.0  # seconds, all of it
AT_ONCE: Final = 16  # requests under way
_CHUNK: Final = 1 << 16
_SCHEMES: Final = ("http", "https")
_NONE: Final[Mapping[str, str]] = MappingProxyType({})
_SLOW = (httpcore.ConnectTimeout, httpcore.ReadTimeout, httpcore.WriteTimeout, httpcore.PoolTimeout)


class GuardedOutgoing:
    """`timer` is monotonic, in seconds. `private_addresses`: also plain http, this machine and private networks.

    `backend` connects; another one is for tests.
    """

    def __init__(
        self,
        timer: Callable[[], float],
        *,
        private_addresses: bool = False,
        resolve: Resolve = resolve,
        longest: float = LONGEST,
        backend: httpcore.NetworkBackend | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._timer, self._private, self._resolve, self._longest = timer, private_addresses, resolve, longest
        self._backend = backend or httpcore.SyncBackend()
        self._tls = tls or ssl.create_default_context()
        self._room = BoundedSemaphore(AT_ONCE)
        self._resolving = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="resolving")

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] = _NONE,
        body: bytes | None = None,
        most: int = MAX_ANSWER,
    ) -> Answer:
        """As the port says."""
        host = self._host(url)
        if not self._room.acquire(blocking=False):
            raise NotReached(Unreached.BUSY, host)
        try:
            return self._send(method, url, {**headers, "Accept-Encoding": "identity"}, body, most)
        except NotReached as err:
            raise NotReached(err.reason, host) from err.__cause__
        except _SLOW as err:
            raise NotReached(Unreached.TOO_SLOW, host) from err
        except (httpcore.ProtocolError, httpcore.UnsupportedProtocol, ValueError) as err:
            raise NotReached(Unreached.NOT_READABLE, host) from err
        except (httpcore.NetworkError, OSError) as err:
            raise NotReached(Unreached.NO_CONNECTION, host) from err
        finally:
            self._room.release()

    def _host(self, url: str) -> str:
        """The host of a URL that may be asked; nothing has been looked up yet."""
        try:
            parts = urlsplit(url)
            host, named = parts.hostname, parts.username or parts.password
            _ = parts.port
        except ValueError as err:
            raise NotReached(Unreached.NOT_AN_ADDRESS) from err
        plain = url.isascii() and url.isprintable() and " " not in url and "\\" not in url
        if not plain or not host or parts.scheme not in _SCHEMES or named is not None:
            raise NotReached(Unreached.NOT_AN_ADDRESS)
        if parts.scheme == "http" and not self._private:
            raise NotReached(Unreached.NOT_SECURE, host)
        return host

    def _send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, most: int) -> Answer:
        until = self._timer() + self._longest
        guard = _Guard(self._backend, lambda: until - self._timer(), self._address)
        sent = [(name.encode("ascii"), value.encode("ascii")) for name, value in headers.items()]
        target = url.partition("#")[0]
        with (
            httpcore.ConnectionPool(ssl_context=self._tls, network_backend=guard, retries=0) as pool,
            pool.stream(method, target, headers=sent, content=body) as response,
        ):
            found = _headers(response.headers)
            if 300 <= response.status < 400:
                raise NotReached(Unreached.REDIRECTED)
            if found.get("content-encoding", "identity").lower() != "identity":
                raise NotReached(Unreached.NOT_READABLE)  # not asked for, and no telling how large it gets
            return Answer(response.status, found, _bounded(response.iter_stream(), most))

    def _address(self, host: str, port: int, left: float) -> str:
        try:
            looked_up = list(self._resolving.submit(self._resolve, host, port).result(max(left, 0)))
        except ResolvingTimeout as err:
            raise NotReached(Unreached.TOO_SLOW) from err
        except (OSError, UnicodeError) as err:
            raise NotReached(Unreached.UNKNOWN_HOST) from err
        if not looked_up:
            raise NotReached(Unreached.UNKNOWN_HOST)
        if not self._private and not all(is_public(each) for each in looked_up):
            raise NotReached(Unreached.PRIVATE)
        return looked_up[0]


class _Guard(httpcore.NetworkBackend):
    """Connects where `address` allows, and gives no step longer than what is left."""

    def __init__(
        self,
        inner: httpcore.NetworkBackend,
        left: Callable[[], float],
        address: Callable[[str, int, float], str],
    ) -> None:
        self._inner, self._left, self._address = inner, left, address

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        address = self._address(host, port, self._left())
        stream = self._inner.connect_tcp(address, port, _some(self._left()), local_address, socket_options)
        return _Hurried(stream, self._left)


class _Hurried(httpcore.NetworkStream):
    """A stream on which every step has what is left of one deadline."""

    def __init__(self, inner: httpcore.NetworkStream, left: Callable[[], float]) -> None:
        self._inner, self._left = inner, left

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        return self._inner.read(max_bytes, _some(self._left()))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        # in pieces: one long write has one time-out per piece that the other side takes
        for start in range(0, len(buffer), _CHUNK):
            self._inner.write(buffer[start : start + _CHUNK], _some(self._left()))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        return _Hurried(self._inner.start_tls(ssl_context, server_hostname, _some(self._left())), self._left)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _some(left: float) -> float:
    """What a step may take. Raises httpcore.ReadTimeout when nothing is left."""
    if left <= 0:
        raise httpcore.ReadTimeout
    return left


def _headers(raw: Iterable[tuple[bytes, bytes]]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for name, value in raw:
        key, text = name.decode("ascii", "replace").lower(), value.decode("latin-1")
        found[key] = f"{found[key]}, {text}" if key in found else text
    return MappingProxyType(found)


def _bounded(parts: Iterable[bytes], most: int) -> bytes:
    kept, size = [], 0
    for part in parts:
        size += len(part)
        if size > most:
            raise NotReached(Unreached.TOO_LARGE)
        kept.append(part)
    return b"".join(kept)


def open_outgoing(settings: Settings) -> GuardedOutgoing:
    """The one that this process's wallets use."""
    return GuardedOutgoing(monotonic, private_addresses=settings.wallet_private_addresses)
