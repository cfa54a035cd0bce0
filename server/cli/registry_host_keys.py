"""Where the host's keys are - snapshot, timestamp, log - in key files or tokens, and `yinxin registry host-keys`.

They sign no list: they can delay what is published, not forge it. Officers' keys are opened by `registry_keys`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer

from server.cli.registry_desk import HostKeysOption, OnlineOption, RepositoryArgument, refusals, repository, say
from server.cli.registry_keys import create_key, open_named_key

if TYPE_CHECKING:
    from keys.signer import Signer
    from trust_registry.publication import OnlineKeys

app = typer.Typer()

ROLES: Final = ("snapshot", "timestamp", "log")
RECORD: Final = "host-keys.json"  # {role: {"key": URI, "id": TUF key id}} of keys that are not FOLDER/role.key
_ALGORITHMS: Final = {"log": "EdDSA"}


@app.command("host-keys")
@refusals
def show_host_keys(
    repo: RepositoryArgument, passphrase_file: OnlineOption = None, host_keys: HostKeysOption = None
) -> None:
    """Show which keys the host signs with and whether root names them; with ROLE=KEY, remember where a key is.

    What --host-keys names is written to REPO/keys/host-keys.json, for `publish`, `renew` and the rest to find.
    """
    from keys.errors import KeysError
    from trust_registry.tuf_keys import key_id

    network, named = repository(repo), _named(host_keys)[1]
    for role, name in named.items():
        _remember(repo / "keys", role, open_named_key(name, passphrase_file))
    wanted = network.latest_root().signed if network.founded else None
    for role, name in _all(repo, _folder(repo, None), named).items():
        try:
            found = key_id(open_named_key(name, passphrase_file).public_key)
        except (KeysError, OSError) as err:
            say(f"{role:<10} {name}", f"           can't be opened: {err}")
            continue
        known = None if wanted is None or role == "log" else found in wanted.roles[role].keyids
        said = {None: "", True: ", as root names it", False: " - NOT the one that root names"}[known]
        say(f"{role:<10} {name}", f"           key {found[:16]}{said}")


def host_keys_of(
    repo: Path, passphrase_file: Path | None, host_keys: Sequence[str] | None, proposal: str | None = None
) -> OnlineKeys:
    """The host's keys, which sign snapshot, timestamp and the log: where `host_keys` says, else below REPO/keys.

    There, those that root names are taken; that is the root of `proposal`, if it brings one.
    """
    from server.cli.registry_log import witness_submits
    from trust_registry.publication import OnlineKeys

    repository(repo)  # raises where there is none
    given, named = _named(host_keys)
    folder = (given or _folder(repo, proposal)).absolute()
    names = _all(repo, folder, named)
    for role in ("snapshot", "timestamp"):
        if role not in names:
            raise typer.BadParameter(
                f"there is no {role}.key in {folder}: name the folder, or {role}=KEY", param_hint="--host-keys"
            )
    opened = {role: open_named_key(name, passphrase_file) for role, name in names.items()}
    log = opened.get("log")
    submits = {} if log is None else witness_submits(folder, repo / "keys")
    return OnlineKeys(opened["snapshot"], opened["timestamp"], log, submits)


def make_host_keys(folder: Path, passphrase_file: Path | None, host_keys: Sequence[str] | None = None) -> OnlineKeys:
    """Make the keys of snapshot and timestamp, or open those that are there: in `folder`, or where ROLE=KEY says.

    Raises: KeysError, OSError, typer.BadParameter.
    """
    from trust_registry.publication import OnlineKeys

    given, named = _named(host_keys)
    folder = given or folder
    folder.mkdir(parents=True, exist_ok=True)
    made: dict[str, Signer] = {}
    for role in ROLES:
        if role in named:
            made[role] = _opened_or_made(named[role], role, passphrase_file)
            _remember(folder, role, made[role])
        elif role != "log":
            made[role] = _opened_or_made(str(folder / f"{role}.key"), role, passphrase_file)
    return OnlineKeys(made["snapshot"], made["timestamp"], made.get("log"))


def _opened_or_made(name: str, role: str, passphrase_file: Path | None) -> Signer:
    from keys.errors import KeyNotFound

    if not name.startswith("pkcs11:"):
        there = Path(name.removeprefix("file:")).exists()
        return open_named_key(name, passphrase_file) if there else create_key(name, _algorithm(role), passphrase_file)
    try:
        return open_named_key(name, passphrase_file)
    except KeyNotFound:
        return create_key(name, _algorithm(role), passphrase_file)


def _algorithm(role: str) -> str:
    return _ALGORITHMS.get(role, "ES256")


def _named(host_keys: Sequence[str] | None) -> tuple[Path | None, dict[str, str]]:
    """The folder and the keys by role that were named. Raises: typer.BadParameter."""
    folder, named = None, {}
    for text in host_keys or ():
        role, found, name = text.partition("=")
        if found and role in ROLES and name:
            named[role] = name
        elif folder is None and not text.startswith("pkcs11:") and (not found or Path(text).is_dir()):
            folder = Path(text)
        else:
            raise typer.BadParameter(
                "a folder, or snapshot=KEY, timestamp=KEY and log=KEY, is needed", param_hint="--host-keys"
            )
    return folder, named


def _all(repo: Path, folder: Path, named: Mapping[str, str]) -> dict[str, str]:
    """The name of each role's key. A log's key that is not beside the others is the network's: log keys are older."""
    places = {role: name for role, name in _in_folder(repo / "keys").items() if role == "log"}
    return {**places, **_in_folder(folder), **named}


