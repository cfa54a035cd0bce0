"""Preparing the demonstration's data folder: made at the first start, kept at the next.

yinxin.toml      the server's settings      deployment.key   wraps holders' data keys (0600)
yinxin.db        accounts and certificates  passphrase       opens every key file (0600)
keys/            officers, CAs, seals, status, time-stamping, receipts, requests to wallets
registry/        the network's repository: public/ is served at /trust, proposals wait in proposals/
status/          published status lists     trust/           a verified local copy: yinxin verify --trust
root.json        the first root             certificates/    the regions' CA certificates (PEM)
samples/         one certificate in its three renderings
responders/      the certificates of those who answer how certificates stand (OCSP)
wallet-providers.pem   the CA of the fictional wallet provider, and wallet-provider.pem its certificate
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from keys.custody.software import read_key_file_header
from keys.envelopes.signed_note import NoteKeyKind, note_key
from server.clock import utc_now
from server.demo.apart import MARK, SETTINGS_FILE
from server.demo.custody import Custody, new_passphrase, wallet_origin
from server.demo.filling import Filling, issue_first, open_accounts, take_into_custody
from server.demo.founding import found, log_origin
from server.demo.lists import RegionInCustody
from server.demo.provider import make_provider
from server.demo.world import DONGLING
from server.errors import DemoFolderRefused
from server.settings import Settings, load_settings
from server.transparency import witness_name
from server.wiring import build_accounts, build_issuer, open_all
from trust_registry.errors import InvalidList, NotFounded, RuleBroken
from trust_registry.repository import Repository
from trust_registry.rules import check_root


@dataclass(frozen=True, slots=True)
class Prepared:
    """The folder is ready. `made` tells whether it was made just now."""

    settings: Settings
    made: bool


def prepare(
    data: Path, host: str, port: int, *, say: Callable[[str], None], now: Callable[[], datetime] = utc_now
) -> Prepared:
    """The demonstration's settings, its folder made first if it isn't there. `say` is told of each step.

    The public address is fixed at the first start, because certificates name it; a later `port` only changes where the
    server listens. Raises DemoFolderRefused when the folder holds something else.
    """
    data = data.absolute()
    file, mark = data / SETTINGS_FILE, data / MARK
    made = False
    if mark.exists():
        say("The last start did not finish: starting anew")
        _empty(data)
    if not file.exists():
        if data.exists() and any(data.iterdir()):
            raise DemoFolderRefused(f"{data} is not empty and holds no demonstration: choose another with --data")
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        mark.touch()
        _make(data, host, port, say, now)
        mark.unlink()
        made = True
    else:
        check_readable(data)
    return Prepared(load_settings(file, data=data, host=host, port=port), made)


def check_readable(data: Path) -> None:
    """Whether this version can read what an earlier start kept. Raises: DemoFolderRefused."""
    repository = Repository(data / "registry")
    try:
        published = repository.current()
        for role in published.list_roles():
            repository.published_list(published, role)
        check_root(published.root.signed)
    except (InvalidList, RuleBroken, NotFounded) as err:
        raise DemoFolderRefused(
            f"{data} was made by another version of Yinxin, and this one can't read it ({err}): "
            "move it away to begin anew, or choose another with --data"
        ) from err


def _empty(data: Path) -> None:
    """All but the folder itself, which is locked while a demonstration runs."""
    for each in data.iterdir():
        if each.is_dir() and not each.is_symlink():
            shutil.rmtree(each)
        else:
            each.unlink()


def _make(data: Path, host: str, port: int, say: Callable[[str], None], now: Callable[[], datetime]) -> None:
    founded_at = now()
    public_url = f"http://{'127.0.0.1' if host in ('0.0.0.0', '::') else host}:{port}"  # noqa: S104 - a comparison
    say("Making keys, holding the ceremony: two of three officers sign for each region")
    custody = Custody(data / "keys", new_passphrase(data / "passphrase"), founded_at, public_url)
    repository = Repository(data / "registry")
    regions = found(repository, custody, founded_at, public_url)
    (data / "root.json").write_bytes(repository.first_root())
    _write_certificates(data / "certificates", regions)
    _write_responders(data / "responders", regions)
    _write_settings(data / SETTINGS_FILE, data, public_url, regions, make_provider(custody).write(data))
    settings = load_settings(data / SETTINGS_FILE, data=data, host=host, port=port)
    say("Opening accounts, sealing the first certificates")
    opened = open_all(settings, now)
    opened.keeper.refresh()
    issuer = build_issuer(replace(opened, repository=repository))
    seals = take_into_custody(issuer, regions)
    filling = Filling(issuer, build_accounts(opened), now)
    open_accounts(filling)
    issue_first(filling, seals, data / "samples")
    issuer.publish_due()
    opened.keeper.refresh()
    opened.engine.dispose()


def _write_certificates(folder: Path, regions: tuple[RegionInCustody, ...]) -> None:
    folder.mkdir()
    for region in regions:
        (folder / f"{region.list.code}-ca.pem").write_bytes(region.ca.certificate.pem())


def _write_responders(folder: Path, regions: tuple[RegionInCustody, ...]) -> None:
    folder.mkdir()
    for region in regions:
        (folder / f"{region.list.code}.pem").write_bytes(region.responder.certificate.pem())


def _write_settings(
    file: Path, data: Path, public_url: str, regions: tuple[RegionInCustody, ...], more: tuple[str, ...]
) -> None:
    timestamper = next(region.timestamper for region in regions if region.list.code == DONGLING)
    lines = [
        "# Settings of this demonstration. `yinxin settings --config yinxin.toml` explains them.",
        f"public_url = {json.dumps(public_url)}  # certificates name it: never change it",
        "demo = true",
        'passphrase_file = "passphrase"',
        f"timestamp_key = {json.dumps(timestamper.signer.uri)}",
        f"registry_snapshot_key = {json.dumps(f'file:{data}/keys/network/snapshot.key')}",
        f"registry_timestamp_key = {json.dumps(f'file:{data}/keys/network/timestamp.key')}",
        *_log_settings(data, public_url),
        f"registry_list_operator = {json.dumps(DONGLING)}",
        "trust_refresh = 15",
        'sign_in_rate = "60/minute"',
        f"openid_origin = {json.dumps(wallet_origin(public_url))}  # a name: certificates for requests name no address",
        "revocation_private_addresses = true  # this machine's own responder, for yinxin augment",
        "wallet_private_addresses = true  # issuers and verifiers on this machine, for trying out",
        *more,
        'log_level = "warning"',
        'log_format = "text"',
        "[receipt_keys]",
        *(f"{json.dumps(p)} = {json.dumps(c.signer.uri)}" for r in regions for p, c in r.receipts.items()),
        "[access_keys]",
        *(f"{json.dumps(p)} = {json.dumps(c.signer.uri)}" for r in regions for p, c in r.access.items()),
        "[responder_keys]",
        *(f"{json.dumps(r.list.code)} = {json.dumps(r.responder.signer.uri)}" for r in regions),
        "[responder_ca_keys]",
        *(f"{json.dumps(r.list.code)} = {json.dumps(r.ca.signer.uri)}" for r in regions),
        "[registry_list_keys]",
        *(f"{json.dumps(r.list.code)} = {json.dumps(r.list_signer.signer.uri)}" for r in regions),
        "[witness_keys]",
        *(f"{json.dumps(r.list.code)} = {json.dumps(f'file:{data}/keys/{r.list.code}/witness.key')}" for r in regions),
        "[registry_witnesses]",
        *(
            f"{json.dumps(witness_name(public_url, r.list.code))} = {json.dumps(f'{public_url}/witness/{r.list.code}')}"
            for r in regions
        ),
    ]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _log_settings(data: Path, public_url: str) -> tuple[str, ...]:
    """The log's key, and whom this process's witnesses follow."""
    path = data / "keys" / "network" / "log.key"
    origin = log_origin(public_url)
    key = note_key(origin, NoteKeyKind.ED25519, read_key_file_header(path).public_key)
    return f"registry_log_key = {json.dumps(f'file:{path}')}", f"witness_logs = [{json.dumps(str(key))}]"
