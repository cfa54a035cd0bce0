"""The verifier's nouns: evidence, findings, reports, policies, receipts.

Indications and sub-indications are those of ETSI EN 319 102-1 V1.4.1 clause 5.1.3 and table 5 ff.; none is ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, ClassVar

from keys.envelopes.cose import CoseSign1
from keys.envelopes.hcert import HealthCertificate
from keys.envelopes.jws import Jws
from keys.envelopes.mdoc import Agreement, Mdoc
from keys.envelopes.pades import Change, SignedPdf
from keys.envelopes.sd_jwt import SdJwt
from keys.frozen import made_often
from keys.x509 import Certificate
from trust_registry.attestations import Attestation
from trust_registry.model import ClaimEquivalence, RegionCode, RelyingPartyId, Scenario, TypeId


class Indication(Enum):
    """Main status indications, EN 319 102-1 clause 5.1.3 (PASSED is TOTAL-PASSED's building-block form)."""

    PASSED = "PASSED"
    FAILED = "FAILED"
    INDETERMINATE = "INDETERMINATE"


class SubIndication(Enum):
    """Sub-indications, EN 319 102-1 tables 5 and 6, with the URIs of TS 119 102-2."""

    FORMAT_FAILURE = "FORMAT_FAILURE"
    HASH_FAILURE = "HASH_FAILURE"
    SIG_CRYPTO_FAILURE = "SIG_CRYPTO_FAILURE"
    REVOKED = "REVOKED"
    EXPIRED = "EXPIRED"
    NOT_YET_VALID = "NOT_YET_VALID"
    SIG_CONSTRAINTS_FAILURE = "SIG_CONSTRAINTS_FAILURE"
    CHAIN_CONSTRAINTS_FAILURE = "CHAIN_CONSTRAINTS_FAILURE"
    CERTIFICATE_CHAIN_GENERAL_FAILURE = "CERTIFICATE_CHAIN_GENERAL_FAILURE"
    CRYPTO_CONSTRAINTS_FAILURE = "CRYPTO_CONSTRAINTS_FAILURE"
    POLICY_PROCESSING_ERROR = "POLICY_PROCESSING_ERROR"
    SIGNATURE_POLICY_NOT_AVAILABLE = "SIGNATURE_POLICY_NOT_AVAILABLE"
    TIMESTAMP_ORDER_FAILURE = "TIMESTAMP_ORDER_FAILURE"
    NO_SIGNING_CERTIFICATE_FOUND = "NO_SIGNING_CERTIFICATE_FOUND"
    NO_CERTIFICATE_CHAIN_FOUND = "NO_CERTIFICATE_CHAIN_FOUND"
    REVOKED_NO_POE = "REVOKED_NO_POE"
    REVOKED_CA_NO_POE = "REVOKED_CA_NO_POE"
    OUT_OF_BOUNDS_NOT_REVOKED = "OUT_OF_BOUNDS_NOT_REVOKED"
    OUT_OF_BOUNDS_NO_POE = "OUT_OF_BOUNDS_NO_POE"
    REVOCATION_OUT_OF_BOUNDS_NO_POE = "REVOCATION_OUT_OF_BOUNDS_NO_POE"
    CRYPTO_CONSTRAINTS_FAILURE_NO_POE = "CRYPTO_CONSTRAINTS_FAILURE_NO_POE"
    NO_POE = "NO_POE"
    TRY_LATER = "TRY_LATER"
    SIGNED_DATA_NOT_FOUND = "SIGNED_DATA_NOT_FOUND"
    CUSTOM = "CUSTOM"

    @property
    def uri(self) -> str:
        return f"urn:etsi:019102:subindication:{self.value}"


class Check(Enum):
    """The checks, in the order in which they are made (DESIGN.md section 6)."""

    FORMAT = "format"
    INTEGRITY = "integrity"
    CERTIFICATE_PATH = "certificate_path"
    ENTITLEMENT = "entitlement"
    SIGNING_TIME = "signing_time"
    STATUS = "status"
    VALIDITY = "validity"
    RECOGNITION = "recognition"
    ACCEPTANCE = "acceptance_rules"
    HOLDER_BINDING = "holder_binding"
    FRESHNESS = "freshness"


class Outcome(Enum):
    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not_applicable"


@made_often
@dataclass(frozen=True, slots=True)
class Finding:
    """One check's result. `code` picks the sentence in `verifier.messages` (zh, en, next step); `facts` fills it.

    Facts hold no personal data: names of issuers, times, versions, never claims.
    """

    check: Check
    outcome: Outcome
    code: str
    sub_indication: SubIndication | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


class EvidenceKind(Enum):
    PDF = "pdf"
    SD_JWT_VC = "sd_jwt_vc"
    QR = "qr"
    RECEIPT = "receipt"
    HEALTH = "health_certificate"
    MDOC = "mdoc"
    ARCHIVE = "archive"  # a case file: evidence with all that the verdict on it rested on


@made_often
@dataclass(frozen=True, slots=True)
class QrCode:
    """A printed QR code: a CWT in a COSE_Sign1 that names its seal by `kid`. `digest` is "sha256:<hex>" of the text."""

    kind: ClassVar[EvidenceKind] = EvidenceKind.QR
    digest: str
    cose: CoseSign1
    attestation: Attestation


@dataclass(frozen=True, slots=True)
class StatedTerms:
    """What a credential says of itself by registered claims (RFC 7519), where no attestation says it: `iat`, `nbf`,
    `exp`, and whether it names a status. `audience`: whom it is for, of any credential; None: for everybody.
    `issuer_contradicted`: `iss` is a web address, and its signer's certificate names others only.
    """

    issued_at: datetime | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    has_status: bool = False
    audience: tuple[str, ...] | None = None
    issuer_contradicted: bool = False


@dataclass(frozen=True, slots=True)
class Credential:
    """An SD-JWT VC with the certificates of its `x5c`. `attestation` is None when it is not one of this network's.

    `terms` is None when the attestation says all that there is to say. `withheld`: what it says where its number was
    not disclosed; `attestation` is None then, and the number in `withheld` empty.
    """

    kind: ClassVar[EvidenceKind] = EvidenceKind.SD_JWT_VC
    digest: str
    sd_jwt: SdJwt
    certificate: Certificate | None
    intermediates: tuple[Certificate, ...]
    attestation: Attestation | None
    terms: StatedTerms | None = None
    withheld: Attestation | None = None


@dataclass(frozen=True, slots=True)
class SealedData:
    """The certificate data under one signature: None when there is none, `damaged` when it cannot be read."""

    attestation: Attestation | None
    damaged: bool = False


@dataclass(frozen=True, slots=True)
class SealedPdf:
    """A PDF with its signatures, and for each of them the certificate data in the bytes that it covers."""

    kind: ClassVar[EvidenceKind] = EvidenceKind.PDF
    digest: str
    pdf: SignedPdf
    contents: tuple[SealedData, ...]


@dataclass(frozen=True, slots=True)
class ReceiptFile:
    """A receipt handed in as evidence: the relying party's JWS, its certificate, and what it says."""

    kind: ClassVar[EvidenceKind] = EvidenceKind.RECEIPT
    digest: str
    jws: Jws
    certificate: Certificate
    intermediates: tuple[Certificate, ...]
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class HealthCode:
    """A health certificate of another network ("HC1:"). `digest` is "sha256:<hex>" of the text."""

    kind: ClassVar[EvidenceKind] = EvidenceKind.HEALTH
    digest: str
    certificate: HealthCertificate


@dataclass(frozen=True, slots=True)
class MobileDocument:
    """An mdoc with the certificates of its x5chain. `attestation` is None when it is not one of this network's, or does
    not show what names its seal; `terms` is then what it says of itself. `digest` is "sha256:<hex>" of the CBOR.
    """

    kind: ClassVar[EvidenceKind] = EvidenceKind.MDOC
    digest: str
    mdoc: Mdoc
    certificate: Certificate
    intermediates: tuple[Certificate, ...]
    attestation: Attestation | None
    terms: StatedTerms | None = None


Evidence = QrCode | Credential | SealedPdf | ReceiptFile | HealthCode | MobileDocument


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a relying party keeps instead of a paper copy: digests of what was judged and by which data, never claims.

    `trust` names TUF roles and versions; `status` is the status token's digest ("sha256:<hex>"); `report` is what
    `verifier.wire.report_to_json` makes, without claims.
    """

    id: str
    relying_party: RelyingPartyId
    issued_at: datetime
    evidence: str
    trust: Mapping[str, int]
    status: str | None
    report: Mapping[str, Any]


@made_often
@dataclass(frozen=True, slots=True)
class Freshness:
    """How old the data were that the verdict rests on, at `judged_at`. None: not needed or not there."""

    trust_age: timedelta | None
    status_age: timedelta | None


@dataclass(frozen=True, slots=True)
class ExpectedBinding:
    """What a presentation's key binding must name (RFC 9901 section 7.3).

    `transcript`: the SessionTranscript (CBOR) that an mdoc's device must have authenticated, `reader_key` the reader's
    key where it may do so with a MAC (ISO/IEC 18013-5 clause 9.1.3).
    """

    nonce: str
    audience: str
    max_age: timedelta = timedelta(minutes=5)
    transcript: bytes | None = None
    reader_key: Agreement | None = None


class ProofSource(Enum):
    """What proves that something existed. Spec: EN 319 102-1 clauses 3.1 (proof of existence) and 5.6."""

    ARCHIVE_TIMESTAMP = "archive_timestamp"  # over a case file that holds it
    RECEIPT = "receipt"  # a relying party's, whose key was good then
    LOG = "log"  # an entry of a witnessed log


@dataclass(frozen=True, slots=True)
class ProofOfExistence:
    """That the evidence with this digest ("sha256:<hex>") existed at `existed_at` (UTC). Whoever makes one has checked
    it: `judge` believes it.
    """

    digest: str
    existed_at: datetime
    source: ProofSource


class RevocationRule(Enum):
    """What must be known of the revocation of certificates that no region lists (`--anchor`, foreign trusted lists).

    A region's list speaks for the seals on it. What is known always counts, whatever the rule.
    Spec: EN 319 102-1 clauses 5.2.5 and 5.2.6.
    """

    REQUIRED = "required"  # fresh information on every certificate of the path, or TRY_LATER
    WHERE_PUBLISHED = "where_published"  # on every certificate that says where to ask
    IF_AT_HAND = "if_at_hand"  # nothing is missed


@made_often
@dataclass(frozen=True, slots=True)
class Policy:
    """Under which rules a verdict is asked for. `anchors`: extra trust anchors for foreign evidence (`--anchor`).

    `proofs`: when this evidence is known to have existed. `revocation`: CRLs and OCSP responses (DER) for signers that
    no region lists, beside those that the evidence brings; `revocation_rule`: which of them must be there.
    """

    accepting: RegionCode | None = None
    scenario: Scenario | None = None
    binding: ExpectedBinding | None = None
    anchors: tuple[Certificate, ...] = ()
    trust_staleness: timedelta = timedelta(days=7)  # used when no scenario says otherwise
    status_staleness: timedelta = timedelta(hours=24)
    proofs: tuple[ProofOfExistence, ...] = ()
    revocation: tuple[bytes, ...] = ()
    revocation_rule: RevocationRule = RevocationRule.WHERE_PUBLISHED


@dataclass(frozen=True, slots=True)
class Equivalence:
    """As which type of its own the accepting region takes a certificate, and which of its claims are called what."""

    as_type: TypeId
    claims: tuple[ClaimEquivalence, ...]


@dataclass(frozen=True, slots=True)
class SignatureReport:
    """The verdict on one of several signatures in a document. Times are UTC, as in `Report`.

    `name` is the signature field's. `deciding`: the report's own verdict is this one's. `level` is the baseline level
    reached: "B-B", "B-T", "B-LT" or "B-LTA". `signed_size`: how many bytes of the file, from its start, it covers.
    """

    name: str
    indication: Indication
    sub_indication: SubIndication | None
    findings: tuple[Finding, ...]
    decisive: Finding | None
    certificate: Certificate | None
    attestation: Attestation | None
    signed_at: datetime | None
    signed_at_proven: bool
    deciding: bool
    level: str
    signed_size: int
    certification: int | None
    changes: tuple[Change, ...]


@made_often
@dataclass(frozen=True, slots=True)
class Report:
    """The verdict. `attestation` is None when nothing readable was found; `evidence_digest` is "sha256:<hex>".

    `signatures`: of a PDF, each by itself, in the order of what they cover.
    `foreign`: evidence that is not of this network, for whoever asks what it says (`verifier.stated`).
    """

    indication: Indication
    sub_indication: SubIndication | None
    findings: tuple[Finding, ...]
    decisive: Finding | None  # the finding that decided a verdict other than PASSED
    kind: EvidenceKind | None
    attestation: Attestation | None
    signed_at: datetime | None  # proven by a time-stamp, else as claimed
    signed_at_proven: bool
    freshness: Freshness
    evidence_digest: str
    policy: Policy
    judged_at: datetime
    signatures: tuple[SignatureReport, ...] = ()
    foreign: HealthCode | Credential | MobileDocument | None = None


def recognised_as(report: Report) -> Equivalence | None:
    """The equivalence by which it was recognised; None where it is taken as what it is, or not at all."""
    for finding in report.findings:
        if finding.check is Check.RECOGNITION:
            found = finding.facts.get("as")
            return found if isinstance(found, Equivalence) else None
    return None
