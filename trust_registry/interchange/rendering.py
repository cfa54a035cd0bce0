"""What a list says in ETSI's terms, before it is JSON (TS 119 602) or XML (TS 119 612): one content, two forms.

It says what is so when it is issued. What is announced for later is not told as a status; the next update is due when
the first of it takes effect, so that nobody goes on believing what has changed meanwhile.
The TUF list stays authoritative: what ETSI has no field for (scenarios, claim equivalences, relying parties, sharing,
custodians and ceremonies of seals) is not here. Pure; writes nothing and reads no clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from trust_registry.attestations import ISSUER_URN, TYPE_URN
from trust_registry.core import in_force, status_at
from trust_registry.interchange import uris
from trust_registry.interchange.mra import ASSURANCE_URN, GRANTED, WITHDRAWN, agreement_of
from trust_registry.model import (
    AcceptanceRule,
    Assurance,
    CertificateType,
    EntryStatus,
    History,
    IssuerEntry,
    KeyEntry,
    KeyUse,
    ListKind,
    MutualRecognition,
    Names,
    RecognitionEntry,
    RegionCode,
    RegionList,
    SealEntry,
    ServiceForm,
    StatusChange,
    TypeId,
)

_WORST_FIRST: Final = {EntryStatus.WITHDRAWN: 2, EntryStatus.SUSPENDED: 1, EntryStatus.GRANTED: 0}
_KEY_NAMES: Final = {
    KeyUse.STATUS: Names("证照状态清单签名", "Signing of status lists"),
    KeyUse.TIMESTAMP: Names("可信时间戳", "Time-stamps"),
    KeyUse.CA: Names("印章与签名证书签发", "Certification of seal and signer keys"),
    KeyUse.LIST: Names("可信清单签名", "Signing of trusted lists"),
    KeyUse.SEAL: Names("电子印章", "Electronic seal"),
    KeyUse.RECEIPT: Names("用证回执签名", "Signing of receipts"),
    KeyUse.ACCESS: Names("用证请求签名", "Signing of requests to wallets"),
}
_ASSURANCE_NAMES: Final = {
    Assurance.LOW: Names("低保证级别", "low assurance"),
    Assurance.SUBSTANTIAL: Names("较高保证级别", "substantial assurance"),
    Assurance.HIGH: Names("高保证级别", "high assurance"),
}


@dataclass(frozen=True, slots=True)
class Service:
    """One service of a trusted entity. `supply_points` and `additional` are URIs, `other_ids` URNs."""

    type_uri: str
    names: Names
    certificates: tuple[bytes, ...]
    other_ids: tuple[str, ...]
    history: History  # oldest first; the last line is current
    additional: tuple[str, ...] = ()
    supply_points: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entity:
    """A trusted entity (TS 119 602) or trust service provider (TS 119 612); `identifiers` are its trade names: USCC."""

    names: Names
    identifiers: tuple[str, ...]
    address: Names
    information_uri: str
    services: tuple[Service, ...]


@dataclass(frozen=True, slots=True)
class Pointer:
    """Another list: `slug` of our own (`<slug>.json`, `<slug>.xml`), or the full `location` of a foreign one."""

    operator: Names
    territory: str | None
    list_type: str
    signers: tuple[bytes, ...]
    slug: str | None = None
    location: str | None = None
    rules: str | None = None
    agreement: tuple[MutualRecognition, ...] = ()


@dataclass(frozen=True, slots=True)
class Content:
    """Everything that a rendering says. `base` is the URL of the public files' folder, ending in a slash."""

    slug: str
    list_type: str
    sequence_number: int
    operator: Names
    scheme: Names
    territory: str | None
    community: str
    base: str
    issued_at: datetime
    next_update: datetime
    entities: tuple[Entity, ...]
    pointers: tuple[Pointer, ...]
    recognitions: tuple[RecognitionEntry, ...] = ()
    rules: tuple[AcceptanceRule, ...] = ()

    def url(self, slug: str, suffix: str) -> str:
        return f"{self.base}interchange/{slug}.{suffix}"


def territory_of(code: RegionCode) -> str | None:
    """ISO 3166-1 alpha-2: of ISO 3166-2 codes their first part, CN for GB/T 2260, ZZ (user-assigned) for codes of
    demonstrations; None for common bodies."""
    if code.isdecimal() and len(code) == 6:
        return "ZZ" if code.startswith("99") else "CN"
    first, dash, _ = code.partition("-")
    return first.upper() if len(first) == 2 and first.isalpha() and (dash or code.isupper()) else None


def combined(histories: Sequence[History]) -> History:
    """The history of what stands only while all of these stand: at each moment the worst of their statuses.

    It begins when the last of them does. The reason is that of the change which made it so.
    """
    begin = max(history[0].at for history in histories)
    moments = sorted({begin} | {change.at for history in histories for change in history if change.at > begin})
    lines: list[StatusChange] = []
    for moment in moments:
        current = [next(c for c in reversed(history) if c.at <= moment) for history in histories]
        worst = max(current, key=lambda change: (_WORST_FIRST[change.status], change.at))
        line = StatusChange(worst.status, moment, worst.reason, worst.invalidity_date)
        if not lines or (lines[-1].status, lines[-1].reason) != (line.status, line.reason):
            lines.append(line)
    return tuple(lines)


