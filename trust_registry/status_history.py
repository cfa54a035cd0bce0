"""How a status list stood at a time past: asked of its issuer, and believed only for that time. Keeps nothing.

Spec: Token Status List section 8.4 (historical resolution).
"""

from __future__ import annotations

from datetime import datetime

from trust_registry.errors import FetchFailed
from trust_registry.model import StatusProblem, StatusProblemKind, StatusSnapshot, TrustView
from trust_registry.ports import Fetch
from trust_registry.status_list import MAX_TOKEN_SIZE, find_status_issuer, open_status_token


def fetch_status_then(
    uri: str, at: datetime, fetch: Fetch, view: TrustView, now: datetime
) -> StatusSnapshot | StatusProblem:
    """The list at `uri` that was in force at `at`, or why there is none. Never raises on what the other side answers.

    A host that knows nothing of times answers with today's list: it is refused, unless it was in force then.
    """
    # Never ask an address that no listed issuer stands for: a forged certificate must not choose whom we call.
    if find_status_issuer(view, uri) is None:
        return StatusProblem(uri, StatusProblemKind.MISPLACED, "no listed issuer publishes status lists here")
    seconds = int(at.timestamp())
    try:
        token = fetch(f"{uri}{'&' if '?' in uri else '?'}time={seconds}")
    except FetchFailed as err:
        return StatusProblem(uri, StatusProblemKind.UNREACHABLE, err.detail)
    if len(token) > MAX_TOKEN_SIZE:
        return StatusProblem(uri, StatusProblemKind.MALFORMED, "larger than any status list")
    found = open_status_token(token, uri=uri, view=view, at=at, fetched_at=now)
    if isinstance(found, StatusSnapshot) and not _in_force(found, seconds):
        return StatusProblem(uri, StatusProblemKind.UNREACHABLE, "the answer is for another time")
    return found


def _in_force(snapshot: StatusSnapshot, seconds: int) -> bool:
    """The client MUST reject a response unless the requested time is within its `iat` and `exp`."""
    expires_at = snapshot.expires_at
    return expires_at is not None and snapshot.issued_at.timestamp() <= seconds < expires_at.timestamp()
