"""What a credential issuer and its authorization server publish about themselves: read, not fetched, and not believed.

Only what collecting uses is read; unknown members are ignored. Spec: OpenID4VCI 1.0 section 12.2, RFC 8414.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from keys.certificate import Certificate, parse_certificate
from keys.envelopes.jwe import ALG, ENCRYPTIONS
from keys.envelopes.jws import parse_jws
from keys.envelopes.strict_json import load_json
from keys.errors import KeysError
from trust_registry.model import Names
from wallet_api.openid.attesting import METHOD
from wallet_api.openid.collecting_errors import Collecting, CollectingRefused
from wallet_api.openid.credentials import CredentialFormat
from wallet_api.openid.offers import AUTHORIZATION_CODE, PRE_AUTHORIZED, is_address, is_identifier, printable
from wallet_api.openid.x5c import chain_of

MAX_METADATA: Final = 1 << 20
SIGNED_TYPE: Final = "openidvci-issuer-metadata+jwt"
_HUE: Final = re.compile(r"#[0-9a-fA-F]{6}")
_LONGEST_NAME: Final = 80
_LONGEST: Final = 2048  # of an address, a type
_LABELS: Final = 256
_SKEW: Final = timedelta(minutes=5)
_MOST: Final = 5  # copies of one credential that are collected at a time
_BINDINGS: Final = {
    CredentialFormat.SD_JWT_VC: ("jwk", "cose_key"),
    CredentialFormat.MDOC: ("cose_key", "jwk"),
}
_TYPE_MEMBER: Final = {CredentialFormat.SD_JWT_VC: "vct", CredentialFormat.MDOC: "doctype"}
_PROOF_ALG: Final = "ES256"


@dataclass(frozen=True, slots=True)
class ClaimLabel:
    """How the issuer calls the claim at `path`."""

    path: tuple[str | int | None, ...]
    names: Names


@dataclass(frozen=True, slots=True)
class Configuration:
    """A credential that this wallet can keep: SD-JWT VC or mdoc, bound to an ES256 key. `type`: vct or doctype.

    `attested`: the key must be attested by the wallet's provider.
    """

    id: str
    format: CredentialFormat
    type: str
    scope: str | None
    names: Names
    hue: str
    labels: tuple[ClaimLabel, ...]
    attested: bool = False


@dataclass(frozen=True, slots=True)
class RequestEncryption:
    jwk: Mapping[str, Any]
    enc: str


@dataclass(frozen=True, slots=True)
class IssuerMetadata:
    """Of one credential issuer. `request_encryption`: None when requests go out as they are.

    `response_enc`: set when the issuer insists on encrypting what it answers. `batch`: copies in one request.
    """

    identifier: str
    names: Names | None
    servers: tuple[str, ...]
    credential_endpoint: str
    nonce_endpoint: str | None
    deferred_endpoint: str | None
    notification_endpoint: str | None
    request_encryption: RequestEncryption | None
    response_enc: str | None
    batch: int
    configurations: Mapping[str, Configuration | None]  # None: not one that this wallet can keep


@dataclass(frozen=True, slots=True)
class ServerMetadata:
    """Of an authorization server. `names_itself`: its authorization responses carry `iss` (RFC 9207). `attests`:
    it takes a wallet's attestation (OpenID4VCI 1.0 annex E)."""

    issuer: str
    token_endpoint: str
    authorization_endpoint: str | None
    par_endpoint: str | None
    par_required: bool
    dpop: bool
    names_itself: bool
    anonymous: bool
    grants: frozenset[str] | None
    attests: bool = False
    challenge_endpoint: str | None = None


def well_known(identifier: str, name: str) -> str:
    """Where metadata lies: inserted between host and path, a slash at the path's end removed.

    Spec: OpenID4VCI 1.0 section 12.2.2, RFC 8414 section 3.1.
    """
    parts = urlsplit(identifier)
    return f"{parts.scheme}://{parts.netloc}/.well-known/{name}{parts.path.rstrip('/')}"


