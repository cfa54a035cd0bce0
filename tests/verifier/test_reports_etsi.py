"""The report in the standard's own names: compared with the XML bindings of TS 119 102-2 that pyHanko ships."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from dataclasses import replace
from typing import Any

import pytest
from pyhanko.generated.etsi import ts_11910202

from keys.envelopes.pades import Change, ChangeKind
from keys.x509 import Profile
from tests.verifier.asking import ask
from tests.verifier.small_world import DAY, EAST, NOW, SEALED, SmallWorld, attestation, certificate, qr, sd_jwt
from trust_registry.model import CertificateStatus
from verifier.core.findings import failed, passed
from verifier.model import Check, Indication, Report, SignatureReport, SubIndication
from verifier.reports import etsi

TEXT_CONTENT = {"DigestValue"}  # an element with text only: the text stands for it
OURS = {"Value", "SignaturePolicyImplied"}  # what the schema leaves open


def of_type(hint: Any) -> Any:
    """The binding's class behind `X | None` or `tuple[X, ...]`, or None for text, numbers and times."""
    if isinstance(hint, types.UnionType):
        hint = next(each for each in typing.get_args(hint) if each is not types.NoneType)
    if typing.get_origin(hint) is tuple:
        hint = typing.get_args(hint)[0]
    return hint if dataclasses.is_dataclass(hint) else None


def repeats(hint: Any) -> bool:
    return typing.get_origin(hint) is tuple


def assert_is(value: Any, binding: Any, path: str = "") -> None:
    """Every member of `value` is an element or attribute of the binding, and what the schema requires is there."""
    hints = typing.get_type_hints(binding)
    named = {field.metadata.get("name", field.name): field for field in dataclasses.fields(binding)}
    for name, content in value.items():
        assert name in named, f"{path}/{name} is not in the schema"
        hint = hints[named[name].name]
        inner = of_type(hint)
        if name in OURS or inner is None or name in TEXT_CONTENT:
            continue
        assert isinstance(content, list) == repeats(hint), f"{path}/{name}: array or not"
        for each in content if isinstance(content, list) else [content]:
            assert_is(each, inner, f"{path}/{name}")
    for name, field in named.items():
        if field.metadata.get("required") or field.metadata.get("min_occurs"):
            assert name in value, f"{path}/{name} is required"
    order = [name for name in named if name in value]
    elements = [name for name in value if name[0].isupper()]
    assert elements == [name for name in order if name[0].isupper()], f"{path}: order of the schema"


def several(world: SmallWorld) -> Report:
    """A document with two signatures: the deciding one stands, the other was made before a page was covered."""
    seal = certificate("seal", Profile.SEAL, EAST)
    report = ask(world, qr())
    bad = failed(Check.INTEGRITY, "changed_after_sealing", SubIndication.FORMAT_FAILURE)
    first = SignatureReport(
        name="Seal",
        indication=Indication.PASSED,
        sub_indication=None,
        findings=report.findings,
        decisive=None,
        certificate=seal,
        attestation=report.attestation,
        signed_at=SEALED,
        signed_at_proven=True,
        deciding=True,
        level="B-LTA",
        signed_size=1000,
        certification=1,
        changes=(Change(ChangeKind.VALIDATION_DATA), Change(ChangeKind.ANNOTATION, (2,), False, "Stamp")),
    )
    second = replace(
        first,
        name="Second",
        indication=Indication.FAILED,
        sub_indication=SubIndication.FORMAT_FAILURE,
        findings=(passed(Check.FORMAT, "format_ok"), bad),
        decisive=bad,
        certificate=None,
        signed_at_proven=False,
        deciding=False,
        level="B-B",
    )
    return replace(report, signatures=(first, second))


@pytest.mark.parametrize("kind", ["qr", "credential", "revoked", "unknown", "junk", "expired", "several"])
def test_names_order_and_required_members_are_the_schemas(world: SmallWorld, kind: str) -> None:
    report = {
        "qr": lambda: ask(world, qr()),
        "credential": lambda: ask(world, sd_jwt()),
        "revoked": lambda: ask(world, qr(), statuses=world.statuses(CertificateStatus.INVALID)),
        "unknown": lambda: ask(world, qr(kid=b"12345678")),
        "junk": lambda: junk(world),
        "expired": lambda: ask(world, qr(attestation(valid_until=NOW - DAY))),
        "several": lambda: several(world),
    }[kind]()
    document = json.loads(etsi.to_bytes(report, world.view(), certificate("hall", Profile.RECEIPT, "990200")))
    assert set(document) == {"ValidationReport"}
    assert_is(document["ValidationReport"], ts_11910202.ValidationReport)


