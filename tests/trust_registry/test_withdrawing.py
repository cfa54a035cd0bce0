"""A proposal taken back before it is published: it stays on record; not what others sign for, not once decided."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.trust_registry.logged import WITNESSES, LoggedNetwork, logged_network
from tests.trust_registry.network import EAST, WEST, west_list
from trust_registry.ceremony import is_about, pending, propose, renew_network, sign, withdraw
from trust_registry.errors import NotAnOfficer, ProposalDecided, UnknownProposal
from trust_registry.model import Names
from trust_registry.publication import publish


@pytest.fixture
def network(tmp_path: Path) -> LoggedNetwork:
    return logged_network(tmp_path)


def proposed(network: LoggedNetwork) -> str:
    edited = replace(west_list(), authority=Names("西川区数据管理局", "Xichuan Data Office"))
    return propose(network.repository, edited, network.now).id


def test_what_is_withdrawn_waits_no_more_and_stays_on_record(network: LoggedNetwork) -> None:
    made = proposed(network)
    sign(network.repository, made, network.signers[WEST][0])
    withdraw(network.repository, made, WEST, network.now)
    assert pending(network.repository) == ()
    (kept,) = network.repository.withdrawn.iterdir()
    assert json.loads((kept / "withdrawn.json").read_bytes())["by"] == WEST
    assert len(list((kept / "signatures").iterdir())) == 1
    with pytest.raises(UnknownProposal):
        withdraw(network.repository, made, WEST, network.now)
    assert [each.id for each in pending(network.repository)] == []
    assert proposed(network) == made  # the same change can be proposed again, and withdrawn again
    withdraw(network.repository, made, WEST, network.now)
    assert pending(network.repository) == ()


def test_nobody_withdraws_what_others_sign_for(network: LoggedNetwork) -> None:
    made, renewal = proposed(network), renew_network(network.repository, network.now).id
    for proposal_id, code in ((made, EAST), (renewal, WEST)):
        with pytest.raises(NotAnOfficer):
            withdraw(network.repository, proposal_id, code, network.now)
    assert {each.id for each in pending(network.repository)} == {made, renewal}
    assert not is_about((), WEST)
    assert not is_about(("targets", f"region-{WEST}"), WEST)


def test_what_the_log_holds_already_is_not_withdrawn(network: LoggedNetwork) -> None:
    made = proposed(network)
    for signer in network.signers[WEST]:
        sign(network.repository, made, signer)
    network.silent = set(WITNESSES)
    assert not publish(network.repository, made, network.online, network.now).in_force
    with pytest.raises(ProposalDecided):
        withdraw(network.repository, made, WEST, network.now)
