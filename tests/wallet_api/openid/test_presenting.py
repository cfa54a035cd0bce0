"""The hall of Xichuan asks for a marriage certificate: what its citizen sees, what the hall gets, what is noted."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from keys.envelopes.base64url import b64url_encode
from keys.envelopes.mdoc import (
    DeviceOutcome,
    check_device_authentication,
    openid4vp_transcript,
    parse_device_response,
)
from keys.envelopes.sd_jwt import KeyBindingOutcome, check_key_binding, parse_sd_jwt
from keys.public_key import PublicKey
from tests.wallet_api.openid.party import MDOC_QUERY, RESPONSE_URI, SD_QUERY, Wallet, decoded
from tests.wallet_api.town import HALL, MARRIAGE_CLAIMS, TRANSFER, ZHOU
from trust_registry.mdoc_attestations import CORE
from wallet_api.openid.outgoing import Answer, NotReached, Unreached
from wallet_api.openid.presenting_service import Choice
from wallet_api.openid.refusals import (
    AnswerRefused,
    ChoiceNotPossible,
    ConfirmationMissing,
    KeysMissing,
    RequestAnswered,
    RequestUnknown,
)
from wallet_api.openid.requester import Standing
from wallet_api.openid.store import RequestState
from wallet_api.openid.tables import RequestRow
from wallet_api.openid.transactions import CONFIRMATION


def presented(wallet: Wallet, query: str = "marriage") -> str:
    presentations = wallet.answered["vp_token"][query]
    assert len(presentations) == 1
    return str(presentations[0])


def test_the_consent_says_who_asks_for_what_and_which_claims(wallet: Wallet) -> None:
    preview = wallet.look(wallet.open())
    requester, offer = preview.requester, preview.offer
    assert requester is not None
    assert requester.standing is Standing.REGISTERED
    assert requester.names.en == "Xichuan Government Hall"
    assert requester.scenario is not None
    assert requester.scenario.id == TRANSFER
    assert offer is not None
    assert offer.answerable
    option = offer.queries["marriage"].options[0]
    least, more = option.claim_sets
    assert {line.value for line in least.lines} == {wallet.town.marriage.certificate_id, "林晓", "周远"}
    assert {line.value for line in more.lines} - {line.value for line in least.lines} == {"女"}


def test_an_sd_jwt_is_bound_to_request_and_reader(wallet: Wallet) -> None:
    wallet.consent(wallet.open())
    sd_jwt = parse_sd_jwt(presented(wallet))
    outcome = check_key_binding(
        sd_jwt,
        nonce="n-0S6_WzA2Mj",
        audience=wallet.party.client_id,
        at=wallet.clock.now,
        max_age=timedelta(minutes=5),
    )
    assert outcome is KeyBindingOutcome.OK
    assert sd_jwt.jws.verified_by(wallet.holdings.signer.public_key)
    assert set(sd_jwt.claims) - {"vct", "cnf"} == {"certificate_id", "holder_name", "spouse_name"}
    assert wallet.answered["state"] == "af0ifjsldkj"
    assert wallet.answered["enc"] == "A256GCM"  # HAIP 1.0: the stronger one, where both are listed


@pytest.mark.parametrize("mode", ["direct_post", "direct_post.jwt"])
def test_an_mdoc_is_bound_to_the_session(wallet: Wallet, mode: str) -> None:
    party = wallet.party
    party.parameters |= {"dcql_query": {"credentials": [MDOC_QUERY]}, "response_mode": mode}
    wallet.consent(wallet.open())
    (mdoc,) = parse_device_response(decoded(presented(wallet)))
    jwk = party.agreement.public_key
    transcript = openid4vp_transcript(
        client_id=party.client_id,
        nonce="n-0S6_WzA2Mj",
        response_uri=RESPONSE_URI,
        encryption_key=decoded(jwk.thumbprint()) if mode == "direct_post.jwt" else None,
    )
    assert check_device_authentication(mdoc, transcript) is DeviceOutcome.OK
    shown = mdoc.issuer_signed.elements()
    assert shown.pop(CORE).keys() == {"certificate_id"}
    assert list(shown.values()) == [{"holder_name": MARRIAGE_CLAIMS["holder_name"]}]


def test_the_citizen_may_show_more_but_never_less(wallet: Wallet) -> None:
    request = wallet.open()
    option = wallet.least(request)["marriage"].option
    wallet.consent(request, {"marriage": Choice(option, 0)})
    assert parse_sd_jwt(presented(wallet)).claims["holder_sex"] == "女"
    again = wallet.open()
    with pytest.raises(ChoiceNotPossible):
        wallet.consent(again, {"marriage": Choice(option, 7)})
    with pytest.raises(ChoiceNotPossible):
        wallet.consent(again, {})
    with pytest.raises(ChoiceNotPossible):
        wallet.consent(again, {"marriage": Choice("c.another", 0)})


def test_two_presentations_have_nothing_in_common_that_joins_them(wallet: Wallet) -> None:
    keys, signatures = set(), set()
    for _ in range(4):
        wallet.consent(wallet.open())
        sd_jwt = parse_sd_jwt(presented(wallet))
        keys.add(json.dumps(sd_jwt.holder_key))
        signatures.add(sd_jwt.jws.signature)
    assert len(keys) == len(signatures) == 4
    assert wallet.holdings.made == 6  # three at a time
    assert [each.used for each in wallet.credentials.of(wallet.lin)].count(1) == 4


def test_what_was_shown_is_in_the_citizens_log(wallet: Wallet) -> None:
    wallet.consent(wallet.open())
    (use,) = wallet.town.service.access_log(wallet.lin)
    assert (use.relying_party_id, use.scenario_id) == (HALL, TRANSFER)
    assert use.claims == ("holder_name", "spouse_name")
    assert use.certificate_id == wallet.town.marriage.certificate_id


def test_a_scenario_without_claim_sets_shows_what_it_asks(wallet: Wallet) -> None:
    query = {k: v for k, v in SD_QUERY.items() if k != "claim_sets"}
    wallet.party.parameters["dcql_query"] = {"credentials": [query]}
    wallet.consent(wallet.open())
    assert parse_sd_jwt(presented(wallet)).claims["holder_sex"] == "女"


def test_values_decide_which_certificate_answers(wallet: Wallet) -> None:
    query = {**SD_QUERY, "claims": [{"path": ["holder_name"], "values": ["周远"]}]}
    del query["claim_sets"]
    wallet.party.parameters["dcql_query"] = {"credentials": [query]}
    offer = wallet.look(wallet.open()).offer
    assert offer is not None
    assert not offer.answerable


def test_what_is_missing_is_said_with_who_gives_it_out(wallet: Wallet) -> None:
    degree = {"id": "d", "format": "dc+sd-jwt", "meta": {"vct_values": ["urn:yinxin:type:common/degree-certificate"]}}
    wallet.party.parameters["dcql_query"] = {"credentials": [SD_QUERY, degree]}
    offer = wallet.look(wallet.open()).offer
    assert offer is not None
    assert not offer.answerable
    assert offer.queries["d"].options == ()
    assert [each.en for each in offer.queries["d"].where] == [
        "Degree Committee of the Institute for Advanced Study in the Humanities, Dongling Normal University"
    ]
    with pytest.raises(ChoiceNotPossible):
        wallet.consent(wallet.open(), confirmed=True)


def test_sets_are_answered_by_one_format_and_optional_ones_not_at_all(wallet: Wallet) -> None:
    spouse = {"path": [MDOC_QUERY["meta"]["doctype_value"], "spouse_name"]}
    mdoc = {**MDOC_QUERY, "id": "as_mdoc", "claims": [*MDOC_QUERY["claims"], spouse]}
    degree = {"id": "d", "format": "mso_mdoc", "meta": {"doctype_value": "org.iso.18013.5.1.mDL"}}
    wallet.party.parameters["dcql_query"] = {
        "credentials": [SD_QUERY, mdoc, degree],
        "credential_sets": [
            {"options": [["marriage"], ["as_mdoc"]]},
            {"options": [["d"]], "required": False},
        ],
    }
    request = wallet.open()
    offer = wallet.look(request).offer
    assert offer is not None
    assert offer.answerable
    assert [each.options for each in offer.sets] == [(("marriage",),), ()]
    wallet.consent(request, {"marriage": wallet.least(request)["marriage"]}, confirmed=True)
    assert set(wallet.answered["vp_token"]) == {"marriage"}


def test_declining_tells_the_reader_and_nothing_else(wallet: Wallet) -> None:
    request = wallet.open()
    wallet.service.decline(wallet.lin, request)
    assert wallet.answered == {"error": "access_denied", "state": "af0ifjsldkj"}
    assert wallet.look(request).state is RequestState.DECLINED
    assert wallet.town.service.access_log(wallet.lin) == ()
    with pytest.raises(RequestAnswered):
        wallet.consent(request, {"marriage": Choice("x", 0)})


def test_the_redirect_of_the_reader_is_followed(wallet: Wallet) -> None:
    go_on = b'{"redirect_uri": "https://hall.xichuan.example/done#response_code=9153"}'
    wallet.wires.answers[RESPONSE_URI] = lambda sent: Answer(200, {"content-type": "application/json"}, go_on)
    answered = wallet.consent(wallet.open())
    assert answered.redirect_uri == "https://hall.xichuan.example/done#response_code=9153"


@pytest.mark.parametrize("uri", ["javascript:alert(1)", "file:///etc/passwd", "data:text/html,x", "intent:x", 7, None])
def test_a_redirect_that_is_no_web_address_is_not_followed(wallet: Wallet, uri: Any) -> None:
    body = json.dumps({"redirect_uri": uri}).encode()
    wallet.wires.answers[RESPONSE_URI] = lambda sent: Answer(200, {"content-type": "application/json"}, body)
    assert wallet.consent(wallet.open()).redirect_uri is None


def test_a_consent_counts_once(wallet: Wallet) -> None:
    """Attack: replayed consent."""
    request = wallet.open()
    signatures = wallet.sign(request, wallet.least(request))
    wallet.service.answer(wallet.lin, request, signatures)
    with pytest.raises(RequestAnswered):
        wallet.service.answer(wallet.lin, request, signatures)
    assert len([each for each in wallet.wires.sent if each.url == RESPONSE_URI]) == 1


def test_another_citizen_cannot_touch_a_request(wallet: Wallet) -> None:
    """Attack: another citizen's pending request."""
    request = wallet.open()
    for attempt in (
        lambda: wallet.service.look(ZHOU, request),
        lambda: wallet.service.decline(ZHOU, request),
        lambda: wallet.service.answer(ZHOU, request, [b""]),
    ):
        with pytest.raises(RequestUnknown):
            attempt()


