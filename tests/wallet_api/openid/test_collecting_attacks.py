"""Issuers that lie, and offers that lead astray: nothing of what they say or send is kept."""

from __future__ import annotations

import json

import pytest

from keys.algorithms import ES256
from keys.signer import EphemeralSigner
from tests.wallet_api.openid.foreign_issuer import HOST, ISSUER, LAN, NOW, PRE, Town, json_of, keys_of
from wallet_api.openid.collecting_errors import Collecting
from wallet_api.openid.outgoing import Answer, NotReached, Unreached

BEARER = {"access_token": "t", "token_type": "bearer"}
PROOFS = {"proof_signing_alg_values_supported": ["ES256"]}
METADATA = "/.well-known/openid-credential-issuer/tenant"


@pytest.fixture
def town() -> Town:
    return Town()


class TestAttacks:
    @pytest.mark.parametrize(
        "text",
        ["", "YXP:abc", "https://example.org/", "openid-credential-offer://", "openid4vp://?request_uri=https://a.example",
         "openid-credential-offer://?credential_offer={}", "openid-credential-offer://?credential_offer=[1]",
         "openid-credential-offer://?credential_offer={}&credential_offer_uri=https://a.example",
         "openid-credential-offer://?credential_offer_uri=https://a.example&credential_offer_uri=https://b.example",
         "javascript:?credential_offer={}", "openid-credential-offer://?credential_offer=" + "[" * 5000],
    )  # fmt: skip
    def test_what_is_no_offer(self, town: Town, text: str) -> None:
        assert town.refused(lambda: town.collector.begin(LAN, text)) is Collecting.NOT_AN_OFFER
        assert town.issuer.asked == []

    @pytest.mark.parametrize(
        "changes",
        [{"credential_issuer": None}, {"credential_issuer": "ftp://a.example"}, {"credential_issuer": f"{ISSUER}?a=b"},
         {"credential_issuer": f"{ISSUER}#a"}, {"credential_issuer": "https://u@a.example"},
         {"credential_configuration_ids": []}, {"credential_configuration_ids": ["a", "a"]},
         {"credential_configuration_ids": [1]}, {"credential_configuration_ids": "student"}, {"grants": []},
         {"grants": {PRE: {}}}, {"grants": {PRE: {"pre-authorized_code": "a", "tx_code": 1}}},
         {"grants": {"authorization_code": {"issuer_state": 1}}}],
    )  # fmt: skip
    def test_an_offer_that_breaks_the_specification(self, town: Town, changes) -> None:
        town.issuer.offer |= changes
        assert town.refused() is Collecting.NOT_AN_OFFER

    def test_metadata_of_another_issuer_than_the_offer_named(self, town: Town) -> None:
        town.issuer.metadata["credential_issuer"] = f"{ISSUER}/"
        assert town.refused() is Collecting.METADATA_OF_ANOTHER

    def test_a_server_that_names_itself_otherwise(self, town: Town) -> None:
        town.issuer.server["issuer"] = "https://attacker.example"
        assert town.refused() is Collecting.METADATA_OF_ANOTHER

    def test_an_offer_that_hints_at_a_server_which_is_not_the_issuers(self, town: Town) -> None:
        grant = next(iter(town.issuer.offer["grants"].values()))
        grant["authorization_server"] = "https://attacker.example"
        assert town.refused() is Collecting.SERVER_UNKNOWN

    def test_a_configuration_that_is_not_there(self, town: Town) -> None:
        town.issuer.offer["credential_configuration_ids"] = ["other"]
        assert town.refused() is Collecting.NOT_OFFERED_THERE

    @pytest.mark.parametrize(
        "changes",
        [{"format": "jwt_vc_json"}, {"proof_types_supported": None}, {"proof_types_supported": {"attestation": {}}},
         {"proof_types_supported": {"jwt": {"proof_signing_alg_values_supported": ["EdDSA"]}}},
         {"cryptographic_binding_methods_supported": ["did:key"]},
         {"proof_types_supported": {"jwt": {**PROOFS, "key_attestations_required": {}}}}],
    )  # fmt: skip
    def test_what_this_wallet_can_not_keep(self, town: Town, changes) -> None:
        town.issuer.configuration |= changes
        assert town.refused() is Collecting.NOTHING_TO_KEEP

    @pytest.mark.parametrize("changes", [{"sub": "https://attacker.example"}, {"iat": None}, {"exp": 1}])
    def test_signed_metadata_that_do_not_hold(self, town: Town, changes) -> None:
        token = town.issuer.signed_metadata(**changes).encode()
        town.issuer.answers[METADATA] = Answer(200, {"content-type": "application/jwt"}, token)
        assert town.refused() in (Collecting.METADATA_OF_ANOTHER, Collecting.METADATA_ALTERED)

    def test_signed_metadata_that_were_altered(self, town: Town) -> None:
        head, _, signature = town.issuer.signed_metadata().split(".")
        token = ".".join((head, town.issuer.signed_metadata(a=1).split(".")[1], signature)).encode()
        town.issuer.answers[METADATA] = Answer(200, {"content-type": "application/jwt"}, token)
        assert town.refused() is Collecting.METADATA_ALTERED

    @pytest.mark.parametrize(
        ("how", "problem"),
        [({"claims": {"vct": "https://attacker.example/other"}}, Collecting.CREDENTIAL_OF_ANOTHER_TYPE),
         ({"claims": {"exp": int(NOW.timestamp())}}, Collecting.CREDENTIAL_EXPIRED),
         ({"claims": {"exp": "never"}}, Collecting.CREDENTIAL_EXPIRED),
         ({"header": {"typ": "JWT"}}, Collecting.CREDENTIAL_UNREADABLE),
         ({"header": {"x5c": ["AAAA"]}}, Collecting.CREDENTIAL_UNREADABLE),
         ({"key": EphemeralSigner.generate(ES256).public_key.jwk()}, Collecting.CREDENTIAL_FOR_ANOTHER_KEY),
         ({"signer": EphemeralSigner.generate(ES256)}, Collecting.CREDENTIAL_ALTERED),
         ({"alter_credential": lambda text: text + "WyJhIiwiYiIsMV0~"}, Collecting.CREDENTIAL_UNREADABLE),
         ({"alter_credential": lambda text: text[:-1]}, Collecting.CREDENTIAL_UNREADABLE),
         ({"alter_credential": lambda text: {"a": text}}, Collecting.CREDENTIAL_UNREADABLE),
         ({"alter_credential": lambda text: ""}, Collecting.CREDENTIAL_UNREADABLE)],
    )  # fmt: skip
    def test_a_credential_that_is_not_what_was_asked_for(self, town: Town, how, problem) -> None:
        for name, value in how.items():
            setattr(town.issuer, name, value)
        assert town.refused() is problem
        assert town.events() == ["credential_failure"]

    def test_one_key_twice_in_a_batch(self, town: Town) -> None:
        town.issuer.metadata["batch_credential_issuance"] = {"batch_size": 2}
        town.issuer.answers["/credential"] = lambda headers, body: json_of(
            {"credentials": [{"credential": town.issuer.credential(keys_of(body)[0])}] * 2}
        )
        assert town.refused() is Collecting.CREDENTIAL_FOR_ANOTHER_KEY

    def test_more_credentials_than_keys(self, town: Town) -> None:
        town.issuer.answers["/credential"] = lambda headers, body: json_of(
            {"credentials": [{"credential": town.issuer.credential(keys_of(body)[0])}] * 2}
        )
        assert town.refused() is Collecting.ANSWER_UNREADABLE

    def test_a_mended_second_credential_does_not_save_a_spoilt_first(self, town: Town) -> None:
        """All or nothing, also across requests."""
        detail = {"type": "openid_credential", "credential_configuration_id": "student"}
        details = [{**detail, "credential_identifiers": ["a", "b"]}]
        token = {"access_token": "t", "token_type": "bearer", "authorization_details": details}
        town.issuer.answers["/token"] = json_of(token)

        def second_is_spoilt(headers, body):
            good = json.loads(body)["credential_identifier"] == "a"
            town.issuer.claims = {} if good else {"vct": "other"}
            return json_of(
                {"credentials": [{"credential": town.issuer.credential(keys_of(body)[0])}], "notification_id": "n"}
            )

        town.issuer.answers["/credential"] = second_is_spoilt
        assert town.refused() is Collecting.CREDENTIAL_OF_ANOTHER_TYPE
        assert set(town.events()) == {"credential_failure"}

    def test_an_answer_that_should_be_encrypted_and_is_not(self, town: Town) -> None:
        town.issuer.wants_encryption()
        town.issuer.answers["/credential"] = json_of({"credentials": [{"credential": "a"}]})
        assert town.refused() is Collecting.ANSWER_UNREADABLE

    def test_response_encryption_without_request_encryption_could_be_swapped_by_others(self, town: Town) -> None:
        town.issuer.wants_encryption()
        del town.issuer.metadata["credential_request_encryption"]
        assert town.refused() is Collecting.ENCRYPTION_UNKNOWN

    @pytest.mark.parametrize(
        "answer",
        [json_of({}), json_of([]), json_of({"access_token": "t"}), json_of({"access_token": "t", "token_type": "mac"}),
         json_of({**BEARER, "access_token": "a\nb"}), json_of({**BEARER, "access_token": "é"}),
         json_of({"access_token": "t", "token_type": "DPoP"}), Answer(200, {"content-type": "application/json"}, b"{"),
         Answer(200, {"content-type": "text/html"}, b"{}"), json_of({**BEARER, "authorization_details": []})],
    )  # fmt: skip
    def test_a_token_response_that_can_not_be_used(self, town: Town, answer) -> None:
        town.issuer.answers["/token"] = answer
        assert town.refused() is Collecting.ANSWER_UNREADABLE

    def test_an_answer_beyond_all_bounds(self, town: Town) -> None:
        town.issuer.answers[METADATA] = Answer(200, {"content-type": "application/json"}, bytes(2 << 20))
        with pytest.raises(NotReached) as caught:
            town.collect()
        assert caught.value.reason is Unreached.TOO_LARGE

    def test_metadata_as_a_page_of_html(self, town: Town) -> None:
        town.issuer.answers[METADATA] = Answer(200, {"content-type": "text/html"}, b"<p>")
        assert town.refused() is Collecting.METADATA_UNREADABLE

    def test_names_can_not_rewrite_a_page(self, town: Town) -> None:
        town.issuer.metadata["display"] = [{"name": "\u202eecilop\n\x00" + "x" * 500}]
        name = town.collector.look(town.collector.begin(LAN, town.issuer.text)).party.names.zh
        assert name.isprintable()
        assert len(name) <= 80

    def test_an_offer_by_reference_of_another_media_type(self, town: Town) -> None:
        """ "MUST NOT use application/jwt" (section 4.1.3)."""
        town.issuer.answers["/offer"] = Answer(
            200, {"content-type": "application/jwt"}, json.dumps(town.issuer.offer).encode()
        )
        text = f"openid-credential-offer://?credential_offer_uri={HOST}/offer"
        assert town.refused(lambda: town.collector.begin(LAN, text)) is Collecting.OFFER_GONE
