"""The report as ETSI TS 119 102-2 has it, in JSON. Decides nothing, holds no claims, is not signed itself.

Names, nesting and order are those of the standard's schema (namespace http://uri.etsi.org/19102/v1.2.1#), kept in the
XML spelling as ETSI's own JSON bindings do (TS 119 602): an element that may repeat is an array, a digest's value is
base64, and what the schema leaves open (`Value`, ReportData) is ours. One SignatureValidationReport a signature; a code
or credential is one signature.

Spec: TS 119 102-2 clause 4; URIs of V1.4.1 clauses 4.3.4 and 4.3.11.
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from keys.certificate import Certificate, parse_certificate
from keys.errors import AlgorithmNotSupported, MalformedCertificate
from trust_registry.model import TrustView
from verifier import messages
from verifier.model import (
    Check,
    EvidenceKind,
    Finding,
    Indication,
    Outcome,
    Report,
    SignatureReport,
    SubIndication,
)
from verifier.wire import change_to_json, to_json

PROFILE: Final = "http://uri.etsi.org/19102/v1.2.1#"
MEDIA_TYPE: Final = f'application/json; profile="{PROFILE}"'
_URN: Final = "urn:etsi:019102:"
_OURS: Final = "urn:yinxin:report:"
_SHA256: Final = "http://www.w3.org/2001/04/xmlenc#sha256"
_TOTAL: Final = {
    Indication.PASSED: f"{_URN}mainindication:total-passed",
    Indication.FAILED: f"{_URN}mainindication:total-failed",
    Indication.INDETERMINATE: f"{_URN}mainindication:indeterminate",
}
_OF_CONSTRAINT: Final = {
    Outcome.PASSED: f"{_URN}mainindication:passed",
    Outcome.FAILED: f"{_URN}mainindication:failed",
    Outcome.UNKNOWN: f"{_URN}mainindication:indeterminate",
}
_ALGORITHMS: Final = {
    "ES256": "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
    "ES384": "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384",
    "ES512": "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512",
    "EdDSA": "http://www.w3.org/2021/04/xmldsig-more#eddsa-ed25519",
    "RS256": "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
    "RS384": "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384",
    "RS512": "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
    "PS256": "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1",
}
_PROCESSES: Final = {"B-B": "Basic", "B-T": "LTVM", "B-LT": "LTVM", "B-LTA": "LTA"}
_DOCUMENT: Final = "document"


@dataclass(frozen=True, slots=True)
class _Signature:
    """What one report of a signature is made from, whether the evidence had one or several."""

    number: int
    name: str | None
    indication: Indication
    sub_indication: SubIndication | None
    findings: tuple[Finding, ...]
    certificate: Certificate | None
    signed_at: datetime | None
    proven: bool
    level: str | None
    signed: SignatureReport | None


def validation_report(report: Report, trust: TrustView | None, validator: Certificate | None = None) -> dict[str, Any]:
    """The report as JSON values: {"ValidationReport": ...}.

    `trust` finds the certificate of a listed seal; `validator` is that of whoever judged, if it has one. Times are
    RFC 3339 in UTC. Nothing personal is in it.
    """
    signatures = _signatures(report, trust)
    document: dict[str, Any] = {
        "SignatureValidationReport": [_signature_report(report, each) for each in signatures],
        "SignatureValidationObjects": {"ValidationObject": _objects(report, signatures)},
    }
    if validator is not None:
        document["SignatureValidator"] = {"DigitalId": [{"X509Certificate": _base64(validator.der)}]}
    return {"ValidationReport": document}


def to_bytes(report: Report, trust: TrustView | None, validator: Certificate | None = None) -> bytes:
    """The JSON text of `validation_report`, indented for people who open it."""
    return json.dumps(validation_report(report, trust, validator), ensure_ascii=False, indent=1).encode()


def _signatures(report: Report, trust: TrustView | None) -> list[_Signature]:
    if not report.signatures:
        level = "B-T" if report.signed_at_proven else "B-B"
        known = report.kind in (EvidenceKind.PDF, EvidenceKind.SD_JWT_VC, EvidenceKind.QR, EvidenceKind.MDOC)
        return [
            _Signature(
                1,
                None,
                report.indication,
                report.sub_indication,
                report.findings,
                _listed_certificate(report, trust),
                report.signed_at,
                report.signed_at_proven,
                level if known and report.signed_at is not None else None,
                None,
            )
        ]
    return [
        _Signature(
            number,
            each.name,
            each.indication,
            each.sub_indication,
            each.findings,
            each.certificate,
            each.signed_at,
            each.signed_at_proven,
            each.level,
            each,
        )
        for number, each in enumerate(report.signatures, 1)
    ]


def _listed_certificate(report: Report, trust: TrustView | None) -> Certificate | None:
    """That of the seal which the certificate names, from its region's list."""
    attestation = report.attestation
    issuer = None if attestation is None or trust is None else trust.issuers.get(attestation.issuer_id)
    if attestation is None or issuer is None:
        return None
    for seal in issuer.seals:
        if seal.id == attestation.seal_id:
            try:
                return parse_certificate(seal.key.certificate)
            except MalformedCertificate:
                return None
    return None


