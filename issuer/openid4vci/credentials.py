"""The credential endpoint and what follows it: which credential is asked for, for which keys, now or after a clerk.

Makes no credential itself (`issuer.copies` does), and asks no token (`tokens` does): it is handed a grant.
Spec: OpenID4VCI 1.0 sections 8, 9 and 11; HAIP 1.0, "Credential Endpoint".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final, Protocol

from issuer.errors import (
    CertificateNotPublished,
    CertificateOver,
    CertificateRevoked,
    CertificateSuspended,
    IssuerError,
    PublicationDelayed,
    SealKeyMismatch,
    StatusSignerMissing,
    TooManyCopies,
    TrustViewMissing,
)
from issuer.model import CertificateState, RenderingKind
from issuer.openid4vci.challenges import Challenges
from issuer.openid4vci.deferred import Deferrals, DeferredState, invalid_transaction
from issuer.openid4vci.encryption import RequestKeys, ResponseEncryption, read_response_encryption
from issuer.openid4vci.errors import ProtocolRefusal
from issuer.openid4vci.metadata import JSON, JWT, IssuerMetadata
from issuer.openid4vci.model import CredentialConfiguration, Dataset, Grant, Tenant
from issuer.openid4vci.notifications import Notifications
from issuer.openid4vci.proofs import Expected, read_proofs
from issuer.service import IssuerService
from keys.envelopes.base64url import b64url_encode
from keys.envelopes.strict_json import encode_json, load_json
from keys.errors import KeysError, MalformedEnvelope
from keys.x509 import Certificate
from trust_registry.attestations import CertificateId
from trust_registry.edges import HolderId
from trust_registry.model import CertificateStatus

MAX_BODY: Final = 256 * 1024
BATCH_SIZE: Final = 20
INTERVAL: Final = 60  # seconds until a wallet should ask again: a clerk is a person
_UNAVAILABLE: Final = (
    *(PublicationDelayed, TrustViewMissing, CertificateNotPublished, StatusSignerMissing, SealKeyMismatch),
    KeysError,
)
_WHY: Final[tuple[tuple[type[IssuerError], str], ...]] = (
    (CertificateRevoked, "the certificate is revoked"),
    (CertificateSuspended, "the certificate is suspended"),
    (CertificateOver, "the certificate is over"),
    (TooManyCopies, "too many copies of the certificate were made of late"),
)


class Copying(Protocol):
    """`issuer.copies.WalletCopies`."""

    def make(
        self,
        certificate_id: CertificateId,
        holder_id: HolderId,
        kind: RenderingKind,
        keys: Sequence[Mapping[str, Any]],
        first: Callable[[Any], None] = ...,
    ) -> tuple[str | bytes, ...]: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """A response of the endpoints, for its edge to send."""

    status: int
    body: bytes
    media_type: str | None = JSON


@dataclass(frozen=True, slots=True)
class CredentialIssuer:
    """The endpoints of all tenants. Safe for threads. `anchors`: of the wallet providers whose key attestations
    count; `attested`: without one, no key is taken."""

    issuer: IssuerService
    copies: Copying
    challenges: Challenges
    request_keys: RequestKeys
    deferrals: Deferrals
    notifications: Notifications
    metadata: IssuerMetadata
    anchors: Sequence[Certificate]
    now: Callable[[], datetime]
    attested: bool = False

    def credential(self, tenant: Tenant, grant: Grant, content_type: str, body: bytes) -> Answer:
        """Credentials for the proven keys, in their order; or, under dual control, a transaction to come back with.

        Raises: ProtocolRefusal with an error of section 8.3.1.2, insufficient_scope (403), or temporarily_unavailable
        (503), after which the wallet may ask again with a new nonce.
        """
        request, encrypted = self._read(tenant, content_type, body)
        sealing = read_response_encryption(request.get("credential_response_encryption"), encrypted=encrypted)
        dataset, configuration = find_target(tenant, grant, request)
        expected = Expected(tenant.identifier, grant.client_id, self.now(), BATCH_SIZE, self.anchors, self.attested)
        proven = read_proofs(request.get("proofs"), expected)
        spend = partial(self.challenges.spend, tenant.identifier, proven.nonces)
        keys = [key.jwk() for key in proven.keys]
        if configuration.type.dual_control and not grant.approved:
            spend()
            self._check_standing(dataset.certificate_id)
            transaction = self.deferrals.begin(grant, dataset, configuration, keys)
            return _answer({"transaction_id": transaction, "interval": INTERVAL}, sealing, 202)
        issued = self._issue(grant, dataset.certificate_id, configuration, keys, spend)
        # For wallets that prove the key of the offer's next credential with a nonce of the last response only.
        more = {"notification_id": self.notifications.make(grant), "c_nonce": self.challenges.make(tenant.identifier)}
        return _answer({"credentials": issued, **more}, sealing, 200)

    def deferred(self, tenant: Tenant, grant: Grant, content_type: str, body: bytes) -> Answer:
        """What became of a deferred request: the credentials, once, or that it still waits.

        Raises: ProtocolRefusal: invalid_transaction_id, credential_request_denied and those of `credential`.
        """
        request, encrypted = self._read(tenant, content_type, body)
        sealing = read_response_encryption(request.get("credential_response_encryption"), encrypted=encrypted)
        transaction = request.get("transaction_id")
        if not isinstance(transaction, str):
            raise _invalid("transaction_id is missing, or no text")
        found = self.deferrals.find(transaction, grant)
        if found.state is DeferredState.WAITING:
            return _answer({"transaction_id": transaction, "interval": INTERVAL}, sealing, 202)
        configuration = tenant.configuration(found.configuration)
        if found.state is DeferredState.REFUSED or configuration is None:
            raise _denied("the office refused the request")
        if not self.deferrals.take(found.id):
            raise invalid_transaction()
        try:
            issued = self._issue(grant, found.certificate_id, configuration, found.keys)
        except ProtocolRefusal:
            self.deferrals.give_back(found)
            raise
        # No notification_id: it is optional, and @openid4vc/openid4vci up to 0.4 refuses it here.
        return _answer({"credentials": issued}, sealing, 200)

    def notification(self, grant: Grant, content_type: str, body: bytes) -> None:
        """Keep what a wallet reports. Raises: ProtocolRefusal (invalid_notification_request, _id)."""
        try:
            request = load_json(body) if media_type(content_type) == JSON else None
        except MalformedEnvelope:
            request = None
        if not isinstance(request, dict):
            raise ProtocolRefusal("invalid_notification_request", "the body is not a JSON object as application/json")
        self.notifications.record(grant, request)

    def _read(self, tenant: Tenant, content_type: str, body: bytes) -> tuple[Mapping[str, Any], bool]:
        """The request's parameters, and whether they came encrypted."""
        kind = media_type(content_type)
        if kind not in (JSON, JWT):
            raise _invalid("the request is neither application/json nor, encrypted, application/jwt")
        if kind == JWT:
            body = self.request_keys.open(tenant.identifier, body, MAX_BODY)
        try:
            request = load_json(body)
        except MalformedEnvelope as err:
            raise _invalid("the request is not well-formed JSON, or repeats a parameter") from err
        if not isinstance(request, dict):
            raise _invalid("the request is not a JSON object")
        return request, kind == JWT

    def _issue(
        self,
        grant: Grant,
        certificate_id: CertificateId,
        configuration: CredentialConfiguration,
        keys: Sequence[Mapping[str, Any]],
        spend: Callable[[Any], None] = lambda _: None,
    ) -> list[dict[str, str]]:
        """`spend` uses up what was proven, in the transaction that records the copies."""
        try:
            made = self.copies.make(certificate_id, grant.holder_id, configuration.kind, keys, spend)
        except _UNAVAILABLE as err:
            raise ProtocolRefusal(
                "temporarily_unavailable", "try again shortly", status=503, headers={"Retry-After": "10"}
            ) from err
        except IssuerError as err:
            why = (words for kind, words in _WHY if isinstance(err, kind))
            raise _denied(next(why, "the certificate can not be issued")) from err
        texts = [each if isinstance(each, str) else b64url_encode(each).decode("ascii") for each in made]
        return [{"credential": text} for text in texts]

    def _check_standing(self, certificate_id: CertificateId) -> None:
        """No clerk is asked about what could not be issued anyway."""
        try:
            found = self.issuer.certificate(certificate_id)
        except IssuerError as err:
            raise _denied("the certificate can not be issued") from err
        over = found.valid_until is not None and found.valid_until <= self.now()
        if found.state is not CertificateState.PUBLISHED or found.status is not CertificateStatus.VALID or over:
            raise _denied("the certificate does not stand")


