"""`yinxin kit`: the offline kit for a region's counters: build, look into, bring up to date by deltas.

Kits are `verifier.kits` and `verifier.kit_trust`; here are only arguments, files and printing.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from server.cli.settings import ConfigOption

if TYPE_CHECKING:
    from server.settings import Settings
    from trust_registry.client import TrustStore
    from trust_registry.model import RegionCode, TrustView
    from verifier.kit_trust import OpenedKit
    from verifier.kits import Kit
    from verifier.receipts import ReceiptKey

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Everything a counter needs to verify without a network, in one signed file.",
)

KitArgument = Annotated[Path, typer.Argument(metavar="KIT", help="A kit.")]
OutOption = Annotated[Path | None, typer.Option("--out", help="Where to write it.", show_default=False)]
TrustOption = Annotated[
    Path | None, typer.Option("--trust", metavar="DIR", help="Copy of the trust data. Default: the settings' copy.")
]
RootOption = Annotated[
    Path | None, typer.Option("--root", help="The network's first root. Default: that of the settings' copy.")
]


@app.command()
def build(
    region: Annotated[str, typer.Option(help="Region whose counters are to use it.")],
    *,
    signer: Annotated[
        str | None, typer.Option("--as", metavar="ID", help="Relying party that signs it, if several have keys here.")
    ] = None,
    key: Annotated[
        str | None, typer.Option(help="Key file or pkcs11: URI that signs it, instead of one in the settings.")
    ] = None,
    passphrase_file: Annotated[Path | None, typer.Option(help="File with the passphrase of --key.")] = None,
    out: OutOption = None,
    trust: TrustOption = None,
    config: ConfigOption = None,
) -> None:
    """Build a kit from this machine's copy of the trust data (bring that up to date before: yinxin registry refresh).

    The key is a relying party's key for receipts, or the authority's for lists: the region lists it.

    Examples:
      yinxin kit build --region 990200 --out counters.kit
      yinxin kit build --region 990200 --trust ./trust --key receipts.key --passphrase-file secret
    """
    from server.clock import utc_now
    from trust_registry.durable import write_durably
    from trust_registry.model import RegionCode
    from verifier.kit_trust import build_kit

    now, code, settings = utc_now(), RegionCode(region), _settings(config)
    store = _store(trust or settings.path(settings.trust_dir))
    view = store.load(now)
    if code not in view.lists:
        raise typer.BadParameter(
            f"no region {region} in this copy: {', '.join(sorted(view.lists))}", param_hint="--region"
        )
    data = build_kit(store, code, _signing_key(view, code, signer, key, passphrase_file, settings), now)
    path = out or Path(f"{region}-{now:%Y%m%d-%H%M}.kit")
    write_durably(path, data)
    sys.stdout.write(f"{path}: {_size(len(data))}, trust data confirmed {view.refreshed_at:%Y-%m-%d %H:%M} UTC\n")


@app.command()
def show(kit: KitArgument, root: RootOption = None, config: ConfigOption = None) -> None:
    """Say what is in a kit, who signed it, and how old it is, after verifying all of it.

    Example: yinxin kit show counters.kit --root 1.root.json
    """
    for line in _described(*open_kit_file(kit, root, config)):
        sys.stdout.write(line + "\n")


@app.command()
def delta(
    old: Annotated[Path, typer.Argument(help="The kit that counters have.")],
    new: Annotated[Path, typer.Argument(help="The newer kit.")],
    out: Annotated[Path, typer.Option(help="Where to write the delta.")],
) -> None:
    """Write what turns an older kit into a newer one: usually a small part of it.

    Example: yinxin kit delta monday.kit tuesday.kit --out tuesday.delta
    """
    from trust_registry.durable import write_durably
    from verifier.kits import make_delta

    made = make_delta(_read(old), _read(new))
    write_durably(out, made)
    sys.stdout.write(f"{out}: {_size(len(made))}, instead of {_size(new.stat().st_size)}\n")


@app.command("apply")
def apply_(
    old: Annotated[Path, typer.Argument(help="The kit that is here.")],
    changes: Annotated[Path, typer.Argument(metavar="DELTA", help="The delta.")],
    out: OutOption = None,
) -> None:
    """Bring a kit up to date with a delta. The old kit stays if the delta does not fit. Default: in place.

    Example: yinxin kit apply counters.kit tuesday.delta
    """
    from trust_registry.durable import write_durably
    from verifier.kits import apply_delta

    made = apply_delta(_read(old), _bytes(changes))
    write_durably(out or old, made)
    sys.stdout.write(f"{out or old}: {_size(len(made))}\n")


def open_kit_file(path: Path, root: Path | None, config: Path | None = None) -> tuple[Kit, OpenedKit]:
    """The kit in a file, verified from `root` or from the root that this machine's copy began with.

    Raises: typer.BadParameter without either; KitRefused, MalformedKit, TrustDamaged.
    """
    from server.clock import utc_now
    from verifier.kit_trust import open_kit

    kit = _read(path)
    return kit, open_kit(kit, _first_root(root, config), utc_now())


def _first_root(root: Path | None, config: Path | None) -> bytes:
    from trust_registry.errors import TrustMissing

    if root is not None:
        return _bytes(root)
    settings = _settings(config)
    try:
        history = _store(settings.path(settings.trust_dir)).metadata_folder / "root_history"
    except TrustMissing as err:
        raise typer.BadParameter(
            "whom to trust? Name the network's first root (1.root.json), obtained from somebody you trust",
            param_hint="--root",
        ) from err
    return _bytes(min(history.glob("*.root.json"), key=lambda path: int(path.name.partition(".")[0])))


def _signing_key(  # noqa: PLR0917
    view: TrustView, code: RegionCode, party: str | None, key: str | None, passphrase: Path | None, settings: Settings
) -> ReceiptKey:
    """The named key, or one of the settings' receipt keys; with the certificate that the region lists for it."""
    from keys.x509 import parse_certificate
    from server.cli.registry_keys import open_named_key
    from server.custody import Signers
    from verifier.receipts import ReceiptKey

    if key is not None:
        signer = open_named_key(key, passphrase)
    else:
        mine = {name: uri for name, uri in settings.receipt_keys.items() if name.startswith(f"{code}/")}
        chosen = mine if party is None else {name: uri for name, uri in mine.items() if name == party}
        if len(chosen) != 1:
            if not mine:
                missing = f"the settings name no key of {code} that may sign it: name one with --key FILE"
                raise typer.BadParameter(missing, param_hint="--key")
            known = ", ".join(sorted(mine))
            raise typer.BadParameter(f"which key? --key FILE, or --as one of: {known}", param_hint="--as")
        signer = Signers(settings)(next(iter(chosen.values())))
    listed = view.lists[code]
    entries = [*listed.authorities, *(each for found in listed.relying_parties for each in found.keys)]
    for certificate in (parse_certificate(entry.certificate) for entry in entries):
        if certificate.spki == signer.public_key.spki:
            return ReceiptKey(signer, certificate)
    raise typer.BadParameter(f"region {code} does not list this key", param_hint="--key")


