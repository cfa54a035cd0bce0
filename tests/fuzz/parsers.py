"""The parsers of this house, each with honest seeds and the errors that it may raise: its own, and no other."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import cache

from keys.algorithms import EDDSA
from keys.certificate_requests import make_request, parse_request
from keys.cms import parse_signed_data
from keys.custody.pkcs11_uri import parse_pkcs11_uri
from keys.envelopes import base45, cbor
from keys.envelopes.asic import make_container, read_container
from keys.envelopes.cose import parse_cose_sign1
from keys.envelopes.hcert import parse_health_certificate
from keys.envelopes.jades import read_jades_certificates, sign_jades
from keys.envelopes.jws import parse_jws
from keys.envelopes.mdoc import check_device_authentication, parse_mdoc
from keys.envelopes.pades import parse_signed_pdf
from keys.envelopes.qr_text import decode_qr_text, encode_qr_text
from keys.envelopes.sd_jwt import bind_key, check_key_binding, issue_sd_jwt, parse_sd_jwt
from keys.envelopes.signed_note import NoteKeyKind, merged_note, note_key, parse_note, parse_note_key, sign_note
from keys.envelopes.strict_json import load_json
from keys.envelopes.strict_xml import parse_xml
from keys.envelopes.strict_zip import read_zip, write_zip
from keys.envelopes.xades import read_signer_certificates
from keys.errors import (
    AlgorithmNotSupported,
    KeyUriNotSupported,
    MalformedCertificate,
    MalformedEnvelope,
    MalformedRequest,
    MalformedRevocation,
    MalformedTimestamp,
)
from keys.revocation import (
    Answer,
    CertificateState,
    Reason,
    Revoked,
    make_cert_id,
    make_crl,
    make_ocsp_request,
    make_ocsp_response,
    parse_crl,
    parse_ocsp_request,
    parse_ocsp_response,
)
from keys.signer import EphemeralSigner
from keys.timestamps import EmbeddedTimestamper, parse_timestamp_token
from keys.x509 import Profile, parse_certificate, parse_pem_certificates
from tests.trust_registry.foreign_lists import TrustedList, key
from tests.trust_registry.network import common_list, east_list, west_list
from tests.verifier.small_world import (
    EAST,
    NOW,
    SEALED,
    SmallWorld,
    attestation,
    authority,
    certificate,
    qr,
    sd_jwt,
    signer,
)
from tests.verifier.small_world import receipt_key as hall
from trust_registry.attestations import from_cwt, from_json, to_json
from trust_registry.errors import (
    InvalidForeignList,
    InvalidList,
    MalformedAttestation,
    MalformedQuery,
    MalformedStatusToken,
    QueryNotRecognised,
    TrustDamaged,
)
from trust_registry.interchange.dcc import read_dcc
from trust_registry.interchange.lote_reading import read_lote
from trust_registry.interchange.tsl_reading import read_tsl
from trust_registry.log.checkpoint import parse_checkpoint
from trust_registry.log.witness import parse_add_checkpoint
from trust_registry.status_list import inflate, parse_status_token
from trust_registry.trqp import read_query
from trust_registry.wire import list_from_json, list_to_json
from verifier.errors import MalformedEvidence, MalformedKit
from verifier.evidence import parse
from verifier.kits import make_kit, read_kit
from verifier.photos import read_code
from wallet_api.core import parse_code
from wallet_api.errors import MalformedCode

Seeds = Callable[[], list[bytes]]


@dataclass(frozen=True)
class Parser:
    """`call` takes any bytes; `errors` is what it may raise. `seeds` are read without an error."""

    name: str
    call: Callable[[bytes], object]
    errors: tuple[type[Exception], ...]
    seeds: Seeds

    def run(self, data: bytes) -> bool:
        """Whether it was read; the parser's own errors are an answer, all others come through."""
        try:
            self.call(data)
        except self.errors:
            return False
        return True


def _text(call: Callable[[str], object]) -> Callable[[bytes], object]:
    """A parser of text: what is no UTF-8 reaches it as lone surrogates would."""
    return lambda data: call(data.decode("utf-8", "surrogateescape"))


# --- seeds


@cache
def _token() -> bytes:
    made = certificate("tsa", Profile.TIMESTAMP, EAST)
    return EmbeddedTimestamper(signer("tsa"), made, (), lambda: SEALED).timestamp(hashlib.sha256(b"x").digest())


@cache
def _pdf() -> bytes:
    from tests.verifier.test_pdf import _real_pdf

    return _real_pdf()


@cache
def _presentation() -> bytes:
    claims = {"iss": "x", "vct": "urn:x", "cnf": {"jwk": signer("holder").public_key.jwk()}, "name": "y", "age": 3}
    issued = issue_sd_jwt(claims, {"name", "age"}, signer=signer("seal"), header={"typ": "dc+sd-jwt"})
    return bind_key(issued, signer=signer("holder"), nonce="n", audience="a", issued_at=NOW).encode()


