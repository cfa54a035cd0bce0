"""Everything that may be handed in wrongly, over HTTP, against the real application: the right one of three verdicts.

Each verdict is asked for in every way there is (raw text on the hot route, JSON, batch) and must be the same, in
Chinese and English, with a next step. No answer is a 500, and none takes long.
"""

from __future__ import annotations

import json
import zlib
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

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
from tests.server.asking import assert_verdict, issue_body, judged
from tests.server.real_house import (
    CIVIL_AFFAIRS,
    DAY,
    EAST,
    PUBLIC_SECURITY,
    START,
    RealHouse,
    built,
)
from trust_registry.attestations import StatusReference, to_cwt
from trust_registry.catalogue import COMMON_TYPES_BY_ID, DRIVING_LICENCE

pytestmark = [pytest.mark.timeout(60), pytest.mark.xdist_group("real-house")]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> RealHouse:
    return built(tmp_path_factory)


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
        issued_at=START,
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
        is_binary = rendering.headers["content-type"] in ("application/pdf", "application/cbor")
        report = judged(house, rendering.content if is_binary else rendering.text)
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
    assert (report["indication"], report["decisive"]) == ("FAILED", "bytes_after_end")


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
