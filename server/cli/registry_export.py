"""`yinxin registry export`: a list as an ETSI trusted list, for readers in other networks."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from server.cli.registry_desk import PassphraseOption, now, refusals, say
from server.cli.registry_keys import open_named_key

if TYPE_CHECKING:
    from datetime import datetime

    from trust_registry.interchange.publishing import Source

app = typer.Typer()


class ListFormat(Enum):
    TS119602 = "ts119602"
    TS119612 = "ts119612"


@app.command()
@refusals
def export(  # noqa: PLR0917
    trust: Annotated[
        Path,
        typer.Argument(help="The network's folder on its host, or a verified copy (`refresh`).", metavar="REPO|DIR"),
    ],
    code: Annotated[str, typer.Argument(help="Whose list.", metavar="CODE")],
    key: Annotated[str, typer.Option(help="Its key of use `list`: a key file, or pkcs11:token=...;object=...")],
    out: Annotated[Path, typer.Option(help="The file to write; with --all, a folder.")],
    base: Annotated[
        str, typer.Option(help="URL under which others read the public files, such as https://registry.example/trust/.")
    ],
    format: Annotated[ListFormat, typer.Option(help="JSON (TS 119 602) or XML (TS 119 612).")] = ListFormat.TS119602,
    lotl: Annotated[bool, typer.Option("--list-of-lists", help="The list of lists instead, signed by CODE.")] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="The list and the list of lists, in both forms, below OUT/interchange.")
    ] = False,
    passphrase_file: PassphraseOption = None,
) -> None:
    """Write an authority's list as an ETSI trusted list, signed with a key that the list names for it.

    The list that officers signed stays the one that counts. Add the key first: add-authority --use list.
    """
    from trust_registry.durable import write_durably
    from trust_registry.interchange.publishing import (
        Form,
        render_all,
        rendering_of,
        rendering_of_network,
        write_renderings,
    )
    from trust_registry.model import RegionCode

    signer, at = open_named_key(key, passphrase_file), now()
    base, authority = base.rstrip("/") + "/", RegionCode(code)
    source = _source(trust, at)
    if everything:
        names = write_renderings(out, render_all(source, {authority: signer}, authority, base, at), at)
        say(*(f"Written: {out / 'interchange' / name}" for name in names))
        return
    render = rendering_of_network if lotl else rendering_of
    form = Form.TS_119_602 if format is ListFormat.TS119602 else Form.TS_119_612
    write_durably(out, render(source, authority, signer, base, at).signed(form, at))
    say(f"Written: {out}")


def _source(folder: Path, at: datetime) -> Source:
    """Raises: NotFounded, TrustMissing, TrustDamaged."""
    from trust_registry.client import TrustStore
    from trust_registry.interchange.publishing import source_of_repository, source_of_view
    from trust_registry.repository import Repository

    store = TrustStore(folder)
    return source_of_view(store.load(at)) if store.bootstrapped else source_of_repository(Repository(folder))
