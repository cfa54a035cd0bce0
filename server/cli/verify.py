"""`yinxin verify`: judge certificates from files, folders, photos or standard input, offline with a local trust copy.

Judges by `verifier`, words by `verifier.messages`; here are only arguments, reading and printing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from keys.x509 import Certificate
    from trust_registry.model import StatusView, TrustView
    from verifier.model import Report
    from verifier.service import PolicyRequest, VerifierService

app = typer.Typer(add_completion=False)

EXIT_PASSED, EXIT_FAILED, EXIT_INDETERMINATE = 0, 1, 2
STDIN = "-"


class Format(Enum):
    TEXT = "text"
    JSON = "json"


class Language(Enum):
    ZH = "zh"
    EN = "en"


@app.command(
    epilog="Exit codes: 0 PASSED, 1 FAILED, 2 INDETERMINATE, 64 wrong usage; of several files the worst.",
)
def verify(  # noqa: PLR0917 - typer reads options from parameters
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE|FOLDER|-...",
            help="Sealed PDFs, SD-JWT VCs, QR codes (text or photo), receipts; a folder; or - for standard input.",
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
        Path | None, typer.Option(help="First root metadata of a repository, to begin a copy of --trust URL.")
    ] = None,
    anchor: Annotated[
        list[Path] | None, typer.Option(help="PEM certificate to trust for evidence from outside the network.")
    ] = None,
    accepting: Annotated[str | None, typer.Option(metavar="REGION", help="Region that is to accept it.")] = None,
    scenario: Annotated[str | None, typer.Option(metavar="ID", help="Service item that it is shown for.")] = None,
    at: Annotated[str | None, typer.Option(metavar="TIME", help="Judge as of this time (ISO 8601), not now.")] = None,
    form: Annotated[Format, typer.Option("--format", help="Words, or JSON (one line per file if several).")] = (
        Format.TEXT
    ),
    lang: Annotated[Language, typer.Option(envvar="YINXIN_LANG", help="Language of the words.")] = Language.ZH,
) -> int:
    """Judge certificates: is it genuine, does it still stand, is it recognised here - and what to do next.

    Examples:
      yinxin verify certificate.pdf --trust ./trust --accepting 990200
      yinxin verify photo-of-a-code.jpg --scenario 990200/household-transfer --lang en
      cat code.txt | yinxin verify - --format json
    """
    from trust_registry.model import RegionCode, ScenarioId
    from verifier.errors import InvalidRequest
    from verifier.service import PolicyRequest

    sources = list(_sources(files))
    request = PolicyRequest(
        None if accepting is None else RegionCode(accepting),
        None if scenario is None else ScenarioId(scenario),
        None if at is None else _moment(at),
        tuple(_anchors(anchor or ())),
    )
    service = _service(trust, root)
    output = _Output(form, lang.value, several=len(sources) > 1)
    worst = EXIT_PASSED
    try:
        for source in output.progress(sources):
            worst = _worse(worst, _judge(source, service, request, output))
    except InvalidRequest as err:
        raise typer.BadParameter(err.message, param_hint=f"--{err.field}") from err
    return worst


def _judge(source: _Source, service: VerifierService, request: PolicyRequest, output: _Output) -> int:
    from verifier.model import Indication

    report = service.verify(source.read(), request)
    output.show(source.name, report)
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
        elif path.is_dir():
            found = sorted(each for each in path.rglob("*") if each.is_file() and not each.name.startswith("."))
            if not found:
                raise typer.BadParameter(f"no files in {name}", param_hint="FILE")
            yield from (_file(each) for each in found)
        elif path.is_file():
            yield _file(path)
        else:
            raise typer.BadParameter(f"no such file: {name}", param_hint="FILE")


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
    from verifier.evidence import MAX_PDF

    return read(MAX_PDF + 1)


def _with_photos(data: bytes) -> bytes | str:
    """The text of the code in a photo; anything else as it is."""
    from verifier.photos import is_photo

    if not is_photo(data):
        return data
    from verifier.photos import read_code

    return read_code(data) or data


def _moment(text: str) -> datetime:
    from trust_registry.instants import FIRST, LAST, in_calendar

    try:
        moment = datetime.fromisoformat(text)
    except ValueError as err:
        raise typer.BadParameter("not an ISO 8601 time, such as 2026-11-21T10:30+08:00", param_hint="--at") from err
    if in_calendar(moment if moment.tzinfo else moment.replace(tzinfo=UTC)):
        return moment.astimezone() if moment.tzinfo is None else moment
    raise typer.BadParameter(f"a year from {FIRST.year} to {LAST.year - 1} is needed", param_hint="--at")


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


# --- trust


def _service(trust: str | None, root: Path | None) -> VerifierService:
    from server.clock import utc_now
    from verifier.service import VerifierService

    if trust is not None and trust.startswith(("http://", "https://")):
        return _online(trust, root)
    view, statuses = _local_copy(trust)
    return VerifierService(trust=lambda: view, statuses=lambda: statuses, now=utc_now)


def _local_copy(trust: str | None) -> tuple[TrustView | None, StatusView]:
    """What a folder holds, verified again; nothing is fetched. Only the settings' own folder may be empty."""
    from server.clock import utc_now
    from trust_registry.client import TrustStore
    from trust_registry.errors import TrustDamaged, TrustMissing
    from trust_registry.model import StatusView
    from trust_registry.status_cache import StatusCache

    folder = _settings_copy() if trust is None else Path(trust)
    now = utc_now()
    try:
        view = TrustStore(folder).load(now)
    except TrustMissing as err:
        if trust is None:
            sys.stderr.write(f"yinxin: no trust data in {folder}: say where it is with --trust DIR\n")
            return None, StatusView({})
        raise typer.BadParameter(f"{folder}: {err}", param_hint="--trust") from err
    except TrustDamaged as err:
        raise typer.BadParameter(f"{folder}: {err}", param_hint="--trust") from err
    return view, StatusCache(folder / "status").load(view, now)


