"""Making SD-JWTs, honest ones and ones spoiled in a named way; whoever signs last signs with the same key."""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64decode
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from keys.algorithms import ES256
from keys.envelopes.base64url import b64url_encode
from keys.signer import EphemeralSigner

ISSUER = EphemeralSigner.generate(ES256)
NAMES = ("name", "given_name", "address", "住址", "birthdate", "children", "a b", "x.y", "nickname")
LEAVES: tuple[Any, ...] = ("张三", "x", "", 0, 7, -1, 2**40, 1.5, True, False, None)


@dataclass
class Draft:
    """An SD-JWT before it is put together. `raw_payload`: what is signed instead of `payload`."""

    header: dict[str, Any]
    payload: dict[str, Any]
    disclosures: list[str] = field(default_factory=list)
    raw_payload: bytes | None = None

    def text(self) -> str:
        header = b64(json.dumps(self.header, ensure_ascii=False).encode())
        payload = b64(self.raw_payload or json.dumps(self.payload, ensure_ascii=False).encode())
        signing = f"{header}.{payload}".encode()
        return f"{signing.decode()}.{b64(ISSUER.sign(signing))}~" + "".join(each + "~" for each in self.disclosures)


def b64(data: bytes) -> str:
    return b64url_encode(data).decode("ascii")


def disclosed(values: list[Any]) -> tuple[str, str]:
    """A disclosure and its digest."""
    text = b64(json.dumps(values, ensure_ascii=False).encode())
    return text, b64(hashlib.sha256(text.encode()).digest())


def honest(random: Random) -> Draft:
    """A credential with claims concealed at any depth, all of them disclosed."""
    draft = Draft({"alg": "ES256", "typ": "dc+sd-jwt"}, {})
    body = {name: _value(random, 2) for name in random.sample(NAMES, random.randint(1, 5))}
    draft.payload = {
        "vct": "urn:x:type",
        "iss": "urn:x:issuer",
        "_sd_alg": "sha-256",
        **_concealed(random, body, draft),
    }
    random.shuffle(draft.disclosures)
    return draft


def _value(random: Random, depth: int) -> Any:
    kind = random.randrange(5) if depth else 0
    if kind == 3:
        return [_value(random, depth - 1) for _ in range(random.randint(0, 3))]
    if kind == 4:
        return {name: _value(random, depth - 1) for name in random.sample(NAMES, random.randint(0, 3))}
    return random.choice(LEAVES)


def _concealed(random: Random, value: Any, draft: Draft) -> Any:
    if isinstance(value, list):
        found = []
        for element in value:
            inner = _concealed(random, element, draft)
            if random.random() < 0.4:
                text, digest = disclosed([b64(random.randbytes(16)), inner])
                draft.disclosures.append(text)
                inner = {"...": digest}
            found.append(inner)
        return found
    if isinstance(value, dict):
        plain, digests = {}, []
        for name, element in value.items():
            inner = _concealed(random, element, draft)
            if random.random() < 0.5:
                text, digest = disclosed([b64(random.randbytes(16)), name, inner])
                draft.disclosures.append(text)
                digests.append(digest)
            else:
                plain[name] = inner
        if digests:
            random.shuffle(digests)
            plain["_sd"] = digests
        return plain
    return value


Spoiling = Callable[[Random, Draft], str]


def _flip(place: int) -> Spoiling:
    """Another character in the header (0), the payload (1) or the signature (2).

    Not the last: some of its bits may belong to no byte, which we refuse and others do not read.
    """

    def spoil(random: Random, draft: Draft) -> str:
        token, _, rest = draft.text().partition("~")
        parts = token.split(".")
        part = parts[place]
        at = random.randrange(len(part) - 1)
        parts[place] = part[:at] + random.choice([c for c in "ABCxyz019-_" if c != part[at]]) + part[at + 1 :]
        return ".".join(parts) + "~" + rest

    return spoil


def _drop_disclosure(random: Random, draft: Draft) -> str:
    if draft.disclosures:
        draft.disclosures.pop(random.randrange(len(draft.disclosures)))
    return draft.text()


def _flip_disclosure(random: Random, draft: Draft) -> str:
    if draft.disclosures:
        at = random.randrange(len(draft.disclosures))
        values = json.loads(urlsafe_b64decode(draft.disclosures[at] + "=="))
        values[-1] = "altered"
        draft.disclosures[at] = disclosed(values)[0]
    return draft.text()


def _foreign_disclosure(random: Random, draft: Draft) -> str:
    draft.disclosures.append(disclosed(["c2FsdA", "admin", True])[0])
    return draft.text()


def _twice(random: Random, draft: Draft) -> str:
    if draft.disclosures:
        draft.disclosures.append(random.choice(draft.disclosures))
    return draft.text()


def _no_end(random: Random, draft: Draft) -> str:
    return draft.text().removesuffix("~")


def _empty_disclosure(random: Random, draft: Draft) -> str:
    return draft.text() + "~"


def _padded(random: Random, draft: Draft) -> str:
    draft.disclosures = [each + "=" * (-len(each) % 4) for each in draft.disclosures]
    return draft.text()


def _with(change: Callable[[Random, Draft], None]) -> Spoiling:
    def spoil(random: Random, draft: Draft) -> str:
        change(random, draft)
        return draft.text()

    return spoil


