"""OpenID4VCI 1.0 chapter 4: credential offers, by value and by reference."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select

from issuer.errors import CertificateNotFound
from issuer.model import RenderingKind
from issuer.openid4vci.offers import LIFE, OfferState, offer_id_of
from issuer.openid4vci.store import OFFERS
from tests.issuer.office import OTHER_OFFICE
from tests.issuer.openid4vci.as_world import Wallet, address_of, code_of, document_of
from tests.issuer.openid4vci.credential_world import (
    ISSUER,
    MDOC,
    OTHER_ISSUER,
    PRE_AUTHORIZED,
    SD_JWT,
    Issuing,
    error_of,
)
from trust_registry.edges import AccountId


@pytest.fixture
def wallet(issuing: Issuing) -> Wallet:
    return Wallet(issuing)


def state(wallet: Wallet, offer_id: str) -> OfferState:
    return wallet.issuing.service.offers.state(offer_id)


def test_an_offer_names_issuer_configurations_and_grant(wallet: Wallet) -> None:
    """4.1.1: credential_issuer, unique credential_configuration_ids, grants with the pre-authorized code."""
    offer = wallet.offer()
    document = document_of(offer)
    assert document["credential_issuer"] == ISSUER
    assert document["credential_configuration_ids"] == [SD_JWT, MDOC]
    assert set(document["grants"]) == {PRE_AUTHORIZED}
    assert set(document["grants"][PRE_AUTHORIZED]) == {"pre-authorized_code"}
    assert len(code_of(offer)) >= 43, "256 bits"
    offered = [wallet.tenant.configuration(each) for each in document["credential_configuration_ids"]]
    assert [each and each.format for each in offered] == ["dc+sd-jwt", "mso_mdoc"]
    assert offer.expires_at == wallet.issuing.office.clock() + LIFE


def test_a_link_has_one_parameter_only(wallet: Wallet) -> None:
    """4.1: credential_offer and credential_offer_uri never together."""
    offer = wallet.offer()
    assert urlsplit(offer.by_value).scheme == urlsplit(offer.by_reference).scheme == "openid-credential-offer"
    assert offer.by_value.count("credential_offer=") == 1
    assert "credential_offer_uri" not in offer.by_value
    assert offer.by_reference.count("=") == 1


def test_an_offer_by_reference_is_the_same_as_json(wallet: Wallet) -> None:
    """4.1.3: media type application/json, to be had by GET; nobody keeps it."""
    offer = wallet.offer()
    answer = wallet.issuing.client.get(address_of(offer))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.json() == document_of(offer)
    assert wallet.issuing.client.get(address_of(offer)).json() == answer.json(), "until it is taken"


def test_each_offer_has_an_address_and_a_code_of_its_own(wallet: Wallet) -> None:
    made = wallet.issuing.certificate()
    offers = [wallet.offer(made) for _ in range(4)]
    assert len({address_of(each) for each in offers} | {code_of(each) for each in offers}) == 8


def test_an_unknown_taken_cancelled_or_expired_offer_is_not_there(wallet: Wallet) -> None:
    client = wallet.issuing.client
    taken, cancelled, expired = (wallet.offer() for _ in range(3))
    assert wallet.redeem(taken).status_code == 200
    wallet.issuing.service.offers.cancel(cancelled.id)
    assert error_of(client.get(f"{ISSUER}/offers/unknown"), 404) == "not_found"
    for gone in (taken, cancelled):
        assert error_of(client.get(address_of(gone)), 404) == "not_found"
    assert client.get(address_of(expired)).status_code == 200
    wallet.later(seconds=LIFE.total_seconds())
    assert error_of(client.get(address_of(expired)), 404) == "not_found"


def test_an_offer_of_another_issuer_is_not_there(wallet: Wallet) -> None:
    offer = wallet.offer()
    elsewhere = address_of(offer).replace(ISSUER, OTHER_ISSUER)
    assert wallet.issuing.client.get(elsewhere).status_code == 404
    assert wallet.issuing.client.get(address_of(offer)).status_code == 200


def test_its_maker_sees_what_became_of_an_offer(wallet: Wallet) -> None:
    offers = wallet.issuing.service.offers
    taken, cancelled, expired = (wallet.offer() for _ in range(3))
    assert state(wallet, taken.id) is OfferState.OPEN
    assert wallet.redeem(taken).status_code == 200
    offers.cancel(cancelled.id)
    offers.cancel(taken.id)
    assert state(wallet, taken.id) is OfferState.TAKEN, "what was taken can't be cancelled"
    rows = [wallet.issuing.service.store.offer(each.id) for each in (taken, cancelled)]
    assert [bool(row and row["grant_id"]) for row in rows] == [True, False], "what came of it"
    wallet.later(minutes=10)
    found = [state(wallet, each) for each in (taken.id, cancelled.id, expired.id, "unknown")]
    assert found == [OfferState.TAKEN, OfferState.CANCELLED, OfferState.EXPIRED, OfferState.EXPIRED]


def test_a_transaction_code_is_described_and_not_told(wallet: Wallet) -> None:
    """4.1.1: tx_code with input_mode, length and a description of at most 300 characters, in the wallet's language."""
    offer = wallet.offer(with_pin=True)
    pin = offer.tx_code
    assert pin is not None
    assert len(pin) == 6
    assert pin.isdigit()
    wanted = document_of(offer)["grants"][PRE_AUTHORIZED]["tx_code"]
    assert (wanted["input_mode"], wanted["length"]) == ("numeric", 6)
    assert 0 < len(wanted["description"]) <= 300
    assert pin not in offer.by_value
    assert pin not in wallet.issuing.client.get(address_of(offer)).text


