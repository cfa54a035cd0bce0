"""Attests the hosted wallet and its citizens' keys, as its provider: `wallet_api.openid.attesting.Attester`.

Names nobody: every attestation is of a fresh key, and of the wallet that all citizens here share. Decides nothing.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from keys.certificate_names import self_signed
from keys.envelopes.jws import sign_jws
from keys.envelopes.strict_json import encode_json
from keys.public_key import PublicKey
from keys.signer import Signer
from keys.x509 import Certificate, parse_pem_certificates
from server.errors import InvalidSettings

if TYPE_CHECKING:
    from server.wiring import Opened

WALLET_LIFE: Final = timedelta(minutes=10)
KEYS_LIFE: Final = timedelta(days=365)
NAME: Final = "印信 Yinxin"


@dataclass(frozen=True, slots=True)
class WalletProvider:
    """`chain`: the signer's certificate and others up to the anchor's, without it. `link`: about this wallet."""

    signer: Signer
    chain: tuple[Certificate, ...]
    link: str

    def wallet(self, key: PublicKey, client_id: str, at: datetime) -> str:
        """Spec: OpenID4VCI 1.0 annex E; OAuth 2.0 Attestation-Based Client Authentication, draft 07, section 5.1."""
        claims = {
            "iss": self.link,
            "sub": client_id,
            "iat": int(at.timestamp()),
            "exp": int((at + WALLET_LIFE).timestamp()),
            "cnf": {"jwk": key.jwk()},
            "wallet_name": NAME,
            "wallet_link": self.link,
        }
        return self._sign("oauth-client-attestation+jwt", claims)

    def keys(self, keys: Sequence[Mapping[str, Any]], nonce: str | None, at: datetime) -> str:
        """Spec: OpenID4VCI 1.0 annex D.1. `exp` is of the keys, too; without key_storage, because nobody rated it."""
        claims = {
            "iss": self.link,
            "iat": int(at.timestamp()),
            "exp": int((at + KEYS_LIFE).timestamp()),
            "attested_keys": [dict(key) for key in keys],
            **({} if nonce is None else {"nonce": nonce}),
        }
        return self._sign("key-attestation+jwt", claims)

    def _sign(self, typ: str, claims: Mapping[str, Any]) -> str:
        x5c = [base64.b64encode(each.der).decode("ascii") for each in self.chain]
        return sign_jws({"typ": typ, "x5c": x5c}, encode_json(dict(claims)).encode("utf-8"), self.signer)


def open_wallet_provider(opened: Opened) -> WalletProvider | None:
    """The provider of this server's hosted wallet; None where there is none.

    Raises: InvalidSettings where key and certificate do not belong together; what opening the key raises.
    """
    settings = opened.settings
    if not settings.wallet_provider_key:
        return None
    file = settings.path(settings.wallet_provider_certificate)
    if not file.is_file():
        raise InvalidSettings(f"wallet_provider_certificate: there is no file {file}")
    # HAIP 1.0: no anchor in x5c, and no self-signed signer.
    chain = tuple(each for each in parse_pem_certificates(file.read_bytes()) if not self_signed(each))
    signer = opened.signers(settings.wallet_provider_key)
    if not chain or chain[0].public_key != signer.public_key:
        raise InvalidSettings("wallet_provider_certificate: its first certificate is not of wallet_provider_key")
    return WalletProvider(signer, chain, settings.origin)
