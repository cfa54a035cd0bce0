"""The wallet asked by a counter, in Chromium: keys that stay in the browser, consent, what the counter learns."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.running import YINXIN, DemoServer

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
KEYS = """async () => {
  const opened = (asked) => new Promise((done) => { asked.onsuccess = () => done(asked.result); });
  const database = await opened(indexedDB.open("yinxin-wallet", 1));
  const keys = await opened(database.transaction("keys").objectStore("keys").getAll());
  const taken = await Promise.all(keys.map((key) => crypto.subtle.exportKey("jwk", key).then(() => true, () => false)));
  return { count: keys.length, taken: taken.some(Boolean) };
}"""


@dataclass
class Asked:
    """A request of the counter, which waits for its answer."""

    uri: str
    verdicts: list[Any] = field(default_factory=list)


@contextmanager
def asked(demo: DemoServer, *options: str) -> Iterator[Asked]:
    """`yinxin demo request --wait`; the verdict is read when the block is over."""
    command = [*YINXIN, "demo", "request", "--data", str(demo.data), "--wait", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        uri = next(line.strip() for line in process.stdout if line.startswith("openid4vp:"))
        request = Asked(uri)
        try:
            yield request
            request.verdicts.append(json.loads(process.stdout.read()))
        finally:
            process.kill()


def paste(page: Page, uri: str) -> None:
    page.goto("/wallet/scan")
    page.fill("textarea[name=uri]", uri)
    page.click("#scan-form button[type=submit]")


def agree(page: Page) -> None:
    page.locator("#agree").click()
    expect(page.locator("h1")).to_have_text("已出示")


def indications(told: Any) -> list[str]:
    """Every indication in what the command printed, wherever it stands."""
    if isinstance(told, dict):
        found = [told["indication"]] if isinstance(told.get("indication"), str) else []
        return found + [each for value in told.values() for each in indications(value)]
    return [each for value in told for each in indications(value)] if isinstance(told, list) else []


def test_a_counter_asks_and_the_citizen_shows_with_keys_of_this_browser(open_page: OpenPage, demo: DemoServer) -> None:
    with open_page(as_account="lin.xiao", **PHONE) as page:
        with asked(demo) as request:
            page.goto(f"/wallet/openid4vp?{urlsplit(request.uri).query}")  # the link of a page on the same device
            expect(page.locator(".asker h2")).to_have_text("西川区政务服务大厅")
            expect(page.locator(".asker .chip")).to_contain_text("已登记")
            expect(page.locator("#consent")).to_contain_text("只出示必需的 3 项")
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            agree(page)
        assert set(indications(request.verdicts)) == {"PASSED"}
        kept = page.evaluate(KEYS)
        assert kept == {"count": 3, "taken": False}  # not extractable
        page.goto("/wallet/log")
        expect(page.locator(".use").first).to_contain_text("西川区政务服务大厅")
        expect(page.locator(".use").first).to_contain_text("配偶姓名")
        expect(page.locator(".use").first).to_contain_text("可以受理")  # what the counter found


def test_san_dns_and_an_answer_in_the_clear(open_page: OpenPage, demo: DemoServer) -> None:
    with open_page(as_account="lin.xiao") as page:
        with asked(demo, "--prefix", "x509_san_dns", "--mode", "direct_post") as request:
            paste(page, request.uri)
            agree(page)
        assert set(indications(request.verdicts)) == {"PASSED"}


def test_saying_no_works_without_scripts_and_tells_the_counter(open_page: OpenPage, demo: DemoServer) -> None:
    with open_page(as_account="lin.xiao", java_script_enabled=False) as page, asked(demo) as request:
        paste(page, request.uri)
        expect(page.locator("noscript")).to_have_count(1)
        page.get_by_role("button", name="拒绝").click()
        expect(page.locator("h1")).to_have_text("已拒绝")
    assert indications(request.verdicts) == []


def test_a_request_is_answered_once_and_others_see_nothing_of_it(open_page: OpenPage, demo: DemoServer) -> None:
    with open_page(as_account="lin.xiao") as page, open_page(as_account="zhou.yuan") as other:
        with asked(demo) as request:
            paste(page, request.uri)
            here = page.url
            assert other.goto(here).status == 404  # type: ignore[union-attr]
            agree(page)
        page.goto(here)
        expect(page.locator("h1")).to_have_text("已出示")
        paste(page, request.uri)
        expect(page.locator("h1")).to_have_text("没有出示")


def test_who_lacks_it_is_told_what_is_missing_and_where_to_get_it(open_page: OpenPage, demo: DemoServer) -> None:
    with open_page(as_account="chen.mo") as page, asked(demo) as request:
        page.goto("/language/en")
        paste(page, request.uri)
        expect(page.locator("[role=alert]")).to_contain_text("You don't have what is asked for")
        expect(page.locator(".missing")).to_contain_text("Civil Affairs")
        expect(page.locator("#agree")).to_have_count(0)
        page.get_by_role("button", name="Tell them").click()
        expect(page.locator("h1")).to_have_text("Declined")


def test_what_another_browser_collected_does_not_stand_in_the_way(open_page: OpenPage, demo: DemoServer) -> None:
    """Its keys are there: here the citizen sees one certificate, once, and not a list of what can't be shown."""
    offer = subprocess.run(
        [*YINXIN, "demo", "offer", "--data", str(demo.data)], capture_output=True, text=True, check=True
    )
    with open_page(as_account="lin.xiao") as first:
        paste(first, offer.stdout.strip())
        first.locator("#collect-go").click()
        expect(first.get_by_role("heading", name="已领取")).to_be_visible()
    with open_page(as_account="lin.xiao") as second, asked(demo) as request:
        paste(second, request.uri)
        expect(second.locator("#agree")).to_be_enabled()
        expect(second.locator(".asked-doc").filter(visible=True)).to_have_count(1)
        expect(second.locator("[data-set-option]").filter(visible=True)).to_have_count(0)
        agree(second)
    assert set(indications(request.verdicts)) == {"PASSED"}


@pytest.mark.parametrize("text", ["hello", "YXP:ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "javascript:alert(1)"])
def test_texts_that_ask_for_nothing(open_page: OpenPage, text: str) -> None:
    with open_page(as_account="lin.xiao") as page:
        paste(page, text)
        expect(page.locator("h1")).to_have_text("没有出示")
        expect(page.locator("main")).to_contain_text("对方没有得到您的任何信息")
