"""Case files: what was verified in 2026 still proves it decades later, without a server, and nothing else does."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keys.algorithms import ES256, ES384
from keys.envelopes.strict_zip import write_zip
from keys.model import Algorithm
from keys.signer import EphemeralSigner
from keys.timestamps import EmbeddedTimestamper
from keys.x509 import Certificate, Profile, make_certificate, make_region_ca
from tests.world.founding import DAY, DAY_0
from tests.world.simulator import Issued, Region, World
from trust_registry.bundle import make_bundle
from trust_registry.catalogue import MARRIAGE_CERTIFICATE as MARRIAGE
from trust_registry.client import TrustStore
from trust_registry.model import EntryReason, RelyingPartyId, TrustView
from verifier import messages
from verifier.archives import (
    CaseVerdict,
    is_case_file,
    make_case_file,
    read_case_file,
    renew_case_file,
    renewal_due,
    verify_case_file,
)
from verifier.model import EvidenceKind, Finding, Indication, Report, SubIndication
from verifier.receipts import ReceiptKey, make_receipt, sign_receipt

YEAR = timedelta(days=365)
HOUR = timedelta(hours=1)
HALL = RelyingPartyId("990200/government-hall")
ARCHIVED = DAY_0 + DAY


@pytest.fixture
def certificate(world: World, east: Region, west: Region) -> Issued:
    """Issued, and a day later shown at the counter."""
    made = east.office("civil-affairs").issue(MARRIAGE)
    world.turn_to(ARCHIVED)
    return made


@pytest.fixture
def successor() -> Iterator[Algorithm]:
    """ES384 plays the method of the future: it counts until 2070, while ES256 ends in 2036."""
    before = ES384.sunset
    object.__setattr__(ES384, "sunset", datetime(2070, 1, 1, tzinfo=UTC))
    yield ES384
    object.__setattr__(ES384, "sunset", before)


def store_of(region: Region) -> TrustStore:
    return TrustStore(region.counter.keeper._store.folder)


def roots(region: Region) -> tuple[bytes, ...]:
    """What the machine of this region's records office trusts."""
    history = store_of(region).metadata_folder / "root_history"
    return tuple(path.read_bytes() for path in sorted(history.iterdir()))


def now_view(region: Region) -> TrustView:
    region.counter.refresh()
    view = region.counter.keeper.view
    assert view is not None
    return view


def stamper(region: Region, at: datetime) -> EmbeddedTimestamper:
    keys = region.custody.timestamper
    return EmbeddedTimestamper(keys.signer, keys.certificate, (), lambda: at)


def receipt_for(region: Region, report: Report) -> str:
    keeper = region.counter.keeper
    made = make_receipt(
        report,
        receipt_id="r1",
        relying_party=HALL,
        issued_at=report.judged_at,
        trust=keeper.view,
        statuses=keeper.statuses,
    )
    return sign_receipt(made, ReceiptKey(region.custody.hall.signer, region.custody.hall.certificate))


def archived(region: Region, by: Region, evidence: bytes | str, *, receipt: bool = True) -> bytes:
    """What the counter of `region` files today, stamped by the time-stamper of `by`."""
    report = region.verify(evidence)
    return make_case_file(
        evidence,
        report,
        timestamper=stamper(by, region.world.now),
        made_at=region.world.now,
        trust=make_bundle(store_of(region), region.world.now),
        receipt=receipt_for(region, report) if receipt else None,
    )


def code(verdict: CaseVerdict) -> str | None:
    for finding in verdict.report.findings:
        for language in ("zh", "en"):
            assert messages.sentence(finding, language)
            messages.finding_next_step(finding, language)
    return None if verdict.report.decisive is None else verdict.report.decisive.code


def found(verdict: CaseVerdict, wanted: str) -> Finding:
    return next(each for each in verdict.report.findings if each.code == wanted)


@dataclass(frozen=True)
class Authority:
    """A time-stamping authority of later, which nobody lists: whoever believes it names it as an anchor."""

    anchor: Certificate
    timestamper: EmbeddedTimestamper


