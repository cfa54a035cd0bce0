"""Reading a DCQL query, strictly, and writing one. Members that the specification does not define are ignored.

Spec: OpenID4VP 1.0 section 6.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

from verifier.dcql.model import (
    MDOC,
    SD_JWT_VC,
    ClaimsQuery,
    CredentialQuery,
    CredentialSet,
    DcqlQuery,
    MalformedQuery,
    Path,
    TrustedAuthority,
)

T = TypeVar("T")
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,256}", re.ASCII)
_MAX_CREDENTIALS: Final = 64
_MAX_ITEMS: Final = 256
_MAX_PATH: Final = 32
_MAX_TEXT: Final = 2048


def parse_dcql(value: Any) -> DcqlQuery:
    """The query in parsed JSON. Raises MalformedQuery. Bounded: 64 credentials, 256 of anything else."""
    found = _object(value, "dcql_query")
    credentials = _each(found, "credentials", _credential, _MAX_CREDENTIALS)
    if credentials is None:
        raise MalformedQuery("credentials is missing")
    ids = [each.id for each in credentials]
    if len(set(ids)) != len(ids):
        raise MalformedQuery("two credentials have one id")
    sets = _each(found, "credential_sets", _credential_set, _MAX_CREDENTIALS) or ()
    if any(id not in ids for each in sets for option in each.options for id in option):
        raise MalformedQuery("credential_sets names a credential that is not asked for")
    return DcqlQuery(credentials, sets)


def query_to_json(query: DcqlQuery) -> dict[str, Any]:
    """The query as JSON; what has its default is left out."""
    made: dict[str, Any] = {"credentials": [_credential_to_json(each) for each in query.credentials]}
    if query.credential_sets:
        made["credential_sets"] = [
            {"options": [list(option) for option in each.options]} | ({} if each.required else {"required": False})
            for each in query.credential_sets
        ]
    return made


def _credential(value: Any) -> CredentialQuery:
    found = _object(value, "credentials")
    claims = _each(found, "claims", _claim, _MAX_ITEMS)
    sets = _each(found, "claim_sets", _ids, _MAX_ITEMS)
    format, meta = _text(found.get("format"), "format"), _object(found.get("meta"), "meta")
    _check_claims(claims or (), sets)
    if format == MDOC:
        _check_elements(claims or ())
    claims, sets = _without_duplicates(claims or (), sets or ())
    return CredentialQuery(
        _id(found.get("id")),
        format,
        _meta(format, meta),
        claims,
        sets,
        _each(found, "trusted_authorities", _authority, _MAX_ITEMS) or (),
        _flag(found, "multiple", default=False),
        _flag(found, "require_cryptographic_holder_binding", default=True),
    )


def _meta(format: str, meta: Mapping[str, Any]) -> Mapping[str, Any]:
    """Spec: appendices B.2.3 and B.3.5; an empty object places no constraint (section 6.1)."""
    if format == SD_JWT_VC and meta:
        values = _list(meta.get("vct_values"), "vct_values", _MAX_ITEMS)
        return {**meta, "vct_values": tuple(_text(each, "vct_values") for each in values)}
    if format == MDOC and meta:
        return {**meta, "doctype_value": _text(meta.get("doctype_value"), "doctype_value")}
    return meta


def _check_claims(claims: Sequence[ClaimsQuery], sets: Sequence[Sequence[str]] | None) -> None:
    ids = [each.id for each in claims if each.id is not None]
    if len(set(ids)) != len(ids):
        raise MalformedQuery("two claims have one id")
    if sets is None:
        return
    if not claims:
        raise MalformedQuery("claim_sets without claims")
    if len(ids) != len(claims):
        raise MalformedQuery("with claim_sets every claim has an id")
    if any(id not in ids for each in sets for id in each):
        raise MalformedQuery("claim_sets names a claim that is not asked for")


def _without_duplicates(
    claims: Sequence[ClaimsQuery], sets: Sequence[tuple[str, ...]]
) -> tuple[tuple[ClaimsQuery, ...], tuple[tuple[str, ...], ...]]:
    """Of several queries for one claim, the first; the sets name that one. Spec: section 6.1, `claims`."""
    kept: dict[Path, ClaimsQuery] = {}
    for each in claims:
        kept.setdefault(each.path, each)
    first = {each.id: kept[each.path].id for each in claims}
    named = (dict.fromkeys(first[id] for id in option) for option in sets)
    return tuple(kept.values()), tuple(tuple(id for id in option if id is not None) for option in named)


def _check_elements(claims: Sequence[ClaimsQuery]) -> None:
    """Spec: section 7.2."""
    for each in claims:
        if len(each.path) != 2 or not all(isinstance(part, str) for part in each.path):
            raise MalformedQuery("a path into an mdoc is a namespace and an element")


def _claim(value: Any) -> ClaimsQuery:
    found = _object(value, "claims")
    values = tuple(_value(each) for each in _list(found["values"], "values", _MAX_ITEMS)) if "values" in found else ()
    retain = found.get("intent_to_retain")
    if retain is not None and not isinstance(retain, bool):
        raise MalformedQuery("intent_to_retain is not a boolean")
    return ClaimsQuery(_path(found.get("path")), _id(found["id"]) if "id" in found else None, values, retain)


def _path(value: Any) -> Path:
    return tuple(_part(part) for part in _list(value, "path", _MAX_PATH))


def _part(part: Any) -> str | int | None:
    if part is None or (isinstance(part, str) and len(part) <= _MAX_TEXT):
        return part
    if isinstance(part, int) and not isinstance(part, bool) and part >= 0:
        return part
    raise MalformedQuery("path holds something other than text, null and natural numbers")


def _value(value: Any) -> str | int | bool:
    if isinstance(value, str | int):  # booleans are integers here
        return value
    raise MalformedQuery("values holds something other than text, integers and booleans")


def _authority(value: Any) -> TrustedAuthority:
    found = _object(value, "trusted_authorities")
    values = _list(found.get("values"), "values", _MAX_ITEMS)
    return TrustedAuthority(_text(found.get("type"), "type"), tuple(_text(each, "values") for each in values))


def _credential_set(value: Any) -> CredentialSet:
    found = _object(value, "credential_sets")
    options = tuple(_ids(each) for each in _list(found.get("options"), "options", _MAX_ITEMS))
    return CredentialSet(options, _flag(found, "required", default=True))


def _ids(value: Any) -> tuple[str, ...]:
    return tuple(_id(each) for each in _list(value, "a set", _MAX_ITEMS))


def _each(found: Mapping[str, Any], name: str, read: Callable[[Any], T], most: int) -> tuple[T, ...] | None:
    """What `read` makes of every item of that member; None where there is no such member."""
    return tuple(read(item) for item in _list(found[name], name, most)) if name in found else None


def _list(value: Any, name: str, most: int) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise MalformedQuery(f"{name} is not a non-empty array")
    if len(value) > most:
        raise MalformedQuery(f"{name} has more than {most} items")
    return value


def _object(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise MalformedQuery(f"{name} is not an object")
    return value


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= _MAX_TEXT:
        raise MalformedQuery(f"{name} is not a text")
    return value


def _id(value: Any) -> str:
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise MalformedQuery("an id is not of letters, digits, _ and -")
    return value


def _flag(found: Mapping[str, Any], name: str, *, default: bool) -> bool:
    value = found.get(name, default)
    if not isinstance(value, bool):
        raise MalformedQuery(f"{name} is not a boolean")
    return value


def _credential_to_json(query: CredentialQuery) -> dict[str, Any]:
    made: dict[str, Any] = {"id": query.id, "format": query.format, "meta": _plain(query.meta)}
    if query.multiple:
        made["multiple"] = True
    if query.trusted_authorities:
        made["trusted_authorities"] = [
            {"type": each.type, "values": list(each.values)} for each in query.trusted_authorities
        ]
    if not query.require_holder_binding:
        made["require_cryptographic_holder_binding"] = False
    if query.claims:
        made["claims"] = [_claim_to_json(each) for each in query.claims]
    if query.claim_sets:
        made["claim_sets"] = [list(each) for each in query.claim_sets]
    return made


def _plain(meta: Mapping[str, Any]) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in meta.items()}


def _claim_to_json(claim: ClaimsQuery) -> dict[str, Any]:
    made: dict[str, Any] = {} if claim.id is None else {"id": claim.id}
    made["path"] = list(claim.path)
    if claim.values:
        made["values"] = list(claim.values)
    if claim.intent_to_retain is not None:
        made["intent_to_retain"] = claim.intent_to_retain
    return made
