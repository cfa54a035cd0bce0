"""What goes into an offline kit for a region's counters, and what a kit is worth to who opens it.

The trust data in it are verified again from the first root that the reader knows (`trust_registry.bundle`); the kit's
own signature counts if the region lists its key. Zips, manifests and deltas are `verifier.kits`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from keys.x509 import Certificate
from trust_registry.bundle import make_bundle, open_bundle
from trust_registry.client import TrustStore, aged
from trust_registry.errors import TrustDamaged
from trust_registry.instants import later
from trust_registry.model import (
    EntryStatus,
    KeyEntry,
    KeyUse,
    ListKind,
    Names,
    RegionCode,
    RegionList,
    StatusView,
    TrustView,
)
from trust_registry.status_cache import StatusCache
from verifier.core.findings import CLOCK_SKEW
from verifier.core.listed import change_at, compromised_since
from verifier.errors import KitRefused
from verifier.kits import Kit, Manifest, make_kit
from verifier.receipts import ReceiptKey


@dataclass(frozen=True, slots=True)
class OpenedKit:
    """A kit that can be judged by. `signer`: whom the region lists with the key that signed it."""

    manifest: Manifest
    signer: Names
    trust: TrustView
    statuses: StatusView


def build_kit(store: TrustStore, region: RegionCode, key: ReceiptKey, now: datetime) -> bytes:
    """A kit of the copy in `store` for the counters of `region`, signed as of `now` (UTC).

    In it: the lists of the region, of every region that it recognises anything of, and of the common bodies, with the
    status lists of their issuers and the lists of other networks that the region reads. Raises: KitRefused when the
    region or its key is not in the copy; TrustMissing, TrustDamaged; whatever the signer raises.
    """
    view = store.load(now)
    if region not in view.lists:
        raise KitRefused(f"region {region} is not in this copy of the trust data")
    if key_holder(view.lists[region], key.certificate, now) is None:
        raise KitRefused(f"region {region} does not list the key that is to sign, or not any more")
    chosen = authorities_for(view, region)
    bases = tuple(each.status_list_base for code in chosen for each in view.lists[code].attests)
    kept = StatusCache(store.folder / "status").load(view, now).entries
    history = store.metadata_folder / "root_history"
    first = min(history.glob("*.root.json"), key=lambda path: int(path.name.partition(".")[0]))
    return make_kit(
        make_bundle(store, now, authorities=chosen, statuses=[uri for uri in kept if uri.startswith(bases)]),
        region=region,
        first_root=first.read_bytes(),
        confirmed_at=view.refreshed_at,
        made_at=now,
        key=key,
    )


def authorities_for(view: TrustView, region: RegionCode) -> frozenset[RegionCode]:
    """Whose lists a counter of `region` needs: its own, those of whom it recognises anything, and the common bodies."""
    recognised = {entry.issuing for entry in view.lists[region].recognises}
    bodies = {code for code, each in view.lists.items() if each.kind is ListKind.BODY}
    return frozenset(({region} | recognised | bodies) & view.lists.keys())


def open_kit(kit: Kit, first_root: bytes, at: datetime) -> OpenedKit:
    """What the kit holds, verified from `first_root` on, as of `at` (UTC).

    It counts as confirmed when its signer says so, and never later than its own metadata allow. Raises: KitRefused
    when it is of another network, from the future, or signed by a key that its region does not list;
    TrustDamaged when what is inside does not verify.
    """
    manifest = kit.manifest
    if manifest.made_at > later(at, CLOCK_SKEW):
        raise KitRefused("the kit was made in the future: this machine's clock is wrong, or the kit's maker's was")
    try:
        opened = open_bundle(kit.files, first_root=first_root, at=at)
    except TrustDamaged as err:
        if manifest.root != "sha256:" + sha256(first_root).hexdigest():
            raise KitRefused(
                "the kit is of another network, or starts from a later root than the one known here"
            ) from err
        raise
    region = opened.trust.lists.get(manifest.region)
    holder = None if region is None else key_holder(region, kit.certificate, manifest.made_at)
    if holder is None:
        raise KitRefused(f"region {manifest.region} does not list the key that signed the kit")
    trust = aged(opened.trust, min(opened.confirmed_at, manifest.confirmed_at))
    return OpenedKit(manifest, holder, trust, opened.statuses)


def key_holder(region: RegionList, certificate: Certificate, at: datetime) -> Names | None:
    """Who may sign kits for the region with this certificate at `at`: one of its relying parties with its key for
    receipts, or the authority itself with its key for lists; None for anybody else, and for keys that were stolen."""
    if not certificate.not_before <= at <= certificate.not_after:
        return None
    for names, keys in _signers(region):
        if any(each.certificate == certificate.der and _stands(each, at) for each in keys):
            return names
    return None


def _signers(region: RegionList) -> Iterable[tuple[Names, Iterable[KeyEntry]]]:
    yield region.authority, (key for key in region.authorities if key.use is KeyUse.LIST)
    for party in region.relying_parties:
        yield party.names, (key for key in party.keys if key.use is KeyUse.RECEIPT)


def _stands(entry: KeyEntry, at: datetime) -> bool:
    change = change_at(entry.history, at)
    granted = change is not None and change.status is EntryStatus.GRANTED
    return granted and compromised_since(entry.history) is None
