"""Suspend, reinstate, revoke: append-only, final, in every rendering at once, acknowledged once it is published."""

from __future__ import annotations

import json
import threading
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from issuer.core import plan_status_change, standing_at
from issuer.errors import (
    CertificateNotFound,
    CertificateNotPublished,
    EffectiveTimeInPast,
    PublicationDelayed,
    ReasonDoesNotFit,
    StatusFinal,
    StatusListMisplaced,
    StatusListNotFound,
    StatusSignerMissing,
    StatusUnchanged,
)
from issuer.model import CertificateFilter, RenderingKind, StatusChangeRequest, StatusRecord
from issuer.publication import StatusPublication
from keys.errors import KeyNotFound, TimestampUnavailable
from keys.signer import Signer
from tests.issuer.office import CLERK, DAY, DAY_0, OFFICE, OTHER_OFFICE, OTHER_SEAL_ID, Office
from trust_registry.attestations import CertificateId
from trust_registry.model import CertificateStatus, StatusNote, StatusReason
from trust_registry.status_list import parse_status_token, status_at_index
from trust_registry.status_notes import note_at_index

VALID, INVALID, SUSPENDED = CertificateStatus.VALID, CertificateStatus.INVALID, CertificateStatus.SUSPENDED
REVIEW, REVIEWED, FRAUD = StatusReason.UNDER_REVIEW, StatusReason.REVIEW_ENDED, StatusReason.OBTAINED_BY_FRAUD
ID = CertificateId("1.2.156.3005.2.x")
URI = f"https://east.example/status/{OFFICE}/1"


def issued(office: Office) -> CertificateId:
    return office.service.issue(office.request()).summary.certificate_id


def record(status: CertificateStatus, reason: StatusReason, at: datetime) -> StatusRecord:
    return StatusRecord(status, reason, at, DAY_0, CLERK)


def ask(status: CertificateStatus, reason: StatusReason, at: datetime = DAY_0) -> StatusChangeRequest:
    return StatusChangeRequest(ID, status, reason, at, CLERK)


class TestPlan:
    def test_a_change_takes_effect_now_or_later_never_before(self) -> None:
        with pytest.raises(EffectiveTimeInPast):
            plan_status_change((), ask(INVALID, FRAUD, DAY_0 - timedelta(minutes=6)), DAY_0)
        slightly_behind = plan_status_change((), ask(INVALID, FRAUD, DAY_0 - timedelta(minutes=4)), DAY_0)
        assert slightly_behind is not None
        assert slightly_behind.effective_at == DAY_0

    @pytest.mark.parametrize(("status", "reason"), [(VALID, FRAUD), (INVALID, REVIEWED), (SUSPENDED, REVIEWED)])
    def test_the_reason_must_explain_the_status(self, status: CertificateStatus, reason: StatusReason) -> None:
        with pytest.raises(ReasonDoesNotFit):
            plan_status_change((), ask(status, reason), DAY_0)

    def test_revocation_is_final(self) -> None:
        revoked = (record(INVALID, FRAUD, DAY_0 - DAY),)
        for status, reason in ((VALID, REVIEWED), (SUSPENDED, REVIEW), (INVALID, StatusReason.SUPERSEDED)):
            with pytest.raises(StatusFinal) as caught:
                plan_status_change(revoked, ask(status, reason), DAY_0)
            assert caught.value.since == DAY_0 - DAY

    def test_a_scheduled_revocation_leaves_room_before_it_and_none_after(self) -> None:
        scheduled = (record(INVALID, StatusReason.SUPERSEDED, DAY_0 + 5 * DAY),)
        assert plan_status_change(scheduled, ask(SUSPENDED, REVIEW), DAY_0) is not None
        assert plan_status_change(scheduled, ask(INVALID, FRAUD), DAY_0) is not None
        with pytest.raises(StatusFinal):
            plan_status_change(scheduled, ask(VALID, REVIEWED, DAY_0 + 6 * DAY), DAY_0)

    def test_a_retry_appends_nothing(self) -> None:
        assert plan_status_change((record(INVALID, FRAUD, DAY_0 - DAY),), ask(INVALID, FRAUD), DAY_0) is None
        assert plan_status_change((record(SUSPENDED, REVIEW, DAY_0),), ask(SUSPENDED, REVIEW), DAY_0) is None
        assert plan_status_change((), ask(VALID, REVIEWED), DAY_0) is None

    def test_suspended_for_another_reason_already(self) -> None:
        with pytest.raises(StatusUnchanged):
            plan_status_change((record(SUSPENDED, REVIEW, DAY_0),), ask(SUSPENDED, StatusReason.HOLDER_REQUEST), DAY_0)


