"""Whole collections: from an offer as text to credentials that the wallet keeps, with keys that stay in the browser."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from issuer.model import RenderingKind
from tests.server.real_house import ORIGIN, RealHouse, built
from tests.wallet_api.openid.collecting_world import Wallet, json_answer
from wallet_api.openid.collecting_errors import Collecting, CollectingRefused, IssuerRefused
from wallet_api.openid.collecting_store import CollectionState
from wallet_api.openid.credentials import CredentialFormat
from wallet_api.openid.held import held_cards, held_page
from wallet_api.openid.outgoing import NotReached, Unreached


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> RealHouse:
    return built(tmp_path_factory)


@pytest.fixture
def wallet(house: RealHouse) -> Wallet:
    return Wallet(house)


def test_an_offer_by_reference_is_collected_in_both_formats(wallet: Wallet) -> None:
    step = wallet.collect(wallet.offer().by_reference)
    assert step.collection.state is CollectionState.DONE
    kept = [wallet.credentials.get(wallet.holder, each) for each in step.kept]
    assert {each.format for each in kept} == set(CredentialFormat)
    assert all(each.key_thumbprint in wallet.browser.signers for each in kept)
    assert len({each.key_thumbprint for each in kept}) == len(kept), "a key is for one credential"
    assert {each.names.zh for each in kept} == {"结婚证"}
    assert not kept[0].own
    bound = {each.key_thumbprint for each in kept}
    assert set(step.unused) == set(wallet.browser.signers) - bound


def test_an_offer_by_value_in_one_format_is_collected(wallet: Wallet) -> None:
    offer = wallet.offer(kinds=(RenderingKind.MDOC,))
    step = wallet.collect(offer.by_value)
    assert {wallet.credentials.get(wallet.holder, each).format for each in step.kept} == {CredentialFormat.MDOC}
    assert "offers" not in {path.split("/")[-2] for _, path, _, _ in wallet.outgoing.asked}


def test_a_haip_link_is_an_offer_too(wallet: Wallet) -> None:
    text = wallet.offer().by_reference.replace("openid-credential-offer:", "haip-vci:")
    assert wallet.collect(text).collection.state is CollectionState.DONE


def test_the_issuer_is_known_by_the_list_and_says_so_before_anything_is_asked_for(wallet: Wallet) -> None:
    begun = wallet.begin(wallet.offer().by_reference)
    looked = wallet.collector.look(begun)
    assert looked.party.known
    assert looked.party.names.zh == "东岭区民政局"
    assert "token" not in wallet.outgoing.paths()


def test_tokens_are_bound_to_a_key_and_the_issuer_is_told_how_it_ended(wallet: Wallet) -> None:
    wallet.collect(wallet.offer().by_reference)
    sent = {path.rpartition("/")[2]: (headers, body) for _, path, headers, body in wallet.outgoing.asked}
    assert "DPoP" in sent["token"][0]
    assert sent["credential"][0]["Authorization"].startswith("DPoP ")
    told = json.loads(sent["notification"][1])
    assert told["event"] == "credential_accepted"


def test_a_collection_survives_a_restart_and_its_secrets_are_sealed(wallet: Wallet) -> None:
    begun = wallet.begin(wallet.offer().by_reference)
    step = wallet.start(begun)
    token = wallet.store.get(wallet.holder, begun.id).told["token"]
    another = Wallet(wallet.house)  # another process over the same database
    another.browser = wallet.browser
    with wallet.store._engine.connect() as connection:
        row = connection.exec_driver_sql("SELECT sealed FROM wallet_collections WHERE id = ?", (begun.id,)).one()
    assert token.encode() not in bytes(row[0])
    assert another.finish(step).collection.state is CollectionState.DONE
    told = wallet.store.get(wallet.holder, begun.id).told
    assert not {"token", "dpop", "refresh", "proofs"} & set(told), "secrets outlive their use"
    assert token not in json.dumps(told)


def test_after_ten_minutes_it_is_over(wallet: Wallet) -> None:
    begun = wallet.begin(wallet.offer().by_reference)
    with wallet.house.clock.later(timedelta(minutes=11)), pytest.raises(CollectingRefused) as caught:
        wallet.start(begun)
    assert caught.value.problem is Collecting.OVER


def test_another_citizen_does_not_find_it(wallet: Wallet) -> None:
    begun = wallet.begin(wallet.offer().by_reference)
    with pytest.raises(CollectingRefused) as caught:
        wallet.collector.get("somebody-else", begun.id)
    assert caught.value.problem is Collecting.UNKNOWN


class TestTransactionCode:
    def test_it_is_asked_for_as_the_offer_describes_it(self, wallet: Wallet) -> None:
        offer = wallet.offer(with_pin=True)
        described = wallet.collector.look(wallet.begin(offer.by_reference)).transaction_code
        assert described.numeric
        assert described.length == 6
        assert wallet.collect(offer.by_reference, offer.tx_code).collection.state is CollectionState.DONE

    @pytest.mark.parametrize("typed", [None, "", "12345", "1234567", "12a456"])
    def test_what_can_not_be_it_is_not_sent(self, wallet: Wallet, typed: str | None) -> None:
        begun = wallet.begin(wallet.offer(with_pin=True).by_reference)
        with pytest.raises(CollectingRefused) as caught:
            wallet.start(begun, typed)
        assert caught.value.problem is Collecting.TX_CODE_NEEDED
        assert "token" not in wallet.outgoing.paths()

    def test_a_wrong_one_may_be_corrected(self, wallet: Wallet) -> None:
        offer = wallet.offer(with_pin=True)
        begun = wallet.begin(offer.by_reference)
        with pytest.raises(IssuerRefused) as caught:
            wallet.start(begun, "000000" if offer.tx_code != "000000" else "111111")
        assert caught.value.code == "invalid_grant"
        assert wallet.finish(wallet.start(begun, offer.tx_code)).collection.state is CollectionState.DONE

    def test_five_wrong_ones_end_it(self, wallet: Wallet) -> None:
        offer = wallet.offer(with_pin=True)
        begun = wallet.begin(offer.by_reference)
        for _ in range(5):
            with pytest.raises(IssuerRefused):
                wallet.start(begun, "000000" if offer.tx_code != "000000" else "111111")
        assert wallet.store.get(wallet.holder, begun.id).state is CollectionState.FAILED
        assert wallet.issuing.offers.state(offer.id).value == "locked"


class TestAuthorizationCode:
    def sent_away(self, wallet: Wallet):
        offer = wallet.offer(grant="authorization_code")
        begun = wallet.begin(offer.by_reference)
        step = wallet.start(begun)
        assert step.redirect is not None
        return begun, step.redirect

    def authorized(self, wallet: Wallet, redirect: str) -> dict[str, str]:
        """The citizen allows it on the issuer's own page; what comes back in the query."""
        client = wallet.house.signed_in("lin.xiao")
        parts = urlsplit(redirect)
        page = client.get(f"{parts.path}?{parts.query}", headers={"accept": "text/html"})
        assert page.status_code == 200, page.text
        form = {"answer": "allow", "csrf_token": client.headers["X-CSRF-Token"]}
        form |= {"certificate.0": wallet.marriage}
        allowed = client.post(page.url.path, data=form, headers={"accept": "text/html"}, follow_redirects=False)
        assert allowed.status_code == 303, allowed.text
        back = urlsplit(allowed.headers["location"])
        assert f"{back.scheme}://{back.netloc}{back.path}" == f"{ORIGIN}/wallet/openid4vci/callback"
        return {name: values[0] for name, values in parse_qs(back.query).items()}

    def test_the_citizen_allows_it_at_the_issuer_and_comes_back(self, wallet: Wallet) -> None:
        begun, redirect = self.sent_away(wallet)
        query = parse_qs(urlsplit(redirect).query)
        assert set(query) == {"client_id", "request_uri"}, "pushed (RFC 9126): nothing else is in the browser"
        collection = wallet.collector.returned(wallet.holder, self.authorized(wallet, redirect))
        assert collection.state is CollectionState.AUTHORIZED
        step = wallet.collector.start(wallet.holder, begun.id, [])
        done = wallet.finish(step)
        assert done.collection.state is CollectionState.DONE
        assert done.kept

    @pytest.mark.parametrize("iss", ["https://attacker.example", None, ""])
    def test_mix_up_an_answer_of_another_server_is_refused(self, wallet: Wallet, iss: str | None) -> None:
        begun, redirect = self.sent_away(wallet)
        answer = {**self.authorized(wallet, redirect), "iss": iss}
        if iss is None:
            del answer["iss"]
        before = len(wallet.outgoing.asked)
        with pytest.raises(CollectingRefused) as caught:
            wallet.collector.returned(wallet.holder, answer)
        assert caught.value.problem is Collecting.MIXED_UP
        assert len(wallet.outgoing.asked) == before, "the code was sent somewhere"
        assert wallet.store.get(wallet.holder, begun.id).state is CollectionState.FAILED

    def test_a_state_that_nobody_sent_is_refused(self, wallet: Wallet) -> None:
        self.sent_away(wallet)
        with pytest.raises(CollectingRefused) as caught:
            wallet.collector.returned(wallet.holder, {"state": "invented", "code": "x"})
        assert caught.value.problem is Collecting.UNKNOWN

    def test_a_state_of_another_citizen_is_refused(self, wallet: Wallet) -> None:
        _, redirect = self.sent_away(wallet)
        answer = self.authorized(wallet, redirect)
        with pytest.raises(CollectingRefused) as caught:
            wallet.collector.returned("somebody-else", answer)
        assert caught.value.problem is Collecting.UNKNOWN

    def test_an_answer_counts_once(self, wallet: Wallet) -> None:
        _, redirect = self.sent_away(wallet)
        answer = self.authorized(wallet, redirect)
        wallet.collector.returned(wallet.holder, answer)
        with pytest.raises(CollectingRefused) as caught:
            wallet.collector.returned(wallet.holder, answer)
        assert caught.value.problem is Collecting.UNKNOWN

    def test_access_denied_is_told(self, wallet: Wallet) -> None:
        begun, _ = self.sent_away(wallet)
        server = wallet.store.get(wallet.holder, begun.id).told["server"]["issuer"]
        state = "s"
        wallet.store.change(wallet.store.get(wallet.holder, begun.id), state_value=state)
        with pytest.raises(IssuerRefused) as caught:
            wallet.collector.returned(wallet.holder, {"state": state, "iss": server, "error": "access_denied"})
        assert caught.value.words.en.startswith("The authorization was refused")


