"""`yinxin registry rule`: what a region asks of a certificate beyond recognising it. Proposes; officers decide.

The changes themselves are `trust_registry.editing`; judging by rules is `verifier.core.rules`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated

import typer

from server.cli.registry_desk import RepositoryArgument, now, refusals, repository, say
from server.cli.registry_offers import (
    CodeArgument,
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
    from trust_registry.model import AcceptanceRule, RegionList, RuleCondition

app = typer.Typer(
    no_args_is_help=True,
    help="Acceptance rules: what a region asks of a certificate beyond recognising it.",
    epilog=(
        "A certificate of any age, but the whole document:  --require forms=pdf,sd_jwt_vc\n\n"
        "Issued lately, sealed at a proven time:  --require issued_within=90d --require time_proven\n\n"
        "A class of licence:  --require claim_one_of:vehicle_class=C1,C2\n\n"
        "Fresh data only:  --require status_age_at_most=2h"
    ),
)

RuleArgument = Annotated[str, typer.Argument(help="Its id: A3.", metavar="RULE")]


class Emergency(Enum):
    KEY_COMPROMISE = "key_compromise"
    BREACH_OF_DUTY = "breach_of_duty"


class WhyNot(Enum):
    REORGANISATION = "reorganisation"
    BREACH_OF_DUTY = "breach_of_duty"
    EXPIRY = "expiry"
    CESSATION = "cessation"


@app.command()
@refusals
def add(  # noqa: PLR0917
    repo: RepositoryArgument,
    code: CodeArgument,
    name_zh: NameZh,
    name_en: NameEn,
    basis_zh: Annotated[str, typer.Option(help="The legal basis, in Chinese.")],
    basis_en: Annotated[str, typer.Option(help="The legal basis, in English.")],
    require: Annotated[
        list[str],
        typer.Option(metavar="CONDITION", help="KIND[:CLAIM][=VALUE,VALUE][@DAY]; all must be met. See `rule kinds`."),
    ],
    scenario: Annotated[
        list[str] | None, typer.Option(help="A scenario that it is about; all if absent.", show_default=False)
    ] = None,
    type_id: Annotated[
        list[str] | None, typer.Option("--type", help="A type that it is about; all if absent.", show_default=False)
    ] = None,
    issuing: Annotated[
        list[str] | None,
        typer.Option("--from", help="A region whose certificates it is about; all if absent.", show_default=False),
    ] = None,
    form: Annotated[
        list[str] | None,
        typer.Option(help="pdf, sd_jwt_vc, qr, mdoc or health_certificate; all if absent.", show_default=False),
    ] = None,
    emergency: Annotated[Emergency | None, typer.Option(help="Begin at once, and say why.", show_default=False)] = None,
    since: SinceOption = None,
    until: UntilOption = None,
    out: OutOption = None,
    onto: OntoOption = None,
) -> None:
    """Propose a rule. Its name is the reason that the clerk reads, so say what for.

    It begins at --since, not before the notice period is over; limits on the age of data and emergencies begin at once.
    `consequences` says beforehand which certificates it is about, and which issuers can't ever meet it.
    """
    from trust_registry import editing
    from trust_registry.model import EntryReason, Names, RegionCode, RuleScope, ScenarioId, TypeId

    conditions = [_condition(text) for text in require]
    begins, ends = read_time(since), read_time(until)
    scope = RuleScope(
        tuple(map(ScenarioId, scenario or ())),
        tuple(map(TypeId, type_id or ())),
        tuple(map(RegionCode, issuing or ())),
        tuple(form or ()),
    )
    why = None if emergency is None else EntryReason(emergency.value)
    offer(
        repo,
        code,
        Way(out, onto),
        lambda old, at: editing.add_rule(
            old,
            names=Names(name_zh, name_en),
            legal_basis=Names(basis_zh, basis_en),
            requires=conditions,
            applies_to=scope,
            since=begins,
            until=ends,
            emergency=why,
            now=at,
        ),
    )


@app.command()
@refusals
def withdraw(  # noqa: PLR0917
    repo: RepositoryArgument,
    code: CodeArgument,
    rule: RuleArgument,
    reason: Annotated[WhyNot, typer.Option(help="Why.")] = WhyNot.CESSATION,
    at: SinceOption = None,
    out: OutOption = None,
    onto: OntoOption = None,
) -> None:
    """Propose that a rule stops counting, from publication on or from --at. It takes no notice; its return does.

    `suspend` and `reinstate` take it as rules/RULE.
    """
    from trust_registry import editing
    from trust_registry.model import EntryReason, EntryStatus

    effective, why = read_time(at), EntryReason(reason.value)
    offer(
        repo,
        code,
        Way(out, onto),
        lambda old, now: editing.change_status(old, f"rules/{rule}", EntryStatus.WITHDRAWN, why, effective, now=now),
    )


@app.command()
@refusals
def end(  # noqa: PLR0917
    repo: RepositoryArgument,
    code: CodeArgument,
    rule: RuleArgument,
    until: UntilOption = None,
    out: OutOption = None,
    onto: OntoOption = None,
) -> None:
    """Propose the day on which a rule ends: --until, or as soon as this is published."""
    from trust_registry import editing

    last = read_time(until)
    offer(repo, code, Way(out, onto), lambda old, at: editing.end_rule(old, rule, until=last, now=at))


@app.command("list")
@refusals
def list_rules(
    repo: RepositoryArgument,
    code: Annotated[str | None, typer.Argument(help="One region's; all if absent.", metavar="CODE")] = None,
    at: Annotated[
        str | None, typer.Option(metavar="TIME", help="As of 2026-03-01 or 2026-03-01T08:00:00Z, not now.")
    ] = None,
) -> None:
    """List the published rules: how each stands, since when, about what, and what it asks for."""
    network, moment = repository(repo), read_time(at) or now()
    published = network.current()
    for role in published.list_roles():
        found: RegionList | None = network.published_list(published, role)
        if found is not None and code in (None, found.code):
            for rule in found.rules:
                say(*_lines(found, rule, moment))


@app.command()
def kinds() -> None:
    """List the kinds of conditions, and how one writes each."""
    from trust_registry.core.rule_conditions import FORMS
    from trust_registry.rule_words import kind_words

    for kind, form in FORMS.items():
        claim = ":CLAIM" if "claim" in form.members else ""
        value = "=90d" if "span" in form.members else "=VALUE" if form.most == 1 else "=VALUE,..." if form.most else ""
        day = "@2030-01-01" if "at" in form.members else ""
        choices = f"   [{' '.join(form.choices)}]" if form.choices else ""
        say(f"{kind.value}{claim}{value}{day}{choices}", f"    {kind_words(kind).zh}", f"    {kind_words(kind).en}")


def _condition(text: str) -> RuleCondition:
    from trust_registry.errors import InvalidList
    from trust_registry.rule_texts import parse_condition

    try:
        return parse_condition(text)
    except InvalidList as err:
        raise typer.BadParameter(f"{text[:80]}: {err.message}", param_hint="--require") from err


def _lines(region: RegionList, rule: AcceptanceRule, at: datetime) -> Iterator[str]:
    from trust_registry.core import in_force
    from trust_registry.rule_texts import condition_text
    from trust_registry.rule_words import rule_words, scope_words

    state = "in force" if in_force(rule, at) else "announced" if at < rule.since else "not in force"
    until = "" if rule.until is None else f" until {rule.until:%Y-%m-%d}"
    yield f"{region.code}  {rule.id}  {state}, since {rule.since:%Y-%m-%d}{until}   {rule.names.zh} / {rule.names.en}"
    yield f"    {rule_words(rule).zh}"
    yield f"    {rule_words(rule).en}   [{scope_words(rule.applies_to).en}]"
    yield f"    {' '.join(condition_text(each) for each in rule.requires)}"
