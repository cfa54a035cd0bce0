"""The algorithm registry: one entry, all names; sunsets are judged at signing time; a new algorithm is one entry."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest

from keys import algorithms, public_key
from keys.algorithms import ALGORITHMS, EDDSA, ES256, ES384, by_cose, by_jose, by_jwk_curve, by_signature_oid, by_spki
from keys.envelopes.cose import parse_cose_sign1, sign_cose_sign1
from keys.envelopes.jws import parse_jws, sign_jws
from keys.errors import AlgorithmNotSupported
from keys.model import Algorithm, KeyType, PrivateKey, Verification
from keys.public_key import PublicKey
from keys.signer import EphemeralSigner


@pytest.mark.parametrize("algorithm", ALGORITHMS, ids=repr)
def test_every_name_leads_to_the_same_algorithm(algorithm: Algorithm, signers: dict[str, EphemeralSigner]) -> None:
    key_type = algorithm.key_type
    assert by_jose(algorithm.jose) is algorithm
    assert by_cose(algorithm.cose) is algorithm
    assert by_signature_oid(algorithm.signature_oid) is algorithm
    assert by_jwk_curve(key_type.jwk_type, key_type.jwk_curve) is algorithm
    assert by_spki(signers[algorithm.jose].public_key.spki) is algorithm
    assert hashlib.new(algorithm.digest).digest_size >= 32


def test_rfc9864_fully_specified_names_are_known() -> None:
    """HAIP 1.0, "Crypto Suites": COSE -7 or -9. The other curves have such names, too."""
    assert [by_cose(number) for number in (-9, -51, -19)] == [ES256, ES384, EDDSA]
    assert by_jose("Ed25519") is EDDSA


@pytest.mark.parametrize("name", ["none", "None", "RS256", "HS256", "ES256K", "es256", "", None, 7, ["ES256"], {}])
def test_rfc8725_3_1_unregistered_jose_names_are_refused(name: object) -> None:
    with pytest.raises(AlgorithmNotSupported):
        by_jose(name)


@pytest.mark.parametrize("number", [-257, 5, 0, True, -7.0, "-7", None, b"-7", [-7]])
def test_unregistered_cose_numbers_are_refused(number: object) -> None:
    with pytest.raises(AlgorithmNotSupported):
        by_cose(number)


def test_unregistered_oids_keys_and_curves_are_refused() -> None:
    with pytest.raises(AlgorithmNotSupported, match=r"1\.2\.840\.113549\.1\.1\.11"):
        by_signature_oid("1.2.840.113549.1.1.11")  # sha256WithRSAEncryption
    with pytest.raises(AlgorithmNotSupported):
        by_spki(ES256.key_type.spki_prefix)
    for key_type, curve in (("EC", "Ed25519"), ("RSA", None), (None, None), (["EC"], "P-256")):
        with pytest.raises(AlgorithmNotSupported):
            by_jwk_curve(key_type, curve)


def test_a_signature_counts_until_the_sunset_of_its_algorithm() -> None:
    assert ES256.sunset is not None
    assert ES256.usable_at(ES256.sunset - timedelta(seconds=1))
    assert not ES256.usable_at(ES256.sunset)


def test_an_algorithm_without_sunset_always_counts() -> None:
    algorithm = _toy()
    assert algorithm.sunset is None
    assert algorithm.usable_at(datetime(9999, 1, 1, tzinfo=UTC))


class _ToyKey:
    """A 'signature' that is a MAC under the public key: worthless, and enough to follow an algorithm through."""

    def __init__(self, key_type: KeyType) -> None:
        self.spki = key_type.spki_prefix + bytes(range(32))

    def sign(self, data: bytes) -> bytes:
        return hmac.digest(self.spki, data, "sha512")

    def pkcs8(self) -> bytes:
        return self.spki


class _ToyPrimitive:
    def __init__(self, key_type: KeyType) -> None:
        self.key_type = key_type

    def verification(self, spki: bytes) -> Verification:
        return lambda signature, data: hmac.compare_digest(signature, hmac.digest(spki, data, "sha512"))

    def generate(self) -> PrivateKey:
        return _ToyKey(self.key_type)

    def load(self, pkcs8: bytes) -> PrivateKey:
        return _ToyKey(self.key_type)


def _toy() -> Algorithm:
    key_type = KeyType("TOY", "OKP", "Toy", bytes.fromhex("3027300206000321"), 32, 1)
    return Algorithm("TOY", -65000, "1.2.3.4", "sha512", key_type, 64, None, None, False, _ToyPrimitive(key_type))


def test_a_new_algorithm_needs_an_entry_and_a_primitive_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    toy = _toy()
    monkeypatch.setitem(algorithms._BY_JOSE, toy.jose, toy)
    monkeypatch.setitem(algorithms._BY_COSE, toy.cose, toy)
    entry = (toy.key_type.spki_prefix, toy.key_type.spki_size, toy)
    monkeypatch.setattr(algorithms, "_BY_PREFIX", (*algorithms._BY_PREFIX, entry))
    signer = EphemeralSigner.generate(toy)
    assert parse_jws(sign_jws({}, b"payload", signer)).verified_by(signer.public_key)
    assert parse_cose_sign1(sign_cose_sign1(b"payload", signer=signer, kid=b"k")).verified_by(signer.public_key)
    assert PublicKey.from_spki(signer.public_key.spki).algorithm is toy
    assert signer.public_key.jwk()["crv"] == "Toy"
    public_key._from_spki.cache_clear()


def test_algorithms_print_their_name_and_differ() -> None:
    assert repr(ES256) == "<Algorithm ES256>"
    assert ES256 != ES384
