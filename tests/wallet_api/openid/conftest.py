from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlmodel import SQLModel

from server.database import open_database
from tests.wallet_api.openid.party import Wallet
from wallet_api import tables
from wallet_api.openid import tables as openid

_TABLES = (tables.PresentationRow, tables.AccessRow, openid.HolderKeyRow, openid.CredentialRow, openid.RequestRow)


@pytest.fixture
def wallet() -> Iterator[Wallet]:
    """Lin's wallet on a database in memory."""
    database = open_database("sqlite://")
    SQLModel.metadata.create_all(database, tables=[t.__table__ for t in _TABLES])  # type: ignore[union-attr]
    yield Wallet(database)
    database.dispose()
