"""What answers a query: claims path pointers (section 7), claims and credentials (section 6.4), by the examples."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.verifier.dcql.test_parsing import ALTERNATIVES, MDL, PID
from verifier.dcql import (
    ClaimsQuery,
    CredentialQuery,
    DcqlQuery,
    Held,
    candidate_for,
    match,
    missing_sets,
    parse_dcql,
    satisfied,
    select,
    select_element,
)

ARTHUR: dict[str, Any] = {
    "name": "Arthur Dent",
    "address": {"street_address": "42 Market Street", "locality": "Milliways", "postal_code": "12345"},
    "degrees": [
        {"type": "Bachelor of Science", "university": "University of Betelgeuse"},
        {"type": "Master of Science", "university": "University of Betelgeuse"},
    ],
    "nationalities": ["British", "Betelgeusian"],
}
VCT = PID["meta"]["vct_values"][0]
CLAIMS = {"given_name": "Erika", "family_name": "M", "address": {"street_address": "Heidestrasse 17"}}
HELD = Held("pid-1", "dc+sd-jwt", VCT, CLAIMS)
LICENCE = Held(
    "mdl-1", "mso_mdoc", "org.iso.18013.5.1.mDL", {"org.iso.18013.5.1": {"given_name": "E", "portrait": b"x"}}
)


def query(*credentials: dict[str, Any], **more: Any) -> DcqlQuery:
    return parse_dcql({"credentials": list(credentials), **more})


def asking(**changes: Any) -> CredentialQuery:
    return query({**PID, **changes}).credentials[0]


class TestClaimsPathPointers:
    @pytest.mark.parametrize(
        ("path", "selected"),
        [
            (("name",), ("Arthur Dent",)),
            (("address",), (ARTHUR["address"],)),
            (("address", "street_address"), ("42 Market Street",)),
            (("degrees", None, "type"), ("Bachelor of Science", "Master of Science")),
            (("nationalities", 1), ("Betelgeusian",)),
            (("nationalities", None), ("British", "Betelgeusian")),
        ],
    )
    def test_7_3_the_examples(self, path: Any, selected: Any) -> None:
        assert select(ARTHUR, path) == selected

    @pytest.mark.parametrize(
        "path",
        [("x",), ("name", "x"), ("name", 0), ("name", None), ("address", None), ("address", 0), ("nationalities", 2)],
    )
    def test_7_1_1_nothing_selected_is_an_error(self, path: Any) -> None:
        assert select(ARTHUR, path) == ()

    def test_7_1_1_elements_without_the_key_are_removed(self) -> None:
        assert select({"a": [{"b": 1}, {}]}, ("a", None, "b")) == (1,)
        assert select({"a": [[1], []]}, ("a", None, 0)) == (1,)

    def test_7_1_1_one_that_is_no_object_aborts(self) -> None:
        assert select({"a": [{"b": 1}, 2]}, ("a", None, "b")) == ()

    def test_7_2_1_mdoc(self) -> None:
        elements = {"ns": {"name": "E", "nothing": None}}
        assert select_element(elements, ("ns", "name")) == ("E",)
        assert select_element(elements, ("ns", "nothing")) == (None,)
        for path in (("ns", "x"), ("x", "name"), ("ns",), ("ns", 0), (0, "name"), ("ns", "name", "x")):
            assert select_element(elements, path) == ()


class TestClaims:
    def test_6_4_1_all_claims_without_sets(self) -> None:
        found = candidate_for(asking(), HELD)
        assert found is not None
        assert [each.path for each in found.claims] == [
            ("given_name",),
            ("family_name",),
            ("address", "street_address"),
        ]

    def test_6_4_1_a_missing_claim_and_the_credential_is_not_returned(self) -> None:
        assert candidate_for(asking(claims=[{"path": ["birthdate"]}, {"path": ["given_name"]}]), HELD) is None

    def test_6_4_1_no_claims_ask_for_nothing(self) -> None:
        asked = query({"id": "pid", "format": "dc+sd-jwt", "meta": PID["meta"]}).credentials[0]
        found = candidate_for(asked, HELD)
        assert found is not None
        assert found.claims == ()

    @pytest.mark.parametrize(
        ("claims", "ids"),
        [
            ({"last_name": 1, "locality": 1, "region": 1, "date_of_birth": 1, "postal_code": 1}, "acde"),
            ({"last_name": 1, "postal_code": 1, "date_of_birth": 1}, "abe"),
            ({"last_name": 1, "date_of_birth": 1, "locality": 1}, None),
        ],
    )
    def test_6_4_1_the_first_set_that_can_be_satisfied(self, claims: dict[str, Any], ids: str | None) -> None:
        found = candidate_for(query(ALTERNATIVES).credentials[0], replace(HELD, claims=claims))
        assert (None if found is None else "".join(str(each.id) for each in found.claims)) == ids

    @pytest.mark.parametrize(
        ("values", "answers"), [(["Erika"], True), (["Max", "Erika"], True), (["Max"], False), ([1], False)]
    )
    def test_6_3_values(self, values: list[Any], answers: bool) -> None:
        found = candidate_for(asking(claims=[{"path": ["given_name"], "values": values}]), HELD)
        assert (found is not None) is answers

    def test_6_3_type_and_value_both_match(self) -> None:
        held = replace(HELD, claims={"n": 1, "t": True})
        assert candidate_for(asking(claims=[{"path": ["n"], "values": [True]}]), held) is None
        assert candidate_for(asking(claims=[{"path": ["t"], "values": [1]}]), held) is None
        assert candidate_for(asking(claims=[{"path": ["t"], "values": [True]}]), held) is not None

    def test_b_2_mdoc(self) -> None:
        found = candidate_for(query(MDL).credentials[0], LICENCE)
        assert found is not None
        assert found.claims[0].intent_to_retain is True
        assert candidate_for(query(MDL).credentials[0], replace(LICENCE, type="org.example")) is None


class TestCredentials:
    def test_another_format_or_type_does_not_answer(self) -> None:
        assert candidate_for(asking(), LICENCE) is None
        assert candidate_for(asking(), replace(HELD, type="other")) is None
        assert candidate_for(asking(), replace(HELD, type="other", extends=(VCT,))) is not None
        assert candidate_for(asking(meta={}), replace(HELD, type="other")) is not None

    def test_a_credential_without_holder_binding_answers_only_where_none_is_required(self) -> None:
        loose = replace(HELD, holder_bound=False)
        assert candidate_for(asking(), loose) is None
        assert candidate_for(asking(require_cryptographic_holder_binding=False), loose) is not None

    def test_6_1_1_aki(self) -> None:
        asked = asking(trusted_authorities=[{"type": "aki", "values": ["x", "y"]}])
        assert candidate_for(asked, replace(HELD, authorities=frozenset({"y"}))) is not None
        assert candidate_for(asked, replace(HELD, authorities=frozenset({"z"}))) is None
        assert candidate_for(asked, HELD) is not None  # nobody knows

    def test_6_1_1_an_authority_that_cannot_be_told_is_not_held_against_it(self) -> None:
        either = [{"type": "aki", "values": ["x"]}, {"type": "etsi_tl", "values": ["https://lotl.example.com"]}]
        assert candidate_for(asking(trusted_authorities=either), replace(HELD, authorities=frozenset())) is not None

    def test_6_4_2_without_sets_all_are_asked_for(self) -> None:
        found = match(query(PID, MDL), [HELD])
        assert not found.answerable
        assert found.chosen() == {}
        both = match(query(PID, MDL), [HELD, LICENCE])
        assert both.answerable
        assert {id: each.held.reference for id, each in both.chosen().items()} == {"pid": "pid-1", "mdl-id": "mdl-1"}

    def test_6_4_2_one_option_of_every_required_set(self) -> None:
        sets = [{"options": [["pid"], ["mdl-id"]]}, {"required": False, "options": [["other"]]}]
        asked = query(PID, MDL, {**ALTERNATIVES, "id": "other"}, credential_sets=sets)
        found = match(asked, [LICENCE])
        assert found.answerable
        assert found.sets[0].options == (("mdl-id",),)
        assert list(found.chosen(optional=[1])) == ["mdl-id"]  # nothing for the optional one
        more = Held("o", "dc+sd-jwt", VCT, {"last_name": 1, "postal_code": 1, "date_of_birth": 1})
        assert list(match(asked, [LICENCE, more]).chosen(optional=[1])) == ["mdl-id", "other"]
        assert list(match(asked, [LICENCE, more]).chosen()) == ["mdl-id"]

    def test_what_a_response_leaves_out(self) -> None:
        sets = [{"options": [["pid", "other"], ["mdl-id"]]}, {"required": False, "options": [["other"]]}]
        asked = query(PID, MDL, {**ALTERNATIVES, "id": "other"}, credential_sets=sets)
        assert satisfied(asked, {"mdl-id"})
        assert satisfied(asked, {"pid", "other"})
        assert missing_sets(asked, {"pid"}) == (asked.credential_sets[0],)
        assert not satisfied(query(PID, MDL), {"pid"})

    def test_look_ups(self) -> None:
        asked = query(PID)
        assert asked.credential("pid") is asked.credentials[0]
        assert asked.credential("x") is None
        assert asked.credentials[0].claims[0] == ClaimsQuery(("given_name",))