def authority(algorithm: Algorithm, since: datetime, until: datetime, at: datetime) -> Authority:
    ca_signer, key = EphemeralSigner.generate(algorithm), EphemeralSigner.generate(algorithm)
    anchor = make_region_ca(
        ca_signer, common_name=f"{since}", organisation="o", region="990100", not_before=since, not_after=until
    )
    made = make_certificate(
        Profile.TIMESTAMP,
        ca_signer=ca_signer,
        ca=anchor,
        subject_key=key.public_key,
        common_name="TSA",
        organisation="o",
        uscc=None,
        uri=None,
        not_before=since,
        not_after=until,
    )
    return Authority(anchor, EmbeddedTimestamper(key, made, (), lambda: at))


def changed(case: bytes, changes: dict[str, bytes | None]) -> bytes:
    with zipfile.ZipFile(io.BytesIO(case)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members |= {name: content for name, content in changes.items() if content is not None}
    for name, content in changes.items():
        if content is None:
            del members[name]
    return write_zip(members, stored=("mimetype",))


def test_what_was_accepted_is_shown_to_have_been_accepted(
    certificate: Issued,
    east: Region,
    west: Region,
) -> None:
    for evidence in certificate.renderings:
        case = archived(west, east, evidence)
        assert is_case_file(case)
        verdict = verify_case_file(case, known_roots=roots(west), at=ARCHIVED + 30 * DAY)
        assert code(verdict) is None
        assert (verdict.report.indication, verdict.recorded) == (Indication.PASSED, Indication.PASSED)
        assert (verdict.report.kind, verdict.proven_at) == (EvidenceKind.ARCHIVE, ARCHIVED)
        codes = {finding.code for finding in verdict.report.findings}
        assert {"archive_whole", "archive_proven", "archive_receipt_ok", "time_proven", "recognised"} <= codes
        assert verdict.report.attestation is not None


def test_a_refusal_is_kept_as_a_refusal(certificate: Issued, east: Region, west: Region) -> None:
    certificate.office.revokes(certificate)
    west.world.turn_to(ARCHIVED + DAY)
    verdict = verify_case_file(archived(west, east, certificate.qr), known_roots=roots(west), at=ARCHIVED + 2 * DAY)
    assert (verdict.recorded, verdict.report.indication) == (Indication.FAILED, Indication.FAILED)
    assert code(verdict) == "status_revoked_because"


def test_a_revocation_after_that_day_does_not_undo_the_day(
    certificate: Issued,
    east: Region,
    west: Region,
) -> None:
    case = archived(west, east, certificate.qr)
    west.world.turn_to(ARCHIVED + DAY)
    certificate.office.revokes(certificate)
    verdict = verify_case_file(case, known_roots=roots(west), trust_now=now_view(west), at=west.world.now)
    assert code(verdict) is None


# --- decades


def renewed_until_2056(case: bytes) -> tuple[bytes, tuple[Certificate, ...]]:
    """Renewed in 2028, 2035 and 2045 by authorities of their day, each before the one before it ended."""
    anchors = []
    for year, until, algorithm in ((2028, 2036, ES256), (2035, 2046, ES384), (2045, 2057, ES384)):
        at = datetime(year, 6, 1, tzinfo=UTC)
        made = authority(algorithm, at - YEAR, datetime(until, 1, 1, tzinfo=UTC), at)
        case = renew_case_file(case, made.timestamper, at)
        anchors.append(made.anchor)
    return case, tuple(anchors)


def test_thirty_years_later_with_everything_expired_it_still_proves_2026(
    certificate: Issued,
    east: Region,
    west: Region,
    successor: Algorithm,
) -> None:
    """Seal, CA, time-stampers and TUF metadata have expired, ES256 is broken since 2036, and no server is left."""
    for evidence in certificate.renderings:
        case, anchors = renewed_until_2056(archived(west, east, evidence))
        at = datetime(2056, 6, 1, tzinfo=UTC)
        verdict = verify_case_file(case, known_roots=roots(west)[:1], anchors=anchors, at=at)
        assert code(verdict) is None
        assert verdict.proven_at == ARCHIVED
        assert found(verdict, "archive_proven").facts["stamps"] == 4


def test_every_renewal_is_needed(
    certificate: Issued,
    east: Region,
    west: Region,
    successor: Algorithm,
) -> None:
    case, anchors = renewed_until_2056(archived(west, east, certificate.qr))
    at = datetime(2056, 6, 1, tzinfo=UTC)
    for missing in range(3):
        without = tuple(anchor for anchor in anchors if anchor is not anchors[missing])
        verdict = verify_case_file(case, known_roots=roots(west), anchors=without, at=at)
        assert verdict.report.indication is Indication.INDETERMINATE
    verdict = verify_case_file(case, known_roots=roots(west), anchors=anchors, at=datetime(2058, 1, 1, tzinfo=UTC))
    assert (code(verdict), verdict.report.sub_indication) == ("archive_renewal_missed", SubIndication.NO_POE)


def test_a_missed_renewal_is_told_with_the_day_on_which_the_proof_ended(
    certificate: Issued,
    east: Region,
    west: Region,
) -> None:
    case = archived(west, east, certificate.qr)
    ended = east.custody.timestamper.certificate.not_after
    assert renewal_due(read_case_file(case).container) == ended
    before = verify_case_file(case, known_roots=roots(west), at=ended - HOUR)
    assert before.report.indication is Indication.PASSED
    after = verify_case_file(case, known_roots=roots(west), at=ended + HOUR)
    assert (code(after), after.report.sub_indication) == ("archive_renewal_missed", SubIndication.NO_POE)
    assert after.report.indication is Indication.INDETERMINATE
    assert found(after, "archive_renewal_missed").facts["ended"] == ended
    assert after.recorded is Indication.PASSED


def test_a_renewal_that_comes_too_late_proves_only_its_own_day(
    certificate: Issued,
    east: Region,
    west: Region,
    successor: Algorithm,
) -> None:
    late = datetime(2040, 1, 1, tzinfo=UTC)
    made = authority(ES384, late - YEAR, late + 10 * YEAR, late)
    case = renew_case_file(archived(west, east, certificate.qr), made.timestamper, late)
    verdict = verify_case_file(case, known_roots=roots(west), anchors=(made.anchor,), at=late + YEAR)
    assert verdict.proven_at == late
    assert found(verdict, "archive_proven_late").facts["at"] == late
    assert verdict.report.indication is Indication.INDETERMINATE
    codes = {finding.code for finding in verdict.report.findings}
    assert "archive_trust_outdated" in codes  # by 2040 anybody could have signed trust data with ES256


def test_a_digest_that_is_no_longer_collision_free_is_saved_by_a_renewal_before(
    certificate: Issued,
    east: Region,
    west: Region,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    case = archived(west, east, certificate.qr)
    end = ARCHIVED + 100 * DAY
    renewed_at = end - DAY
    renewed = renew_case_file(case, stamper(east, renewed_at), renewed_at)
    monkeypatch.setattr("keys.digests.DIGEST_SUNSETS", {"sha256": end, "sha384": None, "sha512": None})
    stronger = renew_case_file(case, stamper(east, end + DAY), end + DAY)
    assert read_case_file(stronger).container.assertions[-1].token.digest_algorithm == "sha384"  # type: ignore[union-attr]
    for data in (case, renewed):
        verdict = verify_case_file(data, known_roots=roots(west), at=end + DAY)
        assert code(verdict) == "archive_renewal_missed"


def test_trust_data_that_come_with_a_renewal_make_it_last_by_itself(
    certificate: Issued,
    east: Region,
    west: Region,
    world: World,
) -> None:
    """A new time-stamper, listed since: the case file brings along who says so, and needs nothing else."""
    case = archived(west, east, certificate.qr)
    at = ARCHIVED + 100 * DAY
    world.turn_to(at)
    keys = west.custody.certify("new timestamps", Profile.TIMESTAMP)
    from trust_registry.model import KeyUse

    west.publish(lambda list_: replace(list_, authorities=(*list_.authorities, keys.listed(KeyUse.TIMESTAMP, at))))
    first = roots(west)[:1]
    now_view(west)
    new = EmbeddedTimestamper(keys.signer, keys.certificate, (), lambda: at)
    bare = renew_case_file(case, new, at)
    assert code(verify_case_file(bare, known_roots=first, at=at + DAY)) is None  # the first stamp still stands
    brought = renew_case_file(case, new, at, make_bundle(store_of(west), at))
    verdict = verify_case_file(brought, known_roots=first, at=at + DAY)
    assert [stamp.standing.value for stamp in verdict.stamps] == ["good", "good"]
    assert [s.standing.value for s in verify_case_file(bare, known_roots=first, at=at + DAY).stamps] == [
        "good",
        "refused",
    ]


# --- what became known later


def test_a_compromise_from_after_the_archive_stamp_changes_nothing(
    certificate: Issued,
    east: Region,
    west: Region,
    world: World,
) -> None:
    case = archived(west, east, certificate.qr)
    stolen = ARCHIVED + 10 * DAY
    east.withdraw(certificate.seal, at=stolen + DAY, reason=EntryReason.KEY_COMPROMISE, invalidity_date=stolen)
    verdict = verify_case_file(case, known_roots=roots(west), trust_now=now_view(west), at=world.now)
    assert code(verdict) is None


def test_a_compromise_from_before_the_archive_stamp_is_honoured_once_it_is_known(
    certificate: Issued,
    east: Region,
    west: Region,
    world: World,
) -> None:
    case = archived(west, east, certificate.qr)
    east.withdraw(
        certificate.seal, at=ARCHIVED + DAY, reason=EntryReason.KEY_COMPROMISE, invalidity_date=ARCHIVED - HOUR
    )
    verdict = verify_case_file(case, known_roots=roots(west), trust_now=now_view(west), at=world.now)
    assert (code(verdict), verdict.report.sub_indication) == ("key_compromised", SubIndication.REVOKED_NO_POE)
    assert verdict.recorded is Indication.PASSED
    unaware = verify_case_file(case, known_roots=roots(west), at=world.now)
    assert code(unaware) is None  # nobody who has no newer trust data can know


def test_a_stamper_whose_key_was_stolen_before_proves_nothing(
    certificate: Issued,
    east: Region,
    west: Region,
    world: World,
) -> None:
    case = archived(west, east, certificate.qr)
    from trust_registry.model import EntryStatus, KeyUse, StatusChange

    world.turn_to(ARCHIVED + DAY)
    change = StatusChange(EntryStatus.WITHDRAWN, world.now, EntryReason.KEY_COMPROMISE, ARCHIVED - HOUR)
    east.publish(
        lambda list_: replace(
            list_,
            authorities=tuple(
                replace(key, history=(*key.history, change)) if key.use is KeyUse.TIMESTAMP else key
                for key in list_.authorities
            ),
        )
    )
    verdict = verify_case_file(case, known_roots=roots(west), trust_now=now_view(west), at=world.now)
    assert (code(verdict), verdict.proven_at) == ("archive_not_proven", None)


def test_after_the_issuers_region_has_left_the_archive_still_speaks(
    certificate: Issued,
    east: Region,
    west: Region,
    world: World,
) -> None:
    case = archived(west, east, certificate.qr)
    world.turn_to(ARCHIVED + 10 * DAY)
    view = now_view(west)
    without = {each: list_ for each, list_ in view.lists.items() if each != east.code}
    gone = replace(view, lists=without)
    renewed_at = world.now
    case = renew_case_file(case, stamper(west, renewed_at), renewed_at)
    for trust_now in (gone, None):
        verdict = verify_case_file(case, known_roots=roots(west), trust_now=trust_now, at=world.now)
        assert code(verdict) is None


def test_a_verdict_is_not_filed_after_its_day(certificate: Issued, east: Region, west: Region, world: World) -> None:
    """The attack: how it stood before the revocation, put into a case file after it, with genuine old data."""
    report = west.verify(certificate.qr)
    old = make_bundle(store_of(west), ARCHIVED)
    certificate.office.revokes(certificate)
    world.turn_to(ARCHIVED + 3 * DAY)
    case = make_case_file(certificate.qr, report, timestamper=stamper(east, world.now), made_at=world.now, trust=old)
    verdict = verify_case_file(case, known_roots=roots(west), at=world.now)
    assert (code(verdict), verdict.report.indication) == ("archive_dates_differ", Indication.INDETERMINATE)


# --- what was altered


@pytest.mark.parametrize(
    "name",
    ["evidence/evidence.txt", "report/report.json", "receipt/receipt.txt", "README.txt", "trust/metadata/targets.json"],
)
def test_an_altered_part_is_named(
    certificate: Issued,
    east: Region,
    west: Region,
    name: str,
) -> None:
    case = archived(west, east, certificate.qr)
    for content in (b"{}", None):
        verdict = verify_case_file(changed(case, {name: content}), known_roots=roots(west), at=ARCHIVED)
        assert (verdict.report.indication, code(verdict)) == (Indication.FAILED, "archive_altered")
        assert name in found(verdict, "archive_altered").facts["names"]


def test_what_was_put_in_later_is_told(certificate: Issued, east: Region, west: Region) -> None:
    case = changed(archived(west, east, certificate.qr), {"note.txt": b"It was all a mistake."})
    verdict = verify_case_file(case, known_roots=roots(west), at=ARCHIVED)
    assert (code(verdict), verdict.report.indication) == ("archive_not_covered", Indication.INDETERMINATE)
    assert found(verdict, "archive_not_covered").facts["names"] == "note.txt"


def test_a_receipt_about_something_else_is_noticed(
    certificate: Issued,
    east: Region,
    west: Region,
) -> None:
    report, other = west.verify(certificate.qr), west.verify(certificate.sd_jwt)
    stranger = ReceiptKey(EphemeralSigner.generate(ES256), west.custody.hall.certificate)
    genuine = receipt_for(west, report)
    forged = sign_receipt(
        make_receipt(
            report,
            receipt_id="r2",
            relying_party=HALL,
            issued_at=ARCHIVED,
            trust=west.counter.keeper.view,
            statuses=west.counter.keeper.statuses,
        ),
        stranger,
    )
    for receipt, expected in (
        (genuine, None),
        (receipt_for(west, other), "archive_receipt_differs"),
        ("not.a.receipt", "archive_receipt_differs"),
        (certificate.qr, "archive_receipt_differs"),
        (forged, "archive_receipt_doubtful"),
    ):
        case = make_case_file(
            certificate.qr,
            report,
            timestamper=stamper(east, ARCHIVED),
            made_at=ARCHIVED,
            trust=make_bundle(store_of(west), ARCHIVED),
            receipt=receipt,
        )
        assert code(verify_case_file(case, known_roots=roots(west), at=ARCHIVED)) == expected


def test_a_recorded_verdict_that_the_evidence_does_not_give_is_told_beside_the_true_one(
    certificate: Issued,
    east: Region,
    west: Region,
) -> None:
    certificate.office.suspends(certificate)
    west.world.turn_to(ARCHIVED + DAY)
    report = west.verify(certificate.qr)
    assert report.indication is Indication.INDETERMINATE
    flattered = replace(report, indication=Indication.PASSED, sub_indication=None)
    case = make_case_file(
        certificate.qr,
        flattered,
        timestamper=stamper(east, west.world.now),
        made_at=west.world.now,
        trust=make_bundle(store_of(west), west.world.now),
    )
    verdict = verify_case_file(case, known_roots=roots(west), at=west.world.now)
    facts = found(verdict, "archive_verdict_differs").facts
    assert (facts["recorded"], facts["found"]) == (Indication.PASSED, Indication.INDETERMINATE)
    assert verdict.report.indication is Indication.INDETERMINATE


# --- whom to believe


def test_trust_data_of_a_network_that_is_not_known_here_are_not_believed(
    certificate: Issued,
    east: Region,
    west: Region,
) -> None:
    case = archived(west, east, certificate.qr)
    verdict = verify_case_file(case, known_roots=(), at=ARCHIVED)
    assert verdict.report.indication is Indication.INDETERMINATE
    codes = {finding.code for finding in verdict.report.findings}
    assert {"archive_network_unknown", "archive_not_proven"} <= codes


def test_trust_data_that_do_not_verify_are_told(
    certificate: Issued,
    east: Region,
    west: Region,
) -> None:
    report = west.verify(certificate.qr)
    bundle = make_bundle(store_of(west), ARCHIVED)
    case = make_case_file(
        certificate.qr,
        report,
        timestamper=stamper(east, ARCHIVED),
        made_at=ARCHIVED,
        trust={**bundle, "metadata/targets.json": b"{}"},
    )
    verdict = verify_case_file(case, known_roots=roots(west), trust_now=now_view(west), at=ARCHIVED)
    assert "archive_trust_damaged" in {finding.code for finding in verdict.report.findings}
    assert verdict.report.indication is Indication.INDETERMINATE


def test_an_anchor_in_the_file_counts_only_if_the_asker_names_it_too(
    certificate: Issued,
    east: Region,
    west: Region,
) -> None:
    """Else a forger would bring along its own authority."""
    from verifier.service import PolicyRequest

    anchor = east.custody.ca.certificate
    service = west.counter.service
    service._trust = lambda: None
    report = service.verify(certificate.sd_jwt, PolicyRequest(anchors=(anchor,)))
    case = make_case_file(certificate.sd_jwt, report, timestamper=stamper(east, ARCHIVED), made_at=ARCHIVED, trust=None)
    named = verify_case_file(case, known_roots=(), anchors=(anchor,), at=ARCHIVED)
    assert found(named, "path_anchor")
    assert named.proven_at == ARCHIVED
    unnamed = verify_case_file(case, known_roots=(), at=ARCHIVED)
    assert unnamed.report.indication is Indication.INDETERMINATE
    assert "path_anchor" not in {finding.code for finding in unnamed.report.findings}


# --- what is no case file


@pytest.mark.parametrize(
    "changes",
    [
        {"case.json": None},
        {"case.json": b"{"},
        {"case.json": b"[]"},
        {"case.json": b'{"format":"yinxin-case/2"}'},
        {"case.json": b'{"format":"yinxin-case/1","evidence":"../x"}'},
        {"case.json": b'{"format":"yinxin-case/1","evidence":"evidence/x","judged_at":"9999-12-31T23:59:59-23:00"}'},
        {"mimetype": b"application/vnd.etsi.asic-s+zip"},
        {"META-INF/signature.p7s": b"0"},
        {"anchors/001.der": b"0"},
        {"META-INF/ASiCManifest.xml": None},
    ],
)
def test_another_container_is_refused_and_never_raises(
    certificate: Issued,
    east: Region,
    west: Region,
    changes: dict[str, bytes | None],
) -> None:
    case = changed(archived(west, east, certificate.qr), changes)
    verdict = verify_case_file(case, known_roots=roots(west), at=ARCHIVED)
    assert (verdict.report.indication, verdict.report.sub_indication) == (
        Indication.FAILED,
        SubIndication.FORMAT_FAILURE,
    )
    assert (verdict.report.kind, verdict.recorded) == (EvidenceKind.ARCHIVE, None)


def test_a_file_that_is_too_large_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("verifier.archives.reading.MAX_CASE", 10)
    verdict = verify_case_file(b"PK\x03\x04" + b"0" * 100, known_roots=(), at=ARCHIVED)
    assert code(verdict) == "too_large"


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_damage_is_a_verdict(
    certificate: Issued,
    east: Region,
    west: Region,
    data: st.DataObject,
) -> None:
    case = _once(west, east, certificate)
    position = data.draw(st.integers(0, len(case) - 1))
    other = data.draw(st.binary(max_size=6))
    damaged = case[:position] + other + case[position + len(other) :]
    verdict = verify_case_file(damaged, known_roots=roots(west), at=ARCHIVED)
    assert damaged == case or verdict.report.indication is not Indication.PASSED or _same(damaged, case)


_made: dict[int, bytes] = {}


def _once(west: Region, east: Region, certificate: Issued) -> bytes:
    key = id(certificate)
    if key not in _made:
        _made[key] = archived(west, east, certificate.qr)
    return _made[key]


def _same(one: bytes, other: bytes) -> bool:
    return read_case_file(one).container.files == read_case_file(other).container.files
