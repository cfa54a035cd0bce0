"""A counter asks, a citizen's wallet answers, over OpenID4VP: two browsers, a camera between them, and nobody reloads.

Each step leaves a screenshot; `make docs` keeps them in docs/pictures (YINXIN_TEST_PICTURES names the folder).
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from server.demo.people import LIN, ZHOU
from tests.browser.conftest import OpenPage
from tests.browser.pictures import camera_film, read_picture

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
CAMERA = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    kept = os.environ.get("YINXIN_TEST_PICTURES")
    return Path(kept) if kept else tmp_path_factory.mktemp("pictures")


def test_the_counter_asks_and_turns_to_the_verdict_by_itself(
    launch: Callable[..., Browser], open_page: OpenPage, pictures: Path, tmp_path: Path
) -> None:
    def keep(page: Page, name: str, *, whole: bool = False) -> None:
        page.screenshot(path=pictures / f"openid-{name}.png", full_page=whole)

    with open_page(as_account="counter.xichuan", viewport=DESK) as counter:
        code = ask(counter, "户口迁移")
        keep(counter, "1-ask")
        film = camera_film(code, tmp_path / "counter.y4m")
        camera = launch(*CAMERA, f"--use-file-for-fake-video-capture={film}")
        with open_page(where=camera, as_account="lin.xiao", viewport=PHONE, device_scale_factor=2) as phone:
            phone.goto("/wallet/scan")
            expect(phone.locator("h1")).to_have_text("谁要看您的证照", timeout=20_000)  # the camera read it by itself
            asker = phone.locator(".asker")
            expect(asker).to_contain_text("西川区政务服务大厅")
            expect(asker).to_contain_text("户口迁移")
            expect(counter.locator("[data-status]")).to_contain_text("钱包已读到请求")
            keep(phone, "2-consent", whole=True)
            phone.locator("#agree").click()
            verdict = counter.locator("#verdict")
            expect(verdict).to_have_attribute("data-kind", "passed", timeout=20_000)
            expect(verdict.locator(".sentence")).to_have_text("出示的 2 份证照都通过核验。")
            expect(counter.locator("[data-claims]").first).to_contain_text(ZHOU.name)
            assert ZHOU.number not in counter.content(), "an optional claim that was not chosen reached the counter"
            keep(counter, "4-verdict")
            expect(phone.locator("h1")).to_contain_text("已出示")
            keep(phone, "3-shown")
            phone.goto("/wallet/log")
            expect(phone.locator("main")).to_contain_text("西川区政务服务大厅")
        counter.locator("button", has_text="全部存入办件").click()
        expect(counter.locator("h1")).to_have_text("已存回执")


def test_a_citizen_who_declines_shows_nothing(
    launch: Callable[..., Browser], open_page: OpenPage, pictures: Path, tmp_path: Path
) -> None:
    with open_page(as_account="counter.xichuan", viewport=DESK) as counter:
        film = camera_film(ask(counter, "婚育服务登记"), tmp_path / "counter.y4m")
        camera = launch(*CAMERA, f"--use-file-for-fake-video-capture={film}")
        with open_page(where=camera, as_account="lin.xiao", viewport=PHONE) as phone:
            phone.goto("/wallet/scan")
            phone.wait_for_selector("#consent", timeout=20_000)
            phone.locator("#consent button[type=submit]").click()
        expect(counter.locator("#verdict h1")).to_have_text("持证人没有出示", timeout=20_000)
        assert LIN.name not in counter.content()
        counter.locator("#verdict button", has_text="再请求一次").click()
        expect(counter.locator("[data-status]")).to_contain_text("等待钱包应答")


def test_the_page_turns_by_asking_where_events_do_not_come_through(open_page: OpenPage) -> None:
    """Behind a proxy that holds events back, the page asks every other second, and says when it can't."""
    with open_page(as_account="counter.xichuan", viewport=DESK) as counter:
        counter.route("**/events", lambda route: route.fulfill(status=204))
        ask(counter, "婚育服务登记")
        with counter.expect_response("**/state", timeout=15_000) as asked:
            pass
        assert asked.value.json()["state"] == "waiting"
        counter.route("**/state", lambda route: route.fulfill(json={"state": "expired", "seconds_left": 0}, status=200))
        with counter.expect_navigation(timeout=15_000):
            pass


def ask(counter: Page, scenario: str) -> str:
    """The code on the counter's screen for that scenario, read off the screen."""
    counter.goto("/counter")
    counter.locator("label.choice", has_text=scenario).click()
    counter.locator("button", has_text="请持证人出示").click()
    counter.wait_for_selector(".ask-qr svg")
    code = read_picture(Image.open(io.BytesIO(counter.locator(".ask-qr").screenshot())))
    assert code.startswith("openid4vp://?client_id=x509_hash%3A")
    return code
