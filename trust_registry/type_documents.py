"""The documents about certificate types that this network has ever published, by their digest.

A credential that names the digest of its type's metadata keeps it after the type has a newer version; what the lists
say now is the current one. Earlier ones are made again from the lists published then, where this process has them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Final

from trust_registry.errors import InvalidList
from trust_registry.model import CertificateType, RegionCode, TypeId
from trust_registry.service import RegistryService
from trust_registry.type_metadata import TypeDocument, make_document
from trust_registry.wire import list_from_json

_DIGEST: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_MOST: Final = 500  # lists of one authority that are looked through


@dataclass(frozen=True, slots=True)
class Published:
    """A document's bytes and their SHA-256, hexadecimal."""

    content: bytes
    digest: str


def current_document(type: CertificateType, kind: TypeDocument) -> Published:
    """As the lists have it now. Raises: ValueError, as `make_document`."""
    content = make_document(type, kind)
    return Published(content, sha256(content).hexdigest())


def find_document(
    service: RegistryService, type_id: TypeId, kind: TypeDocument, digest: str | None
) -> Published | None:
    """The current document, or the one with this digest if it was ever published; None if there is none.

    Raises: TrustMissing.
    """
    type_ = service.view().types.get(type_id)
    if type_ is None:
        return None
    try:
        now = current_document(type_, kind)
    except ValueError:
        return None
    if digest is None or digest == now.digest:
        return now
    folder = service.public_folder
    if folder is None or _DIGEST.fullmatch(digest) is None:
        return None
    return next((each for each in _earlier(folder, type_id, kind) if each.digest == digest), None)


def _earlier(folder: Path, type_id: TypeId, kind: TypeDocument) -> Iterator[Published]:
    owner = RegionCode(type_id.partition("/")[0])
    for part in ("bodies", "regions"):
        for path in sorted((folder / "targets" / part / owner).glob("*.list.json"))[:_MOST]:
            made = _in_list(path, type_id, kind)
            if made is not None:
                yield made


@lru_cache(maxsize=256)  # a published list never changes
def _in_list(path: Path, type_id: TypeId, kind: TypeDocument) -> Published | None:
    try:
        defined = list_from_json(path.read_bytes()).defines
        type_ = next((each for each in defined if each.id == type_id), None)
        return None if type_ is None else current_document(type_, kind)
    except (InvalidList, OSError, ValueError):
        return None
