"""Whole collections: from an offer as text to credentials that the wallet keeps, with keys that stay in the browser."""

from __future__ import annotations

from datetime import timedelta

import pytest

from keys.envelopes.sd_jwt import parse_sd_jwt
from tests.server.real_house import RealHouse, built
from tests.wallet_api.openid.collecting_world import Wallet
from wallet_api.openid.collecting_errors import Collecting, CollectingRefused, IssuerRefused
from wallet_api.openid.collecting_store import CollectionState
from wallet_api.openid.credentials import CredentialFormat


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> RealHouse:
    return built(tmp_path_factory)


@pytest.fixture
def wallet(house: RealHouse) -> Wallet:
    return Wallet(house)


def test_an_offer_by_reference_is_collected_in_both_formats(wallet: Wallet) -> None:
    step = wallet.collect(wallet.offer().by_reference)
    assert step.collection.state is CollectionState.DONE
    kept = [wallet.credentials.get(wallet.holder, each) for each in step.kept]
    assert {each.format for each in kept} == set(CredentialFormat)
    assert all(each.key_thumbprint in wallet.browser.signers for each in kept)
    assert len({each.key_thumbprint for each in kept}) == len(kept), "a key is for one credential"
    assert {each.names.zh for each in kept} == {"结婚证"}
    assert not kept[0].own
