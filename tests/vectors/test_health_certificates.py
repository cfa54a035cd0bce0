"""QR codes of the EU Digital COVID Certificate network: what verifies there verifies here, or there is a reason.

First the envelope against the expected flags; then verdicts, with a region that lists the signer of each code and
recognises what it certifies.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from keys.envelopes.hcert import KINDS, HealthCertificate, parse_health_certificate
from keys.errors import MalformedEnvelope
from keys.x509 import parse_certificate
from tests.trust_registry.network import view_of, west_list
from trust_registry.errors import InvalidForeignList
from trust_registry.foreign_copy import with_foreign
from trust_registry.instants import FIRST
from trust_registry.interchange.dcc import KIND_URN, read_dcc
from trust_registry.model import (
    DCC_SIGNER,
    Assurance,
    EntryReason,
    EntryStatus,
    ForeignFormat,
    ForeignListEntry,
    Names,
    RecognitionEntry,
    RegionCode,
    ServiceEquivalence,
    StatusChange,
    StatusView,
    TrustView,
    TypeId,
)
from verifier.core import judge
from verifier.errors import MalformedEvidence
from verifier.evidence import parse
from verifier.model import Check, Indication, Policy, Report

FOLDER = Path(__file__).parents[3] / "shared" / "vectors" / "dcc"
BEFORE_SIGNATURE = ("EXPECTEDUNPREFIX", "EXPECTEDB45DECODE", "EXPECTEDCOMPRESSION", "EXPECTEDDECODE")
WEST = RegionCode("990200")
CODE = RegionCode("EU-DCC")


def _cases(*steps: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The cases that say something of these steps."""
    for path in sorted(FOLDER.glob("*/2DCode/raw/*.json")):
        vector = json.loads(path.read_text("utf-8"))
        if not vector["EXPECTEDRESULTS"].keys().isdisjoint(steps):
            yield f"{path.parts[-4]}-{path.stem}", vector


ENVELOPES = dict(_cases("EXPECTEDVERIFY", *BEFORE_SIGNATURE))
TIMES = dict(_cases("EXPECTEDEXPIRATIONCHECK"))
USAGES = dict(_cases("EXPECTEDKEYUSAGE"))
with_vectors = pytest.mark.skipif(
    not ENVELOPES, reason=f"no vectors in {FOLDER.parent.name}/{FOLDER.name} beside the repository"
)

# Where we are stricter than that network, and why.
UNREADABLE_SIGNERS = {"common-CO15": "the certificate is not DER: a time zone is empty"}


def opened(vector: dict[str, Any]) -> HealthCertificate | None:
    try:
        return parse_health_certificate(vector["PREFIX"])
    except MalformedEnvelope:
        return None


def certificate_of(vector: dict[str, Any]) -> bytes:
    return base64.b64decode(vector["TESTCTX"]["CERTIFICATE"])


@with_vectors
@pytest.mark.parametrize("name", ENVELOPES)
def test_envelope(name: str) -> None:
    """Verified with the signer that the key identifier selects."""
    vector = ENVELOPES[name]
    expected = vector["EXPECTEDRESULTS"]
    should = expected.get("EXPECTEDVERIFY", False) and False not in (expected.get(step) for step in BEFORE_SIGNATURE)
    health, signer = opened(vector), certificate_of(vector)
    selected = health is not None and health.kid == hashlib.sha256(signer).digest()[:8]
    verifies = selected and health is not None and health.verified_by(parse_certificate(signer).spki)
    assert verifies is should


def world(vector: dict[str, Any], *, kinds: str = "vtr", recognised: bool = True) -> TrustView:
    """West lists this code's signer, takes each kind as one of its types, and recognises it."""
    signer = certificate_of(vector)
    health = opened(vector)
    country = (health.issuer if health else None) or "AT"
    flat = json.dumps(
        [
            {
                "country": country,
                "kid": base64.b64encode(hashlib.sha256(signer).digest()[:8]).decode(),
                "certificate": base64.b64encode(signer).decode(),
            }
        ]
    ).encode()
    listed = read_dcc(flat, pin=hashlib.sha256(flat).hexdigest())
    names = Names("名", "name")
    history = (StatusChange(EntryStatus.GRANTED, FIRST, EntryReason.INITIAL),)
    types = {kind: TypeId(f"{WEST}/health-{kind}") for kind in KINDS}
    equivalences = tuple(
        ServiceEquivalence(DCC_SIGNER, types[kind], Assurance.HIGH, (KIND_URN + kind,)) for kind in kinds
    )
    entry = ForeignListEntry(
        CODE, names, ForeignFormat.DCC, "https://gateway.example/list", (b"",), equivalences, history
    )
    recognitions = tuple(
        RecognitionEntry(f"H-{kind}", CODE, types[kind], types[kind], (), FIRST, None, FIRST, names, history)
        for kind in KINDS
    )
    west = replace(west_list(), foreign=(entry,), recognises=recognitions if recognised else ())
    return with_foreign(view_of(west), {(WEST, CODE): replace(listed, code=CODE)})


