"""How a region's certificates stand, asked by OpenSSL; and PDFs kept verifiable, judged by pyHanko."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import threading
import time
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
import uvicorn
from asn1crypto import cms as asn1_cms
from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from fastapi import FastAPI
from pyhanko.keys import load_certs_from_pemder_data
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import PageObject, PdfFileWriter
from pyhanko.sign.ades.report import AdESPassed
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, SimpleSigner
from pyhanko.sign.timestamps import TimeStamper
from pyhanko.sign.validation import ades
from pyhanko.sign.validation.policy_decl import (
    PdfSignatureValidationSpec,
    RevinfoOnlineFetchingRule,
    RevocationInfoGatheringSpec,
    SignatureValidationSpec,
)
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.policy_decl import CertRevTrustPolicy, RevocationCheckingPolicy
from pyhanko_certvalidator.registry import SimpleCertificateStore, SimpleTrustManager

from keys.algorithms import ES256
from keys.certificate_profiles import RevocationUrls
from keys.envelopes.pades import Modification, parse_signed_pdf, sign_pdf
from keys.envelopes.pades.augmenting import Material, augment_pdf
from keys.envelopes.pades.levels import Level
from keys.revocation import make_ocsp_request
from keys.signer import EphemeralSigner
from keys.timestamps import EmbeddedTimestamper
from keys.x509 import Profile, make_certificate, make_region_ca, parse_certificate
from tests.keys.pdf_files import DOCUMENT
from tests.running import free_port
from trust_registry.model import (
    EntryReason,
    EntryStatus,
    KeyEntry,
    KeyUse,
    ListKind,
    Names,
    RegionCode,
    RegionList,
    StatusChange,
    TrustView,
)
from trust_registry.responder import Responder, ResponderKey
from trust_registry.responder_routes import responder_router

pytestmark = pytest.mark.interop

DAY = timedelta(days=1)
CODE = RegionCode("990100")
NAMES = Names("东岭", "Dongling")


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


class Region:
    """A CA with three certificates: one in force, one withdrawn, one suspended; a responder behind a real port."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/revocation"
        self.since = now() - 30 * DAY
        self.ca_signer = EphemeralSigner.generate(ES256)
        self.ca = make_region_ca(
            self.ca_signer,
            common_name="Dongling CA",
            organisation="东岭",
            region=CODE,
            not_before=self.since,
            not_after=self.since + 900 * DAY,
        )
        self.seal, self.tsa_key, self.responder_key = (EphemeralSigner.generate(ES256) for _ in range(3))
        self.good = self.certify(Profile.SEAL, self.seal, "in force")
        self.withdrawn = self.certify(Profile.SEAL, self.seal, "withdrawn")
        self.suspended = self.certify(Profile.SEAL, self.seal, "suspended")
        self.unlisted = self.certify(Profile.SEAL, self.seal, "unlisted")
        self.tsa_certificate = self.certify(Profile.TIMESTAMP, self.tsa_key, "TSA")
        self.tsa = EmbeddedTimestamper(self.tsa_key, self.tsa_certificate, (), now)
        stolen = StatusChange(
            EntryStatus.WITHDRAWN, now() - 2 * DAY, EntryReason.KEY_COMPROMISE, invalidity_date=now() - 5 * DAY
        )
        held = StatusChange(EntryStatus.SUSPENDED, now() - DAY, EntryReason.REORGANISATION)
        entries = (
            self.entry(KeyUse.CA, self.ca),
            self.entry(KeyUse.TIMESTAMP, self.tsa_certificate),
            self.entry(KeyUse.LIST, self.good),
            self.entry(KeyUse.LIST, self.withdrawn, stolen),
            self.entry(KeyUse.LIST, self.suspended, held),
        )
        found = RegionList(CODE, ListKind.REGION, NAMES, NAMES, 1, self.since, authorities=entries)
        view = TrustView({CODE: found}, {}, {}, now(), now() + DAY)
        delegate = self.certify(Profile.OCSP, self.responder_key, "Responder")
        key = ResponderKey(self.responder_key, delegate, self.ca_signer)
        self.responder = Responder({CODE: key}, lambda: view, now)

    def certify(self, profile, signer, name):
        return make_certificate(
            profile,
            ca_signer=self.ca_signer,
            ca=self.ca,
            subject_key=signer.public_key,
            common_name=name,
            organisation="东岭市民政局",
            uscc=None,
            uri=None,
            not_before=self.since,
            not_after=self.since + 800 * DAY,
            revocation=None
            if profile is Profile.OCSP
            else RevocationUrls(f"{self.url}/ocsp", f"{self.url}/{CODE}.crl"),
        )

    def entry(self, use, certificate, *history):
        granted = StatusChange(EntryStatus.GRANTED, self.since, EntryReason.INITIAL)
        return KeyEntry(use, certificate.der, certificate.thumbprint, (granted, *history))

    def ocsp(self, certificate, issuer) -> tuple[bytes, ...]:
        return (self.responder.answer(make_ocsp_request(certificate, issuer)).der,)

    def crl(self, certificate, issuer) -> tuple[bytes, ...]:
        del certificate, issuer
        return (self.responder.crl(CODE).der,)


