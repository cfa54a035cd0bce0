"""A small world for each test; its keys are made once."""

from __future__ import annotations

import pytest

from tests.verifier.small_world import SmallWorld


@pytest.fixture
def world() -> SmallWorld:
    return SmallWorld()
