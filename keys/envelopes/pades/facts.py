"""One signature, or one document time-stamp, as facts: does its digest hold, its signature, its time-stamp.

Where it stands in the file has been found out before (`coverage`); whom to believe is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from pyhanko.pdf_utils import generic

from keys.cms import TIME_STAMP_ATTRIBUTE, SignedData
from keys.envelopes.pades.bounded import BoundedReader
from keys.envelopes.pades.changes import BYTES_AFTER_END, changes_since, worst
from keys.envelopes.pades.checking import check, loose_contents
from keys.envelopes.pades.coverage import Coverage
from keys.envelopes.pades.model import Change, ChangeKind, DocumentTimestamp, Modification, PdfSignature
from keys.envelopes.pades.structure import attachments, entry
from keys.errors import MalformedTimestamp
from keys.signature_problems import SignatureProblem as Problem
from keys.timestamps import TimestampToken, parse_timestamp_token

_MAX_TOKENS: Final = 8
_SAME_TIME: Final = timedelta(minutes=5)
_NEEDS_LEAVE: Final = frozenset({ChangeKind.SIGNATURE, ChangeKind.FORM_VALUE, ChangeKind.ANNOTATION})


@dataclass(frozen=True, slots=True)
class Place:
    """Where a signature stands: what it covers, and that as a file, unless `problems` says why not."""

    coverage: Coverage | None = None
    revision: BoundedReader | None = None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Subject:
    """A filled signature field, its dictionary as signed, its own certification level and the one in force."""

    name: str
    dictionary: generic.DictionaryObject
    place: Place
    certification: int | None
    in_force: int | None


def signature_facts(subject: Subject, reader: BoundedReader) -> tuple[PdfSignature, SignedData | None]:
    """The facts about a signature, and its CMS if it has one that can be read. Never raises on content."""
    coverage = subject.place.coverage
    checked = check(reader.data, subject.dictionary, coverage)
    timestamp, timestamp_ok, stamp_problems = _timestamp(checked.signed)
    modification, changes, change_problems = _later(subject, reader)
    stated = _stated_time(subject.dictionary)
    inside = None if checked.signed is None else checked.signed.signing_time
    differ = stated is not None and inside is not None and abs(stated - inside) > _SAME_TIME
    attached, attachment_problems = _attachments(subject.place.revision)
    problems = (
        *subject.place.problems,
        *checked.problems,
        *stamp_problems,
        *change_problems,
        *attachment_problems,
        *((Problem.SIGNING_TIME_DIFFERS,) if differ else ()),
    )
    facts = PdfSignature(
        field_name=subject.name,
        certificate=checked.certificate,
        intermediates=checked.intermediates,
        algorithm=checked.algorithm,
        digest_ok=checked.digest_ok,
        signature_ok=checked.signature_ok,
        covers_whole_file=coverage is not None and coverage.end == len(reader.data),
        modification=modification,
        claimed_at=inside or stated,
        timestamp=timestamp,
        timestamp_ok=timestamp_ok,
        signing_certificate_attribute_ok=checked.pinned,
        problems=tuple(dict.fromkeys(problems)),
        signed_size=0 if coverage is None else coverage.end,
        attachments=attached,
        changes=changes,
        certification=subject.certification,
        sub_filter=str(entry(subject.dictionary, "/SubFilter") or "").removeprefix("/")[:64],
    )
    return facts, checked.signed


def document_timestamp(subject: Subject, reader: BoundedReader) -> DocumentTimestamp | None:
    """The facts about a document time-stamp; None for one without a token. Spec: EN 319 142-1 clause 5.4.3."""
    coverage = subject.place.coverage
    contents = coverage.contents if coverage is not None else loose_contents(subject.dictionary)
    try:
        token = parse_timestamp_token(_unpadded(contents))
    except MalformedTimestamp:
        return None
    problems = list(subject.place.problems)
    whole = coverage is not None and token.covers(*coverage.parts(reader.data))
    if coverage is not None and not whole:
        problems.append(Problem.TIMESTAMP_ELSEWHERE)
    if not token.signature_ok:
        problems.append(_token_problem(token))
    _, changes, change_problems = _later(subject, reader)
    return DocumentTimestamp(
        token,
        whole and token.signature_ok and subject.place.revision is not None,
        0 if coverage is None else coverage.end,
        changes,
        (*problems, *change_problems),
    )


def _unpadded(contents: bytes) -> bytes:
    """A time-stamp token without the room left over, as tokens are bounded in size."""
    stripped = contents.rstrip(b"\0")
    return contents[: len(stripped) + 64]


def _timestamp(signed: SignedData | None) -> tuple[TimestampToken | None, bool, tuple[Problem, ...]]:
    """The signature's own time-stamp: of several the first that is whole and over this signature, else the first."""
    values = () if signed is None else signed.unsigned.get(TIME_STAMP_ATTRIBUTE, ())
    if signed is None or not values:
        return None, False, ()
    several = (Problem.TIMESTAMPS,) if len(values) > 1 else ()
    first: TimestampToken | None = None
    for value in values[:_MAX_TOKENS]:
        try:
            token = parse_timestamp_token(value)
        except MalformedTimestamp:
            continue
        if token.signature_ok and token.covers(signed.signature):
            return token, True, several
        first = first or token
    if first is None:
        return None, False, (*several, Problem.TIMESTAMP)
    return first, False, (*several, Problem.TIMESTAMP_ELSEWHERE if first.signature_ok else _token_problem(first))


def _token_problem(token: TimestampToken) -> Problem:
    weak = set(token.problems) == {Problem.WEAK_ALGORITHM}
    return Problem.TIMESTAMP_WEAK if weak else Problem.TIMESTAMP_BROKEN


def _later(subject: Subject, reader: BoundedReader) -> tuple[Modification, tuple[Change, ...], tuple[Problem, ...]]:
    """What came after the signed bytes, by kind; the worst of it in one word; and why that is a problem."""
    revision = subject.place.revision
    if revision is None:
        return Modification.OTHER, (), ()
    if revision is reader:
        return Modification.NONE, (), ()
    changes = changes_since(reader, revision, own_field=subject.name, certification=subject.in_force)
    if not changes:
        # An update that shows and says nothing; without one, white space after the end, as mail programs add it.
        return (Modification.LTV if reader.total_revisions > revision.total_revisions else Modification.NONE), (), ()
    modification = worst(changes)
    if modification is not Modification.OTHER:
        return modification, changes, ()
    bad = {change.kind for change in changes if worst((change,)) is Modification.OTHER}
    if all(change.detail == BYTES_AFTER_END for change in changes):
        return modification, changes, (Problem.TAIL,)
    if ChangeKind.UNREADABLE in bad:
        return modification, changes, (Problem.CHANGES_UNREADABLE,)
    return modification, changes, (Problem.CHANGES_NOT_PERMITTED if bad <= _NEEDS_LEAVE else Problem.CHANGES,)


def _attachments(revision: BoundedReader | None) -> tuple[Mapping[str, bytes], tuple[Problem, ...]]:
    """Those of the covered bytes, read as the file they were when signed: no later update can reach in."""
    if revision is None:
        return {}, ()
    try:
        return attachments(revision.root), ()
    except Exception:  # a name tree that is none, or too much of it
        return {}, (Problem.ATTACHMENTS,)


def _stated_time(dictionary: generic.DictionaryObject) -> datetime | None:
    value: Any = entry(dictionary, "/M")
    try:
        moment = generic.parse_pdf_date(value)
        return moment.astimezone(UTC) if moment.tzinfo is not None else None
    except Exception:  # a claim that is no date is no claim
        return None
