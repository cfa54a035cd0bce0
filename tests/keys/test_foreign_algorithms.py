"""What others sign with: verified by name, dated by strength, and unknown to our own envelopes."""

from __future__ import annotations

import warnings
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from keys import der
from keys.algorithms import EDDSA, ES256, ES384, PS256, by_cose, by_jose, by_signature_oid, by_spki
from keys.errors import AlgorithmNotSupported
from keys.foreign_algorithms import foreign_key

NOW = datetime(2026, 11, 1, tzinfo=UTC)
RSA = rsa.generate_private_key(65537, 2048)
SHORT = rsa.generate_private_key(65537, 1024)
DSA = dsa.generate_private_key(2048)
EDWARDS = ed448.Ed448PrivateKey.generate()
CURVES = {c.name: ec.generate_private_key(c) for c in (ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1(), ec.SECP256K1())}
BRAINPOOL = ec.generate_private_key(ec.BrainpoolP384R1())
HASHES = {
    "md5": ("1.2.840.113549.2.5", hashes.MD5()),
    "sha1": ("1.3.14.3.2.26", hashes.SHA1()),
    "sha256": ("2.16.840.1.101.3.4.2.1", hashes.SHA256()),
    "sha384": ("2.16.840.1.101.3.4.2.2", hashes.SHA384()),
    "sha512": ("2.16.840.1.101.3.4.2.3", hashes.SHA512()),
}


def spki(key) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def named(oid: str, parameters: bytes = b"") -> bytes:
    return der.sequence(der.oid(oid), parameters)


def pss(digest: str, mask: str, salt: int | None) -> bytes:
    mgf = named("1.2.840.113549.1.1.8", named(HASHES[mask][0], der.NULL))
    fields = [der.tlv(0xA0, named(HASHES[digest][0], der.NULL)), der.tlv(0xA1, mgf)]
    fields += [] if salt is None else [der.tlv(0xA2, der.integer(salt))]
    return named("1.2.840.113549.1.1.10", der.sequence(*fields))


def pkcs1(digest: str, key=RSA) -> bytes:
    return key.sign(b"x", padding.PKCS1v15(), HASHES[digest][1])


CASES = [
    ("1.2.840.113549.1.1.11", spki(RSA), pkcs1("sha256"), "RS256"),
    ("1.2.840.113549.1.1.12", spki(RSA), pkcs1("sha384"), "RS384"),
    ("1.2.840.113549.1.1.13", spki(RSA), pkcs1("sha512"), "RS512"),
    ("2.16.840.1.101.3.4.3.14", spki(RSA), RSA.sign(b"x", padding.PKCS1v15(), hashes.SHA3_256()), "RS3-256"),
    ("1.2.840.10045.4.3.4", spki(CURVES["secp521r1"]), None, "ES512"),
    ("1.2.840.10045.4.3.3", spki(CURVES["secp256r1"]), None, "ES384 (P-256)"),
    ("1.2.840.10045.4.3.4", spki(CURVES["secp384r1"]), None, "ES512 (P-384)"),
    ("1.2.840.10045.4.3.3", spki(BRAINPOOL), BRAINPOOL.sign(b"x", ec.ECDSA(hashes.SHA384())), "ES384 (BP-384)"),
    ("1.3.101.113", spki(EDWARDS), EDWARDS.sign(b"x"), "Ed448"),
]


@pytest.mark.parametrize(("oid", "key", "signature", "name"), CASES, ids=lambda c: c if isinstance(c, str) else "")
def test_each_is_verified_under_its_name(oid, key, signature, name):
    if signature is None:
        private = next(k for k in CURVES.values() if spki(k) == key)
        digest = hashes.SHA384() if oid.endswith("3.3") else hashes.SHA512()
        signature = private.sign(b"x", ec.ECDSA(digest))
    found = foreign_key(named(oid), key)
    assert found.algorithm.jose == name
    assert found.algorithm.usable_at(NOW)
    assert found.verify_der(signature, b"x")
    assert not found.verify_der(signature, b"y")
    assert not found.verify_der(b"", b"x")
    assert foreign_key(named(oid), key).algorithm is found.algorithm


def test_ours_are_the_registrys_own():
    assert foreign_key(named("1.2.840.10045.4.3.2"), spki(CURVES["secp256r1"])).algorithm is ES256
    assert foreign_key(named("1.2.840.10045.4.3.3"), spki(CURVES["secp384r1"])).algorithm is ES384
    assert foreign_key(named("1.3.101.112"), spki(ed25519.Ed25519PrivateKey.generate())).algorithm is EDDSA
    assert foreign_key(pss("sha256", "sha256", 32), spki(RSA)).algorithm is PS256


