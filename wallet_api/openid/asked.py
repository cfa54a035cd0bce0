"""What a verified request asks, and how its answer goes back: its parameters read strictly. Decides nothing about who.

Spec: OpenID4VP 1.0 sections 5.1, 5.2, 8.2, 8.3 and appendix B.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from keys.envelopes.jwe import ALG, ENCRYPTIONS
from keys.errors import AlgorithmNotSupported
from keys.public_key import PublicKey
from verifier.dcql import CredentialQuery, DcqlQuery, MalformedQuery, parse_dcql
from wallet_api.openid.credentials import CredentialFormat
from wallet_api.openid.refusals import Flaw, RequestRefused
from wallet_api.openid.requests import Verified
from wallet_api.openid.transactions import Transaction, read_transactions

_URL_SAFE: Final = re.compile(r"[A-Za-z0-9._~-]{1,2048}")
_MODES: Final = ("direct_post", "direct_post.jwt")
_DEFAULT_ENC: Final = "A128GCM"
_MAX_URL: Final = 4096
_KEY_BINDING: Final = frozenset({"ES256"})
_DEVICE: Final = frozenset({-7, -9})


@dataclass(frozen=True, slots=True)
class Encryption:
    """To whom the answer is encrypted. Spec: section 8.3."""

    jwk: Mapping[str, Any]
    enc: str

    @property
    def thumbprint(self) -> str:
        """The JWK thumbprint, base64url. Spec: RFC 7638."""
        return PublicKey.from_jwk({k: v for k, v in self.jwk.items() if k in ("kty", "crv", "x", "y")}).thumbprint()


@dataclass(frozen=True, slots=True)
class ReturnPath:
    """Where an answer, or a refusal, goes."""

    response_uri: str
    state: str | None

    @property
    def host(self) -> str:
        return urlsplit(self.response_uri).hostname or ""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that the wallet can answer. `encryption` is None for `direct_post`."""

    client_id: str
    nonce: str
    back: ReturnPath
    encryption: Encryption | None
    query: DcqlQuery
    transactions: tuple[Transaction, ...]
    verifier_info: tuple[Mapping[str, Any], ...]


def read_return_path(request: Verified) -> ReturnPath:
    """Where this request may be answered. Raises RequestRefused: there is nowhere, or it is not the client's.

    Spec: sections 5.9.3 and 8.2.
    """
    prefix, _, name = request.client_id.partition(":")
    uri = request.parameters.get("response_uri")
    if uri is None and prefix == "redirect_uri":
        uri = name
    if not isinstance(uri, str):
        raise RequestRefused(Flaw.RESPONSE_MODE if "response_mode" in request.parameters else Flaw.ADDRESS)
    host = _host(uri)
    if prefix == "redirect_uri" and uri != name:
        raise RequestRefused(Flaw.ANOTHER_HOST)
    if prefix == "x509_san_dns" and host != name.lower():
        raise RequestRefused(Flaw.ANOTHER_HOST)
    state = request.parameters.get("state")
    if state is not None and not (isinstance(state, str) and _URL_SAFE.fullmatch(state)):
        raise RequestRefused(Flaw.NONCE)
    return ReturnPath(uri, state)


def _host(uri: str) -> str:
    try:
        parts = urlsplit(uri)
        host = parts.hostname
        _ = parts.port
    except ValueError as err:
        raise RequestRefused(Flaw.ADDRESS) from err
    # Whether http will do, and which hosts, is for `Outgoing` to say.
    strange = parts.username is not None or parts.fragment or not uri.isascii() or not uri.isprintable() or " " in uri
    if parts.scheme not in ("https", "http") or not host or strange or len(uri) > _MAX_URL:
        raise RequestRefused(Flaw.ADDRESS)
    return host


