"""Refusals of the issuer in full, zh and en: the desk's sentence (`issuer.wording`), the facts, the reason.

For problem documents and bulk reports. Decides nothing; repeats no value of a claim.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from issuer import errors, wording
from trust_registry.model import Names
from trust_registry.wording import CLAIM_PHRASES, IDENTIFIER_PHRASES, Phrasebook, compose, facts_of

PHRASES: Final = Phrasebook(
    # core
    ("citizen identity number: {}", "居民身份号码{}"),
    ("unified social credit code: {}", "统一社会信用代码{}"),
    ("a private or symmetric JWK is no public key", "私钥或对称密钥不是公钥"),
    ("this kind of JWK is not in the registry", "不支持这种 JWK"),
    ("the JWK's alg does not fit its curve", "JWK 的 alg 与曲线不符"),
    ("the JWK's {} is not base64url", "JWK 的 {} 不是 base64url"),
    ("the JWK's {} has the wrong length", "JWK 的 {} 长度不对"),
    ("not a point on the curve", "不是曲线上的点"),
    ("the key is of another kind than its algorithm", "密钥种类与算法不符"),
    ("not a key that this algorithm is verified with", "不是该算法可用的验签密钥"),
    ("the certificate would be over already, or before it begins", "证照已过期，或早于起始日即结束"),
    ("a date (YYYY-MM-DD) is needed", "须为日期（YYYY-MM-DD）"),
    ("the header Idempotency-Key is needed", "须有 Idempotency-Key 请求头"),
    # copy_rules
    ("there is none", "没有提供密钥"),
    ("not a public JWK", "不是公钥 JWK"),
    ("not a key on P-256, P-384 or Ed25519", "不是 P-256、P-384 或 Ed25519 密钥"),
    ("the same key is there twice", "同一密钥出现了两次"),
    # seal_image
    ("a seal's name has 2 to {} characters", "印章名称须为 2 至 {} 个字"),
    ("a seal's code has 14 digits", "印章编码须为 14 位数字"),
    # bulk
    ("a bulk file has at most {} MiB", "批量文件最大 {} MiB"),
    ("the file is empty", "文件是空的"),
    ("the text is neither UTF-8 nor GB 18030", "文字编码既不是 UTF-8 也不是 GB 18030"),
    (
        "not CSV from here on: a quote is not closed, or a cell is too long",
        "从这里起不是 CSV：引号没有闭合，或单元格过长",
    ),
    ("column {} is not a claim of {}", "第 {} 列不是 {} 的项目"),
    ("column {} is there twice", "第 {} 列重复"),
    ("columns are missing: {}", "缺少这些列：{}"),
    ("the row has more cells than the header", "这一行的单元格比表头多"),
    ("is empty, so the row names no holder", "这里是空的，看不出持证人是谁", "it is empty, so the row names no holder"),
    ("is not JSON of type {}", "不是 {} 类型的 JSON", "it is not JSON of type {}"),
    ("is not a date (YYYY-MM-DD)", "不是日期（YYYY-MM-DD）", "it is not a date (YYYY-MM-DD)"),
    *CLAIM_PHRASES,
    *IDENTIFIER_PHRASES,
)
FACTS: Final[Mapping[type[errors.IssuerError], tuple[str, ...]]] = {
    errors.ApprovalNeeded: ("type_id",),
    errors.GlyphMissing: ("claim",),
    errors.TypeUnknown: ("type_id",),
    errors.SealUnknown: ("seal_id",),
    errors.IssuerNotListed: ("issuer_id",),
    errors.IssuerNotEntitled: ("issuer_id", "type_id", "status"),
    errors.SealNotListed: ("seal_id",),
    errors.SealNotInForce: ("seal_id", "status"),
    errors.SealOutOfTime: ("seal_id", "valid_from", "valid_until"),
    errors.SealNotEntitled: ("seal_id", "type_id"),
    errors.ClaimsInvalid: ("pointer",),
    errors.InvalidIdentityNumber: ("pointer",),
    errors.HolderNotNamed: ("pointers",),
    errors.ValidityImpossible: ("pointer",),
    errors.CertificateSuspended: ("since",),
    errors.CertificateRevoked: ("since",),
    errors.CertificateOver: ("valid_until",),
    errors.TooManyCopies: ("limit", "again_at"),
    errors.StatusFinal: ("since",),
    errors.StatusUnchanged: ("status",),
    errors.EffectiveTimeInPast: ("effective_at", "now"),
    errors.ReasonDoesNotFit: ("reason", "status"),
    errors.StatusSignerMissing: ("issuer_id",),
    errors.BulkFileRefused: ("line",),
    errors.SealKeyMismatch: ("seal_id",),
}
_REASONS: Final[Mapping[type[errors.IssuerError], str]] = {
    errors.SealImageUnfit: "problem",
    errors.ClaimsInvalid: "message",
    errors.InvalidIdentityNumber: "reason",
    errors.HolderKeyInvalid: "reason",
    errors.CopyKeysInvalid: "reason",
    errors.ValidityImpossible: "reason",
    errors.BulkFileRefused: "reason",
}


def explain(error: errors.IssuerError) -> Names:
    """The refusal in one sentence, with what it is about and why."""
    return compose(wording.refusal(error), facts_of(error, FACTS.get(type(error), ())), reason_of(error))


def explain_row(error: errors.IssuerError) -> Names:
    """The refusal of one row of a bulk file; the report names the column, and the file its seal and type."""
    return compose(wording.refusal(error), (), reason_of(error))


def explain_cell(reason: str) -> Names:
    """Why a cell of a bulk file can't be read."""
    return compose(wording.ROW_UNREADABLE, (), PHRASES.words(reason))


def reason_of(error: errors.IssuerError) -> Names | None:
    """Why, for refusals of which there are several kinds; None when the sentence says it all."""
    attribute = _REASONS.get(type(error))
    return None if attribute is None else PHRASES.words(getattr(error, attribute))
