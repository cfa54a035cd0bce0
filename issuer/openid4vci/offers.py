"""Credential offers: an invitation to collect a certificate, with a code that works once.

Keeps no secret: address, code and transaction code are told when the offer is made, and only their digests stay; the
code that a referenced offer tells again is derived from its address. Spec: OpenID4VCI 1.0 sections 4 and 13.6.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from hashlib import sha256
from typing import Any, Final, Literal
from urllib.parse import quote

from issuer.errors import CertificateNotFound
from issuer.model import RenderingKind
from issuer.openid4vci.errors import ProtocolRefusal
from issuer.openid4vci.model import Tenant, configuration_id
from issuer.openid4vci.store import OPEN, OpenidStore, Row
from issuer.service import IssuerService
from keys.data_keys import DeploymentKey
from keys.envelopes.base64url import b64url_encode
from trust_registry.attestations import CertificateId
from trust_registry.edges import AccountId, HolderId
from trust_registry.model import Names

PRE_AUTHORIZED: Final = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
LIFE: Final = timedelta(minutes=10)
PIN_LENGTH: Final = 6
MOST_ATTEMPTS: Final = 5
SCHEME: Final = "openid-credential-offer://"
_BOTH: Final = (RenderingKind.SD_JWT_VC, RenderingKind.MDOC)
_DESCRIPTION: Final = Names("请输入窗口人员告诉您的六位数字", "Enter the six digits that the office told you")

GrantType = Literal["pre-authorized_code", "authorization_code"]


class OfferState(Enum):
    """What became of an offer."""

    OPEN = "open"
    TAKEN = "taken"
    EXPIRED = "expired"
    LOCKED = "locked"  # by wrong transaction codes
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Offer:
    """An offer as it was just made. `tx_code` is told once, by another way than the rest. All but `id` is secret."""

    id: str
    by_reference: str
    by_value: str
    tx_code: str | None
    expires_at: datetime


class Offers:
    """Offers of all tenants. Safe for threads; any process of the deployment may redeem what another one made."""

    def __init__(
        self, store: OpenidStore, issuer: IssuerService, key: DeploymentKey, now: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._issuer = issuer
        self._key = key
        self._now = now

    def make(
        self,
        *,
        tenant: Tenant,
        holder_id: HolderId,
        certificate_id: CertificateId,
        made_by: AccountId,
        kinds: Sequence[RenderingKind] = _BOTH,
        with_pin: bool,
        approved: bool,
        grant: GrantType = "pre-authorized_code",
    ) -> Offer:
        """A new offer of one certificate in `kinds`, open for ten minutes. `approved`: a clerk answers for it.

        Raises: CertificateNotFound, also when the certificate is another office's or not to be had in these kinds.
        """
        place = self._issuer.store.place(certificate_id, tenant.issuer_id)
        configurations = [configuration_id(place.type_id, kind) for kind in kinds]
        if not configurations or any(tenant.configuration(each) is None for each in configurations):
            raise CertificateNotFound(certificate_id)
        address = secrets.token_urlsafe(32)
        pin = f"{secrets.randbelow(10**PIN_LENGTH):0{PIN_LENGTH}}" if with_pin and _pre_authorized(grant) else None
        offer_id, expires_at = offer_id_of(address), self._now() + LIFE
        row = {
            "id": offer_id,
            "issuer_id": tenant.issuer_id,
            "holder_id": holder_id,
            "certificate_id": certificate_id,
            "configurations": " ".join(configurations),
            "grant_type": PRE_AUTHORIZED if _pre_authorized(grant) else grant,
            "made_by": made_by,
            "approved": approved,
            "code": sha256(self._code(address).encode()).digest(),
            "pin": None if pin is None else self._pin(offer_id, pin),
            "attempts": 0,
            "state": OPEN,
            "expires_at": expires_at,
            "grant_id": None,
        }
        self._store.add_offer(row)
        document = json.dumps(self._document(tenant, row, address, None), ensure_ascii=False, separators=(",", ":"))
        return Offer(
            id=offer_id,
            by_reference=f"{SCHEME}?credential_offer_uri={quote(f'{tenant.identifier}/offers/{address}', safe='')}",
            by_value=f"{SCHEME}?credential_offer={quote(document, safe='')}",
            tx_code=pin,
            expires_at=expires_at,
        )

    def state(self, offer_id: str) -> OfferState:
        """What became of the offer. One that is no longer known has expired."""
        row = self._store.offer(offer_id)
        if row is None:
            return OfferState.EXPIRED
        state = OfferState(row["state"])
        return OfferState.EXPIRED if state is OfferState.OPEN and row["expires_at"] <= self._now() else state

    def cancel(self, offer_id: str) -> None:
        """Close an offer that is open; nothing, when it is not."""
        self._store.cancel_offer(offer_id)

    def document(self, tenant: Tenant, address: str, language: str = "zh") -> dict[str, Any]:
        """The credential offer behind `address`, while it is open.

        Raises ProtocolRefusal (404) for one that is unknown, another issuer's, taken, locked, cancelled or expired.
        Spec: OpenID4VCI 1.0 sections 4.1.1 and 4.1.3.
        """
        row = self._store.offer(offer_id_of(address))
        if row is None or row["issuer_id"] != tenant.issuer_id or not self.is_open(row):
            raise ProtocolRefusal("not_found", "there is no such offer, or it can no longer be taken", status=404)
        return self._document(tenant, row, address, language)

    def is_open(self, row: Row) -> bool:
        """Whether the offer in `row` can be taken."""
        return bool(row["state"] == OPEN and row["expires_at"] > self._now())

    def pin_holds(self, row: Row, pin: str) -> bool:
        """Whether `pin` is the offer's transaction code; every try is counted, and five wrong ones lock the offer."""
        attempts = self._store.count_attempt(row["id"], MOST_ATTEMPTS)
        if attempts is None:
            return False
        if secrets.compare_digest(row["pin"], self._pin(row["id"], pin)):
            return True
        if attempts >= MOST_ATTEMPTS:
            self._store.lock_offer(row["id"])
        return False

    def _document(self, tenant: Tenant, row: Row, address: str, language: str | None) -> dict[str, Any]:
        """`language`: of whoever asks; None where that is not known."""
        code = self._code(address)
        if row["grant_type"] != PRE_AUTHORIZED:
            grants: dict[str, Any] = {"authorization_code": {"issuer_state": code}}
        else:
            wanted: dict[str, Any] = {"pre-authorized_code": code}
            if row["pin"] is not None:
                both = f"{_DESCRIPTION.zh} / {_DESCRIPTION.en}"
                description = both if language is None else _DESCRIPTION.in_language(language)
                wanted["tx_code"] = {"input_mode": "numeric", "length": PIN_LENGTH, "description": description}
            grants = {PRE_AUTHORIZED: wanted}
        return {
            "credential_issuer": tenant.identifier,
            "credential_configuration_ids": row["configurations"].split(" "),
            "grants": grants,
        }

    def _code(self, address: str) -> str:
        """The pre-authorized code or issuer_state of an offer: 256 bits that follow from its address, for us alone."""
        return b64url_encode(self._key.lookup("openid-offer-code", address)).decode("ascii")

    def _pin(self, offer_id: str, pin: str) -> bytes:
        return self._key.lookup("openid-offer-pin", f"{offer_id}:{pin}")


def _pre_authorized(grant: GrantType) -> bool:
    return grant == "pre-authorized_code"


def offer_id_of(address: str) -> str:
    """The id under which its maker asks for an offer: the digest of the address, which it can't be turned back into."""
    return sha256(address.encode("utf-8", "surrogatepass")).hexdigest()
