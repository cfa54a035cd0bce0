"""What a case file proves today: is it whole, since when did it exist, and does its evidence still give its verdict?

The evidence is judged again by `core.judge`: with the trust and status data kept in the file, at the time of the
recorded verdict; and once more as of now with the proof of existence, for what became of keys and methods since. Where
trust data of today are at hand, they tell of a compromise that became known later. No clock, no network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from keys.x509 import Certificate
from trust_registry.bundle import OpenedBundle, open_bundle, roots_of
from trust_registry.errors import TrustDamaged
from trust_registry.model import RegionCode, ScenarioId, StatusView, TrustView
from verifier.archives.model import TRUST, CaseFile
from verifier.archives.reading import read_case_file
from verifier.archives.stamps import Basis, JudgedStamp, judge_stamps, lost_at, proven_at, still_worth
from verifier.core import judge, judge_unreadable
from verifier.core.archives import CaseFacts, ReceiptKept, TrustKept, case_findings, check_dates, check_same_verdict
from verifier.core.findings import decide
from verifier.errors import MalformedEvidence
from verifier.evidence import digest_of, parse
from verifier.model import (
    Check,
    Evidence,
    EvidenceKind,
    Finding,
    Indication,
    Outcome,
    Policy,
    ProofOfExistence,
    ProofSource,
    ReceiptFile,
    Report,
    RevocationRule,
)

_SAID: Final = ("format", "indication", "sub_indication", "decisive", "evidence", "time", "certificate", "policy")
_USUAL: Final = Policy()
_NO_STATUSES: Final = StatusView({})


@dataclass(frozen=True, slots=True)
class CaseVerdict:
    """`report`: the verdict on the evidence today, by what the case file proves; of kind ARCHIVE.

    `recorded`: what the report in it says (None: it holds none that can be read); `found`: what its evidence gave when
    judged again as of then. `proven_at`: its evidence existed by then. `stamps`: oldest first. Times are UTC.
    """

    report: Report
    recorded: Indication | None
    found: Report | None
    proven_at: datetime | None
    stamps: tuple[JudgedStamp, ...]
    case: CaseFile | None


def verify_case_file(
    data: bytes,
    *,
    known_roots: Sequence[bytes],
    at: datetime,
    trust_now: TrustView | None = None,
    anchors: tuple[Certificate, ...] = (),
    accepting: RegionCode | None = None,
) -> CaseVerdict:
    """What the case file in `data` proves as of `at` (UTC). Never raises on content.

    `known_roots`: the roots that this machine trusts (bytes of TUF root metadata): the trust data in the file must
    lead back to one of them. `anchors`: authorities that the asker trusts besides; those that the file names count
    only if they are among them. `trust_now`: verified trust data of today, if there are any. `accepting`: the
    asker's own region, so that time-stampers count only of regions that it recognises.
    """
    try:
        case = read_case_file(data)
    except MalformedEvidence as err:
        kind = EvidenceKind.ARCHIVE
        report = judge_unreadable(err.reason, kind, digest_of(data), Policy(anchors=anchors), at)
        return CaseVerdict(report, None, None, None, (), None)
    return _Case(case, known_roots, trust_now, anchors, at, accepting).judge()


def proofs_from_case_file(verdict: CaseVerdict) -> tuple[ProofOfExistence, ...]:
    """Since when the evidence in a case file exists; empty where nothing proves it, or the file is not whole."""
    whole = verdict.case is not None and not verdict.case.container.broken
    if verdict.proven_at is None or verdict.found is None or not whole:
        return ()
    return (ProofOfExistence(verdict.found.evidence_digest, verdict.proven_at, ProofSource.ARCHIVE_TIMESTAMP),)


class _Case:
    def __init__(  # noqa: PLR0917
        self,
        case: CaseFile,
        known_roots: Sequence[bytes],
        trust_now: TrustView | None,
        anchors: tuple[Certificate, ...],
        at: datetime,
        accepting: RegionCode | None,
    ) -> None:
        self.case, self.at, self.trust_now, self.anchors = case, at, trust_now, anchors
        self.trust, self.kept = _open_kept(case.trust, known_roots, case.asked.judged_at)
        opened = [(self.trust, self.kept, TRUST, case.trust or {})]
        opened += [(*_open_kept(files, known_roots, at), folder, files) for folder, files in case.later.items()]
        pinned = [
            (found, [folder + name for name in files])
            for state, found, folder, files in opened
            if state is TrustKept.GOOD and found is not None
        ]
        self.stamps = judge_stamps(case.container, Basis(pinned, trust_now, anchors, at, accepting))

    def judge(self) -> CaseVerdict:
        case = self.case
        proven = proven_at(self.stamps, case.evidence_name)
        if self.kept is not None and self.trust is TrustKept.GOOD and self._outdated(self.kept):
            self.trust = TrustKept.OUTDATED
        policy = self._policy()
        evidence, found = self._judge_again(policy)
        receipt = self._receipt(evidence)
        facts = CaseFacts(
            case.container.broken,
            case.container.uncovered,
            len(case.container.assertions),
            proven,
            lost_at(self.stamps),
            self.trust,
            receipt,
        )
        findings = case_findings(facts)
        dates = check_dates(case.asked.judged_at, proven, (policy.scenario or policy).status_staleness)
        findings += [] if dates is None else [dates]
        recorded = Indication(case.report["indication"]) if case.report else None
        differs = None if recorded is None else check_same_verdict(recorded, found.indication)
        findings += [] if differs is None else [differs]
        findings += self._today(evidence, found, policy, proven)
        indication, decisive = decide(findings)
        report = replace(
            found,
            indication=indication,
            sub_indication=None if decisive is None else decisive.sub_indication,
            findings=tuple(findings),
            decisive=decisive,
            kind=EvidenceKind.ARCHIVE,
            evidence_digest=case.digest,
            judged_at=self.at,
        )
        return CaseVerdict(report, recorded, found, proven, self.stamps, case)

    def _outdated(self, kept: OpenedBundle) -> bool:
        names = [TRUST + name for name in self.case.trust or {}]
        return not still_worth(kept, names, self.stamps, self.at)

    def _policy(self) -> Policy:
        """The rules of then. What the file itself would have us trust counts only if the asker trusts it, too, and
        it can be stricter than is usual, never more lenient: whoever makes a file could else allow himself anything.
        """
        asked, trust = self.case.asked, self._view()
        scenario = None
        if asked.scenario is not None and trust is not None:
            scenario = trust.scenarios.get(ScenarioId(asked.scenario))
        return Policy(
            None if asked.accepting is None else RegionCode(asked.accepting),
            scenario,
            asked.binding,
            tuple(each for each in self.case.anchors if each in self.anchors),
            min(asked.trust_staleness, _USUAL.trust_staleness),
            min(asked.status_staleness, _USUAL.status_staleness),
            revocation=self.case.revocation,
            revocation_rule=_stricter(asked.revocation_rule),
        )

    def _view(self) -> TrustView | None:
        return None if self.kept is None or self.trust is not TrustKept.GOOD else self.kept.trust

    def _statuses(self) -> StatusView:
        return _NO_STATUSES if self.kept is None else self.kept.statuses

    def _judge_again(self, policy: Policy) -> tuple[Evidence | None, Report]:
        """The evidence, judged with what is kept as of the recorded verdict."""
        at = self.case.asked.judged_at
        try:
            evidence = parse(self.case.evidence)
        except MalformedEvidence as err:
            kind = None if err.kind is None else EvidenceKind(err.kind)
            return None, judge_unreadable(err.reason, kind, self.case.digest, policy, at)
        return evidence, judge(evidence, self._view(), self._statuses(), policy, at)

    def _today(
        self, evidence: Evidence | None, found: Report, policy: Policy, proven: datetime | None
    ) -> Sequence[Finding]:
        """The findings of then, with the one on the time of sealing as it is known and proven now."""
        if evidence is None:
            return found.findings
        if proven is not None:
            proof = ProofOfExistence(evidence.digest, proven, ProofSource.ARCHIVE_TIMESTAMP)
            policy = replace(policy, proofs=(proof,))
        now = [self._judge_now(evidence, policy, view) for view in (self.trust_now, self._view()) if view is not None]
        listed = [report for report in now if _outcome(report, Check.CERTIFICATE_PATH) is Outcome.PASSED]
        today = next(iter(listed or now), None) or self._judge_now(evidence, policy, None)
        times = [finding for finding in today.findings if finding.check is Check.SIGNING_TIME]
        kept = [finding for finding in found.findings if finding.check is not Check.SIGNING_TIME]
        return (*kept, *times)

    def _judge_now(self, evidence: Evidence, policy: Policy, trust: TrustView | None) -> Report:
        return judge(evidence, trust, self._statuses(), policy, self.at)

    def _receipt(self, evidence: Evidence | None) -> ReceiptKept:
        """Whether the receipt is about this evidence and this verdict, and by a key that stood then."""
        if self.case.receipt is None:
            return ReceiptKept.NONE
        try:
            receipt = parse(self.case.receipt)
        except MalformedEvidence:
            return ReceiptKept.DIFFERS
        if not isinstance(receipt, ReceiptFile):
            return ReceiptKept.DIFFERS
        same = evidence is not None and receipt.receipt.evidence == evidence.digest
        if not same or not _same_report(receipt.receipt.report, self.case.report):
            return ReceiptKept.DIFFERS
        at = max(self.case.asked.judged_at, receipt.receipt.issued_at)
        report = judge(receipt, self._view(), self._statuses(), Policy(anchors=self.anchors), at)
        good = _outcome(report, Check.ENTITLEMENT) is Outcome.PASSED
        good = good or any(finding.code == "path_anchor" for finding in report.findings)
        return ReceiptKept.GOOD if good and report.indication is not Indication.FAILED else ReceiptKept.DOUBTFUL


def _stricter(rule: RevocationRule) -> RevocationRule:
    return _USUAL.revocation_rule if rule is RevocationRule.IF_AT_HAND else rule


def _open_kept(
    files: Mapping[str, bytes] | None, known_roots: Sequence[bytes], at: datetime
) -> tuple[TrustKept, OpenedBundle | None]:
    """The trust data kept in the file, as of `at`, followed from a root that is known here if there is one."""
    if files is None:
        return TrustKept.NONE, None
    known = [root for root in roots_of(files) if root in known_roots]
    if not known:
        return TrustKept.UNKNOWN, None  # whoever made them may have made the whole network
    try:
        return TrustKept.GOOD, open_bundle(files, first_root=known[-1], at=at)
    except TrustDamaged:
        return TrustKept.DAMAGED, None


def _same_report(signed: Mapping[str, Any], kept: Mapping[str, Any]) -> bool:
    """Whether both say the same of the same, however they word it."""
    return bool(kept) and _said(signed) == _said(kept)


def _said(report: Mapping[str, Any]) -> tuple[object, ...]:
    findings = report.get("findings")
    named = [each.get("code") for each in findings if isinstance(each, Mapping)] if isinstance(findings, list) else []
    return (*(report.get(part) for part in _SAID), named)


def _outcome(report: Report, check: Check) -> Outcome | None:
    return next((finding.outcome for finding in report.findings if finding.check is check), None)
