"""`yinxin registry`: who belongs to a network and who signs, as commands that propose; `publish` changes.

Commands only read options and show what was proposed; `trust_registry.membership` and `upkeep` decide.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from server.cli.registry_desk import (
    HostKeysOption,
    OnlineOption,
    RepositoryArgument,
    now,
    print_proposal,
    read_json,
    refusals,
    repository,
    say,
)
from server.cli.registry_host_keys import make_host_keys
from server.cli.registry_keys import read_officer, read_seat

if TYPE_CHECKING:
    from trust_registry.tuf_keys import Officer

app = typer.Typer()

OfficerOption = Annotated[
    list[str],
    typer.Option("--officer", help="NAME=FILE, once per officer; FILE is their key file or public key (PEM)."),
]
ThresholdOption = Annotated[int, typer.Option(help="How many of them must sign.", min=1)]
CodeArgument = Annotated[str, typer.Argument(help="Code of the region or common body.", metavar="CODE")]


@app.command()
@refusals
def init(
    repo: RepositoryArgument,
    seat: Annotated[list[str], typer.Option(help="CODE:NAME=FILE, once per founding region; FILE as for officers.")],
    log: Annotated[
        Path | None, typer.Option(help="The transparency log's declaration (JSON).", show_default=False)
    ] = None,
    passphrase_file: OnlineOption = None,
    host_keys: HostKeysOption = None,
) -> None:
    """Propose a new network, its root and targets held by the founding regions, one seat each; over half must sign.

    Makes the host's two online keys (snapshot, timestamp) in REPO/keys, or where --host-keys says, as in a token.
    Nothing is published before enough seats have signed: then run `publish`, and hand
    REPO/public/metadata/1.root.json to verifiers by another way than this network.
    """
    from trust_registry.ceremony import found_network

    seats = [read_seat(text) for text in seat]
    declared = None if log is None else read_json(log)
    online = make_host_keys(repo / "keys", passphrase_file, host_keys)
    print_proposal(found_network(repository(repo, new=True), seats=seats, online=online, now=now(), log=declared))


@app.command("admit-region")
@refusals
def admit_region(  # noqa: PLR0917
    repo: RepositoryArgument,
    code: Annotated[str, typer.Argument(help="GB/T 2260 or ISO 3166-2 code of the region.")],
    name_zh: Annotated[str, typer.Option(help="The region's name in Chinese.")],
    name_en: Annotated[str, typer.Option(help="The region's name in English.")],
    officer: OfficerOption,
    threshold: ThresholdOption,
    seat: Annotated[
        str | None, typer.Option(help="NAME=FILE of its seat; founding regions have one.", show_default=False)
    ] = None,
) -> None:
    """Propose to admit a region, whose lists its own officers will sign. The other regions' seats sign it.

    Next, once published: the region's start-list.
    """
    _admit(repo, "region", code, (name_zh, name_en), officer, threshold, seat)


@app.command("admit-body")
@refusals
def admit_body(  # noqa: PLR0917
    repo: RepositoryArgument,
    code: Annotated[str, typer.Argument(help='Code of the common body, such as "common".')],
    name_zh: Annotated[str, typer.Option(help="Its name in Chinese.")],
    name_en: Annotated[str, typer.Option(help="Its name in English.")],
    officer: OfficerOption,
    threshold: ThresholdOption,
) -> None:
    """Propose to admit a common body: it defines certificate types and nothing else, and holds no seat."""
    _admit(repo, "body", code, (name_zh, name_en), officer, threshold, None)


@app.command()
@refusals
def expel(repo: RepositoryArgument, code: CodeArgument) -> None:
    """Propose to end a region's or body's membership: its list is believed no longer, and its seat goes with it.

    The consequences are shown before anybody signs. Verifiers remember its last list: it can't come back with another
    past.
    """
    from trust_registry.ceremony import expel as propose_expulsion
    from trust_registry.model import RegionCode

    print_proposal(propose_expulsion(repository(repo), RegionCode(code), now()))


@app.command("change-seat")
@refusals
def change_seat(
    repo: RepositoryArgument,
    seat: Annotated[str, typer.Argument(help="CODE:NAME=FILE, the seat's new key.", metavar="SEAT")],
) -> None:
    """Propose another key for a region's seat. More than half of the seats sign, by the old keys and by the new."""
    from trust_registry.ceremony import change_seat as propose_seat

    print_proposal(propose_seat(repository(repo), read_seat(seat), now()))


