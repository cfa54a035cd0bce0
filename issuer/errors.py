"""The refusals of issuer: one root class, each carrying its data; mapped once in `server.problems`."""

from __future__ import annotations

from datetime import datetime


class IssuerError(Exception):
    """Root of everything that issuer refuses."""


class GlyphMissing(IssuerError):
    """The bundled fonts can't set a character of this claim (rare name characters). Names the claim, not its value."""

    def __init__(self, claim: str) -> None:
        super().__init__(f"claim {claim!r} has a character that the document fonts lack")
        self.claim = claim


class SealImageUnfit(IssuerError):
    """This name or code can't be set on a round seal."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


class RequestRefused(IssuerError):
    """Root of what `core.clear` refuses: the request is understood but not sealed. HTTP 422 by default."""


class TypeUnknown(RequestRefused):
    """No list that this issuer trusts defines the certificate type. HTTP 422, field `type_id`."""

    def __init__(self, type_id: str) -> None:
        super().__init__(f"certificate type {type_id} is not defined by any list")
        self.type_id = type_id


class SealUnknown(RequestRefused):
    """No such seal in this issuer's custody (another's seals are not there either). HTTP 422, field `seal_id`."""

    def __init__(self, seal_id: str) -> None:
        super().__init__(f"seal {seal_id} is not in this issuer's custody")
        self.seal_id = seal_id


class IssuerNotListed(RequestRefused):
    """The region's list does not name this issuer. HTTP 403."""

    def __init__(self, issuer_id: str) -> None:
        super().__init__(f"issuer {issuer_id} is not on its region's list")
        self.issuer_id = issuer_id


class IssuerNotEntitled(RequestRefused):
    """The region's list does not entitle this issuer to the type at that time. HTTP 403.

    `status` is "suspended" or "withdrawn", or None when no grant is in force at all.
    """

    def __init__(self, issuer_id: str, type_id: str, status: str | None) -> None:
        super().__init__(f"issuer {issuer_id} is not entitled to {type_id}: {status or 'not granted'}")
        self.issuer_id = issuer_id
        self.type_id = type_id
        self.status = status


class SealNotListed(RequestRefused):
    """The region lists no such seal for this issuer, or lists it with another certificate. HTTP 403."""

    def __init__(self, seal_id: str) -> None:
        super().__init__(f"seal {seal_id} is not on its region's list with this certificate")
        self.seal_id = seal_id


class SealNotInForce(RequestRefused):
    """The region has suspended or withdrawn the seal or its key. HTTP 403. `status` None: never granted."""

    def __init__(self, seal_id: str, status: str | None) -> None:
        super().__init__(f"seal {seal_id} is not in force: {status or 'not granted'}")
        self.seal_id = seal_id
        self.status = status


class SealOutOfTime(RequestRefused):
    """The seal is not valid yet, or no longer. HTTP 403. Times are UTC."""

    def __init__(self, seal_id: str, valid_from: datetime, valid_until: datetime) -> None:
        super().__init__(f"seal {seal_id} is valid from {valid_from.isoformat()} until {valid_until.isoformat()}")
        self.seal_id = seal_id
        self.valid_from = valid_from
        self.valid_until = valid_until


class SealNotEntitled(RequestRefused):
    """The type is outside the seal's scope. HTTP 403."""

    def __init__(self, seal_id: str, type_id: str) -> None:
        super().__init__(f"seal {seal_id} may not be used for {type_id}")
        self.seal_id = seal_id
        self.type_id = type_id


class ClaimsInvalid(RequestRefused):
    """The claims break the type's schema. No value is repeated. HTTP 422, field `pointer` (RFC 6901)."""

    def __init__(self, pointer: str, message: str) -> None:
        super().__init__(f"{pointer or '/'}: {message}")
        self.pointer = pointer
        self.message = message


class InvalidIdentityNumber(RequestRefused):
    """A holder's number fails its form or check character. The number is not repeated. HTTP 422, field `pointer`."""

    def __init__(self, pointer: str, reason: str) -> None:
        super().__init__(f"{pointer}: {reason}")
        self.pointer = pointer
        self.reason = reason


