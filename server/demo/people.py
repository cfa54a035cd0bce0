"""Who exists in the demonstration: holders, staff with their accounts, what is issued at the founding. Data only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from stdnum.iso7064 import mod_11_2

from issuer.model import HolderKind
from server.demo.world import DONGLING, RESIDENCE_PERMIT, XICHUAN, organisation_code
from trust_registry.catalogue import (
    BUSINESS_LICENCE,
    DEGREE_CERTIFICATE,
    DRIVING_LICENCE,
    HOUSEHOLD_REGISTER,
    MARRIAGE_CERTIFICATE,
)
from trust_registry.edges import Role
from trust_registry.model import IssuerId, Names, RegionCode, RelyingPartyId, TypeId


def citizen_number(region: str, born: str, sequence: int) -> str:
    """A fictional citizen number with its check digit (GB 11643); an odd sequence is a man's."""
    body = f"{region}{born.replace('-', '')}{sequence:03d}"
    return body + mod_11_2.calc_check_digit(body)


@dataclass(frozen=True, slots=True)
class Person:
    """A holder: a citizen, or an organisation with its account."""

    account: str
    name: str
    names: Names
    number: str
    kind: HolderKind = HolderKind.CITIZEN
    sex: str = "女"
    born: str = ""


@dataclass(frozen=True, slots=True)
class Staff:
    account: str
    names: Names
    role: Role
    note: Names
    region: RegionCode | None = None
    issuer: IssuerId | None = None
    party: RelyingPartyId | None = None
    next: str = "/"


@dataclass(frozen=True, slots=True)
class Issue:
    """A certificate issued at the founding; `suspended` shows what a clerk sees then."""

    office: IssuerId
    type_id: TypeId
    holder: str  # account
    claims: Mapping[str, Any] = field(default_factory=dict)
    suspended: bool = False


LIN = Person(
    "lin.xiao", "林晓", Names("林晓", "Lin Xiao"), citizen_number("990102", "1992-05-18", 124), born="1992-05-18"
)
ZHOU = Person(
    "zhou.yuan",
    "周远",
    Names("周远", "Zhou Yuan"),
    citizen_number("990203", "1990-11-03", 217),
    sex="男",
    born="1990-11-03",
)
WANG = Person(
    "wang.fang", "王芳", Names("王芳", "Wang Fang"), citizen_number("990204", "1988-02-14", 342), born="1988-02-14"
)
CHEN = Person(
    "chen.mo", "陈默", Names("陈默", "Chen Mo"), citizen_number("990105", "1999-09-09", 51), sex="男", born="1999-09-09"
)
QINGHE = Person(
    "qinghe",
    "西川青禾科技有限公司",
    Names("西川青禾科技有限公司", "Xichuan Qinghe Technology Ltd"),
    organisation_code("91", "990200", "MA5QH0001"),
    HolderKind.ORGANISATION,
)
PEOPLE = (LIN, ZHOU, WANG, CHEN, QINGHE)

RESIDENCE_CLERKS = ("clerk.xichuan.gongan", "clerk.xichuan.gongan2")  # who prepares, and who approves

