"""PKCS#11 URIs: which token, which object, where its module and its PIN are. Opens nothing. Spec: RFC 7512."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote, unquote_to_bytes

from keys.errors import KeyUriNotSupported

# Knows the modules that the administrator registered on this machine (p11-kit's modules folder).
DEFAULT_MODULE: Final = "p11-kit-proxy.so"
_MAX_SIZE: Final = 2048
_VALUE: Final = re.compile(r"(?:[A-Za-z0-9\-._~:\[\]@!$'()*+,=&/?|]|%[0-9A-Fa-f]{2})*", re.ASCII)
_PATH: Final = frozenset({"token", "manufacturer", "serial", "model", "object", "id", "type"})
_QUERY: Final = frozenset({"module-path", "pin-source"})


@dataclass(frozen=True, slots=True)
class Pkcs11Uri:
    """A private key by the names that its token gives it; None for what the URI leaves open."""

    token: str | None = None
    manufacturer: str | None = None
    serial: str | None = None
    model: str | None = None
    object: str | None = None
    id: bytes | None = None
    module: str = DEFAULT_MODULE
    pin_source: Path | None = None

    def __str__(self) -> str:
        """For people: the token and the object, no paths."""
        name = self.object if self.object is not None else "id " + (self.id or b"").hex()
        return f"{name} in token {self.token or self.serial or self.model or 'of any name'}"


def parse_pkcs11_uri(uri: str) -> Pkcs11Uri:
    """The parts of a `pkcs11:` URI that names a private key: `pkcs11:token=dongling;object=seal-2026`.

    Attributes: token, manufacturer, serial, model, object, id, type (private only); module-path, pin-source (a path or
    a file: URI). A PIN in the URI itself (pin-value) is refused: URIs stand in settings, lists of processes and logs.
    Raises: KeyUriNotSupported. Spec: RFC 7512 section 2.3.
    """
    scheme, _, rest = uri.partition(":")
    if scheme != "pkcs11" or len(uri) > _MAX_SIZE:
        raise KeyUriNotSupported("not a pkcs11: URI")
    path, _, query = rest.partition("?")
    found = _attributes(path, ";", _PATH)
    found |= _attributes(query, "&", _QUERY)
    if unquote(found.get("type", "private")) != "private":
        raise KeyUriNotSupported("a pkcs11: URI of a signing key has type=private, or none")
    if "object" not in found and "id" not in found:
        raise KeyUriNotSupported("a pkcs11: URI of a key needs object= or id=")
    names = {name: unquote(found[name]) for name in _PATH - {"id", "type"} if name in found}
    source = unquote(found.get("pin-source", ""))
    return Pkcs11Uri(
        **names,
        id=unquote_to_bytes(found["id"]) if "id" in found else None,
        module=unquote(found.get("module-path", DEFAULT_MODULE)),
        pin_source=_pin_source(source) if source else None,
    )


def _attributes(text: str, separator: str, known: frozenset[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in text.split(separator) if text else ():
        name, equals, value = part.partition("=")
        if name in ("pin-value", "module-name"):
            raise KeyUriNotSupported(f"{name} is not supported: give pin-source=FILE and module-path=FILE")
        if name not in known or not equals or name in found or not _VALUE.fullmatch(value):
            # Section 2.3: unknown attributes must not be ignored, none may be given twice.
            raise KeyUriNotSupported(f"a pkcs11: URI has no attribute like {name[:32]!r}, or has it once and in order")
        found[name] = value
    return found


def _pin_source(source: str) -> Path:
    path = Path(source.removeprefix("file:").removeprefix("//") if source.startswith("file:") else source)
    if not path.is_absolute():
        raise KeyUriNotSupported("pin-source must be an absolute path or a file: URI")
    return path
