"""The authority's console in Chromium: fits every screen, works by keyboard and without scripts, in both languages."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.browser.test_pages_all import LOOKS, look_at

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
READING = (
    "/registry/matrix",
    "/registry/matrix?at=2027-06-01",
    "/registry/matrix?issuing=990100&accepting=990200",
    "/registry/matrix?scenario=990200/household-transfer",
    "/registry/matrix?type=common/none",
    "/registry/recognition/990100/990200/common/driving-licence?at=2020-01-01",
    "/registry/expiries",
    "/registry/expiries?days=365&region=990100",
    "/registry/officers",
    "/registry/foreign",
    "/registry/log",
    "/registry/audit",
    "/registry/audit?kind=list&region=990200",
)
EDITING = (
    "/registry",
    "/registry/edit",
    "/registry/edit/recognise",
    "/registry/edit/recognise?of=990200%7Ccommon/household-register&as_type=common/marriage-certificate",
    "/registry/edit/end-recognition?entry=R1",
    "/registry/edit/status",
    "/registry/edit/scenario?entry=990100/company-start",
    "/registry/edit/seal?issuer=990100/civil-affairs",
    "/registry/edit/issuer",
    "/registry/edit/seal",
    "/registry/edit/relying-party",
    "/registry/key",
    "/registry/issuers/990100/civil-affairs",
)
# Chinese on an English page is data: names of people, of seals, fields for Chinese names, the switch to Chinese.
STRAY = """() => {
  const words = [];
  const walk = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const text = walk.currentNode.textContent;
    const parent = walk.currentNode.parentElement;
    if (/\\p{Script=Han}/u.test(text) && !parent.closest(".officer, .officer-groups, .audit, .signers, .chip, script"))
      words.push(text.trim().slice(0, 60));
  }
  return words;
}"""


@pytest.mark.parametrize(
    ("account", "paths"), [(None, READING), ("auditor", READING[-3:]), ("officer.dongling", EDITING)]
)
@pytest.mark.parametrize(("width", "theme", "language"), LOOKS)
def test_every_page_of_the_console_fits(
    open_page: OpenPage, account: str | None, paths: tuple[str, ...], width: int, theme: str, language: str
) -> None:
    with open_page(as_account=account, viewport={"width": width, "height": 800}, color_scheme=theme) as page:
        page.goto(f"/language/{language}?next=/verify")
        for path in paths:
            look_at(page, path, width)
            if language == "en":
                assert page.evaluate(STRAY) == [], path


def test_the_arrows_move_between_cells_and_enter_opens_one(open_page: OpenPage) -> None:
    with open_page(viewport={"width": 1280, "height": 900}) as page:
        page.goto("/registry/matrix")
        grid = page.locator("table[role=grid]")
        stops = grid.locator("[tabindex='0']")
        expect(stops).to_have_count(1)
        stops.focus()
        first = page.evaluate("document.activeElement.textContent")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowRight")
        assert page.evaluate("document.activeElement.textContent") != first
        expect(stops).to_have_count(1)
        page.keyboard.press("Control+End")
        page.keyboard.press("Home")
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile("/registry/types/"))


def test_every_cell_says_in_words_what_it_shows_in_colour(open_page: OpenPage) -> None:
    with open_page() as page:
        page.goto("/registry/matrix")
        labels = page.locator(".matrix-scroll a.cell-link").evaluate_all("all => all.map((each) => each.ariaLabel)")
        assert len(labels) > 5
        assert all("：" in label and "在" not in label[:1] for label in labels)
        assert any("生效中" in label for label in labels)
        assert any("未认可" in label for label in labels)


def test_without_scripts_the_console_works_and_says_how_to_sign(open_page: OpenPage) -> None:
    with open_page(as_account="officer.dongling", java_script_enabled=False) as page:
        page.goto("/registry/matrix")
        page.locator("a", has_text="下一次变化").click()
        expect(page.locator(".as-of")).to_contain_text("预计在")
        page.goto("/registry/edit/notice")
        page.fill("[name=days]", "45")
        page.click("text=看看会改变什么")
        expect(page.locator(".diff").first).to_contain_text("公示期")
        page.click("text=返回修改")
        expect(page.locator("[name=days]")).to_have_value("45")
        page.goto("/registry/key")
        expect(page.locator("main")).to_contain_text("命令行")


def test_the_language_switch_keeps_the_place_and_the_time(open_page: OpenPage) -> None:
    with open_page() as page:
        page.goto("/registry/matrix?at=2027-06-01&issuing=990100")
        page.locator(".top-tools a", has_text="English").click()
        page.wait_for_load_state()
        assert "at=2027-06-01" in page.url
        assert "issuing=990100" in page.url
        expect(page.locator(".as-of")).to_contain_text("Expected on")


def test_an_auditor_reads_everything_and_changes_nothing(open_page: OpenPage) -> None:
    with open_page(as_account="auditor") as page:
        page.goto("/registry")
        expect(page.locator("a[href^='/registry/edit']")).to_have_count(0)
        answer = page.goto("/registry/edit")
        assert answer is not None
        assert answer.status == 403


def test_on_a_telephone_one_region_at_a_time(open_page: OpenPage) -> None:
    with open_page(viewport={"width": 390, "height": 844}) as page:
        page.goto("/registry/matrix")
        expect(page.locator(".matrix-card")).to_be_hidden()
        page.select_option("#p-accepting", "990200")
        page.locator(".phone-choice button").click()
        expect(page.locator(".matrix-phone .phone-line", has_text="结婚证")).to_contain_text("✓")
