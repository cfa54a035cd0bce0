"""What the parts of a list are called in sentences for officers, and what their fields hold. Compares nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from trust_registry.model import (
    AcceptanceRule,
    Assurance,
    CertificateType,
    ClaimEquivalence,
    EntryReason,
    ForeignListEntry,
    IssuerEntry,
    KeyEntry,
    KeyUse,
    Names,
    RecognitionEntry,
    RegionList,
    RelyingPartyEntry,
    RuleCondition,
    RuleScope,
    Scenario,
    SealCeremony,
    SealEntry,
    ServiceEquivalence,
    TypeGrant,
    TypeRequirement,
)
from trust_registry.model.rules import EMERGENCIES
from trust_registry.rule_words import condition_words, rule_words, scope_words
from trust_registry.wording import ASSURANCE_NAMES

REASONS: Final = {
    EntryReason.INITIAL: Names("首次列入", "first listed"),
    EntryReason.REORGANISATION: Names("机构调整", "reorganisation"),
    EntryReason.KEY_ROLLOVER: Names("密钥更换", "key rollover"),
    EntryReason.KEY_COMPROMISE: Names("密钥泄露", "key compromise"),
    EntryReason.BREACH_OF_DUTY: Names("违反职责", "breach of duty"),
    EntryReason.EXPIRY: Names("到期", "expiry"),
    EntryReason.REINSTATED: Names("恢复", "reinstated"),
    EntryReason.CESSATION: Names("终止", "cessation"),
}
_USES: Final = {
    KeyUse.CA: Names("根证书", "CA certificate"),
    KeyUse.TIMESTAMP: Names("时间戳证书", "time-stamping certificate"),
    KeyUse.STATUS: Names("状态列表签名证书", "status certificate"),
    KeyUse.RECEIPT: Names("回执签名证书", "receipt certificate"),
    KeyUse.ACCESS: Names("用证请求证书", "access certificate"),
    KeyUse.SEAL: Names("印章证书", "seal certificate"),
    KeyUse.LIST: Names("名录签名证书", "list-signing certificate"),
}
_FIELDS: Final = {
    "additional": Names("附加信息", "additional information"),
    "any_of": Names("证照", "types"),
    "applies_to": Names("适用于", "for"),
    "as_type": Names("视同类型", "own type"),
    "ceremony": Names("制章记录", "ceremony record"),
    "claims": Names("项目", "claims"),
    "contact": Names("联系方式", "contact"),
    "custodian": Names("保管岗位", "custodian"),
    "dual_control": Names("双人用印", "dual control"),
    "equivalences": Names("服务对应关系", "equivalences"),
    "image_digest": Names("印模摘要", "image digest"),
    "legal_basis": Names("依据", "legal basis"),
    "location": Names("地址", "location"),
    "minimum_assurance": Names("最低保证级别", "minimum assurance"),
    "names": Names("名称", "name"),
    "purpose": Names("用途", "purpose"),
    "requires": Names("所需证照", "types needed"),
    "retention_days": Names("保存天数", "days of retention"),
    "scenarios": Names("事项", "scenarios"),
    "scope": Names("用印范围", "scope"),
    "signers": Names("签名证书", "signers"),
    "since": Names("开始", "since"),
    "status_staleness": Names("状态数据时限", "age limit of status data"),
    "trust_staleness": Names("信任数据时限", "age limit of trust data"),
    "until": Names("截止", "until"),
    "valid_from": Names("启用", "valid from"),
    "valid_until": Names("有效期至", "valid until"),
}
_ADDED: Final[dict[type, tuple[str, ...]]] = {
    RecognitionEntry: ("until", "minimum_assurance", "claims", "legal_basis"),
    SealEntry: ("scope", "valid_from", "valid_until", "image_digest", "custodian", "ceremony"),
    ForeignListEntry: ("location", "signers", "equivalences"),
    Scenario: ("requires", "retention_days"),
    RelyingPartyEntry: ("scenarios",),
}


def moment(at: datetime) -> str:
    """To the minute, UTC."""
    return at.strftime("%Y-%m-%dT%H:%MZ")


def key_name(key: KeyEntry) -> str:
    return f"{key.use.value}:{key.thumbprint[:16]}"


def _called(zh: str, en: str, names: Names) -> Names:
    return Names(f"{zh}“{names.zh}”", f"{en} {names.en}")


def of_type(entry: CertificateType) -> Names:
    return _called("证照类型", "certificate type", entry.names)


def of_key(entry: KeyEntry) -> Names:
    use = _USES[entry.use]
    return Names(f"{use.zh} {entry.thumbprint[:16]}", f"{use.en} {entry.thumbprint[:16]}")


def of_issuer(entry: IssuerEntry) -> Names:
    return _called("颁证机构", "issuer", entry.names)


def of_grant(entry: TypeGrant, issuer: IssuerEntry) -> Names:
    level = ASSURANCE_NAMES[entry.assurance]
    return Names(
        f"“{issuer.names.zh}”颁发 {entry.type_id} 的资格（保证级别：{level.zh}）",
        f"entitlement of {issuer.names.en} to issue {entry.type_id} at assurance {level.en}",
    )


def of_seal(entry: SealEntry) -> Names:
    return _called("电子印章", "seal", entry.names)


def of_foreign(entry: ForeignListEntry) -> Names:
    form = entry.format.value.upper().replace("_", " ")
    return Names(
        f"外部名录“{entry.names.zh}”（{entry.code}，{form}）", f"list of {entry.names.en} ({entry.code}, {form})"
    )


def of_recognition(entry: RecognitionEntry) -> Names:
    since, told = moment(entry.since), moment(entry.announced_at)
    zh, en = "、".join(entry.scenarios) or "全部场景", ", ".join(entry.scenarios) or "all scenarios"
    as_zh = "" if entry.as_type == entry.type_id else f"视同 {entry.as_type}，"
    as_en = "" if entry.as_type == entry.type_id else f"as {entry.as_type}, "
    return Names(
        f"对 {entry.issuing} 的 {entry.type_id} 的互认（{as_zh}{told} 公告，自 {since}，{zh}）",
        f"recognition of {entry.type_id} from {entry.issuing} ({as_en}announced {told}, since {since}, {en})",
    )


def of_scenario(entry: Scenario) -> Names:
    return _called("用证场景", "scenario", entry.names)


def of_rule(entry: AcceptanceRule) -> Names:
    return _called(f"受理规则 {entry.id} ", f"acceptance rule {entry.id}", entry.names)


def of_relying_party(entry: RelyingPartyEntry) -> Names:
    return _called("用证单位", "relying party", entry.names)


def notice_change(old: RegionList, new: RegionList) -> Names:
    """What was announced earlier keeps its notice."""
    was, now = _shown(old.notice_period), _shown(new.notice_period)
    since = "—" if new.notice_since is None else moment(new.notice_since)
    return Names(
        f"公示期由 {was.zh}改为 {now.zh}（适用于 {since} 起公告的互认）",
        f"Changes the notice period from {was.en} to {now.en}, for what is announced from {since}",
    )


def details(entry: Any) -> Names:
    """What an officer must read of a new entry, to follow its name; empty for what the name says whole."""
    if isinstance(entry, AcceptanceRule):
        return _rule_details(entry)
    told = [
        (_FIELDS[field], _shown(getattr(entry, field)))
        for field in _ADDED.get(type(entry), ())
        if getattr(entry, field) not in (None, ())
    ]
    if not told:
        return Names("", "")
    return Names(
        "；" + "；".join(f"{label.zh}：{value.zh}" for label, value in told),
        "; " + "; ".join(f"{label.en}: {value.en}" for label, value in told),
    )


def _rule_details(rule: AcceptanceRule) -> Names:
    """All of it: whoever signs a rule signs whom it refuses."""
    asked, about = rule_words(rule), scope_words(rule.applies_to)
    told, since = moment(rule.announced_at), moment(rule.since)
    until = (
        Names("", "") if rule.until is None else Names(f"，至 {moment(rule.until)}", f", until {moment(rule.until)}")
    )
    reason = rule.history[0].reason if rule.history else EntryReason.INITIAL
    why = REASONS[reason] if reason in EMERGENCIES else None
    hurry = Names("", "") if why is None else Names(f"；紧急（{why.zh}）", f"; in an emergency ({why.en})")
    return Names(
        f"；要求：{asked.zh}；适用于：{about.zh}；{told} 公告，自 {since}{until.zh}{hurry.zh}；"
        f"依据：{rule.legal_basis.zh}",
        f"; asks: {asked.en}; about: {about.en}; announced {told}, since {since}{until.en}{hurry.en}; "
        f"legal basis: {rule.legal_basis.en}",
    )


def field_change(field: str, was: Any, now: Any) -> Names:
    """That a field was altered: from what to what, where that can be read in a line."""
    label = _FIELDS.get(field, Names(field, field))
    before, after = _shown(was), _shown(now)
    if not before.en or not after.en:
        return Names(f"更改{label.zh}", f"changes the {label.en}")
    return Names(f"{label.zh}由“{before.zh}”改为“{after.zh}”", f"changes the {label.en} from {before.en} to {after.en}")


def _shown(value: Any) -> Names:
    """A value in both languages; empty for what is too long for a line."""
    if value is None or value == ():
        return Names("无", "none")
    if isinstance(value, Names):
        return value
    if isinstance(value, Assurance):
        return ASSURANCE_NAMES[value]
    if isinstance(value, bool):
        return Names("是", "yes") if value else Names("否", "no")
    if isinstance(value, timedelta):
        return _span(value)
    if isinstance(value, RuleScope):
        return scope_words(value)
    if isinstance(value, RuleCondition):
        return condition_words(value)
    if isinstance(value, SealCeremony):
        text = f"{moment(value.held_at)}, {value.record_digest}"
        return Names(f"{value.place.zh}，{text}", f"{value.place.en}, {text}")
    if isinstance(value, tuple):
        parts = [_shown(part) for part in value]
        whole = all(part.en for part in parts)
        return Names("、".join(p.zh for p in parts), ", ".join(p.en for p in parts)) if whole else Names("", "")
    text = _text(value)
    return Names(text, text)


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, bytes):
        return f"SHA-256 {hashlib.sha256(value).hexdigest()[:16]}"
    if isinstance(value, ClaimEquivalence):
        return f"{value.theirs} → {value.ours}"
    if isinstance(value, ServiceEquivalence):
        uris = " + ".join((value.service_type, *value.additional))
        return f"{uris} → {value.type_id} ({value.assurance.value})"
    if isinstance(value, TypeRequirement):
        return f"{' / '.join(value.any_of)} [{_claims(value.claims, value.optional_claims)}]"
    return str(value) if isinstance(value, str | int) else ""


def _claims(claims: Sequence[str], optional: Sequence[str]) -> str:
    return ", ".join((*claims, *(f"({name})" for name in optional)))


def _span(value: timedelta) -> Names:
    if value % timedelta(days=1):
        hours = round(value / timedelta(hours=1), 1)
        return Names(f"{hours:g} 小时", f"{hours:g} hours")
    return Names(f"{value.days} 天", f"{value.days} days")
