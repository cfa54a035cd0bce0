"""The demonstration: made once and kept, and the whole story of the first five minutes through its JSON routes."""

from __future__ import annotations

import json
import re
import socket
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from keys.certificate_names import dns_names
from server.access_keys import load_access_keys
from server.app import create_app
from server.clock import utc_now
from server.demo.apart import MARK, SETTINGS_FILE, claim
from server.demo.custody import access_host, wallet_origin
from server.demo.filling import PASSWORD, account_cards
from server.demo.people import LIN, ZHOU
from server.demo.start import Prepared, prepare
from server.demo.world import DONGLING, XICHUAN
from server.errors import AlreadyRunning, DemoFolderRefused
from server.wiring import build_house, open_all
from tests.running import free_port
from trust_registry.client import TrustStore
from trust_registry.interchange.lote_reading import read_lote
from trust_registry.interchange.publishing import source_of_repository
from trust_registry.interchange.rendering import list_signers
from trust_registry.interchange.tsl_reading import read_tsl
from trust_registry.model import IssuerId, RegionCode
from trust_registry.repository import Repository

pytestmark = pytest.mark.xdist_group("demo")
PORT = 18999


@dataclass
class Demo:
    data: Path
    prepared: Prepared
    client: TestClient

    def sign_in(self, name: str) -> TestClient:
        client = TestClient(self.client.app, base_url=self.prepared.settings.origin)
        token = re.search(r'name="csrf_token" value="(\w+)"', client.get("/sign-in").text)
        assert token is not None
        form = {"name": name, "password": PASSWORD, "csrf_token": token[1]}
        assert client.post("/sign-in", data=form, follow_redirects=False).status_code == 303
        page = re.search(r'name="csrf_token" value="(\w+)"', client.get("/account").text)
        assert page is not None
        client.headers["x-csrf-token"] = page[1]
        return client


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    data = tmp_path_factory.mktemp("demo") / "data"
    prepared = prepare(data, "127.0.0.1", PORT, say=lambda _: None)
    house = build_house(prepared.settings, demo_accounts=account_cards())
    with TestClient(create_app(house), base_url=prepared.settings.origin) as client:
        yield Demo(data, prepared, client)


def test_one_click_goes_where_the_visitor_was_going(demo: Demo) -> None:
    """A citizen whose wallet asks comes back to its request; everybody else goes through their own door."""

    def goes(where: str) -> dict[str, str]:
        page = demo.client.get("/sign-in", params={"next": where}).text
        return dict(re.findall(r'name="name" value="([^"]+)">.*?name="next" value="([^"]*)"', page))

    asked = "/issuers/990100/civil-affairs/authorize/secret"
    for where, citizen, clerk in ((asked, asked, "/desk"), ("/wallet/scan", "/wallet/scan", "/desk")):
        found = goes(where)
        assert (found["lin.xiao"], found["clerk.minzheng"]) == (citizen, clerk)
    assert goes("/")["lin.xiao"] == "/wallet"


def test_demo_is_ready(demo: Demo) -> None:
    answer = demo.client.get("/readyz")
    assert answer.json() == {
        "status": "ready",
        "checks": {"database": True, "trust": True, "status_publication": True},
    }


def test_sign_in_page_offers_every_account(demo: Demo) -> None:
    page = demo.client.get("/sign-in").text
    for card in account_cards():
        assert f'value="{card["name"]}"' in page
    assert "演示环境" in page


def test_every_account_of_the_cast_signs_in(demo: Demo) -> None:
    for card in account_cards():
        client = demo.sign_in(card["name"])
        assert client.get(card["next"]).status_code == 200, card["name"]


def test_thresholds_were_really_met(demo: Demo) -> None:
    view = TrustStore(demo.data / "trust").load(utc_now())
    assert set(view.lists) == {DONGLING, XICHUAN, "common"}
    for signatures in view.signatures.values():
        assert signatures.threshold == 2
        assert len(signatures.signed_by) >= 2


def test_one_recognition_is_still_in_its_notice_period(demo: Demo) -> None:
    view = TrustStore(demo.data / "trust").load(utc_now())
    pending = [r.id for r in view.lists[XICHUAN].recognises if r.since > utc_now()]
    assert pending == ["R4"]
    assert any(r.issuing == XICHUAN for r in view.lists[DONGLING].recognises)


def test_secrets_are_for_their_owner_only(demo: Demo) -> None:
    secret = [demo.data / "passphrase", demo.data / "deployment.key", *(demo.data / "keys").rglob("*.key")]
    assert len(secret) > 20
    for path in secret:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_keys_are_marked_as_demonstration_keys(demo: Demo) -> None:
    for path in (demo.data / "keys").rglob("*.key"):
        assert json.loads(path.read_text().splitlines()[0])["demo"] is True


