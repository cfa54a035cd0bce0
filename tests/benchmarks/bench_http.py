"""`POST` of one QR code: the hot route against a plain FastAPI + pydantic handler that does the same verification.

Two uvicorn processes, one worker each; a thin client keeps four connections busy. Rounds alternate; medians of ratios.

`POST` of fifty at once: codes per second of the worker's own processor time (all of its threads, reading the request
and writing the answer included), as a share of bare ES256 verifications with a cached key per second of one core.
"""

from __future__ import annotations

import ctypes
import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from urllib.parse import quote

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from tests.verifier.small_world import TRANSFER

CONNECTIONS = 4
REQUESTS = 60  # per connection and round
ROUNDS = 15
BATCHES = 240  # of fifty codes each


class Subject:
    """A server in a process of its own, and open connections to it."""

    def __init__(self, name: str, module: str = "tests.benchmarks.http_subjects", stderr: int | None = None) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        command = [sys.executable, "-m", "uvicorn", f"{module}:{name}", "--port", str(self.port)]
        self.process = subprocess.Popen(
            [*command, "--log-level", "error", "--no-access-log", "--timeout-keep-alive", "600"],
            preexec_fn=_end_with_parent,  # noqa: PLW1509 - no thread runs yet
            stderr=stderr,
        )
        self.request = b""
        try:
            self.connections = [self._connect() for _ in range(CONNECTIONS)]
            self.example = self.get("/example")
        except BaseException:
            self.process.kill()
            self.process.wait(20)
            raise

    def get(self, path: str) -> bytes:
        self.connections[0].sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        return _read_answer(self.connections[0])

    def post(self, path: str, media_type: str, body: bytes) -> bytes:
        """The answer; `request` is what was sent."""
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {media_type}\r\nContent-Length: {len(body)}\r\n\r\n"
        self.request = head.encode() + body
        self.connections[0].sendall(self.request)
        return _read_answer(self.connections[0])

    def again(self) -> bytes:
        """The answer to the same request once more."""
        self.connections[0].sendall(self.request)
        return _read_answer(self.connections[0])

    def processor_time(self) -> float:
        """Seconds that all threads of the server have had of a processor so far."""
        tasks = Path(f"/proc/{self.process.pid}/task").iterdir()
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9

    def ask(self, path: str, media_type: str, body: bytes) -> None:
        answer = json.loads(self.post(path, media_type, body))
        if answer["indication"] != "PASSED" or answer["policy"]["scenario"] != TRANSFER:
            raise AssertionError("the benchmark's own code does not pass")

    def _connect(self) -> socket.socket:
        for _ in range(1200):
            if self.process.poll() is not None:
                break
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


def _end_with_parent() -> None:
    """A benchmark that is killed leaves no server behind (prctl, PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


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
        share = _batches(hot)
    finally:
        hot.stop()
        naive.stop()
    return [
        ("POST of one QR code, times the rate of a plain FastAPI handler", ratio, ">= 1.5"),
        ("POST of 50 QR codes, share of the worker core's bare ES256 rate", share, ">= 0.50"),
    ]


def _batches(server: Subject) -> float:
    """The time of fifty bare verifications over the server's for a batch of fifty; the quietest quarter of rounds."""
    key = ec.generate_private_key(ec.SECP256R1())
    data, scheme, public = bytes(300), ec.ECDSA(hashes.SHA256()), key.public_key()
    signature = key.sign(data, scheme)
    items = [{"evidence": code, "scenario": TRANSFER} for code in server.get("/examples").decode().splitlines()]
    answer = json.loads(server.post("/api/verify/batch", "application/json", json.dumps({"items": items}).encode()))
    if [report["indication"] for report in answer["reports"]] != ["PASSED"] * 50:
        raise AssertionError("the benchmark's own codes do not pass")
    times = []
    for _ in range(BATCHES):
        start = time.thread_time()
        for _ in range(50):
            public.verify(signature, data, scheme)
        bare, before = time.thread_time() - start, server.processor_time()
        server.again()
        times.append((bare, server.processor_time() - before))
    quiet = sorted(times, key=sum)[: BATCHES // 4]
    return median(bare / batch for bare, batch in quiet)
