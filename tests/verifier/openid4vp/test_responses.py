"""Responses over HTTP: every MUST and error of OpenID4VP 1.0 sections 8.1 to 8.5, and what uses a request up."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keys.envelopes.jwe import AgreementKey
from tests.verifier.openid4vp.conftest import FORM, Counter, credential
from tests.verifier.openid4vp.wallet import Asked, Wallet, encrypt
from tests.verifier.small_world import NOW
from verifier.dcql import DcqlQuery
from verifier.model import Indication
from verifier.openid4vp import routes
from verifier.openid4vp.errors import ProtocolRefusal
from verifier.openid4vp.model import Begun, ClientIdPrefix, RequestState, ResponseMode, Terms
from verifier.openid4vp.responses import MAX_BODY, read_form, read_response


def answered(counter: Counter, begun: Begun) -> bool:
    return counter.look(begun).state in (RequestState.ANSWERED, RequestState.DECLINED)


def good(counter: Counter, asked: Asked) -> dict[str, Any]:
    query = asked.query("sd-jwt")
    return {query["id"]: [counter.wallet.show_sd_jwt(credential(), query, asked)]}


def assert_refused(counter: Counter, begun: Begun, answer: Any, status: int = 400) -> None:
    """The specification's JSON; and the request still waits for the answer."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.json()["error"] == "invalid_request"
    assert answer.json()["error_description"].isascii()
    assert not answered(counter, begun)


