"""`yinxin verify` as people type it: a local copy of the trust data, no network, exit codes that scripts rely on."""

from __future__ import annotations

import io
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from keys.x509 import Profile
from server.cli import main
from tests.trust_registry.network import Network
from tests.verifier.small_world import (
    DAY,
    EAST,
    LIST,
    NOW,
    WEST,
    SmallWorld,
    attestation,
    authority,
    certificate,
    qr,
    sd_jwt,
)
from trust_registry.catalogue import COMMON
from trust_registry.model import CertificateStatus, ListKind, RegionCode
from trust_registry.status_cache import StatusCache


@pytest.fixture(scope="session")
def network_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network founded for real, and a copy of it that a counter took home."""
    folder = tmp_path_factory.mktemp("network")
    world = SmallWorld()
    network = Network(folder, NOW).found()
    for code, kind in ((COMMON, ListKind.BODY), (EAST, ListKind.REGION), (WEST, ListKind.REGION)):
        network.admit(RegionCode(code), kind)
    for region_list in world.view().lists.values():
        network.publish(replace(region_list, version=2))
    return folder


@pytest.fixture
def counter(network_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An offline counter: its trust copy, its clock, no settings of anybody else."""
    import shutil

    monkeypatch.setattr("server.clock.utc_now", lambda: NOW)
    monkeypatch.delenv("YINXIN_TRUST", raising=False)
    monkeypatch.setenv("YINXIN_DATA", str(tmp_path / "data"))
    network = Network(network_folder, NOW)
    store = network.store("copy")
    store.refresh(network.fetch, NOW)
    shutil.copytree(store.folder, tmp_path / "trust")
    keep_statuses(tmp_path / "trust", CertificateStatus.VALID, store.load(NOW))
    return tmp_path


def keep_statuses(folder: Path, status: CertificateStatus, view: Any) -> None:
    token = SmallWorld().status_token(status=status).encode()
    StatusCache(folder / "status").refresh([LIST], lambda _: token, view, NOW)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["yinxin", "verify", *arguments])
    with pytest.raises(SystemExit) as left:
        main()
    return int(left.value.code or 0)


