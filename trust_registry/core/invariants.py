"""What every region list must hold by itself, whoever signed it. References into other lists are not looked up."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import Final, TypeVar

from trust_registry.errors import InvalidIdentifier, InvalidList
from trust_registry.identifiers import check_uscc
from trust_registry.model import (
    CertificateType,
    ClaimDefinition,
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
    TypeGrant,
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
_URI: Final = re.compile(r"https?://[^\s/]+/(?:[^\s]*/)?", re.ASCII)


def check_list(region_list: RegionList) -> None:
    """Refuse duplicate ids, dangling references, ids outside the list's own name space, histories that don't increase,
    certificates that don't match their thumbprints. Certificates are not opened: see `listed_certificates`.

    Raises: InvalidList naming the field.
    """
    if not _CODE.fullmatch(region_list.code):
        raise InvalidList("code", "1 to 32 letters, digits and hyphens are needed")
    if region_list.version < 1:
        raise InvalidList("version", "versions start at 1")
    if region_list.kind is ListKind.BODY:
        for name in ("attests", "recognises", "scenarios", "relying_parties"):
            if getattr(region_list, name):
                raise InvalidList(name, "a common body defines types and does nothing else")
    _each("defines", region_list.defines, lambda t: t.id, lambda t: _check_type(t, region_list))
    _each("authorities", region_list.authorities, lambda k: k.thumbprint, _check_authority)
    _each("attests", region_list.attests, lambda i: i.id, lambda i: _check_issuer(i, region_list))
    _unique_seals(region_list.attests)
    _check_scenarios(region_list)
    _check_recognitions(region_list)
    _check_relying_parties(region_list)


def _each(place: str, entries: Iterable[T], identify: Callable[[T], str], check: Callable[[T], None]) -> None:
    seen: set[str] = set()
    for index, entry in enumerate(entries):
        try:
            if identify(entry) in seen:
                raise InvalidList("", f"{identify(entry)} is listed twice")
            seen.add(identify(entry))
            check(entry)
        except InvalidList as err:
            raise err.within(f"{place}[{index}]") from err


def _check_id(field: str, value: str, prefix: str, form: re.Pattern[str]) -> None:
    if not value.startswith(prefix + "/") or not form.fullmatch(value[len(prefix) + 1 :]):
        raise InvalidList(
            field, f"must be {prefix}/ and {'14 digits' if form is _NUMBER else 'a short lower-case name'}"
        )


def _check_history(history: History, field: str = "history") -> None:
    if not history:
        raise InvalidList(field, "at least one status is needed")
    for index in range(1, len(history)):
        if history[index].at <= history[index - 1].at:
            raise InvalidList(f"{field}[{index}].at", "times must strictly increase")


def _check_key(key: KeyEntry, *uses: KeyUse) -> None:
    if key.use not in uses:
        raise InvalidList("use", f"{' or '.join(use.value for use in uses)} is needed here")
    if hashlib.sha256(key.certificate).hexdigest() != key.thumbprint:
        raise InvalidList("thumbprint", "not the SHA-256 of the certificate")
    _check_history(key.history)


def _check_authority(key: KeyEntry) -> None:
    _check_key(key, KeyUse.CA, KeyUse.TIMESTAMP)


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


def _check_issuer(issuer: IssuerEntry, region_list: RegionList) -> None:
    _check_id("id", issuer.id, region_list.code, _SLUG)
    try:
        check_uscc(issuer.uscc)
    except InvalidIdentifier as err:
        raise InvalidList("uscc", err.reason) from err
    if not _URI.fullmatch(issuer.status_list_base):
        raise InvalidList("status_list_base", "an http(s) URI that ends in / is needed")
    _check_history(issuer.history)
    own = {type_.id for type_ in region_list.defines}

    def check_grant(grant: TypeGrant) -> None:
        if grant.type_id.startswith(region_list.code + "/") and grant.type_id not in own:
            raise InvalidList("type_id", f"{grant.type_id} is not defined in this list")
        _check_history(grant.history)

    _each("grants", issuer.grants, lambda g: g.type_id, check_grant)
    _each("seals", issuer.seals, lambda s: s.id, lambda s: _check_seal(s, issuer))
    _each("status_keys", issuer.status_keys, lambda k: k.thumbprint, lambda k: _check_key(k, KeyUse.STATUS))


def _check_seal(seal: SealEntry, issuer: IssuerEntry) -> None:
    _check_id("id", seal.id, issuer.id, _NUMBER)
    if not _DIGEST.fullmatch(seal.image_digest):
        raise InvalidList("image_digest", "sha256: and 64 hexadecimal digits are needed")
    granted = {grant.type_id for grant in issuer.grants}
    for index, type_id in enumerate(seal.scope):
        if type_id not in granted:
            raise InvalidList(f"scope[{index}]", f"the issuer has no grant for {type_id}")
    if seal.valid_until <= seal.valid_from:
        raise InvalidList("valid_until", "must be after valid_from")
    _check_history(seal.history)
    try:
        _check_key(seal.key, KeyUse.SEAL)
    except InvalidList as err:
        raise err.within("key") from err


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
        for index, requirement in enumerate(scenario.requires):
            if not requirement.any_of:
                raise InvalidList(f"requires[{index}].any_of", "at least one type is needed")

    _each("scenarios", region_list.scenarios, lambda s: s.id, check)


def _check_recognitions(region_list: RegionList) -> None:
    known = {scenario.id for scenario in region_list.scenarios}

    def check(entry: RecognitionEntry) -> None:
        if entry.issuing == region_list.code:
            raise InvalidList("issuing", "a region does not recognise itself")
        if entry.until is not None and entry.until <= entry.since:
            raise InvalidList("until", "must be after since")
        if entry.since < entry.announced_at:
            raise InvalidList("since", "must not be before announced_at")
        _check_known(entry.scenarios, known)
        _check_history(entry.history)

    _each("recognises", region_list.recognises, lambda r: r.id, check)


def _check_relying_parties(region_list: RegionList) -> None:
    known = {scenario.id for scenario in region_list.scenarios}

    def check(party: RelyingPartyEntry) -> None:
        _check_id("id", party.id, region_list.code, _SLUG)
        _check_known(party.scenarios, known)
        _each("keys", party.keys, lambda k: k.thumbprint, lambda k: _check_key(k, KeyUse.RECEIPT))
        _check_history(party.history)

    _each("relying_parties", region_list.relying_parties, lambda p: p.id, check)


def _check_known(scenarios: Sequence[ScenarioId], known: AbstractSet[ScenarioId]) -> None:
    for index, scenario in enumerate(scenarios):
        if scenario not in known:
            raise InvalidList(f"scenarios[{index}]", f"{scenario} is not a scenario of this list")
