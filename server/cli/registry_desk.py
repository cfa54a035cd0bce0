"""What every command of `yinxin registry` shares: how refusals end it, how proposals are shown, the time.

Holds no command and decides nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ParamSpec, TypeVar

import typer

if TYPE_CHECKING:
    from trust_registry.proposals import Proposal

P = ParamSpec("P")
T = TypeVar("T")

RepositoryArgument = Annotated[Path, typer.Argument(help="The network's folder on its host.", metavar="REPO")]
PassphraseOption = Annotated[
    Path | None,
    typer.Option(
        help="File that holds the key's passphrase or PIN; else YINXIN_PASSPHRASE is used.", show_default=False
    ),
]

OnlineOption = Annotated[
    Path | None,
    typer.Option(help="File that holds the host keys' passphrase; else YINXIN_PASSPHRASE is used.", show_default=False),
]
HostKeysOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FOLDER|ROLE=KEY",
        help="Where the host's keys are, if not in REPO/keys: a folder; or snapshot=KEY, timestamp=KEY and log=KEY, "
        "once each; KEY is a key file or pkcs11:token=...;object=...",
        show_default=False,
    ),
]


def refusals(command: Callable[P, None]) -> Callable[P, None]:
    """Say what was refused in one line and exit 1; a bug still shows its trace."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        from keys.errors import KeysError
        from trust_registry.errors import TrustRegistryError

        try:
            command(*args, **kwargs)
        except OSError as err:
            sys.stderr.write(f"yinxin: {_of_file(err)}\n")
            raise typer.Exit(1) from err
        except (TrustRegistryError, KeysError) as err:
            sys.stderr.write(f"yinxin: {err}\n")
            raise typer.Exit(1) from err

    return run


def _of_file(err: OSError) -> str:
    """What is wrong with a file, in words; its name first."""
    words = {
        FileNotFoundError: "there is no such file or folder",
        FileExistsError: "is there already: choose another name",
        IsADirectoryError: "is a folder: name a file",
        NotADirectoryError: "goes through something that is no folder",
        PermissionError: "this account may not read or write it",
    }
    said = next((text for kind, text in words.items() if isinstance(err, kind)), err.strerror or str(err))
    return said if err.filename is None else f"{err.filename}: {said}"


def read_json(file: Path) -> Any:
    """Raises: typer.BadParameter where the file holds no JSON; OSError."""
    import json

    try:
        return json.loads(file.read_bytes())
    except (ValueError, RecursionError) as err:
        raise typer.BadParameter(f"{file} holds no JSON: {err}"[:200]) from err


def busy(words: str) -> AbstractContextManager[Any]:
    """A sign of life on a terminal while something takes long; nothing where nobody looks."""
    if not sys.stderr.isatty():
        return nullcontext()
    from rich.console import Console

    return Console(stderr=True).status(words)


def repository(folder: Path, *, new: bool = False) -> Any:
    """The network in a folder. Raises: NotFounded where there is none, unless it may be `new`."""
    from trust_registry.errors import NotFounded
    from trust_registry.repository import Repository

    if not new and not any((folder / part).is_dir() for part in ("public", "proposals")):
        raise NotFounded(f"there is no network in {folder}: name a network's folder, or found one with init")
    return Repository(folder)


def read_noun(kind: type[T], file: Path) -> T:
    """A noun of the model from a JSON file. Raises: typer.BadParameter naming the field, OSError."""
    from trust_registry.errors import InvalidList
    from trust_registry.wire import from_json

    stdin = str(file) == "-"
    data = typer.get_binary_stream("stdin").read() if stdin else file.read_bytes()
    try:
        return from_json(kind, data)
    except InvalidList as err:
        where = f"{err.field}: " if err.field else ""
        raise typer.BadParameter(
            f"{'what comes in' if stdin else file} is not what is needed: {where}{err.message}"
        ) from err


def now() -> Any:
    from server.clock import utc_now

    return utc_now()


def say(*lines: str) -> None:
    for line in lines:
        sys.stdout.write(f"{line}\n")


def print_json(data: bytes) -> None:
    import json

    sys.stdout.write(json.dumps(json.loads(data), ensure_ascii=False, indent=2) + "\n")


def print_proposal(found: Proposal) -> None:
    marks = {"added": "+", "changed": "~", "removed": "-"}
    say("", f"Proposal {found.id}", f"  {found.title.zh} / {found.title.en}")
    for change in found.changes:
        say(f"  {marks[change.kind.value]} {change.text.zh}", f"      {change.text.en}   [{change.entry}]")
    for each in found.progress:
        signed = ", ".join(each.signed) or "nobody yet"
        say(f"  {each.role}: {len(each.signed)} of {each.threshold} signatures ({signed})")
        if not each.reached:
            say(f"      {each.needed} more needed; can sign: {', '.join(each.missing)}")
    if found.ready:
        say("  Ready to publish.")
