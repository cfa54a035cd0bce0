"""The issuing desk in Chromium: errors beside fields, one certificate per form, two presses to revoke, bulk files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.running import citizen_number

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
TYPE = "common/marriage-certificate"


def claims(number: int) -> dict[str, str]:
    return {
        "certificate_number": f"J990102-2026-{number:06d}",
        "holder_name": "林晓",
        "identity_number": citizen_number(number),
        "holder_birth_date": "1990-01-01",
        "spouse_name": "周远",
        "spouse_identity_number": citizen_number(number + 500),
        "spouse_birth_date": "1990-01-01",
        "registered_on": "2026-05-20",
    }


def fill_in(page: Page, values: Mapping[str, str]) -> None:
    page.goto(f"/desk/issue/{TYPE}")
    for name, value in values.items():
        page.fill(f"[name='claim.{name}']", value)
    page.select_option("[name='claim.holder_sex']", "女")
    page.select_option("[name='claim.spouse_sex']", "男")


def issue(page: Page, number: int) -> str:
    fill_in(page, claims(number))
    page.click("button[value=preview]")
    page.click("button[value=issue]")
    page.wait_for_url(re.compile("/desk/certificates/"))
    return page.url.partition("?")[0]


def test_errors_stand_beside_their_fields_and_what_was_typed_stays(open_page: OpenPage) -> None:
    with open_page(as_account="clerk.minzheng") as page:
        fill_in(page, claims(61) | {"identity_number": "990102199001010000", "holder_name": ""})
        page.click("button[value=preview]")
        expect(page.get_by_role("alert")).to_contain_text("有 2 处需要改正")
        expect(page.locator("[id='claim.identity_number-error']")).to_contain_text("校验位不符")
        expect(page.locator("[id='claim.holder_name-error']")).to_contain_text("请填写")
        expect(page.locator("[name='claim.spouse_name']")).to_have_value("周远")
        expect(page.locator("[name='claim.identity_number']")).to_have_attribute("aria-invalid", "true")


def test_checking_can_be_taken_back(open_page: OpenPage) -> None:
    with open_page(as_account="clerk.minzheng") as page:
        fill_in(page, claims(62))
        page.click("button[value=preview]")
        expect(page.locator(".paper-sheet")).to_contain_text("周远")
        page.click("button[value=edit]")
        expect(page.locator("[name='claim.spouse_name']")).to_have_value("周远")


def test_a_double_press_issues_once(open_page: OpenPage) -> None:
    """The same form sent twice, as a double press or a reload sends it."""
    with open_page(as_account="clerk.minzheng") as page:
        fill_in(page, claims(63))
        page.click("button[value=preview]")
        answers = page.evaluate(
            """async () => {
                const form = document.querySelector("form[action^='/desk/issue/']");
                const body = new URLSearchParams(new FormData(form));
                body.set("step", "issue");
                const send = () => fetch(form.action, { method: "POST", body }).then((answer) => answer.url);
                return Promise.all([send(), send()]);
            }"""
        )
        assert len(set(answers)) == 1
        assert "/desk/certificates/1.2.156." in answers[0]


def test_what_was_issued_is_handed_over_and_found_by_its_number(open_page: OpenPage) -> None:
    with open_page(as_account="clerk.minzheng") as page:
        address = issue(page, 64)
        expect(page.locator(".qr-code svg")).to_be_visible()
        pdf = page.request.get(f"{address}/pdf")
        assert pdf.body().startswith(b"%PDF-")
        number = address.rpartition("/")[2]
        page.goto("/desk")
        page.fill("[name=q]", number.split(".")[-3])
        page.click("form[role=search] button")
        expect(page.locator("tbody tr")).to_have_count(1)
        expect(page.locator("tbody")).to_contain_text(number)
        page.fill("[name=q]", "没有这样的编号")
        page.click("form[role=search] button")
        expect(page.locator(".empty")).to_contain_text("没有符合条件的证照")


def test_suspend_reinstate_revoke_each_after_a_confirmation(open_page: OpenPage) -> None:
    with open_page(as_account="clerk.minzheng") as page:
        address = issue(page, 65)
        for target, reason, now in (
            ("suspended", "under_review", "已暂停"),
            ("valid", "review_ended", "有效"),
            ("invalid", "correction", "已撤销"),
        ):
            page.goto(address)
            page.click(f"a[href$='/status/{target}']")
            page.select_option("[name=reason]", reason)
            page.click("button[value=confirm]")
            expect(page.locator("main")).to_contain_text("请再确认一次")
            expect(page.locator("main")).to_contain_text("会发生什么")
            page.click("button[value=do]")
            expect(page.locator("main .chip").first).to_contain_text(now)
        expect(page.locator("a[href*='/status/']")).to_have_count(0)
        page.goto(f"{address}/status/valid")
        page.select_option("[name=reason]", "review_ended")
        page.click("button[value=confirm]")
        page.click("button[value=do]")
        expect(page.get_by_role("alert")).to_contain_text("不能再变更")


def test_a_change_can_wait_but_not_lie_in_the_past(open_page: OpenPage) -> None:
    with open_page(as_account="clerk.minzheng") as page:
        address = issue(page, 66)
        page.goto(f"{address}/status/invalid")
        page.select_option("[name=reason]", "correction")
        page.check("[name=when][value=later]")
        page.fill("[name=effective_at]", "2020-01-01T09:00")
        page.click("button[value=confirm]")
        expect(page.locator("#effective_at-error")).to_contain_text("不能早于现在")
        page.fill("[name=effective_at]", "2099-01-01T09:00")
        page.click("button[value=confirm]")
        page.click("button[value=do]")
        page.wait_for_url(re.compile("done=changed"))
        expect(page.locator("main .chip").first).to_contain_text("有效")


def test_bulk_issues_the_good_rows_and_explains_the_others(open_page: OpenPage, tmp_path: Path) -> None:
    header = [*claims(1), "holder_sex", "spouse_sex"]
    rows = [[*claims(number).values(), "女", "男"] for number in (71, 72, 73)]
    rows[1][header.index("identity_number")] = "990102199001010000"
    file = tmp_path / "三行.csv"
    file.write_text("\n".join(",".join(row) for row in [header, *rows]), encoding="utf-8-sig")
    with open_page(as_account="clerk.minzheng") as page:
        for issued, before in (("2", "0"), ("0", "2")):
            page.goto("/desk/bulk")
            page.set_input_files("#file", file)
            page.click("main form button[type=submit]")
            stats = page.locator(".stat b")
            expect(stats).to_have_text([issued, before, "1"], timeout=30_000)
            expect(page.locator("tbody tr")).to_have_count(1)
            expect(page.locator("tbody th")).to_have_text("3")
            expect(page.locator("tbody")).to_contain_text("校验不符")
        page.goto("/desk/bulk")
        (tmp_path / "other.csv").write_text("姓名,备注\n林晓,x\n", encoding="utf-8")
        page.set_input_files("#file", tmp_path / "other.csv")
        page.click("main form button[type=submit]")
        expect(page.get_by_role("alert")).to_contain_text("模板")


def test_seals_show_their_uses(open_page: OpenPage) -> None:
    with open_page(as_account="clerk.minzheng") as page:
        number = issue(page, 67).rpartition("/")[2]
        page.goto("/desk/seals")
        page.locator("main a[href^='/desk/seals/']").first.click()
        expect(page.locator(".log")).to_contain_text(number)


def test_another_office_sees_none_of_it(open_page: OpenPage) -> None:
    with open_page(as_account="clerk.minzheng") as page:
        address = issue(page, 68)
    with open_page(as_account="clerk.gongan") as page:
        for path in ("", "/pdf", "/status/invalid"):
            assert page.goto(address + path).status == 404  # type: ignore[union-attr]
        assert page.goto(f"/desk/issue/{TYPE}").status == 404  # type: ignore[union-attr]
