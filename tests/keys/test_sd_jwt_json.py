"""SD-JWTs in JSON (RFC 9901 section 8): the same as in the compact form, and nothing unprotected is believed."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.algorithms import ES256
from keys.envelopes.base64url import b64url_encode
from keys.envelopes.sd_jwt import KeyBindingOutcome, bind_key, check_key_binding, issue_sd_jwt, parse_sd_jwt
from keys.envelopes.sd_jwt_json import compact_sd_jwt
from keys.errors import MalformedEnvelope
from keys.signer import EphemeralSigner
from tests.keys.sd_jwt_forge import ISSUER

HOLDER = EphemeralSigner.generate(ES256)
NOW = datetime(2026, 5, 1, tzinfo=UTC)
ISSUED = issue_sd_jwt(
    {"given": "Ada", "family": "Lovelace", "vct": "x"},
    frozenset({"given", "family"}),
    signer=ISSUER,
    header={"typ": "dc+sd-jwt"},
    holder_key=HOLDER.public_key.jwk(),
)
BOUND = bind_key(ISSUED, signer=HOLDER, nonce="n", audience="a", issued_at=NOW)


def flattened(text: str = ISSUED, **unprotected: Any) -> dict[str, Any]:
    token, *disclosures, binding = text.split("~")
    protected, payload, signature = token.split(".")
    header = {"disclosures": disclosures, **({"kb_jwt": binding} if binding else {}), **unprotected}
    return {"payload": payload, "protected": protected, "signature": signature, "header": header}


def general(text: str = ISSUED, **unprotected: Any) -> dict[str, Any]:
    flat = flattened(text, **unprotected)
    return {"payload": flat.pop("payload"), "signatures": [flat]}


@pytest.mark.parametrize("form", [flattened, general])
@pytest.mark.parametrize("text", [ISSUED, BOUND, ISSUED.split("~")[0] + "~"])
def test_8_it_says_what_the_compact_form_says(form: Callable[..., dict[str, Any]], text: str) -> None:
    assert compact_sd_jwt(json.dumps(form(text))) == text
    assert compact_sd_jwt(json.dumps(form(text, kid="ignored"), indent=2)) == text


def test_8_1_sd_hash_is_over_the_compact_form() -> None:
    """RFC 9901 section 8.1: the compact serialization MUST be created temporarily to calculate the digest."""
    whole = parse_sd_jwt(compact_sd_jwt(json.dumps(general(BOUND))))
    asked: dict[str, Any] = {"nonce": "n", "audience": "a", "at": NOW, "max_age": timedelta(minutes=5)}
    assert check_key_binding(whole, **asked) is KeyBindingOutcome.OK
    document = flattened(BOUND)
    document["header"]["disclosures"].pop()
    fewer = parse_sd_jwt(compact_sd_jwt(json.dumps(document)))
    assert check_key_binding(fewer, **asked) is KeyBindingOutcome.WRONG_SD_HASH


def test_without_disclosures_there_are_none() -> None:
    token = ISSUED.split("~")[0]
    document = flattened()
    del document["header"]
    assert compact_sd_jwt(json.dumps(document)) == f"{token}~"


def _protected(**members: Any) -> str:
    return b64url_encode(json.dumps({"alg": "ES256", **members}).encode()).decode()


FLAT = flattened()
PART = {name: FLAT[name] for name in ("protected", "signature", "header")}


@pytest.mark.parametrize(
    "document",
    [
        pytest.param([], id="an array"),
        pytest.param({}, id="nothing"),
        pytest.param({**FLAT, "payload": 5}, id="payload is a number"),
        pytest.param({**FLAT, "protected": ""}, id="no protected header"),
        pytest.param({**FLAT, "protected": "%"}, id="the protected header is not base64url"),
        pytest.param({**FLAT, "protected": "é"}, id="the protected header is not ascii"),
        pytest.param({**FLAT, "protected": "W10"}, id="the protected header is an array"),
        pytest.param({**FLAT, "header": []}, id="the unprotected header is an array"),
        pytest.param(flattened(alg="ES256"), id="rfc7515 7.2.1: alg in both headers"),
        pytest.param(flattened(typ="x"), id="rfc7515 7.2.1: a name in both headers"),
        pytest.param(flattened(crit=["x"], x=1), id="rfc7515 4.1.11: crit is not protected"),
        pytest.param({**FLAT, "protected": _protected(disclosures=[])}, id="8.1: disclosures are not unprotected"),
        pytest.param({**FLAT, "signatures": [PART]}, id="rfc7515 7.2.2: flattened and general"),
        pytest.param({"payload": FLAT["payload"], "signatures": []}, id="no signature"),
        pytest.param({"payload": FLAT["payload"], "signatures": [PART, PART]}, id="two signatures"),
        pytest.param({"payload": FLAT["payload"], "signatures": [5]}, id="a signature that is a number"),
        pytest.param(flattened(disclosures="text"), id="disclosures are text"),
        pytest.param(flattened(disclosures=[5]), id="a disclosure is a number"),
        pytest.param(flattened(disclosures=["a~b"]), id="two disclosures in one"),
        pytest.param(flattened(disclosures=["x"] * 1025), id="too many disclosures"),
        pytest.param({**FLAT, "payload": FLAT["payload"] + "~"}, id="a tilde in the payload"),
        pytest.param({**FLAT, "signature": "a.b"}, id="a dot in the signature"),
        pytest.param(flattened(kb_jwt=""), id="8.1: kb_jwt is empty"),
        pytest.param(flattened(kb_jwt=5), id="kb_jwt is a number"),
        pytest.param(flattened(kb_jwt="x~a.b.c"), id="a disclosure in kb_jwt"),
    ],
)
def test_8_documents_that_must_be_refused(document: Any) -> None:
    with pytest.raises(MalformedEnvelope):
        compact_sd_jwt(json.dumps(document))


def test_two_members_of_one_name_are_refused() -> None:
    with pytest.raises(MalformedEnvelope):
        compact_sd_jwt(json.dumps(FLAT)[:-1] + ',"payload":"e30"}')


_JSON = st.recursive(
    st.none() | st.booleans() | st.text(max_size=6) | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*FLAT, "signatures"]), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*FLAT, "signatures"]), _JSON))
def test_any_document_is_an_sd_jwt_or_malformed(document: dict[str, Any]) -> None:
    try:
        compact = compact_sd_jwt(json.dumps({**FLAT, **document}))
    except MalformedEnvelope:
        return
    assert compact.count("~") >= 1
