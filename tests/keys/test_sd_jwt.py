"""SD-JWT (RFC 9901): what is issued and chosen is what is read; every rejection that section 7.1 asks for."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.algorithms import ES256
from keys.envelopes.base64url import b64url_decode
from keys.envelopes.jws import parse_jws, sign_jws
from keys.envelopes.sd_jwt import issue_sd_jwt, parse_sd_jwt, select_disclosures
from keys.errors import MalformedEnvelope
from keys.signer import EphemeralSigner
from tests.keys.sd_jwt_forge import ISSUER, conceal, digest, disclose, sign

HOLDER = EphemeralSigner.generate(ES256)
CLAIMS: dict[str, Any] = {
    "iss": "urn:yinxin:issuer:990100/civil-affairs",
    "vct": "urn:yinxin:type:common/marriage-certificate",
    "name": "张三",
    "spouse": '李"四"\n',
    "registered_on": "2026-01-01",
    "address": {"city": "东岭", "lines": ["一", "二"]},
    "children": 2,
    "remark": None,
}
CONCEALED = {"name", "spouse", "registered_on", "address", "children", "remark"}


def _issue(**changes: Any) -> str:
    return issue_sd_jwt(CLAIMS, CONCEALED, signer=ISSUER, header={"typ": "dc+sd-jwt"}, **changes)


def _payload(text: str) -> dict[str, Any]:
    return dict(json.loads(parse_jws(text.split("~", maxsplit=1)[0]).payload))


@pytest.mark.parametrize("algorithm", ["sha-256", "sha-384", "sha-512"])
def test_what_is_issued_is_what_is_read(algorithm: str) -> None:
    text = _issue(holder_key=HOLDER.public_key.jwk(), decoys=3, digest_algorithm=algorithm)
    sd_jwt = parse_sd_jwt(text)
    assert sd_jwt.jws.verified_by(ISSUER.public_key)
    assert sd_jwt.jws.header["typ"] == "dc+sd-jwt"
    assert sd_jwt.claims == {**CLAIMS, "cnf": {"jwk": HOLDER.public_key.jwk()}}
    assert sd_jwt.holder_key == HOLDER.public_key.jwk()
    assert sd_jwt.digest_algorithm == _payload(text)["_sd_alg"] == algorithm
    assert {d.name for d in sd_jwt.disclosures} == CONCEALED
    assert sd_jwt.key_binding is None


def test_concealed_claims_are_not_in_the_signed_payload() -> None:
    payload = _payload(_issue())
    assert payload.keys() == {"iss", "vct", "_sd", "_sd_alg"}
    assert "张三" not in json.dumps(payload, ensure_ascii=False)


def test_4_2_1_salts_are_128_bits_and_never_repeat() -> None:
    disclosures = [d for _ in range(5) for d in parse_sd_jwt(_issue()).disclosures]
    assert len({d.salt for d in disclosures}) == len(disclosures)
    assert all(len(b64url_decode(d.salt.encode())) >= 16 for d in disclosures)


def test_4_2_3_digests_are_over_the_encoded_disclosure() -> None:
    text = _issue()
    parts = text.split("~")[1:-1]
    assert sorted(map(digest, parts)) == _payload(text)["_sd"]


def test_4_2_3_the_specification_s_own_digest() -> None:
    disclosure = "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0"
    claims = parse_sd_jwt(sign({"_sd": ["X9yH0Ajrdm1Oij4tWso9UzzKJvPoDxwmuEcO3XAdRC0"]}, [disclosure])).claims
    assert claims == {"family_name": "Möbius"}


@pytest.mark.parametrize(
    "disclosure",
    [
        "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNXHUwMGY2Yml1cyJd",
        "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsImZhbWlseV9uYW1lIiwiTcO2Yml1cyJd",
        "WwoiXzI2YmM0TFQtYWM2cTJLSTZjQlc1ZXMiLAoiZmFtaWx5X25hbWUiLAoiTcO2Yml1cyIKXQ",
    ],
    ids=["escaped", "no white space", "new lines"],
)
def test_4_2_1_all_spellings_of_one_disclosure_are_read(disclosure: str) -> None:
    assert parse_sd_jwt(sign({"_sd": [digest(disclosure)]}, [disclosure])).claims == {"family_name": "Möbius"}


def test_4_2_4_1_the_order_of_digests_does_not_tell_the_order_of_claims() -> None:
    digests = _payload(_issue(decoys=4))["_sd"]
    assert digests == sorted(digests)
    assert len(digests) == len(CONCEALED) + 4


def test_decoys_stand_for_nothing() -> None:
    text = issue_sd_jwt({"iss": "x"}, frozenset(), signer=ISSUER, header={}, decoys=2)
    assert len(_payload(text)["_sd"]) == 2
    assert parse_sd_jwt(text).claims == {"iss": "x"}
    assert "_sd" not in _payload(issue_sd_jwt({"iss": "x"}, {"absent"}, signer=ISSUER, header={}))


@pytest.mark.parametrize(
    "claims",
    [
        {"_sd": []},
        {"...": 1},
        {"_sd_alg": "sha-256"},
        {"a": {"_sd": []}},
        {"a": [{"...": "x"}]},
        {"a": [[{"b": {"_sd_alg": "x"}}]]},
        {"cnf": {}},
    ],
    ids=str,
)
@pytest.mark.parametrize("concealed", [set(), {"a"}], ids=["plain", "concealed"])
def test_4_1_reserved_names_are_not_issued(claims: dict[str, Any], concealed: set[str]) -> None:
    with pytest.raises(ValueError, match=r"reserved|holder"):
        issue_sd_jwt(claims, concealed, signer=ISSUER, header={}, holder_key=HOLDER.public_key.jwk())


def test_values_that_only_look_reserved_are_issued() -> None:
    claims = {"a": "_sd", "b": ["..."], "c": {"note": "_sd_alg ..."}}
    for concealed in (set(), {"a", "b", "c"}):
        assert parse_sd_jwt(issue_sd_jwt(claims, concealed, signer=ISSUER, header={})).claims == claims


def test_a_holder_shows_only_what_was_chosen() -> None:
    shown = select_disclosures(_issue(), {"name", "children", "unknown"})
    sd_jwt = parse_sd_jwt(shown)
    assert sd_jwt.claims == {key: CLAIMS[key] for key in ("iss", "vct", "name", "children")}
    assert sd_jwt.jws.verified_by(ISSUER.public_key)
    assert shown.endswith("~")
    assert parse_sd_jwt(select_disclosures(shown, frozenset())).disclosures == ()


NESTED: dict[str, Any] = {
    "iss": "x",
    "address": {"city": "东岭", "street": {"name": "长街", "number": 7}},
    "nationalities": ["CN", "DE", ["a", "b"]],
}
PATHS = ("address", "address.street", "address.street.name", "nationalities.1", "nationalities.2.0")


def test_6_3_recursive_disclosures_and_array_elements_are_followed() -> None:
    payload, disclosures = conceal(NESTED, PATHS)
    sd_jwt = parse_sd_jwt(sign(payload, disclosures.values()))
    assert sd_jwt.claims == NESTED
    assert set(sd_jwt.roots) == {"address", "nationalities"}
    assert parse_sd_jwt(sign(payload)).claims == {"iss": "x", "nationalities": ["CN", ["b"]]}


def test_disclosures_stay_as_they_were_disclosed() -> None:
    payload, disclosures = conceal(NESTED, PATHS)
    sd_jwt = parse_sd_jwt(sign(payload, disclosures.values()))
    (street,) = (d for d in sd_jwt.disclosures if d.name == "street")
    assert street.value["_sd"] == [digest(disclosures["address.street.name"])]
    (element,) = (d for d in sd_jwt.disclosures if d.value == "DE")
    assert element.name is None


def test_4_2_6_choosing_a_claim_keeps_what_connects_to_it() -> None:
    payload, disclosures = conceal(NESTED, PATHS)
    text = sign(payload, disclosures.values())
    assert parse_sd_jwt(select_disclosures(text, {"address"})).claims["address"] == NESTED["address"]
    only_list = parse_sd_jwt(select_disclosures(text, {"nationalities"})).claims
    assert only_list == {"iss": "x", "nationalities": NESTED["nationalities"]}


def test_4_2_6_a_disclosure_whose_parent_is_withheld_is_refused() -> None:
    payload, disclosures = conceal(NESTED, PATHS)
    del disclosures["address.street"]
    with pytest.raises(MalformedEnvelope, match="not referenced"):
        parse_sd_jwt(sign(payload, disclosures.values()))


A = disclose("salt", "a", 1)
ELEMENT = disclose("salt", "element")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(sign({"_sd": [digest(A)]}, [A, A]), id="4: a disclosure twice"),
        pytest.param(sign({"_sd": [digest(A), digest(A)]}, [A]), id="7.1 4: a digest twice in _sd"),
        pytest.param(sign({"_sd": [digest(A)], "b": {"_sd": [digest(A)]}}, [A]), id="7.1 4: a digest twice, apart"),
        pytest.param(sign({"_sd": ["decoy", "decoy"]}), id="7.1 4: a decoy twice"),
        pytest.param(sign({"x": [{"...": "d"}, {"...": "d"}]}), id="7.1 4: a digest twice in an array"),
        pytest.param(sign({}, [A]), id="7.1 5: a disclosure that nothing references"),
        pytest.param(sign({"_sd": ["decoy"]}, [A]), id="7.1 5: a disclosure with another digest"),
        pytest.param(sign({"_sd": [digest(ELEMENT)]}, [ELEMENT]), id="7.1 3.3.2.1: two elements in _sd"),
        pytest.param(sign({"x": [{"...": digest(A)}]}, [A]), id="7.1 3.3.3.1: three elements in an array"),
        *(
            pytest.param(sign({"_sd": [digest(d)]}, [d]), id=f"7.1 3.3.2.2: a claim named {name}")
            for name in ("_sd", "...", "_sd_alg")
            for d in [disclose("salt", name, 1)]
        ),
        pytest.param(sign({"a": 0, "_sd": [digest(A)]}, [A]), id="7.1 3.3.2.3: the claim exists already"),
        pytest.param(
            sign({"_sd": [digest(A), digest(disclose("other", "a", 2))]}, [A, disclose("other", "a", 2)]),
            id="7.1 3.3.2.3: two disclosures of one claim",
        ),
        *(
            pytest.param(sign({"_sd": [digest(d)]}, [d]), id=f"disclosure: {name}")
            for name, d in {
                "four elements": disclose("salt", "a", 1, 2),
                "one element": disclose("salt"),
                "no element": disclose(),
                "salt is a number": disclose(1, "a", 1),
                "name is a number": disclose("salt", 1, 1),
                "an object": disclose(text=b'{"a":1}'),
                "text": disclose(text=b'"salt"'),
                "not json": disclose(text=b"[salt"),
                "not utf-8": disclose(text=b'["salt","a","\xff"]'),
                "control character": disclose(text=b'["salt","a","\n"]'),
                "duplicate members": disclose(text=b'["salt","a",{"b":1,"b":2}]'),
                "deep": disclose(text=b'["salt","a",' + b"[" * 40 + b"]" * 40 + b"]"),
                "padded": A + "=",
                "not base64url": "!" + A,
                "not ascii": "é" + A,
                "empty": "",
            }.items()
        ),
        pytest.param(sign({"_sd_alg": "md5"}), id="7.1 2.5: weak digest algorithm"),
        pytest.param(sign({"_sd_alg": "SHA-256"}), id="7.1 2.5: digest algorithm in capitals"),
        pytest.param(sign({"_sd_alg": None}), id="7.1 2.5: digest algorithm null"),
        pytest.param(sign({"_sd_alg": ["sha-256"]}), id="7.1 2.5: digest algorithm as an array"),
        pytest.param(sign({"a": {"_sd_alg": "sha-256"}}), id="4.1.1: _sd_alg inside"),
        pytest.param(sign({"_sd": "digest"}), id="4.1 7: _sd is text"),
        pytest.param(sign({"a": {"_sd": {}}}), id="4.1 7: _sd is an object"),
        pytest.param(sign({"_sd": [5]}), id="4.2.4.1: a digest is a number"),
        pytest.param(sign({"...": "d"}), id="4.1 7: ... as a claim"),
        pytest.param(sign({"x": [{"...": "d", "y": 1}]}), id="4.2.4.2: other members beside ..."),
        pytest.param(sign({"x": [{"...": 5}]}), id="4.2.4.2: the digest is a number"),
        pytest.param(sign([]), id="the payload is an array"),
        pytest.param(sign(None, raw=b'{"a":1,"a":2}'), id="duplicate members in the payload"),
        pytest.param(sign(None, raw=b'{"a":1,"\\u005fsd":["x","x"]}'), id="an escaped _sd is one too"),
        pytest.param(sign(None, raw=b'{"a":{"\\u005fsd":["x","x"]}}'), id="an escaped _sd inside is one too"),
        pytest.param(sign({}).rstrip("~"), id="4: the last tilde is missing"),
        pytest.param("~" + sign({}), id="4: no issuer-signed JWT"),
        pytest.param("~", id="nothing but a tilde"),
        pytest.param("", id="nothing"),
        pytest.param(sign({}, [], "not.a.jwt"), id="4: the last part is no KB-JWT"),
        pytest.param(sign({}, ["x"] * 1025), id="too many disclosures"),
        pytest.param(sign({"a": "x" * (1 << 19)}), id="too long"),
    ],
)
def test_7_1_sd_jwts_that_must_be_rejected(text: str) -> None:
    with pytest.raises(MalformedEnvelope):
        parse_sd_jwt(text)


def test_7_1_2_1_alg_none_is_rejected() -> None:
    header, payload, _ = sign_jws({}, b"{}", ISSUER).split(".")
    with pytest.raises(MalformedEnvelope):
        parse_sd_jwt(f"eyJhbGciOiJub25lIn0.{payload}.~")
    assert header


def test_a_chain_of_disclosures_deeper_than_the_bound_is_refused() -> None:
    def chain(length: int) -> str:
        disclosures = [disclose("salt 0", "a", 1)]
        for number in range(1, length):
            disclosures.append(disclose(f"salt {number}", "a", {"_sd": [digest(disclosures[-1])]}))
        return sign({"_sd": [digest(disclosures[-1])]}, disclosures)

    assert parse_sd_jwt(chain(32)).claims
    with pytest.raises(MalformedEnvelope, match="deep"):
        parse_sd_jwt(chain(33))


def test_a_chain_of_arrays_deeper_than_the_bound_is_refused() -> None:
    disclosures = [disclose("salt 0", 1)]
    for number in range(1, 40):
        disclosures.append(disclose(f"salt {number}", [{"...": digest(disclosures[-1])}]))
    with pytest.raises(MalformedEnvelope, match="deep"):
        parse_sd_jwt(sign({"x": [{"...": digest(disclosures[-1])}]}, disclosures))


def test_a_holder_key_that_is_no_jwk_is_no_holder_key() -> None:
    for confirmation in ("text", {"kid": "1"}, {"jwk": "text"}, None):
        assert parse_sd_jwt(sign({"cnf": confirmation})).holder_key is None


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


def _paths(value: Any, prefix: str = "") -> list[str]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path for key, item in items for path in (f"{prefix}{key}", *_paths(item, f"{prefix}{key}."))]


@given(st.dictionaries(st.sampled_from("abcd"), VALUES, max_size=4), st.data())
def test_whatever_is_concealed_and_disclosed_reads_back(claims: dict[str, Any], data: st.DataObject) -> None:
    everywhere = _paths(claims)
    paths = data.draw(st.lists(st.sampled_from(everywhere), unique=True)) if everywhere else []
    payload, disclosures = conceal(claims, paths)
    shuffled = data.draw(st.permutations(list(disclosures.values())))
    assert parse_sd_jwt(sign(payload, shuffled)).claims == claims


@given(st.dictionaries(st.text(max_size=5).filter(lambda n: n not in ("_sd", "...", "_sd_alg")), VALUES, max_size=5))
def test_whatever_is_issued_reads_back(claims: dict[str, Any]) -> None:
    for concealed in (frozenset(), claims.keys()):
        assert parse_sd_jwt(issue_sd_jwt(claims, concealed, signer=ISSUER, header={})).claims == claims


TEXT = _issue(holder_key=HOLDER.public_key.jwk())


@given(st.data())
def test_any_text_is_an_sd_jwt_or_malformed_and_never_verifies(data: st.DataObject) -> None:
    position = data.draw(st.integers(0, len(TEXT) - 1))
    other = data.draw(st.sampled_from("A~.-_=é{").filter(lambda c: c != TEXT[position]))
    altered = TEXT[:position] + other + TEXT[position + 1 :]
    for candidate in (
        altered,
        TEXT[:position],
        data.draw(st.text(max_size=60)),
        data.draw(st.text("~.eyJ", max_size=30)),
    ):
        try:
            sd_jwt = parse_sd_jwt(candidate)
        except MalformedEnvelope:
            continue
        assert not sd_jwt.jws.verified_by(ISSUER.public_key) or candidate.split("~")[0] == TEXT.split("~")[0]
