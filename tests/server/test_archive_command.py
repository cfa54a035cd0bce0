"""`yinxin archive`, and every command of docs/archiving.md in its order; what must not be touched is not touched."""

from __future__ import annotations

import shlex
import shutil
import stat
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from keys.envelopes.asic import read_container
from keys.envelopes.pades import parse_signed_pdf
from keys.timestamps import EmbeddedTimestamper
from keys.x509 import Certificate, Profile, make_certificate
from server.cli import app
from tests.documents import expect, steps
from tests.keys.pdf_files import CA, CA_SIGNER, SIGNED, document, flip
from tests.keys.test_augmenting import ARCHIVE_CERTIFICATE, augmented, crl
from tests.server.test_offline_document import Clock, bring
from tests.trust_registry.network import Network
from tests.verifier.small_world import DAY, DAY_0, EAST, NOW, SEALED, attestation, certificate, qr, signer
from tests.verifier.test_cli import network_folder
from trust_registry.model import CertificateStatus

__all__ = ["network_folder"]
DOCUMENT = Path(__file__).parents[2] / "docs" / "archiving.md"
TSA = "https://tsa.example/"
MAKE = ("make", "code.txt", "--scenario", "990200/household-transfer", "--trust", "trust", "--tsa", TSA)
ENDS = certificate("tsa", Profile.TIMESTAMP, EAST).not_after


