"""Asking a witness over HTTP, within bounds of size. The client, made by `server`, bounds the time."""

from __future__ import annotations

import httpx

from trust_registry.errors import FetchFailed
from trust_registry.log.cosigning import Submit
from trust_registry.log.witness import WitnessAnswer

MAX_ANSWER = 64 * 1024


def http_submit(client: httpx.Client, prefix: str) -> Submit:
    """`POST <prefix>/add-checkpoint` over `client`. Raises, when called: FetchFailed."""
    url = f"{prefix.rstrip('/')}/add-checkpoint"

    def submit(body: bytes) -> WitnessAnswer:
        headers = {"Content-Type": "text/plain; charset=utf-8"}
        try:
            with client.stream("POST", url, content=body, headers=headers) as response:
                parts, size = [], 0
                for part in response.iter_bytes():
                    size += len(part)
                    if size > MAX_ANSWER:
                        raise FetchFailed(url, f"larger than {MAX_ANSWER} bytes", too_large=True)
                    parts.append(part)
                return WitnessAnswer(response.status_code, b"".join(parts), response.headers.get("content-type", ""))
        except (httpx.HTTPError, httpx.InvalidURL) as err:
            raise FetchFailed(url, type(err).__name__) from err

    return submit
