"""SD-JWT VCs of other networks, under an anchor: what they say of themselves counts, the rest is unknown."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_der_public_key

from keys.envelopes.sd_jwt import bind_key, issue_sd_jwt
from keys.x509 import Certificate, Profile, parse_certificate
from tests.verifier.asking import ask, assert_failed, assert_indeterminate, assert_passed, found
from tests.verifier.small_world import (
    DAY,
    NOW,
    SEALED,
    SmallWorld,
    attestation,
    authority,
    certificate,
    signer,
)
from tests.verifier.small_world import TYPES as ALL_TYPES
from trust_registry.attestations import to_sd_jwt_claims
from verifier.errors import MalformedEvidence
from verifier.evidence import parse
from verifier.model import Check, Credential, ExpectedBinding, Outcome, Policy, SubIndication
from verifier.wire import report_to_json

POLICY = Policy(anchors=(authority("elsewhere"),))
NUMERIC_NOW = int(NOW.timestamp())


def foreign(
    typ: str = "dc+sd-jwt", concealed: frozenset[str] = frozenset(), by: Certificate | None = None, **claims: Any
) -> str:
    shown = by or certificate("stranger", Profile.SEAL, "elsewhere")
    header = {"typ": typ, "x5c": [b64encode(shown.der).decode()]}
    payload = {"vct": "https://elsewhere.example/id", **claims}
    kept = {name: value for name, value in payload.items() if value is not ...}
    return issue_sd_jwt(kept, concealed, signer=signer("stranger"), header=header)


def test_exp_must_be_checked_if_present(world: SmallWorld) -> None:
    """RFC 9901 section 7.1 step 6; RFC 7519 section 4.1.4: on or after exp it MUST NOT be accepted."""
    for over in (NUMERIC_NOW, NUMERIC_NOW - 1, NUMERIC_NOW - 0.5, 0, -5):
        assert_failed(ask(world, foreign(exp=over), policy=POLICY), "expired", SubIndication.EXPIRED)
    report = ask(world, foreign(exp=NUMERIC_NOW + 1), policy=POLICY)
    assert_passed(report)
    assert found(report, Check.VALIDITY).code == "valid_until"


def test_nbf_must_be_checked_if_present(world: SmallWorld) -> None:
    """RFC 7519 section 4.1.5: before nbf it MUST NOT be accepted."""
    text = foreign(nbf=NUMERIC_NOW + 86400.5)
    assert_failed(ask(world, text, policy=POLICY), "not_yet_valid", SubIndication.NOT_YET_VALID)
    assert_passed(ask(world, foreign(nbf=NUMERIC_NOW, exp=10**18), policy=POLICY))


@pytest.mark.parametrize("claim", ["exp", "nbf", "iat"])
@pytest.mark.parametrize("value", ["soon", True, None, [1]])
def test_a_numeric_date_must_be_a_number(claim: str, value: object) -> None:
    with pytest.raises(MalformedEvidence):
        parse(foreign(**{claim: value}))


def test_iat_is_the_claimed_time(world: SmallWorld) -> None:
    report = ask(world, foreign(iat=int(SEALED.timestamp())), policy=POLICY)
    assert_passed(report)
    assert report.signed_at == SEALED
    later = ask(world, foreign(iat=int((NOW + DAY).timestamp())), policy=POLICY)
    assert_failed(later, "sealed_in_future", SubIndication.NOT_YET_VALID)


def test_a_status_that_cannot_be_asked_is_unknown_and_not_good(world: SmallWorld) -> None:
    """SD-JWT VC section 2.4: if status is present, it SHOULD be checked. An unknown is INDETERMINATE, never PASSED."""
    text = foreign(status={"status_list": {"idx": 1, "uri": "https://elsewhere.example/s/1"}})
    report = ask(world, text, policy=POLICY)
    assert_indeterminate(report, "status_foreign", SubIndication.SIG_CONSTRAINTS_FAILURE)
    assert found(ask(world, foreign(), policy=POLICY), Check.STATUS).outcome is Outcome.NOT_APPLICABLE


@pytest.mark.parametrize("audience", ["https://hall.example", ["https://other.example", "https://hall.example"]])
def test_aud_must_name_us_if_present(world: SmallWorld, audience: object) -> None:
    """RFC 7519 section 4.1.3: whoever does not find itself in aud MUST reject."""
    cnf = {"jwk": signer("holder").public_key.jwk()}
    text = foreign(aud=audience, cnf=cnf)
    assert_failed(ask(world, text, policy=POLICY), "audience_elsewhere", SubIndication.SIG_CONSTRAINTS_FAILURE)
    for us, passes in (("https://hall.example", True), ("https://third.example", False)):
        shown = bind_key(text, signer=signer("holder"), nonce="n", audience=us, issued_at=NOW)
        policy = Policy(anchors=POLICY.anchors, binding=ExpectedBinding("n", us))
        report = ask(world, shown, policy=policy)
        if passes:
            assert_passed(report)
        else:
            assert_failed(report, "audience_elsewhere", SubIndication.SIG_CONSTRAINTS_FAILURE)


@pytest.mark.parametrize("audience", [1, None, {"a": "b"}, ["https://hall.example", 1]])
def test_aud_must_be_text_or_a_list_of_texts(audience: object) -> None:
    with pytest.raises(MalformedEvidence):
        parse(foreign(aud=audience))


def test_aud_counts_in_a_certificate_of_this_network_too(world: SmallWorld) -> None:
    made = attestation(holder_key=signer("holder").public_key.jwk())
    claims, concealed = to_sd_jwt_claims(made, next(known for known in ALL_TYPES if known.id == made.type_id))
    header = {"typ": "dc+sd-jwt", "x5c": [b64encode(world.seal_certificate.der).decode()]}
    hall = "https://hall.example"
    text = issue_sd_jwt({**claims, "aud": hall}, concealed, signer=signer("seal"), header=header)
    assert_failed(ask(world, text), "audience_elsewhere", SubIndication.SIG_CONSTRAINTS_FAILURE)
    shown = bind_key(text, signer=signer("holder"), nonce="n", audience=hall, issued_at=NOW)
    assert_passed(ask(world, shown, policy=Policy(binding=ExpectedBinding("n", hall))))


@pytest.mark.parametrize("vct", [..., None, 7, "", ["https://elsewhere.example/id"]])
@pytest.mark.parametrize("typ", ["dc+sd-jwt", "vc+sd-jwt"])
def test_vct_is_required_and_must_be_text(typ: str, vct: object) -> None:
    """SD-JWT VC section 2.2.2.1. It also keeps out W3C credentials, whose own validUntil nobody here would read."""
    with pytest.raises(MalformedEvidence):
        parse(foreign(typ, vct=vct))


@pytest.mark.parametrize("name", ["typ", "x5c"])
@pytest.mark.parametrize("value", [["dc+sd-jwt"], {"a": 1}, None, 1, True, ""])
def test_a_header_of_the_wrong_kind_is_damage_and_no_crash(name: str, value: object) -> None:
    header = {"typ": "dc+sd-jwt", "x5c": []} | {name: value}
    text = issue_sd_jwt({"vct": "https://elsewhere.example/id"}, frozenset(), signer=signer("seal"), header=header)
    with pytest.raises(MalformedEvidence):
        parse(text)


@pytest.mark.parametrize("claim", ["iss", "nbf", "exp", "cnf", "vct", "vct#integrity", "aka_vcts", "status"])
def test_protocol_claims_must_not_be_selectively_disclosed(claim: str) -> None:
    """SD-JWT VC section 2.2.2.3, of the claim whole and of anything inside it."""
    value: Any = {"exp": NUMERIC_NOW + 9, "nbf": 1, "aka_vcts": ["https://elsewhere.example/other"]}.get(claim, "x")
    with pytest.raises(MalformedEvidence):
        parse(foreign(concealed=frozenset({claim}), **{claim: value}))


def test_clocks_may_differ_for_nbf_and_not_for_exp(world: SmallWorld) -> None:
    soon = int((NOW + timedelta(minutes=4)).timestamp())
    assert_passed(ask(world, foreign(nbf=soon), policy=POLICY))


def named(*names: x509.GeneralName) -> Certificate:
    """A signer of "elsewhere" with these alternative names."""
    key = ec.generate_private_key(ec.SECP256R1())
    ca = x509.load_der_x509_certificate(authority("elsewhere").der)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "named")]))
        .issuer_name(ca.subject)
        .public_key(load_der_public_key(signer("stranger").public_key.spki))  # type: ignore[arg-type]
        .serial_number(7)
        .not_valid_before(SEALED - DAY)
        .not_valid_after(SEALED + 900 * DAY)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    unsigned = builder.sign(key, hashes.SHA256())
    return parse_certificate(unsigned.public_bytes(Encoding.DER))


WEB = x509.UniformResourceIdentifier("https://elsewhere.example/issuer")
HOST = x509.DNSName("elsewhere.example")


@pytest.mark.parametrize(
    ("names", "iss", "contradicted"),
    [
        ((WEB,), "https://elsewhere.example/issuer", False),
        ((HOST,), "https://Elsewhere.example/any/path", False),
        ((WEB, HOST), "https://elsewhere.example/other", False),
        ((WEB,), "https://elsewhere.example/other", True),
        ((HOST,), "https://gov.example", True),
        ((), "https://gov.example", False),
        ((HOST,), "did:web:gov.example", False),
        ((HOST,), ..., False),
    ],
)
def test_the_issuer_is_the_certificate_s_subject_and_iss_may_not_be_somebody_else(
    names: tuple[x509.GeneralName, ...], iss: Any, contradicted: bool
) -> None:
    """SD-JWT VC, "Issuer Verification Key Discovery and Validation": with x5c, the certificate's subject is it."""
    evidence = parse(foreign(iss=iss, by=named(*names)))
    assert isinstance(evidence, Credential)
    assert evidence.terms is not None
    assert evidence.terms.issuer_contradicted is contradicted


