"""The credential issuer's metadata: OpenID4VCI 1.0 section 12.2, annexes A.2.2, A.3.2 and B.2; HAIP 1.0."""

from __future__ import annotations

import json
from base64 import b64decode
from dataclasses import replace
from typing import Any

import pytest

from issuer.model import RenderingKind
from issuer.openid4vci.metadata import JSON, JWT, preferred_form
from keys.certificate_names import self_signed
from keys.envelopes.base64url import b64url_decode
from keys.envelopes.jws import parse_jws
from keys.envelopes.mdoc import parse_mdoc
from keys.envelopes.sd_jwt import parse_sd_jwt
from keys.x509 import PathOutcome, parse_certificate, validate_path
from tests.issuer.office import DAY_0
from tests.issuer.openid4vci.credential_world import ISSUER, MDOC, ORIGIN, OTHER_ISSUER, SD_JWT, Issuing

INSERTED = "/.well-known/openid-credential-issuer"


def url_of(issuer: str) -> str:
    """Section 12.2.2: inserted between the host and the path."""
    return f"{ORIGIN}{INSERTED}{issuer.removeprefix(ORIGIN)}"


def metadata(issuing: Issuing, issuer: str = ISSUER, **headers: str) -> Any:
    return issuing.client.get(url_of(issuer), headers=headers)


@pytest.fixture
def document(issuing: Issuing) -> dict[str, Any]:
    found: dict[str, Any] = metadata(issuing).json()
    return found


def test_it_lies_at_the_inserted_path_and_names_the_very_identifier(issuing: Issuing) -> None:
    for issuer in (ISSUER, OTHER_ISSUER):
        answer = metadata(issuing, issuer)
        assert (answer.status_code, answer.headers["content-type"]) == (200, JSON)
        assert answer.json()["credential_issuer"] == issuer


def test_appending_the_well_known_path_is_not_the_place(issuing: Issuing) -> None:
    assert issuing.client.get(f"{ISSUER}{INSERTED}").status_code == 404
    assert issuing.client.get(f"{ORIGIN}{INSERTED}").status_code == 404


@pytest.mark.parametrize("path", ["issuers/990100/nobody", "issuers/990100", "issuers", "990100/civil-affairs"])
def test_an_unknown_tenant_has_none(issuing: Issuing, path: str) -> None:
    assert issuing.client.get(f"{ORIGIN}{INSERTED}/{path}").status_code == 404


def test_scripts_of_any_origin_may_read_it(issuing: Issuing) -> None:
    assert metadata(issuing, origin="https://wallet.example").headers["access-control-allow-origin"] == "*"


def test_its_endpoints_are_below_the_identifier_and_answer(issuing: Issuing, document: dict[str, Any]) -> None:
    assert document["authorization_servers"] == [ISSUER]
    for name in ("credential_endpoint", "nonce_endpoint", "deferred_credential_endpoint", "notification_endpoint"):
        assert document[name].startswith(f"{ISSUER}/")
        assert issuing.client.post(document[name]).status_code in (200, 400, 401)


def test_batches_are_two_at_least(document: dict[str, Any]) -> None:
    assert document["batch_credential_issuance"]["batch_size"] >= 2


def test_encryption_says_all_that_is_required(document: dict[str, Any]) -> None:
    request, response = document["credential_request_encryption"], document["credential_response_encryption"]
    assert request["encryption_required"] is response["encryption_required"] is False
    assert all({"kid", "alg", "kty"} <= set(key) for key in request["jwks"]["keys"])
    assert request["enc_values_supported"] == response["enc_values_supported"] == ["A128GCM", "A256GCM"]
    assert response["alg_values_supported"] == ["ECDH-ES"]


def test_there_is_one_display_for_each_language(document: dict[str, Any]) -> None:
    found = document["credential_configurations_supported"]
    displays = [document["display"], *(each["credential_metadata"]["display"] for each in found.values())]
    displays += [claim["display"] for each in found.values() for claim in each["credential_metadata"]["claims"]]
    for display in displays:
        assert sorted(each["locale"] for each in display) == ["en", "zh-CN"]
        assert all(each["name"] for each in display)


def test_every_configuration_has_a_scope_and_proof_types(document: dict[str, Any]) -> None:
    """HAIP 1.0 "Issuer Metadata"; section 12.2.4: proof_types_supported goes with the binding methods."""
    for id_, each in document["credential_configurations_supported"].items():
        assert each["scope"] == id_
        assert each["cryptographic_binding_methods_supported"] in (["jwk"], ["cose_key"])
        assert set(each["proof_types_supported"]) == {"jwt", "attestation"}
        for proof_type in each["proof_types_supported"].values():
            assert "ES256" in proof_type["proof_signing_alg_values_supported"]
            assert "none" not in proof_type["proof_signing_alg_values_supported"]
            assert "key_attestations_required" not in proof_type


def test_only_providers_that_are_known_make_attestations_a_proof_type(issuing: Issuing) -> None:
    plain = issuing.service.credentials.metadata
    without = type(plain)(
        issuing.office.service,
        issuing.office.signer,
        issuing.service.credentials.request_keys,
        issuing.office.clock,
        batch_size=20,
        attested=False,
    )
    found = without.document(issuing.tenant)["credential_configurations_supported"]
    assert all(set(each["proof_types_supported"]) == {"jwt"} for each in found.values())


