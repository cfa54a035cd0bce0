"""What evidence of other networks says of its holder, read without a schema: for a clerk who asks to see it.

Judges nothing and knows no code lists: what it says is shown as it says it. It is personal data: whoever calls this has
been asked for claims.
"""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from keys.envelopes.hcert import HealthCertificate
from verifier.model import Credential, HealthCode, MobileDocument

_KINDS: Final = {"v": "vaccination", "t": "test", "r": "recovery"}
_PROTOCOL: Final = frozenset({"cnf", "status"})  # the holder's key and where to ask: of no use to a reader
_MAX_DEPTH: Final = 32


def stated_claims(evidence: HealthCode | Credential | MobileDocument) -> dict[str, Any]:
    """What it says, as JSON values.

    Of a health certificate: `kind` ("vaccination", "test", "recovery" or None), `issuer`, `issued_at`, `expires_at`,
    `name` (`family`, `given`), `date_of_birth`, `dates` (every dated member of its entries), and all of its `content`.
    Of a credential: its claims; of an mdoc: its issuer's elements by namespace. Never raises on content.
    """
    if isinstance(evidence, HealthCode):
        return _health(evidence.certificate)
    if isinstance(evidence, MobileDocument):
        return {name: _plain(values) for name, values in evidence.mdoc.issuer_signed.elements().items()}
    claims = evidence.sd_jwt.claims
    return {name: _plain(value) for name, value in claims.items() if name not in _PROTOCOL}


def _health(health: HealthCertificate) -> dict[str, Any]:
    content = health.content
    names = content.get("nam")
    names = names if isinstance(names, Mapping) else {}
    kind = health.kind
    entries = () if kind is None else health.entries(kind)
    return {
        "kind": None if kind is None else _KINDS[kind],
        "issuer": health.issuer,
        "issued_at": _time(health.issued_at),
        "expires_at": _time(health.expires_at),
        "name": {
            "family": _text(names.get("fn")) or _text(names.get("fnt")),
            "given": _text(names.get("gn")) or _text(names.get("gnt")),
        },
        "date_of_birth": _text(content.get("dob")),
        "dates": [dict(_dated(entry)) for entry in entries],
        "content": _plain(content),
    }


def _dated(entry: Mapping[Any, Any]) -> list[tuple[str, str]]:
    """Members that hold an ISO 8601 date or time, whatever they are called."""
    found = []
    for name, value in entry.items():
        text = _text(value)
        if text is None or not isinstance(name, str) or len(text) < len("2021-05-01"):
            continue
        try:
            datetime.fromisoformat(text)
        except ValueError:
            continue
        found.append((name, text))
    return found


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat()[:19] + "Z"


def _plain(value: Any, depth: int = _MAX_DEPTH) -> Any:
    """`value` as JSON has it: names become text, bytes base64, and what JSON has no number for becomes text."""
    if depth == 0:
        return None
    if isinstance(value, Mapping):
        return {name if isinstance(name, str) else str(name): _plain(item, depth - 1) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, depth - 1) for item in value]
    if isinstance(value, bytes):
        return b64encode(value).decode("ascii")
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, str | int | float):
        return value
    return str(value)
