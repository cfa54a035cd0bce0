"""What a change does to recognition: who accepts what from whom, and which scenarios can still be satisfied."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime

from trust_registry.consequences import words
from trust_registry.consequences.comparison import Comparison, Question
from trust_registry.consequences.model import Consequence, ConsequenceKind
from trust_registry.core import judge_recognition
from trust_registry.model import (
    EntryStatus,
    Names,
    RegionCode,
    Scenario,
    ScenarioId,
    TrustView,
    TypeId,
)


def recognition_consequences(found: Comparison) -> Iterator[Consequence]:
    """Recognitions lost and gained, and scenarios that can't be satisfied any more."""
    questions = changed_questions(found)
    for question in sorted(questions):
        yield from _Compared(found, question).consequences()
    yield from _scenarios(found, questions)


def changed_questions(found: Comparison) -> set[Question]:
    """Every (issuing, type, accepting) about which the two views may answer differently."""
    questions: set[Question] = set()
    before, after = found.before, found.after
    keys = set(before.recognitions) | set(after.recognitions)
    for code, was, now in found.changed_lists():
        types = {type_id for view in (before, after) for region, type_id in view.attesters if region == code}
        changed = {t for t in types if before.attesters.get((code, t)) != after.attesters.get((code, t))}
        questions |= {(code, type_id, code) for type_id in changed}
        membership = was is None or now is None
        foreign = () if was is None or now is None else {e.code for e in (*was.foreign, *now.foreign)}
        for key in keys:
            issuing, type_id, accepting = key
            if issuing == code and (membership or type_id in changed):
                questions.add(key)
            elif accepting == code:
                same = before.recognitions.get(key) == after.recognitions.get(key)
                if membership or not same or issuing in foreign:
                    questions.add(key)
    return questions


def moments_of(found: Comparison, question: Question) -> list[datetime]:
    """When, from now on, an answer to the question may change in either view."""
    issuing, type_id, accepting = question
    histories, others = [], []
    for view in (found.before, found.after):
        for entry in view.recognitions.get(question, ()):
            histories.append(entry.history)
            others += [entry.since, entry.until]
        for issuer, grant in view.attesters.get((issuing, type_id), ()):
            histories += [issuer.history, grant.history]
        region = view.lists.get(accepting)
        histories += [] if region is None else [e.history for e in region.foreign if e.code == issuing]
        foreign = view.foreign.get((accepting, issuing))
        others += [] if foreign is None else [p.since for service in foreign.services for p in service.history]
    return found.moments(histories, others)


def scenarios_of(found: Comparison, accepting: RegionCode) -> list[ScenarioId]:
    lists = (view.lists.get(accepting) for view in (found.before, found.after))
    return sorted({scenario.id for each in lists if each is not None for scenario in each.scenarios})


class _Compared:
    """One question, judged in both views at every moment that matters."""

    def __init__(self, found: Comparison, question: Question) -> None:
        self._found = found
        self._question = question
        # what is lost or gained -> from when, and whether certificates issued before still stand -> scenarios
        self._lost: dict[tuple[datetime, bool], list[ScenarioId | None]] = defaultdict(list)
        self._gained: dict[datetime, list[ScenarioId | None]] = defaultdict(list)

    def consequences(self) -> Iterator[Consequence]:
        moments = moments_of(self._found, self._question)
        for scenario in (None, *scenarios_of(self._found, self._question[2])):
            self._judge(scenario, moments)
        for (moment, stand), scenarios in self._lost.items():
            yield self._loss(moment, scenarios, stand=stand)
        for moment, scenarios in self._gained.items():
            yield self._gain(moment, scenarios)

    def _accepted(self, view: TrustView, scenario: ScenarioId | None, moment: datetime) -> bool:
        issuing, type_id, accepting = self._question
        return judge_recognition(view, issuing, type_id, accepting, scenario, moment).accepted

    def _judge(self, scenario: ScenarioId | None, moments: list[datetime]) -> None:
        before, after = self._found.before, self._found.after
        lost = gained = False
        for moment in moments:
            was, now = self._accepted(before, scenario, moment), self._accepted(after, scenario, moment)
            if was and not now and not lost:
                lost = True
                self._lost[moment, self._still_stand(scenario, moment)].append(scenario)
            if now and not was and not gained:
                gained = True
                self._gained[moment].append(scenario)

    def _still_stand(self, scenario: ScenarioId | None, moment: datetime) -> bool:
        """Whether what was issued while somebody was entitled is still accepted: only new certificates are refused."""
        issuing, type_id, accepting = self._question
        after = self._found.after
        times = {
            max(issuer.history[0].at, grant.history[0].at)
            for issuer, grant in after.attesters.get((issuing, type_id), ())
            if issuer.history[0].status is EntryStatus.GRANTED and grant.history[0].status is EntryStatus.GRANTED
        }
        return any(
            judge_recognition(after, issuing, type_id, accepting, scenario, moment, attested_at=time).accepted
            for time in sorted(times)[:8]
        )

    def _common(self, scenarios: list[ScenarioId | None]) -> tuple[ScenarioId, ...]:
        return tuple(scenario for scenario in scenarios if scenario is not None)

    def _names(self, view: TrustView) -> tuple[Names, Names, Names]:
        issuing, type_id, accepting = self._question
        return words.region_name(view, issuing), words.type_name(view, type_id), words.region_name(view, accepting)

    def _entry(self, view: TrustView) -> tuple[RegionCode, str]:
        issuing, type_id, accepting = self._question
        entries = view.recognitions.get(self._question, ())
        if issuing == accepting or not entries:
            return issuing, f"attests/*/{type_id}"
        return accepting, f"recognises/{entries[-1].id}"

    def _loss(self, moment: datetime, scenarios: list[ScenarioId | None], *, stand: bool) -> Consequence:
        found = self._found
        issuing, type_id, accepting = self._question
        when = found.begins(moment)
        named = self._common(scenarios)
        issuers = tuple(sorted({i.id for i, _ in found.before.attesters.get((issuing, type_id), ())}))
        certificates, known = (None, False) if stand else found.count(issuers, [type_id])
        names = self._names(found.before)
        text = (
            words.own_lost(names[0], names[1], when)
            if issuing == accepting
            else words.recognition_lost(names, when, stand=stand, count=words.counted(certificates, known=known))
        )
        region, entry = self._entry(found.before)
        return Consequence(
            ConsequenceKind.RECOGNITION_LOST,
            region,
            entry,
            when,
            text,
            types=(type_id,),
            issuing=(issuing,),
            accepting=accepting,
            scenarios=named,
            without_scenario=None in scenarios,
            relying_parties=found.dependence.parties(named),
            certificates=certificates,
            certificates_known=known,
        )

    def _gain(self, moment: datetime, scenarios: list[ScenarioId | None]) -> Consequence:
        found = self._found
        issuing, type_id, accepting = self._question
        when = found.begins(moment)
        region, entry = self._entry(found.after)
        named = self._common(scenarios)
        return Consequence(
            ConsequenceKind.RECOGNITION_GAINED,
            region,
            entry,
            when,
            words.recognition_gained(self._names(found.after), when),
            types=(type_id,),
            issuing=(issuing,),
            accepting=accepting,
            scenarios=named,
            without_scenario=None in scenarios,
            relying_parties=found.dependence.parties(named),
        )


