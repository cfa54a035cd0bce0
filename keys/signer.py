"""The Signer port and how a key URI opens one. Key files are `keys.custody.software`; no policy of who may sign."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from keys.errors import KeyUriNotSupported
from keys.model import Algorithm, PrivateKey
from keys.public_key import PublicKey
from keys.signature_form import ecdsa_der, ecdsa_raw, raw_signature

__all__ = ["EphemeralSigner", "Passphrases", "PrivateKeySigner", "Signer", "ecdsa_der", "ecdsa_raw", "open_signer"]

Passphrases = Callable[[str], bytes]  # key URI -> passphrase; raises PassphraseMissing


class Signer(Protocol):
    """Something that signs with one private key, wherever that key lives."""

    @property
    def uri(self) -> str: ...

    @property
    def algorithm(self) -> Algorithm: ...

    @property
    def public_key(self) -> PublicKey: ...

    def sign(self, data: bytes) -> bytes:
        """Raw signature (r||s, or Ed25519's 64 bytes) over `data`: the form of JOSE and COSE."""
        ...


class PrivateKeySigner:
    """A Signer over a private key in this process's memory."""

    __slots__ = ("_private_key", "algorithm", "demo", "public_key", "uri")

    def __init__(self, uri: str, algorithm: Algorithm, private_key: PrivateKey, *, demo: bool = False) -> None:
        self.uri = uri
        self.algorithm = algorithm
        self.public_key = PublicKey.from_spki(private_key.spki)
        self.demo = demo
        self._private_key = private_key

    def sign(self, data: bytes) -> bytes:
        return raw_signature(self.algorithm, self._private_key.sign(data))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.uri}>"  # never the key


class EphemeralSigner(PrivateKeySigner):
    """A Signer whose key lives as long as this object: tests, one-off keys, holders in simulators."""

    __slots__ = ()

    @classmethod
    def generate(cls, algorithm: Algorithm) -> EphemeralSigner:
        private_key = algorithm.primitive.generate()
        thumbprint = PublicKey.from_spki(private_key.spki).thumbprint()
        return cls(f"ephemeral:{thumbprint}", algorithm, private_key)


def open_signer(uri: str, passphrases: Passphrases) -> Signer:
    """Open the key that `uri` names: `file:/absolute/path`, or `pkcs11:token=NAME;object=NAME` (RFC 7512).

    Raises KeyUriNotSupported, KeyNotFound, PassphraseMissing, WrongPassphrase, DamagedKeyFile, TokenUnavailable,
    AlgorithmNotSupported (a token's key of another kind).
    """
    from keys.custody.pkcs11 import open_pkcs11_key  # custody builds on this module
    from keys.custody.software import open_key_file

    scheme, _, rest = uri.partition(":")
    if scheme == "pkcs11":
        return open_pkcs11_key(uri, passphrases)
    path = Path(rest)
    if scheme != "file" or not path.is_absolute():
        raise KeyUriNotSupported(
            f"no custody answers to a key URI of scheme {scheme!r}; use file:/absolute/path or pkcs11:token=;object="
        )
    return open_key_file(path, passphrases(uri))
