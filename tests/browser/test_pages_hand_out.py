"""Handing a certificate to a wallet, and a wallet that collects: desk and citizen in Chromium, keys in the browser."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.pictures import camera_film, read_picture

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
CAMERA = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")

CLERK, LIN = "clerk.minzheng", "lin.xiao"


def to_hand_out(desk: Page) -> None:
    desk.goto("/desk")
    valid = desk.locator("tr", has=desk.locator(".chip.good"))  # other tests revoke at the same desk
    valid.locator("a[href^='/desk/certificates/']").first.click()
    desk.get_by_role("link", name="交给钱包").click()


def digits(page: Page) -> str:
    return re.sub(r"\D", "", page.locator("#tx-code").inner_text())


def offer_of(page: Page) -> str:
    return page.locator("#offer-link").text_content() or ""


def test_what_the_desk_hands_out_is_collected_by_a_citizens_wallet(
    launch: Callable[..., Browser], open_page: OpenPage, tmp_path: Path
) -> None:
    with open_page(as_account=CLERK) as desk:
        to_hand_out(desk)
        desk.get_by_label("需要六位验证码").check()
        desk.get_by_role("button", name="显示二维码").click()
        code, offer = digits(desk), offer_of(desk)
        assert len(code) == 6
        assert code not in offer
        assert "credential_offer_uri=" in offer
        assert offer == read_picture(Image.open(io.BytesIO(desk.locator(".hand-out-qr").screenshot())))
        film = camera_film(offer, tmp_path / "desk.y4m")
        camera = launch(*CAMERA, f"--use-file-for-fake-video-capture={film}")
        with open_page(where=camera, as_account=LIN) as wallet:
            wallet.goto("/wallet/scan")
            take_up(wallet, code)
            expect(desk.get_by_role("heading", name="已领取")).to_be_visible()


def take_up(wallet: Page, code: str) -> None:
    """From what the camera read to the card; the transaction code is mistyped once."""
    expect(wallet.get_by_role("heading", name="谁发放")).to_be_visible(timeout=20_000)
    expect(wallet.locator(".chip.good")).to_contain_text("已登记")
    wallet.get_by_label("领取验证码").fill("000000" if code != "000000" else "111111")
    wallet.get_by_role("button", name="领取", exact=True).click()
    expect(wallet.get_by_role("alert")).to_contain_text("验证码不正确")
    wallet.get_by_label("领取验证码").fill(code)
    wallet.get_by_role("button", name="领取", exact=True).click()
    expect(wallet.get_by_role("heading", name="已领取")).to_be_visible()
    wallet.get_by_role("link", name="看看证照").click()
    expect(wallet.get_by_text("登记机构的印章")).to_be_visible()
    wallet.goto("/wallet")
    expect(wallet.get_by_role("heading", name="从其他机构领取的")).to_be_visible()


def test_a_citizen_adds_a_certificate_to_another_wallet_and_takes_it_back(open_page: OpenPage) -> None:
    with open_page(as_account=LIN) as page:
        page.goto("/wallet")
        page.locator("a[href^='/wallet/c/']").first.click()
        page.get_by_role("link", name="添加到其他钱包").click()
        expect(page.get_by_label("用六位验证码保护")).to_be_checked()
        page.get_by_role("button", name="显示二维码").click()
        expect(page.locator("#tx-code")).to_be_visible()
        offer = offer_of(page)
        page.get_by_role("button", name="取消").click()
        page.goto("/wallet/collect")
        page.get_by_label("或者粘贴领取链接").fill(offer)
        page.get_by_role("button", name="看看是什么").click()
        expect(page.get_by_role("alert")).to_contain_text("已经失效")


def test_what_is_not_an_offer_is_told_in_words(open_page: OpenPage) -> None:
    with open_page(as_account=LIN) as page:
        page.goto("/wallet/collect")
        page.get_by_label("或者粘贴领取链接").fill("https://example.org/")
        page.get_by_role("button", name="看看是什么").click()
        expect(page.get_by_role("alert")).to_contain_text("不是领取证照的二维码或链接")
