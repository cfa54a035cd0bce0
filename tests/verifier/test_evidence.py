"""What is handed in: recognised, or refused with one error that says why. Damaged, hostile and foreign inputs."""

from __future__ import annotations

import json
import zlib
from base64 import b64encode
from contextlib import suppress

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from keys.envelopes import base45, cbor
from keys.envelopes.base64url import b64url_encode
from keys.envelopes.cose import sign_cose_sign1
from keys.envelopes.jws import sign_jws
from keys.envelopes.qr_text import encode_qr_text
from tests.verifier.asking import ask, assert_passed
from tests.verifier.small_world import SmallWorld, attestation, qr, receipt_key, sd_jwt, signer
from verifier.errors import MalformedEvidence, Unreadable
from verifier.evidence import MAX_QR, MAX_TEXT, RECEIPT_TYPE, digest_of, parse
from verifier.model import Credential, EvidenceKind, QrCode

DAMAGED = Unreadable.DAMAGED


def refusal(data: bytes | str) -> MalformedEvidence:
    with pytest.raises(MalformedEvidence) as refused:
        parse(data)
    return refused.value


def test_text_is_the_same_as_bytes_with_white_space_or_a_byte_order_mark() -> None:
    text = qr()
    for variant in (text, text.encode(), f" {text}\r\n", b"\xef\xbb\xbf" + text.encode()):
        evidence = parse(variant)
        assert isinstance(evidence, QrCode)
        assert evidence.digest == digest_of(text)


def test_older_media_type_name_of_credentials_is_read() -> None:
    assert isinstance(parse(sd_jwt(typ="vc+sd-jwt")), Credential)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", Unreadable.EMPTY),
        ("  \n", Unreadable.EMPTY),
        (b"\x89PNG\r\n\x1a\n\x00\x00", Unreadable.NOT_RECOGNISED),
        ("https://menu.example/table/4", Unreadable.NOT_RECOGNISED),
        ("a.b.c", Unreadable.NOT_RECOGNISED),
        ("YXP:" + "A" * 26, Unreadable.ONE_TIME_CODE),
        ("yxp:" + "a" * 26, Unreadable.ONE_TIME_CODE),
        ("x" * (MAX_TEXT + 1), Unreadable.TOO_LARGE),
        (b"x" * (MAX_TEXT + 1), Unreadable.TOO_LARGE),
        ("YX1:" + "0" * MAX_QR, Unreadable.TOO_LARGE),
    ],
)
def test_what_is_no_evidence(data: bytes | str, reason: Unreadable) -> None:
    assert refusal(data).reason is reason


def test_a_pdf_too_large_to_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("verifier.evidence.MAX_PDF", 100)
    refused = refusal(b"%PDF-1.7\n" + b"0" * 200)
    assert (refused.reason, refused.kind) == (Unreadable.TOO_LARGE, "pdf")


def test_rfc9901_8_an_sd_jwt_in_json_is_the_credential_that_it_is_in_compact_form() -> None:
    token, *disclosures, _ = sd_jwt().split("~")
    protected, payload, signature = token.split(".")
    members = {"protected": protected, "signature": signature, "header": {"disclosures": disclosures}}
    for document in ({"payload": payload, **members}, {"payload": payload, "signatures": [members]}):
        found = parse(json.dumps(document))
        assert isinstance(found, Credential)
        assert (found.sd_jwt.text, found.attestation) == ("~".join((token, *disclosures, "")), attestation())
    assert refusal(json.dumps({"payload": payload, "signatures": [members] * 2})).kind == EvidenceKind.SD_JWT_VC.value
    assert refusal('{"a": 1}').reason is Unreadable.NOT_RECOGNISED


BOMB = zlib.compress(bytes(3_000_000), 9)


