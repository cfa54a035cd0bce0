"""Our trusted lists before other people's tools: xmlsec1 (XML Signature), joserfc (JWS), openvc-core (both forms)."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import textwrap
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jws
from joserfc.errors import BadSignatureError
from joserfc.jwk import ECKey

from keys.envelopes.xades import open_signed_xml, read_signer_certificates
from tests.trust_registry.network import DAY, DAY_0, EAST, WEST
from tests.trust_registry.renderings import BASE, all_lists, content, json_schema, key_of
from trust_registry.catalogue import COMMON
from trust_registry.interchange import uris
from trust_registry.interchange.lote_writing import write_lote
from trust_registry.interchange.rendering import content_of_network
from trust_registry.interchange.tsl_writing import write_tsl
from trust_registry.model import RegionCode

pytestmark = pytest.mark.interop

SIGNED_AT = DAY_0 + 60 * DAY
LISTS = Path(__file__).parents[2].parent / "shared" / "vectors" / "trusted-lists"


@pytest.fixture(scope="session")
def xmlsec1() -> str:
    path = shutil.which("xmlsec1")
    if path is None:
        pytest.skip("xmlsec1 is not installed: apt install xmlsec1")
    return path


def verified(xmlsec1: str, folder: Path, data: bytes, pinned: bytes, at: datetime) -> subprocess.CompletedProcess[str]:
    """xmlsec1's word on the signature, with one certificate trusted and no other."""
    (folder / "list.xml").write_bytes(data)
    body = "\n".join(textwrap.wrap(base64.b64encode(pinned).decode(), 64))
    (folder / "pinned.pem").write_text(f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")
    properties = "http://uri.etsi.org/01903/v1.3.2#:SignedProperties"
    # A key from the command line, so that the certificate in the list has no say.
    command = [xmlsec1, "--verify", "--id-attr:Id", properties, "--pubkey-cert-pem", "pinned.pem"]
    command += ["--enabled-key-data", "key-name", "--verification-time", f"{at:%Y-%m-%d %H:%M:%S}", "list.xml"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def rendered_xml(code: RegionCode) -> bytes:
    key = key_of(all_lists()[code])
    return write_tsl(content(code), signer=key.signer, certificate=key.certificate, signing_time=SIGNED_AT)


@pytest.mark.parametrize("code", [COMMON, EAST, WEST])
def test_xmlsec1_verifies_our_lists(xmlsec1: str, tmp_path: Path, code: RegionCode) -> None:
    result = verified(xmlsec1, tmp_path, rendered_xml(code), key_of(all_lists()[code]).certificate, SIGNED_AT)
    assert result.returncode == 0, result.stderr
    assert "References (ok/all): 2/2" in result.stdout + result.stderr


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (b"<TSLSequenceNumber>7<", b"<TSLSequenceNumber>8<"),
        (b"Svcstatus/withdrawn", b"Svcstatus/granted\x20\x20"),
        (b"SigningTime>2026-03", b"SigningTime>2026-04"),
        (b"TrustServiceStatusList TSLTag", b"TrustServiceStatusList  x='' TSLTag"),
    ],
    ids=["sequence number", "a status", "signing time", "an attribute"],
)
def test_xmlsec1_sees_what_was_altered(xmlsec1: str, tmp_path: Path, ours: bytes, theirs: bytes) -> None:
    data = rendered_xml(EAST)
    if ours.startswith(b"TrustService"):
        at = data.index(b"TrustServiceStatusList") + len(b"TrustServiceStatusList")
        altered = data[:at] + b' Id="x"' + data[at:]
    else:
        assert ours in data
        altered = data.replace(ours, theirs, 1)
    assert verified(xmlsec1, tmp_path, altered, key_of(all_lists()[EAST]).certificate, SIGNED_AT).returncode != 0


def test_xmlsec1_refuses_another_signer(xmlsec1: str, tmp_path: Path) -> None:
    pinned = key_of(all_lists()[WEST]).certificate
    assert verified(xmlsec1, tmp_path, rendered_xml(EAST), pinned, SIGNED_AT).returncode != 0


@pytest.mark.parametrize("name", ["eu-lotl.xml", "tsl-be-v6.xml", "tsl-ee.xml"])
def test_we_and_xmlsec1_agree_on_the_european_lists(xmlsec1: str, tmp_path: Path, name: str) -> None:
    if not (LISTS / name).is_file():
        pytest.skip(f"no vector trusted-lists/{name}")
    data = (LISTS / name).read_bytes()
    (signer,) = read_signer_certificates(data)
    opened = open_signed_xml(data, signers=[signer])
    assert verified(xmlsec1, tmp_path, data, signer, opened.signing_time).returncode == 0


