"""The first checks: is it well formed, is it whole, and which certificate made the signature. Trusts nobody yet.

Numbered steps name clauses of ETSI EN 319 102-1.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from keys.certificate_names import self_signed
from keys.envelopes.mdoc import ItemOutcome
from keys.envelopes.pades import DocumentTimestamp
from keys.errors import AlgorithmNotSupported, MalformedCertificate
from keys.model import Algorithm
from keys.public_key import PublicKey
from keys.timestamps import TimestampToken
from keys.x509 import Certificate, parse_certificate
from trust_registry.attestations import Attestation
from trust_registry.mdoc_attestations import type_of_doc_type
from trust_registry.model import TrustView
from verifier.core.findings import failed, passed, unknown
from verifier.core.listed import ListedSeal, listed, named_first
from verifier.model import Check, Credential, Finding, MobileDocument, Outcome, Policy, QrCode, SubIndication

_PASSED: Final = Outcome.PASSED
_NO_CERTIFICATES: Final[tuple[Certificate, ...]] = ()
FORMAT_OK: Final = passed(Check.FORMAT, "format_ok")
FORMAT_FOREIGN: Final = passed(Check.FORMAT, "format_foreign")
INTEGRITY_OK: Final = passed(Check.INTEGRITY, "integrity_ok")
SIGNATURE_WRONG: Final = failed(Check.INTEGRITY, "signature_wrong", SubIndication.SIG_CRYPTO_FAILURE)
SIGNER_UNKNOWN: Final = unknown(Check.INTEGRITY, "signer_unknown", SubIndication.NO_SIGNING_CERTIFICATE_FOUND)
ALGORITHM_UNKNOWN: Final = unknown(Check.INTEGRITY, "algorithm_unknown", SubIndication.CRYPTO_CONSTRAINTS_FAILURE)
_CHAIN_IMPROPER: Final = failed(Check.FORMAT, "chain_improper", SubIndication.SIG_CONSTRAINTS_FAILURE)
ITEM_ALTERED: Final = failed(Check.INTEGRITY, "item_altered", SubIndication.HASH_FAILURE)
DOC_TYPE_DIFFERS: Final = failed(Check.FORMAT, "doc_type_differs", SubIndication.SIG_CONSTRAINTS_FAILURE)
_CORE_WITHHELD: Final = unknown(Check.FORMAT, "core_withheld", SubIndication.SIGNED_DATA_NOT_FOUND)
_NO_TRUST: Final = unknown(Check.INTEGRITY, "no_trust_data", SubIndication.TRY_LATER)


@dataclass(slots=True)  # not frozen: made for every verification, and never leaves this package
class Signature:
    """What is established about the signature: how it fared, who made it, when it says that it was made."""

    form: Finding
    integrity: Finding
    certificate: Certificate | None = None
    intermediates: tuple[Certificate, ...] = _NO_CERTIFICATES
    seal: ListedSeal | None = None
    algorithm: Algorithm | None = None
    claimed_at: datetime | None = None
    timestamp: TimestampToken | None = None  # present and whole; not yet trusted
    timestamp_broken: str | None = None  # the code of what is wrong with the one that is there
    attestation: Attestation | None = None
    signed_size: int = 0  # how many bytes of a file, from its start, it covers
    document_timestamps: tuple[DocumentTimestamp, ...] = ()  # of the whole file; not yet trusted

    @property
    def signer(self) -> Certificate:
        """The signing certificate of a sound signature."""
        assert self.certificate is not None
        return self.certificate

    @property
    def sound(self) -> bool:
        return self.form.outcome is _PASSED and self.integrity.outcome is _PASSED

    @property
    def withholding(self) -> bool:
        """Sound, but shown without what says of which certificate it is."""
        return self.form is _CORE_WITHHELD and self.integrity.outcome is _PASSED


def read_qr(code: QrCode, trust: TrustView | None, policy: Policy) -> Signature:
    """1. Identify the signing certificate by `kid` (clause 5.2.3). 2. Verify with it (clause 5.2.7)."""
    kid, attestation = code.cose.kid, code.attestation
    tried = False
    if trust is not None and kid is not None:
        for seal in named_first(listed(trust).seals_by_kid.get(kid, ()), attestation):
            if code.cose.verified_by(seal.key):
                return _whole(FORMAT_OK, attestation, seal.certificate, seal.key, seal=seal)
            tried = True
    for anchor in policy.anchors:
        if kid == bytes.fromhex(anchor.thumbprint[:16]):
            key = _key(anchor)
            if key is not None and code.cose.verified_by(key):
                return _whole(FORMAT_OK, attestation, anchor, key)
            tried = True
    brought = _brought(code, policy)
    if brought is not None:
        return brought
    if tried:
        return Signature(FORMAT_OK, SIGNATURE_WRONG, attestation=attestation)
    return Signature(FORMAT_OK, _NO_TRUST if trust is None else SIGNER_UNKNOWN, attestation=attestation)


def _brought(code: QrCode, policy: Policy) -> Signature | None:
    """By the signer that the code brings along (RFC 9360), for whoever named anchors; None when it brings none.

    Whether the chain leads to one of them is the path's to say.
    """
    try:
        chain = [parse_certificate(der) for der in code.cose.chain()] if policy.anchors else []
    except MalformedCertificate:
        return Signature(FORMAT_OK, SIGNER_UNKNOWN, attestation=code.attestation)
    if not chain:
        return None
    signer, others = chain[0], tuple(chain[1:])
    key = _key(signer)
    if key is None:
        return Signature(FORMAT_OK, SIGNER_UNKNOWN, attestation=code.attestation)
    if not code.cose.verified_by(key):
        return Signature(FORMAT_OK, SIGNATURE_WRONG, attestation=code.attestation)
    form = FORMAT_OK if _proper_chain(signer, others, policy) else _CHAIN_IMPROPER
    signature = _whole(form, code.attestation, signer, key)
    signature.intermediates = others
    return signature


def read_credential(credential: Credential, trust: TrustView | None, policy: Policy) -> Signature:
    """1. The signing certificate is the first of `x5c` (clause 5.2.3). 2. Verify with it (clause 5.2.7)."""
    attestation, certificate = credential.attestation, credential.certificate
    form = FORMAT_OK if attestation is not None else FORMAT_FOREIGN
    if credential.withheld is not None:
        form = _CORE_WITHHELD
    key = None if certificate is None else _key(certificate)
    if certificate is None or key is None:
        return Signature(form, SIGNER_UNKNOWN, attestation=attestation)
    if not credential.sd_jwt.jws.verified_by(key):
        return Signature(form, SIGNATURE_WRONG, attestation=attestation)
    said = attestation or credential.withheld
    seal = None if trust is None else listed(trust).seal(certificate.thumbprint, said)
    signature = _whole(form, attestation, certificate, key, seal=seal)
    signature.intermediates = credential.intermediates
    if not _proper_chain(certificate, credential.intermediates, policy):
        signature.form = _CHAIN_IMPROPER
    if attestation is None and credential.terms is not None:
        signature.claimed_at = credential.terms.issued_at
    return signature


def read_mobile_document(document: MobileDocument, trust: TrustView | None, policy: Policy) -> Signature:
    """1. The signing certificate is the first of x5chain (clause 5.2.3). 2. Verify with it (clause 5.2.7). 3. Every
    item is one that the issuer signed a digest of, and the type stated is the issuer's (ISO/IEC 18013-5 clause 9.3.1).
    """
    attestation, certificate, mdoc = document.attestation, document.certificate, document.mdoc
    form = FORMAT_OK if attestation is not None else FORMAT_FOREIGN
    if attestation is None and type_of_doc_type(mdoc.mso.doc_type) is not None:
        form = _CORE_WITHHELD
    key = _key(certificate)
    if key is None:
        return Signature(form, SIGNER_UNKNOWN, attestation=attestation)
    if not mdoc.issuer_signed.issuer_auth.verified_by(key):
        return Signature(form, SIGNATURE_WRONG, attestation=attestation)
    if any(mdoc.issuer_signed.compare(item) is not ItemOutcome.OK for item in mdoc.issuer_signed.items):
        return Signature(form, ITEM_ALTERED, attestation=attestation)
    seal = None if trust is None else listed(trust).seal(certificate.thumbprint, attestation)
    if not mdoc.doc_type_agrees:
        form = DOC_TYPE_DIFFERS
    elif not _proper_chain(certificate, document.intermediates, policy):
        form = _CHAIN_IMPROPER
    signature = _whole(form, attestation, certificate, key, seal=seal)
    signature.intermediates = document.intermediates
    signature.claimed_at = mdoc.mso.validity.signed
    return signature


def _proper_chain(signer: Certificate, others: tuple[Certificate, ...], policy: Policy) -> bool:
    """Whether a chain in a header is one: a signer for whom somebody else answers, and no anchor brought along.

    Spec: OpenID4VC HAIP 1.0 section 6.1.1 (and 3.3.2, 4.3.1); who brings their own anchor proves nothing by it.
    """
    if self_signed(signer) or any(self_signed(other) for other in others):
        return False
    return not any(other in policy.anchors for other in others)


def _whole(
    form: Finding,
    attestation: Attestation | None,
    certificate: Certificate,
    key: PublicKey,
    *,
    seal: ListedSeal | None = None,
) -> Signature:
    """A signature that verified."""
    return Signature(
        form,
        INTEGRITY_OK,
        certificate,
        _NO_CERTIFICATES,
        seal,
        key.algorithm,
        None if attestation is None else attestation.issued_at,
        attestation=attestation,
    )


def _key(certificate: Certificate) -> PublicKey | None:
    try:
        return certificate.public_key
    except AlgorithmNotSupported:
        return None
