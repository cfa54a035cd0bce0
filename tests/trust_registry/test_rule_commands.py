"""`yinxin registry rule`: a rule is written in a line, signed, listed, foretold, and taken away again."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keys.custody import software
from server.cli.registry_rules import Emergency, WhyNot
from tests.trust_registry.test_list_commands import NAMED, Authority, ticking
from trust_registry.core.rule_conditions import FORMS
from trust_registry.errors import InvalidList
from trust_registry.model import ConditionKind, EntryReason, RuleCondition
from trust_registry.model.rules import EMERGENCIES
from trust_registry.rule_texts import condition_text, parse_condition

BASIS = ("--basis-zh", "办法", "--basis-en", "measures")
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """990100 with a bare list."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(software, "_COST", software._DEMO_COST)
        patch.setattr(os, "fsync", lambda _: None)
        desk = Authority(tmp_path_factory.mktemp("founded"))
        desk.carry_out(desk.run("init", desk.repo, *desk.seats(lin="990100", zhou="990200")).output, "lin", "zhou")
        officers = (*desk.officers("shen", "he"), "--threshold", "2")
        desk.carry_out(desk.run("admit-region", desk.repo, "990100", *NAMED, *officers).output, "lin", "zhou")
        desk.change("start-list", *NAMED, "--authority-zh", "数据局", "--authority-en", "Data Bureau")
    return desk.folder


@pytest.fixture
def region(founded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    monkeypatch.setattr(software, "_COST", software._DEMO_COST)
    monkeypatch.setattr(os, "fsync", lambda _: None)
    monkeypatch.setattr("server.clock.utc_now", ticking())
    shutil.copytree(founded, tmp_path / "desk")
    return Authority(tmp_path / "desk")


def rule(region: Authority, command: str, *arguments: str) -> str:
    """Carry out what `rule COMMAND` proposes."""
    proposed = region.run("rule", command, region.repo, "990100", *arguments).output
    region.carry_out(proposed, "shen", "he")
    return proposed


def test_a_rule_from_its_line_to_its_end(region: Authority) -> None:
    said = rule(region, "add", *NAMED, *BASIS, "--require", "forms=pdf,sd_jwt_vc", "--require", "issued_within=90d")
    assert "sealed PDF or electronic credential" in said
    (listed,) = region.list()["rules"]
    assert (listed["id"], listed["requires"][1]["span"]) == ("A1", "P90D")
    told = region.run("rule", "list", region.repo).output
    assert "A1  announced" in told
    assert "forms=pdf,sd_jwt_vc issued_within=90d" in told
    later = (datetime.now(UTC) + 40 * DAY).date().isoformat()
    assert "A1  in force" in region.run("rule", "list", region.repo, "990100", "--at", later).output
    rule(region, "withdraw", "A1")
    assert region.list()["rules"][0]["history"][-1]["status"] == "withdrawn"
    assert "A1  not in force" in region.run("rule", "list", region.repo, "--at", later).output


def test_an_emergency_counts_at_once_and_is_ended(region: Authority) -> None:
    said = rule(region, "add", *NAMED, *BASIS, "--require", "time_proven", "--emergency", "key_compromise")
    assert "in an emergency (key compromise)" in said
    assert "A1  in force" in region.run("rule", "list", region.repo).output
    until = (datetime.now(UTC) + 9 * DAY).date().isoformat()
    rule(region, "end", "A1", "--until", until)
    assert f"until {until}" in region.run("rule", "list", region.repo).output


def test_rules_go_into_the_proposal_that_waits(region: Authority) -> None:
    first = region.run("change-notice", region.repo, "990100", "10").output
    proposal = first.split("Proposal ")[1].split()[0]
    limits = ("--require", "trust_age_at_most=2d", "--onto", proposal)
    region.carry_out(region.run("rule", "add", region.repo, "990100", *NAMED, *BASIS, *limits).output, "shen", "he")
    assert len(region.list()["rules"]) == 1


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("moon_phase=full", "one of assurance_at_least"),
        ("issued_within=soon", "a span like 90d"),
        ("algorithms_until=ES256@soon", "a day like 2030-01-01"),
        ("Forms: pdf", "a condition like forms=pdf"),
    ],
)
def test_a_line_that_says_nothing_is_refused(region: Authority, line: str, said: str) -> None:
    output = region.run("rule", "add", region.repo, "990100", *NAMED, *BASIS, "--require", line, code=2).output
    assert said in " ".join(output.replace("│", " ").split())


def test_what_its_kind_does_not_take_is_refused_by_name(region: Authority) -> None:
    for line, field in (("forms=pfd", "requires[0].values"), ("claim_at_least=18", "requires[0].claim")):
        output = region.run("rule", "add", region.repo, "990100", *NAMED, *BASIS, "--require", line, code=1).output
        assert field in output
    assert "rules/A9" in region.run("rule", "withdraw", region.repo, "990100", "A9", code=1).output


def test_reasons_are_those_of_the_model() -> None:
    assert {each.value for each in Emergency} == {each.value for each in EMERGENCIES}
    assert {each.value for each in WhyNot} < {each.value for each in EntryReason}


def test_every_kind_is_explained(region: Authority) -> None:
    told = region.run("rule", "kinds").output
    for kind in ConditionKind:
        assert kind.value in told
    assert "claim_past_at_most:CLAIM=90d" in told
    assert "algorithms_until=VALUE,...@2030-01-01" in told


@given(
    kind=st.sampled_from(ConditionKind),
    values=st.lists(st.sampled_from(["pdf", "18", "B-LTA", "名"]), unique=True, max_size=3).map(tuple),
    claim=st.none() | st.sampled_from(["vehicle_class", "n"]),
    minutes=st.integers(0, 10**6),
    at=st.none() | st.just(datetime(2030, 1, 1, tzinfo=UTC)),
)
@settings(deadline=None)
def test_a_line_says_the_same_read_back(
    kind: ConditionKind, values: tuple[str, ...], claim: str | None, minutes: int, at: datetime | None
) -> None:
    spanned = "span" in FORMS[kind].members
    made = RuleCondition(
        kind.value, () if spanned else values, claim, timedelta(minutes=minutes) if spanned else None, at
    )
    assert parse_condition(condition_text(made)) == made


@given(st.text(max_size=60))
@settings(deadline=None)
def test_any_line_is_a_condition_or_refused(text: str) -> None:
    try:
        made = parse_condition(text)
    except InvalidList:
        return
    assert made.known is not None
