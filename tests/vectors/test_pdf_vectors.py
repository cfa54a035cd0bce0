"""PDFs by others, judged: the ones beside this repository by name, and every kind of signature that pyHanko makes.

Each case says what it must lead to and why. Anchors are taken from the file itself, as `--anchor` would give them.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter

from keys.envelopes.pades import Modification, SignatureProblem, parse_signed_pdf
from keys.errors import EncryptedPdf, MalformedEnvelope
from keys.x509 import Certificate
from tests.keys.foreign_hierarchy import Node
from tests.keys.pdf_files import repaint, sign, update
from tests.vectors.foreign_pdfs import PLAIN, ROOT, SINCE, UNTIL, hybrid, saved, signed
from tests.verifier.small_world import SmallWorld
from verifier.core import judge, judge_unreadable
from verifier.errors import MalformedEvidence, Unreadable
from verifier.evidence import parse
from verifier.model import EvidenceKind, Indication, Policy, Report, SealedPdf, SubIndication

FOLDER = Path(__file__).parents[3] / "shared" / "vectors" / "pdf"
NOW = datetime(2026, 11, 22, tzinfo=UTC)
PASSED, FAILED, INDETERMINATE = Indication.PASSED, Indication.FAILED, Indication.INDETERMINATE
S, P, M = SubIndication, SignatureProblem, Modification
pytestmark = pytest.mark.usefixtures("statuses")
_statuses: dict[str, Any] = {}


@pytest.fixture(scope="module")
def statuses() -> None:
    _statuses["none"] = SmallWorld().statuses()


def verdict(data: bytes, anchors: tuple[Certificate, ...] | None = None, at: datetime = NOW) -> Report:
    evidence = parse(data)
    assert isinstance(evidence, SealedPdf)
    policy = Policy(anchors=roots(evidence) if anchors is None else anchors)
    return judge(evidence, None, _statuses["none"], policy, at)


def soon_after(data: bytes) -> datetime:
    """pyHanko signs by the clock of this machine."""
    stated = [s.claimed_at for s in parse_signed_pdf(data).signatures if s.claimed_at is not None]
    return max(stated) + timedelta(hours=1)


def roots(evidence: SealedPdf) -> tuple[Certificate, ...]:
    """Whoever signed itself among the certificates that the file brings."""
    brought = list(evidence.pdf.validation_data.certificates)
    for signature in evidence.pdf.signatures:
        brought += [*([signature.certificate] if signature.certificate else []), *signature.intermediates]
    return tuple({c: None for c in brought if c.issuer_name_der == c.subject_name_der})


@dataclass(frozen=True)
class Case:
    """What must be found: of each signature by field its problems and whether digest and signature hold; and the
    verdict, with why."""

    signatures: dict[str, tuple[set[str], bool, bool]]
    indication: Indication
    sub_indication: SubIndication | None
    why: str


HOLDS: tuple[set[str], bool, bool] = (set(), True, True)
VECTORS = {
    "minimal.pdf": Case({}, FAILED, S.FORMAT_FAILURE, "not signed"),
    "coverage-anomalies/base.pdf": Case(
        {"Sig1": ({P.CMS}, False, False)}, FAILED, S.FORMAT_FAILURE, "the Contents are empty"
    ),
    "coverage-anomalies/one-byterange.pdf": Case(
        {"Sig1": ({P.BYTE_RANGE_SHAPE}, False, False)}, FAILED, S.FORMAT_FAILURE, "two numbers: the end is not covered"
    ),
    "coverage-anomalies/signature-gap-too-big.pdf": Case(
        {"Sig1": ({P.BYTE_RANGE_GAP}, False, False)}, FAILED, S.FORMAT_FAILURE, "the gap holds more than the Contents"
    ),
    "coverage-anomalies/weird-byterange.pdf": Case(
        {"Sig1": ({P.BYTE_RANGE_GAP}, False, False)}, FAILED, S.FORMAT_FAILURE, "the gap is elsewhere"
    ),
    "coverage-anomalies/tail-uncovered.pdf": Case(
        {"Sig1": ({P.SIGNED_REVISION}, True, True)}, FAILED, S.FORMAT_FAILURE, "ends in the middle of its update"
    ),
    "pdf-sig-with-econtent.pdf": Case(
        {"Sig1": ({P.CONTENT_INSIDE}, False, True)}, FAILED, S.FORMAT_FAILURE, "the CMS vouches for its own content"
    ),
    "sig-no-signed-attrs.pdf": Case(
        {"Sig1": ({P.NO_SIGNED_ATTRIBUTES}, True, True)},
        INDETERMINATE,
        S.SIG_CONSTRAINTS_FAILURE,
        "it holds; nothing ties the certificate to it",
    ),
    "pades-with-old-style-signing-cert-attr.pdf": Case(
        {"Sig1": ({P.SIGNING_CERTIFICATE_SHA1}, True, True)},
        INDETERMINATE,
        S.CRYPTO_CONSTRAINTS_FAILURE,
        "RFC 2634's attribute pins the certificate by SHA-1",
    ),
    "sig-with-ski-sid.pdf": Case(
        {"Sig1": ({P.SIGNING_CERTIFICATE_SHA1}, True, True)},
        INDETERMINATE,
        S.CRYPTO_CONSTRAINTS_FAILURE,
        "a signer named by key identifier; pinned by SHA-1",
    ),
    "minimal-two-fields-signed-twice.pdf": Case(
        {
            "Sig2": ({P.SIGNING_CERTIFICATE_MISSING}, True, True),
            "Sig1": ({P.SIGNING_CERTIFICATE_MISSING}, True, True),
        },
        PASSED,
        None,
        "Adobe's own form has no signing-certificate attribute; the second signature is no alteration of the first",
    ),
    "pades-lta-dss-indirect-arrs-test.pdf": Case(
        {"Sig1": HOLDS}, PASSED, None, "B-LTA; long expired, and proven to be older than that"
    ),
    "form-update-override-appearance-stream.pdf": Case(
        {"Sig1": HOLDS, "Sig2": HOLDS}, FAILED, S.EXPIRED, "the certificate had expired before both signatures"
    ),
    "form-update-override-appearance-stream-sneaky.pdf": Case(
        {"Sig1": ({P.CHANGES}, True, True), "Sig2": HOLDS}, FAILED, S.FORMAT_FAILURE, "an appearance replaced unseen"
    ),
    "form-update-ap-indirect-sneaky-trailer.pdf": Case(
        {"Sig1": ({P.CHANGES}, True, True), "Sig2": HOLDS}, FAILED, S.FORMAT_FAILURE, "an appearance replaced unseen"
    ),
}


def vector(name: str) -> bytes:
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"no {name} in {FOLDER.parent.name}/{FOLDER.name} beside the repository")
    return path.read_bytes()


@pytest.mark.parametrize("name", VECTORS)
def test_each_vector_leads_to_its_verdict(name: str) -> None:
    data, case = vector(name), VECTORS[name]
    found = {s.field_name: (set(s.problems), s.digest_ok, s.signature_ok) for s in parse_signed_pdf(data).signatures}
    assert found == case.signatures, case.why
    report = verdict(data)
    assert (report.indication, report.sub_indication) == (case.indication, case.sub_indication), case.why


def test_every_vector_is_named_here() -> None:
    if not FOLDER.is_dir():
        pytest.skip(f"no {FOLDER.name} beside the repository")
    assert {str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*.pdf")} == set(VECTORS)


# Where pyHanko says otherwise, and why we don't follow.
OTHERWISE = {
    "pdf-sig-with-econtent.pdf": "it compares the file's digest with the attribute and passes over the content inside",
    "coverage-anomalies/one-byterange.pdf": "it takes the digest of what is stated, and warns elsewhere",
    "coverage-anomalies/signature-gap-too-big.pdf": "as above",
    "coverage-anomalies/weird-byterange.pdf": "as above",
    "coverage-anomalies/base.pdf": "it raises",
}


@pytest.mark.parametrize("name", VECTORS)
def test_pyhanko_agrees_on_integrity_or_is_listed(name: str) -> None:
    data = vector(name)
    if name in OTHERWISE:
        assert not any(s.digest_ok for s in parse_signed_pdf(data).signatures)
        return
    ours = {s.field_name: (s.digest_ok, s.signature_ok) for s in parse_signed_pdf(data).signatures}
    assert ours == dict(integrity_by_pyhanko(data))


def integrity_by_pyhanko(data: bytes) -> list[tuple[str, tuple[bool, bool]]]:
    from pyhanko.sign.validation.generic_cms import validate_sig_integrity

    found = []
    for embedded in PdfFileReader(BytesIO(data)).embedded_regular_signatures:
        digest = embedded.compute_digest()
        found.append(
            (embedded.field_name, validate_sig_integrity(embedded.signer_info, embedded.signer_cert, "data", digest))
        )
    return found


RSA = rsa.generate_private_key(65537, 2048)
RSA_ROOT = Node("rsa root", key=rsa.generate_private_key(65537, 2048), since=SINCE, until=UNTIL)
EC = ec.generate_private_key(ec.SECP256R1())
KINDS: dict[str, tuple[Callable[[], bytes], str]] = {
    "RSA with SHA-256": (lambda: signed(RSA), "RS256"),
    "RSA with SHA-384": (lambda: signed(RSA, "sha384"), "RS384"),
    "RSA with SHA-512": (lambda: signed(RSA, "sha512"), "RS512"),
    "RSA-PSS with SHA-256": (lambda: signed(RSA, pss=True), "PS256"),
    "RSA-PSS with SHA-512": (lambda: signed(RSA, "sha512", pss=True), "PS512"),
    "RSA, Adobe's form": (lambda: signed(RSA, form=SigSeedSubFilter.ADOBE_PKCS7_DETACHED), "RS256"),
    "P-256 with SHA-256": (lambda: signed(EC), "ES256"),
    "P-256 with SHA-384": (lambda: signed(EC, "sha384"), "ES384 (P-256)"),
    "P-256 with SHA-512": (lambda: signed(EC, "sha512"), "ES512 (P-256)"),
    "P-384 with SHA-256": (lambda: signed(ec.generate_private_key(ec.SECP384R1())), "ES256 (P-384)"),
    "P-521 with SHA-512": (lambda: signed(ec.generate_private_key(ec.SECP521R1()), "sha512"), "ES512"),
    "Brainpool": (lambda: signed(ec.generate_private_key(ec.BrainpoolP256R1())), "ES256 (BP-256)"),
    "Ed25519": (lambda: signed(ed25519.Ed25519PrivateKey.generate(), "sha512"), "EdDSA"),
    "Ed448": (lambda: signed(ed448.Ed448PrivateKey.generate(), "shake256"), "Ed448"),
    "an RSA path": (lambda: signed(EC, issuer=RSA_ROOT), "ES256"),
    "a path with SHA-512": (lambda: signed(EC, path_digest=hashes.SHA512()), "ES256"),
    "PDF 2.0": (lambda: signed(EC, document=saved(force_version="2.0")), "ES256"),
    "object streams": (
        lambda: signed(EC, document=saved(object_stream_mode=pikepdf.ObjectStreamMode.generate)),
        "ES256",
    ),
    "linearised": (lambda: signed(EC, document=saved(linearize=True)), "ES256"),
    "certified": (lambda: signed(EC, certify=True, docmdp_permissions=MDPPerm.FILL_FORMS), "ES256"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_that_counts_passes_and_a_changed_one_does_not(kind: str) -> None:
    make, name = KINDS[kind]
    data = make()
    (signature,) = parse_signed_pdf(data).signatures
    assert signature.algorithm is not None
    assert (signature.algorithm.jose, signature.problems) == (name, ())
    assert integrity_by_pyhanko(data) == [("Sig1", (True, True))]
    anchors = (ROOT.certificate, RSA_ROOT.certificate)
    at = soon_after(data)
    assert verdict(data, anchors, at).indication is PASSED
    assert verdict(data, (), at).indication is INDETERMINATE
    painted = verdict(update(data, repaint), anchors, at)
    assert painted.indication is FAILED
    place = data.index(b"/Producer") if b"/Producer" in data else data.index(b"%%EOF") - 30
    altered = data[: place + 1] + b"X" + data[place + 2 :]
    try:
        assert not any(s.digest_ok for s in parse_signed_pdf(altered).signatures)
    except MalformedEnvelope:
        return


RETIRED: dict[str, Callable[[], bytes]] = {
    "SHA-1": lambda: signed(RSA, "sha1"),
    "MD5": lambda: signed(RSA, "md5"),
    "RSA of 1024 bits": lambda: signed(rsa.generate_private_key(65537, 1024)),
    "DSA": lambda: signed(dsa.generate_private_key(2048)),
    "a path with SHA-1": lambda: signed(EC, issuer=RSA_ROOT, sha1_path=True),
}


@pytest.mark.parametrize("kind", RETIRED)
def test_what_is_retired_is_told_apart_from_what_is_wrong(kind: str) -> None:
    """EN 319 102-1 clause 5.2.8: CRYPTO_CONSTRAINTS_FAILURE, or _NO_POE; not SIG_CRYPTO_FAILURE."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = RETIRED[kind]()
    (signature,) = parse_signed_pdf(data).signatures
    assert (signature.digest_ok, signature.signature_ok) == (True, True)
    report = verdict(data, (ROOT.certificate, RSA_ROOT.certificate), soon_after(data))
    assert report.indication is INDETERMINATE
    assert report.sub_indication in (S.CRYPTO_CONSTRAINTS_FAILURE, S.CRYPTO_CONSTRAINTS_FAILURE_NO_POE)


