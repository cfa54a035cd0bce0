"""The log of a network as an auditor reads it whole: every entry, and whether the tree above them is the signed one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from keys.errors import KeysError
from trust_registry.audit.model import Anomaly
from trust_registry.errors import TrustRegistryError
from trust_registry.log.declaration import LogDeclaration
from trust_registry.log.entries import LogEntry, read_entries
from trust_registry.log.merkle import leaf_hash, tree_root
from trust_registry.log.proofs import fetched_tiles
from trust_registry.log.verification import LogPolicy, verify_checkpoint

Read = Callable[[str], bytes]  # path below the public folder -> bytes; raises FetchFailed
Finding = tuple[Anomaly, str]


@dataclass
class Logbook:
    """The entries by the snapshot they are about, and what is wrong with the log itself."""

    entries: dict[int, LogEntry] = field(default_factory=dict)  # in the log's order
    last: LogEntry | None = None
    findings: list[Finding] = field(default_factory=list)


def read_logbook(read: Read, declared: LogDeclaration) -> Logbook:
    """Read and check the whole log. Never raises on content: what is wrong is in `findings`."""
    book = Logbook()
    try:
        checkpoint = verify_checkpoint(read("log/checkpoint"), declared, LogPolicy()).checkpoint
    except (TrustRegistryError, KeysError) as err:
        book.findings.append((Anomaly.LOG_UNREADABLE, str(err)))
        return book
    leaves: list[bytes] = []
    try:
        for entry in read_entries(fetched_tiles(read, "log/"), checkpoint.size):
            leaves.append(leaf_hash(entry.to_bytes()))
            book.findings += _add(book, entry)
    except (TrustRegistryError, KeysError) as err:
        book.findings.append((Anomaly.LOG_UNREADABLE, str(err)))
        return book
    if tree_root(leaves) != checkpoint.root_hash:
        book.findings.append((Anomaly.LOG_INCONSISTENT, "the entries are not those under the signed root hash"))
    return book


def _add(book: Logbook, entry: LogEntry) -> Iterator[Finding]:
    version, last = entry.snapshot.version, book.last
    if version in book.entries:
        yield Anomaly.LOG_INCONSISTENT, f"two entries for snapshot {version}"
        return
    if last is not None and version < last.snapshot.version:
        yield Anomaly.LOG_INCONSISTENT, f"snapshot {version} is logged after snapshot {last.snapshot.version}"
    if last is not None and entry.published_at < last.published_at:
        yield Anomaly.CLOCK, f"entry {entry.index} is older than the one before it"
    book.entries[version] = book.last = entry
