"""Why the wallet does not answer a request for presentation, in words for its citizen and codes for who asked."""

from __future__ import annotations

from enum import Enum

from trust_registry.model import Names
from wallet_api.errors import WalletError


class Flaw(Enum):
    """What is wrong with a request: the error code of OpenID4VP 1.0 section 8.5 (RFC 6749), and words.

    An empty code: nobody is told, because it isn't known who asks, or where an answer would go.
    """

    NOT_A_REQUEST = "", "这不是出示请求。", "This is no request to show something."
    TWICE = "", "请求里同一项出现了两次。", "The request says the same thing twice."
    TOO_LARGE = "", "请求过大，没有读取。", "The request is too large to be read."
    UNREADABLE = "", "请求无法读取。", "The request can't be read."
    URI_METHOD = "invalid_request_uri_method", "请求的获取方式未知。", "The request names an unknown way to fetch it."
    NOT_FOUND = (
        "",
        "对方没有交出请求：二维码可能已过期或已用过。",
        "The other side did not hand out its request: the code may have expired, or was used before.",
    )
    NOT_A_REQUEST_OBJECT = "", "对方交出的不是出示请求。", "What the other side handed out is no request."
    UNSIGNED = "", "请求没有签名，无法确认是谁提出的。", "The request is not signed: nobody can tell who asks."
    SIGNATURE = (
        "",
        "请求的签名不成立：内容可能被改动，或由别人签出。",
        "The request's signature does not hold: it was altered, or somebody else signed it.",
    )
    CERTIFICATE = "", "请求方的证书无法读取或已失效。", "The certificate of who asks can't be read, or is out of date."
    SELF_SIGNED = (
        "",
        "请求方的证书是自己签发的，没有任何机构担保。",
        "Who asks has signed its own certificate; nobody answers for it.",
    )
    CHAIN = "", "请求方的证书链不成立。", "The certificates that came with the request don't belong together."
    ANOTHER_CLIENT = (
        "",
        "请求里的身份与证书不符。",
        "The request names another party than its certificate, or than the code did.",
    )
    WITHDRAWN = (
        "",
        "请求方的登记或钥匙已被撤销或暂停，不能再查看证照，已拒绝。",
        "Who asks, or the key that it asks with, was withdrawn or suspended by its region; the request is refused.",
    )
    ANOTHER_USE = (
        "",
        "请求用了不该用来提出请求的钥匙（例如印章）签名，已拒绝。",
        "The request is signed with a key that is for something else, such as a seal; the request is refused.",
    )
    CLIENT_KIND = (
        "",
        "请求方的身份标识方式本钱包不支持。",
        "Who asks identifies itself in a way that this wallet does not know.",
    )
    ANOTHER_HOST = (
        "",
        "回答要送往的地址不属于请求方，已拒绝。",
        "The answer would go to an address that does not belong to who asks.",
    )
    ADDRESS = "", "回答要送往的地址不是网址。", "The answer would go to what is no web address."
    REPLAYED = "", "请求不是为这一次准备的。", "The request was not made for this occasion."
    EXPIRED = "", "请求已过期，请对方重新出示二维码。", "The request has expired: ask for a new code."
    NOT_YET = "", "请求的时间在将来。", "The request is dated in the future."
    AUDIENCE = "", "请求是给别的钱包的。", "The request is for another wallet."
    NONCE = "invalid_request", "请求缺少一次性编号，或编号不合格式。", "The request lacks a proper nonce or state."
    RESPONSE_TYPE = (
        "unsupported_response_type",
        "请求的回答方式本钱包不支持。",
        "The request wants another kind of answer.",
    )
    RESPONSE_MODE = (
        "invalid_request",
        "请求的回传方式本钱包不支持。",
        "The request wants its answer sent in a way that this wallet does not know.",
    )
    REDIRECT = "invalid_request", "请求给出了两个回传地址。", "The request names two places for its answer."
    QUERY = "invalid_request", "请求没有说清要什么证照。", "The request does not say properly what it wants."
    SCOPE = (
        "invalid_scope",
        "请求使用了本钱包不认识的范围。",
        "The request asks by a scope that this wallet does not know.",
    )
    METADATA = "invalid_request", "请求方的说明无法读取。", "What the request says about its sender can't be read."
    ENCRYPTION = (
        "invalid_request",
        "请求要求加密回答，却没有给出可用的密钥。",
        "The request wants an encrypted answer, but gives no key that fits.",
    )
    FORMATS = (
        "vp_formats_not_supported",
        "请求的证照格式本钱包不支持。",
        "The request wants certificates in a form that this wallet does not have.",
    )
    TRANSACTION = (
        "invalid_transaction_data",
        "请求附带了本钱包不认识的交易内容，不能代您确认。",
        "The request comes with a transaction that this wallet does not know and can't confirm for you.",
    )

    def __init__(self, code: str, zh: str, en: str) -> None:
        self.code = code
        self.words = Names(zh, en)


class PresentingRefused(WalletError):
    """Root of what presenting refuses. `words` tell the citizen what happened, and what to do."""

    words = Names("没有出示。", "Nothing was shown.")


class RequestRefused(PresentingRefused):
    """The wallet does not take this request. Nothing was shown to anybody. HTTP 422."""

    def __init__(self, flaw: Flaw) -> None:
        self.flaw = flaw
        self.words = flaw.words
        super().__init__(flaw.name.lower())


class RequestUnknown(PresentingRefused):
    """No such request waits for this citizen: another's, or more than ten minutes old. HTTP 404."""

    words = Names(
        "没有这个请求，或者它已超过十分钟。请让对方重新显示二维码。",
        "There is no such request, or it is more than ten minutes old: ask for a new code.",
    )


class RequestAnswered(PresentingRefused):
    """The request was answered or declined before; a consent counts once. HTTP 409."""

    words = Names(
        "这个请求已经回应过了，每个请求只能回应一次。", "This request was answered before; each is answered once."
    )


class ConfirmationMissing(PresentingRefused):
    """Who asks is not registered, or asks too much; the citizen has not said twice that it shall be. HTTP 409."""

    words = Names(
        "对方没有登记，或要得太多；要出示，请先勾选确认。",
        "Who asks is not registered, or asks too much: to go on, tick that you want to.",
    )


class ChoiceNotPossible(PresentingRefused):
    """What was chosen does not answer the request: a certificate that does not fit, or is missing. HTTP 422."""

    words = Names(
        "所选的证照不能回应这个请求，请重新选择。",
        "What was chosen does not answer the request; please choose again.",
    )


class KeysMissing(PresentingRefused):
    """The keys or the signatures are not those of this browser's credentials. HTTP 422."""

    words = Names(
        "这台设备的签名没有成立，或隔得太久。什么都没有出示，请再试一次。",
        "This device's signature did not fit, or came too late. Nothing was shown; please try again.",
    )


class AnswerRefused(PresentingRefused):
    """The other side did not take the answer. `status` is its HTTP status. HTTP 502."""

    words = Names(
        "已经送到，但对方没有接受。请让对方重新发起。",
        "It was delivered, but the other side did not accept it: have them ask again.",
    )

    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(f"HTTP {status}")
