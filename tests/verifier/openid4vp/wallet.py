"""A small wallet for tests, which reads requests by the specification and not by our code for them.

It checks what a wallet must (type, signature, client id, expected members), answers with the credentials that it is
told to, and lies where a test tells it to. Envelopes (SD-JWT, mdoc) are those of `keys`; JOSE is joserfc's.
Spec: OpenID4VP 1.0 sections 5, 6 and 8, appendix B.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from joserfc import jwe, jws
from joserfc.jwk import ECKey

from keys.envelopes.jws import sign_jws
from keys.envelopes.mdoc import (
    dc_api_transcript,
    make_device_response,
    openid4vp_transcript,
    parse_mdoc,
    select_elements,
    sign_as_device,
)
from keys.envelopes.sd_jwt import parse_sd_jwt, select_disclosures
from keys.signer import EphemeralSigner

PREFIXES = ("x509_hash", "x509_san_dns")


def b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def unb64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass(frozen=True)
class Link:
    """What an `openid4vp://` URI says."""

    client_id: str
    request_uri: str
    method: str


@dataclass(frozen=True)
class Asked:
    """A request object that was checked. `claims` as they stand."""

    claims: Mapping[str, Any]
    certificate: x509.Certificate

    @property
    def encryption_key(self) -> dict[str, Any] | None:
        keys = self.claims["client_metadata"].get("jwks", {}).get("keys", [])
        return next((dict(each) for each in keys if each.get("use", "enc") == "enc"), None)

    def query(self, part: str) -> dict[str, Any]:
        """The credential query whose id contains `part`."""
        (found,) = [each for each in self.claims["dcql_query"]["credentials"] if part in each["id"]]
        return dict(found)


def read_link(uri: str) -> Link:
    parts = urlsplit(uri)
    assert parts.scheme in ("openid4vp", "haip-vp")
    found = {name: values[0] for name, values in parse_qs(parts.query, strict_parsing=True).items()}
    assert set(found) == {"client_id", "request_uri", "request_uri_method"}
    return Link(found["client_id"], found["request_uri"], found["request_uri_method"])


def read_signed(text: str, typ: str) -> tuple[dict[str, Any], x509.Certificate]:
    """The claims of a JWT by the leaf in its `x5c`, and that leaf."""
    header = json.loads(unb64url(text.partition(".")[0]))
    assert header["typ"] == typ
    assert header["alg"] == "ES256"
    (leaf,) = header["x5c"]  # HAIP: the anchor is not among them
    certificate = x509.load_der_x509_certificate(base64.b64decode(leaf))
    assert certificate.issuer != certificate.subject
    key = certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    registry = jws.JWSRegistry(algorithms=["ES256"])
    registry.max_header_length = registry.max_payload_length = 1 << 16  # an x5c is longer than it expects
    return json.loads(jws.deserialize_compact(text, ECKey.import_key(key), registry=registry).payload), certificate


def read_request(text: str, client_id: str | None = None) -> Asked:
    """The request in a signed request object. Fails where a wallet would have to refuse it. Spec: section 5."""
    claims, certificate = read_signed(text, "oauth-authz-req+jwt")
    prefix, _, rest = claims["client_id"].partition(":")
    assert client_id is None or claims["client_id"] == client_id
    if prefix == "x509_hash":
        assert rest == b64url(hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest())
    else:
        assert prefix == "x509_san_dns"
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert rest in names.get_values_for_type(x509.DNSName)
        if "response_uri" in claims:
            assert urlsplit(claims["response_uri"]).hostname == rest
    assert claims["response_type"] == "vp_token"
    assert len(claims["nonce"]) >= 22
    return Asked(claims, certificate)


@dataclass(frozen=True)
class Shown:
    """How a wallet presents: everything here may be made wrong. None: as the request has it."""

    nonce: str | None = None
    audience: str | None = None
    issued_at: datetime | None = None
    response_uri: str | None = None
    origin: str | None = None
    more: Sequence[str] = ()  # claims or elements beside those that were asked for
    less: Sequence[str] = ()
    binding: bool = True
    kb_header: Mapping[str, Any] = field(default_factory=lambda: {"typ": "kb+jwt"})
    kb_claims: Mapping[str, Any] = field(default_factory=dict)


AS_ASKED = Shown()


@dataclass(frozen=True)
class Wallet:
    """One device key, and what it presents with. `now`: its clock."""

    key: EphemeralSigner
    now: datetime

    def with_key(self, key: EphemeralSigner) -> Wallet:
        return replace(self, key=key)

    def show_sd_jwt(self, credential: str, query: Mapping[str, Any], asked: Asked, shown: Shown = AS_ASKED) -> str:
        """SD-JWT+KB with the first claim set of the query. Spec: appendix B.3."""
        names = {path[0] for path in _paths(query)} - set(shown.less) | set(shown.more)
        text = select_disclosures(credential, names)
        if not shown.binding:
            return text
        audience = asked.claims["client_id"] if shown.origin is None else f"origin:{shown.origin}"
        claims = {
            "iat": int((shown.issued_at or self.now).timestamp()),
            "aud": shown.audience or audience,
            "nonce": shown.nonce or asked.claims["nonce"],
            "sd_hash": parse_sd_jwt(text).presented_digest(),
            **shown.kb_claims,
        }
        return text + sign_jws(shown.kb_header, json.dumps(claims).encode(), self.key)

    def show_mdoc(self, issuer_signed: bytes, query: Mapping[str, Any], asked: Asked, shown: Shown = AS_ASKED) -> str:
        """A DeviceResponse with the device's signature, base64url. Spec: appendix B.2."""
        doc_type = query["meta"]["doctype_value"]
        wanted: dict[str, set[str]] = {}
        for name_space, element in _paths(query):
            if element not in shown.less:
                wanted.setdefault(name_space, set()).add(element)
        wanted.setdefault(doc_type, set()).update(shown.more)
        selected = select_elements(parse_mdoc(issuer_signed), wanted)
        signed = sign_as_device(doc_type, self.transcript(asked, shown), self.key)
        return b64url(make_device_response(doc_type, selected, signed))

    @staticmethod
    def transcript(asked: Asked, shown: Shown = AS_ASKED) -> bytes:
        key = asked.encryption_key
        thumbprint = None if key is None else unb64url(ECKey.import_key(_public(key)).thumbprint())
        nonce = shown.nonce or asked.claims["nonce"]
        if shown.origin is not None:
            return dc_api_transcript(origin=shown.origin, nonce=nonce, encryption_key=thumbprint)
        return openid4vp_transcript(
            client_id=shown.audience or asked.claims["client_id"],
            nonce=nonce,
            response_uri=shown.response_uri or asked.claims["response_uri"],
            encryption_key=thumbprint,
        )

    @staticmethod
    def form(asked: Asked, vp_token: Any, *, enc: str = "A256GCM", **changes: Any) -> dict[str, str]:
        """The body of the response, encrypted where the request says so. `changes`: None leaves a member out."""
        members = {"vp_token": vp_token, "state": asked.claims.get("state"), **changes}
        kept = {name: value for name, value in members.items() if value is not None}
        if asked.claims["response_mode"] == "direct_post":
            return {name: each if isinstance(each, str) else json.dumps(each) for name, each in kept.items()}
        key = asked.encryption_key
        assert key is not None
        return {"response": encrypt(json.dumps(kept).encode(), key, enc=enc)}


def encrypt(plaintext: bytes, key: Mapping[str, Any], *, enc: str = "A256GCM", **header: Any) -> str:
    registry = jwe.JWERegistry(algorithms=["ECDH-ES", enc, "DEF"])
    made = {"alg": "ECDH-ES", "enc": enc, "kid": key["kid"], **header}
    return jwe.encrypt_compact(made, plaintext, ECKey.import_key(_public(key)), registry=registry)


def _public(key: Mapping[str, Any]) -> dict[str, Any]:
    return {name: key[name] for name in ("kty", "crv", "x", "y")}


def _paths(query: Mapping[str, Any]) -> list[list[str]]:
    """The claims of the first claim set."""
    claims = query.get("claims", [])
    if "claim_sets" in query:
        claims = [each for each in claims if each["id"] in query["claim_sets"][0]]
    return [each["path"] for each in claims]
