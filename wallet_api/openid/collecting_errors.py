"""Why a credential was not collected, and the words for it. One refusal that carries its problem; no decision is here.

Nothing that an issuer says of itself is repeated: its error code picks the words, its description is for developers.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import Final

from trust_registry.model import Names
from wallet_api.errors import WalletError


class Collecting(Enum):
    """What went wrong while collecting. The value is a slug, told over JSON."""

    NOT_AN_OFFER = "not_an_offer"
    OFFER_GONE = "offer_gone"
    METADATA_UNREADABLE = "metadata_unreadable"
    METADATA_OF_ANOTHER = "metadata_of_another"
    METADATA_ALTERED = "metadata_altered"
    SERVER_UNKNOWN = "authorization_server_unknown"
    NOT_OFFERED_THERE = "not_offered_there"
    NOTHING_TO_KEEP = "nothing_to_keep"
    GRANT_UNKNOWN = "grant_unknown"
    ENCRYPTION_UNKNOWN = "encryption_unknown"
    TX_CODE_NEEDED = "tx_code_needed"
    TOO_MANY_TRIES = "too_many_tries"
    KEYS_UNFIT = "keys_unfit"
    SIGNATURE_UNFIT = "signature_unfit"
    UNKNOWN = "collection_unknown"
    OVER = "collection_over"
    OUT_OF_ORDER = "out_of_order"
    MIXED_UP = "mixed_up"
    ANSWER_UNREADABLE = "answer_unreadable"
    CREDENTIAL_UNREADABLE = "credential_unreadable"
    CREDENTIAL_OF_ANOTHER_TYPE = "credential_of_another_type"
    CREDENTIAL_FOR_ANOTHER_KEY = "credential_for_another_key"
    CREDENTIAL_ALTERED = "credential_altered"
    CREDENTIAL_EXPIRED = "credential_expired"


_REFUSED: Final = Names(
    "对方没有接受这次领取，请联系发放机构。", "The issuer did not accept this; ask the office that offered it."
)
WORDS: Final[Mapping[Collecting, Names]] = MappingProxyType(
    {
        Collecting.NOT_AN_OFFER: Names(
            "这不是领取证照的二维码或链接，请核对后重试。",
            "This is not a code or link for collecting a certificate; check it and try again.",
        ),
        Collecting.OFFER_GONE: Names(
            "这个领取邀请已经失效，请让发放机构重新出示。", "This offer is gone; ask the office for a new one."
        ),
        Collecting.METADATA_UNREADABLE: Names(
            "对方公布的信息不完整或格式不对，无法领取。", "What the issuer publishes about itself can't be used."
        ),
        Collecting.METADATA_OF_ANOTHER: Names(
            "对方公布的身份与邀请中的不一致，已停止。",
            "The issuer names itself differently from the offer; this was stopped.",
        ),
        Collecting.METADATA_ALTERED: Names(
            "对方公布信息上的签名无效，已停止。", "The signature on what the issuer publishes does not hold."
        ),
        Collecting.SERVER_UNKNOWN: Names(
            "邀请指定的授权服务器不属于该机构，已停止。",
            "The offer names an authorization server that is not the issuer's; this was stopped.",
        ),
        Collecting.NOT_OFFERED_THERE: Names(
            "邀请里的证照不在该机构的发放范围内。", "What is offered is not among what this issuer gives out."
        ),
        Collecting.NOTHING_TO_KEEP: Names(
            "这份证照的格式、密钥要求或签名算法本钱包不支持。",
            "This wallet can't keep it: its format, key requirement or algorithm is not supported.",
        ),
        Collecting.GRANT_UNKNOWN: Names("对方要求的领取方式本钱包不支持。", "The way of collecting is not supported."),
        Collecting.ENCRYPTION_UNKNOWN: Names(
            "对方要求的加密方式本钱包不支持。", "The encryption that the issuer asks for is not supported."
        ),
        Collecting.TX_CODE_NEEDED: Names(
            "请输入发放机构另行告知的验证码。", "Enter the transaction code that the office told you."
        ),
        Collecting.TOO_MANY_TRIES: Names(
            "验证码输错次数过多，请让发放机构重新出示。",
            "The transaction code was wrong too many times; ask the office for a new offer.",
        ),
        Collecting.KEYS_UNFIT: Names(
            "浏览器提供的密钥不能使用，请刷新页面后重试。", "The browser's keys can't be used; reload and try again."
        ),
        Collecting.SIGNATURE_UNFIT: Names(
            "浏览器的签名与密钥不符，请刷新页面后重试。",
            "The browser's signature does not fit its key; reload and try again.",
        ),
        Collecting.UNKNOWN: Names("没有这次领取，或者它已经结束。", "There is no such collection, or it has ended."),
        Collecting.OVER: Names("这次领取已经超时，请重新扫码。", "The time for this is over; scan the code again."),
        Collecting.OUT_OF_ORDER: Names(
            "这一步已经做过，请刷新页面。", "This step was done already, or is not due yet; reload the page."
        ),
        Collecting.MIXED_UP: Names(
            "返回的授权不是来自所选的机构，已停止。",
            "The authorization did not come back from the issuer that you chose; this was stopped.",
        ),
        Collecting.ANSWER_UNREADABLE: Names("对方的回答无法读取。", "The issuer's answer can't be read."),
        Collecting.CREDENTIAL_UNREADABLE: Names(
            "收到的证照格式不正确，没有保存。", "What came is not in the form that it claims; nothing was kept."
        ),
        Collecting.CREDENTIAL_OF_ANOTHER_TYPE: Names(
            "收到的证照与邀请的不是同一种，没有保存。",
            "What came is of another type than was offered; nothing was kept.",
        ),
        Collecting.CREDENTIAL_FOR_ANOTHER_KEY: Names(
            "收到的证照绑定的不是您的密钥，没有保存。",
            "What came is bound to another key than yours; nothing was kept.",
        ),
        Collecting.CREDENTIAL_ALTERED: Names(
            "收到的证照上的签名无效，没有保存。", "The issuer's signature on what came does not hold; nothing was kept."
        ),
        Collecting.CREDENTIAL_EXPIRED: Names(
            "收到的证照已经过期，没有保存。", "What came has expired already; nothing was kept."
        ),
    }
)
_AGAIN: Final = Names("对方的系统暂时不能办理，请稍后再试。", "The issuer can't do it at the moment; try again later.")
_NOT_THIS_WALLET: Final = Names(
    "对方只接受指定的钱包。", "The issuer accepts certain wallets only, and this is not one of them."
)
_OURS: Final = Names(
    "对方不认可本钱包的请求，可能使用了不同版本的规范。",
    "The issuer did not understand this wallet's request; it may follow another version of the specification.",
)
_SCOPE: Final = Names("对方没有授权领取这份证照。", "The issuer does not grant this certificate.")
OAUTH_WORDS: Final[Mapping[str, Names]] = MappingProxyType(
    {
        # RFC 6749 sections 4.1.2.1 and 5.2, OpenID4VCI 1.0 section 6.3
        "invalid_request": _OURS,
        "invalid_client": _NOT_THIS_WALLET,
        "unauthorized_client": _NOT_THIS_WALLET,
        "invalid_grant": Names(
            "验证码不正确，或者邀请已经过期、已被使用。",
            "The transaction code is wrong, or the offer has expired or was used already.",
        ),
        "unsupported_grant_type": _OURS,
        "unsupported_response_type": _OURS,
        "invalid_scope": _SCOPE,
        "insufficient_scope": _SCOPE,
        "invalid_authorization_details": _SCOPE,
        "invalid_target": _SCOPE,
        "access_denied": Names("授权被拒绝，没有领取。", "The authorization was refused; nothing was collected."),
        "server_error": _AGAIN,
        "temporarily_unavailable": _AGAIN,
        "slow_down": _AGAIN,
        # RFC 6750 section 3.1, RFC 9449, attestation-based client authentication
        "invalid_token": Names(
            "对方的授权已经过期，请重新领取。", "The issuer's authorization has run out; collect it again."
        ),
        "invalid_dpop_proof": _OURS,
        "use_dpop_nonce": _OURS,
        "use_attestation_challenge": _NOT_THIS_WALLET,
        # OpenID4VCI 1.0 sections 8.3.1.2 and 9.3
        "invalid_credential_request": _OURS,
        "unknown_credential_configuration": _SCOPE,
        "unknown_credential_identifier": _SCOPE,
        "invalid_proof": Names(
            "对方没有接受本浏览器密钥的证明。", "The issuer did not accept the proof of this browser's key."
        ),
        "invalid_nonce": Names("对方的一次性随机数已过期，请重试。", "The issuer's nonce has expired; try again."),
        "invalid_encryption_parameters": Names(
            "对方不接受本钱包的加密方式。", "The issuer does not accept this wallet's encryption."
        ),
        "credential_request_denied": Names("发放机构没有批准这次领取。", "The office did not approve this collection."),
        "invalid_transaction_id": Names(
            "发放机构已经没有这次等待中的领取。", "The office no longer has this waiting collection."
        ),
    }
)


class CollectingRefused(WalletError):
    """A step of collecting was not done, and nothing was kept. HTTP 422."""

    def __init__(self, problem: Collecting) -> None:
        self.problem = problem
        super().__init__(problem.value)

    @property
    def code(self) -> str:
        """The slug that JSON tells."""
        return self.problem.value

    @property
    def words(self) -> Names:
        """What happened, for a person."""
        return WORDS[self.problem]


class IssuerRefused(WalletError):
    """The issuer, or its authorization server, answered with an error. HTTP 422. `code`: its own, ASCII, short."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)

    @property
    def words(self) -> Names:
        """What happened, for a person."""
        return OAUTH_WORDS.get(self.code, _REFUSED)
