"""A publication that is decided and not yet in force: its record, and the one step that puts it in force.

Decides nothing and signs nothing: `publication` does.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from typing import Final

from trust_registry.durable import exchange_folders, sync_path, write_durably
from trust_registry.errors import LogDamaged
from trust_registry.repository import Repository

_FORMAT: Final = "yinxin-publication/1"


@dataclass(frozen=True, slots=True)
class Staged:
    """What is to be published. `leaf`: the log's entry, None without a log. `root_version`: that of a new root."""

    proposal: str | None
    snapshot_version: int
    leaf: bytes | None
    root_version: int | None


def stage(repository: Repository, staged: Staged, root: bytes | None) -> None:
    """Write the record; its presence is the decision. Raises: OSError."""
    if root is not None:
        write_durably(repository.publishing / f"{staged.root_version}.root.json", root)
    document = {
        "format": _FORMAT,
        "proposal": staged.proposal,
        "snapshot_version": staged.snapshot_version,
        "leaf": None if staged.leaf is None else staged.leaf.decode("ascii"),
        "root_version": staged.root_version,
    }
    write_durably(repository.publishing / "publication.json", json.dumps(document, indent=1).encode())


def read_staged(repository: Repository) -> Staged | None:
    """The record, if there is one. Raises: LogDamaged when it can't be read."""
    try:
        document = json.loads((repository.publishing / "publication.json").read_bytes())
        leaf = document["leaf"]
        return Staged(
            document["proposal"],
            int(document["snapshot_version"]),
            None if leaf is None else leaf.encode("ascii"),
            document["root_version"],
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as err:
        raise LogDamaged("the record of what is being published can't be read") from err


def discard_staged(repository: Repository) -> None:
    """Forget the record of what is in force now. Raises: OSError."""
    (repository.publishing / "publication.json").unlink(missing_ok=True)
    sync_path(repository.publishing)
    for path in repository.publishing.glob("*.root.json"):
        path.unlink(missing_ok=True)


def switch(repository: Repository, timestamp: bytes, staged: Staged | None) -> None:
    """Put a state in force: write timestamp.json, and a new root with it in the same step. Raises: OSError.

    A new root alone would be believed at once by whoever asks, with the old state under it that it may not allow; so
    the folder of metadata is prepared beside (its files linked) and the two change places. Where the file system can't
    do that, root is written just before timestamp.json.
    """
    version = None if staged is None else staged.root_version
    if version is None:
        repository.write_metadata("timestamp", None, timestamp)
        return
    root = (repository.publishing / f"{version}.root.json").read_bytes()
    if repository.founded:
        beside = repository.metadata.with_name(".metadata")
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir()
        for path in repository.metadata.iterdir():
            if not path.name.startswith("."):
                os.link(path, beside / path.name)
        write_durably(beside / f"{version}.root.json", root)
        write_durably(beside / "timestamp.json", timestamp)
        exchanged = exchange_folders(repository.metadata, beside)
        shutil.rmtree(beside, ignore_errors=True)
        if exchanged:
            return
    repository.write_metadata("root", version, root)
    repository.write_metadata("timestamp", None, timestamp)
