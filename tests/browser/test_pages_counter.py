"""The counter and the public check in Chromium: camera, upload, paste, verdict, filing, and what is not kept."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, TimeoutError, expect

from tests.browser.conftest import OpenPage
from tests.browser.pictures import camera_film, qr_picture, read_picture
from tests.running import DemoServer

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
Sample = Callable[[str], Path]
CAMERA = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")
VERDICT = "#verdict"


def choose_scenario(page: Page, name: str = "户口迁移") -> None:
    page.locator("label.choice", has_text=name).click()


def paste(page: Page, text: str) -> None:
    page.locator("[data-paste] summary").click()
    page.fill("[name=evidence]", text)
    page.click("main form button.wide[type=submit]")


def open_camera(page: Page) -> None:
    """It opens by itself where the camera was allowed before; else one presses the button."""
    with suppress(TimeoutError):
        page.locator("[data-scan-start]").click(timeout=1_500)


def kind(page: Page) -> str | None:
    page.wait_for_selector(VERDICT)
    return page.get_attribute(VERDICT, "data-kind")


def test_the_camera_reads_a_printed_code_and_the_verdict_is_filed(
    launch: Callable[..., Browser], open_page: OpenPage, sample: Sample, tmp_path: Path
) -> None:
    film = camera_film(sample("marriage.qr.txt").read_text(), tmp_path / "film.y4m")
    with (
        launch(*CAMERA, f"--use-file-for-fake-video-capture={film}") as camera,
        open_page(where=camera, as_account="counter.xichuan") as page,
    ):
        page.goto("/counter")
        choose_scenario(page)
        open_camera(page)
        assert kind(page) == "passed"
        expect(page.locator("h1")).to_have_text("可以受理")
        expect(page.locator(".verdict .sentence")).to_contain_text("东岭区民政局颁发的结婚证")
        expect(page.locator("[data-claims]")).to_contain_text("周远")

        page.click("form[action='/counter/receipts'] button")
        expect(page.locator(".notice.good")).to_contain_text("已存入办件")
        with page.expect_download() as saved:
            page.click("a[download]")
        receipt = Path(saved.value.path()).read_text()
        assert receipt.count(".") == 2

        remembered = page.request.get("/counter").text()
        assert re.search(r'value="990200/household-transfer"[^>]* checked', remembered)


def test_a_camera_that_is_refused_is_explained(open_page: OpenPage) -> None:
    with open_page(as_account="counter.xichuan") as page:
        page.goto("/counter")
        page.click("[data-scan-start]")
        status = page.locator("[data-scan-status]")
        expect(status).to_contain_text(re.compile("没有获得摄像头权限|没有找到摄像头"))
        expect(status).to_contain_text("上传")
        expect(page.locator("[data-scan-start]")).to_be_visible()


def test_a_code_before_a_scenario_is_chosen_asks_for_the_scenario(
    launch: Callable[..., Browser], open_page: OpenPage, sample: Sample, tmp_path: Path
) -> None:
    film = camera_film(sample("marriage.qr.txt").read_text(), tmp_path / "film.y4m")
    with (
        launch(*CAMERA, f"--use-file-for-fake-video-capture={film}") as camera,
        open_page(where=camera, as_account="counter.xichuan") as page,
    ):
        page.goto("/counter")
        open_camera(page)
        expect(page.locator("[data-scan-status]")).to_contain_text("请先在上面选择办什么事")
        choose_scenario(page)
        assert kind(page) == "passed"


def test_what_decides_against_stands_first_and_alone(open_page: OpenPage, sample: Sample) -> None:
    with open_page(as_account="counter.xichuan") as page:
        page.goto("/counter")
        choose_scenario(page, "人才落户")
        paste(page, sample("marriage.qr.txt").read_text())
        assert kind(page) == "failed"
        reasons = page.locator(".chain.against > li")
        expect(reasons).to_have_count(1)
        expect(reasons).to_contain_text("本事项不需要此类证照")
        expect(page.locator("details", has_text="没有问题").locator("li").first).to_be_hidden()
        expect(page.locator("[data-claims] dl")).to_be_hidden()

        page.goto("/counter")
        paste(page, "something else")
        assert kind(page) == "failed"
        expect(page.locator("form[action='/counter/receipts']")).to_have_count(0)


def test_a_page_of_another_role_offers_another_account(open_page: OpenPage) -> None:
    with open_page(as_account="lin.xiao") as page:
        page.goto("/counter")
        expect(page.locator("main")).to_contain_text("林晓")
        page.locator("main a", has_text="换个账户登录").click()
        page.wait_for_url("**/sign-in?next=/counter")


def test_a_one_time_code_is_read_once(open_page: OpenPage) -> None:
    with open_page(as_account="lin.xiao") as citizen:
        code = show_code(citizen)
    with open_page(as_account="counter.xichuan") as page:
        page.goto("/counter")
        choose_scenario(page)
        paste(page, code)
        assert kind(page) == "passed"
        expect(page.locator("main")).to_contain_text("持证人于")
        page.goto("/counter")
        paste(page, code)
        assert kind(page) == "not-read"
        expect(page.locator(".verdict")).to_contain_text("已经用过")


def show_code(citizen: Page) -> str:
    """The text of the one-time code that the citizen's telephone shows for a household transfer."""
    citizen.goto("/wallet")
    citizen.locator("li.doc", has_text="结婚证").first.locator("a[href$='/show']").click()
    citizen.locator("a", has_text="户口迁移").click()
    citizen.locator("form button[type=submit]", has_text="出示二维码").click()
    citizen.wait_for_selector("#qr svg")
    return read_picture(Image.open(io.BytesIO(citizen.locator("#qr").screenshot())))