@given(st.lists(st.tuples(st.sampled_from(CertificateStatus), st.integers(0, 9)), max_size=8), st.integers(0, 10))
def test_once_revoked_always_revoked(changes: list[tuple[CertificateStatus, int]], day: int) -> None:
    history = [record(status, REVIEW, DAY_0 + at * DAY) for status, at in changes]
    first = min((at for status, at in changes if status is INVALID), default=99)
    standing = standing_at(history, DAY_0 + day * DAY)
    assert (standing.status is INVALID) is (first <= day)
    if first <= day:
        assert standing.since == DAY_0 + first * DAY


def test_suspend_reinstate_revoke_as_a_verifier_sees_it(office: Office) -> None:
    certificate_id = issued(office)
    for status, reason in ((SUSPENDED, REVIEW), (VALID, REVIEWED), (INVALID, FRAUD)):
        office.clock.turn(timedelta(seconds=30))
        summary = office.service.change_status(office.change(certificate_id, status, reason))
        assert (summary.status, summary.status_reason, summary.status_since) == (status, reason, office.clock())
        assert office.status_seen(certificate_id) is status
    history = office.service.status_history(certificate_id, issuer_id=OFFICE)
    assert [h.status for h in history] == [SUSPENDED, VALID, INVALID]
    holder = office.service.holder(office.request().holder)
    assert office.service.held(holder)[0].status is INVALID
    with pytest.raises(StatusFinal):
        office.service.change_status(office.change(certificate_id, VALID, REVIEWED))


def test_the_list_says_why_and_since_when(office: Office) -> None:
    certificate_id = issued(office)
    office.clock.turn(timedelta(hours=1))
    office.service.change_status(office.change(certificate_id, INVALID, FRAUD))
    read = parse_status_token(office.service.publication.path_of(URI).read_bytes())
    (index,) = (i for i in range(len(read.statuses)) if status_at_index(read.statuses, i) is INVALID)
    assert note_at_index(read.statuses, read.notes, index) == StatusNote(FRAUD, office.clock())


def test_an_office_announces_its_lists_for_those_who_copy_them(office: Office) -> None:
    issued(office)
    announced = office.service.publication.path_of(URI).with_name("aggregation.json")
    assert json.loads(announced.read_bytes()) == {"status_lists": [URI]}


def test_one_certificates_status_is_not_its_neighbours(office: Office) -> None:
    first, second = (office.service.issue(office.request_for(n)).summary.certificate_id for n in (1, 2))
    office.revoke(first)
    assert (office.status_seen(first), office.status_seen(second)) == (INVALID, VALID)


def test_a_revocation_ordered_for_later_takes_effect_when_it_is_due(office: Office) -> None:
    certificate_id = issued(office)
    office.revoke(certificate_id, DAY_0 + timedelta(minutes=30))
    assert office.status_seen(certificate_id) is VALID
    assert office.service.publish_due() == ()
    office.clock.turn(timedelta(minutes=30))
    assert office.service.publish_due() == (URI,)
    assert office.status_seen(certificate_id) is INVALID
    assert office.service.certificate(certificate_id).status_since == DAY_0 + timedelta(minutes=30)


def test_lists_are_signed_anew_before_they_grow_old_and_not_needlessly(office: Office) -> None:
    certificate_id = issued(office)
    file = office.service.publication.path_of(URI)
    before = (file.stat().st_mtime_ns, file.read_bytes())
    office.service.issue(office.request_for(5))  # a valid entry more changes no byte of the list
    office.clock.turn(timedelta(minutes=59))
    assert office.service.publish_due() == ()
    assert (file.stat().st_mtime_ns, file.read_bytes()) == before
    office.clock.turn(timedelta(minutes=1))
    assert office.service.publish_due() == (URI,)
    token = parse_status_token(file.read_bytes())
    assert (token.issued_at, token.ttl) == (office.clock(), timedelta(minutes=10))
    assert token.expires_at == office.clock() + timedelta(hours=24)
    assert office.status_seen(certificate_id) is VALID


def test_what_cannot_be_changed(office: Office) -> None:
    certificate_id = issued(office)
    with pytest.raises(CertificateNotFound):
        office.revoke("1.2.156.3005.2.nothing")
    change = office.change(certificate_id, INVALID, FRAUD)
    with pytest.raises(CertificateNotFound):
        office.service.change_status(
            StatusChangeRequest(change.certificate_id, INVALID, FRAUD, DAY_0, CLERK, OTHER_OFFICE)
        )

    def unavailable(*_: object, **__: object) -> None:
        raise TimestampUnavailable("no answer")

    office.sealing = unavailable  # type: ignore[assignment]
    with pytest.raises(TimestampUnavailable):
        office.restart().issue(office.request_for(8))
    with pytest.raises(CertificateNotPublished):
        office.revoke(unsealed := office.service.certificates(CertificateFilter(limit=1))[0].certificate_id)
    with pytest.raises(CertificateNotPublished):
        office.service.rendering(unsealed, RenderingKind.PDF)


