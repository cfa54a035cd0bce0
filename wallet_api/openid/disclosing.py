"""Which disclosures of an SD-JWT a set of claims paths needs, at any depth, and the SD-JWT with those alone.

Spec: RFC 9901 sections 4.2.6 and 7.2; OpenID4VP 1.0 section 7.1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from keys.envelopes.sd_jwt import Disclosure, SdJwt, parse_sd_jwt
from keys.envelopes.strict_json import load_json
from verifier.dcql import Path


def disclose(text: str, paths: Iterable[Path]) -> str:
    """The SD-JWT with what the paths select and nothing beside it; a key binding is dropped.

    What stands below a selected claim is shown with it: it was asked for as a whole. Raises MalformedEnvelope.
    """
    sd_jwt = parse_sd_jwt(text)
    needed = _needed(sd_jwt, paths)
    kept = (each.encoded for each in sd_jwt.disclosures if each.digest in needed)
    return "~".join((text[: text.index("~")], *kept, ""))


def _needed(sd_jwt: SdJwt, paths: Iterable[Path]) -> frozenset[str]:
    walk = _Walk({each.digest: each for each in sd_jwt.disclosures})
    payload = load_json(sd_jwt.jws.payload)
    for path in paths:
        walk.along(payload, path, frozenset())
    return frozenset(walk.needed)


class _Walk:
    """Follows paths through a payload with digests in place of what is concealed, and notes what it had to open."""

    def __init__(self, by_digest: Mapping[str, Disclosure]) -> None:
        self.by_digest = by_digest
        self.needed: set[str] = set()

    def along(self, node: Any, path: Path, opened: frozenset[str]) -> None:
        if not path:
            self.needed |= opened
            self._below(node)
            return
        part, rest = path[0], path[1:]
        if isinstance(part, str):
            for name, value, through in self._members(node):
                if name == part:
                    self.along(value, rest, opened | through)
            return
        for number, (value, through) in enumerate(self._items(node)):
            if part is None or number == part:
                self.along(value, rest, opened | through)

    def _below(self, node: Any) -> None:
        for _, value, through in self._members(node):
            self.needed |= through
            self._below(value)
        for value, through in self._items(node):
            self.needed |= through
            self._below(value)

    def _members(self, node: Any) -> list[tuple[str, Any, frozenset[str]]]:
        if not isinstance(node, dict):
            return []
        found = [(name, value, frozenset[str]()) for name, value in node.items() if name not in ("_sd", "_sd_alg")]
        concealed = ((digest, self.by_digest.get(digest)) for digest in node.get("_sd", ()))
        found.extend((each.name, each.value, frozenset({digest})) for digest, each in concealed if each and each.name)
        return found

    def _items(self, node: Any) -> list[tuple[Any, frozenset[str]]]:
        """The array's elements that are there, in order: concealed ones count where they were disclosed."""
        found: list[tuple[Any, frozenset[str]]] = []
        for item in node if isinstance(node, list) else ():
            digest = item.get("...") if isinstance(item, dict) and len(item) == 1 else None
            if not isinstance(digest, str):
                found.append((item, frozenset()))
            elif (each := self.by_digest.get(digest)) is not None:
                found.append((each.value, frozenset({digest})))
        return found
