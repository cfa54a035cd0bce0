"""The quick reader says what the strict one says, sooner; what it is not sure of it leaves to the strict one."""

from __future__ import annotations

import gc
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trust_registry.network import DAY, DAY_0, common_list, east_list, granted, west_list, withdrawn
from trust_registry import wire
from trust_registry.canonical_lists import (
    group_grants,
    read_canonical,
    ungroup_grants,
    without_cycle_collection,
    write_canonical,
)
from trust_registry.errors import InvalidList
from trust_registry.model import Assurance, RegionList, TypeGrant, TypeId

LISTS = [common_list(), east_list(), west_list()]


def strictly(data: bytes) -> RegionList | str:
    """What the strict reader alone says."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wire, "read_canonical", lambda _: None)
        try:
            return wire.list_from_json(data)
        except InvalidList as err:
            return str(err)


@pytest.mark.parametrize("whole", LISTS, ids=["common", "east", "west"])
def test_a_canonical_list_is_read_at_once_and_equal(whole: RegionList) -> None:
    data = write_canonical(whole)
    assert read_canonical(data) == whole == strictly(data)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"version":1', b'"version":1,"version":1'),  # a duplicate member
        (b'"version":1', b'"version": 1'),
        (b'"version":1', b'"version":1,"zzz":1'),
        (b'"version":1', b'"version":1.0'),
        (b'"2026-01-01T00:00:00Z"', b'"2026-01-01T00:00:00"'),
        (b'"2026-01-01T00:00:00Z"', b'"2026-01-01T08:00:00+08:00"'),
        (b'"2026-01-01T00:00:00Z"', b'"2026-01-01T00:00:00.5"'),
        (b'"2026-01-01T00:00:00Z"', b'"2026-01-01 00:00:00Z"'),
        (b"yinxin-region-list/2", b"yinxin-region-list/1"),
        (b'"history":[{', b'"history":[ {'),
    ],
)
def test_whatever_is_not_canonical_is_left_to_the_strict_reader(old: bytes, new: bytes) -> None:
    data = write_canonical(east_list())
    assert old in data
    for altered in (data.replace(old, new), data.replace(old, new, 1)):
        assert read_canonical(altered) is None


def test_an_issuers_grants_are_held_to_the_same_form() -> None:
    data = write_canonical(east_list())
    assert read_canonical(data.replace(b'"type_ids":[', b'"type_ids":[ ')) is None
    assert read_canonical(data.replace(b'"assurance":"substantial"', b'"assurance":"vast"')) is None
    group = b'"grants":[{"assurance":"substantial","history":%b,"type_ids":%b},'
    for history, ids in (
        (b"[]", b"[]"),
        (b"7", b"[]"),
        (b"[ ]", b'["common/x"]'),
        (b'[{"at":"never"}]', b'["common/x"]'),
    ):
        assert read_canonical(data.replace(b'"grants":[', group % (history, ids))) is None, (history, ids)


def test_a_schema_keeps_the_bounds_of_json_from_strangers() -> None:
    deep: Any = {}
    for _ in range(40):
        deep = {"not": deep}
    (first, *_) = common_list().defines
    data = write_canonical(replace(common_list(), defines=(replace(first, schema=deep),)))
    assert read_canonical(data) is None
    assert isinstance(strictly(data), str)


@settings(deadline=None)
@given(data=st.data())
def test_the_quick_reader_never_accepts_what_the_strict_one_refuses(data: st.DataObject) -> None:
    raw = bytearray(write_canonical(data.draw(st.sampled_from(LISTS))))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at : at + data.draw(st.integers(0, 2))] = data.draw(
            st.sampled_from([b"", b"0", b"9", b'"', b"Z", b"+", b"]"])
        )
    found = read_canonical(bytes(raw))
    assert found is None or found == strictly(bytes(raw))


def test_grants_keep_their_order_and_share_what_they_share() -> None:
    a, b, c = (TypeId(f"common/{name}") for name in "abc")
    later = withdrawn(granted(), DAY_0 + DAY)
    grants = (
        TypeGrant(a, granted()),
        TypeGrant(b, granted()),
        TypeGrant(c, later),
        TypeGrant(b, granted(), Assurance.HIGH),
        TypeGrant(c, granted()),
    )
    groups = group_grants(grants)
    assert [len(group.type_ids) for group in groups] == [2, 1, 1, 1]
    assert ungroup_grants(groups) == grants
    (issuer,) = east_list().attests
    whole = replace(east_list(), attests=(replace(issuer, grants=grants, seals=()),))
    assert wire.list_from_json(write_canonical(whole)) == whole == strictly(write_canonical(whole))
    assert json.loads(write_canonical(whole))["attests"][0]["grants"][0]["type_ids"] == [a, b]


def test_the_cycle_collector_is_left_as_it_was() -> None:
    with without_cycle_collection(), without_cycle_collection():
        assert not gc.isenabled()
    assert gc.isenabled()
    gc.disable()
    try:
        with without_cycle_collection():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
