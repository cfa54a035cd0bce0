"""Signed notes: a text with the signatures of several keys below it, as transparency logs and their witnesses use them.

Ed25519 signatures (type 0x01) and timestamped cosignatures (type 0x04, `cosignature/v1`); signatures of other types are
carried, never judged. Knows nothing of what a text means (checkpoints are `trust_registry.log`), and trusts no key: the
caller says which keys count. Spec: C2SP signed-note, C2SP tlog-cosignature.
"""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from typing import Final

from keys.algorithms import ED25519_KEY
from keys.errors import AlgorithmNotSupported, MalformedEnvelope
from keys.public_key import PublicKey
from keys.signer import Signer

MAX_NOTE: Final = 256 * 1024
MAX_SIGNATURES: Final = 64  # at least 16 must be accepted
_MAX_KEY: Final = 4096
_DASH: Final = "\u2014 "
_ID_SIZE: Final = 4
_ED25519_SIZE: Final = 64
_TIME_SIZE: Final = 8
_LAST_SECOND: Final = int(datetime(9999, 12, 31, tzinfo=UTC).timestamp())


class NoteKeyKind(IntEnum):
    """Signature types. Spec: signed-note, "Signature types"."""

    ED25519 = 0x01
    COSIGNATURE = 0x04


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line: key name, the four bytes of the key id, and what follows them."""

    name: str
    key_id: bytes
    signature: bytes

    def line(self) -> str:
        """The line that carries it, with its newline."""
        return f"{_DASH}{self.name} {b64encode(self.key_id + self.signature).decode('ascii')}\n"


@dataclass(frozen=True, slots=True)
class SignedNote:
    """A text (with its final newline) and the signatures below it, none of them verified yet."""

    text: str
    signatures: tuple[NoteSignature, ...]

    def to_bytes(self) -> bytes:
        return (self.text + "\n" + "".join(each.line() for each in self.signatures)).encode()


@dataclass(frozen=True, slots=True)
class NoteKey:
    """A public key that signs notes under a name (a "vkey")."""

    name: str
    kind: NoteKeyKind
    public_key: PublicKey

    @property
    def key_id(self) -> bytes:
        """The four bytes that, with the name, find this key's signatures."""
        material = self.name.encode() + b"\n" + bytes([self.kind]) + self.public_key.point()
        return hashlib.sha256(material).digest()[:_ID_SIZE]

    def __str__(self) -> str:
        material = b64encode(bytes([self.kind]) + self.public_key.point()).decode("ascii")
        return f"{self.name}+{self.key_id.hex()}+{material}"


@dataclass(frozen=True, slots=True)
class NoteVerification:
    """A signature that holds: by whom, and when, if it is a cosignature."""

    key: NoteKey
    signature: NoteSignature
    signed_at: datetime | None


def note_key(name: str, kind: NoteKeyKind, public_key: PublicKey) -> NoteKey:
    """A key under a name. Raises: MalformedEnvelope (name), AlgorithmNotSupported when it is not an Ed25519 key."""
    check_key_name(name)
    if public_key.algorithm.key_type is not ED25519_KEY:
        raise AlgorithmNotSupported("notes are signed with Ed25519 keys")
    return NoteKey(name, kind, public_key)


def parse_note_key(text: str) -> NoteKey:
    """The key in a vkey, `<name>+<key id>+<base64>`, of at most 4096 characters. Raises: MalformedEnvelope."""
    if len(text) > _MAX_KEY:
        raise MalformedEnvelope(f"a verifier key of more than {_MAX_KEY} characters")
    name, _, rest = text.partition("+")
    key_id, _, encoded = rest.partition("+")
    check_key_name(name)
    material = _base64(encoded)
    try:
        kind = NoteKeyKind(material[0])
        key = NoteKey(name, kind, PublicKey.from_spki(ED25519_KEY.spki_prefix + material[1:]))
    except (ValueError, IndexError, AlgorithmNotSupported) as err:
        raise MalformedEnvelope("not a verifier key of a kind that is known here") from err
    if key.key_id.hex() != key_id:
        raise MalformedEnvelope("the verifier key's id is not that of its name and key")
    return key


def parse_note(data: bytes) -> SignedNote:
    """The note in `data`, at most 256 KiB and 64 signatures. Raises: MalformedEnvelope. Spec: signed-note, "Format"."""
    if len(data) > MAX_NOTE:
        raise MalformedEnvelope(f"a note of more than {MAX_NOTE} bytes")
    text = _decoded(data)
    body, separator, below = text.rpartition("\n\n")
    if not separator:
        raise MalformedEnvelope("a note without a blank line before its signatures")
    return SignedNote(body + "\n", parse_signature_lines(below.encode()))