@pytest.fixture(scope="module")
def region():
    return Region()


@pytest.fixture(scope="module")
def served(region, tmp_path_factory):
    """The certificates in files, the responder behind its port."""
    app = FastAPI()
    app.include_router(responder_router(region.responder, now))
    server = uvicorn.Server(uvicorn.Config(app, "127.0.0.1", region.port, log_level="critical", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    for _ in range(1000):
        if server.started:
            break
        time.sleep(0.01)
    folder = tmp_path_factory.mktemp("ocsp")
    for name in ("ca", "good", "withdrawn", "suspended", "unlisted"):
        (folder / f"{name}.pem").write_bytes(getattr(region, name).pem())
    yield folder
    server.should_exit = True
    thread.join(10)


def openssl(folder: Path, *arguments: str) -> str:
    command = shutil.which("openssl")
    if command is None:
        pytest.skip("openssl is not installed: apt-get install openssl")
    done = subprocess.run([command, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


class TestOpenssl:
    @pytest.mark.parametrize("hash_name", ["-sha1", "-sha256"])
    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("good", ["good.pem: good"]),
            ("withdrawn", ["withdrawn.pem: revoked", "Reason: keyCompromise"]),
            ("suspended", ["suspended.pem: revoked", "Reason: certificateHold"]),
            ("unlisted", ["unlisted.pem: unknown"]),
        ],
    )
    def test_its_ocsp_client_believes_the_answers(self, region, served, name, expected, hash_name):
        said = openssl(
            served, "ocsp", "-issuer", "ca.pem", hash_name, "-cert", f"{name}.pem", "-url", f"{region.url}/ocsp",
            "-CAfile", "ca.pem",
        )  # fmt: skip
        assert "Response verify OK" in said
        assert "WARNING: no nonce" not in said
        for each in expected:
            assert each in said

    def test_it_verifies_the_crl_and_paths_by_it(self, region, served):
        (served / "990100.crl").write_bytes(region.responder.crl(CODE).der)
        read = openssl(served, "crl", "-inform", "DER", "-in", "990100.crl", "-CAfile", "ca.pem", "-text", "-noout")
        assert "verify OK" in read
        assert "Key Compromise" in read
        assert "Certificate Hold" in read
        openssl(served, "crl", "-inform", "DER", "-in", "990100.crl", "-out", "crl.pem")
        check = ("verify", "-x509_strict", "-crl_check", "-CAfile", "ca.pem", "-CRLfile", "crl.pem")
        assert openssl(served, *check, "good.pem") == "good.pem: OK\n"
        assert "certificate revoked" in openssl(served, *check, "withdrawn.pem")


def sealed(region) -> bytes:
    return sign_pdf(
        DOCUMENT,
        signer=region.seal,
        certificate=region.good,
        chain=(),
        timestamper=region.tsa,
        signed_at=now(),
        appearance=None,
        reason=None,
        location=None,
        field_name="seal",
    )


def pyhanko_judges(pdf: bytes, region, validation, more: bytes = b""):
    """By revocation data in the file alone, and required of every certificate."""
    anchors = SimpleTrustManager.build(list(load_certs_from_pemder_data(region.ca.pem() + more)))
    policy = CertValidationPolicySpec(
        trust_manager=anchors,
        revinfo_policy=CertRevTrustPolicy(RevocationCheckingPolicy.from_legacy("require")),
    )
    spec = PdfSignatureValidationSpec(
        SignatureValidationSpec(
            cert_validation_policy=policy,
            revinfo_gathering_policy=RevocationInfoGatheringSpec(
                online_fetching_rule=RevinfoOnlineFetchingRule.LOCAL_ONLY
            ),
        )
    )
    signature = PdfFileReader(BytesIO(pdf)).embedded_regular_signatures[0]
    return asyncio.run(validation(signature, spec))


class TestPyhanko:
    @pytest.mark.parametrize("source", ["crl", "ocsp"])
    def test_it_validates_what_was_augmented_without_asking_anybody(self, region, source):
        material = Material((region.ca,), getattr(region, source))
        pdf = sealed(region)
        kept = augment_pdf(pdf, to=Level.B_LTA, timestamper=region.tsa, material=material, now=now())
        assert kept.level is Level.B_LTA
        found = pyhanko_judges(kept.data, region, ades.ades_lta_validation)
        assert found.ades_subindic is AdESPassed.OK
        again = augment_pdf(kept.data, to=Level.B_LTA, timestamper=region.tsa, material=material, now=now(), renew=True)
        assert pyhanko_judges(again.data, region, ades.ades_lta_validation).ades_subindic is AdESPassed.OK

    def test_it_does_not_validate_what_was_not(self, region):
        found = pyhanko_judges(sealed(region), region, ades.ades_lta_validation)
        assert found.ades_subindic is not AdESPassed.OK


class Stranger:
    """A CA of RSA keys from elsewhere, its signer, its CRL; nothing of it is made by us."""

    def __init__(self) -> None:
        self.ca_key, self.key = (rsa.generate_private_key(65537, 2048) for _ in range(2))
        self.name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Root of strangers")])
        begins, ends = now() - 9 * DAY, now() + 900 * DAY
        builder = x509.CertificateBuilder().issuer_name(self.name).not_valid_before(begins).not_valid_after(ends)
        root = builder.subject_name(self.name).public_key(self.ca_key.public_key()).serial_number(1)
        self.ca = root.add_extension(x509.BasicConstraints(True, None), True).sign(self.ca_key, hashes.SHA256())
        signer = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "A stranger")])
        leaf = builder.subject_name(signer).public_key(self.key.public_key()).serial_number(2)
        usage = x509.KeyUsage(True, True, *[False] * 7)
        self.leaf = leaf.add_extension(usage, True).sign(self.ca_key, hashes.SHA256())

    def crl(self) -> bytes:
        builder = x509.CertificateRevocationListBuilder(self.name, now() - DAY, now() + DAY)
        return builder.sign(self.ca_key, hashes.SHA384()).public_bytes(Encoding.DER)

    def signed(self, tsa: EmbeddedTimestamper) -> bytes:
        """By pyHanko: cross-reference streams, two approval signatures with time-stamps."""

        class Stamping(TimeStamper):
            async def async_timestamp(self, message_digest, md_algorithm):
                return asn1_cms.ContentInfo.load(tsa.timestamp(message_digest))

        signer = SimpleSigner(
            signing_cert=asn1_x509.Certificate.load(self.leaf.public_bytes(Encoding.DER)),
            signing_key=asn1_keys.PrivateKeyInfo.load(
                self.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
            ),
            cert_registry=SimpleCertificateStore(),
        )
        writer = PdfFileWriter(stream_xrefs=True)
        page = PageObject(
            contents=writer.add_object(generic.StreamObject(stream_data=b"0 0 9 9 re f")), media_box=(0, 0, 99, 99)
        )
        writer.insert_page(page)
        made = BytesIO()
        writer.write(made)
        for field in ("first", "second"):
            metadata = PdfSignatureMetadata(field_name=field, subfilter=SigSeedSubFilter.PADES, md_algorithm="sha256")
            made = PdfSigner(metadata, signer, timestamper=Stamping()).sign_pdf(IncrementalPdfFileWriter(made))
        return made.getvalue()


def test_a_strangers_file_is_kept_as_well(region):
    stranger = Stranger()
    ca = parse_certificate(stranger.ca.public_bytes(Encoding.DER))

    def revocation(certificate, issuer):
        return (stranger.crl(),) if issuer == ca else region.ocsp(certificate, issuer)

    pdf = stranger.signed(region.tsa)
    material = Material((ca, region.ca), revocation)
    kept = augment_pdf(pdf, to=Level.B_LTA, timestamper=region.tsa, material=material, now=now())
    assert (kept.before, kept.level, kept.timestamps) == (Level.B_T, Level.B_LTA, 1)
    assert kept.data.startswith(pdf)
    assert [signature.modification for signature in parse_signed_pdf(kept.data).signatures][-1] is Modification.LTV
    found = pyhanko_judges(kept.data, region, ades.ades_lta_validation, stranger.ca.public_bytes(Encoding.PEM))
    assert found.ades_subindic is AdESPassed.OK
