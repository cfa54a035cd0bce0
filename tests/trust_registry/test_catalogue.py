"""The five types: real claims pass, wrong ones are refused by name, and no refusal repeats a value."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trust_registry.catalogue import (
    BUSINESS_LICENCE,
    COMMON_TYPES,
    COMMON_TYPES_BY_ID,
    DEGREE_CERTIFICATE,
    DRIVING_LICENCE,
    HOUSEHOLD_REGISTER,
    MARRIAGE_CERTIFICATE,
    check_schema,
    validate_claims,
)
from trust_registry.errors import ClaimsInvalid, InvalidList
from trust_registry.identifiers import check_uscc
from trust_registry.model import CertificateType, TypeId, ValidityKind

EXAMPLES: dict[TypeId, dict[str, Any]] = {
    HOUSEHOLD_REGISTER: {
        "holder_name": "林知夏",
        "identity_number": "990100199001011235",
        "sex": "女",
        "birth_date": "1990-01-01",
        "ethnicity": "汉族",
        "native_place": "东岭区",
        "household_number": "99010012",
        "household_type": "家庭户",
        "household_head": "林远山",
        "relation_to_head": "女儿",
        "address": "东岭区云溪路12号3单元501室",
        "registered_on": "2020-03-01",
    },
    MARRIAGE_CERTIFICATE: {
        "certificate_number": "J990100-2026-000123",
        "holder_name": "林知夏",
        "identity_number": "990100199001011235",
        "holder_sex": "女",
        "holder_birth_date": "1990-01-01",
        "spouse_name": "周牧野",
        "spouse_identity_number": "990200198902020319",
        "spouse_sex": "男",
        "spouse_birth_date": "1989-02-02",
        "registered_on": "2026-05-20",
    },
    BUSINESS_LICENCE: {
        "uscc": "91350100M000100Y43",
        "organisation_name": "东岭区云上信息技术有限责任公司",
        "organisation_type": "有限责任公司",
        "legal_representative": "林知夏",
        "established_on": "2020-03-01",
        "address": "东岭区云溪路12号",
        "business_scope": "软件开发；信息系统集成服务",
        "registered_on": "2024-03-01",
    },
    DEGREE_CERTIFICATE: {
        "certificate_number": "9901042012000123",
        "holder_name": "林知夏",
        "identity_number": "990100199001011235",
        "sex": "女",
        "birth_date": "1990-01-01",
        "institution": "东岭大学",
        "degree": "工学学士",
        "major": "计算机科学与技术",
        "conferred_on": "2012-06-30",
    },
    DRIVING_LICENCE: {
        "holder_name": "林知夏",
        "identity_number": "990100199001011235",
        "sex": "女",
        "nationality": "中国",
        "birth_date": "1990-01-01",
        "address": "东岭区云溪路12号",
        "first_issued_on": "2012-08-01",
        "vehicle_class": "C1",
        "valid_until": "2032-08-01",
        "file_number": "990100123456",
    },
}


@pytest.mark.parametrize("type_", COMMON_TYPES, ids=lambda t: t.id)
def test_a_type_is_whole(type_: CertificateType) -> None:
    check_schema(type_)
    check_uscc(type_.code[:18])
    assert len(type_.code) == 21
    assert type_.code[18:].isdigit()
    assert set(type_.schema["properties"]) == {claim.name for claim in type_.claims}
    assert all(claim.names.zh and claim.names.en for claim in type_.claims)
    assert sum(claim.holder_identifier for claim in type_.claims) == 1
    assert sum(claim.holder_name for claim in type_.claims) == 1
    if type_.validity.kind is ValidityKind.CLAIM:
        assert type_.validity.claim in type_.schema["properties"]


def test_identity_numbers_of_people_are_never_printed_in_full() -> None:
    for type_ in COMMON_TYPES:
        for claim in type_.claims:
            if "identity_number" in claim.name:
                assert claim.masked or not claim.on_printed_qr
                assert claim.selective


@pytest.mark.parametrize("type_", COMMON_TYPES, ids=lambda t: t.id)
def test_real_claims_pass(type_: CertificateType) -> None:
    validate_claims(type_, EXAMPLES[type_.id])


@pytest.mark.parametrize(
    ("type_id", "changes", "path", "words"),
    [
        (MARRIAGE_CERTIFICATE, {"spouse_name": None}, "spouse_name", "type"),
        (MARRIAGE_CERTIFICATE, {"spouse_name": "周\n牧野"}, "spouse_name", "pattern"),
        (MARRIAGE_CERTIFICATE, {"spouse_name": ""}, "spouse_name", "minLength"),
        (MARRIAGE_CERTIFICATE, {"spouse_name": "周" * 61}, "spouse_name", "maxLength"),
        (MARRIAGE_CERTIFICATE, {"registered_on": "2026-02-30"}, "registered_on", "format"),
        (MARRIAGE_CERTIFICATE, {"holder_sex": "X"}, "holder_sex", "enum"),
        (MARRIAGE_CERTIFICATE, {"married": True}, "married", "not a claim"),
        (BUSINESS_LICENCE, {"uscc": "9135"}, "uscc", "pattern"),
        (DRIVING_LICENCE, {"vehicle_class": "Z9"}, "vehicle_class", "pattern"),
        (DEGREE_CERTIFICATE, {"degree": "大师"}, "degree", "pattern"),
    ],
)
def test_a_wrong_claim_is_named_and_its_value_kept_quiet(
    type_id: TypeId, changes: dict[str, Any], path: str, words: str
) -> None:
    with pytest.raises(ClaimsInvalid, match=words) as refusal:
        validate_claims(COMMON_TYPES_BY_ID[type_id], EXAMPLES[type_id] | changes)
    assert refusal.value.path == path
    assert all(len(str(value)) < 4 or str(value) not in str(refusal.value) for value in changes.values())


def test_a_missing_claim_is_named() -> None:
    claims = dict(EXAMPLES[MARRIAGE_CERTIFICATE])
    del claims["spouse_name"]
    with pytest.raises(ClaimsInvalid, match="spouse_name: is required"):
        validate_claims(COMMON_TYPES_BY_ID[MARRIAGE_CERTIFICATE], claims)


@given(st.dictionaries(st.text(max_size=8), st.none() | st.integers() | st.text(max_size=8), max_size=4))
def test_any_claims_pass_or_are_one_error(claims: dict[str, Any]) -> None:
    with pytest.raises(ClaimsInvalid):
        validate_claims(COMMON_TYPES_BY_ID[MARRIAGE_CERTIFICATE], claims)


def test_a_schema_with_another_rule_still_names_the_claim() -> None:
    type_ = replace(COMMON_TYPES[0], schema={"type": "object", "properties": {"n": {"multipleOf": 5}}})
    with pytest.raises(ClaimsInvalid, match="n: does not satisfy multipleOf"):
        validate_claims(type_, {"n": 7})


@pytest.mark.parametrize("schema", [{"type": "object", "properties": 7}, {"type": "array"}])
def test_a_type_whose_schema_is_none_is_refused(schema: dict[str, Any]) -> None:
    with pytest.raises(InvalidList):
        check_schema(replace(COMMON_TYPES[0], schema=schema))


@pytest.mark.parametrize("rule", [{"$ref": "http://127.0.0.1:1/evil.json"}, {"pattern": "("}], ids=str)
def test_a_schema_that_reaches_outside_or_is_broken_fetches_nothing_and_passes_nothing(rule: dict[str, Any]) -> None:
    type_ = replace(COMMON_TYPES[0], schema={"type": "object", "properties": {"n": rule}})
    with pytest.raises(ClaimsInvalid, match="own schema"):
        validate_claims(type_, {"n": "x"})
