"""Who asks, by what the regions say: registered or not, for which scenario, and what goes beyond it. Pure.

Spec: OpenID4VP 1.0 sections 5.9.3 (trust in the client) and 5.11 (verifier_info).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Final

from keys.certificate import Certificate, parse_certificate
from keys.certificate_profiles import Profile
from keys.path import PathOutcome, validate_path
from trust_registry.attestations import TYPE_URN
from trust_registry.core import as_theirs, in_force, status_at
from trust_registry.mdoc_attestations import CORE, type_of_doc_type
from trust_registry.model import (
    CertificateType,
    ClaimEquivalence,
    EntryStatus,
    KeyEntry,
    KeyUse,
    Names,
    RegionList,
    RelyingPartyEntry,
    Scenario,
    ScenarioId,
    TrustView,
    TypeId,
)
from verifier.dcql import MDOC, CredentialQuery, Path
from wallet_api.openid.asked import Asked
from wallet_api.openid.plain_words import one_line
from wallet_api.openid.refusals import Flaw
from wallet_api.openid.requests import Verified

REGISTRATION: Final = "yinxin_registration"
# What an SD-JWT VC says about itself, and which every presentation shows or may show to whoever checks it.
ALWAYS: Final = frozenset(
    {"iss", "vct", "iat", "nbf", "exp", "status", "cnf", "certificate_id", "seal_id", "vct#integrity"}
)


class Standing(Enum):
    """How the network knows who asks, best first."""

    REGISTERED = "registered"
    OVERASKING = "overasking"  # registered, and asks for more than its scenario needs
    UNREGISTERED = "unregistered"  # its certificate is of a region's CA, but no list names it
    UNKNOWN = "unknown"  # its certificate is of nobody that the regions know
    UNSIGNED = "unsigned"  # nobody signed: only the address that the answer goes to is known

    @property
    def needs_confirmation(self) -> bool:
        """Whether the citizen has to say twice that this shall be answered."""
        return self is not Standing.REGISTERED


@dataclass(frozen=True, slots=True)
class Extra:
    """What is asked beyond the scenario: a claim of a query, or with `path` () all of it."""

    query_id: str
    path: Path


@dataclass(frozen=True, slots=True)
class Requester:
    """Who asks. `names`: of its entry, else what its certificate or its address says. `host`: where the answer goes."""

    standing: Standing
    names: Names
    host: str
    region: Names | None
    party: RelyingPartyEntry | None
    scenario: Scenario | None
    extras: tuple[Extra, ...]


def judge_requester(view: TrustView, request: Verified, asked: Asked, now: datetime) -> Requester:
    """Who asks, and whether it may ask for this. Never raises on content."""
    host = asked.back.host
    leaf = request.certificate
    if leaf is None:
        return Requester(Standing.UNSIGNED, Names(host, host), host, None, None, None, ())
    found = _listed(view, leaf, now)
    if found is None:
        name = one_line(leaf.organisation or leaf.common_name or "") or host
        known = _of_a_region(view, request.chain, now)
        standing = Standing.UNREGISTERED if known else Standing.UNKNOWN
        return Requester(standing, Names(name, name), host, None, None, None, ())
    region, party = found
    scenario, extras = _scenario(view, region, party, asked, now)
    standing = Standing.OVERASKING if extras else Standing.REGISTERED
    return Requester(standing, party.names, host, region.names, party, scenario, extras)


def misuse(view: TrustView, request: Verified, now: datetime) -> Flaw | None:
    """Why this key may not ask at all at `now`: it, or whose it is, was withdrawn or suspended, or it is for something
    else than asking. None for a key in order, and for one that nobody lists. Spec: sections 5.9.3 and 15.3.
    """
    leaf = request.certificate
    if leaf is None or _listed(view, leaf, now) is not None:
        return None
    uses = {key.use for region in view.lists.values() for key in _keys(region) if key.certificate == leaf.der}
    if KeyUse.ACCESS in uses:
        return Flaw.WITHDRAWN
    made_for = {profile for profile in Profile if profile.policy in leaf.policies}
    return Flaw.ANOTHER_USE if uses or (made_for and Profile.ACCESS not in made_for) else None


def _keys(region: RegionList) -> Iterator[KeyEntry]:
    yield from region.authorities
    for issuer in region.attests:
        yield from (seal.key for seal in issuer.seals)
        yield from issuer.status_keys
    for party in region.relying_parties:
        yield from party.keys


def _listed(view: TrustView, leaf: Certificate, now: datetime) -> tuple[RegionList, RelyingPartyEntry] | None:
    """The relying party whose access key this is, both granted at `now`, of a region that has not left."""
    for code, region in view.lists.items():
        if code in view.left:
            continue
        for party in region.relying_parties:
            named = any(
                key.use is KeyUse.ACCESS
                and key.certificate == leaf.der
                and status_at(key.history, now) is EntryStatus.GRANTED
                for key in party.keys
            )
            if named and status_at(party.history, now) is EntryStatus.GRANTED:
                return region, party
    return None


def _of_a_region(view: TrustView, chain: tuple[Certificate, ...], now: datetime) -> bool:
    anchors = [
        parse_certificate(key.certificate)
        for code, region in view.lists.items()
        if code not in view.left
        for key in region.authorities
        if key.use is KeyUse.CA and status_at(key.history, now) is EntryStatus.GRANTED
    ]
    return validate_path(chain[0], chain[1:], anchors, now).outcome is PathOutcome.OK


def _scenario(
    view: TrustView, region: RegionList, party: RelyingPartyEntry, asked: Asked, now: datetime
) -> tuple[Scenario | None, tuple[Extra, ...]]:
    """The scenario it asks for: the one it names, else of those it is registered for the one that fits best."""
    named = _named_scenario(asked.verifier_info, party)
    candidates = (named,) if named is not None else party.scenarios
    found = [view.scenarios[each] for each in candidates if each in party.scenarios and each in view.scenarios]
    if not found:  # it names one that it is not registered for, or is registered for none
        return None, tuple(Extra(query.id, ()) for query in asked.query.credentials)
    judged = [(scenario, _extras(view, region, scenario, asked.query.credentials, now)) for scenario in found]
    return min(judged, key=lambda each: len(each[1]))


def _named_scenario(infos: Iterable[Mapping[str, Any]], party: RelyingPartyEntry) -> ScenarioId | None:
    """The scenario of its registration. What it says is believed only as far as the list agrees."""
    for info in infos:
        data = info.get("data")
        if info["format"] == REGISTRATION and isinstance(data, dict) and isinstance(data.get("scenario"), str):
            same = data.get("relying_party", party.id) == party.id
            return ScenarioId(data["scenario"]) if same else ScenarioId("")
    return None


def _extras(
    view: TrustView, region: RegionList, scenario: Scenario, queries: Iterable[CredentialQuery], now: datetime
) -> tuple[Extra, ...]:
    found: list[Extra] = []
    for query in queries:
        types = types_of(query)
        allowed = [_allowed(view, region, scenario, type_id, now) for type_id in types]
        known = [each for each in allowed if each is not None]
        if not known or len(known) < len(types):
            found.append(Extra(query.id, ()))
            continue
        free = frozenset[str]().union(*known)
        found.extend(Extra(query.id, path) for path in _asked_paths(query) if _name(query, path) not in free)
    return tuple(found)


def _asked_paths(query: CredentialQuery) -> tuple[Path, ...]:
    return tuple(each.path for each in query.claims)


def _name(query: CredentialQuery, path: Path) -> str | None:
    """The claim that a path leads to, "" for one that says what the certificate is; None for what can't be told."""
    if query.format == MDOC:
        if path[0] == CORE:
            return ""
        return str(path[1]) if len(path) == 2 else None
    return "" if path[0] in ALWAYS else (path[0] if isinstance(path[0], str) else None)


