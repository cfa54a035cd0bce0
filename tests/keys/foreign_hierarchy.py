"""Certificate hierarchies that our own profiles never make, built with `cryptography`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from keys.x509 import parse_certificate
from tests.keys.conftest import SINCE, UNTIL


class Node:
    """One certificate of a foreign hierarchy, and its key."""

    def __init__(
        self,
        name: str,
        issuer: Node | None = None,
        *,
        ca: bool = True,
        path_length: int | None = None,
        usage: bool | None = True,
        extra: Iterable[tuple[x509.ExtensionType, bool]] = (),
        key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | None = None,
        since: datetime = SINCE,
        until: datetime = UNTIL,
        digest: hashes.HashAlgorithm | None = None,
    ) -> None:
        self.key = key or ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        signer = issuer or self
        builder = (
            x509.CertificateBuilder()
            .subject_name(self.name)
            .issuer_name(signer.name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(since)
            .not_valid_after(until)
            .add_extension(x509.BasicConstraints(ca, path_length), critical=True)
        )
        if usage is not None:
            flags = dict.fromkeys(
                ("key_encipherment", "data_encipherment", "key_agreement", "encipher_only", "decipher_only"), False
            )
            builder = builder.add_extension(
                x509.KeyUsage(
                    digital_signature=True, content_commitment=False, key_cert_sign=usage, crl_sign=False, **flags
                ),
                critical=True,
            )
        for extension, critical in extra:
            builder = builder.add_extension(extension, critical=critical)
        certificate = builder.sign(signer.key, digest or hashes.SHA256())
        self.certificate = parse_certificate(certificate.public_bytes(Encoding.DER))
