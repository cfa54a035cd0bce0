"""The console story: propose a recognition, read what follows, two officers sign in their browsers, publish, withdraw.

Each step leaves a screenshot; `make docs` keeps them in docs/pictures (YINXIN_TEST_PICTURES names the folder).
"""

from __future__ import annotations

import os
import re
from base64 import b64decode
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from keys.custody.software import open_key_file
from keys.public_key import PublicKey
from keys.signer import Signer
from tests.browser.conftest import OpenPage
from tests.running import DemoServer
from trust_registry.ceremony import proposal, sign
from trust_registry.membership import change_officers
from trust_registry.model import RegionCode
from trust_registry.repository import Repository
from trust_registry.tuf_keys import Officer

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
DESK = {"width": 1280, "height": 1040}
DONGLING = RegionCode("990100")
Keep = Callable[..., None]


@pytest.fixture
def keep(tmp_path: Path) -> Keep:
    kept = os.environ.get("YINXIN_TEST_PICTURES")
    folder = Path(kept) if kept else tmp_path

    def screenshot(page: Page, name: str) -> None:
        page.evaluate("window.scrollTo(0, 0)")
        page.screenshot(path=folder / f"console-{name}.png")

    return screenshot


def key_of(page: Page) -> PublicKey:
    """Make a key in this browser; what leaves it is the public key."""
    page.goto("/registry/key")
    page.click("[data-key-make]")
    expect(page.locator("[data-key-state]")).to_contain_text("还不在")
    pem = page.locator("[data-key-pem]").inner_text()
    return PublicKey.from_spki(b64decode("".join(pem.splitlines()[1:-1])))


def demo_signers(demo: DemoServer, folder: str, count: int) -> list[Signer]:
    """The demonstration's officers with their key files, as the CLI opens them."""
    passphrase = (demo.data / "passphrase").read_bytes().strip()
    return [open_key_file(demo.data / "keys" / folder / f"officer-{n}.key", passphrase) for n in range(1, count + 1)]


def enrol(demo: DemoServer, keys: list[PublicKey]) -> str:
    """Propose the officers' list with two browser keys on it; seats and officers sign with their key files."""
    repository = Repository(demo.data / "registry")
    seats = len(repository.current().root.signed.roles["root"].keyids)
    ours = demo_signers(demo, DONGLING, 2)
    officers = [
        Officer("东岭 韩立", ours[0].public_key),
        Officer("东岭 苏敏", ours[1].public_key),
        *(Officer(name, key) for name, key in zip(("东岭 陆遥", "东岭 顾川"), keys, strict=True)),
    ]
    made = change_officers(repository, DONGLING, officers=officers, threshold=2, now=datetime.now(UTC))
    for signer in (*demo_signers(demo, "network", seats), *ours):
        if not proposal(repository, made.id).ready:
            sign(repository, made.id, signer)
    return made.id


def test_recognise_sign_in_two_browsers_publish_withdraw(open_page: OpenPage, demo: DemoServer, keep: Keep) -> None:
    with ExitStack() as opened:
        first, second = (
            opened.enter_context(open_page(as_account="officer.dongling", viewport=DESK)) for _ in range(2)
        )
        first.goto("/registry")
        expect(first.locator("h1")).to_contain_text("东岭区")
        keep(first, "1-start")

        enrolment = enrol(demo, [key_of(first), key_of(second)])
        first.locator("[data-key] summary", has_text="怎样登记").click()  # open, since that is the next step
        keep(first, "2-key")
        publish(first, enrolment)
        first.goto("/registry/key")
        expect(first.locator("[data-key-state]")).to_contain_text("已在名单上：东岭 陆遥")

        made = propose_recognition(first, keep)
        sign_here(first, made, "东岭 陆遥")
        expect(first.locator("#signatures")).to_contain_text("还需 1 人")
        sign_here(second, made, "东岭 顾川")
        keep(second, "5-signed")
        publish(second, made)
        keep(second, "6-published")

        announced_then_in_force(second, keep)
        withdrawal = withdraw_for_compromise(first, keep)
        sign_here(first, withdrawal, "东岭 陆遥")
        sign_here(second, withdrawal, "东岭 顾川")
        publish(first, withdrawal)
        read_the_records(second, keep)


def test_a_rule_is_read_with_what_it_refuses_before_anybody_signs(open_page: OpenPage, keep: Keep) -> None:
    """Xichuan asks for the sealed PDF where a marriage certificate moves a household; whom that hits stands there."""
    with open_page(as_account="officer.xichuan", viewport=DESK) as page:
        page.goto("/registry/edit")
        page.click("text=增加受理规则")
        page.click("text=看看会改变什么")
        expect(page.locator("[name='names.zh']")).to_be_focused()
        for name, words in {
            "names.zh": "户口迁移须核对婚姻登记全文",
            "names.en": "the whole record of the marriage is needed",
            "basis.zh": "户籍管理细则第十二条",
            "basis.en": "Household rules, article 12",
        }.items():
            page.fill(f"[name='{name}']", words)
        page.check("[name=scenarios][value='990200/household-transfer']")
        page.check("[name=types][value='common/marriage-certificate']")
        page.click("text=看看会改变什么")
        expect(page.locator("[role=alert]")).to_contain_text("请至少提一项要求")
        page.check("[name=forms][value=pdf]")
        page.click("text=看看会改变什么")
        expect(page.locator(".diff").first).to_contain_text("新增受理规则 A2“户口迁移须核对婚姻登记全文”")
        expect(page.locator(".consequences")).to_contain_text("须以盖章 PDF 文件的形式提交")
        expect(page.locator(".consequences")).to_contain_text(re.compile(r"\d+ 份现行证照"))
        keep(page, "C-rule")


