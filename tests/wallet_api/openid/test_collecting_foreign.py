"""Collecting from an issuer of somebody else's making, as the specification has it; and errors told in words."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from keys.envelopes.jws import parse_jws
from tests.wallet_api.openid.foreign_issuer import HOST, ISSUER, LAN, NOW, VCT, Town, json_of, keys_of
from wallet_api.openid.collecting_errors import OAUTH_WORDS, WORDS, Collecting, IssuerRefused
from wallet_api.openid.collecting_store import CollectionState
from wallet_api.openid.held import held_cards, held_page
from wallet_api.openid.outgoing import Answer

METADATA = "/.well-known/openid-credential-issuer/tenant"


@pytest.fixture
def town() -> Town:
    return Town()


class TestAsTheSpecificationHasIt:
    def test_a_whole_collection(self, town: Town) -> None:
        step = town.collect()
        assert step.collection.state is CollectionState.DONE
        (kept,) = town.kept()
        assert kept.type == VCT
        assert kept.names.en == "Student card"
        assert kept.hue == "#12107c"
        assert kept.issuer.en == "Example University"
        assert kept.source == ISSUER
        assert town.events() == ["credential_accepted"]
        page = held_page(town.kept(), held_cards(town.kept())[0], None)
        assert [(row.names.en, row.text) for row in page.rows] == [
            ("family name", "Mustermann"),
            ("First name", "Erika"),
        ]
        assert page.signed
        assert not page.listed

    def test_an_unknown_issuer_is_not_called_known(self, town: Town) -> None:
        looked = town.collector.look(town.collector.begin(LAN, town.issuer.text))
        assert not looked.party.known
        assert looked.party.host == "issuer.example"

    def test_the_key_proof_says_what_it_must(self, town: Town) -> None:
        town.collect()
        (proof,) = town.issuer.told("/credential")[0]["proofs"]["jwt"]
        jws = parse_jws(proof)
        assert jws.header["typ"] == "openid4vci-proof+jwt"
        assert set(jws.header) == {"alg", "typ", "jwk"}
        assert json.loads(jws.payload) == {"aud": ISSUER, "iat": int(NOW.timestamp()), "nonce": "nonce-1"}

    def test_requests_name_a_configuration_where_there_are_no_identifiers(self, town: Town) -> None:
        town.collect()
        (request,) = town.issuer.told("/credential")
        assert request["credential_configuration_id"] == "student"
        assert "credential_identifier" not in request

    def test_and_identifiers_where_there_are(self, town: Town) -> None:
        details = [
            {
                "type": "openid_credential",
                "credential_configuration_id": "student",
                "credential_identifiers": ["a", "b"],
            },
            {"type": "openid_credential", "credential_configuration_id": "other", "credential_identifiers": ["c"]},
        ]
        answer = {"access_token": "t", "token_type": "bearer", "authorization_details": details}
        town.issuer.answers["/token"] = json_of(answer)
        town.collect()
        asked = town.issuer.told("/credential")
        assert [each["credential_identifier"] for each in asked] == ["a", "b"]
        assert all("credential_configuration_id" not in each for each in asked)

    def test_an_issuer_without_a_nonce_endpoint_gets_no_nonce(self, town: Town) -> None:
        del town.issuer.metadata["nonce_endpoint"]
        town.collect()
        (proof,) = town.issuer.told("/credential")[0]["proofs"]["jwt"]
        assert "nonce" not in json.loads(parse_jws(proof).payload)

    @pytest.mark.parametrize(("offered", "taken"), [(2, 2), (5, 5), (100, 5), ("7", 1), (0, 1)])
    def test_a_batch_is_as_large_as_both_allow(self, town: Town, offered, taken) -> None:
        town.issuer.metadata["batch_credential_issuance"] = {"batch_size": offered}
        town.collect()
        (request,) = town.issuer.told("/credential")
        assert len(request["proofs"]["jwt"]) == taken
        assert len({each.key_thumbprint for each in town.kept()}) == taken
        assert len({each.batch for each in town.kept()}) == 1

    def test_fewer_credentials_than_keys_are_fine(self, town: Town) -> None:
        town.issuer.metadata["batch_credential_issuance"] = {"batch_size": 3}
        town.issuer.answers["/credential"] = lambda headers, body: json_of(
            {"credentials": [{"credential": town.issuer.credential(keys_of(body)[1])}]}
        )
        step = town.collect()
        assert len(town.kept()) == 1
        assert town.kept()[0].key_thumbprint not in step.unused

    def test_encrypted_where_the_issuer_insists(self, town: Town) -> None:
        town.issuer.wants_encryption()
        assert town.collect().collection.state is CollectionState.DONE
        sent = next(each for each in town.issuer.asked if each[1] == "/credential")
        assert sent[2]["Content-Type"] == "application/jwt"
        assert b"proofs" not in sent[3]

    def test_not_encrypted_where_it_does_not(self, town: Town) -> None:
        town.issuer.wants_encryption()
        for name in ("request", "response"):
            town.issuer.metadata[f"credential_{name}_encryption"]["encryption_required"] = False
        town.collect()
        assert "credential_response_encryption" not in town.issuer.told("/credential")[0]

    def test_the_server_of_another_host_is_asked_when_the_metadata_name_it(self, town: Town) -> None:
        other = f"{HOST}/as"
        town.issuer.metadata["authorization_servers"] = [other]
        town.issuer.answers["/.well-known/oauth-authorization-server/as"] = json_of(
            {**town.issuer.server, "issuer": other}
        )
        assert town.collect().collection.state is CollectionState.DONE

    def test_a_client_id_is_sent_where_anonymous_access_is_not_supported(self, town: Town) -> None:
        town.issuer.server["pre-authorized_grant_anonymous_access_supported"] = False
        town.collect()
        body = next(each[3] for each in town.issuer.asked if each[1] == "/token")
        assert b"client_id=https%3A%2F%2Fw.example%2Fwallet" in body

    def test_signed_metadata_of_somebody_unknown_is_set_aside(self, town: Town) -> None:
        def answer(headers, body):
            if "application/jwt" in headers["Accept"]:
                return Answer(200, {"content-type": "application/jwt"}, town.issuer.signed_metadata().encode())
            return json_of(town.issuer.metadata)

        town.issuer.answers[METADATA] = answer
        assert not town.collector.look(town.collector.begin(LAN, town.issuer.text)).party.known

    def test_what_the_specification_does_not_name_is_ignored(self, town: Town) -> None:
        for document in (town.issuer.offer, town.issuer.metadata, town.issuer.server, town.issuer.configuration):
            document["unheard_of"] = {"a": [1]}
        assert town.collect().collection.state is CollectionState.DONE


class TestDeferred:
    def test_it_is_asked_again_not_too_soon_and_kept_when_it_is_ready(self, town: Town) -> None:
        town.issuer.waiting = 2
        step = town.collect()
        assert step.collection.state is CollectionState.WAITING
        assert set(step.unused) < set(town.browser.signers), "the keys that are waited for are not thrown away"
        id = step.collection.id
        assert town.collector.cards(LAN)["waiting"][0]["names"].en == "Student card"
        town.collector.check(LAN, id)
        assert town.issuer.told("/deferred") == []
        town.now += timedelta(seconds=6)
        assert town.collector.check(LAN, id).collection.state is CollectionState.WAITING
        town.now += timedelta(days=2)
        done = town.collector.check(LAN, id)
        assert done.collection.state is CollectionState.DONE
        assert len(town.kept()) == 1
        assert [each["transaction_id"] for each in town.issuer.told("/deferred")] == ["t-1", "t-1"]
        assert town.events() == ["credential_accepted"]

    def test_what_is_denied_is_over(self, town: Town) -> None:
        town.issuer.waiting = 2
        step = town.collect()
        town.issuer.answers["/deferred"] = json_of({"error": "credential_request_denied"}, 400)
        town.now += timedelta(seconds=6)
        with pytest.raises(IssuerRefused):
            town.collector.check(LAN, step.collection.id)
        assert town.store.get(LAN, step.collection.id).state is CollectionState.FAILED

    def test_a_token_that_ran_out_is_refreshed(self, town: Town) -> None:
        town.issuer.waiting = 2
        token = {"access_token": "t1", "token_type": "Bearer", "refresh_token": "r1"}
        town.issuer.answers["/token"] = json_of(token)
        step = town.collect()
        town.issuer.answers["/deferred"] = Answer(401, {"www-authenticate": 'Bearer error="invalid_token"'}, b"")
        town.now += timedelta(seconds=6)
        assert town.collector.check(LAN, step.collection.id).collection.state is CollectionState.WAITING
        assert b"refresh_token=r1" in town.issuer.asked[-1][3]


CODES = sorted(OAUTH_WORDS)


@pytest.mark.parametrize("code", [*CODES, "unheard_of"])
def test_every_error_of_the_token_endpoint_is_told_in_words(town: Town, code: str) -> None:
    town.issuer.answers["/token"] = json_of({"error": code, "error_description": "<b>buy</b>"}, 400)
    with pytest.raises(IssuerRefused) as caught:
        town.start()
    assert caught.value.code == code
    assert "buy" not in caught.value.words.en + caught.value.words.zh
    assert caught.value.words.zh != caught.value.words.en


@pytest.mark.parametrize("code", ["invalid_proof", "credential_request_denied", "unknown_credential_configuration"])
def test_every_error_of_the_credential_endpoint_ends_it(town: Town, code: str) -> None:
    town.issuer.answers["/credential"] = json_of({"error": code}, 400)
    step = town.start()
    with pytest.raises(IssuerRefused):
        town.finish(step)
    assert town.store.get(LAN, step.collection.id).state is CollectionState.FAILED
    assert town.store.get(LAN, step.collection.id).told["failure"][0] == code


def test_a_nonce_that_never_holds_is_tried_three_times(town: Town) -> None:
    town.issuer.answers["/credential"] = json_of({"error": "invalid_nonce"}, 400)
    step = town.start()
    for _ in range(2):
        step = town.finish(step)
        assert step.to_sign
    with pytest.raises(IssuerRefused):
        town.finish(step)


@pytest.mark.parametrize(
    "answer", [json_of({"error": "temporarily_unavailable"}, 503), Answer(502, {}, b""), Answer(429, {}, b"")]
)
def test_an_issuer_that_is_busy_may_be_asked_again(town: Town, answer) -> None:
    town.issuer.answers["/token"] = answer
    begun = town.collector.begin(LAN, town.issuer.text)
    keys = town.browser.keys(3)
    with pytest.raises(IssuerRefused):
        town.collector.start(LAN, begun.id, keys)
    del town.issuer.answers["/token"]
    assert town.finish(town.collector.start(LAN, begun.id, keys)).collection.state is CollectionState.DONE


def test_every_problem_is_worded() -> None:
    for problem in Collecting:
        assert WORDS[problem].zh
        assert WORDS[problem].en
