"""`yinxin registry audit` and `yinxin registry consequences`: what happened to a network, and what would.

Read only; sign and publish nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from server.cli.registry_desk import RepositoryArgument, now, refusals, repository, say

if TYPE_CHECKING:
    from trust_registry.audit import AuditEvent
    from trust_registry.consequences import Consequence

app = typer.Typer(add_completion=False)
_PROGRESS = 50  # events between two signs of life


class Format(Enum):
    TEXT = "text"
    JSON = "json"
    CSV = "csv"


@app.command()
@refusals
def consequences(
    repo: RepositoryArgument,
    proposal: Annotated[str, typer.Argument(help="The proposal's id, as `status` lists it.", metavar="PROPOSAL")],
    form: Annotated[Format, typer.Option("--format", help="Lines for people, JSON, or CSV.")] = Format.TEXT,
) -> None:
    """What breaks if this proposal is published: certificates, recognitions, scenarios, relying parties.

    Certificates are counted by the server that issues them (see the console); here their number is left open.
    """
    from trust_registry.consequences import consequences_of_proposal

    found = consequences_of_proposal(repository(repo), proposal, now())
    if form is not Format.TEXT:
        _write(form, [_consequence(each) for each in found])
        return
    for each in found:
        mark = "+" if each.kind.gain else "!"
        say(f"{mark} {each.text.zh}", f"    {each.text.en}   [{each.region}/{each.entry}]")
        if each.relying_parties:
            say(f"    {', '.join(party.id for party in each.relying_parties)}")
    if not found:
        say("Nothing that stands would be affected.")


@app.command()
@refusals
def audit(
    place: Annotated[str, typer.Argument(help="The network's folder, or the URL of its public files.", metavar="REPO")],
    region: Annotated[
        str | None, typer.Option(help="Only what this region or body published, and the network.", show_default=False)
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(help="Only what was published since then (UTC).", formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"]),
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="Lines for people, JSON, or CSV.")] = Format.TEXT,
    seconds: Annotated[float, typer.Option("--timeout", help="Longest wait for an answer, in seconds.")] = 10,
) -> None:
    """Replay the whole published history: what changed, when, by whose signatures. Exits with 1 when anything is odd.

    Everything is verified from the first root on; filters only choose what is shown and counted.
    """
    from trust_registry.audit import EventKind

    beginning = None if since is None else since.replace(tzinfo=UTC)
    shown, odd = [], 0
    for event in _with_progress(_events(place, seconds)):
        if not _wanted(event, region, beginning):
            continue
        odd += event.kind is EventKind.ANOMALY
        if form is Format.TEXT:
            _print(event)
        else:
            shown.append(_row(event))
    if form is Format.TEXT:
        say("", f"Anomalies: {odd}")
    else:
        _write(form, shown)
    if odd:
        raise typer.Exit(1)


def _events(place: str, seconds: float) -> Iterator[AuditEvent]:
    from time import monotonic

    import httpx

    from trust_registry.audit import replay
    from trust_registry.fetching import folder_fetch, http_fetch

    folder = Path(place)
    if folder.is_dir():
        public = folder / "public" if (folder / "public").is_dir() else folder
        yield from replay(folder_fetch({"": public}))
        return
    if not place.startswith(("https://", "http://")):
        raise typer.BadParameter("neither a folder nor a URL", param_hint="REPO")
    with httpx.Client(timeout=seconds, follow_redirects=False) as client:
        fetch = http_fetch(client, timer=monotonic)
        base = place.rstrip("/") + "/"
        yield from replay(lambda path: fetch(base + path))


def _with_progress(events: Iterable[AuditEvent]) -> Iterator[AuditEvent]:
    told = sys.stderr.isatty()
    for number, event in enumerate(events, 1):
        if told and number % _PROGRESS == 0:
            sys.stderr.write(f"\r{number} events, snapshot {event.snapshot}")
        yield event
    if told:
        sys.stderr.write("\r")


def _wanted(event: AuditEvent, region: str | None, since: datetime | None) -> bool:
    if since is not None and event.at is not None and event.at < since:
        return False
    return region is None or event.region in (None, region)


def _print(event: AuditEvent) -> None:
    marks = {"added": "+", "changed": "~", "removed": "-"}
    at = "-" if event.at is None else f"{event.at:%Y-%m-%d %H:%M}Z"
    mark = "!!" if event.anomaly is not None else "  "
    say(f"{mark} {at} #{event.snapshot}  {event.text.zh} / {event.text.en}")
    if event.signed_by:
        say(f"     {len(event.signed_by)} of {event.threshold} needed: {', '.join(event.signed_by)}")
    for change in event.changes:
        say(f"     {marks[change.kind.value]} {change.text.zh}", f"         {change.text.en}   [{change.entry}]")


def _row(event: AuditEvent) -> dict[str, Any]:
    return {
        "snapshot": event.snapshot,
        "at": None if event.at is None else event.at.isoformat(),
        "kind": event.kind.value,
        "anomaly": None if event.anomaly is None else event.anomaly.value,
        "role": event.role,
        "version": event.version,
        "region": event.region,
        "entry": event.entry,
        "signed_by": list(event.signed_by),
        "threshold": event.threshold,
        "zh": event.text.zh,
        "en": event.text.en,
        "changes": [{"kind": c.kind.value, "entry": c.entry, "zh": c.text.zh, "en": c.text.en} for c in event.changes],
    }


def _consequence(each: Consequence) -> dict[str, Any]:
    return {
        "kind": each.kind.value,
        "region": each.region,
        "entry": each.entry,
        "when": None if each.when is None else each.when.isoformat(),
        "issuers": list(each.issuers),
        "types": list(each.types),
        "issuing": list(each.issuing),
        "accepting": each.accepting,
        "scenarios": list(each.scenarios),
        "relying_parties": [party.id for party in each.relying_parties],
        "certificates": each.certificates,
        "zh": each.text.zh,
        "en": each.text.en,
    }


def _write(form: Format, rows: list[dict[str, Any]]) -> None:
    import csv
    import json

    if form is Format.JSON:
        sys.stdout.write(json.dumps(rows, ensure_ascii=False, indent=2) + "\n")
        return
    flat: Callable[[Any], Any] = lambda value: (  # noqa: E731
        "; ".join(v if isinstance(v, str) else v["en"] for v in value) if isinstance(value, list) else value
    )
    names = list(rows[0]) if rows else ["kind"]
    writer = csv.DictWriter(sys.stdout, names)
    writer.writeheader()
    # What a spreadsheet would take for a formula is data here.
    writer.writerows({name: _safe(flat(value)) for name, value in row.items()} for row in rows)


def _safe(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@")) else value
