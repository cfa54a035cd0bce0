"""The certificates that an outsider's wallet or scanner has to trust, as files named by what they vouch for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from keys.x509 import parse_certificate
from server.demo.opening import open_demo
from server.settings import Settings
from trust_registry.core import status_at
from trust_registry.model import EntryStatus, KeyUse, ListKind, RegionList

# A region has one CA for all of these; others may keep them apart, so that a role is what one asks for.
_ROLES: Final = {
    "issuers": "who seals certificates: x5c of dc+sd-jwt, x5chain of mso_mdoc (IACA), PDF signatures",
    "status": "who signs status lists: x5c of statuslist+jwt, x5chain of statuslist+cwt",
    "verifiers": "who asks wallets: x5c of signed OpenID4VP requests (x509_hash, x509_san_dns)",
    "timestamps": "who stamps the time on seals: RFC 3161 tokens in PDFs",
}


@dataclass(frozen=True, slots=True)
class AnchorFile:
    """A file that was written, and what it is for."""

    path: Path
    purpose: str


def write_anchors(data: Path, out: Path) -> tuple[AnchorFile, ...]:
    """One PEM file for each region and role, and one of the wallet provider, in `out`, which is made if it is missing.

    Raises: DemoFolderRefused, OSError.
    """
    opened = open_demo(data)
    opened.engine.dispose()
    view, now = opened.keeper.view, opened.now()
    assert view is not None  # open_demo refuses
    out.mkdir(parents=True, exist_ok=True)
    written = []
    for region in (each for each in view.lists.values() if each.kind is ListKind.REGION):
        granted = [key for key in region.authorities if status_at(key.history, now) is EntryStatus.GRANTED]
        pem = b"".join(parse_certificate(key.certificate).pem() for key in granted if key.use is KeyUse.CA)
        for role, purpose in _of(region):
            path = out / f"{role}-{region.code}.pem"
            path.write_bytes(pem)
            written.append(AnchorFile(path, f"{region.names.en}: {purpose}"))
    return (*written, *_wallet_providers(opened.settings, out))


def _wallet_providers(settings: Settings, out: Path) -> Iterator[AnchorFile]:
    """For issuers; none in a folder of an earlier version."""
    found = settings.path(settings.wallet_provider_anchors)
    if found.is_file():
        path = out / "wallet-providers.pem"
        path.write_bytes(found.read_bytes())
        yield AnchorFile(path, "who attests wallets and keys: x5c of wallet attestations and key attestations")


def _of(region: RegionList) -> Iterator[tuple[str, str]]:
    """The roles that somebody has there."""
    uses = {key.use for key in region.authorities} | {key.use for p in region.relying_parties for key in p.keys}
    present = {
        "issuers": bool(region.attests),
        "status": bool(region.attests),
        "verifiers": KeyUse.ACCESS in uses,
        "timestamps": KeyUse.TIMESTAMP in uses,
    }
    return ((role, purpose) for role, purpose in _ROLES.items() if present[role])
