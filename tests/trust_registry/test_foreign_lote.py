"""Foreign lists in JSON (TS 119 602): read as they say, or refused naming what is wrong."""

from __future__ import annotations

import base64
import contextlib
import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from keys.envelopes.base64url import b64url_encode
from keys.envelopes.jades import sign_jades
from tests.trust_registry.foreign_lists import DAY_0, STATUS, days, key, text
from trust_registry.core.foreign import service_status_at
from trust_registry.errors import InvalidForeignList
from trust_registry.interchange.lote_reading import MAX_SIZE, read_lote, unsafe_read_lote
from trust_registry.model import LISTED, EntryStatus, ForeignList

SIGNER = key("operator")
IDENTITY = {"X509Certificates": [{"val": base64.b64encode(key("service").certificate).decode()}]}


def some_text(value: str) -> list[dict[str, str]]:
    return [{"lang": "en", "value": value}]


DOCUMENT: dict[str, Any] = {
    "LoTE": {
        "ListAndSchemeInformation": {
            "LoTEVersionIdentifier": 1,
            "LoTESequenceNumber": 7,
            "LoTEType": "http://lists.example/type",
            "SchemeOperatorName": [*some_text("Office"), {"lang": "zh-CN", "value": "局"}],
            "SchemeInformationURI": [{"lang": "en", "uriValue": "https://lists.example/about"}],
            "SchemeTerritory": "EE",
            "ListIssueDateTime": text(DAY_0),
            "NextUpdate": text(days(100)),
            "PointersToOtherLoTE": [
                {
                    "LoTELocation": "https://lists.example/lv.json",
                    "ServiceDigitalIdentities": [IDENTITY],
                    "LoTEQualifiers": [{"LoTEType": "http://lists.example/type", "MimeType": "application/jose"}],
                }
            ],
        },
        "TrustedEntitiesList": [
            {
                "TrustedEntityInformation": {"TEName": some_text("Entity")},
                "TrustedEntityServices": [
                    {
                        "ServiceInformation": {
                            "ServiceName": some_text("Service"),
                            "ServiceDigitalIdentity": IDENTITY,
                            "ServiceTypeIdentifier": "http://lists.example/service",
                            "ServiceStatus": STATUS + "withdrawn",
                            "StatusStartingTime": text(days(-5)),
                            "ServiceInformationExtensions": [
                                {"AdditionalServiceInformation": {"lang": "en", "uriValue": "urn:a"}},
                                {"AdditionalServiceInformation": {"URI": {"lang": "en", "uriValue": "urn:b"}}},
                                {"AdditionalServiceInformation": "urn:c"},
                                {"Strange": 1},
                                "stranger",
                            ],
                        },
                        "ServiceHistory": [
                            {
                                "ServiceName": some_text("Service"),
                                "ServiceDigitalIdentity": IDENTITY,
                                "ServiceStatus": STATUS + "granted",
                                "StatusStartingTime": text(days(-50)),
                            }
                        ],
                    },
                    {"ServiceInformation": {"ServiceName": some_text("Bare"), "ServiceDigitalIdentity": {}}},
                ],
            }
        ],
    }
}


def signed(document: Any, by: str = "operator") -> bytes:
    payload = document if isinstance(document, bytes) else json.dumps(document).encode()
    signing = key(by)
    return sign_jades(payload, signer=signing.signer, certificate=signing.certificate, signing_time=DAY_0).encode()


def read(document: Any) -> ForeignList:
    return read_lote(signed(document), [SIGNER.certificate])


def changed(path: str, value: Any) -> dict[str, Any]:
    """The document with another value at `path`; "scheme" and "service" are short for where most things are."""
    document = deepcopy(DOCUMENT)
    at: Any = document["LoTE"]
    short = {"scheme": "ListAndSchemeInformation", "service": "TrustedEntitiesList/0/TrustedEntityServices/0"}
    *parents, last = "/".join(short.get(part, part) for part in path.split("/")).split("/")
    for part in parents:
        at = at[int(part) if part.isdigit() else part]
    if value is None:
        del at[last]
    else:
        at[int(last) if last.isdigit() else last] = value
    return document


