"""Dual control: nothing of such a type is sealed unless a second clerk of the office approved exactly that."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from issuer.dual_control import LIFE, DualControl
from issuer.errors import (
    ApprovalNeeded,
    ContentChanged,
    HolderErased,
    IdempotencyConflict,
    IssuerError,
    OwnRequest,
    SealOutOfTime,
    WaitingClosed,
    WaitingUnknown,
)
from issuer.model import BulkRow, CertificateFilter, RefusalReason, Waiting, WaitingState
from keys.errors import KeyNotFound
from tests.issuer.office import CLERK, MARRIAGE, NUMBER, OFFICE, OTHER_OFFICE, SEAL_ID, Office
from tests.issuer.test_crashes import assert_whole, column, rounds
from tests.issuer.test_routes import BODY, Web
from trust_registry.edges import AccountId

SECOND, THIRD = AccountId("clerk-chen"), AccountId("clerk-wu")
WRONG = RefusalReason.INCORRECT


def govern(office: Office) -> DualControl:
    """Marriage certificates are under dual control."""
    office.types = tuple(replace(type_, dual_control=type_.id == MARRIAGE) for type_ in office.types)
    return DualControl(office.service, office.clock)


@pytest.fixture
def dual(office: Office) -> DualControl:
    return govern(office)


def issued(office: Office) -> list[str]:
    return [found.certificate_id for found in office.service.certificates(CertificateFilter())]


def approve(dual: DualControl, waiting: Waiting, by: AccountId = SECOND) -> str:
    return dual.approve(waiting.id, OFFICE, by, waiting.digest).summary.certificate_id


# The story


def test_what_one_clerk_prepares_another_seals(office: Office, dual: DualControl) -> None:
    waiting = dual.submit(office.request())
    assert waiting.state is WaitingState.WAITING
    assert waiting.holder_masked == "林*雨"
    assert issued(office) == []
    assert dual.content(waiting.id, OFFICE).claims == office.request().claims
    certificate_id = approve(dual, waiting)
    assert issued(office) == [certificate_id]
    found = dual.find(waiting.id, OFFICE)
    assert (found.state, found.decided_by, found.certificate_id) == (WaitingState.SEALED, SECOND, certificate_id)
    (use,) = office.service.seal_uses(SEAL_ID)
    assert (use.used_by, use.approved_by, use.type_id) == (CLERK, SECOND, MARRIAGE)


def test_other_types_are_sealed_by_one_clerk_as_before(office: Office) -> None:
    office.service.issue(office.request())
    (use,) = office.service.seal_uses(SEAL_ID)
    assert (use.used_by, use.approved_by) == (CLERK, None)


def test_the_same_request_again_finds_what_waits_and_then_the_certificate(office: Office, dual: DualControl) -> None:
    waiting = dual.submit(office.request())
    assert dual.submit(office.request()) == waiting
    with pytest.raises(IdempotencyConflict):
        dual.submit(office.request(claims={**office.request().claims, "registered_on": "2019-05-21"}))
    certificate_id = approve(dual, waiting)
    again = office.service.issue(office.request())
    assert (again.summary.certificate_id, again.replayed) == (certificate_id, True)


def test_a_request_that_could_not_be_sealed_does_not_wait(office: Office, dual: DualControl) -> None:
    with pytest.raises(IssuerError):
        dual.submit(office.request(claims={}))
    assert dual.waiting(OFFICE) == ()


# Attacks


def test_nothing_is_sealed_without_a_second_clerk(office: Office, dual: DualControl) -> None:
    with pytest.raises(ApprovalNeeded):
        office.service.issue(office.request())
    with pytest.raises(ApprovalNeeded):
        office.service.issue(office.request(approved_by=CLERK))
    result = office.service.issue_many([BulkRow(2, office.request())])
    assert [error.code for error in result.errors] == ["ApprovalNeeded"]
    assert issued(office) == []
    assert dual.governs(MARRIAGE)


def test_nobody_approves_or_refuses_their_own(office: Office, dual: DualControl) -> None:
    waiting = dual.submit(office.request())
    with pytest.raises(OwnRequest):
        approve(dual, waiting, CLERK)
    with pytest.raises(OwnRequest):
        dual.refuse(waiting.id, OFFICE, CLERK, WRONG)
    assert dual.find(waiting.id, OFFICE).state is WaitingState.WAITING
    assert issued(office) == []


def test_approving_twice_seals_once(office: Office, dual: DualControl) -> None:
    waiting = dual.submit(office.request())
    certificate_id = approve(dual, waiting)
    assert approve(dual, waiting) == certificate_id
    with pytest.raises(WaitingClosed):
        approve(dual, waiting, THIRD)
    assert issued(office) == [certificate_id]
    assert len(office.service.seal_uses(SEAL_ID)) == 1


def test_what_was_changed_after_it_was_shown_is_not_approved(office: Office, dual: DualControl) -> None:
    """The clerk takes it back and asks for something else; the other still has the old page open."""
    shown = dual.submit(office.request())
    dual.withdraw(shown.id, OFFICE, CLERK, WRONG)
    changed = dual.submit(office.request("key-2", claims={**office.request().claims, "registered_on": "2019-05-21"}))
    with pytest.raises(WaitingClosed):
        approve(dual, shown)
    with pytest.raises(ContentChanged):
        dual.approve(changed.id, OFFICE, SECOND, shown.digest)
    assert issued(office) == []


@pytest.mark.parametrize("column_name", ["type_id", "seal_id", "requested_by", "digest", "content"])
def test_a_row_altered_behind_our_back_is_not_approved(office: Office, dual: DualControl, column_name: str) -> None:
    """Whoever can write to the database still has not the deployment key."""
    mine, other = dual.submit(office.request()), dual.submit(office.request_for(7))
    values = {
        "type_id": "'common/household-register'",
        "seal_id": "'990100/public-security/99010000000002'",
        "requested_by": f"'{THIRD}'",
        "digest": f"(SELECT digest FROM issuer_waiting WHERE id = '{other.id}')",
        "content": f"(SELECT content FROM issuer_waiting WHERE id = '{other.id}')",
    }
    with office.engine.begin() as connection:
        connection.execute(
            text(f"UPDATE issuer_waiting SET {column_name} = {values[column_name]} WHERE id = '{mine.id}'")
        )
    if column_name == "requested_by":  # who asked is not part of what is asked for: still two different clerks
        with pytest.raises(OwnRequest):
            approve(dual, mine, THIRD)
        return
    with pytest.raises(Exception):  # noqa: B017, PT011  (each fails in its own way, none seals)
        approve(dual, mine)
    assert issued(office) == []


def test_another_offices_clerk_sees_and_approves_nothing(office: Office, dual: DualControl) -> None:
    waiting = dual.submit(office.request())
    assert dual.waiting(OTHER_OFFICE) == ()
    for attempt in (
        lambda: dual.approve(waiting.id, OTHER_OFFICE, SECOND, waiting.digest),
        lambda: dual.content(waiting.id, OTHER_OFFICE),
        lambda: dual.refuse(waiting.id, OTHER_OFFICE, SECOND, WRONG),
        lambda: dual.withdraw(waiting.id, OTHER_OFFICE, CLERK, WRONG),
        lambda: dual.find("0", OFFICE),
    ):
        with pytest.raises(WaitingUnknown):
            attempt()


def test_only_who_asked_takes_it_back(office: Office, dual: DualControl) -> None:
    waiting = dual.submit(office.request())
    with pytest.raises(WaitingClosed):
        dual.withdraw(waiting.id, OFFICE, SECOND, WRONG)
    assert dual.withdraw(waiting.id, OFFICE, CLERK, WRONG).state is WaitingState.WITHDRAWN


# Ends


def test_a_refused_request_says_why_and_forgets_its_content(office: Office, dual: DualControl) -> None:
    waiting = dual.submit(office.request())
    found = dual.refuse(waiting.id, OFFICE, SECOND, WRONG)
    assert (found.state, found.reason, found.decided_by) == (WaitingState.REFUSED, WRONG, SECOND)
    assert found.holder_masked == ""
    with pytest.raises(HolderErased):
        dual.content(waiting.id, OFFICE)
    with pytest.raises(WaitingClosed):
        approve(dual, waiting)


def test_what_nobody_approves_in_time_runs_out(office: Office, dual: DualControl) -> None:
    waiting = dual.submit(office.request())
    office.clock.turn(LIFE)
    with pytest.raises(WaitingClosed):
        approve(dual, waiting)
    assert dual.expire() == 1
    (found,) = dual.waiting(OFFICE)
    assert (found.state, found.holder_masked) == (WaitingState.EXPIRED, "")
    assert dual.expire() == 0


def test_erasing_a_holder_ends_what_waits_for_them(office: Office, dual: DualControl) -> None:
    waiting = dual.submit(office.request())
    holder = office.service.find_holder(office.request().holder.kind, NUMBER)
    assert holder is not None
    office.service.erase_holder(holder)
    assert dual.find(waiting.id, OFFICE).state is WaitingState.WITHDRAWN
    with pytest.raises(WaitingClosed):
        approve(dual, waiting)


def test_what_may_no_longer_be_sealed_when_it_is_approved_is_closed(office: Office, dual: DualControl) -> None:
    waiting = dual.submit(office.request())
    office.service.register_seal(replace(office.seal, valid_until=office.clock() + timedelta(hours=1)))
    office.clock.turn(timedelta(hours=2))
    with pytest.raises(SealOutOfTime):
        approve(dual, waiting)
    found = dual.find(waiting.id, OFFICE)
    assert (found.state, found.reason) == (WaitingState.REFUSED, RefusalReason.CANNOT_BE_SEALED)


def test_personal_data_is_sealed_at_rest(office: Office, dual: DualControl) -> None:
    dual.submit(office.request())
    with office.engine.connect() as connection:
        (row,) = connection.execute(text("SELECT * FROM issuer_waiting")).all()
    said = b" ".join(value if isinstance(value, bytes) else str(value).encode() for value in row)
    for secret in (NUMBER, "林晓雨", "周明远"):
        assert secret.encode() not in said


# Crashes


def test_an_outage_between_approving_and_sealing_is_made_good(office: Office, dual: DualControl) -> None:
    waiting = dual.submit(office.request())
    opened, office.open_signer = office.open_signer, _no_key
    with pytest.raises(KeyNotFound):
        approve(dual, waiting)
    assert dual.find(waiting.id, OFFICE).state is WaitingState.APPROVED
    assert DualControl(office.restart(), office.clock).recover() == 0
    office.open_signer = opened
    restarted = DualControl(office.restart(), office.clock)
    assert restarted.recover() == 1
    assert len(issued(office)) == 1
    assert approve(restarted, waiting) == issued(office)[0]


def _no_key(uri: str) -> None:
    raise KeyNotFound(uri)


def test_a_crash_at_any_step_of_approving_seals_at_most_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def story(office: Office) -> None:
        dual = govern(office)
        approve(dual, dual.submit(office.request()))

    for office in rounds(tmp_path, story, monkeypatch):
        dual = govern(office)
        office.service.recover()
        dual.recover()
        waiting = dual.submit(office.request()) if not column(office, "SELECT id FROM issuer_waiting") else None
        found = waiting or dual.waiting(OFFICE)[0]
        certificate_id = approve(dual, found)
        assert len(issued(office)) == 2  # with the one that `prepare` made
        assert dual.find(found.id, OFFICE).certificate_id == certificate_id
        assert_whole(office)


def test_it_works_on_both_databases(engine: Engine, tmp_path: Path) -> None:
    office = Office(engine, tmp_path / "status")
    dual = govern(office)
    waiting = dual.submit(office.request())
    assert approve(dual, waiting) == approve(dual, waiting)
    dual.refuse(dual.submit(office.request_for(3)).id, OFFICE, SECOND, WRONG)
    dual.submit(office.request_for(4))
    office.clock.turn(LIFE)
    states = [found.state for found in dual.waiting(OFFICE)]
    assert sorted(state.value for state in states) == ["expired", "refused", "sealed"]


# Over HTTP


def test_the_whole_story_over_http(office: Office, dual: DualControl) -> None:
    web = Web(office)
    asked = web.client.post("/api/issuer/certificates", json=BODY, headers={"Idempotency-Key": "a"})
    assert asked.status_code == 202
    path, digest = asked.headers["Location"], asked.json()["digest"]
    assert NUMBER not in asked.text
    assert web.client.post(f"{path}/approve", json={"digest": digest}).json() == {"error": "OwnRequest"}
    lin = web.principal
    web.sign_in()
    (listed,) = web.client.get("/api/issuer/waiting").json()
    assert listed["state"] == "waiting"
    shown = web.client.get(path)
    assert shown.json()["claims"] == BODY["claims"]
    assert shown.headers["Cache-Control"] == "private, no-store"
    assert web.client.post(f"{path}/approve", json={"digest": "0" * 64}).json() == {"error": "ContentChanged"}
    sealed = web.client.post(f"{path}/approve", json={"digest": digest}).json()
    web.principal = lin
    again = web.client.post("/api/issuer/certificates", json=BODY, headers={"Idempotency-Key": "a"})
    assert (again.status_code, again.json()["certificate_id"]) == (200, sealed["certificate_id"])


def test_refusing_and_withdrawing_over_http(office: Office, dual: DualControl) -> None:
    web = Web(office)
    paths = [
        web.client.post("/api/issuer/certificates", json=BODY, headers={"Idempotency-Key": key}).headers["Location"]
        for key in ("a", "b")
    ]
    reason = {"reason": "duplicate"}
    assert web.client.post(f"{paths[0]}/withdraw", json=reason).json()["state"] == "withdrawn"
    web.sign_in()
    assert web.client.post(f"{paths[1]}/refuse", json=reason).json()["reason"] == "duplicate"
    assert web.client.post(f"{paths[1]}/refuse", json={"reason": "说不清"}).status_code == 422
