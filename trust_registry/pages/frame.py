"""What the console's pages share: the verified view, the instant that is looked at, who may act, how a page is drawn.

Decides nothing and changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from fastapi import HTTPException, Request, Response
from starlette.routing import Match

from trust_registry import matrix as matrices
from trust_registry.core import status_at
from trust_registry.core.foreign import foreign_entry
from trust_registry.core.recognition import CHINA_TIME
from trust_registry.edges import Edge, Principal, Role
from trust_registry.instants import in_calendar
from trust_registry.model import CertificateType, Names, RegionCode, RegionList, TrustView, TypeId
from trust_registry.roles import ListRole
from trust_registry.service import RegistryService

LONGEST_INSTANT: Final = 40
_IMAGE: Final = re.compile(r"印模[^：；]*：sha256:([0-9a-f]{64})")


def read_instant(text: str) -> datetime | None:
    """`2026-12-01` (the end of that day, China time) or an RFC 3339 instant; None for anything else."""
    if len(text) > LONGEST_INSTANT:
        return None
    try:
        if len(text) == 10:
            at = datetime.combine(date.fromisoformat(text), time(23, 59, 59), CHINA_TIME)
        else:
            at = datetime.fromisoformat(text)
            if at.tzinfo is None:
                return None
    except ValueError:
        return None
    return at.astimezone(UTC) if in_calendar(at) else None


def day_of(at: datetime) -> str:
    """The day of an instant in China time, as a date field of a form wants it."""
    return at.astimezone(CHINA_TIME).date().isoformat()


def start_of(day: date) -> datetime:
    """The first instant of a day in China time, in UTC."""
    return datetime.combine(day, time(), CHINA_TIME).astimezone(UTC)


class Frame:
    """The console over one registry service. `officer` lets registry officers in, `reader` also auditors."""

    def __init__(self, service: RegistryService, edge: Edge) -> None:
        self.service = service
        self.edge = edge
        self.officer: Callable[..., Principal] = edge.require(Role.REGISTRY_OFFICER)
        self.reader: Callable[..., Principal] = edge.require(Role.REGISTRY_OFFICER, Role.AUDITOR)

    def view(self) -> TrustView:
        """Raises: TrustMissing."""
        return self.service.view()

    def now(self) -> datetime:
        return self.edge.now()

    def at(self, request: Request) -> datetime:
        """The instant that the page is about: `?at=`, else now."""
        asked = request.query_params.get("at", "")
        return read_instant(asked) or self.now()

    def zh(self, request: Request) -> bool:
        return self.edge.language(request) == "zh"

    def page(self, request: Request, name: str, *, status: int = 200, **context: Any) -> Response:
        """A template of the console with what all of them need."""
        view, at = self.view(), self.at(request)
        asked = request.query_params.get("at", "")
        visitor = self.edge.visitor(request)
        common: Mapping[str, Any] = {
            "view": view,
            "at": at,
            "at_asked": asked if read_instant(asked) else "",
            "at_wrong": bool(asked) and read_instant(asked) is None,
            "standing": lambda history: status_at(history, at),
            "entry_state": lambda entry: matrices.entry_state(entry, at),
            "list_name": lambda code: list_names(view, code),
            "left_at": view.left.get,
            "reads_seal_log": reads_seal_log(visitor, request),
            "type_name": lambda type_id: type_name(view, type_id),
            "days_to": lambda until: (until - at) // timedelta(days=1),
            "day_of": day_of,
            "officer_of": own_region(visitor),
            "image_in": self.image_in,
            "readable": lambda text: with_names(text, view),
            "own": view.lists.get(own_region(visitor) or RegionCode("")),
            "folder": self.service.public_folder,  # shown by a demonstration only, whose commands can then be copied
            "waiting_count": len(self.service.proposals()),
        }
        return self.edge.render(request, f"registry/{name}.html", {**common, **context}, status=status)

    def image_in(self, text: Names) -> str | None:
        """The digest (hex) of the seal image that a change names, if the image is here: officers sign for it."""
        found = _IMAGE.search(text.zh)
        return found[1] if found is not None and self.service.seal_image(f"sha256:{found[1]}") is not None else None

    def names_of(self, code: str) -> Names:
        """What a region, a body or a list of another network is called. Raises HTTP 404."""
        found = list_names(self.view(), RegionCode(code))
        if found is None:
            raise HTTPException(404)
        return found

    def list_of(self, code: str) -> RegionList:
        """Raises HTTP 404."""
        found = self.view().lists.get(RegionCode(code))
        if found is None:
            raise HTTPException(404)
        return found

    def type_of(self, type_id: str) -> CertificateType:
        """Raises HTTP 404."""
        found = self.view().types.get(TypeId(type_id))
        if found is None:
            raise HTTPException(404)
        return found


SEAL_LOG: Final = "/authority/seal-uses"


def reads_seal_log(principal: Principal | None, request: Request) -> bool:
    """Whether the issuer room serves the log of seal uses here, and this person may read it."""
    if principal is None or not principal.roles & {Role.REGISTRY_OFFICER, Role.AUDITOR}:
        return False
    asked = {"type": "http", "method": "GET", "path": SEAL_LOG, "root_path": "", "headers": []}
    return any(route.matches(asked)[0] is Match.FULL for route in request.app.routes)


def own_region(principal: Principal | None) -> RegionCode | None:
    """The region whose list this person may propose; None for everybody but its registry officers."""
    if principal is None or Role.REGISTRY_OFFICER not in principal.roles:
        return None
    return principal.region


def list_names(view: TrustView, code: RegionCode) -> Names | None:
    """What a region, a body or a list of another network is called, as far as any list here says it."""
    if code in view.lists:
        return view.lists[code].names
    for region in view.lists.values():
        entry = foreign_entry(view, region.code, code)
        if entry is not None:
            rest = code.removeprefix(entry.code).lstrip("-")
            return Names(f"{entry.names.zh} {rest}".strip(), f"{entry.names.en} {rest}".strip())
    return None


def type_name(view: TrustView, type_id: TypeId) -> Names:
    """A type's name, or its id where no list defines it."""
    found = view.types.get(type_id)
    return Names(type_id, type_id) if found is None else found.names


