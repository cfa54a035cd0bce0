"""Signed PDFs: our reading against pyHanko's validation with its default policy, on the same files."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from io import BytesIO
from typing import Any, Final

import pytest
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.validation import validate_pdf_signature

from keys.envelopes.pades import Modification, parse_signed_pdf
from keys.errors import MalformedEnvelope
from tests.differential.comparing import Difference, Explained, assert_explained, compared
from tests.differential.pdfs import cases
from tests.keys import shadow_forge as forge

CASES: Final = 1000
THEY = Difference.THEY_ACCEPT
NOT_FILLING = "What is shown changes without the value, or is not the value: no form filling (ISO 32000-2 table 257)."
UNSEEN = "What lay unused in the signed bytes is shown now, taken for form filling: hide and replace."
BEYOND = "Bytes that belong to no revision are not the signer's; ISO 32000-2 clause 7.5.5 ends a file at %%EOF."

PYHANKO: Final[Explained] = {
    "bytes after the end, random": (THEY, BEYOND),
    "update: a field hidden": (THEY, NOT_FILLING),
    "update: a picture for a value": (THEY, NOT_FILLING),
    "update: a state that is not the value": (THEY, NOT_FILLING),
    "update: a value under the appearance that was signed": (THEY, NOT_FILLING),
    "update: an appearance of another value": (THEY, NOT_FILLING),
    "update: an appearance without the value, in place": (THEY, NOT_FILLING),
    "update: an appearance without the value, new stream": (THEY, NOT_FILLING),
    "update: an object stream of everything": (THEY, UNSEEN),
    "update: an unknown thing in the trailer": (THEY, "What nobody can name is not permitted."),
    "update: an unused appearance": (THEY, UNSEEN),
    "update: an unused appearance with its value": (THEY, UNSEEN),
    "update: bytes after the end": (THEY, BEYOND),
    "update: values drawn anew by the viewer": (
        THEY,
        "Every viewer draws its own: what was signed is not what is shown.",
    ),
}


@pytest.fixture
def quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def ours(pdf: bytes) -> Any:
    try:
        found = parse_signed_pdf(pdf)
    except MalformedEnvelope:
        return None
    signatures = [each for each in found.signatures if each.field_name == "first"]
    if len(signatures) != 1:
        return None
    one = signatures[0]
    whole = one.digest_ok and one.signature_ok and one.signing_certificate_attribute_ok
    return True if whole and one.modification is not Modification.OTHER else None


@pytest.mark.interop
@pytest.mark.usefixtures("quiet")
def test_pyhanko_agrees_or_the_table_says_why() -> None:
    context = pytest.importorskip("pyhanko_certvalidator").ValidationContext
    roots = [forge.signer(name).signing_cert for name in ("first", "second")]

    def theirs(pdf: bytes) -> Any:
        try:
            embedded = PdfFileReader(BytesIO(pdf)).embedded_regular_signatures
            signatures = [each for each in embedded if each.field_name == "first"]
            if len(signatures) != 1:
                return None
            trust = context(trust_roots=roots, moment=forge.DAY, allow_fetching=False)
            status = validate_pdf_signature(signatures[0], trust)
        except Exception:  # it raises what it stumbles over
            return None
        level = status.modification_level
        lawful = status.docmdp_ok is not False and level is not None and level <= ModificationLevel.FORM_FILLING
        return True if status.intact and status.valid and lawful else None

    assert_explained(compared(cases(CASES), ours, theirs), PYHANKO, CASES)
