"""Keeping receipts: the only code that sees rows. Append-only; nothing here changes or judges a receipt."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Row, insert, select

from trust_registry.model import RelyingPartyId
from verifier.errors import ReceiptNotFound
from verifier.model import Indication, Receipt
from verifier.tables import ReceiptRow

_TABLE = ReceiptRow.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class KeptReceipt:
    """A receipt in the store: who filed it, when, what was decided, and the signed text."""

    id: str
    relying_party: RelyingPartyId
    issued_at: datetime
    evidence: str
    indication: Indication
    token: str


class ReceiptStore:
    """Receipts by id and by relying party."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def keep(self, receipt: Receipt, token: str) -> None:
        """Store a signed receipt; durable when this returns."""
        with self._engine.begin() as connection:
            connection.execute(
                insert(_TABLE).values(
                    id=receipt.id,
                    relying_party=receipt.relying_party,
                    issued_at=receipt.issued_at,
                    evidence=receipt.evidence,
                    indication=receipt.report["indication"],
                    token=token,
                )
            )

    def get(self, receipt_id: str) -> KeptReceipt:
        """Raises: ReceiptNotFound."""
        with self._engine.connect() as connection:
            row = connection.execute(select(_TABLE).where(_TABLE.c.id == receipt_id)).one_or_none()
        if row is None:
            raise ReceiptNotFound(receipt_id)
        return _kept(row)

    def of(self, relying_party: RelyingPartyId, *, limit: int = 100) -> list[KeptReceipt]:
        """The latest receipts of one relying party, newest first."""
        query = (
            select(_TABLE)
            .where(_TABLE.c.relying_party == relying_party)
            .order_by(_TABLE.c.issued_at.desc(), _TABLE.c.id)
            .limit(limit)
        )
        with self._engine.connect() as connection:
            return [_kept(row) for row in connection.execute(query)]


def _kept(row: Row[Any]) -> KeptReceipt:
    return KeptReceipt(
        row.id,
        RelyingPartyId(row.relying_party),
        row.issued_at,
        row.evidence,
        Indication(row.indication),
        row.token,
    )
