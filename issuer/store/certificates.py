"""Certificates after they were recorded: keeping renderings, reading, finding what a crash left half done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from issuer.core import mask_name, standing_at
from issuer.errors import (
    CertificateNotFound,
    CertificateNotPublished,
    CertificateVoided,
    HolderErased,
    RenderingNotMade,
)
from issuer.model import (
    CertificateFilter,
    CertificateState,
    CertificateSummary,
    HeldCertificate,
    Recorded,
    RenderingKind,
    Renderings,
    StatusRecord,
)
from issuer.store.base import (
    CERTIFICATES,
    HOLDERS,
    RENDERINGS,
    SEALS,
    STATUS_CHANGES,
    STATUS_LISTS,
    Content,
    StoreBase,
    rendering_context,
    seal_of,
)
from issuer.store.statuses import record_of
from issuer.store.voiding import void
from keys.data_keys import open_data, seal_data
from trust_registry.attestations import Attestation, CertificateId, StatusReference
from trust_registry.edges import HolderId
from trust_registry.model import CertificateType, IssuerId, SealId, TypeId

ERASED_NAME = "***"


@dataclass(frozen=True, slots=True)
class Place:
    """Which issuer a certificate is of, in what state it is, and which status list holds its status."""

    row_id: int
    issuer_id: IssuerId
    type_id: TypeId
    seal_id: SealId
    state: CertificateState
    status_list: int


class Certificates(StoreBase):
    """Part of `IssuerStore`."""

    def place(self, certificate_id: CertificateId, issuer_id: IssuerId | None = None) -> Place:
        """Raises: CertificateNotFound, also when `issuer_id` is given and the certificate is another's."""
        c = CERTIFICATES.c
        query = select(c.id, c.issuer_id, c.type_id, c.seal_id, c.state, c.status_list)
        with self._engine.connect() as connection:
            row = connection.execute(query.where(c.certificate_id == certificate_id)).one_or_none()
        if row is None or issuer_id not in (None, row.issuer_id):
            raise CertificateNotFound(certificate_id)
        state = CertificateState(row.state)
        return Place(row.id, IssuerId(row.issuer_id), TypeId(row.type_id), SealId(row.seal_id), state, row.status_list)

    def attach_renderings(self, sealed: Iterable[tuple[Recorded, Renderings]]) -> None:
        """Keep the renderings under their holders' keys and mark the certificates published, in one transaction.

        What was attached before stays as it is: of two who seal the same record, the first wins. A record voided
        meanwhile stays void, and its renderings are dropped.
        """
        with self._engine.begin() as connection:
            for recorded, renderings in sealed:
                self._attach(connection, recorded.attestation.certificate_id, renderings)

    def _attach(self, connection: Connection, certificate_id: CertificateId, renderings: Renderings) -> None:
        c = CERTIFICATES.c
        row = connection.execute(
            CERTIFICATES.update()
            .where(c.certificate_id == certificate_id, c.state == CertificateState.RECORDED.value)
            .values(state=CertificateState.PUBLISHED.value)
            .returning(c.id, c.holder_id)
        ).one_or_none()
        if row is None:
            return
        wrapped = connection.execute(select(HOLDERS.c.wrapped_key).where(HOLDERS.c.id == row.holder_id)).scalar_one()
        data_key = self._data_key(row.holder_id, wrapped)
        forms = {
            RenderingKind.PDF: renderings.pdf,
            RenderingKind.SD_JWT_VC: renderings.sd_jwt_vc.encode(),
            RenderingKind.QR: renderings.qr.encode(),
            RenderingKind.MDOC: renderings.mdoc,
        }
        connection.execute(
            RENDERINGS.insert(),
            [
                {
                    "certificate": row.id,
                    "kind": kind.value,
                    "content": seal_data(data_key, content, rendering_context(row.id, kind.value)),
                }
                for kind, content in forms.items()
            ],
        )

    def rendering(self, certificate_id: CertificateId, kind: RenderingKind) -> bytes:
        """Raises: CertificateNotFound, CertificateNotPublished, CertificateVoided, RenderingNotMade, HolderErased."""
        c, r = CERTIFICATES.c, RENDERINGS.c
        query = (
            select(c.id, c.state, HOLDERS.c.id.label("holder_id"), HOLDERS.c.wrapped_key, r.content)
            .join(HOLDERS, HOLDERS.c.id == c.holder_id)
            .outerjoin(RENDERINGS, (r.certificate == c.id) & (r.kind == kind.value))
            .where(c.certificate_id == certificate_id)
        )
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise CertificateNotFound(certificate_id)
        if row.wrapped_key is None:
            raise HolderErased
        if row.state == CertificateState.VOIDED.value:
            raise CertificateVoided(certificate_id)
        if row.content is None and row.state == CertificateState.PUBLISHED.value:
            raise RenderingNotMade(certificate_id, kind.value)
        if row.content is None:
            raise CertificateNotPublished(certificate_id)
        return open_data(
            self._data_key(row.holder_id, row.wrapped_key), row.content, rendering_context(row.id, kind.value)
        )

    def summary(self, certificate_id: CertificateId, now: datetime) -> CertificateSummary:
        """Raises: CertificateNotFound."""
        with self._engine.connect() as connection:
            found = self._summaries(connection, _select().where(CERTIFICATES.c.certificate_id == certificate_id), now)
        if not found:
            raise CertificateNotFound(certificate_id)
        return found[0]

    def summaries(self, wanted: CertificateFilter, now: datetime) -> tuple[CertificateSummary, ...]:
        """The newest first, at most `wanted.limit`."""
        c = CERTIFICATES.c
        query = _select().order_by(c.id.desc()).limit(wanted.limit)
        for column, value in (
            (c.issuer_id, wanted.issuer_id),
            (c.type_id, wanted.type_id),
            (c.holder_id, wanted.holder_id),
            (c.state, wanted.state.value if wanted.state else None),
        ):
            if value is not None:
                query = query.where(column == value)
        if wanted.number is not None:
            query = query.where(c.certificate_id.contains(wanted.number, autoescape=True))
        if wanted.before is not None:
            older = select(c.id).where(c.certificate_id == wanted.before).scalar_subquery()
            query = query.where(c.id < older)
        with self._engine.connect() as connection:
            return self._summaries(connection, query, now)

    def pending(self, types: Mapping[TypeId, CertificateType]) -> tuple[tuple[CertificateId, Recorded | None], ...]:
        """What is recorded and not published, oldest first; None where its type is not known at the moment."""
        query = _select().where(CERTIFICATES.c.state == CertificateState.RECORDED.value).order_by(CERTIFICATES.c.id)
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return tuple((CertificateId(row.certificate_id), self._recorded(row, types)) for row in rows)

    def pending_one(self, certificate_id: CertificateId, types: Mapping[TypeId, CertificateType]) -> Recorded | None:
        """The record of this certificate if it still is to be sealed."""
        c = CERTIFICATES.c
        query = _select().where(c.certificate_id == certificate_id, c.state == CertificateState.RECORDED.value)
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else self._recorded(row, types)

    def void(self, certificate_id: CertificateId, now: datetime) -> bool:
        """Give up a certificate that is only recorded. Whether there was one."""
        with self._engine.begin() as connection:
            return bool(void(connection, CERTIFICATES.c.certificate_id == certificate_id, now))

    def held(self, holder_id: HolderId, now: datetime) -> tuple[HeldCertificate, ...]:
        """What this holder holds, newest first; nothing once the holder is erased."""
        c = CERTIFICATES.c
        published = c.state == CertificateState.PUBLISHED.value
        rendering = (RENDERINGS.c.certificate == c.id) & (RENDERINGS.c.kind == RenderingKind.SD_JWT_VC.value)
        query = (
            _select(RENDERINGS.c.content.label("sd_jwt_vc"))
            .join(RENDERINGS, rendering)
            .where(c.holder_id == holder_id, published)
            .order_by(c.id.desc())
        )
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
            histories = _histories(connection, [row.id for row in rows])
        return tuple(self._held(row, histories.get(row.id, ()), now) for row in rows if row.wrapped_key is not None)

    def _held(self, row: Row[Any], history: Sequence[StatusRecord], now: datetime) -> HeldCertificate:
        data_key = self._data_key(row.holder_id, row.wrapped_key)
        content = self._open_content(data_key, row.id, row.content)
        standing = standing_at(history, now)
        sd_jwt = open_data(data_key, row.sd_jwt_vc, rendering_context(row.id, RenderingKind.SD_JWT_VC.value)).decode()
        return HeldCertificate(
            _attestation(row, content), standing.status, standing.reason, standing.since, row.seal_image_svg, sd_jwt
        )

    def _recorded(self, row: Row[Any], types: Mapping[TypeId, CertificateType]) -> Recorded | None:
        type_ = types.get(TypeId(row.type_id))
        if type_ is None:
            return None
        content = self._open_content(self._data_key(row.holder_id, row.wrapped_key), row.id, row.content)
        seal = seal_of({name.removeprefix("seal_"): value for name, value in row._mapping.items() if _of_seal(name)})
        return Recorded(
            _attestation(row, content), HolderId(row.holder_id), content.holder, type_, seal, row.recorded_at
        )

    def _summaries(self, connection: Connection, query: Select[Any], now: datetime) -> tuple[CertificateSummary, ...]:
        rows = connection.execute(query).all()
        histories = _histories(connection, [row.id for row in rows])
        return tuple(self._summary(row, histories.get(row.id, ()), now) for row in rows)

    def _summary(self, row: Row[Any], history: Sequence[StatusRecord], now: datetime) -> CertificateSummary:
        name = ERASED_NAME
        if row.wrapped_key is not None:
            data_key = self._data_key(row.holder_id, row.wrapped_key)
            name = mask_name(self._open_content(data_key, row.id, row.content).holder)
        standing = standing_at(history, now)
        return CertificateSummary(
            CertificateId(row.certificate_id),
            TypeId(row.type_id),
            name,
            SealId(row.seal_id),
            row.issued_at,
            row.valid_until,
            CertificateState(row.state),
            standing.status,
            standing.reason,
            standing.since,
        )


