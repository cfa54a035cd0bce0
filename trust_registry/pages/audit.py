"""The audit as pages: what changed, when, by whose signatures, and what should not have been; as CSV and JSON too.

The replay believes nothing of the host's own files (`trust_registry.audit`); this only shows what it tells.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from trust_registry.audit import AuditEvent, EventKind
from trust_registry.matrix import regions_of
from trust_registry.model import Names
from trust_registry.pages.frame import Frame, read_instant
from trust_registry.wire import to_wire

PAGE: Final = 100
KINDS: Final = {
    EventKind.ROOT: Names("网络的根", "root of the network"),
    EventKind.MEMBERSHIP: Names("成员和登记官", "membership"),
    EventKind.LIST: Names("名录", "list"),
    EventKind.RENEWAL: Names("续签", "renewal"),
    EventKind.ANOMALY: Names("异常", "anomaly"),
}
_FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Line:
    """An event with its number in the whole history, which never changes."""

    number: int
    event: AuditEvent


def router(frame: Frame) -> APIRouter:
    """/registry/audit, /registry/audit.csv and /registry/audit.json."""
    audit = Audit(frame)
    pages = APIRouter(prefix="/registry")
    for path, page in (("/audit", audit.page), ("/audit.csv", audit.table), ("/audit.json", audit.document)):
        pages.add_api_route(path, page, methods=["GET"], response_model=None)
    return pages


class Audit:
    """Pages over one frame."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def page(self, request: Request) -> Response:
        lines = list(self._asked(request))
        before = request.query_params.get("before", "")
        shown = [line for line in lines if not before.isdecimal() or line.number < int(before[:9])]
        state = self._frame.service.audit()
        return self._frame.page(
            request,
            "audit",
            lines=shown[:PAGE],
            more=shown[PAGE - 1].number if len(shown) > PAGE else None,
            total=len(state.events),
            anomalies=state.anomalies,
            complete=state.complete,
            reached=max((event.snapshot for event in state.events), default=0),
            hosted=self._frame.service.public_folder is not None,
            kinds=KINDS,
            regions=regions_of(self._frame.view()),
            asked={name: request.query_params.get(name, "")[:40] for name in ("region", "kind", "since", "until")},
        )

    def table(self, request: Request) -> Response:
        """Every event asked for, one a line, as CSV (RFC 4180) with a BOM, so that spreadsheets read the Chinese."""
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(("number", "kind", "at", "region", "role", "version", "zh", "en", "signed_by", "anomaly"))
        for line in self._asked(request):
            writer.writerow([_cell(value) for value in _row(line)])
        headers = {"Content-Disposition": 'attachment; filename="audit.csv"'}
        return Response("\ufeff" + text.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)

    def document(self, request: Request) -> Response:
        """The same as JSON."""
        complete = self._frame.service.audit().complete
        return JSONResponse({"complete": complete, "events": [_document(line) for line in self._asked(request)]})

    def _asked(self, request: Request) -> Iterator[Line]:
        """The events that the question is about, newest first."""
        asked = request.query_params
        since, until = read_instant(asked.get("since", "")), read_instant(asked.get("until", ""))
        begin = None if since is None else since - timedelta(days=1)  # the end of a day: from its beginning on
        for number, event in reversed(list(enumerate(self._frame.service.audit().events))):
            if asked.get("kind", "") not in ("", event.kind.value):
                continue
            if asked.get("region", "") not in ("", event.region):
                continue
            if _within(event.at, begin, until):
                yield Line(number, event)


def _within(at: datetime | None, since: datetime | None, until: datetime | None) -> bool:
    if at is None:
        return since is None and until is None
    return (since is None or at > since) and (until is None or at <= until)


def _row(line: Line) -> tuple[str, ...]:
    event = line.event
    return (
        str(line.number),
        event.kind.value,
        "" if event.at is None else event.at.isoformat(),
        event.region or "",
        event.role,
        str(event.version),
        event.text.zh,
        event.text.en,
        "; ".join(event.signed_by),
        "" if event.anomaly is None else event.anomaly.value,
    )


def _cell(text: str) -> str:
    """Names come from lists that others write: none of them becomes a formula."""
    return f"'{text}" if text.startswith(_FORMULAS) else text


def _document(line: Line) -> dict[str, Any]:
    event = line.event
    return {
        "number": line.number,
        "kind": event.kind.value,
        "at": None if event.at is None else event.at.isoformat(),
        "snapshot": event.snapshot,
        "region": event.region,
        "role": event.role,
        "version": event.version,
        "text": to_wire(event.text),
        "signed_by": list(event.signed_by),
        "threshold": event.threshold,
        "anomaly": None if event.anomaly is None else event.anomaly.value,
        "entry": event.entry,
        "changes": [{"kind": c.kind.value, "entry": c.entry, "text": to_wire(c.text)} for c in event.changes],
    }
