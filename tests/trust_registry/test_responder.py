"""The responder: what a region's list says of a certificate, in the words of OCSP and CRL; and when it says nothing."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from keys import der as asn1
from keys.algorithms import ES256
from keys.errors import MalformedRevocation
from keys.revocation import (
    CertificateState,
    Reason,
    certificate_standing,
    make_ocsp_request,
    parse_crl,
    parse_ocsp_response,
)
from keys.signer import EphemeralSigner
from keys.x509 import Profile
from tests.keys.conftest import SINCE, make_region
from trust_registry.model import (
    EntryReason,
    EntryStatus,
    IssuerEntry,
    IssuerId,
    KeyEntry,
    KeyUse,
    ListKind,
    Names,
    RegionCode,
    RegionList,
    SealEntry,
    SealId,
    StatusChange,
    TrustView,
)
from trust_registry.responder import OCSP_LIFE, Responder, ResponderKey
from trust_registry.responder_routes import responder_router

NOW = datetime(2026, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)
CODE = RegionCode("990100")
NAMES = Names("东岭", "Dongling")
REGION, STRANGER = make_region(), make_region(name="西川市")
SIGNER, RESPONDER_SIGNER = EphemeralSigner.generate(ES256), EphemeralSigner.generate(ES256)
SEAL, UNLISTED = REGION.certify(Profile.SEAL, SIGNER), REGION.certify(Profile.SEAL, SIGNER)
RESPONDER_CERTIFICATE = REGION.certify(Profile.OCSP, RESPONDER_SIGNER)
GRANTED = StatusChange(EntryStatus.GRANTED, SINCE, EntryReason.INITIAL)
KEY = ResponderKey(RESPONDER_SIGNER, RESPONDER_CERTIFICATE, REGION.signer)


def entry(use, certificate, *history):
    return KeyEntry(use, certificate.der, certificate.thumbprint, (GRANTED, *history))


def region_list(*key_history, seal_history=(), version=1):
    seal = SealEntry(
        SealId("990100/office/99010000000001"),
        NAMES,
        "sha256:00",
        (),
        SINCE,
        SINCE + 900 * DAY,
        entry(KeyUse.SEAL, SEAL, *key_history),
        (GRANTED, *seal_history),
    )
    issuer = IssuerEntry(
        IssuerId("990100/office"), NAMES, "11990100MB00000013", (), (seal,), (), "https://x/", NAMES, (GRANTED,)
    )
    ca = entry(KeyUse.CA, REGION.ca)
    return RegionList(CODE, ListKind.REGION, NAMES, NAMES, version, SINCE, authorities=(ca,), attests=(issuer,))


def view(*key_history, expires_at=NOW + 7 * DAY, **more):
    return TrustView({CODE: region_list(*key_history, **more)}, {}, {}, NOW, expires_at)


class World:
    """A responder whose list and clock can be changed."""

    def __init__(self, found=None, key=KEY):
        self.view, self.now = found or view(), NOW
        self.responder = Responder({CODE: key}, lambda: self.view, lambda: self.now)

    def ask(self, certificate=SEAL, issuer=REGION.ca, digest="sha1"):
        return self.responder.answer(make_ocsp_request(certificate, issuer, digest)).der

    def standing(self, certificate=SEAL):
        """By its OCSP answer and by its CRL: they say the same, but of what the list does not know."""
        by_ocsp = certificate_standing(certificate, REGION.ca, [parse_ocsp_response(self.ask(certificate))], self.now)
        crl = parse_crl(self.responder.crl(CODE).der)
        by_crl = certificate_standing(certificate, REGION.ca, [crl], self.now)
        if by_ocsp.state is not CertificateState.UNKNOWN:
            facts = [(s.state, s.revoked_at, s.invalidity_date, s.reason) for s in (by_ocsp, by_crl)]
            assert facts[0] == facts[1]
        return by_ocsp


def change(status, reason, at=NOW - DAY, doubted=None):
    return StatusChange(status, at, reason, doubted)


class TestAnswers:
    def test_granted_is_good(self):
        found = World().standing()
        assert (found.state, found.next_update) == (CertificateState.GOOD, NOW + OCSP_LIFE)

    def test_what_the_list_does_not_name_is_unknown(self):
        assert World().standing(UNLISTED).state is CertificateState.UNKNOWN

    @pytest.mark.parametrize(
        ("said", "reason"),
        [
            (EntryReason.KEY_ROLLOVER, Reason.SUPERSEDED),
            (EntryReason.REORGANISATION, Reason.AFFILIATION_CHANGED),
            (EntryReason.BREACH_OF_DUTY, Reason.PRIVILEGE_WITHDRAWN),
            (EntryReason.CESSATION, Reason.CESSATION_OF_OPERATION),
        ],
    )
    def test_withdrawn_is_revoked(self, said, reason):
        found = World(view(change(EntryStatus.WITHDRAWN, said))).standing()
        assert found.state is CertificateState.REVOKED
        assert (found.revoked_at, found.invalidity_date) == (NOW - DAY, None)
        assert found.reason is reason

    def test_compromised_is_doubted_from_the_day_the_list_says(self):
        stolen = change(EntryStatus.WITHDRAWN, EntryReason.KEY_COMPROMISE, doubted=NOW - 9 * DAY)
        found = World(view(stolen)).standing()
        assert (found.reason, found.invalidity_date) == (Reason.KEY_COMPROMISE, NOW - 9 * DAY)

    def test_a_seal_withdrawn_takes_its_certificate_with_it(self):
        gone = change(EntryStatus.WITHDRAWN, EntryReason.CESSATION)
        assert World(view(seal_history=(gone,))).standing().state is CertificateState.REVOKED

    def test_suspended_is_on_hold_and_reinstated_is_good_again(self):
        held = change(EntryStatus.SUSPENDED, EntryReason.REORGANISATION)
        world = World(view(held))
        assert world.standing().state is CertificateState.ON_HOLD
        world.view = view(held, change(EntryStatus.GRANTED, EntryReason.REINSTATED, at=NOW), version=2)
        assert world.standing().state is CertificateState.GOOD

    def test_what_is_announced_for_later_is_not_said_before(self):
        later = change(EntryStatus.WITHDRAWN, EntryReason.CESSATION, at=NOW + DAY)
        world = World(view(later))
        assert world.standing().state is CertificateState.GOOD
        world.now = NOW + DAY
        assert world.standing().state is CertificateState.REVOKED

    def test_a_nonce_comes_back(self):
        request = make_ocsp_request(SEAL, REGION.ca)
        nonce = asn1.octets(b"n" * 16)
        extension = asn1.sequence(asn1.oid("1.3.6.1.5.5.7.48.1.2"), asn1.octets(nonce))
        ((_, _, start, end),) = asn1.elements(request)
        ((_, _, start, end),) = asn1.elements(request, start, end)
        asked = asn1.sequence(asn1.sequence(request[start:end], asn1.tlv(0xA2, asn1.sequence(extension))))
        answered = World().responder.answer(asked)
        assert parse_ocsp_response(answered.der).nonce == nonce
        assert answered.next_update is None


class TestRefusals:
    def refusal(self, world, **asked):
        answered = world.ask(**asked)
        with pytest.raises(MalformedRevocation):
            parse_ocsp_response(answered)
        return answered[-1]

    def test_of_another_ca_it_says_nothing(self):
        certificate = STRANGER.certify(Profile.SEAL, SIGNER)
        assert self.refusal(World(), certificate=certificate, issuer=STRANGER.ca) == 6

    def test_a_responder_that_the_listed_ca_did_not_certify_says_nothing(self):
        key = ResponderKey(RESPONDER_SIGNER, STRANGER.certify(Profile.OCSP, RESPONDER_SIGNER), REGION.signer)
        world = World(key=key)
        assert self.refusal(world) == 6
        assert world.responder.crl(CODE) is None

    def test_from_lists_that_have_run_out_it_says_nothing(self):
        world = World(view(expires_at=NOW))
        assert self.refusal(world) == 3
        assert world.responder.crl(CODE) is None

    def test_without_lists_it_says_nothing(self):
        assert Responder({CODE: KEY}, lambda: None, lambda: NOW).answer(make_ocsp_request(SEAL, REGION.ca)).der[-1] == 3

    @given(st.binary(max_size=300))
    def test_junk_is_refused_as_such(self, junk):
        assert World().responder.answer(junk).der == b"\x30\x03\x0a\x01\x01"


class TestCrl:
    def test_it_is_kept_until_its_list_changes_or_half_its_life_is_over(self):
        world = World()
        first = world.responder.crl(CODE)
        world.now += timedelta(hours=1)
        assert world.responder.crl(CODE) is first
        world.view = view(version=2)
        second = world.responder.crl(CODE)
        assert second.this_update == world.now
        world.now += timedelta(hours=12)
        third = world.responder.crl(CODE)
        numbers = [parse_crl(each.der).number for each in (first, second, third)]
        assert numbers == sorted(set(numbers))

    def test_without_the_cas_key_there_is_none(self):
        assert World(key=ResponderKey(RESPONDER_SIGNER, RESPONDER_CERTIFICATE)).responder.crl(CODE) is None

    def test_of_a_region_that_is_not_here_there_is_none(self):
        assert World().responder.crl(RegionCode("990200")) is None


class TestOverHttp:
    @pytest.fixture
    def client(self):
        world = World()
        app = FastAPI()
        app.include_router(responder_router(world.responder, lambda: world.now))
        return TestClient(app)

    def test_a_posted_question(self, client):
        answered = client.post("/revocation/ocsp", content=make_ocsp_request(SEAL, REGION.ca))
        assert answered.headers["content-type"] == "application/ocsp-response"
        assert parse_ocsp_response(answered.content).answers[0].state is CertificateState.GOOD

    def test_a_question_in_the_address_may_be_kept_until_it_is_renewed(self, client):
        asked = base64.b64encode(make_ocsp_request(SEAL, REGION.ca)).decode().replace("/", "%2F").replace("+", "%2B")
        answered = client.get(f"/revocation/ocsp/{asked}")
        assert parse_ocsp_response(answered.content).answers[0].state is CertificateState.GOOD
        assert answered.headers["cache-control"].startswith("max-age=3600, public")

    def test_the_crl_is_a_file_with_a_tag(self, client):
        found = client.get("/revocation/990100.crl")
        assert found.headers["content-type"] == "application/pkix-crl"
        assert parse_crl(found.content).next_update == NOW + DAY
        again = client.get("/revocation/990100.crl", headers={"if-none-match": found.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")

    def test_there_is_no_crl_of_others(self, client):
        assert client.get("/revocation/990200.crl").status_code == 404

    @pytest.mark.parametrize("content", [b"", b"junk", bytes(9000)])
    def test_junk_is_answered_as_junk(self, client, content):
        assert client.post("/revocation/ocsp", content=content).content == b"\x30\x03\x0a\x01\x01"
        assert client.get("/revocation/ocsp/not-base64!").content == b"\x30\x03\x0a\x01\x01"
