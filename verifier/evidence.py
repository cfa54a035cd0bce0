"""Finding out what was handed in: bytes or text in, `Evidence` or `MalformedEvidence` out. Verifies nothing."""

from __future__ import annotations

import hashlib
from base64 import b64decode
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final
from urllib.parse import urlsplit

from keys.certificate_names import dns_names
from keys.envelopes.base64url import b64url_encode
from keys.envelopes.cose import parse_cose_sign1
from keys.envelopes.hcert import PREFIX as HEALTH_PREFIX
from keys.envelopes.hcert import parse_health_certificate
from keys.envelopes.jws import Jws, parse_jws
from keys.envelopes.pades import PdfSignature, parse_signed_pdf
from keys.envelopes.qr_text import decode_qr_text
from keys.envelopes.sd_jwt import parse_sd_jwt
from keys.envelopes.sd_jwt_json import compact_sd_jwt
from keys.envelopes.strict_json import load_json
from keys.errors import EncryptedPdf, MalformedCertificate, MalformedEnvelope
from keys.x509 import Certificate, parse_certificate
from trust_registry.attestations import Attestation, from_cwt, from_json, from_sd_jwt_claims
from trust_registry.errors import MalformedAttestation
from trust_registry.model import RelyingPartyId
from verifier.errors import MalformedEvidence, Unreadable
from verifier.mdoc_evidence import looks_like_mdoc, mdoc_in_text, read_mobile_document
from verifier.model import (
    Credential,
    Evidence,
    EvidenceKind,
    HealthCode,
    Indication,
    MobileDocument,
    QrCode,
    Receipt,
    ReceiptFile,
    SealedData,
    SealedPdf,
    StatedTerms,
)

QR_PREFIX: Final = "YX1:"
ONE_TIME_PREFIX: Final = "YXP:"
ATTACHMENT: Final = "yinxin-certificate.json"
RECEIPT_TYPE: Final = "yinxin-receipt+jwt"
MAX_PDF: Final = 20 * 1024 * 1024
MAX_TEXT: Final = 1024 * 1024
MAX_QR: Final = 8192  # a version 40 code holds 4,296 alphanumeric characters
_LAST_SECOND: Final = 253402300799  # of the year 9999
_PDF_MARK: Final = b"%PDF-"
_PDF_MARK_WITHIN: Final = 1024  # ISO 32000-2 annex I.3: readers look that far
_MAX_CHAIN: Final = 6
# SD-JWT VC, "Registered JWT Claims": who could withhold `exp` would hold for ever what was issued for a year.
_NEVER_DISCLOSED: Final = frozenset({"iss", "nbf", "exp", "cnf", "vct", "vct#integrity", "aka_vcts", "status"})
_NUMBER: Final = "certificate_id"  # in wallets' copies for the holder to show or not
# A tuple: strangers' headers hold what has no hash. The second name: drafts before November 2024.
_CREDENTIAL_TYPES: Final = ("dc+sd-jwt", "vc+sd-jwt")


def digest_of(data: bytes | str) -> str:
    """ "sha256:<hex>" of what was handed in; of text, without white space around it."""
    raw = data.strip().encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    return "sha256:" + hashlib.sha256(raw).hexdigest()


def parse(data: bytes | str) -> Evidence:
    """The evidence in `data`: a PDF, SD-JWT VC, mdoc, printed code, health certificate (both as text) or receipt.

    Raises: MalformedEvidence, with the reason and, when it began like a known form, its kind.
    """
    if isinstance(data, bytes):
        if _PDF_MARK in data[:_PDF_MARK_WITHIN]:
            return _pdf(data)
        if looks_like_mdoc(data):
            return _mobile_document(data)
        data = _text(data)
    elif len(data) > MAX_TEXT:
        raise MalformedEvidence(Unreadable.TOO_LARGE, None, f"more than {MAX_TEXT} characters")
    text = data.strip()
    if text.startswith(QR_PREFIX):
        return _qr(text)
    if text.startswith(HEALTH_PREFIX):
        return _health(text)
    if not text:
        raise MalformedEvidence(Unreadable.EMPTY)
    if text[:4].upper() == ONE_TIME_PREFIX:
        raise MalformedEvidence(Unreadable.ONE_TIME_CODE)
    if "~" in text or text.startswith("{"):
        return _credential(text)
    if text.count(".") == 2:
        return _receipt(text)
    mdoc = mdoc_in_text(text)
    if mdoc is not None:
        return _mobile_document(mdoc)
    raise MalformedEvidence(Unreadable.NOT_RECOGNISED)


