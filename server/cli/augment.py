"""`yinxin augment`: keep a sealed PDF verifiable - time-stamp, validation data, archive time-stamp, and their renewal.

What is added and what is refused is `keys.envelopes.pades.augmenting`; here are only arguments, files and words.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Final

import typer

from server.cli.settings import ConfigOption
from server.cli.verify import Language

if TYPE_CHECKING:
    from keys.envelopes.pades.augmenting import Augmented, Material, RevocationSource
    from keys.timestamps import Timestamper
    from keys.x509 import Certificate
    from server.settings import Settings
    from trust_registry.model import TrustView

app = typer.Typer(add_completion=False)

_EARLY: Final = timedelta(days=90)  # an archive time-stamp that ends sooner is renewed
_MOST: Final = 33 << 20


class To(Enum):
    B_T = "B-T"
    B_LT = "B-LT"
    B_LTA = "B-LTA"


_WHY: Final = {
    "unsigned": ("文件没有签章。", "the file carries no signature."),
    "altered": (
        "签章不完整，或签章之后文件被改动过。不为这样的文件补充任何数据；请先用 yinxin verify 核验。",
        "the signature is not whole, or the file was changed after it. Nothing is added to such a file: look at it "
        "with yinxin verify.",
    ),
    "not_baseline": (
        "签名缺少签名者证书或其摘要属性，不是 PAdES 基线签名。",
        "the signature does not carry its signer's certificate as PAdES baseline signatures do.",
    ),
    "weak": ("签名算法已不再可信。", "the signature's algorithm is no longer relied on."),
    "no_timestamper": (
        "需要时间戳：请用 --tsa 指定时间戳服务地址。",
        "a time-stamp is needed: name an authority with --tsa URL.",
    ),
    "no_chain": (
        "找不到通往信任锚的证书链：请用 --trust 指定信任数据，或用 --anchor 指定根证书。",
        "no chain to a trust anchor: give trust data with --trust DIR, or its root certificate with --anchor FILE.",
    ),
    "no_revocation": (
        "没有可用的撤销数据（CRL 或 OCSP）：请用 --revocation 提供，或在联网时重试。",
        "no revocation data (CRL, OCSP) that says how it stands: give it with --revocation FILE, or try again online.",
    ),
    "revoked": ("证书在签章之前已被撤销。", "the certificate was revoked before the signature was made."),
    "on_hold": ("证书被暂停，暂不能补充；请稍后再试。", "the certificate is on hold: try again later."),
}


@app.command(epilog="Exit codes: 0 done or nothing to do, 1 refused, 64 wrong usage.")
def augment(  # noqa: PLR0917 - typer reads options from parameters
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A sealed PDF.")],
    to: Annotated[To, typer.Option(help="The level to reach.")] = To.B_LTA,
    tsa: Annotated[
        str | None, typer.Option(metavar="URL", help="Time-stamping authority (RFC 3161). Default: the settings'.")
    ] = None,
    revocation: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="CRL or OCSP response (DER or PEM); nothing is fetched then."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Where to write it. Default: in the place of FILE.")] = None,
    trust: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Copy of the trust data. Default: the settings' copy.")
    ] = None,
    anchor: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="PEM certificate at which chains may end, too.")
    ] = None,
    renew: Annotated[
        bool, typer.Option("--renew", help="Renew the archive time-stamp though it is not due yet.")
    ] = False,
    private_addresses: Annotated[
        bool, typer.Option("--private-addresses", help="Also ask responders on this machine and in private networks.")
    ] = False,
    lang: Annotated[Language, typer.Option(envvar="YINXIN_LANG", help="Language of the words.")] = Language.ZH,
    config: ConfigOption = None,
) -> None:
    """Keep a sealed PDF verifiable for years: add proof of time (B-T), the certificates and revocation data that
    verifying needs (B-LT), and an archive time-stamp over all of it (B-LTA), renewed when it is due.

    Bytes that are there stay as they are. A file that was altered is refused. What has the level is left alone.

    Examples:
      yinxin augment certificate.pdf --trust ./trust
      yinxin augment contract.pdf --to B-LT --anchor root.pem --revocation ca.crl --out contract-lt.pdf
      yinxin augment archive.pdf --renew --tsa https://tsa.example/
    """
    from keys.envelopes.pades.augmenting import augment_pdf
    from keys.envelopes.pades.levels import Level
    from keys.errors import CannotAugment, MalformedEnvelope, TimestampUnavailable
    from server.clock import utc_now

    settings, now = _settings(config), utc_now()
    data = _read(file)
    view = _view(trust, settings, now)
    private = private_addresses or settings.revocation_private_addresses
    material = _material(view, anchor or (), revocation or (), private=private, lang=lang)
    goal = Level(to.value)
    try:
        made = augment_pdf(
            data,
            to=goal,
            timestamper=_timestamper(tsa, settings, view),
            material=material,
            now=now,
            renew=goal is Level.B_LTA and (renew or _due(data, now)),
        )
    except (CannotAugment, MalformedEnvelope, TimestampUnavailable) as err:
        sys.stderr.write(f"{file}: {_refusal(err, lang)}\n")
        raise typer.Exit(1) from err
    if made.data != data or out is not None:
        _write(out or file, made.data)
    sys.stdout.write(f"{out or file}: {_done(made, lang)}\n")


def _done(made: Augmented, lang: Language) -> str:
    zh = lang is Language.ZH
    level, before = made.level.value, made.before.value
    if not (made.timestamps or made.validation_data):
        return f"已达到 {level}，无需补充。" if zh else f"is at {level} already: nothing to add."
    added_zh, added = [], []
    if made.validation_data:
        added_zh.append(f"验证数据 {made.validation_data} 项")
        added.append(f"{made.validation_data} pieces of validation data")
    if made.timestamps:
        added_zh.append(f"文档时间戳 {made.timestamps} 个")
        added.append(f"{made.timestamps} document time-stamp{'s' * (made.timestamps > 1)}")
    if zh:
        return f"{before} → {level}，补充了{'、'.join(added_zh)}。"
    return f"{before} -> {level}, added {' and '.join(added)}."


def _refusal(err: Exception, lang: Language) -> str:
    from keys.errors import CannotAugment, EncryptedPdf, TimestampUnavailable

    zh = lang is Language.ZH
    if isinstance(err, CannotAugment):
        about = f"{err.about}: " if err.about else ""
        return about + _WHY[err.why][0 if zh else 1]
    if isinstance(err, TimestampUnavailable):
        return f"没有得到时间戳，文件未改动（{err}）。" if zh else f"no time-stamp; the file was left alone ({err})."
    if isinstance(err, EncryptedPdf):
        return (
            "PDF 已加密，无法补充；请用未加密的原始文件。"
            if zh
            else "this PDF is encrypted: take the file without encryption."
        )
    return "不是可读取的 PDF 文件。" if zh else "this is not a PDF that can be read."


def _due(data: bytes, now: datetime) -> bool:
    """Whether an archive time-stamp is there and ends soon. What can't be read is refused elsewhere."""
    from keys.envelopes.pades import parse_signed_pdf
    from keys.envelopes.pades.augmenting import renewal_due
    from keys.errors import MalformedEnvelope

    try:
        due = renewal_due(parse_signed_pdf(data))
    except MalformedEnvelope:
        return False
    return due is not None and due - _EARLY <= now


