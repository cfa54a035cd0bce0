"""An issued PDF before other people's tools: pyHanko's command line, qpdf, poppler, OpenSSL, zxing."""

from __future__ import annotations

import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image
from pyhanko.pdf_utils.reader import PdfFileReader

from issuer.renderings.pdf import LAYOUT, render_pdf, seal_appearance
from keys.algorithms import ALGORITHMS, ES256
from keys.cms import TIME_STAMP_ATTRIBUTE, parse_signed_data, single
from keys.envelopes.pades import Appearance, sign_pdf
from keys.signer import EphemeralSigner
from keys.timestamps import EmbeddedTimestamper
from keys.x509 import Profile, make_certificate, make_region_ca
from tests.issuer.samples import AUTHORITIES, CLAIMS, ISSUED, recorded

pytestmark = pytest.mark.interop

QR = "YX1:" + "".join("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"[n * 7 % 45] for n in range(480))
START, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2036, 1, 1, tzinfo=UTC)


def tool(name: str, package: str) -> str:
    path = shutil.which(name) or shutil.which(str(Path(sys.executable).with_name(name)))
    if path is None:
        pytest.skip(f"{name} is not installed: {package}")
    return path


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)


class Region:
    """A region's CA, one seal, one time-stamping authority."""

    def __init__(self, algorithm=ES256) -> None:
        self.ca_signer = EphemeralSigner.generate(ES256)
        self.ca = make_region_ca(
            self.ca_signer,
            common_name="东岭根",
            organisation="东岭",
            region="990100",
            not_before=START,
            not_after=END,
        )
        self.seal = EphemeralSigner.generate(algorithm)
        self.seal_certificate = self.certify(Profile.SEAL, self.seal, "99010000000001")
        tsa = EphemeralSigner.generate(ES256)
        self.tsa = EmbeddedTimestamper(tsa, self.certify(Profile.TIMESTAMP, tsa, "TSA"), (), lambda: ISSUED)

    def certify(self, profile, signer, name):
        return make_certificate(
            profile,
            ca_signer=self.ca_signer,
            ca=self.ca,
            subject_key=signer.public_key,
            common_name=name,
            organisation="东岭市民政局",
            uscc="11990100MB00000013",
            uri=None,
            not_before=START,
            not_after=END,
        )

    def issue(self, record) -> bytes:
        return sign_pdf(
            render_pdf(record, QR, authority=AUTHORITIES[record.type.id]),
            signer=self.seal,
            certificate=self.seal_certificate,
            chain=(),
            timestamper=self.tsa,
            signed_at=ISSUED,
            appearance=Appearance(seal_appearance(record.seal.image_svg), LAYOUT.page, LAYOUT.seal_box),
            reason="结婚证 Marriage Certificate",
            location="东岭",
            field_name="seal",
        )


@pytest.fixture(scope="module")
def region():
    return Region()


@pytest.fixture(scope="module")
def issued(region, tmp_path_factory):
    folder = tmp_path_factory.mktemp("issued")
    (folder / "ca.pem").write_bytes(region.ca.pem())
    (folder / "issued.pdf").write_bytes(region.issue(recorded()))
    return folder


def pyhanko_says(folder: Path, name: str) -> str:
    command = tool("pyhanko", "pip install pyhanko-cli"), "sign", "validate", "--pretty-print"
    options = "--trust", folder / "ca.pem", "--trust-replace", "--no-revocation-check"
    return run(*command, *options, folder / name).stdout


class TestPyhanko:
    @pytest.mark.parametrize("algorithm", ALGORITHMS, ids=lambda a: a.jose)
    def test_its_command_line_validates_against_the_regions_ca(self, algorithm, tmp_path):
        region = Region(algorithm)
        (tmp_path / "ca.pem").write_bytes(region.ca.pem())
        (tmp_path / "issued.pdf").write_bytes(region.issue(recorded()))
        said = pyhanko_says(tmp_path, "issued.pdf")
        assert "The signature is judged VALID." in said
        assert "The signature covers the entire file." in said
        assert "The timestamp token is cryptographically sound." in said
        assert "The TSA certificate is trusted." in said

    def test_not_against_another_regions_ca(self, issued, tmp_path):
        (tmp_path / "ca.pem").write_bytes(Region().ca.pem())
        shutil.copy(issued / "issued.pdf", tmp_path)
        assert "judged INVALID" in pyhanko_says(tmp_path, "issued.pdf")

    def test_not_with_a_changed_byte(self, issued):
        pdf = bytearray((issued / "issued.pdf").read_bytes())
        pdf[len(pdf) // 3] ^= 1
        (issued / "forged.pdf").write_bytes(pdf)
        assert "judged VALID" not in pyhanko_says(issued, "forged.pdf")


def test_qpdf_finds_nothing_wrong(region, tmp_path):
    qpdf = tool("qpdf", "apt-get install qpdf")
    for type_id in CLAIMS:
        (tmp_path / "it.pdf").write_bytes(region.issue(recorded(type_id)))
        checked = run(qpdf, "--check", tmp_path / "it.pdf")
        assert checked.returncode == 0, checked.stderr
        assert "No syntax or stream encoding errors found" in checked.stdout


def test_poppler_finds_the_signature_valid_and_the_document_whole(issued):
    said = run(tool("pdfsig", "apt-get install poppler-utils"), issued / "issued.pdf").stdout
    assert "Signature Validation: Signature is Valid." in said
    assert "Total document signed" in said
    assert "ETSI.CAdES.detached" in said


class TestOpenssl:
    def test_it_verifies_the_seal_certificates_path(self, region, issued):
        (issued / "seal.pem").write_bytes(region.seal_certificate.pem())
        at = str(int(ISSUED.timestamp()))
        command = tool("openssl", "apt-get install openssl"), "verify", "-x509_strict", "-attime", at
        checked = run(*command, "-CAfile", issued / "ca.pem", issued / "seal.pem")
        assert checked.stdout.endswith("OK\n"), checked.stderr

    def test_it_verifies_the_time_stamp_over_the_signature_value(self, issued):
        with (issued / "issued.pdf").open("rb") as file:
            cms = parse_signed_data(PdfFileReader(file).embedded_signatures[0].pkcs7_content)
        (issued / "value").write_bytes(cms.signature)
        (issued / "token.der").write_bytes(single(cms.unsigned, TIME_STAMP_ATTRIBUTE))
        at = str(int((ISSUED + timedelta(days=1)).timestamp()))
        command = (
            tool("openssl", "apt-get install openssl"),
            "ts",
            "-verify",
            "-attime",
            at,
            "-CAfile",
            issued / "ca.pem",
        )
        checked = run(*command, "-data", issued / "value", "-in", issued / "token.der", "-token_in")
        assert "Verification: OK" in checked.stdout, checked.stderr


def test_zxing_reads_the_code_from_a_scan_at_150_dpi(issued):
    rasterise = tool("pdftoppm", "apt-get install poppler-utils")
    assert run(rasterise, "-r", "150", "-png", "-singlefile", issued / "issued.pdf", issued / "page").returncode == 0
    with Image.open(issued / "page.png") as page:
        assert zxingcpp.read_barcode(page).text == QR
