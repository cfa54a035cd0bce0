"""The sentences on a region's own acceptance rules: which rule, whose, since when, what it asks for. Data only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from verifier.phrases.words import AGAIN, RETRY, Phrase

_BY = (
    "{condition}。理由：{why}。（{region}的受理规则 {rule}，第 {version} 版名录，自 {since} 起）",
    "It can't be accepted here: {condition}. The reason: {why}. "
    "(By rule {rule} of {region}, list version {version}, since {since}.)",
)
_UNCLEAR = (
    "{region}的受理规则 {rule}（第 {version} 版名录，自 {since} 起）要求：{condition}；目前无法确认。",
    "Rule {rule} of {region} (list version {version}, since {since}) asks for more than is known now: {condition}.",
)

RULES: Final[Mapping[str, Phrase]] = {
    "no_rules": Phrase("没有适用的受理规则。", "No rule of the accepting region applies."),
    "rules_met": Phrase("符合{region}的受理规则（{rules}）。", "It meets the rules of {region} ({rules})."),
    "rule_form": Phrase(
        *_BY,
        "请持证人改以规则要求的形式提交同一证照。",
        "Ask the holder for the same certificate in the form that the rule asks for.",
    ),
    "rule_type": Phrase(*_BY, "请告知持证人需要提供何种材料。", "Tell the holder which document is needed instead."),
    "rule_assurance": Phrase(
        *_BY,
        "请持证人提供更高保证级别的证照，或提供本地材料。",
        "Ask the holder for a certificate of higher assurance, or for a local document.",
    ),
    "rule_level": Phrase(
        *_BY,
        "请持证人提供颁证机构签发的、带时间戳的 PDF 原件。",
        "Ask for the PDF as the issuing office made it, with its time-stamps.",
    ),
    "rule_time": Phrase(
        *_BY,
        "请持证人改用带时间戳的 PDF 原件。",
        "Ask the holder for the original PDF, which carries a time-stamp.",
    ),
    "rule_age": Phrase(
        *_BY,
        "请持证人向颁证机构申领新近颁发的证照。",
        "Ask the holder for one that the issuing office has issued recently.",
    ),
    "rule_algorithm": Phrase(
        *_BY,
        "请持证人换领用现行方法签发的证照。",
        "Ask the holder for a renewed certificate, signed with a current method.",
    ),
    "rule_changes": Phrase(
        *_BY, "请持证人提供盖章后未改动的原始文件。", "Ask for the original file, unchanged since it was sealed."
    ),
    "rule_binding": Phrase(
        *_BY,
        "请持证人用手机亮证，当场出示。",
        "Ask the holder to show it from the phone, here and now.",
    ),
    "rule_claims": Phrase(
        *_BY,
        "请持证人重新出示，并同意提供上述项目。",
        "Ask the holder to show it again, with everything that the rule names.",
    ),
    "rule_claim": Phrase(
        *_BY, "请告知持证人本事项的条件及依据（{basis}）。", "Tell the holder what this service asks for ({basis})."
    ),
    "rule_unknown": Phrase(*_UNCLEAR, *RETRY),
    "rule_time_unknown": Phrase(
        *_UNCLEAR,
        "请联网更新信任数据后重试，或请持证人换领新证。",
        "Update the trust data and try again, or ask the holder for a renewed certificate.",
    ),
    "rule_algorithm_unproven": Phrase(
        *_UNCLEAR,
        "请持证人提供带时间戳的 PDF 原件，或换领新证。",
        "Ask for the original PDF, which carries a time-stamp, or for a renewed certificate.",
    ),
    "rule_claim_not_shown": Phrase(
        *_UNCLEAR,
        "请持证人重新出示，并同意提供该项目。",
        "Ask the holder to show it again, with what the rule asks about.",
    ),
    "rule_binding_unknown": Phrase(*_UNCLEAR, *AGAIN),
    "rule_unusable": Phrase(
        "{region}的受理规则 {rule}（第 {version} 版名录，自 {since} 起）本机无法执行：{condition}。",
        "This machine can't apply rule {rule} of {region} (list version {version}, since {since}): {condition}.",
        "请勿自行受理；请告知本单位的系统管理员更新软件。",
        "Do not accept it on your own; ask your system administrator to update the software.",
    ),
    "trust_too_old_by_rule": Phrase(
        "信任数据已超过 {budget} 未更新；这是{region}的受理规则 {rule}（自 {since} 起）的期限。",
        "The trust data were not updated for more than {budget}, the limit of rule {rule} of {region} (since {since}).",
        *RETRY,
    ),
    "status_too_old_by_rule": Phrase(
        "状态数据已超过 {budget} 未更新，其间可能已撤销；这是{region}的受理规则 {rule}（自 {since} 起）的期限。",
        "The status data are more than {budget} old, the limit of rule {rule} of {region} (since {since}); it may have "
        "been revoked since.",
        *RETRY,
    ),
    "status_valid_by_grace": Phrase(
        "截至 {as_of} 有效；状态列表已过期，按{region}的受理规则 {rule}（自 {since} 起）仍可沿用。",
        "In force as of {as_of}; that list has run out, and rule {rule} of {region} (since {since}) still allows it.",
    ),
}
