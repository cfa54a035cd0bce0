"""What a copy says: instants to the hour, never outside what its certificate and its seal's entitlement allow."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuer.copy_rules import ClearedCopies, Original, clear_copies, public_keys
from issuer.errors import CertificateOver
from issuer.model import Seal
from keys.algorithms import ES256
from keys.envelopes.base64url import b64url_decode
from keys.envelopes.mdoc import parse_mdoc
from keys.envelopes.sd_jwt import parse_sd_jwt, select_disclosures
from keys.signer import EphemeralSigner
from server.holdings import IssuerHoldings
from tests.issuer.copying import MDOC, SD_JWT, Desk, jwks
from tests.issuer.office import (
    CLAIMS,
    DAY,
    DAY_0,
    HOUSEHOLD,
    MARRIAGE,
    OFFICE,
    SEAL_ID,
    Office,
    history,
    issuer_entry,
    keys,
    make_seal,
)
from trust_registry.attestations import Attestation, CertificateId, StatusReference
from trust_registry.catalogue import COMMON_TYPES
from trust_registry.model import EntryReason, EntryStatus, IssuerEntry, TypeGrant
from trust_registry.model import StatusChange as Change
from wallet_api.errors import CertificateNotHeld

KEY = public_keys([EphemeralSigner.generate(ES256).public_key.jwk()])
TYPE = next(each for each in COMMON_TYPES if each.id == MARRIAGE)
SEAL = make_seal(OFFICE, 1, keys().seal, "file:/keys/seal", MARRIAGE, HOUSEHOLD)
ENTRY = issuer_entry(OFFICE, SEAL, keys().status, MARRIAGE, HOUSEHOLD)
GRANTED, SUSPENDED = EntryStatus.GRANTED, EntryStatus.SUSPENDED
MINUTE = timedelta(minutes=1)


def minutes(number: float) -> datetime:
    """So many minutes after 01:00 UTC of the first day."""
    return DAY_0 + number * MINUTE


def since(*at: datetime) -> tuple[Change, ...]:
    """Granted at the first instant, suspended at the second, granted again at the third, and so on."""
    return history(*((SUSPENDED if n % 2 else GRANTED, each, EntryReason.INITIAL) for n, each in enumerate(at)))


def attestation(**changes: Any) -> Attestation:
    made = Attestation(
        CertificateId("1.2"), MARRIAGE, OFFICE, SEAL_ID, minutes(25), minutes(25), None, StatusReference("", 0), CLAIMS
    )
    return replace(made, **changes)


def rounded(made: Attestation, now: datetime, entry: IssuerEntry = ENTRY, seal: Seal = SEAL) -> Attestation:
    cleared = clear_copies(Original(made, seal, ()), KEY, TYPE, entry, now)
    assert cleared.attestation.claims == made.claims
    return cleared.attestation


def test_instants_are_those_of_the_hour() -> None:
    made = attestation(issued_at=minutes(25.5), valid_from=minutes(85), valid_until=minutes(60 * 24 + 59))
    copy = rounded(made, minutes(300))
    assert (copy.issued_at, copy.valid_from, copy.valid_until) == (DAY_0, minutes(60), minutes(60 * 24))
    assert rounded(attestation(), minutes(300)).valid_until is None


def test_a_copy_never_counts_before_its_certificate() -> None:
    made = attestation(valid_from=minutes(85))
    assert rounded(made, minutes(84)).valid_from == minutes(120)
    assert rounded(made, minutes(85)).valid_from == minutes(60)
    assert rounded(attestation(valid_from=minutes(120)), minutes(30)).valid_from == minutes(120)


def test_a_copy_never_outlives_its_certificate() -> None:
    made = attestation(valid_until=minutes(119))
    assert rounded(made, minutes(59)).valid_until == minutes(60)
    for now in (minutes(60), minutes(119), minutes(200)):
        with pytest.raises(CertificateOver):
            rounded(made, now)
    with pytest.raises(CertificateOver):  # nor does one that would be over before it begins
        rounded(attestation(valid_from=minutes(130), valid_until=minutes(190)), minutes(30))


def test_a_copy_was_not_sealed_before_its_office_could() -> None:
    """Rounded down past the beginning of an entitlement, it would be judged as sealed without one."""
    for what in ("issuer", "grant", "seal", "key"):
        assert rounded(attestation(), minutes(300), entry_since(what, minutes(10))).issued_at == minutes(10)
        assert rounded(attestation(), minutes(300), entry_since(what, DAY_0 - DAY)).issued_at == DAY_0
        # A break that began after it was sealed, or was over before its hour, changes nothing.
        later = entry_since(what, DAY_0 - DAY, minutes(30), minutes(40))
        assert rounded(attestation(), minutes(300), later).issued_at == DAY_0
        # One that ended within its hour does.
        within = entry_since(what, DAY_0 - DAY, minutes(-5), minutes(15.25))
        assert rounded(attestation(), minutes(300), within).issued_at == minutes(15.25)
    listed = replace(ENTRY.seals[0], valid_from=minutes(12))
    assert rounded(attestation(), minutes(300), replace(ENTRY, seals=(listed,))).issued_at == minutes(12)
    assert rounded(attestation(), minutes(300), seal=replace(SEAL, valid_from=minutes(13))).issued_at == minutes(13)


def entry_since(what: str, *at: datetime) -> IssuerEntry:
    steady, changed = ENTRY, since(*at)
    (seal,) = steady.seals
    return {
        "issuer": replace(steady, history=changed),
        "grant": replace(steady, grants=(TypeGrant(MARRIAGE, changed),)),
        "seal": replace(steady, seals=(replace(seal, history=changed),)),
        "key": replace(steady, seals=(replace(seal, key=replace(seal.key, history=changed)),)),
    }[what]


def test_one_of_several_grants_suffices() -> None:
    grants = (TypeGrant(MARRIAGE, since(minutes(10))), TypeGrant(MARRIAGE, since(DAY_0 - DAY)))
    assert rounded(attestation(), minutes(300), replace(ENTRY, grants=grants)).issued_at == DAY_0
    grants = (TypeGrant(MARRIAGE, since(minutes(10))), TypeGrant(MARRIAGE, since(minutes(5), minutes(6))))
    assert rounded(attestation(), minutes(300), replace(ENTRY, grants=grants)).issued_at == minutes(10)


def test_under_a_renewed_key_it_was_sealed_when_that_key_could_first_seal() -> None:
    entry = entry_since("key", minutes(200.5))
    assert rounded(attestation(), minutes(300), entry).issued_at == minutes(200.5)
    # Something else was on hold at that moment: then when everything stood together.
    entry = replace(entry, history=since(DAY_0 - DAY, minutes(190), minutes(220)))
    assert rounded(attestation(), minutes(300), entry).issued_at == minutes(220)


@given(
    at=st.lists(st.integers(-600, 280), min_size=1, max_size=7, unique=True).map(sorted).filter(lambda at: len(at) % 2),
    what=st.sampled_from(["issuer", "grant", "seal", "key"]),
    issued=st.integers(0, 290),
)
def test_when_it_was_sealed_all_stood_and_that_is_not_later_than_it_need_be(
    at: Sequence[int], what: str, issued: int
) -> None:
    """The instant is at most an hour early, or the first since which the entry stood without a break."""
    entry = entry_since(what, *map(minutes, at))
    sealed = rounded(attestation(issued_at=minutes(issued), valid_from=minutes(issued)), minutes(300), entry).issued_at
    grown = [minutes(each) for each in at]
    assert sum(each <= sealed for each in grown) % 2 == 1
    hour = minutes(issued - issued % 60)
    assert sealed == hour or (sealed > hour and sealed == grown[-1])


def test_nobody_else_says_that_copies_may_be_made() -> None:
    with pytest.raises(TypeError):
        ClearedCopies(attestation(), KEY, TYPE, SEAL, ENTRY, object())


# --- two copies of one certificate


def leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for item in value.items() for leaf in leaves(list(item))]
    return [leaf for item in value for leaf in leaves(item)] if isinstance(value, list) else [value]


def test_two_sd_jwt_copies_that_show_nothing_share_nothing_that_is_theirs_alone(office: Office) -> None:
    """Whatever two copies of one certificate share, copies of another citizen's certificate say, too."""
    desk = Desk(office)
    office.clock.turn(37 * MINUTE)
    other_id = office.service.issue(office.request_for(40)).summary.certificate_id
    place = office.service.store.place(other_id)
    (other_holder,) = {
        row[0] for row in _rows(office, f"SELECT holder_id FROM issuer_certificates WHERE id = {place.row_id}")
    }
    one, two = map(str, desk.make(count=2))
    (other,) = map(str, desk.make(certificate_id=other_id, holder_id=other_holder, keys=jwks(1, 5)))
    shown = [parse_sd_jwt(select_disclosures(each, frozenset())) for each in (one, two, other)]
    assert all(not each.disclosures for each in shown)
    said = [{*map(repr, leaves(dict(each.claims)))} for each in shown]
    assert said[0] & said[1] == said[0] & said[2] == said[1] & said[2]
    for name in ("_sd", "status", "cnf"):
        first, second = (load(each)[name] for each in shown[:2])
        assert set(map(repr, leaves(first))).isdisjoint(map(repr, set(leaves(second)) - SHARED)), name
    assert shown[0].jws.signature != shown[1].jws.signature
    assert [load(each).keys() for each in shown] == [load(shown[0]).keys()] * 3
    assert shown[0].jws.header == shown[1].jws.header == shown[2].jws.header
    # Every salt and every digest is drawn anew, and the digests' order says nothing of the claims'.
    salts = [{d.salt for d in parse_sd_jwt(each).disclosures} for each in (one, two)]
    assert salts[0].isdisjoint(salts[1])
    assert all(load(each)["_sd"] == sorted(load(each)["_sd"]) for each in shown)


