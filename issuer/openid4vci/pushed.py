"""What a pushed authorization request must be like before anybody is asked. Reads; keeps nothing, asks nobody.

Spec: RFC 9126 sections 2 and 2.1, RFC 6749 section 4.1.1, RFC 7636 section 4.3, RFC 8252 section 7, RFC 9449 section
10, OpenID4VCI 1.0 section 5.1.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final
from urllib.parse import quote, urlencode, urlsplit

from issuer.openid4vci.attestation import Client
from issuer.openid4vci.errors import ProtocolRefusal

MAX_URI: Final = 2000
_MAX_STATE: Final = 2000
_CLIENT: Final = re.compile(r"[\x20-\x7e]{1,512}")  # RFC 6749, appendix A.1
_URI: Final = re.compile(r"[\x21\x23-\x3b\x3d\x3f-\x5b\x5d\x5f\x61-\x7a\x7e]+")  # RFC 3986, section 2
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*")
_DIGEST: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
# What a browser runs, shows or hands to something other than an application; what systems open of their own (ms-...).
_NOT_OF_WALLETS: Final = re.compile(
    "javascript|vbscript|livescript|data|blob|file|filesystem|about|view-source|jar|chrome|edge|wyciwyg|resource|"
    "ftp|wss?|mailto|tel|sms|feed|intent|content|android-app|shell|search-ms|ms-.*|smb|nfs|afp|ldaps?|ssh|telnet"
)


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """What a wallet asks a holder for. `configurations`: ids; `by_details`: asked for by authorization details.

    `offer_id`: the offer whose issuer_state came with it. `key`: the DPoP key that the code will be bound to.
    """

    redirect_uri: str
    challenge: str
    configurations: tuple[str, ...]
    by_details: bool
    scope: str | None
    state: str | None
    offer_id: str | None
    key: str | None
    client_key: str | None
    client_name: str | None

    def to_text(self) -> str:
        return json.dumps(asdict(self))

    @staticmethod
    def from_text(text: str) -> AuthorizationRequest:
        fields = json.loads(text)
        return AuthorizationRequest(**(fields | {"configurations": tuple(fields["configurations"])}))


def client_of(form: Mapping[str, str], client: Client) -> str:
    """The client's id. Raises ProtocolRefusal."""
    client_id = client.client_id or form.get("client_id")
    if client_id is None or not well_formed(client_id):
        raise _refused("client_id is missing, malformed or too long")
    return client_id


def well_formed(client_id: str) -> bool:
    """Whether it can be a client's id: nothing in it that would turn round or hide what a holder reads."""
    return _CLIENT.fullmatch(client_id) is not None


def check_parameters(form: Mapping[str, str]) -> None:
    """Response type and mode, PKCE, and what may not be pushed. Raises ProtocolRefusal."""
    if "request_uri" in form or "request" in form:
        raise _refused("request_uri and request can't be pushed here")
    if "response_type" not in form:
        raise _refused("response_type is missing")
    if form["response_type"] != "code":
        raise ProtocolRefusal("unsupported_response_type", "response_type must be code")
    if form.get("response_mode", "query") != "query":
        raise _refused("response_mode must be query")
    if form.get("code_challenge_method") != "S256":
        raise _refused("PKCE is needed: code_challenge_method must be S256")
    if _DIGEST.fullmatch(form.get("code_challenge", "")) is None:
        raise _refused("code_challenge is not a base64url SHA-256")
    if len(form.get("state", "")) > _MAX_STATE:
        raise _refused("state is too long")


def redirect_uri_of(form: Mapping[str, str]) -> str:
    """The redirect URI: https, http to this machine, or an application's own scheme (RFC 8252 section 7).

    Raises ProtocolRefusal.
    """
    uri = form.get("redirect_uri")
    if uri is None:
        raise _refused("redirect_uri is missing")
    if not redirect_allowed(uri):
        raise _refused("redirect_uri must be https, http to a loopback address, or of an application's own scheme")
    return uri


def redirect_allowed(uri: str) -> bool:
    """Whether an answer may be sent to `uri`. Never raises."""
    if len(uri) > MAX_URI or _URI.fullmatch(uri) is None or "#" in uri:
        return False
    try:
        parts = urlsplit(uri)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    scheme = parts.scheme.lower()
    if scheme in ("https", "http"):
        return bool(host) and parts.username is None and (scheme == "https" or host in _LOOPBACK)
    own = _SCHEME.fullmatch(scheme) is not None and _NOT_OF_WALLETS.fullmatch(scheme) is None
    return own and uri[len(scheme) :].startswith(":/")


def bound_key(form: Mapping[str, str], proven: str | None) -> str | None:
    """The thumbprint of the DPoP key that the code will be bound to (RFC 9449 sections 10 and 10.1).

    `proven`: of a proof that came with the request. Raises ProtocolRefusal.
    """
    named = form.get("dpop_jkt")
    if named is not None and _DIGEST.fullmatch(named) is None:
        raise _refused("dpop_jkt is not a base64url SHA-256")
    if None not in (named, proven) and named != proven:
        raise ProtocolRefusal("invalid_dpop_proof", "the proof is not by the key of dpop_jkt")
    return named or proven


def redirected(uri: str, parameters: Mapping[str, str | None]) -> str:
    """`uri` with those of `parameters` that are not None (RFC 6749 section 4.1.2)."""
    query = urlencode({name: value for name, value in parameters.items() if value is not None}, quote_via=quote)
    return f"{uri}{'&' if '?' in uri else '?'}{query}"


def origin_of(uri: str) -> str:
    """Scheme and host of a redirect URI, or its scheme alone: what a person, or a content security policy, is told."""
    parts = urlsplit(uri)
    scheme = parts.scheme.lower()
    return f"{scheme}://{parts.netloc.lower()}" if scheme in ("https", "http") else f"{scheme}:"


def _refused(description: str) -> ProtocolRefusal:
    return ProtocolRefusal("invalid_request", description)
