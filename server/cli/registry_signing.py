"""The work behind `yinxin registry sign`: an officer signs what was shown, on the officer's own machine.

The host may lie: what is shown is computed here, from the very bytes that will be signed, against the officer's own
copy of the trust data where there is one. Keys are opened by `registry_keys`.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlsplit

from trust_registry import ceremony
from trust_registry.client import TrustStore
from trust_registry.copied_state import Base, base_of, judge_draft
from trust_registry.countersigning import add_signature, draft_document, read_document
from trust_registry.errors import CeremonyError, FetchFailed
from trust_registry.fetching import http_fetch
from trust_registry.legible import legible
from trust_registry.model import Names
from trust_registry.proposals import Draft, Proposal
from trust_registry.repository import Repository

if TYPE_CHECKING:
    import httpx

    from keys.signer import Signer

MAX_DRAFT: Final = 64 * 1024 * 1024
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Desk:
    """Where the proposal comes from and where the signature goes; `published` is what the host says is published."""

    draft: Draft
    published: Callable[[datetime], Base]
    send: Callable[[str, str, str], None]  # role, key id, signature in hexadecimal
    where: str


@contextmanager
def open_desk(where: str, proposal_id: str, token: str | None) -> Iterator[Desk]:
    """A folder, or a host by its address. Raises: CeremonyError, FetchFailed."""
    if not where.startswith(("https://", "http://")):
        yield open_folder(Path(where), proposal_id)
        return
    import httpx

    with httpx.Client(timeout=30, follow_redirects=False) as client:
        yield open_address(where, proposal_id, client, token)


def open_folder(folder: Path, proposal_id: str) -> Desk:
    """A network's folder: the host's own, or one that was carried here. Raises: CeremonyError."""
    repository = Repository(folder)

    def send(role: str, keyid: str, signature: str) -> None:
        add_signature(repository, proposal_id, role, keyid, signature)

    def published(_: datetime) -> Base:
        if not repository.founded:
            return Base(None, lambda _: None)
        current = repository.current()
        return Base(current, lambda role: repository.published_list(current, role))

    draft = read_document(draft_document(repository, proposal_id))
    return Desk(draft, published, send, str(folder))


def open_address(url: str, proposal_id: str, client: httpx.Client, token: str | None) -> Desk:
    """A host over HTTPS, or HTTP on this machine. Raises: CeremonyError, FetchFailed."""
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
        raise CeremonyError("https is needed, except on this machine")
    base = url.rstrip("/")
    api = f"{base}/api/registry/proposals/{quote(proposal_id, safe='')}"
    fetch = http_fetch(client, max_size=MAX_DRAFT, timer=monotonic)
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}

    def send(role: str, keyid: str, signature: str) -> None:
        _post(client, f"{api}/signatures", {"role": role, "keyid": keyid, "sig": signature}, headers)

    def published(now: datetime) -> Base:
        with tempfile.TemporaryDirectory() as folder:
            store = TrustStore(Path(folder))
            try:
                store.bootstrap(fetch(f"{base}/trust/metadata/1.root.json"), f"{base}/trust/")
            except FetchFailed as err:
                if err.missing:
                    return Base(None, lambda _: None)
                raise
            store.refresh(fetch, now)
            return base_of(store, now)

    try:
        document = json.loads(fetch(f"{api}/draft"))
    except (ValueError, RecursionError) as err:
        raise CeremonyError("what the host sent is no proposal") from err
    return Desk(read_document(document), published, send, base)


def shown(desk: Desk, trust: Path | None, now: datetime) -> tuple[Proposal, Base]:
    """The proposal as this machine reads it. Raises: CeremonyError, TrustMissing, TrustDamaged, FetchFailed."""
    base = desk.published(now) if trust is None else base_of(TrustStore(trust), now)
    draft = desk.draft
    changes, progress = judge_draft(draft, base)
    title = Names(legible(draft.title.zh), legible(draft.title.en))
    return Proposal(legible(draft.id), draft.kind, title, draft.proposed_at, changes, progress), base


def sign_shown(desk: Desk, base: Base, signer: Signer) -> tuple[str, ...]:
    """Sign the bytes that were shown and hand the signatures over; to other bytes the host can't add them.

    Raises: NotAnOfficer, SignatureRefused, CeremonyError, FetchFailed.
    """
    made = ceremony.signatures_by(desk.draft, base.published, signer)
    for role, signature in made.items():
        desk.send(role, signature.keyid, signature.signature)
    return tuple(made)


def _post(client: httpx.Client, url: str, body: Mapping[str, str], headers: Mapping[str, str]) -> None:
    import httpx

    try:
        answer = client.post(url, json=dict(body), headers=dict(headers))
    except (httpx.HTTPError, httpx.InvalidURL) as err:
        raise FetchFailed(url, type(err).__name__) from err
    if answer.is_success:
        return
    try:
        problem: Any = answer.json()
        said = str(problem.get("detail") or problem.get("title") or "")[:300] if isinstance(problem, dict) else ""
    except ValueError:
        said = ""
    raise CeremonyError(f"the host answered {answer.status_code}: {legible(said) or 'no reason given'}")
