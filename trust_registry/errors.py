"""The refusals of trust_registry: one root class, each carrying its data; mapped once in `server.problems`.

No refusal repeats a claim or an identity number: they carry field names, entry names, key names.
"""

from __future__ import annotations

from collections.abc import Sequence


class TrustRegistryError(Exception):
    """Root of everything that trust_registry refuses."""


class InvalidList(TrustRegistryError):
    """A region list breaks its format or an invariant. `field` is the culprit's path: `attests[0].seals[1].key`."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(field, message)
        self.field = field
        self.message = message

    def within(self, outer: str) -> InvalidList:
        """The same refusal, seen from the field that holds this one."""
        if not self.field:
            return InvalidList(outer, self.message)
        joint = "" if self.field.startswith("[") else "."
        return InvalidList(f"{outer}{joint}{self.field}", self.message)

    def __str__(self) -> str:
        return f"{self.field or 'list'}: {self.message}"


class HistoryRewritten(TrustRegistryError):
    """A newer list contradicts what an older one said. `entry` names the first entry that does."""

    def __init__(self, entry: str, message: str) -> None:
        super().__init__(entry, message)
        self.entry = entry
        self.message = message

    def __str__(self) -> str:
        return f"{self.entry}: {self.message}"


class MalformedAttestation(TrustRegistryError):
    """A payload that does not carry an attestation in the form this library writes."""


class ClaimsInvalid(TrustRegistryError):
    """Claims that the certificate type's schema refuses. `path` is the claim, `message` never repeats its value."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(path, message)
        self.path = path
        self.message = message

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


class InvalidIdentifier(TrustRegistryError):
    """A number that is not what it claims to be. `kind` and `reason` say which rule; the number itself is not
    repeated."""

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(kind, reason)
        self.kind = kind
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.kind}: {self.reason}"


class StatusIndexOutOfRange(TrustRegistryError):
    """A status index past the end of its list (Token Status List section 8.3 step 4: reject)."""

    def __init__(self, index: int, size: int) -> None:
        super().__init__(index, size)
        self.index = index
        self.size = size

    def __str__(self) -> str:
        return f"status index {self.index} is outside a list of {self.size} entries"


class MalformedStatusToken(TrustRegistryError):
    """Bytes that are not a Status List Token in JWT form, or exceed its bounds."""


class FetchFailed(TrustRegistryError):
    """A URL could not be read: refused, timed out, not found (`missing`: so the server says), `too_large`."""

    def __init__(self, url: str, detail: str, *, missing: bool = False, too_large: bool = False) -> None:
        super().__init__(url, detail)
        self.url = url
        self.detail = detail
        self.missing = missing
        self.too_large = too_large

    def __str__(self) -> str:
        return f"{self.url}: {self.detail}"


class TrustMissing(TrustRegistryError):
    """There is no trust data here yet: bootstrap with a root obtained out of band, then refresh."""


class TrustDamaged(TrustRegistryError):
    """The local copy is not whole, or not what was verified when it was stored. Refresh, or restore it."""


class RefreshRefused(TrustRegistryError):
    """The repository offered something that must not be accepted (forged, rolled back, rewritten). The old copy
    stays."""

    def __init__(self, reason: str, *, entry: str | None = None) -> None:
        super().__init__(reason, entry)
        self.reason = reason
        self.entry = entry

    def __str__(self) -> str:
        return self.reason


class InvalidForeignList(TrustRegistryError):
    """A list of another network that is not to be believed: not its form, not its signer, older than the one kept.

    `field` is the culprit: an element's path, or "signature", "sequence_number", "territory", "size".
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(field, message)
        self.field = field
        self.message = message

    def __str__(self) -> str:
        return f"{self.field or 'query'}: {self.message}"


class LogDamaged(TrustRegistryError):
    """The transparency log's own files, or a witness's record of a log, are not whole: restore them, start nothing
    anew."""


class CeremonyError(TrustRegistryError):
    """Root of what the registry's ceremonies refuse."""