def read_asked(request: Verified, back: ReturnPath) -> Asked:
    """What is asked, all of it understood. Raises RequestRefused, with the code that who asks is told."""
    given = request.parameters
    if given.get("response_type") != "vp_token":
        raise RequestRefused(Flaw.RESPONSE_TYPE)
    mode = given.get("response_mode")
    if mode not in _MODES:
        raise RequestRefused(Flaw.RESPONSE_MODE)
    if "redirect_uri" in given:
        raise RequestRefused(Flaw.REDIRECT)
    nonce = given.get("nonce")
    if not isinstance(nonce, str) or not _URL_SAFE.fullmatch(nonce):
        raise RequestRefused(Flaw.NONCE)
    query = _query(given)
    if back.state is None and not all(each.require_holder_binding for each in query.credentials):
        raise RequestRefused(Flaw.NONCE)  # section 5.3
    metadata = given.get("client_metadata", {})
    if not isinstance(metadata, dict):
        raise RequestRefused(Flaw.METADATA)
    _check_formats(metadata, query.credentials)
    return Asked(
        client_id=request.client_id,
        nonce=nonce,
        back=back,
        encryption=_encryption(metadata) if mode == "direct_post.jwt" else None,
        query=query,
        transactions=read_transactions(given.get("transaction_data"), query),
        verifier_info=_verifier_info(given.get("verifier_info")),
    )


def _query(given: Mapping[str, Any]) -> DcqlQuery:
    if "dcql_query" not in given:
        raise RequestRefused(Flaw.SCOPE if "scope" in given else Flaw.QUERY)
    if "scope" in given:
        raise RequestRefused(Flaw.QUERY)
    try:
        return parse_dcql(given["dcql_query"])
    except MalformedQuery as err:
        raise RequestRefused(Flaw.QUERY) from err


def _check_formats(metadata: Mapping[str, Any], queries: Sequence[CredentialQuery]) -> None:
    """Whether what is asked for can be given in a form that both sides know. Spec: appendices B.2.2 and B.3.4."""
    known = {each.value for each in CredentialFormat}
    if not any(each.format in known for each in queries):
        raise RequestRefused(Flaw.FORMATS)
    formats = metadata.get("vp_formats_supported", {})
    if not isinstance(formats, dict):
        raise RequestRefused(Flaw.METADATA)
    wanted = (("dc+sd-jwt", "kb-jwt_alg_values", _KEY_BINDING), ("mso_mdoc", "deviceauth_alg_values", _DEVICE))
    for name, member, ours in wanted:
        rules = formats.get(name, {})
        values = rules.get(member) if isinstance(rules, dict) else None
        if isinstance(values, list) and not any(value in ours for value in values if isinstance(value, str | int)):
            raise RequestRefused(Flaw.FORMATS)


def _encryption(metadata: Mapping[str, Any]) -> Encryption:
    """The first key that fits, and the stronger cipher where the verifier lists it (HAIP 1.0 section 5)."""
    listed = metadata.get("encrypted_response_enc_values_supported", [_DEFAULT_ENC])
    if not isinstance(listed, list):
        raise RequestRefused(Flaw.METADATA)
    fitting = [enc for enc in reversed(ENCRYPTIONS) if enc in listed]
    jwks = metadata.get("jwks")
    keys = jwks.get("keys") if isinstance(jwks, dict) else None
    for jwk in keys if isinstance(keys, list) else ():
        if fitting and isinstance(jwk, dict) and _usable(jwk):
            return Encryption(jwk, fitting[0])
    raise RequestRefused(Flaw.ENCRYPTION)


def _usable(jwk: Mapping[str, Any]) -> bool:
    """Whether the key is for ECDH-ES on P-256 and says so. Spec: section 8.3: `alg` MUST be present."""
    if jwk.get("alg") != ALG or jwk.get("use", "enc") != "enc" or jwk.get("crv") != "P-256" or "d" in jwk:
        return False
    try:
        PublicKey.from_jwk({k: v for k, v in jwk.items() if k in ("kty", "crv", "x", "y")})
    except AlgorithmNotSupported:
        return False
    return isinstance(jwk.get("kid", ""), str)


def _verifier_info(value: Any) -> tuple[Mapping[str, Any], ...]:
    """Those that are in form; what isn't understood is ignored. Spec: section 5.11."""
    if not isinstance(value, list):
        return ()
    return tuple(each for each in value[:16] if isinstance(each, dict) and isinstance(each.get("format"), str))
