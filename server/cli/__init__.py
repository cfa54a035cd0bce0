"""`yinxin`: the command line. Each command lives in a module of its own, imported only when it is run.

A module of this package holds `app`, a typer application; one with a single command becomes that command.
Exit codes: 0 done, 1 refused (verify: FAILED), 2 (verify: INDETERMINATE), 64 wrong usage, 70 a bug.
"""

from __future__ import annotations

import sys
import traceback
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

EXIT_REFUSED = 1
EXIT_USAGE = 64
EXIT_BUG = 70
ROOMS = frozenset({"keys", "trust_registry", "issuer", "verifier", "wallet_api", "server"})

COMMANDS: dict[str, str] = {
    "demo": "Start a complete demonstration: two regions, offices, citizens, counters.",
    "serve": "Run the server, whole or one room of it.",
    "verify": "Judge certificates, offline or on: any rendering, files or a folder or -.",
    "augment": "Keep a sealed PDF verifiable for years: time-stamps and validation data.",
    "archive": "Case files: evidence, verdict and all they rest on, verifiable for decades.",
    "issue": "Seal certificates, one or many, as an office.",
    "kit": "Everything a counter needs to verify without a network, in one signed file.",
    "registry": "The trust registry's ceremonies: found, admit, propose, sign, publish, refresh.",
    "custody": "The seals and status keys that a server uses, in files or tokens.",
    "accounts": "Local accounts and machine clients of a server.",
    "settings": "Show every setting, its meaning, default and value in force.",
}


class _LazyGroup(TyperGroup):
    """Names and one-line helps without importing the commands themselves."""

    def list_commands(self, ctx: Any) -> list[str]:
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        del ctx
        return TyperCommand(cmd_name, help=COMMANDS[cmd_name]) if cmd_name in COMMANDS else None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, stub, rest = super().resolve_command(ctx, args)
        if name is None or stub is None:
            return name, stub, rest
        command = typer.main.get_command(import_module(f"server.cli.{name}").app)
        command.name = name
        return name, command, rest


app = typer.Typer(
    cls=_LazyGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="印信 Yinxin: issue, hold, show, verify and revoke certificates that every region can check for itself.",
    epilog="Try it: yinxin demo    Check a file offline: yinxin verify FILE --trust DIR",
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        sys.stdout.write(f"yinxin {version('yinxin')}\n")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    del version


def main() -> None:
    """The entry point of the `yinxin` script."""
    try:
        code = app(standalone_mode=False)
    except typer.Abort:
        sys.exit(130)
    except Exception as err:
        code = _explain(err)
        if code == EXIT_BUG:
            traceback.print_exc()
        sys.exit(code)
    sys.exit(code if isinstance(code, int) else 0)


def _explain(err: Exception) -> int:
    """Say what a refusal means; the exit code. EXIT_BUG says nothing: its trace does."""
    show = getattr(err, "show", None)  # usage errors know how to show themselves
    if show is not None:
        show()
        return EXIT_USAGE
    home = type(err).__module__
    if home.endswith(".errors") and home.partition(".")[0] in ROOMS:
        sys.stderr.write(f"yinxin: {err or type(err).__name__}\n")
        return EXIT_USAGE if type(err).__name__ == "InvalidSettings" else EXIT_REFUSED
    if type(err).__name__ == "OperationalError":
        sys.stderr.write("yinxin: the database can't be opened: is it running, and is YINXIN_DATABASE_URL right?\n")
        return EXIT_REFUSED
    return EXIT_BUG
