"""Issuing: the same key the same certificate, numbers and indexes once, nothing readable at rest."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from issuer.errors import (
    CertificateNotFound,
    CertificateVoided,
    ClaimsInvalid,
    GlyphMissing,
    HolderErased,
    HolderNotFound,
    IdempotencyConflict,
    IssuerNotListed,
    SealKeyMismatch,
    SealNotInForce,
    SealUnknown,
    StatusListMisplaced,
    StatusSignerMissing,
    TrustViewMissing,
    TypeUnknown,
)
from issuer.model import CertificateFilter, CertificateState, HolderIdentity, HolderKind, RenderingKind
from issuer.renderings.sealing import seal_renderings
from issuer.service import IssuerService
from keys.errors import TimestampUnavailable
from tests.issuer.office import (
    CLAIMS,
    CLERK,
    DAY,
    DAY_0,
    HOLDER,
    MARRIAGE,
    NUMBER,
    OFFICE,
    OTHER_OFFICE,
    OTHER_SEAL_ID,
    SEAL_ID,
    Office,
    history,
    open_office,
)
from trust_registry.edges import AccountId, HolderId
from trust_registry.identifiers import check_certificate_id
from trust_registry.model import EntryReason, EntryStatus, SealId, TrustView, TypeId


def count(office: Office, table: str) -> int:
    with office.engine.connect() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def test_an_issued_certificate_has_a_right_number_and_a_published_status(office: Office) -> None:
    summary = office.service.issue(office.request()).summary
    assert check_certificate_id(summary.certificate_id)
    assert summary.state is CertificateState.PUBLISHED
    assert summary.holder_masked == "林*雨"
    assert office.status_seen(summary.certificate_id).name == "VALID"
    assert office.service.rendering(summary.certificate_id, RenderingKind.QR).startswith(b"YX1:")


def test_the_same_key_and_request_get_the_same_certificate(office: Office) -> None:
    first = office.service.issue(office.request())
    office.clock.turn(400 * DAY)
    again = office.restart().issue(office.request())
    assert (first.replayed, again.replayed) == (False, True)
    assert again.summary.certificate_id == first.summary.certificate_id
    assert count(office, "issuer_certificates") == count(office, "issuer_seal_uses") == 1


def test_a_replay_needs_no_seal_any_more(office: Office) -> None:
    """What was issued was issued: that the seal has run out since refuses new certificates only."""
    first = office.service.issue(office.request())
    office.clock.turn(2000 * DAY)
    assert office.service.issue(office.request()).summary.certificate_id == first.summary.certificate_id


def test_the_same_key_for_another_request_is_a_conflict(office: Office) -> None:
    office.service.issue(office.request())
    with pytest.raises(IdempotencyConflict) as caught:
        office.service.issue(office.request(valid_from=DAY_0 + DAY))
    assert caught.value.key == "key-1"
    assert count(office, "issuer_certificates") == 1


def test_keys_are_per_account(office: Office) -> None:
    first = office.service.issue(office.request())
    other = office.service.issue(office.request(requested_by=AccountId("clerk-zhou")))
    assert other.summary.certificate_id != first.summary.certificate_id


def test_refused_requests_leave_nothing_behind(office: Office) -> None:
    with pytest.raises(ClaimsInvalid):
        office.service.issue(office.request(claims={}))
    assert count(office, "issuer_certificates") == count(office, "issuer_requests") == 0
    assert not office.service.issue(office.request()).replayed  # the key is still free


def test_refusals_before_anything_is_recorded(office: Office, tmp_path: Path) -> None:
    service = office.service
    for expected, request in (
        (TypeUnknown, office.request(type_id=TypeId("common/none"))),
        (SealUnknown, office.request(seal_id=SealId("990100/civil-affairs/00000000000000"))),
        (SealUnknown, office.request(issuer_id=OTHER_OFFICE)),
        (GlyphMissing, office.request(claims={**CLAIMS, "spouse_name": "\U0003134a"})),
    ):
        with pytest.raises(expected):
            service.issue(request)
        with pytest.raises(expected):
            service.check(request)
    office.entry = replace(office.entry, status_list_base="https://east.example/elsewhere/")
    with pytest.raises(StatusListMisplaced):
        service.issue(office.request())
    office.entry = replace(office.entry, id=OTHER_OFFICE)
    with pytest.raises(IssuerNotListed):
        service.issue(office.request())
    assert count(office, "issuer_certificates") == 0


def test_nothing_is_issued_without_trust_data(office: Office) -> None:
    def nothing() -> TrustView | None:
        return None

    blind = IssuerService(office.service.store, nothing, office.signer, None, office.service.publication, office.clock)
    with pytest.raises(TrustViewMissing):
        blind.issue(office.request())


def test_nothing_is_issued_whose_status_could_not_be_signed(office: Office) -> None:
    with office.engine.begin() as connection:
        connection.execute(text("DELETE FROM issuer_status_signers"))
    with pytest.raises(StatusSignerMissing):
        office.service.issue(office.request())
    assert count(office, "issuer_certificates") == 0


def test_a_seal_whose_key_is_not_its_certificates_signs_nothing(office: Office) -> None:
    office.sealing = seal_renderings
    office.open_signer = {**office.keys.signers, "file:/keys/seal": office.keys.timestamp_signer}.__getitem__
    with pytest.raises(SealKeyMismatch):
        office.restart().issue(office.request())


def test_an_outage_of_the_time_stamping_is_healed_by_a_retry(office: Office) -> None:
    sealing = office.sealing

    def unavailable(*_: object, **__: object) -> None:
        raise TimestampUnavailable("no answer")

    office.sealing = unavailable  # type: ignore[assignment]
    with pytest.raises(TimestampUnavailable):
        office.restart().issue(office.request())
    assert office.service.certificates(CertificateFilter(state=CertificateState.RECORDED))
    office.sealing = sealing
    assert office.restart().issue(office.request()).replayed
    assert count(office, "issuer_certificates") == count(office, "issuer_seal_uses") == 1


def test_a_seal_suspended_before_a_retry_voids_what_was_only_recorded(office: Office) -> None:
    sealing = office.sealing

    def unavailable(*_: object, **__: object) -> None:
        raise TimestampUnavailable("no answer")

    office.sealing = unavailable  # type: ignore[assignment]
    with pytest.raises(TimestampUnavailable):
        office.restart().issue(office.request())
    office.sealing = sealing
    suspended = history(
        (EntryStatus.GRANTED, DAY_0 - 100 * DAY, EntryReason.INITIAL),
        (EntryStatus.SUSPENDED, DAY_0, EntryReason.KEY_COMPROMISE),
    )
    office.entry = replace(office.entry, seals=(replace(office.entry.seals[0], history=suspended),))
    office.restart()
    with pytest.raises(SealNotInForce):
        office.service.issue(office.request())
    with pytest.raises(CertificateVoided):
        office.service.issue(office.request())
    (voided,) = office.service.certificates(CertificateFilter())
    assert voided.state is CertificateState.VOIDED
    with pytest.raises(CertificateVoided):
        office.service.rendering(voided.certificate_id, RenderingKind.PDF)
    office.service.publish_due()
    assert office.status_seen(voided.certificate_id).name == "INVALID"  # should a signature have got out after all


def test_concurrent_requests_with_the_same_key_issue_once(office: Office) -> None:
    """Two services over one database stand for two processes; their in-process locks don't know of each other."""
    services = [office.restart() for _ in range(2)]
    results: list[str] = []
    start = threading.Barrier(8)

    def issue(service: IssuerService) -> None:
        start.wait()
        results.append(service.issue(office.request()).summary.certificate_id)

    threads = [threading.Thread(target=issue, args=(services[n % 2],)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 8
    assert len(set(results)) == 1
    assert count(office, "issuer_certificates") == count(office, "issuer_seal_uses") == 1


def test_status_indexes_are_unique_and_a_half_full_list_is_followed_by_another(tmp_path: Path) -> None:
    with open_office(f"sqlite:///{tmp_path}/i.db", tmp_path / "status", list_size=8) as office:
        places = {
            office.reference(office.service.issue(office.request_for(n)).summary.certificate_id) for n in range(1, 14)
        }
        assert len(places) == 13
        uris = {uri for uri, _ in places}
        assert uris == {f"https://east.example/status/{OFFICE}/{n}" for n in (1, 2, 3, 4)}
        for uri in uris:
            assert len(office.published(uri).statuses) == 8


def test_status_indexes_say_nothing_about_the_order_of_issuing(tmp_path: Path) -> None:
    with open_office(f"sqlite:///{tmp_path}/i.db", tmp_path / "status", list_size=2**17) as office:
        cleared = [office.service._clear(office.request_for(n)) for n in range(1, 41)]
        outcomes = office.service.store.record_many(cleared, DAY_0)
        indexes = [o.recorded.attestation.status.index for o in outcomes if o.recorded]
        assert len(set(indexes)) == 40
        assert indexes != sorted(indexes)
        assert max(indexes) > 2**15  # all of 40 draws in the first quarter: once in 10^24


def test_nothing_about_a_person_is_readable_at_rest(office: Office, tmp_path: Path) -> None:
    office.service.issue(office.request())
    office.engine.dispose()
    stored = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert b"issuer_certificates" in stored
    for secret in (NUMBER, "林晓雨", "周明远", "J990100-2019-000520", "YX1:"):
        assert secret.encode() not in stored


def test_erasing_a_holder_leaves_numbers_and_statuses_only(office: Office) -> None:
    service = office.service
    kept = service.issue(office.request_for(7)).summary
    erased = service.issue(office.request()).summary
    holder = service.find_holder(HolderKind.CITIZEN, NUMBER)
    assert holder is not None
    assert service.held(holder)[0].attestation.claims["spouse_name"] == "周明远"
    service.erase_holder(holder)
    service.erase_holder(holder)  # again changes nothing
    with pytest.raises(HolderErased):
        service.rendering(erased.certificate_id, RenderingKind.PDF)
    assert service.certificate(erased.certificate_id).holder_masked == "***"
    assert service.held(holder) == ()
    assert service.find_holder(HolderKind.CITIZEN, NUMBER) is None
    office.revoke(erased.certificate_id)
    assert office.status_seen(erased.certificate_id).name == "INVALID"
    assert service.rendering(kept.certificate_id, RenderingKind.SD_JWT_VC)
    assert service.issue(office.request("key-new")).summary.certificate_id != erased.certificate_id
    with pytest.raises(HolderNotFound):
        service.erase_holder(HolderId("nobody"))


def test_a_holder_is_known_before_the_first_certificate(office: Office) -> None:
    holder = office.service.holder(HOLDER)
    assert office.service.holder(HOLDER) == holder
    assert office.service.held(holder) == ()
    office.service.issue(office.request())
    (held,) = office.service.held(holder)
    assert held.seal_svg == office.seal.image_svg
    assert held.attestation.type_id == MARRIAGE
    assert NUMBER not in holder


def test_every_use_of_a_seal_is_logged(office: Office) -> None:
    first = office.service.issue(office.request_for(1)).summary.certificate_id
    office.clock.turn(timedelta(minutes=1))
    second = office.service.issue(office.request_for(2)).summary.certificate_id
    uses = office.service.seal_uses(SEAL_ID, issuer_id=OFFICE)
    assert [use.certificate_id for use in uses] == [second, first]
    assert {use.used_by for use in uses} == {CLERK}
    assert uses[0].used_at == DAY_0 + timedelta(minutes=1)
    assert len({use.digest for use in uses}) == 2
    assert office.service.seal_uses(OTHER_SEAL_ID) == ()
    with pytest.raises(SealUnknown):
        office.service.seal_uses(SEAL_ID, issuer_id=OTHER_OFFICE)


def test_the_list_is_newest_first_and_pages(office: Office) -> None:
    numbers = [office.service.issue(office.request_for(n)).summary.certificate_id for n in range(1, 6)]
    page = office.service.certificates(CertificateFilter(issuer_id=OFFICE, limit=2))
    assert [c.certificate_id for c in page] == numbers[:2:-1]
    rest = office.service.certificates(CertificateFilter(issuer_id=OFFICE, before=page[-1].certificate_id))
    assert [c.certificate_id for c in rest] == numbers[2::-1]
    assert office.service.certificates(CertificateFilter(issuer_id=OTHER_OFFICE)) == ()
    assert office.service.certificates(CertificateFilter(type_id=TypeId("common/degree-certificate"))) == ()
    (found,) = office.service.certificates(CertificateFilter(number=numbers[3][-19:]))
    assert found.certificate_id == numbers[3]


def test_another_issuers_certificate_is_not_there(office: Office) -> None:
    certificate_id = office.service.issue(office.request()).summary.certificate_id
    for ask in (office.service.certificate, office.service.status_history):
        assert ask(certificate_id, issuer_id=OFFICE) is not None
        with pytest.raises(CertificateNotFound):
            ask(certificate_id, issuer_id=OTHER_OFFICE)
    with pytest.raises(CertificateNotFound):
        office.service.rendering(certificate_id, RenderingKind.PDF, issuer_id=OTHER_OFFICE)
    with pytest.raises(CertificateNotFound):
        office.service.store.rendering("none", RenderingKind.PDF)  # type: ignore[arg-type]


def test_what_is_in_custody(office: Office) -> None:
    assert [seal.id for seal in office.service.seals()] == [SEAL_ID, OTHER_SEAL_ID]
    assert office.service.seals(OFFICE) == (office.seal,)
    assert [t.id for t in office.service.types_of(OFFICE)] == [MARRIAGE, TypeId("common/household-register")]
    renewed = replace(office.seal, key_uri="file:/keys/renewed")
    office.service.register_seal(renewed)
    assert office.service.seals(OFFICE) == (renewed,)


def test_a_replay_needs_no_trust_data(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.service.issue(office.request())
    monkeypatch.setattr(Office, "view", None)
    assert office.service.issue(office.request()).replayed


def test_a_request_can_be_logged_without_naming_anybody(office: Office) -> None:
    for secret in (NUMBER, "林晓雨", "周明远"):
        assert secret not in repr(office.request())


def test_an_identity_is_never_in_a_repr_of_a_refusal(office: Office) -> None:
    wrong = HolderIdentity(HolderKind.CITIZEN, NUMBER[:-1] + "?", "林晓雨")
    with pytest.raises(Exception, match="holder/number") as caught:
        office.service.issue(office.request(holder=wrong))
    assert NUMBER[:-1] not in repr(caught.value)
