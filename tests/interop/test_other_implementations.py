"""Random claims between us and others: `sd-jwt` (the RFC's authors') and `openvc-core` (SD-JWT VC, status lists)."""

from __future__ import annotations

import json
import time
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keys.algorithms import ES256
from keys.envelopes.sd_jwt import (
    KeyBindingOutcome,
    bind_key,
    check_key_binding,
    issue_sd_jwt,
    parse_sd_jwt,
    select_disclosures,
)
from keys.public_key import PublicKey
from keys.signer import EphemeralSigner
from keys.x509 import Certificate, Profile, make_certificate, make_region_ca
from tests.verifier.small_world import attestation
from trust_registry.attestations import StatusReference, to_sd_jwt_claims
from trust_registry.catalogue import COMMON_TYPES
from trust_registry.model import CertificateStatus, StatusList
from trust_registry.status_list import make_status_token, new_status_list, parse_status_token, status_at_index

jwk = pytest.importorskip("jwcrypto.jwk", reason="jwcrypto is not installed: pip install sd-jwt")
pytest.importorskip("sd_jwt", reason="sd-jwt is not installed: pip install sd-jwt")
pytest.importorskip("openvc", reason="openvc-core is not installed: pip install openvc-core")

from openvc.errors import OpenvcError  # noqa: E402
from openvc.keys import P256SigningKey  # noqa: E402
from openvc.proof.sd_jwt import SdJwtVcProofSuite  # noqa: E402
from openvc.status.issue import (  # noqa: E402
    build_status_list_token,
    build_token_status_reference,
    verify_status_list_token,
)
from openvc.status.token_status_list import check_token_status, set_status  # noqa: E402
from openvc.status.token_status_list import new_status_list as their_status_list  # noqa: E402
from openvc.verify import VerificationPolicy, verify_credential  # noqa: E402
from openvc.x5c import X5cError, resolve_x5c_key  # noqa: E402
from sd_jwt.common import SDObj  # noqa: E402
from sd_jwt.holder import SDJWTHolder  # noqa: E402
from sd_jwt.issuer import SDJWTIssuer  # noqa: E402
from sd_jwt.verifier import SDJWTVerifier  # noqa: E402

pytestmark = pytest.mark.interop

NOW = datetime.now(UTC).replace(microsecond=0)  # both packages read the clock themselves
ISSUER, HOLDER = EphemeralSigner.generate(ES256), EphemeralSigner.generate(ES256)
ISSUER_JWK = ISSUER.public_key.jwk()
THEIR_ISSUER = jwk.JWK.generate(kty="EC", crv="P-256")
THEIR_HOLDER = jwk.JWK.generate(kty="EC", crv="P-256")
SUITE = SdJwtVcProofSuite()
VCT = "urn:yinxin:type:common/marriage-certificate"
ISS = "urn:yinxin:issuer:990100/civil-affairs"
URI = "https://east.example/status/990100/civil-affairs/1"
QUICK = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=8).filter(
    lambda name: name not in {"_sd", "_sd_alg", "...", "cnf", "iss", "aud", "exp", "nbf", "iat", "status", "vct"}
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"), max_size=8)
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=8
)
CLAIMS = st.dictionaries(NAMES, VALUES, min_size=1, max_size=5)


@st.composite
def marked(draw: st.DrawFn) -> tuple[Any, Any]:
    """Claims with any of their members and elements marked to be concealed, as the package wants them; and plain."""

    def walk(value: Any) -> Any:
        if isinstance(value, dict):
            return {SDObj(n) if draw(st.booleans()) else n: walk(item) for n, item in value.items()}
        if isinstance(value, list):
            return [SDObj(walk(item)) if draw(st.booleans()) else walk(item) for item in value]
        return value

    plain = draw(CLAIMS)
    return walk(plain), plain


@QUICK
@given(marked(), st.booleans())
def test_any_structure_that_sd_jwt_conceals_we_restore(claims: tuple[Any, Any], decoys: bool) -> None:
    """RFC 9901 section 7.1 step 3, at every depth: with every disclosure the claims are whole again."""
    concealed, plain = claims
    issued = SDJWTIssuer(concealed, THEIR_ISSUER, THEIR_HOLDER, add_decoy_claims=decoys).sd_jwt_issuance
    parsed = parse_sd_jwt(issued)
    assert parsed.jws.verified_by(PublicKey.from_jwk(THEIR_ISSUER.export_public(as_dict=True)))
    assert {name: value for name, value in parsed.claims.items() if name != "cnf"} == plain


@QUICK
@given(marked(), st.data())
def test_any_choice_of_disclosures_means_the_same_to_both(claims: tuple[Any, Any], data: st.DataObject) -> None:
    issued = SDJWTIssuer(claims[0], THEIR_ISSUER, THEIR_HOLDER).sd_jwt_issuance
    names = data.draw(st.sets(st.sampled_from(sorted(claims[1]))))
    chosen = select_disclosures(issued, names)
    theirs = SDJWTVerifier(chosen, lambda *_: THEIR_ISSUER).get_verified_payload()
    assert parse_sd_jwt(chosen).claims == theirs


