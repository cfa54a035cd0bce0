"""Public keys: SPKI and JWK in and out, verification that never raises on content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from keys import der
from keys.algorithms import ALGORITHMS, ES256
from keys.envelopes.base64url import b64url_encode
from keys.errors import AlgorithmNotSupported
from keys.model import Algorithm
from keys.primitives import ECDSA_P256, ED25519
from keys.public_key import PublicKey
from keys.signature_form import ecdsa_der, ecdsa_raw, x509_signature
from keys.signer import EphemeralSigner

Signers = Mapping[str, EphemeralSigner]


@pytest.mark.parametrize("algorithm", ALGORITHMS, ids=repr)
def test_what_a_signer_signs_its_public_key_verifies(algorithm: Algorithm, signers: Signers) -> None:
    signer = signers[algorithm.jose]
    signature = signer.sign(b"document")
    assert len(signature) == algorithm.signature_size
    assert signer.public_key.verify(signature, b"document")
    assert signer.public_key.verify_der(x509_signature(algorithm, signature), b"document")
    assert not signer.public_key.verify(signature, b"another document")
    assert not signer.public_key.verify(signature[:-1], b"document")
    assert not signer.public_key.verify(signature + b"\0", b"document")
    half = algorithm.signature_size // 2
    assert not signer.public_key.verify(b"\0" + signature[:half] + b"\0" + signature[half:], b"document")


@pytest.mark.parametrize("algorithm", ALGORITHMS, ids=repr)
def test_cve_2022_21449_a_signature_of_zeros_is_no_signature(algorithm: Algorithm, signers: Signers) -> None:
    assert not signers[algorithm.jose].public_key.verify(bytes(algorithm.signature_size), b"document")


@given(signature=st.binary(max_size=100), data=st.binary(max_size=100))
def test_verification_never_raises_on_content(signature: bytes, data: bytes) -> None:
    for key in _KEYS:
        assert key.verify(signature, data) is False
        assert key.verify_der(signature, data) is False


_KEYS = tuple(EphemeralSigner.generate(algorithm).public_key for algorithm in ALGORITHMS)


@pytest.mark.parametrize("algorithm", ALGORITHMS, ids=repr)
def test_keys_survive_spki_and_jwk(algorithm: Algorithm, signers: Signers) -> None:
    key = signers[algorithm.jose].public_key
    assert PublicKey.from_spki(key.spki) == key
    assert PublicKey.from_jwk(key.jwk()) == key
    assert PublicKey.from_jwk({**key.jwk(), "alg": algorithm.jose, "kid": "1", "use": "sig"}) == key
    assert hash(PublicKey.from_jwk(key.jwk())) == hash(key)
    assert key.thumbprint() in repr(key)
    assert key != key.spki


def test_rfc7638_thumbprint_is_over_the_required_members_sorted(signers: Signers) -> None:
    key = signers["ES256"].public_key
    text = json.dumps(key.jwk(), sort_keys=True, separators=(",", ":"))
    assert key.thumbprint() == b64url_encode(hashlib.sha256(text.encode()).digest()).decode()


def test_rfc8037_a_3_thumbprint_of_the_published_ed25519_key() -> None:
    key = PublicKey.from_jwk({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})
    assert key.thumbprint() == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def _jwk() -> dict[str, Any]:
    return {**_KEYS[0].jwk()}


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"d": "AAAA"}, id="private key"),
        pytest.param({"kty": "oct", "k": "AAAA"}, id="symmetric key"),
        pytest.param({"kty": "RSA", "n": "AAAA", "e": "AQAB"}, id="rsa as ec"),
        pytest.param({"crv": "P-384"}, id="another curve"),
        pytest.param({"crv": "secp256k1"}, id="unregistered curve"),
        pytest.param({"alg": "ES384"}, id="alg does not fit the curve"),
        pytest.param({"x": ""}, id="empty coordinate"),
        pytest.param({"x": None}, id="missing coordinate"),
        pytest.param({"x": 5}, id="coordinate is a number"),
        pytest.param({"x": "é" * 43}, id="coordinate is not ascii"),
        pytest.param({"x": "A" * 42}, id="short coordinate"),
        pytest.param({"x": "A" * 43 + "="}, id="padded coordinate"),
        pytest.param({"x": "A" * 43}, id="off the curve"),
    ],
)
def test_jwks_that_are_no_public_key_of_ours_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(AlgorithmNotSupported):
        PublicKey.from_jwk({**_jwk(), **change})


@pytest.mark.parametrize(
    "make", [lambda: rsa.generate_private_key(65537, 2048), lambda: ec.generate_private_key(ec.SECP256K1())]
)
def test_other_kinds_of_key_are_refused_by_name_not_by_crash(make: Any) -> None:
    spki = make().public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(AlgorithmNotSupported):
        PublicKey.from_spki(spki)


def test_a_point_off_the_curve_is_refused() -> None:
    with pytest.raises(AlgorithmNotSupported, match="curve"):
        PublicKey.from_spki(ES256.key_type.spki_prefix + bytes(64))


def test_primitives_refuse_keys_of_another_type(signers: Signers) -> None:
    p256, ed25519 = signers["ES256"], signers["EdDSA"]
    for primitive, other in ((ECDSA_P256, ed25519), (ED25519, p256), (ECDSA_P256, signers["ES384"])):
        with pytest.raises(ValueError, match="not a"):
            primitive.verification(other.public_key.spki)
        with pytest.raises(ValueError, match="not a"):
            primitive.load(other._private_key.pkcs8())
        with pytest.raises(ValueError, match=r"(?i)key|asn|pars"):
            primitive.load(b"0\x03\x02\x01\x00")
    with pytest.raises(ValueError, match="load"):
        ECDSA_P256.verification(bytes.fromhex("300d300706052b0e03021a030200ff"))


@given(st.integers(1, 2**256 - 1), st.integers(1, 2**256 - 1))
def test_ecdsa_signatures_survive_both_forms(r: int, s: int) -> None:
    raw = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    assert ecdsa_raw(ecdsa_der(raw), 64) == raw


@given(st.binary(max_size=110))
def test_what_is_not_der_is_a_value_error_or_reads_back_the_same(der: bytes) -> None:
    try:
        raw = ecdsa_raw(der, 64)
    except ValueError:
        return
    assert ecdsa_der(raw) == der


@pytest.mark.parametrize(
    ("name", "der"),
    [
        ("negative r", "3006020181020101"),
        ("padded r", "300702020001020101"),
        ("empty r", "30050200020101"),
        ("trailing byte", "300702010102010100"),
        ("long-form length", "308106020101020101"),
        ("not a sequence", "3106020101020101"),
        ("r cut short", "3006022001020101"),
        ("s not an integer", "3006020101040101"),
        ("r too large", "3046022101" + "00" * 32 + "02210100" + "00" * 31),
    ],
)
def test_wycheproof_style_der_tricks_are_refused(name: str, der: str) -> None:
    with pytest.raises(ValueError, match="DER"):
        ecdsa_raw(bytes.fromhex(der), 64)


@pytest.mark.parametrize(
    ("curve", "name", "jose"),
    [(ec.SECP256R1(), "1.2.840.10045.3.1.7", "ES256"), (ec.SECP384R1(), "1.3.132.0.34", "ES384")],
)
def test_rfc5480_2_2_points_of_others_may_be_compressed(curve: ec.EllipticCurve, name: str, jose: str) -> None:
    signer = EphemeralSigner.generate(next(each for each in ALGORITHMS if each.jose == jose))
    full = signer.public_key.spki
    key = ec.EllipticCurvePublicKey.from_encoded_point(curve, full[-2 * ((curve.key_size + 7) // 8) - 1 :])
    point = key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    kind = der.sequence(der.oid("1.2.840.10045.2.1"), der.oid(name))
    short = der.sequence(kind, bytes([3, len(point) + 1, 0]) + point)
    read = PublicKey.of_foreign(short, signer.algorithm)
    assert (read.spki, read.verify(signer.sign(b"document"), b"document")) == (full, True)
    for wrong in (short[:-1], short[:-1] + bytes([short[-1] ^ 1]), short[:-32] + bytes(32), short + b"\0"):
        try:
            assert PublicKey.of_foreign(wrong, signer.algorithm).spki != full
        except AlgorithmNotSupported:
            continue
    with pytest.raises(AlgorithmNotSupported):
        PublicKey.from_spki(short)  # ours are written out
