"""The registry over HTTP: static files as any client reads them, the same facts as JSON."""

from __future__ import annotations

import hashlib
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from keys.signature_form import ecdsa_der
from tests.trust_registry.network import DAY, DAY_0, URL, WEST, Network, west_list, whole_network
from trust_registry.ceremony import propose
from trust_registry.client import TrustStore
from trust_registry.edges import AccountId, Edge, Principal, Role
from trust_registry.errors import TrustMissing, TrustRegistryError, UnknownList, UnknownProposal
from trust_registry.fetching import http_fetch
from trust_registry.model import RegionCode, TrustView
from trust_registry.repository import Repository
from trust_registry.routes import router
from trust_registry.service import RegistryService
from trust_registry.tuf_keys import key_id
from trust_registry.wire import list_from_json

AT = DAY_0 + 40 * DAY


OFFICER = Principal(AccountId("officer"), "Officer", frozenset({Role.REGISTRY_OFFICER}), WEST)


def _unused(*_: object, **__: object) -> Any:
    raise AssertionError("these routes render no page")


def _require(*roles: Role) -> Any:
    assert roles == (Role.REGISTRY_OFFICER,)
    return lambda: OFFICER


@pytest.fixture
def network(tmp_path: Path) -> Network:
    return whole_network(tmp_path)


@pytest.fixture
def service(network: Network) -> RegistryService:
    view = network.store().refresh(network.fetch, DAY_0).view
    return RegistryService(lambda: view, lambda: AT, network.repository, lambda: network.online)


@pytest.fixture
def web(service: RegistryService) -> Iterator[TestClient]:
    app = FastAPI()
    app.include_router(router(service, Edge(_unused, _require, _unused, lambda: AT, lambda _: "zh")))

    @app.exception_handler(TrustRegistryError)
    def refuse(request: object, error: TrustRegistryError) -> Any:
        from fastapi.responses import JSONResponse

        status = 404 if isinstance(error, UnknownList | UnknownProposal) else 409
        return JSONResponse({"error": type(error).__name__}, status)

    with TestClient(app) as client:
        yield client


def get(web: TestClient, path: str, **parameters: str) -> Any:
    answer = web.get(f"/api/registry/{path}", params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_verifier_refreshes_from_the_static_files(web: TestClient, network: Network, tmp_path: Path) -> None:
    store = TrustStore(tmp_path / "far")
    store.bootstrap(network.repository.first_root(), "http://testserver/trust/")

    def through_the_app(request: httpx.Request) -> httpx.Response:
        answer = web.get(request.url.path)
        return httpx.Response(answer.status_code, content=answer.content)

    with httpx.Client(transport=httpx.MockTransport(through_the_app)) as client:
        assert set(store.refresh(http_fetch(client), DAY_0).view.lists) == {"common", "990100", "990200"}


def test_only_the_timestamp_must_be_asked_for_again(web: TestClient) -> None:
    timestamp = web.get("/trust/metadata/timestamp.json")
    assert timestamp.headers["cache-control"] == "public, max-age=0, must-revalidate"
    assert timestamp.headers["access-control-allow-origin"] == "*"
    assert "immutable" in web.get("/trust/metadata/1.root.json").headers["cache-control"]
    assert web.head("/trust/metadata/1.root.json").status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/trust/metadata/2.root.json",
        "/trust/metadata/..%2f..%2fkeys%2fsnapshot.key",
        "/trust/metadata/.timestamp.json.aaaa",
        "/trust/targets/regions/990100/list.json",
        "/trust/targets/%2e%2e/metadata/1.root.json",
        "/trust/targets/regions/990100/..%2f..%2f..%2f..%2f.lock",
        "/trust/targets/regions/990100/" + "0" * 64 + ".list.json",
    ],
)
def test_nothing_else_is_served(web: TestClient, path: str) -> None:
    answer = web.get(path)
    assert answer.status_code == 404
    assert answer.content in {b"", b'{"detail":"Not Found"}'}


