"""How ends of validity are put into words, zh and en. Decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from trust_registry.model import Names

KIND_NAMES: Final[Mapping[str, Names]] = {
    "seal": Names("电子印章", "seal"),
    "seal_certificate": Names("印章证书", "seal certificate"),
    "status_certificate": Names("状态列表签名证书", "status certificate"),
    "timestamp_certificate": Names("时间戳证书", "time-stamping certificate"),
    "receipt_certificate": Names("回执签名证书", "receipt certificate"),
    "access_certificate": Names("用证请求证书", "access certificate"),
    "ca_certificate": Names("根证书", "CA certificate"),
    "list_certificate": Names("名录签名证书", "list certificate"),
    "recognition": Names("互认", "recognition"),
    "metadata": Names("信任元数据", "trust metadata"),
    "algorithm": Names("签名算法", "signature algorithm"),
}
METADATA_NAMES: Final[Mapping[str, Names]] = {
    "root": Names("网络根元数据", "root metadata"),
    "targets": Names("名录总目", "directory of authorities"),
    "snapshot": Names("快照元数据", "snapshot metadata"),
    "timestamp": Names("时间戳元数据", "timestamp metadata"),
    "list": Names("名录的签名", "signed list"),
}
_STEPS: Final[Mapping[str, Names]] = {
    "seal": Names("制作新印章并提案列入名录", "Make a new seal and propose it for the list"),
    "seal_certificate": Names("换发印章证书并提案列入名录", "Have a new seal certified and propose it for the list"),
    "status_certificate": Names("换发状态列表签名证书并提案列入名录", "Certify a new status key and propose it"),
    "timestamp_certificate": Names("换发时间戳证书并提案列入名录", "Certify a new time-stamping key and propose it"),
    "receipt_certificate": Names("换发回执签名证书并提案列入名录", "Certify a new receipt key and propose it"),
    "access_certificate": Names("换发用证请求证书并提案列入名录", "Certify a new access key and propose it"),
    "ca_certificate": Names(
        "提案列入新根证书，再由其换发各印章证书", "Propose a new CA, then have the seals certified under it"
    ),
    "list_certificate": Names("换发名录签名证书并提案列入名录", "Certify a new list key and propose it"),
    "recognition": Names(
        "如需延续，按公示期提前公告新的互认", "To go on, announce its successor within the notice period"
    ),
    "metadata": Names("由签署人重新签署并发布", "Have it signed and published again"),
    "algorithm": Names("换用仍可用的算法的密钥", "Move to keys of an algorithm that lasts"),
}
_RENEWED_BY_THE_HOST: Final = frozenset({"snapshot", "timestamp"})
_HOST_RENEWS: Final = Names(
    "主机会自行续签；如果快到期仍未续签，请查看主机",
    "The host renews it by itself: if it comes close, look after the host",
)
_REPLACED: Final = Names("已有接替者，无须处理", "Another one takes over: nothing to do")


def next_step(kind: str, entry: str, *, replaced: bool) -> Names:
    """What whoever is responsible does about it."""
    if replaced:
        return _REPLACED
    return _HOST_RENEWS if kind == "metadata" and entry in _RENEWED_BY_THE_HOST else _STEPS[kind]


def expiry_text(what: Names, owner: Names, ends_at: datetime, remaining: timedelta, *, expired: bool) -> Names:
    """“某机构：某印章将于 2026-12-01 到期（还有 12 天）。”"""
    day = f"{ends_at:%Y-%m-%d}"
    if expired:
        return Names(f"{owner.zh}：{what.zh}已于 {day} 到期。", f"{owner.en}: {what.en} ran out on {day}.")
    zh, en = _in_words(remaining)
    return Names(f"{owner.zh}：{what.zh}将于 {day} 到期（{zh}）。", f"{owner.en}: {what.en} ends on {day} ({en}).")


def _in_words(remaining: timedelta) -> tuple[str, str]:
    if remaining.days:
        return f"还有 {remaining.days} 天", f"in {remaining.days} {'day' if remaining.days == 1 else 'days'}"
    hours = int(remaining.total_seconds() // 3600)
    return f"还有 {hours} 小时", f"in {hours} {'hour' if hours == 1 else 'hours'}"
