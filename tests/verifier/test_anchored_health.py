"""Health certificates under `--anchor`: the signer itself, or its authority, trusted by name and in no list."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from keys.algorithms import ES256
from keys.signer import EphemeralSigner
from keys.x509 import Certificate, Profile, make_certificate, make_region_ca
from tests.keys.test_health_certificates import CLAIMS, SIGNER, code
from tests.verifier.test_health_verdicts import CANNOT_TELL, FAILED, ISSUED, NOW, PASSED, WEST, told, world
from trust_registry.model import StatusView, TrustView
from verifier.core import judge
from verifier.core.anchored_health import key_id
from verifier.evidence import parse
from verifier.model import Check, Policy, Report, SubIndication
from verifier.stated import stated_claims
from verifier.wire import report_to_bytes, report_to_json

AUTHORITY = EphemeralSigner.generate(ES256)
TIMES: dict[str, Any] = {"not_before": ISSUED - timedelta(days=100), "not_after": ISSUED + timedelta(days=100)}
CSCA = make_region_ca(AUTHORITY, common_name="CSCA", organisation="Health", region="AT", **TIMES)
DSC = make_certificate(
    Profile.SEAL,
    ca_signer=AUTHORITY,
    ca=CSCA,
    subject_key=SIGNER.public_key,
    common_name="DSC",
    organisation="Health",
    uscc=None,
    uri=None,
    **TIMES,
)


def anchored(text: str, *anchors: Certificate, trust: TrustView | None = None, at: Any = NOW, **policy: Any) -> Report:
    return judge(parse(text), trust, StatusView({}), Policy(anchors=anchors or (DSC,), **policy), at)


def by(certificate: Certificate = DSC, claims: Any = CLAIMS, **headers: Any) -> str:
    """A code whose key identifier is that of `certificate`."""
    return code(claims, {1: -7, 4: key_id(certificate)}, **headers)


def outcome(report: Report, check: Check) -> str:
    (found,) = (finding for finding in report.findings if finding.check is check)
    return found.code


def test_signer_that_is_itself_an_anchor_is_enough() -> None:
    report = anchored(by())
    assert told(report) == (PASSED, "")
    assert outcome(report, Check.CERTIFICATE_PATH) == "path_anchor"
    assert outcome(report, Check.ENTITLEMENT) == "health_kind_allowed"
    assert outcome(report, Check.RECOGNITION) == "recognition_not_asked"


def test_key_identifier_selects_and_another_selects_nobody() -> None:
    """HCERT 3.3.3: the protected one MUST be used if both are present."""
    assert told(anchored(code(protected={1: -7}, unprotected={4: key_id(DSC)}))) == (PASSED, "")
    assert told(anchored(code(protected={1: -7}))) == (PASSED, "")  # no identifier: every anchor is tried
    other = code(protected={1: -7, 4: b"another."}, unprotected={4: key_id(DSC)})
    assert told(anchored(other)) == (CANNOT_TELL, "signer_unknown")


def test_key_that_did_not_sign_is_a_false_signature() -> None:
    stranger = make_region_ca(EphemeralSigner.generate(ES256), common_name="x", organisation="x", region="AT", **TIMES)
    report = anchored(by(stranger), stranger)
    assert (*told(report), report.sub_indication) == (FAILED, "signature_wrong", SubIndication.SIG_CRYPTO_FAILURE)


def test_signer_brought_along_needs_a_path_to_the_anchor() -> None:
    """RFC 9360: x5chain is a stranger's word until it leads to an anchor; it is in either header."""
    for headers in ({"protected": {1: -7, 33: DSC.der}}, {"protected": {1: -7}, "unprotected": {33: [DSC.der]}}):
        assert told(anchored(code(**headers), CSCA)) == (PASSED, "")
    nobody = make_region_ca(EphemeralSigner.generate(ES256), common_name="y", organisation="y", region="AT", **TIMES)
    text = code(protected={1: -7, 33: DSC.der})
    assert told(anchored(text, nobody)) == (CANNOT_TELL, "signer_not_listed")
    assert told(anchored(code(protected={1: -7, 33: b"no certificate"}), CSCA)) == (FAILED, "signature_wrong")
    assert told(anchored(code(protected={1: -7, 4: b"selected", 33: b"none"}), CSCA)) == (CANNOT_TELL, "signer_unknown")


def test_signer_brought_along_is_selected_like_any_other() -> None:
    assert told(anchored(code(protected={1: -7, 4: b"another.", 33: DSC.der}), CSCA)) == (CANNOT_TELL, "signer_unknown")
    assert told(anchored(by(unprotected={33: DSC.der}), DSC, CSCA)) == (PASSED, "")


def test_authority_alone_knows_no_signer() -> None:
    assert told(anchored(by(), CSCA)) == (CANNOT_TELL, "signer_unknown")


@pytest.mark.parametrize("arc", ["1.3.6.1.4.1.1847.2021.1.", "1.3.6.1.4.1.0.1847.2021.1."])
@pytest.mark.parametrize(("kind", "number"), [("t", 1), ("v", 2), ("r", 3)])
def test_certificate_that_names_kinds_certifies_no_others(arc: str, kind: str, number: int) -> None:
    """HCERT section 5: if one or more are present, the verifiers SHALL verify the key usage."""
    signer = replace(DSC, extended_key_usage=frozenset({arc + str(number), "1.3.6.1.5.5.7.3.1"}))
    for certified in "tvr":
        text = by(claims={**CLAIMS, -260: {1: {certified: [{}]}}})
        report = judge(parse(text), None, StatusView({}), Policy(anchors=(signer,)), NOW)
        if certified == kind:
            assert told(report) == (PASSED, "")
        else:
            assert told(report) == (FAILED, "health_kind_not_allowed")


