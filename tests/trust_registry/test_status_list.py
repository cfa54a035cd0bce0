"""Token Status Lists: the draft's own examples, real tokens, and every way in which one may lie."""

from __future__ import annotations

import json
import zlib
from base64 import b64encode
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.algorithms import ES256
from keys.envelopes.base64url import b64url_encode
from keys.envelopes.jws import sign_jws
from keys.signer import EphemeralSigner, Signer
from tests.trust_registry.network import (
    DAY,
    DAY_0,
    EAST,
    STATUS_URI,
    east_list,
    everyone,
    issuer_entry,
    key_entry,
    office,
    view_of,
    withdrawn,
)
from trust_registry.errors import MalformedStatusToken, StatusIndexOutOfRange
from trust_registry.model import (
    CertificateStatus,
    EntryReason,
    KeyEntry,
    KeyUse,
    StatusList,
    StatusProblem,
    StatusProblemKind,
    StatusSnapshot,
    TrustView,
)
from trust_registry.status_list import (
    StatusListBuilder,
    inflate,
    make_status_token,
    new_status_list,
    open_status_token,
    parse_status_token,
    status_at_index,
)

VALID, INVALID, SUSPENDED = CertificateStatus.VALID, CertificateStatus.INVALID, CertificateStatus.SUSPENDED
HOUR = timedelta(hours=1)


def token(
    signer: Signer | None = None, *, uri: str = STATUS_URI, statuses: StatusList | None = None, **changes: Any
) -> str:
    builder = new_status_list(16)
    builder.set(3, INVALID)
    values = {"issued_at": DAY_0 + DAY, "expires_at": DAY_0 + 2 * DAY, "ttl": HOUR} | changes
    return make_status_token(
        statuses or builder.freeze(), uri=uri, signer=signer or office(EAST).status_signer, **values
    )


def opened(text: str | bytes, view: TrustView | None = None, uri: str = STATUS_URI) -> StatusSnapshot | StatusProblem:
    return open_status_token(text, uri=uri, view=view or everyone(), at=DAY_0 + DAY, fetched_at=DAY_0 + DAY)


def test_the_drafts_two_bit_example() -> None:
    """Token Status List section 4.1: 12 entries, least significant bits first."""
    data = inflate(bytes.fromhex("78da3be9f2130003df0207"))
    assert data == bytes.fromhex("c944f9")
    values = [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3]
    expected = [CertificateStatus(value) if value < 3 else None for value in values]
    assert [status_at_index(StatusList(2, data), index) for index in range(12)] == expected


def test_the_drafts_one_bit_example() -> None:
    data = inflate(bytes.fromhex("78dadbb918000217015d"))
    assert data == bytes.fromhex("b9a3")
    assert [status_at_index(StatusList(1, data), index).value for index in range(16)] == [
        int(bit) for bit in "1001110111000101"
    ]


@given(st.dictionaries(st.integers(0, 99), st.sampled_from(CertificateStatus)))
def test_a_builder_keeps_each_entry_apart(wanted: dict[int, CertificateStatus]) -> None:
    builder = new_status_list(100)
    for index in wanted:
        builder.set(index, SUSPENDED)
    for index, status in wanted.items():
        builder.set(index, status)
    assert [builder.get(index) for index in range(100)] == [wanted.get(index, VALID) for index in range(100)]
    assert StatusListBuilder(builder.freeze().data).freeze() == builder.freeze()


@pytest.mark.parametrize("index", [-1, 100])
def test_an_index_out_of_bounds_is_refused_never_valid(index: int) -> None:
    """Section 8.3 step 6: if the index is out of bounds, the Referenced Token MUST be rejected."""
    builder = new_status_list(100)
    for act in (lambda: builder.set(index, VALID), lambda: builder.get(index)):
        with pytest.raises(StatusIndexOutOfRange, match=f"{index} is outside a list of 100"):
            act()


