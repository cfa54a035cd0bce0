"""The sentences on what was done to a document after it was signed. Data only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from keys.envelopes.pades import ChangeKind
from trust_registry.model import Names

CHANGES: Final[Mapping[ChangeKind, Names]] = {
    ChangeKind.VALIDATION_DATA: Names(
        "补充了供日后核验的资料，看到的内容不变。", "Data for later checks were added; what one sees is the same."
    ),
    ChangeKind.DOCUMENT_TIMESTAMP: Names(
        "加盖了时间戳，看到的内容不变。", "A time-stamp was added; what one sees is the same."
    ),
    ChangeKind.METADATA: Names(
        "改了标题等说明信息，看到的内容不变。", "Titles and the like were changed; what one sees is the same."
    ),
    ChangeKind.SIGNATURE: Names("又加了一个签名或签名栏。", "A further signature, or a place for one, was added."),
    ChangeKind.FORM_VALUE: Names("填写或改动了表单。", "A form field was filled in or changed."),
    ChangeKind.ANNOTATION: Names(
        "加了批注、图章或遮盖物。", "A note, a stamp or something that covers the page was added."
    ),
    ChangeKind.PAGE_ADDED: Names("加了页。", "A page was added."),
    ChangeKind.PAGE_REMOVED: Names("去掉了页。", "A page was taken out."),
    ChangeKind.PAGE_ORDER: Names("页的顺序变了。", "The order of the pages was changed."),
    ChangeKind.PAGE_CONTENT: Names("页面上的内容被改了。", "What the page shows was changed."),
    ChangeKind.SIGNATURE_CHANGED: Names("动了别的签名或其图样。", "Another signature, or how it looks, was changed."),
    ChangeKind.ATTACHMENT: Names("附件被增加、替换或删除。", "An attachment was added, replaced or taken out."),
    ChangeKind.ACTION: Names(
        "加了打开文件时自动执行的动作。", "Something was added that the file does by itself when opened."
    ),
    ChangeKind.STRUCTURE: Names("文件结构被改了。", "The structure of the file was changed."),
    ChangeKind.HIDDEN: Names(
        "盖章时藏着、看不见的内容，现在显示出来了。这是一种已知的造假手法。",
        "Content that lay hidden when it was sealed is shown now. This is a known way of forging.",
    ),
    ChangeKind.UNREADABLE: Names("有无法比对的改动。", "There is a change that cannot be compared."),
}
PERMITTED: Final = Names("（盖章者允许）", "(The signer permitted this.)")
NOT_PERMITTED: Final = Names("（盖章者未允许）", "(The signer did not permit this.)")
