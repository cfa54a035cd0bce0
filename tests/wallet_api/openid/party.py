"""A relying party that asks wallets, a wallet's browser with its keys, and the wires between them, in memory."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode

from sqlalchemy import Engine

from keys.algorithms import ES256
from keys.custody.software import EphemeralSigner
from keys.data_keys import DeploymentKey
from keys.envelopes.base64url import b64url_decode, b64url_encode
from keys.envelopes.jwe import AgreementKey, decrypt_jwe
from keys.envelopes.jws import sign_jws
from keys.envelopes.mdoc import ValidityInfo, issue_mdoc
from keys.envelopes.sd_jwt import issue_sd_jwt
from keys.envelopes.strict_json import encode_json
from keys.x509 import Certificate, Profile, make_certificate, make_region_ca
from tests.wallet_api.town import GRANTED, HALL, NOON, WEST, Clock, KeptHoldings, Town
from trust_registry.attestations import CertificateId
from trust_registry.edges import HolderId
from trust_registry.mdoc_attestations import CORE, doc_type_of
from trust_registry.model import KeyEntry, KeyUse, RegionCode, TrustView
from wallet_api.openid.copying import Copying, NeedsKeys
from wallet_api.openid.credentials import WalletCredentials
from wallet_api.openid.outgoing import Answer, NotReached, Unreached
from wallet_api.openid.presenting_service import Answered, Choice, PresentingService, Preview
from wallet_api.openid.store import PendingRequests
from wallet_api.openid.uses import Uses

HOST = "hall.xichuan.example"
REQUEST_URI = f"https://{HOST}/openid4vp/requests/abc"
RESPONSE_URI = f"https://{HOST}/openid4vp/responses/abc"
VCT = "urn:yinxin:type:common/marriage-certificate"
DOCTYPE = doc_type_of("common/marriage-certificate")  # type: ignore[arg-type]
SD_QUERY: Mapping[str, Any] = {
    "id": "marriage",
    "format": "dc+sd-jwt",
    "meta": {"vct_values": [VCT]},
    "claims": [
        {"id": "c", "path": ["certificate_id"]},
        {"id": "h", "path": ["holder_name"]},
        {"id": "s", "path": ["spouse_name"]},
        {"id": "x", "path": ["holder_sex"]},
    ],
    "claim_sets": [["c", "h", "s", "x"], ["c", "h", "s"]],
}
MDOC_QUERY: Mapping[str, Any] = {
    "id": "marriage",
    "format": "mso_mdoc",
    "meta": {"doctype_value": DOCTYPE},
    "claims": [{"path": [CORE, "certificate_id"]}, {"path": [DOCTYPE, "holder_name"]}],
}


class CopyingHoldings(KeptHoldings):
    """Holdings that make copies, as an issuer would."""

    def __init__(self, **held: Any) -> None:
        super().__init__(**held)
        self.signer = EphemeralSigner.generate(ES256)
        self.certificate = _authority("Dongling", "990100", self.signer)[0]
        self.made = 0

    def copies(
        self, holder: HolderId, certificate_id: CertificateId, kind: str, keys: Sequence[Mapping[str, Any]]
    ) -> Sequence[str]:
        held = self.one(holder, certificate_id)
        assert held is not None
        self.made += len(keys)
        if kind == "sd_jwt_vc":
            claims = {"vct": VCT, "certificate_id": certificate_id, **held.claims}
            hidden = {"certificate_id", *held.claims}
            x5c = [b64encode(self.certificate.der).decode()]
            return [
                issue_sd_jwt(
                    claims, hidden, signer=self.signer, header={"typ": "dc+sd-jwt", "x5c": x5c}, holder_key=key
                )
                for key in keys
            ]
        elements = {DOCTYPE: dict(held.claims), CORE: {"certificate_id": certificate_id, "issuer_id": held.issuer_id}}
        validity = ValidityInfo(NOON, NOON, NOON + timedelta(days=30))
        return [
            b64url_encode(
                issue_mdoc(
                    DOCTYPE,
                    elements,
                    signer=self.signer,
                    chain=[self.certificate.der],
                    validity=validity,
                    device_key=key,
                )
            ).decode()
            for key in keys
        ]


def _authority(name: str, region: str, signer: EphemeralSigner) -> tuple[Certificate]:
    return (
        make_region_ca(
            signer,
            common_name=f"{name} CA",
            organisation=name,
            region=region,
            not_before=NOON - timedelta(days=300),
            not_after=NOON + timedelta(days=3000),
        ),
    )


class Party:
    """The government hall of Xichuan: its access key, and the requests that it signs."""

    def __init__(self, *, name: str = "西川区政务大厅", ca: str = "Xichuan") -> None:
        self.ca_signer = EphemeralSigner.generate(ES256)
        (self.ca,) = _authority(ca, "990200", self.ca_signer)
        self.signer = EphemeralSigner.generate(ES256)
        self.certificate = make_certificate(
            Profile.ACCESS,
            ca_signer=self.ca_signer,
            ca=self.ca,
            subject_key=self.signer.public_key,
            common_name=name,
            organisation=name,
            uscc=None,
            uri=None,
            not_before=NOON - timedelta(days=30),
            not_after=NOON + timedelta(days=90),
            dns=HOST,
        )
        self.agreement = AgreementKey.generate()
        self.client_id = "x509_hash:" + b64url_encode(hashlib.sha256(self.certificate.der).digest()).decode()
        self.parameters: dict[str, Any] = {
            "response_type": "vp_token",
            "response_mode": "direct_post.jwt",
            "client_id": self.client_id,
            "aud": "https://self-issued.me/v2",
            "iss": "somebody-else",
            "iat": int(NOON.timestamp()),
            "exp": int((NOON + timedelta(minutes=5)).timestamp()),
            "nonce": "n-0S6_WzA2Mj",
            "state": "af0ifjsldkj",
            "response_uri": RESPONSE_URI,
            "dcql_query": {"credentials": [SD_QUERY]},
            "client_metadata": {
                "jwks": {"keys": [self.agreement.encryption_jwk("k1")]},
                "encrypted_response_enc_values_supported": ["A128GCM", "A256GCM"],
                "vp_formats_supported": {"dc+sd-jwt": {"kb-jwt_alg_values": ["ES256"]}},
            },
            "verifier_info": [
                {
                    "format": "yinxin_registration",
                    "data": {"relying_party": HALL, "scenario": "990200/household-transfer"},
                }
            ],
        }

    @property
    def x5c(self) -> list[str]:
        return [b64encode(self.certificate.der).decode()]

    def link(self, *, client_id: str | None = None, **extra: str) -> str:
        return "openid4vp://?" + urlencode(
            {"client_id": client_id or self.parameters["client_id"], "request_uri": REQUEST_URI, **extra}
        )

    def request(self, *, header: Mapping[str, Any] | None = None, signer: EphemeralSigner | None = None) -> str:
        made = {"typ": "oauth-authz-req+jwt", "x5c": self.x5c, **(header or {})}
        return sign_jws(made, encode_json(self.parameters).encode(), signer or self.signer)

    def listed(self, view: TrustView) -> TrustView:
        """The view with this party's access key listed by its region."""
        west = view.lists[WEST]
        entry = _key(KeyUse.ACCESS, self.certificate)
        parties = tuple(replace(p, keys=(entry,)) if p.id == HALL else p for p in west.relying_parties)
        region = replace(west, relying_parties=parties, authorities=(_key(KeyUse.CA, self.ca),))
        lists: dict[RegionCode, Any] = {**view.lists, WEST: region}
        return TrustView(lists, view.signatures, view.metadata_versions, view.refreshed_at, view.expires_at)

    def read(self, body: bytes) -> dict[str, Any]:
        """The response that was posted, decrypted where it is encrypted."""
        form = {name: values[0] for name, values in parse_qs(body.decode(), strict_parsing=True).items()}
        if "response" in form:
            header, plaintext = decrypt_jwe(form["response"], self.agreement)
            assert header["kid"] == "k1"
            return {**json.loads(plaintext), "enc": header["enc"]}
        return {name: json.loads(value) if name == "vp_token" else value for name, value in form.items()}


