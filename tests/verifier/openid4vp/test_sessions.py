"""Whose answer it is: one device or two, the browser's API, transaction data, and what is kept for how long."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import text

from keys.envelopes.jwe import AgreementKey
from keys.envelopes.mdoc import mac_as_device, make_device_response, parse_mdoc, select_elements
from keys.public_key import PublicKey
from tests.verifier.openid4vp.conftest import BROWSER, CLERK, ORIGIN, Counter, credential, mdoc
from tests.verifier.openid4vp.wallet import Asked, Shown, Wallet, b64url, read_request
from tests.verifier.small_world import TRANSFER, WEST
from trust_registry.model import ScenarioId
from verifier.errors import RequestNotFound
from verifier.model import Indication
from verifier.openid4vp.errors import ProtocolRefusal
from verifier.openid4vp.model import (
    Begun,
    BegunInBrowser,
    Progress,
    RequestState,
    ResponseMode,
    TransactionData,
)

PAY = TransactionData("urn:yinxin:transaction:transfer", {"of": "household"})


class TestSameDevice:
    """Sections 13.3 and 14.2: session fixation; HAIP section 5.1."""

    def test_the_redirect_brings_a_fresh_secret(self, counter: Counter) -> None:
        codes = set()
        for _ in range(2):
            begun, asked = counter.ask(same_device=True)
            answer, progress = counter.shown(begun, asked)
            back = urlsplit(answer.json()["redirect_uri"])
            assert f"{back.scheme}://{back.netloc}" == ORIGIN
            assert back.path == f"/counter/requests/{begun.id}"
            (code,) = parse_qs(back.query)["response_code"]
            assert len(code) >= 43
            codes.add(code)
            assert progress.state is RequestState.FETCHED  # until somebody comes back
            assert progress.verdicts == ()
            assert counter.look(begun, "guessed").verdicts == ()
            assert counter.look(begun, code).verdicts[0].report.indication is Indication.PASSED
        assert len(codes) == 2

    def test_who_does_not_come_back_has_shown_nothing(self, counter: Counter) -> None:
        begun, asked = counter.ask(same_device=True)
        counter.shown(begun, asked)
        counter.later(timedelta(minutes=11))
        assert counter.look(begun).state is RequestState.EXPIRED

    def test_back_in_another_browser(self, counter: Counter) -> None:
        """An attacker began it, and had the victim answer."""
        begun, asked = counter.ask(same_device=True)
        answer, _ = counter.shown(begun, asked)
        (code,) = parse_qs(urlsplit(answer.json()["redirect_uri"]).query)["response_code"]
        with pytest.raises(RequestNotFound):
            counter.requests.look(begun.id, "the victim's browser", code)
        with pytest.raises(RequestNotFound):
            counter.requests.presentations(begun.id, BROWSER)

    def test_errors_lead_back_too(self, counter: Counter) -> None:
        begun, asked = counter.ask(same_device=True)
        refused = counter.post(asked, {"error": "access_denied", "state": asked.claims["state"]})
        assert refused.status_code == 200
        assert "response_code=" in refused.json()["redirect_uri"]
        begun, asked = counter.ask(same_device=True)
        answer, _ = counter.shown(begun, asked, Shown(nonce="another"))
        assert answer.status_code == 400
        (code,) = parse_qs(urlsplit(answer.json()["redirect_uri"]).query)["response_code"]
        assert counter.look(begun, code).verdicts[0].report.indication is Indication.FAILED

    def test_two_devices_have_no_redirect(self, counter: Counter) -> None:
        begun, asked = counter.ask()
        answer, progress = counter.shown(begun, asked)
        assert "redirect_uri" not in answer.json()
        assert progress.verdicts

    def test_the_pages_may_be_elsewhere_than_the_protocol(self, make_counter: Callable[..., Counter]) -> None:
        counter = make_counter(public_url="https://pages.example")
        begun, asked = counter.ask(same_device=True)
        answer, _ = counter.shown(begun, asked)
        assert answer.json()["redirect_uri"].startswith("https://pages.example/counter/")


class TestDigitalCredentialsApi:
    """Appendix A."""

    @pytest.fixture
    def begun(self, counter: Counter) -> BegunInBrowser:
        return counter.requests.begin_dc_api(CLERK, TRANSFER, browser=BROWSER)

    @pytest.fixture
    def asked(self, begun: BegunInBrowser) -> Asked:
        return read_request(begun.data["request"])

    def finish(self, counter: Counter, begun: BegunInBrowser, data: Any, origin: str = ORIGIN) -> Progress:
        return counter.requests.finish_dc_api(begun.id, BROWSER, origin, data)

    def show(self, counter: Counter, asked: Asked, form: str = "sd-jwt", shown: Shown | None = None) -> dict[str, Any]:
        query, how = asked.query(form), shown or Shown(origin=ORIGIN)
        wallet = counter.wallet
        made = (
            wallet.show_sd_jwt(credential(), query, asked, how)
            if form == "sd-jwt"
            else wallet.show_mdoc(mdoc(), query, asked, how)
        )
        return dict(Wallet.form(asked, {query["id"]: [made]}))

    def test_a_2_the_request(self, begun: BegunInBrowser, asked: Asked) -> None:
        assert begun.protocol == "openid4vp-v1-signed"
        assert asked.claims["response_mode"] == "dc_api.jwt"
        assert asked.claims["expected_origins"] == [ORIGIN]
        assert asked.claims["client_id"].startswith("x509_hash:")
        assert not {"state", "response_uri", "redirect_uri"} & set(asked.claims)

    @pytest.mark.parametrize("form", ["sd-jwt", "mdoc"])
    def test_a_4_the_response(self, counter: Counter, begun: BegunInBrowser, asked: Asked, form: str) -> None:
        progress = self.finish(counter, begun, self.show(counter, asked, form))
        assert progress.state is RequestState.ANSWERED
        report = progress.verdicts[0].report
        assert report.indication is Indication.PASSED, report.decisive

    @pytest.mark.parametrize("form", ["sd-jwt", "mdoc"])
    def test_a_4_bound_to_another_origin(
        self, counter: Counter, begun: BegunInBrowser, asked: Asked, form: str
    ) -> None:
        shown = self.show(counter, asked, form, Shown(origin="https://evil.example"))
        assert self.finish(counter, begun, shown).verdicts[0].report.indication is Indication.FAILED

    def test_a_4_the_client_id_is_not_the_audience(self, counter: Counter, begun: BegunInBrowser, asked: Asked) -> None:
        shown = self.show(counter, asked, "sd-jwt", Shown(audience=asked.claims["client_id"]))
        assert self.finish(counter, begun, shown).verdicts[0].report.indication is Indication.FAILED

    def test_a_page_of_another_origin(self, counter: Counter, begun: BegunInBrowser, asked: Asked) -> None:
        with pytest.raises(ProtocolRefusal):
            self.finish(counter, begun, self.show(counter, asked), "https://evil.example")
        assert counter.look(begun).state is RequestState.WAITING

    @pytest.mark.parametrize("data", [{}, {"response": 7}, {"response": "x"}, {"vp_token": {}}, {"error": 7}], ids=str)
    def test_what_is_no_response(self, counter: Counter, begun: BegunInBrowser, data: Any) -> None:
        with pytest.raises(ProtocolRefusal):
            self.finish(counter, begun, data)
        assert counter.look(begun).state is RequestState.WAITING

    def test_a_4_an_error(self, counter: Counter, begun: BegunInBrowser) -> None:
        progress = self.finish(counter, begun, {"error": "access_denied"})
        assert (progress.state, progress.error) == (RequestState.DECLINED, "access_denied")

    def test_once_only(self, counter: Counter, begun: BegunInBrowser, asked: Asked) -> None:
        shown = self.show(counter, asked)
        self.finish(counter, begun, shown)
        with pytest.raises(ProtocolRefusal):
            self.finish(counter, begun, shown)

    def test_not_in_another_browser(self, counter: Counter, begun: BegunInBrowser, asked: Asked) -> None:
        with pytest.raises(RequestNotFound):
            counter.requests.finish_dc_api(begun.id, "another", ORIGIN, self.show(counter, asked))

    def test_a_request_by_redirect_is_not_finished_so(self, counter: Counter) -> None:
        begun, asked = counter.ask()
        form = Wallet.form(asked, {asked.query("sd-jwt")["id"]: ["x~"]})
        with pytest.raises(ProtocolRefusal):
            counter.requests.finish_dc_api(begun.id, BROWSER, ORIGIN, form)


def hashed(sent: str, name: str = "sha256") -> str:
    return b64url(hashlib.new(name, sent.encode("ascii")).digest())


class TestTransactionData:
    """Section 8.4 and appendix B.3.3."""

    def shown(self, counter: Counter, data: TransactionData, claims: Callable[[str], dict[str, Any]]) -> Any:
        begun, asked = counter.ask(transaction_data=[data])
        (sent,) = asked.claims["transaction_data"]
        answer, progress = counter.shown(begun, asked, Shown(kb_claims=claims(sent)))
        return answer.status_code, progress.verdicts[0].report

    def test_5_1_what_is_sent(self, counter: Counter) -> None:
        asked = counter.ask(transaction_data=[PAY])[1]
        (sent,) = asked.claims["transaction_data"]
        content = json.loads(base64.urlsafe_b64decode(sent + "=="))
        ids = [each["id"] for each in asked.claims["dcql_query"]["credentials"]]
        assert content == {"type": PAY.type, "credential_ids": ids, "of": "household"}
        assert {each["format"] for each in asked.claims["dcql_query"]["credentials"]} == {"dc+sd-jwt"}

    def test_authorised(self, counter: Counter) -> None:
        status, report = self.shown(counter, PAY, lambda sent: {"transaction_data_hashes": [hashed(sent)]})
        assert (status, report.indication) == (200, Indication.PASSED)

    def test_authorised_with_a_hash_that_was_named(self, counter: Counter) -> None:
        data = TransactionData(PAY.type, {}, ("sha-384", "sha-256"))
        status, report = self.shown(
            counter,
            data,
            lambda sent: {
                "transaction_data_hashes": [hashed(sent, "sha384")],
                "transaction_data_hashes_alg": "sha-384",
            },
        )
        assert (status, report.indication) == (200, Indication.PASSED)

    @pytest.mark.parametrize(
        ("algorithms", "claims"),
        [
            ((), lambda sent: {}),
            ((), lambda sent: {"transaction_data_hashes": []}),
            ((), lambda sent: {"transaction_data_hashes": hashed(sent)}),
            ((), lambda sent: {"transaction_data_hashes": [7]}),
            ((), lambda sent: {"transaction_data_hashes": [hashed("another")]}),
            ((), lambda sent: {"transaction_data_hashes": [hashed(sent), hashed("another")]}),
            (
                (),
                lambda sent: {
                    "transaction_data_hashes": [hashed(sent, "sha512")],
                    "transaction_data_hashes_alg": "sha-512",
                },
            ),
            (("sha-256",), lambda sent: {"transaction_data_hashes": [hashed(sent)]}),
            (("sha-256",), lambda sent: {"transaction_data_hashes": [hashed(sent)], "transaction_data_hashes_alg": 7}),
            (
                ("sha-256",),
                lambda sent: {
                    "transaction_data_hashes": [hashed(sent, "sha512")],
                    "transaction_data_hashes_alg": "sha-512",
                },
            ),
        ],
        ids=["none", "empty", "text", "number", "other", "more", "unnamed hash", "no alg", "alg", "hash not offered"],
    )
    def test_not_authorised(self, counter: Counter, algorithms: tuple[str, ...], claims: Any) -> None:
        status, report = self.shown(counter, TransactionData(PAY.type, {}, algorithms), claims)
        assert status == 400
        assert report.decisive is not None
        assert report.decisive.code == "transaction_not_authorised"

    def test_one_of_several_presentations_authorises(self, counter: Counter) -> None:
        needed = counter.world.scenario_requires
        counter.world.scenario_requires = (*needed, *needed)
        begun, asked = counter.ask(transaction_data=[PAY])
        (sent,) = asked.claims["transaction_data"]
        first, second = asked.claims["dcql_query"]["credentials"]
        how = Shown(kb_claims={"transaction_data_hashes": [hashed(sent)]})
        token = {
            first["id"]: [counter.wallet.show_sd_jwt(credential(), first, asked)],
            second["id"]: [counter.wallet.show_sd_jwt(credential(), second, asked, how)],
        }
        assert counter.post(asked, Wallet.form(asked, token)).status_code == 200
        assert [each.report.indication for each in counter.look(begun).verdicts] == [Indication.PASSED] * 2

    def test_what_cannot_be_read_authorises_nothing(self, counter: Counter) -> None:
        begun, asked = counter.ask(transaction_data=[PAY])
        answer = counter.post(asked, Wallet.form(asked, {asked.query("sd-jwt")["id"]: ["x~"]}))
        assert answer.status_code == 400
        assert counter.look(begun).verdicts[0].report.indication is Indication.FAILED


def shown_with_mac(counter: Counter, begun: Begun, asked: Asked, reader: PublicKey) -> tuple[Any, Progress]:
    query, device = asked.query("mdoc"), AgreementKey.generate()
    doc_type = query["meta"]["doctype_value"]
    wanted: dict[str, set[str]] = {}
    for each in query["claims"]:
        wanted.setdefault(each["path"][0], set()).add(each["path"][1])
    issued = mdoc(device_key=device.public_key.jwk())
    signed = mac_as_device(doc_type, Wallet.transcript(asked), device, reader)
    response = make_device_response(doc_type, select_elements(parse_mdoc(issued), wanted), signed)
    answer = counter.post(asked, Wallet.form(asked, {query["id"]: [b64url(response)]}))
    return answer, counter.look(begun)


def test_a_device_may_use_a_mac(counter: Counter) -> None:
    """B.2.2: the key to encrypt to is the one to agree with."""
    begun, asked = counter.ask()
    key = asked.encryption_key
    assert key is not None
    reader = PublicKey.from_jwk({name: key[name] for name in ("kty", "crv", "x", "y")})
    answer, progress = shown_with_mac(counter, begun, asked, reader)
    assert answer.status_code == 200
    assert progress.verdicts[0].report.indication is Indication.PASSED


def test_8_6_a_mac_where_there_was_no_key_to_agree_with(counter: Counter) -> None:
    """Without a key of this request it binds to nothing: refused, not undecided."""
    begun, asked = counter.ask(mode=ResponseMode.DIRECT_POST)
    answer, progress = shown_with_mac(counter, begun, asked, AgreementKey.generate().public_key)
    assert answer.status_code == 400
    report = progress.verdicts[0].report
    assert report.decisive is not None
    assert (report.indication, report.decisive.code) == (Indication.FAILED, "device_binding_false")


class TestWhatIsKept:
    def test_nothing_readable_lies_in_the_database(self, counter: Counter) -> None:
        begun, asked = counter.ask()
        counter.shown(begun, asked)
        with counter.engine.connect() as connection:
            query = text("SELECT * FROM verifier_presentation_requests WHERE id = :id")
            row = connection.execute(query, {"id": begun.id}).one()
        kept = b"".join(each if isinstance(each, bytes) else str(each).encode() for each in row)
        secrets = [asked.claims["nonce"], asked.claims["state"], asked.claims["response_uri"].rpartition("/")[2]]
        secrets += [begun.uri.rpartition("%2F")[2].partition("&")[0], BROWSER, "林晓", "holder_name"]
        for secret in secrets:
            assert secret.encode() not in kept

    def test_it_is_erased_after_twenty_minutes(self, counter: Counter) -> None:
        begun, asked = counter.ask()
        counter.shown(begun, asked)
        counter.later(timedelta(minutes=19, seconds=59))
        counter.requests.erase()
        assert counter.look(begun).verdicts[0].report.indication is Indication.PASSED
        counter.later(timedelta(seconds=1))
        counter.requests.erase()
        with pytest.raises(RequestNotFound):
            counter.look(begun)
        assert counter.post(asked, {"state": "x"}).status_code == 404

    def test_the_next_request_erases_too(self, counter: Counter) -> None:
        begun = counter.begin()
        counter.later(timedelta(minutes=20))
        counter.begin()
        with pytest.raises(RequestNotFound):
            counter.look(begun)

    def test_a_scenario_that_ended_meanwhile(self, counter: Counter) -> None:
        begun, asked = counter.ask()
        ended = ScenarioId("990200/ended")
        view = counter.world.view()
        gone = replace(view.scenarios[TRANSFER], id=ended)
        lists = {**view.lists, WEST: replace(view.lists[WEST], scenarios=(gone,))}
        counter.trust = replace(view, lists=lists)
        query = asked.query("sd-jwt")
        text = counter.wallet.show_sd_jwt(credential(), query, asked)
        answer = counter.post(asked, Wallet.form(asked, {query["id"]: [text]}))
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
        assert counter.look(begun).state is RequestState.FETCHED
