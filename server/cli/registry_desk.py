"""What every command of `yinxin registry` shares: how refusals end it, how proposals are shown, the time.

Holds no command and decides nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ParamSpec

import typer

if TYPE_CHECKING:
    from trust_registry.proposals import Proposal

P = ParamSpec("P")

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
    Path | None,
    typer.Option(help="Folder of the host's snapshot.key and timestamp.key; REPO/keys if absent.", show_default=False),
]


def refusals(command: Callable[P, None]) -> Callable[P, None]:
    """Say what was refused in one line and exit 1; a bug still shows its trace."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        from keys.errors import KeysError
        from trust_registry.errors import TrustRegistryError

        try:
            command(*args, **kwargs)
        except (TrustRegistryError, KeysError, OSError) as err:
            sys.stderr.write(f"yinxin: {err}\n")
            raise typer.Exit(1) from err

    return run


def repository(folder: Path) -> Any:
    from trust_registry.repository import Repository

    return Repository(folder)


def now() -> Any:
    from datetime import UTC, datetime

    return datetime.now(UTC)


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
