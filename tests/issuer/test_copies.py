"""Copies for wallets: bound, placed and published; refused where they must be; of one status with their certificate."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from issuer.copies import WalletCopies
from issuer.copy_rules import COPIES, COPIES_WITHIN
from issuer.errors import (
    CertificateNotFound,
    CertificateNotPublished,
    CertificateOver,
    CertificateRevoked,
    CertificateSuspended,
    CertificateVoided,
    CopyKeysInvalid,
    HolderErased,
    IssuerNotEntitled,
    IssuerNotListed,
    PublicationDelayed,
    SealKeyMismatch,
    SealNotInForce,
    TooManyCopies,
    TypeUnknown,
)
from issuer.explaining import explain
from issuer.model import HolderKind, RenderingKind
from keys.algorithms import EDDSA, ES256, ES384
from keys.envelopes.mdoc import parse_mdoc
from keys.envelopes.sd_jwt import bind_key, parse_sd_jwt
from keys.errors import TokenUnavailable
from keys.signer import EphemeralSigner
from tests.issuer.office import (
    CLAIMS,
    DAY,
    DAY_0,
    NUMBER,
    OTHER_OFFICE,
    Office,
    history,
    open_office,
)
from trust_registry.edges import HolderId
from trust_registry.model import CertificateStatus, EntryReason, EntryStatus, StatusReason, StatusView
from trust_registry.status_list import status_at_index
from trust_registry.status_notes import note_at_index
from verifier.core import judge
from verifier.evidence import parse
from verifier.model import Credential, ExpectedBinding, Indication, MobileDocument, Policy, Report

SD_JWT, MDOC = RenderingKind.SD_JWT_VC, RenderingKind.MDOC
VALID, INVALID, SUSPENDED = CertificateStatus.VALID, CertificateStatus.INVALID, CertificateStatus.SUSPENDED
_KEYS = [EphemeralSigner.generate(ES256) for _ in range(12)]


def jwks(count: int, start: int = 0) -> list[dict[str, str]]:
    while len(_KEYS) < start + count:
        _KEYS.append(EphemeralSigner.generate(ES256))
    return [key.public_key.jwk() for key in _KEYS[start : start + count]]


class Desk:
    """An office with one certificate in somebody's hands."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.certificate_id = office.service.issue(office.request()).summary.certificate_id
        holder = office.service.find_holder(HolderKind.CITIZEN, NUMBER)
        assert holder is not None
        self.holder = holder

    @property
    def copies(self) -> WalletCopies:
        return WalletCopies(self.office.service)

    def make(self, kind: RenderingKind = SD_JWT, count: int = 1, **changes: Any) -> tuple[str | bytes, ...]:
        asked = {"certificate_id": self.certificate_id, "holder_id": self.holder, "kind": kind, "keys": jwks(count)}
        return self.copies.make(**(asked | changes))

    def one(self, kind: RenderingKind = SD_JWT) -> Any:
        return self.make(kind)[0]

    def statuses(self) -> StatusView:
        """Every list that there is, as verifiers read it."""
        lists = self.office.service.store.status_lists()
        return StatusView({one.uri: self.office.published(one.uri) for one in lists})

    def status(self, made: str | bytes) -> CertificateStatus | None:
        uri, index = place_of(made)
        return status_at_index(self.office.published(uri).statuses, index)

    def judged(self, made: str | bytes, policy: Policy | None = None) -> Report:
        policy = policy or Policy(accepting=None)
        return judge(parse(made), self.office.view, self.statuses(), policy, self.office.clock())

    def change(self, status: CertificateStatus, reason: StatusReason, at: datetime | None = None) -> None:
        self.office.service.change_status(self.office.change(self.certificate_id, status, reason, at))


def place_of(made: str | bytes) -> tuple[str, int]:
    said = parse_sd_jwt(made).claims["status"] if isinstance(made, str) else parse_mdoc(made).mso.status
    assert said is not None
    return said["status_list"]["uri"], said["status_list"]["idx"]


def rows(office: Office, query: str) -> list[Any]:
    with office.engine.connect() as connection:
        return list(connection.execute(text(query)).all())


ALL_PLACES = (
    "SELECT status_list, status_index FROM issuer_certificates "
    "UNION ALL SELECT status_list, status_index FROM issuer_copies"
)


