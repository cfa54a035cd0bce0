"""What a region list says: regions, issuers, seals, certificate types, scenarios, recognition. No behaviour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from trust_registry.model.entries import (
    Assurance,
    History,
    IssuerId,
    Names,
    RegionCode,
    RelyingPartyId,
    ScenarioId,
    SealId,
    TypeId,
)
from trust_registry.model.rules import AcceptanceRule


class SharingClass(Enum):
    """Sharing class of government data (政务数据共享): who may have it without asking again."""

    UNCONDITIONAL = "unconditional"
    CONDITIONAL = "conditional"
    CONFIDENTIAL = "confidential"


class ValidityKind(Enum):
    UNLIMITED = "unlimited"  # 长期
    FIXED = "fixed"  # `days` from the day of issue
    CLAIM = "claim"  # until the date in the claim `claim`


@dataclass(frozen=True, slots=True)
class ValidityRule:
    kind: ValidityKind
    days: int | None = None
    claim: str | None = None


@dataclass(frozen=True, slots=True)
class ClaimDefinition:
    """One claim of a certificate type.

    `selective`: may be withheld (RFC 9901 disclosure); others are always disclosed. `on_printed_qr`: marked public.
    `masked`: shown on the printed QR with its middle replaced by asterisks. `holder_identifier`: identifies a holder.
    """

    name: str
    names: Names
    selective: bool = True
    on_printed_qr: bool = False
    masked: bool = False
    holder_identifier: bool = False
    holder_name: bool = False


@dataclass(frozen=True, slots=True)
class CertificateType:
    """Catalogue entry. `schema` is a JSON Schema (2020-12) for the claims object; `code` is GB/T 36904's 21
    characters."""

    id: TypeId
    code: str
    names: Names
    claims: tuple[ClaimDefinition, ...]
    schema: Mapping[str, Any]
    sharing: SharingClass
    validity: ValidityRule
    hue: str = "#1f3a5f"  # the card's colour
    version: int = 1
    dual_control: bool = False  # sealing takes a second clerk who approves what the first prepared


@dataclass(frozen=True, slots=True)
class TypeGrant:
    """The issuer may issue this type at this assurance, with history. Within an issuer a grant is identified by both:
    to lower the assurance, the one grant is withdrawn and another begins."""

    type_id: TypeId
    history: History
    assurance: Assurance = Assurance.SUBSTANTIAL


class KeyUse(Enum):
    """What a listed certificate may sign."""

    SEAL = "seal"  # certificates, in every rendering
    STATUS = "status"  # status list tokens
    TIMESTAMP = "timestamp"  # RFC 3161 tokens
    RECEIPT = "receipt"  # a relying party's receipts
    CA = "ca"  # seal and signer certificates of the region
    ACCESS = "access"  # a relying party's requests to wallets
    LIST = "list"  # the list's renderings as ETSI trusted lists (TS 119 602, TS 119 612)


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """A listed certificate. `thumbprint` is the lower-case hex SHA-256 of `certificate` (DER)."""

    use: KeyUse
    certificate: bytes  # DER
    thumbprint: str
    history: History


@dataclass(frozen=True, slots=True)
class SealCeremony:
    """The making of a seal's key: when, where, and the digest of the minutes, which stay with the authority."""

    held_at: datetime
    place: Names
    record_digest: str  # "sha256:<hex>" of the signed minutes


@dataclass(frozen=True, slots=True)
class SealEntry:
    """A seal as its region lists it: image, scope, validity, certificate. The key itself stays in the issuer's
    custody. `custodian` is the post that keeps it, never a person's name: lists are public."""

    id: SealId
    names: Names
    image_digest: str  # "sha256:<hex>" of the seal image's SVG bytes
    scope: tuple[TypeId, ...]
    valid_from: datetime
    valid_until: datetime
    key: KeyEntry  # use SEAL
    history: History
    custodian: Names | None = None
    ceremony: SealCeremony | None = None


@dataclass(frozen=True, slots=True)
class IssuerEntry:
    """An organisation that the region attests. `status_list_base` prefixes every status list URI it may publish."""

    id: IssuerId
    names: Names
    uscc: str  # GB 32100
    grants: tuple[TypeGrant, ...]
    seals: tuple[SealEntry, ...]
    status_keys: tuple[KeyEntry, ...]
    status_list_base: str  # URI prefix: "https://.../status/990100/civil-affairs/"
    contact: Names
    history: History


