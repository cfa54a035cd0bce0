"""The sentences on what was sealed, by whom and when. Data only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from verifier.phrases.words import ADMIN, ASK_ORIGINAL, COMPARE, ISSUER, PDF, RETRY, Phrase

FORMAT: Final[Mapping[str, Phrase]] = {
    "format_ok": Phrase("可以读取。", "It can be read."),
    "format_foreign": Phrase(
        "可以读取；其中没有本网络的证照数据。", "It can be read; it carries no certificate data of this network."
    ),
    "chain_improper": Phrase(
        "凭证自带的证书链不合规：签发者给自己签发了证书，或自带了信任锚；任何人都能这样做。",
        "The certificates that it brings are improper: its signer vouches for itself, or it brings the anchor along; "
        "anybody could do that.",
        "不予受理；请持证人向签发机关索取新的凭证。",
        "Do not accept it; ask the holder to get a new one from its issuer.",
    ),
    "not_evidence": Phrase(
        "这不是我们认识的证照、二维码或回执。",
        "This is not a certificate, code or receipt that we know.",
        "请确认扫描或上传的是证照本身。",
        "Make sure that the certificate itself was scanned or uploaded.",
    ),
    "damaged": Phrase("内容残缺或已损坏，无法读取。", "It is cut short or damaged and cannot be read.", *ASK_ORIGINAL),
    "encrypted": Phrase(
        "这份 PDF 加了密（打开密码或权限限制），里面的内容和印章无法核对。",
        "This PDF is encrypted (a password, or restricted use), so neither its content nor its seal can be checked.",
        "请持证人提供颁证机构签发的、未加密的原始文件；仍无法核对时请勿受理。",
        "Ask the holder for the file as the issuing office made it, without encryption; until then, do not accept it.",
    ),
    "too_large": Phrase(
        "文件超过可核验的大小。",
        "The file is larger than what can be verified.",
        "请提供颁证机构签发的原始文件。",
        "Ask for the file as the issuing office made it.",
    ),
    "empty": Phrase("没有收到内容。", "Nothing was handed in.", "请重新扫描或上传。", "Scan or upload again."),
    "not_judged_in_time": Phrase(
        "一次送来的太多，还没来得及核验这一份。",
        "Too much came at once; there was no time for this one.",
        "请单独再核验这一份。",
        "Verify this one again by itself.",
    ),
    "one_time_code": Phrase(
        "这是一次性亮证码，本身不是证照。",
        "This is a one-time code, not a certificate.",
        "请登录后在“扫码”页面读取。",
        "Sign in and read it on the scanning page.",
    ),
    "pdf_not_signed": Phrase(
        "这份 PDF 没有电子印章，不能证明任何事。",
        "This PDF carries no electronic seal and proves nothing.",
        *ASK_ORIGINAL,
    ),
    "data_missing": Phrase(
        "文件盖有印章，但没有证照数据，无法核对。",
        "The file is sealed but carries no certificate data to check.",
        *ASK_ORIGINAL,
    ),
    "data_damaged": Phrase(
        "文件所附的证照数据无法读取。", "The certificate data attached to the file cannot be read.", *ASK_ORIGINAL
    ),
}

INTEGRITY: Final[Mapping[str, Phrase]] = {
    "integrity_ok": Phrase("内容自盖章后未被改动。", "Nothing was altered since it was sealed."),
    "integrity_ok_signer_not_fixed": Phrase(
        "内容自签名后未被改动。签名本身没有固定签名者的证书，签名者以所附证书为准。",
        "Nothing was altered since it was signed. The signature does not itself fix its signer's certificate: the one "
        "that comes with it is taken.",
    ),
    "content_altered": Phrase(
        "内容在盖章后被改动。",
        "The content was altered after it was sealed.",
        "请勿接受；请持证人提供原始文件，并按规定上报。",
        "Do not accept it; ask for the original file and report it as your rules say.",
    ),
    "signature_wrong": Phrase(
        "印章签名是假的，或内容被改动。",
        "The seal's signature is false, or the content was altered.",
        "请勿接受，并按规定上报。",
        "Do not accept it, and report it as your rules say.",
    ),
    "changed_after_sealing": Phrase(
        "文件在盖章后又被修改，显示的内容不一定是当时盖章的内容。",
        "The file was changed after sealing; what it shows may not be what was sealed.",
        "请勿接受；请持证人提供未经修改的原始文件。",
        "Do not accept it; ask for the unchanged original file.",
    ),
    "form_filled_after_sealing": Phrase(
        "盖章后又填写了表单，填写部分不受印章保护。",
        "Form fields were filled in after sealing; the seal does not cover them.",
        *COMPARE,
    ),
    "signer_unknown": Phrase(
        "在信任名录中找不到签发者。",
        "Whoever signed it is not in any list that is trusted here.",
        "请联网更新信任数据后重试；仍找不到时请勿接受。",
        "Update the trust data and try again; if it is still not found, do not accept it.",
    ),
    "signer_not_protected": Phrase(
        "签名没有固定是哪个印章，无法确认来源。",
        "The signature does not fix which seal made it, so its origin is uncertain.",
        *ASK_ORIGINAL,
    ),
    "algorithm_unknown": Phrase(
        "所用的签名方法不在认可之列，无法核对。",
        "It was signed with a method that is not accepted here, so it cannot be checked.",
        "请持证人提供用认可方法签发的文件。",
        "Ask for a file that was signed with an accepted method.",
    ),
    "algorithm_retired": Phrase(
        "盖章时使用的算法（{algorithm}）当时已停用。",
        "It was sealed with a method ({algorithm}) that was no longer allowed.",
        *ISSUER,
    ),
    "algorithm_retired_no_proof": Phrase(
        "所用算法（{algorithm}）已停用，且无法证明是在停用前盖章的。",
        "The method used ({algorithm}) is no longer safe, and nothing proves that it was sealed before.",
        *PDF,
    ),
}

PATH: Final[Mapping[str, Phrase]] = {
    "path_ok": Phrase(
        "印章证书由{region}的主管机关签发。", "The seal's certificate comes from the authority of {region}."
    ),
    "path_anchor": Phrase(
        "签名证书来自您指定的信任锚：{anchor}。", "The certificate leads to the anchor that you named: {anchor}."
    ),
    "no_trust_data": Phrase("本机没有信任数据。", "This machine has no trust data.", *RETRY),
    "signer_not_listed": Phrase(
        "盖章单位（{signer}）不在任何已加入地区的名录中。",
        "The sealing organisation ({signer}) is in no member region's list.",
        "请联网更新信任数据后重试；仍找不到时，请按外来材料办理。",
        "Update the trust data and try again; if still not found, treat it as a document from outside the network.",
    ),
    "path_missing": Phrase(
        "印章证书不是{region}主管机关签发的。",
        "The seal's certificate does not come from the authority of {region}.",
        *ADMIN,
    ),
    "path_broken": Phrase("印章证书的来源链条有误。", "The chain behind the seal's certificate is broken.", *ADMIN),
    "path_not_allowed": Phrase(
        "该证书不允许用于盖章。", "This certificate may not be used for sealing.", "请勿接受。", "Do not accept it."
    ),
    "authority_withdrawn": Phrase(
        "签发印章证书的机构密钥已失效（{since}），且无法证明此前已盖章。",
        "The key behind the seal's certificate was withdrawn ({since}), and nothing proves earlier sealing.",
        *PDF,
    ),
    "sealed_after_expiry": Phrase(
        "盖章时，印章已过有效期（{until}）。", "The seal had expired ({until}) when it was used.", *ISSUER
    ),
    "sealed_before_start": Phrase(
        "盖章时，印章尚未启用（{since}）。", "The seal was not yet in force ({since}) when it was used.", *ISSUER
    ),
}

ENTITLEMENT: Final[Mapping[str, Phrase]] = {
    "entitled": Phrase("盖章时，{issuer}有权颁发此类证照。", "{issuer} was entitled to issue this when it was sealed."),
    "entitlement_not_listed": Phrase(
        "名录未说明签发者可以颁发什么，请自行判断。",
        "No list says what this signer may issue; judge that yourself.",
    ),
    "entitlement_unknown": Phrase(
        "无法确认签发者是否有权颁发此类证照。",
        "Whether the signer may issue this cannot be confirmed.",
        *RETRY,
    ),
    "issuer_differs": Phrase(
        "证照自称由另一单位颁发，而印章属于{issuer}。",
        "It names another issuer, but the seal belongs to {issuer}.",
        "请勿接受，并按规定上报。",
        "Do not accept it, and report it as your rules say.",
    ),
    "seal_differs": Phrase(
        "证照上写的印章与实际所盖印章不同。",
        "The seal that it names is not the seal that was used.",
        "请勿接受，并按规定上报。",
        "Do not accept it, and report it as your rules say.",
    ),
    "seal_withdrawn": Phrase(
        "盖章时，该印章已被注销（{since}）。", "The seal had been withdrawn ({since}) when it was used.", *ISSUER
    ),
    "seal_suspended": Phrase("盖章时，该印章处于停用状态。", "The seal was suspended when it was used.", *ISSUER),
    "seal_not_yet_listed": Phrase(
        "盖章时，该印章尚未备案。", "The seal was not yet registered when it was used.", *ISSUER
    ),
    "seal_out_of_scope": Phrase(
        "该印章不能用于此类证照。", "This seal may not be used for this type of certificate.", *ISSUER
    ),
    "issuer_withdrawn": Phrase(
        "盖章时，{issuer}的颁证资格已被取消（{since}）。",
        "{issuer} had lost its right to issue ({since}) when this was sealed.",
        "请联系{issuer}所在地区的主管机关。",
        "Contact the authority of {issuer}'s region.",
    ),
    "issuer_suspended": Phrase(
        "盖章时，{issuer}的颁证资格被暂停。",
        "{issuer} was suspended when this was sealed.",
        "请联系{issuer}所在地区的主管机关。",
        "Contact the authority of {issuer}'s region.",
    ),
    "issuer_not_yet_listed": Phrase(
        "盖章时，{issuer}尚未加入名录。",
        "{issuer} was not yet listed when this was sealed.",
        *ISSUER,
    ),
    "type_not_granted": Phrase(
        "{issuer}无权颁发此类证照。",
        "{issuer} is not entitled to issue this type of certificate.",
        "请勿接受，并按规定上报。",
        "Do not accept it, and report it as your rules say.",
    ),
    "grant_withdrawn": Phrase(
        "盖章时，{issuer}颁发此类证照的权限已被收回（{since}）。",
        "{issuer} had lost the right to issue this type ({since}) when it was sealed.",
        *ISSUER,
    ),
    "grant_suspended": Phrase(
        "盖章时，{issuer}颁发此类证照的权限被暂停。",
        "{issuer}'s right to issue this type was suspended when it was sealed.",
        *ISSUER,
    ),
    "grant_not_yet_listed": Phrase(
        "盖章时，{issuer}尚未获得颁发此类证照的权限。",
        "{issuer} did not yet have the right to issue this type when it was sealed.",
        *ISSUER,
    ),
}

TIME: Final[Mapping[str, Phrase]] = {
    "time_proven": Phrase("时间戳证明 {at} 前已盖章。", "A time-stamp proves that it was sealed by {at}."),
    "time_claimed": Phrase("盖章时间为 {at}（签发者自述）。", "Sealed on {at}, as the issuer says."),
    "time_not_stated": Phrase(
        "没有说明盖章时间，按现在判断。", "No time of sealing is stated; it was judged as of now."
    ),
    "time_proof_not_trusted": Phrase(
        "所附时间戳不可信，只能采用签发者自述的时间：{at}。",
        "The attached time-stamp is not trusted; only the issuer's own time counts: {at}.",
    ),
    "time_order_wrong": Phrase(
        "签发者自述的盖章时间晚于时间戳。", "The issuer's own time is later than the time-stamp's.", *ISSUER
    ),
    "sealed_in_future": Phrase(
        "盖章时间在未来（{at}）。",
        "The time of sealing lies in the future ({at}).",
        "请检查本机时间；无误时请勿接受。",
        "Check this machine's clock; if it is right, do not accept it.",
    ),
    "key_compromised": Phrase(
        "该印章的密钥已泄露（{since}），无法证明是在此之前盖章的。",
        "The seal's key was stolen ({since}), and nothing proves that this was sealed before.",
        *PDF,
    ),
    "seal_expired_since": Phrase(
        "印章已于 {until} 到期，无法证明是在此之前盖章的。",
        "The seal expired on {until}, and nothing proves that this was sealed before.",
        *PDF,
    ),
    "seal_expired_and_withdrawn": Phrase(
        "印章已注销并于 {until} 到期，无法证明是在此之前盖章的。",
        "The seal was withdrawn and expired on {until}, and nothing proves that this was sealed before.",
        *PDF,
    ),
}
