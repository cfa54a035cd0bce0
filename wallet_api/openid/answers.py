"""Presentations and the response that carries them: what the browser's keys have to sign, and what is posted then.

Made twice by the same code: once to find out what is to be signed, once with the signatures. Holds no key.
Spec: OpenID4VP 1.0 sections 8.1 to 8.4, appendices B.2.5, B.2.6 and B.3.6; RFC 9901 section 4.3.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from keys.algorithms import ES256
from keys.envelopes.base64url import b64url_decode, b64url_encode
from keys.envelopes.jwe import encrypt_jwe
from keys.envelopes.jws import sign_jws
from keys.envelopes.mdoc import make_device_response, openid4vp_transcript, parse_mdoc, select_elements, sign_as_device
from keys.envelopes.sd_jwt import parse_sd_jwt
from keys.envelopes.strict_json import encode_json
from keys.errors import AlgorithmNotSupported
from keys.model import Algorithm
from keys.public_key import PublicKey
from keys.signer import Signer
from verifier.dcql import Path
from wallet_api.openid.asked import Asked, ReturnPath
from wallet_api.openid.credentials import CredentialFormat, WalletCredential
from wallet_api.openid.disclosing import disclose
from wallet_api.openid.refusals import KeysMissing
from wallet_api.openid.transactions import Transaction

FORM: Final = "application/x-www-form-urlencoded"
SIGNATURE_SIZE: Final = 64


@dataclass(frozen=True, slots=True)
class Shown:
    """One credential as an answer to one query: the claims that are shown, by path."""

    query_id: str
    credential: WalletCredential
    paths: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class ToSign:
    """`data` for the key with this thumbprint: ECDSA over its SHA-256, to be given back as r || s."""

    thumbprint: str
    data: bytes


class _Signing:
    """A Signer for a key elsewhere: gives `signature` where there is one, and keeps what it is asked to sign."""

    uri = "browser:"
    algorithm: Algorithm = ES256

    def __init__(self, public_key: PublicKey, signature: bytes | None) -> None:
        self.public_key = public_key
        self.asked: list[bytes] = []
        self._signature = signature

    def sign(self, data: bytes) -> bytes:
        self.asked.append(data)
        if self._signature is None:
            return bytes(SIGNATURE_SIZE)
        if not self.public_key.verify(self._signature, data):
            raise KeysMissing
        return self._signature


def to_sign(shown: Sequence[Shown], asked: Asked, at: datetime) -> tuple[ToSign, ...]:
    """What the keys of these credentials have to sign, in their order. `at` (UTC) becomes the key bindings' `iat`.

    Raises MalformedEnvelope for a credential that is none; KeysMissing for one without a key of ES256.
    """
    needed: list[ToSign] = []
    for each in shown:
        signing = _Signing(_holder_key(each.credential), None)
        _presentation(each, asked, _confirmed(each, shown, asked), at, signing)
        needed.append(ToSign(each.credential.key_thumbprint, signing.asked[0]))
    return tuple(needed)


def vp_token(shown: Sequence[Shown], asked: Asked, at: datetime, signatures: Sequence[bytes]) -> dict[str, list[str]]:
    """The VP Token, each presentation with its signature. `at` as it was for `to_sign`.

    Raises KeysMissing for a signature that is missing or not of that key over that data. Spec: section 8.1.
    """
    if len(signatures) != len(shown):
        raise KeysMissing
    return {
        each.query_id: [
            _presentation(
                each,
                asked,
                _confirmed(each, shown, asked),
                at,
                _Signing(_holder_key(each.credential), signature),
            )
        ]
        for each, signature in zip(shown, signatures, strict=True)
    }


def response_body(token: Mapping[str, Sequence[str]], asked: Asked) -> bytes:
    """The form to post to `response_uri`, encrypted where that is asked. Spec: sections 8.2 and 8.3.1."""
    state = {} if asked.back.state is None else {"state": asked.back.state}
    if asked.encryption is None:
        return urlencode({"vp_token": encode_json(token), **state}).encode("ascii")
    content = encode_json({"vp_token": token, **state}).encode("utf-8")
    sealed = encrypt_jwe(content, asked.encryption.jwk, enc=asked.encryption.enc)
    return urlencode({"response": sealed}).encode("ascii")


def error_body(error: str, back: ReturnPath) -> bytes:
    """The form of an error response; says nothing about what the citizen holds. Spec: sections 8.5 and 15.9."""
    state = {} if back.state is None else {"state": back.state}
    return urlencode({"error": error, **state}).encode("ascii")


def redirect_in(body: bytes) -> str | None:
    """The `redirect_uri` of the verifier's answer, if it is one that a browser may be sent to: http or https.

    Never a `javascript:`, `data:` or `file:` URL, whatever the verifier says. Spec: section 8.2.
    """
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return None
    uri = told.get("redirect_uri") if isinstance(told, dict) else None
    if not isinstance(uri, str) or len(uri) > 4096 or not uri.isascii() or not uri.isprintable():
        return None
    return uri if uri.lower().startswith(("https://", "http://")) else None


def _presentation(shown: Shown, asked: Asked, confirmed: Iterable[Transaction], at: datetime, signer: Signer) -> str:
    credential = shown.credential
    if credential.format is CredentialFormat.SD_JWT_VC:
        text = disclose(credential.content, shown.paths)
        return text + sign_jws({"typ": "kb+jwt"}, _key_binding(text, asked, confirmed, at), signer)
    mdoc = parse_mdoc(b64url_decode(credential.content.encode("ascii")))
    wanted: dict[str, set[str]] = {}
    for name_space, element in shown.paths:
        wanted.setdefault(str(name_space), set()).add(str(element))
    doc_type = mdoc.mso.doc_type
    signed = sign_as_device(doc_type, _transcript(asked), signer)
    response = make_device_response(doc_type, select_elements(mdoc, wanted), signed)
    return b64url_encode(response).decode("ascii")


def _key_binding(text: str, asked: Asked, confirmed: Iterable[Transaction], at: datetime) -> bytes:
    """The payload of the KB-JWT. Spec: RFC 9901 section 4.3, OpenID4VP 1.0 appendix B.3.3.1."""
    payload: dict[str, Any] = {
        "iat": int(at.timestamp()),
        "aud": asked.client_id,
        "nonce": asked.nonce,
        "sd_hash": parse_sd_jwt(text).presented_digest(),
    }
    transactions = tuple(confirmed)
    if transactions:
        payload["transaction_data_hashes"] = [each.digest for each in transactions]
        if any(each.hash_named for each in transactions):
            payload["transaction_data_hashes_alg"] = transactions[0].algorithm
    return encode_json(payload).encode("utf-8")


def _confirmed(shown: Shown, all_shown: Sequence[Shown], asked: Asked) -> tuple[Transaction, ...]:
    """The transactions that this presentation confirms: each is confirmed by one, the first it names that is shown."""
    ids = [each.query_id for each in all_shown]
    return tuple(
        each
        for each in asked.transactions
        if next((id for id in each.credential_ids if id in ids), None) == shown.query_id
    )


def _transcript(asked: Asked) -> bytes:
    key = None if asked.encryption is None else b64url_decode(asked.encryption.thumbprint.encode("ascii"))
    return openid4vp_transcript(
        client_id=asked.client_id, nonce=asked.nonce, response_uri=asked.back.response_uri, encryption_key=key
    )


def _holder_key(credential: WalletCredential) -> PublicKey:
    """The key that the credential is bound to, which must be the one it is kept under. Raises KeysMissing."""
    if credential.format is CredentialFormat.SD_JWT_VC:
        jwk = parse_sd_jwt(credential.content).holder_key
    else:
        jwk = parse_mdoc(b64url_decode(credential.content.encode("ascii"))).mso.device_key
    try:
        key = PublicKey.from_jwk({k: v for k, v in (jwk or {}).items() if k in ("kty", "crv", "x", "y")})
    except AlgorithmNotSupported as err:
        raise KeysMissing from err
    if key.algorithm is not ES256 or key.thumbprint() != credential.key_thumbprint:
        raise KeysMissing
    return key
