"""`yinxin archive`: case files - make, verify, renew, look into, take apart.

What a case file is and proves is `verifier.archives`; here are only arguments, files and printing. Case files hold
personal data: they are written for their owner alone.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from server.cli.settings import ConfigOption
from server.cli.verify import Language
from server.cli.verify_output import Format

if TYPE_CHECKING:
    from server.settings import Settings
    from trust_registry.client import TrustStore
    from trust_registry.model import RegionCode
    from verifier.archives import CaseFile, CaseMaker, CaseVerdict
    from verifier.model import Report
    from verifier.receipts import ReceiptKey
    from verifier.service import PolicyRequest

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Case files: evidence with its verdict and all that it rests on, verifiable for decades.",
)

PRIVATE: Final = 0o600
_EARLY: Final = timedelta(days=90)

CaseArgument = Annotated[Path, typer.Argument(metavar="FILE", help="A case file (.asice).")]
TrustOption = Annotated[
    Path | None, typer.Option("--trust", metavar="DIR", help="Copy of the trust data. Default: the settings' copy.")
]
TsaOption = Annotated[
    str | None, typer.Option("--tsa", metavar="URL", help="Time-stamping authority (RFC 3161). Default: the settings'.")
]
LangOption = Annotated[Language, typer.Option(envvar="YINXIN_LANG", help="Language of the words.")]
AnchorOption = Annotated[
    list[Path] | None, typer.Option(help="PEM certificate to trust for evidence or time-stamps that no region lists.")
]


@app.command(epilog="Exit codes: 0 made, whatever the verdict, 1 refused, 64 wrong usage.")
def make(  # noqa: PLR0917 - typer reads options from parameters
    file: Annotated[str, typer.Argument(metavar="FILE", help="What was handed in: PDF, SD-JWT VC, code or photo.")],
    out: Annotated[Path, typer.Option(help="Where to write the case file.")],
    accepting: Annotated[str | None, typer.Option(metavar="REGION", help="Region that is to accept it.")] = None,
    scenario: Annotated[str | None, typer.Option(metavar="ID", help="Service item that it is shown for.")] = None,
    signer: Annotated[
        str | None, typer.Option("--as", metavar="ID", help="Relying party that signs a receipt into it.")
    ] = None,
    key: Annotated[str | None, typer.Option(help="Key file or pkcs11: URI for --as, instead of the settings'.")] = None,
    passphrase_file: Annotated[Path | None, typer.Option(help="File with the passphrase of --key.")] = None,
    trust: TrustOption = None,
    anchor: AnchorOption = None,
    tsa: TsaOption = None,
    lang: LangOption = Language.ZH,
    config: ConfigOption = None,
) -> None:
    """Verify now, and put the evidence into one file with the verdict and all that the verdict rests on.

    The file holds personal data: it is written for you alone (mode 0600).

    Examples:
      yinxin archive make certificate.pdf --scenario 990200/household-transfer --out case.asice
      yinxin archive make code.txt --accepting 990200 --as 990200/government-hall --out case.asice
    """
    from server.cli import verify as asking
    from trust_registry.durable import write_durably
    from trust_registry.model import RegionCode, ScenarioId
    from verifier.errors import InvalidRequest
    from verifier.service import PolicyRequest

    settings = _settings(config)
    store = _store(trust, settings)
    (source,) = asking._sources([file])
    request = PolicyRequest(
        None if accepting is None else RegionCode(accepting),
        None if scenario is None else ScenarioId(scenario),
        None,
        tuple(asking._anchors(anchor or ())),
    )
    party = None if signer is None else (signer, _receipt_key(store, signer, key, passphrase_file, settings))
    try:
        report, case = _made(source.read(), request, store, _maker(store, tsa, settings), party=party, lang=lang)
    except InvalidRequest as err:
        raise typer.BadParameter(err.message, param_hint=f"--{err.field}") from err
    write_durably(out, case, PRIVATE)
    sys.stdout.write(f"{out}: {report.indication.value}, {_size(len(case))}\n")
    warning = "含个人信息，仅本人可读。" if lang is Language.ZH else "It holds personal data; only you can read it."
    sys.stderr.write(f"{warning}\n")


@app.command(epilog="Exit codes: 0 PASSED, 1 FAILED, 2 INDETERMINATE, 64 wrong usage.")
def verify(
    file: CaseArgument,
    *,
    trust: TrustOption = None,
    root: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The network's first root, if there is no copy of its data.")
    ] = None,
    anchor: AnchorOption = None,
    at: Annotated[str | None, typer.Option(metavar="TIME", help="Judge as of this time (ISO 8601), not now.")] = None,
    form: Annotated[Format, typer.Option("--format", help="Words, JSON, etsi (TS 119 102-2), or pdf.")] = Format.TEXT,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Where to write one JSON or PDF report.")] = None,
    lang: LangOption = Language.ZH,
) -> int:
    """Is the case file whole, since when is it proven, and does its evidence still give its verdict?

    No server is asked. Trust data of today, where there are any, tell of keys that were stolen since.

    Examples:
      yinxin archive verify case.asice
      yinxin archive verify case.asice --root 1.root.json --anchor tsa-authority.pem --lang en
    """
    from server.cli import verify as asking
    from server.cli.verify_data import Data, data_from
    from server.cli.verify_output import Output
    from server.clock import utc_now
    from trust_registry.model import StatusView
    from verifier.archives import is_case_file
    from verifier.service import PolicyRequest, VerifierService

    bare = trust is None and root is not None
    data = Data(lambda: None, lambda: StatusView({}), None, lambda: (_read(root),)) if bare and root else None
    data = data or data_from(None if trust is None else str(trust), root)
    roots = data.roots()
    service = VerifierService(trust=data.trust, statuses=data.statuses, now=utc_now, known_roots=lambda: roots)
    moment = None if at is None else asking._moment(at)
    case = _read(file)
    if not is_case_file(case):
        raise typer.BadParameter(f"{file}: not a case file; verify other things with: yinxin verify", param_hint="FILE")
    verdict = service.verify_case(case, PolicyRequest(at=moment, anchors=tuple(asking._anchors(anchor or ()))))
    Output(form, lang.value, data, several=False, out=out, claims=False).show(str(file), verdict.report)
    if form is Format.TEXT:
        sys.stdout.writelines(f"  {line}\n" for line in _history(verdict, lang))
    return asking.exit_code(verdict.report)


@app.command()
def show(file: CaseArgument, *, lang: LangOption = Language.ZH) -> None:
    """What is in a case file and until when it must be renewed. Nothing is judged: `verify` does that.

    Example: yinxin archive show case.asice
    """
    sys.stdout.writelines(f"{line}\n" for line in _described(_case(file), lang))


@app.command()
def extract(
    file: CaseArgument,
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="An empty or new folder.")],
) -> None:
    """Take a case file apart. The parts hold personal data: the folder is made for you alone.

    Example: yinxin archive extract case.asice --to ./case
    """
    from trust_registry.durable import write_durably

    case = _case(file)
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise typer.BadParameter(f"{to} is there already, and not an empty folder", param_hint="--to")
    to.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, content in case.container.files.items():  # plain relative names: whoever reads a case file sees to that
        (to / name).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_durably(to / name, content, PRIVATE)
    sys.stdout.write(f"{to}: {len(case.container.files)} files\n")
    for name in (*case.container.broken, *case.container.uncovered):
        sys.stderr.write(f"yinxin: not as it was filed: {name}\n")


@app.command(
    epilog="Exit codes: 0 all are good for longer, 1 some could not be renewed (each is named), 64 wrong usage."
)
def renew(  # noqa: PLR0917
    path: Annotated[Path, typer.Argument(metavar="FILE|FOLDER", help="Case files and B-LTA PDFs.")],
    tsa: TsaOption = None,
    before: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="Renew what would end before this day. Default: 90 days from now."),
    ] = None,
    trust: TrustOption = None,
    anchor: AnchorOption = None,
    revocation: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="CRL or OCSP response for PDFs; nothing is fetched then.")
    ] = None,
    lang: LangOption = Language.ZH,
    config: ConfigOption = None,
) -> None:
    """Stamp case files and archived PDFs once more, before the certificate or method of their newest time-stamp ends.

    Each file is replaced whole or not at all, and one that is not whole is never touched. Run it again after an
    interruption: what was renewed is not due any more.

    Examples:
      yinxin archive renew case.asice --tsa https://tsa.example/
      yinxin archive renew /srv/archive --tsa https://tsa.example/ --before 2030-01-01
    """
    from server.cli.archive_renewing import Renewing
    from server.cli.verify import _moment
    from server.clock import utc_now

    settings, now = _settings(config), utc_now()
    limit = now + _EARLY if before is None else _moment(before, "--before")
    kept = trust is not None or settings.path(settings.trust_dir).is_dir()
    store = _store(trust, settings) if kept else None
    work = Renewing(
        _maker(store, tsa, settings), store, limit, now, (tuple(anchor or ()), tuple(revocation or ())), lang
    )
    if not work.over(path):
        raise typer.Exit(1)


# --- making


def _made(
    data: bytes | str,
    request: PolicyRequest,
    store: TrustStore,
    maker: CaseMaker,
    *,
    party: tuple[str, ReceiptKey] | None,
    lang: Language,
) -> tuple[Report, bytes]:
    from server.clock import utc_now
    from trust_registry.model import RelyingPartyId
    from trust_registry.status_cache import StatusCache
    from verifier.receipts import make_receipt, sign_receipt
    from verifier.reports.making import report_pdf
    from verifier.service import VerifierService

    now = utc_now()
    view = store.load(now)
    statuses = StatusCache(store.folder / "status").load(view, now)
    report = VerifierService(trust=lambda: view, statuses=lambda: statuses, now=lambda: now).verify(data, request)
    receipt = None
    if party is not None:
        made = make_receipt(
            report,
            receipt_id=report.evidence_digest.removeprefix("sha256:")[:16] + f"-{int(now.timestamp())}",
            relying_party=RelyingPartyId(party[0]),
            issued_at=now,
            trust=view,
            statuses=statuses,
        )
        receipt = sign_receipt(made, party[1])
    printed = report_pdf(report, view, statuses, lang.value)
    return report, maker.make(data, report, view, receipt=receipt, report_pdf=printed)


def _maker(store: TrustStore | None, tsa: str | None, settings: Settings) -> CaseMaker:
    from server.cli.augment import _timestamper
    from server.clock import utc_now
    from trust_registry.bundle import make_bundle
    from verifier.archives import CaseMaker

    view = None if store is None else store.load(utc_now())
    timestamper = _timestamper(tsa, settings, view)
    if timestamper is None:
        raise typer.BadParameter("who stamps? Name an authority, or set one in the settings", param_hint="--tsa")

    def bundle(authorities: Collection[RegionCode] | None, statuses: Collection[str] | None) -> Mapping[str, bytes]:
        assert store is not None
        return make_bundle(store, utc_now(), authorities=authorities, statuses=statuses)

    return CaseMaker(bundle, timestamper, utc_now)


def _receipt_key(
    store: TrustStore, party: str, key: str | None, passphrase: Path | None, settings: Settings
) -> ReceiptKey:
    from server.cli.kit import _signing_key
    from server.clock import utc_now
    from trust_registry.model import RegionCode

    view, code = store.load(utc_now()), RegionCode(party.partition("/")[0])
    if code not in view.lists:
        raise typer.BadParameter(f"no region {code} in this copy", param_hint="--as")
    return _signing_key(view, code, party, key, passphrase, settings)


def _store(trust: Path | None, settings: Settings) -> TrustStore:
    from trust_registry.client import TrustStore

    store = TrustStore(trust or settings.path(settings.trust_dir))
    if not store.bootstrapped:
        raise typer.BadParameter(f"{store.folder}: no trust data here", param_hint="--trust")
    return store


def _settings(config: Path | None) -> Settings:
    from server.settings import load_settings

    return load_settings(config)


# --- reading and telling


def _case(file: Path) -> CaseFile:
    from verifier.archives import read_case_file
    from verifier.errors import MalformedEvidence

    try:
        return read_case_file(_read(file))
    except MalformedEvidence as err:
        raise typer.BadParameter(f"{file}: {err.detail or err.reason.value}", param_hint="FILE") from err


def _read(path: Path) -> bytes:
    from verifier.archives.reading import MAX_CASE

    try:
        with path.open("rb") as file:
            return file.read(MAX_CASE + 1)
    except OSError as err:
        raise typer.BadParameter(f"{path}: {err.strerror}", param_hint="FILE") from err


def _history(verdict: CaseVerdict, lang: Language) -> Iterator[str]:
    """The recorded verdict and the time-stamps, oldest first."""
    zh = lang is Language.ZH
    if verdict.recorded is not None:
        yield f"{'归档时的结论' if zh else 'Verdict on file'}: {verdict.recorded.value}"
    words = {"good": ("有效", "holds"), "unproven": ("已失效", "ended"), "refused": ("不可信", "not trusted")}
    for stamp in verdict.stamps:
        token = stamp.assertion.token
        if token is None:
            yield f"{stamp.assertion.token_name}: {'无法读取' if zh else 'cannot be read'}"
            continue
        who = token.certificate.common_name or token.certificate.subject
        how = words[stamp.standing.value][0 if zh else 1]
        yield f"{_day(stamp.made_at)} {_plain(who)}: {how} ({'至' if zh else 'until'} {_day(stamp.ends_at)})"


def _described(case: CaseFile, lang: Language) -> Iterator[str]:
    from verifier.archives import renewal_due

    zh = lang is Language.ZH
    container = case.container
    for name, content in container.files.items():
        mark = " !" if name in container.broken or name in container.uncovered else ""
        if not name.startswith(("trust/", "renewals/")) or mark:
            yield f"  {_size(len(content)):>10}  {name}{mark}"
    trust = [content for name, content in container.files.items() if name.startswith(("trust/", "renewals/"))]
    yield f"  {_size(sum(map(len, trust))):>10}  trust/ ({len(trust)})"
    yield f"{'核验时间' if zh else 'Verified'}: {_day(case.asked.judged_at)}"
    for assertion in container.assertions:
        token = assertion.token
        if token is not None:
            who = _plain(token.certificate.common_name or token.certificate.subject)
            yield f"{'时间戳' if zh else 'Time-stamp'}: {_day(token.generated_at)} {who}"
    due = renewal_due(container)
    if due is None:
        yield "内容不完整（见 ! 标记）。" if zh else "Not whole (see what is marked !)."
    else:
        yield f"{'须在此前更新' if zh else 'Renew before'}: {_day(due)}"


def _day(moment: datetime | None) -> str:
    return "?" if moment is None else f"{moment:%Y-%m-%d}"


def _size(size: int) -> str:
    return f"{size / 1024:.1f} KiB" if size < 1 << 20 else f"{size / (1 << 20):.1f} MiB"


def _plain(text: str) -> str:
    """A stranger's name, without what could move the cursor."""
    return "".join(char if char.isprintable() else "?" for char in text)[:120]