@pytest.fixture
def desk(office: Office) -> Desk:
    return Desk(office)


@pytest.fixture
def both(database_url: str, tmp_path: Path) -> Iterator[Desk]:
    with open_office(database_url, tmp_path / "status", list_size=64) as opened:
        yield Desk(opened)


# --- what is made


def test_an_sd_jwt_copy_is_the_certificate_bound_to_the_wallets_key(desk: Desk) -> None:
    office = desk.office
    made = desk.one()
    bound = bind_key(made, signer=_KEYS[0], nonce="n", audience="hall", issued_at=office.clock())
    report = desk.judged(bound, Policy(binding=ExpectedBinding("n", "hall")))
    assert report.indication is Indication.PASSED, report.findings
    assert report.attestation is not None
    assert (report.attestation.certificate_id, dict(report.attestation.claims)) == (desk.certificate_id, CLAIMS)
    assert place_of(made) != office.reference(desk.certificate_id)


def test_an_mdoc_copy_is_the_certificate_bound_to_the_wallets_key(desk: Desk) -> None:
    made = desk.one(MDOC)
    report = desk.judged(made)
    assert report.indication is Indication.PASSED, report.findings
    assert report.attestation is not None
    assert (report.attestation.certificate_id, dict(report.attestation.claims)) == (desk.certificate_id, CLAIMS)
    assert report.attestation.holder_key == jwks(1)[0]


@pytest.mark.parametrize("algorithm", [ES256, ES384, EDDSA])
@pytest.mark.parametrize("kind", [SD_JWT, MDOC])
def test_nothing_but_the_public_key_is_signed_of_a_wallets_key(desk: Desk, kind: RenderingKind, algorithm: Any) -> None:
    jwk = EphemeralSigner.generate(algorithm).public_key.jwk()
    (made,) = desk.make(kind, keys=[{**jwk, "kid": "device-1", "use": "sig", "alg": algorithm.jose, "x5c": ["AA=="]}])
    evidence = parse(made)
    assert isinstance(evidence, Credential | MobileDocument)
    assert evidence.attestation is not None
    assert evidence.attestation.holder_key == jwk


def test_copies_come_in_the_order_of_their_keys(desk: Desk) -> None:
    made = desk.make(count=5)
    assert [parse_sd_jwt(str(each)).claims["cnf"]["jwk"] for each in made] == jwks(5)


def test_a_certificate_bound_to_a_key_gives_copies_for_other_keys_alone(office: Office) -> None:
    desk = Desk(office)
    bound = office.service.issue(office.request("bound", holder_key=jwks(1, 9)[0])).summary.certificate_id
    (made,) = desk.make(certificate_id=bound)
    assert parse_sd_jwt(str(made)).claims["cnf"] == {"jwk": jwks(1)[0]}


def test_only_an_sd_jwt_or_an_mdoc_can_be_copied(desk: Desk) -> None:
    for kind in (RenderingKind.PDF, RenderingKind.QR):
        with pytest.raises(ValueError, match="SD-JWT VCs or mdocs"):
            desk.make(kind)


# --- refusals: each says what to do, and nothing is recorded


def refused(desk: Desk, error: type[Exception], **changes: Any) -> Any:
    before = rows(desk.office, ALL_PLACES)
    for kind in (SD_JWT, MDOC):
        with pytest.raises(error) as caught:
            desk.make(kind, **changes)
    assert rows(desk.office, ALL_PLACES) == before
    words = explain(caught.value)  # type: ignore[arg-type]
    assert words.zh
    assert words.en
    return caught.value


def test_no_copies_of_what_is_not_there(desk: Desk) -> None:
    refused(desk, CertificateNotFound, certificate_id="1.2.156.3005.2.nothing")


def test_no_copies_of_another_holders_certificate(desk: Desk) -> None:
    office = desk.office
    other = office.service.issue(office.request_for(40)).summary.certificate_id
    refused(desk, CertificateNotFound, certificate_id=other)
    refused(desk, CertificateNotFound, holder_id=HolderId(""))


