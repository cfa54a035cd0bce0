"""Erasing a person: what an attacker finds who has the whole data folder and the deployment key afterwards."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

import wallet_api.tables  # noqa: F401 - registers the wallet's tables
from issuer.model import HolderKind
from issuer.store.base import CERTIFICATES, HOLDERS, RENDERINGS
from server.erasing import erase_holder
from tests.issuer.office import NUMBER, Office, open_office
from trust_registry.model import RelyingPartyId
from wallet_api.model import Presentation, PresentationId, PresentationState
from wallet_api.store import WalletStore

HALL = RelyingPartyId("990200/government-hall")


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with open_office(f"sqlite:///{tmp_path}/data/issuer.db", tmp_path / "status") as opened:
        yield opened


def test_no_key_of_an_erased_holder_is_left_in_the_database_or_its_log(office: Office, tmp_path: Path) -> None:
    """The attack: the wrapped key in an old page of the log, the deployment key, and the ciphertext beside it."""
    office.service.issue(office.request_for(7))
    office.service.issue(office.request())
    holder = office.service.find_holder(HolderKind.CITIZEN, NUMBER)
    assert holder is not None
    with office.engine.connect() as connection:
        wrapped = connection.execute(select(HOLDERS.c.wrapped_key).where(HOLDERS.c.id == holder)).scalar_one()
        mine = select(CERTIFICATES.c.id).where(CERTIFICATES.c.holder_id == holder)
        of_mine = RENDERINGS.c.certificate.in_(mine)
        renderings = list(connection.execute(select(RENDERINGS.c.content).where(of_mine)).scalars())
    assert renderings
    assert wrapped in _everything(tmp_path)
    erase_holder(office.service, holder)
    left = _everything(tmp_path)
    assert wrapped not in left
    assert not [content for content in renderings if content[:64] in left]


def test_the_wallets_log_about_an_erased_holder_is_gone(office: Office) -> None:
    summary = office.service.issue(office.request()).summary
    holder = office.service.find_holder(HolderKind.CITIZEN, NUMBER)
    assert holder is not None
    wallet, now = WalletStore(office.engine), office.clock()
    shown = Presentation(
        PresentationId("p1"),
        holder,
        summary.certificate_id,
        ("holder_name",),
        None,
        now,
        now.replace(year=now.year + 1),
        PresentationState.WAITING,
    )
    wallet.add(shown, type_id=summary.type_id, code_digest=b"d" * 32)
    assert wallet.take(shown.id, HALL, None, now)
    assert wallet.accesses(holder)
    erase_holder(office.service, holder)
    assert wallet.accesses(holder) == ()
    assert wallet.by_id(shown.id) is None


def test_the_database_is_its_owners_alone(office: Office, tmp_path: Path) -> None:
    """Password hashes, who holds what, who read what: not for other accounts of the same machine."""
    office.service.issue(office.request())
    files = list((tmp_path / "data").iterdir())
    assert {"issuer.db", "issuer.db-wal"} <= {file.name for file in files}
    assert [f"{file.name} {os.stat(file).st_mode & 0o777:o}" for file in files if file.stat().st_mode & 0o077] == []


def _everything(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())
