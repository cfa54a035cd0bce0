"""Putting a seal under a record: the renderings of one certificate, signed with the seal's key.

Only a `Recorded` can be sealed. Nothing is stored here, and whether sealing is allowed was decided when it was cleared.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from issuer.errors import GlyphMissing, SealKeyMismatch
from issuer.model import Recorded, RenderingKind, Renderings, Seal
from issuer.ports import Completing, Sealing
from issuer.renderings.pdf import LAYOUT, render_pdf, seal_appearance
from issuer.store.copies import RecordedCopies
from keys.envelopes.cose import sign_cose_sign1
from keys.envelopes.mdoc import issue_mdoc
from keys.envelopes.pades import Appearance, sign_pdf
from keys.envelopes.qr_text import encode_qr_text
from keys.envelopes.sd_jwt import issue_sd_jwt
from keys.signer import Signer
from keys.timestamps import Timestamper
from keys.x509 import Certificate, parse_certificate
from trust_registry.attestations import Attestation, to_copy_claims, to_cwt, to_sd_jwt_claims
from trust_registry.mdoc_attestations import to_mdoc
from trust_registry.model import CertificateType, Names
from trust_registry.typesetting import can_set

QR_PREFIX = "YX1:"
SIGNATURE_FIELD = "seal"


def seal_renderings(
    recorded: Recorded,
    signer: Signer,
    timestamper: Timestamper | None,
    *,
    authority: Names,
    signed_at: datetime,
) -> Renderings:
    """Sign all renderings of `recorded`; `authority` is printed above the date, `signed_at` claimed in the PDF.

    Raises: SealKeyMismatch, GlyphMissing, TimestampUnavailable, and whatever the signer raises.
    """
    certificate = seal_certificate(recorded.seal, signer)
    qr = _printed_qr(recorded, signer, certificate)
    return Renderings(
        pdf=_sealed_pdf(recorded, signer, timestamper, certificate, qr, authority=authority, signed_at=signed_at),
        sd_jwt_vc=_sd_jwt_vc(recorded, signer, certificate),
        qr=qr,
        mdoc=make_mdoc(recorded.attestation, signer, (certificate.der, *recorded.seal.chain)),
    )


def make_mdoc(attestation: Attestation, signer: Signer, chain: Sequence[bytes]) -> bytes:
    """IssuerSigned of the certificate (ISO/IEC 18013-5), in CBOR, for the holder's key if there is one.

    `chain`: the seal's certificate and what leads to its authority, in DER, signer first. Raises what the signer
    raises.
    """
    content = to_mdoc(attestation)
    return issue_mdoc(
        content.doc_type,
        content.elements,
        signer=signer,
        chain=chain,
        validity=content.validity,
        device_key=attestation.holder_key,
        status=content.status,
    )


def seal_copies(copies: RecordedCopies, kind: RenderingKind, signer: Signer) -> tuple[str | bytes, ...]:
    """Sign the copies for wallets: SD-JWT VCs as text, or mdocs (IssuerSigned) in CBOR; each with salts of its own.

    Raises: SealKeyMismatch, and whatever the signer raises.
    """
    cleared = copies.cleared
    certificate = seal_certificate(cleared.seal, signer)
    chain = (certificate.der, *cleared.seal.chain)
    if kind is RenderingKind.MDOC:
        return tuple(make_mdoc(each, signer, chain) for each in copies.attestations)
    header = _header(chain)
    decoys = len(cleared.type.claims) - len(cleared.attestation.claims)  # which optional claims there are tells nothing
    return tuple(
        issue_sd_jwt(*to_copy_claims(each), signer=signer, header=header, decoys=decoys) for each in copies.attestations
    )


def completed(sealing: Sealing, complete: Completing) -> Sealing:
    """`sealing`, its PDFs then given to `complete`."""

    def seal(
        recorded: Recorded, signer: Signer, timestamper: Timestamper | None, *, authority: Names, signed_at: datetime
    ) -> Renderings:
        made = sealing(recorded, signer, timestamper, authority=authority, signed_at=signed_at)
        return replace(made, pdf=complete(made.pdf))

    return seal


def seal_certificate(seal: Seal, signer: Signer) -> Certificate:
    """The seal's certificate, once the signer is known to hold its key. Raises: SealKeyMismatch."""
    certificate = parse_certificate(seal.certificate)
    if certificate.public_key != signer.public_key:
        raise SealKeyMismatch(seal.id)
    return certificate


def _printed_qr(recorded: Recorded, signer: Signer, certificate: Certificate) -> str:
    kid = bytes.fromhex(certificate.thumbprint[:16])
    cwt = to_cwt(recorded.attestation, recorded.type)
    return encode_qr_text(QR_PREFIX, sign_cose_sign1(cwt, signer=signer, kid=kid))


def _sd_jwt_vc(recorded: Recorded, signer: Signer, certificate: Certificate) -> str:
    claims, disclosable = to_sd_jwt_claims(recorded.attestation, recorded.type)
    header = _header((certificate.der, *recorded.seal.chain))
    return issue_sd_jwt(claims, disclosable, signer=signer, header=header)


def _header(chain: Sequence[bytes]) -> dict[str, Any]:
    return {"typ": "dc+sd-jwt", "x5c": [b64encode(der).decode() for der in chain]}


def _sealed_pdf(
    recorded: Recorded,
    signer: Signer,
    timestamper: Timestamper | None,
    certificate: Certificate,
    qr: str,
    *,
    authority: Names,
    signed_at: datetime,
) -> bytes:
    return sign_pdf(
        render_pdf(recorded, qr, authority=authority),
        signer=signer,
        certificate=certificate,
        chain=[parse_certificate(der) for der in recorded.seal.chain],
        timestamper=timestamper,
        signed_at=signed_at,
        appearance=Appearance(seal_appearance(recorded.seal.image_svg), LAYOUT.page, LAYOUT.seal_box),
        reason=f"{recorded.type.names.zh} {recorded.type.names.en}",
        location=recorded.seal.names.zh,
        field_name=SIGNATURE_FIELD,
    )


def check_printable(type: CertificateType, claims: Mapping[str, Any]) -> None:
    """Refuse, before anything is recorded, claims that the document fonts can't set. Raises: GlyphMissing."""
    for definition in type.claims:
        if not _can_set(claims.get(definition.name)):
            raise GlyphMissing(definition.name)


def _can_set(value: Any) -> bool:
    if isinstance(value, str):
        return can_set(value)
    if isinstance(value, Mapping):
        return all(_can_set(part) for part in value.values())
    if isinstance(value, Sequence):
        return all(_can_set(part) for part in value)
    return can_set(json.dumps(value))