SHARED = {
    "status_list",
    "idx",
    "uri",
    "jwk",
    "kty",
    "EC",
    "crv",
    "P-256",
    "x",
    "y",
    "https://east.example/status/990100/civil-affairs/1",
}


def load(shown: Any) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(shown.jws.payload)
    return said


def _rows(office: Office, query: str) -> list[Any]:
    with office.engine.connect() as connection:
        return list(connection.exec_driver_sql(query).all())


def test_everything_that_only_this_certificate_says_can_be_withheld(office: Office) -> None:
    """Also what its type always shows elsewhere: its number in the office's register, say."""
    always = {claim.name for claim in TYPE.claims if not claim.selective}
    assert always
    made = str(Desk(office).one())
    assert {d.name for d in parse_sd_jwt(made).disclosures} == {"certificate_id", *CLAIMS}
    shown = parse_sd_jwt(select_disclosures(made, frozenset()))
    assert not any(str(value) in shown.jws.payload.decode() for value in CLAIMS.values())


def test_how_many_optional_claims_there_are_does_not_show(office: Office) -> None:
    desk = Desk(office)
    optional = {name for name in (claim.name for claim in TYPE.claims) if name not in TYPE.schema["required"]}
    fewer = {name: value for name, value in CLAIMS.items() if name not in optional}
    shorter = office.service.issue(office.request("shorter", claims=fewer)).summary.certificate_id
    counts = {
        len(load(parse_sd_jwt(str(desk.make(certificate_id=each)[0])))["_sd"])
        for each in (desk.certificate_id, shorter)
    }
    assert counts == {len(TYPE.claims) + 1}


