"""A demonstration server in a process of its own, and people signed in to it over real HTTP."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from stdnum.iso7064 import mod_11_2

CIVIL_AFFAIRS_SEAL = "990100/civil-affairs/99010000000001"
YINXIN = (sys.executable, "-c", "from server.cli import main; main()")  # whether or not the script is installed
PASSWORD = "yinxin-demo"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class DemoServer:
    """`yinxin demo --data DIR --port N`. Usable as a context manager; `kill` is SIGKILL, `stop` a graceful SIGTERM."""

    def __init__(self, data: Path, port: int | None = None) -> None:
        self.data = data
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, within: float = 150) -> DemoServer:
        self.data.parent.mkdir(parents=True, exist_ok=True)
        log = self.data.with_suffix(".log")
        with log.open("ab") as output:
            command = [*YINXIN, "demo", "--data", str(self.data), "--port", str(self.port)]
            self._process = subprocess.Popen(command, stdout=output, stderr=output)
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            try:
                if httpx.get(f"{self.url}/readyz", timeout=2, trust_env=False).status_code == 200:
                    return self
            except httpx.TransportError:
                pass
            time.sleep(0.1)
        self.kill()
        raise AssertionError(f"the demonstration did not become ready in {within} s:\n{log.read_text()[-3000:]}")

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(timeout=30)
            self._process = None

    def __enter__(self) -> DemoServer:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()

    @contextmanager
    def signed_in(self, account: str) -> Iterator[httpx.Client]:
        """A client with the account's session cookie and CSRF header."""
        with httpx.Client(base_url=self.url, timeout=30, follow_redirects=True, trust_env=False) as client:
            page = client.get("/sign-in").text
            form = {"name": account, "password": PASSWORD, "csrf_token": csrf_token(page)}
            landed = client.post("/sign-in", data=form)
            assert landed.status_code == 200, landed.status_code
            client.headers["X-CSRF-Token"] = csrf_token(landed.text)
            yield client


def csrf_token(page: str) -> str:
    found = re.search(r'name="csrf[_-]token"[^>]*(?:value|content)="([0-9a-f]{64})"', page)
    assert found, "no CSRF token on the page"
    return found[1]


def citizen_number(sequence: int) -> str:
    """A fictional citizen number: region outside GB/T 2260, right check digit."""
    body = f"9901021990{1 + sequence // 28 % 12:02d}{1 + sequence % 28:02d}{sequence % 1000:03d}"
    return body + mod_11_2.calc_check_digit(body)


def marriage_body(number: int) -> Mapping[str, Any]:
    """A request body for one marriage certificate that differs with `number`."""
    holder, spouse = citizen_number(number), citizen_number(number + 500)
    claims = {
        "certificate_number": f"J990102-2026-{number:06d}",
        "holder_name": "林晓",
        "identity_number": holder,
        "holder_sex": "女",
        "holder_birth_date": "1990-01-01",
        "spouse_name": "周远",
        "spouse_identity_number": spouse,
        "spouse_sex": "男",
        "spouse_birth_date": "1990-01-01",
        "registered_on": "2026-05-20",
    }
    return {
        "type_id": "common/marriage-certificate",
        "seal_id": CIVIL_AFFAIRS_SEAL,
        "holder": {"kind": "citizen", "number": holder, "name": "林晓"},
        "claims": claims,
    }
