"""Ten megabytes of what is hard to read, to one parser after the other, under limits of time and memory.

Run as a process of its own (`python -m tests.fuzz.heavy NAME ...`): the limits are the process's. Prints a line of JSON
for each input: parser, input, seconds of processor time, and what came of it.
"""

from __future__ import annotations

import json
import resource
import sys
import zlib
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from time import process_time

from tests.fuzz.parsers import Parser, parsers

SIZE = 10 << 20
MEMORY = 700 << 20  # above what the process holds once everything is imported and seeded
SECONDS = 20  # of processor time for one parser, all inputs together: a hang ends here


def inputs(parser: Parser) -> Iterator[tuple[str, bytes]]:
    """Named inputs of about ten megabytes: shapes that make careless readers slow or large, and the seed, blown up."""
    for name, unit in (
        ("zeros", b"\0"),
        ("ff", b"\xff"),
        ("open brackets", b"["),
        ("open objects", b'{"a":'),
        ("numbers", b"1,"),
        ("digits", b"9"),
        ("quotes", b'"'),
        ("dots", b"."),
        ("tildes", b"~"),
        ("letters", b"A"),
        ("lines", b"\n"),
        ("tags", b"<a>"),
        ("constructed DER", b"\x30\x80"),
        ("CBOR arrays", b"\x9f"),
        ("CBOR tags", b"\xd8\x40"),
        ("base45", b"6BF"),
        ("objects", b"1 0 obj\n<</Length 9>>stream\n"),
        ("ends", b"startxref\n9\n%%EOF\n"),
    ):
        yield name, unit * (SIZE // len(unit))
    yield "zlib bomb", _bomb()
    yield "zlib bomb in base64url", urlsafe_b64encode(_bomb()).rstrip(b"=")
    for number, seed in enumerate(parser.seeds()):
        room = SIZE - len(seed)
        yield f"seed {number} and zeros", seed + bytes(room)
        yield f"seed {number} and spaces", seed + b" " * room
        yield f"seed {number} again and again", seed * max(1, SIZE // max(1, len(seed)))
        half = len(seed) // 2
        yield (
            f"seed {number}, its middle again and again",
            seed[:half] + seed[half : half + 64] * (room // 64) + seed[half:],
        )


@cache
def _bomb() -> bytes:
    return zlib.compress(bytes(200 << 20), 1)


def main() -> None:
    _bomb()
    wanted = [parser for parser in parsers() if not sys.argv[1:] or parser.name in sys.argv[1:]]
    for parser in wanted:
        for seed in parser.seeds():
            parser.run(seed)
    held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (held + MEMORY, held + MEMORY))
    for parser in wanted:
        resource.setrlimit(resource.RLIMIT_CPU, (int(process_time()) + SECONDS, -1))
        for name, data in inputs(parser):
            start = process_time()
            try:
                outcome = "read" if parser.run(data) else "refused"
            except Exception as err:  # MemoryError among them
                outcome = type(err).__name__
            line = {"parser": parser.name, "input": name, "seconds": process_time() - start, "outcome": outcome}
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
