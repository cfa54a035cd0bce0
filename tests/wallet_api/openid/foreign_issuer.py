"""A credential issuer that none of our code runs: it answers as a story wants, well or badly."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool
from sqlmodel import SQLModel

from keys.algorithms import ES256
from keys.data_keys import DeploymentKey
from keys.envelopes.jwe import AgreementKey, decrypt_jwe, encrypt_jwe
from keys.envelopes.jws import parse_jws, sign_jws
from keys.envelopes.sd_jwt import issue_sd_jwt
from keys.signer import EphemeralSigner
from keys.x509 import Profile
from tests.keys.conftest import make_region
from tests.wallet_api.openid.collecting_world import Browser
from trust_registry.edges import HolderId
from wallet_api.openid.collecting import Collector
from wallet_api.openid.collecting_errors import Collecting, CollectingRefused
from wallet_api.openid.collecting_store import CollectingStore
from wallet_api.openid.credentials import WalletCredentials
from wallet_api.openid.outgoing import Answer, NotReached, Unreached
from wallet_api.openid.tables import CollectionRow, CredentialRow, HolderKeyRow

TABLES = [each.__table__ for each in (HolderKeyRow, CredentialRow, CollectionRow)]
LAN = HolderId("h-lan")
HOST = "https://issuer.example"
ISSUER = f"{HOST}/tenant"
NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
VCT = "https://issuer.example/credentials/student"
PRE = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
SIGNER = EphemeralSigner.generate(ES256)
CERTIFICATE = make_region().certify(Profile.SEAL, SIGNER)


class ForeignIssuer:
    """`Outgoing` to one issuer. Its documents may be changed before they are asked for; `answers` overrides by path."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Mapping[str, str], bytes | None]] = []
        self.answers: dict[str, Any] = {}
        self.claims: dict[str, Any] = {}
        self.header: dict[str, Any] = {}
        self.key: Mapping[str, Any] | None = None  # another one than was proven
        self.signer = SIGNER
        self.request_key = AgreementKey.generate()
        self.waiting = 0  # how often it says "not yet"
        self.alter_credential = lambda text: text
        self.configuration: dict[str, Any] = {
            "format": "dc+sd-jwt",
            "vct": VCT,
            "scope": "student",
            "cryptographic_binding_methods_supported": ["jwk"],
            "proof_types_supported": {"jwt": {"proof_signing_alg_values_supported": ["ES256"]}},
            "credential_metadata": {
                "display": [{"name": "Student card", "locale": "en-GB", "background_color": "#12107C"}],
                "claims": [{"path": ["given_name"], "display": [{"name": "First name", "locale": "en"}]}],
            },
        }
        self.metadata: dict[str, Any] = {
            "credential_issuer": ISSUER,
            "credential_endpoint": f"{HOST}/credential",
            "nonce_endpoint": f"{HOST}/nonce",
            "deferred_credential_endpoint": f"{HOST}/deferred",
            "notification_endpoint": f"{HOST}/notification",
            "display": [{"name": "Example University", "locale": "en"}],
            "credential_configurations_supported": {"student": self.configuration},
        }
        self.server: dict[str, Any] = {
            "issuer": ISSUER,
            "token_endpoint": f"{HOST}/token",
            "grant_types_supported": [PRE],
            "pre-authorized_grant_anonymous_access_supported": True,
        }
        self.offer: dict[str, Any] = {
            "credential_issuer": ISSUER,
            "credential_configuration_ids": ["student"],
            "grants": {PRE: {"pre-authorized_code": "code-1"}},
        }

    @property
    def text(self) -> str:
        from urllib.parse import quote

        return f"openid-credential-offer://?credential_offer={quote(json.dumps(self.offer))}"

    def told(self, path: str) -> list[dict[str, Any]]:
        """What was posted there as JSON."""
        return [json.loads(body or b"null") for _, where, _, body in self.asked if where == path]

    def send(self, method, url, *, headers=None, body=None, most=1 << 20):
        if not url.startswith(HOST):
            raise NotReached(Unreached.UNKNOWN_HOST, url)
        path = url.removeprefix(HOST)
        self.asked.append((method, path, dict(headers or {}), body))
        answer = self.answers.get(path)
        if callable(answer):
            answer = answer(headers, body)
        if answer is None:
            answer = getattr(self, "_" + path.rpartition("/")[2].replace("-", "_"), self._nothing)(headers, body)
        if len(answer.body) > most:
            raise NotReached(Unreached.TOO_LARGE, "issuer.example")
        return answer

    def _nothing(self, headers, body):
        path = self.asked[-1][1]
        if path == "/.well-known/openid-credential-issuer/tenant":
            return json_of(self.metadata)
        if path == "/.well-known/oauth-authorization-server/tenant":
            return json_of(self.server)
        return Answer(404, {}, b"")

    def _token(self, headers, body):
        given = parse_qs((body or b"").decode())
        if given.get("pre-authorized_code") != ["code-1"]:
            return json_of({"error": "invalid_grant"}, 400)
        return json_of({"access_token": "token-1", "token_type": "Bearer"})

    def _nonce(self, headers, body):
        return json_of({"c_nonce": "nonce-1"})

    def _credential(self, headers, body):
        request = self._opened(headers, body)
        keys = [parse_jws(proof).header["jwk"] for proof in request["proofs"]["jwt"]]
        self.pending = keys
        if self.waiting:
            return json_of({"transaction_id": "t-1", "interval": 5}, 202)
        return self._said(request, keys)

    def _deferred(self, headers, body):
        request = self._opened(headers, body)
        self.waiting -= 1
        if self.waiting > 0:
            return json_of({"transaction_id": "t-1", "interval": 5}, 202)
        return self._said(request, self.pending)

    def _notification(self, headers, body):
        return Answer(204, {}, b"")

    def _opened(self, headers, body):
        if headers["Content-Type"] == "application/jwt":
            return json.loads(decrypt_jwe(body, self.request_key)[1])
        return json.loads(body)

    def _said(self, request, keys):
        made = {"credentials": [{"credential": self.credential(key)} for key in keys], "notification_id": "n-1"}
        wanted = request.get("credential_response_encryption")
        if wanted is None:
            return json_of(made)
        token = encrypt_jwe(json.dumps(made).encode(), wanted["jwk"], enc=wanted["enc"])
        return Answer(200, {"content-type": "application/jwt"}, token.encode())

    def credential(self, key: Mapping[str, Any]) -> str:
        claims = {
            "iss": ISSUER,
            "vct": VCT,
            "exp": int((NOW + timedelta(days=90)).timestamp()),
            "given_name": "Erika",
            "family_name": "Mustermann",
            **self.claims,
        }
        header = {"typ": "dc+sd-jwt", "x5c": [b64encode(CERTIFICATE.der).decode()], **self.header}
        header = {name: value for name, value in header.items() if value is not None}
        bound = self.key if self.key is not None else key
        text = issue_sd_jwt(claims, {"given_name"}, signer=self.signer, header=header, holder_key=bound)
        return self.alter_credential(text)

    def signed_metadata(self, **changes: Any) -> str:
        header = {"typ": "openidvci-issuer-metadata+jwt", "x5c": [b64encode(CERTIFICATE.der).decode()]}
        claims = {**self.metadata, "sub": ISSUER, "iat": int(NOW.timestamp()), **changes}
        return sign_jws(header, json.dumps(claims).encode(), self.signer)

    def wants_encryption(self) -> None:
        jwk = self.request_key.encryption_jwk("k1")
        self.metadata["credential_request_encryption"] = {
            "jwks": {"keys": [jwk]},
            "enc_values_supported": ["A128GCM", "A256GCM"],
            "encryption_required": True,
        }
        self.metadata["credential_response_encryption"] = {
            "alg_values_supported": ["ECDH-ES"],
            "enc_values_supported": ["A128GCM"],
            "encryption_required": True,
        }


