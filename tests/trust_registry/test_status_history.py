"""Asking how a status list stood: believed only for the time that was asked (Token Status List section 8.4)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from tests.trust_registry.network import DAY, DAY_0, EAST, STATUS_URI, everyone, office
from trust_registry.errors import FetchFailed
from trust_registry.model import StatusProblem, StatusProblemKind, StatusSnapshot
from trust_registry.status_history import fetch_status_then
from trust_registry.status_list import MAX_TOKEN_SIZE, make_status_token, new_status_list

NOW = DAY_0 + 30 * DAY
THEN = DAY_0 + 2 * DAY + timedelta(hours=6, microseconds=5)


def token(issued_at: datetime, lifetime: timedelta = DAY, uri: str = STATUS_URI) -> bytes:
    return make_status_token(
        new_status_list(16).freeze(),
        uri=uri,
        signer=office(EAST).status_signer,
        issued_at=issued_at,
        expires_at=issued_at + lifetime,
        ttl=timedelta(minutes=5),
    ).encode()


def asked(answer: bytes | FetchFailed, uri: str = STATUS_URI) -> tuple[StatusSnapshot | StatusProblem, list[str]]:
    urls: list[str] = []

    def fetch(url: str, /) -> bytes:
        urls.append(url)
        if isinstance(answer, FetchFailed):
            raise answer
        return answer

    return fetch_status_then(uri, THEN, fetch, everyone(), NOW), urls


def test_the_list_of_that_time_is_believed() -> None:
    found, urls = asked(token(THEN - timedelta(hours=3)))
    assert isinstance(found, StatusSnapshot)
    assert found.fetched_at == NOW
    assert urls == [f"{STATUS_URI}?time={int(THEN.timestamp())}"]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (token(NOW), StatusProblemKind.FORGED),
        (token(THEN + timedelta(minutes=5)), StatusProblemKind.UNREACHABLE),
        (token(THEN - 2 * DAY), StatusProblemKind.UNREACHABLE),
        (token(THEN, uri=STATUS_URI + "x"), StatusProblemKind.MISPLACED),
        (b"<html>", StatusProblemKind.MALFORMED),
        (b"x" * (MAX_TOKEN_SIZE + 1), StatusProblemKind.MALFORMED),
        (FetchFailed(STATUS_URI, "answered 501"), StatusProblemKind.UNREACHABLE),
    ],
    ids=["today's", "a little later", "expired by then", "another list's", "no list", "too large", "not offered"],
)
def test_8_4_the_client_must_reject_what_was_not_in_force_then(
    answer: bytes | FetchFailed, kind: StatusProblemKind
) -> None:
    found, _ = asked(answer)
    assert isinstance(found, StatusProblem)
    assert found.kind is kind


def test_nobody_is_asked_whom_no_list_names() -> None:
    found, urls = asked(token(THEN), "https://elsewhere.example/1")
    assert isinstance(found, StatusProblem)
    assert (found.kind, urls) == (StatusProblemKind.MISPLACED, [])


def test_an_address_with_a_query_keeps_it() -> None:
    _, urls = asked(token(THEN), STATUS_URI + "?a=b")
    assert urls == [f"{STATUS_URI}?a=b&time={int(THEN.timestamp())}"]
