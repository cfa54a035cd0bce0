"""Fetching CRLs and OCSP responses from where certificates say. A stranger's certificate must not steer us: bounded in
size and time, only http(s) on its usual ports, only addresses of the public internet unless the settings say otherwise.

Believes nothing of what it reads: `keys.revocation` asks for signatures. Never raises: what can't be had is not there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final
from urllib.parse import urlsplit

import httpx

from keys.revocation import make_ocsp_request
from keys.revocation.published import revocation_urls
from keys.x509 import Certificate
from server.addresses import Resolve, is_public, resolve

MAX_OCSP: Final = 1 << 17
MAX_CRL: Final = 16 << 20
LONGEST: Final = 15.0  # seconds for one answer
_KEPT: Final = 300.0  # seconds
_MOST_KEPT: Final = 64 << 20  # bytes
_MOST_URLS: Final = 4  # of one certificate
_PORTS: Final = {"http": 80, "https": 443}
_CHUNK: Final = 1 << 16


class NotReached(Exception):
    """Why nothing was fetched, in a word or two; never leaves this module."""


class RevocationFetcher:
    """Asks the OCSP responder that a certificate names, then its CRL. Implements `RevocationSource` of augmenting.

    `timer` is monotonic. `private_addresses`: also this machine and private networks, on any port. `tell` hears in a
    word or two why something was not had, without its address: that names who is being verified.
    """

    def __init__(
        self,
        client: httpx.Client,
        timer: Callable[[], float],
        *,
        private_addresses: bool = False,
        resolve: Resolve = resolve,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._client, self._timer, self._private, self._resolve = client, timer, private_addresses, resolve
        self._tell = tell
        self._crls: dict[str, tuple[float, bytes]] = {}

    def __call__(self, certificate: Certificate, issuer: Certificate) -> Iterator[bytes]:
        """What the places named in `certificate` answer, one by one as asked for: the first may do."""
        urls = revocation_urls(certificate)
        question = make_ocsp_request(certificate, issuer)
        for url in urls.ocsp[:_MOST_URLS]:
            found = self._try(url, question, MAX_OCSP)
            if found is not None:
                yield found
        for url in urls.crls[:_MOST_URLS]:
            found = self._kept(url)
            if found is None and (found := self._try(url, None, MAX_CRL)) is not None:
                self._keep(url, found)
            if found is not None:
                yield found

    def _kept(self, url: str) -> bytes | None:
        """A CRL that was fetched a moment ago: one document asks for the same several times."""
        fetched_at, found = self._crls.get(url, (0.0, None))
        return found if found is not None and self._timer() - fetched_at < _KEPT else None

    def _keep(self, url: str, crl: bytes) -> None:
        if sum(len(held) for _, held in self._crls.values()) + len(crl) > _MOST_KEPT:
            self._crls = {}
        self._crls = {**self._crls, url: (self._timer(), crl)}

    def _try(self, url: str, question: bytes | None, most: int) -> bytes | None:
        try:
            return self._fetch(url, question, most)
        except (NotReached, httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as err:
            self._tell(str(err) if isinstance(err, NotReached) else type(err).__name__)
            return None

    def _fetch(self, url: str, question: bytes | None, most: int) -> bytes:
        request = self._request(url, question)
        began = self._timer()
        response = self._client.send(request, stream=True)
        try:
            if response.status_code != httpx.codes.OK:
                raise NotReached(f"answered {response.status_code}")
            if "content-encoding" in response.headers:
                raise NotReached("packed")  # not asked for, and no telling how large it gets
            parts, size = [], 0
            for part in response.iter_bytes(_CHUNK):
                size += len(part)
                if size > most:
                    raise NotReached("too large")
                if self._timer() - began > LONGEST:
                    raise NotReached("too slow")
                parts.append(part)
            return b"".join(parts)
        finally:
            response.close()

    def _request(self, url: str, question: bytes | None) -> httpx.Request:
        """To the very address that was looked at: a name may mean another one at the next look."""
        parts = urlsplit(url)
        host, usual = parts.hostname, _PORTS.get(parts.scheme)
        if host is None or usual is None or parts.username is not None:
            raise NotReached("not an http address")
        port = parts.port or usual
        if port != usual and not self._private:
            raise NotReached("an unusual port")
        address = self._address(host, port)
        literal = f"[{address}]" if ":" in address else address
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        named = host if port == usual else f"{host}:{port}"
        headers = {"Host": f"[{named}]" if ":" in host else named, "Accept-Encoding": "identity"}
        if question is not None:
            headers["Content-Type"] = "application/ocsp-request"
        return self._client.build_request(
            "GET" if question is None else "POST",
            f"{parts.scheme}://{literal}:{port}{path}",
            content=question,
            headers=headers,
            extensions={"sni_hostname": host},
        )

    def _address(self, host: str, port: int) -> str:
        found = list(self._resolve(host, port))
        if not found:
            raise NotReached("no address")
        for each in found:
            if not self._private and not is_public(each):
                raise NotReached("a private address")
        return found[0]


def open_fetcher(
    timer: Callable[[], float], *, private_addresses: bool, tell: Callable[[str], None] = lambda _: None
) -> RevocationFetcher:
    """A fetcher with a client of its own: no redirects, no proxies of the environment."""
    client = httpx.Client(timeout=httpx.Timeout(5.0), follow_redirects=False, trust_env=False)
    return RevocationFetcher(client, timer, private_addresses=private_addresses, tell=tell)
