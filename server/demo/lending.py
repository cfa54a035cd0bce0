"""A key of the demonstration's wallet provider for whoever tries a wallet of their own, with all that attesting takes.

The provider's own key stays in custody: this is another one, which the provider's CA certifies. Attests nothing itself.
"""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from keys.custody.files import write_new_secret
from keys.envelopes.base64url import b64url_encode
from keys.public_key import PublicKey
from keys.x509 import Certificate, Profile, make_certificate, parse_pem_certificates
from server.demo.anchors import AnchorFile
from server.demo.opening import open_demo
from server.demo.provider import FOLDER, NAMES
from server.errors import DemoFolderRefused

_LIFE: Final = timedelta(days=365)


def write_provider(data: Path, out: Path) -> tuple[AnchorFile, ...]:
    """A fresh key of the provider with its certificate into `out`, for an outside wallet; an earlier one is replaced.

    Raises: DemoFolderRefused, also for a folder of an earlier version; OSError.
    """
    opened = open_demo(data)
    opened.engine.dispose()
    settings = opened.settings
    anchors = settings.path(settings.wallet_provider_anchors)
    if not settings.wallet_provider_key or not anchors.is_file():
        raise DemoFolderRefused(f"{data} has no wallet provider: it was made by an earlier version; move it away")
    (ca,) = parse_pem_certificates(anchors.read_bytes())
    key = ec.generate_private_key(ec.SECP256R1())
    spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    now = opened.now().replace(microsecond=0)
    certificate = make_certificate(
        Profile.WALLET_PROVIDER,
        ca_signer=opened.signers(f"file:{data.absolute()}/keys/{FOLDER}/ca.key"),
        ca=ca,
        subject_key=PublicKey.from_spki(spki),
        common_name=f"{NAMES.en} (exported for trying out)",
        organisation=NAMES.zh,
        uscc=None,
        uri=None,
        not_before=now - timedelta(hours=1),
        not_after=now + _LIFE,
    )
    out.mkdir(parents=True, exist_ok=True)
    return tuple(_written(out, key, certificate, ca))


def _written(out: Path, key: ec.EllipticCurvePrivateKey, certificate: Certificate, ca: Certificate) -> list[AnchorFile]:
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    files = (
        ("wallet-provider-chain.pem", certificate.pem(), False, "x5c of attestations, without the anchor"),
        ("wallet-provider-ca.pem", ca.pem(), False, "the anchor, which no x5c holds"),
        ("demo-wallet-provider-key.pem", pem, True, "private key that signs attestations (PKCS #8)"),
        ("demo-wallet-provider-key.jwk.json", _jwk(key, certificate), True, "the same as a JWK, with x5c"),
    )
    for name, content, secret, _ in files:
        if secret:
            (out / name).unlink(missing_ok=True)
            write_new_secret(out / name, content)
        else:
            (out / name).write_bytes(content)
    return [AnchorFile(out / name, purpose) for name, _, _, purpose in files]


def _jwk(key: ec.EllipticCurvePrivateKey, certificate: Certificate) -> bytes:
    """Spec: RFC 7517 section 4.7, RFC 7518 section 6.2.2."""
    secret = b64url_encode(key.private_numbers().private_value.to_bytes(32, "big")).decode("ascii")
    x5c = [base64.b64encode(certificate.der).decode("ascii")]
    value: dict[str, Any] = {**certificate.public_key.jwk(), "d": secret, "alg": "ES256", "x5c": x5c}
    return json.dumps(value, indent=1).encode("ascii") + b"\n"
