"""Receipts: what an agency files instead of a paper copy, and how somebody else checks it years later."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from keys.envelopes.jws import parse_jws
from keys.x509 import Profile
from tests.verifier.asking import ask, assert_failed, assert_indeterminate, assert_passed, found
from tests.verifier.small_world import (
    DAY,
    EAST,
    HALL,
    NOW,
    WEST,
    SmallWorld,
    attestation,
    authority,
    certificate,
    granted,
    qr,
    receipt_key,
    rsa_certificate,
    signer,
    suspended,
    withdrawn,
)
from trust_registry.model import EntryReason, KeyUse, RegionCode, RelyingPartyId
from verifier.evidence import digest_of, parse
from verifier.model import Check, Policy, ProofOfExistence, ProofSource, ReceiptFile, SubIndication
from verifier.receipts import ReceiptKey, make_receipt, proofs_from_receipt, sign_receipt

LATER = NOW + DAY


def filed(world: SmallWorld, key: ReceiptKey | None = None, party: RelyingPartyId = HALL, text: str = "") -> str:
    text = text or qr(attestation())
    receipt = make_receipt(
        ask(world, text),
        receipt_id="r1",
        relying_party=party,
        issued_at=NOW,
        trust=world.view(),
        statuses=world.statuses(),
    )
    assert receipt.evidence == digest_of(text)
    return sign_receipt(receipt, key or receipt_key())


def test_a_receipt_names_digests_and_versions_and_no_claims(world: SmallWorld) -> None:
    content = json.loads(parse_jws(filed(world)).payload)
    assert content["trust"] == {"root": 1, "timestamp": 9}
    assert content["status"].startswith("sha256:")
    assert content["report"]["indication"] == "PASSED"
    assert "林" not in json.dumps(content, ensure_ascii=False)


def test_verified_again(world: SmallWorld) -> None:
    report = ask(world, filed(world), at=LATER, policy=Policy())
    assert_passed(report)
    assert found(report, Check.ENTITLEMENT).facts["relying_party"].en == "Xichuan government hall"
    assert report.signed_at == NOW


def test_altered(world: SmallWorld) -> None:
    token = filed(world, ReceiptKey(signer("thief"), receipt_key().certificate))
    report = ask(world, token, at=LATER)
    assert_failed(report, "signature_wrong", SubIndication.SIG_CRYPTO_FAILURE)


def test_with_a_kind_of_key_nobody_registered(world: SmallWorld) -> None:
    token = filed(world, ReceiptKey(signer("hall"), rsa_certificate()))
    assert_failed(ask(world, token, at=LATER), "signature_wrong", SubIndication.SIG_CRYPTO_FAILURE)


def test_from_an_agency_in_no_list(world: SmallWorld) -> None:
    stranger = ReceiptKey(signer("stranger"), certificate("stranger", Profile.RECEIPT, "elsewhere"))
    token = filed(world, stranger)
    report = ask(world, token, at=LATER)
    assert_indeterminate(report, "receipt_signer_not_listed", SubIndication.NO_CERTIFICATE_CHAIN_FOUND)
    assert_indeterminate(ask(world, token, at=LATER, trust=None), "no_trust_data", SubIndication.TRY_LATER)


def test_signed_with_the_agencys_access_key(world: SmallWorld) -> None:
    """A key for requests to wallets may be on a server that serves everybody: it makes no receipts."""
    listed_as = world.view()
    west = listed_as.lists[RegionCode(WEST)]
    (party,) = west.relying_parties
    keys = tuple(replace(key, use=KeyUse.ACCESS) for key in party.keys)
    lists = {**listed_as.lists, west.code: replace(west, relying_parties=(replace(party, keys=keys),))}
    report = ask(world, filed(world), at=LATER, trust=replace(listed_as, lists=lists))
    assert_indeterminate(report, "receipt_signer_not_listed", SubIndication.NO_CERTIFICATE_CHAIN_FOUND)


def test_under_an_anchor_decades_later(world: SmallWorld) -> None:
    """The method will have been given up by then: a receipt, too, needs proof from before."""
    text, far = filed(world), LATER + 9000 * DAY
    report = ask(world, text, at=far, trust=None, policy=Policy(anchors=(authority(WEST),)))
    assert_indeterminate(report, "algorithm_retired_no_proof", SubIndication.CRYPTO_CONSTRAINTS_FAILURE_NO_POE)
    kept = ProofOfExistence(digest_of(text), LATER, ProofSource.ARCHIVE_TIMESTAMP)
    policy = Policy(anchors=(authority(WEST),), proofs=(kept,))
    assert_passed(ask(world, text, at=far, trust=None, policy=policy))


def test_in_another_agencys_name(world: SmallWorld) -> None:
    report = ask(world, filed(world, party=RelyingPartyId("990200/police")), at=LATER)
    assert_failed(report, "receipt_signer_differs", SubIndication.SIG_CONSTRAINTS_FAILURE)


@pytest.mark.parametrize("knob", ["party_history", "receipt_key_history"])
def test_key_out_of_use_when_it_was_issued(world: SmallWorld, knob: str) -> None:
    token = filed(world)
    setattr(world, knob, withdrawn(NOW - DAY))
    assert_failed(ask(world, token, at=LATER), "receipt_key_withdrawn", SubIndication.REVOKED)
    setattr(world, knob, granted(NOW + DAY))
    assert_failed(ask(world, token, at=LATER), "receipt_key_not_yet_listed", SubIndication.NOT_YET_VALID)
    setattr(world, knob, suspended(NOW - DAY))
    assert_indeterminate(ask(world, token, at=LATER), "receipt_key_suspended", SubIndication.TRY_LATER)
    setattr(world, knob, withdrawn(NOW + DAY, EntryReason.KEY_COMPROMISE))
    assert_indeterminate(ask(world, token, at=LATER), "receipt_key_compromised", SubIndication.REVOKED_NO_POE)


def test_from_the_future(world: SmallWorld) -> None:
    report = ask(world, filed(world), at=NOW - DAY)
    assert_failed(report, "sealed_in_future", SubIndication.NOT_YET_VALID)


def test_listed_under_a_certificate_that_had_expired(world: SmallWorld) -> None:
    token = filed(world)
    evidence = parse(token)
    assert isinstance(evidence, ReceiptFile)
    late = replace(evidence, receipt=replace(evidence.receipt, issued_at=NOW + 2000 * DAY))
    report = ask(world, late, at=NOW + 2001 * DAY)
    assert_indeterminate(report, "path_broken", SubIndication.CERTIFICATE_CHAIN_GENERAL_FAILURE)


def test_a_genuine_receipt_proves_that_the_evidence_existed(world: SmallWorld) -> None:
    file = parse(filed(world))
    assert isinstance(file, ReceiptFile)
    (proof,) = proofs_from_receipt(file, world.view(), Policy(), LATER + 900 * DAY)  # data this old prove no less
    assert (proof.digest, proof.existed_at, proof.source) == (file.receipt.evidence, NOW, ProofSource.RECEIPT)


def test_a_receipt_by_a_key_stolen_since_proves_nothing_unless_it_is_proven_itself(world: SmallWorld) -> None:
    text = filed(world)
    file = parse(text)
    assert isinstance(file, ReceiptFile)
    world.receipt_key_history = withdrawn(LATER, EntryReason.KEY_COMPROMISE)
    assert proofs_from_receipt(file, world.view(), Policy(), LATER + DAY) == ()
    too_late = ProofOfExistence(digest_of(text), LATER, ProofSource.LOG)
    assert proofs_from_receipt(file, world.view(), Policy(proofs=(too_late,)), LATER + DAY) == ()
    in_time = ProofOfExistence(digest_of(text), LATER - DAY / 2, ProofSource.LOG)
    assert len(proofs_from_receipt(file, world.view(), Policy(proofs=(in_time,)), LATER + DAY)) == 1


def test_a_strangers_receipt_proves_nothing(world: SmallWorld) -> None:
    file = parse(filed(world, ReceiptKey(signer("stranger"), certificate("stranger", Profile.RECEIPT, "elsewhere"))))
    assert isinstance(file, ReceiptFile)
    assert proofs_from_receipt(file, world.view(), Policy(), LATER) == ()


def test_whoever_has_a_certificate_under_an_anchor_dates_no_receipts(world: SmallWorld) -> None:
    """The attack: the thief of a key makes a receipt with it, from before the theft."""
    file = parse(filed(world, ReceiptKey(signer("stranger"), certificate("stranger", Profile.SEAL, "elsewhere"))))
    assert isinstance(file, ReceiptFile)
    policy = Policy(anchors=(authority("elsewhere"),))
    assert_passed(ask(world, file, policy=policy))
    assert proofs_from_receipt(file, world.view(), policy, LATER) == ()
    assert proofs_from_receipt(file, None, policy, LATER) == ()


def test_receipts_of_a_region_that_one_takes_nothing_of_prove_nothing_there(world: SmallWorld) -> None:
    file = parse(filed(world))
    assert isinstance(file, ReceiptFile)
    assert len(proofs_from_receipt(file, world.view(), Policy(WEST), LATER)) == 1
    assert proofs_from_receipt(file, world.view(), Policy(EAST), LATER) == ()