def test_two_approvals_are_both_judged_and_neither_alters_the_other() -> None:
    twice = signed(RSA, document=signed(EC), field="Sig2")
    first, second = parse_signed_pdf(twice).signatures
    assert (first.modification, second.modification) == (M.FORM, M.NONE)
    report = verdict(twice, (ROOT.certificate,), soon_after(twice))
    assert report.indication is PASSED
    assert [s.name for s in report.signatures] == ["Sig1", "Sig2"]


def test_hybrid_files_are_read_as_newer_readers_do() -> None:
    """pyHanko refuses to validate these; word processors write them. What an update hides in one is a change."""
    (signature,) = parse_signed_pdf(sign(hybrid())).signatures
    assert (signature.problems, signature.digest_ok, signature.signature_ok) == ((), True, True)


def test_encrypted_files_are_named() -> None:
    for revision in (4, 6):
        locked = saved(encryption=pikepdf.Encryption(owner="o", user="", R=revision))
        with pytest.raises(EncryptedPdf):
            parse_signed_pdf(locked)
        with pytest.raises(MalformedEvidence) as refused:
            parse(locked)
        assert refused.value.reason is Unreadable.ENCRYPTED
        report = judge_unreadable(Unreadable.ENCRYPTED, EvidenceKind.PDF, "sha256:0", Policy(), NOW)
        assert (report.indication, report.sub_indication) == (
            INDETERMINATE,
            S.SIGNED_DATA_NOT_FOUND,
        )  # nothing is proven


def test_the_plain_page_is_not_signed() -> None:
    assert parse_signed_pdf(PLAIN).signatures == ()
