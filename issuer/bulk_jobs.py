"""Bulk runs that a page can watch: started in the background of this process, their last results kept in memory.

Keeps nothing durable: a run that a restart cuts short is finished by handing in the same file again.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from issuer.model import BulkProgress, BulkResult, BulkRow
from issuer.service import IssuerService
from trust_registry.edges import AccountId
from trust_registry.model import CertificateType, Names

KEPT = 50
_LOG = logging.getLogger(__name__)
_STOPPED = Names(
    "中途停止：签名、时间戳或发布暂不可用。稍后再交同一个文件，会接着办完，不会重复。",
    "Stopped half-way: signing, time-stamps or publication are unavailable. Hand in the same file again later; it goes "
    "on where it stopped and repeats nothing.",
)


@dataclass(frozen=True, slots=True)
class BulkJob:
    """One run. `result` or `problem` is set when it is over."""

    id: str
    owner: AccountId
    type: CertificateType
    file_name: str
    total: int
    progress: BulkProgress
    result: BulkResult | None = None
    problem: Names | None = None

    @property
    def over(self) -> bool:
        return self.result is not None or self.problem is not None


class BulkJobs:
    """The runs of this process."""

    def __init__(self, service: IssuerService) -> None:
        self._service = service
        self._jobs: OrderedDict[str, BulkJob] = OrderedDict()
        self._lock = threading.Lock()

    def start(self, rows: Sequence[BulkRow], *, owner: AccountId, type: CertificateType, file_name: str) -> BulkJob:
        """Begin issuing `rows`; returns at once."""
        job = BulkJob(secrets.token_urlsafe(12), owner, type, file_name, len(rows), BulkProgress(0, 0))
        with self._lock:
            self._jobs[job.id] = job
            while len(self._jobs) > KEPT:
                self._jobs.popitem(last=False)
        threading.Thread(target=self._run, args=(job.id, rows), name="bulk", daemon=True).start()
        return job

    def find(self, job_id: str, owner: AccountId) -> BulkJob | None:
        """A run of this owner's, if it is still remembered."""
        with self._lock:
            job = self._jobs.get(job_id)
        return job if job is not None and job.owner == owner else None

    def _run(self, job_id: str, rows: Sequence[BulkRow]) -> None:
        try:
            result = self._service.issue_many(rows, lambda progress: self._change(job_id, progress=progress))
        except Exception as err:  # a thread has no caller: the clerk is told, and the class goes to the log, no values
            _LOG.error("bulk run stopped: %s", type(err).__name__)  # before anybody can see that it is over
            self._change(job_id, problem=_STOPPED)
        else:
            self._change(job_id, result=result)

    def _change(
        self,
        job_id: str,
        *,
        progress: BulkProgress | None = None,
        result: BulkResult | None = None,
        problem: Names | None = None,
    ) -> None:
        with self._lock:
            job = self._jobs.get(job_id)
            if job is not None:
                self._jobs[job_id] = replace(
                    job, progress=progress or job.progress, result=result or job.result, problem=problem or job.problem
                )
