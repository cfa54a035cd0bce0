"""Reading URLs within bounds; nothing leaves its folder, nothing is read without end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from trust_registry.errors import FetchFailed
from trust_registry.fetching import folder_fetch, http_fetch


def answering(answer: Callable[[httpx.Request], httpx.Response], max_size: int = 100) -> Callable[[str], bytes]:
    return http_fetch(httpx.Client(transport=httpx.MockTransport(answer)), max_size=max_size)


def test_an_answer_is_read_whole() -> None:
    assert answering(lambda _: httpx.Response(200, content=b"data"))("http://x.test/a") == b"data"


@pytest.mark.parametrize(("status", "missing"), [(404, True), (403, True), (410, True), (500, False), (302, False)])
def test_every_other_answer_is_a_failure_that_says_whether_there_is_nothing(status: int, missing: bool) -> None:
    with pytest.raises(FetchFailed, match=f"http://x.test/a: answered {status}") as failure:
        answering(lambda _: httpx.Response(status))("http://x.test/a")
    assert failure.value.missing is missing


def test_an_endless_answer_is_cut_off() -> None:
    with pytest.raises(FetchFailed, match="larger than 100"):
        answering(lambda _: httpx.Response(200, content=b"x" * 101))("http://x.test/a")


def test_no_answer_is_a_failure() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectTimeout("slow", request=request)

    with pytest.raises(FetchFailed, match="ConnectTimeout"):
        answering(refuse)("http://x.test/a")
    with pytest.raises(FetchFailed):
        answering(refuse)("http://[broken/")


def test_folders_stand_for_urls_and_nothing_outside_is_read(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a b").write_bytes(b"inside")
    (tmp_path / "secret").write_bytes(b"outside")
    fetch = folder_fetch({"http://x.test/": tmp_path / "in"})
    assert fetch("http://x.test/a%20b") == b"inside"
    for url in ("http://x.test/../secret", "http://x.test/%2e%2e/secret", "http://x.test//../../secret"):
        with pytest.raises(FetchFailed, match="outside"):
            fetch(url)
    with pytest.raises(FetchFailed) as failure:
        fetch("http://x.test/absent")
    assert failure.value.missing
    with pytest.raises(FetchFailed):
        fetch("http://x.test/")
    with pytest.raises(FetchFailed, match="any of the folders"):
        fetch("http://y.test/")
    assert folder_fetch({}, lambda url: url.encode())("http://y.test/") == b"http://y.test/"
