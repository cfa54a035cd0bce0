"""SessionTranscripts: what a device's authentication is bound to. Makes bytes; keeps no session and draws no nonce.

Spec: OpenID4VP 1.0 appendix B.2.6; ISO/IEC 18013-5 clause 9.1.5.1.
"""

from __future__ import annotations

import hashlib
from typing import Any

from keys.envelopes import cbor


def openid4vp_transcript(*, client_id: str, nonce: str, response_uri: str, encryption_key: bytes | None) -> bytes:
    """The SessionTranscript of a request by redirect or `direct_post`.

    `client_id` has its prefix. `encryption_key`: the SHA-256 JWK thumbprint (RFC 7638, 32 bytes) of the verifier's key
    that the response is encrypted to, None where it is not. `response_uri` is `redirect_uri` where that is in use.
    """
    return _transcript("OpenID4VPHandover", [client_id, nonce, encryption_key, response_uri])


def dc_api_transcript(*, origin: str, nonce: str, encryption_key: bytes | None) -> bytes:
    """The SessionTranscript of a request through the Digital Credentials API; `origin` without "origin:" before it."""
    if origin.startswith("origin:"):
        raise ValueError("the origin stands without a prefix")
    return _transcript("OpenID4VPDCAPIHandover", [origin, nonce, encryption_key])


def _transcript(name: str, info: list[Any]) -> bytes:
    return cbor.encode([None, None, [name, hashlib.sha256(cbor.encode(info)).digest()]])
