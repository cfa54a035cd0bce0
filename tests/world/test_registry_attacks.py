"""Whoever holds the host, or one region, or one officer: what they publish is refused, and the old copy stays."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest

from tests.world.founding import DAY, DAY_0, HOUSEHOLD_TRANSFER
from tests.world.simulator import Region, World
from trust_registry import publication
from trust_registry.catalogue import MARRIAGE_CERTIFICATE as MARRIAGE
from trust_registry.ceremony import propose, sign
from trust_registry.errors import HistoryRewritten, NotAnOfficer, ThresholdNotReached
from trust_registry.model import EntryReason, RegionList
from trust_registry.publication import publish
from verifier.model import Indication


def failure(region: Region) -> str:
    region.counter.refresh()
    return region.counter.keeper.health.failure or ""


def test_rollback_to_before_a_withdrawal_is_refused(world: World, east: Region, west: Region) -> None:
    certificate = east.office("civil-affairs").issue(MARRIAGE)
    public = world.network.repository.folder / "public"
    shutil.copytree(public, world.folder / "kept by the attacker")
    east.withdraw(certificate.seal, at=DAY_0 + DAY, reason=EntryReason.KEY_COMPROMISE)
    assert west.verify(certificate.qr).indication is Indication.INDETERMINATE

    shutil.rmtree(public)
    shutil.copytree(world.folder / "kept by the attacker", public)
    assert failure(west).startswith("RefreshRefused")
    report = west.counter.verify(certificate.qr)
    assert report.decisive is not None
    assert report.decisive.code == "key_compromised"  # judged by the old copy, which knows better


def test_a_region_cannot_rewrite_its_own_history(
    world: World, east: Region, west: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = east.office("civil-affairs").issue(MARRIAGE)
    east.withdraw(certificate.seal, at=DAY_0 + DAY, reason=EntryReason.KEY_COMPROMISE)
    west.verify(certificate.qr)

    def forgetting(list_: RegionList) -> RegionList:
        issuers = (replace(i, seals=tuple(replace(s, history=s.history[:1]) for s in i.seals)) for i in list_.attests)
        return replace(list_, attests=tuple(issuers))

    with pytest.raises(HistoryRewritten):
        east.publish(forgetting)
    monkeypatch.setattr(publication, "check_history", lambda *_: None)  # a host that looks away
    east.publish(forgetting)
    assert failure(west) == ""
    view = west.counter.keeper.view
    assert view is not None
    assert "rewrites history" in view.held[east.code].reason
    report = west.counter.verify(certificate.qr)
    assert report.decisive is not None
    assert report.decisive.code == "key_compromised"


def test_a_region_cannot_speak_for_another(world: World, east: Region, west: Region) -> None:
    """West's officers sign a list of the east with the west's CA among its authorities."""
    west_ca = west.list.authorities[0]
    forged = replace(east.list, authorities=(*east.list.authorities, west_ca))
    draft = propose(world.network.repository, forged, world.now)
    for officer in world.network.signers[west.code]:
        with pytest.raises(NotAnOfficer):
            sign(world.network.repository, draft.id, officer)
    with pytest.raises(ThresholdNotReached):
        publish(world.network.repository, draft.id, world.network.online, world.now)
    west.counter.refresh()
    assert west.counter.keeper.view is not None
    assert west_ca not in west.counter.keeper.view.lists[east.code].authorities


def test_a_host_that_publishes_it_all_the_same_is_refused(
    world: World, east: Region, west: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    west.counter.refresh()
    forged = replace(east.list, names=replace(east.list.names, en="Dongling, says the host"))
    draft = propose(world.network.repository, forged, world.now)
    monkeypatch.setattr(publication, "progress_of", lambda *_: ())
    publish(world.network.repository, draft.id, world.network.online, world.now)
    assert failure(west).startswith("RefreshRefused")
    assert west.counter.keeper.view is not None
    assert west.counter.keeper.view.lists[east.code].names.en == "Dongling"


def test_one_officer_alone_publishes_nothing(world: World, east: Region, west: Region) -> None:
    changed = replace(west.list, recognises=())
    with pytest.raises(HistoryRewritten):
        propose(world.network.repository, changed, world.now)
    changed = replace(west.list, names=replace(west.list.names, en="Xichuan, says one officer"))
    draft = propose(world.network.repository, changed, world.now)
    sign(world.network.repository, draft.id, world.network.signers[west.code][0])
    with pytest.raises(ThresholdNotReached):
        publish(world.network.repository, draft.id, world.network.online, world.now)


def test_a_frozen_host_is_noticed_by_age(world: World, east: Region, west: Region) -> None:
    """Freeze: the host answers, but with what it said long ago. The copy's metadata expire, the view is not renewed."""
    certificate = east.office("civil-affairs").issue(MARRIAGE)
    assert west.verify(certificate.qr, scenario=HOUSEHOLD_TRANSFER).indication is Indication.PASSED
    world.now = DAY_0 + 20 * DAY  # nobody renews anything
    assert failure(west)
    report = west.counter.verify(certificate.qr)
    assert report.indication is Indication.INDETERMINATE
    assert report.freshness.trust_age == 20 * DAY