def test_list_is_read_as_it_says() -> None:
    found = read(DOCUMENT)
    assert (found.territory, found.sequence_number, found.list_type) == ("EE", 7, "http://lists.example/type")
    assert (found.scheme_operator.en, found.scheme_operator.zh) == ("Office", "局")
    assert (found.issued_at, found.next_update) == (DAY_0, days(100))
    assert found.information_uris == ("https://lists.example/about",)
    assert found.pointers[0].signers == (key("service").certificate,)
    service = found.services[0]
    assert service.identity.certificates == (key("service").certificate,)
    assert service.current.additional == ("urn:a", "urn:b", "urn:c")
    assert [period.service_type for period in service.history] == ["http://lists.example/service"] * 2
    assert [service_status_at(service, days(day)) for day in (-51, -50, -5)] == [
        *(None, EntryStatus.GRANTED, EntryStatus.WITHDRAWN),
    ]


def test_entry_without_a_status_is_on_the_list_since_it_was_issued() -> None:
    bare = read(DOCUMENT).services[1]
    assert (bare.current.status_uri, bare.current.since) == (LISTED, DAY_0)
    assert service_status_at(bare, DAY_0) is EntryStatus.GRANTED
    assert service_status_at(bare, days(-1)) is None


def test_service_is_known_by_its_keys() -> None:
    numbers = rsa.generate_private_key(65537, 2048).public_key()
    modulus = b64url_encode(numbers.public_numbers().n.to_bytes(256)).decode()
    identity = {
        "X509SubjectNames": ["CN=A"],
        "X509SKIs": [base64.b64encode(b"k" * 20).decode()],
        "PublicKeyValues": [{"kty": "RSA", "n": modulus, "e": "AQAB"}, SIGNER.signer.public_key.jwk()],
    }
    found = read(changed("service/ServiceInformation/ServiceDigitalIdentity", identity)).services[0].identity
    assert (found.subject_names, found.key_ids) == (("CN=A",), (b"k" * 20,))
    rsa_spki = numbers.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert found.public_keys == (rsa_spki, SIGNER.signer.public_key.spki)


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        ("scheme", None, "ListAndSchemeInformation"),
        ("scheme/LoTEVersionIdentifier", 2, "LoTEVersionIdentifier"),
        ("scheme/LoTEVersionIdentifier", True, "LoTEVersionIdentifier"),
        ("scheme/LoTESequenceNumber", 0, "LoTESequenceNumber"),
        ("scheme/LoTESequenceNumber", 2**60, "LoTESequenceNumber"),
        ("scheme/LoTESequenceNumber", "7", "LoTESequenceNumber"),
        ("scheme/ListIssueDateTime", None, "ListIssueDateTime"),
        ("scheme/NextUpdate", "2026-01-01", "NextUpdate"),
        ("scheme/SchemeOperatorName", [], "SchemeOperatorName"),
        ("scheme/SchemeOperatorName", {}, "SchemeOperatorName"),
        ("scheme/SchemeTerritory", " ", "SchemeTerritory"),
        ("scheme/PointersToOtherLoTE/0/LoTEQualifiers", [], "LoTEQualifiers"),
        ("scheme/PointersToOtherLoTE/0/LoTELocation", None, "LoTELocation"),
        ("service/ServiceInformation", [], "ServiceInformation"),
        ("service/ServiceInformation/StatusStartingTime", None, "StatusStartingTime"),
        ("service/ServiceInformation/StatusStartingTime", text(days(-60)), "ServiceHistory"),
        ("service/ServiceInformation/ServiceDigitalIdentity/X509Certificates", [{"val": "*"}], "X509Certificates"),
        ("service/ServiceInformation/ServiceDigitalIdentity/PublicKeyValues", [{"kty": "X"}], "PublicKeyValues"),
        ("service/ServiceInformation/ServiceDigitalIdentity/X509SubjectNames", [1], "X509SubjectNames"),
        ("service/ServiceInformation/ServiceInformationExtensions", [{"AdditionalServiceInformation": 1}], None),
        ("service/ServiceHistory/0/ServiceStatus", None, "ServiceStatus"),
    ],
)
def test_list_that_breaks_its_form_is_refused_by_field(path: str, value: Any, field: str | None) -> None:
    with pytest.raises(InvalidForeignList) as refusal:
        read(changed(path, value))
    assert refusal.value.field.split(".")[-1] == (field or "AdditionalServiceInformation")