def test_a_request_is_forgotten_after_ten_minutes(wallet: Wallet) -> None:
    request = wallet.open()
    wallet.clock.forward(minutes=10)
    with pytest.raises(RequestUnknown):
        wallet.look(request)


def test_what_nobody_answered_is_deleted(wallet: Wallet) -> None:
    wallet.open()
    wallet.clock.forward(minutes=19)
    wallet.service.sweep()
    with wallet.town.engine.connect() as connection:
        count = select(func.count()).select_from(RequestRow)
        assert connection.execute(count).scalar_one() == 1
    wallet.clock.forward(minutes=1)
    wallet.service.sweep()
    with wallet.town.engine.connect() as connection:
        assert connection.execute(count).scalar_one() == 0


def test_a_signature_of_another_key_is_never_sent(wallet: Wallet) -> None:
    request = wallet.open()
    signatures = wallet.sign(request, wallet.least(request))
    with pytest.raises(KeysMissing):
        wallet.service.answer(wallet.lin, request, [bytes(64)])
    with pytest.raises(KeysMissing):
        wallet.service.answer(wallet.lin, request, [])
    assert not [each for each in wallet.wires.sent if each.url == RESPONSE_URI]
    wallet.service.answer(wallet.lin, request, signatures)


def test_a_signature_of_five_minutes_ago_is_not_sent(wallet: Wallet) -> None:
    request = wallet.open()
    signatures = wallet.sign(request, wallet.least(request))
    wallet.clock.forward(minutes=6)
    with pytest.raises(KeysMissing):
        wallet.service.answer(wallet.lin, request, signatures)


