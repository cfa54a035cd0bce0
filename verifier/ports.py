"""What the verifier needs from outside: presentations that holders show by one-time code, kept by somebody's wallet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from trust_registry.edges import Principal
from trust_registry.model import ScenarioId


@dataclass(frozen=True, slots=True)
class Shown:
    """What a one-time code stood for: the credential with the chosen claims. `reference` names the reading."""

    sd_jwt: str
    reference: str
    scenario: ScenarioId | None


class PresentationReader(Protocol):
    """Reads each code once, on behalf of a signed-in agency."""

    def read(self, token: str, principal: Principal, scenario: ScenarioId | None) -> Shown:
        """Raises: PresentationRefused, with words for the clerk; a refusal consumes nothing."""
        ...

    def tell_verdict(self, reference: str, verdict: str, principal: Principal) -> None:
        """Let the holder see what came of it: "PASSED", "FAILED", "INDETERMINATE". Never raises on a lost reading."""
        ...
