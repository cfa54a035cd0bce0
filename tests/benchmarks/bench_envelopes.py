"""A printed QR's envelope (base45, inflate, COSE_Sign1, CBOR) against one bare ES256 verification with a cached key."""

from __future__ import annotations

from typing import Any, Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from keys.algorithms import ES256
from keys.envelopes import cbor
from keys.envelopes.cose import parse_cose_sign1, sign_cose_sign1
from keys.envelopes.qr_text import decode_qr_text, encode_qr_text
from keys.signer import EphemeralSigner, ecdsa_der
from tests.benchmarks.interleaved import times_as_fast

PREFIX: Final = "YX1:"
PAYLOAD: Final[dict[Any, Any]] = {
    1: "990100/civil-affairs",
    6: 1790000000,
    5: 1790000000,
    65535: {"status_list": {"idx": 12345, "uri": "https://status.example/990100/civil-affairs/1"}},
    -70001: "1.2.156.3005.2.11100000MB0000000X.11100000MB0000000X.000001.001.K",
    -70002: "common/marriage-certificate",
    -70003: "990100/civil-affairs/99010000000001",
    -70004: {"name_a": "张*", "name_b": "李*", "registered_on": "2026-01-01"},
}


def run() -> list[tuple[str, float, str]]:
    """(name, rate as a share of one bare verification's, goal)."""
    signer = EphemeralSigner.generate(ES256)
    cose = sign_cose_sign1(cbor.encode(PAYLOAD), signer=signer, kid=bytes(8))
    text = encode_qr_text(PREFIX, cose)
    key = signer.public_key

    def bare_of(data: bytes) -> Any:
        # The same bytes that COSE signs would be, at their size: what a verifier cannot save.
        bare_key, scheme = load_der_public_key(key.spki), ec.ECDSA(hashes.SHA256())
        if not isinstance(bare_key, ec.EllipticCurvePublicKey):
            raise AssertionError("ES256 keys are on an elliptic curve")
        signature = ecdsa_der(signer.sign(data))
        return lambda: bare_key.verify(signature, data, scheme)

    def from_text() -> object:
        message = parse_cose_sign1(decode_qr_text(text, PREFIX))
        if not message.verified_by(key):
            raise AssertionError("the benchmark's own code does not verify")
        return cbor.decode(message.payload)

    def from_bytes() -> object:
        message = parse_cose_sign1(cose)
        if not message.verified_by(key):
            raise AssertionError("the benchmark's own message does not verify")
        return message.payload

    bare = bare_of(cose)
    return [
        (
            "COSE_Sign1 parse and verify, share of a bare ES256 verification's rate",
            times_as_fast(from_bytes, bare),
            ">= 0.8",
        ),
        (
            "QR text to claims, verified, share of a bare ES256 verification's rate",
            times_as_fast(from_text, bare),
            ">= 0.7",
        ),
    ]


if __name__ == "__main__":
    for name, ratio, goal in run():
        print(f"{name}: {ratio:.2f} ({goal})")
