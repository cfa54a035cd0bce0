"""Region lists that are exactly in canonical form, read and written at the speed of C. Refuses nothing.

Whatever is not canonical to the byte (a duplicate or unknown member, another order, spaces, a time that is not in UTC)
is left to the strict reader in `wire`, which accepts it or names the culprit. So this reader can never accept what that
one would refuse: it only says the same thing sooner. What repeats within a list (grants, type ids) is held once.
"""

from __future__ import annotations

import dataclasses
import gc
import re
import typing
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from operator import attrgetter
from typing import Any, Final, NamedTuple

import msgspec

from keys.envelopes.strict_json import load_json
from keys.errors import MalformedEnvelope
from trust_registry.model import Assurance, History, IssuerEntry, RegionList, SealEntry, TypeGrant, TypeId

FORMAT: Final = "yinxin-region-list/2"

# Times that say no Z; what else looks so is looked at by the strict reader too.
_ELSEWHERE: Final = re.compile(rb'T[0-9]{2}:[0-9:.]{5,13}(?:[+-][0-9:]+)?"')


@dataclasses.dataclass(frozen=True, slots=True)
class GrantGroup:
    """Neighbouring grants of one issuer that share their history: lists say it once."""

    type_ids: tuple[TypeId, ...]
    history: History
    assurance: Assurance = Assurance.SUBSTANTIAL


class _Shared(NamedTuple):
    """What one list has said already; an issuer's grants by their JSON, single ones by that of their history."""

    ids: dict[TypeId, TypeId]
    scopes: dict[tuple[TypeId, ...], tuple[TypeId, ...]]
    grants: dict[bytes, tuple[TypeGrant, ...]]
    single: dict[tuple[bytes, str], dict[TypeId, TypeGrant]]


class _NotCanonical(Exception):
    """A part that is not what would be written of it."""


def group_grants(grants: tuple[TypeGrant, ...]) -> tuple[GrantGroup, ...]:
    """Neighbours with the same history and assurance together; nothing changes its place."""
    runs = groupby(grants, lambda grant: (grant.history, grant.assurance))
    return tuple(GrantGroup(tuple(g.type_id for g in run), history, assurance) for (history, assurance), run in runs)


def ungroup_grants(groups: tuple[GrantGroup, ...]) -> tuple[TypeGrant, ...]:
    """The grants that the groups stand for, in their order."""
    return tuple(TypeGrant(type_id, g.history, g.assurance) for g in groups for type_id in g.type_ids)


def write_canonical(region_list: RegionList) -> bytes:
    """The canonical JSON of a list: UTF-8, sorted members, no spaces, every field written but an empty `rules`."""
    return _encode(_on_wire(region_list))