def junk(world: SmallWorld) -> Report:
    from tests.verifier.test_service import service

    return service(world).verify("something else")


def test_the_names_are_checked() -> None:
    with pytest.raises(AssertionError, match="not in the schema"):
        assert_is({"signatureValidationReport": []}, ts_11910202.ValidationReport)
    with pytest.raises(AssertionError, match="required"):
        assert_is({}, ts_11910202.ValidationReport)


def only(report: Report, world: SmallWorld) -> dict[str, Any]:
    (found,) = etsi.validation_report(report, world.view())["ValidationReport"]["SignatureValidationReport"]
    assert isinstance(found, dict)
    return found


def test_a_code_is_one_signature_with_the_standards_uris(world: SmallWorld) -> None:
    found = only(ask(world, qr()), world)
    assert found["SignatureValidationStatus"]["MainIndication"] == "urn:etsi:019102:mainindication:total-passed"
    assert "SubIndication" not in found["SignatureValidationStatus"]
    assert found["SignerInformation"]["Signer"] == certificate("seal", Profile.SEAL, EAST).subject
    assert found["SignatureAttributes"]["SigningTime"][0]["Signed"] is True
    constraints = found["ValidationConstraintsEvaluationReport"]["ValidationConstraint"]
    assert len(constraints) == len(ask(world, qr()).findings)
    assert {each["ConstraintStatus"]["Status"].rpartition(":")[2] for each in constraints} == {"applied", "disabled"}


def test_failed_and_indeterminate_carry_their_sub_indication(world: SmallWorld) -> None:
    revoked = only(ask(world, qr(), statuses=world.statuses(CertificateStatus.INVALID)), world)
    status = revoked["SignatureValidationStatus"]
    assert status["MainIndication"] == "urn:etsi:019102:mainindication:total-failed"
    assert status["SubIndication"] == ["urn:etsi:019102:subindication:REVOKED"]
    unknown = only(ask(world, qr(kid=b"12345678")), world)["SignatureValidationStatus"]
    assert unknown["MainIndication"] == "urn:etsi:019102:mainindication:indeterminate"
    assert unknown["SubIndication"] == ["urn:etsi:019102:subindication:NO_SIGNING_CERTIFICATE_FOUND"]


def test_each_of_several_signatures_has_its_own_report(world: SmallWorld) -> None:
    document = etsi.validation_report(several(world), world.view())["ValidationReport"]
    first, second = document["SignatureValidationReport"]
    assert first["ValidationTimeInfo"]["BestSignatureTime"]["POETime"] == "2026-01-11T00:00:00Z"
    assert second["ValidationTimeInfo"]["BestSignatureTime"]["POETime"] == "2026-01-21T00:00:00Z"  # proven by nobody
    assert first["SignatureValidationProcess"]["SignatureValidationProcessID"].endswith(":LTA")
    assert second["SignatureValidationStatus"]["MainIndication"].endswith(":total-failed")
    assert "SignerInformation" not in second
    data = first["SignatureValidationStatus"]["AssociatedValidationReportData"][0]["AdditionalValidationReportData"]
    changes = next(each["Value"] for each in data["ReportData"] if each["Type"].endswith(":changes"))
    assert changes[1] == {"kind": "annotation", "pages": [2], "permitted": False, "detail": "Stamp"}


def test_what_is_referred_to_is_there_and_claims_are_not(world: SmallWorld) -> None:
    document = etsi.validation_report(several(world), world.view())["ValidationReport"]
    text = json.dumps(document, ensure_ascii=False)
    ids = {each["id"] for each in document["SignatureValidationObjects"]["ValidationObject"]}
    referred = set(references(document))
    assert referred
    assert referred <= ids
    assert "林晓" not in text


def references(value: Any) -> typing.Iterator[str]:
    if isinstance(value, dict):
        yield from value.get("VOReference", ())
        for each in value.values():
            yield from references(each)
    elif isinstance(value, list):
        for each in value:
            yield from references(each)
