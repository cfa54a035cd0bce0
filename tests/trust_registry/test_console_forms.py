"""The console's forms over HTTP: each ends in a proposal for the officer's own region, and nothing typed is lost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient

from keys.algorithms import ES256
from keys.certificate_requests import make_request, request_pem
from keys.signer import EphemeralSigner
from keys.x509 import Profile, make_certificate
from server.edge import make_edge
from server.errors import NotPermitted, NotSignedIn
from tests.trust_registry.network import DAY, DAY_0, EAST, WEST, Network, east_list, office, west_list, whole_network
from trust_registry.ceremony import pending
from trust_registry.core import status_at
from trust_registry.edges import AccountId, Principal, Role
from trust_registry.model import EntryReason, EntryStatus, RegionCode
from trust_registry.pages import router
from trust_registry.pages.frame import read_instant
from trust_registry.service import RegistryService

AT = DAY_0 + 5 * DAY
MARRIAGE = "990100|common/marriage-certificate"


class Access:
    """Whoever `who` names is signed in."""

    def __init__(self) -> None:
        self.who: Principal | None = officer(WEST)

    def principal(self, _: Request) -> Principal | None:
        return self.who

    def csrf_token(self, _: Request) -> str:
        return "0" * 64


def officer(region: RegionCode | None, role: Role = Role.REGISTRY_OFFICER) -> Principal:
    return Principal(AccountId("officer"), "Officer", frozenset({role}), region)


@pytest.fixture
def network(tmp_path: Path) -> Network:
    return whole_network(tmp_path)


@pytest.fixture
def access() -> Access:
    return Access()


@pytest.fixture
def web(network: Network, access: Access) -> Iterator[TestClient]:
    view = network.store().refresh(network.fetch, DAY_0).view
    service = RegistryService(lambda: view, lambda: AT, network.repository, lambda: network.online)
    app = FastAPI()
    app.include_router(router(service, make_edge(access, lambda: AT)))
    for error, status in ((NotSignedIn, 401), (NotPermitted, 403)):
        app.add_exception_handler(error, lambda *_, status=status: _plain(status))
    with TestClient(app, headers={"accept-language": "en"}, follow_redirects=False) as client:
        yield client


def _plain(status: int) -> Any:
    from fastapi.responses import PlainTextResponse

    return PlainTextResponse("", status)


def words(page: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", page)))


def proposed(web: TestClient, form: str, data: dict[str, Any], files: dict[str, bytes] | None = None) -> Any:
    """Review, then propose with what the review page carried; the list as proposed."""
    review = web.post(f"/registry/edit/{form}", data={**data, "step": "review"}, files=files)
    assert review.status_code == 200, words(review.text)
    assert "Read before you propose" in review.text
    carried: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', review.text):
        carried.setdefault(unescape(name), []).append(unescape(value))
    made = web.post(f"/registry/edit/{form}", data={**carried, "step": "propose"})
    assert made.status_code == 303, words(made.text)
    page = web.get(made.headers["location"])
    assert page.status_code == 200
    assert "What follows once it is published" in page.text
    return made.headers["location"].rpartition("/")[2].partition("?")[0]


def list_of(network: Network, proposal_id: str, code: RegionCode = WEST) -> Any:
    view = network.store("other").refresh(network.fetch, DAY_0).view
    return RegistryService(lambda: view, lambda: AT, network.repository).editable(code, proposal_id)


RECOGNISE = {
    "of": "990100|common/household-register",
    "as_type": "common/household-register",
    "scenarios": ["990200/household-transfer"],
    "assurance": "substantial",
    "since": "2026-04-01",
    "basis.zh": "协议第九条",
    "basis.en": "Agreement, article 9",
}


def test_a_recognition_begins_after_its_notice(web: TestClient, network: Network) -> None:
    entry = list_of(network, proposed(web, "recognise", RECOGNISE)).recognises[-1]
    assert (entry.issuing, entry.type_id, entry.scenarios) == (
        EAST,
        "common/household-register",
        ("990200/household-transfer",),
    )
    assert entry.since == read_instant("2026-03-31T16:00:00+00:00")
    assert entry.legal_basis.en == "Agreement, article 9"
    early = list_of(network, proposed(web, "recognise", {**RECOGNISE, "since": "2026-01-01"})).recognises[-1]
    assert early.since == AT + 30 * DAY, "the notice is kept, whatever was typed"


def test_claims_of_another_type_are_mapped_one_by_one(web: TestClient, network: Network) -> None:
    other = {**RECOGNISE, "as_type": "common/marriage-certificate", "claim.address": "registered_on"}
    asked = web.get("/registry/edit/recognise", params={"of": other["of"], "as_type": other["as_type"]})
    assert 'name="claim.address"' in asked.text
    entry = list_of(network, proposed(web, "recognise", other)).recognises[-1]
    assert ("address", "registered_on") in [(c.theirs, c.ours) for c in entry.claims]


def test_what_is_missing_is_said_beside_its_field_and_nothing_is_lost(web: TestClient, network: Network) -> None:
    wrong = {**RECOGNISE, "basis.en": "", "since": "soon", "assurance": "immense", "step": "review"}
    answer = web.post("/registry/edit/recognise", data=wrong)
    assert answer.status_code == 422
    for name in ("basis.en", "since", "assurance"):
        assert f'id="{name}-error"' in answer.text, name
    assert "协议第九条" in answer.text
    assert 'value="990200/household-transfer" checked' in answer.text
    assert pending(network.repository) == ()


def test_one_version_can_carry_several_changes(web: TestClient, network: Network) -> None:
    first = proposed(web, "scenario", SCENARIO)
    made = list_of(network, proposed(web, "recognise", {**RECOGNISE, "base": first}))
    assert [s.id for s in made.scenarios] == ["990200/household-transfer", "990200/pension"]
    assert [r.id for r in made.recognises] == ["R1", "R2"]


SCENARIO = {
    "slug": "pension",
    "names.zh": "养老待遇",
    "names.en": "Pension",
    "purpose.zh": "核对身份",
    "purpose.en": "Check who it is",
    "any_of.0": ["common/marriage-certificate", "common/household-register"],
    "claims.0": "holder_name identity_number",
    "optional.0": "",
    "retention": "30",
    "trust_days": "7",
    "status_hours": "12",
}


def test_a_scenario_asks_only_for_claims_that_exist(web: TestClient, network: Network) -> None:
    scenario = list_of(network, proposed(web, "scenario", SCENARIO)).scenarios[-1]
    assert scenario.requires[0].any_of == ("common/marriage-certificate", "common/household-register")
    assert (scenario.requires[0].claims, scenario.retention_days) == (("holder_name", "identity_number"), 30)
    answer = web.post("/registry/edit/scenario", data={**SCENARIO, "claims.0": "shoe_size", "step": "review"})
    assert answer.status_code == 422
    assert "have no shoe_size" in answer.text
    edited = {**SCENARIO, "slug": "household-transfer"}
    assert len(list_of(network, proposed(web, "scenario", edited)).scenarios) == 1


def test_a_relying_party_is_registered_for_scenarios(web: TestClient, network: Network) -> None:
    data = {"slug": "bank", "names.zh": "银行", "names.en": "Bank", "scenarios": ["990200/household-transfer"]}
    party = list_of(network, proposed(web, "relying-party", data)).relying_parties[-1]
    assert (party.id, party.scenarios) == ("990200/bank", ("990200/household-transfer",))
    bad = web.post("/registry/edit/relying-party", data={**data, "step": "review"}, files={"certificate": b"junk"})
    assert 'id="certificate-error"' in bad.text


def test_a_recognition_ends_after_its_notice(web: TestClient, network: Network) -> None:
    entry = list_of(network, proposed(web, "end-recognition", {"entry": "R1", "until": "2026-06-01"})).recognises[0]
    assert entry.until == read_instant("2026-05-31T16:00:00+00:00")


ISSUER = {
    "slug": "education",
    "names.zh": "东岭区教育局",
    "names.en": "Dongling Education Bureau",
    "uscc": "11990100MB0010001J",
    "contact.zh": "东岭路2号",
    "contact.en": "2 Dongling Road",
    "address": "http://east.test/status/990100/education/",
}


def test_an_issuer_is_listed(web: TestClient, network: Network, access: Access) -> None:
    access.who = officer(EAST)
    issuer = list_of(network, proposed(web, "issuer", ISSUER), EAST).attests[-1]
    assert (issuer.id, issuer.names.en) == ("990100/education", "Dongling Education Bureau")
    answer = web.post("/registry/edit/issuer", data={**ISSUER, "uscc": "1", "step": "review"})
    assert answer.status_code == 422


def test_a_type_is_granted_and_a_seal_listed_from_a_request(web: TestClient, network: Network, access: Access) -> None:
    access.who = officer(EAST)
    granted = proposed(
        web,
        "grant",
        {"issuer": "990100/civil-affairs", "type": "common/driving-licence", "assurance": "high"},
    )
    assert list_of(network, granted, EAST).attests[0].grants[-1].type_id == "common/driving-licence"
    keys, signer = office(EAST), EphemeralSigner.generate(ES256)
    certificate = make_certificate(
        Profile.SEAL,
        ca_signer=keys.ca_signer,
        ca=keys.ca,
        subject_key=signer.public_key,
        common_name="seal",
        organisation="Region 990100",
        uscc=None,
        uri=None,
        not_before=DAY_0,
        not_after=DAY_0 + 700 * DAY,
    )
    request = make_request(signer, profile=Profile.SEAL, common_name="seal", organisation="Region 990100")
    data = {
        "issuer": "990100/civil-affairs",
        "names.zh": "新章",
        "names.en": "New seal",
        "scope": ["common/marriage-certificate"],
        "from": "2026-01-06",
        "until": "2029-01-01",
        "custodian.zh": "办公室主任",
        "custodian.en": "Head of office",
        "held": "2026-01-05T09:30",
        "place.zh": "制章室",
        "place.en": "Seal room",
    }
    files = {"request": request_pem(request), "certificate": certificate.pem(), "image": b"<svg/>", "minutes": b"%PDF"}
    made = proposed(web, "seal", data, files)
    seal = list_of(network, made, EAST).attests[0].seals[-1]
    assert (
        f"/registry/seals/{seal.image_digest.removeprefix('sha256:')}.svg"
        in web.get(f"/registry/proposals/{made}").text
    )
    assert seal.key.certificate == certificate.der
    assert seal.valid_until == certificate.not_after
    assert network.repository.image(seal.image_digest) == b"<svg/>"
    assert seal.ceremony is not None
    assert seal.ceremony.record_digest == f"sha256:{sha256(b'%PDF').hexdigest()}"
    assert not [
        path for path in network.repository.folder.rglob("*") if path.is_file() and path.read_bytes() == b"%PDF"
    ]
    for half in ({"place.en": ""}, {"held": ""}, {"custodian.en": ""}):
        answer = web.post("/registry/edit/seal", data={**data, **half, "step": "review"}, files=files)
        assert answer.status_code == 422, half
    other = make_request(EphemeralSigner.generate(ES256), profile=Profile.SEAL, common_name="x", organisation="y")
    for name, content in (("request", request_pem(other)), ("request", b"junk"), ("image", b"<!DOCTYPE x><svg/>")):
        answer = web.post("/registry/edit/seal", data={**data, "step": "review"}, files={**files, name: content})
        assert answer.status_code == 422, name
        assert "-error" in answer.text


def test_a_compromised_key_is_distrusted_since_the_day_that_is_said(
    web: TestClient, network: Network, access: Access
) -> None:
    access.who = officer(EAST)
    entry = f"attests/990100/civil-affairs/seals/{east_list().attests[0].seals[0].id}/key"
    data = {"entry": entry, "status": "withdrawn", "reason": "key_compromise", "invalidity": "2026-01-03T08:00"}
    review = web.post("/registry/edit/status", data={**data, "step": "review"})
    assert "consequences grave" in review.text
    assert "button wide danger" in review.text
    history = list_of(network, proposed(web, "status", data), EAST).attests[0].seals[0].key.history
    assert history[-1].reason is EntryReason.KEY_COMPROMISE
    assert history[-1].invalidity_date == DAY_0 + 2 * DAY
    assert status_at(history, AT) is EntryStatus.WITHDRAWN
    for change in ({"reason": "cessation"}, {"status": "granted"}, {"entry": "attests/nobody"}):
        assert web.post("/registry/edit/status", data={**data, **change, "step": "review"}).status_code == 422


def test_every_form_is_shown_in_both_languages(web: TestClient, access: Access) -> None:
    for region in (WEST, EAST):
        access.who = officer(region)
        page = web.get("/registry/edit").text
        for path in set(re.findall(r'href="(/registry/edit/[a-z-]+)"', page)):
            for language in ("zh", "en"):
                answer = web.get(path, headers={"accept-language": language})
                assert answer.status_code == 200, path
                assert "<h1>" in answer.text


def test_only_officers_of_a_region_edit(web: TestClient, access: Access) -> None:
    for who, status in ((None, 401), (officer(EAST, Role.AUDITOR), 403), (officer(None), 403)):
        access.who = who
        assert web.get("/registry/edit/recognise").status_code == status
        assert web.post("/registry/edit/notice", data={"days": "40", "step": "propose"}).status_code == status


def test_another_regions_proposal_is_not_built_upon(web: TestClient, network: Network, access: Access) -> None:
    theirs = proposed(web, "notice", {"days": "40"})
    access.who = officer(EAST)
    answer = web.post("/registry/edit/notice", data={"days": "50", "base": theirs, "step": "propose"})
    assert answer.status_code == 422
    assert "There is no such proposal" in answer.text
    assert 'value="50"' in answer.text
    assert len(pending(network.repository)) == 1


def test_a_form_that_is_not_there_is_404(web: TestClient) -> None:
    assert web.get("/registry/edit/nothing").status_code == 404


@pytest.mark.parametrize("at", ["2026-01-20", "2027-12-31", "1999-01-01", "2026-01-20T08:00:00+08:00"])
def test_the_matrix_can_be_seen_at_any_instant(web: TestClient, at: str) -> None:
    page = web.get("/registry/matrix", params={"at": at}).text
    instant = read_instant(at)
    assert instant is not None
    expected = "in force" if instant >= west_list().recognises[0].since else "announced" if instant >= DAY_0 else "none"
    marks = {"in force": "1 scenario", "announced": "announced", "none": "not accepted"}
    row = page.partition("Issued by Dongling")[2].partition("Marriage")[2]
    assert marks[expected] in words(row)[:400]


@pytest.mark.parametrize("at", ["yesterday", "9" * 50, "2026-13-40", "0001-01-01T00:00:00Z", "2026-01-01T00:00:00"])
def test_what_is_no_date_is_said_and_now_is_shown(web: TestClient, at: str) -> None:
    answer = web.get("/registry/matrix", params={"at": at})
    assert answer.status_code == 200
    assert "not a date" in answer.text


def test_a_name_that_would_be_a_formula_is_none_in_the_audit(network: Network) -> None:
    from trust_registry.pages.audit import _cell

    assert _cell("=cmd()") == "'=cmd()"
    assert _cell("region-990100") == "region-990100"
    assert replace(west_list()) == west_list()
