"""What the accepting region makes of what a service on another network's list vouches for. Does not look for services.

Spec: the equivalences that the accepting region's list signs (ServiceEquivalence), and its recognitions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from trust_registry.core import judge_recognition
from trust_registry.core.foreign import ForeignAttestation, attestations_of_foreign, foreign_entry
from trust_registry.instants import later
from trust_registry.model import (
    Assurance,
    ForeignService,
    RecognitionAnswer,
    RecognitionOutcome,
    RegionCode,
    TrustView,
    TypeId,
)
from verifier.core.acceptance import recognition_finding
from verifier.core.findings import RESOLUTION, best_first
from verifier.model import Finding, Policy


@dataclass(frozen=True, slots=True)
class Mapped:
    """The finding on recognition, and the type and the assurance that the service is mapped to."""

    finding: Finding
    type_id: TypeId
    assurance: Assurance


def best_mapping(
    service: ForeignService, code: RegionCode, trust: TrustView, policy: Policy, *, signed_at: datetime, at: datetime
) -> Mapped | None:
    """Of the types that the service on the list `code` is mapped to, the one that serves the bearer best.

    None if it is mapped to none, or nobody asks. The entitlement counts as of the second `signed_at`, recognition as of
    `at`. Never raises on content.
    """
    mappings = _mappings(service, code, trust, policy, later(signed_at, RESOLUTION), at)
    return min(mappings, key=lambda mapped: best_first([mapped.finding]), default=None)


def _mappings(  # noqa: PLR0917
    service: ForeignService, code: RegionCode, trust: TrustView, policy: Policy, signed_at: datetime, at: datetime
) -> Iterator[Mapped]:
    accepting = policy.accepting
    entry = None if accepting is None else foreign_entry(trust, accepting, code)
    if accepting is None or entry is None:
        return
    scenario = None if policy.scenario is None else policy.scenario.id
    for type_id in dict.fromkeys(each.type_id for each in entry.equivalences):
        found = attestations_of_foreign(trust, accepting, code, type_id, signed_at, services=[service], read_at=at)
        for attestation in found:
            answer = judge_recognition(trust, code, type_id, accepting, scenario, at, attested_at=signed_at)
            answer = _of_this_service(answer, attestation)
            finding = recognition_finding(answer, type_id, trust, policy, issuing=entry.names, issuer=service.names)
            yield Mapped(finding, type_id, attestation.assurance)


def _of_this_service(answer: RecognitionAnswer, attestation: ForeignAttestation) -> RecognitionAnswer:
    """The answer was about any service on the list, the best one: what counts is whose signature it is."""
    entry = answer.entry
    if entry is None:
        return answer
    outcome = answer.outcome
    if outcome in (RecognitionOutcome.RECOGNISED, RecognitionOutcome.ASSURANCE_TOO_LOW):
        enough = attestation.assurance.rank >= entry.minimum_assurance.rank
        outcome = RecognitionOutcome.RECOGNISED if enough else RecognitionOutcome.ASSURANCE_TOO_LOW
    chain = (*attestation.chain, *answer.chain[-1:])
    return replace(answer, outcome=outcome, assurance=attestation.assurance, chain=chain)