class HolderNotNamed(RequestRefused):
    """The claims identify people, and the holder is none of them. HTTP 422, field `/holder/number`."""

    def __init__(self, pointers: tuple[str, ...]) -> None:
        super().__init__(f"the holder is not the one named in {', '.join(pointers)}")
        self.pointers = pointers


class HolderKeyInvalid(RequestRefused):
    """The holder's key is not a public JWK of a known algorithm. HTTP 422, field `holder_key`."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"holder_key: {reason}")
        self.reason = reason


class ValidityImpossible(RequestRefused):
    """The certificate would be over before it begins, or already is. HTTP 422, field `pointer`."""

    def __init__(self, pointer: str, reason: str) -> None:
        super().__init__(f"{pointer}: {reason}")
        self.pointer = pointer
        self.reason = reason


class IdempotencyKeyInvalid(IssuerError):
    """An idempotency key has 1 to 255 printable ASCII characters. HTTP 400, header `Idempotency-Key`."""


class IdempotencyConflict(IssuerError):
    """This account used the same key for another request. HTTP 409. Carries the key, which names nobody."""

    def __init__(self, key: str) -> None:
        super().__init__("the idempotency key was used for another request")
        self.key = key


class CertificateNotFound(IssuerError):
    """No such certificate, or it is another issuer's. HTTP 404."""

    def __init__(self, certificate_id: str) -> None:
        super().__init__("no such certificate")
        self.certificate_id = certificate_id


class CertificateNotPublished(IssuerError):
    """Recorded but not sealed yet: a retry or the next start finishes it. HTTP 409."""

    def __init__(self, certificate_id: str) -> None:
        super().__init__("the certificate is recorded and not sealed yet")
        self.certificate_id = certificate_id


class RenderingNotMade(IssuerError):
    """The certificate was sealed before there was this form of it: only issuing it anew makes one. HTTP 404."""

    def __init__(self, certificate_id: str, kind: str) -> None:
        super().__init__(f"the certificate was sealed without the form {kind}")
        self.certificate_id = certificate_id
        self.kind = kind


class CertificateVoided(IssuerError):
    """Recorded, never handed out, and given up because it may no longer be sealed. HTTP 409: ask with a new key."""

    def __init__(self, certificate_id: str) -> None:
        super().__init__("the certificate was given up before it was sealed")
        self.certificate_id = certificate_id


class CopyRefused(IssuerError):
    """Root of what `copy_rules.clear_copies` refuses: the certificate is there, and no copy of it is made. HTTP 409."""


class CertificateSuspended(CopyRefused):
    """No copies while it is suspended; once it is reinstated they can be made again. HTTP 409."""

    def __init__(self, certificate_id: str, since: datetime) -> None:
        super().__init__(f"suspended since {since.isoformat()}")
        self.certificate_id = certificate_id
        self.since = since


class CertificateRevoked(CopyRefused):
    """No copies of what is revoked: the holder asks the office for a new certificate. HTTP 409."""

    def __init__(self, certificate_id: str, since: datetime) -> None:
        super().__init__(f"revoked since {since.isoformat()}")
        self.certificate_id = certificate_id
        self.since = since


class CertificateOver(CopyRefused):
    """No copies of what is over, or over within the hour: the holder asks for a new certificate. HTTP 409."""

    def __init__(self, certificate_id: str, valid_until: datetime) -> None:
        super().__init__(f"valid until {valid_until.isoformat()}")
        self.certificate_id = certificate_id
        self.valid_until = valid_until


class TooManyCopies(CopyRefused):
    """So many copies were made of late that the next may be made only at `again_at`. HTTP 409."""

    def __init__(self, limit: int, again_at: datetime) -> None:
        super().__init__(f"{limit} copies were made of late; more from {again_at.isoformat()} on")
        self.limit = limit
        self.again_at = again_at


