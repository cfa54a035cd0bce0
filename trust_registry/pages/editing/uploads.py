"""What an authority uploads: certificates, requests with proof of possession, seal images. Bounded, one error out.

Certifies nothing: an uploaded certificate comes from the region's CA or from an external one.
"""

from __future__ import annotations

import re
from base64 import b64decode
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from keys.errors import KeysError
from keys.x509 import parse_certificate
from trust_registry.model import Names
from trust_registry.pages.editing.forms import FormWrong

_PEM: Final = re.compile(rb"-----BEGIN ([A-Z ]{1,40})-----\s+([A-Za-z0-9+/=\s]{1,400000})-----END \1-----")
_NO_CERTIFICATE: Final = Names("这不是可读取的证书", "This is no certificate that can be read")
_NO_REQUEST: Final = Names("这不是可读取的证书请求（CSR）", "This is no certificate request that can be read")
_NOT_PROVEN: Final = Names("请求没有用自己的密钥签名：不能证明持有密钥", "The request is not signed with its own key")
_OTHER_KEY: Final = Names("证书里的密钥不是请求里的那一把", "The certificate is for another key than the request")
_NO_IMAGE: Final = Names("印模须为 SVG 图片", "The image must be an SVG")


def certificate_of(data: bytes, field: str = "certificate") -> bytes:
    """The DER of an uploaded certificate, PEM or DER. Raises: FormWrong."""
    der = _der(data)
    try:
        parse_certificate(der)
    except KeysError as err:
        raise FormWrong({field: _NO_CERTIFICATE}) from err
    return der


def check_request(request: bytes, certificate: bytes, field: str = "request") -> None:
    """That a request proves possession of its key, and that the certificate (DER) is for it.

    Spec: RFC 2986 section 3. Raises: FormWrong.
    """
    try:
        parsed = x509.load_der_x509_csr(_der(request))
        proven = parsed.is_signature_valid
        key = parsed.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, TypeError, UnsupportedAlgorithm) as err:
        raise FormWrong({field: _NO_REQUEST}) from err
    if not proven:
        raise FormWrong({field: _NOT_PROVEN})
    if parse_certificate(certificate).public_key.spki != key:
        raise FormWrong({"certificate": _OTHER_KEY})


def svg_of(data: bytes, field: str = "image") -> bytes:
    """An uploaded seal image. What it may do when opened is the page's policy: nothing. Raises: FormWrong."""
    if b"<svg" not in data[:2000] or b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise FormWrong({field: _NO_IMAGE})
    return data


def _der(data: bytes) -> bytes:
    found = _PEM.search(data)
    return data if found is None else b64decode(b"".join(found[2].split()))
