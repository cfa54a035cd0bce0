"""What somebody tries who is not to be believed: on the way to PASSED, to another's FAILED, and to a crash."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from math import nan
from time import sleep
from typing import Any

import pytest

from keys.envelopes import cbor
from keys.envelopes.cose import sign_cose_sign1
from keys.envelopes.qr_text import encode_qr_text
from keys.envelopes.sd_jwt import issue_sd_jwt, parse_sd_jwt
from keys.x509 import Profile
from tests.verifier.asking import ask, assert_failed, assert_passed, found
from tests.verifier.small_world import (
    DAY_0,
    EAST,
    HALL,
    MARRIAGE,
    NOW,
    SEALED,
    WEST,
    SmallWorld,
    attestation,
    certificate,
    entry,
    granted,
    qr,
    receipt_key,
    sd_jwt,
    signer,
    then,
    withdrawn,
)
from tests.verifier.test_pdf import sealed, signature
from tests.verifier.test_receipt import LATER, filed
from trust_registry.attestations import to_cwt, to_sd_jwt_claims
from trust_registry.catalogue import COMMON_TYPES as TYPES
from trust_registry.model import (
    EntryReason,
    EntryStatus,
    IssuerId,
    KeyUse,
    RegionCode,
    RegionList,
    RelyingPartyId,
    SealId,
    TrustView,
)
from verifier import photos
from verifier.errors import InvalidRequest, MalformedEvidence
from verifier.evidence import parse
from verifier.model import Check, Policy, SubIndication
from verifier.service import PolicyRequest, VerifierService
from verifier.store import ReceiptStore
from verifier.wire import report_to_bytes

ORDERS = pytest.mark.parametrize("first", [True, False], ids=["listed first", "listed last"])
BY_THE_THIEF = IssuerId("990200/thief")


def with_west(world: SmallWorld, first: bool, **changes: Any) -> TrustView:
    """The view after the west has changed its own list, which it alone signs."""
    view = world.view()
    west: RegionList = replace(view.lists[WEST], **changes)
    rest = {code: each for code, each in view.lists.items() if code != WEST}
    lists: dict[RegionCode, RegionList] = {WEST: west, **rest} if first else {**rest, WEST: west}
    return TrustView(lists, view.signatures, view.metadata_versions, view.refreshed_at, view.expires_at)


def claimed_by_the_west(world: SmallWorld, first: bool) -> TrustView:
    """The west lists the east's seal certificate, which anybody can read off a document, as compromised for ages."""
    (issuer,) = world.east().attests
    (seal,) = issuer.seals
    key = replace(seal.key, history=withdrawn(DAY_0 + timedelta(days=1), EntryReason.KEY_COMPROMISE))
    claimed = replace(seal, id=SealId(f"{BY_THE_THIEF}/99020000000001"), key=key)
    thief = replace(
        issuer, id=BY_THE_THIEF, seals=(claimed,), status_keys=(), status_list_base="https://west.example/status/"
    )
    return with_west(world, first, attests=(thief,))


@ORDERS
@pytest.mark.parametrize("evidence", [qr, sd_jwt, lambda: sealed(signature())], ids=["qr", "sd-jwt", "pdf"])
def test_listing_anothers_seal_takes_nothing_from_its_owner(world: SmallWorld, evidence: Any, first: bool) -> None:
    assert_passed(ask(world, evidence(), trust=claimed_by_the_west(world, first)))


@ORDERS
def test_listing_anothers_seal_does_not_make_it_ones_own(world: SmallWorld, first: bool) -> None:
    """What the east sealed does not become a certificate of an office in the west."""
    report = ask(world, qr(attestation(issuer_id=BY_THE_THIEF)), trust=claimed_by_the_west(world, first))
    assert found(report, Check.ENTITLEMENT).code != "entitled"
    assert report.indication.value != "PASSED"


@ORDERS
def test_calling_anothers_time_stamper_compromised_takes_no_proof_away(world: SmallWorld, first: bool) -> None:
    slander = entry(KeyUse.TIMESTAMP, world.tsa_certificate, withdrawn(DAY_0, EntryReason.KEY_COMPROMISE))
    authorities = (*world.west().authorities, slander)
    report = ask(world, sealed(signature()), trust=with_west(world, first, authorities=authorities))
    assert_passed(report)
    assert report.signed_at_proven


@ORDERS
def test_vouching_for_anothers_lost_time_stamper_gives_no_proof_back(world: SmallWorld, first: bool) -> None:
    world.tsa_history = withdrawn(SEALED, EntryReason.KEY_COMPROMISE)
    vouched = entry(KeyUse.TIMESTAMP, world.tsa_certificate, granted())
    authorities = (*world.west().authorities, vouched)
    report = ask(world, sealed(signature()), trust=with_west(world, first, authorities=authorities))
    assert not report.signed_at_proven