class CopyKeysInvalid(CopyRefused):
    """A wallet's key is not a public key of a kind that copies are bound to, or is there twice. HTTP 422, `keys`."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"keys: {reason}")
        self.reason = reason


class HolderNotFound(IssuerError):
    """No such holder. HTTP 404."""


class HolderErased(IssuerError):
    """The holder's data key was destroyed: claims and renderings can't be read by anyone. HTTP 410."""


class StatusChangeRefused(IssuerError):
    """Root of what `core.plan_status_change` refuses. HTTP 409 unless said otherwise."""


class StatusFinal(StatusChangeRefused):
    """A revoked certificate stays revoked. `since` is when the revocation takes effect. HTTP 409."""

    def __init__(self, certificate_id: str, since: datetime) -> None:
        super().__init__(f"revoked since {since.isoformat()}; revocation is final")
        self.certificate_id = certificate_id
        self.since = since


class StatusUnchanged(StatusChangeRefused):
    """The certificate has that status already, for another reason. HTTP 409."""

    def __init__(self, certificate_id: str, status: str) -> None:
        super().__init__(f"the status is {status} already")
        self.certificate_id = certificate_id
        self.status = status


class EffectiveTimeInPast(StatusChangeRefused):
    """A change takes effect now or later, never before. HTTP 422, field `effective_at`."""

    def __init__(self, effective_at: datetime, now: datetime) -> None:
        super().__init__(f"{effective_at.isoformat()} is before {now.isoformat()}")
        self.effective_at = effective_at
        self.now = now


class ReasonDoesNotFit(StatusChangeRefused):
    """This reason doesn't explain that status. HTTP 422, field `reason`."""

    def __init__(self, reason: str, status: str) -> None:
        super().__init__(f"{reason} is no reason for {status}")
        self.reason = reason
        self.status = status


class PublicationDelayed(IssuerError):
    """The change is recorded and durable, its status list not yet written; that is tried again. HTTP 503."""

    def __init__(self, uri: str) -> None:
        super().__init__(f"recorded; {uri} is not published yet")
        self.uri = uri


class StatusSignerMissing(IssuerError):
    """No status key in custody for this issuer: nothing may be issued whose status can't be published. HTTP 503."""

    def __init__(self, issuer_id: str) -> None:
        super().__init__(f"issuer {issuer_id} has no status key in custody")
        self.issuer_id = issuer_id


class StatusListNotFound(IssuerError):
    """No status list is published under this path. HTTP 404."""


class StatusListMisplaced(IssuerError):
    """A status list URI that maps to no file: its path must be plain segments. HTTP 503, a configuration error."""

    def __init__(self, uri: str) -> None:
        super().__init__(f"{uri} does not map to a file")
        self.uri = uri


class BulkFileRefused(IssuerError):
    """A bulk file that can't be read as a table. HTTP 422. `line` is None when it concerns the whole file."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(f"line {line}: {reason}" if line else reason)
        self.reason = reason
        self.line = line


class TrustViewMissing(IssuerError):
    """There is no trust data yet, so nobody is entitled to anything. HTTP 503."""


class SealKeyMismatch(IssuerError):
    """The key behind the seal's URI is not the one in its certificate. HTTP 503, a configuration error."""

    def __init__(self, seal_id: str) -> None:
        super().__init__(f"the key of seal {seal_id} does not fit its certificate")
        self.seal_id = seal_id


class ApprovalNeeded(IssuerError):
    """The type is under dual control: another clerk must approve before it is sealed. HTTP 409."""

    def __init__(self, type_id: str) -> None:
        super().__init__(f"sealing {type_id} needs a second clerk's approval")
        self.type_id = type_id


class WaitingUnknown(IssuerError):
    """No such request waits in this office (another office's is not there either). HTTP 404."""


class OwnRequest(IssuerError):
    """Who asked can't be the one who approves. HTTP 403."""


class WaitingClosed(IssuerError):
    """It was decided, withdrawn or ran out of time before. HTTP 409."""

    def __init__(self, state: str) -> None:
        super().__init__(f"this request is {state}")
        self.state = state


class ContentChanged(IssuerError):
    """What waits is not what this approval was given for: look at it again. HTTP 409."""


class NotOfAnIssuer(IssuerError):
    """An issuing clerk whose account is of no issuer may do nothing here. HTTP 403."""