STAFF = (
    Staff(
        "clerk.minzheng",
        Names("东岭民政 签发员", "Clerk, Dongling Civil Affairs"),
        Role.ISSUING_CLERK,
        Names("签发结婚证，也能暂停和撤销", "Issues marriage certificates, suspends and revokes"),
        DONGLING,
        IssuerId("990100/civil-affairs"),
        next="/desk",
    ),
    Staff(
        "clerk.gongan",
        Names("东岭公安 签发员", "Clerk, Dongling Public Security"),
        Role.ISSUING_CLERK,
        Names("签发户籍摘录和驾驶证", "Issues household extracts and driving licences"),
        DONGLING,
        IssuerId("990100/public-security"),
        next="/desk",
    ),
    Staff(
        "clerk.daxue",
        Names("东岭大学 签发员", "Clerk, Dongling University"),
        Role.ISSUING_CLERK,
        Names("签发学位证书", "Issues degree certificates"),
        DONGLING,
        IssuerId("990100/university"),
        next="/desk",
    ),
    Staff(
        "clerk.shichang",
        Names("东岭市场监管 签发员", "Clerk, Dongling Market Regulation"),
        Role.ISSUING_CLERK,
        Names("签发营业执照", "Issues business licences"),
        DONGLING,
        IssuerId("990100/market-regulation"),
        next="/desk",
    ),
    Staff(
        "clerk.xichuan",
        Names("西川市场监管 签发员", "Clerk, Xichuan Market Regulation"),
        Role.ISSUING_CLERK,
        Names("签发西川区营业执照", "Issues Xichuan's business licences"),
        XICHUAN,
        IssuerId("990200/market-regulation"),
        next="/desk",
    ),
    Staff(
        RESIDENCE_CLERKS[0],
        Names("西川公安 签发员", "Clerk, Xichuan Public Security"),
        Role.ISSUING_CLERK,
        Names("签发居住证（双人用印），办理钱包申请", "Issues residence permits (two clerks), decides wallet requests"),
        XICHUAN,
        IssuerId("990200/public-security"),
        next="/desk",
    ),
    Staff(
        RESIDENCE_CLERKS[1],
        Names("西川公安 复核员", "Second clerk, Xichuan Public Security"),
        Role.ISSUING_CLERK,
        Names("复核同事备好的居住证", "Approves residence permits that the colleague prepared"),
        XICHUAN,
        IssuerId("990200/public-security"),
        next="/desk",
    ),
    Staff(
        "counter.xichuan",
        Names("西川大厅 窗口", "Counter, Xichuan Service Hall"),
        Role.COUNTER_CLERK,
        Names("受理户口迁移、人才落户、婚育登记", "Household transfers, settlement of graduates, benefits"),
        XICHUAN,
        party=RelyingPartyId("990200/government-hall"),
        next="/counter",
    ),
    Staff(
        "counter.dongling",
        Names("东岭大厅 窗口", "Counter, Dongling Service Hall"),
        Role.COUNTER_CLERK,
        Names("受理企业开办、机动车登记、通勤卡", "Companies from elsewhere, vehicles, commuter passes"),
        DONGLING,
        party=RelyingPartyId("990100/government-hall"),
        next="/counter",
    ),
    Staff(
        "officer.dongling",
        Names("东岭 登记官", "Officer, Dongling"),
        Role.REGISTRY_OFFICER,
        Names("看名录、互认矩阵和待签提案", "Reads lists, the matrix, proposals"),
        DONGLING,
        next="/registry",
    ),
    Staff(
        "officer.xichuan",
        Names("西川 登记官", "Officer, Xichuan"),
        Role.REGISTRY_OFFICER,
        Names("看名录、互认矩阵和待签提案", "Reads lists, the matrix, proposals"),
        XICHUAN,
        next="/registry",
    ),
    Staff(
        "auditor",
        Names("审计员", "Auditor"),
        Role.AUDITOR,
        Names("只读：登记与用印记录", "Reads the registry and the log of seals"),
        next="/registry",
    ),
)


def _married(holder: Person, spouse: Person, number: str, on: str) -> dict[str, Any]:
    return {
        "certificate_number": number,
        "holder_name": holder.name,
        "identity_number": holder.number,
        "holder_sex": holder.sex,
        "holder_birth_date": holder.born,
        "spouse_name": spouse.name,
        "spouse_identity_number": spouse.number,
        "spouse_sex": spouse.sex,
        "spouse_birth_date": spouse.born,
        "registered_on": on,
    }