@pytest.mark.parametrize(
    "text",
    [
        qr()[:-1],
        qr()[: len(qr()) // 2],
        "YX1:",
        "YX1:" + "~" * 30,
        "YX1:" + base45.encode(BOMB),
        "YX1:" + base45.encode(b"\x81" * 400),
        encode_qr_text("YX1:", cbor.encode({"not": "cose"})),
        encode_qr_text("YX1:", sign_cose_sign1(cbor.encode({1: 2**63}), signer=signer("seal"), kid=b"k")),
        encode_qr_text("YX1:", sign_cose_sign1(b"\xff", signer=signer("seal"), kid=b"k")),
    ],
    ids=["cut by one", "cut in half", "empty", "not base45", "zip bomb", "deep", "not COSE", "not a CWT", "not CBOR"],
)
def test_damaged_qr_codes(text: str) -> None:
    refused = refusal(text)
    assert (refused.reason, refused.kind) == (DAMAGED, EvidenceKind.QR.value)


def jws(header: dict[str, object], payload: object) -> str:
    return ".".join(b64url_encode(json.dumps(part).encode()).decode() for part in (header, payload)) + "."


@pytest.mark.parametrize(
    "text",
    [
        jws({"alg": "none", "typ": "dc+sd-jwt"}, {}) + "~",
        jws({"alg": "RS256", "typ": "dc+sd-jwt"}, {}) + "AAAA~",
        jws({"alg": "HS256", "typ": "dc+sd-jwt"}, {}) + "AAAA~",
        sd_jwt(typ="JWT"),
        sd_jwt(crit=["x"], x=1),
        sd_jwt(x5c="not a list"),
        sd_jwt(x5c=["!"]),
        sd_jwt(x5c=[b64encode(b"no certificate").decode()]),
        sd_jwt(x5c=[b64encode(b"x").decode()] * 7),
        sd_jwt()[:-9],
        sd_jwt() + "~",
        sd_jwt().replace("~", "~~", 1),
        "~",
    ],
    ids=[f"credential {number}" for number in range(13)],
)
def test_damaged_credentials(text: str) -> None:
    """MUST refuse: no, symmetric or RSA algorithms; unknown crit; another typ; broken x5c; broken disclosures."""
    refused = refusal(text)
    assert (refused.reason, refused.kind) == (DAMAGED, EvidenceKind.SD_JWT_VC.value)


def test_our_type_with_claims_that_are_not_ours_is_damaged() -> None:
    from keys.envelopes.sd_jwt import issue_sd_jwt

    text = issue_sd_jwt({"vct": "urn:yinxin:type:x"}, frozenset(), signer=signer("seal"), header={"typ": "dc+sd-jwt"})
    assert refusal(text).reason is DAMAGED


@pytest.mark.parametrize("data", [b"%PDF-", b"%PDF-1.7\n%%EOF", b"\0" * 99 + b"%PDF-1.4 garbage" * 50])
def test_damaged_pdfs(data: bytes) -> None:
    refused = refusal(data)
    assert (refused.reason, refused.kind) == (DAMAGED, EvidenceKind.PDF.value)


GOOD = {"iss": "a/b", "jti": "1", "iat": 1, "evidence": "sha256:", "trust": {}, "report": {"indication": "PASSED"}}


def receipt(payload: object, typ: str = RECEIPT_TYPE, x5c: object = None) -> str:
    chain = [b64encode(receipt_key().certificate.der).decode()] if x5c is None else x5c
    return sign_jws({"typ": typ, "x5c": chain}, json.dumps(payload).encode(), signer("hall"))


@pytest.mark.parametrize(
    "text",
    [
        receipt([]),
        receipt({}),
        receipt(GOOD, x5c=[]),
        receipt(GOOD | {"iat": 1e300}),
        receipt(GOOD | {"iat": "now"}),
        receipt(GOOD | {"iss": 7}),
        receipt(GOOD | {"trust": {"root": "1"}}),
        receipt(GOOD | {"trust": []}),
        receipt(GOOD | {"report": {"indication": "FINE"}}),
        receipt(GOOD | {"report": None}),
    ],
    ids=[f"receipt {number}" for number in range(10)],
)
def test_damaged_receipts(text: str) -> None:
    refused = refusal(text)
    assert (refused.reason, refused.kind) == (DAMAGED, EvidenceKind.RECEIPT.value)


def test_a_jwt_of_another_kind_is_no_evidence() -> None:
    assert refusal(receipt(GOOD, typ="JWT")).reason is Unreadable.NOT_RECOGNISED


def test_whole_ones_are_read() -> None:
    parse(receipt(GOOD))
    parse(qr())
    parse(sd_jwt())


SEEDS = [qr(), sd_jwt(), receipt(GOOD)]


@settings(max_examples=300, deadline=2000)
@given(st.one_of(st.binary(max_size=400), st.text(max_size=200), st.text("YX1:~.%PDF-eyJ", max_size=60)))
@example(b"%PDF-")
@example("YX1:NCF")
def test_anything_gives_evidence_or_the_one_error(data: bytes | str) -> None:
    with suppress(MalformedEvidence):
        assert parse(data).digest == digest_of(data)


@settings(max_examples=300, deadline=2000)
@given(st.sampled_from(SEEDS), st.integers(0, 5000), st.integers(0, 127), st.sampled_from(["put", "cut", "drop"]))
def test_an_altered_certificate_never_passes(seed: str, position: int, character: int, how: str) -> None:
    """Any one character changed, dropped or everything after it cut: refused, or not PASSED."""
    position %= len(seed)
    altered = {
        "put": seed[:position] + chr(character) + seed[position + 1 :],
        "cut": seed[:position],
        "drop": seed[:position] + seed[position + 1 :],
    }[how]
    if altered.strip() == seed or (seed is SEEDS[1] and altered == seed[:-1] + "~"):
        return
    try:
        evidence = parse(altered)
    except MalformedEvidence:
        return
    report = ask(SmallWorld(), evidence)
    # Cutting an SD-JWT after a disclosure is a selection: the holder's right, and still whole.
    if not (how == "cut" and altered.endswith("~")):
        assert report.indication.value != "PASSED" or seed is SEEDS[2], altered


def test_the_seeds_pass_unaltered(world: SmallWorld) -> None:
    for seed in SEEDS[:2]:
        assert_passed(ask(world, seed))