@contextmanager
def without_cycle_collection() -> Iterator[None]:
    """Read much without the cycle collector going through all of it again and again: nothing in a list is a cycle."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def read_canonical(data: bytes) -> RegionList | None:
    """The list, or None when `data` is not to the byte what `write_canonical` would write of it."""
    with without_cycle_collection():
        return _read(data)


def _read(data: bytes) -> RegionList | None:
    try:
        found = _DECODER.decode(data)
        if found.format != FORMAT or _ELSEWHERE.search(data) or _encode(_without_empty(found)) != data:
            return None
        for type_ in found.defines:  # the only free-form part: held to the bounds of all JSON from strangers
            load_json(_encode(type_.schema), max_size=len(data))
        shared = _Shared({}, {}, {}, {})
        attests = tuple([_issuer(each, shared) for each in found.attests])
    except (msgspec.MsgspecError, MalformedEnvelope, _NotCanonical, ValueError, RecursionError, OverflowError):
        return None
    return RegionList(**{**{name: getattr(found, name) for name in _LIST_FIELDS}, "attests": attests})


def _issuer(found: Any, shared: _Shared) -> IssuerEntry:
    raw = bytes(found.grants)
    grants = shared.grants.get(raw)
    if grants is None:
        grants = shared.grants[raw] = _grants(raw, shared)
    values = list(_issuer_values(found))
    values[_GRANTS_AT] = grants
    values[_SEALS_AT] = tuple([_seal(seal, shared) for seal in found.seals])
    return IssuerEntry(*values)


def _grants(raw: bytes, shared: _Shared) -> tuple[TypeGrant, ...]:
    groups = _GRANTS.decode(raw)
    if _encode(groups) != raw:
        raise _NotCanonical
    grants: list[TypeGrant] = []
    for group in groups:
        if not group.type_ids:  # nobody writes it, and nothing would read its history
            raise _NotCanonical
        grants += _group(group, shared)
    return tuple(grants)


def _group(group: Any, shared: _Shared) -> list[TypeGrant]:
    key = (bytes(group.history), group.assurance)
    known = shared.single.get(key)
    if known is None:
        known = shared.single[key] = {}
    try:
        return list(map(known.__getitem__, group.type_ids))
    except KeyError:
        history = next(iter(known.values())).history if known else _history(key[0])
        for type_id in group.type_ids:
            own = shared.ids.setdefault(type_id, type_id)
            known.setdefault(own, TypeGrant(own, history, Assurance(group.assurance)))
        return [known[type_id] for type_id in group.type_ids]


def _history(raw: bytes) -> History:
    history: History = _HISTORY.decode(raw)
    if _encode(history) != raw:
        raise _NotCanonical
    return history


def _seal(found: SealEntry, shared: _Shared) -> SealEntry:
    values = list(_seal_values(found))
    values[_SCOPE_AT] = _shared_ids(found.scope, shared)
    return SealEntry(*values)


def _shared_ids(ids: tuple[TypeId, ...], shared: _Shared) -> tuple[TypeId, ...]:
    known = shared.scopes.get(ids)
    if known is None:
        known = tuple([shared.ids.setdefault(each, each) for each in ids])
        shared.scopes[known] = known
    return known


def _fields(kind: type[Any]) -> list[str]:
    return [field.name for field in dataclasses.fields(kind)]


def _like(kind: type[Any], without: tuple[str, ...] = (), **others: Any) -> Any:
    """A record with the fields of `kind`, some of another type, some left out, some more."""
    hints = {name: hint for name, hint in {**typing.get_type_hints(kind), **others}.items() if name not in without}
    defaults = {f.name: f.default for f in dataclasses.fields(kind) if f.default is not dataclasses.MISSING}
    described = [
        (name, hint, dataclasses.field(default=defaults[name])) if name in defaults else (name, hint)
        for name, hint in sorted(hints.items(), key=lambda item: item[0] in defaults)
    ]
    return dataclasses.make_dataclass(f"{kind.__name__}OnWire", described, frozen=True, slots=True)


_SEAL_FIELDS: Final = _fields(SealEntry)
_SCOPE_AT: Final = _SEAL_FIELDS.index("scope")
_seal_values: Final = attrgetter(*_SEAL_FIELDS)
_ISSUER_FIELDS: Final = _fields(IssuerEntry)
_GRANTS_AT, _SEALS_AT = _ISSUER_FIELDS.index("grants"), _ISSUER_FIELDS.index("seals")
_issuer_values: Final = attrgetter(*_ISSUER_FIELDS)
_LIST_FIELDS: Final = _fields(RegionList)
_IssuerOnWire: Any = _like(IssuerEntry, grants=msgspec.Raw)
_ListOnWire: Final = _like(RegionList, attests=tuple[_IssuerOnWire, ...], format=str)
_ListWithoutRules: Final = _like(RegionList, without=("rules",), attests=tuple[_IssuerOnWire, ...], format=str)
_without_rules: Final = attrgetter(*_fields(_ListWithoutRules))
_DECODER: Final[msgspec.json.Decoder[Any]] = msgspec.json.Decoder(_ListOnWire)
_GroupOnWire: Any = _like(GrantGroup, history=msgspec.Raw, assurance=str)
_GRANTS: Final[msgspec.json.Decoder[Any]] = msgspec.json.Decoder(tuple[_GroupOnWire, ...])
_HISTORY: Final = msgspec.json.Decoder(History)
_encode: Final = msgspec.json.Encoder(order="sorted").encode


def _on_wire(region_list: RegionList) -> Any:
    values = {name: getattr(region_list, name) for name in _LIST_FIELDS}
    values["attests"] = tuple([_issuer_on_wire(issuer) for issuer in region_list.attests])
    return _without_empty(_ListOnWire(**values, format=FORMAT))


def _without_empty(found: Any) -> Any:
    """Rules came later than the format: a list that has none says nothing of them, and keeps its bytes."""
    return found if found.rules else _ListWithoutRules(*_without_rules(found))


def _issuer_on_wire(issuer: IssuerEntry) -> Any:
    values = {name: getattr(issuer, name) for name in _ISSUER_FIELDS}
    return _IssuerOnWire(**{**values, "grants": msgspec.Raw(_encode(group_grants(issuer.grants)))})
