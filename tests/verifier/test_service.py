"""Fetch, then judge; batches; receipts kept (on SQLite here; the server's tests run migrations on PostgreSQL)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.pool import StaticPool
from sqlmodel import SQLModel

import verifier.tables
from tests.verifier.asking import assert_failed, assert_indeterminate, assert_passed
from tests.verifier.small_world import (
    DAY,
    HALL,
    LIST,
    NOW,
    TRANSFER,
    WEST,
    SmallWorld,
    attestation,
    qr,
    receipt_key,
    sd_jwt,
    withdrawn,
)
from tests.verifier.test_receipt import filed
from trust_registry.attestations import StatusReference
from trust_registry.model import (
    CertificateStatus,
    EntryReason,
    IssuerId,
    RegionCode,
    RelyingPartyId,
    ScenarioId,
    StatusView,
)
from verifier.errors import InvalidRequest, ReceiptNotFound, ReceiptsNotOffered, RequestTooLarge
from verifier.evidence import digest_of
from verifier.model import EvidenceKind, Indication, SubIndication
from verifier.service import MAX_BATCH, PolicyRequest, VerifierService
from verifier.store import ReceiptStore

AT_WEST = PolicyRequest(WEST, TRANSFER)


class Network:
    """Status lists that can be fetched, or not; remembers who asked."""

    def __init__(self, world: SmallWorld, *, online: bool = True) -> None:
        self.world, self.online = world, online
        self.known = StatusView({})
        self.asked: list[str] = []

    def ensure(self, uri: str) -> None:
        self.asked.append(uri)
        if self.online:
            self.known = self.world.statuses()


@pytest.fixture
def engine() -> Iterator[Engine]:
    made = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    SQLModel.metadata.create_all(made, tables=[verifier.tables.ReceiptRow.__table__])  # type: ignore[attr-defined]
    yield made
    made.dispose()


def service(world: SmallWorld, network: Network | None = None, **more: Any) -> VerifierService:
    view, statuses = world.view(), world.statuses()
    return VerifierService(
        trust=more.pop("trust", lambda: view),
        statuses=(lambda: statuses) if network is None else (lambda: network.known),
        ensure_status=None if network is None else network.ensure,
        now=more.pop("now", lambda: NOW),
        **more,
    )


def test_a_missing_status_list_is_fetched_and_then_judged(world: SmallWorld) -> None:
    network = Network(world)
    asked = service(world, network)
    assert asked.verify_at_once(qr()) is None
    assert_passed(asked.verify(qr(), AT_WEST))
    assert network.asked == [LIST]
    assert asked.verify_at_once(qr()) is not None


def test_unreachable_is_cannot_tell(world: SmallWorld) -> None:
    report = service(world, Network(world, online=False)).verify(qr())
    assert_indeterminate(report, "status_missing", SubIndication.TRY_LATER)


def test_offline_by_choice_asks_nobody(world: SmallWorld) -> None:
    asked = service(world)
    assert_passed(asked.verify(qr()))
    assert asked.verify_at_once(qr()) is not None


@pytest.mark.parametrize(
    "text",
    [
        qr(by="somebody else"),
        qr(attestation(valid_until=NOW)),
        qr(attestation(status=StatusReference("https://attacker.example/1", 7))),
        sd_jwt(attestation(issuer_id=IssuerId("990100/nobody"))),
        "not evidence",
    ],
    ids=["forged", "expired", "elsewhere", "unknown issuer", "unreadable"],
)
def test_nothing_is_fetched_for_what_has_failed_or_from_where_nobody_publishes(world: SmallWorld, text: str) -> None:
    """MUST NOT fetch for what is invalid (Token Status List 8.3); a forged code can't make this house call anywhere."""
    network = Network(world)
    assert service(world, network).verify(text).indication is not Indication.PASSED
    assert network.asked == []


def test_without_trust_data(world: SmallWorld) -> None:
    network = Network(world)
    asked = service(world, network, trust=lambda: None)
    assert_indeterminate(asked.verify(sd_jwt(), AT_WEST), "no_trust_data", SubIndication.TRY_LATER)
    assert network.asked == []
    assert asked.trust is None


def test_unreadable_things_get_a_verdict(world: SmallWorld) -> None:
    cut = qr()[:-1]
    report = service(world).verify(cut, AT_WEST)
    assert_failed(report, "damaged", SubIndication.FORMAT_FAILURE)
    assert (report.kind, report.evidence_digest) == (EvidenceKind.QR, digest_of(cut))
    assert_failed(service(world).verify(b"\x00"), "not_evidence", SubIndication.FORMAT_FAILURE)


@pytest.mark.parametrize(
    "request_",
    [PolicyRequest(scenario=ScenarioId("990200/unheard-of")), PolicyRequest(RegionCode("990100"), TRANSFER)],
)
def test_a_scenario_that_is_not_the_regions_is_a_wrong_question(world: SmallWorld, request_: PolicyRequest) -> None:
    with pytest.raises(InvalidRequest, match="scenario: "):
        service(world).verify(qr(), request_)


