"""`yinxin issue`: seal certificates as an office, one or many; change their status; take renderings out.

Works on the data folder of a server, running or not. Identity numbers come from files or prompts, never from the
command line, where other users of the machine could read them.
"""

from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Callable
from datetime import datetime
from enum import Enum
from functools import wraps
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ParamSpec

import typer

from server.cli.settings import ConfigOption

if TYPE_CHECKING:
    from issuer.model import BulkResult, CertificateSummary, IssueRequest
    from issuer.service import IssuerService
    from trust_registry.edges import AccountId
    from trust_registry.model import CertificateType

P = ParamSpec("P")

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Seal certificates as an office, one or many; revoke them; take them out as files.",
    epilog=(
        "One:  one request.json --data DIR    Many:  template TYPE > rows.csv, fill it, bulk rows.csv --type T --seal S"
        "    Revoke:  revoke NUMBER --reason obtained_by_fraud    Take out:  export NUMBER --form pdf --out file.pdf"
    ),
)

DataOption = Annotated[Path | None, typer.Option(help="Data folder of the server.", show_default=False)]
TypeOption = Annotated[str, typer.Option("--type", help="Certificate type, e.g. common/marriage-certificate.")]
SealOption = Annotated[str, typer.Option("--seal", help="Seal to use: ISSUER/14 digits, as `seals` lists it.")]
NumberArgument = Annotated[str, typer.Argument(help="The certificate's identifier.", metavar="NUMBER")]
AtOption = Annotated[
    str | None,
    typer.Option("--at", help="When it takes effect: ISO 8601 with offset; now if absent.", show_default=False),
]
FileArgument = Annotated[Path, typer.Argument(help="The file to read; - for standard input.", metavar="FILE|-")]


class Form(Enum):
    PDF = "pdf"
    SD_JWT_VC = "sd_jwt_vc"
    QR = "qr"
    MDOC = "mdoc"


class Reason(Enum):
    """The same words as in the JSON interface."""

    CORRECTION = "correction"
    HOLDER_REQUEST = "holder_request"
    SUPERSEDED = "superseded"
    OBTAINED_BY_FRAUD = "obtained_by_fraud"
    UNDER_REVIEW = "under_review"
    REVIEW_ENDED = "review_ended"
    ENTITLEMENT_ENDED = "entitlement_ended"
    ISSUED_IN_ERROR = "issued_in_error"


ReasonOption = Annotated[Reason, typer.Option(help="Why; holders and verifiers may read it.")]


def _refusals(command: Callable[P, None]) -> Callable[P, None]:
    """Say what was refused in one line and exit 1; a bug still shows its trace."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        from issuer.errors import IssuerError
        from keys.errors import KeysError
        from trust_registry.errors import TrustRegistryError

        try:
            command(*args, **kwargs)
        except (IssuerError, KeysError, TrustRegistryError, OSError) as err:
            sys.stderr.write(f"yinxin: {err or type(err).__name__}\n")
            raise typer.Exit(1) from err

    return run


@app.command()
@_refusals
def one(  # noqa: PLR0917  (typer makes options of them)
    file: FileArgument,
    seal: Annotated[str, typer.Option("--seal", help="Seal to use, if the file names none.", show_default=False)] = "",
    type: Annotated[str, typer.Option("--type", help="Type, if the file holds claims only.", show_default=False)] = "",
    key: Annotated[str, typer.Option(help="Idempotency key; without it, the file's digest.", show_default=False)] = "",
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Issue one certificate from JSON, and print its identifier. The same file again prints the same identifier.

    The file is the body of POST /api/issuer/certificates, or only the claims, with --type and --seal.
    """
    content = _read(file)
    service = _service(config, data)
    given = _object(content)
    if "claims" not in given and not (type and seal):
        raise typer.BadParameter("the file holds claims only: say --type and --seal as well", param_hint="FILE")
    if "claims" not in given:
        given = {"type_id": type, "seal_id": seal, "claims": given, "holder": _holder_in(service, type, given)}
    request = _request({"seal_id": seal, **given}, key or f"file:{sha256(content).hexdigest()}")
    issued = service.issue(request)
    sys.stdout.write(f"{issued.summary.certificate_id}\n")
    if issued.replayed:
        sys.stderr.write("yinxin: issued before; nothing new was made\n")