def satisfiable(view: TrustView, issuing: RegionCode, accepting: RegionCode, scenario: Scenario, at: datetime) -> bool:
    """Whether somebody with certificates of `issuing` alone can bring what the scenario needs, at `at`."""

    def brings(type_id: TypeId, wanted: tuple[TypeId, ...]) -> bool:
        answer = judge_recognition(view, issuing, type_id, accepting, scenario.id, at)
        return answer.accepted and (type_id in wanted or (answer.entry is not None and answer.entry.as_type in wanted))

    if issuing == accepting:
        types = [type_id for region, type_id in view.attesters if region == issuing]
    else:
        types = [type_id for region, type_id, by in view.recognitions if (region, by) == (issuing, accepting)]
    return all(any(brings(type_id, needed.any_of) for type_id in types) for needed in scenario.requires)


def _scenarios(found: Comparison, questions: set[Question]) -> Iterator[Consequence]:
    """Scenarios that vanish, and those that people from some regions can't satisfy any more."""
    pairs: dict[RegionCode, set[RegionCode]] = defaultdict(set)
    moments: dict[tuple[RegionCode, RegionCode], set[datetime]] = defaultdict(set)
    for question in questions:
        pairs[question[2]].add(question[0])
        moments[question[0], question[2]].update(moments_of(found, question))
    for code, was, now in found.changed_lists():
        if was is not None and now is not None and was.scenarios != now.scenarios:
            pairs[code] |= {code, *(issuing for issuing, _, by in found.before.recognitions if by == code)}
    for accepting, issuing in sorted(pairs.items()):
        was, now = found.before.lists.get(accepting), found.after.lists.get(accepting)
        following = {} if now is None else {scenario.id: scenario for scenario in now.scenarios}
        for scenario in () if was is None else was.scenarios:
            successor = following.get(scenario.id)
            if successor is None:
                yield _ended(found, accepting, scenario)
            else:
                times = {region: sorted({found.at, *moments[region, accepting]}) for region in sorted(issuing)}
                yield from _unsatisfiable(found, accepting, (scenario, successor), times)


def _ended(found: Comparison, accepting: RegionCode, scenario: Scenario) -> Consequence:
    return Consequence(
        ConsequenceKind.SCENARIO_ENDS,
        accepting,
        f"scenarios/{scenario.id}",
        None,
        words.scenario_ends(words.region_name(found.before, accepting), scenario.names),
        accepting=accepting,
        scenarios=(scenario.id,),
        relying_parties=found.dependence.parties([scenario.id]),
    )


def _unsatisfiable(
    found: Comparison,
    accepting: RegionCode,
    scenario: tuple[Scenario, Scenario],
    times: dict[RegionCode, list[datetime]],
) -> Iterator[Consequence]:
    was, now = scenario
    lost: dict[datetime, list[RegionCode]] = defaultdict(list)
    for issuing, moments in times.items():
        for moment in moments:
            if satisfiable(found.before, issuing, accepting, was, moment) and not satisfiable(
                found.after, issuing, accepting, now, moment
            ):
                lost[moment].append(issuing)
                break
    for moment, regions in lost.items():
        everybody = {accepting, *(region for region, _, by in found.after.recognitions if by == accepting)}
        nobody_left = not any(satisfiable(found.after, each, accepting, now, moment) for each in everybody)
        when = found.begins(moment)
        names = (words.region_name(found.before, accepting), was.names, words.region_names(found.before, regions))
        yield Consequence(
            ConsequenceKind.SCENARIO_UNSATISFIABLE,
            accepting,
            f"scenarios/{was.id}",
            when,
            words.unsatisfiable(names, when, nobody_left=nobody_left),
            issuing=tuple(regions),
            accepting=accepting,
            scenarios=(was.id,),
            relying_parties=found.dependence.parties([was.id]),
        )
