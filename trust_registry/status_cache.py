"""Status list tokens kept as fetched, by URI, and believed again only as far as the trust view in hand believes them.

    status/<sha256 of URI>.jwt    the token, in either form
    status/<sha256 of URI>.json   its URI and when it was fetched

A list that can't be fetched keeps its older good snapshot: its age then shows.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from keys.envelopes.strict_json import load_json
from keys.errors import MalformedEnvelope
from trust_registry.durable import write_durably
from trust_registry.errors import FetchFailed
from trust_registry.model import StatusProblem, StatusProblemKind, StatusSnapshot, StatusView, TrustView
from trust_registry.ports import Fetch
from trust_registry.status_cwt import TAG
from trust_registry.status_list import MAX_TOKEN_SIZE, find_status_issuer, open_status_token

AGGREGATION_NAME: Final = "aggregation.json"
MAX_LISTS: Final = 100_000

Entry = StatusSnapshot | StatusProblem


class StatusCache:
    """The status lists of one verifier, below `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()

    def load(self, view: TrustView, now: datetime) -> StatusView:
        """Everything kept, verified against `view` again. What no longer verifies is a problem, not an omission."""
        entries: dict[str, Entry] = {}
        for path in sorted(self._folder.glob("*.json"))[:MAX_LISTS]:
            try:
                facts = json.loads(path.read_bytes())
                uri = facts["uri"]
                fetched_at = datetime.fromisoformat(facts["fetched_at"]).astimezone(UTC)
                token = path.with_suffix(".jwt").read_bytes()
            except (OSError, ValueError, KeyError, TypeError):
                continue  # a half-made copy says nothing; the list is fetched again when it is needed
            at = min(fetched_at, now)
            entries[uri] = open_status_token(token, uri=uri, view=view, at=now, fetched_at=at)
        return StatusView(entries)

    def refresh(
        self, uris: Iterable[str], fetch: Fetch, view: TrustView, now: datetime, known: StatusView | None = None
    ) -> StatusView:
        """Fetch the lists at `uris`; returns what is known of these and of everything `known` (default: kept) before.

        Never raises on what the other side answers: each failure is a `StatusProblem`, unless an older snapshot stands.
        """
        entries = dict((self.load(view, now) if known is None else known).entries)
        for uri in dict.fromkeys(uris):
            entries[uri] = self._fetch(uri, fetch, view, now, entries.get(uri))
        return StatusView(entries)

    def _fetch(self, uri: str, fetch: Fetch, view: TrustView, now: datetime, before: Entry | None) -> Entry:
        # Never ask an address that no listed issuer stands for: a forged certificate must not choose whom we call.
        if find_status_issuer(view, uri) is None:
            return StatusProblem(uri, StatusProblemKind.MISPLACED, "no listed issuer publishes status lists here")
        try:
            token = fetch(uri)
        except FetchFailed as err:
            return _better(before, StatusProblem(uri, StatusProblemKind.UNREACHABLE, err.detail))
        if len(token) > MAX_TOKEN_SIZE:
            return _better(before, StatusProblem(uri, StatusProblemKind.MALFORMED, "larger than any status list"))
        token = token if token[:1] == TAG else token.strip()  # of CBOR every byte counts
        found = open_status_token(token, uri=uri, view=view, at=now, fetched_at=now)
        if isinstance(found, StatusProblem):
            return _better(before, found)
        if isinstance(before, StatusSnapshot) and found.issued_at < before.issued_at:
            return before  # an older list again: somebody replays, or a cache lags
        self._keep(uri, token, now)
        return found

    def _keep(self, uri: str, token: bytes, fetched_at: datetime) -> None:
        name = hashlib.sha256(uri.encode()).hexdigest()
        facts = json.dumps({"uri": uri, "fetched_at": fetched_at.isoformat()}).encode()
        with self._lock:
            # A crash in between leaves the new token with the old time: it looks older than it is, never younger.
            write_durably(self._folder / f"{name}.jwt", token)
            write_durably(self._folder / f"{name}.json", facts)


def announced_lists(view: TrustView, fetch: Fetch) -> tuple[str, ...]:
    """The status lists that issuers say they publish, for a copy that must do without a network later.

    An issuer may publish a Status List Aggregation at `<status_list_base>aggregation.json`; those that don't, or whose
    answer makes no sense, announce nothing. Spec: Token Status List section 9.3.
    """
    uris: dict[str, None] = {}
    for region_list in view.lists.values():
        for issuer in region_list.attests:
            try:
                document = load_json(fetch(issuer.status_list_base + AGGREGATION_NAME))
                found = document["status_lists"]
            except (FetchFailed, MalformedEnvelope, KeyError, TypeError):
                continue
            if isinstance(found, list):
                under = (uri for uri in found if isinstance(uri, str) and uri.startswith(issuer.status_list_base))
                uris.update(dict.fromkeys(under))
    return tuple(uris)[:MAX_LISTS]


def _better(before: Entry | None, problem: StatusProblem) -> Entry:
    return before if isinstance(before, StatusSnapshot) else problem
