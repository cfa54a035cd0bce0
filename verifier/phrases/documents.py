"""The sentences on signed documents: what was done to them since, what keeps a signature from counting. Data only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from verifier.phrases.words import ASK_ORIGINAL, COMPARE, PDF, Phrase

_REFUSE = (
    "请勿接受；请持证人提供未经修改的原始文件。",
    "Do not accept it; ask for the unchanged original file.",
)
_REPORT = (
    "请勿接受；请持证人提供原始文件，并按规定上报。",
    "Do not accept it; ask for the original file and report it as your rules say.",
)
_NEW_FILE = (
    "请持证人向签发者索取按现行要求签发的文件。",
    "Ask the holder for a file that its maker has signed as is required today.",
)

DOCUMENT: Final[Mapping[str, Phrase]] = {
    "hidden_content_shown": Phrase(
        "页面现在显示的内容，在盖章时是隐藏的。这是一种已知的造假手法。",
        "The page shows something that was hidden when it was sealed. This is a known way of forging.",
        *_REPORT,
    ),
    "page_changed": Phrase(
        "盖章后，页面上显示的内容被改动。", "What a page shows was changed after it was sealed.", *_REPORT
    ),
    "page_removed": Phrase("盖章后，有页面被删除。", "A page was taken out after it was sealed.", *_REFUSE),
    "page_added": Phrase(
        "盖章后，又加入了页面；加入的页面不受印章保护。",
        "A page was added after it was sealed; the seal does not cover it.",
        *_REFUSE,
    ),
    "page_order_changed": Phrase(
        "盖章后，页面的顺序被改动。", "The order of the pages was changed after it was sealed.", *_REFUSE
    ),
    "signature_changed": Phrase(
        "盖章后，文件中的另一个签章或其图样被改动。",
        "Another signature in the file, or how it looks, was changed after this one.",
        *_REPORT,
    ),
    "attachment_changed": Phrase(
        "盖章后，附件被增加、替换或删除。",
        "An attachment was added, replaced or taken out after it was sealed.",
        *_REFUSE,
    ),
    "action_added": Phrase(
        "盖章后，文件被加入了打开时自动执行的动作。",
        "After it was sealed, something was added that the file does by itself when opened.",
        *_REFUSE,
    ),
    "changes_unreadable": Phrase(
        "盖章后文件又被改动，且无法与盖章时的版本比对。",
        "The file was changed after sealing in a way that cannot be compared with what was sealed.",
        *_REFUSE,
    ),
    "form_filled_against_seal": Phrase(
        "盖章者不允许再填写，但盖章后表单又被填写或改动。",
        "A form was filled in or changed after sealing, although the seal forbids it.",
        *_REFUSE,
    ),
    "note_added_against_seal": Phrase(
        "盖章者不允许再添加内容，但盖章后页面上又加了批注、图章或遮盖物。",
        "A note, a stamp or a cover was laid over a page after sealing, although the seal forbids it.",
        *_REFUSE,
    ),
    "signature_added_against_seal": Phrase(
        "盖章者不允许再加签章，但盖章后又加了签章。",
        "A signature was added after sealing, although the seal forbids it.",
        *_REFUSE,
    ),
    "note_added_after_sealing": Phrase(
        "盖章后页面上又加了批注、图章或遮盖物，这些不受印章保护。",
        "A note, a stamp or a cover was laid over a page after sealing; the seal does not protect it.",
        *COMPARE,
    ),
    "another_seal_failed": Phrase(
        "文件上的另一枚备案印章核验不通过。",
        "Another registered seal on this document does not verify.",
        "请看各个签名的结果，弄清是哪一枚；请持证人提供原始文件。",
        "See among the signatures which one it is and why; ask the holder for the original file.",
    ),
    "byte_range_wrong": Phrase(
        "签章没有说明覆盖文件的哪些部分，或所说与实际不符。",
        "The signature does not say rightly which part of the file it covers.",
        *_REPORT,
    ),
    "file_start_not_covered": Phrase(
        "签章没有覆盖文件的开头。", "The signature does not cover the beginning of the file.", *_REPORT
    ),
    "gap_not_covered": Phrase(
        "签章在文件中间留有未覆盖的部分，可能被填入别的内容。",
        "The signature leaves out a part in the middle of the file, where anything could be put.",
        *_REPORT,
    ),
    "signature_copied": Phrase(
        "签章被复制或移到了别处，不在它所签的位置。",
        "The signature was copied or moved; it does not stand where it was made.",
        *_REPORT,
    ),
    "several_signers": Phrase(
        "一个签章里有多个签名者，或没有签名者。", "One signature holds several signers, or none.", *_NEW_FILE
    ),
    "signed_part_no_document": Phrase(
        "签章所覆盖的部分不是一份完整的文件。",
        "What the signature covers is not a whole document by itself.",
        *_REFUSE,
    ),
    "bytes_after_end": Phrase(
        "盖章后，文件末尾又接上了别的内容。", "Something was put behind the end of the file after sealing.", *_REFUSE
    ),
    "signer_missing": Phrase(
        "文件中没有签章者的证书，不知道是谁签的。",
        "The file does not hold the certificate of its signer, so nobody knows who that is.",
        *ASK_ORIGINAL,
    ),
    "signer_replaced": Phrase(
        "签章指明的证书不是所附的证书，签章者可能被调换。",
        "The signature names another certificate than the one that is attached; the signer may have been exchanged.",
        *_NEW_FILE,
    ),
    "signer_weakly_protected": Phrase(
        "签章固定签章者的方法已不安全，来源无法确认。",
        "The signature fixes its signer by a method that is no longer safe, so its origin is uncertain.",
        *_NEW_FILE,
    ),
    "signature_form_unknown": Phrase(
        "签章的格式不是我们能核对的格式。", "The signature is of a form that cannot be checked.", *_NEW_FILE
    ),
    "signature_unreadable": Phrase(
        "文件中的签章残缺或已损坏。", "The signature in the file is cut short or damaged.", *ASK_ORIGINAL
    ),
    "signature_over_other_content": Phrase(
        "签章签的是别的内容，不是这份文件。", "The signature is over something else than this file.", *_REPORT
    ),
    "method_weak": Phrase(
        "签章所用的方法已不安全，不能据以认定。",
        "It was signed with a method that is no longer safe, so nothing follows from it.",
        *_NEW_FILE,
    ),
    "signed_attributes_missing": Phrase(
        "签章没有固定签的是什么、由谁签，缺少必需的内容。",
        "The signature lacks what fixes what was signed and by whom.",
        *_NEW_FILE,
    ),
    "signature_contradicts_itself": Phrase(
        "签章的内容自相矛盾，或缺少、重复了必需的部分。",
        "The signature contradicts itself, or a part that it needs is missing or there twice.",
        *_REPORT,
    ),
    "time_stamps_disordered": Phrase(
        "文件中各个时间戳的先后顺序相互矛盾。",
        "The time-stamps in the file contradict each other about what came first.",
        *ASK_ORIGINAL,
    ),
    "proof_lost": Phrase(
        "盖章时间（{at}）的证明已失效，没有更新的证明。",
        "What proved the time of sealing ({at}) can no longer be relied on, and no newer proof is there.",
        *PDF,
    ),
    "time_proof_moved": Phrase(
        "所附时间戳不属于这个签章，只能采用签发者自述的时间：{at}。",
        "The attached time-stamp belongs to something else; only the signer's own time counts: {at}.",
    ),
    "time_proof_doubled": Phrase(
        "签章附有多个时间戳，无法确定以哪个为准，只能采用签发者自述的时间：{at}。",
        "Several time-stamps are attached where one belongs; only the signer's own time counts: {at}.",
    ),
    "time_proof_lost": Phrase(
        "所附时间戳现在已不能证明什么，只能采用签发者自述的时间：{at}。",
        "The attached time-stamp no longer proves anything; only the signer's own time counts: {at}.",
    ),
}