def _mobile_document(data: bytes) -> MobileDocument:
    if len(data) > MAX_TEXT:
        raise MalformedEvidence(Unreadable.TOO_LARGE, EvidenceKind.MDOC.value, f"more than {MAX_TEXT} bytes")
    try:
        return read_mobile_document(data)
    except MalformedEnvelope as err:
        raise _damaged(EvidenceKind.MDOC, err) from err


def _text(data: bytes) -> str:
    if len(data) > MAX_TEXT:
        raise MalformedEvidence(Unreadable.TOO_LARGE, None, f"more than {MAX_TEXT} bytes, and not a PDF")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise MalformedEvidence(Unreadable.NOT_RECOGNISED) from None


def _qr(text: str) -> QrCode:
    if len(text) > MAX_QR:
        raise MalformedEvidence(Unreadable.TOO_LARGE, EvidenceKind.QR.value, f"more than {MAX_QR} characters")
    try:
        cose = parse_cose_sign1(decode_qr_text(text, QR_PREFIX))
        attestation = from_cwt(cose.payload)
    except (MalformedEnvelope, MalformedAttestation) as err:
        raise _damaged(EvidenceKind.QR, err) from err
    return QrCode("sha256:" + hashlib.sha256(text.encode()).hexdigest(), cose, attestation)


def _health(text: str) -> HealthCode:
    if len(text) > MAX_QR:
        raise MalformedEvidence(Unreadable.TOO_LARGE, EvidenceKind.HEALTH.value, f"more than {MAX_QR} characters")
    try:
        return HealthCode(digest_of(text), parse_health_certificate(text))
    except MalformedEnvelope as err:
        raise _damaged(EvidenceKind.HEALTH, err) from err


def _credential(text: str) -> Credential:
    kind = EvidenceKind.SD_JWT_VC
    try:
        sd_jwt = parse_sd_jwt(_compact(text))
        if sd_jwt.jws.header.get("typ") not in _CREDENTIAL_TYPES:
            raise MalformedEnvelope("typ is not that of an SD-JWT VC")
        if not _NEVER_DISCLOSED.isdisjoint(sd_jwt.roots):
            raise MalformedEnvelope("a protocol claim stands in a disclosure")
        chain = _chain(sd_jwt.jws.header)
        attestation, withheld = _attestation(sd_jwt.claims), None
        if attestation is not None and _NUMBER not in sd_jwt.claims:
            attestation, withheld = None, attestation
        own = attestation is not None and "aud" not in sd_jwt.claims
        terms = None if own else _terms(sd_jwt.claims, chain)
    except (MalformedEnvelope, MalformedAttestation) as err:
        raise _damaged(kind, err) from err
    return Credential(digest_of(text), sd_jwt, chain[0] if chain else None, chain[1:], attestation, terms, withheld)


def _compact(text: str) -> str:
    """RFC 9901 section 8: the JSON serialization says the same as the compact one."""
    if not text.startswith("{"):
        return text
    try:
        return compact_sd_jwt(text)
    except MalformedEnvelope as err:
        if '"payload"' in text:
            raise
        raise MalformedEvidence(Unreadable.NOT_RECOGNISED) from err  # JSON of another kind


def _attestation(claims: Mapping[str, Any]) -> Attestation | None:
    """What it says of a certificate of this network; without its number, where the holder withheld that."""
    try:
        return from_sd_jwt_claims(claims if _NUMBER in claims else {_NUMBER: "", **claims})
    except MalformedAttestation:
        vct = claims.get("vct")
        if not isinstance(vct, str) or not vct or vct.startswith("urn:yinxin:"):
            raise  # SD-JWT VC section 2.2.2: vct is required, and text
        return None


def _terms(claims: Mapping[str, Any], chain: tuple[Certificate, ...]) -> StatedTerms:
    """Spec: RFC 9901 section 7.1 step 6; RFC 7519 sections 4.1.3 to 4.1.6."""
    audience = None
    if "aud" in claims:
        names = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
        if not all(isinstance(name, str) for name in names):
            raise MalformedEnvelope("aud is not text, nor a list of texts")
        audience = tuple(names)
    issued_at, valid_from, valid_until = (_numeric_date(claims, name) for name in ("iat", "nbf", "exp"))
    contradicted = bool(chain) and _contradicts(claims.get("iss"), chain[0])
    return StatedTerms(issued_at, valid_from, valid_until, "status" in claims, audience, contradicted)


def _contradicts(issuer: object, certificate: Certificate) -> bool:
    """Whether the certificate names web addresses, and none of them is the issuer's.

    The issuer is the certificate's subject; what `iss` says beside it may not be somebody else. Spec: SD-JWT VC,
    "Issuer Verification Key Discovery and Validation".
    """
    if issuer is not None and not isinstance(issuer, str):
        raise MalformedEnvelope("iss is not text")
    if issuer is None or not issuer.startswith("https://"):
        return False
    uris, hosts = certificate.san_uris, dns_names(certificate)
    if not uris and not hosts:
        return False
    try:
        host = urlsplit(issuer).hostname
    except ValueError as err:
        raise MalformedEnvelope("iss is not a URI") from err
    return issuer not in uris and host not in [name.lower() for name in hosts]


