"""Expiry warnings: told once per end and severity, signed, repeated until taken, remembered across restarts."""

from __future__ import annotations

import hmac
import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from structlog.testing import capture_logs

from server.errors import InvalidSettings
from server.metrics import Metrics
from server.settings import load_settings
from server.warnings import ExpiryWatch, http_post, message_of, read_secret
from tests.trust_registry.network import DAY, DAY_0, everyone
from trust_registry.expiries import expiring
from trust_registry.model import TrustView

SECRET = b"0123456789abcdef0123456789abcdef"
HOOK = "https://warnings.test/hook?token=t0ken"
SEAL_END = DAY_0 + 365 * DAY


class Receiver:
    """The other side of a webhook."""

    def __init__(self) -> None:
        self.answer: int | Exception = 204
        self.received: list[tuple[str, bytes, Mapping[str, str]]] = []
        self.tries = 0

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        self.tries += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        if self.answer < 300:
            self.received.append((url, body, headers))
        return self.answer

    @property
    def severities(self) -> list[str]:
        return [json.loads(body)["severity"] for _, body, _ in self.received]


class Place:
    def __init__(self, folder: Path) -> None:
        self.now = SEAL_END - 60 * DAY
        self.view: TrustView | None = everyone()
        self.receiver = Receiver()
        self.folder = folder
        self.watch = self.started()

    def started(self, *webhooks: str) -> ExpiryWatch:
        return ExpiryWatch(
            lambda: self.view,
            lambda: self.now,
            self.folder / "state.json",
            webhooks=webhooks or (HOOK,),
            secret=SECRET,
            post=self.receiver,
        )

    def at(self, now: datetime) -> None:
        self.now = now
        self.watch.run()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_each_severity_is_told_once_and_never_less(place: Place) -> None:
    for days in (100, 60, 59, 20, 19, 5, 4, -1, -2):
        place.at(SEAL_END - days * DAY)
    assert place.receiver.severities == ["notice", "warning", "urgent", "expired"]
    assert len({headers["webhook-id"] for _, _, headers in place.receiver.received}) == 4


def test_a_restart_repeats_nothing(place: Place) -> None:
    place.watch.run()
    place.watch = place.started()
    place.watch.run()
    assert place.receiver.severities == ["notice"]


def test_the_message_is_signed_as_standard_webhooks_says(place: Place) -> None:
    place.watch.run()
    ((url, body, headers),) = place.receiver.received
    assert url == HOOK
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    version, _, mac = headers["webhook-signature"].partition(",")
    assert version == "v1"
    assert hmac.digest(SECRET, signed, "sha256") == b64decode(mac)
    assert int(headers["webhook-timestamp"]) == int(place.now.timestamp())


def test_the_message_says_what_whose_when_and_who_depends_on_it(place: Place) -> None:
    place.watch.run()
    message = json.loads(place.receiver.received[0][1])
    assert message["what"]["zh"] == "东岭区民政局婚姻登记专用章"
    assert message["owner"]["en"] == "Dongling Civil Affairs Bureau"
    assert message["ends_at"] == SEAL_END.isoformat()
    assert message["dependents"]["relying_parties"] == [
        {"id": "990200/government-hall", "scenarios": ["990200/household-transfer"]}
    ]
    assert message["dependents"]["counts"]["accepting"] == 2
    assert message["id"] == place.receiver.received[0][2]["webhook-id"]


def test_long_lists_of_dependents_are_cut_and_counted(place: Place) -> None:
    (expiry, *_) = expiring(everyone(), place.now)
    many = replace(expiry, dependents=replace(expiry.dependents, issuers=tuple(f"990100/{n}" for n in range(2000))))
    found: Any = message_of(many, place.now)["dependents"]
    assert (len(found["issuers"]), found["counts"]["issuers"]) == (500, 2000)


@pytest.mark.parametrize("failure", [500, 302, 429, httpx.ConnectTimeout("slow"), OSError("no route")])
def test_what_was_not_taken_is_offered_again_ever_more_rarely(place: Place, failure: int | Exception) -> None:
    place.receiver.answer = failure
    for minute in range(60):
        place.at(SEAL_END - 60 * DAY + timedelta(minutes=minute))
    assert 4 <= place.receiver.tries <= 7
    place.receiver.answer = 200
    place.at(place.now + timedelta(hours=7))
    assert place.receiver.severities == ["notice"]


def test_the_pause_outlives_a_restart(place: Place) -> None:
    place.receiver.answer = 500
    place.watch.run()
    place.watch = place.started()
    place.watch.run()
    assert place.receiver.tries == 1


