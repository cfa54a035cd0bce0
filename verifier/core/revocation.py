"""What CRLs and OCSP responses say of a signer's path, and what that means for the verdict. Fetches nothing.

For a listed seal its region's list is the authority, and a genuine revocation by the region's CA counts beside it. For
signers found by an anchor or a foreign list the policy says what must be known (`RevocationRule`).
Spec: EN 319 102-1 clauses 5.2.5, 5.2.6 and 5.5.4.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import islice, pairwise
from typing import Final

from keys.errors import MalformedRevocation
from keys.revocation import (
    CertificateStanding,
    CertificateState,
    Crl,
    OcspResponse,
    certificate_standing,
    parse_crl,
    parse_ocsp_response,
)
from keys.revocation.published import names_revocation_source
from keys.x509 import Certificate
from verifier.core.findings import decide, failed, unknown
from verifier.core.origin import signer_name
from verifier.model import Check, Finding, RevocationRule, SubIndication

_PATH: Final = Check.CERTIFICATE_PATH
_MOST: Final = 64  # pieces of evidence, as `certificate_standing` looks at
_REMEMBERED_SIZE: Final = 1 << 16

Piece = Crl | OcspResponse


def readable(pieces: Iterable[bytes]) -> tuple[Piece, ...]:
    """Those of the CRLs and OCSP responses (DER) that can be read; the rest says nothing."""
    found = (_remembered(der) if len(der) < _REMEMBERED_SIZE else _read(der) for der in islice(pieces, _MOST))
    return tuple(piece for piece in found if piece is not None)


def _read(der: bytes) -> Piece | None:
    for parse in (parse_ocsp_response, parse_crl):
        try:
            return parse(der)
        except MalformedRevocation:
            continue
    return None


@lru_cache(maxsize=256)
def _remembered(der: bytes) -> Piece | None:
    return _read(der)


@dataclass(frozen=True, slots=True)
class Moments:
    """The signer's word (None: nothing stated), the time by which the signature is proven to exist, and now. UTC."""

    claimed_at: datetime | None
    proven_by: datetime | None
    at: datetime

    @property
    def best(self) -> datetime:
        """EN 319 102-1's best signature time: proven, or the time of asking."""
        return self.proven_by or self.at


def check_revocation(
    chain: Sequence[Certificate], evidence: Sequence[Piece], rule: RevocationRule | None, when: Moments
) -> Finding | None:
    """What revocation has to say against a path (signer first, anchor last); None where it has nothing.

    `rule` None: a list speaks for the signer, so that nothing is missed. Of several objections a FAILED one is told,
    else the one nearest to the signer.
    """
    found = [
        _objection(
            certificate, issuer, _standing(certificate, issuer, evidence, when), rule, when, certificate is chain[0]
        )
        for certificate, issuer in pairwise(chain)
    ]
    return decide([finding for finding in found if finding is not None])[1]


def _standing(
    certificate: Certificate, issuer: Certificate, evidence: Sequence[Piece], when: Moments
) -> CertificateStanding | None:
    return certificate_standing(certificate, issuer, evidence, when.best) if evidence else None


def _objection(  # noqa: PLR0917
    certificate: Certificate,
    issuer: Certificate,
    standing: CertificateStanding | None,
    rule: RevocationRule | None,
    when: Moments,
    leaf: bool,
) -> Finding | None:
    name = signer_name(certificate)
    if standing is not None and standing.state is CertificateState.REVOKED:
        return _revoked(name, standing, when, leaf)
    if standing is not None and standing.state is CertificateState.ON_HOLD:
        if when.proven_by is not None and not standing.revoked_by(when.proven_by):
            return None
        return unknown(_PATH, "certificate_on_hold", SubIndication.TRY_LATER, signer=name)
    if not _needed(certificate, rule):
        return None
    if standing is None:
        return unknown(_PATH, "revocation_not_checked", SubIndication.TRY_LATER, signer=name)
    return _not_fresh(name, issuer, standing, when)


def _needed(certificate: Certificate, rule: RevocationRule | None) -> bool:
    if rule is RevocationRule.WHERE_PUBLISHED:
        return names_revocation_source(certificate)
    return rule is RevocationRule.REQUIRED


def _not_fresh(name: str, issuer: Certificate, standing: CertificateStanding, when: Moments) -> Finding | None:
    """Good, if this information is about the time in question and made by who could still make it then."""
    if standing.state is CertificateState.UNKNOWN:
        return unknown(_PATH, "revocation_not_known", SubIndication.TRY_LATER, signer=name)
    if issuer.not_after < when.best:
        sub_indication = SubIndication.REVOCATION_OUT_OF_BOUNDS_NO_POE
        return unknown(_PATH, "revocation_source_expired", sub_indication, signer=name, until=issuer.not_after)
    if not standing.speaks_of(when.best):
        return unknown(_PATH, "revocation_too_old", SubIndication.TRY_LATER, signer=name, as_of=standing.this_update)
    return None


def _revoked(name: str, standing: CertificateStanding, when: Moments, leaf: bool) -> Finding | None:
    """Proven from before, it stands; by the signer's own word from after, it does not; else it can't be told."""
    if when.proven_by is not None and not standing.revoked_by(when.proven_by):
        return None
    facts = {"signer": name, "since": revoked_since(standing)}
    if not leaf:
        return unknown(_PATH, "issuer_certificate_revoked", SubIndication.REVOKED_CA_NO_POE, **facts)
    if when.claimed_at is not None and standing.revoked_by(when.claimed_at):
        return failed(_PATH, "certificate_revoked", SubIndication.REVOKED, **facts)
    return unknown(_PATH, "certificate_revoked_no_proof", SubIndication.REVOKED_NO_POE, **facts)


def revoked_since(standing: CertificateStanding) -> datetime:
    """From when a revoked certificate's key is doubted (UTC)."""
    dates = [date for date in (standing.revoked_at, standing.invalidity_date) if date is not None]
    return min(dates, default=standing.this_update)
