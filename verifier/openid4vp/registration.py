"""What a region registers a relying party for, signed by the region: for wallets that read no lists of ours.

Says what the region's list says, for one scenario, for one key and for minutes. Spec: OpenID4VP 1.0 section 5.11
(`verifier_info`, claim-bound); the shape is that of ETSI TS 119 475's registration certificates, `cnf` RFC 8705's.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from keys.envelopes.base64url import b64url_encode
from keys.envelopes.jws import sign_jws
from keys.envelopes.strict_json import encode_json
from keys.signer import Signer
from keys.x509 import Certificate
from trust_registry.model import Names, RegionCode, TrustView
from verifier.dcql.parsing import query_to_json
from verifier.openid4vp.model import PresentationRequest

FORMAT: Final = "jwt"  # of the entry in `verifier_info`
TYPE: Final = "rc-rp+jwt"


@dataclass(frozen=True, slots=True)
class RegistrarKey:
    """The key of a region's list (use LIST), with the certificate that the region's CA gave it."""

    signer: Signer
    certificate: Certificate


Registrars = Callable[[RegionCode, datetime], RegistrarKey | None]  # None: the key is not in this house


def nobody(region: RegionCode, at: datetime) -> None:
    """Where no region's key is."""
    del region, at


def registration_jwt(
    view: TrustView,
    request: PresentationRequest,
    access: Certificate,
    key: RegistrarKey,
    *,
    list_uri: str,
    at: datetime,
) -> str | None:
    """The registration as a JWT of type `rc-rp+jwt`, in force as long as the request; None when it is listed no more.

    `sub` is the relying party, `credentials` what it may ask for, `cnf` the certificate that it asks with.
    """
    scenario = view.scenarios.get(request.scenario)
    region = view.lists.get(RegionCode(request.relying_party.partition("/")[0]))
    listed = () if region is None else region.relying_parties
    party = next((each for each in listed if each.id == request.relying_party), None)
    if scenario is None or party is None or scenario.id not in party.scenarios:
        return None
    claims: dict[str, Any] = {
        "sub": party.id,
        "name": _in_both(party.names),
        "scenario": scenario.id,
        "purpose": _in_both(scenario.purpose),
        "credentials": [
            {name: each[name] for name in ("format", "meta", "claims") if name in each}
            for each in query_to_json(request.terms.query)["credentials"]
        ],
        "registry_uri": list_uri,
        "cnf": {"x5t#S256": b64url_encode(bytes.fromhex(access.thumbprint)).decode("ascii")},
        "iat": int(at.timestamp()),
        "exp": int(request.expires_at.timestamp()),
    }
    header = {"typ": TYPE, "x5c": [b64encode(key.certificate.der).decode("ascii")]}
    return sign_jws(header, encode_json(claims).encode("utf-8"), key.signer)


def _in_both(names: Names) -> list[dict[str, str]]:
    return [{"lang": language, "value": names.in_language(language)} for language in ("zh", "en")]