def test_no_copies_of_what_is_recorded_and_not_sealed(desk: Desk) -> None:
    office = desk.office
    with office.engine.begin() as connection:
        connection.execute(text("UPDATE issuer_certificates SET state = 'recorded'"))
    refused(desk, CertificateNotPublished)
    with office.engine.begin() as connection:
        connection.execute(text("UPDATE issuer_certificates SET state = 'voided'"))
    refused(desk, CertificateVoided)


def test_no_copies_while_it_is_suspended(desk: Desk) -> None:
    desk.change(SUSPENDED, StatusReason.UNDER_REVIEW)
    assert refused(desk, CertificateSuspended).since == DAY_0
    desk.change(VALID, StatusReason.REVIEW_ENDED)
    assert desk.status(desk.one()) is VALID


def test_no_copies_of_what_is_revoked(desk: Desk) -> None:
    desk.change(INVALID, StatusReason.SUPERSEDED)
    assert refused(desk, CertificateRevoked).since == DAY_0


def test_no_copies_of_what_is_over_or_nearly(desk: Desk) -> None:
    """The end is rounded down to the hour, so in its last hour a copy would be over already."""
    office = desk.office
    with office.engine.begin() as connection:
        end = DAY_0 + timedelta(hours=30, minutes=20)
        connection.execute(text("UPDATE issuer_certificates SET valid_until = :end"), {"end": stored(office, end)})
    office.clock.turn(timedelta(hours=29, minutes=59))
    assert parse_sd_jwt(desk.one()).claims["exp"] == int((DAY_0 + timedelta(hours=30)).timestamp())
    assert parse_mdoc(desk.one(MDOC)).mso.validity.valid_until == DAY_0 + timedelta(hours=30)
    for minutes in (1, 21):
        office.clock.turn(timedelta(minutes=minutes))
        assert refused(desk, CertificateOver).valid_until == end


def stored(office: Office, instant: datetime) -> Any:
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def test_no_copies_under_a_seal_that_may_not_be_used_now(desk: Desk) -> None:
    office, entry = desk.office, desk.office.entry
    gone = history(
        (EntryStatus.GRANTED, DAY_0 - DAY, EntryReason.INITIAL),
        (EntryStatus.SUSPENDED, DAY_0, EntryReason.KEY_COMPROMISE),
    )
    office.entry = replace(entry, seals=(replace(entry.seals[0], history=gone),))
    refused(desk, SealNotInForce)
    office.entry = replace(entry, grants=())
    refused(desk, IssuerNotEntitled)
    office.entry = replace(entry, id=OTHER_OFFICE)
    office.other_entry = replace(entry, id=OTHER_OFFICE)
    refused(desk, IssuerNotListed)
    office.entry, office.types = entry, ()
    refused(desk, TypeUnknown)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ([], "there is none"),
        ([{"kty": "oct", "k": "AAAA"}], "not a public JWK"),
        ([{**jwks(1)[0], "d": "AAAA"}], "not a public JWK"),
        ([{"kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA"}], "not a public JWK"),
        ([{**jwks(1)[0], "y": jwks(1)[0]["x"]}], "not a public JWK"),
        ([{**jwks(1)[0], "crv": ["P-256"]}], "not a public JWK"),
        ([{}], "not a public JWK"),
        ([*jwks(2), {**jwks(1)[0], "kid": "again"}], "the same key is there twice"),
    ],
)
def test_keys_that_no_copy_is_bound_to(desk: Desk, keys: list[Any], said: str) -> None:
    assert refused(desk, CopyKeysInvalid, keys=keys).reason == said


def test_so_many_copies_and_no_more_until_the_first_are_old(desk: Desk) -> None:
    office = desk.office
    desk.make(count=COPIES - 10)
    office.clock.turn(timedelta(hours=5))
    desk.make(count=10)
    later = refused(desk, TooManyCopies)
    assert (later.limit, later.again_at) == (COPIES, DAY_0 + COPIES_WITHIN)
    assert refused(desk, TooManyCopies, keys=jwks(COPIES - 9)).again_at == DAY_0 + timedelta(hours=5) + COPIES_WITHIN
    assert refused(desk, TooManyCopies, keys=jwks(COPIES + 1)).limit == COPIES
    office.clock.now = DAY_0 + COPIES_WITHIN
    office.service.publish_due()
    desk.make(count=COPIES - 10)
    assert desk.copies.count(desk.certificate_id) == 2 * COPIES - 10


# --- places


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
