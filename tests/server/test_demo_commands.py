"""What an outside tester asks a demonstration for: offers and the CAs to trust, as a second process asks for them."""

from __future__ import annotations

import json
import os
from base64 import b64decode, b64encode
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from typer.testing import CliRunner, Result

from issuer.model import RenderingKind, StatusChangeRequest
from issuer.openid4vci.offers import PRE_AUTHORIZED
from issuer.openid4vci.store import OpenidStore
from keys.algorithms import ES256
from keys.custody import software
from keys.data_keys import load_or_create_deployment_key
from keys.path import PathOutcome, validate_path
from keys.signer import PrivateKeySigner
from keys.x509 import parse_pem_certificates
from server.cli.demo import app
from server.demo import start
from server.demo.filling import FOUNDER
from server.demo.lending import write_provider
from server.demo.offering import find_type, offer
from server.demo.opening import open_demo
from server.demo.people import CHEN, RESIDENCE_CLERKS
from server.demo.requesting import DEFAULT_SCENARIO, Asking, ask, find_scenario, progress_to_json
from server.demo.world import RESIDENCE_PERMIT
from server.errors import DemoFolderRefused, NotInTheDemo
from server.wiring import build_issuer
from tests.verifier.openid4vp.wallet import Asked, read_link, read_request, read_signed
from trust_registry.attestations import CertificateId
from trust_registry.catalogue import HOUSEHOLD_REGISTER, MARRIAGE_CERTIFICATE
from trust_registry.model import CertificateStatus, StatusReason
from verifier.openid4vp.model import Answer, ClientIdPrefix, ResponseMode
from verifier.openid4vp.store import RequestStore

pytestmark = pytest.mark.xdist_group("demo")
PORT = 18998


@dataclass
class Folder:
    data: Path

    def run(self, *arguments: str, code: int = 0) -> Result:
        done = CliRunner().invoke(app, [arguments[0], "--data", str(self.data), *arguments[1:]])
        assert done.exit_code == code, done.output
        return done

    def offer(self, *options: str) -> dict[str, Any]:
        (line,) = self.run("offer", *options).stdout.splitlines()
        assert line.startswith("openid-credential-offer://?credential_offer=")
        (document,) = parse_qs(urlsplit(line).query)["credential_offer"]
        read: dict[str, Any] = json.loads(document)
        return read


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    data = tmp_path_factory.mktemp("commands") / "demo"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(software, "_COST", software._DEMO_COST)
        patch.setattr(os, "fsync", lambda _: None)
        start.prepare(data, "127.0.0.1", PORT, say=lambda _: None)
    return Folder(data)


def test_an_offer_names_both_formats_of_a_marriage_certificate(folder: Folder) -> None:
    """OpenID4VCI 1.0 section 4.1.1."""
    offer = folder.offer()
    assert offer["credential_issuer"] == f"http://127.0.0.1:{PORT}/issuers/990100/civil-affairs"
    configurations = ["common.marriage-certificate.sd_jwt_vc", "common.marriage-certificate.mdoc"]
    assert offer["credential_configuration_ids"] == configurations
    assert set(offer["grants"]) == {PRE_AUTHORIZED}
    assert set(offer["grants"][PRE_AUTHORIZED]) == {"pre-authorized_code"}, "no tx_code"
    assert folder.offer()["grants"] != offer["grants"], "fresh each time"


def test_an_offer_of_one_type_in_one_format(folder: Folder) -> None:
    offer = folder.offer("--type", "driving-licence", "--format", "mso_mdoc")
    assert offer["credential_configuration_ids"] == ["common.driving-licence.mdoc"]
    assert offer["credential_issuer"].endswith("/issuers/990200/public-security")


def test_an_offer_by_reference_with_a_transaction_code(folder: Folder) -> None:
    done = folder.run("offer", "--by-reference", "--tx-code")
    assert done.stdout.startswith("openid-credential-offer://?credential_offer_uri=http%3A%2F%2F127.0.0.1%3A18998%2F")
    assert done.stderr.startswith("Transaction code: ")
    assert folder.run("offer", "--tx-code", "--grant", "authorization_code", code=2)
    assert set(folder.offer("--grant", "authorization_code")["grants"]) == {"authorization_code"}


def test_an_offer_that_a_clerk_has_to_approve(folder: Folder) -> None:
    """What is under dual control waits (OpenID4VCI 1.0 section 9) where no clerk hands it out; nothing else does."""
    store = OpenidStore((opened := open_demo(folder.data)).engine)

    def approved(*options: str) -> bool:
        offer = folder.offer("--type", "residence-permit", *options)
        row = store.offer_of_code(sha256(offer["grants"][PRE_AUTHORIZED]["pre-authorized_code"].encode()).digest())
        assert row is not None
        return bool(row["approved"])

    assert approved()
    assert not approved("--needs-approval")
    told = folder.run("offer", "--type", "residence-permit", "--needs-approval").stderr
    assert "/desk/wallet-requests" in told
    assert all(clerk in told for clerk in RESIDENCE_CLERKS)
    with pytest.raises(NotInTheDemo, match=r"driving-licence is not under dual control.*990200/residence-permit"):
        offer(
            folder.data,
            "driving-licence",
            (RenderingKind.MDOC,),
            grant="pre-authorized_code",
            with_pin=False,
            approved=False,
        )
    opened.engine.dispose()


