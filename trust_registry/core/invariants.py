"""What every region list must hold by itself, whoever signed it. References into other lists are not looked up."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import Final, TypeVar

from trust_registry.core.rule_conditions import MOST_RULES, check_conditions
from trust_registry.errors import InvalidIdentifier, InvalidList
from trust_registry.identifiers import check_uscc
from trust_registry.model import (
    AcceptanceRule,
    CertificateType,
    ClaimDefinition,
    EntryReason,
    EntryStatus,
    ForeignListEntry,
    History,
    IssuerEntry,
    KeyEntry,
    KeyUse,
    ListKind,
    RecognitionEntry,
    RegionList,
    RelyingPartyEntry,
    Scenario,
    ScenarioId,
    SealEntry,
    StatusChange,
    TypeGrant,
    TypeId,
    TypeRequirement,
    ValidityKind,
)

T = TypeVar("T")

_CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,31}", re.ASCII)
_SLUG: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}", re.ASCII)
_NUMBER: Final = re.compile(r"[0-9]{14}", re.ASCII)
_CLAIM: Final = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)
# What the envelopes say themselves: a claim of that name could not be sealed. All others of theirs don't fit _CLAIM.
_PROTOCOL: Final = frozenset(
    {"iss", "sub", "aud", "jti", "vct", "iat", "nbf", "exp", "status", "cnf", "certificate_id", "seal_id", "aka_vcts"}
)
_TYPE_CODE: Final = re.compile(r"[0-9A-Z]{18}[0-9]{3}", re.ASCII)
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)
_ENTRY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_HTTPS: Final = re.compile(r"https://[^\s/]+/[^\s]*", re.ASCII)
_URI: Final = re.compile(r"https?://[^\s/]+/(?:[^\s]*/)?", re.ASCII)


def check_list(region_list: RegionList) -> None:
    """Refuse duplicate ids, dangling references, ids outside the list's own name space, histories that don't increase,
    certificates that don't match their thumbprints, recognitions without the notice that the list itself promises.
    Certificates are not opened: see `listed_certificates`.

    Raises: InvalidList naming the field.
    """
    if not _CODE.fullmatch(region_list.code):
        raise InvalidList("code", "1 to 32 letters, digits and hyphens are needed")
    if region_list.version < 1:
        raise InvalidList("version", "versions start at 1")
    if region_list.kind is ListKind.BODY:
        for name in ("attests", "recognises", "scenarios", "relying_parties", "foreign", "rules"):
            if getattr(region_list, name):
                raise InvalidList(name, "a common body defines types and does nothing else")
    _each("defines", region_list.defines, lambda t: t.id, lambda t: _check_type(t, region_list))
    _each("defines", region_list.defines, lambda t: t.code, lambda _: None)
    _each("authorities", region_list.authorities, lambda k: k.thumbprint, _check_authority)
    fine: set[TypeId] = set()
    _each("attests", region_list.attests, lambda i: i.id, lambda i: _check_issuer(i, region_list, fine))
    _unique_seals(region_list.attests)
    _check_scenarios(region_list)
    _each("foreign", region_list.foreign, lambda f: f.code, lambda f: _check_foreign(f, region_list))
    _check_recognitions(region_list)
    _check_relying_parties(region_list)
    _check_rules(region_list)


def _each(place: str, entries: Iterable[T], identify: Callable[[T], str], check: Callable[[T], None]) -> None:
    seen: set[str] = set()
    for index, entry in enumerate(entries):
        name = identify(entry)
        try:
            if name in seen:
                raise InvalidList("", f"{name} is listed twice")
            seen.add(name)
            check(entry)
        except InvalidList as err:
            raise err.within(f"{place}[{index}]") from err


def _check_id(field: str, value: str, prefix: str, form: re.Pattern[str]) -> None:
    if not value.startswith(prefix + "/") or not form.fullmatch(value[len(prefix) + 1 :]):
        raise InvalidList(
            field, f"must be {prefix}/ and {'14 digits' if form is _NUMBER else 'a short lower-case name'}"
        )


def _check_type_id(field: str, type_id: TypeId, region_list: RegionList) -> None:
    """A type of this list is defined in it; those of others are theirs to define."""
    code = _defining_list(type_id)
    if code is None:
        raise InvalidList(field, "a list's code, / and a short lower-case name are needed")
    if code == region_list.code and all(type_id != type_.id for type_ in region_list.defines):
        raise InvalidList(field, f"{type_id} is not defined in this list")


@lru_cache(maxsize=4096)
def _defining_list(type_id: TypeId) -> str | None:
    """The code of the list that defines the type; None for what is no type id. A large list names few types often."""
    code, _, slug = type_id.partition("/")
    return code if _CODE.fullmatch(code) and _SLUG.fullmatch(slug) else None


def _check_history(history: History, *, of_key: bool = False) -> None:
    """`of_key`: of something that holds a key, so that it can have been in other hands."""
    if not history:
        raise InvalidList("history", "at least one status is needed")
    for index, change in enumerate(history):
        if index and change.at <= history[index - 1].at:
            raise InvalidList(f"history[{index}].at", "times must strictly increase")
        if change.invalidity_date is not None:
            _check_invalidity_date(f"history[{index}].invalidity_date", change, of_key=of_key)


def _check_invalidity_date(field: str, change: StatusChange, *, of_key: bool) -> None:
    if not of_key or change.reason is not EntryReason.KEY_COMPROMISE or change.status is EntryStatus.GRANTED:
        raise InvalidList(field, "only where a key is withdrawn or suspended for compromise")
    if change.invalidity_date is not None and change.invalidity_date > change.at:
        raise InvalidList(field, "must not be after the withdrawal")


def _check_key(key: KeyEntry, *uses: KeyUse) -> None:
    if key.use not in uses:
        raise InvalidList("use", f"{' or '.join(use.value for use in uses)} is needed here")
    if hashlib.sha256(key.certificate).hexdigest() != key.thumbprint:
        raise InvalidList("thumbprint", "not the SHA-256 of the certificate")
    _check_history(key.history, of_key=True)


def _check_authority(key: KeyEntry) -> None:
    _check_key(key, KeyUse.CA, KeyUse.TIMESTAMP, KeyUse.LIST)


def _check_type(type_: CertificateType, region_list: RegionList) -> None:
    _check_id("id", type_.id, region_list.code, _SLUG)
    if not _TYPE_CODE.fullmatch(type_.code):
        raise InvalidList("code", "18 characters and 3 digits are needed (GB/T 36904)")
    _each("claims", type_.claims, lambda c: c.name, _check_claim)
    names = {claim.name for claim in type_.claims}
    if type_.validity.kind is ValidityKind.CLAIM and type_.validity.claim not in names:
        raise InvalidList("validity.claim", "no such claim")
    if type_.validity.kind is ValidityKind.FIXED and (type_.validity.days or 0) < 1:
        raise InvalidList("validity.days", "at least one day is needed")


def _check_claim(claim: ClaimDefinition) -> None:
    """Names become members of JSON, columns of bulk files and headings of forms wherever the type is issued."""
    if not _CLAIM.fullmatch(claim.name) or claim.name in _PROTOCOL:
        raise InvalidList("name", "a lower-case name of its own is needed")


def _check_issuer(issuer: IssuerEntry, region_list: RegionList, fine: set[TypeId]) -> None:
    _check_id("id", issuer.id, region_list.code, _SLUG)
    try:
        check_uscc(issuer.uscc)
    except InvalidIdentifier as err:
        raise InvalidList("uscc", err.reason) from err
    if not _URI.fullmatch(issuer.status_list_base):
        raise InvalidList("status_list_base", "an http(s) URI that ends in / is needed")
    _check_history(issuer.history, of_key=True)
    granted = {grant.type_id for grant in issuer.grants}
    _check_grants(issuer.grants, region_list, granted, fine)
    _each("seals", issuer.seals, lambda s: s.id, lambda s: _check_seal(s, issuer, granted))
    _each("status_keys", issuer.status_keys, lambda k: k.thumbprint, lambda k: _check_key(k, KeyUse.STATUS))


def _check_grants(
    grants: Sequence[TypeGrant], region_list: RegionList, granted: set[TypeId], fine: set[TypeId]
) -> None:
    """A nation grants a million times and says few things: what neighbours share, and types in `fine`, count once."""
    if len(granted) < len(grants):
        _each("grants", grants, lambda g: f"{g.type_id} at {g.assurance.value}", lambda _: None)
    checked: History | None = None
    for index, grant in enumerate(grants):
        if grant.history is checked and grant.type_id in fine:
            continue
        try:
            _check_type_id("type_id", grant.type_id, region_list)
            _check_history(grant.history)
        except InvalidList as err:
            raise err.within(f"grants[{index}]") from err
        checked = grant.history
        fine.add(grant.type_id)


def _check_seal(seal: SealEntry, issuer: IssuerEntry, granted: set[TypeId]) -> None:
    _check_id("id", seal.id, issuer.id, _NUMBER)
    _check_digest("image_digest", seal.image_digest)
    if seal.ceremony is not None:
        _check_digest("ceremony.record_digest", seal.ceremony.record_digest)
    if not granted.issuperset(seal.scope):
        index, type_id = next(each for each in enumerate(seal.scope) if each[1] not in granted)
        raise InvalidList(f"scope[{index}]", f"the issuer has no grant for {type_id}")
    if seal.valid_until <= seal.valid_from:
        raise InvalidList("valid_until", "must be after valid_from")
    _check_history(seal.history, of_key=True)
    try:
        _check_key(seal.key, KeyUse.SEAL)
    except InvalidList as err:
        raise err.within("key") from err


def _check_digest(field: str, digest: str) -> None:
    if not _DIGEST.fullmatch(digest):
        raise InvalidList(field, "sha256: and 64 hexadecimal digits are needed")


def _unique_seals(issuers: Sequence[IssuerEntry]) -> None:
    holder: dict[str, str] = {}
    for index, issuer in enumerate(issuers):
        for number, seal in enumerate(issuer.seals):
            other = holder.setdefault(seal.key.thumbprint, seal.id)
            if other != seal.id:
                raise InvalidList(
                    f"attests[{index}].seals[{number}].key", f"the certificate is already that of {other}"
                )


def _check_scenarios(region_list: RegionList) -> None:
    def check(scenario: Scenario) -> None:
        _check_id("id", scenario.id, region_list.code, _SLUG)
        if scenario.retention_days < 0:
            raise InvalidList("retention_days", "0 or more is needed")
        for index, requirement in enumerate(scenario.requires):
            try:
                _check_requirement(requirement, region_list)
            except InvalidList as err:
                raise err.within(f"requires[{index}]") from err

    _each("scenarios", region_list.scenarios, lambda s: s.id, check)


def _check_requirement(requirement: TypeRequirement, region_list: RegionList) -> None:
    if not requirement.any_of:
        raise InvalidList("any_of", "at least one type is needed")
    for index, type_id in enumerate(requirement.any_of):
        _check_type_id(f"any_of[{index}]", type_id, region_list)
    for name in ("claims", "optional_claims"):
        for index, claim in enumerate(getattr(requirement, name)):
            # A claim that is optional may be one of an alternative's only.
            types = [type_id for type_id in requirement.any_of if _lacks(region_list, type_id, claim)]
            if types and (name == "claims" or len(types) == len(requirement.any_of)):
                raise InvalidList(f"{name}[{index}]", f"{types[0]} has no claim {claim}")


def _lacks(region_list: RegionList, type_id: TypeId, claim: str) -> bool:
    """Whether the list itself defines the type, without this claim."""
    defined = next((type_ for type_ in region_list.defines if type_.id == type_id), None)
    return defined is not None and all(known.name != claim for known in defined.claims)


def _check_foreign(entry: ForeignListEntry, region_list: RegionList) -> None:
    if not _CODE.fullmatch(entry.code):
        raise InvalidList("code", "1 to 32 letters, digits and hyphens are needed")
    if entry.code == region_list.code:
        raise InvalidList("code", "a region is not foreign to itself")
    if not _HTTPS.fullmatch(entry.location):
        raise InvalidList("location", "an https URI is needed")
    if not entry.signers or len(set(entry.signers)) < len(entry.signers):
        raise InvalidList("signers", "at least one is needed, and none twice")
    if not entry.equivalences:
        raise InvalidList("equivalences", "at least one is needed: a list that means nothing here is not read")
    seen = set()
    for index, each in enumerate(entry.equivalences):
        what = (each.service_type, frozenset(each.additional), each.type_id)
        if not each.service_type or what in seen:
            raise InvalidList(f"equivalences[{index}].service_type", "a service type, and none twice for a type")
        seen.add(what)
        _check_type_id(f"equivalences[{index}].type_id", each.type_id, region_list)
    _check_history(entry.history)


def _check_recognitions(region_list: RegionList) -> None:
    known = {scenario.id for scenario in region_list.scenarios}
    foreign = {entry.code: {each.type_id for each in entry.equivalences} for entry in region_list.foreign}

    def check(entry: RecognitionEntry) -> None:
        if not _ENTRY.fullmatch(entry.id):
            raise InvalidList("id", "1 to 64 letters, digits, full stops, hyphens and low lines are needed")
        if entry.issuing == region_list.code:
            raise InvalidList("issuing", "a region does not recognise itself")
        _check_type_id("type_id", entry.type_id, region_list)
        if entry.type_id not in foreign.get(entry.issuing, (entry.type_id,)):
            raise InvalidList("type_id", f"{entry.issuing} has no equivalence for it")
        _check_equivalence(entry, region_list)
        _check_dates(entry, region_list)
        _check_known(entry.scenarios, known)
        _check_history(entry.history)

    _each("recognises", region_list.recognises, lambda r: r.id, check)


def _check_equivalence(entry: RecognitionEntry, region_list: RegionList) -> None:
    """Their type as ours or a common one, their claims as ours, each once: whoever reads ours must know what it is."""
    _check_type_id("as_type", entry.as_type, region_list)
    if entry.as_type.startswith(entry.issuing + "/"):
        raise InvalidList("as_type", "a type of this list or of a common body is needed")
    for side, type_id in (("theirs", entry.type_id), ("ours", entry.as_type)):
        names = [getattr(each, side) for each in entry.claims]
        for index, name in enumerate(names):
            field = f"claims[{index}].{side}"
            if not _CLAIM.fullmatch(name) or name in _PROTOCOL or name in names[:index]:
                raise InvalidList(field, "a claim's lower-case name is needed, and none twice")
            if _lacks(region_list, type_id, name):
                raise InvalidList(field, f"{type_id} has no claim {name}")


def _check_dates(entry: RecognitionEntry, region_list: RegionList) -> None:
    _check_order(entry)
    _check_notice(entry, region_list)


def _check_order(entry: RecognitionEntry | AcceptanceRule) -> None:
    if entry.until is not None and entry.until <= entry.since:
        raise InvalidList("until", "must be after since")
    if entry.since < entry.announced_at:
        raise InvalidList("since", "must not be before announced_at")


def _check_notice(entry: RecognitionEntry | AcceptanceRule, region_list: RegionList) -> None:
    since = region_list.notice_since
    under_notice = since is None or entry.announced_at >= since
    if under_notice and entry.since - entry.announced_at < region_list.notice_period:
        raise InvalidList("since", f"{region_list.notice_period.days} days of notice after announced_at are needed")


def _check_relying_parties(region_list: RegionList) -> None:
    known = {scenario.id for scenario in region_list.scenarios}

    def check(party: RelyingPartyEntry) -> None:
        _check_id("id", party.id, region_list.code, _SLUG)
        _check_known(party.scenarios, known)
        _each("keys", party.keys, lambda k: k.thumbprint, lambda k: _check_key(k, KeyUse.RECEIPT, KeyUse.ACCESS))
        _check_history(party.history, of_key=True)

    _each("relying_parties", region_list.relying_parties, lambda p: p.id, check)


def _check_known(scenarios: Sequence[ScenarioId], known: AbstractSet[ScenarioId]) -> None:
    for index, scenario in enumerate(scenarios):
        if scenario not in known:
            raise InvalidList(f"scenarios[{index}]", f"{scenario} is not a scenario of this list")


def _check_rules(region_list: RegionList) -> None:
    """Whoever is refused by a rule must be able to read it: its form is held to, whatever it asks for."""
    known = {scenario.id for scenario in region_list.scenarios}

    def check(rule: AcceptanceRule) -> None:
        if not _ENTRY.fullmatch(rule.id):
            raise InvalidList("id", "1 to 64 letters, digits, full stops, hyphens and low lines are needed")
        try:
            _check_known(rule.applies_to.scenarios, known)
            for index, type_id in enumerate(rule.applies_to.types):
                _check_type_id(f"types[{index}]", type_id, region_list)
        except InvalidList as err:
            raise err.within("applies_to") from err
        check_conditions(rule)
        _check_order(rule)
        if rule.needs_notice:
            _check_notice(rule, region_list)
        _check_history(rule.history)

    if len(region_list.rules) > MOST_RULES:
        raise InvalidList("rules", f"at most {MOST_RULES} are allowed")
    _each("rules", region_list.rules, lambda r: r.id, check)
