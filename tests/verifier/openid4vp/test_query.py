"""From a scenario to a query: what counts is asked for, as SD-JWT VC and as mdoc, with no claim more than needed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from keys.envelopes.base64url import b64url_encode
from tests.verifier.small_world import (
    DAY,
    DAY_0,
    DRIVING,
    EAST,
    MARRIAGE,
    NOW,
    TRANSFER,
    WEST,
    SmallWorld,
    authority,
    granted,
    withdrawn,
)
from trust_registry.mdoc_attestations import CORE, CORE_ELEMENTS
from trust_registry.model import (
    ClaimEquivalence,
    EntryReason,
    IssuerId,
    TrustView,
    TypeGrant,
    TypeId,
    TypeRequirement,
)
from verifier.dcql import MDOC, SD_JWT_VC, CredentialQuery, parse_dcql, query_to_json
from verifier.openid4vp.query import query_for

DOC_TYPE = "org.yinxin.common.marriage-certificate.1"


def asked(world: SmallWorld, **how: Any) -> list[CredentialQuery]:
    view = world.view()
    found = query_for(view, view.scenarios[TRANSFER], NOW, **how).query
    assert parse_dcql(query_to_json(found)) == found  # what a wallet reads
    return list(found.credentials)


def paths(query: CredentialQuery) -> list[Any]:
    return [each.path for each in query.claims]


def test_one_set_with_both_formats(world: SmallWorld) -> None:
    view = world.view()
    found = query_for(view, view.scenarios[TRANSFER], NOW)
    text, mdoc = found.query.credentials
    assert (text.format, text.types) == (SD_JWT_VC, ("urn:yinxin:type:common/marriage-certificate",))
    assert paths(text) == [("certificate_id",), ("holder_name",)]
    assert (mdoc.format, mdoc.types) == (MDOC, (DOC_TYPE,))
    assert paths(mdoc) == [*((CORE, name) for name in CORE_ELEMENTS), (DOC_TYPE, "holder_name")]
    (set_,) = found.query.credential_sets
    assert set_.required
    assert set_.options == ((text.id,), (mdoc.id,))
    assert found.types == {text.id: MARRIAGE, mdoc.id: MARRIAGE}


def test_haip_5_aki_of_the_cas_whose_issuers_count(world: SmallWorld) -> None:
    for query in asked(world):
        (authorities,) = query.trusted_authorities
        assert authorities.type == "aki"
        assert authorities.values == (b64url_encode(authority(EAST).ski or b"").decode(),)


def test_no_aki_where_a_ca_cannot_be_named(world: SmallWorld) -> None:
    east, west = authority(EAST), authority(WEST)
    world.anchors_of_east = (east, west)
    assert len(asked(world)[0].trusted_authorities[0].values) == 2
    world.anchors_of_east = ()
    assert asked(world)[0].trusted_authorities == ()


def test_no_aki_of_a_stolen_key(world: SmallWorld) -> None:
    world.ca_history = withdrawn(DAY_0 + DAY, EntryReason.KEY_COMPROMISE)
    assert asked(world)[0].trusted_authorities == ()
    world.ca_history = withdrawn(DAY_0 + DAY, EntryReason.KEY_ROLLOVER)  # what it signed still counts
    assert asked(world)[0].trusted_authorities != ()


def test_all_of_a_scenarios_certificates_in_one_request(world: SmallWorld) -> None:
    world.scenario_requires = (
        TypeRequirement((MARRIAGE,), ("holder_name",)),
        TypeRequirement((DRIVING,), ("vehicle_class",)),
    )
    view = world.view()
    found = query_for(view, view.scenarios[TRANSFER], NOW).query
    assert len(found.credential_sets) == 2
    assert len({each.id for each in found.credentials}) == len(found.credentials) == 4


def test_optional_claims_with_and_without(world: SmallWorld) -> None:
    world.scenario_requires = (TypeRequirement((MARRIAGE,), ("holder_name",), ("spouse_name", "registered_on")),)
    text = asked(world)[0]
    by_id = {each.id: each.path[-1] for each in text.claims}
    sets = [[by_id[id] for id in each][2:] for each in text.claim_sets]
    assert sets == [["spouse_name", "registered_on"], ["spouse_name"], ["registered_on"], []]
    assert all([by_id[id] for id in each][:2] == ["certificate_id", "holder_name"] for each in text.claim_sets)


def test_of_many_optional_claims_all_or_none(world: SmallWorld) -> None:
    optional = ("spouse_name", "registered_on", "identity_number", "spouse_identity_number", "holder_name")
    world.scenario_requires = (TypeRequirement((MARRIAGE,), ("holder_name",), optional),)
    text, mdoc = asked(world)
    assert [len(each) for each in text.claim_sets] == [6, 2]
    assert [len(each) for each in mdoc.claim_sets] == [8, 4]


def test_claims_by_the_names_that_the_issuing_region_gives_them(world: SmallWorld) -> None:
    household = TypeId("990200/family-book")
    world.scenario_requires = (TypeRequirement((household,), ("name",), ("since",)),)
    world.recognition_as = household
    world.recognition_claims = (ClaimEquivalence("holder_name", "name"), ClaimEquivalence("registered_on", "since"))
    text, mdoc = asked(world)
    assert text.types == ("urn:yinxin:type:common/marriage-certificate",)
    assert paths(text) == [("certificate_id",), ("holder_name",), ("registered_on",)]
    assert (DOC_TYPE, "registered_on") in paths(mdoc)


def test_what_an_office_sealed_while_it_could_still_counts(world: SmallWorld) -> None:
    world.issuer_history = withdrawn(DAY_0 + 5 * DAY, EntryReason.CESSATION)
    assert asked(world)[0].trusted_authorities != ()


def test_a_type_that_is_not_recognised_is_asked_for_all_the_same(world: SmallWorld) -> None:
    """The verdict says why it does not count; a wallet that is asked for nothing says nothing."""
    world.recognises = False
    text, _ = asked(world)
    assert text.types == ("urn:yinxin:type:common/marriage-certificate",)
    assert text.trusted_authorities == ()


def test_own_certificates_are_asked_for_by_the_own_ca(world: SmallWorld) -> None:
    view = world.view()
    east, west = view.lists[EAST], view.lists[WEST]
    issuer = replace(east.attests[0], id=IssuerId("990200/civil-affairs"), grants=(TypeGrant(MARRIAGE, granted()),))
    view = replace_lists(view, {WEST: replace(west, attests=(issuer,))})
    found = query_for(view, view.scenarios[TRANSFER], NOW).query
    values = {value for each in found.credentials for value in each.trusted_authorities[0].values}
    assert values == {b64url_encode(authority(region).ski or b"").decode() for region in (EAST, WEST)}


def test_only_sd_jwts_for_transaction_data(world: SmallWorld) -> None:
    assert [each.format for each in asked(world, formats=(SD_JWT_VC,))] == [SD_JWT_VC]


def test_a_type_that_has_no_document_type_is_asked_for_as_sd_jwt(world: SmallWorld) -> None:
    world.scenario_requires = (TypeRequirement((TypeId("990200/a.b"),), ("name",)),)
    (text,) = asked(world)
    assert text.id == "1-a-b-sd-jwt"


@pytest.mark.parametrize(("days", "retain"), [(0, False), (30, True)])
def test_b_2_4_intent_to_retain(world: SmallWorld, days: int, retain: bool) -> None:
    view = world.view()
    scenario = replace(view.scenarios[TRANSFER], retention_days=days)
    text, mdoc = query_for(view, scenario, NOW).query.credentials
    assert {each.intent_to_retain for each in mdoc.claims} == {retain}
    assert {each.intent_to_retain for each in text.claims} == {None}


def replace_lists(view: TrustView, lists: dict[Any, Any]) -> TrustView:
    return replace(view, lists={**view.lists, **lists})
