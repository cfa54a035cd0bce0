"""A local trust copy as a set of named files, and back into views from these bytes alone: for kits and case files.

What comes back was verified again, from the first root that the reader knows to the last status list; nothing is
believed because it stands in a bundle. Fetches nothing, signs nothing, and packs no container: that is its user's.

    bundle.json                       format, when the copy was confirmed, which roles are in it (null: all)
    metadata/                         TUF metadata: root.json, root_history/N.root.json, snapshot.tlog-proof, held/
    lists/<sha256>.json               the authorities' lists
    foreign/                          lists of other networks (see `foreign_copy`)
    status/<sha256 of URI>.jwt .json  status list tokens (see `status_cache`)
"""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from securesystemslib.exceptions import Error as SigningError
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, Root, Snapshot, Targets, Timestamp

from keys.envelopes.strict_json import load_json
from keys.errors import AlgorithmNotSupported, MalformedEnvelope
from trust_registry.client import TrustStore, aged
from trust_registry.containment import read_held
from trust_registry.errors import RefreshRefused, RuleBroken, TrustDamaged
from trust_registry.fetching import MAX_SIZE as MAX_FOREIGN
from trust_registry.foreign_copy import ForeignCopy, ForeignProblem, with_foreign
from trust_registry.log.verification import LogPolicy
from trust_registry.logged_copy import PROOF_FILE, LoggedState, load_logged
from trust_registry.model import RegionCode, StatusView, TrustView
from trust_registry.roles import ListRole
from trust_registry.rules import check_root
from trust_registry.status_cache import StatusCache
from trust_registry.status_list import MAX_TOKEN_SIZE
from trust_registry.trusted_copy import admitted_roles, open_copy
from trust_registry.tuf_keys import public_key_of
from trust_registry.wire import MAX_LIST_SIZE

FORMAT: Final = "yinxin-bundle/1"
INDEX: Final = "bundle.json"
MAX_FILES: Final = 65_536
MAX_BYTES: Final = 512 * 1024 * 1024
_MAX_METADATA: Final = 16 * 1024 * 1024
_ROOTS: Final = "metadata/root_history/"
_NAME: Final = r"[A-Za-z0-9][A-Za-z0-9-]{0,63}"
_DIGEST: Final = r"[0-9a-f]{64}"
_KINDS: Final = (
    (re.compile(r"bundle\.json"), 1 << 20),
    (re.compile(rf"metadata/(held/)?{_NAME}\.json"), _MAX_METADATA),
    (re.compile(r"metadata/root_history/[0-9]{1,9}\.root\.json"), _MAX_METADATA),
    (re.compile(r"metadata/snapshot\.tlog-proof"), 1 << 20),
    (re.compile(rf"lists/{_DIGEST}\.json"), MAX_LIST_SIZE),
    (re.compile(rf"foreign/{_NAME}\+{_NAME}\.json"), 1 << 20),
    (re.compile(rf"foreign/{_DIGEST}\.list"), MAX_FOREIGN),
    (re.compile(rf"status/{_DIGEST}\.jwt"), MAX_TOKEN_SIZE),
    (re.compile(rf"status/{_DIGEST}\.json"), 1 << 14),
)
_TOP: Final = (Root.type, Timestamp.type, Snapshot.type, Targets.type)
_UNREADABLE: Final = (
    RepositoryError,
    SigningError,
    MalformedEnvelope,
    AlgorithmNotSupported,
    OSError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    OverflowError,
    RecursionError,
)


