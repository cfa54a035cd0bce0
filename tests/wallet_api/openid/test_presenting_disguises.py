"""Attacks on what the consent page says: another party's name or key, texts that deceive, more asked than is seen."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest

from keys.algorithms import ES256
from keys.custody.software import EphemeralSigner
from keys.envelopes.base64url import b64url_encode
from keys.envelopes.sd_jwt import issue_sd_jwt, parse_sd_jwt
from keys.x509 import Certificate, Profile, make_certificate
from tests.wallet_api.openid.party import HOST, MDOC_QUERY, RESPONSE_URI, SD_QUERY, VCT, Party, Wallet, Wires
from tests.wallet_api.openid.test_presenting import transaction
from tests.wallet_api.openid.test_presenting_attacks import serve
from tests.wallet_api.town import DAY_0, GRANTED, HALL, NOON, WEST
from trust_registry.model import (
    EntryReason,
    EntryStatus,
    KeyEntry,
    KeyUse,
    RegionList,
    RelyingPartyEntry,
    StatusChange,
    TrustView,
)
from verifier.dcql import parse_dcql
from wallet_api.openid.matching import offer
from wallet_api.openid.outgoing import NotReached, Unreached
from wallet_api.openid.presenting_service import Choice
from wallet_api.openid.refusals import Flaw, KeysMissing, RequestRefused
from wallet_api.openid.requester import Standing


def refused(wallet: Wallet) -> Flaw:
    with pytest.raises(RequestRefused) as caught:
        wallet.open()
    assert [each for each in wallet.wires.sent if each.url == RESPONSE_URI] == []  # nobody is told
    return caught.value.flaw


def hall_with(wallet: Wallet, **changes: Any) -> None:
    """The region lists its hall otherwise."""
    west = wallet.view.lists[WEST]
    parties = tuple(replace(p, **changes) if p.id == HALL else p for p in west.relying_parties)
    relist(wallet, replace(west, relying_parties=parties))


def relist(wallet: Wallet, west: RegionList) -> None:
    view = wallet.view
    wallet.view = TrustView({**view.lists, WEST: west}, {}, {}, view.refreshed_at, view.expires_at)


def hall(wallet: Wallet) -> RelyingPartyEntry:
    return next(p for p in wallet.view.lists[WEST].relying_parties if p.id == HALL)


def ended(status: EntryStatus) -> tuple[StatusChange, ...]:
    return (*GRANTED, StatusChange(status, NOON, EntryReason.KEY_COMPROMISE))


@pytest.mark.parametrize("status", [EntryStatus.WITHDRAWN, EntryStatus.SUSPENDED])
def test_a_stolen_key_that_its_region_withdrew_asks_for_nothing(wallet: Wallet, status: EntryStatus) -> None:
    (key,) = hall(wallet).keys
    hall_with(wallet, keys=(replace(key, history=ended(status)),))
    assert refused(wallet) is Flaw.WITHDRAWN


@pytest.mark.parametrize("status", [EntryStatus.WITHDRAWN, EntryStatus.SUSPENDED])
def test_a_party_that_its_region_suspended_asks_for_nothing(wallet: Wallet, status: EntryStatus) -> None:
    hall_with(wallet, history=ended(status))
    assert refused(wallet) is Flaw.WITHDRAWN


def test_a_withdrawal_counts_until_the_answer_is_sent(wallet: Wallet) -> None:
    request = wallet.open()
    chosen = wallet.least(request)
    signatures = wallet.sign(request, chosen)
    hall_with(wallet, history=ended(EntryStatus.WITHDRAWN))
    for attempt in (
        lambda: wallet.look(request),
        lambda: wallet.sign(request, chosen),
        lambda: wallet.service.answer(wallet.lin, request, signatures),
    ):
        with pytest.raises(RequestRefused) as caught:
            attempt()
        assert caught.value.flaw is Flaw.WITHDRAWN
    assert [each for each in wallet.wires.sent if each.url == RESPONSE_URI] == []
    wallet.service.decline(wallet.lin, request)


@pytest.mark.parametrize("use", [KeyUse.RECEIPT, KeyUse.SEAL, KeyUse.STATUS, KeyUse.TIMESTAMP, KeyUse.LIST])
def test_a_key_that_is_listed_for_something_else_does_not_ask(wallet: Wallet, use: KeyUse) -> None:
    """Attack: the receipt key of a registered hall, or an office's seal, signs a request in its name."""
    (key,) = hall(wallet).keys
    hall_with(wallet, keys=(replace(key, use=use),))
    assert refused(wallet) is Flaw.ANOTHER_USE