def read_object(body: bytes) -> dict[str, Any]:
    """A JSON object from a stranger. Raises CollectingRefused."""
    try:
        found = load_json(body, max_size=MAX_METADATA)
    except KeysError as err:
        raise _unreadable() from err
    if not isinstance(found, dict):
        raise _unreadable()
    return found


def open_signed_metadata(token: bytes, identifier: str, *, at: datetime) -> tuple[dict[str, Any], Certificate]:
    """The metadata in a JWT, and the certificate whose key signed it: who that is, the caller asks.

    Raises CollectingRefused. Spec: OpenID4VCI 1.0 section 12.2.3.
    """
    try:
        jws = parse_jws(token, max_size=MAX_METADATA)
        signer = parse_certificate(chain_of(jws.header)[0])
    except (KeysError, ValueError, IndexError) as err:
        raise CollectingRefused(Collecting.METADATA_ALTERED) from err
    if jws.header.get("typ") != SIGNED_TYPE or not jws.verified_by(signer.public_key):
        raise CollectingRefused(Collecting.METADATA_ALTERED)
    claims = read_object(jws.payload)
    if claims.get("sub") != identifier:
        raise CollectingRefused(Collecting.METADATA_OF_ANOTHER)
    now, issued, expires = at.timestamp(), claims.get("iat"), claims.get("exp")
    if type(issued) is not int or issued > now + _SKEW.total_seconds():
        raise CollectingRefused(Collecting.METADATA_ALTERED)
    if expires is not None and (type(expires) not in (int, float) or expires <= now):
        raise CollectingRefused(Collecting.METADATA_ALTERED)
    return claims, signer


def trimmed(value: Mapping[str, Any], wanted: Collection[str]) -> dict[str, Any]:
    """Issuer metadata without the configurations that nobody asked for: what is worth keeping."""
    found = value.get("credential_configurations_supported")
    kept = {id: found[id] for id in wanted if id in found} if isinstance(found, dict) else found
    return {**value, "credential_configurations_supported": kept}


def parse_issuer(value: Mapping[str, Any], identifier: str, wanted: Collection[str]) -> IssuerMetadata:
    """The metadata of the issuer `identifier`, with its configurations of those `wanted`.

    Raises CollectingRefused, also when it names another issuer or offers none of them.
    """
    if value.get("credential_issuer") != identifier:  # simple string comparison, section 12.2.4
        raise CollectingRefused(Collecting.METADATA_OF_ANOTHER)
    configurations = value.get("credential_configurations_supported")
    if not isinstance(configurations, dict):
        raise _unreadable()
    offered = {id: configurations[id] for id in wanted if id in configurations}
    if not offered:
        raise CollectingRefused(Collecting.NOT_OFFERED_THERE)
    servers = value.get("authorization_servers", [identifier])
    if not isinstance(servers, list) or not servers or not all(map(_is_server, servers)):
        raise _unreadable()
    response_enc = _response_enc(value.get("credential_response_encryption"))
    at = _Addresses(identifier, value)
    return IssuerMetadata(
        identifier=identifier,
        names=_names(value.get("display")),
        servers=tuple(servers),
        credential_endpoint=at.one("credential_endpoint"),
        nonce_endpoint=at.one_or_none("nonce_endpoint"),
        deferred_endpoint=at.one_or_none("deferred_credential_endpoint"),
        notification_endpoint=at.one_or_none("notification_endpoint"),
        request_encryption=_request_encryption(
            value.get("credential_request_encryption"), needed=response_enc is not None
        ),
        response_enc=response_enc,
        batch=_batch(value.get("batch_credential_issuance")),
        configurations={id: _configuration(id, each) for id, each in offered.items()},
    )