def _mdocs() -> list[bytes]:
    from tests.keys.mdocs import issued, presented

    return [presented(), issued()]


def _mdoc(data: bytes) -> object:
    """Whatever is read can be checked."""
    found = parse_mdoc(data)
    outcomes = [found.issuer_signed.compare(item) for item in found.issuer_signed.items]
    return outcomes, check_device_authentication(found, b"\xf6")


def _qr_bytes() -> bytes:
    return decode_qr_text(qr(), "YX1:")


def _health() -> list[bytes]:
    protected = cbor.encode({1: -7, 4: b"12345678"})
    claims = cbor.encode({1: "FR", 4: 1_900_000_000, 6: 1_700_000_000, -260: {1: {"v": [{"dn": 1}], "dob": "1990"}}})
    return [encode_qr_text("HC1:", cbor.encode([protected, {}, claims, bytes(64)])).encode()]


def _lists() -> list[bytes]:
    return [list_to_json(each) for each in (east_list(), west_list(), common_list())]


def _kit() -> list[bytes]:
    files = {"metadata/timestamp.json": b"{}", "status/1.jwt": b"a.b.c"}
    return [make_kit(files, region=EAST, first_root=b"", confirmed_at=NOW, made_at=NOW, key=hall())]


def _jades(document: object) -> bytes:
    signing = key("operator")
    text = json.dumps(document).encode()
    return sign_jades(text, signer=signing.signer, certificate=signing.certificate, signing_time=NOW).encode()


def _query() -> list[bytes]:
    document = {
        "entity_id": "urn:yinxin:issuer:990100/civil-affairs",
        "authority_id": "urn:yinxin:region:990100",
        "action": "issue",
        "resource": "urn:yinxin:type:common/marriage-certificate",
        "context": {"time": "2026-01-01T00:00:00Z"},
    }
    return [json.dumps(document).encode()]


def _binding(data: bytes) -> object:
    found = parse_sd_jwt(data.decode("ascii", "replace"))
    return check_key_binding(found, nonce="n", audience="a", at=NOW, max_age=timedelta(minutes=5))


def _certificates() -> list[bytes]:
    return [certificate("seal", Profile.SEAL, EAST).der, key("operator").certificate]


def _xml() -> list[bytes]:
    return [TrustedList().sign()]


def _json() -> list[bytes]:
    return [b'{"a":[1,2.5,"\\u00e9",null,true],"b":{"c":"d"}}', to_json(attestation())]


def _request() -> list[bytes]:
    return [make_request(signer("new"), profile=Profile.SEAL, common_name="x", organisation="y").der]


_ENVELOPE = (MalformedEnvelope,)
_FOREIGN = (InvalidForeignList,)