def test_recognition_answers_with_its_chain(web: TestClient) -> None:
    question = {
        "issuing": "990100",
        "type": "common/marriage-certificate",
        "accepting": "990200",
        "scenario": "990200/household-transfer",
    }
    answer = get(web, "recognition", **question)
    assert (answer["accepted"], answer["outcome"]) == (True, "recognised")
    assert [link["entry"] for link in answer["chain"]] == [
        "attests/990100/civil-affairs/common/marriage-certificate",
        "recognises/R1",
    ]
    assert answer["entry"]["legal_basis"]["zh"] == "互认协议第七条"
    earlier = get(web, "recognition", **question, at="2026-01-05T00:00:00Z")
    assert earlier["outcome"] == "not_yet"
    refused = get(web, "recognition", issuing="990300", type="x", accepting="990200")
    assert refused["outcome"] == "region_unknown"
    assert refused["entry"] is None


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"issuing": "990100", "type": "t"}, "accepting"),
        ({"issuing": "990100", "type": "t", "accepting": "990200", "at": "2026-01-05T00:00:00"}, "at"),
        ({"issuing": "990100", "type": "t", "accepting": "990200", "at": "soon"}, "at"),
        ({"issuing": "9" * 201, "type": "t", "accepting": "990200"}, "issuing"),
    ],
)
def test_a_question_that_makes_no_sense_names_the_field(
    web: TestClient, parameters: dict[str, str], field: str
) -> None:
    answer = web.get("/api/registry/recognition", params=parameters)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"][-1] == field


def test_regions_types_issuers_and_scenarios_are_listed(web: TestClient) -> None:
    regions = get(web, "regions")
    assert [region["code"] for region in regions["regions"]] == ["common", "990100", "990200"]
    assert regions["regions"][1]["signatures"]["threshold"] == 2
    assert list_from_json(web.get("/api/registry/regions/990200").content).version == 1
    assert len(get(web, "types")["types"]) == 5
    assert get(web, "types/common/marriage-certificate")["names"]["zh"] == "结婚证"
    assert get(web, "issuers/990100/civil-affairs")["uscc"] == "11990100MB0000002X"
    assert get(web, "scenarios")["scenarios"][0]["id"] == "990200/household-transfer"


def test_the_matrix_is_the_one_of_the_time_asked_for(web: TestClient) -> None:
    def state(**parameters: str) -> str:
        rows = get(web, "matrix", **parameters)["rows"]
        (row,) = (r for r in rows if (r["issuing"], r["type"]) == ("990100", "common/marriage-certificate"))
        (found,) = (c["state"] for c in row["cells"] if c["accepting"] == "990200")
        return str(found)

    assert state() == "in_force"
    assert state(at="2026-01-05T00:00:00Z") == "not_yet"


@pytest.mark.parametrize("path", ["issuers/990100/nobody", "types/common/none", "regions/990300", "proposals/none"])
def test_what_is_not_there_is_404(web: TestClient, path: str) -> None:
    assert web.get(f"/api/registry/{path}").status_code == 404


def test_proposals_show_their_difference_and_signatures(web: TestClient, network: Network) -> None:
    waiting = propose(network.repository, replace(west_list(), notice_period=20 * DAY, notice_since=DAY_0), DAY_0)
    (listed,) = get(web, "proposals")["proposals"]
    assert listed["changes"] == [
        {
            "kind": "changed",
            "entry": "notice_period",
            "text": {
                "zh": "公示期由 30 天改为 20 天（适用于 2026-01-01T00:00Z 起公告的互认）",
                "en": "Changes the notice period from 30 days to 20 days, for what is announced from 2026-01-01T00:00Z",
            },
        }
    ]
    assert listed["progress"][0]["missing"] == ["990200 officer 0", "990200 officer 1"]
    assert get(web, f"proposals/{waiting.id}") == listed
    assert not listed["ready"]


def test_the_service_renews_where_it_hosts_and_only_there(service: RegistryService, network: Network) -> None:
    assert service.renew()
    assert network.repository.current().timestamp.signed.expires == AT + 7 * DAY
    assert not service.renew()
    elsewhere = RegistryService(lambda: None, lambda: AT)
    assert not elsewhere.renew()
    assert elsewhere.proposals() == ()
    assert elsewhere.seal_image("sha256:" + "0" * 64) is None
    assert elsewhere.public_folder is None
    with pytest.raises(TrustMissing):
        elsewhere.view()


