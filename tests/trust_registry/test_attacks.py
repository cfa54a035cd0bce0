"""What an admitted region tries against the others with nothing but its own list."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.trust_registry.network import (
    DAY,
    DAY_0,
    STATUS_BASE,
    STATUS_URI,
    common_list,
    east_list,
    office,
    view_of,
    west_list,
)
from tests.trust_registry.test_status_list import token
from trust_registry.core import check_list
from trust_registry.errors import InvalidList
from trust_registry.model import IssuerId, RegionCode, StatusProblem, StatusProblemKind, StatusSnapshot
from trust_registry.status_list import open_status_token

WEST = RegionCode("990200")
BASES = pytest.mark.parametrize("base", [STATUS_BASE, STATUS_BASE.rpartition("990100")[0], "http://east.test/"])
ORDERS = pytest.mark.parametrize("first", [True, False], ids=["listed first", "listed last"])


def opened_beside_a_squatter(text: str, base: str, first: bool) -> StatusSnapshot | StatusProblem:
    """The west lists an office of its own that says it publishes where the east's does."""
    (issuer,) = east_list().attests
    squatter = replace(issuer, id=IssuerId("990200/squatter"), seals=(), status_keys=(), status_list_base=base)
    west = replace(west_list(), attests=(squatter,))
    view = view_of(common_list(), *((west, east_list()) if first else (east_list(), west)))
    return open_status_token(text, uri=STATUS_URI, view=view, at=DAY_0 + DAY, fetched_at=DAY_0 + DAY)


@ORDERS
@BASES
def test_naming_anothers_status_base_does_not_make_its_lists_forged(base: str, first: bool) -> None:
    found = opened_beside_a_squatter(token(), base, first)
    assert isinstance(found, StatusSnapshot)
    assert found.issuer == "990100/civil-affairs"


@ORDERS
@BASES
def test_nor_does_it_let_a_strangers_key_sign_them(base: str, first: bool) -> None:
    found = opened_beside_a_squatter(token(office(WEST).status_signer), base, first)
    assert isinstance(found, StatusProblem)
    assert found.kind is StatusProblemKind.FORGED


@pytest.mark.parametrize(
    "name",
    ["exp", "status", "iss", "vct", "cnf", "certificate_id", "_sd", "...", "", "=HYPERLINK(1)", "+cmd", "a b", "Name"],
)
def test_a_type_cannot_name_its_claims_after_the_envelopes_or_like_a_formula(name: str) -> None:
    """`exp` as a claim would crash its issuers after they have recorded it; `=...` runs in a clerk's spreadsheet."""
    types = common_list().defines
    claims = (replace(types[0].claims[0], name=name), *types[0].claims[1:])
    with pytest.raises(InvalidList, match="lower-case name of its own") as refusal:
        check_list(replace(common_list(), defines=(replace(types[0], claims=claims), *types[1:])))
    assert refusal.value.field == "defines[0].claims[0].name"
