"""What the wallet keeps for keys in the browser: sealed, the holder's alone, each use counted once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine, text

from keys.data_keys import DeploymentKey
from tests.wallet_api.town import NOON as NOW
from trust_registry.edges import HolderId
from trust_registry.model import Names
from wallet_api.openid.credentials import CredentialFormat, WalletCredential, WalletCredentials, new_id

LAN, MO = HolderId("h-lan"), HolderId("h-mo")
DEGREE = WalletCredential(
    id="",
    holder_id=LAN,
    format=CredentialFormat.SD_JWT_VC,
    key_thumbprint="k1",
    type="https://university.example/degree",
    names=Names("学位证书", "Degree"),
    hue="#1f3a5f",
    issuer=Names("某大学", "A university"),
    source="https://university.example",
    own=False,
    batch="b1",
    collected_at=NOW,
    used=0,
    content="eyJ.secret.content~",
)


@pytest.fixture
def kept(engine: Engine) -> WalletCredentials:
    return WalletCredentials(engine, DeploymentKey(bytes(32)))


def degree(**changes: Any) -> WalletCredential:
    return replace(DEGREE, id=new_id(), **changes)


def test_what_was_kept_is_found_by_its_holder_and_its_key(kept: WalletCredentials) -> None:
    first, second = degree(), degree(key_thumbprint="k2")
    kept.add_many([first, second])
    assert set(kept.of(LAN)) == {first, second}
    assert kept.of(LAN, {"k2", "k9"}) == (second,)
    assert kept.get(LAN, first.id) == first
    assert kept.of(MO) == ()
    assert kept.get(MO, first.id) is None


def test_nothing_that_describes_a_person_is_readable_in_the_row(kept: WalletCredentials, engine: Engine) -> None:
    kept.add_many([degree()])
    with engine.connect() as connection:
        row = repr(connection.execute(text("SELECT * FROM wallet_credentials")).one())
    for word in ("university", "学位", "secret", "b1'"):
        assert word not in row


def test_a_copy_is_used_once_even_when_two_ask(kept: WalletCredentials) -> None:
    one = degree()
    kept.add_many([one])
    assert kept.mark_used(LAN, one.id, was=0)
    assert not kept.mark_used(LAN, one.id, was=0)
    assert not kept.mark_used(MO, one.id, was=1)
    found = kept.get(LAN, one.id)
    assert found is not None
    assert found.used == 1


def test_others_cannot_forget_it_and_erasing_takes_all(kept: WalletCredentials) -> None:
    mine, theirs = degree(), degree(holder_id=MO)
    kept.add_many([mine, theirs])
    assert kept.forget(MO, [mine.id]) == 0
    assert kept.forget(LAN, [mine.id]) == 1
    kept.forget_holder(MO)
    assert kept.of(MO) == ()
    kept.add_many([degree(holder_id=MO)])  # who comes back gets a new key
    assert len(kept.of(MO)) == 1
