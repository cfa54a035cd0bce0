"""One issuer for all of a module's stories: each takes a certificate of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.issuer.office import DAY_0
from tests.issuer.openid4vci.credential_world import Issuing, open_issuing


@pytest.fixture(scope="module")
def shared_issuing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Issuing]:
    with open_issuing(tmp_path_factory.mktemp("issuing")) as opened:
        yield opened


@pytest.fixture
def issuing(shared_issuing: Issuing) -> Iterator[Issuing]:
    """The module's issuer, at the hour that every story begins."""
    shared_issuing.office.clock.now = DAY_0
    shared_issuing.under_dual_control()
    yield shared_issuing
    shared_issuing.office.clock.now = DAY_0
