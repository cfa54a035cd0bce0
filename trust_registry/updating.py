"""python-tuf's client, told what time it is and how it reads: adaptors, no decisions of ours (those are `client`)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import IO, Final

from tuf.api.exceptions import DownloadError, DownloadHTTPError, DownloadLengthMismatchError
from tuf.ngclient import FetcherInterface, Updater, UpdaterConfig

from trust_registry.errors import FetchFailed
from trust_registry.fetching import at_most
from trust_registry.ports import Fetch

_LIMITS: Final = UpdaterConfig(targets_max_length=16 * 1024 * 1024, app_user_agent="yinxin")


class Remembering:
    """A fetch that asks for each URL once: what was read to see whether there is news is not read again."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._answers: dict[str, bytes | FetchFailed] = {}

    def __call__(self, url: str, /) -> bytes:
        return self.read(url, None)

    def read(self, url: str, max_size: int | None) -> bytes:
        """Raises: FetchFailed, also for more than `max_size` bytes."""
        if url not in self._answers:
            try:
                self._answers[url] = (self._fetch if max_size is None else at_most(self._fetch, max_size))(url)
            except FetchFailed as err:
                self._answers[url] = err
        answer = self._answers[url]
        if isinstance(answer, FetchFailed):
            raise answer
        return answer

    def limited(self, max_size: int) -> Fetch:
        """The same, reading no answer beyond `max_size`."""
        return lambda url, /: self.read(url, max_size)

    def outdated(self) -> bool:
        """Whether the repository has moved on since: another timestamp, or a file that was not there."""
        for url, answer in self._answers.items():
            missing = isinstance(answer, FetchFailed) and answer.missing
            if missing or url.endswith("/timestamp.json"):
                try:
                    again = at_most(self._fetch, _LIMITS.root_max_length)(url)
                except FetchFailed:
                    continue
                if missing or again != answer:
                    return True
        return False


class Fetcher(FetcherInterface):
    """Our fetch port as python-tuf wants one; keeps the failure that python-tuf only retells."""

    def __init__(self, fetch: Remembering) -> None:
        self._read = fetch
        self._limit: int | None = None
        self.failure: FetchFailed | None = None

    @contextmanager
    def download_file(self, url: str, max_length: int) -> Iterator[IO[bytes]]:
        self._limit = max_length
        with super().download_file(url, max_length) as file:
            yield file

    def _fetch(self, url: str) -> Iterator[bytes]:
        self.failure = None
        try:
            return iter((self._read.read(url, self._limit),))
        except FetchFailed as err:
            self.failure = err
            if err.too_large:
                raise DownloadLengthMismatchError(str(err)) from err
            raise (DownloadHTTPError(str(err), 404) if err.missing else DownloadError(str(err))) from err


class UpdaterAt(Updater):
    """python-tuf's client, told what time it is: it would read the clock itself, and only `server` may."""

    def __init__(  # noqa: PLR0917
        self, now: datetime, metadata: str, metadata_url: str, targets: str, targets_url: str, fetcher: FetcherInterface
    ) -> None:
        super().__init__(metadata, metadata_url, targets, targets_url, fetcher, _LIMITS, bootstrap=None)
        self._trusted_set.reference_time = now

    def let_lists_run_out(self) -> None:
        """From here on, after `refresh`, expired metadata of authorities is read as well.

        Theirs only: one authority that does not renew its list must not keep everybody from the others' news. When each
        runs out is a fact of the view.
        """
        self._trusted_set.reference_time = datetime.min.replace(tzinfo=UTC)
