"""Everything that may be handed in wrongly, over HTTP, against the real application: the right one of three verdicts.

Each verdict is asked for in every way there is (raw text on the hot route, JSON, batch) and must be the same, in
Chinese and English, with a next step. No answer is a 500, and none takes long.
"""

from __future__ import annotations

import json
import re
import zlib
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from time import monotonic
from typing import Any

import httpx
import pytest
import typst
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from keys.algorithms import ES256
from keys.envelopes import base45, cbor
from keys.envelopes.base64url import b64url_encode
from keys.envelopes.cose import sign_cose_sign1
from keys.envelopes.pades import sign_pdf
from keys.envelopes.qr_text import encode_qr_text
from keys.signer import EphemeralSigner
from keys.x509 import Profile, make_certificate, make_region_ca
from tests.running import marriage_body
from tests.server.real_house import (
    CIVIL_AFFAIRS,
    DAY,
    EAST,
    PUBLIC_SECURITY,
    START,
    TRANSFER,
    RealHouse,
    built,
)
from trust_registry.attestations import StatusReference, to_cwt
from trust_registry.catalogue import COMMON_TYPES_BY_ID, DRIVING_LICENCE, MARRIAGE_CERTIFICATE

pytestmark = [pytest.mark.timeout(60), pytest.mark.xdist_group("real-house")]
SOON = 8.0  # seconds; on a busy machine, and far from a hang


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> RealHouse:
    return built(tmp_path_factory)


def answered(ask: Callable[[], httpx.Response]) -> httpx.Response:
    """The answer, which came soon and is no failure of ours."""
    began = monotonic()
    answer = ask()
    assert monotonic() - began < SOON
    assert answer.status_code < 500, answer.text
    return answer


def judged(house: RealHouse, evidence: str | bytes, scenario: str | None = TRANSFER) -> dict[str, Any]:
    """The report, the same whichever way it is asked for."""
    client = house.client()
    query = {"scenario": scenario, "language": "zh"} if scenario else {"language": "zh"}
    field = {"evidence": evidence} if isinstance(evidence, str) else {"pdf": b64encode(evidence).decode()}
    item = field | ({"scenario": scenario} if scenario else {})
    media_type = "text/plain" if isinstance(evidence, str) else "application/pdf"
    content = evidence.encode() if isinstance(evidence, str) else evidence
    raw = answered(
        lambda: client.post("/api/verify", params=query, content=content, headers={"content-type": media_type})
    )
    one = answered(lambda: client.post("/api/verify", json={**item, "language": "en"}))
    many = answered(lambda: client.post("/api/verify/batch", json={"items": [item, item]}))
    assert (raw.status_code, one.status_code, many.status_code) == (200, 200, 200), (raw.text, one.text, many.text)
    reports = [raw.json(), one.json(), *many.json()["reports"]]
    verdicts = {(r["indication"], r["sub_indication"], r["decisive"]) for r in reports}
    assert len(verdicts) == 1, verdicts
    return dict(reports[0])


def assert_verdict(report: dict[str, Any], indication: str, sub_indication: str, decisive: str) -> None:
    assert (report["indication"], report["sub_indication"], report["decisive"]) == (
        indication,
        sub_indication,
        decisive,
    )
    headline = {"FAILED": ("不能受理", "Reject"), "INDETERMINATE": ("暂时无法判断", "Cannot tell")}[indication]
    assert (report["words"]["zh"]["headline"], report["words"]["en"]["headline"]) == headline
    for words in report["words"].values():
        assert words["summary"]
        assert words["next_step"]
    assert re.search("[一-鿿]", report["words"]["zh"]["next_step"])
    assert not re.search("[一-鿿]", report["words"]["en"]["next_step"])


# Well formed and well signed: what it says is the matter


def expired(house: RealHouse) -> str:
    return house.qr(house.attestation(issued_at=START - 9 * DAY, valid_until=START - DAY))


def not_yet_valid(house: RealHouse) -> str:
    return house.qr(house.attestation(valid_from=START + DAY))


def sealed_in_the_future(house: RealHouse) -> str:
    return house.qr(house.attestation(issued_at=START + DAY, valid_from=START + DAY))


def issuer_unknown(house: RealHouse) -> str:
    """Signed by a key that no list names, with a certificate of its own making."""
    stranger = EphemeralSigner.generate(ES256)
    shown = house.certify(Profile.SEAL, stranger)
    made = house.attestation()
    cwt_kid = bytes.fromhex(shown.thumbprint[:16])
    cwt = to_cwt(made, COMMON_TYPES_BY_ID[made.type_id])
    return encode_qr_text("YX1:", sign_cose_sign1(cwt, signer=stranger, kid=cwt_kid))