def test_an_sd_jwt_vc_configuration_says_what_is_issued(issuing: Issuing, document: dict[str, Any]) -> None:
    described = document["credential_configurations_supported"][SD_JWT]
    answer = issuing.ask(issuing.token()["access_token"], issuing.request(SD_JWT)).json()
    issued = parse_sd_jwt(answer["credentials"][0]["credential"])
    assert described["format"] == "dc+sd-jwt"
    assert described["vct"] == issued.claims["vct"]
    assert described["cryptographic_binding_methods_supported"] == ["jwk"]
    assert described["credential_signing_alg_values_supported"] == [issued.jws.algorithm.jose]
    for claim in described["credential_metadata"]["claims"]:
        (name,) = claim["path"]
        assert name in issued.claims or not claim["mandatory"]


def test_an_mdoc_configuration_says_what_is_issued(issuing: Issuing, document: dict[str, Any]) -> None:
    described = document["credential_configurations_supported"][MDOC]
    answer = issuing.ask(issuing.token()["access_token"], issuing.request(MDOC)).json()
    issued = parse_mdoc(b64url_decode(answer["credentials"][0]["credential"].encode()))
    assert described["format"] == "mso_mdoc"
    assert described["doctype"] == issued.mso.doc_type
    assert described["cryptographic_binding_methods_supported"] == ["cose_key"]
    assert described["credential_signing_alg_values_supported"] == [-7]
    elements = issued.issuer_signed.elements()
    for claim in described["credential_metadata"]["claims"]:
        name_space, identifier = claim["path"]
        assert identifier in elements[name_space] or not claim["mandatory"]


def test_no_claim_is_described_twice(document: dict[str, Any]) -> None:
    """Annex B.3: repeated descriptions abort the processing."""
    for each in document["credential_configurations_supported"].values():
        paths = [tuple(claim["path"]) for claim in each["credential_metadata"]["claims"]]
        assert len(set(paths)) == len(paths)


def test_both_forms_of_every_granted_type_are_there_and_nothing_else(
    issuing: Issuing, document: dict[str, Any]
) -> None:
    granted = {grant.type_id for grant in issuing.office.entry.grants}
    formats = {(each.type.id, each.kind) for each in issuing.tenant.configurations}
    assert formats == {(id_, kind) for id_ in granted for kind in (RenderingKind.SD_JWT_VC, RenderingKind.MDOC)}
    assert len(document["credential_configurations_supported"]) == len(formats)


def test_what_no_seal_may_seal_is_not_announced(issuing: Issuing, monkeypatch: pytest.MonkeyPatch) -> None:
    narrow = (replace(issuing.office.seal, scope=frozenset({issuing.tenant.configurations[0].type.id})),)
    monkeypatch.setattr(issuing.office.service, "seals", lambda _: narrow)
    assert len(metadata(issuing).json()["credential_configurations_supported"]) == 2


# Signed


def signed(issuing: Issuing) -> Any:
    answer = metadata(issuing, accept="application/jwt")
    assert (answer.status_code, answer.headers["content-type"]) == (200, JWT)
    return parse_jws(answer.text)


def test_signed_metadata_says_the_same_with_who_and_when(issuing: Issuing, document: dict[str, Any]) -> None:
    jws = signed(issuing)
    payload = json.loads(jws.payload)
    assert jws.header["typ"] == "openidvci-issuer-metadata+jwt"
    assert jws.header["alg"] == "ES256"
    assert payload["sub"] == ISSUER
    assert payload["iat"] == int(DAY_0.timestamp()) < payload["exp"]
    assert document.items() <= payload.items()


def test_signed_metadata_brings_its_chain_without_the_anchor(issuing: Issuing) -> None:
    """HAIP 1.0: the anchor MUST NOT be in x5c, and the signer MUST NOT be self-signed."""
    jws = signed(issuing)
    signer, *others = [parse_certificate(b64decode(each)) for each in jws.header["x5c"]]
    ca = issuing.office.keys.ca
    assert not any(self_signed(each) or each == ca for each in (signer, *others))
    assert validate_path(signer, others, [ca], DAY_0).outcome is PathOutcome.OK
    assert jws.verified_by(signer.public_key)


def test_signed_metadata_is_made_anew_every_hour_and_when_it_changes(issuing: Issuing) -> None:
    first = metadata(issuing, accept=JWT).text
    assert metadata(issuing, accept=JWT).text == first
    issuing.later(hours=1)
    second = metadata(issuing, accept=JWT).text
    assert second != first
    entry = issuing.office.entry
    issuing.office.entry = replace(entry, grants=entry.grants[:1])
    try:
        assert metadata(issuing, accept=JWT).text != second
    finally:
        issuing.office.entry = entry


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        *((None, JSON), ("", JSON), ("*/*", JSON), ("application/*", JSON), (JSON, JSON), ("text/html", JSON)),
        *((JWT, JWT), (f"{JWT}, {JSON};q=0.9", JWT), (f"{JSON}, {JWT};q=0.9", JSON), (f"{JWT}, {JSON}", JSON)),
        *((f"{JWT};q=0", JSON), (f"{JWT};q=x", JSON), (f"{JWT}, */*;q=0.1", JWT), ("Application/JWT", JWT)),
        *((f"{JWT};q=0.5, */*", JSON), (f"{JWT}; q=0.8 , {JSON}; q=0.2", JWT)),
    ],
)
def test_the_accept_header_chooses_the_form(accept: str | None, form: str) -> None:
    assert preferred_form(accept) == form


def test_an_office_without_a_key_at_hand_answers_unsigned(issuing: Issuing, monkeypatch: pytest.MonkeyPatch) -> None:
    """Section 12.2.2: MUST support the unsigned form, MAY support the signed one."""
    monkeypatch.setattr(issuing.office.service.store, "status_signer", lambda _: None)
    assert metadata(issuing, accept=JWT).headers["content-type"] == JSON
