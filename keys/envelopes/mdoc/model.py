"""The parts of an mdoc (ISO/IEC 18013-5 clauses 8.3.2.1.2.2 and 9.1.2.4) as parsed. Trusts nobody, decides nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Final

from keys.envelopes.cose import CoseSign1
from keys.frozen import made_often

# ISO/IEC 18013-5 table 21 -> hashlib. Others are not understood, and refused.
DIGESTS: Final = {"SHA-256": hashlib.sha256, "SHA-384": hashlib.sha384, "SHA-512": hashlib.sha512}
DIGEST_SIZES: Final = {"SHA-256": 32, "SHA-384": 48, "SHA-512": 64}
MSO_VERSION: Final = "1.0"
RESPONSE_VERSION: Final = "1.0"


class ItemOutcome(Enum):
    """How a disclosed item compares with the digest that the issuer signed."""

    OK = "ok"
    NOT_SIGNED = "not_signed"  # the issuer signed no digest of that number in that namespace
    ALTERED = "altered"


@made_often
@dataclass(frozen=True, slots=True)
class IssuerSignedItem:
    """One disclosed data element. `encoded` is IssuerSignedItemBytes as received, which the digest is over."""

    name_space: str
    digest_id: int
    random: bytes
    identifier: str
    value: Any
    encoded: bytes


@made_often
@dataclass(frozen=True, slots=True)
class ValidityInfo:
    """When it was signed and between which times it is valid, UTC, whole seconds."""

    signed: datetime
    valid_from: datetime
    valid_until: datetime
    expected_update: datetime | None = None


@made_often
@dataclass(frozen=True, slots=True)
class MobileSecurityObject:
    """What the issuer signs. `device_key` is a JWK, None when none is named or its kind is not known here.

    `names_device`: a device key is named, known or not. `status` is that of Token Status List section 6.3.
    """

    doc_type: str
    digest_algorithm: str
    value_digests: Mapping[str, Mapping[int, bytes]]
    validity: ValidityInfo
    device_key: Mapping[str, Any] | None
    names_device: bool
    status: Mapping[str, Any] | None


@made_often
@dataclass(frozen=True, slots=True)
class IssuerSigned:
    """The disclosed items and the issuer's signature, which is not verified: `issuer_auth.verified_by` does that."""

    items: tuple[IssuerSignedItem, ...]
    issuer_auth: CoseSign1
    mso: MobileSecurityObject

    def compare(self, item: IssuerSignedItem) -> ItemOutcome:
        """Whether `item` is what the issuer signed a digest of. Spec: ISO/IEC 18013-5 clause 9.3.1 step 2."""
        digest = self.mso.value_digests.get(item.name_space, {}).get(item.digest_id)
        if digest is None:
            return ItemOutcome.NOT_SIGNED
        own = DIGESTS[self.mso.digest_algorithm](item.encoded).digest()
        return ItemOutcome.OK if own == digest else ItemOutcome.ALTERED

    def elements(self) -> dict[str, dict[str, Any]]:
        """The disclosed values by namespace and element identifier: the issuer's only if every item compares OK."""
        found: dict[str, dict[str, Any]] = {}
        for item in self.items:
            found.setdefault(item.name_space, {})[item.identifier] = item.value
        return found


@made_often
@dataclass(frozen=True, slots=True)
class DeviceMac:
    """A COSE_Mac0 with HMAC 256/256, its payload detached."""

    protected_bytes: bytes
    tag: bytes


@made_often
@dataclass(frozen=True, slots=True)
class DeviceSigned:
    """The device's own elements and its authentication: a signature or a MAC, never both.

    `name_spaces` is DeviceNameSpacesBytes as received. `elements` are the bearer's own words, not the issuer's.
    """

    name_spaces: bytes
    elements: Mapping[str, Mapping[str, Any]]
    signature: CoseSign1 | None
    mac: DeviceMac | None


@made_often
@dataclass(frozen=True, slots=True)
class Mdoc:
    """One document. `doc_type` is the one stated beside the issuer's, None for IssuerSigned alone."""

    doc_type: str | None
    issuer_signed: IssuerSigned
    device_signed: DeviceSigned | None

    @property
    def mso(self) -> MobileSecurityObject:
        return self.issuer_signed.mso

    @property
    def doc_type_agrees(self) -> bool:
        """Spec: ISO/IEC 18013-5 clause 9.3.1 step 4: the MSO's docType shall be the document's."""
        return self.doc_type is None or self.doc_type == self.mso.doc_type
