"""Copies for wallets: clear, record, sign, publish. Each is bound to a wallet's key and revoked with its certificate.

Decides nothing (`issuer.copy_rules` does), keeps nothing that it made, and knows no protocol.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from issuer.copy_rules import COPIES, KINDS, ClearedCopies, Original, clear_copies, public_keys
from issuer.errors import IssuerNotListed, TooManyCopies, TypeUnknown
from issuer.model import RenderingKind
from issuer.renderings.sealing import seal_copies
from issuer.service import IssuerService
from issuer.store.copies import Asked
from trust_registry.attestations import CertificateId
from trust_registry.edges import HolderId


class WalletCopies:
    """Makes copies of the certificates of `service`. Safe for threads and for several processes."""

    def __init__(self, service: IssuerService) -> None:
        self._service = service
        self._store = service.store

    def make(
        self,
        certificate_id: CertificateId,
        holder_id: HolderId,
        kind: RenderingKind,
        keys: Sequence[Mapping[str, Any]],
        first: Callable[[Any], None] = lambda _: None,
    ) -> tuple[str | bytes, ...]:
        """One copy for each of `keys` (public JWKs), in their order: SD-JWT VCs as text, or IssuerSigned in CBOR.

        When this returns, each has a status index of its own, durable, in a list that is published. What a crash keeps
        from being delivered leaves an index that nobody uses; a retry draws another. `first`: what must happen in the
        transaction that records them, with the driver's cursor; what it raises ends all.
        Raises: CopyKeysInvalid, CertificateNotFound (also another holder's), CertificateVoided,
        CertificateNotPublished, HolderErased, what `clear_copies` raises, TypeUnknown, IssuerNotListed,
        TrustViewMissing, StatusSignerMissing, SealKeyMismatch, PublicationDelayed and what the signer raises.
        """
        if kind not in KINDS:
            raise ValueError("copies are SD-JWT VCs or mdocs")
        service, now = self._service, self._service.now()
        if len(keys) > COPIES:
            raise TooManyCopies(COPIES, now)
        public = public_keys(keys)
        view = service.trust()

        def clear(original: Original) -> ClearedCopies:
            attestation = original.attestation
            type_, issuer = view.types.get(attestation.type_id), view.issuers.get(attestation.issuer_id)
            if type_ is None:
                raise TypeUnknown(attestation.type_id)
            if issuer is None:
                raise IssuerNotListed(attestation.issuer_id)
            service.signers(original.seal.key_uri)  # a key that can't be opened is refused before it is to sign
            return clear_copies(original, public, type_, issuer, now)

        recorded = self._store.record_copies(Asked(certificate_id, holder_id, kind, len(public), now), clear, first)
        made = seal_copies(recorded, kind, service.signers(recorded.cleared.seal.key_uri))
        if recorded.unpublished:
            service.lists.publish_new(recorded.unpublished)
        return made

    def count(self, certificate_id: CertificateId) -> int:
        """How many copies were made of it for wallets; which of them are still kept nobody knows."""
        return self._store.count_copies(certificate_id)
