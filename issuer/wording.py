"""What the desk says to a clerk, zh and en: reasons, states, consequences, refusals. Decides nothing; no values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from issuer import errors
from issuer.model import CertificateState, RefusalReason, WaitingState
from trust_registry.model import CertificateStatus, Names, StatusReason

REASONS: Final[Mapping[StatusReason, Names]] = {
    reason: Names(reason.names.zh, reason.names.en[0].upper() + reason.names.en[1:]) for reason in StatusReason
}
REASONS_FOR: Final[Mapping[CertificateStatus, tuple[StatusReason, ...]]] = {
    CertificateStatus.SUSPENDED: (
        StatusReason.UNDER_REVIEW,
        StatusReason.HOLDER_REQUEST,
        StatusReason.CORRECTION,
    ),
    CertificateStatus.VALID: (
        StatusReason.REVIEW_ENDED,
        StatusReason.HOLDER_REQUEST,
        StatusReason.CORRECTION,
        StatusReason.ISSUED_IN_ERROR,
    ),
    CertificateStatus.INVALID: (
        StatusReason.CORRECTION,
        StatusReason.HOLDER_REQUEST,
        StatusReason.SUPERSEDED,
        StatusReason.ENTITLEMENT_ENDED,
        StatusReason.ISSUED_IN_ERROR,
        StatusReason.OBTAINED_BY_FRAUD,
    ),
}
STATUSES: Final[Mapping[CertificateStatus, Names]] = {
    CertificateStatus.VALID: Names("有效", "Valid"),
    CertificateStatus.SUSPENDED: Names("已暂停", "Suspended"),
    CertificateStatus.INVALID: Names("已撤销", "Revoked"),
}
STATES: Final[Mapping[CertificateState, Names]] = {
    CertificateState.RECORDED: Names("已登记，待签章", "Recorded, not sealed yet"),
    CertificateState.PUBLISHED: Names("已颁发", "Issued"),
    CertificateState.VOIDED: Names("已作废，未交付", "Given up before it was handed out"),
}
ACTIONS: Final[Mapping[CertificateStatus, Names]] = {
    CertificateStatus.SUSPENDED: Names("暂停", "Suspend"),
    CertificateStatus.VALID: Names("恢复", "Reinstate"),
    CertificateStatus.INVALID: Names("撤销", "Revoke"),
}
CONSEQUENCES: Final[Mapping[CertificateStatus, tuple[Names, ...]]] = {
    CertificateStatus.SUSPENDED: (
        Names("PDF、二维码、电子凭证同时暂停。", "The PDF, the QR code and the credential are suspended together."),
        Names("各地窗口核验时会看到“已暂停”，不能受理。", "Counters everywhere read “suspended” and cannot accept it."),
        Names("以后可以恢复。", "It can be reinstated later."),
    ),
    CertificateStatus.VALID: (
        Names("PDF、二维码、电子凭证同时恢复。", "The PDF, the QR code and the credential stand again."),
        Names("窗口更新状态数据后即可受理。", "Counters accept it once their status data is fresh."),
    ),
    CertificateStatus.INVALID: (
        Names("PDF、二维码、电子凭证同时失效。", "The PDF, the QR code and the credential end together."),
        Names("各地窗口核验时会看到“已撤销”，不能受理。", "Counters everywhere read “revoked” and cannot accept it."),
        Names("不可恢复；需要时只能颁发新证。", "It cannot be undone; only a new certificate can follow."),
    ),
}

_REFUSALS: Final[tuple[tuple[type[errors.IssuerError], Names], ...]] = (
    (
        errors.ApprovalNeeded,
        Names(
            "这种证照须由另一位经办人复核后才能盖章。",
            "Another clerk must approve this certificate before it is sealed.",
        ),
    ),
    (errors.WaitingUnknown, Names("没有这项待复核的申请。", "There is no such request waiting for approval.")),
    (errors.OwnRequest, Names("不能复核自己提交的申请。", "Nobody approves or refuses their own request.")),
    (
        errors.WaitingClosed,
        Names("这项申请已经办结，或不是您提交的。", "This request is decided already, or was not made by you."),
    ),
    (
        errors.ContentChanged,
        Names("内容与您核对的不一致，请重新打开核对。", "This is not what you checked: open it and check again."),
    ),
    (errors.IssuerNotListed, Names("本机构不在本地区的名录里，不能颁发。", "This office is not on its region's list.")),
    (
        errors.IssuerNotEntitled,
        Names("本机构目前无权颁发这种证照。", "This office may not issue this certificate at the moment."),
    ),
    (errors.SealNotListed, Names("这枚印章不在本地区的名录里。", "This seal is not on the region's list.")),
    (errors.SealNotInForce, Names("这枚印章已被暂停或撤回。", "This seal is suspended or withdrawn.")),
    (errors.SealOutOfTime, Names("这枚印章不在有效期内。", "This seal is outside its validity.")),
    (errors.SealNotEntitled, Names("这枚印章不能用于这种证照。", "This seal may not be used for this certificate.")),
    (errors.SealUnknown, Names("没有这枚印章。", "There is no such seal.")),
    (errors.TypeUnknown, Names("没有这种证照。", "There is no such certificate type.")),
    (
        errors.GlyphMissing,
        Names(
            "有字不在证照字库里，请联系管理员。",
            "A character is missing from the document fonts; tell the administrator.",
        ),
    ),
    (errors.ValidityImpossible, Names("有效期已过或早于起始日。", "It would be over already, or before it begins.")),
    (
        errors.IdempotencyConflict,
        Names(
            "这张表已提交过别的内容，请重新打开表单。", "This form was sent before with other content; open it anew."
        ),
    ),
    (errors.StatusFinal, Names("证照已撤销，不能再变更。", "It is revoked, and that is final.")),
    (errors.StatusUnchanged, Names("证照已经是这个状态。", "It has that status already.")),
    (errors.EffectiveTimeInPast, Names("生效时间不能早于现在。", "It cannot take effect in the past.")),
    (errors.ReasonDoesNotFit, Names("这个原因不适用于这项变更。", "This reason does not fit this change.")),
    (
        errors.PublicationDelayed,
        Names("已登记，状态列表稍后发布。", "Recorded; the status list will be published shortly."),
    ),
    (errors.StatusSignerMissing, Names("本机构没有可用的状态签名密钥。", "This office has no key for status lists.")),
    (errors.TrustViewMissing, Names("还没有信任数据，请稍后再试。", "There is no trust data yet; try again shortly.")),
    (
        errors.CertificateNotPublished,
        Names("已登记，签章尚未完成，请重试。", "Recorded, sealing unfinished; try again."),
    ),
    (
        errors.CertificateVoided,
        Names("上次的登记已作废，请重新打开表单。", "The earlier record was given up; open the form anew."),
    ),
    (
        errors.HolderNotNamed,
        Names("证照里的号码与持证人不一致。", "The number in the certificate is not the holder's."),
    ),
    (errors.InvalidIdentityNumber, Names("号码不正确，请再核对一遍。", "The number is not right; compare it again.")),
    (errors.ClaimsInvalid, Names("有一项填写不符合格式。", "One entry has the wrong form.")),
    (
        errors.SealImageUnfit,
        Names("这个名称或编码不能制成印章。", "This name or code can't be set on a seal."),
    ),
    (errors.HolderKeyInvalid, Names("持证人的密钥不能使用。", "The holder's key can't be used.")),
    (
        errors.IdempotencyKeyInvalid,
        Names(
            "Idempotency-Key 请求头须有 1 至 255 个可见 ASCII 字符。",
            "The header Idempotency-Key needs 1 to 255 visible ASCII characters.",
        ),
    ),
    (
        errors.CertificateNotFound,
        Names("没有这份证照，或它是别的机构颁发的。", "There is no such certificate, or another office issued it."),
    ),
    (
        errors.CertificateSuspended,
        Names(
            "证照已暂停；恢复后可以重新制作副本。", "It is suspended; copies can be made again once it is reinstated."
        ),
    ),
    (
        errors.CertificateRevoked,
        Names("证照已撤销；请向颁证机构申请新的证照。", "It is revoked; ask the issuing office for a new certificate."),
    ),
    (
        errors.CertificateOver,
        Names(
            "证照已过期，或一小时内到期；请向颁证机构申请新的证照。",
            "It is over, or will be within the hour; ask the issuing office for a new certificate.",
        ),
    ),
    (
        errors.TooManyCopies,
        Names("近期制作的副本已达上限，请稍后再试。", "As many copies as may be were made of late; try again later."),
    ),
    (
        errors.CopyKeysInvalid,
        Names(
            "每个密钥须为不同的公钥（P-256、P-384 或 Ed25519）。",
            "Each key must be another public key, on P-256, P-384 or Ed25519.",
        ),
    ),
    (errors.CopyRefused, Names("不能制作这份证照的副本。", "No copy of this certificate can be made.")),
    (errors.HolderNotFound, Names("没有登记这位持证人。", "No such holder is on record.")),
    (
        errors.HolderErased,
        Names(
            "持证人的数据密钥已销毁，内容无法再读取。",
            "The holder's data key was destroyed; nobody can read the content any more.",
        ),
    ),
    (errors.StatusListNotFound, Names("此地址没有发布状态表。", "No status list is published at this address.")),
    (
        errors.StatusListMisplaced,
        Names(
            "状态表的地址不能对应到文件，请联系管理员。",
            "A status list's address maps to no file; tell the administrator.",
        ),
    ),
    (errors.BulkFileRefused, Names("文件不能当作表格读取。", "The file can't be read as a table.")),
    (
        errors.SealKeyMismatch,
        Names(
            "印章的密钥与它的证书不符，请联系管理员。",
            "The seal's key does not fit its certificate; tell the administrator.",
        ),
    ),
    (
        errors.NotOfAnIssuer,
        Names(
            "您的账户不属于任何颁证机构，不能办理。", "Your account is of no issuing office, so it may do nothing here."
        ),
    ),
)
WAITING_STATES: Final[Mapping[WaitingState, Names]] = {
    WaitingState.WAITING: Names("待复核", "Waiting for approval"),
    WaitingState.APPROVED: Names("已同意，正在盖章", "Approved, being sealed"),
    WaitingState.SEALED: Names("已盖章", "Sealed"),
    WaitingState.REFUSED: Names("已退回", "Refused"),
    WaitingState.WITHDRAWN: Names("已撤回", "Withdrawn"),
    WaitingState.EXPIRED: Names("已过期", "Expired"),
}
REFUSAL_REASONS: Final[Mapping[RefusalReason, Names]] = {
    RefusalReason.INCORRECT: Names("内容有误", "Something is wrong"),
    RefusalReason.INCOMPLETE: Names("材料不全", "Something is missing"),
    RefusalReason.NOT_ENTITLED: Names("不符合条件", "The holder is not entitled"),
    RefusalReason.DUPLICATE: Names("重复提交", "It was asked for twice"),
    RefusalReason.NO_LONGER_NEEDED: Names("不再需要", "No longer needed"),
    RefusalReason.CANNOT_BE_SEALED: Names("已不能盖章", "It can no longer be sealed"),
}
ROW_UNREADABLE: Final = Names("这一格读不出来。", "This cell can't be read.")
NO_SEAL: Final = Names("没有可用于这种证照的印章。", "No seal may be used for this certificate.")
_OTHERWISE: Final = Names("无法完成，请检查后重试。", "This could not be done; check and try again.")


def refusal(error: errors.IssuerError) -> Names:
    """What a refusal means to a clerk."""
    return next((words for kind, words in _REFUSALS if isinstance(error, kind)), _OTHERWISE)
