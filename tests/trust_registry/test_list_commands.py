"""A list grown by commands: an issuer is onboarded from its own key on, recognised, suspended, withdrawn."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from keys.algorithms import ES256
from keys.certificate_requests import make_request, request_pem
from keys.custody import software
from keys.signer import EphemeralSigner
from keys.x509 import Profile, make_certificate, make_region_ca
from server.demo.world import organisation_code
from tests import hsm
from tests.trust_registry.test_registry_commands import Desk
from trust_registry.catalogue import MARRIAGE_CERTIFICATE

PIN = {"YINXIN_PASSPHRASE": hsm.PIN}
OFFICE = "990100/civil-affairs"
USCC = organisation_code("11", "990100", "MB0000001")
NAMED = ("--name-zh", "名", "--name-en", "name")


class Authority(Desk):
    """A region's desk: two officers carry out whatever is proposed for 990100."""

    def change(self, command: str, *arguments: str) -> str:
        proposed = self.run(command, self.repo, "990100", *arguments).output
        self.carry_out(proposed, "shen", "he")
        return proposed

    def refuse(self, command: str, *arguments: str, code: int = 1) -> str:
        return self.run(command, self.repo, "990100", *arguments, code=code).output

    def list(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.run("show", self.repo, "990100").output)
        return found

    def file(self, name: str, content: bytes = b"") -> str:
        path = self.folder / name
        if content:
            path.write_bytes(content)
        return str(path)