def _signature_report(report: Report, signature: _Signature) -> dict[str, Any]:
    """One SignatureValidationReport. Members without a value are left out."""
    best = signature.signed_at if signature.proven else report.judged_at
    assert best is not None  # proven: then there is a time
    identifier: dict[str, Any] = {"id": f"signature-{signature.number}", "HashOnly": False, "DocHashOnly": False}
    if signature.name is not None:
        identifier["DAIdentifier"] = signature.name
    found: dict[str, Any] = {
        "SignatureIdentifier": identifier,
        "ValidationConstraintsEvaluationReport": _constraints(report, signature),
        "ValidationTimeInfo": {
            "ValidationTime": _time(report.judged_at),
            "BestSignatureTime": {"POETime": _time(best), "TypeOfProof": f"{_URN}poetype:validation"},
        },
        "SignersDocument": {
            "DigestAlgAndValue": _digest(report.evidence_digest),
            "SignersDocumentRepresentation": [_refer(_DOCUMENT)],
        },
    }
    attributes = _attributes(signature)
    if attributes:
        found["SignatureAttributes"] = attributes
    if signature.certificate is not None:
        found["SignerInformation"] = {
            "SignerCertificate": _refer(_name(signature.certificate)),
            "Signer": signature.certificate.subject,
        }
    if signature.level is not None:
        found["SignatureQuality"] = {"SignatureQualityInformation": [f"{_OURS}level:{signature.level}"]}
        found["SignatureValidationProcess"] = {
            "SignatureValidationProcessID": f"{_URN}validationprocess:{_PROCESSES.get(signature.level, 'Basic')}"
        }
    found["SignatureValidationStatus"] = _status(report, signature)
    return found


def _attributes(signature: _Signature) -> dict[str, Any]:
    """The time that the signer claims, or the one that a time-stamp states."""
    if signature.signed_at is None:
        return {}
    if signature.proven:
        return {"SignatureTimeStamp": [{"Signed": False, "TimeStampValue": _time(signature.signed_at)}]}
    return {"SigningTime": [{"Signed": True, "Time": _time(signature.signed_at)}]}


def _constraints(report: Report, signature: _Signature) -> dict[str, Any]:
    """The policy, and each check as a constraint."""
    policy = report.policy
    names = [f"region {policy.accepting}" if policy.accepting else "", policy.scenario.id if policy.scenario else ""]
    return {
        "SignatureValidationPolicy": {
            "SignaturePolicyIdentifier": {"SignaturePolicyImplied": {}},
            "PolicyName": ", ".join(name for name in names if name) or "authenticity and status",
        },
        "ValidationConstraint": [_constraint(finding) for finding in signature.findings],
    }


def _constraint(finding: Finding) -> dict[str, Any]:
    constraint: dict[str, Any] = {"ValidationConstraintIdentifier": f"{_OURS}check:{finding.check.value}"}
    if finding.facts:
        constraint["ValidationConstraintParameter"] = [
            {"Type": f"{_OURS}fact:{name}", "Value": to_json(value)} for name, value in finding.facts.items()
        ]
    if finding.outcome is Outcome.NOT_APPLICABLE:
        constraint["ConstraintStatus"] = {"Status": f"{_URN}constraintStatus:disabled"}
        return constraint
    constraint["ConstraintStatus"] = {"Status": f"{_URN}constraintStatus:applied"}
    status: dict[str, Any] = {"MainIndication": _OF_CONSTRAINT[finding.outcome]}
    if finding.sub_indication is not None:
        status["SubIndication"] = [finding.sub_indication.uri]
    constraint["ValidationStatus"] = status
    return constraint


