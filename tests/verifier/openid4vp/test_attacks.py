"""What a wallet, or somebody in its place, may try: each named after the MUST that it breaks.

A presentation that is not bound to the request, altered, or not what was asked for is refused to the wallet, and the
counter reads why. What is merely not accepted (revoked, of a rogue issuer) is the counter's business alone.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from keys.x509 import Profile
from tests.verifier.openid4vp.conftest import Counter, credential, mdoc
from tests.verifier.openid4vp.wallet import Asked, Shown, Wallet, b64url, unb64url
from tests.verifier.small_world import DAY, NOW, SEALED, attestation, certificate, sd_jwt, signer
from trust_registry.model import CertificateStatus, TypeRequirement
from verifier.model import Indication, Report
from verifier.openid4vp.model import Progress, RequestState, ResponseMode

MARRIAGE = TypeRequirement(("common/marriage-certificate",), ("holder_name",))  # type: ignore[arg-type]


def report_of(progress: Progress) -> Report:
    (verdict,) = progress.verdicts
    return verdict.report


def refused(outcome: tuple[Any, Progress], code: str) -> None:
    """Refused to the wallet by the specification's JSON; told to the counter as FAILED, with the reason."""
    answer, progress = outcome
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_request"
    assert answer.headers["cache-control"] == "no-store"
    assert progress.state is RequestState.ANSWERED
    report = report_of(progress)
    assert report.indication is Indication.FAILED
    assert code in [finding.code for finding in report.findings if finding.outcome.value == "failed"]


class TestHolderBinding:
    @pytest.fixture
    def asked(self, counter: Counter) -> tuple[Any, Asked]:
        return counter.ask()

    @pytest.mark.parametrize(
        ("shown", "code"),
        [
            (Shown(binding=False), "binding_missing"),
            (Shown(nonce="another"), "binding_replayed"),
            (Shown(audience="x509_san_dns:other.example"), "binding_replayed"),
            (Shown(issued_at=NOW - timedelta(minutes=7)), "binding_old"),
            (Shown(issued_at=NOW + timedelta(minutes=7)), "binding_early"),
            (Shown(kb_header={"typ": "jwt"}), "binding_false"),
            (Shown(kb_claims={"sd_hash": "x" * 43}), "binding_false"),
            (Shown(kb_claims={"iat": "now"}), "binding_false"),
            (Shown(kb_claims={"aud": ["x"]}), "binding_false"),
        ],
        ids=["missing", "nonce", "aud", "old", "future", "typ", "sd_hash", "iat", "aud list"],
    )
    def test_kb_jwt(self, counter: Counter, asked: tuple[Any, Asked], shown: Shown, code: str) -> None:
        refused(counter.shown(*asked, shown), code)

    def test_full_client_identifier_14_7(self, counter: Counter, asked: tuple[Any, Asked]) -> None:
        """The prefix is part of the audience."""
        bare = asked[1].claims["client_id"].partition(":")[2]
        refused(counter.shown(*asked, Shown(audience=bare)), "binding_replayed")

    def test_by_a_key_that_is_not_cnf(self, counter: Counter, asked: tuple[Any, Asked]) -> None:
        query = asked[1].query("sd-jwt")
        text = counter.wallet.with_key(signer("thief")).show_sd_jwt(credential(), query, asked[1])
        answer = counter.post(asked[1], Wallet.form(asked[1], {query["id"]: [text]}))
        refused((answer, counter.look(asked[0])), "binding_false")

    def test_a_credential_without_cnf(self, counter: Counter, asked: tuple[Any, Asked]) -> None:
        refused(counter.shown(*asked, credential=sd_jwt()), "binding_false")

    def test_small_skew_is_forgiven(self, counter: Counter, asked: tuple[Any, Asked]) -> None:
        answer, progress = counter.shown(*asked, Shown(issued_at=NOW + timedelta(seconds=30)))
        assert answer.status_code == 200
        assert report_of(progress).indication is Indication.PASSED

    @pytest.mark.parametrize(
        "shown",
        [
            Shown(nonce="another"),
            Shown(audience="x509_san_dns:other.example"),
            Shown(response_uri="https://other.example/response"),
        ],
        ids=["nonce", "client_id", "response_uri"],
    )
    def test_mdoc_of_another_session(self, counter: Counter, asked: tuple[Any, Asked], shown: Shown) -> None:
        refused(counter.shown_mdoc(*asked, shown), "device_binding_false")

    def test_mdoc_by_another_device(self, counter: Counter, asked: tuple[Any, Asked]) -> None:
        query = asked[1].query("mdoc")
        text = counter.wallet.with_key(signer("thief")).show_mdoc(mdoc(), query, asked[1])
        answer = counter.post(asked[1], Wallet.form(asked[1], {query["id"]: [text]}))
        refused((answer, counter.look(asked[0])), "device_binding_false")

    def test_mdoc_of_another_encryption_key(self, counter: Counter, asked: tuple[Any, Asked]) -> None:
        """The transcript has the thumbprint of the key that the response is encrypted to."""
        other = counter.ask()[1]
        claims = {**asked[1].claims, "client_metadata": other.claims["client_metadata"]}
        query = asked[1].query("mdoc")
        text = counter.wallet.show_mdoc(mdoc(), query, replace(asked[1], claims=claims))
        answer = counter.post(asked[1], Wallet.form(asked[1], {query["id"]: [text]}))
        refused((answer, counter.look(asked[0])), "device_binding_false")

    def test_issuer_signed_alone_is_no_presentation(self, counter: Counter, asked: tuple[Any, Asked]) -> None:
        query = asked[1].query("mdoc")
        answer = counter.post(asked[1], Wallet.form(asked[1], {query["id"]: [b64url(mdoc())]}))
        refused((answer, counter.look(asked[0])), "binding_missing")

    def test_replay_in_another_session(self, counter: Counter, asked: tuple[Any, Asked]) -> None:
        """14.1.2: what was shown for one request is worth nothing for the next."""
        first = asked[1].query("sd-jwt")
        text = counter.wallet.show_sd_jwt(credential(), first, asked[1])
        begun, again = counter.ask()
        answer = counter.post(again, Wallet.form(again, {first["id"]: [text]}))
        refused((answer, counter.look(begun)), "binding_replayed")


