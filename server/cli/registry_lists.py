"""`yinxin registry`: changes to an authority's list, one command each. Every command proposes; officers decide.

The changes themselves are `trust_registry.editing`; certificates and seals are in `registry_certificates`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from server.cli.registry_desk import RepositoryArgument, now, print_proposal, refusals, repository
from server.cli.registry_offers import (
    CodeArgument,
    EntryArgument,
    IssuerArgument,
    NameEn,
    NameZh,
    OntoOption,
    OutOption,
    SinceOption,
    UntilOption,
    Way,
    offer,
    read_time,
)

if TYPE_CHECKING:
    from trust_registry.model import RegionList

app = typer.Typer()


class Level(Enum):
    LOW = "low"
    SUBSTANTIAL = "substantial"
    HIGH = "high"


class Why(Enum):
    REORGANISATION = "reorganisation"
    KEY_ROLLOVER = "key_rollover"
    KEY_COMPROMISE = "key_compromise"
    BREACH_OF_DUTY = "breach_of_duty"
    EXPIRY = "expiry"
    CESSATION = "cessation"


@app.command("start-list")
@refusals
def start_list(  # noqa: PLR0917
    repo: RepositoryArgument,
    code: CodeArgument,
    name_zh: NameZh,
    name_en: NameEn,
    authority_zh: Annotated[str, typer.Option(help="The authority's name in Chinese.")],
    authority_en: Annotated[str, typer.Option(help="The authority's name in English.")],
    notice_days: Annotated[int, typer.Option(help="Notice of recognitions, in days.", min=0)] = 30,
) -> None:
    """Propose the first list of an admitted authority: names and nothing else.

    Then add to it: a region its CA (make-ca, add-authority), issuers (add-issuer, grant, add-seal), scenarios and
    recognitions; a common body its types (add-type).
    """
    from trust_registry import ceremony
    from trust_registry.errors import NothingProposed
    from trust_registry.model import Names, RegionCode, RegionList

    network, at = repository(repo), now()
    kind = network.current().role_of(RegionCode(code)).kind
    if network.list_of(RegionCode(code)) is not None:
        raise NothingProposed(f"{code} has its list already: change it, with rename, add-issuer and the others")
    names, authority = Names(name_zh, name_en), Names(authority_zh, authority_en)
    first = RegionList(RegionCode(code), kind, names, authority, 1, at, notice_period=timedelta(days=notice_days))
    print_proposal(ceremony.propose(network, first, at))


@app.command("add-issuer")
@refusals
def add_issuer(  # noqa: PLR0917
    repo: RepositoryArgument,
    code: CodeArgument,
    issuer: IssuerArgument,
    name_zh: NameZh,
    name_en: NameEn,
    uscc: Annotated[str, typer.Option(help="Unified social credit code (GB 32100).")],
    status_base: Annotated[str, typer.Option(help="URI under which it publishes status lists; ends in /.")],
    contact_zh: Annotated[str, typer.Option(help="Whom to turn to, in Chinese.")],
    contact_en: Annotated[str, typer.Option(help="Whom to turn to, in English.")],
    out: OutOption = None,
    onto: OntoOption = None,
) -> None:
    """Propose to list an issuer; what it may issue, and its seals, are changes of their own.

    Next: grant, then add-seal and add-status-key - all in one proposal with --onto, or one after the other.
    """
    from trust_registry import editing
    from trust_registry.model import IssuerId, Names

    offer(
        repo,
        code,
        Way(out, onto),
        lambda old, at: editing.add_issuer(
            old,
            issuer_id=IssuerId(issuer),
            names=Names(name_zh, name_en),
            uscc=uscc,
            status_list_base=status_base,
            contact=Names(contact_zh, contact_en),
            now=at,
        ),
    )


@app.command()
@refusals
def grant(  # noqa: PLR0917
    repo: RepositoryArgument,
    code: CodeArgument,
    issuer: IssuerArgument,
    type_id: Annotated[str, typer.Argument(help="The type: common/marriage-certificate.", metavar="TYPE")],
    assurance: Annotated[Level, typer.Option(help="How well it establishes what it certifies.")] = Level.SUBSTANTIAL,
    since: SinceOption = None,
    out: OutOption = None,
    onto: OntoOption = None,
) -> None:
    """Propose that an issuer may issue a certificate type. To end it: withdraw, with the path shown here."""
    from trust_registry import editing
    from trust_registry.model import Assurance, IssuerId, TypeId

    level, begins = Assurance(assurance.value), read_time(since)
    offer(
        repo,
        code,
        Way(out, onto),
        lambda old, at: editing.add_grant(
            old, IssuerId(issuer), TypeId(type_id), assurance=level, since=begins, now=at
        ),
    )


@app.command()
@refusals
def suspend(  # noqa: PLR0917
    repo: RepositoryArgument,
    code: CodeArgument,
    entry: EntryArgument,
    reason: Annotated[Why, typer.Option(help="Why.")],
    at: SinceOption = None,
    out: OutOption = None,
    onto: OntoOption = None,
) -> None:
    """Propose to suspend an entry: an issuer, a grant, a seal, a key, a recognition, an agency, a foreign list.

    It takes effect once published, without notice; `reinstate` ends it. `consequences` says beforehand what stops.
    """
    _change(repo, code, entry, "suspended", reason.value, at, None, Way(out, onto))


@app.command()
@refusals
def withdraw(  # noqa: PLR0917
    repo: RepositoryArgument,
    code: CodeArgument,
    entry: EntryArgument,
    reason: Annotated[Why, typer.Option(help="Why.")],
    at: SinceOption = None,
    invalid_since: Annotated[
        str | None,
        typer.Option(help="With key_compromise: since when the key is suspected (UTC).", show_default=False),
    ] = None,
    out: OutOption = None,
    onto: OntoOption = None,
) -> None:
    """Propose to withdraw an entry. A recognition keeps its notice, unless for key_compromise or breach_of_duty.

    Only key_compromise casts doubt on what was sealed before: since --at, or since --invalid-since. Look at
    `consequences` before anybody signs.
    """
    _change(repo, code, entry, "withdrawn", reason.value, at, invalid_since, Way(out, onto))


@app.command()
@refusals
def reinstate(  # noqa: PLR0917
    repo: RepositoryArgument,
    code: CodeArgument,
    entry: EntryArgument,
    at: SinceOption = None,
    out: OutOption = None,
    onto: OntoOption = None,
) -> None:
    """Propose to reinstate what was suspended or withdrawn, but for compromised keys."""
    _change(repo, code, entry, "granted", "reinstated", at, None, Way(out, onto))


@app.command()
@refusals
def recognise(  # noqa: PLR0917
    repo: RepositoryArgument,
    code: CodeArgument,
    issuing: Annotated[str, typer.Option("--from", help="Code of the region whose certificates are accepted.")],
    type_id: Annotated[str, typer.Option("--type", help="Their certificate type.")],
    basis_zh: Annotated[str, typer.Option(help="The legal basis, in Chinese.")],
    basis_en: Annotated[str, typer.Option(help="The legal basis, in English.")],
    as_type: Annotated[
        str | None, typer.Option("--as", help="Our equivalent type; theirs if absent.", show_default=False)
    ] = None,
    scenario: Annotated[
        list[str] | None, typer.Option(help="A scenario that it is for; all if absent.", show_default=False)
    ] = None,
    assurance: Annotated[Level, typer.Option(help="The least assurance that is accepted.")] = Level.LOW,
    claim: Annotated[list[str] | None, typer.Option(help="THEIRS=OURS, per claim renamed.", show_default=False)] = None,
    since: SinceOption = None,
    until: UntilOption = None,
    out: OutOption = None,
    onto: OntoOption = None,
) -> None:
    """Propose to recognise a type of another region. It begins at --since, not before the notice period is over.

    The notice counts from publication: where signatures take days, give a --since that leaves room for them.
    """
    from trust_registry import editing
    from trust_registry.model import Assurance, ClaimEquivalence, Names, RegionCode, ScenarioId, TypeId

    begins, ends = read_time(since), read_time(until)
    claims = [ClaimEquivalence(*_pair(text)) for text in claim or ()]

    def edit(old: RegionList, at: datetime) -> RegionList:
        first = begins
        if out is not None:  # it will be proposed later than now, and its notice counts from then
            least = at + old.notice_period + timedelta(days=1)
            first = least if begins is None else max(begins, least)
        return editing.add_recognition(
            old,
            issuing=RegionCode(issuing),
            type_id=TypeId(type_id),
            as_type=TypeId(as_type or type_id),
            legal_basis=Names(basis_zh, basis_en),
            scenarios=[ScenarioId(each) for each in scenario or ()],
            since=first,
            until=ends,
            minimum_assurance=Assurance(assurance.value),
            claims=claims,
            now=at,
        )

    offer(repo, code, Way(out, onto), edit)


@app.command("end-recognition")
@refusals
def end_recognition(  # noqa: PLR0917
    repo: RepositoryArgument,
    code: CodeArgument,
    recognition: Annotated[str, typer.Argument(help="Its id: R7.", metavar="RECOGNITION")],
    until: UntilOption = None,
    out: OutOption = None,
    onto: OntoOption = None,
) -> None:
    """Propose that a recognition ends at --until, not before the notice period is over.

    It holds until then. What can't wait is `suspend`, or `withdraw` for key_compromise or breach_of_duty.
    """
    from trust_registry import editing

    end = read_time(until)
    offer(repo, code, Way(out, onto), lambda old, at: editing.end_recognition(old, recognition, until=end, now=at))


def _change(  # noqa: PLR0917
    repo: Path,
    code: str,
    entry: str,
    status: str,
    reason: str,
    at: str | None,
    invalid_since: str | None,
    way: Way,
) -> None:
    from trust_registry import editing
    from trust_registry.model import EntryReason, EntryStatus

    effective, invalid = read_time(at), read_time(invalid_since)
    offer(
        repo,
        code,
        way,
        lambda old, at: editing.change_status(
            old, entry, EntryStatus(status), EntryReason(reason), effective, invalid, now=at
        ),
    )


def _pair(text: str) -> tuple[str, str]:
    theirs, found, ours = text.partition("=")
    if not (found and theirs and ours):
        raise typer.BadParameter("THEIRS=OURS is needed", param_hint="--claim")
    return theirs, ours