def test_what_is_under_dual_control_is_sealed_anew_by_two_clerks(folder: Folder) -> None:
    opened = open_demo(folder.data)
    issuer = build_issuer(opened)
    holder = issuer.find_holder(CHEN.kind, CHEN.number)
    assert holder is not None
    (held,) = [each for each in issuer.held(holder) if each.attestation.type_id == RESIDENCE_PERMIT]
    invalid, reason = CertificateStatus.INVALID, StatusReason.HOLDER_REQUEST
    number = held.attestation.certificate_id
    issuer.change_status(StatusChangeRequest(number, invalid, reason, opened.now(), FOUNDER))
    folder.offer("--type", "residence-permit")
    sealed = [each for each in issuer.store.all_waiting(held.attestation.issuer_id) if each.certificate_id != number]
    assert [each.requested_by == each.decided_by for each in sealed] == [False]
    opened.engine.dispose()


def test_what_stands_no_more_is_issued_anew_and_offered(folder: Folder) -> None:
    """Testers revoke what they have collected, and collect again."""
    opened = open_demo(folder.data)
    issuer, store = build_issuer(opened), OpenidStore(opened.engine)

    def offered() -> CertificateId:
        code = folder.offer("--type", HOUSEHOLD_REGISTER)["grants"][PRE_AUTHORIZED]["pre-authorized_code"]
        row = store.offer_of_code(sha256(code.encode()).digest())
        assert row is not None
        return CertificateId(row["certificate_id"])

    first = offered()
    assert offered() == first
    revoked, reason = CertificateStatus.INVALID, StatusReason.HOLDER_REQUEST
    issuer.change_status(StatusChangeRequest(first, revoked, reason, opened.now(), FOUNDER))
    second = offered()
    assert second != first
    assert offered() == second
    assert issuer.certificate(second).status is CertificateStatus.VALID
    opened.engine.dispose()


def test_a_type_that_nobody_holds_is_named_with_those_there_are(folder: Folder) -> None:
    with pytest.raises(NotInTheDemo, match=r"'passport'.*common/marriage-certificate, common/household-register"):
        find_type("passport")
    with pytest.raises(NotInTheDemo):
        find_type("990200/talent-degree")
    assert find_type("marriage-certificate") == find_type("common/marriage-certificate") == MARRIAGE_CERTIFICATE


def test_anchors_are_one_file_for_each_region_and_role(folder: Folder, tmp_path: Path) -> None:
    told = folder.run("anchors", "--out", str(tmp_path / "out")).stdout.splitlines()
    names = {path.name for path in (tmp_path / "out").iterdir()}
    roles = ("issuers", "status", "verifiers", "timestamps")
    of_regions = {f"{role}-{region}.pem" for role in roles for region in ("990100", "990200")}
    assert names == {*of_regions, "wallet-providers.pem"}
    assert len(told) == len(names)
    (ca,) = parse_pem_certificates((tmp_path / "out" / "verifiers-990200.pem").read_bytes())
    assert ca.is_ca
    assert ca.pem() == (folder.data / "certificates" / "990200-ca.pem").read_bytes()


def test_an_outside_wallet_gets_a_key_of_the_wallet_provider(folder: Folder, tmp_path: Path) -> None:
    """OpenID4VCI annexes D and E; HAIP 1.0: x5c without the anchor. A second call replaces key and certificate."""
    made = []
    for _ in range(2):
        told = folder.run("wallet-provider", "--out", str(tmp_path)).stdout.splitlines()
        assert len(told) == len(list(tmp_path.iterdir())) == 4
        made.append((tmp_path / "demo-wallet-provider-key.pem").read_bytes())
    assert made[0] != made[1]
    (ca,) = parse_pem_certificates((folder.data / "wallet-providers.pem").read_bytes())
    (leaf,) = parse_pem_certificates((tmp_path / "wallet-provider-chain.pem").read_bytes())
    assert validate_path(leaf, (), (ca,), datetime.now(UTC)).outcome is PathOutcome.OK
    assert "Demonstration" in leaf.subject
    signer = PrivateKeySigner("x", ES256, ES256.primitive.load(_der(made[1])))
    assert signer.public_key == leaf.public_key
    jwk = json.loads((tmp_path / "demo-wallet-provider-key.jwk.json").read_text())
    assert {name: jwk[name] for name in ("kty", "crv", "x", "y")} == leaf.public_key.jwk()
    assert jwk["x5c"] == [b64encode(leaf.der).decode()]
    for path in tmp_path.glob("*key*"):
        assert path.stat().st_mode & 0o777 == 0o600
        assert "demo" in path.name


