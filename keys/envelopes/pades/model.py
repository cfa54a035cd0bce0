"""What a signed PDF says, as facts, and how a signature looks on the page. No verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from keys.model import Algorithm
from keys.timestamps import TimestampToken
from keys.x509 import Certificate


class Modification(Enum):
    """What was added to the file after the signed revision."""

    NONE = "none"
    LTV = "ltv"  # validation data and document time-stamps (EN 319 142-1 clause 5.4)
    FORM = "form"  # forms filled in, further signatures
    OTHER = "other"  # anything else, what can't be compared, and what the signer did not permit (DocMDP)


@dataclass(frozen=True, slots=True)
class Appearance:
    """A signature's image: a one-page vector PDF, the page (0 the first, -1 the last), and the box in points."""

    pdf: bytes
    page: int
    box: tuple[float, float, float, float]  # x1, y1, x2, y2 from the lower left corner


@dataclass(frozen=True, slots=True)
class PdfSignature:
    """One signature's facts. `problems` names, in a word or two each, whatever was not as it must be.

    `digest_ok`: the ByteRange is whole and its digest is the one signed. `signature_ok`: the certificate's key signed
    that. `signed_size`: how many bytes of the file, from its start, the signature covers. `attachments`: those of these
    bytes, never of anything added after. `claimed_at` is the signer's word; `timestamp_ok` says that `timestamp` is
    whole and over this signature's value, not that its authority is trusted.
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
    problems: tuple[str, ...]
    signed_size: int = 0
    attachments: Mapping[str, bytes] | None = None


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
