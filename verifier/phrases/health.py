"""The sentences on health certificates of other networks. Data only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from verifier.phrases.words import ASK_ORIGINAL, RETRY, Phrase

HEALTH: Final[Mapping[str, Phrase]] = {
    "health_format": Phrase("这是欧盟格式的健康证明。", "It is a health certificate in the European form."),
    "health_ambiguous": Phrase(
        "其中没有恰好一项健康证明内容。", "It does not certify exactly one thing about health.", *ASK_ORIGINAL
    ),
    "health_signer_listed": Phrase(
        "签发者列在 {list} 的名录中（{issuer}，第 {version} 号）。",
        "The issuer is on the list of {list} ({issuer}, number {version}).",
    ),
    "health_signer_entitled": Phrase(
        "签发者有权签发此类健康证明（{issuer}）。", "The issuer may certify this kind of thing ({issuer})."
    ),
    "health_kind_allowed": Phrase(
        "签发者的证书允许签发此类健康证明（{issuer}）；没有名录说明其资格。",
        "The issuer's certificate allows this kind of thing ({issuer}); no list says what it may issue.",
    ),
    "health_kind_not_allowed": Phrase(
        "签发者（{issuer}）无权签发此类健康证明。",
        "The issuer ({issuer}) may not certify this kind of thing.",
        "不予受理；请持证人提供其他证明。",
        "Do not accept it; ask the holder for other proof.",
    ),
    "health_not_granted": Phrase(
        "签发时，{issuer} 在名录中不具备资格。",
        "When it was issued, {issuer} had no right to on its list.",
        "不予受理；请持证人提供其他证明。",
        "Do not accept it; ask the holder for other proof.",
    ),
    "health_country_differs": Phrase(
        "证明自称由 {stated} 签发，签名却属于 {issuer}。",
        "It says that it is from {stated}; it was signed by {issuer}.",
        "请持证人提供其他证明，并告知本单位的系统管理员。",
        "Ask the holder for other proof, and tell your system administrator.",
    ),
    "health_not_mapped": Phrase(
        "{accepting}没有说明此类健康证明相当于本地的哪种证照。",
        "{accepting} does not say which of its own certificates this kind corresponds to.",
        "请告知持证人需要提供何种本地材料。",
        "Tell the holder which local document is needed instead.",
    ),
    "health_not_asked": Phrase(
        "未指定受理地区；外部网络的证明只有受理地区认可才算数。",
        "No accepting region was named; proof of another network counts only where a region recognises it.",
        "请选择受理地区后重新核验。",
        "Choose the accepting region and verify again.",
    ),
    "health_validity_missing": Phrase(
        "没有说明有效期截止时间。", "It does not say until when it is valid.", *ASK_ORIGINAL
    ),
    "foreign_list_too_old": Phrase(
        "{list} 的名录已过期或超过 {budget} 未更新。",
        "The list of {list} is past its date or has not been updated for more than {budget}.",
        *RETRY,
    ),
}
