"""The registry's refusals in words for its own pages: a form that is refused is shown again, with what was typed.

Decides nothing. Anything that is not worded here is said as its class says it.
"""

from __future__ import annotations

from typing import Final

from trust_registry.errors import (
    CeremonyError,
    HistoryRewritten,
    InvalidList,
    NotAnOfficer,
    NothingProposed,
    ProposalOutdated,
    SignatureRefused,
    ThresholdNotReached,
    TrustRegistryError,
    UnknownProposal,
)
from trust_registry.model import Names

_CLASSES: Final[tuple[tuple[type[TrustRegistryError], Names], ...]] = (
    (
        NotAnOfficer,
        Names("这把密钥不在登记官名单上，不能签署。", "This key is not on the officers' list: it may not sign."),
    ),
    (ThresholdNotReached, Names("签名还不够，不能公布。", "There are not enough signatures to publish.")),
    (
        ProposalOutdated,
        Names("提出之后名录已经更新，请重新提出。", "Something else was published meanwhile: propose it again."),
    ),
    (NothingProposed, Names("和现在的名录没有不同。", "This is what the list says already.")),
    (UnknownProposal, Names("没有这份提案。", "There is no such proposal.")),
    (HistoryRewritten, Names("这会改写以前公布的历史。", "This would rewrite what was published before.")),
    (SignatureRefused, Names("签名核对不符，没有收下。", "The signature does not verify; it was not kept.")),
    (CeremonyError, Names("登记处没有接受。", "The registry's ceremony refused this.")),
)
_REASONS: Final = {
    "nothing may change before the list's last version was issued": "不能早于名录上一版的签发时间",
    "nothing may begin before the list's last version was issued": "不能早于名录上一版的签发时间",
    "this recognition has ended already": "这项互认已经终止",
    "this rule has ended already": "这项规则已经终止",
    "it would last longer: announce another rule": "会比原定更久：请另行公告规则",
    "a condition is listed twice": "同一要求写了两次",
    "must not be before announced_at": "不得早于公告时间",
    "none may be listed twice": "不得重复",
    "a claim's lower-case name is needed": "须为信息的代码（小写英文）",
    "has not the form that is needed here": "格式不正确",
    "between nothing and a hundred years is needed": "时间间隔须在一百年以内",
    "it would end before it begins: withdraw it": "会在生效之前终止：请改为撤回",
    "what was compromised is not reinstated: list a new key": "泄露过的不能恢复：请登记新的密钥",
    "belongs to a compromised key, and not after the change itself": "只用于密钥泄露，且不能晚于变更本身",
    "a region does not recognise itself": "地区不认可自己",
    "must be after since": "必须晚于生效时间",
    "must be after valid_from": "必须晚于起始日期",
    "a short lower-case name": "须为小写英文短名",
    "the issuer has this grant already: change its status": "该机构已有此资格：请变更其状态",
    "publish the new notice period before announcing recognitions under it": "请先公布新的公示期",
    "not the SHA-256 of the certificate": "证书指纹不符",
    "an http(s) URI that ends in / is needed": "须为以 / 结尾的 http(s) 地址",
    "18 digits and upper-case letters are needed": "须为 18 位数字或大写字母",
    "the check character does not fit": "校验不符",
    "the form is not right": "格式不正确",
}
_PARTS: Final = (
    (" already", "已经是这个状态"),
    ("does not explain", "原因和状态不相符"),
    ("needs the announced notice", "须满公示期"),
    ("is listed twice", "已经登记过"),
    ("must be after the last change", "必须晚于上一次变更"),
    ("has no grant", "该机构没有此资格"),
    ("conditions are needed", "要求太多或没有要求"),
    ("are allowed", "规则太多"),
    ("short lower-case name", "须为小写英文短名"),
    ("can't be read", "无法读取"),
    ("certificate", "证书不符合要求"),
)


def worded_refusal(error: TrustRegistryError) -> Names:
    """One sentence, zh and en."""
    if isinstance(error, InvalidList):
        return Names(f"{_in_chinese(error.message)}。", f"{error.message[:1].upper()}{error.message[1:]}.")
    for kind, names in _CLASSES:
        if isinstance(error, kind):
            return names
    return Names("登记处没有接受这项变更。", "The registry did not accept this change.")


def _in_chinese(said: str) -> str:
    whole = _REASONS.get(said)
    return whole or next((zh for part, zh in _PARTS if part in said), "不符合名录规则")
