"""Pages of record: what expires, who may sign, the public log, the audit. Readable by anybody; they change nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from fastapi import APIRouter, Request, Response

from trust_registry.expiries import Severity, expiring
from trust_registry.matrix import regions_of
from trust_registry.pages.frame import Frame, own_region

HORIZONS: Final = (30, 90, 365)


def router(frame: Frame) -> APIRouter:
    """/registry/expiries, /registry/officers, /registry/log."""
    records = Records(frame)
    pages = APIRouter(prefix="/registry")
    pages.add_api_route("/expiries", records.expiries, methods=["GET"])
    pages.add_api_route("/officers", records.officers, methods=["GET"])
    pages.add_api_route("/log", records.log, methods=["GET"])
    return pages


class Records:
    """Pages over one frame."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def expiries(self, request: Request) -> Response:
        asked = request.query_params
        days = int(asked.get("days", "90")) if asked.get("days") in {str(each) for each in HORIZONS} else 90
        own = own_region(self._frame.edge.visitor(request)) or ""
        region = asked.get("region", own)[:200]
        found = expiring(self._frame.view(), self._frame.at(request), timedelta(days=days))
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

    def officers(self, request: Request) -> Response:
        groups = self._frame.service.officers()
        return self._frame.page(request, "officers", groups=groups)


def pressing(frame: Frame, region: str) -> int:
    """How many of a region's things need attention now; of everybody's, for a visitor."""
    found = expiring(frame.view(), frame.now())
    return sum(
        each.severity.rank >= Severity.WARNING.rank and not each.replaced and region in ("", each.region)
        for each in found
    )
