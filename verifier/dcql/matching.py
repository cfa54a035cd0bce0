"""What answers a query: of a wallet's holdings, and of the query ids in a response. Shows nothing, checks no signature.

Spec: OpenID4VP 1.0 section 6.4.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from verifier.dcql.model import MDOC, ClaimsQuery, CredentialQuery, CredentialSet, DcqlQuery, Value
from verifier.dcql.paths import select, select_element

_AKI: Final = "aki"


@dataclass(frozen=True, slots=True)
class Held:
    """A credential that a wallet holds, as far as queries ask.

    `reference` is the wallet's own name for it. `type`: its `vct` or document type, `extends` those it inherits from.
    `claims`: the processed SD-JWT claims; of an mdoc, elements by namespace. `authorities`: the AuthorityKeyIdentifiers
    of its certificates, base64url; None: not known, so that no such condition is held against it.
    """

    reference: str
    format: str
    type: str
    claims: Mapping[str, Any]
    authorities: frozenset[str] | None = None
    holder_bound: bool = True
    extends: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A held credential that answers a credential query, and the claims to show of it: one combination, the first that
    it can satisfy. Empty `claims`: nothing that can be withheld."""

    held: Held
    claims: tuple[ClaimsQuery, ...]


@dataclass(frozen=True, slots=True)
class SetMatch:
    """A credential set with those of its options for which there are candidates, in the query's order."""

    set: CredentialSet
    options: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Match:
    """`candidates` by credential query id (ids without any are left out). `answerable`: every required set has an
    option; if not, nothing may be returned."""

    query: DcqlQuery
    candidates: Mapping[str, tuple[Candidate, ...]]
    sets: tuple[SetMatch, ...] = field(default=())

    @property
    def answerable(self) -> bool:
        return all(each.options or not each.set.required for each in self.sets)

    def chosen(self, optional: Collection[int] = ()) -> dict[str, Candidate]:
        """The first candidate for each id of the first option of every required set, and of the sets numbered
        `optional`. For whoever leaves the choice to the order. Empty when not answerable."""
        if not self.answerable:
            return {}
        wanted = [each for number, each in enumerate(self.sets) if each.set.required or number in optional]
        ids = [id for each in wanted if each.options for id in each.options[0]]
        return {id: self.candidates[id][0] for id in ids}


def match(query: DcqlQuery, holdings: Sequence[Held]) -> Match:
    """What of `holdings` answers the query, in the order of `holdings`."""
    candidates = {}
    for asked in query.credentials:
        found = [candidate for held in holdings if (candidate := candidate_for(asked, held)) is not None]
        if found:
            candidates[asked.id] = tuple(found)
    sets = (
        SetMatch(each, tuple(option for option in each.options if all(id in candidates for id in option)))
        for each in query.sets
    )
    return Match(query, candidates, tuple(sets))


def candidate_for(query: CredentialQuery, held: Held) -> Candidate | None:
    """The credential as an answer to this query, or None. Spec: sections 6.1, 6.1.1 and 6.4.1."""
    if held.format != query.format or (query.require_holder_binding and not held.holder_bound):
        return None
    if query.types and not {held.type, *held.extends} & set(query.types):
        return None
    if not _authorised(query, held):
        return None
    for option in claim_options(query):
        if all(has_claim(held, claim) for claim in option):
            return Candidate(held, option)
    return None


def claim_options(query: CredentialQuery) -> tuple[tuple[ClaimsQuery, ...], ...]:
    """The combinations of claims that satisfy the query, the preferred first. Spec: section 6.4.1."""
    if not query.claim_sets:
        return (query.claims,)
    by_id = {each.id: each for each in query.claims}
    return tuple(tuple(by_id[id] for id in option) for option in query.claim_sets)


def satisfied(query: DcqlQuery, answered: Collection[str]) -> bool:
    """Whether presentations for these query ids satisfy every required set. Spec: section 6.4.2."""
    return not missing_sets(query, answered)


def missing_sets(query: DcqlQuery, answered: Collection[str]) -> tuple[CredentialSet, ...]:
    """The required sets that presentations for these query ids leave unsatisfied."""
    return tuple(
        each
        for each in query.sets
        if each.required and not any(all(id in answered for id in option) for option in each.options)
    )


def _authorised(query: CredentialQuery, held: Held) -> bool:
    """Whether any condition may hold. Only `aki` can be told here; of others, none is held against a credential."""
    known = [each for each in query.trusted_authorities if each.type == _AKI]
    if len(known) < len(query.trusted_authorities) or not known or held.authorities is None:
        return True
    return any(value in held.authorities for each in known for value in each.values)


def has_claim(held: Held, claim: ClaimsQuery) -> bool:
    """Whether the credential has that claim, with one of the values if there are any. Spec: sections 6.3 and 7."""
    found = select_element(held.claims, claim.path) if held.format == MDOC else select(held.claims, claim.path)
    if not claim.values:
        return bool(found)
    return any(_equal(each, value) for each in found for value in claim.values)


def _equal(found: Any, value: Value) -> bool:
    """Type and value, both: true is not 1. Spec: section 6.3."""
    return type(found) is type(value) and bool(found == value)
