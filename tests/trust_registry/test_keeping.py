"""Status lists kept for offline use, and the keeper that a running process judges by."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from keys.algorithms import ES256
from keys.signer import EphemeralSigner, Signer
from tests.trust_registry.network import (
    DAY,
    DAY_0,
    EAST,
    STATUS_BASE,
    STATUS_URI,
    URL,
    Network,
    everyone,
    office,
    view_of,
    west_list,
    whole_network,
)
from trust_registry.client import TrustStore
from trust_registry.errors import FetchFailed
from trust_registry.fetching import folder_fetch
from trust_registry.keeper import TrustKeeper
from trust_registry.model import CertificateStatus, StatusProblem, StatusProblemKind, StatusSnapshot, StatusView
from trust_registry.status_cache import StatusCache, announced_lists
from trust_registry.status_list import make_status_token, new_status_list, status_at_index

NOW = DAY_0 + DAY
HOUR = timedelta(hours=1)
OTHER_URI = STATUS_BASE + "2.jwt"


def token(
    issued_at: datetime = NOW,
    *,
    uri: str = STATUS_URI,
    signer: Signer | None = None,
    revoked: int = 3,
    lifetime: timedelta = DAY,
    ttl: timedelta = HOUR,
) -> bytes:
    builder = new_status_list(16)
    builder.set(revoked, CertificateStatus.INVALID)
    return make_status_token(
        builder.freeze(),
        uri=uri,
        signer=signer or office(EAST).status_signer,
        issued_at=issued_at,
        expires_at=issued_at + lifetime,
        ttl=ttl,
    ).encode()


class Host:
    """Answers URLs, counts what it is asked, can fall silent."""

    def __init__(self, **pages: bytes) -> None:
        self.pages: dict[str, bytes] = dict(pages)
        self.asked: list[str] = []
        self.silent = False

    def __call__(self, url: str, /) -> bytes:
        self.asked.append(url)
        if self.silent:
            raise FetchFailed(url, "timed out")
        if url not in self.pages:
            raise FetchFailed(url, "answered 404", missing=True)
        return self.pages[url]


@pytest.fixture
def host() -> Host:
    found = Host()
    found.pages[STATUS_URI] = token()
    return found


def snapshot(view: StatusView, uri: str = STATUS_URI) -> StatusSnapshot:
    found = view.get(uri)
    assert isinstance(found, StatusSnapshot)
    return found


def problem(view: StatusView, uri: str = STATUS_URI) -> StatusProblem:
    found = view.get(uri)
    assert isinstance(found, StatusProblem)
    return found


def test_a_kept_list_is_verified_again_offline(tmp_path: Path, host: Host) -> None:
    StatusCache(tmp_path).refresh([STATUS_URI], host, everyone(), NOW)
    again = snapshot(StatusCache(tmp_path).load(everyone(), NOW + 5 * DAY))
    assert again.fetched_at == NOW
    assert status_at_index(again.statuses, 3) is CertificateStatus.INVALID


def test_a_kept_list_is_believed_only_as_far_as_the_view_believes_it(tmp_path: Path, host: Host) -> None:
    StatusCache(tmp_path).refresh([STATUS_URI], host, everyone(), NOW)
    assert problem(StatusCache(tmp_path).load(view_of(west_list()), NOW)).kind is StatusProblemKind.MISPLACED


def test_an_altered_kept_list_is_a_forgery(tmp_path: Path, host: Host) -> None:
    StatusCache(tmp_path).refresh([STATUS_URI], host, everyone(), NOW)
    (path,) = tmp_path.glob("*.jwt")
    path.write_bytes(token(signer=EphemeralSigner.generate(ES256)))
    assert problem(StatusCache(tmp_path).load(everyone(), NOW)).kind is StatusProblemKind.FORGED


@pytest.mark.parametrize("facts", [b"", b"[]", b'{"uri": "x"}', b'{"uri": "x", "fetched_at": "soon"}'])
def test_a_half_made_copy_says_nothing(tmp_path: Path, facts: bytes) -> None:
    (tmp_path / "x.json").write_bytes(facts)
    assert StatusCache(tmp_path).load(everyone(), NOW).entries == {}


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (None, StatusProblemKind.UNREACHABLE),
        (b"<html>maintenance</html>", StatusProblemKind.MALFORMED),
        (token(signer=EphemeralSigner.generate(ES256)), StatusProblemKind.FORGED),
        (token(uri=OTHER_URI), StatusProblemKind.MISPLACED),
        (b"A" * (8 * 1024 * 1024 + 1), StatusProblemKind.MALFORMED),
    ],
    ids=["unreachable", "no token", "forged", "another list", "too large"],
)
def test_every_failure_is_a_value_and_an_older_good_list_stays(
    tmp_path: Path, answer: bytes | None, kind: StatusProblemKind
) -> None:
    cache, host = StatusCache(tmp_path), Host()
    if answer is not None:
        host.pages[STATUS_URI] = answer
    assert problem(cache.refresh([STATUS_URI], host, everyone(), NOW)).kind is kind
    host.pages[STATUS_URI] = token()
    good = snapshot(cache.refresh([STATUS_URI], host, everyone(), NOW))
    host.pages.pop(STATUS_URI)
    if answer is not None:
        host.pages[STATUS_URI] = answer
    assert snapshot(cache.refresh([STATUS_URI], host, everyone(), NOW + HOUR)) == good


def test_an_older_list_replayed_does_not_undo_a_revocation(tmp_path: Path, host: Host) -> None:
    cache = StatusCache(tmp_path)
    host.pages[STATUS_URI] = token(NOW, revoked=5)
    cache.refresh([STATUS_URI], host, everyone(), NOW)
    host.pages[STATUS_URI] = token(NOW - HOUR, revoked=6)
    kept = snapshot(cache.refresh([STATUS_URI], host, everyone(), NOW + HOUR))
    assert status_at_index(kept.statuses, 5) is CertificateStatus.INVALID
    assert kept.fetched_at == NOW


def test_an_address_that_no_issuer_stands_for_is_never_called(tmp_path: Path, host: Host) -> None:
    """The attack: a forged certificate chooses whom the verifier calls."""
    found = StatusCache(tmp_path).refresh(["http://169.254.169.254/x"], host, everyone(), NOW)
    assert problem(found, "http://169.254.169.254/x").kind is StatusProblemKind.MISPLACED
    assert host.asked == []


def test_issuers_announce_their_lists(host: Host) -> None:
    """Token Status List section 9.3."""
    announcement = STATUS_BASE + "aggregation.json"
    assert announced_lists(everyone(), host) == ()
    for nonsense in (b"", b"[]", b'{"status_lists": 7}', b'{"status_lists": [7, "http://evil.test/1"]}'):
        host.pages[announcement] = nonsense
        assert announced_lists(everyone(), host) == ()
    host.pages[announcement] = json.dumps({"status_lists": [STATUS_URI, OTHER_URI, STATUS_URI]}).encode()
    assert announced_lists(everyone(), host) == (STATUS_URI, OTHER_URI)


class Clock:
    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at


class Desk:
    """A verifier over a whole network: registry from its folder, status lists from a host."""

    def __init__(self, network: Network, host: Host) -> None:
        self.network, self.host, self.clock = network, host, Clock(DAY_0)
        self.store = network.store()
        self.keeper = self.keep()

    def keep(self) -> TrustKeeper:
        registry = folder_fetch({URL: self.network.repository.folder / "public"}, self.host)
        return TrustKeeper(self.store, registry, self.clock)


@pytest.fixture
def desk(tmp_path: Path, host: Host) -> Desk:
    return Desk(whole_network(tmp_path), host)


def test_a_keeper_starts_with_nothing_and_says_why(desk: Desk) -> None:
    assert desk.keeper.view is None
    assert desk.keeper.health.failure is not None
    assert "nothing has been fetched" in desk.keeper.health.failure
    desk.keeper.ensure_status(STATUS_URI)
    assert desk.keeper.statuses.entries == {}


def test_a_refresh_brings_trust_and_announced_lists(desk: Desk) -> None:
    desk.clock.at = NOW
    desk.host.pages[STATUS_BASE + "aggregation.json"] = json.dumps({"status_lists": [STATUS_URI]}).encode()
    desk.keeper.refresh()
    assert desk.keeper.view is not None
    assert desk.keeper.health.refreshed_at == NOW
    assert desk.keeper.health.failure is None
    assert snapshot(desk.keeper.statuses).fetched_at == NOW


def test_a_restarted_keeper_judges_by_what_it_kept_without_a_network(desk: Desk) -> None:
    desk.clock.at = NOW
    desk.keeper.refresh()
    desk.keeper.ensure_status(STATUS_URI)
    desk.host.silent = True
    desk.clock.at = NOW + DAY
    again = TrustKeeper(TrustStore(desk.store.folder), desk.host, desk.clock)
    assert again.view is not None
    assert again.view.refreshed_at == NOW
    assert snapshot(again.statuses).fetched_at == NOW


def test_a_failed_refresh_keeps_the_view_and_tells(desk: Desk) -> None:
    desk.clock.at = NOW
    desk.keeper.refresh()
    before = desk.keeper.view
    desk.clock.at = NOW + 30 * DAY  # nobody renewed: what the repository has is expired
    desk.keeper.refresh()
    assert desk.keeper.view is before
    assert desk.keeper.health.failure is not None
    assert "expired" in desk.keeper.health.failure


def test_a_status_list_is_fetched_when_missing_or_past_its_ttl_and_not_before(desk: Desk) -> None:
    desk.clock.at = NOW
    desk.keeper.refresh()
    desk.host.asked.clear()
    desk.keeper.ensure_status(STATUS_URI)
    desk.clock.at = NOW + timedelta(minutes=59)
    desk.keeper.ensure_status(STATUS_URI)
    assert desk.host.asked == [STATUS_URI]
    desk.clock.at = NOW + HOUR
    desk.keeper.ensure_status(STATUS_URI)
    assert desk.host.asked == [STATUS_URI, STATUS_URI]


@pytest.mark.parametrize(
    ("lifetime", "ttl", "due"),
    [(HOUR, 9 * DAY, HOUR), (99 * DAY, 9 * DAY, DAY)],
    ids=["expired before its ttl", "a ttl beyond reason"],
)
def test_an_expired_list_is_fetched_again_whatever_its_ttl(
    desk: Desk, lifetime: timedelta, ttl: timedelta, due: timedelta
) -> None:
    """Token Status List section 13.7: past exp a list MUST NOT be relied upon; ttl and exp SHOULD be within reason."""
    desk.host.pages[STATUS_URI] = token(lifetime=lifetime, ttl=ttl)
    desk.clock.at = NOW
    desk.keeper.refresh()
    desk.keeper.ensure_status(STATUS_URI)
    desk.host.asked.clear()
    desk.clock.at = NOW + due - timedelta(seconds=1)
    desk.keeper.ensure_status(STATUS_URI)
    assert desk.host.asked == []
    desk.clock.at = NOW + due
    desk.keeper.ensure_status(STATUS_URI)
    assert desk.host.asked == [STATUS_URI]


def test_a_silent_host_is_not_hammered(desk: Desk) -> None:
    desk.clock.at = NOW
    desk.keeper.refresh()
    desk.host.silent = True
    desk.host.asked.clear()
    for _ in range(5):
        desk.keeper.ensure_status(STATUS_URI)
    assert problem(desk.keeper.statuses).kind is StatusProblemKind.UNREACHABLE
    assert desk.host.asked == [STATUS_URI]
    desk.host.silent = False
    desk.clock.at = NOW + timedelta(seconds=11)
    desk.keeper.ensure_status(STATUS_URI)
    assert snapshot(desk.keeper.statuses).fetched_at == desk.clock.at


def test_what_this_process_publishes_is_known_at_once(desk: Desk) -> None:
    desk.clock.at = NOW
    desk.keeper.refresh()
    desk.keeper.ensure_status(STATUS_URI)
    desk.host.pages[STATUS_URI] = token(NOW + timedelta(seconds=1), revoked=7)
    desk.clock.at = NOW + timedelta(seconds=1)
    desk.keeper.status_changed(STATUS_URI)
    assert status_at_index(snapshot(desk.keeper.statuses).statuses, 7) is CertificateStatus.INVALID


def test_forged_evidence_cannot_fill_the_memory(desk: Desk) -> None:
    """The attack: thousands of forged codes, each naming a status list of its own."""
    desk.clock.at = NOW
    desk.keeper.refresh()
    desk.keeper.ensure_status(STATUS_URI)
    for number in range(1500):
        desk.keeper.ensure_status(f"{STATUS_BASE}{number}-forged.jwt")
    assert len(desk.keeper.statuses.entries) <= 1025
    assert snapshot(desk.keeper.statuses).uri == STATUS_URI


def test_a_younger_list_found_meanwhile_is_kept(desk: Desk) -> None:
    desk.clock.at = NOW
    desk.keeper.refresh()
    registry = folder_fetch({URL: desk.network.repository.folder / "public"}, desk.host)
    desk.clock.at = NOW + HOUR

    def another_thread_was_faster(url: str) -> bytes:
        if url.endswith("aggregation.json"):
            desk.keeper.status_changed(STATUS_URI)
        return registry(url)

    slow = TrustKeeper(desk.store, another_thread_was_faster, desk.clock)
    desk.keeper = slow
    slow.ensure_status(STATUS_URI)
    slow.refresh()
    assert snapshot(slow.statuses).fetched_at == NOW + HOUR
