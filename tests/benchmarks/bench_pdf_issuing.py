"""Issuing a PDF against a plain pyHanko signature (B-B, invisible) of the same page with the same key, in one run.

Ours does more: it typesets the page, draws its QR code, puts the seal's image on it and has it time-stamped (B-T). The
goal of 100 times belongs to a later fast path over the same interfaces; this reports where we stand. Processor time
of the whole process counts, for the typesetter works in threads of its own.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import process_time

from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import signers
from pyhanko_certvalidator.registry import SimpleCertificateStore

from issuer.model import Recorded
from issuer.renderings.pdf import LAYOUT, render_pdf, seal_appearance
from issuer.renderings.sealing import seal_renderings
from keys.asn1crypto_patch import apply
from keys.envelopes.pades import Appearance, sign_pdf
from keys.timestamps import EmbeddedTimestamper
from tests.issuer.office import DAY_0, Office, keys, open_office

CERTIFICATES = 8
ROUNDS, CALLS = 15, 4


def run() -> list[tuple[str, float, str]]:
    """(name, rate as a multiple of plain pyHanko's, goal)."""
    apply()
    made = keys()
    timestamper = EmbeddedTimestamper(made.timestamp_signer, made.timestamp, (made.ca,), lambda: DAY_0)
    with TemporaryDirectory() as folder, open_office(f"sqlite:///{folder}/i.db", Path(folder) / "s") as office:
        records = _records(office)
    pages = [render_pdf(recorded, "YX1:" + "A" * 420) for recorded in records]
    seal_key, certificate = made.signers["file:/keys/seal"], made.seal
    plain = _plain_signer(certificate.der)
    authority = records[0].seal.names
    appearance = Appearance(seal_appearance(records[0].seal.image_svg), LAYOUT.page, LAYOUT.seal_box)
    turn, turn_page, turn_plain = cycle(records), cycle(pages), cycle(pages)

    def issue() -> None:
        seal_renderings(next(turn), seal_key, timestamper, authority=authority, signed_at=DAY_0)

    def sign() -> None:
        sign_pdf(
            next(turn_page),
            signer=seal_key,
            certificate=certificate,
            chain=(),
            timestamper=timestamper,
            signed_at=DAY_0,
            appearance=appearance,
            reason=None,
            location=None,
            field_name="seal",
        )

    def plain_signature() -> None:
        writer = IncrementalPdfFileWriter(io.BytesIO(next(turn_plain)))
        metadata = signers.PdfSignatureMetadata(field_name="seal", md_algorithm="sha256")
        signers.sign_pdf(writer, metadata, signer=plain, bytes_reserved=8192)

    return [
        (
            "All renderings of a certificate, typeset and sealed B-T / plain pyHanko",
            _times_as_fast(issue, plain_signature),
            "reported (later: 100 for PDF)",
        ),
        ("Sealing a page B-T with its image / plain pyHanko B-B", _times_as_fast(sign, plain_signature), "reported"),
    ]


def _times_as_fast(subject: Callable[[], object], peer: Callable[[], object]) -> float:
    subject()
    peer()
    return median(_seconds(peer) / _seconds(subject) for _ in range(ROUNDS))


def _seconds(call: Callable[[], object]) -> float:
    start = process_time()
    for _ in range(CALLS):
        call()
    return process_time() - start


def _records(office: Office) -> list[Recorded]:
    cleared = [office.service._clear(office.request_for(n)) for n in range(1, CERTIFICATES + 1)]
    return [o.recorded for o in office.service.store.record_many(cleared, DAY_0) if o.recorded is not None]


def _plain_signer(certificate: bytes) -> signers.SimpleSigner:
    key = ec.generate_private_key(ec.SECP256R1())
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return signers.SimpleSigner(
        signing_cert=asn1_x509.Certificate.load(certificate),
        signing_key=asn1_keys.PrivateKeyInfo.load(der),
        cert_registry=SimpleCertificateStore(),
    )