def test_listing_anothers_receipt_key_does_not_spoil_its_receipts(world: SmallWorld) -> None:
    (party,) = world.west().relying_parties
    thief = replace(party, id=RelyingPartyId("990200/thief"), history=then(granted(), EntryStatus.WITHDRAWN, NOW))
    view = with_west(world, False, relying_parties=(party, thief))
    assert_passed(ask(world, filed(world), at=LATER, trust=view, policy=Policy()))


@pytest.mark.parametrize("name", ["exp", "nbf", "iss", "status", "cnf", "vct"])
def test_protocol_claims_in_disclosures_are_refused(world: SmallWorld, name: str) -> None:
    """A claim that the holder can withhold protects nobody. Spec: SD-JWT VC, "Registered JWT Claims"."""
    made = attestation(valid_until=NOW + timedelta(days=1), holder_key=signer("holder").public_key.jwk())
    claims, _ = to_sd_jwt_claims(made, next(known for known in TYPES if known.id == MARRIAGE))
    header = parse_sd_jwt(sd_jwt()).jws.header
    text = issue_sd_jwt(claims, {name}, signer=signer("seal"), header={k: header[k] for k in ("typ", "x5c")})
    with pytest.raises(MalformedEvidence) as refusal:
        parse(text)
    assert refusal.value.kind == "sd_jwt_vc"


@pytest.mark.parametrize("value", [b"bytes", nan, {b"k": 1}, {1: 2}, [[b"x"]], {"k": nan}], ids=repr)
def test_claims_that_json_has_no_words_for_are_damage_not_a_crash(value: object) -> None:
    """Nobody need hold a seal for this one: what is shown is written down before anything is believed."""
    payload = cbor.decode(to_cwt(attestation(), next(known for known in TYPES if known.id == MARRIAGE)))
    payload[-70001][5] = {"holder_name": value}
    kid = bytes.fromhex(certificate("seal", Profile.SEAL, EAST).thumbprint[:16])
    text = encode_qr_text("YX1:", sign_cose_sign1(cbor.encode(payload), signer=signer("stranger"), kid=kid))
    with pytest.raises(MalformedEvidence):
        parse(text)


def test_claims_of_every_json_kind_are_written_down(world: SmallWorld) -> None:
    payload = cbor.decode(to_cwt(attestation(), next(known for known in TYPES if known.id == MARRIAGE)))
    claims = {"a": None, "b": True, "c": 1.5, "d": [1, {"e": "f"}]}
    payload[-70001][5] = claims
    kid = bytes.fromhex(certificate("seal", Profile.SEAL, EAST).thumbprint[:16])
    text = encode_qr_text("YX1:", sign_cose_sign1(cbor.encode(payload), signer=signer("seal"), kid=kid))
    report = ask(world, text)
    assert_passed(report)
    assert json.loads(report_to_bytes(report, claims=True))["certificate"]["claims"] == claims


def test_no_fresh_receipt_of_how_a_revoked_certificate_once_stood(world: SmallWorld) -> None:
    class Nowhere(ReceiptStore):
        def __init__(self) -> None:
            pass

    service = VerifierService(
        trust=world.view,
        statuses=world.statuses,
        now=lambda: NOW,
        receipts=Nowhere(),
        receipt_keys={HALL: receipt_key()},
    )
    with pytest.raises(InvalidRequest) as refusal:
        service.issue_receipt(qr(), PolicyRequest(WEST, at=SEALED), HALL)
    assert refusal.value.field == "at"


def test_another_office_cannot_be_named_under_ones_own_seal(world: SmallWorld) -> None:
    made = attestation(issuer_id=IssuerId("990100/public-security"))
    assert_failed(ask(world, qr(made)), "issuer_differs", SubIndication.SIG_CONSTRAINTS_FAILURE)


@pytest.mark.parametrize(
    "uri",
    [
        "https://east.example/status/990100/civil-affairs-evil/1",
        "https://east.example/status/990100/civil-affair",
        "https://EAST.example/status/990100/civil-affairs/1",
        "https://east.example.evil/status/990100/civil-affairs/1",
        "http://east.example/status/990100/civil-affairs/1",
    ],
)
def test_a_status_list_beside_the_issuers_own_is_not_asked(world: SmallWorld, uri: str) -> None:
    made = attestation()
    report = ask(world, qr(replace(made, status=replace(made.status, uri=uri))))
    assert found(report, Check.STATUS).code == "status_elsewhere"


def test_however_many_send_bombs_at_once_two_are_unpacked_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A photo of 200 KB that unpacks to 200 MB, from everybody at once, on the page that needs no sign-in."""
    at_once, most = [0], [0]
    unpack = photos._unpacked

    def counted(photo: bytes) -> object:
        at_once[0] += 1
        most[0] = max(most[0], at_once[0])
        sleep(0.02)
        at_once[0] -= 1
        return unpack(photo)

    monkeypatch.setattr(photos, "_unpacked", counted)
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(photos.read_code, [b"\x89PNG"] * 16)) == {None}
    assert most == [2]