def test_a_host_that_is_not_founded_has_nothing_to_show(tmp_path: Path) -> None:
    service = RegistryService(lambda: None, lambda: AT, Repository(tmp_path))
    assert service.proposals() == ()
    assert not service.renew()


def test_the_service_knows_regions_and_seal_images(service: RegistryService, network: Network) -> None:
    digest = network.repository.add_image(b"<svg/>")
    assert service.seal_image(digest) == b"<svg/>"
    assert service.region(WEST).code == WEST
    with pytest.raises(UnknownList):
        service.region(RegionCode("990300"))
    assert isinstance(service.view(), TrustView)
    assert URL


def _signature(network: Network, document: Any, number: int) -> dict[str, str]:
    """What an officer's browser hands in: DER over the bytes of the role, hexadecimal."""
    (role,) = document["signed"]
    signer = network.signers[WEST][number]
    raw = signer.sign(b64decode(document["signed"][role]))
    return {"role": role, "keyid": key_id(signer.public_key), "sig": ecdsa_der(raw).hex()}


def test_officers_sign_elsewhere_and_have_it_published(web: TestClient, network: Network) -> None:
    waiting = propose(network.repository, replace(west_list(), notice_period=20 * DAY, notice_since=DAY_0), DAY_0)
    path = f"/api/registry/proposals/{waiting.id}"
    document = web.get(f"{path}/draft").json()
    (role,) = document["roles"]
    assert document["roles"][role]["sha256"] == hashlib.sha256(b64decode(document["signed"][role])).hexdigest()
    assert len(document["roles"][role]["signers"]) == 2
    assert web.post(f"{path}/publication").json() == {"error": "ThresholdNotReached"}
    for number in (0, 1):
        made = _signature(network, document, number)
        kept = web.post(f"{path}/signatures", json=made)
        assert (kept.status_code, kept.json()["ready"]) == (200, number == 1)
        assert web.post(f"{path}/signatures", json=made).status_code == 200  # again: nothing changes
    done = {"published": waiting.id, "in_force": True, "missing_witnesses": {}}
    assert [web.post(f"{path}/publication").json() for _ in range(2)] == [done] * 2
    assert network.repository.list_of(WEST).notice_period == 20 * DAY  # type: ignore[union-attr]
    assert web.get(f"{path}/draft").status_code == 404


def test_a_signature_that_does_not_fit_is_not_kept(web: TestClient, network: Network) -> None:
    """A stolen key of another region, another proposal's signature, garbage: nothing of it counts."""
    waiting = propose(network.repository, replace(west_list(), notice_period=20 * DAY, notice_since=DAY_0), DAY_0)
    path = f"/api/registry/proposals/{waiting.id}"
    document = web.get(f"{path}/draft").json()
    good = _signature(network, document, 0)
    stranger = network.signers[RegionCode("990100")][0]
    foreign = good | {"keyid": key_id(stranger.public_key)}
    other = good | {"sig": ecdsa_der(network.signers[WEST][0].sign(b"something else")).hex()}
    tried = [web.post(f"{path}/signatures", json=each) for each in (foreign, other, good | {"sig": "3000"})]
    errors = ["NotAnOfficer", "SignatureRefused", "SignatureRefused"]
    assert [(a.status_code, a.json()["error"]) for a in tried] == [(409, error) for error in errors]
    bad = ({"sig": "zz"}, {"sig": "00" * 2000}, {"keyid": "x"}, {"extra": "1"}, {"role": ""})
    assert [web.post(f"{path}/signatures", json=good | each).status_code for each in bad] == [422] * len(bad)
    assert web.post(f"{path}/signatures", json=good | {"role": "root"}).json() == {"error": "NotAnOfficer"}
    assert get(web, f"proposals/{waiting.id}")["progress"][0]["signed"] == []
