"""Reading what a wallet sends: the form, the encrypted response, the VP token. Bounded; judges no presentation.

Spec: OpenID4VP 1.0 sections 5.10 and 8.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl

from keys.envelopes.jwe import AgreementKey, decrypt_jwe
from keys.envelopes.strict_json import load_json
from keys.errors import MalformedEnvelope
from verifier.dcql.model import DcqlQuery
from verifier.openid4vp.errors import invalid
from verifier.openid4vp.model import Terms
from verifier.openid4vp.request_objects import Asking, key_id

FORM: Final = "application/x-www-form-urlencoded"
MAX_BODY: Final = 2 << 20
MAX_FETCH: Final = 64 << 10
_MAX_FIELDS: Final = 32
_MAX_DEPTH: Final = 24
_MAX_PRESENTATIONS: Final = 64
_ERROR: Final = re.compile(r"[\x20\x21\x23-\x5b\x5d-\x7e]{1,100}", re.ASCII)  # RFC 6749 section 4.1.2.1
_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True)
class Response:
    """What came back, as far as it could be read: presentations by credential query id, or the wallet's error."""

    presentations: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    error: str | None = None


def read_form(body: bytes, content_type: str | None) -> dict[str, str]:
    """The parameters of a body. Raises ProtocolRefusal: another content type, not UTF-8, a parameter twice.

    Spec: sections 5.10 and 8.2; RFC 6749 section 3.1.
    """
    if (content_type or "").partition(";")[0].strip().lower() != FORM:
        raise invalid(f"the content type is not {FORM}", status=415)
    try:
        text = body.decode("ascii")
        if _ESCAPE.search(text):
            raise ValueError("a stray percent sign")
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=_MAX_FIELDS, errors="strict")
    except ValueError:
        raise invalid("the body is not a form in UTF-8") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise invalid("a parameter is there twice")
    return fields


def read_asking(fields: Mapping[str, str]) -> Asking:
    """What a wallet says of itself when it fetches a request. Raises ProtocolRefusal. Spec: section 5.10."""
    nonce, metadata = fields.get("wallet_nonce"), fields.get("wallet_metadata")
    audience = None
    if metadata is not None:
        try:
            found = load_json(metadata, max_size=MAX_FETCH, max_depth=_MAX_DEPTH)
        except MalformedEnvelope:
            raise invalid("wallet_metadata is not JSON") from None
        if not isinstance(found, dict):
            raise invalid("wallet_metadata is not an object")
        issuer = found.get("issuer")
        audience = issuer if isinstance(issuer, str) and issuer else None
    return Asking(nonce, audience)


def read_response(fields: Mapping[str, str], terms: Terms, key: AgreementKey | None) -> Response:
    """The response in a form, decrypted where that was asked for, with the right `state`. Raises ProtocolRefusal.

    An error may come unencrypted always: a wallet may be unable to encrypt. Spec: sections 8.2, 8.3.1 and 8.5.
    """
    if "error" in fields and "response" not in fields:
        return _read(fields, terms)
    if key is None:
        if "response" in fields:
            raise invalid("the response was not to be encrypted")
        return _read(fields, terms)
    if "response" not in fields or "vp_token" in fields:
        raise invalid("the response is to be encrypted, in the parameter response")
    return _read(decrypted(fields["response"], key), terms)


def decrypted(token: str, key: AgreementKey) -> dict[str, Any]:
    """The members of an encrypted response. Raises ProtocolRefusal. Spec: section 8.3."""
    try:
        _, plaintext = decrypt_jwe(token, key, max_size=MAX_BODY, kid=key_id(key))
        found = load_json(plaintext, max_size=MAX_BODY, max_depth=_MAX_DEPTH)
    except MalformedEnvelope:
        raise invalid("the response is not JSON encrypted to this request's key with ECDH-ES and AES-GCM") from None
    if not isinstance(found, dict):
        raise invalid("the encrypted response is not an object")
    return found


def _read(members: Mapping[str, Any], terms: Terms) -> Response:
    if members.get("state") != terms.state:
        raise invalid("state is not that of the request")
    return read_members(members, terms)


def read_members(members: Mapping[str, Any], terms: Terms) -> Response:
    """The response in its members, `state` aside. Raises ProtocolRefusal. Spec: sections 8.1 and 8.5."""
    if "error" in members:
        if "vp_token" in members:
            raise invalid("both an error and a vp_token")
        error = members["error"]
        if not isinstance(error, str) or not _ERROR.fullmatch(error):
            raise invalid("error is not an error code")
        return Response(error=error)
    if "vp_token" not in members:
        raise invalid("vp_token is missing")
    token = members["vp_token"]
    if isinstance(token, str) and not terms.mode.encrypted:  # a form has text only
        try:
            token = load_json(token, max_size=MAX_BODY, max_depth=_MAX_DEPTH)
        except MalformedEnvelope:
            raise invalid("vp_token is not JSON") from None
    return Response(read_vp_token(token, terms.query))


def read_vp_token(token: Any, query: DcqlQuery) -> dict[str, tuple[str, ...]]:
    """The presentations by credential query id. Raises ProtocolRefusal. Spec: section 8.1."""
    if not isinstance(token, dict) or not token:
        raise invalid("vp_token is not an object with presentations")
    found: dict[str, tuple[str, ...]] = {}
    for id, presentations in token.items():
        asked = query.credential(id)
        if asked is None:
            raise invalid("vp_token answers a query that was not made")
        if not isinstance(presentations, list) or not presentations or len(presentations) > _MAX_PRESENTATIONS:
            raise invalid("vp_token has something other than a non-empty array of presentations")
        if len(presentations) > 1 and not asked.multiple:
            raise invalid("several presentations where one was asked for")
        if not all(isinstance(each, str) and each for each in presentations):
            raise invalid("a presentation in these formats is a text")
        found[id] = tuple(presentations)
    return found
