"""The credential issuer's metadata, as JSON and signed: what it issues, in which forms, and how to ask for it.

Says only what is so at this moment: types that the region grants, algorithms of the seals at hand. It is signed
with the office's key for status lists, which is its online service key: a seal is put under certificates only.
Spec: OpenID4VCI 1.0 section 12.2, annexes A.2, A.3 and B.2; HAIP 1.0, "Issuer Metadata".
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from issuer.model import RenderingKind, Seal
from issuer.openid4vci.encryption import RequestKeys, encryption_metadata
from issuer.openid4vci.model import CredentialConfiguration, Tenant
from issuer.openid4vci.proofs import PROOF_ALGORITHMS
from issuer.service import IssuerService
from keys.envelopes.jws import sign_jws
from keys.envelopes.strict_json import encode_json
from keys.model import Algorithm
from keys.signer import Signer
from keys.x509 import parse_certificate
from trust_registry.attestations import ISSUER_URN, TYPE_URN
from trust_registry.mdoc_attestations import CORE, doc_type_of
from trust_registry.model import CertificateType, Names

METADATA_TYPE: Final = "openidvci-issuer-metadata+jwt"
SIGNED_LIFE: Final = timedelta(days=1)
_RENEWED: Final = timedelta(hours=1)
_NUMBER: Final = Names("证照编号", "Certificate number")
JSON: Final = "application/json"
JWT: Final = "application/jwt"


class IssuerMetadata:
    """The metadata of every tenant. `attested`: whether key attestations of some wallet provider count here;
    `attestation_required`: whether nothing is bound to a key without one."""

    def __init__(
        self,
        issuer: IssuerService,
        signers: Callable[[str], Signer],
        request_keys: RequestKeys,
        now: Callable[[], datetime],
        *,
        batch_size: int,
        attested: bool,
        attestation_required: bool = False,
    ) -> None:
        self._issuer = issuer
        self._signers = signers
        self._request_keys = request_keys
        self._now = now
        self._batch_size = batch_size
        self._proof_types = ("jwt", "attestation") if attested else ("jwt",)
        # Empty: without demands on how keys are kept. Absent where none is required (section 12.2.4).
        self._required: dict[str, Any] = {"key_attestations_required": {}} if attestation_required else {}
        self._signed: dict[str, tuple[bytes, datetime, str]] = {}

    def document(self, tenant: Tenant) -> dict[str, Any]:
        """The metadata parameters. Spec: OpenID4VCI 1.0 section 12.2.4."""
        at = tenant.identifier
        seals = self._issuer.seals(tenant.issuer_id)
        supported = ((each.id, self._configuration(each, seals)) for each in tenant.configurations)
        return {
            "credential_issuer": at,
            "authorization_servers": [at],
            "credential_endpoint": f"{at}/credential",
            "nonce_endpoint": f"{at}/nonce",
            "deferred_credential_endpoint": f"{at}/deferred_credential",
            "notification_endpoint": f"{at}/notification",
            **encryption_metadata(self._request_keys.jwk(at)),
            "batch_credential_issuance": {"batch_size": self._batch_size},
            "display": _display(tenant.entry.names),
            "credential_configurations_supported": {id_: found for id_, found in supported if found is not None},
        }

    def signed(self, tenant: Tenant) -> str | None:
        """The metadata as a JWT; None where the office has no key at hand. Spec: section 12.2.3.

        Raises what the signer raises.
        """
        key = self._issuer.store.status_signer(tenant.issuer_id)
        if key is None:
            return None
        document, now = self.document(tenant), self._now()
        digest = hashlib.sha256(encode_json(document).encode("utf-8")).digest()
        known = self._signed.get(tenant.identifier)
        if known is not None and known[0] == digest and known[1] <= now < known[1] + _RENEWED:
            return known[2]
        at = int(now.timestamp())
        payload = {
            "iss": ISSUER_URN + tenant.issuer_id,
            "sub": tenant.identifier,
            "iat": at,
            "exp": at + int(SIGNED_LIFE.total_seconds()),
            **document,
        }
        chain = [base64.b64encode(der).decode("ascii") for der in (key.certificate, *key.chain)]
        header = {"typ": METADATA_TYPE, "x5c": chain}
        token = sign_jws(header, encode_json(payload).encode("utf-8"), self._signers(key.key_uri))
        self._signed[tenant.identifier] = (digest, now, token)
        return token

    def _configuration(self, configuration: CredentialConfiguration, seals: Sequence[Seal]) -> dict[str, Any] | None:
        """One entry of credential_configurations_supported; None where no seal at hand is for the type."""
        type_, mdoc = configuration.type, configuration.kind is RenderingKind.MDOC
        used = _algorithms(type_, seals)
        if not used:
            return None
        proof_types = {
            name: {"proof_signing_alg_values_supported": list(PROOF_ALGORITHMS), **self._required}
            for name in self._proof_types
        }
        return {
            "format": configuration.format,
            "scope": configuration.id,
            **({"doctype": doc_type_of(type_.id)} if mdoc else {"vct": TYPE_URN + type_.id}),
            "cryptographic_binding_methods_supported": ["cose_key" if mdoc else "jwk"],
            "credential_signing_alg_values_supported": [each.cose if mdoc else each.jose for each in used],
            "proof_types_supported": proof_types,
            "credential_metadata": {
                "display": [
                    {**each, "background_color": type_.hue, "text_color": "#ffffff"} for each in _display(type_.names)
                ],
                "claims": _claims(type_, mdoc=mdoc),
            },
        }


def preferred_form(accept: str | None) -> str:
    """JSON or JWT, whichever the request's Accept header prefers; JSON when it says nothing. Spec: section 12.2.2,
    RFC 9110 section 12.5.1."""
    weights = {JSON: -1.0, JWT: -1.0}
    wildcard = -1.0
    for part in (accept or "*/*")[:1024].lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        weight = _quality(parameters)
        if name in weights:
            weights[name] = weight
        elif name in ("*/*", "application/*"):
            wildcard = max(wildcard, weight)
    json_weight = weights[JSON] if weights[JSON] >= 0 else wildcard
    return JWT if weights[JWT] > max(json_weight, 0.0) else JSON


def _quality(parameters: Sequence[str]) -> float:
    text = next((each[2:] for each in parameters if each.startswith("q=")), "1")
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 0.0


def _display(names: Names) -> list[dict[str, str]]:
    return [{"name": names.zh, "locale": "zh-CN"}, {"name": names.en, "locale": "en"}]


def _algorithms(type_: CertificateType, seals: Sequence[Seal]) -> list[Algorithm]:
    """Of the seals that may be put under the type, each once."""
    found = (parse_certificate(seal.certificate).public_key.algorithm for seal in seals if type_.id in seal.scope)
    return list({algorithm.jose: algorithm for algorithm in found}.values())


def _claims(type_: CertificateType, *, mdoc: bool) -> list[dict[str, Any]]:
    """In the type's order; the certificate's own number last. Spec: annex B.2, annex C."""
    required = frozenset(type_.schema.get("required", ()))
    namespace = [doc_type_of(type_.id)] if mdoc else []
    described: list[dict[str, Any]] = [
        {"path": [*namespace, each.name], "mandatory": each.name in required, "display": _display(each.names)}
        for each in type_.claims
    ]
    own = [CORE, "certificate_id"] if mdoc else ["certificate_id"]
    return [*described, {"path": own, "mandatory": True, "display": _display(_NUMBER)}]