def test_batches_keep_order_and_name_the_wrong_item(world: SmallWorld) -> None:
    asked = service(world)
    earlier = PolicyRequest(at=NOW - 30 * DAY)
    reports = asked.verify_batch([(qr(), AT_WEST), ("junk", PolicyRequest()), (qr(), earlier)])
    assert [report.indication.value for report in reports] == ["PASSED", "FAILED", "FAILED"]
    with pytest.raises(InvalidRequest, match=r"items\[1\]\.scenario"):
        asked.verify_batch([(qr(), AT_WEST), (qr(), PolicyRequest(scenario=ScenarioId("990200/x")))])
    with pytest.raises(RequestTooLarge, match="items: at most 500 items"):
        asked.verify_batch([("x", PolicyRequest())] * (MAX_BATCH + 1))


def test_a_receipt_proves_that_something_was_sealed_before_its_key_was_stolen(world: SmallWorld) -> None:
    code = qr(attestation())
    receipt = filed(world, text=code)
    world.key_history = withdrawn(NOW + DAY / 2, EntryReason.KEY_COMPROMISE)
    asked = service(world, now=lambda: NOW + DAY)
    assert_indeterminate(asked.verify(code), "key_compromised", SubIndication.REVOKED_NO_POE)
    for file in (receipt, receipt.encode()):
        proofs = asked.proofs_from(file)
        assert [(proof.digest, proof.existed_at) for proof in proofs] == [(digest_of(code), NOW)]
        assert_passed(asked.verify(code, PolicyRequest(proofs=proofs)))
    for other in (code, "junk", b"\x00", b"PK\x03\x04"):
        assert asked.proofs_from(other) == ()


def test_receipts_are_signed_kept_and_read_by_their_own_agency(world: SmallWorld, engine: Engine) -> None:
    moments: list[datetime] = [NOW]
    asked = service(
        world,
        receipts=ReceiptStore(engine),
        receipt_keys={HALL: receipt_key()},
        now=lambda: moments[-1],
        new_id=lambda: f"r{len(moments)}",
    )
    report, kept = asked.issue_receipt(qr(), AT_WEST, HALL)
    assert_passed(report)
    assert (kept.id, kept.relying_party, kept.indication, kept.issued_at) == ("r1", HALL, Indication.PASSED, NOW)
    moments.append(NOW + DAY)
    refused, _ = asked.issue_receipt("junk", AT_WEST, HALL)
    assert refused.indication is Indication.FAILED
    assert [each.id for each in asked.receipts_of(HALL)] == ["r2", "r1"]
    assert asked.receipt("r1", HALL) == asked.receipt("r1", None) == kept
    with pytest.raises(ReceiptNotFound):
        asked.receipt("r1", RelyingPartyId("990200/police"))
    with pytest.raises(ReceiptNotFound):
        asked.receipt("r3", HALL)
    assert_passed(asked.verify(kept.token))
    assert "林" not in kept.token


def test_a_house_without_receipt_keys_offers_none(world: SmallWorld, engine: Engine) -> None:
    for asked in (service(world), service(world, receipts=ReceiptStore(engine))):
        assert not asked.offers_receipts(HALL)
        assert asked.receipts_of(HALL) == []
        with pytest.raises(ReceiptsNotOffered):
            asked.issue_receipt(qr(), AT_WEST, HALL)
        with pytest.raises(ReceiptNotFound):
            asked.receipt("r1", HALL)


def test_only_ones_own_drafts_are_filed_and_once(world: SmallWorld, engine: Engine) -> None:
    asked = service(world, receipts=ReceiptStore(engine), receipt_keys={HALL: receipt_key()})
    draft = asked.draft_receipt(asked.verify(qr(), AT_WEST), HALL)
    assert asked.receipts_of(HALL) == []
    assert asked.file_receipt(draft, HALL) == asked.file_receipt(draft, HALL)
    assert len(asked.receipts_of(HALL)) == 1
    for foreign in ("junk", qr(), draft[:-4] + "AAAA"):
        with pytest.raises(InvalidRequest, match="draft"):
            asked.file_receipt(foreign, HALL)


def test_a_revoked_certificate_stays_refused_without_fetching(world: SmallWorld) -> None:
    network = Network(world)
    network.known = world.statuses(CertificateStatus.INVALID)
    assert_failed(service(world, network).verify(qr()), "status_revoked", SubIndication.REVOKED)
    assert network.asked == []


def test_no_receipt_for_a_scenario_that_is_not_the_partys_own(world: SmallWorld, engine: Engine) -> None:
    """Else any agency could file what it may not ask for."""
    archive = RelyingPartyId("990200/archive")
    asked = service(world, receipts=ReceiptStore(engine), receipt_keys={archive: receipt_key()})
    with pytest.raises(InvalidRequest, match="not registered"):
        asked.issue_receipt(qr(), AT_WEST, archive)
    assert_passed(asked.issue_receipt(qr(), PolicyRequest(WEST), archive)[0])
