"""Read OCSP responses and requests into facts. Whether a responder may speak for an issuer is `standing`'s to ask."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from asn1crypto import core, ocsp

from keys import asn1crypto_patch
from keys import der as asn1
from keys.certificate import Certificate, parse_certificate
from keys.errors import MalformedCertificate, MalformedRevocation
from keys.revocation.crl import NOT_READABLE, split_signed
from keys.revocation.model import CertId, CertificateState, OcspAnswer, OcspResponse, Reason

asn1crypto_patch.apply()

MAX_RESPONSE: Final = 1 << 17
MAX_REQUEST: Final = 1 << 12
_MAX_CERTIFICATES: Final = 16
_MAX_ASKED: Final = 16
_BASIC: Final = "1.3.6.1.5.5.7.48.1.1"
_NONCE: Final = "1.3.6.1.5.5.7.48.1.2"
_ARCHIVE_CUTOFF: Final = "1.3.6.1.5.5.7.48.1.6"
_REASON, _INVALIDITY = "2.5.29.21", "2.5.29.24"
_DIGESTS: Final = {
    "1.3.14.3.2.26": "sha1",
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}
_REASONS: Final = {
    "unspecified": Reason.UNSPECIFIED,
    "key_compromise": Reason.KEY_COMPROMISE,
    "ca_compromise": Reason.CA_COMPROMISE,
    "affiliation_changed": Reason.AFFILIATION_CHANGED,
    "superseded": Reason.SUPERSEDED,
    "cessation_of_operation": Reason.CESSATION_OF_OPERATION,
    "certificate_hold": Reason.CERTIFICATE_HOLD,
    "remove_from_crl": Reason.REMOVE_FROM_CRL,
    "privilege_withdrawn": Reason.PRIVILEGE_WITHDRAWN,
    "aa_compromise": Reason.AA_COMPROMISE,
}
_SUCCESSFUL: Final = b"\x0a\x01\x00"


def parse_ocsp_response(der: bytes) -> OcspResponse:
    """The response in `der`, of at most 128 KiB. Nothing is verified. Raises MalformedRevocation, also for a response
    that only says why there is none ("try later", "unauthorized", ...).

    Spec: RFC 6960 section 4.2.1.
    """
    if len(der) > MAX_RESPONSE:
        raise MalformedRevocation(f"an OCSP response of more than {MAX_RESPONSE} bytes")
    try:
        return _read(bytes(der))
    except NOT_READABLE as err:
        raise MalformedRevocation("not a DER OCSP response, or one without an answer") from err


def _read(der: bytes) -> OcspResponse:
    signed = split_signed(_basic_response(der))
    data: Any = ocsp.ResponseData.load(signed.tbs, strict=True)  # type: ignore[no-untyped-call]
    by_name, responder = _responder(signed.tbs)
    extensions = _extensions(data["response_extensions"])
    nonce = extensions.get(_NONCE)
    return OcspResponse(
        der=der,
        responder_name=responder if by_name else None,
        responder_key_hash=None if by_name else responder,
        produced_at=_time(data["produced_at"]),
        answers=tuple(_answer(single) for single in data["responses"]),
        certificates=tuple(_certificates(_basic_response(der))),
        nonce=None if nonce is None else nonce[1],
        usable=not any(critical for oid, (critical, _) in extensions.items() if oid != _NONCE),
        signed=signed,
    )


def _responder(tbs: bytes) -> tuple[bool, bytes]:
    """Whether it names itself, and the Name as it stands; else the hash of its key."""
    ((_, _, start, end),) = asn1.elements(tbs)
    fields = asn1.elements(tbs, start, end)
    tag, _, start, end = fields[1] if fields[0][0] == 0xA0 else fields[0]
    if tag == 0xA1:
        return True, tbs[start:end]
    ((kind, _, start, end),) = asn1.elements(tbs, start, end)
    if tag != 0xA2 or kind != 0x04:
        raise ValueError("a responder without a name")
    return False, tbs[start:end]


def _basic_response(der: bytes) -> bytes:
    ((_, _, start, end),) = asn1.elements(der)
    status, *rest = asn1.elements(der, start, end)
    if der[status[1] : status[3]] != _SUCCESSFUL or len(rest) != 1 or rest[0][0] != 0xA0:
        raise ValueError("not a successful response")
    ((_, _, start, end),) = asn1.elements(der, rest[0][2], rest[0][3])
    kind, response = asn1.elements(der, start, end)
    if der[kind[1] : kind[3]] != asn1.oid(_BASIC) or response[0] != 0x04:
        raise ValueError("not a basic response")
    return der[response[2] : response[3]]


def _certificates(basic: bytes) -> Iterator[Certificate]:
    ((_, _, start, end),) = asn1.elements(basic)
    rest = asn1.elements(basic, start, end)[3:]
    if not rest:
        return
    ((tag, _, start, end),) = rest
    ((_, _, start, end),) = asn1.elements(basic, start, end)
    found = asn1.elements(basic, start, end)
    if tag != 0xA0 or len(found) > _MAX_CERTIFICATES:
        raise ValueError("not a list of certificates, or too many")
    for _, first, _, past in found:
        try:
            yield parse_certificate(basic[first:past])
        except MalformedCertificate:
            continue  # not the responder's, then; and no reason to doubt the rest


def _answer(single: Any) -> OcspAnswer:
    status = single["cert_status"]
    extensions = _extensions(single["single_extensions"])
    revoked_at = reason = None
    state = CertificateState.GOOD if status.name == "good" else CertificateState.UNKNOWN
    if status.name == "revoked":
        revoked_at = _time(status.chosen["revocation_time"])
        named = status.chosen["revocation_reason"].native
        reason = None if named is None else _REASONS[named]
        state = CertificateState.ON_HOLD if reason is Reason.CERTIFICATE_HOLD else CertificateState.REVOKED
    known = {_ARCHIVE_CUTOFF, _REASON, _INVALIDITY}
    return OcspAnswer(
        id=_cert_id(single["cert_id"]),
        state=state,
        revoked_at=revoked_at,
        reason=reason,
        invalidity_date=_time_in(extensions.get(_INVALIDITY)),
        this_update=_time(single["this_update"]),
        next_update=None if isinstance(single["next_update"], core.Void) else _time(single["next_update"]),
        archive_cutoff=_time_in(extensions.get(_ARCHIVE_CUTOFF)),
        usable=not any(critical for oid, (critical, _) in extensions.items() if oid not in known),
    )


def _cert_id(found: Any) -> CertId:
    return CertId(
        digest=_DIGESTS.get(found["hash_algorithm"]["algorithm"].dotted),
        issuer_name_hash=bytes(found["issuer_name_hash"]),
        issuer_key_hash=bytes(found["issuer_key_hash"]),
        serial=int(found["serial_number"].native),
    )


def _extensions(found: Any) -> dict[str, tuple[bool, bytes]]:
    """Critical or not, and the value's bytes, by OID. Raises ValueError for one that occurs twice."""
    if isinstance(found, core.Void):
        return {}
    pairs = [(e["extn_id"].dotted, (bool(e["critical"].native), bytes(e["extn_value"]))) for e in found]
    if len(dict(pairs)) != len(pairs):
        raise ValueError("an extension that occurs twice")
    return dict(pairs)


