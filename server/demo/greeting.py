"""What the demonstration prints when it is ready: where, who, and what to try."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from server.demo.filling import PASSWORD, account_cards
from server.settings import Settings


def greet(console: Console, settings: Settings, data: Path, *, made: bool) -> None:
    """Print the address and the accounts."""
    address = f"http://{settings.host}:{settings.port}"
    console.print(f"\n[bold red]印信[/bold red] [bold]Yinxin[/bold] is ready: [bold underline]{address}[/]")
    if settings.origin != address:
        console.print(f"[dim]Certificates name the address of the first start, {settings.origin}[/dim]")
    console.print(f"Accounts, all with the password [bold]{PASSWORD}[/bold]; the first three are enough:")
    table = Table.grid(padding=(0, 2))
    for card in account_cards():
        table.add_row(f"  [bold]{card['name']}[/bold]", card["zh"], f"[dim]{card['en']}[/dim]")
    console.print(table)
    console.print(f"[dim]Everything lies in {data} ({'made just now' if made else 'kept from before'}).[/dim]")
    console.print("Check a certificate offline:")
    command = f"  {_yinxin()} verify {data}/samples/marriage.pdf --trust {data}/trust --accepting 990200"
    console.print(command, soft_wrap=True, highlight=False)
    console.print("[dim]Ctrl-C stops it.[/dim]\n")


def _yinxin() -> str:
    """The command as it can be typed here: `make run` installs it beside the interpreter, not on everybody's path."""
    beside = Path(sys.executable).with_name("yinxin")
    return "yinxin" if shutil.which("yinxin") or not beside.exists() else os.path.relpath(beside)
