"""Showing what others issued: by the keys of this browser alone, the copy that was shown least, claims in words."""

from __future__ import annotations

from typing import Any

import pytest

from keys.envelopes.base64url import b64url_encode
from keys.envelopes.mdoc import ValidityInfo, issue_mdoc, parse_device_response
from keys.envelopes.sd_jwt import issue_sd_jwt, parse_sd_jwt
from keys.public_key import PublicKey
from tests.wallet_api.openid.party import Wallet, decoded
from tests.wallet_api.town import LIN, NOON
from trust_registry.model import Names
from wallet_api.openid.credentials import CredentialFormat, WalletCredential, new_id
from wallet_api.openid.refusals import ChoiceNotPossible

VCT = "https://university.example/degree"
MDL = "org.iso.18013.5.1.mDL"
NAME_SPACE = "org.iso.18013.5.1"


def collected(wallet: Wallet, format: CredentialFormat, copies: int = 2) -> None:
    """Lin has collected a credential of somebody else, for keys of her browser."""
    batch, signer = new_id(), wallet.holdings.signer
    kept = []
    for key in wallet.browser.make(copies):
        if format is CredentialFormat.SD_JWT_VC:
            claims = {"vct": VCT, "level": "doctor", "family_name": "Lin", "address": {"city": "Dongling"}}
            hidden = {"family_name", "address"}
            content = issue_sd_jwt(claims, hidden, signer=signer, header={"typ": "dc+sd-jwt"}, holder_key=key)
        else:
            validity = ValidityInfo(NOON, NOON, NOON.replace(year=2027))
            elements = {NAME_SPACE: {"family_name": "Lin", "portrait": b"\xff\xd8"}}
            chain = [wallet.holdings.certificate.der]
            signed = issue_mdoc(MDL, elements, signer=signer, chain=chain, validity=validity, device_key=key)
            content = b64url_encode(signed).decode()
        kept.append(
            WalletCredential(
                id=new_id(),
                holder_id=LIN,
                format=format,
                key_thumbprint=PublicKey.from_jwk(key).thumbprint(),
                type=VCT if format is CredentialFormat.SD_JWT_VC else MDL,
                names=Names("学位", "Degree"),
                hue="",
                issuer=Names("某大学", "A university"),
                source="https://university.example",
                own=False,
                batch=batch,
                collected_at=NOON,
                used=0,
                content=content,
                labels=(("family_name", Names("姓", "Family name")),),
            )
        )
    wallet.credentials.add_many(kept)


def ask(wallet: Wallet, format: str, meta: dict[str, Any], *paths: list[str]) -> str:
    query = {"id": "q", "format": format, "meta": meta, "claims": [{"path": path} for path in paths]}
    wallet.party.parameters["dcql_query"] = {"credentials": [query]}
    return wallet.open()


def degree(wallet: Wallet) -> str:
    return ask(wallet, "dc+sd-jwt", {"vct_values": [VCT]}, ["family_name"])


def test_a_collected_credential_is_shown_in_its_issuers_words(wallet: Wallet) -> None:
    collected(wallet, CredentialFormat.SD_JWT_VC)
    request = degree(wallet)
    offer = wallet.look(request).offer
    assert offer is not None
    (option,) = offer.queries["q"].options
    assert (option.names.en, option.issuer.en) == ("Degree", "A university")
    assert [(line.names.en, line.value) for line in option.claim_sets[0].lines] == [("Family name", "Lin")]
    assert [line.value for line in option.always] == ["doctor"]
    wallet.consent(request, confirmed=True)
    shown = parse_sd_jwt(wallet.answered["vp_token"]["q"][0]).claims
    assert set(shown) == {"vct", "level", "family_name", "cnf"}
    assert wallet.holdings.made == 0


def test_each_copy_is_shown_before_any_is_shown_again(wallet: Wallet) -> None:
    collected(wallet, CredentialFormat.SD_JWT_VC, copies=2)
    for _ in range(3):
        wallet.consent(degree(wallet), confirmed=True)
    assert sorted(each.used for each in wallet.credentials.of(LIN)) == [1, 2]


def test_a_key_in_another_browser_shows_nothing_here(wallet: Wallet) -> None:
    collected(wallet, CredentialFormat.SD_JWT_VC)
    wallet.browser.keys.clear()
    with pytest.raises(ChoiceNotPossible):
        wallet.consent(degree(wallet), confirmed=True)


def test_a_collected_mdoc_shows_only_what_is_asked(wallet: Wallet) -> None:
    collected(wallet, CredentialFormat.MDOC)
    request = ask(wallet, "mso_mdoc", {"doctype_value": MDL}, [NAME_SPACE, "family_name"])
    wallet.consent(request, confirmed=True)
    (mdoc,) = parse_device_response(decoded(wallet.answered["vp_token"]["q"][0]))
    assert mdoc.issuer_signed.elements() == {NAME_SPACE: {"family_name": "Lin"}}


def test_a_portrait_is_told_as_its_size(wallet: Wallet) -> None:
    collected(wallet, CredentialFormat.MDOC)
    offer = wallet.look(ask(wallet, "mso_mdoc", {"doctype_value": MDL}, [NAME_SPACE, "portrait"])).offer
    assert offer is not None
    assert offer.queries["q"].options[0].claim_sets[0].lines[0].value == "(2 bytes)"


def test_a_credential_of_another_type_or_path_does_not_answer(wallet: Wallet) -> None:
    collected(wallet, CredentialFormat.SD_JWT_VC)
    for request in (
        ask(wallet, "dc+sd-jwt", {"vct_values": ["https://other.example"]}, ["family_name"]),
        ask(wallet, "dc+sd-jwt", {"vct_values": [VCT]}, ["address", "street"]),
        ask(wallet, "mso_mdoc", {"doctype_value": MDL}, [NAME_SPACE, "family_name"]),
    ):
        offer = wallet.look(request).offer
        assert offer is not None
        assert not offer.answerable
