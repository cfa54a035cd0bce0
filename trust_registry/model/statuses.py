"""Statuses of certificates as status lists tell them, or why they can't be told. Spec: Token Status List."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from trust_registry.model.lists import IssuerId


class CertificateStatus(Enum):
    """Token Status List status types, section 7.1."""

    VALID = 0
    INVALID = 1
    SUSPENDED = 2


@dataclass(frozen=True, slots=True)
class StatusList:
    """A decompressed list: 2 bits per entry, least significant first (Token Status List section 4.1)."""

    bits: int
    data: bytes

    def __len__(self) -> int:
        return len(self.data) * 8 // self.bits


@dataclass(frozen=True, slots=True)
class StatusSnapshot:
    """A verified status list token. `digest` is "sha256:<hex>" of the token, for receipts."""

    uri: str
    issuer: IssuerId
    statuses: StatusList
    issued_at: datetime
    expires_at: datetime | None
    ttl: timedelta | None
    fetched_at: datetime
    digest: str


class StatusProblemKind(Enum):
    UNREACHABLE = "unreachable"
    MALFORMED = "malformed"
    FORGED = "forged"  # signature wrong, or by a key that the issuer's region does not list for status
    MISPLACED = "misplaced"  # `sub` is not the URI, or the URI is not under the issuer's base


@dataclass(frozen=True, slots=True)
class StatusProblem:
    uri: str
    kind: StatusProblemKind
    detail: str


@dataclass(frozen=True, slots=True)
class StatusView:
    """What is known of status lists, by URI: a snapshot, or why there is none. Immutable, swapped whole."""

    entries: Mapping[str, StatusSnapshot | StatusProblem]

    def get(self, uri: str) -> StatusSnapshot | StatusProblem | None:
        return self.entries.get(uri)
