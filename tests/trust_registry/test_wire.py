"""Lists as JSON: what is written is read back; what is not a list is refused naming the field."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trust_registry.network import common_list, east_list, west_list
from trust_registry import wire
from trust_registry.errors import InvalidList
from trust_registry.model import RegionList
from trust_registry.wire import list_from_json, list_to_json, to_wire

LISTS = [common_list(), east_list(), west_list()]


@pytest.mark.parametrize("whole", LISTS, ids=["common", "east", "west"])
def test_what_is_written_is_read_back(whole: RegionList) -> None:
    data = list_to_json(whole)
    assert list_from_json(data) == whole
    assert list_to_json(list_from_json(data)) == data
    assert b", " not in data.replace("、".encode(), b"")[:200]


def test_times_and_durations_are_readable() -> None:
    document = json.loads(list_to_json(west_list()))
    assert document["issued_at"] == "2026-01-01T00:00:00Z"
    assert document["notice_period"] == "P30D"
    assert document["scenarios"][0]["status_staleness"] == "P1D"
    assert to_wire(west_list().scenarios[0])["id"] == "990200/household-transfer"


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("P7D", timedelta(days=7)),
        ("PT24H", timedelta(hours=24)),
        ("P1DT2H3M4S", timedelta(1, 7384)),
        ("PT90S", timedelta(0, 90)),
    ],
)
def test_durations_of_hand_written_lists(text: str, duration: timedelta) -> None:
    assert list_from_json(_altered(west_list(), ["notice_period"], text)).notice_period == duration


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        (["surprise"], 1, "surprise"),
        (["format"], "yinxin-region-list/1", "format"),
        (["version"], "1", "version"),
        (["version"], True, "version"),
        (["version"], 1.0, "version"),
        (["kind"], "planet", "kind"),
        (["kind"], 1, "kind"),
        (["names"], "东岭", "names"),
        (["names", "zh"], 1, "names.zh"),
        (["names", "fr"], "Est", "names.fr"),
        (["issued_at"], "2026-01-01", "issued_at"),
        (["issued_at"], "2026-01-01T00:00:00+08:00", "issued_at"),
        (["issued_at"], "2026-13-01T00:00:00Z", "issued_at"),
        (["notice_period"], "30 days", "notice_period"),
        (["notice_period"], "P", "notice_period"),
        (["notice_period"], "P1DT", "notice_period"),
        (["attests"], {}, "attests"),
        (["attests", 0], None, "attests[0]"),
        (["attests", 0, "seals", 0, "key", "certificate"], "!", "attests[0].seals[0].key.certificate"),
        (["attests", 0, "seals", 0, "key", "history", 0, "at"], 0, "attests[0].seals[0].key.history[0].at"),
        (["attests", 0, "grants", 0, "history", 0, "reason"], "bored", "attests[0].grants[0].history[0].reason"),
    ],
)
def test_a_wrong_value_is_refused_naming_the_field(path: list[Any], value: object, field: str) -> None:
    with pytest.raises(InvalidList) as refusal:
        list_from_json(_altered(east_list(), path, value))
    assert refusal.value.field == field


@pytest.mark.parametrize(
    ("path", "field"),
    [(["code"], "code"), (["attests", 0, "uscc"], "attests[0].uscc"), (["names", "en"], "names.en")],
)
def test_a_missing_field_is_named(path: list[Any], field: str) -> None:
    document = json.loads(list_to_json(east_list()))
    inner = document
    for part in path[:-1]:
        inner = inner[part]
    del inner[path[-1]]
    with pytest.raises(InvalidList, match="required") as refusal:
        list_from_json(json.dumps(document).encode())
    assert refusal.value.field == field


def test_types_and_truth_values_are_strict() -> None:
    with pytest.raises(InvalidList) as refusal:
        list_from_json(_altered(common_list(), ["defines", 0, "claims", 0, "masked"], 0))
    assert refusal.value.field == "defines[0].claims[0].masked"
    with pytest.raises(InvalidList) as refusal:
        list_from_json(_altered(common_list(), ["defines", 0, "schema"], []))
    assert refusal.value.field == "defines[0].schema"


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b"\xff", b'{"a":1,"a":2}', b"[" * 100_000, b'{"format":NaN}'])
def test_what_is_no_list_is_one_error(data: bytes) -> None:
    with pytest.raises(InvalidList):
        list_from_json(data)


def test_a_list_beyond_the_bound_is_not_even_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """The attack: a list of 100 MB."""
    monkeypatch.setattr(wire, "MAX_LIST_SIZE", 100)
    with pytest.raises(InvalidList, match="larger"):
        list_from_json(b" " * 101)


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=8) | st.just("2026-01-01T00:00:00Z"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(data=st.data())
def test_a_list_with_any_one_value_replaced_is_read_or_refused_naming_a_field(data: st.DataObject) -> None:
    document = json.loads(list_to_json(data.draw(st.sampled_from(LISTS))))
    inner: Any = document
    while True:
        key = data.draw(st.sampled_from(sorted(inner)) if isinstance(inner, dict) else st.integers(0, len(inner) - 1))
        if isinstance(inner[key], dict | list) and inner[key] and data.draw(st.booleans()):
            inner = inner[key]
            continue
        inner[key] = data.draw(values)
        break
    try:
        list_from_json(json.dumps(document).encode())
    except InvalidList as refusal:
        named = refusal.field
    else:
        named = "none needed"
    assert named


def _altered(whole: RegionList, path: list[Any], value: object) -> bytes:
    document = json.loads(list_to_json(whole))
    inner = document
    for part in path[:-1]:
        inner = inner[part]
    inner[path[-1]] = value
    return json.dumps(document).encode()
