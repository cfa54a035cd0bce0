"""Keep a signed PDF verifiable: add a time-stamp (B-T), validation data (B-LT), an archive time-stamp (B-LTA), again
and again. Only incremental updates: no byte that is there is changed, and nothing is signed but by the time-stamper.

Adds nothing to a file whose signature is not whole or that was altered after it: augmenting must not make a bad file
look kept. Whether its signer may be believed is not asked: chains end where the caller says. Fetches nothing itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from io import BytesIO
from itertools import islice, pairwise
from typing import Any, Final

from asn1crypto import crl as asn1_crl
from asn1crypto import ocsp as asn1_ocsp
from asn1crypto import x509 as asn1_x509
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import SigFieldSpec
from pyhanko.sign.signers.cms_embedder import PdfCMSEmbedder, SigIOSetup, SigObjSetup
from pyhanko.sign.signers.pdf_byterange import DocumentTimestamp as TimestampPlaceholder
from pyhanko.sign.validation.dss import DocumentSecurityStore

from keys.envelopes.pades.levels import Level
from keys.envelopes.pades.model import DocumentTimestamp, Modification, PdfSignature, SignedPdf, ValidationData
from keys.envelopes.pades.reading import parse_signed_pdf
from keys.errors import (
    AlgorithmNotSupported,
    CannotAugment,
    MalformedEnvelope,
    MalformedRevocation,
    TimestampUnavailable,
)
from keys.revocation import (
    CertificateStanding,
    CertificateState,
    Crl,
    OcspResponse,
    certificate_standing,
    parse_crl,
    parse_ocsp_response,
)
from keys.timestamps import EmbeddedTimestamper, Timestamper
from keys.x509 import Certificate, PathOutcome, validate_path

_ROOM_FOR_FOREIGN_TIMESTAMP: Final = 12288
_MOST_PIECES: Final = 64

RevocationSource = Callable[[Certificate, Certificate], Iterable[bytes]]
"""(certificate, its issuer) -> CRLs and OCSP responses (DER) that may be about it. Asked only for what is missing."""


@dataclass(frozen=True, slots=True)
class Material:
    """What chains are made of: `anchors` end them, `certificates` may stand between; `revocation` is asked for both
    signers' and time-stampers' certificates."""

    anchors: tuple[Certificate, ...]
    revocation: RevocationSource
    certificates: tuple[Certificate, ...] = ()


@dataclass(frozen=True, slots=True)
class Augmented:
    """The longer file, or the same one where nothing was to be added. `level` is the least of its signatures'."""

    data: bytes
    before: Level
    level: Level
    validation_data: int = 0  # how many certificates, CRLs and OCSP responses were added
    timestamps: int = 0  # how many document time-stamps were added


def augment_pdf(
    data: bytes,
    *,
    to: Level,
    timestamper: Timestamper | None,
    material: Material,
    now: datetime,
    renew: bool = False,
) -> Augmented:
    """Bring every signature of the PDF `data` to the level `to` (B_T, B_LT or B_LTA) at `now` (UTC).

    What has the level is left as it is, unless `renew` asks a B-LTA file for new validation data and another archive
    time-stamp. A signature without a time-stamp of its own gets B-T by a document time-stamp. Raises CannotAugment,
    MalformedEnvelope (no PDF that can be read), TimestampUnavailable.

    Spec: ETSI EN 319 142-1 clauses 5.4, 5.5 and 6.3; EN 319 102-1 clauses 5.5 and 5.6.
    """
    work = _Work(_whole(data), material, now)
    before = work.level()
    if to is Level.B_B or (before >= to and not renew):
        return Augmented(data, before, before)
    stamps = pieces = 0
    if any(work.proven_at(signature) is None for signature in work.pdf.signatures):
        work = work.on(_stamped(work.pdf, timestamper))
        stamps += 1
    if to >= Level.B_LT:
        lacking = work.lacking(work.pdf.validation_data, work.pdf.timestamps, ask=True)
        if renew and work.pdf.timestamps:
            lacking = replace(lacking, pieces=(*lacking.pieces, *work.news(work.pdf.timestamps[-1])))
        if lacking.size:
            work = work.on(_with_validation_data(work.pdf, lacking))
            pieces = lacking.size
    if to is Level.B_LTA and (renew or work.level() is not Level.B_LTA):
        work = work.on(_stamped(work.pdf, timestamper))
        stamps += 1
    return Augmented(work.pdf.data, before, work.level(), pieces, stamps)


def level_of(pdf: SignedPdf, material: Material, now: datetime) -> Level:
    """The least level of its signatures, by what is in the file and the anchors of `material`. Raises CannotAugment."""
    return _Work(pdf, material, now).level()


def renewal_due(pdf: SignedPdf) -> datetime | None:
    """Until when (UTC) the last document time-stamp keeps the rest: its certificate's end, or its algorithm's. None
    without a whole one. Spec: EN 319 142-1 clause 5.5.
    """
    whole = [stamp for stamp in pdf.timestamps if stamp.whole]
    if not whole:
        return None
    certificate = whole[-1].token.certificate
    try:
        sunset = certificate.public_key.algorithm.sunset
    except AlgorithmNotSupported:
        sunset = None
    return certificate.not_after if sunset is None else min(certificate.not_after, sunset)