@dataclass(frozen=True, slots=True)
class ClaimEquivalence:
    """The issuing region's claim `theirs` is read as the claim `ours` of the accepting region's type."""

    theirs: str
    ours: str


@dataclass(frozen=True, slots=True)
class RecognitionEntry:
    """`accepting` (the list's own region) takes `type_id` of `issuing` as its own `as_type`, for `scenarios` (empty:
    all), from issuers whose grant has at least `minimum_assurance`. Claims not named in `claims` keep their names.
    Recognition does not chain: `as_type` of one entry is never the `type_id` of another."""

    id: str  # unique within the list: "R7"
    issuing: RegionCode
    type_id: TypeId
    as_type: TypeId
    scenarios: tuple[ScenarioId, ...]
    since: datetime
    until: datetime | None
    announced_at: datetime
    legal_basis: Names
    history: History
    minimum_assurance: Assurance = Assurance.LOW
    claims: tuple[ClaimEquivalence, ...] = ()


class ForeignFormat(Enum):
    """The form in which a scheme outside this network publishes whom it trusts."""

    TS_119_612 = "ts_119_612"  # XML, XAdES
    TS_119_602 = "ts_119_602"  # JSON, JAdES
    DCC = "dcc"  # country, key id, certificate: a flat list as health-certificate gateways publish it


@dataclass(frozen=True, slots=True)
class ServiceEquivalence:
    """A foreign service of this type (URI), with all of these additional URIs, attests our `type_id`."""

    service_type: str
    type_id: TypeId
    assurance: Assurance
    additional: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ForeignListEntry:
    """A list of another network that this region reads: where it is, whose signature it must carry, what its services
    are equivalent to here (the mapping of a mutual recognition agreement). Entries of `recognises` name its `code`."""

    code: RegionCode
    names: Names
    format: ForeignFormat
    location: str  # https URI
    signers: tuple[bytes, ...]  # DER certificates; one of these keys must have signed the list
    equivalences: tuple[ServiceEquivalence, ...]
    history: History


@dataclass(frozen=True, slots=True)
class TypeRequirement:
    """A type that a scenario needs (any one of `any_of`) and the claims it may ask of it."""

    any_of: tuple[TypeId, ...]
    claims: tuple[str, ...]
    optional_claims: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scenario:
    """A service item (事项) and what it needs. Staleness budgets: how old data may be before a verdict is
    INDETERMINATE."""

    id: ScenarioId
    names: Names
    purpose: Names
    requires: tuple[TypeRequirement, ...]
    trust_staleness: timedelta = timedelta(days=7)
    status_staleness: timedelta = timedelta(hours=24)
    retention_days: int = 0


@dataclass(frozen=True, slots=True)
class RelyingPartyEntry:
    """A verifying agency, registered for scenarios."""

    id: RelyingPartyId
    names: Names
    scenarios: tuple[ScenarioId, ...]
    keys: tuple[KeyEntry, ...]  # use RECEIPT and ACCESS
    history: History


class ListKind(Enum):
    REGION = "region"
    BODY = "body"  # a common body that defines types and attests or recognises nothing


@dataclass(frozen=True, slots=True)
class RegionList:
    """Everything one authority says: one signed TUF target, `regions/<code>/list.json`."""

    code: RegionCode
    kind: ListKind
    names: Names
    authority: Names
    version: int
    issued_at: datetime
    defines: tuple[CertificateType, ...] = ()
    authorities: tuple[KeyEntry, ...] = ()  # use CA and TIMESTAMP
    attests: tuple[IssuerEntry, ...] = ()
    recognises: tuple[RecognitionEntry, ...] = ()
    scenarios: tuple[Scenario, ...] = ()
    relying_parties: tuple[RelyingPartyEntry, ...] = ()
    notice_period: timedelta = timedelta(days=30)
    notice_since: datetime | None = None  # recognitions announced earlier follow an earlier notice period
    foreign: tuple[ForeignListEntry, ...] = ()
    rules: tuple[AcceptanceRule, ...] = ()  # not written where there are none
