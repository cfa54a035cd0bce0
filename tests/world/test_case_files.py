"""Case files: what was verified in 2026 still proves it decades later, without a server, and nothing else does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from keys.algorithms import ES256, ES384
from keys.model import Algorithm
from keys.timestamps import EmbeddedTimestamper
from keys.x509 import Certificate, Profile
from tests.world.case_files import (
    ARCHIVED,
    HOUR,
    YEAR,
    archived,
    authority,
    code,
    found,
    now_view,
    roots,
    stamper,
    store_of,
)
from tests.world.founding import DAY
from tests.world.simulator import Issued, Region, World
from trust_registry.bundle import make_bundle
from trust_registry.model import EntryReason, RegionCode
from verifier.archives import (
    is_case_file,
    make_case_file,
    read_case_file,
    renew_case_file,
    renewal_due,
    verify_case_file,
)
from verifier.core import judge
from verifier.evidence import parse
from verifier.model import EvidenceKind, Indication, Policy, RevocationRule, SubIndication
from verifier.pages.verdict import make_verdict


@pytest.fixture
def successor() -> Iterator[Algorithm]:
    """ES384 plays the method of the future: it counts until 2070, while ES256 ends in 2036."""
    before = ES384.sunset
    object.__setattr__(ES384, "sunset", datetime(2070, 1, 1, tzinfo=UTC))
    yield ES384
    object.__setattr__(ES384, "sunset", before)


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
    shown = make_verdict(verdict.report, now_view(west), "en")
    assert shown.headline == "Genuine case file", "nobody takes it for today's verdict"
    assert re.search(r": on \d+ \w+ \d{4}, .+ it was genuine and in force", shown.sentence)
    assert "check the certificate itself" in shown.next_step


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


def test_a_case_file_does_not_set_its_own_limits(certificate: Issued, east: Region, west: Region, world: World) -> None:
    """The same attack by a file that says that data of any age were good enough for whoever judged."""
    ages = timedelta(days=36500)
    assert west.verify(certificate.qr).indication is Indication.PASSED
    keeper = west.counter.keeper
    evidence = parse(certificate.qr)
    lax = Policy(trust_staleness=ages, status_staleness=ages, revocation_rule=RevocationRule.IF_AT_HAND)
    old = make_bundle(store_of(west), ARCHIVED)
    certificate.office.revokes(certificate)
    for judged_at in (ARCHIVED, ARCHIVED + 3 * DAY):
        report = judge(evidence, keeper.view, keeper.statuses, lax, judged_at)
        world.turn_to(ARCHIVED + 3 * DAY)
        case = make_case_file(
            certificate.qr, report, timestamper=stamper(east, world.now), made_at=world.now, trust=old
        )
        verdict = verify_case_file(case, known_roots=roots(west), at=world.now)
        assert verdict.report.indication is Indication.INDETERMINATE
        assert verdict.report.policy.revocation_rule is RevocationRule.WHERE_PUBLISHED


def test_a_region_that_one_takes_nothing_of_dates_no_case_files(
    certificate: Issued, east: Region, west: Region
) -> None:
    """The attack: a member lists its own time-stamper, and proves to everybody what existed when."""
    case = archived(west, west, certificate.qr)
    own, elsewhere = (
        verify_case_file(case, known_roots=roots(west), at=ARCHIVED + DAY, accepting=RegionCode(code))
        for code in ("990200", "990100")
    )
    assert (own.proven_at, elsewhere.proven_at) == (ARCHIVED, None)
    assert code(elsewhere) == "archive_not_proven"
