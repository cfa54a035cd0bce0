"""The same stories on SQLite and on PostgreSQL: many at once, nothing twice."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from issuer.bulk import read_rows
from issuer.errors import HolderErased, IdempotencyConflict
from issuer.model import CertificateFilter, HolderKind, RenderingKind
from tests.issuer.office import DAY, DAY_0, NUMBER, OFFICE, SEAL_ID, Office, open_office
from tests.issuer.test_bulk import ORDER, csv_of


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> Iterator[Office]:
    with open_office(database_url, tmp_path / "status", list_size=64) as opened:
        yield opened


def test_many_processes_issue_at_once(office: Office) -> None:
    services = [office.restart() for _ in range(4)]
    requests = [office.request_for(n % 24 + 1) for n in range(48)]  # every request twice

    with ThreadPoolExecutor(8) as pool:
        issued = list(pool.map(lambda n: services[n % 4].issue(requests[n]).summary.certificate_id, range(48)))
    assert len(set(issued)) == 24
    with office.engine.connect() as connection:
        rows = connection.execute(text("SELECT status_list, status_index FROM issuer_certificates")).all()
        used = connection.execute(text("SELECT sum(used) FROM issuer_status_lists")).scalar_one()
    assert len(set(rows)) == used == 24


def test_the_story_of_a_certificate(office: Office) -> None:
    service = office.service
    certificate_id = service.issue(office.request()).summary.certificate_id
    with pytest.raises(IdempotencyConflict):
        service.issue(office.request(valid_from=DAY_0 + DAY))
    office.revoke(certificate_id, DAY_0 + timedelta(minutes=5))
    assert office.status_seen(certificate_id).name == "VALID"
    office.clock.turn(timedelta(minutes=5))
    service.publish_due()
    assert office.status_seen(certificate_id).name == "INVALID"
    (summary,) = service.certificates(CertificateFilter(issuer_id=OFFICE, number=certificate_id[-8:]))
    assert summary.status_since == DAY_0 + timedelta(minutes=5)
    assert summary.issued_at == DAY_0
    (use,) = service.seal_uses(SEAL_ID)
    assert use.used_at == DAY_0
    holder = service.find_holder(HolderKind.CITIZEN, NUMBER)
    assert holder is not None
    service.erase_holder(holder)
    with pytest.raises(HolderErased):
        service.rendering(certificate_id, RenderingKind.QR)
    assert service.issue(office.request("again")).replayed is False


def test_a_bulk_run_and_again(office: Office) -> None:
    data = csv_of(*range(1, 130), changes={7: {"registered_on": "x"}})  # more than one chunk, more than one list
    first = office.service.issue_many(read_rows(data, ORDER))
    assert (first.issued, [e.line for e in first.errors]) == (128, [8])
    again = office.restart().issue_many(read_rows(data, ORDER))
    assert (again.issued, again.replayed, len(again.errors)) == (0, 128, 1)
    assert office.service.recover().published == ()