@app.command("change-officers")
@refusals
def change_officers(
    repo: RepositoryArgument,
    code: CodeArgument,
    add: Annotated[
        list[str] | None, typer.Option(help="NAME=FILE: a new officer, or another key for one.", show_default=False)
    ] = None,
    remove: Annotated[list[str] | None, typer.Option(help="NAME of one who leaves.", show_default=False)] = None,
    threshold: Annotated[
        int | None, typer.Option(help="How many must sign from now on.", min=1, show_default=False)
    ] = None,
) -> None:
    """Propose who signs an authority's list from now on, and how many of them.

    The seats sign the change, the officers as they will be sign the list as it stands.
    """
    from trust_registry.ceremony import change_officers as propose_officers
    from trust_registry.membership import officers_of
    from trust_registry.model import RegionCode

    found = repository(repo)
    officers, needed = officers_of(found.current(), RegionCode(code))
    for name in remove or ():
        if officers.pop(name, None) is None:
            raise typer.BadParameter(f"{name} is none of: {', '.join(officers)}", param_hint="--remove")
    for text in add or ():
        new = read_officer(text)
        officers[new.name] = new
    changed = tuple(officers.values())
    print_proposal(
        propose_officers(found, RegionCode(code), officers=changed, threshold=threshold or needed, now=now())
    )


@app.command("change-host-keys")
@refusals
def change_host_keys(
    repo: RepositoryArgument,
    folder: Annotated[
        Path | None,
        typer.Option(help="Where to make them; a new folder in REPO/keys if absent.", show_default=False),
    ] = None,
    passphrase_file: OnlineOption = None,
    host_keys: HostKeysOption = None,
) -> None:
    """Propose other keys for snapshot and timestamp, and make them: after a theft, or because the old ones are old.

    With --host-keys snapshot=pkcs11:... and timestamp=pkcs11:... they are made in a token; REPO/keys remembers where.
    Once published, everything is signed with the new keys, and verifiers forget what the old ones signed.
    """
    from trust_registry.ceremony import change_online_keys

    found = repository(repo)
    version = found.latest_root().signed.version + 1
    online = make_host_keys(folder or repo / "keys" / f"root-{version}", passphrase_file, host_keys)
    print_proposal(change_online_keys(found, online, now()))


@app.command("declare-log")
@refusals
def declare_log(
    origin: Annotated[str, typer.Argument(help="The log's address without https://, which names it for ever.")],
    out: Annotated[Path, typer.Argument(help="The file to write, for `init --log` and `change-log`.")],
    key_file: Annotated[Path, typer.Option("--key", help="The log's key file or public key (EdDSA).")],
    witness: Annotated[
        list[str] | None, typer.Option(help="NAME=FILE, once per witness (EdDSA).", show_default=False)
    ] = None,
    quorum: Annotated[int, typer.Option(help="How many witnesses must cosign.", min=0)] = 0,
) -> None:
    """Write down what the seats are to agree on: the log, its key, its witnesses. Signs and proposes nothing.

    The host keeps the log's key as log.key beside snapshot.key and timestamp.key.
    """
    import json

    from trust_registry.log.declaration import declare_log as declared

    witnesses = [(each.name, each.public_key) for each in map(read_officer, witness or ())]
    log = declared(origin, read_officer(f"log={key_file}").public_key, witnesses, quorum=quorum)
    out.write_text(json.dumps(log.to_field(), indent=2) + "\n", encoding="utf-8")
    say(f"Written: {out}", f"Log key: {log.key}  (what witnesses follow: witness serve --log)")


@app.command("change-log")
@refusals
def change_log(
    repo: RepositoryArgument,
    declaration: Annotated[Path, typer.Argument(help="origin, key, witnesses and quorum as JSON.")],
) -> None:
    """Propose another agreement on the transparency log: its key, its witnesses, how many of them must cosign.

    The seats sign. Before `publish`, the host must be able to reach the witnesses: `witness ask`.
    """
    from keys.errors import MalformedEnvelope
    from trust_registry.ceremony import change_log as propose_log
    from trust_registry.log.declaration import LogDeclaration

    declared = read_json(declaration)
    try:
        LogDeclaration.from_field(declared)
    except MalformedEnvelope as err:
        raise typer.BadParameter(f"{declaration}: {err}; `declare-log` writes one", param_hint="DECLARATION") from err
    print_proposal(propose_log(repository(repo), declared, now()))


@app.command("propose-renewal")
@refusals
def propose_renewal(
    repo: RepositoryArgument,
    code: Annotated[
        str | None, typer.Argument(help="Whose list; root and targets if absent.", show_default=False)
    ] = None,
) -> None:
    """Propose what stands, unchanged, with its full life before it: root and targets, or one list."""
    from trust_registry.ceremony import renew_list, renew_network
    from trust_registry.model import RegionCode

    found = repository(repo)
    print_proposal(renew_network(found, now()) if code is None else renew_list(found, RegionCode(code), now()))


def _admit(  # noqa: PLR0917
    repo: Path,
    kind: str,
    code: str,
    names: tuple[str, str],
    officers: Sequence[str],
    threshold: int,
    seat: str | None,
) -> None:
    from trust_registry.ceremony import admit
    from trust_registry.model import ListKind, Names, RegionCode

    named: list[Officer] = [read_officer(text) for text in officers]
    print_proposal(
        admit(
            repository(repo),
            kind=ListKind(kind),
            code=RegionCode(code),
            names=Names(*names),
            officers=named,
            threshold=threshold,
            seat=None if seat is None else read_officer(seat),
            now=now(),
        )
    )
