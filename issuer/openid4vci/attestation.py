"""Which wallet asks: its provider's attestation, and the proof that this instance holds the attested key.

Knows no grants. Where no provider is trusted and none is required, attestations are not asked for and not looked at:
every wallet is a public client then. Spec: OpenID4VCI 1.0 annex E; HAIP 1.0, "Wallet Attestation"; OAuth 2.0
Attestation-Based Client Authentication, draft 07 (sections 5 to 8; `nonce` of older drafts is understood).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from issuer.openid4vci.dpop import AHEAD, OLDEST, instant
from issuer.openid4vci.errors import ProtocolRefusal
from issuer.openid4vci.key_attestation import certificates_of, read_jwt
from issuer.openid4vci.nonces import Nonces
from issuer.openid4vci.store import OpenidStore
from keys.certificate_names import self_signed
from keys.envelopes.jws import Jws
from keys.errors import AlgorithmNotSupported
from keys.path import PathOutcome, validate_path
from keys.public_key import PublicKey
from keys.x509 import Certificate

ATTESTATION_TYPE: Final = "oauth-client-attestation+jwt"
POP_TYPE: Final = "oauth-client-attestation-pop+jwt"
CHALLENGE_HEADER: Final = "OAuth-Client-Attestation-Challenge"
METHOD: Final = "attest_jwt_client_auth"
_MAX_TEXT: Final = 512
_LONGEST_POP: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Client:
    """Who asks. `key_thumbprint` and `name` only when a wallet provider attested it."""

    client_id: str | None = None
    key_thumbprint: str | None = None
    name: str | None = None


ANONYMOUS = Client()


@dataclass(frozen=True, slots=True)
class WalletAttestations:
    """Authenticates wallets. `anchors`: the wallet providers' roots; `required`: nobody else may ask for tokens."""

    store: OpenidStore
    challenges: Nonces
    now: Callable[[], datetime]
    anchors: tuple[Certificate, ...] = ()
    required: bool = False

    def challenge(self) -> str:
        """A challenge for the proof of possession (draft 07, section 8)."""
        return self.challenges.make(self.now())

    def authenticate(self, audience: str, attestation: str | None, pop: str | None, client_id: str | None) -> Client:
        """Who sent the two headers, to the authorization server `audience`. `client_id`: the request's parameter.

        Raises ProtocolRefusal: invalid_client (401), use_attestation_challenge (with a challenge).
        """
        if not self.required and (not self.anchors or (attestation is None and pop is None)):
            return Client(client_id)
        if attestation is None or pop is None:
            raise _refused("a wallet attestation and its proof of possession are needed")
        try:
            client, key = self._attested(attestation)
            claims = self._proven(pop, key, audience, client)
        except ProtocolRefusal as err:
            if err.error == "invalid_proof":
                raise _refused(err.description) from err
            raise
        if client_id not in (None, client.client_id):
            raise _refused("client_id is not the sub of the wallet attestation")
        self._use(claims, client)
        return client

    def _attested(self, attestation: str) -> tuple[Client, PublicKey]:
        """The wallet and the key that its instance must hold (draft 07, section 5.1)."""
        signed, claims = read_jwt(attestation, ATTESTATION_TYPE, "wallet attestation")
        if not signed.verified_by(self._provider(signed)):
            raise _refused("the wallet attestation's signature does not hold with the key of its x5c")
        now = self.now()
        expires, begins, issued = (instant(claims.get(name)) for name in ("exp", "nbf", "iat"))
        if expires is None or expires <= now:
            raise _refused("the wallet attestation has expired, or has no exp")
        for claim, at in (("nbf", begins), ("iat", issued)):
            if claim in claims and (at is None or at > now + AHEAD):
                raise _refused(f"the wallet attestation's {claim} is ahead")
        subject, key = claims.get("sub"), _confirmed(claims)
        if not isinstance(subject, str) or not 0 < len(subject) <= _MAX_TEXT or not subject.isprintable():
            raise _refused("the wallet attestation has no sub")
        name = claims.get("wallet_name")
        return Client(
            subject, key.thumbprint(), name[:100] if isinstance(name, str) and name.isprintable() else None
        ), key

    def _provider(self, signed: Jws) -> PublicKey:
        """The key of the provider: its certificate leads to an anchor, which is not among those sent (HAIP 1.0)."""
        signer, *others = certificates_of(signed.header, "wallet attestation")
        if self_signed(signer) or any(self_signed(each) or each in self.anchors for each in (signer, *others)):
            raise _refused("the wallet attestation's x5c has a self-signed certificate or the trust anchor in it")
        if validate_path(signer, others, self.anchors, self.now()).outcome is not PathOutcome.OK:
            raise _refused("the wallet attestation's x5c leads to no wallet provider that is trusted here")
        try:
            return signer.public_key
        except AlgorithmNotSupported as err:
            raise _refused("the wallet provider has a key of an unsupported kind") from err

    def _proven(self, pop: str, key: PublicKey, audience: str, client: Client) -> Mapping[str, Any]:
        """The claims of the proof of possession, by `key`, for `audience`, made now (draft 07, section 5.2)."""
        signed, claims = read_jwt(pop, POP_TYPE, "proof of possession")
        if not signed.verified_by(key):
            raise _refused("the proof of possession is not by the attested key")
        named = claims.get("aud")
        if audience not in (named if isinstance(named, list) else [named]):
            raise _refused("the proof of possession is for another audience")
        if claims.get("iss", client.client_id) != client.client_id:
            raise _refused("the proof of possession is another client's")
        now = self.now()
        issued, expires = instant(claims.get("iat")), instant(claims.get("exp"))
        made = issued is not None and now - OLDEST <= issued <= now + AHEAD
        if not (made if "exp" not in claims else expires is not None and now < expires <= now + _LONGEST_POP):
            raise _refused("the proof of possession is too old, or made ahead of time")
        if "iat" in claims and not made:
            raise _refused("the proof of possession's iat is too old or ahead")
        self._check_challenge(claims, now)
        return claims

    def _check_challenge(self, claims: Mapping[str, Any], now: datetime) -> None:
        challenge = claims.get("challenge", claims.get("nonce"))
        if challenge is not None and not (isinstance(challenge, str) and self.challenges.fresh(challenge, now)):
            headers = {CHALLENGE_HEADER: self.challenge()}
            raise ProtocolRefusal("use_attestation_challenge", "the challenge is not fresh", headers=headers)

    def _use(self, claims: Mapping[str, Any], client: Client) -> None:
        jti = claims.get("jti")
        if not isinstance(jti, str) or not 0 < len(jti) <= _MAX_TEXT:
            raise _refused("the proof of possession has no jti")
        told = f"client-attestation-pop\n{client.key_thumbprint}\n{jti}"
        until = self.now() + _LONGEST_POP + OLDEST
        if not self.store.once(sha256(told.encode("utf-8", "surrogatepass")).digest(), until):
            raise _refused("the proof of possession was used before")


def _confirmed(claims: Mapping[str, Any]) -> PublicKey:
    confirmation = claims.get("cnf")
    jwk = confirmation.get("jwk") if isinstance(confirmation, dict) else None
    if not isinstance(jwk, dict):
        raise _refused("the wallet attestation has no cnf with a jwk")
    try:
        return PublicKey.from_jwk(jwk)
    except AlgorithmNotSupported as err:
        raise _refused("the attested key is not a public JWK of a supported kind") from err


def _refused(description: str) -> ProtocolRefusal:
    return ProtocolRefusal("invalid_client", description, status=401)
