"""What all parts of the store share: tables, the deployment key, and how a certificate's content is sealed at rest."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Table, text
from sqlmodel import SQLModel

from issuer import tables
from issuer.errors import HolderErased
from issuer.model import HolderIdentity, HolderKind, Seal
from keys.data_keys import DeploymentKey, open_data, seal_data
from trust_registry.model import IssuerId, Names, SealId, TypeId

DEFAULT_LIST_SIZE = 2**17
CERTIFICATE_SERIES = "certificate"


def _table(row: type[SQLModel]) -> Table:
    return SQLModel.metadata.tables[str(row.__tablename__)]


COUNTERS = _table(tables.CounterRow)
HOLDERS = _table(tables.HolderRow)
SEALS = _table(tables.SealRow)
STATUS_SIGNERS = _table(tables.StatusSignerRow)
STATUS_LISTS = _table(tables.StatusListRow)
CERTIFICATES = _table(tables.CertificateRow)
REQUESTS = _table(tables.RequestRow)
RENDERINGS = _table(tables.RenderingRow)
COPIES = _table(tables.CopyRow)
SEAL_USES = _table(tables.SealUseRow)
WAITING = _table(tables.WaitingRow)
STATUS_CHANGES = _table(tables.StatusChangeRow)


@dataclass(frozen=True, slots=True)
class Content:
    """What a certificate's row seals: all that says whom it is about."""

    claims: Mapping[str, Any]
    holder: HolderIdentity
    holder_key: Mapping[str, Any] | None
    salt: bytes  # of the seal use's digest, so that the log alone can't be searched for people

    def to_bytes(self) -> bytes:
        return json.dumps(
            {
                "claims": dict(self.claims),
                "kind": self.holder.kind.value,
                "number": self.holder.number,
                "name": self.holder.name,
                "holder_key": None if self.holder_key is None else dict(self.holder_key),
                "salt": self.salt.hex(),
            },
            ensure_ascii=False,
            separators=(",", ":"),
        ).encode()

    @staticmethod
    def from_bytes(data: bytes) -> Content:
        fields = json.loads(data)
        holder = HolderIdentity(HolderKind(fields["kind"]), fields["number"], fields["name"])
        return Content(fields["claims"], holder, fields["holder_key"], bytes.fromhex(fields["salt"]))


class StoreBase:
    """One engine, one deployment key; `list_size` is how many entries a new status list has."""

    def __init__(self, engine: Engine, deployment_key: DeploymentKey, *, list_size: int = DEFAULT_LIST_SIZE) -> None:
        self._engine = engine
        self._key = deployment_key
        self._list_size = list_size

    @property
    def engine(self) -> Engine:
        """Where the rows are, for those who keep theirs beside them."""
        return self._engine

    def _lookup(self, kind: HolderKind, number: str) -> bytes:
        return self._key.lookup(f"issuer-holder-{kind.value}", number)

    def _data_key(self, holder_id: str, wrapped: bytes | None) -> bytes:
        """Raises: HolderErased."""
        if wrapped is None:
            raise HolderErased
        return self._key.unwrap(wrapped, holder_id.encode())

    def _open_content(self, data_key: bytes, row_id: int, sealed: bytes) -> Content:
        return Content.from_bytes(open_data(data_key, sealed, content_context(row_id)))


def content_context(row_id: int) -> bytes:
    return f"issuer-certificate:{row_id}".encode()


def rendering_context(row_id: int, kind: str) -> bytes:
    return f"issuer-rendering:{row_id}:{kind}".encode()


def seal_content(data_key: bytes, row_id: int, content: Content) -> bytes:
    return seal_data(data_key, content.to_bytes(), content_context(row_id))


def allocate(connection: Connection, series: str, count: int) -> int:
    """The first of `count` numbers of `series`, never given again. Serialises all that allocate until commit."""
    statement = COUNTERS.update().where(COUNTERS.c.name == series).values(next=COUNTERS.c.next + count)
    after = connection.execute(statement.returning(COUNTERS.c.next)).scalar_one_or_none()
    if after is None:
        # The same text on SQLite and PostgreSQL; whoever comes second updates what the first inserted.
        connection.execute(
            text("INSERT INTO issuer_counters (name, next) VALUES (:name, 1) ON CONFLICT DO NOTHING"), {"name": series}
        )
        after = connection.execute(statement.returning(COUNTERS.c.next)).scalar_one()
    return int(after) - count


def pack_certificates(certificates: Sequence[bytes]) -> str:
    return json.dumps([b64encode(der).decode() for der in certificates])


def unpack_certificates(packed: str) -> tuple[bytes, ...]:
    return tuple(b64decode(der) for der in json.loads(packed))


def seal_of(row: Mapping[str, Any]) -> Seal:
    """The seal in a row of `issuer_seals`."""
    return Seal(
        id=SealId(row["id"]),
        issuer_id=IssuerId(row["issuer_id"]),
        names=Names(row["name_zh"], row["name_en"]),
        image_svg=row["image_svg"],
        scope=frozenset(TypeId(t) for t in json.loads(row["scope"])),
        valid_from=row["valid_from"],
        valid_until=row["valid_until"],
        certificate=row["certificate"],
        chain=unpack_certificates(row["chain"]),
        key_uri=row["key_uri"],
    )
