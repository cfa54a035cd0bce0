"""A relying party's request, from the text of a code to what was verified of it. Pure: fetches nothing, trusts nobody.

A signature that holds says that the certificate's owner asks; whether the network knows it is `requester`'s to say.
Spec: OpenID4VP 1.0 sections 5 and 8.2, RFC 9101, HAIP 1.0 section 5.
"""

from __future__ import annotations

import hashlib
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from keys.certificate import Certificate, parse_certificate, signed_by
from keys.certificate_names import dns_names, self_signed
from keys.envelopes.base64url import b64url_encode
from keys.envelopes.jws import Jws, parse_jws
from keys.envelopes.strict_json import load_json
from keys.errors import AlgorithmNotSupported, KeysError, MalformedEnvelope
from wallet_api.openid.refusals import Flaw, RequestRefused

MAX_LINK: Final = 1 << 16  # characters; a request by value may be in it
MAX_REQUEST: Final = 1 << 17  # bytes of a request object
MAX_CHAIN: Final = 4
SCHEMES: Final = frozenset({"openid4vp", "haip-vp", "web+openid4vp", "https", "http"})
SIGNED_PREFIXES: Final = frozenset({"x509_hash", "x509_san_dns"})
SELF_ISSUED: Final = "https://self-issued.me/v2"  # `aud` under static discovery (section 5.8)
REQUEST_TYPE: Final = "oauth-authz-req+jwt"
_SKEW: Final = timedelta(seconds=60)
_JSON_PARAMETERS: Final = ("dcql_query", "client_metadata", "transaction_data", "verifier_info")


@dataclass(frozen=True, slots=True)
class Link:
    """What a scanned code says: where the request lies (`request_uri`), the request itself (`request`), or neither,
    when `parameters` are all there is."""

    client_id: str
    request_uri: str | None
    by_post: bool
    request: str | None
    parameters: Mapping[str, Any]

    @property
    def prefix(self) -> str:
        return prefix_of(self.client_id)


@dataclass(frozen=True, slots=True)
class Verified:
    """A request's parameters, with the certificate whose key signed them; None where nobody did."""

    client_id: str
    parameters: Mapping[str, Any]
    certificate: Certificate | None
    chain: tuple[Certificate, ...]  # as sent, the leaf first; empty where nobody signed


def prefix_of(client_id: str) -> str:
    """What stands before the first colon; "" where there is none. Spec: section 5.9.1."""
    return client_id.partition(":")[0] if ":" in client_id else ""


def parse_link(text: str) -> Link:
    """The text of a scanned or pasted code: any known scheme, the parameters in its query.

    Raises RequestRefused: not a request, a parameter twice, too large. Spec: sections 5 and 13.1.2.
    """
    if len(text) > MAX_LINK:
        raise RequestRefused(Flaw.TOO_LARGE)
    try:
        parts = urlsplit(text.strip())
        pairs = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query), max_num_fields=64)
    except ValueError as err:
        raise RequestRefused(Flaw.NOT_A_REQUEST) from err
    given: dict[str, Any] = dict(pairs)
    if parts.scheme.lower() not in SCHEMES or not given.get("client_id"):
        raise RequestRefused(Flaw.NOT_A_REQUEST)
    if len(given) != len(pairs):
        raise RequestRefused(Flaw.TWICE)
    method = given.get("request_uri_method", "get")
    if method not in ("get", "post") or ("request_uri_method" in given and "request_uri" not in given):
        raise RequestRefused(Flaw.URI_METHOD)
    if "request" in given and "request_uri" in given:
        raise RequestRefused(Flaw.NOT_A_REQUEST)
    return Link(given["client_id"], given.get("request_uri"), method == "post", given.get("request"), given)


def read_unsigned(link: Link) -> Verified:
    """The request in the link's own parameters. Only a `redirect_uri:` client may ask like that; nobody vouches for it.

    Raises RequestRefused. Spec: section 5.9.3.
    """
    if link.prefix in SIGNED_PREFIXES:
        raise RequestRefused(Flaw.UNSIGNED)
    if link.prefix != "redirect_uri":
        raise RequestRefused(Flaw.CLIENT_KIND)
    parameters = dict(link.parameters)
    for name in _JSON_PARAMETERS:
        if name in parameters:
            try:
                parameters[name] = load_json(parameters[name], max_size=MAX_LINK)
            except MalformedEnvelope as err:
                raise RequestRefused(Flaw.UNREADABLE) from err
    return Verified(link.client_id, parameters, None, ())


