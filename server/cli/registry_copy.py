"""The work behind `yinxin registry refresh`: a verifier's copy, brought up to date. Decides nothing itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from time import monotonic

from trust_registry.client import TrustStore
from trust_registry.errors import TrustMissing
from trust_registry.fetching import folder_fetch, http_fetch
from trust_registry.foreign_copy import ForeignCopy
from trust_registry.log.verification import LogPolicy
from trust_registry.model import StatusProblem, StatusSnapshot, TrustView
from trust_registry.ports import Fetch
from trust_registry.status_cache import StatusCache, announced_lists


def refresh_copy(  # noqa: PLR0917
    folder: Path,
    repository: str | None,
    root: Path | None,
    status_lists: Sequence[str],
    seconds: float,
    now: datetime,
    witnesses: int = 0,
) -> Iterator[str]:
    """Refresh the copy in `folder`, wanting so many `witnesses`; yields what to tell.

    Raises: TrustRegistryError, OSError.
    """
    import httpx

    store = TrustStore(folder, LogPolicy(witnesses))
    if repository is not None and Path(repository).is_dir():
        repository = Path(repository).resolve().as_uri() + "/"
    if root is not None:
        store.bootstrap(root.read_bytes(), repository)
    elif not store.bootstrapped:
        raise TrustMissing("this copy has no root yet: give --root FILE (1.root.json) and --repository URL")
    with httpx.Client(timeout=seconds, follow_redirects=False) as client:
        fetch = folder_fetch({"file:///": Path("/")}, http_fetch(client, timer=monotonic))
        result = store.refresh(fetch, now, repository)
        yield "Trust data: " + ("updated." if result.changed else "nothing new.")
        yield from _describe(result.view)
        yield from _refresh_foreign(ForeignCopy(folder / "foreign"), fetch, result.view, now)
        yield from _refresh_statuses(StatusCache(folder / "status"), fetch, result.view, status_lists, now)


def _describe(view: TrustView) -> Iterator[str]:
    for code, found in view.lists.items():
        signatures, left = view.signatures[code], view.left.get(code)
        yield (
            f"  {code} {found.names.zh} / {found.names.en}: version {found.version}, "
            f"signed by {len(signatures.signed_by)} ({signatures.threshold} needed)"
            + ("" if left is None else f"; left the network on {left:%Y-%m-%d}, its past stands")
        )
    for code, held in view.held.items():
        yield f"  {code} HELD BACK since {held.since:%Y-%m-%d %H:%M} UTC: {held.reason}"
    yield f"  valid until {view.expires_at:%Y-%m-%d %H:%M} UTC unless refreshed"


def _refresh_foreign(copy: ForeignCopy, fetch: Fetch, view: TrustView, now: datetime) -> Iterator[str]:
    found = copy.refresh(view, fetch, now)
    for (naming, code), each in found.lists.items():
        yield f"Foreign list {code}, read by {naming}: number {each.sequence_number}, {len(each.services)} services"
    for problem in found.problems:
        yield f"Foreign list {problem.code}, read by {problem.naming}: {problem.reason}"


def _refresh_statuses(
    cache: StatusCache, fetch: Fetch, view: TrustView, more: Sequence[str], now: datetime
) -> Iterator[str]:
    kept = cache.load(view, now)
    uris = dict.fromkeys((*kept.entries, *announced_lists(view, fetch), *more))
    statuses = cache.refresh(uris, fetch, view, now, kept)
    for uri, entry in statuses.entries.items():
        if isinstance(entry, StatusSnapshot):
            yield f"Status list {uri}: {len(entry.statuses)} entries, issued {entry.issued_at:%Y-%m-%d %H:%M} UTC"
        elif isinstance(entry, StatusProblem):
            yield f"Status list {uri}: {entry.kind.value} ({entry.detail})"
