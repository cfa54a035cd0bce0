"""Proofs of the `jwt` type: OpenID4VCI 1.0 section 8.2, annexes F.1 and F.4. Each attack, and what is allowed."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from issuer.openid4vci.errors import ProtocolRefusal
from issuer.openid4vci.proofs import PAST, PROOF_ALGORITHMS, Expected, read_proofs
from keys.algorithms import ALGORITHMS
from keys.envelopes.base64url import b64url_encode
from keys.envelopes.sd_jwt import parse_sd_jwt
from keys.model import Algorithm
from tests.issuer.office import DAY_0
from tests.issuer.openid4vci.credential_world import ISSUER, MDOC, OTHER_ISSUER, SD_JWT, Issuing, error_of, new_key


@pytest.fixture(scope="module")
def bearer(shared_issuing: Issuing) -> str:
    found: str = shared_issuing.token()["access_token"]
    return found


def refused(issuing: Issuing, bearer: str, *proofs: Any, kind: str = "jwt") -> bool:
    """Whether these proofs are answered with invalid_proof."""
    return error_of(issuing.ask(bearer, issuing.request(proofs={kind: list(proofs)}))) == "invalid_proof"


def accepted(issuing: Issuing, bearer: str, *proofs: str) -> Any:
    answer = issuing.ask(bearer, issuing.request(proofs={"jwt": list(proofs)}))
    assert answer.status_code == 200, answer.text
    return answer.json()["credentials"]


def unsigned(header: dict[str, Any], body: dict[str, Any], signature: bytes = b"") -> str:
    parts = [b64url_encode(json.dumps(part).encode()) for part in (header, body)]
    return b".".join([*parts, b64url_encode(signature)]).decode()


@pytest.mark.parametrize("configuration", [SD_JWT, MDOC])
def test_missing_proofs_are_an_invalid_proof(issuing: Issuing, bearer: str, configuration: str) -> None:
    """Section 8.2: MUST be present where the metadata has proof_types_supported."""
    assert error_of(issuing.ask(bearer, issuing.request(configuration, proofs=None))) == "invalid_proof"


@pytest.mark.parametrize(
    "proofs",
    [
        *({}, [], "jwt", 7, {"jwt": []}, {"jwt": "a.b.c"}, {"jwt": [7]}, {"jwt": [None]}, {"jwt": {"jwt": "x"}}),
        *({"di_vp": [{}]}, {"ldp_vp": [{}]}, {"": ["x"]}, {"attestation": []}, {"attestation": ["x", "y"]}),
    ],
)
def test_proofs_are_one_type_with_a_non_empty_array(issuing: Issuing, bearer: str, proofs: Any) -> None:
    assert error_of(issuing.ask(bearer, issuing.request(proofs=proofs))) == "invalid_proof"


def test_two_proof_types_at_once_are_refused(issuing: Issuing, bearer: str) -> None:
    proof = issuing.proof()
    request = issuing.request(proofs={"jwt": [proof], "attestation": [proof]})
    assert error_of(issuing.ask(bearer, request)) == "invalid_proof"


def test_the_parameter_proof_of_the_drafts_is_no_proof(issuing: Issuing, bearer: str) -> None:
    request = issuing.request(proofs=None, proof={"proof_type": "jwt", "jwt": issuing.proof()})
    assert error_of(issuing.ask(bearer, request)) == "invalid_proof"


@pytest.mark.parametrize("typ", [None, "JWT", "jwt", "openid4vci-proof", "OPENID4VCI-PROOF+JWT", "dpop+jwt", 7])
def test_a_proof_must_be_typed(issuing: Issuing, bearer: str, typ: Any) -> None:
    assert refused(issuing, bearer, issuing.proof(header={"typ": typ}))


@pytest.mark.parametrize("alg", ["none", "None", "NONE", ""])
def test_alg_none_is_refused(issuing: Issuing, bearer: str, alg: str) -> None:
    key = new_key()
    header = {"alg": alg, "typ": "openid4vci-proof+jwt", "jwk": key.public_key.jwk()}
    body = {"aud": ISSUER, "iat": int(DAY_0.timestamp()), "nonce": issuing.nonce()}
    assert refused(issuing, bearer, unsigned(header, body))
    assert refused(issuing, bearer, unsigned(header, body, key.sign(b"x")))


def test_a_symmetric_signature_is_refused(issuing: Issuing, bearer: str) -> None:
    secret = b"0" * 32
    jwk = {"kty": "oct", "k": b64url_encode(secret).decode()}
    header = {"alg": "HS256", "typ": "openid4vci-proof+jwt", "jwk": jwk}
    body = {"aud": ISSUER, "iat": int(DAY_0.timestamp()), "nonce": issuing.nonce()}
    signing_input = unsigned(header, body).rpartition(".")[0].encode()
    mac = hmac.digest(secret, signing_input, hashlib.sha256)
    assert refused(issuing, bearer, unsigned(header, body, mac))


def test_an_unsupported_algorithm_is_refused(issuing: Issuing, bearer: str) -> None:
    for alg in ("RS256", "PS256", "ES256K", "ES512", "XYZ"):
        header = {"alg": alg, "typ": "openid4vci-proof+jwt", "jwk": new_key().public_key.jwk()}
        body = {"aud": ISSUER, "iat": int(DAY_0.timestamp()), "nonce": issuing.nonce()}
        assert refused(issuing, bearer, unsigned(header, body, bytes(64)))


@pytest.mark.parametrize("algorithm", ALGORITHMS, ids=PROOF_ALGORITHMS)
def test_every_announced_algorithm_is_accepted_and_bound_to(
    issuing: Issuing, bearer: str, algorithm: Algorithm
) -> None:
    key = new_key(algorithm)
    (made,) = accepted(issuing, bearer, issuing.proof(key))
    assert json.loads(parse_sd_jwt(made["credential"]).jws.payload)["cnf"]["jwk"] == key.public_key.jwk()
    mdocs = issuing.ask(bearer, issuing.request(MDOC, proofs={"jwt": [issuing.proof(key)]}))
    assert mdocs.status_code == 200


def test_a_proof_signed_by_another_key_is_refused(issuing: Issuing, bearer: str) -> None:
    assert refused(issuing, bearer, issuing.proof(header={"jwk": new_key().public_key.jwk()}))


def test_an_altered_proof_is_refused(issuing: Issuing, bearer: str) -> None:
    head, body, signature = issuing.proof(aud=OTHER_ISSUER).split(".")
    other = issuing.proof().split(".")
    assert refused(issuing, bearer, f"{head}.{other[1]}.{signature}")
    assert refused(issuing, bearer, f"{other[0]}.{body}.{other[2]}")


def test_a_private_key_in_the_header_is_refused(issuing: Issuing, bearer: str) -> None:
    key = new_key()
    for member in ("d", "p", "q", "k"):
        jwk = {**key.public_key.jwk(), member: b64url_encode(bytes(range(32))).decode()}
        assert refused(issuing, bearer, issuing.proof(key, header={"jwk": jwk}))


@pytest.mark.parametrize("jwk", [{}, [], "key", {"kty": "EC"}, {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}])
def test_a_jwk_that_is_no_key_is_refused(issuing: Issuing, bearer: str, jwk: Any) -> None:
    assert refused(issuing, bearer, issuing.proof(header={"jwk": jwk}))


def test_a_point_off_the_curve_is_refused(issuing: Issuing, bearer: str) -> None:
    jwk = {
        "kty": "EC",
        "crv": "P-256",
        "x": b64url_encode(b"\1" * 32).decode(),
        "y": b64url_encode(b"\2" * 32).decode(),
    }
    assert refused(issuing, bearer, issuing.proof(header={"jwk": jwk}))


def test_exactly_one_of_jwk_x5c_and_kid_names_the_key(issuing: Issuing, bearer: str) -> None:
    provider = issuing.provider
    x5c = [b64encode(provider.certificate.der).decode()]
    assert refused(issuing, bearer, issuing.proof(header={"jwk": None}))
    assert refused(issuing, bearer, issuing.proof(header={"kid": "1"}))
    assert refused(issuing, bearer, issuing.proof(provider.signer, header={"x5c": x5c}))
    assert refused(issuing, bearer, issuing.proof(provider.signer, header={"jwk": None, "x5c": x5c, "kid": "1"}))


def test_a_certificate_may_carry_the_key(issuing: Issuing, bearer: str) -> None:
    provider = issuing.provider
    header = {"jwk": None, "x5c": [b64encode(provider.certificate.der).decode()]}
    (made,) = accepted(issuing, bearer, issuing.proof(provider.signer, header=header))
    bound = json.loads(parse_sd_jwt(made["credential"]).jws.payload)["cnf"]["jwk"]
    assert bound == provider.signer.public_key.jwk()
    assert refused(issuing, bearer, issuing.proof(new_key(), header=header))


@pytest.mark.parametrize("x5c", [[], "MII", ["not base64!"], ["AAAA"], [7], ["AAAA"] * 20])
def test_an_x5c_that_is_no_chain_is_refused(issuing: Issuing, bearer: str, x5c: Any) -> None:
    assert refused(issuing, bearer, issuing.proof(header={"jwk": None, "x5c": x5c}))


@pytest.mark.parametrize("kid", ["did:example:123#key-1", "0", "", 7])
def test_a_kid_names_no_key_that_the_issuer_could_see(issuing: Issuing, bearer: str, kid: Any) -> None:
    answer = issuing.ask(bearer, issuing.request(proofs={"jwt": [issuing.proof(header={"jwk": None, "kid": kid})]}))
    assert error_of(answer) == "invalid_proof"
    assert "jwk" in answer.json()["error_description"]


@pytest.mark.parametrize(
    "aud", [None, "", OTHER_ISSUER, f"{ISSUER}/", ISSUER.upper(), [], [ISSUER, OTHER_ISSUER], [[ISSUER]], {"a": ISSUER}]
)
def test_a_wrong_audience_is_refused(issuing: Issuing, bearer: str, aud: Any) -> None:
    assert refused(issuing, bearer, issuing.proof(aud=aud))


def test_the_audience_may_be_a_list_of_one(issuing: Issuing, bearer: str) -> None:
    """RFC 7519 section 4.1.3: one audience may be written either way."""
    accepted(issuing, bearer, issuing.proof(aud=[ISSUER]))


@pytest.mark.parametrize("iat", [None, "now", True, [], 0, -1, 1e308])
def test_iat_must_be_the_time_of_the_proof(issuing: Issuing, bearer: str, iat: Any) -> None:
    assert refused(issuing, bearer, issuing.proof(iat=iat))


def test_a_proof_from_the_past_or_the_future_is_refused(issuing: Issuing, bearer: str) -> None:
    now = int(DAY_0.timestamp())
    assert refused(issuing, bearer, issuing.proof(iat=now - PAST - 1))
    assert refused(issuing, bearer, issuing.proof(iat=now + 3600))


def test_a_clock_that_is_a_little_off_is_forgiven(issuing: Issuing, bearer: str) -> None:
    """Section 13.5: a near future is acceptable. A NumericDate may have a fraction (RFC 7519 section 2)."""
    now = DAY_0.timestamp()
    accepted(issuing, bearer, issuing.proof(iat=now + 30))
    accepted(issuing, bearer, issuing.proof(iat=now - 60.5))


def test_a_proof_outside_its_own_time_is_refused(issuing: Issuing, bearer: str) -> None:
    now = int(DAY_0.timestamp())
    for claims in ({"exp": now - 1}, {"exp": "soon"}, {"nbf": now + 3600}, {"nbf": True}):
        assert refused(issuing, bearer, issuing.proof(**claims))
    accepted(issuing, bearer, issuing.proof(exp=now + 60, nbf=now - 60))


def test_iss_must_be_omitted_after_anonymous_access(issuing: Issuing, bearer: str) -> None:
    assert refused(issuing, bearer, issuing.proof(iss="https://wallet.example"))


def test_iss_must_be_the_client_id(issuing: Issuing) -> None:
    proof = issuing.proof(iss="https://wallet.example", nonce="n")
    assert len(read_proofs({"jwt": [proof]}, Expected(ISSUER, "https://wallet.example", DAY_0, 20)).keys) == 1
    with pytest.raises(ProtocolRefusal) as found:
        read_proofs({"jwt": [proof]}, Expected(ISSUER, "https://other.example", DAY_0, 20))
    assert found.value.error == "invalid_proof"
    silent = issuing.proof(nonce="n")
    assert len(read_proofs({"jwt": [silent]}, Expected(ISSUER, "https://wallet.example", DAY_0, 20)).keys) == 1


def test_two_proofs_of_one_key_are_refused(issuing: Issuing, bearer: str) -> None:
    """Section 8.3: each key is used to bind to, at most, one credential."""
    key = new_key()
    assert refused(issuing, bearer, issuing.proof(key), issuing.proof(key))


def test_one_bad_proof_spoils_the_batch(issuing: Issuing, bearer: str) -> None:
    assert refused(issuing, bearer, issuing.proof(), issuing.proof(aud=OTHER_ISSUER))


@pytest.mark.parametrize(
    "header", [{"crit": ["b64"], "b64": False}, {"crit": ["x"], "x": 1}, {"crit": []}, {"b64": False}]
)
def test_critical_extensions_that_are_not_understood_are_refused(
    issuing: Issuing, bearer: str, header: dict[str, Any]
) -> None:
    assert refused(issuing, bearer, issuing.proof(header=header))


@pytest.mark.parametrize("body", [b"[]", b"{", b'{"aud":"a","aud":"b"}', b"\xff", b""])
def test_a_body_that_is_no_object_is_refused(issuing: Issuing, bearer: str, body: bytes) -> None:
    key = new_key()
    header = {"alg": "ES256", "typ": "openid4vci-proof+jwt", "jwk": key.public_key.jwk()}
    signing_input = b64url_encode(json.dumps(header).encode()) + b"." + b64url_encode(body)
    token = signing_input + b"." + b64url_encode(key.sign(signing_input))
    assert refused(issuing, bearer, token.decode())


def test_the_proof_of_the_specification_is_read_and_verified() -> None:
    """Annex F.1, the first example: its bytes, its key, its nonce, at its time."""
    from datetime import UTC, datetime

    example = (
        "eyJ0eXAiOiJvcGVuaWQ0dmNpLXByb29mK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwiY3J2IjoiUC0yNTYiLCJ4"
        "IjoiblVXQW9BdjNYWml0aDhFN2kxOU9kYXhPTFlGT3dNLVoyRXVNMDJUaXJUNCIsInkiOiJIc2tIVThCalVpMVU5WHFpN1N3bWo4Z3dB"
        "S18weGtjRGpFV183MVNvc0VZIn19.eyJhdWQiOiJodHRwczovL2NyZWRlbnRpYWwtaXNzdWVyLmV4YW1wbGUuY29tIiwiaWF0IjoxNzAx"
        "OTYwNDQ0LCJub25jZSI6IkxhclJHU2JtVVBZdFJZTzZCUTR5bjgifQ.-a3EDsxClUB4O3LeDD5DVGEnNMT01FCQW4P6-2-BNBqc_Zxf0Q"
        "w4CWayLEpqkAomlkLb9zioZoipdP-jvh1WlA"
    )
    at = datetime.fromtimestamp(1701960444, UTC)
    proven = read_proofs({"jwt": [example]}, Expected("https://credential-issuer.example.com", None, at, 20))
    (key,) = proven.keys
    assert key.jwk() == {
        "kty": "EC",
        "crv": "P-256",
        "x": "nUWAoAv3XZith8E7i19OdaxOLYFOwM-Z2EuM02TirT4",
        "y": "HskHU8BjUi1U9Xqi7Swmj8gwAK_0xkcDjEW_71SosEY",
    }
    assert proven.nonces == ("LarRGSbmUPYtRYO6BQ4yn8",)


_HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "alg": st.sampled_from(["ES256", "none", "HS256", 7]),
        "typ": st.sampled_from(["openid4vci-proof+jwt", "JWT", 7]),
        "jwk": st.dictionaries(st.sampled_from(["kty", "crv", "x", "y", "d"]), st.text(max_size=6) | st.integers()),
        "x5c": st.lists(st.text(max_size=8) | st.integers(), max_size=3),
        "kid": st.text(max_size=4) | st.integers(),
        "key_attestation": st.text(max_size=10) | st.integers(),
        "crit": st.lists(st.text(max_size=3), max_size=2),
    },
)


@settings(deadline=None)
@given(
    proofs=st.one_of(
        st.recursive(
            st.none() | st.text(max_size=6) | st.integers(), lambda i: st.lists(i) | st.dictionaries(st.text(), i)
        ),
        st.builds(
            lambda header, body: {"jwt": [unsigned(header, body, bytes(64))]},
            _HEADERS,
            st.dictionaries(
                st.sampled_from(["aud", "iat", "nonce", "iss", "exp"]), st.text() | st.floats() | st.none()
            ),
        ),
    )
)
def test_any_proofs_are_keys_or_an_invalid_proof(proofs: Any) -> None:
    with pytest.raises(ProtocolRefusal) as found:
        read_proofs(proofs, Expected(ISSUER, None, DAY_0, 20))
    assert found.value.error == "invalid_proof"