class NotFounded(CeremonyError):
    """There is no network in this folder yet."""


class AlreadyFounded(CeremonyError):
    """There is a network in this folder; founding it again would forget its root."""


class UnknownList(CeremonyError):
    """No region or body of this code has been admitted."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code

    def __str__(self) -> str:
        return f"no region or body {self.code} has been admitted"


class EntryUnknown(CeremonyError):
    """An edit names an entry that the list does not have. `entry` is its path: `recognises/R7`."""

    def __init__(self, entry: str) -> None:
        super().__init__(entry)
        self.entry = entry

    def __str__(self) -> str:
        return f"the list has no entry {self.entry}"


class AlreadyAdmitted(CeremonyError):
    """A region or body of this code is already part of the network."""


class UnknownProposal(CeremonyError):
    """No pending proposal of this id."""

    def __init__(self, proposal_id: str) -> None:
        super().__init__(proposal_id)
        self.proposal_id = proposal_id

    def __str__(self) -> str:
        return f"no pending proposal {self.proposal_id}"


class ProposalOutdated(CeremonyError):
    """Something was published after this was proposed: propose again, on top of it."""


class ProposalDecided(CeremonyError):
    """The proposal is in the log already: it can't be withdrawn, only followed by another one."""


class NothingProposed(CeremonyError):
    """The proposal would change nothing."""


class NotAnOfficer(CeremonyError):
    """This key may not sign this role. `allowed` names those who may."""

    def __init__(self, role: str, allowed: Sequence[str]) -> None:
        super().__init__(role, tuple(allowed))
        self.role = role
        self.allowed = tuple(allowed)

    def __str__(self) -> str:
        return f"this key may not sign for {self.role}; those who may: {', '.join(self.allowed)}"


class ThresholdNotReached(CeremonyError):
    """Too few have signed to publish. `missing` names those who could still sign."""

    def __init__(self, role: str, needed: int, signed: Sequence[str], missing: Sequence[str]) -> None:
        super().__init__(role, needed, tuple(signed), tuple(missing))
        self.role = role
        self.needed = needed
        self.signed = tuple(signed)
        self.missing = tuple(missing)

    def __str__(self) -> str:
        signed = ", ".join(self.signed) or "none"
        return (
            f"{self.role} needs {self.needed} signatures and has {len(self.signed)} ({signed}); "
            f"still missing: {self.needed - len(self.signed)} of {', '.join(self.missing)}"
        )


class WitnessesMissing(CeremonyError):
    """What was published before waits for cosignatures, so nothing can follow it yet. `missing` names who was silent or
    refused."""

    def __init__(self, wanted: int, missing: Sequence[str]) -> None:
        super().__init__(wanted, tuple(missing))
        self.wanted = wanted
        self.missing = tuple(missing)

    def __str__(self) -> str:
        return f"the log's checkpoint needs {self.wanted} witnesses; still missing: {', '.join(self.missing)}"


class RuleBroken(CeremonyError):
    """Root or targets break a rule that every client demands of them. `rule` is the rule's name in `rules`."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(rule, message)
        self.rule = rule
        self.message = message

    def __str__(self) -> str:
        return f"{self.message} (rule {self.rule})"


class SignatureRefused(CeremonyError):
    """A signature that does not verify over the very bytes that this proposal holds for `role`."""

    def __init__(self, role: str) -> None:
        super().__init__(role)
        self.role = role

    def __str__(self) -> str:
        return f"this is no signature over what the proposal says for {self.role}"


class MalformedQuery(TrustRegistryError):
    """A request that is no query of the Trust Registry Query Protocol. `field` is the member; its value is not
    repeated."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(field, message)
        self.field = field
        self.message = message

    def __str__(self) -> str:
        return f"{self.field or 'query'}: {self.message}"


class QueryNotRecognised(TrustRegistryError):
    """A query about an authority, an action or a resource that this registry does not know. `field` is the member."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field

    def __str__(self) -> str:
        return f"{self.field} is not recognised"