@dataclass(frozen=True, slots=True)
class OpenedBundle:
    """What a bundle says, verified. `confirmed_at`: when the copy was last confirmed against its repository (UTC).

    `pinned`: it leads back to the root that the reader knows; otherwise it vouches for itself alone, and whoever
    made it may have made the network. `complete`: every authority of the network is in it, not a selection.
    `roots`: the bytes of the roots, oldest first. `ends_at`: when the first of the methods that its metadata are signed
    with ends, if that is known: after that, only proof that it existed before makes it worth anything. `foreign`: which
    lists of other networks can't be believed, and why.
    """

    trust: TrustView
    statuses: StatusView
    confirmed_at: datetime
    pinned: bool
    complete: bool
    roots: tuple[bytes, ...]
    logged: LoggedState | None
    ends_at: datetime | None
    foreign: tuple[ForeignProblem, ...] = ()


def make_bundle(
    store: TrustStore,
    now: datetime,
    *,
    authorities: Collection[RegionCode] | None = None,
    statuses: Collection[str] | None = None,
) -> dict[str, bytes]:
    """The files of the copy in `store`, by name, sorted; the same copy gives the same bytes.

    `authorities`: only the lists of these (None: all); `statuses`: only the status lists at these URIs (None: all that
    are kept). Raises: TrustMissing, TrustDamaged.
    """
    view = store.load(now)
    folder = store.folder
    roles = None
    if authorities is not None:
        roles = sorted(role.name for role in _admitted(store.metadata_folder) if role.code in authorities)
    try:
        files = dict(_metadata(store.metadata_folder, folder / "lists", roles))
        files.update(_foreign(folder / "foreign", None if authorities is None else frozenset(authorities)))
        files.update(_statuses(folder / "status", None if statuses is None else frozenset(statuses)))
    except _UNREADABLE as err:
        raise TrustDamaged(f"the copy can't be put into a bundle: {err}") from err
    files[INDEX] = _dumps({"format": FORMAT, "confirmed_at": view.refreshed_at.isoformat(), "roles": roles})
    check_names(files)
    return dict(sorted(files.items()))


def open_bundle(
    files: Mapping[str, bytes],
    *,
    first_root: bytes | None,
    at: datetime,
    policy: LogPolicy | None = None,
) -> OpenedBundle:
    """What the bundle says to who asks as of `at` (UTC), from its bytes alone.

    `first_root`: the root that the reader knows, byte by byte one of those in the bundle; everything after it must
    follow from it. None: from the bundle's own oldest root (`pinned` is then False). Metadata that expired since is no
    error, as in `TrustStore.load`; the copy never counts as confirmed after its own metadata ran out, whatever
    bundle.json says. Raises: TrustDamaged naming what does not hold, for anything malformed, too.
    """
    check_names(files)
    try:
        stated, roles = _read_index(files[INDEX])
        roots = _follow_roots(files, first_root)
        _check_statuses(files)
        with tempfile.TemporaryDirectory(prefix="yinxin-") as name:
            folder = Path(name)
            _unpack(files, folder)
            return _open(folder, roots, stated, roles, at=at, policy=policy or LogPolicy(), first_root=first_root)
    except RuleBroken as err:
        raise TrustDamaged(str(err)) from err
    except RefreshRefused as err:
        raise TrustDamaged(f"the bundle's proof of logging does not hold: {err}") from err
    except _UNREADABLE as err:
        raise TrustDamaged(f"the bundle does not verify: {err}") from err


def known_roots(store: TrustStore) -> tuple[bytes, ...]:
    """The roots that this copy has followed, oldest first: what bundles may lead back to. Raises: TrustMissing,
    TrustDamaged."""
    history = store.metadata_folder / "root_history"
    try:
        found = {int(path.name.partition(".")[0]): path.read_bytes() for path in history.glob("*.root.json")}
    except (OSError, ValueError) as err:
        raise TrustDamaged("the roots of the copy can't be read") from err
    return tuple(found[number] for number in sorted(found))


def roots_of(files: Mapping[str, bytes]) -> tuple[bytes, ...]:
    """The bytes of the roots that a bundle brings, oldest first; nothing is verified."""
    found = {name: data for name, data in files.items() if name.startswith(_ROOTS) and name.endswith(".root.json")}
    return tuple(found[name] for name in sorted(found, key=lambda name: (len(name), name)))


