"""The nouns of presentation requests: how they are made, what is kept of them, what a counter is told.

Spec: OpenID4VP 1.0 sections 5, 8 and 13.3, appendix A.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Final

from trust_registry.model import Names, RelyingPartyId, ScenarioId, TypeId
from verifier.dcql.model import DcqlQuery
from verifier.model import Report

LIFE: Final = timedelta(minutes=10)  # for a wallet to answer
KEPT: Final = timedelta(minutes=20)  # then the key and what came back are erased


class ClientIdPrefix(Enum):
    """How a wallet is told who asks. Spec: section 5.9.3."""

    X509_HASH = "x509_hash"
    X509_SAN_DNS = "x509_san_dns"


class ResponseMode(Enum):
    """How the answer comes back. Spec: sections 8.2 and 8.3.1, appendix A.2."""

    DIRECT_POST = "direct_post"
    DIRECT_POST_JWT = "direct_post.jwt"
    DC_API_JWT = "dc_api.jwt"

    @property
    def encrypted(self) -> bool:
        return self is not ResponseMode.DIRECT_POST


class RequestState(Enum):
    WAITING = "waiting"  # nobody fetched it yet
    FETCHED = "fetched"
    ANSWERED = "answered"
    DECLINED = "declined"  # the wallet answered with an error
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class TransactionData:
    """What the holder is to authorise by presenting. `parameters` are the type's own; empty `hash_algorithms`: the
    default, sha-256. Spec: section 8.4, appendix B.3.3.1."""

    type: str
    parameters: Mapping[str, Any]
    hash_algorithms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Terms:
    """What was asked, and the secrets that the answer is tied to: sealed at rest, erased after `KEPT`.

    `secret`: the ephemeral key that the answer is encrypted to. `types`: the type that each credential query is about.
    `transaction_data`: the base64url texts as sent. `origins`: of a request through the browser's API.
    """

    client_id: str
    prefix: ClientIdPrefix
    mode: ResponseMode
    nonce: str
    state: str
    response_token: str
    secret: bytes | None
    query: DcqlQuery
    types: Mapping[str, TypeId]
    transaction_data: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    same_device: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, by credential query id; `error` instead, where the wallet declined. `origin`: of the API."""

    received_at: datetime
    presentations: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    error: str | None = None
    origin: str | None = None


@dataclass(frozen=True, slots=True)
class PresentationRequest:
    """One request of a counter as it is kept."""

    id: str
    relying_party: RelyingPartyId
    scenario: ScenarioId
    state: RequestState
    begun_at: datetime
    terms: Terms
    answer: Answer | None = None
    browser: bytes = b""
    response_code: bytes | None = None  # SHA-256

    @property
    def expires_at(self) -> datetime:
        return self.begun_at + LIFE

    def open_at(self, at: datetime) -> bool:
        """Whether a wallet may still fetch and answer it."""
        return self.state in (RequestState.WAITING, RequestState.FETCHED) and at < self.expires_at


@dataclass(frozen=True, slots=True)
class Begun:
    """A request that waits for a wallet. `uri` opens one on this device, `qr_uri` is for another to scan."""

    id: str
    uri: str
    qr_uri: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class BegunInBrowser:
    """A request for `navigator.credentials.get`: `{digital: {requests: [{protocol, data}]}}`. Spec: appendix A."""

    id: str
    protocol: str
    data: Mapping[str, Any]
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class PresentedVerdict:
    """The verdict on one presentation; `names` are those of the certificate type that was asked for."""

    query_id: str
    names: Names
    report: Report


@dataclass(frozen=True, slots=True)
class Progress:
    """How a request stands. `missing`: names of required certificates that were not shown, each requirement's first
    type. `error`: the specification's code with which the wallet declined."""

    state: RequestState
    expires_at: datetime
    verdicts: tuple[PresentedVerdict, ...] = ()
    missing: tuple[Names, ...] = ()
    error: str | None = None
