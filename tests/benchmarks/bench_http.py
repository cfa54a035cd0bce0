"""`POST` of one QR code: the hot route against a plain FastAPI + pydantic handler that does the same verification.

Two uvicorn processes, one worker each; a thin client keeps four connections busy. Rounds alternate; medians of ratios.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from statistics import median
from urllib.parse import quote

from tests.verifier.small_world import TRANSFER

CONNECTIONS = 4
REQUESTS = 60  # per connection and round
ROUNDS = 15


class Subject:
    """A server in a process of its own, and open connections to it."""

    def __init__(self, name: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        command = [sys.executable, "-m", "uvicorn", f"tests.benchmarks.http_subjects:{name}", "--port", str(self.port)]
        self.process = subprocess.Popen(
            [*command, "--log-level", "error", "--no-access-log", "--timeout-keep-alive", "600"]
        )
        self.connections = [self._connect() for _ in range(CONNECTIONS)]
        self.connections[0].sendall(b"GET /example HTTP/1.1\r\nHost: x\r\n\r\n")
        self.example = _read_answer(self.connections[0])
        self.request = b""

    def ask(self, path: str, media_type: str, body: bytes) -> None:
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {media_type}\r\nContent-Length: {len(body)}\r\n\r\n"
        self.request = head.encode() + body
        self.connections[0].sendall(self.request)
        answer = json.loads(_read_answer(self.connections[0]))
        if answer["indication"] != "PASSED" or answer["policy"]["scenario"] != TRANSFER:
            raise AssertionError("the benchmark's own code does not pass")

    def _connect(self) -> socket.socket:
        for _ in range(300):
            try:
                return socket.create_connection(("127.0.0.1", self.port), timeout=30)
            except OSError:
                time.sleep(0.1)
        raise AssertionError("the server did not start")

    def seconds(self) -> float:
        start = time.perf_counter()
        for _ in range(REQUESTS):
            for connection in self.connections:
                connection.sendall(self.request)
            for connection in self.connections:
                _read_answer(connection)
        return time.perf_counter() - start

    def stop(self) -> None:
        for connection in self.connections:
            connection.close()
        self.process.terminate()
        self.process.wait(20)


def _read_answer(connection: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        received += _received(connection)
    head, _, body = received.partition(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    while len(body) < length:
        body += _received(connection)
    if not head.startswith(b"HTTP/1.1 200"):
        raise AssertionError(head.decode())
    return body


def _received(connection: socket.socket) -> bytes:
    chunk = connection.recv(65536)
    if not chunk:
        raise AssertionError("the server hung up")
    return chunk


def run() -> list[tuple[str, float, str]]:
    """(name, how many times the naive handler's request rate, goal)."""
    hot, naive = Subject("hot"), Subject("naive")
    try:
        hot.ask(f"/api/verify?scenario={quote(TRANSFER, safe='')}", "text/plain", hot.example)
        naive.ask("/api/verify", "application/json", json.dumps({"evidence": naive.example.decode()}).encode())
        hot.seconds()
        naive.seconds()
        ratio = median(naive.seconds() / hot.seconds() for _ in range(ROUNDS))
    finally:
        hot.stop()
        naive.stop()
    return [("POST of one QR code, times the rate of a plain FastAPI handler", ratio, ">= 1.5")]
