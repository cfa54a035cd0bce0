"""Wallets' requests at the real desk: asked over the protocol, decided in pages, collected over the protocol."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from issuer.openid4vci.offers import PRE_AUTHORIZED
from issuer.openid4vci.service import Openid4vci
from issuer.service import IssuerService
from keys.algorithms import ES256
from keys.envelopes.jws import sign_jws
from keys.signer import EphemeralSigner
from server.demo.people import PEOPLE
from tests.server.real_house import CIVIL_AFFAIRS, ORIGIN, START, RealHouse, built
from trust_registry.attestations import CertificateId
from trust_registry.catalogue import MARRIAGE_CERTIFICATE
from trust_registry.edges import AccountId, HolderId
from trust_registry.model import CertificateStatus

CLERK, OTHER_OFFICE, CITIZEN = "clerk.minzheng", "clerk.gongan", "lin.xiao"
ISSUER = f"{ORIGIN}/issuers/{CIVIL_AFFAIRS}"
CONFIGURATION = "common.marriage-certificate.sd_jwt_vc"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealHouse]:
    """Marriage certificates take two people; those of the demonstration were issued before."""
    made = built(tmp_path_factory)
    tenants = made.house.protocols["issuer.openid4vci"].tenants
    types: Any = made.view.types
    before = types[MARRIAGE_CERTIFICATE]
    types[MARRIAGE_CERTIFICATE] = replace(before, dual_control=True)
    tenants.forget()  # what it knows of a view, which nobody else changes
    yield made
    types[MARRIAGE_CERTIFICATE] = before
    tenants.forget()


def _held(issuer: IssuerService) -> tuple[HolderId, CertificateId]:
    """A marriage certificate of the office that stands, and who holds it."""
    for person in PEOPLE:
        holder = issuer.find_holder(person.kind, person.number)
        for held in () if holder is None else issuer.held(holder):
            of_office = (held.attestation.issuer_id, held.attestation.type_id) == (CIVIL_AFFAIRS, MARRIAGE_CERTIFICATE)
            if holder is not None and of_office and held.status is CertificateStatus.VALID:
                return holder, held.attestation.certificate_id
    raise AssertionError("nobody in the demonstration is married")


class Wallet:
    """A citizen's wallet that has asked, and waits."""

    def __init__(self, house: RealHouse) -> None:
        self.client = house.client()
        service: Openid4vci = house.house.protocols["issuer.openid4vci"]
        issuer = service.issuer
        holder_id, certificate_id = _held(issuer)
        self.certificate = issuer.certificate(certificate_id)
        tenant = service.tenants.find(CIVIL_AFFAIRS)
        assert tenant is not None
        offer = service.offers.make(
            tenant=tenant,
            holder_id=holder_id,
            certificate_id=certificate_id,
            made_by=AccountId("citizen.lin"),
            with_pin=False,
            approved=False,
        )
        document = json.loads(parse_qs(urlsplit(offer.by_value).query)["credential_offer"][0])
        code = document["grants"][PRE_AUTHORIZED]["pre-authorized_code"]
        form = {"grant_type": PRE_AUTHORIZED, "pre-authorized_code": code}
        self.token = self.client.post(f"{ISSUER}/token", data=form).json()["access_token"]
        answer = self.ask("credential", self._request())
        assert answer.status_code == 202, answer.text
        self.transaction = answer.json()["transaction_id"]
        lines = house.signed_in(CLERK).get("/desk/wallet-requests").text.split("/desk/wallet-requests/")
        self.page = "/desk/wallet-requests/" + lines[1].partition('"')[0]

    def _request(self) -> dict[str, Any]:
        key = EphemeralSigner.generate(ES256)
        nonce = self.client.post(f"{ISSUER}/nonce").json()["c_nonce"]
        claims = {"aud": ISSUER, "iat": int(START.timestamp()), "nonce": nonce}
        header = {"typ": "openid4vci-proof+jwt", "jwk": key.public_key.jwk()}
        proof = sign_jws(header, json.dumps(claims).encode(), key)
        return {"credential_configuration_id": CONFIGURATION, "proofs": {"jwt": [proof]}}

    def ask(self, path: str, request: dict[str, Any]) -> Any:
        return self.client.post(f"{ISSUER}/{path}", json=request, headers={"authorization": f"Bearer {self.token}"})

    def collect(self) -> Any:
        return self.ask("deferred_credential", {"transaction_id": self.transaction})


def test_a_clerk_reads_who_asks_for_what_and_approves(house: RealHouse) -> None:
    wallet, clerk = Wallet(house), house.signed_in(CLERK)
    listed = clerk.get("/desk/wallet-requests").text
    assert "钱包申请 (1)" in listed
    assert wallet.certificate.holder_masked in listed
    shown = clerk.get(wallet.page)
    assert shown.headers["cache-control"] == "private, no-store"
    assert wallet.certificate.holder_masked in shown.text
    assert "SD-JWT VC" in shown.text
    assert wallet.collect().status_code == 202
    landed = clerk.post(wallet.page, data={"step": "approve"})
    assert landed.status_code == 200
    assert "已同意，等钱包领取" in landed.text
    collected = wallet.collect()
    assert collected.status_code == 200
    listed = clerk.get("/desk/wallet-requests").text
    assert "已领取" in listed
    assert "(1)" not in listed


def test_a_clerk_refuses_with_a_reason(house: RealHouse) -> None:
    wallet, clerk = Wallet(house), house.signed_in(CLERK)
    for reason in ({}, {"reason": "because"}):
        answer = clerk.post(wallet.page, data={"step": "refuse", **reason}, headers={"accept": "text/html"})
        assert answer.status_code == 422
        assert "请选择拒绝的原因" in answer.text
    landed = clerk.post(wallet.page, data={"step": "refuse", "reason": "not_the_holder"})
    assert "持证人说不是本人申请" in landed.text
    denied = wallet.collect()
    assert (denied.status_code, denied.json()["error"]) == (400, "credential_request_denied")
    again = clerk.post(wallet.page, data={"step": "approve"})
    assert again.status_code == 409
    assert "刚刚已经办结" in again.text


def test_both_languages_are_whole(house: RealHouse) -> None:
    wallet = Wallet(house)
    clerk = house.client()
    clerk.cookies.update(house.signed_in(CLERK).cookies)
    clerk.cookies.set("lang", "en")
    assert "Wallet requests (" in clerk.get("/desk/wallet-requests").text
    assert "Approve: let the wallet collect" in clerk.get(wallet.page).text


def test_another_office_and_a_citizen_reach_nothing(house: RealHouse) -> None:
    wallet = Wallet(house)
    other = house.signed_in(OTHER_OFFICE)
    assert wallet.page not in other.get("/desk/wallet-requests").text
    for way in (other.get(wallet.page), other.post(wallet.page, data={"step": "approve"})):
        assert way.status_code == 404
    assert house.signed_in(CITIZEN).get(wallet.page).status_code == 403
    assert wallet.collect().status_code == 202