def test_claims_leave_the_screen(open_page: OpenPage, sample: Sample) -> None:
    with open_page(as_account="counter.xichuan") as page:
        page.clock.install()
        page.goto("/counter")
        choose_scenario(page)
        paste(page, sample("marriage.qr.txt").read_text())
        expect(page.locator("[data-claims]")).to_contain_text("周远")
        expect(page.locator("#verdict")).to_be_focused()  # the page's script has run, and with it the timer
        page.clock.fast_forward(181_000)
        expect(page.locator("[data-claims]")).to_have_count(0)
        expect(page.locator("[data-cleared]")).to_be_visible()
        assert "周远" not in page.content()


def test_nothing_of_a_verdict_is_cached_or_in_the_address(open_page: OpenPage, sample: Sample) -> None:
    with open_page(as_account="counter.xichuan") as page:
        page.goto("/counter")
        choose_scenario(page)
        with page.expect_response(lambda response: response.request.method == "POST") as answered:
            paste(page, sample("marriage.qr.txt").read_text())
        assert answered.value.headers["cache-control"] == "no-store"
        assert page.url.endswith("/counter")


@pytest.mark.parametrize("scripts", [True, False], ids=["read in the browser", "without scripts"])
def test_a_photo_of_the_code_is_enough(open_page: OpenPage, sample: Sample, tmp_path: Path, scripts: bool) -> None:
    photo = tmp_path / "photo.png"
    qr_picture(sample("marriage.qr.txt").read_text()).rotate(11, expand=True, fillcolor=200).save(photo)
    with open_page(java_script_enabled=scripts) as page:
        page.goto("/verify")
        page.set_input_files("#file", photo)
        if not scripts:
            page.click("main form button.wide[type=submit]")
        assert kind(page) == "passed"
        expect(page.locator("h1")).to_have_text("真实有效")


def test_the_public_drops_a_pdf_and_reads_who_accepts_it(open_page: OpenPage, sample: Sample) -> None:
    with open_page() as page:
        page.goto("/verify")
        page.locator("summary", has_text="要拿到哪里用").click()
        page.select_option("#rules", "990200/household-transfer")
        page.set_input_files("#file", sample("marriage.pdf"))
        assert kind(page) == "passed"
        expect(page.locator(".verdict .sentence")).to_contain_text("西川区认可用于户口迁移")
        expect(page.locator("form[action='/counter/receipts']")).to_have_count(0)


@pytest.mark.parametrize(
    ("handed_in", "words"),
    [
        ("胡言乱语", "不是我们认识的"),
        ("YX1:ABC", "残缺或已损坏"),
        ("YXP:ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "一次性亮证码"),
    ],
)
def test_what_is_no_certificate_is_named(open_page: OpenPage, handed_in: str, words: str) -> None:
    with open_page() as page:
        page.goto("/verify")
        paste(page, handed_in)
        assert kind(page) == "failed"
        expect(page.locator(".verdict .sentence")).to_contain_text(words)


def test_nothing_handed_in_is_asked_for(open_page: OpenPage, tmp_path: Path) -> None:
    empty_photo = tmp_path / "wall.png"
    Image.new("L", (400, 400), 200).save(empty_photo)
    with open_page() as page:
        page.goto("/verify")
        page.click("main form button.wide[type=submit]")
        expect(page.get_by_role("alert")).to_contain_text("请扫描、上传或粘贴")
        page.wait_for_load_state()  # the script that reads photos has run
        page.set_input_files("#file", empty_photo)
        expect(page.get_by_role("alert")).to_contain_text("照片里没有找到二维码")


def test_only_counter_clerks_reach_the_counter(open_page: OpenPage, demo: DemoServer) -> None:
    with open_page(as_account="lin.xiao") as page:
        assert page.goto("/counter").status == 403  # type: ignore[union-attr]
    with open_page() as page:
        page.goto("/counter")
        assert page.url.startswith(f"{demo.url}/sign-in")