def find_target(tenant: Tenant, grant: Grant, request: Mapping[str, Any]) -> tuple[Dataset, CredentialConfiguration]:
    """The certificate and form that a credential request names.

    Raises: ProtocolRefusal: invalid_credential_request, unknown_credential_identifier,
    unknown_credential_configuration; insufficient_scope (403) for what the issuer has and the token does not permit.
    Spec: OpenID4VCI 1.0 sections 3.3.4, 8.2 and 8.3.1.
    """
    identifier, id_ = request.get("credential_identifier"), request.get("credential_configuration_id")
    if (identifier is None) == (id_ is None):
        raise _invalid("exactly one of credential_identifier and credential_configuration_id is needed")
    if not isinstance(id_ if identifier is None else identifier, str):
        raise _invalid("what is asked for is not named by a text")
    if identifier is not None:
        return _by_identifier(tenant, grant, identifier)
    if grant.by_identifier:
        raise _invalid("the token response returned credential_identifiers: name one of them instead")
    configuration = _configuration(tenant, str(id_))
    dataset = next((each for each in grant.datasets if configuration.id in each.configurations), None)
    if dataset is None:
        raise _insufficient(grant)
    return dataset, configuration


def _by_identifier(tenant: Tenant, grant: Grant, identifier: str) -> tuple[Dataset, CredentialConfiguration]:
    dataset = next((each for each in grant.datasets if each.identifier == identifier), None)
    if dataset is None or not grant.by_identifier:
        raise ProtocolRefusal("unknown_credential_identifier", "no such identifier came with this access token")
    return dataset, _configuration(tenant, dataset.configurations[0])


