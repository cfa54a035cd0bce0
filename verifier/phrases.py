"""The sentences: finding code -> what it means and what to do, zh and en. Data only; `verifier.messages` fills them in.

Written for a clerk who knows documents and no cryptography: the fact first, then the one thing to do. Names in braces
are the finding's facts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Phrase:
    """One code's sentence and next step. A next step is empty only for what needs none (passed, not applicable)."""

    zh: str
    en: str
    next_zh: str = ""
    next_en: str = ""


_ASK_ORIGINAL = "请持证人提供原始电子文件或重新出示。", "Ask the holder for the original file, or to show it again."
_RETRY = (
    "请稍后联网重试；急办可先收件，恢复后再核验。",
    "Try again when online; if urgent, take the papers in and verify later.",
)
_ISSUER = "请持证人联系{issuer}。", "Ask the holder to contact {issuer}."
_PDF = (
    "请改用带时间戳的 PDF 原件，或请持证人换领新证。",
    "Use the original PDF, which carries a time-stamp, or ask the holder for a renewed certificate.",
)
_ADMIN = "请告知本单位的系统管理员。", "Tell your system administrator."

_FORMAT: Final = {
    "format_ok": Phrase("可以读取。", "It can be read."),
    "format_foreign": Phrase(
        "可以读取；其中没有本网络的证照数据。", "It can be read; it carries no certificate data of this network."
    ),
    "not_evidence": Phrase(
        "这不是我们认识的证照、二维码或回执。",
        "This is not a certificate, code or receipt that we know.",
        "请确认扫描或上传的是证照本身。",
        "Make sure that the certificate itself was scanned or uploaded.",
    ),
    "damaged": Phrase("内容残缺或已损坏，无法读取。", "It is cut short or damaged and cannot be read.", *_ASK_ORIGINAL),
    "too_large": Phrase(
        "文件超过可核验的大小。",
        "The file is larger than what can be verified.",
        "请提供颁证机关签发的原始文件。",
        "Ask for the file as the issuing office made it.",
    ),
    "empty": Phrase("没有收到内容。", "Nothing was handed in.", "请重新扫描或上传。", "Scan or upload again."),
    "one_time_code": Phrase(
        "这是一次性亮证码，本身不是证照。",
        "This is a one-time code, not a certificate.",
        "请登录后在“扫码”页面读取。",
        "Sign in and read it on the scanning page.",
    ),
    "pdf_not_signed": Phrase(
        "这份 PDF 没有电子印章，不能证明任何事。",
        "This PDF carries no electronic seal and proves nothing.",
        *_ASK_ORIGINAL,
    ),
    "data_missing": Phrase(
        "文件盖有印章，但没有证照数据，无法核对。",
        "The file is sealed but carries no certificate data to check.",
        *_ASK_ORIGINAL,
    ),
    "data_damaged": Phrase(
        "文件所附的证照数据无法读取。", "The certificate data attached to the file cannot be read.", *_ASK_ORIGINAL
    ),
}

_INTEGRITY: Final = {
    "integrity_ok": Phrase("内容自盖章后未被改动。", "Nothing was altered since it was sealed."),
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
        *_ASK_ORIGINAL,
    ),
    "not_whole_file": Phrase("印章只覆盖文件的一部分。", "The seal covers only a part of the file.", *_ASK_ORIGINAL),
    "signer_unknown": Phrase(
        "在信任名录中找不到盖章的印章。",
        "The seal that was used is not in any list we trust.",
        "请联网更新信任数据后重试；仍找不到时请勿接受。",
        "Update the trust data and try again; if it is still not found, do not accept it.",
    ),
    "signer_not_protected": Phrase(
        "签名没有固定是哪个印章，无法确认来源。",
        "The signature does not fix which seal made it, so its origin is uncertain.",
        *_ASK_ORIGINAL,
    ),
    "algorithm_retired": Phrase(
        "盖章时使用的算法（{algorithm}）当时已停用。",
        "It was sealed with a method ({algorithm}) that was no longer allowed.",
        *_ISSUER,
    ),
    "algorithm_retired_no_proof": Phrase(
        "所用算法（{algorithm}）已停用，且无法证明是在停用前盖章的。",
        "The method used ({algorithm}) is no longer safe, and nothing proves that it was sealed before.",
        *_PDF,
    ),
}