class TestNonces:
    def test_fresh_ones_are_asked_for_when_they_have_run_out(self, wallet: Wallet) -> None:
        begun = wallet.begin(wallet.offer().by_reference)
        step = wallet.start(begun)
        wallet.house.clock.now += timedelta(minutes=6)
        try:
            again = wallet.finish(step)
            assert again.collection.state is CollectionState.SIGNING
            assert {each.data for each in again.to_sign}.isdisjoint(each.data for each in step.to_sign)
            assert wallet.finish(again).collection.state is CollectionState.DONE
        finally:
            wallet.house.clock.now -= timedelta(minutes=6)

    def test_a_server_that_asks_for_a_dpop_nonce_gets_one(self, wallet: Wallet) -> None:
        asked = []

        def want_nonce(method, path, answer):
            if path.endswith("/token") and len(asked) == 0:
                asked.append(path)
                return json_answer({"error": "use_dpop_nonce"}, 400, dpop_nonce="a-nonce")
            return answer

        wallet.outgoing.alter = want_nonce
        offer = wallet.offer()
        begun = wallet.begin(offer.by_value)
        with pytest.raises(IssuerRefused):  # the application took the first request, so the code is used
            wallet.start(begun)
        proofs = [headers["DPoP"] for _, path, headers, _ in wallet.outgoing.asked if path.endswith("/token")]
        assert len(proofs) == 2
        assert "a-nonce" in _payload(proofs[1])["nonce"]
        assert "nonce" not in _payload(proofs[0])