def _add(random: Random, draft: Draft, values: list[Any], *, declared: int = 1) -> str:
    """One more disclosure that the payload declares so many times."""
    text, digest = disclosed(values)
    draft.disclosures.append(text)
    draft.payload["_sd"] = [*draft.payload.get("_sd", []), *[digest] * declared]
    return digest


def _array_in_sd(random: Random, draft: Draft) -> None:
    _add(random, draft, ["c2FsdA", "an element"])


def _named_in_array(random: Random, draft: Draft) -> None:
    text, digest = disclosed(["c2FsdA", "name of an element", "value"])
    draft.disclosures.append(text)
    draft.payload["list"] = [{"...": digest}]


def _more_beside_dots(random: Random, draft: Draft) -> None:
    text, digest = disclosed(["c2FsdA", "element"])
    draft.disclosures.append(text)
    draft.payload["list"] = [{"...": digest, "more": 1}]


def _raw(payload: Callable[[dict[str, Any]], bytes]) -> Spoiling:
    def spoil(random: Random, draft: Draft) -> str:
        draft.raw_payload = payload(draft.payload)
        return draft.text()

    return spoil


def _doubled_member(payload: dict[str, Any]) -> bytes:
    return b'{"iss":"urn:x:other",' + json.dumps(payload, ensure_ascii=False).encode()[1:]


def _set_header(**members: Any) -> Spoiling:
    return _with(lambda _, draft: draft.header.update(members))


def _set_payload(**members: Any) -> Spoiling:
    return _with(lambda _, draft: draft.payload.update(members))


def _other_digest(random: Random, draft: Draft) -> None:
    """Declares SHA-512 while the digests are SHA-256."""
    draft.payload["_sd_alg"] = "sha-512"


SPOILINGS: dict[str, Spoiling] = {
    "honest": lambda _, draft: draft.text(),
    "a character of the header": _flip(0),
    "a character of the payload": _flip(1),
    "a character of the signature": _flip(2),
    "a disclosure left out": _drop_disclosure,
    "a disclosure altered": _flip_disclosure,
    "a disclosure that nothing declares": _foreign_disclosure,
    "a disclosure twice": _twice,
    "the last tilde left out": _no_end,
    "an empty disclosure": _empty_disclosure,
    "disclosures with padding": _padded,
    "a digest twice": _with(lambda r, d: void(_add(r, d, ["c2FsdA", "twice", 1], declared=2))),
    "a decoy digest": _with(
        lambda r, d: d.payload.__setitem__("_sd", [*d.payload.get("_sd", []), b64(r.randbytes(32))])
    ),
    "a disclosure named _sd": _with(lambda r, d: void(_add(r, d, ["c2FsdA", "_sd", ["x"]]))),
    "a disclosure named ...": _with(lambda r, d: void(_add(r, d, ["c2FsdA", "...", "x"]))),
    "a disclosure of a claim that is there": _with(
        lambda r, d: void(_add(r, d, ["c2FsdA", "plain", "x"]), d.payload.update(plain="y"))
    ),
    "a disclosure named by a number": _with(lambda r, d: void(_add(r, d, ["c2FsdA", 7, "x"]))),
    "a disclosure of four values": _with(lambda r, d: void(_add(r, d, ["c2FsdA", "four", "x", "y"]))),
    "a disclosure of one value": _with(lambda r, d: void(_add(r, d, ["c2FsdA"]))),
    "a salt that is a number": _with(lambda r, d: void(_add(r, d, [5, "salted", "x"]))),
    "an element's disclosure in _sd": _with(_array_in_sd),
    "a claim's disclosure in an array": _with(_named_in_array),
    "more beside ... in an array": _with(_more_beside_dots),
    "_sd that is text": _set_payload(_sd="x"),
    "_sd that holds a number": _set_payload(_sd=[7]),
    "_sd_alg unknown": _set_payload(_sd_alg="md5"),
    "_sd_alg a number": _set_payload(_sd_alg=7),
    "_sd_alg another": _with(_other_digest),
    "_sd_alg within": _set_payload(inner={"_sd_alg": "sha-256", "x": 1}),
    "vct concealed": _with(lambda r, d: void(d.payload.pop("vct"), _add(r, d, ["c2FsdA", "vct", "urn:x:type"]))),
    "exp concealed": _with(lambda r, d: void(_add(r, d, ["c2FsdA", "exp", 4_000_000_000]))),
    "cnf concealed": _with(lambda r, d: void(_add(r, d, ["c2FsdA", "cnf", {"jwk": ISSUER.public_key.jwk()}]))),
    "alg none": _set_header(alg="none"),
    "alg HS256": _set_header(alg="HS256"),
    "alg ES384": _set_header(alg="ES384"),
    "typ left out": _with(lambda _, d: void(d.header.pop("typ"))),
    "typ JWT": _set_header(typ="JWT"),
    "crit unknown": _set_header(crit=["x-strange"], **{"x-strange": 1}),
    "crit empty": _set_header(crit=[]),
    "b64 false": _set_header(b64=False, crit=["b64"]),
    "a payload that is a list": _raw(lambda _: b"[1]"),
    "a member twice": _raw(_doubled_member),
    "a payload with spaces": _raw(lambda payload: json.dumps(payload, indent=2).encode()),
    "NaN": _raw(lambda payload: json.dumps({**payload, "x": float("nan")}).encode()),
    "bytes that are no UTF-8": _raw(lambda payload: b'{"x":"\xff"}'),
}


def void(*_: Any) -> None:
    """Several expressions in one lambda."""
