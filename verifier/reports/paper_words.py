"""What stands on every printed report, in both languages. Data only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from trust_registry.model import Names
from verifier.model import Outcome

FIXED: Final[Mapping[str, Names]] = {
    "kicker": Names("印信 · 电子证照核验", "YINXIN · VERIFICATION OF ELECTRONIC CERTIFICATES"),
    "title": Names("核验报告", "Verification Report"),
    "number-label": Names("编号  ", "No. "),
    "judged-label": Names("核验时间  ", "Judged on "),
    "next-label": Names("下一步：", "Next: "),
    "subject-title": Names("核验对象", "What was checked"),
    "findings-title": Names("逐项结果", "Results, check by check"),
    "signatures-title": Names("文件中的签名", "Signatures in the document"),
    "basis-title": Names("依据", "By which rules and data"),
    "footer": Names("本报告不含证照内容。", "This report repeats nothing of what the certificate says."),
    "page": Names("第 {here} 页，共 {total} 页", "Page {here} of {total}"),
}
FINDINGS_HEAD: Final = (Names("检查项", "Check"), Names("结果", "Result"), Names("说明", "What was found"))
NOTES: Final = (
    Names(
        "本报告所述结论仅对上列摘要所指的文件、在上列时间、依据上列数据成立。"
        "机器可读的完整报告（ETSI TS 119 102-2）附于本 PDF 内。",
        "The verdict holds for the file with the digest above, at the time above, by the data above. "
        "The full report for machines (ETSI TS 119 102-2) is attached to this PDF.",
    ),
    Names(
        "印出的报告本身不是证据：需要复核时，请用原文件、附件或签名回执重新核验。",
        "A printout proves nothing by itself: to check again, verify the original file, the attached data "
        "or the signed receipt.",
    ),
)
SIGN: Final = (Names("经办人（签字）、日期", "Officer (signature), date"), Names("核验单位（盖章）", "Office (seal)"))
LABELS: Final[Mapping[str, Names]] = {
    "form": Names("形式", "Form"),
    "type": Names("证照类型", "Type"),
    "issuer": Names("颁证机构", "Issued by"),
    "certificate": Names("证照标识", "Certificate identifier"),
    "validity": Names("有效期", "Validity"),
    "signed_at": Names("盖章时间", "Sealed"),
    "digest": Names("文件摘要", "Digest of what was checked"),
    "accepting": Names("受理地区", "Accepting region"),
    "scenario": Names("事项", "Scenario"),
    "list": Names("名录", "Signed list"),
    "versions": Names("信任数据版本", "Versions of the trust data"),
    "status": Names("状态数据摘要", "Digest of the status data"),
    "ages": Names("数据新旧", "Age of the data"),
    "standards": Names("标准", "Standards"),
}
FORMS: Final[Mapping[str | None, Names]] = {
    "pdf": Names("PDF 证照", "Sealed PDF"),
    "sd_jwt_vc": Names("电子凭证", "Credential"),
    "qr": Names("印刷二维码", "Printed QR code"),
    "mdoc": Names("移动证件", "Mobile document"),
    "receipt": Names("核验回执", "Receipt"),
    "archive": Names("核验卷宗", "Case file"),
    "health_certificate": Names("健康证明二维码", "Health certificate code"),
}
ANY_PDF: Final = Names("PDF 文件", "PDF document")  # without certificate data of this network
UNKNOWN_FORM: Final = Names("无法识别的内容", "Something that was not recognised")
NO_END: Final = Names("长期有效", "without expiry")
PROVEN: Final = Names("（有时间戳证明）", " (proven by a time-stamp)")
CLAIMED: Final = Names("（签发者自述）", " (as the signer states)")
DECIDING: Final = Names("结论依此签名", "the verdict is this one's")
LIST: Final = Names(
    "{region}名录，第 {version} 版，{count} 名登记官签名", "{region}, version {version}, signed by {count} officers"
)
TRUST_AGE: Final = Names("信任数据：", "Trust data: ")
STATUS_AGE: Final = Names("状态数据：", "status data: ")
STANDARDS: Final = Names(
    "ETSI EN 319 102-1（结论用语）、TS 119 102-2（报告）", "ETSI EN 319 102-1 (indications), TS 119 102-2 (report)"
)
OUTCOMES: Final[Mapping[Outcome, Names]] = {
    Outcome.PASSED: Names("通过", "passed"),
    Outcome.FAILED: Names("不通过", "failed"),
    Outcome.UNKNOWN: Names("无法判断", "unknown"),
    Outcome.NOT_APPLICABLE: Names("不适用", "not asked"),
}
