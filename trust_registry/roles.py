"""The names by which a list appears in TUF metadata: role, path pattern, target path. Signs and reads nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from trust_registry.model import ListKind, RegionCode

_CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,31}", re.ASCII)
_FOLDERS: Final = {ListKind.REGION: "regions", ListKind.BODY: "bodies"}


@dataclass(frozen=True, slots=True)
class ListRole:
    """The delegated role of one authority: `region-<code>` over `regions/<code>/*`, or `body-<code>` over
    `bodies/<code>/*`."""

    kind: ListKind
    code: RegionCode

    @property
    def name(self) -> str:
        return f"{self.kind.value}-{self.code}"

    @property
    def paths(self) -> list[str]:
        return [f"{_FOLDERS[self.kind]}/{self.code}/*"]

    @property
    def target(self) -> str:
        return f"{_FOLDERS[self.kind]}/{self.code}/list.json"

    @classmethod
    def parse(cls, name: str) -> ListRole | None:
        """The role of this name, or None when it is none of ours."""
        kind, _, code = name.partition("-")
        if kind not in ("region", "body") or not _CODE.fullmatch(code):
            return None
        return cls(ListKind(kind), RegionCode(code))
