"""Credentials that a clerk has to approve first: OpenID4VCI 1.0 sections 8.3 and 9."""

from __future__ import annotations

import json
from typing import Any

import pytest

from issuer.errors import PublicationDelayed
from issuer.openid4vci.credentials import INTERVAL
from issuer.openid4vci.deferred import LIFE, MOST_WAITING, Deferrals, DeferredState, WalletRefusal
from issuer.openid4vci.errors import ProtocolRefusal
from keys.envelopes.base64url import b64url_decode
from keys.envelopes.jwe import AgreementKey, decrypt_jwe
from keys.envelopes.mdoc import parse_mdoc
from keys.envelopes.sd_jwt import parse_sd_jwt
from tests.issuer.office import MARRIAGE, OFFICE, OTHER_OFFICE
from tests.issuer.openid4vci.credential_world import MDOC, Issuing, error_of, new_key
from tests.issuer.openid4vci.test_credential_encryption import ask as ask_sealed
from tests.issuer.openid4vci.test_credential_encryption import wanted
from trust_registry.edges import AccountId

OFFICER = AccountId("officer-chen")


class Asked:
    """A request that waits: the wallet's token, keys and transaction, and the desk's side of it."""

    def __init__(self, issuing: Issuing, count: int = 1, configuration: str | None = None) -> None:
        self.issuing = issuing
        issuing.under_dual_control()  # while the certificate is issued, so that no story needs two clerks
        self.certificate = issuing.certificate()
        issuing.under_dual_control(MARRIAGE)
        self.token = issuing.token(self.certificate, approved=False)["access_token"]
        self.keys = [new_key() for _ in range(count)]
        nonce = issuing.nonce()
        proofs = {"jwt": [issuing.proof(key, nonce=nonce) for key in self.keys]}
        names = {} if configuration is None else {"configuration": configuration}
        self.answer = issuing.ask(self.token, issuing.request(**names, proofs=proofs))
        assert self.answer.status_code == 202, self.answer.text
        self.transaction = self.answer.json()["transaction_id"]
        self.deferrals: Deferrals = issuing.service.credentials.deferrals
        of_office = self.deferrals.of_office(OFFICE)
        self.id = next(each.id for each in of_office if each.certificate_id == self.certificate[0])

    def collect(self, token: str | None = None, **more: Any) -> Any:
        return self.issuing.ask(
            token or self.token, {"transaction_id": self.transaction, **more}, "deferred_credential"
        )


def test_what_waits_for_a_clerk_is_accepted_with_a_transaction(issuing: Issuing) -> None:
    asked = Asked(issuing)
    assert asked.answer.headers["cache-control"] == "no-store"
    assert asked.answer.json() == {"transaction_id": asked.transaction, "interval": INTERVAL}


def test_what_a_clerk_handed_out_does_not_wait(issuing: Issuing) -> None:
    made = issuing.certificate()
    issuing.under_dual_control(MARRIAGE)
    token = issuing.token(made, approved=True)["access_token"]
    assert issuing.ask(token, issuing.request()).status_code == 200


def test_what_takes_one_clerk_does_not_wait(issuing: Issuing) -> None:
    token = issuing.token(approved=False)["access_token"]
    assert issuing.ask(token, issuing.request()).status_code == 200


def test_until_it_is_decided_the_same_transaction_comes_back(issuing: Issuing) -> None:
    asked = Asked(issuing)
    for _ in range(2):
        answer = asked.collect()
        assert (answer.status_code, answer.headers["content-type"]) == (202, "application/json")
        assert answer.json() == {"transaction_id": asked.transaction, "interval": INTERVAL}


def test_approved_credentials_are_collected_for_the_keys_that_were_proven(issuing: Issuing) -> None:
    asked = Asked(issuing, count=3)
    assert asked.deferrals.approve(asked.id, OFFICER)
    answer = asked.collect()
    assert (answer.status_code, set(answer.json())) == (200, {"credentials"})
    made = [json.loads(parse_sd_jwt(each["credential"]).jws.payload) for each in answer.json()["credentials"]]
    assert [each["cnf"]["jwk"] for each in made] == [key.public_key.jwk() for key in asked.keys]


