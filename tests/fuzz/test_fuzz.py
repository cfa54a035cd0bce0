"""No exception but the parser's own, on honest seeds spoiled and on everything that the search once kept."""

from __future__ import annotations

import zlib
from random import Random

import pytest

from tests.fuzz.corpus import read_corpus
from tests.fuzz.mutation import mutated
from tests.fuzz.parsers import Parser, parsers

ROUNDS = 400
SLOW = {"pdf": 60, "evidence": 150, "photo": 60, "bundle": 100, "trusted-list": 200, "list-of-entities": 200}
UNREAD = {"bundle", "list-of-entities", "photo"}  # seeds that lack what a whole one needs, or that need no reading
ALL = parsers()


@pytest.mark.parametrize("parser", ALL, ids=lambda parser: parser.name)
def test_spoiled_input_is_read_or_refused_with_the_one_error(parser: Parser) -> None:
    seeds, random = parser.seeds(), Random(zlib.crc32(parser.name.encode()))
    for _ in range(SLOW.get(parser.name, ROUNDS)):
        data = mutated(random, seeds)
        try:
            parser.run(data)
        except Exception as err:  # the input is what a report needs
            raise AssertionError(f"{parser.name} on {data[:2000]!r}") from err


@pytest.mark.parametrize("parser", ALL, ids=lambda parser: parser.name)
def test_the_corpus_is_read_or_refused_with_the_one_error(parser: Parser) -> None:
    for data in read_corpus(parser.name):
        parser.run(data)


@pytest.mark.parametrize("parser", [each for each in ALL if each.name not in UNREAD], ids=lambda parser: parser.name)
def test_seeds_are_read(parser: Parser) -> None:
    """Else the spoiled ones would all be refused at the door, and nothing behind it would be tried."""
    assert all(parser.run(seed) for seed in parser.seeds())
