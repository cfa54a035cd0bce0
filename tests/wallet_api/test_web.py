"""The same stories over HTTP: pages and JSON as they are served, refusals as problem documents."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
import zxingcpp
from fastapi import Request
from fastapi.testclient import TestClient
from PIL import Image, ImageDraw

from server.app import create_app
from server.house import House
from tests.wallet_api.town import HALL, LIN, NOON, TRANSFER, WEST, ZHOU, Town
from trust_registry.edges import Principal
from trust_registry.model import CertificateStatus, Names
from trust_registry.qr import QUIET_ZONE, qr_svg
from wallet_api import core, texts

TOKEN = "csrf-token"


class Visitor:
    """`server.house.Access`: whoever the test says is signed in."""

    def __init__(self, principal: Principal | None) -> None:
        self.who = principal

    def principal(self, request: Request) -> Principal | None:
        return self.who

    def csrf_token(self, request: Request) -> str:
        return TOKEN


class Web:
    def __init__(self, town: Town) -> None:
        self.town = town
        self.visitor = Visitor(town.citizen)
        self.app = create_app(House(services={"wallet_api": town.service}, access=self.visitor, now=town.clock))
        self.client = TestClient(self.app, headers={"Accept": "text/html", "Accept-Language": "zh-CN"})
        self.ref = core.certificate_ref(LIN, town.marriage.certificate_id)

    def page(self, path: str, **kwargs: object) -> str:
        answer = self.client.get(path, **kwargs)  # type: ignore[arg-type]
        assert answer.status_code == 200, answer.text
        assert answer.headers["cache-control"] == "no-store"
        return answer.text

    def show(self, *claims: str, scenario: str = "", **more: str) -> str:
        data = {"claims": list(claims), "scenario": scenario, **more}
        answer = self.client.post(f"/wallet/c/{self.ref}/show", data=data)
        assert answer.status_code == 200, answer.text
        return answer.text

    def json(self, method: str, path: str, body: object | None = None) -> tuple[int, dict[str, object]]:
        answer = self.client.request(method, path, json=body, headers={"Accept": "application/json"})
        return answer.status_code, answer.json() if answer.content else {}


@pytest.fixture
def web(town: Town) -> Iterator[Web]:
    made = Web(town)
    with made.client:
        yield made


def code_of(html: str) -> str:
    found = re.search(r'<code id="code">(YXP:[A-Z2-7]+)</code>', html)
    assert found
    return found[1]


def id_of(html: str) -> str:
    found = re.search(r'data-id="([\w-]+)"', html)
    assert found
    return found[1]


NEEDED = ("holder_name", "spouse_name", "registered_on")


def test_cards_say_what_where_and_how_they_stand(web: Web) -> None:
    html = web.page("/wallet")
    for words in ("结婚证", "林晓", "东岭区民政局", "长期", "西川区、北原区认可"):
        assert words in html
    assert web.town.marriage.certificate_id not in html  # ids stay out of URLs


def test_cards_in_english(web: Web) -> None:
    html = web.page("/wallet", headers={"Accept-Language": "en"})
    assert "Marriage Certificate" in html
    assert "accepted in Xichuan, Beiyuan" in html
    assert '<html lang="en">' in html


def test_an_empty_wallet_says_what_will_happen(web: Web) -> None:
    web.visitor.who = replace(web.town.citizen, holder_id=ZHOU)
    assert "这里还没有证照" in web.page("/wallet")
    assert "还没有人看过您的证照" in web.page("/wallet/log")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"status": CertificateStatus.INVALID, "status_reason": "correction", "status_since": NOON},
            "已撤销：信息更正",
        ),
        ({"status": CertificateStatus.SUSPENDED, "status_reason": "something_new"}, "已暂停：something_new"),
        ({"status": CertificateStatus.SUSPENDED}, "已暂停"),
        ({"valid_until": NOON + timedelta(days=29, hours=1)}, "还有 29 天"),
        ({"valid_until": NOON - timedelta(days=1)}, "已过期"),
    ],
)
def test_trouble_is_said_in_words(web: Web, changes: dict[str, object], words: str) -> None:
    web.town.holdings.held[LIN] = [replace(web.town.marriage, **changes)]
    assert words in web.page("/wallet")
    assert words in re.sub(r"<[^>]+>", "", web.page(f"/wallet/c/{web.ref}"))


def test_the_last_day_of_validity_is_the_day_before_its_end(web: Web) -> None:
    midnight_in_china = NOON.replace(year=2027, hour=16)
    web.town.holdings.held[LIN] = [replace(web.town.marriage, valid_until=midnight_in_china)]
    assert "2027年11月21日" in web.page("/wallet")
    assert "2027年11月22日" not in web.page("/wallet")


def test_the_document_veils_identity_numbers_and_offers_its_files(web: Web) -> None:
    html = web.page(f"/wallet/c/{web.ref}")
    assert "990***********0024" in html
    assert "西川区" in html
    seal = web.client.get(f"/wallet/c/{web.ref}/seal.svg")
    assert seal.headers["content-type"].startswith("image/svg+xml")
    assert "sandbox" in seal.headers["content-security-policy"]
    pdf = web.client.get(f"/wallet/c/{web.ref}/pdf")
    assert pdf.content.startswith(b"%PDF")
    assert pdf.headers["content-disposition"].startswith("attachment")


def test_another_holders_certificate_is_not_found(web: Web) -> None:
    web.visitor.who = replace(web.town.citizen, holder_id=ZHOU)
    for path in ("", "/pdf", "/seal.svg", "/show"):
        assert web.client.get(f"/wallet/c/{web.ref}{path}").status_code == 404


def test_showing_from_purpose_to_verdict(web: Web) -> None:
    assert "户口迁移" in web.page(f"/wallet/c/{web.ref}/show")
    choose = web.page(f"/wallet/c/{web.ref}/show", params={"scenario": TRANSFER})
    assert "该事项必需" in choose
    assert "另有 5 项未要求，不出示" in choose

    html = web.show(*NEEDED, "certificate_number", scenario=TRANSFER)
    assert "将出示 4 项，共 10 项" in html
    waiting = web.page(f"/wallet/p/{id_of(html)}")
    assert "还没有人查看" in waiting
    assert code_of(html) not in waiting

    web.visitor.who = web.town.clerk
    status, read = web.json("POST", "/api/presentations/read", {"code": code_of(html), "scenario_id": TRANSFER})
    assert status == 200
    assert read["claims"] == ["certificate_number", *NEEDED]

    web.visitor.who = web.town.citizen
    assert web.json("GET", f"/api/wallet/presentations/{id_of(html)}")[1]["state"] == "read"
    seen = web.page(f"/wallet/p/{id_of(html)}")
    assert "已被查看" in seen
    assert "等待窗口回报" in seen

    web.visitor.who = web.town.clerk
    verdict = f"/api/presentations/{read['presentation_id']}/verdict"
    assert web.json("POST", verdict, {"verdict": "PASSED"})[0] == 204
    web.visitor.who = web.town.citizen
    assert "可以受理" in web.page(f"/wallet/p/{id_of(html)}")
    log = web.page("/wallet/log")
    for words in ("西川区政务大厅", "户口迁移", "4 项信息", "配偶姓名", "可以受理"):
        assert words in log
    assert "西川区政务大厅" in web.page("/wallet")  # the notice of the last reading
    assert "西川区政务大厅" in web.page(f"/wallet/c/{web.ref}")
    web.town.clock.forward(days=2)
    assert "西川区政务大厅" not in web.page("/wallet")


def test_other_purposes_leave_the_choice_to_the_holder(web: Web) -> None:
    assert "其他用途" in web.page(f"/wallet/c/{web.ref}/show", params={"scenario": ""})
    assert "将出示 1 项，共 10 项" in web.show()


def test_a_certificate_no_scenario_takes_goes_straight_to_the_choice(web: Web) -> None:
    view = web.town.view
    web.town.view = replace(view, lists={code: replace(each, scenarios=()) for code, each in view.lists.items()})
    assert "将要出示的内容" in web.page(f"/wallet/c/{web.ref}/show")


def test_an_unknown_purpose_is_refused(web: Web) -> None:
    assert web.client.get(f"/wallet/c/{web.ref}/show", params={"scenario": "1/none"}).status_code == 422


def test_new_choices_replace_the_code(web: Web) -> None:
    first = web.show("holder_name")
    second = web.show("holder_name", "spouse_name", replaces=id_of(first))
    assert "已取消出示" in web.page(f"/wallet/p/{id_of(first)}")
    web.visitor.who = web.town.clerk
    assert web.json("POST", "/api/presentations/read", {"code": code_of(first)})[0] == 410
    assert web.json("POST", "/api/presentations/read", {"code": code_of(second)})[0] == 200


def test_without_javascript_a_form_renews_and_another_cancels(web: Web) -> None:
    first = web.show("holder_name")
    renewed = web.client.post(f"/wallet/p/{id_of(first)}/renew")
    assert code_of(renewed.text) != code_of(first)
    gone = web.client.post(f"/wallet/p/{id_of(renewed.text)}/cancel", follow_redirects=False)
    assert (gone.status_code, gone.headers["location"]) == (303, "/wallet")


def test_renewing_or_cancelling_what_was_read_leads_to_who_read_it(web: Web) -> None:
    html = web.show("holder_name")
    web.town.service.read(code_of(html), web.town.clerk)
    for action in ("renew", "cancel"):
        answer = web.client.post(f"/wallet/p/{id_of(html)}/{action}", follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/wallet/p/{id_of(html)}")


def test_an_expired_code_says_that_nothing_was_shown(web: Web) -> None:
    html = web.show("holder_name")
    web.town.clock.forward(minutes=2)
    assert "二维码已过期" in web.page(f"/wallet/p/{id_of(html)}")


def test_pages_carry_no_inline_style_and_only_nonced_scripts(web: Web) -> None:
    html = web.show("holder_name") + web.page("/wallet") + web.page(f"/wallet/c/{web.ref}")
    assert not re.search(r"\sstyle=|\son\w+=", html)
    assert all('nonce="' in tag for tag in re.findall(r"<(?:script|style)\b[^>]*>", html))
    assert TOKEN in html


def test_a_log_line_outlives_its_certificate(web: Web) -> None:
    html = web.show("holder_name")
    web.town.service.read(code_of(html), web.town.clerk)
    web.town.holdings.held.clear()
    log = web.page("/wallet/log")
    assert "一份证照" in log
    assert "holder_name" in log
    assert "结论未回报" in log
    assert "一份证照" in web.page(f"/wallet/p/{id_of(html)}")


def test_the_wallet_over_json(web: Web) -> None:
    status, body = web.json("GET", "/api/wallet/certificates")
    assert status == 200
    (certificate,) = body["certificates"]  # type: ignore[misc]
    assert certificate["claims"]["holder_name"] == "林晓"
    assert certificate["recognised_by"] == ["990100", WEST, "990300"]

    wanted = {"certificate_id": certificate["certificate_id"], "scenario_id": TRANSFER}
    status, shown = web.json("POST", "/api/wallet/presentations", wanted)
    assert (status, shown["state"], shown["seconds_left"]) == (201, "waiting", 60.0)
    status, again = web.json("POST", f"/api/wallet/presentations/{shown['id']}/renewal")
    assert status == 201
    assert again["code"] != shown["code"]
    assert web.json("DELETE", f"/api/wallet/presentations/{again['id']}")[1]["state"] == "cancelled"

    _, third = web.json("POST", "/api/wallet/presentations", {"certificate_id": certificate["certificate_id"]})
    web.town.service.read(str(third["code"]), web.town.clerk)
    (use,) = web.json("GET", "/api/wallet/log")[1]["uses"]  # type: ignore[misc]
    assert (use["relying_party_id"], use["verdict"], use["scenario_id"]) == (HALL, None, None)


def test_refusals_are_problem_documents_that_name_the_field(web: Web) -> None:
    mine = web.town.marriage.certificate_id
    cases = [
        ({"certificate_id": "1.2.3"}, 404, "certificate-not-held"),
        ({"certificate_id": mine, "claims": ["salary"]}, 422, "claim-not-selectable"),
        ({"certificate_id": mine, "claims": [], "scenario_id": TRANSFER}, 422, "required-claim-withheld"),
        ({"certificate_id": mine, "scenario_id": "1/none"}, 422, "scenario-not-applicable"),
        ({"certificate_id": mine, "colour": "red"}, 422, "invalid-request"),
        ({"certificate_id": 7}, 422, "invalid-request"),
    ]
    for body, status, slug in cases:
        answered, problem = web.json("POST", "/api/wallet/presentations", body)
        assert (answered, str(problem["type"]).rpartition(":")[2]) == (status, slug)


def test_reading_refusals_each_have_their_own_answer(web: Web) -> None:
    code = web.town.service.show(LIN, web.town.marriage.certificate_id)[1]
    read = "/api/presentations/read"
    assert web.json("POST", read, {"code": code})[0] == 403  # a citizen is no agency
    web.visitor.who = None
    assert web.json("POST", read, {"code": code})[0] == 401
    web.visitor.who = web.town.clerk
    assert web.json("POST", read, {"code": "nonsense"})[0] == 422
    assert web.json("POST", read, {"code": "YXP:" + "A" * 32})[0] == 404
    assert web.json("POST", read, {"code": code})[0] == 200
    status, problem = web.json("POST", read, {"code": code})
    assert (status, problem["title"]) == (409, "亮证码已被查看过")
    assert web.json("POST", "/api/presentations/none/verdict", {"verdict": "PASSED"})[0] == 404
    assert web.json("POST", "/api/presentations/none/verdict", {"verdict": "GREAT"})[0] == 422


def test_a_clerk_has_no_wallet_and_a_citizen_without_a_holder_none_either(web: Web) -> None:
    web.visitor.who = web.town.clerk
    assert web.client.get("/wallet").status_code == 403
    web.visitor.who = replace(web.town.citizen, holder_id=None)
    assert web.client.get("/wallet").status_code == 403


def test_the_qr_code_reads_back_with_its_quiet_zone() -> None:
    svg = qr_svg("YXP:" + "A2B3" * 8, 'a "label"')
    assert "a &quot;label&quot;" in svg
    size = int(re.search(r'viewBox="0 0 (\d+)', svg)[1])  # type: ignore[index]
    assert size == 29 + 2 * QUIET_ZONE  # version 3: alphanumeric mode, level Q
    picture = Image.new("L", (size * 8, size * 8), 255)
    draw = ImageDraw.Draw(picture)
    for x, y, length in re.findall(r"M(\d+) (\d+)h(\d+)", svg):
        left, top, right = int(x) * 8, int(y) * 8, (int(x) + int(length)) * 8
        draw.rectangle((left, top, right - 1, top + 7), fill=0)
    assert [code.text for code in zxingcpp.read_barcodes(picture)] == ["YXP:" + "A2B3" * 8]


def test_values_are_worded_for_people() -> None:
    assert texts.value_text(True) == "是"
    assert texts.value_text(False) == "否"
    assert texts.value_text(["C1", "D"]) == "C1、D"
    assert texts.value_text({"a": 1}) == "a: 1"
    assert texts.reason(None) is None
    assert texts.reason("new_reason") == Names("new_reason", "new_reason")
