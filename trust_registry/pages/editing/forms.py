"""What a form of the console is: its fields in both languages, what was typed, and the edit that it asks for.

Knows no page and no list rule: edits are `trust_registry.editing`, and what they refuse is shown beside the form.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import ClassVar, Final

from trust_registry.instants import in_calendar
from trust_registry.model import Names, RegionList, TrustView
from trust_registry.pages.frame import read_instant, start_of

LARGEST_FILE: Final = 512 * 1024
LONGEST: Final = 4_000
_NEEDED: Final = Names("请填写", "This is needed")
_NONE_CHOSEN: Final = Names("请至少选一项", "Choose at least one")
_NO_DATE: Final = Names("请填写日期", "A date is needed")
_NOT_OFFERED: Final = Names("请从列表中选择", "Choose one of the list")
_NO_NUMBER: Final = Names("请填写数字", "A number is needed")

Option = tuple[str, Names]


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `kind`: text, names (two texts), area, day, moment, number, choice, several, file."""

    name: str
    kind: str
    label: Names
    hint: Names | None = None
    options: Sequence[Option] = ()
    required: bool = False
    default: str | Sequence[str] = ""
    group: Names | None = None  # a heading above it
    glossary: Sequence[tuple[Names, Sequence[tuple[str, Names]]]] = ()  # codes that may be typed, by what they are of


@dataclass(frozen=True, slots=True)
class Workplace:
    """What a form works on: the list to edit, everything else that is known, and the time."""

    region_list: RegionList
    view: TrustView
    now: datetime
    add_image: Callable[[bytes], str]


class FormWrong(Exception):
    """What was typed can't be used: words by field."""

    def __init__(self, errors: Mapping[str, Names]) -> None:
        super().__init__(tuple(errors))
        self.errors = errors


@dataclass
class Answers:
    """What was typed, and what is wrong with it. `check` ends the reading."""

    values: Mapping[str, Sequence[str]]
    files: Mapping[str, bytes] = field(default_factory=dict)
    errors: dict[str, Names] = field(default_factory=dict)

    def text(self, name: str, *, required: bool = True) -> str:
        found = next(iter(self.values.get(name, ())), "").strip()[:LONGEST]
        if required and not found:
            self.errors.setdefault(name, _NEEDED)
        return found

    def names(self, name: str, *, required: bool = True) -> Names:
        return Names(self.text(f"{name}.zh", required=required), self.text(f"{name}.en", required=required))

    def choice(self, name: str, options: Sequence[Option], *, required: bool = True) -> str:
        found = self.text(name, required=required)
        if found and found not in {value for value, _ in options}:
            self.errors.setdefault(name, _NOT_OFFERED)
        return found

    def several(self, name: str, options: Sequence[Option], *, required: bool = False) -> tuple[str, ...]:
        offered = {value for value, _ in options}
        found = tuple(value for value in self.values.get(name, ()) if value)
        if any(value not in offered for value in found):
            self.errors.setdefault(name, _NOT_OFFERED)
        elif required and not found:
            self.errors.setdefault(name, _NONE_CHOSEN)
        return found

    def day(self, name: str, *, required: bool = False) -> datetime | None:
        """The first instant of a day in China time."""
        typed = self.text(name, required=required)
        if not typed:
            return None
        try:
            at = start_of(date.fromisoformat(typed))
        except (ValueError, OverflowError):  # the first day of the calendar has no earlier one elsewhere
            at = None
        if at is None or not in_calendar(at):
            self.errors[name] = _NO_DATE
            return None
        return at

    def moment(self, name: str) -> datetime | None:
        """`2026-12-01T09:30`, as clocks in China show it."""
        typed = self.text(name, required=False)
        if not typed:
            return None
        at = read_instant(typed + ":00+08:00" if len(typed) == 16 else typed)
        if at is None:
            self.errors[name] = _NO_DATE
        return at

    def number(self, name: str, default: int = 0) -> int:
        typed = self.text(name, required=False)
        if not typed:
            return default
        if not (typed.isascii() and typed.isdigit() and len(typed) < 6):
            self.errors[name] = _NO_NUMBER
            return default
        return int(typed)

    def file(self, name: str, *, required: bool = True) -> bytes:
        found = self.files.get(name, b"")
        if required and not found:
            self.errors.setdefault(name, Names("请选择文件", "Choose a file"))
        return found

    def check(self) -> None:
        """Raises: FormWrong when anything read so far was wrong."""
        if self.errors:
            raise FormWrong(self.errors)


class Form(ABC):
    """One kind of change. Stateless: everything comes with the request."""

    name: ClassVar[str]
    title: ClassVar[Names]
    text: ClassVar[Names]
    destructive: ClassVar[bool] = False

    @abstractmethod
    def fields(self, place: Workplace, query: Mapping[str, str]) -> Sequence[Field]:
        """The fields, given what is chosen already (`query`: first values by name)."""

    @abstractmethod
    def apply(self, place: Workplace, answers: Answers) -> RegionList:
        """The edited list. Raises: FormWrong, TrustRegistryError."""

    def open_question(self, _place: Workplace, _query: Mapping[str, str]) -> Sequence[Field]:
        """Fields that must be chosen before the others can be shown; empty when nothing is open."""
        return ()


def either(*pairs: tuple[str, str, str]) -> tuple[Option, ...]:
    """Options from (value, zh, en)."""
    return tuple((value, Names(zh, en)) for value, zh, en in pairs)


def days(count: timedelta) -> int:
    """Whole days."""
    return count // timedelta(days=1)