def another_key_under_a_listed_kid(house: RealHouse) -> str:
    return house.qr(house.attestation(), by=EphemeralSigner.generate(ES256))


def not_entitled(house: RealHouse) -> str:
    """Civil affairs seals a driving licence."""
    return house.qr(house.attestation(type_id=DRIVING_LICENCE, claims={"holder_name": "林晓"}))


def seal_out_of_scope(house: RealHouse) -> str:
    """Public security may issue driving licences, but not with the seal for household registers."""
    made = house.attestation(
        issuer_id=PUBLIC_SECURITY,
        type_id=DRIVING_LICENCE,
        seal_id=house.narrow_seal.id,
        claims={"holder_name": "林晓"},
        status=StatusReference(house.list_where_all_is_well(PUBLIC_SECURITY), 7),
    )
    return house.qr(made, by=house.narrow_signer, shown=house.narrow_seal)


def another_issuers_name(house: RealHouse) -> str:
    made = house.attestation(status=StatusReference(house.list_where_all_is_well(CIVIL_AFFAIRS), 7))
    return house.qr(made, by=house.key(f"{PUBLIC_SECURITY}/seal"), shown=house.view.issuers[PUBLIC_SECURITY].seals[0])


def with_status(house: RealHouse, name: str, index: int = 7, **how: Any) -> str:
    uri = house.list_where_all_is_well(CIVIL_AFFAIRS, name, **how)
    return house.qr(house.attestation(status=StatusReference(uri, index)))


def status_unreachable(house: RealHouse) -> str:
    base = house.view.issuers[CIVIL_AFFAIRS].status_list_base
    return house.qr(house.attestation(status=StatusReference(f"{base}never-published", 7)))


def status_elsewhere(house: RealHouse) -> str:
    return house.qr(house.attestation(status=StatusReference("https://elsewhere.example/status/1", 7)))


def status_malformed(house: RealHouse) -> str:
    made = with_status(house, "noise")
    house.status_file(f"{house.view.issuers[CIVIL_AFFAIRS].status_list_base}noise").write_text("a.b.c")
    return made


def status_stale(house: RealHouse) -> str:
    return with_status(house, "stale", issued_at=START - 2 * DAY, expires_at=START - DAY)


def status_forged(house: RealHouse) -> str:
    return with_status(house, "forged", signer=EphemeralSigner.generate(ES256))


def status_by_the_seal_key(house: RealHouse) -> str:
    """Signed by a listed key of the same issuer, which is not for status lists."""
    return with_status(house, "by-the-seal", signer=house.key(f"{CIVIL_AFFAIRS}/seal"))


def status_index_out_of_range(house: RealHouse) -> str:
    return with_status(house, "short", index=64, size=64)


def status_older_than_the_scenario_allows(house: RealHouse) -> str:
    return with_status(house, "old", issued_at=START - 3 * DAY, expires_at=START + DAY)


CHAIN = "CHAIN_CONSTRAINTS_FAILURE"


