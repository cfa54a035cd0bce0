"""What is remembered of usual evidence must never be another answer than all checks together would give."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import verifier.core
from keys.algorithms import ES256
from keys.envelopes.sd_jwt import bind_key
from keys.signer import EphemeralSigner
from tests.verifier.ruling import rule, ruled
from tests.verifier.small_world import (
    DAY,
    DAY_0,
    EAST,
    MARRIAGE,
    NOW,
    SEALED,
    TRANSFER,
    WEST,
    SmallWorld,
    attestation,
    qr,
    sd_jwt,
    withdrawn,
)
from trust_registry.model import CertificateStatus, RuleCondition, StatusProblemKind, StatusView
from verifier.core import judge, usual
from verifier.evidence import parse
from verifier.model import Credential, ExpectedBinding, Policy, QrCode, Report

SECOND = timedelta(seconds=1)
HOLDER = EphemeralSigner.generate(ES256)
BINDING = ExpectedBinding("n-1", "hall")
EDGES = [DAY_0, SEALED, NOW, NOW - 2 * DAY, NOW + DAY, NOW + 7 * DAY, NOW + 8 * DAY, DAY_0 + 1000 * DAY]
MOMENTS = st.builds(lambda edge, seconds: edge + seconds * SECOND, st.sampled_from(EDGES), st.integers(-1, 1))
FORMS = st.sampled_from(["qr", "sd_jwt", "bound", "bound elsewhere"])
DOUBTS = st.sampled_from([{}, {}, {}, {"valid_until": NOW}, {"valid_from": NOW}, {"seal_id": "990100/another/1"}])


def made(form: str, **content: Any) -> str:
    if form == "qr":
        return qr(attestation(**content))
    if form == "sd_jwt":
        return sd_jwt(attestation(**content))
    text = sd_jwt(replace(attestation(**content), holder_key=HOLDER.public_key.jwk()))
    audience = "hall" if form == "bound" else "another"
    return bind_key(text, signer=HOLDER, nonce="n-1", audience=audience, issued_at=NOW)


def seen(report: Report) -> tuple[Any, ...]:
    return (
        report.findings,
        report.indication,
        report.sub_indication,
        report.decisive,
        report.kind,
        report.attestation,
        report.signed_at,
        report.signed_at_proven,
        report.freshness,
        report.evidence_digest,
        report.policy,
        report.judged_at,
        report.foreign,
    )


@settings(max_examples=120, deadline=None)
@given(
    st.sampled_from([None, NOW - DAY, NOW + DAY]),
    st.sampled_from([None, NOW + DAY]),
    st.lists(st.tuples(FORMS, MOMENTS, MOMENTS, DOUBTS, st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=8),
)
def test_one_view_asked_often_answers_like_fresh_ones(
    withdrawn_at: datetime | None, ended_at: datetime | None, questions: list[tuple[Any, ...]]
) -> None:
    world = SmallWorld(recognition_until=ended_at, list_issued_at=NOW - DAY, refreshed_at=NOW - DAY)
    if withdrawn_at is not None:
        world.seal_history = withdrawn(withdrawn_at)
    view = world.view()
    lists = [
        world.statuses(),
        world.statuses(),
        world.statuses(CertificateStatus.INVALID),
        world.statuses(CertificateStatus.SUSPENDED),
        world.status_problem(StatusProblemKind.FORGED),
        StatusView({}),
    ]
    transfer = view.scenarios[TRANSFER]
    policies = [
        Policy(),
        Policy(WEST),
        Policy(WEST, transfer),
        Policy(EAST),
        Policy(WEST, transfer, BINDING),
        Policy(trust_staleness=DAY, status_staleness=DAY),
    ]
    for first in [("qr", SEALED, NOW, {}, 0, 2), ("sd_jwt", SEALED, NOW, {}, 0, 2), *questions]:
        form, signed_at, at, doubt, status, policy = first
        evidence = parse(made(form, **{"issued_at": signed_at, "valid_from": signed_at, **doubt}))
        again = judge(evidence, view, lists[status], policies[policy], at)
        assert seen(again) == seen(judge(evidence, world.view(), lists[status], policies[policy], at))


@pytest.mark.parametrize("form", ["qr", "sd_jwt", "bound"])
def test_it_is_remembered_and_a_false_signature_still_is_one(
    world: SmallWorld, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a scenario's own limits: another policy of the same name is another question."""
    view, statuses = world.view(), world.statuses()
    policy = Policy(WEST, view.scenarios[TRANSFER], BINDING if form == "bound" else None)
    first = judge(parse(made(form)), view, statuses, policy, NOW)
    with monkeypatch.context() as patched:
        patched.setattr(verifier.core, "judge_signature", None)  # nobody asks for it
        again = judge(parse(made(form, issued_at=SEALED + SECOND)), view, statuses, policy, NOW + SECOND)
    assert first.indication.value == again.indication.value == "PASSED"
    assert again.signed_at == SEALED + SECOND
    evidence = parse(made(form))
    if isinstance(evidence, QrCode):
        forged: Any = replace(evidence, cose=replace(evidence.cose, payload=evidence.cose.payload + b" "))
    else:
        assert isinstance(evidence, Credential)
        jws = evidence.sd_jwt.jws
        forged = replace(evidence, sd_jwt=replace(evidence.sd_jwt, jws=replace(jws, signing_input=b"x")))
    assert judge(forged, view, statuses, policy, NOW).findings[1].code == "signature_wrong"
    strict = replace(policy, scenario=replace(view.scenarios[TRANSFER], status_staleness=timedelta(0)))
    found = judge(evidence, view, statuses, strict, NOW + SECOND)
    assert found.decisive is not None
    assert found.decisive.code == "status_too_old"


