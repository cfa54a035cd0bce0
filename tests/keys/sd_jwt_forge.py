"""Make any SD-JWT, right or wrong: conceals at any depth, and signs whatever payload it is given."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any

from keys.algorithms import ES256
from keys.envelopes.base64url import b64url_encode
from keys.envelopes.jws import sign_jws
from keys.signer import EphemeralSigner

ISSUER = EphemeralSigner.generate(ES256)


def disclose(*content: Any, text: bytes | None = None) -> str:
    """The disclosure with this content: (salt, name, value), (salt, value), or any other JSON array."""
    return b64url_encode(text if text is not None else json.dumps(list(content)).encode()).decode()


def digest(disclosure: str, algorithm: str = "sha256") -> str:
    return b64url_encode(hashlib.new(algorithm, disclosure.encode()).digest()).decode()


def sign(payload: Any, disclosures: Iterable[str] = (), binding: str = "", *, raw: bytes | None = None) -> str:
    """An SD-JWT over `payload` exactly as given, followed by `disclosures` and `binding`."""
    content = raw if raw is not None else json.dumps(payload).encode()
    return "~".join((sign_jws({"typ": "dc+sd-jwt"}, content, ISSUER), *disclosures, binding))


def conceal(claims: dict[str, Any], paths: Sequence[str]) -> tuple[dict[str, Any], dict[str, str]]:
    """`claims` with the value at each dotted path ("a.b", "list.0") concealed; and the disclosure of each path.

    Deeper paths are concealed first, so that a concealed object may contain concealed members.
    """
    payload = json.loads(json.dumps(claims))
    disclosures: dict[str, str] = {}
    for path in sorted(paths, key=lambda p: p.count("."), reverse=True):
        *way, last = path.split(".")
        parent = payload
        for step in way:
            parent = parent[int(step)] if isinstance(parent, list) else parent[step]
        if isinstance(parent, list):
            disclosures[path] = disclose(f"salt of {path}", parent[int(last)])
            parent[int(last)] = {"...": digest(disclosures[path])}
        else:
            disclosures[path] = disclose(f"salt of {path}", last, parent.pop(last))
            parent.setdefault("_sd", []).append(digest(disclosures[path]))
    return payload, disclosures