@pytest.mark.parametrize(
    ("make", "indication", "sub_indication", "decisive"),
    [
        (expired, "FAILED", "EXPIRED", "expired"),
        (not_yet_valid, "FAILED", "NOT_YET_VALID", "not_yet_valid"),
        (sealed_in_the_future, "FAILED", "NOT_YET_VALID", "sealed_in_future"),
        (issuer_unknown, "INDETERMINATE", "NO_SIGNING_CERTIFICATE_FOUND", "signer_unknown"),
        (another_key_under_a_listed_kid, "FAILED", "SIG_CRYPTO_FAILURE", "signature_wrong"),
        (not_entitled, "FAILED", CHAIN, "type_not_granted"),
        (seal_out_of_scope, "FAILED", CHAIN, "seal_out_of_scope"),
        (another_issuers_name, "FAILED", "SIG_CONSTRAINTS_FAILURE", "issuer_differs"),
        (status_unreachable, "INDETERMINATE", "TRY_LATER", "status_unreachable"),
        (status_elsewhere, "INDETERMINATE", "SIG_CONSTRAINTS_FAILURE", "status_elsewhere"),
        (status_malformed, "INDETERMINATE", "TRY_LATER", "status_malformed"),
        (status_stale, "INDETERMINATE", "TRY_LATER", "status_stale"),
        (status_forged, "INDETERMINATE", "TRY_LATER", "status_forged"),
        (status_by_the_seal_key, "INDETERMINATE", "TRY_LATER", "status_forged"),
        (status_index_out_of_range, "INDETERMINATE", "SIG_CONSTRAINTS_FAILURE", "status_out_of_range"),
        (status_older_than_the_scenario_allows, "INDETERMINATE", "TRY_LATER", "status_too_old"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_verdicts(house: RealHouse, make: Any, indication: str, sub_indication: str, decisive: str) -> None:
    assert_verdict(judged(house, make(house)), indication, sub_indication, decisive)


def test_nothing_is_the_matter(house: RealHouse) -> None:
    """What all the others differ from passes: the tests above can fail."""
    assert judged(house, house.qr(house.attestation()))["indication"] == "PASSED"
    for sample in ("marriage.qr.txt", "marriage.sd-jwt"):
        assert judged(house, house.sample(sample).decode())["indication"] == "PASSED"
    assert judged(house, house.sample("marriage.pdf"))["indication"] == "PASSED"


def test_trust_data_expired_past_the_budget(house: RealHouse) -> None:
    evidence = house.qr(house.attestation())
    with house.clock.later(5 * DAY):
        assert judged(house, evidence, scenario=None)["decisive"] in ("status_stale", "status_too_old")
    with house.clock.later(40 * DAY):
        report = judged(house, evidence)
        assert report["indication"] == "INDETERMINATE"
        assert "trust_too_old" in {finding["code"] for finding in report["findings"]}
        assert report["freshness"]["trust_age"] == 40 * 86400


@pytest.mark.parametrize(
    ("status", "reason", "indication", "sub_indication", "decisive"),
    [
        ("suspended", "under_review", "INDETERMINATE", "TRY_LATER", "status_suspended_because"),
        ("invalid", "obtained_by_fraud", "FAILED", "REVOKED", "status_revoked_because"),
    ],
)
def test_suspended_and_revoked(
    house: RealHouse, status: str, reason: str, indication: str, sub_indication: str, decisive: str
) -> None:
    clerk = house.signed_in("clerk.minzheng")
    issued = clerk.post(
        "/api/issuer/certificates", json=issue_body(house), headers={"Idempotency-Key": f"to-be-{status}"}
    ).json()
    renderings = [clerk.get(path) for path in issued["renderings"].values()]
    changed = clerk.post(
        f"/api/issuer/certificates/{issued['certificate_id']}/status", json={"status": status, "reason": reason}
    )
    assert changed.status_code == 200, changed.text
    for rendering in renderings:
        is_pdf = rendering.headers["content-type"] == "application/pdf"
        report = judged(house, rendering.content if is_pdf else rendering.text)
        assert_verdict(report, indication, sub_indication, decisive)


# Not well formed


def jws(header: object, payload: object, signature: bytes = b"") -> str:
    parts = [part if isinstance(part, bytes) else json.dumps(part).encode() for part in (header, payload)]
    return ".".join(b64url_encode(part).decode() for part in (*parts, signature)) + "~"


@cache
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def rsa_certificate() -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "RSA")])
    builder = x509.CertificateBuilder(name, name, rsa_key().public_key(), 1, START - DAY, START + DAY)
    return b64encode(builder.sign(rsa_key(), hashes.SHA256()).public_bytes(Encoding.DER)).decode()


def rsa_as_ec() -> str:
    """The header says ES256, certificate and signature are RSA's."""
    header = {"alg": "ES256", "typ": "dc+sd-jwt", "x5c": [rsa_certificate()]}
    unsigned = jws(header, {"iss": "x"})[:-2]
    return jws(header, {"iss": "x"}, rsa_key().sign(unsigned.encode(), padding.PKCS1v15(), hashes.SHA256()))


HEADER = {"alg": "ES256", "typ": "dc+sd-jwt"}
BOMB = zlib.compress(bytes(200_000_000), 9)


def cose(payload: bytes) -> str:
    return encode_qr_text("YX1:", sign_cose_sign1(payload, signer=EphemeralSigner.generate(ES256), kid=b"12345678"))


