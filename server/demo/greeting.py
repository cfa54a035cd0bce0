"""What the demonstration prints when it is ready: where, who, and what to try."""

from __future__ import annotations

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
    table = Table(title=f"Accounts; the password of all is [bold]{PASSWORD}[/bold]", title_justify="left", box=None)
    for column in ("account", "who", "in English"):
        table.add_column(column, style="bold" if column == "account" else None)
    for card in account_cards():
        table.add_row(card["name"], f"{card['zh']}：{card['note_zh']}", f"{card['en']}: {card['note_en']}")
    console.print(table)
    console.print(f"[dim]Everything lies in {data} ({'made just now' if made else 'kept from before'}).[/dim]")
    console.print(f"Offline: yinxin verify {data}/samples/marriage.pdf --trust {data}/trust --accepting 990200\n")