def _key(use: KeyUse, certificate: Certificate) -> KeyEntry:
    return KeyEntry(use, certificate.der, certificate.thumbprint, GRANTED)


@dataclass
class Sent:
    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None

    @property
    def form(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs((self.body or b"").decode()).items()}


class Wires:
    """`Outgoing` in memory: answers by URL, and what was sent."""

    def __init__(self, party: Party) -> None:
        self.sent: list[Sent] = []
        self.answers: dict[str, Callable[[Sent], Answer]] = {
            REQUEST_URI: lambda sent: _jwt(party.request()),
            RESPONSE_URI: lambda sent: Answer(200, {"content-type": "application/json"}, b"{}"),
        }

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        most: int = 1 << 20,
    ) -> Answer:
        sent = Sent(method, url, headers or {}, body)
        self.sent.append(sent)
        if url not in self.answers:
            raise NotReached(Unreached.UNKNOWN_HOST, "")
        answer = self.answers[url](sent)
        if len(answer.body) > most:
            raise NotReached(Unreached.TOO_LARGE)
        return answer


def _jwt(token: str) -> Answer:
    return Answer(200, {"content-type": "application/oauth-authz-req+jwt"}, token.encode())


class Browser:
    """Device keys, as `wallet-keys.js` keeps them."""

    def __init__(self) -> None:
        self.keys: dict[str, EphemeralSigner] = {}

    def make(self, count: int) -> list[Mapping[str, Any]]:
        made = [EphemeralSigner.generate(ES256) for _ in range(count)]
        self.keys.update({each.public_key.thumbprint(): each for each in made})
        return [each.public_key.jwk() for each in made]


