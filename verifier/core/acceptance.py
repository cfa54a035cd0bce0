"""Whether this counter may take it from this bearer: recognition by the accepting region, and the holder's binding."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from keys.envelopes.mdoc import DeviceOutcome, check_device_authentication
from keys.envelopes.sd_jwt import CLOCK_SKEW, KeyBindingOutcome, SdJwt, check_key_binding
from keys.envelopes.strict_json import load_json
from keys.errors import MalformedEnvelope
from trust_registry.attestations import Attestation
from trust_registry.core import judge_recognition
from trust_registry.instants import later
from trust_registry.model import RecognitionAnswer, RecognitionOutcome, RegionCode, Scenario, TrustView, TypeId
from verifier.core.findings import RESOLUTION, failed, not_applicable, passed, unknown
from verifier.core.listed import ListedSeal, Remembered
from verifier.model import Check, Credential, Equivalence, Evidence, Finding, MobileDocument, Policy, SubIndication

_RECOGNITION: Final = Check.RECOGNITION
_HOLDER: Final = Check.HOLDER_BINDING
NOT_ASKED: Final = not_applicable(_RECOGNITION, "recognition_not_asked")
NOT_BOUND: Final = not_applicable(_HOLDER, "not_bound")
_NOT_PRESENTED: Final = not_applicable(_HOLDER, "binding_not_shown")
_REMEMBERED: Final = 256
_EVER: Final = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
_ANY_AGE: Final = timedelta(days=36500)
_REFUSALS: Final = {
    RecognitionOutcome.NOT_RECOGNISED: "not_recognised",
    RecognitionOutcome.NOT_YET: "recognition_not_yet",
    RecognitionOutcome.ENDED: "recognition_ended",
    RecognitionOutcome.SCENARIO_NOT_COVERED: "scenario_not_covered",
    RecognitionOutcome.ASSURANCE_TOO_LOW: "assurance_too_low",
}
_BINDINGS: Final = {
    KeyBindingOutcome.OK: passed(_HOLDER, "bound"),
    KeyBindingOutcome.ABSENT: failed(_HOLDER, "binding_missing", SubIndication.SIG_CONSTRAINTS_FAILURE),
    KeyBindingOutcome.BAD_SIGNATURE: failed(_HOLDER, "binding_false", SubIndication.SIG_CRYPTO_FAILURE),
    KeyBindingOutcome.WRONG_NONCE: failed(_HOLDER, "binding_replayed", SubIndication.SIG_CONSTRAINTS_FAILURE),
    KeyBindingOutcome.WRONG_AUDIENCE: failed(_HOLDER, "binding_replayed", SubIndication.SIG_CONSTRAINTS_FAILURE),
    KeyBindingOutcome.STALE: failed(_HOLDER, "binding_old", SubIndication.EXPIRED),
    KeyBindingOutcome.WRONG_SD_HASH: failed(_HOLDER, "binding_false", SubIndication.HASH_FAILURE),
    KeyBindingOutcome.MALFORMED: failed(_HOLDER, "binding_false", SubIndication.FORMAT_FAILURE),
}

_EARLY: Final = failed(_HOLDER, "binding_early", SubIndication.NOT_YET_VALID)
_SESSION_UNKNOWN: Final = not_applicable(_HOLDER, "device_session_unknown")
_NOT_CHECKABLE: Final = unknown(_HOLDER, "device_not_checkable", SubIndication.SIG_CONSTRAINTS_FAILURE)
_DEVICES: Final = {
    DeviceOutcome.OK: _BINDINGS[KeyBindingOutcome.OK],
    DeviceOutcome.FALSE: failed(_HOLDER, "device_binding_false", SubIndication.SIG_CRYPTO_FAILURE),
    DeviceOutcome.NOT_CHECKABLE: _NOT_CHECKABLE,
}


def check_recognition(
    attestation: Attestation | None,
    seal: ListedSeal | None,
    trust: TrustView | None,
    policy: Policy,
    *,
    at: datetime,
    signed_at: datetime,
) -> Finding:
    """Whether the accepting region takes this type from the issuing region for the scenario, by both their lists.

    Recognition counts as of `at`, the issuer's entitlement as of the second `signed_at`: what an office sealed while it
    could stays recognised when the office closes. That this issuer was entitled is `check_entitlement`'s to say.
    """
    accepting, scenario = policy.accepting, policy.scenario
    if accepting is None:
        return NOT_ASKED
    if trust is None or seal is None or attestation is None:
        return unknown(_RECOGNITION, "recognition_unknown", SubIndication.TRY_LATER)
    question = (attestation.type_id, accepting, None if scenario is None else scenario.id)
    signed_at = later(signed_at, RESOLUTION)
    known = seal.remembered.get(question)
    if known is not None and known.scenario is scenario and known.holds(at, signed_at):
        return known.finding
    finding = _recognition(attestation.type_id, seal, trust, policy, at=at, signed_at=signed_at)
    if len(seal.remembered) < _REMEMBERED:
        windows = _unchanged(trust, seal, attestation.type_id, accepting, at=at, signed_at=signed_at)
        seal.remembered[question] = Remembered(finding, scenario, *windows)
    return finding


def _recognition(
    type_id: TypeId, seal: ListedSeal, trust: TrustView, policy: Policy, *, at: datetime, signed_at: datetime
) -> Finding:
    accepting, scenario = policy.accepting, policy.scenario
    assert accepting is not None
    issuing = seal.location.region
    scenario_id = None if scenario is None else scenario.id
    issuer = seal.location.issuer
    answer = judge_recognition(
        trust, issuing, type_id, accepting, scenario_id, at, attested_at=signed_at, issuer=issuer.id
    )
    return recognition_finding(answer, type_id, trust, policy, issuing=seal.region.names, issuer=issuer.names)


def recognition_finding(
    answer: RecognitionAnswer, type_id: TypeId, trust: TrustView, policy: Policy, **facts: Any
) -> Finding:
    """The answer as a finding. `facts`: the names of `issuing` and `issuer`."""
    accepting, scenario = policy.accepting, policy.scenario
    if answer.outcome is RecognitionOutcome.REGION_UNKNOWN:
        return unknown(_RECOGNITION, "region_unknown", SubIndication.SIGNATURE_POLICY_NOT_AVAILABLE)
    if answer.outcome is RecognitionOutcome.NOT_ATTESTED:
        return unknown(_RECOGNITION, "not_attested", SubIndication.CHAIN_CONSTRAINTS_FAILURE, **facts)
    assert accepting is not None
    facts["accepting"] = trust.lists[accepting].names
    facts["chain"] = answer.chain
    if answer.outcome is RecognitionOutcome.ASSURANCE_TOO_LOW and answer.entry is not None:
        facts |= {"assurance": answer.assurance, "wanted": answer.entry.minimum_assurance}
    if not answer.accepted:
        return failed(_RECOGNITION, _REFUSALS[answer.outcome], SubIndication.SIG_CONSTRAINTS_FAILURE, **facts)
    if scenario is not None and not _needed(scenario, type_id, answer):
        return failed(_RECOGNITION, "scenario_needs_another_type", SubIndication.SIG_CONSTRAINTS_FAILURE, **facts)
    if answer.entry is None:
        return passed(_RECOGNITION, "own", **facts)
    entry = answer.entry
    if entry.as_type != type_id or entry.claims:
        facts["as"] = Equivalence(entry.as_type, entry.claims)
    return passed(_RECOGNITION, "recognised", entry=entry.id, since=entry.since, **facts)


def _unchanged(
    trust: TrustView, seal: ListedSeal, type_id: TypeId, accepting: RegionCode, *, at: datetime, signed_at: datetime
) -> tuple[tuple[datetime, datetime], tuple[datetime, datetime]]:
    """The times around `at` and around `signed_at` in which no entry that answers the question changes."""
    entries = trust.recognitions.get((seal.location.region, type_id, accepting), ())
    changes = [change.at for entry in entries for change in entry.history]
    changes += [moment for entry in entries for moment in (entry.since, entry.until, entry.announced_at) if moment]
    histories = [grant.history for grant in seal.grants.get(type_id, ())]
    grants = [change.at for history in (seal.location.issuer.history, *histories) for change in history]
    return _between(changes, at), _between(grants, signed_at)


def _between(changes: Iterable[datetime], at: datetime) -> tuple[datetime, datetime]:
    """The last change until `at` and the first after it."""
    before, after = _EVER
    for change in changes:
        if change <= at:
            before = max(before, change)
        else:
            after = min(after, change)
    return before, after


def _needed(scenario: Scenario, type_id: TypeId, answer: RecognitionAnswer) -> bool:
    """Whether the scenario asks for this type, or for the own type that it is recognised as."""
    types = {type_id}
    if answer.entry is not None:
        types.add(answer.entry.as_type)
    return not scenario.requires or any(not types.isdisjoint(needed.any_of) for needed in scenario.requires)


def check_holder_binding(evidence: Evidence, policy: Policy, at: datetime) -> Finding:
    """Key binding where it is expected or present; elsewhere the clerk compares with an identity document.

    What names its holder's key (`cnf`) and comes without that key's signature is a copy, not the holder's presentation:
    it is told, and whoever needs the holder expects a binding. Spec: RFC 9901 sections 4.3 and 7.3; RFC 7800.
    """
    if isinstance(evidence, MobileDocument):
        return _device_binding(evidence, policy)
    expected = policy.binding
    sd_jwt = evidence.sd_jwt if isinstance(evidence, Credential) else None
    if expected is not None:
        if sd_jwt is None:
            return _BINDINGS[KeyBindingOutcome.ABSENT]
        outcome = check_key_binding(
            sd_jwt, nonce=expected.nonce, audience=expected.audience, at=at, max_age=expected.max_age
        )
        if outcome is KeyBindingOutcome.STALE and _binding_claims(sd_jwt)["iat"] > (at + CLOCK_SKEW).timestamp():
            return _EARLY
        return _BINDINGS[outcome]
    if sd_jwt is None:
        return NOT_BOUND
    if sd_jwt.key_binding is None:
        return _NOT_PRESENTED if "cnf" in sd_jwt.claims else NOT_BOUND
    return _binding_by_itself(sd_jwt, at)


def _device_binding(document: MobileDocument, policy: Policy) -> Finding:
    """The device's authentication for the session that was expected. Nothing of it can be judged without the session.

    Spec: ISO/IEC 18013-5 clause 9.1.3; OpenID4VP 1.0 appendix B.2.6.
    """
    expected, mdoc = policy.binding, document.mdoc
    if expected is None:
        if mdoc.device_signed is not None:
            return _SESSION_UNKNOWN
        return _NOT_PRESENTED if mdoc.mso.names_device else NOT_BOUND
    if mdoc.device_signed is None:
        return _BINDINGS[KeyBindingOutcome.ABSENT]
    if expected.transcript is None:
        return _NOT_CHECKABLE
    return _DEVICES[check_device_authentication(mdoc, expected.transcript, expected.reader_key)]


def _binding_by_itself(sd_jwt: SdJwt, at: datetime) -> Finding:
    """Nobody said what it should be bound to: the signature is judged, not to whom it was shown."""
    claims = _binding_claims(sd_jwt)
    outcome = check_key_binding(
        sd_jwt, nonce=str(claims.get("nonce")), audience=str(claims.get("aud")), at=at, max_age=_ANY_AGE
    )
    if outcome is KeyBindingOutcome.OK:
        return not_applicable(_HOLDER, "bound_elsewhere")
    return _BINDINGS[outcome]


def _binding_claims(sd_jwt: SdJwt) -> Mapping[str, Any]:
    """What the KB-JWT says; empty where that can't be read, which `check_key_binding` tells."""
    assert sd_jwt.key_binding is not None
    try:
        claims = load_json(sd_jwt.key_binding.payload)
    except MalformedEnvelope:
        return {}
    return claims if isinstance(claims, dict) else {}
