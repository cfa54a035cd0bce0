"""The refusals of verifier: one root class, each carrying its data; mapped once in `server.problems`."""

from __future__ import annotations

from enum import Enum

from trust_registry.model import Names


class VerifierError(Exception):
    """Root of everything that verifier refuses."""


class Unreadable(Enum):
    """Why something handed in could not be read as evidence."""

    NOT_RECOGNISED = "not_evidence"  # none of the forms we know
    DAMAGED = "damaged"  # begins like one, and is cut short, altered or malformed
    ENCRYPTED = "encrypted"  # a PDF that is not to be read without decrypting it, with a password or without
    TOO_LARGE = "too_large"
    EMPTY = "empty"
    ONE_TIME_CODE = "one_time_code"  # a wallet's code: it names a presentation, it is none


class MalformedEvidence(VerifierError):
    """Not evidence that can be judged. `detail` is technical English for auditors and never repeats content."""

    def __init__(self, reason: Unreadable, kind: str | None = None, detail: str = "") -> None:
        super().__init__(reason.value, kind, detail)
        self.reason = reason
        self.kind = kind  # value of an EvidenceKind, when it began like one
        self.detail = detail


class InvalidRequest(VerifierError):
    """A request that can't be answered; suggested status 422. `field` names the culprit: "scenario", "items[3].at"."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(field, message)
        self.field = field
        self.message = message

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"


class RequestTooLarge(VerifierError):
    """More bytes or more items than one request may bring; suggested status 413. `limit` is in `unit`."""

    def __init__(self, field: str, limit: int, unit: str) -> None:
        super().__init__(field, limit, unit)
        self.field = field
        self.limit = limit
        self.unit = unit

    def __str__(self) -> str:
        return f"{self.field}: at most {self.limit} {self.unit}"


class ReceiptNotFound(VerifierError):
    """No receipt of that id that the asker may read; suggested status 404."""

    def __init__(self, receipt_id: str) -> None:
        super().__init__(receipt_id)
        self.receipt_id = receipt_id


class ReceiptsNotOffered(VerifierError):
    """The relying party has no receipt key here; suggested status 409."""

    def __init__(self, relying_party: str) -> None:
        super().__init__(relying_party)
        self.relying_party = relying_party


class RequestsNotOffered(VerifierError):
    """The relying party has no key here to sign requests to wallets with; suggested status 409."""

    def __init__(self, relying_party: str) -> None:
        super().__init__(relying_party)
        self.relying_party = relying_party


class RequestNotFound(VerifierError):
    """No presentation request of that id that this browser began, or it was erased; suggested status 404."""


class CaseFilesNotOffered(VerifierError):
    """This house makes no case files: it has no time-stamper, or no copy of the trust data; suggested status 409."""


class UnsupportedEvidence(VerifierError):
    """A body of a media type that verification does not take; suggested status 415. `supported`: what it takes."""

    def __init__(self, media_type: str, supported: tuple[str, ...]) -> None:
        super().__init__(media_type, supported)
        self.field = "content-type"
        self.supported = supported

    def __str__(self) -> str:
        return f"content-type: one of {', '.join(self.supported)} is needed"


class PresentationRefused(VerifierError):
    """A holder's one-time code can't be read now. `words` and `next_step` are for the clerk; suggested status 409."""

    def __init__(self, code: str, words: Names, next_step: Names) -> None:
        super().__init__(code)
        self.code = code
        self.words = words
        self.next_step = next_step


class MalformedKit(VerifierError):
    """Not an offline kit, or one that is not whole; suggested status 422."""


class KitRefused(VerifierError):
    """A kit that is whole, and can't be used here: `args[0]` says why; suggested status 409."""
