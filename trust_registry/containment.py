"""Lists that can't be followed, kept from holding up everybody else's news: who is held back, why, and what counts.

What an authority's threshold signs is the authority's own doing. Where it can't be followed (no list, no valid one, one
too large, one that rewrites its history), its last list that could be followed stands in, and the view says so. What
the host does wrong is not contained: a refresh that meets it is refused whole. Judges no list; see docs/adr/0011.

    generations/N/held/held.json      by role: why, which entry, since when
    generations/N/held/<role>.json    the role's metadata that stands in, where there is one
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from trust_registry.durable import write_durably
from trust_registry.errors import TrustDamaged
from trust_registry.model import HeldBack

_FOLDER: Final = "held"
_INDEX: Final = "held.json"


def read_held(generation: Path) -> Mapping[str, HeldBack]:
    """Which roles are held back, by name. Raises: TrustDamaged."""
    try:
        document = json.loads((generation / _FOLDER / _INDEX).read_bytes())
        return {
            str(role): HeldBack(
                str(each["reason"]),
                None if each["entry"] is None else str(each["entry"]),
                datetime.fromisoformat(each["since"]).astimezone(UTC),
            )
            for role, each in document.items()
        }
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as err:
        raise TrustDamaged("which lists are held back can't be read") from err


def standing_in(generation: Path, role: str) -> bytes | None:
    """The metadata that stands in for a role that is held back. Raises: OSError."""
    try:
        return (generation / _FOLDER / f"{role}.json").read_bytes()
    except FileNotFoundError:
        return None


def write_held(generation: Path, before: Path, held: Mapping[str, HeldBack]) -> None:
    """Hold these roles back in `generation`, with what counted in the generation `before` standing in.

    Raises: TrustDamaged, OSError.
    """
    folder, known = generation / _FOLDER, read_held(before)
    shutil.rmtree(folder, ignore_errors=True)
    for role, each in held.items():
        path = before / _FOLDER / f"{role}.json" if role in known else before / f"{role}.json"
        if path.is_file():
            write_durably(folder / f"{role}.json", path.read_bytes())
        if role in known:
            held = {**held, role: HeldBack(each.reason, each.entry, known[role].since)}
    if held:
        document = {
            role: {"reason": each.reason, "entry": each.entry, "since": each.since.isoformat()}
            for role, each in held.items()
        }
        write_durably(folder / _INDEX, json.dumps(document, indent=1).encode())
