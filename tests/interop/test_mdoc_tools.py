"""mdocs between this and others' implementations: openvc-core and pymdoccbor read ours, we read pymdoccbor's."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import load_der_x509_certificate

from keys.envelopes.mdoc import ItemOutcome, Mdoc, make_device_response, parse_mdoc, select_elements, sign_as_device
from keys.public_key import PublicKey
from keys.signer import EphemeralSigner
from keys.x509 import Profile, make_certificate
from tests.keys.mdocs import (
    AUTHORITY,
    CA,
    CERTIFICATE,
    DEVICE,
    DOC_TYPE,
    ELEMENTS,
    NOW,
    TRANSCRIPT,
    issued,
    presented,
    with_item,
)
from tests.peers import HOW, Peer, has_mdoc_peer

openvc = pytest.importorskip("openvc.mdoc", reason="openvc-core is not installed: pip install openvc-core")


def openvc_reads(response: bytes) -> Any:
    (found,) = openvc.verify_device_response(
        response,
        trust_anchors=[load_der_x509_certificate(AUTHORITY.der)],
        session_transcript=TRANSCRIPT,
        now=NOW + timedelta(days=1),
        expected_doc_type=DOC_TYPE,
    )
    return found


@pytest.fixture(scope="module")
def pymdoccbor() -> Iterator[Peer]:
    if not has_mdoc_peer():
        pytest.skip(HOW.replace("python-cwt", "pymdoccbor"))
    with Peer("mdoc_script.py") as peer:
        yield peer


def test_openvc_verifies_our_presentation_with_the_devices_signature() -> None:
    shown = select_elements(parse_mdoc(issued()), {DOC_TYPE: {"points", "family_name"}})
    found = openvc_reads(make_device_response(DOC_TYPE, shown, sign_as_device(DOC_TYPE, TRANSCRIPT, DEVICE)))
    assert found.device_signed
    assert found.namespaces == {DOC_TYPE: {"points": 3, "family_name": "林"}}


def test_openvc_verifies_what_a_seal_signs() -> None:
    key = EphemeralSigner.generate(CA.algorithm)
    seal = make_certificate(
        Profile.SEAL,
        ca_signer=CA,
        ca=AUTHORITY,
        subject_key=key.public_key,
        common_name="Seal",
        organisation="Office",
        uscc=None,
        uri=None,
        not_before=NOW - timedelta(days=1),
        not_after=NOW + timedelta(days=400),
    )
    assert openvc_reads(presented(issued(key, chain=[seal.der]))).namespaces == ELEMENTS


def test_openvc_refuses_what_we_refuse() -> None:
    with pytest.raises(openvc.MdocDigestMismatch):
        openvc_reads(presented(with_item(issued(), 0, elementValue="Eve")))
    thief = EphemeralSigner.generate(DEVICE.algorithm)
    with pytest.raises(openvc.MdocDeviceAuthError):
        openvc_reads(presented(device_signed=sign_as_device(DOC_TYPE, TRANSCRIPT, thief)))


def test_pymdoccbor_verifies_ours(pymdoccbor: Peer) -> None:
    response = presented()
    assert pymdoccbor.ask(what="verify", mdoc=response.hex()) == {"holds": True, "documents": [DOC_TYPE]}
    altered = presented(with_item(issued(), 0, elementValue="Eve"))
    assert not pymdoccbor.ask(what="verify", mdoc=altered.hex())["holds"]


def test_we_verify_pymdoccbors(pymdoccbor: Peer) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    mdoc = pymdoccbor_issues(pymdoccbor, private)
    key = PublicKey.from_spki(private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    assert mdoc.issuer_signed.issuer_auth.verified_by(key)
    assert {mdoc.issuer_signed.compare(item) for item in mdoc.issuer_signed.items} == {ItemOutcome.OK}
    assert mdoc.issuer_signed.elements() == {DOC_TYPE: {"family_name": "Doe", "birth_date": "1990-01-02"}}
    assert mdoc.mso.device_key == key.jwk()
    assert mdoc.mso.status == {"status_list": {"idx": 412, "uri": "https://example.org/status/1"}}


def pymdoccbor_issues(peer: Peer, private: ec.EllipticCurvePrivateKey) -> Mdoc:
    numbers = private.private_numbers()
    made = peer.ask(
        what="issue",
        x=numbers.public_numbers.x.to_bytes(32, "big").hex(),
        y=numbers.public_numbers.y.to_bytes(32, "big").hex(),
        d=numbers.private_value.to_bytes(32, "big").hex(),
        doctype=DOC_TYPE,
        data={DOC_TYPE: {"family_name": "Doe", "birth_date": "1990-01-02"}},
        validity={"issuance_date": "2026-01-01", "expiry_date": "2099-01-01"},
        certificate=CERTIFICATE.der.hex(),
    )
    return parse_mdoc(bytes.fromhex(made["issued"]))
