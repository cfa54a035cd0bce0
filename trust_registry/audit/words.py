"""How an audit's lines are put into words, zh and en. Decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from trust_registry.audit.model import Anomaly
from trust_registry.model import Names

_ANOMALIES: Final[Mapping[Anomaly, Names]] = {
    Anomaly.MISSING: Names("缺少文件", "a file is missing"),
    Anomaly.UNREADABLE: Names("文件无法读取", "a file can't be read"),
    Anomaly.ALTERED: Names("文件与公布的摘要不符", "a file is not the one that was announced"),
    Anomaly.NOT_SIGNED: Names("签名未达到门限", "not signed by its threshold"),
    Anomaly.RULE_BROKEN: Names("席位或门限不符合规则", "seats or thresholds break the network's rule"),
    Anomaly.SKIPPED: Names("版本号不连续", "a version number was left out"),
    Anomaly.ROLLED_BACK: Names("版本倒退", "a version went back"),
    Anomaly.HISTORY_REWRITTEN: Names("改写了历史", "history was rewritten"),
    Anomaly.PAST_DATED: Names("条目倒签日期", "an entry is dated back"),
    Anomaly.NOTICE_SHORT: Names("实际公示期不足", "the notice that was really given is too short"),
    Anomaly.INVALID_LIST: Names("名录不符合规则", "the list breaks a rule"),
    Anomaly.CONTRADICTION: Names("互认条目相互矛盾", "recognitions contradict each other"),
    Anomaly.EXPIRED: Names("发布时已过期", "had expired when it was published"),
    Anomaly.CLOCK: Names("时间不合理", "times don't fit"),
    Anomaly.LOG_UNREADABLE: Names("透明日志无法读取", "the log can't be read"),
    Anomaly.LOG_INCONSISTENT: Names("透明日志不一致", "the log is not consistent"),
    Anomaly.NOT_LOGGED: Names("发布未记入透明日志", "the publication is not in the log"),
}


def anomaly_text(anomaly: Anomaly, what: str, detail: str) -> Names:
    """“改写了历史：region-990100 第 3 版（…）”"""
    words = _ANOMALIES[anomaly]
    zh, en = (f"（{detail}）", f" ({detail})") if detail else ("", "")
    return Names(f"异常：{words.zh}：{what}{zh}", f"Anomaly: {words.en}: {what}{en}")


def published(role: str, version: int) -> Names:
    return Names(f"发布 {role} 第 {version} 版", f"{role} version {version} published")


def renewed(snapshot: int) -> Names:
    return Names(
        f"主机重新签署（快照 {snapshot}），内容不变", f"Signed again by the host (snapshot {snapshot}), unchanged"
    )