def test_all_renderings_offline(
    counter: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from tests.verifier.test_pdf import _real_pdf

    (counter / "code.txt").write_text(qr())
    (counter / "credential.sd-jwt").write_text(sd_jwt())
    (counter / "certificate.pdf").write_bytes(_real_pdf())
    for name in ("code.txt", "credential.sd-jwt", "certificate.pdf"):
        arguments = ("--trust", str(counter / "trust"), "--accepting", WEST, "--lang", "en")
        assert run(monkeypatch, str(counter / name), *arguments) == 0
        out = capsys.readouterr().out
        assert "✓ Accept" in out
        assert "Trust data: just now; status data: just now" in out
        assert "Next: " in out


def test_zh_is_the_default(counter: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, qr(), "--trust", str(counter / "trust")) == 0
    assert "✓ 真实有效" in capsys.readouterr().out


def test_exit_codes_and_the_worst_of_several(
    counter: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = counter / "folder"
    folder.mkdir()
    trust = ("--trust", str(counter / "trust"))
    (folder / "1-good.txt").write_text(qr())
    assert run(monkeypatch, str(folder), *trust) == 0
    (folder / "2-unknown.txt").write_text(qr(kid=b"12345678"))
    assert run(monkeypatch, str(folder), *trust) == 2
    (folder / "3-expired.txt").write_text(qr(attestation(valid_until=NOW)))
    capsys.readouterr()
    assert run(monkeypatch, str(folder), *trust, "--format", "json") == 1
    reports = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [report["indication"] for report in reports] == ["PASSED", "INDETERMINATE", "FAILED"]
    assert reports[2]["sub_indication"] == "EXPIRED"
    assert reports[2]["file"].endswith("3-expired.txt")
    assert "claims" not in reports[0]["certificate"]


def test_standard_input(counter: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(qr().encode() + b"\n")))
    assert run(monkeypatch, "-", "--trust", str(counter / "trust"), "--format", "json") == 0
    assert json.loads(capsys.readouterr().out)["file"] == "-"


def test_a_photo_of_a_code(counter: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import qrcode
    from qrcode.constants import ERROR_CORRECT_M

    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, box_size=4)
    code.add_data(qr())
    code.make_image().save(counter / "photo.png")
    assert run(monkeypatch, str(counter / "photo.png"), "--trust", str(counter / "trust")) == 0


def test_revoked_and_as_of_earlier(counter: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from trust_registry.client import TrustStore

    keep_statuses(counter / "trust", CertificateStatus.INVALID, TrustStore(counter / "trust").load(NOW))
    trust = ("--trust", str(counter / "trust"))
    assert run(monkeypatch, qr(), *trust) == 1
    assert run(monkeypatch, qr(), *trust, "--at", "2026-01-15") == 2


def test_data_past_its_budget(
    counter: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("server.clock.utc_now", lambda: NOW + 2 * DAY)
    assert run(monkeypatch, qr(), "--trust", str(counter / "trust"), "--lang", "en") == 2
    assert "Trust data: 2 days ago; status data: 2 days ago" in capsys.readouterr().out


def test_foreign_evidence_under_an_anchor(counter: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from base64 import b64encode

    from keys.envelopes.sd_jwt import issue_sd_jwt
    from tests.verifier.small_world import signer

    shown = certificate("stranger", Profile.SEAL, "elsewhere")
    header = {"typ": "dc+sd-jwt", "x5c": [b64encode(shown.der).decode()]}
    text = issue_sd_jwt({"vct": "https://elsewhere.example/id"}, frozenset(), signer=signer("stranger"), header=header)
    (counter / "foreign.txt").write_text(text)
    (counter / "anchor.pem").write_bytes(authority("elsewhere").pem())
    (counter / "anchor.der").write_bytes(authority("elsewhere").der)
    file = str(counter / "foreign.txt")
    assert run(monkeypatch, file) == 2
    for anchor in ("anchor.pem", "anchor.der"):
        assert run(monkeypatch, file, "--anchor", str(counter / anchor)) == 0
    asked = (file, "--anchor", str(counter / "anchor.pem"), "--revocation-rule")
    assert run(monkeypatch, *asked, "if-at-hand") == 0
    assert run(monkeypatch, *asked, "required") == 2, "nothing says that its certificate was not revoked"


def test_the_standards_json(counter: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, qr(), "--trust", str(counter / "trust"), "--format", "etsi") == 0
    (signature,) = json.loads(capsys.readouterr().out)["ValidationReport"]["SignatureValidationReport"]
    assert signature["SignatureValidationStatus"]["MainIndication"].endswith(":total-passed")
    assert signature["SignerInformation"]["Signer"].startswith("CN=seal")


@pytest.mark.parametrize(("claims", "named"), [((), False), (("--claims",), True)], ids=["without claims", "asked for"])
def test_a_pdf_to_file(
    counter: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, claims: tuple[str, ...], named: bool
) -> None:
    from tests.verifier.test_reports_pdf import text_of

    out = tmp_path / "report.pdf"
    arguments = ("--trust", str(counter / "trust"), "--format", "pdf", "--out", str(out), *claims)
    assert run(monkeypatch, qr(), *arguments) == 0
    shown = text_of(out.read_bytes(), tmp_path)
    assert "核验报告" in shown
    assert ("林晓" in shown) is named


def test_each_signature_and_what_was_done_after_it_is_told(world: SmallWorld) -> None:
    from rich.console import Console

    from server.cli.verify_output import show_words
    from tests.verifier.test_reports_etsi import several

    for language, words in (
        ("zh", ("签名 1", "结论依此签名", "B-LTA", "第 2 页：加了批注", "✕ FAILED")),
        ("en", ("Signature 2", "Page 2: a note", "did not permit")),
    ):
        console = Console(file=io.StringIO(), width=200)
        show_words(console, "file.pdf", several(world), language)
        shown = console.file.getvalue()  # type: ignore[attr-defined]
        assert [word for word in words if word not in shown] == []


def test_a_kit_instead_of_a_copy(counter: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.verifier.small_world import receipt_key
    from trust_registry.client import TrustStore
    from verifier.kit_trust import build_kit

    store = TrustStore(counter / "trust")
    (counter / "day.kit").write_bytes(build_kit(store, RegionCode(WEST), receipt_key(), NOW))
    roots = sorted((store.metadata_folder / "root_history").glob("*.root.json"))
    kit = ("--kit", str(counter / "day.kit"), "--root", str(roots[0]))
    assert run(monkeypatch, qr(), *kit, "--accepting", WEST) == 0
    assert run(monkeypatch, qr(), *kit, "--trust", str(counter / "trust")) == 64
    (counter / "day.kit").write_bytes(b"not a kit")
    assert run(monkeypatch, qr(), *kit) == 64


def test_revocation_data_from_files(counter: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from base64 import encodebytes

    from keys.revocation import make_crl
    from tests.verifier.small_world import signer

    crl = make_crl(signer("ca 990100"), authority(EAST), (), this_update=NOW, next_update=NOW + DAY, number=1)
    (counter / "list.crl").write_bytes(crl)
    (counter / "list.pem").write_bytes(b"-----BEGIN X509 CRL-----\n" + encodebytes(crl) + b"-----END X509 CRL-----\n")
    for name in ("list.crl", "list.pem"):
        assert run(monkeypatch, qr(), "--trust", str(counter / "trust"), "--revocation", str(counter / name)) == 0


def test_a_receipt_proves_since_when_something_exists(
    counter: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from tests.verifier.test_receipt import filed

    receipt = counter / "receipt.txt"
    code = qr()
    receipt.write_text(filed(SmallWorld(), text=code))
    asked = ("--trust", str(counter / "trust"), "--proof", str(receipt))
    assert run(monkeypatch, code, *asked) == 0
    assert "another file" not in capsys.readouterr().err
    (counter / "other.txt").write_text(qr())
    assert run(monkeypatch, str(counter / "other.txt"), *asked) == 0
    assert "about another file" in capsys.readouterr().err, "nobody is left to think that it counted"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["nowhere.pdf"], "no such file"),
        (["{counter}/empty"], "no files in"),
        (["YX1:", "--at", "yesterday"], "ISO 8601"),
        (["YX1:", "--anchor", "{counter}/nowhere.pem"], "--anchor"),
        (["YX1:", "--anchor", "{counter}/junk"], "--anchor"),
        (["YX1:", "--trust", "{counter}/empty"], "--trust"),
        (["YX1:", "--trust", "https://nowhere.example/"], "--root"),
        (["YX1:", "--trust", "https://nowhere.example/", "--root", "{counter}/junk"], "--trust"),
        (["YX1:", "--trust", "{counter}/trust", "--scenario", "990200/unheard-of"], "--scenario"),
        (["YX1:", "--format", "xml"], "--format"),
        (["YX1:", "--format", "pdf"], "--out FILE"),
        (["YX1:", "YX1:", "--format", "json", "--out", "{counter}/r.json"], "--out"),
        (["YX1:", "--trust", "{counter}/trust", "--format", "json", "--out", "{counter}/no/r.json"], "--out"),
        (["YX1:", "--revocation", "{counter}/junk"], "--revocation"),
        (["YX1:", "--revocation", "{counter}/nowhere.crl"], "--revocation"),
        (["YX1:", "--trust", "{counter}/trust", "--root", "{counter}/nowhere.json"], "--root"),
        (["YX1:", "--revocation-rule", "always"], "--revocation-rule"),
        (["YX1:", "--trust", "{counter}/trust", "--proof", "{counter}/junk"], "proves nothing"),
        (["YX1:", "--proof", "{counter}/nowhere.txt"], "--proof"),
        (["YX1:", "--kit", "{counter}/nowhere.kit", "--root", "{counter}/junk"], "nowhere.kit"),
        (["eyJ" + "A" * 5000 + "~"], "standard input"),
        ([], "Missing argument"),
    ],
    ids=[
        "file",
        "folder",
        "time",
        "no anchor",
        "anchor",
        "trust",
        "first time",
        "root",
        "scenario",
        "format",
        "pdf",
        "several",
        "out",
        "junk crl",
        "no crl",
        "no root",
        "revocation rule",
        "junk proof",
        "no proof",
        "kit",
        "text",
        "none",
    ],
)
def test_wrong_usage_is_64_and_says_what(
    counter: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    complaint: str,
) -> None:
    (counter / "empty").mkdir()
    (counter / "junk").write_text("junk")
    assert run(monkeypatch, *(argument.format(counter=counter) for argument in arguments)) == 64
    captured = capsys.readouterr()
    assert complaint in captured.err
    assert captured.out == ""


def test_without_any_trust_data_it_cannot_tell(counter: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, qr()) == 2


def test_a_url_is_refreshed_and_status_lists_are_fetched(
    counter: Path, network_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    network = Network(network_folder, NOW)
    token = SmallWorld().status_token().encode()
    reads = network.fetch
    base = network.store("online").repository or ""
    monkeypatch.setattr(
        "trust_registry.fetching.http_fetch", lambda _, **__: lambda url: token if url == LIST else reads(url)
    )
    root = sorted((network_folder).rglob("1.root.json"))[0]
    assert run(monkeypatch, qr(), "--trust", base, "--root", str(root), "--accepting", WEST) == 0
    monkeypatch.setattr("trust_registry.fetching.http_fetch", lambda _, **__: _unreachable)
    assert run(monkeypatch, qr(), "--trust", base) == 0
    assert "not refreshed" in capsys.readouterr().err


def _unreachable(url: str) -> bytes:
    from trust_registry.errors import FetchFailed

    raise FetchFailed(url, "no network")
