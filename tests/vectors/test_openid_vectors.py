"""Examples that the specifications print, byte for byte: RFC 9901 tokens and the lists of Token Status List."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from keys.algorithms import ES256
from keys.envelopes import cbor
from keys.envelopes.base64url import b64url_encode
from keys.envelopes.jws import sign_jws
from keys.envelopes.sd_jwt import KeyBindingOutcome, SdJwt, check_key_binding, parse_sd_jwt
from keys.envelopes.strict_json import encode_json
from keys.public_key import PublicKey
from keys.signer import EphemeralSigner
from trust_registry.model import CertificateStatus, StatusList
from trust_registry.status_cwt import write_status_cwt
from trust_registry.status_list import parse_status_token, status_at_index

FOLDER = Path(__file__).parent / "spec"
NONCE, AUDIENCE = "1234567890", "https://verifier.example.org"
BOUND_AT = datetime.fromtimestamp(1748537244, UTC)
# RFC 9901 appendix A.5: the issuer's key of every example.
ISSUER: Final = PublicKey.from_jwk({
    "kty": "EC",
    "crv": "P-256",
    "x": "b28d4MwZMjw8-00CG4xfnn9SLMVMM19SlqZpVb_uNtQ",
    "y": "Xv5zWwuoaTgdS6hV43yI6gBwTnjukmFQQnJ_kCxzqk8",
})  # fmt: skip
HOLDER = {
    "kty": "EC",
    "crv": "P-256",
    "x": "TCAER19Zvu3OHF4j4W4vfSVoHIP1ILilDls7vCeGemc",
    "y": "ZxjiWWbZMQGHVWKVQ4hbSIirsVfuecCE6t4jT9F2HZQ",
}
# RFC 9901 sections 5.2 and A.3: "Processed SD-JWT Payload".
CLAIMS: dict[str, dict[str, Any]] = {
    "rfc9901-section-5.2.txt": {
        "iss": "https://issuer.example.com",
        "iat": 1683000000,
        "exp": 1883000000,
        "sub": "user_42",
        "nationalities": ["US"],
        "cnf": {"jwk": HOLDER},
        "family_name": "Doe",
        "address": {"street_address": "123 Main St", "locality": "Anytown", "region": "Anystate", "country": "US"},
        "given_name": "John",
    },
    "rfc9901-appendix-a.3.txt": {
        "iss": "https://pid-issuer.bund.de.example",
        "iat": 1683000000,
        "exp": 1883000000,
        "vct": "urn:eudi:pid:de:1",
        "cnf": {"jwk": HOLDER},
        "age_equal_or_over": {"18": True},
        "nationalities": ["DE"],
    },
}
# "Test vectors for Status List encoding": whatever is not named is 0.
SIZE = 1 << 20
STATUSES: dict[int, dict[int, int]] = {
    1: dict.fromkeys((0, 1993, 25460, 159495, 495669, 554353, 645645, 723232, 854545, 934534, 1000345), 1),
    2: {
        0: 1, 1993: 2, 25460: 1, 159495: 3, 495669: 1, 554353: 1,
        645645: 2, 723232: 1, 854545: 1, 934534: 2, 1000345: 3,
    },
    4: {
        0: 1, 1993: 2, 35460: 3, 459495: 4, 595669: 5, 754353: 6, 845645: 7, 923232: 8,
        924445: 9, 934534: 10, 1004534: 11, 1000345: 12, 1030203: 13, 1030204: 14, 1030205: 15,
    },
}  # fmt: skip
MEANINGS = {status.value: status for status in CertificateStatus}


def _text(name: str) -> str:
    return "".join((FOLDER / name).read_text("ascii").split())


def _check(token: SdJwt, *, nonce: str = NONCE, audience: str = AUDIENCE) -> KeyBindingOutcome:
    return check_key_binding(token, nonce=nonce, audience=audience, at=BOUND_AT, max_age=timedelta(minutes=5))


@pytest.mark.parametrize("name", CLAIMS)
def test_a_presentation_of_rfc_9901_is_read_as_the_rfc_reads_it(name: str) -> None:
    token = parse_sd_jwt(_text(name))
    assert token.jws.verified_by(ISSUER)
    assert token.claims == CLAIMS[name]
    assert _check(token) is KeyBindingOutcome.OK


@pytest.mark.parametrize("name", CLAIMS)
def test_a_presentation_of_rfc_9901_binds_what_it_was_made_for(name: str) -> None:
    text = _text(name)
    token = parse_sd_jwt(text)
    assert _check(token, nonce="1234567891") is KeyBindingOutcome.WRONG_NONCE
    assert _check(token, audience="https://example.org") is KeyBindingOutcome.WRONG_AUDIENCE
    *others, _last, binding = text.split("~")
    assert _check(parse_sd_jwt("~".join((*others, binding)))) is KeyBindingOutcome.WRONG_SD_HASH


def _example(bits: int) -> dict[str, Any]:
    example: dict[str, Any] = cbor.decode(bytes.fromhex(_text(f"status-list-{bits}-bit-cbor.txt")))
    assert example["bits"] == bits
    return example


def _check_list(statuses: StatusList, bits: int) -> None:
    assert (statuses.bits, len(statuses)) == (bits, SIZE)
    for index, value in STATUSES[bits].items():
        assert status_at_index(statuses, index) is MEANINGS.get(value), index
        for neighbour in {index - 1, index + 1} - STATUSES[bits].keys() - {-1}:
            assert status_at_index(statuses, neighbour) is CertificateStatus.VALID
    set_bits = sum(byte.bit_count() for byte in statuses.data)
    assert set_bits == sum(value.bit_count() for value in STATUSES[bits].values())


@pytest.mark.parametrize("bits", STATUSES)
def test_a_list_of_the_status_list_draft_is_read_from_both_kinds_of_token(bits: int) -> None:
    signer, example = EphemeralSigner.generate(ES256), _example(bits)
    claims = {"sub": "https://example.com/statuslists/1", "iat": 1686920170}
    in_json = {**example, "lst": b64url_encode(example["lst"]).decode("ascii")}
    payload = encode_json({**claims, "status_list": in_json}).encode()
    _check_list(parse_status_token(sign_jws({"typ": "statuslist+jwt"}, payload, signer)).statuses, bits)
    written = write_status_cwt({**claims, "status_list": example}, signer, b"12", b"certificate")
    _check_list(parse_status_token(written).statuses, bits)
