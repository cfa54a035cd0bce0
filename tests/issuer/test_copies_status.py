"""Copies for wallets: placed once, published before they are handed out, of one status with their certificate."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from issuer.copies import WalletCopies
from issuer.errors import CertificateRevoked, HolderErased, PublicationDelayed, SealKeyMismatch
from keys.algorithms import ES256
from keys.errors import TokenUnavailable
from tests.issuer.copying import ALL_PLACES, INVALID, MDOC, SD_JWT, SUSPENDED, VALID, Desk, jwks, place_of, rows
from tests.issuer.office import DAY_0
from trust_registry.model import CertificateStatus, StatusReason
from trust_registry.status_notes import note_at_index


def test_no_index_is_given_twice_to_certificates_or_copies(both: Desk) -> None:
    office = both.office
    services = [office.restart() for _ in range(3)]

    def work(n: int) -> None:
        service = services[n % 3]
        if n % 2:
            service.issue(office.request_for(n + 50))
        else:
            WalletCopies(service).make(both.certificate_id, both.holder, SD_JWT, jwks(3 + n % 4))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(36)))
    places = rows(office, ALL_PLACES)
    lists = rows(office, "SELECT size, used FROM issuer_status_lists")
    assert len(places) == len(set(places)) == 1 + 18 + sum(3 + n % 4 for n in range(0, 36, 2))
    assert sum(used for _, used in lists) == len(places)
    assert all(used <= size // 2 for size, used in lists)


def test_a_batch_larger_than_a_list(both: Desk) -> None:
    made = both.make(count=100)
    places = [place_of(each) for each in made]
    assert len(set(places)) == 100
    assert len({uri for uri, _ in places}) > 2
    assert all(both.status(each) is VALID for each in made)
    both.change(INVALID, StatusReason.OBTAINED_BY_FRAUD)
    assert all(both.status(each) is INVALID for each in made)


def test_a_list_is_published_before_a_copy_in_it_is_handed_out(desk: Desk) -> None:
    with desk.office.engine.begin() as connection:
        connection.execute(text("UPDATE issuer_status_lists SET used = size / 2"))  # the next copy opens a new list
    made = desk.one()
    assert place_of(made)[0].endswith("/2")
    assert desk.status(made) is VALID


def test_a_copy_whose_list_cannot_be_published_is_not_handed_out(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    with desk.office.engine.begin() as connection:
        connection.execute(text("UPDATE issuer_status_lists SET used = size / 2"))
    publish = desk.office.service.publication.publish
    with monkeypatch.context() as patched:
        patched.setattr(desk.office.service.publication, "publish", disk_full)
        with pytest.raises(PublicationDelayed):
            desk.make()
    assert desk.office.service.publication.publish == publish
    made = desk.one()
    assert desk.status(made) is VALID
    assert desk.copies.count(desk.certificate_id) == 2  # one of them in nobody's hands


def disk_full(*_: Any) -> None:
    raise OSError("disk full")


# --- after a crash


def test_a_crash_between_record_and_signature_leaves_an_index_that_nobody_uses(desk: Desk) -> None:
    office = desk.office

    class Dying:
        def __init__(self) -> None:
            self.public_key = office.keys.signers["file:/keys/seal"].public_key
            self.algorithm = ES256

        def sign(self, data: bytes) -> bytes:
            raise KeyboardInterrupt

    office.open_signer = lambda uri: Dying()  # type: ignore[return-value,assignment]
    with pytest.raises(KeyboardInterrupt):
        desk.make(count=3)
    office.open_signer = office.keys.signers.__getitem__
    office.restart().recover()
    made = desk.make(count=3)
    places = rows(office, ALL_PLACES)
    assert len(set(places)) == len(places) == 7
    assert {place_of(each)[1] for each in made} <= {index for _, index in places}
    desk.change(INVALID, StatusReason.SUPERSEDED)  # what was never handed out is revoked with the rest
    assert all(desk.status(each) is INVALID for each in made)


def test_a_signer_that_cannot_be_reached_is_found_out_before_anything_is_recorded(desk: Desk) -> None:
    def unreachable(uri: str) -> Any:
        raise TokenUnavailable("out")

    desk.office.open_signer = unreachable
    with pytest.raises(TokenUnavailable):
        desk.make()
    assert desk.copies.count(desk.certificate_id) == 0


def test_a_key_that_is_not_the_seals_signs_nothing(desk: Desk) -> None:
    desk.office.open_signer = lambda uri: desk.office.keys.signers["file:/keys/status"]
    for kind in (SD_JWT, MDOC):
        with pytest.raises(SealKeyMismatch):
            desk.make(kind)


# --- one status


def spread(desk: Desk) -> list[str | bytes]:
    """Copies in several lists, in both forms."""
    made: list[str | bytes] = [*desk.make(count=4), *desk.make(MDOC, 4)]
    with desk.office.engine.begin() as connection:
        connection.execute(text("UPDATE issuer_status_lists SET used = size / 2"))
    made += [*desk.make(count=3), *desk.make(MDOC, 3)]
    assert len({place_of(each)[0] for each in made}) == 2
    return made


def seen(desk: Desk, made: list[str | bytes]) -> set[CertificateStatus | None]:
    return {desk.status(each) for each in made} | {desk.office.status_seen(desk.certificate_id)}


def test_suspended_reinstated_and_revoked_with_its_certificate(both: Desk) -> None:
    made, office = spread(both), both.office
    bystander = both.make(certificate_id=office.service.issue(office.request("other")).summary.certificate_id)
    assert seen(both, made) == {VALID}
    both.change(SUSPENDED, StatusReason.UNDER_REVIEW)
    assert seen(both, made) == {SUSPENDED}
    office.clock.turn(timedelta(minutes=3))
    both.change(VALID, StatusReason.REVIEW_ENDED)
    assert seen(both, made) == {VALID}
    both.change(INVALID, StatusReason.OBTAINED_BY_FRAUD)
    assert seen(both, made) == {INVALID}
    for each in made:
        uri, index = place_of(each)
        snapshot = office.published(uri)
        note = note_at_index(snapshot.statuses, snapshot.notes, index)
        assert note is not None
        assert (note.reason, note.since) == (StatusReason.OBTAINED_BY_FRAUD, office.clock())
        assert both.judged(each).decisive.code == "status_revoked_because"  # type: ignore[union-attr]
    assert both.status(bystander[0]) is VALID
    # One history, however many copies there are.
    assert [r.status for r in office.service.status_history(both.certificate_id)] == [SUSPENDED, VALID, INVALID]


def test_a_change_to_come_comes_for_copies_made_before_and_after_it_was_recorded(both: Desk) -> None:
    office = both.office
    made = spread(both)
    both.change(INVALID, StatusReason.ENTITLEMENT_ENDED, DAY_0 + timedelta(minutes=20))
    with office.engine.begin() as connection:
        connection.execute(text("UPDATE issuer_status_lists SET used = size / 2"))
    made += both.make(count=2)  # in a list where nothing stood when the change was recorded
    office.clock.turn(timedelta(minutes=19))
    office.service.publish_due()
    made += both.make(count=2)
    assert seen(both, made) == {VALID}
    office.clock.turn(timedelta(minutes=1))
    assert len(office.service.publish_due()) == 3
    assert seen(both, made) == {INVALID}
    with pytest.raises(CertificateRevoked):
        both.make()


def test_what_was_changed_and_not_yet_published_is_put_right_after_a_crash(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = spread(desk)
    with monkeypatch.context() as patched:
        patched.setattr(desk.office.service.publication, "publish", disk_full)
        with pytest.raises(PublicationDelayed):
            desk.change(INVALID, StatusReason.SUPERSEDED)
    assert seen(desk, made) == {VALID}
    desk.office.restart().recover()
    assert seen(desk, made) == {INVALID}


def test_copies_and_changes_at_once_leave_no_copy_behind(both: Desk) -> None:
    """Whichever comes first: a copy recorded before the change is revoked by it, and after it there is none."""
    office = both.office
    made: list[str | bytes] = []

    def copy(n: int) -> None:
        try:
            made.extend(WalletCopies(office.restart()).make(both.certificate_id, both.holder, SD_JWT, jwks(2)))
        except CertificateRevoked:
            pass

    with ThreadPoolExecutor(4) as pool:
        before = [pool.submit(copy, n) for n in range(6)]
        change = pool.submit(both.change, INVALID, StatusReason.SUPERSEDED)
        after = [pool.submit(copy, n) for n in range(6)]
        for each in (*before, change, *after):
            each.result()
    assert {both.status(each) for each in made} <= {INVALID}
    assert both.copies.count(both.certificate_id) == len(made)


# --- the holder


def test_erasing_a_holder_erases_when_they_got_copies_and_ends_them(both: Desk) -> None:
    office, made = both.office, both.make(count=2)
    office.service.erase_holder(both.holder)
    assert rows(office, "SELECT DISTINCT made_at FROM issuer_copies") == [(None,)]
    with pytest.raises(HolderErased):
        both.make()
    assert both.copies.count(both.certificate_id) == 2
    office.revoke(both.certificate_id)  # numbers and statuses stay, so that it still can be revoked
    assert {both.status(each) for each in made} == {INVALID}


def test_no_key_of_a_wallet_is_kept(desk: Desk) -> None:
    desk.make(count=2)
    kept = repr(rows(desk.office, "SELECT * FROM issuer_copies"))
    assert not any(value in kept for key in jwks(2) for value in (key["x"], key["y"]))
