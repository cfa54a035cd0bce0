"""`yinxin registry log` and `yinxin registry witness`: look at a transparency log, and witness one.

Declaring a log is the seats' business (`registry_governance`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from server.cli.registry_desk import (
    PassphraseOption,
    RepositoryArgument,
    busy,
    now,
    read_json,
    refusals,
    repository,
    say,
)
from server.cli.registry_keys import PublicOption, create_key, open_named_key, write_public

if TYPE_CHECKING:
    from trust_registry.log.cosigning import Submit
    from trust_registry.log.declaration import LogDeclaration
    from trust_registry.log.overview import LogOverview
    from trust_registry.log.proofs import ReadTile
    from trust_registry.log.witness import WitnessAnswer
    from trust_registry.publication import Publication

app = typer.Typer()
witness_app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="A region's witness of the network's log: make its key, show it, serve it.",
)
app.add_typer(witness_app, name="witness", rich_help_panel="Run the host")
NameOption = Annotated[
    str, typer.Option("--name", help="The witness's key name: the address it answers at, without https://.")
]
_SECONDS = 10.0
_ADDRESSES = "witnesses.json"


@witness_app.command("key")
@refusals
def witness_key(
    file: Annotated[str, typer.Argument(help="The key file to make, or pkcs11:token=...;object=...; must not exist.")],
    name: NameOption,
    passphrase_file: PassphraseOption = None,
    public: PublicOption = None,
) -> None:
    """Make a witness's key (Ed25519). Hand the public key to whoever runs `declare-log`.

    Next: the seats agree on the witness (`declare-log --witness NAME=FILE.pub`, `change-log`), you `witness serve`.
    """
    from keys.envelopes.signed_note import NoteKeyKind, check_key_name, note_key

    check_key_name(name)  # before there is a key that nobody can name
    signer = create_key(file, "EdDSA", passphrase_file)
    public = write_public(signer, file, public)
    say(f"Key:          {file}", f"Public key:   {public}")
    say(f"Verifier key: {note_key(name, NoteKeyKind.COSIGNATURE, signer.public_key)}")


@witness_app.command("vkey")
@refusals
def witness_vkey(file: Annotated[Path, typer.Argument(help="The witness's key file.")], name: NameOption) -> None:
    """Show a witness's verifier key, as root names it and others configure it. Needs no passphrase."""
    from keys.custody.software import read_key_file_header
    from keys.envelopes.signed_note import NoteKeyKind, note_key

    say(str(note_key(name, NoteKeyKind.COSIGNATURE, read_key_file_header(file.absolute()).public_key)))


@witness_app.command("serve")
@refusals
def witness_serve(  # noqa: PLR0917
    key_name: Annotated[str, typer.Option("--key", help="The witness's key file, or pkcs11:token=...;object=...")],
    name: NameOption,
    log: Annotated[list[str], typer.Option("--log", help="Verifier key of a log to follow; once for each.")],
    state: Annotated[Path, typer.Option(help="Folder of what was cosigned; never lose it.", metavar="DIR")],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8100,
    passphrase_file: PassphraseOption = None,
) -> None:
    """Answer add-checkpoint at /witness/<last part of the name>/ until stopped: cosign what only ever grew.

    Put HTTPS before it, and tell the host the address (`witness ask`). What it has cosigned is in DIR: with that lost
    it could be shown another past.
    """
    import uvicorn
    from fastapi import FastAPI

    from keys.envelopes.signed_note import parse_note_key
    from trust_registry.log.routes import witness_router
    from trust_registry.log.witness_store import Witness

    logs = [parse_note_key(text) for text in log]
    witness = Witness(name, open_named_key(key_name, passphrase_file), logs, state.absolute(), now)
    application = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    application.include_router(witness_router({name.rpartition("/")[2]: witness}))
    say(f"Witness {witness.key}", f"  at http://{host}:{port}/witness/{name.rpartition('/')[2]}/add-checkpoint")
    uvicorn.run(application, host=host, port=port, log_level="warning", access_log=False)


@app.command("log")
@refusals
def show_log(
    source: Annotated[
        str,
        typer.Argument(help="The network's folder, or the URL of its public files.", metavar="REPO|URL"),
    ],
    trust: Annotated[
        Path | None,
        typer.Option(help="Your own copy of the trust data; needed with a URL: it says which log.", metavar="DIR"),
    ] = None,
    entries: Annotated[int, typer.Option(help="How many of the latest entries to show.", min=0, max=10000)] = 10,
    policy: Annotated[
        bool, typer.Option("--policy", help="Only the policy file (C2SP tlog-policy), for other tools that verify.")
    ] = False,
) -> None:
    """Show a network's log: size, checkpoint, who cosigned; every entry and tile is hashed anew and compared."""
    import httpx

    from trust_registry.fetching import folder_fetch, http_fetch

    if "://" not in source:
        _tell_of_folder(Path(source), entries, policy)
        return
    if trust is None:
        raise typer.BadParameter("with a URL your own copy is needed: it says which log is meant", param_hint="--trust")
    from trust_registry.client import TrustStore
    from trust_registry.errors import TrustMissing
    from trust_registry.log.proofs import fetched_tiles

    known = TrustStore(trust).logged()
    if known is None:
        raise TrustMissing("this copy's network keeps no log")
    if policy:
        _tell_policy(known.log)
        return
    prefix = source.rstrip("/") + "/log/"
    with httpx.Client(timeout=_SECONDS, follow_redirects=False) as client:
        fetch = folder_fetch({"file:///": Path("/")}, http_fetch(client))
        _tell(fetch(f"{prefix}checkpoint"), known.log, fetched_tiles(fetch, prefix), entries)


