"""What a list of another network says: services, what they were when, pointers to other lists. No behaviour.

Whether such a list counts here is its naming region's to say (`ForeignListEntry`); the decision is in `core.foreign`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from trust_registry.model.entries import EntryStatus, Names, RegionCode
from trust_registry.model.lists import ForeignFormat

_TODAY: Final = "http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/"
_DIRECTIVE: Final = "http://uri.etsi.org/TrstSvc/eSigDir-1999-93-EC-TrustedList/Svcstatus/"
_FIRST: Final = "http://uri.etsi.org/TrstSvc/Svcstatus/"
LISTED: Final = "urn:yinxin:foreign-list:listed"  # for forms whose only status is to be on the list
DCC_SIGNER: Final = "urn:yinxin:foreign-list:dcc:signer"  # the service type of a health certificate's signer

_WORDS: Final[Mapping[str, EntryStatus]] = {
    "granted": EntryStatus.GRANTED,
    "withdrawn": EntryStatus.WITHDRAWN,
    "recognisedatnationallevel": EntryStatus.GRANTED,
    "deprecatedatnationallevel": EntryStatus.WITHDRAWN,
    "setbynationallaw": EntryStatus.GRANTED,
    "deprecatedbynationallaw": EntryStatus.WITHDRAWN,
    "undersupervision": EntryStatus.GRANTED,
    "supervisionincessation": EntryStatus.GRANTED,  # still supervised: what it issued is kept until all has expired
    "supervisionceased": EntryStatus.WITHDRAWN,
    "supervisionrevoked": EntryStatus.WITHDRAWN,
    "accredited": EntryStatus.GRANTED,
    "accreditationceased": EntryStatus.WITHDRAWN,
    "accreditationrevoked": EntryStatus.WITHDRAWN,
    "inaccord": EntryStatus.GRANTED,
    "suspended": EntryStatus.SUSPENDED,
    "expired": EntryStatus.WITHDRAWN,
    "revoked": EntryStatus.WITHDRAWN,
    "notinaccord": EntryStatus.WITHDRAWN,
}

# TS 119 612 clause 5.5.4 and annex D.5; those of Directive 1999/93/EC; those of TS 102 231, in its own spelling too.
STATUS_MEANINGS: Final[Mapping[str, EntryStatus]] = {
    **{prefix + word: status for word, status in _WORDS.items() for prefix in (_TODAY, _DIRECTIVE, _FIRST)},
    LISTED: EntryStatus.GRANTED,
}


@dataclass(frozen=True, slots=True)
class ServiceIdentity:
    """By what a service is known: certificates and public keys (DER), subject names (RFC 4514, as the list spells
    them), key identifiers (X.509 SKIs; the `kid` of a health certificate's signer)."""

    certificates: tuple[bytes, ...] = ()
    subject_names: tuple[str, ...] = ()
    key_ids: tuple[bytes, ...] = ()
    public_keys: tuple[bytes, ...] = ()  # SubjectPublicKeyInfo


@dataclass(frozen=True, slots=True)
class ServicePeriod:
    """One line of a service's history: what it was from `since` (UTC) until the next line begins.

    `service_type` and `additional` are URIs. `understood` is false where a critical extension is not known here.
    `status` None: not understood, or a status that this library does not know; it grants nothing.
    """

    since: datetime
    status_uri: str
    service_type: str
    additional: tuple[str, ...] = ()
    understood: bool = True

    @property
    def status(self) -> EntryStatus | None:
        return STATUS_MEANINGS.get(self.status_uri) if self.understood else None


@dataclass(frozen=True, slots=True)
class ForeignService:
    """A trust service of another network, with its whole history: oldest line first, never empty.

    Of two lines that begin at one instant the later in the tuple counts. `territory` is the service's own where one
    list carries several (health certificates); None: the list's.
    """

    provider: Names
    names: Names
    identity: ServiceIdentity
    history: tuple[ServicePeriod, ...]
    territory: str | None = None

    @property
    def current(self) -> ServicePeriod:
        return self.history[-1]


@dataclass(frozen=True, slots=True)
class ForeignPointer:
    """Where another list is said to be, and whose certificates (DER) it is signed with."""

    location: str
    territory: str | None
    mime_type: str | None
    list_type: str | None
    signers: tuple[bytes, ...]
    agreement: tuple[MutualRecognition, ...] = ()


@dataclass(frozen=True, slots=True)
class ServiceForm:
    """A service type (URI) with the additional service information (URIs) that a rule is about."""

    service_type: str
    additional: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MutualRecognition:
    """One line of a mutual recognition agreement: services of the pointed party's forms are as those of the pointing
    party's, while `in_force` and since `since`. Statuses are URIs. Spec: ETSI TS 119 612
    V2.4.1, mra_schema_v2."""

    legal_identifier: str
    pointing: tuple[ServiceForm, ...]
    pointed: tuple[ServiceForm, ...]
    in_force: bool
    since: datetime
    valid_pointing: tuple[str, ...] = ()
    valid_pointed: tuple[str, ...] = ()
    invalid_pointing: tuple[str, ...] = ()
    invalid_pointed: tuple[str, ...] = ()
    history: tuple[tuple[datetime, bool], ...] = ()  # earlier (since, in force), oldest first
    conditional: bool = False  # it also asks something of single certificates, which is not read


@dataclass(frozen=True, slots=True)
class ForeignList:
    """A verified list of another network.

    `digest` is the hex SHA-256 of the bytes as fetched; `signed_by` the hex SHA-256 of the certificate whose key signed
    them, or "sha256" where the bytes themselves were pinned. `next_update` None: the list is closed, nothing follows.
    `code`: under which a region names it; empty until it does. `fetched_at`: when this copy was last confirmed.
    """

    code: RegionCode
    format: ForeignFormat
    territory: str | None
    list_type: str | None
    scheme_operator: Names
    sequence_number: int
    issued_at: datetime
    next_update: datetime | None
    services: tuple[ForeignService, ...]
    pointers: tuple[ForeignPointer, ...]
    information_uris: tuple[str, ...]
    digest: str
    signed_by: str
    fetched_at: datetime | None = None
    services_by_key_id: Mapping[bytes, tuple[ForeignService, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        found: dict[bytes, list[ForeignService]] = {}
        for service in self.services:
            for key_id in service.identity.key_ids:
                found.setdefault(key_id, []).append(service)
        object.__setattr__(self, "services_by_key_id", {key: tuple(services) for key, services in found.items()})
