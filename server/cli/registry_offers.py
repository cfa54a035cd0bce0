"""How one edit of an authority's list becomes a proposal: shared by all commands of `yinxin registry` that edit.

Holds no command; the changes themselves are `trust_registry.editing`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from server.cli.registry_desk import now, print_proposal, repository, say

if TYPE_CHECKING:
    from keys.x509 import Certificate
    from trust_registry.model import RegionCode, RegionList
    from trust_registry.repository import Repository

CodeArgument = Annotated[str, typer.Argument(help="Code of the authority whose list changes.", metavar="CODE")]
IssuerArgument = Annotated[str, typer.Argument(help="The issuer's id: 990100/civil-affairs.", metavar="ISSUER")]
EntryArgument = Annotated[
    str, typer.Argument(help="Path of the entry, as differences show it: recognises/R7.", metavar="ENTRY")
]
OutOption = Annotated[
    Path | None,
    typer.Option(help="Write the edited list there instead of proposing it.", show_default=False),
]
OntoOption = Annotated[
    str | None,
    typer.Option(
        metavar="PROPOSAL",
        help="Add to what this waiting proposal says: a new proposal says both, and is the one to sign.",
        show_default=False,
    ),
]
NameZh = Annotated[str, typer.Option(help="Its name in Chinese.")]
NameEn = Annotated[str, typer.Option(help="Its name in English.")]
SinceOption = Annotated[
    str | None, typer.Option(help="From when on: 2026-03-01 or 2026-03-01T08:00:00Z (UTC).", show_default=False)
]
UntilOption = Annotated[
    str | None, typer.Option(help="Until when: 2027-03-01 or 2027-03-01T08:00:00Z (UTC).", show_default=False)
]


def read_time(text: str | None) -> datetime | None:
    """A day or an instant, UTC. Raises: typer.BadParameter."""
    from datetime import UTC

    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as err:
        raise typer.BadParameter(f"not a time like 2026-03-01 or 2026-03-01T08:00:00Z: {text}") from err
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


class Way(NamedTuple):
    """What becomes of an edit: written to `out` instead of proposed; made of what `onto` says instead of the list."""

    out: Path | None
    onto: str | None


def offer(repo: Path, code: str, way: Way, edit: Callable[[RegionList, datetime], RegionList]) -> None:
    """Edit the list of `code`, as published or as a proposal says it, and propose the result or write it to a file.

    Raises: TrustRegistryError, OSError.
    """
    from trust_registry import ceremony
    from trust_registry.model import RegionCode
    from trust_registry.wire import list_to_json

    network, at, (out, onto) = repository(repo), now(), way
    edited = edit(_base(network, RegionCode(code), onto, at), at)
    if out is None:
        print_proposal(ceremony.propose(network, edited, at))
        if onto is not None:
            say(f"  Says what {onto} says too: sign this one. {_set_aside(network, onto, code, at)}")
    else:
        out.write_bytes(list_to_json(edited))
        say(f"Edited list: {out}", f"Propose it: yinxin registry propose {repo} {out}")


def _set_aside(network: Repository, onto: str, code: str, at: datetime) -> str:
    """Take back the proposal that was added to, if nobody has signed it; what to tell."""
    from trust_registry import ceremony
    from trust_registry.errors import CeremonyError
    from trust_registry.model import RegionCode

    if any(each.signed for each in ceremony.proposal(network, onto).progress):
        return "The other is signed already: it stays, and lapses when this is published."
    try:
        ceremony.withdraw(network, onto, RegionCode(code), at)
    except CeremonyError:  # carried out or withdrawn meanwhile, or others sign it too
        return "The other lapses when this is published."
    return "The other is taken back."


def _base(network: Repository, code: RegionCode, onto: str | None, at: datetime) -> RegionList:
    from trust_registry import ceremony, editing
    from trust_registry.errors import NotFounded, UnknownProposal
    from trust_registry.proposals import read_draft
    from trust_registry.wire import list_from_json

    published = network.list_of(code)
    if published is None:
        raise NotFounded(f"{code} has published no list yet: begin with start-list")
    if onto is None:
        return published
    ceremony.proposal(network, onto)  # raises where something else was published meanwhile
    for data in read_draft(network, onto).lists.values():
        drafted = list_from_json(data)
        if drafted.code == code:
            return editing.taken_up(published, drafted, at)
    raise UnknownProposal(f"{onto} that says something of {code}")


def one_certificate(file: Path) -> Certificate:
    """The one certificate in a file, PEM or DER. Raises: MalformedCertificate naming the file, OSError."""
    from keys.errors import KeysError, MalformedCertificate
    from keys.x509 import parse_certificate, parse_pem_certificates

    content = file.read_bytes()
    try:
        found = parse_pem_certificates(content) if b"-----BEGIN" in content else (parse_certificate(content),)
    except KeysError as err:
        raise MalformedCertificate(f"{file}: {err}") from err
    if len(found) != 1:
        raise MalformedCertificate(f"{file.name} holds {len(found)} certificates; one is needed")
    return found[0]
