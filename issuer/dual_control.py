"""Dual control: what one clerk prepares is sealed only after another clerk of the same office has approved it.

Decides nothing itself (`issuer.core` does) and seals nothing (`issuer.service` does). Approved is durable before it is
sealed, and a crash in between is finished at the next start: once.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from issuer.core import check_approval, check_open
from issuer.errors import CertificateVoided, GlyphMissing, OwnRequest, RequestRefused, WaitingClosed
from issuer.model import IssuedCertificate, IssueRequest, RefusalReason, Waiting, WaitingState
from issuer.service import IssuerService
from trust_registry.edges import AccountId
from trust_registry.model import IssuerId, TypeId

LIFE: Final = timedelta(days=7)
_SOMEBODY_ELSE: Final = AccountId("(whoever approves it)")


class DualControl:
    """The requests of types under dual control. Safe for threads and for several processes."""

    def __init__(self, service: IssuerService, now: Callable[[], datetime], *, life: timedelta = LIFE) -> None:
        self._service = service
        self._store = service.store
        self._now = now
        self._life = life

    def governs(self, type_id: TypeId) -> bool:
        """Whether the type is under dual control now. Raises: TrustViewMissing."""
        found = self._service.trust().types.get(type_id)
        return found is not None and found.dual_control

    def check(self, request: IssueRequest) -> None:
        """Whether it could be sealed now if somebody else approved. Raises: what `IssuerService.check` raises."""
        self._service.check(replace(request, approved_by=_SOMEBODY_ELSE))

    def submit(self, request: IssueRequest) -> Waiting:
        """Keep a request for a second clerk; the same request again finds the one that is there.

        Raises: what `IssuerService.check` raises, IdempotencyConflict.
        """
        self.check(request)
        now = self._now()
        issuer_id = self._store.seal(request.seal_id).issuer_id
        return self._store.add_waiting(request, issuer_id, now, now + self._life)

    def waiting(self, issuer_id: IssuerId) -> tuple[Waiting, ...]:
        """The office's requests, open and decided, the newest first."""
        self.expire()
        return self._store.all_waiting(issuer_id)

    def find(self, waiting_id: str, issuer_id: IssuerId) -> Waiting:
        """Raises: WaitingUnknown."""
        self.expire()
        return self._store.waiting(waiting_id, issuer_id)

    def content(self, waiting_id: str, issuer_id: IssuerId) -> IssueRequest:
        """What the second clerk is shown. Raises: WaitingUnknown, HolderErased, ContentChanged."""
        self._store.waiting(waiting_id, issuer_id)
        return self._store.waiting_request(waiting_id)

    def approve(self, waiting_id: str, issuer_id: IssuerId, by: AccountId, digest: str) -> IssuedCertificate:
        """Approve what was shown (`digest`) and seal it. By the same clerk again: the same certificate.

        Raises: WaitingUnknown, OwnRequest, WaitingClosed, ContentChanged, HolderErased; what `IssuerService.issue`
        raises, after which approving again finishes it, unless it may no longer be sealed: then it is closed.
        """
        now = self._now()
        check = partial(check_approval, by=by, digest=digest, now=now)
        found = self._store.waiting(waiting_id, issuer_id)
        check(found)
        if found.certificate_id is None:
            self._store.waiting_request(waiting_id)  # what can't be read, or was altered, is not approved
        return self._finish(self._store.decide_waiting(waiting_id, check, WaitingState.APPROVED, by, now))

    def refuse(self, waiting_id: str, issuer_id: IssuerId, by: AccountId, reason: RefusalReason) -> Waiting:
        """Send it back, as the second clerk. Raises: WaitingUnknown, OwnRequest, WaitingClosed."""

        def check(found: Waiting) -> None:
            if found.requested_by == by:
                raise OwnRequest
            check_open(found, now)

        now = self._now()
        self._store.waiting(waiting_id, issuer_id)
        return self._store.decide_waiting(waiting_id, check, WaitingState.REFUSED, by, now, reason)

    def withdraw(self, waiting_id: str, issuer_id: IssuerId, by: AccountId, reason: RefusalReason) -> Waiting:
        """Take it back, as who asked. Raises: WaitingUnknown (also for another's), WaitingClosed."""
        now = self._now()
        if self._store.waiting(waiting_id, issuer_id).requested_by != by:
            raise WaitingClosed(WaitingState.WAITING.value)
        return self._store.decide_waiting(
            waiting_id, partial(check_open, now=now), WaitingState.WITHDRAWN, by, now, reason
        )

    def expire(self) -> int:
        """Forget the content of what nobody approved in time; call it now and then. How many those were."""
        return self._store.expire_waiting(self._now())

    def recover(self) -> int:
        """Seal what was approved before a crash or an outage; how many. What can't be sealed now is left."""
        done = 0
        for found in self._store.all_waiting(state=WaitingState.APPROVED):
            with suppress(Exception):  # whatever is wrong with one must not keep all others from being sealed
                self._finish(found)
                done += 1
        return done

    def _finish(self, found: Waiting) -> IssuedCertificate:
        if found.certificate_id is not None:
            return IssuedCertificate(self._service.certificate(found.certificate_id), replayed=True)
        try:
            issued = self._service.issue(self._store.waiting_request(found.id))
        except (
            RequestRefused,
            GlyphMissing,
            CertificateVoided,
        ):  # not sealed, or recorded and voided: no retry can seal it
            self._store.close_approved(found.id, None)
            raise
        self._store.close_approved(found.id, issued.summary.certificate_id)
        return issued
