"""How consequences are put into words, zh and en. Decides nothing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from trust_registry.model import IssuerEntry, Names, RegionCode, SealEntry, TrustView, TypeId

NOW = Names("自公布之时起", "from publication on")


def moment(when: datetime | None) -> Names:
    """“自 2026-12-01T00:00Z 起”, or at once."""
    return NOW if when is None else Names(f"自 {when:%Y-%m-%dT%H:%MZ} 起", f"from {when:%Y-%m-%dT%H:%MZ}")


def region_name(view: TrustView, code: RegionCode) -> Names:
    found = view.lists.get(code)
    return Names(code, code) if found is None else found.names


def region_names(view: TrustView, codes: Iterable[RegionCode]) -> Names:
    found = [region_name(view, code) for code in codes]
    return Names("、".join(n.zh for n in found), ", ".join(n.en for n in found))


def type_name(view: TrustView, type_id: TypeId) -> Names:
    found = view.types.get(type_id)
    return Names(type_id, type_id) if found is None else found.names


def type_names(view: TrustView, ids: Iterable[TypeId]) -> Names:
    found = [type_name(view, type_id) for type_id in ids]
    return Names("、".join(f"“{n.zh}”" for n in found), ", ".join(n.en for n in found))


def counted(certificates: int | None, *, known: bool) -> Names:
    """How many, in brackets; where this host can't count, it says so."""
    if certificates is None:
        return Names("（本机无法统计证照数量）", " (this host can't count the certificates)")
    zh, en = ("", "") if known else ("至少 ", "at least ")
    plural = "certificate" if certificates == 1 else "certificates"
    return Names(f"（{zh}{certificates} 张有效证照）", f" ({en}{certificates} {plural} in force)")


def doubted(seal: SealEntry, issuer: IssuerEntry, why: Names, count: Names) -> Names:
    return Names(
        f"“{issuer.names.zh}”以“{seal.names.zh}”加盖的证照将无法通过核验{count.zh}：{why.zh}。",
        f"Certificates of {issuer.names.en} under {seal.names.en} would no longer verify{count.en}: {why.en}.",
    )


GONE = Names("名录中不再有这枚印章", "the seal is no longer listed")
COMPROMISED = Names("密钥泄露，须另有加盖时间证明", "the key is compromised; only proof of an earlier time helps")
CA_COMPROMISED = Names("根证书密钥泄露", "the CA is compromised")
CA_GONE = Names("名录中不再有其根证书", "its CA is no longer listed")
OUT_OF_SCOPE = Names("部分证照类型超出印章使用范围", "some types are outside the seal's scope or no longer granted")


def status_lost(issuer: IssuerEntry, when: datetime | None, count: Names) -> Names:
    at = moment(when)
    return Names(
        f"“{issuer.names.zh}”的状态列表{at.zh}无法核验，其证照状态不明{count.zh}。",
        f"No status list of {issuer.names.en} verifies {at.en}; the status of its certificates is unknown{count.en}.",
    )


def status_key_ends(issuer: IssuerEntry, when: datetime | None) -> Names:
    at = moment(when)
    return Names(
        f"“{issuer.names.zh}”以此密钥签名的状态列表{at.zh}不再有效，须改用其余密钥重新签名。",
        f"Status lists of {issuer.names.en} under this key do not verify {at.en}: sign them with another one first.",
    )


def recognition_lost(pair: tuple[Names, Names, Names], when: datetime | None, *, stand: bool, count: Names) -> Names:
    issuing, kind, accepting = pair
    at = moment(when)
    if stand:
        return Names(
            f"{accepting.zh}{at.zh}不再接受{issuing.zh}新颁发的“{kind.zh}”；此前颁发的不受影响。",
            f"{accepting.en} takes no newly issued {kind.en} of {issuing.en} {at.en}; those issued before still stand.",
        )
    return Names(
        f"{accepting.zh}{at.zh}不再接受{issuing.zh}的“{kind.zh}”{count.zh}。",
        f"{accepting.en} no longer accepts {kind.en} of {issuing.en} {at.en}{count.en}.",
    )


def own_lost(region: Names, kind: Names, when: datetime | None) -> Names:
    at = moment(when)
    return Names(
        f"{region.zh}{at.zh}没有机构可以颁发“{kind.zh}”。", f"Nobody in {region.en} may issue {kind.en} {at.en}."
    )


def recognition_gained(pair: tuple[Names, Names, Names], when: datetime | None) -> Names:
    issuing, kind, accepting = pair
    at = moment(when)
    return Names(
        f"{accepting.zh}{at.zh}接受{issuing.zh}的“{kind.zh}”。",
        f"{accepting.en} accepts {kind.en} of {issuing.en} {at.en}.",
    )