def test_an_offer_for_the_authorization_code_flow_has_an_issuer_state(wallet: Wallet) -> None:
    """4.1.1: grant type authorization_code; the offer's address is not what is in it."""
    offer = wallet.offer(grant="authorization_code", with_pin=True)
    (name, value), *none = document_of(offer)["grants"].items()
    assert (name, set(value), none) == ("authorization_code", {"issuer_state"}, [])
    assert offer.tx_code is None
    assert error_of(wallet.redeem(value["issuer_state"])) == "invalid_grant", "no pre-authorized code"


def test_the_database_holds_neither_address_nor_code_nor_transaction_code(wallet: Wallet) -> None:
    offer = wallet.offer(with_pin=True)
    with wallet.issuing.service.store.engine.connect() as connection:
        row = connection.execute(select(OFFERS).where(OFFERS.c.id == offer.id)).one()
    told = repr(tuple(row))
    assert offer.tx_code is not None
    address = address_of(offer).rpartition("/")[2]
    assert offer.id == offer_id_of(address)
    for secret in (address, code_of(offer)):
        assert secret not in told
    assert offer.tx_code.encode() not in row.pin


def test_nobody_offers_what_another_office_issued_or_what_is_not_made(wallet: Wallet) -> None:
    made = wallet.issuing.certificate()
    other = wallet.issuing.service.tenants.find(OTHER_OFFICE)
    assert other is not None
    with pytest.raises(CertificateNotFound):
        wallet.offer(made, tenant=other)
    for kinds in ((), (RenderingKind.PDF,)):
        with pytest.raises(CertificateNotFound):
            wallet.issuing.service.offers.make(
                tenant=wallet.tenant,
                holder_id=made[1],
                certificate_id=made[0],
                made_by=AccountId("clerk-lin"),
                kinds=kinds,
                with_pin=False,
                approved=True,
            )


def test_an_offer_outlives_a_restart(wallet: Wallet) -> None:
    """Another process, with the same database and deployment key, tells and redeems it."""
    offer = wallet.offer(with_pin=True)
    again = Issuing(wallet.issuing.office, wallet.issuing.folder, wallet.issuing.provider)
    told = again.client.get(address_of(offer)).json()["grants"][PRE_AUTHORIZED]["pre-authorized_code"]
    assert told == code_of(offer)
    assert Wallet(again).redeem(offer, tx_code=offer.tx_code).status_code == 200
    assert state(wallet, offer.id) is OfferState.TAKEN


def test_preflight_of_scripts_is_answered(wallet: Wallet) -> None:
    for path, method in (("offers/x", "GET"), ("token", "POST"), ("par", "POST")):
        asked = {"origin": "https://wallet.example", "access-control-request-method": method}
        answer = wallet.issuing.client.options(f"{ISSUER}/{path}", headers=asked)
        assert answer.status_code == 204
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["access-control-allow-methods"] == method
        assert "dpop" in answer.headers["access-control-allow-headers"].lower()


def test_an_office_that_is_none_has_no_endpoints(wallet: Wallet) -> None:
    answer = wallet.issuing.client.get(address_of(wallet.offer()).replace("civil-affairs", "nobody"))
    assert error_of(answer, 404) == "not_found"
    assert timedelta(0) < LIFE <= timedelta(minutes=15), "short lived"