@pytest.mark.parametrize("code", [COMMON, EAST, WEST])
def test_joserfc_verifies_our_lists(code: RegionCode) -> None:
    """Issue: the TS 119 602 output validates against the JSON Schema and its JWS verifies with another JOSE library."""
    key = key_of(all_lists()[code])
    token = write_lote(content(code), signer=key.signer, certificate=key.certificate, signing_time=SIGNED_AT).decode()
    registry = jws.JWSRegistry(algorithms=["ES256"], strict_check_header=False)
    registry.max_header_length = registry.max_payload_length = len(token)  # certificates do not fit into its defaults
    pinned = x509.load_der_x509_certificate(key.certificate).public_key()
    pem = pinned.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    opened = jws.deserialize_compact(token, ECKey.import_key(pem), registry=registry)
    assert list(json_schema().iter_errors(json.loads(opened.payload))) == []
    body = token.split(".")[1]
    altered = token.replace(body, body[:-4] + ("AAAA" if not body.endswith("AAAA") else "BBBB"))
    with pytest.raises(BadSignatureError):
        jws.deserialize_compact(altered, ECKey.import_key(pem), registry=registry)


def test_a_strict_reader_of_ts_119_602_reads_our_lists() -> None:
    lote = pytest.importorskip("openvc.trustlist.lote", reason="openvc-core is not installed: pip install openvc-core")
    for code in (EAST, WEST, COMMON):
        key = key_of(all_lists()[code])
        token = write_lote(content(code), signer=key.signer, certificate=key.certificate, signing_time=SIGNED_AT)
        pinned = [x509.load_der_x509_certificate(key.certificate)]
        found = lote.consume_lote(token, expected_signer_certs=pinned, now=SIGNED_AT)
        assert found.sequence_number == all_lists()[code].version
        assert found.tsl_type == uris.LIST_OF_REGION
        stranger = [x509.load_der_x509_certificate(key_of(all_lists()[WEST if code == EAST else EAST]).certificate)]
        with pytest.raises(lote.TrustListSignatureError):
            lote.consume_lote(token, expected_signer_certs=stranger, now=SIGNED_AT)


def test_a_strict_reader_of_ts_119_602_finds_the_services_and_the_pointers() -> None:
    lote = pytest.importorskip("openvc.trustlist.lote", reason="openvc-core is not installed: pip install openvc-core")
    key = key_of(all_lists()[EAST])
    token = write_lote(content(EAST), signer=key.signer, certificate=key.certificate, signing_time=SIGNED_AT)
    found = lote.consume_lote(
        token, expected_signer_certs=[x509.load_der_x509_certificate(key.certificate)], now=SIGNED_AT
    )
    kinds = {service.service_type for provider in found.providers for service in provider.services}
    assert {uris.ATTESTATION, uris.SEALING, uris.STATUS_LISTS, uris.LIST_SIGNING} <= kinds
    lists, common = all_lists(), key_of(all_lists()[COMMON])
    network = content_of_network(lists, lists[COMMON], 3, BASE, SIGNED_AT, SIGNED_AT + timedelta(days=7))
    token = write_lote(network, signer=common.signer, certificate=common.certificate, signing_time=SIGNED_AT)
    pinned = [x509.load_der_x509_certificate(common.certificate)]
    pointers = lote.consume_lote(token, expected_signer_certs=pinned, now=SIGNED_AT).pointers
    assert {pointer.location for pointer in pointers} == {f"{BASE}interchange/{code}.json" for code in lists}
    assert all(pointer.signer_certs for pointer in pointers)


def test_a_strict_reader_of_ts_119_612_reads_our_lists() -> None:
    reason = "openvc-core is not installed: pip install openvc-core"
    trustlist = pytest.importorskip("openvc.trustlist", reason=reason)
    xades = pytest.importorskip("openvc.trustlist.xades", reason=reason)
    for code in (EAST, WEST, COMMON):
        pinned = [x509.load_der_x509_certificate(key_of(all_lists()[code]).certificate)]
        found = trustlist.consume_trust_list(
            rendered_xml(code), verify_signature=xades.verify_xades_enveloped, expected_signer_certs=pinned
        )
        assert (found.version, found.sequence_number) == (uris.TSL_VERSION, all_lists()[code].version)