DAMAGED_TEXTS: dict[str, Callable[[], str]] = {
    "base45 with a character too few": lambda: cose(cbor.encode({1: "x"}))[:-1],
    "base45 with a strange character": lambda: "YX1:" + "~" * 30,
    "nothing after the prefix": lambda: "YX1:",
    "zip bomb": lambda: "YX1:" + base45.encode(BOMB[:5000]),
    "deep CBOR": lambda: "YX1:" + base45.encode(b"\x81" * 4000),
    "deep CBOR, compressed": lambda: "YX1:" + base45.encode(zlib.compress(b"\x81" * 16000)),
    "CBOR tags without end": lambda: "YX1:" + base45.encode(b"\xc1" * 4000),
    "CBOR that announces a terabyte": lambda: "YX1:" + base45.encode(bytes.fromhex("5b000000ffffffffff")),
    "a time beyond all time": lambda: cose(cbor.encode({1: "x", 6: 2**63})),
    "no CWT": lambda: cose(b"\xff"),
    "alg none": lambda: jws({"alg": "none", "typ": "dc+sd-jwt"}, {}),
    "alg None": lambda: jws({"alg": "None", "typ": "dc+sd-jwt"}, {}),
    "no alg": lambda: jws({"typ": "dc+sd-jwt"}, {}),
    "HS256": lambda: jws({"alg": "HS256", "typ": "dc+sd-jwt"}, {}, b"x" * 32),
    "RS256": lambda: jws({"alg": "RS256", "typ": "dc+sd-jwt"}, {}, b"x" * 256),
    "RSA as EC": rsa_as_ec,
    "deep JSON header": lambda: jws(b"[" * 50_000, {}, b"x" * 64),
    "deep JSON payload": lambda: jws(HEADER, b'{"a":' * 50_000, b"x" * 64),
    "number of 50,000 digits": lambda: jws(HEADER, b'{"iat":' + b"9" * 50_000 + b"}", b"x" * 64),
    "1e999999": lambda: jws(HEADER, b'{"iat":1e999999}', b"x" * 64),
    "NaN": lambda: jws(HEADER, b'{"iat":NaN}', b"x" * 64),
    "a key twice": lambda: jws(b'{"alg":"ES256","alg":"none","typ":"dc+sd-jwt"}', {}, b"x" * 64),
    "disclosures of noise": lambda: jws(HEADER, {}, b"x" * 64) + "~".join(["AAAA"] * 500) + "~",
}


@pytest.mark.parametrize("name", DAMAGED_TEXTS)
def test_damaged_texts(house: RealHouse, name: str) -> None:
    assert_verdict(judged(house, DAMAGED_TEXTS[name]()), "FAILED", "FORMAT_FAILURE", "damaged")


@pytest.mark.parametrize("text", ["https://menu.example/table/4", "你好", "a.b.c", "\x00\x00", "(" * 100_000])
def test_no_evidence_at_all(house: RealHouse, text: str) -> None:
    assert_verdict(judged(house, text), "FAILED", "FORMAT_FAILURE", "not_evidence")


def test_a_wallets_code_where_a_certificate_is_asked_for(house: RealHouse) -> None:
    assert judged(house, "YXP:" + "A" * 52)["decisive"] == "one_time_code"


def foreign(house: RealHouse) -> bytes:
    """Another issuer's PDF: signed by somebody whom no region lists, under a CA of the same name as the east's."""
    ca, signer = EphemeralSigner.generate(ES256), EphemeralSigner.generate(ES256)
    until = START + 100 * DAY
    anchor = make_region_ca(
        ca, common_name="Dongling CA", organisation="x", region=EAST, not_before=START - DAY, not_after=until
    )
    shown = make_certificate(
        Profile.SEAL,
        ca_signer=ca,
        ca=anchor,
        subject_key=signer.public_key,
        common_name="x",
        organisation="x",
        uscc=None,
        uri=None,
        not_before=START - DAY,
        not_after=until - DAY,
    )
    return sign_pdf(
        unsigned(),
        signer=signer,
        certificate=shown,
        chain=(anchor,),
        timestamper=None,
        signed_at=START - timedelta(hours=1),
        appearance=None,
        reason=None,
        location=None,
        field_name="Seal",
    )


@cache
def unsigned() -> bytes:
    return typst.compile({"main.typ": b"Any document."}, timestamp=0)


def test_damaged_and_foreign_pdfs(house: RealHouse) -> None:
    good = house.sample("marriage.pdf")
    broken = {
        "a head only": b"%PDF-1.7\n",
        "noise after the head": b"%PDF-1.7\n" + bytes(range(256)) * 400,
        "no cross references": b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF",
        "brackets without end": b"%PDF-1.7\n" + b"[" * 200_000,
    }
    for data in broken.values():
        assert_verdict(judged(house, data), "FAILED", "FORMAT_FAILURE", "damaged")
    for size in (len(good) // 3, len(good) - 40):
        assert judged(house, good[:size])["indication"] == "FAILED"
    assert_verdict(judged(house, unsigned()), "FAILED", "FORMAT_FAILURE", "pdf_not_signed")
    report = judged(house, foreign(house))
    assert_verdict(report, "INDETERMINATE", "NO_CERTIFICATE_CHAIN_FOUND", "signer_not_listed")


def test_a_changed_byte_in_a_sealed_pdf(house: RealHouse) -> None:
    good = house.sample("marriage.pdf")
    place = good.index(b"stream\n") + 40
    changed = good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :]
    report = judged(house, changed)
    assert (report["indication"], report["decisive"]) == ("FAILED", "content_altered")


