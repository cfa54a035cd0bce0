"""Words for clerks: every code has them in both languages, with a next step where one is needed, and no jargon."""

from __future__ import annotations

import ast
import re
import string
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

import verifier.core
from keys.envelopes.pades import Change, ChangeKind
from tests.verifier.asking import ask
from tests.verifier.small_world import NOW, SmallWorld, attestation, qr
from trust_registry.model import CertificateStatus
from verifier import messages
from verifier.errors import Unreadable
from verifier.model import Check, EvidenceKind, Indication, Outcome, Policy
from verifier.phrases import GROUPS, PHRASES
from verifier.phrases.changes import CHANGES

JARGON = re.compile(
    r"\b(signature algorithm|hash|cryptograph\w*|PKI|X\.509|CWT|COSE|JWS|JWT|kid|DER|ASN|OCSP|CRL|nonce|TSA|TUF)\b",
    re.I,
)


def used() -> dict[str, set[str]]:
    """Finding codes and the outcomes they are made with, read from the core's source."""
    codes: dict[str, set[str]] = {}
    for path in Path(verifier.core.__path__[0]).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                name = node.func.id
                if name == "Finding" and isinstance(node.args[2], ast.Constant):
                    codes.setdefault(str(node.args[2].value), set()).add("passed")
                if name in ("passed", "failed", "unknown", "not_applicable") and len(node.args) > 1:
                    code = node.args[1]
                    if isinstance(code, ast.Constant):
                        codes.setdefault(str(code.value), set()).add(name)
    for what in ("issuer", "seal", "grant"):
        for how, outcome in (("withdrawn", "failed"), ("suspended", "unknown"), ("not_yet_listed", "failed")):
            codes.setdefault(f"{what}_{how}", set()).add(outcome)
    refusals = (
        "not_recognised",
        "recognition_not_yet",
        "recognition_ended",
        "scenario_not_covered",
        "assurance_too_low",
    )
    for code in refusals:
        codes.setdefault(code, set()).add("failed")
    for code in ("trust_too_old", "status_too_old"):
        codes.setdefault(code, set()).add("unknown")
    for reason in Unreadable:
        codes.setdefault(reason.value, set()).add("failed")
    return codes


def test_every_code_has_words_and_no_words_are_left_over() -> None:
    assert set(used()) == set(PHRASES)


def test_no_code_means_two_things() -> None:
    assert len(PHRASES) == sum(len(group) for group in GROUPS)


@pytest.mark.parametrize("code", sorted(PHRASES))
def test_words(code: str) -> None:
    phrase = PHRASES[code]
    assert re.search(r"[\u4e00-\u9fff]", phrase.zh)
    assert re.search(r"[a-z]", phrase.en)
    assert not JARGON.search(phrase.en + phrase.next_en)
    fields = [{name for _, name, _, _ in string.Formatter().parse(text) if name} for text in (phrase.zh, phrase.en)]
    assert fields[0] == fields[1]


@pytest.mark.parametrize("code", sorted(code for code, made in used().items() if made & {"failed", "unknown"}))
def test_a_refusal_or_doubt_names_the_next_step(code: str) -> None:
    assert PHRASES[code].next_zh
    assert PHRASES[code].next_en


def test_a_pass_says_to_compare_with_an_identity_document_when_nobody_signed_for_it(world: SmallWorld) -> None:
    report = ask(world, qr())
    assert messages.headline(report, "zh") == "可以受理"
    assert messages.headline(report, "en") == "Accept"
    assert "Xichuan recognises this type from Dongling (R7" in messages.summary(report, "en")
    assert messages.next_step(report, "en").startswith("Compare with the holder's identity document")
    assert messages.data_age(report, "en") == "Trust data: just now; status data: just now"
    assert messages.data_age(report, "zh") == "信任数据：刚刚；状态数据：刚刚"


def test_without_recognition_the_summary_names_the_issuer(world: SmallWorld) -> None:
    report = ask(world, qr(), policy=Policy())
    assert messages.summary(report, "zh") == "盖章时，东岭区民政局有权颁发此类证照。"


