"""A world for each story; founded once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.world.case_files import ARCHIVED
from tests.world.founding import HOUSEHOLD_TRANSFER, Founded, found_world
from tests.world.simulator import Issued, Region, World
from trust_registry.catalogue import MARRIAGE_CERTIFICATE


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Founded:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        return found_world(tmp_path_factory.mktemp("founded"))


@pytest.fixture
def world(founded: Founded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(os, "fsync", lambda _: None)  # nobody's power fails here: tests/torture is about that
    made = World(founded, tmp_path)
    yield made
    made.close()


@pytest.fixture
def east(world: World) -> Region:
    return world.region("dongling")


@pytest.fixture
def west(world: World, east: Region) -> Region:
    """Takes the east's marriage certificates for household transfers."""
    region = world.region("xichuan")
    region.recognises(east, MARRIAGE_CERTIFICATE, scenario=HOUSEHOLD_TRANSFER)
    return region


@pytest.fixture
def certificate(world: World, east: Region, west: Region) -> Issued:
    """Issued, and a day later shown at the counter."""
    made = east.office("civil-affairs").issue(MARRIAGE_CERTIFICATE)
    world.turn_to(ARCHIVED)
    return made
