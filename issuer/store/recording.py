"""Recording what was cleared: number, status index, holder, seal use and idempotency key in one durable transaction."""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, select

from issuer.errors import IdempotencyConflict
from issuer.model import CertificateState, Cleared, IssueRequest, Recorded
from issuer.store.base import (
    CERTIFICATE_SERIES,
    CERTIFICATES,
    REQUESTS,
    SEAL_USES,
    Content,
    allocate,
    seal_content,
)
from issuer.store.holders import Holders
from issuer.store.places import StatusPlace, StatusPlaces
from trust_registry.attestations import Attestation, StatusReference, to_json
from trust_registry.edges import AccountId, HolderId
from trust_registry.identifiers import CertificateId, make_certificate_id


@dataclass(frozen=True, slots=True)
class RecordOutcome:
    """What became of a cleared request: recorded now, or its certificate found, or its key used for another."""

    certificate_id: CertificateId | None
    recorded: Recorded | None  # new; still to be sealed
    conflict: IdempotencyConflict | None = None


_Key = tuple[AccountId, str]
_Known = dict[_Key, tuple[bytes, CertificateId]]


def _key(request: IssueRequest) -> _Key:
    return request.requested_by, request.idempotency_key


class Recording(Holders, StatusPlaces):
    """Part of `IssuerStore`."""

    def find_request(self, request: IssueRequest) -> CertificateId | None:
        """The certificate that this very request already got, if any. Raises: IdempotencyConflict."""
        with self._engine.connect() as connection:
            outcome = self._answer(request, self._known(connection, [request]))
        if outcome is not None and outcome.conflict is not None:
            raise outcome.conflict
        return None if outcome is None else outcome.certificate_id

    def record(self, cleared: Cleared, now: datetime) -> RecordOutcome:
        """Record one. Raises: IdempotencyConflict."""
        (outcome,) = self.record_many([cleared], now)
        if outcome.conflict is not None:
            raise outcome.conflict
        return outcome

    def record_many(self, cleared: Sequence[Cleared], now: datetime) -> tuple[RecordOutcome, ...]:
        """Record all in one transaction, in order; durable when this returns. Nothing is signed before.

        Of requests with the same account and key, the first is recorded; the others are answered with its certificate.
        """
        outcomes: dict[int, RecordOutcome] = {}
        fresh: dict[_Key, tuple[int, Cleared]] = {}
        with self._engine.begin() as connection:
            first = allocate(connection, CERTIFICATE_SERIES, len(cleared))  # the lock comes before the look-up
            known = self._known(connection, [item.request for item in cleared])
            for position, item in enumerate(cleared):
                outcome = self._answer(item.request, known)
                if outcome is not None:
                    outcomes[position] = outcome
                else:
                    fresh.setdefault(_key(item.request), (position, item))
            recorded = self._insert(connection, first, [item for _, item in fresh.values()], now)
        for (position, item), one in zip(fresh.values(), recorded, strict=True):
            outcomes[position] = RecordOutcome(one.attestation.certificate_id, one)
            known[_key(item.request)] = (self.request_digest(item.request), one.attestation.certificate_id)
        for position, item in enumerate(cleared):
            if position not in outcomes:
                twin = self._answer(item.request, known)
                assert twin is not None  # its twin has just been recorded
                outcomes[position] = twin
        return tuple(outcomes[position] for position in range(len(cleared)))

    def _answer(self, request: IssueRequest, known: _Known) -> RecordOutcome | None:
        """The outcome of a request whose key was used before; None if it was not."""
        found = known.get(_key(request))
        if found is None:
            return None
        digest, certificate_id = found
        if not hmac.compare_digest(digest, self.request_digest(request)):
            return RecordOutcome(None, None, IdempotencyConflict(request.idempotency_key))
        return RecordOutcome(certificate_id, None)

    def _known(self, connection: Connection, requests: Sequence[IssueRequest]) -> _Known:
        keys_by_account: dict[AccountId, list[str]] = {}
        for request in requests:
            keys_by_account.setdefault(request.requested_by, []).append(request.idempotency_key)
        known: _Known = {}
        for account, keys in keys_by_account.items():
            query = (
                select(REQUESTS.c.key, REQUESTS.c.digest, CERTIFICATES.c.certificate_id)
                .join(CERTIFICATES, CERTIFICATES.c.id == REQUESTS.c.certificate)
                .where(REQUESTS.c.account_id == account, REQUESTS.c.key.in_(keys))
            )
            for row in connection.execute(query):
                known[account, row.key] = (row.digest, CertificateId(row.certificate_id))
        return known

    def request_digest(self, request: IssueRequest) -> bytes:
        """Of all that is asked for. Keyed, so that the table of requests can't be searched for people."""
        parts = {
            "type": request.type_id,
            "holder": [request.holder.kind.value, request.holder.number, request.holder.name],
            "claims": dict(request.claims),
            "seal": request.seal_id,
            "valid_from": None if request.valid_from is None else request.valid_from.timestamp(),
            "holder_key": None if request.holder_key is None else dict(request.holder_key),
        }
        return self._key.lookup("issuer-request", json.dumps(parts, sort_keys=True, ensure_ascii=False))

    def _insert(
        self, connection: Connection, first: int, cleared: Sequence[Cleared], now: datetime
    ) -> tuple[Recorded, ...]:
        if not cleared:
            return ()
        holders = self._holders(connection, [item.request.holder for item in cleared], now)
        places = self._places(connection, cleared, now)
        certificates, requests, uses, results = [], [], [], []
        for row_id, (item, place) in enumerate(zip(cleared, places, strict=True), start=first):
            request = item.request
            holder_id, data_key = holders[request.holder.kind, request.holder.number]
            attestation = _attestation(item, row_id, place.reference)
            content = Content(request.claims, request.holder, request.holder_key, secrets.token_bytes(16))
            certificates.append(
                {
                    **_certificate_columns(attestation),
                    "id": row_id,
                    "holder_id": holder_id,
                    "status_list": place.status_list,
                    "status_index": place.reference.index,
                    "recorded_at": now,
                    "content": seal_content(data_key, row_id, content),
                    "state": CertificateState.RECORDED.value,
                }
            )
            requests.append(
                {
                    "account_id": request.requested_by,
                    "key": request.idempotency_key,
                    "digest": self.request_digest(request),
                    "certificate": row_id,
                }
            )
            uses.append(
                {
                    "certificate": row_id,
                    "seal_id": item.seal.id,
                    "used_at": now,
                    "used_by": request.requested_by,
                    "digest": "sha256:" + sha256(content.salt + to_json(attestation)).hexdigest(),
                    "approved_by": request.approved_by if item.type.dual_control else None,
                }
            )
            results.append(Recorded(attestation, HolderId(holder_id), request.holder, item.type, item.seal, now))
        connection.execute(CERTIFICATES.insert(), certificates)
        connection.execute(REQUESTS.insert(), requests)
        connection.execute(SEAL_USES.insert(), uses)
        return tuple(results)

    def _places(self, connection: Connection, cleared: Sequence[Cleared], now: datetime) -> list[StatusPlace]:
        """A status list and a random free index in it for each, by issuer and status list base."""
        waiting: dict[tuple[str, str], list[int]] = {}
        for position, item in enumerate(cleared):
            waiting.setdefault((item.issuer.id, item.issuer.status_list_base), []).append(position)
        places: dict[int, StatusPlace] = {}
        for (issuer_id, base), positions in waiting.items():
            places.update(zip(positions, self._draw(connection, issuer_id, base, len(positions), now), strict=True))
        return [places[position] for position in range(len(cleared))]


def _attestation(item: Cleared, row_id: int, reference: StatusReference) -> Attestation:
    serial = f"{item.cleared_at.year:04d}{row_id:09d}"
    return Attestation(
        certificate_id=make_certificate_id(item.type.code, item.issuer.uscc, serial),
        type_id=item.type.id,
        issuer_id=item.issuer.id,
        seal_id=item.seal.id,
        issued_at=item.cleared_at,
        valid_from=item.valid_from,
        valid_until=item.valid_until,
        status=reference,
        claims=dict(item.request.claims),
        holder_key=item.request.holder_key,
    )


def _certificate_columns(attestation: Attestation) -> dict[str, Any]:
    names = ("certificate_id", "type_id", "issuer_id", "seal_id", "issued_at", "valid_from", "valid_until")
    return {name: getattr(attestation, name) for name in names}
