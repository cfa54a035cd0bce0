"""Resident memory of the demonstration server: idle after its start, and after ten certificates were issued."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.running import DemoServer, marriage_body

GOAL = "under 300"


def run() -> list[tuple[str, float, str]]:
    with tempfile.TemporaryDirectory() as folder, DemoServer(Path(folder) / "demo") as server:
        idle = resident_mib(server.pid)
        with server.signed_in("clerk.minzheng") as clerk:
            for number in range(10):
                answer = clerk.post(
                    "/api/issuer/certificates", json=marriage_body(number), headers={"Idempotency-Key": f"m{number}"}
                )
                assert answer.status_code == 201, answer.text
        return [
            ("idle demo server, resident MiB", idle, GOAL),
            ("the same after issuing ten certificates, resident MiB", resident_mib(server.pid), "report"),
        ]


def resident_mib(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("no VmRSS: this measurement needs Linux")