def _configuration(tenant: Tenant, id_: str) -> CredentialConfiguration:
    found = tenant.configuration(id_)
    if found is None:
        raise ProtocolRefusal("unknown_credential_configuration", "the metadata names no such configuration")
    return found


def media_type(content_type: str) -> str:
    """Without its parameters."""
    return content_type.partition(";")[0].strip().lower()


def _answer(body: Mapping[str, Any], sealing: ResponseEncryption | None, status: int) -> Answer:
    """Encrypted whenever the wallet asked for it, whatever it says. Spec: section 8.3."""
    text = encode_json(dict(body)).encode("utf-8")
    return Answer(status, text) if sealing is None else Answer(status, sealing.seal(text).encode("ascii"), JWT)


def _invalid(description: str) -> ProtocolRefusal:
    return ProtocolRefusal("invalid_credential_request", description)


def _denied(description: str) -> ProtocolRefusal:
    return ProtocolRefusal("credential_request_denied", description)


def _insufficient(grant: Grant) -> ProtocolRefusal:
    words = "the access token does not permit this credential"
    scheme = "Bearer" if grant.key_thumbprint is None else "DPoP"
    challenge = f'{scheme} error="insufficient_scope", error_description="{words}"'
    return ProtocolRefusal("insufficient_scope", words, status=403, headers={"WWW-Authenticate": challenge})
