"""Lists of health-certificate signers: believed when pinned or signed, one signer an entry, nothing assumed."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keys.envelopes.jades import sign_jades
from tests.trust_registry.foreign_lists import DAY_0, days, key
from trust_registry.core.foreign import service_status_at
from trust_registry.errors import InvalidForeignList
from trust_registry.interchange.dcc import KIND_URN, MAX_SIZE, PINNED, read_dcc, unsafe_read_dcc, write_dcc
from trust_registry.model import DCC_SIGNER, EntryStatus, ForeignList

CERTIFICATE = key("DSC").certificate
KID = hashlib.sha256(CERTIFICATE).digest()[:8]
ENTRY = {
    "country": "FR",
    "kid": base64.b64encode(KID).decode(),
    "certificate": base64.b64encode(CERTIFICATE).decode(),
}
OPERATOR = key("operator")


def flat(*entries: Any) -> bytes:
    return json.dumps(list(entries)).encode()


def pinned(data: bytes) -> ForeignList:
    return read_dcc(data, pin=hashlib.sha256(data).hexdigest())


def signed(document: Any, by: str = "operator") -> bytes:
    signing = key(by)
    payload = json.dumps(document).encode()
    return sign_jades(payload, signer=signing.signer, certificate=signing.certificate, signing_time=DAY_0).encode()


@pytest.mark.parametrize(
    "data",
    [
        flat(ENTRY),
        json.dumps({"certificates": [ENTRY], "more": 1}).encode(),
        flat({"country": "fr", "keyId": ENTRY["kid"], "rawData": ENTRY["certificate"], "timestamp": "?"}),
        f"country,kid,certificate\r\n{ENTRY['country']},{ENTRY['kid']},{ENTRY['certificate']}\r\n".encode(),
        f"\ufeffkid;country;certificate\n{ENTRY['kid']};FR;{ENTRY['certificate']}\n".encode(),
        flat(ENTRY, ENTRY),
    ],
)
def test_flat_list_is_read_in_every_form(data: bytes) -> None:
    found = pinned(data)
    (service,) = found.services
    assert (service.territory, service.identity.key_ids) == ("FR", (KID,))
    assert service.identity.certificates == (CERTIFICATE,)
    assert service.current.service_type == DCC_SIGNER
    assert found.services_by_key_id[KID] == (service,)
    assert found.signed_by == PINNED
    assert service_status_at(service, DAY_0) is EntryStatus.GRANTED
    assert service_status_at(service, days(-3000)) is None  # before its certificate began


def test_signer_without_usages_may_certify_all_kinds() -> None:
    (service,) = pinned(flat(ENTRY)).services
    assert service.current.additional == tuple(KIND_URN + kind for kind in "tvr")


def test_two_signers_with_one_key_id_are_both_there() -> None:
    """HCERT section 3.3.3: a verifier MUST check all signers with that kid."""
    other = {**ENTRY, "certificate": base64.b64encode(key("other").certificate).decode()}
    assert len(pinned(flat(ENTRY, other)).services_by_key_id[KID]) == 2


def test_unsigned_list_is_believed_only_as_pinned() -> None:
    data = flat(ENTRY)
    for pin in ("", "0" * 64, hashlib.sha256(data + b" ").hexdigest(), hashlib.sha1(data).hexdigest()):
        with pytest.raises(InvalidForeignList, match="pinned"):
            read_dcc(data, pin=pin)
    with pytest.raises(InvalidForeignList, match="signature"):
        read_dcc(data, signers=[OPERATOR.certificate])
    assert unsafe_read_dcc(data).services


def test_list_that_a_region_vouches_for_reads_back() -> None:
    services = pinned(flat(ENTRY)).services
    data = write_dcc(services, 3, DAY_0, days(7), OPERATOR.signer, OPERATOR.certificate)
    found = read_dcc(data, signers=[OPERATOR.certificate])
    assert found.services == services
    assert (found.sequence_number, found.issued_at, found.next_update) == (3, DAY_0, days(7))
    assert found.signed_by == hashlib.sha256(OPERATOR.certificate).hexdigest()
    assert unsafe_read_dcc(data) == found
    with pytest.raises(InvalidForeignList, match="signature"):
        read_dcc(data, signers=[key("stranger").certificate])


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"country": "FRA"}, "country"),
        ({"country": None}, "country"),
        ({"country": 7}, "country"),
        ({"kid": "*"}, "kid"),
        ({"kid": " "}, "kid"),
        ({"keyId": ENTRY["kid"]}, "kid"),
        ({"certificate": "AAAA"}, "certificate"),
    ],
)
def test_entry_that_breaks_its_form_is_refused_by_number(change: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidForeignList) as refusal:
        pinned(flat(ENTRY, {**ENTRY, **change}))
    assert refusal.value.field == f"certificates[1].{field}"


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{}", b"[1]", b"country,kid,certificate\n", b'a,"b', b"\xff", b"[" * 999]
)
def test_other_files_are_no_lists(data: bytes) -> None:
    with pytest.raises(InvalidForeignList):
        pinned(data)


@pytest.mark.parametrize(
    "document",
    [
        [ENTRY],
        {},
        {"certificates": [ENTRY], "sequence_number": 0},
        {"certificates": [ENTRY], "sequence_number": True},
        {"certificates": [ENTRY], "issued_at": "today"},
        {"certificates": [ENTRY], "next_update": 7},
    ],
)
def test_signed_list_that_breaks_its_form_is_refused(document: Any) -> None:
    with pytest.raises(InvalidForeignList):
        read_dcc(signed(document), signers=[OPERATOR.certificate])


def test_list_of_100_megabytes_is_refused_before_it_is_read() -> None:
    data = bytes(100 << 20)
    for reader in (pinned, unsafe_read_dcc, lambda each: read_dcc(each, signers=[OPERATOR.certificate])):
        with pytest.raises(InvalidForeignList, match="more than"):
            reader(data)
    assert MAX_SIZE < 100 << 20


@settings(deadline=None, max_examples=80)
@given(st.binary(max_size=300) | st.text(max_size=200).map(str.encode) | st.builds(flat, st.fixed_dictionaries(
    {"country": st.text(max_size=3), "kid": st.text(max_size=12), "certificate": st.text(max_size=12)})))  # fmt: skip
def test_any_bytes_are_a_list_or_the_one_error(data: bytes) -> None:
    for reader in (pinned, unsafe_read_dcc, lambda each: read_dcc(each, signers=[OPERATOR.certificate])):
        with contextlib.suppress(InvalidForeignList):
            assert isinstance(reader(data), ForeignList)
