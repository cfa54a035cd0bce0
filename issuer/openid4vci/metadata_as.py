"""What each authorization server says of itself. Spec: RFC 8414 section 2, OpenID4VCI 1.0 section 12.3."""

from __future__ import annotations

from typing import Any

from issuer.openid4vci.attestation import METHOD, WalletAttestations
from issuer.openid4vci.dpop import ALGORITHM_NAMES
from issuer.openid4vci.model import Tenant
from issuer.openid4vci.requested import DETAIL_TYPE
from issuer.openid4vci.token_endpoint import GRANT_TYPES


def as_metadata(tenant: Tenant, attestations: WalletAttestations) -> dict[str, Any]:
    """The metadata document of the tenant's authorization server."""
    issuer = tenant.identifier
    document: dict[str, Any] = {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "pushed_authorization_request_endpoint": f"{issuer}/par",
        "require_pushed_authorization_requests": True,
        "token_endpoint": f"{issuer}/token",
        "token_endpoint_auth_methods_supported": ["none"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": list(GRANT_TYPES),
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "dpop_signing_alg_values_supported": list(ALGORITHM_NAMES),
        "scopes_supported": [each.id for each in tenant.configurations],
        "authorization_details_types_supported": [DETAIL_TYPE],
        "ui_locales_supported": ["zh-CN", "en"],
        "pre-authorized_grant_anonymous_access_supported": not attestations.required,
    }
    if attestations.anchors or attestations.required:
        methods = [METHOD] if attestations.required else [METHOD, "none"]
        document |= {
            "token_endpoint_auth_methods_supported": methods,
            "client_attestation_signing_alg_values_supported": list(ALGORITHM_NAMES),
            "client_attestation_pop_signing_alg_values_supported": list(ALGORITHM_NAMES),
            "challenge_endpoint": f"{issuer}/challenge",
        }
    return document
