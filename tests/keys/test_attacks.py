"""What strangers hand in to fill a server's memory, where no signature need hold."""

from __future__ import annotations

import os
from datetime import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from keys import certificate
from keys.errors import MalformedCertificate
from keys.x509 import parse_certificate

KEY = ec.generate_private_key(ec.SECP256R1())
NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "stranger")])


def stuffed(size: int) -> bytes:
    """A certificate with an extension of `size` random bytes."""
    begin = datetime(2026, 1, 1)
    builder = x509.CertificateBuilder(NAME, NAME, KEY.public_key(), 1, begin, begin.replace(year=2027))
    extension = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), os.urandom(size))
    return builder.add_extension(extension, critical=False).sign(KEY, hashes.SHA256()).public_bytes(Encoding.DER)


def test_strangers_certificates_cannot_fill_the_memory() -> None:
    """Every certificate read is remembered, believed or not: 4,096 of 64 KB took 690 MB."""
    parse_certificate(stuffed(8_000))
    with pytest.raises(MalformedCertificate, match="more than"):
        parse_certificate(stuffed(20_000))
    remembered = certificate._parse.cache_info().maxsize
    assert remembered is not None
    copies = 3  # the DER, what is signed of it, and what its extensions hold
    assert remembered * certificate._MAX_SIZE * copies <= 100 * 2**20
