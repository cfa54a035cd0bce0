"""The offline kit: all that a counter without a network needs to judge by, in one signed file.

A kit is a zip of pieces (signed trust metadata, lists, log proofs, status tokens) and `manifest.jws`, in which a
relying party or an authority says which pieces belong together and when they were last confirmed. Every piece carries
its own signatures, and these decide; the kit's says that nothing is missing and how old it is. A delta is the newer
manifest with the pieces that the older kit lacks. No clock, no network; `verifier.kit_trust` opens what is inside.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

from keys.envelopes.jws import Jws, parse_jws, sign_jws
from keys.envelopes.strict_json import load_json
from keys.envelopes.strict_zip import read_zip, write_zip
from keys.errors import AlgorithmNotSupported, MalformedCertificate, MalformedEnvelope
from keys.x509 import Certificate, parse_certificate
from trust_registry.model import RegionCode
from verifier.errors import KitRefused, MalformedKit
from verifier.receipts import ReceiptKey

FORMAT: Final = "yinxin-kit/1"
KIT_TYPE: Final = "yinxin-kit+jws"
MANIFEST: Final = "manifest.jws"
BASE: Final = "base"  # in a delta: the digest of the manifest that it starts from
MAX_KIT: Final = 64 << 20
_MAX_MANIFEST: Final = 1 << 20
_MAX_PIECES: Final = 10_000
_MAX_INSIDE: Final = 256 << 20
_MAX_CHAIN: Final = 4


@dataclass(frozen=True, slots=True)
class Piece:
    """One file of a kit: its name, the hex SHA-256 and the size in bytes of its content."""

    name: str
    digest: str
    size: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the signer of a kit says. `root` is "sha256:<hex>" of the first root that the trust data start from.

    `confirmed_at`: when the trust data were last confirmed against the network's repository. Times are UTC.
    """

    region: RegionCode
    made_at: datetime
    confirmed_at: datetime
    root: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Kit:
    """A kit whose pieces are those of its manifest, signed by the key of `certificate`. Who that is, is not judged."""

    manifest: Manifest
    token: bytes
    certificate: Certificate
    files: Mapping[str, bytes]

    @property
    def digest(self) -> str:
        """What a delta names to say from which kit it starts: "sha256:<hex>" of the manifest."""
        return _digest(self.token)


def make_kit(
    files: Mapping[str, bytes],
    *,
    region: RegionCode,
    first_root: bytes,
    confirmed_at: datetime,
    made_at: datetime,
    key: ReceiptKey,
) -> bytes:
    """A kit of `files` for counters of `region`, signed with a key that the region lists. Times are UTC.

    Raises: KitRefused when there is too much for one kit; whatever the signer raises.
    """
    pieces = [[name, sha256(content).hexdigest(), len(content)] for name, content in sorted(files.items())]
    if len(pieces) > _MAX_PIECES or sum(len(content) for content in files.values()) > _MAX_INSIDE:
        raise KitRefused(f"more than {_MAX_PIECES} pieces, or more than {_MAX_INSIDE >> 20} MiB")
    payload = {
        "format": FORMAT,
        "region": region,
        "made_at": _written(made_at),
        "confirmed_at": _written(confirmed_at),
        "root": _digest(first_root),
        "pieces": pieces,
    }
    header = {"typ": KIT_TYPE, "x5c": [b64encode(each.der).decode("ascii") for each in (key.certificate, *key.chain)]}
    token = sign_jws(header, json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode(), key.signer)
    return write_zip({MANIFEST: token.encode("ascii"), **dict(sorted(files.items()))})


def read_kit(data: bytes) -> Kit:
    """The kit in `data`, of at most 64 MiB: whole, and signed by the certificate that it brings. Trusts nobody.

    Raises: MalformedKit, also for a delta: that needs the kit that it starts from.
    """
    found = _unpacked(data)
    if BASE in found:
        raise MalformedKit("a delta: apply it to the kit that it starts from (yinxin kit apply OLD DELTA)")
    token, manifest, certificate = _manifest(found)
    if {piece.name for piece in manifest.pieces} | {MANIFEST} != found.keys():
        raise MalformedKit("the files are not those that the manifest names")
    return Kit(
        manifest, token, certificate, {piece.name: _checked(found[piece.name], piece) for piece in manifest.pieces}
    )


def make_delta(old: Kit, new: Kit) -> bytes:
    """What turns `old` into `new`: the newer manifest with its signature, and the pieces that `old` lacks.

    Raises: KitRefused when they are of different regions or networks, or `new` is not newer.
    """
    _check_follows(old.manifest, new.manifest)
    have = {piece.digest for piece in old.manifest.pieces}
    missing = {piece.name: new.files[piece.name] for piece in new.manifest.pieces if piece.digest not in have}
    return write_zip({MANIFEST: new.token, BASE: old.digest.encode("ascii"), **missing})