def _whole(data: bytes) -> SignedPdf:
    """The file's facts, if every signature in it is whole and nothing but permitted things came after."""
    pdf = parse_signed_pdf(data)
    if not pdf.signatures:
        raise CannotAugment("unsigned")
    for signature in pdf.signatures:
        if not (signature.digest_ok and signature.signature_ok) or signature.modification is Modification.OTHER:
            raise CannotAugment("altered", signature.field_name)
        if signature.certificate is None or not signature.signing_certificate_attribute_ok:
            raise CannotAugment("not_baseline", signature.field_name)
    for stamp in pdf.timestamps:
        if not stamp.whole:
            raise CannotAugment("altered", stamp.token.certificate.common_name or "")
    return pdf


@dataclass(frozen=True, slots=True)
class _Lacking:
    """What is missing; `complete` is False where it is not to be had."""

    certificates: tuple[Certificate, ...] = ()
    pieces: tuple[bytes, ...] = ()
    complete: bool = True

    @property
    def size(self) -> int:
        return len(self.certificates) + len(self.pieces)


class _Work:
    """One file with what may be added to it."""

    def __init__(self, pdf: SignedPdf, material: Material, now: datetime) -> None:
        self.pdf, self._material, self._now = pdf, material, now

    def on(self, data: bytes) -> _Work:
        """The same work on the longer file, read anew: what was whole is whole still, or it is refused."""
        return _Work(_whole(data), self._material, self._now)

    def proven_at(self, signature: PdfSignature) -> datetime | None:
        """By when the signature existed: its own time-stamp, else the first document time-stamp over it."""
        if signature.timestamp is not None and signature.timestamp_ok:
            return signature.timestamp.generated_at
        over = (stamp for stamp in self.pdf.timestamps if stamp.signed_size > signature.signed_size)
        return next((stamp.token.generated_at for stamp in over), None)

    def level(self) -> Level:
        if any(self.proven_at(signature) is None for signature in self.pdf.signatures):
            return Level.B_B
        stamps = self.pdf.timestamps
        last = stamps[-1] if stamps else None
        if last is not None and last.signed_size > self.pdf.signatures[-1].signed_size:
            covered = parse_signed_pdf(self.pdf.data[: last.signed_size]).validation_data
            if self._has_all(covered, stamps[:-1]):
                return Level.B_LTA
        return Level.B_LT if self._has_all(self.pdf.validation_data, stamps) else Level.B_T

    def _has_all(self, held: ValidationData, stamps: Sequence[DocumentTimestamp]) -> bool:
        try:
            found = self.lacking(held, stamps, ask=False)
        except CannotAugment:
            return False
        return found.complete and not found.certificates

    def lacking(self, held: ValidationData, stamps: Sequence[DocumentTimestamp], *, ask: bool) -> _Lacking:
        """Which certificates and revocation data of all chains `held` lacks. Raises CannotAugment where, asked for,
        they are not to be had."""
        certificates: dict[Certificate, None] = {}
        pieces: dict[bytes, None] = {}
        complete = True
        known = _readable((*held.crls, *held.ocsp_responses))
        for leaf, at in self._signers(stamps):
            chain = self._chain(leaf, at, held)
            certificates.update((each, None) for each in chain if each not in held.certificates)
            for certificate, issuer in pairwise(chain):
                if _settled(certificate, issuer, [*known, *_readable(pieces)], at, strict=ask):
                    continue
                complete = False
                if ask:
                    pieces[self._evidence(certificate, issuer, at)] = None
        return _Lacking(tuple(certificates), tuple(pieces), complete)

    def _signers(self, stamps: Sequence[DocumentTimestamp]) -> Iterator[tuple[Certificate, datetime]]:
        """Every signer and time-stamper, and the moment for which its certificate must have been good."""
        for signature in self.pdf.signatures:
            at = self.proven_at(signature) or self._now
            if signature.algorithm is None or not signature.algorithm.usable_at(at):
                raise CannotAugment("weak", signature.field_name)
            if signature.certificate is not None:
                yield signature.certificate, at
            if signature.timestamp is not None and signature.timestamp_ok:
                yield signature.timestamp.certificate, signature.timestamp.generated_at
        for stamp in stamps:
            yield stamp.token.certificate, stamp.token.generated_at

    def _chain(self, leaf: Certificate, at: datetime, held: ValidationData) -> tuple[Certificate, ...]:
        pool = [*held.certificates, *self._material.certificates]
        for signature in self.pdf.signatures:
            pool.extend(signature.intermediates)
            pool.extend(() if signature.timestamp is None else signature.timestamp.intermediates)
        for stamp in self.pdf.timestamps:
            pool.extend(stamp.token.intermediates)
        found = validate_path(leaf, tuple(dict.fromkeys(pool)), self._material.anchors, at)
        if found.outcome is not PathOutcome.OK:
            raise CannotAugment("no_chain", leaf.common_name or leaf.subject)
        return found.chain

    def news(self, stamp: DocumentTimestamp) -> Iterator[bytes]:
        """What was said after this time-stamp of its chain, where it is to be had and was not there already.

        It tells of a time-stamper whose key was lost meanwhile. Raises CannotAugment."""
        at, held = stamp.token.generated_at, self.pdf.validation_data
        for certificate, issuer in pairwise(self._chain(stamp.token.certificate, at, held)):
            for piece in self._offered(certificate, issuer):
                if _settled(certificate, issuer, [piece], at, strict=True, after=True):
                    yield from () if piece.der in (*held.crls, *held.ocsp_responses) else (piece.der,)
                    break

    def _evidence(self, certificate: Certificate, issuer: Certificate, at: datetime) -> bytes:
        """One piece that settles it. Raises CannotAugment."""
        for piece in self._offered(certificate, issuer):
            if _settled(certificate, issuer, [piece], at, strict=True):
                return piece.der
        raise CannotAugment("no_revocation", certificate.common_name or certificate.subject)

    def _offered(self, certificate: Certificate, issuer: Certificate) -> Iterator[Crl | OcspResponse]:
        for der in islice(self._material.revocation(certificate, issuer), _MOST_PIECES):
            yield from _readable((der,))