def parsers() -> list[Parser]:
    """All of them. Making the list costs little; making seeds costs signatures."""
    operator = [key("operator").certificate]
    return [
        Parser("evidence", parse, (MalformedEvidence,), lambda: [qr().encode(), sd_jwt().encode(), *_health(), _pdf()]),
        Parser("evidence-text", _text(parse), (MalformedEvidence,), lambda: [qr().encode(), _presentation()]),
        Parser("jws", parse_jws, _ENVELOPE, lambda: [SmallWorld().status_token().encode(), _jades({})]),
        Parser("sd-jwt", _text(parse_sd_jwt), _ENVELOPE, lambda: [sd_jwt().encode(), _presentation()]),
        Parser("key-binding", _binding, _ENVELOPE, lambda: [_presentation()]),
        Parser("cose", parse_cose_sign1, _ENVELOPE, lambda: [_qr_bytes()]),
        Parser("mdoc", _mdoc, _ENVELOPE, _mdocs),
        Parser("cbor", cbor.decode, _ENVELOPE, lambda: [parse_cose_sign1(_qr_bytes()).payload]),
        Parser("cbor-untagged", cbor.decode_untagged, _ENVELOPE, lambda: [_qr_bytes()]),
        Parser("base45", _text(base45.decode), _ENVELOPE, lambda: [qr()[4:].encode()]),
        Parser("qr-text", _text(lambda text: decode_qr_text(text, "YX1:")), _ENVELOPE, lambda: [qr().encode()]),
        Parser("hcert", _text(parse_health_certificate), _ENVELOPE, _health),
        Parser("pdf", parse_signed_pdf, _ENVELOPE, lambda: [_pdf()]),
        Parser("cms", parse_signed_data, _ENVELOPE, lambda: [_token()]),
        Parser("timestamp", parse_timestamp_token, (MalformedTimestamp,), lambda: [_token()]),
        Parser("certificate", parse_certificate, (MalformedCertificate,), _certificates),
        Parser(
            "pem",
            parse_pem_certificates,
            (MalformedCertificate,),
            lambda: [certificate("seal", Profile.SEAL, EAST).pem()],
        ),
        Parser("request", parse_request, (MalformedRequest, AlgorithmNotSupported), _request),
        Parser("crl", parse_crl, (MalformedRevocation,), _crls),
        Parser("ocsp-response", parse_ocsp_response, (MalformedRevocation,), _ocsp_responses),
        Parser("ocsp-request", parse_ocsp_request, (MalformedRevocation,), _ocsp_requests),
        Parser("json", load_json, _ENVELOPE, _json),
        Parser("xml", parse_xml, _ENVELOPE, _xml),
        Parser(
            "zip", lambda data: read_zip(data, max_inside=1 << 20), _ENVELOPE, lambda: [write_zip({"a": b"b" * 99})]
        ),
        Parser("asic", read_container, _ENVELOPE, _containers),
        Parser("xades-certificates", read_signer_certificates, _ENVELOPE, _xml),
        Parser("jades-certificates", read_jades_certificates, _ENVELOPE, lambda: [_jades({})]),
        Parser("note", parse_note, _ENVELOPE, _notes),
        Parser("note-key", _text(parse_note_key), _ENVELOPE, _note_keys),
        Parser("checkpoint", parse_checkpoint, _ENVELOPE, _notes),
        Parser("add-checkpoint", parse_add_checkpoint, _ENVELOPE, lambda: [b"old 1\n\n" + n for n in _notes()]),
        Parser("pkcs11-uri", _text(parse_pkcs11_uri), (KeyUriNotSupported,), lambda: [b"pkcs11:token=a;object=b%20c"]),
        Parser("list", list_from_json, (InvalidList,), _lists),
        Parser("attestation-json", from_json, (MalformedAttestation,), lambda: [to_json(attestation())]),
        Parser("attestation-cwt", from_cwt, (MalformedAttestation,), lambda: [parse_cose_sign1(_qr_bytes()).payload]),
        Parser(
            "status-token",
            parse_status_token,
            (MalformedStatusToken,),
            lambda: [SmallWorld().status_token().encode()],
        ),
        Parser("status-zlib", inflate, (MalformedStatusToken,), lambda: [bytes.fromhex("78da3be9f2130003df0207")]),
        Parser("trusted-list", lambda data: read_tsl(data, operator), _FOREIGN, _xml),
        Parser("list-of-entities", lambda data: read_lote(data, operator), _FOREIGN, lambda: [_jades({})]),
        Parser("health-list", _pinned, _FOREIGN, _health_lists),
        Parser("trqp", read_query, (MalformedQuery, QueryNotRecognised), _query),
        Parser("kit", read_kit, (MalformedKit,), _kit),
        Parser("photo", read_code, (), _photos),
        Parser("one-time-code", _text(parse_code), (MalformedCode,), lambda: [b"YXP:" + b"A" * 32]),
        Parser("bundle", _bundle, (TrustDamaged,), lambda: [write_zip({"bundle.json": b"{}"})]),
    ]


def _pinned(data: bytes) -> object:
    return read_dcc(data, pin=hashlib.sha256(data).hexdigest())


def _bundle(data: bytes) -> object:
    from trust_registry.bundle import open_bundle

    return open_bundle({"bundle.json": data}, first_root=None, at=NOW)


def _health_lists() -> list[bytes]:
    from tests.trust_registry.test_foreign_health import ENTRY, flat

    line = ",".join(ENTRY[name] for name in ("country", "kid", "certificate"))
    return [flat(ENTRY), f"country,kid,certificate\r\n{line}\r\n".encode()]


def _note_keys() -> list[bytes]:
    made = note_key("example.test/log", NoteKeyKind.ED25519, EphemeralSigner.generate(EDDSA).public_key)
    return [str(made).encode()]


def _notes() -> list[bytes]:
    text = "example.test/log\n5\n" + "A" * 43 + "=\n"
    signing = EphemeralSigner.generate(EDDSA)
    return [merged_note(text, [sign_note(text, "example.test/log", signing)]).to_bytes()]


def _photos() -> list[bytes]:
    import io

    import qrcode

    out = io.BytesIO()
    qrcode.make("YX1:ABC").save(out)
    return [out.getvalue()]


def _crls() -> list[bytes]:
    revoked = [Revoked(serial, SEALED, Reason.KEY_COMPROMISE, SEALED) for serial in (5, 6)]
    issuer = authority(EAST)
    return [make_crl(signer(f"ca {EAST}"), issuer, revoked, number=7, this_update=SEALED, next_update=NOW)]


def _ocsp_responses() -> list[bytes]:
    issuer = authority(EAST)
    answer = Answer(make_cert_id(certificate("seal", Profile.SEAL, EAST), issuer), CertificateState.GOOD)
    return [make_ocsp_response(signer(f"ca {EAST}"), issuer, [answer], produced_at=SEALED, next_update=NOW)]


def _ocsp_requests() -> list[bytes]:
    return [make_ocsp_request(certificate("seal", Profile.SEAL, EAST), authority(EAST))]


def _containers() -> list[bytes]:
    stamper = EmbeddedTimestamper(signer("tsa"), certificate("tsa", Profile.TIMESTAMP, EAST), (), lambda: SEALED)
    return [make_container({"a.txt": b"a", "b/c.bin": bytes(50)}, stamper)]