def test_a_token_by_the_listed_status_key_is_believed() -> None:
    text = token(certificate=office(EAST).status)
    found = opened(text)
    assert isinstance(found, StatusSnapshot)
    assert (found.issuer, found.ttl, found.issued_at) == ("990100/civil-affairs", HOUR, DAY_0 + DAY)
    assert status_at_index(found.statuses, 3) is INVALID
    assert status_at_index(found.statuses, 2) is VALID
    assert found.digest.startswith("sha256:")
    assert parse_status_token(text).signed.header["x5t#S256"]


def test_a_token_carries_its_signers_certificate_but_not_the_anchor() -> None:
    """OpenID4VC HAIP section 6.1: the public key MUST be included in `x5c`, the trust anchor MUST NOT."""
    certificate = office(EAST).status
    header = parse_status_token(token(certificate=certificate)).signed.header
    assert header["x5c"] == [b64encode(certificate.der).decode()]
    assert certificate.subject_name_der != certificate.issuer_name_der


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (token(EphemeralSigner.generate(ES256)), StatusProblemKind.FORGED),
        (token(office(EAST).seal_signer), StatusProblemKind.FORGED),
        (token()[:-6] + "AAAAAA", StatusProblemKind.FORGED),
        (token(issued_at=DAY_0 + 3 * DAY), StatusProblemKind.FORGED),
        (token(uri=STATUS_URI.replace("1.jwt", "2.jwt")), StatusProblemKind.MISPLACED),
        ("not a token", StatusProblemKind.MALFORMED),
        ("", StatusProblemKind.MALFORMED),
    ],
    ids=["unknown key", "seal key", "altered", "from the future", "for another URI", "no JWT", "empty"],
)
def test_a_token_that_lies_is_a_problem_with_its_name(text: str, kind: StatusProblemKind) -> None:
    found = opened(text)
    assert isinstance(found, StatusProblem)
    assert found.kind is kind


def test_a_token_where_no_listed_issuer_publishes_is_misplaced() -> None:
    elsewhere = "http://elsewhere.test/1.jwt"
    found = opened(token(uri=elsewhere), uri=elsewhere)
    assert isinstance(found, StatusProblem)
    assert found.kind is StatusProblemKind.MISPLACED


def with_status_key(key: KeyEntry) -> TrustView:
    return view_of(replace(east_list(), attests=(replace(issuer_entry(), status_keys=(key,)),)))


@pytest.mark.parametrize(
    "key",
    [
        replace(issuer_entry().status_keys[0], history=withdrawn(issuer_entry().status_keys[0].history, DAY_0)),
        replace(
            issuer_entry().status_keys[0],
            history=withdrawn(issuer_entry().status_keys[0].history, DAY_0 + DAY, EntryReason.KEY_ROLLOVER),
        ),
        key_entry(KeyUse.STATUS, office(EAST).status, DAY_0 + 9 * DAY),
        replace(issuer_entry().status_keys[0], certificate=b"not DER"),
    ],
    ids=["withdrawn before", "withdrawn now", "granted later", "unreadable certificate"],
)
def test_a_key_that_does_not_stand_signs_nothing(key: KeyEntry) -> None:
    found = opened(token(), with_status_key(key))
    assert isinstance(found, StatusProblem)
    assert found.kind is StatusProblemKind.FORGED


def test_a_status_key_needs_a_path_to_the_regions_ca() -> None:
    found = opened(token(), view_of(replace(east_list(), authorities=())))
    assert isinstance(found, StatusProblem)
    assert found.kind is StatusProblemKind.FORGED


def _text(data: bytes) -> str:
    return b64url_encode(data).decode()


def made(header: dict[str, Any] | None = None, **claims: Any) -> str:
    payload = {
        "sub": STATUS_URI,
        "iat": 1_767_312_000,
        "status_list": {"bits": 2, "lst": _text(zlib.compress(bytes(4)))},
    }
    payload |= claims
    kept = {name: value for name, value in payload.items() if value is not None}
    signer = office(EAST).status_signer
    return sign_jws(header or {"typ": "statuslist+jwt"}, json.dumps(kept).encode(), signer)


def test_exp_and_ttl_are_optional() -> None:
    """Section 5.1: exp and ttl are RECOMMENDED, not REQUIRED."""
    parsed = parse_status_token(made())
    assert (parsed.expires_at, parsed.ttl) == (None, None)