def test_one_silent_receiver_does_not_keep_another_waiting(place: Place) -> None:
    def post(url: str, body: bytes, headers: Mapping[str, str]) -> int:
        if "silent" in url:
            raise httpx.ConnectError("refused")
        return place.receiver(url, body, headers)

    watch = ExpiryWatch(
        lambda: place.view,
        lambda: place.now,
        place.folder / "two.json",
        webhooks=("https://silent.test/", HOOK),
        secret=SECRET,
        post=post,
    )
    watch.run()
    assert place.receiver.severities == ["notice"]


def test_operators_read_it_in_the_log_and_no_address_with_its_token(place: Place) -> None:
    place.receiver.answer = 500
    with capture_logs() as lines:
        place.watch.run()
        place.watch.run()
    told = [line for line in lines if line["event"] == "expiry"]
    assert [(line["severity"], line["days"], line["kind"]) for line in told] == [("notice", 60, "seal")]
    (failed,) = [line for line in lines if line["event"] == "webhook failed"]
    assert failed["host"] == "warnings.test"
    assert "t0ken" not in str(lines)
    assert "t0ken" not in (place.folder / "state.json").read_text()


def test_a_damaged_state_warns_again_rather_than_never(place: Place) -> None:
    place.watch.run()
    for damage in (b"", b"{}", b'{"format": "yinxin-expiry-state/1", "receivers": {"log": {"told": {"a": "loud"}}}}'):
        (place.folder / "state.json").write_bytes(damage)
        place.receiver.received.clear()
        place.watch = place.started()
        place.watch.run()
        assert place.receiver.severities == ["notice"]


def test_without_trust_data_nothing_is_told(place: Place) -> None:
    place.view = None
    place.watch.look()
    place.watch.run()
    assert place.receiver.tries == 0
    assert place.watch.soonest() == {}


def test_the_metric_is_the_time_that_remains(place: Place) -> None:
    metrics = Metrics()
    metrics.soonest_expiries(place.watch.soonest)
    place.watch.look()
    families = {each.name: each for each in text_string_to_metric_families(metrics.text().decode())}
    (sample,) = families["yinxin_expiry_seconds"].samples
    assert sample.labels == {"kind": "seal", "region": "990100"}
    assert sample.value == pytest.approx(60 * 86400)
    assert place.receiver.tries == 0


def test_a_new_view_is_looked_at_when_its_lists_are_new(place: Place) -> None:
    place.view = replace(everyone(), lists={})
    place.watch.run()
    place.view = replace(everyone(), metadata_versions={"root": 2})
    place.watch.run()
    assert place.receiver.severities == ["notice"]


def test_the_secret_is_read_as_standard_webhooks_writes_it(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_bytes(b"whsec_" + b64encode(SECRET) + b"\n")
    assert read_secret(file) == SECRET
    file.write_bytes(SECRET + b"\n")
    assert read_secret(file) == SECRET
    for wrong in (b"", b"short", b"whsec_!!", b"whsec_" + b64encode(b"short")):
        file.write_bytes(wrong)
        with pytest.raises(InvalidSettings, match="expiry_webhook_secret_file"):
            read_secret(file)
    with pytest.raises(InvalidSettings, match="read"):
        read_secret(tmp_path / "absent")


def test_webhooks_need_https_and_a_secret(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    settings = load_settings(
        expiry_webhooks="https://a.test/x, http://127.0.0.1:9/y", expiry_webhook_secret_file=secret
    )
    assert settings.expiry_webhooks == ("https://a.test/x", "http://127.0.0.1:9/y")
    for urls in ("http://a.test/", "http://127.0.0.1.a.test/", "ftp://a.test/"):
        with pytest.raises(InvalidSettings, match="expiry_webhooks"):
            load_settings(expiry_webhooks=urls, expiry_webhook_secret_file=secret)
    with pytest.raises(InvalidSettings, match="expiry_webhook_secret_file"):
        load_settings(expiry_webhooks="https://a.test/x")


def test_over_http_the_body_arrives_and_a_redirect_is_not_followed() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(307, headers={"Location": "https://elsewhere.test/"})

    with httpx.Client(transport=httpx.MockTransport(answer), follow_redirects=False) as client:
        assert http_post(client)(HOOK, b"{}", {"webhook-id": "exp_1"}) == 307
    assert [(r.url.host, r.content, r.headers["webhook-id"]) for r in seen] == [("warnings.test", b"{}", "exp_1")]
