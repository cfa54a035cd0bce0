"""Another region's claims under the names that the accepting region gives them. One step, never a chain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from trust_registry.model import ClaimEquivalence, TypeRequirement

V = TypeVar("V")


def as_ours(claims: Mapping[str, V], equivalences: Sequence[ClaimEquivalence]) -> dict[str, V]:
    """Their claims by our names, in their order. What no equivalence names keeps its name, unless that name is taken
    by one that is mapped: two of theirs never meet under one of ours."""
    ours = {each.theirs: each.ours for each in equivalences}
    taken = {ours[name] for name in claims if name in ours}
    return {ours.get(name, name): value for name, value in claims.items() if name in ours or name not in taken}


def as_theirs(requirement: TypeRequirement, equivalences: Sequence[ClaimEquivalence]) -> TypeRequirement:
    """What a requirement in our names asks of their type."""
    theirs = {each.ours: each.theirs for each in equivalences}
    return replace(
        requirement,
        claims=tuple(theirs.get(name, name) for name in requirement.claims),
        optional_claims=tuple(theirs.get(name, name) for name in requirement.optional_claims),
    )
