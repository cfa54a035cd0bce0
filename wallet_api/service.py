"""The order of things when a citizen shows a certificate: hold, choose, show once, be read once, see who read it.

Issues nothing and judges nothing: the certificate is handed on as it was sealed, and its reader judges it.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from keys.envelopes.sd_jwt import select_disclosures
from trust_registry.attestations import CertificateId
from trust_registry.edges import HolderId, Principal
from trust_registry.model import Names, RelyingPartyId, ScenarioId, TrustView
from wallet_api import core
from wallet_api.errors import (
    CertificateNotHeld,
    NotAHolder,
    PresentationAlreadyRead,
    PresentationUnknown,
    ReaderNotRegistered,
    RenderingNotKept,
    ScenarioNotApplicable,
)
from wallet_api.model import (
    AccessRecord,
    CertificateDetail,
    ClaimChoice,
    CollectedWords,
    Holding,
    Presentation,
    PresentationId,
    PresentationState,
    PresentedCertificate,
    ScenarioOption,
)
from wallet_api.ports import Holdings, Offering
from wallet_api.store import WalletStore

DEFAULT_LIFE = timedelta(seconds=60)
KEPT_UNREAD = timedelta(days=1)  # so that a late scan is told "expired" rather than "unknown"


def holder_of(principal: Principal) -> HolderId:
    """The holder that the signed-in account is. Raises: NotAHolder."""
    if principal.holder_id is None:
        raise NotAHolder
    return principal.holder_id


class WalletService:
    """A hosted wallet for many holders.

    `holdings` answers for certificates, `view` for what the regions say (both may change between calls), `now` is UTC.
    `life` is how long a one-time code works, 15 seconds to 5 minutes. Raises: LifeOutOfRange.
    """

    def __init__(
        self,
        store: WalletStore,
        holdings: Holdings,
        now: Callable[[], datetime],
        *,
        view: Callable[[], TrustView],
        life: timedelta = DEFAULT_LIFE,
    ) -> None:
        self._store = store
        self._holdings = holdings
        self._now = now
        self._view = view
        self._life = core.check_life(life)
        # What the holder collected elsewhere, as the list of cards shows it; set by whoever keeps that.
        self.collected: Callable[[HolderId], Mapping[str, Any]] = lambda _: {}
        # The same for the log: by what its lines have for a certificate's id.
        self.collected_words: Callable[[HolderId], Mapping[str, CollectedWords]] = lambda _: {}
        self.offering: Offering | None = None  # other wallets can't collect where nobody offers

    @property
    def life(self) -> timedelta:
        return self._life

    @property
    def store(self) -> WalletStore:
        """Where presentations and uses are kept."""
        return self._store

    @property
    def certificates(self) -> Holdings:
        """Who keeps the certificates, and makes copies of them."""
        return self._holdings

    def view(self) -> TrustView:
        """What the regions say now."""
        return self._view()

    def holdings(self, holder: HolderId) -> tuple[CertificateDetail, ...]:
        """All certificates of a holder, newest first."""
        return tuple(self._detail(holder, holding) for holding in self._holdings.of(holder))

    def certificate(self, holder: HolderId, ref: str) -> CertificateDetail:
        """One certificate, by the opaque `ref` of the holder's own URLs. Raises: CertificateNotHeld."""
        for holding in self._holdings.of(holder):
            if core.certificate_ref(holder, holding.certificate_id) == ref:
                return self._detail(holder, holding)
        raise CertificateNotHeld

    def pdf(self, holder: HolderId, certificate_id: CertificateId) -> bytes:
        """The sealed PDF. Raises: RenderingNotKept."""
        data = self._holdings.pdf(holder, certificate_id)
        if data is None:
            raise RenderingNotKept
        return data

    def scenarios(self, holding: Holding) -> tuple[ScenarioOption, ...]:
        """The scenarios that take this certificate now."""
        sealed = holding.issuer_id, holding.issued_at
        return core.scenario_options(self._view(), holding.region, holding.type_id, self._now(), sealed=sealed)

    def choices(self, holding: Holding, scenario: ScenarioId | None) -> tuple[ClaimChoice, ...]:
        """What may be shown of it for the scenario; nothing when its type is unknown. Raises: ScenarioNotApplicable."""
        requirement = None
        if scenario is not None:
            fitting = (o.requirement for o in self.scenarios(holding) if o.scenario.id == scenario)
            requirement = next(fitting, None)
            if requirement is None:
                raise ScenarioNotApplicable(scenario)
        type_ = self._view().types.get(holding.type_id)
        return core.choices(type_, holding.claims, requirement) if type_ else ()

    def show(
        self,
        holder: HolderId,
        certificate_id: CertificateId,
        claims: Collection[str] | None = None,
        scenario: ScenarioId | None = None,
    ) -> tuple[Presentation, str]:
        """Show a certificate: a new presentation and the text of its QR code, which exists nowhere else.

        `claims` None shows what is on to start with for the scenario. A certificate that no longer stands may be shown:
        its reader is told so.
        Raises: CertificateNotHeld, ScenarioNotApplicable, ClaimNotSelectable, RequiredClaimWithheld.
        """
        holding = self._holdings.one(holder, certificate_id)
        if holding is None:
            raise CertificateNotHeld
        shown = core.chosen_claims(self.choices(holding, scenario), claims)
        now = self._now()
        self._store.forget_unread(now - KEPT_UNREAD)
        presentation = Presentation(
            id=PresentationId(secrets.token_urlsafe(12)),
            holder_id=holder,
            certificate_id=certificate_id,
            claims=shown,
            scenario_id=scenario,
            created_at=now,
            expires_at=now + self._life,
            state=PresentationState.WAITING,
        )
        code = core.code_text(secrets.token_bytes(core.TOKEN_BYTES))
        self._store.add(presentation, type_id=holding.type_id, code_digest=core.code_digest(code))
        return presentation, code

    def renew(self, holder: HolderId, presentation_id: PresentationId) -> tuple[Presentation, str]:
        """Show the same again under a new code; the old code stops working at once.

        Raises: PresentationUnknown; PresentationAlreadyRead when a reader was faster; what `show` raises.
        """
        old = self.presentation(holder, presentation_id)
        if not self._store.cancel(holder, presentation_id) and old.state is not PresentationState.CANCELLED:
            read = self.presentation(holder, presentation_id)
            raise PresentationAlreadyRead(read.read_at or read.expires_at)
        return self.show(holder, old.certificate_id, old.claims, old.scenario_id)

    def cancel(self, holder: HolderId, presentation_id: PresentationId) -> Presentation:
        """Withdraw a presentation; what was read stays read. Raises: PresentationUnknown."""
        self._store.cancel(holder, presentation_id)
        return self.presentation(holder, presentation_id)

    def presentation(self, holder: HolderId, presentation_id: PresentationId) -> Presentation:
        """A presentation of this holder with its state now. Raises: PresentationUnknown."""
        found = self._store.by_id(presentation_id)
        if found is None or found.holder_id != holder:
            raise PresentationUnknown
        return replace(found, state=core.state_at(found, self._now()))

    def read(self, token: str, principal: Principal, scenario: ScenarioId | None = None) -> PresentedCertificate:
        """Read a presentation, once, as a listed agency: the certificate with the chosen claims only.

        `token` is the QR code's text, with or without `YXP:`. `scenario` must be the one the holder chose, if one was.
        Nothing is consumed by a refusal.
        Raises: MalformedCode, ReaderNotRegistered, ScenarioNotPermitted, PresentationUnknown, PresentationAlreadyRead,
        PresentationExpired, PresentationCancelled, PresentationForOtherScenario, CertificateNotHeld (erased meanwhile).
        """
        reader, now = principal.relying_party_id, self._now()
        if reader is None:
            raise ReaderNotRegistered
        digest = core.code_digest(core.parse_code(token))
        core.check_reader(self._view(), reader, scenario, now)
        found = self._store.by_code(digest)
        if found is None:
            raise PresentationUnknown
        core.check_readable(found, now)
        read_for = core.reading_scenario(found.scenario_id, scenario)
        core.check_reader(self._view(), reader, read_for, now)
        holding = self._holdings.one(found.holder_id, found.certificate_id)
        if holding is None:
            raise CertificateNotHeld
        sd_jwt = select_disclosures(holding.sd_jwt_vc, frozenset(found.claims))
        if not self._store.take(found.id, reader, read_for, now):
            self._refuse_late(found.id, now)
        read = replace(found, state=PresentationState.READ, read_at=now, read_by=reader, scenario_id=read_for)
        return PresentedCertificate(sd_jwt, read, holding.type_id)

    def _refuse_late(self, presentation_id: PresentationId, now: datetime) -> None:
        """Say why a presentation that was readable a moment ago no longer is."""
        found = self._store.by_id(presentation_id)
        if found is not None:
            core.check_readable(found, now)
        raise PresentationUnknown

    def record_verdict(self, presentation_id: PresentationId, verdict: str, principal: Principal) -> None:
        """Let the holder see the verdict ("PASSED", "FAILED", "INDETERMINATE"): once, by the reader itself.

        Raises: PresentationUnknown when this agency has no reading of it that waits for a verdict.
        """
        reader = principal.relying_party_id
        if reader is None or not self._store.record_verdict(presentation_id, reader, verdict):
            raise PresentationUnknown

    def access_log(
        self, holder: HolderId, certificate_id: CertificateId | None = None, *, limit: int = 200
    ) -> Sequence[AccessRecord]:
        """Who read this holder's certificates, newest first; only of one certificate when given."""
        return self._store.accesses(holder, certificate_id=certificate_id, limit=limit)

    def reading(self, holder: HolderId, presentation_id: PresentationId) -> AccessRecord | None:
        """The reading of one of this holder's presentations, if it was read. Raises: PresentationUnknown."""
        self.presentation(holder, presentation_id)
        return self._store.access_of(presentation_id)

    def forget_holder(self, holder: HolderId) -> None:
        """Erase what the wallet keeps about a holder. The certificates themselves are their issuer's to erase."""
        self._store.forget_holder(holder)

    def reader_names(self, reader: RelyingPartyId) -> Names:
        """What a relying party is called; its id where no list names it any more."""
        entry = core.relying_party(self._view(), reader)
        return entry.names if entry else Names(reader, reader)

    def scenario_names(self, scenario: ScenarioId) -> Names:
        """What a scenario is called; its id where no list names it any more."""
        found = self._view().scenarios.get(scenario)
        return found.names if found else Names(scenario, scenario)

    def _detail(self, holder: HolderId, holding: Holding) -> CertificateDetail:
        view, now = self._view(), self._now()
        issuer, region = view.issuers.get(holding.issuer_id), view.lists.get(holding.region)
        return CertificateDetail(
            ref=core.certificate_ref(holder, holding.certificate_id),
            holding=holding,
            type=view.types.get(holding.type_id),
            issuer=issuer.names if issuer else None,
            region=region.names if region else None,
            standing=core.standing_at(holding, now),
            recognised_by=core.recognised_by(
                view, holding.region, holding.type_id, now, sealed=(holding.issuer_id, holding.issued_at)
            ),
        )
