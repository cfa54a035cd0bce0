"""Certificates as mdocs: what is mapped comes back whole, and what does not name its seal is no certificate of ours."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from keys.algorithms import ES256
from keys.envelopes.mdoc import Mdoc, issue_mdoc, parse_mdoc, select_elements
from keys.signer import EphemeralSigner
from tests.keys.mdocs import CERTIFICATE
from trust_registry.attestations import Attestation, StatusReference
from trust_registry.catalogue import COMMON_TYPES
from trust_registry.errors import MalformedAttestation
from trust_registry.identifiers import CertificateId
from trust_registry.mdoc_attestations import CORE, doc_type_of, from_mdoc, to_mdoc, type_of_doc_type
from trust_registry.model import IssuerId, SealId, TypeId

DAY_0 = datetime(2026, 3, 1, 8, tzinfo=UTC)
SIGNER = EphemeralSigner.generate(ES256)
WHOLE = Attestation(
    certificate_id=CertificateId("1.2.156.3005.2.x"),
    type_id=TypeId("common/marriage-certificate"),
    issuer_id=IssuerId("990100/civil-affairs"),
    seal_id=SealId("990100/civil-affairs/99010000000001"),
    issued_at=DAY_0,
    valid_from=DAY_0,
    valid_until=None,
    status=StatusReference("https://east.example/status/1", 7),
    claims={"holder_name": "林晓", "members": [{"name": "周远", "share": 0.5}], "copies": 2, "none": None},
    holder_key=EphemeralSigner.generate(ES256).public_key.jwk(),
)
DOC_TYPE = "org.yinxin.common.marriage-certificate.1"


def made(attestation: Attestation = WHOLE, **changes: Any) -> Mdoc:
    content = replace(to_mdoc(attestation), **changes)
    signed = issue_mdoc(
        content.doc_type,
        content.elements,
        signer=SIGNER,
        chain=[CERTIFICATE.der],
        validity=content.validity,
        device_key=attestation.holder_key,
        status=content.status,
    )
    return parse_mdoc(signed)


@pytest.mark.parametrize(
    "attestation",
    [
        WHOLE,
        replace(WHOLE, holder_key=None),
        replace(WHOLE, claims={}),
        replace(WHOLE, valid_until=DAY_0 + timedelta(days=30)),
        replace(WHOLE, valid_from=DAY_0 + timedelta(days=3)),
        replace(WHOLE, valid_from=DAY_0 - timedelta(days=3)),
    ],
)
def test_what_is_written_reads_back(attestation: Attestation) -> None:
    assert from_mdoc(made(attestation)) == attestation


def test_9_1_2_4_valid_from_is_never_before_the_signature() -> None:
    validity = to_mdoc(replace(WHOLE, valid_from=DAY_0 - timedelta(days=3))).validity
    assert validity.valid_from == validity.signed == DAY_0


def test_token_status_list_6_3_the_status_stands_in_the_mso() -> None:
    assert made().mso.status == {"status_list": {"idx": 7, "uri": "https://east.example/status/1"}}


def test_every_type_of_the_catalogue_has_a_document_type_of_its_own() -> None:
    names = {doc_type_of(each.id) for each in COMMON_TYPES}
    assert len(names) == len(COMMON_TYPES)
    assert {type_of_doc_type(name) for name in names} == {each.id for each in COMMON_TYPES}


@pytest.mark.parametrize("type_id", ["common", "common/a.b", "a/b/c", "/x", "x/"])
def test_types_that_have_no_document_type(type_id: str) -> None:
    with pytest.raises(ValueError, match="document type"):
        doc_type_of(TypeId(type_id))


@pytest.mark.parametrize(
    "doc_type", ["org.iso.18013.5.1.mDL", "org.yinxin.certificate.1", "org.yinxin.a.b.c.1", "org.yinxin.a.b", ".a.b.1"]
)
def test_document_types_of_others(doc_type: str) -> None:
    assert type_of_doc_type(doc_type) is None


def test_what_is_withheld_is_not_there() -> None:
    shown = parse_mdoc(
        select_elements(made(), {DOC_TYPE: {"holder_name"}, CORE: {"certificate_id", "issuer_id", "seal_id"}})
    )
    assert from_mdoc(shown) == replace(WHOLE, claims={"holder_name": "林晓"})


def core(**changes: object) -> dict[str, Any]:
    return {"elements": {CORE: {**to_mdoc(WHOLE).elements[CORE], **changes}}}


@pytest.mark.parametrize(
    "changes",
    [
        {"doc_type": "org.iso.18013.5.1.mDL"},
        {"elements": {DOC_TYPE: {"holder_name": "x"}}},
        core(seal_id=7),
        core(valid_from="yesterday"),
        {"status": {}},
        {"status": {"status_list": {"idx": -1, "uri": "x"}}},
        {"status": {"status_list": {"idx": True, "uri": "x"}}},
        {"status": {"status_list": {"idx": 1, "uri": b"x"}}},
        {"status": {"status_list": [1]}},
        {"elements": {**core()["elements"], DOC_TYPE: {"photo": b"x"}}},
        {"elements": {**core()["elements"], DOC_TYPE: {"x": [{1: 2}]}}},
        {"elements": {**core()["elements"], DOC_TYPE: {"x": {"y": float("nan")}}}},
    ],
)
def test_what_is_no_certificate_of_ours(changes: dict[str, Any]) -> None:
    with pytest.raises(MalformedAttestation):
        from_mdoc(made(**changes))
