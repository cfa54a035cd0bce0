"""Our issuer that insists on attested wallets and keys, our hosted wallet with its provider; and those it refuses.

Spec: OpenID4VCI 1.0 annexes D and E; HAIP 1.0, "Wallet Attestation" and "Key Attestation".
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from keys.algorithms import ES256
from keys.envelopes.base64url import b64url_decode
from keys.public_key import PublicKey
from keys.signer import EphemeralSigner
from keys.x509 import Profile
from server.demo.people import ZHOU
from server.errors import InvalidSettings
from server.wallet_provider import WalletProvider, open_wallet_provider
from tests.server.real_house import CIVIL_AFFAIRS, ORIGIN, RealHouse, built
from tests.wallet_api.openid.collecting_world import Wallet
from wallet_api.openid.attesting import ATTESTATION_HEADER, CHALLENGE_HEADER, POP_HEADER, Attester
from wallet_api.openid.collecting_errors import CollectingRefused, IssuerRefused
from wallet_api.openid.collecting_store import CollectionState
from wallet_api.openid.outgoing import Answer

ISSUER = f"{ORIGIN}/issuers/{CIVIL_AFFAIRS}"
TOKEN, PAR, CREDENTIAL = (f"/issuers/{CIVIL_AFFAIRS}/{name}" for name in ("token", "par", "credential"))


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> RealHouse:
    return built(tmp_path_factory)


@pytest.fixture(scope="module")
def provider(house: RealHouse) -> WalletProvider:
    """The demonstration's."""
    found = open_wallet_provider(opened(house))
    assert found is not None
    return found


def opened(house: RealHouse, **settings: Any) -> Any:
    changed = house.settings.model_copy(update=settings)
    return SimpleNamespace(settings=changed, signers=lambda uri: house.key(uri.partition("/keys/")[2][:-4]))


@pytest.fixture
def strict(house: RealHouse) -> Iterator[None]:
    """The issuer takes attested wallets and attested keys alone."""
    service = house.house.protocols["issuer.openid4vci"]
    parts = (service.attestations, "required", True), (service.credentials, "attested", True)
    required = {"key_attestations_required": {}}
    metadata = service.credentials.metadata
    before, metadata._required = metadata._required, required
    for part, name, value in parts:
        object.__setattr__(part, name, value)
    yield
    metadata._required = before
    for part, name, value in parts:
        object.__setattr__(part, name, not value)


def wallet_of(house: RealHouse, attester: Attester | None) -> Wallet:
    made = Wallet(house, ZHOU)
    made.collector._client.attester = attester
    return made


