"""A crash at every single step of issuing and of publishing: nothing is lost, nothing exists twice.

Steps are what leaves this process: every SQL statement and commit, every signature, every fsync and rename. The story
is run once for each, dying right before it, until it survives; then a new process recovers and the client retries.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text

from issuer.bulk import BulkOrder, read_rows
from issuer.copies import WalletCopies
from issuer.model import CertificateFilter, CertificateState, RenderingKind
from keys.algorithms import ES256
from keys.envelopes.sd_jwt import parse_sd_jwt
from keys.errors import KeyNotFound
from keys.signer import EphemeralSigner, Signer
from tests.issuer.office import CLERK, DAY_0, MARRIAGE, OFFICE, SEAL_ID, Office, open_office
from tests.issuer.test_bulk import csv_of
from trust_registry import prepared as prepared_statements
from trust_registry.catalogue import COMMON_TYPES_BY_ID
from trust_registry.identifiers import CertificateId
from trust_registry.model import CertificateStatus
from trust_registry.status_list import status_at_index


class Crash(BaseException):
    """The process ends here. Not an Exception: no handler may make it go on."""


class Steps:
    """Counts what leaves the process, and dies before step `fatal`."""

    def __init__(self, fatal: int | None) -> None:
        self.fatal = fatal
        self.done = 0

    def step(self, *_: Any, **__: Any) -> None:
        if self.done == self.fatal:
            raise Crash
        self.done += 1

    def before(self, action: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **kwargs: Any) -> Any:
            self.step()
            return action(*args, **kwargs)

        return counted


class CountedSigner:
    def __init__(self, signer: Signer, steps: Steps) -> None:
        self.uri, self.algorithm, self.public_key = signer.uri, signer.algorithm, signer.public_key
        self.sign = steps.before(signer.sign)


@contextmanager
def dying(office: Office, fatal: int | None, patch: pytest.MonkeyPatch) -> Iterator[Steps]:
    steps = Steps(fatal)
    open_signer = office.open_signer
    office.open_signer = lambda uri: CountedSigner(office.keys.signers[uri], steps)
    office.restart()
    event.listen(office.engine, "before_cursor_execute", steps.step)
    event.listen(office.engine, "commit", steps.step)
    with patch.context() as inner:
        inner.setattr(os, "fsync", steps.step)  # the machine goes on, so that nothing need reach the disk
        inner.setattr(os, "replace", steps.before(os.replace))
        inner.setattr(prepared_statements.Prepared, "run", steps.before(prepared_statements.Prepared.run))
        inner.setattr(prepared_statements, "_commit", steps.before(prepared_statements._commit))
        try:
            yield steps
        except Crash:
            pass
        finally:
            event.remove(office.engine, "before_cursor_execute", steps.step)
            event.remove(office.engine, "commit", steps.step)
    office.open_signer = open_signer
    office.restart()


def prepare(office: Office) -> None:
    office.service.issue(office.request_for(99, "prepared"))


def rounds(
    tmp_path: Path,
    story: Callable[[Office], None],
    patch: pytest.MonkeyPatch,
    prepare: Callable[[Office], None] = prepare,
    list_size: int = 64,
) -> Iterator[Office]:
    """The story, dead before step 0, 1, 2, ... until it survives; each time in a fresh office."""
    fatal = 0
    while True:
        database = f"sqlite:///{tmp_path}/{fatal}.db"
        with open_office(database, tmp_path / str(fatal), durable=False, list_size=list_size) as office:
            prepare(office)
            with dying(office, fatal, patch) as steps:
                story(office)
            yield office
            if steps.done < fatal:
                return
        fatal += 1


def column(office: Office, query: str) -> list[Any]:
    with office.engine.connect() as connection:
        return list(connection.execute(text(query)).scalars())


def assert_whole(office: Office) -> None:
    """What must hold after every crash and recovery."""
    states = column(office, "SELECT state FROM issuer_certificates")
    assert set(states) <= {"published", "voided"}
    for table in ("issuer_requests", "issuer_seal_uses"):
        rows = column(office, f"SELECT certificate FROM {table}")
        assert len(rows) == len(set(rows)) == len(states)
    placed = "SELECT status_list * 1000000 + status_index FROM"
    places = column(office, f"{placed} issuer_certificates UNION ALL {placed} issuer_copies")
    assert len(places) == len(set(places))
    used = column(office, "SELECT used FROM issuer_status_lists")
    assert sum(used) == len(places)
    for uri in column(office, "SELECT uri FROM issuer_status_lists"):
        office.published(uri)  # whole, signed, readable
    assert not list((office.folder / "new").iterdir())
    for found in office.service.certificates(CertificateFilter(state=CertificateState.PUBLISHED)):
        for kind in RenderingKind:
            assert office.service.rendering(found.certificate_id, kind)


def test_a_crash_at_any_step_of_issuing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    acknowledged: list[str] = []
    count = 0
    for office in rounds(
        tmp_path,
        lambda office: acknowledged.append(office.service.issue(office.request()).summary.certificate_id),
        monkeypatch,
    ):
        count += 1
        recovery = office.service.recover()
        assert recovery.voided == recovery.unfinished == ()
        assert_whole(office)
        again = office.service.issue(office.request())
        if acknowledged:
            assert again.summary.certificate_id == acknowledged.pop()
            assert again.replayed
        if recovery.finished:
            assert recovery.finished == (again.summary.certificate_id,)
            assert again.replayed
        assert len(column(office, "SELECT id FROM issuer_certificates")) == 2
        assert_whole(office)
    assert count > 15  # the story has that many steps; fewer would mean that they are not counted


def test_a_crash_at_any_step_of_issuing_healed_by_the_clients_retry_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for office in rounds(tmp_path, lambda office: void(office.service.issue(office.request())), monkeypatch):
        office.service.issue(office.request())
        assert len(column(office, "SELECT id FROM issuer_certificates")) == 2


def void(_: object) -> None:
    """A story that answers nothing."""


def test_a_crash_at_any_step_of_revoking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    acknowledged: list[bool] = []

    def story(office: Office) -> None:
        office.revoke(prepared(office))
        acknowledged.append(True)

    count = 0
    for office in rounds(tmp_path, story, monkeypatch):
        count += 1
        certificate_id = prepared(office)
        if acknowledged:
            assert office.status_seen(certificate_id) is CertificateStatus.INVALID  # before any recovery
        recorded = column(office, "SELECT id FROM issuer_status_changes")
        office.service.recover()
        seen = office.status_seen(certificate_id)
        assert seen is (CertificateStatus.INVALID if recorded else CertificateStatus.VALID)
        assert_whole(office)
        office.revoke(certificate_id)  # the client's retry
        assert office.status_seen(certificate_id) is CertificateStatus.INVALID
        assert len(column(office, "SELECT id FROM issuer_status_changes")) == 1
    assert count > 10


def copies(office: Office, count: int = 2) -> list[tuple[str, int]]:
    """Copies of what is prepared; where each of them has its status."""
    (holder,) = column(office, "SELECT DISTINCT holder_id FROM issuer_certificates")
    keys = [EphemeralSigner.generate(ES256).public_key.jwk() for _ in range(count)]
    made = WalletCopies(office.service).make(CertificateId(prepared(office)), holder, RenderingKind.SD_JWT_VC, keys)
    said = [parse_sd_jwt(str(each)).claims["status"]["status_list"] for each in made]
    return [(each["uri"], each["idx"]) for each in said]


def statuses(office: Office, places: list[tuple[str, int]]) -> set[CertificateStatus | None]:
    return {status_at_index(office.published(uri).statuses, index) for uri, index in places}


def test_a_crash_at_any_step_of_making_copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    acknowledged: list[tuple[str, int]] = []
    count = 0
    for office in rounds(tmp_path, lambda office: acknowledged.extend(copies(office)), monkeypatch):
        count += 1
        if acknowledged:
            assert statuses(office, acknowledged) == {CertificateStatus.VALID}  # before any recovery
        assert office.service.recover().voided == ()
        assert_whole(office)
        again = copies(office)
        assert set(again).isdisjoint(acknowledged)
        assert_whole(office)
        office.revoke(prepared(office))
        assert statuses(office, [*acknowledged, *again]) == {CertificateStatus.INVALID}
        acknowledged.clear()
    assert count > 8


def test_a_crash_at_any_step_of_revoking_what_has_copies_in_other_lists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places: list[tuple[str, int]] = []
    acknowledged: list[bool] = []

    def with_copies(office: Office) -> None:
        prepare(office)
        places[:] = copies(office)
        assert len({uri for uri, _ in places}) == 2

    def story(office: Office) -> None:
        office.revoke(prepared(office))
        acknowledged.append(True)

    for office in rounds(tmp_path, story, monkeypatch, with_copies, list_size=4):
        if acknowledged:
            assert statuses(office, places) == {CertificateStatus.INVALID}
        recorded = column(office, "SELECT id FROM issuer_status_changes")
        office.service.recover()
        expected = CertificateStatus.INVALID if recorded else CertificateStatus.VALID
        assert statuses(office, places) == {expected} == {office.status_seen(prepared(office))}
        office.revoke(prepared(office))
        assert statuses(office, places) == {CertificateStatus.INVALID}


def prepared(office: Office) -> str:
    return str(column(office, "SELECT certificate_id FROM issuer_certificates")[0])


def test_a_crash_at_any_step_of_signing_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def story(office: Office) -> None:
        office.clock.turn(timedelta(hours=2))
        assert office.service.publish_due()

    for office in rounds(tmp_path, story, monkeypatch):
        (uri,) = column(office, "SELECT uri FROM issuer_status_lists")
        assert office.published(uri).issued_at >= DAY_0  # a whole file, old or new, at any moment
        office.service.publish_due()
        assert office.published(uri).issued_at == DAY_0 + timedelta(hours=2)
        assert office.service.publish_due() == ()


@pytest.mark.timeout(300)
def test_a_crash_at_any_step_of_a_bulk_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = csv_of(1, 2)
    order = BulkOrder(COMMON_TYPES_BY_ID[MARRIAGE], SEAL_ID, CLERK, OFFICE)
    for office in rounds(tmp_path, lambda office: void(office.service.issue_many(read_rows(data, order))), monkeypatch):
        office.service.recover()
        result = office.service.issue_many(read_rows(data, order))
        assert result.issued + result.replayed == 2
        assert len(column(office, "SELECT id FROM issuer_certificates")) == 3
        assert_whole(office)


def test_a_record_that_cannot_be_sealed_does_not_keep_the_house_from_opening(tmp_path: Path) -> None:
    with open_office(f"sqlite:///{tmp_path}/i.db", tmp_path / "status") as office:
        prepare(office)
        sealing = office.sealing

        def broken(*_: object, **__: object) -> None:
            raise RuntimeError("a bug")

        office.sealing = broken  # type: ignore[assignment]
        with pytest.raises(RuntimeError):
            office.restart().issue(office.request())
        (office.folder / "lists" / OFFICE / "1").unlink()

        def missing(uri: str) -> Signer:
            raise KeyNotFound(uri)

        open_signer, office.open_signer = office.open_signer, missing
        first = office.restart().recover()
        assert (len(first.unfinished), first.published) == (1, ())
        office.sealing, office.open_signer = sealing, open_signer
        second = office.restart().recover()
        assert second.finished == first.unfinished
        assert_whole(office)
