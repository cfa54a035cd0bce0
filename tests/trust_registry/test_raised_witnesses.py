"""A verifier that wants more witnesses than before refreshes to them; until then it does not use what has too few."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.trust_registry.logged import WITNESSES, LoggedNetwork, logged_network
from tests.trust_registry.network import west_list
from trust_registry.client import TrustStore
from trust_registry.errors import RefreshRefused, TrustDamaged
from trust_registry.log.verification import LogPolicy


@pytest.fixture
def network(tmp_path: Path) -> LoggedNetwork:
    """Its last publication was cosigned by two of three witnesses, and a copy of that was taken."""
    found = logged_network(tmp_path)
    found.silent = {WITNESSES[2]}
    found.publish(replace(west_list(), authority=replace(west_list().authority, en="A")))
    found.store().refresh(found.fetch, found.now)
    return found


def test_a_copy_with_too_few_witnesses_is_refreshed_to_more(network: LoggedNetwork) -> None:
    wanting = TrustStore(network.store().folder, LogPolicy(3))
    with pytest.raises(TrustDamaged, match="needs 3 witnesses"):
        wanting.load(network.now)
    with pytest.raises(RefreshRefused, match="needs 3 witnesses"):
        wanting.refresh(network.fetch, network.now)
    with pytest.raises(TrustDamaged, match="needs 3 witnesses"):
        wanting.logged()
    network.silent = set()
    network.publish(replace(west_list(), authority=replace(west_list().authority, en="B")))
    assert wanting.refresh(network.fetch, network.now).changed
    assert wanting.load(network.now).lists["990200"].authority.en == "B"  # type: ignore[index]


def test_the_same_state_with_more_witnesses_is_fetched_again(network: LoggedNetwork) -> None:
    from trust_registry.publication import renew

    network.silent = set()
    renew(network.repository, network.online, network.now)  # asks those that were silent; changes nothing else
    wanting = TrustStore(network.store().folder, LogPolicy(3))
    assert wanting.refresh(network.fetch, network.now).changed
    assert wanting.load(network.now).lists


def test_a_damaged_copy_stays_damaged_whatever_is_wanted(network: LoggedNetwork) -> None:
    store = network.store()
    proof = store.metadata_folder / "snapshot.tlog-proof"
    proof.write_bytes(proof.read_bytes().replace(b"\n", b"\r\n"))
    for policy in (LogPolicy(), LogPolicy(3)):
        with pytest.raises(TrustDamaged):
            TrustStore(store.folder, policy).refresh(network.fetch, network.now)