def jwt(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    header, body, _ = token.split(".")
    return json.loads(b64url_decode(header.encode())), json.loads(b64url_decode(body.encode()))


def sent(wallet: Wallet, path: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """The claims of attestation and proof of possession in each request there."""
    headers = [found for _, asked, found, _ in wallet.outgoing.asked if asked == path]
    return [(jwt(each[ATTESTATION_HEADER])[1], jwt(each[POP_HEADER])[1]) for each in headers]


@pytest.mark.usefixtures("strict")
def test_the_hosted_wallet_is_attested_and_so_are_its_keys(house: RealHouse, provider: WalletProvider) -> None:
    wallet = wallet_of(house, provider)
    step = wallet.collect(wallet.offer().by_value)
    assert step.collection.state is CollectionState.DONE
    assert len(step.kept) == 10, "five copies in each format"
    (attestation, pop) = sent(wallet, TOKEN)[0]
    assert (attestation["sub"], pop["aud"]) == (f"{ORIGIN}/wallet", ISSUER)
    assert pop["challenge"], "the server told one"
    bodies = [json.loads(body or b"") for _, path, _, body in wallet.outgoing.asked if path == CREDENTIAL]
    for body in bodies:
        (proof,) = body["proofs"]["jwt"]
        header, claims = jwt(proof)
        _, attested = jwt(header["key_attestation"])
        assert len(attested["attested_keys"]) == 5, "one attestation for all keys (HAIP 1.0)"
        assert header["jwk"] in attested["attested_keys"]
        assert attested["nonce"] == claims["nonce"]
        assert "key_storage" not in attested, "nobody has rated a browser"


@pytest.mark.usefixtures("strict")
def test_the_hosted_wallet_is_attested_when_the_citizen_signs_in(house: RealHouse, provider: WalletProvider) -> None:
    """HAIP 1.0: at PAR and token endpoint alike; client_id is the attestation's sub."""
    wallet = wallet_of(house, provider)
    begun = wallet.begin(wallet.offer(grant="authorization_code").by_value)
    step = wallet.start(begun)
    assert step.redirect is not None
    service = wallet.issuing.authorization
    tenant = wallet.issuing.tenants.find(CIVIL_AFFAIRS)
    uri = dict(pair.split("=") for pair in step.redirect.partition("?")[2].split("&"))["request_uri"]
    page = service.open(tenant, f"{ORIGIN}/wallet", uri.replace("%3A", ":"))
    waiting = service.waiting(tenant, page)
    assert waiting.request.client_key, "the consent page says: attested"
    where = service.allow(waiting, wallet.holder, [wallet.marriage])
    answer = dict(pair.split("=", 1) for pair in where.partition("?")[2].split("&"))
    answer["iss"] = ISSUER
    wallet.collector.returned(wallet.holder, answer)
    done = wallet.finish(wallet.collector.start(wallet.holder, begun.id, []))
    assert done.collection.state is CollectionState.DONE
    pushed, token = sent(wallet, PAR)[0], sent(wallet, TOKEN)[0]
    assert pushed[0]["cnf"] == token[0]["cnf"], "the code is the attested instance's"
    assert pushed[1]["jti"] != token[1]["jti"]


def test_every_collection_has_an_instance_key_of_its_own(house: RealHouse, provider: WalletProvider) -> None:
    """HAIP 1.0: nothing that is unique to a wallet instance goes from one issuer to another."""
    wallet = wallet_of(house, provider)
    for _ in range(2):
        wallet.collect(wallet.offer().by_value)
    first, second = (claims for claims, _ in sent(wallet, TOKEN))
    assert first["cnf"] != second["cnf"]
    shared = {"iss", "sub", "wallet_name", "wallet_link", "iat", "exp"}
    assert set(first) == {*shared, "cnf"}
    assert {name: first[name] for name in shared} == {name: second[name] for name in shared}


def test_keys_of_a_collection_that_is_over_are_forgotten(house: RealHouse, provider: WalletProvider) -> None:
    wallet = wallet_of(house, provider)
    done = wallet.collect(wallet.offer().by_value).collection
    kept = wallet.store.get(wallet.holder, done.id)
    assert kept is not None
    assert not {"instance", "challenge", "dpop"} & set(kept.told)


def test_a_wallet_without_provider_collects_where_none_is_required(house: RealHouse) -> None:
    wallet = wallet_of(house, None)
    assert wallet.collect(wallet.offer().by_value).collection.state is CollectionState.DONE
    assert not any(ATTESTATION_HEADER in headers for _, _, headers, _ in wallet.outgoing.asked)


@pytest.mark.usefixtures("strict")
def test_a_wallet_without_provider_is_told_before_anything_is_used_up(house: RealHouse) -> None:
    wallet = wallet_of(house, None)
    with pytest.raises(CollectingRefused, match="nothing_to_keep"):
        wallet.begin(wallet.offer().by_value)


@pytest.mark.usefixtures("strict")
def test_keys_that_must_be_stored_in_hardware_are_left_out(house: RealHouse, provider: WalletProvider) -> None:
    """Section 12.2.4: an issuer's demand on key_storage that nobody here can vouch for."""
    metadata = house.house.protocols["issuer.openid4vci"].credentials.metadata
    metadata._required = {"key_attestations_required": {"key_storage": ["iso_18045_high"]}}
    wallet = wallet_of(house, provider)
    with pytest.raises(CollectingRefused, match="nothing_to_keep"):
        wallet.begin(wallet.offer().by_value)


class Rogue:
    """A provider whose certificate leads to nobody's anchor here, or the right one on a bad day."""

    def __init__(self, wallets: Attester, keys: Attester) -> None:
        self._wallets, self._keys = wallets, keys

    def wallet(self, key: PublicKey, client_id: str, at: datetime) -> str:
        return self._wallets.wallet(key, client_id, at)

    def keys(self, keys: Any, nonce: str | None, at: datetime) -> str:
        return self._keys.keys(keys, nonce, at)


class Late:
    """Attests what has expired."""

    def __init__(self, provider: WalletProvider) -> None:
        self._provider = provider

    def wallet(self, key: PublicKey, client_id: str, at: datetime) -> str:
        return self._provider.wallet(key, client_id, at - timedelta(hours=1))

    def keys(self, keys: Any, nonce: str | None, at: datetime) -> str:
        return self._provider.keys(keys, nonce, at - timedelta(days=400))


def another(house: RealHouse, provider: WalletProvider) -> WalletProvider:
    """All as it should be, certified by a CA that is nobody's wallet provider."""
    signer = EphemeralSigner.generate(ES256)
    return replace(provider, signer=signer, chain=(house.certify(Profile.WALLET_PROVIDER, signer),))


@pytest.mark.usefixtures("strict")
@pytest.mark.parametrize("how", ["another", "late"])
def test_a_wallet_that_nobody_trusted_attests_is_invalid_client(
    house: RealHouse, provider: WalletProvider, how: str
) -> None:
    bad: Attester = another(house, provider) if how == "another" else Late(provider)
    wallet = wallet_of(house, Rogue(bad, provider))
    with pytest.raises(IssuerRefused) as refused:
        wallet.start(wallet.begin(wallet.offer().by_value))
    assert refused.value.code == "invalid_client"


@pytest.mark.usefixtures("strict")
@pytest.mark.parametrize("how", ["another", "late"])
def test_keys_that_nobody_trusted_attests_are_invalid_proof(
    house: RealHouse, provider: WalletProvider, how: str
) -> None:
    bad: Attester = another(house, provider) if how == "another" else Late(provider)
    wallet = wallet_of(house, Rogue(provider, bad))
    with pytest.raises(IssuerRefused) as refused:
        wallet.collect(wallet.offer().by_value)
    assert refused.value.code == "invalid_proof"


@pytest.mark.usefixtures("strict")
def test_a_proof_of_possession_works_once(house: RealHouse, provider: WalletProvider) -> None:
    """The attack: somebody sends the same headers again, for a code of their own."""
    wallet = wallet_of(house, provider)
    wallet.collect(wallet.offer().by_value)
    (headers,) = [found for _, path, found, _ in wallet.outgoing.asked if path == TOKEN]
    stolen = {name: headers[name] for name in (ATTESTATION_HEADER, POP_HEADER)}
    form = {"grant_type": "refresh_token", "refresh_token": "x"}
    answer = house.client().post(TOKEN, data=form, headers=stolen)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_a_stale_challenge_is_cured_once(house: RealHouse, provider: WalletProvider) -> None:
    """Draft 07, section 8: use_attestation_challenge comes with a fresh one; a server that nags is not obeyed."""
    wallet = wallet_of(house, provider)
    nagged: list[str] = []

    def nag(_method: str, path: str, answer: Answer) -> Answer:
        if path != TOKEN:
            return answer
        nagged.append(path)
        body = json.dumps({"error": "use_attestation_challenge"}).encode()
        return Answer(400, {"content-type": "application/json", CHALLENGE_HEADER: f"c{len(nagged)}"}, body)

    wallet.outgoing.alter = nag
    with pytest.raises(IssuerRefused) as refused:
        wallet.start(wallet.begin(wallet.offer().by_value))
    assert refused.value.code == "use_attestation_challenge"
    (first, second) = sent(wallet, TOKEN)
    assert second[1]["challenge"] == "c1"
    assert first[1]["jti"] != second[1]["jti"]


def test_key_and_certificate_belong_together(house: RealHouse) -> None:
    assert open_wallet_provider(opened(house, wallet_provider_key="")) is None
    with pytest.raises(InvalidSettings, match="no file"):
        open_wallet_provider(opened(house, wallet_provider_certificate=house.folder / "nothing.pem"))
    with pytest.raises(InvalidSettings, match="wallet_provider_key"):
        open_wallet_provider(opened(house, wallet_provider_certificate=house.folder / "wallet-providers.pem"))


def test_the_house_itself_uses_its_provider(house: RealHouse) -> None:
    client = house.house.protocols["wallet_api.openid"].collecting._client
    assert isinstance(client.attester, WalletProvider)
    metadata = house.client().get(f"/.well-known/oauth-authorization-server/issuers/{CIVIL_AFFAIRS}").json()
    assert metadata["token_endpoint_auth_methods_supported"] == ["attest_jwt_client_auth", "none"]
    types = house.client().get(f"/.well-known/openid-credential-issuer/issuers/{CIVIL_AFFAIRS}").json()
    (first, *_) = types["credential_configurations_supported"].values()
    assert set(first["proof_types_supported"]) == {"jwt", "attestation"}
