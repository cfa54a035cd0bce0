"""Requests to servers that strangers name: whom we are steered to, how much is read, how long it may take."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

import httpcore
import pytest

from server.outgoing import AT_ONCE, GuardedOutgoing
from wallet_api.openid.outgoing import WORDS, NotReached, Unreached

PUBLIC = "93.184.215.14"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: Application/JSON; charset=utf-8\r\nX-A: 1\r\nX-A: 2\r\n"
OK = HEAD + b"Content-Length: 2\r\n\r\n{}"


class Stream(httpcore.NetworkStream):
    def __init__(self, net: Net) -> None:
        self.net = net

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self.net.patience.append(timeout)
        return self.net.parts.pop(0) if self.net.parts else b""

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.net.sent += buffer

    def close(self) -> None:
        self.net.closed += 1

    def start_tls(self, ssl_context, server_hostname=None, timeout=None):
        self.net.tls_names.append(server_hostname)
        return self

    def get_extra_info(self, info: str):
        return None


class Net(httpcore.NetworkBackend):
    """A pretended internet: to whom we connected, what was sent, what is answered."""

    def __init__(self, *parts: bytes, addresses=(PUBLIC,), timer=lambda: 0.0, **options) -> None:
        self.parts, self.sent, self.closed = list(parts) or [OK], b"", 0
        self.connected: list[tuple[str, int]] = []
        self.tls_names: list[str | None] = []
        self.patience: list[float | None] = []
        self.looked_up = 0

        def resolve(host, port):
            self.looked_up += 1
            if isinstance(addresses, Exception):
                raise addresses
            return addresses

        self.outgoing = GuardedOutgoing(timer, resolve=resolve, backend=self, **options)

    def connect_tcp(self, host, port, timeout=None, local_address=None, socket_options=None):
        self.connected.append((host, port))
        return Stream(self)

    def send(self, url="https://issuer.example/a?b=1", method="GET", **more):
        return self.outgoing.send(method, url, **more)

    def refuses(self, url="https://issuer.example/a", **more) -> Unreached:
        with pytest.raises(NotReached) as caught:
            self.send(url, **more)
        return caught.value.reason


class TestAsking:
    def test_the_answer_is_handed_over_as_it_is(self):
        answer = Net().send()
        assert (answer.status, answer.body, answer.media_type) == (200, b"{}", "application/json")
        assert answer.headers["x-a"] == "1, 2"

    @pytest.mark.parametrize("status", [b"400 Bad Request", b"401 Unauthorized", b"500 Broken"])
    def test_errors_are_answers_too(self, status):
        answer = Net(b"HTTP/1.1 " + status + b"\r\nContent-Length: 2\r\n\r\n{}").send()
        assert (answer.status, answer.body) == (int(status[:3]), b"{}")

    def test_what_is_sent(self):
        net = Net()
        net.send("https://issuer.example/token#x", "POST", headers={"DPoP": "p", "Cookie2": "x"}, body=b"a=b")
        head, _, body = net.sent.partition(b"\r\n\r\n")
        assert head.startswith(b"POST /token HTTP/1.1")
        assert b"Host: issuer.example" in head
        assert b"DPoP: p" in head
        assert b"Accept-Encoding: identity" in head
        assert b"Content-Length: 3" in head
        assert body == b"a=b"

    def test_a_cookie_is_not_kept(self):
        net = Net(OK.replace(b"X-A: 1", b"Set-Cookie: a=b"), OK)
        net.send()
        net.sent = b""
        net.send()
        assert b"ookie" not in net.sent

    def test_the_proxy_of_the_environment_is_not_asked(self, monkeypatch):
        monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
        net = Net()
        net.send()
        assert net.connected == [(PUBLIC, 443)]

    def test_the_connection_goes_to_the_address_that_was_looked_at_under_the_name_that_was_asked_for(self):
        net = Net()
        net.send("https://issuer.example:8443/a")
        assert net.connected == [(PUBLIC, 8443)]
        assert net.tls_names == ["issuer.example"]
        assert net.looked_up == 1


PRIVATE = ("127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "::1")
PRIVATE += ("fe80::1%eth0", "fd00::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "224.0.0.1", "192.0.0.8")


class TestSteering:
    @pytest.mark.parametrize("address", PRIVATE)
    def test_a_name_of_this_machine_or_a_private_network_is_not_connected_to(self, address):
        net = Net(addresses=(PUBLIC, address))
        assert net.refuses() is Unreached.PRIVATE
        assert net.connected == []

    @pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "2130706433", "0x7f.1", "localhost"])
    def test_neither_is_an_address_of_it(self, host):
        net = Net()
        real = GuardedOutgoing(lambda: 0.0, backend=net)
        with pytest.raises(NotReached) as caught:
            real.send("GET", f"https://{host}/")
        assert caught.value.reason in (Unreached.PRIVATE, Unreached.UNKNOWN_HOST)
        assert net.connected == []

    def test_unless_the_settings_say_so(self):
        net = Net(addresses=("127.0.0.1",), private_addresses=True)
        net.send("http://localhost:8001/a")
        assert net.connected == [("127.0.0.1", 8001)]

    def test_plain_http_is_refused_unless_they_do(self):
        net = Net()
        assert net.refuses("http://issuer.example/") is Unreached.NOT_SECURE
        assert net.looked_up == 0

    @pytest.mark.parametrize(
        "url",
        ["", "file:///etc/passwd", "ftp://a.example/", "https://", "https:///a", "//a.example/", "https://u@a.example/",
         "https://u:p@a.example/", "https://a.example:99999/", "https://[::1/", "https://a.example/\r\nX: y",
         "https://a.example/ b", "https://a.example\\@b.example/", "https://\u0430.example/", "gopher://a.example/"],
    )  # fmt: skip
    def test_what_is_no_address(self, url):
        net = Net()
        assert net.refuses(url) is Unreached.NOT_AN_ADDRESS
        assert net.connected == []

    @pytest.mark.parametrize("code", [b"301", b"302", b"303", b"307", b"308"])
    def test_a_redirect_is_not_followed(self, code):
        net = Net(b"HTTP/1.1 " + code + b" Go\r\nLocation: https://127.0.0.1/\r\nContent-Length: 0\r\n\r\n")
        assert net.refuses() is Unreached.REDIRECTED
        assert len(net.connected) == 1

    @pytest.mark.parametrize("failure", [socket.gaierror("no"), UnicodeError("label too long")])
    def test_a_name_that_nobody_knows(self, failure):
        assert Net(addresses=failure).refuses() is Unreached.UNKNOWN_HOST
        assert Net(addresses=()).refuses() is Unreached.UNKNOWN_HOST


class TestBounds:
    def test_more_than_wanted_is_not_read(self):
        net = Net(b"HTTP/1.1 200 OK\r\n\r\n", *(bytes(1000) for _ in range(100)))
        assert net.refuses(most=5000) is Unreached.TOO_LARGE
        assert len(net.parts) > 90
        assert net.closed == 1

    def test_what_is_just_enough_is(self):
        assert len(Net(b"HTTP/1.1 200 OK\r\n\r\n", bytes(5000)).send(most=5000).body) == 5000

    @pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: "])
    def test_a_server_that_drips_is_cut_off(self, head):
        """Every single read is quick; all together are not."""
        ticks = count()
        net = Net(head, *(b"a" for _ in range(10_000)), timer=lambda: float(next(ticks)) / 4)
        assert net.refuses() is Unreached.TOO_SLOW
        assert len(net.parts) > 9_900

    def test_no_step_is_given_more_than_is_left(self):
        ticks = count()
        net = Net(*(OK[i : i + 40] for i in range(0, len(OK), 40)), timer=lambda: float(next(ticks)))
        net.send()
        assert net.patience == sorted(net.patience, reverse=True)
        assert all(each is not None and each < 10 for each in net.patience)

    def test_a_look_up_that_hangs_is_not_waited_for(self):
        release = threading.Event()
        outgoing = GuardedOutgoing(lambda: 0.0, resolve=lambda host, port: release.wait(60) or [], longest=0.05)
        with pytest.raises(NotReached) as caught:
            outgoing.send("GET", "https://issuer.example/")
        release.set()
        assert caught.value.reason is Unreached.TOO_SLOW

    def test_packed_answers_are_not_unpacked(self):
        assert Net(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n", b"x").refuses() is Unreached.NOT_READABLE

    @pytest.mark.parametrize("said", [b"SSH-2.0-x\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx", b""])
    def test_what_is_not_http(self, said):
        assert Net(said).refuses() is Unreached.NOT_READABLE

    def test_so_many_at_once_and_no_more(self):
        net = Net()
        for _ in range(AT_ONCE):
            assert net.outgoing._room.acquire(blocking=False)
        assert net.refuses() is Unreached.BUSY
        net.outgoing._room.release()
        assert net.send().status == 200
        assert net.outgoing._room.acquire(blocking=False), "a place was not given back"

    def test_a_header_that_is_not_ascii_is_our_own_error_not_sent(self):
        net = Net()
        assert net.refuses(headers={"A": "é"}) is Unreached.NOT_READABLE
        assert net.sent == b""


@contextmanager
def listening(said: bytes) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            with server.accept()[0] as peer:
                peer.recv(65536)
                peer.sendall(said)

        thread = threading.Thread(target=answer)
        thread.start()
        yield server.getsockname()[1]
        thread.join()


class TestOverSockets:
    def test_an_answer(self):
        with listening(OK) as port:
            answer = GuardedOutgoing(lambda: 0.0, private_addresses=True).send("GET", f"http://127.0.0.1:{port}/")
        assert answer.body == b"{}"

    def test_nobody_listens(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        with pytest.raises(NotReached) as caught:
            GuardedOutgoing(lambda: 0.0, private_addresses=True).send("GET", f"http://127.0.0.1:{port}/")
        assert caught.value.reason is Unreached.NO_CONNECTION
        assert caught.value.host == "127.0.0.1"

    def test_tls_is_asked_for_and_believed_by_its_certificate_alone(self):
        with listening(OK) as port, pytest.raises(NotReached) as caught:
            GuardedOutgoing(lambda: 0.0, private_addresses=True).send("GET", f"https://127.0.0.1:{port}/")
        assert caught.value.reason is Unreached.NO_CONNECTION


def test_every_reason_is_worded():
    for reason in Unreached:
        words = WORDS[reason]
        assert words.zh
        assert words.en
        assert NotReached(reason).words is words