def _of_seal(name: str) -> bool:
    return name.startswith("seal_")


def _select(*more: Any) -> Select[Any]:
    """Certificates with their holder's key, their status list's URI and their seal (columns `seal_...`)."""
    seal = [column.label(f"seal_{column.name}") for column in SEALS.c]
    certificate = [column for column in CERTIFICATES.c if column.name != "seal_id"]
    return (
        select(*certificate, HOLDERS.c.wrapped_key, STATUS_LISTS.c.uri, *seal, *more)
        .join(HOLDERS, HOLDERS.c.id == CERTIFICATES.c.holder_id)
        .join(STATUS_LISTS, STATUS_LISTS.c.id == CERTIFICATES.c.status_list)
        .join(SEALS, SEALS.c.id == CERTIFICATES.c.seal_id)
    )


def _attestation(row: Row[Any], content: Content) -> Attestation:
    return Attestation(
        CertificateId(row.certificate_id),
        TypeId(row.type_id),
        IssuerId(row.issuer_id),
        SealId(row.seal_id),
        row.issued_at,
        row.valid_from,
        row.valid_until,
        StatusReference(row.uri, row.status_index),
        content.claims,
        content.holder_key,
    )


def _histories(connection: Connection, row_ids: Sequence[int]) -> dict[int, list[StatusRecord]]:
    """In the order recorded."""
    histories: dict[int, list[StatusRecord]] = {}
    if row_ids:
        query = select(STATUS_CHANGES).where(STATUS_CHANGES.c.certificate.in_(row_ids)).order_by(STATUS_CHANGES.c.id)
        for row in connection.execute(query):
            histories.setdefault(row.certificate, []).append(record_of(row))
    return histories
