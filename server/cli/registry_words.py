"""`yinxin registry`: what a list calls things - certificate types from JSON, names, the notice period.

Every command proposes; the changes themselves are `trust_registry.editing`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from server.cli.registry_desk import RepositoryArgument, read_noun, refusals
from server.cli.registry_offers import CodeArgument, OntoOption, OutOption, Way, offer

if TYPE_CHECKING:
    from trust_registry.model import CertificateType, Names, RegionList

app = typer.Typer()

TypeFile = Annotated[
    Path,
    typer.Argument(
        help="The type as JSON, as `show REPO CODE --entry defines/TYPE` prints one; without `version` will do."
    ),
]
ZhOption = Annotated[str | None, typer.Option(help="The new name in Chinese; goes with --name-en.", show_default=False)]
EnOption = Annotated[str | None, typer.Option(help="The new name in English; goes with --name-zh.", show_default=False)]


@app.command("add-type")
@refusals
def add_type(
    repo: RepositoryArgument, code: CodeArgument, file: TypeFile, out: OutOption = None, onto: OntoOption = None
) -> None:
    """Propose a new certificate type: its names, its claims, the JSON Schema of their values, how long it is valid.

    Its id is CODE/short-name. Take one that is there as a pattern. Nobody issues it before a grant.
    """
    from trust_registry import editing

    made = _type(file)
    offer(repo, code, Way(out, onto), lambda old, at: editing.add_type(old, made, now=at))


@app.command("change-type")
@refusals
def change_type(
    repo: RepositoryArgument, code: CodeArgument, file: TypeFile, out: OutOption = None, onto: OntoOption = None
) -> None:
    """Propose the next version of a certificate type. Its id and code stay; the version's number is given here.

    What was issued under the old version stays valid; what is issued from then on follows the new one.
    """
    from trust_registry import editing

    made = _type(file)
    offer(repo, code, Way(out, onto), lambda old, at: editing.replace_type(old, made, now=at))


@app.command("change-notice")
@refusals
def change_notice(
    repo: RepositoryArgument,
    code: CodeArgument,
    days: Annotated[int, typer.Argument(help="Notice of recognitions from now on, in days.", min=0, max=3650)],
    out: OutOption = None,
    onto: OntoOption = None,
) -> None:
    """Propose another notice period. What was announced before keeps its dates.

    Announce recognitions under the new one only once it is published.
    """
    from trust_registry import editing

    offer(
        repo,
        code,
        Way(out, onto),
        lambda old, at: editing.change_notice_period(old, timedelta(days=days), now=at),
    )


@app.command()
@refusals
def rename(  # noqa: PLR0917
    repo: RepositoryArgument,
    code: CodeArgument,
    entry: Annotated[
        str | None,
        typer.Argument(
            help="attests/ISSUER, relying_parties/AGENCY or foreign/CODE; the list itself if absent.",
            show_default=False,
        ),
    ] = None,
    name_zh: ZhOption = None,
    name_en: EnOption = None,
    authority_zh: Annotated[str | None, typer.Option(help="The authority's name, in Chinese.")] = None,
    authority_en: Annotated[str | None, typer.Option(help="The authority's name, in English.")] = None,
    contact_zh: Annotated[str | None, typer.Option(help="An issuer's contact, in Chinese.")] = None,
    contact_en: Annotated[str | None, typer.Option(help="An issuer's contact, in English.")] = None,
    out: OutOption = None,
    onto: OntoOption = None,
) -> None:
    """Propose other names: for the list and its authority, or for an issuer, an agency, another network's list.

    Codes and ids stay: what is signed names those.
    """
    from trust_registry import editing

    names = _both("name", name_zh, name_en)
    authority, contact = _both("authority", authority_zh, authority_en), _both("contact", contact_zh, contact_en)
    if (authority if entry else contact) is not None or (names or authority or contact) is None:
        raise typer.BadParameter(
            "give --name-zh and --name-en, for the list also --authority-zh and -en, for an issuer --contact-zh and -en"
        )

    def edit(old: RegionList, at: datetime) -> RegionList:
        if entry is None:
            return editing.rename(old, names=names, authority=authority, now=at)
        return editing.rename_entry(old, entry, names=names, contact=contact, now=at)

    offer(repo, code, Way(out, onto), edit)


def _both(what: str, zh: str | None, en: str | None) -> Names | None:
    """Raises: typer.BadParameter."""
    from trust_registry.model import Names

    if (zh is None) is not (en is None):
        raise typer.BadParameter(f"--{what}-zh and --{what}-en go together")
    return None if zh is None or en is None else Names(zh, en)


def _type(file: Path) -> CertificateType:
    from trust_registry.model import CertificateType

    return read_noun(CertificateType, file)