def types_of(query: CredentialQuery) -> tuple[TypeId | None, ...]:
    """The network's certificate types that a query takes; None in place of each that is not the network's."""
    if query.format == MDOC:
        return tuple(type_of_doc_type(each) for each in query.types)
    return tuple(TypeId(v.removeprefix(TYPE_URN)) if v.startswith(TYPE_URN) else None for v in query.types)


def _allowed(
    view: TrustView, region: RegionList, scenario: Scenario, type_id: TypeId | None, now: datetime
) -> frozenset[str] | None:
    """The claims of this type that the scenario may ask, as the certificate names them; None: it takes no such type."""
    type_ = view.types.get(type_id) if type_id is not None else None
    if type_ is None:
        return None
    found: set[str] = set()
    taken = False
    for as_type, claims in _ways(region, type_.id, scenario.id, now):
        for requirement in scenario.requires:
            if as_type in requirement.any_of:
                theirs = as_theirs(requirement, claims)
                found |= {*theirs.claims, *theirs.optional_claims}
                taken = True
    return frozenset(found | _shown_anyway(type_) | {""}) if taken else None


def _ways(
    region: RegionList, type_id: TypeId, scenario: ScenarioId, now: datetime
) -> list[tuple[TypeId, tuple[ClaimEquivalence, ...]]]:
    """As which types the region takes this one for the scenario: as itself, and as each equivalent it recognises."""
    ways: list[tuple[TypeId, tuple[ClaimEquivalence, ...]]] = [(type_id, ())]
    for entry in region.recognises:
        covered = not entry.scenarios or scenario in entry.scenarios
        if entry.type_id == type_id and covered and in_force(entry, now):
            ways.append((entry.as_type, entry.claims))
    return ways


def _shown_anyway(type_: CertificateType) -> set[str]:
    return {claim.name for claim in type_.claims if not claim.selective}