def check_names(files: Mapping[str, bytes]) -> None:
    """Whether these can be a bundle's files: known names, bounded sizes and number. Raises: TrustDamaged."""
    if INDEX not in files:
        raise TrustDamaged(f"a bundle without {INDEX}")
    if len(files) > MAX_FILES or sum(map(len, files.values())) > MAX_BYTES:
        raise TrustDamaged(f"a bundle of more than {MAX_FILES} files or {MAX_BYTES} bytes")
    for name, data in files.items():
        limit = next((limit for pattern, limit in _KINDS if pattern.fullmatch(name)), None)
        if limit is None:
            raise TrustDamaged(f"no file of a bundle: {name[:80]!r}")
        if len(data) > limit:
            raise TrustDamaged(f"{name} has more than {limit} bytes")


# --- making


def _admitted(metadata: Path) -> Iterator[ListRole]:
    targets = Metadata[Targets].from_bytes((metadata / "targets.json").read_bytes()).signed
    return admitted_roles(targets)


def _metadata(metadata: Path, lists: Path, roles: Sequence[str] | None) -> Iterator[tuple[str, bytes]]:
    for name in _TOP:
        yield f"metadata/{name}.json", (metadata / f"{name}.json").read_bytes()
    for path in (metadata / "root_history").glob("*.root.json"):
        yield f"metadata/root_history/{path.name}", path.read_bytes()
    if (metadata / PROOF_FILE).is_file():
        yield f"metadata/{PROOF_FILE}", (metadata / PROOF_FILE).read_bytes()
    held = read_held(metadata)
    if held:
        yield "metadata/held/held.json", (metadata / "held" / "held.json").read_bytes()
    for role in _admitted(metadata):
        path = metadata / f"{role.name}.json"
        if (roles is not None and role.name not in roles) or not path.is_file():
            continue
        yield f"metadata/{path.name}", path.read_bytes()
        if role.name in held:
            path = metadata / "held" / path.name
            if not path.is_file():
                continue  # held back, and nothing stands in
            yield f"metadata/held/{path.name}", path.read_bytes()
        target = Metadata[Targets].from_bytes(path.read_bytes()).signed.targets[role.target]
        digest = target.hashes["sha256"]
        yield f"lists/{digest}.json", (lists / f"{digest}.json").read_bytes()


def _foreign(folder: Path, naming: frozenset[str] | None) -> Iterator[tuple[str, bytes]]:
    for path in folder.glob("*+*.json"):
        if naming is not None and path.stem.partition("+")[0] not in naming:
            continue
        facts: Any = json.loads(path.read_bytes())
        yield f"foreign/{path.name}", _dumps(facts)
        for digest in facts["documents"].values():
            yield f"foreign/{digest}.list", (folder / f"{digest}.list").read_bytes()


def _statuses(folder: Path, wanted: frozenset[str] | None) -> Iterator[tuple[str, bytes]]:
    for path in folder.glob("*.json"):
        facts: Any = json.loads(path.read_bytes())
        token = path.with_suffix(".jwt")
        if (wanted is None or facts["uri"] in wanted) and token.is_file():
            yield f"status/{path.name}", _dumps(facts)
            yield f"status/{token.name}", token.read_bytes()


