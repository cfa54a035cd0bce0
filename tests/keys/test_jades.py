"""JAdES: what is signed is opened, and by another JOSE library; every other shape has one error."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import ECKey

from keys.algorithms import ES256, ES384
from keys.envelopes.base64url import b64url_decode, b64url_encode
from keys.envelopes.jades import open_jades, read_jades_certificates, sign_jades
from keys.envelopes.jws import sign_jws
from keys.errors import MalformedEnvelope
from keys.signer import EphemeralSigner
from keys.x509 import Profile
from tests.keys.conftest import NOW, SINCE, UNTIL, make_region
from tests.keys.xml_forge import forge_of, rsa_forge

REGION = make_region()
SIGNER = EphemeralSigner.generate(ES256)
CERTIFICATE = REGION.certify(Profile.STATUS, SIGNER).der
PAYLOAD = '{"LoTE":{"名称":"东岭"}}'.encode()
TOKEN = sign_jades(PAYLOAD, signer=SIGNER, certificate=CERTIFICATE, signing_time=NOW, chain=[REGION.ca.der])


def header_of(token: str) -> dict[str, Any]:
    return dict(json.loads(b64url_decode(token.partition(".")[0].encode())))


def with_header(**changes: object) -> bytes:
    """Our payload under another header, signed well; a member that is None is left out."""
    header = {name.replace("x5t", "x5t#S256"): value for name, value in changes.items()}
    merged = {**header_of(TOKEN), **header}
    return sign_jws({n: v for n, v in merged.items() if v is not None}, PAYLOAD, SIGNER).encode()


def refused(token: bytes, why: str = ".") -> None:
    with pytest.raises(MalformedEnvelope, match=why):
        open_jades(token, signers=[CERTIFICATE])


@pytest.mark.parametrize("algorithm", [ES256, ES384])
def test_what_is_signed_is_opened(algorithm: object) -> None:
    signer = EphemeralSigner.generate(algorithm)  # type: ignore[arg-type]
    certificate = REGION.certify(Profile.STATUS, signer).der
    token = sign_jades(PAYLOAD, signer=signer, certificate=certificate, signing_time=NOW)
    opened = open_jades(token.encode() + b"\n", signers=[CERTIFICATE, certificate])
    assert (opened.payload, opened.certificate, opened.signing_time) == (PAYLOAD, certificate, NOW)
    assert opened.algorithm == signer.algorithm.jose
    assert read_jades_certificates(token.encode()) == (certificate,)


def test_the_header_is_that_of_the_baseline() -> None:
    """TS 119 182-1 V1.2.1 clause 6.3: alg, iat and a certificate reference, all protected; nothing critical."""
    header = header_of(TOKEN)
    assert list(header) == ["alg", "cty", "iat", "x5t#S256", "x5c"]
    assert header["iat"] == int(NOW.timestamp())
    assert b64url_decode(header["x5t#S256"].encode()) == hashlib.sha256(CERTIFICATE).digest()
    assert [base64.b64decode(text) for text in header["x5c"]] == [CERTIFICATE, REGION.ca.der]


def test_another_library_verifies_it_and_sees_an_altered_byte() -> None:
    key = ECKey.import_key(dict(SIGNER.public_key.jwk()))
    registry = jws.JWSRegistry(algorithms=["ES256"], strict_check_header=False)
    registry.max_header_length = 16384  # its default has no room for certificates
    assert jws.deserialize_compact(TOKEN, key, registry=registry).payload == PAYLOAD
    head, body, signature = TOKEN.split(".")
    other = b64url_encode(PAYLOAD.replace(b"LoTE", b"LoTF")).decode()
    assert len(other) == len(body)
    with pytest.raises(Exception, match="bad_signature"):
        jws.deserialize_compact(f"{head}.{other}.{signature}", key, registry=registry)
    refused(f"{head}.{other}.{signature}".encode(), "does not hold")


def test_the_signer_must_be_one_of_those_named() -> None:
    stranger = EphemeralSigner.generate(ES256)
    certificate = REGION.certify(Profile.STATUS, stranger).der
    refused(sign_jades(PAYLOAD, signer=stranger, certificate=certificate, signing_time=NOW).encode(), "none of the")
    with pytest.raises(MalformedEnvelope, match="none of the"):
        open_jades(TOKEN.encode(), signers=[])
    with pytest.raises(ValueError, match="another key"):
        sign_jades(PAYLOAD, signer=stranger, certificate=CERTIFICATE, signing_time=NOW)


def test_a_strangers_signature_under_the_pinned_certificate_is_refused() -> None:
    stranger = EphemeralSigner.generate(ES256)
    header = {name: value for name, value in header_of(TOKEN).items() if name != "alg"}
    refused(sign_jws(header, PAYLOAD, stranger).encode(), "does not hold")


def test_either_reference_names_the_certificate() -> None:
    for token in (with_header(x5c=None), with_header(x5t=None)):
        assert open_jades(token, signers=[CERTIFICATE]).certificate == CERTIFICATE


def test_the_signing_time_of_the_first_edition_is_read_where_it_is_critical() -> None:
    token = with_header(iat=None, sigT="2026-06-01T00:00:00Z", crit=["sigT"])
    assert open_jades(token, signers=[CERTIFICATE]).signing_time == NOW
    refused(with_header(iat=None, sigT="2026-06-01T00:00:00Z"), "not critical")
    refused(with_header(iat=None, sigT="2026-06-01", crit=["sigT"]), "signing time")


def seconds(moment: Any) -> int:
    return int(moment.timestamp())


TWIN = base64.b64encode(REGION.certify(Profile.STATUS, SIGNER, common_name="twin").der).decode()
SHAPES: dict[str, tuple[dict[str, object], str]] = {
    "no certificate": ({"x5c": None, "x5t": None}, "does not name"),
    "another certificate of the same key": ({"x5c": [TWIN]}, "none of the"),
    "two that disagree": ({"x5t": b64url_encode(b"x" * 32).decode()}, "none of the"),
    "many certificates": ({"x5c": [TWIN] * 11}, "too many"),
    "no certificates": ({"x5c": []}, "no certificate"),
    "certificates that are no list": ({"x5c": TWIN}, "no certificate"),
    "certificates that are no text": ({"x5c": [7]}, "not base64"),
    "a certificate in base64url": ({"x5c": ["--__"]}, "not base64"),
    "a digest that is no text": ({"x5t": 7}, "not base64url"),
    "a digest with padding": ({"x5t": "eHg="}, "not base64url"),
    "no time": ({"iat": None}, "signing time"),
    "two times": ({"sigT": "2026-06-01T00:00:00Z", "crit": ["sigT"]}, "once"),
    "a time with a fraction": ({"iat": 1780272000.5}, "seconds"),
    "true": ({"iat": True}, "seconds"),
    "a time out of range": ({"iat": 1 << 60}, "seconds"),
    "signed before the certificate": ({"iat": seconds(SINCE) - 1}, "validity"),
    "signed after the certificate": ({"iat": seconds(UNTIL) + 1}, "validity"),
    "a detached payload": ({"sigD": {"mId": "x"}, "crit": ["sigD"]}, "not understood"),
    "critical, absent": ({"crit": ["sigT"]}, "not understood"),
    "critical, twice": ({"iat": None, "sigT": "2026-06-01T00:00:00Z", "crit": ["sigT", "sigT"]}, "not understood"),
    "critical, empty": ({"crit": []}, "does not list"),
    "critical, no list": ({"crit": "sigT"}, "does not list"),
    "an unencoded payload": ({"b64": False}, "unencoded"),
}


@pytest.mark.parametrize("name", SHAPES)
def test_well_signed_but_another_shape(name: str) -> None:
    changes, why = SHAPES[name]
    refused(with_header(**changes), why)


def test_pinned_certificates_that_cannot_serve_are_refused() -> None:
    no_certificate = base64.b64encode(b"no certificate").decode()
    with pytest.raises(MalformedEnvelope, match="can't be read"):
        open_jades(with_header(x5c=[no_certificate], x5t=None), signers=[b"no certificate"])
    rsa = rsa_forge(forge_of(SIGNER, CERTIFICATE, NOW), 2048, SINCE, UNTIL).certificate
    with pytest.raises(MalformedEnvelope, match="not supported"):
        open_jades(with_header(x5c=[base64.b64encode(rsa).decode()], x5t=None), signers=[rsa])


def test_size_is_bounded() -> None:
    with pytest.raises(MalformedEnvelope, match="more than"):
        open_jades(TOKEN.encode(), signers=[CERTIFICATE], max_size=len(TOKEN) - 1)


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=200) | st.text(alphabet='eyJ.{}=-_"', max_size=200).map(str.encode))
def test_anything_is_refused_as_one_error(data: bytes) -> None:
    refused(data)


@settings(deadline=None, max_examples=80)
@given(st.integers(0, len(TOKEN) - 1), st.integers(1, 255))
def test_an_altered_byte_is_refused(at: int, flip: int) -> None:
    altered = bytearray(TOKEN.encode())
    altered[at] ^= flip
    refused(bytes(altered))


def test_the_cases_above_change_what_is_accepted() -> None:
    """Else they would prove nothing."""
    change: Callable[..., bytes] = with_header
    assert open_jades(change(), signers=[CERTIFICATE]).payload == PAYLOAD
