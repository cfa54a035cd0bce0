"""`yinxin verify`: judge certificates from files, folders, photos or standard input, offline with a local trust copy.

Judges by `verifier`, words by `verifier.messages`; here are only arguments, reading and printing.
"""

from __future__ import annotations

import sys
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from server.cli.verify_output import Format, Output
from server.cli.verify_proofs import proofs_from_files, tell_unused

if TYPE_CHECKING:
    from keys.x509 import Certificate
    from verifier.model import Report
    from verifier.service import PolicyRequest, VerifierService

app = typer.Typer(add_completion=False)

EXIT_PASSED, EXIT_FAILED, EXIT_INDETERMINATE = 0, 1, 2
STDIN = "-"


class Language(Enum):
    ZH = "zh"
    EN = "en"


class RevocationNeed(Enum):
    """`verifier.model.RevocationRule` by the names that people type."""

    WHERE_PUBLISHED = "where-published"  # of certificates that say where to ask
    REQUIRED = "required"  # of every certificate
    IF_AT_HAND = "if-at-hand"  # nothing is missed


@app.command(
    epilog="Exit codes: 0 PASSED, 1 FAILED, 2 INDETERMINATE, 64 wrong usage; of several files the worst.",
)
def verify(  # noqa: PLR0917 - typer reads options from parameters
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE|FOLDER|-...",
            help="Sealed PDFs, SD-JWT VCs, QR codes (text or photo), receipts, case files; a folder; or -.",
        ),
    ],
    trust: Annotated[
        str | None,
        typer.Option(
            metavar="DIR|URL",
            envvar="YINXIN_TRUST",
            help="Trust data: a local copy (nothing is fetched), or a repository's URL. Default: the settings' copy.",
        ),
    ] = None,
    root: Annotated[
        Path | None, typer.Option(help="First root metadata, to begin a copy of --trust URL or to open a --kit.")
    ] = None,
    kit: Annotated[Path | None, typer.Option(metavar="FILE", help="Trust and status data from an offline kit.")] = None,
    anchor: Annotated[
        list[Path] | None, typer.Option(help="PEM certificate to trust for evidence from outside the network.")
    ] = None,
    revocation: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="CRL or OCSP response (DER or PEM) for signers from outside the network."),
    ] = None,
    revocation_rule: Annotated[
        RevocationNeed, typer.Option(help="What must be known of revocation, of signers from outside the network.")
    ] = RevocationNeed.WHERE_PUBLISHED,
    proof: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Receipt or case file that proves since when the evidence exists."),
    ] = None,
    accepting: Annotated[str | None, typer.Option(metavar="REGION", help="Region that is to accept it.")] = None,
    scenario: Annotated[str | None, typer.Option(metavar="ID", help="Service item that it is shown for.")] = None,
    at: Annotated[str | None, typer.Option(metavar="TIME", help="Judge as of this time (ISO 8601), not now.")] = None,
    form: Annotated[
        Format,
        typer.Option(
            "--format", help="Words; JSON (one line per file if several); etsi: JSON as TS 119 102-2 has it; pdf."
        ),
    ] = Format.TEXT,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Where to write one JSON or PDF report.")] = None,
    claims: Annotated[
        bool,
        typer.Option("--claims", help="With what the certificate says, in JSON and PDF. Otherwise nothing personal."),
    ] = False,
    lang: Annotated[Language, typer.Option(envvar="YINXIN_LANG", help="Language of the words.")] = Language.ZH,
) -> int:
    """Judge certificates: is it genuine, does it still stand, is it recognised here - and what to do next.

    Examples:
      yinxin verify certificate.pdf --trust ./trust --accepting 990200
      yinxin verify photo-of-a-code.jpg --scenario 990200/household-transfer --lang en
      yinxin verify code.txt --kit counter.kit --root 1.root.json --accepting 990200
      yinxin verify certificate.pdf --format pdf --out report.pdf
      yinxin verify contract.pdf --anchor ca.pem --revocation ca.crl --revocation-rule required
      yinxin verify certificate.pdf --trust ./trust --proof receipt.txt
      cat code.txt | yinxin verify - --format etsi
    """
    from server.cli.verify_data import data_from
    from server.clock import utc_now
    from trust_registry.model import RegionCode, ScenarioId
    from verifier.errors import InvalidRequest
    from verifier.model import RevocationRule
    from verifier.service import PolicyRequest, VerifierService

    sources = list(_sources(files))
    request = PolicyRequest(
        None if accepting is None else RegionCode(accepting),
        None if scenario is None else ScenarioId(scenario),
        None if at is None else _moment(at),
        tuple(_anchors(anchor or ())),
        revocation=tuple(_revocation(revocation or ())),
        revocation_rule=RevocationRule[revocation_rule.name],
    )
    data = data_from(trust, root, kit)
    output = Output(form, lang.value, data, several=len(sources) > 1, out=out, claims=claims)
    service = VerifierService(
        trust=data.trust,
        statuses=data.statuses,
        ensure_status=data.ensure_status,
        status_then=data.status_then,
        now=utc_now,
        known_roots=data.roots,
    )
    try:
        request = replace(request, proofs=proofs_from_files(proof or (), service, request))
        return _judge_all(sources, service, request, output)
    except InvalidRequest as err:
        raise typer.BadParameter(err.message, param_hint=f"--{err.field}") from err