@QUICK
@given(marked())
def test_what_sd_jwt_binds_we_accept(claims: tuple[Any, Any]) -> None:
    """RFC 9901 section 7.3, with the hash over whatever the holder chose."""
    holder = SDJWTHolder(SDJWTIssuer(claims[0], THEIR_ISSUER, THEIR_HOLDER).sd_jwt_issuance)
    holder.create_presentation({}, "n-1", "counter-7", THEIR_HOLDER)
    parsed = parse_sd_jwt(holder.sd_jwt_presentation)
    age = timedelta(minutes=5)
    at = datetime.now(UTC)
    assert check_key_binding(parsed, nonce="n-1", audience="counter-7", at=at, max_age=age) is KeyBindingOutcome.OK


@QUICK
@given(CLAIMS, st.data())
def test_what_we_issue_choose_and_bind_both_accept(claims: dict[str, Any], data: st.DataObject) -> None:
    concealed = frozenset(data.draw(st.sets(st.sampled_from(sorted(claims)))))
    shown = data.draw(st.sets(st.sampled_from(sorted(claims))))
    text = issue_sd_jwt(
        {"iss": ISS, "vct": VCT, **claims},
        concealed,
        signer=ISSUER,
        header={"typ": "dc+sd-jwt"},
        holder_key=HOLDER.public_key.jwk(),
        decoys=data.draw(st.integers(0, 2)),
    )
    now = datetime.now(UTC)
    presented = bind_key(
        select_disclosures(text, shown), signer=HOLDER, nonce="n-1", audience="counter-7", issued_at=now
    )
    expected = {"iss": ISS, "vct": VCT} | {n: v for n, v in claims.items() if n in shown or n not in concealed}
    key = jwk.JWK.from_json(json.dumps(ISSUER_JWK))
    first = SDJWTVerifier(presented, lambda *_: key, "counter-7", "n-1").get_verified_payload()
    first.pop("cnf")
    assert first == expected
    if "@context" not in claims:
        second = SUITE.verify(
            presented, public_key_jwk=ISSUER_JWK, audience="counter-7", nonce="n-1", require_key_binding=True
        )
        assert second.key_bound
        assert second.vct == VCT
        assert {name: value for name, value in second.claims.items() if name != "cnf"} == expected


def test_openvc_refuses_our_presentation_elsewhere() -> None:
    text = issue_sd_jwt(
        {"iss": ISS, "vct": VCT},
        frozenset(),
        signer=ISSUER,
        header={"typ": "dc+sd-jwt"},
        holder_key=HOLDER.public_key.jwk(),
    )
    presented = bind_key(text, signer=HOLDER, nonce="n-1", audience="counter-7", issued_at=NOW)
    for audience, nonce in (("counter-8", "n-1"), ("counter-7", "n-2")):
        with pytest.raises(OpenvcError):
            SUITE.verify(presented, public_key_jwk=ISSUER_JWK, audience=audience, nonce=nonce)


def test_we_read_and_bind_what_openvc_issues() -> None:
    issuer, holder = P256SigningKey.generate("k1"), P256SigningKey.generate("k2")
    claims = {"iss": "https://issuer.example", "name": "张三", "nested": {"a": [1, None]}, "age": 30}
    text = SUITE.issue(
        claims,
        signing_key=issuer,
        disclosable=["name", "nested"],
        holder_jwk=holder.public_jwk(),
        vct="https://issuer.example/id",
        decoys=3,
        expires_in_s=600,
    )
    presented = SUITE.create_presentation(text, holder_key=holder, audience="counter-7", nonce="n-1")
    parsed = parse_sd_jwt(presented)
    assert parsed.jws.header["typ"] == "dc+sd-jwt"
    assert parsed.jws.verified_by(PublicKey.from_jwk(issuer.public_jwk()))
    assert claims.items() <= parsed.claims.items()
    for nonce, outcome in (("n-1", KeyBindingOutcome.OK), ("n-2", KeyBindingOutcome.WRONG_NONCE)):
        at, age = datetime.now(UTC), timedelta(minutes=5)
        assert check_key_binding(parsed, nonce=nonce, audience="counter-7", at=at, max_age=age) is outcome


def seal_of(key: EphemeralSigner) -> tuple[Certificate, Certificate]:
    """A region's CA and a seal's certificate that names its issuer's URI."""
    root = EphemeralSigner.generate(ES256)
    since, until = NOW - timedelta(days=1), NOW + timedelta(days=99)
    ca = make_region_ca(
        root, common_name="CA", organisation="Authority", region="990100", not_before=since, not_after=until
    )
    leaf = make_certificate(
        Profile.SEAL,
        ca_signer=root,
        ca=ca,
        subject_key=key.public_key,
        common_name="99010000000001",
        organisation="Civil Affairs",
        uscc=None,
        uri=ISS,
        not_before=since,
        not_after=until,
    )
    return ca, leaf


