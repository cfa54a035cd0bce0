"""What an authority uploads: certificates, requests with proof of possession, seal images. Bounded, one error out.

Certifies nothing: an uploaded certificate comes from the region's CA or from an external one.
"""

from __future__ import annotations

from typing import Final

from keys.certificate_requests import parse_request
from keys.errors import AlgorithmNotSupported, KeysError, MalformedRequest
from keys.x509 import Certificate, parse_certificate, parse_pem_certificates
from trust_registry.errors import InvalidList
from trust_registry.model import Names, RegionList
from trust_registry.onboarding import check_fresh, check_possession
from trust_registry.pages.editing.forms import FormWrong

_NO_CERTIFICATE: Final = Names("这不是可读取的证书", "This is no certificate that can be read")
_NO_REQUEST: Final = Names(
    "这不是可读取的证书请求（CSR），或它没有用自己的密钥签名",
    "This is no certificate request that can be read, or it is not signed with its own key",
)
_OTHER_KEY: Final = Names("证书里的密钥不是请求里的那一把", "The certificate is for another key than the request")
_LISTED: Final = Names("这把密钥已经登记过，或请求属于另一家机构", "This key is listed already, or is another's")
_NO_IMAGE: Final = Names("印模须为 SVG 图片", "The image must be an SVG")


def certificate_of(data: bytes, field: str = "certificate") -> Certificate:
    """An uploaded certificate, PEM or DER. Raises: FormWrong."""
    try:
        if b"-----BEGIN" not in data:
            return parse_certificate(data)
        (found,) = parse_pem_certificates(data)
    except (KeysError, ValueError) as err:
        raise FormWrong({field: _NO_CERTIFICATE}) from err
    return found


def check_request(region_list: RegionList, request: bytes, certificate: Certificate, uscc: str | None) -> None:
    """That a request proves possession of its key, that the certificate is for it, and that nobody has it yet.

    Spec: RFC 2986 section 3. Raises: FormWrong.
    """
    try:
        parsed = parse_request(request)
    except (MalformedRequest, AlgorithmNotSupported) as err:
        raise FormWrong({"request": _NO_REQUEST}) from err
    try:
        check_possession(parsed, certificate, uscc)
        check_fresh(region_list, parsed)
    except InvalidList as err:
        other = err.field == "certificate"
        raise FormWrong({err.field: _OTHER_KEY if other else _LISTED}) from err


def svg_of(data: bytes, field: str = "image") -> bytes:
    """An uploaded seal image. What it may do when opened is the page's policy: nothing. Raises: FormWrong."""
    if b"<svg" not in data[:2000] or b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise FormWrong({field: _NO_IMAGE})
    return data
