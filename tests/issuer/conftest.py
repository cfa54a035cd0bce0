"""Offices for the issuer's stories."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.issuer.copying import Desk
from tests.issuer.office import Office, open_office


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with open_office(f"sqlite:///{tmp_path}/issuer.db", tmp_path / "status") as opened:
        yield opened


@pytest.fixture
def desk(office: Office) -> Desk:
    return Desk(office)


@pytest.fixture
def both(database_url: str, tmp_path: Path) -> Iterator[Desk]:
    with open_office(database_url, tmp_path / "status", list_size=64) as opened:
        yield Desk(opened)