def test_something_appended_to_a_sealed_pdf(house: RealHouse) -> None:
    report = judged(house, house.sample("marriage.pdf") + b"\n% a note\n")
    assert (report["indication"], report["decisive"]) == ("FAILED", "changed_after_sealing")


# Requests that can't be answered: problem documents that name the field


def problem(answer: httpx.Response) -> dict[str, Any]:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    assert 400 <= answer.status_code < 500
    body: dict[str, Any] = answer.json()
    assert body["status"] == answer.status_code
    return body


def refused(ask: Callable[[dict[str, str]], httpx.Response], status: int, field: str | None) -> dict[str, Any]:
    """Refused with this status, naming this field, in the language asked for."""
    documents = {
        language: problem(answered(lambda language=language: ask({"accept-language": language})))
        for language in ("zh-CN", "en")
    }
    zh, en = documents["zh-CN"], documents["en"]
    assert (zh["status"], en["status"]) == (status, status), (zh, en)
    assert re.search("[一-鿿]", zh["title"])
    assert not re.search("[一-鿿]", en["title"])
    if field is not None:
        assert field in [each["field"] for each in en.get("errors", ())], en
    return en


JSON_BODIES: dict[str, tuple[bytes, int, str | None]] = {
    "no JSON": (b"{", 422, None),
    "deep JSON": (b"[" * 100_000, 422, None),
    "deep JSON in a field": (b'{"evidence":' + b"[" * 100_000 + b"]" * 100_000 + b"}", 422, None),
    "huge number": (b'{"evidence":"x","at":' + b"9" * 100_000 + b"}", 422, None),
    "1e999": (b'{"evidence":1e999}', 422, "evidence"),
    "half a surrogate pair": (rb'{"evidence":"\ud800"}', 422, None),
    "not UTF-8": (b'{"evidence":"\xff\xfe"}', 422, None),
    "neither": (b"{}", 422, "evidence"),
    "both": (b'{"evidence":"x","pdf":"eA=="}', 422, "evidence"),
    "not base64": (b'{"pdf":"%%%"}', 422, "pdf"),
    "not text": (b'{"evidence":7}', 422, "evidence"),
    "unknown field": (b'{"evidence":"x","accept":"990200"}', 422, "accept"),
    "unknown scenario": (b'{"evidence":"x","scenario":"990200/none"}', 422, "scenario"),
    "scenario of another region": (
        b'{"evidence":"x","scenario":"990200/household-transfer","accepting":"990100"}',
        422,
        "scenario",
    ),
    "a time without a zone": (b'{"evidence":"x","at":"2026-01-01T00:00:00"}', 422, "at"),
    "no time": (b'{"evidence":"x","at":"soon"}', 422, "at"),
    "another language": (b'{"evidence":"x","language":"tlh"}', 422, "language"),
}


@pytest.mark.parametrize("name", JSON_BODIES)
def test_requests_to_verify_that_make_no_sense(house: RealHouse, name: str) -> None:
    body, status, field = JSON_BODIES[name]
    client = house.client()
    headers = {"content-type": "application/json"}
    refused(lambda also: client.post("/api/verify", content=body, headers=headers | also), status, field)


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-14:00"])
def test_asking_about_the_ends_of_the_calendar(house: RealHouse, at: str) -> None:
    client, evidence = house.client(), house.qr(house.attestation())
    text = {"content-type": "text/plain"}
    asked = {"evidence": evidence, "at": at}
    refused(lambda h: client.post("/api/verify", json=asked, headers=h), 422, "at")
    refused(lambda h: client.post("/api/verify", params={"at": at}, content=evidence, headers=text | h), 422, "at")
    refused(lambda h: client.get("/api/registry/matrix", params={"at": at}, headers=h), 422, "at")


@pytest.mark.parametrize(
    ("name", "decisive"),
    [("issued_at", "sealed_after_expiry"), ("valid_from", "not_yet_valid"), ("valid_until", None)],
)
@pytest.mark.parametrize("hours", [0, 2, 9])
def test_certificates_that_speak_of_the_end_of_the_calendar(
    house: RealHouse, name: str, decisive: str | None, hours: int
) -> None:
    """ "Until 9999-12-31" is how registers say for ever; in China that day has ended before the calendar does."""
    last = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC) - timedelta(hours=hours)
    evidence = house.qr(house.attestation(**{name: last}))
    assert judged(house, evidence)["decisive"] == decisive
    page = house.client().post("/verify", data={"evidence": evidence}, headers={"accept": "text/html"})
    assert page.status_code == 200


