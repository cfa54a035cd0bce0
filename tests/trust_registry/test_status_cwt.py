"""Status list tokens in CBOR (Token Status List sections 4.3 and 5.2): the same list, believed by the same rules."""

from __future__ import annotations

import zlib
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.envelopes import cbor
from keys.envelopes.cose import parse_cose_sign1, sign_cose_sign1
from keys.x509 import parse_certificate
from tests.trust_registry.network import (
    DAY,
    DAY_0,
    EAST,
    STATUS_URI,
    east_list,
    everyone,
    issuer_entry,
    office,
    view_of,
    withdrawn,
)
from trust_registry.errors import MalformedStatusToken
from trust_registry.model import (
    CertificateStatus,
    EntryReason,
    StatusNote,
    StatusProblem,
    StatusProblemKind,
    StatusReason,
    StatusSnapshot,
    TrustView,
)
from trust_registry.status_cache import StatusCache
from trust_registry.status_list import (
    make_status_cwt,
    make_status_token,
    new_status_list,
    open_status_token,
    parse_status_token,
    status_at_index,
)
from trust_registry.status_notes import note_at_index, pack_notes

SIGNER = office(EAST).status_signer
AT = DAY_0 + DAY
PACKED = zlib.compress(bytes(4))
CLAIMS: dict[Any, Any] = {2: STATUS_URI, 6: 1_767_312_000, 65533: {"bits": 2, "lst": PACKED}}


def cwt(claims: Any = None, typ: Any = "application/statuslist+cwt", **changes: Any) -> bytes:
    return sign_cose_sign1(
        cbor.encode(
            {**CLAIMS, **{int(number): value for number, value in changes.items()}} if claims is None else claims
        ),
        signer=SIGNER,
        kid=b"status",
        content_type=typ,
    )


def opened(token: bytes, view: TrustView | None = None, **changes: Any) -> StatusSnapshot | StatusProblem:
    return open_status_token(
        token, **{"uri": STATUS_URI, "view": view or everyone(), "at": AT, "fetched_at": AT, **changes}
    )


def test_5_2_both_forms_say_the_same() -> None:
    builder = new_status_list(64)
    builder.set(9, CertificateStatus.INVALID)
    values: dict[str, Any] = {
        "uri": STATUS_URI,
        "signer": SIGNER,
        "issued_at": AT,
        "expires_at": AT + DAY,
        "ttl": timedelta(minutes=5),
        "notes": pack_notes({9: StatusNote(StatusReason.CORRECTION, AT)}),
        "certificate": parse_certificate(issuer_entry().status_keys[0].certificate),
        "aggregation_uri": "https://east.example/status/aggregation.json",
    }
    text, binary = make_status_token(builder.freeze(), **values), make_status_cwt(builder.freeze(), **values)
    assert binary[:1] == b"\xd2", "section 5.2: tagged as COSE_Sign1, and not as a CWT"
    one, other = opened(text.encode()), opened(binary)
    assert isinstance(one, StatusSnapshot)
    assert isinstance(other, StatusSnapshot)
    assert replace(other, digest=one.digest) == one
    assert status_at_index(other.statuses, 9) is CertificateStatus.INVALID
    assert note_at_index(other.statuses, other.notes, 9) == StatusNote(StatusReason.CORRECTION, AT)
    assert parse_status_token(binary).aggregation_uri == parse_status_token(text).aggregation_uri
    assert len(binary) < len(text)
    assert parse_cose_sign1(binary).unprotected[33] == values["certificate"].der, "RFC 9360 section 2: x5chain of one"