def _der(pem: bytes) -> bytes:
    return b64decode(b"".join(pem.splitlines()[1:-1]))


def test_a_folder_of_an_earlier_version_has_no_wallet_provider(folder: Folder, tmp_path: Path) -> None:
    settings = folder.data / "yinxin.toml"
    text = settings.read_text()
    try:
        settings.write_text("".join(line for line in text.splitlines(keepends=True) if "wallet_provider" not in line))
        with pytest.raises(DemoFolderRefused, match="earlier version"):
            write_provider(folder.data, tmp_path)
    finally:
        settings.write_text(text)


def test_a_folder_that_is_no_demonstration_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DemoFolderRefused, match="yinxin demo --data"):
        open_demo(tmp_path)
    (tmp_path / "yinxin.toml").write_text("demo = false\n")
    with pytest.raises(DemoFolderRefused, match="holds no demonstration"):
        open_demo(tmp_path)


def test_a_request_by_default_asks_for_what_an_offer_gives(folder: Folder) -> None:
    """OpenID4VP 1.0 section 5.2: by reference, to be fetched by POST."""
    done = folder.run("request")
    (line,) = done.stdout.splitlines()
    link = read_link(line)
    assert link.client_id.startswith("x509_hash:")
    assert link.request_uri.startswith(f"http://localhost:{PORT}/openid4vp/requests/")
    assert link.method == "post"
    assert "990200/government-hall asks for 990200/marriage-benefit" in done.stderr


def test_a_request_by_host_name_in_the_clear(folder: Folder) -> None:
    arguments = ("--scenario", "vehicle-registration", "--prefix", "x509_san_dns", "--mode", "direct_post")
    assert read_link(folder.run("request", *arguments).stdout.strip()).client_id == "x509_san_dns:localhost"


def fetched(folder: Folder) -> Asked:
    with asking(folder) as asked:
        return read_request(asked.requests.fetch(read_link(asked.begun.uri).request_uri.rpartition("/")[2]))


def test_a_request_brings_its_regions_registration(folder: Folder) -> None:
    """OpenID4VP 1.0 section 5.11: for wallets that have the regions' CAs and read no lists."""
    asked = fetched(folder)
    claims, leaf = read_signed(asked.claims["verifier_info"][1]["data"], "rc-rp+jwt")
    assert (claims["sub"], claims["scenario"]) == ("990200/government-hall", "990200/marriage-benefit")
    assert leaf.issuer == asked.certificate.issuer


@pytest.mark.parametrize("becomes", ["", "none.key"])
def test_a_request_goes_without_a_registration_where_the_key_is_not(folder: Folder, becomes: str) -> None:
    settings = folder.data / "yinxin.toml"
    text = settings.read_text()
    lines = text.splitlines(keepends=True)
    try:
        settings.write_text("".join(x.replace("list.key", becomes) for x in lines if becomes or "/list.key" not in x))
        assert len(fetched(folder).claims["verifier_info"]) == 1
    finally:
        settings.write_text(text)


def test_a_scenario_that_no_counter_offers_is_named_with_those_there_are() -> None:
    with pytest.raises(NotInTheDemo, match=r"'taxes'.*990200/household-transfer.*990100/vehicle-registration"):
        find_scenario("taxes")


def test_a_folder_of_an_earlier_version_says_that_it_has_no_access_keys(folder: Folder) -> None:
    settings = folder.data / "yinxin.toml"
    text = settings.read_text()
    try:
        settings.write_text("".join(line for line in text.splitlines(keepends=True) if "/access.key" not in line))
        with pytest.raises(DemoFolderRefused, match=r"earlier version.*--data"), asking(folder):
            pytest.fail("there is no key to ask with")
    finally:
        settings.write_text(text)


def test_the_verdict_is_printed_when_it_came(folder: Folder) -> None:
    with asking(folder) as asked:
        opened = open_demo(folder.data)
        key = load_or_create_deployment_key(folder.data / "deployment.key")
        declined = Answer(opened.now(), error="access_denied")
        RequestStore(opened.engine, key).answered(asked.begun.id, declined, None)
        opened.engine.dispose()
        told = progress_to_json(asked.wait())
    assert told == {"state": "declined", "error": "access_denied", "verdicts": [], "missing": []}


def asking(folder: Folder) -> AbstractContextManager[Asking]:
    return ask(folder.data, DEFAULT_SCENARIO, ClientIdPrefix.X509_HASH, ResponseMode.DIRECT_POST_JWT)


def test_who_forgot_to_start_the_demonstration_is_told(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.demo.opening.answers", lambda data: False)
    told = f"The demonstration is not running: start it with  yinxin demo --data {folder.data}"
    assert told in folder.run("offer").stderr
    assert told in folder.run("request").stderr


def test_a_folder_that_can_t_be_written_to_is_named(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert (
        CliRunner()
        .invoke(app, ["anchors", "--data", str(folder.data), "--out", str(tmp_path / "file" / "anchors")])
        .exit_code
        == 2
    )
