"""How `yinxin verify` tells a verdict: words on the terminal, JSON of both kinds, a PDF. Judges nothing."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from server.cli.verify_data import Data
    from verifier.model import Finding, Report, SignatureReport


Each = TypeVar("Each")


class Format(Enum):
    TEXT = "text"
    JSON = "json"
    ETSI = "etsi"
    PDF = "pdf"


class Output:
    """Verdicts on standard output or in a file, progress on standard error."""

    def __init__(self, form: Format, lang: str, data: Data, *, several: bool, out: Path | None, claims: bool) -> None:
        if form is Format.PDF and (out is None or several):
            raise typer.BadParameter(
                "a PDF is of one certificate: name its file with --out FILE", param_hint="--format"
            )
        if out is not None and (form is Format.TEXT or several):
            raise typer.BadParameter("only one JSON or PDF report is written to a file", param_hint="--out")
        self._form = form
        self._lang = lang
        self._data = data
        self._several = several
        self._out = out
        self._claims = claims

    def progress(self, sources: list[Each]) -> Iterable[Each]:
        if not self._several or not sys.stderr.isatty():
            return sources
        from rich.console import Console
        from rich.progress import track

        label = "Verifying" if self._lang == "en" else "正在核验"
        return track(sources, description=label, console=Console(stderr=True), transient=True)

    def show(self, name: str, report: Report) -> None:
        """Raises: typer.BadParameter when the file cannot be written."""
        if self._form is Format.TEXT:
            from rich.console import Console

            show_words(Console(highlight=False, soft_wrap=True), name, report, self._lang)
            return
        made = self._pdf(report) if self._form is Format.PDF else self._text(name, report).encode()
        if self._out is None:
            sys.stdout.write(made.decode() + "\n")
            return
        try:
            self._out.write_bytes(made)
        except OSError as err:
            raise typer.BadParameter(f"{self._out}: {err.strerror}", param_hint="--out") from err

    def _text(self, name: str, report: Report) -> str:
        indent = None if self._several else 2
        if self._form is Format.ETSI:
            from verifier.reports.etsi import validation_report

            return json.dumps(validation_report(report, self._data.trust()), ensure_ascii=False, indent=indent)
        from verifier.wire import report_to_json

        document = {"file": name, **report_to_json(report, self._lang, claims=self._claims)}
        return json.dumps(document, ensure_ascii=False, indent=indent)

    def _pdf(self, report: Report) -> bytes:
        from verifier.reports.making import report_pdf

        return report_pdf(report, self._data.trust(), self._data.statuses(), self._lang, claims=self._claims)


def show_words(console: Console, name: str, report: Report, lang: str) -> None:
    """Words first; the standard's terms last and small."""
    from rich.text import Text

    from verifier import messages

    mark = f"{messages.SYMBOLS[report.indication]} {messages.headline(report, lang)}"
    console.print(Text.assemble((mark, _style(report)), "  ", (name, "dim")))
    console.print(Text(f"  {messages.summary(report, lang)}"))
    step = "Next: " if lang == "en" else "下一步："
    console.print(Text.assemble("  ", (step, "bold"), messages.next_step(report, lang)))
    for finding in report.findings:
        _show_finding(console, finding, lang, "    ")
    if len(report.signatures) > 1 or any(each.changes for each in report.signatures):
        for number, signature in enumerate(report.signatures, 1):
            _show_signature(console, number, signature, lang)
    if age := messages.data_age(report, lang):
        console.print(Text(f"  {age}"))
    terms = [report.indication.value] + ([] if report.sub_indication is None else [report.sub_indication.value])
    console.print(Text(f"  {' / '.join(terms)} (ETSI EN 319 102-1)", "dim"))


def _show_finding(console: Console, finding: Finding, lang: str, indent: str) -> None:
    from rich.text import Text

    from verifier import messages
    from verifier.model import Outcome

    if finding.outcome is Outcome.NOT_APPLICABLE:
        return
    check = messages.CHECK_NAMES[finding.check].in_language(lang)
    symbol, colon = messages.OUTCOME_SYMBOLS[finding.outcome], ": " if lang == "en" else "："
    console.print(Text(f"{indent}{symbol} {check}{colon}{messages.sentence(finding, lang)}"))


def _show_signature(console: Console, number: int, signature: SignatureReport, lang: str) -> None:
    """Who, when, how far it is preserved, whether it holds, and what was done to the document after it."""
    from rich.text import Text

    from verifier import messages
    from verifier.model import Check

    certificate = signature.certificate
    who = signature.name if certificate is None else certificate.common_name or certificate.subject
    when = "" if signature.signed_at is None else messages.moment(signature.signed_at, lang)
    deciding = ("the verdict is this one's" if lang == "en" else "结论依此签名") if signature.deciding else ""
    mark = f"{messages.SYMBOLS[signature.indication]} {signature.indication.value}"
    label = f"Signature {number}: " if lang == "en" else f"签名 {number}："
    line = " · ".join(part for part in (mark, _plain(who), when, signature.level, deciding) if part)
    console.print(Text.assemble("  ", (label, "bold"), (line, _style(signature))))
    whole = [each for each in signature.findings if each.check is Check.INTEGRITY]
    told = signature.decisive or (whole[0] if whole else None)
    if told is not None:
        _show_finding(console, told, lang, "    ")
    for change in dict.fromkeys(messages.change(each, lang) for each in signature.changes):
        console.print(Text(f"    · {change}"))


def _plain(text: str) -> str:
    """A stranger's name, without what could move the cursor."""
    return "".join(char if char.isprintable() else "?" for char in text)[:120]


def _style(judged: Report | SignatureReport) -> str:
    from verifier.model import Indication

    return {Indication.PASSED: "bold green", Indication.FAILED: "bold red"}.get(judged.indication, "bold yellow")