def test_an_approved_mdoc_is_collected_as_one(issuing: Issuing) -> None:
    asked = Asked(issuing, configuration=MDOC)
    asked.deferrals.approve(asked.id, OFFICER)
    (made,) = asked.collect().json()["credentials"]
    mdoc = parse_mdoc(b64url_decode(made["credential"].encode()))
    assert mdoc.mso.device_key == asked.keys[0].public_key.jwk()


def test_a_transaction_is_invalid_once_the_credential_was_obtained(issuing: Issuing) -> None:
    asked = Asked(issuing)
    asked.deferrals.approve(asked.id, OFFICER)
    assert asked.collect().status_code == 200
    assert error_of(asked.collect()) == "invalid_transaction_id"


def test_a_refused_request_is_denied_every_time(issuing: Issuing) -> None:
    asked = Asked(issuing)
    assert asked.deferrals.refuse(asked.id, OFFICER, WalletRefusal.NOT_THE_HOLDER)
    for _ in range(2):
        assert error_of(asked.collect()) == "credential_request_denied"
    assert "holder" not in asked.collect().text


def test_an_unknown_transaction_is_refused(issuing: Issuing) -> None:
    asked = Asked(issuing)
    for invented in ("8xLOxBtZp8", "", "é", asked.id, asked.transaction + "x"):
        asked.transaction = invented
        assert error_of(asked.collect()) == "invalid_transaction_id"


@pytest.mark.parametrize("transaction", [None, 7, ["x"], {"x": 1}])
def test_a_missing_transaction_is_an_invalid_request(issuing: Issuing, transaction: Any) -> None:
    token = issuing.token()["access_token"]
    answer = issuing.ask(token, {"transaction_id": transaction}, "deferred_credential")
    assert error_of(answer) == "invalid_credential_request"


def test_another_wallets_transaction_is_refused(issuing: Issuing) -> None:
    asked = Asked(issuing)
    asked.deferrals.approve(asked.id, OFFICER)
    issuing.under_dual_control()
    assert error_of(asked.collect(issuing.token()["access_token"])) == "invalid_transaction_id"
    assert asked.collect().status_code == 200


def test_nobody_collects_without_a_token(issuing: Issuing) -> None:
    asked = Asked(issuing)
    assert error_of(asked.collect("invented"), 401) == "invalid_token"


def test_what_was_revoked_meanwhile_is_denied(issuing: Issuing) -> None:
    asked = Asked(issuing)
    asked.deferrals.approve(asked.id, OFFICER)
    issuing.office.revoke(asked.certificate[0])
    for _ in range(2):
        assert error_of(asked.collect()) == "credential_request_denied"


def test_nobody_is_asked_about_what_does_not_stand(issuing: Issuing) -> None:
    made = issuing.certificate()
    issuing.under_dual_control(MARRIAGE)
    token = issuing.token(made, approved=False)["access_token"]
    issuing.office.revoke(made[0])
    assert error_of(issuing.ask(token, issuing.request())) == "credential_request_denied"


