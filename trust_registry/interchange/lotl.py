"""Lists of trusted lists: from pinned signers, over pivots, to the list in force; and where it points to.

A list of lists names who will sign the next one. Who pinned earlier signers is led on by pivots: lists of lists of the
past, named by the present one, each signed by those whom the one before it named. Nothing is believed on the way that
is not signed so. Fetches only what it is handed a way to fetch.
Spec: TS 119 612 clause 5.3.13; European Commission, "Pivot LOTL" (named by the list itself as SchemeInformationURI).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from trust_registry.core.foreign import is_list_of_lists
from trust_registry.errors import InvalidForeignList
from trust_registry.interchange.tsl_reading import read_tsl, unsafe_read_tsl
from trust_registry.model import ForeignList, ForeignPointer
from trust_registry.ports import Fetch

MAX_PIVOTS: Final = 32
MIME_TYPE: Final = "application/vnd.etsi.tsl+xml"


@dataclass(frozen=True, slots=True)
class OpenedLotl:
    """A believed list of lists and the pivots that led to it, oldest first."""

    found: ForeignList
    pivots: tuple[ForeignList, ...]


def open_lotl(data: bytes, signers: Collection[bytes], *, location: str, fetch: Fetch) -> OpenedLotl:
    """The list of lists in `data`, by `signers` (DER) or by those that pivots lead to from them.

    `location` is where it came from: pivots are fetched from that host only, for before the end nothing of the list is
    believed. Raises: InvalidForeignList; FetchFailed when a pivot can't be had.
    """
    try:
        return OpenedLotl(_checked(read_tsl(data, signers)), ())
    except InvalidForeignList as err:
        if err.field != "signature":
            raise
        refusal = err
    unbelieved = unsafe_read_tsl(data)
    pivots = _from_newest_believed(unbelieved, signers, location, fetch) if is_list_of_lists(unbelieved) else ()
    if not pivots:
        raise refusal
    chain: list[ForeignList] = []
    trusted = signers
    for document in (*pivots, data):
        found = _checked(read_tsl(document, trusted))
        if chain:
            _check_successor(chain[-1], found)
        chain.append(found)
        trusted = next_signers(found)
    return OpenedLotl(chain[-1], tuple(chain[:-1]))


def _from_newest_believed(
    unbelieved: ForeignList, signers: Collection[bytes], location: str, fetch: Fetch
) -> list[bytes]:
    """The pivots from the newest one that the pinned signers have signed, oldest first."""
    documents: list[bytes] = []
    for uri in _pivot_uris(unbelieved.information_uris, location):
        document = fetch(uri)
        documents.append(document)
        try:
            read_tsl(document, signers)
        except InvalidForeignList:
            continue
        return documents[::-1]
    return []


def _pivot_uris(uris: Iterable[str], location: str) -> list[str]:
    """Newest first, as the list gives them."""
    host = urlsplit(location).netloc
    found = []
    for uri in dict.fromkeys(uris):
        try:
            parts = urlsplit(uri)
        except ValueError:
            continue
        if parts.scheme == "https" and parts.netloc == host and parts.path.endswith(".xml"):
            found.append(uri)
    if len(found) > MAX_PIVOTS:
        raise InvalidForeignList("SchemeInformationURI", f"more than {MAX_PIVOTS} pivots")
    return found


def _checked(found: ForeignList) -> ForeignList:
    if not is_list_of_lists(found):
        raise InvalidForeignList("TSLType", "this is no list of lists")
    return found


def _check_successor(before: ForeignList, after: ForeignList) -> None:
    if after.sequence_number <= before.sequence_number:
        raise InvalidForeignList("sequence_number", "a pivot is not older than the list that it leads to")
    if after.territory != before.territory or after.list_type != before.list_type:
        raise InvalidForeignList("territory", "a pivot leads to the list of another network")


def next_signers(found: ForeignList) -> tuple[bytes, ...]:
    """Who may sign the list that follows: the signers in this one's pointers to itself. Raises: InvalidForeignList."""
    own = [
        pointer
        for pointer in found.pointers
        if pointer.list_type == found.list_type and pointer.territory == found.territory
    ]
    signers = tuple(dict.fromkeys(signer for pointer in own for signer in pointer.signers))
    if not signers:
        raise InvalidForeignList("PointersToOtherTSL", "the list of lists does not say who signs the next one")
    return signers


def national_lists(found: ForeignList) -> tuple[ForeignPointer, ...]:
    """The pointers to machine-readable lists of others, with signers and a territory; the first of each territory.

    Others can't be followed: a pointer without signers leads nowhere that could be believed. Some countries publish
    over plain HTTP: what is signed by pinned signers needs no more.
    """
    by_territory: dict[str, ForeignPointer] = {}
    for pointer in found.pointers:
        usable = (
            pointer.mime_type == MIME_TYPE and pointer.signers and pointer.location.startswith(("https://", "http://"))
        )
        if usable and pointer.territory and pointer.territory != found.territory:
            by_territory.setdefault(pointer.territory, pointer)
    return tuple(by_territory.values())