@app.command()
@_refusals
def bulk(  # noqa: PLR0917
    file: FileArgument,
    type: TypeOption,
    seal: SealOption,
    report: Annotated[Path | None, typer.Option(help="Write the result here as JSON.", show_default=False)] = None,
    rejects: Annotated[
        Path | None, typer.Option(help="Write the rows not issued here, to be corrected and run.", show_default=False)
    ] = None,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Issue a certificate for every good row of a CSV file, and report the others by line (exit code 1).

    Columns are claims, by name or label (see `template`); UTF-8 or GB 18030. After an interruption run the same file
    again: what was issued is not issued twice. A changed file counts as a new one, so correct what --rejects wrote, not
    the file itself.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from issuer.bulk import BulkOrder, only_lines, read_rows
    from trust_registry.model import SealId

    content = _read(file)
    service = _service(config, data)
    order = BulkOrder(_type(service, type), SealId(seal), _account())
    total = sum(1 for _ in read_rows(content, order))
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("Sealing", total=total)
        result = service.issue_many(
            read_rows(content, order), lambda progress: bar.update(task, completed=progress.done)
        )
    _tell(result, report)
    if result.errors:
        if rejects is not None:
            rejects.write_bytes(only_lines(content, {error.line for error in result.errors}))
        raise typer.Exit(1)


@app.command()
@_refusals
def template(
    type: Annotated[str, typer.Argument(help="Certificate type.", metavar="TYPE")],
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Write an empty CSV file for a type to standard output, to be filled and given to `bulk`."""
    from issuer.bulk import template as empty

    sys.stdout.buffer.write(empty(_type(_service(config, data), type)))


@app.command()
@_refusals
def revoke(
    number: NumberArgument,
    reason: ReasonOption,
    at: AtOption = None,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Revoke a certificate for ever, in every rendering at once."""
    _change(_service(config, data), number, "INVALID", reason, at)


@app.command()
@_refusals
def suspend(
    number: NumberArgument,
    reason: ReasonOption = Reason.UNDER_REVIEW,
    at: AtOption = None,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Suspend a certificate, until it is reinstated or revoked."""
    _change(_service(config, data), number, "SUSPENDED", reason, at)


@app.command()
@_refusals
def reinstate(
    number: NumberArgument,
    reason: ReasonOption = Reason.REVIEW_ENDED,
    at: AtOption = None,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """End the suspension of a certificate."""
    _change(_service(config, data), number, "VALID", reason, at)


@app.command("list")
@_refusals
def list_(
    office: Annotated[
        str, typer.Option(help="Only this issuer's, e.g. 990100/civil-affairs.", show_default=False)
    ] = "",
    type: Annotated[str, typer.Option("--type", help="Only of this type.", show_default=False)] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many, newest first.")] = 50,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """List certificates, newest first: identifier, type, masked holder, status."""
    from issuer.model import CertificateFilter
    from trust_registry.model import IssuerId, TypeId

    wanted = CertificateFilter(IssuerId(office) if office else None, TypeId(type) if type else None, limit=limit)
    _table(_service(config, data).certificates(wanted))


@app.command()
@_refusals
def seals(config: ConfigOption = None, data: DataOption = None) -> None:
    """List the seals in custody: what each may be used for, and until when."""
    for seal in _service(config, data).seals():
        scope = ", ".join(sorted(seal.scope))
        sys.stdout.write(f"{seal.id}  {seal.names.zh}  {scope}  until {seal.valid_until:%Y-%m-%d}\n")


@app.command()
@_refusals
def export(
    number: NumberArgument,
    form: Annotated[Form, typer.Option(help="Which rendering.")] = Form.PDF,
    out: Annotated[
        Path | None, typer.Option(help="File to write; standard output if absent.", show_default=False)
    ] = None,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Take a signed rendering out: PDF, SD-JWT VC, the text of the printed QR code, or mdoc (CBOR)."""
    from issuer.model import RenderingKind
    from trust_registry.attestations import CertificateId

    content = _service(config, data).rendering(CertificateId(number), RenderingKind(form.value))
    if out is None:
        sys.stdout.buffer.write(content)
    else:
        out.write_bytes(content)


@app.command()
@_refusals
def erase(config: ConfigOption = None, data: DataOption = None) -> None:
    """Erase a holder: destroy the key of all their data, for ever. Asks for the identity number.

    Certificate numbers and statuses stay; claims and renderings can't be read by anybody any more.
    """
    from issuer.core import holder_kind
    from issuer.errors import HolderNotFound
    from server.erasing import erase_holder

    service = _service(config, data)
    number = typer.prompt("Identity number or organisation code", hide_input=True)
    holder = service.find_holder(holder_kind(number), number)
    if holder is None:
        raise HolderNotFound("no such holder")
    typer.confirm("Destroy this holder's data for ever?", abort=True)
    erase_holder(service, holder)


def _service(config: Path | None, data: Path | None) -> IssuerService:
    from issuer.errors import TrustViewMissing
    from server.settings import load_settings
    from server.wiring import build_issuer, open_all

    if config is None and data is not None and (data / "yinxin.toml").is_file():
        config = data / "yinxin.toml"
    settings = load_settings(config, **({} if data is None else {"data": data}))
    if not settings.data.is_dir():
        raise typer.BadParameter(f"{settings.data} is not there; name a server's data folder with --data or --config")
    opened = open_all(settings)
    opened.keeper.refresh()
    service = build_issuer(opened)
    try:
        service.trust()
    except TrustViewMissing as err:
        raise TrustViewMissing(f"no trust data in {settings.path(settings.trust_dir)}") from err
    return service


def _account() -> AccountId:
    from trust_registry.edges import AccountId

    return AccountId(f"cli:{getpass.getuser()}")


def _read(file: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as err:
        raise typer.BadParameter(f"{file}: {err.strerror}", param_hint="FILE") from err


def _object(content: bytes) -> dict[str, Any]:
    try:
        given = json.loads(content)
    except ValueError as err:
        raise typer.BadParameter("the file is not JSON") from err
    if not isinstance(given, dict):
        raise typer.BadParameter("the file must hold a JSON object")
    return given


def _request(given: dict[str, Any], key: str) -> IssueRequest:
    from pydantic import ValidationError

    from issuer.wire import IssueBody

    try:
        return IssueBody.model_validate(given).to_model(account=_account(), issuer_id=None, key=key)
    except ValidationError as err:
        problems = (f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in err.errors(include_input=False))
        raise typer.BadParameter("; ".join(problems)) from None


def _holder_in(service: IssuerService, type_id: str, claims: dict[str, Any]) -> dict[str, str]:
    """The holder whom the claims identify."""
    from issuer.core import holder_kind

    definitions = _type(service, type_id).claims
    number = next((str(claims[c.name]) for c in definitions if c.holder_identifier and c.name in claims), "")
    name = next((str(claims[c.name]) for c in definitions if c.holder_name and c.name in claims), "")
    return {"kind": holder_kind(number).name.lower(), "number": number, "name": name}


def _type(service: IssuerService, type_id: str) -> CertificateType:
    from issuer.errors import TypeUnknown
    from trust_registry.model import TypeId

    found = service.trust().types.get(TypeId(type_id))
    if found is None:
        raise TypeUnknown(type_id)
    return found


def _change(service: IssuerService, number: str, status: str, reason: Reason, at: str | None) -> None:
    from issuer.model import StatusChangeRequest
    from server.clock import utc_now
    from trust_registry.attestations import CertificateId
    from trust_registry.model import CertificateStatus, StatusReason

    try:
        effective_at = utc_now() if at is None else datetime.fromisoformat(at)
    except ValueError as err:
        raise typer.BadParameter("--at is not ISO 8601") from err
    if effective_at.tzinfo is None:
        raise typer.BadParameter("--at needs an offset, e.g. 2026-12-01T09:00:00+08:00")
    change = StatusChangeRequest(
        CertificateId(number), CertificateStatus[status], StatusReason(reason.value), effective_at, _account()
    )
    summary = service.change_status(change)
    sys.stdout.write(f"{summary.certificate_id}  {summary.status.name.lower()}\n")


def _tell(result: BulkResult, report: Path | None) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(stderr=True)
    console.print(f"{result.issued} issued, {result.replayed} were there already, {len(result.errors)} not issued")
    if result.errors:
        table = Table("Line", "Column", "Problem")
        for error in result.errors:
            table.add_row(str(error.line), error.column or "", error.words.en)
        console.print(table)
    if report is not None:
        from issuer.wire import BulkResultBody

        report.write_text(BulkResultBody.from_model(result, "en").model_dump_json(indent=1) + "\n", encoding="utf-8")


def _table(certificates: tuple[CertificateSummary, ...]) -> None:
    for c in certificates:
        state = c.status.name.lower() if c.state.value == "published" else c.state.value
        sys.stdout.write(f"{c.certificate_id}  {c.type_id}  {c.holder_masked}  {c.issued_at:%Y-%m-%d}  {state}\n")
