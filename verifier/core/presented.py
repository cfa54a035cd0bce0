"""Whether what a wallet shows is what it was asked for, and nothing more. The wallet's word for it counts for nothing.

Adds findings to a report that `judge` made; judges no signature itself.
Spec: OpenID4VP 1.0 sections 8.6 and 14.8; appendix B.3.3.1.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from keys.envelopes.base64url import b64url_decode, b64url_encode
from keys.envelopes.strict_json import load_json
from keys.errors import MalformedEnvelope
from verifier.core.findings import decide, failed
from verifier.dcql.matching import Held, claim_options, has_claim
from verifier.dcql.model import MDOC, SD_JWT_VC, ClaimsQuery, CredentialQuery, Path
from verifier.model import Check, Credential, Evidence, Finding, MobileDocument, Report, SubIndication

_HASHES: Final = {"sha-256": hashlib.sha256, "sha-384": hashlib.sha384, "sha-512": hashlib.sha512}
_DEFAULT_HASH: Final = "sha-256"
_BEARERS: Final = "deviceSigned"
SHOWN_OTHER: Final = failed(Check.ACCEPTANCE, "shown_other_than_asked", SubIndication.SIG_CONSTRAINTS_FAILURE)
_MORE: Final = failed(Check.ACCEPTANCE, "shown_more_than_asked", SubIndication.SIG_CONSTRAINTS_FAILURE)
_LESS: Final = failed(Check.ACCEPTANCE, "shown_less_than_asked", SubIndication.SIG_CONSTRAINTS_FAILURE)
_NOT_AUTHORISED: Final = failed(
    Check.HOLDER_BINDING, "transaction_not_authorised", SubIndication.SIG_CONSTRAINTS_FAILURE
)


def check_presented(
    evidence: Evidence, asked: CredentialQuery, others: Sequence[CredentialQuery] = ()
) -> Finding | None:
    """What is wrong with this answer to `asked`; None: nothing.

    `others`: further queries of the same request that were answered. What they ask of the same kind of credential may
    be shown here, too. Spec: section 6.4.
    """
    held = _held(evidence)
    if held is None or held.format != asked.format or (asked.types and held.type not in asked.types):
        return SHOWN_OTHER
    shown, answered = _withholdable(evidence), False
    for option in claim_options(asked):
        if all(has_claim(held, claim) for claim in option):
            answered = True
            if shown <= {_root(claim, asked.format) for claim in (*option, *_kindred(held, others))}:
                return None
    return _MORE if answered else _LESS


def check_transaction_data(evidence: Evidence, sent: Sequence[str]) -> Finding | None:
    """Whether the holder's key authorised all of the transaction data that was `sent` (base64url texts); None: it did.

    That the key binding holds is for the report to say. Spec: appendix B.3.3.1.
    """
    claims = binding_claims(evidence)
    hashes, name = claims.get("transaction_data_hashes"), claims.get("transaction_data_hashes_alg")
    if not isinstance(hashes, list) or not all(isinstance(each, str) for each in hashes):
        return _NOT_AUTHORISED
    for text in sent:
        allowed = _allowed(text)
        if name is None and allowed is not None:
            return _NOT_AUTHORISED  # required where the request named algorithms
        algorithm = _DEFAULT_HASH if name is None else name
        if algorithm not in _HASHES or algorithm not in (allowed or (_DEFAULT_HASH,)):
            return _NOT_AUTHORISED
        if b64url_encode(_HASHES[algorithm](text.encode("ascii")).digest()).decode("ascii") not in hashes:
            return _NOT_AUTHORISED
    return None if len(hashes) == len(sent) else _NOT_AUTHORISED


def binding_claims(evidence: Evidence) -> Mapping[str, Any]:
    """What the holder's key signed in a KB-JWT; empty where there is none that can be read."""
    if not isinstance(evidence, Credential) or evidence.sd_jwt.key_binding is None:
        return {}
    try:
        found = load_json(evidence.sd_jwt.key_binding.payload)
    except MalformedEnvelope:
        return {}
    return found if isinstance(found, dict) else {}


def with_findings(report: Report, more: Collection[Finding | None]) -> Report:
    """The report with further findings, and the verdict that all of them come to."""
    added = tuple(each for each in more if each is not None)
    if not added:
        return report
    findings = (*report.findings, *added)
    indication, decisive = decide(findings)
    sub_indication = None if decisive is None else decisive.sub_indication
    return replace(report, findings=findings, indication=indication, sub_indication=sub_indication, decisive=decisive)


def _held(evidence: Evidence) -> Held | None:
    """The presentation as if it were a holding: what it shows is all that there is. That it is bound is judged."""
    if isinstance(evidence, Credential):
        claims = evidence.sd_jwt.claims
        return Held("", SD_JWT_VC, str(claims.get("vct")), claims)
    if isinstance(evidence, MobileDocument):
        signed = evidence.mdoc.issuer_signed
        return Held("", MDOC, signed.mso.doc_type, signed.elements())
    return None


def _withholdable(evidence: Evidence) -> set[Path]:
    """What the wallet chose to show: the top-level claims of disclosures, the elements of an mdoc.

    What the device signed itself is never asked for, whatever its name: that is the bearer's word, not the issuer's.
    """
    if isinstance(evidence, Credential):
        return {(name,) for name in evidence.sd_jwt.roots}
    assert isinstance(evidence, MobileDocument)  # others are of no format that is asked for
    mdoc = evidence.mdoc
    own = {} if mdoc.device_signed is None else mdoc.device_signed.elements
    added = {(_BEARERS, name_space, name) for name_space, elements in own.items() for name in elements}
    return {(item.name_space, item.identifier) for item in mdoc.issuer_signed.items} | added


def _kindred(held: Held, others: Sequence[CredentialQuery]) -> Iterator[ClaimsQuery]:
    """The claims that other queries ask of the same kind of credential."""
    return (claim for each in others if each.format == held.format and held.type in each.types for claim in each.claims)


def _root(claim: ClaimsQuery, format: str) -> Path:
    return claim.path if format == MDOC else claim.path[:1]


def _allowed(text: str) -> tuple[str, ...] | None:
    """The hash algorithms that this transaction data names; None: it names none."""
    named = load_json(b64url_decode(text.encode("ascii"))).get("transaction_data_hashes_alg")
    return None if named is None else tuple(named)