def content_of_list(
    found: RegionList,
    lists: Mapping[RegionCode, RegionList],
    *,
    base: str,
    next_update: datetime,
    at: datetime | None = None,
) -> Content:
    """What an authority's list says `at` (default, and at the earliest: when it was issued). `lists` are all published
    ones: types and neighbours are looked up there. Spec: TS 119 612 clauses 5.3.14, 5.3.15, 5.5.5."""
    at = found.issued_at if at is None else max(at, found.issued_at)
    types = {type_.id: type_ for each in lists.values() for type_ in each.defines}
    issuers = (_issuer(issuer, found, types, base) for issuer in found.attests)
    entities = (_authority(found, base), *issuers)
    changes = _changes(found, entities)
    return Content(
        slug=found.code,
        list_type=uris.LIST_OF_REGION,
        sequence_number=found.version,
        operator=found.authority,
        scheme=Names(f"{found.names.zh}可信清单（{found.code}）", f"Trusted list of {found.names.en} ({found.code})"),
        territory=territory_of(found.code),
        community=uris.REGION_URN + found.code,
        base=base,
        issued_at=max((found.issued_at, *(change for change in changes if change <= at))),
        next_update=min((next_update, *(change for change in changes if change > at))),
        entities=tuple(told for told in (_as_of(entity, at) for entity in entities) if told.services),
        pointers=(*_recognised(found, lists, at), *_foreign(found, at)),
        recognitions=found.recognises,
        rules=found.rules,
    )


def _changes(found: RegionList, entities: Iterable[Entity]) -> set[datetime]:
    """When what this list says changes by itself: the beginnings of all lines, past and announced."""
    services = {line.at for entity in entities for service in entity.services for line in service.history}
    agreed = {moment for entry in found.recognises for moment, _ in _states(entry)}
    return services | agreed | {line.at for entry in found.foreign for line in entry.history}


def _as_of(entity: Entity, at: datetime) -> Entity:
    """The entity without what begins later: TS 119 612 clause 5.5.5 is the start of the *current* status."""
    told = ((service, tuple(line for line in service.history if line.at <= at)) for service in entity.services)
    return replace(entity, services=tuple(replace(service, history=history) for service, history in told if history))


def content_of_network(  # noqa: PLR0917
    lists: Mapping[RegionCode, RegionList],
    operator: RegionList,
    sequence_number: int,
    base: str,
    issued_at: datetime,
    next_update: datetime,
    *,
    at: datetime | None = None,
) -> Content:
    """The list of lists: a pointer to each list that has a signer of renderings `at` (default: at `issued_at`)."""
    at = issued_at if at is None else at
    keys = (key for each in lists.values() for key in each.authorities if key.use is KeyUse.LIST)
    changes = {line.at for key in keys for line in key.history}
    return Content(
        slug="lotl",
        list_type=uris.LIST_OF_LISTS,
        sequence_number=sequence_number,
        operator=operator.authority,
        scheme=Names("互认网络可信清单之清单", "List of the trusted lists of the recognition network"),
        territory=territory_of(operator.code),
        community=uris.SCHEME_RULES,
        base=base,
        issued_at=max((issued_at, *(change for change in changes if change <= at))),
        next_update=min((next_update, *(change for change in changes if change > at))),
        entities=(),
        pointers=tuple(_pointer(each, at) for each in lists.values() if list_signers(each, at)),
    )


def list_signers(found: RegionList, at: datetime) -> tuple[bytes, ...]:
    """The certificates (DER) that may sign renderings of this list at `at` (UTC)."""
    return tuple(
        key.certificate
        for key in found.authorities
        if key.use is KeyUse.LIST and status_at(key.history, at) is EntryStatus.GRANTED
    )


def _pointer(found: RegionList, at: datetime, agreement: tuple[MutualRecognition, ...] = ()) -> Pointer:
    return Pointer(
        operator=found.authority,
        territory=territory_of(found.code),
        list_type=uris.LIST_OF_REGION,
        signers=list_signers(found, at),
        slug=found.code,
        rules=uris.REGION_URN + found.code,
        agreement=agreement,
    )


def _authority(found: RegionList, base: str) -> Entity:
    services = tuple(_key(key, ()) for key in found.authorities)
    return Entity(found.authority, (), found.authority, f"{base}interchange/{found.code}.xml", services)


def _issuer(issuer: IssuerEntry, found: RegionList, types: Mapping[TypeId, CertificateType], base: str) -> Entity:
    services = (
        *_attestations(issuer, types),
        *(_seal(seal, issuer) for seal in issuer.seals),
        *(_key(key, (issuer.history,), issuer.status_list_base) for key in issuer.status_keys),
    )
    return Entity(
        issuer.names, (issuer.uscc,), issuer.contact, f"{base}interchange/{found.code}.xml#{issuer.id}", services
    )