def test_database_holds_no_name_or_number_in_the_clear(demo: Demo) -> None:
    content = b"".join(path.read_bytes() for path in demo.data.glob("yinxin.db*"))
    assert b"server_accounts" in content
    for personal in ("99010219920518", "云栖路", "梧桐街"):
        assert personal.encode() not in content


def test_second_start_keeps_everything(demo: Demo) -> None:
    before = (demo.data / "root.json").read_bytes()
    again = prepare(demo.data, "127.0.0.1", PORT + 1, say=lambda _: None)
    assert again.made is False
    assert (demo.data / "root.json").read_bytes() == before
    assert again.settings.port == PORT + 1
    assert again.settings.origin == demo.prepared.settings.origin  # certificates name it


def test_unfinished_first_start_is_begun_anew(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / MARK).touch()
    (data / "half.key").touch()
    said: list[str] = []
    assert prepare(data, "127.0.0.1", PORT, say=said.append).made is True
    assert not (data / "half.key").exists()
    assert not (data / MARK).exists()
    assert (data / SETTINGS_FILE).exists()
    assert said


def test_folder_with_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(DemoFolderRefused):
        prepare(tmp_path, "127.0.0.1", PORT, say=lambda _: None)
    assert (tmp_path / "thesis.tex").read_text() == "precious"


def test_trust_and_status_files_are_served_to_anybody(demo: Demo) -> None:
    answer = demo.client.get("/trust/metadata/timestamp.json")
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    root = Repository(demo.data / "registry").first_root()
    assert demo.client.get("/trust/metadata/1.root.json").content == root
    assert demo.client.get("/trust/../yinxin.toml").status_code == 404
    assert demo.client.get("/trust/%2e%2e/%2e%2e/passphrase").status_code == 404


def test_each_regions_list_is_served_to_other_networks_too(demo: Demo) -> None:
    """As ETSI trusted lists, by the key that the list names for it; the list of lists points to both."""
    found = demo.client.get("/trust/interchange/lotl.xml")
    assert found.headers["content-type"] == "application/vnd.etsi.tsl+xml"
    lists = source_of_repository(Repository(demo.data / "registry")).lists
    signers = {code: list_signers(each, each.issued_at) for code, each in lists.items()}
    pointers = read_tsl(found.content, signers[DONGLING]).pointers
    assert len(pointers) == 2
    for pointer in pointers:
        path = pointer.location.partition("/trust/")[2]
        listed = read_tsl(demo.client.get(f"/trust/{path}").content, pointer.signers)
        code = RegionCode(path.removeprefix("interchange/").removesuffix(".xml"))
        assert pointer.signers == signers[code]
        assert (listed.sequence_number, len(listed.pointers)) == (lists[code].version, 1)
        as_json = demo.client.get(f"/trust/interchange/{code}.json").content
        assert len(read_lote(as_json, pointer.signers).services) == len(listed.services)


MARRIAGE = {
    "certificate_number": "J990102-2026-000777",
    "holder_name": "林晓",
    "holder_sex": "女",
    "holder_birth_date": "1992-05-18",
    "spouse_name": "周远",
    "spouse_sex": "男",
    "spouse_birth_date": "1990-11-03",
    "registered_on": "2026-11-20",
}


def issue(demo: Demo, clerk: TestClient, key: str) -> dict[str, Any]:
    issuer = TrustStore(demo.data / "trust").load(utc_now()).issuers[IssuerId("990100/civil-affairs")]
    body = {
        "type_id": "common/marriage-certificate",
        "seal_id": issuer.seals[0].id,
        "holder": {"kind": "citizen", "number": LIN.number, "name": LIN.name},
        "claims": MARRIAGE | {"identity_number": LIN.number, "spouse_identity_number": ZHOU.number},
    }
    answer = clerk.post("/api/issuer/certificates", json=body, headers={"idempotency-key": key})
    assert answer.status_code in (200, 201), answer.text
    made: dict[str, Any] = answer.json()
    return made


def test_the_story_issue_hold_show_read_revoke_read_again(demo: Demo) -> None:
    clerk, citizen, counter = (demo.sign_in(n) for n in ("clerk.minzheng", "lin.xiao", "counter.xichuan"))
    made = issue(demo, clerk, "story-1")
    certificate_id = made["certificate_id"]
    held = citizen.get("/api/wallet/certificates").json()["certificates"]
    assert certificate_id in json.dumps(held)

    shown = citizen.post(
        "/api/wallet/presentations",
        json={"certificate_id": certificate_id, "scenario_id": "990200/household-transfer"},
    )
    assert shown.status_code == 201, shown.text
    code = shown.json()["code"]
    read = counter.post("/api/presentations/read", json={"code": code, "scenario_id": "990200/household-transfer"})
    assert read.status_code == 200, read.text
    again = counter.post("/api/presentations/read", json={"code": code})
    assert again.status_code == 409
    assert again.json()["type"] == "urn:yinxin:problem:already-read"

    qr = clerk.get(f"/api/issuer/certificates/{certificate_id}/renderings/qr")
    assert qr.status_code == 200, qr.text
    query = "?accepting=990200&scenario=990200/household-transfer"
    plain = {"content-type": "text/plain"}
    anybody = TestClient(demo.client.app, base_url=demo.prepared.settings.origin)
    report = anybody.post(f"/api/verify{query}", content=qr.content, headers=plain).json()
    assert report["indication"] == "PASSED", report

    revoked = clerk.post(
        f"/api/issuer/certificates/{certificate_id}/status", json={"status": "invalid", "reason": "issued_in_error"}
    )
    assert revoked.status_code == 200, revoked.text
    report = anybody.post(f"/api/verify{query}", content=qr.content, headers=plain).json()
    assert (report["indication"], report["sub_indication"]) == ("FAILED", "REVOKED")
    log = citizen.get("/api/wallet/log").json()["uses"]
    assert "990200/government-hall" in json.dumps(log)


