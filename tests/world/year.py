"""The world of the scripted year: two founding regions and a third that comes and goes, one host, a witnessed log.

Three verifiers stand at Xichuan's counters: one with fresh data, one with a copy a week old, one with a month-old one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from keys.algorithms import EDDSA, ES256
from keys.signer import EphemeralSigner, Signer
from tests.trust_registry.logged import LoggedNetwork
from tests.trust_registry.network import URL
from tests.world.founding import CODES, DAY, DAY_0, FOUNDED, Custody, Founded, first_list, found_world, status_url
from tests.world.looking_back import LookingBack, Memory
from tests.world.simulator import Region, World
from tests.world.wire import Wire
from trust_registry.catalogue import MARRIAGE_CERTIFICATE
from trust_registry.ceremony import proposal, sign
from trust_registry.core import judge_recognition
from trust_registry.membership import found_network
from trust_registry.model import RecognitionOutcome, RegionCode, RegionList, ScenarioId
from trust_registry.proposals import Proposal
from trust_registry.publication import publish, renew
from trust_registry.tuf_keys import Officer

BEIYUAN = RegionCode("990300")
DONGLING, XICHUAN = CODES["dongling"], CODES["xichuan"]
VILLAGE = ScenarioId("990200/village-counter")  # a counter that is online once a month
AGES = {"fresh": timedelta(0), "week": timedelta(days=7), "month": timedelta(days=30)}


class YearNetwork(LoggedNetwork):
    """Two seats found it; later seats come with their regions. Publishing goes through the witnessed log."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.now = FOUNDED
        self.officers = [EphemeralSigner.generate(EDDSA) for _ in range(2)]

    def found(self) -> YearNetwork:
        seats = [
            Officer(f"seat of {code}", key.public_key, code)
            for code, key in zip((DONGLING, XICHUAN), self.officers, strict=True)
        ]
        founding = found_network(
            self.repository, seats=seats, online=self.online, now=self.now, log=self.declared.to_field()
        )
        self.carry_out(founding, self.officers)
        return self

    def sign_and_publish(self, made: Proposal, signers: Sequence[Signer]) -> None:
        """Every one of `signers` signs, whether needed or not; then it is published."""
        for signer in signers:
            sign(self.repository, made.id, signer)
        assert proposal(self.repository, made.id).ready
        assert publish(self.repository, made.id, self.online, self.now).in_force


@dataclass(frozen=True)
class Question:
    """Something that was asked and answered on a day of the year, to be asked again at its end."""

    issuing: RegionCode
    accepting: RegionCode
    scenario: ScenarioId | None
    at: datetime
    outcome: RecognitionOutcome


class Year(World):
    """The simulated world with a log and a memory. Days pass one by one; the host renews what it signs."""

    network: YearNetwork

    def __init__(self, folder: Path) -> None:
        network = YearNetwork(folder)
        founded: Founded = found_world(folder, network)
        self.folder, self.network, self.now = folder, network, DAY_0
        self.wire = Wire(folder)
        self.at_end = []
        self._counted = 0
        self._regions = {slug: Region(self, slug, custody) for slug, custody in founded.custody.items()}
        self.questions: list[Question] = []
        hosts = {URL: folder / "repository" / "public"}
        hosts |= {status_url(code): folder / code / "status" / "lists" for code in CODES.values()}
        self.memory = Memory(hosts, self.wire)
        self.memory.keep(FOUNDED)
        self.verifiers = {name: self._verifier(name, age) for name, age in AGES.items()}

    def _verifier(self, name: str, age: timedelta) -> LookingBack:
        root = self.network.repository.first_root()
        return LookingBack(self.folder / "copies" / name, root, self.memory, self.clock, age, XICHUAN)

    def day(self, number: float) -> None:
        """Let the days pass until this one; on each, what is due is renewed and published."""
        goal = DAY_0 + number * DAY
        while self.now < goal:
            self.turn_to(min(goal, self.now + DAY))
            self.network.now = self.now
            self.memory.keep(self.now)

    def turn_to(self, at: datetime) -> None:
        """As a world turns, the host waiting for nobody."""
        assert at >= self.now, "time does not run backwards"
        self.now = self.network.now = at
        renew(self.network.repository, self.network.online, at)
        for region in self._regions.values():
            if "issuer" in region.__dict__:
                region.keeper.refresh()
                region.issuer.publish_due(at)

    def change(self, slug: str, change: Callable[[RegionList], RegionList]) -> None:
        """A region's officers sign a new version of its list, and it is published."""
        self._regions[slug].publish(change)
        self.memory.keep(self.now)

    def settle(self) -> None:
        """Everybody refreshes: each verifier to what it may know by its age."""
        for region in self._regions.values():
            if "issuer" in region.__dict__:
                region.keeper.refresh()
                region.issuer.publish_due(self.now)
        self.memory.keep(self.now)
        for verifier in self.verifiers.values():
            verifier.refresh()

    def conclude(self, evidence: bytes | str, *, fresh: str, week: str, month: str) -> None:
        """What each verifier concludes: "PASSED", or the indication and the decisive finding's code."""
        self.settle()
        expected = {"fresh": fresh, "week": week, "month": month}
        concluded = {}
        for name in expected:
            report = self.verifiers[name].verify(evidence, VILLAGE)
            code = "" if report.decisive is None else f" {report.decisive.code}"
            concluded[name] = "PASSED" if report.indication.value == "PASSED" else f"{report.indication.value}{code}"
        assert concluded == expected, concluded

    def ask(
        self,
        issuing: RegionCode,
        accepting: RegionCode,
        scenario: ScenarioId | None = VILLAGE,
        *,
        fresh: RecognitionOutcome,
        week: RecognitionOutcome | None,
        month: RecognitionOutcome | None,
    ) -> None:
        """Whether `accepting` takes marriage certificates of `issuing` today, by each copy; None: there is none."""
        self.settle()
        expected = {"fresh": fresh, "week": week, "month": month}
        answers = {name: self._answer(name, issuing, accepting, scenario) for name in expected}
        assert answers == expected, answers
        self.questions.append(Question(issuing, accepting, scenario, self.now, fresh))

    def _answer(
        self, name: str, issuing: RegionCode, accepting: RegionCode, scenario: ScenarioId | None
    ) -> RecognitionOutcome | None:
        view = self.verifiers[name].keeper.view
        if view is None:
            return None
        return judge_recognition(view, issuing, MARRIAGE_CERTIFICATE, accepting, scenario, self.now).outcome

    def admit_beiyuan(self) -> None:
        """The third region takes its seat and publishes its first list."""
        custody = Custody("beiyuan")
        self.network.admit(BEIYUAN)
        self.network.publish(first_list(custody, self.folder / BEIYUAN, self.now))
        self._regions["beiyuan"] = Region(self, "beiyuan", custody)
        self.memory.keep(self.now)

    def newcomers(self, names: Mapping[str, EphemeralSigner]) -> list[Officer]:
        """Officers by name."""
        return [Officer(name, signer.public_key) for name, signer in names.items()]


def new_key() -> EphemeralSigner:
    return EphemeralSigner.generate(ES256)