def json_of(value: Any, status: int = 200, media_type: str = "application/json") -> Answer:
    return Answer(status, {"content-type": media_type}, json.dumps(value).encode())


def keys_of(body: bytes) -> list[dict[str, str]]:
    """The keys that a credential request proves."""
    return [parse_jws(proof).header["jwk"] for proof in json.loads(body)["proofs"]["jwt"]]


class Town:
    """One citizen's wallet and one foreign issuer."""

    def __init__(self) -> None:
        engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
        SQLModel.metadata.create_all(engine, tables=TABLES)
        key = DeploymentKey(bytes(range(32)))
        self.now = NOW
        self.issuer, self.browser = ForeignIssuer(), Browser()
        self.credentials = WalletCredentials(engine, key)
        self.store = CollectingStore(engine, key)
        self.collector = Collector(
            self.issuer, self.store, self.credentials, lambda: self.now, view=lambda: None, origin="https://w.example"
        )

    def start(self, tx_code=None):
        begun = self.collector.begin(LAN, self.issuer.text)
        return self.collector.start(LAN, begun.id, self.browser.keys(self.collector.look(begun).keys), tx_code)

    def finish(self, step):
        return self.collector.finish(LAN, step.collection.id, self.browser.sign(step))

    def collect(self):
        return self.finish(self.start())

    def kept(self):
        return self.credentials.of(LAN)

    def refused(self, work=None) -> Collecting:
        with pytest.raises(CollectingRefused) as caught:
            (work or self.collect)()
        assert self.kept() == (), "something was kept"
        return caught.value.problem

    def events(self) -> list[str]:
        return [each["event"] for each in self.issuer.told("/notification")]