class TestIntegrity:
    def test_an_altered_disclosure(self, counter: Counter) -> None:
        begun, asked = counter.ask()
        query = asked.query("sd-jwt")
        text = counter.wallet.show_sd_jwt(credential(), query, asked)
        token, disclosure, binding = text.split("~")
        salt, name, _ = json.loads(unb64url(disclosure))
        forged = b64url(json.dumps([salt, name, "Eve"]).encode())
        answer = counter.post(asked, Wallet.form(asked, {query["id"]: [f"{token}~{forged}~{binding}"]}))
        refused((answer, counter.look(begun)), "damaged")

    def test_a_dropped_claim(self, counter: Counter) -> None:
        """Taken out after the holder signed: the hash of what was presented is another's."""
        begun, asked = counter.ask()
        query = asked.query("sd-jwt")
        token, _, binding = counter.wallet.show_sd_jwt(credential(), query, asked).split("~")
        answer = counter.post(asked, Wallet.form(asked, {query["id"]: [f"{token}~{binding}"]}))
        refused((answer, counter.look(begun)), "binding_false")

    def test_another_issuers_signature(self, counter: Counter) -> None:
        refused(counter.shown(*counter.ask(), credential=credential(by="rogue")), "signature_wrong")

    @pytest.mark.parametrize("text", ["x", "a.b.c~", "~", "YX1:ABC", "YXP:ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"])
    def test_what_is_no_presentation(self, counter: Counter, text: str) -> None:
        begun, asked = counter.ask()
        answer = counter.post(asked, Wallet.form(asked, {asked.query("sd-jwt")["id"]: [text]}))
        assert answer.status_code == 400
        assert report_of(counter.look(begun)).indication is Indication.FAILED

    def test_two_documents_in_one_device_response(self, counter: Counter) -> None:
        """B.2.5: one DeviceResponse per credential."""
        import cbor2

        begun, asked = counter.ask()
        query = asked.query("mdoc")
        response = cbor2.loads(unb64url(counter.wallet.show_mdoc(mdoc(), query, asked)))
        response = {**response, "documents": [*response["documents"], *response["documents"]]}
        answer = counter.post(asked, Wallet.form(asked, {query["id"]: [b64url(cbor2.dumps(response))]}))
        refused((answer, counter.look(begun)), "damaged")

    def test_a_document_without_its_device_response(self, counter: Counter) -> None:
        import cbor2

        begun, asked = counter.ask()
        query = asked.query("mdoc")
        response = cbor2.loads(unb64url(counter.wallet.show_mdoc(mdoc(), query, asked)))
        answer = counter.post(asked, Wallet.form(asked, {query["id"]: [b64url(cbor2.dumps(response["documents"][0]))]}))
        refused((answer, counter.look(begun)), "shown_other_than_asked")


