"""Every presentation of a response to its verdict: bound to this very request, answering it, and by the scenario.

Opens no response and keeps nothing. Spec: OpenID4VP 1.0 sections 8.6 and 14.1; appendices A.4, B.2.6 and B.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from keys.envelopes.base64url import b64url_decode
from keys.envelopes.jwe import AgreementKey
from keys.envelopes.mdoc import dc_api_transcript, openid4vp_transcript, parse_device_response
from keys.errors import MalformedEnvelope
from trust_registry.model import CertificateType, Names, TrustView, TypeId
from verifier.core.presented import SHOWN_OTHER, binding_claims, check_presented, check_transaction_data, with_findings
from verifier.dcql.matching import missing_sets
from verifier.errors import MalformedEvidence
from verifier.evidence import parse
from verifier.model import Check, Evidence, ExpectedBinding, Finding, MobileDocument, Outcome
from verifier.openid4vp.model import Answer, PresentationRequest, PresentedVerdict, ResponseMode, Terms
from verifier.service import PolicyRequest, VerifierService

# What OpenID4VP itself has against a presentation; all else is for whoever asked to weigh.
_PROTOCOL: Final = frozenset({Check.FORMAT, Check.INTEGRITY, Check.HOLDER_BINDING})
_NOT_ASKED: Final = frozenset({"shown_other_than_asked", "shown_more_than_asked", "shown_less_than_asked"})


@dataclass(frozen=True, slots=True)
class Judgement:
    """`missing`: the first type of each requirement for which nothing was shown."""

    verdicts: tuple[PresentedVerdict, ...]
    missing: tuple[Names, ...]

    @property
    def rejected(self) -> bool:
        """Whether the specification has the response rejected. Spec: sections 8.6 and 14.1.2."""
        return bool(self.missing) or any(_against(each) for each in self.verdicts)


def judge_answer(
    verifier: VerifierService,
    request: PresentationRequest,
    answer: Answer,
    response_uri: str,
    key: AgreementKey | None,
) -> Judgement:
    """The verdict on each presentation as of when it came, in the query's order. `key`: what it was encrypted to.

    Raises: InvalidRequest (the scenario is not listed any more).
    """
    terms, trust = request.terms, verifier.trust
    binding = _binding(terms, response_uri, answer.origin, key)
    policy = PolicyRequest(scenario=request.scenario, at=answer.received_at, binding=binding)
    asked = [each for each in terms.query.credentials if each.id in answer.presentations]
    shown = [(each, text, _evidence(text)) for each in asked for text in answer.presentations[each.id]]
    authorised = _authorised(terms, [evidence for _, _, evidence in shown])
    verdicts = []
    for query, text, evidence in shown:
        report = verifier.verify(text if evidence is None else evidence, policy)
        if evidence is not None:
            others = [each for each in asked if each is not query]
            against = SHOWN_OTHER if _partial(text, evidence) else check_presented(evidence, query, others)
            report = with_findings(report, [against, authorised.get(id(evidence))])
        verdicts.append(PresentedVerdict(query.id, _names(trust, terms.types[query.id]), report))
    missing = missing_sets(terms.query, answer.presentations)
    firsts = (terms.types[each.options[0][0]] for each in missing)
    return Judgement(tuple(verdicts), tuple(_names(trust, type_id) for type_id in firsts))


def _binding(terms: Terms, response_uri: str, origin: str | None, key: AgreementKey | None) -> ExpectedBinding:
    """What the holder's key must have signed. A device may use a MAC where it was given a key to agree with."""
    thumbprint = None if key is None else b64url_decode(key.thumbprint.encode("ascii"))
    if terms.mode is ResponseMode.DC_API_JWT:
        assert origin is not None  # kept with every answer through the browser's API
        transcript = dc_api_transcript(origin=origin, nonce=terms.nonce, encryption_key=thumbprint)
        return ExpectedBinding(terms.nonce, f"origin:{origin}", transcript=transcript, reader_key=key)
    transcript = openid4vp_transcript(
        client_id=terms.client_id, nonce=terms.nonce, response_uri=response_uri, encryption_key=thumbprint
    )
    # Where no key was given to agree with, no MAC is right: this one is known to nobody.
    return ExpectedBinding(
        terms.nonce, terms.client_id, transcript=transcript, reader_key=key or AgreementKey.generate()
    )


def _evidence(text: str) -> Evidence | None:
    try:
        return parse(text)
    except MalformedEvidence:
        return None  # the verdict says so


def _partial(text: str, evidence: Evidence) -> bool:
    """Whether an mdoc came without the DeviceResponse around it. Spec: appendix B.2.5."""
    if not isinstance(evidence, MobileDocument):
        return False
    try:
        parse_device_response(b64url_decode(text.strip().rstrip("=").encode("ascii")))
    except MalformedEnvelope:
        return True
    return False


def _authorised(terms: Terms, shown: Sequence[Evidence | None]) -> dict[int, Finding | None]:
    """By the `id` of the evidence, what is wrong with its authorisation of the transaction data.

    One of the presentations authorises it; where none claims to, that is held against the first. Spec: section 8.4.
    """
    readable = [each for each in shown if each is not None]
    if not terms.transaction_data or not readable:
        return {}
    claiming = [each for each in readable if "transaction_data_hashes" in binding_claims(each)]
    return {id(each): check_transaction_data(each, terms.transaction_data) for each in claiming or readable[:1]}


def _against(verdict: PresentedVerdict) -> bool:
    failed = (each for each in verdict.report.findings if each.outcome is Outcome.FAILED)
    return any(each.check in _PROTOCOL or each.code in _NOT_ASKED for each in failed)


def _names(trust: TrustView | None, type_id: TypeId) -> Names:
    known: CertificateType | None = None if trust is None else trust.types.get(type_id)
    return Names(type_id, type_id) if known is None else known.names