def _described(kit: Kit, opened: OpenedKit) -> Iterator[str]:
    from trust_registry.model import StatusSnapshot

    manifest, view = opened.manifest, opened.trust
    region = view.lists[manifest.region].names
    yield f"Kit for {manifest.region} {region.zh} / {region.en}, signed by {opened.signer.zh} / {opened.signer.en}"
    yield f"  made {manifest.made_at:%Y-%m-%d %H:%M} UTC, trust data confirmed {view.refreshed_at:%Y-%m-%d %H:%M} UTC"
    for code, found in sorted(view.lists.items()):
        yield f"  {code} {found.names.zh} / {found.names.en}: version {found.version}"
    for uri, entry in opened.statuses.entries.items():
        if isinstance(entry, StatusSnapshot):
            yield f"  {uri}: {len(entry.statuses)} entries, issued {entry.issued_at:%Y-%m-%d %H:%M} UTC"
        else:
            yield f"  {uri}: {entry.kind.value}"
    yield f"  {len(kit.files)} pieces, {_size(sum(map(len, kit.files.values())))} unpacked"
    yield f"  {kit.digest}"


def _settings(config: Path | None) -> Settings:
    from server.settings import load_settings

    return load_settings(config)


def _store(folder: Path) -> TrustStore:
    from trust_registry.client import TrustStore

    return TrustStore(folder)


def _read(path: Path) -> Kit:
    from verifier.kits import read_kit

    return read_kit(_bytes(path))


def _bytes(path: Path) -> bytes:
    """A file, of at most one byte more than a kit may have."""
    from verifier.kits import MAX_KIT

    try:
        with path.open("rb") as file:
            return file.read(MAX_KIT + 1)
    except OSError as err:
        raise typer.BadParameter(f"{path}: {err.strerror}") from err


def _size(size: int) -> str:
    return f"{size / 1024:.0f} KiB" if size < 1 << 20 else f"{size / (1 << 20):.1f} MiB"
