"""The order of things: clear, record, sign, publish; and every change of status after that.

Decides nothing itself (`issuer.core` does), sees no rows (`issuer.store` does), judges nothing that others issued.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import islice

from issuer.core import check_entitled, clear, plan_status_change
from issuer.errors import (
    CertificateNotPublished,
    CertificateVoided,
    GlyphMissing,
    IssuerError,
    IssuerNotListed,
    PublicationDelayed,
    RequestRefused,
    SealUnknown,
    StatusSignerMissing,
    TrustViewMissing,
    TypeUnknown,
)
from issuer.explaining import explain_row
from issuer.model import (
    BulkProgress,
    BulkResult,
    BulkRow,
    CertificateFilter,
    CertificateState,
    CertificateSummary,
    Cleared,
    HeldCertificate,
    HolderIdentity,
    HolderKind,
    IssuedCertificate,
    IssueRequest,
    Recorded,
    RecoveryResult,
    RenderingKind,
    Renderings,
    RowError,
    Seal,
    SealUse,
    StatusChangeRequest,
    StatusRecord,
    StatusSigner,
)
from issuer.ports import Completing, Sealing
from issuer.publication import StatusPublication
from issuer.publishing import ListPublisher
from issuer.renderings.sealing import check_printable, completed, seal_renderings
from issuer.store import IssuerStore
from keys.signer import Signer
from keys.timestamps import Timestamper
from trust_registry.attestations import CertificateId
from trust_registry.edges import HolderId
from trust_registry.model import CertificateType, IssuerEntry, IssuerId, SealId, TrustView, TypeId

CHUNK = 100  # rows of a bulk run that are recorded in one transaction
_STRIPES = 64


class IssuerService:
    """Issues, seals, revokes and publishes for the issuers whose seals are in custody here. Safe for threads.

    `view`: the verified trust data of this moment. `signers`: opens the key behind a URI; asked at every use, so it
    should keep what it opened. `now`: the clock, UTC.
    """

    def __init__(  # noqa: PLR0917  (one of each, named at the one place that wires them)
        self,
        store: IssuerStore,
        view: Callable[[], TrustView | None],
        signers: Callable[[str], Signer],
        timestamper: Timestamper | None,
        publication: StatusPublication,
        now: Callable[[], datetime],
        *,
        sealing: Sealing = seal_renderings,
        complete: Completing | None = None,
    ) -> None:
        self._store = store
        self._sealing = sealing if complete is None else completed(sealing, complete)
        self._view = view
        self.signers = signers
        self._timestamper = timestamper
        self._publication = publication
        self.now = now
        self.lists = ListPublisher(store, signers, publication, now)
        self._stripes = tuple(threading.Lock() for _ in range(_STRIPES))

    @property
    def store(self) -> IssuerStore:
        return self._store

    @property
    def publication(self) -> StatusPublication:
        return self._publication

    def trust(self) -> TrustView:
        """The verified trust data of this moment. Raises: TrustViewMissing."""
        view = self._view()
        if view is None:
            raise TrustViewMissing
        return view

    # Issuing

    def check(self, request: IssueRequest) -> None:
        """Whether `issue` would seal this now; nothing is recorded. Raises: what `issue` raises before it records."""
        self._clear(request)

    def issue(self, request: IssueRequest) -> IssuedCertificate:
        """Issue one certificate, or find the one that this very request already got.

        When this returns, the certificate is durable, sealed in every rendering, and its status list is published.
        Raises: what `core.clear` raises, TypeUnknown, SealUnknown, IssuerNotListed, GlyphMissing, IdempotencyConflict,
        CertificateVoided, StatusSignerMissing, TrustViewMissing, PublicationDelayed; TimestampUnavailable and what the
        signer raises. After one of the last three, a retry with the same key finishes what was begun.
        """
        with self._one_at_a_time(request):
            known = self._store.find_request(request)
            if known is not None:
                return self._finish(known)
            cleared = self._clear(request)
            outcome = self._store.record(cleared, self.now())
            assert outcome.certificate_id is not None
            if outcome.recorded is None:  # another process was faster
                return self._finish(outcome.certificate_id)
            self._raise_refusal(self._seal([outcome.recorded]))
            return self._issued(outcome.certificate_id, replayed=False)

    def issue_many(self, rows: Iterable[BulkRow], progress: Callable[[BulkProgress], None] | None = None) -> BulkResult:
        """Issue the good rows and report the others by line. Run again over the same rows, it issues what is missing.

        `progress` is told after each chunk. Raises only what concerns every row: TrustViewMissing, PublicationDelayed,
        TimestampUnavailable, what the signer raises.
        """
        issued = replayed = 0
        errors: list[RowError] = []
        iterator = iter(rows)
        while chunk := list(islice(iterator, CHUNK)):
            new, old, refused = self._issue_chunk(chunk)
            issued, replayed = issued + new, replayed + old
            errors.extend(sorted(refused, key=lambda error: error.line))
            if progress is not None:
                progress(BulkProgress(issued + replayed + len(errors), len(errors)))
        return BulkResult(issued, replayed, tuple(errors))

    def _issue_chunk(self, rows: Sequence[BulkRow]) -> tuple[int, int, list[RowError]]:
        errors = [row.error for row in rows if row.error is not None]
        fresh: list[tuple[int, Cleared]] = []
        found: list[tuple[int, CertificateId]] = []
        for row in rows:
            if row.request is None:
                continue
            try:
                known = self._store.find_request(row.request)
                if known is not None:
                    found.append((row.line, known))
                else:
                    fresh.append((row.line, self._clear(row.request)))
            except TrustViewMissing:
                raise
            except IssuerError as err:
                errors.append(row_error(row.line, err))
        new = self._record_chunk(fresh, found, errors)
        refused = self._seal(list(new.values()))
        for line, recorded in new.items():
            if recorded.attestation.certificate_id in refused:
                errors.append(row_error(line, refused[recorded.attestation.certificate_id]))
        replayed = 0
        for line, certificate_id in found:
            try:
                self._finish(certificate_id)
                replayed += 1
            except (CertificateVoided, RequestRefused, GlyphMissing) as err:
                errors.append(row_error(line, err))
        return len(new) - len(refused), replayed, errors

    def _record_chunk(
        self, fresh: Sequence[tuple[int, Cleared]], found: list[tuple[int, CertificateId]], errors: list[RowError]
    ) -> dict[int, Recorded]:
        """Record in one transaction; those recorded now by line. The others join `found` and `errors`."""
        new: dict[int, Recorded] = {}
        outcomes = self._store.record_many([cleared for _, cleared in fresh], self.now()) if fresh else ()
        for (line, _), outcome in zip(fresh, outcomes, strict=True):
            if outcome.conflict is not None:
                errors.append(row_error(line, outcome.conflict))
            elif outcome.recorded is not None:
                new[line] = outcome.recorded
            elif outcome.certificate_id is not None:
                found.append((line, outcome.certificate_id))
        return new

    def _clear(self, request: IssueRequest) -> Cleared:
        """Look up what the request names, ask `core.clear`, and see that all is at hand before anything is recorded."""
        seal = self._store.seal(request.seal_id)
        if request.issuer_id not in (None, seal.issuer_id):
            raise SealUnknown(request.seal_id)
        type_, issuer_entry = self._listed(request.type_id, seal.issuer_id)
        cleared = clear(request, type_, seal, issuer_entry, self.now())
        check_printable(type_, request.claims)
        if self._store.status_signer(seal.issuer_id) is None:
            raise StatusSignerMissing(seal.issuer_id)
        self._publication.path_of(issuer_entry.status_list_base + "1")
        self.signers(seal.key_uri)  # a key that can't be opened is refused before it has anything to sign
        return cleared

    def _listed(self, type_id: TypeId, issuer_id: IssuerId) -> tuple[CertificateType, IssuerEntry]:
        view = self.trust()
        type_ = view.types.get(type_id)
        if type_ is None:
            raise TypeUnknown(type_id)
        return type_, self._issuer(issuer_id)

    def _issuer(self, issuer_id: IssuerId) -> IssuerEntry:
        entry = self.trust().issuers.get(issuer_id)
        if entry is None:
            raise IssuerNotListed(issuer_id)
        return entry

    def _seal(self, records: Sequence[Recorded]) -> dict[CertificateId, IssuerError]:
        """Sign what is recorded, publish the lists it stands in if they are new, and keep the renderings.

        What may no longer be sealed, or can't be printed, is voided; returned with the reason.
        """
        sealed: list[tuple[Recorded, Renderings]] = []
        refused: dict[CertificateId, IssuerError] = {}
        for recorded in records:
            try:
                sealed.append((recorded, self._sign(recorded)))
            except (RequestRefused, GlyphMissing) as err:
                self._store.void(recorded.attestation.certificate_id, self.now())
                refused[recorded.attestation.certificate_id] = err
        self.lists.publish_new({recorded.attestation.status.uri for recorded, _ in sealed})
        if sealed:
            self._store.attach_renderings(sealed)
        return refused

    def _sign(self, recorded: Recorded) -> Renderings:
        """Ask once more whether the seal may be used, for time may have passed since clearing; then use it."""
        entry = self._issuer(recorded.attestation.issuer_id)
        check_entitled(recorded.type, recorded.seal, entry, self.now())
        signer = self.signers(recorded.seal.key_uri)
        return self._sealing(recorded, signer, self._timestamper, authority=entry.names, signed_at=self.now())

    def _finish(self, certificate_id: CertificateId) -> IssuedCertificate:
        """The certificate of a repeated request, sealed first if a crash or an outage came in between."""
        if self._store.place(certificate_id).state is CertificateState.RECORDED:
            recorded = self._store.pending_one(certificate_id, self.trust().types)
            if recorded is not None:
                self._raise_refusal(self._seal([recorded]))
        return self._issued(certificate_id, replayed=True)

    def _issued(self, certificate_id: CertificateId, *, replayed: bool) -> IssuedCertificate:
        summary = self._store.summary(certificate_id, self.now())
        if summary.state is CertificateState.VOIDED:
            raise CertificateVoided(certificate_id)
        if summary.state is CertificateState.RECORDED:
            raise CertificateNotPublished(certificate_id)
        return IssuedCertificate(summary, replayed)

    @staticmethod
    def _raise_refusal(refused: Mapping[CertificateId, IssuerError]) -> None:
        for refusal in refused.values():
            raise refusal

    @contextmanager
    def _one_at_a_time(self, request: IssueRequest) -> Iterator[None]:
        """In this process, requests with the same key wait for each other. Across processes the store decides."""
        with self._stripes[hash((request.requested_by, request.idempotency_key)) % _STRIPES]:
            yield

    # Status

    def change_status(self, change: StatusChangeRequest) -> CertificateSummary:
        """Suspend, reinstate or revoke, in every rendering and every wallet's copy at once. Returns when the change is
        durable and, if it takes effect now, published.

        Raises: CertificateNotFound, CertificateNotPublished, CertificateVoided, what `core.plan_status_change` raises,
        PublicationDelayed.
        """
        place = self._store.place(change.certificate_id, change.issuer_id)
        if place.state is CertificateState.RECORDED:
            raise CertificateNotPublished(change.certificate_id)
        if place.state is CertificateState.VOIDED:
            raise CertificateVoided(change.certificate_id)
        now = self.now()
        self._store.change_status(change.certificate_id, lambda history: plan_status_change(history, change, now))
        self.lists.publish_changed(change.certificate_id, now)
        return self._store.summary(change.certificate_id, self.now())

    def status_history(
        self, certificate_id: CertificateId, *, issuer_id: IssuerId | None = None
    ) -> tuple[StatusRecord, ...]:
        """Oldest first. Raises: CertificateNotFound."""
        self._store.place(certificate_id, issuer_id)
        return self._store.status_history(certificate_id)

    def publish_due(self, now: datetime | None = None) -> tuple[str, ...]:
        """Publish every list whose statuses changed by `now` or whose token grows old; the URIs of those published.

        Call it every few seconds. Raises: PublicationDelayed, after trying all the others.
        """
        return self.lists.publish_due(now or self.now())

    # After a crash

    def recover(self) -> RecoveryResult:
        """Finish or give up what a crash left half done, and put every status list's file right. Call it at start.

        Harmless while others issue: of two who seal the same record, the first one's renderings are kept. Raises only
        TrustViewMissing; what can't be put right now is left for the next start, or for `publish_due`.
        """
        finished: list[CertificateId] = []
        voided: list[CertificateId] = []
        unfinished: list[CertificateId] = []
        for certificate_id, recorded in self._store.pending(self.trust().types):
            if recorded is None:
                unfinished.append(certificate_id)
                continue
            try:
                (voided if self._seal([recorded]) else finished).append(certificate_id)
            except Exception:  # whatever is wrong with one record must not keep all others from being served
                unfinished.append(certificate_id)
        try:
            published = self.lists.put_right()
        except (PublicationDelayed, StatusSignerMissing):
            published = ()  # still due: `publish_due` says what is wrong
        return RecoveryResult(tuple(finished), tuple(voided), tuple(unfinished), published)

    # Reading

    def certificates(self, wanted: CertificateFilter) -> tuple[CertificateSummary, ...]:
        """A page of the list, newest first."""
        return self._store.summaries(wanted, self.now())

    def certificate(self, certificate_id: CertificateId, *, issuer_id: IssuerId | None = None) -> CertificateSummary:
        """Raises: CertificateNotFound, also for another issuer's when `issuer_id` is given."""
        self._store.place(certificate_id, issuer_id)
        return self._store.summary(certificate_id, self.now())

    def rendering(
        self, certificate_id: CertificateId, kind: RenderingKind, *, issuer_id: IssuerId | None = None
    ) -> bytes:
        """The signed bytes. Raises: CertificateNotFound, CertificateNotPublished, CertificateVoided, HolderErased."""
        self._store.place(certificate_id, issuer_id)
        return self._store.rendering(certificate_id, kind)

    def held(self, holder_id: HolderId) -> tuple[HeldCertificate, ...]:
        """What the holder holds, newest first, with status now."""
        return self._store.held(holder_id, self.now())

    def holder(self, identity: HolderIdentity) -> HolderId:
        """The opaque id of this person or organisation, made if there is none yet."""
        return self._store.ensure_holder(identity, self.now())

    def find_holder(self, kind: HolderKind, number: str) -> HolderId | None:
        return self._store.find_holder(kind, number)

    def erase_holder(self, holder_id: HolderId) -> None:
        """Destroy the holder's data key for ever. Raises: HolderNotFound."""
        self._store.erase_holder(holder_id, self.now())

    def types_of(self, issuer_id: IssuerId) -> tuple[CertificateType, ...]:
        """What the issuer is listed for, whether or not granted at the moment (clearing says so)."""
        view = self.trust()
        entry = view.issuers.get(issuer_id)
        grants = () if entry is None else entry.grants
        granted = dict.fromkeys(grant.type_id for grant in grants)  # once, at however many assurances
        return tuple(view.types[type_id] for type_id in granted if type_id in view.types)

    def seals(self, issuer_id: IssuerId | None = None) -> tuple[Seal, ...]:
        return self._store.seals(issuer_id)

    def seal_uses(self, seal_id: SealId, *, issuer_id: IssuerId | None = None, limit: int = 100) -> Sequence[SealUse]:
        """The newest first. Raises: SealUnknown, also for another issuer's."""
        if issuer_id not in (None, self._store.seal(seal_id).issuer_id):
            raise SealUnknown(seal_id)
        return self._store.seal_uses(seal_id, limit=limit)

    def register_seal(self, seal: Seal) -> None:
        self._store.register_seal(seal)

    def register_status_signer(self, signer: StatusSigner) -> None:
        self._store.register_status_signer(signer)


def row_error(line: int, err: IssuerError) -> RowError:
    """A refusal as a line of the report: its class, its words, the field it names. No claim value is in any of them."""
    pointer = getattr(err, "pointer", None) or ""
    column = pointer.rpartition("/")[2] or getattr(err, "claim", None)
    return RowError(line, column, type(err).__name__, explain_row(err))
