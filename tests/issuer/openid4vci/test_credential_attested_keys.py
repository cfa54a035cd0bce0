"""An issuer that binds certificates to attested keys alone: OpenID4VCI 1.0 section 12.2.4, annexes D, F; HAIP 1.0."""

from __future__ import annotations

from typing import Any

import pytest

from issuer.openid4vci.errors import ProtocolRefusal
from issuer.openid4vci.metadata import IssuerMetadata
from issuer.openid4vci.proofs import Expected, Proven, read_proofs
from tests.issuer.office import DAY_0
from tests.issuer.openid4vci.credential_world import ISSUER, Issuing, WalletProvider, new_key


def proven(issuing: Issuing, *, attestation: str | None, attested: bool = True) -> Proven:
    key = new_key()
    header: dict[str, Any] = {} if attestation is None else {"key_attestation": attestation}
    if attestation == "own":
        header = {"key_attestation": issuing.provider.attest([key], nonce=issuing.nonce())}
    expected = Expected(ISSUER, None, DAY_0, 5, (issuing.provider.ca,), attested)
    return read_proofs({"jwt": [issuing.proof(key, header=header, nonce=issuing.nonce())]}, expected)


def test_a_key_that_nobody_attests_is_invalid_proof(issuing: Issuing) -> None:
    with pytest.raises(ProtocolRefusal) as refused:
        proven(issuing, attestation=None)
    assert refused.value.error == "invalid_proof"
    assert proven(issuing, attestation=None, attested=False).keys
    assert proven(issuing, attestation="own").keys


def test_another_providers_word_is_none(issuing: Issuing) -> None:
    with pytest.raises(ProtocolRefusal) as refused:
        proven(issuing, attestation=WalletProvider().attest([new_key()], nonce=issuing.nonce()))
    assert refused.value.error == "invalid_proof"


@pytest.mark.parametrize("required", [True, False])
def test_metadata_says_key_attestations_required_only_where_they_are(issuing: Issuing, *, required: bool) -> None:
    """Section 12.2.4: it MUST NOT be present otherwise; empty: without demands on how keys are kept."""
    service = issuing.service.credentials
    metadata = IssuerMetadata(
        issuing.service.issuer,
        issuing.office.signer,
        service.request_keys,
        issuing.office.clock,
        batch_size=5,
        attested=True,
        attestation_required=required,
    )
    found = metadata.document(issuing.tenant)["credential_configurations_supported"].values()
    for types in (each["proof_types_supported"] for each in found):
        assert set(types) == {"jwt", "attestation"}
        assert [each.get("key_attestations_required") for each in types.values()] == [{} if required else None] * 2
