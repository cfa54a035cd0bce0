"""Authorities that left the network: how the delegation says so, and what their last list still says.

A delegation stays when its region goes, marked with the instant and with the last version that counts: questions about
the time before are answered as they were then. Nothing that the region signs later is believed. Fetches and signs
nothing. Spec: docs/adr/0010.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from tuf.api.metadata import DelegatedRole, Targets

from keys.errors import MalformedEnvelope
from trust_registry.errors import RuleBroken
from trust_registry.log.entries import read_time, write_time
from trust_registry.roles import ListRole

LEFT_FIELD: Final = "x-yinxin-left"
LAST_WORD: Final = "last-word"


@dataclass(frozen=True, slots=True)
class Departure:
    """When an authority left (UTC), and the last version of its role."""

    at: datetime
    version: int

    def to_field(self) -> dict[str, Any]:
        """As the delegation's `x-yinxin-left` has it."""
        return {"at": write_time(self.at), "version": self.version}


def departure_of(delegated: DelegatedRole) -> Departure | None:
    """When this authority left, or None as long as it belongs. Raises: RuleBroken when the mark can't be read."""
    field = delegated.unrecognized_fields.get(LEFT_FIELD)
    if field is None:
        return None
    try:
        at, version = read_time(field["at"]), field["version"]
        if version.__class__ is not int or version < 1 or len(field) != 2:
            raise ValueError("another form")
    except (MalformedEnvelope, ValueError, KeyError, TypeError) as err:
        raise RuleBroken(LAST_WORD, f"{delegated.name} has left, but nobody can read when") from err
    return Departure(at, version)


def departures(targets: Targets) -> Mapping[str, Departure]:
    """The roles whose authorities have left, by name. Raises: RuleBroken."""
    found = {}
    for name, delegated in ((targets.delegations and targets.delegations.roles) or {}).items():
        departure = departure_of(delegated)
        if departure is not None and ListRole.parse(name) is not None:
            found[name] = departure
    return found


def check_last_word(name: str, departure: Departure, version: int) -> None:
    """Whether this version of a role is the one that it left behind. Raises: RuleBroken."""
    if version != departure.version:
        raise RuleBroken(
            LAST_WORD, f"{name} has left with version {departure.version}, and speaks by version {version}"
        )
