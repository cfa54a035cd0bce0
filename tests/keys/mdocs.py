"""mdocs for tests, honest and altered: made with the envelope, taken apart with cbor2."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from keys.algorithms import ES256
from keys.envelopes.mdoc import (
    Agreement,
    ValidityInfo,
    issue_mdoc,
    make_device_response,
    openid4vp_transcript,
    sign_as_device,
)
from keys.public_key import PublicKey
from keys.signer import EphemeralSigner, Signer
from keys.x509 import Profile, make_certificate, make_region_ca

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
VALIDITY = ValidityInfo(NOW, NOW, NOW + timedelta(days=365))
DOC_TYPE = "org.example.licence.1"
ELEMENTS = {
    DOC_TYPE: {"family_name": "林", "given_name": "晓", "points": 3, "classes": [{"code": "C1"}], "photo": b"\xff\xd8"},
    "org.example.more.1": {"number": "7", "valid": True},
}
TRANSCRIPT = openid4vp_transcript(
    client_id="x509_san_dns:hall.example", nonce="n", response_uri="https://hall.example/r", encryption_key=None
)
CA, ISSUER, DEVICE = (EphemeralSigner.generate(ES256) for _ in range(3))
AUTHORITY = make_region_ca(
    CA,
    common_name="CA",
    organisation="Authority",
    region="990100",
    country="CN",
    not_before=NOW - timedelta(days=1),
    not_after=NOW + timedelta(days=3650),
)
CERTIFICATE = make_certificate(
    Profile.DOCUMENT_SIGNER,
    ca_signer=CA,
    ca=AUTHORITY,
    subject_key=ISSUER.public_key,
    common_name="Office",
    organisation="Office",
    uscc=None,
    uri=None,
    not_before=NOW - timedelta(days=1),
    not_after=NOW + timedelta(days=400),
    country="CN",
)


def issued(signer: Signer = ISSUER, **changes: Any) -> bytes:
    """IssuerSigned of the elements above."""
    given: dict[str, Any] = {
        "chain": [CERTIFICATE.der],
        "validity": VALIDITY,
        "device_key": DEVICE.public_key.jwk(),
        "status": {"status_list": {"idx": 412, "uri": "https://example.org/status/1"}},
    }
    elements = changes.pop("elements", ELEMENTS)
    return issue_mdoc(DOC_TYPE, elements, signer=signer, **(given | changes))


def presented(
    issuer_signed: bytes | None = None, device_signed: bytes | None = None, doc_type: str = DOC_TYPE
) -> bytes:
    """A DeviceResponse, signed by the device for the transcript above."""
    return make_device_response(
        doc_type, issuer_signed or issued(), device_signed or sign_as_device(doc_type, TRANSCRIPT, DEVICE)
    )


def altered(data: bytes, change: Callable[[Any], None]) -> bytes:
    """The message with `change` made to its decoded form, in place."""
    message = _thaw(cbor2.loads(data))
    change(message)
    return cbor2.dumps(message)


def with_item(issuer_signed: bytes, position: int, **members: Any) -> bytes:
    """With some members of one item of the first namespace replaced."""

    def change(message: Any) -> None:
        items = message["nameSpaces"][DOC_TYPE]
        item = {**_thaw(cbor2.loads(items[position].value)), **members}
        items[position] = cbor2.CBORTag(24, cbor2.dumps(item))

    return altered(issuer_signed, change)


def with_mso(change: Callable[[Any], None], signer: Signer = ISSUER) -> bytes:
    """IssuerSigned whose MSO was changed before it was signed anew."""
    from keys.envelopes.cose import sign_cose_parts

    def sign(message: Any) -> None:
        mso = _thaw(cbor2.loads(cbor2.loads(message["issuerAuth"][2]).value))
        change(mso)
        payload = cbor2.dumps(cbor2.CBORTag(24, cbor2.dumps(mso)))
        message["issuerAuth"] = sign_cose_parts(payload, signer=signer, unprotected={33: CERTIFICATE.der})

    return altered(issued(), sign)


def _thaw(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _thaw(each) for name, each in value.items()}
    return [_thaw(each) for each in value] if isinstance(value, list | tuple) else value


class Reader:
    """A P-256 key for key agreement."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        spki = self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.public_key = PublicKey.from_spki(spki)

    @property
    def agreement(self) -> Agreement:
        def agree(other: PublicKey) -> bytes:
            found = load_der_public_key(other.spki)
            assert isinstance(found, ec.EllipticCurvePublicKey)
            return self.key.exchange(ec.ECDH(), found)

        return agree
