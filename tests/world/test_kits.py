"""A village counter without a network: it judges by a kit, says how old that is, and is brought up to date."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from keys.algorithms import ES256
from keys.signer import EphemeralSigner
from tests.verifier.small_world import receipt_key
from tests.world.asserting import assert_verdict
from tests.world.founding import DAY, DAY_0, HOUSEHOLD_TRANSFER
from tests.world.simulator import Region, World
from trust_registry.bundle import INDEX
from trust_registry.catalogue import MARRIAGE_CERTIFICATE as MARRIAGE
from trust_registry.client import TrustStore
from trust_registry.model import (
    CertificateStatus,
    EntryReason,
    EntryStatus,
    RegionCode,
    RelyingPartyEntry,
    StatusChange,
    StatusNote,
    StatusReason,
)
from trust_registry.status_list import make_status_token, new_status_list
from trust_registry.status_notes import pack_notes
from verifier.errors import KitRefused
from verifier.kit_trust import build_kit, open_kit
from verifier.kits import apply_delta, make_delta, make_kit, read_kit
from verifier.model import Indication, Report
from verifier.receipts import ReceiptKey
from verifier.service import PolicyRequest, VerifierService

HOUR = timedelta(hours=1)


def hall(region: Region) -> ReceiptKey:
    return ReceiptKey(region.custody.hall.signer, region.custody.hall.certificate)


def kit_of(region: Region, key: ReceiptKey | None = None) -> bytes:
    """What the region's own counter, online, packs for those that are not."""
    region.counter.refresh()
    store = TrustStore(region.world.folder / "copies" / f"{region.slug} counter")
    return build_kit(store, region.code, key or hall(region), region.world.now)


def judged(world: World, region: Region, kit: bytes, evidence: bytes | str) -> Report:
    """A machine that has nothing but the kit and the network's first root."""
    opened = open_kit(read_kit(kit), world.network.repository.first_root(), world.now)
    service = VerifierService(trust=lambda: opened.trust, statuses=lambda: opened.statuses, now=world.clock)
    return service.verify(evidence, PolicyRequest(region.code, HOUSEHOLD_TRANSFER))


def test_every_rendering_is_judged_by_the_kit_alone(world: World, east: Region, west: Region) -> None:
    certificate = east.office("civil-affairs").issue(MARRIAGE)
    west.verify(certificate.qr)
    kit = kit_of(west)
    world.turn_to(DAY_0 + HOUR)
    for rendering in certificate.renderings:
        report = judged(world, west, kit, rendering)
        assert report.indication is Indication.PASSED
        assert report.freshness.trust_age == HOUR


def test_a_kit_says_how_old_it_is_and_in_time_knows_nothing_more(world: World, east: Region, west: Region) -> None:
    certificate = east.office("civil-affairs").issue(MARRIAGE)
    west.verify(certificate.qr)
    kit = kit_of(west)
    world.turn_to(DAY_0 + 30 * DAY)
    assert_verdict(judged(world, west, kit, certificate.qr), "INDETERMINATE", "TRY_LATER", "status_stale")


def test_a_revocation_arrives_by_delta(world: World, east: Region, west: Region) -> None:
    office = east.office("civil-affairs")
    certificate, other = office.issue(MARRIAGE), office.issue(MARRIAGE)
    west.verify(certificate.qr)
    monday = kit_of(west)
    world.turn_to(DAY_0 + DAY)
    office.revokes(certificate)
    delta = make_delta(read_kit(monday), read_kit(kit_of(west)))
    assert len(delta) < len(monday) / 2
    tuesday = apply_delta(read_kit(monday), delta)
    assert_verdict(judged(world, west, tuesday, certificate.qr), "FAILED", "REVOKED", "status_revoked_because")
    assert judged(world, west, tuesday, other.qr).indication is Indication.PASSED