def test_when_the_reader_cannot_be_reached_nothing_is_lost(wallet: Wallet) -> None:
    request = wallet.open()
    reachable = wallet.wires.answers.pop(RESPONSE_URI)
    with pytest.raises(NotReached):
        wallet.consent(request)
    assert wallet.town.service.access_log(wallet.lin) == ()
    wallet.wires.answers[RESPONSE_URI] = reachable
    wallet.consent(request)
    assert len(wallet.town.service.access_log(wallet.lin)) == 1


def test_an_answer_that_may_have_arrived_is_noted(wallet: Wallet) -> None:
    def slow(_sent: object) -> Answer:
        raise NotReached(Unreached.TOO_SLOW)

    wallet.wires.answers[RESPONSE_URI] = slow
    with pytest.raises(NotReached):
        wallet.consent(wallet.open())
    assert len(wallet.town.service.access_log(wallet.lin)) == 1


def test_a_reader_that_refuses_the_answer_still_saw_it(wallet: Wallet) -> None:
    wallet.wires.answers[RESPONSE_URI] = lambda sent: Answer(400, {}, b'{"error":"invalid_request"}')
    with pytest.raises(AnswerRefused):
        wallet.consent(wallet.open())
    assert len(wallet.town.service.access_log(wallet.lin)) == 1