def _household(holder: Person, number: str, address: str) -> dict[str, Any]:
    return {
        "holder_name": holder.name,
        "identity_number": holder.number,
        "sex": holder.sex,
        "birth_date": holder.born,
        "ethnicity": "汉族",
        "native_place": "东岭区",
        "household_number": number,
        "household_type": "家庭户",
        "household_head": holder.name,
        "relation_to_head": "户主",
        "address": address,
        "registered_on": "2020-06-01",
    }


def _driving(holder: Person, number: str, address: str) -> dict[str, Any]:
    return {
        "holder_name": holder.name,
        "identity_number": holder.number,
        "sex": holder.sex,
        "nationality": "中国",
        "birth_date": holder.born,
        "address": address,
        "first_issued_on": "2019-04-02",
        "vehicle_class": "C1",
        "valid_until": "2035-04-02",
        "file_number": number,
    }


def _degree(holder: Person, number: str, degree: str, major: str, on: str) -> dict[str, Any]:
    return {
        "certificate_number": number,
        "holder_name": holder.name,
        "identity_number": holder.number,
        "sex": holder.sex,
        "birth_date": holder.born,
        "institution": "东岭大学",
        "degree": degree,
        "major": major,
        "conferred_on": on,
    }


ISSUES = (
    Issue(
        IssuerId("990100/civil-affairs"),
        MARRIAGE_CERTIFICATE,
        LIN.account,
        _married(LIN, ZHOU, "J990102-2023-000520", "2023-05-20"),
    ),
    Issue(
        IssuerId("990100/civil-affairs"),
        MARRIAGE_CERTIFICATE,
        ZHOU.account,
        _married(ZHOU, LIN, "J990102-2023-000520", "2023-05-20"),
    ),
    Issue(
        IssuerId("990100/public-security"),
        HOUSEHOLD_REGISTER,
        LIN.account,
        _household(LIN, "990102001", "东岭区云栖路 18 号 3 单元 502 室"),
    ),
    Issue(
        IssuerId("990100/university"),
        DEGREE_CERTIFICATE,
        LIN.account,
        _degree(LIN, "9901042014000318", "工学学士", "计算机科学与技术", "2014-06-30"),
    ),
    Issue(
        IssuerId("990200/public-security"),
        DRIVING_LICENCE,
        ZHOU.account,
        _driving(ZHOU, "990200001234", "西川区临江大道 66 号"),
    ),
    Issue(
        IssuerId("990200/public-security"),
        DRIVING_LICENCE,
        WANG.account,
        _driving(WANG, "990200005678", "西川区梧桐街 9 号"),
        suspended=True,
    ),
    Issue(
        IssuerId("990100/university"),
        DEGREE_CERTIFICATE,
        CHEN.account,
        _degree(CHEN, "9901042021000077", "理学硕士", "应用数学", "2024-06-28"),
    ),
    Issue(
        IssuerId("990100/public-security"),
        DRIVING_LICENCE,
        CHEN.account,
        _driving(CHEN, "990100004321", "东岭区松涛路 2 号"),
    ),
    Issue(
        IssuerId("990200/public-security"),
        RESIDENCE_PERMIT,
        CHEN.account,
        {
            "holder_name": CHEN.name,
            "identity_number": CHEN.number,
            "address": "西川区学府路 7 号 2 栋 901 室",
            "resident_since": "2024-07-15",
            "valid_until": "2034-07-14",
        },
    ),
    Issue(
        IssuerId("990200/market-regulation"),
        BUSINESS_LICENCE,
        QINGHE.account,
        {
            "uscc": QINGHE.number,
            "organisation_name": QINGHE.name,
            "organisation_type": "有限责任公司",
            "legal_representative": WANG.name,
            "registered_capital": "人民币伍佰万元整",
            "established_on": "2021-03-12",
            "operating_until": "2051-03-11",
            "address": "西川区创新路 100 号 8 层",
            "business_scope": "软件开发；信息技术咨询服务；农业技术推广。",
            "registered_on": "2021-03-12",
        },
    ),
)
