"""Hardware custody: keys that a PKCS#11 token makes, keeps and signs with; they never leave it.

One session per token and process, and one thread that every call goes through: modules and their wrapper are not safe
for more. Digests are computed here and signed raw (CKM_ECDSA), which every token offers. Knows no certificate and no
policy. PINs come from the URI's pin-source or from the caller, never from the URI itself.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, TypeVar

from keys.algorithms import EC_P256, EC_P384, ED25519_KEY, by_spki
from keys.custody.pkcs11_uri import Pkcs11Uri, parse_pkcs11_uri
from keys.errors import (
    AlgorithmNotSupported,
    KeyAlreadyExists,
    KeyNotFound,
    PassphraseMissing,
    TokenUnavailable,
    WrongPassphrase,
)
from keys.model import Algorithm, KeyType
from keys.public_key import PublicKey

if TYPE_CHECKING:
    from keys.signer import Passphrases

T = TypeVar("T")

_PATIENCE: Final = 60.0  # seconds that a token may take: some ask for a touch
_CURVES: Final = {
    bytes.fromhex("06082a8648ce3d030107"): EC_P256,
    bytes.fromhex("06052b81040022"): EC_P384,
    bytes.fromhex("06032b6570"): ED25519_KEY,
    bytes.fromhex("130c656477617264733235353139"): ED25519_KEY,  # PKCS#11 3.0 section 2.3.10: "edwards25519"
}


class Pkcs11Signer:
    """A Signer whose key stays in its token. Safe for threads; opens the token anew when it was pulled and put back."""

    __slots__ = ("_place", "_token", "algorithm", "demo", "public_key", "uri")

    def __init__(self, uri: str, place: Pkcs11Uri, token: _Token, public_key: PublicKey) -> None:
        self.uri = uri
        self.algorithm = public_key.algorithm
        self.public_key = public_key
        self.demo = False
        self._place = place
        self._token = token

    def sign(self, data: bytes) -> bytes:
        """Raises TokenUnavailable, KeyNotFound, WrongPassphrase."""
        return _run(lambda: self._sign(data))

    def _sign(self, data: bytes) -> bytes:
        try:
            return self._sign_once(data)
        except TokenUnavailable:
            self._token.forget()
        return self._sign_once(data)

    def _sign_once(self, data: bytes) -> bytes:
        with self._token.refusals():
            return _signature(self._token.private_key(self._place), self.algorithm, data)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._place}>"


def open_pkcs11_key(uri: str, passphrases: Passphrases) -> Pkcs11Signer:
    """Open the private key that a `pkcs11:` URI names; its public key is read from the token and tried.

    Raises KeyUriNotSupported; TokenUnavailable (no module, no token, device failed, PIN locked); WrongPassphrase,
    PassphraseMissing (the PIN); KeyNotFound (no such object, or several); AlgorithmNotSupported.
    """
    place = parse_pkcs11_uri(uri)

    def open_key() -> Pkcs11Signer:
        token = _token(place, uri, passphrases)
        with token.refusals():
            return Pkcs11Signer(uri, place, token, token.public_key(place))

    return _run(open_key)


def create_pkcs11_key(uri: str, algorithm: Algorithm, passphrases: Passphrases) -> Pkcs11Signer:
    """Let the token make a key pair that can't be extracted, under the URI's object name (and id, else a new one).

    Raises KeyAlreadyExists when the token has a key of that name or id, and what `open_pkcs11_key` raises.
    """
    place = parse_pkcs11_uri(uri)

    def create() -> None:
        token = _token(place, uri, passphrases, writable=True)
        with token.refusals():
            token.generate(place, algorithm)

    _run(create)
    return open_pkcs11_key(uri, passphrases)


class _Token:
    """One token with its one session. Everything here runs in the one thread."""

    def __init__(self, place: Pkcs11Uri) -> None:
        self._place = place
        self.pin: Callable[[], str]
        self._refused_pin: bytes | None = None
        self._session: Any = None
        self._keys: dict[Pkcs11Uri, Any] = {}
        self._writable = False

    def refusals(self) -> _Refusals:
        return _Refusals(self._place)

    def open(self, *, writable: bool) -> Any:
        """The session, logged in."""
        if self._session is None or (writable and not self._writable):
            self.forget()
            self._session = self._log_in(self._find(), self.pin(), writable=writable)
            self._writable = writable
        return self._session

    def _log_in(self, token: Any, pin: str, *, writable: bool) -> Any:
        import pkcs11.exceptions as refused

        # Tokens lock after a few wrong PINs: one that was refused is not tried again by every request that follows.
        digest = hashlib.sha256(pin.encode()).digest()
        if digest == self._refused_pin:
            raise WrongPassphrase(f"this PIN was refused by {self._place.token or 'the token'} before")
        try:
            return token.open(rw=writable, user_pin=pin)
        except (refused.PinIncorrect, refused.PinInvalid, refused.PinLenRange):
            self._refused_pin = digest
            raise

    def forget(self) -> None:
        """Give up the session, if any: the token may have been pulled."""
        import pkcs11

        session, self._session = self._session, None
        self._keys.clear()
        if session is not None:
            try:
                session.close()
            except pkcs11.PKCS11Error:
                return  # it was gone already

    def private_key(self, place: Pkcs11Uri) -> Any:
        import pkcs11

        found = self._keys.get(place)
        if found is None:
            found = self._keys[place] = self._only(place, pkcs11.ObjectClass.PRIVATE_KEY, self._wanted(place))
        return found

    def public_key(self, place: Pkcs11Uri) -> PublicKey:
        """Of the public object beside the private one (same CKA_ID), and proven to be its other half."""
        import pkcs11

        private = self.private_key(place)
        beside = self._only(place, pkcs11.ObjectClass.PUBLIC_KEY, {pkcs11.Attribute.ID: private[pkcs11.Attribute.ID]})
        kind = _CURVES.get(bytes(beside[pkcs11.Attribute.EC_PARAMS]))
        if kind is None:
            raise AlgorithmNotSupported(f"{place} is on a curve that is not in the registry")
        spki = _spki(kind, bytes(beside[pkcs11.Attribute.EC_POINT]))
        public, challenge = PublicKey.from_spki(spki), os.urandom(32)
        if not public.verify(_signature(private, by_spki(spki), challenge), challenge):
            raise KeyNotFound(f"the public key beside {place} is not its other half")
        return public

    def generate(self, place: Pkcs11Uri, algorithm: Algorithm) -> None:
        import pkcs11

        session = self.open(writable=True)
        wanted = self._wanted(place)
        if any(True for _ in session.get_objects({pkcs11.Attribute.CLASS: pkcs11.ObjectClass.PRIVATE_KEY, **wanted})):
            raise KeyAlreadyExists(f"there is a key {place} already")
        edwards = algorithm.key_type is ED25519_KEY
        curve = next(params for params, kind in reversed(_CURVES.items()) if kind is algorithm.key_type)
        key_type = pkcs11.KeyType.EC_EDWARDS if edwards else pkcs11.KeyType.EC
        domain = session.create_domain_parameters(key_type, {pkcs11.Attribute.EC_PARAMS: curve}, local=True)
        mechanisms = pkcs11.Mechanism
        domain.generate_keypair(
            mechanism=mechanisms.EC_EDWARDS_KEY_PAIR_GEN if edwards else mechanisms.EC_KEY_PAIR_GEN,
            store=True,
            label=place.object,
            id=place.id if place.id is not None else os.urandom(8),
            private_template={pkcs11.Attribute.SENSITIVE: True, pkcs11.Attribute.EXTRACTABLE: False},
        )

    def _wanted(self, place: Pkcs11Uri) -> dict[Any, Any]:
        import pkcs11

        named = {pkcs11.Attribute.LABEL: place.object, pkcs11.Attribute.ID: place.id}
        return {attribute: value for attribute, value in named.items() if value is not None}

    def _only(self, place: Pkcs11Uri, kind: Any, wanted: dict[Any, Any]) -> Any:
        import pkcs11

        found = list(self.open(writable=False).get_objects({pkcs11.Attribute.CLASS: kind, **wanted}))
        what = "public key beside" if kind is pkcs11.ObjectClass.PUBLIC_KEY else "key"
        if not found:
            raise KeyNotFound(f"there is no {what} {place}")
        if len(found) > 1:
            raise KeyNotFound(f"there are several keys {place}: add id= to the URI")
        return found[0]

    def _find(self) -> Any:
        import pkcs11

        place = self._place
        try:
            tokens = [slot.get_token() for slot in pkcs11.lib(place.module).get_slots(token_present=True)]
        except (pkcs11.PKCS11Error, RuntimeError) as err:
            raise TokenUnavailable(f"the PKCS#11 module can't be loaded: {place.module}") from err
        wanted = {"label": place.token, "manufacturer_id": place.manufacturer, "model": place.model}
        found = [
            token
            for token in tokens
            if all(value is None or getattr(token, name) == value for name, value in wanted.items())
            and (place.serial is None or bytes(token.serial).decode("ascii", "replace").strip() == place.serial)
        ]
        if len(found) != 1:
            number = "no token" if not found else "several tokens"
            raise TokenUnavailable(f"there is {number} {place.token or place.serial or 'of that description'}")
        return found[0]


class _Refusals:
    """Turns what the wrapper raises into our refusals."""

    def __init__(self, place: Pkcs11Uri) -> None:
        self._place = place

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, trace: object) -> None:
        import pkcs11.exceptions as refused

        name = self._place.token or "the token"
        if isinstance(err, refused.PinIncorrect | refused.PinInvalid | refused.PinLenRange):
            raise WrongPassphrase(f"this PIN does not open {name}") from err
        if isinstance(err, refused.PinLocked):
            raise TokenUnavailable(f"the PIN of {name} is locked after too many wrong ones") from err
        if isinstance(err, refused.PKCS11Error):
            raise TokenUnavailable(f"{name} refused: {type(err).__name__}") from err


def _signature(private: Any, algorithm: Algorithm, data: bytes) -> bytes:
    import pkcs11

    if algorithm.der_signature:
        digest = hashlib.new(algorithm.digest, data).digest()
        made = bytes(private.sign(digest, mechanism=pkcs11.Mechanism.ECDSA))
    else:
        made = bytes(private.sign(data, mechanism=pkcs11.Mechanism.EDDSA))
    if len(made) != algorithm.signature_size:
        raise TokenUnavailable("the token made a signature of another size")
    return made


def _spki(kind: KeyType, point: bytes) -> bytes:
    """The SubjectPublicKeyInfo of an EC_POINT: an OCTET STRING around the uncompressed point (or bare, on some)."""
    size = kind.coordinate_size * kind.coordinates + (1 if kind.coordinates == 2 else 0)
    bare = point[-size:]
    if len(point) not in (size, size + 2) or (kind.coordinates == 2 and bare[:1] != b"\x04"):
        raise AlgorithmNotSupported("the token's public key is in no form that is known here")
    return kind.spki_prefix + bare[-kind.coordinate_size * kind.coordinates :]


class _Process:
    """This process's one thread and its tokens. A child of `fork` gets its own."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.thread = ThreadPoolExecutor(1, thread_name_prefix="pkcs11")
        self.tokens: dict[tuple[str, str | None, str | None, str | None, str | None], _Token] = {}