class Desk:
    """A folder with trust data and evidence, a clock set by hand, and a time-stamping authority at a URL."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = Clock()
        self.stamper: Certificate = certificate("tsa", Profile.TIMESTAMP, EAST)
        self.refuses = False

    def post(self, url: str, body: bytes, content_type: str) -> bytes:
        assert (url, content_type) == (TSA, "application/timestamp-query")
        if self.refuses:
            raise OSError("no route")
        return EmbeddedTimestamper(signer("tsa"), self.stamper, (), self.clock).answer_query(body)

    def run(self, *words: str, code: int = 0) -> str:
        result: Result = CliRunner().invoke(app, ["archive", *words], standalone_mode=False)
        exit_code = result.return_value if result.exception is None else getattr(result.exception, "exit_code", None)
        assert (exit_code or 0) == code, (words, result.output, result.exception)
        return result.output

    def refusal(self, *words: str) -> str:
        result = CliRunner().invoke(app, ["archive", *words], standalone_mode=False)
        assert result.exception is not None
        return str(getattr(result.exception, "message", result.exception))

    def case(self, name: str = "case.asice", *more: str) -> Path:
        self.run(*MAKE, "--out", name, *more)
        return self.folder / name


@pytest.fixture
def desk(network_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    desk = Desk(tmp_path)
    monkeypatch.setattr("server.clock.utc_now", desk.clock)
    monkeypatch.setattr("server.timestamping._post", desk.post)
    monkeypatch.setattr("server.cli.registry_keys.open_named_key", lambda *_: signer("hall"))
    monkeypatch.setenv("YINXIN_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("YINXIN_LANG", "en")
    monkeypatch.chdir(tmp_path)
    network = Network(network_folder, NOW)
    shutil.copytree(network.store(f"archive {tmp_path.name}").folder, tmp_path / "trust")
    bring(tmp_path, network, CertificateStatus.VALID, NOW)
    (tmp_path / "1.root.json").write_bytes(network.repository.first_root())
    (tmp_path / "code.txt").write_text(qr())
    return desk


def later(desk: Desk, at: datetime) -> None:
    """A day on which the authority has another certificate, listed nowhere yet."""
    desk.clock.now = at
    desk.stamper = certificate("tsa", Profile.TIMESTAMP, EAST, until=at + 1500 * DAY)


def test_the_document_does_what_it_says(desk: Desk) -> None:
    ran = 0
    for step in steps(DOCUMENT.read_text(encoding="utf-8")):
        words = shlex.split(step.command)
        if words[2] == "renew" and not ran_renewal(desk):
            (desk.folder / "archive").mkdir()
            for number in (1, 2):
                shutil.copy(desk.folder / "case.asice", desk.folder / "archive" / f"case-{number}.asice")
            later(desk, ENDS - 30 * DAY)
        expect(step.shown, desk.run(*words[2:]))
        ran += 1
    assert ran == 7


def ran_renewal(desk: Desk) -> bool:
    return (desk.folder / "archive").exists()


def test_a_case_file_is_for_its_owner_alone(desk: Desk) -> None:
    case = desk.case()
    assert stat.S_IMODE(case.stat().st_mode) == 0o600
    desk.run("extract", "case.asice", "--to", "parts")
    parts = list((desk.folder / "parts").rglob("*"))
    assert {stat.S_IMODE(path.stat().st_mode) for path in parts if path.is_file()} == {0o600}
    assert {stat.S_IMODE(path.stat().st_mode) for path in parts if path.is_dir()} == {0o700}
    assert (desk.folder / "parts/evidence/evidence.txt").read_text() == (desk.folder / "code.txt").read_text()
    assert "not an empty folder" in desk.refusal("extract", "case.asice", "--to", "parts")
    later(desk, ENDS - DAY)
    desk.run("renew", "case.asice", "--tsa", TSA, "--trust", "trust")
    assert stat.S_IMODE(case.stat().st_mode) == 0o600


def test_exit_codes_say_what_the_words_say(desk: Desk) -> None:
    case = desk.case()
    assert '"kind": "archive"' in desk.run("verify", "case.asice", "--trust", "trust", "--format", "json")
    other = desk.folder / "other.json"
    other.write_bytes(b"{}")
    assert "not known here" in desk.run("verify", "case.asice", "--root", "other.json", code=2)
    desk.clock.now = ENDS + DAY
    assert "was not renewed in time" in desk.run("verify", "case.asice", "--root", "1.root.json", code=2)
    (desk.folder / "plain.pdf").write_bytes(b"%PDF-1.7")
    assert "not a case file" in desk.refusal("verify", "plain.pdf", "--trust", "trust"), "and not a damaged one"
    case.write_bytes(case.read_bytes()[:-40])
    assert "Reject" in desk.run("verify", "case.asice", "--trust", "trust", code=1)


def test_plain_verify_takes_case_files_too(desk: Desk) -> None:
    desk.case()
    result = CliRunner().invoke(app, ["verify", "case.asice", "--trust", "trust"], standalone_mode=False)
    assert (result.return_value, "Time-stamps prove" in result.output) == (0, True)


def test_only_the_lists_that_the_verdict_rested_on_are_kept(desk: Desk) -> None:
    """The registry may hold a whole country; the case file holds who issued, who accepted, and who stamped."""
    names = read_container(desk.case().read_bytes()).files
    assert {name for name in names if name.startswith("trust/metadata/region-")} == {
        "trust/metadata/region-990100.json",
        "trust/metadata/region-990200.json",
    }
    assert len([name for name in names if name.startswith("trust/status/")]) == 2


def test_what_is_altered_is_named_and_never_renewed(desk: Desk) -> None:
    good, bad = desk.case("good.asice"), desk.case("bad.asice")
    from tests.world.case_files import changed

    bad.write_bytes(changed(bad.read_bytes(), {"report/report.json": b"{}"}))
    folder = desk.folder / "archive"
    folder.mkdir()
    for each in (good, bad):
        shutil.move(each, folder / each.name)
    (folder / "broken.asice").write_bytes(b"PK\x03\x04")
    (folder / "notes.txt").write_text("not mine")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    later(desk, ENDS - DAY)
    told = desk.run("renew", "archive", "--tsa", TSA, "--trust", "trust", code=1)
    assert "bad.asice: not renewed (not whole: left alone)" in told
    assert "broken.asice: not renewed" in told
    after = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert {name for name in before if before[name] != after[name]} == {"good.asice"}
    assert "report/report.json" in desk.run("verify", "archive/bad.asice", "--trust", "trust", code=1)
    assert "report/report.json !" in desk.run("show", "archive/bad.asice")


def test_a_time_stamper_that_fails_or_ends_no_later_changes_nothing(desk: Desk) -> None:
    case = desk.case()
    before = case.read_bytes()
    desk.clock.now = ENDS - DAY
    assert "would end on" in desk.run("renew", "case.asice", "--tsa", TSA, code=1)
    desk.refuses = True
    assert "could not be reached" in desk.run("renew", "case.asice", "--tsa", TSA, code=1)
    assert case.read_bytes() == before
    assert list(desk.folder.glob(".case*")) == []


def test_a_late_renewal_is_told_as_late(desk: Desk) -> None:
    desk.case()
    later(desk, ENDS + DAY)
    assert "late: the one before ended on" in desk.run("renew", "case.asice", "--tsa", TSA)


def test_an_interruption_leaves_the_old_file_and_the_next_run_goes_on(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = desk.folder / "archive"
    folder.mkdir()
    for number in range(3):
        shutil.move(desk.case(f"{number}.asice"), folder)
    later(desk, ENDS - DAY)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    replaced = failing_after(1, Path.replace)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", replaced)
        result = CliRunner().invoke(app, ["archive", "renew", "archive", "--tsa", TSA], standalone_mode=False)
    assert "renewed:" not in result.output.splitlines()[-1]
    changed_now = [name for name, content in before.items() if (folder / name).read_bytes() != content]
    assert changed_now == ["0.asice"]
    assert len(list(folder.iterdir())) == 3
    told = desk.run("renew", "archive", "--tsa", TSA)
    assert "renewed: 2; not due: 1" in told


def failing_after(times: int, real: Callable[..., Path]) -> Callable[..., Path]:
    left = [times]

    def replace(self: Path, target: Path) -> Path:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        return real(self, target)

    return replace


def test_sealed_pdfs_that_nobody_archived_are_left_alone(desk: Desk) -> None:
    plain = document()
    (desk.folder / "plain.pdf").write_bytes(plain)
    told = desk.run("renew", "plain.pdf", "--tsa", TSA)
    assert "nothing to renew" in told
    assert (desk.folder / "plain.pdf").read_bytes() == plain


def test_archived_pdfs_in_the_folder_are_renewed_as_pdfs(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = desk.folder / "archive"
    folder.mkdir()
    kept, damaged = folder / "kept.pdf", folder / "damaged.pdf"
    archived = augmented().data
    kept.write_bytes(archived)
    kept.chmod(0o640)
    damaged.write_bytes(flip(archived, len(SIGNED) // 2))
    ends = ARCHIVE_CERTIFICATE.not_after
    (desk.folder / "ca.pem").write_bytes(CA.pem())
    (desk.folder / "ca.crl").write_bytes(crl(at=ends - 20 * DAY, until=ends))
    material = ("--anchor", "ca.pem", "--revocation", "ca.crl")
    desk.clock.now = ends - 400 * DAY
    assert "kept.pdf: not due" in desk.run("renew", "archive/kept.pdf", "--tsa", TSA, *material)
    desk.clock.now = ends - 10 * DAY
    stamper = archive_until(ends + 1000 * DAY, desk.clock)
    monkeypatch.setattr("server.cli.augment._timestamper", lambda url, settings, view: stamper)
    told = desk.run("renew", "archive", *material, code=1)
    assert "kept.pdf: renewed" in told
    assert "damaged.pdf: not renewed (not whole: left alone)" in told
    assert kept.read_bytes().startswith(archived)
    assert len(parse_signed_pdf(kept.read_bytes()).timestamps) == 2
    assert stat.S_IMODE(kept.stat().st_mode) == 0o640
    assert damaged.read_bytes() == flip(archived, len(SIGNED) // 2)


def archive_until(until: datetime, clock: Clock) -> EmbeddedTimestamper:
    made = make_certificate(
        Profile.TIMESTAMP,
        ca_signer=CA_SIGNER,
        ca=CA,
        subject_key=signer("tsa").public_key,
        common_name="archive",
        organisation="o",
        uscc=None,
        uri=None,
        not_before=DAY_0,
        not_after=until,
    )
    return EmbeddedTimestamper(signer("tsa"), made, (), clock)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("show", "code.txt"), "not a ZIP"),
        (("show", "missing.asice"), "No such file"),
        (("renew", "missing", "--tsa", TSA), "no such file"),
        (("renew", "data-to-be", "--tsa", TSA), "no case files"),
        (("renew", "code.txt"), "who stamps"),
        (("make", "code.txt", "--out", "x.asice", "--trust", "nothing", "--tsa", TSA), "no trust data"),
        (
            ("make", "code.txt", "--out", "x.asice", "--trust", "trust", "--scenario", "990200/x", "--tsa", TSA),
            "listed",
        ),
        (("make", "code.txt", "--out", "x.asice", "--trust", "trust", "--as", "9/x", "--tsa", TSA), "no region"),
        (("verify", "code.txt", "--root", "missing"), "No such file"),
        (("verify", "code.txt"), "not a case file"),
    ],
)
def test_wrong_usage_is_told(desk: Desk, words: tuple[str, ...], said: str) -> None:
    (desk.folder / "data-to-be").mkdir()
    assert said in desk.refusal(*words)


def test_an_expired_certificate_is_filed_as_refused(desk: Desk) -> None:
    (desk.folder / "code.txt").write_text(qr(attestation(valid_until=SEALED + timedelta(days=1))))
    assert "FAILED" in desk.run(*MAKE, "--out", "refused.asice")
    assert "Verdict on file: FAILED" in desk.run("verify", "refused.asice", "--trust", "trust", code=1)
    assert DAY_0 < NOW