def read_request_object(token: bytes | str, link: Link, now: datetime, *, wallet_nonce: str | None = None) -> Verified:
    """The request in a signed Request Object, its signature, sender and times checked at `now` (UTC).

    `wallet_nonce`: what was sent with a POST, and must come back. Raises RequestRefused.
    Spec: sections 5, 5.8, 5.9 and 5.10.1, RFC 9101 section 6, HAIP 1.0 section 5.
    """
    if link.prefix not in SIGNED_PREFIXES:
        # `redirect_uri` clients have no key to sign with (section 5.9.3); other kinds are not known here.
        raise RequestRefused(Flaw.CLIENT_KIND)
    if len(token) > MAX_REQUEST:
        raise RequestRefused(Flaw.TOO_LARGE)
    try:
        jws = parse_jws(token.strip(), max_size=MAX_REQUEST)
        claims = load_json(jws.payload, max_size=MAX_REQUEST)
    except MalformedEnvelope as err:
        raise RequestRefused(Flaw.NOT_A_REQUEST_OBJECT) from err
    if jws.header.get("typ") != REQUEST_TYPE or not isinstance(claims, dict):
        raise RequestRefused(Flaw.NOT_A_REQUEST_OBJECT)
    chain = _chain(jws, now)
    try:
        holds = jws.verified_by(chain[0].public_key)
    except AlgorithmNotSupported as err:
        raise RequestRefused(Flaw.CERTIFICATE) from err
    if not holds:
        raise RequestRefused(Flaw.SIGNATURE)
    if claims.get("client_id") != link.client_id:
        raise RequestRefused(Flaw.ANOTHER_CLIENT)
    _check_client(link.client_id, chain[0])
    _check_times(claims, now)
    _check_audience(claims, link)
    if wallet_nonce is not None and claims.get("wallet_nonce") != wallet_nonce:
        raise RequestRefused(Flaw.REPLAYED)
    if "request" in claims or "request_uri" in claims:  # RFC 9101 section 4
        raise RequestRefused(Flaw.NOT_A_REQUEST_OBJECT)
    return Verified(link.client_id, claims, chain[0], chain)


def _chain(jws: Jws, now: datetime) -> tuple[Certificate, ...]:
    """The certificates of `x5c`, the leaf in force, each signed by the next; no anchor, nobody who vouches for itself.

    Spec: RFC 7515 section 4.1.6, HAIP 1.0 section 5.
    """
    x5c = jws.header.get("x5c")
    if not isinstance(x5c, list) or not 1 <= len(x5c) <= MAX_CHAIN or not all(isinstance(each, str) for each in x5c):
        raise RequestRefused(Flaw.CERTIFICATE if x5c is not None else Flaw.UNSIGNED)
    try:
        chain = tuple(parse_certificate(b64decode(each, validate=True)) for each in x5c)
    except (KeysError, ValueError) as err:
        raise RequestRefused(Flaw.CERTIFICATE) from err
    leaf = chain[0]
    if any(self_signed(each) for each in chain):
        raise RequestRefused(Flaw.SELF_SIGNED if self_signed(leaf) else Flaw.CHAIN)
    if leaf.is_ca or (leaf.key_usage and "digitalSignature" not in leaf.key_usage) or leaf.unknown_critical:
        raise RequestRefused(Flaw.CERTIFICATE)
    if any(not each.not_before <= now <= each.not_after for each in chain):
        raise RequestRefused(Flaw.CERTIFICATE)
    try:
        joined = all(signed_by(subject, issuer) and issuer.is_ca for subject, issuer in pairwise(chain))
    except AlgorithmNotSupported:
        joined = False
    if not joined:
        raise RequestRefused(Flaw.CHAIN)
    return chain


def _check_client(client_id: str, leaf: Certificate) -> None:
    prefix, _, name = client_id.partition(":")
    if prefix == "x509_hash":
        named = name == b64url_encode(hashlib.sha256(leaf.der).digest()).decode("ascii")
    else:
        named = name.lower() in (each.lower() for each in dns_names(leaf))
    if not named:
        raise RequestRefused(Flaw.ANOTHER_CLIENT)


def _check_times(claims: Mapping[str, Any], now: datetime) -> None:
    """Spec: RFC 7519 sections 4.1.4 to 4.1.6. `iss` is ignored (section 5)."""
    seconds = now.timestamp()
    for name in ("exp", "nbf", "iat"):
        if name in claims and (isinstance(claims[name], bool) or not isinstance(claims[name], int | float)):
            raise RequestRefused(Flaw.UNREADABLE)
    if seconds >= claims.get("exp", seconds + 1) + _SKEW.total_seconds():
        raise RequestRefused(Flaw.EXPIRED)
    if max(claims.get("nbf", 0), claims.get("iat", 0)) > seconds + _SKEW.total_seconds():
        raise RequestRefused(Flaw.NOT_YET)


def _check_audience(claims: Mapping[str, Any], link: Link) -> None:
    """Whoever is not named MUST reject. The address that the request was fetched from names no other wallet: verifiers
    made with @openid4vc put it there. Spec: RFC 7519 section 4.1.3, section 5.8."""
    audience = claims.get("aud", SELF_ISSUED)
    named = audience if isinstance(audience, list) else [audience]
    if SELF_ISSUED not in named and (link.request_uri is None or link.request_uri not in named):
        raise RequestRefused(Flaw.AUDIENCE)
