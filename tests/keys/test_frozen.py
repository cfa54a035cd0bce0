"""Records made often stay what they were declared to be: frozen, comparable, with their defaults."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError, dataclass, field, replace

import pytest

from keys.frozen import made_often


@made_often
@dataclass(frozen=True, slots=True)
class Record:
    name: str
    size: int = 3
    facts: dict[str, int] = field(default_factory=dict)


def test_a_record_is_frozen_once_it_is_made() -> None:
    record = Record("a")
    with pytest.raises(FrozenInstanceError):
        record.name = "b"  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        del record.name
    assert record == Record("a", 3, {})


def test_every_record_has_its_own_defaults() -> None:
    first, second = Record("a"), Record("b", facts={"x": 1})
    assert first.facts is not Record("a").facts
    assert second.facts == {"x": 1}


def test_a_record_is_an_instance_of_its_own_class_after_copies() -> None:
    record = Record("a", 5)
    for again in (replace(record), copy.copy(record), pickle.loads(pickle.dumps(record))):
        assert type(again) is Record
        assert again == record
    assert replace(record, size=6).size == 6


def test_missing_and_unknown_fields_are_refused() -> None:
    with pytest.raises(TypeError, match="name"):
        Record()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="colour"):
        Record("a", colour="red")  # type: ignore[call-arg]


def test_other_classes_are_refused() -> None:
    @dataclass(frozen=True)
    class WithoutSlots:
        name: str

    @dataclass(frozen=True, slots=True)
    class Derived(Record):
        colour: str = ""

    for cls in (WithoutSlots, Derived):
        with pytest.raises(TypeError, match="not a plain frozen dataclass"):
            made_often(cls)
