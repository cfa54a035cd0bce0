from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.wallet_api.town import Town


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = Town(tmp_path)
    yield made
    made.engine.dispose()
