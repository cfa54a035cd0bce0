"""How many certificates are in force, as the registry asks before a proposal is signed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from issuer.store.counting import CertificatesInForce
from tests.issuer.office import (
    DAY,
    HOUSEHOLD,
    MARRIAGE,
    OFFICE,
    OTHER_OFFICE,
    OTHER_SEAL_ID,
    SEAL_ID,
    Office,
    open_office,
)
from trust_registry.model import CertificateStatus, IssuerId, StatusReason
from trust_registry.ports import CertificateCounts


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> Iterator[Office]:
    with open_office(database_url, tmp_path / "status") as opened:
        yield opened


def test_what_is_revoked_or_not_published_is_not_in_force(office: Office) -> None:
    counts: CertificateCounts = CertificatesInForce(office.engine, office.clock)
    assert counts.count(OFFICE, MARRIAGE, SEAL_ID) == 0
    ids = [office.service.issue(office.request_for(n)).summary.certificate_id for n in range(1, 5)]
    assert counts.count(OFFICE, MARRIAGE, SEAL_ID) == 0  # kept for a minute
    office.clock.turn(DAY)
    assert counts.count(OFFICE, MARRIAGE, SEAL_ID) == 4
    office.revoke(ids[0])
    office.service.change_status(office.change(ids[1], CertificateStatus.SUSPENDED, StatusReason.UNDER_REVIEW))
    office.revoke(ids[2], office.clock() + 30 * DAY)
    office.clock.turn(DAY)
    assert counts.count(OFFICE, MARRIAGE, SEAL_ID) == 3
    assert counts.count(OFFICE, None, None) == 3
    assert counts.count(OFFICE, HOUSEHOLD, None) == 0
    assert counts.count(OFFICE, None, OTHER_SEAL_ID) == 0


def test_of_an_issuer_that_is_not_kept_here_nothing_is_known(office: Office) -> None:
    counts = CertificatesInForce(office.engine, office.clock)
    assert counts.count(OTHER_OFFICE, None, None) == 0
    assert counts.count(IssuerId("990200/civil-affairs"), None, None) is None
