"""Read a signed PDF into facts: what each signature covers, whether it holds, what came after. Trusts nobody.

Facts about a signature come from the bytes that it covers: its digest, its CMS, and the attachments of exactly those
bytes. pyHanko reads the file and compares revisions; whatever it raises becomes a fact or the one error. The budget is
`bounded`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from pyhanko.pdf_utils import generic
from pyhanko.sign.diff_analysis import DiffResult, ModificationLevel
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature

from keys.cms import DATA, TIME_STAMP_ATTRIBUTE, SignedData, parse_signed_data, single
from keys.envelopes.pades.bounded import BoundedReader, ends_like_a_pdf
from keys.envelopes.pades.model import Modification, PdfSignature, SignedPdf
from keys.envelopes.pades.structure import attachments, entry, signature_fields
from keys.errors import MalformedEnvelope, MalformedTimestamp
from keys.timestamps import TimestampToken, parse_timestamp_token

MAX_SIZE: Final = 32 << 20
_MAX_REVISIONS: Final = 64
_MAX_SIGNATURES: Final = 16
_SUBFILTERS: Final = ("/ETSI.CAdES.detached", "/adbe.pkcs7.detached")
_LEVELS: Final = {
    ModificationLevel.LTA_UPDATES: Modification.LTV,
    ModificationLevel.FORM_FILLING: Modification.FORM,
}


def parse_signed_pdf(data: bytes) -> SignedPdf:
    """Read a PDF of at most 32 MiB: its signatures as facts, the attachments of the first signed revision.

    Not signed is no error: `signatures` is empty. Raises MalformedEnvelope for what is no PDF, damaged beyond reading,
    encrypted, or past the bounds (revisions, fields, decoded bytes, look-ups); never anything else, and always soon.

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


def _read(data: bytes) -> SignedPdf:
    reader = BoundedReader(data)
    if entry(reader.trailer_view, "/Encrypt") is not None:
        raise MalformedEnvelope("an encrypted PDF")
    fields = [(name, f) for name, f in signature_fields(reader.root) if entry(f["/V"], "/Type") in (None, "/Sig")]
    if len(fields) > _MAX_SIGNATURES:
        raise MalformedEnvelope(f"a PDF of more than {_MAX_SIGNATURES} signatures")
    signatures = sorted(
        (_signature(data, reader, name, field) for name, field in fields),
        key=lambda signature: (not signature.digest_ok, signature.signed_size),
    )
    attached = attachments(reader.root) if not signatures else signatures[0].attachments or {}
    return SignedPdf(data, tuple(signatures), attached, reader.total_revisions)


@dataclass(frozen=True, slots=True)
class _Coverage:
    """Where a ByteRange's gap stands (`<` to `>`), and where the covered bytes end."""

    gap_start: int
    gap_end: int
    end: int

    def digest(self, data: bytes, name: str) -> bytes:
        view = memoryview(data)
        hasher = hashlib.new(name, view[: self.gap_start])
        hasher.update(view[self.gap_end : self.end])
        return hasher.digest()


def _signature(data: bytes, reader: BoundedReader, name: str, field: generic.DictionaryObject) -> PdfSignature:
    dictionary = field["/V"]
    problems: list[str] = []
    coverage = _coverage(data, dictionary)
    if coverage is None:
        problems.append("byte range")
    signed = _cms(data, dictionary, coverage, problems)
    whole = coverage is not None and coverage.end == len(data)
    digest_ok = signed is not None and coverage is not None and _digest_holds(data, signed, coverage, problems)
    signature_ok = signed is not None and signed.signature_holds()
    pinned = signed is not None and signed.names_its_certificate()
    timestamp, timestamp_ok = _timestamp(signed, problems)
    modification = Modification.NONE if whole else _modification(reader, (name, field), coverage, problems)
    if signed is not None and signed.algorithm is None:
        problems.append("signature algorithm")
    elif not signature_ok:
        problems.append("signature")
    if not pinned:
        problems.append("signing certificate attribute")
    return PdfSignature(
        field_name=name,
        certificate=None if signed is None else signed.certificate,
        intermediates=() if signed is None else signed.intermediates,
        algorithm=None if signed is None else signed.algorithm,
        digest_ok=digest_ok,
        signature_ok=signature_ok,
        covers_whole_file=whole,
        modification=modification,
        claimed_at=_claimed_at(dictionary),
        timestamp=timestamp,
        timestamp_ok=timestamp_ok,
        signing_certificate_attribute_ok=pinned,
        problems=tuple(problems),
        signed_size=0 if coverage is None else coverage.end,
        attachments=_attachments(data, reader, coverage, problems),
    )


