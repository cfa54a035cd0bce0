"""Which standing of a certificate genuine CRLs and OCSP responses prove. Pure; never raises on content.

Only what the certificate's own issuer signed counts, or an OCSP responder that this issuer certified for it. Delta and
indirect CRLs, and CRLs of some reasons only, are not processed: they prove nothing here, but a revocation that a CRL of
some reasons names. Whether the issuer itself is to be trusted is the caller's to say.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from cryptography import x509

from keys import der as asn1
from keys.certificate import Certificate, signed_by
from keys.errors import AlgorithmNotSupported
from keys.revocation.crl import NOT_READABLE, uris
from keys.revocation.model import (
    CertId,
    CertificateStanding,
    CertificateState,
    Crl,
    CrlEntry,
    OcspAnswer,
    OcspResponse,
    Reason,
)
from keys.revocation.signatures import made_by

OCSP_SIGNING: Final = "1.3.6.1.5.5.7.3.9"
_MOST_PIECES: Final = 64
_SKEW: Final = timedelta(minutes=5)


def certificate_standing(
    certificate: Certificate, issuer: Certificate, evidence: Sequence[Crl | OcspResponse], at: datetime
) -> CertificateStanding | None:
    """The standing of `certificate` by the best of `evidence` for the moment `at` (UTC); None when none is usable.

    A revocation stays: it counts from whichever piece. Otherwise the newest piece counts that speaks of `at`, else the
    newest of all, and it is for the caller to ask `speaks_of(at)`. `issuer` must have signed `certificate`. At most
    64 pieces are looked at.

    Spec: RFC 5280 section 6.3; RFC 6960 sections 3.2 and 4.2.2; EN 319 102-1 clause 5.2.5.
    """
    if certificate.issuer_name_der != issuer.subject_name_der:
        return None
    found = list(_standings(certificate, issuer, evidence[:_MOST_PIECES]))
    revoked = [standing for standing in found if standing.state is CertificateState.REVOKED]
    if revoked:
        return min(revoked, key=lambda standing: (_doubted_from(standing), standing.this_update))
    known = [standing for standing in found if standing.state is not CertificateState.UNKNOWN] or found
    return max(known, key=lambda standing: (standing.speaks_of(at), standing.this_update), default=None)


def _doubted_from(standing: CertificateStanding) -> datetime:
    return min(date for date in (standing.revoked_at, standing.invalidity_date) if date is not None)


def _standings(
    certificate: Certificate, issuer: Certificate, evidence: Sequence[Crl | OcspResponse]
) -> Iterator[CertificateStanding]:
    crls = [piece for piece in evidence if isinstance(piece, Crl)]
    for piece in evidence:
        if isinstance(piece, Crl):
            standing = _by_crl(certificate, issuer, piece)
        else:
            standing = _by_ocsp(certificate, issuer, piece, crls)
        if standing is not None:
            yield standing


def _by_crl(certificate: Certificate, issuer: Certificate, crl: Crl) -> CertificateStanding | None:
    if crl.issuer_name_der != issuer.subject_name_der or (issuer.key_usage and "cRLSign" not in issuer.key_usage):
        return None
    entry = crl.look_up(certificate.serial)
    if entry is not None and not entry.usable:
        return None
    state = _state(entry)
    if state is not CertificateState.REVOKED and not _complete_for(certificate, issuer, crl):
        return None
    if not made_by(issuer, crl.signed, crl.this_update):
        return None
    stands = entry if state in (CertificateState.REVOKED, CertificateState.ON_HOLD) else None
    return CertificateStanding(
        state=state,
        revoked_at=None if stands is None else stands.revoked_at,
        invalidity_date=None if stands is None else stands.invalidity_date,
        reason=None if stands is None else stands.reason,
        this_update=crl.this_update,
        next_update=crl.next_update,
        produced_at=crl.this_update,
        source="crl",
    )


def _state(entry: CrlEntry | None) -> CertificateState:
    if entry is None or entry.reason is Reason.REMOVE_FROM_CRL:
        return CertificateState.GOOD
    return CertificateState.ON_HOLD if entry.reason is Reason.CERTIFICATE_HOLD else CertificateState.REVOKED


def _complete_for(certificate: Certificate, issuer: Certificate, crl: Crl) -> bool:
    """Whether a certificate that is not on this CRL is not revoked: it would be on it. Spec: RFC 5280 6.3.3 (b)."""
    scope = crl.scope
    if scope.partial or (scope.only_users and certificate.is_ca) or (scope.only_authorities and not certificate.is_ca):
        return False
    if scope.names is not None and scope.names.isdisjoint(distribution_points(certificate)):
        return False
    if crl.this_update > issuer.not_after:
        return False
    # Expired certificates are dropped from CRLs, unless the CRL says from when on they are kept.
    return crl.this_update <= certificate.not_after or (
        crl.expired_since is not None and crl.expired_since <= certificate.not_after
    )


def distribution_points(certificate: Certificate) -> frozenset[str]:
    """The URIs of the CRLs that `certificate` names; empty without any, or where the extension can't be read."""
    try:
        extensions = x509.load_der_x509_certificate(certificate.der).extensions
        points = extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except (x509.ExtensionNotFound, *NOT_READABLE):
        return frozenset()
    return frozenset[str]().union(*(uris(point.full_name) for point in points if point.full_name))


