"""The printed report: one or two pages, PDF/A-3b, the data attached, the words of the verdict on it, no claims."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from tests.verifier.asking import ask
from tests.verifier.small_world import SmallWorld, qr
from tests.verifier.test_reports_etsi import several
from trust_registry.model import CertificateStatus, Names
from verifier.model import Report
from verifier.reports import etsi
from verifier.reports.pdf import Paper, render_report
from verifier.wire import filed_report

HALL = Names("西川区政务大厅", "Xichuan government hall")


def paper(report: Report, world: SmallWorld, **more: Any) -> Paper:
    data = etsi.to_bytes(report, world.view())
    attached = {"validation-report.json": (data, "application/json", Names("报告数据", "Report data"))}
    return Paper(filed_report(report), HALL, attached=attached, **more)


def text_of(pdf: bytes, folder: Path) -> str:
    if shutil.which("pdftotext") is None:
        pytest.skip("poppler is missing: apt-get install poppler-utils")
    (folder / "report.pdf").write_bytes(pdf)
    command = ["pdftotext", "-layout", str(folder / "report.pdf"), "-"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("zh", ("核验报告", "不能受理", "请持证人联系东岭区民政局", "FAILED / REVOKED", "西川区政务大厅", "第 1 页")),
        (
            "en",
            ("Verification Report", "Reject", "Ask the holder to contact Civil Affairs Bureau", "Xichuan government"),
        ),
    ],
)
def test_it_says_the_word_the_sentence_and_the_next_step(
    world: SmallWorld, tmp_path: Path, language: str, words: tuple[str, ...]
) -> None:
    report = ask(world, qr(), statuses=world.statuses(CertificateStatus.INVALID))
    shown = text_of(render_report(paper(report, world), world.view(), language), tmp_path)
    assert [word for word in words if word not in shown] == []
    assert "林晓" not in shown


def test_each_signature_and_what_was_changed_after_it(world: SmallWorld, tmp_path: Path) -> None:
    first, second = several(world).signatures
    twice = replace(several(world), signatures=(replace(first, changes=first.changes * 2), replace(second, changes=())))
    shown = text_of(render_report(paper(twice, world), world.view(), "zh"), tmp_path)
    assert "文件中的签名" in shown
    assert shown.count("第 2 页：加了批注、图章或遮盖物") == 1, "what is said once is not said again"
    assert "B-LTA" in shown
    (seal,) = (each for issuer in world.view().issuers.values() for each in issuer.seals[:1])
    assert f"1. {seal.names.zh}" in shown, "by its name on the list, in the reader's language"


def test_it_is_pdf_a_tagged_with_its_data_attached(world: SmallWorld) -> None:
    report = several(world)
    made = render_report(paper(report, world), world.view(), "zh")
    with pikepdf.open(io.BytesIO(made)) as pdf:
        assert len(pdf.pages) <= 2
        assert pdf.Root.MarkInfo.Marked
        assert str(pdf.Root.Lang).startswith("zh")
        with pdf.open_metadata() as metadata:
            assert (metadata["pdfaid:part"], metadata["pdfaid:conformance"]) == ("3", "B")
        attached = json.loads(pdf.attachments["validation-report.json"].get_file().read_bytes())
    assert attached == etsi.validation_report(report, world.view())


def test_the_common_case_fits_one_page_in_chinese(world: SmallWorld) -> None:
    report = several(world)
    one = replace(report, signatures=(replace(report.signatures[0], changes=()),))
    for judged in (ask(world, qr()), one):
        kept = replace(paper(judged, world), versions={"root": 1, "snapshot": 7}, status="sha256:" + "ab" * 32)
        with pikepdf.open(io.BytesIO(render_report(kept, world.view(), "zh"))) as pdf:
            assert len(pdf.pages) == 1


def test_the_same_report_gives_the_same_bytes(world: SmallWorld) -> None:
    report = ask(world, qr())
    first, second = (render_report(paper(report, world), world.view(), "en") for _ in range(2))
    assert first == second


def test_a_receipt_is_printed_by_its_own_words_years_later(world: SmallWorld, tmp_path: Path) -> None:
    document = json.loads(json.dumps(filed_report(several(world))))
    document["findings"][0]["text"] = {"zh": "当年的说法。", "en": "As it was put then."}
    kept = Paper(document, HALL, "0123456789", {"root": 3}, "sha256:" + "ab" * 32)
    shown = text_of(render_report(kept, None, "zh"), tmp_path)
    assert "当年的说法" in shown
    assert "0123456789" in shown
    assert "root 3" in shown
    assert "common/marriage-certificate" in shown  # without a list nobody knows its name


def test_a_receipt_without_sentences_is_printed_by_its_codes(world: SmallWorld, tmp_path: Path) -> None:
    document = json.loads(json.dumps(filed_report(ask(world, qr()))))
    for finding in document["findings"]:
        del finding["text"]
    assert "integrity_ok" in text_of(render_report(Paper(document), world.view(), "en"), tmp_path)


def test_strangers_texts_are_text_and_bounded(world: SmallWorld, tmp_path: Path) -> None:
    hostile = '#set text(red) \\ "quoted" $x$ \u202e\u0000\U0001f600' + "字" * 5000
    report = several(world)
    signatures = tuple(replace(each, name=hostile, certificate=None) for each in report.signatures) * 9
    made = render_report(paper(replace(report, signatures=signatures), world), world.view(), "en")
    shown = text_of(made, tmp_path)
    assert '#set text(red) \\ "quoted" $x$' in shown.replace("\n", " ")
    with pikepdf.open(io.BytesIO(made)) as pdf:
        assert len(pdf.pages) < 5


def test_claims_only_when_somebody_puts_them_in(world: SmallWorld, tmp_path: Path) -> None:
    asked = paper(ask(world, qr()), world, claims={Names("姓名", "Name"): "林晓"})
    assert "林晓" in text_of(render_report(asked, world.view(), "zh"), tmp_path)
