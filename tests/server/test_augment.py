"""`yinxin augment`: what it adds, what it says, what it refuses."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from typer.testing import CliRunner

from keys.envelopes.pades import parse_signed_pdf
from keys.envelopes.pades.augmenting import level_of
from keys.envelopes.pades.levels import Level
from server.cli import augment as command
from tests.keys.pdf_files import CA, SIGNED, flip, sign
from tests.keys.test_augmenting import LATER, archive, crl, material


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("YINXIN_DATA", str(tmp_path / "data"))
    monkeypatch.setattr("server.clock.utc_now", lambda: LATER)
    monkeypatch.setattr(command, "_timestamper", lambda url, settings, view: archive())
    (tmp_path / "ca.pem").write_bytes(CA.pem())
    (tmp_path / "ca.crl").write_bytes(crl())
    (tmp_path / "sealed.pdf").write_bytes(SIGNED)
    return tmp_path


def run(folder: Path, *options: str, file="sealed.pdf", lang="en"):
    arguments = [str(folder / file), "--anchor", str(folder / "ca.pem"), "--lang", lang, *options]
    return CliRunner().invoke(command.app, arguments)


def with_crl(folder: Path, *options: str, **more):
    return run(folder, "--revocation", str(folder / "ca.crl"), *options, **more)


def level(path: Path) -> Level:
    return level_of(parse_signed_pdf(path.read_bytes()), material(), LATER)


@pytest.mark.parametrize("goal", ["B-LT", "B-LTA"])
def test_it_reaches_the_level_in_the_files_place(folder, goal):
    (folder / "sealed.pdf").chmod(0o640)
    done = with_crl(folder, "--to", goal)
    assert (done.exit_code, f"B-T -> {goal}, added" in done.stdout) == (0, True)
    assert level(folder / "sealed.pdf").value == goal
    assert (folder / "sealed.pdf").read_bytes().startswith(SIGNED)
    assert (folder / "sealed.pdf").stat().st_mode & 0o777 == 0o640


def test_or_elsewhere(folder):
    assert with_crl(folder, "--out", str(folder / "kept.pdf")).exit_code == 0
    assert (folder / "sealed.pdf").read_bytes() == SIGNED
    assert level(folder / "kept.pdf") is Level.B_LTA


def test_the_second_time_there_is_nothing_to_add(folder):
    with_crl(folder)
    kept = (folder / "sealed.pdf").read_bytes()
    assert "nothing to add" in with_crl(folder).stdout
    assert "无需补充" in with_crl(folder, lang="zh").stdout
    assert (folder / "sealed.pdf").read_bytes() == kept
    assert "1 document time-stamp" in with_crl(folder, "--renew").stdout


def test_a_crl_in_pem_will_do(folder):
    text = base64.encodebytes(crl())
    (folder / "ca.crl").write_bytes(b"-----BEGIN X509 CRL-----\n" + text + b"-----END X509 CRL-----\n")
    assert with_crl(folder).exit_code == 0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"no pdf", "not a PDF"),
        (flip(SIGNED, len(SIGNED) // 3), "not whole"),
        (b"%PDF-1.7\n", "not a PDF"),
    ],
    ids=["text", "altered", "head"],
)
def test_what_is_not_whole_is_refused_and_left_alone(folder, content, said):
    (folder / "sealed.pdf").write_bytes(content)
    done = with_crl(folder)
    assert (done.exit_code, done.stdout) == (1, "")
    assert said in done.stderr
    assert (folder / "sealed.pdf").read_bytes() == content


def test_what_is_missing_is_said_with_the_way_to_get_it(folder):
    assert "--revocation FILE" in run(folder).stderr  # nothing given, and the certificates name no place to ask
    assert "--revocation" in run(folder, lang="zh").stderr
    (folder / "ca.pem").write_bytes(parse_signed_pdf(sign()).signatures[0].timestamp.certificate.pem())
    assert "--anchor FILE" in with_crl(folder).stderr


@pytest.mark.parametrize(
    "options",
    [("--revocation", "missing.crl"), ("--anchor", "missing.pem"), ("--trust", "nowhere"), ("--to", "B-B")],
    ids=lambda options: options[0],
)
def test_wrong_usage_says_which_option(folder, options):
    done = with_crl(folder, *options)
    assert done.exit_code == 2  # the command line makes 64 of it
    assert options[0] in done.stderr


def test_every_refusal_has_words():
    from keys.errors import CannotAugment

    assert CannotAugment.__doc__ is not None
    assert all(f'"{why}"' in CannotAugment.__doc__ for why in command._WHY)
    assert CannotAugment.__doc__.count('"') == 2 * len(command._WHY)
