"""What the last list of an authority says after it has left: all of it ends then, nothing before it changes.

Decides no membership: see `trust_registry.departures`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from trust_registry.model import EntryReason, EntryStatus, History, RegionList, StatusChange


def closed_at(region_list: RegionList, left_at: datetime) -> RegionList:
    """The list as it counts from `left_at` (UTC) on: its issuers, keys, recognitions and relying parties withdrawn."""

    def end(history: History) -> History:
        before = tuple(change for change in history if change.at < left_at)
        return (*before, StatusChange(EntryStatus.WITHDRAWN, left_at, EntryReason.CESSATION))

    return replace(
        region_list,
        authorities=tuple(replace(each, history=end(each.history)) for each in region_list.authorities),
        attests=tuple(replace(each, history=end(each.history)) for each in region_list.attests),
        recognises=tuple(replace(each, history=end(each.history)) for each in region_list.recognises),
        relying_parties=tuple(replace(each, history=end(each.history)) for each in region_list.relying_parties),
        foreign=tuple(replace(each, history=end(each.history)) for each in region_list.foreign),
    )