def test_a_seal_used_before_its_certificate_began(house: RealHouse) -> None:
    long_ago = datetime(1970, 1, 1, tzinfo=UTC)
    report = judged(house, house.qr(house.attestation(issued_at=long_ago)))
    assert_verdict(report, "FAILED", "NOT_YET_VALID", "sealed_before_start")


def test_other_ways_to_ask_wrongly(house: RealHouse) -> None:
    client = house.client()
    text = {"content-type": "text/plain"}
    refused(lambda h: client.post("/api/verify?at=soon", content="x", headers=text | h), 422, "at")
    refused(lambda h: client.post("/api/verify?at=2026-01-01T00:00:00", content="x", headers=text | h), 422, "at")
    refused(lambda h: client.post("/api/verify?who=me", content="x", headers=text | h), 422, "who")
    image = {"content-type": "image/png"}
    refused(lambda h: client.post("/api/verify", content=b"\x89PNG", headers=image | h), 415, "content-type")
    items = [{"evidence": "x"}] * 501
    refused(lambda h: client.post("/api/verify/batch", json={"items": items}, headers=h), 422, "items")
    refused(lambda h: client.post("/api/verify/batch", json={"items": []}, headers=h), 422, "items")
    third = [{"evidence": "x"}, {"evidence": "x"}, {"pdf": "?"}]
    refused(lambda h: client.post("/api/verify/batch", json={"items": third}, headers=h), 422, "items[2].pdf")
    body = bytes(21 * 1024 * 1024)
    refused(lambda h: client.post("/api/verify", content=body, headers=text | h), 413, None)
    refused(lambda h: client.get("/api/registry/recognition", headers=h), 422, "issuing")
    refused(lambda h: client.get("/api/registry/matrix?at=never", headers=h), 422, "at")
    refused(lambda h: client.get("/api/registry/issuers/990100/nobody", headers=h), 404, None)


# Issuing


_bodies = iter(range(1, 1000))


def issue_body(house: RealHouse, **claims: Any) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(json.dumps(marriage_body(next(_bodies))))
    made["claims"] |= claims
    made["seal_id"] = house.seal(CIVIL_AFFAIRS).id
    return made


Change = Callable[[dict[str, Any]], dict[str, Any]]


def without(name: str) -> Change:
    return lambda body: {**body, "claims": {k: v for k, v in body["claims"].items() if k != name}}


def claims(**values: Any) -> Change:
    return lambda body: {**body, "claims": {**body["claims"], **values}}


def holder(**values: Any) -> Change:
    return lambda body: {**body, "holder": {**body["holder"], **values}}


def top(**values: Any) -> Change:
    return lambda body: {**body, **values}


def deep(levels: int) -> Any:
    value: Any = "x"
    for _ in range(levels):
        value = [value]
    return value


PRIVATE_KEY = {"kty": "EC", "crv": "P-256", "x": "A" * 43, "y": "A" * 43, "d": "A" * 43}
ISSUE_BODIES: dict[str, tuple[Change, int, str | None]] = {
    "a claim missing": (without("registered_on"), 422, "/claims/registered_on"),
    "a claim too many": (claims(nickname="x"), 422, None),
    "no date": (claims(registered_on="soon"), 422, "/claims/registered_on"),
    "a number for a name": (claims(holder_name=7), 422, "/claims/holder_name"),
    "a huge number": (claims(holder_name=10**400), 422, None),
    "deep": (claims(holder_name=deep(150)), 422, None),
    "an endless name": (claims(holder_name="x" * 100_000), 422, None),
    "a character that can't be printed": (claims(holder_name="\u0000"), 422, None),
    "half a surrogate pair": (claims(holder_name="\ud800"), 422, None),
    "wrong check digit": (holder(number="990102199003070000"), 422, None),
    "no number": (holder(number="x"), 422, None),
    "a stranger's certificate": (holder(number="990102199001010138"), 422, None),
    "unknown kind of holder": (holder(kind="robot"), 422, "holder.kind"),
    "unknown type": (top(type_id="common/none"), 422, None),
    "a type that the seal is not for": (top(type_id="common/driving-licence"), 403, None),
    "unknown seal": (top(seal_id="990100/civil-affairs/00000000000000"), 422, None),
    "another office's seal": (top(seal_id="990100/public-security/99010000000002"), 422, None),
    "unknown field": (top(urgent=True), 422, "urgent"),
    "a private holder key": (top(holder_key=PRIVATE_KEY), 422, None),
    "no key at all": (top(holder_key={"kty": "oct", "k": "AAAA"}), 422, None),
    "a time without a zone": (top(valid_from="2026-01-01T00:00:00"), 422, "valid_from"),
    "the end of the calendar": (top(valid_from="9999-12-31T23:59:59-14:00"), 422, "valid_from"),
}


