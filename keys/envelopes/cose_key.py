"""Public keys as COSE_Key (RFC 9052 section 7, RFC 9053 section 7), from and to JWK. No private or symmetric keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from keys.envelopes.base64url import b64url_decode, b64url_encode
from keys.errors import MalformedEnvelope

_KTY, _CRV, _X, _Y, _D = 1, -1, -2, -3, -4
_OKP, _EC2 = 1, 2
_CURVES: Final[Mapping[tuple[int, int], tuple[str, str]]] = {
    (_EC2, 1): ("EC", "P-256"),
    (_EC2, 2): ("EC", "P-384"),
    (_OKP, 6): ("OKP", "Ed25519"),
}
_NUMBERS: Final = {names: numbers for numbers, names in _CURVES.items()}


def cose_key_of(jwk: Mapping[str, Any]) -> dict[int, Any]:
    """The COSE_Key of a public JWK, coordinates as they are. Raises MalformedEnvelope for kinds not known here."""
    numbers = _NUMBERS.get((jwk.get("kty", ""), jwk.get("crv", "")))
    try:
        if numbers is None or "d" in jwk:
            raise ValueError("not a public key of a known kind")
        key: dict[int, Any] = {_KTY: numbers[0], _CRV: numbers[1], _X: b64url_decode(jwk["x"].encode("ascii"))}
        if numbers[0] == _EC2:
            key[_Y] = b64url_decode(jwk["y"].encode("ascii"))
    except (KeyError, ValueError, AttributeError, TypeError) as err:
        raise MalformedEnvelope("a JWK that is no COSE_Key") from err
    return key


def jwk_of(key: object) -> dict[str, str] | None:
    """The public JWK of a COSE_Key; None for kinds and curves that are not known here.

    Whether the point is on its curve is `PublicKey.from_jwk`'s to say. Raises MalformedEnvelope for what is no
    COSE_Key, and for a private key.
    """
    if not isinstance(key, Mapping) or type(key.get(_KTY)) not in (int, str):
        raise MalformedEnvelope("not a COSE_Key")
    if _D in key and key[_KTY] in (_OKP, _EC2):
        raise MalformedEnvelope("a private key in a message")
    curve = key.get(_CRV)
    names = _CURVES.get((key[_KTY], curve)) if type(key[_KTY]) is int and type(curve) is int else None
    coordinates = [key.get(_X)] + ([key.get(_Y)] if key[_KTY] == _EC2 else [])
    if names is None or not all(isinstance(each, bytes) for each in coordinates):
        return None
    texts = [b64url_encode(each).decode("ascii") for each in coordinates if each is not None]
    return {"kty": names[0], "crv": names[1], **dict(zip(("x", "y"), texts, strict=False))}