def parse_signature_lines(data: bytes) -> tuple[NoteSignature, ...]:
    """One or more signature lines, as a note ends with and as a witness answers. Raises: MalformedEnvelope."""
    if len(data) > MAX_NOTE:
        raise MalformedEnvelope(f"signature lines of more than {MAX_NOTE} bytes")
    lines = _decoded(data).split("\n")
    if lines.pop() or not 1 <= len(lines) <= MAX_SIGNATURES:
        raise MalformedEnvelope(f"1 to {MAX_SIGNATURES} signature lines are needed, each with its newline")
    return tuple(map(_parse_line, lines))


def sign_note(text: str, name: str, signer: Signer) -> NoteSignature:
    """An Ed25519 signature over the text. Raises: MalformedEnvelope (name, text), AlgorithmNotSupported."""
    key = note_key(name, NoteKeyKind.ED25519, signer.public_key)
    return NoteSignature(name, key.key_id, signer.sign(_signable(text)))


def cosign_note(text: str, name: str, signer: Signer, at: datetime) -> NoteSignature:
    """A timestamped cosignature over the text. Raises: MalformedEnvelope (name, text), AlgorithmNotSupported.

    Spec: tlog-cosignature, "Ed25519 signed message".
    """
    key = note_key(name, NoteKeyKind.COSIGNATURE, signer.public_key)
    seconds = int(at.timestamp())
    signature = signer.sign(_cosigned(_signable(text), seconds))
    return NoteSignature(name, key.key_id, seconds.to_bytes(_TIME_SIZE, "big") + signature)


def verify_note(note: SignedNote, keys: Iterable[NoteKey]) -> tuple[NoteVerification, ...]:
    """The signatures by `keys`, the latest of each key; signatures of other keys are ignored.

    Raises: MalformedEnvelope when a signature that carries a known key's name and id does not hold: such a note is
    malformed. Spec: signed-note, "Signatures".
    """
    known = {(key.name, key.key_id): key for key in keys}
    found: dict[NoteKey, NoteVerification] = {}
    for each in note.signatures:
        key = known.get((each.name, each.key_id))
        if key is None:
            continue
        verified = _verify(note.text, each, key)
        before = found.get(key)
        if before is None or _later(verified, before):
            found[key] = verified
    return tuple(found.values())


def merged_note(text: str, signatures: Sequence[NoteSignature]) -> SignedNote:
    """A note over `text`; where one key has signed more than once, its last signature. Raises: MalformedEnvelope."""
    _signable(text)
    last = {(each.name, each.key_id): each for each in signatures}
    return SignedNote(text, tuple(last.values()))


def _verify(text: str, signature: NoteSignature, key: NoteKey) -> NoteVerification:
    if key.kind is NoteKeyKind.ED25519:
        if key.public_key.verify(signature.signature, text.encode()):
            return NoteVerification(key, signature, None)
    elif len(signature.signature) == _TIME_SIZE + _ED25519_SIZE:
        seconds = int.from_bytes(signature.signature[:_TIME_SIZE], "big")
        held = key.public_key.verify(signature.signature[_TIME_SIZE:], _cosigned(text.encode(), seconds))
        if held and 0 < seconds <= _LAST_SECOND:
            return NoteVerification(key, signature, datetime.fromtimestamp(seconds, UTC))
    raise MalformedEnvelope(f"the signature of {key.name[:128]} does not hold")


def _later(one: NoteVerification, other: NoteVerification) -> bool:
    return one.signed_at is not None and other.signed_at is not None and one.signed_at > other.signed_at


def _cosigned(text: bytes, seconds: int) -> bytes:
    return b"cosignature/v1\ntime %d\n%b" % (seconds, text)


def _signable(text: str) -> bytes:
    if not text.endswith("\n") or _unfit(text):
        raise MalformedEnvelope("a note's text ends with a newline and holds no other control character")
    return text.encode()


def _decoded(data: bytes) -> str:
    try:
        text = data.decode()
    except UnicodeDecodeError as err:
        raise MalformedEnvelope("a note that is not UTF-8") from err
    if _unfit(text):
        raise MalformedEnvelope("a note with control characters")
    return text


def _unfit(text: str) -> bool:
    return any(character < " " and character != "\n" for character in text)


def _parse_line(line: str) -> NoteSignature:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH):
        raise MalformedEnvelope("a signature line begins with a dash and a space")
    check_key_name(name)
    value = _base64(encoded)
    if len(value) <= _ID_SIZE:
        raise MalformedEnvelope("a signature without a signature")
    return NoteSignature(name, value[:_ID_SIZE], value[_ID_SIZE:])


def check_key_name(name: str) -> None:
    """Whether a key may have this name. Raises: MalformedEnvelope."""
    if not name or "+" in name or any(each.isspace() or each < " " or "\ud800" <= each <= "\udfff" for each in name):
        raise MalformedEnvelope("a key name is UTF-8, not empty, and has no spaces and no plus")


def _base64(text: str) -> bytes:
    try:
        value = b64decode(text, validate=True)
    except ValueError as err:
        raise MalformedEnvelope("not base64") from err
    if b64encode(value).decode("ascii") != text:  # one value, one encoding
        raise MalformedEnvelope("not canonical base64")
    return value