def test_the_same_request_gets_the_same_certificate(demo: Demo) -> None:
    clerk = demo.sign_in("clerk.minzheng")
    first, second = issue(demo, clerk, "same"), issue(demo, clerk, "same")
    assert first["certificate_id"] == second["certificate_id"]


def test_readings_of_one_time_codes_are_limited(demo: Demo) -> None:
    counter = demo.sign_in("counter.dongling")
    answers = [counter.post("/api/presentations/read", json={"code": "YXP:" + "A" * 32}).status_code for _ in range(32)]
    assert answers[0] in (404, 422)
    assert answers[-1] == 429


def test_one_room_is_served_alone(demo: Demo) -> None:
    settings = demo.prepared.settings.model_copy(update={"rooms": ("verifier",)})
    with TestClient(create_app(build_house(settings)), base_url=settings.origin) as client:
        assert client.get("/readyz").status_code == 200
        assert client.get("/verify").status_code == 200
        for path in (
            "/registry",
            "/api/issuer/certificates",
            "/api/wallet/certificates",
            "/trust/metadata/timestamp.json",
        ):
            assert client.get(path).status_code == 404, path


@pytest.mark.postgresql
def test_the_demonstration_runs_on_postgresql(
    tmp_path: Path, postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YINXIN_DATABASE_URL", postgresql_url)
    prepared = prepare(tmp_path / "data", "127.0.0.1", PORT, say=lambda _: None)
    assert not list((tmp_path / "data").glob("*.db"))
    with TestClient(create_app(build_house(prepared.settings)), base_url=prepared.settings.origin) as client:
        assert client.get("/readyz").status_code == 200
        clerk = Demo(tmp_path / "data", prepared, client).sign_in("clerk.minzheng")
        made = issue(Demo(tmp_path / "data", prepared, client), clerk, "postgresql-1")
        changed = clerk.post(
            f"/api/issuer/certificates/{made['certificate_id']}/status",
            json={"status": "suspended", "reason": "under_review"},
        )
        assert changed.status_code == 200, changed.text


def test_a_folder_and_an_address_serve_one_demonstration(tmp_path: Path) -> None:
    """The second start says in one line what is in the way, before it makes or touches anything."""
    data = tmp_path / "data"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(AlreadyRunning, match="--port"):
            claim(data, "127.0.0.1", taken.getsockname()[1])
    assert not data.exists()
    free = free_port()
    claim(data, "127.0.0.1", free)
    with pytest.raises(AlreadyRunning, match="--data"):
        claim(data, "127.0.0.1", free)
    (tmp_path / "file").touch()
    with pytest.raises(DemoFolderRefused, match="--data"):
        claim(tmp_path / "file", "127.0.0.1", free)


def test_halls_sign_requests_to_wallets_with_listed_keys(demo: Demo) -> None:
    """The certificate names the host of the addresses in the requests, and this machine's address is no host name."""
    opened = open_all(demo.prepared.settings)
    opened.keeper.refresh()
    keys = load_access_keys(opened)
    assert set(keys) == {"990100/government-hall", "990200/government-hall"}
    assert demo.prepared.settings.wallet_origin == f"http://localhost:{PORT}"
    for key in keys.values():
        assert key.signer.public_key == key.certificate.public_key
        assert dns_names(key.certificate) == ("localhost",)


@pytest.mark.parametrize(
    ("public_url", "origin", "host"),
    [
        ("http://127.0.0.1:8000", "http://localhost:8000", "localhost"),
        ("http://demo.example:8000", "http://demo.example:8000", "demo.example"),
        ("http://192.0.2.7:8000", "http://192.0.2.7:8000", "localhost"),
        ("http://[::1]:8000", "http://localhost:8000", "localhost"),
    ],
)
def test_a_certificate_for_requests_names_a_host(public_url: str, origin: str, host: str) -> None:
    assert (wallet_origin(public_url), access_host(public_url)) == (origin, host)
