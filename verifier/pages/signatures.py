"""A document's signatures as a page shows them: who, when, how far preserved, what was done to the document since, and
the pages then and now. Words and pictures, no decisions.
"""

from __future__ import annotations

from dataclasses import dataclass

from keys.certificate import Certificate
from keys.envelopes.pades import Change, ChangeKind
from trust_registry.legible import legible
from trust_registry.model import Names, TrustView
from verifier import messages
from verifier.model import Check, EvidenceKind, Indication, Report, SignatureReport
from verifier.reports.revisions import Comparison, compare_revisions

_LEVELS = {
    "B-B": Names("签名本身", "the signature alone"),
    "B-T": Names("带时间戳", "with a time-stamp"),
    "B-LT": Names("带时间戳和核验资料，可长期核验", "with a time-stamp and data for later checks"),
    "B-LTA": Names("带存档时间戳，可长期保存", "with archive time-stamps, made to last"),
}


@dataclass(frozen=True, slots=True)
class Signed:
    """One signature. `changes` are those worth reading, `quiet` how many others there were that show nothing."""

    number: int
    who: str
    when: str
    proven: bool
    level: str
    kind: str
    outcome: str
    sentence: str
    deciding: bool
    changes: tuple[str, ...]
    quiet: int


@dataclass(frozen=True, slots=True)
class Beside:
    """The signed revision beside what is shown now. `comparison` None: it could not be drawn."""

    number: int
    who: str
    when: str
    changes: tuple[str, ...]
    comparison: Comparison | None


def signatures_of(report: Report, trust: TrustView | None, language: str) -> tuple[Signed, ...]:
    """Each signature in one document, in the order of what they cover."""
    return tuple(_signed(number, each, trust, language) for number, each in enumerate(report.signatures, 1))


def beside(data: bytes | str, report: Report, trust: TrustView | None, language: str) -> Beside | None:
    """The pages that differ from what was signed; None where nothing was done after signing that could matter.

    Of several signatures the one that the verdict rests on, else the first that was followed by something.
    """
    found = changed_signature(report)
    if found is None or isinstance(data, str):
        return None
    number, signature = found
    pages = sorted({page for change in signature.changes if not _quiet(change) for page in change.pages})
    told = _signed(number, signature, trust, language)
    comparison = compare_revisions(signed_revision(data, signature), data, pages)
    return Beside(number, told.who, told.when, told.changes, comparison)


def changed_signature(report: Report) -> tuple[int, SignatureReport] | None:
    """The signature, by number, whose revision is worth seeing."""
    if report.kind is not EvidenceKind.PDF:
        return None
    changed = [
        (number, each)
        for number, each in enumerate(report.signatures, 1)
        if each.signed_size and any(not _quiet(change) for change in each.changes)
    ]
    return next((each for each in changed if each[1].deciding), changed[0] if changed else None)


def signed_revision(data: bytes, signature: SignatureReport) -> bytes:
    """The file as it was when it was signed: an incremental update leaves what it follows as it is."""
    return data[: signature.signed_size]


def _signed(number: int, signature: SignatureReport, trust: TrustView | None, language: str) -> Signed:
    told = signature.decisive or next(
        (each for each in signature.findings if each.check is Check.INTEGRITY), signature.findings[0]
    )
    loud = [change for change in signature.changes if not _quiet(change)]
    kinds = {Indication.PASSED: "passed", Indication.FAILED: "failed", Indication.INDETERMINATE: "indeterminate"}
    level = _LEVELS.get(signature.level)
    return Signed(
        number=number,
        who=who_signed(signature.certificate, trust, language) or legible(signature.name)[:120],
        when="" if signature.signed_at is None else messages.moment(signature.signed_at, language),
        proven=signature.signed_at_proven,
        level=signature.level if level is None else f"{level.in_language(language)} ({signature.level})",
        kind=kinds[signature.indication],
        outcome=messages.HEADLINES_OF_SIGNATURES[signature.indication].in_language(language),
        sentence=messages.sentence(told, language),
        deciding=signature.deciding,
        changes=tuple(dict.fromkeys(messages.change(change, language) for change in loud)),
        quiet=len(signature.changes) - len(loud),
    )


def _quiet(change: Change) -> bool:
    """What shows nothing; and a further signature that the signer allowed for, which is judged by itself, unless it
    lays something over a page."""
    allowed = change.kind is ChangeKind.SIGNATURE and change.permitted and not change.pages
    return allowed or change.kind in messages.QUIET_CHANGES


def who_signed(certificate: Certificate | None, trust: TrustView | None, language: str) -> str:
    """The listed seal's name, else what the certificate calls itself; empty without a certificate."""
    if certificate is None:
        return ""
    for issuer in () if trust is None else trust.issuers.values():
        for seal in issuer.seals:
            if seal.key.thumbprint == certificate.thumbprint:
                return seal.names.in_language(language)
    return legible(certificate.common_name or certificate.organisation or certificate.subject)[:120]