_ID: Final = re.compile(r"[\w/-]+")
_INSTANT: Final = re.compile(r"\b(\d{4}-\d\d-\d\dT\d\d:\d\d)(?::\d\d)?Z")


def _local(found: re.Match[str]) -> str:
    """An instant of a sentence as China's clocks show it; midnight is a day."""
    shown = datetime.fromisoformat(found[1] + "+00:00").astimezone(CHINA_TIME).strftime("%Y-%m-%d %H:%M")
    return shown.removesuffix(" 00:00")


def _list_of(names: Names) -> Names:
    return Names(f"{names.zh}名录", f"The list of {names.en}")


def with_names(text: Names, view: TrustView) -> Names:
    """The sentence with the names of what it mentions by id: an officer reads names, and the path below has the id."""

    def named(found: re.Match[str]) -> Names | None:
        return _names_of(found[0], view)

    def zh(found: re.Match[str]) -> str:
        names = named(found)
        return found[0] if names is None else f"“{names.zh}”"

    def en(found: re.Match[str]) -> str:
        names = named(found)
        return found[0] if names is None else names.en

    chinese = _ID.sub(zh, _INSTANT.sub(_local, text.zh)).replace(" “", "“").replace("” ", "”")
    return Names(chinese, _ID.sub(en, _INSTANT.sub(_local, text.en)))


def _names_of(id_: str, view: TrustView) -> Names | None:
    """The names of what has this id, found without going through a nation's issuers for every sentence."""
    tables: tuple[Mapping[Any, Any], ...] = (view.issuers, view.scenarios, view.types, view.lists)
    for table in tables:
        if id_ in table:
            names: Names = table[id_].names
            return names
    role = ListRole.parse(id_)
    region_list = None if role is None else view.lists.get(role.code)
    return None if region_list is None else _list_of(region_list.names)