_PATH: Final = {
    "path_ok": Phrase(
        "印章证书由{region}的主管机关签发。", "The seal's certificate comes from the authority of {region}."
    ),
    "path_anchor": Phrase(
        "签名证书来自您指定的信任锚：{anchor}。", "The certificate leads to the anchor that you named: {anchor}."
    ),
    "no_trust_data": Phrase("本机没有信任数据。", "This machine has no trust data.", *_RETRY),
    "signer_not_listed": Phrase(
        "盖章单位（{signer}）不在任何已加入地区的名录中。",
        "The sealing organisation ({signer}) is in no member region's list.",
        "请联网更新信任数据后重试；仍找不到时，请按外来材料办理。",
        "Update the trust data and try again; if still not found, treat it as a document from outside the network.",
    ),
    "path_missing": Phrase(
        "印章证书不是{region}主管机关签发的。",
        "The seal's certificate does not come from the authority of {region}.",
        *_ADMIN,
    ),
    "path_broken": Phrase("印章证书的来源链条有误。", "The chain behind the seal's certificate is broken.", *_ADMIN),
    "path_not_allowed": Phrase(
        "该证书不允许用于盖章。", "This certificate may not be used for sealing.", "请勿接受。", "Do not accept it."
    ),
    "authority_withdrawn": Phrase(
        "签发印章证书的机构密钥已失效（{since}），且无法证明此前已盖章。",
        "The key behind the seal's certificate was withdrawn ({since}), and nothing proves earlier sealing.",
        *_PDF,
    ),
    "sealed_after_expiry": Phrase(
        "盖章时，印章已过有效期（{until}）。", "The seal had expired ({until}) when it was used.", *_ISSUER
    ),
    "sealed_before_start": Phrase(
        "盖章时，印章尚未启用（{since}）。", "The seal was not yet in force ({since}) when it was used.", *_ISSUER
    ),
}

_ENTITLEMENT: Final = {
    "entitled": Phrase("盖章时，{issuer}有权颁发此类证照。", "{issuer} was entitled to issue this when it was sealed."),
    "entitlement_not_listed": Phrase(
        "名录未说明签发者可以颁发什么，请自行判断。",
        "No list says what this signer may issue; judge that yourself.",
    ),
    "entitlement_unknown": Phrase(
        "无法确认签发者是否有权颁发此类证照。",
        "Whether the signer may issue this cannot be confirmed.",
        *_RETRY,
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
        "盖章时，该印章已被注销（{since}）。", "The seal had been withdrawn ({since}) when it was used.", *_ISSUER
    ),
    "seal_suspended": Phrase("盖章时，该印章处于停用状态。", "The seal was suspended when it was used.", *_ISSUER),
    "seal_not_yet_listed": Phrase(
        "盖章时，该印章尚未备案。", "The seal was not yet registered when it was used.", *_ISSUER
    ),
    "seal_out_of_scope": Phrase(
        "该印章不能用于此类证照。", "This seal may not be used for this type of certificate.", *_ISSUER
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
        *_ISSUER,
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
        *_ISSUER,
    ),
    "grant_suspended": Phrase(
        "盖章时，{issuer}颁发此类证照的权限被暂停。",
        "{issuer}'s right to issue this type was suspended when it was sealed.",
        *_ISSUER,
    ),
    "grant_not_yet_listed": Phrase(
        "盖章时，{issuer}尚未获得颁发此类证照的权限。",
        "{issuer} did not yet have the right to issue this type when it was sealed.",
        *_ISSUER,
    ),
}

_TIME: Final = {
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
        "签发者自述的盖章时间晚于时间戳。", "The issuer's own time is later than the time-stamp's.", *_ISSUER
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
        *_PDF,
    ),
    "seal_expired_since": Phrase(
        "印章已于 {until} 到期，无法证明是在此之前盖章的。",
        "The seal expired on {until}, and nothing proves that this was sealed before.",
        *_PDF,
    ),
    "seal_expired_and_withdrawn": Phrase(
        "印章已注销并于 {until} 到期，无法证明是在此之前盖章的。",
        "The seal was withdrawn and expired on {until}, and nothing proves that this was sealed before.",
        *_PDF,
    ),
}

