"""Bringing status lists from the store to their files. Signs with the issuer's status key; decides no status."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import datetime

from issuer.errors import PublicationDelayed, StatusSignerMissing
from issuer.publication import SignedList, StatusPublication
from issuer.store import IssuerStore, StoredList
from keys.errors import KeysError
from keys.signer import Signer
from keys.x509 import parse_certificate

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
        return self._publish_all(self._store.due_lists(now))

    def publish_new(self, uris: Collection[str]) -> None:
        """Those of `uris` that nobody can fetch yet. Raises: PublicationDelayed, StatusSignerMissing."""
        self._publish_all(self._store.never_published(uris))

    def put_right(self) -> tuple[str, ...]:
        """What is due, and every list whose file is not the one the store knows of; after a crash or a lost disk."""
        with self._publication.publishing():
            self._publication.sweep()
        now = self._now()
        return self._publish_all(
            status_list
            for status_list in self._store.status_lists()
            if status_list.due_at <= now or self._publication.digest(status_list.uri) != status_list.token_digest
        )

    def publish(self, list_id: int) -> None:
        """Sign the list as it stands and write it. What is recorded meanwhile is published too, before this returns.

        Raises: PublicationDelayed, StatusSignerMissing.
        """
        with self._publication.publishing():
            for _ in range(_ATTEMPTS):
                seen = self._store.status_list(list_id)
                now = self._now()
                signed = self._signed(seen, now)
                if self._store.mark_published(seen, published_at=now, due_at=signed.due_at, digest=signed.digest):
                    return
        raise PublicationDelayed(seen.uri)

    def _publish_all(self, lists: Iterable[StoredList]) -> tuple[str, ...]:
        failed: PublicationDelayed | StatusSignerMissing | None = None
        published = []
        for status_list in lists:
            try:
                self.publish(status_list.id)
                published.append(status_list.uri)
            except (PublicationDelayed, StatusSignerMissing) as err:
                failed = err
        if failed is not None:
            raise failed
        return tuple(published)

    def _signed(self, seen: StoredList, now: datetime) -> SignedList:
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
                at=now,
            )
            self._publication.write(seen.uri, signed.token)
        except (OSError, KeysError) as err:
            raise PublicationDelayed(seen.uri) from err
        return signed