def _coverage(data: bytes, dictionary: generic.DictionaryObject) -> _Coverage | None:
    """The ByteRange, if it is two stretches, from the first byte on, around exactly this dictionary's Contents."""
    byte_range = entry(dictionary, "/ByteRange")
    contents = dictionary.raw_get("/Contents") if "/Contents" in dictionary else None
    if not isinstance(byte_range, generic.ArrayObject) or len(byte_range) != 4:
        return None
    if not all(isinstance(number, int) and number >= 0 for number in byte_range):
        return None
    start, first, second, length = (int(number) for number in byte_range)
    if start != 0 or not first < second - 1 or second + length > len(data):
        return None
    if data[first : first + 1] != b"<" or data[second - 1 : second] != b">":
        return None
    try:
        written = bytes.fromhex(data[first + 1 : second - 1].decode("ascii"))
    except ValueError:
        return None
    if not isinstance(contents, generic.ByteStringObject | generic.TextStringObject):
        return None
    return _Coverage(first, second, second + length) if contents.original_bytes == written else None


def _cms(
    data: bytes, dictionary: generic.DictionaryObject, coverage: _Coverage | None, problems: list[str]
) -> SignedData | None:
    if coverage is None:
        return None
    if entry(dictionary, "/SubFilter") not in _SUBFILTERS:
        problems.append("sub-filter")
        return None
    try:
        return parse_signed_data(bytes.fromhex(data[coverage.gap_start + 1 : coverage.gap_end - 1].decode("ascii")))
    except MalformedEnvelope:
        problems.append("CMS")
        return None


def _digest_holds(data: bytes, signed: SignedData, coverage: _Coverage, problems: list[str]) -> bool:
    if signed.content is not None or signed.content_type != DATA:
        # A CMS with content of its own vouches for that content, not for the file around it.
        problems.append("content inside the CMS")
        return False
    if signed.digest is None:
        problems.append("digest algorithm")
        return False
    if coverage.digest(data, signed.digest) != signed.message_digest:
        problems.append("digest")
        return False
    return True


def _timestamp(signed: SignedData | None, problems: list[str]) -> tuple[TimestampToken | None, bool]:
    if signed is None or TIME_STAMP_ATTRIBUTE not in signed.unsigned:
        return None, False
    value = single(signed.unsigned, TIME_STAMP_ATTRIBUTE)
    try:
        if value is None:
            raise MalformedTimestamp("more than one token in the attribute")
        token = parse_timestamp_token(value)
    except MalformedTimestamp:
        problems.append("time-stamp")
        return None, False
    whole = token.signature_ok and token.covers(signed.signature)
    if not whole:
        problems.append("time-stamp")
    return token, whole


def _modification(
    reader: BoundedReader,
    named_field: tuple[str, generic.DictionaryObject],
    coverage: _Coverage | None,
    problems: list[str],
) -> Modification:
    """What pyHanko's comparison of revisions says; what it can't say is OTHER."""
    if coverage is None or not ends_like_a_pdf(reader.data, coverage.end):
        problems.append("signed revision")
        return Modification.OTHER
    try:
        embedded: Any = EmbeddedPdfSignature(reader, named_field[1], named_field[0])
        embedded.compute_integrity_info()
        compared, summary = embedded.diff_result, embedded.summarise_integrity_info()
    except Exception:  # any of the many errors that a hostile update provokes
        problems.append("later changes can't be compared")
        return Modification.OTHER
    if not isinstance(compared, DiffResult):
        problems.append("later changes")
        return Modification.OTHER
    if summary["docmdp_ok"] is not True:
        problems.append("later changes that the signer did not permit")
        return Modification.OTHER
    if compared.modification_level is ModificationLevel.NONE:
        problems.append("bytes after the end")  # of no revision, so of no document; but not the signer's
        return Modification.OTHER
    return _LEVELS.get(compared.modification_level, Modification.OTHER)


def _attachments(
    data: bytes, reader: BoundedReader, coverage: _Coverage | None, problems: list[str]
) -> Mapping[str, bytes]:
    """Those of the covered bytes, read as the file they were when signed: no later update can reach in."""
    if coverage is None:
        return {}
    try:
        return attachments((reader if coverage.end == len(data) else BoundedReader(data[: coverage.end])).root)
    except Exception:  # the covered bytes are no PDF by themselves
        problems.append("signed revision")
        return {}


def _claimed_at(dictionary: generic.DictionaryObject) -> datetime | None:
    value: Any = entry(dictionary, "/M")
    try:
        moment = generic.parse_pdf_date(value)
        return moment.astimezone(UTC) if moment.tzinfo is not None else None
    except Exception:  # a claim that is no date is no claim
        return None