def _in_folder(folder: Path) -> dict[str, str]:
    record = {role: str(entry["key"]) for role, entry in _read(folder).items()}
    files = {role: str((folder / f"{role}.key").absolute()) for role in ROLES if (folder / f"{role}.key").is_file()}
    return {**files, **record}


def _read(folder: Path) -> dict[str, Any]:
    """Raises: typer.BadParameter, OSError."""
    from server.cli.registry_desk import read_json

    if not (folder / RECORD).is_file():
        return {}
    found = read_json(folder / RECORD)
    if not isinstance(found, dict) or not all(
        role in ROLES and isinstance(entry, dict) and {"key", "id"} <= set(entry) for role, entry in found.items()
    ):
        raise typer.BadParameter(f'{folder / RECORD} must say {{role: {{"key": ..., "id": ...}}}}')
    return found


def _remember(folder: Path, role: str, signer: Signer) -> None:
    from trust_registry.durable import write_durably
    from trust_registry.tuf_keys import key_id

    record = {**_read(folder), role: {"key": signer.uri, "id": key_id(signer.public_key)}}
    write_durably(folder / RECORD, (json.dumps(record, indent=1) + "\n").encode())


def _folder(repo: Path, proposal: str | None) -> Path:
    """REPO/keys, or the folder in it whose keys are those that root names after the host's keys were changed."""
    from trust_registry.proposals import read_draft
    from trust_registry.repository import Repository

    repository, folder = Repository(repo), repo / "keys"
    draft = read_draft(repository, proposal) if proposal and (repository.proposals / proposal).is_dir() else None
    root = None if draft is None else draft.roles.get("root")
    if root is None and not repository.founded:
        return folder
    wanted = (root or repository.latest_root()).signed.roles["snapshot"].keyids
    folders = [folder, *sorted(each for each in folder.glob("*") if each.is_dir())]
    return next((each for each in folders if _snapshot_id(each) in wanted), folder)


def _snapshot_id(folder: Path) -> str | None:
    """Whose snapshot key is in a folder, without opening it."""
    from keys.custody.software import read_key_file_header
    from trust_registry.tuf_keys import key_id

    recorded = _read(folder).get("snapshot")
    if recorded is not None:
        return str(recorded["id"])
    path = folder / "snapshot.key"
    return key_id(read_key_file_header(path.absolute()).public_key) if path.is_file() else None