@pytest.mark.parametrize("name", ISSUE_BODIES)
def test_requests_to_issue_that_are_refused(house: RealHouse, name: str) -> None:
    change, status, field = ISSUE_BODIES[name]
    clerk = house.signed_in("clerk.minzheng")
    body = json.dumps(change(issue_body(house))).encode()
    headers = {"content-type": "application/json", "Idempotency-Key": f"bad {name}".replace(" ", "-")}
    document = refused(
        lambda also: clerk.post("/api/issuer/certificates", content=body, headers=headers | also), status, field
    )
    assert "errors" in document or "detail" in document


def test_issuing_without_a_key_or_a_right(house: RealHouse) -> None:
    clerk, body = house.signed_in("clerk.minzheng"), issue_body(house)
    path = "/api/issuer/certificates"
    refused(lambda h: clerk.post(path, json=body, headers=h), 400, None)
    refused(lambda h: house.client().post(path, json=body, headers=h | {"Idempotency-Key": "k"}), 401, None)
    citizen = house.signed_in("lin.xiao")
    refused(lambda h: citizen.post(path, json=body, headers=h | {"Idempotency-Key": "k"}), 403, None)
    refused(lambda h: clerk.get(f"{path}/1.2.3", headers=h), 404, None)
    refused(lambda h: clerk.get(f"{path}/'; DROP TABLE", headers=h), 422, "certificate_id")
    refused(lambda h: clerk.get(f"{path}?limit=1000000000000000000000", headers=h), 422, "limit")
    status = {"status": "valid", "reason": "review_ended"}
    refused(lambda h: clerk.post(f"{path}/1.2.3/status", json=status, headers=h), 404, None)


# Bulk


def csv_file(*rows: dict[str, Any]) -> bytes:
    names = list(rows[0])
    lines = [",".join(names), *(",".join(str(row.get(name, "")) for name in names) for row in rows)]
    return "\r\n".join(lines).encode()


def test_a_bulk_file_with_bad_rows_issues_the_good_ones(house: RealHouse) -> None:
    clerk = house.signed_in("clerk.minzheng")
    good = [issue_body(house)["claims"] for _ in range(3)]
    bad_date = issue_body(house, registered_on="next week")["claims"]
    bad_number = issue_body(house, identity_number="990102199003070000")["claims"]
    nameless = issue_body(house, holder_name="")["claims"]
    data = csv_file(good[0], bad_date, good[1], bad_number, nameless, good[2])
    params = {"type_id": MARRIAGE_CERTIFICATE, "seal_id": house.seal(CIVIL_AFFAIRS).id}
    headers = {"content-type": "text/csv"}

    def send() -> dict[str, Any]:
        answer = answered(lambda: clerk.post("/api/issuer/bulk", params=params, content=data, headers=headers))
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    first = send()
    assert (first["issued"], [error["line"] for error in first["errors"]]) == (3, [3, 5, 6])
    assert [error["column"] for error in first["errors"]] == ["registered_on", "identity_number", "holder_name"]
    assert "next week" not in json.dumps(first)
    again = send()
    assert (again["issued"], again["replayed"], len(again["errors"])) == (0, 3, 3)


@pytest.mark.parametrize(
    "data",
    [b"", b"\xff\xff\xff", b"nonsense,columns\r\n1,2", b'holder_name\r\n"never closed', b"\x00" * 1000],
    ids=["empty", "no text", "other columns", "an open quote", "zeros"],
)
def test_bulk_files_that_are_refused_whole(house: RealHouse, data: bytes) -> None:
    clerk = house.signed_in("clerk.minzheng")
    params = {"type_id": MARRIAGE_CERTIFICATE, "seal_id": house.seal(CIVIL_AFFAIRS).id}
    headers = {"content-type": "text/csv"}
    refused(
        lambda h: clerk.post("/api/issuer/bulk", params=params, content=data, headers=headers | h),
        422,
        None if data == b"" else "file",
    )


