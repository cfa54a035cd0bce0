"""One content, three carriers: what is written is read back, what is damaged is one error, and the QR stays small."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.algorithms import ES256
from keys.envelopes import cbor
from keys.envelopes.cose import sign_cose_sign1
from keys.envelopes.qr_text import encode_qr_text
from keys.signer import EphemeralSigner
from tests.trust_registry.network import DAY, DAY_0, STATUS_URI
from trust_registry.attestations import (
    CLAIM_NUMBERS,
    TYPE_NUMBERS,
    Attestation,
    StatusReference,
    from_cwt,
    from_json,
    from_sd_jwt_claims,
    to_copy_claims,
    to_cwt,
    to_json,
    to_sd_jwt_claims,
)
from trust_registry.catalogue import COMMON_TYPES, COMMON_TYPES_BY_ID, MARRIAGE_CERTIFICATE
from trust_registry.errors import MalformedAttestation
from trust_registry.identifiers import make_certificate_id
from trust_registry.model import CertificateType, IssuerId, SealId, TypeId

CLAIMS = {
    "holder_name": "欧阳雨桐",
    "identity_number": "990100199001011235",
    "relation_to_head": "户主",
    "spouse_name": "西门吹雪",
    "registered_on": "2026-05-20",
    "organisation_name": "东岭区云上信息技术有限责任公司",
    "uscc": "91350100M000100Y43",
    "legal_representative": "张三丰",
    "certificate_number": "J990100-2026-000123",
    "institution": "东岭大学",
    "degree": "工学学士",
    "conferred_on": "2026-06-30",
    "vehicle_class": "C1",
}
MARRIAGE = COMMON_TYPES_BY_ID[MARRIAGE_CERTIFICATE]


def attestation(type_: CertificateType = MARRIAGE, **changes: Any) -> Attestation:
    claims = {c.name: CLAIMS.get(c.name, "2026-01-01") for c in type_.claims}
    made = Attestation(
        make_certificate_id(type_.code, "11990100MB0000002X", "0123456789AB"),
        type_.id,
        IssuerId("990100/civil-affairs"),
        SealId("990100/civil-affairs/99010000000001"),
        DAY_0,
        DAY_0,
        DAY_0 + 365 * DAY,
        StatusReference(STATUS_URI, 1_048_123),
        claims,
    )
    return replace(made, **changes)


UNUSUAL = [
    {"valid_until": None},
    {"valid_from": DAY_0 - DAY},
    {"certificate_id": "1.2.156.3005.2.11100000MB03271699022.340100.000000016.001.9"},
    {"certificate_id": "another scheme/2026/7"},
    {"type_id": TypeId("990100/residence-permit")},
    {"seal_id": SealId("990100/civil-affairs/seal-one")},
    {"seal_id": SealId("990200/elsewhere/99010000000001")},
    {"status": StatusReference("https://status.test/7", 0)},
    {"status": StatusReference("https://990100/civil-affairs/990100/civil-affairs/1", 0)},
    {"holder_key": {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}},
]


@pytest.mark.parametrize("changes", [{}, *UNUSUAL], ids=str)
def test_sd_jwt_and_json_carry_everything(changes: dict[str, Any]) -> None:
    a = attestation(**changes)
    claims, disclosable = to_sd_jwt_claims(a, MARRIAGE)
    assert from_sd_jwt_claims(json.loads(json.dumps(claims))) == a
    assert "certificate_number" not in disclosable
    assert {"spouse_name", "identity_number"} <= disclosable <= a.claims.keys()
    assert from_json(to_json(a)) == a


@pytest.mark.parametrize("changes", [{}, *UNUSUAL], ids=str)
def test_the_printed_qr_carries_the_public_claims_masked(changes: dict[str, Any]) -> None:
    a = attestation(**changes)
    read = from_cwt(to_cwt(a, MARRIAGE))
    assert read == replace(a, claims=read.claims, holder_key=None)
    assert read.claims == {
        "certificate_number": "J990100-2026-000123",
        "holder_name": "欧阳雨桐",
        "identity_number": "990***********1235",
        "spouse_name": "西门吹雪",
        "registered_on": "2026-05-20",
    }


def test_a_claim_without_a_number_is_carried_by_name() -> None:
    odd = replace(MARRIAGE.claims[0], name="quite_unknown", masked=False)
    type_ = replace(MARRIAGE, claims=(odd,))
    a = attestation(claims={"quite_unknown": {"deep": [1, 2]}})
    assert from_cwt(to_cwt(a, type_)).claims == {"quite_unknown": {"deep": [1, 2]}}


@pytest.mark.parametrize("type_", COMMON_TYPES, ids=lambda t: t.id)
def test_the_printed_qr_stays_small_enough_to_scan(type_: CertificateType) -> None:
    signer = EphemeralSigner.generate(ES256)
    payload = to_cwt(attestation(type_), type_)
    text = encode_qr_text("YX1:", sign_cose_sign1(payload, signer=signer, kid=bytes(8)))
    assert len(text) <= 480


def test_numbers_once_printed_keep_their_meaning() -> None:
    assert [number for _, number in sorted(TYPE_NUMBERS.items(), key=lambda p: p[1])] == list(range(1, 6))
    assert len(set(CLAIM_NUMBERS.values())) == len(CLAIM_NUMBERS)
    assert CLAIM_NUMBERS["holder_name"] == 1
    assert CLAIM_NUMBERS["operating_until"] == 19


@pytest.mark.parametrize("name", ["iss", "aud", "aka_vcts", "_sd"])
def test_a_claim_cannot_take_a_protocol_claims_name(name: str) -> None:
    with pytest.raises(ValueError, match="reserved"):
        to_sd_jwt_claims(attestation(claims={name: "urn:evil"}), MARRIAGE)


def test_a_code_for_somebody_else_is_nobodys() -> None:
    """RFC 8392 section 3.1.3 with RFC 7519 section 4.1.3: a principal that aud does not name MUST reject."""
    payload = cbor.decode(to_cwt(attestation(), MARRIAGE))
    with pytest.raises(MalformedAttestation):
        from_cwt(cbor.encode(payload | {3: "https://hall.example"}))


def test_claims_of_a_code_that_are_not_understood_are_ignored() -> None:
    """RFC 8392 section 3: in the absence of requirements, all claims that are not understood MUST be ignored."""
    payload = cbor.decode(to_cwt(attestation(), MARRIAGE))
    assert from_cwt(cbor.encode(payload | {2: "x", 7: b"x", -1: [1], "x": 1})) == from_cwt(cbor.encode(payload))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("iss", "https://issuer.test"),
        ("vct", "urn:yinxin:issuer:x"),
        ("iat", "2026"),
        ("iat", True),
        ("iat", 1.5),
        ("exp", 10**30),
        ("nbf", -1),
        ("status", {}),
        ("status", {"status_list": {"idx": -1, "uri": STATUS_URI}}),
        ("status", {"status_list": {"idx": True, "uri": STATUS_URI}}),
        ("status", {"status_list": {"idx": 1, "uri": 7}}),
        ("status", []),
        ("cnf", {"jwk": "key"}),
        ("cnf", {"kid": "x"}),
        ("certificate_id", None),
        ("seal_id", 1),
    ],
)
def test_a_wrong_protocol_claim_is_one_error(name: str, value: object) -> None:
    claims, _ = to_sd_jwt_claims(attestation(), MARRIAGE)
    with pytest.raises(MalformedAttestation):
        from_sd_jwt_claims(claims | {name: value})


def test_a_copy_without_iss_is_its_seals_owners() -> None:
    """SD-JWT VC section 2.2.2.2: `iss` is optional where the certificate in x5c says who signed."""
    claims, disclosable = to_copy_claims(attestation())
    assert "iss" not in claims
    assert disclosable == {"certificate_id", *attestation().claims}
    assert from_sd_jwt_claims(claims) == attestation()


@pytest.mark.parametrize("seal", ["", "seal", "/14", 14])
def test_a_copy_whose_seal_names_no_owner_is_one_error(seal: object) -> None:
    claims, _ = to_copy_claims(attestation())
    with pytest.raises(MalformedAttestation):
        from_sd_jwt_claims(claims | {"seal_id": seal})


@pytest.mark.parametrize("name", ["vct", "iat", "nbf", "status", "certificate_id", "seal_id"])
def test_a_missing_protocol_claim_is_one_error(name: str) -> None:
    claims, _ = to_sd_jwt_claims(attestation(), MARRIAGE)
    del claims[name]
    with pytest.raises(MalformedAttestation):
        from_sd_jwt_claims(claims)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (0, b"short"),
        (0, b"\xff" * 42),
        (0, 7),
        (1, 99),
        (1, []),
        (2, "seal" * 2000),
        (2, None),
        (3, [1, 2]),
        (3, 9),
        (4, -1),
        (4, "1"),
        (5, {99: "claim"}),
        (5, {b"x": 1}),
        (5, []),
    ],
)
def test_a_wrong_part_of_a_qr_is_one_error_or_an_unlisted_name(place: int, value: object) -> None:
    payload = cbor.decode(to_cwt(attestation(), MARRIAGE))
    payload[-70001][place] = value
    if place == 2 and isinstance(value, str):
        assert from_cwt(cbor.encode(payload)).seal_id == value  # names nothing that any list knows
        return
    with pytest.raises(MalformedAttestation):
        from_cwt(cbor.encode(payload))


@given(st.binary(max_size=300))
def test_any_bytes_are_an_attestation_or_one_error(data: bytes) -> None:
    for read in (from_cwt, from_json):
        try:
            assert isinstance(read(data), Attestation)
        except MalformedAttestation:
            pass


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(max_size=8) | st.binary(max_size=44),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.integers(-99, 99) | st.text(max_size=4), inner),
    max_leaves=8,
)


@given(whole=values, parts=st.dictionaries(st.sampled_from([1, 4, 5, 6, -70001]), values))
def test_any_cbor_and_any_json_is_an_attestation_or_one_error(whole: Any, parts: dict[int, Any]) -> None:
    payload = cbor.decode(to_cwt(attestation(), MARRIAGE))
    for value in (whole, payload | parts):
        try:
            assert isinstance(from_cwt(cbor.encode(value)), Attestation)
        except MalformedAttestation:
            pass
    for read in (from_sd_jwt_claims, lambda value: from_json(json.dumps(value, default=str, skipkeys=True).encode())):
        with pytest.raises(MalformedAttestation):
            read(whole)


@pytest.mark.parametrize("data", [b"\x80", b"\x81\x00", b"\x60", b"\xa0", b"\xf6"], ids=bytes.hex)
def test_cbor_that_is_no_map_of_claims_is_one_error(data: bytes) -> None:
    with pytest.raises(MalformedAttestation):
        from_cwt(data)


@given(st.data())
def test_a_qr_with_any_byte_changed_is_an_attestation_or_one_error(data: st.DataObject) -> None:
    payload = bytearray(to_cwt(attestation(), MARRIAGE))
    payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    try:
        assert isinstance(from_cwt(bytes(payload)), Attestation)
    except MalformedAttestation:
        pass


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "yinxin-certificate/2"},
        {"issued_at": "2026-01-01"},
        {"issued_at": 1},
        {"status": None},
        {"claims": []},
        {"valid_until": "never"},
        {"holder_key": "x"},
    ],
    ids=str,
)
def test_a_wrong_attachment_is_one_error(changes: dict[str, Any]) -> None:
    document = json.loads(to_json(attestation())) | changes
    with pytest.raises(MalformedAttestation):
        from_json(json.dumps(document).encode())


instants = st.integers(0, 4_000_000_000).map(lambda n: datetime.fromtimestamp(n, UTC))


@given(
    issued=instants,
    start=instants,
    end=st.none() | instants,
    index=st.integers(0, 2**40),
    serial=st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=7, max_size=32),
    name=st.text(max_size=20),
)
def test_whatever_is_written_is_read_back(
    issued: datetime, start: datetime, end: datetime | None, index: int, serial: str, name: str
) -> None:
    a = attestation(
        certificate_id=make_certificate_id(MARRIAGE.code, "11990100MB0000002X", serial),
        issued_at=issued,
        valid_from=start,
        valid_until=end,
        status=StatusReference(STATUS_URI, index),
        claims={"holder_name": name},
    )
    assert from_cwt(to_cwt(a, MARRIAGE)) == a
    assert from_sd_jwt_claims(to_sd_jwt_claims(a, MARRIAGE)[0]) == a
    assert from_json(to_json(a)) == a