def apply_delta(old: Kit, delta: bytes) -> bytes:
    """The newer kit, its pieces checked against the newer manifest.

    Raises: MalformedKit when `delta` is none, or what it makes is not whole; KitRefused when it starts from another
    kit, or leads back to an older one.
    """
    found = _unpacked(delta)
    if BASE not in found:
        raise MalformedKit("not a delta: it does not say from which kit it starts")
    token, manifest, _ = _manifest(found)
    if found[BASE] != old.digest.encode("ascii"):
        raise KitRefused("this delta starts from another kit: fetch the whole one")
    _check_follows(old.manifest, manifest)
    have = {piece.digest: piece.name for piece in old.manifest.pieces}
    files = {}
    for piece in manifest.pieces:
        if piece.name in found:
            files[piece.name] = _checked(found[piece.name], piece)
        elif piece.digest in have:
            files[piece.name] = old.files[have[piece.digest]]
        else:
            raise MalformedKit(f"neither the kit nor the delta has {piece.name}")
    return write_zip({MANIFEST: token, **dict(sorted(files.items()))})


def _check_follows(old: Manifest, new: Manifest) -> None:
    if (old.region, old.root) != (new.region, new.root):
        raise KitRefused("the two kits are of different regions or networks")
    if new.made_at < old.made_at or new.confirmed_at < old.confirmed_at:
        raise KitRefused("the other kit is newer: there is nothing to bring up to date")


# --- the container


def _unpacked(data: bytes) -> dict[str, bytes]:
    if len(data) > MAX_KIT:
        raise MalformedKit(f"more than {MAX_KIT >> 20} MiB")
    try:
        return read_zip(data, max_inside=_MAX_INSIDE + _MAX_MANIFEST)
    except MalformedEnvelope as err:
        raise MalformedKit(f"not a kit, or one that is cut short: {err}") from err


def _checked(content: bytes, piece: Piece) -> bytes:
    if len(content) != piece.size or sha256(content).hexdigest() != piece.digest:
        raise MalformedKit(f"{piece.name} is not what was signed")
    return content


# --- the manifest


def _manifest(found: Mapping[str, bytes]) -> tuple[bytes, Manifest, Certificate]:
    token = found.get(MANIFEST)
    if token is None:
        raise MalformedKit("no kit: it has no manifest")
    try:
        jws = parse_jws(token, max_size=_MAX_MANIFEST)
        certificate = _signer(jws)
        if not jws.verified_by(certificate.public_key):
            raise MalformedKit("the manifest's signature is wrong")
        return token, _read_manifest(load_json(jws.payload)), certificate
    except (MalformedEnvelope, MalformedCertificate, AlgorithmNotSupported) as err:
        raise MalformedKit(f"the manifest can't be read: {err}") from err


def _signer(jws: Jws) -> Certificate:
    chain = jws.header.get("x5c")
    if jws.header.get("typ") != KIT_TYPE:
        raise MalformedKit("signed, but not as a kit")
    if not isinstance(chain, list) or not 0 < len(chain) <= _MAX_CHAIN or not isinstance(chain[0], str):
        raise MalformedKit("the manifest names no certificate")
    try:
        return parse_certificate(b64decode(chain[0], validate=True))
    except ValueError as err:
        raise MalformedKit("the manifest names no certificate") from err


def _read_manifest(document: Any) -> Manifest:
    try:
        if document["format"] != FORMAT:
            raise MalformedKit("a kit of another format: a newer yinxin may be needed")
        pieces = tuple(_read_piece(each) for each in document["pieces"])
        made_at, confirmed_at = _moment(document["made_at"]), _moment(document["confirmed_at"])
        region, root = document["region"], document["root"]
    except (KeyError, TypeError, ValueError, OverflowError) as err:
        raise MalformedKit("the manifest is not one of a kit") from err
    if (
        not isinstance(region, str)
        or not isinstance(root, str)
        or made_at.tzinfo is None
        or confirmed_at.tzinfo is None
    ):
        raise MalformedKit("the manifest is not one of a kit")
    if len({piece.name for piece in pieces}) != len(pieces) or sum(piece.size for piece in pieces) > _MAX_INSIDE:
        raise MalformedKit("the manifest names a piece twice, or more than can be held")
    return Manifest(RegionCode(region), made_at, confirmed_at, root, pieces)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    return moment.astimezone(UTC)


def _read_piece(value: Any) -> Piece:
    name, digest, size = value
    if not isinstance(name, str) or not isinstance(digest, str) or type(size) is not int or size < 0:
        raise ValueError("not a piece")
    if name in (MANIFEST, BASE):
        raise ValueError("a piece can't have that name")
    return Piece(name, digest, size)


def _digest(content: bytes) -> str:
    return "sha256:" + sha256(content).hexdigest()


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")
