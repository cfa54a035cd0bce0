"""Bringing status lists from the store to their files. Signs with the issuer's status key; decides no status."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import datetime

from issuer.errors import PublicationDelayed, StatusSignerMissing
from issuer.publication import StatusPublication
from issuer.status_archive import SignedList
from issuer.store import IssuerStore, StoredList
from keys.errors import KeysError
from keys.signer import Signer
from keys.x509 import parse_certificate
from trust_registry.attestations import CertificateId

_ATTEMPTS = 20  # changes that may come in between while one list is published


class ListPublisher:
    """Publishes lists one at a time; every method may be called again after a crash."""

    def __init__(
        self,
        store: IssuerStore,
        signers: Callable[[str], Signer],
        publication: StatusPublication,
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._signers = signers
        self._publication = publication
        self._now = now

    def publish_due(self, now: datetime) -> tuple[str, ...]:
        """Those due by `now`; their URIs. Raises: PublicationDelayed, StatusSignerMissing, after all others."""
        return self._all(self._store.due_lists(now), lambda one: self.publish(one.id, now))

    def publish_new(self, uris: Collection[str]) -> None:
        """Those of `uris` that nobody can fetch yet. Raises: PublicationDelayed, StatusSignerMissing."""
        now = self._now()
        self._all(self._store.never_published(uris), lambda one: self.publish(one.id, now))

    def publish_changed(self, certificate_id: CertificateId, now: datetime) -> None:
        """Those in which this certificate and its copies stand, where due. Raises as `publish_due`."""
        self._all(self._store.due_lists_of(certificate_id, now), lambda one: self.publish(one.id, now))

    def put_right(self) -> tuple[str, ...]:
        """What is due, and every list whose file is not the one the store knows of; after a crash or a lost disk."""
        now = self._now()

        def rewrite(one: StoredList) -> None:
            with self._publication.publishing():
                self._write(one.id, now)

        with self._publication.publishing():
            self._publication.sweep()
        wrong = [
            one
            for one in self._store.status_lists()
            if one.due_at <= now or not self._publication.complete(one.uri, one.token_digest)
        ]
        return self._all(wrong, rewrite)

    def publish(self, list_id: int, now: datetime) -> None:
        """Publish the list if it is due at `now`, that is, unless another has just done so.

        What is recorded meanwhile is published too. Raises: PublicationDelayed, StatusSignerMissing.
        """
        with self._publication.publishing():
            seen = self._store.status_list(list_id)
            if seen.published_at is None or seen.due_at <= now:
                self._write(list_id, now)

    def _write(self, list_id: int, now: datetime) -> None:
        """Callers hold the lock."""
        for _ in range(_ATTEMPTS):
            seen = self._store.status_list(list_id)
            # Never earlier than what is out there: a clock behind another's must not undo what took effect.
            at = max(now, self._now(), seen.published_at or now)
            signed = self._signed(seen, at)
            if self._store.mark_published(seen, published_at=at, due_at=signed.due_at, digest=signed.digest):
                return
        raise PublicationDelayed(seen.uri)

    @staticmethod
    def _all(lists: Iterable[StoredList], publish: Callable[[StoredList], None]) -> tuple[str, ...]:
        """Each of them; one that fails does not hold up the others."""
        failed: PublicationDelayed | StatusSignerMissing | None = None
        published = []
        for one in lists:
            try:
                publish(one)
                published.append(one.uri)
            except (PublicationDelayed, StatusSignerMissing) as err:
                failed = err
        if failed is not None:
            raise failed
        return tuple(published)

    def _signed(self, seen: StoredList, at: datetime) -> SignedList:
        """The list signed and its file written."""
        key = self._store.status_signer(seen.issuer_id)
        if key is None:
            raise StatusSignerMissing(seen.issuer_id)
        try:
            signed = self._publication.sign(
                seen.uri,
                seen.size,
                self._store.list_histories(seen.id),
                signer=self._signers(key.key_uri),
                certificate=parse_certificate(key.certificate),
                at=at,
            )
            self._publication.publish(seen.uri, signed)
            others = (one for one in self._store.status_lists() if one.issuer_id == seen.issuer_id)
            self._publication.announce(sorted({seen.uri, *(one.uri for one in others if one.published_at)}))
        except (OSError, KeysError) as err:
            raise PublicationDelayed(seen.uri) from err
        return signed
