"""A fictional provider of wallets, whose attestations @openid4vc's wallet sends: its CA, its certificate, its key."""

from __future__ import annotations

from base64 import b64encode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding


class WalletProvider:
    """`anchors`: the PEM file of its CA. `attested`: what the wallet needs to be attested."""

    def __init__(self, folder: Path) -> None:
        root, leaf = generate_private_key(SECP256R1()), generate_private_key(SECP256R1())
        ca = _certificate("Wallets CA", root, "Wallets CA", root, ca=True)
        certificate = _certificate("Wallets of others", leaf, "Wallets CA", root, ca=False)
        folder.mkdir(parents=True, exist_ok=True)
        self.anchors = folder / "wallet-providers.pem"
        self.anchors.write_bytes(ca.public_bytes(Encoding.PEM))
        self.attested: dict[str, Any] = {
            "issuer": "https://wallets.example",
            "x5c": [b64encode(certificate.public_bytes(Encoding.DER)).decode()],
            "key": _jwk(leaf),
        }


def _certificate(
    name: str, key: EllipticCurvePrivateKey, issuer: str, by: EllipticCurvePrivateKey, *, ca: bool
) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=0 if ca else None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False)
        .add_extension(_usage(ca=ca), critical=True)
    )
    return builder.sign(by, SHA256())


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


def _usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca,
        key_cert_sign=ca,
        crl_sign=ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _jwk(key: EllipticCurvePrivateKey) -> dict[str, str]:
    numbers = key.private_numbers()
    point = numbers.public_numbers
    members = {"x": point.x, "y": point.y, "d": numbers.private_value}
    texts = {name: urlsafe_b64encode(each.to_bytes(32, "big")).rstrip(b"=").decode() for name, each in members.items()}
    return {"kty": "EC", "crv": "P-256", **texts}