def test_overasking_is_flagged_and_needs_a_second_yes(wallet: Wallet) -> None:
    """Attack: a registered office asks for more than its scenario needs."""
    query = {**SD_QUERY, "claims": [*SD_QUERY["claims"], {"id": "n", "path": ["identity_number"]}]}
    del query["claim_sets"]
    wallet.party.parameters["dcql_query"] = {"credentials": [query]}
    request = wallet.open()
    requester = wallet.look(request).requester
    assert requester is not None
    assert requester.standing is Standing.OVERASKING
    assert [each.path for each in requester.extras] == [("identity_number",)]
    with pytest.raises(ConfirmationMissing):
        wallet.consent(request)
    wallet.consent(request, confirmed=True)


def test_a_scenario_of_somebody_else_is_overasking(wallet: Wallet) -> None:
    """Attack: a registered office names a scenario that it is not registered for."""
    wallet.party.parameters["verifier_info"][0]["data"]["scenario"] = "990100/school-enrolment"
    requester = wallet.look(wallet.open()).requester
    assert requester is not None
    assert requester.standing is Standing.OVERASKING
    assert requester.scenario is None


def test_without_a_registration_the_scenario_that_fits_is_found(wallet: Wallet) -> None:
    del wallet.party.parameters["verifier_info"]
    requester = wallet.look(wallet.open()).requester
    assert requester is not None
    assert requester.standing is Standing.REGISTERED
    assert requester.scenario is not None
    assert requester.scenario.id == TRANSFER


def test_who_no_list_names_is_named_from_its_certificate_and_needs_a_second_yes(wallet: Wallet) -> None:
    """Attack: an unregistered party asks with a certificate in good order."""
    wallet.view = wallet.town.view
    request = wallet.open()
    requester = wallet.look(request).requester
    assert requester is not None
    assert requester.standing is Standing.UNKNOWN
    assert requester.names.zh == "西川区政务大厅"
    assert requester.host == "hall.xichuan.example"
    with pytest.raises(ConfirmationMissing):
        wallet.consent(request)
    wallet.consent(request, confirmed=True)
    (use,) = wallet.town.service.access_log(wallet.lin)
    assert use.relying_party_id == "hall.xichuan.example"


def transaction(**members: Any) -> str:
    content = {
        "type": CONFIRMATION,
        "credential_ids": ["marriage"],
        "zh": "同意迁移户口",
        "en": "I agree to the transfer",
    }
    return b64url_encode(json.dumps(content | members).encode()).decode()


def test_a_transaction_is_read_out_and_confirmed_with_the_key(wallet: Wallet) -> None:
    encoded = transaction()
    wallet.party.parameters["transaction_data"] = [encoded]
    request = wallet.open()
    asked = wallet.look(request).asked
    assert asked is not None
    assert asked.transactions[0].words.zh == "同意迁移户口"
    wallet.consent(request)
    binding = parse_sd_jwt(presented(wallet)).key_binding
    assert binding is not None
    digest = b64url_encode(hashlib.sha256(encoded.encode()).digest()).decode()
    assert json.loads(binding.payload)["transaction_data_hashes"] == [digest]


def test_a_key_in_another_browser_is_asked_for_anew(wallet: Wallet) -> None:
    wallet.consent(wallet.open())
    wallet.browser.keys.clear()
    wallet.consent(wallet.open())
    assert wallet.holdings.made == 6


def test_keys_that_are_none_are_refused(wallet: Wallet) -> None:
    request = wallet.open()
    good = wallet.browser.make(1)[0]
    private = {**good, "d": "AA"}
    for key in (private, {}, {"kty": "oct", "k": "AA"}):
        with pytest.raises(KeysMissing):
            wallet.service.prepare(
                wallet.lin, request, wallet.least(request), keys=[key], thumbprints=[], confirmed=False
            )
    assert PublicKey.from_jwk(good)
