"""Keeping the lists' renderings as ETSI trusted lists current, where this server holds keys that sign them.

Decides nothing: what is written is `trust_registry.interchange`. A rendering that can't be made is logged and missing;
the registry goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from keys.errors import KeysError
from keys.signer import Signer
from server.observation import log
from trust_registry.errors import TrustRegistryError
from trust_registry.interchange.publishing import (
    Source,
    remove_departed,
    render_all,
    source_of_repository,
    write_renderings,
)
from trust_registry.model import RegionCode
from trust_registry.repository import Repository


class Renderings:
    """The renderings of one hosted network. `keys` maps an authority's code to the URI of its key of use LIST; the
    one named `operator` signs the list of lists too. `base` is the URL of the public files, ending in a slash."""

    def __init__(
        self,
        repository: Repository,
        signers: Callable[[str], Signer],
        keys: Mapping[str, str],
        *,
        operator: str,
        base: str,
        now: Callable[[], datetime],
    ) -> None:
        self._repository = repository
        self._signers = signers
        self._keys = keys
        self._operator = RegionCode(operator) if operator else None
        self._base = base
        self._now = now

    def run(self) -> None:
        """Sign again what has changed since it was signed. Raises nothing that the registry's work depends on."""
        if not self._keys:
            return
        try:
            source = source_of_repository(self._repository)
        except (TrustRegistryError, OSError) as err:
            log.warning("no lists to render", reason=str(err))
            return
        self._remove_departed(source)
        for code, uri in self._keys.items():
            try:
                now = self._now()
                made = render_all(source, {RegionCode(code): self._signers(uri)}, self._operator, self._base, now)
                with self._repository.exclusive():
                    written = write_renderings(self._repository.folder / "public", made, now)
            except (TrustRegistryError, KeysError, OSError) as err:
                log.warning("a list can't be rendered", list=code, reason=str(err))
                continue
            if written:
                log.info("lists rendered", files=list(written))

    def _remove_departed(self, source: Source) -> None:
        try:
            with self._repository.exclusive():
                removed = remove_departed(self._repository.folder / "public", source)
        except (TrustRegistryError, OSError) as err:
            log.warning("renderings of lists that left can't be removed", reason=str(err))
            return
        if removed:
            log.info("renderings of lists that left removed", files=list(removed))
