"""Our keys in python-tuf's terms: an adaptor that makes a `keys.Signer` sign metadata, and public keys with their
names.

Key ids are the SHA-256 of the SubjectPublicKeyInfo. An officer's name is a field of the key in the signed metadata,
so that everybody who verifies also sees who signed.
"""

from __future__ import annotations

import base64
import hashlib
import textwrap
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from securesystemslib.signer import Key, SecretsHandler, Signature, SSlibKey
from securesystemslib.signer import Signer as MetadataSigner

from keys.algorithms import ED25519_KEY
from keys.errors import AlgorithmNotSupported
from keys.public_key import PublicKey
from keys.signature_form import ecdsa_der
from keys.signer import Signer
from trust_registry.legible import legible
from trust_registry.model import RegionCode

NAME_FIELD: Final = "x-yinxin-name"
REGION_FIELD: Final = "x-yinxin-region"
NAMES_FIELD: Final = "x-yinxin-names"
LOG_FIELD: Final = "x-yinxin-log"
_ED25519: Final = "ed25519"
_RAW_ED25519_SIZE: Final = 32


@dataclass(frozen=True, slots=True)
class Officer:
    """Somebody who may sign for an authority: a public key and the name under which it is known.

    `region`: whose seat this is, for a key that votes on the network's membership; None for an authority's own officer.
    """

    name: str
    public_key: PublicKey
    region: RegionCode | None = None


def key_id(public_key: PublicKey) -> str:
    """The TUF key id: hex SHA-256 of the DER SubjectPublicKeyInfo."""
    return hashlib.sha256(public_key.spki).hexdigest()


def tuf_key(officer: Officer) -> SSlibKey:
    """The officer's key as metadata carries it. Raises: AlgorithmNotSupported when TUF has no scheme for it."""
    public_key = officer.public_key
    scheme = public_key.algorithm.tuf_scheme
    if scheme is None:
        raise AlgorithmNotSupported(f"{public_key.algorithm.jose} has no TUF signature scheme")
    if scheme == _ED25519:
        key_type, value = _ED25519, public_key.spki[-_RAW_ED25519_SIZE:].hex()
    else:
        key_type, value = "ecdsa", _pem(public_key.spki)
    fields = {NAME_FIELD: officer.name}
    if officer.region is not None:
        fields[REGION_FIELD] = officer.region
    return SSlibKey(key_id(public_key), key_type, scheme, {"public": value}, fields)


def public_key_of(key: Key) -> PublicKey:
    """The key in metadata, if it is written in the one way in which we write it, under the one id that it has.

    So two keys with different ids are different keys, whatever else their text says. Raises: AlgorithmNotSupported.
    """
    public = key.keyval.get("public")
    return _public_key(key.keyid, key.keytype, key.scheme, public if isinstance(public, str) else "")


@lru_cache(maxsize=4096)
def _public_key(keyid: str, key_type: str, scheme: str, public: str) -> PublicKey:
    try:
        if key_type == _ED25519:
            spki = ED25519_KEY.spki_prefix + bytes.fromhex(public)
        else:
            spki = base64.b64decode("".join(public.splitlines()[1:-1]), validate=True)
    except ValueError as err:
        raise AlgorithmNotSupported("not the text of a public key") from err
    found = PublicKey.from_spki(spki)
    ours = tuf_key(Officer("", found))
    if (ours.keyid, ours.keytype, ours.scheme, ours.keyval["public"]) != (keyid, key_type, scheme, public):
        raise AlgorithmNotSupported("the key is not written as its id demands")
    return found


def key_name(key: Key) -> str:
    """The name in a key, or the beginning of its id, as it may be shown."""
    name = key.unrecognized_fields.get(NAME_FIELD)
    return legible(name) if isinstance(name, str) else key.keyid[:12]


def key_region(key: Key) -> RegionCode | None:
    """The region whose seat a key is, if it is one."""
    region = key.unrecognized_fields.get(REGION_FIELD)
    return RegionCode(region) if isinstance(region, str) else None


def _pem(spki: bytes) -> str:
    body = "\n".join(textwrap.wrap(base64.b64encode(spki).decode(), 64))
    return f"-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n"


class OfficerSigner(MetadataSigner):
    """A `keys.Signer` as python-tuf wants one; where the key lives is the Signer's business."""

    def __init__(self, signer: Signer, name: str = "") -> None:
        self._signer = signer
        self._key = tuf_key(Officer(name, signer.public_key))

    @property
    def public_key(self) -> SSlibKey:
        return self._key

    def sign(self, payload: bytes) -> Signature:
        raw = self._signer.sign(payload)
        signature = raw if self._key.scheme == _ED25519 else ecdsa_der(raw)
        return Signature(self._key.keyid, signature.hex())

    @classmethod
    def from_priv_key_uri(
        cls, priv_key_uri: str, public_key: Key, secrets_handler: SecretsHandler | None = None
    ) -> MetadataSigner:
        raise NotImplementedError("keys are opened by keys.open_signer")
