"""Seals and status signers in custody, and the log of seal uses. Keys themselves stay behind their URIs."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlalchemy import select

from issuer.errors import SealUnknown
from issuer.model import RenderingKind, Seal, SealUse, StatusSigner
from issuer.store.base import (
    CERTIFICATES,
    RENDERINGS,
    SEAL_USES,
    SEALS,
    STATUS_SIGNERS,
    StoreBase,
    pack_certificates,
    seal_of,
    unpack_certificates,
)
from trust_registry.attestations import CertificateId
from trust_registry.edges import AccountId
from trust_registry.model import IssuerId, RegionCode, SealId, TypeId


class Custody(StoreBase):
    """Part of `IssuerStore`."""

    def register_seal(self, seal: Seal) -> None:
        """Take a seal into custody, or replace what is known of it (a renewed certificate or key)."""
        values = {
            "issuer_id": seal.issuer_id,
            "name_zh": seal.names.zh,
            "name_en": seal.names.en,
            "image_svg": seal.image_svg,
            "scope": json.dumps(sorted(seal.scope)),
            "valid_from": seal.valid_from,
            "valid_until": seal.valid_until,
            "certificate": seal.certificate,
            "chain": pack_certificates(seal.chain),
            "key_uri": seal.key_uri,
        }
        with self._engine.begin() as connection:
            updated = connection.execute(SEALS.update().where(SEALS.c.id == seal.id).values(values))
            if updated.rowcount == 0:
                connection.execute(SEALS.insert().values(id=seal.id, **values))

    def register_status_signer(self, signer: StatusSigner) -> None:
        """Take an issuer's status key into custody, or replace it."""
        values = {
            "key_uri": signer.key_uri,
            "certificate": signer.certificate,
            "chain": pack_certificates(signer.chain),
        }
        table = STATUS_SIGNERS
        with self._engine.begin() as connection:
            updated = connection.execute(table.update().where(table.c.issuer_id == signer.issuer_id).values(values))
            if updated.rowcount == 0:
                connection.execute(table.insert().values(issuer_id=signer.issuer_id, **values))

    def seal(self, seal_id: SealId) -> Seal:
        """Raises: SealUnknown."""
        with self._engine.connect() as connection:
            row = connection.execute(select(SEALS).where(SEALS.c.id == seal_id)).mappings().one_or_none()
        if row is None:
            raise SealUnknown(seal_id)
        return seal_of(dict(row))

    def seals(self, issuer_id: IssuerId | None = None) -> tuple[Seal, ...]:
        """Those of one issuer, or all in custody; by id."""
        query = select(SEALS).order_by(SEALS.c.id)
        if issuer_id is not None:
            query = query.where(SEALS.c.issuer_id == issuer_id)
        with self._engine.connect() as connection:
            return tuple(seal_of(dict(row)) for row in connection.execute(query).mappings())

    def status_signer(self, issuer_id: IssuerId) -> StatusSigner | None:
        query = select(STATUS_SIGNERS).where(STATUS_SIGNERS.c.issuer_id == issuer_id)
        with self._engine.connect() as connection:
            row = connection.execute(query).mappings().one_or_none()
        if row is None:
            return None
        return StatusSigner(issuer_id, row["key_uri"], row["certificate"], unpack_certificates(row["chain"]))

    def seal_uses(
        self,
        seal_id: SealId | None = None,
        *,
        region: RegionCode | None = None,
        limit: int = 100,
        before: CertificateId | None = None,
    ) -> Sequence[SealUse]:
        """The newest uses first: of one seal, or of all; `region`: only of seals of that region's issuers.

        `before`: only those recorded before the certificate of that identifier.
        """
        uses = SEAL_USES
        query = (
            select(uses, CERTIFICATES.c.certificate_id, CERTIFICATES.c.type_id)
            .join(CERTIFICATES, CERTIFICATES.c.id == uses.c.certificate)
            .order_by(uses.c.certificate.desc())
            .limit(limit)
        )
        if seal_id is not None:
            query = query.where(uses.c.seal_id == seal_id)
        if region is not None:
            query = query.where(uses.c.seal_id.startswith(f"{region}/", autoescape=True))
        if before is not None:
            oldest = select(CERTIFICATES.c.id).where(CERTIFICATES.c.certificate_id == before).scalar_subquery()
            query = query.where(uses.c.certificate < oldest)
        with self._engine.connect() as connection:
            rows = connection.execute(query).mappings().all()
            wanted = [row["certificate"] for row in rows]
            made = select(RENDERINGS.c.certificate, RENDERINGS.c.kind).where(RENDERINGS.c.certificate.in_(wanted))
            kinds: dict[int, list[RenderingKind]] = {}
            for number, kind in connection.execute(made.order_by(RENDERINGS.c.kind)):
                kinds.setdefault(number, []).append(RenderingKind(kind))
            return tuple(
                SealUse(
                    SealId(row["seal_id"]),
                    CertificateId(row["certificate_id"]),
                    row["used_at"],
                    AccountId(row["used_by"]),
                    row["digest"],
                    TypeId(row["type_id"]),
                    None if row["approved_by"] is None else AccountId(row["approved_by"]),
                    tuple(kinds.get(row["certificate"], ())),
                )
                for row in rows
            )