def test_nothing_is_accepted_where_nobody_said_by_whom(world: SmallWorld) -> None:
    report = ask(world, qr(), policy=Policy())
    assert (messages.headline(report, "zh"), messages.headline(report, "en")) == ("真实有效", "Genuine and in force")


@pytest.mark.parametrize(
    ("kind", "headline"),
    [(EvidenceKind.RECEIPT, "Genuine receipt"), (EvidenceKind.ARCHIVE, "Genuine case file")],
)
def test_a_record_is_not_accepted_in_its_certificates_place(
    world: SmallWorld, kind: EvidenceKind, headline: str
) -> None:
    """It says how the certificate stood; a receipt may even be of a refusal, and much may have been revoked since."""
    report = replace(ask(world, qr()), kind=kind)
    assert report.indication is Indication.PASSED
    assert messages.headline(report, "en") == headline
    assert "check the certificate itself" in messages.next_step(report, "en")
    refused = replace(ask(world, qr(), statuses=world.statuses(CertificateStatus.INVALID)), kind=kind)
    assert messages.headline(refused, "en") == "Reject"


def test_a_refusal_is_explained_by_what_decided_it(world: SmallWorld) -> None:
    report = ask(world, qr(), statuses=world.statuses(CertificateStatus.INVALID))
    assert messages.headline(report, "en") == "Reject"
    assert messages.next_step(report, "en") == "Ask the holder to contact Civil Affairs Bureau of Dongling."
    assert messages.next_step(report, "zh") == "请持证人联系东岭区民政局。"


def test_times_and_budgets_are_worded(world: SmallWorld) -> None:
    report = ask(world, qr(attestation(valid_until=NOW)))
    assert messages.summary(report, "zh") == "证照已于 2026年1月21日 08:00 到期。"
    assert messages.summary(report, "en") == "The certificate expired on 21 Jan 2026, 08:00."
    world.refreshed_at = NOW - timedelta(days=8)
    report = ask(world, qr())
    assert messages.summary(report, "zh") == "信任数据已超过 7 天 未更新。"
    assert messages.data_age(report, "en").startswith("Trust data: 8 days ago")


def test_every_finding_of_every_report_can_be_worded(world: SmallWorld) -> None:
    for status in CertificateStatus:
        for finding in ask(world, qr(), statuses=world.statuses(status)).findings:
            for language in ("zh", "en"):
                assert "{" not in messages.sentence(finding, language)
                assert "{" not in messages.finding_next_step(finding, language)


@pytest.mark.parametrize(
    ("age", "zh", "en"),
    [
        (timedelta(0), "刚刚", "just now"),
        (timedelta(minutes=1), "1 分钟前", "1 minute ago"),
        (timedelta(hours=3, minutes=59), "3 小时前", "3 hours ago"),
        (timedelta(days=2), "2 天前", "2 days ago"),
    ],
)
def test_ages(age: timedelta, zh: str, en: str) -> None:
    assert (messages.age(age, "zh"), messages.age(age, "en")) == (zh, en)


@pytest.mark.parametrize("kind", list(ChangeKind))
def test_every_change_is_worded(kind: ChangeKind) -> None:
    """With its pages, and whether the signer permitted it where that matters."""
    one = messages.change(Change(kind, (2,), permitted=True), "zh")
    assert one.startswith("第 2 页：")
    assert ("盖章者允许" in one) is (kind not in messages.QUIET_CHANGES)
    many = messages.change(Change(kind, tuple(range(1, 30))), "en")
    assert many.startswith("Pages 1, 2, 3, 4, 5, 6, 7, 8…: ")
    assert not JARGON.search(many)
    assert not re.search(r"[\u4e00-\u9fff]", many)


def test_tables_are_whole() -> None:
    assert set(CHANGES) == set(ChangeKind)
    assert set(messages.HEADLINES) == set(messages.SYMBOLS) == set(Indication)
    assert set(messages.OUTCOME_SYMBOLS) == set(Outcome)
    assert set(messages.CHECK_NAMES) == set(Check)