def publish(page: Page, proposal_id: str) -> None:
    page.goto(f"/registry/proposals/{proposal_id}")
    page.click("form[action$='/publication'] button")
    expect(page.locator("[role=status]").first).to_contain_text("已公布")


def propose_recognition(page: Page, keep: Keep) -> str:
    """Dongling accepts Xichuan's household register, for one scenario, after its notice."""
    page.goto("/registry/edit")
    keep(page, "3-changes")
    page.click("text=认可外地证照")
    page.select_option("[name=of]", "990200|common/household-register")
    page.select_option("[name=as_type]", "common/household-register")
    page.click("text=继续")
    page.click("text=看看会改变什么")  # the browser asks for what is missing; without that the server would
    expect(page.locator("[name='basis.zh']")).to_be_focused()
    page.check("[value='990100/vehicle-registration']")
    page.fill("[name='basis.zh']", "东岭西川互认协议第九条")
    page.fill("[name='basis.en']", "Agreement of Dongling and Xichuan, article 9")
    page.click("text=看看会改变什么")
    expect(page.locator(".diff").first).to_contain_text("西川区")
    page.click("text=返回修改")
    expect(page.locator("[name='basis.zh']")).to_have_value("东岭西川互认协议第九条")  # nothing typed is lost
    page.click("text=看看会改变什么")
    page.click("text=提出这份提案")
    page.wait_for_url(re.compile("/registry/proposals/region-990100-v"))
    expect(page.locator("#consequences")).to_be_visible()
    expect(page.locator("[data-sign-who]")).to_contain_text("东岭 陆遥")
    keep(page, "4-proposal")
    return page.url.rpartition("/")[2].partition("?")[0]


def sign_here(page: Page, proposal_id: str, name: str) -> None:
    page.goto(f"/registry/proposals/{proposal_id}")
    expect(page.locator("[data-sign-who]")).to_contain_text(name)
    expect(page.locator("[data-sign-digests] dd")).to_have_text(re.compile("^[0-9a-f]{64}$"))
    page.click("[data-sign-button]")
    page.wait_for_url(re.compile("signed=yes"))
    expect(page.locator(".signers li", has_text=name)).to_contain_text("✓")


def cell(page: Page, at: datetime | None = None) -> str:
    """What the matrix says of Xichuan's household register in Dongling."""
    page.goto("/registry/matrix" + ("" if at is None else f"?at={at:%Y-%m-%d}"))
    rows = page.locator("tbody", has=page.locator("th", has_text="西川区颁发")).locator("tr", has_text="居民户口簿")
    return rows.locator("a.cell-link").first.inner_text()


def announced_then_in_force(page: Page, keep: Keep) -> None:
    assert "公示中" in cell(page)
    keep(page, "7-announced")
    assert "1 个事项" in cell(page, datetime.now(UTC) + timedelta(days=60))
    keep(page, "8-in-force")
    assert "未认可" in cell(page, datetime.now(UTC) - timedelta(days=10))


def withdraw_for_compromise(page: Page, keep: Keep) -> str:
    """Before anything is proposed, the page says what the withdrawal of a seal's key would do."""
    page.goto("/registry/edit/status")
    entry = page.locator("[name=entry] option", has_text="印章密钥 东岭大学").get_attribute("value")
    page.select_option("[name=entry]", entry)
    page.select_option("[name=status]", "withdrawn")
    page.select_option("[name=reason]", "key_compromise")
    page.fill("[name=invalidity]", f"{datetime.now(UTC) - timedelta(days=3):%Y-%m-%dT%H:%M}")
    page.click("text=看看会改变什么")
    expect(page.locator(".consequences.grave")).to_be_visible()
    expect(page.locator("button.danger")).to_be_visible()
    keep(page, "9-consequences")
    page.click("text=提出这份提案")
    page.wait_for_url(re.compile("/registry/proposals/region-990100-v"))
    return page.url.rpartition("/")[2].partition("?")[0]


def read_the_records(page: Page, keep: Keep) -> None:
    """The log has one more entry for each publication; the audit says who signed, and finds nothing wrong."""
    page.goto("/registry/log")
    expect(page.locator("#entries")).to_be_visible()
    expect(page.locator("main")).to_contain_text("自己核对")
    keep(page, "A-log")
    page.goto("/registry/audit?region=990100")
    first = page.locator(".audit > li").first
    expect(first).to_contain_text("东岭 陆遥")
    first.locator("summary").click()
    expect(first).to_contain_text("撤")
    expect(page.locator("main")).to_contain_text("没有异常")
    keep(page, "B-audit")