def test_two_mdoc_copies_that_show_nothing_share_nothing_that_is_theirs_alone(office: Office) -> None:
    desk = Desk(office)
    one, two = (parse_mdoc(bytes(each)) for each in desk.make(MDOC, 2))  # type: ignore[arg-type]
    digests = [{d for each in m.mso.value_digests.values() for d in each.values()} for m in (one, two)]
    assert digests[0].isdisjoint(digests[1])
    assert one.mso.validity == two.mso.validity
    assert one.mso.validity.signed == DAY_0
    assert one.mso.status != two.mso.status
    assert one.mso.device_key != two.mso.device_key
    assert one.issuer_signed.issuer_auth.signature != two.issuer_signed.issuer_auth.signature
    assert {i.random for i in one.issuer_signed.items}.isdisjoint({i.random for i in two.issuer_signed.items})


def test_both_forms_say_the_same(office: Office) -> None:
    office.clock.turn(37 * MINUTE)
    desk = Desk(office)
    reports = [desk.judged(desk.one(kind)) for kind in (SD_JWT, MDOC)]
    one, two = (report.attestation for report in reports)
    assert one is not None
    assert two is not None
    assert replace(one, status=two.status) == two
    assert one.issued_at == one.valid_from == DAY_0


def test_an_mdoc_is_in_base64url_at_the_wallets_door(office: Office) -> None:
    desk = Desk(office)
    holdings = IssuerHoldings(office.service)
    (text,) = holdings.copies(desk.holder, desk.certificate_id, "mdoc", jwks(1))
    assert parse_mdoc(b64url_decode(text.encode())).mso.device_key == jwks(1)[0]
    (text,) = holdings.copies(desk.holder, desk.certificate_id, "sd_jwt_vc", jwks(1))
    assert parse_sd_jwt(text).holder_key == jwks(1)[0]
    office.service.erase_holder(desk.holder)
    for certificate_id in (desk.certificate_id, CertificateId("1.2")):
        with pytest.raises(CertificateNotHeld):
            holdings.copies(desk.holder, certificate_id, "mdoc", jwks(1))
