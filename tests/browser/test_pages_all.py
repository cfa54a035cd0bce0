"""Every working page: fits 360 and 1280 px in both themes and languages; one heading, named controls, no error."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.test_pages_wallet_openid import asked
from tests.running import DemoServer

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
PUBLIC = (
    "/registry",
    "/registry/regions/990200",
    "/registry/regions/common",
    "/registry/issuers/990100/civil-affairs",
    "/registry/recognition/990100/990200/common/marriage-certificate",
    "/registry/recognition/990200/990100/common/marriage-certificate",
    "/registry/recognition/990200/990200/common/marriage-certificate",
    "/registry/types",
    "/registry/types/common/household-register",
    "/types",
    "/types/common/marriage-certificate",
    "/registry/scenarios",
    "/registry/scenarios/990200/household-transfer",
    "/registry/proposals",
    "/verify",
)
DESK = (
    "/desk",
    "/desk?status=suspended",
    "/desk/issue",
    "/desk/issue/common/marriage-certificate",
    "/desk/waiting",
    "/desk/bulk",
    "/desk/seals",
)
COUNTER = ("/counter", "/counter/receipts")
WALLET = ("/wallet", "/wallet/log", "/wallet/scan", "/wallet/collect")
LOOKS = [(360, "dark", "en"), (1280, "light", "zh"), (360, "light", "zh"), (1280, "dark", "en")]

# Controls without a name, and text fields without a label: what a screen reader could not say.
NAMELESS = """() => [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea")]
  .filter((each) => each.checkVisibility())
  .filter((each) => !(each.innerText || each.ariaLabel || each.title || each.labels?.length))
  .map((each) => each.outerHTML.slice(0, 120))"""


def look_at(page: Page, path: str, width: int) -> None:
    answer = page.goto(path)
    assert answer is not None
    assert answer.status == 200, path
    assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{path} is wider than the screen"
    assert page.locator("h1").count() == 1, path
    assert page.evaluate(NAMELESS) == [], path


@pytest.mark.parametrize(("account", "paths"), [(None, PUBLIC), ("clerk.minzheng", DESK), ("counter.xichuan", COUNTER)])
@pytest.mark.parametrize(("width", "theme", "language"), LOOKS)
def test_every_page_fits(
    open_page: OpenPage, account: str | None, paths: tuple[str, ...], width: int, theme: str, language: str
) -> None:
    size = {"width": width, "height": 800}
    with open_page(as_account=account, viewport=size, color_scheme=theme) as page:
        page.goto(f"/language/{language}?next=/verify")
        for path in paths:
            look_at(page, path, width)
            assert page.get_attribute("html", "lang") == ("en" if language == "en" else "zh-CN"), path


def offer_without_code(page: Page) -> str:
    """The link of an offer of the citizen's first certificate, for a wallet of theirs."""
    page.goto("/wallet")
    page.locator("a[href^='/wallet/c/']").first.click()
    page.get_by_role("link", name="添加到其他钱包").click()
    page.get_by_label("用六位验证码保护").uncheck()
    page.get_by_role("button", name="显示二维码").click()
    return page.locator("#offer-link").text_content() or ""


def paste(page: Page, text: str) -> str:
    """The page that a scanned text leads to, by its path."""
    page.goto("/wallet/scan")
    page.fill("textarea[name=uri]", text)
    page.click("#scan-form button[type=submit]")
    page.wait_for_url(re.compile("/wallet/(openid4vp|collect)/."))
    return urlsplit(page.url).path


def test_every_page_of_asking_and_collecting_fits(open_page: OpenPage, demo: DemoServer) -> None:
    """Scanning, consent, an offer, a collected card, the list of uses: with what is on them when they are needed."""
    with open_page(as_account="lin.xiao") as page:
        offer = paste(page, offer_without_code(page))
        page.get_by_role("button", name="领取", exact=True).click()
        expect(page.get_by_role("heading", name="已领取")).to_be_visible()
        page.get_by_role("link", name="看看证照").click()
        page.wait_for_url("**/wallet/held/*")
        card = urlsplit(page.url).path
        with asked(demo) as request:
            consent = paste(page, request.uri)
            for width, theme, language in LOOKS:
                page.set_viewport_size({"width": width, "height": 800})
                page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
                page.goto(f"/language/{language}?next=/verify")
                for path in (*WALLET, consent, offer, card):
                    look_at(page, path, width)
            page.goto(consent)
            page.get_by_role("button", name="Decline").click()
        look_at(page, consent, LOOKS[-1][0])


def test_the_matrix_leads_to_the_entry_behind_a_cell(open_page: OpenPage) -> None:
    with open_page() as page:
        page.goto("/registry")
        row = page.locator("tbody", has=page.locator("th", has_text="东岭区颁发")).locator("tr", has_text="结婚证")
        cell = row.locator("a.cell-link")
        expect(cell).to_contain_text("✓")
        expect(cell).to_contain_text("起")
        cell.click()
        expect(page.locator("h1")).to_contain_text("西川区认可东岭区的结婚证吗")
        expect(page.locator("dl")).to_contain_text("依据")
        expect(page.locator(".chain li")).to_have_count(2)


def test_a_seal_image_is_the_listed_one(open_page: OpenPage) -> None:
    with open_page() as page:
        page.goto("/registry/issuers/990100/civil-affairs")
        image = page.locator(".seal-image img").first
        expect(image).to_be_visible()
        assert image.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0


@pytest.mark.parametrize(
    "path",
    [
        "/registry/regions/123456",
        "/registry/issuers/990100/nobody",
        "/registry/types/common/none",
        "/registry/scenarios/990200/none",
        "/registry/recognition/1/2/3",
        "/registry/proposals/none",
        "/registry/seals/00.svg",
    ],
)
def test_what_does_not_exist_is_not_found(open_page: OpenPage, path: str) -> None:
    with open_page() as page:
        assert page.goto(path).status == 404  # type: ignore[union-attr]


def test_the_counter_works_from_the_keyboard_alone(open_page: OpenPage, sample: Callable[[str], Path]) -> None:
    with open_page(as_account="counter.xichuan") as page:
        page.goto("/counter")
        page.locator("[name=scenario]").first.focus()
        page.keyboard.press("Space")
        page.locator("[data-paste] summary").focus()
        page.keyboard.press("Enter")
        page.locator("[name=evidence]").focus()
        page.keyboard.insert_text(sample("marriage.qr.txt").read_text())
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_selector("#verdict:focus")  # by the page's script, a moment after the page is there
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent").strip() == "存入办件"
        page.keyboard.press("n")
        page.wait_for_selector("[name=scenario]")
