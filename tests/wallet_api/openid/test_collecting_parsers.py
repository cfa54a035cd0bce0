"""Parsers of what strangers say: the model, or the one refusal; whatever the input."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.wallet_api.openid.foreign_issuer import ISSUER, NOW, ForeignIssuer
from wallet_api.openid.collecting_errors import CollectingRefused
from wallet_api.openid.collecting_steps import read_handed, read_keys, wanted_by
from wallet_api.openid.credentials import CredentialFormat
from wallet_api.openid.issuer_metadata import (
    Configuration,
    open_signed_metadata,
    parse_issuer,
    parse_server,
    well_known,
)
from wallet_api.openid.offers import Offer, is_identifier, looks_like_offer, parse_offer, read_link
from wallet_api.openid.received import check_received, value_text

QUICK = settings(deadline=None, max_examples=150)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
WHOLE = ForeignIssuer()


@st.composite
def altered(draw: Any, document: dict[str, Any]) -> dict[str, Any]:
    """A whole document with one place, however deep, that holds something else."""
    copied: dict[str, Any] = json.loads(json.dumps(document))
    place: Any = copied
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = draw(st.sampled_from(keys))
        if isinstance(place[key], dict | list) and place[key] and draw(st.booleans()):
            place = place[key]
            continue
        place[key] = draw(VALUES)
        return copied


@QUICK
@given(
    st.text(max_size=200) | VALUES.map(lambda v: f"openid-credential-offer://?credential_offer={quote(json.dumps(v))}")
)
def test_any_text_is_an_offer_or_refused(text: str) -> None:
    looks_like_offer(text)
    with suppress(CollectingRefused):
        value, url = read_link(text)
        if url is None:
            assert isinstance(parse_offer(value), Offer)


@QUICK
@given(altered(WHOLE.offer))
def test_any_altered_offer_is_read_or_refused(value: dict[str, Any]) -> None:
    with suppress(CollectingRefused):
        offer = parse_offer(value)
        assert is_identifier(offer.issuer)
        assert offer.configuration_ids


@QUICK
@given(altered(WHOLE.metadata))
def test_any_altered_metadata_is_read_or_refused(value: dict[str, Any]) -> None:
    with suppress(CollectingRefused):
        assert parse_issuer(value, ISSUER, ["student"]).identifier == ISSUER


@QUICK
@given(altered(WHOLE.server))
def test_any_altered_server_metadata_is_read_or_refused(value: dict[str, Any]) -> None:
    with suppress(CollectingRefused):
        assert parse_server(value, ISSUER).issuer == ISSUER


@QUICK
@given(VALUES, st.sampled_from([200, 202]))
def test_any_credential_response_is_read_or_refused(value: Any, status: int) -> None:
    with suppress(CollectingRefused):
        handed = read_handed(status, value if isinstance(value, dict) else {"credentials": value}, most=3)
        assert (handed.credentials is None) == (status == 202)


CONFIGURATION = parse_issuer(WHOLE.metadata, ISSUER, ["student"]).configurations["student"]


@QUICK
@given(VALUES)
def test_any_token_response_is_read_or_refused(value: Any) -> None:
    assert isinstance(CONFIGURATION, Configuration)
    with suppress(CollectingRefused):
        assert wanted_by({"authorization_details": value}, [CONFIGURATION])


@QUICK
@given(VALUES | st.text(alphabet="abcXYZ-_.~=", max_size=80), st.sampled_from(CredentialFormat))
def test_any_credential_is_kept_or_refused(value: Any, format: CredentialFormat) -> None:
    assert isinstance(CONFIGURATION, Configuration)
    other = Configuration("x", format, CONFIGURATION.type, None, CONFIGURATION.names, "", ())
    with suppress(CollectingRefused):
        check_received(value, other, ["k"], at=NOW)
        raise AssertionError("kept")


@QUICK
@given(st.dictionaries(st.sampled_from(["kty", "crv", "x", "y", "d", "k"]), st.text(max_size=50)))
def test_any_key_is_taken_or_refused(jwk: dict[str, str]) -> None:
    with suppress(CollectingRefused):
        assert read_keys([jwk])


@QUICK
@given(st.binary(max_size=200))
def test_any_bytes_as_signed_metadata_are_refused(token: bytes) -> None:
    with suppress(CollectingRefused):
        open_signed_metadata(token, ISSUER, at=NOW)
        raise AssertionError("believed")


@QUICK
@given(VALUES | st.binary(max_size=9) | st.datetimes(timezones=st.just(UTC)))
def test_any_value_has_a_text(value: Any) -> None:
    assert isinstance(value_text(value), str)
    assert isinstance(value_text({"a": [value]}), str)


def test_where_metadata_lie() -> None:
    """Section 12.2.2 and RFC 8414 section 3.1, their own examples."""
    name = "openid-credential-issuer"
    assert (
        well_known("https://issuer.example.com/tenant", name) == f"https://issuer.example.com/.well-known/{name}/tenant"
    )
    assert (
        well_known("https://tenant.issuer.example.com", name) == f"https://tenant.issuer.example.com/.well-known/{name}"
    )
    assert well_known("https://a.example:8443/b/", name) == f"https://a.example:8443/.well-known/{name}/b"


def test_instants_beyond_the_calendar_are_no_reason_to_fall_over() -> None:
    assert value_text(datetime.max.replace(tzinfo=UTC)).startswith("9999")
