"""`yinxin serve`: run the server, whole or one room of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from server.cli.settings import ConfigOption

app = typer.Typer(add_completion=False)


@app.command()
def serve(
    rooms: Annotated[
        list[str] | None,
        typer.Argument(
            help="Rooms to serve: trust_registry, issuer, verifier, wallet_api. None: all of the settings.",
            show_default=False,
        ),
    ] = None,
    config: ConfigOption = None,
    data: Annotated[Path | None, typer.Option(help="Data folder.", show_default=False)] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.", show_default=False)] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.", show_default=False)] = None,
) -> None:
    """Run the server until it is interrupted. Migrates the database first, finishes what a crash left, then listens.

    Example: yinxin serve verifier --config /etc/yinxin.toml
    """
    from server.settings import load_settings

    given: dict[str, Any] = {"data": data, "host": host, "port": port, "rooms": ",".join(rooms) if rooms else None}
    settings = load_settings(config, **{name: value for name, value in given.items() if value is not None})

    from server.running import run
    from server.wiring import build_house

    run(settings, build_house(settings))
