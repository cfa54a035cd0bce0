"""The wallet's decisions: what may be shown for what, how long, who may read it. Pure: no store, clock or chance."""

from __future__ import annotations

import hashlib
import re
from base64 import b32encode
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from trust_registry.attestations import CertificateId
from trust_registry.core import as_theirs, judge_recognition, status_at
from trust_registry.edges import HolderId
from trust_registry.model import (
    CertificateStatus,
    CertificateType,
    ClaimEquivalence,
    EntryStatus,
    IssuerId,
    ListKind,
    RecognitionAnswer,
    RecognitionOutcome,
    RegionCode,
    RelyingPartyEntry,
    RelyingPartyId,
    ScenarioId,
    TrustView,
    TypeId,
    TypeRequirement,
)
from wallet_api.errors import (
    ClaimNotSelectable,
    LifeOutOfRange,
    MalformedCode,
    PresentationAlreadyRead,
    PresentationCancelled,
    PresentationExpired,
    PresentationForOtherScenario,
    ReaderNotRegistered,
    RequiredClaimWithheld,
    ScenarioNotPermitted,
)
from wallet_api.model import (
    ClaimChoice,
    Holding,
    Need,
    Presentation,
    PresentationState,
    RecognisedBy,
    ScenarioOption,
    Standing,
)

Sealed = tuple[IssuerId, datetime]  # by whom a certificate was sealed, and when
CODE_PREFIX: Final = "YXP:"
TOKEN_BYTES: Final = 20  # 160 bits; 32 characters of base32, so that the QR code stays alphanumeric (ISO/IEC 18004)
SHORTEST_LIFE, LONGEST_LIFE = timedelta(seconds=15), timedelta(minutes=5)
EXPIRING_WITHIN: Final = timedelta(days=30)
_CODE = re.compile(r"(?:YXP:)?([A-Z2-7]{26,52})")
_LONGEST_CODE: Final = 128


def standing_at(holding: Holding, now: datetime) -> Standing:
    """How a certificate stands at `now`. A revocation outweighs an expiry: it says more."""
    if holding.status is CertificateStatus.INVALID:
        return Standing.REVOKED
    if holding.valid_until is not None and holding.valid_until <= now:
        return Standing.EXPIRED
    if holding.status is CertificateStatus.SUSPENDED:
        return Standing.SUSPENDED
    if now < holding.valid_from:
        return Standing.NOT_YET_VALID
    if holding.valid_until is not None and holding.valid_until - now <= EXPIRING_WITHIN:
        return Standing.EXPIRING
    return Standing.VALID


def recognised_by(
    view: TrustView, region: RegionCode, type_id: TypeId, now: datetime, *, sealed: Sealed | None = None
) -> tuple[RecognisedBy, ...]:
    """The regions whose counters take this type of `region` at `now`: its own first, then the others by code.

    `sealed`: by whom and when, of a certificate; None asks for the type as such.
    """
    found: list[RecognisedBy] = []
    for code, region_list in view.lists.items():
        if region_list.kind is not ListKind.REGION:
            continue
        answer = _judge(view, region, type_id, code, None, now, sealed)
        if answer.outcome is RecognitionOutcome.OWN:
            found.append(RecognisedBy(region_list, True, None, None))
        elif answer.entry is not None and answer.outcome is RecognitionOutcome.RECOGNISED:
            found.append(RecognisedBy(region_list, False, None, answer.entry.since))
        elif answer.entry is not None and answer.outcome is RecognitionOutcome.SCENARIO_NOT_COVERED:
            found.append(RecognisedBy(region_list, False, len(answer.entry.scenarios), answer.entry.since))
    return tuple(sorted(found, key=lambda r: (not r.own, r.region.code)))


def scenario_options(
    view: TrustView, region: RegionCode, type_id: TypeId, now: datetime, *, sealed: Sealed | None = None
) -> tuple[ScenarioOption, ...]:
    """Every scenario of every region that takes this type of `region` at `now`, as itself or as an equivalent.

    Requirements name the claims as the certificate does. `sealed` as for `recognised_by`.
    """
    options: list[ScenarioOption] = []
    for code, region_list in sorted(view.lists.items()):
        for scenario in region_list.scenarios:
            taken, claims = {type_id}, tuple[ClaimEquivalence, ...]()
            if region != code:
                answer = _judge(view, region, type_id, code, scenario.id, now, sealed)
                if not answer.accepted or answer.entry is None:
                    continue
                taken, claims = {type_id, answer.entry.as_type}, answer.entry.claims
            if requirement := next((r for r in scenario.requires if taken & set(r.any_of)), None):
                options.append(ScenarioOption(scenario, region_list, as_theirs(requirement, claims)))
    return tuple(options)


def _judge(  # noqa: PLR0917
    view: TrustView,
    region: RegionCode,
    type_id: TypeId,
    accepting: RegionCode,
    scenario: ScenarioId | None,
    now: datetime,
    sealed: Sealed | None,
) -> RecognitionAnswer:
    issuer, at = (None, None) if sealed is None else sealed
    return judge_recognition(view, region, type_id, accepting, scenario, now, attested_at=at, issuer=issuer)