def test_a_change_is_durable_even_if_its_list_cannot_be_signed_now(office: Office) -> None:
    certificate_id = issued(office)
    signers = dict(office.keys.signers)

    def locked(uri: str) -> Signer:
        if uri == "file:/keys/status":
            raise KeyNotFound("the token is not plugged in")
        return signers[uri]

    office.open_signer = locked
    with pytest.raises(PublicationDelayed):
        office.revoke(certificate_id)
    assert office.status_seen(certificate_id) is VALID
    with pytest.raises(PublicationDelayed):
        office.service.publish_due()
    office.open_signer = signers.__getitem__
    assert office.service.publish_due() == (URI,)
    assert office.status_seen(certificate_id) is INVALID


def test_one_list_that_cannot_be_signed_does_not_hold_up_the_others(office: Office) -> None:
    first = issued(office)
    with office.engine.begin() as connection:
        connection.execute(
            text("INSERT INTO issuer_status_lists SELECT 900, 'nobody', base, 1, uri || '9', size, 0, 0, "
                 "opened_at, opened_at, NULL, NULL FROM issuer_status_lists")
        )  # fmt: skip
    office.clock.turn(timedelta(hours=2))
    with pytest.raises(StatusSignerMissing):
        office.service.publish_due()
    assert office.published(URI).issued_at == office.clock()
    assert office.status_seen(first) is VALID


def test_changes_from_several_processes_are_all_published(office: Office) -> None:
    ids = [office.service.issue(office.request_for(n)).summary.certificate_id for n in range(1, 9)]
    services = [office.restart() for _ in range(4)]
    start = threading.Barrier(8)

    def revoke(position: int) -> None:
        start.wait()
        services[position % 4].change_status(office.change(ids[position], INVALID, FRAUD))

    threads = [threading.Thread(target=revoke, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {office.status_seen(certificate_id) for certificate_id in ids} == {INVALID}


def test_a_clock_behind_another_undoes_nothing(office: Office) -> None:
    """Two hosts, one clock five seconds ahead: its revocation stays published when the other publishes."""
    first, second = (office.service.issue(office.request_for(n)).summary.certificate_id for n in (1, 2))
    office.clock.turn(timedelta(seconds=5))
    office.revoke(first)
    office.clock.turn(-timedelta(seconds=5))
    office.revoke(second)
    office.service.publish_due()
    office.clock.turn(timedelta(seconds=5))
    assert office.status_seen(first) is INVALID
    assert office.status_seen(second) is INVALID


def test_a_lost_or_foreign_file_is_written_again_at_start(office: Office) -> None:
    certificate_id = issued(office)
    file = office.service.publication.path_of(URI)
    file.unlink()
    (office.folder / "new" / "half.new").write_bytes(b"half")
    assert office.restart().recover().published == (URI,)
    assert office.status_seen(certificate_id) is VALID
    assert not list((office.folder / "new").iterdir())
    file.write_bytes(b"not ours")
    assert office.restart().recover().published == (URI,)
    assert office.restart().recover().published == ()


def test_a_write_that_fails_leaves_the_old_file_and_no_litter(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate_id = issued(office)
    before = office.service.publication.path_of(URI).read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(PublicationDelayed):
            office.revoke(certificate_id)
    assert office.service.publication.path_of(URI).read_bytes() == before
    assert not list((office.folder / "new").iterdir())
    assert office.service.publish_due() == (URI,)


@pytest.mark.parametrize(
    "uri",
    [
        "https://east.example/lists/1",
        "https://east.example/status/",
        "https://east.example/status/../../etc/passwd",
        "https://east.example/status/a//b",
        "https://east.example/status/.hidden",
        "https://east.example/status/a%2fb",
    ],
)
def test_a_uri_that_is_no_plain_path_maps_to_no_file(uri: str, tmp_path: Path) -> None:
    with pytest.raises(StatusListMisplaced):
        StatusPublication(tmp_path).path_of(uri)


@pytest.mark.parametrize("inner", ["", "..", "../lock", "990100", "990100/civil-affairs/1/2", "\0", "none"])
def test_paths_that_hold_no_list(inner: str, office: Office) -> None:
    issued(office)
    with pytest.raises(StatusListNotFound):
        office.service.publication.read(inner)


def test_times_that_make_no_sense_are_refused(tmp_path: Path) -> None:
    for options in ({"ttl": timedelta(0)}, {"resign_after": DAY * 2}, {"lifetime": timedelta(minutes=1)}):
        with pytest.raises(ValueError, match="lifetime"):
            StatusPublication(tmp_path, **options)


def test_seals_of_two_offices_have_lists_of_their_own(office: Office) -> None:
    issued(office)
    assert not (office.folder / "lists" / OTHER_OFFICE).exists()
    assert OTHER_SEAL_ID.startswith(OTHER_OFFICE)
