"""The two ways to write an ECDSA signature: raw r||s (JOSE, COSE) and DER SEQUENCE (X.509, CMS). No signing here."""

from __future__ import annotations

from typing import Final

from keys.model import Algorithm

_P256_SIZE: Final = 64
# By the top bits of r and s: a set one asks for a zero byte before it, as the number is positive.
_P256_FORMS: Final = (
    b"0D\x02 %b\x02 %b",
    b"0E\x02 %b\x02!\0%b",
    b"0E\x02!\0%b\x02 %b",
    b"0F\x02!\0%b\x02!\0%b",
)


def ecdsa_der(raw: bytes) -> bytes:
    """DER form of raw r||s (64 or 96 bytes; hot path). Spec: RFC 3279 section 2.2.3."""
    if len(raw) == _P256_SIZE and raw[0] and raw[32]:  # all but one in 128: nothing to strip
        return _P256_FORMS[raw[0] >> 6 & 2 | raw[32] >> 7] % (raw[:32], raw[32:])
    half = len(raw) >> 1
    r = raw[:half].lstrip(b"\0") or b"\0"
    s = raw[half:].lstrip(b"\0") or b"\0"
    if r[0] & 0x80:
        r = b"\0" + r
    if s[0] & 0x80:
        s = b"\0" + s
    # One-byte lengths throughout: the largest registered r and s are 48 bytes.
    return b"0%c\x02%c%b\x02%c%b" % (len(r) + len(s) + 4, len(r), r, len(s), s)


def ecdsa_raw(der: bytes, size: int) -> bytes:
    """Raw r||s of `size` bytes in all. Raises ValueError if `der` is not strict DER. Spec: RFC 7518 section 3.4."""
    half = size >> 1
    if len(der) < 8 or der[0] != 0x30 or der[1] != len(der) - 2 or der[1] > 127:
        raise ValueError("not a DER ECDSA signature")
    r, rest = _integer(der[2:])
    s, rest = _integer(rest)
    if rest or len(r) > half or len(s) > half:
        raise ValueError("not a DER ECDSA signature of this size")
    return r.rjust(half, b"\0") + s.rjust(half, b"\0")


def _integer(der: bytes) -> tuple[bytes, bytes]:
    if len(der) < 3 or der[0] != 0x02 or not 1 <= der[1] <= len(der) - 2:
        raise ValueError("not a DER INTEGER")
    body, rest = der[2 : 2 + der[1]], der[2 + der[1] :]
    if body[0] & 0x80 or (len(body) > 1 and body[0] == 0 and not body[1] & 0x80):
        raise ValueError("not a minimal positive DER INTEGER")
    return body.lstrip(b"\0"), rest


def x509_signature(algorithm: Algorithm, raw: bytes) -> bytes:
    """A raw signature as X.509 and CMS carry it."""
    return ecdsa_der(raw) if algorithm.der_signature else raw


def raw_signature(algorithm: Algorithm, x509_form: bytes) -> bytes:
    """The inverse of `x509_signature`. Raises ValueError."""
    return ecdsa_raw(x509_form, algorithm.signature_size) if algorithm.der_signature else x509_form