def ticking() -> Callable[[], datetime]:
    """A clock by which no two changes of an entry share a second, however fast the machine is."""
    started, ticks = datetime.now(UTC), count()
    return lambda: started + timedelta(seconds=next(ticks))


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """990100, admitted, with a bare list and its civil affairs office."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(software, "_COST", software._DEMO_COST)
        patch.setattr(os, "fsync", lambda _: None)
        desk = Authority(tmp_path_factory.mktemp("founded"))
        desk.carry_out(desk.run("init", desk.repo, *desk.seats(lin="990100", zhou="990200")).output, "lin", "zhou")
        officers = (*desk.officers("shen", "he"), "--threshold", "2")
        desk.carry_out(desk.run("admit-region", desk.repo, "990100", *NAMED, *officers).output, "lin", "zhou")
        desk.change("start-list", *NAMED, "--authority-zh", "数据局", "--authority-en", "Data Bureau")
        base = ("--status-base", "https://east.test/status/ca/", "--contact-zh", "电话", "--contact-en", "telephone")
        desk.change("add-issuer", OFFICE, *NAMED, "--uscc", USCC, *base)
        desk.change("grant", OFFICE, MARRIAGE_CERTIFICATE)
    return desk.folder


@pytest.fixture
def region(founded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    monkeypatch.setattr(software, "_COST", software._DEMO_COST)
    monkeypatch.setattr(os, "fsync", lambda _: None)
    monkeypatch.setattr("server.clock.utc_now", ticking())
    shutil.copytree(founded, tmp_path / "desk")
    return Authority(tmp_path / "desk")


def seal_options(region: Authority, request: str, certificate: str) -> list[str]:
    return [
        *(OFFICE, "--request", request, "--certificate", certificate),
        *("--image", region.file("seal.svg", b"<svg/>"), *NAMED, "--scope", MARRIAGE_CERTIFICATE),
        *("--custodian-zh", "印章管理员", "--custodian-en", "keeper of seals"),
    ]


# From a key to a listed seal


def test_an_issuer_is_onboarded_from_tokens_to_a_listed_seal(region: Authority) -> None:
    """The CA's and the seal's keys are in tokens; officers sign image, custodian, scope, validity and ceremony."""
    ca_key, seal_key, ca = hsm.key_uri(), hsm.key_uri(), region.file("ca.pem")
    for key in (ca_key, seal_key):
        region.run("key", key, "--public", region.file("public"), environment=PIN)
    named = ("--name", "CA", "--organisation", "数据局")
    region.run("make-ca", "--key", ca_key, "--region", "990100", *named, "--out", ca, environment=PIN)
    region.change("add-authority", "--use", "ca", "--certificate", ca)

    csr, pem = region.file("seal.csr"), region.file("seal.pem")
    asked = ("--use", "seal", "--name", "电子印章", "--organisation", "民政局", "--uscc", USCC, "--out", csr)
    said = region.run("request", "--key", seal_key, *asked, environment=PIN).output
    given = region.run("certify", csr, "--ca-key", ca_key, "--ca-certificate", ca, "--out", pem, environment=PIN).output
    (thumbprint,) = re.findall(r"Key: +(\S+)  ", said)
    assert thumbprint in given

    minutes = ("--minutes", region.file("minutes.pdf", b"signed"), "--held-at", "2026-01-05T01:00:00Z")
    place = ("--place-zh", "机房", "--place-en", "server room")
    region.change("add-seal", *seal_options(region, csr, pem), *minutes, *place)
    (seal,) = region.list()["attests"][0]["seals"]
    assert seal["id"] == f"{OFFICE}/99010000000001"
    assert seal["custodian"] == {"zh": "印章管理员", "en": "keeper of seals"}
    assert seal["ceremony"]["record_digest"].startswith("sha256:")
    assert seal["scope"] == [MARRIAGE_CERTIFICATE]
    assert (Path(region.repo) / "images" / f"{seal['image_digest'][7:]}.svg").read_bytes() == b"<svg/>"

    assert "listed already" in region.refuse("add-seal", *seal_options(region, csr, pem))


def made(tmp: Authority, name: str, profile: Profile = Profile.STATUS, uscc: str = USCC) -> tuple[str, str, str]:
    """Request, certificate and CA of an external CA, as files."""
    signer, ca_signer = EphemeralSigner.generate(ES256), EphemeralSigner.generate(ES256)
    begins, ends = datetime.now(UTC), datetime.now(UTC) + timedelta(days=90)
    ca = make_region_ca(
        ca_signer, common_name="External", organisation="CA company", region="CN", not_before=begins, not_after=ends
    )
    leaf = make_certificate(
        profile,
        ca_signer=ca_signer,
        ca=ca,
        subject_key=signer.public_key,
        common_name="status",
        organisation="o",
        uscc=uscc,
        uri=None,
        not_before=begins,
        not_after=ends,
    )
    request = make_request(signer, profile=profile, common_name="status", organisation="o", uscc=uscc)
    return (
        tmp.file(f"{name}.csr", request_pem(request)),
        tmp.file(f"{name}.pem", leaf.pem()),
        tmp.file(f"{name}-ca.pem", ca.pem()),
    )


def test_an_external_cas_certificate_is_listed_with_its_ca(region: Authority) -> None:
    csr, pem, ca = made(region, "status")
    assert "not issued under a CA" in region.refuse("add-status-key", OFFICE, "--request", csr, "--certificate", pem)
    region.change("add-status-key", OFFICE, "--request", csr, "--certificate", pem, "--ca", ca)
    found = region.list()
    assert [key["use"] for key in found["authorities"]] == ["ca"]
    assert len(found["attests"][0]["status_keys"]) == 1


def test_without_proof_of_possession_nothing_is_listed(region: Authority) -> None:
    csr, pem, ca = made(region, "one")
    other, _, _ = made(region, "two")
    stranger, theirs, their_ca = made(region, "three", uscc=organisation_code("11", "990200", "MB0000001"))
    arguments = ("add-status-key", OFFICE, "--certificate")
    assert "another key" in region.refuse(*arguments, pem, "--ca", ca, "--request", other)
    assert "another organisation" in region.refuse(*arguments, theirs, "--ca", their_ca, "--request", stranger)
    assert "proves possession" in region.refuse(*arguments, pem, "--ca", ca, "--request", other)
    altered = bytearray(Path(csr).read_bytes())
    altered[200] ^= 1
    broken = region.file("broken.csr", bytes(altered))
    assert "yinxin: " in region.refuse(*arguments, pem, "--ca", ca, "--request", broken)
    unknown = ("add-status-key", "990100/nobody", "--certificate", pem, "--request", csr)
    assert "no entry attests/990100/nobody" in region.refuse(*unknown)


def test_certifying_needs_to_know_what_for(region: Authority) -> None:
    csr, _, _ = made(region, "status")
    ca = ("--ca-key", region.key("ca"), "--ca-certificate", region.file("ca.pem"))
    named = ("--region", "990100", "--name", "CA", "--organisation", "o", "--out", region.file("ca.pem"))
    region.run("make-ca", "--key", region.key("ca"), *named)
    assert "something else" in region.run("certify", csr, *ca, "--use", "seal", "--out", "x", code=1).output
    region.run("certify", csr, *ca, "--out", region.file("ok.pem"))


# Recognition and status


def recognition(*more: str) -> tuple[str, ...]:
    basis = ("--basis-zh", "协议第三条", "--basis-en", "agreement, article 3")
    return ("recognise", "--from", "990200", "--type", MARRIAGE_CERTIFICATE, *basis, *more)


def test_a_recognition_is_announced_with_notice_and_ended_with_notice(region: Authority) -> None:
    proposed = region.change(*recognition("--assurance", "substantial", "--claim", "name=full_name"))
    assert "[recognises/R1]" in proposed
    region.change("end-recognition", "R1", "--until", "2090-01-01")
    (entry,) = region.list()["recognises"]
    since, announced = (datetime.fromisoformat(entry[name]) for name in ("since", "announced_at"))
    assert since - announced == timedelta(days=30)
    assert entry["until"] == "2090-01-01T00:00:00Z"
    assert entry["claims"] == [{"theirs": "name", "ours": "full_name"}]
    region.refuse(*recognition("--claim", "name"), code=2)
    region.refuse(*recognition("--since", "soon"), code=2)


def test_an_edited_list_can_be_written_and_proposed_later(region: Authority) -> None:
    out = region.file("list.json")
    said = region.run(*_at(region, *recognition("--out", out))).output
    assert "Propose it: yinxin registry propose" in said
    region.carry_out(region.run("propose", region.repo, out).output, "shen", "he")
    assert [entry["id"] for entry in region.list()["recognises"]] == ["R1"]


def _at(region: Authority, command: str, *arguments: str) -> tuple[str, ...]:
    return (command, region.repo, "990100", *arguments)


def test_entries_are_suspended_reinstated_and_withdrawn_by_their_path(region: Authority) -> None:
    entry = f"attests/{OFFICE}/grants/{MARRIAGE_CERTIFICATE}@substantial"
    region.change("suspend", entry, "--reason", "breach_of_duty")
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    region.change("reinstate", entry, "--at", later)
    region.change("withdraw", f"attests/{OFFICE}", "--reason", "cessation")
    (issuer,) = region.list()["attests"]
    assert [change["status"] for change in issuer["grants"][0]["history"]] == ["granted", "suspended", "granted"]
    assert issuer["history"][-1]["status"] == "withdrawn"
    assert "no entry recognises/R9" in region.refuse("withdraw", "recognises/R9", "--reason", "cessation")
    region.run("grant", region.repo, "990200", OFFICE, MARRIAGE_CERTIFICATE, code=1)
