from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.wallet_api.town import Town, open_engine


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    engine = open_engine(tmp_path)
    yield Town(engine)
    engine.dispose()


@pytest.fixture
def any_town(engine: Engine) -> Town:
    """On the server's own migrated schema: SQLite, then PostgreSQL."""
    return Town(engine)