def _by_ocsp(
    certificate: Certificate, issuer: Certificate, response: OcspResponse, crls: Sequence[Crl]
) -> CertificateStanding | None:
    answers = [a for a in response.answers if a.usable and is_about(a.id, certificate, issuer)]
    answer = min(answers, key=lambda each: each.state is not CertificateState.REVOKED, default=None)
    if answer is None or not response.usable or answer.this_update > response.produced_at + _SKEW:
        return None  # nobody knows how it will stand: RFC 6960 section 2.4
    if answer.state is CertificateState.GOOD and not _remembers(certificate, issuer, answer):
        return None
    until = _authorised(response, issuer, crls)
    if until is None:
        return None
    return CertificateStanding(
        state=CertificateState.GOOD if answer.reason is Reason.REMOVE_FROM_CRL else answer.state,
        revoked_at=answer.revoked_at,
        invalidity_date=answer.invalidity_date,
        reason=answer.reason,
        this_update=answer.this_update,
        next_update=None if answer.next_update is None else min(answer.next_update, until),
        produced_at=response.produced_at,
        source="ocsp",
    )


def is_about(id_: CertId, certificate: Certificate, issuer: Certificate) -> bool:
    """Whether a CertID names this certificate of this issuer. Spec: RFC 6960 section 4.1.1."""
    return id_.serial == certificate.serial and names_issuer(id_, issuer)


def names_issuer(id_: CertId, issuer: Certificate) -> bool:
    if id_.digest is None:
        return False
    return (id_.issuer_name_hash, id_.issuer_key_hash) == issuer_hashes(issuer, id_.digest)


@lru_cache(maxsize=1024)
def issuer_hashes(issuer: Certificate, digest: str) -> tuple[bytes, bytes]:
    """Hashes of the issuer's name and of its key's bits, by a hashlib name. They identify, so SHA-1 will do."""
    ((_, _, start, end),) = asn1.elements(issuer.spki)
    _, _, bits, past = asn1.elements(issuer.spki, start, end)[1]
    name = hashlib.new(digest, issuer.subject_name_der, usedforsecurity=False).digest()
    return name, hashlib.new(digest, issuer.spki[bits + 1 : past], usedforsecurity=False).digest()


def _remembers(certificate: Certificate, issuer: Certificate, answer: OcspAnswer) -> bool:
    """Whether "good" is known of a certificate that had expired when it was said. Spec: RFC 6960 section 4.4.4."""
    if answer.this_update > issuer.not_after:
        return False
    if answer.this_update <= certificate.not_after:
        return True
    return answer.archive_cutoff is not None and answer.archive_cutoff <= certificate.not_after


def _authorised(response: OcspResponse, issuer: Certificate, crls: Sequence[Crl]) -> datetime | None:
    """Signed by the issuer, or by a responder that it certified: until when its word counts. None: by nobody who may.

    A delegate's word does not outlive its certificate: with an old key one could else answer for ever.
    Spec: RFC 6960 section 4.2.2.2.
    """
    moment = response.produced_at
    if _names(response, issuer):
        return issuer.not_after if made_by(issuer, response.signed, moment) else None
    for responder in response.certificates:
        if _names(response, responder) and _delegated(responder, issuer, moment, crls):
            return responder.not_after if made_by(responder, response.signed, moment) else None
    return None


def _names(response: OcspResponse, certificate: Certificate) -> bool:
    if response.responder_name is not None:
        return response.responder_name == certificate.subject_name_der
    return response.responder_key_hash == issuer_hashes(certificate, "sha1")[1]


def _delegated(responder: Certificate, issuer: Certificate, moment: datetime, crls: Sequence[Crl]) -> bool:
    if OCSP_SIGNING not in responder.extended_key_usage or responder.issuer_name_der != issuer.subject_name_der:
        return False
    if not responder.not_before <= moment <= responder.not_after or responder.unknown_critical:
        return False
    try:
        if not signed_by(responder, issuer):
            return False
    except AlgorithmNotSupported:
        return False
    # Without id-pkix-ocsp-nocheck one should ask how the responder's own certificate stands; what is at hand is asked.
    standings = (_by_crl(responder, issuer, crl) for crl in crls)
    return not any(standing is not None and standing.revoked_by(moment) for standing in standings)
