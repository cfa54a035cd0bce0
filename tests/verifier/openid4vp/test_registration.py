"""What a region registers its relying parties for, as a foreign wallet can check it: section 5.11."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from keys.x509 import Profile
from tests.verifier.openid4vp.conftest import ORIGIN, Counter
from tests.verifier.openid4vp.wallet import Asked, b64url, read_signed
from tests.verifier.small_world import HALL, TRANSFER, WEST, certificate, signer
from verifier.openid4vp.registration import RegistrarKey


@pytest.fixture
def asked(counter: Counter) -> Asked:
    counter.registrar = RegistrarKey(signer("list"), certificate("list", Profile.LIST, WEST))
    return counter.ask()[1]


def registration(asked: Asked) -> dict[str, Any]:
    _, found = asked.claims["verifier_info"]
    assert found["format"] == "jwt"
    claims, leaf = read_signed(found["data"], "rc-rp+jwt")
    assert leaf.public_bytes(Encoding.DER) == certificate("list", Profile.LIST, WEST).der
    assert leaf.issuer == asked.certificate.issuer  # one CA, whose certificate a foreign wallet has
    return claims


def test_5_11_the_region_says_who_may_ask_what(asked: Asked) -> None:
    claims = registration(asked)
    assert (claims["sub"], claims["scenario"]) == (HALL, TRANSFER)
    assert {each["lang"] for each in claims["name"]} == {each["lang"] for each in claims["purpose"]} == {"zh", "en"}
    assert claims["registry_uri"] == f"{ORIGIN}/trust/{WEST}"
    queries = asked.claims["dcql_query"]["credentials"]
    assert claims["credentials"] == [{name: each[name] for name in ("format", "meta", "claims")} for each in queries]


def test_5_11_1_it_is_bound_to_the_certificate_that_asks(asked: Asked) -> None:
    asking = hashlib.sha256(asked.certificate.public_bytes(Encoding.DER)).digest()
    assert registration(asked)["cnf"] == {"x5t#S256": b64url(asking)}


def test_it_lasts_no_longer_than_the_request(asked: Asked) -> None:
    claims = registration(asked)
    assert (claims["iat"], claims["exp"]) == (asked.claims["iat"], asked.claims["exp"])


def test_the_pointer_to_the_list_stays(asked: Asked) -> None:
    pointer, _ = asked.claims["verifier_info"]
    assert pointer["format"] == "yinxin_registration"


@pytest.mark.parametrize("what", ["party", "region", "item"])
def test_nothing_is_attested_that_is_not_listed_any_more(counter: Counter, what: str) -> None:
    counter.registrar = RegistrarKey(signer("list"), certificate("list", Profile.LIST, WEST))
    begun, view = counter.begin(), counter.view()
    west = view.lists[WEST]
    (hall,) = west.relying_parties
    parties = {"party": (), "item": (replace(hall, scenarios=()),)}.get(what)
    lists = {} if parties is None else {**view.lists, WEST: replace(west, relying_parties=parties)}
    counter.trust = replace(view, lists=lists)
    assert len(counter.fetch(begun).claims["verifier_info"]) == 1
