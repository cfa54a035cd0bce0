"""QR codes of the EU Digital COVID Certificate network: what verifies there verifies here, or there is a reason."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from keys.envelopes import cbor
from keys.envelopes.cose import parse_cose_sign1
from keys.envelopes.qr_text import decode_qr_text
from keys.errors import MalformedEnvelope
from keys.x509 import parse_certificate

FOLDER = Path(__file__).parents[3] / "shared" / "vectors" / "dcc"
BEFORE_SIGNATURE = ("EXPECTEDUNPREFIX", "EXPECTEDB45DECODE", "EXPECTEDCOMPRESSION", "EXPECTEDDECODE")


def _cases() -> dict[str, dict[str, Any]]:
    """The cases that say something of the envelope (others are about dates, rules and pictures)."""
    cases = {}
    for path in sorted(FOLDER.glob("*/2DCode/raw/*.json")):
        vector = json.loads(path.read_text("utf-8"))
        expected = vector["EXPECTEDRESULTS"]
        if "EXPECTEDVERIFY" in expected or False in (expected.get(step) for step in BEFORE_SIGNATURE):
            cases[f"{path.parts[-4]}-{path.stem}"] = vector
    return cases


CASES = _cases()

# Where we are stricter than that network, and why.
REFUSED = {
    **dict.fromkeys(("CH-1", "CH-2", "CH-3", "common-CO1", "common-CO2"), "RSA-PSS is not in the algorithm registry"),
    "SE-2": "the payload has tagged dates",
    "SE-4": "the payload has tagged dates",
    "common-CO20": "the algorithm is not protected",
    "common-CO21": "RFC 9052 section 3: a label in both headers",
    "common-CO28": "a CWT tag around the COSE tag",
}

# Well-formed envelopes all the same: the fault is in the payload, or (no compression) no fault here.
FAULT_INSIDE = ("common-CBO1", "common-Z2")


def _verifies(text: str, certificate: bytes) -> bool:
    message = parse_cose_sign1(decode_qr_text(text, "HC1:"))
    cbor.decode(message.payload)
    return message.verified_by(parse_certificate(certificate).public_key)


@pytest.mark.skipif(not CASES, reason=f"no vectors in {FOLDER.parent.name}/{FOLDER.name} beside the repository")
@pytest.mark.parametrize("name", CASES)
def test_health_certificate(name: str) -> None:
    vector = CASES[name]
    expected = vector["EXPECTEDRESULTS"]
    should_verify = name not in REFUSED and expected.get("EXPECTEDVERIFY", False)
    if name in FAULT_INSIDE:
        should_verify = True
    try:
        verifies = _verifies(vector["PREFIX"], base64.b64decode(vector["TESTCTX"]["CERTIFICATE"]))
    except MalformedEnvelope:
        verifies = False
    assert verifies is should_verify
