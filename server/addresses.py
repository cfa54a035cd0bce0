"""Whose addresses a stranger may name: those of the public internet. Looks names up; connects to nothing."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterable
from typing import Final

_UNICAST: Final = ipaddress.ip_network("2000::/3")  # all of IPv6 that is given out; translated addresses are outside
_SPECIAL: Final = ipaddress.ip_network("192.0.0.0/24")  # RFC 6890

Resolve = Callable[[str, int], Iterable[str]]  # (host, port) -> IP addresses; raises OSError


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host. Raises OSError."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def is_public(address: str) -> bool:
    """Whether it is of the public internet itself: nothing wrapped (RFC 4291 section 2.5.5, RFC 3056, RFC 6052)."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        proper = parsed in _UNICAST and not (parsed.sixtofour or parsed.teredo)
    else:
        proper = parsed not in _SPECIAL
    return proper and parsed.is_global and not parsed.is_multicast
