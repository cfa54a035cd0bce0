"""Requests as wallets get them: who asks, the signed request object, the URI that leads to it. Keeps nothing.

Spec: OpenID4VP 1.0 sections 5, 11 and appendix A.3; RFC 9101; OpenID4VC HAIP 1.0 section 5.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from keys.certificate_names import dns_names
from keys.envelopes.base64url import b64url_encode
from keys.envelopes.jwe import ENCRYPTIONS, AgreementKey
from keys.envelopes.jws import sign_jws
from keys.envelopes.strict_json import encode_json
from keys.x509 import Certificate
from verifier.dcql.parsing import query_to_json
from verifier.openid4vp.access import AccessKey
from verifier.openid4vp.model import ClientIdPrefix, PresentationRequest, ResponseMode, Terms, TransactionData
from verifier.openid4vp.registration import FORMAT

MEDIA_TYPE: Final = "application/oauth-authz-req+jwt"
SCHEMES: Final = ("openid4vp", "haip-vp")
DC_API_PROTOCOL: Final = "openid4vp-v1-signed"
REGISTRATION: Final = "yinxin_registration"
_SELF_ISSUED: Final = "https://self-issued.me/v2"  # section 5.8: a wallet that is not known beforehand
_FORMATS: Final[Mapping[str, Any]] = {
    # Fully-specified names (appendix B.3.4): what `keys.algorithms` verifies.
    "dc+sd-jwt": {"sd-jwt_alg_values": ["ES256", "ES384"], "kb-jwt_alg_values": ["ES256", "ES384"]},
    "mso_mdoc": {"issuerauth_alg_values": [-7, -9, -35, -51], "deviceauth_alg_values": [-7, -9, -35, -51]},
}
_MAC_P256: Final = -65537  # appendix B.2.2: HMAC 256/256 with a key agreed on P-256


@dataclass(frozen=True, slots=True)
class Asking:
    """What is the wallet's to say when it fetches a request. `audience` None: nobody in particular."""

    wallet_nonce: str | None = None
    audience: str | None = None


NOTHING_SAID: Final = Asking()


def client_id_of(prefix: ClientIdPrefix, certificate: Certificate, host: str) -> str | None:
    """The full Client Identifier; None where the certificate does not name `host`, which `x509_san_dns` needs.

    Spec: section 5.9.3.
    """
    if prefix is ClientIdPrefix.X509_HASH:
        return f"{prefix.value}:{b64url_encode(bytes.fromhex(certificate.thumbprint)).decode('ascii')}"
    return f"{prefix.value}:{host}" if host in dns_names(certificate) else None


def host_of(origin: str) -> str:
    return urlsplit(origin).hostname or ""


def request_uri(scheme: str, client_id: str, uri: str) -> str:
    """What opens a wallet: the request by reference, to be fetched with POST by wallets that can. Spec: section 5.2."""
    return f"{scheme}://?" + urlencode({"client_id": client_id, "request_uri": uri, "request_uri_method": "post"})


def encode_transaction_data(data: TransactionData, credential_ids: Sequence[str]) -> str:
    """The base64url text that is sent, and whose hash comes back. Spec: section 5.1, appendix B.3.3.1."""
    content: dict[str, Any] = {"type": data.type, "credential_ids": list(credential_ids), **data.parameters}
    if data.hash_algorithms:
        content["transaction_data_hashes_alg"] = list(data.hash_algorithms)
    return b64url_encode(encode_json(content).encode("utf-8")).decode("ascii")


def request_object(
    request: PresentationRequest,
    key: AccessKey,
    *,
    response_uri: str,
    list_uri: str,
    at: datetime,
    asking: Asking = NOTHING_SAID,
    registered: str | None = None,
) -> str:
    """The signed request object: a JWS of type `oauth-authz-req+jwt` with the leaf certificate in `x5c`.

    `list_uri`: where the region's list says that the relying party is registered; `registered`: the same as the
    region's own JWT. Spec: RFC 9101 section 4.
    """
    terms = request.terms
    claims: dict[str, Any] = {
        "client_id": terms.client_id,
        "aud": asking.audience or _SELF_ISSUED,
        "response_type": "vp_token",
        "response_mode": terms.mode.value,
        "nonce": terms.nonce,
        "dcql_query": query_to_json(terms.query),
        "client_metadata": client_metadata(terms),
        "verifier_info": [_registration(request, list_uri), *_attested(registered)],
        "iat": int(at.timestamp()),
        "exp": int(request.expires_at.timestamp()),
    }
    if terms.mode is ResponseMode.DC_API_JWT:
        claims["expected_origins"] = list(terms.origins)
    else:
        claims |= {"response_uri": response_uri, "state": terms.state}
    if terms.transaction_data:
        claims["transaction_data"] = list(terms.transaction_data)
    if asking.wallet_nonce is not None:
        claims["wallet_nonce"] = asking.wallet_nonce
    # HAIP section 5: the anchor is not among them, so the leaf, which the region's CA signed, stands alone.
    header = {"typ": "oauth-authz-req+jwt", "x5c": [b64encode(key.certificate.der).decode("ascii")]}
    return sign_jws(header, encode_json(claims).encode("utf-8"), key.signer)


def client_metadata(terms: Terms) -> dict[str, Any]:
    """What the verifier can read, and the key of this very request to encrypt to. Spec: sections 5.1 and 11.1."""
    key = key_of(terms)
    if key is None:
        return {"vp_formats_supported": _FORMATS}
    mdoc = _FORMATS["mso_mdoc"]
    formats = {**_FORMATS, "mso_mdoc": {**mdoc, "deviceauth_alg_values": [*mdoc["deviceauth_alg_values"], _MAC_P256]}}
    return {
        "jwks": {"keys": [key.encryption_jwk(key_id(key))]},
        "encrypted_response_enc_values_supported": list(ENCRYPTIONS),
        "vp_formats_supported": formats,
    }


def key_of(terms: Terms) -> AgreementKey | None:
    """The key that the response is encrypted to; None where it is not to be."""
    return None if terms.secret is None else AgreementKey.from_secret(terms.secret)


def key_id(key: AgreementKey) -> str:
    """The `kid` that a response to this request's key must name."""
    return key.thumbprint


def _registration(request: PresentationRequest, list_uri: str) -> dict[str, Any]:
    """Where it is written that this relying party may ask this. Signed by its region, in the list. Spec: 5.11."""
    data = {"relying_party": request.relying_party, "scenario": request.scenario, "list": list_uri}
    return {"format": REGISTRATION, "data": data}


def _attested(registered: str | None) -> list[dict[str, Any]]:
    return [] if registered is None else [{"format": FORMAT, "data": registered}]
