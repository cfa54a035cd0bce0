"""What a signed PDF says, as facts, and how a signature looks on the page. No verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from keys.model import Algorithm
from keys.signature_problems import SignatureProblem
from keys.timestamps import TimestampToken
from keys.x509 import Certificate


class Modification(Enum):
    """What was added to the file after the signed revision: the worst of its `Change`s, in one word."""

    NONE = "none"
    LTV = "ltv"  # validation data and document time-stamps (EN 319 142-1 clause 5.4)
    FORM = "form"  # forms filled in, further signatures
    OTHER = "other"  # anything else, what can't be compared, and what the signer did not permit (DocMDP)


class ChangeKind(Enum):
    """What one change after the signed revision can do to what a reader sees or relies on."""

    VALIDATION_DATA = "validation_data"  # a document security store: shows nothing
    DOCUMENT_TIMESTAMP = "document_timestamp"
    SIGNATURE = "signature"  # a further signature field, empty or filled
    FORM_VALUE = "form_value"  # a field filled in or emptied, with its appearance
    ANNOTATION = "annotation"  # something laid over a page: a note, a stamp, a redaction
    PAGE_ADDED = "page_added"
    PAGE_REMOVED = "page_removed"
    PAGE_ORDER = "page_order"
    PAGE_CONTENT = "page_content"  # what a page shows: content, resources, fonts, boxes
    SIGNATURE_CHANGED = "signature_changed"  # another signature, its field or its look
    ATTACHMENT = "attachment"
    ACTION = "action"  # what the document does when opened
    METADATA = "metadata"  # titles and such: shows nothing on a page
    STRUCTURE = "structure"  # the catalogue, the tree of pages or of fields, anything not named above
    HIDDEN = "hidden"  # content that lay in the signed bytes unseen, and is seen now
    UNREADABLE = "unreadable"  # what can't be compared


@dataclass(frozen=True, slots=True)
class Change:
    """One change after a signed revision. `pages` counts from 1, in the document as it is now; empty if of no page.

    `permitted`: by the first certification (DocMDP) and the field locks in force. `detail` is a word or two for a
    report: a field's name, an object's type, never content.
    """

    kind: ChangeKind
    pages: tuple[int, ...] = ()
    permitted: bool = False
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Appearance:
    """A signature's image: a one-page vector PDF, the page (0 the first, -1 the last), and the box in points."""

    pdf: bytes
    page: int
    box: tuple[float, float, float, float]  # x1, y1, x2, y2 from the lower left corner


@dataclass(frozen=True, slots=True)
class PdfSignature:
    """One signature's facts. `problems` names whatever was not as it must be.

    `digest_ok`: the ByteRange is whole and its digest is the one signed. `signature_ok`: the certificate's key signed
    that; with `algorithm`, which may be retired (`Algorithm.usable_at`). Where there are no signed attributes, the two
    are one question. `signed_size`: how many bytes of the file, from its start, the signature covers. `attachments`:
    those of these bytes, never of anything added after. `claimed_at` is the signer's word: in the CMS, else beside it.
    `timestamp_ok` says that `timestamp` is whole and over this signature's value, not that its authority is trusted.
    `sub_filter` is the form of the signature, such as "ETSI.CAdES.detached".
    """

    field_name: str
    certificate: Certificate | None
    intermediates: tuple[Certificate, ...]
    algorithm: Algorithm | None
    digest_ok: bool
    signature_ok: bool
    covers_whole_file: bool
    modification: Modification
    claimed_at: datetime | None
    timestamp: TimestampToken | None
    timestamp_ok: bool
    signing_certificate_attribute_ok: bool
    problems: tuple[SignatureProblem, ...]
    signed_size: int = 0
    attachments: Mapping[str, bytes] | None = None
    changes: tuple[Change, ...] = ()
    certification: int | None = None  # DocMDP level (1 to 3) of a certification signature; None: an approval signature
    sub_filter: str = ""


@dataclass(frozen=True, slots=True)
class DocumentTimestamp:
    """A document time-stamp (ISO 32000-2 clause 12.8.5): `whole` says that it is over its ByteRange, nothing more."""

    token: TimestampToken
    whole: bool
    signed_size: int
    changes: tuple[Change, ...] = ()
    problems: tuple[SignatureProblem, ...] = ()


@dataclass(frozen=True, slots=True)
class ValidationData:
    """What the document security store holds (EN 319 142-1 clause 5.4.2), and then the signatures themselves: DER as it
    stands, nothing verified, each once. What is not what it should be is left out, and `problems` says so.
    """

    certificates: tuple[Certificate, ...] = ()
    crls: tuple[bytes, ...] = ()
    ocsp_responses: tuple[bytes, ...] = ()
    problems: tuple[SignatureProblem, ...] = ()


@dataclass(frozen=True, slots=True)
class SignedPdf:
    """A PDF's signatures, by what they cover, the smallest first; without any, `signatures` is empty.

    `attachments` are those of the first signature's revision (of the file, if it is not signed): what somebody added
    later is not among them. A signature whose digest fails comes after those whose digest holds.
    """

    data: bytes
    signatures: tuple[PdfSignature, ...]
    attachments: Mapping[str, bytes]
    revision_count: int
    timestamps: tuple[DocumentTimestamp, ...] = ()  # by what they cover, the smallest first
    validation_data: ValidationData = ValidationData()
