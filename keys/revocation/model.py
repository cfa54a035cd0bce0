"""What a CRL and an OCSP response say, as facts, and what follows for one certificate. Nothing here is verified."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Literal

from keys.x509 import Certificate


class Reason(Enum):
    """Why a certificate was revoked; the value is CRLReason's. Spec: RFC 5280 section 5.3.1."""

    UNSPECIFIED = 0
    KEY_COMPROMISE = 1
    CA_COMPROMISE = 2
    AFFILIATION_CHANGED = 3
    SUPERSEDED = 4
    CESSATION_OF_OPERATION = 5
    CERTIFICATE_HOLD = 6
    REMOVE_FROM_CRL = 8
    PRIVILEGE_WITHDRAWN = 9
    AA_COMPROMISE = 10


class CertificateState(Enum):
    GOOD = "good"
    REVOKED = "revoked"
    ON_HOLD = "on_hold"
    UNKNOWN = "unknown"  # a responder that speaks for the issuer does not know the certificate


@dataclass(frozen=True, slots=True)
class CertificateStanding:
    """How a certificate stands by the best evidence at hand. Times are UTC.

    `revoked_at`, `invalidity_date` (from when the key is doubted, RFC 5280 section 5.3.2) and `reason` are None unless
    revoked or on hold; they are facts of the issuer and may lie after the time that was asked for. `produced_at` is
    OCSP's; of a CRL it is `this_update`. `next_update` None: newer information is always to be had.
    """

    state: CertificateState
    revoked_at: datetime | None
    invalidity_date: datetime | None
    reason: Reason | None
    this_update: datetime
    next_update: datetime | None
    produced_at: datetime
    source: Literal["crl", "ocsp"]

    def revoked_by(self, moment: datetime) -> bool:
        """Whether a signature made at `moment` comes too late: at or after the revocation, or the invalidity date."""
        if self.state not in (CertificateState.REVOKED, CertificateState.ON_HOLD):
            return False
        dates = [date for date in (self.revoked_at, self.invalidity_date) if date is not None]
        return not dates or moment >= min(dates)

    def speaks_of(self, moment: datetime) -> bool:
        """Whether this is information about `moment`: made at or after it, or not yet due to be renewed then."""
        return self.this_update >= moment or (self.next_update is not None and moment <= self.next_update)


@dataclass(frozen=True, slots=True)
class Signed:
    """A signed structure: what is signed, by which AlgorithmIdentifier (DER), and the signature in X.509 form."""

    tbs: bytes
    algorithm: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class CrlEntry:
    """One revoked certificate. `usable` is False with a critical extension that is not processed."""

    revoked_at: datetime
    reason: Reason | None
    invalidity_date: datetime | None
    usable: bool


@dataclass(frozen=True, slots=True)
class CrlScope:
    """Which certificates a CRL is about (issuingDistributionPoint, RFC 5280 section 5.2.5).

    `names` are the URIs of its distribution point, None where it is of none; `partial`: only some reasons, attribute
    certificates, a delta, an indirect CRL, or a critical extension that is not processed.
    """

    names: frozenset[str] | None = None
    only_users: bool = False
    only_authorities: bool = False
    partial: bool = False


@dataclass(frozen=True, slots=True)
class Crl:
    """A parsed CRL, not verified; equal if the DER is. `look_up` finds a serial number's entry.

    `expired_since`: certificates that expired at or after that stay on it (expiredCertsOnCRL, X.509 clause 9.5.2.8).
    """

    der: bytes = field(repr=False)
    issuer_name_der: bytes = field(compare=False, repr=False)
    this_update: datetime = field(compare=False)
    next_update: datetime | None = field(compare=False)
    number: int | None = field(compare=False)
    scope: CrlScope = field(compare=False)
    expired_since: datetime | None = field(compare=False)
    signed: Signed = field(compare=False, repr=False)
    look_up: Callable[[int], CrlEntry | None] = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class CertId:
    """Which certificate an OCSP answer is about. `digest` is a hashlib name: an identifier's, so SHA-1 will do."""

    digest: str | None
    issuer_name_hash: bytes
    issuer_key_hash: bytes
    serial: int


@dataclass(frozen=True, slots=True)
class OcspAnswer:
    """One SingleResponse. `usable` is False with a critical extension that is not processed."""

    id: CertId
    state: CertificateState
    revoked_at: datetime | None
    reason: Reason | None
    invalidity_date: datetime | None
    this_update: datetime
    next_update: datetime | None
    archive_cutoff: datetime | None
    usable: bool


@dataclass(frozen=True, slots=True)
class OcspResponse:
    """A parsed, successful basic OCSP response, not verified; equal if the DER is.

    The responder names itself by `responder_name` (DER Name) or `responder_key_hash` (SHA-1 of its key), one of them.
    """

    der: bytes = field(repr=False)
    responder_name: bytes | None = field(compare=False, repr=False)
    responder_key_hash: bytes | None = field(compare=False, repr=False)
    produced_at: datetime = field(compare=False)
    answers: tuple[OcspAnswer, ...] = field(compare=False)
    certificates: tuple[Certificate, ...] = field(compare=False, repr=False)
    nonce: bytes | None = field(compare=False, repr=False)
    usable: bool = field(compare=False)
    signed: Signed = field(compare=False, repr=False)
