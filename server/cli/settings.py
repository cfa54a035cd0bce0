"""`yinxin settings`: what can be set, what it means, what is in force. Secrets are never shown."""

from __future__ import annotations

import sys
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(add_completion=False)

ConfigOption = Annotated[
    Path | None, typer.Option("--config", "-c", help="Settings file: .toml, .json or .env.", show_default=False)
]


class Format(Enum):
    TABLE = "table"
    MARKDOWN = "markdown"


@app.command()
def settings(
    config: ConfigOption = None,
    form: Annotated[Format, typer.Option("--format", help="A table for the terminal, or Markdown.")] = Format.TABLE,
) -> None:
    """Show every setting: its environment name, meaning, default, and the value in force.

    Settings come from the environment (YINXIN_...), then from the file given with --config.
    """
    from server.settings import describe, load_settings

    rows = list(describe(load_settings(config)))
    if form is Format.MARKDOWN:
        sys.stdout.write(to_markdown(rows))
        return
    _print_table(rows)


def to_markdown(rows: list[tuple[str, str, str, str]]) -> str:
    """The table for docs/: names, meanings, defaults; no values in force."""
    lines = ["| setting | meaning | default |", "|---|---|---|"]
    lines += [f"| `{name}` | {_cell(meaning)} | {_code(default)} |" for name, meaning, default, _ in rows]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _print_table(rows: list[tuple[str, str, str, str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("Setting", "Meaning", "Default", "In force", show_lines=False)
    for name, meaning, default, current in rows:
        style = "bold" if current != default and current else "dim"
        table.add_row(Text(name), Text(meaning), Text(default, "dim"), Text(current, style))
    Console().print(table)
