"""From a scenario to the query that a wallet is sent: every certificate that counts, and no claim more. Pure.

Each requirement becomes one credential set; its options are the types that count for it, as SD-JWT VC and as mdoc.
Spec: OpenID4VP 1.0 section 6; OpenID4VC HAIP 1.0 section 5 (`aki`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from typing import Any, Final

from keys.envelopes.base64url import b64url_encode
from keys.x509 import parse_certificate
from trust_registry.attestations import TYPE_URN
from trust_registry.core import as_theirs, judge_recognition
from trust_registry.mdoc_attestations import CORE, CORE_ELEMENTS, doc_type_of
from trust_registry.model import (
    EntryReason,
    EntryStatus,
    History,
    KeyUse,
    RecognitionAnswer,
    RecognitionOutcome,
    RegionCode,
    Scenario,
    TrustView,
    TypeId,
    TypeRequirement,
)
from verifier.dcql.model import (
    MDOC,
    SD_JWT_VC,
    ClaimsQuery,
    CredentialQuery,
    CredentialSet,
    DcqlQuery,
    Path,
    TrustedAuthority,
)

FORMATS: Final = (SD_JWT_VC, MDOC)
_CERTIFICATE_ID: Final = "certificate_id"
_PLAIN: Final = re.compile(r"[^A-Za-z0-9_-]")
_ALL_COMBINATIONS: Final = 3  # of so many optional claims; of more, all or none
_NOT_HERS: Final = frozenset({RecognitionOutcome.NOT_ATTESTED, RecognitionOutcome.ASSURANCE_TOO_LOW})


@dataclass(frozen=True, slots=True)
class ScenarioQuery:
    """The query, and for each credential query id the first type that it is about."""

    query: DcqlQuery
    types: Mapping[str, TypeId]


@dataclass(frozen=True, slots=True)
class _Option:
    """Types that count under the same claim names, and whose certificates do."""

    types: tuple[TypeId, ...]
    regions: tuple[RegionCode, ...]
    asked: TypeRequirement


def query_for(view: TrustView, scenario: Scenario, at: datetime, *, formats: Sequence[str] = FORMATS) -> ScenarioQuery:
    """What to ask a wallet for the scenario as of `at` (UTC), in one request.

    Where a requirement has optional claims, with as many of them as there are, down to none. A certificate is asked
    for what names its seal, too: `certificate_id`, or of an mdoc `CORE_ELEMENTS`.
    """
    accepting = RegionCode(scenario.id.partition("/")[0])
    retain = scenario.retention_days > 0
    credentials: list[CredentialQuery] = []
    sets: list[CredentialSet] = []
    types: dict[str, TypeId] = {}
    for number, requirement in enumerate(scenario.requires, 1):
        options: list[tuple[str, ...]] = []
        found = _options(view, accepting, scenario, requirement, at)
        for format in formats:
            for query, type_id in _queries(view, format, found, number, retain=retain):
                credentials.append(query)
                options.append((query.id,))
                types[query.id] = type_id
        sets.append(CredentialSet(tuple(options)))
    return ScenarioQuery(DcqlQuery(tuple(credentials), tuple(sets)), types)


def _queries(
    view: TrustView, format: str, options: Sequence[_Option], number: int, *, retain: bool
) -> Iterator[tuple[CredentialQuery, TypeId]]:
    position = 0
    for option in options:
        authorities = _authorities(view, option.regions)
        metas: list[tuple[TypeId, dict[str, Any]]]
        if format == SD_JWT_VC:
            metas = [(option.types[0], {"vct_values": tuple(TYPE_URN + each for each in option.types)})]
        else:
            metas = [(each, {"doctype_value": name}) for each in option.types if (name := _doc_type(each))]
        for type_id, meta in metas:
            position += 1
            claims, claim_sets = _claims(format, meta.get("doctype_value", ""), option.asked, retain=retain)
            slug = _PLAIN.sub("-", type_id.partition("/")[2])[:64]
            id = f"{number}-{slug}-{'mdoc' if format == MDOC else 'sd-jwt'}" + (f"-{position}" if position > 1 else "")
            yield CredentialQuery(id, format, meta, claims, claim_sets, authorities), type_id


def _claims(
    format: str, doc_type: str, asked: TypeRequirement, *, retain: bool
) -> tuple[tuple[ClaimsQuery, ...], tuple[tuple[str, ...], ...]]:
    """The claims, each with an id, and their combinations, the fullest first."""
    paths: list[Path]
    if format == MDOC:
        paths = [(CORE, name) for name in CORE_ELEMENTS]
        paths += [(doc_type, name) for name in asked.claims]
        optional: list[Path] = [(doc_type, name) for name in asked.optional_claims]
    else:
        paths = [(_CERTIFICATE_ID,), *((name,) for name in asked.claims)]
        optional = [(name,) for name in asked.optional_claims]
    paths, optional = list(dict.fromkeys(paths)), [each for each in dict.fromkeys(optional) if each not in paths]
    ids = {path: f"c{number}" for number, path in enumerate([*paths, *optional], 1)}
    keep = retain if format == MDOC else None
    claims = tuple(ClaimsQuery(path, id if optional else None, (), keep) for path, id in ids.items())
    if not optional:
        return claims, ()
    required = tuple(ids[path] for path in paths)
    few = len(optional) <= _ALL_COMBINATIONS
    sizes = range(len(optional), -1, -1) if few else (len(optional), 0)
    return claims, tuple(
        (*required, *(ids[path] for path in chosen)) for size in sizes for chosen in combinations(optional, size)
    )


def _doc_type(type_id: TypeId) -> str | None:
    try:
        return doc_type_of(type_id)
    except ValueError:
        return None


def _options(
    view: TrustView, accepting: RegionCode, scenario: Scenario, requirement: TypeRequirement, at: datetime
) -> list[_Option]:
    """The types that count for the requirement, joined where the same is asked of the same regions' certificates."""
    counting: dict[tuple[TypeId, TypeRequirement], list[RegionCode]] = {}
    for type_id in requirement.any_of:
        answer = _answer(view, accepting, type_id, accepting, scenario, at)
        if answer is not None and answer.accepted:
            counting.setdefault((type_id, requirement), []).append(accepting)
    for issuing, type_id, accepted_by in view.recognitions:
        if accepted_by != accepting or issuing == accepting:
            continue
        answer = _answer(view, issuing, type_id, accepting, scenario, at)
        if answer is None or not answer.accepted or answer.entry is None:
            continue
        if {type_id, answer.entry.as_type} & set(requirement.any_of):
            asked = as_theirs(requirement, answer.entry.claims)
            counting.setdefault((type_id, asked), []).append(issuing)
    joined: dict[tuple[TypeRequirement, tuple[RegionCode, ...]], list[TypeId]] = {}
    for (type_id, asked), regions in counting.items():
        joined.setdefault((asked, tuple(sorted(regions))), []).append(type_id)
    if not joined:  # nothing counts today: whatever is shown, the verdict will say why it does not
        return [_Option(requirement.any_of, (), requirement)]
    return [_Option(tuple(types), regions, asked) for (asked, regions), types in joined.items()]