@witness_app.command("ask")
@refusals
def witness_ask(
    repo: RepositoryArgument,
    witnesses: Annotated[
        list[str],
        typer.Argument(help="NAME=URL, as `witness serve` prints it; an empty URL forgets one.", metavar="NAME=URL"),
    ],
) -> None:
    """Tell the host at which address it asks each witness; `publish` and `renew` do so from then on.

    Kept in REPO/keys/witnesses.json. Who counts as a witness is not said here but by the seats (`declare-log`).
    """
    from trust_registry.durable import write_durably

    repository(repo)  # raises where there is none
    known = _addresses(repo / "keys")
    for text in witnesses:
        name, found, url = text.partition("=")
        if not (found and name) or (url and not url.startswith(("https://", "http://"))):
            raise typer.BadParameter(f"NAME=https://... is needed, not {text}", param_hint="NAME=URL")
        known[name] = url
    kept = {name: url for name, url in known.items() if url}
    write_durably(repo / "keys" / _ADDRESSES, (json.dumps(kept, indent=1) + "\n").encode())
    say(*(f"{name}  {url}" for name, url in kept.items()))


def witness_submits(*folders: Path) -> Mapping[str, Submit]:
    """How to ask the witnesses: `witnesses.json` in the first of the folders that has one, {name: URL}.

    Raises: typer.BadParameter, OSError.
    """
    urls = next((found for found in map(_addresses, folders) if found), {})
    return {name: partial(_submit, url) for name, url in urls.items()}


def _submit(url: str, body: bytes) -> WitnessAnswer:
    import httpx

    from trust_registry.log.submitting import http_submit

    with httpx.Client(timeout=_SECONDS, follow_redirects=False) as client:
        return http_submit(client, url)(body)


def _addresses(folder: Path) -> dict[str, str]:
    path = folder / _ADDRESSES
    found = read_json(path) if path.is_file() else {}
    if not isinstance(found, dict) or not all(isinstance(url, str) for url in found.values()):
        raise typer.BadParameter(f"{path} must say {{name: URL}}")
    return found


def told(found: Publication) -> Iterator[str]:
    """What came of a publication, in lines."""
    cosigning = found.cosigning
    if found.in_force:
        count = "" if cosigning is None else f", cosigned by {len(cosigning.cosigned)} witnesses"
        yield f"Published: {found.proposal or 'renewal'} (snapshot {found.snapshot_version}{count})"
    elif cosigning is not None:
        yield (
            f"Decided, and not yet in force: {len(cosigning.cosigned)} of {cosigning.wanted} witnesses have cosigned. "
            "Run `publish` or `renew` again; a running server finishes it by itself."
        )
    for name, why in {} if cosigning is None else cosigning.missing.items():
        yield f"  without {name}: {why}"


def _tell_policy(declared: LogDeclaration) -> None:
    from trust_registry.log.policy import policy_file

    say(policy_file(declared).removesuffix("\n"))


def _tell_of_folder(folder: Path, entries: int, policy: bool) -> None:
    from keys.errors import MalformedEnvelope
    from trust_registry.errors import LogDamaged, NotFounded
    from trust_registry.log.declaration import declared_log
    from trust_registry.log.proofs import folder_tiles
    from trust_registry.publication import unfinished
    from trust_registry.repository import Repository

    repository = Repository(folder)
    try:
        declared = declared_log(repository.latest_root().signed)
    except MalformedEnvelope as err:
        raise LogDamaged(str(err)) from err
    if declared is not None and policy:
        _tell_policy(declared)
        return
    waiting = unfinished(repository)
    if waiting is not None:
        say(*told(waiting))
    if declared is None:
        raise NotFounded("this network keeps no log")
    _tell((repository.log / "checkpoint").read_bytes(), declared, folder_tiles(repository.log), entries)


def _tell(data: bytes, declared: LogDeclaration, read: ReadTile, entries: int) -> None:
    from trust_registry.log.overview import audit_tree, overview, verified

    for line in _lines(overview(data, declared, read, entries)):
        say(line)
    with busy("Hashing every entry and tile"):
        audit_tree(verified(data, declared), read)
    say("Every entry and every tile is that of the checkpoint.")


def _lines(found: LogOverview) -> Iterator[str]:
    from base64 import b64encode

    from trust_registry.log.entries import write_time

    yield f"Log {found.origin}: {found.size} entries"
    yield f"  root hash {b64encode(found.root_hash).decode('ascii')}"
    yield f"  {len(found.cosignatures)} cosignatures, {found.quorum} needed"
    for name, at in found.cosignatures:
        yield f"    {name}  {write_time(at)}"
    for name in found.missing:
        yield f"    {name}  has not cosigned"
    for entry in found.latest:
        yield (
            f"  {entry.index}  {write_time(entry.published_at)}  snapshot {entry.snapshot.version} "
            f"{entry.snapshot.sha256[:16]}  root {entry.root.version}"
        )