_processes: Final[list[_Process]] = []
_lock: Final = Lock()


def _process() -> _Process:
    with _lock:
        if not _processes or _processes[-1].pid != os.getpid():
            _processes[:] = [_Process()]
        return _processes[-1]


def _run(work: Callable[[], T]) -> T:
    future: Future[T] = _process().thread.submit(work)
    try:
        return future.result(_PATIENCE)
    except TookTooLong as err:
        future.cancel()
        raise TokenUnavailable(f"the token did not answer within {_PATIENCE:.0f} seconds") from err


def _token(place: Pkcs11Uri, uri: str, passphrases: Passphrases, *, writable: bool = False) -> _Token:
    """The token of a URI, open."""
    name = (place.module, place.token, place.serial, place.manufacturer, place.model)
    token = _process().tokens.setdefault(name, _Token(place))
    token.pin = lambda: _pin(place, uri, passphrases)
    with token.refusals():
        token.open(writable=writable)
    return token


def _pin(place: Pkcs11Uri, uri: str, passphrases: Passphrases) -> str:
    if place.pin_source is None:
        return passphrases(uri).decode("utf-8", "replace")
    try:
        lines = place.pin_source.read_bytes().splitlines()
    except OSError as err:
        raise PassphraseMissing(f"the PIN file can't be read: {place.pin_source.name}") from err
    if not lines or not lines[0]:
        raise PassphraseMissing(f"the PIN file is empty: {place.pin_source.name}")
    return lines[0].decode("utf-8", "replace")
