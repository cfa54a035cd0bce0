"""A clerk who knows no PKI reads three verdicts: accept, reject, cannot tell; what was altered stands side by side.

Each leaves screenshots; `make docs` keeps them in docs/pictures (YINXIN_TEST_PICTURES names the folder).
"""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pikepdf
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.papers import altered, filled_later
from tests.running import DemoServer, marriage_body

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
Sample = Callable[[str], Path]
Keep = Callable[[Page, str], None]
DESK = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
JARGON = re.compile(
    r"\b(X\.509|CMS|PAdES|ECDSA|ES256|SHA|hash|FORMAT_FAILURE|ByteRange|OCSP|CRL|PKI|DocMDP|ASN)\b", re.I
)


@pytest.fixture
def keep(tmp_path: Path) -> Keep:
    kept = os.environ.get("YINXIN_TEST_PICTURES")
    folder = Path(kept) if kept else tmp_path

    def screenshot(page: Page, name: str) -> None:
        page.evaluate("window.scrollTo(0, 0)")
        whole = page.locator("main").bounding_box()
        height = min(1270, int(whole["y"] + whole["height"])) if whole and name.endswith("revisions") else 900
        part = {"x": 0, "y": 0, "width": 1280, "height": height}
        page.screenshot(path=folder / f"verdict-{name}.png", clip=part, full_page=True)

    return screenshot


def hand_in(page: Page, file: Path, address: str = "/counter") -> str | None:
    """Drop the file; the kind of the verdict."""
    page.goto(address)
    if address == "/counter":
        page.locator("label.choice", has_text="户口迁移").or_(
            page.locator("label.choice", has_text="Household")
        ).click()
    page.set_input_files("#file", file)
    page.wait_for_selector("#verdict")
    return page.get_attribute("#verdict", "data-kind")


def said_at_a_glance(page: Page) -> str:
    """What is on the page before anything is unfolded."""
    return page.locator("main").inner_text()


def take(page: Page, form: str) -> tuple[str, bytes]:
    with page.expect_download() as saved:
        page.click(f"button[value={form}]")
    return saved.value.suggested_filename, Path(saved.value.path()).read_bytes()


def test_accept(open_page: OpenPage, sample: Sample, keep: Keep) -> None:
    with open_page(as_account="counter.xichuan", viewport=DESK) as page:
        assert hand_in(page, sample("marriage.pdf")) == "passed"
        expect(page.locator("h1")).to_have_text("可以受理")
        expect(page.locator(".verdict .next")).to_contain_text("请核对持证人的身份证件")
        expect(page.locator("#verdict")).to_be_focused()
        assert not JARGON.search(said_at_a_glance(page))
        expect(page.locator(".beside")).to_have_count(0)
        keep(page, "passed")

        name, report = take(page, "pdf")
        assert re.fullmatch(r"report-[0-9a-f]{8}\.pdf", name)
        with pikepdf.open(io.BytesIO(report)) as pdf:
            assert "validation-report.json" in pdf.attachments
        _, data = take(page, "etsi")
        (signature,) = json.loads(data)["ValidationReport"]["SignatureValidationReport"]
        assert signature["SignatureValidationStatus"]["MainIndication"].endswith("total-passed")
        assert "林晓".encode() not in data
        name, container = take(page, "case")
        assert name.endswith(".asice")
        assert b"validation-report" in container or b"report.pdf" in container
        assert page.url.endswith("/counter"), "nothing of it stands in the address"

        page.locator("summary", has_text="技术细节").focus()
        page.keyboard.press("Enter")
        expect(page.locator("details", has_text="技术细节").locator("dl").first).to_be_visible()


def test_reject_an_altered_certificate_and_see_what_was_altered(
    open_page: OpenPage, sample: Sample, tmp_path: Path, keep: Keep
) -> None:
    file = tmp_path / "altered.pdf"
    file.write_bytes(altered(sample("marriage.pdf").read_bytes()))
    with open_page(as_account="counter.xichuan", viewport=DESK) as page:
        assert hand_in(page, file) == "failed"
        expect(page.locator("h1")).to_have_text("不能受理")
        expect(page.locator(".verdict .next")).to_contain_text("请勿接受")
        beside = page.locator(".beside")
        expect(beside).to_contain_text("第 1 页：页面上的内容被改了。（盖章者未允许）")
        expect(beside.locator("img")).to_have_count(2)
        for name in ("盖章时", "现在"):
            picture = beside.locator(f"img[alt*='{name}']")
            expect(picture).to_have_attribute("alt", re.compile("第 1 页，.+标出 1 处不同"))
            assert picture.evaluate("picture => picture.naturalWidth") > 500
        assert not JARGON.search(said_at_a_glance(page))
        keep(page, "failed")
        keep(page, "failed-revisions")
        _, revision = take(page, "revision")
        assert revision == sample("marriage.pdf").read_bytes()


