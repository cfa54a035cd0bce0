"""Read a signed PDF into facts: its signatures, time-stamps, validation data and attachments. Trusts nobody.

Facts about a signature come from the bytes that it covers, read as the file that they once were: `coverage` finds them,
`facts` reads one signature, `changes` compares with what is shown now. Whatever pyHanko raises becomes a fact or the
one error. The budget is `bounded`.
"""

from __future__ import annotations

from typing import Any, Final

from pyhanko.pdf_utils import generic

from keys.envelopes.pades.bounded import BoundedReader, ends_like_a_pdf
from keys.envelopes.pades.changes import certification_level
from keys.envelopes.pades.coverage import coverage_of
from keys.envelopes.pades.facts import Place, Subject, document_timestamp, signature_facts
from keys.envelopes.pades.model import PdfSignature, SignedPdf
from keys.envelopes.pades.structure import attachments, entry, signature_fields
from keys.envelopes.pades.validation_data import validation_data
from keys.errors import EncryptedPdf, MalformedEnvelope
from keys.signature_problems import SignatureProblem as Problem

MAX_SIZE: Final = 32 << 20
_MAX_REVISIONS: Final = 64
_MAX_SIGNATURES: Final = 16
_MAX_TIMESTAMPS: Final = 48  # a document kept for a life is stamped anew every few years
_Field = tuple[str, generic.DictionaryObject]


def parse_signed_pdf(data: bytes) -> SignedPdf:
    """Read a PDF of at most 32 MiB: its signatures as facts, the attachments of the first signed revision.

    Not signed is no error: `signatures` is empty. Raises EncryptedPdf; MalformedEnvelope for what is no PDF, damaged
    beyond reading, or past the bounds (revisions, fields, decoded bytes, look-ups); never anything else, always soon.

    Spec: ISO 32000-2 clause 12.8.1; ETSI EN 319 142-1 clause 5.3 and 6.3; ETSI EN 319 102-1 clause 5.2.7.
    """
    if len(data) > MAX_SIZE:
        raise MalformedEnvelope(f"a PDF of more than {MAX_SIZE} bytes")
    if not data.startswith(b"%PDF-"):
        raise MalformedEnvelope("not a PDF")
    if data.count(b"startxref") > _MAX_REVISIONS:
        raise MalformedEnvelope(f"a PDF of more than {_MAX_REVISIONS} revisions")
    try:
        return _read(data)
    except MalformedEnvelope:
        raise
    except Exception as err:  # pyHanko raises what it happens to stumble over
        raise MalformedEnvelope("a damaged PDF, or one that is no tree of objects") from err


def signed_revision(data: bytes, signature: PdfSignature) -> bytes:
    """The document as it was when `signature` was made: the bytes of `data` that it covers, a file of its own.

    Raises MalformedEnvelope where they are none: the signature covers nothing, or ends in the middle of an update.
    """
    size = signature.signed_size
    if not 0 < size <= len(data) or not ends_like_a_pdf(data, size):
        raise MalformedEnvelope("the signature covers no revision of the file")
    return data[:size]


def _read(data: bytes) -> SignedPdf:
    reader = BoundedReader(data)
    if entry(reader.trailer_view, "/Encrypt") is not None:
        raise EncryptedPdf("an encrypted PDF")
    fields = list(signature_fields(reader.root))
    stamps = [field for field in fields if _is_timestamp(field[1]["/V"])]
    if len(fields) - len(stamps) > _MAX_SIGNATURES or len(stamps) > _MAX_TIMESTAMPS:
        raise MalformedEnvelope(f"a PDF of more than {_MAX_SIGNATURES} signatures, or {_MAX_TIMESTAMPS} time-stamps")
    subjects = _Revisions(reader).subjects(fields)
    signatures, brought = [], []
    for subject in subjects:
        if not _is_timestamp(subject.dictionary):
            facts, signed = signature_facts(subject, reader)
            signatures.append(facts)
            brought += [] if signed is None else [signed]
    signatures.sort(key=lambda signature: (not signature.digest_ok, signature.signed_size))
    found = (document_timestamp(subject, reader) for subject in subjects if _is_timestamp(subject.dictionary))
    timestamps = sorted((stamp for stamp in found if stamp is not None), key=lambda stamp: stamp.signed_size)
    attached = attachments(reader.root) if not signatures else signatures[0].attachments or {}
    return SignedPdf(
        data,
        tuple(signatures),
        attached,
        reader.total_revisions,
        tuple(timestamps),
        validation_data(reader.root, brought),
    )


def _is_timestamp(dictionary: Any) -> bool:
    """Spec: ISO 32000-2 clause 12.8.5; the form of the signature counts where the type says otherwise."""
    return bool(entry(dictionary, "/Type") == "/DocTimeStamp" or entry(dictionary, "/SubFilter") == "/ETSI.RFC3161")


class _Revisions:
    """The file as it was at each end of a signature's coverage, each read once."""

    def __init__(self, reader: BoundedReader) -> None:
        self._reader = reader
        self._read: dict[int, BoundedReader | None] = {len(reader.data): reader}
        self._fields: dict[int, dict[str, generic.DictionaryObject]] = {}

    def subjects(self, fields: list[_Field]) -> list[Subject]:
        """Each field's signature where it was made, with the certification in force there."""
        places = [(name, *self._place(name, field["/V"])) for name, field in fields]
        seen: set[int] = set()
        found = []
        for name, dictionary, place in places:
            if place.coverage is not None and place.coverage.gap_start in seen:
                place = Place(problems=(Problem.CONTENTS_SHARED,))  # noqa: PLW2901 - what the first one has said
            elif place.coverage is not None:
                seen.add(place.coverage.gap_start)
            own = certification_level(dictionary)
            end = 0 if place.coverage is None else place.coverage.end
            before = [
                certification_level(other)
                for _, other, elsewhere in places
                if elsewhere.coverage is not None and elsewhere.coverage.end < end
            ]
            in_force = min((level for level in (own, *before) if level is not None), default=None)
            found.append(Subject(name, dictionary, place, own, in_force))
        return found

    def _place(self, name: str, current: generic.DictionaryObject) -> tuple[generic.DictionaryObject, Place]:
        """The signature's dictionary in the bytes that it covers, and these. What no longer says the same is no proof.

        The current dictionary only says where to look: an update can have written it anew, or what it refers to.
        """
        coverage = coverage_of(self._reader, current)
        if isinstance(coverage, Problem):
            return current, Place(problems=(coverage,))
        revision = self._at(coverage.end)
        if revision is None:
            return current, Place(coverage, problems=(Problem.SIGNED_REVISION,))
        if revision is self._reader:
            return current, Place(coverage, revision)
        original = self._fields[coverage.end].get(name)
        if original is None:
            return current, Place(coverage, problems=(Problem.SIGNED_REVISION,))
        if coverage_of(revision, original) != coverage:
            return original, Place(problems=(Problem.CONTENTS_ELSEWHERE,))
        return original, Place(coverage, revision)

    def _at(self, end: int) -> BoundedReader | None:
        if end not in self._read:
            self._read[end] = None
            try:
                revision = BoundedReader(self._reader.data[:end], self._reader.budget)
                self._fields[end] = {name: field["/V"] for name, field in signature_fields(revision.root)}
                self._read[end] = revision
            except Exception as err:  # the covered bytes are no PDF by themselves
                if self._reader.budget.spent:
                    raise MalformedEnvelope("a PDF with more in its revisions than can be read") from err
                return None
        return self._read[end]
