"""Credential requests and responses: OpenID4VCI 1.0 section 8, annexes A.2.4 and A.3.4."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from issuer.errors import PublicationDelayed
from issuer.model import RenderingKind
from issuer.openid4vci.credentials import BATCH_SIZE, MAX_BODY
from keys.envelopes.base64url import b64url_decode
from keys.envelopes.mdoc import parse_mdoc
from keys.envelopes.sd_jwt import parse_sd_jwt
from tests.issuer.office import DAY, DAY_0, OFFICE
from tests.issuer.openid4vci.credential_world import ISSUER, MDOC, OTHER_ISSUER, SD_JWT, Issuing, error_of, new_key
from trust_registry.model import CertificateStatus, StatusReason
from trust_registry.status_list import status_at_index

DETAILS = json.dumps([{"type": "openid_credential", "credential_configuration_id": SD_JWT}])


def cnf_of(credential: str) -> Any:
    return json.loads(parse_sd_jwt(credential).jws.payload)["cnf"]["jwk"]


@pytest.fixture(scope="module")
def bearer(shared_issuing: Issuing) -> str:
    """A token that the refusals of this module share: what is refused uses nothing up."""
    found: str = shared_issuing.token()["access_token"]
    return found


def test_an_sd_jwt_vc_is_bound_to_the_proven_key_and_travels_as_it_is(issuing: Issuing) -> None:
    key = new_key()
    answer = issuing.ask(issuing.token()["access_token"], issuing.request(proofs={"jwt": [issuing.proof(key)]}))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.headers["cache-control"] == "no-store"
    assert set(answer.json()) == {"credentials", "notification_id", "c_nonce"}
    (made,) = answer.json()["credentials"]
    assert set(made) == {"credential"}
    assert cnf_of(made["credential"]) == key.public_key.jwk()


def test_the_nonce_of_a_response_is_good_for_the_next_proof(issuing: Issuing) -> None:
    """Section 8.3: additional parameters MAY be used. Wallets made for earlier drafts, and Credo, prove with it."""
    token = issuing.token()["access_token"]
    nonce = issuing.ask(token, issuing.request()).json()["c_nonce"]
    again = issuing.request(proofs={"jwt": [issuing.proof(new_key(), nonce=nonce)]})
    assert issuing.ask(token, again).status_code == 200
    assert error_of(issuing.ask(token, again)) == "invalid_nonce", "and once"


def test_an_mdoc_is_base64url_of_its_issuer_signed(issuing: Issuing) -> None:
    key = new_key()
    answer = issuing.ask(issuing.token()["access_token"], issuing.request(MDOC, proofs={"jwt": [issuing.proof(key)]}))
    (made,) = answer.json()["credentials"]
    mdoc = parse_mdoc(b64url_decode(made["credential"].encode()))
    assert mdoc.mso.device_key == key.public_key.jwk()


def test_copies_come_in_the_order_of_the_proofs_with_status_indexes_of_their_own(issuing: Issuing) -> None:
    keys, nonce = [new_key() for _ in range(4)], issuing.nonce()
    proofs = [issuing.proof(key, nonce=nonce) for key in keys]
    answer = issuing.ask(issuing.token()["access_token"], issuing.request(proofs={"jwt": proofs}))
    made = [each["credential"] for each in answer.json()["credentials"]]
    assert [cnf_of(each) for each in made] == [key.public_key.jwk() for key in keys]
    indexes = {json.loads(parse_sd_jwt(each).jws.payload)["status"]["status_list"]["idx"] for each in made}
    assert len(indexes) == len(keys)


def test_one_token_serves_several_requests_for_both_forms(issuing: Issuing) -> None:
    """Section 13.3 and the note in 8: with a new nonce each time."""
    token = issuing.token()["access_token"]
    for configuration in (SD_JWT, MDOC, SD_JWT):
        assert issuing.ask(token, issuing.request(configuration)).status_code == 200


def test_a_certificate_that_was_handed_out_is_revoked_with_its_copies(issuing: Issuing) -> None:
    made = issuing.certificate()
    answer = issuing.ask(issuing.token(made)["access_token"], issuing.request())
    payload = json.loads(parse_sd_jwt(answer.json()["credentials"][0]["credential"]).jws.payload)
    reference = payload["status"]["status_list"]
    issuing.office.revoke(made[0])
    published = issuing.office.published(reference["uri"])
    assert status_at_index(published.statuses, reference["idx"]) is CertificateStatus.INVALID


def test_identifiers_that_the_token_response_returned_name_the_credential(issuing: Issuing) -> None:
    response = issuing.token(authorization_details=DETAILS)
    (detail,) = response["authorization_details"]
    request = issuing.request(
        credential_configuration_id=None, credential_identifier=detail["credential_identifiers"][0]
    )
    assert issuing.ask(response["access_token"], request).status_code == 200


def test_a_configuration_id_must_not_be_used_where_identifiers_were_returned(issuing: Issuing) -> None:
    token = issuing.token(authorization_details=DETAILS)["access_token"]
    assert error_of(issuing.ask(token, issuing.request())) == "invalid_credential_request"


def test_an_identifier_must_not_be_used_where_none_was_returned(issuing: Issuing, bearer: str) -> None:
    request = issuing.request(credential_configuration_id=None, credential_identifier="ds-1")
    assert error_of(issuing.ask(bearer, request)) == "unknown_credential_identifier"


def test_an_unknown_identifier_is_refused(issuing: Issuing) -> None:
    token = issuing.token(authorization_details=DETAILS)["access_token"]
    request = issuing.request(credential_configuration_id=None, credential_identifier="another")
    assert error_of(issuing.ask(token, request)) == "unknown_credential_identifier"


def test_both_identifier_and_configuration_id_are_refused(issuing: Issuing, bearer: str) -> None:
    request = issuing.request(credential_identifier="ds-1")
    assert error_of(issuing.ask(bearer, request)) == "invalid_credential_request"


def test_neither_identifier_nor_configuration_id_is_refused(issuing: Issuing, bearer: str) -> None:
    request = issuing.request(credential_configuration_id=None, format="dc+sd-jwt", vct="as drafts had it")
    assert error_of(issuing.ask(bearer, request)) == "invalid_credential_request"


@pytest.mark.parametrize("name", [7, ["x"], {"x": 1}, True])
def test_what_is_asked_for_must_be_named_by_a_text(issuing: Issuing, bearer: str, name: Any) -> None:
    for parameter in ("credential_configuration_id", "credential_identifier"):
        assert error_of(issuing.ask(bearer, {parameter: name})) == "invalid_credential_request"


def test_an_unknown_configuration_is_refused(issuing: Issuing, bearer: str) -> None:
    assert error_of(issuing.ask(bearer, issuing.request("UniversityDegree"))) == "unknown_credential_configuration"


def test_a_configuration_outside_the_grant_is_an_authorization_error(issuing: Issuing) -> None:
    """Section 8.3.1.1 and RFC 6750 section 3.1: the issuer has it, this token does not enable it."""
    token = issuing.token(kinds=(RenderingKind.SD_JWT_VC,))["access_token"]
    answer = issuing.ask(token, issuing.request(MDOC))
    assert error_of(answer, 403) == "insufficient_scope"
    assert 'Bearer error="insufficient_scope"' in answer.headers["www-authenticate"]


@pytest.mark.parametrize("token", [None, "", "invented", "x" * 600])
@pytest.mark.parametrize("path", ["credential", "deferred_credential", "notification"])
def test_without_a_valid_access_token_nothing_is_answered(issuing: Issuing, token: str | None, path: str) -> None:
    answer = issuing.ask(token, issuing.request(), path)
    assert error_of(answer, 401) == "invalid_token"
    assert answer.headers["www-authenticate"]


def test_another_issuers_token_is_invalid_here(issuing: Issuing, bearer: str) -> None:
    body = json.dumps(issuing.request()).encode()
    headers = {"authorization": f"Bearer {bearer}", "content-type": "application/json"}
    answer = issuing.client.post(f"{OTHER_ISSUER}/credential", content=body, headers=headers)
    assert error_of(answer, 401) == "invalid_token"


def test_unrecognised_parameters_are_ignored(issuing: Issuing) -> None:
    request = issuing.request(new_parameter={"of": "a later version"}, format="dc+sd-jwt", proof={"proof_type": "jwt"})
    assert issuing.ask(issuing.token()["access_token"], request).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{", b"[]", b'"text"', b"null", b"\xff", b"{}{}", b"a=b"),
        b'{"credential_configuration_id": "a", "credential_configuration_id": "b"}',
        b'{"proofs": ' + b"[" * 200 + b"]" * 200 + b"}",
        b'{"proofs": NaN}',
    ],
)
def test_a_malformed_body_or_a_repeated_parameter_is_refused(issuing: Issuing, bearer: str, body: bytes) -> None:
    for path in ("credential", "deferred_credential"):
        assert error_of(issuing.ask(bearer, body, path)) == "invalid_credential_request"


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonx"])
def test_another_content_type_than_json_is_refused(issuing: Issuing, bearer: str, content_type: str) -> None:
    for path in ("credential", "deferred_credential"):
        answer = issuing.ask(bearer, issuing.request(), path, content_type=content_type)
        assert error_of(answer) == "invalid_credential_request"


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON"])
def test_json_may_say_its_charset_and_media_types_ignore_case(issuing: Issuing, content_type: str) -> None:
    answer = issuing.ask(issuing.token()["access_token"], issuing.request(), content_type=content_type)
    assert answer.status_code == 200


def test_an_oversized_body_is_refused(issuing: Issuing, bearer: str) -> None:
    for path, error in (
        *(("credential", "invalid_credential_request"), ("deferred_credential", "invalid_credential_request")),
        ("notification", "invalid_notification_request"),
    ):
        assert error_of(issuing.ask(bearer, b" " * (MAX_BODY + 1), path), 413) == error


def test_credentials_are_only_asked_for_with_post(issuing: Issuing) -> None:
    for path in ("credential", "deferred_credential", "notification", "nonce"):
        assert issuing.client.get(f"{ISSUER}/{path}").status_code == 405


def test_scripts_of_any_origin_may_ask(issuing: Issuing) -> None:
    asked = {"origin": "https://wallet.example", "access-control-request-method": "POST"}
    for path in ("credential", "deferred_credential", "notification", "nonce"):
        answer = issuing.client.options(f"{ISSUER}/{path}", headers=asked)
        assert answer.status_code == 204
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "POST" in answer.headers["access-control-allow-methods"]
        assert {"authorization", "dpop", "content-type"} <= {
            name.strip().lower() for name in answer.headers["access-control-allow-headers"].split(",")
        }


def test_an_unknown_tenant_is_not_there(issuing: Issuing) -> None:
    for path in ("credential", "deferred_credential", "notification", "nonce"):
        assert issuing.client.post(f"{ISSUER}-of-nobody/{path}").status_code == 404


# What the certificate's standing forbids


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (CertificateStatus.INVALID, StatusReason.OBTAINED_BY_FRAUD),
        (CertificateStatus.SUSPENDED, StatusReason.UNDER_REVIEW),
    ],
)
def test_what_is_revoked_or_suspended_is_denied(
    issuing: Issuing, status: CertificateStatus, reason: StatusReason
) -> None:
    made = issuing.certificate()
    token = issuing.token(made)["access_token"]
    issuing.office.service.change_status(issuing.office.change(made[0], status, reason))
    assert error_of(issuing.ask(token, issuing.request())) == "credential_request_denied"


def test_an_office_that_lost_its_entitlement_issues_nothing(issuing: Issuing) -> None:
    token, entry = issuing.token()["access_token"], issuing.office.entry
    issuing.office.entry = replace(entry, grants=tuple(each for each in entry.grants if "marriage" not in each.type_id))
    try:
        answer = issuing.ask(token, issuing.request())
    finally:
        issuing.office.entry = entry
    assert error_of(answer) == "unknown_credential_configuration"


def test_an_erased_holders_certificate_is_denied(issuing: Issuing) -> None:
    made = issuing.certificate()
    token = issuing.token(made)["access_token"]
    issuing.office.service.erase_holder(made[1])
    assert error_of(issuing.ask(token, issuing.request())) == "credential_request_denied"


def test_what_can_not_be_published_at_the_moment_may_be_asked_for_again(
    issuing: Issuing, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = issuing.token()["access_token"]

    def failing(*_: object) -> None:
        raise PublicationDelayed("https://east.example/status/1")

    with monkeypatch.context() as patch:
        patch.setattr(type(issuing.service.credentials.copies), "make", failing)
        answer = issuing.ask(token, issuing.request())
    assert error_of(answer, 503) == "temporarily_unavailable"
    assert answer.headers["retry-after"]
    assert issuing.ask(token, issuing.request()).status_code == 200


def test_refusals_repeat_nothing_that_was_sent(issuing: Issuing, bearer: str) -> None:
    for request in (
        issuing.request("zhangsan-secret"),
        issuing.request(proofs={"zhangsan-secret": ["zhangsan-secret"]}),
        issuing.request(proofs={"jwt": [issuing.proof(aud="zhangsan-secret", iss="zhangsan-secret")]}),
    ):
        assert "zhangsan-secret" not in issuing.ask(bearer, request).text


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
_REQUESTS = st.dictionaries(
    st.sampled_from(
        [
            *("credential_configuration_id", "credential_identifier", "proofs"),
            *("credential_response_encryption", "transaction_id", "notification_id", "event"),
        ]
    ),
    _JSON | st.just(SD_JWT) | st.just({"jwt": ["a.b.c"]}),
)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(request=_REQUESTS, path=st.sampled_from(["credential", "deferred_credential", "notification"]))
def test_any_json_is_answered_with_an_error_of_the_specification(
    issuing: Issuing, bearer: str, request: dict[str, Any], path: str
) -> None:
    assert error_of(issuing.ask(bearer, request, path)) in {
        "invalid_credential_request",
        "unknown_credential_configuration",
        "unknown_credential_identifier",
        "invalid_proof",
        "invalid_encryption_parameters",
        "invalid_transaction_id",
        "invalid_notification_request",
        "invalid_notification_id",
    }


def test_a_batch_is_at_most_as_large_as_announced(issuing: Issuing, bearer: str) -> None:
    nonce = issuing.nonce()
    proofs = [issuing.proof(nonce=nonce) for _ in range(BATCH_SIZE + 1)]
    assert error_of(issuing.ask(bearer, issuing.request(proofs={"jwt": proofs}))) == "invalid_proof"
    assert issuing.ask(bearer, issuing.request(proofs={"jwt": proofs[:-1]})).status_code == 200


def test_an_expired_token_is_invalid(issuing: Issuing) -> None:
    token = issuing.token()["access_token"]
    issuing.office.clock.now = DAY_0 + DAY
    assert error_of(issuing.ask(token, issuing.request()), 401) == "invalid_token"
    assert OFFICE in ISSUER
