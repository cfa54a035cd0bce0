"""The whole story through the pages: seal, hold, show, scan in another region, read, revoke, scan again, read why.

Each step leaves a screenshot; `make docs` keeps them in docs/pictures (YINXIN_TEST_PICTURES names the folder).
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from server.demo.people import CHEN, WANG
from tests.browser.conftest import OpenPage
from tests.browser.pictures import camera_film, read_picture

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
CAMERA = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}
CLAIMS = {
    "certificate_number": "J990102-2026-000815",
    "holder_name": WANG.name,
    "identity_number": WANG.number,
    "holder_birth_date": WANG.born,
    "spouse_name": CHEN.name,
    "spouse_identity_number": CHEN.number,
    "spouse_birth_date": CHEN.born,
    "registered_on": "2026-08-15",
}


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    kept = os.environ.get("YINXIN_TEST_PICTURES")
    return Path(kept) if kept else tmp_path_factory.mktemp("pictures")


def test_seal_hold_show_scan_revoke_scan_again(
    launch: Callable[..., Browser], open_page: OpenPage, pictures: Path, tmp_path: Path
) -> None:
    def keep(page: Page, name: str, *, whole: bool = False) -> None:
        page.screenshot(path=pictures / f"story-{name}.png", full_page=whole)

    with open_page(viewport=DESK) as page:
        page.goto("/")
        keep(page, "0-start")

    with open_page(as_account="clerk.minzheng", viewport=DESK) as desk:
        certificate = seal(desk, keep)

        with open_page(as_account="wang.fang", viewport=PHONE, device_scale_factor=2) as phone:
            phone.goto("/wallet")
            expect(phone.locator("main")).to_contain_text("结婚证")
            keep(phone, "3-cards")
            code = show(phone)
            keep(phone, "4-show")
            with counter(launch, open_page, code, tmp_path / "first.y4m") as verdict:
                assert verdict.get_attribute("#verdict", "data-kind") == "passed"
                expect(verdict.locator(".verdict .sentence")).to_contain_text("东岭区民政局")
                expect(verdict.locator("[data-claims]")).to_contain_text(CHEN.name)
                assert CHEN.number not in verdict.content(), "a claim that was not chosen reached the counter"
                keep(verdict, "5-passed")
            expect(phone.locator("main")).to_contain_text("已被", timeout=15_000)
            expect(phone.locator("main")).to_contain_text("西川区")
            keep(phone, "6-read")

            revoke(desk, certificate, keep)

            again = show(phone)
            with counter(launch, open_page, again, tmp_path / "second.y4m") as verdict:
                assert verdict.get_attribute("#verdict", "data-kind") == "failed"
                expect(verdict.locator(".verdict .sentence")).to_contain_text("撤销")
                keep(verdict, "8-failed")
            expect(phone.locator("main")).to_contain_text("已被", timeout=15_000)  # then the page is at rest
            phone.goto("/wallet/log")
            expect(phone.locator("main")).to_contain_text("西川区")
            keep(phone, "9-log")


def seal(desk: Page, keep: Callable[..., None]) -> str:
    """Fill in, check, seal; the address of the new certificate at the desk."""
    desk.goto("/desk/issue/common/marriage-certificate")
    for name, value in CLAIMS.items():
        desk.fill(f"[name='claim.{name}']", value)
    desk.select_option("[name='claim.holder_sex']", "女")
    desk.select_option("[name='claim.spouse_sex']", "男")
    desk.click("button[value=preview]")
    expect(desk.locator("h1")).to_have_text("核对后盖章")
    keep(desk, "1-check")
    desk.click("button[value=issue]")
    desk.wait_for_url(re.compile("/desk/certificates/1\\.2\\.156\\."))
    keep(desk, "2-sealed")
    return desk.url.partition("?")[0]


def show(phone: Page) -> str:
    """The one-time code on the citizen's telephone for a household transfer, read off the screen."""
    phone.goto("/wallet")
    phone.locator("li.doc", has_text="结婚证").locator("a[href$='/show']").click()
    phone.locator("a", has_text="户口迁移").click()
    phone.locator("form button[type=submit]", has_text="出示二维码").click()
    phone.wait_for_selector("#qr svg")
    return read_picture(Image.open(io.BytesIO(phone.locator("#qr").screenshot())))


class counter:
    """The counter of the other region, its camera looking at `code`; entered, it shows the verdict."""

    def __init__(self, launch: Callable[..., Browser], open_page: OpenPage, code: str, film: Path) -> None:
        camera = launch(*CAMERA, f"--use-file-for-fake-video-capture={camera_film(code, film)}")
        self._page = open_page(where=camera, as_account="counter.xichuan", viewport=DESK)

    def __enter__(self) -> Page:
        page = self._page.__enter__()
        page.goto("/counter")
        page.locator("label.choice", has_text="户口迁移").click()
        page.wait_for_selector("#verdict")  # the camera is allowed, so it starts by itself
        return page

    def __exit__(self, *exc: object) -> None:
        self._page.__exit__(*exc)  # type: ignore[arg-type]


def revoke(desk: Page, certificate: str, keep: Callable[..., None]) -> None:
    desk.goto(certificate)
    desk.locator("a", has_text="撤销").first.click()
    desk.select_option("[name=reason]", "correction")
    desk.click("button[value=confirm]")
    keep(desk, "7-revoke")
    desk.click("button[value=do]")
    expect(desk.locator("main")).to_contain_text("已撤销")