@pytest.mark.parametrize("payload", [b"", b"[]", b"{}", b'{"LoTE":1}', b'{"LoTE":{},"LoTE":{}}', b"[" * 5000, b"\xff"])
def test_other_documents_are_no_lists(payload: bytes) -> None:
    with pytest.raises(InvalidForeignList):
        read(payload)


def test_list_signed_by_a_stranger_is_refused() -> None:
    with pytest.raises(InvalidForeignList, match="signature"):
        read_lote(signed(DOCUMENT, "stranger"), [SIGNER.certificate])
    assert unsafe_read_lote(signed(DOCUMENT, "stranger")).sequence_number == 7


def test_list_of_100_megabytes_is_refused_before_it_is_read() -> None:
    for reader in (lambda data: read_lote(data, [SIGNER.certificate]), unsafe_read_lote):
        with pytest.raises(InvalidForeignList, match="more than"):
            reader(bytes(100 << 20))
    assert MAX_SIZE < 100 << 20


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None, max_examples=80)
@given(st.sampled_from(["scheme/SchemeOperatorName", "scheme/PointersToOtherLoTE", "service/ServiceHistory",
    "service/ServiceInformation/ServiceDigitalIdentity", "service/ServiceInformation/ServiceInformationExtensions",
    "TrustedEntitiesList", "scheme/NextUpdate"]), JSON)  # fmt: skip
def test_anything_signed_is_a_list_or_the_one_error(path: str, value: Any) -> None:
    with contextlib.suppress(InvalidForeignList):
        assert isinstance(read(changed(path, value)), ForeignList)


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=400) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_the_one_error(data: bytes) -> None:
    with pytest.raises(InvalidForeignList):
        read_lote(data, [SIGNER.certificate])
    with pytest.raises(InvalidForeignList):
        unsafe_read_lote(data)


EXAMPLE = Path(__file__).parents[2].parent / "shared" / "specs" / "etsi" / "lote-example-full.json"


@pytest.mark.skipif(not EXAMPLE.is_file(), reason="no specs/etsi/lote-example-full.json beside the repository")
def test_the_example_of_etsi_is_read() -> None:
    """TS 119 602's own full example; the placeholders in place of its certificates and key are filled in."""

    def filled(value: Any) -> Any:
        if isinstance(value, list):
            return [filled(each) for each in value]
        if not isinstance(value, dict):
            return value
        certificate = IDENTITY["X509Certificates"]
        return {
            name: certificate if name == "X509Certificates" else filled(each)
            for name, each in value.items()
            if name not in {"PublicKeyValue", "X509SKI"}
        }

    found = read(filled(json.loads(EXAMPLE.read_bytes())))
    assert (found.sequence_number, found.territory, found.scheme_operator.en) == (
        42,
        "FR",
        "National Agency for Digital Trust",
    )
    (pointer,) = found.pointers
    assert (pointer.location, pointer.territory) == ("https://other-lote.example.org/lotefile.xml", "EU")
    (service,) = found.services
    assert (service.provider.en, service.names.en) == ("Certified Service Provider", "Signature Qualifiée")
    assert [line.since.year for line in service.history] == [2022, 2024]
    assert service_status_at(service, days(0)) is not EntryStatus.GRANTED  # its statuses are nobody's
