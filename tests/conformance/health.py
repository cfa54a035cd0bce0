"""The EU's test codes: each step that a case says something of, and the verdict under its signer as the only anchor."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from keys.envelopes import base45
from keys.envelopes.hcert import PREFIX
from keys.envelopes.qr_text import decode_qr_text
from keys.errors import MalformedCertificate, MalformedEnvelope
from keys.x509 import Certificate, parse_certificate
from tests.conformance.table import VECTORS, Row
from trust_registry.model import StatusView
from verifier.core import judge
from verifier.errors import MalformedEvidence
from verifier.evidence import parse
from verifier.model import Check, Outcome, Policy, Report
from verifier.photos import read_code

FOLDER: Final = VECTORS / "dcc"
STEPS: Final[Mapping[str, str]] = {
    "EXPECTEDPICTUREDECODE": "picture",
    "EXPECTEDUNPREFIX": "prefix",
    "EXPECTEDB45DECODE": "base45",
    "EXPECTEDCOMPRESSION": "zlib",
    "EXPECTEDDECODE": "cbor",
    "EXPECTEDVERIFY": "signature",
    "EXPECTEDSCHEMAVALIDATION": "content",
    "EXPECTEDEXPIRATIONCHECK": "times",
    "EXPECTEDKEYUSAGE": "key use",
}


def rows() -> list[Row]:
    return [_row(path) for path in sorted(FOLDER.glob("*/2DCode/raw/*.json"))]


def clock(vector: Mapping[str, Any]) -> datetime:
    """The moment that the case is to be judged at; some write seven digits of a second, some no time zone."""
    at = datetime.fromisoformat(vector["TESTCTX"]["VALIDATIONCLOCK"])
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def report(vector: Mapping[str, Any]) -> Report | None:
    """The verdict, with the case's signer as the only anchor; None for what is no evidence of any kind."""
    try:
        evidence = parse(vector["PREFIX"])
    except MalformedEvidence:
        return None
    return judge(evidence, None, StatusView({}), Policy(anchors=_signer(vector)), clock(vector))


def _signer(vector: Mapping[str, Any]) -> tuple[Certificate, ...]:
    try:
        return (parse_certificate(base64.b64decode(vector["TESTCTX"].get("CERTIFICATE", ""))),)
    except MalformedCertificate:
        return ()


def _row(path: Path) -> Row:
    vector = json.loads(path.read_text("utf-8"))
    stated = {STEPS[name]: value for name, value in vector["EXPECTEDRESULTS"].items() if name in STEPS}
    if "2DCODE" not in vector:
        stated.pop("picture", None)  # nothing to look at
    found = report(vector)
    outcomes = {step: _outcome(step, vector, found) for step in STEPS.values() if step in stated}
    verdict = "not evidence" if found is None else _words(found)
    return Row(f"{path.parts[-4]}/{path.stem}", _steps(stated), _steps(outcomes), verdict)


def _words(found: Report) -> str:
    if found.decisive is None:
        return found.indication.value
    return f"{found.indication.value}, {found.decisive.code}"


def _steps(outcomes: Mapping[str, bool]) -> str:
    ordered = [step for step in STEPS.values() if step in outcomes]
    good, bad = ([step for step in ordered if outcomes[step] is value] for value in (True, False))
    return "; ".join(filter(None, (", ".join(good) and f"{', '.join(good)}: good", bad and f"{', '.join(bad)}: bad")))


def _outcome(step: str, vector: Mapping[str, Any], found: Report | None) -> bool:
    text = vector["PREFIX"]
    if step == "picture":
        return read_code(base64.b64decode(vector["2DCODE"])) == text
    if step == "prefix":
        return bool(text.startswith(PREFIX))
    if step == "base45":
        return _works(lambda: base45.decode(text.removeprefix(PREFIX)))
    if step == "zlib":
        return _works(lambda: decode_qr_text(text, PREFIX, plain=False))
    if found is None:
        return False
    checks = {
        "cbor": (),
        "signature": (Check.INTEGRITY,),
        "content": (Check.FORMAT,),
        "times": (Check.SIGNING_TIME, Check.VALIDITY),
        "key use": (Check.ENTITLEMENT,),
    }[step]
    passed = {finding.check for finding in found.findings if finding.outcome is Outcome.PASSED}
    return passed.issuperset(checks)


def _works(attempt: Any) -> bool:
    try:
        attempt()
    except MalformedEnvelope:
        return False
    return True
