"""DCQL queries as text: every MUST of OpenID4VP 1.0 section 6, and what is written reads back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verifier.dcql import MalformedQuery, parse_dcql, query_to_json

PID: dict[str, Any] = {
    "id": "pid",
    "format": "dc+sd-jwt",
    "meta": {"vct_values": ["https://credentials.example.com/identity_credential"]},
    "claims": [{"path": ["given_name"]}, {"path": ["family_name"]}, {"path": ["address", "street_address"]}],
}
MDL: dict[str, Any] = {
    "id": "mdl-id",
    "format": "mso_mdoc",
    "meta": {"doctype_value": "org.iso.18013.5.1.mDL"},
    "claims": [
        {"id": "given_name", "path": ["org.iso.18013.5.1", "given_name"], "intent_to_retain": True},
        {"id": "portrait", "path": ["org.iso.18013.5.1", "portrait"]},
    ],
}
ALTERNATIVES: dict[str, Any] = {
    "id": "pid",
    "format": "dc+sd-jwt",
    "meta": {"vct_values": ["https://credentials.example.com/identity_credential"]},
    "claims": [
        {"id": "a", "path": ["last_name"]},
        {"id": "b", "path": ["postal_code"]},
        {"id": "c", "path": ["locality"]},
        {"id": "d", "path": ["region"]},
        {"id": "e", "path": ["date_of_birth"]},
    ],
    "claim_sets": [["a", "c", "d", "e"], ["a", "b", "e"]],
}
FULL: dict[str, Any] = {
    "credentials": [
        {
            **PID,
            "multiple": True,
            "require_cryptographic_holder_binding": False,
            "trusted_authorities": [{"type": "aki", "values": ["s9tIpPmhxdiuNkHMEWNpYim8S8Y"]}],
        },
        MDL,
        {
            **ALTERNATIVES,
            "id": "other",
            "claims": [{**each, "values": ["x", 7, True]} for each in ALTERNATIVES["claims"]],
        },
    ],
    "credential_sets": [{"options": [["pid"], ["mdl-id", "other"]]}, {"required": False, "options": [["other"]]}],
}


def one(**changes: Any) -> dict[str, Any]:
    made = {**PID, **changes}
    return {"credentials": [{name: value for name, value in made.items() if value is not ...}]}


@pytest.mark.parametrize("query", [{"credentials": [PID]}, {"credentials": [MDL, ALTERNATIVES]}, FULL])
def test_what_is_read_is_written_again(query: dict[str, Any]) -> None:
    assert query_to_json(parse_dcql(query)) == query


def test_6_defaults() -> None:
    found = parse_dcql({"credentials": [PID]}).credentials[0]
    assert not found.multiple
    assert found.require_holder_binding
    assert parse_dcql({"credentials": [PID], "credential_sets": [{"options": [["pid"]]}]}).credential_sets[0].required


def test_6_unknown_members_are_ignored() -> None:
    query = {**one(new=1), "new": 2}
    query["credentials"][0]["claims"] = [{"path": ["a"], "new": 3}]
    assert parse_dcql(query).credentials[0].claims[0].path == ("a",)


def test_6_1_an_empty_meta_places_no_constraint() -> None:
    assert parse_dcql(one(meta={})).credentials[0].types == ()
    assert parse_dcql(one(format="mso_mdoc", meta={}, claims=...)).credentials[0].types == ()


def test_6_1_duplicate_claims_queries_are_ignored() -> None:
    twice = [{"path": ["a"], "id": "x"}, {"path": ["b"], "id": "y"}, {"path": ["a"], "id": "z", "values": [1]}]
    (found,) = parse_dcql(one(claims=twice, claim_sets=[["z", "y", "x"], ["y"]])).credentials
    assert [(each.path, each.id, each.values) for each in found.claims] == [(("a",), "x", ()), (("b",), "y", ())]
    assert found.claim_sets == (("x", "y"), ("y",))
    (found,) = parse_dcql(one(claims=[{"path": ["a"]}, {"path": ["a"]}])).credentials
    assert len(found.claims) == 1


def test_a_format_that_is_not_known_here_can_be_read() -> None:
    assert parse_dcql(one(format="ldp_vc", meta={"type_values": [["x"]]})).credentials[0].types == ()


@pytest.mark.parametrize(
    "query",
    [
        None,
        [],
        {},
        {"credentials": []},
        {"credentials": {}},
        {"credentials": ["pid"]},
        {"credentials": [PID] * 65},
        {"credentials": [PID, PID]},
        {"credentials": [PID], "credential_sets": []},
        {"credentials": [PID], "credential_sets": [{}]},
        {"credentials": [PID], "credential_sets": [{"options": []}]},
        {"credentials": [PID], "credential_sets": [{"options": [[]]}]},
        {"credentials": [PID], "credential_sets": [{"options": [["other"]]}]},
        {"credentials": [PID], "credential_sets": [{"options": [["pid"]], "required": 1}]},
        one(id=...),
        one(id=""),
        one(id="a b"),
        one(id="é"),
        one(id="a\n"),
        one(id=7),
        one(format=...),
        one(format=""),
        one(format=7),
        one(meta=...),
        one(meta=[]),
        one(meta={"vct_values": []}),
        one(meta={"vct_values": "x"}),
        one(meta={"vct_values": [7]}),
        one(meta={"other": 1}),
        one(format="mso_mdoc", meta={"doctype_value": ["x"]}, claims=...),
        one(format="mso_mdoc", meta={"vct_values": ["x"]}, claims=...),
        one(multiple="true"),
        one(require_cryptographic_holder_binding=None),
        one(trusted_authorities=[]),
        one(trusted_authorities=[{"type": "aki"}]),
        one(trusted_authorities=[{"type": "aki", "values": []}]),
        one(trusted_authorities=[{"type": "aki", "values": [7]}]),
        one(trusted_authorities=[{"values": ["x"]}]),
        one(claims=[]),
        one(claims={}),
        one(claims=["name"]),
        one(claims=[{}]),
        one(claims=[{"path": []}]),
        one(claims=[{"path": "name"}]),
        one(claims=[{"path": [-1]}]),
        one(claims=[{"path": [True]}]),
        one(claims=[{"path": [1.5]}]),
        one(claims=[{"path": [["a"]]}]),
        one(claims=[{"path": ["a"] * 33}]),
        one(claims=[{"path": ["a"], "id": "a b"}]),
        one(claims=[{"path": ["a"], "id": "x"}, {"path": ["b"], "id": "x"}]),
        one(claims=[{"path": ["a"], "values": []}]),
        one(claims=[{"path": ["a"], "values": [1.5]}]),
        one(claims=[{"path": ["a"], "values": [None]}]),
        one(claims=[{"path": ["a"], "intent_to_retain": "yes"}]),
        one(claims=..., claim_sets=[["a"]]),
        one(claim_sets=[["a"]]),
        one(claims=[{"path": ["a"], "id": "a"}], claim_sets=[]),
        one(claims=[{"path": ["a"], "id": "a"}], claim_sets=[[]]),
        one(claims=[{"path": ["a"], "id": "a"}], claim_sets=[["b"]]),
        one(format="mso_mdoc", meta={}, claims=[{"path": ["name"]}]),
        one(format="mso_mdoc", meta={}, claims=[{"path": ["a", 1]}]),
        one(format="mso_mdoc", meta={}, claims=[{"path": ["a", "b", "c"]}]),
    ],
    ids=lambda query: str(query)[:90],
)
def test_refused(query: Any) -> None:
    with pytest.raises(MalformedQuery):
        parse_dcql(query)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["pid", "dc+sd-jwt", "mso_mdoc"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["credentials", "id", "format", "meta", "claims", "path", "values", "options", "claim_sets"]
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=20,
)


@settings(deadline=None, max_examples=150)
@given(value=ANYTHING)
def test_anything_is_a_query_or_refused(value: Any) -> None:
    try:
        found = parse_dcql(value)
    except MalformedQuery:
        return
    assert parse_dcql(query_to_json(found)) == found