@pytest.mark.parametrize(
    "text",
    [
        made({"typ": "JWT"}),
        made(sub=None),
        made(iat=None),
        made(iat="1767312000"),
        made(iat=True),
        made(exp=-1),
        made(exp="soon"),
        made(nbf=True),
        made(ttl=0),
        made(ttl=-1),
        made(ttl=True),
        made(ttl=10**18),
        made(aud="https://somebody.example"),
        made(status_list=None),
        made(status_list=[]),
        made(status_list={"bits": 2}),
        made(status_list={"bits": 3, "lst": ""}),
        made(status_list={"bits": True, "lst": ""}),
        made(status_list={"bits": 2, "lst": "äö"}),
        made(status_list={"bits": 2, "lst": "AAAA"}),
        made(status_list={"bits": 2, "lst": _text(zlib.compress(bytes(64))[:-4])}),
        made(status_list={"bits": 2, "lst": _text(zlib.compress(bytes(64)) + b"more")}),
        sign_jws({"typ": "statuslist+jwt"}, b"[]", office(EAST).status_signer),
        sign_jws({"typ": "statuslist+jwt"}, b'{"sub":1,"sub":2}', office(EAST).status_signer),
    ],
)
def test_a_malformed_token_is_one_error(text: str) -> None:
    with pytest.raises(MalformedStatusToken):
        parse_status_token(text)


def test_seconds_may_have_parts() -> None:
    """RFC 7519 section 2: a NumericDate is a number; Token Status List section 5.1: so is ttl."""
    parsed = parse_status_token(made(iat=1_767_312_000.5, exp=1_767_312_900.25, ttl=1.5))
    assert parsed.issued_at.microsecond == 500_000
    assert parsed.expires_at is not None
    assert (parsed.expires_at - parsed.issued_at, parsed.ttl) == (
        timedelta(seconds=899.75),
        timedelta(seconds=1.5),
    )


def test_a_token_before_its_nbf_is_not_believed() -> None:
    """Token Status List section 5.1 rule 3; RFC 7519 section 4.1.5: before nbf it MUST NOT be accepted."""
    at = int((DAY_0 + DAY).timestamp())
    assert isinstance(opened(made(iat=at, nbf=at)), StatusSnapshot)
    found = opened(made(iat=at, nbf=at + 3600))
    assert isinstance(found, StatusProblem)
    assert found.kind is StatusProblemKind.MALFORMED


def test_claims_of_others_are_left_alone() -> None:
    """Token Status List section 5.1 rule 1: the JWT MAY contain other claims; so may its status_list."""
    more = {"bits": 2, "lst": _text(zlib.compress(bytes(4))), "aggregation_uri": "https://x.example/all", "x": [1]}
    assert isinstance(opened(made(iss="https://x.example", jti="1", status_list=more)), StatusSnapshot)


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_every_size_of_entry_may_be_read(bits: int) -> None:
    """Token Status List section 4.1: bits is 1, 2, 4 or 8. Section 7.1: what is not registered means nothing here."""
    packed = bytes([0b1110_0100]) * 8
    statuses = parse_status_token(made(status_list={"bits": bits, "lst": _text(zlib.compress(packed))})).statuses
    assert len(statuses) == 64 // bits
    values = [packed[0] >> position & ((1 << bits) - 1) for position in range(0, 8, bits)]
    expected = [CertificateStatus(value) if value < 3 else None for value in values]
    assert [status_at_index(statuses, index) for index in range(8 // bits)] == expected
    with pytest.raises(StatusIndexOutOfRange):
        status_at_index(statuses, 64 // bits)


def test_a_zip_bomb_stops_at_the_bound() -> None:
    with pytest.raises(MalformedStatusToken, match="inflated"):
        inflate(zlib.compress(bytes(1 << 20)), max_size=1 << 16)


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_a_token_or_one_error(data: bytes) -> None:
    with pytest.raises(MalformedStatusToken):
        parse_status_token(data)
