"""Questions of the Trust Registry Query Protocol, answered from the verified view. Pure: no HTTP, no clock.

Identifiers are URNs as attestations carry them (`urn:yinxin:issuer:...`, `urn:yinxin:type:...`), and `urn:yinxin:` with
`region:`, `relying-party:` and `scenario:` likewise; the part after the prefix alone is understood, too.
Spec: ToIP TRQP v2, "Authorization Query", "Recognition Query", "Identifiers", "HTTPS Binding".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from keys.envelopes.strict_json import load_json
from keys.errors import MalformedEnvelope
from trust_registry.attestations import ISSUER_URN, TYPE_URN
from trust_registry.core import judge_recognition, status_at
from trust_registry.dependence import asks_for
from trust_registry.errors import MalformedQuery, QueryNotRecognised
from trust_registry.instants import in_calendar
from trust_registry.model import (
    EntryStatus,
    IssuerId,
    Names,
    RecognitionOutcome,
    RegionCode,
    RegionList,
    RelyingPartyEntry,
    RelyingPartyId,
    ScenarioId,
    TrustView,
    TypeId,
)

REGION_URN: Final = "urn:yinxin:region:"
RELYING_PARTY_URN: Final = "urn:yinxin:relying-party:"
SCENARIO_URN: Final = "urn:yinxin:scenario:"
MAX_SIZE: Final = 16 * 1024
MAX_TEXT: Final = 300
MAX_CONTEXT: Final = 16

AUTHORIZATION_ACTIONS: Final = ("issue", "verify", "accept")
RECOGNITION_ACTIONS: Final = ("issue",)
_REQUIRED: Final = ("entity_id", "authority_id", "action", "resource")
# RFC 3986: what may stand in an identifier, beside percent-encoded octets.
_IDENTIFIER: Final = re.compile(r"(?:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+", re.ASCII)
_TIME: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,6}\d*)?(?:Z|\+00:00)", re.ASCII)
_LONGEST_TIME: Final = 40


@dataclass(frozen=True, slots=True)
class Query:
    """A question as it was asked; `at` is the moment it is about (UTC), or None for now."""

    entity_id: str
    authority_id: str
    action: str
    resource: str
    context: Mapping[str, str] | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """Yes or no, and why."""

    granted: bool
    message: Names
    facts: Mapping[str, str] = field(default_factory=dict)


def read_query(body: bytes) -> Query:
    """The query in a request's body. Unknown members are passed over, as the schemas allow.

    Raises: MalformedQuery naming the member. Spec: `trqp_authorization_request.schema.json`, identifiers: RFC 3986.
    """
    try:
        document = load_json(body, max_size=MAX_SIZE)
    except MalformedEnvelope as err:
        raise MalformedQuery("body", str(err)) from err
    if not isinstance(document, dict):
        raise MalformedQuery("body", "a JSON object is needed")
    entity_id, authority_id, action, resource = (_identifier(document, name) for name in _REQUIRED)
    context = document.get("context")
    if context is None:
        return Query(entity_id, authority_id, action, resource)
    conditions = _context(context)
    return Query(entity_id, authority_id, action, resource, conditions, _time(conditions))


def _identifier(document: Mapping[str, Any], name: str) -> str:
    value = document.get(name)
    if value is None:
        raise MalformedQuery(name, "is required")
    if not isinstance(value, str) or not 0 < len(value) <= MAX_TEXT:
        raise MalformedQuery(name, f"must be text of 1 to {MAX_TEXT} characters")
    if not _IDENTIFIER.fullmatch(value):
        raise MalformedQuery(name, "must be an identifier (RFC 3986)")
    return value


def _context(context: Any) -> Mapping[str, str]:
    if not isinstance(context, dict) or len(context) > MAX_CONTEXT:
        raise MalformedQuery("context", f"must be an object of at most {MAX_CONTEXT} members")
    for name, value in context.items():
        if not isinstance(value, str) or len(value) > MAX_TEXT or len(name) > MAX_TEXT:
            raise MalformedQuery("context", f"members must be texts of at most {MAX_TEXT} characters")
    return context


def _time(context: Mapping[str, str]) -> datetime | None:
    """Spec: RFC 3339 "using only Z (+00:00) offset"; blank is now."""
    text = context.get("time", "")
    if not text:
        return None
    if len(text) > _LONGEST_TIME or not _TIME.fullmatch(text):
        raise MalformedQuery("context.time", "must be RFC 3339 with Z, such as 2026-01-31T08:00:00Z")
    try:
        at = datetime.fromisoformat(text).astimezone(UTC)
    except ValueError as err:
        raise MalformedQuery("context.time", "is not a moment of the calendar") from err
    if not in_calendar(at):
        raise MalformedQuery("context.time", "must be between the years 1900 and 9000")
    return at


def authorize(view: TrustView, query: Query, now: datetime) -> Answer:
    """Whether the authority entitles the entity to the action on the resource.

    `issue`: an issuer, a certificate type. `verify`: a relying party, a type (for the scenario in the context, or any
    of its own) or a scenario. `accept`: as `verify`, and the certificate is one of the region in `context.issuing`.
    An entity that the authority does not list is not authorized: that is an answer, not an error.
    Raises: QueryNotRecognised naming what is unknown: authority, action, resource or scenario; MalformedQuery.
    """
    authority = _authority(view, query.authority_id, "authority_id")
    at = query.at or now
    if query.action not in AUTHORIZATION_ACTIONS:
        raise QueryNotRecognised("action")
    if query.action == "issue":
        return _may_issue(view, authority, query, at)
    return _may_verify(view, authority, query, at)


def recognise(view: TrustView, query: Query, now: datetime) -> Answer:
    """Whether the authority recognises the entity, another authority, for issuing the resource, a certificate type.

    The answer is that of `judge_recognition`, for the scenario in the context if there is one. An entity that is no
    authority of this network is not recognised. Raises: QueryNotRecognised, MalformedQuery.
    """
    authority = _authority(view, query.authority_id, "authority_id")
    if query.action not in RECOGNITION_ACTIONS:
        raise QueryNotRecognised("action")
    type_id, scenario = _type(view, query.resource), _scenario(authority, query)
    entity = RegionCode(query.entity_id.removeprefix(REGION_URN))
    answer = judge_recognition(view, entity, type_id, authority.code, scenario, query.at or now)
    words = _OUTCOMES[answer.outcome]
    message = Names(f"{authority.names.zh}：{words.zh}", f"{authority.names.en}: {words.en}")
    return Answer(answer.accepted, message, {"outcome": answer.outcome.value})


_OUTCOMES: Final = {
    RecognitionOutcome.RECOGNISED: Names("互认有效。", "recognised."),
    RecognitionOutcome.OWN: Names("本地区自己的证照。", "a certificate of its own."),
    RecognitionOutcome.NOT_RECOGNISED: Names("没有互认。", "not recognised."),
    RecognitionOutcome.NOT_YET: Names("互认已公告，尚未生效。", "announced, not in force yet."),
    RecognitionOutcome.ENDED: Names("互认已终止或暂停。", "the recognition has ended or is on hold."),
    RecognitionOutcome.SCENARIO_NOT_COVERED: Names("互认不适用于该场景。", "recognised, but not for this scenario."),
    RecognitionOutcome.NOT_ATTESTED: Names(
        "颁证地区没有机构有资格颁发这类证照。", "nobody there is entitled to issue this type."
    ),
    RecognitionOutcome.ASSURANCE_TOO_LOW: Names("保证级别不足。", "the assurance is too low."),
    RecognitionOutcome.REGION_UNKNOWN: Names("不认识这个主管机关。", "the entity is no authority known here."),
}


def _authority(view: TrustView, name: str, member: str) -> RegionList:
    found = view.lists.get(RegionCode(name.removeprefix(REGION_URN)))
    if found is None:
        raise QueryNotRecognised(member)
    return found


def _type(view: TrustView, name: str) -> TypeId:
    type_id = TypeId(name.removeprefix(TYPE_URN))
    if type_id not in view.types:
        raise QueryNotRecognised("resource")
    return type_id


def _scenario(authority: RegionList, query: Query) -> ScenarioId | None:
    named = (query.context or {}).get("scenario")
    if not named:
        return None
    scenario = ScenarioId(named.removeprefix(SCENARIO_URN))
    if all(each.id != scenario for each in authority.scenarios):
        raise QueryNotRecognised("context.scenario")
    return scenario


def _may_issue(view: TrustView, authority: RegionList, query: Query, at: datetime) -> Answer:
    type_id = _type(view, query.resource)
    issuer = view.issuers.get(IssuerId(query.entity_id.removeprefix(ISSUER_URN)))
    if issuer is None or all(each.id != issuer.id for each in authority.attests):
        return _no(authority, "没有列出这个机构。", "does not list this issuer.")
    granted = EntryStatus.GRANTED
    if status_at(issuer.history, at) is not granted:
        return _no(authority, "当时没有授予该机构资格。", "did not entitle this issuer at that time.")
    standing = [g for g in issuer.grants if g.type_id == type_id and status_at(g.history, at) is granted]
    if not standing:
        return _no(authority, "当时没有授予该机构颁发这类证照的资格。", "did not grant it this type at that time.")
    assurance = max((grant.assurance for grant in standing), key=lambda each: each.rank)
    message = Names(
        f"{authority.names.zh}：“{issuer.names.zh}”有资格颁发这类证照。",
        f"{authority.names.en}: {issuer.names.en} is entitled to issue this type.",
    )
    return Answer(True, message, {"assurance": assurance.value})


def _may_verify(view: TrustView, authority: RegionList, query: Query, at: datetime) -> Answer:
    wanted = ScenarioId(query.resource.removeprefix(SCENARIO_URN))
    known = {scenario.id: scenario for scenario in authority.scenarios}
    type_id = None if wanted in known else _type(view, query.resource)
    if type_id is None and query.action == "accept":
        raise QueryNotRecognised("resource")
    named = wanted if type_id is None else _scenario(authority, query)
    party_id = RelyingPartyId(query.entity_id.removeprefix(RELYING_PARTY_URN))
    party = next((each for each in authority.relying_parties if each.id == party_id), None)
    issuing = _issuing(view, query) if query.action == "accept" else None
    if party is None:
        return _no(authority, "没有登记这个用证单位。", "has not registered this relying party.")
    if status_at(party.history, at) is not EntryStatus.GRANTED:
        return _no(authority, "当时没有登记该用证单位。", "did not have this relying party registered at that time.")
    scenarios = [known[s] for s in party.scenarios if s in known and named in (None, s)]
    if issuing is not None and type_id is not None:
        if any(_accepts(view, authority, (issuing, type_id), s.id, at) for s in scenarios):
            return _yes(authority, party)
        return _no(authority, "该单位不能接受该地区的这类证照。", "this party may not accept this type from there.")
    if any(type_id is None or asks_for(s, set(_read_as(authority, type_id))) for s in scenarios):
        return _yes(authority, party)
    return _no(authority, "该单位没有需要这类证照的场景。", "the party has no scenario that asks for this.")


def _issuing(view: TrustView, query: Query) -> RegionCode:
    named = (query.context or {}).get("issuing")
    if not named:
        raise MalformedQuery("context.issuing", "is required")
    return _authority(view, named, "context.issuing").code


def _accepts(
    view: TrustView, authority: RegionList, what: tuple[RegionCode, TypeId], scenario: ScenarioId, at: datetime
) -> bool:
    """Whether the authority takes the type for the scenario, and the scenario asks for it or for its equivalent."""
    issuing, type_id = what
    answer = judge_recognition(view, issuing, type_id, authority.code, scenario, at)
    types = {type_id} if answer.entry is None else {type_id, answer.entry.as_type}
    return answer.accepted and any(asks_for(each, types) for each in authority.scenarios if each.id == scenario)


def _read_as(authority: RegionList, type_id: TypeId) -> Iterator[TypeId]:
    """The type itself, and the own types as which the authority takes it."""
    yield type_id
    for entry in authority.recognises:
        if entry.type_id == type_id:
            yield entry.as_type


def _yes(authority: RegionList, party: RelyingPartyEntry) -> Answer:
    return Answer(
        True,
        Names(
            f"{authority.names.zh}：“{party.names.zh}”已登记。",
            f"{authority.names.en}: {party.names.en} is registered.",
        ),
    )


def _no(authority: RegionList, zh: str, en: str) -> Answer:
    return Answer(False, Names(f"{authority.names.zh}{zh}", f"{authority.names.en} {en}"))


def to_response(query: Query, answer: Answer, member: str, now: datetime, language: str) -> dict[str, Any]:
    """The response document; `member` is `authorized` or `recognized`. What was asked is repeated as it was asked.

    Spec: `trqp_authorization_response.schema.json`, `trqp_recognition_response.schema.json`.
    """
    document: dict[str, Any] = {
        "entity_id": query.entity_id,
        "authority_id": query.authority_id,
        "action": query.action,
        "resource": query.resource,
        member: answer.granted,
        "time_evaluated": f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "message": answer.message.in_language(language),
    }
    if query.at is not None and query.context is not None:
        document["time_requested"] = query.context["time"]
    if query.context is not None:
        document["context"] = dict(query.context)
    return document
