"""Hostile issuers against a wallet that collects: addresses that break it, names that aren't theirs, metadata to fill
its database. Nothing of theirs is kept, and nothing but their own refusal comes of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.wallet_api.openid.foreign_issuer import CERTIFICATE, HOST, ISSUER, LAN, NOW, PRE, Town, json_of
from tests.wallet_api.town import EAST, issuer_entry, trust_view
from trust_registry.model import (
    EntryReason,
    EntryStatus,
    IssuerEntry,
    KeyEntry,
    KeyUse,
    Names,
    SealEntry,
    SealId,
    StatusChange,
    TrustView,
)
from wallet_api.openid.collecting_errors import Collecting, CollectingRefused, IssuerRefused
from wallet_api.openid.collecting_offer import party_of
from wallet_api.openid.outgoing import Answer, NotReached

BROKEN = ["https://[", "https://a:b", "https://", "https://a\n.example", "https://ü.example/t", "https://a.example/t#x",
          "https://u:p@a.example", 'https://a.example/"', "https://a.example\\@b.example"]  # fmt: skip
DPOP = {"dpop_signing_alg_values_supported": ["ES256"]}


@pytest.fixture
def town() -> Town:
    return Town()


def refusal(town: Town) -> Collecting | None:
    """What the wallet refused; None when another server was at fault. Anything else is a crash."""
    try:
        town.collect()
    except CollectingRefused as err:
        return err.problem
    except NotReached:
        return None
    raise AssertionError("collected")


@pytest.mark.parametrize("address", BROKEN)
@pytest.mark.parametrize("name", ["credential_endpoint", "nonce_endpoint", "deferred_credential_endpoint"])
def test_endpoints_that_are_no_addresses(town: Town, name: str, address: str) -> None:
    town.issuer.metadata[name] = address
    assert refusal(town) is Collecting.METADATA_UNREADABLE


@pytest.mark.parametrize("address", BROKEN)
@pytest.mark.parametrize("name", ["token_endpoint", "authorization_endpoint", "pushed_authorization_request_endpoint"])
def test_endpoints_of_a_server_that_are_no_addresses(town: Town, name: str, address: str) -> None:
    town.issuer.server |= {name: address, **DPOP}
    assert refusal(town) is Collecting.METADATA_UNREADABLE


@pytest.mark.parametrize("address", BROKEN)
def test_authorization_servers_that_are_no_addresses(town: Town, address: str) -> None:
    town.issuer.metadata["authorization_servers"] = [address]
    assert refusal(town) is Collecting.METADATA_UNREADABLE


@pytest.mark.parametrize("where", ["authorization_endpoint", "token_endpoint"])
def test_a_server_reached_over_https_does_not_lead_to_http(town: Town, where: str) -> None:
    """Attack: the citizen is sent to the authorization server without encryption."""
    town.issuer.server |= {where: "http://issuer.example/x"}
    assert refusal(town) is Collecting.METADATA_UNREADABLE


def test_an_issuer_reached_over_https_does_not_lead_to_http(town: Town) -> None:
    town.issuer.metadata["credential_endpoint"] = "http://issuer.example/credential"
    assert refusal(town) is Collecting.METADATA_UNREADABLE


@pytest.mark.parametrize(
    "jwk",
    [{"kty": "EC", "crv": "P-256", "x": 5, "y": []}, {"kty": ["EC"]}, {"kty": "EC", "crv": {}}, {"crv": "P-256"},
     {"kty": "EC", "crv": "P-256", "x": "%%", "y": "%%"}, {"kty": "EC", "crv": "P-256", "x": "é", "y": "A"}],
)  # fmt: skip
def test_credentials_bound_to_what_is_no_key(town: Town, jwk: dict[str, Any]) -> None:
    town.issuer.key = jwk
    assert refusal(town) in (Collecting.CREDENTIAL_FOR_ANOTHER_KEY, Collecting.CREDENTIAL_UNREADABLE)
    assert town.kept() == ()


def test_labels_without_end_are_not_kept(town: Town) -> None:
    """Attack: a megabyte of labels, in every copy."""
    label = {"path": ["x" * 1000], "display": [{"name": "y", "locale": "en"}]}
    odd = [{"path": [{"a": 1}], "display": label["display"]}, {"path": [1.5], "display": label["display"]}]
    town.issuer.configuration["credential_metadata"]["claims"] = [*odd, *[label] * 800]
    town.collect()
    assert sum(len(path) for each in town.kept() for path, _ in each.labels) < 100_000


def test_a_type_without_end_is_none(town: Town) -> None:
    town.issuer.configuration["vct"] = "https://a.example/" + "x" * 5000
    assert refusal(town) is Collecting.METADATA_UNREADABLE


def test_a_logo_is_never_fetched(town: Town) -> None:
    """Attack: an address that tells its owner when the citizen looks, or that lies in a private network."""
    logo = {"logo": {"uri": f"{HOST}/logo.png"}, "background_image": {"uri": f"{HOST}/back.png"}}
    town.issuer.metadata["display"] = [{"name": "U", **logo}]
    town.issuer.configuration["credential_metadata"]["display"] = [{"name": "S", **logo}]
    town.collect()
    assert not [path for _, path, _, _ in town.issuer.asked if path.endswith(".png")]
    assert "logo.png" not in repr(town.kept())


def test_the_transaction_code_goes_to_the_issuers_own_server_alone(town: Town) -> None:
    """Attack: the offer points to a server of the attacker's; the issuer's metadata don't know it."""
    grant = town.issuer.offer["grants"][PRE]
    grant |= {"tx_code": {"length": 6}, "authorization_server": "https://thief.example"}
    with pytest.raises(CollectingRefused) as caught:
        town.collector.begin(LAN, town.issuer.text)
    assert caught.value.problem is Collecting.SERVER_UNKNOWN
    assert not [path for method, path, _, _ in town.issuer.asked if method == "POST"]


