"""`yinxin registry`: the ceremonies of a recognition network, and the verifier's copy of its trust data.

Officers' passphrases come from a file or from YINXIN_PASSPHRASE, never from the command line.
"""

from __future__ import annotations

import json
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from server.cli import (
    registry_audit,
    registry_certificates,
    registry_export,
    registry_foreign,
    registry_governance,
    registry_host_keys,
    registry_lists,
    registry_log,
    registry_panels,
    registry_rules,
    registry_services,
    registry_words,
)
from server.cli.registry_desk import HostKeysOption, OnlineOption, PassphraseOption, RepositoryArgument
from server.cli.registry_desk import busy as _busy
from server.cli.registry_desk import now as _now
from server.cli.registry_desk import print_json as _print_json
from server.cli.registry_desk import print_proposal as _print_proposal
from server.cli.registry_desk import refusals as _refusals
from server.cli.registry_desk import repository as _repository
from server.cli.registry_desk import say as _say
from server.cli.registry_host_keys import host_keys_of
from server.cli.registry_keys import PublicOption, create_key, open_named_key, write_public

if TYPE_CHECKING:
    from trust_registry.model import RegionList

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="The trust registry's ceremonies, step by step.",
    epilog=(
        "Found a network:  key (each officer) > init > sign (enough officers) > publish.    "
        "Admit a region:  admit-region > sign > publish.    "
        "Change a list:  any command of that panel > consequences > sign > publish.    "
        "Change who signs:  change-officers, change-seat, change-host-keys, expel > sign > publish.    "
        "Verify elsewhere:  refresh DIR --repository URL --root 1.root.json"
    ),
)

app.add_typer(registry_governance.app)
app.add_typer(registry_foreign.app, name="foreign")
app.add_typer(registry_rules.app, name="rule")
app.add_typer(registry_log.app)
for _part in (
    registry_lists,
    registry_services,
    registry_words,
    registry_certificates,
    registry_host_keys,
    registry_export,
    registry_audit,
):
    app.registered_commands += _part.app.registered_commands
ProposalArgument = Annotated[str, typer.Argument(help="The proposal's id, as `show` lists it.", metavar="PROPOSAL")]


class KeyAlgorithm(Enum):
    ES256 = "ES256"
    ES384 = "ES384"
    EDDSA = "EdDSA"


@app.command()
@_refusals
def key(
    name: Annotated[str, typer.Argument(help="The key file to make, or pkcs11:token=...;object=...; must not exist.")],
    algorithm: Annotated[KeyAlgorithm, typer.Option(help="Kind of key.")] = KeyAlgorithm.ES256,
    passphrase_file: PassphraseOption = None,
    public: PublicOption = None,
) -> None:
    """Make an officer's key on the officer's own machine: a file, encrypted, or in a token that never gives it away.

    Hand the public key to whoever runs `init` or `admit-region`; never the key file itself.
    """
    signer = create_key(name, algorithm.value, passphrase_file)
    _say(f"Key:        {name}", f"Public key: {write_public(signer, name, public)}")


@app.command()
@_refusals
def propose(
    repo: RepositoryArgument,
    list_file: Annotated[Path, typer.Argument(help="The whole list as JSON, as `show REPO CODE` prints it.")],
) -> None:
    """Propose a new version of an authority's list and show what it would change.

    Version and time are set here; a list that breaks a rule or rewrites history is refused, naming the field.
    """
    from trust_registry.ceremony import propose as propose_list
    from trust_registry.wire import list_from_json

    _print_proposal(propose_list(_repository(repo), list_from_json(list_file.read_bytes()), _now()))


