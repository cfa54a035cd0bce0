"""The sentences on whether it stands, is recognised, and belongs to the bearer. Data only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from verifier.phrases.words import AGAIN, ISSUER, RETRY, Phrase

STATUS: Final[Mapping[str, Phrase]] = {
    "status_valid": Phrase(
        "证照现行有效，未暂停、未撤销（{as_of}）。", "It stands: not suspended, not revoked ({as_of})."
    ),
    "status_revoked": Phrase("该证照已被颁证机构撤销。", "The issuing office has revoked this certificate.", *ISSUER),
    "status_revoked_because": Phrase(
        "该证照已于 {since} 被颁证机构撤销（{reason}）。",
        "The issuing office revoked this certificate on {since} ({reason}).",
        *ISSUER,
    ),
    "status_revoked_unknown_since": Phrase(
        "该证照现已撤销，无法确定在所问时间是否仍有效。",
        "It is revoked now; whether it still stood at the time in question cannot be told.",
        *ISSUER,
    ),
    "status_suspended": Phrase(
        "该证照被颁证机构暂停使用。",
        "The issuing office has suspended this certificate.",
        "暂不受理；请持证人联系{issuer}，恢复后再办。",
        "Do not accept it now; ask the holder to contact {issuer} and come back once it is reinstated.",
    ),
    "status_suspended_because": Phrase(
        "该证照自 {since} 起被颁证机构暂停使用（{reason}）。",
        "The issuing office suspended this certificate on {since} ({reason}).",
        "暂不受理；请持证人联系{issuer}，恢复后再办。",
        "Do not accept it now; ask the holder to contact {issuer} and come back once it is reinstated.",
    ),
    "status_missing": Phrase(
        "本机还没有该证照的状态数据。", "There is no status data for this certificate on this machine yet.", *RETRY
    ),
    "status_unreachable": Phrase("暂时取不到证照状态。", "The status cannot be fetched at the moment.", *RETRY),
    "status_malformed": Phrase("收到的状态数据无法读取。", "The status data received cannot be read.", *RETRY),
    "status_forged": Phrase(
        "收到的状态数据是伪造的，已弃用。",
        "The status data received was forged and has been discarded.",
        "请改用可靠的网络重试，并告知系统管理员。",
        "Try again over a network you trust, and tell your system administrator.",
    ),
    "status_misplaced": Phrase(
        "收到的状态数据不属于该证照。", "The status data received belong to something else.", *RETRY
    ),
    "status_elsewhere": Phrase(
        "证照指向的状态地址不是{issuer}备案的地址。",
        "The certificate points to a status address that {issuer} has not registered.",
        *ISSUER,
    ),
    "status_not_understood": Phrase(
        "状态表上的取值只有 {issuer} 自己知道含义。",
        "The status list has a value that only {issuer} knows the meaning of.",
        "请联系 {issuer} 核实该证照是否有效。",
        "Ask {issuer} whether the certificate stands.",
    ),
    "status_out_of_range": Phrase(
        "状态数据中没有该证照的位置。", "The status data have no entry for this certificate.", *ISSUER
    ),
    "status_stale": Phrase(
        "状态数据已过期（{until}），证照可能已被撤销。",
        "The status data expired on {until}; the certificate may have been revoked since.",
        *RETRY,
    ),
    "status_not_referenced": Phrase(
        "该文件没有可查询的状态，无法得知是否已撤销。",
        "It names no status to look up, so revocation cannot be checked.",
    ),
    "status_foreign": Phrase(
        "该文件的状态由其他网络发布，本机无法查询，不知是否已撤销。",
        "Its status is published by another network and cannot be looked up here: it may have been revoked.",
        "请直接向颁发机构核实，或请持证人提供其他证明。",
        "Ask the issuing office directly, or ask the holder for other proof.",
    ),
}

VALIDITY: Final[Mapping[str, Phrase]] = {
    "valid_until": Phrase("在有效期内（至 {until}）。", "Within its validity (until {until})."),
    "valid_unlimited": Phrase("长期有效。", "Valid without limit."),
    "validity_not_stated": Phrase("没有说明有效期。", "No validity is stated."),
    "audience_elsewhere": Phrase(
        "该文件指明只供其他单位使用。",
        "It says that it is meant for somebody else only.",
        "不予受理；请持证人提供可在本处使用的证照。",
        "Do not accept it; ask the holder for one that may be used here.",
    ),
    "expired": Phrase(
        "证照已于 {until} 到期。",
        "The certificate expired on {until}.",
        "请持证人先向颁证机构换领新证。",
        "Ask the holder to renew it with the issuing office first.",
    ),
    "issuer_contradicted": Phrase(
        "凭证自称的签发者与签名证书上写明的不一致。",
        "It names an issuer that its signing certificate does not name.",
        "请联系凭证所称的签发者核实。",
        "Ask the issuer that it names.",
    ),
    "not_yet_valid": Phrase(
        "证照自 {since} 起才有效。",
        "The certificate is valid only from {since}.",
        "请在生效后再办理。",
        "Come back once it is in force.",
    ),
}

RECOGNITION: Final[Mapping[str, Phrase]] = {
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
    "assurance_too_low": Phrase(
        "{accepting}认可{issuing}的此类证照，但要求保证级别不低于“{wanted}”，而{issuer}的级别为“{assurance}”。",
        "{accepting} wants this type from {issuing} at assurance {wanted} or higher; that of {issuer} is {assurance}.",
        "请持证人提供更高保证级别的证照，或提供本地材料。",
        "Ask the holder for a certificate of higher assurance, or for a local document.",
    ),
    "scenario_needs_another_type": Phrase(
        "本事项不需要此类证照。",
        "This service does not use this type of certificate.",
        "请让持证人出示本事项所需的证照。",
        "Ask the holder for a certificate that this service uses.",
    ),
    "not_attested": Phrase(
        "{issuing}的名录没有列明{issuer}可颁发此类证照。",
        "{issuing}'s list does not say that {issuer} may issue this type of certificate.",
        *ISSUER,
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
        *RETRY,
    ),
}

HOLDER: Final[Mapping[str, Phrase]] = {
    "bound": Phrase("由持证人本人的密钥当场出示。", "Shown by the holder's own key, just now, to you."),
    "bound_elsewhere": Phrase(
        "带有持证人签名，但未核对是否向您出示。", "Signed by the holder, but not checked to be meant for you."
    ),
    "not_bound": Phrase(
        "证照本身不能证明出示者就是持证人。", "The certificate alone does not prove that the bearer is its holder."
    ),
    "binding_not_shown": Phrase(
        "凭证写有持证人的密钥，但这次没有用它签名：可能只是一份副本，不能证明由持证人出示。",
        "It names its holder's key and comes without that key's signature: it may be a copy, and does not prove that "
        "its holder shows it.",
        "请核对出示者的身份证件，或请持证人用自己的钱包出示。",
        "Compare with an identity document, or ask the holder to show it from their own wallet.",
    ),
    "binding_missing": Phrase(
        "需要持证人签名出示，但没有签名。", "The holder's signature is required and missing.", *AGAIN
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
        *AGAIN,
    ),
    "binding_old": Phrase("出示已超过时限。", "It was shown too long ago.", *AGAIN),
}

FRESHNESS: Final[Mapping[str, Phrase]] = {
    "fresh": Phrase("所依据的数据足够新。", "The data behind this verdict are recent enough."),
    "freshness_not_needed": Phrase("未使用名录数据。", "No list data were used."),
    "trust_too_old": Phrase(
        "信任数据已超过 {budget} 未更新。", "The trust data were not updated for more than {budget}.", *RETRY
    ),
    "status_too_old": Phrase(
        "状态数据已超过 {budget} 未更新，其间可能已撤销。",
        "The status data are more than {budget} old; it may have been revoked since.",
        *RETRY,
    ),
}

RECEIPT: Final[Mapping[str, Phrase]] = {
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