def _dumps(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


# --- opening


def _read_index(data: bytes) -> tuple[datetime, frozenset[str] | None]:
    document: Any = load_json(data)
    if document["format"] != FORMAT:
        raise TrustDamaged(f"a bundle of another format than {FORMAT}")
    confirmed_at, roles = datetime.fromisoformat(document["confirmed_at"]), document["roles"]
    if confirmed_at.tzinfo is None:
        raise ValueError("confirmed_at is not in UTC")
    if roles is not None and not all(isinstance(role, str) for role in roles):
        raise TypeError("roles are not names")
    return confirmed_at.astimezone(UTC), None if roles is None else frozenset(roles)


def _follow_roots(files: Mapping[str, bytes], first_root: bytes | None) -> tuple[bytes, ...]:
    """The roots from the reader's to the last, each signed by the one before and by itself. Raises: TrustDamaged.

    Spec: TUF 1.0.33 section 5.3, without the download; expiry is not judged.
    """
    history = {int(name[len(_ROOTS) :].partition(".")[0]): files[name] for name in files if name.startswith(_ROOTS)}
    numbers = sorted(history)
    if not numbers or numbers[-1] - numbers[0] >= len(numbers):
        raise TrustDamaged("the bundle's roots have a gap, or there are none")
    if history[numbers[-1]] != files["metadata/root.json"]:
        raise TrustDamaged("root.json is not the last of the bundle's roots")
    begin = numbers[0]
    if first_root is not None:
        known = [number for number in numbers if history[number] == first_root]
        if not known:
            raise TrustDamaged("the bundle does not lead back to the root that is known here")
        begin = known[0]
    before: Metadata[Root] | None = None
    for number in range(begin, numbers[-1] + 1):
        root = Metadata[Root].from_bytes(history[number])
        if root.signed.version != number:
            raise TrustDamaged(f"root {number} says that it is version {root.signed.version}")
        for judge in (root, before or root):
            judge.signed.verify_delegate(Root.type, root.signed_bytes, root.signatures)
        check_root(root.signed)
        before = root
    return tuple(history[number] for number in numbers)


def _check_statuses(files: Mapping[str, bytes]) -> None:
    """Whether each token has its facts and each URI its own name. Raises: TrustDamaged, ValueError, ..."""
    for name in files:
        stem, _, suffix = name.rpartition(".")
        if not name.startswith("status/"):
            continue
        if f"{stem}.{'jwt' if suffix == 'json' else 'json'}" not in files:
            raise TrustDamaged(f"{name} stands alone")
        if suffix == "json":
            facts: Any = load_json(files[name])
            if stem != "status/" + hashlib.sha256(facts["uri"].encode()).hexdigest():
                raise TrustDamaged(f"{name} is of another URI")


def _unpack(files: Mapping[str, bytes], folder: Path) -> None:
    for name, data in files.items():
        path = folder / name  # `check_names` let no other than our own through
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def _open(
    folder: Path,
    roots: tuple[bytes, ...],
    stated: datetime,
    roles: frozenset[str] | None,
    *,
    at: datetime,
    policy: LogPolicy,
    first_root: bytes | None,
) -> OpenedBundle:
    metadata = folder / "metadata"
    view = open_copy(metadata, folder / "lists", refreshed_at=stated, known={}, only=roles).view
    logged = load_logged(metadata, policy)
    confirmed_at = min(stated, at, *(view.expiries[name] for name in _TOP))
    view = aged(view, confirmed_at)
    foreign = ForeignCopy(folder / "foreign").load(view, at)
    view = with_foreign(view, foreign.lists)
    statuses = StatusCache(folder / "status").load(view, at)
    pinned = first_root is not None
    ends_at = _methods_end(metadata, roots[roots.index(first_root) :] if first_root is not None else roots)
    return OpenedBundle(view, statuses, confirmed_at, pinned, roles is None, roots, logged, ends_at, foreign.problems)


def _methods_end(metadata: Path, roots: Sequence[bytes]) -> datetime | None:
    """When the first of the methods ends that root and the authorities may sign with."""
    targets = Metadata[Targets].from_bytes((metadata / "targets.json").read_bytes()).signed
    keys = [key for data in roots for key in Metadata[Root].from_bytes(data).signed.keys.values()]
    keys += [] if targets.delegations is None else targets.delegations.keys.values()
    sunsets = {public_key_of(key).algorithm.sunset for key in keys}
    return min((sunset for sunset in sunsets if sunset is not None), default=None)
