"""`yinxin demo`: a complete demonstration on this machine, made at the first start and kept."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(add_completion=False)


@app.command()
def demo(
    data: Annotated[Path, typer.Option(help="Folder for everything; made at the first start.")] = Path(".data/demo"),
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8000,
    host: Annotated[str, typer.Option(help="Address to listen on; others than this machine see fictional data.")] = (
        "127.0.0.1"
    ),
) -> None:
    """Start two fictional regions with offices, seals, citizens and counters, all on this machine.

    The keys, the ceremony, the signatures and the status lists are real; the people are not. Stop with Ctrl-C; the next
    start keeps everything. To begin anew, remove the folder.
    """
    from server.demo import apart

    apart.claim(data, host, port)
    child = apart.begin(data, host, port)

    from rich.console import Console

    from server.demo.filling import account_cards
    from server.demo.greeting import greet
    from server.demo.start import prepare
    from server.running import run
    from server.wiring import build_house

    apart.finish(child)
    settings = prepare(data, host, port, say=apart.say).settings
    house = build_house(settings, demo_accounts=account_cards())
    run(settings, house, started=lambda: greet(Console(), settings, data, made=child is not None))
    Console().print(f"印信 stopped. Everything is kept in {data}: start again the same way.", highlight=False)