def test_a_redirect_of_the_token_endpoint_is_not_followed(town: Town) -> None:
    town.issuer.answers["/token"] = Answer(302, {"location": "https://thief.example/token"}, b"")
    with pytest.raises((IssuerRefused, CollectingRefused)):
        town.collect()
    assert town.kept() == ()


# Whose metadata they are


def office(**parts: Any) -> tuple[IssuerEntry, TrustView]:
    """The listed office whose seal signs the metadata."""
    entry = issuer_entry("990100/civil-affairs", "民政局", "Civil Affairs")
    granted = entry.history
    key = KeyEntry(KeyUse.SEAL, CERTIFICATE.der, CERTIFICATE.thumbprint, parts.get("key", granted))
    seal = make_seal(key, parts.get("seal", granted))
    entry = replace(entry, seals=(seal,), history=parts.get("entry", granted))
    view = trust_view()
    east = replace(view.lists[EAST], attests=(entry,))
    left = {EAST: NOW - timedelta(days=1)} if parts.get("left") else {}
    lists = {**view.lists, EAST: east}
    return entry, TrustView(lists, {}, {}, view.refreshed_at, view.expires_at, left=left)


def make_seal(key: KeyEntry, history: tuple[StatusChange, ...]) -> SealEntry:
    begin, end = NOW - timedelta(days=300), NOW + timedelta(days=300)
    return SealEntry(SealId("990100/civil-affairs/1"), Names("印", "Seal"), "sha256:0", (), begin, end, key, history)


ENDED = (
    StatusChange(EntryStatus.GRANTED, NOW - timedelta(days=300), EntryReason.INITIAL),
    StatusChange(EntryStatus.WITHDRAWN, NOW - timedelta(days=1), EntryReason.KEY_COMPROMISE),
)


def test_an_office_is_known_by_its_seal() -> None:
    entry, view = office()
    party = party_of(ISSUER, None, CERTIFICATE, view, origin="https://w.example", at=NOW)
    assert (party.known, party.names) == (True, entry.names)


@pytest.mark.parametrize("part", [{"key": ENDED}, {"seal": ENDED}, {"entry": ENDED}, {"left": True}])
def test_a_stolen_seal_makes_nobody_an_office(part: dict[str, Any]) -> None:
    """Attack: metadata signed with a seal that was withdrawn, or of a region that has left."""
    _, view = office(**part)
    assert not party_of(ISSUER, None, CERTIFICATE, view, origin="https://w.example", at=NOW).known


def test_a_seal_out_of_date_makes_nobody_an_office() -> None:
    _, view = office()
    later = CERTIFICATE.not_after + timedelta(days=1)
    assert not party_of(ISSUER, None, CERTIFICATE, view, origin="https://w.example", at=later).known


def test_metadata_signed_by_a_withdrawn_seal_count_as_unsigned(town: Town) -> None:
    _, view = office(key=ENDED)
    town.collector.view = lambda: view
    plain = dict(town.issuer.metadata)

    def answer(headers: Any, body: Any) -> Answer:
        if "application/jwt" in headers["Accept"]:
            return Answer(200, {"content-type": "application/jwt"}, town.issuer.signed_metadata().encode())
        return json_of(plain)

    town.issuer.answers["/.well-known/openid-credential-issuer/tenant"] = answer
    party = town.collector.look(town.collector.begin(LAN, town.issuer.text)).party
    assert not party.known
    assert party.names.en == "Example University"