class TestBrowser:
    def test_keys_that_are_not_p256_or_private_or_twice_are_refused(self, wallet: Wallet) -> None:
        begun = wallet.begin(wallet.offer().by_reference)
        (key,) = wallet.browser.keys(1)
        for keys in ([], [key, key], [{**key, "d": "AA"}], [{"kty": "OKP", "crv": "Ed25519", "x": key["x"]}], [{}]):
            with pytest.raises(CollectingRefused) as caught:
                wallet.collector.start(wallet.holder, begun.id, keys)
            assert caught.value.problem is Collecting.KEYS_UNFIT

    def test_a_signature_by_another_key_is_not_sent(self, wallet: Wallet) -> None:
        step = wallet.start(wallet.begin(wallet.offer().by_reference))
        signatures = wallet.browser.sign(step)
        first, second = list(signatures)[:2]
        swapped = {**signatures, first: signatures[second]}
        for wrong in (swapped, {}, {**signatures, first: "!"}):
            with pytest.raises(CollectingRefused) as caught:
                wallet.collector.finish(wallet.holder, step.collection.id, wrong)
            assert caught.value.problem is Collecting.SIGNATURE_UNFIT
        assert "credential" not in wallet.outgoing.paths()
        assert wallet.finish(step).collection.state is CollectionState.DONE, "it may be put right"

    def test_nothing_is_done_twice(self, wallet: Wallet) -> None:
        step = wallet.start(wallet.begin(wallet.offer().by_reference))
        wallet.finish(step)
        for again in (lambda: wallet.finish(step), lambda: wallet.start(step.collection)):
            with pytest.raises(CollectingRefused) as caught:
                again()
            assert caught.value.problem is Collecting.OUT_OF_ORDER