def test_another_key_made_it() -> None:
    stranger = sign_cose_sign1(
        cbor.encode(CLAIMS), signer=office("990200").status_signer, kid=b"", content_type="application/statuslist+cwt"
    )
    found = opened(stranger)
    assert isinstance(found, StatusProblem)
    assert found.kind is StatusProblemKind.FORGED


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(cwt(typ="application/statuslist+jwt"), id="5.2: another type"),
        pytest.param(cwt(typ=None), id="5.2: no type"),
        pytest.param(b"\xd8\x3d" + cwt(), id="5.2: tagged as a CWT"),
        pytest.param(cwt()[1:], id="5.2: not tagged"),
        pytest.param(cwt()[:-1], id="cut short"),
        pytest.param(cwt([]), id="claims are an array"),
        pytest.param(cwt({"sub": STATUS_URI, 6: 1, 65533: CLAIMS[65533]}), id="5.2: the subject is claim 2"),
        pytest.param(cwt(**{"2": b"uri"}), id="5.2: the subject is bytes"),
        pytest.param(cwt({2: STATUS_URI, 65533: CLAIMS[65533]}), id="5.2: no time of issue"),
        pytest.param(cwt(**{"6": "now"}), id="5.2: the time of issue is text"),
        pytest.param(cwt(**{"4": -1}), id="5.2: it expired before time began"),
        pytest.param(cwt(**{"65534": 0}), id="5.2: ttl is not positive"),
        pytest.param(cwt(**{"3": "somebody"}), id="rfc8392 3.1.3: for somebody"),
        pytest.param(cwt({2: STATUS_URI, 6: 1}), id="5.2: no status list"),
        pytest.param(cwt(**{"65533": {"bits": 3, "lst": PACKED}}), id="4.3: bits is 3"),
        pytest.param(cwt(**{"65533": {"bits": 2, "lst": "text"}}), id="4.3: the list is text"),
        pytest.param(cwt(**{"65533": {"bits": 2}}), id="4.3: no list"),
        pytest.param(cwt(**{"65533": {"bits": 2, "lst": PACKED, "aggregation_uri": 5}}), id="4.3: aggregation_uri"),
        pytest.param(cwt(**{"65533": {"bits": 2, "lst": PACKED[:-1]}}), id="4.3: the list is cut short"),
    ],
)
def test_a_malformed_token_is_one_error(token: bytes) -> None:
    with pytest.raises(MalformedStatusToken):
        parse_status_token(token)
    found = opened(token)
    assert isinstance(found, StatusProblem)
    assert found.kind is StatusProblemKind.MALFORMED


def test_exp_and_ttl_are_optional_and_other_claims_are_left_alone() -> None:
    parsed = parse_status_token(cwt(**{"99": "more", "1": "issuer"}))
    assert (parsed.expires_at, parsed.ttl, parsed.notes, parsed.aggregation_uri) == (None, None, None, None)


@given(st.binary(max_size=120))
def test_any_bytes_are_a_token_or_one_error(data: bytes) -> None:
    with pytest.raises(MalformedStatusToken):
        parse_status_token(b"\xd2" + data)


# --- keys that are known as stolen


def stolen(since_days: int, known_days: int) -> TrustView:
    """East's status key, withdrawn for compromise `known_days` after DAY_0, doubted since `since_days` after it."""
    key = issuer_entry().status_keys[0]
    history = withdrawn(key.history, DAY_0 + known_days * DAY, EntryReason.KEY_COMPROMISE)
    doubted = replace(history[-1], invalidity_date=DAY_0 + since_days * DAY)
    key = replace(key, history=(*history[:-1], doubted))
    return view_of(replace(east_list(), attests=(replace(issuer_entry(), status_keys=(key,)),)))


def test_rfc5280_5_3_2_a_compromise_counts_from_its_invalidity_date_whenever_it_is_asked_for() -> None:
    """Asked as of a day at which nobody knew of it: whoever had the key could write any `iat`."""
    claims = cwt(**{"6": int((DAY_0 + 6 * DAY).timestamp())})
    asked: dict[str, Any] = {"at": DAY_0 + 7 * DAY, "fetched_at": DAY_0 + 30 * DAY}
    found = opened(claims, stolen(5, 10), **asked)
    assert isinstance(found, StatusProblem)
    assert found.kind is StatusProblemKind.FORGED
    assert isinstance(opened(claims, **asked), StatusSnapshot)


def test_what_was_fetched_before_the_compromise_stands() -> None:
    claims = cwt(**{"6": int((DAY_0 + 2 * DAY).timestamp())})
    asked: dict[str, Any] = {"at": DAY_0 + 3 * DAY, "fetched_at": DAY_0 + 2 * DAY}
    assert isinstance(opened(claims, stolen(5, 10), **asked), StatusSnapshot)
    backdated = opened(claims, stolen(5, 10), at=DAY_0 + 3 * DAY, fetched_at=DAY_0 + 5 * DAY)
    assert isinstance(backdated, StatusProblem)


def test_a_cbor_list_is_kept_to_its_last_byte(tmp_path: Path) -> None:
    """Text is trimmed of what a file system or editor appended; a signature may end like white space."""
    token = next(token for token in iter(cwt, b"") if token[-1:].isspace())
    kept = StatusCache(tmp_path).refresh([STATUS_URI], lambda _: token, everyone(), AT)
    assert isinstance(kept.get(STATUS_URI), StatusSnapshot)
    assert isinstance(StatusCache(tmp_path).load(everyone(), AT).get(STATUS_URI), StatusSnapshot)
