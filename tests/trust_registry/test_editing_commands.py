"""All of a list is edited by command: scenarios, agencies, types, foreign lists, names; several in one proposal."""

from __future__ import annotations

import json
import os
import re
import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from keys.algorithms import ES256
from keys.custody import software
from keys.signer import EphemeralSigner
from keys.x509 import Profile, make_certificate, parse_pem_certificates
from server.cli.registry_keys import open_named_key
from tests.trust_registry.foreign_lists import key
from tests.trust_registry.network import common_list
from tests.trust_registry.test_list_commands import NAMED, Authority
from trust_registry.catalogue import HOUSEHOLD_REGISTER, MARRIAGE_CERTIFICATE
from trust_registry.model import (
    Assurance,
    EntryReason,
    EntryStatus,
    ForeignFormat,
    ForeignListEntry,
    Names,
    RegionCode,
    ServiceEquivalence,
    StatusChange,
)
from trust_registry.wire import list_to_json, to_wire

TRANSFER, HALL = "990100/household-transfer", "990100/government-hall"
PURPOSE = ("--purpose-zh", "核验婚姻关系", "--purpose-en", "check the marriage")
NEEDS = ("--needs", f"{MARRIAGE_CERTIFICATE},{HOUSEHOLD_REGISTER}=holder_name+registered_on")
BASIS = ("--basis-zh", "协议", "--basis-en", "agreement")


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The common catalogue, and 990100 with a bare list and a CA."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(software, "_COST", software._DEMO_COST)
        patch.setattr(os, "fsync", lambda _: None)
        desk = Authority(tmp_path_factory.mktemp("founded"))
        desk.carry_out(desk.run("init", desk.repo, *desk.seats(lin="990100", zhou="990200")).output, "lin", "zhou")
        for command, code, names in (("admit-body", "common", ("fang",)), ("admit-region", "990100", ("shen", "he"))):
            officers = (*desk.officers(*names), "--threshold", str(len(names)))
            desk.carry_out(desk.run(command, desk.repo, code, *NAMED, *officers).output, "lin", "zhou")
        common = desk.file("common.json", list_to_json(common_list()))
        desk.carry_out(desk.run("propose", desk.repo, common).output, "fang")
        desk.change("start-list", *NAMED, "--authority-zh", "数据局", "--authority-en", "Data Bureau")
        named = ("--region", "990100", "--name", "CA", "--organisation", "o", "--out", desk.file("ca.pem"))
        desk.run("make-ca", "--key", desk.key("ca"), *named)
        desk.change("add-authority", "--use", "ca", "--certificate", desk.file("ca.pem"))
    return desk.folder


