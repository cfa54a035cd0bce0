"""What the console and the JSON routes ask of the registry: the verified view, proposals, seal images, recognition.

Shows; changes nothing. Lists change only by ceremony, with officers' own keys.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from securesystemslib.signer import Key

from trust_registry.ceremony import pending
from trust_registry.core import judge_recognition
from trust_registry.errors import NotFounded, TrustMissing, UnknownList
from trust_registry.keeper import KeeperHealth, TrustKeeper
from trust_registry.matrix import Matrix, make_matrix
from trust_registry.model import RecognitionAnswer, RegionCode, RegionList, ScenarioId, TrustView, TypeId
from trust_registry.ports import Clock
from trust_registry.proposals import Proposal
from trust_registry.publication import OnlineKeys, renew
from trust_registry.repository import Repository
from trust_registry.tuf_keys import key_name

__all__ = ["KeeperHealth", "RegistryService", "TrustKeeper"]


@dataclass(frozen=True, slots=True)
class OfficerGroup:
    """Who signs for one list (or, for "root", for the network): key ids with names, and how many are needed."""

    threshold: int
    officers: tuple[tuple[str, str], ...]  # (key id, name)


class RegistryService:
    """One network as this process knows it: the verified view, and, where this process hosts it, its folder."""

    def __init__(
        self,
        view: Callable[[], TrustView | None],
        now: Clock,
        repository: Repository | None = None,
        online: Callable[[], OnlineKeys] | None = None,
    ) -> None:
        self._view = view
        self._now = now
        self._repository = repository
        self._online = online

    def view(self) -> TrustView:
        """The verified view. Raises: TrustMissing."""
        view = self._view()
        if view is None:
            raise TrustMissing("no trust data yet")
        return view

    def matrix(self, at: datetime | None = None) -> Matrix:
        """Who accepts what from whom at `at` (default: now). Raises: TrustMissing."""
        return make_matrix(self.view(), self._now() if at is None else at)

    def region(self, code: RegionCode) -> RegionList:
        """Raises: UnknownList, TrustMissing."""
        found = self.view().lists.get(code)
        if found is None:
            raise UnknownList(code)
        return found

    def recognition(
        self,
        issuing: RegionCode,
        type_id: TypeId,
        accepting: RegionCode,
        *,
        scenario: ScenarioId | None = None,
        at: datetime | None = None,
    ) -> RecognitionAnswer:
        """The answer, with its chain, for `at` (default: now). Raises: TrustMissing."""
        return judge_recognition(self.view(), issuing, type_id, accepting, scenario, self._now() if at is None else at)

    def proposals(self) -> tuple[Proposal, ...]:
        """What waits for signatures, oldest first; nothing where this process does not host the network."""
        if self._repository is None:
            return ()
        try:
            return pending(self._repository)
        except NotFounded:
            return ()

    def officers(self) -> Mapping[str, OfficerGroup]:
        """Who signs: by region or body code, and "root" for the network's seats. Empty where it is not hosted."""
        if self._repository is None or not self._repository.founded:
            return {}
        published = self._repository.current()
        root = published.root.signed
        seats = root.roles["root"]
        groups = {"root": OfficerGroup(seats.threshold, _named(seats.keyids, root.keys))}
        delegations = published.targets.signed.delegations
        for role in published.list_roles():
            delegated = published.targets.signed.get_delegated_role(role.name)
            keys = {} if delegations is None else delegations.keys
            groups[role.code] = OfficerGroup(delegated.threshold, _named(delegated.keyids, keys))
        return groups

    def seal_image(self, digest: str) -> bytes | None:
        """The SVG whose digest ("sha256:<hex>") a list names, if this process has it."""
        return None if self._repository is None else self._repository.image(digest)

    @property
    def public_folder(self) -> Path | None:
        """The static files to serve, where this process hosts the network."""
        return None if self._repository is None else self._repository.folder / "public"

    def renew(self) -> bool:
        """Re-sign snapshot and timestamp when due (hosts only); called in the background. Returns whether it wrote."""
        if self._repository is None or self._online is None or not self._repository.founded:
            return False
        return renew(self._repository, self._online(), self._now())


def _named(keyids: Iterable[str], keys: Mapping[str, Key]) -> tuple[tuple[str, str], ...]:
    return tuple((keyid, key_name(keys[keyid])) for keyid in keyids if keyid in keys)