def test_a_bulk_file_for_another_offices_seal_issues_nothing(house: RealHouse) -> None:
    clerk = house.signed_in("clerk.minzheng")
    params = {"type_id": MARRIAGE_CERTIFICATE, "seal_id": house.seal(PUBLIC_SECURITY).id}
    data = csv_file(issue_body(house)["claims"])
    answer = clerk.post("/api/issuer/bulk", params=params, content=data, headers={"content-type": "text/csv"})
    assert answer.json()["issued"] == 0
    assert [error["line"] for error in answer.json()["errors"]] == [2]


# Showing and reading


def shown(house: RealHouse) -> str:
    citizen = house.signed_in("lin.xiao")
    held = citizen.get("/api/wallet/certificates").json()["certificates"]
    marriage = next(each for each in held if each["type_id"] == MARRIAGE_CERTIFICATE)
    wanted = {"certificate_id": marriage["certificate_id"], "scenario_id": TRANSFER}
    answer = citizen.post("/api/wallet/presentations", json=wanted)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["code"])


def test_a_replayed_token_is_refused_with_a_reason(house: RealHouse) -> None:
    counter = house.signed_in("counter.xichuan")
    code = shown(house)
    read = counter.post("/api/presentations/read", json={"code": code, "scenario_id": TRANSFER})
    assert read.status_code == 200, read.text
    asked = {"code": code, "scenario_id": TRANSFER}
    document = refused(lambda h: counter.post("/api/presentations/read", json=asked, headers=h), 409, None)
    assert document["type"].endswith(":already-read")


def test_tokens_that_are_refused_otherwise(house: RealHouse) -> None:
    counter, path = house.signed_in("counter.xichuan"), "/api/presentations/read"
    late = shown(house)
    with house.clock.later(timedelta(minutes=2)):
        refused(lambda h: counter.post(path, json={"code": late}, headers=h), 410, None)
    refused(lambda h: counter.post(path, json={"code": "YXP:" + "A" * 52}, headers=h), 404, None)
    refused(lambda h: counter.post(path, json={"code": "YXP:!!"}, headers=h), 422, "code")
    refused(lambda h: counter.post(path, json={"code": "x" * 129}, headers=h), 422, "code")
    settlement = {"code": shown(house), "scenario_id": "990200/talent-settlement"}
    refused(lambda h: counter.post(path, json=settlement, headers=h), 409, "scenario_id")
    refused(lambda h: house.client().post(path, json={"code": shown(house)}, headers=h), 401, None)
    citizen = house.signed_in("lin.xiao")
    refused(lambda h: citizen.post(path, json={"code": shown(house)}, headers=h), 403, None)


def test_showing_what_may_not_be_shown(house: RealHouse) -> None:
    citizen, path = house.signed_in("lin.xiao"), "/api/wallet/presentations"
    held = citizen.get("/api/wallet/certificates").json()["certificates"]
    mine = next(each for each in held if each["type_id"] == MARRIAGE_CERTIFICATE)["certificate_id"]
    for change, status, field in (
        ({"certificate_id": "1.2.3"}, 404, None),
        ({"claims": ["shoe_size"]}, 422, "claims"),
        ({"claims": [], "scenario_id": TRANSFER}, 422, "claims"),
        ({"scenario_id": "990100/vehicle-registration"}, 422, "scenario_id"),
        ({"claims": "all"}, 422, "claims"),
    ):
        body = {"certificate_id": mine, **change}
        refused(lambda h, body=body: citizen.post(path, json=body, headers=h), status, field)


# Pages


def test_pages_take_bad_files_with_a_verdict_or_a_word(house: RealHouse) -> None:
    """The same through the forms: the public page and the counter, in both languages, for browsers."""
    visitor, counter = house.client(), house.signed_in("counter.xichuan")
    files = {
        "cut": house.sample("marriage.pdf")[:5000],
        "noise": bytes(range(256)) * 40,
        "empty": b"",
        "bomb": ("YX1:" + base45.encode(BOMB[:5000])).encode(),
    }
    headers = {"accept": "text/html"}
    token = re.search(r'name="csrf_token" value="([0-9a-f]{64})"', visitor.get("/verify", headers=headers).text)
    visitor.headers["X-CSRF-Token"] = token[1] if token else ""
    for client, path in ((visitor, "/verify"), (counter, "/counter")):
        for language in ("zh-CN", "en"):
            for data in files.values():
                upload = {"file": ("x.pdf", data, "application/pdf")}
                form = {"scenario": TRANSFER}
                asked = headers | {"accept-language": language}
                answer = answered(
                    lambda client=client, path=path, form=form, upload=upload, asked=asked: client.post(
                        path, data=form, files=upload, headers=asked
                    )
                )
                assert answer.status_code in (200, 422), answer.text[:500]
                assert f'lang="{language}"' in answer.text or f'lang="{language[:2]}' in answer.text
