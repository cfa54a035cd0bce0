"""The keeper and the lists of other networks: there with the trust data, gone with the entry that named them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from tests.trust_registry.foreign_lists import TrustedList
from tests.trust_registry.test_foreign_copy import ENTRY, ESTONIA, LOCATION, NOW, WEST, Web, view
from trust_registry.client import RefreshResult
from trust_registry.foreign_copy import ForeignCopy
from trust_registry.keeper import TrustKeeper
from trust_registry.model import ForeignListEntry, TrustView
from trust_registry.ports import Fetch


class Store:
    """A trust store whose network says what the test wants."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.says = view()

    def load(self, now: datetime) -> TrustView:
        return self.says

    def refresh(self, fetch: Fetch, now: datetime) -> RefreshResult:
        return RefreshResult(self.says, True)

    def name(self, entries: Sequence[ForeignListEntry]) -> None:
        self.says = view(*entries)


def keeper_of(store: Store, web: Web) -> TrustKeeper:
    return TrustKeeper(store, web, lambda: NOW)  # type: ignore[arg-type]


def numbers(keeper: TrustKeeper) -> dict[tuple[str, str], int]:
    assert keeper.view is not None
    return {(str(naming), str(code)): each.sequence_number for (naming, code), each in keeper.view.foreign.items()}


def test_foreign_lists_come_with_a_refresh_and_stay_over_a_restart(tmp_path: Path) -> None:
    store, web = Store(tmp_path), Web()
    keeper = keeper_of(store, web)
    assert (numbers(keeper), len(keeper.health.foreign)) == ({}, 1)
    web.documents[LOCATION] = TrustedList(sequence=3).sign()
    keeper.refresh_foreign()
    assert (numbers(keeper), keeper.health.foreign) == ({(WEST, ESTONIA): 3}, ())
    web.documents.clear()
    assert numbers(keeper_of(store, web)) == {(WEST, ESTONIA): 3}
    keeper.refresh_foreign()
    assert numbers(keeper) == {(WEST, ESTONIA): 3}
    assert "no such file" in keeper.health.foreign[0].reason


def test_trust_data_that_no_longer_name_the_list_take_it_away_at_once(tmp_path: Path) -> None:
    store, web = Store(tmp_path), Web()
    web.documents[LOCATION] = TrustedList().sign()
    keeper = keeper_of(store, web)
    keeper.refresh_foreign()
    store.name([replace(ENTRY, signers=(b"another",))])
    keeper.refresh_trust()
    assert numbers(keeper) == {}
    assert "signature" in keeper.health.foreign[0].reason


def test_what_was_fetched_for_older_trust_data_is_not_shown_with_newer(tmp_path: Path) -> None:
    """The race: the entry changes while a slow host answers."""
    store, web = Store(tmp_path), Web()
    keeper = keeper_of(store, web)

    class Slow(Web):
        def __call__(self, url: str, /) -> bytes:
            store.name([replace(ENTRY, signers=(b"another",))])
            keeper.refresh_trust()
            return TrustedList().sign()

    slow = keeper_of(store, Slow())
    keeper = slow
    slow.refresh_foreign()
    assert numbers(slow) == {}


def test_nobody_is_asked_where_nothing_is_named(tmp_path: Path) -> None:
    store, web = Store(tmp_path), Web()
    unnamed = replace(view().lists[WEST], foreign=())
    store.says = replace(view(), lists={WEST: unnamed})
    keeper_of(store, web).refresh_foreign()
    assert web.asked == []
    assert ForeignCopy(tmp_path / "foreign").load(store.says, NOW).lists == {}
