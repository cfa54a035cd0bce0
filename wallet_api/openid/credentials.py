"""Credentials that the wallet keeps for keys in the citizen's browser: the noun, and the only code that sees its rows.

Collecting fills it, presenting uses it. Neither a private key nor a judgement on what is kept is here.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from sqlalchemy import Engine, Table, delete, insert, select, update

from keys.data_keys import DeploymentKey
from trust_registry.edges import HolderId
from trust_registry.model import Names
from wallet_api.openid.sealing import HolderData, forget_holder
from wallet_api.openid.tables import CredentialRow

_CREDENTIALS: Table = CredentialRow.__table__  # type: ignore[attr-defined]
_ID_BYTES = 12


class CredentialFormat(Enum):
    """Credential format identifiers. Spec: OpenID4VP 1.0 appendices B.2 and B.3."""

    SD_JWT_VC = "dc+sd-jwt"
    MDOC = "mso_mdoc"

    @property
    def title(self) -> str:
        """What people call it."""
        return "SD-JWT VC" if self is CredentialFormat.SD_JWT_VC else "mdoc"


@dataclass(frozen=True, slots=True)
class WalletCredential:
    """One credential, usable with one key.

    `type`: its vct or doctype. `names` and `issuer`: what to call it and who issued it, on pages. `hue`: "#rrggbb", or
    "" when no colour is known. `source`: the certificate's id where `own` (this house issued it), else the credential
    issuer's identifier. `batch`: equal for the copies of one credential that were collected together. `content`: the
    compact SD-JWT, or IssuerSigned in base64url. `used`: how many presentations it was in. `labels`: what the issuer
    calls its claims, by their paths joined with "/"; only for those of types that no list defines.
    """

    id: str
    holder_id: HolderId
    format: CredentialFormat
    key_thumbprint: str  # RFC 7638, SHA-256, base64url
    type: str
    names: Names
    hue: str
    issuer: Names
    source: str
    own: bool
    batch: str
    collected_at: datetime
    used: int
    content: str
    labels: tuple[tuple[str, Names], ...] = ()


def new_id() -> str:
    """An id for a credential or a batch: 16 characters that tell nothing."""
    return secrets.token_urlsafe(_ID_BYTES)


class WalletCredentials:
    """Credentials on one SQLAlchemy engine, sealed per holder."""

    def __init__(self, engine: Engine, key: DeploymentKey) -> None:
        self._engine = engine
        self._data = HolderData(engine, key)

    def add_many(self, credentials: Sequence[WalletCredential]) -> None:
        """Keep them, all or none. Raises IntegrityError for an id that is taken."""
        rows = [
            {
                "id": each.id,
                "holder_id": each.holder_id,
                "key_thumbprint": each.key_thumbprint,
                "collected_at": each.collected_at,
                "used": each.used,
                "sealed": self._data.seal(each.holder_id, _context(each.id), _content(each)),
            }
            for each in credentials
        ]
        if rows:
            with self._engine.begin() as connection:
                connection.execute(insert(_CREDENTIALS), rows)

    def of(self, holder: HolderId, thumbprints: Collection[str] | None = None) -> tuple[WalletCredential, ...]:
        """A holder's credentials, newest first; only those for these keys when given."""
        query = select(_CREDENTIALS).where(_CREDENTIALS.c.holder_id == holder)
        query = query.order_by(_CREDENTIALS.c.collected_at.desc(), _CREDENTIALS.c.row_id.desc())
        with self._engine.connect() as connection:
            rows = connection.execute(query).mappings().all()
        wanted = None if thumbprints is None else frozenset(thumbprints)
        opened = self._data.opener(holder) if rows else None
        if opened is None:
            return ()
        return tuple(_read(row, opened) for row in rows if wanted is None or row["key_thumbprint"] in wanted)

    def get(self, holder: HolderId, credential_id: str) -> WalletCredential | None:
        """That one, or None when this holder has none such."""
        query = select(_CREDENTIALS).where(_mine(holder, credential_id))
        with self._engine.connect() as connection:
            row = connection.execute(query).mappings().first()
        opened = self._data.opener(holder) if row else None
        return None if row is None or opened is None else _read(row, opened)

    def mark_used(self, holder: HolderId, credential_id: str, *, was: int) -> bool:
        """Count one more use; False when it was used meanwhile (`was` is what the caller saw), or is gone."""
        seen = _mine(holder, credential_id) & (_CREDENTIALS.c.used == was)
        with self._engine.begin() as connection:
            return connection.execute(update(_CREDENTIALS).where(seen).values(used=was + 1)).rowcount == 1

    def forget(self, holder: HolderId, credential_ids: Collection[str]) -> int:
        """Delete those of this holder's credentials. Returns how many there were."""
        mine = (_CREDENTIALS.c.holder_id == holder) & _CREDENTIALS.c.id.in_(list(credential_ids))
        with self._engine.begin() as connection:
            return connection.execute(delete(_CREDENTIALS).where(mine)).rowcount

    def forget_holder(self, holder: HolderId) -> None:
        """Destroy the holder's data key here, and all that is sealed with it: credentials and open requests."""
        forget_holder(self._engine, holder)


def _read(row: Mapping[Any, Any], opened: Callable[[str, bytes], dict[str, Any]]) -> WalletCredential:
    told = opened(_context(row["id"]), row["sealed"])
    return WalletCredential(
        id=row["id"],
        holder_id=HolderId(row["holder_id"]),
        format=CredentialFormat(told["format"]),
        key_thumbprint=row["key_thumbprint"],
        type=told["type"],
        names=Names(*told["names"]),
        hue=told["hue"],
        issuer=Names(*told["issuer"]),
        source=told["source"],
        own=told["own"],
        batch=told["batch"],
        collected_at=row["collected_at"],
        used=row["used"],
        content=told["content"],
        labels=tuple((path, Names(*names)) for path, names in told["labels"]),
    )


def _content(credential: WalletCredential) -> Mapping[str, Any]:
    return {
        "format": credential.format.value,
        "type": credential.type,
        "names": [credential.names.zh, credential.names.en],
        "hue": credential.hue,
        "issuer": [credential.issuer.zh, credential.issuer.en],
        "source": credential.source,
        "own": credential.own,
        "batch": credential.batch,
        "content": credential.content,
        "labels": [[path, [names.zh, names.en]] for path, names in credential.labels],
    }


def _context(credential_id: str) -> str:
    return f"wallet_credentials {credential_id}"


def _mine(holder: HolderId, credential_id: str) -> Any:
    return (_CREDENTIALS.c.holder_id == holder) & (_CREDENTIALS.c.id == credential_id)