def _numeric_date(claims: Mapping[str, Any], name: str) -> datetime | None:
    """Beyond the years that there are dates for: the first or the last of them. Parts of a second count."""
    if name not in claims:
        return None
    value = claims[name]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise MalformedEnvelope(f"{name} is not a number")
    return datetime.fromtimestamp(min(max(value, 0), _LAST_SECOND), UTC)


def _pdf(data: bytes) -> SealedPdf:
    if len(data) > MAX_PDF:
        raise MalformedEvidence(Unreadable.TOO_LARGE, EvidenceKind.PDF.value, f"more than {MAX_PDF} bytes")
    try:
        pdf = parse_signed_pdf(data)
    except EncryptedPdf as err:
        raise MalformedEvidence(Unreadable.ENCRYPTED, EvidenceKind.PDF.value, str(err)) from err
    except MalformedEnvelope as err:
        raise _damaged(EvidenceKind.PDF, err) from err
    digest = "sha256:" + hashlib.sha256(data).hexdigest()
    return SealedPdf(digest, pdf, tuple(_sealed_data(signature) for signature in pdf.signatures))


def _sealed_data(signature: PdfSignature) -> SealedData:
    """What this very signature covers: an attachment added later is not the signer's."""
    attachment = (signature.attachments or {}).get(ATTACHMENT)
    if attachment is None:
        return SealedData(None)
    try:
        return SealedData(from_json(attachment))
    except MalformedAttestation:
        return SealedData(None, damaged=True)


def _receipt(text: str) -> ReceiptFile:
    try:
        jws = parse_jws(text, max_size=MAX_TEXT)
    except MalformedEnvelope as err:
        raise MalformedEvidence(Unreadable.NOT_RECOGNISED, None, str(err)) from err
    if jws.header.get("typ") != RECEIPT_TYPE:
        raise MalformedEvidence(Unreadable.NOT_RECOGNISED)
    try:
        chain = _chain(jws.header)
        if not chain:
            raise MalformedEnvelope("a receipt without x5c")
        receipt = _read_receipt(jws)
    except MalformedEnvelope as err:
        raise _damaged(EvidenceKind.RECEIPT, err) from err
    return ReceiptFile(digest_of(text), jws, chain[0], chain[1:], receipt)


def _read_receipt(jws: Jws) -> Receipt:
    claims = load_json(jws.payload)
    try:
        trust, status, report = claims["trust"], claims.get("status"), claims["report"]
        Indication(report["indication"])
        texts = (claims["jti"], claims["iss"], claims["evidence"], "" if status is None else status)
        if not all(isinstance(text, str) for text in texts):
            raise TypeError("text expected")
        if not all(isinstance(version, int) for version in trust.values()):
            raise TypeError("versions expected")
        issued_at = datetime.fromtimestamp(claims["iat"], UTC)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, OSError) as err:
        raise MalformedEnvelope("not the content of a receipt") from err
    return Receipt(texts[0], RelyingPartyId(texts[1]), issued_at, texts[2], trust, status, report)


def _chain(header: Mapping[str, Any]) -> tuple[Certificate, ...]:
    """The certificates of `x5c`, signer first (RFC 7515 section 4.1.6: base64, not base64url)."""
    x5c = header.get("x5c", [])
    if not isinstance(x5c, list) or len(x5c) > _MAX_CHAIN or not all(isinstance(item, str) for item in x5c):
        raise MalformedEnvelope(f"x5c is not a list of at most {_MAX_CHAIN} certificates")
    chain = _certificates(tuple(x5c))
    stated = header.get("x5t#S256")  # RFC 7515 section 4.1.8: of the certificate that signed
    if chain and stated is not None and stated != b64url_encode(bytes.fromhex(chain[0].thumbprint)).decode("ascii"):
        raise MalformedEnvelope("x5t#S256 is not that of the signing certificate")
    return chain


@lru_cache(maxsize=256)  # a header comes again and again: one per seal
def _certificates(x5c: tuple[str, ...]) -> tuple[Certificate, ...]:
    try:
        return tuple(parse_certificate(b64decode(item, validate=True)) for item in x5c)
    except (ValueError, MalformedCertificate) as err:
        raise MalformedEnvelope("x5c holds something that is not a certificate") from err


def _damaged(kind: EvidenceKind, err: Exception) -> MalformedEvidence:
    return MalformedEvidence(Unreadable.DAMAGED, kind.value, str(err))
