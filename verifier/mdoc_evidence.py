"""Mobile documents as evidence: CBOR, or its base64url text as OpenID4VP and OpenID4VCI carry it. Verifies nothing."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from typing import Final

from keys.envelopes.base64url import b64url_decode
from keys.envelopes.mdoc import Mdoc, parse_mdoc
from keys.errors import MalformedCertificate, MalformedEnvelope
from keys.x509 import parse_certificate
from trust_registry.attestations import Attestation
from trust_registry.errors import MalformedAttestation
from trust_registry.mdoc_attestations import from_mdoc
from verifier.model import MobileDocument, StatedTerms

# Heads of maps, and how long each is: of one to 23 members, with a count of one to eight bytes, of indefinite length.
_MAPS: Final = {**dict.fromkeys(range(0xA1, 0xB8), 1), 0xB8: 2, 0xB9: 3, 0xBA: 5, 0xBB: 9, 0xBF: 1}
# Of the three maps that an mdoc can be: the name of its first member is among these, whatever their order.
_NAMES: Final = (b"version", b"documents", b"status", b"docType", b"issuerSigned", b"deviceSigned", b"nameSpaces")
_MORE_NAMES: Final = (b"issuerAuth", b"documentErrors", b"errors")
_TEXT: Final = re.compile(r"[A-Za-z0-9_-]{64,}={0,2}", re.ASCII)
_NO_END: Final = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


def looks_like_mdoc(data: bytes) -> bool:
    """Whether `data` begins as an mdoc does: a CBOR map whose first name is one of an mdoc's. No text begins so."""
    at = _MAPS.get(data[0]) if data else None
    if at is None or len(data) <= at or not 0x60 <= data[at] <= 0x77:
        return False
    return data[at + 1 : at + 1 + data[at] - 0x60] in (*_NAMES, *_MORE_NAMES)


def mdoc_in_text(text: str) -> bytes | None:
    """The CBOR of an mdoc in base64url, padded or not; None if it is none."""
    if not _TEXT.fullmatch(text):
        return None
    try:
        data = b64url_decode(text.rstrip("=").encode("ascii"))
    except ValueError:
        return None
    return data if looks_like_mdoc(data) else None


def read_mobile_document(data: bytes) -> MobileDocument:
    """The evidence in an mdoc. Raises: MalformedEnvelope."""
    mdoc = parse_mdoc(data)
    try:
        chain = tuple(parse_certificate(der) for der in mdoc.issuer_signed.issuer_auth.chain())
    except MalformedCertificate as err:
        raise MalformedEnvelope("x5chain holds something that is not a certificate") from err
    attestation = _attestation(mdoc)
    return MobileDocument(
        "sha256:" + hashlib.sha256(data).hexdigest(),
        mdoc,
        chain[0],
        chain[1:],
        attestation,
        None if attestation is not None else _terms(mdoc),
    )


def _attestation(mdoc: Mdoc) -> Attestation | None:
    try:
        return from_mdoc(mdoc)
    except MalformedAttestation:
        return None


def _terms(mdoc: Mdoc) -> StatedTerms:
    validity = mdoc.mso.validity
    until = None if validity.valid_until == _NO_END else validity.valid_until
    return StatedTerms(validity.signed, validity.valid_from, until, mdoc.mso.status is not None)