def test_a_rule_that_comes_into_force_is_not_forgotten(world: SmallWorld) -> None:
    coming = replace(rule(RuleCondition("forms", ("pdf",))), since=NOW + DAY)
    view, policy = ruled(world, coming), Policy(WEST)
    statuses, code = world.statuses(), parse(qr())
    for at, expected in ((NOW, "PASSED"), (NOW, "PASSED"), (NOW + DAY, "FAILED"), (NOW, "PASSED")):
        assert judge(code, view, statuses, policy, at).indication.value == expected


def test_memory_is_bounded(world: SmallWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usual, "_REMEMBERED", 1)
    view, statuses = world.view(), world.statuses()
    for policy in (Policy(), Policy(WEST), Policy(EAST)):
        assert judge(parse(qr()), view, statuses, policy, NOW).indication.value == "PASSED"
    (seals,) = verifier.core.listed.listed(view).seals_by_kid.values()
    assert len(seals[0].known) == 1
    assert all(kind[0] == MARRIAGE for kind in seals[0].known)


def test_an_index_beyond_the_list_is_found_behind_what_is_remembered(world: SmallWorld) -> None:
    view, statuses = world.view(), world.statuses()
    judge(parse(qr()), view, statuses, Policy(), NOW)
    beyond = attestation(status=replace(attestation().status, index=1 << 24))
    found = judge(parse(qr(beyond)), view, statuses, Policy(), NOW)
    assert found.decisive is not None
    assert found.decisive.code == "status_out_of_range"


def test_what_recognition_did_not_remember_is_not_remembered_here(
    world: SmallWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verifier.core.acceptance, "_REMEMBERED", 0)
    view, statuses = world.view(), world.statuses()
    assert judge(parse(qr()), view, statuses, Policy(WEST), NOW).indication.value == "PASSED"
    (seals,) = verifier.core.listed.listed(view).seals_by_kid.values()
    assert seals[0].known == {}


def test_with_a_chain_or_other_terms_all_checks_are_made(world: SmallWorld) -> None:
    view, statuses = world.view(), world.statuses()
    evidence = parse(sd_jwt())
    assert isinstance(evidence, Credential)
    assert evidence.certificate is not None
    judge(evidence, view, statuses, Policy(), NOW)
    chained = replace(evidence, intermediates=(evidence.certificate,))
    assert judge(chained, view, statuses, Policy(), NOW) == judge(chained, world.view(), statuses, Policy(), NOW)
