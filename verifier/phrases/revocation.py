"""The sentences on signers that no region lists: who vouches for them, and whether their certificates were revoked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from verifier.phrases.words import ADMIN, ASK_ORIGINAL, RETRY, Phrase

_ASK_SIGNER = (
    "请直接向{signer}核实，或请持证人提供其他证明。",
    "Ask {signer} directly, or ask the holder for other proof.",
)

FOREIGN: Final[Mapping[str, Phrase]] = {
    "path_foreign": Phrase(
        "签名证书由“{list}”信任名录（第 {version} 号）上的{service}担保。",
        "The signer's certificate is vouched for by {service}, on the trusted list {list} (no. {version}).",
    ),
    "foreign_service_not_granted": Phrase(
        "签名时，“{list}”信任名录（第 {version} 号）没有认可{service}。",
        "{service} had no granted status on the trusted list {list} (no. {version}) at the time of signing.",
        "请勿据此受理；请持证人提供其他证明。",
        "Do not rely on it; ask the holder for other proof.",
    ),
    "path_method_weak": Phrase(
        "签名者的证书是用不安全或不认可的方法签发的。",
        "The signer's certificate was made with a method that is not safe, or not accepted here.",
        "请持证人提供用认可方法签发的文件。",
        "Ask for a file that was signed with an accepted method.",
    ),
    "certificate_revoked": Phrase(
        "{signer}的证书在签名前（{since}）已被吊销。",
        "The certificate of {signer} had been revoked ({since}) before it was used.",
        "请勿接受，并按规定上报。",
        "Do not accept it, and report it as your rules say.",
    ),
    "certificate_revoked_no_proof": Phrase(
        "{signer}的证书已被吊销（{since}），无法证明是在此之前签名的。",
        "The certificate of {signer} was revoked ({since}), and nothing proves that it signed before.",
        *_ASK_SIGNER,
    ),
    "issuer_certificate_revoked": Phrase(
        "签发机构{signer}的证书已被吊销（{since}），无法证明是在此之前签名的。",
        "The certificate of the authority {signer} was revoked ({since}), and nothing proves that this is from before.",
        *ASK_ORIGINAL,
    ),
    "certificate_on_hold": Phrase(
        "{signer}的证书目前被暂停。", "The certificate of {signer} is on hold at present.", *_ASK_SIGNER
    ),
    "revocation_not_checked": Phrase(
        "无法查询{signer}的证书是否已被吊销。",
        "Whether the certificate of {signer} was revoked could not be checked.",
        "请取得吊销数据后重试（联网，或随文件提供）；急办可先收件。",
        "Try again with revocation data (online, or handed in with the file); if urgent, take the papers in.",
    ),
    "revocation_not_known": Phrase(
        "发证机构答复不认识{signer}的证书。",
        "The authority that should have made the certificate of {signer} does not know it.",
        *_ASK_SIGNER,
    ),
    "revocation_too_old": Phrase(
        "关于{signer}的证书是否被吊销的数据太旧（{as_of}）。",
        "The data on whether the certificate of {signer} was revoked are too old ({as_of}).",
        *RETRY,
    ),
    "revocation_source_expired": Phrase(
        "说明{signer}的证书未被吊销的机构，其证书已于 {until} 到期，无法证明该说明出自此前。",
        "Who says that the certificate of {signer} was not revoked has itself expired ({until}), "
        "and nothing proves that it was said before.",
        *ADMIN,
    ),
}
