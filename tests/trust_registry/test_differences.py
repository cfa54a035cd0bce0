"""What a proposal changes, in sentences that an officer can sign by: nothing is changed that no line tells."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.trust_registry.network import (
    DAY,
    DAY_0,
    common_list,
    east_list,
    granted,
    issuer_entry,
    office,
    recognition,
    west_list,
    withdrawn,
)
from trust_registry.catalogue import MARRIAGE_CERTIFICATE
from trust_registry.differences import ChangeKind, describe_changes
from trust_registry.model import (
    Assurance,
    ClaimEquivalence,
    EntryReason,
    EntryStatus,
    ForeignFormat,
    ForeignListEntry,
    KeyUse,
    Names,
    RegionCode,
    RegionList,
    SealCeremony,
    ServiceEquivalence,
    StatusChange,
    TypeId,
)

ISSUER = issuer_entry()
SEAL = ISSUER.seals[0]
HELD = SealCeremony(DAY_0, Names("会议室", "Meeting room"), "sha256:" + "0" * 64)
EQUIVALENCE = ServiceEquivalence("urn:ca", MARRIAGE_CERTIFICATE, Assurance.HIGH, ("urn:x",))
FOREIGN = ForeignListEntry(
    RegionCode("EU-EE"),
    Names("爱沙尼亚", "Estonia"),
    ForeignFormat.TS_119_612,
    "https://ee.test/list.xml",
    (office(RegionCode("990200")).ca.der,),
    (EQUIVALENCE,),
    granted(),
)


def east(**changes: object) -> RegionList:
    return replace(east_list(), attests=(replace(ISSUER, **changes),))  # type: ignore[arg-type]


def seal(**changes: object) -> RegionList:
    return east(seals=(replace(SEAL, **changes),))  # type: ignore[arg-type]


def west(**changes: object) -> RegionList:
    return replace(west_list(), recognises=(replace(recognition(), **changes),))  # type: ignore[arg-type]


def lines(old: RegionList | None, new: RegionList) -> tuple[str, str]:
    """All lines of a difference, in each language."""
    changes = describe_changes(old, new)
    for change in changes:
        assert re.search(r"[\u4e00-\u9fff]", change.text.zh)
        assert not re.search(r"[\u4e00-\u9fff]", change.text.en)
    return "\n".join(c.text.zh for c in changes), "\n".join(c.text.en for c in changes)


LOST = StatusChange(EntryStatus.WITHDRAWN, DAY_0 + 9 * DAY, EntryReason.KEY_COMPROMISE, DAY_0 + 2 * DAY)


@pytest.mark.parametrize(
    ("old", "new", "zh", "en"),
    [
        (
            east_list(),
            east(grants=(*ISSUER.grants, replace(ISSUER.grants[0], assurance=Assurance.HIGH))),
            "新增“东岭区民政局”颁发 common/marriage-certificate 的资格（保证级别：高）",
            "Adds entitlement of Dongling Civil Affairs Bureau to issue common/marriage-certificate at assurance high",
        ),
        (
            east_list(),
            seal(history=(*SEAL.history, LOST)),
            "电子印章“东岭区民政局婚姻登记专用章”：自 2026-01-10T00:00Z 起撤销（密钥泄露）；"
            "2026-01-03T00:00Z 起的盖章不再可信，除非能证明在此之前",
            "Seal Dongling Civil Affairs Seal: withdrawn from 2026-01-10T00:00Z (key compromise); "
            "distrusted from 2026-01-03T00:00Z on, but for what is proven older",
        ),
        (
            east_list(),
            seal(key=replace(SEAL.key, history=withdrawn(granted(), DAY_0 + DAY, EntryReason.KEY_ROLLOVER))),
            "电子印章“东岭区民政局婚姻登记专用章”：其证书自 2026-01-02T00:00Z 起撤销（密钥更换）",
            "Seal Dongling Civil Affairs Seal: its certificate withdrawn from 2026-01-02T00:00Z (key rollover)",
        ),
        (
            east_list(),
            seal(custodian=Names("印章管理岗", "Seal officer")),
            "电子印章“东岭区民政局婚姻登记专用章”：保管岗位由“无”改为“印章管理岗”",
            "Seal Dongling Civil Affairs Seal: changes the custodian from none to Seal officer",
        ),
        (
            seal(ceremony=HELD),
            seal(ceremony=None),
            "制章记录由“会议室，2026-01-01T00:00Z, sha256:",
            "changes the ceremony record from Meeting room, 2026-01-01T00:00Z, sha256:",
        ),
        (
            replace(west_list(), recognises=()),
            west(
                as_type=TypeId("990200/marriage"),
                minimum_assurance=Assurance.HIGH,
                claims=(ClaimEquivalence("holder_name", "name"),),
                scenarios=(),
            ),
            "新增对 990100 的 common/marriage-certificate 的互认（视同 990200/marriage，2026-01-01T00:00Z 公告，"
            "自 2026-01-31T00:00Z，全部场景）；最低保证级别：高；项目：holder_name → name；依据：互认协议第七条",
            "Adds recognition of common/marriage-certificate from 990100 (as 990200/marriage, announced "
            "2026-01-01T00:00Z, since 2026-01-31T00:00Z, all scenarios); minimum assurance: high; "
            "claims: holder_name → name; legal basis: Agreement, article 7",
        ),
        (
            west_list(),
            west(until=DAY_0 + 99 * DAY),
            "截止由“无”改为“2026-04-10T00:00Z”",
            "changes the until from none to 2026-04-10T00:00Z",
        ),
        (
            west_list(),
            west(minimum_assurance=Assurance.SUBSTANTIAL),
            "最低保证级别由“低”改为“中”",
            "changes the minimum assurance from low to substantial",
        ),
        (
            west_list(),
            west(history=(replace(granted()[0], at=DAY_0 - DAY),)),
            "改写历史（将被拒绝）",
            "rewrites history (will be refused)",
        ),
        (
            west_list(),
            replace(west_list(), notice_period=timedelta(hours=36)),
            "公示期由 30 天改为 36 小时（适用于 — 起公告的互认）",
            "Changes the notice period from 30 days to 36 hours, for what is announced from —",
        ),
        (
            west_list(),
            replace(west_list(), names=Names("西川新区", "New Xichuan")),
            "更改名称：由“西川区”改为“西川新区”",
            "Changes the name from “Xichuan” to “New Xichuan”",
        ),
        (
            west_list(),
            replace(west_list(), foreign=(FOREIGN,)),
            "新增外部名录“爱沙尼亚”（EU-EE，TS 119 612）；地址：https://ee.test/list.xml；签名证书：SHA-256 ",
            "equivalences: urn:ca + urn:x → common/marriage-certificate (high)",
        ),
        (
            replace(west_list(), foreign=(FOREIGN,)),
            west_list(),
            "删除外部名录“爱沙尼亚”（EU-EE，TS 119 612）",
            "Removes list of Estonia (EU-EE, TS 119 612)",
        ),
        (
            replace(west_list(), scenarios=()),
            west_list(),
            "新增用证场景“户口迁移”；所需证照：common/marriage-certificate [holder_name]；保存天数：0",
            "Adds scenario Household transfer; types needed: common/marriage-certificate [holder_name]",
        ),
        (
            replace(west_list(), relying_parties=(replace(west_list().relying_parties[0], keys=()),)),
            west_list(),
            "新增回执签名证书 ",
            "Adds receipt certificate ",
        ),
        (
            common_list(),
            replace(common_list(), defines=(replace(common_list().defines[0], dual_control=True, schema={}),)),
            "证照类型“居民户口簿（户籍信息摘录）”：双人用印由“否”改为“是”",
            "Certificate type Household Register Extract: changes the schema",
        ),
    ],
)
def test_a_line_says_it_in_both_languages(old: RegionList, new: RegionList, zh: str, en: str) -> None:
    told = lines(old, new)
    assert zh in told[0]
    assert en in told[1]


def test_a_seal_is_added_with_all_that_officers_vouch_for() -> None:
    _, en = lines(east(seals=()), seal(custodian=Names("岗", "Post"), ceremony=HELD))
    for part in (
        "scope: common/marriage-certificate",
        "valid from: 2026",
        "valid until: 2027",
        "image digest: sha256:",
    ):
        assert part in en
    assert "custodian: Post" in en
    assert "ceremony record: Meeting room" in en


def test_a_first_list_is_told_whole_and_the_same_list_says_nothing() -> None:
    changes = describe_changes(None, west_list())
    assert changes[0].text.en == "First list of Xichuan"
    assert {change.kind for change in changes} == {ChangeKind.ADDED}
    assert describe_changes(west_list(), west_list()) == ()


def test_every_use_and_reason_has_words() -> None:
    from trust_registry import naming

    assert set(naming.REASONS) == set(EntryReason)
    assert set(naming._USES) == set(KeyUse)