def _status(report: Report, signature: _Signature) -> dict[str, Any]:
    """The indications, and what they rest on."""
    status: dict[str, Any] = {"MainIndication": _TOTAL[signature.indication]}
    if signature.sub_indication is not None:
        status["SubIndication"] = [signature.sub_indication.uri]
    data: dict[str, Any] = {}
    if signature.certificate is not None:
        data["CertificateChain"] = {"SigningCertificate": _refer(_name(signature.certificate))}
        revoked = _revocation(signature)
        if revoked is not None:
            data["RevocationStatusInformation"] = revoked
        information = _algorithm(signature)
        if information is not None:
            data["CryptoInformation"] = information
    data["AdditionalValidationReportData"] = {"ReportData": _report_data(report, signature)}
    status["AssociatedValidationReportData"] = [data]
    return status


def _revocation(signature: _Signature) -> dict[str, Any] | None:
    """Of the signer's certificate. That the attested certificate was revoked is among the constraints."""
    for finding in signature.findings:
        at = finding.facts.get("since") or finding.facts.get("at")
        revoked = finding.check in (Check.CERTIFICATE_PATH, Check.ENTITLEMENT) and finding.sub_indication in (
            SubIndication.REVOKED,
            SubIndication.REVOKED_NO_POE,
        )
        if revoked and isinstance(at, datetime) and signature.certificate is not None:
            return {"ValidationObjectId": _refer(_name(signature.certificate)), "RevocationTime": _time(at)}
    return None


def _algorithm(signature: _Signature) -> dict[str, Any] | None:
    assert signature.certificate is not None
    try:
        algorithm = signature.certificate.public_key.algorithm
    except AlgorithmNotSupported:
        return None
    doubted = any(
        finding.sub_indication
        in (SubIndication.CRYPTO_CONSTRAINTS_FAILURE, SubIndication.CRYPTO_CONSTRAINTS_FAILURE_NO_POE)
        for finding in signature.findings
    )
    information: dict[str, Any] = {
        "ValidationObjectId": _refer(_name(signature.certificate)),
        "Algorithm": _ALGORITHMS.get(algorithm.jose, f"urn:oid:{algorithm.signature_oid}"),
        "SecureAlgorithm": not doubted,
    }
    if algorithm.sunset is not None:
        information["NotAfter"] = _time(algorithm.sunset)
    return information


def _report_data(report: Report, signature: _Signature) -> list[dict[str, Any]]:
    """What the standard leaves to us: each finding's sentence, what was changed since, which one decides."""
    data: list[dict[str, Any]] = [
        {
            "Type": f"{_OURS}finding:{finding.code}",
            "Value": {language: messages.sentence(finding, language) for language in ("zh", "en")},
        }
        for finding in signature.findings
    ]
    signed = signature.signed
    if signed is not None:
        data.append({"Type": f"{_OURS}deciding", "Value": signed.deciding})
        data.append({"Type": f"{_OURS}signed-size", "Value": signed.signed_size})
        if signed.changes:
            data.append({"Type": f"{_OURS}changes", "Value": [change_to_json(each) for each in signed.changes]})
    ages = {"trust": report.freshness.trust_age, "status": report.freshness.status_age}
    data += [{"Type": f"{_OURS}age:{name}", "Value": to_json(age)} for name, age in ages.items() if age is not None]
    return data


def _objects(report: Report, signatures: Iterable[_Signature]) -> list[dict[str, Any]]:
    """What was used. The signer's document by its digest only: what it says is not ours to repeat."""
    objects: dict[str, dict[str, Any]] = {
        _DOCUMENT: {
            "id": _DOCUMENT,
            "ObjectType": f"{_URN}validationObject:signedData",
            "ValidationObjectRepresentation": {"DigestAlgAndValue": _digest(report.evidence_digest)},
        }
    }
    for signature in signatures:
        certificate = signature.certificate
        if certificate is not None:
            objects[_name(certificate)] = {
                "id": _name(certificate),
                "ObjectType": f"{_URN}validationObject:certificate",
                "ValidationObjectRepresentation": {"base64": _base64(certificate.der)},
            }
    return list(objects.values())


def _name(certificate: Certificate) -> str:
    return "certificate-" + hashlib.sha256(certificate.der).hexdigest()[:16]


def _refer(name: str) -> dict[str, Any]:
    return {"VOReference": [name]}


def _digest(digest: str) -> dict[str, Any]:
    """ "sha256:<hex>" as the standard writes a digest."""
    return {
        "DigestMethod": {"Algorithm": _SHA256},
        "DigestValue": _base64(bytes.fromhex(digest.removeprefix("sha256:"))),
    }


def _base64(data: bytes) -> str:
    return b64encode(data).decode("ascii")


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()[:19] + "Z"