@pytest.mark.parametrize(
    ("status", "accepted"),
    [(CertificateStatus.VALID, True), (CertificateStatus.INVALID, False)],
    ids=["valid", "revoked"],
)
def test_openvc_verifies_a_certificate_of_ours_whole(status: CertificateStatus, accepted: bool) -> None:
    """Path, issuer's URI, type, key binding and status, by the package's one call for everything."""
    ca, leaf = seal_of(ISSUER)
    made = attestation(
        issued_at=NOW, valid_from=NOW, status=StatusReference(URI, 7), holder_key=HOLDER.public_key.jwk()
    )
    claims, concealed = to_sd_jwt_claims(made, next(known for known in COMMON_TYPES if known.id == made.type_id))
    header = {"typ": "dc+sd-jwt", "x5c": [b64encode(leaf.der).decode()]}
    text = select_disclosures(issue_sd_jwt(claims, concealed, signer=ISSUER, header=header), {"holder_name"})
    presented = bind_key(text, signer=HOLDER, nonce="n-1", audience="counter-7", issued_at=datetime.now(UTC))
    builder = new_status_list(100)
    builder.set(7, status)
    token = make_status_token(
        builder.freeze(), uri=URI, signer=ISSUER, issued_at=NOW, expires_at=NOW + timedelta(days=1), ttl=timedelta(60)
    )
    policy = VerificationPolicy(audience="counter-7", nonce="n-1", require_key_binding=True, expected_vct=VCT)

    def verify() -> Any:
        return verify_credential(
            presented,
            policy=policy,
            x5c_trust_anchors=[x509.load_der_x509_certificate(ca.der)],
            resolve_status_list_token=lambda uri: verify_status_list_token(
                token, public_key_jwk=ISSUER_JWK, expected_uri=uri
            ),
        )

    if accepted:
        assert verify().key_bound
        assert verify().claims["holder_name"] == made.claims["holder_name"]
    else:
        with pytest.raises(OpenvcError, match="revoked"):
            verify()


def test_openvc_binds_our_x5c_to_the_uri_in_the_certificate() -> None:
    ca, leaf = seal_of(ISSUER)
    anchors, chain = [x509.load_der_x509_certificate(ca.der)], [b64encode(leaf.der).decode()]
    found = resolve_x5c_key(chain, ISS, trust_anchors=anchors)
    assert (found["x"], found["y"]) == (ISSUER_JWK["x"], ISSUER_JWK["y"])
    with pytest.raises(X5cError):
        resolve_x5c_key(chain, ISS + "x", trust_anchors=anchors)


@QUICK
@given(st.dictionaries(st.integers(0, 999), st.integers(0, 2), max_size=20))
def test_openvc_reads_our_status_lists(wanted: dict[int, int]) -> None:
    builder = new_status_list(1000)
    for index, value in wanted.items():
        builder.set(index, CertificateStatus(value))
    text = make_status_token(
        builder.freeze(),
        uri=URI,
        signer=ISSUER,
        issued_at=NOW,
        expires_at=NOW + timedelta(days=1),
        ttl=timedelta(minutes=10),
    )
    claims = verify_status_list_token(text, public_key_jwk=ISSUER_JWK, expected_uri=URI)
    for index in {0, 999, *wanted}:
        referenced = {"status": {"status_list": {"idx": index, "uri": URI}}}
        result = check_token_status(referenced, resolve_status_list_token=lambda _: claims)
        assert result is not None
        assert result.status == wanted.get(index, 0)


@QUICK
@given(st.sampled_from([1, 2, 4, 8]), st.data())
def test_we_read_the_status_lists_of_openvc(bits: int, data: st.DataObject) -> None:
    """Token Status List section 4.1 for every size of entry."""
    wanted = data.draw(st.dictionaries(st.integers(0, 99), st.integers(0, 2**bits - 1), max_size=20))
    packed = their_status_list(100, bits=bits)
    for index, value in wanted.items():
        set_status(packed, index, value, bits=bits)
    issuer = P256SigningKey.generate("k1")
    text = build_status_list_token(
        signing_key=issuer,
        uri=URI,
        status_list=packed,
        bits=bits,
        issued_at=time.time(),
        expires=NOW + timedelta(days=1),
        ttl=600,
        issuer="https://issuer.example",
    )
    parsed = parse_status_token(text)
    assert parsed.signed.verified_by(PublicKey.from_jwk(issuer.public_jwk()))
    assert (parsed.uri, parsed.ttl, parsed.statuses) == (URI, timedelta(minutes=10), StatusList(bits, bytes(packed)))
    for index in range(100):
        value = wanted.get(index, 0)
        found = status_at_index(parsed.statuses, index)
        assert (None if found is None else found.value) == (value if value < 3 else None)


def test_both_write_the_reference_alike() -> None:
    assert build_token_status_reference(uri=URI, index=7) == {"status": {"status_list": {"idx": 7, "uri": URI}}}
