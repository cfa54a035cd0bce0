"""What goes into the requests of a collection, and what is read of their answers. Pure; sends and keeps nothing.

Spec: OpenID4VCI 1.0 sections 5, 6, 8 and appendix F.1; RFC 7636, RFC 9126, RFC 9207.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from keys.algorithms import ES256
from keys.envelopes.base64url import b64url_decode, b64url_encode
from keys.envelopes.strict_json import encode_json
from keys.errors import AlgorithmNotSupported
from keys.public_key import PublicKey
from wallet_api.openid.collecting_errors import Collecting, CollectingRefused
from wallet_api.openid.issuer_metadata import Configuration, IssuerMetadata, ServerMetadata, serves
from wallet_api.openid.offers import AUTHORIZATION_CODE, PRE_AUTHORIZED, Offer, TransactionCode

DETAILS_TYPE: Final = "openid_credential"
MAX_WANTED: Final = 8  # credentials of one collection, copies aside
MAX_KEYS: Final = 40
_LONGEST: Final = 4096
_SLOWEST, _QUICKEST = 24 * 3600, 2  # seconds between two questions about what is deferred


@dataclass(frozen=True, slots=True)
class Wanted:
    """One credential to ask for: its configuration, and its dataset where the token response named one."""

    configuration: str
    identifier: str | None


@dataclass(frozen=True, slots=True)
class ToSign:
    """What a key of the browser has to sign."""

    key_thumbprint: str
    data: str  # base64url


@dataclass(frozen=True, slots=True)
class Handed:
    """An answer of the credential endpoint. `credentials` None: deferred, ask again after `interval` seconds."""

    credentials: tuple[Any, ...] | None
    notification_id: str | None
    transaction_id: str | None
    interval: int


def choose_server(offer: Offer, metadata: IssuerMetadata) -> tuple[str, ...]:
    """The authorization servers to look at, best first. Raises CollectingRefused. Spec: section 4.1.1."""
    hints = {grant.server for grant in (offer.pre_authorized, offer.with_authorization) if grant and grant.server}
    if not hints:
        return metadata.servers[:3]
    if not hints <= set(metadata.servers):
        raise CollectingRefused(Collecting.SERVER_UNKNOWN)
    return tuple(each for each in metadata.servers if each in hints)


def choose_grant(offer: Offer, server: ServerMetadata) -> str | None:
    """The grant type to use at this server; None when it has none that fits."""
    if offer.pre_authorized is not None and offer.pre_authorized.server in (None, server.issuer):
        return PRE_AUTHORIZED if serves(server, PRE_AUTHORIZED) else None
    named = offer.with_authorization
    if named is not None and named.server not in (None, server.issuer):
        return None
    return AUTHORIZATION_CODE if serves(server, AUTHORIZATION_CODE) else None


def fits(code: str, described: TransactionCode) -> bool:
    """Whether what was typed can be the transaction code."""
    if not code or len(code) > 64 or (described.length is not None and len(code) != described.length):
        return False
    return not described.numeric or (code.isascii() and code.isdigit())


def read_keys(keys: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """Public P-256 keys by their thumbprints. Raises CollectingRefused."""
    try:
        found = [PublicKey.from_jwk(key) for key in keys]
    except AlgorithmNotSupported as err:
        raise CollectingRefused(Collecting.KEYS_UNFIT) from err
    named = {key.thumbprint(): key.jwk() for key in found}
    if not 1 <= len(named) == len(keys) <= MAX_KEYS or any(key.algorithm is not ES256 for key in found):
        raise CollectingRefused(Collecting.KEYS_UNFIT)
    return named


def pre_authorized_request(offer: Offer, client_id: str | None, tx_code: str | None) -> dict[str, str]:
    """The token request of the pre-authorized code flow. `client_id` None: the server takes anybody."""
    assert offer.pre_authorized is not None
    parameters = {"grant_type": PRE_AUTHORIZED, "pre-authorized_code": offer.pre_authorized.code}
    if tx_code is not None:
        parameters["tx_code"] = tx_code
    return parameters if client_id is None else {**parameters, "client_id": client_id}


def authorization_request(
    offer: Offer,
    metadata: IssuerMetadata,
    configurations: Sequence[Configuration],
    *,
    client_id: str,
    redirect_uri: str,
    state: str,
    verifier: str,
) -> dict[str, str]:
    """By scope where every configuration has one (HAIP 1.0 section 4.3), else by authorization details."""
    challenge = b64url_encode(hashlib.sha256(verifier.encode("ascii")).digest()).decode("ascii")
    parameters = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "state": state,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    if offer.with_authorization is not None and offer.with_authorization.issuer_state is not None:
        parameters["issuer_state"] = offer.with_authorization.issuer_state
    shared = metadata.servers != (metadata.identifier,)  # a server of several issuers is told which one
    if all(each.scope for each in configurations):
        parameters["scope"] = " ".join(dict.fromkeys(str(each.scope) for each in configurations))
        return {**parameters, "resource": metadata.identifier} if shared else parameters
    located = {"locations": [metadata.identifier]} if shared else {}
    details = [{"type": DETAILS_TYPE, "credential_configuration_id": each.id, **located} for each in configurations]
    return {**parameters, "authorization_details": encode_json(details)}


def with_query(url: str, parameters: Mapping[str, str]) -> str:
    """The URL with these parameters added to its query (RFC 6749 section 3.1: the query that is there is kept)."""
    return f"{url}{'&' if '?' in url else '?'}{urlencode(dict(parameters))}"


def wanted_by(token: Mapping[str, Any], configurations: Sequence[Configuration]) -> tuple[Wanted, ...]:
    """What the token is for. Raises CollectingRefused. Spec: section 6.2."""
    ids = [each.id for each in configurations]
    details = token.get("authorization_details")
    if details is None:
        return tuple(Wanted(id, None) for id in ids)[:MAX_WANTED]
    found: list[Wanted] = []
    for entry in details if isinstance(details, list) else ():
        if not isinstance(entry, dict) or entry.get("type") != DETAILS_TYPE:
            continue
        id, identifiers = entry.get("credential_configuration_id"), entry.get("credential_identifiers")
        if id not in ids or not isinstance(identifiers, list):
            continue
        found += [Wanted(id, each) for each in identifiers if isinstance(each, str) and 0 < len(each) <= _LONGEST]
    if not found:
        raise CollectingRefused(Collecting.ANSWER_UNREADABLE)
    return tuple(found)[:MAX_WANTED]


def proof_input(
    jwk: Mapping[str, str],
    *,
    audience: str,
    nonce: str | None,
    client_id: str | None,
    at: datetime,
    attestation: str | None = None,
) -> str:
    """Header and payload of a key proof, as they are signed. Spec: appendix F.1."""
    claims: dict[str, Any] = {} if client_id is None else {"iss": client_id}
    claims |= {"aud": audience, "iat": int(at.timestamp())}
    if nonce is not None:
        claims["nonce"] = nonce
    header: dict[str, Any] = {"alg": ES256.jose, "typ": "openid4vci-proof+jwt", "jwk": dict(jwk)}
    if attestation is not None:
        header["key_attestation"] = attestation
    parts = (b64url_encode(encode_json(each).encode()).decode("ascii") for each in (header, claims))
    return ".".join(parts)


def to_sign(thumbprint: str, signing_input: str) -> ToSign:
    """The signing input as bytes for the browser."""
    return ToSign(thumbprint, b64url_encode(signing_input.encode("ascii")).decode("ascii"))


def signed_proof(signing_input: str, signature: str | None, jwk: Mapping[str, str]) -> str:
    """The key proof with the browser's signature, which is checked. Raises CollectingRefused."""
    try:
        raw = b64url_decode((signature or "").encode("ascii"))
    except ValueError as err:
        raise CollectingRefused(Collecting.SIGNATURE_UNFIT) from err
    if not PublicKey.from_jwk(jwk).verify(raw, signing_input.encode("ascii")):
        raise CollectingRefused(Collecting.SIGNATURE_UNFIT)
    return f"{signing_input}.{signature}"