def parse_server(value: Mapping[str, Any], identifier: str) -> ServerMetadata:
    """The metadata of the authorization server `identifier`. Raises CollectingRefused.

    Spec: RFC 8414 section 3.3: the `issuer` must be identical to what its location was made from.
    """
    if value.get("issuer") != identifier:
        raise CollectingRefused(Collecting.METADATA_OF_ANOTHER)
    grants = value.get("grant_types_supported")
    if grants is not None and not isinstance(grants, list):
        raise _unreadable()
    dpop, at = value.get("dpop_signing_alg_values_supported"), _Addresses(identifier, value)
    return ServerMetadata(
        issuer=identifier,
        token_endpoint=at.one("token_endpoint"),
        authorization_endpoint=at.one_or_none("authorization_endpoint"),
        par_endpoint=at.one_or_none("pushed_authorization_request_endpoint"),
        par_required=value.get("require_pushed_authorization_requests") is True,
        dpop=isinstance(dpop, list) and _PROOF_ALG in dpop,
        names_itself=value.get("authorization_response_iss_parameter_supported") is True,
        anonymous=value.get("pre-authorized_grant_anonymous_access_supported") is True,
        grants=None if grants is None else frozenset(each for each in grants if isinstance(each, str)),
        attests=_attests(value),
        challenge_endpoint=at.one_or_none("challenge_endpoint"),
    )


def _attests(value: Mapping[str, Any]) -> bool:
    """Whether the method is named, and no list of algorithms leaves ours out (draft 07, section 10)."""
    methods = value.get("token_endpoint_auth_methods_supported")
    lists = (value.get(f"client_attestation_{of}signing_alg_values_supported") for of in ("", "pop_"))
    known = all(not isinstance(each, list) or _PROOF_ALG in each for each in lists)
    return known and isinstance(methods, list) and METHOD in methods


def serves(server: ServerMetadata, grant: str) -> bool:
    """Whether the server is prepared for a grant type, as far as it says. Default: RFC 8414 section 2."""
    if server.grants is None:
        return grant == PRE_AUTHORIZED or server.authorization_endpoint is not None
    return grant in server.grants and (grant != AUTHORIZATION_CODE or server.authorization_endpoint is not None)


def _configuration(id: str, value: Any) -> Configuration | None:
    if not isinstance(value, dict):
        raise _unreadable()
    kind = next((each for each in CredentialFormat if each.value == value.get("format")), None)
    if kind is None:
        return None
    type_, scope = value.get(_TYPE_MEMBER[kind]), value.get("scope")
    if not isinstance(type_, str) or not 0 < len(type_) <= _LONGEST or not (scope is None or isinstance(scope, str)):
        raise _unreadable()
    jwt = _binding(kind, value)
    if jwt is None:
        return None
    demands = jwt.get("key_attestations_required")
    if demands:  # on how keys are kept: nobody has rated a browser
        return None
    told = value.get("credential_metadata")
    shown = told if isinstance(told, dict) else value  # drafts had it beside the format
    display = shown.get("display")
    return Configuration(
        id=id,
        format=kind,
        type=type_,
        scope=scope,
        names=_names(display) or Names(printable(id)[:_LONGEST_NAME], printable(id)[:_LONGEST_NAME]),
        hue=_hue(display),
        labels=_labels(shown.get("claims")),
        attested=demands is not None,
    )