def test_a_key_of_the_regions_authority_does_not_ask(wallet: Wallet) -> None:
    (key,) = hall(wallet).keys
    hall_with(wallet, keys=())
    west = wallet.view.lists[WEST]
    stamps = KeyEntry(KeyUse.TIMESTAMP, key.certificate, key.thumbprint, GRANTED)
    relist(wallet, replace(west, authorities=(*west.authorities, stamps)))
    assert refused(wallet) is Flaw.ANOTHER_USE


@pytest.mark.parametrize("profile", [Profile.SEAL, Profile.RECEIPT, Profile.STATUS, Profile.TIMESTAMP])
def test_a_certificate_that_is_made_for_something_else_does_not_ask(wallet: Wallet, profile: Profile) -> None:
    """Attack: a certificate of the region's CA that no list names, made to seal or to stamp."""
    party = wallet.party
    party.signer = EphemeralSigner.generate(ES256)
    party.certificate = made_for(profile, party)
    party.parameters["client_id"] = party.client_id = client_id(party.certificate)
    assert refused(wallet) is Flaw.ANOTHER_USE


def made_for(profile: Profile, party: Party) -> Certificate:
    return make_certificate(
        profile,
        ca_signer=party.ca_signer,
        ca=party.ca,
        subject_key=party.signer.public_key,
        common_name="西川区政务大厅",
        organisation="西川区政务大厅",
        uscc=None,
        uri=None,
        not_before=DAY_0,
        not_after=NOON.replace(year=2027),
    )


def client_id(certificate: Certificate) -> str:
    return "x509_hash:" + b64url_encode(hashlib.sha256(certificate.der).digest()).decode()


DISGUISED = ("\u202e%s%s", "%s\u2066\u2069%s", "%s\u200b%s", "%s\n\n%s", "%s\u2028%s", "%s%s\ue000", "\u00a0%s%s\u3000")


@pytest.mark.parametrize("name", [each % ("西川区", "政务大厅") for each in DISGUISED])
def test_a_name_in_a_certificate_is_one_line_without_tricks(wallet: Wallet, name: str) -> None:
    """Attack: marks that turn the reading direction, or that nobody sees."""
    party = wallet.party = Party(name=name)
    wallet.wires.answers.update(Wires(party).answers)
    requester = wallet.look(wallet.open()).requester
    assert requester is not None
    assert requester.standing is Standing.UNKNOWN
    assert requester.names.zh.replace(" ", "") == "西川区政务大厅"
    assert requester.names.zh.isprintable()


def test_a_name_of_a_thousand_letters_is_cut(wallet: Wallet) -> None:
    party = wallet.party = Party(name="a" * 64)
    wallet.wires.answers.update(Wires(party).answers)
    requester = wallet.look(wallet.open()).requester
    assert requester is not None
    assert len(requester.names.zh) <= 64


def test_what_is_asked_for_is_named_in_few_words(wallet: Wallet) -> None:
    """Attack: kinds of certificates that are sentences for the citizen."""
    lure = "您的社保已停用，请拨打 12345678901 " * 40
    kinds = [f"{lure}{number}\u202e" for number in range(40)]
    other = {"id": "other", "format": "dc+sd-jwt", "meta": {"vct_values": kinds}}
    wallet.party.parameters["dcql_query"] = {"credentials": [SD_QUERY, other]}
    offer = wallet.look(wallet.open()).offer
    assert offer is not None
    words = offer.queries["other"].asked.zh
    assert len(words) <= 200
    assert "\u202e" not in words