def credential_request(wanted: Wanted, proofs: Sequence[str]) -> dict[str, Any]:
    """Spec: section 8.2: by identifier where there is one, else by configuration; never both."""
    if wanted.identifier is not None:
        return {"credential_identifier": wanted.identifier, "proofs": {"jwt": list(proofs)}}
    return {"credential_configuration_id": wanted.configuration, "proofs": {"jwt": list(proofs)}}


def read_handed(status: int, value: Mapping[str, Any], *, most: int) -> Handed:
    """A credential response, of at most `most` credentials. Raises CollectingRefused. Spec: sections 8.3 and 9.2."""
    if status == 202:
        transaction, interval = value.get("transaction_id"), value.get("interval")
        if not isinstance(transaction, str) or not 0 < len(transaction) <= _LONGEST or "credentials" in value:
            raise CollectingRefused(Collecting.ANSWER_UNREADABLE)
        seconds = int(interval) if isinstance(interval, int | float) and interval > 0 else 60
        return Handed(None, None, transaction, min(max(seconds, _QUICKEST), _SLOWEST))
    credentials, notification = value.get("credentials"), value.get("notification_id")
    if not isinstance(credentials, list) or not 1 <= len(credentials) <= most or "transaction_id" in value:
        raise CollectingRefused(Collecting.ANSWER_UNREADABLE)
    if not all(isinstance(each, dict) for each in credentials):
        raise CollectingRefused(Collecting.ANSWER_UNREADABLE)
    if notification is not None and not (isinstance(notification, str) and len(notification) <= _LONGEST):
        raise CollectingRefused(Collecting.ANSWER_UNREADABLE)
    return Handed(tuple(each.get("credential") for each in credentials), notification, None, 0)
