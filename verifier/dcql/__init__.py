"""The Digital Credentials Query Language: its model, reading it, and what answers a query. Pure; trusts nobody.

For both sides: a wallet asks what of its holdings answers, a verifier whether what came answers what it asked.
Spec: OpenID4VP 1.0 sections 6 and 7.
"""

from verifier.dcql.matching import (
    Candidate,
    Held,
    Match,
    SetMatch,
    candidate_for,
    claim_options,
    match,
    missing_sets,
    satisfied,
)
from verifier.dcql.model import (
    MDOC,
    SD_JWT_VC,
    ClaimsQuery,
    CredentialQuery,
    CredentialSet,
    DcqlQuery,
    MalformedQuery,
    Path,
    TrustedAuthority,
)
from verifier.dcql.parsing import parse_dcql, query_to_json
from verifier.dcql.paths import select, select_element

__all__ = [
    "MDOC",
    "SD_JWT_VC",
    "Candidate",
    "ClaimsQuery",
    "CredentialQuery",
    "CredentialSet",
    "DcqlQuery",
    "Held",
    "MalformedQuery",
    "Match",
    "Path",
    "SetMatch",
    "TrustedAuthority",
    "candidate_for",
    "claim_options",
    "match",
    "missing_sets",
    "parse_dcql",
    "query_to_json",
    "satisfied",
    "select",
    "select_element",
]
