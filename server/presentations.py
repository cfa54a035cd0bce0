"""A wallet, as the counter sees it: reads one-time codes and words the wallet's refusals. Decides nothing itself."""

from __future__ import annotations

from typing import Final

from trust_registry.edges import Principal
from trust_registry.model import Names, ScenarioId
from verifier.errors import PresentationRefused
from verifier.ports import Shown
from wallet_api import errors as wallet
from wallet_api.model import PresentationId
from wallet_api.service import WalletService

_AGAIN: Final = Names("请持证人重新亮证，再扫一次。", "Ask the holder to show a new code, then scan again.")
_ADMIN: Final = Names("请告知本单位的系统管理员。", "Tell your system administrator.")
_SCENARIO: Final = Names("请核对所选事项，再请持证人重新亮证。", "Check the chosen scenario, then ask for a new code.")
_WORDS: Final[tuple[tuple[type[wallet.WalletError], Names, Names], ...]] = (
    (
        wallet.PresentationAlreadyRead,
        Names("这个亮证码已经用过，每个码只能读取一次。", "This one-time code was already read; each works once."),
        _AGAIN,
    ),
    (wallet.PresentationExpired, Names("这个亮证码已过期。", "This one-time code has expired."), _AGAIN),
    (
        wallet.PresentationCancelled,
        Names("持证人已收回这个亮证码，或换了新码。", "The holder withdrew this code or shows a newer one."),
        _AGAIN,
    ),
    (
        wallet.PresentationForOtherScenario,
        Names("持证人同意出示给另一个事项。", "The holder agreed to show it for another scenario."),
        _SCENARIO,
    ),
    (
        wallet.ScenarioNotPermitted,
        Names("本单位没有登记办理这个事项。", "This office is not registered for this scenario."),
        _SCENARIO,
    ),
    (
        wallet.ReaderNotRegistered,
        Names("本单位没有登记为用证单位，不能读取亮证码。", "Only a listed relying party may read one-time codes."),
        _ADMIN,
    ),
    (wallet.MalformedCode, Names("这不是完整的亮证码。", "This is not a whole one-time code."), _AGAIN),
)
_UNKNOWN: Final = Names("没有这个亮证码，或它早已失效。", "There is no such one-time code, or it is long gone.")


class WalletReader:
    """`verifier.ports.PresentationReader` over a wallet of this house."""

    def __init__(self, service: WalletService) -> None:
        self._service = service

    def read(self, token: str, principal: Principal, scenario: ScenarioId | None) -> Shown:
        try:
            presented = self._service.read(token, principal, scenario)
        except wallet.WalletError as err:
            for kind, words, next_step in _WORDS:
                if isinstance(err, kind):
                    raise PresentationRefused(kind.__name__, words, next_step) from err
            raise PresentationRefused(type(err).__name__, _UNKNOWN, _AGAIN) from err
        return Shown(presented.sd_jwt, presented.presentation.id, presented.presentation.scenario_id)

    def tell_verdict(self, reference: str, verdict: str, principal: Principal) -> None:
        try:
            self._service.record_verdict(PresentationId(reference), verdict, principal)
        except wallet.PresentationUnknown:
            pass  # told before, or erased meanwhile