def _judge_all(sources: list[_Source], service: VerifierService, request: PolicyRequest, output: Output) -> int:
    worst, judged = EXIT_PASSED, set()
    for source in output.progress(sources):
        report = service.verify(source.read(), request)
        output.show(source.name, report)
        worst = _worse(worst, exit_code(report))
        judged.add(report.evidence_digest)
    tell_unused(request.proofs, judged)
    return worst


def exit_code(report: Report) -> int:
    """What a script reads."""
    from verifier.model import Indication

    codes = {Indication.PASSED: EXIT_PASSED, Indication.FAILED: EXIT_FAILED}
    return codes.get(report.indication, EXIT_INDETERMINATE)


def _worse(one: int, other: int) -> int:
    """FAILED is worse than INDETERMINATE, whatever their numbers."""
    return max(one, other, key=(EXIT_PASSED, EXIT_INDETERMINATE, EXIT_FAILED).index)


# --- reading


@dataclass(frozen=True, slots=True)
class _Source:
    name: str
    read: Callable[[], bytes | str]


def _sources(names: Iterable[str]) -> Iterator[_Source]:
    from keys.envelopes.hcert import PREFIX as HEALTH_PREFIX
    from verifier.evidence import QR_PREFIX

    for name in names:
        path = Path(name)
        if name == STDIN:
            yield _Source("-", lambda: _with_photos(_bounded(sys.stdin.buffer.read)))
        elif name.startswith((QR_PREFIX, HEALTH_PREFIX)):
            yield _Source("QR", lambda name=name: name)  # type: ignore[misc]
        elif _is_folder(path):
            found = sorted(each for each in path.rglob("*") if each.is_file() and not each.name.startswith("."))
            if not found:
                raise typer.BadParameter(f"no files in {name}", param_hint="FILE")
            yield from (_file(each) for each in found)
        elif path.is_file():
            yield _file(path)
        else:
            raise typer.BadParameter(f"no such file: {name}", param_hint="FILE")


def _is_folder(path: Path) -> bool:
    """Raises: typer.BadParameter for what can't be the name of a file, such as a whole credential."""
    try:
        return path.is_dir()
    except (OSError, ValueError) as err:
        hint = "this is not the name of a file; hand text in on standard input, with -"
        raise typer.BadParameter(hint, param_hint="FILE") from err


def _file(path: Path) -> _Source:
    def read() -> bytes | str:
        try:
            with path.open("rb") as file:
                return _with_photos(_bounded(file.read))
        except OSError as err:
            raise typer.BadParameter(f"{path}: {err.strerror}", param_hint="FILE") from err

    return _Source(str(path), read)


def _bounded(read: Callable[[int], bytes]) -> bytes:
    """One byte more than can be judged is enough to say that it is too large."""
    from verifier.archives.reading import MAX_CASE

    return read(MAX_CASE + 1)


def _with_photos(data: bytes) -> bytes | str:
    """The text of the code in a photo; anything else as it is."""
    from verifier.photos import is_photo

    if not is_photo(data):
        return data
    from verifier.photos import read_code

    return read_code(data) or data


def _moment(text: str, hint: str = "--at") -> datetime:
    from trust_registry.instants import FIRST, LAST, in_calendar

    try:
        moment = datetime.fromisoformat(text)
    except ValueError as err:
        raise typer.BadParameter("not an ISO 8601 time, such as 2026-11-21T10:30+08:00", param_hint=hint) from err
    if in_calendar(moment if moment.tzinfo else moment.replace(tzinfo=UTC)):
        return moment.astimezone() if moment.tzinfo is None else moment
    raise typer.BadParameter(f"a year from {FIRST.year} to {LAST.year - 1} is needed", param_hint=hint)


def _anchors(paths: Iterable[Path]) -> Iterator[Certificate]:
    from keys.errors import MalformedCertificate
    from keys.x509 import parse_certificate, parse_pem_certificates

    for path in paths:
        try:
            data = path.read_bytes()
            yield from parse_pem_certificates(data) if b"-----BEGIN" in data else (parse_certificate(data),)
        except OSError as err:
            raise typer.BadParameter(f"{path}: {err.strerror}", param_hint="--anchor") from err
        except MalformedCertificate as err:
            raise typer.BadParameter(f"{path}: {err}", param_hint="--anchor") from err


def _revocation(paths: Iterable[Path]) -> Iterator[bytes]:
    """CRLs and OCSP responses as DER. A file that is neither is named: passed over, it would seem to have counted."""
    from keys.errors import MalformedRevocation
    from keys.revocation import parse_crl, parse_ocsp_response

    for path in paths:
        try:
            data = path.read_bytes()
            der = _from_pem(data.lstrip()) if data.lstrip().startswith(b"-----BEGIN") else data
        except (OSError, ValueError) as err:
            raise typer.BadParameter(f"{path}: {err}", param_hint="--revocation") from err
        try:
            parse_crl(der)
        except MalformedRevocation:
            try:
                parse_ocsp_response(der)
            except MalformedRevocation as err:
                raise typer.BadParameter(
                    f"{path}: neither a CRL nor an OCSP response", param_hint="--revocation"
                ) from err
        yield der


def _from_pem(data: bytes) -> bytes:
    """The first block of a PEM file. Raises: ValueError."""
    body = data.partition(b"\n")[2].partition(b"-----END")[0]
    return b64decode(b"".join(body.split()), validate=True)