def unsatisfiable(pair: tuple[Names, Names, Names], when: datetime | None, *, nobody_left: bool) -> Names:
    accepting, scenario, issuing = pair
    at = moment(when)
    zh, en = ("，此后没有任何地区的居民可以办理", "; nobody from anywhere can") if nobody_left else ("", "")
    return Names(
        f"在{accepting.zh}办理“{scenario.zh}”时，{issuing.zh}的证照{at.zh}不能满足要求{zh}。",
        f"With certificates of {issuing.en}, {scenario.en} in {accepting.en} can't be satisfied {at.en}{en}.",
    )


def scenario_ends(accepting: Names, scenario: Names) -> Names:
    return Names(
        f"{accepting.zh}不再有用证场景“{scenario.zh}”。", f"The scenario {scenario.en} of {accepting.en} is gone."
    )


def issuing_changes(issuer: IssuerEntry, types: Names, when: datetime | None, *, ends: bool) -> Names:
    at = moment(when)
    if ends:
        return Names(
            f"“{issuer.names.zh}”{at.zh}不能再颁发{types.zh}。", f"{issuer.names.en} can't issue {types.en} {at.en}."
        )
    return Names(f"“{issuer.names.zh}”{at.zh}可以颁发{types.zh}。", f"{issuer.names.en} can issue {types.en} {at.en}.")


def sealing_ends(seal: SealEntry, issuer: IssuerEntry, when: datetime | None) -> Names:
    at = moment(when)
    return Names(
        f"“{issuer.names.zh}”的“{seal.names.zh}”{at.zh}不能再使用；此前加盖的不受影响。",
        f"{seal.names.en} of {issuer.names.en} can't be used {at.en}; what it sealed before still stands.",
    )


def ca_ends(region: Names, seals: int, when: datetime | None) -> Names:
    at = moment(when)
    return Names(
        f"{region.zh}的根证书{at.zh}停用，由它签发的在用印章有 {seals} 枚。",
        f"A CA of {region.en} ends {at.en}; seals in use under it: {seals}.",
    )


def timestamps_end(region: Names, when: datetime | None) -> Names:
    at = moment(when)
    return Names(
        f"{region.zh}的一份时间戳证书{at.zh}停用，此后的时间戳不被承认。",
        f"A time-stamping certificate of {region.en} ends {at.en}: later time stamps prove nothing.",
    )


def receipts_doubted(party: Names) -> Names:
    return Names(f"“{party.zh}”以此密钥签发的回执存疑。", f"Receipts of {party.en} under this key are in doubt.")


def requests_refused(party: Names, when: datetime | None) -> Names:
    at = moment(when)
    return Names(
        f"“{party.zh}”以此密钥向钱包发出的用证请求{at.zh}不再被应答。",
        f"Wallets no longer answer what {party.en} asks for under this key {at.en}.",
    )


def party_ends(party: Names, when: datetime | None, scenarios: int) -> Names:
    at = moment(when)
    return Names(
        f"“{party.zh}”{at.zh}不能再就 {scenarios} 个用证场景核验证照。",
        f"{party.en} may no longer ask for certificates {at.en}, in scenarios: {scenarios}.",
    )


def rule_begins(
    about: tuple[Names, Names, Names, Names], when: datetime | None, count: Names | None, short: list[Names]
) -> Names:
    """`about`: the region, the rule, its scope, what it asks for. `short`: issuers who can't ever meet it."""
    accepting, rule, scope, asked = about
    at, how_many = moment(when), count or Names("", "")
    zh, en = "、".join(n.zh for n in short), ", ".join(n.en for n in short)
    return Names(
        f"{accepting.zh}{at.zh}增加受理要求（{scope.zh}）{how_many.zh}：{asked.zh}。理由：{rule.zh}。"
        + (f"下列机构达不到：{zh}。" if short else ""),
        f"{accepting.en} asks for more {at.en} ({scope.en}){how_many.en}: {asked.en}. The reason: {rule.en}."
        + (f" These issuers fall short: {en}." if short else ""),
    )


def rule_ends(about: tuple[Names, Names, Names, Names], when: datetime | None) -> Names:
    accepting, rule, scope, _ = about
    at = moment(when)
    return Names(
        f"{accepting.zh}{at.zh}不再有“{rule.zh}”这项受理要求（{scope.zh}）。",
        f"{accepting.en} no longer applies the rule {rule.en} ({scope.en}) {at.en}.",
    )