def _time(value: Any) -> datetime:
    moment = value.native
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        raise ValueError("not a time in UTC")
    return moment


def _time_in(extension: tuple[bool, bytes] | None) -> datetime | None:
    if extension is None:
        return None
    return _time(core.GeneralizedTime.load(extension[1], strict=True))  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True)
class OcspRequest:
    """What somebody asks. `ids` goes back in the answer byte by byte; `nonce` too (RFC 9654: 1 to 128 octets)."""

    ids: tuple[tuple[CertId, bytes], ...]
    nonce: bytes | None


def parse_ocsp_request(der: bytes) -> OcspRequest:
    """The request in `der`, of at most 4 KiB and 16 certificates. A requestor's signature is not looked at. Raises
    MalformedRevocation. Spec: RFC 6960 section 4.1.1.
    """
    if len(der) > MAX_REQUEST:
        raise MalformedRevocation(f"an OCSP request of more than {MAX_REQUEST} bytes")
    try:
        request: Any = ocsp.OCSPRequest.load(bytes(der), strict=True)  # type: ignore[no-untyped-call]
        asked = request["tbs_request"]
        if not 0 < len(asked["request_list"]) <= _MAX_ASKED:
            raise ValueError("nothing asked, or too much")
        extensions = _extensions(asked["request_extensions"])
        nonce = extensions.get(_NONCE)
        if nonce is not None and not 0 < len(nonce[1]) <= 130:
            raise ValueError("a nonce of a length that is not allowed")
        if any(critical for oid, (critical, _) in extensions.items() if oid != _NONCE):
            raise ValueError("a critical extension that is not processed")
        ids = tuple((_cert_id(one["req_cert"]), one["req_cert"].dump()) for one in asked["request_list"])
    except NOT_READABLE as err:
        raise MalformedRevocation("not a DER OCSP request") from err
    return OcspRequest(ids, None if nonce is None else nonce[1])
