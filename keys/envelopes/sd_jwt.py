"""SD-JWT and SD-JWT+KB (RFC 9901), compact form: issue, select, bind, parse, check the key binding.

Parsing applies every rule of section 7.1 that needs no key and no clock; the issuer's signature is for the caller to
check (`SdJwt.jws.verified_by`), as are validity claims. Issuing conceals top-level claims; parsing follows any depth.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from binascii import b2a_base64
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Final

from keys.envelopes.base64url import b64url_decode, b64url_encode
from keys.envelopes.jws import Jws, parse_jws, sign_jws
from keys.envelopes.strict_json import MAX_DEPTH, encode_json, load_json
from keys.errors import AlgorithmNotSupported, MalformedEnvelope
from keys.frozen import made_often
from keys.public_key import PublicKey
from keys.signer import Signer

MAX_SIZE: Final = 1 << 19
CLOCK_SKEW: Final = timedelta(seconds=60)
MAX_DISCLOSURES: Final = 1024
DEFAULT_DIGEST: Final = "sha-256"
# Names of the IANA Named Information Hash Algorithm registry -> hashlib. Others are not understood, and refused.
_DIGESTS: Final = {"sha-256": hashlib.sha256, "sha-384": hashlib.sha384, "sha-512": hashlib.sha512}
_RESERVED: Final = frozenset({"_sd", "...", "_sd_alg"})
_SALT_BYTES: Final = 18  # a multiple of three, so that the base64url of many salts is cut into that of each
_SALT_TEXT: Final = 24
_ONLY_TEXT: Final = frozenset({str})
# A disclosure of text without escapes, as most are: the same as its JSON, in a third of the time.
_TEXT_CLAIM: Final = re.compile(r'\["([^"\\\x00-\x1f]*)", ?"([^"\\\x00-\x1f]*)", ?"([^"\\\x00-\x1f]*)"\]')
_quote: Final = json.encoder.encode_basestring


@made_often
@dataclass(frozen=True, slots=True)
class Disclosure:
    """One disclosed claim, or (with `name` None) array element. `encoded` is base64url and what `digest` is over."""

    salt: str
    name: str | None
    value: Any
    encoded: str
    digest: str


@made_often
@dataclass(frozen=True, slots=True)
class SdJwt:
    """A parsed SD-JWT, its signature not verified.

    `claims` is the Processed SD-JWT Payload of section 7.1: disclosed claims in place, digests gone. `holder_key` is
    the JWK of `cnf` (RFC 7800), if any. `roots` names, for each disclosure, the top-level claim that it belongs to.
    """

    jws: Jws
    disclosures: tuple[Disclosure, ...]
    key_binding: Jws | None
    claims: Mapping[str, Any]
    text: str
    holder_key: Mapping[str, Any] | None
    digest_algorithm: str
    roots: tuple[str, ...]

    def presented_digest(self) -> str:
        """What `sd_hash` must be: over everything before the key binding. Spec: RFC 9901 section 4.3.1."""
        return _digest(self.text[: self.text.rindex("~") + 1].encode("ascii"), self.digest_algorithm)


class KeyBindingOutcome(Enum):
    ABSENT = "absent"
    OK = "ok"
    BAD_SIGNATURE = "bad_signature"  # also: the SD-JWT names no holder's key that could be used
    WRONG_NONCE = "wrong_nonce"
    WRONG_AUDIENCE = "wrong_audience"
    STALE = "stale"  # too old, or from the future
    WRONG_SD_HASH = "wrong_sd_hash"
    MALFORMED = "malformed"


def issue_sd_jwt(
    claims: Mapping[str, Any],
    disclosable: AbstractSet[str],
    *,
    signer: Signer,
    header: Mapping[str, Any],
    holder_key: Mapping[str, Any] | None = None,
    decoys: int = 0,
    digest_algorithm: str = DEFAULT_DIGEST,
) -> str:
    """An SD-JWT over `claims`, of which those named in `disclosable` (absent ones are ignored) are concealed.

    `header` carries `typ`, `x5c` and so on; `alg` is added. `holder_key` (a public JWK) becomes `cnf`. Salts have
    144 bits. Raises ValueError for reserved claim names. Spec: RFC 9901 sections 4.1 and 4.2.
    """
    payload: dict[str, Any] = {}
    hidden: list[str] = []
    salts = b64url_encode(os.urandom(_SALT_BYTES * len(claims))).decode("ascii")
    for position, (name, value) in enumerate(claims.items()):
        if name in _RESERVED:
            raise ValueError(f"{name!r} is reserved by SD-JWT")
        if name not in disclosable:
            payload[name] = value
            continue
        salt = salts[_SALT_TEXT * position : _SALT_TEXT * (position + 1)]
        hidden.append(f'["{salt}",{_quote(name)},{_quote(value) if type(value) is str else encode_json(value)}]')
    if holder_key is not None:
        if "cnf" in claims:
            raise ValueError("'cnf' is for the holder's key")
        payload["cnf"] = {"jwk": dict(holder_key)}
    plain, concealed = encode_json(payload), "\n".join(hidden)
    if "_sd" in plain or "..." in plain or "_sd" in concealed or "..." in concealed:
        _check_no_reserved(claims)
    disclosures = _encode_disclosures(concealed)
    processing: dict[str, Any] = {}
    if hidden or decoys:
        items = disclosures.split(b"~")[:-1] + [os.urandom(32) for _ in range(decoys)]
        processing["_sd"] = sorted(_digests(items, digest_algorithm))  # hides the claims' order (section 4.2.4.1)
    processing["_sd_alg"] = digest_algorithm
    # The text of two objects, one after the other, as the text of one.
    content = plain[:-1] + "," * bool(payload) + encode_json(processing)[1:]
    return f"{sign_jws(header, content.encode(), signer)}~{disclosures.decode('ascii')}"


def parse_sd_jwt(text: str) -> SdJwt:
    """Parse an SD-JWT or SD-JWT+KB and process its disclosures. No signature is verified.

    Raises MalformedEnvelope for everything that section 7.1 rejects, and beyond 512 KiB, 1024 disclosures or 32 levels.
    """
    if len(text) > MAX_SIZE:
        raise MalformedEnvelope(f"SD-JWT of more than {MAX_SIZE} bytes")
    token, *encoded, binding = text.split("~") if "~" in text else ("", "")
    if not token or len(encoded) > MAX_DISCLOSURES:
        raise MalformedEnvelope("not an SD-JWT, or too many disclosures")
    jws = parse_jws(token, max_size=MAX_SIZE)
    payload = load_json(jws.payload, max_size=MAX_SIZE)
    if not isinstance(payload, dict):
        raise MalformedEnvelope("the SD-JWT payload is not an object")
    flat = _is_flat(jws.payload, payload)
    digest_algorithm = payload.pop("_sd_alg", DEFAULT_DIGEST)
    if not isinstance(digest_algorithm, str) or digest_algorithm not in _DIGESTS:
        raise MalformedEnvelope("the SD-JWT names a digest algorithm that is not understood")
    disclosures = _parse_disclosures(encoded, digest_algorithm)
    processing = _Processing(disclosures)
    claims = processing.top_level(payload, flat=flat)
    confirmation = claims.get("cnf")
    holder_key = confirmation.get("jwk") if isinstance(confirmation, dict) else None
    return SdJwt(
        jws=jws,
        disclosures=disclosures,
        key_binding=parse_jws(binding) if binding else None,
        claims=claims,
        text=text,
        holder_key=holder_key if isinstance(holder_key, dict) else None,
        digest_algorithm=digest_algorithm,
        roots=tuple(processing.roots[disclosure.digest] for disclosure in disclosures),
    )


def select_disclosures(text: str, names: AbstractSet[str]) -> str:
    """The SD-JWT with only those disclosures that belong to the top-level claims `names`; a key binding is dropped.

    A nested disclosure stays with its claim, so that the result always connects (section 4.2.6).
    Raises MalformedEnvelope.
    """
    sd_jwt = parse_sd_jwt(text)
    kept = (d.encoded for d, root in zip(sd_jwt.disclosures, sd_jwt.roots, strict=True) if root in names)
    return "~".join((text[: text.index("~")], *kept, ""))


def bind_key(text: str, *, signer: Signer, nonce: str, audience: str, issued_at: datetime) -> str:
    """The SD-JWT+KB: `text` (an SD-JWT without key binding) and a KB-JWT by the holder's key.

    Raises MalformedEnvelope. Spec: RFC 9901 section 4.3.
    """
    sd_jwt = parse_sd_jwt(text)
    if sd_jwt.key_binding is not None:
        raise MalformedEnvelope("the SD-JWT has a key binding already")
    payload = {
        "iat": int(issued_at.timestamp()),
        "aud": audience,
        "nonce": nonce,
        "sd_hash": sd_jwt.presented_digest(),
    }
    return text + sign_jws({"typ": "kb+jwt"}, encode_json(payload).encode("utf-8"), signer)


def check_key_binding(
    sd_jwt: SdJwt, *, nonce: str, audience: str, at: datetime, max_age: timedelta, clock_skew: timedelta = CLOCK_SKEW
) -> KeyBindingOutcome:
    """Whether the holder's key made this presentation, for this audience and nonce, within `max_age` before `at` (UTC).

    Never raises on content; the first failing step of section 7.3 is reported.
    """
    binding = sd_jwt.key_binding
    if binding is None:
        return KeyBindingOutcome.ABSENT
    payload = _binding_payload(binding)
    if payload is None:
        return KeyBindingOutcome.MALFORMED
    try:
        key = PublicKey.from_jwk(sd_jwt.holder_key or {})
    except AlgorithmNotSupported:
        return KeyBindingOutcome.BAD_SIGNATURE
    if not binding.algorithm.usable_at(at) or not binding.verified_by(key):
        return KeyBindingOutcome.BAD_SIGNATURE
    if not _is_fresh(payload, at, max_age, clock_skew):
        return KeyBindingOutcome.STALE
    if payload["nonce"] != nonce:
        return KeyBindingOutcome.WRONG_NONCE
    if payload["aud"] != audience:
        return KeyBindingOutcome.WRONG_AUDIENCE
    if payload["sd_hash"] != sd_jwt.presented_digest():
        return KeyBindingOutcome.WRONG_SD_HASH
    return KeyBindingOutcome.OK


class _Processing:
    """Step 3 of section 7.1: puts disclosures in place of their digests, each exactly once."""

    def __init__(self, disclosures: Sequence[Disclosure]) -> None:
        self.pending = {disclosure.digest: disclosure for disclosure in disclosures}
        self.seen: set[str] = set()
        self.roots: dict[str, str] = {}
        if len(self.pending) != len(disclosures):
            raise MalformedEnvelope("a disclosure is presented twice")

    def top_level(self, payload: dict[str, Any], *, flat: bool) -> dict[str, Any]:
        claims = self._object(payload, MAX_DEPTH, None, flat=flat)
        if self.pending:
            raise MalformedEnvelope("a disclosure is not referenced by the SD-JWT")
        return claims

    def _value(self, value: Any, depth: int, root: str) -> Any:
        if type(value) is dict:
            return self._object(value, depth, root)
        if type(value) is list:
            return self._array(value, depth, root)
        return value

    def _object(self, source: dict[str, Any], depth: int, root: str | None, *, flat: bool = False) -> dict[str, Any]:
        if depth == 0:
            raise MalformedEnvelope("the SD-JWT is nested too deep")
        if "..." in source or "_sd_alg" in source:
            raise MalformedEnvelope("a reserved SD-JWT claim name stands where it must not")
        if flat:
            result = source.copy()
            result.pop("_sd", None)
        else:
            result = {n: self._value(value, depth - 1, root or n) for n, value in source.items() if n != "_sd"}
        for disclosure in self._referenced(source.get("_sd", [])):
            name = disclosure.name
            if name is None:
                raise MalformedEnvelope("an array element's disclosure stands for a claim")
            if name in _RESERVED:
                raise MalformedEnvelope("a disclosure has a reserved claim name")
            if name in result:
                raise MalformedEnvelope("a disclosed claim exists already")
            self.roots[disclosure.digest] = root or name
            result[name] = self._value(disclosure.value, depth - 1, root or name)
        return result

    def _array(self, source: list[Any], depth: int, root: str) -> list[Any]:
        if depth == 0:
            raise MalformedEnvelope("the SD-JWT is nested too deep")
        result = []
        for element in source:
            if type(element) is not dict or "..." not in element:
                result.append(self._value(element, depth - 1, root))
                continue
            if len(element) != 1:
                raise MalformedEnvelope("a concealed array element has other members")
            for disclosure in self._referenced([element["..."]]):
                if disclosure.name is not None:
                    raise MalformedEnvelope("a claim's disclosure stands for an array element")
                self.roots[disclosure.digest] = root
                result.append(self._value(disclosure.value, depth - 1, root))
        return result

    def _referenced(self, digests: Any) -> list[Disclosure]:
        """The disclosures that are presented of those that `digests` stand for; most of them stand for none."""
        if type(digests) is not list:
            raise MalformedEnvelope("_sd is not an array")
        if not _ONLY_TEXT.issuperset(map(type, digests)):
            raise MalformedEnvelope("a digest is not text")
        if len(set(digests)) != len(digests) or not self.seen.isdisjoint(digests):
            raise MalformedEnvelope("a digest occurs twice")
        self.seen.update(digests)
        return [self.pending.pop(digest) for digest in digests if digest in self.pending]


def _is_flat(encoded: bytes, top_level: Mapping[str, Any]) -> bool:
    """Whether nothing below the top level of a payload can be a digest: most are so, and need no walk."""
    expected = ("_sd" in top_level) + ("_sd_alg" in top_level)
    return encoded.count(b"_sd") == expected and b"..." not in encoded and b"\\" not in encoded


def _parse_disclosures(encoded: Sequence[str], digest_algorithm: str) -> tuple[Disclosure, ...]:
    if not encoded:
        return ()
    try:
        octets = [part.encode("ascii") for part in encoded]
        texts = [b64url_decode(part).decode("utf-8") for part in octets]
    except ValueError as err:
        raise MalformedEnvelope("a disclosure is not base64url of UTF-8") from err
    return tuple(map(_parse_disclosure, encoded, texts, _digests(octets, digest_algorithm)))


def _parse_disclosure(encoded: str, text: str, digest: str) -> Disclosure:
    if simple := _TEXT_CLAIM.fullmatch(text):
        salt, name, value = simple.groups()
        return Disclosure(salt, name, value, encoded, digest)
    content = load_json(text, max_size=MAX_SIZE)
    if type(content) is list and type(content[0] if content else None) is str:
        if len(content) == 3 and type(content[1]) is str:
            return Disclosure(content[0], content[1], content[2], encoded, digest)
        if len(content) == 2:
            return Disclosure(content[0], None, content[1], encoded, digest)
    raise MalformedEnvelope("a disclosure is not an array of salt, name and value, or of salt and value")


def _digest(data: bytes, algorithm: str) -> str:
    return b64url_encode(_DIGESTS[algorithm](data).digest()).decode("ascii")


def _binding_payload(binding: Jws) -> dict[str, Any] | None:
    if binding.header.get("typ") != "kb+jwt":
        return None
    try:
        payload = load_json(binding.payload, max_size=65536)
    except MalformedEnvelope:
        return None
    if type(payload) is not dict:
        return None
    for name in ("nonce", "aud", "sd_hash"):
        if type(payload.get(name)) is not str:
            return None
    for name in ("iat", "exp", "nbf"):
        if (name in payload or name == "iat") and type(payload.get(name)) not in (int, float):
            return None
    return payload


def _is_fresh(payload: dict[str, Any], at: datetime, max_age: timedelta, clock_skew: timedelta) -> bool:
    now, skew = at.timestamp(), clock_skew.total_seconds()
    if not now - max_age.total_seconds() - skew <= payload["iat"] <= now + skew:
        return False
    return bool(payload.get("nbf", now) <= now + skew and payload.get("exp", now + 1) > now - skew)


def _encode_disclosures(lines: str) -> bytes:
    """Each line in base64url and a tilde after it. JSON has no line feeds of its own, and base64 ends with one."""
    encoded = b"".join(map(b2a_base64, lines.encode().split(b"\n"))) if lines else b""
    return encoded.replace(b"+", b"-").replace(b"/", b"_").replace(b"=", b"").replace(b"\n", b"~")


def _digests(items: Sequence[bytes], algorithm: str) -> list[str]:
    """The base64url digest of each item: one encoding of all, padded to whole groups of three bytes, cut up again."""
    compute = _DIGESTS[algorithm]
    digests = [compute(item).digest() for item in items]
    size = len(digests[0])
    padding = bytes(-size % 3)
    text = b64url_encode(padding.join(digests) + padding).decode("ascii")
    stride, kept = (size + len(padding)) // 3 * 4, (size * 8 + 5) // 6
    return [text[start : start + kept] for start in range(0, stride * len(digests), stride)]


def _check_no_reserved(value: Any) -> None:
    if isinstance(value, Mapping):
        if not _RESERVED.isdisjoint(value):
            raise ValueError("a nested claim has a name reserved by SD-JWT")
        value = value.values()
    elif not isinstance(value, list | tuple):
        return
    for item in value:
        _check_no_reserved(item)
