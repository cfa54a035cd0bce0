"""The five certificate types that the common body defines, and checking claims against a type's schema.

Data, not policy: which issuer may issue which type is in the region lists. Types of a network in operation come from
its verified lists; these are what a new network starts from.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import SchemaError, ValidationError
from referencing import Registry
from referencing.exceptions import Unresolvable

from trust_registry.errors import ClaimsInvalid, InvalidList
from trust_registry.model import (
    CertificateType,
    ClaimDefinition,
    Names,
    RegionCode,
    SharingClass,
    TypeId,
    ValidityKind,
    ValidityRule,
)

COMMON: Final = RegionCode("common")
COMMON_NAMES: Final = Names("证照互认共同目录", "Common catalogue of certificate types")
COMMON_AUTHORITY: Final = Names("证照互认联席会议", "Joint Conference on Mutual Recognition")
COMMON_USCC: Final = "11990000MB0000001M"  # fictional: 990000 is outside GB/T 2260

HOUSEHOLD_REGISTER: Final = TypeId("common/household-register")
MARRIAGE_CERTIFICATE: Final = TypeId("common/marriage-certificate")
BUSINESS_LICENCE: Final = TypeId("common/business-licence")
DEGREE_CERTIFICATE: Final = TypeId("common/degree-certificate")
DRIVING_LICENCE: Final = TypeId("common/driving-licence")

_SCHEMA: Final = "https://json-schema.org/draft/2020-12/schema"
_DATE: Final = {"type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
_CITIZEN: Final = {"type": "string", "pattern": "^[1-9][0-9]{16}[0-9X]$"}
_USCC: Final = {"type": "string", "pattern": "^[0-9]{8}[0-9A-HJ-NPQRTUWXY]{10}$"}
_SEX: Final = {"type": "string", "enum": ["男", "女"]}


def _line(longest: int = 60) -> dict[str, Any]:
    """One line of text: no control characters, so nothing can disturb a document or a log."""
    return {"type": "string", "minLength": 1, "maxLength": longest, "pattern": r"^[^\u0000-\u001f\u007f]+$"}


def _claim(name: str, zh: str, en: str, *marks: str) -> ClaimDefinition:
    """`marks`: always, printed, masked, number (identifies the holder), name (names the holder)."""
    return ClaimDefinition(
        name=name,
        names=Names(zh, en),
        selective="always" not in marks,
        on_printed_qr="printed" in marks,
        masked="masked" in marks,
        holder_identifier="number" in marks,
        holder_name="name" in marks,
    )


def _schema(properties: Mapping[str, Any], *optional: str) -> dict[str, Any]:
    return {
        "$schema": _SCHEMA,
        "type": "object",
        "properties": dict(properties),
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }


_HOUSEHOLD = CertificateType(
    id=HOUSEHOLD_REGISTER,
    code=f"{COMMON_USCC}001",
    names=Names("居民户口簿（户籍信息摘录）", "Household Register Extract"),
    claims=(
        _claim("holder_name", "姓名", "Name", "printed", "name"),
        _claim("identity_number", "公民身份号码", "Citizen identity number", "printed", "masked", "number"),
        _claim("sex", "性别", "Sex"),
        _claim("birth_date", "出生日期", "Date of birth"),
        _claim("ethnicity", "民族", "Ethnicity"),
        _claim("native_place", "籍贯", "Native place"),
        _claim("household_number", "户号", "Household number"),
        _claim("household_type", "户别", "Type of household"),
        _claim("household_head", "户主姓名", "Head of household"),
        _claim("relation_to_head", "与户主关系", "Relation to head", "printed"),
        _claim("address", "住址", "Registered address"),
        _claim("registered_on", "登记日期", "Registered on", "printed"),
    ),
    schema=_schema(
        {
            "holder_name": _line(),
            "identity_number": _CITIZEN,
            "sex": _SEX,
            "birth_date": _DATE,
            "ethnicity": _line(20),
            "native_place": _line(),
            "household_number": {"type": "string", "pattern": "^[0-9]{6,12}$"},
            "household_type": {"type": "string", "enum": ["家庭户", "集体户"]},
            "household_head": _line(),
            "relation_to_head": _line(20),
            "address": _line(120),
            "registered_on": _DATE,
        },
        "native_place",
    ),
    sharing=SharingClass.CONDITIONAL,
    validity=ValidityRule(ValidityKind.FIXED, days=365),
    hue="#7a4b2a",
)

_MARRIAGE = CertificateType(
    id=MARRIAGE_CERTIFICATE,
    code=f"{COMMON_USCC}002",
    names=Names("结婚证", "Marriage Certificate"),
    claims=(
        _claim("certificate_number", "结婚证字号", "Certificate number", "always", "printed"),
        _claim("holder_name", "持证人姓名", "Holder's name", "printed", "name"),
        _claim("identity_number", "持证人身份证件号", "Holder's identity number", "printed", "masked", "number"),
        _claim("holder_sex", "持证人性别", "Holder's sex"),
        _claim("holder_birth_date", "持证人出生日期", "Holder's date of birth"),
        _claim("spouse_name", "配偶姓名", "Spouse's name", "printed"),
        _claim("spouse_identity_number", "配偶身份证件号", "Spouse's identity number"),
        _claim("spouse_sex", "配偶性别", "Spouse's sex"),
        _claim("spouse_birth_date", "配偶出生日期", "Spouse's date of birth"),
        _claim("registered_on", "登记日期", "Registered on", "printed"),
    ),
    schema=_schema(
        {
            "certificate_number": {"type": "string", "pattern": "^[JL]?[0-9]{6}-[0-9]{4}-[0-9]{6}$"},
            "holder_name": _line(),
            "identity_number": _CITIZEN,
            "holder_sex": _SEX,
            "holder_birth_date": _DATE,
            "spouse_name": _line(),
            "spouse_identity_number": _CITIZEN,
            "spouse_sex": _SEX,
            "spouse_birth_date": _DATE,
            "registered_on": _DATE,
        }
    ),
    sharing=SharingClass.CONDITIONAL,
    validity=ValidityRule(ValidityKind.UNLIMITED),
    hue="#9b2226",
)

_BUSINESS = CertificateType(
    id=BUSINESS_LICENCE,
    code=f"{COMMON_USCC}003",
    names=Names("营业执照", "Business Licence"),
    claims=(
        _claim("uscc", "统一社会信用代码", "Unified social credit code", "always", "printed", "number"),
        _claim("organisation_name", "名称", "Name", "always", "printed", "name"),
        _claim("organisation_type", "类型", "Type", "always"),
        _claim("legal_representative", "法定代表人", "Legal representative", "printed"),
        _claim("registered_capital", "注册资本", "Registered capital"),
        _claim("established_on", "成立日期", "Established on"),
        _claim("operating_until", "营业期限至", "Operating until"),
        _claim("address", "住所", "Address"),
        _claim("business_scope", "经营范围", "Scope of business"),
        _claim("registered_on", "核准日期", "Registered on"),
    ),
    schema=_schema(
        {
            "uscc": _USCC,
            "organisation_name": _line(),
            "organisation_type": _line(),
            "legal_representative": _line(),
            "registered_capital": _line(40),
            "established_on": _DATE,
            "operating_until": _DATE,
            "address": _line(120),
            "business_scope": _line(500),
            "registered_on": _DATE,
        },
        "operating_until",
        "registered_capital",
    ),
    sharing=SharingClass.UNCONDITIONAL,
    validity=ValidityRule(ValidityKind.CLAIM, claim="operating_until"),
    hue="#1f3a5f",
)

_DEGREE = CertificateType(
    id=DEGREE_CERTIFICATE,
    code=f"{COMMON_USCC}004",
    names=Names("学位证书", "Degree Certificate"),
    claims=(
        _claim("certificate_number", "证书编号", "Certificate number", "always", "printed"),
        _claim("holder_name", "姓名", "Name", "printed", "name"),
        _claim("identity_number", "公民身份号码", "Citizen identity number", "number"),
        _claim("sex", "性别", "Sex"),
        _claim("birth_date", "出生日期", "Date of birth"),
        _claim("institution", "学位授予单位", "Awarding institution", "always", "printed"),
        _claim("degree", "学位", "Degree", "printed"),
        _claim("major", "学科专业", "Discipline"),
        _claim("conferred_on", "授予日期", "Conferred on", "printed"),
    ),
    schema=_schema(
        {
            "certificate_number": {"type": "string", "pattern": "^[0-9]{16}$"},
            "holder_name": _line(),
            "identity_number": _CITIZEN,
            "sex": _SEX,
            "birth_date": _DATE,
            "institution": _line(),
            "degree": {"type": "string", "pattern": "^.{2,20}(学士|硕士|博士)$|^(学士|硕士|博士)$"},
            "major": _line(),
            "conferred_on": _DATE,
        }
    ),
    sharing=SharingClass.CONDITIONAL,
    validity=ValidityRule(ValidityKind.UNLIMITED),
    hue="#3d405b",
)

_DRIVING = CertificateType(
    id=DRIVING_LICENCE,
    code=f"{COMMON_USCC}005",
    names=Names("机动车驾驶证", "Driving Licence"),
    claims=(
        _claim("holder_name", "姓名", "Name", "printed", "name"),
        _claim("identity_number", "证号", "Licence number", "printed", "masked", "number"),
        _claim("sex", "性别", "Sex"),
        _claim("nationality", "国籍", "Nationality"),
        _claim("birth_date", "出生日期", "Date of birth"),
        _claim("address", "住址", "Address"),
        _claim("first_issued_on", "初次领证日期", "First issued on"),
        _claim("vehicle_class", "准驾车型", "Class", "always", "printed"),
        _claim("valid_until", "有效期至", "Valid until", "always"),
        _claim("file_number", "档案编号", "File number"),
    ),
    schema=_schema(
        {
            "holder_name": _line(),
            "identity_number": _CITIZEN,
            "sex": _SEX,
            "nationality": _line(20),
            "birth_date": _DATE,
            "address": _line(120),
            "first_issued_on": _DATE,
            "vehicle_class": {"type": "string", "pattern": "^([A-C][1-6]|[D-FMNP])+$", "maxLength": 16},
            "valid_until": _DATE,
            "file_number": {"type": "string", "pattern": "^[0-9]{12}$"},
        },
        "valid_until",
    ),
    sharing=SharingClass.CONDITIONAL,
    validity=ValidityRule(ValidityKind.CLAIM, claim="valid_until"),
    hue="#2d6a4f",
)

COMMON_TYPES: Final[tuple[CertificateType, ...]] = (_HOUSEHOLD, _MARRIAGE, _BUSINESS, _DEGREE, _DRIVING)
COMMON_TYPES_BY_ID: Final[Mapping[TypeId, CertificateType]] = {type_.id: type_ for type_ in COMMON_TYPES}


def validate_claims(type: CertificateType, claims: Mapping[str, Any]) -> None:
    """Refuse claims that the type's schema refuses. Identity numbers' check characters are `identifiers`.

    Raises: ClaimsInvalid with the claim's path and a message that never repeats a value.
    Spec: JSON Schema 2020-12, with `format` asserted.
    """
    try:
        errors = list(_validator(_Schema(type)).iter_errors(dict(claims)))
    except (Unresolvable, re.error) as err:
        raise ClaimsInvalid("", "the type's own schema can't be applied") from err
    error = min(errors, key=lambda e: list(map(str, e.path)), default=None)
    if error is not None:
        raise ClaimsInvalid(*_describe(error))


def check_schema(type: CertificateType) -> None:
    """Refuse a type whose schema is not JSON Schema 2020-12 or reaches outside itself. Raises: InvalidList."""
    try:
        Draft202012Validator.check_schema(dict(type.schema))
    except SchemaError as err:
        raise InvalidList("schema", f"not a JSON Schema: {err.message[:200]}") from err
    if type.schema.get("type") != "object":
        raise InvalidList("schema.type", "claims are an object")


class _Schema:
    """A type as a cache key: by identity of its schema, which it keeps alive."""

    __slots__ = ("schema",)

    def __init__(self, type_: CertificateType) -> None:
        self.schema = type_.schema

    def __hash__(self) -> int:
        return id(self.schema)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Schema) and other.schema is self.schema


@lru_cache(maxsize=1024)
def _validator(key: _Schema) -> Draft202012Validator:
    # An empty registry: a schema that refers to another document must not make this process fetch it.
    return Draft202012Validator(dict(key.schema), format_checker=FormatChecker(["date"]), registry=Registry())


def _describe(error: ValidationError) -> tuple[str, str]:
    path = ".".join(map(str, error.absolute_path))
    keyword = str(error.validator)
    rule: Any = error.validator_value
    found: Any = error.instance
    if keyword == "required":
        absent = next((name for name in rule if name not in found), "")
        return ".".join(filter(None, (path, absent))), "is required"
    if keyword == "additionalProperties":
        known = error.schema.get("properties", {}) if isinstance(error.schema, Mapping) else {}
        surplus = next((str(name) for name in found if name not in known), "")
        return ".".join(filter(None, (path, surplus))), "is not a claim of this type"
    if keyword in ("enum", "pattern", "format", "type", "minLength", "maxLength", "minimum", "maximum"):
        return path, f"does not satisfy {keyword} {rule!r}"
    return path, f"does not satisfy {keyword}"
