"""What runs out, told in time, with everybody who depends on it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keys.algorithms import ES256
from keys.signer import EphemeralSigner
from keys.x509 import Certificate, Profile, make_certificate, make_region_ca
from tests.trust_registry.network import (
    DAY,
    DAY_0,
    EAST,
    HOUSEHOLD_TRANSFER,
    WEST,
    common_list,
    east_list,
    everyone,
    granted,
    issuer_entry,
    key_entry,
    office,
    recognition,
    view_of,
    west_list,
    whole_network,
    withdrawn,
)
from trust_registry.catalogue import MARRIAGE_CERTIFICATE
from trust_registry.expiries import Expiry, ExpiryKind, Severity, expiring, severity_of
from trust_registry.model import EntryReason, KeyUse, RelyingPartyId, SealId, TrustView

SEAL_END = DAY_0 + 365 * DAY  # as `issuer_entry` says


def of_kind(found: tuple[Expiry, ...], kind: ExpiryKind) -> list[Expiry]:
    return [each for each in found if each.kind is kind]


def with_issuer(**changes: object) -> TrustView:
    issuer = replace(issuer_entry(), **changes)  # type: ignore[arg-type]
    return view_of(common_list(), replace(east_list(), attests=(issuer,)), west_list())


def certified(until: datetime, profile: Profile = Profile.SEAL) -> Certificate:
    return make_certificate(
        profile,
        ca_signer=office(EAST).ca_signer,
        ca=office(EAST).ca,
        subject_key=EphemeralSigner.generate(ES256).public_key,
        common_name="another",
        organisation="Region 990100",
        uscc=None,
        uri=None,
        not_before=DAY_0,
        not_after=until,
    )


def test_a_seal_that_ends_is_told_with_everybody_who_depends_on_it() -> None:
    (seal,) = of_kind(expiring(everyone(), SEAL_END - 60 * DAY), ExpiryKind.SEAL)
    assert (seal.region, seal.ends_at, seal.severity) == (EAST, SEAL_END, Severity.NOTICE)
    assert seal.entry == "attests/990100/civil-affairs/seals/990100/civil-affairs/99010000000001"
    assert seal.dependents.issuers == ("990100/civil-affairs",)
    assert seal.dependents.types == (MARRIAGE_CERTIFICATE,)
    assert seal.dependents.accepting == (EAST, WEST)
    (party,) = seal.dependents.relying_parties
    assert (party.id, party.scenarios) == ("990200/government-hall", (HOUSEHOLD_TRANSFER,))
    assert "还有 60 天" in seal.text(SEAL_END - 60 * DAY).zh
    assert "Dongling Civil Affairs Seal ends on 2027-01-01 (in 60 days)" in seal.text(SEAL_END - 60 * DAY).en
    assert seal.advice.en.startswith("Make a new seal")


def test_nothing_is_told_before_the_horizon() -> None:
    assert expiring(everyone(), SEAL_END - 91 * DAY) == ()
    assert expiring(everyone(), SEAL_END - 91 * DAY, 91 * DAY)[0].severity is Severity.PLANNED


@pytest.mark.parametrize(
    ("days", "severity"),
    [
        (91, Severity.PLANNED),
        (90, Severity.NOTICE),
        (31, Severity.NOTICE),
        (30, Severity.WARNING),
        (8, Severity.WARNING),
        (7, Severity.URGENT),
        (0.01, Severity.URGENT),
        (0, Severity.EXPIRED),
        (-4000, Severity.EXPIRED),
    ],
)
def test_the_less_time_remains_the_more_pressing_it_is(days: float, severity: Severity) -> None:
    assert severity_of(timedelta(days=days)) is severity


def test_what_the_host_renews_by_itself_is_no_worry_until_it_has_not() -> None:
    assert severity_of(5 * DAY, "timestamp") is Severity.PLANNED
    assert severity_of(2 * DAY, "timestamp") is Severity.WARNING
    assert severity_of(21 * DAY, "snapshot") is Severity.PLANNED
    assert severity_of(5 * DAY, "root") is Severity.URGENT


def test_an_expired_seal_is_told_until_it_is_withdrawn() -> None:
    after = SEAL_END + 400 * DAY
    (found,) = of_kind(expiring(everyone(), after), ExpiryKind.SEAL)
    assert found.severity is Severity.EXPIRED
    assert "已于 2027-01-01 到期" in found.text(after).zh
    (seal,) = issuer_entry().seals
    closed = replace(seal, history=withdrawn(granted(), SEAL_END, EntryReason.EXPIRY))
    assert of_kind(expiring(with_issuer(seals=(closed,)), after), ExpiryKind.SEAL) == []


def test_a_seal_with_a_successor_in_its_place_worries_nobody() -> None:
    (seal,) = issuer_entry().seals
    key = key_entry(KeyUse.SEAL, certified(SEAL_END + 365 * DAY))
    successor = replace(
        seal, id=SealId(f"{issuer_entry().id}/99010000000002"), valid_until=SEAL_END + 365 * DAY, key=key
    )
    view = with_issuer(seals=(seal, successor))
    (found,) = of_kind(expiring(view, SEAL_END - 5 * DAY), ExpiryKind.SEAL)
    assert found.replaced
    assert found.advice.zh == "已有接替者，无须处理"
    assert of_kind(expiring(view, SEAL_END + 5 * DAY), ExpiryKind.SEAL) == []
    late = with_issuer(seals=(seal, replace(successor, valid_from=SEAL_END + DAY)))
    assert not of_kind(expiring(late, SEAL_END - 5 * DAY), ExpiryKind.SEAL)[0].replaced
    narrow = with_issuer(seals=(seal, replace(successor, scope=())))
    assert not of_kind(expiring(narrow, SEAL_END - 5 * DAY), ExpiryKind.SEAL)[0].replaced


def test_a_seal_ends_with_its_certificate() -> None:
    (seal,) = issuer_entry().seals
    short = replace(seal, key=key_entry(KeyUse.SEAL, certified(DAY_0 + 100 * DAY)))
    (found,) = expiring(with_issuer(seals=(short,)), DAY_0 + 50 * DAY)
    assert (found.kind, found.ends_at) == (ExpiryKind.SEAL_CERTIFICATE, DAY_0 + 100 * DAY)
    assert "印章证书" in found.what.zh


def test_status_receipt_and_ca_certificates_are_told_each_with_its_own() -> None:
    at = DAY_0 + 3650 * DAY - 10 * DAY
    found = expiring(everyone(), at)
    (status,) = of_kind(found, ExpiryKind.STATUS_CERTIFICATE)
    assert status.dependents.issuers == ("990100/civil-affairs",)
    (receipt,) = of_kind(found, ExpiryKind.RECEIPT_CERTIFICATE)
    assert [each.id for each in receipt.dependents.relying_parties] == [RelyingPartyId("990200/government-hall")]
    assert receipt.dependents.issuers == ()
    (party,) = west_list().relying_parties
    asking = replace(party, keys=(key_entry(KeyUse.ACCESS, office(WEST).receipt),))
    asked = view_of(common_list(), east_list(), replace(west_list(), relying_parties=(asking,)))
    (access,) = of_kind(expiring(asked, at), ExpiryKind.ACCESS_CERTIFICATE)
    assert (access.dependents, access.what.en) == (receipt.dependents, "access certificate")
    east, west = of_kind(found, ExpiryKind.CA_CERTIFICATE)
    assert (east.region, east.dependents.issuers, east.dependents.accepting) == (
        EAST,
        ("990100/civil-affairs",),
        (EAST, WEST),
    )
    assert (west.region, west.dependents.issuers) == (WEST, ())


def test_a_second_ca_replaces_the_first_only_when_nothing_rests_on_the_first() -> None:
    at, until = DAY_0 + 3640 * DAY, DAY_0 + 3650 * DAY
    signer = EphemeralSigner.generate(ES256)
    young = make_region_ca(
        signer,
        common_name="CA",
        organisation="Region 990100",
        region=EAST,
        not_before=DAY_0,
        not_after=until + 365 * DAY,
    )
    cas = (key_entry(KeyUse.CA, office(EAST).ca), key_entry(KeyUse.CA, young))
    east = replace(east_list(), authorities=cas)
    (found,) = of_kind(expiring(view_of(common_list(), east), at), ExpiryKind.CA_CERTIFICATE)
    assert not found.replaced
    moved = replace(east, attests=())
    (found,) = of_kind(expiring(view_of(common_list(), moved), at), ExpiryKind.CA_CERTIFICATE)
    assert found.replaced


def test_a_recognition_that_ends_is_told_unless_another_goes_on() -> None:
    ends = DAY_0 + 200 * DAY
    first = recognition(until=ends)
    west = replace(west_list(), recognises=(first,))
    (found,) = expiring(view_of(common_list(), east_list(), west), ends - DAY)
    assert (found.kind, found.region, found.ends_at) == (ExpiryKind.RECOGNITION, WEST, ends)
    assert found.what.en == "recognition of Marriage Certificate from Dongling"
    assert found.dependents.issuers == ("990100/civil-affairs",)
    assert [each.scenarios for each in found.dependents.relying_parties] == [(HOUSEHOLD_TRANSFER,)]
    following = replace(recognition(since=ends), id="R2")
    both = view_of(common_list(), east_list(), replace(west, recognises=(first, following)))
    assert expiring(both, ends - DAY)[0].replaced
    gap = replace(following, since=ends + DAY)
    apart = view_of(common_list(), east_list(), replace(west, recognises=(first, gap)))
    assert not expiring(apart, ends - DAY)[0].replaced


def test_an_ended_recognition_is_news_for_a_month() -> None:
    ends = DAY_0 + 100 * DAY
    view = view_of(common_list(), east_list(), replace(west_list(), recognises=(recognition(until=ends),)))
    assert [each.severity for each in expiring(view, ends + 29 * DAY)] == [Severity.EXPIRED]
    assert expiring(view, ends + 30 * DAY) == ()


def test_signed_metadata_is_told_with_its_role(tmp_path: Path) -> None:
    at = DAY_0 + 350 * DAY
    view = replace(everyone(), expiries={"root": DAY_0 + 730 * DAY, "region-990100": DAY_0 + 365 * DAY, "x": at})
    found = of_kind(expiring(view, at), ExpiryKind.METADATA)
    assert [(each.entry, each.region) for each in found] == [("x", None), ("region-990100", EAST)]
    assert found[1].dependents.accepting == (EAST, WEST)
    assert found[1].owner.zh == "东岭区"


def test_nobody_is_asked_to_sign_what_the_host_renews_by_itself() -> None:
    at = DAY_0 + 350 * DAY
    view = replace(everyone(), expiries={"timestamp": at, "root": at})
    told = {each.entry: each.advice.en for each in of_kind(expiring(view, at), ExpiryKind.METADATA)}
    assert told["timestamp"].startswith("The host renews it by itself")
    assert told["root"] == "Have it signed and published again"


def test_a_verified_copy_knows_when_each_of_its_roles_runs_out(tmp_path: Path) -> None:

    network = whole_network(tmp_path)
    view = network.store().refresh(network.fetch, DAY_0).view
    assert set(view.expiries) >= {"root", "targets", "snapshot", "timestamp", "region-990100", "body-common"}
    assert min(view.expiries.values()) == view.expires_at


def test_an_algorithm_s_sunset_is_told_to_whoever_still_uses_it() -> None:
    long = replace(
        issuer_entry().seals[0],
        valid_until=datetime(2040, 1, 1, tzinfo=UTC),
        key=key_entry(KeyUse.SEAL, office(EAST).seal),
    )
    at = datetime(2035, 12, 20, tzinfo=UTC)
    (found,) = of_kind(expiring(with_issuer(seals=(long,)), at), ExpiryKind.ALGORITHM)
    assert (found.region, found.ends_at, found.severity) == (EAST, datetime(2036, 1, 1, tzinfo=UTC), Severity.WARNING)
    assert "ES256" in found.what.en
    assert found.dependents.types


def test_a_certificate_that_cannot_be_read_has_no_end() -> None:
    (seal,) = issuer_entry().seals
    broken = replace(seal, key=replace(seal.key, certificate=b"nothing"))
    view = with_issuer(seals=(broken,), status_keys=(replace(issuer_entry().status_keys[0], certificate=b"\x30"),))
    assert [each.kind for each in expiring(view, SEAL_END - DAY)] == [ExpiryKind.SEAL]
    far = datetime(2035, 12, 31, tzinfo=UTC)
    assert {each.kind for each in expiring(view, far)} >= {ExpiryKind.CA_CERTIFICATE}


def test_the_same_end_keeps_its_id_while_it_comes_nearer() -> None:
    (early,), (late,) = (of_kind(expiring(everyone(), SEAL_END - days * DAY), ExpiryKind.SEAL) for days in (60, 3))
    assert (early.id, early.severity) != (late.id, late.severity)
    assert early.id == late.id


@settings(deadline=None, max_examples=50)
@given(st.datetimes(datetime(1901, 1, 1), datetime(8999, 1, 1)), st.timedeltas(timedelta(0), timedelta(days=400000)))
def test_at_any_time_the_calendar_is_sorted_and_within_its_horizon(at: datetime, horizon: timedelta) -> None:
    at = at.replace(tzinfo=UTC)
    found = expiring(everyone(), at, horizon)
    assert all(each.ends_at - at <= horizon for each in found)
    keys = [(each.replaced, -each.severity.rank) for each in found]
    assert keys == sorted(keys)
    for each in found:
        assert each.text(at).zh
        assert each.advice.en
