"""The judging side of the simulated world: a desk with a verifier and a wallet reader, online or not."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from server.presentations import WalletReader
from tests.world.founding import HOUSEHOLD_TRANSFER
from trust_registry.edges import AccountId, Principal, Role
from trust_registry.model import RelyingPartyId, ScenarioId
from verifier.model import Report
from verifier.service import PolicyRequest, VerifierService
from wallet_api.service import WalletService

if TYPE_CHECKING:
    from tests.world.simulator import Region


class Counter:
    """A verifying agency's desk, with a verified copy of its own that is as old as its last refresh."""

    def __init__(self, region: Region, name: str) -> None:
        self.region = region
        self.keeper = region.world.keeper(f"{region.slug} {name}")
        self.online = True
        self.service = VerifierService(
            trust=lambda: self.keeper.view,
            statuses=lambda: self.keeper.statuses,
            now=region.world.clock,
            ensure_status=self._ensure_status,
        )

    def _ensure_status(self, uri: str) -> None:
        if self.online:
            self.keeper.ensure_status(uri)

    def refresh(self) -> None:
        """What happens in the background every few minutes, when there is a network."""
        if self.online:
            self.keeper.refresh()

    def verify(
        self,
        evidence: bytes | str,
        *,
        at: datetime | None = None,
        scenario: ScenarioId | None = HOUSEHOLD_TRANSFER,
        as_of: datetime | None = None,
    ) -> Report:
        """The verdict from what is at hand, and from a status list fetched for it if need be."""
        if at is not None:
            self.region.world.turn_to(at)
        return self.service.verify(evidence, PolicyRequest(self.region.code, scenario, as_of))

    def reads(self, code: str, wallet: WalletService, scenario: ScenarioId | None = HOUSEHOLD_TRANSFER) -> Report:
        """Read a holder's one-time code, judge what it stands for, and tell the holder. Raises: PresentationRefused."""
        hall = RelyingPartyId(f"{self.region.code}/government-hall")
        clerk = Principal(AccountId("counter"), "窗口", frozenset({Role.COUNTER_CLERK}), relying_party_id=hall)
        reader = WalletReader(wallet)
        shown = reader.read(code, clerk, scenario)
        report = self.verify(shown.sd_jwt, scenario=shown.scenario)
        reader.tell_verdict(shown.reference, report.indication.value, clerk)
        return report
