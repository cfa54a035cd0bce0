"""What people take away from a verdict: the report as PDF or JSON, and the revision that was signed.

The verdict page carries what was handed in, and posts it again with the wish; it is judged anew and the file is the
answer. So nothing is kept in between, nothing personal stands in an address, and nobody gets a report of a verdict that
was not just given here.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fastapi import Response

from trust_registry.model import Names, RelyingPartyId
from verifier.errors import CaseFilesNotOffered
from verifier.model import EvidenceKind, Report
from verifier.pages.intake import HandedIn
from verifier.pages.signatures import changed_signature, signed_revision
from verifier.reports import etsi
from verifier.reports.making import report_pdf
from verifier.service import PolicyRequest, VerifierService
from verifier.wire import report_to_json

MAX_CARRIED: Final = 2 * 1024 * 1024  # of a file; a larger one is chosen again
FORMS: Final = frozenset({"pdf", "etsi", "json", "revision", "case"})
AGAIN: Final = Names(
    "没有收到文件。请回到核验页，再选一次同一份文件。",
    "The file did not arrive. Go back and choose the same file again.",
)
_UNSIGNED: Final = Names("这份文件没有可取回的盖章版本。", "There is no signed version to take from this file.")


@dataclass(frozen=True, slots=True)
class Carried:
    """What the verdict page holds for its download buttons. `text` and `file` (base64) are empty when it is too large,
    and the person chooses the file again. `revision`: the signed revision can be had, too; `case`: a case file.
    """

    action: str
    fields: Mapping[str, str]
    text: str
    file: str
    revision: bool
    case: bool = False

    @property
    def again(self) -> bool:
        return not self.text and not self.file


def carry(data: bytes | str, report: Report, action: str, fields: Mapping[str, str], *, case: bool = False) -> Carried:
    """`action` is where to post to, `fields` by which rules it was judged."""
    small = isinstance(data, bytes) and len(data) <= MAX_CARRIED
    return Carried(
        action,
        {name: value for name, value in fields.items() if value},
        data if isinstance(data, str) else "",
        b64encode(data).decode("ascii") if isinstance(data, bytes) and small else "",
        changed_signature(report) is not None,
        case and report.kind is not EvidenceKind.ARCHIVE,
    )


def handed_back(given: HandedIn) -> bytes | str | Names:
    """The evidence that came back, or what to tell the person when there is none."""
    carried = given.fields.get("carried", "")
    if not carried:
        return given.evidence()
    try:
        return b64decode(carried, validate=True)
    except ValueError:
        return AGAIN


def take(
    service: VerifierService,
    data: bytes | str,
    request: PolicyRequest,
    *,
    form: str,
    language: str,
    party: Names | None = None,
    relying_party: RelyingPartyId | None = None,
) -> Response | Names:
    """The file that was asked for, or words when there is none. `party` is the name of `relying_party`.

    Raises: InvalidRequest for unknown rules; CaseFilesNotOffered and what `VerifierService.case_file` raises.
    """

    def printed(of: Report) -> bytes:
        return report_pdf(of, service.trust, service.statuses, language, party=party)

    if form == "case":
        if relying_party is None:
            raise CaseFilesNotOffered
        report, container = service.case_file(data, request, relying_party, printed)
        return _file(container, f"case-{_short(report)}.asice", "application/vnd.etsi.asic-e+zip")
    report = service.verify(data, request)
    digest = _short(report)
    if form == "revision":
        found = changed_signature(report)
        if found is None or isinstance(data, str):
            return _UNSIGNED
        return _file(signed_revision(data, found[1]), f"signed-{digest}.pdf", "application/pdf")
    if form == "etsi":
        return _file(etsi.to_bytes(report, service.trust), f"report-{digest}.etsi.json", "application/json")
    if form == "json":
        document: dict[str, Any] = report_to_json(report, language)
        text = json.dumps(document, ensure_ascii=False, indent=2)
        return _file(text.encode(), f"report-{digest}.json", "application/json")
    return _file(printed(report), f"report-{digest}.pdf", "application/pdf")


def _short(report: Report) -> str:
    """What tells one file from another in a folder of downloads, and nobody from anybody."""
    return report.evidence_digest.partition(":")[2][:8]


def worth_taking(report: Report) -> bool:
    """Whether there is anything to report on: not for what nobody recognised."""
    return report.kind is not None and report.kind is not EvidenceKind.RECEIPT


def _file(content: bytes, name: str, media_type: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, media_type=media_type, headers=headers)
