"""A phrase, and the next steps that several phrases share. Data only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Phrase:
    """One code's sentence and next step. A next step is empty only for what needs none (passed, not applicable)."""

    zh: str
    en: str
    next_zh: str = ""
    next_en: str = ""


ASK_ORIGINAL = "请持证人提供原始电子文件或重新出示。", "Ask the holder for the original file, or to show it again."
COMPARE = (
    "请对照盖章时的版本与现在的版本；请持证人提供原始文件。",
    "Compare the version that was sealed with the one shown now; ask the holder for the original file.",
)
RETRY = (
    "请稍后联网重试；急办可先收件，恢复后再核验。",
    "Try again when online; if urgent, take the papers in and verify later.",
)
ISSUER = "请持证人联系{issuer}。", "Ask the holder to contact {issuer}."
PDF = (
    "请改用带时间戳的 PDF 原件，或请持证人换领新证。",
    "Use the original PDF, which carries a time-stamp, or ask the holder for a renewed certificate.",
)
ADMIN = "请告知本单位的系统管理员。", "Tell your system administrator."

AGAIN = "请持证人重新出示。", "Ask the holder to show it again."
