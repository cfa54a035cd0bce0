"""What exists in the demonstration: regions, offices, scenarios, recognitions. Data only.

All names, numbers and places are fictional; codes lie outside GB/T 2260.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from stdnum.cn import uscc

from trust_registry.catalogue import (
    BUSINESS_LICENCE,
    DEGREE_CERTIFICATE,
    DRIVING_LICENCE,
    HOUSEHOLD_REGISTER,
    MARRIAGE_CERTIFICATE,
)
from trust_registry.model import (
    Assurance,
    CertificateType,
    ClaimDefinition,
    ClaimEquivalence,
    IssuerId,
    Names,
    RegionCode,
    RelyingPartyId,
    Scenario,
    ScenarioId,
    SharingClass,
    TypeId,
    TypeRequirement,
    ValidityKind,
    ValidityRule,
)

DONGLING, XICHUAN = RegionCode("990100"), RegionCode("990200")
BACK = timedelta(days=120)  # how long ago the demonstration's entries began
NOTICE = timedelta(days=30)
RESIDENCE_PERMIT = TypeId("990200/residence-permit")
ASSURANCE: Mapping[TypeId, Assurance] = {
    MARRIAGE_CERTIFICATE: Assurance.HIGH,
    HOUSEHOLD_REGISTER: Assurance.HIGH,
    DRIVING_LICENCE: Assurance.HIGH,
    BUSINESS_LICENCE: Assurance.SUBSTANTIAL,
    DEGREE_CERTIFICATE: Assurance.SUBSTANTIAL,
    RESIDENCE_PERMIT: Assurance.HIGH,
}


def organisation_code(kind: str, region: str, body: str) -> str:
    """A fictional unified social credit code (GB 32100). `kind`: 11 office, 12 school, 91 firm."""
    start = f"{kind}{region}{body}"
    return start + uscc.calc_check_digit(start)


@dataclass(frozen=True, slots=True)
class Region:
    code: RegionCode
    names: Names
    authority: Names
    officers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Office:
    region: RegionCode
    slug: str
    names: Names
    uscc: str
    types: tuple[TypeId, ...]
    contact: Names

    @property
    def id(self) -> IssuerId:
        return IssuerId(f"{self.region}/{self.slug}")


@dataclass(frozen=True, slots=True)
class Party:
    region: RegionCode
    slug: str
    names: Names
    scenarios: tuple[ScenarioId, ...]

    @property
    def id(self) -> RelyingPartyId:
        return RelyingPartyId(f"{self.region}/{self.slug}")


@dataclass(frozen=True, slots=True)
class Recognition:
    """`starts_in` from the founding: negative is in force, positive still in its notice period."""

    accepting: RegionCode
    id: str
    issuing: RegionCode
    type_id: TypeId
    scenarios: tuple[ScenarioId, ...]
    starts_in: timedelta
    as_type: TypeId | None = None  # None: as what it is
    claims: tuple[ClaimEquivalence, ...] = ()
    minimum_assurance: Assurance = Assurance.LOW


REGIONS = (
    Region(
        DONGLING,
        Names("东岭区", "Dongling District"),
        Names("东岭区政务服务和数据管理局", "Dongling Government Services and Data Bureau"),
        ("东岭 韩立", "东岭 苏敏", "东岭 顾川"),
    ),
    Region(
        XICHUAN,
        Names("西川区", "Xichuan District"),
        Names("西川区政务服务和数据管理局", "Xichuan Government Services and Data Bureau"),
        ("西川 高远", "西川 唐宁", "西川 沈岳"),
    ),
)
COMMON_OFFICERS = ("共同目录 方正", "共同目录 白雪", "共同目录 江涛")

_HALL = Names("拨打 990-12345", "Call 990-12345")
OFFICES = (
    Office(
        DONGLING,
        "civil-affairs",
        Names("东岭区民政局", "Dongling Civil Affairs Bureau"),
        organisation_code("11", "990100", "MB0010001"),
        (MARRIAGE_CERTIFICATE,),
        _HALL,
    ),
    Office(
        DONGLING,
        "public-security",
        Names("东岭区公安局", "Dongling Public Security Bureau"),
        organisation_code("11", "990100", "MB0010002"),
        (HOUSEHOLD_REGISTER, DRIVING_LICENCE),
        _HALL,
    ),
    Office(
        DONGLING,
        "market-regulation",
        Names("东岭区市场监督管理局", "Dongling Market Regulation Bureau"),
        organisation_code("11", "990100", "MB0010003"),
        (BUSINESS_LICENCE,),
        _HALL,
    ),
    Office(
        DONGLING,
        "university",
        Names("东岭大学", "Dongling University"),
        organisation_code("12", "990100", "MB0010004"),
        (DEGREE_CERTIFICATE,),
        _HALL,
    ),
    Office(
        XICHUAN,
        "civil-affairs",
        Names("西川区民政局", "Xichuan Civil Affairs Bureau"),
        organisation_code("11", "990200", "MB0020001"),
        (MARRIAGE_CERTIFICATE,),
        _HALL,
    ),
    Office(
        XICHUAN,
        "public-security",
        Names("西川区公安局", "Xichuan Public Security Bureau"),
        organisation_code("11", "990200", "MB0020002"),
        (HOUSEHOLD_REGISTER, DRIVING_LICENCE, RESIDENCE_PERMIT),
        _HALL,
    ),
    Office(
        XICHUAN,
        "market-regulation",
        Names("西川区市场监督管理局", "Xichuan Market Regulation Bureau"),
        organisation_code("11", "990200", "MB0020003"),
        (BUSINESS_LICENCE,),
        _HALL,
    ),
)

TRANSFER = ScenarioId("990200/household-transfer")
SETTLEMENT = ScenarioId("990200/talent-settlement")
FAMILY = ScenarioId("990200/marriage-benefit")
COMPANY = ScenarioId("990100/company-start")
VEHICLE = ScenarioId("990100/vehicle-registration")
COMMUTER = ScenarioId("990100/commuter-pass")

TALENT_DEGREE = TypeId("990200/talent-degree")
RESIDENCE_PROOF = TypeId("990100/residence-proof")
_LINE = {"type": "string", "minLength": 1, "maxLength": 60}
_ADDRESS = {**_LINE, "maxLength": 120}


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def _lines(claims: Mapping[str, Names]) -> dict[str, Any]:
    return _object(dict.fromkeys(claims, _ADDRESS))


_TALENT_CLAIMS = {
    "holder_name": Names("姓名", "Name"),
    "school": Names("毕业院校", "School"),
    "degree": Names("学位", "Degree"),
    "discipline": Names("专业", "Discipline"),
    "awarded_on": Names("授予日期", "Awarded on"),
}
_PROOF_CLAIMS = {
    "holder_name": Names("姓名", "Name"),
    "residence": Names("现居住地", "Place of residence"),
    "living_since": Names("何时起居住", "Living there since"),
}
_DATE = {"type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
# Under dual control: whoever collects it waits until a clerk of the office has let their wallet have it.
_RESIDENCE = CertificateType(
    id=RESIDENCE_PERMIT,
    code=f"{organisation_code('11', '990200', 'MB0020009')}002",
    names=Names("居住证", "Residence Permit"),
    claims=(
        ClaimDefinition("holder_name", Names("姓名", "Name"), on_printed_qr=True, holder_name=True),
        ClaimDefinition(
            "identity_number",
            Names("公民身份号码", "Citizen identity number"),
            on_printed_qr=True,
            masked=True,
            holder_identifier=True,
        ),
        ClaimDefinition("address", Names("居住地住址", "Address of residence")),
        ClaimDefinition("resident_since", Names("居住起始日期", "Resident since")),
        ClaimDefinition("valid_until", Names("有效期至", "Valid until"), selective=False),
    ),
    schema=_object(
        {
            "holder_name": _LINE,
            "identity_number": {"type": "string", "pattern": "^[1-9][0-9]{16}[0-9X]$"},
            "address": _ADDRESS,
            "resident_since": _DATE,
            "valid_until": _DATE,
        }
    ),
    sharing=SharingClass.CONDITIONAL,
    validity=ValidityRule(ValidityKind.CLAIM, claim="valid_until"),
    hue="#1d5c63",
    dual_control=True,
)
# Xichuan's own proof of a degree, as which it takes the common one: its counters read its own field names.
DEFINES: Mapping[RegionCode, tuple[CertificateType, ...]] = {
    XICHUAN: (
        CertificateType(
            id=TALENT_DEGREE,
            code=f"{organisation_code('11', '990200', 'MB0020009')}001",
            names=Names("人才学位证明", "Proof of Degree for Settlement"),
            claims=tuple(
                ClaimDefinition(name, names, holder_name=name == "holder_name")
                for name, names in _TALENT_CLAIMS.items()
            ),
            schema=_lines(_TALENT_CLAIMS),
            sharing=SharingClass.CONDITIONAL,
            validity=ValidityRule(ValidityKind.UNLIMITED),
            hue="#3d405b",
        ),
        _RESIDENCE,
    ),
    # As which Dongling takes Xichuan's permit: a foreign type counts as one of one's own.
    DONGLING: (
        CertificateType(
            id=RESIDENCE_PROOF,
            code=f"{organisation_code('11', '990100', 'MB0010009')}001",
            names=Names("跨区居住证明", "Proof of Residence in Another District"),
            claims=tuple(
                ClaimDefinition(name, names, holder_name=name == "holder_name") for name, names in _PROOF_CLAIMS.items()
            ),
            schema=_lines(_PROOF_CLAIMS),
            sharing=SharingClass.CONDITIONAL,
            validity=ValidityRule(ValidityKind.UNLIMITED),
            hue="#1d5c63",
        ),
    ),
}

SCENARIOS: Mapping[RegionCode, tuple[Scenario, ...]] = {
    XICHUAN: (
        Scenario(
            TRANSFER,
            Names("户口迁移（夫妻投靠）", "Household transfer (joining a spouse)"),
            Names("核对夫妻关系，办理户口迁入", "To confirm the marriage before registering the move"),
            (
                TypeRequirement(
                    (MARRIAGE_CERTIFICATE,),
                    ("holder_name", "identity_number", "spouse_name", "registered_on"),
                    ("spouse_identity_number",),
                ),
                TypeRequirement(
                    (HOUSEHOLD_REGISTER,), ("holder_name", "identity_number", "address"), ("household_number",)
                ),
            ),
        ),
        Scenario(
            SETTLEMENT,
            Names("人才落户", "Settlement of graduates"),
            Names("核对学位，办理落户", "To confirm the degree before registering the settlement"),
            (TypeRequirement((TALENT_DEGREE,), ("holder_name", "school", "degree"), ("discipline", "awarded_on")),),
        ),
        Scenario(
            FAMILY,
            Names("婚育服务登记", "Marriage and family benefits"),
            Names("核对婚姻登记，办理婚育服务", "To confirm the marriage before registering for benefits"),
            (
                TypeRequirement(
                    (MARRIAGE_CERTIFICATE,), ("holder_name", "spouse_name", "registered_on"), ("holder_birth_date",)
                ),
            ),
        ),
    ),
    DONGLING: (
        Scenario(
            COMPANY,
            Names("企业开办（异地企业设立分支机构）", "Opening a branch of a company from elsewhere"),
            Names("核对企业主体资格", "To confirm that the company exists"),
            (TypeRequirement((BUSINESS_LICENCE,), ("legal_representative", "address"), ("business_scope",)),),
        ),
        Scenario(
            VEHICLE,
            Names("机动车登记", "Vehicle registration"),
            Names("核对驾驶资格", "To confirm the right to drive"),
            (TypeRequirement((DRIVING_LICENCE,), ("holder_name",), ("identity_number", "address")),),
        ),
        Scenario(
            COMMUTER,
            Names("跨区通勤卡申领", "Pass for commuters between the districts"),
            Names("核对居住地，办理通勤卡", "To confirm where the commuter lives before issuing the pass"),
            (TypeRequirement((RESIDENCE_PROOF,), ("holder_name", "residence"), ("living_since",)),),
        ),
    ),
}

PARTIES = (
    Party(
        XICHUAN,
        "government-hall",
        Names("西川区政务服务大厅", "Xichuan Government Service Hall"),
        (TRANSFER, SETTLEMENT, FAMILY),
    ),
    Party(
        DONGLING,
        "government-hall",
        Names("东岭区政务服务大厅", "Dongling Government Service Hall"),
        (COMPANY, VEHICLE, COMMUTER),
    ),
)

_IN_FORCE = timedelta(days=-60)
RECOGNITIONS = (
    Recognition(XICHUAN, "R1", DONGLING, MARRIAGE_CERTIFICATE, (), _IN_FORCE, minimum_assurance=Assurance.HIGH),
    Recognition(XICHUAN, "R2", DONGLING, HOUSEHOLD_REGISTER, (TRANSFER,), _IN_FORCE),
    Recognition(
        XICHUAN,
        "R3",
        DONGLING,
        DEGREE_CERTIFICATE,
        (SETTLEMENT,),
        _IN_FORCE,
        TALENT_DEGREE,
        (
            ClaimEquivalence("institution", "school"),
            ClaimEquivalence("major", "discipline"),
            ClaimEquivalence("conferred_on", "awarded_on"),
        ),
        Assurance.SUBSTANTIAL,
    ),
    Recognition(XICHUAN, "R4", DONGLING, DRIVING_LICENCE, (), timedelta(days=21)),
    Recognition(DONGLING, "R1", XICHUAN, BUSINESS_LICENCE, (), _IN_FORCE),
    Recognition(DONGLING, "R2", XICHUAN, DRIVING_LICENCE, (VEHICLE,), _IN_FORCE),
    Recognition(
        DONGLING,
        "R3",
        XICHUAN,
        RESIDENCE_PERMIT,
        (COMMUTER,),
        _IN_FORCE,
        RESIDENCE_PROOF,
        (ClaimEquivalence("address", "residence"), ClaimEquivalence("resident_since", "living_since")),
        Assurance.SUBSTANTIAL,
    ),
)
