"""A case file before other tools: unzip, zip, OpenSSL, and a reader of twenty lines that knows only the standard."""

from __future__ import annotations

import base64
import hashlib
import io
import shutil
import subprocess
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest

from keys.algorithms import ES256
from keys.envelopes.asic import make_container, read_container, renew_container
from keys.envelopes.strict_zip import read_zip
from keys.signer import EphemeralSigner
from keys.timestamps import EmbeddedTimestamper
from keys.x509 import Certificate, Profile, make_certificate, make_region_ca

pytestmark = pytest.mark.interop

DAY_0 = datetime(2026, 1, 1, tzinfo=UTC)
YEAR = timedelta(days=365)
OBJECTS = {"evidence/certificate.pdf": b"%PDF-1.7 " * 1000, "README.txt": "卷宗".encode(), "report/report.json": b"{}"}
_ASIC = "{http://uri.etsi.org/02918/v1.2.1#}"
_DS = "{http://www.w3.org/2000/09/xmldsig#}"


def authority() -> tuple[Certificate, EphemeralSigner, Certificate]:
    ca_signer, key = EphemeralSigner.generate(ES256), EphemeralSigner.generate(ES256)
    until = DAY_0 + 30 * YEAR
    ca = make_region_ca(
        ca_signer, common_name="CA", organisation="o", region="990100", not_before=DAY_0, not_after=until
    )
    made = make_certificate(
        Profile.TIMESTAMP,
        ca_signer=ca_signer,
        ca=ca,
        subject_key=key.public_key,
        common_name="TSA",
        organisation="o",
        uscc=None,
        uri=None,
        not_before=DAY_0,
        not_after=until,
    )
    return ca, key, made


CA, KEY, TSA = authority()


def case() -> bytes:
    made = make_container(OBJECTS, EmbeddedTimestamper(KEY, TSA, (), lambda: DAY_0))
    return renew_container(made, EmbeddedTimestamper(KEY, TSA, (), lambda: DAY_0 + YEAR), {"renewals/002/x": b"x"})


def tool(name: str, package: str) -> str:
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed: apt-get install {package}")
    return path


def test_unzip_finds_nothing_wrong_and_takes_out_what_went_in(tmp_path: Path) -> None:
    unzip = tool("unzip", "unzip")
    (tmp_path / "case.asice").write_bytes(case())
    tested = subprocess.run([unzip, "-t", "case.asice"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (tested.returncode, "No errors detected" in tested.stdout) == (0, True), tested.stdout + tested.stderr
    subprocess.run([unzip, "-q", "case.asice", "-d", "parts"], cwd=tmp_path, check=True)
    assert {name: (tmp_path / "parts" / name).read_bytes() for name in OBJECTS} == OBJECTS


@pytest.mark.parametrize(
    ("token", "manifest"),
    [
        ("META-INF/timestamp001.tst", "META-INF/ASiCManifest.xml"),
        ("META-INF/timestamp002.tst", "META-INF/ASiCArchiveManifest.xml"),
    ],
)
def test_openssl_verifies_every_time_stamp_over_its_manifest(tmp_path: Path, token: str, manifest: str) -> None:
    openssl = tool("openssl", "openssl")
    with zipfile.ZipFile(io.BytesIO(case())) as archive:
        archive.extractall(tmp_path)
    (tmp_path / "ca.pem").write_bytes(CA.pem())
    at = str(int((DAY_0 + 2 * YEAR).timestamp()))
    command = [openssl, "ts", "-verify", "-in", token, "-token_in", "-data", manifest, "-CAfile", "ca.pem"]
    verified = subprocess.run([*command, "-attime", at], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "Verification: OK" in verified.stdout + verified.stderr
    (tmp_path / manifest).write_bytes((tmp_path / manifest).read_bytes() + b" ")
    altered = subprocess.run([*command, "-attime", at], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "Verification: FAILED" in altered.stdout + altered.stderr


def test_a_reader_of_twenty_lines_agrees_on_every_digest() -> None:
    """EN 319 162-1 annex A.4, by nothing but the standard library."""
    with zipfile.ZipFile(io.BytesIO(case())) as archive:
        assert archive.namelist()[0] == "mimetype"
        assert archive.read("mimetype") == b"application/vnd.etsi.asic-e+zip"
        named = {}
        for manifest in ("META-INF/ASiCManifest.xml", "META-INF/ASiCArchiveManifest.xml"):
            root = ElementTree.fromstring(archive.read(manifest))
            assert root.tag == f"{_ASIC}ASiCManifest"
            for reference in root.iter(f"{_ASIC}DataObjectReference"):
                method = reference.find(f"{_DS}DigestMethod")
                value = reference.find(f"{_DS}DigestValue")
                assert method is not None
                assert value is not None
                assert method.get("Algorithm") == "http://www.w3.org/2001/04/xmlenc#sha512"
                content = archive.read(reference.get("URI", ""))
                assert hashlib.sha512(content).digest() == base64.b64decode(value.text or "")
                named[reference.get("URI")] = manifest
        rest = set(archive.namelist()) - set(named)
    assert rest == {"mimetype", "META-INF/ASiCArchiveManifest.xml", "META-INF/timestamp002.tst"}


def test_what_another_zip_program_packed_is_read(tmp_path: Path) -> None:
    zip_ = tool("zip", "zip")
    with zipfile.ZipFile(io.BytesIO(case())) as archive:
        names = archive.namelist()
        archive.extractall(tmp_path)
    subprocess.run([zip_, "-q", "-X", "-0", "again.asice", "mimetype"], cwd=tmp_path, check=True)
    subprocess.run([zip_, "-q", "-X", "-r", "again.asice", *names[1:]], cwd=tmp_path, check=True)
    again = (tmp_path / "again.asice").read_bytes()
    assert read_zip(again, max_inside=1 << 20) == read_zip(case_like(tmp_path, names), max_inside=1 << 20)
    found = read_container(again)
    assert (found.broken, found.uncovered, len(found.assertions)) == ((), (), 2)


def case_like(folder: Path, names: list[str]) -> bytes:
    """The same members, packed by Python."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name in names:
            archive.write(folder / name, name)
    return target.getvalue()
