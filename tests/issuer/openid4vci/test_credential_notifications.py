"""What wallets report about credentials: OpenID4VCI 1.0 section 11."""

from __future__ import annotations

from typing import Any

import pytest

from issuer.openid4vci.notifications import Event, reported
from tests.issuer.office import OFFICE, OTHER_OFFICE
from tests.issuer.openid4vci.credential_world import Issuing, error_of


class Collected:
    """A wallet that has just collected a credential."""

    def __init__(self, issuing: Issuing) -> None:
        self.issuing = issuing
        self.token = issuing.token()["access_token"]
        self.id = issuing.ask(self.token, issuing.request()).json()["notification_id"]

    def report(self, event: Any = "credential_accepted", **changes: Any) -> Any:
        whole = {"notification_id": self.id, "event": event, **changes}
        request = {name: value for name, value in whole.items() if value is not None}
        return self.issuing.ask(self.token, request, "notification")


@pytest.fixture
def collected(issuing: Issuing) -> Collected:
    return Collected(issuing)


@pytest.mark.parametrize("event", list(Event))
def test_an_event_is_received_and_counted(issuing: Issuing, collected: Collected, event: Event) -> None:
    before = reported(issuing.office.engine, OFFICE)
    answer = collected.report(event.value, event_description="Out of storage.")
    assert (answer.status_code, answer.content) == (204, b"")
    assert reported(issuing.office.engine, OFFICE) == {**before, event: before[event] + 1}
    assert set(reported(issuing.office.engine, OTHER_OFFICE).values()) == {0}


def test_the_same_again_is_success_and_counts_once(issuing: Issuing, collected: Collected) -> None:
    before = reported(issuing.office.engine, OFFICE)[Event.ACCEPTED]
    for _ in range(3):
        assert collected.report().status_code == 204
    assert reported(issuing.office.engine, OFFICE)[Event.ACCEPTED] == before + 1


def test_a_wallet_may_report_several_events_of_one_response(issuing: Issuing, collected: Collected) -> None:
    before = reported(issuing.office.engine, OFFICE)
    collected.report("credential_accepted")
    collected.report("credential_deleted")
    after = reported(issuing.office.engine, OFFICE)
    assert [after[each] - before[each] for each in Event] == [1, 0, 1]


def test_each_response_has_an_id_of_its_own(issuing: Issuing, collected: Collected) -> None:
    again = issuing.ask(collected.token, issuing.request()).json()["notification_id"]
    assert again != collected.id


@pytest.mark.parametrize("invented", ["", "3fwe98js", "A" * 40, "é" * 40])
def test_an_unknown_notification_id_is_refused(collected: Collected, invented: str) -> None:
    assert error_of(collected.report(notification_id=invented)) == "invalid_notification_id"


def test_another_wallets_notification_id_is_refused(issuing: Issuing, collected: Collected) -> None:
    assert error_of(Collected(issuing).report(notification_id=collected.id)) == "invalid_notification_id"


@pytest.mark.parametrize(
    "changes",
    [
        *({"notification_id": None}, {"notification_id": 7}, {"event": None}, {"event": "credential_lost"}),
        *({"event": "Credential_Accepted"}, {"event": ["credential_accepted"]}, {"event_description": 7}),
        *({"event_description": 'a "quote"'}, {"event_description": "back\\slash"}, {"event_description": "钱包"}),
        {"event_description": "x" * 1025},
    ],
)
def test_a_report_that_is_missing_or_misusing_parameters_is_refused(
    collected: Collected, changes: dict[str, Any]
) -> None:
    assert error_of(collected.report(**changes)) == "invalid_notification_request"


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"event":"a","event":"b"}', b"\xff"])
def test_a_malformed_report_is_refused(issuing: Issuing, collected: Collected, body: bytes) -> None:
    assert error_of(issuing.ask(collected.token, body, "notification")) == "invalid_notification_request"


def test_another_content_type_than_json_is_refused(issuing: Issuing, collected: Collected) -> None:
    for content_type in ("application/jwt", "text/plain", "application/x-www-form-urlencoded", ""):
        answer = issuing.ask(collected.token, {}, "notification", content_type=content_type)
        assert error_of(answer) == "invalid_notification_request"


def test_unrecognised_parameters_are_ignored(collected: Collected) -> None:
    assert collected.report(new_parameter=1).status_code == 204


def test_nobody_reports_without_a_token(collected: Collected) -> None:
    collected.token = "invented"
    assert error_of(collected.report(), 401) == "invalid_token"


def test_descriptions_and_ids_are_not_kept(issuing: Issuing, collected: Collected) -> None:
    collected.report("credential_failure", event_description="zhangsan")
    with issuing.office.engine.connect() as connection:
        rows = repr(connection.exec_driver_sql("SELECT * FROM issuer_openid_notifications").all())
    assert "zhangsan" not in rows
    assert collected.id not in rows
