"""How it stood then: originals of status lists, as they were signed, and never signed again (section 8.4)."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from issuer.errors import StatusListNotFound
from issuer.publication import StatusPublication
from issuer.status_archive import SignedList, StatusArchive, TokenForm
from keys.errors import KeyNotFound
from keys.signer import Signer
from tests.issuer.office import DAY, DAY_0, OFFICE, Office
from tests.issuer.test_statuses import FRAUD, INVALID, REVIEW, REVIEWED, SUSPENDED, URI, VALID, issued
from trust_registry.model import CertificateStatus, StatusSnapshot
from trust_registry.status_list import open_status_token, status_at_index

HOUR = timedelta(hours=1)
INNER = f"{OFFICE}/1"


def seen_then(
    office: Office, certificate_id: str, at: datetime, form: TokenForm = TokenForm.JWT
) -> CertificateStatus | None:
    token, _ = office.service.publication.read_then(INNER, at, form)
    found = open_status_token(token, uri=URI, view=office.view, at=at, fetched_at=office.clock())
    assert isinstance(found, StatusSnapshot), found
    assert found.issued_at <= at
    assert found.expires_at is not None
    assert at < found.expires_at, "a client MUST reject what was not in force then"
    return status_at_index(found.statuses, office.reference(certificate_id)[1])


def test_how_it_stood_at_any_time_since_it_was_issued(office: Office) -> None:
    certificate_id = issued(office)
    moments = {office.clock(): VALID}
    for status, reason in ((SUSPENDED, REVIEW), (VALID, REVIEWED), (INVALID, FRAUD)):
        office.clock.turn(HOUR)
        office.service.change_status(office.change(certificate_id, status, reason))
        moments[office.clock()] = status
    for _ in range(30):  # an idle day, signed again every hour
        office.clock.turn(HOUR)
        office.service.publish_due()
    for at, status in moments.items():
        for form in TokenForm:
            assert seen_then(office, certificate_id, at + timedelta(minutes=30), form) is status
    assert seen_then(office, certificate_id, office.clock() - timedelta(minutes=1)) is INVALID


def test_originals_are_answered_without_a_key(office: Office) -> None:
    certificate_id = issued(office)
    then = office.clock()
    office.clock.turn(2 * HOUR)

    def no_key(uri: str) -> Signer:
        raise KeyNotFound(uri)

    office.open_signer = no_key
    assert seen_then(office, certificate_id, then) is VALID


def test_nothing_is_made_up_for_times_without_a_list(office: Office) -> None:
    issued(office)
    publication = office.service.publication
    for at in (DAY_0 - DAY, office.clock() + 2 * DAY, datetime.min.replace(tzinfo=UTC)):
        with pytest.raises(StatusListNotFound):
            publication.read_then(INNER, at)
    for inner in (f"{OFFICE}/2", "../lock", "a\0b"):
        with pytest.raises(StatusListNotFound):
            publication.read_then(inner, office.clock())


def files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.jwt"))


def test_an_idle_list_costs_few_files_and_leaves_no_gap(office: Office) -> None:
    certificate_id = issued(office)
    start = office.clock()
    for _ in range(72):
        office.clock.turn(HOUR)
        office.service.publish_due()
    assert len(files(office.folder / "archive")) <= 8
    for hour in range(72):
        assert seen_then(office, certificate_id, start + hour * HOUR + timedelta(minutes=59)) is VALID


def signed(at: datetime, says: str = "a") -> SignedList:
    return SignedList(f"token of {at}", b"cbor", says * 64, at, at + DAY, at + HOUR)


def test_what_is_older_than_is_kept_is_removed_by_the_month(tmp_path: Path) -> None:
    archive = StatusArchive(tmp_path, 90 * DAY)
    first = datetime(2026, 1, 31, 23, tzinfo=UTC)
    archive.keep("office/1", signed(first))
    archive.keep("office/1", signed(first + 60 * DAY))
    assert archive.read("office/1", first + HOUR, TokenForm.JWT) == f"token of {first}".encode()
    assert archive.read("office/1", first + 2 * HOUR, TokenForm.CWT) == b"cbor"  # the month after, from the one before
    archive.keep("office/1", signed(first + 150 * DAY))
    with pytest.raises(StatusListNotFound):
        archive.read("office/1", first + HOUR, TokenForm.JWT)
    assert len(files(tmp_path)) == 2


def test_of_two_from_one_second_the_later_counts(tmp_path: Path) -> None:
    archive = StatusArchive(tmp_path, 90 * DAY)
    at = datetime(2026, 5, 1, tzinfo=UTC)
    archive.keep("office/1", signed(at, "b"))
    (first,) = files(tmp_path)
    os.utime(first, ns=(1, 1))
    archive.keep("office/1", signed(at, "a"))
    assert len(files(tmp_path)) == 2
    assert archive.read("office/1", at, TokenForm.JWT) == f"token of {at}".encode()


def test_a_crash_before_the_json_form_leaves_no_half_answer(tmp_path: Path) -> None:
    archive = StatusArchive(tmp_path, 90 * DAY)
    at = datetime(2026, 5, 1, tzinfo=UTC)
    archive.keep("office/1", signed(at))
    (kept,) = files(tmp_path)
    kept.with_suffix(".cwt").unlink()
    with pytest.raises(StatusListNotFound):
        archive.read("office/1", at, TokenForm.CWT)
    kept.unlink()
    with pytest.raises(StatusListNotFound):
        archive.read("office/1", at, TokenForm.JWT)


def test_a_list_without_its_cbor_form_is_put_right(office: Office) -> None:
    issued(office)
    cbor = office.folder / "cbor" / INNER
    cbor.unlink()
    assert office.restart().recover().published == (URI,)
    assert office.service.publication.read(INNER, TokenForm.CWT)[0][:1] == b"\xd2"
    assert StatusPublication(office.folder).complete(URI, office.service.publication.digest(URI))
