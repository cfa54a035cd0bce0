"""What may be sealed: `core.clear` refuses everything else, and says why without repeating anybody's data."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuer.core import check_entitled, clear, holder_kind, mask_name
from issuer.errors import (
    ClaimsInvalid,
    HolderKeyInvalid,
    HolderNotNamed,
    IdempotencyKeyInvalid,
    InvalidIdentityNumber,
    IssuerNotEntitled,
    RequestRefused,
    SealNotEntitled,
    SealNotInForce,
    SealNotListed,
    SealOutOfTime,
    ValidityImpossible,
)
from issuer.model import Cleared, HolderIdentity, HolderKind, IssueRequest, Seal
from keys.algorithms import ES256
from keys.signer import EphemeralSigner
from tests.issuer.office import (
    BUSINESS,
    CLAIMS,
    CLERK,
    DAY,
    DAY_0,
    GRANTED,
    HOLDER,
    HOUSEHOLD,
    LICENCE,
    MARRIAGE,
    NUMBER,
    OFFICE,
    OTHER_OFFICE,
    SEAL_ID,
    SPOUSE,
    USCC,
    citizen_number,
    history,
    issuer_entry,
    keys,
    make_seal,
)
from trust_registry.catalogue import COMMON_TYPES_BY_ID
from trust_registry.model import (
    Assurance,
    CertificateType,
    EntryReason,
    EntryStatus,
    IssuerEntry,
    TypeGrant,
    ValidityKind,
    ValidityRule,
)

SUSPENDED = history(
    (EntryStatus.GRANTED, DAY_0 - 100 * DAY, EntryReason.INITIAL),
    (EntryStatus.SUSPENDED, DAY_0 - DAY, EntryReason.BREACH_OF_DUTY),
)
NOT_YET = history((EntryStatus.GRANTED, DAY_0 + DAY, EntryReason.INITIAL))
REQUEST = IssueRequest(MARRIAGE, HOLDER, CLAIMS, SEAL_ID, CLERK, "key-1")


@pytest.fixture(scope="module")
def seal() -> Seal:
    return make_seal(OFFICE, 1, keys().seal, "file:/keys/seal", MARRIAGE, HOUSEHOLD, LICENCE, BUSINESS)


@pytest.fixture(scope="module")
def entry(seal: Seal) -> IssuerEntry:
    return issuer_entry(OFFICE, seal, keys().status, MARRIAGE, LICENCE, BUSINESS, HOUSEHOLD)


def type_of(request: IssueRequest) -> CertificateType:
    return COMMON_TYPES_BY_ID[request.type_id]


def test_a_good_request_is_cleared_in_whole_seconds(seal: Seal, entry: IssuerEntry) -> None:
    cleared = clear(REQUEST, type_of(REQUEST), seal, entry, DAY_0 + timedelta(microseconds=700))
    assert cleared.cleared_at == cleared.valid_from == DAY_0
    assert (cleared.request, cleared.seal, cleared.issuer) == (REQUEST, seal, entry)


def test_nobody_but_clear_makes_a_cleared(seal: Seal, entry: IssuerEntry) -> None:
    cleared = clear(REQUEST, type_of(REQUEST), seal, entry, DAY_0)
    with pytest.raises(TypeError, match=r"only issuer\.core\.clear"):
        Cleared(REQUEST, type_of(REQUEST), seal, entry, DAY_0, None, DAY_0, object())
    with pytest.raises((TypeError, ValueError)):
        replace(cleared, valid_until=None)


def test_clearing_with_another_seal_than_requested_is_a_bug(seal: Seal, entry: IssuerEntry) -> None:
    with pytest.raises(ValueError, match="names"):
        clear(REQUEST, COMMON_TYPES_BY_ID[LICENCE], seal, entry, DAY_0)


@pytest.mark.parametrize("key", ["", "a b", "ключ", "x" * 256, "line\n"])
def test_an_idempotency_key_is_short_printable_ascii(key: str, seal: Seal, entry: IssuerEntry) -> None:
    with pytest.raises(IdempotencyKeyInvalid):
        clear(replace(REQUEST, idempotency_key=key), type_of(REQUEST), seal, entry, DAY_0)


def refusal(request: IssueRequest, seal: Seal, entry: IssuerEntry, at: datetime = DAY_0) -> RequestRefused:
    with pytest.raises(RequestRefused) as caught:
        clear(request, type_of(request), seal, entry, at)
    return caught.value


class TestSeal:
    def test_out_of_scope_in_custody(self, seal: Seal, entry: IssuerEntry) -> None:
        found = refusal(REQUEST, replace(seal, scope=frozenset({LICENCE})), entry)
        assert isinstance(found, SealNotEntitled)
        assert (found.seal_id, found.type_id) == (SEAL_ID, MARRIAGE)

    def test_out_of_scope_on_the_list(self, seal: Seal, entry: IssuerEntry) -> None:
        narrow = replace(entry, seals=(replace(entry.seals[0], scope=(LICENCE,)),))
        assert isinstance(refusal(REQUEST, seal, narrow), SealNotEntitled)

    @pytest.mark.parametrize("days", [-51, 1000, 1001])
    def test_out_of_time(self, days: int, seal: Seal, entry: IssuerEntry) -> None:
        found = refusal(REQUEST, seal, entry, DAY_0 + days * DAY)
        assert isinstance(found, SealOutOfTime)
        assert found.valid_until == DAY_0 + 1000 * DAY

    @pytest.mark.parametrize("at", [DAY_0 - 50 * DAY, DAY_0 + 1000 * DAY - timedelta(seconds=1)])
    def test_in_time_to_the_second(self, at: datetime, seal: Seal, entry: IssuerEntry) -> None:
        clear(REQUEST, type_of(REQUEST), seal, entry, at)

    def test_the_list_can_shorten_a_seals_time(self, seal: Seal, entry: IssuerEntry) -> None:
        shorter = replace(entry, seals=(replace(entry.seals[0], valid_until=DAY_0),))
        assert isinstance(refusal(REQUEST, seal, shorter), SealOutOfTime)

    @pytest.mark.parametrize(("past", "status"), [(SUSPENDED, "suspended"), (NOT_YET, None)])
    def test_not_in_force(self, past: Any, status: str | None, seal: Seal, entry: IssuerEntry) -> None:
        found = refusal(REQUEST, seal, replace(entry, seals=(replace(entry.seals[0], history=past),)))
        assert isinstance(found, SealNotInForce)
        assert found.status == status

    def test_its_key_not_in_force(self, seal: Seal, entry: IssuerEntry) -> None:
        key = replace(entry.seals[0].key, history=SUSPENDED)
        found = refusal(REQUEST, seal, replace(entry, seals=(replace(entry.seals[0], key=key),)))
        assert isinstance(found, SealNotInForce)

    def test_not_listed(self, seal: Seal, entry: IssuerEntry) -> None:
        assert isinstance(refusal(REQUEST, seal, replace(entry, seals=())), SealNotListed)

    def test_listed_with_another_certificate(self, seal: Seal, entry: IssuerEntry) -> None:
        assert isinstance(refusal(REQUEST, replace(seal, certificate=keys().other_seal.der), entry), SealNotListed)

    def test_of_another_issuer(self, seal: Seal, entry: IssuerEntry) -> None:
        assert isinstance(refusal(REQUEST, replace(seal, issuer_id=OTHER_OFFICE), entry), SealNotListed)


class TestIssuer:
    def test_not_granted_the_type(self, seal: Seal, entry: IssuerEntry) -> None:
        found = refusal(REQUEST, seal, replace(entry, grants=()))
        assert isinstance(found, IssuerNotEntitled)
        assert found.status is None

    def test_grant_suspended(self, seal: Seal, entry: IssuerEntry) -> None:
        found = refusal(REQUEST, seal, replace(entry, grants=(TypeGrant(MARRIAGE, SUSPENDED),)))
        assert isinstance(found, IssuerNotEntitled)
        assert found.status == "suspended"

    def test_suspended_as_a_whole(self, seal: Seal, entry: IssuerEntry) -> None:
        assert isinstance(refusal(REQUEST, seal, replace(entry, history=SUSPENDED)), IssuerNotEntitled)

    def test_check_entitled_asks_the_same_again(self, seal: Seal, entry: IssuerEntry) -> None:
        check_entitled(type_of(REQUEST), seal, entry, DAY_0)
        with pytest.raises(IssuerNotEntitled):
            check_entitled(type_of(REQUEST), seal, replace(entry, grants=()), DAY_0)


class TestClaims:
    @pytest.mark.parametrize(
        ("changes", "pointer"),
        [
            ({"holder_sex": "unknown-sex"}, "/claims/holder_sex"),
            ({"registered_on": "2019-13-45"}, "/claims/registered_on"),
            ({"spouse_name": 7}, "/claims/spouse_name"),
            ({"nickname": "secret-nick"}, "/claims/nickname"),
        ],
    )
    def test_the_culprit_is_named_and_its_value_is_not(
        self, changes: dict[str, Any], pointer: str, seal: Seal, entry: IssuerEntry
    ) -> None:
        found = refusal(replace(REQUEST, claims={**CLAIMS, **changes}), seal, entry)
        assert isinstance(found, ClaimsInvalid)
        assert found.pointer == pointer
        assert str(*changes.values()) not in str(found)
        assert found.__cause__ is None

    def test_a_missing_claim_is_named(self, seal: Seal, entry: IssuerEntry) -> None:
        claims = {name: value for name, value in CLAIMS.items() if name != "spouse_name"}
        found = refusal(replace(REQUEST, claims=claims), seal, entry)
        assert isinstance(found, ClaimsInvalid)
        assert found.pointer == "/claims/spouse_name"

    def test_the_holder_must_be_named_in_them(self, seal: Seal, entry: IssuerEntry) -> None:
        for holder in (replace(HOLDER, number=SPOUSE), replace(HOLDER, name="周明远")):
            found = refusal(replace(REQUEST, holder=holder), seal, entry)
            assert isinstance(found, HolderNotNamed)
            assert NUMBER not in str(found)

    def test_claims_that_identify_nobody_bind_nobody(self, seal: Seal, entry: IssuerEntry) -> None:
        anonymous = tuple(replace(c, holder_identifier=False, holder_name=False) for c in type_of(REQUEST).claims)
        clear(
            replace(REQUEST, holder=replace(HOLDER, name="他人")),
            replace(type_of(REQUEST), claims=anonymous),
            seal,
            entry,
            DAY_0,
        )

    def test_a_wrong_check_digit_of_the_holder(self, seal: Seal, entry: IssuerEntry) -> None:
        wrong = NUMBER[:-1] + ("1" if NUMBER[-1] != "1" else "2")
        found = refusal(replace(REQUEST, holder=replace(HOLDER, number=wrong)), seal, entry)
        assert isinstance(found, InvalidIdentityNumber)
        assert found.pointer == "/holder/number"
        assert wrong not in str(found)
        assert found.__cause__ is None

    def test_a_wrong_check_digit_in_a_claim(self, seal: Seal, entry: IssuerEntry) -> None:
        wrong = NUMBER[:-1] + ("1" if NUMBER[-1] != "1" else "2")
        found = refusal(replace(REQUEST, claims={**CLAIMS, "identity_number": wrong}), seal, entry)
        assert isinstance(found, InvalidIdentityNumber)
        assert found.pointer == "/claims/identity_number"

    def test_an_organisation_by_its_code(self, seal: Seal, entry: IssuerEntry) -> None:
        clear(business_request(), COMMON_TYPES_BY_ID[BUSINESS], seal, entry, DAY_0)


class TestHolderKey:
    def test_a_public_key_passes(self, seal: Seal, entry: IssuerEntry) -> None:
        jwk = EphemeralSigner.generate(ES256).public_key.jwk()
        clear(replace(REQUEST, holder_key=jwk), type_of(REQUEST), seal, entry, DAY_0)

    @pytest.mark.parametrize(
        "jwk", [{}, {"kty": "oct", "k": "AAAA"}, {"kty": "EC", "crv": "P-256", "x": "A", "y": "A"}]
    )
    def test_others_do_not(self, jwk: dict[str, Any], seal: Seal, entry: IssuerEntry) -> None:
        assert isinstance(refusal(replace(REQUEST, holder_key=jwk), seal, entry), HolderKeyInvalid)

    def test_a_private_key_is_refused(self, seal: Seal, entry: IssuerEntry) -> None:
        jwk = {**EphemeralSigner.generate(ES256).public_key.jwk(), "d": "c2VjcmV0"}
        assert isinstance(refusal(replace(REQUEST, holder_key=jwk), seal, entry), HolderKeyInvalid)


def business_request(**claims: Any) -> IssueRequest:
    name = "东岭茶业有限公司"
    holder = HolderIdentity(HolderKind.ORGANISATION, USCC[OFFICE], name)
    content = {
        "uscc": USCC[OFFICE],
        "organisation_name": name,
        "organisation_type": "有限责任公司",
        "legal_representative": "林晓雨",
        "established_on": "2020-01-01",
        "address": "东岭区茶山路1号",
        "business_scope": "茶叶种植",
        "registered_on": "2020-01-02",
        **claims,
    }
    return IssueRequest(BUSINESS, holder, content, SEAL_ID, CLERK, "key-1")


class TestValidity:
    def cleared(self, request: IssueRequest, seal: Seal, entry: IssuerEntry) -> Cleared:
        return clear(request, type_of(request), seal, entry, DAY_0)

    def test_unlimited(self, seal: Seal, entry: IssuerEntry) -> None:
        assert self.cleared(REQUEST, seal, entry).valid_until is None

    def test_until_the_end_of_the_day_in_a_claim(self, seal: Seal, entry: IssuerEntry) -> None:
        until = self.cleared(business_request(operating_until="2030-01-31"), seal, entry).valid_until
        assert until == datetime(2030, 1, 31, 23, 59, 59, tzinfo=timezone(timedelta(hours=8)))

    @pytest.mark.parametrize("claims", [{}, {"operating_until": "9999-12-31"}])
    def test_no_end_in_the_claim_is_no_end(self, claims: dict[str, str], seal: Seal, entry: IssuerEntry) -> None:
        assert self.cleared(business_request(**claims), seal, entry).valid_until is None

    def test_a_fixed_number_of_days_counts_the_first(self, seal: Seal, entry: IssuerEntry) -> None:
        fixed = replace(type_of(REQUEST), validity=ValidityRule(ValidityKind.FIXED, days=1))
        until = clear(REQUEST, fixed, seal, entry, DAY_0).valid_until
        assert until == datetime(2026, 11, 2, 15, 59, 59, tzinfo=UTC)

    def test_over_already(self, seal: Seal, entry: IssuerEntry) -> None:
        found = refusal(business_request(operating_until="2026-11-01"), seal, entry)
        assert isinstance(found, ValidityImpossible)
        assert found.pointer == "/claims/operating_until"

    def test_over_before_it_begins(self, seal: Seal, entry: IssuerEntry) -> None:
        request = replace(business_request(operating_until="2027-01-01"), valid_from=DAY_0 + 100 * DAY)
        assert isinstance(refusal(request, seal, entry), ValidityImpossible)

    def test_a_fixed_time_that_is_over_blames_its_beginning(self, seal: Seal, entry: IssuerEntry) -> None:
        fixed = replace(type_of(REQUEST), validity=ValidityRule(ValidityKind.FIXED, days=10))
        with pytest.raises(ValidityImpossible) as caught:
            clear(replace(REQUEST, valid_from=DAY_0 - 20 * DAY), fixed, seal, entry, DAY_0)
        assert caught.value.pointer == "/valid_from"

    def test_a_later_beginning_is_kept(self, seal: Seal, entry: IssuerEntry) -> None:
        later = DAY_0 + 3 * DAY
        assert self.cleared(replace(REQUEST, valid_from=later), seal, entry).valid_from == later

    def test_a_claim_that_is_no_date(self, seal: Seal, entry: IssuerEntry) -> None:
        odd = replace(type_of(REQUEST), validity=ValidityRule(ValidityKind.CLAIM, claim="spouse_name"))
        with pytest.raises(ValidityImpossible, match="date"):
            clear(REQUEST, odd, seal, entry, DAY_0)


def test_names_of_citizens_are_masked_and_of_organisations_are_not() -> None:
    assert mask_name(HOLDER) == "林*雨"
    assert mask_name(HolderIdentity(HolderKind.ORGANISATION, USCC[OFFICE], "东岭茶业")) == "东岭茶业"


@given(st.text(max_size=24))
def test_every_text_follows_one_rule_or_the_other(text: str) -> None:
    assert holder_kind(text) in HolderKind


def test_which_rule_a_number_follows() -> None:
    assert holder_kind(NUMBER) is HolderKind.CITIZEN
    assert holder_kind(citizen_number(5)[:-1] + "?") is HolderKind.CITIZEN  # meant as one, so refused as one
    assert holder_kind(USCC[OFFICE]) is HolderKind.ORGANISATION
    assert holder_kind("911101010000000000"[:17] + "0") in HolderKind
    assert holder_kind(_numeric_uscc()) is HolderKind.ORGANISATION


def _numeric_uscc() -> str:
    """A code all of digits: only its check character says that it is no citizen's number."""
    from stdnum.cn.uscc import calc_check_digit

    bodies = (f"9111010100000{n:04d}" for n in range(10000))
    return next(code for code in (body + calc_check_digit(body) for body in bodies) if code.isdigit())


def test_a_grant_that_goes_on_at_another_assurance_suffices(seal: Seal, entry: IssuerEntry) -> None:
    raised = [
        replace(grant, assurance=level, history=history_)
        for grant in entry.grants
        for level, history_ in ((Assurance.LOW, SUSPENDED), (Assurance.HIGH, GRANTED))
    ]
    clear(REQUEST, type_of(REQUEST), seal, replace(entry, grants=tuple(raised)), DAY_0)
    lost = tuple(replace(grant, history=SUSPENDED) for grant in raised)
    assert isinstance(refusal(REQUEST, seal, replace(entry, grants=lost)), IssuerNotEntitled)


def test_granted_is_what_the_stories_start_from(entry: IssuerEntry) -> None:
    assert entry.history == GRANTED
