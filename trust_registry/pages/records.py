"""Pages of record: what expires, who may sign, the public log, the audit. Readable by anybody; they change nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from fastapi import APIRouter, Request, Response

from trust_registry.core.foreign import foreign_entry
from trust_registry.expiries import Severity
from trust_registry.matrix import regions_of
from trust_registry.model import ForeignList, ForeignListEntry, RegionCode, RegionList, TrustView
from trust_registry.pages.frame import Frame, own_region

HORIZONS: Final = (30, 90, 365)


def router(frame: Frame) -> APIRouter:
    """/registry/expiries, /registry/officers, /registry/log, /registry/foreign."""
    records = Records(frame)
    pages = APIRouter(prefix="/registry")
    pages.add_api_route("/expiries", records.expiries, methods=["GET"])
    pages.add_api_route("/officers", records.officers, methods=["GET"])
    pages.add_api_route("/log", records.log, methods=["GET"])
    pages.add_api_route("/foreign", records.foreign, methods=["GET"])
    return pages


@dataclass(frozen=True, slots=True)
class Copy:
    """One list of another network as this process has it. `found` None: not there; `problem`: why it is not newer."""

    code: RegionCode
    found: ForeignList | None
    problem: str | None


@dataclass(frozen=True, slots=True)
class Reading:
    """What a region's entry names: the list itself first, then those that a list of lists points to."""

    region: RegionList
    entry: ForeignListEntry
    copies: tuple[Copy, ...]


def _lists_of(
    view: TrustView,
    region: RegionList,
    entry: ForeignListEntry,
    problems: Mapping[tuple[RegionCode, RegionCode], str],
) -> Iterator[Copy]:
    names = {*view.foreign, *problems, (region.code, entry.code)}
    for naming, code in sorted(names):
        if naming == region.code and (
            code == entry.code or foreign_entry(view, region.code, RegionCode(code)) is entry
        ):
            key = (region.code, RegionCode(code))
            yield Copy(key[1], view.foreign.get(key), problems.get(key))


class Records:
    """Pages over one frame."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def expiries(self, request: Request) -> Response:
        asked = request.query_params
        days = int(asked.get("days", "90")) if asked.get("days") in {str(each) for each in HORIZONS} else 90
        own = own_region(self._frame.edge.visitor(request)) or ""
        region = asked.get("region", own)[:200]
        at = self._frame.at(request) if asked.get("at") else None
        found = self._frame.service.expiries(timedelta(days=days), at)
        shown = [each for each in found if region in ("", each.region) or each.region is None]
        return self._frame.page(
            request,
            "expiries",
            expiries=shown,
            regions=regions_of(self._frame.view()),
            region=region,
            days=days,
            horizons=HORIZONS,
        )

    def log(self, request: Request) -> Response:
        service = self._frame.service
        return self._frame.page(
            request, "log", log=service.log(), unfinished=service.unfinished(), done=service.carried_out(20)
        )

    def foreign(self, request: Request) -> Response:
        view, problems = self._frame.view(), self._frame.service.foreign_problems()
        named = {(each.naming, each.code): each.reason for each in problems}
        entries = [(region, entry) for region in regions_of(view) for entry in region.foreign]
        read = [Reading(region, entry, tuple(_lists_of(view, region, entry, named))) for region, entry in entries]
        return self._frame.page(request, "foreign", readings=read)

    def officers(self, request: Request) -> Response:
        groups = self._frame.service.officers()
        return self._frame.page(request, "officers", groups=groups)


def pressing(frame: Frame, region: str) -> int:
    """How many of a region's things need attention now; of everybody's, for a visitor."""
    found = frame.service.expiries()
    return sum(
        each.severity.rank >= Severity.WARNING.rank and not each.replaced and region in ("", each.region)
        for each in found
    )
