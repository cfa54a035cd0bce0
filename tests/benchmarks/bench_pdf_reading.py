"""Reading and judging signed PDFs against pyHanko's `validate_pdf_signature` on the same files, in one run.

Ours does more on each: it names every problem, compares with what is shown now, reads the data and its status, and
judges by lists. pyHanko is as it comes (with asn1crypto's repair): nothing of ours speeds its reading up.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from io import BytesIO

from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.asymmetric import rsa
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from issuer.renderings.pdf import LAYOUT
from keys.asn1crypto_patch import apply
from keys.envelopes.pades import Appearance, parse_signed_pdf, sign_pdf
from keys.timestamps import EmbeddedTimestamper
from keys.x509 import Profile
from tests.benchmarks.interleaved import times_as_fast
from tests.keys.pdf_files import document, image
from tests.vectors.foreign_pdfs import ROOT, signed
from tests.verifier.small_world import EAST, NOW, SEALED, SmallWorld, attestation, authority, certificate, signer
from trust_registry.attestations import to_json
from verifier.core import judge
from verifier.evidence import parse
from verifier.model import Indication, Policy

ROUNDS, CALLS = 61, 3


def run() -> list[tuple[str, float, str]]:
    """(name, rate as a multiple of pyHanko's, goal)."""
    apply()
    world = SmallWorld()
    view, statuses = world.view(), world.statuses()
    once = signed(rsa.generate_private_key(65537, 2048))
    twice = signed(rsa.generate_private_key(65537, 2048), document=once, field="Sig2")
    foreign = Policy(anchors=(ROOT.certificate,))
    cases = (
        ("our own one-page PDF (B-T), bytes to report / pyHanko's validate_pdf_signature", _own(), Policy(), 3),
        ("a foreign PDF (RSA, B-B), bytes to report / the same", once, foreign, 1),
        ("  signed twice, both judged / the same, both", twice, foreign, 1),
    )

    def judging(data: bytes, policy: Policy) -> Callable[[], None]:
        trust, at = (None, _claimed(data) + timedelta(hours=1)) if policy.anchors else (view, NOW)

        def judge_it() -> None:
            if judge(parse(data), trust, statuses, policy, at).indication is not Indication.PASSED:
                raise AssertionError("the benchmark's own file does not pass")

        return judge_it

    return [
        (
            name,
            times_as_fast(judging(data, policy), _by_pyhanko(data, policy), rounds=ROUNDS, calls=CALLS),
            f">= {goal}",
        )
        for name, data, policy, goal in cases
    ]


def _own() -> bytes:
    return sign_pdf(
        document(to_json(attestation())),
        signer=signer("seal"),
        certificate=certificate("seal", Profile.SEAL, EAST),
        chain=(),
        timestamper=EmbeddedTimestamper(signer("tsa"), certificate("tsa", Profile.TIMESTAMP, EAST), (), lambda: SEALED),
        signed_at=SEALED,
        appearance=Appearance(image(), LAYOUT.page, LAYOUT.seal_box),
        reason=None,
        location=None,
        field_name="Seal",
    )


def _claimed(data: bytes) -> datetime:
    return max(s.claimed_at for s in parse_signed_pdf(data).signatures if s.claimed_at is not None)


def _by_pyhanko(data: bytes, policy: Policy) -> Callable[[], None]:
    roots = [asn1_x509.Certificate.load(root.der) for root in policy.anchors or (authority(EAST),)]
    moment = _claimed(data) + timedelta(hours=1)

    def validate() -> None:
        for embedded in PdfFileReader(BytesIO(data)).embedded_regular_signatures:
            context = ValidationContext(trust_roots=roots, moment=moment)
            status = validate_pdf_signature(embedded, context)
            if not (status.intact and status.valid):
                raise AssertionError("the benchmark's own file does not pass pyHanko")

    return validate