def test_what_is_personal_leaves_the_screen(open_page: OpenPage, sample: Sample, tmp_path: Path) -> None:
    file = tmp_path / "altered.pdf"
    file.write_bytes(altered(sample("marriage.pdf").read_bytes()))
    with open_page(as_account="counter.xichuan") as page:
        page.clock.install()
        assert hand_in(page, file) == "failed"
        expect(page.locator("#verdict")).to_be_focused()
        assert page.locator("[name=carried]").input_value()
        page.clock.fast_forward(181_000)
        expect(page.locator(".beside img")).to_have_count(0)
        expect(page.locator("[name=carried]")).to_have_count(0)
        expect(page.locator("button[value=revision]")).to_have_count(0)
        expect(page.locator("h1")).to_have_text("不能受理")


def test_reject_a_revoked_certificate(open_page: OpenPage, demo: DemoServer, tmp_path: Path) -> None:
    file = tmp_path / "revoked.pdf"
    with demo.signed_in("clerk.minzheng") as clerk:
        answer = clerk.post(
            "/api/issuer/certificates", json=marriage_body(871), headers={"Idempotency-Key": "to-be-revoked-pdf"}
        )
        certificate = answer.json()["certificate_id"]
        file.write_bytes(clerk.get(f"/api/issuer/certificates/{certificate}/renderings/pdf").content)
        revoked = clerk.post(
            f"/api/issuer/certificates/{certificate}/status", json={"status": "invalid", "reason": "issued_in_error"}
        )
        assert revoked.status_code == 200
    with open_page(as_account="counter.xichuan") as page:
        page.goto("/language/en?next=/counter")
        assert hand_in(page, file) == "failed"
        expect(page.locator("h1")).to_have_text("Reject")
        expect(page.locator(".verdict .sentence")).to_contain_text("revoked")
        expect(page.locator(".verdict .next")).to_contain_text("Ask the holder to contact")
        expect(page.locator(".beside")).to_have_count(0)


def test_cannot_tell_of_a_form_that_was_filled_in_later(open_page: OpenPage, tmp_path: Path, keep: Keep) -> None:
    file = tmp_path / "residence.pdf"
    file.write_bytes(filled_later())
    with open_page(as_account="counter.xichuan", viewport=DESK) as page:
        assert hand_in(page, file) == "indeterminate"
        expect(page.locator("h1")).to_have_text("暂时无法判断")
        expect(page.locator(".verdict .sentence")).to_contain_text("填写")
        expect(page.locator(".verdict .next")).to_contain_text("请持证人")
        expect(page.locator(".beside")).to_contain_text("填写或改动了表单。（盖章者允许）")
        expect(page.locator(".beside img")).to_have_count(2)
        assert not JARGON.search(said_at_a_glance(page))
        keep(page, "indeterminate")
        keep(page, "indeterminate-revisions")


@pytest.mark.parametrize("kind", ["passed", "failed", "indeterminate"])
def test_in_english_on_a_phone_without_signing_in(
    open_page: OpenPage, sample: Sample, tmp_path: Path, kind: str
) -> None:
    sealed = sample("marriage.pdf").read_bytes()
    file = tmp_path / "paper.pdf"
    file.write_bytes({"passed": sealed, "failed": altered(sealed), "indeterminate": filled_later()}[kind])
    words = {"passed": "Genuine and in force", "failed": "Do not rely on it", "indeterminate": "Cannot tell"}
    with open_page(viewport=PHONE, color_scheme="dark") as page:
        page.goto("/language/en?next=/verify")
        assert hand_in(page, file, "/verify") == kind
        expect(page.locator("h1")).to_have_text(words[kind])
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        shown = said_at_a_glance(page)
        assert not JARGON.search(shown)
        assert not re.search(r"[\u4e00-\u9fff]", page.locator(".verdict").inner_text())
        name, _ = take(page, "pdf")
        assert name.endswith(".pdf")


def test_a_receipt_can_be_printed(open_page: OpenPage, sample: Sample) -> None:
    with open_page(as_account="counter.xichuan") as page:
        hand_in(page, sample("marriage.pdf"))
        page.click("form[action='/counter/receipts'] button")
        with page.expect_download() as saved:
            page.click("a[href$='/report']")
        with pikepdf.open(saved.value.path()) as pdf:
            assert {"receipt.jwt", "report.json"} <= set(pdf.attachments)