_STATUS: Final = {
    "status_valid": Phrase(
        "证照现行有效，未暂停、未撤销（{as_of}）。", "It stands: not suspended, not revoked ({as_of})."
    ),
    "status_revoked": Phrase("该证照已被颁证机关撤销。", "The issuing office has revoked this certificate.", *_ISSUER),
    "status_revoked_unknown_since": Phrase(
        "该证照现已撤销，无法确定在所问时间是否仍有效。",
        "It is revoked now; whether it still stood at the time in question cannot be told.",
        *_ISSUER,
    ),
    "status_suspended": Phrase(
        "该证照被颁证机关暂停使用。",
        "The issuing office has suspended this certificate.",
        "暂不受理；请持证人联系{issuer}，恢复后再办。",
        "Do not accept it now; ask the holder to contact {issuer} and come back once it is reinstated.",
    ),
    "status_missing": Phrase(
        "本机还没有该证照的状态数据。", "There is no status data for this certificate on this machine yet.", *_RETRY
    ),
    "status_unreachable": Phrase("暂时取不到证照状态。", "The status cannot be fetched at the moment.", *_RETRY),
    "status_malformed": Phrase("收到的状态数据无法读取。", "The status data received cannot be read.", *_RETRY),
    "status_forged": Phrase(
        "收到的状态数据是伪造的，已弃用。",
        "The status data received was forged and has been discarded.",
        "请改用可靠的网络重试，并告知系统管理员。",
        "Try again over a network you trust, and tell your system administrator.",
    ),
    "status_misplaced": Phrase(
        "收到的状态数据不属于该证照。", "The status data received belong to something else.", *_RETRY
    ),
    "status_elsewhere": Phrase(
        "证照指向的状态地址不是{issuer}备案的地址。",
        "The certificate points to a status address that {issuer} has not registered.",
        *_ISSUER,
    ),
    "status_out_of_range": Phrase(
        "状态数据中没有该证照的位置。", "The status data have no entry for this certificate.", *_ISSUER
    ),
    "status_stale": Phrase(
        "状态数据已过期（{until}），证照可能已被撤销。",
        "The status data expired on {until}; the certificate may have been revoked since.",
        *_RETRY,
    ),
    "status_not_referenced": Phrase(
        "该文件没有可查询的状态，无法得知是否已撤销。",
        "It names no status to look up, so revocation cannot be checked.",
    ),
}

_VALIDITY: Final = {
    "valid_until": Phrase("在有效期内（至 {until}）。", "Within its validity (until {until})."),
    "valid_unlimited": Phrase("长期有效。", "Valid without limit."),
    "validity_not_stated": Phrase("没有说明有效期。", "No validity is stated."),
    "expired": Phrase(
        "证照已于 {until} 到期。",
        "The certificate expired on {until}.",
        "请持证人先向颁证机关换领新证。",
        "Ask the holder to renew it with the issuing office first.",
    ),
    "not_yet_valid": Phrase(
        "证照自 {since} 起才有效。",
        "The certificate is valid only from {since}.",
        "请在生效后再办理。",
        "Come back once it is in force.",
    ),
}

_RECOGNITION: Final = {
    "recognised": Phrase(
        "{accepting}认可{issuing}的此类证照（{entry}，自 {since} 起）。",
        "{accepting} recognises this type from {issuing} ({entry}, since {since}).",
    ),
    "own": Phrase("这是{accepting}本地颁发的证照。", "It was issued in {accepting} itself."),
    "recognition_not_asked": Phrase(
        "未指定受理地区，未判断是否认可。", "No accepting region was named, so recognition was not judged."
    ),
    "not_recognised": Phrase(
        "{accepting}不认可{issuing}颁发的此类证照。",
        "{accepting} does not recognise this type of certificate from {issuing}.",
        "请告知持证人需要提供何种本地材料。",
        "Tell the holder which local document is needed instead.",
    ),
    "recognition_not_yet": Phrase(
        "{accepting}尚未开始认可{issuing}的此类证照。",
        "{accepting} does not recognise this type from {issuing} yet.",
        "请在互认生效后再办，或提供本地材料。",
        "Come back once recognition is in force, or use a local document.",
    ),
    "recognition_ended": Phrase(
        "{accepting}已不再认可{issuing}的此类证照。",
        "{accepting} no longer recognises this type from {issuing}.",
        "请告知持证人需要提供何种本地材料。",
        "Tell the holder which local document is needed instead.",
    ),
    "scenario_not_covered": Phrase(
        "{accepting}认可该证照，但不用于本事项。",
        "{accepting} recognises it, but not for this service.",
        "请告知持证人本事项所需的材料。",
        "Tell the holder what this service needs.",
    ),
    "scenario_needs_another_type": Phrase(
        "本事项不需要此类证照。",
        "This service does not use this type of certificate.",
        "请让持证人出示本事项所需的证照。",
        "Ask the holder for a certificate that this service uses.",
    ),
    "not_attested": Phrase(
        "{issuing}的名录没有此类证照。", "{issuing}'s list does not attest this type of certificate.", *_ISSUER
    ),
    "region_unknown": Phrase(
        "信任数据中没有所选的受理地区。",
        "The accepting region is not in the trust data.",
        "请检查所选地区；无误时请更新信任数据。",
        "Check the region chosen; if it is right, update the trust data.",
    ),
    "recognition_unknown": Phrase(
        "签发者不在名录中，无法判断是否认可。",
        "The signer is in no list, so recognition cannot be judged.",
        *_RETRY,
    ),
}

