"""A wallet, as the counter sees it: reads one-time codes and words the wallet's refusals. Decides nothing itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from server.problem_words.rooms import WALLET
from trust_registry.edges import Principal
from trust_registry.model import Names, ScenarioId
from trust_registry.wording import filled
from verifier.errors import PresentationRefused
from verifier.ports import Shown
from wallet_api import errors as wallet
from wallet_api.model import PresentationId
from wallet_api.service import WalletService

_AGAIN: Final = Names("请持证人重新亮证，再扫一次。", "Ask the holder to show a new code, then scan again.")
_ADMIN: Final = Names("请告知本单位的系统管理员。", "Tell your system administrator.")
_SCENARIO: Final = Names("请核对所选事项，再请持证人重新亮证。", "Check the chosen scenario, then ask for a new code.")
_NEXT_STEPS: Final[Mapping[type[wallet.WalletError], Names]] = {
    wallet.PresentationForOtherScenario: _SCENARIO,
    wallet.ScenarioNotPermitted: _SCENARIO,
    wallet.ReaderNotRegistered: _ADMIN,
}


class WalletReader:
    """`verifier.ports.PresentationReader` over a wallet of this house."""

    def __init__(self, service: WalletService) -> None:
        self._service = service

    def read(self, token: str, principal: Principal, scenario: ScenarioId | None) -> Shown:
        try:
            presented = self._service.read(token, principal, scenario)
        except wallet.WalletError as err:
            words = filled(WALLET.get(type(err), WALLET[wallet.PresentationUnknown]).sentence, err)
            next_step = _NEXT_STEPS.get(type(err), _AGAIN)
            raise PresentationRefused(type(err).__name__, words, next_step) from err
        return Shown(presented.sd_jwt, presented.presentation.id, presented.presentation.scenario_id)

    def tell_verdict(self, reference: str, verdict: str, principal: Principal) -> None:
        try:
            self._service.record_verdict(PresentationId(reference), verdict, principal)
        except wallet.PresentationUnknown:
            pass  # told before, or erased meanwhile