class TestTheQuery:
    """14.8: the verifier does not rely on the wallet to keep to the query."""

    def test_more_than_asked(self, counter: Counter) -> None:
        refused(counter.shown(*counter.ask(), Shown(more=("spouse_name",))), "shown_more_than_asked")

    def test_more_than_asked_in_an_mdoc(self, counter: Counter) -> None:
        refused(counter.shown_mdoc(*counter.ask(), Shown(more=("spouse_name",))), "shown_more_than_asked")

    def test_a_required_claim_withheld(self, counter: Counter) -> None:
        refused(counter.shown(*counter.ask(), Shown(less=("holder_name",))), "shown_less_than_asked")

    def test_a_required_element_withheld(self, counter: Counter) -> None:
        refused(counter.shown_mdoc(*counter.ask(), Shown(less=("holder_name",))), "shown_less_than_asked")

    def test_an_mdoc_without_what_names_its_seal(self, counter: Counter) -> None:
        refused(counter.shown_mdoc(*counter.ask(), Shown(less=("certificate_id",))), "shown_less_than_asked")

    def test_optional_claims_may_be_shown_or_not(self, counter: Counter) -> None:
        needed = TypeRequirement(MARRIAGE.any_of, ("holder_name",), ("spouse_name", "registered_on"))
        counter.world.scenario_requires = (needed,)
        for less in ((), ("spouse_name",), ("registered_on",), ("spouse_name", "registered_on")):
            answer, progress = counter.shown(*counter.ask(), Shown(less=less))
            assert answer.status_code == 200
            assert report_of(progress).indication is Indication.PASSED
        refused(counter.shown(*counter.ask(), Shown(less=("holder_name",))), "shown_less_than_asked")

    def test_a_credential_of_another_type(self, counter: Counter) -> None:
        made = attestation(holder_key=signer("holder").public_key.jwk(), type_id="common/driving-licence")
        refused(counter.shown(*counter.ask(), credential=sd_jwt(made)), "shown_other_than_asked")

    @pytest.mark.parametrize("part", ["sd-jwt", "mdoc"])
    def test_a_credential_of_another_format(self, counter: Counter, part: str) -> None:
        begun, asked = counter.ask()
        if part == "sd-jwt":
            text = counter.wallet.show_mdoc(mdoc(), asked.query("mdoc"), asked)
        else:
            text = counter.wallet.show_sd_jwt(credential(), asked.query("sd-jwt"), asked)
        answer = counter.post(asked, Wallet.form(asked, {asked.query(part)["id"]: [text]}))
        refused((answer, counter.look(begun)), "shown_other_than_asked")

    def test_a_required_credential_missing(self, counter: Counter) -> None:
        """8.6 step 3: the set of presentations satisfies the request, or is rejected."""
        licence = TypeRequirement(("common/driving-licence",), ("holder_name",))  # type: ignore[arg-type]
        counter.world.scenario_requires = (MARRIAGE, licence)
        begun, asked = counter.ask()
        answer, progress = counter.shown(begun, asked)
        assert answer.status_code == 400
        assert report_of(progress).indication is Indication.PASSED  # by itself
        assert [names.en for names in progress.missing] == ["Driving Licence"]


class TestNotAccepted:
    """The wallet did all that it must; the verdict is the counter's."""

    @pytest.mark.parametrize(
        ("status", "code", "indication"),
        [
            (CertificateStatus.INVALID, "status_revoked", Indication.FAILED),
            (CertificateStatus.SUSPENDED, "status_suspended", Indication.INDETERMINATE),
        ],
    )
    @pytest.mark.parametrize("form", ["shown", "shown_mdoc"])
    def test_revoked_and_suspended(
        self, counter: Counter, status: CertificateStatus, code: str, indication: Indication, form: str
    ) -> None:
        counter.status = status
        answer, progress = getattr(counter, form)(*counter.ask())
        assert answer.status_code == 200
        report = report_of(progress)
        assert report.decisive is not None
        assert (report.indication, report.decisive.code) == (indication, code)

    def test_expired(self, counter: Counter) -> None:
        answer, progress = counter.shown(*counter.ask(), credential=credential(valid_until=SEALED + DAY))
        assert answer.status_code == 200
        report = report_of(progress)
        assert report.decisive is not None
        assert report.decisive.code == "expired"

    def test_a_rogue_issuer_with_a_copied_name(self, counter: Counter) -> None:
        """The certificate says the office's name, and no region lists it."""
        made = attestation(holder_key=signer("holder").public_key.jwk())
        shown = certificate("rogue", Profile.SEAL, "990300")
        answer, progress = counter.shown(*counter.ask(), credential=sd_jwt(made, "rogue", shown))
        assert answer.status_code == 200
        assert report_of(progress).indication is not Indication.PASSED

    def test_not_recognised(self, counter: Counter) -> None:
        counter.world.recognises = False
        answer, progress = counter.shown(*counter.ask())
        assert answer.status_code == 200
        report = report_of(progress)
        assert report.decisive is not None
        assert report.decisive.code == "not_recognised"


def test_unencrypted_presentations_are_bound_just_as_well(counter: Counter) -> None:
    begun, asked = counter.ask(mode=ResponseMode.DIRECT_POST)
    refused(counter.shown(begun, asked, Shown(nonce="another")), "binding_replayed")