def test_a_kit_signed_by_somebody_else_is_refused(world: World, east: Region, west: Region) -> None:
    """Whole inside, and put together by a stranger, who may have left out what does not suit him."""
    east.office("civil-affairs").issue(MARRIAGE)
    kit = read_kit(kit_of(west))
    stranger = make_kit(
        kit.files,
        region=west.code,
        first_root=world.network.repository.first_root(),
        confirmed_at=world.now,
        made_at=world.now,
        key=hall(east),
    )
    with pytest.raises(KitRefused, match="does not list the key"):
        open_kit(read_kit(stranger), world.network.repository.first_root(), world.now)
    with pytest.raises(KitRefused, match="does not list the key"):
        kit_of(west, hall(east))


def test_a_stolen_key_makes_no_new_kit_and_old_data_no_younger(world: World, east: Region, west: Region) -> None:
    """Who knows of the theft refuses; who doesn't is held to the dates that the network's host signed."""
    before = read_kit(kit_of(west))
    world.turn_to(DAY_0 + 40 * DAY)
    west.publish(lambda list_: replace(list_, relying_parties=(stolen(list_.relying_parties[0], world.now),)))
    with pytest.raises(KitRefused, match="does not list the key"):
        kit_of(west)
    index = json.loads(before.files[INDEX])
    index["confirmed_at"] = world.now.isoformat()
    root = world.network.repository.first_root()
    forged = make_kit(
        {**before.files, INDEX: json.dumps(index).encode()},
        region=west.code,
        first_root=root,
        confirmed_at=world.now,
        made_at=world.now,
        key=hall(west),
    )
    opened = open_kit(read_kit(forged), root, world.now)
    assert opened.trust.refreshed_at < world.now - 30 * DAY


def stolen(party: RelyingPartyEntry, at: datetime) -> RelyingPartyEntry:
    (key,) = party.keys
    change = StatusChange(EntryStatus.WITHDRAWN, at, EntryReason.KEY_COMPROMISE)
    return replace(party, keys=(replace(key, history=(*key.history, change)),))


def test_a_kit_of_another_network_is_refused(world: World, east: Region, west: Region) -> None:
    other = EphemeralSigner.generate(ES256).public_key.spki
    with pytest.raises(KitRefused, match="another network"):
        open_kit(read_kit(kit_of(west)), other, world.now)


def test_a_kit_from_the_future_is_refused(world: World, east: Region, west: Region) -> None:
    kit = read_kit(kit_of(west))
    with pytest.raises(KitRefused, match="future"):
        open_kit(kit, world.network.repository.first_root(), world.now - DAY)


def test_a_region_that_is_not_there_gets_no_kit(world: World, east: Region, west: Region) -> None:
    west.counter.refresh()
    store = TrustStore(world.folder / "copies" / "xichuan counter")
    with pytest.raises(KitRefused, match="not in this copy"):
        build_kit(store, RegionCode("990900"), hall(west), world.now)


def test_ten_million_certificates_at_one_per_cent_revoked_fit_in_three_mebibytes() -> None:
    """Ten lists of 2^20, each revoked entry with its reason and day: what one large region adds to a kit."""
    signer, drawn = EphemeralSigner.generate(ES256), random.Random(20261122)
    now = datetime(2026, 11, 22, tzinfo=UTC)
    files = {}
    reasons = list(StatusReason)
    for number in range(10):
        builder = new_status_list(1 << 20)
        notes = {}
        for index in drawn.sample(range(1 << 20), (1 << 20) // 100):
            builder.set(index, CertificateStatus.INVALID)
            notes[index] = StatusNote(drawn.choice(reasons), now - timedelta(seconds=drawn.randrange(10 * 365 * 86400)))
        statuses = builder.freeze()
        token = make_status_token(
            statuses,
            uri=f"https://status.example/990100/civil-affairs/{number}",
            signer=signer,
            issued_at=now,
            expires_at=now + DAY,
            ttl=HOUR,
            notes=pack_notes(notes),
        )
        files[f"status/{number}.jwt"] = token.encode()
    kit = make_kit(files, region=RegionCode("990200"), first_root=b"", confirmed_at=now, made_at=now, key=receipt_key())
    assert len(kit) < 3 << 20
    assert len(kit) > 100 << 10, "entropy alone needs more: the lists are not what they should be"