# --- what it takes


def _material(
    view: TrustView | None, anchors: Iterable[Path], revocation: Iterable[Path], *, private: bool, lang: Language
) -> Material:
    from keys.envelopes.pades.augmenting import Material
    from keys.x509 import parse_certificate
    from trust_registry.model import KeyUse

    lists = () if view is None else view.lists.values()
    listed = [e.certificate for each in lists for e in each.authorities if e.use is KeyUse.CA]
    found = dict.fromkeys(
        [*(parse_certificate(der) for der in listed), *(c for path in anchors for c in _anchors(path))]
    )
    return Material(tuple(found), _source(list(revocation), private=private, lang=lang))


def _anchors(path: Path) -> Iterable[Certificate]:
    from keys.errors import MalformedCertificate
    from keys.x509 import parse_certificate, parse_pem_certificates

    data = _read(path, "--anchor")
    try:
        return parse_pem_certificates(data) if b"-----BEGIN" in data else (parse_certificate(data),)
    except MalformedCertificate as err:
        raise typer.BadParameter(f"{path}: {err}", param_hint="--anchor") from err


def _source(files: list[Path], *, private: bool, lang: Language) -> RevocationSource:
    """What the files hold; without any, what certificates point to."""
    if not files:
        from server.revocation_fetching import open_fetcher

        def tell(reason: str) -> None:
            missing = "未取得撤销数据" if lang is Language.ZH else "revocation data not fetched"
            hint = " (--private-addresses?)" if reason in ("a private address", "an unusual port") else ""
            sys.stderr.write(f"{missing}: {reason}{hint}\n")

        return open_fetcher(monotonic, private_addresses=private, tell=tell)
    pieces = [piece for file in files for piece in _pieces(file)]

    def given(certificate: Certificate, issuer: Certificate) -> Iterable[bytes]:
        del certificate, issuer
        return pieces

    return given


def _pieces(path: Path) -> Iterator[bytes]:
    import base64
    import re

    data = _read(path, "--revocation")
    blocks = re.findall(rb"-----BEGIN (?:X509 CRL|OCSP RESPONSE)-----([A-Za-z0-9+/=\s]*)-----END", data)
    try:
        yield from (base64.b64decode(b"".join(block.split()), validate=True) for block in blocks)
    except ValueError as err:
        raise typer.BadParameter(f"{path}: not PEM", param_hint="--revocation") from err
    if not blocks:
        yield data


def _timestamper(url: str | None, settings: Settings, view: TrustView | None) -> Timestamper | None:
    from server.clock import utc_now
    from server.custody import Signers
    from server.timestamping import make_timestamper

    if url is not None:
        if not url.startswith(("http://", "https://")):
            raise typer.BadParameter("must start with https:// or http://", param_hint="--tsa")
        settings = settings.model_copy(update={"timestamp_url": url})
    return make_timestamper(settings, Signers(settings), lambda: view, utc_now)


def _view(trust: Path | None, settings: Settings, now: datetime) -> TrustView | None:
    from trust_registry.client import TrustStore
    from trust_registry.errors import TrustDamaged, TrustMissing

    folder = trust or settings.path(settings.trust_dir)
    try:
        return TrustStore(folder).load(now)
    except TrustMissing as err:
        if trust is None:
            return None  # anchors may do
        raise typer.BadParameter(f"{folder}: {err}", param_hint="--trust") from err
    except TrustDamaged as err:
        raise typer.BadParameter(f"{folder}: {err}", param_hint="--trust") from err


def _settings(config: Path | None) -> Settings:
    from server.settings import load_settings

    return load_settings(config)


def _read(path: Path, hint: str = "FILE") -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_MOST)
    except OSError as err:
        raise typer.BadParameter(f"{path}: {err.strerror}", param_hint=hint) from err


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all, and as readable as it was."""
    from trust_registry.durable import write_durably

    mode = path.stat().st_mode & 0o777 if path.exists() else None
    try:
        write_durably(path, data)
        if mode is not None:
            path.chmod(mode)
    except OSError as err:
        raise typer.BadParameter(f"{path}: {err.strerror}", param_hint="--out") from err
