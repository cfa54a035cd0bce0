"""Seal a PDF: one incremental update with a PAdES baseline signature, B-T when there is a time-stamper, else B-B.

pyHanko writes the PDF structures; the CMS is `keys.cms`, signed once, by any Signer. Validation data (B-LT, B-LTA) can
be added later: the certification permits it. Nothing here decides who may sign what.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from io import BytesIO
from typing import Any, Final

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import MDPPerm, SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.signers.cms_embedder import PdfCMSEmbedder, SigIOSetup, SigMDPSetup, SigObjSetup
from pyhanko.sign.signers.pdf_byterange import SignatureObject

from keys.cms import DATA, TIME_STAMP_ATTRIBUTE, attribute, make_signed_data
from keys.envelopes.pades.model import Appearance
from keys.envelopes.pades.structure import signature_fields
from keys.errors import MalformedEnvelope, TimestampUnavailable
from keys.signer import Signer
from keys.timestamps import EmbeddedTimestamper, Timestamper
from keys.x509 import Certificate

_ROOM_FOR_CMS: Final = 1024  # everything but certificates and the time-stamp
_ROOM_FOR_FOREIGN_TIMESTAMP: Final = 6144


def sign_pdf(
    pdf: bytes,
    *,
    signer: Signer,
    certificate: Certificate,
    chain: Sequence[Certificate],
    timestamper: Timestamper | None,
    signed_at: datetime,
    appearance: Appearance | None,
    reason: str | None,
    location: str | None,
    field_name: str,
) -> bytes:
    """Sign `pdf` and return the longer file. `chain` is embedded beside `certificate`; `signed_at` is the claimed time.

    The first signature certifies the document: no change is permitted after it but validation data (DocMDP 1). Raises
    MalformedEnvelope if `pdf` can't be extended, TimestampUnavailable if the time-stamper has no token that fits.

    Spec: ETSI EN 319 142-1 clause 6.3 (B-B, B-T); ISO 32000-2 clauses 12.7.5.5, 12.8.1 and 12.8.2.2.
    """
    if signer.public_key != certificate.public_key:
        raise ValueError("the signer and the certificate are of different keys")
    stamp_room = _room_for_timestamp(timestamper)
    room = _ROOM_FOR_CMS + sum(len(c.der) for c in (certificate, *chain)) + stamp_room
    signature = SignatureObject(
        timestamp=signed_at,
        subfilter=SigSeedSubFilter.PADES,
        name=certificate.organisation,
        location=location,
        reason=reason,
        bytes_reserved=2 * room,
    )
    update = _Update(pdf, field_name, appearance)
    digest = update.prepare(signature, signer.algorithm.digest)

    def stamp(value: bytes) -> list[bytes]:
        if timestamper is None:
            return []
        token = timestamper.timestamp(hashlib.sha256(value).digest())
        if len(token) > stamp_room:
            raise TimestampUnavailable(f"a time-stamp token of more than {stamp_room} bytes")
        return [attribute(TIME_STAMP_ATTRIBUTE, token)]

    cms = make_signed_data(
        signer=signer,
        certificate=certificate,
        chain=chain,
        content_type=DATA,
        content=None,
        message_digest=digest,
        unsigned_attributes=stamp,
    )
    return update.finish(cms)


def _room_for_timestamp(timestamper: Timestamper | None) -> int:
    if timestamper is None:
        return 0
    return timestamper.room if isinstance(timestamper, EmbeddedTimestamper) else _ROOM_FOR_FOREIGN_TIMESTAMP


class _Update:
    """One incremental update: pyHanko's embedding protocol, step by step."""

    def __init__(self, pdf: bytes, field_name: str, appearance: Appearance | None) -> None:
        try:
            self._writer = IncrementalPdfFileWriter(BytesIO(pdf))
        except Exception as err:  # whatever pyHanko says of a file that it can't read
            raise MalformedEnvelope("not a PDF that a signature can be added to") from err
        # A certification is the first signature (ISO 32000-2 clause 12.8.2.2): later it would forbid an earlier one.
        self._first = next(signature_fields(self._writer.root), None) is None
        self._steps: Any = self._embedder(field_name, appearance).write_cms(field_name, self._writer)
        field = next(self._steps).get_object()
        if appearance is not None:
            field["/AP"] = _dictionary(N=self._image(appearance.pdf))

    def prepare(self, signature: SignatureObject, digest_name: str) -> bytes:
        """Write the file with room for the signature; its digest."""
        certify = SigMDPSetup(md_algorithm=digest_name, certify=True, docmdp_perms=MDPPerm.NO_CHANGES)
        self._steps.send(SigObjSetup(sig_placeholder=signature, mdp_setup=certify if self._first else None))
        prepared, self._output = self._steps.send(SigIOSetup(md_algorithm=digest_name))
        digest: bytes = prepared.document_digest
        return digest

    def _image(self, pdf: bytes) -> Any:
        """The appearance as a form that darkens what it covers, like ink: the date under a seal stays readable."""
        image = self._writer.import_page_as_xobject(PdfFileReader(BytesIO(pdf)))
        ink = _dictionary(Type=_name("ExtGState"), BM=_name("Multiply"))
        resources = _dictionary(XObject=_dictionary(Seal=image), ExtGState=_dictionary(Ink=ink))
        form = generic.StreamObject(
            _dictionary(
                Type=_name("XObject"), Subtype=_name("Form"), BBox=image.get_object()["/BBox"], Resources=resources
            ),
            stream_data=b"q /Ink gs /Seal Do Q",
        )
        return self._writer.add_object(form)

    def finish(self, cms: bytes) -> bytes:
        self._steps.send(cms)
        signed: bytes = self._output.getvalue()
        return signed

    @staticmethod
    def _embedder(field_name: str, appearance: Appearance | None) -> PdfCMSEmbedder:
        if appearance is None:
            return PdfCMSEmbedder(SigFieldSpec(field_name))
        number: Any = generic.FloatObject
        box: Any = tuple(number(round(edge, 2)) for edge in appearance.box)
        return PdfCMSEmbedder(SigFieldSpec(field_name, on_page=appearance.page, box=box))


def _name(text: str) -> generic.NameObject:
    return generic.pdf_name(f"/{text}")


def _dictionary(**entries: Any) -> generic.DictionaryObject:
    return generic.DictionaryObject({_name(key): value for key, value in entries.items()})  # type: ignore[no-untyped-call]