def _settled(
    certificate: Certificate,
    issuer: Certificate,
    evidence: Sequence[Crl | OcspResponse],
    at: datetime,
    *,
    strict: bool,
    after: bool = False,
) -> bool:
    """Whether the evidence (with `after`: made since) says that the certificate was good at `at`.

    Raises CannotAugment where it says the contrary (if `strict`): that file is not worth keeping as a good one."""
    standing = certificate_standing(certificate, issuer, evidence, at)
    if standing is None or standing.state is CertificateState.UNKNOWN:
        return False
    if standing.revoked_by(at):
        if strict:
            raise CannotAugment(_why(standing), certificate.common_name or certificate.subject)
        return False
    if after and standing.this_update < at:
        return False
    return standing.state is CertificateState.REVOKED or standing.speaks_of(at)


def _why(standing: CertificateStanding) -> str:
    return "on_hold" if standing.state is CertificateState.ON_HOLD else "revoked"


def _readable(pieces: Iterable[bytes]) -> list[Crl | OcspResponse]:
    found: list[Crl | OcspResponse] = []
    for der in pieces:
        try:
            found.append(parse_ocsp_response(der))
        except MalformedRevocation:
            try:
                found.append(parse_crl(der))
            except MalformedRevocation:
                continue
    return found


def _with_validation_data(pdf: SignedPdf, lacking: _Lacking) -> bytes:
    """One update with a document security store, or more in the one that is there. Spec: EN 319 142-1 clause 5.4.2."""
    writer = _writer(pdf)
    pieces = _readable(lacking.pieces)
    load: Any = asn1_x509.Certificate.load
    load_crl: Any = asn1_crl.CertificateList.load
    load_ocsp: Any = asn1_ocsp.OCSPResponse.load
    DocumentSecurityStore.supply_dss_in_writer(
        writer,
        None,  # no VRI: clause 5.4.2.3 leaves it out, validators look at the whole store
        certs=[load(each.der) for each in lacking.certificates],
        crls=[load_crl(each.der) for each in pieces if isinstance(each, Crl)],
        ocsps=[load_ocsp(each.der) for each in pieces if isinstance(each, OcspResponse)],
    )
    out = BytesIO()
    write: Any = writer.write
    write(out)
    return out.getvalue()


def _stamped(pdf: SignedPdf, timestamper: Timestamper | None) -> bytes:
    """One update with a document time-stamp over everything. Spec: EN 319 142-1 clause 5.4.3."""
    if timestamper is None:
        raise CannotAugment("no_timestamper")
    room = timestamper.room if isinstance(timestamper, EmbeddedTimestamper) else _ROOM_FOR_FOREIGN_TIMESTAMP
    name = f"timestamp-{len(pdf.timestamps) + 1}-{len(pdf.data)}"  # no field of this name can be there yet
    steps: Any = PdfCMSEmbedder(SigFieldSpec(name)).write_cms(name, _writer(pdf))
    next(steps)
    placeholder: Any = TimestampPlaceholder
    steps.send(SigObjSetup(sig_placeholder=placeholder(bytes_reserved=2 * room)))
    prepared, output = steps.send(SigIOSetup(md_algorithm="sha256"))
    token = timestamper.timestamp(prepared.document_digest)
    if len(token) > room:
        raise TimestampUnavailable(f"a time-stamp token of more than {room} bytes")
    steps.send(token)
    stamped: bytes = output.getvalue()
    return stamped


class _Writer(IncrementalPdfFileWriter):
    """Titles and dates stay what the signer saw: what is added is not an edit."""

    def _update_meta(self) -> None:
        pass


def _writer(pdf: SignedPdf) -> IncrementalPdfFileWriter:
    try:
        return _Writer(BytesIO(pdf.data))
    except Exception as err:  # whatever pyHanko says of a file that it can't extend
        raise MalformedEnvelope("not a PDF that anything can be added to") from err
