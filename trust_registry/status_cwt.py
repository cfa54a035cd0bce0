"""Status list tokens in CBOR: the claims of a CWT under the names that the JWT form has, and back.

Decides nothing: what a token must say, and whether it is believed, is `status_list`.
Spec: Token Status List sections 4.3 and 5.2; RFC 8392; RFC 9596 (`typ`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from keys.envelopes import cbor
from keys.envelopes.cose import CoseSign1, parse_cose_sign1, sign_cose_sign1
from keys.signer import Signer
from trust_registry.errors import MalformedStatusToken

TYPE: Final = "application/statuslist+cwt"
TAG: Final = b"\xd2"  # 18, COSE_Sign1: the message MUST be tagged, and not as a CWT
_TYP: Final = 16
_X5CHAIN: Final = 33
_NAMES: Final[Mapping[int, str]] = {
    2: "sub",
    3: "aud",
    4: "exp",
    5: "nbf",
    6: "iat",
    65534: "ttl",
    65533: "status_list",
}
_NUMBERS: Final = {name: number for number, name in _NAMES.items()}


def read_status_cwt(data: bytes, *, max_size: int) -> tuple[CoseSign1, dict[str, Any]]:
    """The message and its claims, those that the JWT form has too under their names there; nothing is verified.

    Raises MalformedStatusToken for another type or tag; MalformedEnvelope.
    """
    if data[:1] != TAG:
        raise MalformedStatusToken("not a tagged COSE_Sign1")
    message = parse_cose_sign1(data, max_size=max_size)
    if message.protected.get(_TYP) != TYPE:
        raise MalformedStatusToken(f"type must be {TYPE}")
    claims = cbor.decode(message.payload, max_size=max_size)
    if not isinstance(claims, dict):
        raise MalformedStatusToken("not the claims of a CWT")
    return message, {_NAMES.get(name, name): value for name, value in claims.items() if _is_claim(name)}


def write_status_cwt(claims: Mapping[str, Any], signer: Signer, kid: bytes, certificate: bytes) -> bytes:
    """The signed message; `claims` have the names of the JWT form and byte strings for lists.

    `certificate` is the signer's, in DER: it goes into `x5chain` (RFC 9360), where one certificate stands alone.
    """
    payload = cbor.encode({_NUMBERS.get(name, name): value for name, value in claims.items()})
    return sign_cose_sign1(payload, signer=signer, kid=kid, unprotected={_X5CHAIN: certificate}, content_type=TYPE)


def _is_claim(name: object) -> bool:
    """Names of ours are numbers here: a text claim "sub" is not the subject."""
    return type(name) is int or (isinstance(name, str) and name not in _NUMBERS)