_AGAIN = "请持证人重新出示。", "Ask the holder to show it again."
_HOLDER: Final = {
    "bound": Phrase("由持证人本人的密钥当场出示。", "Shown by the holder's own key, just now, to you."),
    "bound_elsewhere": Phrase(
        "带有持证人签名，但未核对是否向您出示。", "Signed by the holder, but not checked to be meant for you."
    ),
    "not_bound": Phrase(
        "证照本身不能证明出示者就是持证人。", "The certificate alone does not prove that the bearer is its holder."
    ),
    "binding_missing": Phrase(
        "需要持证人签名出示，但没有签名。", "The holder's signature is required and missing.", *_AGAIN
    ),
    "binding_false": Phrase(
        "持证人签名不对，可能不是本人出示。",
        "The holder's signature is wrong; the bearer may not be the holder.",
        "请勿接受；请持证人本人重新出示。",
        "Do not accept it; ask the holder in person to show it again.",
    ),
    "binding_replayed": Phrase(
        "这次出示不是为本次办理作出的，可能是重复使用。",
        "It was shown for something else; it may have been copied and used again.",
        *_AGAIN,
    ),
    "binding_old": Phrase("出示已超过时限。", "It was shown too long ago.", *_AGAIN),
}

_FRESHNESS: Final = {
    "fresh": Phrase("所依据的数据足够新。", "The data behind this verdict are recent enough."),
    "freshness_not_needed": Phrase("未使用名录数据。", "No list data were used."),
    "trust_too_old": Phrase(
        "信任数据已超过 {budget} 未更新。", "The trust data were not updated for more than {budget}.", *_RETRY
    ),
    "status_too_old": Phrase(
        "状态数据已超过 {budget} 未更新，其间可能已撤销。",
        "The status data are more than {budget} old; it may have been revoked since.",
        *_RETRY,
    ),
}

_RECEIPT: Final = {
    "receipt_ok": Phrase(
        "这是{relying_party}出具的真实回执（{at}），当时结论：{verdict}。",
        "A genuine receipt of {relying_party} ({at}); the verdict then: {verdict}.",
    ),
    "receipt_signer_not_listed": Phrase(
        "出具回执的单位不在名录中。",
        "The agency that issued this receipt is in no list.",
        "请联网更新信任数据后重试；仍找不到时请勿采信。",
        "Update the trust data and try again; if it is still not found, do not rely on it.",
    ),
    "receipt_signer_differs": Phrase(
        "回执自称由另一单位出具。",
        "The receipt names another agency than the one that signed it.",
        "请勿采信。",
        "Do not rely on it.",
    ),
    "receipt_key_withdrawn": Phrase(
        "出具回执时，该单位的密钥已失效（{since}）。",
        "The agency's key had been withdrawn ({since}) when the receipt was issued.",
        "请向出具单位核实。",
        "Ask the agency that issued it.",
    ),
    "receipt_key_suspended": Phrase(
        "出具回执时，该单位的密钥被暂停。",
        "The agency's key was suspended when the receipt was issued.",
        "请向出具单位核实。",
        "Ask the agency that issued it.",
    ),
    "receipt_key_not_yet_listed": Phrase(
        "出具回执时，该单位的密钥尚未备案。",
        "The agency's key was not yet registered when the receipt was issued.",
        "请向出具单位核实。",
        "Ask the agency that issued it.",
    ),
    "receipt_key_compromised": Phrase(
        "该单位的回执密钥已泄露（{since}）。",
        "The agency's receipt key was stolen ({since}).",
        "请向出具单位核实。",
        "Ask the agency that issued it.",
    ),
}

PHRASES: Final[Mapping[str, Phrase]] = {
    **_FORMAT,
    **_INTEGRITY,
    **_PATH,
    **_ENTITLEMENT,
    **_TIME,
    **_STATUS,
    **_VALIDITY,
    **_RECOGNITION,
    **_HOLDER,
    **_FRESHNESS,
    **_RECEIPT,
}