def _online(url: str, root: Path | None) -> VerifierService:
    """A copy of the repository at `url` in the settings' folder, refreshed; status lists are fetched as needed."""
    import httpx

    from server.clock import utc_now
    from trust_registry.client import TrustStore
    from trust_registry.errors import TrustDamaged
    from trust_registry.fetching import http_fetch
    from trust_registry.keeper import TrustKeeper
    from verifier.service import VerifierService

    store = TrustStore(_settings_copy())
    try:
        if root is not None:
            store.bootstrap(root.read_bytes(), url)
        if not store.bootstrapped:
            raise typer.BadParameter(
                "the first time, --root FILE is needed to know whom to trust", param_hint="--trust"
            )
        client = httpx.Client(timeout=10, follow_redirects=False)
        keeper = TrustKeeper(store, http_fetch(client, timer=monotonic), utc_now)
    except (TrustDamaged, OSError) as err:
        raise typer.BadParameter(str(err), param_hint="--trust") from err
    keeper.refresh()
    if keeper.health.failure is not None:
        sys.stderr.write(f"yinxin: trust data not refreshed ({keeper.health.failure})\n")
    return VerifierService(
        trust=lambda: keeper.view,
        statuses=lambda: keeper.statuses,
        ensure_status=keeper.ensure_status,
        now=utc_now,
    )


def _settings_copy() -> Path:
    from server.settings import load_settings

    settings = load_settings()
    return settings.path(settings.trust_dir)


# --- printing


class _Output:
    """Verdicts on standard output, progress on standard error."""

    def __init__(self, form: Format, lang: str, *, several: bool) -> None:
        self._form = form
        self._lang = lang
        self._several = several

    def progress(self, sources: list[_Source]) -> Iterable[_Source]:
        if not self._several or not sys.stderr.isatty():
            return sources
        from rich.console import Console
        from rich.progress import track

        label = "Verifying" if self._lang == "en" else "正在核验"
        return track(sources, description=label, console=Console(stderr=True), transient=True)

    def show(self, name: str, report: Report) -> None:
        if self._form is Format.JSON:
            self._show_json(name, report)
        else:
            from rich.console import Console

            _show_words(Console(highlight=False, soft_wrap=True), name, report, self._lang)

    def _show_json(self, name: str, report: Report) -> None:
        import json

        from verifier.wire import report_to_json

        document = {"file": name, **report_to_json(report, self._lang)}
        text = json.dumps(document, ensure_ascii=False, indent=None if self._several else 2)
        sys.stdout.write(text + "\n")


def _show_words(console: Console, name: str, report: Report, lang: str) -> None:
    """Words first; the standard's terms last and small."""
    from rich.text import Text

    from verifier import messages
    from verifier.model import Indication, Outcome

    style = {Indication.PASSED: "bold green", Indication.FAILED: "bold red"}.get(report.indication, "bold yellow")
    mark = f"{messages.SYMBOLS[report.indication]} {messages.headline(report, lang)}"
    console.print(Text.assemble((mark, style), "  ", (name, "dim")))
    console.print(Text(f"  {messages.summary(report, lang)}"))
    step = "Next: " if lang == "en" else "下一步："
    console.print(Text.assemble("  ", (step, "bold"), messages.next_step(report, lang)))
    for finding in report.findings:
        if finding.outcome is not Outcome.NOT_APPLICABLE:
            check = messages.CHECK_NAMES[finding.check].in_language(lang)
            symbol = messages.OUTCOME_SYMBOLS[finding.outcome]
            colon = ": " if lang == "en" else "："
            console.print(Text(f"    {symbol} {check}{colon}{messages.sentence(finding, lang)}"))
    if age := messages.data_age(report, lang):
        console.print(Text(f"  {age}"))
    terms = (
        report.indication.value
        if report.sub_indication is None
        else (f"{report.indication.value} / {report.sub_indication.value}")
    )
    console.print(Text(f"  {terms} (ETSI EN 319 102-1)", "dim"))
