"""Request objects: every MUST on the verifier's side of OpenID4VP 1.0 section 5, of RFC 9101 and of HAIP section 5."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtensionOID
from fastapi.testclient import TestClient

from tests.verifier.openid4vp.conftest import BROWSER, CLERK, FORM, ORIGIN, Counter
from tests.verifier.openid4vp.wallet import read_link, read_request, unb64url
from tests.verifier.small_world import DAY, HALL, NOW, TRANSFER, granted, then
from trust_registry.model import EntryReason, EntryStatus, RelyingPartyId, ScenarioId
from verifier.dcql import parse_dcql
from verifier.errors import InvalidRequest, RequestNotFound, RequestsNotOffered
from verifier.openid4vp.model import ClientIdPrefix, RequestState, ResponseMode
from verifier.openid4vp.responses import MAX_FETCH


class TestTheUri:
    def test_5_1_names_the_client_and_where_the_request_is(self, counter: Counter) -> None:
        begun = counter.begin()
        link = read_link(begun.uri)
        assert link.method == "post"
        assert link.request_uri.startswith(f"{ORIGIN}/openid4vp/requests/")
        assert len(urlsplit(link.request_uri).path.rpartition("/")[2]) >= 43  # 256 bits
        assert begun.qr_uri == begun.uri

    def test_5_9_3_x509_hash(self, counter: Counter) -> None:
        assert read_link(counter.begin().uri).client_id.startswith("x509_hash:")

    def test_5_9_3_x509_san_dns(self, counter: Counter) -> None:
        link = read_link(counter.begin(prefix=ClientIdPrefix.X509_SAN_DNS).uri)
        assert link.client_id == "x509_san_dns:hall.example"

    def test_5_9_3_a_host_that_the_certificate_does_not_name(self, counter: Counter) -> None:
        counter.requests._origin = "https://other.example"
        with pytest.raises(RequestsNotOffered):
            counter.begin(prefix=ClientIdPrefix.X509_SAN_DNS)

    def test_the_dc_api_is_no_redirect(self, counter: Counter) -> None:
        with pytest.raises(ValueError, match="begin_dc_api"):
            counter.begin(mode=ResponseMode.DC_API_JWT)


class TestTheRequestObject:
    def test_its_members(self, counter: Counter) -> None:
        begun = counter.begin()
        asked = counter.fetch(begun)
        claims = asked.claims
        assert claims["aud"] == "https://self-issued.me/v2"
        assert claims["response_mode"] == "direct_post.jwt"
        assert "redirect_uri" not in claims
        assert claims["iat"] == int(NOW.timestamp())
        assert claims["exp"] == int(begun.expires_at.timestamp())
        parse_dcql(claims["dcql_query"])
        (info,) = claims["verifier_info"]
        assert info["format"] == "yinxin_registration"
        assert info["data"] == {"relying_party": HALL, "scenario": TRANSFER, "list": f"{ORIGIN}/trust/990200"}

    def test_5_2_nonce_and_state_are_fresh_and_url_safe(self, counter: Counter) -> None:
        one, other = counter.ask()[1].claims, counter.ask()[1].claims
        for name in ("nonce", "state"):
            assert one[name] != other[name]
            assert len(one[name]) >= 43
            assert set(one[name]) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
        assert one["response_uri"] != other["response_uri"]

    def test_haip_5_a_signed_request_with_the_leaf_alone(self, counter: Counter) -> None:
        certificate = counter.ask()[1].certificate
        assert certificate.issuer != certificate.subject
        usage = certificate.extensions.get_extension_for_oid(ExtensionOID.EXTENDED_KEY_USAGE).value
        assert isinstance(usage, x509.ExtendedKeyUsage)
        assert [each.dotted_string for each in usage] == ["1.0.18013.5.1.6"]

    def test_haip_5_encryption_metadata(self, counter: Counter) -> None:
        one, other = (counter.ask()[1].claims["client_metadata"] for _ in range(2))
        (key,) = one["jwks"]["keys"]
        assert (key["kty"], key["crv"], key["use"], key["alg"]) == ("EC", "P-256", "enc", "ECDH-ES")
        assert key["kid"]
        assert "d" not in key
        assert key["x"] != other["jwks"]["keys"][0]["x"]
        assert one["encrypted_response_enc_values_supported"] == ["A128GCM", "A256GCM"]
        assert set(one["vp_formats_supported"]) == {"dc+sd-jwt", "mso_mdoc"}
        assert -65537 in one["vp_formats_supported"]["mso_mdoc"]["deviceauth_alg_values"]

    def test_5_1_no_encryption_metadata_where_nothing_is_encrypted(self, counter: Counter) -> None:
        metadata = counter.ask(mode=ResponseMode.DIRECT_POST)[1].claims["client_metadata"]
        assert set(metadata) == {"vp_formats_supported"}

    def test_a_request_that_is_fetched_again_is_the_same(self, counter: Counter) -> None:
        begun = counter.begin()
        assert counter.fetch(begun).claims == counter.fetch(begun).claims


class TestFetching:
    def get(self, counter: Counter) -> tuple[Any, str]:
        begun = counter.begin()
        return begun, read_link(begun.uri).request_uri

    def test_5_10_2_the_media_type(self, counter: Counter) -> None:
        answer = counter.http.get(self.get(counter)[1])
        assert answer.headers["content-type"] == "application/oauth-authz-req+jwt"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["access-control-allow-origin"] == "*"

    def test_5_10_by_post_with_a_wallet_nonce(self, counter: Counter) -> None:
        begun, uri = self.get(counter)
        metadata = {"vp_formats_supported": {"dc+sd-jwt": {}}, "new": 1}
        answer = counter.http.post(uri, data={"wallet_nonce": "qPmx", "wallet_metadata": json.dumps(metadata)})
        assert answer.headers["content-type"] == "application/oauth-authz-req+jwt"
        claims = read_request(answer.text).claims
        assert claims["wallet_nonce"] == "qPmx"
        assert claims["aud"] == "https://self-issued.me/v2"
        assert counter.look(begun).state is RequestState.FETCHED

    def test_5_10_without_parameters(self, counter: Counter) -> None:
        answer = counter.http.post(self.get(counter)[1], headers={"content-type": FORM})
        assert "wallet_nonce" not in read_request(answer.text).claims

    def test_5_10_without_body_and_content_type(self, counter: Counter) -> None:
        answer = counter.http.post(self.get(counter)[1])
        assert "wallet_nonce" not in read_request(answer.text).claims

    def test_5_8_aud_is_the_wallets_issuer_where_it_says_who_it_is(self, counter: Counter) -> None:
        metadata = json.dumps({"issuer": "https://wallet.example"})
        answer = counter.http.post(self.get(counter)[1], data={"wallet_metadata": metadata})
        assert read_request(answer.text).claims["aud"] == "https://wallet.example"

    @pytest.mark.parametrize(
        "form",
        [{"wallet_metadata": "x"}, {"wallet_metadata": "[]"}, {"wallet_metadata": '{"a":1,"a":2}'}],
        ids=str,
    )
    def test_5_10_metadata_that_is_none(self, counter: Counter, form: dict[str, str]) -> None:
        begun, uri = self.get(counter)
        answer = counter.http.post(uri, data=form)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
        assert counter.look(begun).state is RequestState.WAITING

    def test_5_10_the_content_type(self, counter: Counter) -> None:
        answer = counter.http.post(self.get(counter)[1], json={"wallet_nonce": "x"})
        assert (answer.status_code, answer.json()["error"]) == (415, "invalid_request")

    def test_an_oversized_body(self, counter: Counter) -> None:
        answer = counter.http.post(self.get(counter)[1], data={"wallet_nonce": "x" * MAX_FETCH})
        assert (answer.status_code, answer.json()["error"]) == (413, "invalid_request")

    def test_only_while_it_is_valid(self, counter: Counter) -> None:
        begun, uri = self.get(counter)
        counter.later(timedelta(minutes=10))
        answer = counter.http.get(uri)
        assert (answer.status_code, answer.json()["error"]) == (404, "invalid_request")
        assert counter.http.post(uri, headers={"content-type": FORM}).status_code == 404
        assert counter.look(begun).state is RequestState.EXPIRED

    def test_not_once_it_was_answered(self, counter: Counter) -> None:
        begun, uri = self.get(counter)
        counter.shown(begun, counter.fetch(begun))
        assert counter.http.get(uri).status_code == 404

    def test_an_unknown_one(self, counter: Counter) -> None:
        assert counter.http.get("/openid4vp/requests/unknown").status_code == 404

    def test_preflight(self, counter: Counter) -> None:
        answer = counter.http.options(self.get(counter)[1])
        assert answer.status_code == 204
        assert "content-type" in answer.headers["access-control-allow-headers"].lower()


class TestWhoMayAsk:
    @pytest.mark.parametrize("party", [None, RelyingPartyId("990200/other")])
    def test_a_party_without_a_key_here(self, counter: Counter, party: RelyingPartyId | None) -> None:
        assert not counter.requests.offered(party)
        with pytest.raises(RequestsNotOffered):
            counter.requests.begin(replace(CLERK, relying_party_id=party), TRANSFER, browser=BROWSER)

    def test_a_party_that_was_withdrawn(self, counter: Counter) -> None:
        counter.world.party_history = then(granted(), EntryStatus.WITHDRAWN, NOW - DAY)
        with pytest.raises(RequestsNotOffered):
            counter.begin()

    def test_a_key_that_was_withdrawn(self, counter: Counter) -> None:
        counter.access_history = then(granted(), EntryStatus.WITHDRAWN, NOW - DAY, EntryReason.KEY_COMPROMISE)
        with pytest.raises(RequestsNotOffered):
            counter.begin()

    def test_a_certificate_that_has_expired(self, counter: Counter) -> None:
        counter.later(400 * DAY)
        with pytest.raises(RequestsNotOffered):
            counter.begin()

    def test_a_region_that_is_not_there(self, counter: Counter) -> None:
        counter.trust = replace(counter.world.view(), lists={})
        with pytest.raises(RequestsNotOffered):
            counter.begin()

    def test_a_scenario_that_is_not_listed(self, counter: Counter) -> None:
        assert counter.requests.offered(HALL)
        with pytest.raises(InvalidRequest):
            counter.requests.begin(CLERK, ScenarioId("990200/none"), browser=BROWSER)

    def test_another_browser_sees_nothing(self, counter: Counter) -> None:
        begun = counter.begin()
        with pytest.raises(RequestNotFound):
            counter.requests.look(begun.id, "another browser")
        with pytest.raises(RequestNotFound):
            counter.requests.look("unknown", BROWSER)

    def test_what_was_shown_is_for_that_browser_alone(self, counter: Counter) -> None:
        begun, asked = counter.ask()
        with pytest.raises(RequestNotFound):
            counter.requests.presentations(begun.id, BROWSER)
        counter.shown(begun, asked)
        (text,) = counter.requests.presentations(begun.id, BROWSER)
        assert text.count("~") == 2
        with pytest.raises(RequestNotFound):
            counter.requests.presentations(begun.id, "another browser")


def test_logs_and_metrics_get_the_routes_template(counter: Counter) -> None:
    """Its path has the token, which is a secret."""
    seen = []

    async def watching(scope: Any, receive: Any, send: Any) -> None:
        await counter.http.app(scope, receive, send)
        if scope["type"] == "http":
            seen.append(scope["route"].path)

    TestClient(watching, base_url=ORIGIN).get(read_link(counter.begin().uri).request_uri)
    assert seen == ["/openid4vp/requests/{token}"]


def test_the_signature_is_over_what_is_sent(counter: Counter) -> None:
    text = counter.http.get(read_link(counter.begin().uri).request_uri).text
    header, payload, _ = text.split(".")
    assert json.loads(unb64url(header))["alg"] == "ES256"
    with pytest.raises(Exception, match="bad_signature"):
        read_request(text.replace(payload, payload[:-4] + "AAAA"))