def test_only_purposes_of_health_restrict_a_signer() -> None:
    """HCERT appendix A.4: without any of these, the certificate is for every kind."""
    server = replace(DSC, extended_key_usage=frozenset({"1.3.6.1.5.5.7.3.1"}))
    assert told(anchored(by(), server)) == (PASSED, "")
    authority = replace(server, key_usage=frozenset({"keyCertSign"}))
    assert told(anchored(by(), authority)) == (CANNOT_TELL, "path_not_allowed")


def test_method_that_is_not_verified_here_proves_nothing_wrong() -> None:
    """A short RSA key, or a curve that the algorithm is not used with here: not a false signature, but not known."""
    for key in (rsa.generate_private_key(65537, 1024), ec.generate_private_key(ec.SECP384R1())):
        spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        signer = replace(DSC, spki=spki)
        text = code(protected={1: -37 if isinstance(key, rsa.RSAPrivateKey) else -7, 4: key_id(DSC)})
        assert told(anchored(text, signer)) == (CANNOT_TELL, "algorithm_unknown")


def test_not_before_counts_like_expiry() -> None:
    """RFC 8392 section 3.1.5, RFC 7519 section 4.1.5: before it, the CWT MUST NOT be accepted."""
    moment = int(NOW.timestamp())
    assert told(anchored(by(claims={**CLAIMS, 5: moment + 86400}))) == (FAILED, "not_yet_valid")
    assert told(anchored(by(claims={**CLAIMS, 5: moment + 60}))) == (PASSED, "")  # clocks differ
    assert told(anchored(by(claims={**CLAIMS, 5: moment - 60}))) == (PASSED, "")


def test_times_count_as_the_code_and_its_signer_state_them() -> None:
    """HCERT 3.3.5: after exp a verifier MUST reject. 3.3.6: iat MUST not predate the signer's validity."""
    before = int((DSC.not_before - timedelta(days=1)).timestamp())
    after = int((DSC.not_after + timedelta(days=1)).timestamp())
    assert told(anchored(by(), at=ISSUED - timedelta(hours=1))) == (FAILED, "sealed_in_future")
    assert told(anchored(by(claims={**CLAIMS, 4: CLAIMS[6] + 60}))) == (FAILED, "expired")
    assert told(anchored(by(claims={**CLAIMS, 6: before}))) == (FAILED, "sealed_before_start")
    late = anchored(by(claims={**CLAIMS, 6: after}), at=DSC.not_after + timedelta(days=2))
    assert told(late) == (FAILED, "sealed_after_expiry")
    expired_since = anchored(by(), at=DSC.not_after + timedelta(days=1))
    assert (*told(expired_since), expired_since.sub_indication) == (
        CANNOT_TELL,
        "seal_expired_since",
        SubIndication.OUT_OF_BOUNDS_NO_POE,
    )
    timeless = {name: value for name, value in CLAIMS.items() if name not in (4, 6)}
    assert told(anchored(by(claims=timeless))) == (CANNOT_TELL, "health_validity_missing")


def test_authority_that_signs_codes_itself_is_not_a_signer() -> None:
    own = make_region_ca(SIGNER, common_name="CSCA", organisation="Health", region="AT", **TIMES)
    assert told(anchored(by(own), own)) == (CANNOT_TELL, "path_not_allowed")


def test_an_anchor_recognises_nothing() -> None:
    assert told(anchored(by(), accepting=WEST)) == (CANNOT_TELL, "recognition_unknown")


def test_anchor_never_overrides_a_list() -> None:
    assert told(anchored(code(), DSC, trust=world())) == (CANNOT_TELL, "health_not_asked")
    assert told(anchored(by(), DSC, trust=world())) == (PASSED, "")  # no list knows this identifier


def test_several_of_one_kind_are_of_that_kind_and_two_kinds_are_refused() -> None:
    assert told(anchored(by(claims={**CLAIMS, -260: {1: {"v": [{}, {}]}}}))) == (PASSED, "")
    assert told(anchored(by(claims={**CLAIMS, -260: {1: {"v": [{}], "t": [{}]}}}))) == (FAILED, "health_ambiguous")


PERSON = {
    "nam": {"fn": "Musterfrau-Gößinger", "gn": "Gabriele", "fnt": "X"},
    "dob": "1998-02-26",
    "ver": "1.3.0",
    "v": [{"dt": "2021-02-18", "ci": "URN:UVCI:01:AT:1", "mp": "EU/1/20/1528", "extra": b"\x01"}],
}


def test_claims_are_told_on_request_and_need_no_schema() -> None:
    report = anchored(by(claims={**CLAIMS, -260: {1: PERSON}}))
    assert "stated" not in report_to_json(report)
    assert "Gabriele" not in json.dumps(report_to_json(report, "en"))
    stated = json.loads(report_to_bytes(report, claims=True))["stated"]
    assert (stated["kind"], stated["issuer"]) == ("vaccination", "AT")
    assert stated["name"] == {"family": "Musterfrau-Gößinger", "given": "Gabriele"}
    assert stated["date_of_birth"] == "1998-02-26"
    assert stated["dates"] == [{"dt": "2021-02-18"}]
    assert stated["content"]["v"][0]["extra"] == "AQ=="
    assert stated["expires_at"] == "2030-03-17T17:46:40Z"


_ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats()
    | st.text(max_size=12)
    | st.binary(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["nam", "dob", "v", "t", "r", "other"]), _ANYTHING, max_size=4))
def test_whatever_it_says_can_be_told(content: dict[str, Any]) -> None:
    evidence = parse(by(claims={**CLAIMS, -260: {1: content}}))
    assert json.dumps(stated_claims(evidence), allow_nan=False)  # type: ignore[arg-type]