def choices(
    type_: CertificateType, held: Mapping[str, Any], requirement: TypeRequirement | None
) -> tuple[ClaimChoice, ...]:
    """What may be shown of a certificate, in the type's order, with what is on to start with.

    With a requirement: what it requires is on and locked; all else is off until the holder says so.
    Without one: what the type marks public (on the printed QR, unmasked) is on. Claims that it lacks are left out.
    """
    result: list[ClaimChoice] = []
    for claim in type_.claims:
        if claim.name not in held:
            continue
        if not claim.selective:
            need, on = Need.ALWAYS, True
        elif requirement is None:
            need, on = Need.OPTIONAL, claim.on_printed_qr and not claim.masked
        elif claim.name in requirement.claims:
            need, on = Need.REQUIRED, True
        elif claim.name in requirement.optional_claims:
            need, on = Need.OPTIONAL, False
        else:
            need, on = Need.NOT_ASKED, False
        result.append(ClaimChoice(claim.name, claim.names, need, on))
    return tuple(result)


def chosen_claims(offered: Sequence[ClaimChoice], wanted: Collection[str] | None) -> tuple[str, ...]:
    """The claims that will be shown, in the type's order; `wanted` None takes what is on to start with.

    What can't be withheld is always among them, wanted or not: the holder's log must say what a reader saw.
    Raises: ClaimNotSelectable (a wanted claim isn't offered), RequiredClaimWithheld (a required one isn't wanted).
    """
    if wanted is None:
        return tuple(c.name for c in offered if c.on)
    if strange := sorted(set(wanted) - {c.name for c in offered}):
        raise ClaimNotSelectable(strange)
    if withheld := [c.name for c in offered if c.need is Need.REQUIRED and c.name not in wanted]:
        raise RequiredClaimWithheld(withheld)
    return tuple(c.name for c in offered if c.name in wanted or c.need is Need.ALWAYS)


def check_life(life: timedelta) -> timedelta:
    """`life` itself. Raises: LifeOutOfRange under 15 seconds (unscannable), over 5 minutes (screenshots live)."""
    if not SHORTEST_LIFE <= life <= LONGEST_LIFE:
        raise LifeOutOfRange(f"{life.total_seconds():g} s")
    return life


def state_at(presentation: Presentation, now: datetime) -> PresentationState:
    """The state at `now`: what is waiting past its time has expired, whether or not anyone wrote that down."""
    if presentation.state is PresentationState.WAITING and presentation.expires_at <= now:
        return PresentationState.EXPIRED
    return presentation.state


def check_readable(presentation: Presentation, now: datetime) -> None:
    """Nothing, when the presentation may be read at `now`.

    Raises: PresentationAlreadyRead, PresentationExpired or PresentationCancelled.
    """
    state = state_at(presentation, now)
    if state is PresentationState.READ:
        raise PresentationAlreadyRead(presentation.read_at or presentation.expires_at)
    if state is PresentationState.EXPIRED:
        raise PresentationExpired(presentation.expires_at)
    if state is PresentationState.CANCELLED:
        raise PresentationCancelled


def reading_scenario(shown_for: ScenarioId | None, read_for: ScenarioId | None) -> ScenarioId | None:
    """The scenario that a reading counts for: the holder's choice binds the reader.

    Raises: PresentationForOtherScenario.
    """
    if shown_for is not None and read_for is not None and shown_for != read_for:
        raise PresentationForOtherScenario(shown_for)
    return read_for if shown_for is None else shown_for


def check_reader(view: TrustView, reader: RelyingPartyId | None, scenario: ScenarioId | None, now: datetime) -> None:
    """Nothing, when a region lists the reader at `now`, and for the scenario if there is one.

    Raises: ReaderNotRegistered, ScenarioNotPermitted.
    """
    entry = relying_party(view, reader) if reader is not None else None
    if reader is None or entry is None or status_at(entry.history, now) is not EntryStatus.GRANTED:
        raise ReaderNotRegistered
    if scenario is not None and scenario not in entry.scenarios:
        raise ScenarioNotPermitted(reader, scenario)


def relying_party(view: TrustView, reader: RelyingPartyId) -> RelyingPartyEntry | None:
    """The reader's entry in its region's list, or None."""
    region_list = view.lists.get(RegionCode(reader.partition("/")[0]))
    return next((entry for entry in region_list.relying_parties if entry.id == reader), None) if region_list else None


def code_text(token: bytes) -> str:
    """The QR code's text for a token: `YXP:` and unpadded base32, all in the QR alphanumeric set."""
    return CODE_PREFIX + b32encode(token).decode("ascii").rstrip("=")


def parse_code(text: str) -> str:
    """The canonical text of a scanned or typed code: upper case, prefix added, blanks and hyphens dropped.

    Raises: MalformedCode.
    """
    if len(text) > _LONGEST_CODE:
        raise MalformedCode("too long for a one-time code")
    if match := _CODE.fullmatch(re.sub(r"[\s-]", "", text).upper()):
        return CODE_PREFIX + match[1]
    raise MalformedCode("a one-time code is YXP: followed by letters and the digits 2 to 7")


def code_digest(code: str) -> bytes:
    """What is stored of a code: its SHA-256. 160 random bits need no salt."""
    return hashlib.sha256(code.encode("ascii")).digest()


def certificate_ref(holder: HolderId, certificate_id: CertificateId) -> str:
    """The certificate's opaque name in this holder's URLs: 16 characters that tell no issuer, type or number."""
    digest = hashlib.sha256(f"{holder}\n{certificate_id}".encode()).digest()
    return b32encode(digest[:10]).decode("ascii").lower()