def report(
    vector: dict[str, Any], trust: TrustView | None, at: datetime, accepting: RegionCode | None = WEST
) -> Report:
    """The verdict, with a copy of the trust data as of that time."""
    if trust is not None:
        object.__setattr__(trust, "refreshed_at", at)
    policy = Policy(accepting=accepting, trust_staleness=timedelta(days=3650))
    return judge(parse(vector["PREFIX"]), trust, StatusView({}), policy, at)


def outcomes(found: Report, check: Check) -> set[str]:
    return {finding.outcome.value for finding in found.findings if finding.check is check}


def clock(vector: dict[str, Any]) -> datetime:
    at = datetime.fromisoformat(vector["TESTCTX"]["VALIDATIONCLOCK"])
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


@with_vectors
@pytest.mark.parametrize("name", TIMES)
def test_validity(name: str) -> None:
    vector = TIMES[name]
    found = report(vector, world(vector), clock(vector))
    stands = outcomes(found, Check.VALIDITY) == outcomes(found, Check.SIGNING_TIME) == {"passed"}
    assert stands is vector["EXPECTEDRESULTS"]["EXPECTEDEXPIRATIONCHECK"]
    if not stands:
        assert found.indication is Indication.FAILED


@with_vectors
@pytest.mark.parametrize("name", USAGES)
def test_key_usage(name: str) -> None:
    """A signer certifies only what its certificate's extended key usage says; anything, where it says nothing."""
    vector = USAGES[name]
    if name in UNREADABLE_SIGNERS:
        with pytest.raises(InvalidForeignList):
            world(vector)
        return
    found = report(vector, world(vector), clock(vector))
    assert (outcomes(found, Check.ENTITLEMENT) == {"passed"}) is vector["EXPECTEDRESULTS"]["EXPECTEDKEYUSAGE"]


VERIFYING = [
    name
    for name, vector in ENVELOPES.items()
    if (health := opened(vector)) is not None
    and vector["EXPECTEDRESULTS"].get("EXPECTEDVERIFY")
    and health.issued_at is not None
    and health.kind is not None
]


def when_issued(vector: dict[str, Any]) -> datetime:
    health = opened(vector)
    assert health is not None
    assert health.issued_at is not None
    return max(health.issued_at, parse_certificate(certificate_of(vector)).not_before) + timedelta(hours=1)


@with_vectors
@pytest.mark.parametrize("name", VERIFYING)
def test_passes_only_where_it_is_mapped_and_recognised(name: str) -> None:
    vector = ENVELOPES[name]
    health, at = opened(vector), when_issued(vector)
    assert health is not None
    found = report(vector, world(vector), at)
    certificate = parse_certificate(certificate_of(vector))
    in_time = health.issued_at is not None and certificate.not_before <= health.issued_at <= certificate.not_after
    assert found.indication is (Indication.PASSED if in_time else Indication.FAILED)
    others = "".join(kind for kind in KINDS if kind != health.kind)
    for trust, accepting in (
        (world(vector, kinds=""), WEST),
        (world(vector, kinds=others), WEST),
        (world(vector, recognised=False), WEST),
        (world(vector), None),
        (world(vector), RegionCode("990100")),
        (view_of(west_list()), WEST),
        (None, WEST),
    ):
        assert report(vector, trust, at, accepting).indication is not Indication.PASSED


@with_vectors
def test_nothing_personal_is_told() -> None:
    vector = ENVELOPES["AT-1"]
    found = report(vector, world(vector), when_issued(vector))
    health = opened(vector)
    assert health is not None
    names = [part for part in health.content["nam"].values() if len(part) > 3]
    assert names
    assert not any(part in repr(finding.facts) for finding in found.findings for part in names)


@with_vectors
def test_code_that_certifies_several_things_is_refused() -> None:
    cases = dict(_cases("EXPECTEDSCHEMAVALIDATION"))
    for name in ("common-DGC1", "common-DGC2"):  # nothing at all, and three things
        found = report(cases[name], world(cases[name]), clock(cases[name]))
        assert (found.indication, found.decisive and found.decisive.code) == (Indication.FAILED, "health_ambiguous")


@with_vectors
def test_damaged_codes_are_evidence_of_nothing() -> None:
    for name, vector in ENVELOPES.items():
        if opened(vector) is None:
            with pytest.raises(MalformedEvidence):
                parse(vector["PREFIX"])
            assert name
