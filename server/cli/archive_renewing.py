"""Renewing a folder of case files and archived PDFs: one after another, each whole or not at all. Prints as it goes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from keys.errors import CannotAugment, MalformedEnvelope, TimestampUnavailable
from server.cli.verify import Language
from trust_registry.durable import write_durably
from verifier.archives import CaseMaker, read_case_file, renewal_due
from verifier.archives.reading import MAX_CASE
from verifier.errors import MalformedEvidence

if TYPE_CHECKING:
    from trust_registry.client import TrustStore
    from trust_registry.model import TrustView

_SUFFIXES: Final = (".asice", ".sce", ".pdf")
_RENEWED, _NOT_DUE, _NOTHING, _FAILED = "renewed", "not due", "nothing to renew", "not renewed"
_NOT_WHOLE: Final = "not whole: left alone"
_WORDS: Final = {
    _RENEWED: "已更新",
    _NOT_DUE: "未到期",
    _NOTHING: "没有可更新的时间戳",
    _FAILED: "未更新",
}


@dataclass(frozen=True, slots=True)
class Renewing:
    """`limit`: what ends before it is due; `now`: what ended before it was missed. Times are UTC."""

    maker: CaseMaker
    store: TrustStore | None
    limit: datetime
    now: datetime
    material: tuple[tuple[Path, ...], tuple[Path, ...]]  # for PDFs: anchors, revocation data
    lang: Language

    def over(self, path: Path) -> bool:
        """Renew the file, or every case file and PDF below the folder; whether all are good for longer.

        Raises: typer.BadParameter where there is nothing.
        """
        paths = sorted(_below(path))
        if not paths:
            raise typer.BadParameter(f"no case files or PDFs in {path}", param_hint="FILE|FOLDER")
        counts = dict.fromkeys(_WORDS, 0)
        for number, each in enumerate(paths, 1):
            outcome, detail = self._one(each)
            counts[outcome] += 1
            if outcome is not _NOTHING or len(paths) == 1:
                self._tell(f"[{number}/{len(paths)}] {each}", outcome, detail)
        zh = self.lang is Language.ZH
        words = (f"{_WORDS[name] if zh else name}: {count}" for name, count in counts.items() if count)
        sys.stdout.write(("；" if zh else "; ").join(words) + "\n")
        return counts[_FAILED] == 0

    def _tell(self, what: str, outcome: str, detail: str) -> None:
        word = _WORDS[outcome] if self.lang is Language.ZH else outcome
        stream = sys.stderr if outcome is _FAILED else sys.stdout
        stream.write(f"{what}: {word}{f' ({detail})' if detail else ''}\n")
        stream.flush()

    def _one(self, path: Path) -> tuple[str, str]:
        try:
            with path.open("rb") as file:
                data = file.read(MAX_CASE + 1)
            work: Callable[[Path, bytes], tuple[str, str]] = self._pdf if _is_pdf(data) else self._case
            return work(path, data)
        except (MalformedEnvelope, MalformedEvidence, TimestampUnavailable, CannotAugment, OSError) as err:
            return _FAILED, _why(err)

    def _case(self, path: Path, data: bytes) -> tuple[str, str]:
        due = renewal_due(read_case_file(data).container)
        if due is None:
            return _FAILED, _NOT_WHOLE
        if due >= self.limit:
            return _NOT_DUE, f"{due:%Y-%m-%d}"
        renewed = self.maker.renew(data, self._view())
        after = renewal_due(read_case_file(renewed).container)
        if after is None or after <= due:
            return _FAILED, f"the new time-stamp would end on {after:%Y-%m-%d}" if after else "the new time-stamp fails"
        write_durably(path, renewed, path.stat().st_mode & 0o700)
        late = f"; late: the one before ended on {due:%Y-%m-%d}" if due <= self.now else ""
        return _RENEWED, f"{after:%Y-%m-%d}{late}"

    def _pdf(self, path: Path, data: bytes) -> tuple[str, str]:
        from keys.envelopes.pades import augmenting, parse_signed_pdf
        from keys.envelopes.pades.levels import Level
        from server.cli.augment import _material

        pdf = parse_signed_pdf(data)
        due = augmenting.renewal_due(pdf)
        if due is None:
            return (_FAILED, _NOT_WHOLE) if pdf.timestamps else (_NOTHING, "")
        if due >= self.limit:
            return _NOT_DUE, f"{due:%Y-%m-%d}"
        material = _material(self._view(), *self.material, private=False, lang=self.lang)
        made = augmenting.augment_pdf(
            data, to=Level.B_LTA, timestamper=self.maker.timestamper, material=material, now=self.now, renew=True
        )
        after = augmenting.renewal_due(parse_signed_pdf(made.data))
        if after is None or after <= due:
            return _FAILED, f"the new time-stamp would end on {after:%Y-%m-%d}" if after else "the new time-stamp fails"
        write_durably(path, made.data, path.stat().st_mode & 0o777)
        return _RENEWED, f"{after:%Y-%m-%d}"

    def _view(self) -> TrustView | None:
        return None if self.store is None else self.store.load(self.now)


def _below(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    elif path.is_dir():
        found = (each for each in path.rglob("*") if each.suffix.lower() in _SUFFIXES)
        yield from (
            each for each in found if each.is_file() and not each.is_symlink() and not each.name.startswith(".")
        )
    else:
        raise typer.BadParameter(f"no such file: {path}", param_hint="FILE|FOLDER")


def _is_pdf(data: bytes) -> bool:
    return b"%PDF-" in data[:1024]


def _why(err: Exception) -> str:
    if isinstance(err, MalformedEvidence):
        return f"not a case file that can be read: {err.detail or err.reason.value}"
    if isinstance(err, CannotAugment):
        return f"the PDF can't be renewed: {err.why}"
    if isinstance(err, OSError):
        return err.strerror or type(err).__name__
    return str(err)
