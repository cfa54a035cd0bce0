"""What the verdict page carries and gives back: nothing is kept, every file is of a verdict just given."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import replace

import pytest
from fastapi import Response
from sqlalchemy import Engine

from keys.envelopes.pades import Change, ChangeKind
from tests.verifier.asking import ask
from tests.verifier.small_world import HALL, SmallWorld, qr
from tests.verifier.test_reports_etsi import several
from tests.verifier.test_service import engine, service
from trust_registry.model import Names
from verifier.errors import CaseFilesNotOffered
from verifier.evidence import digest_of, parse
from verifier.model import EvidenceKind, Indication, Report, SignatureReport
from verifier.pages.intake import NOTHING, HandedIn
from verifier.pages.signatures import beside, changed_signature, signatures_of, signed_revision
from verifier.pages.taking import AGAIN, MAX_CARRIED, carry, handed_back, take, worth_taking
from verifier.reports.making import receipt_pdf
from verifier.service import PolicyRequest
from verifier.wire import report_to_bytes, report_to_json

__all__ = ["engine"]


def document(world: SmallWorld) -> Report:
    return replace(several(world), kind=EvidenceKind.PDF)


def signature(world: SmallWorld, *changes: Change, deciding: bool = True) -> SignatureReport:
    return replace(several(world).signatures[0], changes=changes, deciding=deciding)


def test_a_small_file_and_a_text_come_back_as_they_were(world: SmallWorld) -> None:
    report = document(world)
    for data in (b"%PDF-1.7 \x00\xff", qr()):
        carried = carry(data, report, "/verify/files", {"rules": "990200", "none": ""})
        assert dict(carried.fields) == {"rules": "990200"}
        assert not carried.again
        assert handed_back(HandedIn(carried.text, b"", {"carried": carried.file})) == data


def test_a_large_file_is_chosen_again(world: SmallWorld) -> None:
    carried = carry(b"%PDF-" + bytes(MAX_CARRIED), document(world), "/verify/files", {})
    assert carried.again
    assert handed_back(HandedIn("", b"chosen again", {})) == b"chosen again"


@pytest.mark.parametrize("given", [HandedIn("", b"", {"carried": "not base64!"}), HandedIn("", b"", {})])
def test_what_does_not_come_back_is_asked_for(given: HandedIn) -> None:
    assert handed_back(given) in (AGAIN, NOTHING)


@pytest.mark.parametrize(
    ("form", "media_type", "ending"),
    [
        ("pdf", "application/pdf", "pdf"),
        ("etsi", "application/json", "etsi.json"),
        ("json", "application/json", "json"),
    ],
)
def test_files_are_named_by_digest_and_not_cached(world: SmallWorld, form: str, media_type: str, ending: str) -> None:
    text = qr()
    made = take(service(world), text, PolicyRequest(), form=form, language="zh")
    assert isinstance(made, Response)
    assert made.media_type == media_type
    assert made.headers["cache-control"] == "no-store"
    assert made.headers["content-disposition"] == f'attachment; filename="report-{digest_of(text)[7:15]}.{ending}"'
    assert "林晓".encode() not in made.body


def test_a_file_that_was_not_changed_has_no_other_revision(world: SmallWorld) -> None:
    assert isinstance(take(service(world), qr(), PolicyRequest(), form="revision", language="zh"), Names)


def test_case_files_are_for_agencies_where_they_are_made(world: SmallWorld) -> None:
    for party in (None, HALL):
        with pytest.raises(CaseFilesNotOffered):
            take(service(world), qr(), PolicyRequest(), form="case", language="zh", relying_party=party)


def test_what_shows_nothing_needs_no_pictures(world: SmallWorld) -> None:
    quiet = signature(world, Change(ChangeKind.VALIDATION_DATA), Change(ChangeKind.SIGNATURE, (), True))
    assert changed_signature(replace(document(world), signatures=(quiet,))) is None
    laid = signature(world, Change(ChangeKind.SIGNATURE, (1,), True))
    assert changed_signature(replace(document(world), signatures=(laid,))) == (1, laid)
    loud = signature(world, Change(ChangeKind.SIGNATURE, (1,), False))
    assert changed_signature(replace(document(world), signatures=(loud,))) == (1, loud)


def test_of_several_the_deciding_signatures_revision_is_shown(world: SmallWorld) -> None:
    moved = Change(ChangeKind.PAGE_CONTENT, (1,))
    other, deciding = signature(world, moved, deciding=False), signature(world, moved)
    assert changed_signature(replace(document(world), signatures=(other, deciding))) == (2, deciding)
    calm = signature(world)
    assert changed_signature(replace(document(world), signatures=(calm, other))) == (2, other)


def test_only_a_pdf_has_revisions(world: SmallWorld) -> None:
    assert changed_signature(several(world)) is None  # a printed code
    assert beside(qr(), document(world), world.view(), "zh") is None


def test_pages_that_cannot_be_drawn_leave_the_words(world: SmallWorld) -> None:
    shown = beside(b"%PDF-1.7 junk" + bytes(2000), document(world), world.view(), "zh")
    assert shown is not None
    assert shown.comparison is None
    assert any("第 2 页" in change for change in shown.changes)
    assert shown.who == "东岭区民政局婚姻登记专用章"
    assert signed_revision(b"0123456789" * 200, document(world).signatures[0]) == b"0123456789" * 100


def test_each_signature_is_told_in_both_languages(world: SmallWorld) -> None:
    for language, outcome in (("zh", "无效"), ("en", "Bad")):
        first, second = signatures_of(document(world), world.view(), language)
        assert (first.kind, first.deciding, first.proven, first.quiet) == ("passed", True, True, 1)
        assert second.outcome == outcome
        assert second.who == "Second"  # without a certificate only the field has a name


def test_only_what_was_recognised_is_reported_on(world: SmallWorld) -> None:
    assert not worth_taking(service(world).verify("junk"))
    assert worth_taking(ask(world, qr()))


def test_the_text_of_a_report_with_signatures_is_its_json(world: SmallWorld) -> None:
    for language in (None, "zh", "en"):
        report = document(world)
        assert json.loads(report_to_bytes(report, language)) == report_to_json(report, language)
    told = report_to_json(report, "en")["signatures"]
    assert [each["indication"] for each in told] == [Indication.PASSED.value, Indication.FAILED.value]
    assert told[0]["changes"][1]["text"].startswith("Page 2: a note")


def test_a_filed_receipt_is_printed(world: SmallWorld, engine: Engine) -> None:
    from tests.verifier.small_world import receipt_key
    from verifier.model import ReceiptFile
    from verifier.store import ReceiptStore

    asked = service(world, receipts=ReceiptStore(engine), receipt_keys={HALL: receipt_key()})
    _, kept = asked.issue_receipt(qr(), PolicyRequest(), HALL)
    file = parse(kept.token)
    assert isinstance(file, ReceiptFile)
    assert file.receipt.report["findings"][0]["text"]["zh"] == "可以读取。"
    assert receipt_pdf(file.receipt, kept.token, world.view(), "zh", None).startswith(b"%PDF-")


def test_nothing_is_decoded_twice() -> None:
    assert handed_back(HandedIn("", b"", {"carried": b64encode(b64encode(b"x")).decode()})) == b64encode(b"x")
