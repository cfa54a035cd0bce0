"""`yinxin accounts`: local accounts and machine clients of a server.

Passwords come from a prompt or a file, never argv.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from server.cli.settings import ConfigOption

if TYPE_CHECKING:
    from server.accounts import Accounts
    from server.model import Affiliation

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Local accounts and machine clients of a server.")

DataOption = Annotated[Path | None, typer.Option("--data", help="Data folder.", show_default=False)]
RoleOption = Annotated[
    list[str],
    typer.Option("--role", help="registry_officer, issuing_clerk, counter_clerk, citizen or auditor; may be repeated."),
]
RegionOption = Annotated[str | None, typer.Option("--region", help="Region code it acts for.")]
IssuerOption = Annotated[str | None, typer.Option("--issuer", help="Issuer id it acts for.")]
PartyOption = Annotated[str | None, typer.Option("--relying-party", help="Relying party id it acts for.")]


def _open(config: Path | None, data: Path | None) -> Accounts:
    from server.accounts import make_accounts
    from server.database import migrate, open_database
    from server.settings import load_settings

    given: dict[str, Any] = {} if data is None else {"data": data}
    settings = load_settings(config, **given)
    settings.data.mkdir(parents=True, exist_ok=True)
    engine = open_database(settings.database)
    migrate(engine)
    return make_accounts(settings, engine)


def _affiliation(roles: list[str], region: str | None, issuer: str | None, party: str | None) -> Affiliation:
    from server.model import Affiliation
    from trust_registry.edges import Role
    from trust_registry.model import IssuerId, RegionCode, RelyingPartyId

    try:
        known = frozenset(Role(role) for role in roles)
    except ValueError:
        raise typer.BadParameter(f"must be one of {', '.join(r.value for r in Role)}", param_hint="--role") from None
    return Affiliation(
        known,
        RegionCode(region) if region else None,
        IssuerId(issuer) if issuer else None,
        RelyingPartyId(party) if party else None,
    )


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="Name to sign in with.")],
    *,
    role: RoleOption,
    display_name: Annotated[str | None, typer.Option(help="Name shown on pages.")] = None,
    region: RegionOption = None,
    issuer: IssuerOption = None,
    relying_party: PartyOption = None,
    password_file: Annotated[Path | None, typer.Option(help="File whose first line is the password.")] = None,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Add a local account. Asks for the password, unless --password-file is given.

    Example: yinxin accounts add wang --role issuing_clerk --issuer 990100/civil-affairs --data /var/lib/yinxin
    """
    from server.custody import read_passphrase
    from server.errors import AccountExists

    affiliation = _affiliation(role, region, issuer, relying_party)
    if password_file is None:
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        password = read_passphrase(password_file).decode()
    try:
        _open(config, data).create(name, display_name or name, affiliation, password)
    except AccountExists:
        _refuse(f"there is an account {name} already")
    except ValueError as err:
        _refuse(str(err))


@app.command("list")
def listing(config: ConfigOption = None, data: DataOption = None) -> None:
    """List the accounts: name, roles, for whom they act."""
    for account in _open(config, data).store.accounts():
        a = account.affiliation
        roles = ",".join(sorted(each.value for each in a.roles))
        whom = a.relying_party_id or a.issuer_id or a.region or ""
        sys.stdout.write(f"{account.name}\t{roles}\t{whom}\t{'disabled' if account.disabled else ''}\n")


@app.command()
def disable(
    name: Annotated[str, typer.Argument(help="Name of the account.")],
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Refuse an account from now on and end its sessions."""
    accounts = _open(config, data)
    account = accounts.store.by_name(name)
    if account is None:
        _refuse(f"there is no account {name}")
    else:
        accounts.disable(account)


@app.command()
def client(
    client_id: Annotated[str, typer.Argument(help="OAuth client id.")],
    *,
    jwks: Annotated[Path, typer.Option(help="File with the client's public keys (JWK set).")],
    role: RoleOption,
    display_name: Annotated[str | None, typer.Option(help="Name in logs of uses.")] = None,
    region: RegionOption = None,
    issuer: IssuerOption = None,
    relying_party: PartyOption = None,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Register a machine client (private_key_jwt), or replace its keys. Only public keys are taken."""
    from keys.errors import AlgorithmNotSupported
    from keys.public_key import PublicKey
    from server.model import MachineClient
    from trust_registry.edges import AccountId

    try:
        keys = json.loads(jwks.read_bytes())["keys"]
        public = [PublicKey.from_jwk(key).jwk() for key in keys]
    except (OSError, ValueError, KeyError, TypeError, AlgorithmNotSupported) as err:
        raise typer.BadParameter(f"no set of public keys: {err}", param_hint="--jwks") from None
    affiliation = _affiliation(role, region, issuer, relying_party)
    made = MachineClient(AccountId(client_id), display_name or client_id, affiliation, {"keys": public})
    _open(config, data).store.put_client(made)


def _refuse(words: str) -> None:
    sys.stderr.write(f"yinxin: {words}\n")
    raise typer.Exit(1)
