"""Bulk runs that a page watches: progress while they run, results for their owner only, words when they stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable

import pytest

from issuer.bulk_jobs import KEPT, BulkJob, BulkJobs
from issuer.model import BulkProgress, BulkResult, BulkRow
from trust_registry.catalogue import COMMON_TYPES
from trust_registry.edges import AccountId

OWNER = AccountId("clerk")
ROWS = [BulkRow(line, None) for line in (2, 3, 4)]


class FakeService:
    """Issues when let; fails when told."""

    def __init__(self, *, fails: bool = False) -> None:
        self.let = threading.Event()
        self.fails = fails

    def issue_many(self, rows: Iterable[BulkRow], progress: Callable[[BulkProgress], None]) -> BulkResult:
        progress(BulkProgress(1, 0))
        assert self.let.wait(10)
        if self.fails:
            raise OSError("the disk is full")
        return BulkResult(len(list(rows)), 0, ())


def start(jobs: BulkJobs) -> BulkJob:
    return jobs.start(ROWS, owner=OWNER, type=COMMON_TYPES[0], file_name="a.csv")


def when(jobs: BulkJobs, job: BulkJob, ready: Callable[[BulkJob], bool]) -> BulkJob:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        found = jobs.find(job.id, OWNER)
        if found is not None and ready(found):
            return found
        time.sleep(0.01)
    raise AssertionError("nothing happened")


def test_a_run_can_be_watched_until_it_is_over() -> None:
    service = FakeService()
    jobs = BulkJobs(service)  # type: ignore[arg-type]
    job = start(jobs)
    running = when(jobs, job, lambda found: found.progress.done == 1)
    assert not running.over
    assert running.total == 3
    service.let.set()
    result = when(jobs, job, lambda found: found.over).result
    assert result is not None
    assert result.issued == 3


def test_a_run_that_stops_says_what_to_do_and_logs_no_values(caplog: pytest.LogCaptureFixture) -> None:
    service = FakeService(fails=True)
    service.let.set()
    jobs = BulkJobs(service)  # type: ignore[arg-type]
    over = when(jobs, start(jobs), lambda found: found.over)
    assert over.result is None
    assert over.problem is not None
    assert "同一个文件" in over.problem.zh
    assert "OSError" in caplog.text
    assert "disk" not in caplog.text


def test_a_run_is_its_owners_and_old_ones_are_forgotten() -> None:
    service = FakeService()
    service.let.set()
    jobs = BulkJobs(service)  # type: ignore[arg-type]
    first = start(jobs)
    when(jobs, first, lambda found: found.over)
    assert jobs.find(first.id, AccountId("somebody else")) is None
    for _ in range(KEPT):
        start(jobs)
    assert jobs.find(first.id, OWNER) is None