def _attestations(issuer: IssuerEntry, types: Mapping[TypeId, CertificateType]) -> Iterator[Service]:
    """A service for the grants that share history, assurance and seals: one for each would repeat the seals'
    certificates for every type, to a hundred megabytes where two thousand issuers have twenty types."""
    groups: dict[tuple[History, Assurance, tuple[bytes, ...]], list[TypeId]] = {}
    for grant in issuer.grants:
        certificates = tuple(seal.key.certificate for seal in issuer.seals if grant.type_id in seal.scope)
        groups.setdefault((grant.history, grant.assurance, certificates), []).append(grant.type_id)
    for (history, assurance, certificates), type_ids in groups.items():
        called = [types[each].names if each in types else Names(each, each) for each in type_ids]
        level = _ASSURANCE_NAMES[assurance]
        yield Service(
            type_uri=uris.ATTESTATION,
            names=Names(
                f"颁发{'、'.join(each.zh for each in called)}（{level.zh}）",
                f"Issuing of: {', '.join(each.en for each in called)} ({level.en})",
            ),
            certificates=certificates,
            other_ids=(ISSUER_URN + issuer.id,),
            history=combined((issuer.history, history)),
            additional=(*(TYPE_URN + each for each in type_ids), ASSURANCE_URN + assurance.value),
        )


def _seal(seal: SealEntry, issuer: IssuerEntry) -> Service:
    # Its scope is told where its certificate stands among those of an attestation service.
    return Service(
        type_uri=uris.SEALING,
        names=seal.names,
        certificates=(seal.key.certificate,),
        other_ids=(uris.SEAL_URN + seal.id,),
        history=combined((issuer.history, seal.history, seal.key.history)),
    )


def _key(key: KeyEntry, above: tuple[History, ...], supply_point: str | None = None) -> Service:
    return Service(
        type_uri=uris.SERVICE_OF_USE[key.use],
        names=_KEY_NAMES[key.use],
        certificates=(key.certificate,),
        other_ids=(),
        history=combined((*above, key.history)),
        supply_points=() if supply_point is None else (supply_point,),
    )


def _recognised(found: RegionList, lists: Mapping[RegionCode, RegionList], at: datetime) -> Iterable[Pointer]:
    """A pointer to each region whose types are recognised, with the recognitions as lines of an agreement."""
    for code in dict.fromkeys(entry.issuing for entry in found.recognises):
        theirs = lists.get(code)
        agreed = [_agreed(entry, at) for entry in found.recognises if entry.issuing == code]
        lines = tuple(line for line in agreed if line is not None)
        if theirs is not None and theirs.kind is ListKind.REGION and lines and list_signers(theirs, at):
            yield _pointer(theirs, at, lines)


def _states(entry: RecognitionEntry) -> list[tuple[datetime, bool]]:
    """From when on the recognition holds, or holds no more: past and announced, from its first coming into force."""
    moments = {entry.since, *(change.at for change in entry.history if change.at > entry.since)}
    if entry.until is not None:
        moments.add(entry.until)
    states: list[tuple[datetime, bool]] = []
    for moment in sorted(moments):
        holds = in_force(entry, moment)
        if (not states and holds) or (states and states[-1][1] != holds):
            states.append((moment, holds))
    return states


def _agreed(entry: RecognitionEntry, at: datetime) -> MutualRecognition | None:
    """The recognition as a line of an agreement, or None when it has not come into force by `at`."""
    states = [state for state in _states(entry) if state[0] <= at]
    if not states:
        return None
    return MutualRecognition(
        legal_identifier=entry.id,
        pointing=(ServiceForm(uris.ATTESTATION, (TYPE_URN + entry.as_type,)),),
        pointed=(ServiceForm(uris.ATTESTATION, (TYPE_URN + entry.type_id,)),),
        in_force=states[-1][1],
        since=states[-1][0],
        valid_pointing=(GRANTED,),
        valid_pointed=(GRANTED,),
        invalid_pointing=(WITHDRAWN, uris.STATUS_URIS[EntryStatus.SUSPENDED]),
        invalid_pointed=(WITHDRAWN, uris.STATUS_URIS[EntryStatus.SUSPENDED]),
        history=tuple(states[:-1]),
    )


def _foreign(found: RegionList, at: datetime) -> Iterable[Pointer]:
    for each in found.foreign:
        entry = replace(each, history=tuple(line for line in each.history if line.at <= at))
        if not entry.history:
            continue
        simple = all(len(equivalence.additional) <= 1 for equivalence in entry.equivalences)
        yield Pointer(
            operator=entry.names,
            territory=territory_of(entry.code),
            list_type=f"urn:yinxin:foreign-list:{entry.format.value}",
            signers=entry.signers,
            location=entry.location,
            agreement=agreement_of(entry) if simple else (),
        )