@app.command()
@_refusals
def show(
    repo: RepositoryArgument,
    what: Annotated[
        str | None, typer.Argument(help="A proposal's id, or the code of a list to print as JSON.", show_default=False)
    ] = None,
    entry: Annotated[
        str | None,
        typer.Option(
            metavar="PATH", help="Only this of the list: defines/TYPE, scenarios/ID, recognises/R7.", show_default=False
        ),
    ] = None,
) -> None:
    """Show what waits for signatures; or one proposal; or a published list, or an entry of it, ready to be edited.

    Then: `propose` the whole list, `change-type` for a type.
    """
    from trust_registry.ceremony import pending, proposal
    from trust_registry.errors import UnknownProposal
    from trust_registry.model import RegionCode
    from trust_registry.wire import list_to_json

    repository = _repository(repo)
    if what is None:
        waiting = pending(repository)
        for each in waiting:
            _print_proposal(each)
        if not waiting:
            _say("Nothing waits for signatures.")
        return
    try:
        _print_proposal(proposal(repository, what))
    except UnknownProposal:
        found = repository.list_of(RegionCode(what))
        if found is None:
            _say(f"{what} has not published a list yet.")
        else:
            _print_json(list_to_json(found) if entry is None else _entry_of(found, entry))


def _entry_of(region_list: RegionList, path: str) -> bytes:
    """Raises: EntryUnknown."""
    from trust_registry.errors import EntryUnknown
    from trust_registry.wire import to_wire

    part, _, identity = path.partition("/")
    if part in {"defines", "attests", "scenarios", "recognises", "relying_parties", "foreign"}:
        for each in getattr(region_list, part):
            if identity == getattr(each, "id", getattr(each, "code", None)):
                return json.dumps(to_wire(each)).encode()
    raise EntryUnknown(path)


