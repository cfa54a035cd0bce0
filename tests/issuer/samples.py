"""One recorded certificate of each of the five types, without a database, to try renderings on. All fictional."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from issuer.model import HolderIdentity, HolderKind, Recorded, Seal
from issuer.seal_image import seal_svg
from trust_registry.attestations import Attestation, CertificateId, StatusReference
from trust_registry.catalogue import (
    BUSINESS_LICENCE,
    COMMON_TYPES_BY_ID,
    DEGREE_CERTIFICATE,
    DRIVING_LICENCE,
    HOUSEHOLD_REGISTER,
    MARRIAGE_CERTIFICATE,
)
from trust_registry.edges import HolderId
from trust_registry.model import IssuerId, Names, SealId, TypeId

ISSUED = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
IDENTIFIER = CertificateId("1.2.156.3005.2.11990000MB0000001M002.11990100MB00000013.2026110000123.001.F")
CLAIMS: dict[TypeId, dict[str, Any]] = {
    HOUSEHOLD_REGISTER: {
        "holder_name": "欧阳明远",
        "identity_number": "990101199003071234",
        "sex": "男",
        "birth_date": "1990-03-07",
        "ethnicity": "汉",
        "native_place": "东岭",
        "household_number": "990101001234",
        "household_type": "家庭户",
        "household_head": "欧阳怀远",
        "relation_to_head": "长子",
        "address": "东岭市临江区望湖街道杏花里社区春晖路一百二十八号院三栋二单元一八〇二室",
        "registered_on": "2012-03-01",
    },
    MARRIAGE_CERTIFICATE: {
        "certificate_number": "J990100-2019-000520",
        "holder_name": "林晓雨",
        "identity_number": "990101199003071234",
        "holder_sex": "女",
        "holder_birth_date": "1990-03-07",
        "spouse_name": "周明远",
        "spouse_identity_number": "990102198811022345",
        "spouse_sex": "男",
        "spouse_birth_date": "1988-11-02",
        "registered_on": "2019-05-20",
    },
    BUSINESS_LICENCE: {
        "uscc": "91990100MA00000013",
        "organisation_name": "东岭市望湖智慧政务信息技术（集团）股份有限公司",
        "organisation_type": "股份有限公司（非上市、自然人投资或控股）",
        "legal_representative": "欧阳明远",
        "registered_capital": "人民币伍仟万元整",
        "established_on": "2009-09-09",
        "operating_until": "2046-11-20",
        "address": "东岭市临江区软件园一路88号A座1201室",
        "business_scope": "一般项目：软件开发；信息系统集成服务；信息技术咨询服务；数据处理和存储支持服务；"
        "档案整理服务；会议及展览服务；技术服务、技术开发、技术咨询、技术交流、技术转让、技术推广。许可项目：第一类增值电信业务；"
        "互联网信息服务。（依法须经批准的项目，经相关部门批准后方可开展经营活动）",
        "registered_on": "2026-11-20",
    },
    DEGREE_CERTIFICATE: {
        "certificate_number": "9901032016000456",
        "holder_name": "林晓雨",
        "identity_number": "990101199003071234",
        "sex": "女",
        "birth_date": "1990-03-07",
        "institution": "东岭大学",
        "degree": "工学硕士",
        "major": "计算机科学与技术",
        "conferred_on": "2016-06-30",
    },
    DRIVING_LICENCE: {
        "holder_name": "买买提江·阿卜杜热合曼·艾力",
        "identity_number": "990101199003071234",
        "sex": "男",
        "nationality": "中国",
        "birth_date": "1990-03-07",
        "address": "东岭市临江区望湖街道杏花里社区",
        "first_issued_on": "2010-07-01",
        "vehicle_class": "C1D",
        "valid_until": "2036-07-01",
        "file_number": "990100123456",
    },
}
AUTHORITIES = {
    HOUSEHOLD_REGISTER: Names("东岭市公安局", "Dongling Public Security Bureau"),
    MARRIAGE_CERTIFICATE: Names("东岭市民政局", "Dongling Civil Affairs Bureau"),
    BUSINESS_LICENCE: Names("东岭市市场监督管理局", "Dongling Administration for Market Regulation"),
    DEGREE_CERTIFICATE: Names("东岭大学", "Dongling University"),
    DRIVING_LICENCE: Names("东岭市公安局交通警察支队", "Dongling Traffic Police"),
}


@lru_cache(maxsize=8)
def _image(name: str) -> str:
    """Drawing opens a whole font, which takes ten times as long as setting the page."""
    return seal_svg(name, "99010000000001")


def recorded(type_id: TypeId = MARRIAGE_CERTIFICATE, *, until: datetime | None = None, **changes: Any) -> Recorded:
    """A certificate of this type as recorded; `changes` replace claims (None drops one)."""
    type_ = COMMON_TYPES_BY_ID[type_id]
    claims = {name: value for name, value in {**CLAIMS[type_id], **changes}.items() if value is not None}
    seal_id = SealId("990100/civil-affairs/99010000000001")
    attestation = Attestation(
        certificate_id=IDENTIFIER,
        type_id=type_id,
        issuer_id=IssuerId("990100/civil-affairs"),
        seal_id=seal_id,
        issued_at=ISSUED,
        valid_from=ISSUED,
        valid_until=until,
        status=StatusReference("https://dongling.example/status/990100/civil-affairs/1", 1234),
        claims=claims,
    )
    authority = AUTHORITIES[type_id]
    seal = Seal(
        id=seal_id,
        issuer_id=attestation.issuer_id,
        names=Names(f"{authority.zh}证照专用章", f"{authority.en}, Certificates"),
        image_svg=_image(f"{authority.zh}证照专用章"),
        scope=frozenset({type_id}),
        valid_from=ISSUED - timedelta(days=30),
        valid_until=ISSUED + timedelta(days=1000),
        certificate=b"",
        chain=(),
        key_uri="ephemeral:",
    )
    holder = HolderIdentity(HolderKind.CITIZEN, "990101199003071234", "林晓雨")
    return Recorded(attestation, HolderId("h1"), holder, type_, seal, ISSUED)


def with_claim_of_objects(rows: int) -> Recorded:
    """A household register whose `members` are a table of `rows` lines."""
    base = recorded(HOUSEHOLD_REGISTER)
    column = {"name": {"title": "姓名 Name"}, "relation": {"title": "与户主关系 Relation"}, "identity_number": {}}
    schema = {"properties": {**base.type.schema["properties"], "members": {"items": {"properties": column}}}}
    member = replace(base.type.claims[0], name="members", names=Names("家庭成员", "Members"))
    members = [{"name": f"欧阳清{'一二三四五六七八九十'[n % 10]}", "relation": "子女"} for n in range(rows)]
    return replace(
        base,
        type=replace(base.type, claims=(*base.type.claims, member), schema=schema),
        attestation=replace(base.attestation, claims={**base.attestation.claims, "members": members}),
    )
