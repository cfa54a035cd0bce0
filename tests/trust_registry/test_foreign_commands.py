"""`yinxin registry foreign`: a list looked into, an entry prepared, a gateway's file vouched for."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from keys.algorithms import ES256
from keys.custody.software import create_key_file
from keys.x509 import make_region_ca, parse_certificate
from server.cli.registry_foreign import app
from tests.trust_registry import test_foreign_health, test_foreign_lote
from tests.trust_registry.foreign_lists import FOR_SEALS, SERVICE_TYPE, STATUS, Period, Service, TrustedList, days, key
from tests.trust_registry.network import west_list
from trust_registry.interchange.dcc import read_dcc
from trust_registry.wire import list_from_json, list_to_json

MAP = f"{SERVICE_TYPE},{FOR_SEALS}=common/marriage-certificate@high"


class Desk:
    """A folder in which somebody types commands."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.list = self.file("list.xml", self.trusted_list().sign())
        self.signer = self.file("signer.pem", parse_certificate(key("operator").certificate).pem())

    def trusted_list(self, **changes: object) -> TrustedList:
        history = [Period(STATUS + "undersupervision", days(-300), additional=())]
        return TrustedList(services=[Service(before=history)], **changes)  # type: ignore[arg-type]

    def file(self, name: str, data: bytes) -> str:
        (self.folder / name).write_bytes(data)
        return str(self.folder / name)

    def type(self, *words: str) -> Result:
        return CliRunner().invoke(app, list(words), catch_exceptions=False)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_list_is_shown_with_its_services_and_history(desk: Desk) -> None:
    shown = desk.type("show", desk.list, "--signer", desk.signer, "--history", "--at", "2026-03-02").output
    assert shown.startswith("EE  Office of Lists\nts_119_612, number 1, issued 2026-03-01, next by 2026-08-28\n")
    assert "WHOEVER" not in shown
    assert "1 services of 1 providers, 0 pointers" in shown
    assert "  granted                     CA/QC                 Seals for all" in shown
    assert "since 2025-05-05 00:00  undersupervision  CA/QC" in shown
    earlier = desk.type("show", desk.list, "--signer", desk.signer, "--at", "2025-06-01").output
    assert "  undersupervision            CA/QC                 Seals for all" in earlier
    assert "  not yet " in desk.type("show", desk.list, "--at", "2020-01-01").output


def test_list_nobody_vouches_for_is_shown_as_that(desk: Desk) -> None:
    assert "WHOEVER THAT IS" in desk.type("show", desk.list).output


def test_list_of_a_stranger_is_refused_in_one_line(desk: Desk) -> None:
    stranger = desk.file("stranger.xml", TrustedList().sign("stranger"))
    refused = desk.type("show", stranger, "--signer", desk.signer)
    assert refused.exit_code == 1
    assert refused.output.startswith("yinxin: signature: ")
    assert refused.output.count("\n") == 1


def test_every_form_is_recognised(desk: Desk) -> None:
    lote = desk.file("list.json", test_foreign_lote.signed(test_foreign_lote.DOCUMENT))
    assert "ts_119_602, number 7" in desk.type("show", lote, "--signer", desk.signer).output
    flat = desk.file("signers.json", test_foreign_health.flat(test_foreign_health.ENTRY))
    assert "dcc, number 1" in desk.type("show", flat).output
    assert desk.type("show", flat, "--pin", "0" * 64).exit_code == 1
    signed = desk.file("signed.jws", test_foreign_health.signed({"certificates": [test_foreign_health.ENTRY]}))
    assert "dcc, number 1" in desk.type("show", signed, "--signer", desk.signer).output


def test_names_that_move_the_cursor_are_shown_harmless(desk: Desk) -> None:
    """Strangers' text on an officer's terminal could overwrite what was said about the signature."""
    evil = desk.file("evil.xml", TrustedList().but(">Provider<", ">Provider\u202e\u200b<").sign())
    assert "Provider??" in desk.type("show", evil).output


def prepare(desk: Desk, *more: str, code: str = "EU-EE", location: str = "https://lists.example/ee.xml") -> Result:
    words = ["entry", desk.list, "--code", code, "--location", location, "--signer", desk.signer, "--map", MAP]
    return desk.type(*words, "--name-zh", "爱沙尼亚", "--name-en", "Estonia", *more)


def test_entry_fits_into_a_list(desk: Desk) -> None:
    result = prepare(desk)
    assert result.exit_code == 0
    assert "1 services today" in result.stderr
    document = json.loads(list_to_json(west_list()))
    document["foreign"] = [json.loads(result.stdout)]
    (entry,) = list_from_json(json.dumps(document).encode()).foreign
    assert (entry.code, entry.names.en) == ("EU-EE", "Estonia")
    assert entry.signers == (key("operator").certificate,)
    assert entry.equivalences[0].additional == (FOR_SEALS,)


def test_entry_for_another_territory_is_refused(desk: Desk) -> None:
    refused = prepare(desk, code="EU-LV")
    assert (refused.exit_code, refused.output) == (
        1,
        "yinxin: territory: EU-LV is to be named, and this is the list of EE\n",
    )


@pytest.mark.parametrize("text", ["", "=common/a@high", "urn:x", "urn:x=a@high", "urn:x=common/a@best"])
def test_mapping_that_is_none_is_refused(desk: Desk, text: str) -> None:
    assert prepare(desk, "--map", text).exit_code == 2


def test_place_that_is_not_https_is_refused(desk: Desk) -> None:
    assert prepare(desk, location="http://lists.example/ee.xml").exit_code == 2


def test_region_vouches_for_a_gateways_file(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YINXIN_PASSPHRASE", "correct horse battery staple")
    signer = create_key_file(desk.folder / "list.key", ES256, b"correct horse battery staple", demo=True)
    certificate = make_region_ca(
        signer, common_name="West", organisation="West", region="990200", not_before=days(-9), not_after=days(9000)
    )
    flat = test_foreign_health.flat(test_foreign_health.ENTRY)
    words = ["vouch", desk.file("signers.json", flat), "--number", "4", "--key", str(desk.folder / "list.key")]
    words += ["--certificate", desk.file("list.pem", certificate.pem()), "--out", str(desk.folder / "out.jws")]
    assert desk.type(*words, "--pin", "0" * 64).exit_code == 1
    assert not (desk.folder / "out.jws").exists()
    assert desk.type(*words, "--pin", hashlib.sha256(flat).hexdigest()).output.startswith("1 signers, number 4: ")
    found = read_dcc((desk.folder / "out.jws").read_bytes(), signers=[certificate.der])
    assert (found.sequence_number, len(found.services)) == (4, 1)