@app.command()
@_refusals
def sign(  # noqa: PLR0917
    repo: Annotated[str, typer.Argument(help="The network's folder, or the address of its host.", metavar="REPO|URL")],
    proposal: ProposalArgument,
    key_name: Annotated[str, typer.Option("--key", help="Your key file, or pkcs11:token=...;object=...")],
    passphrase_file: PassphraseOption = None,
    trust: Annotated[
        Path | None, typer.Option(help="Your own copy of the trust data (`refresh`) to compare with.", metavar="DIR")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Sign what is shown without asking.")] = False,
    token_file: Annotated[
        Path | None, typer.Option(help="File that holds a bearer token for the host.", show_default=False)
    ] = None,
) -> None:
    """Show what a proposal changes, and sign it with your key once you say yes. The key stays on your machine.

    What is shown is worked out here, from the bytes that are signed: against your own copy with --trust, else against
    what the host says is published. Signatures go to REPO/proposals/PROPOSAL/signatures, or to the host at URL.
    """
    from server.cli import registry_signing as signing

    token = None if token_file is None else token_file.read_text().strip()
    signer = open_named_key(key_name, passphrase_file)
    if "://" not in repo:
        _repository(Path(repo))  # raises where there is none
    with signing.open_desk(repo, proposal, token) as desk:
        found, base = signing.shown(desk, trust, _now())
        _print_proposal(found)
        _say(f"Compared with {'what ' + desk.where + ' says is published' if trust is None else trust}.")
        if not yes:
            typer.confirm("Sign this?", abort=True)
        roles = signing.sign_shown(desk, base, signer)
    _say(f"Signed: {', '.join(roles)}")


@app.command("take-back")
@_refusals
def take_back(
    repo: RepositoryArgument,
    code: Annotated[str, typer.Argument(help="Code of the authority whose list it is about.", metavar="CODE")],
    proposal: ProposalArgument,
) -> None:
    """Take back a proposal about one list that is not to be signed any more; it stays on record in REPO/withdrawn.

    It revokes no signature: whoever kept the files of one that has enough of them can bring it back, until the list's
    next version is published.
    """
    from trust_registry.ceremony import withdraw
    from trust_registry.model import RegionCode

    withdraw(_repository(repo), proposal, RegionCode(code), _now())
    _say(f"Taken back: {proposal}")


@app.command()
@_refusals
def publish(
    repo: RepositoryArgument,
    proposal: ProposalArgument,
    passphrase_file: OnlineOption = None,
    host_keys: HostKeysOption = None,
) -> None:
    """Publish a proposal that enough officers have signed; refused below the threshold, naming who is missing.

    Exits with 2 when it is decided and still waits for witnesses: run it, or `renew`, again.
    """
    from trust_registry import publication

    online = host_keys_of(repo, passphrase_file, host_keys, proposal)
    with _busy("Publishing"):
        found = publication.publish(_repository(repo), proposal, online, _now())
    _say(*registry_log.told(found), f"Serve {repo / 'public'} as static files.")
    if not found.in_force:
        raise typer.Exit(2)


@app.command()
@_refusals
def renew(repo: RepositoryArgument, passphrase_file: OnlineOption = None, host_keys: HostKeysOption = None) -> None:
    """Re-sign snapshot and timestamp when due; run it daily. Changes nothing that officers sign."""
    from trust_registry import publication

    wrote = publication.renew(_repository(repo), host_keys_of(repo, passphrase_file, host_keys), _now())
    waiting = publication.unfinished(_repository(repo))
    if waiting is not None:
        _say(*registry_log.told(waiting))
        raise typer.Exit(2)
    _say("Renewed." if wrote else "Not due yet.")


@app.command()
@_refusals
def status(repo: RepositoryArgument) -> None:
    """Show a network: its roles, versions, expiry, thresholds, and what waits for signatures."""
    from rich.console import Console
    from rich.table import Table

    from trust_registry import publication
    from trust_registry.ceremony import pending

    repository = _repository(repo)
    if (unfinished := publication.unfinished(repository)) is not None:
        _say(*registry_log.told(unfinished))
    current = repository.current()
    table = Table("Role", "Version", "Expires", "Threshold", title=str(repo))
    top = (("root", current.root), ("targets", current.targets))
    for name, metadata in (*top, ("snapshot", current.snapshot), ("timestamp", current.timestamp)):
        role = current.root.signed.roles[name]
        table.add_row(name, *_row(metadata.signed), f"{role.threshold} of {len(role.keyids)}")
    for each in current.list_roles():
        delegated = current.targets.signed.get_delegated_role(each.name)
        found = current.roles.get(each.name)
        version, expires = ("-", "no list yet") if found is None else _row(found.signed)
        table.add_row(each.name, version, expires, f"{delegated.threshold} of {len(delegated.keyids)}")
    Console().print(table)
    for waiting in pending(repository):
        _print_proposal(waiting)


@app.command()
@_refusals
def refresh(  # noqa: PLR0917
    trust: Annotated[Path, typer.Argument(help="Your copy of the trust data; made if it is not there.", metavar="DIR")],
    repository: Annotated[
        str | None,
        typer.Option(help="URL or folder of the network's public files (metadata/, targets/).", show_default=False),
    ] = None,
    root: Annotated[
        Path | None,
        typer.Option(help="First root (1.root.json), obtained by a way you trust; needed once.", show_default=False),
    ] = None,
    status_list: Annotated[
        list[str] | None, typer.Option("--status-list", help="A status list to keep too.", show_default=False)
    ] = None,
    seconds: Annotated[float, typer.Option("--timeout", help="Longest wait for an answer, in seconds.")] = 10,
    witnesses: Annotated[
        int, typer.Option(help="Witnesses wanted on the log's checkpoint, if more than the network's quorum.", min=0)
    ] = 0,
) -> None:
    """Bring a verifier's copy up to date: lists and status lists, verified, ready for `yinxin verify --trust DIR`.

    What is forged, rolled back or rewritten is refused; the copy that was good stays.
    """
    from server.cli.registry_copy import refresh_copy

    with _busy("Fetching and verifying"):
        lines = list(refresh_copy(trust, repository, root, status_list or (), seconds, _now(), witnesses))
    _say(*lines)


def _row(signed: Any) -> tuple[str, str]:
    return str(signed.version), f"{signed.expires:%Y-%m-%d}"


registry_panels.arrange(app)
