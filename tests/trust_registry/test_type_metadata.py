"""The catalogue for others: SD-JWT VC type metadata, schemas and elements, as documents and over HTTP."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from jsonschema import Draft202012Validator

from tests.trust_registry.network import Network, common_list, next_version, whole_network
from tests.trust_registry.test_attestations import attestation
from trust_registry.attestations import to_copy_claims, to_sd_jwt_claims
from trust_registry.catalogue import COMMON_TYPES, MARRIAGE_CERTIFICATE
from trust_registry.mdoc_attestations import CORE_ELEMENTS, to_mdoc
from trust_registry.model import CertificateType, Names, TrustView, TypeId
from trust_registry.service import RegistryService
from trust_registry.type_documents import current_document
from trust_registry.type_metadata import (
    TypeDocument,
    claims_schema,
    example_query,
    integrity,
    make_document,
    mdoc_elements,
    text_on,
    type_metadata,
)
from trust_registry.type_routes import router

TYPES = {each.id: each for each in COMMON_TYPES}
EVERY = pytest.mark.parametrize("type", COMMON_TYPES, ids=lambda each: each.id)
PINNED = {  # digests are named by credentials in wallets: what has once been published does not change
    "common/business-licence": "de4400110fa87689",
    "common/degree-certificate": "5b475af86d8ab6a6",
    "common/driving-licence": "ae45ed0a329006fc",
    "common/household-register": "ec8c2037d3bf0575",
    "common/marriage-certificate": "65f5e1b594cb5d6a",
}


@pytest.fixture
def network(tmp_path: Path) -> Network:
    return whole_network(tmp_path)


def serve(network: Network) -> TestClient:
    view: TrustView = network.store().refresh(network.fetch, network.now).view
    service = RegistryService(lambda: view, lambda: network.now, network.repository, lambda: network.online)
    app = FastAPI()
    app.include_router(router(service))
    return TestClient(app)


def publish_types(network: Network, types: dict[TypeId, CertificateType]) -> None:
    changed = next_version(common_list(), defines=tuple(types.values()))
    network.now = changed.issued_at
    network.publish(changed)


@pytest.fixture
def web(network: Network) -> Iterator[TestClient]:
    with serve(network) as client:
        yield client


@EVERY
def test_the_bytes_stay_what_they_were(type: CertificateType) -> None:
    """SD-JWT VC section 6: whoever has a digest of it MUST reject another document."""
    assert sha256(make_document(type, TypeDocument.VCT)).hexdigest()[:16] == PINNED[type.id]


@EVERY
def test_the_type_metadata_describes_every_claim_in_both_languages(type: CertificateType) -> None:
    """Section 5.6: locales, labels, paths; 5.5: a name for each locale, colours of the rendering method "simple"."""
    document = type_metadata(type)
    assert document["vct"] == f"urn:yinxin:type:{type.id}"
    assert [each["locale"] for each in document["display"]] == ["zh-CN", "en"]
    assert all(each["rendering"]["simple"]["background_color"] == type.hue for each in document["display"])
    paths = [claim["path"] for claim in document["claims"]]
    assert paths == [["certificate_id"], ["seal_id"], *([c.name] for c in type.claims)]
    for claim in document["claims"]:
        assert [each["locale"] for each in claim["display"]] == ["zh-CN", "en"]
        assert all(each["label"] for each in claim["display"])
        assert claim.get("sd", "allowed") in {"always", "never", "allowed"}


@pytest.mark.parametrize("make", ["rendering", "copy"])
def test_credentials_keep_the_rules_of_their_type_metadata(make: str) -> None:
    """Section 5.6: a claim that is not selectively disclosable as `sd` says, or a mandatory one that is not there, MUST
    lead to rejection."""
    type = TYPES[MARRIAGE_CERTIFICATE]
    made = attestation()
    claims, disclosable = to_sd_jwt_claims(made, type) if make == "rendering" else to_copy_claims(made)
    for rule in type_metadata(type)["claims"]:
        (name,) = rule["path"]
        assert not rule["mandatory"] or name in claims
        if rule.get("sd") == "always":
            assert name in disclosable or name not in claims
        if rule.get("sd") == "never":
            assert name not in disclosable


@EVERY
def test_the_schema_is_one_and_judges_like_the_types_own(type: CertificateType) -> None:
    schema = claims_schema(type)
    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == f"urn:yinxin:schema:{type.id}:{type.version}"
    assert schema["required"] == type.schema["required"]
    assert {name: {k: v for k, v in p.items() if k != "title"} for name, p in schema["properties"].items()} == dict(
        type.schema["properties"]
    )
    assert all(p["title"] for p in schema["properties"].values())


def test_the_elements_are_those_of_the_mdoc() -> None:
    document = mdoc_elements(TYPES[MARRIAGE_CERTIFICATE])
    content = to_mdoc(attestation())
    assert document["doctype"] == content.doc_type
    for space, elements in content.elements.items():
        assert elements.keys() <= {each["identifier"] for each in document["namespaces"][space]}
    assert document["core"] == {"namespace": "org.yinxin.certificate.1", "elements": list(CORE_ELEMENTS)}
    assert {each["type"] for space in document["namespaces"].values() for each in space} == {"tstr"}


def test_the_example_asks_for_either_format_and_for_what_a_verdict_needs() -> None:
    query = example_query(TYPES[MARRIAGE_CERTIFICATE])
    sd_jwt, mdoc = query["credentials"]
    assert sd_jwt["claims"][0] == {"path": ["certificate_id"]}
    assert [each["path"][1] for each in mdoc["claims"][:3]] == list(CORE_ELEMENTS)
    assert query["credential_sets"] == [{"options": [["sd_jwt"], ["mdoc"]]}]


@pytest.mark.parametrize(("hue", "ink"), [("#9b2226", "#ffffff"), ("#f0e6c8", "#1b1f24"), ("#000000", "#ffffff")])
def test_text_can_be_read_on_the_types_colour(hue: str, ink: str) -> None:
    assert text_on(hue) == ink


def test_a_type_that_no_mdoc_can_name_has_no_elements() -> None:
    with pytest.raises(ValueError, match="no document type"):
        make_document(replace(TYPES[MARRIAGE_CERTIFICATE], id=TypeId("common/a.b")), TypeDocument.MDOC)


@pytest.mark.parametrize(
    ("name", "media"),
    [("vct.json", "application/json"), ("schema.json", "application/schema+json"), ("mdoc.json", "application/json")],
)
def test_documents_are_served_to_any_origin(web: TestClient, name: str, media: str) -> None:
    """Section 5.3.1 (`application/json`), 3 (an explicit freshness lifetime), 7.2 (nosniff, no active content)."""
    answer = web.get(f"/types/{MARRIAGE_CERTIFICATE}/{name}", headers={"Origin": "https://wallet.example"})
    assert answer.status_code == 200
    assert answer.headers["content-type"].split(";")[0] == media
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cache-control"] == "public, max-age=300, must-revalidate"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "default-src 'none'"
    again = web.get(answer.url.path, headers={"If-None-Match": f'W/{answer.headers["etag"]}, "other"'})
    assert (again.status_code, again.content) == (304, b"")


def test_the_index_leads_to_documents_that_are_what_it_says(web: TestClient) -> None:
    index = web.get("/types.json").json()["types"]
    assert {each["id"] for each in index} == set(TYPES)
    for entry in index:
        for kind in ("vct", "schema", "mdoc"):
            document = entry[f"{kind}_document"]
            found = web.get(document["uri"])
            algorithm, _, digest = document["uri#integrity"].partition("-")
            assert (algorithm, b64decode(digest)) == ("sha256", sha256(found.content).digest())
            assert found.headers["cache-control"].endswith("immutable")
        assert web.get(entry["vct_document"]["uri"]).json()["vct"] == entry["vct"]


def test_an_earlier_version_is_found_by_its_digest(network: Network) -> None:
    before = current_document(TYPES[MARRIAGE_CERTIFICATE], TypeDocument.VCT)
    renamed = replace(TYPES[MARRIAGE_CERTIFICATE], names=Names("婚姻证书", "Certificate of Marriage"), version=2)
    publish_types(network, {**TYPES, MARRIAGE_CERTIFICATE: renamed})
    with serve(network) as web:
        path = f"/types/{MARRIAGE_CERTIFICATE}/vct.json"
        assert web.get(path).json()["name"] == "Certificate of Marriage"
        old = web.get(path, params={"v": before.digest})
        assert old.content == before.content
        assert old.headers["cache-control"].endswith("immutable")


@pytest.mark.parametrize("digest", ["0" * 64, "", "../../etc/passwd", "A" * 64, "0" * 65])
def test_a_digest_that_was_never_published_is_not_found(web: TestClient, digest: str) -> None:
    answer = web.get(f"/types/{MARRIAGE_CERTIFICATE}/vct.json", params={"v": digest})
    assert (answer.status_code, answer.headers["cache-control"]) == (404, "no-store")


@pytest.mark.parametrize(
    "path",
    [
        "common/nothing/vct.json",
        "common/marriage-certificate/other.json",
        "x/y/mdoc.json",
        "..%2Fcommon/marriage-certificate/vct.json",
    ],
)
def test_types_that_nobody_defines_have_no_documents(web: TestClient, path: str) -> None:
    assert web.get(f"/types/{path}").status_code == 404


def test_the_integrity_of_a_document_is_that_of_its_bytes() -> None:
    """The example of section 6 is of this form; W3C SRI section 3."""
    assert integrity(b"") == "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
    assert json.loads(make_document(TYPES[MARRIAGE_CERTIFICATE], TypeDocument.VCT))["vct"].endswith(
        "marriage-certificate"
    )