@pytest.mark.parametrize(("digest", "mask", "salt"), [("sha256", "sha256", 20), ("sha512", "sha384", 64)])
def test_rfc4055_pss_is_verified_by_its_parameters(digest, mask, salt):
    scheme = padding.PSS(padding.MGF1(HASHES[mask][1]), salt)
    signature = RSA.sign(b"x", scheme, HASHES[digest][1])
    stated = None if salt == 20 else salt
    assert foreign_key(pss(digest, mask, stated), spki(RSA)).verify_der(signature, b"x")
    assert not foreign_key(pss(digest, mask, salt + 1), spki(RSA)).verify_der(signature, b"x")


@pytest.mark.parametrize("digest", ["sha1", "sha256", "sha512"])
def test_rfc5652_rsa_encryption_takes_the_digest_from_beside_it(digest):
    key = foreign_key(named("1.2.840.113549.1.1.1", der.NULL), spki(RSA), digest)
    assert key.verify_der(pkcs1(digest), b"x")
    with pytest.raises(AlgorithmNotSupported):
        foreign_key(named("1.2.840.113549.1.1.1", der.NULL), spki(RSA))


@pytest.mark.parametrize(
    ("oid", "key", "signature", "last_year"),
    [
        ("1.2.840.113549.1.1.4", RSA, pkcs1("md5"), 2005),
        ("1.2.840.113549.1.1.5", RSA, pkcs1("sha1"), 2016),
        ("1.2.840.113549.1.1.11", SHORT, pkcs1("sha256", SHORT), 2013),
        ("2.16.840.1.101.3.4.3.2", DSA, DSA.sign(b"x", hashes.SHA256()), 2024),
    ],
    ids=["md5", "sha1", "1024 bit", "dsa"],
)
def test_what_is_retired_is_named_verified_and_over(oid, key, signature, last_year):
    found = foreign_key(named(oid), spki(key))
    assert found.verify_der(signature, b"x")
    assert not found.algorithm.usable_at(NOW)
    assert found.algorithm.usable_at(datetime(last_year, 1, 2, tzinfo=UTC))
    assert not found.algorithm.usable_at(datetime(last_year + 1, 1, 2, tzinfo=UTC))


def test_an_rsa_key_that_states_pss_is_loaded():
    body = spki(RSA)
    restricted = der.sequence(named("1.2.840.113549.1.1.10"), body[body.index(b"\x03\x82") :])
    signature = RSA.sign(b"x", padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
    assert foreign_key(pss("sha256", "sha256", 32), restricted).verify_der(signature, b"x")


@pytest.mark.parametrize(
    ("identifier", "key"),
    [
        (named("1.2.3.4"), RSA),
        (named("1.2.840.113549.1.1.11"), CURVES["secp256r1"]),
        (named("1.2.840.10045.4.3.2"), RSA),
        (named("1.2.840.10045.4.3.2"), CURVES["secp256k1"]),
        (named("1.2.840.10040.4.3"), RSA),
        (named("1.3.101.113"), RSA),
        (named("1.3.101.112"), RSA),
        (named("1.2.840.113549.1.1.10", der.integer(1)), RSA),
        (named("1.2.840.113549.1.1.10", der.sequence(der.tlv(0xA3, der.integer(2)))), RSA),
        (named("1.2.840.113549.1.1.10", der.sequence(der.tlv(0xA2, b"\x02\x01\xff"))), RSA),
        (b"", RSA),
        (b"\x30\x00", RSA),
        (b"\x30\x80", RSA),
    ],
)
def test_what_does_not_fit_is_refused(identifier, key):
    with pytest.raises(AlgorithmNotSupported):
        foreign_key(identifier, spki(key))


def test_keys_of_odd_sizes_are_refused():
    for numbers in (rsa.RSAPublicNumbers(2**33 + 1, RSA.public_key().public_numbers().n),):
        odd = numbers.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        with pytest.raises(AlgorithmNotSupported):
            foreign_key(named("1.2.840.113549.1.1.11"), odd)
    with pytest.raises(AlgorithmNotSupported):
        foreign_key(named("1.2.840.113549.1.1.11"), b"\x30\x03\x02\x01\x01")


def test_our_own_envelopes_learn_none_of_them():
    """RFC 8725 section 3.1: a JWS or COSE message of this network is ES256, ES384 or EdDSA."""
    for name in ("RS256", "RS384", "RS512", "RS1", "PS256", "PS384", "PS512", "ES512", "Ed448", "ES384 (P-256)"):
        with pytest.raises(AlgorithmNotSupported):
            by_jose(name)
    for number in (-257, -258, -259, -65535, -36, -37, -38, -39, 0):
        with pytest.raises(AlgorithmNotSupported):
            by_cose(number)
    for oid, key, _, _ in CASES[:5]:
        if oid != ES384.signature_oid:
            with pytest.raises(AlgorithmNotSupported):
                by_signature_oid(oid)
        with pytest.raises(AlgorithmNotSupported):
            by_spki(key)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60), st.sampled_from([spki(RSA), spki(CURVES["secp256r1"]), b"", b"\x30\x00"]))
def test_any_identifier_is_a_key_or_not_supported(identifier, key):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            foreign_key(identifier, key)
        except AlgorithmNotSupported:
            return
