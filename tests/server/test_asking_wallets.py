"""The counter asks a wallet: what its page shows, when it turns, to whom, and what it says when nothing came."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from issuer.copies import WalletCopies
from issuer.model import HolderKind, RenderingKind, StatusChangeRequest
from issuer.service import IssuerService
from keys.algorithms import ES256
from keys.signer import EphemeralSigner
from server.demo.filling import FOUNDER
from server.demo.people import LIN
from tests.server.real_house import ORIGIN, RealHouse, built
from tests.verifier.openid4vp.wallet import Asked, Shown, Wallet, read_link, read_request
from trust_registry.model import CertificateStatus, Names, StatusReason
from verifier.openid4vp.model import KEPT, PresentedVerdict, Progress, RequestState
from verifier.pages.asked import over_words, overall
from verifier.pages.asking import Shown as Cookie
from verifier.pages.asking import read_cookie

FAMILY, TRANSFER = "990200/marriage-benefit", "990200/household-transfer"
pytestmark = pytest.mark.xdist_group("real-house")
PAGE = re.compile(r"/counter/requests/[\w-]+")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> RealHouse:
    return built(tmp_path_factory)


@dataclass
class Counter:
    """A clerk's browser, and a citizen's wallet beside it that answers to another host name of the same server."""

    house: RealHouse
    browser: TestClient

    def begin(self, scenario: str = FAMILY, **more: str) -> str:
        """The page of a new request."""
        answer = self.browser.post("/counter/requests", data={"scenario": scenario, **more}, follow_redirects=False)
        assert answer.status_code == 303
        assert PAGE.fullmatch(answer.headers["location"])
        return str(answer.headers["location"])

    def asked(self, page: str) -> Asked:
        """What a wallet fetches that scans the page."""
        uri = re.search(r'data-copy="(openid4vp:[^"]+)"', self.browser.get(page).text)
        assert uri is not None
        link = read_link(uri[1].replace("&amp;", "&"))
        return read_request(self.wallet.post(link.request_uri, data={"wallet_nonce": "n"}).text, link.client_id)

    @property
    def wallet(self) -> TestClient:
        return TestClient(self.house.app, base_url=ORIGIN.replace("127.0.0.1", "localhost"))

    def show(self, asked: Asked, *types: str, **shown: Any) -> Any:
        """The wallet's answer: a copy of each certificate of Lin Xiao's, bound to a fresh key."""
        form = Wallet.form(asked, self.presentations(asked, *types, **shown))
        return self.wallet.post(asked.claims["response_uri"], data=form)

    def presentations(self, asked: Asked, *types: str, **shown: Any) -> dict[str, list[str]]:
        issuer: IssuerService = self.house.house.services["issuer"]
        holder = issuer.find_holder(HolderKind.CITIZEN, LIN.number)
        assert holder is not None
        wallet = Wallet(EphemeralSigner.generate(ES256), self.house.clock())
        answer = {}
        for type_name in types:
            query = asked.query(f"{type_name}-sd-jwt")
            (held,) = [each for each in issuer.held(holder) if each.attestation.type_id == f"common/{type_name}"]
            number, key = held.attestation.certificate_id, wallet.key.public_key.jwk()
            (copy,) = WalletCopies(issuer).make(number, holder, RenderingKind.SD_JWT_VC, [key])
            assert isinstance(copy, str)
            answer[query["id"]] = [wallet.show_sd_jwt(copy, query, asked, Shown(**shown))]
        return answer

    def state(self, page: str) -> str:
        return str(self.browser.get(f"{page}/state").json()["state"])


@pytest.fixture
def counter(house: RealHouse) -> Counter:
    return Counter(house, house.signed_in("counter.xichuan"))


def test_the_page_says_who_asks_what_for_and_turns_to_the_verdict(counter: Counter) -> None:
    page = counter.begin()
    text = counter.browser.get(page).text
    for said in ("西川区政务服务大厅", "婚育服务登记", "核对婚姻登记", "结婚证", "配偶姓名", "不保存证照内容", "<svg"):
        assert said in text
    assert counter.state(page) == "waiting"
    asked = counter.asked(page)
    assert counter.state(page) == "fetched"
    assert counter.show(asked, "marriage-certificate").json() == {}
    assert counter.state(page) == "answered"
    verdict = counter.browser.get(page)
    assert verdict.headers["cache-control"] == "no-store"
    assert 'data-kind="passed"' in verdict.text
    assert "周远" in verdict.text
    assert LIN.number not in verdict.text, "what was not asked for"
    draft = re.search(r'name="draft" value="([^"]+)"', verdict.text)
    assert draft is not None
    filed = counter.browser.post("/counter/receipts", data={"draft": draft[1]})
    assert "已存入办件" in filed.text


def test_all_that_a_scenario_needs_comes_in_one_answer_and_is_filed_at_once(counter: Counter) -> None:
    page = counter.begin(TRANSFER)
    counter.show(counter.asked(page), "marriage-certificate", "household-register")
    text = counter.browser.get(page).text
    assert 'data-kind="passed"' in text
    assert "出示的 2 份证照都通过核验" in text
    assert text.count("data-clear-after") == 2
    drafts = re.findall(r'name="draft" value="([^"]+)"', text)
    assert len(drafts) == 2
    filed = counter.browser.post("/counter/receipts", data={"draft": drafts}, follow_redirects=False)
    assert filed.headers["location"] == "/counter/receipts"
    assert counter.browser.post("/counter/receipts", data={"draft": drafts * 11}).status_code == 422


def test_news_arrive_as_server_sent_events(counter: Counter) -> None:
    page = counter.begin()
    counter.show(counter.asked(page), "marriage-certificate")
    answer = counter.browser.get(f"{page}/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    (line,) = [line for line in answer.text.splitlines() if line.startswith("data: ")]
    assert json.loads(line.removeprefix("data: "))["state"] == "answered"
    assert "周远" not in answer.text


def test_what_was_revoked_since_it_was_collected_is_rejected(counter: Counter) -> None:
    asked = counter.asked(page := counter.begin())
    vp_token = counter.presentations(asked, "marriage-certificate")
    issuer: IssuerService = counter.house.house.services["issuer"]
    holder = issuer.find_holder(HolderKind.CITIZEN, LIN.number)
    assert holder is not None
    (held,) = [e for e in issuer.held(holder) if e.attestation.type_id == "common/marriage-certificate"]
    number, now = held.attestation.certificate_id, counter.house.clock()
    suspended, valid = CertificateStatus.SUSPENDED, CertificateStatus.VALID
    issuer.change_status(StatusChangeRequest(number, suspended, StatusReason.UNDER_REVIEW, now, FOUNDER))
    try:
        counter.wallet.post(asked.claims["response_uri"], data=Wallet.form(asked, vp_token))
        text = counter.browser.get(page).text
        assert 'data-kind="passed"' not in text
        assert re.search(r'data-kind="(failed|indeterminate)"', text)
    finally:
        issuer.change_status(StatusChangeRequest(number, valid, StatusReason.REVIEW_ENDED, now, FOUNDER))


def test_the_browser_can_show_the_answer_as_long_as_it_is_kept(counter: Counter) -> None:
    answer = counter.browser.post("/counter/requests", data={"scenario": FAMILY}, follow_redirects=False)
    assert f"Max-Age={int(KEPT.total_seconds())};" in answer.headers["set-cookie"]


def test_the_answer_is_for_the_browser_that_asked(counter: Counter) -> None:
    """OpenID4VP 1.0 section 14.2: another session, of the same clerk even, sees nothing."""
    page = counter.begin()
    counter.show(counter.asked(page), "marriage-certificate")
    other = counter.house.client()
    session = {each.name: each.value or "" for each in counter.browser.cookies.jar if each.name != "wallet-request"}
    other.cookies.update(session)
    for path in (page, f"{page}/state", f"{page}/events"):
        assert other.get(path).status_code == 404
    other.cookies.set("wallet-request", Cookie("guessed", FAMILY, "openid4vp://", False).to_cookie())
    assert other.get(page).status_code == 404


def test_a_holder_who_declines_is_told_apart_from_a_wallet_that_cannot(counter: Counter) -> None:
    for error, said in (("access_denied", "持证人没有出示"), ("invalid_request", "钱包不能应答")):
        asked = counter.asked(page := counter.begin())
        counter.wallet.post(asked.claims["response_uri"], data=Wallet.form(asked, None, error=error))
        assert counter.state(page) == "declined"
        text = counter.browser.get(page).text
        assert said in text
        assert f'name="scenario" value="{FAMILY}"' in text, "ask again"


def test_a_request_that_nobody_answered_expires_and_is_renewed_by_a_button(counter: Counter) -> None:
    page = counter.begin()
    asked = counter.asked(page)
    with counter.house.clock.later(timedelta(minutes=11)):
        assert counter.state(page) == "expired"
        text = counter.browser.get(page).text
        assert "请求已过期" in text
        assert 'action="/counter/requests"' in text
        assert counter.show(asked, "marriage-certificate").status_code == 400


def test_on_the_same_device_the_verdict_waits_for_the_browser_to_come_back(counter: Counter) -> None:
    """OpenID4VP 1.0 section 13.3: `redirect_uri` with a fresh `response_code`."""
    page = counter.begin(device="same")
    text = counter.browser.get(page).text
    assert re.search(r'<a class="button wide" href="openid4vp://', text)
    assert "ask-qr" not in text
    back = counter.show(counter.asked(page), "marriage-certificate").json()["redirect_uri"]
    assert back.startswith(f"{ORIGIN}{page}?response_code=")
    assert counter.state(page) == "fetched"
    assert "周远" not in counter.browser.get(page).text
    assert "周远" not in counter.browser.get(f"{page}?response_code=guessed").text
    assert "周远" in counter.browser.get(back).text


def test_through_the_browsers_own_api(counter: Counter) -> None:
    """OpenID4VP 1.0 appendix A: the script gets a signed request, and hands back what the API gave."""
    begun = counter.browser.post("/counter/requests/browser", data={"scenario": FAMILY}).json()
    assert begun["protocol"] == "openid4vp-v1-signed"
    asked = read_request(begun["data"]["request"])
    assert asked.claims["expected_origins"] == [ORIGIN]
    token = counter.presentations(asked, "marriage-certificate", origin=ORIGIN)
    data, header = Wallet.form(asked, token), {"Origin": ORIGIN}
    assert counter.browser.post(f"{begun['page']}/browser", json={"junk": 1}, headers=header).status_code == 400
    assert counter.browser.post(f"{begun['page']}/browser", json=data, headers=header).status_code == 200
    assert 'data-kind="passed"' in counter.browser.get(begun["page"]).text


@pytest.mark.parametrize("scenario", ["", "990100/company-start", "nothing"])
def test_only_for_scenarios_that_the_agency_is_registered_for(counter: Counter, scenario: str) -> None:
    assert counter.browser.post("/counter/requests", data={"scenario": scenario}).status_code == 422


def test_the_counter_offers_it(counter: Counter) -> None:
    assert 'formaction="/counter/requests"' in counter.browser.get("/counter").text


def test_a_counter_whose_agency_has_no_key_for_it_is_not_offered_it(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    verifier = counter.house.house.services["verifier"]
    monkeypatch.setattr(verifier, "asks_wallets", lambda party: party != "990200/government-hall")
    assert "/counter/requests" not in counter.browser.get("/counter").text


@given(st.text(max_size=300) | st.from_regex(r"[A-Za-z0-9_-]{0,300}", fullmatch=True))
def test_a_cookie_is_ours_or_nothing(value: str) -> None:
    assert read_cookie(value) is None


@given(st.text(max_size=50), st.text(max_size=50), st.text(max_size=200), st.booleans())
def test_a_cookie_comes_back_as_it_was(browser: str, scenario: str, uri: str, same_device: bool) -> None:
    shown = Cookie(browser, scenario, uri, same_device)
    assert read_cookie(shown.to_cookie()) in (shown, None)  # None: longer than any of ours


def test_a_cookie_of_other_members_is_not_ours() -> None:
    odd = Cookie("b", "s", "u", False).to_cookie()
    assert read_cookie(odd) is not None
    assert read_cookie(Cookie(1, "s", "u", False).to_cookie()) is None  # type: ignore[arg-type]
    assert read_cookie("A" * 5000) is None


@pytest.fixture(scope="module")
def progress_of(house: RealHouse) -> Callable[..., Progress]:
    verifier = house.house.services["verifier"]
    report = verifier.verify(house.sample("marriage.sd-jwt"))
    unreadable = verifier.verify(b"nothing of ours")
    forged = verifier.verify(_forged(house.sample("marriage.sd-jwt").decode()))
    reports = {each.indication.value: each for each in (report, unreadable, forged)}

    def made(*indications: str, missing: tuple[Names, ...] = (), state: str = "answered") -> Progress:
        verdicts = tuple(
            PresentedVerdict(f"q{n}", Names(f"证{n}", f"c{n}"), reports[i]) for n, i in enumerate(indications)
        )
        return Progress(RequestState(state), house.clock(), verdicts, missing)

    return made


def _forged(sd_jwt: str) -> str:
    head, payload, rest = sd_jwt.split(".", 2)
    return f"{head}.{payload[:-6]}{payload[-6:][::-1]}.{rest}"


def test_the_worst_verdict_is_the_whole(progress_of: Callable[..., Progress]) -> None:
    missing = (Names("户口簿", "household register"),)
    assert overall(progress_of("PASSED", "PASSED"), "en").sentence == "All 2 certificates passed."
    bad = overall(progress_of("PASSED", "FAILED"), "zh")
    assert (bad.kind, bad.sentence) == ("failed", "出示的 2 份证照中，证1不能受理。")
    lacking = overall(progress_of("PASSED", missing=missing), "en")
    assert lacking.kind == "indeterminate"
    assert "household register" in lacking.next_step
    assert overall(progress_of("PASSED", "FAILED", missing=missing), "en").kind == "failed"
    nothing = overall(progress_of(), "en")
    assert (nothing.kind, nothing.next_step) == ("indeterminate", "")


def test_an_ending_without_an_answer_is_worded(progress_of: Callable[..., Progress]) -> None:
    assert over_words(progress_of(state="expired")).kind == "expired"
    assert over_words(progress_of(state="declined")).kind == "refused"
