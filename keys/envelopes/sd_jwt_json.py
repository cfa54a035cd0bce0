"""SD-JWTs in the JWS JSON serialization (RFC 9901 section 8): brought into the compact form, which `sd_jwt` reads.

Reads the flattened form, and the general form with one signature. Writes none, verifies nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from keys.envelopes.base64url import b64url_decode
from keys.envelopes.sd_jwt import MAX_DISCLOSURES, MAX_SIZE
from keys.envelopes.strict_json import load_json
from keys.errors import MalformedEnvelope

_SIGNATURE: Final = frozenset({"protected", "header", "signature"})
_OURS: Final = frozenset({"disclosures", "kb_jwt"})


def compact_sd_jwt(text: str) -> str:
    """The compact serialization of an SD-JWT or SD-JWT+KB in JSON, which `sd_hash` is over.

    Of the unprotected header `disclosures` and `kb_jwt` are taken and nothing is believed: it may not repeat a
    protected parameter (RFC 7515 section 7.2.1) nor hold `alg` or `crit`. Raises MalformedEnvelope.
    Spec: RFC 9901 section 8; RFC 7515 section 7.2.
    """
    document = load_json(text, max_size=MAX_SIZE)
    if not isinstance(document, dict):
        raise MalformedEnvelope("not a JWS in JSON")
    signed = _only_signature(document)
    payload = _text(document, "payload")
    protected, signature = _text(signed, "protected"), _text(signed, "signature")
    unprotected = _unprotected(signed, protected)
    disclosures = unprotected.get("disclosures", [])
    if not isinstance(disclosures, list) or len(disclosures) > MAX_DISCLOSURES:
        raise MalformedEnvelope("disclosures is not an array of reasonable length")
    binding = unprotected.get("kb_jwt", "")
    parts = [protected, payload, signature, *disclosures]
    # What separates the parts of the compact form must not come from inside one of them.
    if not all(isinstance(part, str) and "~" not in part and "." not in part for part in parts):
        raise MalformedEnvelope("a part of the SD-JWT is not base64url")
    if not isinstance(binding, str) or "~" in binding or ("kb_jwt" in unprotected and not binding):
        raise MalformedEnvelope("kb_jwt is not a JWT")
    return "~".join((".".join(parts[:3]), *disclosures, binding))


def _only_signature(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The flattened form's members, or the one signature of the general form. Spec: RFC 7515 sections 7.2.1, 7.2.2."""
    if "signatures" not in document:
        return document
    signatures = document["signatures"]
    if not _SIGNATURE.isdisjoint(document):
        raise MalformedEnvelope("a JWS in JSON that is both flattened and general")
    if not isinstance(signatures, list) or len(signatures) != 1 or not isinstance(signatures[0], dict):
        raise MalformedEnvelope("an SD-JWT with other than one signature is not supported")
    return signatures[0]


def _unprotected(signed: Mapping[str, Any], protected: str) -> Mapping[str, Any]:
    unprotected = signed.get("header", {})
    try:
        header = load_json(b64url_decode(protected.encode("ascii")), max_size=MAX_SIZE)
    except ValueError as err:
        raise MalformedEnvelope("the protected header is not base64url") from err
    if not isinstance(unprotected, dict) or not isinstance(header, dict):
        raise MalformedEnvelope("a JWS header is not an object")
    if "alg" in unprotected or "crit" in unprotected or not unprotected.keys().isdisjoint(header):
        raise MalformedEnvelope("a header parameter stands where it must not")
    if not _OURS.isdisjoint(header):
        raise MalformedEnvelope("disclosures and kb_jwt belong into the unprotected header")
    return unprotected


def _text(members: Mapping[str, Any], name: str) -> str:
    value = members.get(name)
    if not isinstance(value, str):
        raise MalformedEnvelope(f"{name} is not text")
    return value
