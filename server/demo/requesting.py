"""A presentation request of one of the demonstration's counters, for whoever tries a wallet of their own."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from server.demo.opening import open_demo
from server.demo.world import FAMILY, PARTIES
from server.errors import DemoFolderRefused, NotInTheDemo
from server.openid4vp import build_openid4vp
from server.wiring import Opened, build_verifier
from trust_registry.edges import AccountId, Principal, Role
from trust_registry.model import RelyingPartyId, ScenarioId
from verifier.errors import RequestsNotOffered
from verifier.openid4vp.model import Begun, ClientIdPrefix, Progress, RequestState, ResponseMode
from verifier.openid4vp.service import Requests
from verifier.wire import report_to_json

DEFAULT_SCENARIO: Final = FAMILY.partition("/")[2]  # what `yinxin demo offer` gives suffices for it
_PAUSE: Final = 0.4  # seconds
_OPEN: Final = (RequestState.WAITING, RequestState.FETCHED)


@dataclass(frozen=True, slots=True)
class Asking:
    """A request that was begun, and where to look for what becomes of it."""

    begun: Begun
    scenario: ScenarioId
    party: RelyingPartyId
    requests: Requests
    browser: str

    def wait(self) -> Progress:
        """How it ended: answered, declined or expired."""
        while (progress := self.requests.look(self.begun.id, self.browser)).state in _OPEN:
            time.sleep(_PAUSE)
        return progress


@contextmanager
def ask(data: Path, scenario: str, prefix: ClientIdPrefix, mode: ResponseMode) -> Iterator[Asking]:
    """A fresh request by the counter that offers the scenario, named "990200/marriage-benefit" or without the region.

    Raises: DemoFolderRefused, also for a folder that an earlier version made; NotInTheDemo for an unknown scenario.
    """
    scenario_id, party = find_scenario(scenario)
    opened = open_demo(data)
    try:
        yield _begin(opened, scenario_id, party, prefix, mode)
    except RequestsNotOffered as err:
        raise DemoFolderRefused(
            f"{data} has no key for requests to wallets that {prefix.value} could name: it was made by an earlier "
            "version, or with --host and an address. Move it away to begin anew, or choose another with --data"
        ) from err
    finally:
        opened.engine.dispose()


def find_scenario(name: str) -> tuple[ScenarioId, RelyingPartyId]:
    """The scenario of that name and who offers it. Raises: NotInTheDemo."""
    known = {scenario: party.id for party in PARTIES for scenario in party.scenarios}
    fitting = [each for each in known if name in (each, each.partition("/")[2])]
    if len(fitting) != 1:
        raise NotInTheDemo(f"no counter of the demonstration offers {name!r}; there are: {', '.join(known)}")
    return fitting[0], known[fitting[0]]


def _begin(
    opened: Opened, scenario: ScenarioId, party: RelyingPartyId, prefix: ClientIdPrefix, mode: ResponseMode
) -> Asking:
    requests = build_openid4vp(opened, build_verifier(opened))
    clerk = Principal(
        AccountId("demo-request"), "yinxin demo request", frozenset({Role.COUNTER_CLERK}), relying_party_id=party
    )
    browser = secrets.token_urlsafe(32)
    begun = requests.begin(clerk, scenario, browser=browser, prefix=prefix, mode=mode)
    return Asking(begun, scenario, party, requests, browser)


def progress_to_json(progress: Progress, language: str = "en") -> dict[str, Any]:
    """How a request ended, with the report on each certificate as /api/verify gives it."""
    return {
        "state": progress.state.value,
        "error": progress.error,
        "verdicts": [
            {
                "query_id": each.query_id,
                "certificate": each.names.in_language(language),
                "indication": each.report.indication.value,
                "report": report_to_json(each.report, language),
            }
            for each in progress.verdicts
        ],
        "missing": [each.in_language(language) for each in progress.missing],
    }
