"""Credential offers as text from a QR code, a link or the clipboard. Reads; fetches nothing and trusts nothing.

Spec: OpenID4VCI 1.0 section 4.1, HAIP 1.0 section 4.1 (the scheme `haip-vci`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from keys.envelopes.strict_json import load_json
from keys.errors import MalformedEnvelope
from wallet_api.openid.collecting_errors import Collecting, CollectingRefused

SCHEMES: Final = ("openid-credential-offer", "haip-vci")
PRE_AUTHORIZED: Final = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
AUTHORIZATION_CODE: Final = "authorization_code"
MAX_OFFER: Final = 1 << 16  # bytes
_MAX_CONFIGURATIONS: Final = 16
_LONGEST: Final = 4096  # of a code, a state, an identifier
_DESCRIPTION: Final = 300
_PARAMETERS: Final = ("credential_offer", "credential_offer_uri")


@dataclass(frozen=True, slots=True)
class TransactionCode:
    """What the authorization server expects beside the code. `length`: of its characters, None when not told."""

    numeric: bool
    length: int | None
    description: str


@dataclass(frozen=True, slots=True)
class PreAuthorized:
    code: str
    transaction_code: TransactionCode | None
    server: str | None


@dataclass(frozen=True, slots=True)
class WithAuthorization:
    issuer_state: str | None
    server: str | None


@dataclass(frozen=True, slots=True)
class Offer:
    """What somebody says an issuer would give out. Both grants None: the authorization server's metadata tells."""

    issuer: str
    configuration_ids: tuple[str, ...]
    pre_authorized: PreAuthorized | None
    with_authorization: WithAuthorization | None


def looks_like_offer(text: str) -> bool:
    """Whether a scanned text is for collecting, rather than anything else that pages scan."""
    parts = _split(text)
    return parts is not None and (parts[0] in SCHEMES or any(name in _PARAMETERS for name, _ in parts[1]))


def read_link(text: str) -> tuple[Any, str | None]:
    """From the text of a QR code or link: the offer's JSON value, or None and the URL where it is.

    Raises CollectingRefused.
    """
    parts = _split(text)
    if parts is None or parts[0] not in (*SCHEMES, "https", "http"):
        raise _no_offer()
    found = [(name, value) for name, value in parts[1] if name in _PARAMETERS]
    if len(found) != 1:
        raise _no_offer()  # section 4.1: one of the two, once
    name, value = found[0]
    if name == "credential_offer_uri":
        return None, value
    return read_json(value.encode("utf-8", "replace")), None


def read_json(body: bytes) -> Any:
    """The JSON value of an offer. Raises CollectingRefused."""
    try:
        return load_json(body, max_size=MAX_OFFER)
    except MalformedEnvelope as err:
        raise _no_offer() from err


def parse_offer(value: Any) -> Offer:
    """The offer in a JSON value; unknown members are ignored. Raises CollectingRefused. Spec: section 4.1.1."""
    if not isinstance(value, dict):
        raise _no_offer()
    ids, grants = value.get("credential_configuration_ids"), value.get("grants", {})
    if not isinstance(ids, list) or not 1 <= len(ids) <= _MAX_CONFIGURATIONS or not isinstance(grants, dict):
        raise _no_offer()
    names = tuple(_text(each) for each in ids)
    if len(set(names)) != len(names):
        raise _no_offer()
    issuer = _text(value.get("credential_issuer"))
    if not is_identifier(issuer):
        raise _no_offer()
    return Offer(issuer, names, _pre_authorized(grants.get(PRE_AUTHORIZED)), _code(grants.get(AUTHORIZATION_CODE)))


def is_identifier(url: str) -> bool:
    """Whether it may be an issuer's identifier: a web address without query and fragment. Spec: section 12.2.1."""
    return "?" not in url and is_address(url)


def is_address(url: str) -> bool:
    """Whether it is a web address without fragment and account that everything here reads alike."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    plain = url.isascii() and url.isprintable() and not set(url) & set(' "<>\\#')
    return plain and parts.scheme in ("https", "http") and bool(host) and "@" not in parts.netloc


def _pre_authorized(grant: Any) -> PreAuthorized | None:
    if grant is None:
        return None
    if not isinstance(grant, dict):
        raise _no_offer()
    return PreAuthorized(
        _text(grant.get("pre-authorized_code")), _transaction_code(grant.get("tx_code")), _server(grant)
    )


def _transaction_code(described: Any) -> TransactionCode | None:
    """An empty object asks for a code, too."""
    if described is None:
        return None
    if not isinstance(described, dict):
        raise _no_offer()
    mode, length = described.get("input_mode", "numeric"), described.get("length")
    description = described.get("description", "")
    if mode not in ("numeric", "text") or not isinstance(description, str):
        raise _no_offer()
    if length is not None and (type(length) is not int or not 1 <= length <= 64):
        raise _no_offer()
    return TransactionCode(mode == "numeric", length, printable(description)[:_DESCRIPTION])


def _code(grant: Any) -> WithAuthorization | None:
    if grant is None:
        return None
    if not isinstance(grant, dict):
        raise _no_offer()
    state = grant.get("issuer_state")
    return WithAuthorization(None if state is None else _text(state), _server(grant))


def _server(grant: dict[str, Any]) -> str | None:
    server = grant.get("authorization_server")
    return None if server is None else _text(server)


def printable(text: str) -> str:
    """A stranger's words without what would change how the rest of a page reads (controls, direction marks)."""
    return "".join(letter for letter in " ".join(text.split()) if letter.isprintable())


def _text(value: Any) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= _LONGEST:
        raise _no_offer()
    return value


def _split(text: str) -> tuple[str, list[tuple[str, str]]] | None:
    if len(text) > 3 * MAX_OFFER:
        return None
    try:
        parts = urlsplit(text.strip())
        return parts.scheme, parse_qsl(parts.query, keep_blank_values=True, max_num_fields=64)
    except ValueError:
        return None


def _no_offer() -> CollectingRefused:
    return CollectingRefused(Collecting.NOT_AN_OFFER)
