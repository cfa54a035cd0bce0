"""Several signatures in one document, and what was done to it after each: every one is judged, one verdict follows."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keys.envelopes.pades import Change, ChangeKind, Modification, PdfSignature, SignedPdf, ValidationData
from keys.signature_problems import SignatureProblem as Problem
from keys.x509 import Profile
from tests.verifier.asking import ask, assert_failed, assert_indeterminate, assert_passed
from tests.verifier.small_world import DAY, SEALED, SmallWorld, attestation, authority, certificate
from tests.verifier.test_pdf import sealed, signature, stamped
from verifier.core.changes import check_changes
from verifier.core.pdf import _HOLDING, _LACKING, _READING
from verifier.model import Indication, Policy, Report, SealedData, SealedPdf, SubIndication

STRANGER = certificate("stranger", Profile.SEAL, "elsewhere")
PASSED, FAILED, INDETERMINATE = Indication.PASSED, Indication.FAILED, Indication.INDETERMINATE
FORMAT = SubIndication.FORMAT_FAILURE


def document(*parts: tuple[PdfSignature, bool]) -> SealedPdf:
    """Signatures, each with whether it covers the certificate data."""
    contents = tuple(SealedData(attestation() if covered else None) for _, covered in parts)
    return SealedPdf("sha256:" + "1" * 64, SignedPdf(b"%PDF-", tuple(made for made, _ in parts), {}, 1), contents)


def told(report: Report) -> list[tuple[Indication, bool]]:
    return [(each.indication, each.deciding) for each in report.signatures]


# --- one verdict for several


def test_a_single_signature_is_told_and_decides(world: SmallWorld) -> None:
    report = ask(world, sealed(signature(field_name="Seal")))
    (only,) = report.signatures
    assert (only.name, only.deciding, only.indication, only.findings) == ("Seal", True, PASSED, report.findings)
    assert (only.signed_at, only.signed_at_proven, only.certificate) == (SEALED, True, signature().certificate)


def test_no_signature_is_told_of_an_unsigned_file(world: SmallWorld) -> None:
    assert ask(world, sealed()).signatures == ()


def test_the_first_listed_seal_over_the_data_decides(world: SmallWorld) -> None:
    report = ask(world, document((signature(certificate=STRANGER), True), (signature(), True), (signature(), True)))
    assert_passed(report)
    assert told(report) == [(INDETERMINATE, False), (PASSED, True), (PASSED, False)]


def test_a_listed_seal_before_the_data_does_not_decide(world: SmallWorld) -> None:
    report = ask(world, document((signature(), False), (signature(), True)))
    assert_passed(report)
    assert [each.deciding for each in report.signatures] == [False, True]


def test_another_listed_seal_that_failed_leaves_doubt(world: SmallWorld) -> None:
    report = ask(world, document((signature(), True), (signature(digest_ok=False), True)))
    assert_indeterminate(report, "another_seal_failed", SubIndication.SIG_CONSTRAINTS_FAILURE)
    assert told(report) == [(PASSED, True), (FAILED, False)]


def test_a_strangers_signature_that_failed_is_told_and_decides_nothing(world: SmallWorld) -> None:
    report = ask(world, document((signature(), True), (signature(certificate=STRANGER, digest_ok=False), True)))
    assert_passed(report)
    assert told(report) == [(PASSED, True), (FAILED, False)]


def test_a_failed_deciding_seal_stays_failed(world: SmallWorld) -> None:
    report = ask(world, document((signature(signature_ok=False), True), (signature(digest_ok=False), True)))
    assert_failed(report, "signature_wrong", SubIndication.SIG_CRYPTO_FAILURE)


def test_without_a_listed_seal_the_worst_counts(world: SmallWorld) -> None:
    doubtful, false = signature(certificate=STRANGER), signature(certificate=STRANGER, signature_ok=False)
    report = ask(world, document((doubtful, False), (false, False)))
    assert_failed(report, "signature_wrong", SubIndication.SIG_CRYPTO_FAILURE)
    assert told(report) == [(INDETERMINATE, False), (FAILED, False)]
    assert ask(world, document((doubtful, False), (doubtful, False))).indication is INDETERMINATE


# --- levels


@pytest.mark.parametrize(
    ("made", "data", "stamps", "level"),
    [
        (signature(timestamp=None, timestamp_ok=False), ValidationData(), 0, "B-B"),
        (signature(timestamp_ok=False), ValidationData(), 0, "B-B"),
        (signature(), ValidationData(), 0, "B-T"),
        (signature(), ValidationData(crls=(b"",)), 0, "B-LT"),
        (signature(), ValidationData(ocsp_responses=(b"",)), 1, "B-LTA"),
        (signature(timestamp=None, timestamp_ok=False), ValidationData(), 1, "B-T"),
    ],
)
def test_the_level_that_is_there(
    world: SmallWorld, made: PdfSignature, data: ValidationData, stamps: int, level: str
) -> None:
    from keys.envelopes.pades import DocumentTimestamp

    file = sealed(made)
    over = tuple(DocumentTimestamp(stamped(SEALED + DAY), whole=True, signed_size=9) for _ in range(stamps))
    file = replace(file, pdf=replace(file.pdf, timestamps=over, validation_data=data))
    assert ask(world, file).signatures[0].level == level


# --- what was done to it since


def changed(*changes: Change, **more: object) -> SealedPdf:
    return sealed(signature(changes=changes, covers_whole_file=False, modification=Modification.OTHER, **more))


@pytest.mark.parametrize(
    "kind", [ChangeKind.VALIDATION_DATA, ChangeKind.DOCUMENT_TIMESTAMP, ChangeKind.METADATA, ChangeKind.SIGNATURE]
)
def test_what_shows_nothing_does_not_alarm(world: SmallWorld, kind: ChangeKind) -> None:
    report = ask(world, changed(Change(kind, permitted=True)))
    assert_passed(report)
    assert report.signatures[0].changes == (Change(kind, permitted=True),)


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (ChangeKind.HIDDEN, "hidden_content_shown"),
        (ChangeKind.PAGE_CONTENT, "page_changed"),
        (ChangeKind.PAGE_REMOVED, "page_removed"),
        (ChangeKind.PAGE_ADDED, "page_added"),
        (ChangeKind.PAGE_ORDER, "page_order_changed"),
        (ChangeKind.SIGNATURE_CHANGED, "signature_changed"),
        (ChangeKind.ATTACHMENT, "attachment_changed"),
        (ChangeKind.ACTION, "action_added"),
        (ChangeKind.STRUCTURE, "changed_after_sealing"),
        (ChangeKind.UNREADABLE, "changes_unreadable"),
    ],
)
@pytest.mark.parametrize("permitted", [True, False])
def test_what_may_show_something_else_is_refused_by_name(
    world: SmallWorld, kind: ChangeKind, code: str, permitted: bool
) -> None:
    quiet = Change(ChangeKind.VALIDATION_DATA, permitted=True)
    assert_failed(ask(world, changed(quiet, Change(kind, permitted=permitted))), code, FORMAT)


def test_a_shadow_attack_is_named_before_anything_else(world: SmallWorld) -> None:
    changes = [Change(kind) for kind in ChangeKind]
    assert_failed(ask(world, changed(*changes)), "hidden_content_shown", FORMAT)


@pytest.mark.parametrize(
    ("kind", "permitted", "certification", "expected"),
    [
        (ChangeKind.FORM_VALUE, True, None, "form_filled_after_sealing"),
        (ChangeKind.FORM_VALUE, True, 2, "form_filled_after_sealing"),
        (ChangeKind.FORM_VALUE, False, 1, "form_filled_against_seal"),
        (ChangeKind.FORM_VALUE, False, None, "form_filled_against_seal"),  # a field that was locked
        (ChangeKind.ANNOTATION, True, 3, "note_added_after_sealing"),
        (ChangeKind.ANNOTATION, False, None, "note_added_after_sealing"),
        (ChangeKind.ANNOTATION, False, 2, "note_added_against_seal"),
        (ChangeKind.SIGNATURE, False, 1, "signature_added_against_seal"),
    ],
)
def test_forms_notes_and_further_signatures(
    world: SmallWorld, kind: ChangeKind, permitted: bool, certification: int | None, expected: str
) -> None:
    report = ask(world, changed(Change(kind, permitted=permitted), certification=certification))
    assert report.decisive is not None
    assert report.decisive.code == expected
    assert report.indication is (FAILED if expected.endswith("against_seal") else INDETERMINATE)


def test_all_kinds_of_changes_mean_something() -> None:
    """MUST: a new kind of change never passes unnoticed."""
    quiet = {ChangeKind.VALIDATION_DATA, ChangeKind.DOCUMENT_TIMESTAMP, ChangeKind.METADATA, ChangeKind.SIGNATURE}
    for kind in ChangeKind:
        found = check_changes([Change(kind, permitted=True)], Modification.NONE, certified=False)
        assert (found is None) is (kind in quiet), kind


# --- what is wrong with a signature by itself

NEVER_DECIDES = {
    Problem.CHANGES,
    Problem.CHANGES_NOT_PERMITTED,
    Problem.CHANGES_UNREADABLE,  # told by `changes`
    Problem.SIGNING_TIME_DIFFERS,  # both are the signer's word
    Problem.VALIDATION_DATA,
    Problem.VALIDATION_DATA_TOO_MUCH,  # what is left out proves nothing
    Problem.KEY_USAGE,  # of a time-stamper
    Problem.ATTACHMENTS,  # where certificate data should be, `data_missing` says so
    *(problem for problem in Problem if problem.startswith("time-stamp")),
}


def test_every_problem_means_something() -> None:
    """MUST: what is found wrong with a signature is never passed over."""
    assert {*_READING, *_HOLDING, *_LACKING} == set(Problem) - NEVER_DECIDES


@pytest.mark.parametrize("problem", sorted({*_READING, *_HOLDING, *_LACKING}))
def test_no_problem_passes_however_good_the_rest(world: SmallWorld, problem: Problem) -> None:
    report = ask(world, sealed(signature(problems=(problem,))))
    assert report.indication is not PASSED
    assert report.decisive is (_READING.get(problem) or _HOLDING.get(problem) or _LACKING[problem])


@pytest.mark.parametrize("problem", sorted(NEVER_DECIDES))
@pytest.mark.parametrize("fact", ["digest_ok", "signature_ok"])
def test_a_fact_that_is_not_good_counts_whatever_else_is_named(world: SmallWorld, problem: Problem, fact: str) -> None:
    report = ask(world, sealed(signature(problems=(problem,), **{fact: False})))
    assert report.indication is FAILED


@pytest.mark.parametrize(
    ("problem", "facts", "code", "sub_indication"),
    [
        (Problem.CONTENT_INSIDE, {"digest_ok": False}, "signature_over_other_content", FORMAT),
        (Problem.BYTE_RANGE_GAP, {"digest_ok": False, "certificate": None}, "gap_not_covered", FORMAT),
        (Problem.DIGEST, {"digest_ok": False}, "content_altered", SubIndication.HASH_FAILURE),
        (Problem.SIGNATURE, {"signature_ok": False}, "signature_wrong", SubIndication.SIG_CRYPTO_FAILURE),
    ],
)
def test_told_by_its_reason(
    world: SmallWorld, problem: Problem, facts: dict[str, object], code: str, sub_indication: SubIndication
) -> None:
    assert_failed(ask(world, sealed(signature(problems=(problem,), **facts))), code, sub_indication)


@pytest.mark.parametrize(
    ("problems", "facts"),
    [
        ((Problem.WEAK_ALGORITHM,), {}),
        ((Problem.SUB_FILTER_OLD,), {"digest_ok": False, "signature_ok": False, "certificate": None}),
        ((Problem.SIGNING_CERTIFICATE_SHA1,), {"signing_certificate_attribute_ok": False}),
    ],
)
def test_sha_1_anywhere_is_not_verified_as_good(
    world: SmallWorld, problems: tuple[Problem, ...], facts: dict[str, object]
) -> None:
    report = ask(world, sealed(signature(problems=problems, **facts)))
    assert (report.indication, report.sub_indication) == (INDETERMINATE, SubIndication.CRYPTO_CONSTRAINTS_FAILURE)


def test_cms_that_is_not_cades_is_enough_for_a_strangers_document(world: SmallWorld) -> None:
    """ISO 32000-2 clause 12.8.3.3 asks for no such attribute, EN 319 142-1 does; what is there must be readable."""
    anchored = Policy(anchors=(authority("elsewhere"),))
    for problem, passes in (
        (Problem.SIGNING_CERTIFICATE_MISSING, True),
        (Problem.SIGNING_CERTIFICATE, False),
        (Problem.SIGNING_CERTIFICATE_SHA1, False),
    ):
        facts = {"problems": (problem,), "signing_certificate_attribute_ok": False, "timestamp": None}
        made = signature(certificate=STRANGER, timestamp_ok=False, **facts)
        report = ask(world, sealed(made, content=None), policy=anchored)
        assert (report.indication is PASSED) is passes
        codes = {finding.code for finding in report.findings}
        assert ("integrity_ok_signer_not_fixed" in codes) is passes
        assert ask(world, sealed(signature(problems=(problem,)))).indication is INDETERMINATE  # data of the network
        assert ask(world, sealed(made, content=None)).indication is not PASSED  # and nobody is trusted by it
    broken = signature(certificate=STRANGER, problems=(Problem.SIGNING_CERTIFICATE_MISSING,), digest_ok=False)
    assert_failed(
        ask(world, sealed(broken, content=None), policy=anchored), "content_altered", SubIndication.HASH_FAILURE
    )


def test_a_nameless_signature_whose_digest_fails(world: SmallWorld) -> None:
    report = ask(world, sealed(signature(certificate=None, digest_ok=False, signature_ok=False)))
    assert_indeterminate(report, "signer_unknown", SubIndication.NO_SIGNING_CERTIFICATE_FOUND)
    report = ask(world, sealed(signature(certificate=None, signature_ok=False)))
    assert_indeterminate(report, "signer_unknown", SubIndication.NO_SIGNING_CERTIFICATE_FOUND)


@settings(max_examples=150, deadline=None)
@given(
    st.sets(st.sampled_from(sorted(Problem)), max_size=3),
    st.lists(st.builds(Change, st.sampled_from(ChangeKind), permitted=st.booleans()), max_size=3),
    st.tuples(st.booleans(), st.booleans(), st.booleans()),
    st.sampled_from([None, 1, 2, 3]),
    st.sampled_from(Modification),
)
def test_whatever_the_facts_nothing_bad_passes_and_nothing_raises(
    problems: set[Problem],
    changes: list[Change],
    good: tuple[bool, bool, bool],
    certification: int | None,
    modification: Modification,
) -> None:
    """MUST: an independent, naive reading: PASSED only if every fact is good and every change shows nothing."""
    digest_ok, signature_ok, pinned = good
    made = signature(
        problems=tuple(problems),
        changes=tuple(changes),
        digest_ok=digest_ok,
        signature_ok=signature_ok,
        signing_certificate_attribute_ok=pinned,
        certification=certification,
        covers_whole_file=not changes and modification is Modification.NONE,
        modification=modification,
    )
    quiet = {ChangeKind.VALIDATION_DATA, ChangeKind.DOCUMENT_TIMESTAMP, ChangeKind.METADATA}
    harmless = all(
        change.kind in quiet or (change.kind is ChangeKind.SIGNATURE and change.permitted) for change in changes
    )
    if not changes:
        harmless = modification in (Modification.NONE, Modification.LTV)
    report = ask(SmallWorld(), sealed(made))
    assert (report.indication is PASSED) is (all(good) and harmless and problems <= NEVER_DECIDES)
