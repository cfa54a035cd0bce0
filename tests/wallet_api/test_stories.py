"""Stories: Lin shows a marriage certificate, a clerk in another region reads it once, Lin sees who did."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import text

from keys.envelopes.sd_jwt import parse_sd_jwt
from tests.wallet_api.town import HALL, LIN, MARRIAGE, MARRIAGE_CLAIMS, RENTAL, TRANSFER, WEST, ZHOU, Town, holding
from trust_registry.attestations import CertificateId
from trust_registry.model import Names, RelyingPartyId, ScenarioId, TypeId
from wallet_api import core
from wallet_api.errors import (
    CertificateNotHeld,
    ClaimNotSelectable,
    LifeOutOfRange,
    MalformedCode,
    NotAHolder,
    PresentationAlreadyRead,
    PresentationCancelled,
    PresentationExpired,
    PresentationForOtherScenario,
    PresentationUnknown,
    ReaderNotRegistered,
    RenderingNotKept,
    RequiredClaimWithheld,
    ScenarioNotApplicable,
)
from wallet_api.model import PresentationId, PresentationState
from wallet_api.service import WalletService, holder_of

UNKNOWN = "YXP:" + "A" * 32


def test_shown_read_judged_and_logged(any_town: Town) -> None:
    town = any_town
    shown, code = town.service.show(LIN, town.marriage.certificate_id, None, TRANSFER)
    assert shown.expires_at - shown.created_at == timedelta(seconds=60)

    read = town.service.read(code, town.clerk, TRANSFER)
    seen = parse_sd_jwt(read.sd_jwt).claims
    assert {name for name in MARRIAGE_CLAIMS if name in seen} == {
        "certificate_number", "holder_name", "spouse_name", "registered_on",
    }  # fmt: skip
    assert read.presentation.read_by == HALL

    (entry,) = town.service.access_log(LIN)
    assert (entry.relying_party_id, entry.scenario_id, entry.at, entry.verdict) == (HALL, TRANSFER, town.clock.now, "")
    assert set(entry.claims) == {name for name in MARRIAGE_CLAIMS if name in seen}

    town.service.record_verdict(shown.id, "PASSED", town.clerk)
    assert [a.verdict for a in town.service.access_log(LIN)] == ["PASSED"]
    assert town.service.presentation(LIN, shown.id).state is PresentationState.READ


def test_a_replayed_code_says_when_it_was_read(town: Town) -> None:
    _, code = town.service.show(LIN, town.marriage.certificate_id)
    town.service.read(code, town.clerk)
    first_read = town.clock.now
    town.clock.forward(hours=1)
    with pytest.raises(PresentationAlreadyRead) as refused:
        town.service.read(code, town.clerk)
    assert refused.value.read_at == first_read
    assert len(town.service.access_log(LIN)) == 1


def test_of_many_readers_at_once_exactly_one_wins(any_town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    town = any_town
    readers = 8
    _, code = town.service.show(LIN, town.marriage.certificate_id)
    barrier, take = Barrier(readers), town.store.take

    def take_together(*args: Any) -> bool:
        barrier.wait(timeout=30)  # every reader has found it readable by now
        return take(*args)

    monkeypatch.setattr(town.store, "take", take_together)

    def read() -> str:
        try:
            return town.service.read(code, town.clerk).sd_jwt
        except PresentationAlreadyRead:
            return ""

    with ThreadPoolExecutor(readers) as pool:
        results = list(pool.map(lambda _: read(), range(readers)))
    assert sum(bool(each) for each in results) == 1
    assert len(town.service.access_log(LIN)) == 1


def test_the_reader_who_loses_after_the_check_is_told_why(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    shown, code = town.service.show(LIN, town.marriage.certificate_id)
    stale = town.store.by_code(core.code_digest(code))
    town.service.read(code, town.clerk)
    monkeypatch.setattr(town.store, "by_code", lambda _digest: stale)
    with pytest.raises(PresentationAlreadyRead):
        town.service.read(code, town.clerk)
    monkeypatch.setattr(town.store, "by_id", lambda _id: None)  # and purged meanwhile
    with pytest.raises(PresentationUnknown):
        town.service.read(code, town.clerk)
    assert shown.id == stale.id if stale else False


def test_an_expired_code_says_since_when_and_shows_nothing(town: Town) -> None:
    shown, code = town.service.show(LIN, town.marriage.certificate_id)
    town.clock.forward(seconds=60)
    with pytest.raises(PresentationExpired) as refused:
        town.service.read(code, town.clerk)
    assert refused.value.expired_at == shown.expires_at
    assert town.service.presentation(LIN, shown.id).state is PresentationState.EXPIRED
    assert town.service.access_log(LIN) == ()


def test_an_old_unread_code_is_forgotten_after_a_day(town: Town) -> None:
    _, code = town.service.show(LIN, town.marriage.certificate_id)
    town.clock.forward(days=1, seconds=61)
    town.service.show(LIN, town.marriage.certificate_id)
    with pytest.raises(PresentationUnknown):
        town.service.read(code, town.clerk)


def test_a_made_up_code_is_unknown_and_nonsense_is_malformed(town: Town) -> None:
    with pytest.raises(PresentationUnknown):
        town.service.read(UNKNOWN, town.clerk)
    with pytest.raises(MalformedCode):
        town.service.read("hello", town.clerk)


def test_a_renewed_code_replaces_the_old_one_at_once(town: Town) -> None:
    old, old_code = town.service.show(LIN, town.marriage.certificate_id, ("holder_name",))
    new, new_code = town.service.renew(LIN, old.id)
    assert new_code != old_code
    assert new.claims == old.claims
    with pytest.raises(PresentationCancelled):
        town.service.read(old_code, town.clerk)
    assert town.service.read(new_code, town.clerk).presentation.id == new.id


def test_renewing_what_was_just_read_tells_the_holder_so(town: Town) -> None:
    shown, code = town.service.show(LIN, town.marriage.certificate_id)
    town.service.read(code, town.clerk)
    with pytest.raises(PresentationAlreadyRead):
        town.service.renew(LIN, shown.id)


def test_renewing_what_was_cancelled_or_has_expired_shows_it_anew(town: Town) -> None:
    shown, _ = town.service.show(LIN, town.marriage.certificate_id)
    assert town.service.cancel(LIN, shown.id).state is PresentationState.CANCELLED
    again, _ = town.service.renew(LIN, shown.id)
    town.clock.forward(minutes=5)
    _, code = town.service.renew(LIN, again.id)
    assert town.service.read(code, town.clerk).type_id == MARRIAGE


def test_cancelling_does_not_unread(town: Town) -> None:
    shown, code = town.service.show(LIN, town.marriage.certificate_id)
    town.service.read(code, town.clerk)
    assert town.service.cancel(LIN, shown.id).state is PresentationState.READ


def test_consent_to_one_scenario_is_no_consent_to_another(town: Town) -> None:
    _, code = town.service.show(LIN, town.marriage.certificate_id, None, TRANSFER)
    with pytest.raises(PresentationForOtherScenario):
        town.service.read(code, town.clerk, RENTAL)
    assert town.service.read(code, town.clerk).presentation.scenario_id == TRANSFER  # the refusal consumed nothing


def test_only_a_listed_agency_reads(town: Town) -> None:
    _, code = town.service.show(LIN, town.marriage.certificate_id)
    stranger = replace(town.clerk, relying_party_id=RelyingPartyId("990200/unlisted"))
    for principal in (town.citizen, stranger):
        with pytest.raises(ReaderNotRegistered):
            town.service.read(code, principal)
    assert town.service.read(code, town.clerk).sd_jwt


def test_a_machine_reads_as_its_agency(town: Town) -> None:
    _, code = town.service.show(LIN, town.marriage.certificate_id)
    machine = replace(town.clerk, roles=frozenset(), machine=True)
    assert town.service.read(code, machine).presentation.read_by == HALL


def test_only_the_reader_reports_a_verdict_and_once(town: Town) -> None:
    shown, code = town.service.show(LIN, town.marriage.certificate_id)
    town.service.read(code, town.clerk)
    other = replace(town.clerk, relying_party_id=RelyingPartyId("990200/other"))
    for principal in (town.citizen, other):
        with pytest.raises(PresentationUnknown):
            town.service.record_verdict(shown.id, "FAILED", principal)
    town.service.record_verdict(shown.id, "PASSED", town.clerk)
    with pytest.raises(PresentationUnknown):
        town.service.record_verdict(shown.id, "FAILED", town.clerk)
    assert [a.verdict for a in town.service.access_log(LIN)] == ["PASSED"]


def test_what_may_not_be_shown_is_refused(town: Town) -> None:
    mine = town.marriage.certificate_id
    with pytest.raises(CertificateNotHeld):
        town.service.show(ZHOU, mine)
    with pytest.raises(CertificateNotHeld):
        town.service.show(LIN, CertificateId("1.2.156.3005.2.99"))
    with pytest.raises(ScenarioNotApplicable) as refused:
        town.service.show(LIN, mine, None, ScenarioId("990200/unheard-of"))
    assert refused.value.scenario_id == "990200/unheard-of"
    with pytest.raises(ClaimNotSelectable):
        town.service.show(LIN, mine, ("salary",))
    with pytest.raises(RequiredClaimWithheld):
        town.service.show(LIN, mine, (), TRANSFER)


def test_a_certificate_erased_between_showing_and_reading(town: Town) -> None:
    _, code = town.service.show(LIN, town.marriage.certificate_id)
    town.holdings.held.clear()
    with pytest.raises(CertificateNotHeld):
        town.service.read(code, town.clerk)


def test_another_holders_presentation_is_unknown(town: Town) -> None:
    shown, _ = town.service.show(LIN, town.marriage.certificate_id)
    for ask in (town.service.presentation, town.service.cancel, town.service.renew, town.service.reading):
        with pytest.raises(PresentationUnknown):
            ask(ZHOU, shown.id)
    with pytest.raises(PresentationUnknown):
        town.service.presentation(LIN, PresentationId("nothing"))
    assert town.service.presentation(LIN, shown.id).state is PresentationState.WAITING


def test_the_database_holds_no_code_and_no_claim_value(town: Town, tmp_path: object) -> None:
    _, code = town.service.show(LIN, town.marriage.certificate_id)
    town.service.read(code, town.clerk)
    with town.engine.connect() as connection:
        kept = [
            repr(tuple(row))
            for table in ("wallet_presentations", "wallet_accesses")
            for row in connection.execute(text(f"SELECT * FROM {table}"))
        ]
    assert len(kept) == 2
    for secret in (code, code.removeprefix("YXP:"), *MARRIAGE_CLAIMS.values()):
        assert not any(secret in row for row in kept)


def test_codes_are_unguessable_and_unlike(town: Town) -> None:
    codes = {town.service.show(LIN, town.marriage.certificate_id)[1] for _ in range(20)}
    assert len(codes) == 20
    assert {len(code) for code in codes} == {36}  # 160 bits in base32


def test_a_wallet_with_an_endless_code_is_refused(town: Town) -> None:
    assert town.service.life == timedelta(seconds=60)
    with pytest.raises(LifeOutOfRange):
        WalletService(town.store, town.holdings, town.clock, view=lambda: town.view, life=timedelta(hours=1))


def test_holdings_details_and_documents(town: Town) -> None:
    (detail,) = town.service.holdings(LIN)
    assert town.service.certificate(LIN, detail.ref) == detail
    assert detail.issuer == Names("东岭区民政局", "Dongling Civil Affairs Bureau")
    assert town.service.pdf(LIN, detail.holding.certificate_id).startswith(b"%PDF")
    with pytest.raises(CertificateNotHeld):
        town.service.certificate(ZHOU, detail.ref)
    with pytest.raises(RenderingNotKept):
        town.service.pdf(ZHOU, detail.holding.certificate_id)


def test_a_type_that_no_list_defines_any_more_can_still_be_shown_in_part(town: Town) -> None:
    strange = holding(9, TypeId("common/unheard-of"), "990900/gone", {"holder_name": "林晓"})
    town.holdings.held[LIN].append(strange)
    detail = town.service.holdings(LIN)[1]
    assert (detail.type, detail.issuer, detail.region) == (None, None, None)
    shown, _ = town.service.show(LIN, strange.certificate_id)
    assert shown.claims == ()


def test_names_fall_back_to_ids(town: Town) -> None:
    assert town.service.reader_names(HALL).zh == "西川区政务大厅"
    assert town.service.reader_names(RelyingPartyId("1/gone")) == Names("1/gone", "1/gone")
    assert town.service.scenario_names(TRANSFER).en == "Household transfer"
    assert town.service.scenario_names(ScenarioId("1/gone")) == Names("1/gone", "1/gone")
    assert WEST in town.view.lists


def test_erasing_a_holder_leaves_nothing_of_theirs(town: Town) -> None:
    shown, code = town.service.show(LIN, town.marriage.certificate_id)
    town.service.read(code, town.clerk)
    town.service.forget_holder(LIN)
    assert town.service.access_log(LIN) == ()
    with pytest.raises(PresentationUnknown):
        town.service.presentation(LIN, shown.id)


def test_an_account_without_a_holder_has_no_wallet(town: Town) -> None:
    assert holder_of(town.citizen) == LIN
    with pytest.raises(NotAHolder):
        holder_of(town.clerk)
