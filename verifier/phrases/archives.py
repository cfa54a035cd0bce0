"""The sentences on case files: is the file whole, since when is it proven, can it still be believed. Data only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from verifier.phrases.words import Phrase

_OTHER_COPY: Final = (
    "请改用另一份备份；没有备份的，不能作为依据。",
    "Use another copy from your backups; without one it is no evidence.",
)
_AUDITOR: Final = (
    "请交档案管理员核对后再用。",
    "Have the records officer look at it before you rely on it.",
)

ARCHIVE: Final[Mapping[str, Phrase]] = {
    "archive_whole": Phrase("卷宗完整，内容与归档时一致。", "The case file is whole: nothing in it was changed."),
    "archive_altered": Phrase(
        "卷宗内容被改动或缺失：{names}。",
        "Something in the case file was changed or is missing: {names}.",
        *_OTHER_COPY,
    ),
    "archive_not_covered": Phrase(
        "卷宗里有归档之后放入、没有时间戳保护的文件：{names}。",
        "The case file holds something that no time-stamp vouches for: {names}.",
        *_AUDITOR,
    ),
    "archive_proven": Phrase(
        "时间戳证明卷宗在 {at} 已经存在（共 {stamps} 个时间戳，未中断）。",
        "Time-stamps prove that the case file existed on {at} (time-stamps: {stamps}, without a gap).",
    ),
    "archive_proven_late": Phrase(
        "较早的时间戳未及时更新（{ended} 失效），只能证明卷宗在 {at} 已经存在。",
        "An earlier time-stamp ended on {ended} before it was renewed; proven is only that the file existed on {at}.",
    ),
    "archive_renewal_missed": Phrase(
        "卷宗的时间戳已于 {ended} 失效，未及时更新。",
        "The case file's time-stamp ended on {ended} and was not renewed in time.",
        "请查找在此之前更新过的备份；没有的，请联系颁证机构重新核实。",
        "Look for a copy that was renewed before then; otherwise ask the issuing office to confirm.",
    ),
    "archive_not_proven": Phrase(
        "卷宗的时间戳不是本机信任的机构出具的。",
        "The case file's time-stamps are by nobody that is trusted here.",
        "请更新互认数据后重试，或请管理员加入可信的时间戳机构。",
        "Refresh the trust data and try again, or have the administrator add the time-stamp's authority.",
    ),
    "archive_dates_differ": Phrase(
        "卷宗记载的核验时间是 {judged}，而时间戳只能证明到 {at}，两者不符。",
        "The verdict on file is dated {judged}; what proves it begins on {at}: the two do not fit.",
        *_AUDITOR,
    ),
    "archive_trust_damaged": Phrase(
        "卷宗中的互认数据无法核实。", "The trust data in the case file do not verify.", *_OTHER_COPY
    ),
    "archive_network_unknown": Phrase(
        "卷宗中的互认数据来自本机不认识的网络。",
        "The trust data in the case file lead to a network that is not known here.",
        "请用该网络的信任根重新核验。",
        "Verify it again with the first root of that network.",
    ),
    "archive_trust_outdated": Phrase(
        "卷宗中的互认数据在得到有效证明之前，其签名方法已经停用。",
        "The methods that sign the trust data in the case file had ended before the first proof that holds.",
        *_AUDITOR,
    ),
    "archive_receipt_ok": Phrase(
        "卷宗中的回执与证照、结论一致。", "The receipt in the case file fits the evidence and the verdict."
    ),
    "archive_receipt_differs": Phrase(
        "卷宗中的回执不属于这份证照或这个结论。",
        "The receipt in the case file is about something else, or another verdict.",
        *_OTHER_COPY,
    ),
    "archive_receipt_doubtful": Phrase(
        "无法确认卷宗中回执的签发单位。", "Whose receipt the case file holds cannot be told.", *_AUDITOR
    ),
    "archive_verdict_differs": Phrase(
        "归档时的结论是“{recorded}”，按卷宗内容重新核验得到“{found}”。",
        "The verdict on file is “{recorded}”; what the file holds gives “{found}”.",
        *_AUDITOR,
    ),
}
