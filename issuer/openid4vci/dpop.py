"""Proofs that whoever asks holds the key that a token is bound to. Spec: RFC 9449.

Reads one proof and says whose it is; which tokens are bound to that key is `tokens`' business.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit

from issuer.openid4vci.errors import ProtocolRefusal
from issuer.openid4vci.nonces import Nonces
from issuer.openid4vci.store import OpenidStore
from keys.algorithms import ALGORITHMS
from keys.envelopes.base64url import b64url_encode
from keys.envelopes.jws import Jws, parse_jws
from keys.envelopes.strict_json import load_json
from keys.errors import AlgorithmNotSupported, MalformedEnvelope
from keys.public_key import PublicKey

TYPE: Final = "dpop+jwt"
ALGORITHM_NAMES: Final = tuple(algorithm.jose for algorithm in ALGORITHMS)
MAX_PROOF: Final = 8192
OLDEST: Final = timedelta(minutes=5)
AHEAD: Final = timedelta(minutes=1)
_MAX_JTI: Final = 512
_PORTS: Final = {"http": 80, "https": 443}
_UNRESERVED: Final = "-._~"


@dataclass(frozen=True, slots=True)
class Proofs:
    """Checks DPoP proofs. `nonce_required`: a proof without one of `nonces` is answered with one (section 8)."""

    store: OpenidStore
    nonces: Nonces
    now: Callable[[], datetime]
    nonce_required: bool = False

    def check(self, proof: str, method: str, url: str, access_token: str | None = None) -> str:
        """The thumbprint (RFC 7638) of the key that made `proof` for this request, and that proof has been used now.

        `access_token`: the token it must name in `ath`, at a protected resource. Raises ProtocolRefusal:
        invalid_dpop_proof, use_dpop_nonce (with a nonce). Spec: RFC 9449 section 4.3, in its order.
        """
        signed, key = _opened(proof)
        claims = _claims(signed)
        if claims.get("htm") != method:
            raise _refused("htm is not the method of this request")
        htu = claims.get("htu")
        if not isinstance(htu, str) or target(htu) != target(url):
            raise _refused("htu is not the URL of this request")
        now = self.now()
        if not _timely(claims.get("iat"), now):
            raise _refused("iat is missing, too old or ahead")
        self._check_nonce(claims, now)
        if access_token is not None:
            wanted = b64url_encode(sha256(access_token.encode("utf-8", "surrogatepass")).digest()).decode("ascii")
            ath = claims.get("ath")
            if not isinstance(ath, str) or not hmac.compare_digest(ath.encode(), wanted.encode()):
                raise _refused("ath is not the digest of the access token")
        thumbprint = key.thumbprint()
        self._use(claims, thumbprint, now)
        return thumbprint

    def nonce(self) -> str:
        """A nonce for the header DPoP-Nonce."""
        return self.nonces.make(self.now())

    def _check_nonce(self, claims: dict[str, Any], now: datetime) -> None:
        nonce = claims.get("nonce")
        if nonce is None and not self.nonce_required:
            return
        if not isinstance(nonce, str) or not self.nonces.fresh(nonce, now):
            raise ProtocolRefusal(
                "use_dpop_nonce", "the proof needs the nonce of DPoP-Nonce", headers={"DPoP-Nonce": self.nonce()}
            )

    def _use(self, claims: dict[str, Any], thumbprint: str, now: datetime) -> None:
        jti = claims.get("jti")
        if not isinstance(jti, str) or not jti or len(jti) > _MAX_JTI:
            raise _refused("jti is missing or too long")
        digest = sha256(f"dpop\n{thumbprint}\n{jti}".encode("utf-8", "surrogatepass")).digest()
        if not self.store.once(digest, now + OLDEST + AHEAD):
            raise _refused("this proof was used before")


def _opened(proof: str) -> tuple[Jws, PublicKey]:
    """The proof and the key it was made with: signature verified, type and key as they must be."""
    try:
        signed = parse_jws(proof, max_size=MAX_PROOF)
    except MalformedEnvelope as err:
        raise _refused("not a JWS with one of the algorithms announced") from err
    if signed.header.get("typ") != TYPE:
        raise _refused("typ is not dpop+jwt")
    jwk = signed.header.get("jwk")
    if not isinstance(jwk, dict):
        raise _refused("jwk is missing")
    try:
        key = PublicKey.from_jwk(jwk)
    except AlgorithmNotSupported as err:
        raise _refused("jwk is not a public key of one of the algorithms announced") from err
    if not signed.verified_by(key):
        raise _refused("the signature is not that of jwk")
    return signed, key


def _claims(signed: Jws) -> dict[str, Any]:
    try:
        claims = load_json(signed.payload, max_size=MAX_PROOF)
    except MalformedEnvelope as err:
        raise _refused("the payload is not JSON") from err
    if not isinstance(claims, dict):
        raise _refused("the payload is not an object")
    return claims


def _timely(iat: object, now: datetime) -> bool:
    made = instant(iat)
    return made is not None and now - OLDEST <= made <= now + AHEAD


def instant(value: object) -> datetime | None:
    """A NumericDate (RFC 7519 section 2); None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return None


@lru_cache(maxsize=512)
def target(url: str) -> str | None:
    """`url` without query and fragment, normalised; None when it is none. Spec: RFC 9449 section 4.3, RFC 3986
    sections 6.2.2 and 6.2.3.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    scheme = parts.scheme.lower()
    if scheme not in _PORTS or not host or parts.username is not None:
        return None
    shown = f"[{host}]" if ":" in host else host
    if port is not None and port != _PORTS[scheme]:
        shown += f":{port}"
    path = "/".join(quote(unquote(each, errors="replace"), safe=_UNRESERVED) for each in parts.path.split("/"))
    return f"{scheme}://{shown}{path or '/'}"


def _refused(description: str) -> ProtocolRefusal:
    return ProtocolRefusal("invalid_dpop_proof", description)
