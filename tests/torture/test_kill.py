"""`kill -9` at random moments: what was acknowledged is there, nothing is there twice, nothing half-written is served.

DESIGN.md section 7: no signature exists that is not recorded first; a crash in between is finished on restart, never
duplicated. Each round issues and revokes from several threads, reads the status list all the while, kills the server,
starts it again, repeats what was not acknowledged, and compares.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from keys.envelopes.sd_jwt import parse_sd_jwt
from tests.running import DemoServer, marriage_body
from trust_registry.attestations import from_sd_jwt_claims
from trust_registry.model import CertificateStatus
from trust_registry.status_list import parse_status_token, status_at_index

WRITERS = 3
pytestmark = [pytest.mark.torture, pytest.mark.timeout(3600)]


@dataclass
class Ledger:
    """What the clients were told. Guarded by `lock`."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    asked: dict[str, int] = field(default_factory=dict)  # idempotency key -> content number
    issued: dict[str, str] = field(default_factory=dict)  # idempotency key -> certificate id, acknowledged
    revoked: set[str] = field(default_factory=set)  # certificate ids, acknowledged
    half_written: list[str] = field(default_factory=list)
    lists_read: int = 0

    def next_key(self) -> tuple[str, int]:
        with self.lock:
            number = len(self.asked) + 1
            self.asked[key := f"torture-{number}"] = number
            return key, number


def issue(client: httpx.Client, ledger: Ledger, key: str, number: int) -> str | None:
    answer = client.post("/api/issuer/certificates", json=dict(marriage_body(number)), headers={"Idempotency-Key": key})
    assert answer.status_code in (200, 201), answer.text
    certificate_id: str = answer.json()["certificate_id"]
    with ledger.lock:
        known = ledger.issued.setdefault(key, certificate_id)
    assert known == certificate_id, "one key, two certificates"
    return certificate_id


def revoke(client: httpx.Client, ledger: Ledger, certificate_id: str) -> None:
    body = {"status": "invalid", "reason": "issued_in_error"}
    answer = client.post(f"/api/issuer/certificates/{certificate_id}/status", json=body)
    assert answer.status_code == 200, answer.text
    with ledger.lock:
        ledger.revoked.add(certificate_id)


def write(client: httpx.Client, ledger: Ledger, chance: random.Random) -> None:
    try:
        while True:
            key, number = ledger.next_key()
            certificate_id = issue(client, ledger, key, number)
            if certificate_id and chance.random() < 0.4:
                revoke(client, ledger, certificate_id)
    except httpx.TransportError:
        return  # killed in the middle of a request: not acknowledged


def watch(url: str, ledger: Ledger) -> None:
    try:
        with httpx.Client(timeout=10, trust_env=False) as client:
            while True:
                answer = client.get(url)
                if answer.status_code == 200:
                    try:
                        parse_status_token(answer.text)
                    except Exception as err:
                        ledger.half_written.append(repr(err))
                    ledger.lists_read += 1
    except httpx.TransportError:
        return


def status_reference(client: httpx.Client, certificate_id: str) -> tuple[str, int]:
    token = client.get(f"/api/issuer/certificates/{certificate_id}/renderings/sd_jwt_vc")
    assert token.status_code == 200, f"{certificate_id} was acknowledged and has no SD-JWT VC: {token.text}"
    status = from_sd_jwt_claims(parse_sd_jwt(token.text).claims).status
    return status.uri, status.index


def one_round(server: DemoServer, ledger: Ledger, chance: random.Random) -> None:
    server.start()
    with server.signed_in("clerk.minzheng") as client:
        known = next(iter(ledger.issued.values()))
        uri, _ = status_reference(client, known)
        headers, cookies = dict(client.headers), client.cookies
        clients = [
            httpx.Client(base_url=server.url, headers=headers, cookies=cookies, timeout=30, trust_env=False)
            for _ in range(WRITERS)
        ]
        threads = [
            threading.Thread(target=write, args=(each, ledger, random.Random(chance.random()))) for each in clients
        ]
        threads.append(threading.Thread(target=watch, args=(uri, ledger)))
        for thread in threads:
            thread.start()
        time.sleep(chance.uniform(0.05, 1.5))
        server.kill()
        for thread in threads:
            thread.join(timeout=30)
        for each in clients:
            each.close()


def published(client: httpx.Client) -> Counter[str]:
    found: Counter[str] = Counter()
    before: str | None = None
    while True:
        page = client.get("/api/issuer/certificates", params={"limit": 200} | ({"before": before} if before else {}))
        assert page.status_code == 200, page.text
        found.update(row["certificate_id"] for row in page.json()["certificates"])
        before = page.json()["next"]
        if before is None:
            return found


def test_what_was_acknowledged_survives_kill_9(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    rounds = request.config.getoption("--rounds", default=5)
    chance = random.Random(20261121)
    server, ledger = DemoServer(tmp_path / "demo"), Ledger()
    with server, server.signed_in("clerk.minzheng") as client:
        issue(client, ledger, *ledger.next_key())
        elsewhere = set(published(client)) - set(ledger.issued.values())  # issued at the founding
    for _ in range(rounds):
        one_round(server, ledger, chance)
    with server, server.signed_in("clerk.minzheng") as client:
        unacknowledged = {key: number for key, number in ledger.asked.items() if key not in ledger.issued}
        for key, number in unacknowledged.items():
            issue(client, ledger, key, number)
        found = published(client)
        assert not [each for each, times in found.items() if times > 1], "listed twice"
        assert set(found) - elsewhere == set(ledger.issued.values()), (
            "every key has one certificate, and no other is there"
        )
        assert len(set(ledger.issued.values())) == len(ledger.asked)
        references = {each: status_reference(client, each) for each in found}
        assert len(set(references.values())) == len(references), "a status index was used twice"
        lists = {uri: parse_status_token(client.get(uri).text).statuses for uri, _ in references.values()}
        for certificate_id in ledger.revoked:
            uri, index = references[certificate_id]
            assert status_at_index(lists[uri], index) is CertificateStatus.INVALID, "an acknowledged revocation is gone"
    assert not ledger.half_written
    assert ledger.lists_read > 0
    assert unacknowledged, "no kill ever hit a request: the torture does not bite"