@pytest.fixture
def region(founded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    monkeypatch.setattr(software, "_COST", software._DEMO_COST)
    monkeypatch.setattr(os, "fsync", lambda _: None)
    monkeypatch.setenv("YINXIN_PASSPHRASE", "correct horse")
    shutil.copytree(founded, tmp_path / "desk")
    return Authority(tmp_path / "desk")


def propose(region: Authority, command: str, *arguments: str) -> str:
    """Propose, and give the proposal's id."""
    said = region.run(command, region.repo, "990100", *arguments).output
    (found,) = re.findall(r"^Proposal (\S+)$", said, re.MULTILINE)
    return str(found)


def sign_and_publish(region: Authority, proposal: str) -> None:
    region.carry_out(f"Proposal {proposal}", "shen", "he")


def common(region: Authority, entry: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(region.run("show", region.repo, "common", "--entry", entry).output)
    return found


def test_a_scenario_and_its_agency_are_one_proposal(region: Authority) -> None:
    first = propose(region, "add-scenario", TRANSFER, *NAMED, *PURPOSE, *NEEDS, "--retention-days", "30")
    added = region.run(
        "add-relying-party", region.repo, "990100", HALL, *NAMED, "--scenario", TRANSFER, "--onto", first
    ).output
    assert f"Says what {first} says too: sign this one. The other is taken back." in added
    region.carry_out(added, "shen", "he")
    (scenario,), (party,) = region.list()["scenarios"], region.list()["relying_parties"]
    assert scenario["requires"] == [
        {
            "any_of": [MARRIAGE_CERTIFICATE, HOUSEHOLD_REGISTER],
            "claims": ["holder_name"],
            "optional_claims": ["registered_on"],
        }
    ]
    assert (scenario["retention_days"], scenario["trust_staleness"], scenario["status_staleness"]) == (30, "P7D", "P1D")
    assert party["scenarios"] == [TRANSFER]
    assert "Nothing waits" in region.run("show", region.repo).output


def test_what_no_option_names_stays_in_a_changed_scenario(region: Authority) -> None:
    region.change("add-scenario", TRANSFER, *NAMED, *PURPOSE, *NEEDS)
    region.change("change-scenario", TRANSFER, "--status-hours", "2", "--needs", f"{MARRIAGE_CERTIFICATE}=holder_name")
    (scenario,) = region.list()["scenarios"]
    assert (scenario["status_staleness"], scenario["purpose"]["en"]) == ("PT7200S", "check the marriage")
    assert [need["any_of"] for need in scenario["requires"]] == [[MARRIAGE_CERTIFICATE]]
    region.refuse("change-scenario", "990100/none", "--status-hours", "2")


@pytest.mark.parametrize(
    ("needs", "said"),
    [
        ("common/nothing=holder_name", "nobody defines common/nothing"),
        (f"{MARRIAGE_CERTIFICATE}=shoe_size", "no claim shoe_size"),
        (MARRIAGE_CERTIFICATE, "is needed"),
        (f"{MARRIAGE_CERTIFICATE}=", "is needed"),
        ("=holder_name", "is needed"),
    ],
)
def test_a_need_that_nothing_can_meet_is_refused(region: Authority, needs: str, said: str) -> None:
    output = region.refuse("add-scenario", TRANSFER, *NAMED, *PURPOSE, "--needs", needs, code=2)
    assert said in " ".join(output.replace("│", " ").split())


def test_an_agencys_receipt_keys_overlap(region: Authority) -> None:
    ca = parse_pem_certificates(Path(region.file("ca.pem")).read_bytes())[0]
    ca_key = open_named_key(region.key("ca"), None)
    files = []
    for number in (1, 2):
        made = make_certificate(
            Profile.RECEIPT,
            ca_signer=ca_key,
            ca=ca,
            subject_key=EphemeralSigner.generate(ES256).public_key,
            common_name=f"receipts {number}",
            organisation="o",
            uscc=None,
            uri=None,
            not_before=ca.not_before,
            not_after=ca.not_after,
        )
        files.append(region.file(f"{number}.pem", made.pem()))
    region.change("add-scenario", TRANSFER, *NAMED, *PURPOSE, *NEEDS)
    region.change("add-relying-party", HALL, *NAMED, "--scenario", TRANSFER, "--certificate", files[0])
    region.change("add-relying-party-key", HALL, "--certificate", files[1])
    assert len(region.list()["relying_parties"][0]["keys"]) == 2
    region.refuse("add-relying-party-key", "990100/none", "--certificate", files[1])
    assert "no.pem" in region.refuse("add-relying-party-key", HALL, "--certificate", region.file("no.pem", b"x"))


def test_an_agencys_access_key_is_listed_beside_its_receipts(region: Authority) -> None:
    key = region.key("hall")
    asked = ("--name", "Requests", "--organisation", "o", "--out", region.file("hall.csr"))
    region.run("request", "--key", key, "--use", "access", *asked)
    certify = ("certify", region.file("hall.csr"), "--ca-key", region.key("ca"), "--ca-certificate")
    rest = (region.file("ca.pem"), "--out", region.file("hall.pem"))
    for wrong in ((), ("--dns", "192.0.2.7"), ("--dns", "https://hall.example"), ("--dns", "Hall.example")):
        assert "--dns" in region.run(*certify, *rest, *wrong, code=2).output
    region.run(*certify, *rest, "--dns", "hall.example")
    region.change("add-scenario", TRANSFER, *NAMED, *PURPOSE, *NEEDS)
    scenario = ("--scenario", TRANSFER, "--access-certificate", region.file("hall.pem"))
    region.change("add-relying-party", HALL, *NAMED, *scenario)
    region.run(*certify, *rest, "--dns", "hall.example")
    region.change("add-relying-party-key", HALL, "--use", "access", "--certificate", region.file("hall.pem"))
    assert [each["use"] for each in region.list()["relying_parties"][0]["keys"]] == ["access", "access"]


def test_a_types_next_version_is_edited_as_json(region: Authority) -> None:
    found = common(region, f"defines/{MARRIAGE_CERTIFICATE}")
    file = region.file("type.json", json.dumps(found | {"dual_control": True}).encode())
    proposed = region.run("change-type", region.repo, "common", file).output
    assert "dual control from no to yes" in proposed
    region.carry_out(proposed, "fang")
    assert common(region, f"defines/{MARRIAGE_CERTIFICATE}")["version"] == 2
    own = found | {"id": "990100/permit", "code": found["code"][:-1] + "7"}
    del own["version"]
    region.change("add-type", region.file("own.json", json.dumps(own).encode()))
    assert region.list()["defines"][0]["version"] == 1
    region.run("show", region.repo, "common", "--entry", "defines/none", code=1)


@pytest.mark.parametrize("content", [b" ", b"{", b"[]", b'{"id": 7}', bytes(range(256))])
def test_a_file_that_is_no_type_is_named_with_what_is_wrong(region: Authority, content: bytes) -> None:
    output = region.refuse("add-type", region.file("type.json", content), code=2)
    assert "is not what is needed" in " ".join(output.replace("│", " ").split())


def foreign_entry() -> ForeignListEntry:
    history = (StatusChange(EntryStatus.GRANTED, datetime.fromisoformat("2020-01-01T00:00:00Z"), EntryReason.INITIAL),)
    return ForeignListEntry(
        RegionCode("EU-EE"),
        Names("爱沙尼亚", "Estonia"),
        ForeignFormat.TS_119_612,
        "https://lists.example/ee.xml",
        (key("operator").certificate,),
        (ServiceEquivalence("urn:x", MARRIAGE_CERTIFICATE, Assurance.HIGH),),
        history,
    )


def test_a_foreign_list_and_what_is_recognised_of_it_are_one_proposal(region: Authority) -> None:
    file = region.file("ee.json", json.dumps(to_wire(foreign_entry())).encode())
    first = propose(region, "add-foreign", file)
    recognised = ("--from", "EU-EE", "--type", MARRIAGE_CERTIFICATE, *BASIS, "--onto", first)
    sign_and_publish(region, propose(region, "recognise", *recognised))
    found = region.list()
    assert [entry["code"] for entry in found["foreign"]] == ["EU-EE"]
    assert [entry["issuing"] for entry in found["recognises"]] == ["EU-EE"]
    assert "2020" not in json.dumps(found["foreign"])  # its history begins when it is listed


def test_names_and_notice_change_and_codes_stay(region: Authority) -> None:
    region.change(
        "rename", "--name-zh", "新名", "--name-en", "New", "--authority-zh", "新局", "--authority-en", "Bureau"
    )
    region.change("change-notice", "10")
    found = region.list()
    assert (found["code"], found["names"]["en"], found["authority"]["zh"]) == ("990100", "New", "新局")
    assert found["notice_period"] == "P10D"
    for wrong in ((), ("--name-zh", "新名"), ("attests/990100/x", "--authority-zh", "a", "--authority-en", "b")):
        region.refuse("rename", *wrong, code=2)
    assert "no entry attests/990100/x" in region.refuse("rename", "attests/990100/x", *NAMED)


def test_what_was_added_to_keeps_the_whole_notice(region: Authority) -> None:
    first = propose(region, "recognise", "--from", "990200", "--type", MARRIAGE_CERTIFICATE, *BASIS)
    second = propose(region, "add-scenario", TRANSFER, *NAMED, *PURPOSE, *NEEDS, "--onto", first)
    sign_and_publish(region, second)
    (entry,) = region.list()["recognises"]
    issued = datetime.fromisoformat(region.list()["issued_at"])
    assert datetime.fromisoformat(entry["since"]) - issued >= timedelta(days=30)
    refused = region.refuse("change-notice", "5", "--onto", first)
    assert "was published after this was proposed" in refused or "no pending proposal" in refused


def test_nothing_is_added_to_somebody_elses_proposal(region: Authority) -> None:
    renewal = region.run("propose-renewal", region.repo, "990100").output
    (other,) = re.findall(r"^Proposal (\S+)$", renewal, re.MULTILINE)
    assert "no pending proposal" in region.refuse("change-notice", "5", "--onto", other)
    assert "no pending proposal" in region.refuse("change-notice", "5", "--onto", "../proposals")


def test_a_proposal_is_taken_back_unless_it_is_somebody_elses(region: Authority) -> None:
    proposal = propose(region, "change-notice", "5")
    region.run("take-back", region.repo, "common", proposal, code=1)
    region.run("take-back", region.repo, "990100", proposal)
    assert "Nothing waits" in region.run("show", region.repo).output
    region.run("take-back", region.repo, "990100", proposal, code=1)


def test_what_is_signed_is_not_taken_back_by_adding_to_it(region: Authority) -> None:
    first = propose(region, "change-notice", "5")
    region.run("sign", region.repo, first, "--key", region.key("shen"), "--yes")
    added = region.run(
        "rename", region.repo, "990100", *NAMED, "--authority-zh", "新", "--authority-en", "N", "--onto", first
    )
    assert "The other is signed already" in added.output
    assert first in region.run("show", region.repo).output


def test_a_list_is_started_once(region: Authority) -> None:
    again = (*NAMED, "--authority-zh", "局", "--authority-en", "Bureau")
    assert "has its list already" in region.refuse("start-list", *again)


@pytest.mark.parametrize("command", [("show",), ("status",), ("host-keys",), ("renew",), ("publish", "x"), ("log",)])
def test_a_folder_without_a_network_is_said_to_be_that(tmp_path: Path, command: tuple[str, ...]) -> None:
    name, *more = command
    said = Authority(tmp_path).run(name, str(tmp_path / "nowhere"), *more, code=1).output
    assert said.startswith("yinxin: ")
    assert "no network" in said
    assert not (tmp_path / "nowhere").exists()