def _answer(  # noqa: PLR0917
    view: TrustView, issuing: RegionCode, type_id: TypeId, accepting: RegionCode, scenario: Scenario, at: datetime
) -> RecognitionAnswer | None:
    """The recognition of what any issuer of the region could seal, now or while it was entitled; None: there is none.

    What an office sealed while it could stays recognised when the office closes.
    """
    answer = None
    for issuer, grant in view.attesters.get((issuing, type_id), ()):
        since = max(_began(issuer.history), _began(grant.history))
        answer = judge_recognition(
            view, issuing, type_id, accepting, scenario.id, at, attested_at=since, issuer=issuer.id
        )
        if answer.outcome not in _NOT_HERS:
            return answer
    return answer


def _began(history: History) -> datetime:
    granted = (change.at for change in history if change.status is EntryStatus.GRANTED)
    return next(granted, history[0].at)


def _authorities(view: TrustView, regions: Sequence[RegionCode]) -> tuple[TrustedAuthority, ...]:
    """The CAs of these regions by their key identifiers; none where one of them can't be named.

    A CA that was replaced still stands behind what it signed; one whose key was stolen does not.
    """
    found: list[str] = []
    for code in regions:
        keys = (key for key in view.lists[code].authorities if key.use is KeyUse.CA)
        sound = [key for key in keys if all(change.reason is not EntryReason.KEY_COMPROMISE for change in key.history)]
        named = [ski for key in sound if (ski := parse_certificate(key.certificate).ski)]
        if not named or len(named) < len(sound):
            return ()
        found += [b64url_encode(ski).decode("ascii") for ski in named]
    return (TrustedAuthority("aki", tuple(dict.fromkeys(found))),) if found else ()