class TestDirectPost:
    @pytest.fixture
    def asked(self, counter: Counter) -> tuple[Begun, Asked]:
        return counter.ask(mode=ResponseMode.DIRECT_POST)

    @pytest.mark.parametrize("state", [None, "", "another", "é"])
    def test_8_2_state_must_match(self, counter: Counter, asked: tuple[Begun, Asked], state: str | None) -> None:
        form = Wallet.form(asked[1], good(counter, asked[1]), state=state)
        assert_refused(counter, asked[0], counter.post(asked[1], form))

    def test_state_of_another_request(self, counter: Counter, asked: tuple[Begun, Asked]) -> None:
        other = counter.ask()[1]
        form = Wallet.form(asked[1], good(counter, asked[1]), state=other.claims["state"])
        assert_refused(counter, asked[0], counter.post(asked[1], form))

    @pytest.mark.parametrize(
        "content_type", ["application/json", "text/plain", "multipart/form-data; boundary=x", "", None]
    )
    def test_8_2_the_content_type_is_a_forms(
        self, counter: Counter, asked: tuple[Begun, Asked], content_type: str | None
    ) -> None:
        body = urlencode(Wallet.form(asked[1], good(counter, asked[1])))
        headers = {} if content_type is None else {"content-type": content_type}
        answer = counter.http.post(asked[1].claims["response_uri"], content=body.encode(), headers=headers)
        assert_refused(counter, asked[0], answer, 415)

    def test_a_charset_is_no_other_content_type(self, counter: Counter, asked: tuple[Begun, Asked]) -> None:
        body = urlencode(Wallet.form(asked[1], good(counter, asked[1])))
        headers = {"content-type": f"{FORM}; charset=utf-8"}
        answer = counter.http.post(asked[1].claims["response_uri"], content=body, headers=headers)
        assert answer.status_code == 200

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"vp_token",
            b"\xff\xfe",
            b"vp_token=%ff&state=x",
            b"vp_token=%zz&state=x",
            b"&" * 40 + b"a=1",
            b"a=1&" * 40,
        ],
        ids=str,
    )
    def test_8_2_a_body_that_is_no_form(self, counter: Counter, asked: tuple[Begun, Asked], body: bytes) -> None:
        headers = {"content-type": FORM}
        answer = counter.http.post(asked[1].claims["response_uri"], content=body, headers=headers)
        assert_refused(counter, asked[0], answer)

    def test_a_parameter_twice(self, counter: Counter, asked: tuple[Begun, Asked]) -> None:
        """RFC 6749 section 3.1."""
        form = Wallet.form(asked[1], good(counter, asked[1]))
        body = urlencode([*form.items(), ("state", form["state"])])
        headers = {"content-type": FORM}
        answer = counter.http.post(asked[1].claims["response_uri"], content=body, headers=headers)
        assert_refused(counter, asked[0], answer)

    def test_an_oversized_body(self, counter: Counter, asked: tuple[Begun, Asked]) -> None:
        headers = {"content-type": FORM}
        body = b"vp_token=" + b"x" * MAX_BODY
        answer = counter.http.post(asked[1].claims["response_uri"], content=body, headers=headers)
        assert_refused(counter, asked[0], answer, 413)

    @pytest.mark.parametrize(
        "token",
        [
            "x",
            "[]",
            "{}",
            "null",
            '"eyJ..."',
            '{"unknown":["x"]}',
            '{"Q":"x"}',
            '{"Q":[]}',
            '{"Q":["x","x"]}',
            '{"Q":[{}]}',
            '{"Q":[""]}',
            '{"Q":[7]}',
            '{"Q":["x"],"Q":["x"]}',
            "[" * 100 + "]" * 100,
            '{"Q":["x"]} {}',
        ],
    )
    def test_8_1_a_vp_token_that_is_none(self, counter: Counter, asked: tuple[Begun, Asked], token: str) -> None:
        form = Wallet.form(asked[1], token.replace("Q", asked[1].query("sd-jwt")["id"]))
        assert_refused(counter, asked[0], counter.post(asked[1], form))

    def test_8_1_no_vp_token(self, counter: Counter, asked: tuple[Begun, Asked]) -> None:
        assert_refused(counter, asked[0], counter.post(asked[1], Wallet.form(asked[1], None)))

    def test_an_encrypted_response_where_none_was_asked_for(self, counter: Counter, asked: tuple[Begun, Asked]) -> None:
        key = AgreementKey.generate().encryption_jwk("k")
        assert_refused(counter, asked[0], counter.post(asked[1], {"response": encrypt(b"{}", key)}))

    def test_8_1_unknown_parameters_are_ignored(self, counter: Counter, asked: tuple[Begun, Asked]) -> None:
        form = Wallet.form(asked[1], good(counter, asked[1]), presentation_submission="{}", new="1")
        assert counter.post(asked[1], form).status_code == 200

    def test_no_response_is_taken_twice(self, counter: Counter, asked: tuple[Begun, Asked]) -> None:
        form = Wallet.form(asked[1], good(counter, asked[1]))
        assert counter.post(asked[1], form).status_code == 200
        again = counter.post(asked[1], form)
        assert (again.status_code, again.json()["error"]) == (400, "invalid_request")
        assert counter.look(asked[0]).verdicts[0].report.indication is Indication.PASSED

    def test_two_responses_at_once(self, counter: Counter, asked: tuple[Begun, Asked]) -> None:
        """The second was read while the first was not kept yet."""
        form = Wallet.form(asked[1], good(counter, asked[1]))
        before, seen = counter.store.answered, []

        def first(id: str, answer: Any, response_code: str | None) -> bool:
            seen.append(before(id, answer, response_code))
            return before(id, answer, response_code)

        counter.store.answered = first  # type: ignore[method-assign]
        assert counter.post(asked[1], form).status_code == 400
        assert seen == [True]

    @pytest.mark.parametrize("leaving", [True, False])
    def test_a_body_that_stays_away(self, counter: Counter, monkeypatch: pytest.MonkeyPatch, leaving: bool) -> None:
        """Neither a place that is held for ever, nor a bug when the connection ends."""
        monkeypatch.setattr(routes, "BODY_SECONDS", 0.01)
        first = {"type": "http.request", "body": b"response=", "more_body": True}
        sent: list[Any] = []

        async def receive() -> Any:
            if not first:
                return {"type": "http.disconnect"} if leaving else await asyncio.Event().wait()
            message = dict(first)
            first.clear()
            return message

        async def send(message: Any) -> None:
            sent.append(message)

        path = urlsplit(counter.ask()[1].claims["response_uri"]).path
        scope = {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": []}

        async def served() -> None:
            await counter.http.app(scope, receive, send)

        asyncio.run(served())
        assert sent[0]["status"] == 408

    def test_an_unknown_address(self, counter: Counter, asked: tuple[Begun, Asked]) -> None:
        form = Wallet.form(asked[1], good(counter, asked[1]))
        answer = counter.http.post("/openid4vp/responses/unknown", data=form)
        assert_refused(counter, asked[0], answer, 404)

    def test_an_answer_that_comes_too_late(self, counter: Counter, asked: tuple[Begun, Asked]) -> None:
        form = Wallet.form(asked[1], good(counter, asked[1]))
        counter.later(timedelta(minutes=10))
        answer = counter.post(asked[1], form)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
        assert counter.look(asked[0]).state is RequestState.EXPIRED

    def test_browsers_wallets_may_post_from_anywhere(self, counter: Counter, asked: tuple[Begun, Asked]) -> None:
        answer = counter.http.options(asked[1].claims["response_uri"])
        assert answer.status_code == 204
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "POST" in answer.headers["access-control-allow-methods"]


class TestErrors:
    """Section 8.5: the wallet's errors."""

    @pytest.mark.parametrize("mode", [ResponseMode.DIRECT_POST, ResponseMode.DIRECT_POST_JWT])
    @pytest.mark.parametrize(
        "error", ["access_denied", "vp_formats_not_supported", "wallet_unavailable", "invalid_request", "its_own"]
    )
    def test_a_wallet_declines(self, counter: Counter, mode: ResponseMode, error: str) -> None:
        begun, asked = counter.ask(mode=mode)
        state = asked.claims["state"]
        answer = counter.post(asked, {"error": error, "error_description": "no", "state": state})
        assert (answer.status_code, answer.json()) == (200, {})
        progress = counter.look(begun)
        assert (progress.state, progress.error, progress.verdicts) == (RequestState.DECLINED, error, ())

    def test_an_encrypted_error(self, counter: Counter) -> None:
        begun, asked = counter.ask()
        form = Wallet.form(asked, None, error="access_denied")
        assert counter.post(asked, form).status_code == 200
        assert counter.look(begun).error == "access_denied"

    @pytest.mark.parametrize("changes", [{"state": "x"}, {"error": ""}, {"error": 'a"b'}, {"error": "x" * 101}])
    def test_an_error_that_is_none(self, counter: Counter, changes: dict[str, str]) -> None:
        begun, asked = counter.ask()
        form = {"error": "access_denied", "state": asked.claims["state"], **changes}
        assert_refused(counter, begun, counter.post(asked, form))

    def test_an_error_and_a_vp_token(self, counter: Counter) -> None:
        begun, asked = counter.ask(mode=ResponseMode.DIRECT_POST)
        form = Wallet.form(asked, good(counter, asked), error="access_denied")
        assert_refused(counter, begun, counter.post(asked, form))

    def test_nothing_follows_an_error(self, counter: Counter) -> None:
        begun, asked = counter.ask()
        form = Wallet.form(asked, good(counter, asked))
        counter.post(asked, {"error": "access_denied", "state": asked.claims["state"]})
        assert counter.post(asked, form).status_code == 400
        assert counter.look(begun).state is RequestState.DECLINED


class TestEncrypted:
    @pytest.fixture
    def asked(self, counter: Counter) -> tuple[Begun, Asked]:
        return counter.ask()

    @pytest.mark.parametrize("enc", ["A128GCM", "A256GCM"])
    def test_haip_5_both_encs(self, counter: Counter, asked: tuple[Begun, Asked], enc: str) -> None:
        answer = counter.post(asked[1], Wallet.form(asked[1], good(counter, asked[1]), enc=enc))
        assert answer.status_code == 200
        assert counter.look(asked[0]).verdicts[0].report.indication is Indication.PASSED

    def send(self, counter: Counter, asked: Asked, **how: Any) -> Any:
        plain = {"vp_token": good(counter, asked), "state": asked.claims["state"]}
        key = how.pop("key", asked.encryption_key)
        return counter.post(asked, {"response": encrypt(how.pop("plain", json.dumps(plain).encode()), key, **how)})

    def test_8_3_unencrypted_where_it_was_to_be_encrypted(self, counter: Counter, asked: tuple[Begun, Asked]) -> None:
        form = {"vp_token": json.dumps(good(counter, asked[1])), "state": asked[1].claims["state"]}
        assert_refused(counter, asked[0], counter.post(asked[1], form))
        both = {**form, "response": encrypt(b"{}", asked[1].encryption_key or {})}
        assert_refused(counter, asked[0], counter.post(asked[1], both))

    def test_encrypted_to_another_key(self, counter: Counter, asked: tuple[Begun, Asked]) -> None:
        kid = (asked[1].encryption_key or {})["kid"]
        key = AgreementKey.generate().encryption_jwk(kid)
        assert_refused(counter, asked[0], self.send(counter, asked[1], key=key))

    def test_encrypted_to_the_key_of_another_request(self, counter: Counter, asked: tuple[Begun, Asked]) -> None:
        """HAIP 5: keys are ephemeral, one for each request."""
        other = counter.ask()[1].encryption_key
        assert other != asked[1].encryption_key
        assert_refused(counter, asked[0], self.send(counter, asked[1], key=other))

    @pytest.mark.parametrize("header", [{"kid": "another"}, {"zip": "DEF"}], ids=str)
    def test_8_3_the_header(self, counter: Counter, asked: tuple[Begun, Asked], header: dict[str, Any]) -> None:
        assert_refused(counter, asked[0], self.send(counter, asked[1], **header))

    def test_an_enc_that_was_not_offered(self, counter: Counter, asked: tuple[Begun, Asked]) -> None:
        assert_refused(counter, asked[0], self.send(counter, asked[1], enc="A192GCM"))

    @pytest.mark.parametrize("plain", [b"", b"[]", b"x", b'"x"', b'{"a":1,"a":2}'])
    def test_a_plaintext_that_is_no_response(self, counter: Counter, asked: tuple[Begun, Asked], plain: bytes) -> None:
        assert_refused(counter, asked[0], self.send(counter, asked[1], plain=plain))

    @pytest.mark.parametrize("response", ["", "x", "a.b.c.d.e", "a.b.c"])
    def test_a_response_that_is_no_jwe(self, counter: Counter, asked: tuple[Begun, Asked], response: str) -> None:
        assert_refused(counter, asked[0], counter.post(asked[1], {"response": response}))

    @pytest.mark.parametrize("state", [None, "another", 7])
    def test_state_inside(self, counter: Counter, asked: tuple[Begun, Asked], state: Any) -> None:
        form = Wallet.form(asked[1], good(counter, asked[1]), state=state)
        assert_refused(counter, asked[0], counter.post(asked[1], form))

    def test_state_outside_is_not_inside(self, counter: Counter, asked: tuple[Begun, Asked]) -> None:
        form = Wallet.form(asked[1], good(counter, asked[1]), state=None)
        assert_refused(counter, asked[0], counter.post(asked[1], {**form, "state": asked[1].claims["state"]}))

    def test_8_3_vp_token_is_an_object_not_text(self, counter: Counter, asked: tuple[Begun, Asked]) -> None:
        form = Wallet.form(asked[1], json.dumps(good(counter, asked[1])))
        assert_refused(counter, asked[0], counter.post(asked[1], form))


TERMS = Terms("x509_hash:x", ClientIdPrefix.X509_HASH, ResponseMode.DIRECT_POST, "n", "s", "t", None, DcqlQuery(()), {})


@settings(deadline=None, max_examples=150)
@given(body=st.binary(max_size=60) | st.text(max_size=60).map(lambda text: urlencode({"vp_token": text}).encode()))
def test_any_body_is_read_or_refused(body: bytes) -> None:
    try:
        found = read_form(body, FORM)
    except ProtocolRefusal:
        return
    assert all(isinstance(value, str) for value in found.values())


@settings(deadline=None, max_examples=150)
@given(token=st.text(max_size=60) | st.from_regex(r'\{"[a-z]{0,3}": ?\[("[a-z]{0,3}")?\]\}', fullmatch=True))
def test_any_vp_token_is_read_or_refused(token: str) -> None:
    with pytest.raises(ProtocolRefusal):
        read_response({"state": "s", "vp_token": token}, TERMS, None)


def test_time_is_an_argument(counter: Counter) -> None:
    assert counter.begin().expires_at == NOW + timedelta(minutes=10)
