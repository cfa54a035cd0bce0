"""Taking a case file apart: bytes in, `CaseFile` or `MalformedEvidence` out. Verifies and judges nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from keys.envelopes.asic import MAX_CONTAINER, Container, is_container, read_container
from keys.envelopes.strict_json import load_json
from keys.errors import MalformedCertificate, MalformedEnvelope
from keys.x509 import parse_certificate
from verifier.archives.model import (
    ANCHORS,
    EVIDENCE,
    FORMAT,
    INDEX,
    RECEIPT,
    RENEWALS,
    REPORT,
    REVOCATION,
    TRUST,
    Asked,
    CaseFile,
)
from verifier.errors import MalformedEvidence, Unreadable
from verifier.model import EvidenceKind, ExpectedBinding, Indication, RevocationRule

MAX_CASE: Final = MAX_CONTAINER
_MAX_PIECES: Final = 64
_LONGEST: Final = 100 * 366 * 86400


def is_case_file(data: bytes | str) -> bool:
    """Whether this begins like a case file, or another container of that family."""
    return isinstance(data, bytes) and is_container(data)


def read_case_file(data: bytes) -> CaseFile:
    """The parts of a case file of at most 64 MiB. Raises: MalformedEvidence, with the reason in `detail`."""
    if len(data) > MAX_CASE:
        raise MalformedEvidence(Unreadable.TOO_LARGE, EvidenceKind.ARCHIVE.value, f"more than {MAX_CASE} bytes")
    try:
        return _case("sha256:" + hashlib.sha256(data).hexdigest(), read_container(data))
    except (MalformedEnvelope, MalformedCertificate) as err:
        raise MalformedEvidence(Unreadable.DAMAGED, EvidenceKind.ARCHIVE.value, str(err)) from err
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as err:
        raise MalformedEvidence(Unreadable.DAMAGED, EvidenceKind.ARCHIVE.value, "not the parts of a case file") from err


def _case(digest: str, container: Container) -> CaseFile:
    files = container.files
    if INDEX not in files:
        raise MalformedEnvelope("a container, but no case file of ours: it has no case.json")
    index: Any = load_json(files[INDEX])
    if index["format"] != FORMAT:
        raise MalformedEnvelope(f"a case file of another format than {FORMAT}")
    name = index["evidence"]
    if not isinstance(name, str) or not name.startswith(EVIDENCE):
        raise MalformedEnvelope("a case file that does not say what its evidence is")
    # A part that is gone is not malformed: whoever reads the manifest finds out that it is missing.
    report: Any = load_json(files[REPORT]) if _intact(container, REPORT) else {}
    anchors = tuple(parse_certificate(content) for content in _below(files, ANCHORS).values())
    revocation = tuple(_below(files, REVOCATION).values())
    if len(anchors) > _MAX_PIECES or len(revocation) > _MAX_PIECES:
        raise MalformedEnvelope("a case file with too many parts")
    later = sorted({each[: each.index("/", len(RENEWALS))] for each in files if each.startswith(RENEWALS)})
    trust = _below(files, TRUST)
    return CaseFile(
        digest,
        container,
        _asked(index),
        name,
        files.get(name, b""),
        report if isinstance(report, Mapping) and _is_verdict(report) else {},
        files.get(RECEIPT),
        trust or None,
        {folder: found for each in later if (found := _below(files, folder := f"{each}/{TRUST}"))},
        anchors,
        revocation,
    )


def _intact(container: Container, name: str) -> bool:
    return name in container.files and name not in container.broken


def _is_verdict(report: Mapping[str, Any]) -> bool:
    return report.get("indication") in {each.value for each in Indication}


def _below(files: Mapping[str, bytes], prefix: str) -> dict[str, bytes]:
    return {name[len(prefix) :]: content for name, content in sorted(files.items()) if name.startswith(prefix)}


def _asked(index: Mapping[str, Any]) -> Asked:
    policy = index["policy"]
    bound = policy["binding"]
    binding = None
    if bound is not None:
        transcript = bound.get("transcript")
        binding = ExpectedBinding(
            _text(bound["nonce"]),
            _text(bound["audience"]),
            _span(bound["max_age"]),
            None if transcript is None else bytes.fromhex(_text(transcript)),
        )
    return Asked(
        _moment(index["judged_at"]),
        None if policy["accepting"] is None else _text(policy["accepting"]),
        None if policy["scenario"] is None else _text(policy["scenario"]),
        binding,
        _span(policy["trust_staleness"]),
        _span(policy["status_staleness"]),
        RevocationRule(policy["revocation_rule"]),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("text expected")
    return value


def _moment(value: object) -> datetime:
    found = datetime.fromisoformat(_text(value))
    if found.tzinfo is None or not 1970 <= found.year <= 9000:
        raise ValueError("not a time in UTC")
    return found.astimezone(UTC)


def _span(value: object) -> timedelta:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LONGEST:
        raise ValueError("not a number of seconds")
    return timedelta(seconds=value)