def test_a_network_that_fails_half_way_leaves_nothing_and_may_be_tried_again(wallet: Wallet) -> None:
    begun = wallet.begin(wallet.offer().by_reference)
    step = wallet.start(begun)
    before = len(wallet.credentials.of(wallet.holder))

    def cut(method, path, answer):
        if path.endswith("/credential"):
            raise NotReached(Unreached.TOO_SLOW, "127.0.0.1")
        return answer

    wallet.outgoing.alter = cut
    with pytest.raises(NotReached):
        wallet.finish(step)
    assert len(wallet.credentials.of(wallet.holder)) == before
    wallet.outgoing.alter = lambda method, path, answer: answer
    again = wallet.collector.start(wallet.holder, begun.id, [])
    assert wallet.finish(again).collection.state is CollectionState.DONE


def test_cards_join_formats_and_copies_and_can_be_forgotten(wallet: Wallet) -> None:
    with wallet.house.clock.later(timedelta(seconds=7)):
        step = wallet.collect(wallet.offer().by_reference)
    credentials = wallet.credentials.of(wallet.holder)
    (card,) = [each for each in held_cards(credentials) if step.kept[0] in each.ids]
    assert set(card.ids) == set(step.kept)
    assert card.formats == ("SD-JWT VC", "mdoc")
    page = held_page(credentials, card, wallet.house.view)
    assert page.signed
    assert page.listed
    rows = {row.names.zh: row for row in page.rows}
    assert rows["持证人姓名"].text == "林晓"
    assert rows["持证人身份证件号"].veiled, "nobody reads an identity number over a shoulder"
    assert wallet.credentials.forget(wallet.holder, card.ids) == len(card.ids)
    assert held_cards([replace(each, own=True) for each in credentials]) == ()


def _payload(token: str) -> dict[str, object]:
    from keys.envelopes.jws import parse_jws

    found: dict[str, object] = json.loads(parse_jws(token).payload)
    return found
