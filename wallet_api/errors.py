"""The refusals of wallet_api: one root class, each carrying its data; mapped once in `server.problems`.

Each docstring ends with the HTTP status it suggests. None carries a token, a name or a claim's value.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from trust_registry.model import RelyingPartyId, ScenarioId


class WalletError(Exception):
    """Root of everything that wallet_api refuses."""


class NotAHolder(WalletError):
    """The account that asks holds no certificates: it isn't linked to a holder. HTTP 403."""


class CertificateNotHeld(WalletError):
    """No such certificate among this holder's. HTTP 404."""


class RenderingNotKept(WalletError):
    """The certificate is held, but its PDF is not there. HTTP 404."""


class ClaimNotSelectable(WalletError):
    """A chosen claim is not one that this certificate can disclose. HTTP 422."""

    def __init__(self, claims: Iterable[str]) -> None:
        self.claims = tuple(claims)
        super().__init__(f"not selectable: {', '.join(self.claims)}")


class RequiredClaimWithheld(WalletError):
    """The scenario needs claims that were not chosen: the holder may decline it, not show half of it. HTTP 422."""

    def __init__(self, claims: Iterable[str]) -> None:
        self.claims = tuple(claims)
        super().__init__(f"required by the scenario: {', '.join(self.claims)}")


class ScenarioNotApplicable(WalletError):
    """The scenario is unknown, or doesn't take this certificate. HTTP 422."""

    def __init__(self, scenario_id: ScenarioId) -> None:
        self.scenario_id = scenario_id
        super().__init__(f"scenario {scenario_id} does not take this certificate")


class LifeOutOfRange(WalletError):
    """A presentation lives between 15 seconds and 5 minutes. HTTP 422."""


class MalformedCode(WalletError):
    """The text is not a one-time code of a wallet. HTTP 422, field `code`."""


class PresentationUnknown(WalletError):
    """No presentation answers to this code or id: mistyped, made up, or long gone. HTTP 404."""


class PresentationAlreadyRead(WalletError):
    """The code was used; each works once. HTTP 409."""

    def __init__(self, read_at: datetime) -> None:
        self.read_at = read_at
        super().__init__(f"read at {read_at.isoformat()}")


class PresentationExpired(WalletError):
    """The code's time has run out unread; the holder shows a new one. HTTP 410."""

    def __init__(self, expired_at: datetime) -> None:
        self.expired_at = expired_at
        super().__init__(f"expired at {expired_at.isoformat()}")


class PresentationCancelled(WalletError):
    """The holder withdrew the code or showed a newer one. HTTP 410."""


class PresentationForOtherScenario(WalletError):
    """The holder consented to another scenario than the one it would be read for. HTTP 409."""

    def __init__(self, shown_for: ScenarioId) -> None:
        self.shown_for = shown_for
        super().__init__(f"shown for {shown_for}")


class ReaderNotRegistered(WalletError):
    """Only a relying party that a region lists may read. HTTP 403."""


class ScenarioNotPermitted(WalletError):
    """The relying party is not registered for this scenario. HTTP 403."""

    def __init__(self, relying_party_id: RelyingPartyId, scenario_id: ScenarioId) -> None:
        self.relying_party_id, self.scenario_id = relying_party_id, scenario_id
        super().__init__(f"{relying_party_id} is not registered for {scenario_id}")