def test_a_failure_while_collecting_leaves_it_to_be_collected(
    issuing: Issuing, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Asked(issuing)
    asked.deferrals.approve(asked.id, OFFICER)

    def failing(*_: object) -> None:
        raise PublicationDelayed("https://east.example/status/1")

    with monkeypatch.context() as patch:
        patch.setattr(type(issuing.service.credentials.copies), "make", failing)
        assert error_of(asked.collect(), 503) == "temporarily_unavailable"
    assert asked.collect().status_code == 200


def test_the_response_encryption_of_the_deferred_request_counts(issuing: Issuing) -> None:
    """Section 9.1: whatever was sent in the initial request; and the request must be encrypted then."""
    asked, key = Asked(issuing), AgreementKey.generate()
    request = {"transaction_id": asked.transaction, "credential_response_encryption": wanted(key)}
    assert error_of(asked.collect(credential_response_encryption=wanted(key))) == "invalid_encryption_parameters"
    still = ask_sealed(issuing, asked.token, request, "deferred_credential")
    assert (still.status_code, still.headers["content-type"]) == (202, "application/jwt")
    assert json.loads(decrypt_jwe(still.text, key)[1])["interval"] == INTERVAL
    asked.deferrals.approve(asked.id, OFFICER)
    done = ask_sealed(issuing, asked.token, request, "deferred_credential")
    assert len(json.loads(decrypt_jwe(done.text, key)[1])["credentials"]) == 1


def test_a_wallet_can_not_fill_the_desk(issuing: Issuing) -> None:
    asked = Asked(issuing)
    for _ in range(MOST_WAITING - 1):
        assert issuing.ask(asked.token, issuing.request()).status_code == 202
    assert error_of(issuing.ask(asked.token, issuing.request())) == "credential_request_denied"


# The desk's side


def test_the_desk_sees_who_asks_for_what_and_each_is_decided_once(issuing: Issuing) -> None:
    before = issuing.service.credentials.deferrals.waiting(OFFICE)
    asked = Asked(issuing, count=2)
    found = asked.deferrals.one(asked.id, OFFICE)
    assert found is not None
    assert (found.certificate_id, found.holder_id, found.key_count) == (*asked.certificate, 2)
    assert asked.deferrals.waiting(OFFICE) == before + 1
    assert asked.deferrals.approve(asked.id, OFFICER)
    assert not asked.deferrals.approve(asked.id, OFFICER)
    assert not asked.deferrals.refuse(asked.id, OFFICER, WalletRefusal.DUPLICATE)
    assert asked.deferrals.waiting(OFFICE) == before


def test_another_office_sees_none_of_it(issuing: Issuing) -> None:
    asked = Asked(issuing)
    assert asked.deferrals.one(asked.id, OTHER_OFFICE) is None
    assert asked.deferrals.of_office(OTHER_OFFICE) == ()
    assert asked.deferrals.waiting(OTHER_OFFICE) == 0


def test_the_wallets_keys_go_when_it_is_over(issuing: Issuing) -> None:
    refused, collected = Asked(issuing), Asked(issuing)
    refused.deferrals.refuse(refused.id, OFFICER, WalletRefusal.DUPLICATE)
    collected.deferrals.approve(collected.id, OFFICER)
    collected.collect()
    for each, state in ((refused, DeferredState.REFUSED), (collected, DeferredState.COLLECTED)):
        found = each.deferrals.one(each.id, OFFICE)
        assert found is not None
        assert (found.state, found.keys) == (state, ())


def test_the_transaction_is_kept_as_a_digest_only(issuing: Issuing) -> None:
    asked = Asked(issuing)
    with issuing.office.engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM issuer_openid_deferred").all()
    assert rows
    assert asked.transaction not in repr(rows)


def test_what_nobody_decides_runs_out_and_is_forgotten(issuing: Issuing) -> None:
    asked = Asked(issuing)
    issuing.office.clock.turn(LIFE)
    assert asked.deferrals.waiting(OFFICE) == 0
    assert asked.id not in {each.id for each in asked.deferrals.of_office(OFFICE)}
    issuing.office.clock.turn(LIFE)
    assert asked.deferrals.expire() > 0
    assert asked.deferrals.one(asked.id, OFFICE) is None


def test_a_transaction_that_ran_out_is_invalid(issuing: Issuing) -> None:
    asked = Asked(issuing)
    grant = issuing.service.tokens.authorise(issuing.tenant, f"Bearer {asked.token}", None, "POST", "")
    issuing.office.clock.turn(LIFE)
    with pytest.raises(ProtocolRefusal) as refused:
        asked.deferrals.find(asked.transaction, grant)
    assert refused.value.error == "invalid_transaction_id"
