"""How the wallet reaches other people's servers: a port. `server.outgoing` sends; nothing here opens a connection.

What comes back is a stranger's: bounded in size, believed in nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Final, Protocol

from trust_registry.model import Names
from wallet_api.errors import WalletError

MAX_ANSWER: Final = 1 << 20  # bytes
_NONE: Final[Mapping[str, str]] = MappingProxyType({})


class Unreached(Enum):
    """Why there is no answer. The value is a slug."""

    NOT_AN_ADDRESS = "not_an_address"  # no URL, a user name in it, or another scheme than https
    NOT_SECURE = "not_secure"  # http, where this wallet asks for https
    PRIVATE = "private"  # this machine or a private network, where this wallet asks for the internet
    UNKNOWN_HOST = "unknown_host"
    NO_CONNECTION = "no_connection"  # refused, cut off, or its TLS certificate is not believed
    TOO_SLOW = "too_slow"
    TOO_LARGE = "too_large"
    REDIRECTED = "redirected"
    NOT_READABLE = "not_readable"  # not HTTP, or packed though nobody asked
    BUSY = "busy"  # too much is being fetched here already


WORDS: Final[Mapping[Unreached, Names]] = MappingProxyType(
    {
        Unreached.NOT_AN_ADDRESS: Names("对方给出的地址不是可以访问的网址。", "The address given is no web address."),
        Unreached.NOT_SECURE: Names(
            "对方的地址没有加密（http），本钱包只连接 https。",
            "The address is not encrypted (http); this wallet connects to https alone.",
        ),
        Unreached.PRIVATE: Names(
            "对方的地址在内部网络里，本钱包不连接。",
            "The address lies in a private network; this wallet does not connect there.",
        ),
        Unreached.UNKNOWN_HOST: Names("找不到对方的服务器。", "The other server's name is not known."),
        Unreached.NO_CONNECTION: Names(
            "连接不上对方的服务器，或者它的证书不可信。",
            "The other server can't be connected to, or its certificate is not believed.",
        ),
        Unreached.TOO_SLOW: Names("对方的服务器没有及时回答。", "The other server did not answer in time."),
        Unreached.TOO_LARGE: Names("对方的回答过大，没有读取。", "The other server's answer is too large to be read."),
        Unreached.REDIRECTED: Names(
            "对方的服务器转到了别的地址，本钱包不跟随。",
            "The other server points elsewhere; this wallet does not follow.",
        ),
        Unreached.NOT_READABLE: Names("对方的回答无法读取。", "The other server's answer can't be read."),
        Unreached.BUSY: Names("系统繁忙，请稍后再试。", "Too much is going on here; try again in a moment."),
    }
)


class NotReached(WalletError):
    """Another server gave no answer that could be read. HTTP 502. Carries the host alone: a URL may hold a secret."""

    def __init__(self, reason: Unreached, host: str = "") -> None:
        self.reason, self.host = reason, host
        super().__init__(reason.value)

    @property
    def words(self) -> Names:
        """What happened, for a person."""
        return WORDS[self.reason]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said. Names in `headers` are lower case; a repeated header's values are joined by ", "."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def media_type(self) -> str:
        """The type of the body, lower case, without parameters; "" when it says none."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


class Outgoing(Protocol):
    """One request to somebody else's server, without cookies, proxies or redirects."""

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] = _NONE,
        body: bytes | None = None,
        most: int = MAX_ANSWER,
    ) -> Answer:
        """The answer, whatever its status below 300 or from 400 on. `most`: bytes of its body.

        `url`: absolute, its fragment is not sent. Raises NotReached.
        """
        ...
