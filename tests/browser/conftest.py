"""A demonstration server and Chromium for the page tests. Both are real; a missing Chromium is skipped by name."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, sync_playwright

from tests.running import PASSWORD, DemoServer

QUIET = ("the server responded with a status of 4",)  # refusals are answered with pages; Chromium logs them

OpenPage = Callable[..., AbstractContextManager[Page]]


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoServer]:
    with DemoServer(tmp_path_factory.mktemp("pages") / "demo") as server:
        yield server


@pytest.fixture(scope="session")
def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("Chromium is missing: apt-get install chromium")
    return found


@pytest.fixture(scope="module")
def launch(chromium: str) -> Iterator[Callable[..., Browser]]:
    """Starts browsers; further arguments are Chromium's own.

    For one file of tests: while it lasts, an event loop runs in this process, and nothing else may run one.
    """
    with sync_playwright() as playwright:
        opened: list[Browser] = []

        def start(*arguments: str) -> Browser:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", *arguments])
            opened.append(browser)
            return browser

        yield start
        for browser in opened:
            browser.close()


@pytest.fixture(scope="module")
def browser(launch: Callable[..., Browser]) -> Browser:
    return launch()


@pytest.fixture
def open_page(browser: Browser, demo: DemoServer) -> OpenPage:
    """A new visitor's page; a script error or a thing blocked by the content security policy fails the test."""

    @contextmanager
    def opened(*, where: Browser = browser, as_account: str | None = None, **options: Any) -> Iterator[Page]:
        context: BrowserContext = where.new_context(base_url=demo.url, locale="zh-CN", **options)
        page = context.new_page()
        page.set_default_timeout(15_000)
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
        if as_account is not None:
            sign_in(page, as_account)
        try:
            yield page
            with suppress(Error):
                page.goto("about:blank")  # lets a camera go first: closing while one opens can hang
        finally:
            context.close()
        assert [text for text in wrong if not any(quiet in text for quiet in QUIET)] == []

    return opened


def sign_in(page: Page, account: str) -> None:
    page.goto("/sign-in")
    page.fill("input[name=name]:not([type=hidden])", account)
    page.fill("input[type=password]", PASSWORD)
    page.click("main form:has(input[type=password]) button[type=submit]")
    page.wait_for_load_state()


@pytest.fixture
def sample(demo: DemoServer) -> Callable[[str], Path]:
    """A file of the demonstration's sample certificate: marriage.pdf, marriage.qr.txt, marriage.sd-jwt."""
    return lambda name: demo.data / "samples" / name
