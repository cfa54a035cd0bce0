"""Making signed PDFs, honest ones and ones spoiled in a named way: bytes altered, and every update that the tests of
changes name, lawful and hostile, after an approval and after certifications."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from random import Random

from tests.keys import shadow_forge as forge
from tests.keys.test_pdf_changes import ATTACKS, filled

Making = Callable[[Random, bytes], bytes]
LEVELS: tuple[int | None, ...] = (None, 1, 2, 3)


@cache
def signed(level: int | None) -> bytes:
    return forge.sign(forge.whole(forge.BASE), certify=level)


def _contents(pdf: bytes) -> tuple[int, int]:
    """Where the signature's own bytes stand, between < and >."""
    start = pdf.index(b"/Contents <") + 11 if b"/Contents <" in pdf else pdf.index(b"<30") + 1
    return start, pdf.index(b">", start)


def _flip(random: Random, pdf: bytes) -> bytes:
    """A bit of what is covered."""
    start, end = _contents(pdf)
    place = random.randrange(len(pdf) - (end - start))
    return _with_bit(pdf, place if place < start else place + end - start, random.randrange(8))


def _flip_signature(random: Random, pdf: bytes) -> bytes:
    """A digit of the signature's DER, within what is used, but for the signer's name: that is unsigned, and we compare
    names as RFC 5280 section 7.1 has it, string types and letters' case aside."""
    start, end = _contents(pdf)
    name = _name_of_the_signer(pdf)
    used = start + len(pdf[start:end].rstrip(b"0"))
    return _other_digit(random, pdf, random.choice([place for place in range(start, used) if place not in name]))


def _name_of_the_signer(pdf: bytes) -> range:
    start, end = _contents(pdf)
    issuer = forge.signer("first").signing_cert.issuer.dump().hex().encode()
    place = pdf.lower().index(issuer + b"020107", start, end)  # in the certificate the number comes first
    return range(place - 4, place + len(issuer) + 6)


def _other_digit(random: Random, pdf: bytes, place: int) -> bytes:
    other = random.choice([digit for digit in b"0123456789abcdef" if digit != pdf.lower()[place]])
    return pdf[:place] + bytes([other]) + pdf[place + 1 :]


def _with_bit(data: bytes, place: int, bit: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1 << bit]) + data[place + 1 :]


def _byte_range(random: Random, pdf: bytes) -> bytes:
    """Another digit in the ByteRange."""
    start = pdf.index(b"/ByteRange")
    places = [place for place in range(start, pdf.index(b"]", start)) if 48 <= pdf[place] <= 57]
    place = random.choice(places)
    return pdf[:place] + bytes([random.choice([d for d in b"0123456789" if d != pdf[place]])]) + pdf[place + 1 :]


def _cut(random: Random, pdf: bytes) -> bytes:
    return pdf[: random.randrange(len(pdf))]


def _second_signature(random: Random, pdf: bytes) -> bytes:
    return forge.sign(pdf, "second", who="second")


SPOILINGS: dict[str, Making] = {
    "honest": lambda _, pdf: pdf,
    "a bit of what is covered": _flip,
    "a digit of the signature": _flip_signature,
    "a digit of the ByteRange": _byte_range,
    "cut short": _cut,
    "bytes after the end, random": lambda random, pdf: pdf + random.randbytes(random.randint(1, 40)),
    "a line end after the end": lambda _, pdf: pdf + b"\n",
    "a document time-stamp": lambda _, pdf: forge.document_timestamp(pdf),
    "a second signature": _second_signature,
    "a field filled in": lambda _, pdf: filled()(pdf),
    "a date in the metadata": lambda _, pdf: forge.append(pdf, {23: forge.BASE[23].replace(b"20261101", b"20261102")}),
    "the same objects again": lambda _, pdf: forge.append(pdf, {7: forge.FONT}),
}
FEW = ("a document time-stamp", "a second signature")  # the same bytes but for signatures: a few say it all


def cases(count: int) -> Iterator[tuple[str, bytes]]:
    """`count` named files: every named update after an approval and each certification, the rest at random."""
    random = Random(4)
    made = 0
    for level in LEVELS:
        for name, update, *_ in ATTACKS:
            yield f"update: {name}", update(signed(level))
            made += 1
        for name, making in SPOILINGS.items():
            yield name, making(random, signed(level))
            made += 1
    kinds = [name for name in SPOILINGS if name not in FEW]
    for number in range(count - made):
        name = kinds[number % len(kinds)]
        yield name, SPOILINGS[name](random, signed(random.choice(LEVELS)))
