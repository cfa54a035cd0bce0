"""A credential issuer for wallets' stories: an office with its protocol endpoints, and a wallet that asks them."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

from fastapi import FastAPI
from starlette.testclient import TestClient

from issuer.model import RenderingKind
from issuer.openid4vci import routes
from issuer.openid4vci.model import Tenant, configuration_id
from issuer.openid4vci.service import Openid4vci
from keys.algorithms import ES256
from keys.envelopes.jws import sign_jws
from keys.model import Algorithm
from keys.signer import EphemeralSigner, Signer
from keys.x509 import Certificate, Profile, make_certificate, make_region_ca
from server.openid4vci import build_openid4vci
from server.settings import Settings
from tests.issuer.office import (
    DAY,
    DAY_0,
    EAST,
    HOUSEHOLD,
    MARRIAGE,
    OFFICE,
    OTHER_OFFICE,
    Office,
    open_office,
)
from trust_registry.attestations import CertificateId
from trust_registry.edges import AccountId, Edge, HolderId
from trust_registry.model import CertificateType, TypeId

ORIGIN = "https://east.example"
ISSUER = f"{ORIGIN}/issuers/{OFFICE}"
OTHER_ISSUER = f"{ORIGIN}/issuers/{OTHER_OFFICE}"
SD_JWT = configuration_id(MARRIAGE, RenderingKind.SD_JWT_VC)
MDOC = configuration_id(MARRIAGE, RenderingKind.MDOC)
PRE_AUTHORIZED = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
REGISTER_CLAIMS = {"household_number": "H990100-0001"}


class WalletProvider:
    """A CA, and the wallet provider that it certifies, which attests keys."""

    def __init__(self) -> None:
        self.ca_signer, self.signer = EphemeralSigner.generate(ES256), EphemeralSigner.generate(ES256)
        start, end = DAY_0 - 400 * DAY, DAY_0 + 4000 * DAY
        self.ca: Certificate = make_region_ca(
            self.ca_signer, common_name="Wallets", organisation="Wallets", region=EAST, not_before=start, not_after=end
        )
        self.certificate = make_certificate(
            Profile.STATUS,
            ca_signer=self.ca_signer,
            ca=self.ca,
            subject_key=self.signer.public_key,
            common_name="provider",
            organisation="Wallets",
            uscc="11990100MB0000001X",
            uri=None,
            not_before=start,
            not_after=end,
        )

    def attest(self, keys: Sequence[Signer], *, header: Mapping[str, Any] | None = None, **claims: Any) -> str:
        """A key attestation; `claims` set to None are left out."""
        body = {
            "iat": int(DAY_0.timestamp()),
            "exp": int((DAY_0 + DAY).timestamp()),
            "attested_keys": [key.public_key.jwk() for key in keys],
            "key_storage": ["iso_18045_high"],
            **claims,
        }
        chain = [b64encode(self.certificate.der).decode()]
        full = {"typ": "key-attestation+jwt", "x5c": chain, **(header or {})}
        return sign_jws(full, _json({k: v for k, v in body.items() if v is not None}), self.signer)


class Issuing:
    """The office, its endpoints behind a client, and shortcuts for a wallet's steps."""

    def __init__(self, office: Office, folder: Path, provider: WalletProvider) -> None:
        self.office, self.provider, self.folder = office, provider, folder
        anchors = folder / "wallet-providers.pem"
        anchors.write_bytes(provider.ca.pem())
        self.settings = settings = Settings(data=folder, public_url=ORIGIN)
        opened = SimpleNamespace(
            settings=settings, engine=office.engine, now=office.clock, signers=office.signer, keeper=None
        )
        self.service: Openid4vci = build_openid4vci(cast("Any", opened), office.service)
        app = FastAPI()
        edge = Edge(
            render=cast("Any", None),
            require=cast("Any", None),
            visitor=cast("Any", None),
            now=office.clock,
            language=lambda _: "en",
        )
        app.include_router(routes.router(self.service, edge))
        self.client = TestClient(app, base_url=ORIGIN)
        self._certificates = 0

    @property
    def tenant(self) -> Tenant:
        found = self.service.tenants.find(OFFICE)
        assert found is not None
        return found

    def certificate(self, **changes: Any) -> tuple[CertificateId, HolderId]:
        """A fresh marriage certificate, and its holder."""
        self._certificates += 1
        request = replace(self.office.request_for(100 + self._certificates), **changes)
        issued = self.office.service.issue(request).summary.certificate_id
        return issued, self.office.service.holder(request.holder)

    def under_dual_control(self, *type_ids: TypeId) -> None:
        types: tuple[CertificateType, ...] = self.office.types
        self.office.types = tuple(replace(each, dual_control=each.id in type_ids) for each in types)

    def token(
        self,
        made: tuple[CertificateId, HolderId] | None = None,
        *,
        approved: bool = True,
        kinds: Sequence[RenderingKind] = (RenderingKind.SD_JWT_VC, RenderingKind.MDOC),
        **form: str,
    ) -> dict[str, Any]:
        """The token response for a new offer of the certificate."""
        certificate_id, holder_id = made or self.certificate()
        offer = self.service.offers.make(
            tenant=self.tenant,
            holder_id=holder_id,
            certificate_id=certificate_id,
            made_by=AccountId("clerk-lin"),
            kinds=kinds,
            with_pin=False,
            approved=approved,
        )
        document = json.loads(parse_qs(urlsplit(offer.by_value).query)["credential_offer"][0])
        code = document["grants"][PRE_AUTHORIZED]["pre-authorized_code"]
        answer = self.client.post(
            f"{ISSUER}/token", data={"grant_type": PRE_AUTHORIZED, "pre-authorized_code": code, **form}
        )
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def nonce(self, issuer: str = ISSUER) -> str:
        found: str = self.client.post(f"{issuer}/nonce").json()["c_nonce"]
        return found

    def ask(self, token: str | None, request: Any, path: str = "credential", **headers: str) -> Any:
        """The answer to a JSON request; `request` as bytes is sent as it is."""
        body = request if isinstance(request, bytes) else _json(request)
        given = {"content-type": "application/json"}
        if token is not None:
            given["authorization"] = f"Bearer {token}"
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post(f"{ISSUER}/{path}", content=body, headers=given)

    def proof(self, signer: Signer | None = None, *, header: Mapping[str, Any] | None = None, **claims: Any) -> str:
        """A key proof to this issuer with a fresh nonce; header members and claims that are None are left out."""
        signer = signer or new_key()
        nonce = claims.pop("nonce") if "nonce" in claims else self.nonce()
        at = int(self.office.clock().timestamp())
        full = {"typ": "openid4vci-proof+jwt", "jwk": signer.public_key.jwk(), **(header or {})}
        body = {"aud": ISSUER, "iat": at, "nonce": nonce, **claims}
        kept = {name: value for name, value in body.items() if value is not None}
        return sign_jws({name: value for name, value in full.items() if value is not None}, _json(kept), signer)

    def request(self, configuration: str = SD_JWT, **changes: Any) -> dict[str, Any]:
        """A whole credential request with one proof; parameters that are None are left out."""
        whole: dict[str, Any] = {"credential_configuration_id": configuration}
        if "proofs" not in changes:
            whole["proofs"] = {"jwt": [self.proof()]}
        return {name: value for name, value in (whole | changes).items() if value is not None}

    def later(self, **by: float) -> None:
        self.office.clock.turn(timedelta(**by))


def new_key(algorithm: Algorithm = ES256) -> EphemeralSigner:
    return EphemeralSigner.generate(algorithm)


def error_of(answer: Any, status: int = 400) -> str:
    """The error code of a refusal, once its form is that of the specification (section 8.3.1.2)."""
    assert answer.status_code == status, (answer.status_code, answer.text)
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["access-control-allow-origin"] == "*"
    document = answer.json()
    assert set(document) <= {"error", "error_description"}
    allowed = {*range(0x20, 0x22), *range(0x23, 0x5C), *range(0x5D, 0x7F)}
    assert {ord(letter) for letter in document["error_description"]} <= allowed
    found: str = document["error"]
    return found


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


@contextmanager
def open_issuing(folder: Path) -> Iterator[Issuing]:
    with open_office(f"sqlite:///{folder}/issuer.db", folder / "status", durable=False) as office:
        yield Issuing(office, folder, WalletProvider())


__all__ = ["HOUSEHOLD", "Issuing", "WalletProvider", "open_issuing"]
