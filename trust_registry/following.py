"""What a fetched state may say after the one that was verified before: no step back, no history rewritten.

Pure. What is wrong with one authority's list holds back that list alone (`containment`); what the host did wrong
refuses the whole state. Reads and fetches nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from tuf.api.metadata import Snapshot, Targets

from trust_registry.core import check_history
from trust_registry.errors import HistoryRewritten, InvalidList, RefreshRefused
from trust_registry.listed_certificates import check_certificates
from trust_registry.model import HeldBack, RegionCode, RegionList
from trust_registry.roles import ListRole
from trust_registry.trusted_copy import admitted_roles


def check_no_step_back(snapshot: Snapshot, targets: Targets, seen: Mapping[str, int]) -> None:
    """Whether nothing is older than in `seen` (versions by role), nor left out.

    After a change of the host's keys TUF clients forget what the old ones signed (TUF 1.0.33, 5.3.11), and so would
    take an old top level, with an expelled region in it, from the new ones. Raises: RefreshRefused, TrustDamaged.
    """
    if targets.version < seen.get(Targets.type, 0):
        raise RefreshRefused(f"targets was version {seen[Targets.type]} and is {targets.version}: it was rolled back")
    for role in admitted_roles(targets):
        meta, known = snapshot.meta.get(f"{role.name}.json"), seen.get(role.name)
        if known is not None and (meta is None or meta.version < known):
            raise RefreshRefused(f"{role.name} was version {known} and is older now, or left out: it was rolled back")


def not_readable(unfit: Mapping[str, InvalidList], now: datetime) -> dict[str, HeldBack]:
    """The lists that are none, by role, as they are told."""
    return {
        role: HeldBack(f"the list is not valid: {err}", _entry(role.partition("-")[2], err.field), now)
        for role, err in unfit.items()
    }


def not_following(
    before: Mapping[RegionCode, RegionList], lists: Iterable[RegionList], now: datetime
) -> dict[str, HeldBack]:
    """Those of `lists` that may not follow the last ones that were believed, `before`; by role."""
    found = {}
    for each in lists:
        previous = before.get(each.code)
        problem = None if previous == each else _problem(previous, each)
        if problem is not None:
            reason, entry = problem
            found[ListRole(each.kind, each.code).name] = HeldBack(reason, _entry(each.code, entry), now)
    return found


def _problem(previous: RegionList | None, region_list: RegionList) -> tuple[str, str] | None:
    """Why a list may not follow, and the entry to blame."""
    try:
        check_certificates(region_list)
        if previous is not None:
            check_history(previous, region_list)
    except HistoryRewritten as err:
        return f"the list rewrites history: {err}", err.entry
    except InvalidList as err:
        return f"the list is not valid: {err}", err.field
    return None


def _entry(code: str, entry: str) -> str | None:
    return f"{code}/{entry}" if entry else None