class Wallet:
    """Lin's wallet and her browser, the hall, and what lies between."""

    def __init__(self, engine: Engine) -> None:
        self.town = Town(engine)
        self.clock: Clock = self.town.clock
        self.party = Party()
        self.wires = Wires(self.party)
        self.view = self.party.listed(self.town.view)
        self.holdings = CopyingHoldings(**self.town.holdings.held)
        self.credentials = WalletCredentials(engine, DeploymentKey(bytes(32)))
        self.browser = Browser()
        town = self.town
        town.service._view = lambda: self.view
        self.service = PresentingService(
            pending=PendingRequests(engine, DeploymentKey(bytes(32))),
            credentials=self.credentials,
            certificates=town.service.holdings,
            copying=Copying(self.credentials, self.holdings, self.clock),
            uses=Uses(town.store),
            outgoing=self.wires,
            view=lambda: self.view,
            now=self.clock,
        )
        self.lin = HolderId(str(town.citizen.holder_id))

    def open(self, **extra: str) -> str:
        return self.service.open(self.lin, self.party.link(**extra))

    def look(self, request_id: str) -> Preview:
        return self.service.look(self.lin, request_id)

    def least(self, request_id: str) -> dict[str, Choice]:
        """The first certificate for each query, and what shows least of it."""
        offer = self.look(request_id).offer
        assert offer is not None
        first = {id: each.options[0] for id, each in offer.queries.items() if each.options}
        return {id: Choice(option.id, option.claim_sets[0].number) for id, option in first.items()}

    def consent(
        self, request_id: str, choices: Mapping[str, Choice] | None = None, *, confirmed: bool = False
    ) -> Answered:
        chosen = self.least(request_id) if choices is None else choices
        return self.service.answer(self.lin, request_id, self.sign(request_id, chosen, confirmed=confirmed))

    def sign(self, request_id: str, choices: Mapping[str, Choice], *, confirmed: bool = False) -> list[bytes]:
        keys: list[Mapping[str, Any]] = []
        for _ in range(2):
            needed = self.service.prepare(
                self.lin, request_id, choices, keys=keys, thumbprints=list(self.browser.keys), confirmed=confirmed
            )
            if not isinstance(needed, NeedsKeys):
                return [self.browser.keys[each.thumbprint].sign(each.data) for each in needed]
            keys = self.browser.make(needed.count)
        raise AssertionError("the wallet keeps asking for keys")

    @property
    def answered(self) -> dict[str, Any]:
        """What the hall received last."""
        last = next(each for each in reversed(self.wires.sent) if each.url == RESPONSE_URI)
        return self.party.read(last.body or b"")


def at(minutes: float) -> datetime:
    return datetime.fromtimestamp(NOON.timestamp() + 60 * minutes, UTC)


def decoded(text: str) -> bytes:
    return b64url_decode(text.encode())
