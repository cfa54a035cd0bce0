"""What a case file shows of itself: every fact has its finding, and a doubt is never a pass."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from keys.algorithms import ES256
from keys.envelopes.asic import make_container, read_container
from keys.timestamps import EmbeddedTimestamper
from keys.x509 import Profile
from tests.verifier.small_world import DAY, EAST, NOW, certificate, signer
from verifier.archives import make_case_file, read_case_file, renewal_due
from verifier.archives.renewing import token_ends_at
from verifier.core import judge_unreadable
from verifier.core.archives import CaseFacts, ReceiptKept, TrustKept, case_findings, check_dates, check_same_verdict
from verifier.core.findings import decide
from verifier.errors import Unreadable
from verifier.model import EvidenceKind, ExpectedBinding, Indication, Outcome, Policy, SubIndication

SOUND = CaseFacts((), (), 2, NOW, None, TrustKept.GOOD, ReceiptKept.GOOD)


def stamper(at: datetime = NOW) -> EmbeddedTimestamper:
    return EmbeddedTimestamper(signer("tsa"), certificate("tsa", Profile.TIMESTAMP, EAST), (), lambda: at)


def test_a_sound_file_has_nothing_against_it() -> None:
    findings = case_findings(SOUND)
    assert [each.code for each in findings] == ["archive_whole", "archive_proven", "archive_receipt_ok"]
    assert decide(findings) == (Indication.PASSED, None)


@pytest.mark.parametrize(
    ("facts", "code", "indication"),
    [
        (replace(SOUND, altered=("a",)), "archive_altered", Indication.FAILED),
        (replace(SOUND, uncovered=("a",)), "archive_not_covered", Indication.INDETERMINATE),
        (replace(SOUND, proven_at=None), "archive_not_proven", Indication.INDETERMINATE),
        (replace(SOUND, proven_at=None, lost_at=NOW), "archive_renewal_missed", Indication.INDETERMINATE),
        (replace(SOUND, trust=TrustKept.DAMAGED), "archive_trust_damaged", Indication.INDETERMINATE),
        (replace(SOUND, trust=TrustKept.UNKNOWN), "archive_network_unknown", Indication.INDETERMINATE),
        (replace(SOUND, trust=TrustKept.OUTDATED), "archive_trust_outdated", Indication.INDETERMINATE),
        (replace(SOUND, receipt=ReceiptKept.DIFFERS), "archive_receipt_differs", Indication.FAILED),
        (replace(SOUND, receipt=ReceiptKept.DOUBTFUL), "archive_receipt_doubtful", Indication.INDETERMINATE),
    ],
)
def test_each_fact_against_it_decides(facts: CaseFacts, code: str, indication: Indication) -> None:
    found, decisive = decide(case_findings(facts))
    assert decisive is not None
    assert (decisive.code, found) == (code, indication)
    assert decisive.sub_indication is not None


def test_a_gap_before_the_proof_is_told_and_leaves_the_rest_to_the_evidence() -> None:
    findings = case_findings(replace(SOUND, lost_at=NOW - DAY, trust=TrustKept.NONE, receipt=ReceiptKept.NONE))
    assert [(each.code, each.outcome) for each in findings] == [
        ("archive_whole", Outcome.PASSED),
        ("archive_proven_late", Outcome.PASSED),
    ]


def test_names_are_listed_until_there_are_too_many() -> None:
    few, many = (case_findings(replace(SOUND, altered=[str(n) for n in range(count)]))[0] for count in (5, 6))
    assert few.facts["names"] == "0, 1, 2, 3, 4"
    assert many.facts["names"] == "0, 1, 2, 3, 4, ..."


def test_another_verdict_than_the_recorded_one_is_told() -> None:
    assert check_same_verdict(Indication.FAILED, Indication.FAILED) is None
    finding = check_same_verdict(Indication.PASSED, Indication.FAILED)
    assert finding is not None
    assert finding.outcome is Outcome.UNKNOWN


def test_what_was_asked_is_read_as_it_was_written() -> None:
    policy = Policy(
        EAST, None, ExpectedBinding("n", "a"), (certificate("seal", Profile.SEAL, EAST),), revocation=(b"x",)
    )
    report = judge_unreadable(Unreadable.DAMAGED, None, "sha256:0", policy, NOW)
    case = read_case_file(make_case_file("text", report, timestamper=stamper(), made_at=NOW, trust=None))
    assert (case.asked.judged_at, case.asked.accepting, case.asked.binding) == (NOW, EAST, policy.binding)
    assert (case.anchors, case.revocation, case.trust, case.receipt) == (policy.anchors, (b"x",), None, None)
    assert (case.evidence, case.report["indication"]) == (b"text", "FAILED")


def test_what_is_encrypted_is_not_proven_wrong() -> None:
    report = judge_unreadable(Unreadable.ENCRYPTED, EvidenceKind.PDF, "sha256:0", Policy(), NOW)
    assert (report.indication, report.sub_indication) == (Indication.INDETERMINATE, SubIndication.SIGNED_DATA_NOT_FOUND)


def test_a_report_for_people_comes_along() -> None:
    report = judge_unreadable(Unreadable.DAMAGED, EvidenceKind.PDF, "sha256:0", Policy(), NOW)
    data = make_case_file(b"%PDF-", report, timestamper=stamper(), made_at=NOW, trust=None, report_pdf=b"%PDF-1")
    case = read_case_file(data)
    assert case.container.files["report/report.pdf"] == b"%PDF-1"
    assert case.evidence_name == "evidence/certificate.pdf"
    readme = case.container.files["README.txt"].decode()
    assert "个人信息" in readme
    assert "personal data" in readme


def test_a_time_stamp_ends_with_the_first_of_what_it_rests_on() -> None:
    container = read_container(make_container({"a": b""}, stamper()))
    (assertion,) = container.assertions
    assert assertion.token is not None
    assert token_ends_at(assertion.token) == certificate("tsa", Profile.TIMESTAMP, EAST).not_after
    assert renewal_due(container) == certificate("tsa", Profile.TIMESTAMP, EAST).not_after
    assert token_ends_at(replace(assertion.token, digest_algorithm=None)) == NOW
    assert renewal_due(replace(container, uncovered=("x",))) is None
    assert ES256.sunset == datetime(2036, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("proven_at", "fits"),
    [
        (None, True),  # told as not proven
        (NOW, True),
        (NOW + DAY, True),
        (NOW - timedelta(minutes=5), True),
        (NOW + DAY + timedelta(seconds=1), False),
        (NOW - timedelta(minutes=6), False),
    ],
)
def test_a_verdict_is_filed_when_it_is_given(proven_at: datetime | None, fits: bool) -> None:
    finding = check_dates(NOW, proven_at, DAY)
    assert (finding is None) is fits