@pytest.mark.parametrize("mark", ["\u202e", "\u2066", "\u200f", "\u200b", "\n", "\x00", "\u2028"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_transaction_that_reads_otherwise_than_it_is_written(wallet: Wallet, mark: str, language: str) -> None:
    """Attack: what is hashed and what is read differ by marks that turn the direction, or hide."""
    wallet.party.parameters["transaction_data"] = [transaction(**{language: f"同意支付 1{mark}00 元"})]
    with pytest.raises(RequestRefused) as caught:
        wallet.open()
    assert caught.value.flaw is Flaw.TRANSACTION


def option_sizes(wallet: Wallet, sets: Iterable[Iterable[str]]) -> None:
    names = ("certificate_id", "holder_name", "identity_number", "spouse_name", "holder_sex")
    much = {**SD_QUERY, "id": "much", "claims": [{"path": [name]} for name in names]}
    little = {**SD_QUERY, "id": "little", "claims": [{"path": ["certificate_id"]}, {"path": ["holder_name"]}]}
    for each in (much, little):
        del each["claim_sets"]
    wallet.party.parameters["dcql_query"] = {
        "credentials": [much, little],
        "credential_sets": [{"options": [list(each) for each in sets]}],
    }


@pytest.mark.parametrize("sets", [(("much",), ("little",)), (("little",), ("much",))])
def test_of_two_ways_to_show_a_certificate_the_one_that_shows_less_is_offered(wallet: Wallet, sets: Any) -> None:
    """Attack: over-asking hidden by credential sets. The verifier's first option asks for everything."""
    option_sizes(wallet, sets)
    request = wallet.open()
    offer = wallet.look(request).offer
    assert offer is not None
    assert [each.options for each in offer.sets] == [(("little",),)]
    wallet.consent(request, {"little": wallet.least(request)["little"]}, confirmed=True)
    (text,) = wallet.answered["vp_token"]["little"]
    assert "identity_number" not in parse_sd_jwt(text).claims


def test_what_no_claim_set_needs_is_still_over_asking(wallet: Wallet) -> None:
    """Attack: over-asking hidden in a claim set that is not the first."""
    query = {
        **SD_QUERY,
        "claims": [*SD_QUERY["claims"], {"id": "n", "path": ["identity_number"]}],
        "claim_sets": [["c", "h", "s"], ["c", "h", "n"]],
    }
    wallet.party.parameters["dcql_query"] = {"credentials": [query]}
    requester = wallet.look(wallet.open()).requester
    assert requester is not None
    assert requester.standing is Standing.OVERASKING


def test_over_asking_in_an_optional_set_is_over_asking(wallet: Wallet) -> None:
    more = {**MDOC_QUERY, "id": "more", "claims": [{"path": [MDOC_QUERY["meta"]["doctype_value"], "identity_number"]}]}
    wallet.party.parameters["dcql_query"] = {
        "credentials": [SD_QUERY, more],
        "credential_sets": [{"options": [["marriage"]]}, {"options": [["more"]], "required": False}],
    }
    requester = wallet.look(wallet.open()).requester
    assert requester is not None
    assert requester.standing is Standing.OVERASKING


def test_a_mismatch_of_values_and_a_no_look_the_same_to_who_asks(wallet: Wallet) -> None:
    """A Verifier cannot distinguish a refusal from a value that did not match (section 15.4.1), and hears of neither
    before the citizen has done something."""
    told = []
    for value in ("林晓", "周远"):
        query = {**SD_QUERY, "claims": [{"path": ["holder_name"], "values": [value]}]}
        del query["claim_sets"]
        wallet.party.parameters["dcql_query"] = {"credentials": [query]}
        request = wallet.open()
        wallet.look(request)
        assert [each for each in wallet.wires.sent if each.url == RESPONSE_URI][len(told) :] == []
        wallet.service.decline(wallet.lin, request)
        told.append(wallet.wires.sent[-1])
    assert told[0] == told[1]


@pytest.mark.parametrize(("name", "answered"), [("iss", False), ("vct", True)])
def test_what_copies_do_not_say_is_not_promised(wallet: Wallet, name: str, answered: bool) -> None:
    """If the Wallet cannot deliver all claims requested, it MUST NOT return the Credential (section 6.4.1)."""
    query = {**SD_QUERY, "claims": [{"path": [name]}]}
    del query["claim_sets"]
    sealed = issue_sd_jwt(
        {"vct": VCT, "iss": "urn:yinxin:issuer:990100/civil-affairs", "holder_name": "林晓"},
        {"holder_name"},
        signer=wallet.holdings.signer,
        header={"typ": "dc+sd-jwt"},
    )
    details = [
        replace(each, holding=replace(each.holding, sd_jwt_vc=sealed))
        for each in wallet.town.service.holdings(wallet.lin)
    ]
    found = offer(parse_dcql({"credentials": [query]}), details, (), wallet.view)
    assert found.answerable is answered


def test_an_answer_that_failed_may_be_tried_again_at_once(wallet: Wallet) -> None:
    """Each try is noted: the answer may have arrived."""
    request = wallet.open()
    reachable = wallet.wires.answers[RESPONSE_URI]

    def cut_off(_sent: object) -> Any:
        raise NotReached(Unreached.NO_CONNECTION)

    wallet.wires.answers[RESPONSE_URI] = cut_off
    for _ in range(2):
        with pytest.raises(NotReached):
            wallet.consent(request)
    wallet.wires.answers[RESPONSE_URI] = reachable
    wallet.consent(request)
    assert len(wallet.town.service.access_log(wallet.lin)) == 3


def test_signatures_are_for_the_choice_that_was_prepared_last(wallet: Wallet) -> None:
    """Attack: two tabs. Consent to little, then the other tab prepares much: the signatures don't fit."""
    request = wallet.open()
    option = wallet.least(request)["marriage"].option
    little = wallet.sign(request, {"marriage": Choice(option, 1)})
    wallet.sign(request, {"marriage": Choice(option, 0)})
    with pytest.raises(KeysMissing):
        wallet.service.answer(wallet.lin, request, little)
    assert [each for each in wallet.wires.sent if each.url == RESPONSE_URI] == []


@pytest.mark.parametrize("alg", ["HS256", "none", "RS256", "es256"])
def test_algorithms_that_prove_nothing(wallet: Wallet, alg: str) -> None:
    """Attack: the certificate's public key as the secret of an HMAC, or no signature at all."""
    header = {"alg": alg, "typ": "oauth-authz-req+jwt", "x5c": [b64encode(wallet.party.certificate.der).decode()]}
    parts = [b64url_encode(json.dumps(each).encode()).decode() for each in (header, wallet.party.parameters)]
    token = ".".join((*parts, "A" * 43))
    serve(wallet, token)
    assert refused(wallet) is Flaw.NOT_A_REQUEST_OBJECT


@pytest.mark.parametrize("number", [10**19, -(10**19), 1e300, True, [], {}, "1"])
@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
def test_times_beyond_reason_are_refused_or_read(wallet: Wallet, name: str, number: Any) -> None:
    wallet.party.parameters[name] = number
    try:
        wallet.open()
    except RequestRefused as err:
        flaw = err.flaw
    else:
        return
    assert flaw in (Flaw.UNREADABLE, Flaw.EXPIRED, Flaw.NOT_YET, Flaw.NOT_A_REQUEST_OBJECT)


def test_a_host_that_looks_like_another_is_shown_as_it_is_looked_up(wallet: Wallet) -> None:
    """Attack: Cyrillic letters in the address that the answer goes to."""
    fake = HOST.replace("a", "а")
    for address in (f"https://{fake}/r", f"https://{fake.encode('idna').decode()}/r"):
        parameters = {
            "client_id": f"redirect_uri:{address}",
            "response_type": "vp_token",
            "response_mode": "direct_post",
            "nonce": "n-0S6_WzA2Mj",
            "dcql_query": json.dumps({"credentials": [SD_QUERY]}),
        }
        link = "openid4vp://?" + urlencode(parameters)
        if address.isascii():
            requester = wallet.look(wallet.service.open(wallet.lin, link)).requester
            assert requester is not None
            assert "xn--" in requester.names.zh
        else:
            with pytest.raises(RequestRefused):
                wallet.service.open(wallet.lin, link)
