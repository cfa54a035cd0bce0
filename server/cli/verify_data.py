"""Where `yinxin verify` takes trust and status data from: a copy, a repository, or an offline kit. Judges nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from time import monotonic

import typer

from trust_registry.model import StatusProblem, StatusSnapshot, StatusView, TrustView


@dataclass(frozen=True, slots=True)
class Data:
    """Both views, asked for anew for every certificate. `ensure_status` fetches a status list, `status_then` one of a
    time past; None: offline.

    `roots`: the roots that are trusted here, for what case files bring along.
    """

    trust: Callable[[], TrustView | None]
    statuses: Callable[[], StatusView]
    ensure_status: Callable[[str], None] | None = None
    roots: Callable[[], tuple[bytes, ...]] = tuple
    status_then: Callable[[str, datetime], StatusSnapshot | StatusProblem | None] | None = None


def data_from(trust: str | None, root: Path | None, kit: Path | None = None) -> Data:
    """The data behind `--trust` (a folder or a URL) or `--kit`; without either, the settings' own copy.

    Raises: typer.BadParameter naming the option whose data cannot be used.
    """
    if root is not None and not root.is_file():
        raise typer.BadParameter(f"{root}: No such file or directory", param_hint="--root")
    if kit is not None:
        if trust is not None:
            raise typer.BadParameter("a kit brings its own trust data: leave --trust out", param_hint="--kit")
        return _of_kit(kit, root)
    if trust is not None and trust.startswith(("http://", "https://")):
        return _online(trust, root)
    folder = _settings_copy() if trust is None else Path(trust)
    view, statuses = _local_copy(folder, optional=trust is None)
    return Data(lambda: view, lambda: statuses, None, lambda: _roots(folder, root))


def _of_kit(kit: Path, root: Path | None) -> Data:
    from server.cli.kit import open_kit_file
    from trust_registry.errors import TrustDamaged
    from verifier.errors import VerifierError

    try:
        _, opened = open_kit_file(kit, root)
    except (VerifierError, TrustDamaged) as err:
        raise typer.BadParameter(f"{kit}: {err}", param_hint="--kit") from err
    return Data(lambda: opened.trust, lambda: opened.statuses, None, lambda: _roots(_settings_copy(), root))


def _roots(folder: Path, root: Path | None) -> tuple[bytes, ...]:
    """Those that the copy has followed, and the one that the asker names."""
    from trust_registry.bundle import known_roots
    from trust_registry.client import TrustStore

    store = TrustStore(folder)
    followed = known_roots(store) if store.bootstrapped else ()
    if root is None:
        return followed
    try:
        return (*followed, root.read_bytes())
    except OSError as err:
        raise typer.BadParameter(f"{root}: {err.strerror}", param_hint="--root") from err


def _local_copy(folder: Path, *, optional: bool) -> tuple[TrustView | None, StatusView]:
    """What a folder holds, verified again; nothing is fetched. Only the settings' own folder may be empty."""
    from server.clock import utc_now
    from trust_registry.client import TrustStore
    from trust_registry.errors import TrustDamaged, TrustMissing
    from trust_registry.status_cache import StatusCache

    now = utc_now()
    try:
        view = TrustStore(folder).load(now)
    except TrustMissing as err:
        if optional:
            sys.stderr.write(f"yinxin: no trust data in {folder}: say where it is with --trust DIR\n")
            return None, StatusView({})
        raise typer.BadParameter(f"{folder}: {err}", param_hint="--trust") from err
    except TrustDamaged as err:
        raise typer.BadParameter(f"{folder}: {err}", param_hint="--trust") from err
    return view, StatusCache(folder / "status").load(view, now)


def _online(url: str, root: Path | None) -> Data:
    """A copy of the repository at `url` in the settings' folder, refreshed; status lists are fetched as needed."""
    import httpx

    from server.clock import utc_now
    from trust_registry.client import TrustStore
    from trust_registry.errors import TrustDamaged
    from trust_registry.fetching import http_fetch
    from trust_registry.keeper import TrustKeeper

    store = TrustStore(_settings_copy())
    try:
        if root is not None:
            store.bootstrap(root.read_bytes(), url)
        if not store.bootstrapped:
            raise typer.BadParameter(
                "the first time, --root FILE is needed to know whom to trust", param_hint="--trust"
            )
        client = httpx.Client(timeout=10, follow_redirects=False)
        keeper = TrustKeeper(store, http_fetch(client, timer=monotonic), utc_now)
    except (TrustDamaged, OSError) as err:
        raise typer.BadParameter(str(err), param_hint="--trust") from err
    keeper.refresh()
    if keeper.health.failure is not None:
        sys.stderr.write(f"yinxin: trust data not refreshed ({keeper.health.failure})\n")
    roots = lambda: _roots(store.folder, None)  # noqa: E731
    return Data(lambda: keeper.view, lambda: keeper.statuses, keeper.ensure_status, roots, keeper.status_then)


def _settings_copy() -> Path:
    from server.settings import load_settings

    settings = load_settings()
    return settings.path(settings.trust_dir)
