"""The log's key and the witnesses of this process, from settings. Decides nothing; `server.wiring` puts them in place.

A witness served here is called `<public address without scheme>/witness/<its name in the settings>`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

import httpx

from keys.envelopes.signed_note import NoteKeyKind, parse_note_key
from keys.errors import MalformedEnvelope
from server.custody import Signers
from server.errors import InvalidSettings
from server.observation import log
from server.settings import Settings
from trust_registry.errors import CeremonyError, LogDamaged
from trust_registry.log.cosigning import Submit
from trust_registry.log.submitting import http_submit
from trust_registry.log.witness_store import Witness
from trust_registry.publication import OnlineKeys, resume
from trust_registry.repository import Repository

_TIMEOUT = httpx.Timeout(5.0)


def witness_name(origin: str, name: str) -> str:
    """The key name of the witness `name` at a server with this public address."""
    return f"{origin.partition('://')[2]}/witness/{name}"


def open_witnesses(settings: Settings, signers: Signers, now: Callable[[], datetime]) -> dict[str, Witness]:
    """The witnesses that `witness_keys` names, by that name. Raises InvalidSettings, and what opening a key raises."""
    try:
        logs = [parse_note_key(text) for text in settings.witness_logs]
    except MalformedEnvelope as err:
        raise InvalidSettings(f"witness_logs: {err}") from err
    if any(each.kind is not NoteKeyKind.ED25519 for each in logs):
        raise InvalidSettings("witness_logs: a log's key is needed, not a witness's")
    return {
        name: Witness(
            witness_name(settings.origin, name),
            signers(uri),
            logs,
            settings.path(settings.witness_dir) / name,
            now,
        )
        for name, uri in settings.witness_keys.items()
    }


def submits_of(settings: Settings, witnesses: Mapping[str, Witness]) -> dict[str, Submit]:
    """How to ask each witness of `registry_witnesses`: those of this process directly, others over HTTP."""
    own = {f"{settings.origin}/witness/{name}": witness for name, witness in witnesses.items()}
    client = httpx.Client(timeout=_TIMEOUT, follow_redirects=False, trust_env=False)
    return {
        name: own[url.rstrip("/")].add_checkpoint if url.rstrip("/") in own else http_submit(client, url)
        for name, url in settings.registry_witnesses.items()
    }


def online_keys(settings: Settings, signers: Signers, submits: Mapping[str, Submit]) -> OnlineKeys:
    """The host's keys. Raises what opening a key raises."""
    return OnlineKeys(
        signers(settings.registry_snapshot_key),
        signers(settings.registry_timestamp_key),
        signers(settings.registry_log_key) if settings.registry_log_key else None,
        submits,
    )


def finish_publication(
    repository: Repository | None, online: Callable[[], OnlineKeys] | None, now: Callable[[], datetime]
) -> bool:
    """Carry out what a crash or silent witnesses left undone; whether something came into force with it.

    Says in the log what is still missing.
    """
    if repository is None or online is None or not (repository.publishing / "publication.json").is_file():
        return False
    try:
        found = resume(repository, online(), now())
    except (CeremonyError, LogDamaged) as err:
        log.warning("publication not finished", error=type(err).__name__)
        return False
    if found is not None and not found.in_force:
        missing = [] if found.cosigning is None else sorted(found.cosigning.missing)
        log.warning("publication waits for witnesses", missing=missing)
    return found is not None and found.in_force
