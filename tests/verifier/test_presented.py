"""Whether what is shown is what was asked for, for evidence of any kind; and what a report with more findings says."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from keys.envelopes.jws import sign_jws
from keys.envelopes.mdoc import make_device_response, parse_mdoc, select_elements, sign_as_device
from keys.envelopes.sd_jwt import issue_sd_jwt, parse_sd_jwt
from tests.verifier.asking import ask
from tests.verifier.small_world import NOW, SmallWorld, attestation, qr, sd_jwt, signer
from tests.verifier.test_mobile_document import DOC_TYPE, NONCE, presented, signed, transcript
from trust_registry.mdoc_attestations import CORE, CORE_ELEMENTS
from verifier.core.findings import unknown
from verifier.core.presented import SHOWN_OTHER, binding_claims, check_presented, with_findings
from verifier.dcql import MDOC, SD_JWT_VC, ClaimsQuery, CredentialQuery, TrustedAuthority
from verifier.evidence import parse
from verifier.model import Check, ExpectedBinding, Indication, Policy, SubIndication

VCT = "urn:yinxin:type:common/marriage-certificate"
CLAIMS = ("holder_name", "spouse_name", "registered_on")


def query(*names: str, id: str = "q", **changes: Any) -> CredentialQuery:
    claims = tuple(ClaimsQuery((name,), name) for name in names)
    return CredentialQuery(
        **{"id": id, "format": SD_JWT_VC, "meta": {"vct_values": (VCT,)}, "claims": claims} | changes
    )


def code(*args: Any) -> str | None:
    found = check_presented(*args)
    return None if found is None else found.code


def test_6_4_what_is_shown_is_what_was_asked_for() -> None:
    evidence = parse(sd_jwt())
    assert code(evidence, query(*CLAIMS)) is None
    assert code(evidence, query(*CLAIMS[:2])) == "shown_more_than_asked"
    assert code(evidence, query(*CLAIMS, "identity_number")) == "shown_less_than_asked"
    assert code(evidence, query()) == "shown_more_than_asked"
    assert code(parse(sd_jwt(attestation(claims={}))), query()) is None


def test_6_4_claims_of_another_query_for_the_same_kind_may_be_there() -> None:
    evidence = parse(sd_jwt())
    asked, rest = query(*CLAIMS[:2]), query(CLAIMS[2], id="r")
    assert code(evidence, asked, [rest]) is None
    assert code(evidence, asked, [query(CLAIMS[2], meta={"vct_values": ("urn:other",)})]) == "shown_more_than_asked"
    assert code(evidence, asked, [query(CLAIMS[2], format=MDOC, meta={})]) == "shown_more_than_asked"


def test_6_4_1_one_combination_and_not_two() -> None:
    evidence = parse(sd_jwt())
    sets = ((CLAIMS[0], CLAIMS[1]), (CLAIMS[0], CLAIMS[2]))
    assert code(evidence, query(*CLAIMS, claim_sets=sets)) == "shown_more_than_asked"
    assert code(evidence, query(*CLAIMS, claim_sets=(CLAIMS[:1], CLAIMS))) is None


def test_trusted_authorities_are_the_trust_lists_to_judge() -> None:
    assert code(parse(sd_jwt()), query(*CLAIMS, trusted_authorities=(TrustedAuthority("aki", ("x",)),))) is None


@pytest.mark.parametrize(
    "asked", [query(*CLAIMS, meta={"vct_values": ("urn:other",)}), query(*CLAIMS, format=MDOC, meta={})], ids=str
)
def test_of_another_type_or_format(asked: CredentialQuery) -> None:
    assert code(parse(sd_jwt()), asked) == "shown_other_than_asked"


def test_what_no_wallet_shows() -> None:
    assert code(parse(qr()), query()) == "shown_other_than_asked"
    assert binding_claims(parse(qr())) == {}


def test_an_mdocs_elements() -> None:
    core = tuple(ClaimsQuery((CORE, name)) for name in CORE_ELEMENTS)
    asked = query(format=MDOC, meta={"doctype_value": DOC_TYPE}, claims=(*core, ClaimsQuery((DOC_TYPE, "holder_name"))))
    assert code(parse(presented()), asked) is None
    less = query(format=MDOC, meta={"doctype_value": DOC_TYPE}, claims=core)
    assert code(parse(presented()), less) == "shown_more_than_asked"


@pytest.mark.parametrize("own", [{"org.other": {"age": 99}}, {DOC_TYPE: {"holder_name": "Eve"}}], ids=str)
def test_what_the_bearer_says_beside_the_issuer_was_not_asked_for(own: dict[str, dict[str, Any]]) -> None:
    """ISO/IEC 18013-5 clause 8.3.2.1.2.2: device-signed elements are the bearer's own words."""
    names = (*((CORE, name) for name in CORE_ELEMENTS), (DOC_TYPE, "holder_name"))
    asked = query(format=MDOC, meta={"doctype_value": DOC_TYPE}, claims=tuple(ClaimsQuery(each) for each in names))
    shown = select_elements(parse_mdoc(signed()), {DOC_TYPE: {"holder_name"}, CORE: set(CORE_ELEMENTS)})
    response = make_device_response(DOC_TYPE, shown, sign_as_device(DOC_TYPE, transcript(NONCE), signer("holder"), own))
    assert code(parse(response), asked) == "shown_more_than_asked"
    assert code(parse(signed()), replace(asked, claims=())) == "shown_more_than_asked"  # IssuerSigned alone


def test_a_nested_claim_that_was_not_asked_for_counts_with_its_root() -> None:
    claims = {"vct": "urn:x", "address": {"street": "a"}, "name": "b"}
    text = issue_sd_jwt(claims, {"address", "name"}, signer=signer("x"), header={"typ": "dc+sd-jwt"})
    asked = query(meta={}, claims=(ClaimsQuery(("address", "street")),))
    assert code(parse(text), asked) == "shown_more_than_asked"


@pytest.mark.parametrize("payload", [b"x", b"[]"])
def test_a_kb_jwt_that_cannot_be_read_says_nothing(payload: bytes) -> None:
    text = sd_jwt() + sign_jws({"typ": "kb+jwt"}, payload, signer("holder"))
    assert binding_claims(parse(text)) == {}


def test_a_kb_jwt_from_the_future(world: SmallWorld) -> None:
    text = sd_jwt(attestation(holder_key=signer("holder").public_key.jwk()))
    later = int(NOW.timestamp()) + 61
    claims = {"iat": later, "aud": "c", "nonce": "n", "sd_hash": parse_sd_jwt(text).presented_digest()}
    bound = text + sign_jws({"typ": "kb+jwt"}, json.dumps(claims).encode(), signer("holder"))
    report = ask(world, bound, policy=Policy(binding=ExpectedBinding("n", "c")))
    assert report.decisive is not None
    assert (report.indication, report.decisive.code) == (Indication.FAILED, "binding_early")
    assert report.sub_indication is SubIndication.NOT_YET_VALID


def test_more_findings_make_another_verdict(world: SmallWorld) -> None:
    report = ask(world, sd_jwt())
    assert with_findings(report, [None]) is report
    worse = with_findings(report, [SHOWN_OTHER, None])
    assert (worse.indication, worse.decisive) == (Indication.FAILED, SHOWN_OTHER)
    assert worse.sub_indication is SHOWN_OTHER.sub_indication
    assert len(worse.findings) == len(report.findings) + 1
    doubt = unknown(Check.ACCEPTANCE, "rule_unknown", SubIndication.TRY_LATER)
    assert with_findings(report, [doubt]).indication is Indication.INDETERMINATE
