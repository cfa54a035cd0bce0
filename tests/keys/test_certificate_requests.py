"""Certificate requests: made with the key they ask for, read by others' tools, refused without proof of possession."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from keys.algorithms import ALGORITHMS, ES256
from keys.certificate_names import dns_names
from keys.certificate_requests import CertificateRequest, make_request, parse_request, request_pem
from keys.custody.pkcs11 import create_pkcs11_key
from keys.errors import AlgorithmNotSupported, KeysError, MalformedRequest
from keys.model import Algorithm
from keys.signer import EphemeralSigner, Signer
from keys.x509 import Certificate, Profile, make_certificate, make_region_ca, parse_certificate
from tests import hsm
from tests.keys.conftest import SINCE, UNTIL

USCC = "11990100MB1A00001X"


def request(signer: Signer | None = None, **changes: object) -> CertificateRequest:
    wished = {"profile": Profile.SEAL, "common_name": "民政局电子印章", "organisation": "东岭区民政局", "uscc": USCC}
    return make_request(signer or EphemeralSigner.generate(ES256), **{**wished, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize("algorithm", ALGORITHMS, ids=repr)
def test_a_request_says_who_asks_for_what_and_proves_the_key(algorithm: Algorithm) -> None:
    signer = EphemeralSigner.generate(algorithm)
    made = request(signer, profile=Profile.STATUS)
    for data in (made.der, request_pem(made)):
        found = parse_request(data)
        assert (found.common_name, found.organisation, found.uscc) == ("民政局电子印章", "东岭区民政局", USCC)
        assert (found.public_key, found.profile) == (signer.public_key, Profile.STATUS)


def test_openssl_reads_and_verifies_it(tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is missing: apt-get install openssl")
    path = tmp_path / "a.csr"
    path.write_bytes(request_pem(request()))
    command = ["openssl", "req", "-in", str(path), "-verify", "-noout", "-text", "-utf8", "-nameopt", "utf8"]
    done = subprocess.run(command, capture_output=True, timeout=60, check=True)
    assert b"verify OK" in done.stdout + done.stderr
    assert "东岭区民政局".encode() in done.stdout


def test_a_key_in_a_token_asks_for_its_certificate_and_a_ca_in_a_token_gives_it() -> None:
    asker, ca_signer = (create_pkcs11_key(hsm.key_uri(), ES256, hsm.pin) for _ in range(2))
    asked = parse_request(request(asker).der)
    ca = make_region_ca(
        ca_signer, common_name="CA", organisation="o", region="990100", not_before=SINCE, not_after=UNTIL
    )
    made = make_certificate(
        Profile.SEAL,
        ca_signer=ca_signer,
        ca=ca,
        subject_key=asked.public_key,
        common_name="seal",
        organisation="o",
        uscc=USCC,
        uri=None,
        not_before=SINCE,
        not_after=SINCE + timedelta(days=9),
    )
    assert made.public_key == asker.public_key
    assert (
        x509.load_der_x509_certificate(made.der).verify_directly_issued_by(x509.load_der_x509_certificate(ca.der))
        is None
    )


def test_a_certificate_for_lists_may_sign_trusted_lists() -> None:
    """ETSI TS 119 612 clause 5.7.1: extended key usage id-tsl-kp-tslSigning."""
    signer = EphemeralSigner.generate(ES256)
    ca = make_region_ca(signer, common_name="CA", organisation="o", region="990100", not_before=SINCE, not_after=UNTIL)
    made = make_certificate(
        Profile.LIST,
        ca_signer=signer,
        ca=ca,
        subject_key=signer.public_key,
        common_name="list",
        organisation="o",
        uscc=None,
        uri=None,
        not_before=SINCE,
        not_after=UNTIL,
    )
    found = parse_certificate(made.der)
    assert found.extended_key_usage == {"0.4.0.2231.3.0"}
    assert found.key_usage == {"digitalSignature"}
    assert not found.extended_key_usage_critical


def test_a_certificate_for_access_names_the_host_that_wallets_answer_to() -> None:
    """OpenID4VP section 5.9.3: the client identifier of x509_san_dns is a dNSName of the leaf."""
    signer = EphemeralSigner.generate(ES256)
    ca = make_region_ca(signer, common_name="CA", organisation="o", region="990100", not_before=SINCE, not_after=UNTIL)

    def made(dns: str | None) -> Certificate:
        return make_certificate(
            Profile.ACCESS,
            ca_signer=signer,
            ca=ca,
            subject_key=signer.public_key,
            common_name="hall",
            organisation="o",
            uscc=None,
            uri="urn:hall",
            not_before=SINCE,
            not_after=UNTIL,
            dns=dns,
        )

    found = parse_certificate(made("verify.example.org").der)
    assert dns_names(found) == ("verify.example.org",)
    assert found.san_uris == ("urn:hall",)
    assert (found.extended_key_usage, found.extended_key_usage_critical) == ({"1.0.18013.5.1.6"}, False)
    assert found.key_usage == {"digitalSignature"}
    with pytest.raises(ValueError, match="host name"):
        made(None)


# Attacks


def test_a_request_for_a_key_in_other_hands_is_refused() -> None:
    """Somebody else's public key, signed with one's own: what proof of possession is for."""

    class Thief:
        uri, algorithm = "thief:", ES256

        def __init__(self) -> None:
            self.own = EphemeralSigner.generate(ES256)
            self.public_key = EphemeralSigner.generate(ES256).public_key

        def sign(self, data: bytes) -> bytes:
            return self.own.sign(data)

    with pytest.raises(MalformedRequest, match="does not prove"):
        request(Thief())


@pytest.mark.parametrize("position", [-1, 60, 200])
def test_an_altered_request_is_refused(position: int) -> None:
    data = bytearray(request().der)
    data[position] ^= 1
    with pytest.raises(KeysError):
        parse_request(bytes(data))


@pytest.mark.parametrize(
    "key", [rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP256K1())], ids=["rsa", "secp256k1"]
)
def test_a_key_of_an_unknown_kind_is_refused(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> None:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a")])
    made = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    with pytest.raises(AlgorithmNotSupported):
        parse_request(made.public_bytes(Encoding.DER))


def test_a_weak_digest_is_refused() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a")])
    made = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA224())
    with pytest.raises(AlgorithmNotSupported):
        parse_request(made.public_bytes(Encoding.DER))


def test_a_foreign_request_that_wishes_nothing_is_read() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a")])
    made = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    found = parse_request(made.public_bytes(Encoding.PEM))
    assert (found.common_name, found.organisation, found.uscc, found.profile) == ("a", None, None, None)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"0" * 70000,
        b"-----BEGIN CERTIFICATE REQUEST-----\nAA\n",
        b"-----BEGIN CERTIFICATE REQUEST-----\nA\n-----END CERTIFICATE REQUEST-----",
        request_pem(request()) * 2,
    ],
)
def test_what_is_no_request_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedRequest):
        parse_request(data)


VALID = request().der


@given(st.integers(0, len(VALID) - 1), st.binary(min_size=1, max_size=3), st.booleans())
def test_any_bytes_are_a_request_or_refused(position: int, junk: bytes, cut: bool) -> None:
    data = VALID[:position] + junk + (b"" if cut else VALID[position + len(junk) :])
    with suppress(MalformedRequest, AlgorithmNotSupported):
        assert parse_request(data).der == VALID