def _binding(kind: CredentialFormat, value: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What it says of `jwt` proofs, if it is bound to a key of ours, proven by a signature with ES256."""
    methods, proofs = value.get("cryptographic_binding_methods_supported"), value.get("proof_types_supported")
    if not isinstance(proofs, dict):
        return None
    if isinstance(methods, list) and not set(_BINDINGS[kind]) & set(_texts(methods)):
        return None
    jwt = proofs.get("jwt")
    algorithms = jwt.get("proof_signing_alg_values_supported") if isinstance(jwt, dict) else None
    if not isinstance(jwt, dict) or not isinstance(algorithms, list) or _PROOF_ALG not in algorithms:
        return None
    return jwt


def _response_enc(value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, dict) or not isinstance(value.get("encryption_required"), bool):
        raise _unreadable()
    if not value["encryption_required"]:
        return None
    if ALG not in _listed(value, "alg_values_supported"):
        raise CollectingRefused(Collecting.ENCRYPTION_UNKNOWN)
    return _enc(value)


def _request_encryption(value: Any, *, needed: bool) -> RequestEncryption | None:
    """Requests are encrypted where the issuer insists, and always when they carry the key for the answer."""
    if value is None and needed:
        raise CollectingRefused(Collecting.ENCRYPTION_UNKNOWN)
    if value is None:
        return None
    if not isinstance(value, dict) or not isinstance(value.get("encryption_required"), bool):
        raise _unreadable()
    if not needed and not value["encryption_required"]:
        return None
    jwks = value.get("jwks")
    keys = jwks.get("keys") if isinstance(jwks, dict) else None
    for jwk in keys if isinstance(keys, list) else ():
        if isinstance(jwk, dict) and jwk.get("alg") == ALG and jwk.get("crv") == "P-256" and jwk.get("kid"):
            return RequestEncryption(jwk, _enc(value))
    raise CollectingRefused(Collecting.ENCRYPTION_UNKNOWN)


def _enc(value: Mapping[str, Any]) -> str:
    offered = _listed(value, "enc_values_supported")
    chosen = next((each for each in reversed(ENCRYPTIONS) if each in offered), None)
    if chosen is None:
        raise CollectingRefused(Collecting.ENCRYPTION_UNKNOWN)
    return chosen


def _batch(value: Any) -> int:
    size = value.get("batch_size") if isinstance(value, dict) else None
    return min(size, _MOST) if type(size) is int and size > 1 else 1


def _labels(claims: Any) -> tuple[ClaimLabel, ...]:
    found = []
    for each in claims[:_LABELS] if isinstance(claims, list) else ():
        path = each.get("path") if isinstance(each, dict) else None
        names = _names(each.get("display")) if isinstance(each, dict) else None
        if isinstance(path, list) and _is_path(path) and names is not None:
            found.append(ClaimLabel(tuple(path), names))
    return tuple(found)


def _is_path(path: list[Any]) -> bool:
    """A claims path pointer of a length that is worth keeping. Spec: appendix C."""
    parts = all(part is None or type(part) in (int, str) for part in path)
    return 0 < len(path) <= 8 and parts and sum(len(str(part)) for part in path) <= 2 * _LONGEST_NAME


def _names(display: Any) -> Names | None:
    """The names in Chinese and English; where a language lacks one, another's stands in."""
    entries = [each for each in display if isinstance(each, dict)] if isinstance(display, list) else []
    said: dict[str, str] = {}
    for each in entries:
        name, locale = each.get("name"), each.get("locale", "")
        if isinstance(name, str) and isinstance(locale, str) and printable(name):
            said.setdefault(locale[:2].lower(), printable(name)[:_LONGEST_NAME])
    if not said:
        return None
    other = said.get("", next(iter(said.values())))
    return Names(said.get("zh", other), said.get("en", other))


def _hue(display: Any) -> str:
    for each in display if isinstance(display, list) else ():
        colour = each.get("background_color") if isinstance(each, dict) else None
        if isinstance(colour, str) and _HUE.fullmatch(colour):
            return colour.lower()
    return ""


def _listed(value: Mapping[str, Any], name: str) -> list[str]:
    found = value.get(name)
    if not isinstance(found, list):
        raise _unreadable()
    return _texts(found)


def _texts(values: list[Any]) -> list[str]:
    return [each for each in values if isinstance(each, str)]


@dataclass(frozen=True, slots=True)
class _Addresses:
    """The addresses in somebody's metadata, of any host; who is reached over https leads nowhere without."""

    owner: str
    value: Mapping[str, Any]

    def one(self, name: str) -> str:
        found = self.value.get(name)
        if not isinstance(found, str) or len(found) > _LONGEST or not is_address(found):
            raise _unreadable()
        if self.owner.startswith("https:") and not found.startswith("https:"):
            raise _unreadable()
        return found

    def one_or_none(self, name: str) -> str | None:
        return None if self.value.get(name) is None else self.one(name)


def _is_server(value: Any) -> bool:
    return isinstance(value, str) and is_identifier(value)


def _unreadable() -> CollectingRefused:
    return CollectingRefused(Collecting.METADATA_UNREADABLE)