def test_an_issuer_that_its_certificate_contradicts_is_not_taken(world: SmallWorld) -> None:
    evidence = parse(foreign())
    assert isinstance(evidence, Credential)
    assert evidence.terms is not None
    doubted = replace(evidence, terms=replace(evidence.terms, issuer_contradicted=True))
    assert_indeterminate(
        ask(world, doubted, policy=POLICY), "issuer_contradicted", SubIndication.SIG_CONSTRAINTS_FAILURE
    )
    over = replace(doubted, terms=replace(doubted.terms, valid_until=NOW - DAY))  # type: ignore[type-var]
    assert_failed(ask(world, over, policy=POLICY), "expired", SubIndication.EXPIRED)


@pytest.mark.parametrize("iss", [5, ["https://elsewhere.example"], "https://[elsewhere"])
def test_an_issuer_is_text(iss: object) -> None:
    with pytest.raises(MalformedEvidence):
        parse(foreign(iss=iss, by=named(HOST)))


def test_what_a_foreign_credential_says_is_told_on_request(world: SmallWorld) -> None:
    report = ask(world, foreign(given_name="Ada", cnf={"jwk": {}}), policy=POLICY)
    assert "stated" not in report_to_json(report)
    assert report_to_json(report, claims=True)["stated"] == {"vct": "https://elsewhere.example/id", "given_name": "Ada"}
