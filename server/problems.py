"""Every refusal as a problem document (RFC 9457) or a page: the one table from error class to status and words.

A class that is not listed is answered as its nearest listed base. Errors name fields, never values; details are
`server.problem_words`. Pages get
`error.html` with `problem` (status, title, detail, errors, type); everybody else gets `application/problem+json`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import jinja2
from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from sqlalchemy.exc import DataError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from issuer import errors as issuer
from keys import errors as keys
from server import errors as server
from server import problem_words
from trust_registry import errors as registry
from trust_registry.edges import Render
from trust_registry.model import Names
from verifier import errors as verifier
from wallet_api import errors as wallet
from wallet_api.openid import refusals as presenting
from wallet_api.openid.collecting_errors import CollectingRefused, IssuerRefused
from wallet_api.openid.outgoing import NotReached

TYPE_PREFIX = "urn:yinxin:problem:"


@dataclass(frozen=True, slots=True)
class Kind:
    """How one class of refusal is answered. `field`: the attribute of the error, or the name itself, of the culprit."""

    status: int
    slug: str
    names: Names
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem document, in one language."""

    type: str
    status: int
    title: str
    detail: str | None = None
    errors: tuple[Mapping[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        body: dict[str, Any] = {"type": self.type, "title": self.title, "status": self.status}
        if self.detail:
            body["detail"] = self.detail
        if self.errors:
            body["errors"] = [dict(each) for each in self.errors]
        return body


def _k(status: int, slug: str, zh: str, en: str, field: str | None = None) -> Kind:
    return Kind(status, slug, Names(zh, en), field)


KINDS: Mapping[type[BaseException], Kind] = {
    # server
    server.ServerError: _k(400, "refused", "请求未被接受", "The request was refused"),
    server.NotSignedIn: _k(401, "not-signed-in", "请先登录", "Please sign in"),
    server.NotPermitted: _k(403, "not-permitted", "您的账户没有此项权限", "Your account may not do this"),
    server.CsrfRefused: _k(
        403, "csrf", "页面已过期，请返回刷新后重试", "This page has expired: go back, reload it and try again"
    ),
    server.SignInRefused: _k(401, "sign-in-refused", "用户名或密码不正确", "The name or the password is wrong"),
    server.TooManyRequests: _k(
        429, "too-many-requests", "尝试次数过多，请稍后再试", "Too many tries, please wait a moment"
    ),
    server.BodyTooLarge: _k(413, "too-large", "文件过大", "The file is too large"),
    server.OidcRefused: _k(
        403, "identity-provider", "统一身份认证未通过", "The identity provider's answer was not accepted"
    ),
    server.AccountExists: _k(409, "account-exists", "用户名已被占用", "The account name is taken", "name"),
    # keys
    keys.KeysError: _k(422, "malformed", "数据格式不正确", "The data is malformed"),
    keys.TimestampUnavailable: _k(
        503, "timestamp-unavailable", "时间戳服务暂不可用", "The time-stamping authority can't be reached"
    ),
    keys.KeyUriNotSupported: _k(503, "key-unavailable", "签名密钥暂不可用", "The signing key is not available"),
    keys.KeyNotFound: _k(503, "key-unavailable", "签名密钥暂不可用", "The signing key is not available"),
    keys.TokenUnavailable: _k(503, "key-unavailable", "签名密钥暂不可用", "The signing key is not available"),
    keys.WrongPassphrase: _k(503, "key-unavailable", "签名密钥暂不可用", "The signing key is not available"),
    keys.DamagedKeyFile: _k(503, "key-unavailable", "签名密钥暂不可用", "The signing key is not available"),
    keys.PassphraseMissing: _k(503, "key-unavailable", "签名密钥暂不可用", "The signing key is not available"),
    keys.DecryptionFailed: _k(410, "erased", "数据已被清除", "The data was erased"),
    # trust_registry
    registry.TrustRegistryError: _k(422, "registry-refused", "登记数据未被接受", "The registry refused this"),
    registry.InvalidForeignList: _k(
        422, "invalid-foreign-list", "外部名录不可信", "The foreign list is not to be believed", "field"
    ),
    registry.InvalidList: _k(422, "invalid-list", "名录内容不符合要求", "The list breaks a rule", "field"),
    registry.ClaimsInvalid: _k(
        422, "claims-invalid", "证照内容不符合要求", "The claims break the type's rules", "path"
    ),
    registry.InvalidIdentifier: _k(422, "invalid-identifier", "号码不正确", "The number is not valid", "kind"),
    registry.MalformedQuery: _k(400, "malformed-query", "不是可读取的查询", "This is not a query", "field"),
    registry.QueryNotRecognised: _k(
        404, "not-recognised", "查询的对象未知", "What is asked about is not known", "field"
    ),
    registry.UnknownList: _k(404, "unknown-list", "没有此地区", "There is no such region"),
    registry.EntryUnknown: _k(404, "entry-unknown", "名录里没有这个条目", "The list has no such entry"),
    registry.UnknownProposal: _k(404, "unknown-proposal", "没有此提案", "There is no such proposal"),
    registry.LogDamaged: _k(503, "log-damaged", "透明日志损坏", "The transparency log is damaged"),
    registry.WitnessesMissing: _k(503, "witnesses-missing", "等待见证", "Witnesses are missing"),
    registry.CeremonyError: _k(409, "ceremony", "签署未被接受", "The registry's ceremony refused this"),
    registry.TrustMissing: _k(503, "trust-missing", "尚无互认数据", "There is no trust data yet"),
    registry.TrustDamaged: _k(
        503, "trust-damaged", "互认数据损坏，需要重新获取", "The trust data is damaged and must be fetched again"
    ),
    registry.RefreshRefused: _k(503, "refresh-refused", "互认数据更新被拒绝", "The refresh of trust data was refused"),
    registry.FetchFailed: _k(503, "fetch-failed", "数据暂时无法获取", "Data could not be fetched"),
    # issuer
    issuer.IssuerError: _k(409, "issuer-refused", "签发未被接受", "The issuer refused this"),
    issuer.GlyphMissing: _k(422, "glyph-missing", "字库缺少此字", "The document fonts lack a character", "claim"),
    issuer.SealImageUnfit: _k(422, "seal-image", "印章图样不合要求", "This can't be set on a seal"),
    issuer.RequestRefused: _k(422, "request-refused", "申请未被受理", "The request can't be sealed"),
    issuer.TypeUnknown: _k(422, "type-unknown", "没有此证照类型", "There is no such certificate type", "=type_id"),
    issuer.SealUnknown: _k(422, "seal-unknown", "没有此印章", "There is no such seal here", "=seal_id"),
    issuer.IssuerNotListed: _k(
        403, "issuer-not-listed", "本机构未列入地区名录", "This issuer is not on its region's list"
    ),
    issuer.IssuerNotEntitled: _k(
        403, "issuer-not-entitled", "本机构无权签发此类证照", "This issuer may not issue this type"
    ),
    issuer.SealNotListed: _k(403, "seal-not-listed", "印章未列入地区名录", "The seal is not on its region's list"),
    issuer.SealNotInForce: _k(403, "seal-not-in-force", "印章已停用", "The seal is suspended or withdrawn"),
    issuer.SealOutOfTime: _k(403, "seal-out-of-time", "印章不在有效期内", "The seal is not valid at this time"),
    issuer.SealNotEntitled: _k(
        403, "seal-not-entitled", "印章不得用于此类证照", "The seal may not be used for this type"
    ),
    issuer.ClaimsInvalid: _k(
        422, "claims-invalid", "证照内容不符合要求", "The claims break the type's rules", "pointer"
    ),
    issuer.InvalidIdentityNumber: _k(
        422, "identity-number", "证件号码不正确", "The identity number is not valid", "pointer"
    ),
    issuer.HolderNotNamed: _k(
        422, "holder-not-named", "持证人不在证照内容中", "The claims do not name the holder", "=/holder/number"
    ),
    issuer.HolderKeyInvalid: _k(422, "holder-key", "持证人密钥不正确", "The holder's key is not valid", "=holder_key"),
    issuer.ValidityImpossible: _k(422, "validity", "有效期不正确", "The validity is impossible", "pointer"),
    issuer.IdempotencyKeyInvalid: _k(
        400, "idempotency-key", "幂等键不正确", "The idempotency key is not valid", "=Idempotency-Key"
    ),
    issuer.IdempotencyConflict: _k(
        409, "idempotency-conflict", "幂等键已用于另一申请", "The idempotency key was used for another request"
    ),
    issuer.CertificateNotFound: _k(404, "certificate-not-found", "没有此证照", "There is no such certificate"),
    issuer.RenderingNotMade: _k(404, "rendering-not-made", "这份证照没有这种形式", "This certificate has no such form"),
    issuer.CertificateNotPublished: _k(409, "not-published", "证照尚未签章", "The certificate is not sealed yet"),
    issuer.CertificateVoided: _k(409, "voided", "证照已作废", "The certificate was given up before it was sealed"),
    issuer.CopyRefused: _k(409, "copy-refused", "不能制作副本", "No copy can be made"),
    issuer.CertificateSuspended: _k(409, "suspended", "证照已暂停，不能制作副本", "The certificate is suspended"),
    issuer.CertificateRevoked: _k(409, "revoked", "证照已撤销，不能制作副本", "The certificate is revoked"),
    issuer.CertificateOver: _k(409, "over", "证照已过期，不能制作副本", "The certificate is over"),
    issuer.TooManyCopies: _k(409, "too-many-copies", "近期制作的副本过多", "Too many copies were made of late"),
    issuer.CopyKeysInvalid: _k(422, "copy-keys", "钱包密钥不正确", "The wallet's keys are not valid", "=keys"),
    issuer.HolderNotFound: _k(404, "holder-not-found", "没有此持证人", "There is no such holder"),
    issuer.HolderErased: _k(410, "erased", "持证人数据已清除", "The holder's data was erased"),
    issuer.StatusFinal: _k(409, "status-final", "证照已撤销，不可更改", "The certificate is revoked; that is final"),
    issuer.StatusUnchanged: _k(409, "status-unchanged", "证照已是此状态", "The certificate has that status already"),
    issuer.EffectiveTimeInPast: _k(
        422, "effective-time", "生效时间不得早于现在", "A change can't take effect in the past", "=effective_at"
    ),
    issuer.ReasonDoesNotFit: _k(422, "reason", "原因与状态不符", "The reason does not explain that status", "=reason"),
    issuer.PublicationDelayed: _k(
        503, "publication-delayed", "已登记，状态稍后发布", "Recorded; its status will be published shortly"
    ),
    issuer.StatusSignerMissing: _k(503, "status-signer", "状态签名密钥暂不可用", "The status key is not available"),
    issuer.StatusListNotFound: _k(404, "status-list-not-found", "没有此状态表", "There is no such status list"),
    issuer.StatusListMisplaced: _k(
        503, "status-list-misplaced", "状态表配置有误", "Status lists are configured wrongly"
    ),
    issuer.BulkFileRefused: _k(422, "bulk-file", "批量文件无法读取", "The file can't be read as a table", "=file"),
    issuer.SealKeyMismatch: _k(503, "key-unavailable", "签名密钥暂不可用", "The signing key is not available"),
    issuer.ApprovalNeeded: _k(409, "approval-needed", "须由另一位经办人复核", "Another clerk must approve this"),
    issuer.WaitingUnknown: _k(404, "waiting-unknown", "没有这项待复核的申请", "There is no such request"),
    issuer.OwnRequest: _k(403, "own-request", "不能复核自己提交的申请", "Nobody approves their own request"),
    issuer.WaitingClosed: _k(409, "waiting-closed", "这项申请已经办结", "This request is decided already"),
    issuer.ContentChanged: _k(409, "content-changed", "内容与所核对的不一致", "This is not what was checked"),
    issuer.NotOfAnIssuer: _k(403, "not-of-an-issuer", "您的账户不属于任何颁证机构", "Your account is of no issuer"),
    issuer.TrustViewMissing: _k(503, "trust-missing", "尚无互认数据", "There is no trust data yet"),
    # verifier
    verifier.VerifierError: _k(422, "verifier-refused", "核验请求未被接受", "The verifier refused this"),
    verifier.MalformedEvidence: _k(422, "malformed-evidence", "无法读取所交材料", "What was handed in can't be read"),
    verifier.InvalidRequest: _k(422, "invalid-request", "请求内容不正确", "The request is not valid", "field"),
    verifier.RequestTooLarge: _k(413, "too-large", "提交的内容过大", "The request is too large", "field"),
    verifier.UnsupportedEvidence: _k(
        415, "unsupported", "不支持的内容类型", "This type of content is not supported", "field"
    ),
    verifier.PresentationRefused: _k(409, "presentation-refused", "亮证码无法读取", "The one-time code can't be read"),
    verifier.ReceiptNotFound: _k(404, "receipt-not-found", "没有此回执", "There is no such receipt"),
    verifier.ReceiptsNotOffered: _k(
        409, "no-receipts", "本单位未配置回执密钥", "This relying party has no receipt key"
    ),
    verifier.RequestsNotOffered: _k(
        409, "no-requests-to-wallets", "本单位不能向钱包请求亮证", "Wallets can't be asked from here"
    ),
    verifier.RequestNotFound: _k(404, "request-not-found", "没有此次亮证请求", "There is no such request"),
    verifier.CaseFilesNotOffered: _k(409, "no-case-files", "本单位不能制作核验卷宗", "No case files are made here"),
    verifier.MalformedKit: _k(422, "malformed-kit", "无法读取离线包", "The offline kit can't be read"),
    verifier.KitRefused: _k(409, "kit-refused", "不能使用这个离线包", "This offline kit can't be used here"),
    # wallet_api
    wallet.WalletError: _k(409, "wallet-refused", "亮证请求未被接受", "The wallet refused this"),
    wallet.NotAHolder: _k(403, "not-a-holder", "您的账户没有关联持证人", "Your account is not linked to a holder"),
    wallet.CertificateNotHeld: _k(404, "certificate-not-held", "您没有这份证照", "You hold no such certificate"),
    wallet.RenderingNotKept: _k(404, "no-rendering", "这份证照没有 PDF 文件", "There is no PDF of this certificate"),
    wallet.ClaimNotSelectable: _k(
        422, "claim-not-selectable", "有的内容不能出示", "Some of what was chosen can't be shown", "=claims"
    ),
    wallet.RequiredClaimWithheld: _k(
        422,
        "required-claim-withheld",
        "该事项必需的内容没有选上",
        "What the scenario requires was not chosen",
        "=claims",
    ),
    wallet.ScenarioNotApplicable: _k(
        422,
        "scenario-not-applicable",
        "该事项用不到这份证照",
        "This scenario doesn't take this certificate",
        "=scenario_id",
    ),
    wallet.LifeOutOfRange: _k(422, "life-out-of-range", "有效时间超出范围", "The life of the code is out of range"),
    wallet.MalformedCode: _k(422, "malformed-code", "这不是一个亮证码", "This is not a one-time code", "=code"),
    wallet.PresentationUnknown: _k(404, "presentation-unknown", "没有这个亮证码", "There is no such one-time code"),
    wallet.PresentationAlreadyRead: _k(409, "already-read", "亮证码已被查看过", "This code was already read"),
    wallet.PresentationExpired: _k(410, "presentation-expired", "亮证码已过期", "This code has expired"),
    wallet.PresentationCancelled: _k(
        410, "presentation-cancelled", "亮证码已被收回或更换", "This code was withdrawn or replaced"
    ),
    wallet.PresentationForOtherScenario: _k(
        409, "other-scenario", "持证人同意出示给另一个事项", "It was shown for another scenario", "=scenario_id"
    ),
    wallet.ReaderNotRegistered: _k(
        403, "reader-not-registered", "只有登记的用证单位才能查看", "Only a listed relying party may read"
    ),
    wallet.ScenarioNotPermitted: _k(
        403, "scenario-not-permitted", "本单位没有登记这个事项", "Not registered for this scenario", "=scenario_id"
    ),
    CollectingRefused: _k(422, "collecting-refused", "没有领取成功", "Nothing was collected", "code"),
    IssuerRefused: _k(422, "issuer-refused-wallet", "发放机构没有受理", "The issuer did not accept this", "code"),
    presenting.PresentingRefused: _k(422, "not-shown", "没有出示", "Nothing was shown"),
    presenting.RequestUnknown: _k(404, "request-unknown", "没有这个请求", "There is no such request"),
    presenting.RequestAnswered: _k(409, "request-answered", "已经回应过了", "It was answered before"),
    presenting.ConfirmationMissing: _k(409, "confirmation-missing", "需要再次确认", "This has to be confirmed"),
    presenting.AnswerRefused: _k(502, "answer-refused", "对方没有接受", "The other side did not accept it"),
    NotReached: _k(502, "not-reached", "连接不上对方的服务器", "The other server could not be reached"),
    # around us
    OperationalError: _k(
        503, "database", "数据库暂不可用，请稍后再试", "The database is not available, please try again"
    ),
    PoolTimeout: _k(503, "database", "系统繁忙，请稍后再试", "The server is busy, please try again"),
    DataError: _k(422, "invalid-request", "请求内容不正确", "The request is not valid"),  # a NUL, on PostgreSQL
    RequestValidationError: _k(422, "invalid-request", "请求内容不正确", "The request is not valid"),
    Exception: _k(500, "internal", "系统出错了，我们已记录", "Something went wrong here; it was noted"),
}


def kind_of(error: BaseException) -> Kind:
    """The table's entry for the error's class or its nearest base."""
    return next(KINDS[base] for base in type(error).__mro__ if base in KINDS)


def describe(error: BaseException, lang: str) -> Problem:
    """The problem document of `error`. Unknown errors tell nothing about themselves."""
    if isinstance(error, HTTPException):
        return _of_http(error, lang)
    kind = kind_of(error)
    title = kind.names.in_language(lang)
    headers: dict[str, str] = {}
    if isinstance(error, server.TooManyRequests):
        headers["Retry-After"] = str(error.retry_after)
    elif kind.status == 503:
        headers["Retry-After"] = "5"
    elif isinstance(error, server.NotSignedIn):
        headers["WWW-Authenticate"] = 'Bearer realm="yinxin"'
    if kind.status == 500:
        return Problem(TYPE_PREFIX + kind.slug, 500, title)
    detail = _in_language(problem_words.detail(error), lang)
    return Problem(TYPE_PREFIX + kind.slug, kind.status, title, detail, tuple(_errors(error, kind, lang)), headers)


def _in_language(words: Names | None, lang: str) -> str | None:
    return None if words is None else words.in_language(lang)


def _of_http(error: HTTPException, lang: str) -> Problem:
    phrase = HTTPStatus(error.status_code).phrase if error.status_code in HTTPStatus._value2member_map_ else "Error"
    title = problem_words.http.title(error.status_code).in_language(lang)
    detail = _in_language(problem_words.detail(error), lang)
    slug = phrase.lower().replace(" ", "-")
    return Problem(TYPE_PREFIX + slug, error.status_code, title, detail, headers=dict(error.headers or {}))


def _errors(error: BaseException, kind: Kind, lang: str) -> Iterator[Mapping[str, str]]:
    if isinstance(error, RequestValidationError):
        for name, words in problem_words.validation.fields(error):
            yield {"field": name, "detail": words.in_language(lang)}
    elif kind.field is not None:
        name = kind.field[1:] if kind.field.startswith("=") else str(getattr(error, kind.field, ""))
        words = problem_words.field_detail(error) or kind.names
        yield {"field": name or "/", "detail": words.in_language(lang)}


def wants_page(request: Request) -> bool:
    """Whether the asker is a browser looking for a page."""
    return "text/html" in request.headers.get("accept", "") and not request.url.path.startswith(("/api/", "/oauth/"))


def respond(request: Request, error: BaseException, render: Render, lang: str) -> Response:
    """The answer to `request` that `error` ended: a page for browsers, else a problem document."""
    problem = describe(error, lang)
    if wants_page(request):
        if isinstance(error, server.NotSignedIn) and request.method in ("GET", "HEAD"):
            path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            return RedirectResponse(f"/sign-in?next={quote(path, safe='')}", status_code=303)
        response = _page(request, problem, render)
    else:
        response = Response(
            json.dumps(problem.document(), ensure_ascii=False),
            status_code=problem.status,
            media_type="application/problem+json",
            headers={"Content-Language": lang, "Vary": "Cookie, Accept-Language"},
        )
    response.headers.update(problem.headers)
    return response


def _page(request: Request, problem: Problem, render: Render) -> Response:
    try:
        return render(request, "error.html", {"problem": problem}, status=problem.status)
    except (jinja2.TemplateError, OperationalError):  # an error page must not need what is broken
        return Response(problem.title, status_code=problem.status, media_type="text/plain; charset=utf-8")
