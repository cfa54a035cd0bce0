"""The order of things when something is verified: read it, judge it, fetch what the verdict hinges on, judge again.

Decides nothing itself (`core` does), reads no clock (`now` is given), and keeps nothing but receipts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

from keys.x509 import Certificate
from trust_registry.model import (
    RegionCode,
    RelyingPartyId,
    Scenario,
    ScenarioId,
    StatusProblem,
    StatusSnapshot,
    StatusView,
    TrustView,
)
from verifier.archives import CaseMaker, CaseVerdict, is_case_file, proofs_from_case_file, verify_case_file
from verifier.core import judge, judge_unreadable, not_judged
from verifier.core.worth_fetching import list_published_by_issuer, list_worth_fetching
from verifier.errors import (
    CaseFilesNotOffered,
    InvalidRequest,
    MalformedEvidence,
    ReceiptNotFound,
    ReceiptsNotOffered,
    RequestTooLarge,
)
from verifier.evidence import digest_of, parse
from verifier.model import (
    Evidence,
    EvidenceKind,
    ExpectedBinding,
    Indication,
    Policy,
    ProofOfExistence,
    ReceiptFile,
    Report,
    RevocationRule,
)
from verifier.ports import PresentationReader
from verifier.receipts import ReceiptKey, make_receipt, proofs_from_receipt, sign_receipt
from verifier.store import KeptReceipt, ReceiptStore

MAX_BATCH: Final = 500
BATCH_SECONDS: Final = 10.0  # less than anybody waits for an answer
_RECENT: Final = timedelta(minutes=10)  # what is asked as of just now is asked of today's list


@dataclass(frozen=True, slots=True)
class PolicyRequest:
    """Under which rules somebody asks for a verdict. `at` None: now. A scenario implies its region as `accepting`.

    `proofs`: when what is handed in is known to have existed; `proofs_from` takes them from receipts and case files.
    """

    accepting: RegionCode | None = None
    scenario: ScenarioId | None = None
    at: datetime | None = None
    anchors: tuple[Certificate, ...] = ()
    binding: ExpectedBinding | None = None
    revocation: tuple[bytes, ...] = ()
    revocation_rule: RevocationRule = RevocationRule.WHERE_PUBLISHED
    proofs: tuple[ProofOfExistence, ...] = ()


NO_REQUEST: Final = PolicyRequest()
_NO_POLICY: Final = Policy()


class VerifierService:
    """Verification for the edges. `ensure_status(uri)` fetches a status list, or does nothing when offline;
    `status_then(uri, at)` asks how it stood at a time past, and None is offline.

    `timer`: seconds that only go forward, for the bound on batches; without one there is none.
    `known_roots`: the TUF roots that this machine trusts, for what case files bring along. `case_maker`: makes them.
    """

    def __init__(
        self,
        *,
        trust: Callable[[], TrustView | None],
        statuses: Callable[[], StatusView],
        now: Callable[[], datetime],
        ensure_status: Callable[[str], None] | None = None,
        status_then: Callable[[str, datetime], StatusSnapshot | StatusProblem | None] | None = None,
        receipts: ReceiptStore | None = None,
        receipt_keys: Mapping[RelyingPartyId, ReceiptKey] | None = None,
        new_id: Callable[[], str] = lambda: uuid4().hex,
        presentations: PresentationReader | None = None,
        known_roots: Callable[[], Sequence[bytes]] = tuple,
        case_maker: CaseMaker | None = None,
        timer: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self._trust = trust
        self._statuses = statuses
        self._ensure_status = ensure_status
        self._status_then = status_then
        self._now = now
        self._receipts = receipts
        self._receipt_keys = dict(receipt_keys or {})
        self._new_id = new_id
        self._presentations = presentations
        self._known_roots = known_roots
        self._case_maker = case_maker
        self._timer = timer
        self.asks_wallets: Callable[[RelyingPartyId | None], bool] | None = None  # None: nobody serves OpenID4VP here
        self._last_policy: tuple[PolicyRequest, TrustView | None, Policy] | None = None

    def verify(self, data: bytes | str | Evidence, request: PolicyRequest = NO_REQUEST) -> Report:
        """The verdict on whatever was handed in, read or not yet; unreadable things get one too.

        Raises: InvalidRequest when the scenario is not known here or is not the accepting region's.
        """
        report, missing = self._verify(data, request)
        if missing is not None and self._ensure_status is not None:
            self._ensure_status(missing)
            report, _ = self._verify(data, request)
        then = self._asked_then(report, request)
        return report if then is None else self._verify(data, request, then)[0]

    def _asked_then(self, report: Report, request: PolicyRequest) -> StatusView | None:
        """The statuses with the list of that time, where the issuer kept it and that could say more than today's."""
        uri = self._worth_asking_then(report, request)
        if uri is None or request.at is None or self._status_then is None:
            return None
        found = self._status_then(uri, request.at)
        return StatusView({**self._statuses().entries, uri: found}) if isinstance(found, StatusSnapshot) else None

    def _worth_asking_then(self, report: Report, request: PolicyRequest) -> str | None:
        """The status list to ask for, if the verdict is for a time before the one at hand, and is not a refusal.

        What is known now is not hidden by what was thought then: a revocation that took effect before stays.
        """
        attestation, trust, at = report.attestation, self._trust(), request.at
        if self._status_then is None or at is None or attestation is None or trust is None:
            return None
        if report.indication is Indication.FAILED or self._now() - at < _RECENT:
            return None
        entry = self._statuses().get(attestation.status.uri)
        if isinstance(entry, StatusSnapshot) and entry.issued_at <= at:
            return None
        return list_published_by_issuer(attestation, trust)

    def verify_at_once(self, data: bytes | str, request: PolicyRequest = NO_REQUEST) -> Report | None:
        """As `verify`, without waiting for the network; None when a status list would have to be fetched first."""
        report, missing = self._verify(data, request)
        if missing is not None and self._ensure_status is not None:
            return None
        return report if self._worth_asking_then(report, request) is None else None

    def _verify(
        self, data: bytes | str | Evidence, request: PolicyRequest, statuses: StatusView | None = None
    ) -> tuple[Report, str | None]:
        """The report, and the URI of the status list that it hinges on if that is worth fetching."""
        at = request.at or self._now()
        trust = self._trust()
        policy = self._policy(request, trust)
        if isinstance(data, bytes) and is_case_file(data):
            return self.verify_case(data, request).report, None
        try:
            evidence = parse(data) if isinstance(data, bytes | str) else data
        except MalformedEvidence as err:
            kind = None if err.kind is None else EvidenceKind(err.kind)
            assert isinstance(data, bytes | str)  # what was read is readable
            return judge_unreadable(err.reason, kind, digest_of(data), policy, at), None
        report = judge(evidence, trust, self._statuses() if statuses is None else statuses, policy, at)
        return report, list_worth_fetching(report, trust)

    def _policy(self, request: PolicyRequest, trust: TrustView | None) -> Policy:
        """As `_policy`; that of the last request is remembered, for batches."""
        last = self._last_policy
        if last is None or last[0] is not request or last[1] is not trust:
            last = self._last_policy = (request, trust, _policy(request, trust))
        return last[2]

    def verify_case(self, data: bytes, request: PolicyRequest = NO_REQUEST) -> CaseVerdict:
        """What a case file proves: by the rules under which it was made, as of `request.at` or now."""
        at, anchors = request.at or self._now(), request.anchors
        return verify_case_file(
            data,
            known_roots=self._known_roots(),
            trust_now=self._trust(),
            anchors=anchors,
            at=at,
            accepting=_policy(request, self._trust()).accepting,
        )

    def proofs_from(self, data: bytes | str, request: PolicyRequest = NO_REQUEST) -> tuple[ProofOfExistence, ...]:
        """Since when something is proven to exist, by a receipt or case file in `data`; empty when it proves nothing.

        As of `request.at` or now, with the request's anchors. Spec: EN 319 102-1 clause 5.6.2.3.
        """
        at, trust = request.at or self._now(), self._trust()
        if isinstance(data, bytes) and is_case_file(data):
            return proofs_from_case_file(self.verify_case(data, request))
        try:
            evidence = parse(data)
        except MalformedEvidence:
            return ()
        return (
            proofs_from_receipt(evidence, trust, _policy(request, trust), at)
            if isinstance(evidence, ReceiptFile)
            else ()
        )

    def verify_batch(self, items: Sequence[tuple[bytes | str, PolicyRequest]]) -> list[Report]:
        """Verdicts in the order of `items`, all as of one moment; on what is not reached within BATCH_SECONDS, that it
        was not. Raises: RequestTooLarge; InvalidRequest with the item's number in `field`.
        """
        if len(items) > MAX_BATCH:
            raise RequestTooLarge("items", MAX_BATCH, "items")
        began, now = self._timer(), self._now()
        reports = []
        for number, (data, request) in enumerate(items):
            asked = request if request.at else replace(request, at=now)
            try:
                if self._timer() - began > BATCH_SECONDS:
                    reports.append(not_judged(digest_of(data), _policy(asked, self._trust()), asked.at or now))
                else:
                    reports.append(self.verify(data, asked))
            except InvalidRequest as err:
                raise InvalidRequest(f"items[{number}].{err.field}", err.message) from err
        return reports

    def verify_batch_at_once(self, items: Sequence[tuple[bytes | str, PolicyRequest]]) -> list[Report] | None:
        """As `verify_batch` for a few small items (those by the same rules share a request), without waiting for the
        network; None when that would be needed. Raises: InvalidRequest."""
        now, reports = self._now(), []
        last = asked = NO_REQUEST
        for data, request in items:
            if request is not last or asked is NO_REQUEST:
                last, asked = request, request if request.at else replace(request, at=now)
            report = self.verify_at_once(data, asked)
            if report is None:
                return None
            reports.append(report)
        return reports

    def issue_receipt(
        self, data: bytes | str, request: PolicyRequest, relying_party: RelyingPartyId
    ) -> tuple[Report, KeptReceipt]:
        """Verify, sign what was found as `relying_party`, keep it. Whatever the verdict: a refusal needs proof, too.

        A receipt says what held when it was issued, so nobody may ask it for another time: a revoked certificate would
        get a fresh receipt of how it once stood.
        Raises: InvalidRequest; ReceiptsNotOffered when this house holds no receipt key of that party.
        """
        self._receipt_key(relying_party)
        if request.at is not None:
            raise InvalidRequest("at", "a receipt is of the present")
        report = self.verify(data, request)
        return report, self.file_receipt(self.draft_receipt(report, relying_party), relying_party)

    def case_file(
        self,
        data: bytes | str,
        request: PolicyRequest = NO_REQUEST,
        relying_party: RelyingPartyId | None = None,
        report_pdf: Callable[[Report], bytes] | None = None,
    ) -> tuple[Report, bytes]:
        """Verify, and put the evidence into a case file with the verdict and all that it rests on.

        With a receipt, filed, where this house holds a receipt key of `relying_party`; with a printed report, where
        `report_pdf` makes one. Like a receipt it is of the present. Raises: InvalidRequest; CaseFilesNotOffered when
        this house has no time-stamper or no copy of trust data; TimestampUnavailable, TrustMissing, TrustDamaged.
        """
        if self._case_maker is None:
            raise CaseFilesNotOffered
        if request.at is not None:
            raise InvalidRequest("at", "a case file is of the present")
        if is_case_file(data):
            raise InvalidRequest("evidence", "this is a case file already")
        report, receipt = self.verify(data, request), None
        if relying_party is not None and self.offers_receipts(relying_party):
            receipt = self.file_receipt(self.draft_receipt(report, relying_party), relying_party).token
        printed = None if report_pdf is None else report_pdf(report)
        made = self._case_maker.make(data, report, self._trust(), receipt=receipt, report_pdf=printed)
        return report, made

    @property
    def offers_case_files(self) -> bool:
        """Whether this house can make case files."""
        return self._case_maker is not None

    def draft_receipt(self, report: Report, relying_party: RelyingPartyId) -> str:
        """A receipt for a verdict just given, signed and not kept: the edge holds it until somebody files it.

        Raises: ReceiptsNotOffered; InvalidRequest when the party is not registered for the scenario judged for.
        """
        key = self._receipt_key(relying_party)
        if not registered(self._trust(), relying_party, report.policy.scenario):
            raise InvalidRequest("scenario", "this relying party is not registered for it")
        receipt = make_receipt(
            report,
            receipt_id=self._new_id(),
            relying_party=relying_party,
            issued_at=self._now(),
            trust=self._trust(),
            statuses=self._statuses(),
        )
        return sign_receipt(receipt, key)

    def file_receipt(self, draft: str, relying_party: RelyingPartyId) -> KeptReceipt:
        """Keep a draft of this relying party's own; a second time, the same one is answered.

        Raises: ReceiptsNotOffered; InvalidRequest for anything that is not its own draft.
        """
        key = self._receipt_key(relying_party)
        try:
            evidence = parse(draft)
        except MalformedEvidence as err:
            raise InvalidRequest("draft", "not a receipt") from err
        own = isinstance(evidence, ReceiptFile) and evidence.receipt.relying_party == relying_party
        if not isinstance(evidence, ReceiptFile) or not own or not evidence.jws.verified_by(key.certificate.public_key):
            raise InvalidRequest("draft", "not a receipt of this relying party")
        assert self._receipts is not None
        try:
            return self._receipts.get(evidence.receipt.id)
        except ReceiptNotFound:
            self._receipts.keep(evidence.receipt, draft)
            return self._receipts.get(evidence.receipt.id)

    def offers_receipts(self, relying_party: RelyingPartyId) -> bool:
        """Whether this house can sign and keep receipts for the relying party."""
        return self._receipts is not None and relying_party in self._receipt_keys

    def _receipt_key(self, relying_party: RelyingPartyId) -> ReceiptKey:
        key = self._receipt_keys.get(relying_party)
        if key is None or self._receipts is None:
            raise ReceiptsNotOffered(relying_party)
        return key

    @property
    def presentations(self) -> PresentationReader | None:
        """Where one-time codes are read, if a wallet is wired to this house."""
        return self._presentations

    def receipt(self, receipt_id: str, reader: RelyingPartyId | None) -> KeptReceipt:
        """A kept receipt. `reader` None reads all (auditors), others their own. Raises: ReceiptNotFound."""
        if self._receipts is None:
            raise ReceiptNotFound(receipt_id)
        kept = self._receipts.get(receipt_id)
        if reader is not None and kept.relying_party != reader:
            raise ReceiptNotFound(receipt_id)
        return kept

    def receipts_of(self, relying_party: RelyingPartyId) -> list[KeptReceipt]:
        """The latest receipts of one relying party, newest first."""
        return [] if self._receipts is None else self._receipts.of(relying_party)

    @property
    def statuses(self) -> StatusView:
        """The status data in force: what a report says it was judged by."""
        return self._statuses()

    @property
    def trust(self) -> TrustView | None:
        """The trust data in force: regions, scenarios and their names, for pages."""
        return self._trust()


def registered(view: TrustView | None, party: RelyingPartyId, scenario: Scenario | None) -> bool:
    """Whether its region lists the party for the scenario; without a scenario or a list nobody says no."""
    listed = None if view is None else view.lists.get(RegionCode(party.partition("/")[0]))
    if scenario is None or listed is None:
        return True
    return any(each.id == party and scenario.id in each.scenarios for each in listed.relying_parties)


def _policy(request: PolicyRequest, trust: TrustView | None) -> Policy:
    if request is NO_REQUEST:
        return _NO_POLICY
    scenario, accepting = None, request.accepting
    if request.scenario is not None:
        region = RegionCode(request.scenario.partition("/")[0])
        if accepting is not None and accepting != region:
            raise InvalidRequest("scenario", f"not a scenario of region {accepting}")
        accepting = region
        scenario = None if trust is None else trust.scenarios.get(request.scenario)
        if scenario is None and trust is not None:
            raise InvalidRequest("scenario", "no scenario of this id is listed")
    return Policy(
        accepting,
        scenario,
        request.binding,
        request.anchors,
        proofs=request.proofs,
        revocation=request.revocation,
        revocation_rule=request.revocation_rule,
    )
