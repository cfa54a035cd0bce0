"""The issuing form that a certificate type makes of itself, and what becomes of what a clerk types."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuer.errors import ClaimsInvalid, IssuerError
from issuer.forms import InputKind, fields_of, holder_of, read_claims
from issuer.model import HolderKind
from issuer.wording import REASONS, REASONS_FOR, ROW_UNREADABLE, refusal
from tests.running import citizen_number
from trust_registry.catalogue import BUSINESS_LICENCE, COMMON_TYPES, COMMON_TYPES_BY_ID, MARRIAGE_CERTIFICATE
from trust_registry.model import CertificateType, ClaimDefinition, Names

MARRIAGE = COMMON_TYPES_BY_ID[MARRIAGE_CERTIFICATE]
BUSINESS = COMMON_TYPES_BY_ID[BUSINESS_LICENCE]
TYPED = {
    "certificate_number": "J990102-2026-000001",
    "holder_name": " 林晓 ",
    "identity_number": citizen_number(3),
    "holder_sex": "女",
    "holder_birth_date": "1990-01-01",
    "spouse_name": "周远",
    "spouse_identity_number": citizen_number(4),
    "spouse_sex": "男",
    "spouse_birth_date": "1990-01-01",
    "registered_on": "2026-05-20",
}


def one_claim(schema: dict[str, Any], *, required: bool = True) -> CertificateType:
    return replace(
        MARRIAGE,
        claims=(ClaimDefinition("x", Names("甲", "X")),),
        schema={"type": "object", "properties": {"x": schema}, "required": ["x"] if required else []},
    )


@pytest.mark.parametrize(
    ("schema", "kind", "typed", "claim"),
    [
        ({"type": "string"}, InputKind.TEXT, " a ", "a"),
        ({"type": "string", "maxLength": 500}, InputKind.LONG_TEXT, "a", "a"),
        ({"type": "string", "format": "date"}, InputKind.DATE, "2026-05-20", "2026-05-20"),
        ({"type": "string", "enum": ["男", "女"]}, InputKind.CHOICE, "女", "女"),
        ({"type": "integer"}, InputKind.NUMBER, "-12", -12),
        ({"type": "number"}, InputKind.NUMBER, "1.5", 1.5),
        ({"type": "boolean"}, InputKind.SWITCH, "true", True),
        ({"type": "boolean"}, InputKind.SWITCH, "", False),
        ({"type": "array", "items": {"type": "string"}}, InputKind.LINES, "甲\n\n 乙", ["甲", "乙"]),
    ],
)
def test_the_schema_says_how_a_claim_is_typed_in(schema: Any, kind: InputKind, typed: str, claim: Any) -> None:
    type_ = one_claim(schema)
    assert fields_of(type_)[0].kind is kind
    assert read_claims(type_, {"x": typed}) == ({"x": claim}, {})


@pytest.mark.parametrize(
    ("schema", "typed", "words"),
    [
        ({"type": "string"}, "", "请填写"),
        ({"type": "string", "format": "date"}, "2026-02-30", "存在的日期"),
        ({"type": "string", "enum": ["男", "女"]}, "他", "选项"),
        ({"type": "string", "maxLength": 2}, "abc", "太长"),
        ({"type": "integer"}, "many", "格式不对"),
        ({"type": "string", "pattern": "^[0-9]+$"}, "x", "格式不对"),
    ],
)
def test_what_is_wrong_is_said_by_field_and_repeats_no_value(schema: Any, typed: str, words: str) -> None:
    errors = read_claims(one_claim(schema), {"x": typed})[1]
    assert words in errors["x"].zh
    assert not typed or typed not in errors["x"].zh + errors["x"].en


def test_whole_claims_have_a_holder() -> None:
    claims, errors = read_claims(MARRIAGE, TYPED)
    assert errors == {}
    holder = holder_of(MARRIAGE, claims)
    assert holder is not None
    assert (holder.kind, holder.name, holder.number) == (HolderKind.CITIZEN, "林晓", TYPED["identity_number"])


def test_a_number_typed_in_lower_case_is_the_same_number() -> None:
    claims, _ = read_claims(MARRIAGE, TYPED | {"identity_number": "11010519491231002x"})
    assert claims["identity_number"] == "11010519491231002X"


def test_a_mistyped_digit_is_found_before_anything_is_issued() -> None:
    wrong = TYPED["identity_number"][:-2] + ("1" if TYPED["identity_number"][-2] != "1" else "2") + "X"
    assert "校验位" in read_claims(MARRIAGE, TYPED | {"identity_number": wrong})[1]["identity_number"].zh


def test_a_business_licence_is_held_by_an_organisation() -> None:
    holder = holder_of(BUSINESS, {"uscc": "91350100M000100Y43", "organisation_name": "青禾"})
    assert holder is not None
    assert holder.kind is HolderKind.ORGANISATION


def test_without_a_number_there_is_no_holder() -> None:
    assert holder_of(MARRIAGE, {"holder_name": "林晓"}) is None


@given(
    st.sampled_from(COMMON_TYPES), st.dictionaries(st.text(max_size=20), st.text(max_size=40), max_size=6), st.data()
)
def test_whatever_is_typed_gives_claims_or_errors_of_the_type(
    type_: CertificateType, extra: dict[str, str], data: st.DataObject
) -> None:
    names = [claim.name for claim in type_.claims]
    typed = extra | {name: data.draw(st.text(max_size=40)) for name in data.draw(st.sets(st.sampled_from(names)))}
    claims, errors = read_claims(type_, typed)
    assert set(claims) <= set(names)
    assert set(errors) <= set(names)
    assert errors  # every type needs more than three lucky guesses


def test_every_reason_has_words_and_every_change_has_reasons() -> None:
    for reasons in REASONS_FOR.values():
        assert all(REASONS[reason].zh and REASONS[reason].en for reason in reasons)


def test_every_refusal_is_worded() -> None:
    class Unheard(IssuerError):
        pass

    assert refusal(Unheard()).zh
    assert refusal(ClaimsInvalid("/claims/sex", "is required")) not in (refusal(Unheard()), ROW_UNREADABLE)
