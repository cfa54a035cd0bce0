"""`yinxin registry`: what a region's services need and who checks it - scenarios, relying parties - and foreign lists.

Every command proposes; the changes themselves are `trust_registry.editing`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from server.cli.registry_desk import RepositoryArgument, read_noun, refusals, repository
from server.cli.registry_offers import (
    CodeArgument,
    NameEn,
    NameZh,
    OntoOption,
    OutOption,
    SinceOption,
    Way,
    offer,
    one_certificate,
    read_time,
)

if TYPE_CHECKING:
    from trust_registry.model import CertificateType, RegionList, Scenario, TypeRequirement

app = typer.Typer()


class PartyUse(Enum):
    RECEIPT = "receipt"
    ACCESS = "access"


ScenarioArgument = Annotated[str, typer.Argument(help="Its id: 990200/household-transfer.", metavar="SCENARIO")]
PartyArgument = Annotated[str, typer.Argument(help="Its id: 990200/government-hall.", metavar="AGENCY")]
NEEDS = (
    "A certificate that it needs, once per certificate: TYPE=CLAIM,CLAIM. Alternatives: TYPE,TYPE=CLAIM. "
    "After + what it may read besides: TYPE=CLAIM,CLAIM+CLAIM."
)
TRUST_DAYS = "How old trust data may be before the answer is INDETERMINATE, in days."
STATUS_HOURS = "How old a status may be, in hours."
RETENTION = "How long the counter keeps what it read, in days; 0: it keeps no claims."


@app.command("add-scenario")
@refusals
def add_scenario(  # noqa: PLR0917
    repo: RepositoryArgument,
    code: CodeArgument,
    scenario: ScenarioArgument,
    name_zh: NameZh,
    name_en: NameEn,
    purpose_zh: Annotated[str, typer.Option(help="What it reads certificates for, in Chinese.")],
    purpose_en: Annotated[str, typer.Option(help="What it reads certificates for, in English.")],
    needs: Annotated[list[str], typer.Option(metavar="TYPE,...=CLAIM,...+CLAIM,...", help=NEEDS)],
    trust_days: Annotated[int, typer.Option(help=TRUST_DAYS, min=0)] = 7,
    status_hours: Annotated[int, typer.Option(help=STATUS_HOURS, min=0)] = 24,
    retention_days: Annotated[int, typer.Option(help=RETENTION, min=0)] = 0,
    out: OutOption = None,
    onto: OntoOption = None,
) -> None:
    """Propose a service item (事项): which certificates it needs, which claims it may read, what for, how long kept.

    Citizens see what it asks before they show anything. Next: add-relying-party for who offers the service, and
    recognise --scenario for certificates of other regions.
    """
    from trust_registry import editing
    from trust_registry.model import Names, Scenario, ScenarioId

    made = Scenario(
        ScenarioId(scenario),
        Names(name_zh, name_en),
        Names(purpose_zh, purpose_en),
        _requirements(repo, needs),
        timedelta(days=trust_days),
        timedelta(hours=status_hours),
        retention_days,
    )
    offer(repo, code, Way(out, onto), lambda old, at: editing.add_scenario(old, made, now=at))


@app.command("change-scenario")
@refusals
def change_scenario(  # noqa: PLR0917
    repo: RepositoryArgument,
    code: CodeArgument,
    scenario: ScenarioArgument,
    name_zh: Annotated[str | None, typer.Option(help="Another name in Chinese.", show_default=False)] = None,
    name_en: Annotated[str | None, typer.Option(help="Another name in English.", show_default=False)] = None,
    purpose_zh: Annotated[str | None, typer.Option(help="Another purpose, in Chinese.", show_default=False)] = None,
    purpose_en: Annotated[str | None, typer.Option(help="Another purpose, in English.", show_default=False)] = None,
    needs: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TYPE,...=CLAIM,...+CLAIM,...", help=f"All that it needs from now on. {NEEDS}", show_default=False
        ),
    ] = None,
    trust_days: Annotated[int | None, typer.Option(help=TRUST_DAYS, min=0, show_default=False)] = None,
    status_hours: Annotated[int | None, typer.Option(help=STATUS_HOURS, min=0, show_default=False)] = None,
    retention_days: Annotated[int | None, typer.Option(help=RETENTION, min=0, show_default=False)] = None,
    out: OutOption = None,
    onto: OntoOption = None,
) -> None:
    """Propose to say anew what a service item needs. What no option names stays as it is."""
    from trust_registry import editing
    from trust_registry.errors import EntryUnknown
    from trust_registry.model import Names

    requires = _requirements(repo, needs) if needs else None

    def edit(region_list: RegionList, at: datetime) -> RegionList:
        old: Scenario | None = next((each for each in region_list.scenarios if each.id == scenario), None)
        if old is None:
            raise EntryUnknown(f"scenarios/{scenario}")
        new = replace(
            old,
            names=Names(name_zh or old.names.zh, name_en or old.names.en),
            purpose=Names(purpose_zh or old.purpose.zh, purpose_en or old.purpose.en),
            requires=requires or old.requires,
            trust_staleness=old.trust_staleness if trust_days is None else timedelta(days=trust_days),
            status_staleness=old.status_staleness if status_hours is None else timedelta(hours=status_hours),
            retention_days=old.retention_days if retention_days is None else retention_days,
        )
        return editing.replace_scenario(region_list, new, now=at)

    offer(repo, code, Way(out, onto), edit)


@app.command("add-relying-party")
@refusals
def add_relying_party(  # noqa: PLR0917
    repo: RepositoryArgument,
    code: CodeArgument,
    party: PartyArgument,
    name_zh: NameZh,
    name_en: NameEn,
    scenario: Annotated[list[str], typer.Option(help="A scenario of this list that it offers; once for each.")],
    certificate: Annotated[
        list[Path] | None,
        typer.Option(help="Certificate (PEM) that signs its receipts, from `certify`.", show_default=False),
    ] = None,
    access_certificate: Annotated[
        list[Path] | None,
        typer.Option(help="Certificate (PEM) that signs its requests to wallets.", show_default=False),
    ] = None,
    since: SinceOption = None,
    out: OutOption = None,
    onto: OntoOption = None,
) -> None:
    """Propose to register an agency (用证单位) that checks certificates, for these scenarios and no others.

    To end it: withdraw relying_parties/AGENCY. Another certificate later: add-relying-party-key.
    """
    from trust_registry import editing
    from trust_registry.model import Names, RelyingPartyId, ScenarioId

    certificates, begins = [one_certificate(each).der for each in certificate or ()], read_time(since)
    access = [one_certificate(each).der for each in access_certificate or ()]
    offer(
        repo,
        code,
        Way(out, onto),
        lambda old, at: editing.add_relying_party(
            old,
            party_id=RelyingPartyId(party),
            names=Names(name_zh, name_en),
            scenarios=[ScenarioId(each) for each in scenario],
            certificates=certificates,
            access=access,
            since=begins,
            now=at,
        ),
    )


@app.command("add-relying-party-key")
@refusals
def add_relying_party_key(  # noqa: PLR0917
    repo: RepositoryArgument,
    code: CodeArgument,
    party: PartyArgument,
    certificate: Annotated[Path, typer.Option(help="The certificate (PEM), from `certify`.")],
    use: Annotated[PartyUse, typer.Option(help="What it signs: receipts, or requests to wallets.")] = PartyUse.RECEIPT,
    out: OutOption = None,
    onto: OntoOption = None,
) -> None:
    """Propose another certificate for an agency's receipts, or for its requests to wallets (access).

    Overlap with the old one, then withdraw that.
    """
    from trust_registry import editing
    from trust_registry.model import KeyUse, RelyingPartyId

    listed = one_certificate(certificate).der
    offer(
        repo,
        code,
        Way(out, onto),
        lambda old, at: editing.add_relying_party_key(
            old, RelyingPartyId(party), listed, use=KeyUse(use.value), now=at
        ),
    )


@app.command("add-foreign")
@refusals
def add_foreign(
    repo: RepositoryArgument,
    code: CodeArgument,
    entry: Annotated[
        Path, typer.Argument(help="The entry as `foreign entry` prints it (JSON); - reads it from there.")
    ],
    out: OutOption = None,
    onto: OntoOption = None,
) -> None:
    """Propose to read a list of another network: where it is, whose signature it carries, what its services are here.

    Nothing is accepted from it yet: recognise --from its code, with notice as for any region. To stop reading it:
    withdraw foreign/CODE.
    """
    from trust_registry import editing
    from trust_registry.model import ForeignListEntry

    named = read_noun(ForeignListEntry, entry)
    offer(repo, code, Way(out, onto), lambda old, at: editing.add_foreign_list(old, named, now=at))


def _requirements(repo: Path, needs: Iterable[str]) -> tuple[TypeRequirement, ...]:
    """Read and compared with every type that is published. Raises: typer.BadParameter."""
    known: dict[str, CertificateType] = {type_.id: type_ for type_ in _types(repo)}
    return tuple(_requirement(text, known) for text in needs)


def _requirement(text: str, known: dict[str, CertificateType]) -> TypeRequirement:
    from trust_registry.model import TypeId, TypeRequirement

    types, found, claims = text.partition("=")
    wanted, _, besides = claims.partition("+")
    any_of, needed, optional = _names(types), _names(wanted), _names(besides)
    if not (found and any_of and (needed or optional)):
        raise typer.BadParameter(f"TYPE,TYPE=CLAIM,CLAIM+CLAIM is needed, not {text}", param_hint="--needs")
    for each in any_of:
        if each not in known:
            there = f"there are: {', '.join(known)}" if known else "there are none yet (add-type)"
            raise typer.BadParameter(f"nobody defines {each}; {there}", param_hint="--needs")
    claims_there = {claim.name for each in any_of for claim in known[each].claims}
    lacking = [name for name in (*needed, *optional) if name not in claims_there]
    if lacking:
        names = ", ".join(sorted(claims_there))
        raise typer.BadParameter(f"no claim {lacking[0]} in {types}; there are: {names}", param_hint="--needs")
    return TypeRequirement(tuple(TypeId(each) for each in any_of), needed, optional)


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _types(repo: Path) -> Iterator[CertificateType]:
    network = repository(repo)
    published = network.current()
    for role in published.list_roles():
        found: RegionList | None = network.published_list(published, role)
        yield from () if found is None else found.defines
