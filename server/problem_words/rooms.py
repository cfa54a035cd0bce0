"""One sentence for each refusal of the rooms, zh and en, with holes for the refusal's own data. Data only.

What may hold paths, hosts, settings or a library's words is not repeated: those sentences have no holes and no reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy.exc import DataError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from keys import errors as keys
from server import errors as server
from trust_registry import errors as registry
from trust_registry.model import Names
from trust_registry.wording import IDENTIFIER_PHRASES, Phrasebook
from verifier import errors as verifier
from wallet_api import errors as wallet


@dataclass(frozen=True, slots=True)
class Words:
    """`sentence` with `{attribute}` holes; `facts`: attributes told after it; `reason`: the one that says why."""

    sentence: Names
    facts: tuple[str, ...] = ()
    reason: str | None = None


def _w(zh: str, en: str, *facts: str, reason: str | None = None) -> Words:
    return Words(Names(zh, en), facts, reason)


_KEY = _w("请联系管理员检查签名密钥。", "Tell the administrator to look after the signing keys.")
_DATABASE = _w("没有写入任何数据，请过几秒再试。", "Nothing was written; try again in a few seconds.")

SERVER: Final[Mapping[type[BaseException], Words]] = {
    server.ServerError: _w("服务器没有接受这个请求。", "The server did not accept this request."),
    server.NotSignedIn: _w(
        "需要登录，或者登录已经过期。",
        "This needs a sign-in, or the one you had is over.",
    ),
    server.NotPermitted: _w("这个账户的身份不能使用此功能。", "This account's role does not include this."),
    server.CsrfRefused: _w(
        "请求没有带上本次登录的令牌，或来自别的网站；什么都没有改动。",
        "The request lacks this sign-in's token, or comes from another site; nothing was changed.",
    ),
    server.SignInRefused: _w(
        "请核对用户名和密码；多次输错后账户会锁定一段时间。",
        "Check the name and the password; after several wrong tries an account is locked for a while.",
    ),
    server.TooManyRequests: _w("请在 {retry_after} 秒后再试。", "Try again in {retry_after} seconds."),
    server.BodyTooLarge: _w("请求体最大 {limit} 字节。", "A request body may have at most {limit} bytes."),
    server.OidcRefused: _w(
        "请重新登录；仍不成功请联系管理员。",
        "Sign in again; if that fails, tell the administrator.",
        reason="args",
    ),
    server.ClientAssertionRefused: _w("机器账户的身份断言无效。", "The machine client's assertion did not verify."),
    server.InvalidSettings: _w("服务器的设置不能使用。", "The server's settings can't be used."),
    server.AccountExists: _w("请换一个用户名。", "Choose another account name."),
    server.DemoFolderRefused: _w(
        "演示文件夹里有别的内容，没有改动它。", "The demonstration's folder holds something else; it was left alone."
    ),
    server.NotInTheDemo: _w("演示里没有这一项。", "The demonstration has no such thing."),
    server.AlreadyRunning: _w(
        "演示用的文件夹或地址正被另一个进程使用。", "Another process is using the demonstration's folder or address."
    ),
    OperationalError: _DATABASE,
    PoolTimeout: _DATABASE,
    DataError: _w("请求里有数据库不能保存的字符。", "The request holds a character that the database can't keep."),
}
KEYS: Final[Mapping[type[BaseException], Words]] = {
    keys.KeysError: _w("签名数据不能读取。", "The signed data can't be read."),
    keys.MalformedEnvelope: _w(
        "内容不是它所声称的格式，或超出大小、层数的上限。",
        "This is not in the form that it claims, or exceeds the limits of size or depth.",
    ),
    keys.EncryptedPdf: _w(
        "这份 PDF 设有密码或只供特定的人打开，看不到内容。请提交未加密的文件。",
        "This PDF is closed with a password, or for certain readers only. Hand in the file without encryption.",
    ),
    keys.MalformedCertificate: _w("不是可读取的 X.509 证书。", "This is not an X.509 certificate that can be read."),
    keys.MalformedRequest: _w(
        "不是可读取的证书请求，或签名不能证明申请者持有密钥。",
        "This is not a certificate request that can be read, or it does not prove that its maker holds the key.",
    ),
    keys.MalformedTimestamp: _w("不是 RFC 3161 时间戳。", "This is not an RFC 3161 time-stamp."),
    keys.MalformedRevocation: _w(
        "不是可读取的证书撤销列表（CRL）或在线状态（OCSP）数据。",
        "This is not a revocation list (CRL) or an OCSP message that can be read.",
    ),
    keys.CannotAugment: _w(
        "这份文件不能补充长期验证数据：签名不完整，或缺少证书链、撤销数据、时间戳。",
        "Nothing can be added to keep this file verifiable: its signature is not whole, or a chain, revocation data or "
        "a time-stamp is missing.",
    ),
    keys.TimestampUnavailable: _w(
        "签章需要时间戳；什么都没有丢失，请稍后再试。",
        "Sealing needs a time-stamp; nothing is lost, try again later.",
    ),
    keys.AlgorithmNotSupported: _w(
        "不支持这种算法，或密钥与算法不符。", "No such algorithm, or a key that does not fit it."
    ),
    keys.KeyUriNotSupported: _KEY,
    keys.KeyNotFound: _KEY,
    keys.KeyAlreadyExists: _w("密钥文件已经存在，没有覆盖。", "The key file is there already; it was left alone."),
    keys.TokenUnavailable: _KEY,
    keys.WrongPassphrase: _KEY,
    keys.DamagedKeyFile: _KEY,
    keys.PassphraseMissing: _KEY,
    keys.DecryptionFailed: _w(
        "数据密钥已销毁，或数据被改动，无法再读取。",
        "Its data key was destroyed, or it was altered; nobody can read it any more.",
    ),
}
REGISTRY: Final[Mapping[type[BaseException], Words]] = {
    registry.TrustRegistryError: _w("登记机构没有接受这项内容。", "The registry did not accept this."),
    registry.InvalidForeignList: _w(
        "外部网络的名录未通过检验，没有采用。",
        "The list of another network did not pass its checks and is not used.",
        "field",
    ),
    registry.InvalidList: _w("名录不符合规则。", "The list breaks a rule.", "field"),
    registry.HistoryRewritten: _w("新名录与以前发布的内容矛盾。", "The newer list contradicts an older one.", "entry"),
    registry.MalformedAttestation: _w(
        "内容里没有可读取的证照数据。", "It carries no certificate data that can be read."
    ),
    registry.ClaimsInvalid: _w("证照的一项内容不符合规则（{path}）。", "A claim breaks the type's rules ({path})."),
    registry.InvalidIdentifier: _w("号码不符合规则。", "The number breaks the rules of its kind.", reason="reason"),
    registry.StatusIndexOutOfRange: _w(
        "状态序号 {index} 超出状态表的 {size} 项。", "Status index {index} is outside a list of {size} entries."
    ),
    registry.MalformedStatusToken: _w("不是可读取的状态表。", "This is not a status list that can be read."),
    registry.FetchFailed: _w(
        "需要的数据暂时取不到，请稍后再试。", "Data that is needed can't be fetched; try again later."
    ),
    registry.MalformedQuery: _w("查询不符合 TRQP 的格式（{field}）。", "The query breaks the form of TRQP ({field})."),
    registry.QueryNotRecognised: _w("登记机构不认识查询中的 {field}。", "The registry knows no such {field}."),
    registry.TrustMissing: _w(
        "还没有取得互认数据；取得后即可使用。", "No trust data has been fetched yet; this works once it is there."
    ),
    registry.LogDamaged: _w(
        "请管理员从备份恢复日志文件；不要另建日志。",
        "Tell the administrator to restore the log's files from a backup; don't begin a new log.",
    ),
    registry.WitnessesMissing: _w(
        "上一次发布还缺见证签名（需要 {wanted} 个），完成之前不能发布新的内容。",
        "The publication before this one still lacks cosignatures ({wanted} are needed); nothing can follow it yet.",
    ),
    registry.TrustDamaged: _w("请管理员重新获取互认数据。", "Tell the administrator to fetch the trust data again."),
    registry.RefreshRefused: _w(
        "新数据未通过验证，继续使用原有数据。", "The new data did not verify; the old data stays in use."
    ),
    registry.CeremonyError: _w("签署没有被接受。", "The ceremony did not accept this."),
    registry.NotFounded: _w("这里还没有建立互认网络。", "No network has been founded here."),
    registry.AlreadyFounded: _w("这里已经建立互认网络。", "A network has been founded here already."),
    registry.UnknownList: _w("没有代码为 {code} 的地区或机构。", "No region or body {code} has been admitted."),
    registry.EntryUnknown: _w("名录里没有条目 {entry}。", "The list has no entry {entry}."),
    registry.AlreadyAdmitted: _w(
        "这个代码的地区或机构已经加入。", "A region or body of this code has been admitted already."
    ),
    registry.UnknownProposal: _w("没有待签署的提案 {proposal_id}。", "There is no pending proposal {proposal_id}."),
    registry.ProposalOutdated: _w(
        "提案之后又发布了别的内容，请重新提案。",
        "Something else was published after this was proposed: propose it again.",
    ),
    registry.ProposalDecided: _w(
        "提案已写入日志，不能撤下；要改请另提一份。",
        "The proposal is in the log already: it can't be withdrawn. Propose another change.",
    ),
    registry.NothingProposed: _w("提案与现有内容相同。", "The proposal would change nothing."),
    registry.NotAnOfficer: _w("这把密钥不能签署 {role}。", "This key may not sign for {role}.", "allowed"),
    registry.RuleBroken: _w(
        "网络的规则（{rule}）不允许这样做。", "A rule of the network ({rule}) does not allow this."
    ),
    registry.SignatureRefused: _w(
        "这个签名与提案中 {role} 的内容不符。", "This signature is not over what the proposal says for {role}."
    ),
    registry.ThresholdNotReached: _w(
        "{role} 需要 {needed} 人签署；已签：{signed}；尚可签：{missing}。",
        "{role} needs {needed} signatures; signed: {signed}; who could still sign: {missing}.",
    ),
}
VERIFIER: Final[Mapping[type[BaseException], Words]] = {
    verifier.VerifierError: _w("核验服务没有接受这个请求。", "The verifier did not accept this request."),
    verifier.InvalidRequest: _w("字段 {field} 不正确。", "The field {field} is not valid.", reason="message"),
    verifier.RequestTooLarge: _w("{field} 最多 {limit} {unit}。", "The {field} may have at most {limit} {unit}."),
    verifier.UnsupportedEvidence: _w("{field} 须为以下之一：{supported}。", "The {field} must be one of {supported}."),
    verifier.ReceiptNotFound: _w(
        "没有这份回执，或您无权查看。", "There is no such receipt, or it is not yours to read."
    ),
    verifier.ReceiptsNotOffered: _w(
        "{relying_party} 没有配置回执密钥，不能出具回执。",
        "{relying_party} has no key for receipts and can't give any.",
    ),
    verifier.RequestsNotOffered: _w(
        "{relying_party} 没有配置向钱包请求亮证的密钥。请联系系统管理员。",
        "{relying_party} has no key to sign requests to wallets with. Ask the administrator.",
    ),
    verifier.RequestNotFound: _w(
        "这次亮证请求已过期清除，或不是由本浏览器发起。请重新发起。",
        "This request was erased when its time was over, or another browser began it. Begin a new one.",
    ),
    verifier.CaseFilesNotOffered: _w(
        "没有配置时间戳服务，不能制作核验卷宗。请管理员设置时间戳服务。",
        "Without a time-stamping authority no case files can be made. Ask the administrator to set one.",
    ),
    verifier.MalformedKit: _w(
        "这不是离线包，或已损坏。请重新下载。", "Not an offline kit, or a damaged one. Download it again."
    ),
    verifier.KitRefused: _w(
        "这个离线包不能用在这里：地区、网络或版本不符。请下载完整的新离线包。",
        "This kit does not fit: another region, network or version. Download a whole new one.",
    ),
}
WALLET: Final[Mapping[type[BaseException], Words]] = {
    wallet.WalletError: _w("亮证服务没有接受这个请求。", "The wallet did not accept this request."),
    wallet.NotAHolder: _w("请用持证人的账户登录。", "Sign in with the account of somebody who holds certificates."),
    wallet.CertificateNotHeld: _w("这份证照不在您名下。", "This certificate is not among yours."),
    wallet.RenderingNotKept: _w("可以改用亮证码出示。", "It can be shown with a one-time code instead."),
    wallet.ClaimNotSelectable: _w("这些项目不能选择出示。", "These claims can't be chosen.", "claims"),
    wallet.RequiredClaimWithheld: _w(
        "请选上这些项目，或不办理该事项。", "Choose these claims, too, or decline the scenario.", "claims"
    ),
    wallet.ScenarioNotApplicable: _w(
        "事项 {scenario_id} 不存在，或用不到这份证照。",
        "Scenario {scenario_id} is unknown or does not take this certificate.",
    ),
    wallet.LifeOutOfRange: _w(
        "亮证码的有效时间为 15 秒至 5 分钟。", "A one-time code lives between 15 seconds and 5 minutes."
    ),
    wallet.MalformedCode: _w("这不是完整的亮证码。", "This is not a whole one-time code."),
    wallet.PresentationUnknown: _w(
        "没有这个亮证码，或它早已失效。", "There is no such one-time code, or it is long gone."
    ),
    wallet.PresentationAlreadyRead: _w(
        "这个亮证码已经用过，每个码只能读取一次。", "This one-time code was already read; each works once.", "read_at"
    ),
    wallet.PresentationExpired: _w("这个亮证码已过期。", "This one-time code has expired.", "expired_at"),
    wallet.PresentationCancelled: _w(
        "持证人已收回这个亮证码，或换了新码。", "The holder withdrew this code or shows a newer one."
    ),
    wallet.PresentationForOtherScenario: _w(
        "持证人同意出示给另一个事项。", "The holder agreed to show it for another scenario.", "shown_for"
    ),
    wallet.ReaderNotRegistered: _w(
        "本单位没有登记为用证单位，不能读取亮证码。", "Only a listed relying party may read one-time codes."
    ),
    wallet.ScenarioNotPermitted: _w(
        "本单位没有登记办理这个事项。", "This office is not registered for this scenario.", "scenario_id"
    ),
}
WORDS: Final[Mapping[type[BaseException], Words]] = {**SERVER, **KEYS, **REGISTRY, **VERIFIER, **WALLET}

PHRASES: Final = Phrasebook(
    # verifier
    ("exactly one of evidence and pdf is needed", "evidence 与 pdf 须且只须有一个"),
    ("not base64", "不是 base64"),
    ("not a receipt", "不是回执"),
    ("not a receipt of this relying party", "不是本单位的回执"),
    ("a receipt is of the present", "回执只能记录现在的核验"),
    ("a case file is of the present", "核验卷宗只能记录现在的核验"),
    ("this is a case file already", "这已经是核验卷宗"),
    ("not a scenario of region {}", "不是地区 {} 的事项"),
    ("this relying party is not registered for it", "本用证单位没有登记办理这个事项"),
    ("no scenario of this id is listed", "名录里没有这个事项"),
    # the identity provider
    ("this sign-in is unknown, over, or was used", "这次登录不存在、已结束或已用过"),
    ("this sign-in was begun in another browser", "这次登录是在另一个浏览器里开始的"),
    ("the answer comes from another provider", "应答来自另一个身份提供方"),
    ("the provider gave no code", "身份提供方没有给出授权码"),
    ("the provider's answer is too large", "身份提供方的应答过大"),
    ("the provider can't be reached", "连不上身份提供方"),
    ("the provider's answer is malformed", "身份提供方的应答格式不对"),
    ("the provider's metadata is not that of the configured issuer", "身份提供方的元数据与设置不符"),
    ("the provider's keys are malformed", "身份提供方的密钥格式不对"),
    ("the provider refused the code", "身份提供方没有接受授权码"),
    ("the provider gave no id token", "身份提供方没有给出身份令牌"),
    ("the id token does not verify", "身份令牌未通过验证"),
    ("the id token's signature does not verify", "身份令牌的签名未通过验证"),
    ("the provider gives this person no role here", "身份提供方没有给这个人本系统的角色"),
    ("this account is closed", "账户已停用"),
    *IDENTIFIER_PHRASES,
)
