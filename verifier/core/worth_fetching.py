"""Which status list a verdict hinges on, so that fetching it may change the verdict. Fetches nothing.

Spec: Token Status List section 8.3; a list is asked for only where the region says that the issuer publishes it.
"""

from __future__ import annotations

from typing import Final

from trust_registry.attestations import Attestation
from trust_registry.model import TrustView
from verifier.model import Report

_WORTH_FETCHING: Final = frozenset(
    {"status_missing", "status_unreachable", "status_malformed", "status_forged", "status_stale", "status_too_old"}
)


def list_worth_fetching(report: Report, trust: TrustView | None) -> str | None:
    """The status list that the verdict hinges on, if a region says that this issuer publishes there.

    What has already failed is not looked up (Token Status List section 8.3).
    """
    attestation = report.attestation
    if report.decisive is None or report.decisive.code not in _WORTH_FETCHING or attestation is None or trust is None:
        return None
    return list_published_by_issuer(attestation, trust)


def list_published_by_issuer(attestation: Attestation, trust: TrustView) -> str | None:
    """The status list's URI, if a region says that this issuer publishes there."""
    issuer = trust.issuers.get(attestation.issuer_id)
    uri = attestation.status.uri
    return uri if issuer is not None and uri.startswith(issuer.status_list_base) else None
